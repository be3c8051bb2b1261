"""Rows of parquet files, a batch at a time: for trainings on more rows than memory holds.

Here belongs reading only. What is made of the batches is `external_memory.py`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_assets.errors import MissingFeaturesError, NoRowsFileError
from ml_assets.ml.training.dataset import SPLIT


@dataclass(frozen=True)
class ParquetRows:
    """Rows of one or several parts of a training set, in the order of the files' names and of the rows in them.

    Attributes:
        path: A parquet file, or a folder of such files.
        parts: Values of the column `split` that are taken; all rows where there are none.
        batch_rows: Most rows of a batch; memory holds that many, and what one row group of a file holds.
    """

    path: Path
    parts: tuple[str, ...] = ()
    batch_rows: int = 1_000_000

    def part(self, *parts: str) -> "ParquetRows":
        """Only the rows of some parts."""
        return ParquetRows(self.path, parts, self.batch_rows)

    def batches(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Frames of the named columns, each of at least one row; the same rows in the same order every time.

        Raises:
            NoRowsFileError: There is no parquet file.
            MissingFeaturesError: A column is in none of the files.
        """
        wanted = [*columns, *([SPLIT] if self.parts and SPLIT not in columns else [])]
        waiting: list[pa.Table] = []
        for read in self._row_groups(wanted):  # batches end with a row group: small ones are put together
            waiting.append(self._chosen(pa.Table.from_batches([read])))
            while sum(map(len, waiting)) >= self.batch_rows:
                table = pa.concat_tables(waiting)
                waiting = [table.slice(self.batch_rows)]
                yield _frame(table.slice(0, self.batch_rows), columns)
        if sum(map(len, waiting)):
            yield _frame(pa.concat_tables(waiting), columns)

    def _row_groups(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        for file in self.files():
            _require(file, columns)
            with pq.ParquetFile(file) as opened:
                # Asked for all row groups at once, pyarrow 25 keeps what it has read of each until the end of the file.
                for group in range(opened.num_row_groups):
                    yield from opened.iter_batches(self.batch_rows, row_groups=[group], columns=columns)

    def frame(self) -> pd.DataFrame:
        """All columns of all rows, for parts that memory holds.

        Raises:
            NoRowsFileError: There is no parquet file.
        """
        return pd.concat(self.batches(pq.read_schema(self.files()[0]).names), ignore_index=True)

    def column(self, name: str) -> pd.DataFrame:
        """One column of all rows, as a frame: 8 bytes a row for numbers, more for text."""
        frames = list(self.batches([name]))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({name: []})

    def _chosen(self, table: pa.Table) -> pa.Table:
        return table.filter(pc.is_in(table[SPLIT], pa.array(self.parts))) if self.parts else table

    def files(self) -> list[Path]:
        """The files, by name."""
        files = sorted(self.path.glob("**/*.parquet")) if self.path.is_dir() else [self.path]
        if not files or not files[0].exists():
            raise NoRowsFileError(self.path.name)
        return files


def _frame(table: pa.Table, columns: Sequence[str]) -> pd.DataFrame:
    return table.select(list(columns)).to_pandas(ignore_metadata=True, split_blocks=True)


def _require(file: Path, columns: Sequence[str]) -> None:
    have = set(pq.read_schema(file).names)
    if missing := [name for name in columns if name not in have]:
        raise MissingFeaturesError(missing)
