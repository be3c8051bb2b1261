"""The text of `defs.yaml`: a plan as YAML, with a comment per part that says what it is and what to change.

Nothing is decided here but for how many validation rules there is room.
"""

from datetime import date, datetime
from typing import Any

from ml_assets.onboarding import sizing
from ml_assets.onboarding.plan import LABEL_KNOWN, Plan
from ml_assets.onboarding.yaml_text import code_lines, entry, flow, folded, item, note, quote
from ml_assets.spec import METRICS, Csv, Parquet

MAX_LINES = 30
"""Lines of YAML, comments and blank lines aside, that a table of usual width gets."""
LEAST_RULES = 3


def declaration(plan: Plan, reading: Parquet | Csv, schema_comment: str, origin: str) -> str:
    """The complete `defs.yaml`.

    Args:
        plan: What it says.
        reading: How the file is read, with its path as seen from the declaration.
        schema_comment: The first line, by which editors find the schema.
        origin: Name of the file that it was proposed from.
    """
    before = [schema_comment, *_head(plan, origin), *_cadence(plan), *_source(plan, reading), *_views(plan)]
    before += [*_rows(plan), *_label(plan), *_split(plan)]
    after = [*_search(), *_watch(plan)]
    room = MAX_LINES - len(code_lines([*before, *after])) - 1
    return "\n".join([*before, *_validation(plan, max(LEAST_RULES, room)), *after]) + "\n"


def _head(plan: Plan, origin: str) -> list[str]:
    answers, (default, *others) = plan.answers, METRICS[plan.answers.task]
    of = f" of each {answers.entity}" if answers.entity else ""
    seen = f"{plan.profile.rows:,} rows, {len(plan.profile.columns)} columns"
    return [
        *note(f"Proposed by `ml-assets new` from {quote(origin)} ({seen}). Every line may be changed;", 0),
        *note("`ml-assets check` says what does not fit, and where.", 0),
        "type: ml_assets.components.ModelProblem",
        "attributes:",
        f"  name: {plan.name}",
        *entry("description", f"Predicts {answers.label}{of}, as of {answers.time}.", 2),
        *note(
            f"The task: {quote(answers.reasons['task'])}. All goes by {default}; `metric:` takes {', '.join(others)}.",
            2,
        ),
        f"  task: {answers.task}",
    ]


def _cadence(plan: Plan) -> list[str]:
    grid, cadence = plan.grid, plan.grid.cadence
    start, end = (_moment(moment) for moment in (cadence.start, cadence.end))
    value = {"kind": cadence.kind, "start": start, "end": end, "timezone": cadence.timezone}
    text = "Windows land, are scored and are judged one by one. Leave `end` out where the file goes on growing."
    text += (
        f" There are {len(grid.rows)} in it, of about {grid.typical:,} rows ({min(grid.rows):,} to {max(grid.rows):,})."
    )
    if grid.strays:
        span = f"{grid.first:%Y-%m-%d} to {grid.last:%Y-%m-%d}"
        text += f" Not read: {grid.strays:,} rows far outside (all rows span {span})."
    if grid.timeless:
        text += f" Not read: {grid.timeless:,} rows without a {quote(plan.answers.time)}."
    return ["", *note(text, 2), *entry("cadence", value, 2)]


def _moment(moment: date | None) -> date | str | None:
    """A day, or of an hour a text that YAML does not mark as a time."""
    return moment.isoformat(timespec="minutes") if isinstance(moment, datetime) else moment


def _source(plan: Plan, reading: Parquet | Csv) -> list[str]:
    answers, key = plan.answers, plan.answers.key
    read = {"kind": reading.kind, **reading.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})}
    about = [f"`event_time` places a row in its window: it {quote(answers.reasons['time'])}."]
    about.append(f"Rows are told apart by `{', '.join(map(quote, key.columns))}`: {quote(key.reason)}.")
    if answers.known_after_days:
        about.append(f"`sql` adds when the label is known: {answers.known_after_days} days after its row.")
    if plan.cleaning:
        about.append("`cleaning` is for the dirt that was found: of a window's rows, the share that may have it.")
        about.append("More refuses the window.")
    lines = ["", *note(" ".join(about), 2), "  sources:", f"    - name: {plan.name[:55]}_table"]
    lines += [*entry("read", read, 6), *entry("columns", dict(plan.columns), 6)]
    lines += entry("key", list(key.delivered), 6) if key.delivered else []
    if plan.grid.cadence.timezone != "UTC":
        lines += entry("timezone", plan.grid.cadence.timezone, 6)
    lines += entry("event_time", answers.time, 6)
    lines += folded("sql", plan.landing_sql, 6) if plan.landing_sql else []
    if answers.known_after_days:
        lines += entry("known_at", {answers.label: LABEL_KNOWN}, 6)
    return lines + (entry("cleaning", dict(plan.cleaning), 6) if plan.cleaning else [])


def _views(plan: Plan) -> list[str]:
    joins, lines = plan.answers.key.joins, [""]
    if plan.selection.view:
        about = f"What is known of each {', '.join(map(quote, joins))}, from the row's time on. What becomes known only"
        about += " later (an outcome, a bill) no model can have: take it out, or say when in the source's `known_at`."
        lines += note(about, 2)
    if plan.selection.left_out:
        lines += note("No features:", 2)
        lines += [
            line for pair in plan.selection.left_out.items() for line in note(" ".join(map(quote, pair)), 2, hang=2)
        ]
    if plan.selection.view:
        name = f"{plan.name[:56]}_values"
        view = {"name": name, "entities": list(joins), "features": dict(plan.selection.view)}
        lines += ["  feature_views:", *item(view, 4)]
    return lines if len(lines) > 1 else []


def _rows(plan: Plan) -> list[str]:
    request, key = dict(plan.selection.request), list(plan.key)
    about = "One prediction per row of the file, at its time; `horizon_hours` would have it so much earlier."
    if not request:
        return ["", *note(about, 2), *entry("rows", {"key": key}, 2)]
    about += " These features come with the request for a prediction and are looked up nowhere."
    rows = entry("rows", {"key": key, "features": request}, 2)
    if len(rows) > 1:
        rows = ["  rows:", *entry("key", key, 4), *entry("features", request, 4)]
    return ["", *note(about, 2), *rows]


def _label(plan: Plan) -> list[str]:
    answers = plan.answers
    value: dict[str, Any] = {"name": answers.label, "unit": ""}
    about = f"What is predicted: it {quote(answers.reasons['label'])}. `unit` is for axes, e.g. minutes."
    if answers.positive is not None:
        value["positive"] = answers.positive
        about += f" `positive` counts as 1: it {quote(answers.reasons['positive'])}."
    if answers.known_after_days:
        value["lookahead_days"] = answers.known_after_days
    else:
        about += " It counts as known with its row; `ml-assets new` with --known-after DAYS has it known later."
    return ["", *note(about, 2), *entry("label", value, 2)]


def _split(plan: Plan) -> list[str]:
    about = "The newest windows with known labels test, those before them stop the training early, the rest trains."
    return ["", *note(about, 2), *entry("split", sizing.split(len(plan.grid.rows)), 2)]


def _validation(plan: Plan, room: int) -> list[str]:
    about = (
        "What must hold of a training set: what holds of the file today, somewhat widened. A `warning` only reports;"
    )
    about += " a rule without it stops the training."
    return ["", *note(about, 2), "  validation:", *(f"    - {flow(rule)}" for rule in plan.rules[:room])]


def _search() -> list[str]:
    about = "A search of about a minute; more trials find a little more."
    return ["", *note(about, 2), *entry("search", {"max_trials": 10, "max_rounds": 300}, 2)]


def _watch(plan: Plan) -> list[str]:
    typical = plan.grid.typical
    least = sizing.min_rows(typical)
    about = f"Windows have about {typical:,} rows; those with less than `min_rows` are not judged. How much windows may"
    about += " differ, the platform learns from the windows that a version was made of. Left"
    about += " at their defaults: `promotion` (the gate to production) and `retraining` (after which failed checks)."
    return [
        "",
        *note(about, 2),
        *entry("drift", {"min_rows": least}, 2),
        *entry("quality", {"min_rows": least}, 2),
    ]
