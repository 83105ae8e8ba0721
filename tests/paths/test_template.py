"""Templates: what they match, what they render, and that the two agree."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from hanging import not_for_ever
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formatspec.paths.templates.formats import IMAGE_EXTENSIONS, field
from formatspec.paths.templates.pattern import degree, pieces_of, source
from formatspec.paths.templates.sweep import sweep
from formatspec.paths.templates.template import (
    LiteralText,
    MissingValueError,
    Placeholder,
    Template,
    TemplateField,
    TemplateSyntaxError,
    compile_template,
    split,
)


def template(text: str, **limits: int) -> Template:
    """A template as a spec writes it: `{name}` or `{name:format}`."""
    parts: list[str | TemplateField] = []
    for part in split(text):
        if isinstance(part, LiteralText):
            parts.append(part.text)
        else:
            name, _, format_ = part.text.partition(":")
            parts.append(field(name, format_ or None))
    return compile_template(parts, **limits)


# split


def test_split_keeps_texts_and_offsets() -> None:
    assert split("a{b:03d}/c") == (LiteralText("a", 0), Placeholder("b:03d", 2), LiteralText("/c", 8))
    assert split("") == ()
    assert split("{a}{b}") == (Placeholder("a", 1), Placeholder("b", 4))


def test_split_doubled_braces_are_text() -> None:
    assert split("{{x}}{y}}}") == (LiteralText("{x}", 0), Placeholder("y", 6), LiteralText("}", 8))


@pytest.mark.parametrize(
    "inside", ["x | map('}'='{')", 'x | joined("}")', "= {'a': [1, {}]}", "x else [-1, -1]", "a[b{c}]"]
)
def test_split_protects_what_is_quoted_or_nested(inside: str) -> None:
    assert split("<{" + inside + "}>") == (
        LiteralText("<", 0),
        Placeholder(inside, 2),
        LiteralText(">", 2 + len(inside) + 1),
    )


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [
        ("a{b", 1, ("}",)),
        ("a}b", 1, ("{", "}}")),
        ("{}", 1, ("a name",)),
        ("{ }", 1, ("a name",)),
        ("{a[1}", 4, ("]",)),
        ("{a 'b}", 3, ("'",)),
        ("{a[", 2, ("]",)),
    ],
)
def test_split_tells_where_it_went_wrong(text: str, offset: int, expected: tuple[str, ...]) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        split(text)
    assert (caught.value.offset, caught.value.expected) == (offset, expected)
    assert pickle.loads(pickle.dumps(caught.value)).offset == offset


@given(st.text(alphabet="ab{}/"))
def test_split_gives_back_any_escaped_text(text: str) -> None:
    assert "".join(part.text for part in split(text.replace("{", "{{").replace("}", "}}"))) == text


# formats


@pytest.mark.parametrize(
    ("format_", "text", "value"),
    [
        (None, "a b", "a b"),
        ("d", "0", 0),
        ("d", "-12", -12),
        ("d", "18446744073709551615", 18446744073709551615),
        ("03d", "007", 7),
        ("03d", "1000", 1000),
        ("06d", "000000", 0),
        ("f", "1", 1),
        ("f", "-1.5", -1.5),
        ("f", "1.0", 1.0),
        ("path", "a/b c/d", "a/b c/d"),
        ("path?", "a", "a"),
        ("path?", "", ""),
        ("d?", "-7", -7),
        ("d?", "", None),
        ("train|trainval", "trainval", "trainval"),
        ("a|.*", ".*", ".*"),
        ("image", "JPeG", "JPeG"),
    ],
)
def test_formats_both_ways(format_: str | None, text: str, value: Any) -> None:
    one = compile_template([field("x", format_)])
    got = one.match(text)
    assert got == {"x": value}
    assert type(got["x"]) is type(value)
    assert one.render({"x": value}) == text


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        (None, ""),
        (None, "a/b"),
        ("d", "007"),
        ("d", "-0"),
        ("d", "+1"),
        ("d", "1.0"),
        ("d", "٣"),
        ("03d", "0012"),
        ("03d", "12"),
        ("03d", "-12"),
        ("f", "1.2.3"),
        ("f", "nan"),
        ("f", "1e999"),
        ("f", "."),
        ("path", ""),
        ("path", "a//b"),
        ("path", "/a"),
        ("path", "a/"),
        ("path", "a/../b"),
        ("path", "."),
        ("a|b", "c"),
        ("a|b", "ab"),
        ("image", "txt"),
        ("image", "jpgx"),
    ],
)
def test_formats_do_not_match(format_: str | None, text: str) -> None:
    assert compile_template([field("x", format_)]).match(text) is None


@pytest.mark.parametrize(
    ("format_", "value"),
    [
        (None, "a/b"),
        (None, ".."),
        (None, True),
        (None, 1.5),
        ("d", 1.0),
        ("d", True),
        ("d", "1"),
        ("03d", -1),
        ("d", 10**20),
        ("f", float("nan")),
        ("f", "1"),
        ("path", "a//b"),
        ("path", "../a"),
        ("path?", "/a"),
        ("a|b", "c"),
        ("image", "txt"),
    ],
)
def test_formats_do_not_render(format_: str | None, value: Any) -> None:
    one = compile_template([field("x", format_)])
    with pytest.raises(ValueError, match=r".+"):
        one.render({"x": value})


def test_decimals_render_shortest_and_without_exponent_where_possible() -> None:
    render = field("x", "f").render
    assert [render(v) for v in (1, 1.0, 0.1, 1e22, 1e-07, 1e300)] == [
        "1",
        "1.0",
        "0.1",
        "10000000000000000000000.0",
        "0.0000001",
        "1e+300",
    ]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**19), 10**19))
def test_decimals_come_back(value: float) -> None:
    one = compile_template([field("x", "f")])
    got = one.match(one.render({"x": value}))
    assert got is not None
    assert (type(got["x"]), repr(got["x"])) == (type(value), repr(value))


@given(st.integers(-(10**20) + 1, 10**20 - 1), st.integers(1, 12))
def test_integers_are_read_only_as_they_are_written(value: int, width: int) -> None:
    canonical, padded = compile_template([field("x", "d")]), compile_template([field("x", f"0{width}d")])
    assert canonical.render({"x": value}) == str(value)
    for one in (canonical, padded):
        for text in (str(value), f"0{value}", f"{value:0{width}d}"):
            got = one.match(text)
            assert got is None or one.render(got) == text
    if value >= 0:
        assert padded.match(f"{value:0{width}d}") == {"x": value}


def test_unknown_formats_get_suggestions() -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        field("x", "3d")
    assert "03d" in caught.value.expected
    with pytest.raises(TemplateSyntaxError) as caught:
        field("x", "paht")
    assert caught.value.expected[0] == "path"
    with pytest.raises(TemplateSyntaxError) as caught:
        field("x", "ab||c")
    assert caught.value.offset == 3
    with pytest.raises(TemplateSyntaxError):
        field("x", "099d")


def test_extension_words_are_lower_case_and_distinct() -> None:
    assert len(set(IMAGE_EXTENSIONS)) == len(IMAGE_EXTENSIONS)
    assert all(word == word.lower() for word in IMAGE_EXTENSIONS)


# templates


def test_match_and_render() -> None:
    one = template("{subset:train|val}/{city}/{city}_{frame:06d}.{ext:image}")
    text = "val/bonn/bonn_000012.png"
    values = {"subset": "val", "city": "bonn", "frame": 12, "ext": "png"}
    assert one.match(text) == values
    assert one.render(values) == text
    assert one.names == ("subset", "city", "frame", "ext")
    assert one.match("val/bonn/ulm_000012.png") is None
    assert (one.prefix, one.suffix, one.literal_count) == ("", "", 4)


def test_prefix_suffix_and_count() -> None:
    one = template("masks/{a}/x_{b}.png")
    assert (one.prefix, one.suffix, one.literal_count) == ("masks/", ".png", 13)
    bare = template("list.txt")
    assert (bare.match("list.txt"), bare.match("list_txt"), bare.render({})) == ({}, None, "list.txt")


def test_an_optional_path_takes_its_slash_with_it() -> None:
    one = template("{subset}/{scene:path?}/{name}.jpg")
    assert one.match("train/a/b/c.jpg") == {"subset": "train", "scene": "a/b", "name": "c"}
    assert one.match("train/c.jpg") == {"subset": "train", "scene": "", "name": "c"}
    assert one.match("train//c.jpg") is None
    assert one.match("train/../c.jpg") is None
    for scene in ("", None):
        assert one.render({"subset": "train", "scene": scene, "name": "c"}) == "train/c.jpg"
    assert one.render({"subset": "train", "name": "c"}) == "train/c.jpg"


def test_an_optional_number_takes_its_dashes_with_it() -> None:
    one = template("{event:d?}--{name}/{file}.jpg")
    assert one.match("12--Group/a.jpg") == {"event": 12, "name": "Group", "file": "a"}
    assert one.match("Group/a.jpg") == {"event": None, "name": "Group", "file": "a"}
    assert one.render({"event": 12, "name": "Group", "file": "a"}) == "12--Group/a.jpg"
    assert one.render({"event": None, "name": "Group", "file": "a"}) == "Group/a.jpg"


def test_an_optional_path_given_twice() -> None:
    one = template("{scene:path?}/x/{scene:path?}/{name}")
    assert one.match("a/b/x/a/b/n") == {"scene": "a/b", "name": "n"}
    assert one.match("x/n") == {"scene": "", "name": "n"}
    assert one.match("a/x/b/n") is None


def test_an_optional_field_takes_its_blank_with_it() -> None:
    score = field("score", "f")
    optional = TemplateField(score.name, score.pattern, score.parse, score.render, optional=True)
    word = TemplateField("name", r"\S+", str, str)
    one = compile_template([word, " ", field("x", "f"), " ", optional])
    assert one.match("car 1 0.5") == {"name": "car", "x": 1, "score": 0.5}
    assert one.match("car 1") == {"name": "car", "x": 1, "score": None}
    assert one.match("car 1 ") is None
    assert one.render({"name": "car", "x": 1}) == "car 1"
    assert one.render({"name": "car", "x": 1, "score": 0.5}) == "car 1 0.5"


def test_one_name_in_two_formats_must_have_one_value() -> None:
    one = template("{id:03d}/{id:d}.txt")
    assert one.match("007/7.txt") == {"id": 7}
    assert one.match("007/8.txt") is None
    assert one.explain("007/8.txt") == "`id` is 7 and 8"


def test_missing_values() -> None:
    with pytest.raises(MissingValueError) as caught:
        template("{a}/{object.id:03d}").render({"a": "x"})
    assert isinstance(caught.value, KeyError)
    assert caught.value.name == "object.id"


def test_values_that_are_read_back_otherwise_are_known() -> None:
    one = template("{a}-{b}.png")
    assert one.match(one.render({"a": "x-y", "b": "z"})) == {"a": "x-y", "b": "z"}
    assert one.match(one.render({"a": "x", "b": "y-z"})) == {"a": "x-y", "b": "z"}
    assert one.ambiguous("x-y-z.png")
    assert template("{name}").match("x" * 5000) is None


def test_the_earlier_field_takes_the_most_and_that_is_known_as_ambiguous() -> None:
    one = template("{a}-{b}")
    assert one.match("x-y-z") == {"a": "x-y", "b": "z"}
    assert one.ambiguous("x-y-z")
    assert not one.ambiguous("x-y")
    assert not one.ambiguous("xy")
    assert not template("{a:path}.{ext:image}").ambiguous("a.b/c.d.png")
    assert template("{a:train|trainval}{b}").ambiguous("trainvalx")
    assert not template("{a:train|trainval}{b}").ambiguous("trainval")
    assert template("{p:path?}/{q:path?}/{n}").ambiguous("a/b")
    assert template("a/{n:path}/a_{m:path}/{v:path}/{l}{n:path}/").ambiguous("a/1/a_1/111/1/1/11/11/")
    assert not template("{subset}/{scene:path?}/{name}.jpg").ambiguous("a/b/c.d/e.jpg")


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        (
            "img_{id:03d}.png",
            "img_7.png",
            "after 'img_', `id` wants at least three digits, zero-padded, found '7'",
        ),
        ("img_{id:03d}.png", "pic_007.png", "it must begin with 'img_'"),
        ("img_{id:03d}.png", "img_007.jpg", "it must end with '.png'"),
        ("{c}/{c}_{i:d}", "ulm/bonn_1", "after 'ulm/', `c` must be 'ulm' again, found 'bonn'"),
        ("{s:train|val}/{n}", "test/a", "`s` wants one of train, val, found 'test'"),
        ("{n}.{e:image}", "a.txt", "after 'a.', `e` wants an image file's extension, found 'txt'"),
        ("{p:path}", "a/..", "`p` does not take 'a/..': a path may not hold the segments `.` and `..`"),
        ("{a:d}x{b:d}", "1y2", "after '1', 'x' must follow, found 'y2'"),
        ("{a:d}", "12345", ""),
    ],
)
def test_explain(pattern: str, text: str, said: str) -> None:
    assert template(pattern).explain(text) == said


@pytest.mark.parametrize("pattern", ["a/{n}.txt", "{n}", "{p:path}/b_{n}.x", "{n}_c"])
@given(texts=st.lists(st.sampled_from(["a/b.txt", "a/b.png", "b", "c/b_d.x", "b_c", "a/b_c", "a\nb_c", ""])))
def test_whether_any_text_may_match(pattern: str, texts: list[str]) -> None:
    made = template(pattern)
    joined = "".join(f"\n{text}" for text in texts) + "\n"
    assert made.may_match(joined) or not any(made.match(text) is not None for text in texts)


def test_few_texts_are_looked_at_in_vain() -> None:
    assert not template("a/{n}.txt").may_match("\na/b.png\nc/d.txt.gz\n")
    assert not template("images/{n}.txt").may_match("\nlabels/a.txt\n")
    assert template("images/{n}.txt").may_match("\nlabels/a.txt\nimages/b.txt\n")


def test_patterns_are_checked() -> None:
    with pytest.raises(ValueError, match="captures groups"):
        compile_template([TemplateField("x", "(a)", str, str)])
    with pytest.raises(ValueError, match="no regular expression"):
        compile_template([TemplateField("x", "a(", str, str)])


def test_templates_pickle() -> None:
    one = template("{a:path?}/{b:03d}.{e:image}")
    again = pickle.loads(pickle.dumps(one))
    assert again.names == one.names
    assert again.match("x/y/001.png") == {"a": "x/y", "b": 1, "e": "png"}


# laws

_FORMATS: dict[str | None, st.SearchStrategy[Any]] = {
    None: st.text("ab.-_1", min_size=1, max_size=5),
    "d": st.integers(-1000, 1000),
    "02d": st.integers(0, 1000),
    "d?": st.integers(-1000, 1000) | st.none(),
    "f": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-50, 50),
    "word": st.sampled_from(["a", "1", "-1", "a_b"]),
    "words": st.sampled_from(["a", "a b", "1", "1 b1", "-1"]),
    "path": st.lists(st.text("ab.-1", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join),
    "path?": st.lists(st.text("ab.-1", min_size=1, max_size=3), max_size=3).map("/".join),
    "a|ab|-1": st.sampled_from(["a", "ab", "-1"]),
    "image": st.sampled_from(["jpg", "PNG", "jpeg"]),
}


@st.composite
def parts_of(draw: st.DrawFn) -> list[str | TemplateField]:
    formats = draw(st.lists(st.sampled_from(list(_FORMATS)), min_size=1, max_size=5))
    parts: list[str | TemplateField] = [draw(st.sampled_from(["", "a", "a/"]))]
    for i, format_ in enumerate(formats):
        name = draw(st.sampled_from(["n0", "n1", f"v{i}"]))
        parts.append(field(f"{name}{format_}", format_))
        parts.append(draw(st.sampled_from(["/", "-", "_", ".", "/a_", "", "."])))
    return parts


def values_for(draw: st.DrawFn, parts: list[str | TemplateField]) -> dict[str, Any]:
    formats = {part.name: part.name[2:] for part in parts if isinstance(part, TemplateField)}
    return {name: draw(_FORMATS[None if f == "None" else f]) for name, f in formats.items()}


@st.composite
def parts_and_values(draw: st.DrawFn) -> tuple[list[str | TemplateField], dict[str, Any]]:
    parts = draw(parts_of())
    return parts, values_for(draw, parts)


def _with_types(values: dict[str, Any]) -> dict[str, tuple[type, Any]]:
    """Values by which 0 and 0.0 differ, as they do in a template."""
    return {name: (type(value), value) for name, value in values.items()}


@settings(max_examples=200)
@given(parts_and_values())
def test_what_is_rendered_is_read_back_or_ambiguous(case: tuple[list[str | TemplateField], dict[str, Any]]) -> None:
    parts, values = case
    one = compile_template(parts)
    try:
        text = one.render(values)
    except ValueError:
        return
    got = one.match(text)
    if got is None or _with_types(got) != _with_types(values):
        # This is right only where the text reads as something else: it is ambiguous or a bad path.
        assert got is None or one.ambiguous(text)
        return
    assert one.match(text) == values
    assert one.explain(text) == ""


@settings(max_examples=200)
@given(parts_of(), st.data())
def test_the_sweep_finds_what_the_regular_expression_finds(
    parts: list[str | TemplateField], data: st.DataObject
) -> None:
    pieces = pieces_of(parts)
    names = [part.name for part in parts if isinstance(part, TemplateField)]
    assume(len(set(names)) == len(names))  # a sweep does not search again for the sake of a repeated name
    text = data.draw(st.text("ab.-_1/", max_size=14))
    if data.draw(st.booleans()):
        text = "".join(p if isinstance(p, str) else p.render(v) for p, v in _rendered(parts, data)) or text
    found = re.fullmatch(source(pieces), text)
    swept = sweep(pieces, text)
    assert (swept is None) == (found is None)
    if found is not None:
        assert swept == list(found.groups())


def _rendered(parts: list[str | TemplateField], data: st.DataObject) -> list[tuple[str | TemplateField, Any]]:
    pairs = []
    for part in parts:
        if isinstance(part, str):
            pairs.append((part, None))
            continue
        value = data.draw(_FORMATS[None if part.name[2:] == "None" else part.name[2:]])
        try:
            part.render(value)
        except ValueError:
            return []
        pairs.append((part, value))
    return pairs


def parses(parts: list[str | TemplateField], text: str) -> set[tuple[str, ...]]:
    """Every way to cut a text: the definition, slow."""
    state = {(0, ())}
    for part in parts:
        following = set()
        for at, taken in state:
            if isinstance(part, str):
                if text.startswith(part, at):
                    following.add((at + len(part), taken))
                continue
            for end in range(at, len(text) + 1):
                if re.fullmatch(part.pattern, text[at:end]):
                    following.add((end, (*taken, text[at:end])))
        state = following
    return {taken for at, taken in state if at == len(text)}


@settings(max_examples=200)
@given(parts_of(), st.text("ab.-_1/", max_size=10))
def test_ambiguous_means_two_parses(parts: list[str | TemplateField], text: str) -> None:
    assume(not any(isinstance(part, TemplateField) and part.optional for part in parts))
    names = [part.name for part in parts if isinstance(part, TemplateField)]
    assume(len(set(names)) == len(names))
    ways = parses(parts, text)
    one = compile_template(parts)
    assert one.ambiguous(text) == (len(ways) > 1)
    assert (re.fullmatch(source(pieces_of(parts)), text) is not None) == bool(ways)


# cost


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("{a}/{b}/{c}.png", 1),
        ("{city}/{city}_{s:06d}_{f:06d}.png", 1),
        ("{subset}/{scene:path?}/{name}_{id:d}.png", 1),
        ("{scene:path?}/{name}_{id}.png", 2),
        ("{subset:path?}/{name:path}.{ext:image}", 2),
        ("{a}_{b}/{c}_{d}/{e}_{f}.png", 2),
        ("{a}_{b}_{c}_{d}", 4),
    ],
)
def test_degree(text: str, power: int) -> None:
    assert degree(template(text)._pieces) == power


@pytest.mark.parametrize(
    "text",
    [
        "{a}-{b}-{c}-{d}-{e}!",
        "{a:path}-{b:path}-{c:path}!",
        "{a}{b}{c}{d}!",
        "{a}-{b}/{c}-{d}/{e}-{f}!",
        "{p:path?}/{q:path?}/{r:path?}/{a}-{b}-{c}!",
        "{a:d}{b:d}-{c:path}{d}!",
    ],
)
@pytest.mark.parametrize("unit", ["-", "a-/", "1", "a/"])
def test_no_match_runs_away(text: str, unit: str) -> None:
    one = template(text[:-1] + "{end:x|!!}")  # no suffix that would refuse at once
    hostile = unit * (4096 // len(unit))
    with not_for_ever():
        one.match(hostile)
        one.ambiguous(hostile)


def test_long_texts() -> None:
    one = template("{a}_{b}_{c}_{d}.png")
    text = "_".join(c * 300 for c in "abcd") + ".png"
    assert one.match(text) == {c: c * 300 for c in "abcd"}
    assert not one.ambiguous(text)
    assert one.ambiguous("x_" + text)
    assert template("{a}").match("x" * 4096) == {"a": "x" * 4096}
    assert template("{a}").match("x" * 4097) is None
    assert "longer than" in template("{a}").explain("x" * 4097)
    assert template("{a}", limit=10_000).match("x" * 10_000) is not None
