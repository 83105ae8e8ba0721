"""Checks beyond reading: JSON Schema, computed values, the spec's own checks, and unclaimed files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from posixpath import relpath
from typing import Any, NamedTuple

from formatspec.engine.base.faults import DocumentPath, Fault
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.expected_files import told_path
from formatspec.engine.dataset.item.read_item import Assembled
from formatspec.engine.evaluate.write_context import Getter, WriteContext, WriteScope, WriteSetting, records_of
from formatspec.engine.index.entries import item_key
from formatspec.engine.read.check_rows import place_of_row
from formatspec.engine.read.item_state import whole_of
from formatspec.engine.resolve.codec_chain import spell
from formatspec.engine.resolve.scope import Scope
from formatspec.engine.spec.compiled import IMAGE, Format, Role
from formatspec.files.document import pointer_text
from formatspec.findings.finding import Finding
from formatspec.findings.table import CODES
from formatspec.language import expression
from formatspec.language.errors import suggest
from formatspec.language.expression import Binary, Call, Expression, ExpressionError, Literal, RowsOf, UnknownNameError
from formatspec.language.leaf import Bind, Computed, Keep, LeafSyntaxError
from formatspec.language.leaf import parse_text as parse_template
from formatspec.language.load import place_text
from formatspec.language.rules import problem
from formatspec.language.schema import CheckSpec
from formatspec.model.flaws import RING
from formatspec.model.plain.same_value import same_value
from formatspec.model.records import Item
from formatspec.model.rings import crosses_itself
from formatspec.model.slots import SLOTS, TABLES


class Judgement(NamedTuple):
    """The result of a check of an item.

    Attributes:
        finding: The finding.
        at: The file and the place in its document that the finding is about, or None.
        about: The index of the object that the finding is about, or None.
    """

    finding: Finding
    at: tuple[str, DocumentPath] | None = None
    about: int | None = None


class Checker:
    """The compiled checks of one format; `prefix` is the folder of the data in which the dataset begins."""

    def __init__(self, form: Format, prefix: str = "") -> None:
        """Compile the checks of a format. Raises SpecError if an expression is wrong."""
        self.form = form
        self.prefix = f"{prefix}/" if prefix else ""
        self.checks = [Check(form, code, spec) for code, spec in form.spec.checks.items()]
        self.applying = [check for check in self.checks if check.may_apply]
        self.shallow = [check for check in self.applying if not check.needs_pixels]
        self._values: dict[tuple[int, bool], Getter] = {}
        self.pixels = any(role.kind == "pixels" for role in form.documents)

    def item(self, one: Assembled, deep: bool) -> Iterator[Judgement]:
        """Yield what the checks find in an item that could be read."""
        checks = self.applying if deep else self.shallow
        if one.item is None or not (deep or checks or one.deferred):
            return
        setting = WriteSetting(one.item.captures, None, dict(self.form.options))
        setting.told = one.told
        root = WriteContext(setting, one.item, one.item)
        if one.deferred:
            yield from self._computed(one, one.item, root)
        if deep:
            yield from self._crossing(one, one.item)
        for check in checks:
            if not check.plainly_holds(root):
                yield from check.run(one, one.item, root, self.prefix)

    def _crossing(self, one: Assembled, item: Item) -> Iterator[Judgement]:
        """Yield findings about outlines that cross themselves."""
        for place, thing in enumerate(item.objects):
            if any(len(ring) > RING and crosses_itself(ring) for ring in thing.polygons):
                file, path = place_of_row(one.state, place)
                finding = Finding(
                    code="POLYGON_CROSSES", level=self.form.levels.of("POLYGON_CROSSES", "info"),
                    message="the outline crosses itself", file=f"{self.prefix}{file}" if file else None,
                    pointer=pointer_text(path) if path else None, item=one.key, object=thing.id, scope="object",
                )  # fmt: skip
                yield Judgement(finding, (file, path) if path else None, place)

    def _computed(self, one: Assembled, item: Item, root: WriteContext) -> Iterator[Judgement]:
        """Yield findings about computed leaves whose values differ from those that the model gives."""
        places = {id(thing): place for place, thing in enumerate(item.objects)}
        context = root
        for leaf, place, record, value, file, path in one.deferred:
            thing = whole_of(record).get("$object")
            if thing is None and leaf.near:
                continue  # the row was rejected
            if thing is None:
                context = root
            elif thing is not context.record:
                context = WriteContext(root.setting, item, thing, root, places.get(id(thing), 0), len(item.objects))
            known = self._values.get((id(leaf), thing is not None)) or self._value(leaf, thing is not None)
            try:
                expected: Any = known(context)
                if self._agrees(leaf, expected, value):
                    continue
                if leaf.near:  # only now, since it takes its time
                    root.setting.closely = True
                    expected = known(context)
                    if self._agrees(leaf, expected, value):
                        continue
            except ExpressionError:
                continue
            finally:
                root.setting.closely = False
            finding = Finding(
                code="DIFFERS", level="warning", message="the value differs from what follows from the data",
                file=f"{self.prefix}{file}", pointer=pointer_text(path), item=one.key,
                object=getattr(thing, "id", None), scope="value",
                expected=spell_any(expected), got=value, rule=place_text(place),
            )  # fmt: skip
            yield Judgement(finding, (file, path), places.get(id(thing)))

    def _agrees(self, leaf: Computed, expected: Any, value: Any) -> bool:
        """Return whether a stated value is the computed one, or near enough to it where the leaf allows this."""
        if expected is None or (type(expected) is type(value) and expected == value):
            return True
        return _means_the_same(expected, value) or (leaf.near and _near(expected, value, self.pixels))

    def _value(self, leaf: Computed, of_object: bool) -> Getter:
        """Return a function that computes a leaf for an object or an item; it is compiled once."""
        known = self._values.get((id(leaf), of_object))
        if known is None:
            names = (name for role in self.form.roles.values() for name in role.captures)
            scope = Scope("item", "", dict.fromkeys((*self.form.key_names, *names)), options=self.form.options)
            within = WriteScope(scope.inside("objects") if of_object else scope)
            try:
                known = expression.compile_expression(leaf.expression, within)
            except UnknownNameError:
                known = lambda context: None  # a leaf that has no value at its place  # noqa: E731
            self._values[id(leaf), of_object] = known
        return known


def _near(expected: Any, value: Any, exact: bool) -> bool:
    """Return whether a stated number, or each of several, may be that of a shape: it may differ by a tenth or a pixel.

    Args:
        expected: The computed value.
        value: The stated value.
        exact: Whether the shape is given by pixels, so that no difference is allowed.
    """
    if isinstance(expected, list | tuple):
        alike = isinstance(value, list | tuple) and len(value) == len(expected)
        return alike and all(
            _near(a, b, exact) or (_are_numbers(a, b) and abs(a - b) <= 1 > exact)
            for a, b in zip(expected, value, strict=True)
        )
    if not _are_numbers(expected, value):
        return value is None
    if exact or value <= 0 < expected:
        return bool(value == expected)
    return bool(abs(value - expected) <= max(0.1 * abs(expected), 1.0))


def _are_numbers(expected: Any, value: Any) -> bool:
    return isinstance(expected, int | float) and isinstance(value, int | float) and not isinstance(value, bool)


def _means_the_same(a: Any, b: Any) -> bool:
    """Return whether two values mean the same.

    Numbers are compared by value, a list of one value as that value, and a numeric text as a number.
    """
    if same_value(a, b):
        return True
    many_a = list(a) if isinstance(a, list | tuple) else [a]
    many_b = list(b) if isinstance(b, list | tuple) else [b]
    return len(many_a) == len(many_b) and sorted(map(spell_any, many_a)) == sorted(map(spell_any, many_b))


def spell_any(value: Any) -> str:
    """Return a value as short text."""
    try:
        return spell(value)
    except ValueError:
        return repr(value)


_OF_PIXELS = frozenset({"region", "hidden"})
"""Slots whose checks need pixels."""


class Check:
    """One check that a spec defines."""

    def __init__(self, form: Format, code: str, spec: CheckSpec) -> None:
        """Compile the condition, the `where` and the message of one check. Raises SpecError."""
        self.form = form
        self.code = code
        self.spec = spec
        self.place = form.layout.node.value["checks"].value[code].place
        scope = Scope("item", "", dict.fromkeys(form.key_names), options=form.options)
        self.scope = scope.inside("objects") if spec.each == "objects" else scope
        told = ToldScope(self.scope, form)
        try:
            parsed = expression.parse(spec.holds)
            self.plainly_holds = _few_rows(parsed) if spec.each == "items" else _never
            self.holds = expression.compile_condition(parsed, told)
            where = None if spec.where is None else expression.parse(spec.where)
            self.where = None if where is None else expression.compile_condition(where, told)
            self.may_apply = where is None or _may_hold(where, self.scope, told)
            self.say = tuple(self._part(part, told) for part in parse_template(spec.say).parts)
        except expression.ExpressionSyntaxError as error:
            raise problem(f"check {code}: {error}", self.place) from None
        except UnknownNameError as error:
            hint = suggest(error.name, (*SLOTS[self.scope.kind], *form.key_names))
            raise problem(f"check {code}: {error.name!r} has no value here", self.place, hint=hint) from None
        except LeafSyntaxError as error:
            raise problem(f"check {code}: in {spec.say!r}: {error}", self.place) from None
        asked = (one.name.split(".") for one in expression.parts_of(parsed) if isinstance(one, expression.Name))
        self.needs_pixels = any(not _OF_PIXELS.isdisjoint(words) for words in asked)

    def _part(self, part: str | Bind | Keep | Computed, told: ToldScope) -> str | Getter:
        """Compile a part of a check's message: a text, or the source of a value."""
        if isinstance(part, str):
            return part
        if isinstance(part, Computed):
            return expression.compile_expression(part.expression, told)
        assert isinstance(part, Bind)  # only lines keep text
        return told.value(part.names[0])

    def run(self, one: Assembled, item: Item, root: WriteContext, prefix: str = "") -> Iterator[Judgement]:
        """Yield what the check finds in an item; a finding about an object points at the object's row."""
        if self.spec.each == "objects":
            things = item.objects
            contexts = [WriteContext(root.setting, item, thing, root, i, len(things)) for i, thing in enumerate(things)]
        else:
            contexts = [root]
        for context in contexts:
            try:
                if self.where is not None and not self.where(context):
                    continue
                if self.holds(context):
                    continue
                code, level, message = self.code, self.spec.level, self._message(context)
            except ExpressionError as error:
                code, level = "CHECK_FAILED", CODES["CHECK_FAILED"].level
                message = f"the check {self.code} cannot be evaluated here: {error}"
            about = context.index if context.record is not item else None
            file, path = ("", ()) if about is None else place_of_row(one.state, about)
            file = file or next((paths[0] for paths in one.files.values()), "")
            finding = Finding(
                code=code, level=level, message=message, item=one.key, file=f"{prefix}{file}" if file else None,
                pointer=pointer_text(path) if path else None,
                object=None if about is None else item.objects[about].id, rule=place_text(self.place),
                scope="item" if about is None else "object",
            )  # fmt: skip
            yield Judgement(finding, (file, path) if path else None, about)

    def _message(self, context: WriteContext) -> str:
        return "".join(part if isinstance(part, str) else spell_any(part(context)) for part in self.say)


def _may_hold(where: Expression, scope: Scope, told: ToldScope) -> bool:
    """Return whether a condition may hold with the options of its scope, which it asks before all else."""
    context = WriteContext(WriteSetting({}, None, dict(scope.options)), None, None)
    for part in expression.conjuncts(where):
        meaning = scope.meaning(part.name) if isinstance(part, expression.Name) else None
        if meaning is None or meaning.where != "option":
            return True
        if not expression.compile_condition(part, told)(context):
            return False
    return True


def _few_rows(holds: Expression) -> Callable[[WriteContext], bool]:
    """Return a test of whether `count(TABLE where …) <= N` holds because the item has at most N rows.

    The condition on rows is then not evaluated, even if it could fail: the check holds whatever its result is.
    """
    match holds:
        case Binary("<=", Call("count", (RowsOf(table, _),)), Literal(int(limit))) if table in TABLES:
            select = records_of(table)
            return lambda root: len(tuple(select(root))) <= limit
    return _never


def _never(root: WriteContext) -> bool:
    return False


class ToldScope(WriteScope):
    """The names that checks may use: slots, and `role.region`, the region that one role gives an object."""

    def __init__(self, scope: Scope, form: Format) -> None:
        """Take the scope of slots, and the format whose roles `role.region` may name."""
        super().__init__(scope)
        self.form = form

    def value(self, name: str) -> Getter:
        """Return a function that gives the value of a slot, or the region that one role gives an object."""
        role, _, slot = name.partition(".")
        if slot == "region" and role in self.form.roles:
            return lambda context: context.setting.told.get(context.index, {}).get(role)
        return super().value(name)


def _nearly(role: Role) -> re.Pattern[str] | None:
    """Return a pattern of paths that nearly match a role's template; None if there is no useful one.

    Such a path differs in capitals or in the digits of a number. Folders have no such pattern, nor have templates with
    so little fixed text that any path would be similar.
    """
    parts = role.template.parts
    said = sum(len(part.strip("/.")) for part in parts if isinstance(part, str))
    if role.folder or said < LEAST_SAID:
        return None
    pieces = (
        re.escape(part) if isinstance(part, str) else r"-?\d+" if _is_number(part.pattern) else f"(?:{part.pattern})"
        for part in parts
    )
    try:
        return re.compile("".join(pieces), re.IGNORECASE)
    except re.error:
        return None


def _in_another_folder(dataset: OpenDataset) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield unclaimed files that a role without files would claim if their folder had another name.

    Each comes with the role and the path that it should have; only files with the names of an item are considered.
    """
    if not dataset.index.unclaimed:
        return
    index = dataset.index
    wanting = {role.name for role in dataset.form.documents}
    for path in dataset.tree.paths():
        if not wanting:
            return
        wanting.discard(index.claimed.role(path) or "")
    keys = {entry.key for entry in dataset.entries}
    for role in dataset.form.documents:
        folder, slash, _ = role.template.prefix.rpartition("/")
        if role.name not in wanting or not slash or not set(dataset.form.key_names) & set(role.captures):
            continue
        for path in index.unclaimed:
            for depth in range(folder.count("/") + 1, -1, -1):
                rest = path.split("/", depth)
                names = role.match(f"{folder}/{rest[-1]}") if len(rest) == depth + 1 else None
                if names is not None and item_key(dataset.form, names) in keys:
                    yield path, (role.name, f"{folder}/{rest[-1]}")
                    break


LEAST_SAID = 3
"""The fewest letters outside placeholders for which similar paths are sought."""


def _is_number(pattern: str) -> bool:
    """Return whether a placeholder takes only numbers."""
    try:
        return not re.fullmatch(pattern, "x") and any(re.fullmatch(pattern, "1" * count) for count in range(1, 10))
    except re.error:
        return False


def _namer(dataset: OpenDataset, name: str, path: str) -> str:
    """Return what should name a file that belongs to no item: the document that lists items, or the image."""
    roles = dataset.form.roles
    named = (one.partition(".")[0] for one in dataset.form.spec.items)
    sources = [roles[one] for one in dict.fromkeys(named) if one in roles and one != name]
    told = {key: value for key, value in (roles[name].match(path) or {}).items() if value is not None}
    paths = {told_path(role, told): role for role in sources}
    there = [one for one, role in paths.items() if dataset.tree.exists(one) and role.name != IMAGE]
    if there:
        return f": no row of {' or '.join(there)} does"
    if not paths:
        return ""
    first, role = next(iter(paths.items()))
    what = "the image of its item" if role.name == IMAGE else "the file that lists the items"
    return f": {what} would be {first}"


def _named_by_rows(dataset: OpenDataset) -> set[str]:
    """Return the paths by which rows name files, for roles whose files may have names of no item."""
    roles = [role.name for role in dataset.form.roles.values() if role.spec.seen_from and role.span == "item"]
    if not any(name in entry.files for entry in dataset.index.unlisted for name in roles):
        return set()
    return {path for one in dataset.assembled() for name in roles for path in one.files.get(name, ())}


def files_beside(dataset: OpenDataset) -> list[str]:
    """Return the files of the data that lie beside the folder of the dataset, as paths from that folder on."""
    if not dataset.prefix:
        return []
    inner, ignored = f"{dataset.prefix}/", dataset.form.ignored
    others = (path for path in dataset.base.paths() if not path.startswith(inner) and not ignored(path))
    return [relpath(f"/{path}", f"/{dataset.prefix}") for path in others]


def tree_findings(dataset: OpenDataset) -> Iterator[Fault]:
    """Yield faults about unclaimed files, and about items that no list names."""
    for path in files_beside(dataset):
        words = f"no rule claims this file, which lies beside the folder of the dataset, {dataset.prefix}"
        yield Fault("FILE_UNCLAIMED", path, (), None, words)
    nearly = [(role, pattern) for role in dataset.form.roles.values() if (pattern := _nearly(role)) is not None]
    elsewhere = dict(_in_another_folder(dataset))
    for path in dataset.index.unclaimed:
        if path.rpartition("/")[2].startswith("."):
            continue
        if path in elsewhere:
            name, expected = elsewhere[path]
            words = f"the dataset has no file of {name}, and this one would be it in another folder"
            yield Fault("FILE_ORPHAN", path, (), dataset.form.roles[name].place, words, expected)
            continue
        role = next((role for role, pattern in nearly if pattern.fullmatch(path)), None)
        if role is not None:
            words = f"this is nearly the name of a file of {role.name}: {role.template.explain(path)}"
            yield Fault("FILE_ORPHAN", path, (), role.place, words)
        else:
            yield Fault("FILE_UNCLAIMED", path, (), None, "no rule claims this file")
    named = _named_by_rows(dataset)
    for entry in dataset.index.unlisted:
        for name, found in entry.files.items():
            for path, _ in found:
                if path in named:
                    continue
                words = f"no item names this file{_namer(dataset, name, path)}"
                yield Fault("FILE_ORPHAN", path, (), None, words)
    if not dataset.entries:
        yield Fault("NOTHING_FOUND", "", (), None, f"no item of {dataset.name} was found")
