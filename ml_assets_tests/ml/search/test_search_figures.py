"""Pictures of searches with pruned, failed and hardly any trials."""

import pytest

from ml_assets.ml.figures import inline
from ml_assets.ml.search.figures import parameters_figure, search_figure
from ml_assets.ml.search.trial_log import Trial
from ml_assets.spec import Choice, Distribution, LogUniform

SPACE: dict[str, Distribution] = {
    "eta": LogUniform(kind="loguniform", low=0.01, high=1),
    "grow_policy": Choice(kind="choice", values=("depthwise", "lossguide")),
}


def trial(number: int, loss: float | None, status: str = "ok", eta: float = 0.1, grow: str = "depthwise") -> Trial:
    return Trial(number, {"eta": eta, "grow_policy": grow}, loss, {}, None, 0.0, status)  # type: ignore[arg-type]


TRIALS = [
    trial(0, None, "failed"),
    trial(1, 3.0, eta=0.01),
    trial(2, 1.0, "pruned", eta=1.0),
    trial(3, 2.0, eta=0.1, grow="lossguide"),
    trial(4, None, "timed_out"),
]


def test_losses_by_trial_show_what_became_of_each() -> None:
    [axes] = search_figure(TRIALS).axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert drawn["to its end"] == [[1, 3], [3, 2]]
    assert drawn["pruned"] == [[2, 1]]
    assert [x for x, _ in drawn["failed"]] == [0, 4]
    assert [y for _, y in drawn["best so far"]][1:] == [3, 3, 2, 2]  # a pruned trial is never the best


def test_parallel_coordinates_lead_each_trial_through_its_values() -> None:
    [axes] = parameters_figure(TRIALS, SPACE).axes
    through = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 2 and line.get_linewidth() != 0.8]
    assert [list(heights) for heights in through] == [[0.0, 0.0], [0.5, 1.0], [1.0, 0.0]]  # worst first, eta in logs
    best = max(axes.lines, key=lambda line: line.get_linewidth())
    assert list(best.get_ydata()) == [0.5, 1.0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["eta", "grow_policy"]
    assert {text.get_text() for text in axes.texts} == {"0.01", "1", "depthwise", "lossguide"}


@pytest.mark.parametrize("trials", [[], TRIALS[:1], TRIALS[1:2]], ids=["none", "failed-only", "one"])
def test_the_shortest_search_has_pictures(trials: list[Trial]) -> None:
    assert inline(search_figure(trials)).startswith("![picture]")
    assert inline(parameters_figure(trials, SPACE)).startswith("![picture]")
    assert inline(parameters_figure([Trial(0, {}, 1.0, {}, 0, 0.0)], {})).startswith("![picture]")
