"""Applies the condition `where` when rows are read.

A constant is put into a slot without a value, and compared with a slot that has one. Derived slots are not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from formatspec.engine.base.faults import Record
from formatspec.engine.read.item_state import ItemState
from formatspec.engine.resolve.options import option_is
from formatspec.engine.resolve.scope import Scope
from formatspec.language.expression import Binary, Expression, Literal, Name, Unary, conjuncts
from formatspec.language.values import stated, truth

Condition = Callable[[Record, ItemState], bool]


def always(record: Record, state: ItemState) -> bool:
    """Return True; the condition of a table without `where`."""
    return True


def _never(record: Record, state: ItemState) -> bool:
    """Return False; the condition of a table that the options leave out."""
    return False


def reading_condition(where: Expression | None, scope: Scope) -> Condition:
    """Compile the condition of a row, as far as the row's own slots decide it."""
    if where is None:
        return always
    terms = [term for part in conjuncts(where) if (term := _term(part, scope)) is not None and term is not always]
    if not terms:
        return always
    if len(terms) == 1:
        return terms[0]
    return lambda record, state: all(term(record, state) for term in terms)


def _term(part: Expression, scope: Scope) -> Condition | None:
    if isinstance(part, Binary) and part.operator == "==" and isinstance(part.left, Name):
        if isinstance(part.right, Literal):
            held = _item_has(part.left.name, False, scope) if part.right.value is None else None
            return held or _slot_is(part.left.name, part.right.value, scope)
        return _slot_is_the_items(part.left.name, part.right.name, scope) if isinstance(part.right, Name) else None
    if isinstance(part, Binary) and part.operator == "!=" and isinstance(part.left, Name):
        if isinstance(part.right, Literal):
            if part.right.value is None and (held := _item_has(part.left.name, True, scope)) is not None:
                return held
            if isinstance(part.right.value, bool):  # here it has the other value; null is only written
                return _slot_is(part.left.name, not part.right.value, scope)
            return _negated(_slot_is(part.left.name, part.right.value, scope))
        return None
    if isinstance(part, Name):
        held = _item_has(part.name, True, scope)
        return None if _is_of_pixels(part.name, scope) else held or _slot_is(part.name, True, scope)
    if isinstance(part, Unary) and part.operator == "not" and isinstance(part.operand, Name):
        return _item_has(part.operand.name, False, scope) or _slot_is_empty(part.operand.name, scope)
    return None


def _is_of_pixels(name: str, scope: Scope) -> bool:
    """Return whether a slot may come from a file of pixels, which is read later than the row."""
    meaning = scope.meaning(name)
    return meaning is not None and meaning.where == "record" and meaning.type == "region"


def _negated(condition: Condition | None) -> Condition | None:
    return None if condition is None else lambda record, state: not condition(record, state)


def _slot_is(name: str, expected: Any, scope: Scope) -> Condition | None:
    meaning = scope.meaning(name)
    if meaning is None or meaning.derived:
        return None
    if meaning.where == "option":
        return always if option_is(meaning, expected, scope) else _never
    if meaning.where != "record":
        return None
    slot = meaning.name
    if slot.startswith("category.") and slot not in ("category.id", "category.name", "category.index"):
        return _category_is(slot.removeprefix("category."), expected)
    if expected is None:
        return lambda record, state: _said(record, slot) is None
    any_value = expected is True and meaning.type != "bool"
    is_said = stated if meaning.counts_zero else truth

    def check(record: Record, state: ItemState) -> bool:
        value = record.get(slot)
        if any_value:
            return is_said(value)
        if value is None:
            record[slot] = expected
            return True
        return bool(value == expected)

    return check


def _item_has(name: str, wanted: bool, scope: Scope) -> Condition | None:
    """Compile `item.sequence` or `not item.sequence`: whether the item's path or what was read of it states a slot."""
    meaning = scope.meaning(name)
    if meaning is None or meaning.where not in ("item", "capture") or meaning.derived:
        return None
    slot = meaning.name
    return lambda record, state: (state.item.get(slot, state.captures.get(slot)) is not None) is wanted


def _slot_is_the_items(name: str, other: str, scope: Scope) -> Condition | None:
    """Compile `category.name == item.label.category.name`: a slot that equals a slot of the item."""
    mine, its = scope.meaning(name), scope.meaning(other)
    if mine is None or its is None or mine.where != "record" or its.where != "item" or mine.derived or its.derived:
        return None
    slot, source = mine.name, its.name

    def check(record: Record, state: ItemState) -> bool:
        expected = state.item.get(source)
        if expected is None:
            return True
        return bool(record.setdefault(slot, expected) == expected)

    return check


def _category_is(slot: str, expected: Any) -> Condition:
    def check(record: Record, state: ItemState) -> bool:
        category = state.categories.find(record)
        return category is not None and getattr(category, slot, None) == expected

    return check


def _slot_is_empty(name: str, scope: Scope) -> Condition | None:
    meaning = scope.meaning(name)
    if meaning is None or meaning.where != "record" or meaning.derived:
        return None
    slot = meaning.name
    if slot.startswith("category."):
        return _negated(_category_is(slot.removeprefix("category."), True))
    if meaning.type == "bool":
        return _slot_is(name, False, scope)
    is_said = stated if meaning.counts_zero else truth
    if slot != "parent":
        return lambda record, state: slot not in record or not is_said(record[slot])
    return lambda record, state: not is_said(_said(record, slot))


def _said(record: Record, slot: str) -> Any:
    """Return a slot's value; a row inside another row has that row as its parent even before either has an id."""
    value = record.get(slot)
    return True if value is None and slot == "parent" and "$up" in record else value


def holds_unsaid(where: Expression, scope: Scope, said: Collection[str]) -> bool:
    """Whether a condition holds of each row that says only some slots, and sets none, whatever those are.

    False is given where that cannot be told from the slots alone.
    """
    return all(_term(part, scope) is None or _is_unsaid(part, scope, said) for part in conjuncts(where))


def _is_unsaid(part: Expression, scope: Scope, said: Collection[str]) -> bool:
    """Whether a term asks that a slot which no row says is empty."""
    if not isinstance(part, Unary) or part.operator != "not" or not isinstance(part.operand, Name):
        return False
    meaning = scope.meaning(part.operand.name)
    if meaning is None or meaning.where != "record" or meaning.type == "bool" or meaning.name.startswith("category."):
        return False
    return meaning.name not in said
