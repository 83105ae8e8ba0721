"""A hook of mkdocs: it adds the pages that lie outside docs to the site, and mends the links between both places.

The pages of this project are read on a code host as well, where a link follows the folders of the repository.  The site
has docs/ as its top folder, so a link such as `../../specs/coco.yaml` or `docs/language.md` needs another path there.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""The pages at the top of the repository, each with its path in the site."""
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)\s#]+)(#[^)\s]*)?(?=\))")
_CODE = re.compile(r"`[^`\n]+`")


def site_path(path: str) -> str | None:
    """Map the path of a file in the repository to its path in the site.

    Args:
        path: A path below the repository's top folder, with forward slashes.

    Returns:
        The path below the site's top folder; None for a file that the site does not have.
    """
    if path in PAGES:
        return PAGES[path]
    if path.startswith("specs/"):
        return path
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def mend_links(markdown: str, page: str) -> str:
    """Rewrite the links of a page so that they hold in the site.

    Args:
        markdown: The text of the page.
        page: The page's path in the repository.

    Returns:
        The text, in which a link to a file of the site is relative to the page's path in the site.
    """
    here = posixpath.dirname(site_path(page) or page)

    def mended(link: re.Match[str]) -> str:
        there = site_path(posixpath.normpath(posixpath.join(posixpath.dirname(page), link[1])))
        return link[0] if there is None else posixpath.relpath(there, here or ".") + (link[2] or "")

    return _LINK.sub(mended, markdown)


def plain_bars(markdown: str) -> str:
    r"""Replace `\|` by `|` in the code spans of tables.

    A code host needs the backslash there; Python-Markdown would print it.
    """
    lines = markdown.split("\n")
    return "\n".join(
        _CODE.sub(lambda code: code[0].replace("\\|", "|"), line) if line.startswith("|") else line for line in lines
    )


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages at the top of the repository, and the specs that the pages of formats link to."""
    from mkdocs.structure.files import File

    top = Path(config.docs_dir).parent
    for name, path in PAGES.items():
        files.append(File.generated(config, path, content=(top / name).read_text("utf-8")))
    for spec in sorted((top / "specs").glob("*.yaml")):
        files.append(File.generated(config, f"specs/{spec.name}", abs_src_path=str(spec)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Mend one page's links and tables."""
    path = page.file.src_uri
    source = next((name for name, there in PAGES.items() if there == path), f"docs/{path}")
    return plain_bars(mend_links(markdown, source))
