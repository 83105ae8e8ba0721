"""Rows of an XML file found without decoding it are the rows that decoding gives."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formatspec.files import xml_file
from formatspec.files.document import FileError
from formatspec.files.rows.json_rows import NotRowsError
from formatspec.files.rows.xml_rows import Elements, beginning
from formatspec.files.xml_file import PLAIN, STYLE, XmlShape, decode, encode, locate
from formatspec.model.limits import TooLargeError, limits, set_limits

ROW = XmlShape(children={"size": PLAIN}, runs=True, members={"box": XmlShape(lists=frozenset({"at"}))})
SHAPE = XmlShape(children={"r": XmlShape(children={"row": ROW, "z": PLAIN, "m": PLAIN}, lists=frozenset({"row", "z"}))})
PATHS = [("r", "row"), ("r", "z"), ("r", "in", "row"), ("other", "row")]

values = st.text(st.sampled_from("ab<>&\"'/ \t\n\r]é€"), max_size=6)
members = st.fixed_dictionaries(
    {"<>": st.sampled_from(["box", "tag", "row", "x"])},
    optional={"@": st.dictionaries(st.sampled_from(["k", "l"]), values, max_size=2), "#": values},
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "@": st.dictionaries(st.sampled_from(["id", "é"]), values, max_size=2),
        "#": values,
        "size": values,
        "*": st.lists(members, max_size=3),
    },
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "@": st.dictionaries(st.sampled_from(["v", "w"]), values, max_size=2),
        "m": st.fixed_dictionaries({"row": st.lists(rows, min_size=2, max_size=2)}),
        "row": st.lists(rows, max_size=5),
        "z": st.lists(values, max_size=3),
        "x": values,
    },
)


def found(data: bytes, piece: int) -> Any:
    """The document with its rows put back; NotRowsError where they were not sought."""
    elements, spans = Elements(SHAPE, STYLE), {path: [] for path in PATHS}

    def take(path: tuple[str, ...], starts: Any, ends: Any) -> None:
        spans[path] += zip(starts, ends, strict=True)

    document = elements.scan(io.BytesIO(data).read, PATHS, take, piece)
    for (root, tag, *_), places in spans.items():
        each = [elements.rows(data[begin:end], (root, tag))[0] for begin, end in places]
        if not each:
            continue
        assert document[root][tag] == []
        assert elements.rows(data[places[0][0] : places[-1][1]], (root, tag)) == each
        document[root][tag] = each
    return document


def decoded(data: bytes) -> Any:
    """The document; None where it is none."""
    try:
        return decode(data, STYLE, SHAPE)
    except (FileError, TooLargeError):
        return None


@settings(max_examples=300)
@given(root=documents, indent=st.sampled_from([None, 2]), piece=st.integers(1, 80), short=st.booleans())
def test_rows_and_what_is_around_them_are_those_of_the_document(
    root: Any, indent: int | None, piece: int, short: bool
) -> None:
    data = encode({"r": root}, xml_file.Style(indent=indent, short_empty=short))
    whole = decoded(data)
    again = found(data, piece)
    assert again == whole
    assert list(again["r"]) == list(whole["r"])  # also the order of the keys


@settings(max_examples=200)
@given(root=documents, short=st.booleans())
def test_the_start_tags_of_rows_say_what_their_attributes_are(root: Any, short: bool) -> None:
    data, elements = encode({"r": root}, xml_file.Style(short_empty=short)), Elements(SHAPE, STYLE)
    head = elements.heads(("r", "row"), {"@"})
    assert head is not None
    bounds: list[tuple[int, int]] = []
    rows: list[Any] = []

    def take(path: tuple[str, ...], starts: Any, ends: Any) -> None:
        bounds.extend(zip(starts, ends, strict=True))
        rows.extend(elements.rows(data[begin:end], path, {"@"})[0] for begin, end in bounds[len(rows) :])

    elements.scan(io.BytesIO(data).read, [("r", "row")], take, 40)
    told = elements.rows(b"".join(head(data, *one) for one in bounds), ("r", "row"), {"@"})
    assert [_attributes(row) for row in told] == [_attributes(row) for row in rows]


def _attributes(row: Any) -> Any:
    """The attributes of a row; a text as it is."""
    return row.get("@") if isinstance(row, dict) else row


def test_rows_of_which_more_is_asked_are_looked_at_whole() -> None:
    elements = Elements(SHAPE, STYLE)
    assert elements.heads(("r", "row"), None) is None
    assert elements.heads(("r", "row"), {"@", "size"}) is None
    assert elements.heads(("r", "z"), {"@"}) is None


PLAIN_FILE = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<r v="1">\n  <m><row a="1"/><row/></m>\n'
    b'  <row id="1>" k=\'"/>\'>/></row>\n  <row/>\n  <row id="2"><box k="&amp;&#10;"><at>1</at></box><row/></row >\n'
    b"  <z>1</z><row><size>s</size></row><z/>\n  <x>end</x>\n</r>\n"
)
SOUGHT = {
    "as it is": PLAIN_FILE,
    "a mark at the beginning": b"\xef\xbb\xbf" + PLAIN_FILE,
    "carriage returns": PLAIN_FILE.replace(b"\n", b"\r\n"),
    "no declaration": PLAIN_FILE[39:],
    "comments": PLAIN_FILE.replace(b"<row", b"<!-- <row> --><row"),
    "instructions": PLAIN_FILE.replace(b"<row", b"<?row <row>?><row"),
    "marked text": PLAIN_FILE.replace(b"<size>s", b"<size><![CDATA[</row><row>]]>"),
    "references": PLAIN_FILE.replace(b">end<", b">&lt;&#x41;&quot;<"),
    "a prefix that all know": PLAIN_FILE.replace(b"<size>", b'<size xml:space="preserve">'),
    "texts beyond ASCII": PLAIN_FILE.replace(b">s<", ">é€𝄞<".encode()),
    "another root": PLAIN_FILE.replace(b"<r ", b"<q ").replace(b"</r>", b"</q>"),
    "no rows": b"<r><x>1</x></r>",
    "a comment behind the root": PLAIN_FILE + b"<!-- <row/> -->",
}
WHOLE = {
    "nothing": b"",
    "cut in the middle": PLAIN_FILE[:180],
    "cut in a tag": PLAIN_FILE[:120],
    "an open tag": PLAIN_FILE.replace(b"</box>", b""),
    "wrong nesting": PLAIN_FILE.replace(b"</at></box>", b"</box></at>"),
    "a root behind the root": PLAIN_FILE + b"<r/>",
    "an attribute twice": PLAIN_FILE.replace(b'id="2"', b'id="2" id="3"'),
    "an attribute without quotes": PLAIN_FILE.replace(b'id="2"', b"id=2"),
    "an unknown entity": PLAIN_FILE.replace(b"&amp;", b"&who;"),
    "no entity": PLAIN_FILE.replace(b"&amp;", b"& "),
    "a character that XML does not have": PLAIN_FILE.replace(b">s<", b">\x01<"),
    "bytes that are no UTF-8": PLAIN_FILE.replace(b">s<", b">\xe9<"),
    "latin-1": PLAIN_FILE.replace(b"utf-8", b"iso-8859-1").replace(b">s<", b">\xe9<"),
    "utf-16": PLAIN_FILE.decode().replace("utf-8", "utf-16").encode("utf-16"),
    "utf-16 without a declaration": PLAIN_FILE[39:].decode().encode("utf-16"),
    "a prefix without a namespace": PLAIN_FILE.replace(b"<size>s</size>", b"<n:size>s</n:size>"),
    "a namespace": PLAIN_FILE.replace(b"<r ", b'<r xmlns="urn:x" '),
    "a namespace of a prefix": PLAIN_FILE.replace(b"<r ", b'<r xmlns:n="urn:x" '),
    "a row in a namespace": PLAIN_FILE.replace(b"<row/>\n", b'<row xmlns="urn:x"/>\n'),
    "text between rows": PLAIN_FILE.replace(b"<row/>\n", b"<row/>a\n  b"),
    "a type declaration": PLAIN_FILE.replace(b"<r ", b"<!DOCTYPE r>\n<r "),
    "entities that grow": b'<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>\n'
    b"<r><row><size>&c;</size></row></r>",
    "elements within elements": b"<r><row>%b%b</row></r>" % (b"<x>" * 199, b"</x>" * 199),
}


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 18])
@pytest.mark.parametrize("kind", SOUGHT)
def test_the_same_as_decoding_it_whole(kind: str, piece: int) -> None:
    assert found(SOUGHT[kind], piece) == decode(SOUGHT[kind], STYLE, SHAPE)


@pytest.mark.parametrize("piece", [1, 64, 1 << 18])
@pytest.mark.parametrize("kind", WHOLE)
def test_what_must_be_decoded_whole(kind: str, piece: int) -> None:
    with pytest.raises(NotRowsError):
        found(WHOLE[kind], piece)


def test_elements_may_lie_as_deep_as_in_a_whole_document() -> None:
    deep = b"<r><row>%b%b</row></r>" % (b"<x>" * 198, b"</x>" * 198)
    assert found(deep, 50) == decode(deep, STYLE, SHAPE)


def test_very_many_values_are_refused_as_in_a_whole_document() -> None:
    data = b"<r>%b</r>" % (b"<z/>" * 1000)
    usual = limits()
    set_limits({"values": 1000})
    try:
        assert decoded(data) is None
        with pytest.raises(NotRowsError):
            found(data, 64)
    finally:
        set_limits(usual)
    assert found(data, 64) == decoded(data)


@settings(max_examples=300)
@given(
    place=st.integers(0, len(PLAIN_FILE)),
    put=st.sampled_from([b"", b"<", b">", b"/", b'"', b"&", b"<r>", b"]]>", b"a"]),
    take=st.integers(0, 3),
    piece=st.sampled_from([5, 1 << 18]),
)
def test_a_damaged_document_is_refused_or_read_as_whole(place: int, put: bytes, take: int, piece: int) -> None:
    damaged = PLAIN_FILE[:place] + put + PLAIN_FILE[place + take :]
    try:
        document = found(damaged, piece)
    except NotRowsError:
        return
    assert document == decoded(damaged)


@pytest.mark.parametrize("rest", [(), ("@", "id"), ("*", 0), ("*", 0, "@", "k"), ("*", 1), ("size",), ("no",)])
@pytest.mark.parametrize("kind", ["as it is", "carriage returns", "marked text"])
def test_places_within_rows(kind: str, rest: tuple[str | int, ...]) -> None:
    data, elements, spans = SOUGHT[kind], Elements(SHAPE, STYLE), []
    elements.scan(
        io.BytesIO(data).read, PATHS[:1], lambda _, starts, ends: spans.extend(zip(starts, ends, strict=True))
    )
    assert len(spans) == 4
    for number, (begin, end) in enumerate(spans):
        own = elements.locate(data[begin:end], ("r", "row"), rest)
        there = locate(data, ("r", "row", number, *rest), STYLE, SHAPE)
        assert (own and (own[0] + data.count(b"\n", 0, begin), own[1])) == there


def test_some_keys_of_rows_are_looked_at() -> None:
    elements = Elements(SHAPE, STYLE)
    data = b'<row id="1"><size>s</size><box/>t</row><row>u</row><row/><row id="2"/>'
    assert elements.rows(data, ("r", "row"), {"@"}) == [{"@": {"id": "1"}}, "u", {}, {"@": {"id": "2"}}]
    assert elements.rows(data, ("r", "row"), {"size", "#"})[0] == {"@": {"id": "1"}, "#": "t", "size": "s"}
    assert elements.rows(data, ("r", "row"), {"*"})[0] == {"@": {"id": "1"}, "*": [{"<>": "box"}]}


@settings(max_examples=200)
@given(root=documents, count=st.integers(1, 3), indent=st.sampled_from([None, 2]), piece=st.integers(1, 80))
def test_the_beginning_holds_the_first_elements_of_each_tag(
    root: Any, count: int, indent: int | None, piece: int
) -> None:
    data = encode({"r": root}, xml_file.Style(indent=indent))
    whole = decode(data, STYLE, SHAPE)
    first = decode(beginning(io.BytesIO(data).read, count, piece), STYLE, SHAPE)
    for tag in ("row", "z") if isinstance(whole["r"], dict) else ():
        if tag in whole["r"]:
            whole["r"][tag] = whole["r"][tag][:count]
    assert first == whole


def test_the_beginning_of_a_document_may_have_namespaces_and_text() -> None:
    data = b'<r xmlns="urn:x">a<b/>c<b/>d<!-- <b/> --><b/><n:b xmlns:n="urn:y"/>e</r>'
    assert beginning(io.BytesIO(data).read, 1) == b'<r xmlns="urn:x">a<b/>cd<!-- <b/> --><n:b xmlns:n="urn:y"/>e</r>'


@pytest.mark.parametrize("kind", ["cut in a tag", "an open tag", "wrong nesting", "entities that grow", "latin-1"])
def test_there_is_no_beginning_of_what_is_broken(kind: str) -> None:
    with pytest.raises(NotRowsError):
        beginning(io.BytesIO(WHOLE[kind]).read, 1)
