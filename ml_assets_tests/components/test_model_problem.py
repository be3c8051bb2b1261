"""The YAML face and the Python face of a problem: the same definitions, the same refusals."""

from pathlib import Path

import dagster as dg
import pytest

from ml_assets.assets.feature_set import build_feature_defs
from ml_assets.assets.problem import build_problem_defs
from ml_assets.components import FeatureViews, ModelProblem
from ml_assets.components.declaration import bound_feature_set, bound_problem, declared, read_problem
from ml_assets.components.documents import MODEL_PROBLEM
from ml_assets.errors import DeclarationError, MissingSqlFileError
from ml_assets.spec import (
    Cadence,
    FeatureSet,
    FeatureView,
    Label,
    LogUniform,
    NotNull,
    Parquet,
    Problem,
    ProblemDeclaration,
    Rows,
    Search,
    Source,
    Split,
)
from ml_assets_tests.checking.shop import CUSTOMER_ORDERS, Shop, open_shop
from ml_assets_tests.flights import flights

CADENCE = Cadence(kind="monthly", start="2024-01-01", end="2025-01-01")
ORDERS = Source(
    name="orders",
    read=Parquet(kind="parquet", path="data/orders.parquet"),
    columns={"order_id": "string", "customer_id": "int64", "ordered_at": "timestamp", "amount": "float64"}
    | {"channel": "string", "returned": "bool", "closed_at": "timestamp"},
    key=("order_id",),
    event_time="ordered_at",
    row_known_at="ordered_at",
    known_at={"returned": "closed_at", "closed_at": "closed_at"},
)
CUSTOMERS = FeatureView(
    name="customer_orders",
    entities=("customer_id",),
    sources=("orders",),
    sql="customer_orders.sql",
    features={"last_amount": "float", "orders_so_far": "int"},
)
PARTS = {
    "task": "binary",
    "rows": Rows(key=("order_id",), sources=("orders",), features={"amount": "float", "channel": "string"}),
    "label": Label(name="returned", sources=("orders",), lookahead_days=20),
    "split": Split(test_windows=2, validation_windows=2),
    "validation": (NotNull(kind="not_null", column="amount"),),
    "search": Search(space={"eta": LogUniform(kind="loguniform", low=0.03, high=0.3)}, max_trials=3, loss="logloss"),
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path / "returns")


def _built(definitions: dg.Definitions) -> dict[str, set[str]]:
    return {
        "assets": {key.to_user_string() for asset in definitions.assets or () for key in asset.keys},
        "checks": {str(key) for asset in definitions.assets or () for key in getattr(asset, "check_keys", ())},
        "jobs": {job.name for job in definitions.jobs or ()},
        "sensors": {sensor.name for sensor in definitions.sensors or ()},
        "schedules": {schedule.name for schedule in definitions.schedules or ()},
    }


def test_a_problem_in_python_gives_the_definitions_of_the_one_in_yaml(shop: Shop) -> None:
    @dg.definitions
    def in_python() -> dg.Definitions:
        views = {"cadence": CADENCE, "sources": (ORDERS,), "feature_views": (CUSTOMERS,)}
        return build_problem_defs(bound_problem(ProblemDeclaration(name="returns", **PARTS, **views), shop.folder))

    in_yaml = _built(build_problem_defs(read_problem(shop.file)))
    assert _built(in_python()) == in_yaml
    assert {"returns/sources/orders", "returns/features/customer_orders", "returns/dataset"} <= in_yaml["assets"]
    assert any("great_expectations" in key for key in in_yaml["checks"])


def test_a_problem_on_shared_views_can_be_written_in_python_alone(shop: Shop) -> None:
    views = FeatureSet(name="shop", cadence=CADENCE, sources=(ORDERS,), feature_views=(CUSTOMERS,))
    views = bound_feature_set(views, shop.folder)
    problem = ProblemDeclaration(name="returns", features_from="shop", **PARTS).problem(views).in_folder(shop.folder)
    assert "shop/features/customer_orders" in _built(build_feature_defs(views))["assets"]
    assert problem.feature_group == "shop"
    assert problem.view("customer_orders").sql == CUSTOMER_ORDERS
    own = {key.to_user_string() for asset in build_problem_defs(problem).assets or () for key in asset.keys}
    assert {key.split("/")[0] for key in own} == {"returns"}


def test_a_component_can_be_made_of_a_dictionary(shop: Shop) -> None:
    [attributes] = declared(shop.file, MODEL_PROBLEM)
    inline = {**attributes, "feature_views": [{**attributes["feature_views"][0], "sql": CUSTOMER_ORDERS}]}
    problem = ModelProblem.from_attributes_dict(attributes=inline).problem
    assert isinstance(problem, Problem)
    assert problem.features == read_problem(shop.file).features
    with pytest.raises(DeclarationError, match="`task` is 'binaer'"):
        ModelProblem.from_attributes_dict(attributes={**inline, "task": "binaer"})
    with pytest.raises(DeclarationError, match="`name` is missing"):
        FeatureViews.from_attributes_dict(attributes={"cadence": attributes["cadence"]})
    with pytest.raises(DeclarationError, match="`sources` is missing"):
        FeatureViews.from_attributes_dict(attributes={})


def test_sql_files_are_read_from_beside_the_declaration() -> None:
    assert "FROM weather" in str(flights().view("weather").sql)
    assert flights().source("airlines").sql is None


@pytest.mark.parametrize("name", ["none.sql", "../returns/../../x.sql", "../outside.sql"])
def test_a_missing_sql_file_or_one_elsewhere_is_refused(shop: Shop, name: str) -> None:
    (shop.folder.parent / "outside.sql").write_text(CUSTOMER_ORDERS)
    views = FeatureSet(
        name="shop",
        cadence=CADENCE,
        sources=(ORDERS,),
        feature_views=(CUSTOMERS.model_copy(update={"sql": name}),),
    )
    with pytest.raises(MissingSqlFileError):
        bound_feature_set(views, shop.folder)
    shop.change("sql: customer_orders.sql", f"sql: {name}")
    with pytest.raises(DeclarationError, match="which is no file in returns/"):
        read_problem(shop.file)
