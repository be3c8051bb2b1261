"""What a person sees: Dagster's pages and the reports, in a real headless Chromium over a real, small state."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
import requests

from ml_assets import servers
from ml_assets.assets import keys
from ml_assets.demo.dagster_api import DagsterApi
from ml_assets.resources.settings import Settings
from ml_assets_tests.scenario import CUTOFF, WEEKS, Scenario, small_flights

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="CHROMIUM IS MISSING: install Debian's chromium and chromium-driver to look at the UI",
    ),
]
LINEAGE = "/locations/ml_assets/asset-groups/flights/lineage"

WEATHER = keys.features(small_flights(), "weather")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which four weeks were landed, one version trained and one week scored; ports of its own.

    Then one window of a view was computed by another version than the declared one.
    """
    home = tmp_path_factory.mktemp("ui")
    ports = {"DAGSTER": "3170", "MLFLOW": "3171", "REPORTS": "3172"}
    environment = {f"ML_ASSETS_{name}_PORT": port for name, port in ports.items()}
    found = Settings.from_environment({"ML_ASSETS_HOME": str(home), **environment}, home)
    servers.prepare_home(found)
    with dg.DagsterInstance.from_config(str(found.dagster_home)) as instance:
        scenario = Scenario(small_flights(), home, instance, reports_url=found.reports_url)
        for week in (*WEEKS, CUTOFF):
            scenario.deliveries.deliver(week)
        problem = scenario.problem
        assert scenario.run(keys.feature_store_job(problem)).success
        for week in WEEKS:
            assert scenario.run(keys.landing_job(problem), week).success
        assert scenario.run(keys.training_job(problem), CUTOFF).success
        assert scenario.run(keys.window_job(problem), CUTOFF).success
        weather = problem.view("weather")
        changed = weather.model_copy(update={"sql": f"{weather.sql}\n-- another version"})
        views = tuple(changed if view is weather else view for view in problem.feature_views)
        formerly = Scenario(problem.model_copy(update={"feature_views": views}), home, instance)
        assert formerly.run(keys.landing_job(problem), WEEKS[0], asset_selection=[WEATHER]).success
    return found


@pytest.fixture(scope="module")
def backfill(settings: Settings) -> Iterator[str]:
    """The servers over that home, and a backfill that the daemon ran there."""
    with (
        pytest.MonkeyPatch.context() as patch,
        servers.dagster(settings) as dagster,
        servers.report_server(settings) as reports,
        dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance,
    ):
        patch.setenv("ML_ASSETS_HOME", str(settings.home))
        api = DagsterApi(settings.dagster_url, instance)
        reports.wait(lambda: servers.answers(settings.reports_port), timeout_s=30)
        dagster.wait(api.answers, timeout_s=120)
        made = api.launch_backfill([keys.stage(small_flights(), "labels")], WEEKS[:2], "Two weeks of labels")
        run = api.run_of_backfill(made, timeout_s=120)
        assert api.wait_for_run(run, timeout_s=120) == "SUCCESS"
        yield made


@pytest.fixture(scope="module")
def driver(backfill: str, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Chrome]":
    """A browser."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync", "window-size=3200,3400", f"user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def show(driver: "Chrome") -> Callable[..., str]:
    """Opens an address, waits for texts, and returns all text; broken pictures and error pages fail."""

    def show(url: str, *texts: str) -> str:
        driver.get(url)
        deadline, body = time.monotonic() + 60, ""
        while time.monotonic() < deadline:
            body = str(driver.execute_script("return document.body ? document.body.innerText : ''"))
            if all(text in body for text in texts):
                break
            time.sleep(0.5)
        missing = [text for text in texts if text not in body]
        assert not missing, f"{url} lacks {missing}; it shows: {body[:2000]}"
        assert "An unexpected error" not in body
        broken = driver.execute_script(
            "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        )
        assert broken == []
        return body

    return show


def test_the_lineage_graph_names_every_stage_in_full(show: Callable[..., str], settings: Settings) -> None:
    stages = ("dataset", "tuned_model", "registered_version", "predictions", "quality", "drift_report")
    views = tuple(view.name for view in small_flights().feature_views)
    show(settings.dagster_url + LINEAGE, *stages, *views)


def test_an_assets_page_shows_its_numbers(show: Callable[..., str], settings: Settings) -> None:
    show(f"{settings.dagster_url}/assets/flights/quality?view=overview", "rmse", "mae", "error_ratio", "calibration")


def test_each_column_of_a_training_set_says_where_it_comes_from(show: Callable[..., str], settings: Settings) -> None:
    show(
        f"{settings.dagster_url}/assets/flights/dataset?view=overview",
        "features/weather, from weather.temp",
        "features/carrier_arrivals, from flights.arr_delay; rows by flights.arr_at, flights.carrier",
        "labels, from flights.arr_delay",
    )
    show(
        f"{settings.dagster_url}/assets/flights/sources/flights?view=overview", "delivered.minute, delivered.time_hour"
    )
    prediction = "By the model version, from "
    show(f"{settings.dagster_url}/assets/flights/predictions?view=overview", prediction, "features that its trees use")


def test_a_window_of_another_version_of_its_view_is_marked(show: Callable[..., str], settings: Settings) -> None:
    page = f"{settings.dagster_url}/assets/{'/'.join(WEATHER.path)}?view=partitions&partition="
    show(page + WEEKS[0], "Unsynced (1)")
    assert "Unsynced" not in show(page + WEEKS[1], f"{WEEKS[1]}\nMaterialized", "rows_checked_for_leaks")


def test_the_checks_page_shows_verdicts_and_links_the_report(show: Callable[..., str], settings: Settings) -> None:
    body = show(
        f"{settings.dagster_url}/assets/flights/drift_report?view=checks",
        "data_drift",
        "prediction_drift",
        "target_drift",
        settings.reports_url,
    )
    link = next(word for word in body.split() if word.startswith(settings.reports_url))
    assert requests.get(link, timeout=30).status_code == 200


def test_a_backfills_page_shows_that_it_is_done(show: Callable[..., str], settings: Settings, backfill: str) -> None:
    show(f"{settings.dagster_url}/runs/b/{backfill}", "flights / labels", "100% completed")


def test_the_problems_page_opens_from_dagster_and_fetches_nothing(
    show: Callable[..., str], driver: "Chrome", settings: Settings
) -> None:
    page = f"{settings.reports_url}/flights/index.html"
    asset = f"{settings.dagster_url}/assets/flights/overview?view=overview"
    show(asset, page, "Version 1 is in production")  # written by the sensor, in the daemon
    driver.find_element("css selector", f'a[href="{page}"]')
    driver.get_log("browser")  # what came before is not the page's
    body = show(page, "Version 1 is in production", f"Window {CUTOFF}", "model_quality", "temp_f")
    assert driver.execute_script("return performance.getEntriesByType('resource').map(each => each.name)") == []
    assert driver.get_log("browser") == []
    assert driver.find_elements("css selector", ".names .title")
    assert driver.find_element("css selector", "#inspector dl").text.startswith("version\nversion 1")
    assert f"Window {CUTOFF}\n" in body
    show(f"{settings.reports_url}/", "All problems", "flights")


def test_evidentlys_report_opens(show: Callable[..., str], settings: Settings) -> None:
    show(
        f"{settings.reports_url}/flights/drift/{CUTOFF}.html",
        f"flights: window {CUTOFF} against version 1",
        "prediction",
    )


def test_the_data_docs_open(show: Callable[..., str], settings: Settings) -> None:
    [page] = Path(settings.reports, "data_docs").rglob(f"cutoff-{CUTOFF}/**/*.html")
    address = f"{settings.reports_url}/{page.relative_to(settings.reports)}"
    show(address, "arr_delay", "Succeeded")
