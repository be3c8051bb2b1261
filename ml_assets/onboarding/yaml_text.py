"""Lines of YAML: values in flow style, wrapped; comments. What they say is the business of `writer.py`."""

import textwrap
from collections.abc import Mapping, Sequence

import yaml

WIDTH = 116
_LONGEST_QUOTE = 100


def flow(value: object) -> str:
    """A value in YAML's flow style, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def entry(key: str, value: object, indent: int) -> list[str]:
    """`key: value`; a mapping or list that is too long for a line goes on over several."""
    line = f"{' ' * indent}{key}: {flow(value)}"
    if len(line) <= WIDTH or not isinstance(value, Mapping | list):
        return [line]
    parts = [{k: v} for k, v in value.items()] if isinstance(value, Mapping) else [[item] for item in value]
    opening, closing = ("{", "}") if isinstance(value, Mapping) else ("[", "]")
    return _wrapped(f"{' ' * indent}{key}: {opening}", [flow(part)[1:-1] for part in parts], closing, indent + 2)


def item(value: Mapping[str, object], indent: int) -> list[str]:
    """`- {...}`, over several lines where its last value is a mapping that makes it too long for one."""
    line = f"{' ' * indent}- {flow(value)}"
    if len(line) <= WIDTH:
        return [line]
    *others, (last, inner) = value.items()
    assert isinstance(inner, Mapping)
    before = f"{' ' * indent}- {flow(dict(others))[:-1]}, {last}: {{"
    return _wrapped(before, [flow({k: v})[1:-1] for k, v in inner.items()], "}}", indent + 2)


def _wrapped(before: str, texts: Sequence[str], after: str, indent: int) -> list[str]:
    lines, current = [], before
    for number, text in enumerate(texts):
        text += after if number == len(texts) - 1 else ","
        if len(current) + len(text) + 1 > WIDTH:
            lines.append(current.rstrip())
            current = " " * indent + text
        else:
            current += text if current.endswith(("{", "[")) else f" {text}"
    return [*lines, current]


def folded(key: str, text: str, indent: int) -> list[str]:
    """`key: text`; a text that is too long for a line is folded, for a reader that does not mind line breaks."""
    line = f"{' ' * indent}{key}: {flow(text)}"
    if len(line) <= WIDTH:
        return [line]
    start = " " * (indent + 2)
    parts = textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start, break_long_words=False)
    return [f"{' ' * indent}{key}: >-", *parts]


def note(text: str, indent: int, *, hang: int = 0) -> list[str]:
    """A comment, wrapped; `hang` spaces stand between its mark and its text."""
    start = " " * indent + "# " + " " * hang
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)


def quote(text: object) -> str:
    """Text from a file, fit for a comment: nothing but what can be printed, and not too long."""
    plain = "".join(c if c.isprintable() else " " for c in str(text))
    return plain if len(plain) <= _LONGEST_QUOTE else f"{plain[: _LONGEST_QUOTE - 3]}..."


def code_lines(lines: Sequence[str]) -> list[str]:
    """Those that are neither blank nor only a comment."""
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
