"""Single values: what text means as a number, a truth or a time, and which instant a clock reading is."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_assets.ml.features.query import connect
from ml_assets.ml.landing import parsing
from ml_assets.spec import ColumnType, Csv, Source


def _parsed(values: pa.Array, kind: ColumnType, zone: str = "UTC", form: str | None = None) -> list:
    read = Csv(kind="csv", path="x.csv", timestamp_format=form)
    source = Source(name="x", read=read, columns={"x": kind}, timezone=zone)
    value = parsing.value(source, "x", kind, values.type)
    con = connect()
    con.register("given", pa.table({"x": values}))
    return [row[0] for row in con.sql(f'SELECT "value:x" FROM {parsing.with_values("given", {"x": value})}').fetchall()]


@pytest.mark.parametrize(
    ("kind", "text", "means"),
    [
        ("int64", "1234", 1234),
        ("int64", " 7 ", 7),
        ("int64", "\t-7\n", -7),
        ("int64", "+7", 7),
        ("int64", "1e3", 1000),
        ("int64", "1.0", 1),
        ("int64", "9223372036854775807", 2**63 - 1),
        ("int64", "9223372036854775808", None),
        ("int64", "1.5", None),
        ("int64", "1_000", None),
        ("int64", "0x10", None),
        ("int64", "inf", None),
        ("int64", "", None),
        ("float64", "1234", 1234.0),
        ("float64", " -.5e-3", -0.0005),
        ("float64", "5.", 5.0),
        ("float64", "Infinity", float("inf")),
        ("float64", "1,5", None),
        ("float64", "12 GBP", None),
        ("bool", "true", True),
        ("bool", "Yes", True),
        ("bool", " 1", True),
        ("bool", "FALSE", False),
        ("bool", "no", False),
        ("bool", "0", False),
        ("bool", "2", None),
        ("string", " as it is ", " as it is "),
    ],
)
def test_text_is_parsed_as_declared(kind: ColumnType, text: str, means: object) -> None:
    assert _parsed(pa.array([text]), kind) == [means]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        pytest.param("2020-03-29T01:30:00+01:00", datetime(2020, 3, 29, 0, 30), id="an offset"),
        pytest.param("2020-03-29 01:30:00 -0530", datetime(2020, 3, 29, 7, 0), id="an offset after a blank"),
        pytest.param("2020-03-29T01:30:00.25Z", datetime(2020, 3, 29, 1, 30, 0, 250_000), id="UTC"),
        pytest.param("2020-07-01T12:00", datetime(2020, 7, 1, 11), id="none, in summer"),
        pytest.param("2020-01-01 12:00:00", datetime(2020, 1, 1, 12), id="none, in winter"),
        pytest.param(" 2020-07-01 ", datetime(2020, 6, 30, 23), id="a day, from its local midnight"),
        pytest.param("2020-10-25T01:30:00", datetime(2020, 10, 25, 0, 30), id="a repeated hour: the first"),
        pytest.param("2020-03-29T01:30:00", datetime(2020, 3, 29, 1, 30), id="a skipped hour: moved on"),
        pytest.param("2020-02-30", None, id="no such day"),
        pytest.param("01/02/2020", None, id="another format"),
        pytest.param("now", None, id="a word that some databases know"),
        pytest.param("infinity", None, id="a time that never comes"),
        pytest.param("2020-03-29T01:30:00 Europe/Paris", None, id="the name of a zone"),
    ],
)
def test_times_in_text_keep_their_offset_or_have_the_sources_clock(text: str, means: datetime | None) -> None:
    assert _parsed(pa.array([text]), "timestamp", "Europe/London") == [means and means.replace(tzinfo=UTC)]


def test_a_declared_format_is_kept_to() -> None:
    texts = pa.array(["29/03/2020 12:30", "2020-03-29 12:30", "3/29/2020 12:30"])
    [first, *others] = _parsed(texts, "timestamp", "Europe/London", "%d/%m/%Y %H:%M")
    assert (first, others) == (datetime(2020, 3, 29, 11, 30, tzinfo=UTC), [None, None])


def test_a_declared_format_may_hold_an_offset() -> None:
    texts = pa.array(["29/03/2020 12:30 +0530", "29/03/2020 12:30"])
    found = _parsed(texts, "timestamp", "Europe/London", "%d/%m/%Y %H:%M %z")
    assert found == [datetime(2020, 3, 29, 7, 0, tzinfo=UTC), None]


@pytest.mark.parametrize(
    "kind",
    [pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us"), pa.timestamp("ns"), pa.date32(), pa.date64()],
    ids=str,
)
def test_times_without_offset_of_every_unit_have_the_sources_clock(kind: pa.DataType) -> None:
    assert _parsed(pa.array([datetime(2020, 7, 1)], pa.timestamp("s")).cast(kind), "timestamp", "Europe/London") == [
        datetime(2020, 6, 30, 23, tzinfo=UTC)
    ]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_times_with_an_offset_keep_their_instant(unit: str, zone: str) -> None:
    moment = datetime(2020, 7, 1, 12, tzinfo=UTC)
    assert _parsed(pa.array([moment], pa.timestamp(unit, tz=zone)), "timestamp", "Europe/London") == [moment]


ZONES = [
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(ZONES), st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)), min_size=1))
def test_local_times_are_the_instants_that_python_takes_them_for(zone: str, clocks: list[datetime]) -> None:
    expected = [clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for clock in clocks]
    assert _parsed(pa.array(clocks, pa.timestamp("us")), "timestamp", zone) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_every_quarter_of_an_hour_of_a_year_is_told_as_python_tells_it(zone: str) -> None:
    clocks = [datetime(2011, 1, 1) + timedelta(minutes=15 * n) for n in range(365 * 96)]
    zoned = [clock.replace(tzinfo=ZoneInfo(zone)) for clock in clocks]
    con = connect()
    con.register("given", pa.table({"x": pa.array(clocks, pa.timestamp("us"))}))
    found = con.sql(
        f"SELECT {parsing.instant('x', zone)}, {parsing.is_ambiguous('x', zone)}, {parsing.is_nonexistent('x', zone)} "
        "FROM given"
    ).fetchall()
    first, second = ([each.replace(fold=fold).utcoffset() for each in zoned] for fold in (0, 1))
    assert [row[0] for row in found] == [each.astimezone(UTC) for each in zoned]
    # A repeated hour has a larger offset at first (PEP 495), a skipped one a smaller.
    assert [row[1] for row in found] == [a > b for a, b in zip(first, second, strict=True)]
    assert [row[2] for row in found] == [a < b for a, b in zip(first, second, strict=True)]


def test_offsets_of_one_column_may_differ_from_row_to_row() -> None:
    moment = datetime(2020, 3, 29, 0, 30, tzinfo=UTC)
    zones = [timezone(timedelta(hours=hours)) for hours in (-8, 0, 1, 5.5, 14)]
    texts = pa.array([moment.astimezone(zone).isoformat() for zone in zones])
    assert _parsed(texts, "timestamp", "Asia/Tokyo") == [moment] * 5
