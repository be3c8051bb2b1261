"""Finished trials on disk, so that a killed search loses none of them.

A log is a text file of JSON lines: a header that says which search it belongs to and with which points it began,
then one line per finished trial, in the order in which they ended and on disk before the search uses them. How
trials are made is `tuning.py`'s business.
"""

import hashlib
import json
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ml_assets.ml.training.params import ParamValue

FORMAT = 3
"""2 had neither pruned trials nor points to begin with."""

_GIVEN, _STOP = "given", "stopped_after"


@dataclass(frozen=True)
class Trial:
    """One finished trial. Two trials are equal when they computed the same, however long it took.

    Attributes:
        number: From 0, in the order of the search.
        params: Searched parameters only.
        loss: Validation loss that the search minimises, of a pruned trial until it was stopped; None when there is
            none.
        metrics: Metrics of the validation rows at the best round, as in `metrics.Metrics`; only of status "ok".
        best_iteration: Round (from 0) with the least loss; None when there is none.
        duration_s: Seconds of training.
        status: "ok" when it ran to its end; "pruned" when it was stopped since it would not win; "failed" when
            XGBoost refused the parameters or the loss was not finite; "timed_out" when it took too long.
        message: Why it did not run to its end.
        ended_s: Seconds of searching, interruptions left out, after which it ended.
        resumed: The result comes from the log of an earlier, interrupted search.
    """

    number: int
    params: Mapping[str, ParamValue]
    loss: float | None
    metrics: Mapping[str, float]
    best_iteration: int | None
    duration_s: float = field(compare=False)
    status: Literal["ok", "pruned", "failed", "timed_out"] = "ok"
    message: str = ""
    ended_s: float = field(default=0.0, compare=False)
    resumed: bool = field(default=False, compare=False)

    @property
    def loss_or_inf(self) -> float:
        """The loss; infinite when there is none."""
        return math.inf if self.loss is None else self.loss


class TrialLog:
    """The log of one search. Threads and processes may write it at once: lines are appended whole.

    Attributes:
        given: The points with which the search began, when it began.
        search_id: Hash of all that makes the search this one, these points included.
        ended_s: Seconds of searching before this log was opened.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], given: Sequence[Mapping[str, ParamValue]] = ()) -> None:
        """Open the log of the search that `header` describes, or begin it.

        A log of any other search (other data, space, seed or library version) is moved aside to `<name>.old`.

        Args:
            path: The file.
            header: What makes the search this one.
            given: Points to begin with. A log that is there keeps its own, so that a search which goes on does not
                depend on what former searches have found meanwhile.
        """
        self.path = path
        self._lock = threading.Lock()
        self._finished: dict[int, Trial] = {}
        self._stops: dict[float, int] = {}
        header = json.loads(json.dumps(header))
        lines = list(_lines(path))
        if not lines or {key: value for key, value in lines[0].items() if key != _GIVEN} != header:
            lines = [{**header, _GIVEN: [dict(point) for point in given]}]
            self._begin(lines[0])
        self.given: list[dict[str, ParamValue]] = lines[0][_GIVEN]
        self.search_id = hashlib.sha256(json.dumps(lines[0], sort_keys=True).encode()).hexdigest()[:16]
        for line in lines[1:]:
            if _STOP in line:
                self._stops[line["max_seconds"]] = line[_STOP]
            else:
                trial = Trial(**line, resumed=True)
                self._finished[trial.number] = trial
        self.ended_s = max((trial.ended_s for trial in self._finished.values()), default=0.0)

    def answer(self, number: int, params: Mapping[str, ParamValue], limit_s: float | None = None) -> Trial | None:
        """The finished trial of that number, if it had exactly these parameters and, when timed out, as much time."""
        trial = self._finished.get(number)
        if trial is None or trial.params != params:
            return None
        if trial.status == "timed_out" and (limit_s is None or trial.duration_s < limit_s):
            return None
        return trial

    def holds(self, number: int) -> bool:
        """Whether there was such a trial when the log was opened."""
        return number in self._finished

    def append(self, trial: Trial) -> None:
        """Put a finished trial on disk; it counts as soon as this returns."""
        plain = asdict(replace(trial, params=dict(trial.params), metrics=dict(trial.metrics)))
        del plain["resumed"]
        self._write(plain)

    def stopped(self, max_seconds: float) -> int | None:
        """After how many trials the search ran out of this time; None if it never did."""
        return self._stops.get(max_seconds)

    def stop(self, trials: int, max_seconds: float) -> None:
        """Note that the time was up after so many trials."""
        self._write({_STOP: trials, "max_seconds": max_seconds})

    def _write(self, value: Mapping[str, Any]) -> None:
        line = json.dumps(value, allow_nan=False) + "\n"
        with self._lock, self.path.open("a+b") as file:
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


def read_log(path: Path) -> tuple[dict[str, Any], list[Trial]]:
    """Header and trials of any search's log, without taking part in it; empty when absent or of another format."""
    header, *lines = list(_lines(path)) or [{}]
    if header.get("format") != FORMAT:
        return {}, []
    return header, [Trial(**line, resumed=True) for line in lines if _STOP not in line]


def _ends_whole(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
