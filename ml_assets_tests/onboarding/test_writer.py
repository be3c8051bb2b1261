"""The written declaration: complete, commented, short, and what the spec takes; on real and on dirty tables."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator
from sklearn import datasets

from ml_assets.components.places import parse_documents
from ml_assets.components.schema import defs_yaml_schema
from ml_assets.onboarding.interview import Said, interview
from ml_assets.onboarding.writer import MAX_LINES, declaration
from ml_assets.onboarding.yaml_text import code_lines, entry, flow, item, note, quote
from ml_assets.spec import Problem, ProblemDeclaration
from ml_assets_tests.onboarding.tables import FLIGHTS, REPOSITORY, TAKE_ALL, opened, shops, to_csv, to_parquet, visits

RETAIL = REPOSITORY / "ml_assets/defs/retail/data/online_retail_ii.parquet"


def _text(path: Path, *, mend_names: bool = False, timezone: str = "UTC", **said: object) -> str:
    with opened(path, mend_names=mend_names, timezone=timezone) as table:
        plan = interview("problem", table, Said(**said), TAKE_ALL)
        reading = table.reading.model_copy(update={"path": "data/table.parquet"})
        return declaration(plan, reading, "# yaml-language-server: $schema=x", path.name)


def _problem(text: str) -> Problem:
    """The problem, once the text satisfies the schema that editors and `dg check yaml` go by."""
    [document] = parse_documents(text, Path("defs.yaml"))
    assert [error.message for error in Draft202012Validator(defs_yaml_schema()).iter_errors(document.value)] == []
    return ProblemDeclaration.model_validate(yaml.safe_load(text)["attributes"]).problem()


def _with_time(load: Callable, folder: Path, rows_per_day: int = 1) -> Path:
    frame = load(as_frame=True).frame
    frame.insert(
        0, "measured_at", pd.Timestamp("2021-01-04") + pd.to_timedelta(np.arange(len(frame)) // rows_per_day, "D")
    )
    return to_parquet(frame, folder)


@pytest.mark.parametrize(
    ("load", "task", "features"),
    [
        (datasets.load_breast_cancer, "binary", 30),
        (datasets.load_wine, "multiclass", 13),
        (datasets.load_diabetes, "regression", 10),
        (datasets.load_iris, "multiclass", 4),
    ],
    ids=["breast cancer", "wine", "diabetes", "iris"],
)
def test_real_tables_of_measurements_become_problems(tmp_path: Path, load: Callable, task: str, features: int) -> None:
    problem = _problem(_text(_with_time(load, tmp_path), mend_names=True))
    assert (problem.task, problem.label.name, len(problem.features)) == (task, "target", features)


def test_the_real_flights_become_a_problem() -> None:
    problem = _problem(_text(FLIGHTS, label="arr_delay", exclude=("arr_time", "air_time")))
    assert (problem.task, problem.cadence.kind, problem.sources[0].event_time) == ("regression", "weekly", "time_hour")
    assert problem.rows.key[:2] == ("tailnum", "time_hour")
    assert {"carrier", "origin", "dest", "distance"} <= set(problem.features)
    assert not {"year", "arr_time", "air_time", "tailnum"} & set(problem.features)


@pytest.mark.skipif(not RETAIL.exists(), reason="the shop's data are not in this tree")
def test_the_real_shop_becomes_a_problem() -> None:
    problem = _problem(_text(RETAIL, label="Quantity"))
    source = problem.sources[0]
    assert (problem.rows.key, problem.cadence.kind) == (("Customer ID", "InvoiceDate", "line"), "monthly")
    assert source.cleaning.exact_duplicates > 0.3  # of December 2010, a third is there twice
    assert "no_key" in source.cleaning.drop


@pytest.mark.parametrize("make", [shops, visits], ids=["panel", "visits"])
@pytest.mark.parametrize("write", [to_parquet, to_csv], ids=["parquet", "csv"])
def test_text_and_parquet_of_one_table_are_the_same_problem(tmp_path: Path, make: Callable, write: Callable) -> None:
    problem = _problem(_text(write(make(), tmp_path)))
    other = _problem(_text(to_parquet(make(), tmp_path, "other.parquet")))
    assert (problem.features, problem.rows, problem.cadence) == (other.features, other.rows, other.cadence)


def test_a_table_of_usual_width_takes_at_most_thirty_lines(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = shops().assign(**{f"reading_{n}": rng.random(3200) for n in range(8)})
    frame.loc[frame.index % 9 == 0, "reading_3"] = np.inf
    assert frame.shape[1] == 15
    path = to_parquet(pd.concat([frame, frame.head(9)]), tmp_path)
    text = _text(path, label="sold")
    assert len(code_lines(text.splitlines())) <= MAX_LINES
    assert len(_problem(text).validation) >= 3
    # When a label is known takes two lines more.
    assert len(code_lines(_text(path, label="sold", known_after_days=30).splitlines())) <= MAX_LINES + 2


def test_every_part_has_a_comment_above_it(tmp_path: Path) -> None:
    lines = _text(to_parquet(visits(), tmp_path)).splitlines()
    parts = ("cadence", "sources", "feature_views", "rows", "label", "split", "validation", "search", "drift")
    for part in parts:
        [number] = [n for n, line in enumerate(lines) if line.startswith(f"  {part}:")]
        assert lines[number - 1].startswith("  # "), part


def test_no_line_is_longer_than_an_editor_is_wide(tmp_path: Path) -> None:
    wide = shops().assign(**{f"a_rather_long_name_of_a_measurement_{n}": np.arange(3200) % 7 for n in range(40)})
    assert max(map(len, _text(to_parquet(wide, tmp_path), label="sold").splitlines())) <= 120


def test_a_label_that_takes_days_is_known_that_much_later(tmp_path: Path) -> None:
    frame = visits().rename(columns={"churned": "churned_90d"})
    problem = _problem(_text(to_parquet(frame, tmp_path)))
    source = problem.sources[0]
    assert problem.label.lookahead_days == 90
    assert source.known_at == {"churned_90d": "label_known_at"}
    assert '"visited_at" + INTERVAL 90 DAY AS label_known_at' in (source.sql or "")
    told = _problem(_text(to_parquet(frame, tmp_path), known_after_days=0))
    assert (told.label.lookahead_days, told.sources[0].sql) == (0, None)


def test_a_positive_class_that_yaml_would_take_for_a_truth_stays_text(tmp_path: Path) -> None:
    frame = visits().assign(churned=lambda f: f["churned"].map({"yes": "on", "no": "off"}))
    assert _problem(_text(to_parquet(frame, tmp_path), positive="on")).label.positive == "on"


@pytest.mark.parametrize("name", ["on", "no", "null", "Date of", "event_timestamp"])
def test_columns_may_be_called_as_yaml_and_sql_would_not_like(tmp_path: Path, name: str) -> None:
    frame = shops().rename(columns={"visitors": name})
    problem = _problem(_text(to_parquet(frame, tmp_path), label="sold"))
    assert (name in problem.features) == (name != "event_timestamp")


def test_a_time_called_as_the_platforms_own_is_renamed_in_the_key(tmp_path: Path) -> None:
    problem = _problem(_text(to_parquet(shops().rename(columns={"day": "event_timestamp"}), tmp_path), label="sold"))
    assert problem.rows.key == ("shop_id", "row_time")
    assert problem.sources[0].key == ("shop_id", "event_timestamp")


def test_text_from_the_file_cannot_leave_its_comment(tmp_path: Path) -> None:
    evil = "x\n  search: {max_trials: 1000}\n#"
    frame = shops().assign(constant=evil).rename(columns={"promo": evil})
    text = _text(to_parquet(frame, tmp_path), label="sold")
    assert _problem(text).search.max_trials == 10
    assert "max_trials: 1000" in text  # it is shown, in a comment


def test_local_times_give_their_zone_to_the_source_too(tmp_path: Path) -> None:
    problem = _problem(_text(to_parquet(shops(), tmp_path), label="sold", timezone="Europe/London"))
    assert (problem.cadence.timezone, problem.sources[0].timezone) == ("Europe/London", "Europe/London")


def test_hours_are_written_as_text(tmp_path: Path) -> None:
    times = pd.date_range("2024-10-26", periods=300, freq="5min")
    frame = pd.DataFrame({"at": times, "x": np.arange(300) % 17, "target": np.arange(300) % 7 / 3})
    text = _text(to_parquet(frame, tmp_path))
    assert "start: '2024-10-26T00:00'" in text
    assert _problem(text).cadence.kind == "hourly"


def test_how_text_is_read_is_written_down(tmp_path: Path) -> None:
    frame = shops().assign(
        region=lambda f: f["region"].replace("north", "Zürich"), day=lambda f: f["day"].dt.strftime("%d.%m.%Y")
    )
    frame["temperature_c"] = frame["temperature_c"].astype("object").where(frame.index % 50 != 0, "n/a")
    with opened(to_csv(frame, tmp_path, sep=";", encoding="latin-1")) as table:
        plan = interview("problem", table, Said(label="sold"), TAKE_ALL)
    assert (table.reading.delimiter, table.reading.encoding, table.reading.nulls[-1]) == (";", "latin-1", "n/a")
    assert plan.profile.columns["day"].time_format == "%d.%m.%Y"


@pytest.mark.parametrize("value", [{"a": 1}, {f"column {n}": "float" for n in range(60)}, [f"v{n}" for n in range(99)]])
def test_an_entry_reads_back_however_long_it_is(value: object) -> None:
    lines = entry("key", value, 6)
    assert yaml.safe_load("\n".join(lines)) == {"key": value}
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("columns", [1, 60], ids=["short", "long"])
def test_an_item_reads_back_however_long_it_is(columns: int) -> None:
    value = {"name": "n", "features": {f"column {n}": "float" for n in range(columns)}}
    lines = item(value, 4)
    assert yaml.safe_load("\n".join(lines)) == [value]
    assert (max(map(len, lines)) <= 120, len(lines) > 1) == (True, columns > 1)


def test_values_read_back_from_flow_style() -> None:
    for value in ("yes", "1.0", "a: b", "", "é", 0.01, True, "2024-01-01", "- x", "{", "#"):
        assert yaml.safe_load(flow([value])) == [value]


def test_comments_are_wrapped_and_quotes_are_printable() -> None:
    assert all(line.startswith("  # ") and len(line) <= 120 for line in note("word " * 80, 2))
    assert quote("a\n\tb\x1b[31m") == "a  b [31m"
    assert len(quote("x" * 500)) == 100
