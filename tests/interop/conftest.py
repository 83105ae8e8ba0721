"""Outputs as other tools are given them: without formatspec's own list of its files, which some tools read as data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import formatspec as fs
from formatspec.paths.store import MANIFEST


@pytest.fixture(autouse=True)
def _without_the_list_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    convert: Callable[..., Any] = fs.convert

    def converted(*arguments: Any, **named: Any) -> Any:
        result = convert(*arguments, **named)
        (Path(result.out) / MANIFEST).unlink(missing_ok=True)
        return result

    monkeypatch.setattr(fs, "convert", converted)
