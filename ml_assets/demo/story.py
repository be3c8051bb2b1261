"""The main job of the demo, step by step: history, first version, then one week after the other.

It delivers files, presses the buttons that a person would press in the UI, and watches. What is trained,
judged and promoted is decided by the platform; retraining is launched by the sensor in the daemon.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ml_assets import servers
from ml_assets.assets import keys
from ml_assets.automation.evaluations import judged_windows
from ml_assets.demo.dagster_api import DagsterApi
from ml_assets.demo.deliveries import deliver
from ml_assets.errors import DemoError
from ml_assets.ml.monitoring.retraining import decide
from ml_assets.ml.windows import Window, all_windows, window_of
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.settings import Settings
from ml_assets.spec import Problem

FIRST_CUTOFF = "2013-04-01"
_MARKER = ".ml_assets_demo"
_RUN_S = 600.0


@dataclass
class Story:
    """One run of the demo."""

    problem: Problem
    settings: Settings
    lake: Lake
    ledger: Ledger
    api: DagsterApi
    console: Console
    progress: Progress

    def run(self) -> None:
        """The whole year."""
        weeks = scored_windows(self.problem)
        history = [w for w in all_windows(self.problem.cadence) if w not in weeks]
        self._backfill(history)
        self._job(keys.training_job(self.problem), FIRST_CUTOFF, "first version trained and decided upon")
        self._say_version()
        task = self.progress.add_task("weeks", total=len(weeks))
        landing = self._land(weeks[0])
        for week, following in zip(weeks, [*weeks[1:], None], strict=True):
            self.progress.update(task, description=f"week {week.key}")
            landing = self._week(week, landing, following)
            self.progress.advance(task)

    def _land(self, week: Window) -> str:
        """A week's files arrive; landing them needs no model."""
        deliver(self.problem, self.lake, week)
        return self.api.launch_job(keys.landing_job(self.problem), week.key)

    def _backfill(self, history: list[Window]) -> None:
        started = time.monotonic()
        for window in history:
            deliver(self.problem, self.lake, window)
        assets = [keys.source(self.problem, s.name) for s in self.problem.sources]
        assets += [keys.features(self.problem, v.name) for v in self.problem.feature_views]
        assets += [*(keys.stage(self.problem, name) for name in ("rows", "labels")), keys.online(self.problem)]
        with self._waiting(f"backfill of {len(history)} weeks"):
            # First in the queue, and done in seconds: long before the backfill comes to its online features.
            store = self.api.launch_job(keys.feature_store_job(self.problem))
            backfill = self.api.launch_backfill(assets, [w.key for w in history], "First quarter of 2013")
            self._require(self.api.wait_for_run(store, timeout_s=_RUN_S), store, "applying the feature definitions")
            run = self.api.run_of_backfill(backfill, timeout_s=120)
            self._require(self.api.wait_for_run(run, timeout_s=_RUN_S), run, "the backfill")
        self._say(f"{len(history)} weeks of history landed, features in Feast", started)

    def _job(self, job: str, partition: str | None, done: str) -> None:
        started = time.monotonic()
        with self._waiting(job):
            run = self.api.launch_job(job, partition)
            self._require(self.api.wait_for_run(run, timeout_s=_RUN_S), run, job)
        self._say(done, started)

    def _week(self, week: Window, landing: str, following: Window | None) -> str:
        """Score and judge a landed week while the next one lands; returns the run that lands it."""
        started = time.monotonic()
        self._require(self.api.wait_for_run(landing, timeout_s=_RUN_S), landing, f"landing week {week.key}")
        scoring = self.api.launch_job(keys.scoring_job(self.problem), week.key)
        landing = self._land(following) if following else ""
        self._require(self.api.wait_for_run(scoring, timeout_s=_RUN_S), scoring, f"week {week.key}")
        judged = judged_windows(self.api.instance, self.problem)
        failed = judged.get(week, [])
        self._say(f"week {week.key}  " + (f"[yellow]{', '.join(failed)}[/yellow]" if failed else "good"), started)
        cutoffs = [row.cutoff for row in self.ledger.rows(self.problem)]
        last = window_of(self.problem.cadence, max(cutoffs))
        decision = decide(judged, last.start, self.problem.retraining)
        if decision.retrain and following:
            self._retraining(decision.cutoff)
        return landing

    def _retraining(self, cutoff: str) -> None:
        """The sensor owes a retraining: wait for its run before the next week arrives."""
        started = time.monotonic()
        with self._waiting(f"retraining for {cutoff}"):
            run = self.api.run_of_job(keys.training_job(self.problem), cutoff, timeout_s=120)
            self._require(self.api.wait_for_run(run, timeout_s=_RUN_S), run, "the retraining")
        self._say(f"[cyan]sensor retrained[/cyan] with cutoff {cutoff}", started)
        self._say_version()

    def _say_version(self) -> None:
        row = self.ledger.rows(self.problem)[-1]
        colour = "green" if row.action == "promoted" else "red"
        self.console.print(f"    version {row.version} [{colour}]{row.action}[/{colour}], {row.reason}", soft_wrap=True)

    def _say(self, text: str, started: float) -> None:
        self.console.print(f"  {time.monotonic() - started:5.1f} s  {text}", soft_wrap=True)

    def _require(self, status: str, run: str, what: str) -> None:
        if status != "SUCCESS":
            raise DemoError(f"{what} ended as {status}: see {self.settings.dagster_url}/runs/{run} (`make ui`).")

    @contextmanager
    def _waiting(self, text: str) -> Iterator[None]:
        task = self.progress.add_task(text, total=None)
        try:
            yield
        finally:
            self.progress.remove_task(task)


def scored_windows(problem: Problem) -> list[Window]:
    """The windows that arrive one after the other, after the first training."""
    return [window for window in all_windows(problem.cadence) if window.key >= FIRST_CUTOFF]


def fresh_home(home: Path) -> None:
    """An empty folder for the demo's state; a former demo's state is removed, anything else is refused."""
    if home.exists() and any(home.iterdir()):
        if not (home / _MARKER).exists():
            raise DemoError(f"{home} holds something that is not a demo's: set ML_ASSETS_HOME to another folder.")
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARKER).touch()


def keep_home(home: Path) -> None:
    """From now on the folder holds more than a demo's state: a later demo refuses to clear it."""
    (home / _MARKER).unlink(missing_ok=True)


def tell(problem: Problem, settings: Settings, console: Console) -> None:
    """Run the demo in a fresh home against a Dagster of its own."""
    fresh_home(settings.home)
    lake = Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing"))
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        servers.dagster(settings) as server,
        dg.DagsterInstance.get() as instance,
        Progress(*columns, console=console, transient=True) as progress,
    ):
        api = DagsterApi(settings.dagster_url, instance)
        started = time.monotonic()
        task = progress.add_task("Dagster starts", total=None)
        server.wait(api.answers, timeout_s=180)
        progress.remove_task(task)
        console.print(f"  {time.monotonic() - started:5.1f} s  Dagster answers at {settings.dagster_url}")
        Story(problem, settings, lake, Ledger(url=settings.ledger_url), api, console, progress).run()
