"""Objects without a class, and the one that they get: by the user, by the spec, or `object`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import Format, Role
from formatspec.model.records import Category, Item

ANY_OBJECT = "object"
"""The class of objects of a format that knows no classes and names none for them."""


def class_of(form: Format, given: str | None) -> str | None:
    """The class that objects without one get in another format; None where they get none.

    given: what the user says, which is first.  Then comes the class that the spec states of all its objects, and
    `object` for a format that binds no category of objects.
    """
    if given is not None:
        return given
    if form.spec.class_ is not None:
        return form.spec.class_
    tells = any(scope.kind == "object" for role in form.documents for scope in _scopes(role))
    return ANY_OBJECT if tells and not _binds_categories(form) else None


def _scopes(role: Role) -> Iterator[Scope]:
    yield from (scope for _, scope, _ in wanted_slots.meanings(role.document_rule, role.scope))
    if role.kind == "pixels":
        yield role.scope


def _binds_categories(form: Format) -> bool:
    """Whether any path or document of a format tells of an object's category."""
    if any(name.startswith("object.category.") for role in form.roles.values() for name in role.captures):
        return True
    return any(wanted_slots.sets_categories(role) for role in form.documents) or any(
        scope.kind in ("object", "area") and meaning.name.startswith("category.")
        for role in form.documents
        for meaning, scope, _ in wanted_slots.meanings(role.document_rule, role.scope)
    )


class GivenClass:
    """Gives objects without a class the one of this name; the listed category of the name, if there is one."""

    def __init__(self, name: str, listed: Iterable[Category]) -> None:
        """Find the category of this name among `listed`, or make one."""
        self.name = name
        known = list(listed)
        self.category = next((one for one in known if one.name == name), None)
        self.is_new = self.category is None
        self.category = self.category or Category(name=name)

    def categories(self, listed: tuple[Category, ...]) -> tuple[Category, ...]:
        """The categories with that of the name."""
        return (*listed, self.category) if self.is_new and self.category is not None else listed

    def item(self, item: Item) -> Item:
        """An item of which every object has a class."""
        if all(thing.category is not None for thing in item.objects):
            return item
        things = tuple(
            thing if thing.category is not None else msgspec.structs.replace(thing, category=self.category)
            for thing in item.objects
        )
        return msgspec.structs.replace(item, objects=things)
