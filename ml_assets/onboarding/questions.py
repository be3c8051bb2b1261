"""How a proposal becomes an answer: said by a flag, sure enough, asked at a terminal, or taken with --yes."""

from dataclasses import dataclass
from typing import TypeVar

import click

from ml_assets.errors import UnansweredError
from ml_assets.onboarding.proposal import SURE, Guess

Answer = TypeVar("Answer", bound=str | None)

NONE = "none"
_MOST_CHOICES = 12


@dataclass(frozen=True)
class Questions:
    """Whom to ask.

    Attributes:
        terminal: Whether somebody can be asked.
        take_all: Whether every proposal is taken.
    """

    terminal: bool
    take_all: bool

    def settle(self, question: str, flag: str, guess: Guess[Answer]) -> Answer:
        """The answer to a question that no flag has answered.

        Raises:
            UnansweredError: The proposal is unsure, and nobody can be asked.
        """
        if self.take_all or guess.confidence >= SURE:
            return guess.value
        proposed = NONE if guess.value is None else str(guess.value)
        if not self.terminal:
            raise UnansweredError(flag, question, f"'{proposed}'", guess.reason)
        others = [str(other) for other in guess.others[: _MOST_CHOICES - 1]]
        if len(guess.others) >= _MOST_CHOICES:
            click.echo(f"There are {len(guess.others) - len(others)} more; {flag} takes any of them.")
        choices = list(dict.fromkeys([proposed, *others, *([NONE] if flag == "--entity" else [])]))
        click.echo(f"\n{question} Proposed is {proposed}: it {guess.reason}.")
        answer: str = click.prompt("Which", default=proposed, type=click.Choice(choices), err=False)
        return guess.value if answer == proposed else None if answer == NONE else answer  # type: ignore[return-value]
