"""The few requests to Dagster's GraphQL that the demo makes; the same that a click in the UI makes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import requests
from dagster import RunsFilter

from ml_assets.errors import DemoError

LOCATION = "ml_assets"
PARTITION_TAG, BACKFILL_TAG = "dagster/partition", "dagster/backfill"

_LAUNCH_RUN = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
_LAUNCH_BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""


@dataclass(frozen=True)
class DagsterApi:
    """A webserver on loopback for what changes something, and its instance for what is only read."""

    url: str
    instance: dg.DagsterInstance

    def answers(self) -> bool:
        """Whether the code location is loaded."""
        query = "query { repositoriesOrError { __typename ... on RepositoryConnection { nodes { name } } } }"
        try:
            return bool(self._ask(query, {}).get("nodes"))
        except (requests.RequestException, DemoError):
            return False

    def launch_job(self, job: str, partition: str | None = None) -> str:
        """Launch a run of a job, for one partition; returns the run id."""
        tags = [{"key": PARTITION_TAG, "value": partition}] if partition else []
        selector = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION, "jobName": job}
        params = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
        return self._ask(_LAUNCH_RUN, {"params": params})["run"]["runId"]

    def launch_backfill(self, assets: Sequence[dg.AssetKey], partitions: Sequence[str], title: str) -> str:
        """Launch a backfill of assets over partitions; returns its id."""
        selection = [{"path": list(key.path)} for key in assets]
        params = {"assetSelection": selection, "partitionNames": list(partitions), "title": title}
        return self._ask(_LAUNCH_BACKFILL, {"params": params})["backfillId"]

    def wait_for_run(self, run_id: str, *, timeout_s: float) -> str:
        """Wait for the end of a run; returns its final status."""

        def ended() -> str | None:
            run = self.instance.get_run_by_id(run_id)
            return run.status.value if run and run.is_finished else None

        return wait_for(ended, f"run {run_id}", timeout_s=timeout_s)

    def run_of_backfill(self, backfill_id: str, *, timeout_s: float) -> str:
        """Wait until a backfill has launched its run; returns the run id."""
        return self._newest_run(RunsFilter(tags={BACKFILL_TAG: backfill_id}), f"backfill {backfill_id}", timeout_s)

    def run_of_job(self, job: str, partition: str, *, timeout_s: float) -> str:
        """Wait until somebody has launched a job for a partition; returns the run id."""
        wanted = RunsFilter(job_name=job, tags={PARTITION_TAG: partition})
        return self._newest_run(wanted, f"a run of {job} for {partition}", timeout_s)

    def _newest_run(self, wanted: RunsFilter, what: str, timeout_s: float) -> str:
        def launched() -> str | None:
            runs = self.instance.get_runs(wanted, limit=1)
            return runs[0].run_id if runs else None

        return wait_for(launched, what, timeout_s=timeout_s)

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body: Any = {"query": query, "variables": variables}
        response = requests.post(f"{self.url}/graphql", json=body, timeout=60)
        answer = response.json()
        if "errors" in answer:
            raise DemoError(f"Dagster refused a request: {answer['errors'][0]['message']}")
        data = next(iter(answer["data"].values()))
        if "message" in data:
            raise DemoError(f"Dagster refused a request ({data['__typename']}): {data['message']}")
        return data


def wait_for(answer: Callable[[], str | None], what: str, *, timeout_s: float) -> str:
    """Ask until there is an answer.

    Raises:
        DemoError: There was none in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if (found := answer()) is not None:
            return found
        time.sleep(0.2)
    raise DemoError(f"Gave up on {what} after {timeout_s:.0f} s.")
