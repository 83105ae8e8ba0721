"""What is asked of a conversion, what it gives, and why one is refused."""

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
    """A conversion that was not made.

    Attributes:
        findings: The findings that stand in its way.
        losses: The losses that stand in its way.
        ways: What would let it pass.
    """

    def __init__(
        self, message: str, findings: tuple[Finding, ...] = (), losses: tuple[str, ...] = (), ways: tuple[str, ...] = ()
    ) -> None:
        """Take the message, and what it rests on; see the class."""
        super().__init__(message)
        self.findings = findings
        self.losses = losses
        self.ways = ways


class UnaccountedError(RefusedError):
    """A conversion that was not made, since something would be gone that no line names: a fault of ours."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversion wrote, what was done about findings, and what the target could not hold.

    Attributes:
        source: The name of the source's format.
        target: The name of the target's format.
        out: Where the output is.
        items: How many items were written.
        skipped: How many were left out.
        files: How many files were written.
        losses: The lines of the loss report.
        loss_report: The same as data.
        findings: What is wrong with the source.
        notices: What else a user should know.
        actions: What was done about findings, counted.
        unaccounted: Records that are gone without a line, where `allow_unaccounted` let the conversion pass.
    """

    source: str
    target: str
    out: str
    items: int
    skipped: int
    files: int
    losses: tuple[str, ...]
    loss_report: tuple[dict[str, Any], ...]
    findings: tuple[Finding, ...]
    notices: tuple[str, ...] = ()
    actions: tuple[Done, ...] = ()
    unaccounted: tuple[Imbalance, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The result as one plain object."""
        plain = msgspec.to_builtins(self)
        plain["losses"] = plain.pop("loss_report")
        return {"version": 1, **plain}


class Plan(msgspec.Struct, kw_only=True):
    """What is asked of a conversion.

    select: takes an item and gives it, changed or not, or None. If it gives categories new names, its method
    `categories` makes the table of them; `moves_items` says whether it puts items into other subsets.  places: those of
    the items that are read; None for all.
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
        """Refuse what `media` cannot be.  Raises ValueError."""
        *others, last = get_args(Media)
        if self.media not in (*others, last):
            raise ValueError(f"media is {', '.join(others)} or {last}, not {self.media!r}")

    @property
    def leaves_items(self) -> bool:
        """Whether every item stays as it is: none is selected, none named anew."""
        return self.labels is None and self.takes_all and not self.subsets

    @property
    def takes_all(self) -> bool:
        """Whether every item is taken, and nothing of it left out or changed."""
        return self.select is None and self.places is None

    def count_of(self, items: int) -> int:
        """How many items of a dataset of so many are read."""
        return items if self.places is None else len(self.places)
