"""A declaration and the files it names become one `Problem`. Nothing is run here."""

from pathlib import Path
from typing import TypeVar

import yaml

from ml_assets.errors import MissingSqlFileError
from ml_assets.spec import FeatureView, Label, Problem, Rows, Source

Part = TypeVar("Part", Source, FeatureView, Rows, Label)


def read_problem(defs_yaml: Path) -> Problem:
    """The problem that a `defs.yaml` declares.

    Raises:
        pydantic.ValidationError: The declaration is wrong; every mistake is named.
        MissingSqlFileError: A named SQL file is not there.
    """
    attributes = yaml.safe_load(defs_yaml.read_text(encoding="utf-8"))["attributes"]
    return with_sql_files(Problem.model_validate(attributes), defs_yaml.parent)


def with_sql_files(problem: Problem, folder: Path) -> Problem:
    """`problem` with every `sql: name.sql` replaced by the text of that file below `folder`."""
    return problem.model_copy(
        update={
            "sources": tuple(_with_sql(source, folder) for source in problem.sources),
            "feature_views": tuple(_with_sql(view, folder) for view in problem.feature_views),
            "rows": _with_sql(problem.rows, folder),
            "label": _with_sql(problem.label, folder),
        }
    )


def _with_sql(part: Part, folder: Path) -> Part:
    if part.sql is None or not part.sql.endswith(".sql"):
        return part
    path = (folder / part.sql).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise MissingSqlFileError(getattr(part, "name", "rows"), part.sql, folder)
    return part.model_copy(update={"sql": path.read_text(encoding="utf-8")})
