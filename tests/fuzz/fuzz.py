"""Random input for one reader, guided by what it reaches: `python tests/fuzz/fuzz.py TARGET [SECONDS]`.

A reader may refuse input with its own error; anything else ends the run, and the input is written beside it.

A target runs in a new process after every `RUNS` inputs, which goes on with the corpus that it finds: comparisons of
NumPy values that atheris traces are never freed (5 KB for each run of `rows`, none without the tracing).
"""

from __future__ import annotations

import contextlib
import io
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["formatspec"]):
    from formatspec.api import load_spec
    from formatspec.engine.spec.compiled import compile_format
    from formatspec.files import images, json_file, xml_file
    from formatspec.files.document import FileError
    from formatspec.files.rows import json_rows
    from formatspec.language import expression
    from formatspec.language.errors import SpecError
    from formatspec.language.load import load_source
    from formatspec.language.values import ExpressionError
    from formatspec.model.plain.image_error import ImageError
    from formatspec.paths.templates.formats import field
    from formatspec.paths.templates.syntax import Placeholder, TemplateSyntaxError, split
    from formatspec.paths.templates.template import compile_template
    from formatspec.pixels import containers

RUNS = 100_000
SEEDS = {"rows": ("*.json",), "xml": ("*.xml",), "lines": ("*.txt",), "png": ("*.png",)}
"""Which files of the examples a target begins with."""
SEEDS_TAKEN = 40
HERE = Path(__file__).parent
SPECS = HERE.parent.parent / "specs"


def specs(data: bytes) -> None:
    """The loader of specs: everything that a spec's file may hold."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "s.yaml"
        file.write_bytes(data)
        with contextlib.suppress(SpecError):
            load_spec(file)


def templates(data: bytes) -> None:
    """The syntax of templates, and a match of the rest of the input."""
    text, _, line = data.decode("utf-8", "replace").partition("\n")
    try:
        parts = [
            field(*part.text.split(":", 1)) if isinstance(part, Placeholder) else part.text for part in split(text)
        ]
        template = compile_template(parts, limit=1 << 16)
    except (TemplateSyntaxError, ValueError):
        return
    found = template.match(line)
    assert (found is None) == bool(template.explain(line))


class _Anything:
    """A scope in which every name is a number, and every table has two rows."""

    def value(self, name: str) -> expression.Getter:
        return lambda context: len(name)

    def counts_zero(self, name: str) -> bool:
        return False

    def table(self, name: str) -> object:
        return (lambda context: (1, 2), self) if name == "objects" else None


def expressions(data: bytes) -> None:
    """The syntax of expressions, and their evaluation."""
    try:
        parsed = expression.parse(data.decode("utf-8", "replace"))
        expression.compile_expression(parsed, _Anything())(None)  # type: ignore[arg-type]
    except (expression.ExpressionSyntaxError, ExpressionError, expression.UnknownNameError):
        return


def rows(data: bytes) -> None:
    """JSON documents, decoded whole and sought row by row."""
    with contextlib.suppress(FileError):
        json_file.decode(data)
    for seek in (
        lambda read: json_rows.scan(read, [("a",), ("a", "b")], lambda *found: None, 64),
        lambda read: json_rows.beginning(read, 2, 64),
    ):
        with contextlib.suppress(json_rows.NotRowsError):
            seek(io.BytesIO(data).read)


def xml(data: bytes) -> None:
    """XML documents, and the places in them."""
    try:
        document = xml_file.decode(data)
    except FileError:
        return
    xml_file.locate(data, (next(iter(document)),))


def _line_codecs() -> list[Callable[[bytes], object]]:
    found = []
    for name in ("dota", "kitti_detection", "yolo_ultralytics", "ade20k2017", "celeba", "mot_seq"):
        source = load_source(SPECS / f"{name}.yaml")
        for role in compile_format(source, source.layouts[0]).roles.values():
            found += [role.codec.decode] if role.kind == "lines" and role.codec is not None else []
    return found


def lines(data: bytes) -> None:
    """Text lines by the templates of several specs."""
    for decode in _LINES:
        with contextlib.suppress(FileError):
            decode(data)


def png(data: bytes) -> None:
    """Headers of images, and label images."""
    for read in (images.probe, containers.read_header, containers.decode):
        with contextlib.suppress(ImageError):
            read(b"\x89PNG\r\n\x1a\n" + data)


TARGETS = {
    "specs": specs,
    "templates": templates,
    "expressions": expressions,
    "rows": rows,
    "xml": xml,
    "lines": lines,
    "png": png,
}
_LINES: list[Callable[[bytes], object]] = []


def _seeds(target: str) -> list[Path]:
    """Files of the examples that a target reads: without them random input never gets past a document's beginning."""
    files = [file for pattern in SEEDS.get(target, ()) for file in (SPECS / "examples").rglob(pattern)]
    return sorted(file for file in files if file.is_file() and file.stat().st_size < 4096)


def fuzz(target: str, seconds: int) -> None:
    """Fuzz one target in this process."""
    if target == "lines":
        _LINES.extend(_line_codecs())
    corpus = HERE / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    if target == "specs":
        for file in random.Random(0).sample(sorted(SPECS.glob("*.yaml")), 20):
            (corpus / file.name).write_bytes(file.read_bytes())
    for file in random.Random(0).sample(_seeds(target), min(SEEDS_TAKEN, len(_seeds(target)))):
        data = file.read_bytes()
        (corpus / "-".join(file.relative_to(SPECS).parts[1:])).write_bytes(data[8:] if target == "png" else data)
    options = [f"-max_total_time={seconds}", f"-runs={RUNS}", "-timeout=20", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={HERE}/{target}-", str(corpus)], TARGETS[target])
    atheris.Fuzz()


def main() -> int:
    """Fuzz one target in one process after another; gives the exit code of the first that fails."""
    target, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600
    if "--here" in sys.argv:
        fuzz(target, seconds)
    end = time.monotonic() + seconds
    while (left := int(end - time.monotonic())) > 0:
        code = subprocess.run([sys.executable, __file__, target, str(left), "--here"], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
