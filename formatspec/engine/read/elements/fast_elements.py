"""Fast reader of the objects of an item that are elements of XML and follow each other.

The elements are cut out of the text by regular expressions, so that no parser makes anything of them; what is left is
parsed and read by the readers that judge.  Whatever deviates makes the fast reader give up, and the readers that judge
read the whole item.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from formatspec.codecs.registry import UnfitError
from formatspec.engine.base.faults import DocumentPath
from formatspec.engine.base.source_code import Names, function
from formatspec.engine.read.build_item import group_slots
from formatspec.engine.read.compile_reader import is_asked, row_reader
from formatspec.engine.read.elements.element_document import document_source
from formatspec.engine.read.elements.skeleton_plan import Plan, may_be_planned, plan_of
from formatspec.engine.read.item_state import DeviatesError, FastObjects, ItemState
from formatspec.engine.read.leaf_reader import ReadContext
from formatspec.engine.read.rows.merge_rows import Reader, RowReader
from formatspec.engine.read.rows.table_row import rows_of_tasks
from formatspec.engine.resolve.fuse_arithmetic import BOUNDS
from formatspec.engine.resolve.questions.tables import OF_OBJECTS, tables_within
from formatspec.engine.resolve.scope import Scope
from formatspec.files.document import FileError, check_values
from formatspec.files.rows.xml_skeletons import (
    Cut,
    Skeleton,
    children_at,
    cutter,
    groups_before,
    plain_text,
    shape_of_child,
    skeleton_of,
    whole_pattern,
)
from formatspec.files.xml_file import COSTS, XmlShape, parsed
from formatspec.language.rules import MapRule, Rule, TableRule
from formatspec.model.amounts import amounts
from formatspec.model.limits import TooLargeError
from formatspec.model.records import Object, Origin

MOST_SKELETONS = 32
"""Skeletons that one reader knows."""
MOST_TRIALS = 64
"""Items that are looked at for new skeletons and have none.  So many items may be read in vain, and four more for each
that is read fast; then no further item is tried."""

MOST_RESTS = 8
"""Documents without objects, but for their texts, that one reader knows."""

Parse = Callable[[bytes], Any]
"""Gives the document of a text; raises FileError."""


class ElementObjects(FastObjects, frozen=True):
    """The objects of an item, made of elements that follow each other."""

    reader: FastElements

    def materialize(self, state: ItemState) -> None:
        """Give up, since somebody asks for records: the readers that judge make them."""
        self.reader.in_vain()
        raise DeviatesError


class Rest(NamedTuple):
    """How documents are read that are alike but for their texts, without their objects.

    match: matches the text of one.  document: gives the document of the texts in it.
    """

    match: Callable[[str], re.Match[str] | None]
    document: Callable[[Sequence[str]], Any]


class FastElements:
    """How elements with known skeletons become the objects of their item.  Skeletons are learned from the items."""

    def __init__(
        self, path: Sequence[str], rooted: bool, readers: Sequence[RowReader], shape: XmlShape, context: ReadContext
    ) -> None:  # fmt: skip
        """Begin without skeletons.

        Args:
            path: Where the elements stand in the document that `take` parses.
            rooted: Whether that path begins with the tag of the text's root.
            readers: The readers of the tables whose rows they are, in their order.
            shape: What is known beforehand of that document.
            context: What is read.
        """
        self._path = tuple(path)
        self._whole = shape
        self._rooted = rooted
        self._context = context
        self._readers = readers
        for key in path[:-1]:
            shape = shape_of_child(shape, key)
        self._shape = shape
        self._only = "" if path[-1] == "*" else path[-1]
        self._known: dict[Skeleton, Plan | None] = {}
        self._names = Names(UnfitError=UnfitError, Object=Object, Origin=Origin, group_slots=group_slots)
        self._cut: Cut | None = None
        self._make: Callable[..., list[Object] | None] | None = None
        self._rests: dict[Skeleton, Rest] = {}
        self._vain, self._done, self._fruitless, self._unlike = 0, 0, 0, 0

    def take(self, data: bytes, parse: Parse, read: Reader, file: str, path: DocumentPath, state: ItemState) -> bool:
        """Read an item's document into a state that knows no objects yet; whether that was done.

        Args:
            data: The text of the document.
            parse: Makes the document of such a text.
            read: The judging reader of the document, which is given it without the objects.
            file: The file that holds the text.
            path: Where the document stands in the file.
            state: The state of the item.

        Raises:
            DeviatesError: The elements are not as they should be, which was seen when the rest had been read.
        """
        if self._vain > MOST_TRIALS + 4 * self._done or not state.may_be_plain():
            return False
        text = self._text(data)
        cut = None if text is None or self._cut is None else self._cut(text)
        document = None if cut is None else self._without_mark(cut[0], parse)
        if cut is None or document is None:
            self._learn(data)
            return False
        state.file, state.at = file, path
        read(document, state.item, state)
        state.file, state.at = file, path
        made = self._made(cut[1], state)
        if made is None:
            self.in_vain()
            raise DeviatesError
        self._done += 1
        state.plain = ElementObjects(tuple(made), file, (*path, *self._path), 0, self)
        state.at = ()
        return True

    def _text(self, data: bytes) -> str | None:
        """The text in which elements are sought; None where there is none, or more of it than limits allow."""
        try:
            check_values(data, COSTS)
        except TooLargeError:
            return None
        return plain_text(data)

    def in_vain(self) -> None:
        """Note that an item was read in vain."""
        self._vain += 1

    def _without_mark(self, text: str, parse: Parse) -> Any:
        """The document of a text, without the mark that stands for its objects; None where it has others, or text."""
        for rest in self._rests.values():
            found = rest.match(text)
            if found is not None:
                return rest.document(found.groups())
        data = text.encode()
        try:
            document = parse(data)
        except (FileError, ValueError):
            return None
        around = document
        for key in self._path[:-1]:
            around = around.get(key) if isinstance(around, dict) else None
        marks = around.get(self._path[-1]) if isinstance(around, dict) and "#" not in around else None
        if not isinstance(marks, list) or len(marks) != 1 or (marks[0] and marks[0].keys() - {"<>", "#"}):
            return None
        around[self._path[-1]] = []
        if len(self._rests) < MOST_RESTS and self._unlike < MOST_TRIALS:
            self._unlike += 1
            self._learn_rest(data)
        return document

    def _learn_rest(self, data: bytes) -> None:
        """Learn what documents look like without their objects, so that the next ones like it need not be parsed."""
        root, path = parsed(data), self._path
        if root is None or (self._rooted and root.tag != path[0]):
            return
        shape = shape_of_child(self._whole, path[0]) if self._rooted else self._whole
        skeleton = skeleton_of(root, shape)
        if skeleton is None or skeleton in self._rests:
            return
        made = document_source(skeleton, shape, path[self._rooted :])
        if made is not None:
            count, source = made
            document = f"{{{path[0]!r}: {source}}}" if self._rooted else source
            texts = [f"{''.join(f't{place}, ' for place in range(count))}= texts"] if count else []
            build = function("document(texts)", (*texts, f"return {document}"), {})
            self._rests[skeleton] = Rest(whole_pattern(skeleton).fullmatch, build)

    def _made(self, found: Sequence[re.Match[str]], state: ItemState) -> list[Object] | None:
        """The objects of the elements; None where anything is to be said of one of them."""
        assert self._make is not None
        faults, noted, kept = len(state.faults), len(state.judged), state.kept
        made = self._make(found, state)
        if not state.says_nothing(made, faults, noted):
            state.kept = kept
            return None
        return made

    def _learn(self, data: bytes) -> None:
        """Learn the skeletons of the elements of a document, so that the next ones with them are read fast."""
        self._vain += 1
        if self._fruitless > MOST_TRIALS:
            return
        before = len(self._known)
        elements = children_at(parsed(data), self._path[self._rooted : -1], self._only)
        for element in elements:
            skeleton = skeleton_of(element, shape_of_child(self._shape, str(element.tag)))
            if skeleton is not None and skeleton not in self._known and len(self._known) < MOST_SKELETONS:
                shape = shape_of_child(self._shape, skeleton.tag)
                self._known[skeleton] = plan_of(
                    skeleton, shape, not self._only, self._readers, self._context, self._names, self._path[-1] == "*"
                )
        if len(self._known) > before or not elements:
            self._vain -= 1
        else:
            self._fruitless += 1
        plans = [plan for plan in self._known.values() if plan is not None]
        if len(self._known) == before or not plans:
            return
        self._cut = cutter([plan.tag for plan in plans], [plan.pattern for plan in plans], self._only)
        self._make = function(_HEAD, _body(plans), self._names)


_HEAD = "make(found, state)"


def _body(plans: Sequence[Plan]) -> Iterator[str]:
    """The lines of a function that makes objects of matches of the patterns of some plans."""
    yield "named, categories, env = state.categories.named('name'), state.categories, state.env"
    yield "size = (env.width, env.height) if env.width else None"
    yield from BOUNDS
    yield "made = []"
    yield "add = made.append"
    yield "try:"
    yield "    for match in found:"
    if len(plans) == 1:
        yield from (f"        {line}" for line in _read(plans[0], "match.groups()"))
    else:
        yield "        which = match.lastindex"
        for plan, start in zip(plans, groups_before([plan.pattern for plan in plans]), strict=True):
            stop = start + len(plan.texts) + 1
            yield f"        {'if' if start == 0 else 'elif'} which == {stop}:"
            groups = ", ".join(str(group) for group in range(start + 1, stop))
            taken = f"match.group({groups})" if len(plan.texts) > 1 else f"(match.group({groups}),)"
            yield from (f"            {line}" for line in _read(plan, taken))
    yield "except (UnfitError, LookupError):"
    yield "    return None"
    yield "return made"


def _read(plan: Plan, groups: str) -> Iterator[str]:
    """The lines that read one match."""
    if plan.texts:
        yield f"{', '.join(plan.texts)}, = {groups}"
    yield from plan.lines


class Place(NamedTuple):
    """Where an item's document has its objects: the path, the rule of the tables and the scope around them."""

    path: tuple[str, ...]
    tables: tuple[TableRule, ...]
    scope: Scope


def place_of_objects(rule: Rule, scope: Scope) -> Place | None:
    """Where a document has the tables of its objects; None where that is not one place in mappings alone."""
    if not isinstance(rule, MapRule):
        return None
    found: list[Place] = []
    others = 0
    for key, one in (*((field.keys[0], field.rule) for field in rule.fields), ("*", rule.rest)):
        if one is None or not any(table.each.table in OF_OBJECTS for table in tables_within(one)):
            continue
        below = place_of_objects(one, scope.below()) if isinstance(one, MapRule) else None
        if below is not None:
            found.append(Place((key, *below.path), below.tables, below.scope))
        elif one.tables:
            found.append(Place((key,), one.tables, scope if key == "*" else scope.below()))
        else:
            others += 1
    return found[0] if len(found) == 1 and not others and not rule.alternatives else None


def generate_elements_reader(
    rule: Rule, rooted: bool, shape: XmlShape, scope: Scope, context: ReadContext
) -> FastElements | None:
    """The fast reader of the objects in documents of a rule; None where they do not stand so that it can be one.

    Args:
        rule: The rule of the document: of a whole file, or of one row of a shared file.
        rooted: Whether it is that of a whole file, whose one key is the tag of the root.
        shape: What is known beforehand of the document, as `rule` says.
        scope: What names mean in it.
        context: What is read.
    """
    place = place_of_objects(rule, scope) if amounts().generates and context.often else None
    if place is None or not any(is_asked(table, place.scope, context) for table in place.tables):
        return None
    readers = [row_reader(table, place.scope, context) for table in place.tables]
    objects = [one for one in readers if one.kind == "object"]
    if not any(map(may_be_planned, objects)) or (len(readers) > 1 and rows_of_tasks(readers)):
        return None
    return FastElements(place.path, rooted, readers, shape, context)
