"""Mistakes that people make in specs and in data, kept as data: each is made, said, repaired, and put on a page.

`python tests/messages/mistakes.py` writes docs/spec_mistakes.md and docs/data_mistakes.md.  The mistakes stand in
`spec_mistakes*.yaml` and `data_mistakes*.yaml`, as lists under the kinds `drawn`, `new users` and `others`:

    - title: a codec is misspelled
      of: voc                                  # a spec of the catalogue (for data: its example), or a file of `bases/`
      edits: [{old: "| sides", new: "| side"}]   # for data with `file`; see `edited`
      repair: the message names the codec      # how the message leads to the repair

`repairs.yaml` holds the repair of each, as it was made from the message alone:

    - {of: voc, title: a codec is misspelled, looks: 1, made: [{old: "| side", new: "| sides"}]}

Where no repair follows from a message, the entry has `fails: it names no line` in place of `made`.
"""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import imageio.v3 as iio
import numpy as np
import yaml

import formatspec as fs
from formatspec.engine.dataset.lint import compile_whole, notes
from formatspec.findings.finding import Finding
from formatspec.findings.render import lines
from formatspec.language.errors import SpecError
from formatspec.language.load import bundled, load_source, place_at
from formatspec.run.errors import CannotRunError
from formatspec.testing import laws
from formatspec.testing.carry import LawBrokenError
from formatspec.testing.damage import files_of
from formatspec.testing.data_trial import try_on

HERE = Path(__file__).resolve().parent
DOCS = Path(fs.__file__).resolve().parent.parent / "docs"
KINDS = ("drawn", "new users", "others")
PAGES = {"spec": "spec_mistakes.md", "data": "data_mistakes.md"}
MARK = "<!-- rendered by `make docs`; change the mistake in tests/messages, or the code, not this page -->"
RUNS = 3
"""Generated datasets on which the laws are tried; `formatspec lint` takes 20."""

Files = dict[str, bytes]


class Mistake(NamedTuple):
    """One mistake: of what, how it is made, how its message leads to a repair, and the repair that was made.

    looks: how many messages were read until nothing was left to say.  fails: why no repair follows, else "".
    """

    title: str
    kind: str
    of: str
    edits: list[dict[str, Any]]
    repair: str
    made: list[dict[str, Any]]
    looks: int
    fails: str


def mistakes(about: str) -> list[Mistake]:
    """The mistakes in specs (`spec`) or in data (`data`), in the order of their kinds."""
    found = []
    for file in sorted(HERE.glob(f"{about}_mistakes*.yaml")):
        for kind, entries in yaml.safe_load(file.read_text("utf-8")).items():
            found += [(kind, one) for one in entries]
    found.sort(key=lambda one: KINDS.index(one[0]))
    repairs = yaml.safe_load((HERE / "repairs.yaml").read_text("utf-8"))[about]
    return [_mistake(kind, one, made) for (kind, one), made in zip(found, repairs, strict=True)]


def _mistake(kind: str, one: Mapping[str, Any], made: Mapping[str, Any]) -> Mistake:
    if (made["of"], made["title"]) != (one["of"], one["title"]):
        raise AssertionError(f"repairs.yaml has the repair of {made['title']!r} where that of {one['title']!r} stands")
    known = one["title"], kind, one["of"], one["edits"], one.get("repair", "")
    return Mistake(*known, made.get("made", []), made["looks"], made.get("fails", ""))


# making them


def edited(files: Mapping[str, bytes], edits: Sequence[Mapping[str, Any]], file: str = "") -> Files:
    """Files with edits made in them, in order.

    An edit has a `file`, and is one of: `old` and `new`, of which `new` takes the place of the `nth` (from 0) `old`;
    `gone: true`; `named: PATH`; `copied: PATH`; `text: ALL THAT STANDS THERE`; `cut: BYTES` that are left;
    `pixel: [ROW, COLUMN, VALUE]`; `size: [WIDTH, HEIGHT]`, to which the image is cut or filled; `bytes: LATIN-1`.
    """
    made = dict(files)
    for edit in edits:
        path = str(edit.get("file", file))
        if "old" in edit:
            made[path] = _replaced(made[path], str(edit["old"]), str(edit["new"]), int(edit.get("nth", 0)), path)
        elif "text" in edit:
            made[path] = str(edit["text"]).encode()
        elif "bytes" in edit:
            made[path] = str(edit["bytes"]).encode("latin-1")
        elif "cut" in edit:
            made[path] = made[path][: int(edit["cut"])]
        elif "pixel" in edit or "size" in edit:
            made[path] = _repainted(made[path], path, edit)
        else:
            data = made[path] if "copied" in edit else made.pop(path)
            if "gone" not in edit:
                made[str(edit.get("named") or edit["copied"])] = data
    return made


def _replaced(data: bytes, old: str, new: str, nth: int, path: str) -> bytes:
    parts = data.decode().split(old)
    if len(parts) < nth + 2:
        raise AssertionError(
            f"{path} has changed: {old!r} does not stand there {nth + 1} times; choose another mistake"
        )
    return (old.join(parts[: nth + 1]) + new + old.join(parts[nth + 1 :])).encode()


def _repainted(data: bytes, path: str, edit: Mapping[str, Any]) -> bytes:
    from formatspec.pixels import containers

    if not path.endswith(".png"):
        pixels = np.zeros((edit["size"][1], edit["size"][0], 3), np.uint8)
        return bytes(iio.imwrite("<bytes>", pixels, extension=Path(path).suffix))
    image = containers.decode(data)
    pixels = image.pixels.copy()
    if "pixel" in edit:
        row, column, value = edit["pixel"]
        pixels[row, column] = value
    else:
        width, height = edit["size"]
        pixels = np.resize(pixels, (height, width, *pixels.shape[2:]))
    return containers.encode(pixels, image.mode, image.palette)


# what is said of them


def base_of_spec(name: str) -> Files:
    """The spec that a mistake is made in, under the name `my.yaml` where it is not one of the catalogue's."""
    own = HERE / "bases" / f"{name}.yaml"
    return (
        {"my.yaml": own.read_bytes()} if own.is_file() else {f"{name}.yaml": (bundled() / f"{name}.yaml").read_bytes()}
    )


def base_of_data(name: str) -> Files:
    """The dataset that a mistake is made in: an example of the catalogue, or a folder of `bases/`."""
    own = HERE / "bases" / name
    return dict(files_of(own if own.is_dir() else bundled() / "examples" / name))


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder, so that messages name files as they lie there."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def said_of_spec(files: Mapping[str, bytes]) -> str:
    """What `lint` says of a spec: of its words, its laws and its first example; nothing where it is good."""
    ((name, data),) = files.items()
    with tempfile.TemporaryDirectory() as folder, inside(Path(folder)):
        Path(name).write_bytes(data)
        for beside in bundled().glob("*.csv"):
            shutil.copy(beside, beside.name)
        for example in {one.decode() for one in re.findall(rb"examples/\w+", data)}:
            if (bundled() / example).is_dir():
                shutil.copytree(bundled() / example, example)
        try:
            source = load_source(name)
            compile_whole(source)
        except SpecError as error:
            return str(error)
        said = [f"note {note}" for note in notes(source)]
        try:
            laws.check_leaves(source)
            for position, example in enumerate(source.spec.examples):
                laws.hold_on(source, source.beside(example, place_at(source.layouts[0].node, "examples", position)))
            for run in range(RUNS):
                laws.hold(source, random.Random(run))
        except (LawBrokenError, SpecError) as error:
            return "\n".join((*said, str(error)))
        for example in source.spec.examples[:1]:
            found = try_on(name, example)
            told = [one for one in found.findings if one.level != "info"]
            said += [line.replace(example, "data") for line in (*lines(told), *map(str, found.differences[:5]))]
        return "\n".join(said)


_WHOLE: dict[str, list[str]] = {}


def said_anew_of_spec(files: Mapping[str, bytes], of: str) -> str:
    """What `lint` says of a spec beyond what it says of the one that it was made of."""
    if of not in _WHOLE:
        _WHOLE[of] = said_of_spec(base_of_spec(of)).split("\n")
    said = said_of_spec(files)
    return "" if said.split("\n") == _WHOLE[of] else said


def said_of_data(files: Mapping[str, bytes], spec: str | None) -> list[Finding] | str:
    """The findings of `validate --deep`, information left out; or why it refuses."""
    with tempfile.TemporaryDirectory() as folder, inside(Path(folder)):
        for path, data in files.items():
            file = Path("data", path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        Path("data").mkdir(exist_ok=True)
        own = HERE / "bases" / f"{spec}.yaml"
        if spec is not None and own.is_file():
            shutil.copy(own, "my.yaml")
            spec = "my.yaml"
        try:
            report = fs.validate("data", spec, deep=True, workers=1)
        except (CannotRunError, SpecError) as error:
            return str(error)
        return [one for one in report.findings if one.level != "info"]


def spec_of(name: str) -> str:
    """The spec of an example of the catalogue: the longest name that the example's begins with."""
    if (HERE / "bases" / f"{name}.yaml").is_file():
        return name
    specs = [file.stem for file in bundled().glob("*.yaml") if name == file.stem or name.startswith(file.stem + "_")]
    return max(specs, key=len)


_BEFORE: dict[str, set[str]] = {}


def said_anew(files: Mapping[str, bytes], of: str) -> str:
    """What `validate` says of data beyond what it says of the dataset that they were made of."""
    spec = spec_of(of)
    if of not in _BEFORE:
        whole = said_of_data(base_of_data(of), spec)
        assert not isinstance(whole, str), whole
        _BEFORE[of] = {_mark(one) for one in whole}
    said = said_of_data(files, spec)
    return said if isinstance(said, str) else "\n".join(lines(one for one in said if _mark(one) not in _BEFORE[of]))


def _mark(finding: Finding) -> str:
    return f"{finding.code} {finding.file} {finding.message}"


_SAID: dict[tuple[str, str, str], str] = {}


def message(about: str, one: Mistake) -> str:
    """What is printed of a mistake."""
    key = about, one.of, str(one.edits)
    if key not in _SAID:
        _SAID[key] = _said(about, one.of, one.edits)
    return _SAID[key]


def after_repair(about: str, one: Mistake) -> str:
    """What is printed once the repair is made."""
    return _said(about, one.of, [*one.edits, *one.made])


def is_undone(about: str, one: Mistake) -> bool:
    """Whether the repair brings back what stood there before the mistake, byte by byte."""
    base = base_of_spec(one.of) if about == "spec" else base_of_data(one.of)
    file = next(iter(base)) if about == "spec" else ""
    return edited(base, [*one.edits, *one.made], file) == base


def _said(about: str, of: str, edits: Sequence[Mapping[str, Any]]) -> str:
    if about == "spec":
        files = base_of_spec(of)
        return said_anew_of_spec(edited(files, edits, next(iter(files))), of)
    return said_anew(edited(base_of_data(of), edits), of)


# the pages

_HEADS = {
    "spec": "# Mistakes in specs, and what `formatspec lint` says",
    "data": "# Mistakes in data, and what `formatspec validate --deep` says",
}
_ABOUT = {
    "drawn": "Drawn at random over the catalogue",
    "new users": "Slips of people who are new to it",
    "others": "Other mistakes",
}


def page(about: str) -> str:
    """The page of the mistakes in specs, or of those in data."""
    found = mistakes(about)
    out = io.StringIO()
    first, second = (sum(not one.fails and one.looks == looks for one in found) for looks in (1, 2))
    out.write(f"{_HEADS[about]}\n\n{MARK}\n\n")
    where = "a spec of the catalogue" if about == "spec" else "an example of the catalogue"
    out.write(
        f"{len(found)} mistakes, each made in {where} or in a small one of somebody's own, with the message as it is "
        f"printed and the repair that follows from it: where no other is shown, the lines marked with `+` become those "
        f"marked with `-` again. Each was repaired from its message alone: {first} at once, and {second} after the "
        f"message that followed the first repair. {len(found) - first - second} could not be repaired so. "
        "The tests make each mistake and each repair.\n"
    )
    for kind in KINDS:
        out.write(f"\n## {_ABOUT[kind]}\n")
        for one in (each for each in found if each.kind == kind):
            out.write(_entry(about, one))
    return out.getvalue()


def _entry(about: str, one: Mistake) -> str:
    text = [f"\n### {one.title[0].upper()}{one.title[1:]} (`{one.of}`)\n", "```diff"]
    for edit in one.edits:
        text += _diff(edit)
    text += ["```\n", "```text", message(about, one) or "(nothing)", "```\n"]
    second = " The message after the first repair led to it." if one.looks > 1 else ""
    text.append(f"No repair follows: {one.fails}." if one.fails else f"Repair: {one.repair}.{second}")
    if not one.fails and not is_undone(about, one):
        text += ["\n```diff", *(line for edit in one.made for line in _diff(edit)), "```"]
    return "\n".join(text) + "\n"


def _diff(edit: Mapping[str, Any]) -> Iterator[str]:
    name = f"{edit['file']}: " if "file" in edit else ""
    if "old" in edit:
        yield from (f"- {name}{line}" for line in str(edit["old"]).strip("\n").split("\n"))
        yield from (f"+ {name}{line}" for line in str(edit["new"]).strip("\n").split("\n"))
    else:
        what = {key: value for key, value in edit.items() if key != "file"}
        ((word, value),) = what.items()
        words = {
            "gone": "is not there",
            "named": f"has the name {value}",
            "copied": f"stands once more, as {value}",
            "cut": f"ends after {value} bytes",
            "pixel": f"has a pixel of the value {value[-1] if isinstance(value, list) else value}",
            "size": f"is {value[0]} x {value[1]} pixels large" if isinstance(value, list) else "",
            "text": "is empty" if value == "" else f"is {_short(value)}",
            "bytes": f"is {value!r}",
        }
        yield f"! {name}{words[word]}"


def _short(value: Any) -> str:
    """A text of a file as Python writes it; of a long one, its beginning and its end."""
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:100]} … {text[-200:]}"


if __name__ == "__main__":
    for each in sys.argv[1:] or PAGES:
        (DOCS / PAGES[each]).write_text(page(each), "utf-8", newline="\n")
