"""A small report, made up: two policies on nine days, one of them with two retrainings."""

from ml_assets.replay.losses import Estimate
from ml_assets.replay.report import Outcome, Point, Report, Retrained

RETRAINED = (
    Retrained("2024-01-04", "2 bad windows <b>", True, "better"),
    Retrained("2024-01-07", "2 bad windows", False, "not surely better"),
)


def outcome(name: str, title: str, level: float, *retrained: Retrained, loss: float | None = None) -> Outcome:
    """A policy with the same error every day."""
    less = level / 100 if loss is None else loss
    points = [
        Point(f"2024-01-{day:02d}", "2024-01-01", Estimate(level, level - 1, level + 1), Estimate(less))
        for day in range(1, 10)
    ]
    real = len(retrained)
    return Outcome(name, title, retrained, 75.0, Estimate(level), Estimate(less, -0.01, 0.2), real, 8, 2, tuple(points))


def report(*outcomes: Outcome) -> Report:
    """A report; by default on the two policies."""
    two = (outcome("every", "every window", 3.0), outcome("declared", "as declared", 4.0, *RETRAINED))
    span = ("2024-01-01", "2024-01-09", 1234, 3)
    return Report("shop", "Who <leaves>?", "rmse", "days", "every", *span, outcomes or two)
