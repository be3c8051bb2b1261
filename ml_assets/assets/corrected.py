"""Which other windows a corrected delivery reaches, by look-back and look-ahead.

Here belongs what Dagster cannot tell: it marks as stale what was made of the same window, by its data version. That a
window also reads its neighbours is no partition mapping (see `partitions`), so they are named where the source landed.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import dagster as dg

from ml_assets.assets import keys
from ml_assets.ml.windows import Window, windows_over
from ml_assets.resources.lake import Lake
from ml_assets.spec import Computation, FeatureSet, Problem, Source

NOTE = "also_stale"
"""Metadata of a source's window that landed with other rows than before."""


def told(features: FeatureSet, source: Source, lake: Lake, window: Window) -> dict[str, dg.MetadataValue]:
    """The neighbouring windows that were computed from this one; empty where there are none."""
    found = {}
    for key, part, lookahead_days, path in _readers(features, lake):
        if source.name in part.sources and source.event_time:  # others are read as of their own window alone
            start = window.start - timedelta(days=lookahead_days)
            around = windows_over(features.cadence, start, window.end + timedelta(days=part.lookback_days))
            found[key] = [each.key for each in around if each != window and path(window=each.key).exists()]
    lines = [f"- `{key.to_user_string()}`: {', '.join(windows)}" for key, windows in found.items() if windows]
    text = "These windows read the rows that were corrected, too. Materialise them again:\n\n"
    return {NOTE: dg.MetadataValue.md(text + "\n".join(lines))} if lines else {}


def _readers(features: FeatureSet, lake: Lake) -> Iterator[tuple[dg.AssetKey, Computation, int, Callable[..., Path]]]:
    """What may read a source: its key, its declaration, its look-ahead in days, and where its windows lie."""
    for view in features.feature_views:
        yield keys.features(features, view.name), view, 0, partial(lake.view, features, view.name)
    if isinstance(features, Problem):
        yield keys.stage(features, "rows"), features.rows, 0, partial(lake.stage, features, "rows")
        ahead = features.label.lookahead_days
        yield keys.stage(features, "labels"), features.label, ahead, partial(lake.stage, features, "labels")
