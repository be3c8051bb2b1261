"""Which validations a site of Data Docs keeps: its files, its index, and what is deleted when newer ones come.

    <root>/<site>/index.html, validations/<suite>/<run>/..., expectations/<suite>.html
    <root>/_results/<site>/<suite>/<run>.json   what GX found
    <root>/_results/<site>/runs.json            what the index lists
    <root>/_static/                             styles and scripts of all pages

One process at a time changes a site: the index lists everybody's runs. How pages look belongs to `gx_pages.py`.
"""

import fcntl
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from ml_assets.files import write_text
from ml_assets.resources.data_docs_static import share_assets
from ml_assets.resources.gx_pages import INDEX, Run, index_page


@dataclass(frozen=True)
class Site:
    """The Data Docs of one problem or feature set."""

    root: Path
    name: str

    def add(self, run: Run, page: str, result: str, suites: Mapping[str, str], *, kept_runs: int) -> Path:
        """Publish a run, in the place of its former page if there is one, and drop the oldest beyond `kept_runs`.

        Args:
            run: What is listed.
            page: Its page.
            result: What GX found, as JSON.
            suites: Pages of suites, by path relative to the site.
            kept_runs: Newest runs of the run's suite that stay.

        Returns:
            The page, relative to the root.
        """
        with self._locked():
            share_assets(self.root / "_static")
            for path, text in {**suites, str(run.page): page}.items():
                write_text(self._folder / path, text)
            write_text(self._result(run), result)
            others = [each for each in self.runs() if (each.suite, each.name) != (run.suite, run.name)]
            runs = self._keep([*others, run], run.suite, kept_runs)
            listed = [asdict(each) | {"moment": each.moment.isoformat()} for each in runs]
            write_text(self._list, json.dumps(listed, indent=1))
            write_text(self._folder / INDEX, index_page(self.name, runs))
        return Path(self.name, run.page)

    def runs(self) -> list[Run]:
        """Runs whose pages are there, in the order of their validation."""
        listed = json.loads(self._list.read_text()) if self._list.is_file() else []
        runs = [Run(**each | {"moment": datetime.fromisoformat(each["moment"])}) for each in listed]
        return [run for run in runs if (self._folder / run.page).is_file()]

    def _keep(self, runs: Sequence[Run], suite: str, kept_runs: int) -> list[Run]:
        of_suite = sorted((run for run in runs if run.suite == suite), key=lambda run: run.moment)
        old = of_suite[:-kept_runs]
        for run in old:
            shutil.rmtree((self._folder / run.page).parents[1])
            self._result(run).unlink(missing_ok=True)
        return [run for run in runs if run not in old]

    @property
    def _folder(self) -> Path:
        return self.root / self.name

    @property
    def _list(self) -> Path:
        return self.root / "_results" / self.name / "runs.json"

    def _result(self, run: Run) -> Path:
        return self.root.joinpath("_results", self.name, *run.suite.split("."), f"{run.name}.json")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        path = self.root / "_results" / f"{self.name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
