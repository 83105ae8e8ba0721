"""What the tests of datasets in hand share."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from formatspec.cli.main import main


class Said(NamedTuple):
    """What a command said, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command as a user's shell would."""

    def go(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["formatspec", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        out, err = capsys.readouterr()
        return Said(code if isinstance(code, int) else 0, out, err)

    return go
