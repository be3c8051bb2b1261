"""What the page of a problem shows, as plain values. Where they come from is `assets/overview.py`'s business."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ml_assets.ml.monitoring.alerting import Training
from ml_assets.ml.promotion.decisions import LedgerRow, Period, current, periods
from ml_assets.spec import GREATER_IS_BETTER, AlertEvent, Problem

_IN_UNIT = ("rmse", "mae")


@dataclass(frozen=True)
class Mark:
    """A check on a window: `passed` None where it could not judge; its own words."""

    check: str
    passed: bool | None
    text: str


@dataclass(frozen=True)
class Cell:
    """A feature in a window: distance / threshold, and whether it drifted; None where that is not known."""

    ratio: float | None
    drifted: bool | None


@dataclass(frozen=True)
class WindowFacts:
    """A window that was judged.

    Attributes:
        key: Its key.
        version: Version that scored it; None where it has no rows.
        error, held_out: Its metric and the version's own on held-out rows, as the metric; None where not known.
        limit: The metric beyond which its check fails, which may be another for each window; None where there is none.
        rows: Rows with a label.
        marks: One per check, in the order of the checks.
        cells: Feature -> distance.
        report: Address of the drift report, relative to the page; "" where there is none.
        run: Dagster run that judged it last.
    """

    key: str
    version: int | None = None
    error: float | None = None
    held_out: float | None = None
    limit: float | None = None
    rows: int | None = None
    marks: tuple[Mark, ...] = ()
    cells: Mapping[str, Cell] = field(default_factory=dict)
    report: str = ""
    run: str = ""

    @property
    def failed(self) -> tuple[str, ...]:
        """Checks that failed."""
        return tuple(mark.check for mark in self.marks if mark.passed is False)


@dataclass(frozen=True)
class Notice:
    """Something that people were told: about which window, when it was found, and what became of the messages."""

    window: str
    kind: AlertEvent
    headline: str
    at: str
    outcome: str


@dataclass(frozen=True)
class Overview:
    """A problem as it stands.

    Attributes:
        problem: The declaration.
        columns: Keys of the windows that are shown, without gaps, oldest first.
        windows: Those of them that were judged.
        left_out: Judged windows that are older and not shown.
        decisions: All rows of the ledger, oldest first.
        intervals: Version -> interval of its held-out metric, as the metric; absent where it has none.
        trainings: Newest of each cutoff.
        notices: Oldest first.
        importance: Feature -> share, of the version in production, most important first; empty where not known.
        dagster_url, mlflow_url: Where links lead.
        as_of: When the newest of all this came to be known, UTC, ISO 8601; "" where nothing did.
    """

    problem: Problem
    columns: tuple[str, ...]
    windows: Mapping[str, WindowFacts]
    left_out: int = 0
    decisions: Sequence[LedgerRow] = ()
    intervals: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    trainings: Sequence[Training] = ()
    notices: Sequence[Notice] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    dagster_url: str = ""
    mlflow_url: str = ""
    as_of: str = ""

    @property
    def metric(self) -> str:
        """What is watched."""
        return self.problem.quality.metric

    @property
    def unit(self) -> str:
        """Its unit; "" where it has none."""
        return self.problem.label.unit if self.metric in _IN_UNIT else ""

    @property
    def small_is_good(self) -> bool:
        """Whether a small value is a good one."""
        return self.metric not in GREATER_IS_BETTER

    @property
    def judged(self) -> list[WindowFacts]:
        """Windows that were judged, oldest first."""
        return [self.windows[key] for key in self.columns if key in self.windows]

    @property
    def newest(self) -> WindowFacts | None:
        """The newest window with an error; where labels come late, not the newest that was judged."""
        return next((each for each in reversed(self.judged) if each.error is not None), None)

    @property
    def champion(self) -> LedgerRow | None:
        """The decision that holds."""
        return current(self.decisions)

    @property
    def reigns(self) -> list[Period]:
        """Who was production from which window on, until which."""
        return periods(self.decisions)

    @property
    def checks(self) -> list[str]:
        """Names of the checks, in their order."""
        return list(dict.fromkeys(mark.check for each in self.judged for mark in each.marks))

    @property
    def in_flight(self) -> list[Training]:
        """Trainings that are not over."""
        return [each for each in self.trainings if each.state == "in_flight"]

    def held_out(self, row: LedgerRow) -> float | None:
        """A version's metric on its held-out rows."""
        value = row.numbers.get(f"test_{self.metric}")
        return float(value) if isinstance(value, int | float) else None

    def decided(self, cutoff: str) -> LedgerRow | None:
        """The gate's newest decision on the version of a cutoff."""
        return next((row for row in reversed(self.decisions) if row.cutoff == cutoff and not row.by_hand), None)
