"""The page of a profile: a card for each column with its picture, its figures and its rules. One file, no script.

Nothing is learned or measured here, and whatever comes from the data is escaped.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from ml_assets.ml.validation.profiling import ColumnSummary
from ml_assets.ml.validation.profiling.shown import percent, shown
from ml_assets.ml.validation.rule_text import rule_text
from ml_assets.profiling.drawing import histogram, sparkline, value_bars
from ml_assets.profiling.style import STYLE
from ml_assets.spec import ValidationRule
from ml_assets.spec.validation import columns_of

_KINDS = {
    "int": "whole numbers",
    "float": "numbers",
    "string": "text",
    "bool": "true or false",
    "time": "time",
    "empty": "no values",
    "other": "other",
}
_MARKED = ("5 %", "median", "95 %")


def profile_page(
    title: str,
    span: str,
    summaries: Sequence[ColumnSummary],
    rules: Sequence[ValidationRule],
    *,
    parts: Sequence[str],
    part_word: str,
    written: str,
) -> str:
    """The page.

    Args:
        title: What was profiled.
        span: From when to when.
        summaries: Its columns, in order.
        rules: What was learned.
        parts: Names of the parts, in their order.
        part_word: What a part is, e.g. "weeks".
        written: One sentence on where the rules are, or how to write them.
    """
    own: dict[str, list[ValidationRule]] = {}
    shared: list[ValidationRule] = []
    for rule in rules:
        columns = columns_of(rule)
        if len(columns) == 1 and rule.kind != "unique_together":
            own.setdefault(columns[0], []).append(rule)
        else:
            shared.append(rule)
    cards = "".join(_card(summary, own.get(summary.name, []), parts, part_word) for summary in summaries)
    index = "".join(_index_row(summary, own.get(summary.name, [])) for summary in summaries)
    rows = summaries[0].rows if summaries else 0
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
        f"<header><h1>{escape(title)}</h1><p>{escape(span)}</p>{_counters(rows, summaries, rules)}</header>"
        f'<main><section class="wide"><h2>All columns</h2><div class="scroll"><table class="index">'
        "<thead><tr><th>column</th><th>values</th><th>missing</th><th>distinct</th><th>median</th>"
        f"<th>rules</th></tr></thead><tbody>{index}</tbody></table></div></section>"
        f'<section class="wide"><h2>Rules on the whole table</h2><p class="quiet">{escape(written)}</p>'
        f"{_rules(shared) if shared else '<p>None.</p>'}</section>{cards}</main></body></html>\n"
    )


def _counters(rows: int, summaries: Sequence[ColumnSummary], rules: Sequence[ValidationRule]) -> str:
    critical = sum(rule.severity == "critical" for rule in rules)
    missing = sum(s.missing for s in summaries) / max(sum(s.rows for s in summaries), 1)
    figures = {
        "rows": f"{rows:,}",
        "columns": f"{len(summaries)}",
        "values missing": percent(missing),
        "rules learned": f"{len(rules)}",
        "of them critical": f"{critical}",
    }
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in figures.items())}</dl>"


def _index_row(summary: ColumnSummary, rules: Sequence[ValidationRule]) -> str:
    name = escape(summary.name)
    bar = f'<i style="width:{100 * summary.missing_share:.1f}%"></i>'
    median = summary.quantiles.get("median")
    return (
        f'<tr><td><a href="#{_anchor(summary.name)}">{name}</a></td><td>{_KINDS[summary.kind]}</td>'
        f'<td class="share"><span>{percent(summary.missing_share)}</span><b>{bar}</b></td>'
        f'<td class="n">{"" if summary.distinct is None else f"{summary.distinct:,}"}</td>'
        f'<td class="n">{escape(_quantity(summary, median)) if median is not None else ""}</td>'
        f'<td class="n">{len(rules)}</td></tr>'
    )


def _card(summary: ColumnSummary, rules: Sequence[ValidationRule], parts: Sequence[str], part_word: str) -> str:
    facts = [f"{_KINDS[summary.kind]} ({escape(summary.dtype)})"]
    facts += [f"{summary.distinct:,} distinct"] if summary.distinct is not None else []
    facts += [f"{percent(summary.missing_share)} missing"]
    varies = len(set(summary.missing_by_part)) > 1
    spark = _missing(summary, parts, part_word.removesuffix("s")) if varies else ""
    examples = "".join(f"<code>{escape(example)}</code>" for example in summary.examples)
    return (
        f'<section class="card" id="{_anchor(summary.name)}"><h3>{escape(summary.name)}</h3>'
        f'<div class="facts">{" · ".join(facts)}</div><figure>{_picture(summary)}</figure>{_quantiles(summary)}'
        f'{spark}<div class="examples">{examples or "no values"}</div>{_rules(rules)}</section>'
    )


def _missing(summary: ColumnSummary, parts: Sequence[str], part: str) -> str:
    most = percent(max(summary.missing_by_part))
    caption = f"<figcaption>missing by {escape(part)}, at most {most}</figcaption>"
    return f'<figure class="small">{sparkline(summary.missing_by_part, parts)}{caption}</figure>'


def _picture(summary: ColumnSummary) -> str:
    if not summary.bars:
        return ""
    if summary.kind in ("string", "bool"):
        total = summary.rows - summary.missing
        rest = f"{summary.beyond:,} rows have other values" if summary.beyond else ""
        return value_bars(summary.bars, total) + (f"<figcaption>{rest}</figcaption>" if rest else "")
    marks = [summary.quantiles[name] for name in _MARKED if name in summary.quantiles]
    picture = histogram(summary.bars, times=summary.kind == "time", quantiles=marks)
    said = f"{summary.beyond:,} values lie beyond the picture" if summary.beyond else ""
    return picture + (f"<figcaption>{said}</figcaption>" if said else "")


def _quantiles(summary: ColumnSummary) -> str:
    if not summary.quantiles or summary.kind == "time":
        return ""
    names = "".join(f"<th>{name}</th>" for name in summary.quantiles)
    values = "".join(f"<td>{escape(shown(value))}</td>" for value in summary.quantiles.values())
    return f'<table class="quantiles"><tr>{names}</tr><tr>{values}</tr></table>'


def _rules(rules: Sequence[ValidationRule]) -> str:
    items = "".join(
        f'<li class="{rule.severity}"><span>{escape(rule_text(rule))}</span><p>{escape(rule.notes)}</p></li>'
        for rule in rules
    )
    return f"<ul>{items}</ul>" if items else ""


def _quantity(summary: ColumnSummary, value: float) -> str:
    if summary.kind == "time":
        return datetime.fromtimestamp(value, tz=UTC).strftime("%Y-%m-%d")
    return shown(value)


def _anchor(name: str) -> str:
    return "c-" + "".join(each if each.isalnum() and each.isascii() else f"-{ord(each):x}-" for each in name)
