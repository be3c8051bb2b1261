"""The limits of a window's error and bias: the champion's own interval, and what the declaration sets besides."""

from dataclasses import dataclass

from ml_assets.ml.monitoring.held_out import Expected, HeldOut, Judgeable, Standing, standing
from ml_assets.ml.quality.metrics import Metrics, shown
from ml_assets.spec import GREATER_IS_BETTER, QualityPolicy, Task


@dataclass(frozen=True)
class Limits:
    """A window's error and bias, and what they are held against.

    Attributes:
        policy: The declared limits.
        error: Of the window, the metric itself or 1 - score.
        held_out: The champion's own.
        bias: Mean prediction - mean label; None for classes.
        here: The window in errors of its best constant; None where there is no interval.
        expected: What it may have in those.
    """

    policy: QualityPolicy
    error: float
    held_out: float
    bias: float | None
    here: Standing | None
    expected: Expected | None

    @property
    def harder(self) -> float | None:
        """Error of the best constant on the window / on the held-out rows; None where there is no interval."""
        return self.here.unit / self.expected.unit if self.here and self.expected else None

    def broken(self, task: Task, unit: str) -> list[str]:
        """What is worse than it may be, in words."""
        name, policy, wrong = _name(self.policy.metric), self.policy, []
        limit = self.limit
        if limit is not None and self.error > limit:
            wrong.append(f"{name} {shown(self.error)} beyond {shown(limit)}, the held-out interval's end on such rows")
        if policy.max_ratio is not None and self.error > policy.max_ratio * self.held_out:
            wrong.append(f"{name} {shown(self.error)} > {policy.max_ratio:g} x {shown(self.held_out)}")
        if self.bias is None:
            return wrong
        if policy.max_bias is not None and abs(self.bias) > policy.max_bias:
            wrong.append(f"bias {signed(task, unit, self.bias)} beyond {policy.max_bias:g}")
        if (ends := self.bias_limits) is not None and not ends[0] <= self.bias <= ends[1]:
            low, high = (signed(task, unit, end) for end in ends)
            wrong.append(f"bias {signed(task, unit, self.bias)} outside of {low} to {high}")
        return wrong

    @property
    def limit(self) -> float | None:
        """Error above which the window is worse than the held-out rows let expect; None where there is no interval.

        However wide the interval is, it ends where a constant would do better by more than matters: there the model is
        of no use. (Where it was of none on the held-out rows, that is nothing new.)
        """
        if not self.here or not self.expected:
            return None
        more = 1 + self.policy.min_loss
        return self.here.unit * max(min(self.expected.high, more), more * self.expected.error)

    @property
    def bias_limits(self) -> tuple[float, float] | None:
        """Interval of the bias, in the label's unit; None where there is none."""
        if not self.here or not self.expected or not self.here.bias or self.expected.bias is None or self.bias is None:
            return None
        unit, (low, high), least = self.bias / self.here.bias, self.expected.bias, self.policy.min_bias
        return unit * min(low, -least), unit * max(high, least)

    def numbers(self) -> dict[str, float]:
        """All of it as plain numbers."""
        found = {"error": self.error, "held_out": self.held_out, "limit": self.limit, "harder": self.harder}
        found["ratio"] = self.error / self.held_out if self.held_out else None
        if self.bias_limits:
            found["bias_low"], found["bias_high"] = self.bias_limits
        return {name: float(value) for name, value in found.items() if value is not None}


def limits_of(metrics: Metrics, held_out: HeldOut, policy: QualityPolicy, rows: Judgeable | None) -> Limits:
    """The limits of a window whose metric is defined, against a version whose error is.

    Args:
        metrics: Of the window's labelled rows.
        held_out: Of the version that scored it.
        policy: The declared limits.
        rows: The window's labelled rows; None: no interval.
    """
    assert held_out.error is not None  # asked for before
    error, bias = metrics.error(policy.metric), metrics.values.get("bias")
    expected = held_out.expected(policy, rows) if rows else None
    here = standing(policy.metric, rows) if rows and expected else None
    return Limits(policy, error, held_out.error, bias, here, expected)


def signed(task: Task, unit: str, bias: float) -> str:
    """A bias with its unit; that of a probability needs more digits and has none."""
    return f"{bias:+.4f}" if task == "binary" else f"{bias:+.2f} {unit}".rstrip()


def _name(metric: str) -> str:
    return f"1 - {metric}" if metric in GREATER_IS_BETTER else metric
