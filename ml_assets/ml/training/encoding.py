"""From feature columns to the one float32 matrix that XGBoost sees, in training, batch and online alike.

Only the encoding lives here: which columns are features is the declaration's business.
Missing values stay missing (NaN): XGBoost learns a direction for them, so nothing is imputed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from ml_assets.errors import FeatureTypeError, InfiniteFeatureError, MissingFeaturesError
from ml_assets.spec import FeatureType

_NUMBER = (int, float, np.number, np.bool_, Decimal)


@dataclass(frozen=True)
class Encoder:
    """What was learned from the training rows: the categories of each string feature.

    Attributes:
        features: Feature -> declared type, in the order of the matrix's columns.
        categories: String feature -> its categories, sorted; a category's code is its position.
    """

    features: Mapping[str, FeatureType]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def fit(cls, frame: pd.DataFrame, features: Mapping[str, FeatureType]) -> "Encoder":
        """Learn the categories of the string features; the order of rows does not matter.

        Args:
            frame: (n, >= k) training rows; other columns than the features are ignored.
            features: The k features and their types.

        Raises:
            MissingFeaturesError: A feature is no column of the frame.
            FeatureTypeError: A string feature holds something else than text.
        """
        _require(frame, features)
        texts = [name for name, kind in features.items() if kind == "string"]
        return cls(dict(features), {name: tuple(sorted(_factorize(frame, name)[1])) for name in texts})

    @property
    def feature_names(self) -> list[str]:
        """Names of the matrix's columns."""
        return list(self.features)

    @property
    def feature_types(self) -> list[str]:
        """XGBoost's types of the matrix's columns: "c" for categories, "q" for quantities."""
        return ["c" if kind == "string" else "q" for kind in self.features.values()]

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Encode rows.

        Missing values become NaN, and so does a category that training never saw. A number is never replaced:
        an infinite one is refused, since it is a fault of its SQL (a division by zero) that NaN would hide.

        Args:
            frame: (n, >= k) rows with every feature; n may be 0. Numbers may be of any numeric, boolean,
                nullable or arrow type, or objects that are numbers.

        Returns:
            (n, k) float32, row-major. Whole numbers above 2**24 are rounded.

        Raises:
            MissingFeaturesError: A feature is no column of the frame.
            FeatureTypeError: Text in a numeric feature, or something else than text in a string feature.
            InfiniteFeatureError: A value is infinite, or too large for float32.
        """
        _require(frame, self.features)
        matrix = np.empty((len(frame), len(self.features)), dtype=np.float32)
        for position, (name, kind) in enumerate(self.features.items()):
            matrix[:, position] = self._codes(frame, name) if kind == "string" else _quantities(frame, name)
        return matrix

    def unseen_categories(self, frame: pd.DataFrame) -> dict[str, int]:
        """String feature -> rows whose category training never saw; they are encoded as missing.

        Args:
            frame: (n, >= k) rows with every feature.

        Raises:
            MissingFeaturesError: A feature is no column of the frame.
            FeatureTypeError: A string feature holds something else than text.
        """
        _require(frame, self.features)
        return {name: self._unseen(frame, name) for name in self.categories}

    def to_json(self) -> str:
        """The same encoder as text: same encoder, same bytes."""
        plain = {"features": list(map(list, self.features.items())), "categories": dict(self.categories)}
        return json.dumps(plain, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Encoder":
        """The encoder that `to_json` wrote."""
        plain = json.loads(text)
        return cls(dict(plain["features"]), {name: tuple(v) for name, v in plain["categories"].items()})

    def _unseen(self, frame: pd.DataFrame, name: str) -> int:
        codes, values = _factorize(frame, name)
        known = set(self.categories[name])
        # The last entry answers the code -1, which stands for a missing value.
        unseen = np.array([value not in known for value in values] + [False])
        return int(unseen[codes].sum())

    def _codes(self, frame: pd.DataFrame, name: str) -> np.ndarray:
        codes, values = _factorize(frame, name)
        known = {value: float(code) for code, value in enumerate(self.categories[name])}
        # The last entry answers the code -1, which stands for a missing value.
        return np.array([known.get(value, np.nan) for value in values] + [np.nan], dtype=np.float32)[codes]


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A numeric column as (n,) float64, missing values as NaN, infinite ones as they are.

    Raises:
        FeatureTypeError: The column holds text, times or anything else that is no real number.
    """
    column = _column(frame, name)
    dtype = column.dtype
    if pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "c":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    present = column.dropna() if dtype.kind in "OSU" or isinstance(dtype, pd.CategoricalDtype) else None
    if present is None:
        raise FeatureTypeError(name, "numbers", str(dtype))
    for value in present:
        if not isinstance(value, _NUMBER):
            raise FeatureTypeError(name, "numbers", f"{type(value).__name__} {value!r}")
    return np.array([np.nan if pd.isna(value) else float(value) for value in column], dtype=np.float64)


def _quantities(frame: pd.DataFrame, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        values = numbers(frame, name).astype(np.float32)
    if infinite := int(np.isinf(values).sum()):
        raise InfiniteFeatureError(name, infinite, len(values))
    return values


def _factorize(frame: pd.DataFrame, name: str) -> tuple[np.ndarray, list[str]]:
    """(n,) positions into the list of distinct texts that follows; -1 where the value is missing."""
    column = _column(frame, name)
    try:
        codes, values = pd.factorize(column)
    except TypeError as error:  # unhashable: lists, dicts
        raise FeatureTypeError(name, "text", str(error)) from error
    for value in values:
        if not isinstance(value, str):
            raise FeatureTypeError(name, "text", f"{type(value).__name__} {value!r}")
    return codes, list(values)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise FeatureTypeError(name, "one column", f"{column.shape[1]} columns of that name")
    return column


def _require(frame: pd.DataFrame, features: Mapping[str, FeatureType]) -> None:
    if missing := [name for name in features if name not in frame.columns]:
        raise MissingFeaturesError(missing)
