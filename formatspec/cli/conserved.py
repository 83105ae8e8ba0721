"""A short check of the law of conservation, for `lint`.

Generated datasets of a spec are converted. The output is read back and compared with what was handed to the writers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import formatspec.api as fs
from formatspec.engine.export.errors import CannotWriteError
from formatspec.language.errors import SpecError
from formatspec.language.load import available, folders
from formatspec.run.conversion.plan import RefusedError, UnaccountedError
from formatspec.testing.carry import LawBrokenError
from formatspec.testing.damage import put_damaged
from formatspec.testing.read_back import read_output, recorded, unexplained

ITEMS = 3
TARGETS_FILE = "usual_targets.txt"
"""A file beside the specs of the catalogue: the formats to which a new one is converted, one per line."""


class Conserved(NamedTuple):
    """How many conversions of a generated dataset were made, and what is wrong with them."""

    made: int
    wrong: tuple[str, ...]


def usual_targets() -> tuple[str, ...]:
    """Return the formats of the catalogue to which `lint` converts; none if the catalogue is hidden."""
    known = available()
    lists = [folder / TARGETS_FILE for folder in folders() if (folder / TARGETS_FILE).is_file()]
    return tuple(name for one in lists[:1] for name in one.read_text("utf-8").split() if name in known)


def conserved(spec: str, seed: int, targets: Sequence[str]) -> Conserved:
    """Convert a generated dataset of a spec, and a copy with one small fault, and read the outputs back.

    The damaged copy is converted without its faulty parts. If its findings stop the conversion anyway, it does not
    count.

    Args:
        spec: The spec's name or file.
        seed: The seed of the generator; it also chooses the fault of the copy.
        targets: Names or files of the specs to convert to.
    """
    made, wrong = 0, list[str]()
    with tempfile.TemporaryDirectory(prefix="formatspec-lint-") as folder:
        whole, damaged = Path(folder, "whole"), Path(folder, "damaged")
        try:
            fs.sample(spec, whole, items=ITEMS, seed=seed)
        except (LawBrokenError, CannotWriteError):
            return Conserved(0, ())  # the other laws report this
        kind = put_damaged(whole, damaged, seed)
        for to in dict.fromkeys(targets):
            for data, fault in ((whole, ""), (damaged, kind))[: 2 if kind else 1]:
                about = f", {fault}, to {to}" if fault else f", to {to}"
                found = _told(spec, data, to, Path(folder, f"out-{made}-{len(wrong)}-{data.name}"), bool(fault))
                if found is not None:
                    made += 1
                    wrong += [f"{about}: {one}" for one in found]
    return Conserved(made, tuple(wrong))


def _told(spec: str, data: Path, to: str, out: Path, is_damaged: bool) -> list[str] | None:
    """Return what is wrong with one conversion; None if it was refused because of its data."""
    on = ("error=drop",) if is_damaged else ()
    try:
        with recorded() as (handed, options):
            result = fs.convert(data, spec=spec, to=to, out=out, workers=1, where="true", on=on)
        back = read_output(out, to, options)
    except UnaccountedError as fault:
        return list(_lines(fault))
    except (RefusedError, SpecError) as refused:
        is_expected = is_damaged or (isinstance(refused, RefusedError) and refused.findings)
        return None if is_expected else [f"refused without a finding: {refused}"]
    lines = {(line["what"], line["unit"]): line["count"] for line in result.loss_report}
    return unexplained(handed, back.items, lines, back.aside)


def _lines(fault: UnaccountedError) -> Iterator[str]:
    yield from fault.losses or (str(fault),)
