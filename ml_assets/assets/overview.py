"""The page that shows how a problem fares, as an asset: `<problem>/overview` stands for it in the graph.

A sensor (`automation/refreshing.py`) writes it whenever something new is known; to materialise the asset writes it,
too. What it shows is read in `overview_facts.py`; what it looks like is `ml/overview`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterInstance

from ml_assets.assets import keys
from ml_assets.assets.overview_facts import collect
from ml_assets.files import write_text
from ml_assets.ml.monitoring.overview.front import Summary, front_page
from ml_assets.ml.monitoring.overview.page import overview_page
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem

PAGE, SUMMARY = "index.html", "overview.json"


def build_overview(problem: Problem) -> dg.AssetsDefinition:
    """The page as an asset; the assets whose news it shows are upstream of it."""

    @dg.asset(
        key=keys.stage(problem, "overview"),
        deps=[keys.stage(problem, name) for name in ("quality", "drift_report", "registered_version")],
        description="One page: error, drift, versions, failed checks, trainings and alerts, window by window. "
        "Its address is in the metadata; it is written anew whenever something new is known.",
        group_name=problem.name,
        kinds={"html"},
    )
    def overview(
        context: dg.AssetExecutionContext, lake: Lake, ledger: Ledger, reports: Reports
    ) -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=refresh(problem, context.instance, lake, ledger, reports).metadata)

    return overview


@dataclass(frozen=True)
class Refreshed:
    """What was written.

    Attributes:
        changed: Whether the page is another one than before.
        metadata: For the asset.
    """

    changed: bool
    metadata: Mapping[str, Any]


def refresh(problem: Problem, instance: DagsterInstance, lake: Lake, ledger: Ledger, reports: Reports) -> Refreshed:
    """Write the problem's page, and the one over all problems; each whole or not at all, and only where it changed."""
    found = collect(problem, instance, lake, ledger, reports)
    page, summary = reports.path(problem.name, PAGE), Summary.of(found)
    changed = _write(page, overview_page(found))
    _write(reports.path(problem.name, SUMMARY), summary.as_json())
    # Another problem's page may be written at the same time: the last to look has seen all of them.
    front, root = Path(reports.root, PAGE), Path(reports.root)
    while _write(front, front_page(_summaries(root))):
        pass
    metadata = {"page": reports.link(page), "all_problems": reports.link(front)}
    return Refreshed(changed, {**metadata, "state": summary.state, "in_short": summary.sentence})


def _summaries(root: Path) -> list[Summary]:
    return [Summary.read(path.read_text(encoding="utf-8")) for path in sorted(root.glob(f"*/{SUMMARY}"))]


def _write(path: Path, text: str) -> bool:
    """Whether the file had to be written."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    write_text(path, text)
    return True
