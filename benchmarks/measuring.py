"""Measures a piece of work in a process of its own: wall and CPU seconds, peak memory, medians.

Here belongs what all benchmarks share. What is measured, and against what, is in the module of each benchmark.

A target is a function "package.module:function" with JSON arguments and a JSON result. It is imported before the
clock starts. Where more has to be ready first (a heavy import, an open store), the target prepares it and returns
a function without arguments: then only that one is timed. If that returns a function again, it is called when
all is measured, and gives the result.

    def join(folder: str) -> Callable[[], int]:
        import polars                                    # not timed
        return lambda: polars.read_parquet(folder).height   # timed

    measure("benchmarks.example:join", {"folder": "/tmp/x"}, repeats=3).wall_s
"""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

from ml_assets.telemetry import disable_telemetry

ROOT = Path(__file__).parents[1]
_POLL_S = 0.05


class WorkFailedError(RuntimeError):
    """The measured function raised."""

    def __init__(self, target: str, log: str) -> None:
        lines = log.strip().splitlines() or ["it printed nothing"]
        super().__init__(f"'{target}' failed: {lines[-1]}\n{log}")
        self.reason = lines[-1]


@dataclass(frozen=True)
class Measured:
    """Medians over the repeats.

    Attributes:
        wall_s: Wall seconds.
        cpu_s: CPU seconds of all threads, and of child processes that ended.
        peak_gb: Largest resident set (10^9 bytes) while the work ran, interpreter and imports included.
        result: What the last repeat returned.
        stopped: Why it was ended early, e.g. "over 180 s"; then the figures are those at the end.
    """

    wall_s: float
    cpu_s: float
    peak_gb: float
    result: Any
    stopped: str | None = None


def measure(
    target: str,
    arguments: Mapping[str, Any],
    repeats: int = 3,
    *,
    once_over_s: float | None = None,
    limit_s: float | None = None,
    limit_gb: float | None = None,
) -> Measured:
    """Run the target in a fresh interpreter per repeat.

    Args:
        target: "package.module:function"; see the module.
        arguments: Its keyword arguments, as JSON.
        repeats: How often it runs.
        once_over_s: Work that takes longer than this is not repeated.
        limit_s: Wall limit of a whole process, imports included; over it the process is ended.
        limit_gb: Limit of its resident set, looked at 20 times a second; likewise.

    Raises:
        WorkFailedError: The target raised.
    """
    runs: list[Measured] = []
    while len(runs) < repeats:
        runs.append(_run(target, arguments, limit_s, limit_gb))
        if runs[-1].stopped:
            return runs[-1]
        if once_over_s and runs[-1].wall_s > once_over_s:
            break
    middle = {name: statistics.median(getattr(run, name) for run in runs) for name in ("wall_s", "cpu_s", "peak_gb")}
    return Measured(**middle, result=runs[-1].result)


def machine() -> str:
    """The machine, and how busy it was: where others use it too, wall seconds say little and CPU seconds more."""
    cores, load = psutil.cpu_count() or 1, os.getloadavg()[2]
    busy = " (busy with other work: read CPU seconds and ratios)" if load > 1.5 * cores else ""
    memory = psutil.virtual_memory().total / 1e9
    return f"{cores} cores, {memory:.0f} GB, load average of the last 15 minutes {load:.1f}{busy}"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as a Markdown table: floats with three significant digits, None as a dash.

    Columns are those of all rows, in the order of first appearance; numbers stand to the right.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    numeric = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in columns]
    lines = [columns, ["--:" if right else "---" for right in numeric]]
    lines += [[_cell(row.get(name)) for name in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _run(target: str, arguments: Mapping[str, Any], limit_s: float | None, limit_gb: float | None) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        answer, log = Path(folder, "answer.json"), Path(folder, "log.txt")
        command = [sys.executable, "-m", "benchmarks.measuring", target, json.dumps(arguments), str(answer)]
        with log.open("wb") as out:
            child = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
        try:
            stopped = _watch(psutil.Process(child.pid), child, limit_s, limit_gb)
        finally:
            child.kill()
            child.wait()
        if stopped:
            return stopped
        if child.returncode:
            raise WorkFailedError(target, log.read_text(errors="replace"))
        return Measured(**json.loads(answer.read_text()))


def _watch(
    process: psutil.Process, child: subprocess.Popen[bytes], limit_s: float | None, limit_gb: float | None
) -> Measured | None:
    """Wait for the end; what was reached, if a limit was."""
    begin, cpu_s, peak_gb = time.perf_counter(), 0.0, 0.0
    while child.poll() is None:
        try:
            peak_gb = max(peak_gb, process.memory_info().rss / 1e9)
            cpu_s = sum(process.cpu_times()[:2])
        except psutil.Error:  # it ended just now
            continue
        wall_s = time.perf_counter() - begin
        if limit_s and wall_s > limit_s:
            return Measured(wall_s, cpu_s, peak_gb, None, f"over {limit_s:g} s")
        if limit_gb and peak_gb > limit_gb:
            return Measured(wall_s, cpu_s, peak_gb, None, f"over {limit_gb:g} GB")
        time.sleep(_POLL_S)
    return None


def _peak_gb() -> float:
    # Not ru_maxrss on Linux: a child begins there with what its parent had.
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    if found:
        return int(found[1]) * 1024 / 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9


def _forget_peak() -> None:
    """Let the peak begin with what is resident now, so that preparing does not count; Linux only."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def cpu_seconds() -> float:
    """CPU seconds of this process so far: all its threads, and child processes that it waited for."""
    return sum(os.times()[:4])


def _child(target: str, arguments: str, answer: str) -> None:
    """What the fresh interpreter does."""
    disable_telemetry()
    module, _, function = target.partition(":")
    work = getattr(import_module(module), function)
    given = json.loads(arguments)
    _forget_peak()
    begin, cpu = time.perf_counter(), cpu_seconds()
    result = work(**given)
    if callable(result):
        _forget_peak()
        begin, cpu = time.perf_counter(), cpu_seconds()
        result = result()
    wall_s, cpu_s, peak_gb = time.perf_counter() - begin, cpu_seconds() - cpu, _peak_gb()
    measured = Measured(wall_s, cpu_s, peak_gb, result() if callable(result) else result)
    Path(answer).write_text(json.dumps(asdict(measured)))


if __name__ == "__main__":
    _child(*sys.argv[1:])
