"""Limits how often a JSON Schema is applied to one value; schemas that may apply very often are refused.

A schema applies other schemas to the same value (`allOf`, `$ref`), and to the values inside it (`properties`, `items`).
Two references to one schema double the work at each step, so a short schema can cause endless work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

Path = tuple[str | int, ...]

MOST_ASKED = 10_000
"""How many times schemas may be applied to one value of a document."""
HIGHEST = 100
"""How deep schemas for one value may refer to each other."""
_BY_NAME = frozenset({"properties", "patternProperties", "dependentSchemas"})
"""Keywords that hold schemas by names."""
_HERE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""Keywords whose schemas apply to the same value again."""
_OF_MAPPINGS = frozenset({"patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"})
_OF_LISTS = frozenset({"items", "prefixItems", "contains", "unevaluatedItems"})


class SchemaError(ValueError):
    """A schema cannot be used: the reason, and its place in the schema."""

    def __init__(self, message: str, path: Path = ()) -> None:
        """Take the message and the path of keys to the wrong part of the schema."""
        super().__init__(message, path)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        """Return the message alone."""
        return self.message


class TooOftenError(ValueError):
    """A schema would be applied to a document too often."""


Bound = Callable[[Any], None]
"""Raises TooOftenError for a document that would cause too much work."""


def bound_of(schema: Mapping[str, Any]) -> Bound | None:
    """Return a check to make on each document before its schema; None if no document can cause too much work.

    Raises:
        SchemaError: A schema applies itself to the same value again, or causes too much work for every value.
    """
    graph = _Graph(schema)
    if graph.times(schema, (), deep=False) is None:
        raise SchemaError("this schema leads back to itself", graph.circle)
    times = graph.times(schema, (), deep=True)
    if times is not None and times > MOST_ASKED:
        raise SchemaError(f"this schema asks more than {MOST_ASKED:,} others, each as often as it is referred to")
    return None if times is not None else graph.walk


class _Graph:
    """Which schemas a schema applies to its own value, and to the values inside it."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._whole: dict[int, Counter[int]] = {}
        self._parts: dict[int, Mapping[str, Any]] = {}
        self.circle: Path = ()
        """The path where a schema that leads back to itself was found."""

    def here(self, part: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
        """Yield the schemas that a schema applies to its own value, each with the keyword that does so."""
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            yield ("$ref",), self._at(reference)
        for word in _HERE & part.keys():
            yield from _schemas(part, word)

    def _at(self, reference: str) -> Any:
        """Follow a reference within the document to its schema."""
        found: Any = self._root
        for step in reference[1:].split("/")[1:]:
            word = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(word) if isinstance(found, list) else word]
            except (KeyError, IndexError, TypeError, ValueError):
                return None
        return found

    def times(self, start: Mapping[str, Any], path: Path, deep: bool) -> int | None:
        """Return how many times schemas are applied, counting each way to a schema; None if one leads back to itself.

        Args:
            start: The schema.
            path: Its path.
            deep: Whether values inside the value count too; otherwise every schema is looked at, and the worst counts.

        Raises:
            SchemaError: Schemas for one value refer to each other too deeply.
        """
        known: dict[int, int] = {}
        high: dict[int, int] = {}
        todo: list[tuple[Mapping[str, Any], Path, bool]] = [(start, path, False)]
        if not deep:
            todo += [(part, at, False) for at, part in parts(start, path)]
        open_: set[int] = set()
        while todo:
            part, at, is_back = todo.pop()
            if is_back:
                asked = [known[id(one)] for _, one in self._asked(part, deep) if isinstance(one, Mapping)]
                known[id(part)] = min(1 + sum(asked), MOST_ASKED + 1)
                high[id(part)] = 1 + max(
                    (high[id(one)] for _, one in self._asked(part, deep) if id(one) in high), default=0
                )
                if not deep and high[id(part)] > HIGHEST:
                    raise SchemaError(f"this schema asks another, and that another, more than {HIGHEST} times", at)
                open_.discard(id(part))
            elif id(part) not in known:
                if id(part) in open_:
                    self.circle = at
                    return None
                open_.add(id(part))
                todo.append((part, at, True))
                for step, one in self._asked(part, deep):
                    if isinstance(one, Mapping) and id(one) not in known:
                        if id(one) in open_:
                            self.circle = (*at, *step)
                            return None
                        todo.append((one, (*at, *step) if len(at) < 100 else at, False))
        return max(known.values()) if not deep else known[id(start)]

    def _asked(self, part: Mapping[str, Any], deep: bool) -> Iterator[tuple[Path, Any]]:
        yield from self.here(part)
        for word in (_OF_MAPPINGS | _OF_LISTS | {"properties"}) & part.keys() if deep else ():
            yield from _schemas(part, word)

    def walk(self, document: Any) -> None:
        """Raise TooOftenError if schemas would be applied to a value of the document more than MOST_ASKED times."""
        todo: list[tuple[Any, Counter[int]]] = [(document, self._with_all(self._root))]
        while todo:
            value, asked = todo.pop()
            if asked.total() > MOST_ASKED:
                raise TooOftenError(f"the schema asks one value more than {MOST_ASKED:,} times")
            if isinstance(value, dict):
                every = self._inner(asked, _OF_MAPPINGS)
                for key, one in value.items():
                    named = self._named(asked, key)
                    if every or named:
                        todo.append((one, every + named if named else every))
            elif isinstance(value, list):
                every = self._inner(asked, _OF_LISTS)
                todo.extend((one, every) for one in value if every)

    def _with_all(self, part: Any) -> Counter[int]:
        """Count how often a schema applies each schema, itself among them, to the same value."""
        if not isinstance(part, Mapping):
            return Counter()
        found = self._whole.get(id(part))
        if found is None:
            found = Counter({id(part): 1})
            self._parts[id(part)] = part
            for _, one in self.here(part):
                found.update(self._with_all(one))
                if found.total() > MOST_ASKED:
                    break
            self._whole[id(part)] = found
        return found

    def _inner(self, asked: Counter[int], words: frozenset[str]) -> Counter[int]:
        found: Counter[int] = Counter()
        for part, count in asked.items():
            for word in words & self._parts[part].keys():
                for _, one in _schemas(self._parts[part], word):
                    self._add(found, one, count)
        return found

    def _named(self, asked: Counter[int], key: str) -> Counter[int]:
        found: Counter[int] = Counter()
        for part, count in asked.items():
            named = self._parts[part].get("properties")
            if isinstance(named, Mapping) and key in named:
                self._add(found, named[key], count)
        return found

    def _add(self, found: Counter[int], one: Any, count: int) -> None:
        for inner, often in self._with_all(one).items():
            found[inner] += often * count


def _schemas(part: Mapping[str, Any], word: str) -> Iterator[tuple[Path, Any]]:
    """Yield the schemas under a keyword: one, a list, or a mapping of them."""
    inner = part[word]
    if word in _BY_NAME and isinstance(inner, Mapping):
        yield from (((word, name), one) for name, one in inner.items())
    elif isinstance(inner, list):
        yield from (((word, place), one) for place, one in enumerate(inner))
    else:
        yield (word,), inner


_NAMED = frozenset({*_BY_NAME, "$defs", "definitions"})
_OPAQUE = frozenset({"const", "enum", "default", "examples"})
"""Keywords that hold values, not schemas."""


def parts(part: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield every mapping of a schema that may be a schema, with its path."""
    if isinstance(part, dict):
        yield path, part
        for key, inner in part.items():
            if key in _NAMED and isinstance(inner, dict):
                for name, named in inner.items():
                    yield from parts(named, (*path, key, name))
            elif key not in _OPAQUE:
                yield from parts(inner, (*path, key))
    elif isinstance(part, list):
        for place, inner in enumerate(part):
            yield from parts(inner, (*path, place))
