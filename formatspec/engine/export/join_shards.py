"""Joins the rows of all shards in the order of the items, and writes the shared files."""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from formatspec.engine.base.scratch_records import Marks, Records, mark
from formatspec.engine.conservation.tally import Tally
from formatspec.engine.documents.around import Around
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.adaptation.adapt import TargetCategories
from formatspec.engine.export.errors import NULLS, CannotWriteError, encoded
from formatspec.engine.export.gather_rows import merge_values
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.memberships import lists_others
from formatspec.engine.export.render_path import Spelled, as_rendered, rendered
from formatspec.engine.export.shard_output import (
    ShardOutput,
    SharedShard,
    Standing,
    TableShard,
    once,
    rows_of,
    with_numbers,
)
from formatspec.engine.export.shared_tables import counts_of, is_category_source, rows_of_groups, spooled_tables
from formatspec.engine.index.named_folders import named_elsewhere
from formatspec.engine.index.row_ownership import SharedFile
from formatspec.engine.resolve.row_counters import ALL_OBJECTS
from formatspec.engine.spec.compiled import Format, Role
from formatspec.engine.write.compile_writer import compile_writer, spool_key
from formatspec.engine.write.print_leaf import NO_SOURCE, LackingError, Writer
from formatspec.files.document import FileError

Put = Callable[[str, Iterable[bytes]], None]
"""Writes a file from its pieces."""

NUMBERED_ANEW = "objects whose group's number another group of the file has: numbered anew"
DIVIDED = "subsets of single items, since a list names all items of a sequence or group at once"
HELD = 8 << 20
"""Bytes of rows that stay in memory; more rows go to an unnamed temporary file."""
TOGETHER = 1 << 18
"""Bytes of rows that are spooled and written as one text."""


class NameTakenError(Exception):
    """Two shards hold items of one name. The run must be repeated in one shard to find out which items these are."""


class SpooledRows(Sequence[Any]):
    """The rows of one table so far, kept in a temporary file that all tables share."""

    def __init__(self, spool: Any) -> None:
        """Start without rows.

        Args:
            spool: The temporary file.
        """
        self._spool = spool
        self._spans = Records([("start", "i8"), ("length", "i8"), ("rows", "i8"), ("place", "i8")])
        self._any_place = False
        self._rows = 0
        self.given_out = 0

    def __len__(self) -> int:
        """How many rows there are."""
        return self._rows

    def add(self, text: bytes, place: int, rows: int = 1) -> None:
        """Append rows.

        Args:
            text: The rows as JSON.
            place: The place that the row had in its source; -1 for rows that had none.
            rows: How many rows the text holds; a row with a place has a text of its own.
        """
        self._any_place = self._any_place or place >= 0
        # Texts are read only after all are there, so the spool's place is its end.
        self._spans.note(self._spool.tell(), len(text), rows, place if place >= 0 else self._rows)
        self._spool.write(text)
        self._rows += rows

    def texts(self) -> Iterator[bytes]:
        """The rows in their order, as texts of one or more rows each."""
        self.given_out = 0
        for spans in self._ordered():
            for start, length, rows, _ in spans.tolist():
                self._spool.seek(start)
                self.given_out += rows
                yield self._spool.read(length)

    def _ordered(self) -> Iterator[Any]:
        """Yield the offsets of the texts, in the order of the rows, in pieces of limited size."""
        places = None
        if self._any_place:
            places = np.concatenate([piece["place"] for _, piece in self._spans.pieces()])
        if places is None or bool((places[1:] >= places[:-1]).all()):
            yield from (spans for _, spans in self._spans.pieces())
            return
        for row in np.argsort(places, kind="stable"):
            yield self._spans.read(row, row + 1)

    def __iter__(self) -> Iterator[Any]:
        """Decode the rows one after another, in their order."""
        return (row for text in self.texts() for row in rows_of(text))

    def __getitem__(self, place: Any) -> Any:
        """Return a row, or a slice of rows. Each call decodes all rows, so call it seldom."""
        return list(self)[place]


class _File(msgspec.Struct, eq=False):
    """A shared file that is being written."""

    captures: dict[str, Any]
    tables: dict[str, SpooledRows] = {}
    counts: dict[str, int] = {}
    items: int = 0
    objects: int = 0
    columns: tuple[str, ...] = ()
    values: dict[str, Any] = {}
    frames: set[int] = set()
    groups: dict[str, dict[bytes, Standing]] = {}

    def repeats(self, table: str) -> int:
        """Return for how many further items the rows of a table stand, beside one item for each row."""
        known = self.groups.get(table, {})
        return sum(one.items for one in known.values()) - len(known)


class Finisher:
    """Joins what the shards add to shared files, and writes these files."""

    def __init__(
        self,
        target: Format,
        categories: TargetCategories,
        losses: Losses,
        same: bool,
        sources: Mapping[tuple[str, str], SharedFile],
        as_read: TargetCategories | None,
        renamed: Mapping[str, str] = {},
        spelled: Spelled = as_rendered,
    ) -> None:
        """Begin without rows.

        The arguments are those of `Exporter`; `same` says whether source and target are one format, and `renamed` gives
        the new names of subsets by old ones.
        """
        self.spelled = spelled
        self.target = target
        self.renamed = renamed
        self.categories = categories
        self.losses = losses
        self.same = same
        self.sources = sources
        self.as_read = as_read
        self.are_read = False
        self.subsets: tuple[set[str], set[str]] = (set(), set())
        self.met: set[str] = set()
        self.used: set[str] = set()
        self.stuff: set[str] = set()
        self.things: set[str] = set()
        self.files = 0
        self.borrowed: list[str] = []
        self.tally = Tally()
        self._files: dict[tuple[str, str], _File] = {}
        self._objects = 0
        self._named = Marks()
        self._spool = tempfile.SpooledTemporaryFile(HELD)  # noqa: SIM115  # it lives as long as its owner
        self._item_sources = [entry.partition(".")[0] for entry in target.spec.items]
        self._roles = [role for role in target.roles.values() if role.span == "shared" and role.codec is not None]
        self._of_groups = rows_of_groups(target)
        self._spooled = {role.name: spooled_tables(role) for role in self._roles}
        self._commas = {role.name: role.codec.comma for role in self._roles if role.codec is not None}

    def add(self, part: ShardOutput) -> None:
        """Take what the next shard added.

        Raises:
            NameTakenError: Two items of different shards have the same name.
        """
        if not self._named.add(map(mark, part.named)):
            raise NameTakenError
        for what, unit, count in part.losses:
            self.losses.note(what, unit, count)
        for mine, other in zip(self.subsets, part.subsets, strict=True):
            mine.update(other)
        self.met.update(part.met)
        self.used.update(part.used)
        self.stuff.update(part.stuff)
        self.things.update(part.things)
        self.files += part.files
        self.tally.add(part.tally)
        self.are_read = self.are_read or part.are_read
        for shared in part.shared:
            self._add(shared)
        self._objects += part.objects

    def _add(self, part: SharedShard) -> None:
        file = self._files.setdefault((part.role, part.path), _File(dict(part.captures)))
        counts = dict(part.counts)
        for key, table in part.tables.items():
            if table.nulls:
                self.losses.note(NULLS, "values", table.nulls)
            if (part.role, key) in self._of_groups:
                given, table = len(table.texts), once(table, file.groups.setdefault(key, {}))
                counts["items"] = counts.get("items", 0) - given + len(table.texts)
            rows = file.tables.setdefault(key, SpooledRows(self._spool))
            join(rows, table, {**file.counts, ALL_OBJECTS: self._objects}, self._commas[part.role])
        for name, count in counts.items():
            file.counts[name] = file.counts.get(name, 0) + count
        file.items += part.items
        file.objects += part.objects
        file.columns = file.columns or part.columns
        merge_values(file.values, part.values, part.items, self.losses)
        file.frames.update(part.frames)

    def finish(self, put: Put) -> None:
        """Write the shared files.  Raises CannotWriteError."""
        self.categories = self.categories.with_stuff(self.stuff - self.things)
        self._note_divided_groups()
        for role in self._roles:
            names = [key for key in self._files if key[0] == role.name]
            if not names and not role.captures:
                names = [(role.name, self.spelled(rendered(role, {})))]
            writer = compile_writer(role.document_rule, role.scope)
            for key in names:
                self._write(role, writer, key, self._files.get(key) or _File({}), put)
            if self.same and not self._spooled[role.name]:
                for path in _beside(role, names, self.sources, self.target.key_names):
                    self.losses.note(f"{path}: {names[0][1]} stands for it too", "files")

    def _note_divided_groups(self) -> None:
        """Note items of one group in several subsets, where the lists of the subsets name the group as a whole."""
        for role, table in self._of_groups:
            lists = [file.groups.get(table, {}) for (name, _), file in self._files.items() if name == role]
            several = {
                row for place, known in enumerate(lists) for row in known for other in lists[:place]
                if other.get(row, known[row]) != known[row]
            }  # fmt: skip
            divided = sum(known[row].items for known in lists for row in several & known.keys())
            if divided:
                self.losses.note(DIVIDED, "items", divided)

    def _write(self, role: Role, writer: Writer, key: tuple[str, str], made: _File, put: Put) -> None:
        setting = WriteSetting(made.captures, self.categories, dict(self.target.options))
        setting.folder = posixpath.dirname(key[1])
        setting.columns = made.columns
        setting.values = made.values
        file = self._source_of(role, key, made) if self.same else None
        source = NO_SOURCE if file is None else file.document
        setting.rows.update(made.tables)
        setting.counts = {
            "items": range(made.counts.get("items", made.items)),
            "objects": range(made.counts.get("objects", made.objects)),
        }
        setting.subsets = tuple(sorted(self.subsets[0]))
        context = WriteContext(setting, None, None)
        any_rows = any(len(rows) for rows in made.tables.values())
        if self._left_out(role, file, any_rows):
            return
        if file is not None:
            before = WriteSetting(setting.captures, self.as_read or self.categories, setting.options)
            before.rows, before.counts = setting.rows, counts_of(role, file, setting.counts)
            before.folder, before.columns = setting.folder, setting.columns
            before.subsets = tuple(sorted({*self.subsets[1], *file.subsets}))
            before.values = file.values
            context.as_read = WriteContext(before, None, None)
        try:
            document = writer(context, source)
        except LackingError as lacking:
            raise CannotWriteError(f"{role.name} needs {lacking}") from None
        for table, _, why in setting.lost:
            self.losses.note(f"{table} not written ({why})", table)
        empty = not any_rows and (not document or bool(self._spooled[role.name]))
        empty = empty or (self._lists_again(role) and not self._has_more(role, made))
        if role.optional and file is None and (empty or not document):
            return
        if role.codec is not None:
            self.losses.blocks(document, role.codec.shape)
        around = Around(frames=tuple(sorted(made.frames)))
        written = encoded(lambda one: pieces(role, one, made.tables, around), document, key[1], self.losses.note)
        put(key[1], _named(key[1], open_ended(written) if file is not None and file.open_end else written))
        if around.renumbered:
            self.losses.note(NUMBERED_ANEW, "objects", around.renumbered)
        self.files += 1
        self.borrowed += (
            f"{key[1]}: {name} is {folder}, since there is no image of {subset}"
            for name, subset, folder in named_elsewhere(role, document, setting.subsets)
            if file is None or file.document.get(name) != folder
        )
        for table, rows in made.tables.items():
            self.tally.wrote(f"{key[1]} {table}", rows.given_out + made.repeats(table))

    def _source_of(self, role: Role, key: tuple[str, str], made: _File) -> SharedFile | None:
        """Find the file of the source that becomes this one.

        It has the same path. Where subsets get new names, it is the only file of its role whose renamed path is this
        one, or the first of its kind where no file is of this subset.
        """
        if key in self.sources or not self.renamed:
            return self.sources.get(key)
        alike = [file for (name, _), file in self.sources.items() if name == role.name]
        found = [file for file in alike if self._becomes(file, made)]
        if not found:
            beside = (file for file in alike if _is_beside(file, made))
            found = sorted(beside, key=lambda file: file.path)[:1]
        return found[0] if len(found) == 1 else None

    def _becomes(self, file: SharedFile, made: _File) -> bool:
        subset = file.captures.get("subset")
        return {**file.captures, "subset": self.renamed.get(str(subset), subset)} == {"subset": None, **made.captures}

    def _left_out(self, role: Role, file: SharedFile | None, any_rows: bool) -> bool:
        """Return whether to leave out a file that the source does not have."""
        if file is not None:
            return False
        known = any(name == role.name for name, _ in self.sources)
        if (
            self.same
            and any_rows
            and ((self.renamed and known) or (role.name in self._item_sources and lists_others(role)))
        ):
            return False
        if known and self.same and not any_rows and self._stays_absent(role):
            return True
        written_back = self.same and (bool(self.sources) or self.are_read)
        if role.kept or (role.optional and written_back):
            return True
        if role.optional and self.categories.fixed and is_category_source(self.target, role):
            return True
        return role.optional and bool(self._spooled[role.name]) and not any_rows

    def _stays_absent(self, role: Role) -> bool:
        """Return whether a file without rows would say something new of items that had none, as those of a test set."""
        level = self.target.spec.levels.get("FILE_MISSING", "error")
        return level != "error" and role.name not in self._item_sources and bool(self._spooled[role.name])

    def _lists_again(self, role: Role) -> bool:
        """Return whether another role lists the items first, so that this role adds only further records about them."""
        return role.name in self._item_sources[1:] and any(table.kind != "item" for table in self._spooled[role.name])

    def _has_more(self, role: Role, made: _File) -> bool:
        """Return whether a file has rows of records other than items."""
        return any(made.tables.get(table.key) for table in self._spooled[role.name] if table.kind != "item")


def _beside(
    role: Role, written: Sequence[tuple[str, str]], sources: Mapping[tuple[str, str], SharedFile], keys: Iterable[str]
) -> Iterator[str]:
    """Yield the files of the source that have one file in their place, since no name of an item tells them apart."""
    if len(written) == 1 and not {"subset", *keys} & set(role.captures):
        yield from (path for name, path in sources if name == role.name and (name, path) not in written)


def _is_beside(file: SharedFile, made: _File) -> bool:
    """Return whether a file of the source differs from the written one only in its subset."""
    own, other = ({**captures, "subset": None} for captures in (file.captures, made.captures))
    return "subset" in file.captures and not file.union and own == other


def join(rows: SpooledRows, part: TableShard, before: Mapping[str, int], comma: bytes) -> None:
    """Append the rows of a shard to those of the shards before, and raise the numbers that count rows."""
    numbers = zip(part.numbers, part.counters, strict=True)
    if part.places:
        for text, size, place in zip(part.texts, part.sizes, part.places, strict=True):
            rows.add(with_numbers(text, numbers, before), place, size)
        return
    first, length = 0, 0
    for last, text in enumerate(part.texts, 1):
        length += len(text)
        if length >= TOGETHER or last == len(part.texts):
            joined = with_numbers(comma.join(part.texts[first:last]), numbers, before)
            rows.add(joined, -1, sum(part.sizes[first:last]))
            first, length = last, 0


def pieces(
    role: Role, document: Any, tables: Mapping[str, SpooledRows], around: Around | None = None
) -> Iterator[bytes]:
    """Yield the bytes of a shared document; kinds of files that can be written row by row are."""
    assert role.codec is not None
    streams = {
        path: rows
        for path, rules in role.lists
        if (rows := tables.get(spool_key(rules, role.scope))) is not None and (rows or not _is_null(document, path))
    }
    if role.codec.stream is not None and streams:
        return role.codec.stream(document, {path: rows.texts() for path, rows in streams.items()})
    if around is not None and role.codec.named is not None:
        return iter((role.codec.encode(_held(document), around),))
    return iter((role.codec.encode(_held(document)),))


def _is_null(document: Any, path: Sequence[str | int]) -> bool:
    """Return whether null stands under the last of some keys."""
    for key in path:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return document is None


def open_ended(written: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a file without the newline of its last line, unless that line is empty."""
    end = b""
    for piece in written:
        if len(end) > 2:  # the newline may be a piece of its own
            yield end[:-2]
            end = end[-2:]
        end += piece
    line = end.removesuffix(b"\n").removesuffix(b"\r")
    yield end if not line or line.endswith((b"\n", b"\r")) else line


def _held(document: Any) -> Any:
    """Return a document with its rows in memory."""
    if isinstance(document, SpooledRows):
        return list(document)
    if isinstance(document, dict):
        return {key: _held(part) if isinstance(part, dict | SpooledRows) else part for key, part in document.items()}
    return document


def _named(path: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces of a file, and name the file in the error of a piece that cannot be encoded.

    Errors of the place that the pieces are written to pass through unchanged.

    Raises:
        CannotWriteError: A piece cannot be encoded.
    """
    try:
        yield from pieces
    except (FileError, ValueError) as error:
        raise CannotWriteError(f"{path}: {error}") from None
