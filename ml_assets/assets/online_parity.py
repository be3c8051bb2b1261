"""The check that what is online is what the lake holds, in words and counts.

Here belongs how a comparison is reported. How it is made is in `resources.online_parity` and `ml.features.parity`.
"""

from collections.abc import Sequence

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.ml.features.parity import Difference, ViewParity
from ml_assets.ml.windows import window_at
from ml_assets.spec import FeatureSet

CHECK = "online_parity"
_SHOWN = 10


def parity_specs(features: FeatureSet) -> list[dg.AssetCheckSpec]:
    """The check of the online store, unless no entities are to be compared."""
    if not features.parity.entities:
        return []
    text = f"Online values of {features.parity.entities} random entities of each view are the offline ones as of now."
    windows = partitions.windows(features)
    return [dg.AssetCheckSpec(CHECK, asset=keys.online(features), partitions_def=windows, description=text)]


def parity_check(features: FeatureSet, views: Sequence[ViewParity]) -> dg.AssetCheckResult:
    """One window's result: every difference fails it; the first ones are named, with what mends them."""
    found = [difference for view in views for difference in view.differences]
    texts = [_text(features, difference) for difference in found[:_SHOWN]]
    compared, different = sum(view.compared for view in views), sum(view.different for view in views)
    columns = [dg.TableColumn(name, "string" if name == "view" else "int") for name in _COUNTS]
    records = [dg.TableRecord({name: getattr(view, name) for name in _COUNTS}) for view in views]
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not found,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{different} of {compared} entities differ. {texts[0]}" if found else None,
        metadata={
            **{name: sum(getattr(view, name) for view in views) for name in _COUNTS[1:]},
            "views": dg.MetadataValue.table(records, dg.TableSchema(columns)),
            **({"differences": dg.MetadataValue.md("\n".join(f"- {text}" for text in texts))} if texts else {}),
        },
    )


_COUNTS = ("view", "compared", "different", "waiting")


def _text(features: FeatureSet, found: Difference) -> str:
    window = window_at(features.cadence, found.moment).key
    values = f"'{found.feature}' is {found.online!r} online and {found.offline!r} in the lake"
    asset = keys.online(features).to_user_string()
    remedy = f"materialise '{asset}' of {window} again"
    if found.lost:
        remedy = f"the lake holds that row of {window} no longer: land it again, or else it stays until a newer comes"
    return f"View '{found.view}', entity {found.entity}: {values}; {remedy}."
