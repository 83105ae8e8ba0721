"""The comparison of two checkouts names what was planted, and nothing where both are alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from formatspec.testing.damage import SMALL

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "compare"

PROJECT = '[project]\nname = "stub"\n[project.scripts]\nformatspec = "formatspec.entry:main"\n'
STUB = '''
"""A tiny program with the commands that are compared; it copies, and says what it did."""
import os
import shutil
import sys
from pathlib import Path

def main():
    words = sys.argv[1:]
    command = words[0]
    if command == "sample":
        folder = Path(words[2])
        folder.mkdir(parents=True)
        (folder / "rows.json").write_text('{"rows": [{"id": 1, "w": 20}, {"id": 2, "w": 30}]}')
        (folder / "names.txt").write_text("cat\\ndog\\n")
    elif command == "convert" and "-o" in words:
        out = Path(words[words.index("-o") + 1])
        shutil.copytree(words[2], out)
        (out / "target.txt").write_text("written for\\n" + words[words.index("--to") + 1] + "\\n")
        print(f"{os.getcwd()}: converted")
    elif command == "validate":
        print("checked " + " ".join(words[1:]))
        sys.exit(1 if any("broken" in word for word in words) else 0)
'''


def checkout(folder: Path, program: str = STUB) -> Path:
    """A checkout of a tiny program with two specs."""
    (folder / "formatspec").mkdir(parents=True)
    (folder / "specs").mkdir()
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "formatspec" / "__init__.py").write_text("")
    (folder / "formatspec" / "entry.py").write_text(program)
    for name in ("apples", "pears"):
        (folder / "specs" / f"{name}.yaml").write_text(f"formatspec: 1\nname: {name}\n")
    return folder


def compared(*words: str | Path) -> tuple[int, str, str]:
    """The exit status of a comparison and what it printed."""
    command = [sys.executable, str(TOOL), *map(str, words), "--seeds", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_two_checkouts_that_do_the_same_give_one_line_with_a_count(tmp_path: Path) -> None:
    a, b = checkout(tmp_path / "a"), checkout(tmp_path / "b")
    status, out, err = compared(a, b)
    assert (status, err) == (0, "")
    assert out.startswith("no difference: ")
    assert out.count("\n") == 1
    assert "4 whole and 10 broken datasets of 2 specs" in out


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"written for\\n"',
            '"written for\\n" * (1 + ("apples/seed0" in words[2] and "voc" in words))',
            ("apples: convert seed0 to voc", "dataset/target.txt, line 2", "voc", "written for"),
        ),
        ('"cat\\ndog\\n"', '"cat\\ncow\\n"', None),
        (
            '"checked "',
            '("checked, " if "pears" in words and "--json" in words else "checked ")',
            (
                "pears: validate many --deep --json",
                "stdout, line 1",
                "checked pears ../data/pears/many --deep --json",
                "checked, pears ../data/pears/many --deep --json",
            ),
        ),
        (
            '"broken" in word',
            '"broken" in word or "--deep" in words',
            ("apples: validate many --deep --json", "exit code", "0", "1"),
        ),
    ],
    ids=["bytes", "generator", "words", "exit code"],
)
def test_a_planted_change_is_named(tmp_path: Path, old: str, new: str, told: tuple[str, ...] | None) -> None:
    old, new = (text.replace("\n", "\\n") for text in (old, new))
    assert old in STUB
    a, b = checkout(tmp_path / "a"), checkout(tmp_path / "b", STUB.replace(old, new))
    status, out, err = compared(a, b)
    assert err == ""
    if told is None:  # BASE alone makes the datasets, so another generator is no difference
        assert (status, out.startswith("no difference")) == (0, True)
        return
    assert status == 1
    job, place, left, right = told
    lines = out.splitlines()
    at = lines.index(job)
    assert lines[at + 1] == f"  {place}"
    assert lines[at + 2].split(maxsplit=1) == [str(a), left]
    assert lines[at + 3].split(maxsplit=1) == [str(b), right]


def test_a_file_that_one_side_alone_writes_is_named(tmp_path: Path) -> None:
    more = STUB.replace('print(f"{os', '(out / "more.txt").write_text("")\n        print(f"{os')
    a, b = checkout(tmp_path / "a"), checkout(tmp_path / "b", more)
    status, out, _ = compared(a, b, "--only", "pears")
    assert status == 1
    assert f"pears: convert seed0 to coco\n  dataset/more.txt: only {b} wrote it\n" in out
    assert "apples" not in out


def test_a_side_that_breaks_off_is_no_equality(tmp_path: Path) -> None:
    a, b = checkout(tmp_path / "a"), checkout(tmp_path / "b", "import no_such_module_at_all\n")
    status, out, err = compared(a, b)
    assert (status, out) == (2, "")
    assert f"{b} broke off" in err
    assert "no_such_module_at_all" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [(("no-such-commit",), "neither a folder nor a commit"), (("A", "--only", "plums"), "there is no spec 'plums'")],
)
def test_what_cannot_be_compared_is_said(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    a = checkout(tmp_path / "a")
    status, _, err = compared(*(a if word == "A" else word for word in words))
    assert status == 2
    assert said in err


def test_damage_of_every_kind_changes_one_dataset_and_the_same_way_each_time() -> None:
    files = {
        "rows.json": b'{"rows": [{"id": 1, "w": 20}, {"id": 2, "w": 30}]}',
        "names.txt": b"cat\ndog 7\n",
        "others.txt": b"1 0.5 0.5\n",
    }
    for kind, damage in SMALL.items():
        once, again = damage(files, Random(5)), damage(files, Random(5))
        assert once is not None, kind
        assert once == again != files, kind
