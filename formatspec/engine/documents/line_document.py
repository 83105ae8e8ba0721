"""Text lines as a document of mappings and lists, so that rules of one kind serve all documents.

A line is a mapping of its fields' raw texts, with the line itself under "". A table is a list. Lines in order are a
mapping s0, s1, …. Alternatives are a mapping with those that match: a0, a1, ….
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from formatspec.engine.base.faults import Fault
from formatspec.engine.resolve.codec_chain import spell
from formatspec.engine.resolve.options import options_allow
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.resolve.text_template import TextTemplate, text_template
from formatspec.language.errors import Place
from formatspec.language.expression import Call, Name, asks_options
from formatspec.language.leaf import Bind, Computed, Keep, Text
from formatspec.language.rules import (
    BLOCK,
    Field,
    LeafRule,
    LineRule,
    MapRule,
    OneOf,
    Rule,
    SequenceRule,
    TableRule,
    problem,
)

_COUNT = re.compile(r"[0-9]{1,18}")
"""A number of lines as a file may state it."""


class LineShape(msgspec.Struct, frozen=True):
    """One line of text.

    Attributes:
        template: How the line is matched and written.
        optional: Whether the line may be absent.
        counts: Whether the line is the number of lines that follow.
    """

    template: TextTemplate
    optional: bool
    counts: bool


class RowsShape(msgspec.Struct, frozen=True):
    """Rows. `blocks` is the slot of a row for the number of its block, if blank lines separate rows; "" otherwise."""

    row: TextShape
    blocks: str = ""


class OrderShape(msgspec.Struct, frozen=True):
    """Parts of a text that follow each other in this order."""

    parts: tuple[TextShape, ...]


class ChoiceShape(msgspec.Struct, frozen=True):
    """Alternatives for one line, each with the key under which the document holds its match."""

    alternatives: tuple[tuple[str, TextShape], ...]


class WordsShape(msgspec.Struct, frozen=True):
    """A line that begins as a template says and ends in one word for each row of a table."""

    line: LineShape
    word: LineShape


TextShape = LineShape | RowsShape | OrderShape | ChoiceShape | WordsShape


_PART = re.compile(r"`(p\d+)`")
"""A field of a line's template, in the template's own naming."""


class Stray(NamedTuple):
    """A line that matches nothing.

    It has its index, what was expected, why it does not match, and whether it is one of several rows.
    """

    line: int
    expected: str
    text: str
    is_row: bool = False
    why: str = ""

    def fault(self, file: str, place: Place, scope: str) -> Fault:
        """Return its fault; `scope` says what is left out because of it, if it is not a row of several."""
        words = f"the line does not fit: {self.why}" if self.why else "the line does not fit"
        about, line = "object" if self.is_row else scope, (self.line + 1, 1)
        return Fault("LINE", file, (), place, words, self.expected, self.text, line, scope=about)


def structured(rule: Rule, scope: Scope) -> tuple[Rule, TextShape]:
    """Return a text file's rule as a rule over the document that `decode_lines` makes, and that document's shape."""
    if isinstance(rule, LineRule):
        return _line(rule, scope)
    if isinstance(rule, SequenceRule):
        parts = [structured(part, scope) for part in rule.rules]
        fields = tuple(
            Field((f"s{i}",), isinstance(shape, LineShape) and shape.optional, part, rule.place)
            for i, (part, shape) in enumerate(parts)
        )
        made = MapRule(fields, (), None, rule.place)
        return made, _words([s for _, s in parts]) if rule.words else OrderShape(tuple(s for _, s in parts))
    if isinstance(rule, TableRule):
        row, shape = structured(rule.row, scope.inside(rule.each.table))
        if rule.blocks:
            block = Field((BLOCK,), True, LeafRule(Bind((rule.blocks,)), rule.place), rule.place)
            assert isinstance(row, MapRule)
            row = MapRule((*row.fields, block), row.alternatives, row.rest, row.place)
        return TableRule(rule.each, row, rule.place), RowsShape(shape, rule.blocks)
    if isinstance(rule, OneOf):
        return _choice(rule, scope)
    raise problem("this rule has no meaning among lines", rule.place)


def _line(rule: LineRule, scope: Scope) -> tuple[Rule, TextShape]:
    assert isinstance(rule.leaf, Text)
    template = text_template(rule.leaf, scope, rule.place)
    fields = tuple(
        Field((name,), isinstance(leaf, Bind) and leaf.optional, LeafRule(leaf, rule.place), rule.place)
        for name, leaf in template.leaves.items()
    )
    return MapRule(fields, (), None, rule.place), LineShape(template, rule.optional, _is_count(rule.leaf))


def _words(shapes: list[TextShape]) -> WordsShape:
    line, rows = shapes
    assert isinstance(line, LineShape) and isinstance(rows, RowsShape) and isinstance(rows.row, LineShape)
    return WordsShape(line, rows.row)


def _is_count(leaf: Text) -> bool:
    only = leaf.parts[0] if len(leaf.parts) == 1 else None
    if not isinstance(only, Computed) or not isinstance(only.expression, Call):
        return False
    call = only.expression
    return call.function == "count" and isinstance(call.arguments[0], Name)


def _choice(rule: OneOf, scope: Scope) -> tuple[Rule, TextShape]:
    alternatives = tuple(choice for choice in rule.alternatives if _possible(choice, scope))
    if len(alternatives) == 1:
        return structured(alternatives[0], scope)
    if listed := OneOf(alternatives, rule.place).tables:
        tables, shapes = [], []
        for i, choice in enumerate(listed):
            row, shape = structured(choice.row, scope.inside(choice.each.table))
            keyed = MapRule((Field((f"a{i}",), False, row, choice.place),), (), None, choice.place, part=True)
            tables.append(TableRule(choice.each, keyed, choice.place))
            shapes.append((f"a{i}", shape))
        return OneOf(tuple(tables), rule.place), RowsShape(ChoiceShape(tuple(shapes)))
    rules, shapes = [], []
    for i, one in enumerate(alternatives):
        inner, shape = structured(one, scope)
        rules.append(MapRule((Field((f"a{i}",), False, inner, rule.place),), (), None, rule.place))
        shapes.append((f"a{i}", shape))
    others = LeafRule(Keep(), rule.place)  # a line may match several alternatives, of which the first is read
    return MapRule((), (OneOf(tuple(rules), rule.place),), others, rule.place, part=True), ChoiceShape(tuple(shapes))


def _possible(choice: Rule, scope: Scope) -> bool:
    """Return whether an alternative is possible with the options of the format."""
    if not isinstance(choice, TableRule) or choice.each.where is None or not asks_options(choice.each.where):
        return True
    return options_allow(choice.each.where, scope.inside(choice.each.table))


def alternative_lines(rule: Rule, shape: TextShape | None) -> list[tuple[TableRule, TextTemplate]]:
    """Return the alternatives for the lines of a text of only rows: the table of each, and its template.

    The result is None for any other text, and for one whose blocks of lines have a meaning.
    """
    if not isinstance(shape, RowsShape) or shape.blocks:
        return []
    choice = shape.row if isinstance(shape.row, ChoiceShape) and isinstance(rule, OneOf) else None
    rules = rule.choices
    shapes = [one for _, one in choice.alternatives] if choice is not None else [shape.row]
    found = []
    for table, line in zip(rules, shapes, strict=True):
        if not isinstance(table, TableRule) or not isinstance(line, LineShape):
            return []
        if choice is not None and isinstance(table.row, MapRule):
            table = TableRule(table.each, table.row.fields[0].rule, table.place)  # under the alternative's own key
        found.append((table, line.template))
    return found


def decode_lines(lines: list[str], shape: TextShape) -> tuple[Any, list[Stray]]:
    """Return the document of `lines`, and the lines that match nothing."""
    strays: list[Stray] = []
    found = _match(shape, lines, 0, None, True, strays)
    if found is None:
        at = next((i for i, line in enumerate(lines) if line.strip()), 0)
        strays.append(_stray(shape, lines, at))
        return ([] if isinstance(shape, RowsShape) else {}), strays
    document, at = found
    strays.extend(Stray(i, "the end of the file", lines[i]) for i in range(at, len(lines)) if lines[i].strip())
    return document, strays


def _match(
    shape: TextShape, lines: list[str], at: int, bound: int | None, last: bool, strays: list[Stray]
) -> tuple[Any, int] | None:
    if isinstance(shape, LineShape):
        parts = shape.template.match(lines[at]) if at < len(lines) else None
        if parts is None:
            return None
        stated = {name: part for name, part in parts.items() if part is not None}
        return {**stated, "": (at, lines[at])}, at + 1
    if isinstance(shape, RowsShape):
        return _match_rows(shape, lines, at, bound, last, strays)
    if isinstance(shape, ChoiceShape):
        return _match_choice(shape, lines, at, bound, last, strays)
    if isinstance(shape, WordsShape):
        words = _match_words(shape, lines[at], at) if at < len(lines) else None
        return None if words is None else (words, at + 1)
    document: dict[str, Any] = {}
    for i, part in enumerate(shape.parts):
        final = last and i == len(shape.parts) - 1
        found = _match(part, lines, at, bound, final, strays)
        bound = None
        if found is None:
            if isinstance(part, LineShape) and part.optional:
                continue
            return None
        document[f"s{i}"], at = found
        if isinstance(part, LineShape) and part.counts:
            text = next((v for k, v in document[f"s{i}"].items() if k), "").strip()
            bound = min(int(text), len(lines)) if _COUNT.fullmatch(text) else None
    return document, at


def _match_rows(
    shape: RowsShape, lines: list[str], at: int, bound: int | None, last: bool, strays: list[Stray]
) -> tuple[Any, int]:
    rows: list[Any] = []
    block, blocks = 1, Counter[int]()
    while at < len(lines) and (bound is None or len(rows) < bound):
        if not lines[at].strip() and not isinstance(shape.row, OrderShape):
            at += 1
            block += block in blocks
            continue
        found = _match(shape.row, lines, at, None, False, strays) or _match_slashed(shape.row, lines[at], at)
        if found is not None and found[1] > at:
            rows.append({**found[0], BLOCK: block} if shape.blocks else found[0])
            blocks[block] += 1
            at = found[1]
        elif last or bound is not None:
            strays.append(_stray(shape.row, lines, at)._replace(is_row=True))
            at += 1
            bound = None if bound is None else bound - 1
        else:
            break
    if shape.blocks:
        rows = [{key: part for key, part in row.items() if key != BLOCK or blocks[part] > 1} for row in rows]
    return rows, at


def _match_slashed(shape: TextShape, line: str, at: int) -> tuple[Any, int] | None:
    """Match a row that fits only if slashes part its paths, since it was written on Windows; it keeps its spelling."""
    found = _match(shape, [_slashed(line)], 0, None, False, []) if "\\" in line else None
    return None if found is None or not found[1] else (_of_line(found[0], at, line), at + 1)


def _slashed(line: str) -> str:
    return line.replace("\\", "/")


def _of_line(document: Any, at: int, line: str) -> Any:
    """Return the document of a line with another place and text."""
    if not isinstance(document, dict):
        return document
    return {key: _of_line(part, at, line) if key else (at, line) for key, part in document.items()}


def blocks_anew(document: Any, shape: TextShape) -> Counter[str]:
    """Return how many rows will have another block number, or none, when their lines are read back; by slot."""
    found: Counter[str] = Counter()
    if isinstance(shape, OrderShape):
        for place, part in enumerate(shape.parts):
            found += blocks_anew(document.get(f"s{place}"), part)
    elif isinstance(shape, RowsShape) and shape.blocks:
        stated = [row.get(BLOCK) for row in document or ()]
        block, numbers, before = 0, list[int](), None
        for one in stated:
            block += one is None or one != before or not block
            numbers.append(block)
            before = one
        sizes = Counter(numbers)
        read = (str(number) if sizes[number] > 1 else "" for number in numbers)
        found[shape.blocks] = sum(had is not None and str(had) != now for had, now in zip(stated, read, strict=True))
    return +found


def _match_words(shape: WordsShape, line: str, at: int) -> dict[str, Any] | None:
    """Match the words at the end of a line that are rows; return them and the text before them."""
    pieces = line.strip().split(" ")
    rows: list[Any] = []
    while len(pieces) > 1 and (parts := shape.word.template.match(pieces[-1])) is not None:
        rows.append({**{name: part for name, part in parts.items() if part is not None}, "": (at, pieces.pop())})
    before = shape.line.template.match(" ".join(pieces))
    if before is None:
        return None
    stated = {name: part for name, part in before.items() if part is not None}
    return {"": (at, line), "s0": {**stated, "": (at, " ".join(pieces))}, "s1": rows[::-1]}


def _match_choice(
    shape: ChoiceShape, lines: list[str], at: int, bound: int | None, last: bool, strays: list[Stray]
) -> tuple[Any, int] | None:
    document: dict[str, Any] = {}
    end = at
    words = _count_words(lines[at]) if at < len(lines) else 0
    for name, alternative in shape.alternatives:
        if words and isinstance(alternative, LineShape) and not alternative.template.may_fit(words):
            continue
        found = _match(alternative, lines, at, bound, last, strays)
        if found is not None and (not document or found[1] == end):
            document[name], end = found
    return (document, end) if document else None


def _count_words(line: str) -> int:
    """Return how many words a line has; 0 if words are separated by anything but one blank."""
    return 0 if "  " in line or line != line.strip() or "\t" in line else line.count(" ") + 1


def _stray(shape: TextShape, lines: list[str], at: int) -> Stray:
    text = lines[at] if at < len(lines) else ""
    if "," in text and _match(shape, [text.replace(",", " ")], 0, None, False, []) is not None:
        return Stray(at, "fields that are parted by blanks, not by commas", text)
    return Stray(at, "", text, why=_explained(shape, text)[1])


def _explained(shape: TextShape, text: str) -> tuple[int, str]:
    """Return how many characters of a line match, and why no more; of alternatives, the best match counts."""
    if isinstance(shape, LineShape):
        reached, words = shape.template.template.explained(text)
        return reached, _PART.sub(lambda part: _leaf_words(shape.template.leaves.get(part[1]), part[1]), words)
    if isinstance(shape, WordsShape):
        first, *others = text.strip().split(" ")
        odd = next((word for word in others if shape.word.template.match(word) is None), None)
        if odd is None:
            return _explained(shape.line, first)
        return text.index(odd, len(first)), f"in the word {odd!r}: {_explained(shape.word, odd)[1]}"
    if isinstance(shape, RowsShape):
        return _explained(shape.row, text)
    if isinstance(shape, OrderShape):
        return _explained(shape.parts[0], text)
    return max((_explained(alternative, text) for _, alternative in shape.alternatives), key=lambda one: one[0])


def _leaf_words(leaf: Bind | Keep | Computed | None, name: str) -> str:
    """Return the name of a line's leaf in messages: its slots."""
    return (
        f"`{', '.join(leaf.names)}`" if isinstance(leaf, Bind) else f"`{name}`" if leaf is None else "what stands here"
    )


def encode_lines(document: Any, shape: TextShape) -> list[str]:
    """Return the lines of a document; a line whose values are those of its source keeps the source's spelling."""
    return list(encoded(document, shape))


def encoded(document: Any, shape: TextShape) -> Iterator[str]:
    """Yield the lines of a document one by one; its rows need not be in memory."""
    if isinstance(shape, LineShape):
        yield _spelled(document, shape)
    elif isinstance(shape, RowsShape):
        yield from _encoded_rows(document or (), shape)
    elif isinstance(shape, WordsShape):
        yield " ".join([_spelled(document["s0"], shape.line), *(_spelled(w, shape.word) for w in document["s1"])])
    elif isinstance(shape, ChoiceShape):
        for name, part in shape.alternatives:
            if name in document:
                yield from encoded(document[name], part)
                break
    else:
        for i, part in enumerate(shape.parts):
            if f"s{i}" in document:
                yield from encoded(_counting(document, shape, i), part)


def _counting(document: Mapping[str, Any], shape: OrderShape, place: int) -> Any:
    """Return a part of a document; a line that counts the rows after it gets their real number."""
    own, part = document[f"s{place}"], shape.parts[place]
    behind = shape.parts[place + 1] if place + 1 < len(shape.parts) else None
    if not (isinstance(part, LineShape) and part.counts and isinstance(behind, RowsShape)):
        return own
    rows = document.get(f"s{place + 1}", [])
    name = next((name for name in own if name), "")
    if not name or not isinstance(rows, list) or spell(own[name]).strip() == str(len(rows)):
        return own
    return {**own, name: str(len(rows))}


def _encoded_rows(rows: Iterable[Any], shape: RowsShape) -> Iterator[str]:
    before = None
    for place, row in enumerate(rows):
        block = row.get(BLOCK) if shape.blocks else None
        if shape.blocks and place and (block is None or block != before):
            yield ""
        before = block
        yield from encoded(row, shape.row)


def _spelled(document: dict[str, Any], shape: LineShape) -> str:
    source = document.get("")
    if source is None:
        return shape.template.render(document)
    parts = {name: spell(part) for name, part in document.items() if name}
    before = shape.template.match(source[1]) or shape.template.match(_slashed(source[1]))
    if before is not None and {k: v for k, v in before.items() if v is not None} == parts:
        return str(source[1])
    return shape.template.template.render(parts)


def line_of(document: Any, path: tuple[str | int, ...]) -> int | None:
    """Return the index of the line that a place of the document came from."""
    found: int | None = None
    for key in (*path, ""):
        if isinstance(document, dict) and isinstance(document.get(""), tuple):
            found = document[""][0]
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            break
    while found is None and isinstance(document, dict) and document:  # all alternatives of a row come from one line
        line = document.get("")
        found, document = (line[0], None) if isinstance(line, tuple) else (None, next(iter(document.values())))
    return found
