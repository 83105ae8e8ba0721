"""CSV that many items share is read in pieces: items, findings and bytes are as when it is held whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.index import build_index, row_source
from formatspec.engine.index.row_source import CellRows
from formatspec.files import csv_file
from formatspec.files.rows import csv_rows
from formatspec.run.conversion.plan import RefusedError

EXAMPLES = Path(__file__).parents[3] / "specs" / "examples"
CATALOGUE = ["open_images", "via_csv", "retinanet_csv", "roboflow_multilabel", "kaggle_wheat"]
"""Formats whose CSV tells of many items: with and without a header, with cells of JSON, with columns for rows."""

CHANGES: dict[str, Callable[[str], str | bytes]] = {
    "as it is": lambda text: text,
    "a mark at the beginning": lambda text: text.encode("utf-8-sig"),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "no last newline": lambda text: text.rstrip("\n"),
    "cut in the middle": lambda text: text[: len(text) // 2],
    "an open quote": lambda text: text[:-2] + '"' + text[-2:],
    "no UTF-8": lambda text: text.encode() + b"\xe9,\xe9\n",
    "a row that is too long": lambda text: text.rstrip("\n") + ",1,2,3,4\n",
    "a row that is too short": lambda text: text.rstrip("\n").rpartition(",")[0] + "\n",
    "every row twice": lambda text: text + "".join(text.splitlines(keepends=True)[1:]),
    "no numbers": lambda text: text.replace("0.", "o."),
    "no rows": lambda text: text.partition("\n")[0] + "\n",
    "nothing": lambda text: "",
}
SOME = ("as it is", "carriage returns", "cut in the middle", "every row twice")
CASES = [(spec, kind) for spec in CATALOGUE for kind in (CHANGES if spec == CATALOGUE[0] else SOME)]


def outcome(data: Path, spec: str, out: Path) -> Any:
    """What validation says, what the dataset becomes in two formats, and what the reports say of it."""
    told: list[Any] = []
    try:
        told.append(fs.validate(data, spec, workers=1).as_json())
    except (RefusedError, ValueError, OSError) as refused:
        told.append(str(refused))
    for target in (spec, "coco"):
        place = out / target
        try:
            made = fs.convert(data, to=target, out=place, spec=spec, workers=1, media="none", skip_invalid=True)
        except (RefusedError, ValueError, OSError) as refused:
            told.append(str(refused).replace(str(out), ""))
            continue
        told.append({key: value for key, value in made.as_json().items() if key not in ("out", "seconds")})
        files = [path for path in sorted(place.rglob("*")) if path.is_file() and path.name != ".formatspec.json"]
        told += [(path.relative_to(out).as_posix(), path.read_bytes()) for path in files]
    return told


def whole(patch: pytest.MonkeyPatch) -> None:
    """Let documents be held whole."""
    patch.setattr(build_index, "_seek", lambda *_: False)


@pytest.mark.parametrize(("spec", "kind"), CASES)
def test_the_same_with_and_without(spec: str, kind: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(EXAMPLES / spec, data)
    for path in sorted(data.rglob("*.csv")):
        changed = CHANGES[kind](path.read_bytes().decode())
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    found = outcome(data, spec, tmp_path / "pieces")
    with pytest.MonkeyPatch.context() as patch:
        whole(patch)
        assert found == outcome(data, spec, tmp_path / "whole")


@pytest.mark.parametrize("span", [1, 300, 1 << 18])
def test_many_rows_are_not_held(span: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"images/{n % 40}.jpg,{n},2,{n + 3},9,{'ab'[n % 2]}\n" for n in range(30))
    quoted = "".join(f'"images/{n}.jpg",1,2,3,4,"a"\n' for n in range(30, 40))
    files = {"annotations.csv": rows + quoted, "classes.csv": "a,0\nb,1\n"}
    data = put(tmp_path / "data", {**files, **{f"images/{n}.jpg": None for n in range(40)}}, (64, 48))
    monkeypatch.setattr(CellRows, "span", span)
    monkeypatch.setattr(row_source, "AHEAD_SPAN", span)
    monkeypatch.setattr(csv_rows.Cells.scan, "__defaults__", (span,))
    met: list[Any] = []
    decode = csv_file.decode
    monkeypatch.setattr(csv_file, "decode", lambda *given: met.append(decode(*given)) or met[-1])
    found = outcome(data, "retinanet_csv", tmp_path / "pieces")
    assert not any(len(rows) > 2 for rows in met)
    with pytest.MonkeyPatch.context() as patch:
        whole(patch)
        assert found == outcome(data, "retinanet_csv", tmp_path / "whole")
