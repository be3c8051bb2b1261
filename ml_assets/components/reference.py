"""The reference of declarations as a page: every field with its description, default and example.

Dagster 1.13 has no `dg docs` any more; this is made of the same schema that `dg utils inspect-component` prints.
"""

import json
from collections.abc import Iterator
from typing import Any

from ml_assets.components.fields import example, nouns
from ml_assets.components.schema import MODELS, PACKAGE, Schema, attributes_schema

_HEAD = """\
# What a declaration may say

Every field of `defs.yaml`, made by `ml-assets schema --page`; do not edit it here. A field in bold must be given.
"""


def reference_page() -> str:
    """The page, in Markdown."""
    lines = [_HEAD]
    parts: dict[str, Schema] = {}
    for component in MODELS:
        root = attributes_schema(component)
        lines += [f"## {component}", "", f"`type: {PACKAGE}.{component}`", "", *_section(root)]
        parts |= root["$defs"]
    for name in sorted(parts):
        lines += [f"## {name}", "", *_section(parts[name])]
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(part: Schema) -> Iterator[str]:
    yield from (
        str(part.get("description", "")),
        "",
        "| field | is | default | meaning | example |",
        "|---|---|---|---|---|",
    )
    for name, field in part["properties"].items():
        required = name in part.get("required", ())
        shown = f"**{name}**" if required else name
        default = "" if required else _cell(_default(field))
        cells = (shown, _kind(field), default, _cell(field["description"]), f"`{_cell(example(field))}`")
        yield f"| {' | '.join(cells)} |"
    yield ""


def _kind(field: Schema) -> str:
    if target := _target(field):
        return target
    if forms := field.get("discriminator", {}).get("mapping"):
        return " or ".join(_link(form) for form in dict.fromkeys(forms.values()))
    kind = field.get("type")
    if kind == "array" and (item := _target(field["items"])):
        return f"list of {item}"
    if kind == "array" and (forms := field["items"].get("discriminator", {}).get("mapping")):
        return "list of " + ", ".join(_link(form) for form in dict.fromkeys(forms.values()))
    return nouns(field)


def _target(field: Schema) -> str:
    return _link(field["$ref"]) if "$ref" in field else ""


def _link(reference: str) -> str:
    name = reference.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def _default(field: Schema) -> str:
    default: Any = field.get("default")
    if default in (None, "", [], {}):
        return ""
    text = json.dumps(default)
    return f"`{text}`" if len(text) <= 60 else "see below"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
