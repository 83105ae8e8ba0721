"""The rule tree: the content of `json:`, `lines:`, `pixels:` and so on, parsed, but not yet bound to the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import msgspec
from msgspec.structs import replace

from formatspec.language.each import Each as Each
from formatspec.language.each import EachGroup
from formatspec.language.each import problem as problem
from formatspec.language.errors import Place
from formatspec.language.leaf import Absent, Computed, Leaf

KEY = "{}"
"""The field of a row for the key under which the row stands in a mapping."""
BARE = "#"
"""The field of such a row for a bare value under its key."""
GROUP = "^"
"""The field of a row, followed by the number of a level, for what the row's group states about all its rows."""
OPTION_KEY = re.compile(r"\{option\.(\w+)\}")
"""An option in a key of a mapping; the option's value is that part of the key."""
PLACE = ""
"""The field of a group for its place among its source's groups, so that equal groups stay separate."""
ASIDE = "~"
"""The field of a row or a group for what surrounds it in its file and is no field of its own."""
GROUPED_BY = "~by"
"""The fields of a new group, each followed by a number, for the values that must agree in all its rows."""
ORDER = "~at"
"""The field of a new row for the value by which it is ordered among others."""
STEP = "[]"
"""The field of a row for its place in its list."""
STEP_OF = re.compile(r"\[\s*(?P<list>[\w.]+)(\s+where\s+(?P<id>\w+)\s*=\s*(?P<key>\w+))?\s*\]")
"""The field of a row for the value at the row's place in another list of the document.

If its rule is a mapping, it is the entry of another table of the document under the row's key.
"""
BLOCK = "block"
"""The field of a text row for the number of its block between blank lines."""


class _Rule(msgspec.Struct, frozen=True):
    """What may be asked of a rule of any kind; a kind without an answer of its own answers as here."""

    @property
    def leaf(self) -> Leaf | None:
        """The leaf of a value or of a line."""
        return None

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of a mapping."""
        return ()

    @property
    def choices(self) -> tuple[Rule, ...]:
        """The alternatives, or the rule itself if it is not a choice."""
        return (self,)  # type: ignore[return-value]

    @property
    def tables(self) -> tuple[TableRule, ...]:
        """The table, or the alternatives if all are tables: what the rows of one list may be."""
        return ()

    def leaf_under(self, key: str) -> Leaf | None:
        """Return the leaf under a key of a mapping, if the key is alone in its field."""
        return next((one.rule.leaf for one in self.fields if one.keys == (key,)), None)

    @property
    def row(self) -> Rule:
        """The rule of a table's rows, or the rule itself if it is no table."""
        return self  # type: ignore[return-value]


class LeafRule(_Rule, frozen=True):
    """A value that a leaf reads and writes, and the place where the spec states it."""

    leaf: Leaf
    place: Place


class Field(msgspec.Struct, frozen=True):
    """One key of a mapping, or several keys that hold one value together."""

    keys: tuple[str, ...]
    optional: bool
    rule: Rule
    place: Place

    @property
    def is_excluded(self) -> bool:
        """Whether the key must not be there."""
        return isinstance(self.rule.leaf, Absent)


class MapRule(_Rule, frozen=True):
    """A mapping: its fields, alternatives with further fields, and a leaf for every other key.

    `part` says that other keys do not concern this rule.
    """

    fields: tuple[Field, ...]
    alternatives: tuple[OneOf, ...]
    rest: LeafRule | OneOf | None
    place: Place
    part: bool = False

    @property
    def rest_leaf(self) -> Leaf | None:
        """The leaf for every other key, if there is one."""
        return None if self.rest is None else self.rest.leaf


class ListRule(_Rule, frozen=True):
    """A list of fixed length, with a rule for each place; one of length 1 is spelled `[only: RULE]`."""

    rules: tuple[Rule, ...]
    place: Place


class Level(msgspec.Struct, frozen=True):
    """One level of groups around rows.

    Attributes:
        keyed: Whether the groups are in a mapping, each under its own key; otherwise they are in a list.
        rows: The key of a group, which is a mapping, for its rows; empty if a group is just its rows.
        lists: The keys of several lists whose values at one place make one row; empty if the rows stand under `rows`.
        each: How new groups are made.
        counts: The key under which a group states how many rows it has.
    """

    keyed: bool
    rows: str
    lists: tuple[str, ...] = ()
    each: EachGroup = EachGroup()
    counts: str = ""


class TableRule(_Rule, frozen=True):
    """Rows. `keyed` says that they are in a mapping, each under a key that the row's field KEY holds.

    Attributes:
        blocks: The slot whose values separate rows of text by blank lines.
        levels: The groups around the rows, outermost first. What a group states about its rows is the row's field GROUP
            followed by the number of the level.
    """

    each: Each
    row: Rule
    place: Place
    keyed: bool = False
    blocks: str = ""
    levels: tuple[Level, ...] = ()

    @property
    def tables(self) -> tuple[TableRule, ...]:
        """The table itself."""
        return (self,)


class OneOf(_Rule, frozen=True):
    """Alternatives, of which the first that fits is taken."""

    alternatives: tuple[Rule, ...]
    place: Place

    @property
    def choices(self) -> tuple[Rule, ...]:
        """The alternatives."""
        return self.alternatives

    @property
    def tables(self) -> tuple[TableRule, ...]:
        """The alternatives if all are tables."""
        tables = tuple([one for one in self.alternatives if isinstance(one, TableRule)])
        return tables if len(tables) == len(self.alternatives) else ()


class LineRule(_Rule, frozen=True):
    """One line of text; it may be missing if `optional`."""

    leaf: Leaf
    optional: bool
    place: Place


class SequenceRule(_Rule, frozen=True):
    """Lines in order. With `words`, a template and a table share one line, with a word for each row."""

    rules: tuple[Rule, ...]
    place: Place
    words: bool = False


Rule = LeafRule | MapRule | ListRule | TableRule | OneOf | LineRule | SequenceRule


def is_mapping_or_rows(rule: Rule) -> bool:
    """Return whether a rule describes a mapping or a list of rows, for which null stands if the key is optional."""
    return isinstance(rule, MapRule) or bool(rule.tables)


def inside(rule: Rule) -> Sequence[Rule]:
    """Return the rules directly inside a rule, in their order."""
    if isinstance(rule, MapRule):
        fields = [field.rule for field in rule.fields]
        return [*fields, *rule.alternatives, *(() if rule.rest is None else (rule.rest,))]
    if isinstance(rule, ListRule | SequenceRule):
        return rule.rules
    if isinstance(rule, OneOf):
        return rule.alternatives
    return (rule.row,) if isinstance(rule, TableRule) else ()


def with_inside(rule: Rule, change: Callable[[Rule], Rule]) -> Rule:
    """Return a rule with each rule directly inside it changed; alternatives and leaves must stay what they are."""
    if isinstance(rule, MapRule):
        return replace(
            rule,
            fields=tuple(replace(field, rule=change(field.rule)) for field in rule.fields),
            alternatives=tuple(cast(OneOf, change(one)) for one in rule.alternatives),
            rest=None if rule.rest is None else cast("LeafRule | OneOf", change(rule.rest)),
        )
    if isinstance(rule, TableRule):
        return replace(rule, row=change(rule.row))
    if isinstance(rule, OneOf):
        return replace(rule, alternatives=tuple(map(change, rule.alternatives)))
    if isinstance(rule, ListRule | SequenceRule):
        return replace(rule, rules=tuple(map(change, rule.rules)))
    return rule


def mappings(rule: Rule) -> Iterator[MapRule]:
    """Yield the mappings that a document of a rule, or a row of it, may be: with alternatives, and without parts."""
    row = rule.row
    if isinstance(row, MapRule):
        yield row
    for choice in row.alternatives if isinstance(row, MapRule | OneOf) else ():
        yield from mappings(choice)


def possible_fields(rule: Rule) -> Iterator[Field]:
    """Yield the fields of these mappings."""
    return (field for one in mappings(rule) for field in one.fields)


def within(rule: Rule) -> Iterator[Rule]:
    """Yield a rule and all rules in it, at any depth, in their order."""
    todo: list[Rule] = [rule]
    while todo:
        one = todo.pop()
        yield one
        if not isinstance(one, LeafRule):
            todo += reversed(inside(one))


def is_places(row: Rule) -> bool:
    """Return whether a row is a bare list, whose rule has positions as keys: `{0: …, "1, 2": …}`."""
    own = [key for field in row.fields for key in field.keys if not is_beside(key)]
    return bool(own) and all(key.isdecimal() for key in own)


def is_beside(key: str) -> bool:
    """Return whether a field of a row says where the row stands, and is no part of the row itself."""
    return key in (KEY, ASIDE, ORDER, STEP) or key.startswith(GROUP) or STEP_OF.fullmatch(key) is not None


def is_bare(row: Rule) -> bool:
    """Return whether a row is a bare value, whose rule has only the key BARE."""
    return any(one.keys == (BARE,) for one in row.fields)


def says_nothing(row: object) -> bool:
    """Return whether a row, as rules see it, is null or an empty list, which fits tables of any kind."""
    return isinstance(row, dict) and BARE in row and row[BARE] in (None, [])


def is_derived(row: Rule) -> bool:
    """Return whether rows are printed from other records, and are ignored when read."""
    return bool(row.fields) and all(isinstance(field.rule.leaf, Computed) for field in row.fields)
