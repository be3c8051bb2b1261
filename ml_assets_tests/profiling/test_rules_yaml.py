"""The file of learned rules: the same rules when read again, in lines that a person reads, never lost to a rerun."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from ml_assets.components.rules_files import read_rules
from ml_assets.errors import RulesFileExistsError
from ml_assets.ml.validation.profiling import learn_rules
from ml_assets.profiling.rules_yaml import rules_text, write_rules
from ml_assets.spec import Between, InSet, NotNull, RowCount
from ml_assets_tests.ml.validation.profiling.test_learning import reference

AWKWARD = (
    "yes",
    "NO",
    "null",
    "1e5",
    "007",
    "a: b",
    "# no comment",
    "it's",
    'say "so"',
    "Köln",
    "x, y",
    "[z]",
    " ",
    "",
    "-",
    "~",
    "\n",
    "Y",
)


def test_learned_rules_are_the_same_when_read_again(tmp_path: Path) -> None:
    rules = learn_rules(reference())
    file = write_rules(tmp_path / "v" / "dataset.yaml", rules, command="shop --write", source="a shop", force=False)
    assert read_rules(file) == rules
    text = file.read_text()
    assert text.startswith("# yaml-language-server: $schema=")
    assert "# Learned by `ml-assets profile shop --write`" in text
    assert max(map(len, text.splitlines())) < 300


@pytest.mark.parametrize("value", AWKWARD, ids=repr)
def test_any_text_survives(tmp_path: Path, value: str) -> None:
    rules = (InSet(kind="in_set", column="x", values=(value, "other"), notes=f"Said: {value}."),)
    file = tmp_path / "rules.yaml"
    file.write_text(rules_text(rules))
    assert read_rules(file) == rules


@pytest.mark.parametrize("value", [0.0, 1e-7, -1e-300, 1e300, 12345678.9, 1e16, -0.5, 3.0], ids=str)
def test_any_number_survives(tmp_path: Path, value: float) -> None:
    rules = (Between(kind="between", column="x", low=value),)
    file = tmp_path / "rules.yaml"
    file.write_text(rules_text(rules))
    assert read_rules(file) == rules


def test_a_long_list_is_broken_into_lines(tmp_path: Path) -> None:
    names = tuple(f"airport, number {i}" for i in range(150))
    rules = (InSet(kind="in_set", column="x", values=names, notes="Many."),)
    file = tmp_path / "rules.yaml"
    file.write_text(rules_text(rules))
    assert read_rules(file) == rules
    assert max(map(len, file.read_text().splitlines())) <= 125


def test_rules_stand_together_by_column_and_defaults_are_not_written() -> None:
    text = rules_text((RowCount(kind="row_count", low=5), NotNull(kind="not_null", column="b"), NotNull(kind="not_null", column="b", severity="warning", notes="Why.")))  # fmt: skip
    assert text == (
        "\n# The whole table\n- {kind: row_count, low: 5}\n"
        "\n# b\n- {kind: not_null, column: b}\n- {kind: not_null, column: b, severity: warning, notes: Why.}\n"
    )


def test_no_rules_are_an_empty_list() -> None:
    assert yaml.safe_load(rules_text(())) == []


def test_a_file_that_is_there_is_replaced_by_force_only(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("# mine\n")
    rules = learn_rules(pd.DataFrame({"x": np.arange(200)}))
    with pytest.raises(RulesFileExistsError, match=r"rules\.yaml is there already, .* Give --force"):
        write_rules(file, rules, command="x", source="y", force=False)
    assert file.read_text() == "# mine\n"
    write_rules(file, rules, command="x", source="y", force=True)
    assert read_rules(file) == rules
