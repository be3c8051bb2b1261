"""From a table and what the user has said of it to answers: in the order in which one depends on the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ml_assets.errors import NoTimeColumnError, OnboardingError, ReservedNameError, UnfitLabelError, UnknownColumnError
from ml_assets.onboarding.hints import days_ahead
from ml_assets.onboarding.keys import RowIdentity, RowKey, given_key, propose_key
from ml_assets.onboarding.plan import Answers, Plan, make_plan
from ml_assets.onboarding.profile import ColumnProfile, TableProfile, profile
from ml_assets.onboarding.proposal import (
    Guess,
    propose_entity,
    propose_label,
    propose_positive,
    propose_task,
    propose_time,
    require_task,
)
from ml_assets.onboarding.questions import NONE, Questions
from ml_assets.onboarding.selection import RESERVED
from ml_assets.onboarding.table import FlatTable
from ml_assets.onboarding.windows import Kind, propose_grid
from ml_assets.spec import Task

GIVEN = "was named on the command line"


@dataclass(frozen=True)
class Said:
    """What the flags say; None for what is left to proposals. `entity` may be "none"."""

    time: str | None = None
    entity: str | None = None
    key: tuple[str, ...] = ()
    label: str | None = None
    task: Task | None = None
    positive: str | None = None
    known_after_days: int | None = None
    cadence: Kind | None = None
    exclude: tuple[str, ...] = ()
    time_format: str | None = None


def interview(name: str, table: FlatTable, said: Said, questions: Questions) -> Plan:
    """Profile the table, propose, ask where unsure, and plan.

    Raises:
        OnboardingError: The table or what was said does not make a problem; the subclass says why.
    """
    _require_columns(table, "--exclude", said.exclude)
    found = profile(table, exclude=frozenset(said.exclude), time_format=said.time_format)
    time = _time(table, found, said, questions)
    rows = RowIdentity(table, found, time.value)
    entity = _entity(table, found, rows, time.value, said, questions)
    label = _label(table, found, (time.value, entity.value), said, questions)
    column = found.columns[label.value]
    task = _task(column, said, questions)
    positive = _positive(column, task.value, said, questions)
    key = _key(table, found, rows, (time.value, entity.value, label.value), said)
    days = days_ahead(label.value) if said.known_after_days is None else said.known_after_days
    guesses = {"time": time, "entity": entity, "label": label, "task": task, "positive": positive}
    reasons = {question: guess.reason for question, guess in guesses.items()} | {"key": key.reason}
    answers = Answers(time.value, entity.value, key, label.value, task.value, positive.value, days, reasons)
    _refuse_reserved(answers)
    grid = propose_grid(
        table, time.value, timezone=table.timezone, kind=said.cadence, known_after_days=answers.known_after_days
    )
    return make_plan(name, table, found, answers, grid)


def _time(table: FlatTable, found: TableProfile, said: Said, questions: Questions) -> Guess[str]:
    if said.time:
        _require_columns(table, "--time", (said.time,), found)
        if found.columns[said.time].type != "timestamp" or not found.columns[said.time].known:
            raise NoTimeColumnError(table.path, [said.time])
        return Guess(said.time, 1.0, GIVEN)
    guess = propose_time(found)
    if guess.value is None:
        raise NoTimeColumnError(table.path, list(found.columns))
    answer = questions.settle("Which column says when a row happened?", "--time", guess)
    return Guess(answer or guess.value, 1.0, _reason(guess, answer))


def _entity(
    table: FlatTable, found: TableProfile, rows: RowIdentity, time: str, said: Said, questions: Questions
) -> Guess[str | None]:
    if said.entity == NONE:
        return Guess(None, 1.0, "none was named on the command line")
    if said.entity:
        _require_columns(table, "--entity", (said.entity,), found)
        if found.columns[said.entity].type not in ("int64", "string"):
            raise OnboardingError(
                f"--entity '{said.entity}' is {found.columns[said.entity].type}, and features are joined by whole "
                "numbers or texts: name another column, or `none`."
            )
        return Guess(said.entity, 1.0, GIVEN)
    guess = propose_entity(found, rows, time)
    answer = questions.settle("Which column says what a row is about (a customer, a shop)?", "--entity", guess)
    return Guess(answer, 1.0, _reason(guess, answer))


def _label(
    table: FlatTable, found: TableProfile, taken: tuple[str | None, ...], said: Said, questions: Questions
) -> Guess[str]:
    if said.label:
        _require_columns(table, "--label", (said.label,), found)
        if said.label in taken:
            raise UnfitLabelError(said.label, "is the time or the entity already")
        return Guess(said.label, 1.0, GIVEN)
    guess = propose_label(found, (*taken, *said.key))
    if guess.value is None:
        raise UnfitLabelError("", guess.reason)
    answer = questions.settle("Which column is to be predicted?", "--label", guess)
    return Guess(answer or guess.value, 1.0, _reason(guess, answer))


def _task(label: ColumnProfile, said: Said, questions: Questions) -> Guess[Task]:
    if said.task:
        require_task(label, said.task)
        return Guess(said.task, 1.0, f"it {GIVEN}")
    guess = propose_task(label)
    answer = questions.settle(f"What is '{label.name}': a number, or a class?", "--task", guess)
    require_task(label, answer)
    return Guess(answer, 1.0, _reason(guess, answer))


def _positive(label: ColumnProfile, task: Task, said: Said, questions: Questions) -> Guess[str | None]:
    if task != "binary":
        return Guess(None, 1.0, "")
    guess = propose_positive(label)
    values = [value for value in (guess.value, *guess.others) if value is not None]
    if said.positive is not None:
        if values and said.positive not in values:
            raise UnknownColumnError("--positive", said.positive, values)
        return Guess(said.positive if values else None, 1.0, GIVEN)
    answer = questions.settle(f"Which value of '{label.name}' counts as 1?", "--positive", guess)
    return Guess(answer, 1.0, _reason(guess, answer))


def _key(
    table: FlatTable, found: TableProfile, rows: RowIdentity, taken: tuple[str, str | None, str], said: Said
) -> RowKey:
    time, entity, label = taken
    if said.key:
        _require_columns(table, "--key", said.key, found)
        if label in said.key:
            raise UnfitLabelError(label, "is part of --key")
        return given_key(said.key, found, rows, time, entity)
    return propose_key(found, rows, time, entity, label)


def _require_columns(table: FlatTable, flag: str, names: Sequence[str], found: TableProfile | None = None) -> None:
    known = found.columns if found else table.stored
    for name in names:
        if name not in known:
            if found and name in found.unfit:
                raise OnboardingError(f"{flag} names '{name}', which {found.unfit[name]}.")
            raise UnknownColumnError(flag, name, list(known))


def _refuse_reserved(answers: Answers) -> None:
    others = {*answers.key.columns, answers.entity, answers.label} - {answers.time, None}
    for name in sorted(str(name) for name in others):
        if name.casefold() in RESERVED:
            raise ReservedNameError("A key or label", name, "the platform adds a column of that name; rename it")


def _reason(guess: Guess[Any], answer: object) -> str:
    return guess.reason if answer == guess.value else "was chosen"
