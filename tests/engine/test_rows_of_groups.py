"""Rows of a list that stand for several items, such as all frames of a sequence: each is written once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from small_specs import keeps_the_laws, small_spec

import formatspec as fs
from formatspec.run.pools import shards
from formatspec.testing.memory import image_bytes

FILES = """
  image: "frames/{sequence}/{frame:03d}.{ext:image}"
  list: {path: "lists/{subset}.txt", need: optional, lines: {each: items, lines: "{sequence}"}}
"""
ORDER = {"train": ["zebra", "bear", "goat"], "val": ["ant", "cow"]}


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Path]:
    """Frames of five sequences, and two lists that name the sequences in an order of their own."""
    lists = {f"lists/{subset}.txt": "".join(f"{name}\n" for name in names) for subset, names in ORDER.items()}
    folder, spec = small_spec(tmp_path, "lists", FILES, lists, "items: [image, list]\n")
    for name in (name for names in ORDER.values() for name in names):
        (folder / "frames" / name).mkdir(parents=True)
        for frame in range(5):
            (folder / f"frames/{name}/{frame:03d}.png").write_bytes(image_bytes(6, 4, "png"))
    return folder, spec


def in_shards_of(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each shard hold so many items, so that a sequence may reach over several."""
    monkeypatch.setattr(shards, "SMALLEST", size)
    monkeypatch.setattr(shards, "LARGEST", size)


def written(folder: Path) -> dict[str, list[str]]:
    """The lines of each list in a folder."""
    return {file.stem: file.read_text().split() for file in sorted((folder / "lists").iterdir())}


def test_every_frame_of_a_sequence_is_of_the_subset_whose_list_names_the_sequence(data: tuple[Path, Path]) -> None:
    items = list(fs.open(*data))
    assert len(items) == 25
    assert {(item.sequence, item.subsets) for item in items} == {
        (name, (subset,)) for subset, names in ORDER.items() for name in names
    }


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_copy_has_the_lines_of_its_source(
    size: int, data: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_shards_of(size, monkeypatch)
    folder, spec = data
    fs.convert(folder, spec=spec, to=spec, out=tmp_path / "out", workers=1)
    for subset in ORDER:
        assert (tmp_path / f"out/lists/{subset}.txt").read_bytes() == (folder / f"lists/{subset}.txt").read_bytes()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_new_lists_name_each_sequence_once_in_the_order_of_the_items(
    size: int, data: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_shards_of(size, monkeypatch)
    items = list(fs.open(*data))
    result = fs.write(items, tmp_path / "out", to=data[1])
    assert written(tmp_path / "out") == {subset: sorted(names) for subset, names in ORDER.items()}
    assert not result.losses


def test_the_laws_hold(data: tuple[Path, Path]) -> None:
    keeps_the_laws(data[1])


def test_frames_of_one_sequence_in_two_subsets_are_a_line_of_the_report(
    data: tuple[Path, Path], tmp_path: Path
) -> None:
    items = [item for item in fs.open(*data) if item.sequence == "zebra"]
    moved = [msgspec.structs.replace(item, subsets=("val",)) if item.frame == 0 else item for item in items]
    result = fs.write(moved, tmp_path / "out", to=data[1])
    assert written(tmp_path / "out") == {"train": ["zebra"], "val": ["zebra"]}
    assert [line for line in result.losses if "since a list names all items" in line] == [
        "subsets of single items, since a list names all items of a sequence or group at once: 5 items"
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_sequence_in_two_lists_is_no_loss_if_all_its_frames_are(
    size: int, data: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_shards_of(size, monkeypatch)
    folder, spec = data
    (folder / "lists/val.txt").write_text((folder / "lists/val.txt").read_text() + "zebra\n")
    result = fs.convert(folder, spec=spec, to=spec, out=tmp_path / "out", workers=1)
    assert not [line for line in result.losses if "since a list names all items" in line]
    assert (tmp_path / "out/lists/val.txt").read_bytes() == (folder / "lists/val.txt").read_bytes()


def test_two_frames_of_one_sequence_in_two_subsets_are_told_apart(data: tuple[Path, Path], tmp_path: Path) -> None:
    """As many frames are in each list, but not the same ones."""
    items = [item for item in fs.open(*data) if item.sequence == "zebra"][:2]
    moved = [msgspec.structs.replace(item, subsets=(to,)) for item, to in zip(items, ("train", "val"), strict=True)]
    result = fs.write(moved, tmp_path / "out", to=data[1])
    assert any("since a list names all items" in line and line.endswith(": 2 items") for line in result.losses)
