"""A problem with alerts on a real instance: checks are judged, versions trained and decided upon by the test itself."""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from ml_assets.alerts.channels import AlertChannels
from ml_assets.alerts.sensor import build_alert_sensor
from ml_assets.assets import keys, partitions
from ml_assets.automation.evaluations import check_key
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem

REPORTS_URL, DAGSTER_URL = "http://127.0.0.1:3072", "http://127.0.0.1:3070"


@dataclass
class Desk:
    """A problem with alerts, its instance, and everything below one folder."""

    problem: Problem
    home: Path
    instance: dg.DagsterInstance
    port: int

    @property
    def ledger(self) -> Ledger:
        return Ledger(url=f"sqlite:///{self.home / 'ledger.db'}")

    @property
    def reports(self) -> Reports:
        return Reports(root=str(self.home / "reports"), url=REPORTS_URL, dagster_url=DAGSTER_URL)

    def tick(self) -> str:
        """What the sensor says."""
        channels = AlertChannels(smtp_url=f"smtp+plain://127.0.0.1:{self.port}", smtp_from="alerts@example.com")
        resources = {"ledger": self.ledger, "reports": self.reports, "alert_channels": channels}
        context = dg.build_sensor_context(instance=self.instance, resources=resources)
        result = build_alert_sensor(self.problem)(context)
        assert isinstance(result, dg.SkipReason)
        return str(result.skip_message)

    def judge(self, check: str, window: str, *, passed: bool, text: str = "", **numbers: float) -> None:
        """A check's verdict, as the assets report it."""
        key, windows = check_key(self.problem, check), partitions.windows(self.problem)
        link = dg.MetadataValue.url(f"{REPORTS_URL}/flights/drift/{window}.html")
        metadata = {**numbers, **({"report": link} if check != "model_quality" else {})}
        found = dg.AssetCheckResult(check_name=check, passed=passed, metadata=metadata, description=text)
        spec = dg.AssetCheckSpec(check, asset=key.asset_key, partitions_def=windows)

        @dg.asset(key=key.asset_key, partitions_def=windows, check_specs=[spec])
        def judged() -> dg.MaterializeResult:
            return dg.MaterializeResult(check_results=[found])

        assert dg.materialize([judged], partition_key=window, instance=self.instance).success

    def train(self, cutoff: str, *, fails: bool) -> None:
        """A run of the training job, real but for what it trains."""

        @dg.op(name=keys.stage(self.problem, "registered_version").to_python_identifier())
        def fit() -> None:
            if fails:
                raise dg.Failure("no memory left")

        @dg.job(name=keys.training_job(self.problem))
        def training() -> None:
            fit()

        tags = {"dagster/partition": cutoff, keys.PROBLEM_TAG: "flights", keys.CAUSE_TAG: "2 bad windows"}
        training.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False)

    def decide(self, version: int, cutoff: str, *, promoted: bool) -> None:
        """A row of the gate."""
        action = "promoted" if promoted else "rejected"
        numbers = {"challenger_error": 40.1, "champion_error": 42.11}
        row = LedgerRow(action, version, cutoff, "run", "better by 4.8%", "2 bad windows", "file:///m", "abc", numbers)
        self.ledger.record(self.problem, row, against=self.ledger.champion(self.problem, cutoff, version))

    def report(self, window: str) -> None:
        """A drift report's page."""
        path = self.home / "reports" / "flights" / "drift" / f"{window}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<html>{window}</html>")
