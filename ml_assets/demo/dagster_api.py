"""The few requests to Dagster's GraphQL that the demo makes; the same that a click in the UI makes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import requests

from ml_assets.errors import DemoError

LOCATION = "ml_assets"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

_LAUNCH_RUN = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
_LAUNCH_BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""
_STATUS = """query($id: ID!) { runOrError(runId: $id) {
  __typename ... on Run { status startTime endTime } ... on Error { message } } }"""
_BACKFILL = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
  __typename ... on PartitionBackfill { status runs(limit: 1) { runId status } } ... on Error { message } } }"""
_RUNS = """query($filter: RunsFilter!) { runsOrError(filter: $filter, limit: 10) {
  __typename ... on Runs { results { runId status } } ... on Error { message } } }"""


@dataclass(frozen=True)
class DagsterApi:
    """A webserver on loopback."""

    url: str

    def answers(self) -> bool:
        """Whether the code location is loaded."""
        query = "query { repositoriesOrError { __typename ... on RepositoryConnection { nodes { name } } } }"
        try:
            return bool(self._ask(query, {}).get("nodes"))
        except (requests.RequestException, DemoError):
            return False

    def launch_job(self, job: str, partition: str | None = None) -> str:
        """Launch a run of a job, for one partition; returns the run id."""
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        selector = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION, "jobName": job}
        params = {"selector": selector, "runConfigData": {}, "executionMetadata": {"tags": tags}}
        return self._ask(_LAUNCH_RUN, {"params": params})["run"]["runId"]

    def launch_backfill(self, assets: Sequence[dg.AssetKey], partitions: Sequence[str], title: str) -> str:
        """Launch a backfill of assets over partitions; returns its id."""
        selection = [{"path": list(key.path)} for key in assets]
        params = {"assetSelection": selection, "partitionNames": list(partitions), "title": title}
        return self._ask(_LAUNCH_BACKFILL, {"params": params})["backfillId"]

    def wait_for_run(self, run_id: str, *, timeout_s: float, each: Callable[[], None] = lambda: None) -> str:
        """Wait for the end of a run; returns its final status."""

        def ended() -> str | None:
            status = self._ask(_STATUS, {"id": run_id})["status"]
            return status if status in _ENDED else None

        return wait_for(ended, f"run {run_id}", timeout_s=timeout_s, each=each)

    def run_of_backfill(self, backfill_id: str, *, timeout_s: float, each: Callable[[], None] = lambda: None) -> str:
        """Wait until a backfill has launched its run; returns the run id."""

        def launched() -> str | None:
            runs = self._ask(_BACKFILL, {"id": backfill_id})["runs"]
            return runs[0]["runId"] if runs else None

        return wait_for(launched, f"backfill {backfill_id}", timeout_s=timeout_s, each=each)

    def runs_of_job(self, job: str, tags: dict[str, str]) -> list[str]:
        """Run ids of a job with these tags, newest first."""
        wanted = [{"key": key, "value": value} for key, value in tags.items()]
        found = self._ask(_RUNS, {"filter": {"pipelineName": job, "tags": wanted}})
        return [run["runId"] for run in found["results"]]

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        response = requests.post(f"{self.url}/graphql", json=body, timeout=60)
        answer = response.json()
        if "errors" in answer:
            raise DemoError(f"Dagster refused a request: {answer['errors'][0]['message']}")
        data = next(iter(answer["data"].values()))
        if "message" in data:
            raise DemoError(f"Dagster refused a request ({data['__typename']}): {data['message']}")
        return data


def wait_for(
    answer: Callable[[], str | None], what: str, *, timeout_s: float, each: Callable[[], None] = lambda: None
) -> str:
    """Ask until there is an answer.

    Raises:
        DemoError: There was none in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if (found := answer()) is not None:
            return found
        each()
        time.sleep(0.2)
    raise DemoError(f"Gave up on {what} after {timeout_s:.0f} s.")
