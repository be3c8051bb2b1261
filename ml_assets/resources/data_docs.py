"""Data Docs: a frame is validated by a Great Expectations checkpoint, and the outcome becomes a page.

Here belong the GX context, the run and the site. What a rule means, and how results are read, stands in
`ml.expectations`; how a page does without a network, in `data_docs_static`. Below `root`, each problem has a
site of its own:

    <problem>/index.html, <problem>/validations/..., <problem>/expectations/...
    _results/<problem>/     what GX found, as JSON: the source of the pages
    _static/                styles and scripts of all pages
"""

import fcntl
import html
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd
from pydantic import Field

from ml_assets.errors import DataDocsPageError, RunNameError
from ml_assets.ml.expectations import RuleResult, expectation_suite, read_results
from ml_assets.resources.data_docs_static import share_assets, take_offline
from ml_assets.spec import Severity, ValidationRule

if TYPE_CHECKING:
    from great_expectations import Checkpoint
    from great_expectations.checkpoint import CheckpointResult
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

_LISTED_RUNS = 100
"""Newest validations that a problem's index lists. GX reads each of them whenever it rebuilds the index."""

_EXAMPLES = 6
"""Values that broke a rule which its page shows."""


@dataclass(frozen=True)
class ValidationReport:
    """The outcome of one validation.

    `results` are in the order of the rules; `page` is its Data Docs page, relative to the resource's root.
    """

    results: tuple[RuleResult, ...]
    page: str

    @property
    def passed(self) -> bool:
        """Whether no critical rule failed or errored."""
        return not self.failed("critical")

    def failed(self, severity: Severity) -> tuple[RuleResult, ...]:
        """Rules of that severity that failed, or that could not be judged."""
        return tuple(r for r in self.results if r.severity == severity and r.status != "passed")


class DataDocs(dg.ConfigurableResource):
    """Validations by Great Expectations, each with a page to look at."""

    root: str = Field(description="Folder of the Data Docs; each problem's site is in `<root>/<problem>`.")

    def validate(  # type: ignore[override]  # pydantic's v1 class method of that name is not used here
        self, *, problem: str, run_name: str, frame: pd.DataFrame, rules: Sequence[ValidationRule]
    ) -> ValidationReport:
        """Judge a frame by the rules, and publish the page.

        A run name that was validated before is replaced: its former page goes once the new result is on disk.

        Args:
            problem: Whose site the page belongs to.
            run_name: What is validated, e.g. the training cutoff `2013-04-01`.
            frame: (n_rows, n_columns); not changed.
            rules: What must hold; with none the report has passed.

        Raises:
            RunNameError: The run name cannot be a folder.
            DataDocsPageError: GX validated, but could not render the page.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}", run_name):
            raise RunNameError(run_name)
        root = Path(self.root).absolute()
        context = _context(root, problem)
        outcome = _run(_checkpoint(context, problem, rules), run_name, frame)
        ((key, found),) = outcome.run_results.items()
        results = read_results(found, rules)
        for result in found.results:
            # GX puts values of the frame into its pages as they are, be they markup or script.
            result.result, result.exception_info = _escaped(result.result), _escaped(result.exception_info)
        with _locked(root / "_results" / f"{problem}.lock"):
            context.validation_results_store.set(key, found)
            page = _publish(context, root, problem, key)
        return ValidationReport(results, page.relative_to(root).as_posix())


def _context(root: Path, problem: str) -> "EphemeralDataContext":
    """A context that keeps results and pages below `root`, and everything else in memory.

    Suites and checkpoints come from the spec each time, so a stored copy could only disagree with it.
    """
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    def folder(path: Path) -> dict[str, str | bool]:
        return {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(path),
            "suppress_store_backend_id": True,
        }

    stores = InMemoryStoreBackendDefaults()
    stores.stores[stores.validation_results_store_name]["store_backend"] = folder(root / "_results" / problem)
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": folder(root / problem),
        "site_index_builder": {
            "class_name": "DefaultSiteIndexBuilder",
            "validation_results_limit": _LISTED_RUNS,
        },
        # GX would take a run with "profiling" in its name for another section.
        "site_section_builders": {
            "profiling": "None",
            "validations": {"run_name_filter": {"not_equals": "/"}},
        },
    }
    config = DataContextConfig(
        store_backend_defaults=stores,
        data_docs_sites={problem: site},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _checkpoint(context: "EphemeralDataContext", name: str, rules: Sequence[ValidationRule]) -> "Checkpoint":
    import great_expectations as gx

    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset(name)
    definition = gx.ValidationDefinition(
        name=name,
        data=asset.add_batch_definition_whole_dataframe(name),
        suite=context.suites.add(expectation_suite(name, rules)),
    )
    return context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=[context.validation_definitions.add(definition)],
            result_format={"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES},
        )
    )


def _run(checkpoint: "Checkpoint", run_name: str, frame: pd.DataFrame) -> "CheckpointResult":
    from great_expectations.core import RunIdentifier

    run_id = RunIdentifier(run_name, run_time=datetime.now(UTC))
    return checkpoint.run(batch_parameters={"dataframe": frame}, run_id=run_id)


def _escaped(part: Any) -> Any:
    if isinstance(part, dict):
        return {_escaped(key): _escaped(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_escaped(value) for value in part]
    return html.escape(part, quote=False) if isinstance(part, str) else part


def _publish(context: "EphemeralDataContext", root: Path, problem: str, key: "ValidationResultIdentifier") -> Path:
    """Drop this run name's former results, build what is new, and make it work offline.

    GX's own action would build while the former result still stands, and list the run twice.
    """
    from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier

    site = root / problem
    *folders, run_time, batch = key.to_tuple()
    _drop_former(root.joinpath("_results", problem, *folders), run_time)
    # Both kinds at once is what GX's own action asks for too; only the annotation forbids it.
    parts: list[Any] = [key, ExpectationSuiteIdentifier(problem)]
    context.build_data_docs(resource_identifiers=parts)
    _drop_former(site.joinpath("validations", *folders), run_time)
    share_assets(site / "static" / "images", root / "_static")
    shutil.rmtree(site / "static")
    page = site.joinpath("validations", *folders, run_time, f"{batch}.html")
    for built in (page, site / "expectations" / f"{problem}.html", site / "index.html"):
        if not built.is_file():  # GX logs what went wrong in rendering, and goes on
            raise DataDocsPageError(str(built.relative_to(root)))
        take_offline(built, Path(os.path.relpath(root / "_static", built.parent)).as_posix())
    return page


def _drop_former(runs: Path, run_time: str) -> None:
    for former in runs.iterdir() if runs.is_dir() else ():
        if former.name < run_time:  # a later one is another process's, which will drop this one
            shutil.rmtree(former)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time builds a problem's site: its index lists everybody's runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
