"""The definition of a codec, and the table of all codecs.

A codec is a pair of functions: `encode` converts from the model towards the file, `decode` back. Specs name codecs in a
chain, `slot | first | second`. Writing applies them from left to right, reading from right to left.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec

Kind = Literal["any", "text", "number", "numbers", "table", "tree"]
"""What the file side of a codec is.

It is text, a number, a flat list of numbers, a structure, a structure of only text values, or whatever went in.
"""


class UnfitError(ValueError):
    """A value does not fit a codec.

    Attributes:
        expected: What would fit, in a few words.
        code: The code of the finding.
    """

    def __init__(self, expected: str, got: object = None, code: str = "FIELD") -> None:
        """Take what would fit, the value that does not, and the code of the finding."""
        super().__init__(expected)
        self.expected = expected
        self.got = got
        self.code = code


class Env(msgspec.Struct, frozen=True):
    """What a codec may need besides the value: the image's size in pixels, and a table's columns."""

    width: int = 0
    height: int = 0
    columns: tuple[str, ...] = ()


class Site(msgspec.Struct, frozen=True):
    """The place of a codec in a spec: how many slots are on its left, and how many keys of the file on its right."""

    left: int = 1
    right: int = 1


Formulas = Callable[[Sequence[str]], Sequence[str]]
"""Returns the source code of each number of the file's side.

It takes the source of the model's numbers, in brackets if compound. `width` and `height` are the image's.
"""


def _as_it_is(value: Any, env: Env) -> Any:
    return value


def _unchanged(value: Any, rng: random.Random, env: Env) -> Any:
    return value


class Codec(msgspec.Struct, frozen=True):
    """A pair of inverse functions.

    Attributes:
        encode, decode: Take a value and the environment, and return a value. They raise only `UnfitError`, if it does
            not fit.
        kind: What the file side is, so that text formats know how to spell it.
        arity: How many numbers or words the file side has, if that is fixed.
        between: What separates the numbers of a file side that is a text of only numbers.
        needs: "size" if the image's size is used, "columns" if a table's header is.
        takes: The type of the file side in a JSON document, if there is one only; it distinguishes undecoded
            alternatives.
        looks_right: For outlines, returns whether raw JSON may be one: long enough lists of an even number of numbers.
        same: Whether both sides are the same list of numbers, so that decoding only checks it.
        fit: Turns a generated model value into a similar one that the codec carries without loss; does not use
            `decode`.
        formulas: What `encode` does, as arithmetic on flat lists of numbers; a chain of such codecs becomes one
            function.
        inverse: What `decode` does, as arithmetic on about four numbers; it refuses no number below 1e9. Like
            `formulas`, it may use the image's `width` and `height`, which are then known.
        others: Gives the names of what a file's value holds and `decode` does not read, so that none of it is lost in
            silence. It takes only values that `decode` takes.
    """

    encode: Callable[[Any, Env], Any] = _as_it_is
    decode: Callable[[Any, Env], Any] = _as_it_is
    kind: Kind = "any"
    arity: int | None = None
    between: str | None = None
    needs: frozenset[str] = frozenset()
    fit: Callable[[Any, random.Random, Env], Any] = _unchanged
    takes: type | None = None
    looks_right: Callable[[bytes], bool] | None = None
    same: bool = False
    formulas: Formulas | None = None
    inverse: Formulas | None = None
    others: Callable[[Any], Iterable[str]] | None = None


class Argument(msgspec.Struct, frozen=True):
    """One argument of a codec call as a spec writes it: `2`, `rows`, or a pair `'yes'=true`.

    In a pair, the file's value is on the left (`file`), and the model's on the right (`value`).
    """

    value: Any
    file: Any = None
    paired: bool = False


Factory = Callable[[Sequence[Argument], Site], Codec]
CODECS: dict[str, Factory] = {}
UNMARKED: set[str] = set()
"""Codecs that write keypoints with any visibility, but store only which of them are absent."""


def codec(name: str, unmarked: bool = False) -> Callable[[Factory], Factory]:
    """Register the factory of the codec `name`. With `unmarked`, it belongs to UNMARKED."""

    def register(factory: Factory) -> Factory:
        if name in CODECS:
            raise ValueError(f"two codecs are called {name!r}")
        CODECS[name] = factory
        if unmarked:
            UNMARKED.add(name)
        return factory

    return register
