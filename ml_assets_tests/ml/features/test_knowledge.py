"""The knowledge-time rule: planted leaks are caught by when a value was known, not by how well it predicts."""

import pytest

from ml_assets.errors import LeakageError, NotLandedError
from ml_assets_tests.conftest import WEEK
from ml_assets_tests.flights import Deliveries

VIEWS = (
    "origin_departures",
    "carrier_arrivals",
    "dest_arrivals",
    "route_history",
    "flight_history",
    "aircraft",
    "weather",
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.9])
def test_the_declared_views_know_nothing_of_the_future(landed: Deliveries, view: str, cut: float) -> None:
    computed = landed.view(view, WEEK, cut=cut)
    assert computed.compared > 0
    assert computed.table.num_rows > 0


def test_the_declared_rows_and_labels_know_nothing_of_the_future(landed: Deliveries) -> None:
    assert landed.rows(WEEK).compared > 0
    assert landed.labels(WEEK).compared > 0


def test_the_actual_departure_delay_as_a_request_feature_is_a_leak(landed: Deliveries) -> None:
    sql = landed.problem.rows.sql.replace("distance AS distance_miles", "dep_delay AS distance_miles")
    with pytest.raises(LeakageError, match="rows of 'flights' uses what was not yet known: distance_miles"):
        landed.rows(WEEK, sql=sql)


def test_a_view_that_backdates_the_departure_delay_is_a_leak(landed: Deliveries) -> None:
    sql = """
        SELECT carrier, flight, sched_dep_at - INTERVAL 3 HOUR AS event_timestamp,
               sched_dep_at - INTERVAL 3 HOUR AS known_at, max(dep_delay) AS flight_arr_delay_28d
        FROM flights GROUP BY ALL"""
    with pytest.raises(LeakageError, match=r"flight_history.*flight_arr_delay_28d differ in"):
        landed.view("flight_history", WEEK, sql=sql)


def test_an_average_over_the_whole_window_is_a_leak(landed: Deliveries) -> None:
    sql = """
        SELECT DISTINCT dest, dep_at AS event_timestamp, dep_at AS known_at,
               avg(arr_delay) OVER (PARTITION BY dest) AS dest_arr_delay_6h, 0 AS dest_arr_delay_7d
        FROM flights WHERE dep_at IS NOT NULL"""
    with pytest.raises(LeakageError, match="dest_arr_delay_6h"):
        landed.view("dest_arrivals", WEEK, sql=sql)


def test_a_row_that_exists_only_because_of_what_came_later_is_a_leak(landed: Deliveries) -> None:
    sql = landed.problem.rows.sql.replace("WHERE", "WHERE arr_delay IS NOT NULL AND")
    with pytest.raises(LeakageError, match="carrier differ in"):
        landed.rows(WEEK, sql=sql)


def test_a_label_that_claims_to_be_known_at_departure_is_a_leak(landed: Deliveries) -> None:
    sql = landed.problem.label.sql.replace("arr_at AS known_at", "sched_dep_at AS known_at")
    with pytest.raises(LeakageError, match="label of 'flights' uses what was not yet known"):
        landed.labels(WEEK, sql=sql)


def test_a_hole_in_the_history_is_named_instead_of_computed_around(landed: Deliveries) -> None:
    hole = landed.lake.source(landed.problem, "flights", "2013-01-28")
    moved = hole.rename(hole.with_suffix(".away"))
    try:
        with pytest.raises(NotLandedError, match="Source 'flights' is not materialised for 2013-01-28"):
            landed.view("route_history", WEEK)
    finally:
        moved.rename(hole)
