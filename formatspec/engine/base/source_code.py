"""Python functions generated as source when a spec is compiled.

What the spec decides once becomes a line of the function, or is left out of it, so that no row pays for looking it up.
"""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_numbers = itertools.count()


class Names(dict[str, Any]):
    """The objects that a generated function uses, by the names that its source has for them."""

    def of(self, kind: str, value: Any) -> str:
        """A new name for a value, which begins with a word for what it is."""
        name = f"{kind}{len(self)}"
        self[name] = value
        return name


def function(head: str, body: Iterable[str], names: Mapping[str, Any]) -> Callable[..., Any]:
    """The function `def HEAD:` with these lines as its body; `names` are what it uses from outside.

    Only fixed words and `repr`s of constants go into the source; what comes from a spec is passed by name.
    A traceback shows the lines.
    """
    source = "\n    ".join((f"def {head}:", *body)) + "\n"
    file = f"<formatspec {next(_numbers)}: {head.partition('(')[0]}>"
    space = dict(names)
    exec(compile(source, file, "exec"), space)
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    made: Callable[..., Any] = space[head.partition("(")[0]]
    return made
