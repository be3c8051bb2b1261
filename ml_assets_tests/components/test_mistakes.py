"""Mistakes in declarations: each is said once, at its line, with a remedy; all of them at once."""

from pathlib import Path

import pytest

from ml_assets.components.declaration import read_feature_set, read_problem
from ml_assets.components.places import read_documents
from ml_assets.components.static import document_mistakes
from ml_assets.errors import DeclarationError
from ml_assets_tests.checking.shop import DEFS_YAML, Shop, open_shop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    return open_shop(tmp_path / "shop")


def _said(shop: Shop) -> list[str]:
    return [str(mistake) for document in read_documents(shop.file) for mistake in document_mistakes(document)]


def test_a_declaration_that_holds_has_no_mistake(shop: Shop) -> None:
    assert _said(shop) == []
    problem = read_problem(shop.file)
    assert problem.view("customer_orders").sql.startswith("SELECT\n    customer_id")
    assert problem.folder == shop.folder


FIELDS = {
    "text for a number": ("max_trials: 3", 'max_trials: "3"', "`search.max_trials` is '3'. Give a whole number, without quotes, e.g. 20."),
    "truth for a number": ("max_trials: 3", "max_trials: yes", "`search.max_trials` is true. Give a whole number, e.g. 20."),
    "too small": ("max_trials: 3", "max_trials: 0", "`search.max_trials` is 0. Give a whole number of at least 1, e.g. 20."),
    "too large": ("max_ratio: 1.5", "max_ratio: 1", "`quality.max_ratio` is 1. Give a number above 1.0, e.g. 1.25."),
    "list for a mapping": ("read: {kind: parquet, path: data/orders.parquet}", "read: [parquet]", "`sources[orders].read` is a list. Give a mapping, e.g. {kind: parquet, path: data/lines.parquet}."),
    "unknown form": ("kind: loguniform", "kind: logunform", "`search.space.eta.kind` is 'logunform'. Did you mean 'loguniform'?"),
    "no form": ("kind: loguniform, ", "", "`search.space.eta.kind` is missing. Add one of choice, integer, lognormal, loguniform, normal, uniform."),
    "field of another form": ("low: 0.03, high: 0.3", "low: 0.03, high: 0.3, mean: 1", "`search.space.eta.mean` is no field. There is kind, low, high, step."),
    "missing in a form": ("low: 0.03, high: 0.3", "low: 0.03", "`search.space.eta.high` is missing. Add it: Greatest value, e.g. 0.3."),
    "name": ("name: returns", "name: Returns!", "`name` is 'Returns!'. Use at most 63 lower-case letters, digits and _, a letter first."),
    "column": ("    amount: float64", "    1st: float64\n        amount: float64", "`sources[orders].columns` has the key '1st'. Use at most 63 letters, digits, _ and spaces, no digit first."),
    "column that YAML reads as a truth value": ("    amount: float64", "    on: float64\n        amount: float64", "`sources[orders].columns` has the key true. Put it in quotes: keys are text."),
    "type of a column": ("amount: float64", "amount: float", "`sources[orders].columns.amount` is 'float'. Did you mean 'float64'?"),
    "empty": ("of_last: 3", "of_last: 3, checks: []", "`retraining.checks` is a list. Give at least 1 of them, e.g. [model_quality]."),
    "time": ("start: 2024-01-01", "start: soon", "`cadence.start` is 'soon'. Give a day or time (input is too short), e.g. '2012-12-31'."),
    "number for a time": ("start: 2024-01-01", "start: 20240101", "`cadence.start` is 20240101. Give text, e.g. '2012-12-31'."),
    "off the grid": ("end: 2025-01-01", "end: 2025-01-05", "`cadence`: end 2025-01-05 is day 5 of its month. Months that start on 2024-01-01 end on day 1."),
}  # fmt: skip
RELATIONS = {
    "unknown source": ("sql: customer_orders.sql", "sql: customer_orders.sql\n      sources: [order]", "feature view 'customer_orders' reads 'order', which is no source. Did you mean 'orders'?"),
    "unknown time column": ("event_time: ordered_at", "event_time: orderd_at", "source 'orders' has no column 'orderd_at'. Did you mean 'ordered_at'?"),
    "time that is none": ("event_time: ordered_at", "event_time: amount", "`event_time` names 'amount', which is float64. Declare it as timestamp, or name another column."),
    "unknown key": ("      key: [order_id]\n      event", "      key: [id]\n      event", "source 'orders' has no column 'id'. There is order_id, customer_id, ordered_at, amount, channel, returned, closed_at."),
    "label that no column is": ("name: returned", "name: retrned", "source 'orders' has no column 'retrned'. Did you mean 'returned'?"),
    "label of a type": ("name: returned", "name: order_id", "the label 'order_id' is string, which is no number. Add `label.positive`, the value that counts as 1."),
    "label as a feature": ("channel: string}", "returned: int}", "the label 'returned' is a feature, too: a model would only copy it. Leave it out of the features."),
    "feature of a type": ("features: {amount: float", "features: {amount: int", "feature 'amount' is int, its column float64. Declare it as float."),
    "feature twice": ("orders_so_far: int}", "amount: int}", "feature 'amount' is in both customer_orders and rows. Rename one."),
    "metric": ("max_ratio: 1.5", "metric: mae, max_ratio: 1.5", "`quality.metric` mae does not fit task binary. Use one of logloss, auc, average_precision, brier, accuracy."),
    "metric that cannot be searched by": ("task: binary", "task: binary\n  metric: brier", "`metric` brier cannot be searched by: XGBoost does not compute it. Add `search.loss`, one of logloss, auc, average_precision, accuracy."),
    "rule on no column": ("column: amount, low", "column: amout, low", "the training set has no column 'amout'. Did you mean 'amount'?"),
    "ignored no feature": ("  quality:", "  drift: {ignore: [amout]}\n  quality:", "`drift.ignore` names 'amout', which is no feature. Did you mean 'amount'?"),
    "views of nobody": ("task: binary", "task: binary\n  use_views: [a]", "`use_views` selects shared views. Name them in `features_from`."),
    "policy": ("of_last: 3", "of_last: 1", "`retraining`: bad_windows 2 of the last 1 can never be met. Raise `of_last`."),
    "split": ("test_windows: 2", "test_windows: 9", "no window is left for training: the cadence has 11 of 12 windows whose labels are known (20 days later), the split takes 11 for validation and test. Hold out fewer windows, or declare a longer or finer cadence."),
    "SQL file": ("customer_orders.sql", "customer_order.sql", "`feature_views[customer_orders].sql` names 'customer_order.sql', which is no file in shop/. Did you mean 'customer_orders.sql'?"),
    "SQL outside": ("customer_orders.sql", "../../etc/customer_orders.sql", "`feature_views[customer_orders].sql` names '../../etc/customer_orders.sql', which is no file in shop/. Did you mean 'customer_orders.sql'?"),
    "two statements": ("sql: customer_orders.sql", "sql: SELECT 1; DROP TABLE orders", "`feature_views[customer_orders].sql`: holds 2 statements, not one SELECT. Correct the SQL."),
    "no SELECT": ("sql: customer_orders.sql", "sql: DROP TABLE orders", "`feature_views[customer_orders].sql`: is DROP and no SELECT. Correct the SQL."),
    "function file": ("sql: customer_orders.sql", "function: views.py:spend", "'views.py:spend' names a file that is not in shop/. Add it."),
    "function module": ("sql: customer_orders.sql", "function: no_such_module:spend", "'no_such_module:spend': there is no module no_such_module. Install it, or correct the name."),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), (FIELDS | RELATIONS).values(), ids=(FIELDS | RELATIONS).keys())
def test_a_mistake_is_said_once_at_its_line_with_a_remedy(shop: Shop, old: str, new: str, says: str) -> None:
    first = shop.change(old, new)
    [said] = _said(shop)
    place, _, text = said.partition(": ")
    file, line = place.split(":")
    assert (file, text) == ("shop/defs.yaml", says)
    assert abs(int(line) - first) <= 12


def test_the_line_is_that_of_the_key_or_item(shop: Shop) -> None:
    line = shop.change("column: amount, low", "column: amout, low")
    [said] = _said(shop)
    assert said.startswith(f"shop/defs.yaml:{line}: ")
    shop.write(DEFS_YAML)
    line = shop.change("    key: [order_id]\n    features", "    key:\n      - order_id\n      - nobody\n    features")
    [said] = _said(shop)
    assert said.startswith(f"shop/defs.yaml:{line + 2}: ")


def test_all_mistakes_are_said_at_once_in_the_order_of_their_lines(shop: Shop) -> None:
    changes = {
        "description: Which": "descripton: Which",
        "task: binary": "task: binaer",
        "event_time: ordered_at": "event_time: orderd_at",
        "sql: customer_orders.sql": "sql: SELEC 1",
        "name: returned": "name: retrned",
        "low: 0.03, high: 0.3": "low: 3, high: 0.3",
        "of_last: 3": "of_last: 1",
    }
    lines = [shop.change(old, new) for old, new in changes.items()]
    assert [int(said.split(":")[1]) for said in _said(shop)] == sorted(lines)
    with pytest.raises(DeclarationError) as caught:
        read_problem(shop.file)
    assert len(str(caught.value).splitlines()) == len(changes)


def test_a_mistake_in_an_sql_file_is_said_with_that_file_and_its_line(shop: Shop) -> None:
    (shop.folder / "customer_orders.sql").write_text("SELECT\n    customer_id,\n    FRM orders o o\n")
    [said] = _said(shop)
    assert said.startswith("shop/customer_orders.sql:3: SQL of `feature_views[customer_orders].sql`: Parser Error")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        pytest.param("def spent(): ...", "views.py defines no 'spend'. Did you mean 'spent'?", id="another name"),
        pytest.param("def spend(:\n", "shop/views.py:1: invalid syntax", id="syntax"),
    ],
)
def test_a_function_that_is_not_there_is_named_without_running_its_file(shop: Shop, code: str, says: str) -> None:
    (shop.folder / "views.py").write_text(f"{code}\nraise SystemExit('run')\n")
    shop.change("sql: customer_orders.sql", "function: views.py:spend")
    [said] = _said(shop)
    assert says in said
    (shop.folder / "views.py").write_text("def spend(tables, window): ...\nraise SystemExit('run')\n")
    assert _said(shop) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("- 1\n", "the document is no mapping", id="list"),
        pytest.param("attributes: {}\n", "`type` is missing", id="no type"),
        pytest.param("type: ml_assets.components.ModelProblm\n", "Did you mean 'ml_assets.components.ModelProblem'?", id="type"),
        pytest.param("type: ml_assets.components.ModelProblem\n", "`attributes` is missing or no mapping", id="no attributes"),
        pytest.param("type: ml_assets.components.ModelProblem\natributes: {}\n", "Did you mean 'attributes'?", id="another key"),
    ],
)  # fmt: skip
def test_what_is_wrong_around_the_attributes_is_said(shop: Shop, text: str, says: str) -> None:
    shop.write(text)
    assert any(says in said for said in _said(shop))


def test_a_component_of_somebody_else_is_left_alone(shop: Shop) -> None:
    shop.write("type: dagster.DefsFolderComponent\nattributes: {colour: red}\n")
    assert _said(shop) == []


SHARED = """\
type: ml_assets.components.FeatureViews
attributes:
  name: shop
  cadence: {kind: monthly, start: 2024-01-01, end: 2025-01-01}
  sources:
    - name: orders
      columns: {order_id: string, customer_id: int64, ordered_at: timestamp, amount: float64}
      event_time: ordered_at
  feature_views:
    - name: last_order
      entities: [customer_id]
      features: {amount: float}
---
type: ml_assets.components.ModelProblem
attributes:
  name: next_amount
  features_from: shop
  rows: {key: [order_id]}
  label: {name: amount_next, sql: SELECT 1}
"""


def test_feature_views_are_found_in_the_same_file_and_in_the_folder_of_their_name(shop: Shop) -> None:
    shop.write(SHARED)
    assert _said(shop) == []
    assert read_problem(shop.file).feature_group == read_feature_set(shop.file).name == "shop"
    other = open_shop(shop.folder.parent / "next", SHARED.split("---\n")[1])
    assert _said(other) == []
    assert read_problem(other.file).features == {"amount": "float"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param("from: shop", "from: shopp", "Did you mean 'shop'?", id="unknown"),
        pytest.param("from: shop", "from: shop\n  use_views: [lst_order]", "'shop' has no view 'lst_order'. Did you mean", id="view"),
        pytest.param("from: shop", "from: shop\n  cadence: {kind: daily, start: 2024-01-01}", "`cadence` comes from 'shop'", id="both"),
        pytest.param("name: amount_next", "name: amount", "the label 'amount' is a feature, too", id="label"),
        pytest.param("{key: [order_id]}", "{key: [order_id], features: {amount: float}}", "is in both last_order and rows", id="twice"),
        pytest.param("{key: [order_id]}", "{key: [id]}", "source 'orders' has no column 'id'", id="column"),
    ],
)  # fmt: skip
def test_relations_to_shared_feature_views_are_judged(shop: Shop, old: str, new: str, says: str) -> None:
    shop.write(SHARED)
    line = shop.change(old, new)
    [said] = _said(shop)
    assert says in said
    assert int(said.split(":")[1]) in (line, line + 1)
