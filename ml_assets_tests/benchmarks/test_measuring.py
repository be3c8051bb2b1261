"""What benchmarks measure with."""

import os
import time
from collections.abc import Callable

import pytest

from benchmarks.measuring import WorkFailedError, measure, table

HERE = "ml_assets_tests.benchmarks.test_measuring"


def answer(megabytes: int) -> int:
    return len(b"x" * (megabytes * 1_000_000)) and os.getpid()


def prepared() -> Callable[[], str]:
    time.sleep(1)
    large = bytearray(os.urandom(1_000_000)) * 300
    del large
    return lambda: "done"


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def fill() -> None:
    held = []
    while True:
        held.append(os.urandom(1_000_000))


def fail() -> None:
    raise ValueError("no such file")


def test_each_repeat_has_a_process_of_its_own() -> None:
    measured = measure(f"{HERE}:answer", {"megabytes": 1}, repeats=2)
    assert measured.result != os.getpid()
    assert measured.stopped is None


def test_memory_that_the_work_touches_is_in_its_peak() -> None:
    little, much = (measure(f"{HERE}:answer", {"megabytes": size}, 1).peak_gb for size in (1, 301))
    assert much - little == pytest.approx(0.3, abs=0.05)


def test_what_a_target_prepares_is_not_measured() -> None:
    measured = measure(f"{HERE}:prepared", {}, repeats=1)
    assert measured.result == "done"
    assert measured.wall_s < 1
    assert measured.peak_gb < 0.25


def test_work_over_its_time_limit_is_ended() -> None:
    assert measure(f"{HERE}:sleep", {"seconds": 60}, repeats=3, limit_s=2).stopped == "over 2 s"


def test_work_over_its_memory_limit_is_ended() -> None:
    assert measure(f"{HERE}:fill", {}, repeats=3, limit_gb=0.5).stopped == "over 0.5 GB"


def test_a_failure_tells_its_reason() -> None:
    with pytest.raises(WorkFailedError, match="no such file") as caught:
        measure(f"{HERE}:fail", {})
    assert caught.value.reason == "ValueError: no such file"


def test_a_table_is_markdown() -> None:
    rows = [{"who": "ours", "rows": 1_000_000, "s": 1.2345}, {"who": "theirs", "s": 123.4, "why": "slow"}]
    assert table(rows).splitlines() == [
        "| who | rows | s | why |",
        "| --- | --: | --: | --- |",
        "| ours | 1,000,000 | 1.23 | – |",
        "| theirs | – | 123 | slow |",
    ]
