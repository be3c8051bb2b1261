"""`ml-assets check` as a user meets it: lines, exit status, JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ml_assets.checking.command import check
from ml_assets.errors import NoDeclarationError
from ml_assets_tests.checking.shop import DEFS_YAML, Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ML_ASSETS_HOME", str(tmp_path / "state"))
    return open_shop(tmp_path / "defs" / "returns")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(check, arguments)


def test_what_holds_is_one_line_and_exit_0(shop: Shop, tmp_path: Path) -> None:
    done = _run("defs")
    assert done.exit_code == 0, done.output
    [line] = done.output.splitlines()
    assert line.startswith("ok returns (binary): looked at 3 of 12 windows: 2024-01-01, 2024-07-01, 2024-12-01; ")
    assert not (tmp_path / "state").exists()


def test_every_mistake_of_every_file_is_one_line_and_exit_1(shop: Shop) -> None:
    open_shop(shop.folder.parent / "refunds", DEFS_YAML.replace("name: returns", "name: refunds"))
    first = shop.change("kind: monthly", "kind: montly")
    second = shop.change("max_ratio: 1.5", "max_ratio: 0.5")
    done = _run("defs", "--no-data")
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "ok refunds (binary): as it should be.",
        f"defs/returns/defs.yaml:{first}: `cadence.kind` is 'montly'. Did you mean 'monthly'?",
        f"defs/returns/defs.yaml:{second}: `quality.max_ratio` is 0.5. Give a number above 1.0, e.g. 1.25.",
    ]


def test_json_says_the_same(shop: Shop) -> None:
    line = shop.change("kind: monthly", "kind: montly")
    done = _run("defs", "--json")
    assert done.exit_code == 1
    [declaration] = json.loads(done.output)["declarations"]
    assert (declaration["name"], declaration["ok"]) == ("returns", False)
    [mistake] = declaration["mistakes"]
    assert (mistake["file"], mistake["line"]) == ("defs/returns/defs.yaml", line)
    assert mistake["text"].endswith(f":{line}: {mistake['culprit']}. {mistake['remedy']}")


def test_a_file_that_is_no_yaml_does_not_keep_others_from_being_checked(shop: Shop) -> None:
    open_shop(shop.folder.parent / "refunds", "a: b: c\n")
    done = _run("defs", "--no-data")
    assert done.exit_code == 1
    said = done.output.splitlines()
    assert said[0].startswith("defs/refunds/defs.yaml:1: the file is no YAML (mapping values are not allowed")
    assert said[1] == "ok returns (binary): as it should be."


def test_two_declarations_of_one_name_are_refused(shop: Shop) -> None:
    open_shop(shop.folder.parent / "refunds")
    said = _run("defs", "--no-data").output.splitlines()
    assert said == [
        f"defs/{name}/defs.yaml:4: 'returns' is the name of 2 declarations. Rename all but one."
        for name in ("refunds", "returns")
    ]


def test_a_search_that_cannot_be_sampled_is_refused_without_data(shop: Shop) -> None:
    line = shop.change("low: 0.03, high: 0.3}", "low: 0.03, high: 0.3, step: 7}")
    [said] = _run("defs", "--no-data").output.splitlines()
    assert said.startswith(f"defs/returns/defs.yaml:{line}: `search.space.eta`: no multiple of step 7")


def test_feature_views_that_a_problem_names_are_checked_with_it(shop: Shop) -> None:
    views, problem = DEFS_YAML.replace("ModelProblem", "FeatureViews"), DEFS_YAML
    own = ("  task:", "  rows:", "  label:", "  split:", "  validation:", "  search:", "  quality:", "  retraining:")
    shared = views[: views.index("  rows:")].replace("name: returns", "name: shop").replace("  task: binary\n", "")
    assert not any(f"\n{field}" in shared for field in own)
    open_shop(shop.folder.parent / "shop", shared)
    start, end = problem.index("  cadence:"), problem.index("  rows:")
    shop.write(problem[:start] + "  features_from: shop\n" + problem[end:])
    said = _run("defs/returns").output.splitlines()
    assert [line.split(":")[0] for line in said] == ["ok shop", "ok returns (binary)"]
    (shop.folder.parent / "shop" / "data" / "orders.parquet").unlink()
    said = _run("defs/returns").output.splitlines()
    assert said[0].startswith("defs/shop/defs.yaml:9: Source 'orders', window 2024-01-01: `read.path`")


def test_a_path_without_a_declaration_is_an_error(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoDeclarationError, match=r"There is no defs\.yaml at empty"):
        CliRunner().invoke(check, ["empty"], catch_exceptions=False)


def test_this_repository_holds() -> None:
    done = _run("--no-data")
    assert done.exit_code == 0, done.output
