"""The page of a replay: the picture, the table, and how it was done. One file, no script, nothing from elsewhere."""

from html import escape

from ml_assets.profiling.style import STYLE
from ml_assets.replay.figure import colours, figure
from ml_assets.replay.losses import AHEAD
from ml_assets.replay.policies import DECLARED
from ml_assets.replay.report import Outcome, Report
from ml_assets.replay.texts import cells, headings, signed_percent

_OWN = """
main { display: block; max-width: 1180px; } main section { margin-bottom: 16px; }
header { padding-left: max(24px, calc(50vw - 566px)); padding-right: max(24px, calc(50vw - 566px)); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; margin: 0 0 6px; padding: 0; }
.legend li { border: 0; padding: 0; margin: 0; font-size: 13px; } .legend i { display: inline-block; width: 18px;
  height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 7px; }
.legend .mark { width: 10px; height: 10px; border-radius: 50%; border: 2px solid #1c2430; margin-right: 6px; }
.legend .full { background: #1c2430; }
svg text { font-size: 11px; } svg .heading { font-size: 13px; font-weight: 600; fill: var(--ink); }
svg .name { font-size: 12px; fill: var(--ink); } svg .grid { stroke: var(--line); stroke-width: 1; }
svg .zero { stroke: var(--ink); stroke-width: 1.2; }
svg .limit { stroke: #b3261e; stroke-width: 1; stroke-dasharray: 3 3; opacity: .7; }
svg .tip { fill: transparent; } svg .tip:hover { fill: var(--ink); opacity: .25; }
.policies { width: 100%; } .policies th { text-align: right; color: var(--quiet); font-weight: 500; font-size: 12px;
  vertical-align: bottom; } .policies td { text-align: right; } .policies td, .policies th {
  padding: 7px 0 7px 18px; border-bottom: 1px solid var(--line); } .policies tr:last-child td { border-bottom: 0; }
.policies th:first-child, .policies td:first-child { text-align: left; padding-left: 0; white-space: nowrap; }
.policies small { display: block; color: var(--quiet); } .policies tr.declared td { font-weight: 600; }
.policies tr.declared small { font-weight: 400; }
.method p { margin: 0 0 8px; color: var(--quiet); max-width: 92ch; } .method p:last-child { margin: 0; }
"""


def page(report: Report) -> str:
    """The page."""
    title = f"{report.problem}: when to retrain"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}{_OWN}</style></head><body>'
        f"<header><h1>{escape(title)}</h1><p>{escape(report.description)}</p>{_counters(report)}</header><main>"
        f"<section>{_legend(report)}<figure>{figure(report)}</figure></section>"
        f'<section><h2>The policies</h2><div class="scroll">{_table(report)}</div></section>'
        f'<section class="method"><h2>How it was done</h2>{_method(report)}</section></main></body></html>\n'
    )


def _counters(report: Report) -> str:
    figures = {"windows": f"{report.possible + 1}", "labelled rows": f"{report.rows:,}"}
    figures["from"], figures["to"] = report.first, report.last
    if declared := report.outcome(DECLARED):
        figures["declared policy: retrainings"] = f"{len(declared.retrainings)} of {report.possible}"
        if declared.loss and declared.name != report.against:
            other = next(each for each in report.outcomes if each.name == report.against)
            figures[f"its error against {other.title}"] = signed_percent(declared.loss.value)
    return f"<dl>{''.join(f'<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>' for k, v in figures.items())}</dl>"


def _legend(report: Report) -> str:
    paint = colours(report.outcomes)
    lines = [f'<li><i style="background:{paint[o.name]}"></i>{escape(o.title)}</li>' for o in report.outcomes]
    marks = '<li><i class="mark full"></i>retrained, promoted</li><li><i class="mark"></i>retrained, rejected</li>'
    return f'<ul class="legend">{"".join(lines)}{marks}</ul>'


def _table(report: Report) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in headings(report))
    rows = "".join(_row(report, outcome) for outcome in report.outcomes)
    return f'<table class="policies"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'


def _row(report: Report, outcome: Outcome) -> str:
    values = "".join(
        f"<td>{escape(text)}{f'<small>{escape(small)}</small>' if small else ''}</td>"
        for text, small in cells(report, outcome)
    )
    return f'<tr class="{escape(outcome.name)}">{values}</tr>'


def _method(report: Report) -> str:
    paragraphs = [
        "All policies meet the same windows, and a training of one cutoff is done once for all of them, from the first "
        f"version's parameters with {report.trials} trials. A window is scored by the version that was production when "
        "it began; checks, decisions, trainings and the promotion gate see only what was known then. Production was "
        "not touched.",
        "Intervals are 95%, of a bootstrap over days (of a ranking over windows), paired between policies. The band is "
        "the declared policy's; the dashed red line is one percent.",
        f"An alarm is real when the gate, asked again with the {AHEAD} windows that followed, prefers the version "
        "trained at the alarm to the one that was production. The share of all moments at which that was so is what "
        "alarms at random would find.",
    ]
    return "".join(f"<p>{escape(each)}</p>" for each in paragraphs)
