"""Parses the entries of a role (`json:`, `lines:`, `pixels:` and so on) to the tree of its rule."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from formatspec.language import expression
from formatspec.language.each import EachGroup, parse_each, parse_group, problem
from formatspec.language.errors import Place
from formatspec.language.leaf import Absent, Computed, Constant, Keep, Leaf, LeafSyntaxError, parse_leaf, parse_text
from formatspec.language.rules import (
    ASIDE,
    BARE,
    GROUP,
    GROUPED_BY,
    KEY,
    OPTION_KEY,
    ORDER,
    PLACE,
    STEP,
    STEP_OF,
    Field,
    LeafRule,
    Level,
    LineRule,
    ListRule,
    MapRule,
    OneOf,
    Rule,
    SequenceRule,
    TableRule,
    inside,
    is_beside,
    is_places,
)
from formatspec.language.yaml_source import Node


def _leaf(node: Node) -> Leaf:
    try:
        return Constant(node.value) if node.value is None else parse_leaf(node.value)
    except LeafSyntaxError as error:
        place = Place(node.place.file, node.place.line, node.place.column + error.offset)
        raise problem(f"in {node.value!r}: {error}", place, error.expected) from None


def parse_rule(node: Node) -> Rule:
    """Parse the rule of a structured document (json, yaml, xml, ini, csv, pixels)."""
    if isinstance(node.value, dict):
        return _mapping(node)
    if isinstance(node.value, list):
        return _list(node)
    rule = LeafRule(_leaf(node), node.place)
    if isinstance(rule.leaf, Absent):
        raise problem("`absent` says that the key before it must not be there", node.place, "`KEY: absent`")
    return rule


def _list(node: Node) -> Rule:
    rows = node.value
    assert isinstance(rows, list)
    if len(rows) == 1 and isinstance(rows[0].value, dict):
        only = rows[0]
        if set(only.value) == {"only"}:
            return ListRule((parse_rule(only.value["only"]),), node.place)
        if _is_group(only):
            return _grouped(only, False, None)
        if "one of" in only.value and len(only.value) == 1:
            return OneOf(_flat(_table(row) for row in _choices(only.value["one of"])), node.place)
        return _table(only)
    return ListRule(tuple(parse_rule(row) for row in rows), node.place)


def _table(node: Node) -> Rule:
    entries = node.value
    if not isinstance(entries, dict):
        raise problem("a table is a mapping", node.place, "each: TABLE, and the rule of its rows")
    if "each" in entries:
        return parse_rule(node)
    if "one of" in entries:
        return _spread(node)
    raise problem("a list of one mapping is a table and says what its rows are", node.place, "`each: TABLE`")


def _spread(node: Node) -> OneOf:
    """Parse rows of several tables: what they share is repeated in each alternative."""
    entries = dict(node.value)
    choices = entries.pop("one of")
    alternatives = []
    for choice in _choices(choices):
        if not isinstance(choice.value, dict):
            raise problem("an alternative of a table's rows is a mapping", choice.place)
        alternatives.append(_table(_merged(entries, choice)))
    return OneOf(_flat(alternatives), node.place)


def _merged(shared: dict[str, Node], choice: Node) -> Node:
    """Return an alternative with what all alternatives share; mappings of the same key are merged."""
    entries = dict(shared)
    for key, value in choice.value.items():
        before = entries.get(key)
        joined = before is not None and isinstance(before.value, dict) and isinstance(value.value, dict)
        entries[key] = _merged(before.value, value) if before is not None and joined else value
    return Node(value=entries, place=choice.place)


def _flat(tables: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return tables, with those of nested alternatives in their place."""
    return tuple(one for rule in tables for one in rule.choices)


def _choices(node: Node) -> list[Node]:
    """Return the alternatives of a `one of`."""
    if not isinstance(node.value, list) or not node.value:
        raise problem("`one of` is a list of alternatives", node.place, "at least one")
    return node.value


def _mapping(node: Node) -> Rule:
    entries = dict(node.value)
    if "each" in entries:
        each = entries.pop("each")
        row = _mapping(Node(value=entries, place=node.place))
        _check_one_each(row, each.place)
        _check_places(row)
        table = TableRule(parse_each(each), row, each.place)
        if isinstance(row, MapRule) and table.each.along is not None and table.each.table == "items":
            order = LeafRule(Computed(expression.parse(table.each.along.name)), each.place)
            table = replace(table, row=replace(row, fields=(*row.fields, Field((ORDER,), True, order, each.place))))
        elif isinstance(row, MapRule) and (table.each.along is not None or _is_stepped(row)):
            table = replace(table, row=replace(row, fields=(*row.fields, _hidden(ASIDE, each.place))))
        if table.each.table == "categories":
            _check_categories(row)
        return table
    if set(entries) == {"one of"} and not all(
        isinstance(choice.value, dict) and "each" not in choice.value for choice in _choices(entries["one of"])
    ):
        return OneOf(tuple(parse_rule(choice) for choice in entries["one of"].value), node.place)
    if len(entries) == 1 and _is_template(key := next(iter(entries))):
        return _keyed(key, entries[key])
    fields: list[Field] = []
    alternatives: list[OneOf] = []
    rest: LeafRule | OneOf | None = None
    for key, value in entries.items():
        if key == "one of":
            alternatives.append(OneOf(tuple(parse_rule(choice) for choice in _choices(value)), value.place))
        elif key == "*":
            parsed = parse_rule(value)
            if isinstance(parsed, TableRule):
                parsed = OneOf((parsed,), value.place)
            if not isinstance(parsed, LeafRule | OneOf):
                raise problem("`*` is a leaf, or a list of `one of`", value.place)
            rest = parsed
        elif "{" in key and not OPTION_KEY.search(key):
            fields.append(Field((key,), True, _beside(key, value), value.place))
        else:
            names = tuple(part.strip().removesuffix("?") for part in key.split(","))
            if value.value == "absent":
                fields += (_absent(name, key, value.place) for name in names)
            else:
                fields.append(Field(names, key.endswith("?"), parse_rule(value), value.place))
    return MapRule(tuple(fields), tuple(alternatives), rest, node.place)


def _absent(name: str, key: str, place: Place) -> Field:
    """Return the field of a key that must not be there; its rule reads and writes nothing."""
    if key.endswith("?") or is_beside(name) or name == BARE or name.isdecimal():
        raise problem(f"`absent` says that the key of a mapping must not be there, got {key!r}", place, "`KEY: absent`")
    return Field((name,), True, LeafRule(Absent(), place), place)


def _check_categories(row: Rule) -> None:
    """Check that no objects stand in a row of categories, where they would have no meaning."""
    for rule in inside(row):
        if isinstance(rule, TableRule) and rule.each.table != "attributes":
            raise problem(f"rows of {rule.each.table} stand in a row of categories; they would get no category from it",
                          rule.place, '`"{category.name}": [{each: objects, …}]` where names are keys, or a group, '
                          "`[{each: group, name: category.name, rows: [{each: objects, …}]}]`")  # fmt: skip
        _check_categories(rule)


def _check_one_each(row: Rule, place: Place) -> None:
    """Raise SpecError if a row has an `each` and alternatives that are rows of tables themselves."""
    alternatives = row.alternatives if isinstance(row, MapRule) else (row,) if isinstance(row, OneOf) else ()
    if any(isinstance(one, TableRule) for choice in alternatives for one in choice.choices):
        raise problem(
            "`each` stands beside a `one of` whose alternatives have an `each` of their own", place,
            "one of the two; a spec that extends another one takes its alternatives away with `one of: drop`",
        )  # fmt: skip


def _check_places(row: Rule) -> None:
    """Check that a row of positions can be written as a list: none is missing, and only the last may be absent."""
    if not isinstance(row, MapRule) or not is_places(row) or row.alternatives:
        return
    fields = sorted((field for field in row.fields if field.keys[0].isdecimal()), key=lambda field: int(field.keys[0]))
    places = sorted(int(key) for field in fields for key in field.keys)
    if places != list(range(len(places))):
        words = f"the keys of a row that is a list must be its places 0, 1, 2, …, got {', '.join(map(str, places))}"
        raise problem(words, row.place)
    for field in fields[:-1]:
        if field.optional and getattr(field.rule.leaf, "default", None) is None:
            raise problem(f"the place {field.keys[0]} may be absent, and others stand behind it", field.place,
                          "an `else` that is written in its place, or alternatives (`one of`)")  # fmt: skip


def _keyed(key: str, node: Node) -> Rule:
    """Parse `"{name}": {each: …}` as rows in a mapping, or `"{name}": [{each: …}]` as a list under each key."""
    text = key[1:-1].strip() if key.startswith("{keep") and key.endswith("}") else key
    named = Field((KEY,), False, LeafRule(_leaf(Node(value=text, place=node.place)), node.place), node.place)
    if _is_group(node):
        return _grouped(node, True, named)
    if isinstance(node.value, dict) and list(node.value) == ["one of"]:
        return OneOf(tuple(_keyed(key, choice) for choice in _choices(node.value["one of"])), node.place)
    if isinstance(node.value, list) or _is_keyed(node):
        head = MapRule((named, _hidden(PLACE, node.place), _hidden(ASIDE, node.place)), (), None, node.place)
        return _in_groups(parse_rule(node), Level(True, ""), head)
    table = _table(node)
    if isinstance(table, TableRule) and isinstance(table.row, TableRule):
        message = f"`each: {table.each.table}` stands beside a template as key, which is itself a key of rows"
        raise problem(message, node.place, hint='leave that `each` out: `"{name}.{ext}": {"{id}": {each: objects, …}}`')
    if not isinstance(table, TableRule) or not isinstance(table.row, MapRule):
        raise problem("under a template as key stand rows", node.place, "`each: TABLE`, and the rule of its rows")
    return replace(table, row=replace(table.row, fields=(named, *table.row.fields)), keyed=True)


def _beside(key: str, node: Node) -> Rule:
    """Parse `"object_{id}": {each: …}` beside other keys as rows, each under a key of that template."""
    table = _keyed(key, node)
    if not isinstance(table, TableRule) or table.levels:
        raise problem("a key with a placeholder that stands beside other keys needs a row under it", node.place,
                      "`each: TABLE`, and its row")  # fmt: skip
    return table


def _is_group(node: Node) -> bool:
    """Return whether a mapping states a group of rows."""
    return isinstance(node.value, dict) and "each" in node.value and parse_group(node.value["each"]) is not None


def _is_keyed(node: Node) -> bool:
    """Return whether a mapping goes from a template to what stands under each key."""
    return isinstance(node.value, dict) and len(node.value) == 1 and _is_template(next(iter(node.value)))


def _is_template(key: str) -> bool:
    """Return whether a key is a template, unlike a key with an option."""
    return key.startswith("{") and not OPTION_KEY.match(key)


def _grouped(node: Node, keyed: bool, named: Field | None) -> Rule:
    """Parse `{each: group, …}`: what a group states about all its rows, with the rows under one of its keys."""
    each = parse_group(node.value["each"]) or EachGroup()
    group = _mapping(Node(value={key: part for key, part in node.value.items() if key != "each"}, place=node.place))
    assert isinstance(group, MapRule)
    tables = [field for field in group.fields if field.rule.tables]
    if isinstance(group.rest, OneOf) and group.rest.tables:
        tables.append(Field(("*",), True, group.rest, group.rest.place))
        group = replace(group, rest=None)
    if len(tables) != 1:
        raise problem(
            f"a group has its rows under one of its keys, and this one under {len(tables) or 'none'}", node.place,
            "`each: group`, and under one key a list of rows `[{each: TABLE, …}]`"
        )  # fmt: skip
    rows = tables[0]
    lists = rows.keys if len(rows.keys) > 1 else ()
    fields, counts = [], ""
    for field in group.fields:
        if isinstance(field.rule.leaf, Computed) and _counts_rows(field.rule.leaf):
            counts = field.keys[0]
            field = replace(field, optional=True, rule=LeafRule(Keep(), field.place))
        if field is not rows:
            fields.append(field)
    for number, name in enumerate(each.by):
        said = LeafRule(Computed(expression.parse(name)), node.place)
        fields.append(Field((f"{GROUPED_BY}{number}",), True, said, node.place))
    beside = (_hidden(PLACE, node.place), _hidden(ASIDE, node.place))
    head = replace(group, fields=(*(() if named is None else (named,)), *fields, *beside))
    return _in_groups(rows.rule, Level(keyed, rows.keys[0], lists, each, counts), head)


def _counts_rows(leaf: Computed) -> bool:
    """Return whether a computed leaf of a group is the number of the group's rows."""
    return expression.format(leaf.expression) == "count(rows)"


def _hidden(key: str, place: Place) -> Field:
    """Return a field that no file has: it holds where its row or its group stands."""
    return Field((key,), True, LeafRule(Keep(), place), place)


def _is_stepped(row: MapRule) -> bool:
    """Return whether the place of a row in its list has a meaning."""
    fields = [field for field in row.fields if not isinstance(field.rule, MapRule)]
    return any(field.keys[0] == STEP or STEP_OF.fullmatch(field.keys[0]) for field in fields)


def _in_groups(rule: Rule, level: Level, head: MapRule) -> Rule:
    """Return tables whose rows are in groups of one more level; `head` is what the groups state about their rows."""
    if isinstance(rule, OneOf):
        return replace(rule, alternatives=tuple(_in_groups(one, level, head) for one in rule.alternatives))
    if not isinstance(rule, TableRule) or not isinstance(rule.row, MapRule):
        raise problem("under a template as key stand rows", rule.place, "`each: TABLE`, and the rule of its rows")
    fields = tuple(
        replace(field, keys=(f"{GROUP}{int(field.keys[0][1:]) + 1}",)) if field.keys[0].startswith(GROUP) else field
        for field in rule.row.fields
    )
    group = Field((f"{GROUP}0",), False, head, head.place)
    return replace(rule, row=replace(rule.row, fields=(group, *fields)), levels=(level, *rule.levels))


def parse_lines(node: Node) -> Rule:
    """Parse the rule of a text file: a template, a list of rules in order, or a table with `lines`."""
    value = node.value
    if isinstance(value, list):
        return SequenceRule(tuple(parse_lines(row) for row in value), node.place)
    if isinstance(value, dict):
        if "one of" in value:
            return OneOf(tuple(parse_lines(choice) for choice in _choices(value["one of"])), node.place)
        if "line?" in value:
            return LineRule(_line(value["line?"]), True, node.place)
        if set(value) == {"line", "words"}:
            return _words(value["line"], value["words"])
        if "each" in value:
            if "lines" not in value:
                raise problem("a table of lines says what its lines are", node.place, "`lines:`")
            for key in value:
                if key not in ("each", "lines", "blocks"):
                    raise problem(f"{key!r} has no meaning here", value[key].place, "`each`, `lines` and `blocks`")
            blocks = str(value["blocks"].value) if "blocks" in value else ""
            return TableRule(parse_each(value["each"]), parse_lines(value["lines"]), value["each"].place, False, blocks)
        raise problem("lines are a template, a list, or a table", node.place, "text, [..], or `each:` with `lines:`")
    return LineRule(_line(node), False, node.place)


def _words(line: Node, words: Node) -> SequenceRule:
    """Parse a line that ends in a table."""
    table = parse_lines(words)
    if not isinstance(table, TableRule) or not isinstance(table.row, LineRule):
        raise problem("`words` are a table with one template", words.place, "`each: TABLE`, and `lines: TEMPLATE`")
    return SequenceRule((LineRule(_line(line), False, line.place), table), line.place, words=True)


def _line(node: Node) -> Leaf:
    text = node.value if isinstance(node.value, str) else node.raw
    try:
        return parse_text(text, keeps=True)
    except LeafSyntaxError as error:
        place = Place(node.place.file, node.place.line, node.place.column + error.offset)
        raise problem(f"in {text!r}: {error}", place, error.expected) from None
