"""The page of a profile: everything in one file, nothing of the data unescaped, each column with its figures."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from ml_assets.ml.validation.profiling import learn_rules, summarize
from ml_assets.profiling.page import profile_page
from ml_assets_tests.ml.validation.profiling.test_learning import reference

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def _page(frame: pd.DataFrame) -> str:
    rules = learn_rules(frame)
    found = summarize(frame)
    return profile_page("Title <b>", "10 weeks", found, rules, parts=["p<1>"] * 10, part_word="weeks", written="Here.")


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "rect", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


def test_every_column_has_a_card_with_its_figures() -> None:
    page = _page(reference())
    tags = _Tags(page)
    assert tags.open == []
    cards = [attributes["id"] for tag, attributes in tags.seen if attributes.get("class") == "card"]
    assert len(cards) == len(reference().columns)
    links = [attributes["href"] for tag, attributes in tags.seen if tag == "a"]
    assert [link.removeprefix("#") for link in links] == cards
    assert "missing by week, at most" in page
    assert page.count('class="critical"') > 10


def test_it_needs_no_script_and_nothing_from_elsewhere() -> None:
    page = _page(reference())
    assert not re.search(r"<script|<link|src=|url\(|@import|https?://", page)


def test_nothing_of_the_data_is_taken_for_markup() -> None:
    frame = pd.DataFrame({EVIL: [EVIL, "b"] * 100, "plain": [EVIL, "c", "d", "e"] * 50})
    tags = {tag for tag, _ in _Tags(_page(frame)).seen}
    assert not tags & {"script", "img", "b<"}


def test_a_table_without_rows_or_values_has_a_page() -> None:
    assert "no values" in _page(pd.DataFrame({"x": [np.nan] * 5, "y": [None] * 5}))
    assert "<h1>" in _page(pd.DataFrame({"x": pd.Series([], dtype=float)}))
    assert "<h1>" in _page(pd.DataFrame({"x": [[1], [2]] * 60, "inf": [np.inf] * 120}))
