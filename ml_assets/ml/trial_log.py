"""Finished trials on disk, so that a killed search loses none of them.

A log is a text file of JSON lines: a header that says which search it belongs to, then one line per finished
trial, each on disk before the next trial starts. How trials are made is `tuning.py`'s business.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ml_assets.ml.model import ParamValue


@dataclass(frozen=True)
class Trial:
    """One finished trial. Two trials are equal when they computed the same, however long it took.

    Attributes:
        number: From 0, in the order of the search.
        params: Searched parameters only.
        loss: Validation loss that the search minimises; None when failed.
        metrics: Metrics of the validation rows at the best round, as in `metrics.Metrics`; none when failed.
        best_iteration: Round (from 0) with the least loss; None when failed.
        duration_s: Seconds of training.
        status: "failed" when XGBoost refused the parameters or the loss was not finite.
        message: Why it failed.
        resumed: The result comes from the log of an earlier, interrupted search.
    """

    number: int
    params: Mapping[str, ParamValue]
    loss: float | None
    metrics: Mapping[str, float]
    best_iteration: int | None
    duration_s: float = field(compare=False)
    status: Literal["ok", "failed"] = "ok"
    message: str = ""
    resumed: bool = field(default=False, compare=False)


class TrialLog:
    """The log of one search. Several processes may write it: lines are appended whole."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        """Open the log of the search that `header` describes, or begin it.

        A log of any other search (other data, space, seed or library version) is moved aside to `<name>.old`.
        """
        self.path = path
        self._finished: dict[int, Trial] = {}
        header = json.loads(json.dumps(header))
        lines = list(_lines(path))
        if lines and lines[0] == header:
            for line in lines[1:]:
                trial = Trial(**line, resumed=True)
                self._finished[trial.number] = trial
        else:
            self._begin(header)

    def answer(self, number: int, params: Mapping[str, ParamValue]) -> Trial | None:
        """The finished trial of that number, if it had exactly these parameters."""
        trial = self._finished.get(number)
        return trial if trial and trial.params == params else None

    def append(self, trial: Trial) -> None:
        """Put a finished trial on disk; it counts as soon as this returns."""
        plain = asdict(replace(trial, params=dict(trial.params), metrics=dict(trial.metrics)))
        del plain["resumed"]
        line = json.dumps(plain, allow_nan=False) + "\n"
        with self.path.open("a+b") as file:
            if not _ends_whole(file):
                line = "\n" + line  # what a killed search left half written stays a line of its own
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    def _begin(self, header: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self.path.replace(self.path.with_name(self.path.name + ".old"))
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(header) + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a log; one that a kill left torn is skipped, its trial is simply trained again."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict):
            yield value


def _ends_whole(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
