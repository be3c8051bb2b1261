"""What the encoder does with categories, missing values and columns that are not what was declared."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import FeatureTypeError, InfiniteFeatureError, MissingFeaturesError
from ml_assets.ml.training.encoding import Encoder
from ml_assets.spec import FeatureType

FEATURES: dict[str, FeatureType] = {"distance": "float", "carrier": "string", "hour": "int"}


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hour": pd.array([5, 6, None, 8], dtype="Int64"),
            "carrier": ["UA", "AA", None, "UA"],
            "distance": [100.0, 200.0, np.nan, 400.0],
            "not_a_feature": ["a", "b", "c", "d"],
        }
    )


def test_columns_stand_in_declared_order_and_categories_are_coded_by_name(frame: pd.DataFrame) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    matrix = encoder.transform(frame)
    assert matrix.dtype == np.float32
    assert encoder.feature_names == ["distance", "carrier", "hour"]
    assert encoder.feature_types == ["q", "c", "q"]
    np.testing.assert_array_equal(matrix, [[100, 1, 5], [200, 0, 6], [np.nan, np.nan, np.nan], [400, 1, 8]])


def test_the_order_of_training_rows_does_not_change_the_encoder(frame: pd.DataFrame) -> None:
    assert Encoder.fit(frame, FEATURES) == Encoder.fit(frame.iloc[::-1], FEATURES)


def test_an_unseen_category_is_missing(frame: pd.DataFrame) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    matrix = encoder.transform(frame.assign(carrier=["UA", "ZZ", "AA", "ua"]))
    np.testing.assert_array_equal(matrix[:, 1], [1, np.nan, 0, np.nan])


def test_rows_of_unseen_categories_are_counted_by_feature(frame: pd.DataFrame) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    assert encoder.unseen_categories(frame) == {"carrier": 0}
    assert encoder.unseen_categories(frame.assign(carrier=["ZZ", "ua", None, "ZZ"])) == {"carrier": 3}
    assert encoder.unseen_categories(frame.iloc[:0]) == {"carrier": 0}


def test_an_encoder_survives_the_round_trip_through_json(frame: pd.DataFrame) -> None:
    encoder = Encoder.fit(frame.assign(carrier=["Ü", 'a"b', None, "\u2028"]), FEATURES)
    again = Encoder.from_json(encoder.to_json())
    assert again == encoder
    assert again.feature_names == encoder.feature_names
    assert again.to_json() == encoder.to_json()


@pytest.mark.parametrize(
    "hours",
    [
        pytest.param(pd.array([5, 6, None, 8], dtype="Int64"), id="nullable-int"),
        pytest.param(pd.array([5, 6, None, 8], dtype="Float64"), id="nullable-float"),
        pytest.param(pd.array([5, 6, None, 8], dtype="int64[pyarrow]"), id="arrow"),
        pytest.param(np.array([5, 6, np.nan, 8], dtype="f4"), id="float32"),
        pytest.param(np.array([5, Decimal(6), None, np.int8(8)], dtype=object), id="objects"),
        pytest.param(pd.Categorical([5, 6, None, 8]), id="categories-of-numbers"),
    ],
)
def test_every_kind_of_number_is_encoded_alike(frame: pd.DataFrame, hours: object) -> None:
    matrix = Encoder.fit(frame, FEATURES).transform(frame.assign(hour=hours))
    np.testing.assert_array_equal(matrix[:, 2], [5, 6, np.nan, 8])


@pytest.mark.parametrize("kind", ["object", "category", "string", "string[pyarrow]"])
def test_every_kind_of_text_is_encoded_alike(frame: pd.DataFrame, kind: str) -> None:
    encoder = Encoder.fit(frame.assign(carrier=frame["carrier"].astype(kind)), FEATURES)
    assert encoder == Encoder.fit(frame, FEATURES)
    typed = frame.assign(carrier=frame["carrier"].astype(kind))
    np.testing.assert_array_equal(encoder.transform(typed), encoder.transform(frame))


def test_one_row_alone_is_encoded_as_among_others(frame: pd.DataFrame) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    whole = encoder.transform(frame)
    for position, row in enumerate(frame.to_dict("records")):  # as an online request would carry it
        np.testing.assert_array_equal(encoder.transform(pd.DataFrame([row])), whole[[position]])
    assert encoder.transform(frame.iloc[:0]).shape == (0, 3)


def test_a_text_column_without_any_value_is_missing_throughout(frame: pd.DataFrame) -> None:
    matrix = Encoder.fit(frame, FEATURES).transform(frame.assign(carrier=np.nan))
    assert np.isnan(matrix[:, 1]).all()


def test_a_missing_column_is_named(frame: pd.DataFrame) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    with pytest.raises(MissingFeaturesError, match=r"carrier, hour are no columns .* Add them"):
        encoder.transform(frame[["distance"]])
    with pytest.raises(MissingFeaturesError, match="distance"):
        Encoder.fit(frame.drop(columns="distance"), FEATURES)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        pytest.param("hour", ["5", "6", "7", "8"], "'hour' must hold numbers, but holds str '5'", id="text"),
        pytest.param("hour", [5, 6, "", 8], "'hour' must hold numbers, but holds str ''", id="empty-text"),
        pytest.param("hour", pd.date_range("2013-01-01", periods=4), "holds datetime64", id="times"),
        pytest.param("hour", np.ones(4, dtype=complex), "numbers, but holds complex128", id="complex"),
        pytest.param("carrier", [1, 2, 3, 4], "'carrier' must hold text, but holds int", id="number-as-text"),
        pytest.param("carrier", ["UA", 2, None, "AA"], "text, but holds int 2", id="mixed"),
        pytest.param("carrier", [["UA"], ["AA"], None, ["AA"]], "text, but holds unhashable", id="lists"),
    ],
)
def test_a_wrong_type_is_named(frame: pd.DataFrame, column: str, values: object, said: str) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    with pytest.raises(FeatureTypeError, match=said):
        encoder.transform(frame.assign(**{column: values}))


def test_a_column_that_stands_there_twice_is_named(frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame[["hour"]]], axis=1)
    with pytest.raises(FeatureTypeError, match="'hour' must hold one column, but holds 2 columns"):
        Encoder.fit(frame, FEATURES).transform(twice)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39], ids=str)
def test_an_infinite_value_is_refused_rather_than_hidden(frame: pd.DataFrame, value: float) -> None:
    encoder = Encoder.fit(frame, FEATURES)
    with pytest.raises(InfiniteFeatureError, match="'distance' is infinite or beyond float32 in 1 of 4"):
        encoder.transform(frame.assign(distance=[1.0, value, np.nan, 2.0]))
