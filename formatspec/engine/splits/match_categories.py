"""Matches categories of several splits by name and path; each split may number them differently."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from formatspec.engine.base.faults import DocumentPath, Fault
from formatspec.engine.read.categories import Categories, joined_category, merged
from formatspec.engine.splits.id_scopes import Split, Splits, whole_split
from formatspec.model.records import Category


class CategoryListing(NamedTuple):
    """The categories that one file lists, and the place where each is named."""

    file: str
    captures: Mapping[str, Any]
    categories: Sequence[Category]
    places: Sequence[tuple[str, DocumentPath]]


def matched_splits(
    listings: Sequence[CategoryListing], closed: bool, match: tuple[str, ...], by_index: bool
) -> tuple[Splits, list[Fault]]:
    """Match the categories that files list over all splits, and find what is wrong with their numbers.

    Args:
        listings: What each file lists, in the order of the files.
        closed: Whether rows may name no other category.
        match: The slots by which rows find a category, if the files list only names.
        by_index: Whether rows refer to a category by its position in the list.

    Returns:
        The categories, and the faults: DUPLICATE, if a number or a name occurs twice within a split, CATEGORY_IDS, if
        splits number one category differently, and CATEGORY_UNLIKE, if files say different things about one.
    """
    groups: dict[Split, list[CategoryListing]] = {}
    for listing in listings:
        if listing.categories:
            groups.setdefault(whole_split(listing.captures), []).append(listing)
    faults = [fault for group in groups.values() for fault in _at_odds(group)]
    own = [merged(listing.categories for listing in group) for group in groups.values()]
    key = _key(own)
    whole = _matched(own, key)
    pairs = [[(one, whole[key(one)]) for one in categories] for categories in own]
    listed = tuple(whole.values())
    faults += _told_otherwise(listings, key)

    def known(numbered: Sequence[tuple[Category, Category]], listings: Iterable[CategoryListing]) -> Categories:
        made = Categories(listed, closed, match, numbered)
        made.listed_in = tuple(dict.fromkeys(listing.file for listing in listings))
        return made

    if len(pairs) < 2:
        return Splits(known(pairs[0] if pairs else (), listings)), faults
    if all(_numbers(one, by_index) == _numbers(same, by_index) for of_one in pairs for one, same in of_one):
        return Splits(known((), listings)), faults
    faults += _differing(list(groups.values()), pairs, by_index)
    made = [(dict(split), known(one, group)) for (split, group), one in zip(groups.items(), pairs, strict=True)]
    return Splits(known(_agreed(pairs), listings), made), faults


WORDS = {
    "parent": "parent",
    "color": "colour",
    "countable": "mark of things",
    "keypoint_names": "list of keypoints",
    "skeleton": "skeleton",
    "attribute_names": "list of attributes",
    "part_names": "list of parts",
}
"""The slots that two files may state differently for one category, as messages name them."""


class Unlike(NamedTuple):
    """What a file says about a category that an earlier file says differently.

    Attributes:
        case: Which of the finding's cases it is: names of keypoints are in another order only if neither list begins
            with the other.
        expected: What the earlier file says.
        got: What the file says.
    """

    case: str
    message: str
    expected: str
    got: Any


def told_otherwise(category: Category, file: str, first: dict[str, tuple[Any, str]]) -> Iterator[Unlike]:
    """Yield what a file says about a category that an earlier file says differently.

    Args:
        category: The category as the file describes it.
        file: The file.
        first: What each slot was first, and in which file; it is added to.
    """
    reordered = False
    told = {words: getattr(category, slot) for slot, words in WORDS.items()}
    told |= {f"attribute {name}": value for name, value in category.attributes.items()}
    for words, value in told.items():
        if value in (None, "", (), {}) or (words == WORDS["skeleton"] and reordered):
            continue
        known, where = first.setdefault(words, (value, file))
        if known == value or where == file:
            continue  # what one file says twice is a finding of its own
        reordered = words == WORDS["keypoint_names"] and any(one != two for one, two in zip(known, value, strict=False))
        expected, got = (list(one) if isinstance(one, tuple) else one for one in (known, value))
        message = f"the {words} of the class {category.name!r} is not that of {where}"
        yield Unlike("keypoints" if reordered else "", message, repr(expected), got)


def _told_otherwise(listings: Sequence[CategoryListing], key: Callable[[Category], Any]) -> Iterator[Fault]:
    """Yield, for each file, the first thing of each case that it says about a category differently from other files."""
    first: dict[Any, dict[str, tuple[Any, str]]] = {}
    for listing in listings:
        found: dict[str, list[tuple[Unlike, tuple[str, DocumentPath]]]] = {}
        for category, place in zip(listing.categories, listing.places, strict=True):
            known = first.setdefault(key(category), {})
            for unlike in told_otherwise(category, listing.file, known) if category.name else ():
                found.setdefault(unlike.case, []).append((unlike, place))
        for case, of_case in found.items():
            unlike, (file, path) = of_case[0]
            more = "" if len(of_case) == 1 else f" (and {len(of_case) - 1} more of these)"
            yield Fault(
                "CATEGORY_UNLIKE", file, path, None, unlike.message + more, unlike.expected, unlike.got, case=case
            )


def _key(groups: Sequence[Sequence[Category]]) -> Callable[[Category], Any]:
    """Return a key by which a category is found in other splits: its name and path, and its parent if needed."""
    several: set[Any] = set()
    for group in groups:
        different = {(one.name, one.path, one.parent) for one in group}
        several |= {name for name, count in Counter(one[:2] for one in different).items() if count > 1}

    def key(category: Category) -> Any:
        name = (category.name, category.path)
        if not category.name:
            return (*name, category.id, category.index, category.color)
        return (*name, category.parent) if name in several else name

    return key


def _matched(groups: Sequence[Sequence[Category]], key: Callable[[Category], Any]) -> dict[Any, Category]:
    """Return the categories of all splits, each with the number from the first split that lists it.

    A category whose number is already taken gets a number that no split states.
    """
    found: dict[Any, Category] = {}
    for group in groups:
        for category in group:
            mark = key(category)
            found[mark] = joined_category(found[mark], category) if mark in found else category
    free = max((one.id for group in groups for one in group if type(one.id) is int), default=0)
    ids: set[Any] = set()
    places: set[Any] = set()
    for mark, category in found.items():
        number, index = category.id, category.index
        if number is not None and number in ids:
            free += 1
            number = free if type(number) is int else None
        if index is None or index in places or len(places) >= len(groups[0]):
            index = max(places, default=-1) + 1
        ids.add(number)
        places.add(index)
        if (number, index) != (category.id, category.index):
            made = found[mark] = msgspec.structs.replace(category, id=number, index=index)
            if made.origin is not None:
                made.origin.as_read = category
    return found


def _numbers(category: Category, by_index: bool) -> Any:
    """Return the numbers by which rows may refer to a category."""
    return category.id, category.index if by_index and category.id is None else None


def _agreed(groups: Sequence[Sequence[tuple[Category, Category]]]) -> list[tuple[Category, Category]]:
    """Return categories under the numbers that mean the same in every split that has them."""
    ids: dict[Any, set[int]] = defaultdict(set)
    places: dict[Any, set[int]] = defaultdict(set)
    for own, category in (pair for group in groups for pair in group):
        ids[own.id].add(id(category))
        places[own.index].add(id(category))

    def agreed(own: Category) -> Category:
        number = own.id if len(ids[own.id]) == 1 else None
        return msgspec.structs.replace(own, id=number, index=own.index if len(places[own.index]) == 1 else None)

    return [(agreed(own), category) for group in groups for own, category in group]


def _at_odds(group: Sequence[CategoryListing]) -> Iterator[Fault]:
    """Yield faults about names with two ids, and ids with two names, in different files of one split."""
    by_id: dict[Any, tuple[Any, str]] = {}
    by_name: dict[Any, tuple[Any, str]] = {}
    for listing in group:
        for category, (file, path) in zip(listing.categories, listing.places, strict=True):
            name, own = (category.name, category.path, category.parent), category.id
            if own is None or not category.name:
                continue
            other, where = by_id.setdefault(own, (category.name, listing.file))
            if other != category.name and where != listing.file:
                message = f"the id {own!r} is that of {category.name!r} here and of {other!r} in {where}"
                one = f"one category for {own!r}"
                yield Fault("DUPLICATE", file, path, None, message, one, category.name, case="named")
            number, where = by_name.setdefault(name, (own, listing.file))
            if number != own and where != listing.file:
                message = f"the category {category.name!r} has the id {own!r} here and {number!r} in {where}"
                yield Fault("DUPLICATE", file, path, None, message, repr(number), own, case="category")


def _differing(
    groups: Sequence[Sequence[CategoryListing]], pairs: Sequence[Sequence[tuple[Category, Category]]], by_index: bool
) -> Iterator[Fault]:
    """Yield, for each split that numbers categories differently from earlier ones, the first difference."""
    first: dict[int, tuple[Any, str]] = {}
    names: dict[Any, tuple[str, str]] = {}
    for group, of_one in zip(groups, pairs, strict=True):
        same = {(own.id, own.name): category for own, category in of_one}
        told: list[tuple[str, tuple[str, DocumentPath], Any, Any]] = []
        for listing in group:
            for own, place in zip(listing.categories, listing.places, strict=True):
                category = same.get((own.id, own.name))
                number = own.id if own.id is not None else own.index if by_index else None
                if category is None or number is None:
                    continue
                known, where = first.setdefault(id(category), (number, listing.file))
                other, there = names.setdefault(number, (own.name, listing.file))
                if known != number:
                    told.append((f"{own.name!r} is {number!r} here and {known!r} in {where}", place, known, number))
                elif other != own.name:
                    told.append((f"{number!r} is {own.name!r} here and {other!r} in {there}", place, other, own.name))
        if told:
            message, (file, path), expected, got = told[0]
            others = len(told) - 1
            more = "" if not others else "; so does 1 other" if others == 1 else f"; so do {others} others"
            message = f"the category's number differs between splits: {message}{more}"
            yield Fault("CATEGORY_IDS", file, path, None, message, repr(expected), got)
