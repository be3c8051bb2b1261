"""Where trainings run: what fits together, and what does not."""

import pytest
from pydantic import ValidationError

from ml_assets.spec import Compute

MASTER = "spark://10.0.0.5:7077"


def test_by_default_all_is_local_and_on_the_cpu() -> None:
    compute = Compute()
    assert not compute.uses_spark
    assert (compute.trials, compute.training, compute.device) == ("local", "local", "cpu")


@pytest.mark.parametrize("master", ["local", "local[2]", "local[*]", MASTER, "spark://a:1,b:2", "yarn", "k8s://h:443"])
def test_spark_masters_are_taken_as_spark_writes_them(master: str) -> None:
    assert Compute(spark_master=master, trials="spark").uses_spark


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        pytest.param({"trials": "spark"}, "`spark_master` is missing", id="trials-without-a-master"),
        pytest.param({"training": "spark"}, "`spark_master` is missing", id="training-without-a-master"),
        pytest.param(
            {"trials": "spark", "training": "external_memory", "spark_master": MASTER}, "keep one", id="both-at-once"
        ),
        pytest.param({"device": "cuda", "training": "external_memory"}, "device: cpu", id="external-memory-on-a-gpu"),
        pytest.param({"gpu_required": True}, "`gpu_required` is for `device: cuda`", id="gpu-without-cuda"),
        pytest.param({"spark_settings": {"spark.task.cpus": "2"}}, "`search.threads`", id="setting-of-ours"),
        pytest.param({"spark_settings": {"spark.authenticate.secret": "x"}}, "secrets belong", id="secret"),
        pytest.param({"spark_settings": {"hadoop.x": "1"}}, "pattern", id="no-spark-setting"),
        pytest.param({"spark_master": "spark://user:word@host:1"}, "pattern", id="password-in-the-address"),
        pytest.param({"spark_master": "http://host"}, "pattern", id="no-master"),
        pytest.param({"batch_rows": 10}, "1000", id="tiny-batches"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_remedy(declared: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Compute(**declared)


def test_a_refused_secret_is_not_repeated_in_our_message() -> None:
    with pytest.raises(ValidationError) as refused:
        Compute(spark_settings={"spark.authenticate.secret": "hunter2"})
    assert "hunter2" not in refused.value.errors()[0]["msg"]
