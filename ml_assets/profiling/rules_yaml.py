"""Learned rules as a file that a person reviews: grouped by column, in the declaration's own syntax."""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ml_assets.components.schema import RULES_SCHEMA_FILE, schema_comment
from ml_assets.errors import RulesFileExistsError
from ml_assets.files import write_text
from ml_assets.spec import ValidationRule
from ml_assets.spec.validation import columns_of

_WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z_][\w ./-]*")
_NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"}
_WHOLE_TABLE, _SEVERAL = "The whole table", "Between columns"
_HEAD = """\
{schema}
# Learned by `ml-assets profile {command}`
# from: {source}.
# Read it, correct it, keep it in version control: it holds until it is changed, and is never overwritten silently.
# A critical rule stops the flow, a warning only reports. Each note says what was seen; the margin is what the parts
# of the reference differ by.
"""


def write_rules(file: Path, rules: Sequence[ValidationRule], *, command: str, source: str, force: bool) -> Path:
    """Write the rules to a file.

    Args:
        file: Where to.
        rules: What to write, in order; those on the same columns stand together.
        command: What the user typed after `ml-assets profile`, to learn them again.
        source: What they were learned from.
        force: Whether a file that is there may be replaced.

    Raises:
        RulesFileExistsError: There is one, and it may not.
    """
    if file.exists() and not force:
        raise RulesFileExistsError(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    head = _HEAD.format(schema=schema_comment(file, RULES_SCHEMA_FILE), command=command, source=source)
    return write_text(file, head + rules_text(rules))


def rules_text(rules: Sequence[ValidationRule]) -> str:
    """The rules as YAML, with a comment above those of each column."""
    lines = []
    for about, some in groupby(rules, key=_about):
        lines += ["", f"# {about}", *(_entry(rule) for rule in some)]
    return "\n".join(lines) + "\n" if lines else "[]\n"


def _about(rule: ValidationRule) -> str:
    columns = columns_of(rule)
    if rule.kind in ("row_count", "unique_together"):
        return _WHOLE_TABLE
    return columns[0] if len(columns) == 1 else _SEVERAL


def _entry(rule: ValidationRule) -> str:
    """One rule; kind and columns first, notes last, and nothing that is so anyway."""
    last = {"mostly", "max_quarantined"}
    written = {
        "kind": rule.kind,
        **rule.model_dump(exclude_defaults=True, exclude={"kind", "notes", "severity"} | last),
    }
    written |= rule.model_dump(exclude_defaults=True, include=last)
    if rule.severity != "critical":
        written["severity"] = rule.severity
    if rule.notes:
        written["notes"] = rule.notes
    fields = [f"{name}: {_flow(value)}" for name, value in written.items()]
    return "- {" + _wrapped(fields) + "}"


def _wrapped(fields: Sequence[str]) -> str:
    """Fields on lines of a readable width; a long list of values is broken between its values."""
    lines = [""]
    for place, field in enumerate(fields):
        for number, piece in enumerate(field.split(", ") if len(field) > _WIDTH // 2 and "[" in field else [field]):
            text = (", " if place or number else "") + piece
            if len(lines[-1]) + len(text) > _WIDTH and lines[-1]:
                lines[-1] += ","
                text = text.removeprefix(", ")
                lines.append("   " + text)
            else:
                lines[-1] += text
    return "\n".join(lines)


def _flow(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else _decimal(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(each)}" for name, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return str(value)


def _decimal(value: float) -> str:
    """As YAML 1.1 reads a number: `1e-05` would be text there."""
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _text(value: str) -> str:
    """Plain where YAML reads the same text again; else in double quotes, escaped as in JSON."""
    plain = _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT and value == value.strip()
    return value if plain else json.dumps(value, ensure_ascii=True)
