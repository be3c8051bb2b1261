"""Drift of one window: planted changes are found, and nothing else; what cannot be judged says so."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import DriftColumnsError, FeatureTypeError
from ml_assets.ml.monitoring.report import ColumnDrift, DriftResult, drift_report
from ml_assets.spec import DriftPolicy, FeatureType, Task

FEATURES: dict[str, FeatureType] = {
    "wind": "float",
    "seats": "int",
    "ratio": "float",
    "carrier": "string",
    "weekend": "int",
}
ROWS = 2000
CARRIERS = ["AA", "B6", "DL", "UA"]


def window(seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Rows of the one distribution that all tests start from."""
    rng = np.random.default_rng(seed)
    wind = rng.normal(10, 4, rows)
    delay = 2 * wind + rng.normal(0, 10, rows)
    return pd.DataFrame(
        {
            "wind": wind,
            "seats": rng.integers(50, 300, rows),
            "ratio": rng.normal(0, 1e-5, rows),
            "carrier": rng.choice(CARRIERS, rows, p=[0.4, 0.3, 0.2, 0.1]),
            "weekend": rng.integers(0, 2, rows),
            "prediction": 2 * wind,
            "delay": np.where(rng.random(rows) < 0.1, np.nan, delay),
        }
    )


def report(
    folder: Path,
    current: pd.DataFrame,
    *,
    reference: pd.DataFrame | None = None,
    target: str | None = "delay",
    features: dict[str, FeatureType] = FEATURES,
    title: str = "Week 7",
    task: Task = "regression",
    **policy: object,
) -> DriftResult:
    return drift_report(
        window(0) if reference is None else reference,
        current,
        features=features,
        target=target,
        policy=DriftPolicy(**policy),
        html=folder / "drift.html",
        json=folder / "drift.json",
        title=title,
        task=task,
    )


def drifted(result: DriftResult) -> set[str]:
    every = [*result.features, result.prediction, *([result.target] if result.target else [])]
    return {column.column for column in every if column.drifted}


def feature(result: DriftResult, name: str) -> ColumnDrift:
    return next(column for column in result.features if column.column == name)


def test_the_same_distribution_does_not_drift(tmp_path: Path) -> None:
    result = report(tmp_path, window(1))
    assert result.judged
    assert drifted(result) == set()
    assert result.drifted_share == 0
    assert all(column.drifted is False and column.distance is not None for column in result.features)


@pytest.mark.parametrize("name", ["wind", "seats", "ratio"])
def test_a_shifted_number_drifts_and_only_it(tmp_path: Path, name: str) -> None:
    current = window(1)
    current[name] += current[name].std()
    result = report(tmp_path, current)
    assert drifted(result) == {name}
    assert feature(result, name).distance == pytest.approx(1, abs=0.1)
    assert result.drifted_share == pytest.approx(1 / 5)


def test_a_new_share_of_a_category_drifts_and_only_it(tmp_path: Path) -> None:
    current = window(1)
    current.loc[: ROWS // 3, "carrier"] = "XX"
    result = report(tmp_path, current)
    assert drifted(result) == {"carrier"}
    assert feature(result, "carrier").method == "jensenshannon"


def test_shifted_predictions_and_labels_drift_by_themselves(tmp_path: Path) -> None:
    current = window(1)
    current["prediction"] += 0.5 * current["prediction"].std()
    current["delay"] += 0.5 * current["delay"].std()
    assert drifted(report(tmp_path, current)) == {"prediction", "delay"}
    assert drifted(report(tmp_path, current, column_threshold=2)) == set()


def test_values_that_go_missing_drift_though_the_others_keep_their_distribution(tmp_path: Path) -> None:
    current = window(1)
    current.loc[np.random.default_rng(2).random(ROWS) < 0.6, "wind"] = np.nan
    result = report(tmp_path, current)
    wind = feature(result, "wind")
    assert drifted(result) == {"wind"}
    assert wind.distance is not None
    assert wind.distance < wind.threshold
    assert "missing values: 0% before, 6" in wind.note


@pytest.mark.parametrize(("share", "found"), [(0.08, set()), (0.12, {"carrier"})], ids=["below", "above"])
def test_missing_values_count_from_the_declared_share_on(tmp_path: Path, share: float, found: set[str]) -> None:
    current = window(1)
    current.loc[: int(share * ROWS) - 1, "carrier"] = None
    assert drifted(report(tmp_path, current, max_odd_share=0.1)) == found


def test_nullable_arrow_and_object_columns_are_judged_like_plain_ones(tmp_path: Path) -> None:
    plain = window(1)
    odd = plain.astype(
        {
            "wind": "Float64",
            "seats": "Int64",
            "ratio": "float64[pyarrow]",
            "carrier": "string[pyarrow]",
            "weekend": "boolean",
            "prediction": object,
            "delay": "float64[pyarrow]",
        }
    ).set_index(pd.Index(["same"] * ROWS))
    assert report(tmp_path, odd).features == report(tmp_path, plain).features


def test_codes_stay_the_same_categories_when_a_missing_value_made_them_floats(tmp_path: Path) -> None:
    reference, current = window(0), window(1)
    current["weekend"] = current["weekend"].where(current.index > 0)
    assert current["weekend"].dtype == float
    result = report(tmp_path, current, reference=reference, features=FEATURES | {"weekend": "string"})
    assert drifted(result) == set()


def test_columns_without_values_are_not_judged_and_say_so(tmp_path: Path) -> None:
    reference, current = window(0), window(1)
    for frame in (reference, current):
        frame["wind"], frame["carrier"], frame["seats"] = np.nan, None, 7
    result = report(tmp_path, current, reference=reference)
    for name in ("wind", "carrier"):
        assert feature(result, name).drifted is None
        assert feature(result, name).distance is None
        assert "no values" in feature(result, name).note
    assert feature(result, "seats").drifted is False
    assert "one value only" in feature(result, "seats").note
    assert len(result.watched) == 3


def test_a_column_that_lost_all_values_drifts(tmp_path: Path) -> None:
    current = window(1).assign(wind=np.inf, carrier=None)
    result = report(tmp_path, current)
    assert drifted(result) == {"wind", "carrier"}
    assert feature(result, "wind").distance is None


def test_a_number_that_leaves_its_constant_drifts(tmp_path: Path) -> None:
    result = report(tmp_path, window(1).assign(seats=101), reference=window(0).assign(seats=100))
    assert drifted(result) == {"seats"}


def test_more_categories_than_the_sample_can_tell_apart_are_not_judged(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    names = [f"N{i}" for i in range(1500)]
    reference, current = (window(i).assign(carrier=rng.choice(names, ROWS)) for i in (0, 1))
    tail = feature(report(tmp_path, current, reference=reference), "carrier")
    assert tail.drifted is None
    assert "sampling alone" in tail.note
    gone = feature(report(tmp_path, current.assign(carrier="?"), reference=reference), "carrier")
    assert gone.drifted is True


@pytest.mark.parametrize("column", ["wind", "prediction", "delay"])
@pytest.mark.parametrize("side", ["reference", "current"])
def test_a_lost_column_is_named(tmp_path: Path, column: str, side: str) -> None:
    frames = {"reference": window(0), "current": window(1)}
    frames[side] = frames[side].drop(columns=column)
    with pytest.raises(DriftColumnsError, match=f"The {side} rows lack {column}"):
        report(tmp_path, frames["current"], reference=frames["reference"])
    assert list(tmp_path.iterdir()) == []


def test_text_in_a_number_is_named(tmp_path: Path) -> None:
    with pytest.raises(FeatureTypeError, match="wind"):
        report(tmp_path, window(1).assign(wind="calm"))


@pytest.mark.parametrize("rows", [0, 1, 3, 499])
def test_a_window_below_the_least_rows_is_reported_but_not_judged(tmp_path: Path, rows: int) -> None:
    current = window(1, rows)
    current["wind"] += 100
    result = report(tmp_path, current, min_rows=500)
    assert not result.judged
    assert f"{rows} rows in the window" in result.note
    assert {column.drifted for column in (*result.features, result.prediction)} == {None}
    assert result.drifted_share == 0
    assert "Week 7" in (tmp_path / "drift.html").read_text()


def test_a_window_of_just_the_least_rows_is_judged(tmp_path: Path) -> None:
    assert report(tmp_path, window(1, 500), min_rows=500).judged


def test_a_reference_below_the_least_rows_judges_nothing(tmp_path: Path) -> None:
    result = report(tmp_path, window(1), reference=window(0, 0))
    assert not result.judged
    assert "0 in the reference" in result.note


def test_without_a_target_there_is_no_target_drift(tmp_path: Path) -> None:
    result = report(tmp_path, window(1).drop(columns="delay"), target=None)
    assert result.judged
    assert result.target is None
    assert json.loads((tmp_path / "drift.json").read_text())["quality"] is None


def test_labels_that_are_not_known_yet_are_not_judged(tmp_path: Path) -> None:
    result = report(tmp_path, window(1).assign(delay=np.nan))
    assert result.target is not None
    assert result.target.drifted is None
    assert "no values" in result.target.note
    assert result.prediction.drifted is False


def test_errors_of_all_labelled_rows_are_recorded(tmp_path: Path) -> None:
    current = window(1)
    report(tmp_path, current)
    quality = json.loads((tmp_path / "drift.json").read_text())["quality"]["window"]
    error = (current["prediction"] - current["delay"]).dropna()
    assert quality["rows"] == len(error)
    assert quality["bias"] == pytest.approx(error.mean())
    assert quality["rmse"] == pytest.approx((error**2).mean() ** 0.5)


def test_labels_of_zero_do_not_stop_the_report(tmp_path: Path) -> None:
    assert report(tmp_path, window(1).assign(delay=0.0)).target.drifted is True  # type: ignore[union-attr]


def test_ignored_features_keep_their_verdict_but_leave_the_share(tmp_path: Path) -> None:
    current = window(1)
    current["wind"] += 40
    full, ignoring = report(tmp_path, current), report(tmp_path, current, ignore=("wind",))
    assert ignoring.features == full.features
    assert (full.drifted_share, ignoring.drifted_share) == (pytest.approx(1 / 5), 0)
    assert "drifted (ignored)" in (tmp_path / "drift.html").read_text()


def test_the_verdict_is_evidently_s_distance_at_the_declared_threshold(tmp_path: Path) -> None:
    current = window(1)
    current["wind"] += 1
    result = report(tmp_path, current)
    wind = feature(result, "wind")
    records = json.loads((tmp_path / "drift.json").read_text())["evidently"]["metrics"]
    record = next(r for r in records if r["config"]["column"] == "wind")
    assert (record["config"]["method"], record["config"]["threshold"]) == ("wasserstein", 0.1)
    assert record["value"] == wind.distance
    at = {limit: report(tmp_path, current, column_threshold=limit) for limit in (0.2, 0.3)}
    assert wind.distance == pytest.approx(0.25, abs=0.04)
    assert [feature(at[limit], "wind").drifted for limit in (0.2, 0.3)] == [True, False]


def test_plain_evidently_gives_the_same_distances(tmp_path: Path) -> None:
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    reference, current = window(0), window(1)
    definition = DataDefinition(numerical_columns=["wind", "seats"], categorical_columns=["carrier"])
    names = ["wind", "seats", "carrier"]
    snapshot = Report([DataDriftPreset(num_method="wasserstein", cat_method="jensenshannon")]).run(
        Dataset.from_pandas(current[names], definition), Dataset.from_pandas(reference[names], definition)
    )
    expected = {m["config"]["column"]: m["value"] for m in snapshot.dict()["metrics"] if "column" in m["config"]}
    result = report(tmp_path, current, reference=reference)
    assert {name: feature(result, name).distance for name in names} == pytest.approx(expected, abs=1e-8)


def test_the_same_input_gives_the_same_verdicts_and_the_same_record(tmp_path: Path) -> None:
    current = window(1, 6000)
    first, second = (report(tmp_path / name, current) for name in ("a", "b"))
    assert first == second
    assert (tmp_path / "a/drift.json").read_bytes() == (tmp_path / "b/drift.json").read_bytes()
    assert "all 6,000 rows of the window" in first.note


def test_a_failed_report_leaves_the_former_one(tmp_path: Path) -> None:
    report(tmp_path, window(1))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == {"drift.html", "drift.json"}
    with pytest.raises(FeatureTypeError):
        report(tmp_path, window(2).assign(delay="late"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_page_has_its_title_and_stays_below_6_mb_with_45_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    wide: dict[str, FeatureType] = FEATURES | {f"extra_{i}": "float" for i in range(40)}
    reference, current = (
        window(i, 5000).join(pd.DataFrame(rng.normal(size=(5000, 40)), columns=list(wide)[5:])) for i in (0, 1)
    )
    report(tmp_path, current, reference=reference, features=wide, title="Flights & <weather>, week 7")
    page = (tmp_path / "drift.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>Flights &amp; &lt;weather&gt;, week 7</title>" in page
    assert all(name in page for name in wide)
    assert 'src="http' not in page
    assert "<link" not in page.split("<script>")[0]
    assert (tmp_path / "drift.html").stat().st_size < 6e6


def test_a_category_cannot_run_a_script_in_the_page(tmp_path: Path) -> None:
    attack = "</script><script>alert(1)</script>"
    current = window(1)
    current.loc[:900, "carrier"] = attack
    report(tmp_path, current, title=attack)
    page = (tmp_path / "drift.html").read_text()
    assert "<script>alert(1)" not in page
    assert "\\u003c/script>\\u003cscript>alert(1)" in page
