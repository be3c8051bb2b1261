"""The flights problem on real deliveries in a folder of the test's own: what most tests stand on."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.components.declaration import read_problem
from ml_assets.demo.deliveries import deliver
from ml_assets.ml.features.compute import Computed, compute_labels, compute_rows, compute_view
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.lake import Lake
from ml_assets.resources.readers import read_window
from ml_assets.spec import Problem

DEFS_YAML = Path(__file__).parent.parent / "ml_assets" / "defs" / "flights" / "defs.yaml"


@cache
def flights() -> Problem:
    """The declared problem."""
    return read_problem(DEFS_YAML)


@dataclass(frozen=True)
class Deliveries:
    """A landing folder and a lake."""

    problem: Problem
    lake: Lake

    @classmethod
    def below(cls, folder: Path, *, start: date | None = None) -> "Deliveries":
        """Empty ones below a folder; the history may begin later than the declared one."""
        problem = flights()
        if start:
            problem = problem.model_copy(update={"cadence": problem.cadence.model_copy(update={"start": start})})
        return cls(problem, Lake(root=str(folder / "lake"), landing=str(folder / "landing")))

    def window(self, key: str) -> Window:
        """A window by its key."""
        return window_of(self.problem.cadence, key)

    def deliver(self, key: str) -> None:
        """Deliver a week as the demo does."""
        deliver(self.problem, self.lake, self.window(key))

    def file(self, source: str, key: str) -> Path:
        """A delivered file."""
        return self.lake.delivery(self.problem, source, self.window(key))

    def change(self, source: str, key: str, table: pa.Table) -> None:
        """Deliver another table instead."""
        pq.write_table(table, self.file(source, key))

    def land(self, source: str, key: str) -> pa.Table:
        """Check a delivered file and land it, as the asset does."""
        declared, window = self.problem.source(source), self.window(key)
        others = {
            other.name: pq.read_table(path)
            for other in self.problem.sources
            if (path := self.lake.source(self.problem, other.name, key)).exists()
        }
        delivered = read_window(declared, window, self.problem.folder, self.file(source, key))
        table = land(declared, window, delivered, others).table
        self.lake.write(self.lake.source(self.problem, source, key), table)
        return table

    def land_all(self, key: str) -> None:
        """Deliver and land all sources of a week."""
        self.deliver(key)
        for source in ("airlines", "airports", "planes", "weather", "flights"):
            self.land(source, key)

    def view(self, name: str, key: str, *, sql: str | None = None, cut: float = 0.5) -> Computed:
        """Compute a window of a feature view, maybe with other SQL."""
        view = self.problem.view(name)
        view = view.model_copy(update={"sql": sql}) if sql else view
        window = self.window(key)
        return compute_view(view, self.lake.tables(self.problem, view, window), window, cut=cut)

    def rows(self, key: str, *, sql: str | None = None) -> Computed:
        """The rows to score in a week."""
        problem, window = self._with("rows", sql), self.window(key)
        return compute_rows(problem, self.lake.tables(problem, problem.rows, window), window, cut=0.5)

    def labels(self, key: str, *, sql: str | None = None) -> Computed:
        """The labels of a week."""
        problem, window = self._with("label", sql), self.window(key)
        return compute_labels(problem, self.lake.tables(problem, problem.label, window), window, cut=0.5)

    def _with(self, part: str, sql: str | None) -> Problem:
        changed = {part: getattr(self.problem, part).model_copy(update={"sql": sql})} if sql else {}
        return self.problem.model_copy(update=changed)
