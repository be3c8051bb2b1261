"""The same in words: every window, version, training and alert, with links. The script reads the windows' rows."""

from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from ml_assets.ml.monitoring.alerting import Training
from ml_assets.ml.monitoring.overview.data import Mark, Overview, WindowFacts
from ml_assets.ml.promotion.decisions import stages
from ml_assets.ml.quality.metrics import shown

_FARTHEST = 5
_VERDICTS = {True: ("ok", "passed"), False: ("no", "failed"), None: ("un", "not judged")}


def windows_table(found: Overview) -> str:
    """Newest first."""
    unit = f" ({found.unit})" if found.unit else ""
    heads = ("window", "version", f"{found.metric}{unit}", "checks", "farthest features (× threshold)", "links")
    rows = [window_row(found, each) for each in reversed(found.judged)]
    return _table(heads, rows)


def window_row(found: Overview, window: WindowFacts) -> str:
    """One window."""
    cells = [
        f"<b>{escape(window.key)}</b>",
        _version(found, window.version),
        _error(window),
        "".join(_mark(mark) for mark in window.marks),
        _farthest(window),
        " · ".join(_window_links(found, window)),
    ]
    return f'<tr data-window="{escape(window.key)}">{_cells(cells)}</tr>'


def versions_table(found: Overview) -> str:
    """Every decision, newest first."""
    rows = []
    now = stages(found.decisions)
    for row in reversed(found.decisions):
        value, interval = found.held_out(row), found.intervals.get(row.version)
        text = "" if value is None else shown(value)
        text += f" <small>({shown(min(interval))} to {shown(max(interval))})</small>" if interval else ""
        decided = row.action.replace("_", " ") + (f" by {escape(row.user)}" if row.by_hand else "")
        cells = [
            _version(found, row.version),
            f"{escape(decided)} <small>{escape(row.reason)}</small>",
            f"<span>{escape(row.first_window)}</span>" if row.changes_production else "",
            text,
            escape(row.cause),
            f"{now[row.version]}",
            " · ".join([*_run_link(found, row.by), *_partition_link(found, "registered_version", row.cutoff)]),
        ]
        rows.append(f'<tr data-decision="{row.sequence}">{_cells(cells)}</tr>')
    heads = ("version", "decision", "scores from", f"held-out {found.metric}", "trained because", "now", "links")
    return _table(heads, rows)


def trainings_table(found: Overview) -> str:
    """Every training, newest first: from its cause to what became of it."""
    rows = [
        f"<tr>{_cells(_training(found, each))}</tr>"
        for each in sorted(found.trainings, key=lambda each: each.cutoff, reverse=True)
    ]
    return _table(("cutoff", "requested because", "bad windows", "ended", "links"), rows)


def notices_table(found: Overview) -> str:
    """Everything that people were told, newest first."""
    rows = [
        f"<tr>{_cells([escape(each.at[:16].replace('T', ' ')), escape(each.headline), escape(each.outcome)])}</tr>"
        for each in reversed(found.notices)
    ]
    return _table(("found (UTC)", "what", "messages"), rows)


def _training(found: Overview, training: Training) -> Iterator[str]:
    row = found.decided(training.cutoff)
    ended = training.state.replace("_", " ")
    if row and training.state == "succeeded":
        ended = f"version {row.version} {row.action} <small>{escape(row.reason)}</small>"
    yield f"<b>{escape(training.cutoff)}</b>"
    yield escape(training.cause or "started by hand")
    yield ", ".join(f"<span>{escape(key)}</span>" for key in training.windows)
    yield ended
    yield " ".join(_run_link(found, training.run))


def _error(window: WindowFacts) -> str:
    if window.error is None:
        return '<span class="un">not known</span>'
    text = f"<b>{shown(window.error)}</b>"
    if window.held_out is not None:
        text += f" <small>held out {shown(window.held_out)}</small>"
    text += f" <small>limit {shown(window.limit)}</small>" if window.limit is not None else ""
    return text + (f" <small>{window.rows:,} rows</small>" if window.rows else "")


def _mark(mark: Mark) -> str:
    css, word = _VERDICTS[mark.passed]
    return f'<div class="{css}"><em>{escape(mark.check)} {word}</em> <small>{escape(mark.text)}</small></div>'


def _farthest(window: WindowFacts) -> str:
    known = [(name, cell) for name, cell in window.cells.items() if cell.ratio is not None]
    known.sort(key=lambda item: (-(item[1].ratio or 0.0), item[0]))
    return ", ".join(f"{escape(name)} <small>{cell.ratio:.2g}</small>" for name, cell in known[:_FARTHEST])


def _window_links(found: Overview, window: WindowFacts) -> Iterator[str]:
    if window.report:
        yield _link(window.report, "drift report")
    yield from _partition_link(found, "quality", window.key)
    yield from _run_link(found, window.run)


def _version(found: Overview, version: int | None) -> str:
    if version is None:
        return ""
    address = f"{found.mlflow_url}/#/models/{quote(found.problem.name)}/versions/{version}"
    return _link(address, f"version {version}") if found.mlflow_url else f"version {version}"


def _run_link(found: Overview, run: str) -> Iterator[str]:
    # A decision by hand names a command instead of a run.
    if found.dagster_url and run and " " not in run:
        yield _link(f"{found.dagster_url}/runs/{quote(run)}", "run")


def _partition_link(found: Overview, stage: str, key: str) -> Iterator[str]:
    if found.dagster_url:
        path = f"assets/{quote(found.problem.name)}/{stage}?view=partitions&partition={quote(key)}"
        yield _link(f"{found.dagster_url}/{path}", "in Dagster")


def _link(address: str, name: str) -> str:
    return f'<a href="{escape(address)}">{escape(name)}</a>'


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _cells(cells: Sequence[str] | Iterator[str]) -> str:
    return "".join(f"<td>{cell}</td>" for cell in cells)
