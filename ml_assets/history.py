"""A problem run over its whole history in this process: what a user would otherwise click together in the UI.

The same jobs, on the same Dagster instance, so that the UI shows every run. Nothing is decided here that a
declaration decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from ml_assets.assets import keys
from ml_assets.errors import RunFailedError, TooLittleHistoryError
from ml_assets.ml.training.splits import split_windows
from ml_assets.ml.windows import Window, all_windows, window_of
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem

CODE_VERSION_TAG = "dagster/code_version"
_ALL_ASSETS = "__ASSET_JOB"
"""Dagster's own job of assets that no other job selects."""
_TRAINED_SHARE = 0.6
"""Share of the history before the cutoff that is taken where none is named: enough to learn from, enough to judge."""


@dataclass(frozen=True)
class History:
    """A problem, its definitions and the instance to run on."""

    problem: Problem
    defs: dg.Definitions
    instance: dg.DagsterInstance
    ledger: Ledger

    def run(self, cutoff: str | None = None) -> Iterator[str]:
        """Land everything, train one version, score and judge what follows; yields a line per finished step.

        Args:
            cutoff: Window that the version is for; by default the one after 60% of the windows.

        Raises:
            TooLittleHistoryError: No cutoff leaves enough windows before it.
            RunFailedError: A run failed.
        """
        problem = self.problem
        windows = all_windows(problem.cadence)
        at = window_of(problem.cadence, cutoff) if cutoff else self.default_cutoff(windows)
        split_windows(problem.split, at, problem.label)
        yield from self._land(windows)
        self._run(keys.training_job(problem), [at])
        row = self.ledger.rows(problem)[-1]
        yield f"version {row.version} for {at.key}: {row.action}, {row.reason}"
        following = [window for window in windows if window >= at]
        if following and self.ledger.production_as_of(problem, at.key):
            yield from self._score(following)
        self._run(_ALL_ASSETS, [], [keys.stage(problem, "overview")])

    def default_cutoff(self, windows: Sequence[Window]) -> Window:
        """The window after 60% of the history, or later where the split needs more before it."""
        for window in [*windows[int(_TRAINED_SHARE * len(windows)) :], windows[-1].shift(1)]:
            try:
                split_windows(self.problem.split, window, self.problem.label)
            except TooLittleHistoryError:
                continue
            return window
        needed = self.problem.split.test_windows + self.problem.split.validation_windows + 1
        raise TooLittleHistoryError(windows[-1].key, len(windows), needed)

    def labelled(self, windows: Sequence[Window]) -> list[Window]:
        """Those whose labels are known by the end of the cadence, or by now."""
        end = all_windows(self.problem.cadence)[-1].end
        late = timedelta(days=self.problem.label.lookahead_days)
        return [window for window in windows if window.end + late <= min(end, datetime.now(UTC))]

    def _land(self, windows: Sequence[Window]) -> Iterator[str]:
        problem = self.problem
        sources = [keys.source(problem, source.name) for source in problem.sources]
        views = [keys.features(problem, view.name) for view in problem.feature_views]
        missing = self._not_landed(windows, [*sources, *views])
        if views:
            self._run(f"{problem.feature_group}_feature_store", [])
        if missing:
            online = [keys.online(problem)] if views else []
            self._run(f"{problem.feature_group}_landing", missing, [*sources, *views, *online])
        yield f"{len(missing)} of {len(windows)} windows landed: {len(sources)} sources, {len(views)} feature views"
        self._run(keys.landing_job(problem), windows, [keys.stage(problem, "rows")])
        known = self.labelled(windows)
        self._run(self._labels_job, known, [keys.stage(problem, "labels")])
        yield f"rows of {len(windows)} windows, labels of {len(known)}"

    def _score(self, windows: Sequence[Window]) -> Iterator[str]:
        problem = self.problem
        quality = keys.stage(problem, "quality")
        self._run(keys.scoring_job(problem), windows, [keys.stage(problem, "predictions")])
        yield f"{len(windows)} windows scored"
        known = self.labelled(windows)
        if known:
            job = keys.judging_job(problem) if problem.label.lookahead_days else keys.scoring_job(problem)
            self._run(job, known, [quality])
        self._run(keys.scoring_job(problem), windows, [keys.stage(problem, "drift_report")])
        yield f"{len(windows)} windows judged, {len(known)} of them with labels"

    def _not_landed(self, windows: Sequence[Window], assets: Sequence[dg.AssetKey]) -> Sequence[Window]:
        """From the first window that some asset lacks; all, where an asset is declared otherwise than it was landed."""
        specs = {spec.key: spec.code_version for spec in self.defs.resolve_all_asset_specs()}
        landed = {window.key for window in windows}
        for key in assets:
            event = self.instance.get_latest_materialization_event(key)
            made = event.asset_materialization if event else None
            if made is None or (made.tags or {}).get(CODE_VERSION_TAG) != specs[key]:
                return windows
            landed &= set(self.instance.get_materialized_partitions(key))
        first = next((place for place, window in enumerate(windows) if window.key not in landed), len(windows))
        return windows[first:]

    @property
    def _labels_job(self) -> str:
        late = self.problem.label.lookahead_days
        return keys.judging_job(self.problem) if late else keys.landing_job(self.problem)

    def _run(self, job: str, windows: Sequence[Window], assets: Sequence[dg.AssetKey] | None = None) -> None:
        """One run: of one partition, of a range of them, or of none."""
        tags = {}
        if len(windows) > 1:
            tags["dagster/asset_partition_range_start"] = windows[0].key
            tags["dagster/asset_partition_range_end"] = windows[-1].key
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=windows[0].key if len(windows) == 1 else None,
            tags=tags,
            asset_selection=list(assets) if assets else None,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
        if not result.success:
            raise RunFailedError(job, result.run_id, _reason(result))


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """Message of the error that failed a run, without its traceback."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return error.message.strip().partition("\n")[0]
    return "see its log in the UI"
