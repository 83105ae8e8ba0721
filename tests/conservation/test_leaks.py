"""Each planted leak patches one place, and ends with a fault: something would be gone that no line names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_datasets import coco, outlined, put
from typer.testing import CliRunner

import formatspec as fs
from formatspec.cli.main import app
from formatspec.engine.conservation.tally import Tally, imbalances
from formatspec.engine.export import spool_rows
from formatspec.engine.export.join_shards import Finisher, SpooledRows
from formatspec.engine.export.lost.losses import Losses
from formatspec.engine.export.lost.lost_records import Unwritten
from formatspec.engine.export.shard_output import TableShard
from formatspec.engine.write import generate_lines
from formatspec.pixels.painting import Painting
from formatspec.run.conversion.plan import RefusedError, UnaccountedError
from formatspec.testing.memory import image_bytes

ROWS = [outlined(1, 1, 5, 5), outlined(10, 10, 6, 6, category_id=2), outlined(20, 5, 8, 8)]
COVERED = [outlined(5, 5, 4, 4), outlined(0, 0, 20, 20), outlined(25, 20, 5, 5)]


def row_dropped_in_the_shared_table(patch: pytest.MonkeyPatch) -> None:
    add = TableShard.add

    def lossy(self: TableShard, documents: list[Any], place: int, codec: Any, keys: tuple[str, ...] = ()) -> None:
        add(self, [document for document in documents if document.get("id") != 2], place, codec, keys)

    patch.setattr(TableShard, "add", lossy)


def row_dropped_in_the_finisher(patch: pytest.MonkeyPatch) -> None:
    add = SpooledRows.add

    def lossy(self: SpooledRows, text: bytes, place: int, rows: int = 1) -> None:
        kept = [row for row in json.loads(b"[%b]" % text) if row.get("id") != 2]
        add(self, json.dumps(kept).encode()[1:-1], place, len(kept))

    patch.setattr(SpooledRows, "add", lossy)


def row_dropped_in_a_text_of_lines(patch: pytest.MonkeyPatch) -> None:
    spell = generate_lines.spell_rows
    patch.setattr(generate_lines, "spell_rows", lambda rows: spell(rows)[:-1])


def painted_over_and_not_noticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Painting, "seen", lambda self, count: [1] * count)


def optional_document_left_out(patch: pytest.MonkeyPatch) -> None:
    left_out = Finisher._left_out
    patch.setattr(
        Finisher, "_left_out",
        lambda self, role, file, any_rows: role.name == "instances" or left_out(self, role, file, any_rows),
    )  # fmt: skip


def note_removed(patch: pytest.MonkeyPatch) -> None:
    note = Losses.note

    def silent(self: Losses, what: str, unit: str = "objects", count: int = 1) -> None:
        if "hidden" not in what:
            note(self, what, unit, count)

    patch.setattr(Losses, "note", silent)


def lacking_value_in_the_same_format(patch: pytest.MonkeyPatch) -> None:
    gather = spool_rows.gather_row
    patch.setattr(
        spool_rows, "gather_row", lambda row, *rest: "no id" if row.table == "objects" else gather(row, *rest)
    )
    of = Unwritten.of
    patch.setattr(
        Unwritten, "of", lambda self, *rest: (loss for loss in of(self, *rest) if not loss[0].startswith("objects not"))
    )


def rows_passed_over(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(spool_rows.RowSpool, "_anew", lambda self, *rest: None)
    of = Unwritten.of
    patch.setattr(
        Unwritten, "of", lambda self, *rest: (loss for loss in of(self, *rest) if not loss[0].startswith("objects not"))
    )


LEAKS = [
    (row_dropped_in_the_shared_table, ROWS, "coco", {"where": "true"}, "rows of annotations/instances_train.json"),
    (row_dropped_in_the_shared_table, ROWS, "lvis", {}, "rows of lvis_v1_train.json"),
    (row_dropped_in_the_finisher, ROWS, "lvis", {}, "rows of lvis_v1_train.json"),
    (row_dropped_in_a_text_of_lines, ROWS, "yolo", {}, "rows of"),
    (lacking_value_in_the_same_format, ROWS, "coco", {}, "objects: 3 to be written, 0 in the output"),
    (rows_passed_over, ROWS, "lvis", {}, "objects: 3 to be written, 0 in the output"),
    (painted_over_and_not_noticed, COVERED, "mots_png", {}, "values of a label image"),
    (optional_document_left_out, ROWS, "coco", {"where": "true"}, "rows of annotations/instances_train.json"),
    (note_removed, COVERED, "mots_png", {}, "objects: 3 to be written, 2 in the output"),
]


@pytest.mark.parametrize(
    ("leak", "rows", "to", "more", "words"), LEAKS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_planted_leak_is_found(
    leak: Callable[[pytest.MonkeyPatch], None], rows: list[dict[str, Any]], to: str, more: dict[str, Any], words: str,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    data = coco(tmp_path / "in", rows)
    fs.convert(data, to=to, out=tmp_path / "whole", workers=1, **more)
    leak(monkeypatch)
    with pytest.raises(UnaccountedError) as fault:
        fs.convert(data, to=to, out=tmp_path / "out", workers=1, **more)
    assert any(line.startswith(words) for line in fault.value.losses), fault.value.losses
    assert not (tmp_path / "out").exists()


def test_the_command_ends_with_3_and_writes_only_when_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = coco(tmp_path / "in", COVERED), tmp_path / "out"
    note_removed(monkeypatch)
    command = ["convert", "coco", str(data), "--to", "mots_png", "-o", str(out), "--workers", "1"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 3 and not out.exists()
    assert "objects: 3 to be written, 2 in the output, the report names none" in result.output
    result = CliRunner().invoke(app, [*command, "--allow-unaccounted"])
    assert result.exit_code == 3 and out.exists()


def test_numbers_of_shards_add_up(tmp_path: Path) -> None:
    one, other = Tally(), Tally()
    one.count("objects", "a", 2, 2, 0)
    other.count("objects", "b", 3, 1, 0)
    one.give("x.json $rows 1", "object", 2)
    other.give("x.json $rows 1", "object", 1)
    one.add(other)
    one.wrote("x.json $rows 1", 3)
    (found,) = imbalances(one, {})
    assert (found.table, found.handed, found.standing, found.named, found.item) == ("objects", 5, 3, 0, "b")
    assert not imbalances(one, {"objects": 2})


def test_lossless_passes_over_what_the_user_accepts(tmp_path: Path) -> None:
    data = coco(tmp_path / "in", [outlined(1, 1, 5, 5)])
    result = fs.convert(data, to="yolo", out=tmp_path / "yolo", workers=1)
    assert result.losses
    accepted = [*result.losses[:-1], result.losses[-1].rpartition(":")[0]]
    fs.convert(data, to="yolo", out=tmp_path / "again", lossless=True, allow_loss=accepted, workers=1)
    with pytest.raises(RefusedError):
        fs.convert(data, to="yolo", out=tmp_path / "no", lossless=True, allow_loss=accepted[1:], workers=1)


def test_a_row_with_an_unknown_field_comes_back_with_it(tmp_path: Path) -> None:
    rows = [
        {
            "image": name,
            "annotations": [{"label": "cat", "coordinates": {"x": 5, "y": 6, "width": 4, "height": 2, **more}}],
        }
        for name, more in (("a.png", {"z": 1}), ("b.png", {}))
    ]
    images = {f"train/{name}": image_bytes(40, 30, "png") for name in ("a.png", "b.png")}
    data = put(tmp_path / "in", {**images, "train/_annotations.createml.json": json.dumps(rows)})
    for where in (None, "true"):
        out = tmp_path / str(where)
        fs.convert(data, to="createml", out=out, lossless=True, where=where)
        assert json.loads((out / "train/_annotations.createml.json").read_text()) == rows
