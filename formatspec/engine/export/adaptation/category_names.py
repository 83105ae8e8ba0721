"""Names of categories in a target: lines of text hold no blanks at their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from formatspec.engine.base.remembered import remembered
from formatspec.engine.export.adaptation.name_items import spoken
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import KEPT_FORMATS, Format
from formatspec.model.records import Category

NameOf = Callable[[Category], str]


@remembered(KEPT_FORMATS)
def name_in(form: Format) -> NameOf:
    """Return the function that names categories in a target.

    Where lines of text hold names, blanks at the ends of a name are left out: readers of lines take them for blanks
    between words, so that the name would come back as another one.
    """
    in_lines = (role for role in form.documents if role.kind == "lines" and not role.kept)
    return without_blanks if any(map(wanted_slots.spells_category_names, in_lines)) else spoken


def without_blanks(category: Category) -> str:
    """Return a category's name without blanks at its ends; a name of blanks alone is returned as it is."""
    name = spoken(category)
    return name.strip(" \t") or name


def named_once(form: Format, categories: Iterable[Category]) -> list[Category]:
    """Return the categories whose names differ in the target; the first category of a name stands for the others."""
    parents, said = wanted_slots.binds(form, "category", "parent"), name_in(form)
    first: dict[tuple[str, str | None], Category] = {}
    for category in categories:
        first.setdefault((said(category), category.parent if parents else None), category)
    return list(first.values())
