"""`python -m formatspec.docs FOLDER` writes the rendered pages and removes those of formats that are gone."""

from __future__ import annotations

import sys
from pathlib import Path

from formatspec.docs.gallery import pages


def main(folder: Path) -> None:
    """Write all pages below the folder."""
    rendered = pages(folder)
    for path, text in rendered.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    for file in (folder / "formats").glob("*.md"):
        if f"formats/{file.name}" not in rendered:
            file.unlink()
    print(f"{folder}: {len(rendered)} pages")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("python -m formatspec.docs FOLDER")
    main(Path(sys.argv[1]))
