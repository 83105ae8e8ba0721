"""Every format's own data is taken for it; every other format says why it is not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
from formatspec.engine.dataset.dataset.detect import Match, best, detect
from reference_data import REFERENCE

import formatspec as fs
from formatspec.api import detect_format
from formatspec.cli.main import main
from formatspec.engine.index.build_index import sampled
from formatspec.language.errors import SpecError
from formatspec.language.load import Source, _load, available, load_outline, load_source
from formatspec.paths.open_tree import open_tree
from formatspec.paths.tree import FolderTree
from formatspec.testing.memory import image_bytes


@lru_cache(maxsize=1)
def sources() -> dict[str, Source]:
    return {name: load_source(name) for name in available()}


def detected(folder: Path) -> list[Match]:
    return detect(sources(), open_tree(folder))


def is_first(name: str, matches: list[Match]) -> None:
    """`name` is the best match alone; whatever has its score is a spec that it extends."""
    assert [match.name for match in best(matches)] == [name], [(m.name, m.score) for m in matches[:3]]
    assert matches[0].name == name and not matches[0].reason
    ties = [m.name for m in matches[1:] if not m.reason and m.score == matches[0].score]
    assert set(ties) <= set(matches[0].ancestors)


@pytest.mark.parametrize("name", sorted(available()))
def test_a_sample_is_its_own_format(name: str, tmp_path: Path) -> None:
    for seed in (0, 1):
        fs.sample(name, tmp_path / str(seed), items=4, seed=seed)
        matches = detected(tmp_path / str(seed))
        is_first(name, matches)
        assert {match.name for match in matches} == set(available())
        assert all(match.reason or match.score for match in matches)


@pytest.mark.parametrize("name", sorted(available()))
def test_an_example_is_its_own_format(name: str) -> None:
    source = sources()[name]
    assert source.spec.examples
    for example in source.spec.examples:
        is_first(name, detected(source.file.parent / example))


@pytest.mark.parametrize(("paths", "name"), [
    (("train/cat/a.jpg", "test/dog/b.jpg"), "imagenet_subsets"),
    (("cat/a.jpg", "dog/b.jpg"), "imagenet"),
    (("bottle/train/good/000.png", "bottle/test/good/000.png", "bottle/test/crack/000.png"), "mvtec"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_folders_of_images_alone(paths: tuple[str, ...], name: str, tmp_path: Path) -> None:
    """Where nothing but folders tells, the format that wants nothing else is taken: a table of faces or of boxes, or
    masks of defects, would be there too."""
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(image_bytes(20, 10, path.rpartition(".")[2]))
    is_first(name, detected(tmp_path))


@pytest.mark.parametrize(("folder", "name"), REFERENCE.items())
def test_reference_data(folder: str, name: str, reference: Callable[[str], Path]) -> None:
    is_first(name, detected(reference(folder)))


def test_no_reference_dataset_is_forgotten(reference: Callable[[str], Path]) -> None:
    toys = {f"toy/{folder.name}" for folder in reference("toy").iterdir() if folder.is_dir()}
    known = {"/".join(folder.split("/")[:2]) for folder in REFERENCE}
    assert toys <= known


@pytest.mark.parametrize("kind", ["coco", "voc", "yolo_ultralytics"])
@pytest.mark.parametrize("empty", [False, True])
def test_every_rejected_format_has_a_reason(
    kind: str, empty: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    fs.sample(kind, data, items=2, seed=3)
    if empty:
        data = tmp_path / "empty"
        data.mkdir()
        (data / "notes.md").write_text("nothing")
    monkeypatch.setattr(sys, "argv", ["formatspec", "detect", str(data), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    said = json.loads(capsys.readouterr().out)
    assert said["formats"] == ([] if empty else [kind])
    assert end.value.code == (1 if empty else 0)
    assert said["rejected"].keys() == available().keys() - set(said["formats"])
    assert all(reason.strip() for reason in said["rejected"].values())


def test_what_another_fits_better_is_said_so(tmp_path: Path) -> None:
    fs.sample("coco", tmp_path / "data", items=2)
    matches = detect_format(open_tree(tmp_path / "data"))
    assert [match.name for match in best(matches)] == ["coco"]
    assert all(len(match.reason) > 10 for match in matches if match.reason)


def test_formats_of_other_names_are_rejected_by_their_paths(tmp_path: Path) -> None:
    """Detection costs what it looks at: the rules of a spec are parsed when a file has the path of one of its roles."""
    fs.sample("ade20k2020", tmp_path / "data", items=1)
    _load.cache_clear()
    detect_format(open_tree(tmp_path / "data"))
    looked_at = [
        name for name, file in available().items() if any("rules" in vars(one) for one in load_outline(file).layouts)
    ]
    assert "ade20k2020" in looked_at and len(looked_at) < len(available()) / 3


def test_a_spec_whose_rules_are_wrong_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before its paths fit, and not after."""
    wrong = (
        "formatspec: 1\nname: wrong\nfiles:\n  image: '{name}.{ext:image}'\n  record:\n    path: '{path}'\n    json: "
    )
    for name, path, rule in (
        ("far", "far/{name}.json", "{each: nobody}"),
        ("near", "{name:path}.json", "{each: nobody}"),
    ):
        (tmp_path / "specs").mkdir(exist_ok=True)
        text = wrong.replace("wrong", name).replace("{path}", path) + rule
        (tmp_path / f"specs/{name}.yaml").write_text(text)
    fs.sample("labelme", tmp_path / "data", items=2)
    monkeypatch.setenv("FORMATSPEC_PATH", str(tmp_path / "specs"))
    found = {match.name: match for match in detect_format(open_tree(tmp_path / "data"))}
    assert best(list(found.values()))[0].name == "labelme"
    assert found["far"].reason.startswith("no file is") and "there is no table 'nobody'" in found["near"].reason
    with pytest.raises(SpecError, match="nobody"):
        load_source("far")


def test_a_large_json_file_is_known_by_the_first_of_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fs.sample("coco", tmp_path / "coco", items=4, seed=0)
    fs.sample("supervisely", tmp_path / "keyed", items=4, seed=0)
    whole = [detected(tmp_path / name) for name in ("coco", "keyed")]
    monkeypatch.setattr("formatspec.engine.dataset.detect.LARGE", 0)
    monkeypatch.setattr("formatspec.engine.dataset.detect.FIRST", 1)
    assert [detected(tmp_path / name)[0] for name in ("coco", "keyed")] == [matches[0] for matches in whole]
    decoded: list[str] = []
    read = FolderTree.read
    monkeypatch.setattr(FolderTree, "read", lambda tree, path: decoded.append(path) or read(tree, path))
    detected(tmp_path / "coco")
    assert not [path for path in decoded if path.endswith(".json")]


def test_a_lone_list_among_many_files_is_looked_at() -> None:
    paths = [*(f"a/{number:05d}.png" for number in range(9000)), "b/names.txt", "c/d/e/f/g.json"]
    found = sampled(paths)
    assert len(found) < 5000
    assert {"a/00000.png", "b/names.txt", "c/d/e/f/g.json"} <= set(found)
    assert list(found) == sorted(found)
    assert sampled(paths[:10]) == paths[:10]
