"""Fitted scikit-learn objects as files: no pickle, nothing of the process, nothing that was not expected."""

import io
import zipfile

import numpy as np
import pytest
import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from ml_assets.ml.estimators.skops_files import from_skops_bytes, skops_bytes

X = np.random.default_rng(0).normal(size=(200, 3))
Y = X @ [1.0, 2.0, 0.0]


def test_equal_objects_give_equal_bytes_and_come_back() -> None:
    one, other = (Ridge(alpha=0.5).fit(X, Y) for _ in range(2))
    assert skops_bytes(one) == skops_bytes(other)
    again = from_skops_bytes(skops_bytes(one), ())
    np.testing.assert_array_equal(again.predict(X), one.predict(X))
    assert skops_bytes(again) == skops_bytes(one)
    assert skops_bytes(Ridge(alpha=0.6).fit(X, Y)) != skops_bytes(one)


def test_a_file_holds_arrays_without_pickle_and_one_schema_without_addresses() -> None:
    with zipfile.ZipFile(io.BytesIO(skops_bytes(HistGradientBoostingRegressor(max_iter=3).fit(X, Y)))) as archive:
        arrays = set(archive.namelist()) - {"schema.json"}
        assert arrays
        for name in arrays:
            np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
        assert "__id__" not in archive.read("schema.json").decode()


def test_a_type_that_is_not_trusted_is_refused() -> None:
    with pytest.raises(ValueError, match="TreePredictor"):
        from_skops_bytes(skops_bytes(HistGradientBoostingRegressor(max_iter=3).fit(X, Y)), ())


@pytest.mark.parametrize(
    "content", [b"", b"no zip", skops_bytes(Ridge().fit(X, Y))[:-30]], ids=["none", "text", "torn"]
)
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_skops_bytes(content, ())


def test_a_file_of_another_scikit_learn_is_refused() -> None:
    content = skops_bytes(Ridge().fit(X, Y))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["schema.json"] = files["schema.json"].replace(sklearn.__version__.encode(), b"0.24.0")
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    with pytest.raises(ValueError, match=r"0\.24\.0"):
        from_skops_bytes(changed.getvalue(), ())
