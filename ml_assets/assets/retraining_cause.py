"""From failed checks to the new version and back, as links in Dagster's UI.

The run carries its cause as tags (`automation/retraining.py`); here it is shown on the version, and on the assets whose
checks failed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from ml_assets.assets import keys
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.spec import Problem


def cause_metadata(problem: Problem, tags: Mapping[str, str]) -> dict[str, Any]:
    """What a version was trained for; nothing where a person started it.

    Args:
        problem: Whose version.
        tags: Of the run that trains it.
    """
    if keys.CAUSE_ID_TAG not in tags:
        return {}
    stages = _stages(tags)
    lines = [f"| {window} | {' · '.join(_link(problem, stage, window) for stage in stages)} |" for window in _bad(tags)]
    return {
        "failed_checks": tags.get(keys.CHECKS_TAG, ""),
        "bad_windows": dg.MetadataValue.md("\n".join(["| window | judged in |", "|---|---|", *lines])),
        "attempt": int(tags.get(keys.ATTEMPT_TAG, "1")),
    }


def answers(problem: Problem, tags: Mapping[str, str], run_id: str, row: LedgerRow) -> Iterator[dg.AssetObservation]:
    """What the bad windows led to, for the pages of the assets that judged them.

    Args:
        problem: Whose windows.
        tags, run_id: Of the run that trained.
        row: The gate's decision.
    """
    for stage in _stages(tags):
        for window in _bad(tags):
            yield dg.AssetObservation(
                keys.stage(problem, stage),
                partition=window,
                description=f"Retrained for {row.cutoff}: version {row.version} {row.action}, {row.reason}",
                metadata={
                    "retraining": dg.MetadataValue.dagster_run(run_id),
                    "new_version": dg.MetadataValue.asset(keys.stage(problem, "registered_version")),
                    "cause": row.cause,
                },
            )


def _stages(tags: Mapping[str, str]) -> list[str]:
    checks = tags.get(keys.CHECKS_TAG, "").split(", ")
    return list(dict.fromkeys(keys.stage_of_check(check) for check in checks if check))


def _bad(tags: Mapping[str, str]) -> list[str]:
    return [window for window in tags.get(keys.WINDOWS_TAG, "").split(", ") if window]


def _link(problem: Problem, stage: str, window: str) -> str:
    return f"[{stage}](/assets/{problem.name}/{stage}?view=partitions&partition={window})"
