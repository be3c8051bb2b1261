"""The Feast registry in SQLite and in a real PostgreSQL: nothing is lost, however many write at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from ml_assets.errors import LockTimeoutError, NotAppliedError
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.locks import locked
from ml_assets.spec import Problem
from ml_assets_tests.processes import at_once
from ml_assets_tests.real_servers import fresh_database
from ml_assets_tests.resources.feature_lake import ROUTE, START, STATION, WEEK, FeatureLake, after, asking, problem

WRITERS = 8


@contextmanager
def _registry(kind: str, root: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{root / 'registry.db'}"
    else:
        with fresh_database(request.getfixturevalue("postgresql")) as address:
            yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a registry that nobody has opened yet."""
    with _registry(request.param, tmp_path, request) as address:
        yield address


def _store(root: Path, registry: str) -> FeatureStore:
    return FeatureStore(root=str(root / "feast"), registry_address=registry, offline_store={"threads": 1})


def _folders(root: Path, declared: Problem) -> dict[str, Path]:
    return {view.name: root / "lake" / view.name for view in declared.feature_views}


def _version(number: int) -> Problem:
    """One of several versions of a declaration: another TTL in one view, another column in the other."""
    route = ROUTE.model_copy(update={"features": {f"delay_{number}": "float"}})
    return problem([STATION.model_copy(update={"ttl_hours": float(number + 1)}), route])


def _apply(start: Callable[[], object], root: Path, registry: str, number: int, name: str) -> None:
    declared = _version(number) if name == "trips" else problem(name=name)
    start()
    _store(root, registry).apply(declared, _folders(root, declared))


@pytest.mark.slow
def test_feature_sets_applied_by_eight_processes_at_once_are_all_there(registry: str, tmp_path: Path) -> None:
    """The registry is new: they race at its first opening, too."""
    at_once(_apply, [(tmp_path, registry, number, f"set_{number}") for number in range(WRITERS)])
    for number in range(WRITERS):
        declared, store = problem(name=f"set_{number}"), _store(tmp_path, registry)
        assert store.apply(declared, _folders(tmp_path, declared)) == ()
        feast = store.feast(declared)
        assert {view.name for view in feast.list_feature_views()} == {"station", "route"}
        assert {source.name for source in feast.list_data_sources()} == {"station", "route"}
        assert [service.name for service in feast.list_feature_services()] == [f"set_{number}"]


@pytest.mark.slow
def test_of_versions_applied_by_eight_processes_at_once_one_is_there_and_whole(registry: str, tmp_path: Path) -> None:
    at_once(_apply, [(tmp_path, registry, number, "trips") for number in range(WRITERS)])
    store = _store(tmp_path, registry)
    rows, whole = asking(("EWR", 1, after(1))), []
    for number in range(WRITERS):
        try:
            store.training_rows(_version(number), rows)
        except NotAppliedError:
            continue
        whole.append(number)
    assert len(whole) == 1
    assert store.apply(_version(whole[0]), _folders(tmp_path, problem())) == ()


def test_a_registry_in_a_database_serves_all_that_one_in_a_file_does(registry: str, tmp_path: Path) -> None:
    lake, store = FeatureLake(tmp_path), _store(tmp_path, registry)
    rows = asking(("EWR", 1, after(2)))
    with pytest.raises(NotAppliedError, match="'trips' is unknown"):
        store.training_rows(lake.problem, rows)
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    assert "added view station" in store.apply(lake.problem, lake.folders)
    assert store.materialize(lake.problem, START, START + WEEK) == {"station": 1, "route": 0}
    again = _store(tmp_path, registry)
    pd.testing.assert_frame_equal(
        again.training_rows(lake.problem, rows), again.online_rows(lake.problem, rows, now=after(2))
    )
    assert again.online_rows(lake.problem, rows, now=after(2))["wind"].tolist() == [10.0]
    assert store.apply(problem([STATION]), lake.folders) == (
        "changed service trips",
        "removed entity line",
        "removed view route",
    )


def test_a_reader_reads_the_registry_again_only_after_a_change(
    registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, writer = FeatureLake(tmp_path), _store(tmp_path, registry)
    writer.apply(lake.problem, lake.folders)
    reader, rows = _store(tmp_path, registry), asking(("EWR", 1, after(2)))
    reader.training_rows(lake.problem, rows)
    feast, reads = reader.feast(lake.problem), []
    read = feast.registry.proto
    monkeypatch.setattr(feast.registry, "proto", lambda: (reads.append(1), read())[1])
    for _ in range(3):
        reader.training_rows(lake.problem, rows)
    assert len(reads) == 0
    writer.apply(problem([STATION]), lake.folders)
    with pytest.raises(NotAppliedError, match="another view 'route'"):
        reader.training_rows(lake.problem, rows)
    assert len(reads) == 1


def test_a_change_that_fails_half_way_is_undone(registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, writer = FeatureLake(tmp_path), _store(tmp_path, registry)
    writer.apply(lake.problem, lake.folders)
    feast, rows = writer.feast(lake.problem), asking(("EWR", 1, after(2)))
    before = writer.training_rows(lake.problem, rows)
    reader = _store(tmp_path, registry).feast(lake.problem)
    seen: list[list[str]] = []

    def die(*given: object, **more: object) -> None:
        """The views are changed; the service, which comes last, is not."""
        for each in (reader, feast):
            seen.append([field.name for field in each.registry.get_feature_view("route", "trips").features])
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(feast.registry, "apply_feature_service", die)
        with pytest.raises(KeyboardInterrupt):
            writer.apply(_version(3), lake.folders)
    assert [names[0] for names in seen] == ["delay", "delay_3"]
    for store in (writer, _store(tmp_path, registry)):
        pd.testing.assert_frame_equal(store.training_rows(lake.problem, rows), before)
        with pytest.raises(NotAppliedError):
            store.training_rows(_version(3), rows)
    writer.apply(_version(3), lake.folders)
    assert "delay_3" in writer.training_rows(_version(3), rows)


def test_a_lock_that_another_holds_is_waited_for_and_named_when_it_takes_too_long(registry: str) -> None:
    url = sa.engine.make_url(registry).set(
        **({} if registry.startswith("sqlite") else {"drivername": "postgresql+psycopg"})
    )
    with locked(url, "registry", wait_s=1):
        with locked(url, "another", wait_s=1):
            pass
        with pytest.raises(LockTimeoutError, match="'registry' was not free within 0 s"), _now(url):
            pass
    with _now(url):
        pass


def _now(url: sa.URL) -> Any:
    return locked(url, "registry", wait_s=0.1)


def _die(start: Callable[[], object], registry: str) -> None:
    import os

    url = sa.engine.make_url(registry)
    url = url if url.get_backend_name() == "sqlite" else url.set(drivername="postgresql+psycopg")
    with locked(url, "registry", wait_s=10):
        start()
        os._exit(0)  # as a killed process: nothing is tidied up


def test_a_lock_is_free_when_its_holder_dies(registry: str) -> None:
    at_once(_die, [(registry,)])
    url = sa.engine.make_url(registry)
    url = url if url.get_backend_name() == "sqlite" else url.set(drivername="postgresql+psycopg")
    with locked(url, "registry", wait_s=5):
        pass


def test_a_changed_computation_is_a_changed_view_and_keeps_the_online_values(registry: str, tmp_path: Path) -> None:
    lake, store = FeatureLake(tmp_path), _store(tmp_path, registry)
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    store.apply(lake.problem, lake.folders)
    store.materialize(lake.problem, START, START + WEEK)
    other = problem([STATION.model_copy(update={"sql": "SELECT 2"}), ROUTE])
    rows = asking(("EWR", 1, after(2)))
    assert store.training_rows(other, rows)["wind"].tolist() == [10.0]  # as the files are; Dagster marks them stale
    old = store.feast(other).get_feature_view("station").tags["code_version"]
    assert store.apply(other, lake.folders) == ("changed view station",)
    assert store.feast(other).get_feature_view("station").tags["code_version"] != old
    assert store.online_rows(other, rows, now=after(2))["wind"].tolist() == [10.0]
    assert store.apply(other, lake.folders) == ()
