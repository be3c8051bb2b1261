"""The last training: the winner's parameters and rounds, on the validation rows as well."""

import pandas as pd

from ml_assets.ml.encoding import Encoder
from ml_assets.ml.model import Model, ParamValue
from ml_assets.ml.search_checks import DEFAULT_MAX_BIN
from ml_assets.ml.targets import training_labels
from ml_assets.spec import Search


def refit(model: Model, rows: pd.DataFrame, spec: Search) -> Model:
    """A model like `model`, trained on other rows.

    Args:
        model: Says which features, label, parameters and how many rounds.
        rows: (n, ...) rows with the features and the label.
        spec: The search that found the model.

    Returns:
        A model whose encoder, bins and classes are those of `rows`; the same rows give the same bytes.

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
    """
    import xgboost

    encoder = Encoder.fit(rows, model.encoder.features)
    labels, classes = training_labels(rows, model.label, model.task)
    matrix = xgboost.QuantileDMatrix(
        encoder.transform(rows),
        labels,
        feature_names=encoder.feature_names,
        feature_types=encoder.feature_types,
        max_bin=int(spec.fixed.get("max_bin", DEFAULT_MAX_BIN)),
        nthread=spec.threads,
    )
    params: dict[str, ParamValue] = dict(model.params)
    if classes:
        params["num_class"] = len(classes)  # there may be more among more rows
    booster = xgboost.train(params, matrix, num_boost_round=model.best_iteration + 1, verbose_eval=False)
    return Model(booster, encoder, model.label, params, model.best_iteration, model.task, classes)
