"""`ml-assets trace`: what a user can get wrong is told in one line. What a trace holds is tested with the assets."""

import sys
from pathlib import Path

import pytest

from ml_assets import cli


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["flights", "--window", "2013-04-01"], "Asset 'flights/predictions' is not materialised for 2013-04-01"),
        (["flights", "--window", "2013-04-02"], "use a key like '2013-04-01'"),
        (["flight", "--window", "2013-04-01"], "flights"),
        (["flights", "--window", "2013-04-01", "--key", "UA"], "'UA' is not COLUMN=VALUE"),
    ],
    ids=["not scored", "no window", "no problem", "no key"],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ML_ASSETS_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["ml-assets", "trace", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (1, 2)
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert message in last
    assert list(tmp_path.iterdir()) == []
