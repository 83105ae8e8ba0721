"""XML that many items share is read and written in pieces: items, findings and bytes are as when it is held whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.dataset import document_shape
from formatspec.engine.export.join_shards import _held
from formatspec.engine.index import build_index, row_source
from formatspec.engine.index.row_source import ElementRows
from formatspec.engine.spec.compiled import compile_format
from formatspec.files import xml_file
from formatspec.files.rows import xml_rows
from formatspec.model.amounts import amounts, with_amounts
from formatspec.paths.trees.open_tree import open_tree
from formatspec.run.conversion.plan import RefusedError

EXAMPLES = Path(__file__).parents[3] / "specs" / "examples"
CATALOGUE = ["cvat_images", "cvat_video", "ua_detrac"]
"""The formats whose XML tells of many items."""

ENTITIES = (
    '<!DOCTYPE annotations [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>\n<annotations>'
)
Change = Callable[[str], str | bytes]
CHANGES: dict[str, Change] = {
    "as it is": lambda text: text,
    "a mark at the beginning": lambda text: text.encode("utf-8-sig"),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "no last newline": lambda text: text.rstrip("\n"),
    "cut in the middle": lambda text: text[: len(text) // 2],
    "cut behind the rows": lambda text: text[: text.rindex("</")],
    "an open tag": lambda text: text.replace("</image>", "", 1).replace("</track>", "", 1),
    "wrong nesting": lambda text: text.replace("</box>\n  </image>", "</image>\n  </box>", 1),
    "an id twice": lambda text: text.replace('id="1"', 'id="0"'),
    "a name twice": lambda text: text.replace("filename001", "filename000"),
    "an unknown image": lambda text: text.replace('name="filename000', 'name="nobody'),
    "no name": lambda text: text.replace('name="filename000.jpg"', ""),
    "no number": lambda text: text.replace('xtl="10.00"', 'xtl="ten"'),
    "unknown categories": lambda text: text.replace('label="car"', 'label="cat"'),
    "unknown attributes": lambda text: text.replace("<box ", '<box n="a > b" ').replace("<image ", '<image n="1" '),
    "unknown elements": lambda text: text.replace("</image>", "<more>1</more></image>"),
    "elements between rows": lambda text: text.replace("<image ", "<more>1</more><image "),
    "text between rows": lambda text: text.replace("<image ", "more<image "),
    "text in rows": lambda text: text.replace("</image>", "more</image>"),
    "empty rows": lambda text: text.replace("<image ", "<image/><image "),
    "comments": lambda text: text.replace("<image ", "<!-- <image> --><image "),
    "instructions": lambda text: text.replace("<image ", "<?image x?><image "),
    "marked text": lambda text: text.replace(">a</attribute>", "><![CDATA[</image>&]]></attribute>"),
    "references": lambda text: text.replace(">a</attribute>", ">&amp;&#10;&lt;</attribute>"),
    "an unknown entity": lambda text: text.replace(">a</attribute>", ">&who;</attribute>"),
    "a namespace": lambda text: text.replace("<annotations>", '<annotations xmlns="urn:x">'),
    "a prefix without a namespace": lambda text: text.replace("<box ", '<box x:y="1" ', 1),
    "a type declaration": lambda text: text.replace("<annotations>", ENTITIES).replace(">a</a", ">&c;</a"),
    "latin-1": lambda text: text.replace("utf-8", "latin-1").replace(">a</a", ">é</a").encode("latin-1"),
    "utf-16": lambda text: text.replace("utf-8", "utf-16").encode("utf-16"),
    "no UTF-8": lambda text: text.encode().replace(b">a</a", b">\xe9</a"),
    "another root": lambda text: text.replace("<annotations>", "<all>").replace("</annotations>", "</all>"),
    "no rows": lambda text: text[: text.find("<image ")] + "</annotations>" if "<image " in text else text,
    "nothing": lambda text: "",
}  # fmt: skip

ALL = ("as it is", "carriage returns", "no last newline", "cut in the middle", "an unknown entity", "latin-1")
"""The changes that are tried with each format; the first one has rows that are sought."""
CASES = [(spec, kind) for spec in CATALOGUE for kind in (CHANGES if spec == CATALOGUE[0] else ALL)]


def documents(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.xml"))


def outcome(data: Path, spec: str, out: Path) -> Any:
    """What validation says, what the dataset becomes in two formats, and what the reports say of it."""
    told: list[Any] = []
    try:
        told.append(fs.validate(data, spec, workers=1).as_json())
    except (RefusedError, ValueError, OSError) as refused:
        told.append(str(refused))
    for target in (spec, "coco"):
        place = out / Path(target).stem
        try:
            made = fs.convert(
                data, to=target, out=place, spec=spec, workers=1, media="none", skip_invalid=True
            ).as_json()
        except (RefusedError, ValueError, OSError) as refused:
            told.append(str(refused).replace(str(out), ""))
            continue
        told.append({key: value for key, value in made.items() if key not in ("out", "seconds")})
        told += [(path.relative_to(out).as_posix(), path.read_bytes()) for path in sorted(place.rglob("*.*ml"))]
        told += [(path.relative_to(out).as_posix(), path.read_bytes()) for path in sorted(place.rglob("*.json"))]
    return told


def whole(patch: pytest.MonkeyPatch) -> None:
    """Let documents be held whole, in reading and in writing."""
    patch.setattr(build_index, "_seek", lambda *_: False)
    patch.setattr(xml_file, "stream", lambda document, style: iter((xml_file.encode(_held(document), style),)))


def made(folder: Path, spec: str, change: Change) -> Path:
    data = folder / "data"
    shutil.copytree(EXAMPLES / spec, data)
    for path in documents(data):
        changed = change(path.read_bytes().decode())
        path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    return data


@pytest.mark.parametrize(("spec", "kind"), CASES)
def test_the_same_with_and_without(spec: str, kind: str, tmp_path: Path) -> None:
    data = made(tmp_path, spec, CHANGES[kind])
    found = outcome(data, spec, tmp_path / "pieces")
    with pytest.MonkeyPatch.context() as patch:
        whole(patch)
        assert found == outcome(data, spec, tmp_path / "whole")


SIZE = (64, 48)


def images(count: int) -> str:
    """A document of so many images, of which two in three have a box, and every seventh one the name before it."""
    rows = "".join(
        f'  <image id="{n}" name="{n - 1 if n % 7 == 6 else n}.jpg" width="64" height="48">\n'
        + (
            '    <box label="a" occluded="0" xtl="1.00" ytl="2.00" xbr="3.00" ybr="4.00" z_order="0"/>\n'
            if n % 3
            else ""
        )
        + "  </image>\n"
        for n in range(count)
    )
    meta = "<meta><task><labels><label><name>a</name></label></labels></task></meta>"
    return f"<annotations>\n  <version>1.1</version>\n  {meta}\n{rows}</annotations>\n"


@pytest.mark.parametrize("span", [1, 300, 1 << 18])
def test_many_rows(span: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = put(
        tmp_path / "data", {"annotations.xml": images(100), **{f"images/{n}.jpg": None for n in range(90)}}, SIZE
    )
    monkeypatch.setattr(ElementRows, "span", span)
    monkeypatch.setattr(row_source, "AHEAD_SPAN", span)
    monkeypatch.setattr(xml_rows.Elements.scan, "__defaults__", (span,))
    monkeypatch.setattr(xml_file, "TOGETHER", 3)
    found = outcome(data, "cvat_images", tmp_path / "pieces")
    with pytest.MonkeyPatch.context() as patch:
        whole(patch)
        assert found == outcome(data, "cvat_images", tmp_path / "whole")


def test_rows_are_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a document that is read nor one that is written has its rows in memory."""
    data = put(tmp_path / "data", {"annotations.xml": images(20), **{f"images/{n}.jpg": None for n in range(20)}}, SIZE)
    met: list[Any] = []
    decode, encode = xml_file.decode, xml_file.encode
    monkeypatch.setattr(xml_file, "decode", lambda *given: met.append(decode(*given)) or met[-1])
    monkeypatch.setattr(xml_file, "encode", lambda *given: met.append(given[0]) or encode(*given))
    fs.convert(
        data, to="cvat_images", out=tmp_path / "out", spec="cvat_images", workers=1, media="none", skip_invalid=True
    )
    assert (tmp_path / "out" / "annotations.xml").read_bytes().count(b"<image ") > 10
    assert met
    assert all(one["annotations"]["image"] == [] for one in met)


def test_the_beginning_of_a_large_document_tells_its_options(tmp_path: Path) -> None:
    """Tables that lie deeper than directly below the root are seen where a large document is seen in parts."""
    source = fs.load_spec("cvat_images")
    role = compile_format(source, source.layouts[0]).roles["annotations"]
    data = put(tmp_path / "data", {"annotations.xml": images(20)})
    with with_amounts(large_document=10):
        parts = list(document_shape.in_parts(role, "annotations.xml", open_tree(data)))
    assert [len(one["annotations"]["image"]) for one in parts] == [0, 20]
    assert parts[0]["annotations"]["meta"]["task"]["labels"]["label"] == [{"name": "a"}]


def test_a_large_document_is_detected_by_its_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = put(tmp_path / "data", {"annotations.xml": images(100)})
    expected = fs.open(data).form.spec.name
    sizes: list[int] = []
    decode = xml_file.decode
    monkeypatch.setattr(
        xml_file, "decode", lambda found, *more: sizes.append(found.count(b"<image ")) or decode(found, *more)
    )
    with with_amounts(large_document=10):
        assert fs.open(data).form.spec.name == expected == "cvat_images"
    assert max(sizes) <= amounts().first_rows


HOME = """
formatspec: 1
name: my_home
categories: [list]
items: list.img
files:
  image: "{name}.{ext:image}"
  list:
    path: list.xml
    xml:
      set:
        kinds: {kind: [{each: categories by id, "@": {id: id | text, name: name}}]}
        img:
          - each: items by id
            "@": {id: id, name: "{name}.{ext}", width: image.width | text, height: image.height | text}
        obj:
          - each: objects by id
            id: id
            "@": {img: item.id}
            kind: category.id | text
            "note?": attributes.note
            one of:
              - {"x1,y1,x2,y2": bbox | sides}
              - {points: polygon | pairs | joined}
"""
MIXED = """<?xml version="1.0" encoding="utf-8"?>
<set>
  <kinds><kind id="1" name="cat"/><kind id="2" name="dog"/></kinds>
  <img id="i1" name="a.png" width="64" height="48"/>
  <obj img="i1"><id>o1</id><kind>1</kind><note>&lt;obj&gt;</note><x1>1</x1><y1>2</y1><x2>5</x2><y2>6</y2></obj>
  <img id="i2" name="b.png" width="64" height="48"/>
  <obj img="i2"><id>o2</id><kind>2</kind><points>1,1;5,1;5,6</points></obj>
  <obj img="i1"><id>o3</id><kind>1</kind><x1>3</x1><y1>2</y1><x2>9</x2><y2>6</y2></obj>
</set>
"""
FAULTS = {
    "none": ("", ""),
    "an id twice": ("o3", "o1"),
    "an id of no image": ('<obj img="i2">', '<obj img="i9">'),
    "an image twice": ('id="i2"', 'id="i1"'),
    "an unknown category": ("<kind>2</kind>", "<kind>7</kind>"),
    "no id": ("<id>o2</id>", ""),
    "no number": ("<x1>3</x1>", "<x1>x</x1>"),
    "a tag in a namespace": ("<obj img=", '<obj xmlns="urn:x" img='),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_rows_of_several_tables_in_turn(kind: str, tmp_path: Path) -> None:
    text = MIXED.replace(*FAULTS[kind]) if kind != "none" else MIXED
    data = put(tmp_path / "data", {"list.xml": text, "a.png": None, "b.png": None}, SIZE)
    spec = tmp_path / "my_home.yaml"
    spec.write_text(HOME)
    found = outcome(data, str(spec), tmp_path / "pieces")
    with pytest.MonkeyPatch.context() as patch:
        whole(patch)
        assert found == outcome(data, str(spec), tmp_path / "whole")
    assert (kind == "none") is not bool(found[0]["findings"])
