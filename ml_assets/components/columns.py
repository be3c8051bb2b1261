"""Which columns the parts of a declaration need of each other, as far as that is known before any SQL runs."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ml_assets.components.mistakes import Mistake, nearest
from ml_assets.components.outline import Outline, Reader, columns_of, entries, features_of, named, texts
from ml_assets.components.places import KeyPath

_FEATURE_FROM = {
    "float": ("int64", "float64", "bool"),
    "int": ("int64", "bool"),
    "string": ("string", "int64", "float64", "bool", "timestamp"),
}
"""Feature type -> column types that it can be made of without losing anything; text of all of them."""

_NUMBERS = ("int64", "float64", "bool")
_OF_THE_PLATFORM = ("event_timestamp", "split", "label_known_at")
_OF_A_VIEW = ("event_timestamp", "known_at")


def column_mistakes(outline: Outline) -> Iterator[Mistake]:
    """Columns that are needed and are not there, or are of a type that does not fit."""
    for position, source in named(outline.attributes, "sources"):
        yield from _of_source(("sources", position), source, outline)
    for reader in outline.readers:
        if reader.plain and all(name in outline.sources for name in reader.sources):
            yield from _of_plain(reader, outline)
    yield from rule_column_mistakes(outline, outline.attributes.get("validation"), ("validation",))
    for position, view in outline.own_views:
        path = ("feature_views", position, "validation")
        yield from rule_column_mistakes(outline, view.get("validation"), path)


def _of_source(path: KeyPath, source: Mapping[str, Any], outline: Outline) -> Iterator[Mistake]:
    columns = columns_of(source)
    what = f"source '{source['name']}'"
    delivered = {
        (*path, "key"): texts(source.get("key")),
        (*path, "cleaning", "optional_columns"): _inside(source, "cleaning", "optional_columns"),
    }
    landed: dict[KeyPath, list[str]] = {}
    for field in ("event_time", "row_known_at"):
        if isinstance(name := source.get(field), str):
            landed[*path, field] = [name]
    known_at = source.get("known_at")
    if isinstance(known_at, Mapping):
        landed |= {(*path, "known_at", column): [column, str(time)] for column, time in known_at.items()}
    landed[*path, "max_gap", "by"] = _inside(source, "max_gap", "by")
    for number, reference in enumerate(entries(source.get("references"))):
        if isinstance(reference, Mapping) and isinstance(column := reference.get("column"), str):
            delivered[*path, "references", number, "column"] = [column]
            yield from _of_reference((*path, "references", number), reference, outline)
    # What the landing SQL adds is only known once it runs.
    checked = delivered if source.get("sql") else delivered | landed
    for place, names in checked.items():
        yield from _unknown(place, names, columns, what)
    for place, names in landed.items():
        found = columns.get(names[-1], "timestamp") if names and place[2] != "max_gap" else "timestamp"
        if found != "timestamp":
            remedy = "Declare it as timestamp, or name another column"
            yield Mistake(place, f"`{place[2]}` names '{names[-1]}', which is {found}", remedy)
    if source.get("max_gap") and not source.get("event_time"):
        yield Mistake((*path, "max_gap"), f"{what} has `max_gap`, but no `event_time`", "Name its time column")


def _of_reference(path: KeyPath, reference: Mapping[str, Any], outline: Outline) -> Iterator[Mistake]:
    to = outline.sources.get(str(reference.get("source")))
    if to and not to.get("sql") and isinstance(column := reference.get("to"), str):
        yield from _unknown((*path, "to"), [column], columns_of(to), f"source '{to['name']}'")


def _of_plain(reader: Reader, outline: Outline) -> Iterator[Mistake]:
    if len(reader.sources) > 1:
        many = ", ".join(reader.sources)
        yield Mistake(reader.path, f"{reader.what} reads {many} as they are", "Give `sql` or `function`, or one source")
        return
    if not reader.sources:
        return
    source = outline.sources[reader.sources[0]]
    if not source.get("event_time"):
        culprit = f"{reader.what} reads '{source['name']}' as it is, but that has no `event_time`"
        yield Mistake(reader.path, culprit, "Name the source's time column there, or give `sql`")
    if source.get("sql"):
        return
    columns, what = columns_of(source), f"source '{source['name']}'"
    for field in ("key", "entities"):
        for position, name in enumerate(texts(reader.part.get(field))):
            yield from _unknown((*reader.path, field, position), [name], columns, what)
    yield from _features(reader, columns, what)
    if reader.path == ("rows",):
        yield from _unknown(reader.path, outline.join_keys, columns, what, "join key ")
    if reader.path == ("label",) and isinstance(label := reader.part.get("name"), str):
        yield from _unknown(("label", "name"), [label], columns, what)
        yield from _label_type(label, columns.get(label), outline.attributes)


def _features(reader: Reader, columns: Mapping[str, Any], what: str) -> Iterator[Mistake]:
    for name, kind in features_of(reader.part).items():
        place = (*reader.path, "features", name)
        yield from _unknown(place, [name], columns, what)
        types, found = _FEATURE_FROM.get(str(kind), ()), columns.get(name)
        if types and found not in types and found in _FEATURE_FROM["string"]:
            fits = next((k for k, some in _FEATURE_FROM.items() if found in some), "string")
            yield Mistake(place, f"feature '{name}' is {kind}, its column {found}", f"Declare it as {fits}")


def _label_type(name: str, kind: Any, attributes: Mapping[str, Any]) -> Iterator[Mistake]:
    task = attributes.get("task", "regression")
    positive = attributes["label"].get("positive")
    if kind is None or kind in _NUMBERS or task == "multiclass" or (task == "binary" and positive is not None):
        return
    remedy = "Add `label.positive`, the value that counts as 1" if task == "binary" else "Declare `task: multiclass`"
    yield Mistake(("label", "name"), f"the label '{name}' is {kind}, which is no number", remedy)


def rule_column_mistakes(outline: Outline, rules: Any, path: KeyPath) -> Iterator[Mistake]:
    """Rules about columns that what they judge will not have.

    Args:
        outline: The declaration.
        rules: A list of rules, of any shape.
        path: Where they stand or are named: ("validation",), or that of a feature view.
    """
    known, what = _judged_columns(outline, path)
    for position, rule in enumerate(rules if known and isinstance(rules, list) else ()):
        for field in ("column", "columns", "lower", "upper") if isinstance(rule, Mapping) else ():
            found = rule.get(field)
            names = texts(found) if isinstance(found, list) else [found] if isinstance(found, str) else []
            yield from _unknown((*path, position, field), names, known, what)


def _judged_columns(outline: Outline, path: KeyPath) -> tuple[list[str], str]:
    """Columns that rules at a place may name, and of what; none where that is not known before SQL runs."""
    if len(path) > 1:
        view = dict(outline.own_views).get(int(path[1]), {})
        return [*texts(view.get("entities")), *_OF_A_VIEW, *features_of(view)], f"feature view '{view.get('name')}'"
    rows, label = outline.attributes.get("rows"), outline.attributes.get("label")
    if not isinstance(rows, Mapping) or not isinstance(label, Mapping):
        return [], ""
    if any(not reader.plain for reader in outline.readers if reader.what == "rows"):
        return [], ""  # SQL may return more than is declared
    if outline.attributes.get("features_from") is not None and outline.shared is None:
        return [], ""
    own = [*texts(rows.get("key")), *outline.join_keys, *outline.features, str(label.get("name"))]
    return [*own, *_OF_THE_PLATFORM], "the training set"


def _unknown(
    place: KeyPath, names: Iterable[Any], known: Iterable[str], what: str, kind: str = "column "
) -> Iterator[Mistake]:
    known = list(known)
    for name in names:
        if name not in known and known:
            yield Mistake(place, f"{what} has no {kind}'{name}'", nearest(name, known))


def _inside(part: Mapping[str, Any], *steps: str) -> list[str]:
    value: Any = part
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return texts(value)
