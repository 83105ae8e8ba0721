"""Names in an image's path that follow from the item, as `given: {NAME: = EXPRESSION}` says."""

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
    """Computes the names in a format's image paths that follow from items. An expression may use the names before it.

    Raises:
        SpecError: An expression is invalid, or its name does not occur in the image's path.
    """

    def __init__(self, form: Format) -> None:
        """Compile the expressions of a format."""
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
        """Return whether any name follows from the item."""
        return bool(self._makers)

    def __contains__(self, name: object) -> bool:
        """Return whether this name follows from the item."""
        return name in self._makers

    def put(self, names: dict[str, Any], item: Item, options: Mapping[str, Any], categories: Any) -> None:
        """Add the computed names to the names of an item.

        Args:
            names: The names of the item, among them its subset.
            item: The item.
            options: The options of the target.
            categories: The target's `TargetCategories`.
        """
        subset = names.get("subset")
        shown = msgspec.structs.replace(item, captures=names, subsets=() if subset is None else (subset,))
        context = WriteContext(WriteSetting(names, categories, dict(options)), shown, shown)
        for name, make in self._makers.items():
            names[name] = make(context)
