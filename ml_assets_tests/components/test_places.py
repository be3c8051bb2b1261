"""YAML with the line of everything in it."""

from pathlib import Path

import pytest

from ml_assets.components.places import KeyPath, Twin, parse_documents, read_documents
from ml_assets.errors import DeclarationSyntaxError

TEXT = """\
# A comment.
a:
  b: 1
  c: [x, {d: 2},
      y]
base: &base
  e: 3
more:
  <<: *base
  f: 2024-01-01
---
on: 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("a",), 2),
        (("a", "b"), 3),
        (("a", "c", 1, "d"), 4),
        (("a", "c", 2), 5),
        (("more", "f"), 10),
        (("more", "e"), 7),
        (("a", "missing"), 2),
        (("a", "c", 7, "x"), 4),
        (("nothing", "here"), 2),
    ],
    ids=str,
)
def test_every_key_and_item_has_its_line_and_what_is_missing_that_of_its_parent(path: KeyPath, line: int) -> None:
    first, _ = parse_documents(TEXT, Path("defs.yaml"))
    assert first.line(path) == line


def test_values_are_as_dagster_reads_them() -> None:
    first, second = parse_documents(TEXT, Path("defs.yaml"))
    assert first.value["more"] == {"e": 3, "f": "2024-01-01"}
    assert (second.value, second.line((True,))) == ({True: 1}, 12)


def test_a_key_that_is_there_twice_is_noticed() -> None:
    [document] = parse_documents("a: 1\nb: {c: 1,\n  c: 2}\na: 3\n", Path("defs.yaml"))
    assert list(document.twins) == [Twin(("b", "c"), 3, 2), Twin(("a",), 4, 1)]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        pytest.param("a: 1\nb: c: d\n", 2, "mapping values are not allowed", id="colon"),
        pytest.param("a:\n\t- b\n", 2, "cannot start any token", id="tab"),
        pytest.param("a: [1,\n", 2, "expected", id="open list"),
        pytest.param("a: *nobody\n", 1, "undefined alias", id="alias"),
        pytest.param("? [1]\n: 2\n", 1, "no key", id="list as a key"),
        pytest.param("a: !!python/object:os.system x\n", 1, "could not determine a constructor", id="Python object"),
        pytest.param("a: &a [*a]\n", 1, "is no YAML", id="circle"),
        pytest.param(
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{n}: &{n} [{','.join(f'*{p}' for _ in range(10))}]\n" for p, n in zip("abcde", "bcdef", strict=True)
            ),
            1,
            "more than 100,000 values",
            id="bomb",
        ),
    ],
)
def test_what_is_no_yaml_is_an_error_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(DeclarationSyntaxError, match=says) as caught:
        parse_documents(text, Path("defs.yaml"))
    assert str(caught.value).startswith(f"defs.yaml:{line}: the file is no YAML (")


def test_a_file_in_another_encoding_is_an_error_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "defs.yaml"
    file.write_bytes("a: 1\nb: Größe\n".encode("latin-1"))
    with pytest.raises(DeclarationSyntaxError, match=r"defs\.yaml:2: the file is not UTF-8"):
        read_documents(file)


def test_empty_documents_are_left_out() -> None:
    assert parse_documents("---\n---\n# nothing\n", Path("defs.yaml")) == []
