"""What is held of many items and rows: the same whether it is in memory or, being much, on disk."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import formatspec as fs
from formatspec.engine.base.scratch_records import Marks, Records, mark
from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.export.join_shards import SpooledRows
from formatspec.engine.index.entries import Chosen, Entries
from formatspec.engine.index.row_ownership import RowOwnership, TableFile
from formatspec.engine.index.row_source import HeldRows
from formatspec.language.load import load_source
from formatspec.model.amounts import with_amounts
from formatspec.paths.listing import Paths
from formatspec.paths.trees.open_tree import open_tree

LITTLE, MUCH = 1 << 30, 64


@pytest.fixture(params=[LITTLE, MUCH], ids=["in memory", "on disk"])
def held(request: pytest.FixtureRequest) -> Iterator[int]:
    """Where things are held: bytes, or items, that stay in memory."""
    with with_amounts(record_bytes=request.param, items=request.param, piece=7, ordered_rows=10):
        yield request.param


def test_records_come_back_as_they_were_put(held: int) -> None:
    records = Records([("place", "i8"), ("kind", "i1")])
    assert [list(found) for _, found in records.pieces()] == []
    for first in range(0, 50, 5):
        records.add(range(first, first + 5), [1] * 5)
        records.add((), ())
    assert len(records) == 50
    assert records.read(13, 17)["place"].tolist() == [13, 14, 15, 16]
    assert [(at, row) for at, rows in records.pieces() for row in rows["place"].tolist()] == [
        (number // 7 * 7, number) for number in range(50)
    ]


def test_records_that_are_noted_one_by_one_stand_among_those_that_are_added_together(held: int) -> None:
    records = Records([("place", "i8"), ("owner", "i4"), ("kind", "i2"), ("which", "i1")])
    for first in range(0, 60, 20):
        for number in range(first, first + 10):
            records.note(number, -number, number % 3, -1)
        assert len(records) == first + 10
        records.add(range(first + 10, first + 20), [-1] * 10, [7] * 10, [1] * 10)
    assert records.read(0, 60)["place"].tolist() == list(range(60))
    assert records.read(8, 12).tolist() == [(8, -8, 2, -1), (9, -9, 0, -1), (10, -1, 7, 1), (11, -1, 7, 1)]
    records.note(60, 0, 0, 0)
    assert [row for _, rows in records.pieces() for row in rows["place"].tolist()] == list(range(61))


def test_items_are_found_and_keep_what_is_noted_of_them(held: int) -> None:
    items = Entries()
    names = [(f"n{number}", "\udcff", number) for number in range(200)]
    for identity in names:
        number = items.add(identity, identity[0])
        items[number].names = {"name": identity[0], "id": identity[2], "of no kind": complex(identity[2])}
    for identity in names[::3]:
        number = items.find(identity)
        assert number is not None
        items[number].add_file("image", f"{identity[0]}.png" * 100, {"name": identity[0]})
        items[number].share("subsets", ("a",))
    assert items.find(("n7", "", 7)) is None
    items.whole()
    for number, entry in enumerate(items):
        assert (entry.identity, entry.number, entry.names["id"]) == (names[number], number, number)
        assert entry.names["of no kind"] == complex(number)
        assert list(entry.files) == (["image"] if number % 3 == 0 else [])
        assert entry.shared.get("subsets") == (("a",) if number % 3 == 0 else None)
    backwards = Chosen(items, np.arange(200, dtype=np.int32)[::-1])
    assert [entry.key for entry in backwards[3:6]] == ["n196", "n195", "n194"]


def test_two_items_whose_names_have_one_hash_are_two(held: int) -> None:
    items = Entries()
    one, other = items.add((-1,), "one"), items.add((-2,), "other")
    assert hash((-1,)) == hash((-2,))
    assert (items.find((-1,)), items.find((-2,)), items.find((-3,))) == (one, other, None)


def test_numbers_that_a_record_has_no_room_for_are_refused(held: int) -> None:
    records = Records([("place", "i8"), ("part", "i2")])
    records.note(1, 1 << 15)
    with pytest.raises(OverflowError, match="part needs more than 2 bytes"):
        records.read(0, 1)


def test_rows_come_by_item_in_the_order_in_which_they_were_noted(held: int) -> None:
    rng = random.Random(1)
    joined, expected = RowOwnership(), dict[int, list[tuple[str, int, int]]]()
    table: Any = SimpleNamespace(role="r", path=("rows",))
    for file in ("a", "b"):
        joined.parts.append(TableFile(table, file, HeldRows([]), ()))
        for position in range(100):
            owner, which = rng.randrange(1, 30), rng.randrange(2)
            joined.add(owner, position, which)
            expected.setdefault(owner, []).append((file, position, which))
    joined.settle(32)
    for number in range(32):
        entry: Any = SimpleNamespace(number=number)
        runs = (run for of_role in joined.of(entry).values() for run in of_role)
        rows = [(run.part.file, at, which) for run in runs for at, which in enumerate(run.which, run.start)]
        assert rows == expected.get(number, [])
        assert joined.roles(entry) == ({"r"} if number in expected else set())


def test_rows_are_written_where_they_stood(held: int) -> None:
    with tempfile.TemporaryFile() as spool:
        rows = SpooledRows(spool)
        for number in range(20):
            rows.add(str(number).encode(), -1 if number < 3 else 22 - number)
        order = [0, 1, 2, *range(19, 2, -1)]
        assert len(rows) == 20
        assert list(rows) == order
        assert rows[4] == 18


def test_marks_tell_what_was_there() -> None:
    marks = Marks()
    assert marks.add(map(mark, ("a", "b", "c")))
    assert marks.add(())
    assert not marks.add([mark("b")])
    assert not marks.add([mark("d"), mark("d")])
    assert marks.add([mark("e")])


def test_a_long_list_of_paths_is_a_list_of_paths() -> None:
    paths = ["a/b", "\udcff", "", "ü"]
    held = Paths(paths)
    assert (list(held), len(held), held[1], held[-1], list(held[1:3])) == (paths, 4, "\udcff", "ü", paths[1:3])
    assert held == Paths(paths)
    assert held != Paths(paths[:3])
    with pytest.raises(IndexError):
        held[4]


class _Once:
    """Rows of which no two are in memory together."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


@pytest.mark.parametrize("spec", ["tfod_csv", "open_images", "voc", "wider_face"])
def test_shared_files_of_text_are_written_row_by_row_as_they_are_at_once(spec: str, tmp_path: Path) -> None:
    fs.sample(spec, tmp_path / "made", items=6, seed=1)
    dataset = open_source(load_source(spec), open_tree(tmp_path / "made"), {}, Purpose())
    assert dataset.index.shared
    for file in dataset.index.shared:
        codec = dataset.form.roles[file.role].codec
        assert codec is not None
        assert codec.stream is not None
        rows = _Once(file.document) if isinstance(file.document, list) else file.document
        assert b"".join(codec.stream(rows, {})) == codec.encode(file.document)
