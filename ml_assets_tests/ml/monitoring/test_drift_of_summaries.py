"""Drift judged by summaries alone: the same verdicts as by rows, of one window or of many merged."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import DriftColumnsError
from ml_assets.ml.monitoring.preflight import summarise_frame
from ml_assets.ml.monitoring.report import DriftResult, compared_types, qualities, report_on
from ml_assets.ml.monitoring.summaries import TableSummary, merge
from ml_assets.spec import DriftPolicy, FeatureType
from ml_assets_tests.ml.monitoring.test_drift import FEATURES, drifted, feature, report, window

TYPES = compared_types(FEATURES, "delay", "regression")


def of_summaries(folder: Path, reference: TableSummary, current: TableSummary, **given: object) -> DriftResult:
    plain = {"features": FEATURES, "target": "delay", "policy": DriftPolicy(), "title": "Week 7"} | given
    return report_on(reference, current, html=folder / "drift.html", json=folder / "drift.json", **plain)  # type: ignore[arg-type]


def test_summaries_give_the_report_that_their_rows_give(tmp_path: Path) -> None:
    current = window(1, 9000)
    current["wind"] += 4
    by_rows = report(tmp_path, current)
    record, page = (tmp_path / "drift.json").read_bytes(), (tmp_path / "drift.html").stat().st_size
    kept = [TableSummary.from_json(summarise_frame(side, TYPES).to_json()) for side in (window(0), current)]
    quality = qualities(window(0), current, "delay", "regression")
    assert of_summaries(tmp_path, *kept, quality=quality) == by_rows
    assert (tmp_path / "drift.json").read_bytes() == record
    assert (tmp_path / "drift.html").stat().st_size == pytest.approx(page, rel=0.01)


def test_days_are_judged_as_a_month_without_their_rows(tmp_path: Path) -> None:
    days = [window(seed, 600) for seed in range(1, 9)]
    for day in days[4:]:
        day["carrier"] = "XX"
    month = merge([summarise_frame(day, TYPES) for day in days])
    result = of_summaries(tmp_path, summarise_frame(window(0), TYPES), month)
    by_rows = report(tmp_path, pd.concat(days, ignore_index=True))
    assert result.rows == 4800
    assert drifted(result) == drifted(by_rows) == {"carrier"}
    for mine, theirs in zip(result.features, by_rows.features, strict=True):
        assert mine.distance == pytest.approx(theirs.distance, abs=mine.error + theirs.error + 1e-9)


def test_labels_that_come_late_are_not_missing_values(tmp_path: Path) -> None:
    current = window(1)
    current.loc[600:, "delay"] = np.nan
    result = of_summaries(tmp_path, *(summarise_frame(side, TYPES) for side in (window(0), current)))
    assert result.target is not None
    assert result.target.drifted is False


def test_a_distance_that_its_error_leaves_open_says_so(tmp_path: Path) -> None:
    reference = window(0, 20_000)
    current = reference.assign(wind=reference["wind"] + 0.1 * np.std(reference["wind"]))
    wind = feature(of_summaries(tmp_path, *(summarise_frame(side, TYPES) for side in (reference, current))), "wind")
    assert 0 < wind.error < 0.0025
    assert wind.distance == pytest.approx(0.1, abs=wind.error)
    assert "the threshold is within" in wind.note
    columns = json.loads((tmp_path / "drift.json").read_text())["features"]
    assert next(c for c in columns if c["column"] == "wind")["error"] == wind.error


def test_numbers_of_at_most_five_values_are_compared_value_by_value(tmp_path: Path) -> None:
    result = of_summaries(tmp_path, *(summarise_frame(window(seed), TYPES) for seed in (0, 1)))
    methods = {name: feature(result, name).method for name in FEATURES}
    assert methods == {
        "wind": "wasserstein",
        "seats": "wasserstein",
        "ratio": "wasserstein",
        "carrier": "jensenshannon",
        "weekend": "jensenshannon",
    }


@pytest.mark.parametrize("side", ["reference", "current"])
def test_a_summary_without_a_column_is_refused(tmp_path: Path, side: str) -> None:
    whole, part = summarise_frame(window(0), TYPES), summarise_frame(window(0), {"wind": "float"})
    sides = (part, whole) if side == "reference" else (whole, part)
    with pytest.raises(DriftColumnsError, match=f"The {side} rows lack seats, ratio, carrier, weekend, prediction"):
        of_summaries(tmp_path, *sides)


def test_the_page_stays_below_6_mb_with_200_columns(tmp_path: Path) -> None:
    features: dict[str, FeatureType] = {f"c{i}": "string" if i % 5 == 0 else "float" for i in range(200)}
    sides = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        columns = {
            name: np.char.add("category ", rng.integers(0, 50, 2000).astype(str))
            if kind == "string"
            else rng.normal(seed, 1, 2000)
            for name, kind in features.items()
        }
        frame = pd.DataFrame({**columns, "prediction": rng.normal(size=2000)})
        sides.append(summarise_frame(frame, compared_types(features, None, "regression")))
    result = of_summaries(tmp_path, *sides, features=features, target=None)
    assert len(result.watched) == 200
    page = (tmp_path / "drift.html").read_text()
    assert all(f'"c{i}"' in page for i in range(200))
    assert (tmp_path / "drift.html").stat().st_size < 6e6
