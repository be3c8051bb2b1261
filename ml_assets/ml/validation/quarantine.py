"""Which rows break which rules, which of them are set aside, and why: the rows apart from the rest.

Here belongs what happens to rows. What a rule finds in the table as a whole is Great Expectations' verdict
(`expectations.py`); this file asks for it on what is left. Where quarantined rows lie is the lake's business.

Two things put a row into quarantine: a rule that failed, whatever its severity, and a rule with `max_quarantined`
above 0 that the row breaks. Only the second takes it out of the table, also where `mostly` would have forgiven it,
and only while no more rows break the rule than may be set aside. Rows that break a rule within its `mostly`, and
that nothing sets aside, are part of the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml_assets.ml.validation.expectations import run_suite
from ml_assets.ml.validation.rule_results import RuleResult, read_results
from ml_assets.ml.validation.rule_text import rule_text
from ml_assets.spec.validation import Between, InSet, NotNull, Ordered, RowRule, UniqueTogether, ValidationRule

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult

REASON = "broken_rules"
"""Column of a quarantine table: the rules that the row broke, as check results name them."""


@dataclass(frozen=True)
class Examined:
    """A table that was judged, row by row and as a whole.

    Attributes:
        results: What each rule found in the rows that were not set aside, in the order of the rules.
        found: The same as Great Expectations has it.
        kept: (n_rows,) bool; False: set aside.
        reasons: (n_rows,) text; "" for rows that are not in quarantine.
    """

    results: tuple[RuleResult, ...]
    found: "ExpectationSuiteValidationResult"
    kept: np.ndarray
    reasons: np.ndarray

    @property
    def blocked(self) -> bool:
        """Whether a critical rule failed, or could not be judged."""
        return any(each.severity == "critical" and each.status != "passed" for each in self.results)

    @property
    def set_aside(self) -> int:
        """Rows that were taken out."""
        return int((~self.kept).sum())

    @cached_property
    def quarantined(self) -> np.ndarray:
        """Positions of the rows in quarantine, ascending."""
        return np.flatnonzero(self.reasons != "")


def examine(frame: pd.DataFrame, rules: Sequence[ValidationRule], *, name: str = "rules") -> Examined:
    """Set aside what may be set aside, judge the rest, and say of each row in quarantine why it is there.

    Args:
        frame: (n_rows, n_columns); not changed.
        rules: What must hold; one at least.
        name: Name of the suite.
    """
    aside = _set_aside(frame, rules)
    kept = ~np.logical_or.reduce([np.zeros(len(frame), bool), *aside.values()])
    rest = frame if kept.all() else frame[kept]
    counts = {at: int(rows.sum()) for at, rows in aside.items()}
    found = run_suite(name, rest, rules, set_aside=counts)
    results = tuple(
        replace(result, set_aside=counts.get(at, 0)) for at, result in enumerate(read_results(found, rules))
    )
    broken = dict(aside)
    for at, (rule, result) in enumerate(zip(rules, results, strict=True)):
        if result.status == "failed" and isinstance(rule, RowRule):
            rows = broken_rows(rest, rule)
            broken[at] = rows if kept.all() else _spread(rows, kept)
    return Examined(results, found, kept, _reasons(len(frame), [(rules[at], broken[at]) for at in sorted(broken)]))


def broken_rows(frame: pd.DataFrame, rule: RowRule) -> np.ndarray:
    """Rows that break a rule, as Great Expectations counts them; in one pass over the rule's columns.

    Args:
        frame: (n_rows, n_columns).
        rule: A rule about rows.

    Returns:
        (n_rows,) bool.

    Raises:
        KeyError: A column is not there.
        TypeError: Its values cannot be compared with the rule's.
    """
    match rule:
        case NotNull():
            broken = frame[rule.column].isna()
        case Between():
            values = frame[rule.column].dropna()
            outside = pd.Series(False, values.index)
            if rule.low is not None:
                outside |= values < rule.low
            if rule.high is not None:
                outside |= values > rule.high
            return _spread(outside.to_numpy(bool), frame[rule.column].notna().to_numpy())
        case InSet():
            broken = frame[rule.column].notna() & ~frame[rule.column].isin(rule.values)
        case UniqueTogether():
            broken = frame.duplicated(list(rule.columns), keep=False)
        case Ordered():
            both = (frame[rule.lower].notna() & frame[rule.upper].notna()).to_numpy()
            lower, upper = frame[rule.lower][both], frame[rule.upper][both]
            return _spread((lower > upper).to_numpy(bool), both)
        case _:
            raise AssertionError(f"{type(rule).__name__} is no rule about rows")
    return broken.to_numpy(bool)


def _set_aside(frame: pd.DataFrame, rules: Sequence[ValidationRule]) -> dict[int, np.ndarray]:
    """Position of each rule that sets rows aside -> (n_rows,) bool, which."""
    aside = {}
    for at, rule in enumerate(rules):
        if isinstance(rule, RowRule) and rule.max_quarantined > 0:
            try:
                broken = broken_rows(frame, rule)
            except (KeyError, TypeError):  # cannot be judged: Great Expectations says so in the results
                continue
            if 0 < broken.sum() <= rule.max_quarantined * len(frame):
                aside[at] = broken
    return aside


def _spread(judged: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Verdicts on some of the rows, as verdicts on all."""
    rows = np.zeros(len(among), bool)
    rows[among] = judged
    return rows


def _reasons(n_rows: int, broken: Sequence[tuple[ValidationRule, np.ndarray]]) -> np.ndarray:
    """(n_rows,) text: the rules that each row broke, in the order of the rules."""
    reasons = np.full(n_rows, "", dtype=object)
    for rule, rows in broken:
        # Few different combinations, many rows: texts are joined once per combination.
        mark = rule_text(rule) + ("" if rule.severity == "critical" else f" ({rule.severity})")
        found, which = np.unique(reasons[rows].astype(str), return_inverse=True)
        joined = np.array([f"{text}; {mark}" if text else mark for text in found], dtype=object)
        reasons[rows] = joined[which]
    return reasons
