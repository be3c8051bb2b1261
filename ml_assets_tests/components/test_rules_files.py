"""Files of rules beside a declaration: they count as inline ones do, and their mistakes are named at their own lines."""

from pathlib import Path

import pytest

from ml_assets.checking.declarations import check
from ml_assets.components.declaration import bound_problem, read_feature_set, read_problem
from ml_assets.components.places import read_documents
from ml_assets.components.schema import RULES_SCHEMA_FILE, rules_schema_text, schema_comment
from ml_assets.components.static import document_mistakes
from ml_assets.errors import DeclarationError, MissingRulesFileError
from ml_assets.resources.lake import Lake
from ml_assets.spec import NotNull, ProblemDeclaration
from ml_assets_tests.checking.shop import Shop, open_shop

RULES = """\
# comments are kept for people
- {kind: not_null, column: amount, mostly: 0.99, severity: warning}

- {kind: between, column: amount, low: 0, high: 900}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    found = open_shop(tmp_path / "shop")
    found.change("  validation:\n", "  validation_file: validation/dataset.yaml\n  validation:\n")
    _rules(found, RULES)
    return found


def _rules(shop: Shop, text: str, name: str = "validation/dataset.yaml") -> Path:
    file = shop.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def _said(shop: Shop) -> list[str]:
    return [str(mistake) for document in read_documents(shop.file) for mistake in document_mistakes(document)]


def test_rules_of_a_file_stand_behind_the_inline_ones(shop: Shop) -> None:
    problem = read_problem(shop.file)
    assert [rule.kind for rule in problem.validation] == ["row_count", "between", "not_null", "between"]
    assert problem.validation[2] == NotNull(kind="not_null", column="amount", mostly=0.99, severity="warning")


def test_a_feature_view_has_a_file_of_its_own(shop: Shop) -> None:
    shop.change("      sql: customer_orders.sql\n", "      sql: customer_orders.sql\n      validation_file: v.yaml\n")
    _rules(shop, "- {kind: not_null, column: last_amount}\n", "v.yaml")
    assert _said(shop) == []
    assert [rule.kind for rule in read_problem(shop.file).view("customer_orders").validation] == ["not_null"]


def test_shared_feature_views_read_it_from_their_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "v.yaml").write_text("- {kind: not_null, column: amount}\n")
    (folder / "defs.yaml").write_text(
        "type: ml_assets.components.FeatureViews\n"
        "attributes:\n"
        "  name: shared\n"
        "  cadence: {kind: monthly, start: 2024-01-01}\n"
        "  sources:\n"
        "    - {name: orders, columns: {id: string, at: timestamp, amount: float64}, event_time: at}\n"
        "  feature_views:\n"
        "    - {name: latest, entities: [id], features: {amount: float}, validation_file: v.yaml}\n"
    )
    [view] = read_feature_set(folder / "defs.yaml").feature_views
    assert [rule.kind for rule in view.validation] == ["not_null"]


def test_an_empty_file_adds_nothing(shop: Shop) -> None:
    _rules(shop, "# nothing yet\n")
    assert _said(shop) == []
    assert len(read_problem(shop.file).validation) == 2


WRONG = {
    "unknown kind": ("- {kind: betwen, column: amount, low: 0}\n", 1, "`validation[0].kind` is 'betwen'. Did you mean 'between'?"),
    "unknown field": ("\n- {kind: between, column: amount, lo: 0, high: 3}\n", 2, "`validation[0].lo` is no field. Did you mean 'low'?"),
    "text for a number": ("#\n#\n- {kind: between, column: amount, low: '0'}\n", 3, "`validation[0].low` is '0'. Give a number, without quotes, e.g. -20."),
    "number out of range": ("- {kind: not_null, column: amount, mostly: 2}\n", 1, "`validation[0].mostly` is 2. Give a number of at most 1.0, e.g. 0.999."),
    "no end": ("- {kind: row_count, low: 1}\n- {kind: between, column: amount}\n", 2, "`validation[1]`: between amount: give `low`, `high` or both."),
    "column that is not there": ("- {kind: row_count, low: 1}\n- kind: not_null\n  column: amout\n", 3, "the training set has no column 'amout'. Did you mean 'amount'?"),
    "upper column that is not there": ("- {kind: ordered, lower: amount,\n   upper: last_amout}\n", 2, "the training set has no column 'last_amout'. Did you mean 'last_amount'?"),
    "mapping": ("kind: not_null\n", 1, "the file is no list of rules. Write a rule a line, each `- {kind: ...}`."),
    "no YAML": ("- {kind: not_null\n- {\n", 2, "the file is no YAML"),
    "two documents": ("- {kind: row_count, low: 1}\n---\n- {kind: row_count, low: 2}\n", 3, "the file holds 2 documents. Keep one list of rules."),
    "key twice": ("- kind: row_count\n  low: 1\n  low: 2\n", 3, "`[0].low` is there twice, first in line 2. Keep one."),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "says"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_named_with_the_line_of_that_file(shop: Shop, text: str, line: int, says: str) -> None:
    _rules(shop, text)
    said = _said(shop)
    assert len(said) == 1, said
    assert said[0].startswith(f"shop/validation/dataset.yaml:{line}: {says.rstrip('.')}")
    with pytest.raises(DeclarationError, match=r"validation/dataset\.yaml:"):
        read_problem(shop.file)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("validation/dataset.yml", "Did you mean 'validation/dataset.yaml'?", id="misspelt"),
        pytest.param("../other/rules.yaml", "which is no file in shop/", id="outside"),
        pytest.param("/etc/hosts.yaml", "which is no file in shop/", id="absolute"),
        pytest.param("link.yaml", "which is no file in shop/", id="link to the outside"),
    ],
)
def test_a_file_that_is_not_in_the_folder_is_refused(shop: Shop, name: str, says: str) -> None:
    other = shop.folder.parent / "other"
    other.mkdir()
    (other / "rules.yaml").write_text(RULES)
    (shop.folder / "link.yaml").symlink_to(other / "rules.yaml")
    line = shop.change("validation_file: validation/dataset.yaml", f"validation_file: {name}")
    [said] = _said(shop)
    assert said.startswith(f"shop/defs.yaml:{line}: `validation_file` names '{name}', which is no file in shop/")
    assert says in said


def test_a_file_that_is_missing_in_python_is_a_named_error(shop: Shop) -> None:
    [document] = read_documents(shop.file)
    declaration = ProblemDeclaration.model_validate(document.value["attributes"])
    (shop.folder / "validation" / "dataset.yaml").unlink()
    with pytest.raises(MissingRulesFileError, match=r"'returns' names the file of rules 'validation/dataset\.yaml'"):
        bound_problem(declaration, shop.folder)


def test_no_path_of_a_text_file_of_another_kind_is_taken(shop: Shop) -> None:
    shop.change("validation_file: validation/dataset.yaml", "validation_file: defs.txt")
    [said] = _said(shop)
    assert "`validation_file` is 'defs.txt'. Name a *.yaml file beside defs.yaml." in said


def test_check_names_a_column_that_only_the_data_tell_to_be_missing(shop: Shop, tmp_path: Path) -> None:
    text = shop.file.read_text()
    rows = (
        "  rows:\n    sql: SELECT order_id, customer_id, ordered_at AS event_timestamp, amount, channel FROM orders\n"
    )
    shop.write(text.replace("  rows:\n", rows))
    _rules(shop, "- {kind: row_count, low: 1}\n# here\n- {kind: not_null, column: amoun}\n")
    assert _said(shop) == []
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path / "landing"))
    [result] = check([shop.file], lake)
    assert [str(mistake) for mistake in result.mistakes] == [
        "shop/validation/dataset.yaml:3: the training set will have no column 'amoun'. Did you mean 'amount'?"
    ]


def test_the_committed_schema_of_the_files_is_that_of_the_spec(tmp_path: Path) -> None:
    assert RULES_SCHEMA_FILE.read_text() == rules_schema_text(), "run `ml-assets schema`"
    line = schema_comment(tmp_path / "a" / "rules.yaml", RULES_SCHEMA_FILE)
    assert (tmp_path / "a" / line.partition("=")[2]).resolve() == RULES_SCHEMA_FILE
