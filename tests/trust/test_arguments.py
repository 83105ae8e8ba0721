"""Wrong arguments: a sentence and exit status 2 each, and nothing written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image

import formatspec as fs
from formatspec.cli.arguments import label_map, refuse_report
from formatspec.cli.console import Talk
from formatspec.cli.main import main
from formatspec.language.errors import SpecError
from formatspec.model.limits import Limits, set_limits

LONG = "x" * 300
CONVERT = ("convert", "labelme", "data", "--to", "coco", "-o", "out")
WRONG: list[tuple[tuple[str, ...], str]] = [
    (("validate", ""), "empty"),
    (("validate", "labelme", ""), "empty"),
    (("validate", "nowhere/at/all"), "no folder"),
    (("validate", "labelme", "nowhere"), "no data"),
    (("validate", "lableme", "data"), "labelme"),
    (("validate", "labelme", "file.txt"), "neither a folder nor a zip"),
    (("validate", "file.txt"), "point at the folder of its dataset: ."),
    (("validate", "broken.zip"), "neither"),
    (("validate", "broken.yaml", "data"), "broken.yaml:2"),
    (("validate", "nowhere.yaml", "data"), "no file"),
    (("validate", "labelme", "data", "more"), "SPEC and DATA"),
    (("validate", "labelme", "data", "--wrong"), "--wrong"),
    (("validate", "labelme", "data", "--workers", "0"), "--workers"),
    (("validate", "labelme", "data", "--workers", "x"), "--workers"),
    (("validate", "labelme", "data", "--engine", "spark"), "--engine"),
    (("validate", "labelme", "data", "--address", "a:1"), "--engine ray"),
    (("validate", "labelme", "data", "-O", "novalue"), "name=value"),
    (("validate", "labelme", "data", "-O", "nosuch=1"), "nosuch"),
    (("validate", "labelme", "data", "--limit", "size"), "name=number"),
    (("validate", "labelme", "data", "--limit", "size=many"), "whole number"),
    (("validate", "labelme", "data", "--limit", "size=0"), "above 0"),
    (("validate", "labelme", "data", "--limit", "depth=1"), "size, side"),
    (("validate", "labelme", LONG), "name too long"),
    (("convert", "labelme", "data"), "--to"),
    (("convert", "labelme", "data", "--to", "cocoo", "-o", "out"), "coco"),
    (("convert", "labelme", "data", "--to", "", "-o", "out"), "--to"),
    (("convert", "labelme", "data", "--to", "coco", "-o", ""), "-o"),
    (("convert", "labelme", "data", "--to", "coco", "-o", LONG), "name too long"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "data"), "-o"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "data/inner"), "-o"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "there"), "--overwrite"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "there", "--overwrite"), "--force"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "file.txt", "--overwrite"), "--force"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "dangling"), "leads nowhere"),
    (("convert", "labelme", "data", "--to", "coco", "-o", "file.txt/out"), "file.txt/out"),
    ((*CONVERT, "--media", "move"), "--media"),
    ((*CONVERT, "--where", "1 +"), "column"),
    ((*CONVERT, "--where", "nosuch == 1"), "nosuch"),
    ((*CONVERT, "--where", "("), "column"),
    ((*CONVERT, "--labels", "nowhere.yaml"), "--labels"),
    ((*CONVERT, "--labels", "file.txt"), "--labels"),
    ((*CONVERT, "--labels", "data"), "--labels"),
    ((*CONVERT, "--subsets", "train"), "name=value"),
    ((*CONVERT, "--report", "."), "folder"),
    ((*CONVERT, "--report", "nowhere/report.json"), "no folder"),
    ((*CONVERT, "--report", LONG), "name too long"),
    ((*CONVERT, "-O", "nosuch=1"), "nosuch"),
    (("dump", ""), "empty"),
    (("dump", "labelme", "nowhere"), "no data"),
    (("detect", ""), "empty"),
    (("detect", "nowhere"), "no data"),
    (("specs", "list"), "specs show"),
    (("specs", "show", "nosuch"), "nosuch"),
    (("lint", "nosuch"), "nosuch"),
    (("lint", ""), "no spec"),
    (("lint", "broken.yaml"), "broken.yaml:2"),
    (("sample", "nosuch", "out"), "nosuch"),
    (("sample", "coco", "there"), "exists"),
    (("sample", "coco", LONG), "name too long"),
    (("sample", "coco", "out", "--items", "0"), "--items"),
    (("nosuch",), "nosuch"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("arguments")
    fs.sample("labelme", folder / "data", items=2, seed=1)
    (folder / "file.txt").write_text("just text", encoding="utf-8")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    (folder / "broken.yaml").write_text("[", encoding="utf-8")
    (folder / "there").mkdir()
    Image.new("RGB", (2, 2)).save(folder / "there" / "mine.png")
    (folder / "dangling").symlink_to(folder / "nowhere")
    return folder


def test_there_are_forty() -> None:
    assert len({arguments for arguments, _ in WRONG}) == len(WRONG) >= 40


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=[" ".join(given)[:60] for given, _ in WRONG])
def test_wrong_arguments(
    arguments: tuple[str, ...], said: str, made: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    before = sorted(path.relative_to(made) for path in made.rglob("*"))
    monkeypatch.chdir(made)
    monkeypatch.setattr(sys, "argv", ["formatspec", *arguments])
    monkeypatch.setattr(Talk, "quiet", False)
    with pytest.raises(SystemExit) as ended:
        main()
    set_limits(Limits())
    shown = capsys.readouterr()
    assert ended.value.code == 2, shown
    assert said.lower() in shown.err.lower()
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert len(shown.err.strip().splitlines()) == 1
    assert sorted(path.relative_to(made) for path in made.rglob("*")) == before


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-"])
def test_a_stream_that_the_caller_closed(closed: str, made: Path) -> None:
    command = f'"{sys.executable}" -c "from formatspec.cli.main import main; main()" validate labelme data {closed}'
    ran = subprocess.run(command, shell=True, cwd=made, capture_output=True, text=True, check=False)
    assert ran.returncode in (0, 1), ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_report_is_not_written_over_the_data(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "data"
    shutil.copytree(made / "data", copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(typer.Exit) as ended:
        refuse_report(next(iter(sorted(copy.glob("*.json")))), str(copy))
    assert ended.value.exit_code == 2
    refuse_report(copy / "new.json", str(copy))
    refuse_report(tmp_path / "report.json", str(copy))
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("labels", "refused"),
    [
        ("NAMEx: other", True),
        ("nosuch: other\nNAMEx: null", True),
        ("NAME: other\nNAMEx: other", False),
        ("nosuch: other\n'*': null\nNAME: other", False),
        ("nosuch: {name: other, id: 7}", False),
        ("{}", False),
    ],
)
def test_a_map_of_labels_that_names_nothing_of_the_data(labels: str, refused: bool, made: Path, tmp_path: Path) -> None:
    items = fs.open(made / "data", "labelme")
    name = next(thing.category.name for item in items for thing in item.objects if thing.category)
    file = tmp_path / "labels.yaml"
    file.write_text(labels.replace("NAME", name), encoding="utf-8")
    out = tmp_path / "out"
    for target in ("coco", "voc"):
        given = label_map(file)
        if refused:
            with pytest.raises(SpecError, match=f"the dataset has no category '{name}x'.*did you mean"):
                fs.convert(
                    made / "data", to=target, spec="labelme", out=out, labels=given, workers=1, skip_invalid=True
                )
            assert not out.exists()
        else:
            fs.convert(
                made / "data", to=target, spec="labelme", out=out, labels=given, workers=1, overwrite=True,
                skip_invalid=True,
            )  # fmt: skip
