"""The site has every page: in its navigation, or in the gallery of formats.  These tests need no mkdocs."""

from __future__ import annotations

import importlib.util
import posixpath
import re
from pathlib import Path
from types import ModuleType

import pytest

import formatspec

ROOT = Path(formatspec.__file__).parent.parent
DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text("utf-8")
NAV = re.findall(r"([\w/]+\.md)$", CONFIG.partition("\nnav:\n")[2], re.M)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)(?:#([^)\s]*))?\)")


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """The hook that mkdocs loads."""
    spec = importlib.util.spec_from_file_location("site_hook", ROOT / "tools" / "site_hook.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation_or_in_the_gallery(hook: ModuleType) -> None:
    gallery = (DOCS / "formats" / "README.md").read_text("utf-8")
    listed = {f"docs/formats/{name}" for name in re.findall(r"\]\((\w+\.md)\)", gallery)}
    known = {hook.site_path(page): page for page in PAGES if page not in listed}
    assert set(NAV) == set(known)
    assert len(NAV) == len(set(NAV))


def test_folders_of_pages_are_small() -> None:
    assert len(list((DOCS / "language").glob("*"))) <= 12


@pytest.mark.parametrize("page", [page for page in PAGES if not page.startswith("docs/formats/")])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    for target, place in LINK.findall(text):
        path = ROOT / posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        assert path.exists(), f"{page}: {target}"
        if place and path.suffix == ".md":
            heads = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
            assert place in {anchor(head) for head in heads}, f"{page}: {target}#{place}"


def anchor(head: str) -> str:
    """The name by which a code host links to a heading."""
    return re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-")


def test_links_are_mended_for_the_site(hook: ModuleType) -> None:
    mend = hook.mend_links
    assert mend("[a](docs/language.md#leaves)", "README.md") == "[a](language.md#leaves)"
    assert mend("[a](../SECURITY.md)", "docs/scale.md") == "[a](security.md)"
    assert mend("[a](../../specs/coco.yaml)", "docs/formats/coco.md") == "[a](../specs/coco.yaml)"
    assert mend("[a](roles.md) [b](../codecs.md)", "docs/language/leaves.md") == "[a](roles.md) [b](../codecs.md)"
    assert mend("[a](https://example.org/docs/x.md) [b](#here)", "README.md") == (
        "[a](https://example.org/docs/x.md) [b](#here)"
    )


def test_bars_in_code_of_tables_are_plain(hook: ModuleType) -> None:
    assert hook.plain_bars("| `a \\| b` | c \\| d |\n`a \\| b`") == "| `a | b` | c \\| d |\n`a \\| b`"


def test_the_reference_has_every_public_name() -> None:
    named = re.findall(r"^::: formatspec\.(\w+)$", (DOCS / "api.md").read_text("utf-8"), re.M)
    assert sorted(named) == sorted(set(formatspec.__all__) - {"__version__"})
