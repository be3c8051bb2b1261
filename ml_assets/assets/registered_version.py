"""Stage 5: the model version of a cutoff: staging, the promotion gate, then production or archived."""

import json
from typing import Any

import dagster as dg
import pandas as pd

from ml_assets.assets import feature_versions, gate, keys, partitions, retraining_cause, version_card
from ml_assets.assets.tuned_model import RESULT
from ml_assets.assets.watch_files import keep_baseline, reference_path
from ml_assets.errors import NotLandedError
from ml_assets.ml.features.versions import code_version, gate_version
from ml_assets.ml.promotion.decisions import stages
from ml_assets.ml.promotion.gate import Verdict
from ml_assets.ml.quality.scores import with_scores
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.model import Model
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger, LedgerRow
from ml_assets.resources.registry import Registry, model_hash
from ml_assets.resources.tracking import SEARCH
from ml_assets.spec import Problem

CHECK = gate.CHECK


def build_registered_version(problem: Problem) -> dg.AssetsDefinition:
    """A version in MLflow's registry, decided upon by the gate and written into the ledger."""
    key = keys.stage(problem, "registered_version")

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "tuned_model"), keys.stage(problem, "dataset")],
        partitions_def=partitions.cutoffs(problem),
        code_version=gate_version(problem),
        check_specs=[
            dg.AssetCheckSpec(CHECK, asset=key, description="Better than production on the same held-out rows.")
        ],
        description="MLflow model version: staging, then the gate, then production or archived.",
        group_name=problem.name,
        kinds={"mlflow"},
    )
    def registered_version(
        context: dg.AssetExecutionContext, lake: Lake, registry: Registry, ledger: Ledger
    ) -> dg.MaterializeResult:
        cutoff, cause = context.partition_key, context.run.tags.get(keys.CAUSE_TAG, "started by hand")
        result = _result(problem, cutoff, lake)
        frame = lake.read_stage(problem, "dataset", cutoff)
        held_out = frame[frame[SPLIT] != "train"].reset_index(drop=True)
        challenger = Model.load(lake.model_folder(problem, cutoff) / "model")
        lake.write(reference_path(problem, cutoff, lake), reference_rows(problem, challenger, held_out))
        keep_baseline(problem, cutoff, challenger, frame, lake)
        candidate = _candidate(problem, cutoff, result, lake, registry, by=context.run.run_id, cause=cause)
        verdict, row = gate.decide(problem, candidate, challenger, held_out, registry, ledger)
        about = _about(problem, cutoff, result, registry)
        test, scores = gate.held_out_scores(challenger, held_out)
        facts = version_card.card_facts(problem, row, verdict, challenger, test, scores, rows=_sizes(frame), **about)
        drawn = version_card.pictures(problem, challenger, test, scores)
        version_card.publish(problem, facts, drawn, registry)
        metadata = retraining_cause.cause_metadata(problem, context.run.tags)
        metadata |= _metadata(problem, row, verdict, result, ledger) | version_card.metadata(problem, facts, drawn)
        metadata["feature_importance"] = challenger.importance()
        for answer in retraining_cause.answers(problem, context.run.tags, context.run.run_id, row):
            context.log_event(answer)
        return dg.MaterializeResult(metadata=metadata, check_results=[gate.check_result(verdict, row)])

    return registered_version


def _result(problem: Problem, cutoff: str, lake: Lake) -> dict[str, Any]:
    path = lake.model_folder(problem, cutoff) / RESULT
    if not path.exists():
        raise NotLandedError(f"Asset '{problem.name}/tuned_model'", [cutoff])
    return json.loads(path.read_text())


def reference_rows(problem: Problem, model: Model, held_out: pd.DataFrame) -> pd.DataFrame:
    """The held-out rows that the model was not fitted on, with its predictions."""
    unseen = held_out[held_out[SPLIT] == "test"] if problem.search.refit else held_out
    return with_scores(unseen, model.scores(unseen))


def _candidate(
    problem: Problem, cutoff: str, result: dict[str, Any], lake: Lake, registry: Registry, *, by: str, cause: str
) -> LedgerRow:
    """The registered version as it goes into the gate."""
    digest, lineage = model_hash(lake.model_folder(problem, cutoff) / "model"), _lineage(problem, cutoff, result)
    version = registry.register(problem, result["model_uri"], result["mlflow_run_id"], digest, lineage)
    numbers = {f"test_{name}": value for name, value in result["test"].items()}
    numbers["train_start"] = result["train_start"]
    location = registry.location(problem, version)
    return LedgerRow("rejected", version, cutoff, by, "", cause, location, digest, numbers)


def _lineage(problem: Problem, cutoff: str, result: dict[str, Any]) -> dict[str, str]:
    """What a version was made of, as tags."""
    return {
        **_origin(problem, cutoff, result),
        **{f"test_{name}": f"{value:.6g}" for name, value in result["test"].items()},
        **{f"view.{view}": version for view, version in _views(result).items()},
    }


def _origin(problem: Problem, cutoff: str, result: dict[str, Any]) -> dict[str, str]:
    return {
        "cutoff": cutoff,
        "dataset_partition": cutoff,
        "data_sha256": result["data_sha256"],
        "code_version": code_version(problem),
        "estimator": problem.search.estimator,
        "seed": str(problem.search.seed),
    }


def _views(result: dict[str, Any]) -> dict[str, str]:
    """What the training set was made of, which need not be what is declared by now."""
    return {view: feature_versions.in_short(found) for view, found in result.get("views", {}).items()}


def _about(problem: Problem, cutoff: str, result: dict[str, Any], registry: Registry) -> dict[str, dict[str, str]]:
    """Origin and views for the card, with the search that MLflow's runs are found by."""
    run = registry.client().get_run(result["mlflow_run_id"])
    search = {"search_id": run.data.tags.get(SEARCH, ""), "mlflow_run_id": result["mlflow_run_id"]}
    return {"origin": _origin(problem, cutoff, result) | search, "views": _views(result)}


def _sizes(frame: pd.DataFrame) -> dict[str, int]:
    sizes = frame[SPLIT].value_counts()
    return {part: int(sizes.get(part, 0)) for part in ("train", "validation", "test")}


def _metadata(
    problem: Problem, row: LedgerRow, verdict: Verdict, result: dict[str, Any], ledger: Ledger
) -> dict[str, Any]:
    return {
        "version": row.version,
        "stage": stages(ledger.rows(problem))[row.version],
        "cause": row.cause,
        **{f"test_{name}": value for name, value in result["test"].items()},
        **verdict.numbers(),
    }
