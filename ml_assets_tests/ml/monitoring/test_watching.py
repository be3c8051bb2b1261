"""A version's windows watched: importance, seasons, segments, intervals; planted faults found, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.drift_history import Champion, made_up
from ml_assets.errors import SummaryFormatError
from ml_assets.ml.monitoring.baseline import Baseline, block_keys, make_baseline
from ml_assets.ml.monitoring.held_out import HeldOut, Judgeable
from ml_assets.ml.monitoring.watching import (
    ALL,
    judge_drift,
    judge_quality,
    merge_windows,
    summarise_window,
    summary_from_json,
    summary_to_json,
)
from ml_assets.ml.monitoring.window_checks import CheckVerdict
from ml_assets.ml.windows import window_of
from ml_assets.spec import Cadence, Segment

LABEL = "arr_delay"


@pytest.fixture(scope="module")
def champion() -> Champion:
    return made_up()


def window(champion: Champion, place: int = 0) -> pd.DataFrame:
    return list(champion.following.values())[place]


def drift(champion: Champion, rows: pd.DataFrame, baseline: Baseline | None = None) -> dict[str, CheckVerdict]:
    current = summarise_window(champion.problem, champion.scored(rows))
    return {v.check: v for v in judge_drift(champion.problem, baseline or champion.baseline, current)[1]}


def quality(champion: Champion, rows: pd.DataFrame) -> CheckVerdict:
    return judge_quality(champion.problem, champion.held_out, champion.scored(rows))[1]


def failed(verdicts: Mapping[str, CheckVerdict]) -> set[str]:
    return {name for name, verdict in verdicts.items() if not verdict.passed}


def with_policy(champion: Champion, **drift: object) -> Champion:
    problem = champion.problem.model_copy(update={"drift": champion.problem.drift.model_copy(update=drift)})
    return replace(champion, problem=problem)


def test_a_window_like_the_others_passes_all_checks(champion: Champion) -> None:
    for place in (0, 1):
        assert failed(drift(champion, window(champion, place))) == set()
        assert quality(champion, window(champion, place)).passed


def test_a_shift_that_is_small_is_no_drift_however_many_rows_it_has(champion: Champion) -> None:
    rng, one = np.random.default_rng(5), champion.rows
    many = pd.concat([one.sample(100_000, replace=True, random_state=5)], ignore_index=True)
    many["wind"] += 0.05 + rng.normal(0, 0.001, len(many))
    assert drift(champion, many)["data_drift"].passed


def test_drifted_features_count_by_their_importance(champion: Champion) -> None:
    rows = window(champion)
    shares = champion.baseline.importance
    assert shares["hour"] + shares["wind"] > 0.8
    minor = drift(champion, rows.assign(carrier="AA"))["data_drift"]
    assert minor.numbers["drifted_features"] == 1
    assert minor.numbers["drifted_share"] == pytest.approx(shares["carrier"])
    assert minor.passed
    major = drift(champion, rows.assign(hour=rows["hour"] + 12))["data_drift"]
    assert major.numbers["drifted_share"] == pytest.approx(shares["hour"])
    assert not major.passed


def test_lost_and_impossible_values_are_bad_data(champion: Champion) -> None:
    rows = window(champion)
    assert "hour 100% missing" in drift(champion, rows.assign(hour=np.nan))["data_quality"].text
    assert "wind 100% new or out of range" in drift(champion, rows.assign(wind=rows["wind"] + 100))["data_quality"].text
    new = rows.assign(carrier=rows["carrier"].mask(rows.index < 300, "XX"))
    assert "carrier 50% new" in drift(champion, new)["data_quality"].text


def test_a_bias_is_bad_quality_and_so_is_a_changed_concept_but_harder_rows_are_not(champion: Champion) -> None:
    rows = window(champion)
    assert "outside of" in quality(champion, rows.assign(**{LABEL: rows[LABEL] + 5})).text
    shuffled = rows.assign(**{LABEL: rows[LABEL].sample(frac=1, random_state=1).to_numpy()})
    concept = quality(champion, shuffled)
    assert not concept.passed
    assert concept.numbers["error"] > concept.numbers["limit"]
    wide = rows[(rows["hour"] < 5) | (rows["hour"] > 19)]
    wide = pd.concat([wide] * 3, ignore_index=True)
    harder = quality(champion, wide)
    assert harder.numbers["harder"] > 1.2
    assert harder.passed


def test_small_windows_get_wide_intervals(champion: Champion) -> None:
    held_out, policy = champion.held_out[ALL], champion.problem.quality
    limits = []
    for days in (1, 7):
        rows = window(champion)
        first = rows["event_timestamp"].min().floor("D")
        part = rows[rows["event_timestamp"] < first + pd.Timedelta(days=days)]
        expected = held_out.expected(policy, Judgeable.of(champion.problem, champion.scored(part)))
        assert expected is not None
        limits.append((expected.high, expected.bias))
    assert limits[0][0] > limits[1][0]
    assert limits[0][1][1] > limits[1][1][1] > 0  # type: ignore[index]


def test_without_held_out_rows_only_declared_limits_count(champion: Champion) -> None:
    rows = window(champion).assign(**{LABEL: 1000.0 + np.arange(len(window(champion)))})
    alone = {ALL: HeldOut(3.0)}
    assert judge_quality(champion.problem, alone, champion.scored(rows))[1].passed
    strict = champion.problem.quality.model_copy(update={"max_ratio": 1.5, "max_bias": 7})
    problem = champion.problem.model_copy(update={"quality": strict})
    found = judge_quality(problem, alone, champion.scored(rows))[1]
    assert not found.passed
    assert "> 1.5 x 3.00" in found.text
    assert "beyond 7" in found.text


def test_a_segment_that_drifts_fails_the_check_though_all_rows_do_not(champion: Champion) -> None:
    watched = with_policy(champion, segments=(Segment(column="carrier"),), min_rows=100)
    rows = watched.rows
    rows = rows[(rows["carrier"] == "AA") | (rows.index % 5 == 0)]
    moved = rows.assign(hour=rows["hour"].mask(rows["carrier"] == "UA", 23.0)).tail(1500)
    verdict = drift(watched, moved)["data_drift"]
    assert not verdict.passed
    assert {name: each.passed for name, each in verdict.segments.items()} == {"carrier=AA": True, "carrier=UA": False}
    assert "segment carrier=UA" in verdict.text
    assert "carrier=UA" in watched.baseline.segments
    assert failed(drift(watched, window(watched))) == set()


def test_a_segment_whose_error_grows_fails_the_quality(champion: Champion) -> None:
    policy = champion.problem.quality.model_copy(update={"segments": (Segment(column="carrier"),), "min_rows": 100})
    watched = replace(champion, problem=champion.problem.model_copy(update={"quality": policy}))
    rows = window(watched)
    one = rows["carrier"] == "UA"
    labels = rows[LABEL].mask(one, rows.loc[one, LABEL].sample(frac=1, random_state=2).set_axis(rows.index[one]))
    verdict = quality(watched, rows.assign(**{LABEL: labels}))
    assert {name: each.passed for name, each in verdict.segments.items()} == {"carrier=AA": True, "carrier=UA": False}
    assert not verdict.passed
    assert quality(watched, rows).passed


def test_seasonal_features_are_compared_with_the_same_season_or_not_at_all(champion: Champion) -> None:
    watched = with_policy(champion, seasonal=("wind",))
    assert set(watched.baseline.seasons) == set(watched.rows["window"])
    first = min(watched.baseline.seasons)
    current = summarise_window(watched.problem, watched.scored(window(watched)))
    next_year = window_of(watched.problem.cadence.model_copy(update={"end": None}), "2014-01-06")
    for at, known in ((window_of(watched.problem.cadence, first), False), (next_year, True)):
        [wind] = [
            f
            for f in judge_drift(watched.problem, watched.baseline, current, at)[0].result.features
            if f.column == "wind"
        ]
        assert (wind.drifted is not None) == known
        assert ("no rows of this season" in wind.note) != known


def test_the_expected_error_follows_the_predictions_and_warns_before_labels(champion: Champion) -> None:
    usual = drift(champion, window(champion))["expected_quality"]
    assert usual.numbers["expected_ratio"] == pytest.approx(1, abs=0.1)
    curve = champion.baseline.curve
    assert curve is not None
    worse = replace(curve, values=tuple(v * (20 if place > 7 else 1) for place, v in enumerate(curve.values)))
    late = window(champion).assign(hour=23.5)
    verdict = drift(champion, late, replace(champion.baseline, curve=worse))["expected_quality"]
    assert not verdict.passed
    assert "from the predictions alone" in verdict.text


def test_a_baseline_is_the_same_after_json_and_of_the_same_rows(champion: Champion) -> None:
    watched = with_policy(champion, seasonal=("wind",), segments=(Segment(column="carrier"),), min_rows=100)
    text = watched.baseline.to_json()
    assert Baseline.from_json(text).to_json() == text
    assert make_baseline(watched.problem, watched.model, watched.rows).to_json() == text
    for wrong in (b"", b"[]", b'{"format": 99}'):
        with pytest.raises(SummaryFormatError):
            Baseline.from_json(wrong)


def test_days_are_merged_to_a_week_without_their_rows(champion: Champion) -> None:
    scored = champion.scored(window(champion))
    days = [part for _, part in scored.groupby(scored["event_timestamp"].dt.floor("D"))]
    parts = [summary_from_json(summary_to_json(summarise_window(champion.problem, day))) for day in days]
    whole = summarise_window(champion.problem, scored)
    merged, plain = (judge_drift(champion.problem, champion.baseline, each) for each in (merge_windows(parts), whole))
    assert len(days) == 7
    assert merged[0].result.rows == len(scored)
    for one, other in zip(merged[0].result.columns, plain[0].result.columns, strict=True):
        assert one.drifted == other.drifted
        assert one.distance == pytest.approx(other.distance, abs=one.error + other.error + 1e-9)
    with pytest.raises(SummaryFormatError):
        summary_from_json(b"[1]")


def test_rows_belong_to_the_window_of_their_event_and_not_of_their_prediction() -> None:
    cadence = Cadence.model_validate({"kind": "daily", "start": "2013-03-09", "timezone": "America/New_York"})
    times = pd.Series(pd.to_datetime(["2013-03-10T02:30Z", "2013-03-10T03:30Z", "2013-03-11T02:30Z"]))
    # Midnight is at 5 UTC, and at 4 UTC once the clocks have changed; rows are scored two hours before their event.
    assert list(block_keys(times, 2, cadence)) == ["2013-03-09", "2013-03-10", "2013-03-11"]
