"""What the parts of a declaration have to do with each other: names that must be known, unique, or left out.

All relations are judged, whatever else is wrong. Those between columns are in `columns.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_assets.components.columns import column_mistakes
from ml_assets.components.mistakes import Mistake, nearest
from ml_assets.components.outline import Outline, entries, features_of, named, texts
from ml_assets.components.places import KeyPath
from ml_assets.components.schema import METRIC_FIELDS
from ml_assets.spec import METRICS, SEARCH_LOSSES

_FROM_SHARED = ("cadence", "sources", "feature_views")


def relation_mistakes(outline: Outline, *, problem: bool) -> Iterator[Mistake]:
    """Every mistake that lies between parts of a declaration, with paths from the top of its attributes.

    Args:
        outline: The declaration; shared feature views that are not there are no business of this.
        problem: Whether it declares a problem, or feature views to share.
    """
    yield from _twins(outline, "sources", "source")
    yield from _twins(outline, "feature_views", "feature view")
    yield from _unknown_sources(outline)
    yield from _features_twice(outline)
    yield from column_mistakes(outline)
    if problem:
        yield from _own_or_shared(outline)
        yield from _features_fit(outline)
        yield from _metrics_fit(outline.attributes)


def _twins(outline: Outline, field: str, what: str) -> Iterator[Mistake]:
    seen = set()
    for position, item in named(outline.attributes, field):
        if item["name"] in seen:
            yield Mistake((field, position, "name"), f"{what} '{item['name']}' is declared twice", "Rename one")
        seen.add(item["name"])


def _unknown_sources(outline: Outline) -> Iterator[Mistake]:
    known = outline.sources
    if not known:
        return
    for reader in outline.readers:
        for position, source in enumerate(texts(reader.part.get("sources"))):
            if source not in known:
                path = (*reader.path, "sources", position)
                yield Mistake(path, f"{reader.what} reads '{source}', which is no source", nearest(source, known))
        if not reader.sources:
            among = ", ".join(known)
            yield Mistake(reader.path, f"{reader.what} does not say which sources it reads", f"Add `sources`: {among}")
    for position, declared in named(outline.attributes, "sources"):
        for number, reference in enumerate(entries(declared.get("references"))):
            to = reference.get("source") if isinstance(reference, Mapping) else None
            if isinstance(to, str) and to not in known:
                path = ("sources", position, "references", number, "source")
                culprit = f"source '{declared['name']}' refers to '{to}', which is no source"
                yield Mistake(path, culprit, nearest(to, known))


def _features_twice(outline: Outline) -> Iterator[Mistake]:
    seen: dict[str, str] = {}
    if outline.shared is not None:
        seen = {name: view for view, part in outline.views.items() for name in features_of(part)}
    parts: list[tuple[KeyPath, str, Any]] = [(("feature_views", i), str(v["name"]), v) for i, v in outline.own_views]
    for path, where, part in [*parts, (("rows",), "rows", outline.attributes.get("rows"))]:
        for name in features_of(part):
            if name in seen:
                culprit = f"feature '{name}' is in both {seen[name]} and {where}"
                yield Mistake((*path, "features", name), culprit, "Rename one")
            seen.setdefault(name, where)


def _own_or_shared(outline: Outline) -> Iterator[Mistake]:
    attributes, shared = outline.attributes, outline.attributes.get("features_from")
    if shared is None:
        for field in ("cadence", "sources"):
            if attributes.get(field) in (None, []):
                remedy = "Declare it, or name FeatureViews in `features_from`"
                yield Mistake((field,), f"`{field}` is missing", remedy)
        if attributes.get("use_views") is not None:
            yield Mistake(("use_views",), "`use_views` selects shared views", "Name them in `features_from`")
        return
    for field in _FROM_SHARED:
        if attributes.get(field):
            yield Mistake((field,), f"`{field}` comes from '{shared}' (`features_from`)", "Leave it out")
    yield from _unknown_views(outline)


def _unknown_views(outline: Outline) -> Iterator[Mistake]:
    known = [view["name"] for _, view in named(outline.shared, "feature_views")]
    for position, view in enumerate(texts(outline.attributes.get("use_views"))):
        if outline.shared is not None and view not in known:
            culprit = f"'{outline.attributes.get('features_from')}' has no view '{view}'"
            yield Mistake(("use_views", position), culprit, nearest(view, known))


def _features_fit(outline: Outline) -> Iterator[Mistake]:
    attributes, features = outline.attributes, outline.features
    unknown_shared = attributes.get("features_from") is not None and outline.shared is None
    if not features and not unknown_shared and not list(_unknown_views(outline)):
        yield Mistake(("rows", "features"), "There is no feature", "Declare `feature_views`, or `features` of the rows")
    label = attributes.get("label")
    name = str(label.get("name")) if isinstance(label, Mapping) else None
    if name in features:
        culprit = f"the label '{name}' is a feature, too: a model would only copy it"
        yield Mistake(_place_of(outline, name), culprit, "Leave it out of the features")
    drift = attributes.get("drift")
    for position, column in enumerate(texts(drift.get("ignore") if isinstance(drift, Mapping) else None)):
        if features and column not in features and not unknown_shared:
            culprit = f"`drift.ignore` names '{column}', which is no feature"
            yield Mistake(("drift", "ignore", position), culprit, nearest(column, features))


def _place_of(outline: Outline, feature: str) -> KeyPath:
    if feature in outline.row_features:
        return ("rows", "features", feature)
    positions = (i for i, view in outline.own_views if feature in features_of(view))
    position = next(positions, None)
    return ("label", "name") if position is None else ("feature_views", position, "features", feature)


def _metrics_fit(attributes: Mapping[str, Any]) -> Iterator[Mistake]:
    task = attributes.get("task", "regression")
    if not isinstance(task, str) or task not in METRICS:
        return
    named_here: dict[tuple[str, ...], Any] = {("metric",): attributes.get("metric")}
    for part, field in METRIC_FIELDS.items():
        if isinstance(found := attributes.get(part), Mapping):
            named_here[part, field] = found.get(field)
    every = {name for metrics in METRICS.values() for name in metrics}
    for path, metric in named_here.items():
        fits = (SEARCH_LOSSES if path[0] == "search" else METRICS)[task]
        if isinstance(metric, str) and metric in every and metric not in fits:
            culprit = f"`{'.'.join(path)}` {metric} does not fit task {task}"
            yield Mistake(path, culprit, f"Use one of {', '.join(fits)}")
    metric, search = attributes.get("metric"), attributes.get("search")
    loss = search.get("loss") if isinstance(search, Mapping) else None
    if loss is None and metric in METRICS[task] and metric not in SEARCH_LOSSES[task]:
        culprit = f"`metric` {metric} cannot be searched by: XGBoost does not compute it"
        yield Mistake(("metric",), culprit, f"Add `search.loss`, one of {', '.join(SEARCH_LOSSES[task])}")
    label = attributes.get("label")
    if task != "binary" and isinstance(label, Mapping) and label.get("positive") is not None:
        remedy = "Leave it out, or declare `task: binary`"
        yield Mistake(("label", "positive"), f"`label.positive` is for binary labels; the task is {task}", remedy)
