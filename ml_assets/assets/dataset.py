"""Stage 3: the training set of a cutoff, point in time through Feast, validated by Great Expectations."""

import dagster as dg
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.ml.dataset import SPLIT, check_known, labelled_rows
from ml_assets.ml.splits import split_windows
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.data_docs import DataDocs, ValidationReport
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake, content_hash
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem

CHECK = "great_expectations"


def build_dataset(problem: Problem) -> dg.AssetsDefinition:
    """Rows and labels before a cutoff, with the features that were known at each row's prediction time."""
    key = keys.stage(problem, "dataset")
    before = partitions.all_before()
    upstream = [keys.stage(problem, name) for name in ("rows", "labels")]
    upstream += [keys.features(problem, view.name) for view in problem.feature_views]
    store = [keys.store(problem)] if problem.feature_views else []

    @dg.asset(
        key=key,
        deps=[*store, *(dg.AssetDep(k, partition_mapping=before) for k in upstream)],
        partitions_def=partitions.cutoffs(problem),
        check_specs=[dg.AssetCheckSpec(CHECK, asset=key, blocking=True, description="The declared rules hold.")],
        description="Point-in-time training set: train, validation and test by time.",
        group_name=problem.name,
        kinds={"feast", "great_expectations"},
    )
    def dataset(
        context: dg.AssetExecutionContext,
        lake: Lake,
        feature_store: FeatureStore,
        data_docs: DataDocs,
        reports: Reports,
    ) -> dg.MaterializeResult:
        cutoff = window_of(problem.cadence, context.partition_key)
        frame = training_set(problem, cutoff, lake, feature_store)
        path = lake.write(lake.stage(problem, "dataset", cutoff.key), frame)
        report = data_docs.validate(
            problem=problem.name, run_name=f"cutoff-{cutoff.key}", frame=frame, rules=problem.validation
        )
        return dg.MaterializeResult(
            metadata={
                **_metadata(frame, problem),
                "path": dg.MetadataValue.path(path),
                "data_sha256": content_hash([path]),
            },
            check_results=[_check(report, reports)],
        )

    return dataset


def training_set(problem: Problem, cutoff: Window, lake: Lake, feature_store: FeatureStore) -> pd.DataFrame:
    """The training set of a cutoff, in the order of its windows.

    Raises:
        NotLandedError, TooLittleHistoryError, LeakageError.
    """
    split = split_windows(problem.split, cutoff, problem.label)
    lake.require_features(problem, split.all)
    parts = []
    for window in split.all:
        rows, labels = (lake.read_stage(problem, name, window.key) for name in ("rows", "labels"))
        parts.append((window, rows, labels))
    frame = labelled_rows(parts, split, problem.rows, problem.label, cutoff.start)
    joined = feature_store.training_rows(problem, frame)
    check_known(joined, problem.feature_views)
    return joined


def _metadata(frame: pd.DataFrame, problem: Problem) -> dict[str, dg.MetadataValue]:
    sizes = frame[SPLIT].value_counts()
    label = frame[problem.label.name]
    if problem.task == "multiclass":
        about = {f"label_share_{name}": share for name, share in label.value_counts(normalize=True).head(20).items()}
    else:
        about = {"label_mean": label.mean(), "label_std": label.std()}
    return {
        "dagster/row_count": dg.MetadataValue.int(len(frame)),
        **{f"{part}_rows": dg.MetadataValue.int(int(sizes.get(part, 0))) for part in ("train", "validation", "test")},
        **{name: dg.MetadataValue.float(float(value)) for name, value in about.items()},
        "null_share": dg.MetadataValue.float(float(frame[list(problem.features)].isna().to_numpy().mean())),
    }


def _check(report: ValidationReport, reports: Reports) -> dg.AssetCheckResult:
    wrong = [result for result in report.results if result.status != "passed"]
    table = "\n".join(
        f"| {r.rule} | {r.severity} | {r.status} | {'' if r.observed is None else r.observed} |" for r in report.results
    )
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=report.passed,
        description="; ".join(f"{r.rule}: {r.status}" for r in wrong) or f"All {len(report.results)} rules hold.",
        metadata={
            "data_docs": reports.link(f"data_docs/{report.page}"),
            "rules": len(report.results),
            "rules_not_met": len(wrong),
            "results": dg.MetadataValue.md(f"| rule | severity | status | observed |\n|---|---|---|---|\n{table}"),
        },
    )
