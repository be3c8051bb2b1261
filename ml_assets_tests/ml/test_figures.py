"""Pictures come out of awkward data, too."""

import numpy as np
import pytest

from ml_assets.ml.figures import confusion_figure, error_figure, inline


def test_a_confusion_shows_shares_of_the_most_frequent_classes() -> None:
    label = np.array(["a", "a", "a", "b", "$x$", "rare"], dtype=object)
    prediction = np.array(["a", "a", "b", "b", "$x$", "a"], dtype=object)
    figure = confusion_figure(label, prediction, top=3)
    [axes] = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == [r"\$x\$", "a", "b"]
    shares = np.array([text.get_text() for text in axes.texts]).reshape(3, 3)
    assert shares.tolist() == [["100%", "0%", "0%"], ["0%", "67%", "33%"], ["0%", "0%", "100%"]]
    assert inline(figure).startswith("![picture](data:image/png;base64,")


@pytest.mark.parametrize("rows", [1, 5, 500])
def test_a_calibration_needs_no_least_number_of_rows(rows: int) -> None:
    values = np.linspace(0, 1, rows)
    [axes] = error_figure(values, values, "").axes
    assert axes.get_xlabel() == "prediction"
    curve = axes.lines[-1].get_xydata()
    assert len(curve) == min(rows, 12)
    np.testing.assert_allclose(curve[:, 0], curve[:, 1])
