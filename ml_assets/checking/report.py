"""What a check found, for people and for programs. It judges nothing."""

import json
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from ml_assets.checking.declarations import Checked
from ml_assets.components.mistakes import shown_file


def summary(checked: Checked) -> str:
    """One line of what a declaration is and what was looked at; of what is wrong, how much."""
    task = f" ({checked.task})" if checked.task else ""
    state = f"{len(checked.mistakes)} mistake(s)" if checked.mistakes else "; ".join(checked.notes) or "as it should be"
    return f"{checked.name}{task}: {state}."


def show(checked: Checked, console: Console) -> None:
    """The mistakes of a declaration, one a line, or its summary; colours only where a terminal takes them."""
    if not checked.mistakes:
        console.print(f"[green]ok[/green] {escape(summary(checked))}", soft_wrap=True)
        return
    for mistake in checked.mistakes:
        place, _, said = str(mistake).partition(": ")
        console.print(f"[bold]{escape(place)}[/bold]: {escape(said)}", soft_wrap=True)


def as_json(results: Iterable[Checked]) -> str:
    """All results as one JSON document."""
    return json.dumps({"declarations": [_plain(checked) for checked in results]}, indent=2, ensure_ascii=False)


def _plain(checked: Checked) -> dict[str, object]:
    return {
        "file": shown_file(checked.file),
        "name": checked.name,
        "component": checked.component,
        "task": checked.task or None,
        "ok": not checked.mistakes,
        "notes": checked.notes,
        "mistakes": [
            {"file": shown_file(m.file), "line": m.line, "culprit": m.culprit, "remedy": m.remedy, "text": str(m)}
            for m in checked.mistakes
        ],
    }
