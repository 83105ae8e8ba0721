"""What a command line of formatspec said and how it ended; `run` in conftest.py runs one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """The exit status of a command, its standard output and its standard error."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The standard output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ran]
"""Takes the words of a command line without `formatspec` in front."""
