"""Validation of feature views as assets: what blocks, what only warns, what is set aside, and what goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.assets import keys
from ml_assets.assets.features import build_features
from ml_assets.assets.sources import build_sources
from ml_assets.assets.validation_check import CHECK
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.lake import Lake
from ml_assets.resources.reports import Reports
from ml_assets.spec import Cadence, FeatureSet, FeatureView, Source
from ml_assets_tests.scenario import check_results, failure

pytestmark = pytest.mark.slow
JANUARY, FEBRUARY, MARCH = "2020-01-01", "2020-02-01", "2020-03-01"
SMALL = {"kind": "between", "column": "amount", "low": 0, "high": 100}
UNRULED = FeatureView.model_validate(
    {
        "name": "plain",
        "entities": ["shop"],
        "features": {"shop_size": "int"},
        "sql": "SELECT shop, sold_at AS event_timestamp, sold_at AS known_at, 1 AS shop_size FROM sold",
    }
)


@dataclass
class Shop:
    """Sales of three months; the rules of the view `spend` change from test to test."""

    folder: Path
    instance: dg.DagsterInstance
    rules: Sequence[dict]

    @property
    def features(self) -> FeatureSet:
        """A source, a view with rules and one without."""
        sold = Source.model_validate(
            {
                "name": "sold",
                "read": {"kind": "parquet", "path": "sold.parquet"},
                "columns": {"shop": "int64", "amount": "float64", "note": "string", "sold_at": "timestamp"},
                "event_time": "sold_at",
            }
        )
        spend = FeatureView.model_validate(
            {
                "name": "spend",
                "sources": ["sold"],
                "entities": ["shop"],
                "features": {"amount": "float", "note": "string"},
                "validation": list(self.rules),
            }
        )
        cadence = Cadence(kind="monthly", start=date(2020, 1, 1), end=date(2020, 4, 1))
        views = (spend, UNRULED.model_copy(update={"sources": ("sold",)}))
        return FeatureSet(name="shop", cadence=cadence, sources=(sold,), feature_views=views).in_folder(self.folder)

    @property
    def lake(self) -> Lake:
        """The lake."""
        return Lake(root=str(self.folder / "lake"), landing=str(self.folder / "landing"))

    def sell(self, **amounts: Sequence[float | None]) -> None:
        """Write the source anew: month -> an amount per sale."""
        rows = [
            (shop, amount, "<b>note</b> | x", datetime(2020, int(month[1:]), 5))
            for month, sold in amounts.items()
            for shop, amount in enumerate(sold)
        ]
        names = ("shop", "amount", "note", "sold_at")
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        table = pa.table({**columns, "sold_at": pa.array(columns["sold_at"], pa.timestamp("us"))})
        pq.write_table(table, self.folder / "sold.parquet")

    def run(self, first: str, last: str | None = None) -> dg.ExecuteInProcessResult:
        """Land, compute the views, and something after them; a failed run is returned."""
        features = self.features

        @dg.asset(deps=[keys.features(features, "spend")], partitions_def=build_features(features).partitions_def)
        def after() -> None: ...

        reports = Reports(root=str(self.folder / "reports"), url="http://127.0.0.1:3072")
        resources = {
            "lake": self.lake,
            "reports": reports,
            "data_docs": DataDocs(root=str(self.folder / "reports" / "data_docs")),
        }
        job = dg.define_asset_job("all", dg.AssetSelection.all())
        assets = [build_sources(features), build_features(features), after]
        defs = dg.Definitions(assets, jobs=[job], resources=resources, executor=dg.in_process_executor)
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last or first}
        return defs.resolve_job_def("all").execute_in_process(
            instance=self.instance,
            partition_key=None if last else first,
            tags=tags if last else None,
            raise_on_error=False,
        )

    def checks(self) -> dict[str, dg.AssetCheckEvaluation]:
        """Window -> the newest evaluation."""
        return check_results(self.instance, keys.features(self.features, "spend"), CHECK)

    def amounts(self, window: str) -> list[float | None]:
        """What the view's file holds."""
        return pq.read_table(self.lake.view(self.features, "spend", window))["amount"].to_pylist()

    def quarantine(self, window: str) -> Path:
        """File of the window's quarantined rows."""
        return self.lake.quarantine("shop", "spend", window)

    def materialised(self, name: str) -> set[str]:
        """Windows that Dagster takes for materialised."""
        key = dg.AssetKey("after") if name == "after" else keys.features(self.features, name)
        return set(self.instance.get_materialized_partitions(key))


@pytest.fixture
def shop(tmp_path: Path) -> "Shop":
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(tmp_path, instance, [SMALL])


def test_a_window_that_keeps_its_rules_goes_on_and_its_check_leads_to_its_page(shop: Shop) -> None:
    shop.sell(m1=[1.0, 2.0])
    result = shop.run(JANUARY)
    assert result.success
    check = shop.checks()[JANUARY]
    assert (check.passed, check.description) == (True, "All 1 rules hold.")
    address = str(check.metadata["data_docs"].value)
    page = address.removeprefix("http://127.0.0.1:3072/")
    assert (shop.folder / "reports" / page).is_file()
    assert "features.spend" in (shop.folder / "reports" / page).read_text()
    assert shop.materialised("after") == {JANUARY}
    assert not shop.quarantine(JANUARY).exists()


def test_a_view_without_rules_has_no_check_no_page_and_no_quarantine(shop: Shop) -> None:
    shop.rules = []
    shop.sell(m1=[1.0, 1e9])
    assert shop.run(JANUARY).success
    assert not list(build_features(shop.features).check_keys)
    assert not (shop.folder / "reports").exists()
    assert not shop.quarantine(JANUARY).exists()


def test_a_window_that_breaks_a_critical_rule_keeps_its_former_file_and_stops_what_comes_after(shop: Shop) -> None:
    shop.sell(m1=[1.0, 2.0])
    assert shop.run(JANUARY).success
    shop.sell(m1=[1.0, 2000.0])
    result = shop.run(JANUARY)
    assert "ValidationFailedError" in failure(result)
    assert "feature view 'spend' of 2020-01-01 (amount between 0 and 100: failed" in failure(result)
    assert shop.amounts(JANUARY) == [1.0, 2.0]
    assert not shop.checks()[JANUARY].passed
    [row] = pq.read_table(shop.quarantine(JANUARY)).to_pylist()
    assert {row.pop("event_timestamp"), row.pop("known_at")} == {datetime(2020, 1, 5, tzinfo=UTC)}
    expected = {"shop": 1, "amount": 2000.0, "note": "<b>note</b> | x", "broken_rules": "amount between 0 and 100"}
    assert row == expected
    assert not [e for e in result.get_asset_materialization_events() if e.asset_key == dg.AssetKey("after")]


def test_a_refused_window_that_was_never_written_has_no_file_and_is_not_materialised(shop: Shop) -> None:
    shop.sell(m1=[1.0, 2000.0])
    assert not shop.run(JANUARY).success
    assert not shop.lake.view(shop.features, "spend", JANUARY).exists()
    assert shop.materialised("spend") == set()
    assert shop.materialised("after") == set()
    assert shop.materialised("plain") == {JANUARY}


def test_in_a_range_only_the_window_that_breaks_a_rule_is_refused_and_nothing_comes_after(shop: Shop) -> None:
    shop.sell(m1=[1.0], m2=[2000.0], m3=[3.0])
    result = shop.run(JANUARY, MARCH)
    assert not result.success
    assert {window: check.passed for window, check in shop.checks().items()} == {
        JANUARY: True,
        FEBRUARY: False,
        MARCH: True,
    }
    assert shop.materialised("spend") == {JANUARY, MARCH}
    assert shop.materialised("after") == set()
    assert shop.amounts(MARCH) == [3.0]
    assert "2020-02-01" in failure(result)


def test_a_failed_warning_shows_keeps_its_rows_in_quarantine_and_lets_all_rows_go_on(shop: Shop) -> None:
    shop.rules = [{**SMALL, "severity": "warning"}]
    shop.sell(m1=[1.0, 2000.0])
    assert shop.run(JANUARY).success
    check = shop.checks()[JANUARY]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert shop.amounts(JANUARY) == [1.0, 2000.0]
    assert pq.read_table(shop.quarantine(JANUARY))["broken_rules"].to_pylist() == ["amount between 0 and 100 (warning)"]
    assert shop.materialised("after") == {JANUARY}


@pytest.mark.parametrize(
    ("sold", "gone"),
    [([1.0] * 9 + [2000.0], True), ([1.0] * 8 + [2000.0, -1.0], False)],
    ids=["as-many-as-allowed", "one-more"],
)
def test_rows_are_set_aside_up_to_the_share_that_the_rule_allows(shop: Shop, sold: list[float], gone: bool) -> None:
    shop.rules = [{**SMALL, "max_quarantined": 0.1}]
    shop.sell(m1=sold)
    assert shop.run(JANUARY).success is gone
    check = shop.checks()[JANUARY]
    assert check.passed is gone
    assert pq.read_table(shop.quarantine(JANUARY))["amount"].to_pylist() == [a for a in sold if not 0 <= a <= 100]
    if gone:
        assert check.severity == dg.AssetCheckSeverity.WARN
        assert "amount between 0 and 100: 1 row set aside" in check.description
        assert check.metadata["rows_set_aside"].value == 1
        assert shop.amounts(JANUARY) == [1.0] * 9
    else:
        assert not shop.lake.view(shop.features, "spend", JANUARY).exists()


def test_a_quarantine_is_replaced_by_the_next_validation_and_goes_when_nothing_fails(shop: Shop) -> None:
    shop.sell(m1=[1.0, 2000.0, 3000.0])
    shop.run(JANUARY)
    first = shop.quarantine(JANUARY).read_bytes()
    shop.run(JANUARY)
    assert shop.quarantine(JANUARY).read_bytes() == first
    shop.sell(m1=[1.0, 2000.0])
    shop.run(JANUARY)
    assert pq.read_table(shop.quarantine(JANUARY)).num_rows == 1
    shop.sell(m1=[1.0])
    assert shop.run(JANUARY).success
    assert not shop.quarantine(JANUARY).exists()


def test_the_preview_of_quarantined_rows_shows_markup_and_does_not_run_it(shop: Shop) -> None:
    shop.sell(m1=[2000.0] * 7)
    shop.run(JANUARY)
    metadata = shop.checks()[JANUARY].metadata
    preview = metadata["quarantine_preview"].value.splitlines()
    assert len(preview) == 2 + 5
    assert preview[0].startswith("| broken_rules | shop |")
    assert r"&lt;b&gt;note&lt;/b&gt; \| x" in preview[2]
    assert metadata["rows_quarantined"].value == 7
    assert metadata["quarantine"].value == str(shop.quarantine(JANUARY))
