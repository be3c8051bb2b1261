"""Pages of Data Docs: what Great Expectations found, its suites and the index, as HTML that needs no network.

Rendered by GX's own renderers and templates, but page by page: its site builder reads every stored result and
compiles every template again for each page (0.3 s), and drops the pages of suites that it was not given. Which pages
there are, and how long they are kept, belongs to `gx_runs.py`.
"""

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ml_assets.resources.data_docs_static import offline

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView

INDEX = PurePosixPath("index.html")


@dataclass(frozen=True)
class Run:
    """One validation as the index lists it."""

    suite: str
    name: str
    moment: datetime
    passed: bool

    @property
    def page(self) -> PurePosixPath:
        """Its page, relative to the site; GX's templates count on five levels, so the last two say nothing."""
        return PurePosixPath("validations", *self.suite.split("."), self.name, "latest", "result.html")


def suite_path(suite: str) -> PurePosixPath:
    """Page of a suite, relative to the site."""
    return PurePosixPath("expectations", *suite.split(".")).with_suffix(".html")


def result_page(found: "ExpectationSuiteValidationResult", run: Run) -> str:
    """The page of one validation. Changes `found`: what came from the data is escaped, charts are left out."""
    from great_expectations.core import RunIdentifier
    from great_expectations.render.renderer import ValidationResultsPageRenderer

    found.meta["run_id"] = RunIdentifier(run.name, run_time=run.moment)
    for result in found.results:
        # GX puts values of the frame into its pages as they are, be they markup or script.
        result.result = _escaped({key: part for key, part in result.result.items() if key != "details"})
        result.exception_info = _escaped(result.exception_info)
    return _html(ValidationResultsPageRenderer().render(found), run.page)


def suite_page(suite: "ExpectationSuite") -> str:
    """The page of a suite: its rules, grouped by column."""
    from great_expectations.render.renderer import ExpectationSuitePageRenderer

    return _html(ExpectationSuitePageRenderer().render(suite), suite_path(suite.name))


def index_page(site: str, runs: Iterable[Run]) -> str:
    """The list of validations and suites of a site, newest first."""
    from great_expectations.render.renderer import SiteIndexPageRenderer

    newest = sorted(runs, key=lambda run: run.moment, reverse=True)
    links = {
        "site_name": site,
        "expectations_links": [_suite_link(suite) for suite in sorted({run.suite for run in newest})],
        "validations_links": [_run_link(run) for run in newest],
    }
    return _html(SiteIndexPageRenderer.render(links), INDEX)


def _suite_link(suite: str) -> dict[str, Any]:
    return {"expectation_suite_name": suite, "filepath": quote(str(suite_path(suite)))}


def _run_link(run: Run) -> dict[str, Any]:
    return {
        "expectation_suite_name": run.suite,
        "filepath": quote(str(run.page)),
        "batch_identifier": run.name,
        "validation_success": run.passed,
        "run_time": run.moment,
        "run_name": run.name,
        "asset_name": run.suite,
        "batch_kwargs": {},
        "batch_spec": {},
        "expectation_suite_filepath": str(suite_path(run.suite)),
    }


def _html(document: Any, page: PurePosixPath) -> str:
    text = _view(index=page == INDEX).render(document, show_how_to_buttons=False)
    return offline(text, "../" * len(page.parts) + "_static")


@cache
def _view(*, index: bool) -> "DefaultJinjaIndexPageView | DefaultJinjaPageView":
    """Templates stay compiled, which costs more than filling them in."""
    from great_expectations.render.view import DefaultJinjaIndexPageView, DefaultJinjaPageView

    return DefaultJinjaIndexPageView() if index else DefaultJinjaPageView()


def _escaped(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {_escaped(key): _escaped(value) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_escaped(value) for value in part]
    return html.escape(part, quote=False) if isinstance(part, str) else part
