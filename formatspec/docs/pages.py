"""Renders one page per format from its spec alone, and the pages of findings and codecs."""

from __future__ import annotations

import json
import re
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from formatspec.codecs import CODECS
from formatspec.docs import holds as held
from formatspec.engine.spec.compiled import Format, Role
from formatspec.findings.table import CODES
from formatspec.language.load import Source, bundled, load_source
from formatspec.language.schema import CategoryList, CategoryTable, SeenLevel
from formatspec.language.yaml_source import Node

SHOWN_LINES = 15
SHOWN_WIDTH = 100
_BINARY = (".png", ".jpg", ".jpeg", ".zip")
MARK = "<!-- rendered by `make docs`; change the spec or the code, not this page -->"
_SPANS = {"item": "one per item", "record": "one per object", "shared": "shared"}
_NEEDS = {"required": "required", "optional": "optional", "kept": "kept"}


@dataclass(frozen=True)
class Summary:
    """What pages and lists state about a format in short."""

    source: Source
    holds: tuple[str, ...]
    kept: tuple[str, ...]
    cannot: tuple[str, ...]
    by_option: tuple[str, ...]
    grade: held.Grade
    in_the_way: tuple[str, ...]
    lines: int

    @property
    def name(self) -> str:
        """The name of the format, as in `--to NAME`."""
        return self.source.name

    @property
    def title(self) -> str:
        """The format's title, as its spec states it."""
        return self.source.spec.title

    @property
    def seen(self) -> str:
        """The best evidence of the spec; empty if it states none."""
        told = {one.level for one in self.source.spec.seen}
        return next((level for level in get_args(SeenLevel) if level in told), "")

    @property
    def main(self) -> str:
        """The main kinds of annotations in the format, as one text."""
        return ", ".join(kind for kind in self.holds if kind in held.MAIN)


def summary(source: Source) -> Summary:
    """Return the summary of a spec, over all its layouts and options."""
    written = held.written_forms(source)
    told = {kind for form in held.read_forms(source) for kind in held.holds(form)}
    lacking = [set(held.cannot_hold(form)) for form in written]
    never, perhaps = set.intersection(*lacking), set().union(*lacking)
    grades = [held.write_grade(form) for form in written]
    worst = max(grades, key=lambda found: ("full", "update", "none").index(found[0]))
    return Summary(
        source=source,
        holds=held.in_order(told),
        kept=held.in_order(told & never),
        cannot=held.in_order(never - told),
        by_option=held.in_order(perhaps - never),
        grade=worst[0],
        in_the_way=worst[1],
        lines=lines_of(source),
    )


def bundled_sources() -> tuple[Source, ...]:
    """Return the specs that come with the package, sorted by name."""
    return tuple(load_source(file) for file in sorted(bundled().glob("*.yaml")))


def lines_of(source: Source) -> int:
    """Return the number of lines of a spec and the tables that it names, without its examples."""
    text = source.file.read_text(encoding="utf-8").splitlines()
    count, skipping = 0, False
    for line in text:
        if line[:1] not in ("", " ", "#", "-"):
            skipping = line.startswith("examples:")
        count += not skipping
    return count + sum(len(table.read_text(encoding="utf-8").splitlines()) for table in tables_of(source))


def tables_of(source: Source) -> tuple[Path, ...]:
    """Return the tables of categories that a spec names."""
    entries = [entry for layout in source.layouts for entry in layout.spec.categories]
    named = dict.fromkeys(entry.table for entry in entries if isinstance(entry, CategoryTable))
    return tuple(source.file.parent / name for name in named)


def format_page(source: Source) -> str:
    """Return the page of one format."""
    about = summary(source)
    form = held.written_forms(source)[0]
    parts = [
        f"# {source.spec.title or source.name}",
        MARK,
        source.spec.about.strip(),
        "\n".join(_facts(about)),
        "## What it holds",
        _holdings(about),
        "## Layout",
        _layouts(source, form),
        *_documents(form),
        *_section("Options", _options(source)),
        *_section("Subsets", _subsets(source)),
        *_section("Checks", _checks(source)),
        *_section("Evidence", _seen(source)),
        "## Example",
        _example(source),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, text: str) -> tuple[str, ...]:
    return (f"## {title}", text) if text else ()


def _facts(about: Summary) -> Iterator[str]:
    source, spec = about.source, about.source.spec
    yield f"- name: `{source.name}`, in [specs/{source.file.name}](../../specs/{source.file.name})"
    if spec.homepage:
        yield f"- homepage: <{spec.homepage}>"
    if spec.licence:
        yield f"- licence: {spec.licence}"
    if source.ancestors:
        parent = source.ancestors[-1]
        yield f"- extends [{parent}]({parent}.md)"
    tables = tables_of(source)
    with_tables = f", {', '.join(f'`{table.name}`' for table in tables)} included" if tables else ""
    yield f"- {about.lines} lines of YAML{with_tables}"
    yield f"- writing: **{about.grade}**{_GRADES[about.grade]}"
    for leaf in about.in_the_way:
        yield f"    - `{leaf}` cannot be made"


_GRADES = {
    "full": ": every file can be made from other formats' data",
    "update": ": what was read can be written back, but not made anew",
    "none": ": a required file cannot be made",
}


def _holdings(about: Summary) -> str:
    lines = [f"It holds {_listed(about.holds)}."]
    if about.by_option:
        lines.append(f"An option decides which of these are written: {_listed(about.by_option)}.")
    if about.kept:
        lines.append(f"Read, but not written from other formats' data: {_listed(about.kept)}.")
    if about.cannot:
        lines.append(f"It cannot hold {_listed(about.cannot)}: a conversion to it reports them as lost.")
    return "\n\n".join("\n".join(textwrap.wrap(line, 118)) for line in lines)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words) if words else "nothing but the images"


def _layouts(source: Source, form: Format) -> str:
    parts = [_roots(source), _fenced("\n".join(_tree(form)))]
    if any(role.kept for role in form.roles.values()):
        parts.append("A file that is *kept* is read and written back, but never made from other formats' data.")
    first = form.layout
    if len(source.layouts) > 1:
        parts.append(f"The engine writes this layout, *{first.variant}*. It also reads these:")
        others = []
        for layout in source.layouts[1:]:
            other = {name: role.path for name, role in layout.spec.files.items()}
            known = {name: role.path for name, role in first.spec.files.items()}
            moved = [f"{name} at `{path}`" for name, path in other.items() if known.get(name) != path]
            gone = [f"no {name}" for name in known if name not in other]
            said = ", ".join([*moved, *gone]) or "other contents in the same files"
            others.append(f"- *{layout.variant}*: {said}")
        parts.append("\n".join(others))
    parts.append(_names(form))
    return "\n\n".join(part for part in parts if part)


def _roots(source: Source) -> str:
    roots = [root for root in source.spec.root if root != "."]
    return f"A dataset may begin in {', '.join(f'`{root}`' for root in roots)}." if roots else ""


def _names(form: Format) -> str:
    lines = []
    if form.key_names:
        lines.append(f"The key of an item is {', '.join(f'`{name}`' for name in form.key_names)}.")
    sources = [_category_source(entry) for entry in form.spec.categories]
    if sources:
        lines.append(f"Categories come from {', else '.join(sources)}.")
    return " ".join(lines)


def _category_source(entry: object) -> str:
    if isinstance(entry, CategoryTable):
        return f"the table `{entry.table}` beside the spec{' (rows may name others)' if entry.open else ''}"
    if isinstance(entry, CategoryList):
        return f"`{entry.list}`, matched by {', '.join(f'`{slot}`' for slot in entry.match)}"
    return f"`{entry}`"


_Folder = dict[str, Any]


def _tree(form: Format) -> list[str]:
    """Return the layout as a tree, drawn from the path templates."""
    top: _Folder = {}
    for role in form.roles.values():
        *folders, name = _segments(role.spec.path)
        at = top
        for folder in folders:
            at = at.setdefault(folder + "/", {})
        at.setdefault(name + ("/" if role.folder else ""), {})[None] = role
    drawn = list(_drawn(top, ""))
    width = min(max(len(line) for line, _ in drawn), 64)
    return [f"{line:<{width}}  {_said(role)}" if role is not None else line for line, role in drawn]


def _segments(path: str) -> list[str]:
    return [part for part in re.split(r"/(?![^{]*\})", path) if part]


def _drawn(folder: dict[Any, Any], indent: str) -> Iterator[tuple[str, Role | None]]:
    names = [name for name in folder if name is not None]
    for name in names:
        last = name == names[-1]
        below = folder[name]
        yield f"{indent}{'└── ' if last else '├── '}{name}", below.get(None)
        yield from _drawn(below, indent + ("    " if last else "│   "))


def _said(role: Role) -> str:
    image = f", {' or '.join(role.spec.image)}" if role.spec.image else ""
    kind = f", {role.kind}" if role.kind and role.kind != "pixels" else image
    return f"{role.name}: {_NEEDS[role.spec.need]}, {_SPANS[role.span]}{kind}"


def _documents(form: Format) -> Iterator[str]:
    for role in form.documents:
        entry = form.layout.node.value["files"].value[role.name].value[role.kind]
        rows = list(_leaves(entry, ""))
        yield f"## {role.name}: `{role.spec.path}`"
        yield f"{_HEADS[role.kind or '']}{_spelled(role)}"
        place = "pixel" if role.kind == "pixels" else "place"
        yield table((place, "meaning"), [(literal(at), literal(text)) for at, text in rows])
        if role.spec.schema_ is not None:
            yield "A JSON Schema checks what the leaves do not say:"
            yield _fenced(json.dumps(role.spec.schema_, indent=2, ensure_ascii=False), "json")


_HEADS = {
    "json": "A JSON document.",
    "jsonl": "A JSON document a line.",
    "yaml": "A YAML document.",
    "xml": "An XML document.",
    "ini": "An INI file: keys and values in sections.",
    "pickle": "A pickle of plain data.",
    "csv": "A table.",
    "lines": "Lines of text.",
    "pixels": "A label image: each distinct value is a row, its pixels are the row's region.",
}


def _spelled(role: Role) -> str:
    said = []
    if role.spec.given:
        said.append("Given: " + ", ".join(f"`{name}` is `{value}`" for name, value in role.spec.given.items()) + ".")
    if role.spec.comment:
        said.append(f"Lines that begin with `{role.spec.comment}` are comments.")
    if role.spec.palette:
        said.append(f"Palette: `{role.spec.palette}`.")
    if role.spec.encoding != ("utf-8",):
        said.append(f"Encoding: {', else '.join(role.spec.encoding)}.")
    if role.spec.equal == "bytes":
        said.append("A copy to the same format is equal byte for byte.")
    return "".join(f" {words}" for words in said)


def _leaves(node: Node, at: str) -> Iterator[tuple[str, str]]:
    """Yield the leaves of a rule as its spec writes them, each with its place; `[]` is a row, `(1)` an alternative."""
    value = node.value
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0].value, dict) and ({"each", "one of"} & set(value[0].value)):
            yield from _leaves(value[0], f"{at}[]")
            return
        for place, one in enumerate(value):
            yield from _leaves(one, f"{at}[{place}]")
    elif isinstance(value, dict):
        if "each" in value:
            at = at if re.search(r"\[\](\(\d+\))*$", at) else f"{at}[]"
            yield at, f"each: {value['each'].value}"
        for key, one in value.items():
            if key == "each":
                continue
            if key == "one of":
                for place, choice in enumerate(one.value, 1):
                    yield from _leaves(choice, f"{at}({place})")
            else:
                inside = "" if key in ("lines", "line?") and at else key
                yield from _leaves(one, f"{at}.{inside}".strip(".") if inside else at)
    else:
        yield at or "line", "null" if value is None else node.raw


def _options(source: Source) -> str:
    rows = []
    for name, option in source.spec.options.items():
        follows = ", ".join(f"{choice} if there are {slot}" for slot, choice in option.follows.items())
        default = "" if option.default is None else literal(str(option.default))
        found = ", else the only one there is" if option.prefers else ""
        preferred = "the first there is of " + ", ".join(map(literal, option.prefers)) + found if option.prefers else ""
        told = default or follows or preferred
        rows.append((literal(name), ", ".join(map(str, option.choices)), told, option.about))
    return table(("option", "choices", "default", "about"), rows) if rows else ""


def _subsets(source: Source) -> str:
    rows = [(literal(name), ", ".join(others)) for name, others in source.spec.subsets.items()]
    return table(("subset", "other names for it"), rows) if rows else ""


def _checks(source: Source) -> str:
    rows = []
    for code, check in source.spec.checks.items():
        where = f" (where {check.where})" if check.where else ""
        rows.append((literal(code), check.level, literal(check.holds + where), check.say))
    return table(("code", "level", "what must be true", "message"), rows) if rows else ""


def _seen(source: Source) -> str:
    """Return the evidence that the spec states, one per line, the best first."""
    ranked = sorted(source.spec.seen, key=lambda one: get_args(SeenLevel).index(one.level))
    return "\n".join(
        f"- {one.level}: {f'<{one.source}>' if one.source.startswith(('https://', 'http://')) else one.source}"
        f"{f' ({one.note.strip()})' if one.note else ''}"
        for one in ranked
    )


def _example(source: Source) -> str:
    files = _sample(source.file)
    command = f"`formatspec sample {source.name} data --items 1 --seed 1` makes"
    parts = [command, _fenced("\n".join(sorted(files)))]
    texts = {path: data for path, data in files.items() if not path.lower().endswith(_BINARY)}
    if texts:
        path = max(sorted(texts), key=lambda name: len(texts[name]))
        lines = texts[path].decode("utf-8", "replace").splitlines()
        shown = [line if len(line) <= SHOWN_WIDTH else line[:SHOWN_WIDTH] + " …" for line in lines[:SHOWN_LINES]]
        parts += [f"and `{path}` begins", _fenced("\n".join([*shown, *(["…"] if len(lines) > SHOWN_LINES else [])]))]
    return "\n\n".join(parts)


def _sample(file: Path) -> dict[str, bytes]:
    from formatspec import api

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "data"
        api.sample(file, out, items=1, seed=1)
        return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown; cells are Markdown, and `|` in them is escaped."""
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def literal(text: str) -> str:
    """Return text as code in Markdown, on one line."""
    plain = " ".join(text.split())
    ticks = "``" if "`" in plain else "`"
    return f"{ticks}{plain}{ticks}"


def _fenced(text: str, language: str = "") -> str:
    return f"```{language or 'text'}\n{text}\n```"


def findings_page(sources: Iterable[Source]) -> str:
    """Return the page of all codes of findings: the engine's, and those that specs define."""
    own = [
        (literal(code), case.level, case.defect, case.scope, case.action, " ".join(case.also), known.hint)
        for code, known in CODES.items()
        for case in known.cases
    ]
    theirs = [
        (literal(code), f"[{source.name}](formats/{source.name}.md)", check.level, check.say)
        for source in sources
        for code, check in source.spec.checks.items()
    ]
    parts = [
        "# Findings",
        MARK,
        "Codes are stable and never reused. The level of a finding decides the exit status of `validate`. Its action "
        "decides what `convert` does; `--on CODE=ACTION` chooses another one. A spec may give a code another level "
        "(`levels`). `drop` leaves out the smallest unit that the finding is about: the object, or else the item. "
        "[Dirty data](dirty_data.md) explains levels and actions.",
        table(
            ("code", "level", "what is wrong", "it is about", "what convert does", "other actions", "what to do"), own
        ),
        *_section("Codes that specs define", table(("code", "spec", "level", "message"), theirs) if theirs else ""),
    ]
    return "\n\n".join(parts) + "\n"


def codecs_page() -> str:
    """Return the page of all codecs, by module."""
    import importlib

    by_module: dict[str, list[str]] = {}
    for name, factory in sorted(CODECS.items()):
        by_module.setdefault(factory.__module__, []).append(name)
    parts = [
        "# Codecs",
        MARK,
        "A codec is a pair of functions, one the inverse of the other. A leaf `slot | first | second` applies its "
        "codecs from left to right when it is written, and from right to left when it is read "
        "([Leaves](language/leaves.md)).",
    ]
    for module, names in sorted(by_module.items()):
        title = (importlib.import_module(module).__doc__ or "").strip().splitlines()[0]
        parts += [f"## {title.partition(':')[0].rstrip('.')}"]
        for name in names:
            parts += [f"### {name}", _docstring(CODECS[name].__doc__)]
    return "\n\n".join(parts) + "\n"


def _docstring(text: str | None) -> str:
    return "" if not text else textwrap.dedent("    " + text.strip()).strip()
