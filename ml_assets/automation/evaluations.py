"""What Dagster's instance knows of the checks that watch a problem, wherever they ran. It only reads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dagster import AssetCheckKey, DagsterInstance
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from ml_assets.assets import keys
from ml_assets.ml.monitoring.window_checks import NOT_JUDGED
from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import Problem

NEWEST_WINDOWS = 200
"""Windows of a check that are looked at: far more than any policy's."""
_PAGE, _PAGES = 500, 20
_DONE = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}


@dataclass(frozen=True)
class Evaluation:
    """The newest evaluation of a check on a window.

    Attributes:
        check, window: What was judged.
        passed: The verdict.
        text: The check's own words.
        numbers: Its metadata that are numbers.
        report: Address of the drift report; "" where it names none.
        run: Dagster run that judged.
        at: Seconds since the epoch.
    """

    check: str
    window: Window
    passed: bool
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    report: str = ""
    run: str = ""
    at: float = 0.0

    @property
    def judged(self) -> bool:
        """Whether there is a verdict: a check that passes for want of one is neither good nor bad news."""
        return not self.text.startswith(NOT_JUDGED)


def check_key(problem: Problem, name: str) -> AssetCheckKey:
    """Key of a watched check."""
    return AssetCheckKey(keys.stage(problem, keys.stage_of_check(name)), name)


def evaluations(instance: DagsterInstance, problem: Problem, checks: Sequence[str]) -> list[Evaluation]:
    """The newest evaluation of each check on each of the newest windows, oldest window first."""
    found = [each for check in checks for each in _evaluations(instance, problem, check)]
    return sorted(found, key=lambda each: (each.window.start, each.check))


def judged_windows(instance: DagsterInstance, problem: Problem) -> dict[Window, list[str]]:
    """Window -> failed ones of the checks that the retraining policy names; windows that none judged are absent."""
    judged: dict[Window, list[str]] = {}
    for each in evaluations(instance, problem, problem.retraining.checks):
        if each.judged:
            judged.setdefault(each.window, []).extend([] if each.passed else [each.check])
    return judged


def _evaluations(instance: DagsterInstance, problem: Problem, check: str) -> Collection[Evaluation]:
    key = check_key(problem, check)
    # Old windows that are judged late stand before the newest ones, so rows alone do not tell how far to look. Keys
    # stand in the order of time: they are ISO 8601, and of an hour that the clocks repeat the second one is longer.
    wanted = set(sorted(instance.get_materialized_partitions(key.asset_key))[-NEWEST_WINDOWS:])
    newest: dict[str, Evaluation] = {}
    cursor: int | None = None
    for _ in range(_PAGES):
        page = instance.event_log_storage.get_asset_check_execution_history(
            key, limit=_PAGE, cursor=cursor, status=_DONE
        )
        for record in page:
            if record.partition not in wanted or (found := _evaluation(record.event, problem, check)) is None:
                continue
            # The rows follow the order of planning, so the newest evaluation is found by its own time.
            former = newest.get(found.window.key)
            if former is None or former.at < found.at:
                newest[found.window.key] = found
        if len(page) < _PAGE or len(newest) == len(wanted):
            break
        cursor = page[-1].id
    return newest.values()


def _evaluation(entry: object, problem: Problem, check: str) -> Evaluation | None:
    """None for the row of a range run that has no window."""
    event = getattr(entry, "dagster_event", None)
    found = getattr(entry, "asset_check_evaluation", None) if event else None
    if found is None or found.partition is None:
        return None
    values = {name: value.value for name, value in found.metadata.items()}
    return Evaluation(
        check=check,
        window=window_of(problem.cadence, found.partition),
        passed=found.passed,
        text=found.description or "",
        numbers={name: float(value) for name, value in values.items() if isinstance(value, int | float)},
        report=values["report"] if isinstance(values.get("report"), str) else "",
        run=getattr(entry, "run_id", ""),
        at=getattr(entry, "timestamp", 0.0),
    )
