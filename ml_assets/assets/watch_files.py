"""What the watch keeps in the lake: reference rows and a baseline per version, and a summary per window.

A baseline is made with its version; where there is none (of a version from before, or of another declaration) it is
made at first use. All are written whole or not at all. What is in them is the business of `ml.monitoring.baseline` and
`ml.monitoring.watching`.
"""

import hashlib
import json
from pathlib import Path

import pandas as pd

from ml_assets.errors import SummaryFormatError
from ml_assets.files import write_atomically
from ml_assets.ml.monitoring.baseline import Baseline, make_baseline
from ml_assets.ml.monitoring.held_out import HeldOut
from ml_assets.ml.monitoring.watching import WindowSummary, held_out_sides, summary_from_json, summary_to_json
from ml_assets.ml.training.model import Model
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem


def reference_path(problem: Problem, cutoff: str, lake: Lake) -> Path:
    """File of a version's held-out rows with its predictions: what it was judged on."""
    return lake.stage(problem, "registered_version", cutoff, "reference")


def baseline_path(problem: Problem, cutoff: str, lake: Lake) -> Path:
    """File of what is kept of all rows of a version: what later windows are compared with."""
    return lake.stage(problem, "registered_version", cutoff, "baseline").with_suffix(".json")


def summary_path(problem: Problem, window: str, lake: Lake) -> Path:
    """File of the summary of a window's scored rows."""
    return lake.stage(problem, "drift_report", window, "summary").with_suffix(".json")


def keep_baseline(problem: Problem, cutoff: str, model: Model, rows: pd.DataFrame, lake: Lake) -> Baseline:
    """Make the baseline of a version from its training set, and write it."""
    found = make_baseline(problem, model, rows)
    _write(baseline_path(problem, cutoff, lake), _declared(problem), found.to_json())
    return found


def read_baseline(problem: Problem, cutoff: str, lake: Lake) -> Baseline:
    """The baseline of a version; where it is not there as declared, it is made.

    Raises:
        NotLandedError: Neither it nor the version's training set is there.
    """
    text = _read(baseline_path(problem, cutoff, lake), _declared(problem))
    if text is not None:
        try:
            return Baseline.from_json(text)
        except SummaryFormatError:  # of an older release
            pass
    model = Model.load(lake.model_folder(problem, cutoff) / "model")
    return keep_baseline(problem, cutoff, model, lake.read_stage(problem, "dataset", cutoff), lake)


def read_held_out(problem: Problem, version: int, cutoff: str, error: float | None, lake: Lake) -> dict[str, HeldOut]:
    """What is known of a version's held-out rows, all and by segment.

    Raises:
        NotLandedError: They are not there.
    """
    rows = lake.read(f"Reference of version {version}", [reference_path(problem, cutoff, lake)]).to_pandas()
    return held_out_sides(problem, error, rows, read_baseline(problem, cutoff, lake).standings)


def keep_summary(problem: Problem, window: Window, version: int, summary: WindowSummary, lake: Lake) -> None:
    """Write the summary of a window as scored by a version."""
    declared = f"{_declared(problem)} {version}"
    _write(summary_path(problem, window.key, lake), declared, summary_to_json(summary))


def former_summaries(problem: Problem, window: Window, version: int, lake: Lake) -> list[WindowSummary]:
    """Summaries of the windows before one that are judged together with it, oldest first: of the same version only."""
    found = []
    for back in range(1, problem.drift.over_windows):
        text = _read(summary_path(problem, window.shift(-back).key, lake), f"{_declared(problem)} {version}")
        if text is None:
            break
        found.append(summary_from_json(text))
    return found[::-1]


def _declared(problem: Problem) -> str:
    """What a summary depends on; one of another declaration is of no use."""
    policy = problem.drift
    parts = [
        dict(problem.features),
        [problem.label.name, problem.task, problem.quality.metric],
        problem.cadence.model_dump(mode="json"),
        [policy.seasonal, policy.min_rows, [segment.model_dump(mode="json") for segment in policy.segments]],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _write(path: Path, declared: str, text: bytes) -> None:
    write_atomically(path, lambda to: _fill(to, declared.encode() + b"\n" + text))


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _read(path: Path, declared: str) -> bytes | None:
    """What was written; None where there is nothing, or of another declaration."""
    if not path.exists():
        return None
    first, _, text = path.read_bytes().partition(b"\n")
    return text if first == declared.encode() else None
