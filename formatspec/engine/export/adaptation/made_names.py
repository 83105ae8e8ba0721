"""Names in the path of an image that follow from the item, as `given: {NAME: = EXPRESSION}` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from formatspec.engine.evaluate.expressions import compiled
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.language import expression
from formatspec.language.rules import problem
from formatspec.language.syntax import ExpressionSyntaxError
from formatspec.model.records import Item

Make = Callable[[WriteContext], Any]


class MadeNames:
    """The names of a format's images that follow from their items; each may ask for those before it.

    Raises SpecError where an expression is none, or is of a name that the image's path does not spell.
    """

    def __init__(self, form: Format) -> None:
        """Compile what makes the names that follow from an item in a format."""
        self._makers: dict[str, Make] = {}
        role = form.roles.get(IMAGE)
        if role is None:
            return
        for name, text in role.spec.given.items():
            if not text.startswith("="):
                continue
            if name not in role.template.names:
                raise problem(f"the image's path has no {name!r} that could follow from the item", role.place)
            try:
                value = expression.parse(text[1:].strip())
            except ExpressionSyntaxError as error:
                raise problem(f"in `given: {{{name}: {text}}}`: {error}", role.place) from None
            self._makers[name] = compiled(value, role.scope, role.place)

    def __bool__(self) -> bool:
        """Tell whether any name follows from the item."""
        return bool(self._makers)

    def __contains__(self, name: object) -> bool:
        """Tell whether this name follows from the item."""
        return name in self._makers

    def put(self, names: dict[str, Any], item: Item, options: Mapping[str, Any], categories: Any) -> None:
        """Put what follows into the names of an item, whose subset is the one that they say.

        categories: the target's, as `TargetCategories`.
        """
        subset = names.get("subset")
        shown = msgspec.structs.replace(item, captures=names, subsets=() if subset is None else (subset,))
        context = WriteContext(WriteSetting(names, categories, dict(options)), shown, shown)
        for name, make in self._makers.items():
            names[name] = make(context)
