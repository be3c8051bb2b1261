"""Data Docs: a frame is judged by its rules, and what Great Expectations found becomes a page.

Here belongs what a stage of the graph calls. What a rule finds stands in `ml.validation.expectations`, which rows are
set aside in `ml.validation.quarantine`; how pages look in `gx_pages.py`, which are kept in `gx_runs.py`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import Field

from ml_assets.errors import DataDocsPageError, RunNameError
from ml_assets.ml.validation.expectations import RuleResult, expectation_suite
from ml_assets.ml.validation.quarantine import Examined, examine
from ml_assets.resources.gx_pages import Run, result_page, suite_page, suite_path
from ml_assets.resources.gx_runs import Site
from ml_assets.spec import Severity, ValidationRule


@dataclass(frozen=True)
class ValidationReport:
    """The outcome of one validation.

    `examined` says what the rules found and which rows are set aside; `page` is its Data Docs page, relative to the
    resource's root.
    """

    examined: Examined
    page: str

    @property
    def results(self) -> tuple[RuleResult, ...]:
        """What each rule found, in the order of the rules."""
        return self.examined.results

    @property
    def passed(self) -> bool:
        """Whether no critical rule failed or errored."""
        return not self.examined.blocked

    def failed(self, severity: Severity) -> tuple[RuleResult, ...]:
        """Rules of that severity that failed, or that could not be judged."""
        return tuple(r for r in self.results if r.severity == severity and r.status != "passed")


class DataDocs(dg.ConfigurableResource):
    """Validations by Great Expectations, each with a page to look at."""

    root: str = Field(description="Folder of the Data Docs; each problem's site is in `<root>/<problem>`.")
    kept_runs: int = Field(
        default=100, ge=1, description="Newest validations that each suite keeps; older results and pages are deleted."
    )

    def validate(  # type: ignore[override]  # pydantic's v1 class method of that name is not used here
        self,
        *,
        problem: str,
        run_name: str,
        frame: pd.DataFrame,
        rules: Sequence[ValidationRule],
        suite: str | None = None,
    ) -> ValidationReport:
        """Judge a frame by the rules, and publish the page.

        A run name that was validated before is replaced: its page keeps its address.

        Args:
            problem: Whose site the page belongs to: a problem or a feature set.
            run_name: What is validated, e.g. the training cutoff `2013-04-01`.
            frame: (n_rows, n_columns); not changed.
            rules: What must hold; with none the report has passed.
            suite: Name of these rules in the site, e.g. `features.weather`; the problem's own when left out.

        Raises:
            RunNameError: The run name cannot be a folder.
            DataDocsPageError: GX validated, but could not render the page.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}", run_name):
            raise RunNameError(run_name)
        name = suite or problem
        examined = examine(frame, rules, name=name)
        run = Run(name, run_name, datetime.now(UTC), bool(examined.found.success))
        try:
            page = result_page(examined.found, run)
            suites = {str(suite_path(name)): suite_page(expectation_suite(name, rules))}
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # GX's renderers trip over what they meet
            raise DataDocsPageError(str(run.page)) from error
        result = json.dumps(examined.found.to_json_dict(), indent=1)
        site = Site(Path(self.root).absolute(), problem)
        return ValidationReport(examined, site.add(run, page, result, suites, kept_runs=self.kept_runs).as_posix())
