"""A stranger's spec: refused in a sentence with its place, bounded, and kept to its own folder."""

from __future__ import annotations

import gc
import http.server
import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest
from hanging import not_for_ever
from PIL import Image

import formatspec as fs
from formatspec.engine.resolve.json_schema import compile_schema
from formatspec.engine.resolve.schema_bounds import SchemaError
from formatspec.language import expression
from formatspec.language.errors import SpecError
from formatspec.language.functions import FUNCTIONS
from formatspec.language.load import KEPT, load_source
from formatspec.language.values import ExpressionError

HEAD = "formatspec: 1\nname: my_x\n"
IMAGES = 'files:\n  image: "{name}.{ext:image}"\n'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "d"
    folder.mkdir()
    Image.new("RGB", (4, 3)).save(folder / "a.png")
    (folder / "a.json").write_text(json.dumps({"x": "a" * 60 + "!"}), encoding="utf-8")
    return folder


def spec(folder: Path, text: str, name: str = "s.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def with_schema(schema: str) -> str:
    return f'{HEAD}{IMAGES}  j:\n    path: "{{name}}.json"\n    schema: {schema}\n    json: {{"*": keep}}\n'


def test_names_of_let_that_explode(tmp_path: Path, data: Path) -> None:
    names = [f'a{n}: "{f"{{a{n + 1}}}" * 8}"' for n in range(12)]
    text = f"{HEAD}let: {{{', '.join(names)}, a12: xxxxxxxx}}\n" + IMAGES.replace("{name}", "{a0}{name}")
    with not_for_ever(), pytest.raises(SpecError, match=r"s\.yaml:3:\d+: `let` makes this spec grow"):
        fs.validate(data, spec(tmp_path, text), workers=1)


@pytest.mark.parametrize("let", ['{a: "{b}", b: "{a}"}', '{a: "x{a}"}'])
def test_names_of_let_in_a_circle(let: str, tmp_path: Path, data: Path) -> None:
    text = f"{HEAD}let: {let}\n" + IMAGES.replace("{name}", "{a}{name}")
    with pytest.raises(SpecError, match=r"s\.yaml:3:\d+: names of `let` name each other in a circle"):
        fs.validate(data, spec(tmp_path, text), workers=1)


def test_many_names_of_let_in_many_texts(tmp_path: Path) -> None:
    count = 40_000
    names = "".join(f'  a{n}: "x"\n' for n in range(count))
    checks = "".join(f"  MY_{n}: {{say: '{{a{n}}}{{b}}', holds: 'true'}}\n" for n in range(2_000))
    file = spec(tmp_path, f"{HEAD}let:\n{names}{IMAGES}checks:\n{checks}")
    with not_for_ever():
        assert load_source(file).spec.checks["MY_1999"].say == "x{b}"


def test_names_of_let_may_name_one_another(tmp_path: Path) -> None:
    text = f'{HEAD}let: {{a: "{{b}}-{{b}}", b: "{{c}}{{d}}", c: "{{name}}"}}\n' + IMAGES.replace("{name}", "{a}")
    assert load_source(spec(tmp_path, text)).spec.files["image"].path == "{name}{d}-{name}{d}.{ext:image}"


def test_many_entries_laid_over_many(tmp_path: Path) -> None:
    count = 20_000
    spec(tmp_path, HEAD + IMAGES + "levels:\n" + "".join(f"  B{n}: error\n" for n in range(count)), "base.yaml")
    over = "".join(f"  {'B' if n % 2 else 'C'}{n}: warning\n" for n in range(count))
    with not_for_ever():
        levels = load_source(spec(tmp_path, f"{HEAD}extends: base.yaml\nlevels:\n{over}")).spec.levels
    assert list(levels)[:2] == ["B0", "B1"]
    assert (levels["B0"], levels["B1"], levels["C0"], len(levels)) == ("error", "warning", "warning", count * 3 // 2)


def test_many_roles_like_one_another(tmp_path: Path) -> None:
    roles = "".join(f'  r{n}: {{like: r{n + 1}, path: "{{name}}.r{n}"}}\n' for n in range(200))
    text = f'{HEAD}{IMAGES}{roles}  r200: {{path: "{{name}}.end", need: optional}}\n'
    files = load_source(spec(tmp_path, text)).spec.files
    assert (list(files)[:2], files["r0"].need, files["r0"].path) == (["image", "r0"], "optional", "{name}.r0")


def test_many_variants_of_many_roles(tmp_path: Path) -> None:
    roles = "".join(f'  u{n}: "{{name}}.u{n}"\n' for n in range(500))
    variants = "".join(f"  - {{name: v{n}}}\n" for n in range(2_000))
    with pytest.raises(SpecError, match=r"s\.yaml:\d+:5: the spec and its variants hold more than 200,000 values"):
        load_source(spec(tmp_path, f"{HEAD}{IMAGES}{roles}variants:\n{variants}"))


def test_a_spec_of_too_many_values(tmp_path: Path) -> None:
    levels = "".join(f"B{n}: error, " for n in range(200_000))
    with not_for_ever(), pytest.raises(SpecError, match=r"s\.yaml:1:1: the spec holds more than 200,000 values"):
        load_source(spec(tmp_path, f"{HEAD}{IMAGES}levels: {{{levels}}}\n"))


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|a)*b", "^(a|aa)+$", "(.*a){25}"])
def test_a_pattern_cannot_run_away(pattern: str, tmp_path: Path, data: Path) -> None:
    (data / "a.json").write_text(json.dumps({"x": "a" * 50_000 + "!"}), encoding="utf-8")
    with not_for_ever():
        for schema in (
            {"properties": {"x": {"pattern": pattern}}},
            {"patternProperties": {pattern: {"type": "integer"}}, "additionalProperties": False},
        ):
            report = fs.validate(data, spec(tmp_path, with_schema(json.dumps(schema))), workers=1)
            assert report.findings == () or {finding.code for finding in report.findings} == {"SCHEMA"}


@pytest.mark.parametrize("pattern", [r"(?=a)a", r"(a)\1", "(a"])
def test_a_pattern_that_cannot_be_bounded_is_refused(pattern: str, tmp_path: Path, data: Path) -> None:
    schema = json.dumps({"properties": {"default": {"pattern": pattern}}})
    with pytest.raises(SpecError, match=r"s\.yaml:7:\d+: the pattern"):
        fs.validate(data, spec(tmp_path, with_schema(schema)), workers=1)


def test_references_reach_nothing(tmp_path: Path, data: Path) -> None:
    asked: list[str] = []

    class Told(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(("127.0.0.1", 0), Told)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "other.json").write_text('{"type": "integer"}', encoding="utf-8")
    address = f"http://127.0.0.1:{server.server_port}/secret"
    try:
        for word, reference in (
            ("$ref", address),
            ("$dynamicRef", address),
            ("$ref", "file:///etc/hostname"),
            ("$ref", (tmp_path / "other.json").as_uri()),
            ("$ref", "other.json"),
            ("$ref", "#/nowhere"),
        ):
            schema = json.dumps({"properties": {"x": {word: reference}}})
            with pytest.raises(SpecError, match=r"s\.yaml:7:\d+: "):
                fs.validate(data, spec(tmp_path, with_schema(schema)), workers=1)
        for schema in ({"$id": address, "type": "object"}, {"properties": {"x": {"$id": address, "type": "string"}}}):
            fs.validate(data, spec(tmp_path, with_schema(json.dumps(schema))), workers=1)
        with pytest.raises(SpecError, match="no version of JSON Schema"):
            fs.validate(data, spec(tmp_path, with_schema(json.dumps({"$schema": address}))), workers=1)
    finally:
        server.shutdown()
    assert asked == []


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"},
        {"not": {"$ref": "#"}},
    ],
)
def test_a_schema_that_leads_back_to_itself(schema: Any) -> None:
    with pytest.raises(SchemaError, match="leads back to itself"):
        compile_schema(schema)


def doubling(wrap: str) -> dict[str, Any]:
    """Forty schemas, each of which asks the next twice: of the same value, or of a value in it."""
    steps: dict[str, Any] = {"a40": {"type": "object"}}
    for n in range(40):
        twice = [{"$ref": f"#/$defs/a{n + 1}"}] * 2
        steps[f"a{n}"] = {"allOf": twice} if wrap == "here" else {"properties": {"x": {"anyOf": twice}}}
    return {"$ref": "#/$defs/a0", "$defs": steps}


@pytest.mark.parametrize("wrap", ["here", "below"])
def test_a_schema_that_doubles_at_each_step(wrap: str, tmp_path: Path, data: Path) -> None:
    text = with_schema(json.dumps(doubling(wrap)))
    with not_for_ever(), pytest.raises(SpecError, match=r"s\.yaml:7:\d+: this schema asks more than 10,000 others"):
        fs.validate(data, spec(tmp_path, text), workers=1)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, "type": "object"},
        {
            "properties": {
                "x": {"anyOf": [{"properties": {"x": {"$ref": "#"}}}, {"additionalProperties": {"$ref": "#"}}]}
            }
        },
    ],
)
def test_a_schema_that_doubles_with_the_depth_of_the_document(schema: Any) -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"x": deep}
    check = compile_schema(schema)
    with not_for_ever():
        found = list(check(deep))
    assert found == [((), "the document cannot be checked: the schema asks one value more than 10,000 times")]
    assert not list(check({"x": {"x": {}}}))


def test_a_schema_of_a_tree_of_expressions_may_refer_to_itself() -> None:
    of = {"and": {"items": {"$ref": "#"}}, "or": {"items": {"$ref": "#"}}, "not": {"$ref": "#"}}
    check = compile_schema(
        {
            "anyOf": [
                {"type": "integer"},
                *({"properties": {w: s}, "required": [w], "type": "object"} for w, s in of.items()),
            ]
        }
    )
    assert not list(check({"and": [1, {"not": {"or": [2, {"not": 3}]}}]}))
    assert len(list(check({"and": [1, {"not": "x"}]}))) == 1


def test_a_schema_whose_references_go_on_and_on() -> None:
    steps = {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(5000)}
    for end in ({"type": "integer"}, {"items": {"$ref": "#"}}):
        with not_for_ever(), pytest.raises(SchemaError, match="more than 100 times"):
            compile_schema({"$ref": "#/$defs/a0", "$defs": {**steps, "a5000": end}})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"$anchor": "a", "allOf": [{"$ref": "#a"}]}}},
        {"allOf": [{"$dynamicRef": "#"}]},
        {"properties": {"x": {"$id": "https://example.org/x", "allOf": [{"$ref": "#"}]}}},
    ],
)
def test_a_schema_names_places_by_their_paths_only(schema: Any) -> None:
    with pytest.raises(SchemaError, match=r"is not allowed beside references|only references within"):
        compile_schema(schema)


def test_an_escaped_reference_is_followed() -> None:
    with pytest.raises(SchemaError, match="leads back to itself"):
        compile_schema({"$ref": "#/%24defs/a", "$defs": {"a": {"$ref": "#/%24defs/a"}}})


def test_a_long_list_is_checked_in_time(tmp_path: Path, data: Path) -> None:
    (data / "a.json").write_text(json.dumps({"x": [{"a": n} for n in range(30_000)]}), encoding="utf-8")
    text = with_schema("{properties: {x: {uniqueItems: true, contains: {const: 1}}}}")
    with not_for_ever():
        (finding,) = fs.validate(data, spec(tmp_path, text), workers=1).findings
    assert (finding.code, finding.pointer) == ("SCHEMA", "/x")
    assert len(finding.message) < 300


def test_a_schema_that_nests_is_no_circle() -> None:
    check = compile_schema({"properties": {"x": {"$ref": "#"}}, "type": "object"})
    assert not list(check({"x": {"x": {}}}))
    assert [path for path, _ in check({"x": {"x": 1}})] == [("x", "x")]


TABLE = f"{HEAD}categories: [{{table: TABLE}}]\n{IMAGES}"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"id,name\n1,cat,extra\n", r"t\.csv:2:1: the row has more cells than columns"),
        ("id,name\n1,café\n".encode("latin-1"), r"t\.csv:2:1: .*not utf-8"),
        (b"id,name\n1,cat\nx,\"do\n", r"t\.csv:3:1: not CSV"),
        (b"name,color\ncat,1 2 300\n", r"t\.csv:2:1: a color is"),
        (b"name,color\ncat,red\n", r"t\.csv:2:1: a color is"),
        (b"index,name\n--1,cat\n", r"t\.csv:2:1: an index is"),
        (b"name,name\ncat,dog\n", r"t\.csv:1:1: two columns"),
        (b"name,\ncat,dog\n", r"t\.csv:1:1: column 2 has no name"),
    ],
)  # fmt: skip
def test_tables(table: bytes, said: str, tmp_path: Path, data: Path) -> None:
    (tmp_path / "t.csv").write_bytes(table)
    with pytest.raises(SpecError, match=said):
        fs.validate(data, spec(tmp_path, TABLE.replace("TABLE", "t.csv")), workers=1)


@pytest.mark.parametrize("named", ["../t.csv", "/etc/passwd", "in/../../t.csv", "link.csv", "nowhere.csv", "in"])
def test_files_beside_a_spec(named: str, tmp_path: Path, data: Path) -> None:
    """Tables, examples and specs that are extended lie beside the spec, links followed, or below its folder."""
    (tmp_path / "t.csv").write_text("name\ncat\n", encoding="utf-8")
    (tmp_path / "t.yaml").write_text(HEAD + IMAGES, encoding="utf-8")
    inner = tmp_path / "inner"
    (inner / "in").mkdir(parents=True)
    (inner / "link.csv").symlink_to(tmp_path / "t.csv")
    for text in (
        TABLE.replace("TABLE", named),
        f"{HEAD}examples: [{named}]\n{IMAGES}",
        f"{HEAD}extends: {named.replace('.csv', '.yaml')}\n",
    ):
        if named == "in" and "table" not in text:
            continue
        with pytest.raises(SpecError, match=r"s\.yaml:3:\d+|cannot be read"):
            fs.validate(data, spec(inner, text), workers=1)


def test_a_table_stands_beside_the_spec_that_names_it(tmp_path: Path, data: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "t.csv").write_text("name\ncat\n", encoding="utf-8")
    spec(tmp_path / "base", TABLE.replace("TABLE", "t.csv"), "b.yaml")
    child = spec(tmp_path, "formatspec: 1\nname: my_child\nextends: base/b.yaml\n")
    assert [category.name for category in fs.open(data, child).categories] == ["cat"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}files:\n  j: '{{name}}.json'\n", "no role `image`"),
        (f"{HEAD}files:\n  image: {{like: [1]}}\n", "`like` names a role"),
        (f"{HEAD}extends: [1]\n{IMAGES}", "`extends` names a spec"),
        (f"{HEAD}root: ../x\n{IMAGES}", "no folder of a dataset"),
        (f"{HEAD}{IMAGES}checks: {{A: {{holds: nosuch == 1, say: a}}}}\n", "'nosuch' has no value here"),
        (
            f'{HEAD}{IMAGES}  t: {{path: "{{name}}.txt", lines: ["{{attributes.a | numbers(900)}}"]}}\n',
            "repeats more than can be matched",
        ),
        (
            f"{HEAD}options: {{{', '.join(f'o{n}: {{choices: [1, 2, 3]}}' for n in range(9))}}}\n{IMAGES}",
            "combinations",
        ),
    ],
)
def test_broken_specs(text: str, said: str, tmp_path: Path, data: Path) -> None:
    with pytest.raises(SpecError, match=said):
        fs.validate(data, spec(tmp_path, text), workers=1)


def test_a_large_file_is_no_spec(tmp_path: Path, data: Path) -> None:
    with pytest.raises(SpecError, match="larger than 4,194,304 bytes"):
        fs.validate(data, spec(tmp_path, "#" * 5_000_000), workers=1)


def test_a_root_that_is_not_there(tmp_path: Path, data: Path) -> None:
    report = fs.validate(data, spec(tmp_path, f"{HEAD}root: [nowhere, '*/deep']\n{IMAGES}"), workers=1)
    assert [finding.code for finding in report.findings if finding.level == "error"] == ["NOTHING_FOUND"]


def test_checks_that_cannot_be_evaluated(tmp_path: Path, data: Path) -> None:
    checks = "\n".join(
        f"  {code}: {{level: error, each: items, holds: {holds}, say: {say}}}"
        for code, holds, say in (
            ("A", "'1 / 0'", "a"),
            ("B", '"len(repeat(1, 2000000)) == 5"', "b"),
            ("C", "'1 == 2'", "c"),
            ("D", "'1 == 2'", "'{= 1 / 0}'"),
            ("E", "'1 == 1'", "e"),
        )
    )
    report = fs.validate(data, spec(tmp_path, f"{HEAD}{IMAGES}checks:\n{checks}\n"), workers=1)
    found = [(finding.code, finding.file, finding.level) for finding in report.findings if finding.level != "info"]
    assert sorted(found) == [("C", "a.png", "error"), *[("CHECK_FAILED", "a.png", "error")] * 3]


def test_expressions_are_bounded() -> None:
    with not_for_ever(), pytest.raises(ExpressionError, match="1000000 values"):
        inner = FUNCTIONS["repeat"].call(1, 1_000_000)
        FUNCTIONS["repeat"].call(inner, 1_000_000)

    class Rows:
        def value(self, name: str) -> expression.Getter:
            return lambda context: 1

        def counts_zero(self, name: str) -> bool:
            return False

        def table(self, name: str) -> Any:
            return (lambda context: range(10_000), self) if name == "objects" else None

    nested = "count(objects where count(objects where count(objects where x) > 1) > 1)"
    many = expression.compile_expression(expression.parse(nested), Rows())
    with not_for_ever(), pytest.raises(ExpressionError, match="rows are gone over"):
        many(None)


def test_addresses_inside_data_are_not_fetched(tmp_path: Path, data: Path) -> None:
    """A document names images by addresses and by paths of the machine: they are names below the root, or none."""
    text = (
        f'{HEAD}items: list\nfiles:\n  image: {{path: "{{name:path}}.{{ext:image}}", need: optional}}\n'
        "  list: {path: list.json, json: {images: [{each: items, name: image.path}]}}\n"
    )
    names = ["http://127.0.0.1:9/a.png", "file:///etc/a.png", "/etc/a.png", "../a.png", "C:\\a.png", "s3://b/a.png"]
    (data / "list.json").write_text(json.dumps({"images": [{"name": name} for name in names]}), encoding="utf-8")
    code = (
        "import socket, sys\n"
        "def refuse(*given): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import formatspec as fs\n"
        f"print(fs.validate({str(data)!r}, {str(spec(tmp_path, text))!r}, workers=1).items)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "Traceback" not in ran.stderr


def test_specs_that_are_loaded_one_after_another_do_not_stay(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"

    def loaded(number: int) -> weakref.ref[Any]:
        file.write_text(f"{HEAD}about: {'x' * number}\nfiles: {{image: '{{name}}.{{ext:image}}'}}\n", encoding="utf-8")
        return weakref.ref(load_source(file).layouts[0].spec)

    found = [loaded(number) for number in range(1, KEPT + 50)]
    gc.collect()
    assert sum(one() is not None for one in found) <= KEPT
