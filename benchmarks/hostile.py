"""How the time of every text-like reader grows with hostile input: at 1, 2, 4 and 8 times a length.

Ends with 1 if a doubling takes more than 2.5 times as long. Arguments name the readers to measure (`json: keys`);
without any all are. `make hostile` also prints what each bomb takes of memory.
"""

from __future__ import annotations

import gc
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from formatspec.cli.main import OBJECTS_BETWEEN_COLLECTIONS
from formatspec.engine.resolve.json_schema import compile_schema
from formatspec.engine.spec.compiled import compile_format
from formatspec.files import csv_file, ini_file, json_file, jsonl_file, xml_file, yaml_file
from formatspec.files.document import FileError
from formatspec.language.load import load_source
from formatspec.model.limits import set_limits
from formatspec.paths.globs import matches
from formatspec.paths.templates.formats import field
from formatspec.paths.templates.template import Template, compile_template

TIMES = (1, 2, 4, 8)
MOST = 2.5
"""How much longer each doubling may take."""
ENOUGH = 0.01
"""Seconds that the longest must take for its growth to be measured."""
SPENT = 0.25
"""Seconds of the processor that each length is given at least, so that a short one is run many times a round."""
ROUNDS = 5
"""Rounds over all lengths; the median of a length's runs counts, and nothing is measured a second time."""

Run = Callable[[int], Callable[[], object]]
"""Makes input of a length, and gives what reads it."""


def lines() -> Iterator[tuple[str, int, Run]]:
    """Lines of several templates, each of one unit over and over."""
    templates = {
        "box and name": "{bbox | sides | numbers(4)} {category.name:word} {score?:f}",
        "name between numbers": "{category.name} {polygon | flat} {attributes.x}",
        "ring and name": "{polygon | flat(8)} {category.name} {attributes.difficult | flag else false}",
        "class and outline": "{category.index:d} {polygon | flat | normalized}",
        "class, box and points": "{category.index:d} {bbox | cxcywh | normalized} {keypoints | triplets}",
        "texts apart": "{attributes.a}:{attributes.b}:{attributes.c}:{attributes.d}",
    }
    with TemporaryDirectory() as folder:
        for name, template in templates.items():
            file = Path(folder) / "s.yaml"
            file.write_text(
                'formatspec: 1\nname: my_lines\nfiles:\n  image: "{name}.{ext:image}"\n'
                f'  labels: {{path: "{{name}}.txt", lines: {{each: objects, lines: "{template}"}}}}\n',
                encoding="utf-8",
            )
            source = load_source(file)
            load_source.__globals__["_load"].cache_clear()
            codec = compile_format(source, source.layouts[0]).roles["labels"].codec
            assert codec is not None
            for unit in ("9", "9 ", "a ", "9:"):
                yield f"lines: {name}, of {unit!r}", 40_000, _decoding(codec.decode, unit)


def _decoding(decode: Callable[[bytes], object], unit: str, start: str = "", end: str = "") -> Run:
    def prepared(length: int) -> Callable[[], object]:
        data = (start + (unit * (length // len(unit) + 1))[:length] + end).encode()

        return _unless_refused(decode, data)

    return prepared


def documents() -> Iterator[tuple[str, int, Run]]:
    """Documents of one unit over and over, well formed and not."""
    yield "csv: cells", 6_400_000, _decoding(csv_file.decode, "a,", "x\n")
    yield "csv: columns", 3_200_000, _numbered(csv_file.decode, "c{n},", "", "c")
    yield "csv: quotes", 16_000_000, _decoding(csv_file.decode, '""', 'a,b\n"')
    yield "csv: rows", 400_000, _decoding(csv_file.decode, "1,2\n", "a,b\n")
    yield "xml: attributes", 400_000, _numbered(xml_file.decode, ' a{n}="1"', "<a", "/>")
    yield "xml: elements", 400_000, _decoding(xml_file.decode, "<b/>", "<a>", "</a>")
    yield "xml: text", 2_000_000, _decoding(xml_file.decode, "&amp;", "<a>", "</a>")
    yield "xml: comments before", 2_000_000, _decoding(xml_file.decode, "<!-- -->", "", "<a/>")
    yield "xml: nothing but brackets", 2_000_000, _decoding(xml_file.decode, "<")
    yield "json: numbers", 800_000, _decoding(json_file.decode, "1,", "[", "1]")
    yield "json: keys", 6_400_000, _numbered(json_file.decode, '"k{n}":1,', "{{", '"":1}}')
    yield "json: lists that never close", 800_000, _decoding(json_file.decode, "[")
    yield "json: escapes", 2_000_000, _decoding(json_file.decode, "\\u0041", '["', '"]')
    yield "json: a long number", 2_000_000, _decoding(json_file.decode, "9", "[", "]")
    yield "jsonl: rows", 1_600_000, _decoding(jsonl_file.decode, '{"a": 1}\n')
    yield "yaml: rows", 60_000, _decoding(yaml_file.decode, "- {a: 1}\n")
    yield "yaml: aliases", 60_000, _decoding(yaml_file.decode, "- *x\n", "- &x [1, 2]\n")
    yield "yaml: brackets", 400_000, _decoding(yaml_file.decode, "[")
    yield "yaml: a long number", 400_000, _decoding(yaml_file.decode, "9", "a: ")
    yield "ini: sections", 400_000, _numbered(ini_file.decode, "[s{n}]\na = 1\n", "", "")
    yield "ini: keys", 400_000, _numbered(ini_file.decode, "k{n} = 1\n", "[s]\n", "")


def _unless_refused(decode: Callable[[bytes], object], data: bytes) -> Callable[[], object]:
    """What decodes the data; a document that is refused is as good as one that is read."""

    def run() -> object:
        try:
            return decode(data)
        except FileError:
            return None

    return run


def _numbered(decode: Callable[[bytes], object], unit: str, start: str, end: str) -> Run:
    def prepared(length: int) -> Callable[[], object]:
        data = (start.replace("{{", "{") + _body(unit, length) + end.replace("}}", "}")).encode()

        return _unless_refused(decode, data)

    return prepared


def _body(unit: str, length: int) -> str:
    """A unit over and over, each time with another number."""
    return "".join(unit.format(n=n) if "{n}" in unit else unit for n in range(length // (len(unit) + 2)))


def templates() -> Iterator[tuple[str, int, Run]]:
    """Templates of paths and other patterns over long texts."""
    made = {
        "five names": compile_template(
            [*(p for n in "abcde" for p in (field(n), "-")), field("x", "x|!!")], limit=1 << 24
        ),
        "three paths": compile_template(
            [*(p for n in "abc" for p in (field(n, "path"), "-")), field("d", "x|!!")], limit=1 << 24
        ),
    }
    for name, template in made.items():
        for unit in ("-", "a-/", "1"):
            yield f"templates: {name}, of {unit!r}", 40_000, _matching(template, unit)
    glob = "**/a*a*a*b/**/*c"
    yield "globs", 200_000, lambda length: _call(matches, "a/" * (length // 2), glob)
    schema = compile_schema({"properties": {"x": {"pattern": "^(a+)+$"}}})
    yield "JSON Schema patterns", 2_000_000, lambda length: _call(lambda x: list(schema(x)), {"x": "a" * length + "!"})


def _matching(template: Template, unit: str) -> Run:
    return lambda length: _call(template.match, (unit * length)[:length])


def _call(act: Callable[..., object], *given: object) -> Callable[[], object]:
    return lambda: act(*given)


def measured(runs: Sequence[Callable[[], object]]) -> list[float]:
    """Seconds of the processor for each run, the median of its rounds; the rounds take turns over the runs, so that a
    slow moment of the machine falls on all of them."""
    spent = [[_seconds(run)] for run in runs]
    times = [max(1, round(SPENT / ROUNDS / max(one[0], 1e-9))) for one in spent]
    for _ in range(ROUNDS):
        for one, run, count in zip(spent, runs, times, strict=True):
            one.extend(_seconds(run) for _ in range(count))
    return [statistics.median(one) for one in spent]


def _seconds(run: Callable[[], object]) -> float:
    """Seconds of the processor that a run takes."""
    began = time.process_time()
    run()
    return time.process_time() - began


PLAIN: Mapping[str, Callable[[int], Callable[[], object]]] = {
    "json: keys": lambda length: _call(_plain_keys, _body('"k{n}":1,', length).encode()),
    "csv: columns": lambda length: _call(_plain_names, _body("c{n},", length).encode()),
}
"""The least that anybody must do for readers whose one table of names outgrows the caches of the processor."""
MOST_OF_CACHES = 1.25
"""How much more than twofold the growth of what is plain may be and be allowed for: with more, a reader whose time
grows with the square, and so fourfold, would come through."""


def _plain_keys(data: bytes) -> dict[str, int]:
    return dict.fromkeys(data.decode().split(","), 1)


def _plain_names(data: bytes) -> tuple[tuple[str, ...], set[str]]:
    names = tuple(data.decode().split(","))
    return names, set(names)


def judged(seconds: Sequence[float], plain: Sequence[float] | None = None) -> float:
    """How much longer the worst doubling takes, beside what the caches of the processor alone make of it.

    A table that outgrows the caches costs more for each name, whoever puts the names there. Where `plain` has the times
    of doing just that, at the same lengths and in the same rounds, each growth is divided by half of that one, which
    counts as at least 1 and at most MOST_OF_CACHES.
    """
    growths = _growths(seconds)
    allowed = [1.0] * len(growths) if plain is None else [growth / 2 for growth in _growths(plain)]
    return max(growth / min(max(one, 1.0), MOST_OF_CACHES) for growth, one in zip(growths, allowed, strict=True))


def _growths(seconds: Sequence[float]) -> list[float]:
    return [after / max(before, 0.001) for before, after in itertools.pairwise(seconds)]


def main() -> int:
    """Print a line for each reader and unit."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)  # as the command line has it
    set_limits({"values": 1 << 40, "cell": 1 << 30})  # what is refused at once says nothing of how it is read
    chosen = frozenset(sys.argv[1:])
    grown = []
    print(f"{'':42}" + "".join(f"{f'{n} x':>10}" for n in TIMES) + "   the worst doubling")
    for group in (lines, documents, templates):
        for name, length, prepare in group():
            if chosen and name not in chosen:
                continue
            runs = [prepare(length * n) for n in TIMES]
            beside = [PLAIN[name](length * n) for n in TIMES] if name in PLAIN else []
            seconds = measured([*runs, *beside])
            seconds, plain = seconds[: len(TIMES)], seconds[len(TIMES) :] or None
            worst = judged(seconds, plain)
            is_measured = seconds[-1] >= ENOUGH  # of what takes less nothing is said
            shown = "".join(f"{one * 1000:8.1f}ms" for one in seconds)
            told = f"{worst:.2f}" if is_measured else "-"
            if plain is not None:
                own, other = (" ".join(f"{one:.2f}" for one in _growths(times)) for times in (seconds, plain))
                told += f" ({own}, beside {other} of a plain table)"
            print(f"{name:42}{shown}   {told}", flush=True)
            if is_measured and worst > MOST:
                grown.append(name)
    print(json.dumps({"grew by more than 2.5 times in a doubling": grown}))
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
