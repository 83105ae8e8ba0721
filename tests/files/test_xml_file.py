from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formatspec.files import xml_file
from formatspec.files.document import FileError
from formatspec.files.serialize.xml_text import UnusualError
from formatspec.files.style import Style
from formatspec.files.xml_file import PLAIN, STYLE, XmlShape, decode, encode, locate, stream, streams

REAL = os.environ.get("FORMATSPEC_DATA")

legal = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"))
texts = st.text(legal) | st.text("<&>'\" \t\r\n]a")
names = st.sampled_from(["a", "b", "c", "d", "é", "x-1", "{urn:x}a"])


@st.composite
def elements(draw: st.DrawFn, shape: XmlShape, depth: int = 3) -> Any:
    """Values as `decode` gives them under a shape."""
    attributes = draw(st.dictionaries(names, texts, max_size=2))
    tags = draw(st.lists(names, unique=True, max_size=3)) if depth else []
    value: dict[str, Any] = {"@": attributes} if attributes else {}
    text = draw(texts)
    if not tags:
        if shape.structural and not text.strip():
            return value
        return {**value, "#": text} if value else text
    if text.strip():
        value["#"] = text.strip()
    for tag in tags:
        if shape.runs_over(tag):
            inner = draw(elements(shape.member(tag), depth - 1))
            content = {"#": inner} if isinstance(inner, str) else inner
            value.setdefault("*", []).append({"<>": tag, **content})
            continue
        child = elements(shape.children.get(tag, PLAIN), depth - 1)
        if tag in shape.lists:
            value[tag] = draw(st.lists(child, min_size=1, max_size=3))
        else:
            value[tag] = draw(child | st.lists(child, min_size=2, max_size=3))
    return value


INNER = XmlShape(lists=frozenset("b"))
SHAPES = [
    PLAIN,
    INNER,
    XmlShape(children={"a": INNER, "b": PLAIN}, lists=frozenset("ac")),
    XmlShape(children={"a": INNER}, runs=True, members={"b": INNER, "*": XmlShape(runs=True)}),
]
styles = st.builds(
    Style,
    indent=st.sampled_from([None, 2, "\t"]),
    declaration=st.booleans(),
    short_empty=st.booleans(),
    final_newline=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from([("utf-8",), ("utf-8-sig",)]),
)


@given(st.data(), st.sampled_from(SHAPES), styles)
def test_decode_inverts_encode(data: st.DataObject, shape: XmlShape, style: Style) -> None:
    document = {"root": data.draw(elements(shape))}
    whole = XmlShape(children={"root": shape})
    again = decode(encode(document, style), style, whole)
    assert again == document
    assert repr(again) == repr(document)


class Once(Sequence[Any]):
    """Rows that can be gone through once."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows, self.given = rows, False

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        raise AssertionError("rows are asked for one after another")

    def __iter__(self) -> Iterator[Any]:
        assert not self.given
        self.given = True
        return iter(self.rows)


pieced = st.builds(
    Style,
    indent=st.sampled_from([None, 0, 2, "\t"]),
    declaration=st.booleans(),
    short_empty=st.booleans(),
    final_newline=st.booleans(),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from([("utf-8",), ("ascii",), ("latin-1",)]),
    ascii=st.booleans(),
)


@settings(max_examples=300)
@given(st.data(), st.sampled_from(SHAPES), pieced, st.integers(1, 3))
def test_pieces_are_what_encode_gives(data: st.DataObject, shape: XmlShape, style: Style, together: int) -> None:
    root = data.draw(elements(shape))
    assert streams(style)
    try:
        whole = encode({"root": root}, style)
    except FileError as error:
        with pytest.raises(FileError, match=re.escape(str(error))):
            list(stream({"root": root}, style))
        return
    rows = (
        {key: Once(part) if isinstance(part, list) else part for key, part in root.items()}
        if type(root) is dict
        else root
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_file, "TOGETHER", together)
        assert b"".join(stream({"root": rows}, style)) == whole


def test_text_is_what_lxml_writes_of_the_same_elements() -> None:
    wrong = st.sampled_from(["\x0b", "\x00", "\ufffe", "a\tb", "\xa0"])
    unusual = st.sampled_from(["a:b", "1", "", "xmlns", "{http://www.w3.org/XML/1998/namespace}lang"])
    values = st.recursive(
        texts | wrong | st.none(),
        lambda inner: st.dictionaries(
            st.sampled_from(["a", "b", "c-1", "#"]) | names | unusual, inner | st.lists(inner, max_size=3), max_size=3
        ),
        max_leaves=8,
    )
    usual = []

    @given(values, st.dictionaries(st.sampled_from(["a", "b.c"]) | unusual, texts | wrong, max_size=2), pieced)
    @settings(max_examples=300)
    def check(value: Any, attributes: dict[str, str], style: Style) -> None:
        document = {"root": {"@": attributes, **value} if isinstance(value, dict) else value}
        written, streamed = outcome(encode, document, style), outcome(stream, document, style)
        usual.append(isinstance(written, bytes))
        with pytest.MonkeyPatch.context() as patch:
            for name in ("element", "elements", "start"):
                patch.setattr(xml_file.xml_text, name, refuse)
            assert outcome(encode, document, style) == written
        assert streamed == written

    def refuse(*parts: Any) -> str:
        raise UnusualError

    def outcome(write: Any, document: Any, style: Style) -> bytes | str:
        try:
            given = write(document, style)
            return given if isinstance(given, bytes) else b"".join(given)
        except FileError as error:
            return str(error)

    check()
    assert 50 < sum(usual) < len(usual), "texts and lxml are both asked"


def test_attributes_behind_children_are_written_all_the_same() -> None:
    document = {"r": {"{urn:x}a": ["1", "2"], "@": {"{urn:y}k": "v"}, "#": "t"}}
    assert b"".join(stream(document)) == encode(document)


def test_pieces_hold_some_children_each() -> None:
    document = {"r": {"head": "h", "row": Once([{"@": {"n": str(number)}} for number in range(1000)])}}
    pieces = list(stream(document))
    assert len(pieces) == 1000 // xml_file.TOGETHER + 2
    assert max(map(len, pieces)) < 30 * xml_file.TOGETHER


def test_what_is_wrong_with_a_row_is_said_on_the_way() -> None:
    pieces = stream({"r": {"row": Once([{"n": "1"}] * 100 + [{"n": 1}])}})
    assert next(pieces).startswith(b"<?xml")
    with pytest.raises(FileError, match="<n> holds 1, not text"):
        list(pieces)


def test_elements_are_plain_data() -> None:
    data = b"""<?xml version="1.0"?>
    <!-- no data -->
    <r><size/><name> cat </name><o id="1"/><o>x</o><p q="1"> t </p><m>a<n/>b</m></r>"""
    assert decode(data) == {
        "r": {
            "size": "",
            "name": " cat ",
            "o": [{"@": {"id": "1"}, "#": ""}, "x"],
            "p": {"@": {"q": "1"}, "#": " t "},
            "m": {"#": "ab", "n": ""},
        }
    }


def test_a_shape_makes_lists_runs_and_structure() -> None:
    data = b'<r v="1"><meta/><box x="1"><at>z</at></box><tag/><box>t</box><o>1</o></r>'
    shape = XmlShape(
        children={"meta": XmlShape(children={"task": PLAIN})},
        lists=frozenset({"o"}),
        runs=True,
        members={"box": XmlShape(lists=frozenset({"at"}))},
    )
    document = decode(data, STYLE, XmlShape(children={"r": shape}))
    assert document == {
        "r": {
            "@": {"v": "1"},
            "meta": {},
            "*": [
                {"<>": "box", "@": {"x": "1"}, "at": ["z"]},
                {"<>": "tag", "#": ""},
                {"<>": "box", "#": "t"},
            ],
            "o": ["1"],
        }
    }
    assert encode(document, Style(declaration=False, final_newline=False)) == data


def test_spellings() -> None:
    document = {"r": {"@": {"k": 'a"<é'}, "n": ["1", ""]}}
    assert encode(document).decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n<r k="a&quot;&lt;é">\n  <n>1</n>\n  <n/>\n</r>\n'
    )
    bare = Style(declaration=False, final_newline=False, ascii=True, short_empty=False)
    assert encode(document, bare) == b'<r k="a&quot;&lt;&#233;"><n>1</n><n></n></r>'
    tabs = Style(indent="\t", newline="\r\n", declaration=False)
    assert encode({"r": {"n": "1"}}, tabs) == b"<r>\r\n\t<n>1</n>\r\n</r>\r\n"


def test_encodings() -> None:
    style = Style(encoding=("latin-1",))
    data = encode({"r": "é€"}, style)
    assert data == b'<?xml version="1.0" encoding="iso-8859-1"?><r>\xe9&#8364;</r>\n'
    assert decode(data) == {"r": "é€"}
    assert decode(b"<r>\xe9</r>", Style(encoding=("utf-8", "latin-1"))) == {"r": "é"}
    assert decode('<?xml version="1.0" encoding="utf-16"?><r>é</r>'.encode("utf-16")) == {"r": "é"}
    with pytest.raises(FileError, match="byte 3"):
        decode(b"<r>\xe9</r>")
    with pytest.raises(FileError, match="cannot hold the character 'é'"):
        encode({"r": {"é": ""}}, Style(ascii=True))


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"<a>\n<b></a>", 2, "not XML: `</a>` stands where `<b>` of line 2 is open: close it as `</b>`"),
        (b"", None, "not XML"),
        (b"<a>&nbsp;</a>", 1, "Entity 'nbsp' not defined"),
        (b"<a/><b/>", 1, "Extra content"),
        (b"\n<!-- x -->\n<!DOCTYPE a>\n<a/>", 3, "document type declaration"),
        (b"<a>" * 100_000, 1, "not XML: Excessive depth"),
        (b"<a>\n" * 250 + b"</a>" * 250, 201, "deeper than 200"),
    ],
)
def test_errors_say_where(data: bytes, line: int | None, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        decode(data)
    assert line is None or caught.value.line == line


BOMB = (
    '<!DOCTYPE a [<!ENTITY e0 "lol">'
    + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    + ']><a b="&e9;">&e9;</a>'
)


@pytest.mark.parametrize(
    "text", [BOMB, '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>', "<!DOCTYPE a><a/>"]
)
@pytest.mark.parametrize("prologue", ["", '<?xml version="1.0"?>', "<!-- <a> --> <?p ?>\n"])
def test_document_types_and_entities_are_refused(text: str, prologue: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        with pytest.raises(FileError):
            decode((prologue + text).encode(encoding))
    assert decode(b"<a><![CDATA[<!DOCTYPE]]></a>") == {"a": "<!DOCTYPE"}


@pytest.mark.parametrize("value", [1, True, None, 1.5, "\x00", "\ud800", "\uffff", {"@": {"k": 1}}, {"#": 1}])
def test_what_xml_cannot_hold_is_refused(value: Any) -> None:
    for document in ({"r": value}, {"r": {"c": [value]}}):
        with pytest.raises(FileError):
            encode(document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": "", "b": ""},
        "a",
        {"1a": ""},
        {"a": {"*": [{"#": "x"}]}},
        {"a": {"@": {"b c": ""}}},
        {"a": {"@": "x"}},
        {"a": {"*": ["x"]}},
    ],
)
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(FileError):
        encode(document)


def test_deep_documents_are_refused() -> None:
    deep: Any = ""
    for _ in range(5_000):
        deep = {"a": deep}
    with pytest.raises(FileError, match="deeper than 200"):
        encode(deep)


def test_places() -> None:
    data = b'<r>\n<a/>\n<o x="1">\n<n>1</n></o>\n<o>2</o>\n<b><c/></b>\n<b/>\n</r>'
    shape = XmlShape(children={"r": XmlShape(children={"a": PLAIN}, lists=frozenset({"o"}), runs=True)})
    assert locate(data, ()) == (1, 1)
    assert locate(data, ("r", "o", 0, "n")) == (4, 1)
    assert locate(data, ("r", "o", "1")) == (5, 1)
    assert locate(data, ("r", "o", 0, "@", "x")) == (3, 1)
    assert locate(data, ("r", "a", "#")) == (2, 1)
    assert locate(data, ("r", "*", 1), STYLE, shape) == (7, 1)
    assert locate(data, ("r", "*", 0, "c"), STYLE, shape) == (6, 1)
    for pointer in [("x",), ("r", "o", 2), ("r", "z"), ("r", "*", 0)]:
        assert locate(data, pointer) is None
    assert locate(b"<r>", ("r",)) is None


@pytest.mark.skipif(REAL is None, reason="FORMATSPEC_DATA is not set")
def test_real_files_come_back_as_data() -> None:
    paths = sorted(Path(REAL or "").glob("**/*.xml"))
    assert paths
    for path in paths:
        document = decode(path.read_bytes())
        assert decode(encode(document)) == document
