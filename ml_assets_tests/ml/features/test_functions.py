"""Functions that a declaration names: found, called, and told apart from their mistakes in one line."""

import hashlib
import json
import sys
from pathlib import Path

import pandas.core.frame
import pyarrow as pa
import pytest

from ml_assets.errors import FunctionError
from ml_assets.ml.features.functions import call_function, function_hash, load_function

GOOD = """
from __future__ import annotations
import pandas as pd
from dataclasses import dataclass

@dataclass
class Row:
    n: int = 1

def load(n):
    return pd.DataFrame({"n": [Row(n).n]})
"""


def _write(folder: Path, text: str, name: str = "loaders.py") -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return f"{name}:load"


def test_a_function_of_a_file_is_called(tmp_path: Path) -> None:
    assert call_function(_write(tmp_path, GOOD), tmp_path, 3).to_pydict() == {"n": [3]}


def test_a_file_may_lie_in_a_folder_below(tmp_path: Path) -> None:
    assert call_function(_write(tmp_path, GOOD, "loaders/orders.py"), tmp_path, 3).num_rows == 1


def test_a_function_of_a_package_is_called() -> None:
    assert load_function("json.decoder:scanstring", Path()) is json.decoder.scanstring


def test_an_edited_file_counts_at_once(tmp_path: Path) -> None:
    reference = _write(tmp_path, GOOD)
    first, before = function_hash(reference, tmp_path), call_function(reference, tmp_path, 3)
    _write(tmp_path, GOOD.replace("Row(n).n", "Row(n).n + 1"))
    assert call_function(reference, tmp_path, 3).column("n")[0].as_py() == before.column("n")[0].as_py() + 1
    assert function_hash(reference, tmp_path) != first
    _write(tmp_path, GOOD)
    assert function_hash(reference, tmp_path) == first


def test_loading_leaves_no_module_behind(tmp_path: Path) -> None:
    reference = _write(tmp_path, GOOD)
    call_function(reference, tmp_path, 1)
    before = set(sys.modules)
    call_function(reference, tmp_path, 1)
    call_function(_write(tmp_path, GOOD, "other.py"), tmp_path, 1)
    assert set(sys.modules) == before


def test_an_arrow_table_is_taken_as_it_is(tmp_path: Path) -> None:
    reference = _write(
        tmp_path, "import pyarrow as pa\ndef load():\n    return pa.table({'n': pa.array([1], pa.int8())})"
    )
    assert call_function(reference, tmp_path).schema == pa.schema([("n", pa.int8())])


def test_the_index_of_a_frame_is_left_out(tmp_path: Path) -> None:
    text = "import pandas as pd\ndef load():\n    return pd.DataFrame({'n': [1, 2]}, index=['a', 'b']).tail(1)"
    assert call_function(_write(tmp_path, text), tmp_path).column_names == ["n"]


@pytest.mark.parametrize(
    ("text", "reference", "says"),
    [
        pytest.param(GOOD, "loader.py:load", "not in .*; perhaps 'loaders.py' is meant", id="no such file"),
        pytest.param(GOOD, "../loaders.py:load", "outside .*; put it beside the declaration", id="outside the folder"),
        pytest.param(GOOD, "loaders.py:laod", "no function 'laod'; perhaps 'load' is meant", id="no such function"),
        pytest.param(GOOD + "\nload = 3", "loaders.py:load", "no function 'load'", id="a name that is no function"),
        pytest.param("def load(n:\n", "loaders.py:load", r"SyntaxError: .* \(loaders.py:1\)", id="no Python"),
        pytest.param(
            "x = 1\nx / 0\n",
            "loaders.py:load",
            r"cannot be loaded: ZeroDivisionError: division by zero \(loaders.py:2\)",
            id="a file that fails",
        ),
        pytest.param(
            "def deeper(n):\n    raise KeyError('shop')\n\ndef load(n):\n    return deeper(n)\n",
            "loaders.py:load",
            r"fails: KeyError: 'shop' \(loaders.py:2\)\.$",
            id="a function that fails",
        ),
        pytest.param(
            "import pandas as pd\ndef load(n):\n    return pd.DataFrame({'a': []})['b']\n",
            "loaders.py:load",
            r"fails: KeyError: 'b' \(loaders.py:3\)",
            id="a library that fails for it",
        ),
        pytest.param(
            "def load(n):\n    raise ValueError('one\\ntwo')\n",
            "loaders.py:load",
            r"ValueError: one \(",
            id="many lines",
        ),
        pytest.param(
            "def load():\n    return 1\n", "loaders.py:load", "fails: TypeError: load()", id="other arguments"
        ),
        pytest.param("def load(n):\n    return [n]\n", "loaders.py:load", "returns list; return a", id="no table"),
        pytest.param(
            "import pandas as pd\ndef load(n):\n    return pd.DataFrame({'a': [1, 'x']})\n",
            "loaders.py:load",
            "returns a DataFrame of mixed values",
            id="mixed values",
        ),
        pytest.param(GOOD, "no_such_package.module:load", "cannot be imported: ModuleNotFound", id="no such package"),
    ],
)
def test_a_mistake_is_told_in_one_line(text: str, reference: str, says: str, tmp_path: Path) -> None:
    folder = tmp_path / "declared"
    _write(folder, text)
    _write(tmp_path, GOOD)
    with pytest.raises(FunctionError, match=says) as caught:
        call_function(reference, folder, 1)
    assert str(caught.value).startswith(f"Function '{reference}' ")
    assert "\n" not in str(caught.value)


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "declared"
    folder.mkdir()
    _write(tmp_path, GOOD, "elsewhere.py")
    (folder / "loaders.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(FunctionError, match="outside"):
        load_function("loaders.py:load", folder)


def test_the_hash_of_a_package_is_that_of_its_file() -> None:
    frame = function_hash("pandas.core.frame:DataFrame", Path())
    assert frame == hashlib.sha256(Path(pandas.core.frame.__file__).read_bytes()).hexdigest()
