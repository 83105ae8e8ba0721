"""Checks objects as the target will state them, with the target's levels, before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from formatspec.engine.evaluate.unbounded import box_of
from formatspec.engine.spec.compiled import Format
from formatspec.findings.finding import Finding
from formatspec.findings.table import CODES
from formatspec.model import derive
from formatspec.model.flaws import Size, flaws
from formatspec.model.records import Item, Object


class Refusal(NamedTuple):
    """An error in the target: the finding, the index of the object in its item, and the slot at fault."""

    finding: Finding
    about: int
    slot: str


class TargetJudge:
    """Finds what validation of the written dataset would find about its objects.

    Attributes:
        unheld: Which of lines and keypoints the target does not hold. An object that has nothing else has no box there.
    """

    def __init__(self, form: Format, unheld: frozenset[str] = frozenset()) -> None:
        """Take the target's layout; see the class for `unheld`."""
        self.form = form
        self.unheld = unheld
        self.slots = tuple(dict.fromkeys(leaf.slot for leaf in form.levels.leaves))
        self.is_stricter = bool(form.levels) and bool(self.slots)
        """Whether the target treats something as an error that other formats do not."""

    def refusals(self, item: Item, size: Size | None, stated: bool = True) -> Iterator[Refusal]:
        """Yield the errors that the item's objects would be in the target.

        Args:
            item: The item.
            size: Width and height of its image, in pixels.
            stated: Whether to check values that the source states as well. This can be left out if the source's own
                validation found nothing wrong with them.
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
    """Return the value of a slot that the target states; a circle's outline may follow from other slots."""
    value = getattr(thing, slot)
    if slot == "polygons" and not value and thing.region is None:
        return derive.outlines_around(thing)
    return box_of(thing, unheld) if slot == "bbox" and value is None else value
