"""Which column is what: time, entity, label, task, each with a reason and a confidence. Nothing is asked here."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from ml_assets.errors import UnfitLabelError
from ml_assets.onboarding.hints import entity_hint, label_hint, sounds_positive, time_hint
from ml_assets.onboarding.keys import RowIdentity
from ml_assets.onboarding.profile import ColumnProfile, TableProfile
from ml_assets.spec import Task

Answer = TypeVar("Answer", covariant=True)

SURE = 0.7
"""Below this confidence a proposal is asked about."""
MAX_CLASSES = 50
_MAX_CODED_CLASSES = 10
"""Whole numbers with at most so many values may be codes of classes. A convention."""
_LEAST_LEAD = 0.1
"""How much a hint must exceed the next column's to count as clear."""


@dataclass(frozen=True)
class Guess(Generic[Answer]):
    """A proposal.

    Attributes:
        value: What is proposed; None for "there is none".
        confidence: 0 to 1; below `SURE` it is asked about.
        reason: Why, as the end of "taken because it ...".
        others: Other answers that make sense, best first.
    """

    value: Answer
    confidence: float
    reason: str
    others: tuple[str, ...] = ()


def propose_time(profile: TableProfile) -> Guess[str | None]:
    """The column with the time of a row's event; None where no column holds times."""
    times = [column for column in profile.of_type("timestamp") if column.known]
    ranked = sorted(times, key=lambda column: time_hint(column.name) - 2 * column.null_share, reverse=True)
    if not ranked:
        return Guess(None, 1.0, "no column holds times")
    best, others = ranked[0], tuple(column.name for column in ranked[1:])
    if not others:
        return Guess(best.name, 0.95, "is the only column with times")
    lead = time_hint(best.name) - 2 * best.null_share - (time_hint(others[0]) - 2 * ranked[1].null_share)
    clear = lead >= _LEAST_LEAD
    reason = "sounds most like the time of the event" if clear else f"is one of {len(ranked)} columns with times"
    return Guess(best.name, 0.8 if clear else 0.5, reason, others)


def propose_entity(profile: TableProfile, rows: RowIdentity, time: str) -> Guess[str | None]:
    """The column that says what a row is about, and repeats; None where rows stand for themselves."""
    candidates = [
        column for column in profile.of_type("int64", "string") if 2 <= column.distinct <= 0.7 * max(column.known, 1)
    ]
    scores: dict[str, float] = {}
    panel = not rows.identified_by((time,))
    for column in candidates:
        score = entity_hint(column.name)
        # What repeats, once at each time, is what a panel's rows are about, whatever it is called.
        if panel and (score or column.type == "string") and rows.identified_by((column.name, time)):
            score = max(score, 0.75) + 0.2
        scores[column.name] = score - column.null_share / 2
    ranked = sorted((name for name in scores if scores[name] > 0.2), key=lambda name: scores[name], reverse=True)
    if not ranked:
        return Guess(None, 0.9, "no repeating column sounds like an identifier")
    best, others = ranked[0], tuple(ranked[1:])
    clear = not others or scores[best] - scores[others[0]] >= _LEAST_LEAD
    once = rows.identified_by((best, time))
    reason = f"repeats ({profile.columns[best].distinct:,} values)" + (" and is there once at a time" if once else "")
    return Guess(best, min(scores[best], 0.95) if clear else 0.5, reason, others)


def propose_label(profile: TableProfile, taken: Collection[str | None]) -> Guess[str | None]:
    """The column to predict: by its name, or else the last one."""
    fit = [column for column in profile.columns.values() if column.name not in taken and not unfit_label(column)]
    if not fit:
        return Guess(None, 0.0, "no column can be a label")
    ranked = sorted(reversed(fit), key=lambda column: label_hint(column.name), reverse=True)  # of equals, the last
    best, last = ranked[0], fit[-1]
    others = tuple(column.name for column in ranked if column is not best)
    hint = label_hint(best.name)
    if not hint:
        return Guess(last.name, 0.4, "is the last column", tuple(c.name for c in reversed(fit) if c is not last))
    alone = len(ranked) == 1 or hint - label_hint(ranked[1].name) >= _LEAST_LEAD
    return Guess(best.name, hint if alone else 0.5, "sounds like a label", others)


def unfit_label(column: ColumnProfile) -> str:
    """Why a column cannot be a label, or ""."""
    if column.known == 0:
        return "is empty"
    if column.distinct < 2:
        return "has only one value"
    if column.type == "timestamp":
        return "holds times"
    if column.type == "string" and column.distinct > MAX_CLASSES:
        return f"has {column.distinct:,} different texts, more than {MAX_CLASSES} classes"
    return ""


def propose_task(label: ColumnProfile) -> Guess[Task]:
    """The task that a label's values make.

    Raises:
        UnfitLabelError: The column cannot be a label.
    """
    if reason := unfit_label(label):
        raise UnfitLabelError(label.name, reason)
    n = label.distinct
    if n == 2 or label.type == "bool":
        return Guess("binary", 0.95, "the label has two values", ("multiclass",))
    if label.type == "string":
        return Guess("multiclass", 0.95, f"the label has {n} different texts")
    whole = n <= _MAX_CODED_CLASSES and all(float(value).is_integer() for value in label.values)
    if not whole:
        return Guess("regression", 0.95, f"the label has {n:,} different numbers", ("multiclass",) * (n <= MAX_CLASSES))
    coded = label.low in (0, 1) and label.high == n - 1 + (label.low or 0)
    reason = f"the label has {n} whole numbers"
    if coded:
        return Guess("multiclass", 0.85, f"{reason}, {label.low:g} to {label.high:g}", ("regression",))
    return Guess("multiclass", 0.6, reason, ("regression",))


def require_task(label: ColumnProfile, task: Task) -> None:
    """Refuse a task that the label's values do not make.

    Raises:
        UnfitLabelError: It does not fit.
    """
    if reason := unfit_label(label):
        raise UnfitLabelError(label.name, reason)
    if task == "binary" and label.distinct != 2:
        raise UnfitLabelError(label.name, f"has {label.distinct:,} values, so the task is not binary")
    if task == "regression" and label.type not in ("int64", "float64"):
        raise UnfitLabelError(label.name, f"is {label.type}, so the task is not regression")
    if task == "multiclass" and label.distinct > MAX_CLASSES:
        raise UnfitLabelError(label.name, f"has {label.distinct:,} values, more than {MAX_CLASSES} classes")


def propose_positive(label: ColumnProfile) -> Guess[str | None]:
    """The value of a binary label that counts as 1; None where the label is 0/1 or a truth value anyway."""
    if label.type == "bool" or set(label.values) == {0, 1}:
        return Guess(None, 1.0, "is 0/1 or true/false")
    values = [str(value) for value in label.values]  # the most frequent first
    named = [value for value in values if sounds_positive(value)]
    if len(named) == 1:
        return Guess(named[0], 0.9, "names itself the positive one", tuple(v for v in values if v not in named))
    return Guess(values[-1], 0.6, "is the rarer value", tuple(values[:-1]))
