"""Drift of a window against the champion's reference: Evidently's `DataDriftPreset` against summaries.

    python -m benchmarks.drift_speed            # prints Markdown, writes benchmarks/results/drift_speed.md
    python -m benchmarks.drift_speed --quick    # 5,000 rows, once
    python -m benchmarks.drift_speed --all      # Evidently at 1M rows x 200 columns, too: 20 minutes, 13 GB

Both sides have the same number of rows. Evidently gets its frames in memory, and reading them is not timed; ours reads
parquet, and that is. Both write one HTML page. Imports are not timed.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import ROOT, measure, table
from ml_assets.spec import DriftPolicy, FeatureType

RESULTS = ROOT / "benchmarks" / "results" / "drift_speed.md"
SHAPES = ((100_000, 20), (1_000_000, 20), (100_000, 200), (1_000_000, 200))
TOO_LONG = (1_000_000, 200)
WINDOWS = 30
"""Files of a side; ours merges so many daily summaries to a month."""
_CODES = np.array([f"C{code:02d}" for code in range(40)])


def make(folder: Path, rows: int, columns: int) -> None:
    """Both sides, `WINDOWS` files each: of five columns one text, one whole number, three real ones; some drift."""
    for side in ("reference", "current"):
        (folder / side).mkdir(parents=True)
        for window, part in enumerate(np.array_split(np.arange(rows), WINDOWS)):
            rng = np.random.default_rng([side == "current", window])
            made = {f"c{i:03d}": _column(rng, i, len(part), side == "current") for i in range(columns)}
            pq.write_table(
                pa.table({**made, "prediction": rng.normal(size=len(part))}), folder / side / f"{window:02d}.parquet"
            )


def _column(rng: np.random.Generator, position: int, rows: int, current: bool) -> pa.Array:
    shift = current * (position // 5 % 6) * 0.06  # 0 to 0.3: on both sides of the threshold
    match position % 5:
        case 0:
            return pa.array(_CODES[np.minimum(rng.exponential(6 * (1 + 2 * shift), rows), 39).astype(int)])
        case 1:
            return pa.array(rng.poisson(20, rows) + np.round(shift * 20).astype(int))
        case 2:
            values = rng.normal(shift, 1, rows)
            return pa.array(np.where(rng.random(rows) < 0.05, np.nan, values), from_pandas=True)
        case 3:
            return pa.array(rng.lognormal(shift, 1, rows))
    return pa.array(rng.standard_t(3, rows) + shift)


def types(folder: Path) -> dict[str, FeatureType]:
    """Column -> type, the prediction left out."""
    schema = pq.read_schema(next(Path(folder).glob("*.parquet")))
    return {f.name: "string" if pa.types.is_string(f.type) else "float" for f in schema if f.name != "prediction"}


def summarise(folder: str) -> Callable[[], Callable[[], None]]:
    """The champion's reference, and the windows of a month: what is done once per champion, and once per window."""
    from ml_assets.ml.monitoring.summaries import summarise_files

    files, columns = _files(folder), {**types(Path(folder)), "prediction": "float"}

    def work() -> Callable[[], None]:
        daily = [summarise_files([file], columns).to_json() for file in files]
        whole = summarise_files(files, columns).to_json()

        def keep() -> None:
            Path(folder, "whole.json").write_bytes(whole)
            for file, text in zip(files, daily, strict=True):
                file.with_suffix(".json").write_bytes(text)

        return keep

    return work  # type: ignore[return-value]


def evidently(folder: str) -> Callable[[], Callable[[], dict[str, Any]]]:
    """The preset over both frames, its page written."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    known = {**types(Path(folder, "reference")), "prediction": "float"}
    texts = [name for name, kind in known.items() if kind == "string"]
    definition = DataDefinition(
        numerical_columns=[name for name in known if name not in texts], categorical_columns=texts
    )
    sides = [
        pa.concat_tables(map(pq.read_table, _files(f"{folder}/{side}"))).to_pandas()
        for side in ("current", "reference")
    ]
    page = Path(folder, "evidently.html")

    def work() -> Callable[[], dict[str, Any]]:
        snapshot = Report([DataDriftPreset()], include_tests=True).run(
            *(Dataset.from_pandas(side, definition) for side in sides)
        )
        snapshot.save_html(str(page))
        drifted = {
            test["metric_config"]["params"]["column"]: test["status"] == "FAIL"
            for test in snapshot.dict()["tests"]
            if "column" in test["metric_config"]["params"]
        }
        return lambda: {"drifted": drifted, "html_mb": page.stat().st_size / 1e6}

    return work


def ours(folder: str, way: str) -> Callable[[], Callable[[], dict[str, Any]]]:
    """The platform's report: `both` sides from rows, the `window` only, or a `month` of merged summaries."""
    from ml_assets.ml.monitoring.report import report_on
    from ml_assets.ml.monitoring.summaries import TableSummary, merge, summarise_files

    features = types(Path(folder, "reference"))
    columns = {**features, "prediction": "float"}
    reference, current = _files(f"{folder}/reference"), _files(f"{folder}/current")
    html, json = Path(folder, f"{way}.html"), Path(folder, f"{way}.record.json")
    policy = DriftPolicy(max_odd_share=1, min_rows=1)

    def report(before: TableSummary, now: TableSummary) -> Any:
        given: Mapping[str, Any] = {"features": features, "target": None, "policy": policy, "title": way}
        return report_on(before, now, html=html, json=json, **given)

    nothing = summarise_files(current[:1], columns)
    report(nothing, nothing)  # imports

    def work() -> Callable[[], dict[str, Any]]:
        if way == "both":
            before = summarise_files(reference, columns)
        else:
            before = TableSummary.from_json(Path(folder, "reference", "whole.json").read_bytes())
        if way == "month":
            now = merge([TableSummary.from_json(file.with_suffix(".json").read_bytes()) for file in current])
        else:
            now = summarise_files(current, columns)
        result = report(before, now)
        found = {column.column: column.drifted for column in (*result.features, result.prediction)}
        errors = [column.error for column in (*result.features, result.prediction)]
        return lambda: {"drifted": found, "html_mb": html.stat().st_size / 1e6, "error": max(errors)}

    return work


_WAYS = {
    "both": "ours, both sides from rows",
    "window": "ours, reference summarised before",
    "month": f"ours, {WINDOWS} daily summaries merged",
}


def compare(folder: Path, rows: int, columns: int, repeats: int, *, theirs: bool) -> list[dict[str, Any]]:
    """Rows of the table for one shape."""
    make(folder, rows, columns)
    shape, given = {"rows": rows, "columns": columns}, {"folder": str(folder)}
    plain = measure("benchmarks.drift_speed:evidently", given, 1) if theirs else None
    found = [{**shape, "way": "Evidently's DataDriftPreset", **_cost(plain)}] if plain else []
    for side in ("reference", "current"):
        once = measure("benchmarks.drift_speed:summarise", {"folder": str(folder / side)}, 1)
    found.append({**shape, "way": f"ours, one side to {WINDOWS} daily and one whole summary", **_cost(once)})
    for way, name in _WAYS.items():
        mine = measure("benchmarks.drift_speed:ours", {**given, "way": way}, repeats)
        line = {**shape, "way": name, **_cost(mine), "error of distances": mine.result["error"]}
        if plain:
            same = sum(mine.result["drifted"][name] == verdict for name, verdict in plain.result["drifted"].items())
            line |= {"x wall": plain.wall_s / mine.wall_s, "x CPU": plain.cpu_s / mine.cpu_s}
            line["same verdicts"] = f"{same} of {len(plain.result['drifted'])}"
        found.append(line)
    return found


def _cost(found: Any) -> dict[str, Any]:
    html = {"HTML MB": found.result["html_mb"]} if found.result else {}
    return {"wall s": found.wall_s, "CPU s": found.cpu_s, "peak GB": found.peak_gb, **html}


def _files(folder: str) -> list[Path]:
    return sorted(Path(folder).glob("*.parquet"))


def main() -> None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5,000 rows x 10 columns, once; nothing is kept")
    parser.add_argument("--all", action="store_true", help="Evidently at 1M x 200, too")
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for shape in ((5_000, 10),) if chosen.quick else SHAPES:
        with tempfile.TemporaryDirectory() as folder:
            theirs = chosen.all or shape != TOO_LONG
            rows += compare(Path(folder), *shape, 1 if chosen.quick else 3, theirs=theirs)
    text = f"# Drift of a window against a reference of as many rows\n\n{table(rows)}"
    if not chosen.all:
        text += "\nEvidently at 1,000,000 x 200 is run by `--all` only; measured once before: 1,279 s, 12.9 GB.\n"
    print(text)
    if not chosen.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
