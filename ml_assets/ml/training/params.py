"""What a parameter of an estimator may be. It is written into JSON and given to MLflow, so it is plain."""

ParamValue = float | int | str | bool
