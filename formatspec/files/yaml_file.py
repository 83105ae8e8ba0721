"""YAML files: bytes to plain data and back, by the core schema of YAML 1.2.

Scalars mean what YAML 1.2 says: `yes`, `on`, `010` as eight, `1:30` and dates are not among them, and `<<` is
a key like any other.  Tags, doubled keys, and keys other than strings and integers are refused.  Documents
are written so that readers of YAML 1.1 understand them alike.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import yaml

from formatspec.files import json_file
from formatspec.files.broken.yaml_text import broken
from formatspec.files.document import (
    MAX_DEPTH,
    Document,
    FileError,
    LineColumn,
    Pointer,
    bytes_of,
    check_values,
    text_of,
)
from formatspec.files.style import Style
from formatspec.model.plain.core_scalars import FLOAT, INTEGER, PREFIXED, core_scalar

STYLE = Style(indent=2)

MAX_ALIASES = 1000
MAX_ALIASED_NODES = 1_000_000
"""How many nodes a document may gain by its aliases, each counted as often as it occurs in the result."""


def decode(data: bytes, style: Style = STYLE) -> Document:
    """Return the document in `data`, None if it is empty. Aliases share their value. Raises FileError."""
    check_values(data, {**json_file.COSTS, b"\n": 100})
    return _build(text_of(data, style.encoding)[0], _ignore)


def encode(document: Document, style: Style = STYLE) -> bytes:
    """The document as YAML, keys in their order, in block style; `style.flow` puts leaf lists on one line.

    Strings that any reader could take for another type are quoted.  Raises FileError on what is not plain
    data.
    """
    try:
        text = yaml.dump(
            document,
            Dumper=_FlowDumper if style.flow else _Dumper,
            indent=style.indent if isinstance(style.indent, int) else 2,
            width=2**30,
            allow_unicode=not style.ascii,
            line_break=style.newline,
            default_flow_style=False,
            sort_keys=False,
        )
    except RecursionError:
        raise FileError("nested too deeply for YAML") from None
    except (yaml.YAMLError, ValueError) as error:
        raise FileError(f"YAML cannot hold this: {error}") from None
    if not style.final_newline:
        text = text.removesuffix(style.newline)
    return bytes_of(text, style.encoding)


def locate(data: bytes, pointer: Pointer, style: Style = STYLE) -> LineColumn | None:
    """Return line and column where the value under `pointer` begins; inside an alias, those of the alias."""
    wanted = [str(part) for part in pointer]
    found: LineColumn | None = None

    def note(frames: list[_Frame], event: yaml.NodeEvent) -> None:
        nonlocal found
        exact = len(frames) == len(wanted) or (len(frames) < len(wanted) and isinstance(event, yaml.AliasEvent))
        if found is None and exact and all(str(f.key) == w for f, w in zip(frames, wanted, strict=False)):
            found = _place(event.start_mark)

    with contextlib.suppress(FileError):
        _build(text_of(data, style.encoding)[0], note)
    return found


class _Frame(msgspec.Struct):
    """A list or a mapping that is being read.

    Attributes:
        key: Where the next value goes: an index or a key.
        awaits_key: Whether the next scalar of a mapping is a key.
        nodes: How many nodes were read so far, including those behind aliases.
    """

    into: list[Any] | dict[str | int, Any]
    anchor: str | None
    key: str | int | None
    awaits_key: bool
    nodes: int = 1

    def put(self, value: Any, nodes: int) -> None:
        self.nodes += nodes
        if isinstance(self.into, list):
            self.into.append(value)
            self.key = len(self.into)
        else:
            self.into[self.key] = value  # type: ignore[index]
            self.awaits_key = True


class _Aliases(msgspec.Struct):
    """What anchors name, with the number of nodes of each, and how many nodes aliases have added so far."""

    values: dict[str, tuple[Any, int]] = msgspec.field(default_factory=dict)
    count: int = 0
    nodes: int = 0

    def value(self, event: yaml.AliasEvent) -> tuple[Any, int]:
        if event.anchor not in self.values:
            raise _error(f"no anchor &{event.anchor} is complete before this alias", event.start_mark)
        value, nodes = self.values[event.anchor]
        self.count += 1
        self.nodes += nodes
        if self.count > MAX_ALIASES or self.nodes > MAX_ALIASED_NODES:
            raise _error("the aliases grow beyond all measure", event.start_mark)
        return value, nodes


def _ignore(frames: list[_Frame], event: yaml.NodeEvent) -> None:
    pass


def _build(text: str, note: Callable[[list[_Frame], yaml.NodeEvent], None]) -> Document:
    """Return the document in the text. `note` is called with each value as it begins, and the containers around it.

    It is built from events without recursion: composing nodes would recurse in C as deep as the file is nested.
    """
    frames: list[_Frame] = []
    aliases = _Aliases()
    root: Any = None
    documents = 0
    for event in _events(text):
        nodes = 1
        if isinstance(event, yaml.NodeEvent) and not (frames and frames[-1].awaits_key):
            note(frames, event)
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
            if event.anchor:
                aliases.values[event.anchor] = value, 1
        elif isinstance(event, yaml.AliasEvent):
            value, nodes = aliases.value(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            frames.append(_opened(event, frames))
            continue
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            frame = frames.pop()
            value, nodes = frame.into, frame.nodes
            if frame.anchor:
                aliases.values[frame.anchor] = value, nodes
        else:
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise _error("a second document begins", event.start_mark)
            continue
        if not frames:
            root = value
        elif frames[-1].awaits_key:
            _set_key(frames[-1], value, event)
        else:
            frames[-1].put(value, nodes)
    return root


_TOO_DEEP = "maximum nesting depth"
"""The message by which newer parsers refuse deep nesting; their limit lies beyond MAX_DEPTH."""


def _events(text: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_Parser)
    except yaml.MarkedYAMLError as error:
        problem = str(error.problem or error.context)
        mark = error.problem_mark or error.context_mark
        told = broken(problem, text, mark.line + 1 if mark else 0)
        message = f"nested deeper than {MAX_DEPTH}" if _TOO_DEEP in problem else f"not YAML: {told}"
        raise (_error(message, mark) if mark else FileError(message)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FileError(f"not YAML: {error.reason}", line) from None


def _opened(event: yaml.MappingStartEvent | yaml.SequenceStartEvent, frames: list[_Frame]) -> _Frame:
    if event.tag is not None:
        raise _error(f"the tag {event.tag} is not allowed", event.start_mark)
    if len(frames) >= MAX_DEPTH:
        raise _error(f"nested deeper than {MAX_DEPTH}", event.start_mark)
    if frames and frames[-1].awaits_key:
        raise _error("a key must be a string or an integer", event.start_mark)
    if isinstance(event, yaml.MappingStartEvent):
        return _Frame({}, event.anchor, None, True)
    return _Frame([], event.anchor, 0, False)


def _set_key(frame: _Frame, key: Any, event: yaml.Event) -> None:
    if not isinstance(key, (str, int)) or isinstance(key, bool):
        raise _error(f"a key must be a string or an integer; quote {key!r}", event.start_mark)
    if key in frame.into:
        raise _error(f"the key {key!r} stands twice in one mapping", event.start_mark)
    frame.key = key
    frame.awaits_key = False
    frame.nodes += 1


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag is not None:
        raise _error(f"the tag {event.tag} is not allowed", event.start_mark)
    if not event.implicit[0]:
        return event.value
    try:
        return core_scalar(event.value)
    except ValueError as error:
        raise _error(str(error), event.start_mark) from None


def _place(mark: Any) -> LineColumn:
    return mark.line + 1, mark.column + 1


def _error(message: str, mark: Any) -> FileError:
    return FileError(message, *_place(mark))


_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Emitter: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Emitter):  # type: ignore[misc]
    """Writes plain data and nothing else.

    It resolves by YAML 1.1, inherited, and by 1.2: a string is quoted if either takes it for something else.
    """

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _FlowDumper(_Dumper):
    """Writes lists of scalars on one line."""


def _dict_node(dumper: Any, data: dict[Any, Any]) -> yaml.Node:
    for key in data:
        if not isinstance(key, (str, int)) or isinstance(key, bool):
            raise FileError(f"a key must be a string or an integer, not {key!r}")
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items())  # type: ignore[no-any-return]


def _list_node(dumper: Any, data: list[Any]) -> yaml.Node:
    return dumper.represent_list(data)  # type: ignore[no-any-return]


def _flow_list_node(dumper: Any, data: list[Any]) -> yaml.Node:
    leaf = not any(isinstance(value, (list, tuple, dict)) for value in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=leaf)  # type: ignore[no-any-return]


_Dumper.yaml_representers = {
    type(None): _Emitter.represent_none,
    bool: _Emitter.represent_bool,
    int: _Emitter.represent_int,
    float: _Emitter.represent_float,
    str: _Emitter.represent_str,
    list: _list_node,
    tuple: _list_node,
    dict: _dict_node,
    None: _Emitter.represent_undefined,
}
_Dumper.yaml_multi_representers = {}
_FlowDumper.yaml_representers = _Dumper.yaml_representers | {list: _flow_list_node, tuple: _flow_list_node}
for _tag, _pattern in (("int", INTEGER), ("int", PREFIXED), ("float", FLOAT)):
    _Dumper.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern.pattern})$"), list("-+.0123456789")
    )
_FlowDumper.yaml_implicit_resolvers = _Dumper.yaml_implicit_resolvers
