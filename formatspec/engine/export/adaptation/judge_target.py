"""Objects judged as a target will state them, at the target's levels, before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from formatspec.engine.evaluate.write_context import box_of
from formatspec.engine.spec.compiled import Format
from formatspec.findings.finding import Finding
from formatspec.findings.table import CODES
from formatspec.model import derive
from formatspec.model.flaws import Size, flaws
from formatspec.model.records import Item, Object


class Refusal(NamedTuple):
    """An error in the target: the finding, the object's place among its item's, the slot at fault."""

    finding: Finding
    about: int
    slot: str


class TargetJudge:
    """What the target's own validation would say of objects.

    unheld: which of lines and keypoints the target has no place for, so that an object of nothing else has no box.
    """

    def __init__(self, form: Format, unheld: frozenset[str] = frozenset()) -> None:
        """Take the target's layout; see the class for `unheld`."""
        self.form = form
        self.unheld = unheld
        self.slots = tuple(dict.fromkeys(leaf.slot for leaf in form.levels.leaves))
        self.is_stricter = bool(form.levels) and bool(self.slots)
        """Whether the target calls an error what other formats do not."""

    def refusals(self, item: Item, size: Size | None, stated: bool = True) -> Iterator[Refusal]:
        """The errors that an item's objects would be in the target.

        stated: judge what the source states too; it need not be where nothing was found wrong with it there.
        """
        for place, thing in enumerate(item.objects):
            for slot in self.slots:
                if not stated and getattr(thing, slot):
                    continue
                value = _value(thing, slot, self.unheld)
                if not value:
                    continue
                for flaw in flaws(slot, value, size):
                    case = CODES[flaw.code].case(flaw.case)
                    level = self.form.levels.of(flaw.code, case.level, slot, value, size)
                    if level != "error":
                        continue
                    finding = Finding(
                        code=flaw.code, case=flaw.case, level="error", scope="object", item=item.key, object=thing.id,
                        message=f"in the target, {self.form.name}: {flaw.message}", expected=flaw.expected or None,
                        file=item.image.path if item.image else None, got=repr(value)[:80],
                    )  # fmt: skip
                    yield Refusal(finding, place, slot)


def _value(thing: Object, slot: str, unheld: frozenset[str]) -> Any:
    """What a target states of a slot: a box, and the outline of a round thing, follow from what else there is."""
    value = getattr(thing, slot)
    if slot == "polygons" and not value and thing.region is None:
        return derive.outlines_around(thing)
    return box_of(thing, unheld) if slot == "bbox" and value is None else value
