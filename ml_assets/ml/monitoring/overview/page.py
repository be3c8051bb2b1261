"""The page of a problem, put together. One file: opened from a folder without a network it is the same."""

from html import escape

from ml_assets.ml.monitoring.overview.data import Overview
from ml_assets.ml.monitoring.overview.error_panel import error_panel
from ml_assets.ml.monitoring.overview.grid import Grid
from ml_assets.ml.monitoring.overview.heat import distances, drift_map
from ml_assets.ml.monitoring.overview.lanes import checks_lane, notices_lane, trainings_lane, versions_lane
from ml_assets.ml.monitoring.overview.panels import Panel, axis, stack
from ml_assets.ml.monitoring.overview.script import SCRIPT
from ml_assets.ml.monitoring.overview.sentence import WORDS, Present, State, present
from ml_assets.ml.monitoring.overview.style import STYLE
from ml_assets.ml.monitoring.overview.tables import notices_table, trainings_table, versions_table, windows_table
from ml_assets.ml.quality.metrics import shown

_SIGNS: dict[State, str] = {
    "good": '<circle cx="9" cy="9" r="8" fill="currentColor"/><path d="M5 9l3 3.4l5.2-6.6" class="sign"/>',
    "watch": '<path d="M9 1.5L17 16H1z" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round"/>'
    '<path d="M9 7v4m0 1.6v.8" stroke="currentColor" stroke-width="2"/>',
    "bad": '<path d="M9 1L17.5 16.5H.5z" fill="currentColor"/><path d="M9 6.5v4.5m0 2v1" class="sign"/>',
    "none": '<circle cx="9" cy="9" r="7.5" fill="none" stroke="currentColor" stroke-width="2"/>',
}


def overview_page(found: Overview) -> str:
    """The page as HTML."""
    name, now = escape(found.problem.name), present(found)
    about = f'<p class="quiet">{escape(found.problem.description)}</p>' if found.problem.description else ""
    body = (
        f'<header><h1><a href="../index.html">All problems</a> <span class="quiet">/</span> {name}</h1>'
        f'{about}{state_mark(now)}<p class="headline">{escape(now.sentence)}</p>{_facts(found)}</header>'
        f"{_picture(found, now)}{_inspector(found)}{_sections(found)}"
        f'<p class="quiet" style="margin-top:18px">{_footer(found)}</p>'
    )
    return document(f"{found.problem.name}: overview", body, script=True)


def document(title: str, body: str, *, script: bool = False) -> str:
    """A whole document around a body."""
    code = f"<script>{SCRIPT}</script>" if script else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>{body}</main>{code}</body></html>\n"
    )


def state_mark(now: Present) -> str:
    """The state as a sign and a word."""
    return (
        f'<p class="state {now.state}"><svg viewBox="0 0 18 18" aria-hidden="true">{_SIGNS[now.state]}</svg>'
        f"{WORDS[now.state]}</p>"
    )


def _facts(found: Overview) -> str:
    judged, newest = found.judged, found.newest
    bad = sum(bool(set(each.failed) & set(found.problem.retraining.checks)) for each in judged)
    ended = [row for row in found.decisions if not row.by_hand]
    promoted = sum(row.action == "promoted" for row in ended)
    facts = {
        "windows judged": f"{len(judged) + found.left_out:,}",
        "of them bad": f"{bad}",
        "versions": f"{len(ended)} <small>({promoted} promoted)</small>",
    }
    if newest and newest.error is not None:
        facts = {f"newest {found.metric}": f"{shown(newest.error)} <small>{escape(found.unit)}</small>", **facts}
    return '<dl class="facts">' + "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in facts.items()) + "</dl>"


def _picture(found: Overview, now: Present) -> str:
    if not found.columns:
        return ""
    grid = Grid(found.columns)
    lanes = [f(found, grid) for f in (error_panel, versions_lane, checks_lane, trainings_lane, notices_lane)]
    heat = drift_map(found, grid)
    panels: list[Panel] = [axis(grid), *(lane for lane in lanes if lane), *heat, axis(grid)]
    height, drawn, names = stack(panels, grid)
    older = f" The newest {len(found.columns)}; {found.left_out:,} older ones are left out." if found.left_out else ""
    said = f"{found.metric}, versions, checks, trainings and drift, one column per window. {now.sentence}"
    return (
        f'<section><h2>Window by window</h2><p class="quiet">Click a window, or use the arrow keys.{older}</p>'
        '<div class="chart" tabindex="0" role="group" aria-label="Timeline; arrow keys go from window to window">'
        f'<div class="names" style="height:{height:g}px">{names}</div>'
        f'<div class="plot" data-keys="{escape(" ".join(found.columns))}" data-cell="{grid.cell:g}">'
        f'<svg width="{grid.width:g}" height="{height:g}" role="img" aria-label="{escape(said)}">{drawn}</svg></div>'
        f'</div>{_legend(found, bool(heat))}<script type="application/json" id="distances">{distances(found)}</script>'
        "</section>"
    )


def _legend(found: Overview, heat: bool) -> str:
    entries = [
        ('<circle class="point" cx="8" cy="8" r="4"/>', "error"),
        ('<path class="badpoint" d="M8 1l6 11h-12z"/>', "its check failed, by error or bias"),
        ('<rect class="band" y="3" width="16" height="10"/><path class="heldout" d="M0 8H16"/>', "on held-out rows"),
        ('<path class="limit" d="M0 8H16"/>', "limit of the check, on rows as hard"),
        ('<path class="failed" d="M1 1h14v14h-14z"/><path class="cross" d="M4 4l8 8m0-8l-8 8"/>', "failed"),
        ('<rect class="ok" x="5" y="5" width="6" height="6"/>', "passed"),
        ('<circle class="dot" cx="3" cy="8" r="3"/><path class="cause" d="M3 8H16"/>', "what a training answers"),
        ('<circle class="won" cx="8" cy="8" r="8"/><path class="sign" d="M4 8l3 3.5l5-6.5"/>', "promoted"),
        ('<circle class="lost" cx="8" cy="8" r="7"/><path class="lostsign" d="M5.5 5.5l5 5m0-5l-5 5"/>', "rejected"),
    ]  # fmt: skip
    if found.notices:
        envelope = '<rect x="0.5" y="2" width="15" height="12" rx="2"/><path d="M1.5 3.5l6.5 5l6.5-5"/>'
        entries.append((f'<g class="letter badnews">{envelope}</g>', "people told, of bad news"))
    drawn = "".join(
        f'<span><svg width="16" height="16" aria-hidden="true">{sign}</svg>{text}</span>' for sign, text in entries
    )
    if heat:
        steps = "".join(f'<rect class="h{n}" x="{n * 18}" width="17" height="14"/>' for n in range(7))
        drawn += (
            f'<span>distance <svg width="126" height="14" aria-hidden="true">{steps}</svg> blue below the threshold, '
            'orange from it on, deepest at twice</span><span><svg width="16" height="16" aria-hidden="true">'
            '<rect class="h5" width="16" height="16"/><rect class="drifted" x="6" y="6" width="3" height="3"/></svg>'
            "drifted</span>"
        )
    if heat and found.importance:
        drawn += "<span>bar behind a name: what the version in production rests on</span>"
    return f'<div class="legend">{drawn}</div>'


def _inspector(found: Overview) -> str:
    """What the script fills; without one it is not there, and the tables say the same."""
    judged = found.judged
    if not judged:
        return ""
    return (
        f'<section id="inspector" data-window="{escape(judged[-1].key)}" aria-live="polite" hidden>'
        f"<h2>Window {escape(judged[-1].key)}</h2>"
        '<p class="quiet" hidden>It was not judged.</p><dl></dl></section>'
    )


def _sections(found: Overview) -> str:
    parts = [
        ("Versions", "decisions", bool(found.decisions), versions_table),
        ("Trainings", "trainings", bool(found.trainings), trainings_table),
        ("Told", "told", bool(found.notices), notices_table),
    ]
    drawn = "".join(
        f'<section id="{name}"><h2>{title}</h2>{table(found)}</section>' for title, name, there, table in parts if there
    )
    windows = f'<section id="windows"><details><summary>All windows in words ({len(found.judged)})</summary>'
    return drawn + (f"{windows}{windows_table(found)}</details></section>" if found.judged else "")


def _footer(found: Overview) -> str:
    name, links = found.problem.name, []
    if found.dagster_url:
        links.append(("Dagster", f"{found.dagster_url}/assets/{name}/overview?view=lineage"))
    if found.mlflow_url:
        links.append(("MLflow", f"{found.mlflow_url}/#/models/{name}"))
    as_of = f"As of {found.as_of[:16].replace('T', ' ')} UTC. " if found.as_of else ""
    return as_of + " · ".join(f'<a href="{escape(url)}">{text}</a>' for text, url in links)
