"""What the benchmark of retraining policies says of a report."""

import pytest

from benchmarks.replay import section, wanted
from ml_assets_tests.replay.sample import RETRAINED, outcome, report


@pytest.mark.parametrize(
    ("loss", "retrained", "of", "reached"),
    [
        pytest.param(0.01, 2, 6, True, id="at both limits"),
        pytest.param(0.0101, 2, 6, False, id="too much error"),
        pytest.param(-0.05, 2, 5, False, id="too many retrainings"),
    ],
)
def test_what_is_wanted_is_said_to_be_reached_or_not(loss: float, retrained: int, of: int, reached: bool) -> None:
    every = outcome("every", "every window", 3.0, *(RETRAINED * 3)[:of])
    found = wanted(report(every, outcome("declared", "as declared", 3.0, *RETRAINED[:retrained], loss=loss)))
    assert found.startswith("Reached: " if reached else "**Not reached**: ")
    assert f"{loss:+.2%} of error with {retrained} retrainings against {of}." in found


def test_a_section_has_a_row_for_each_policy() -> None:
    text = section(report(outcome("every", "every window", 3.0, *RETRAINED), outcome("declared", "as declared", 4.0)))
    assert "9 windows, 2024-01-01 to 2024-01-09, 1,234 labelled rows." in text
    assert "| every window | 2 (1 promoted) | 1 min 15 s | 3.00" in text
    assert "| as declared | 0 | 1 min 15 s | 4.00" in text
