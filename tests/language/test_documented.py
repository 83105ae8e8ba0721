"""What the pages of the language show can be copied: each block with `files:` is a spec that keeps the laws."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

import formatspec as fs
from formatspec.engine.dataset.lint import compile_whole
from formatspec.language.functions import FUNCTIONS
from formatspec.language.load import load_source
from formatspec.language.schema import CheckSpec, FileSpec, OptionSpec, Seen, Spec, StyleSpec
from formatspec.model.slots import SLOTS, TABLES
from formatspec.testing import laws

DOCS = Path(fs.__file__).parent.parent / "docs"
PAGES = [DOCS / "language.md", *sorted((DOCS / "language").glob("*.md"))]
BLOCKS = {
    f"{page.stem}-{number}": block
    for page in PAGES
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S))
}
SPECS = {name: block for name, block in BLOCKS.items() if re.search("^files:", block, re.M)}
HEAD = "formatspec: 1\nname: copied\n"


def whole(block: str) -> str:
    """The block as a spec: with a head, and with a role where it shows a word of the top level alone."""
    headed = block if block.startswith("formatspec:") else HEAD + block
    return headed if re.search("^files:", block, re.M) else headed + 'files: {image: "{name}.{ext:image}"}\n'


def test_there_are_blocks() -> None:
    assert len(SPECS) >= 20 and len(BLOCKS) > len(SPECS)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_a_spec(name: str, tmp_path: Path) -> None:
    file = tmp_path / "copied.yaml"
    file.write_text(whole(BLOCKS[name]), "utf-8")
    compile_whole(load_source(file))


@pytest.mark.parametrize("name", SPECS)
def test_a_block_keeps_the_laws(name: str, tmp_path: Path) -> None:
    file = tmp_path / "copied.yaml"
    file.write_text(whole(SPECS[name]), "utf-8")
    source = load_source(file)
    for run in range(5):
        laws.hold(source, random.Random(run))


def test_every_word_of_a_spec_has_its_row() -> None:
    """Each word of the top level, of a role, of a style, of an option and of a check begins a row of a table."""
    rows = {
        word
        for page in PAGES
        for row in re.findall(r"^\| (`.*?) \|", page.read_text("utf-8"), re.M)
        for word in re.findall(r"`([^`]+)`", row)
    }
    for model in (Spec, FileSpec, StyleSpec, OptionSpec, CheckSpec, Seen):
        words = {field.alias or name for name, field in model.model_fields.items()}
        assert words - rows == set(), model.__name__


def test_every_slot_table_and_function_has_its_row() -> None:
    slots = (DOCS / "language" / "slots.md").read_text("utf-8")
    for kind in ("item", "object", "category", "label", "caption", "area", "void"):
        for slot in SLOTS[kind]:
            name = re.sub(r"category\..*", "category.*", slot)
            assert re.search(rf"^\|.*`{re.escape(name)}`", slots, re.M), f"{kind}: {slot}"
    assert all(f"\n| `{name}` |" in (DOCS / "language" / "tables.md").read_text("utf-8") for name in TABLES)
    expressions = (DOCS / "language" / "expressions.md").read_text("utf-8")
    assert all(re.search(rf"^\|.*`{name}\(", expressions, re.M) for name in FUNCTIONS)


def examples(record: str) -> list[str]:
    """The examples of slots that are keys of a row, below the heading of a kind of record."""
    section = (DOCS / "language" / "slots.md").read_text("utf-8").partition(f"\n## {record}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\|.*\| `([^`]+)` \|$", section, re.M)
    return [cell.replace("\\|", "|") for cell in cells if re.match(r'"?[a-z]', cell)]


@pytest.mark.parametrize(
    ("record", "least", "row"), [("Object", 20, "objects"), ("Category", 9, "categories"), ("Item", 9, "items")]
)
def test_the_examples_of_slots_are_leaves(record: str, least: int, row: str, tmp_path: Path) -> None:
    found = [one for one in examples(record) if not one.startswith("RGB")]
    assert len(found) >= least
    for example in found:
        file = tmp_path / "copied.yaml"
        whose = "of: image.path" if row != "categories" else "of: keep else 0"
        role = f"path: rows.json\n    json:\n      - each: {row}\n        {whose}\n        {example}\n"
        file.write_text(f'{HEAD}files:\n  image: "{{name}}.{{ext:image}}"\n  rows:\n    {role}', "utf-8")
        compile_whole(load_source(file))
