"""What a conversion is asked to do, its result, and the reasons for refusing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

from formatspec.engine.conservation.tally import Imbalance
from formatspec.findings.finding import Finding
from formatspec.policy.rules import Policy
from formatspec.policy.tell import Done
from formatspec.run.select import NewName

Media = Literal["copy", "link", "none"]


class RefusedError(ValueError):
    """A conversion was refused, and nothing was written.

    Attributes:
        findings: The findings that prevent it.
        losses: The losses that prevent it.
        ways: The options that would let it pass.
    """

    def __init__(
        self, message: str, findings: tuple[Finding, ...] = (), losses: tuple[str, ...] = (), ways: tuple[str, ...] = ()
    ) -> None:
        """Take the message, and its reasons; see the class."""
        super().__init__(message)
        self.findings = findings
        self.losses = losses
        self.ways = ways


class UnaccountedError(RefusedError):
    """A conversion was refused because the report would miss a loss. This is a bug of formatspec."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversion wrote, what it did about findings, and what the target could not hold.

    Attributes:
        source: The name of the source's format.
        target: The name of the target's format.
        out: Where the output is.
        items: How many items were written.
        skipped: How many were left out.
        skipped_objects: How many objects were left out with them.
        files: How many files were written.
        losses: The lines of the loss report.
        loss_report: The same as data.
        findings: What is wrong with the source.
        notices: What else the user should know.
        actions: What was done about findings, with counts.
        unaccounted: Records that are lost without a line, if `allow_unaccounted` let the conversion pass.
    """

    source: str
    target: str
    out: str
    items: int
    skipped: int
    skipped_objects: int = 0
    files: int
    losses: tuple[str, ...]
    loss_report: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    notices: tuple[str, ...] = ()
    actions: tuple[Done, ...] = ()
    unaccounted: tuple[Imbalance, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the result as one plain object."""
        plain = msgspec.to_builtins(self)
        plain["losses"] = plain.pop("loss_report")
        return {"version": 1, **plain}


class Plan(msgspec.Struct, kw_only=True):
    """What a conversion is asked to do.

    Attributes:
        select: Takes an item, and gives it, changed or not, or None. If it renames categories, its method `categories`
            gives the new table; `moves_items` says whether it puts items into other subsets.
        places: The positions of the items that are read; None for all.
    """

    media: Media = "copy"
    policy: Policy = Policy()
    lossless: bool = False
    subsets: dict[str, str] = {}
    options: dict[str, Any] = {}
    labels: dict[str, NewName] | None = None
    select: Any = None
    places: Sequence[int] | None = None
    default_class: str | None = None
    allow_unaccounted: bool = False
    allow_loss: tuple[str, ...] = ()
    variant: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown `media`."""
        *others, last = get_args(Media)
        if self.media not in (*others, last):
            raise ValueError(f"media is {', '.join(others)} or {last}, not {self.media!r}")

    @property
    def leaves_items(self) -> bool:
        """Return whether every item stays as it is: none is selected or renamed."""
        return self.labels is None and self.takes_all and not self.subsets

    @property
    def takes_all(self) -> bool:
        """Return whether every item is taken whole and unchanged."""
        return self.select is None and self.places is None

    def count_of(self, items: int) -> int:
        """Return how many items of a dataset of this size are read."""
        return items if self.places is None else len(self.places)
