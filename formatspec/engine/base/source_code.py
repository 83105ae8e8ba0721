"""Generates Python functions as source code when a spec is compiled.

A decision that the spec fixes becomes a line of the function, or is left out, so that rows need not look it up.
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_numbers = itertools.count()


class Names(dict[str, Any]):
    """The objects that a generated function uses, by their names in its source."""

    def of(self, kind: str, value: Any) -> str:
        """Return a new name for a value; the name begins with a word for its kind."""
        name = f"{kind}{len(self)}"
        self[name] = value
        return name


def function(head: str, body: Iterable[str], names: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the function `def HEAD:` with these lines as its body; `names` are the objects that it uses.

    Only fixed words and `repr`s of constants go into the source; values from a spec are passed by name. Tracebacks show
    the lines.
    """
    source = "\n    ".join((f"def {head}:", *body)) + "\n"
    file = f"<formatspec {next(_numbers)}: {head.partition('(')[0]}>"
    space = dict(names)
    exec(compile(source, file, "exec"), space)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    made: Callable[..., Any] = space[head.partition("(")[0]]
    return made
