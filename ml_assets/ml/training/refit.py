"""The last training: the winner's parameters and rounds, on the validation rows as well."""

import pandas as pd

from ml_assets.errors import EstimatorError
from ml_assets.ml.estimators.interface import Rows, TrainingFailure
from ml_assets.ml.training.encoding import Encoder
from ml_assets.ml.training.fitting import inputs_of
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.targets import training_labels
from ml_assets.spec import Search


def refit(model: Model, rows: pd.DataFrame, spec: Search) -> Model:
    """A model like `model`, trained on other rows.

    Args:
        model: Says which features, label, parameters and how many rounds.
        rows: (n, ...) rows with the features and the label.
        spec: The search that found the model.

    Returns:
        A model whose encoder and classes are those of `rows`; the same rows give the same bytes.

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
        EstimatorError: The estimator refuses the parameters on these rows.
        TooManyCategoriesError: As `training.prepare`.
    """
    encoder = Encoder.fit(rows, model.encoder.features)
    labels, classes = training_labels(rows, model.label, model.task)
    inputs, rounds = inputs_of(encoder, model.task, classes), model.best_iteration + 1
    try:
        prepared = model.estimator.prepare(Rows(encoder.transform(rows), labels, inputs), spec)
        fitted, params = model.estimator.refit(prepared, inputs, model.params, rounds, spec)
    except TrainingFailure as failure:
        raise EstimatorError(model.estimator.reference, f"cannot be trained on all rows: {failure}") from failure
    about = (model.label, params, model.best_iteration, model.task, classes, model.estimator)
    return Model(fitted, encoder, *about)
