"""The page of a replay, and the command that writes it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner, Result

from ml_assets.errors import NothingToReplayError, UnknownPolicyError
from ml_assets.replay import command
from ml_assets.replay.figure import figure
from ml_assets.replay.page import page
from ml_assets.replay.policies import DEFAULT
from ml_assets.replay.report import Report
from ml_assets_tests.replay import planted, sample


@pytest.fixture
def report() -> Report:
    """Two policies, one of them with two retrainings."""
    return sample.report()


def test_the_page_needs_nothing_from_elsewhere_and_escapes_what_it_shows(report: Report) -> None:
    text = page(report)
    assert "Who &lt;leaves&gt;?" in text
    assert "2 bad windows &lt;b&gt;" in text
    assert not re.findall(r"<script|https?:|<link|<img|url\(", text)


def test_each_retraining_is_a_mark_and_a_promoted_one_is_filled(report: Report) -> None:
    tree = ElementTree.fromstring(figure(report))  # noqa: S314 it is ours
    marks = [each for each in tree.iter("circle") if each.get("r") == "5.5"]
    assert [mark.get("fill") == mark.get("stroke") for mark in marks] == [True, False]
    assert [mark[0].text for mark in marks] == [
        "2024-01-04: promoted; 2 bad windows <b>. Gate: better",
        "2024-01-07: rejected; 2 bad windows. Gate: not surely better",
    ]


def test_all_lines_stay_inside_their_panels(report: Report) -> None:
    tree = ElementTree.fromstring(figure(report))  # noqa: S314 it is ours
    _, _, width, height = map(float, str(tree.get("viewBox")).split())
    points = [point for line in tree.iter("polyline") for point in str(line.get("points")).split()]
    assert len(points) == 3 * 9  # two of the metric, one of the error against the other
    assert all(0 < float(x) < width and 0 < float(y) < height for x, y in (point.split(",") for point in points))


def test_the_header_says_what_the_declared_policy_costs(report: Report) -> None:
    text = re.sub(r"<[^>]+>", " ", page(report))
    assert re.search(r"declared policy: retrainings\s+2 of 8", text)
    assert re.search(r"its error against every window\s+\+4.00%", text)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A declaration of its own, and a home where nothing has landed."""
    folder = tmp_path / "defs" / "planted"
    folder.mkdir(parents=True)
    document = {"type": "ml_assets.components.ModelProblem", "attributes": planted.DECLARED}
    (folder / "defs.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setattr(command, "DEFS", folder.parent)
    monkeypatch.setenv("ML_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command.replay, list(arguments), catch_exceptions=False, standalone_mode=False)


def test_the_command_prints_a_table_and_writes_a_page(home: Path) -> None:
    planted.land(home, planted.declared())
    said = _run("planted", "--policies", "never, every:7", "--cutoff", planted.FIRST).output
    assert "planted: 15 windows, 2024-01-06 to 2024-01-20, 2,250 rows" in said
    assert re.search(r"every 7\s+│\s+2", said)
    assert "Page: home/reports/replay/planted.html (http://127.0.0.1:3072/replay/planted.html while" in said
    assert (home / "reports" / "replay" / "planted.html").read_text().startswith("<!doctype html>")
    assert (home / "reports" / "replay" / "planted.json").exists()
    assert {path.name for path in home.iterdir()} == {"lake", "reports", "scratch"}


def test_the_command_offers_the_policies_that_there_are() -> None:
    [option] = [each for each in command.replay.params if each.name == "policies"]
    assert str(option.default).split(",") == list(DEFAULT)


def test_what_cannot_be_replayed_is_told_before_anything_is_made(home: Path) -> None:
    with pytest.raises(UnknownPolicyError):
        _run("planted", "--policies", "weekly")
    with pytest.raises(NothingToReplayError):
        _run("planted")
    assert not home.exists()
