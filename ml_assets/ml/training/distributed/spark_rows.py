"""The rows of a training on Spark: the encoder, learned by the cluster, and the rows as it encodes them.

What is trained on them is `spark_training.py`'s.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ml_assets.ml.quality.scores import class_codes
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.encoding import Encoder, numbers
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.spec import FeatureType

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FEATURES, CODE, HELD_OUT = "features", "label", "held_out"
"""Columns of encoded rows."""


def fit_encoder_on(spark: "SparkSession", rows: ParquetRows, features: Mapping[str, FeatureType]) -> Encoder:
    """The encoder of the rows; the cluster finds the categories.

    Raises:
        MissingFeaturesError, FeatureTypeError: As `Encoder.fit`.
    """
    first = next(rows.batches(list(features)), None)
    texts = [name for name, kind in features.items() if kind == "string"]
    if first is None or not texts:
        return Encoder(dict(features), {name: () for name in texts})
    Encoder.fit(first, features)  # refuses columns of another type, which the cluster would turn into text
    frame = _read(spark, rows)
    found = {name: [row[0] for row in frame.select(name).distinct().collect()] for name in texts}
    categories = {name: tuple(sorted(value for value in found[name] if value is not None)) for name in texts}
    return Encoder(dict(features), categories)


def encoded_rows(
    spark: "SparkSession",
    rows: ParquetRows,
    encoder: Encoder,
    label: str,
    classes: tuple[str, ...],
    workers: int,
) -> "DataFrame":
    """Encoded rows, spread evenly over the workers and kept there."""

    def encode(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield encode_batch(batch, encoder, label, classes)

    schema = f"{FEATURES} array<float>, {CODE} double, {HELD_OUT} boolean"
    frame = _read(spark, rows).select(*encoder.feature_names, label, SPLIT)
    return frame.repartition(workers).mapInArrow(encode, schema).persist()


def encode_batch(batch: pa.RecordBatch, encoder: Encoder, label: str, classes: tuple[str, ...]) -> pa.RecordBatch:
    """Rows as `xgboost.spark` takes them: an array of features, the label as a number, whether it is for validation.

    Rows of classes that no training row has are left out.
    """
    frame = batch.to_pandas()
    if classes:
        codes = class_codes(frame[label].to_numpy(object), classes).astype(np.float64)
        frame, codes = frame[codes >= 0], codes[codes >= 0]
    else:
        codes = numbers(frame, label)
    matrix = encoder.transform(frame)
    ends = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
    # Built by hand: pandas would turn NaN into null, which is no value of an array.
    features = pa.ListArray.from_arrays(pa.array(ends), pa.array(matrix.ravel()))
    held_out = pa.array((frame[SPLIT] == "validation").to_numpy(bool))
    return pa.RecordBatch.from_arrays([features, pa.array(codes), held_out], names=[FEATURES, CODE, HELD_OUT])


def _read(spark: "SparkSession", rows: ParquetRows) -> "DataFrame":
    from pyspark.sql import functions

    return spark.read.parquet(str(rows.path)).where(functions.col(SPLIT).isin(list(rows.parts)))


def content_hash(rows: ParquetRows, encoder: Encoder, classes: tuple[str, ...], workers: int) -> str:
    """Hash of the files' bytes (the encoded rows never come to this machine) and of how many workers share them."""
    digest = hashlib.sha256(encoder.to_json().encode())
    digest.update("\n".join([*classes, f"{workers} workers"]).encode())
    for file in rows.files():
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()
