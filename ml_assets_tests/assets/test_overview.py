"""The page from a real instance, ledger and drift records; the sensor that keeps it up to date."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.alerts.outbox import Outbox
from ml_assets.assets import keys
from ml_assets.assets.overview import PAGE, build_overview, refresh
from ml_assets.assets.overview_facts import collect
from ml_assets.automation.refreshing import build_overview_sensor
from ml_assets.ml.monitoring.alerting import Alert
from ml_assets.ml.monitoring.overview.data import Cell, Overview
from ml_assets.ml.windows import window_of
from ml_assets.resources.lake import Lake
from ml_assets.spec import Alerts
from ml_assets_tests.alerts.desk import Desk
from ml_assets_tests.alerts.example import content
from ml_assets_tests.flights import flights

FIRST = "2013-04-29"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    problem = flights().model_copy(update={"alerts": Alerts(to=("ann@example.com",))})
    with dg.DagsterInstance.ephemeral() as instance:
        desk = Desk(problem, tmp_path, instance, port=1)
        desk.decide(1, FIRST, promoted=True)
        yield desk


def _week(number: int) -> str:
    return window_of(flights().cadence, FIRST).shift(number).key


def _judge(desk: Desk, number: int, *, passed: bool = True) -> None:
    desk.judge("model_quality", _week(number), passed=passed, text="rmse", error=40.0, held_out=39.0, rows=6000)
    desk.judge("data_drift", _week(number), passed=True, text="Not judged: 3 rows < 1,000.")
    desk.report(_week(number))
    columns = [
        {"column": "temp_f", "distance": 0.45, "threshold": 0.3, "drifted": True},
        {"column": "dep_hour", "distance": None, "threshold": 0.3, "drifted": None},
    ]
    record = desk.home / "reports" / "flights" / "drift" / f"{_week(number)}.json"
    record.write_text(json.dumps({"features": columns}))


def _lake(desk: Desk) -> Lake:
    return Lake(root=str(desk.home / "lake"), landing=str(desk.home / "landing"))


def _collect(desk: Desk) -> Overview:
    return collect(desk.problem, desk.instance, _lake(desk), desk.ledger, desk.reports)


def _tick(desk: Desk, cursor: str | None = None) -> dg.SensorResult:
    resources = {"ledger": desk.ledger, "reports": desk.reports, "lake": _lake(desk)}
    context = dg.build_sensor_context(instance=desk.instance, cursor=cursor, resources=resources)
    result = build_overview_sensor(desk.problem)(context)
    assert isinstance(result, dg.SensorResult)
    return result


def test_what_happened_is_collected_from_where_it_is_kept(desk: Desk) -> None:
    for number in (0, 1, 3):
        _judge(desk, number, passed=number != 3)
    desk.train(_week(4), fails=True)
    alert = Alert("checks_failed", "incident 1: checks failed", 1, ("model_quality",), _week(3), _week(3))
    outbox = Outbox(desk.ledger.url)
    now = outbox.began("flights", desk.instance.get_run_records(limit=1)[0].create_timestamp)
    outbox.put("flights", alert, content(points=()), desk.problem.alerts.receivers, now)
    found = _collect(desk)
    assert found.columns == tuple(_week(number) for number in range(5))
    assert set(found.windows) == {_week(0), _week(1), _week(3)}
    last = found.windows[_week(3)]
    assert (last.error, last.held_out, last.rows, last.failed) == (40.0, 39.0, 6000, ("model_quality",))
    assert [mark.passed for mark in last.marks] == [None, False]
    assert last.cells == {"temp_f": Cell(pytest.approx(1.5), True), "dep_hour": Cell(None, None)}
    assert last.report == f"drift/{_week(3)}.html"
    assert [(each.cutoff, each.state) for each in found.trainings] == [(_week(4), "failed")]
    assert [(each.window, each.outcome) for each in found.notices] == [(_week(3), "1 queued")]
    assert [row.version for row in found.decisions] == [1]


def test_the_sensor_writes_what_is_new_once_and_says_so_in_the_graph(desk: Desk) -> None:
    _judge(desk, 0)
    first = _tick(desk)
    [event] = first.asset_events
    assert isinstance(event, dg.AssetMaterialization)
    assert event.asset_key == keys.stage(desk.problem, "overview")
    page = desk.home / "reports" / "flights" / PAGE
    assert event.metadata["page"].value == f"{desk.reports.url}/flights/{PAGE}"
    assert f'data-window="{_week(0)}"' in page.read_text()
    assert "flights/index.html" in (desk.home / "reports" / PAGE).read_text()
    again = _tick(desk, first.cursor)
    assert (again.asset_events, str(again.skip_reason.skip_message)) == ([], "Nothing is new.")
    _judge(desk, 1)
    assert len(_tick(desk, first.cursor).asset_events) == 1
    assert f'data-window="{_week(1)}"' in page.read_text()


def test_a_change_of_production_without_a_run_is_shown(desk: Desk) -> None:
    _judge(desk, 0)
    cursor = _tick(desk).cursor
    desk.decide(2, _week(1), promoted=True)
    assert len(_tick(desk, cursor).asset_events) == 1


def test_runs_of_other_problems_change_nothing(desk: Desk) -> None:
    _judge(desk, 0)
    cursor = _tick(desk).cursor

    @dg.job
    def other() -> None:
        pass

    other.execute_in_process(instance=desk.instance)
    result = _tick(desk, cursor)
    assert (result.asset_events, result.cursor == cursor) == ([], False)


def test_the_same_state_is_the_same_page(desk: Desk) -> None:
    _judge(desk, 0)
    arguments = (desk.problem, desk.instance, _lake(desk), desk.ledger, desk.reports)
    assert [refresh(*arguments).changed for _ in range(2)] == [True, False]


def test_the_asset_writes_the_page_when_it_is_materialised(desk: Desk) -> None:
    _judge(desk, 0)
    resources = {"ledger": desk.ledger, "reports": desk.reports, "lake": _lake(desk)}
    done = dg.materialize([build_overview(desk.problem)], instance=desk.instance, resources=resources)
    assert done.success
    assert (desk.home / "reports" / "flights" / PAGE).is_file()
