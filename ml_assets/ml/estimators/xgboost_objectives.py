"""Which XGBoost objective and evaluation metric a task and its search loss mean."""

from collections.abc import Mapping

from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import GREATER_IS_BETTER, MetricName, Search, Task

_DEFAULT: Mapping[Task, str] = {
    "regression": "reg:squarederror",
    "binary": "binary:logistic",
    "multiclass": "multi:softprob",
}

_FITTING: Mapping[Task, tuple[str, ...]] = {
    "regression": ("reg:", "count:"),
    "binary": ("binary:logistic", "reg:logistic"),
    "multiclass": ("multi:softprob",),
}
"""Beginnings of the objectives whose predictions are what the platform takes them for: values, or probabilities."""

_EVAL: Mapping[MetricName, str] = {"average_precision": "aucpr", "accuracy": "error"}
_EVAL_OF_CLASSES: Mapping[MetricName, str] = {"logloss": "mlogloss", "accuracy": "merror"}


def objective(task: Task, loss: MetricName) -> str:
    """The objective of a search that declares none."""
    return "reg:absoluteerror" if loss == "mae" else _DEFAULT[task]


def misfit(task: Task, named: ParamValue) -> str:
    """Why an objective does not fit a task, or ""."""
    fitting = _FITTING[task]
    if str(named).startswith(fitting):
        return ""
    those = " or ".join(name if not name.endswith(":") else f"{name}..." for name in fitting)
    return f"'{named}' does not fit task {task}; leave it out, or use {those}"


def base_params(spec: Search, task: Task, classes: int) -> dict[str, ParamValue]:
    """What the task adds to the declared parameters: the objective where none is named, and how many classes."""
    params: dict[str, ParamValue] = {}
    if "objective" not in spec.space:
        params["objective"] = objective(task, spec.loss)
    if task == "multiclass":
        params["num_class"] = classes
    return params


def eval_metric(task: Task, loss: MetricName) -> str:
    """XGBoost's name of a search loss.

    Its `auc` of several classes weights each by how often it occurs, and its `aucpr` interpolates, where the
    platform's metrics do neither: early stopping and search go by XGBoost's, all that is reported by the platform's.
    """
    return (_EVAL_OF_CLASSES if task == "multiclass" else _EVAL).get(loss, loss)


def loss_of(loss: MetricName, value: float) -> float:
    """XGBoost's value as a loss to minimise; its `error` and `merror` are 1 - accuracy already."""
    return 1.0 - value if loss in GREATER_IS_BETTER and loss != "accuracy" else value
