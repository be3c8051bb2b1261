"""What validation costs: 30 rules on 100k, 1M and 5M rows, against one hand-written pass in DuckDB.

    python -m benchmarks.validation_cost            # prints Markdown, writes benchmarks/results/validation_cost.md
    python -m benchmarks.validation_cost --quick    # 20k rows, once

All get the table in memory, and reading it is not timed: pandas its frame, the hand-written pass the arrow table, GX's
DuckDB engine a table of its own in a DuckDB file.
"""

import argparse
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from benchmarks.measuring import ROOT, machine, measure, table
from ml_assets.spec import ValidationRule

RESULTS = ROOT / "benchmarks" / "results" / "validation_cost.md"
SIZES = (100_000, 1_000_000, 5_000_000)
AIRPORTS = ("EWR", "JFK", "LGA", "BOS", "ORD")


def make(path: Path, rows: int) -> None:
    """A table of flights: numbers with gaps, categories, times, a key."""
    rng = np.random.default_rng(7)
    delay, temp = rng.normal(5, 30, rows), rng.normal(60, 15, rows)
    distance = rng.integers(80, 3000, rows)
    columns = {
        "flight": np.arange(rows),
        "airport": np.array(AIRPORTS)[rng.integers(0, len(AIRPORTS), rows)],
        "carrier": np.array([f"C{number:02d}" for number in range(16)])[rng.integers(0, 16, rows)],
        "distance": distance,
        "air_time": distance / 7.0,
        "delay": np.where(rng.random(rows) < 0.02, np.nan, delay),
        "temp": np.where(rng.random(rows) < 0.05, np.nan, temp),
        "dew_point": temp - rng.exponential(10, rows),
        "hour": rng.integers(0, 24, rows),
        "seats": rng.integers(20, 400, rows).astype(float),
        "spend_30d": rng.exponential(10, rows),
        "spend_90d": np.zeros(rows),
    }
    columns["spend_90d"] = columns["spend_30d"] + rng.exponential(5, rows)
    start = np.datetime64("2020-01-01", "us")
    columns["event_timestamp"] = start + (np.arange(rows) * 1_000_000).astype("timedelta64[us]")
    made = pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})
    pq.write_table(made, path)


def rules(kind: str = "") -> list[ValidationRule]:
    """30 rules of all kinds that hold, or nearly; with a kind, those of it."""
    said: list[dict[str, Any]] = [
        *({"kind": "not_null", "column": name, "mostly": 0.9} for name in ("delay", "temp")),
        *(
            {"kind": "not_null", "column": name}
            for name in ("flight", "airport", "carrier", "distance", "hour", "seats")
        ),
        {"kind": "between", "column": "delay", "low": -200, "high": 1500},
        {"kind": "between", "column": "temp", "low": -40, "high": 160},
        {"kind": "between", "column": "temp", "low": 0, "high": 120, "mostly": 0.99, "severity": "warning"},
        {"kind": "between", "column": "distance", "low": 80, "high": 3000},
        {"kind": "between", "column": "air_time", "low": 10},
        {"kind": "between", "column": "hour", "low": 0, "high": 23},
        {"kind": "between", "column": "seats", "low": 1, "high": 500},
        {"kind": "between", "column": "spend_30d", "low": 0},
        {"kind": "in_set", "column": "airport", "values": AIRPORTS},
        {"kind": "in_set", "column": "carrier", "values": [f"C{number:02d}" for number in range(16)]},
        {"kind": "in_set", "column": "hour", "values": list(range(24))},
        {"kind": "of_type", "column": "temp", "type": "float"},
        {"kind": "of_type", "column": "airport", "type": "string"},
        {"kind": "ordered", "lower": "spend_30d", "upper": "spend_90d"},
        {"kind": "ordered", "lower": "dew_point", "upper": "temp", "mostly": 0.9},
        {"kind": "quantile_between", "column": "delay", "quantile": 0.5, "low": 0, "high": 10},
        {"kind": "quantile_between", "column": "delay", "quantile": 0.9, "low": 30, "high": 60},
        {"kind": "quantile_between", "column": "temp", "quantile": 0.5, "low": 50, "high": 70},
        {"kind": "distribution", "column": "airport", "values": AIRPORTS, "shares": [0.2] * 5, "max_divergence": 0.1},
        {
            "kind": "distribution",
            "column": "temp",
            "edges": [0, 45, 60, 75, 120],
            "shares": [0.16, 0.34, 0.34, 0.16],
            "max_divergence": 0.1,
        },
        {"kind": "unique_together", "columns": ["flight", "airport"]},
        {"kind": "row_count", "low": 1000},
    ]
    adapter = TypeAdapter(ValidationRule)
    return [adapter.validate_python(rule) for rule in said if kind in ("", rule["kind"])]


def by_hand(path: str) -> Callable[[], list[Any]]:
    """The pass that somebody would write: all counts in one SELECT, and one GROUP BY for the key."""
    con, made = duckdb.connect(), pq.read_table(path)
    con.register("t", made)
    counts = [expression for rule in rules() for expression in _by_hand(rule)]
    key = "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) n FROM t GROUP BY flight, airport HAVING n > 1)"
    return lambda: [str(con.execute(sql).fetchall()) for sql in (f"SELECT {', '.join(counts)} FROM t", key)]


def _by_hand(rule: ValidationRule) -> list[str]:
    match rule.kind:
        case "not_null":
            return [f"count(*) - count({rule.column})"]
        case "between":
            ends = {f"{rule.column} < {rule.low}": rule.low, f"{rule.column} > {rule.high}": rule.high}
            return [f"count(*) FILTER ({' OR '.join(text for text, end in ends.items() if end is not None)})"]
        case "in_set":
            return [f"count(*) FILTER ({rule.column} NOT IN {tuple(rule.values)})"]
        case "ordered":
            return [f"count(*) FILTER ({rule.lower} > {rule.upper})"]
        case "quantile_between":
            return [f"quantile_disc({rule.column}, {rule.quantile})"]
        case "distribution" if rule.values:
            return [f"count(*) FILTER ({rule.column} = {value!r})" for value in rule.values]
        case "distribution":
            return [f"count(*) FILTER ({rule.column} >= {a} AND {rule.column} < {b})" for a, b in pairwise(rule.edges)]
        case "row_count":
            return ["count(*)"]
    return []  # the key has a query of its own; types are known without one


def ours(path: str, kind: str = "") -> Callable[[], list[str]]:
    """The platform's way; with a kind, the rules of that kind alone."""
    from ml_assets.ml.validation.expectations import judge

    frame, judged = pq.read_table(path).to_pandas(), rules(kind)
    judge(frame.head(10), judged)  # the import of Great Expectations
    return lambda: [result.status for result in judge(frame, judged)]


def gx_pandas(path: str, kind: str = "") -> Callable[[], list[str]]:
    """Great Expectations with its pandas engine."""
    import great_expectations as gx

    from ml_assets.ml.validation.expectations import expectation_suite, read_results

    frame, judged = pq.read_table(path).to_pandas(), rules(kind)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    definition = context.data_sources.add_pandas("p").add_dataframe_asset("f").add_batch_definition_whole_dataframe("b")

    def work() -> list[str]:
        batch = definition.get_batch({"dataframe": frame})
        found = batch.validate(expectation_suite("rules", judged, frame), result_format="SUMMARY")
        return [result.status for result in read_results(found, judged)]

    return work


def gx_duckdb(path: str) -> Callable[[], list[str]]:
    """Great Expectations with its DuckDB engine, patched so that it works."""
    from benchmarks.gx_sqlalchemy import judge_by_sql, patched

    database = Path(path).with_suffix(".duckdb")
    with duckdb.connect(str(database)) as con:
        con.execute("CREATE OR REPLACE TABLE flights AS FROM read_parquet(?)", [path])

    def work() -> list[str]:
        with patched():
            return [result.status for result in judge_by_sql(database, "flights", rules())]

    return work


_WAYS = {"one DuckDB pass by hand": by_hand, "ours": ours, "GX on DuckDB": gx_duckdb, "GX on pandas": gx_pandas}
_KINDS = ("not_null", "of_type", "between", "in_set", "unique_together", "ordered", "quantile_between", "distribution")


_WHY = """Ours is Great Expectations with the counts of all rules in one DuckDB query (`ml/validation/gx_duckdb.py`).
Not pushed down are quantiles (GX takes another one in SQL than in pandas), the examples of rows that broke a rule,
and columns of mixed values, which SQL would judge otherwise than pandas. A key takes a pass of its own. Whatever the
rows, GX builds some 30 expectations and results in 0.2 CPU seconds: so at 100,000 rows it costs several passes by
hand. GX's own DuckDB engine is not used: it needs a private list patched (gx#10738), sends many queries, and knows
neither our types nor keys with gaps.
"""


def compare(folder: Path, sizes: tuple[int, ...], kinds_on: int, repeats: int) -> str:
    """Both tables, as Markdown."""
    ways, kinds = [], []
    for size in sizes:
        path = folder / f"{size}.parquet"
        make(path, size)
        hand = None
        for way, function in _WAYS.items():
            found = measure(f"benchmarks.validation_cost:{function.__name__}", {"path": str(path)}, repeats)
            hand = hand or found
            ratios = {"x wall": found.wall_s / hand.wall_s, "x CPU": found.cpu_s / hand.cpu_s}
            cost = {"wall s": found.wall_s, "CPU s": found.cpu_s, "peak GB": found.peak_gb}
            ways.append({"rows": size, "way": way, **cost, **ratios})
    for kind in _KINDS:
        given = {"path": str(folder / f"{kinds_on}.parquet"), "kind": kind}
        mine, plain = (measure(f"benchmarks.validation_cost:{each}", given, repeats) for each in ("ours", "gx_pandas"))
        cpu = {"ours CPU s": mine.cpu_s, "GX on pandas CPU s": plain.cpu_s}
        kinds.append({"kind": kind, "rules": len(rules(kind)), **cpu})
    return f"{table(ways)}\nRules of one kind alone, {kinds_on:,} rows:\n\n{table(kinds)}"


def main() -> None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="20k rows, once; nothing is kept")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), (20_000,) if quick else SIZES, 20_000 if quick else 1_000_000, 1 if quick else 3)
    text = f"# Cost of 30 rules\n\n`python -m benchmarks.validation_cost`, on {machine()}.\n\n{found}\n{_WHY}"
    print(text)
    if not quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
