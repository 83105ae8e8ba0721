"""The rendered pages are what follows from the specs; the specs are small; the matrix is what conversion reports."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median
from typing import Any

import pytest

import formatspec as fs
from formatspec.docs import gallery, holds, pages
from formatspec.language.load import load_source

DOCS = Path(fs.__file__).parent.parent / "docs"
SOURCES = {source.name: source for source in pages.bundled_sources()}
NOBODYS = {"image_masks", "color_masks"}
"""Formats that are a common habit; nobody has a page on them."""


def same_page(path: str, text: str) -> None:
    file = DOCS / path
    if not file.is_file() or file.read_text("utf-8") != text:
        pytest.fail(f"docs/{path} is not what follows from the specs and the code: run make docs", pytrace=False)


# the pages


@pytest.mark.parametrize("name", SOURCES)
def test_the_page_of_a_format(name: str) -> None:
    same_page(f"formats/{name}.md", pages.format_page(SOURCES[name]))


def test_the_gallery() -> None:
    same_page("formats/README.md", gallery.gallery_page(SOURCES.values(), DOCS))


def test_the_page_of_findings() -> None:
    same_page("findings.md", pages.findings_page(SOURCES.values()))


def test_the_page_of_codecs() -> None:
    same_page("codecs.md", pages.codecs_page())


def test_no_page_of_a_format_that_is_gone() -> None:
    known = {f"{name}.md" for name in SOURCES} | {"README.md"}
    assert {file.name for file in (DOCS / "formats").glob("*.md")} == known


def test_every_codec_says_what_it_does() -> None:
    sections = {name: text for name, _, text in (part.partition("\n") for part in pages.codecs_page().split("\n### "))}
    unused = [name for name in pages.CODECS if not re.search(rf"`[^`]*\b{name}\b[^`]*`", sections[name])]
    assert unused == [], "no example of use"


# the catalogue


@pytest.mark.parametrize("name", SOURCES)
def test_a_spec_says_what_it_is_of(name: str) -> None:
    spec = SOURCES[name].spec
    assert spec.title and spec.about.strip()
    above = [load_source(parent).spec.homepage for parent in SOURCES[name].ancestors]
    assert spec.homepage or any(above) or name in NOBODYS


def test_specs_are_small() -> None:
    sizes = {name: pages.lines_of(source) for name, source in SOURCES.items()}
    assert len(sizes) >= 100
    assert max(sizes.values()) <= 250, sizes
    assert median(sizes.values()) < 60


def test_tables_count_and_examples_do_not(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("name\na\nb\n")
    spec = tmp_path / "mine.yaml"
    spec.write_text(
        "formatspec: 1\nname: mine\nexamples:\n  - a\n# and\n  - b\ncategories: [{table: t.csv}]\n"
        'files:\n  image: "{name}.png"\n'
    )
    for example in ("a", "b"):
        (tmp_path / example).mkdir()
    assert pages.lines_of(load_source(spec)) == 5 + 3


def test_nearly_all_are_written_in_full_and_others_name_the_leaf() -> None:
    known = [pages.summary(source) for source in SOURCES.values()]
    others = [one for one in known if one.grade != "full"]
    assert len(others) * 10 <= len(known), [one.name for one in others]
    assert all(one.in_the_way for one in others)


GRADES = {
    "full": ("{json: {a: keep else 1, 'b?': keep, 'c?': {d: keep}, '*': keep}}", []),
    "update": ("{json: {a: {b: keep}}}", ["record: a.b"]),
    "none": ("{}", ["record: {name}.json"]),
}


@pytest.mark.parametrize("grade", GRADES)
def test_write_grades(grade: str, tmp_path: Path) -> None:
    document, leaves = GRADES[grade]
    spec = tmp_path / "mine.yaml"
    entry = document.replace("{", '{path: "{name}.json", ', 1).replace(", }", "}")
    spec.write_text(f'formatspec: 1\nname: mine\nfiles:\n  image: "{{name}}.png"\n  record: {entry}\n')
    found, in_the_way = holds.write_grade(holds.written_forms(load_source(spec))[0])
    assert (found, list(in_the_way)) == (grade, leaves)


def test_what_formats_hold() -> None:
    told = {name: set(pages.summary(source).holds) for name, source in SOURCES.items()}
    assert {"polygons", "visible regions", "keypoints", "captions", "labels", "areas"} <= told["coco"]
    assert {"keypoints", "rotated boxes", "polygons", "boxes"} <= told["yolo_ultralytics"]
    assert {"hidden regions", "parents"} <= told["ade20k2020"]
    assert "polygons" not in told["yolo"] and "boxes" in told["yolo"]
    for name, source in SOURCES.items():
        for form in holds.written_forms(source):
            assert not set(holds.holds(form)) & set(holds.cannot_hold(form)) - set(pages.summary(source).kept), name


# the matrix


def profiles(name: str) -> tuple[list[holds.Profile], list[holds.Profile]]:
    source = SOURCES[name]
    return [holds.profile(f) for f in holds.read_forms(source)], [holds.profile(f) for f in holds.written_forms(source)]


def by_value(what: str) -> bool:
    """Whether a loss follows from a value that does not fit, and not from a slot that is not there."""
    words = ("not written", "hidden by others", "covered by others", "left out")  # of records, one by one
    return (
        any(word in what for word in words)
        or "encoded anew" in what
        or "renumbered" in what
        or "that differ from" in what
        or what.startswith("category ")
    )


@pytest.mark.parametrize(
    ("source", "target"),
    [("ade20k2020", "coco"), ("coco", "yolo"), ("coco", "labelme"), ("cityscapes", "coco"), ("coco", "image_masks")],
)
def test_conversion_reports_what_the_matrix_says(source: str, target: str, tmp_path: Path) -> None:
    always, sometimes = holds.lost_between_specs(profiles(source)[0], profiles(target)[1])
    reported: set[str] = set()
    for seed in range(3):
        fs.sample(source, tmp_path / f"data{seed}", items=4, seed=seed)
        result = fs.convert(
            tmp_path / f"data{seed}", spec=source, to=target, out=tmp_path / f"out{seed}", skip_invalid=True
        )
        reported |= {line["what"] for line in result.loss_report if not by_value(line["what"])}
    named = {"attributes of objects" if what.startswith("attribute ") else what for what in reported}
    named = {"polygons" if what == "outlines beside masks" else what for what in named}
    assert named & set(always)
    assert named - {"attributes of objects"} <= {*always, *sometimes}
    if "attributes of objects" in named:
        assert any(what.startswith("attribute") for what in (*always, *sometimes))


def test_nothing_is_lost_to_the_same_format() -> None:
    found = gallery.matrix([SOURCES["coco"], SOURCES["yolo"]])
    assert found["coco", "coco"] == ((), ())
    assert "polygons" in found["coco", "yolo"][0] and "boxes" not in found["coco", "yolo"][0]
    assert found["yolo", "coco"][0] == ()


def test_one_layout_to_another() -> None:
    form = {name: holds.written_forms(SOURCES[name])[0] for name in ("ade20k2020", "coco", "labelme")}
    assert "hidden regions" in holds.lost(holds.profile(form["ade20k2020"]), holds.profile(form["coco"]))
    assert "polygons" in holds.lost_by_choice(holds.profile(form["coco"]), holds.profile(form["labelme"]))


# the command


def test_the_list_is_aligned(run: Any) -> None:
    lines = run("specs").out.splitlines()
    coco = next(line for line in lines if line.split()[0] == "coco")
    assert "COCO" in coco and "boxes" in coco and coco.endswith("full")
    column = coco.index("COCO")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines)


def test_the_matrix_is_printed(run: Any) -> None:
    head, *rows = run("specs", "--matrix").out.splitlines()
    assert len(head.split()) == len(rows) == len({row.split()[1] for row in rows})
    assert all(len(row.split()) == len(rows) + 2 for row in rows)
    pairs = run("specs", "--matrix", "--json").json()["pairs"]
    assert len(pairs) == len(rows) * (len(rows) - 1)
    one = next(pair for pair in pairs if (pair["source"], pair["target"]) == ("coco", "yolo"))
    names = [row.split()[1] for row in rows]
    assert rows[names.index("coco")].split()[2 + names.index("yolo")] == str(len(one["lost"]))


SEEN = """\
formatspec: 1
name: mine
about: Made up.
seen:
  - {level: documentation, source: "https://example.org/page"}
  - {level: "tool's file", source: the export of 2.1, note: it has boxes only}
files:
  image: "{name}.png"
"""


def test_what_a_spec_rests_on_stands_on_its_page_and_in_the_gallery(tmp_path: Path) -> None:
    spec = tmp_path / "mine.yaml"
    spec.write_text(SEEN)
    source = load_source(spec)
    page = pages.format_page(source)
    section = page.split("## Evidence\n\n")[1].split("\n\n")[0]
    assert section.splitlines() == [
        "- tool's file: the export of 2.1 (it has boxes only)",
        "- documentation: <https://example.org/page>",
    ]
    assert "| full | tool's file | " in gallery.gallery_page([source], DOCS)
    spec.write_text(SEEN.replace("tool's file", "tool's source"))
    assert "| full | tool's source | " in gallery.gallery_page([load_source(spec)], DOCS)


def test_a_spec_that_rests_on_nothing_says_so_nowhere(tmp_path: Path) -> None:
    spec = tmp_path / "mine.yaml"
    spec.write_text('formatspec: 1\nname: mine\nfiles:\n  image: "{name}.png"\n')
    assert "## Evidence" not in pages.format_page(load_source(spec))
    assert "| full |  | " in gallery.gallery_page([load_source(spec)], DOCS)


def test_what_a_spec_rests_on_is_not_inherited(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SEEN)
    (tmp_path / "heir.yaml").write_text("formatspec: 1\nname: heir\nextends: mine\n")
    assert load_source(tmp_path / "heir.yaml").spec.seen == ()
