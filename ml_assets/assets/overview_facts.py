"""What the page of a problem shows: read from Dagster, the ledger, the outbox, the lake and the drift records."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

from dagster import AssetRecordsFilter, DagsterInstance

from ml_assets.alerts.outbox import Outbox
from ml_assets.alerts.reading import trainings
from ml_assets.assets import keys
from ml_assets.automation.evaluations import NEWEST_WINDOWS, Evaluation, evaluations
from ml_assets.ml.monitoring.overview.data import Cell, Mark, Notice, Overview, WindowFacts
from ml_assets.ml.promotion.decisions import LedgerRow, current
from ml_assets.ml.quality.metrics import error_of
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem
from ml_assets.spec.monitoring import CheckName

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


def collect(problem: Problem, instance: DagsterInstance, lake: Lake, ledger: Ledger, reports: Reports) -> Overview:
    """All that the page shows."""
    found = evaluations(instance, problem, get_args(CheckName))
    rows, runs = ledger.rows(problem), trainings(instance, problem, _BEGINNING)
    told = list(_notices(problem, ledger)) if problem.alerts.receivers else []
    versions = _versions(instance, problem)
    judged = sorted({each.window for each in found})
    columns = _columns(problem, judged, [row.cutoff for row in rows] + [run.cutoff for run in runs])
    shown, champion = set(columns), current(rows)
    facts = {window.key: _facts(problem, window, found, lake, reports) for window in judged if window.key in shown}
    moments = [datetime.fromtimestamp(each.at, UTC) for each in found] + [run.at for run in runs]
    moments += [datetime.fromisoformat(at) for at in (*(row.at for row in rows), *(each.at for each in told))]
    return Overview(
        problem=problem,
        columns=columns,
        windows=facts,
        left_out=len(judged) - len(facts),
        decisions=rows,
        intervals=dict(_intervals(problem, versions)),
        trainings=runs,
        notices=told,
        importance=_importance(versions, champion),
        dagster_url=reports.dagster_url.rstrip("/"),
        mlflow_url=reports.mlflow_url.rstrip("/"),
        as_of=max(moments).isoformat(timespec="seconds") if moments else "",
    )


def _columns(problem: Problem, judged: Sequence[Window], cutoffs: Sequence[str]) -> tuple[str, ...]:
    """Windows from the first that is known to the last one, without gaps."""
    known = sorted({*judged, *(window_of(problem.cadence, key) for key in cutoffs)})
    if not known:
        return ()
    columns = [known[-1]]
    while columns[-1] > known[0] and len(columns) < NEWEST_WINDOWS:
        columns.append(columns[-1].shift(-1))
    return tuple(window.key for window in reversed(columns))


def _facts(problem: Problem, window: Window, found: Sequence[Evaluation], lake: Lake, reports: Reports) -> WindowFacts:
    here = {each.check: each for each in found if each.window == window}
    cells, scored = _cells(reports, problem, window), lake.stage(problem, "predictions", window.key)
    quality = here["model_quality"].numbers if "model_quality" in here else {}
    error, held_out = (_metric(problem, quality.get(name)) for name in ("error", "held_out"))
    newest = max(here.values(), key=lambda each: each.at)
    return WindowFacts(
        key=window.key,
        version=lake.about(scored).get("model_version") if scored.exists() else None,
        error=error,
        held_out=held_out,
        limit=_metric(problem, _limit(problem, quality)),
        rows=int(quality["rows"]) if "rows" in quality else None,
        marks=tuple(
            Mark(check, here[check].passed if here[check].judged else None, here[check].text)
            for check in get_args(CheckName)
            if check in here
        ),
        cells=cells,
        report=f"drift/{quote(window.key)}.html" if cells else "",
        run=newest.run,
    )


def _limit(problem: Problem, quality: Mapping[str, float]) -> float | None:
    """Error beyond which the check fails: the one that it worked out for the window, or the declared ratio's."""
    limits = [quality["limit"]] if "limit" in quality else []
    if problem.quality.max_ratio is not None and "held_out" in quality:
        limits.append(problem.quality.max_ratio * quality["held_out"])
    return min(limits, default=None)


def _cells(reports: Reports, problem: Problem, window: Window) -> dict[str, Cell]:
    """Feature -> distance, from the record beside the drift report; empty where there is none."""
    path = Path(reports.root, problem.name, "drift", f"{window.key}.json")
    if not path.exists():
        return {}
    return {each["column"]: _cell(each) for each in json.loads(path.read_text(encoding="utf-8"))["features"]}


def _cell(feature: Mapping[str, Any]) -> Cell:
    distance, threshold = feature["distance"], feature["threshold"]
    return Cell(None if distance is None or not threshold else distance / threshold, feature["drifted"])


def _metric(problem: Problem, error: float | None) -> float | None:
    return None if error is None else error_of(problem.quality.metric, error)


def _versions(instance: DagsterInstance, problem: Problem) -> dict[str, Mapping[str, Any]]:
    """Cutoff -> metadata of its newest `registered_version`."""
    key = keys.stage(problem, "registered_version")
    newest: dict[str, Mapping[str, Any]] = {}
    for record in instance.fetch_materializations(AssetRecordsFilter(key), limit=NEWEST_WINDOWS).records:
        made = record.asset_materialization
        if made is not None and made.partition is not None:
            newest.setdefault(made.partition, {name: value.value for name, value in made.metadata.items()})
    return newest


def _intervals(
    problem: Problem, versions: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[int, tuple[float, float]]]:
    metric = problem.quality.metric
    for about in versions.values():
        low, high = about.get(f"test_{metric}_low"), about.get(f"test_{metric}_high")
        if low is not None and high is not None:
            yield int(about["version"]), (float(low), float(high))


def _importance(versions: Mapping[str, Mapping[str, Any]], champion: LedgerRow | None) -> dict[str, float]:
    about = versions.get(champion.cutoff, {}) if champion else {}
    shares = about.get("feature_importance", {})
    return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))


def _notices(problem: Problem, ledger: Ledger) -> Iterator[Notice]:
    """What was found to be news and had receivers, with what became of the messages."""
    outbox = Outbox(ledger.url)
    windows = {alert.key: alert.latest for alert in outbox.told(problem.name)}
    letters: dict[str, list[Any]] = {}
    for letter in outbox.letters(problem.name):
        letters.setdefault(letter.key, []).append(letter)
    for key, sent in letters.items():
        counts = Counter(letter.state.replace("_", " ") for letter in sent)
        outcome = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
        first = sent[0]
        at = first.at.isoformat(timespec="seconds")
        yield Notice(windows[key], first.content.kind, first.content.headline, at, outcome)
