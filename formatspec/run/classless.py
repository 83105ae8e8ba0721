"""Gives a class to objects without one: the user's, the spec's, or `object`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import Format, Role
from formatspec.model.records import Category, Item

ANY_OBJECT = "object"
"""The class of objects in a format that has no classes and states none for all of them."""


def class_of(form: Format, given: str | None) -> str | None:
    """Return the class that objects without one get in another format; None if they get none.

    The user's class comes first, then the one that the spec states for all objects, then `object` if the format has no
    categories of objects.

    Args:
        form: The format of the source.
        given: The class that the user gives.
    """
    if given is not None:
        return given
    if form.spec.class_ is not None:
        return form.spec.class_
    tells = any(scope.kind == "object" for role in form.documents for scope in _scopes(role))
    return ANY_OBJECT if tells and not _binds_categories(form) else None


def _scopes(role: Role) -> Iterator[Scope]:
    yield from (scope for _, scope, _ in role.meanings)
    if role.kind == "pixels":
        yield role.scope


def _binds_categories(form: Format) -> bool:
    """Return whether a path or a document of a format holds an object's category."""
    if any(name.startswith("object.category.") for role in form.roles.values() for name in role.captures):
        return True
    return any(wanted_slots.sets_categories(role) for role in form.documents) or any(
        scope.kind in ("object", "area") and meaning.name.startswith("category.")
        for role in form.documents
        for meaning, scope, _ in role.meanings
    )


class GivenClass:
    """Gives objects without a class the listed category of a name, or a new category of that name."""

    def __init__(self, name: str, listed: Iterable[Category]) -> None:
        """Find the category of this name among `listed`, or make one."""
        self.name = name
        known = list(listed)
        self.category = next((one for one in known if one.name == name), None)
        self.is_new = self.category is None
        self.category = self.category or Category(name=name)

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """Return the listed categories, with this one added."""
        return (*listed, self.category) if self.is_new and self.category is not None else listed

    def item(self, item: Item) -> Item:
        """Return the item with a class for every object."""
        if all(thing.category is not None for thing in item.objects):
            return item
        things = tuple(
            thing if thing.category is not None else msgspec.structs.replace(thing, category=self.category)
            for thing in item.objects
        )
        return msgspec.structs.replace(item, objects=things)
