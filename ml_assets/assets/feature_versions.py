"""Which versions of the feature views a table was made of, and the check that they are the declared ones.

Here belongs the look at files that were computed by an edited view. What makes a version is the business of
`ml/features/versions.py`; that Dagster marks a window as stale, of the code versions of the assets.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import dagster as dg

from ml_assets.assets import keys
from ml_assets.ml.features.versions import view_version
from ml_assets.ml.markdown import markdown_table
from ml_assets.ml.windows import Window, first_window, windows_over
from ml_assets.resources.lake import Lake
from ml_assets.spec import FeatureView, Problem

CHECK = "feature_versions"
_NAMED = 12
"""Windows that a description names."""

Versions = Mapping[str, Mapping[str, Sequence[str]]]
"""View -> code version ("" where a file carries none) -> the windows that it computed, oldest first."""


def check_spec(problem: Problem) -> dg.AssetCheckSpec:
    """The check on the training set."""
    text = "All windows of the feature views were computed as they are declared."
    return dg.AssetCheckSpec(CHECK, asset=keys.stage(problem, "dataset"), description=text)


def versions_read(problem: Problem, windows: Sequence[Window], lake: Lake) -> dict[str, dict[str, list[str]]]:
    """The versions whose values a point-in-time join of these windows' rows can have read.

    Of each view, the files of these windows and of those before them that the TTL reaches into.
    """
    return {
        view.name: lake.view_versions(problem, view.name, _reached(problem, view, windows))
        for view in problem.feature_views
    }


def judged(problem: Problem, found: Versions) -> dg.AssetCheckResult:
    """Whether each view has the declared version only; a warning, since old values may be wanted."""
    wrong = [text for view in problem.feature_views if (text := _wrong(problem, view, found[view.name]))]
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(wrong) or f"All {len(found)} feature views were computed as they are declared.",
    )


def table(problem: Problem, found: Versions) -> dg.MetadataValue:
    """The versions as a table for people."""
    rows = [
        (view.name, f"`{version or 'none'}`", str(len(each)), _span(each), _verdict(problem, view, version))
        for view in problem.feature_views
        for version, each in found[view.name].items()
    ]
    return dg.MetadataValue.md(markdown_table(("view", "version", "windows", "which", ""), rows))


def counts(found: Versions) -> dict[str, dict[str, int]]:
    """View -> version -> number of windows: what goes into the file of a table, and with a model version."""
    return {view: {version: len(windows) for version, windows in each.items()} for view, each in found.items()}


def in_short(found: Mapping[str, int]) -> str:
    """The versions of one view, e.g. `1a2b3c`, or `1a2b3c (5 windows), 4d5e6f (1 window)` where there are several."""
    if len(found) == 1:
        return next(iter(found)) or "none"
    return ", ".join(f"{version or 'none'} ({n} window{'s' * (n != 1)})" for version, n in found.items())


def _reached(problem: Problem, view: FeatureView, windows: Sequence[Window]) -> list[Window]:
    start = first_window(problem.cadence).start
    if view.ttl_hours is not None:
        start = max(start, windows[0].start - timedelta(hours=view.ttl_hours + problem.rows.horizon_hours))
    return windows_over(problem.cadence, start, windows[-1].end)


def _wrong(problem: Problem, view: FeatureView, found: Mapping[str, Sequence[str]]) -> str:
    declared = view_version(problem, view)
    others = sorted(window for version, windows in found.items() if version != declared for window in windows)
    if not others:
        return ""
    named = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
    versions = ", ".join(version or "none" for version in found if version != declared)
    return (
        f"Feature view '{view.name}' is declared as {declared}, but {len(others)} of the windows read were computed as "
        f"{versions}: materialise {keys.features(problem, view.name).to_user_string()} for {named}, then this dataset."
    )


def _verdict(problem: Problem, view: FeatureView, version: str) -> str:
    return "as declared" if version == view_version(problem, view) else "**not as declared**"


def _span(windows: Sequence[str]) -> str:
    return windows[0] if len(windows) == 1 else f"{windows[0]} to {windows[-1]}"
