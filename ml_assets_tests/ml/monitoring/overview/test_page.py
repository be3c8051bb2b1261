"""The page as text: the same for the same values, complete, safe, and nothing from anywhere else."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from ml_assets.ml.monitoring.overview.data import Cell, Mark, Notice, WindowFacts
from ml_assets.ml.monitoring.overview.front import Summary, front_page
from ml_assets.ml.monitoring.overview.page import overview_page
from ml_assets_tests.flights import flights
from ml_assets_tests.ml.monitoring.overview.example import DAGSTER, MLFLOW, decision, key, overview, window

HOSTILE = '"><script>alert(1)</script>&amp;'


class _Elements(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def values(self, name: str) -> Iterator[tuple[str, str]]:
        """(element, value) of an attribute."""
        return ((tag, attributes[name]) for tag, attributes in self.found if name in attributes)


def test_the_same_values_are_the_same_page() -> None:
    assert overview_page(overview()) == overview_page(overview())


def test_every_window_and_every_version_is_there_with_its_links() -> None:
    found = overview()
    page = _Elements(overview_page(found))
    assert [value for _, value in page.values("data-window")][1:] == [each.key for each in reversed(found.judged)]
    assert [value for _, value in page.values("data-decision")] == ["3", "2", "1"]
    links = {value for _, value in page.values("href")}
    for place in range(26):
        assert {f"drift/{key(place)}.html", f"{DAGSTER}/runs/run-of-{place}"} <= links
    assert {f"{MLFLOW}/#/models/flights/versions/1", f"{MLFLOW}/#/models/flights/versions/3"} <= links
    assert {f"{DAGSTER}/runs/run-a", f"{DAGSTER}/runs/run-b", "../index.html"} <= links


def test_nothing_is_fetched_from_anywhere() -> None:
    text = overview_page(overview())
    page = _Elements(text)
    assert [value for _, value in page.values("src")] == []
    fetched = [value for tag, value in page.values("href") if tag != "a"]
    assert fetched == ["data:,"]
    for value in re.findall(r"""["'(](?:https?:)?//[^"')]+""", text):
        assert value[1:].startswith((DAGSTER, MLFLOW, "http://www.w3.org/2000/svg")), value
    assert "@import" not in text
    assert "url(" not in text


def test_names_and_texts_from_outside_are_escaped() -> None:
    hostile = replace(
        window(2),
        marks=(Mark("data_drift", False, HOSTILE),),
        cells={HOSTILE: Cell(1.0, True)},
        run=HOSTILE,
        report=HOSTILE,
    )
    problem = flights().model_copy(update={"description": HOSTILE, "features_from": None})
    found = overview(problem)
    found = replace(
        found,
        windows={**found.windows, key(2): hostile},
        decisions=(decision(1, 0, reason=HOSTILE, cause=HOSTILE, user=HOSTILE, by=HOSTILE),),
        trainings=(replace(found.trainings[0], cause=HOSTILE, run=HOSTILE, windows=(HOSTILE,)),),
        notices=(Notice(key(3), "rejected", HOSTILE, "2026-11-22T09:00:00+00:00", HOSTILE),),
        importance={HOSTILE: 0.5},
    )
    text = overview_page(found)
    assert "<script>alert" not in text
    assert [tag for tag, _ in _Elements(text).found].count("script") == 2  # the distances, and our own
    assert "<script>alert" not in front_page([replace(Summary.of(found), sentence=HOSTILE, name=HOSTILE)])


def test_a_year_of_weeks_is_small() -> None:
    assert len(overview_page(overview(weeks=53)).encode()) < 300_000


@pytest.mark.parametrize(
    "bare",
    [
        pytest.param({"columns": (), "windows": {}, "decisions": (), "trainings": (), "notices": ()}, id="nothing at all"),
        pytest.param({"windows": {}}, id="nothing judged"),
        pytest.param({"importance": {}, "intervals": {}}, id="no importance and no interval"),
        pytest.param({"windows": {key(0): WindowFacts(key(0))}}, id="a window of which nothing is known"),
        pytest.param({"windows": {key(n): window(n, error=None) for n in range(3)}}, id="labels come later"),
        pytest.param({"windows": {key(n): window(n, error=0.0, held_out=0.0) for n in range(3)}}, id="no error at all"),
        pytest.param({"dagster_url": "", "mlflow_url": ""}, id="no other UI"),
    ],
)  # fmt: skip
def test_what_is_not_known_leaves_no_trace(bare: dict[str, object]) -> None:
    text = overview_page(overview(**bare))
    for word in ("None", "nan", "inf<"):
        assert f">{word}" not in text
        assert f'"{word}' not in text


def test_a_failed_check_is_told_by_shape_and_word_and_not_by_colour_alone() -> None:
    found = overview()
    text = overview_page(found)
    assert text.count("model_quality failed</em>") == 3
    assert text.count('class="badpoint"') == 3 + 1  # and in the legend
    assert 'class="cross"' in text


def test_features_that_count_come_first_and_the_important_ones_on_top() -> None:
    names = re.findall(r'<div class="row"[^>]*>(?:<i[^>]*></i>)?<span>([^<]+)</span>', overview_page(overview()))
    ignored = set(flights().drift.ignore)
    counted = [name for name in sorted(flights().features) if name not in ignored]
    assert names == [*counted, *(name for name in sorted(flights().features) if name in ignored)]


def test_the_front_page_shows_what_needs_attention_first() -> None:
    good, bad = overview(), overview()
    bad = replace(bad, windows={**bad.windows, key(25): window(25, "model_quality", error=60.0)})
    summaries = [replace(Summary.of(good), name="churn"), replace(Summary.of(bad), name="flights")]
    page = front_page(summaries)
    assert page.index('href="flights/index.html"') < page.index('href="churn/index.html"')
    assert [Summary.read(each.as_json()) for each in summaries] == summaries
