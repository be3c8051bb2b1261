"""CPU or GPU by declaration. There is no GPU on the machine that these tests are written for: where there is one,
the tests of fallback and refusal are skipped, and training on it is tested instead."""

from pathlib import Path

import pytest

from ml_assets.errors import GpuRequiredError
from ml_assets.ml.training.device import choice_of, choose_device, on_device, why_no_gpu
from ml_assets.spec import Compute
from ml_assets_tests.ml.small_search import SPEC, assert_same, run

without_gpu = pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU here")
with_gpu = pytest.mark.skipif(bool(why_no_gpu()), reason=f"NO GPU IS TESTED HERE: {why_no_gpu()}")


def test_the_cpu_is_taken_without_a_word_and_leaves_the_search_as_it_is() -> None:
    choice = choose_device(Compute())
    assert (choice.device, choice.warning) == ("cpu", "")
    assert on_device(SPEC, choice) == SPEC


@without_gpu
def test_without_a_gpu_the_search_falls_back_to_the_cpu_and_says_so(tmp_path: Path) -> None:
    choice = choose_device(Compute(device="cuda"))
    assert choice.device == "cpu"
    assert "no GPU is visible" in choice.warning
    fallen_back = run(tmp_path / "cuda", on_device(SPEC, choice), trials=2)
    assert_same(fallen_back, run(tmp_path / "cpu", SPEC, trials=2))


@without_gpu
def test_without_a_gpu_a_declaration_that_requires_one_fails_by_name() -> None:
    with pytest.raises(GpuRequiredError, match=r"`compute\.gpu_required` is set, but no GPU"):
        choose_device(Compute(device="cuda", gpu_required=True))


@with_gpu
def test_with_a_gpu_trees_are_grown_on_it(tmp_path: Path) -> None:
    choice = choose_device(Compute(device="cuda", gpu_required=True))
    assert choice == choice_of(Compute(device="cuda"), "")
    result = run(tmp_path / "log", on_device(SPEC, choice), trials=2)
    assert '"device":"cuda' in result.model.fitted.save_config().replace(" ", "")


def test_the_gpu_is_a_parameter_of_the_search_so_its_log_is_another() -> None:
    assert on_device(SPEC, choice_of(Compute(device="cuda"), "")).fixed["device"] == "cuda"
