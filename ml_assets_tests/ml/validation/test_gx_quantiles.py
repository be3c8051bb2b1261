"""Several quantile rules on one column: each by its own quantile."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.ml.validation.expectations import judge
from ml_assets.spec import QuantileBetween


@pytest.mark.parametrize("column", [np.arange(101.0), pd.array(range(101), dtype="Int64")], ids=["float", "Int64"])
def test_quantile_rules_of_one_column_are_judged_each_by_its_own_quantile(column: object) -> None:
    rules = [
        QuantileBetween(kind="quantile_between", column="x", quantile=q, low=100 * q - 1, high=100 * q + 1)
        for q in (0.05, 0.5, 0.95)
    ]
    results = judge(pd.DataFrame({"x": column}), rules)
    assert [result.observed for result in results] == [5.0, 50.0, 95.0]
    assert [result.status for result in results] == ["passed"] * 3
