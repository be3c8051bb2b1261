"""Stage 3: the training set of a cutoff, point in time through Feast, validated by Great Expectations."""

from collections.abc import Iterator

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from ml_assets.assets import feature_versions, keys, lineage, partitions
from ml_assets.assets.feature_reference import keep_reference
from ml_assets.assets.validation import Validation, check_spec
from ml_assets.errors import ValidationFailedError
from ml_assets.ml.features.versions import dataset_version
from ml_assets.ml.training.dataset import SPLIT, check_known, labelled_rows
from ml_assets.ml.training.splits import split_windows
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake, content_hash
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem


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
        check_specs=[
            *([check_spec(key, partitions.cutoffs(problem))] if problem.validation else []),
            feature_versions.check_spec(problem),
        ],
        code_version=dataset_version(problem),
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
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        cutoff = window_of(problem.cadence, context.partition_key)
        found = training_set(problem, cutoff, lake, feature_store)
        windows = split_windows(problem.split, cutoff, problem.label).all
        versions = feature_versions.versions_read(problem, windows, lake)
        validation = Validation.of_dataset(problem, lake, data_docs, reports)
        validated = validation(found, cutoff.key, f"cutoff-{cutoff.key}")
        if validated.refused:
            yield from (*validated.checks, feature_versions.judged(problem, versions))
            raise ValidationFailedError({f"dataset of '{problem.name}'": {cutoff.key: validated.text}})
        frame = validated.table
        about = {"views": feature_versions.counts(versions)}
        path = lake.write(lake.stage(problem, "dataset", cutoff.key), frame, about=about)
        reference = keep_reference(problem, cutoff.key, frame, lake, feature_store)
        yield dg.MaterializeResult(
            metadata={
                **_metadata(frame, problem),
                **lineage.dataset_columns(problem, pq.read_schema(path)),
                "view_versions": feature_versions.table(problem, versions),
                "path": dg.MetadataValue.path(path),
                "data_sha256": content_hash([path]),
                **reference,
                **validated.metadata,
            },
            check_results=[*validated.checks, feature_versions.judged(problem, versions)],
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
