"""Promote, roll back and look at the ledger from Dagster's UI: jobs of one step, configured in the launchpad.

What a change does is in `resources/lifecycle.py`; the commands of the same names do the same.
"""

from collections.abc import Callable

import dagster as dg
from pydantic import Field

from ml_assets.assets import keys
from ml_assets.ml.promotion.decisions import LedgerRow, current, periods
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.lifecycle import AGAINST_GATE, Change, Decider, Production
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem


class PromoteConfig(dg.Config):
    """What a promotion by hand needs to know."""

    version: int = Field(description="Registered version that becomes production.")
    reason: str = Field(description="Why, in one line.")
    user: str = Field(description="Who decides.")
    expect: int | None = Field(None, description="Only if this version is production now.")


class RollbackConfig(dg.Config):
    """What a rollback needs to know."""

    version: int | None = Field(None, description="A version that was production before; the last such when left out.")
    reason: str = Field(description="Why, in one line.")
    user: str = Field(description="Who decides.")
    expect: int | None = Field(None, description="Only if this version is production now.")


def build_lifecycle_jobs(problem: Problem) -> list[dg.JobDefinition]:
    """The jobs `<problem>_promote`, `<problem>_rollback` and `<problem>_history`."""

    @dg.op(name=f"{problem.name}_promote_version")
    def promote(
        context: dg.OpExecutionContext, config: PromoteConfig, lake: Lake, registry: Registry, ledger: Ledger
    ) -> dg.Output[int]:
        decider = Decider(config.user, config.reason, context.run_id)
        production = Production(problem, lake, ledger, registry)
        return _done(context, problem, production.promote(config.version, decider, expect=config.expect))

    @dg.op(name=f"{problem.name}_rollback_version")
    def rollback(
        context: dg.OpExecutionContext, config: RollbackConfig, lake: Lake, registry: Registry, ledger: Ledger
    ) -> dg.Output[int]:
        decider = Decider(config.user, config.reason, context.run_id)
        production = Production(problem, lake, ledger, registry)
        return _done(context, problem, production.rollback(config.version, decider, expect=config.expect))

    @dg.op(name=f"{problem.name}_show_history")
    def history(context: dg.OpExecutionContext, registry: Registry, ledger: Ledger) -> dg.Output[int]:
        rows = ledger.rows(problem)
        for line in registry.follow(problem, ledger) if rows else []:
            context.log.warning(f"MLflow was behind and is mended: {line}")
        champion = current(rows)
        metadata = {"decisions": _decisions(rows), "windows": _windows(rows)}
        return dg.Output(champion.version if champion else 0, metadata=metadata)

    return [
        _job(problem, keys.promote_job(problem), promote, "Makes a version production by hand, with reason and user."),
        _job(problem, keys.rollback_job(problem), rollback, "Returns to a version that was production before."),
        _job(problem, keys.history_job(problem), history, "Shows every decision, and who scores which windows."),
    ]


def _job(problem: Problem, name: str, op: Callable[[], object], text: str) -> dg.JobDefinition:
    @dg.job(name=name, description=text, tags={keys.PROBLEM_TAG: problem.name})
    def job() -> None:
        op()

    return job


def _done(context: dg.OpExecutionContext, problem: Problem, change: Change) -> dg.Output[int]:
    """Tell the run, and the version's asset, whose page then shows the change."""
    row = change.row
    context.log.info(str(change))
    metadata = {
        "version": row.version,
        "action": row.action,
        "since": row.first_window,
        "reason": row.reason,
        "user": row.user,
        "former_version": change.former.version if change.former else 0,
        "against_gate": row.numbers.get(AGAINST_GATE, ""),
        "mlflow": "; ".join(change.followed) or "was up to date",
    }
    key = keys.stage(problem, "registered_version")
    context.log_event(dg.AssetObservation(key, description=str(change), partition=row.cutoff, metadata=metadata))
    return dg.Output(row.version, metadata=metadata)


def _decisions(rows: list[LedgerRow]) -> dg.TableMetadataValue:
    names = ("sequence", "at", "version", "action", "first_window", "user", "reason")
    records = [dg.TableRecord({name: getattr(row, name) for name in names}) for row in rows]
    integers = ("sequence", "version")
    columns = [dg.TableColumn(name, "int" if name in integers else "string") for name in names]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def _windows(rows: list[LedgerRow]) -> dg.TableMetadataValue:
    records = [
        dg.TableRecord({"since": each.since, "until": each.until or "", "version": each.row.version})
        for each in periods(rows)
    ]
    columns = [dg.TableColumn("since"), dg.TableColumn("until"), dg.TableColumn("version", "int")]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))
