"""The promotion gate on stored rows: who is compared with whom, on what, and the decision written down.

How two models are compared is in `ml/promotion/gate.py`, what a decision means in `ml/promotion/decisions.py`.
"""

from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.errors import PromotionConflictError
from ml_assets.ml.promotion.gate import Verdict, baseline, compare, within_limits
from ml_assets.ml.promotion.segments import judge_segments, segment_rows
from ml_assets.ml.quality.scores import Scores, known, label_of
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.model_cost import latency_ms, model_bytes
from ml_assets.resources.ledger import Ledger, LedgerRow
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem

CHECK = "promotion_gate"
_TRIES = 3
"""So often a challenger meets a new champion that came while it was compared with the former one."""


@dataclass(frozen=True)
class Judged:
    """A verdict, and the champion that it is about; None where there was none."""

    verdict: Verdict
    champion: LedgerRow | None


def held_out_scores(model: Model, held_out: pd.DataFrame) -> tuple[pd.DataFrame, Scores]:
    """The test rows among the held-out ones, and their scores."""
    test = held_out[held_out[SPLIT] == "test"].reset_index(drop=True)
    return test, model.scores(test)


def days(test: pd.DataFrame) -> NDArray[np.int64]:
    """(n,) integer, equal for rows of the same UTC day."""
    return test["event_timestamp"].dt.floor("D").astype("int64").to_numpy()


def judge(
    problem: Problem, candidate: LedgerRow, model: Model, held_out: pd.DataFrame, registry: Registry, ledger: Ledger
) -> Judged:
    """Compare on the test rows with the champion or, where there is none, with what needs no features.

    Raises:
        SegmentColumnError: A declared segment is no part of the rows.
        AlteredModelError: The champion's files are not those that were promoted.
    """
    champion = ledger.champion(problem, candidate.cutoff, candidate.version)
    opponent = registry.load(problem, champion) if champion else None
    name = f"version {champion.version}" if champion else ""
    return Judged(verdict_on(problem, model, held_out, opponent, name), champion)


def verdict_on(problem: Problem, model: Model, held_out: pd.DataFrame, opponent: Model | None, name: str) -> Verdict:
    """The comparison with the model `name`, or with what needs no features where there is none to compare with.

    Args:
        problem: Whose gate it is.
        model: The challenger.
        held_out: Validation and test rows of its training set.
        opponent: The champion; None where there is none.
        name: The champion's name for the reason.

    Raises:
        SegmentColumnError: A declared segment is no part of the rows.
    """
    policy, (test, ours) = problem.promotion, held_out_scores(model, held_out)
    label = label_of(problem.task, test[problem.label.name])
    theirs, against = _opponent(problem, opponent, name, test)
    if theirs is None:
        validation = held_out[held_out[SPLIT] == "validation"]
        before = label_of(problem.task, validation[problem.label.name])
        theirs, against = baseline(problem.task, policy.metric, before[known(problem.task, before)], len(test))
    verdict = compare(label, ours, theirs, days(test), policy, against=against)
    timed = policy.max_latency_ms is not None and len(test)
    segments = segment_rows(policy.segments, test, least=policy.min_segment_rows)
    return within_limits(
        verdict,
        policy,
        segments=judge_segments(label, ours, theirs, segments, policy),
        size_bytes=model_bytes(model),
        latency_ms=latency_ms(model, test) if timed else None,
    )


def decide(
    problem: Problem, candidate: LedgerRow, model: Model, held_out: pd.DataFrame, registry: Registry, ledger: Ledger
) -> tuple[Verdict, LedgerRow]:
    """Judge, write the decision, and let the aliases follow; run again, all come out the same.

    Where another version became production during the comparison, the candidate is compared with that one.

    Args:
        problem: Whose gate it is.
        candidate: The registered version, not decided upon.
        model: Its model.
        held_out: Validation and test rows of its training set.
        registry, ledger: Where champions are, and where the decision goes.

    Returns:
        The verdict, and the decision that holds: of a version that was decided before, the former one.

    Raises:
        PromotionConflictError: Production changed each time.
    """
    if all(row.version != candidate.version for row in ledger.rows(problem)):
        registry.stage(problem, candidate.version)
    for tries_left in reversed(range(_TRIES)):
        judged = judge(problem, candidate, model, held_out, registry, ledger)
        try:
            row = ledger.record(problem, _decided(candidate, judged.verdict), against=judged.champion)
        except PromotionConflictError:
            if not tries_left:
                raise
        else:
            break
    registry.follow(problem, ledger)
    return judged.verdict, row


def _decided(candidate: LedgerRow, verdict: Verdict) -> LedgerRow:
    numbers = candidate.numbers | verdict.numbers()
    if verdict.segments:
        numbers["segments"] = verdict.segment_numbers()
    return replace(
        candidate, action="promoted" if verdict.promote else "rejected", reason=verdict.reason, numbers=numbers
    )


def check_result(verdict: Verdict, row: LedgerRow) -> dg.AssetCheckResult:
    """The decision that stands in the ledger, with its numbers."""
    metadata: dict[str, Any] = {**verdict.numbers(), "rows": verdict.rows, "ledger_row": row.sequence}
    if verdict.segments:
        metadata["segments"] = segment_table(verdict)
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=row.action == "promoted",
        severity=dg.AssetCheckSeverity.WARN,  # a challenger that loses is no fault: production stays
        description=row.reason,
        metadata=metadata,
    )


def segment_table(verdict: Verdict) -> dg.TableMetadataValue:
    """One row per segment."""
    names = ("segment", "rows", "challenger", "champion", "gain", "verdict")
    records = [
        dg.TableRecord(
            {
                "segment": each.name,
                "rows": each.rows,
                **{name: getattr(each, name) for name in ("challenger", "champion", "gain")},
                "verdict": each.note or ("passed" if each.passed else "failed"),
            }
        )
        for each in verdict.segments
    ]
    kinds = {"rows": "int", "challenger": "float", "champion": "float", "gain": "float"}
    columns = [dg.TableColumn(name, kinds.get(name, "string")) for name in names]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _opponent(problem: Problem, model: Model | None, name: str, test: pd.DataFrame) -> tuple[Scores | None, str]:
    """Scores and name of the champion; none where it predicts something else, as declared formerly."""
    if model is None:
        return None, ""
    alike = (model.task, model.label) == (problem.task, problem.label.name)
    return (model.scores(test), name) if alike else (None, "")
