"""Everything that a declaration will say, and why. Made from answers and the data; neither asked nor written here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_assets.ml.landing.parsing import identifier
from ml_assets.onboarding.dirt import tolerances
from ml_assets.onboarding.keys import RowKey
from ml_assets.onboarding.leaks import find_leaks
from ml_assets.onboarding.profile import TableProfile
from ml_assets.onboarding.rules import Rule, propose_rules
from ml_assets.onboarding.selection import RESERVED, Selection, candidates, select_features
from ml_assets.onboarding.table import TYPED, FlatTable
from ml_assets.onboarding.windows import Grid
from ml_assets.spec import ColumnType, Task

LABEL_KNOWN = "label_known_at"
ROW_TIME = "row_time"
"""Name of the time in a key where the platform uses the file's name for its own."""


@dataclass(frozen=True)
class Answers:
    """What the columns are, as proposed or as said, each with its reason.

    Attributes:
        time: The time column.
        entity: The entity's column; None where rows stand for themselves.
        key: What identifies a row.
        label: The label's column.
        task: The task.
        positive: The value of a binary label that counts as 1; None where it is 0/1 anyway.
        known_after_days: Days from a row's time until its label is known.
        reasons: Question -> why that answer.
    """

    time: str
    entity: str | None
    key: RowKey
    label: str
    task: Task
    positive: str | None
    known_after_days: int
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """A declaration before it is text.

    Attributes:
        name: The problem's.
        answers: What the columns are.
        profile: The table.
        grid: The windows.
        columns: Columns of the source and their types.
        landing_sql: What adds columns at landing, if anything does.
        key: The row's key, in which `landing_sql` may have renamed the time.
        cleaning: Tolerances.
        selection: Features, and what is none.
        rules: Validation rules, the most telling first.
        doubts: What the file alone cannot tell.
    """

    name: str
    answers: Answers
    profile: TableProfile
    grid: Grid
    columns: Mapping[str, ColumnType]
    landing_sql: str | None
    key: tuple[str, ...]
    cleaning: Mapping[str, Any]
    selection: Selection
    rules: Sequence[Rule]
    doubts: tuple[str, ...]


def make_plan(name: str, table: FlatTable, profile: TableProfile, answers: Answers, grid: Grid) -> Plan:
    """Features, tolerances and rules for what the columns were said to be.

    Raises:
        NoFeatureError: No column is left as a feature.
    """
    label = profile.columns[answers.label]
    asked = [
        c for c in candidates(profile, (answers.time, answers.label)) if c not in (answers.entity, *answers.key.columns)
    ]
    leaks = find_leaks(table, profile, label, answers.task, answers.positive, asked)
    selection = select_features(profile, answers.key, answers.time, answers.label, answers.entity, leaks)
    used = {answers.time, answers.label, *answers.key.columns, *answers.key.joins, *selection.all}
    columns = {name: column.type for name, column in profile.columns.items() if name in used}
    renamed = {answers.time: ROW_TIME} if answers.time.casefold() in RESERVED else {}
    return Plan(
        name=name,
        answers=answers,
        profile=profile,
        grid=grid,
        columns=columns,
        landing_sql=_landing_sql(answers, renamed, list(columns)),
        key=tuple(renamed.get(column, column) for column in answers.key.columns),
        cleaning=tolerances(table, profile, list(columns), answers.key, answers.time, grid),
        selection=selection,
        rules=propose_rules(profile, selection.all, answers.label, answers.task, _classes(table, answers.label), grid),
        doubts=_doubts(profile, columns, answers),
    )


def _landing_sql(answers: Answers, renamed: Mapping[str, str], columns: Sequence[str]) -> str | None:
    """A SELECT that adds what the file lacks: when the label is known, a line number, the time under another name."""
    added = []
    time = identifier(answers.time)
    if answers.time in renamed and answers.time in answers.key.columns:
        added.append(f"{time} AS {renamed[answers.time]}")
    if line := answers.key.line:
        among = ", ".join(identifier(column) for column in answers.key.columns if column != line)
        order = ", ".join(identifier(column) for column in columns if column not in answers.key.columns)
        added.append(f"row_number() OVER (PARTITION BY {among} ORDER BY {order}) AS {line}")
    if answers.known_after_days:
        added.append(f"{time} + INTERVAL {answers.known_after_days} DAY AS {LABEL_KNOWN}")
    return f"SELECT *, {', '.join(added)} FROM delivered" if added else None


def _classes(table: FlatTable, label: str) -> list[str]:
    """The label's values as the platform will name them, for the few that a class label has."""
    name = identifier(label)
    found = table.all(f"SELECT DISTINCT {name}::VARCHAR FROM {TYPED} WHERE {name} IS NOT NULL ORDER BY 1 LIMIT 100")
    return [row[0] for row in found]


def _doubts(profile: TableProfile, columns: Mapping[str, ColumnType], answers: Answers) -> tuple[str, ...]:
    doubts = []
    for name in columns:
        column = profile.columns[name]
        if column.doubtful_format:
            doubts.append(f"`{name}` was read as {column.time_format}: are day and month the right way round?")
    if answers.known_after_days:
        doubts.append(f"`{answers.label}` counts as known {answers.known_after_days} days after `{answers.time}`.")
    else:
        doubts.append(
            f"`{answers.label}` counts as known at `{answers.time}`; say --known-after DAYS if it takes longer."
        )
    return tuple(doubts)
