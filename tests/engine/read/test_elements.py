"""Objects that are elements of XML are read at once, and any others as without the generated readers."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from files_on_disk import put

import formatspec as fs
from formatspec.engine.read.elements import fast_elements
from formatspec.engine.read.elements.fast_elements import FastElements
from formatspec.engine.read.item_state import DeviatesError
from formatspec.files import xml_file
from formatspec.files.rows.xml_skeletons import NUMBER, Skeleton, cutter, pattern_of, plain_text, skeleton_of
from formatspec.model.amounts import with_amounts
from formatspec.run.conversion.plan import RefusedError

SIZE = (64, 48)
OBJECT = """  <object>
    <name>cat</name>
    <difficult>0</difficult>
    <bndbox>
      <xmin>3</xmin>
      <ymin>4</ymin>
      <xmax>20.5</xmax>
      <ymax>30</ymax>
    </bndbox>
  </object>
"""
OTHER = OBJECT.replace("<xmin>3", "<xmin>7")
FILE = f"""<annotation>
  <folder>VOC2012</folder>
  <filename>b.jpg</filename>
  <size>
    <width>64</width>
    <height>48</height>
    <depth>3</depth>
  </size>
{OBJECT}{OTHER}</annotation>
"""
FILES = {
    "plain": FILE,
    "a declaration": f'<?xml version="1.0" encoding="utf-8"?>\n{FILE}',
    "another encoding": f'<?xml version="1.0" encoding="latin-1"?>\n{FILE.replace("cat", "chât")}',
    "a letter that is not ASCII": FILE.replace("cat", "chât"),
    "a mark at the beginning": "\ufeff" + FILE,
    "carriage returns": FILE.replace("\n", "\r\n"),
    "no blanks": "".join(line.strip() for line in FILE.splitlines()),
    "tabs": FILE.replace("  ", "\t"),
    "no objects": FILE.replace(OBJECT, "").replace(OTHER, ""),
    "a comment among objects": FILE.replace(OTHER, f"<!-- another -->\n{OTHER}"),
    "a comment around an object": FILE.replace(OTHER, f"<!--{OTHER}-->"),
    "a comment around all objects": FILE.replace(OBJECT, f"<!--{OBJECT}").replace(OTHER, f"{OTHER}-->"),
    "objects as text": FILE.replace(OBJECT, f"<![CDATA[{OBJECT}").replace(OTHER, f"{OTHER}]]>"),
    "an instruction": FILE.replace(OTHER, f"<?here?>{OTHER}"),
    "a document type": f"<!DOCTYPE annotation>\n{FILE}",
    "a reference": FILE.replace("cat", "c&#97;t"),
    "an unknown reference": FILE.replace("cat", "&cat;"),
    "blanks around a name": FILE.replace("cat", " cat "),
    "blanks around a number": FILE.replace("<xmin>3", "<xmin> 3 "),
    "a line break in a name": FILE.replace("cat", "c\nat"),
    "an empty name": FILE.replace("cat", ""),
    "an empty number": FILE.replace("<xmin>3<", "<xmin><"),
    "an empty flag": FILE.replace("<difficult>0</difficult>", "<difficult/>"),
    "another flag": FILE.replace("<difficult>0", "<difficult>2"),
    "a flag of one": FILE.replace("<difficult>0", "<difficult>1", 1),
    "no flag": FILE.replace("<difficult>0</difficult>", "", 1),
    "a word as number": FILE.replace("<xmin>3", "<xmin>three"),
    "an exponent": FILE.replace("<xmin>3", "<xmin>3e0"),
    "a decimal comma": FILE.replace("20.5", "20,5"),
    "no number": FILE.replace("<xmin>3", "<xmin>nan"),
    "a long number": FILE.replace("20.5", "20.50000000000000000000000001"),
    "a negative number": FILE.replace("<xmin>3", "<xmin>-3"),
    "zeros before a number": FILE.replace("<xmin>3", "<xmin>003"),
    "a side is missing": FILE.replace("      <xmin>3</xmin>\n", ""),
    "no box": FILE.replace("bndbox", "box"),
    "a box twice": FILE.replace(OTHER, OBJECT),
    "two boxes in an object": FILE.replace("</bndbox>", "</bndbox><bndbox/>", 1),
    "a box of no size": FILE.replace("<xmax>20.5", "<xmax>2"),
    "a box of negative size": FILE.replace("<xmax>20.5", "<xmax>1"),
    "a box that sticks out": FILE.replace("20.5", "90.5"),
    "a box that sticks out a little": FILE.replace("20.5", "64.5"),
    "a box that sticks out by rounding": FILE.replace("20.5", "64.01"),
    "no size": FILE.replace(FILE[FILE.index("  <size>") : FILE.index("  <object>")], ""),
    "an unknown field": FILE.replace("<difficult>", "<score>1</score><difficult>", 1),
    "an empty field": FILE.replace("<difficult>", "<score/><difficult>", 1),
    "an attribute": FILE.replace("<object>", '<object id="1">', 1),
    "a field of the item": FILE.replace("<folder>", "<owner>me</owner><folder>"),
    "an empty field of the item": FILE.replace("VOC2012", ""),
    "text between objects": FILE.replace(OTHER, f"and\n{OTHER}"),
    "objects apart": FILE.replace(OTHER, f"<segmented>0</segmented>{OTHER}"),
    "an object in another": FILE.replace("<difficult>", "<object/><difficult>", 1),
    "an object elsewhere": FILE.replace("<size>", "<source><object>1</object></source><size>"),
    "an object with a part": FILE.replace("</bndbox>", "</bndbox><part><name>head</name><bndbox><xmin>4</xmin>"
                                          "<ymin>5</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>", 1),
    "attributes": FILE.replace("</bndbox>", "</bndbox><attributes><attribute><name>colour</name><value>red</value>"
                               "</attribute></attributes>"),
    "an attribute twice": FILE.replace("</bndbox>", "</bndbox><attributes><attribute><name>difficult</name>"
                                       "<value>true</value></attribute></attributes>"),
    "cut short": FILE[: len(FILE) // 2],
    "no end tag": FILE.replace("</annotation>", ""),
    "an end tag that is wrong": FILE.replace("</object>", "</objekt>", 1),
    "something behind the root": FILE + "<more/>",
    "another root": FILE.replace("annotation>", "annotations>"),
    "a namespace": FILE.replace("<annotation>", '<annotation xmlns="urn:x">'),
    "a prefix": FILE.replace("object>", "x:object>"),
    "a character that XML forbids": FILE.replace("cat", "c\x01at"),
    "a character that is none": FILE.replace("cat", "c\uffffat"),
    "a quotation mark": FILE.replace("cat", 'c"a\'t'),
    "an angle": FILE.replace("cat", "c>t"),
    "nothing": "",
}  # fmt: skip


def voc(folder: Path, text: str) -> Path:
    """Three items, of which the second is told by a text."""
    files: dict[str, Any] = {f"JPEGImages/{name}.jpg": None for name in "abc"}
    files |= {f"Annotations/{name}.xml": FILE.replace("b.jpg", f"{name}.jpg").encode() for name in "ac"}
    encoding = "latin-1" if "latin-1" in text else "utf-8"
    return put(folder, {**files, "Annotations/b.xml": text.encode(encoding)}, SIZE)


BOX = """    <box label="cat" source="manual" occluded="0" xtl="3.00" ytl="4.00" xbr="20.50" ybr="30" z_order="0">
    </box>
"""
SHAPES = f"""  <image id="{{id}}" name="{{name}}.jpg" width="64" height="48">
{BOX}{BOX.replace('"3.00"', '"7.00"')}  </image>
"""
ROW = SHAPES.format(id=1, name="b")
ROWS = {
    "plain": ROW,
    "single tags": ROW.replace(">\n    </box>", "/>"),
    "no objects": ROW.replace(BOX, "").replace(BOX.replace('"3.00"', '"7.00"'), ""),
    "attributes in another order": ROW.replace('label="cat" source="manual"', 'source="manual" label="cat"', 1),
    "other quotation marks": ROW.replace('"manual"', "'manual'"),
    "blanks in a tag": ROW.replace("<box ", "<box  ", 1),
    "a line break in a tag": ROW.replace("<box ", "<box\n", 1),
    "an attribute twice": ROW.replace("<box ", '<box occluded="0" ', 1),
    "an unknown label": ROW.replace('"cat"', '"emu"', 1),
    "an empty label": ROW.replace('"cat"', '""', 1),
    "an empty kept field": ROW.replace('"manual"', '""', 1),
    "another kept field": ROW.replace('source="manual"', 'source="manual" by="me"', 1),
    "a box that sticks out": ROW.replace("20.50", "90.50"),
    "a turned box": ROW.replace("<box ", '<box rotation="30" ', 1),
    "attributes": ROW.replace("\n    </box>", '<attribute name="colour">red</attribute></box>'),
    "an attribute of another name": ROW.replace("\n    </box>", '<attribute name="occluded">1</attribute></box>', 1),
    "an attribute without a text": ROW.replace("\n    </box>", '<attribute name="colour"></attribute></box>'),
    "a group": ROW.replace("<box ", '<box group_id="4" ', 1),
    "a tag of the image": ROW.replace(BOX, f'<tag label="cat" source="manual"></tag>{BOX}'),
    "a polygon": ROW.replace(BOX, f'{BOX}<polygon label="cat" points="3,4;20,4;20,30"/>'),
    "a polygon of two points": ROW.replace(BOX, f'{BOX}<polygon label="cat" points="3,4;20,4"/>'),
    "points": ROW.replace(BOX, f'{BOX}<points label="cat" points="3,4;20,4"/>'),
    "an ellipse": ROW.replace(BOX, f'{BOX}<ellipse label="cat" cx="20" cy="20" rx="8" ry="4"/>'),
    "a mask": ROW.replace(BOX, f'{BOX}<mask label="cat" rle="1,2,1" left="3" top="4" width="2" height="2"/>'),
    "an unknown shape": ROW.replace(BOX, f'{BOX}<star label="cat"/>'),
    "text among the shapes": ROW.replace(BOX, f"{BOX}here"),
    "text in a shape": ROW.replace("\n    </box>", "here</box>", 1),
    "a comment": ROW.replace(BOX, f"<!-- a box -->{BOX}"),
    "no width": ROW.replace('width="64" ', ""),
    "another name": ROW.replace("b.jpg", "z.jpg"),
    "the image twice": ROW + ROW,
    "not closed": ROW.replace("</box>", "", 1),
}


def cvat(folder: Path, row: str) -> Path:
    """Three items, of which the second is told by a row."""
    labels = "<labels><label><name>cat</name></label></labels>"
    others = [SHAPES.format(id=place, name=name) for place, name in ((0, "a"), (2, "c"))]
    text = f"<annotations><version>1.1</version><meta><task>{labels}</task></meta>\n{others[0]}{row}{others[1]}"
    files: dict[str, Any] = {f"images/{name}.jpg": None for name in "abc"}
    return put(folder, {**files, "annotations.xml": f"{text}</annotations>\n".encode()}, SIZE)


Make = Callable[[Path, str], Path]
KINDS = [("voc", voc, name, text) for name, text in FILES.items()]
KINDS += [("cvat_images", cvat, name, text) for name, text in ROWS.items()]


def outcome(spec: str, data: Path, out: Path) -> Any:
    """What validation says, what a dataset becomes in another format, and what the report says of it."""
    told = fs.validate(data, spec).as_json()
    try:
        made = fs.convert(data, to="coco", out=out, spec=spec, workers=1, media="none", on=["error=drop"]).as_json()
    except RefusedError as refused:
        return told, str(refused)
    files = [path.read_bytes() for path in sorted(out.rglob("*.json")) if not path.name.startswith(".")]
    return told, files, {key: value for key, value in made.items() if key != "out"}


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Counter[Any]:
    """Counts how often the fast reader reads an item, and how often it does not."""
    counts: Counter[Any] = Counter()
    take = FastElements.take

    def counted(self: FastElements, *arguments: Any) -> bool:
        try:
            done = take(self, *arguments)
        except DeviatesError:
            counts["deviates"] += 1
            raise
        counts[done] += 1
        return done

    monkeypatch.setattr(FastElements, "take", counted)
    return counts


@pytest.mark.parametrize(("spec", "make", "kind", "text"), KINDS, ids=[f"{one[0]}-{one[2]}" for one in KINDS])
def test_the_same_with_and_without(spec: str, make: Make, kind: str, text: str, tmp_path: Path) -> None:
    data = make(tmp_path / "data", text)
    with with_amounts(generate_from=1):
        found = outcome(spec, data, tmp_path / "fast")
    with with_amounts(generates=False):
        assert found == outcome(spec, data, tmp_path / "judged"), kind


@pytest.mark.parametrize(("spec", "make", "text"), [("voc", voc, FILE), ("cvat_images", cvat, ROW)])
def test_the_same_whatever_character_is_changed(spec: str, make: Make, text: str, tmp_path: Path) -> None:
    rng = random.Random(spec)
    for number in range(12):
        at = rng.randrange(len(text))
        changed = rng.choice((text[:at] + text[at + 1 :], text[:at] + rng.choice('<>&"/ 0.x\n') + text[at + 1 :]))
        data = make(tmp_path / f"data_{number}", changed)
        with with_amounts(generate_from=1):
            found = outcome(spec, data, tmp_path / f"fast_{number}")
        with with_amounts(generates=False):
            assert found == outcome(spec, data, tmp_path / f"judged_{number}"), (at, changed)


@pytest.mark.parametrize(("spec", "make", "text", "learned"), [
    ("voc", voc, FILE, 1),
    ("cvat_images", cvat, ROW, 1),
    ("cvat_images", cvat, ROWS["a polygon"], 2),
])  # fmt: skip
def test_items_like_those_before_are_read_at_once(
    spec: str, make: Make, text: str, learned: int, tmp_path: Path, taken: Counter[Any]
) -> None:
    data = make(tmp_path / "data", text)
    with with_amounts(generate_from=1):
        fs.convert(data, to="coco", out=tmp_path / "out", spec=spec, workers=1, media="none")
    passes = (taken[True] + taken[False]) // 3
    assert taken == Counter({True: (3 - learned) * passes, False: learned * passes})


def test_the_rest_of_a_document_is_not_parsed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parses: list[bytes] = []
    without_mark = FastElements._without_mark

    def noting(self: FastElements, text: str, parse: Any) -> Any:
        return without_mark(self, text, lambda data: parses.append(data) or parse(data))

    monkeypatch.setattr(FastElements, "_without_mark", noting)
    data = voc(tmp_path / "data", FILE)
    with with_amounts(generate_from=1):
        fs.convert(data, to="yolo_ultralytics", out=tmp_path / "out", spec="voc", workers=1, media="none")
    assert len(parses) <= 2  # once for each purpose


def test_it_ceases_to_try_where_nothing_can_be_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Counter[Any]
) -> None:
    monkeypatch.setattr(fast_elements, "MOST_TRIALS", 1)
    learned: list[bytes] = []
    learn = FastElements._learn
    monkeypatch.setattr(FastElements, "_learn", lambda self, data: learned.append(data) or learn(self, data))
    files: dict[str, Any] = {f"JPEGImages/{name}.jpg": None for name in range(9)}
    part = FILES["an object with a part"]
    files |= {f"Annotations/{name}.xml": part.replace("b.jpg", f"{name}.jpg").encode() for name in range(9)}
    data = put(tmp_path / "data", files, SIZE)
    with with_amounts(generate_from=1):
        fs.validate(data, "voc")
    assert taken == Counter({False: 9})
    assert len(learned) == 3


def pattern(text: str, *groups: str | None) -> tuple[Skeleton, str]:
    """The skeleton of an element that is given as text, and its pattern."""
    root = xml_file.parsed(text.encode())
    assert root is not None
    skeleton = skeleton_of(root, xml_file.PLAIN)
    assert skeleton is not None
    return skeleton, pattern_of(skeleton, groups)


def test_a_pattern_gives_the_texts_that_are_asked_for() -> None:
    _, box = pattern('<box id="1"><name>cat</name><x>3</x><y>4</y></box>', "", None, NUMBER, None)
    cut = cutter(["box"], [box])
    seven = '<box id="7"> <name>dog</name> <x>3.5</x><y>4</y> </box>'
    found = cut(f'<a n="1">{seven}\n<box id="8"><name>a</name><x>1</x><y>x</y></box></a>')
    assert found is not None
    rest, matches = found
    assert rest == '<a n="1"><box/></a>'
    assert [match.groups() for match in matches] == [("7", "3.5"), ("8", "1")]


def test_patterns_of_several_kinds_tell_which_it_was() -> None:
    (one, first), (other, second) = pattern('<b x="1"/>', ""), pattern("<c><x>1</x></c>", "")
    cut = cutter([one.tag, other.tag], [first, second])
    found = cut('<a><c><x>2</x></c><b x="3"></b></a>')
    assert found is not None
    assert found[0] == "<a><c/></a>"
    assert [match.lastindex for match in found[1]] == [4, 2]


@pytest.mark.parametrize("text", [
    '<a><b x="1"/><d/></a>', "<a></a>", '<a><b x=""/></a>', '<a><b x="1" y="2"/></a>', '<a><b x="&lt;"/></a>',
    "<a><b x='1'/></a>", '<a><b x="1">2</b></a>', '<a><bb x="1"/></a>', '<a><b x="\t"/></a>',
])  # fmt: skip
def test_what_is_not_alike_is_not_cut_out(text: str) -> None:
    _, one = pattern('<b x="1"/>', "")
    assert cutter(["b"], [one])(text) is None


@pytest.mark.parametrize("text", ["<a>1<b/></a>", "<a><b/>1</a>", '<a xmlns:x="urn:x"><x:b/></a>', "<a>1\n2</a>"])
def test_what_has_no_skeleton(text: str) -> None:
    root = xml_file.parsed(text.encode())
    assert root is not None
    assert skeleton_of(root, xml_file.PLAIN) is None


def test_only_plain_texts_are_looked_at() -> None:
    assert plain_text(b'<?xml version="1.0" encoding="UTF-8"?>\n<a/>') is not None
    assert plain_text(b"<a/>") is not None
    for data in (b'<?xml version="1.0" encoding="latin-1"?><a/>', b"\xef\xbb\xbf<a/>", b"<a>\xff</a>", b" <a/>"):
        assert plain_text(data) is None


def test_what_parses_xml_is_imported_for_xml_alone() -> None:
    code = "import sys, formatspec.api, formatspec.engine.dataset.dataset; sys.exit('lxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
