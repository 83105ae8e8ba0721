"""Every kind of mistake in a spec is said with its place and what would be right, and never with a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.engine.dataset.lint import compile_whole
from formatspec.language.errors import SpecError
from formatspec.language.load import available, load_source

GOOD = """\
formatspec: 1
name: made_up
items: [record]
categories: [classes]
options:
  task: {default: detect, choices: [detect, segment]}
files:
  image: "images/{name}.{ext:image}"
  classes:
    path: classes.txt
    lines: {each: categories, lines: "{name}"}
  record:
    path: "labels/{name}.json"
    style: {separators: compact}
    schema: {type: object}
    json:
      file: "{name}.{ext}"
      size: [image.width, image.height]
      boxes:
        - each: objects by id
          id: id
          box: bbox | xywh
          kind: category.name
          hard?: attributes.hard | map('1'=true, '0'=false)
  mask:
    path: "masks/{name}.png"
    need: optional
    image: gray
    pixels: {each: areas by category, L: category.index | from(1)}
checks:
  TOO_SMALL: {each: objects, holds: area > 0, say: "object {id} is too small"}
"""


def swap(old: str, new: str) -> bytes:
    """The good spec with a piece of it replaced."""
    assert GOOD.count(old) == 1, f"{old!r} stands {GOOD.count(old)} times"
    return GOOD.replace(old, new).encode()


PLACE = r"spec\.yaml:\d+:\d+: "
# fmt: off
# ruff: noqa: E501 (a mistake is a line)
MISTAKES: dict[str, tuple[bytes, str]] = {
    # what the spec rests on
    "an unknown level of evidence": (swap("categories: [classes]", "seen: [{level: tool file, source: x}]"), PLACE + r"seen.0.level is 'tool file'; expected \"tool's file\", \"tool's source\" or 'documentation'; did you mean \"tool's file\"\?"),
    "evidence without a source": (swap("categories: [classes]", "seen: [{level: documentation}]"), PLACE + r"'source' is missing in seen.0"),
    "evidence of no source": (swap("categories: [classes]", "seen: [{level: documentation, source: \"\"}]"), PLACE + r"seen.0.source is empty; expected some text"),
    "evidence with another word": (swap("categories: [classes]", "seen: [{level: documentation, url: x, source: x}]"), PLACE + r"'url' is no word of the language here; one of: level, source, note"),
    "evidence that is no list": (swap("categories: [classes]", "seen: {level: documentation, source: x}"), PLACE + r"seen is not a list; expected a list, each entry behind a dash"),
    "no role for the image": (b'formatspec: 1\nname: made_up\nfiles:\n  images: "{name}.png"\n', r"spec\.yaml:4:3: there is no role `image`, which is the items' image; .*; did you mean 'images'"),
    # kinds of values: said in the language's words, never in those of a library
    "classes in the spec itself": (swap("[classes]", "[{names: [a, b]}]"), PLACE + r"categories.0 is \{'names': \['a', 'b'\]\}; expected the name of a role, a mapping \{table: …\}, or a mapping \{list: …, match: …\}.*$"),
    "a source that resembles a table": (swap("[classes]", "[{tabel: x.csv}]"), r"^\S+:4:15: 'tabel' is no word of the language here; did you mean 'table'\?$"),
    "a source that is a number": (swap("[classes]", "[3]"), r":4:14: categories.0 is 3; expected the name of a role"),
    "a path that is a number": (swap("path: classes.txt", "path: 3"), r":10:11: files.classes.path is 3; expected a text \(template"),
    "a style that is no mapping": (swap("{separators: compact}", "true"), r":14:12: files.record.style is True; expected a mapping \{separators: …"),
    "an entry that is neither true nor false": (swap("style: {separators: compact}", "style: {header: [a]}"), r"files.record.style.header is \['a'\]; expected true or false"),
    "levels that are a list": (swap("items: [record]", "levels: {BOX_EMPTY: [error]}"), r":3:21: levels.BOX_EMPTY is \['error'\]; expected a text, or a mapping, of which each entry is a text"),
    # what people call otherwise
    "a class": (swap("kind: category.name", "kind: class"), r":23:\d+: 'class' .*the language calls it `category.name`"),
    "corners as others call them": (swap("bbox | xywh", "bbox | xyxy"), r":22:\d+: no codec is called 'xyxy'; the language calls it sides"),
    "an attribute that is no slot": (swap("kind: category.name", "kind: truncated"), r":23:\d+: 'truncated' .*`attributes.truncated` holds what no slot is for"),
    "a role that is optional in other words": (swap("need: optional", "optional: true"), r":27:5: 'optional' .*`need: optional`"),
    "the slot on the left": (swap("kind: category.name", "category.name: kind"), r":23:\d+: `category.name` is a slot, .*`kind: category.name`"),
    "pairs with a colon": (swap("map('1'=true, '0'=false)", "map(1:true, 0:false)"), r":24:\d+: .*'1:true' is no pair; expected .*'1'=true"),
    "an image without a placeholder": (b"formatspec: 1\nname: made_up\nfiles:\n  image: images/*.jpg\n", r":4:10: the path of `image`, 'images/\*.jpg', has no placeholder.*`\*` stands for itself"),
    # indentation
    "a key that is indented less": (swap("          box: bbox", "         box: bbox"), r":22:10: not YAML: a key begins at column 10, where nothing above it.*line 21 at column 11"),
    "a key at its row's dash": (swap("          box: bbox", "        box: bbox"), r":22:9: not YAML: a key begins at column 9, where the dash of line 20 stands; .* column 11"),
    "a row beside keys": (swap("      boxes:\n        - each", "      boxes:\n        a: id\n        - each"), r":21:9: not YAML: a row of a list begins at column 9, among the keys of a mapping \(line 20\)"),
    "a key that is indented deeper": (swap("          box: bbox", "            box: bbox"), r":22:\d+: not YAML: line 22 is indented deeper than line 21, .* by 10 blanks"),
    "a key without its colon": (swap("          box: bbox", "          box bbox"), r"not YAML: line 22 has no colon behind its key: box bbox \| xywh; write `box: …`"),
    # words
    "a number in another base as a format": (b'formatspec: 1\nname: made_up\nfiles:\n  image: "{name}.png"\n  rows:\n    path: "{name}.txt"\n    lines: {each: objects, lines: "{track:02X} {bbox | xywh}"}\n', PLACE + r"\{track:02X\}: unknown format `02X`; expected .*`d`.*in_base\(16, 2, upper\)"),
    "unknown key at the top": (swap("items: [record]", "itens: [record]"), r":3:\d+: .*'itens'.*did you mean 'items'"),
    "unknown key in a role": (swap("    need: optional", "    needs: optional"), r":27:\d+: .*'needs'.*'need'"),
    "unknown key in style": (swap("{separators: compact}", "{separator: compact}"), r"'separator'.*'separators'"),
    "quotes where no CSV is": (swap("{separators: compact}", "{quote: '|'}"), r":\d+:\d+: .*quote.*csv only.*`quoted`"),
    "unknown key in a check": (swap("holds: area > 0", "hold: area > 0"), r"'hold'.*did you mean 'holds'"),
    "unknown key in an option": (swap("{default: detect,", "{defualt: detect,"), r"'defualt'.*did you mean 'default'"),
    "unknown value of need": (swap("need: optional", "need: maybe"), r":27:\d+: .*'required'.*'optional'"),
    "unknown image mode": (swap("image: gray", "image: grey"), r"'gray'"),
    "unknown language version": (swap("formatspec: 1", "formatspec: 2"), r":1:\d+: .*version 1.*expected `formatspec: 1`"),
    "no language version": (swap("formatspec: 1\n", ""), r":1:1: .*version 1"),
    "no name": (swap("name: made_up\n", ""), r"'name' is missing"),
    "name that is no word": (swap("name: made_up", "name: Made Up"), r":2:7: name is 'Made Up'; expected letters, digits and _, .*made_up"),
    "no path": (swap('    path: classes.txt\n', ""), r":\d+:\d+: .*'path' is missing in files.classes"),
    "no files": (b"formatspec: 1\nname: made_up\n", r"'files' is missing"),
    "two documents in one role": (
        swap("    pixels: {each: areas by category, L: category.index | from(1)}",
             "    pixels: {each: areas, L: category.index}\n    lines: '{name}'"), r":\d+:\d+: .*two documents"),
    # names
    "capture never bound": (swap('file: "{name}.{ext}"', 'file: "{nane}.{ext}"'), r":17:\d+: 'nane'.*did you mean 'name'"),
    "unknown slot": (swap("box: bbox | xywh", "box: bbbox | xywh"), r":22:\d+: 'bbbox'.*did you mean 'bbox'"),
    "unknown slot in else": (swap("kind: category.name", "kind: category.name else nmae"), r":23:\d+: 'nmae'"),
    "unknown key of a table": (swap("each: objects by id", "each: objects by idd"), r":20:\d+: 'idd'.*did you mean 'id'"),
    "unknown table": (swap("each: objects by id", "each: object by id"), r":20:\d+: .*'object'.*did you mean 'objects'"),
    "each that is no table": (swap("each: objects by id", "each: objects sorted by id"), r":20:\d+: .*expected TABLE"),
    "unknown slot in where": (
        swap("each: objects by id", "each: objects by id where parnt"), r":20:\d+: 'parnt'.*did you mean 'parent'"),
    "unknown slot in a check": (swap("holds: area > 0", "holds: aera > 0"), r":31:\d+: .*'aera'.*did you mean 'area'"),
    "unknown name in what a check says": (swap('"object {id} is', '"object {idd} is'), r":31:\d+: .*'idd'"),
    "dangling role in items": (swap("items: [record]", "items: [records]"), r":3:\d+: .*'records'.*did you mean 'record'"),
    "dangling role in categories": (
        swap("categories: [classes]", "categories: [clases]"), r":4:\d+: .*'clases'.*did you mean 'classes'"),
    "category table that is not there": (
        swap("categories: [classes]", "categories: [{table: no_such.csv}]"), r":4:\d+: .*no_such.csv"),
    "dangling like": (swap("    need: optional", "    like: records"), r":27:\d+: .*'records'.*did you mean 'record'"),
    "cycle of like": (
        swap("    path: classes.txt", "    like: mask\n    path: classes.txt").replace(
            b"    need: optional", b"    like: classes"), r":\d+:\d+: .*circle"),
    "role like itself": (swap("    need: optional", "    like: mask"), r":27:\d+: .*circle"),
    "extends nothing": (b"extends: image_maks\n" + GOOD.encode(), r":1:10: .*did you mean 'image_masks'"),
    "extends itself": (b"extends: spec\n" + GOOD.encode(), r":1:10: .*circle"),
    "drop of nothing": (
        b"formatspec: 1\nextends: image_masks\nname: made_up\nfiles: {maks: drop}\n", r":4:\d+: .*'maks'.*'mask'"),
    "unknown option in a path": (swap('path: classes.txt', 'path: "{option.tsk}/classes.txt"'), r":10:11: made_up has no option 'tsk'; did you mean 'task'\?"),
    "option in a path without choices": (swap('path: classes.txt', 'path: "{option.task}/classes.txt"').replace(b", choices: [detect, segment]", b""), r":10:11: the option task stands in a path, and its values are not known; expected `choices` and a `default` of the option task"),
    "source of items without a document": (swap("items: [record]", "items: [record]\nvariants: [{name: a, files: {record: {json: drop}}}]"), r":4:\d+: `items` names the role 'record', whose files have no document in the layout 'a'; expected a document"),
    "variant without a name": (swap("items: [record]", "variants: [{ignore: []}]"), r":3:\d+: .*`name`"),
    "variants that are no list": (swap("items: [record]", "variants: {a: 1}"), r":3:\d+: .*list"),
    # leaves
    "expression that does not parse": (swap("kind: category.name", "kind: = 1 +"), r":23:\d+: "),
    "condition that does not parse": (swap("by id\n", "by id where (\n"), r":20:\d+: "),
    "check that does not parse": (swap("holds: area > 0", "holds: area >"), r":31:\d+: check TOO_SMALL"),
    "unknown function": (swap("kind: category.name", "kind: = cuont(objects)"), r":23:\d+: .*'cuont'.*'count'"),
    "unknown codec": (swap("| xywh", "| xywhh"), r":22:\d+: .*'xywhh'.*did you mean xywh"),
    "codec with bad arguments": (swap("from(1)", "from('a')"), r":29:\d+: from: takes"),
    "codec without arguments": (swap("map('1'=true, '0'=false)", "map"), r":24:\d+: map: takes pairs"),
    "codec that cannot be inverted": (
        swap("map('1'=true, '0'=false)", "map('1'=true, '1'=false)"), r":24:\d+: map: .*'1' is given twice"),
    "codec that does not parse": (swap("| xywh", "| xywh("), r":22:\d+: .*no codec.*expected"),
    "else of nothing": (swap("kind: category.name", "kind: category.name else"), r":23:\d+: .*expected an expression"),
    "leaf that is no name": (swap("kind: category.name", "kind: category..name"), r":23:\d+: .*expected slots"),
    "empty one of": (swap("box: bbox | xywh", "one of: []"), r":22:\d+: .*one of"),
    "one of that is no list": (swap("box: bbox | xywh", "one of: bbox"), r":22:\d+: .*list of alternatives"),
    "list of one mapping without each": (swap("- each: objects by id\n          id: id", "- id: id"), r":20:\d+: .*each"),
    "lines without lines": (
        swap('{each: categories, lines: "{name}"}', "{each: categories}"), r":11:\d+: .*expected `lines:`"),
    "strange key beside lines": (
        swap('lines: "{name}"}', 'lines: "{name}", sort: true}'), r":11:\d+: 'sort'"),
    # paths
    "template without its closing brace": (swap('"masks/{name}.png"', '"masks/{name.png"'), r":26:\d+: in the path"),
    "template with an empty brace": (swap('"masks/{name}.png"', '"masks/{}.png"'), r":26:\d+: "),
    "unknown placeholder format": (swap('"masks/{name}.png"', '"masks/{name:wrod}.png"'), r":26:\d+: .*wrod"),
    "expression in a path": (swap('"masks/{name}.png"', '"masks/{= 1 + 1}.png"'), r":26:\d+: .*names only"),
    "two roles claiming one path": (
        swap("checks:", '  again: "images/{name}.{ext:image}"\nchecks:'), r":\d+:\d+: .*(image and again|again and image)"),
    # the rest
    "unknown encoding": (swap("    schema: {type: object}", "    encoding: utf-9"), r":15:\d+: .*'utf-9'"),
    "schema that is no JSON Schema": (swap("{type: object}", "{type: objekt}"), r":15:\d+: .*JSON Schema.*objekt"),
    "schema that is no mapping": (swap("{type: object}", "objekt"), r":15:\d+: .*JSON Schema"),
    "unknown palette": (swap("    image: gray", "    image: palette\n    palette: rainbow"), r":29:\d+: .*rainbow"),
    "default that is no choice": (swap("{default: detect,", "{default: detekt,"), r":6:\d+: .*'detekt'.*'detect'"),
    "example that is not there": (swap("items: [record]", "items: [record]\nexamples: [no_such]"), r":4:\d+: .*no_such"),
    "channel that does not exist": (swap("L: category.index", "Q: category.index"), r":29:\d+: .*Q"),
    # the file itself
    "not a mapping": (b"- formatspec\n", r":1:1: a spec is a mapping; expected `formatspec: 1`"),
    "an empty file": (b"", r":1:1: a spec is a mapping"),
    "not UTF-8": (GOOD.encode().replace(b"made_up", b"m\xe4de"), r"not UTF-8"),
    "files that is a list": (b"formatspec: 1\nname: made_up\nfiles: [a]\n", r":3:8: files is \['a'\]; expected a mapping"),
    "a role that is a number": (b"formatspec: 1\nname: made_up\nfiles: {image: 3}\n", r":3:16: files.image is 3; expected the path of its files, or a mapping"),
    # YAML's traps
    "duplicate key": (GOOD.encode() + b"name: again\n", r":32:1: duplicate key 'name'.*line 2"),
    "tab": (swap("    need: optional", "\tneed: optional"), r":27:\d+: .*spaces"),
    "comma in a flow expression": (
        swap("kind: category.name", "kind: {a: = join(name, scene)}"), r":23:\d+: a comma splits.*quote it"),
    "optional key in flow": (swap("kind: category.name", "kind: {a?: id}"), r":23:\d+: .*quote"),
    "glued comment": (swap('"labels/{name}.json"', "labels/{name #}.json"), r":13:\d+: .*comment.*quote"),
    "unquoted text that begins with a brace": (
        swap('file: "{name}.{ext}"', "file: {name}.{ext}"), r":17:\d+: .*begins with '\{' is quoted"),
    "unquoted placeholder alone": (swap("kind: category.name", "kind: {name}"), r":23:\d+: .*read as a mapping"),
    "merge key": (swap("      boxes:", "      <<: {a: id}\n      boxes:"), r":19:\d+: '<<' is not YAML 1.2"),
    "tag": (swap("name: made_up", "name: !!str made_up"), r":2:\d+: the tag !!str is not allowed"),
    "unclosed quote": (swap('"masks/{name}.png"', '"masks/{name}.png'), r":\d+:\d+: "),
    "unquoted star": (swap("kind: category.name", "*: keep"), r":23:\d+: .*quoted"),
    "two documents": (GOOD.encode() + b"---\na: 1\n", r":32:\d+: .*one document"),
}
NO_PLACE = {"not UTF-8"}


def broken(tmp_path: Path, data: bytes) -> Path:
    file = tmp_path / "spec.yaml"
    file.write_bytes(data)
    return file


def test_the_spec_that_is_broken_here_is_good(tmp_path: Path) -> None:
    compile_whole(fs.load_spec(broken(tmp_path, GOOD.encode())))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_said_with_its_place(mistake: str, tmp_path: Path) -> None:
    data, expected = MISTAKES[mistake]
    file = broken(tmp_path, data)
    with pytest.raises(SpecError) as caught:
        compile_whole(fs.load_spec(file))
    text = str(caught.value)
    assert re.search(expected, text), text
    if mistake not in NO_PLACE:
        assert all(problem.place is not None for problem in caught.value.problems), text
        assert re.search(PLACE, text), text


@pytest.mark.parametrize("mistake", MISTAKES)
def test_lint_exits_2_and_shows_no_traceback(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from formatspec.cli.main import main

    file = broken(tmp_path, MISTAKES[mistake][0])
    monkeypatch.setattr("sys.argv", ["formatspec", "lint", str(file)])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    assert end.value.code == 2, said
    assert "Traceback" not in said
    assert "spec.yaml" in said


def test_a_cycle_of_two_specs(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("formatspec: 1\nextends: spec\nname: other\n")
    file = broken(tmp_path, b"extends: other\n" + GOOD.encode())
    with pytest.raises(SpecError, match=r"spec\.yaml:1:10: .*circle"):
        fs.load_spec(file)


def test_an_option_that_is_no_choice(tmp_path: Path) -> None:
    file = broken(tmp_path, GOOD.encode())
    with pytest.raises(SpecError, match=r"'segmnt' is no choice.*did you mean 'segment'"):
        fs.open(tmp_path, file, options={"task": "segmnt"})


def test_a_spec_that_is_not_there() -> None:
    with pytest.raises(SpecError, match="did you mean 'ade20k2020'"):
        fs.load_spec("ade20k2021")
    with pytest.raises(SpecError, match="there is no file"):
        fs.load_spec("no/such.yaml")


def test_several_mistakes_are_said_at_once(tmp_path: Path) -> None:
    data = swap("kind: category.name", "kind: category.nome").replace(b"from(1)", b"from('a')")
    with pytest.raises(SpecError) as caught:
        compile_whole(fs.load_spec(broken(tmp_path, data)))
    assert len(caught.value.problems) == 2


def test_words_that_yaml_1_1_takes_for_booleans_are_words(tmp_path: Path) -> None:
    data = swap("choices: [detect, segment]", "choices: [detect, yes, no, on, off]")
    assert fs.load_spec(broken(tmp_path, data)).spec.options["task"].choices == ("detect", "yes", "no", "on", "off")


def test_a_broken_spec_is_noticed_when_data_is_opened(tmp_path: Path) -> None:
    file = broken(tmp_path, swap("kind: category.name", "kind: category.nome"))
    (tmp_path / "data").mkdir()
    for act in (lambda: fs.open(tmp_path / "data", file), lambda: fs.validate(tmp_path / "data", file)):
        with pytest.raises(SpecError, match=r"category\.nome"):
            act()


@pytest.mark.parametrize(
    ("old", "new"), [('lines: "{name}"}', 'lines: "{name | xywhh}"}'), ("formatspec: 1", "formatspec: 7")]
)
def test_a_broken_spec_among_others_does_not_break_detection(
    old: str, new: str, ade20k2020: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(tmp_path, swap(old, new))
    monkeypatch.setenv("FORMATSPEC_PATH", str(tmp_path))
    assert fs.open(ade20k2020).format == "ade20k2020"


@pytest.mark.parametrize("name", available())
def test_every_rule_of_a_spec_that_comes_with_the_package_compiles(name: str) -> None:
    compile_whole(load_source(name))
