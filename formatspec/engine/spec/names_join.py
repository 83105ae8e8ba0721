"""Checks that files and rows can be joined to items by the names in a spec's paths.

Without such a name, a shared file or row would give its objects to every item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from formatspec.engine.base.remembered import remembered
from formatspec.engine.resolve.questions.meanings import meanings, scoped
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import IMAGE, KEPT_FORMATS, Format, Role
from formatspec.language.errors import Problem, suggest
from formatspec.language.leaf import names_of
from formatspec.language.rules import Rule, TableRule
from formatspec.model.slots import TABLES, find_slot

_OF_ONE_ITEM = frozenset({"object", "area", "void", "caption"})
"""Kinds of records that belong to one item. Giving them to every item is a mistake."""


def untold_folders(form: Format) -> frozenset[str]:
    """Return the folders in an image's path that rows of items do not give, so that its name must be unique."""
    formats = form.roles[IMAGE].scope.captures if IMAGE in form.roles else {}
    folders = {name for name in form.key_names if formats.get(name) == "path?"}
    told: set[str] = set()
    for role in (form.roles[name] for name in {one.partition(".")[0] for one in form.spec.items} if name in form.roles):
        lists = role.lists if role.span == "shared" and role.codec is not None else ()
        rows = [tables for _, tables in lists if TABLES[tables[0].each.table] == "item"]
        if not rows:
            return frozenset()
        told |= set(role.captures)
        for tables in rows:
            found = [one for table in tables for one in meanings(table, role.scope)]
            told |= {meaning.name for meaning, _, _ in found if meaning.where == "capture"}
            if any(meaning.name in (IMAGE, "image.path") for meaning, _, _ in found):
                return frozenset()
    return frozenset(folders - told) if form.spec.items else frozenset()


def unjoined(form: Format) -> Iterator[Problem]:
    """Yield roles whose files would be given to every item, since neither paths nor rows name one."""
    formats = form.roles[IMAGE].scope.captures if IMAGE in form.roles else {}
    required = {name for name in form.key_names if not (formats.get(name) or "").endswith(("path?", "d?"))}
    if not required:
        if IMAGE in form.roles and not formats:
            path = form.roles[IMAGE].spec.path
            message = f"the path of `image`, {path!r}, has no placeholder, so that it is the path of one image alone"
            hint = "`*` stands for itself in a path" if "*" in path else ""
            expected = "a name in braces for what differs, as in images/{name}.{ext:image}"
            yield Problem(message, form.roles[IMAGE].path_place, expected, hint)
        return
    for role in form.documents:
        if role.name != IMAGE and not _joins(form, role, required):
            yield _problem(form, role)


def _joins(form: Format, role: Role, required: set[str]) -> bool:
    """Return whether the names in a role's files or rows suffice to find their items."""
    if role.span == "item" or required <= set(role.captures):
        return True
    if role.kind == "pixels" or role.codec is None:
        return role.span == "record" and (_is_named(form, role) or _is_named_by_stated_objects(form, role))
    lists = [tables for _, tables in role.lists]
    strange = _strange(form, role) is not None
    of_one = _OF_ONE_ITEM | {"label", "item"} if strange else _OF_ONE_ITEM
    if strange and not lists:
        return False
    return all(TABLES[one[0].each.table] not in of_one or _names_item(role, one, required) for one in lists)


def _is_named(form: Format, role: Role) -> bool:
    """Return whether a document names the role's files by their paths."""
    return any(
        meaning.where == "path" and meaning.name == role.name
        for other in form.documents
        if other.rule is not None
        for meaning, _, _ in meanings(other.rule, other.scope)
    )


def _is_named_by_stated_objects(form: Format, role: Role) -> bool:
    """Return whether object ids name the role's files, and another document of the format states these ids."""
    if not role.is_named_by_object:
        return False
    return any(
        other.span != "record" and other.codec is not None and "id" in other.slots_of("object")
        for other in form.documents
    )


def _strange(form: Format, role: Role) -> str | None:
    """Return a name in a role's path that no image path, `given` or row provides; None if there is none."""
    told = {*form.key_names, *(role.spec.given or ())}
    names = (name for name in role.captures if name not in told and "." not in name)
    return next((name for name in names if find_slot("item", name) is None), None)


def _names_item(role: Role, tables: Sequence[TableRule], required: set[str]) -> bool:
    """Return whether the rows of a table, with the path of their file, name one item."""
    told = set(role.captures)
    for meaning, scope, _ in (one for table in tables for one in meanings(table, role.scope)):
        if meaning.where == "capture":
            told.add(meaning.name)
        elif meaning.where == "path" and meaning.name == IMAGE:
            return True
        elif meaning.where == "item" or (meaning.where == "record" and scope.kind == "item"):
            if meaning.name in ("id", "image.path"):
                return True
            told.add("subset" if meaning.name == "subsets" else meaning.name)
    return required <= told


@remembered(KEPT_FORMATS)
def extension_told(form: Format) -> str | None:
    """Return the name of an image's extension if it may distinguish two images of one stem.

    The result is None if an item has files of its own beside its image, or if rows name images without their extension.
    """
    image = form.roles.get(IMAGE)
    if image is None or any(role.span != "shared" for role in form.roles.values() if role is not image):
        return None
    kinds = image.scope.captures
    extension = next((one for one in image.captures if kinds.get(one) == "image" and one not in form.key_names), None)
    named = set(form.key_names) - {"subset"}
    if extension is None or not named:
        return None
    for role in form.documents:
        if any(told & named and extension not in told for told in _names_told(role.document_rule, role.scope)):
            return None
    return extension


def _names_told(rule: Rule, scope: Scope) -> Iterator[set[str]]:
    """Yield, for each leaf below a rule, the names of paths that it gives."""
    for one, inner in scoped(rule, scope):
        known = [inner.meaning(name) for name in names_of(one.leaf)]
        yield {meaning.name for meaning in known if meaning is not None and meaning.where == "capture"}


def _problem(form: Format, role: Role) -> Problem:
    names = ", ".join(f"`{name}`" for name in form.key_names)
    strange = _strange(form, role)
    if strange is not None:
        message = f"no item has the name `{strange}` (the image's path has {names})"
        return Problem(message, role.path_place, "", suggest(strange, form.key_names))
    message = f"neither the path of {role.name} nor its rows name an item, so that each would get all that stands there"
    return Problem(message, role.path_place, f"the names in the image's path: {names}")
