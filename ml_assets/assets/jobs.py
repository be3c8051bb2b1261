"""A job over a group of assets: what every file that assembles definitions makes them with."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.assets import keys
from ml_assets.spec import FeatureSet

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as AssetJob


def asset_job(
    name: str,
    assets: Sequence[dg.AssetsDefinition],
    text: str,
    owner: FeatureSet,
    grid: dg.PartitionsDefinition | None = None,
) -> "AssetJob":
    """A job that materialises these assets, tagged with the problem or feature set that it belongs to."""
    selection = dg.AssetSelection.assets(*assets)
    tags = {keys.PROBLEM_TAG: owner.name}
    return dg.define_asset_job(name, selection, partitions_def=grid, description=text, tags=tags)
