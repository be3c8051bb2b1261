"""A problem whose windows are judged and trained by the test itself, on a real instance and a real ledger.

What the sensor reads is written as Dagster writes it; what would take minutes (scoring, training) is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
from dagster import AssetCheckEvaluation, DagsterEventType
from dagster._core.events import StepMaterializationData
from dagster._core.remote_origin import RegisteredCodeLocationOrigin
from dagster._core.test_utils import create_run_for_test

from ml_assets.assets import keys
from ml_assets.assets.problem import build_problem_defs
from ml_assets.automation.evaluations import check_key
from ml_assets.automation.retraining import Wanted, wanted_retraining
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem, RetrainingPolicy
from ml_assets_tests.flights import flights

FIRST = "2013-04-01"
POLICY = RetrainingPolicy(bad_windows=2, of_last=3, cooldown_windows=2, quality_cooldown_windows=2)


def watched_problem(**changes: object) -> Problem:
    """Flights under a small policy."""
    policy = POLICY.model_copy(update=changes)
    return flights().model_copy(update={"retraining": policy})


@dataclass
class Watched:
    """The problem in one home; the first version was trained for `first`."""

    home: Path
    instance: dg.DagsterInstance
    problem: Problem
    first: str = FIRST

    @cached_property
    def ledger(self) -> Ledger:
        ledger = Ledger(url=f"sqlite:///{self.home / 'ledger.db'}")
        self._decide(ledger, self.first, "by hand")
        return ledger

    @cached_property
    def sensor(self) -> dg.SensorDefinition:
        defs = build_problem_defs(self.problem)
        return next(each for each in defs.sensors or () if each.name == keys.retraining_sensor(self.problem))

    def week(self, number: int) -> str:
        """Key of the window so many weeks after the first cutoff."""
        return window_of(self.problem.cadence, self.first).shift(number).key

    def judge(self, window: str, *failed: str, not_judged: tuple[str, ...] = ()) -> None:
        """A run that scores a window and judges it by the watched checks."""
        run = str(uuid4())
        for stage in ("predictions", "quality", "drift_report"):
            done = dg.AssetMaterialization(keys.stage(self.problem, stage), partition=window)
            self._report(run, DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(done))
        for check in self.problem.retraining.checks:
            key = check_key(self.problem, check)
            text = "Not judged: 12 labels < 500." if check in not_judged else "rmse 57.87."
            found = AssetCheckEvaluation(
                key.asset_key, key.name, check not in failed, metadata={}, description=text, partition=window
            )
            self._report(run, DagsterEventType.ASSET_CHECK_EVALUATION, found)

    def judge_weeks(self, verdicts: str, start: int = 0) -> None:
        """One week a letter: q bad by quality, b by drift, g good, - without a verdict."""
        failed = {"q": ("model_quality",), "b": ("target_drift",), "g": ()}
        for number, letter in enumerate(verdicts, start):
            if letter == "-":
                self.judge(self.week(number), not_judged=tuple(self.problem.retraining.checks))
            else:
                self.judge(self.week(number), *failed[letter])

    def tick(self, *, location: str = "here", cursor: str | None = None) -> dg.SensorResult:
        """One evaluation of the sensor in a code location."""
        context = dg.build_sensor_context(instance=self.instance, cursor=cursor, resources={"ledger": self.ledger})
        context._code_location_origin = RegisteredCodeLocationOrigin(location)
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        return result

    def skipped(self, **arguments: str) -> str:
        """Why an evaluation requests nothing."""
        result = self.tick(**arguments)
        assert not result.run_requests, result.run_requests
        return str(getattr(result.skip_reason, "skip_message", result.skip_reason))

    def wanted(self, *, in_minutes: float = 0) -> Wanted | str:
        """What the sensor wants, or will want."""
        return wanted_retraining(
            self.instance, self.problem, self.ledger, datetime.now(UTC) + timedelta(minutes=in_minutes)
        )

    def launch(self, request: dg.RunRequest) -> dg.DagsterRun:
        """The run that the daemon makes of a request."""
        return self.run(str(request.partition_key), tags=request.tags)

    def run(self, cutoff: str, tags: Mapping[str, str] | None = None, *, only: str = "") -> dg.DagsterRun:
        """A run of the training job, or of one asset of it, in flight; by hand in this process, or by a daemon."""
        whole = None if tags else frozenset[dg.AssetKey]()
        return create_run_for_test(
            self.instance,
            job_name=keys.training_job(self.problem),
            tags={keys.PROBLEM_TAG: self.problem.name, "dagster/partition": cutoff, **(tags or {})},
            status=dg.DagsterRunStatus.STARTED,
            asset_selection=frozenset({keys.stage(self.problem, only)}) if only else whole,
        )

    def succeed(self, run: dg.DagsterRun, *, decides: bool = True) -> None:
        """The run comes to a decision, if it does, and ends well."""
        if decides:
            self._decide(self.ledger, run.tags["dagster/partition"], run.run_id)
        self.instance.report_dagster_event(
            dg.DagsterEvent(DagsterEventType.RUN_SUCCESS.value, job_name=run.job_name), run.run_id
        )

    def fail(self, run: dg.DagsterRun, *, decided: bool = False) -> None:
        """The run fails, before or after the gate's decision."""
        if decided:
            self._decide(self.ledger, run.tags["dagster/partition"], run.run_id)
        self.instance.report_run_failed(run)

    def window(self, key: str) -> Window:
        return window_of(self.problem.cadence, key)

    def _decide(self, ledger: Ledger, cutoff: str, by: str) -> None:
        version = len(ledger.rows(self.problem)) + 1
        row = LedgerRow("rejected", version, cutoff, by, "not better", "why", "file:///m", "abc", {})
        ledger.record(self.problem, row)

    def _report(self, run: str, kind: DagsterEventType, data: Any) -> None:
        event = dg.DagsterEvent(kind.value, job_name=keys.window_job(self.problem), event_specific_data=data)
        self.instance.report_dagster_event(event, run)
