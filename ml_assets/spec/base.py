"""The base of every declaration: frozen, strict, named. No reading of files, no Dagster."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A lower-case identifier. It becomes a file name, a table, an asset key: so nothing else is let in."""

Column = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_ ]{0,62}$")]
"""A column name that may be quoted in SQL without escaping."""


class Spec(BaseModel):
    """A frozen declaration in which an unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")
