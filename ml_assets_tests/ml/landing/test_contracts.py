"""Bad deliveries: each is refused by its own name, and what had landed stays."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ml_assets import errors
from ml_assets_tests.conftest import WEEK
from ml_assets_tests.flights import Deliveries

Change = Callable[[pa.Table], pa.Table]


def _replace(column: str, row: int, value: object) -> Change:
    def change(table: pa.Table) -> pa.Table:
        values = table.column(column).to_pylist()
        values[row] = value
        index = table.column_names.index(column)
        return table.set_column(index, column, pa.array(values, table.schema.field(column).type))

    return change


def _as_text(column: str) -> Change:
    def change(table: pa.Table) -> pa.Table:
        index = table.column_names.index(column)
        return table.set_column(index, column, table.column(column).cast(pa.string()))

    return change


def _without_two_days(table: pa.Table) -> pa.Table:
    hour = table.column("time_hour")
    first = pc.min(hour).as_py()
    gone = pc.and_(
        pc.greater(hour, pa.scalar(first.replace(day=6), hour.type)),
        pc.less(hour, pa.scalar(first.replace(day=8), hour.type)),
    )
    return table.filter(pc.or_(pc.invert(gone), pc.not_equal(table.column("origin"), "JFK")))


def _other_week(table: pa.Table) -> pa.Table:
    index = table.column_names.index("time_hour")
    later = pc.add(table.column("time_hour"), pa.scalar(7 * 86_400_000_000, pa.duration("us")))
    return table.set_column(index, "time_hour", later)


@pytest.mark.parametrize(
    ("source", "change", "error", "says"),
    [
        pytest.param(
            "flights",
            lambda t: t.drop_columns(["tailnum"]),
            errors.MissingColumnError,
            "tailnum",
            id="a missing column",
        ),
        pytest.param(
            "flights",
            _as_text("distance"),
            errors.ChangedTypeError,
            "'distance' is string, declared as int64",
            id="a changed type",
        ),
        pytest.param("flights", lambda t: t.slice(0, 0), errors.EmptyDeliveryError, "no rows", id="an empty week"),
        pytest.param(
            "flights",
            lambda t: pa.concat_tables([t, t]),
            errors.DuplicateRowsError,
            "delivered twice",
            id="a week delivered twice",
        ),
        pytest.param(
            "flights", _other_week, errors.OutsideWindowError, "outside the window", id="another week under this name"
        ),
        pytest.param("weather", _without_two_days, errors.GapError, "of JFK for 48 hours", id="a weather gap"),
        pytest.param(
            "flights",
            _replace("carrier", 0, "ZZ"),
            errors.UnknownReferenceError,
            "carrier ZZ in 1 rows",
            id="an unknown carrier",
        ),
        pytest.param(
            "flights",
            _replace("dest", 0, "QQQ"),
            errors.UnknownReferenceError,
            "dest QQQ in 1 rows",
            id="an unknown airport",
        ),
    ],
)
def test_a_bad_delivery_is_refused_by_name_and_what_had_landed_stays(
    delivered: Deliveries, source: str, change: Change, error: type[Exception], says: str
) -> None:
    good = delivered.land(source, WEEK)
    path = delivered.lake.source(delivered.problem, source, WEEK)
    before = path.read_bytes()
    delivered.change(source, WEEK, change(pq.read_table(delivered.file(source, WEEK))))
    with pytest.raises(error, match=says):
        delivered.land(source, WEEK)
    assert path.read_bytes() == before
    delivered.deliver(WEEK)  # the right file heals it
    assert delivered.land(source, WEEK).equals(good)


def test_a_truncated_file_is_refused(delivered: Deliveries) -> None:
    path = delivered.file("flights", WEEK)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(errors.UnreadableDeliveryError, match="truncated"):
        delivered.land("flights", WEEK)


def test_a_file_that_was_not_delivered_is_named(delivered: Deliveries) -> None:
    delivered.file("flights", WEEK).unlink()
    with pytest.raises(errors.MissingDeliveryError, match="put the file at"):
        delivered.land("flights", WEEK)


def test_an_additional_column_is_left_out(delivered: Deliveries) -> None:
    table = pq.read_table(delivered.file("flights", WEEK))
    delivered.change("flights", WEEK, table.append_column("gate", pa.array(["B7"] * table.num_rows)))
    assert "gate" not in delivered.land("flights", WEEK).column_names


def test_arrivals_are_instants_and_not_local_clocks(delivered: Deliveries) -> None:
    flights = delivered.land("flights", WEEK).to_pandas()
    flown = flights.dropna(subset=["arr_at", "air_time"])
    minutes = (flown["arr_at"] - flown["dep_at"]).dt.total_seconds() / 60
    on_ground = minutes - flown["air_time"]  # taxiing out and in; a wrong time zone would be off by hours
    assert on_ground.between(5, 240).all()


def test_landing_twice_gives_the_same_bytes(delivered: Deliveries) -> None:
    path = delivered.lake.source(delivered.problem, "flights", WEEK)
    delivered.land("flights", WEEK)
    first = path.read_bytes()
    delivered.land("flights", WEEK)
    assert path.read_bytes() == first
