"""Training on more rows than memory should hold: XGBoost's external memory from parquet, against rows in memory.

    python -m benchmarks.external_memory            # 20M rows x 20 columns from disk; 2M rows both ways
    python -m benchmarks.external_memory --quick    # seconds; shows that it runs, and says nothing of speed

Every training is measured in a process of its own, imports, encoder, bins, rounds and predictions included.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import Measured, measure, table
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.external_memory import external_training_data
from ml_assets.ml.training.fitting import TrainingData, prepare, train_trial
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.spec import FeatureType, Search

_NUMBERS, _TEXTS = [f"x{i}" for i in range(18)], ["region", "kind"]
_CATEGORIES = {"region": 40, "kind": 8}
FEATURES: dict[str, FeatureType] = {name: "float" for name in _NUMBERS} | {name: "string" for name in _TEXTS}
_LABEL = "y"
_ROW_GROUP, _VALIDATION_SHARE = 500_000, 0.05
_POINT = {"max_depth": 6, "eta": 0.2}
_LIMIT_GB = 6.0
RESULTS = Path(__file__).parent / "results" / "external_memory.md"


def write(path: Path, rows: int, *, seed: int = 0) -> None:
    """Write `rows` rows: 18 float64 columns with 1% nulls, 2 of text, a noisy label; the last 5% are validation."""
    groups = -(-rows // _ROW_GROUP)
    writer = None
    for group in range(groups):
        rng = np.random.default_rng([seed, group])
        first, size = group * _ROW_GROUP, min(_ROW_GROUP, rows - group * _ROW_GROUP)
        part = np.where(np.arange(first, first + size) < rows * (1 - _VALIDATION_SHARE), "train", "validation")
        chunk = pa.table(_columns(rng, size) | {SPLIT: part})
        writer = writer or pq.ParquetWriter(path, chunk.schema, compression="snappy")
        writer.write_table(chunk)
    assert writer is not None
    writer.close()


def _columns(rng: np.random.Generator, size: int) -> dict[str, Any]:
    values = rng.normal(size=(size, len(_NUMBERS)))
    codes = {name: rng.integers(0, _CATEGORIES[name], size) for name in _TEXTS}
    signal = values[:, 0] ** 2 + values[:, 1] * values[:, 2] + np.sin(3 * values[:, 3]) + (codes["region"] % 7 == 0)
    missing = rng.random(values.shape) < 0.01
    columns: dict[str, Any] = {name: pa.array(values[:, i], mask=missing[:, i]) for i, name in enumerate(_NUMBERS)}
    names = {name: np.array([f"{name}_{i:03d}" for i in range(count)]) for name, count in _CATEGORIES.items()}
    return columns | {name: names[name][codes[name]] for name in _TEXTS} | {_LABEL: signal + rng.normal(size=size)}


def external(path: str, rounds: int, batch_rows: int, answers: str) -> Callable[[], dict[str, Any]]:
    """Train from batches on disk."""
    import xgboost  # noqa: F401  not timed

    spec, rows = _spec(rounds), ParquetRows(Path(path), batch_rows=batch_rows)

    def work() -> dict[str, Any]:
        scratch = Path(path).parent / "scratch"
        parts = rows.part("train"), rows.part("validation")
        with external_training_data(*parts, FEATURES, _LABEL, spec, "regression", scratch) as data:
            return _train(data, spec, answers)

    return work


def in_memory(path: str, rounds: int, answers: str) -> Callable[[], dict[str, Any]]:
    """Train from a frame, as the platform does by default."""
    import xgboost  # noqa: F401  not timed

    spec = _spec(rounds)

    def work() -> dict[str, Any]:
        frame = pd.read_parquet(path)
        train, validation = (frame[frame[SPLIT] == part] for part in ("train", "validation"))
        return _train(prepare(train, validation, FEATURES, _LABEL, spec, "regression"), spec, answers)

    return work


def _train(data: TrainingData, spec: Search, answers: str) -> dict[str, Any]:
    trial, booster = train_trial(data, spec, dict(_POINT), 0)
    if booster is None:
        raise RuntimeError(trial.message)
    np.save(answers, booster.predict(data.validation))
    return {"loss": trial.loss, "rounds": (trial.best_iteration or 0) + 1, "training_s": trial.duration_s}


def _spec(rounds: int) -> Search:
    return Search(space={}, max_rounds=rounds, early_stopping_rounds=5, threads=2)


def compare(folder: Path, rows: int, rounds: int, batch_rows: int, *, both: bool) -> list[dict[str, Any]]:
    """One table row per way of training on `rows` rows."""
    path = folder / f"{rows}.parquet"
    write(path, rows)
    ways: dict[str, dict[str, Any]] = {"external": {"batch_rows": batch_rows}} | ({"in_memory": {}} if both else {})
    lines = []
    for way, extra in ways.items():
        arguments = {"path": str(path), "rounds": rounds, "answers": str(folder / f"{way}.npy"), **extra}
        measured = measure(f"benchmarks.external_memory:{way}", arguments, repeats=1)
        lines.append(_line(way.replace("_", " "), rows, measured))
    if both:
        one, other = (np.load(folder / f"{way}.npy") for way in ways)
        # In units of the predictions' spread, so that the label's unit does not matter.
        lines[0]["mean difference / std"] = float(np.abs(one - other).mean() / other.std())
    path.unlink()
    return lines


def _line(name: str, rows: int, measured: Measured) -> dict[str, Any]:
    found = measured.result
    return {
        "training": name,
        "rows": rows,
        "columns": len(FEATURES),
        "rounds": found["rounds"],
        "wall s": measured.wall_s,
        "of it training s": found["training_s"],
        "CPU s": measured.cpu_s,
        "peak GB": measured.peak_gb,
        "validation RMSE": float(found["loss"]),
    }


def main(arguments: list[str] | None = None) -> list[dict[str, Any]]:
    """Measure and print; returns the lines of the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000, help="rows from disk")
    parser.add_argument("--compared-rows", type=int, default=2_000_000, help="rows trained both ways")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--batch-rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the rows are written; about 160 bytes a row")
    parser.add_argument("--quick", action="store_true", help="20,000 rows")
    given = parser.parse_args(arguments)
    rows, compared, batch = (
        (20_000, 10_000, 4_000) if given.quick else (given.rows, given.compared_rows, given.batch_rows)
    )
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        lines = compare(Path(folder), compared, given.rounds, batch, both=True)
        lines += compare(Path(folder), rows, given.rounds, batch, both=False)
    text = (
        f"# Training from disk\n\n{table(lines)}\n"
        f"{rows:,} rows: {lines[-1]['peak GB']:.2f} GB at most; the limit is {_LIMIT_GB:g} GB.\n"
    )
    print(text)
    if not given.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")
    return lines


if __name__ == "__main__":
    main()
