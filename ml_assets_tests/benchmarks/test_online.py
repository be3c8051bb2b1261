"""The benchmark of the online store runs: both write the same values, and all reads find them."""

from pathlib import Path

import pytest

from benchmarks import online

ENTITIES = 300


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_every_contestant_writes_all_keys_and_every_read_finds_them(kind: str, tmp_path: Path) -> None:
    with online._scratch(ENTITIES, kind) as (root, redis):
        assert online.ours(root, redis)() == ENTITIES
        for by in ("ours", "online_rows"):
            took = online.reads(root, redis, ENTITIES, rows=10, repeats=5, by=by)
            assert 0 < took["p50"] <= took["p99"]
    for batch in (None, 100):
        with online._scratch(ENTITIES, kind) as (root, redis):
            assert online.feasts(root, redis, batch)() == ENTITIES
            assert online.reads(root, redis, ENTITIES, rows=10, repeats=5, by="Feast")["p50"] > 0
