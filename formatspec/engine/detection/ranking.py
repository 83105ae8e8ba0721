"""Ranks candidates: which one wins, which formats are nearest, and what speaks against each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from formatspec.engine.dataset.choose_layout import are_apart
from formatspec.engine.detection.candidate import Candidate

NEAREST = 5
"""How many formats are named if none wins."""
_TIE = 10
"""How many parts of a rank must be equal for a tie: all but whether the spec is the user's own."""


class Standing(msgspec.Struct, frozen=True):
    """A format's best candidate, and the first reason against it. The candidate is None if no layout has a root."""

    name: str
    candidate: Candidate | None
    reason: str


class RankedFormats(msgspec.Struct, frozen=True):
    """The outcome of detection.

    Attributes:
        winners: One format if it is clear; several if formats tie that do not extend each other; otherwise none.
        nearest: The other formats, the nearest first, each with a reason against it.
        barred: Whether a format that only images speak for was kept from winning.
    """

    winners: tuple[Candidate, ...]
    others: tuple[Standing, ...]
    barred: bool = False

    @property
    def nearest(self) -> tuple[Standing, ...]:
        """The nearest formats, without the winners."""
        return self.others[:NEAREST]


def ranked(candidates: Mapping[str, Sequence[Candidate]], unusable: Mapping[str, str], barred: bool) -> RankedFormats:
    """Return the outcome for the candidates of each format.

    Args:
        candidates: The candidates by the format's name.
        unusable: Formats that were not tried, and why.
        barred: Whether formats that only images speak for may not win.
    """
    able = [one for found in candidates.values() for one in found if one.may_win]
    if barred:
        able = [one for one in able if one.state != "bare"]
    winners = [] if _is_barred_by_images(able, candidates) else _winners(able)
    won = {one.name for one in winners}
    others = [_standing(name, found) for name, found in candidates.items() if name not in won]
    others.sort(key=lambda one: (one.candidate is None, [-part for part in _near(one)], one.name))
    others += [Standing(name, None, reason) for name, reason in unusable.items()]
    kept_out = barred and not winners and any(one.may_win for found in candidates.values() for one in found)
    return RankedFormats(tuple(winners), tuple(others), kept_out)


def _is_barred_by_images(able: Sequence[Candidate], candidates: Mapping[str, Sequence[Candidate]]) -> bool:
    """Return whether the documents look more like a format whose images are missing, so that no other format wins."""
    best = max((one.explained for one in able if one.state != "bare"), default=None)
    return best is not None and any(
        one.explained > best for found in candidates.values() for one in found
        if one.state == "identified" and not one.covers and 2 * one.explained > one.groups
    )  # fmt: skip


def _near(standing: Standing) -> tuple[float, ...]:
    return standing.candidate.nearness if standing.candidate is not None else ()


def _winners(able: Iterable[Candidate]) -> list[Candidate]:
    """Return the best candidate, and those of other formats that it neither beats nor extends."""
    ordered = sorted(able, key=lambda one: (one.rank, len(one.ancestors)), reverse=True)
    if not ordered:
        return []
    best = ordered[0]
    top: dict[str, Candidate] = {}
    for one in ordered:
        if one.rank[:_TIE] == best.rank[:_TIE] and (one.own or not best.own):
            top.setdefault(one.name, one)
    return [one for one in top.values() if not any(one.spec in other.ancestors for other in top.values())]


def _standing(name: str, found: Sequence[Candidate]) -> Standing:
    """Return a format's best candidate, and what speaks against it."""
    if not found:
        return Standing(name, None, "there is no folder in which it begins")
    best = max(found, key=lambda one: (one.may_win, one.nearness, one.rank))
    reason = reason_against(best)
    if best.leaves and reason == _left(best):  # another layout of the format reads that file and knows what is wrong
        place = f"{best.leaves[0]}: "
        reason = next((one.contradiction for one in found if one.contradiction.startswith(place)), reason)
    return Standing(name, best, reason)


def reason_against(one: Candidate) -> str:
    """Return the first reason why a tree does not have a candidate's format."""
    if one.may_win:
        return "another fits better"
    if one.contradiction and one.state == "contradicted":
        return one.contradiction
    if one.contradiction and one.leaves and one.contradiction.startswith(f"{one.leaves[0]}: "):
        return one.contradiction
    if one.missing:
        return one.missing[0]
    if one.leaves:
        return _left(one)
    if one.contradiction:
        return one.contradiction
    if one.state == "bare":
        return "images alone do not identify it"
    return "no file is described by it"


def _left(one: Candidate) -> str:
    more = f" and {one.left - 1:,} more" if one.left > 1 else ""
    return f"does not explain {one.leaves[0]}{more}"


def second_datasets(outcome: RankedFormats, candidates: Mapping[str, Sequence[Candidate]]) -> list[tuple[str, str]]:
    """Return formats that explain evidence which the winner does not, each with the first such file."""
    if len(outcome.winners) != 1 or not outcome.winners[0].leaves:
        return []
    winner = outcome.winners[0]
    found: list[tuple[str, str]] = []
    for name, some in candidates.items():
        related = any(one.spec in winner.ancestors or winner.spec in one.ancestors for one in some)
        for one in some:
            if name == winner.name or related or one.state != "identified" or one.prefix != winner.prefix:
                continue
            file = next((path for path in winner.leaves if path in one.explains), None)
            if file is not None and one.fit >= 0.8 and not one.missing:
                found.append((name, file))
                break
    return found


def side_by_side(outcome: RankedFormats, candidates: Mapping[str, Sequence[Candidate]]) -> tuple[str, ...]:
    """Return the folders of several datasets of the winner's format, none inside another; empty if there is one."""
    if len(outcome.winners) != 1:
        return ()
    winner = outcome.winners[0]
    roots = {
        one.root for one in candidates[winner.name]
        if one.state == "identified" and one.tells_items and one.covers and are_apart(one.root, winner.root)
    }  # fmt: skip
    return (winner.root, *sorted(roots)) if roots else ()
