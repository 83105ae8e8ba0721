"""Lists whose paths begin as their tool was told, and a file of settings whose keys stand in any order."""

from __future__ import annotations

from pathlib import Path

import pytest

import formatspec as fs
from formatspec.api import detect_format
from formatspec.language.errors import SpecError
from formatspec.paths.trees.open_tree import open_tree
from formatspec.testing.memory import image_bytes

SETTINGS = {
    "spaced": "classes = 2\ntrain = data/train.txt\nvalid = data/test.txt\nnames = data/obj.names\nbackup = backup/\n",
    "compact": "classes=2\ntrain=data/train.txt\nnames=data/obj.names\n",
    "another order": "names  =  obj.names\n# the lists\n\ntrain = train.txt\nclasses = 2\nresults = results/\n",
}
PREFIXES = ("data/", "", "./data/", "/home/someone/darknet/data/", "C:/darknet/data/")


def made(folder: Path, images: str, settings: str, prefix: str, names: tuple[str, ...] = ("a", "b")) -> Path:
    """A dataset of images in one folder, with a list that names them behind a prefix."""
    (folder / images).mkdir(parents=True)
    for name in names:
        (folder / images / f"{name}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
        (folder / images / f"{name}.txt").write_text("1 0.5 0.5 0.5 0.4\n")
    (folder / "obj.names").write_text("cat\ndog\n")
    (folder / "obj.data").write_text(settings)
    (folder / "train.txt").write_text("".join(f"{prefix}{images}/{name}.jpg\n" for name in names))
    return folder


@pytest.mark.parametrize("images", ["obj", "obj_train_data"])
@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_dataset_is_told_and_read(images: str, settings: str, prefix: str, tmp_path: Path) -> None:
    data = made(tmp_path / "data", images, SETTINGS[settings], prefix)
    result = fs.validate(data)
    assert not result.findings
    assert detect_format(open_tree(data)).names == ("yolo",)
    items = list(fs.open(data))
    assert [(one.image.path, one.subsets) for one in items] == [
        (f"{images}/a.jpg", ("train",)), (f"{images}/b.jpg", ("train",)),
    ]  # fmt: skip
    assert [[thing.category.name for thing in one.objects] for one in items] == [["dog"], ["dog"]]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_paths_come_back_as_they_were(prefix: str, tmp_path: Path) -> None:
    data = made(tmp_path / "data", "obj", SETTINGS["another order"], prefix)
    fs.convert(data, to="yolo", out=tmp_path / "out")
    assert (tmp_path / "out/train.txt").read_text() == (data / "train.txt").read_text()
    assert "results = results/" in (tmp_path / "out/obj.data").read_text()


def test_new_lists_have_the_stated_prefix(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / f"data/{name}.jpg").write_bytes(image_bytes(20, 10, "jpg"))
        (tmp_path / f"data/{name}.txt").write_text("0 0.5 0.5 0.5 0.4\n")
    (tmp_path / "data/classes.txt").write_text("cat\n")
    fs.convert(tmp_path / "data", spec="labelimg_yolo", to="yolo", out=tmp_path / "out")
    lines = (tmp_path / "out/train.txt").read_text().splitlines()
    assert lines == ["data/obj_train_data/a.jpg", "data/obj_train_data/b.jpg"]


def test_a_checkout_with_other_folders_beside_is_read_by_name(tmp_path: Path) -> None:
    made(tmp_path / "darknet/data", "obj", SETTINGS["spaced"], "data/")
    (tmp_path / "darknet/cfg").mkdir()
    (tmp_path / "darknet/cfg/mine.cfg").write_text("[net]\n")
    assert fs.validate(tmp_path / "darknet", "yolo").items == 2


def test_text_is_kept_in_lines_only(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "formatspec: 1\nname: s\nfiles:\n  image: '{name}.{ext:image}'\n  note:\n    path: notes.json\n"
        "    json: [{each: items, file: '{keep}{name}.{ext}'}]\n"
    )
    with pytest.raises(SpecError, match="keep"):
        fs.sample(tmp_path / "s.yaml", tmp_path / "data", items=1)


def test_a_list_that_names_no_file_is_told_the_path_at_which_the_file_would_be(tmp_path: Path) -> None:
    lists = tmp_path / "data/wider_face_split"
    lists.mkdir(parents=True)
    for subset in ("train", "test"):
        (tmp_path / f"data/WIDER_{subset}/images/0--Parade").mkdir(parents=True)
    (tmp_path / "data/WIDER_train/images/0--Parade/0_a.jpg").write_bytes(image_bytes(20, 10, "jpg"))
    (lists / "wider_face_train_bbx_gt.txt").write_text("0--Parade/0_a.jpg\n1\n1 2 5 5 0 0 0 0 0 0 \n")
    (lists / "wider_face_test_filelist.txt").write_text("0--Parade/0_b.jpg\n")
    [finding] = [one for one in fs.validate(tmp_path / "data", "wider_face").findings if one.level == "error"]
    assert finding.code == "LIST_UNKNOWN"
    assert finding.message == "the list names WIDER_test/images/0--Parade/0_b.jpg, and there is no such file"
