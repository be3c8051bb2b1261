"""The gate on made-up errors whose truth is known."""

import numpy as np
import pytest

from ml_assets.ml.promotion import Verdict, compare
from ml_assets.spec import Promotion

ROWS, DAYS = 6000, 30
DAY = np.repeat(np.arange(DAYS), ROWS // DAYS)


def _gate(noise: float, *, day_noise: float = 0.0, policy: Promotion = Promotion()) -> Verdict:  # noqa: B008
    """A challenger whose error is `noise` against the champion's 1."""
    rng = np.random.default_rng(1)
    label = rng.normal(size=ROWS)
    shared = rng.normal(size=DAYS)[DAY] * day_noise
    challenger = label + noise * rng.normal(size=ROWS) + shared
    champion = label + rng.normal(size=ROWS)
    return compare(label, challenger, champion, DAY, policy, against="version 1")


def test_a_clearly_better_challenger_is_promoted() -> None:
    verdict = _gate(0.8)
    assert verdict.promote
    assert verdict.low < verdict.gain < verdict.high
    assert verdict.gain == pytest.approx(0.2, abs=0.03)


def test_a_worse_challenger_is_rejected() -> None:
    assert not _gate(1.2).promote


def test_an_equal_challenger_is_rejected() -> None:
    assert not _gate(1.0).promote


def test_a_gain_below_the_margin_is_rejected() -> None:
    assert not _gate(0.9, policy=Promotion(min_gain=0.2)).promote


def test_errors_shared_by_a_day_widen_the_interval() -> None:
    independent, shared = _gate(0.9), _gate(0.7, day_noise=0.6)
    assert shared.high - shared.low > 2 * (independent.high - independent.low)


def test_the_same_rows_give_the_same_verdict() -> None:
    assert _gate(0.95) == _gate(0.95)
