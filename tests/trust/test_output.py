"""What stands where an output goes is replaced only if it was written as one, and only by a whole one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pytest

import formatspec as fs
from formatspec.paths.trees.store import MANIFEST
from formatspec.run.output import partial as partial_module
from formatspec.run.output.partial import partial, refuse_folder
from formatspec.run.output.staging import OutputError, Overwrite

KILLS = int(os.environ.get("FORMATSPEC_KILLS", "4"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("output") / "data"
    fs.sample("labelme", folder, items=60, seed=3)
    return folder


def convert(data: Path, out: Path | str, overwrite: Overwrite = False) -> None:
    fs.convert(data, spec="labelme", to="coco", out=out, workers=1, overwrite=overwrite)


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_an_output_lists_its_files(data: Path, tmp_path: Path) -> None:
    convert(data, tmp_path / "out")
    listed = json.loads((tmp_path / "out" / MANIFEST).read_text(encoding="utf-8"))
    files = tree(tmp_path / "out")
    assert listed["files"] == {name: len(content) for name, content in files.items() if name != MANIFEST}
    report = fs.validate(tmp_path / "out", "coco", workers=1)
    assert not [finding for finding in report.findings if MANIFEST in (finding.file or "")]
    convert(data, tmp_path / "out", overwrite=True)
    assert tree(tmp_path / "out") == files


def test_what_no_conversion_wrote_stays(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert(data, out)
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    before = tree(out)
    with pytest.raises(OutputError, match=r"'notes.txt'.*--force"):
        convert(data, out, overwrite=True)
    assert tree(out) == before
    convert(data, out, overwrite="force")
    assert "notes.txt" not in tree(out)
    (out / MANIFEST).unlink()
    with pytest.raises(OutputError, match="--force"):
        convert(data, out, overwrite=True)
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"no folder.*--force"):
        convert(data, file, overwrite=True)
    assert file.read_text(encoding="utf-8") == "mine"
    (tmp_path / "empty").mkdir()
    convert(data, tmp_path / "empty", overwrite=True)


def test_it_is_asked_again_before_the_rename(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with partial(out, False, None) as staging:
        staging.write("a", b"1")
    with pytest.raises(OutputError, match="--force"), partial(out, True, None) as staging:
        staging.write("a", b"2")
        (out / "late.txt").write_text("mine", encoding="utf-8")
    assert tree(out)["a"] == b"1"
    assert tree(out)["late.txt"] == b"mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_kill_between_the_two_renames_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    with partial(out, False, None) as staging:
        staging.write("a", b"1")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom formatspec.run.output.partial import partial\n"
        "rename = Path.rename\n"
        "def then_die(self, target):\n"
        "    rename(self, target)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Path.rename = then_die\n"
        f"with partial(Path({str(out)!r}), True, None) as staging:\n    staging.write('a', b'2')\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert not out.exists()
    with pytest.raises(OutputError, match="exists"), partial(out, False, None):
        pass
    assert tree(out)["a"] == b"1"
    with partial(out, True, None) as staging:
        staging.write("a", b"3")
    assert tree(out)["a"] == b"3"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert partial_module.LOCK


@pytest.mark.parametrize("what", ["an invalid item", "losses", "nothing selected", "files of others"])
def test_behind_a_store_the_old_output_goes_last(what: str, data: Path, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    url = f"memory://trust/{what.replace(' ', '-')}"
    convert(data, url)
    if what == "files of others":
        memory.pipe_file(f"{url}/notes.txt", b"mine")
    before = {name: memory.cat_file(name) for name in memory.find(url)}
    bad = Path(shutil.copytree(data, tmp_path / "bad"))
    sorted(bad.rglob("*.json"))[-1].write_text("{broken", encoding="utf-8")
    source = bad if what == "an invalid item" else data
    options: dict[str, object] = {
        "losses": {"to": "voc", "lossless": True}, "nothing selected": {"where": "false"},
    }.get(what, {})  # type: ignore[assignment]  # fmt: skip
    with pytest.raises((fs.RefusedError, OutputError)):
        fs.convert(source, **{"to": "coco", **options}, out=url, spec="labelme", workers=1, overwrite=True)  # type: ignore[arg-type]
    assert {name: memory.cat_file(name) for name in memory.find(url)} == before


def test_links(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="leads nowhere"):
            refuse_folder(link, overwrite)


def test_killed_at_any_moment_the_output_is_whole_or_absent(data: Path, tmp_path: Path) -> None:
    """FORMATSPEC_KILLS says how often; most kills come after the first byte was written."""
    command = [sys.executable, "-m", "formatspec.cli.main", "convert", "labelme", str(data), "--to", "coco", "-o"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    whole = tree(tmp_path / "whole")
    chance = random.Random(5)
    after = 0
    for kill in range(KILLS):
        out = tmp_path / f"out{kill}"
        staged = tmp_path / f".{out.name}.partial" / "files"
        running = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kill % 5:  # wait for the first byte
            while running.poll() is None and not out.exists() and not (staged.is_dir() and any(staged.iterdir())):
                time.sleep(0.002)
            time.sleep(chance.random() * 0.3)
        else:
            time.sleep(chance.random())
        wrote = out.exists() or staged.is_dir()
        running.send_signal(signal.SIGKILL)
        running.wait()
        after += wrote
        if out.exists():
            assert tree(out) == whole
        else:
            subprocess.run([*command, str(out)], check=True, capture_output=True)
        assert tree(out) == whole
        shutil.rmtree(out)
        shutil.rmtree(staged.parent, ignore_errors=True)
    print(f"{KILLS} kills, {after} of them after the first byte")
    assert after >= KILLS * 0.7


def test_a_file_that_cannot_be_written_whole_is_trouble_of_the_system(tmp_path: Path) -> None:
    fs.sample("coco", tmp_path / "data", items=3, seed=0)
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))\n"
        "from formatspec.cli.main import main; main()\n"
    )
    given = ["convert", "coco", str(tmp_path / "data"), "--to", "coco", "-o", str(tmp_path / "out"), "--workers", "1"]
    ran = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=False)
    assert ran.returncode == 2, ran.stderr
    assert "cannot be written: File too large" in ran.stderr.splitlines()[-1]
    assert "Traceback" not in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
