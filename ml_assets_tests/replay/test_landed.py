"""What a replay knows, and when: the platform's own training sets, joined once, and labels as of a window."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.validation_history import land_history
from ml_assets.assets.dataset import training_set
from ml_assets.ml.windows import all_windows, window_of
from ml_assets.replay.landed import Landed
from ml_assets.spec import Problem
from ml_assets_tests.assets import visits
from ml_assets_tests.replay import planted
from ml_assets_tests.scenario import Scenario


@pytest.fixture
def seven_days(tmp_path: Path) -> Scenario:
    """Visits with feature views, landed without Dagster."""
    return Scenario(visits.declared(), tmp_path, None)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_training_set_is_the_one_that_the_platform_makes(seven_days: Scenario) -> None:
    problem = seven_days.problem
    windows = all_windows(problem.cadence)[:7]
    visits.deliver(seven_days, *(window.key for window in windows))
    lake, store = land_history(problem, [problem], seven_days.home, windows)
    cutoff = window_of(problem.cadence, visits.CUTOFF)
    ours = Landed.read(problem, lake, store).training_set(cutoff)
    theirs = training_set(problem, cutoff, lake, store)
    assert len(theirs) > 500
    assert theirs[["mean_x", "z"]].notna().all().all()
    pd.testing.assert_frame_equal(ours[theirs.columns], theirs)


def _landed(tmp_path: Path, **changes: object) -> tuple[Problem, Landed]:
    problem = planted.declared(**changes)
    planted.land(tmp_path, problem, late_hours=36)
    return problem, planted.read(tmp_path, problem)


def test_a_label_counts_from_the_judging_of_the_window_in_which_it_became_known(tmp_path: Path) -> None:
    problem, landed = _landed(tmp_path)
    turn = window_of(problem.cadence, planted.TURN)
    # A window is judged a day after its end; half of the labels come within these 36 hours from its noon.
    known = [int(np.isfinite(landed.labels_of(turn, newest=turn.shift(later))).sum()) for later in (0, 1, 2)]
    assert known == [87, 150, 150]
    assert np.isfinite(landed.labels_of(turn)).all()


def test_labels_that_look_ahead_wait_until_so_many_days_have_landed(tmp_path: Path) -> None:
    label = planted.DECLARED["label"] | {"lookahead_days": 3}
    problem, landed = _landed(tmp_path, label=label)
    turn = window_of(problem.cadence, planted.TURN)
    known = [bool(np.isfinite(landed.labels_of(turn, newest=turn.shift(later))).any()) for later in (0, 2, 3)]
    assert known == [False, False, True]


def test_a_training_knows_no_label_that_came_after_its_cutoff(tmp_path: Path) -> None:
    problem, landed = _landed(tmp_path)
    frame = landed.training_set(window_of(problem.cadence, "2024-01-12"))
    assert frame["label_known_at"].max() <= pd.Timestamp("2024-01-12", tz="UTC")
    assert len(frame) < 4 * planted.ROWS  # of the last days some are not known yet
