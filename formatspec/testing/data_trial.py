"""Tries a spec on data: reads the data, writes them again, and compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from formatspec.engine.dataset.choose_layout import open_source
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.spec.compiled import Role
from formatspec.files.document import FileError, pointer_text
from formatspec.findings.finding import Finding
from formatspec.findings.render import amount
from formatspec.language.errors import nearest
from formatspec.language.load import load_source
from formatspec.language.rules import MapRule, inside
from formatspec.model.records import Item
from formatspec.paths.trees.open_tree import open_tree
from formatspec.pixels import containers
from formatspec.testing import laws
from formatspec.testing.compare_documents import ABSENT, compared, leaf_for, role_text, short


class Difference(msgspec.Struct, frozen=True):
    """A value that does not come back: its place, its leaf, the data's value and the one that the spec writes."""

    file: str
    pointer: str
    leaf: str
    there: str
    written: str
    hint: str

    def __str__(self) -> str:
        """Return one line: the file and pointer, both values, the leaf, and a hint."""
        leaf = f"; {self.leaf}" if self.leaf else ""
        return f"{self.file}{self.pointer}: is {self.there}, the spec writes {self.written}{leaf}; {self.hint}"


class Trial(msgspec.Struct, frozen=True):
    """The result of trying a spec on data.

    Attributes:
        refused: Why nothing was written again; "" otherwise.
        unread: Parts of documents that no key of the spec reads, one per line.
    """

    dataset: OpenDataset
    summary: str
    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]
    refused: str
    unread: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether something is wrong with the spec or the data, or the spec reads nothing."""
        errors = any(one.level == "error" for one in self.findings)
        return errors or bool(self.differences) or bool(self.refused) or not len(self.dataset)


def try_on(spec: str, data: str) -> Trial:
    """Read data with a spec, write them again with it, and compare.

    Raises:
        SpecError: The spec cannot be used.
    """
    dataset = open_source(load_source(spec), open_tree(data), {}, Purpose(origin=True, pixels=True))
    items = list(dataset)
    findings = (*dataset.reporter.findings(dataset.index.faults), *dataset.findings)
    refused, differences = "", tuple[Difference, ...]()
    if any(one.level == "error" for one in findings):
        refused = "nothing is written again before these errors are mended, in the spec or in the data"
    else:
        try:
            differences = tuple(_differences(dataset, laws.rewritten(dataset, items)))
        except CannotWriteError as error:
            refused = f"the spec cannot write again what it reads: {error}"
    return Trial(dataset, _summary(dataset, items), findings, differences, refused, tuple(_unread(dataset, findings)))


def _unread(dataset: OpenDataset, findings: tuple[Finding, ...]) -> Iterator[str]:
    """Yield what no key of the spec reads: each key of each rule once, with the rule's key that may be meant."""
    found: dict[tuple[str | None, str], list[Finding]] = {}
    for one in findings:
        if one.code == "FIELD_UNKNOWN":
            found.setdefault((one.rule, (one.pointer or "").rpartition("/")[2]), []).append(one)
    for (rule, last), ones in found.items():
        key = last.replace("~1", "/").replace("~0", "~")
        first = ones[0]
        near = nearest(key, _optional_keys(dataset, first.file or ""))
        meant = f"; is it meant by `{near}?`?" if near else ""
        more = f" ({len(ones):,} times)" if len(ones) > 1 else ""
        yield (f"no key of the spec reads {key!r} in {first.file}{more}  [{rule}]{meant or _NOT_READ}")


_NOT_READ = '; `"*": keep` keeps what no key reads'


def _optional_keys(dataset: OpenDataset, file: str) -> list[str]:
    """Return the optional keys in the documents of a file's role."""
    name = dataset.index.claimed.role(file)
    rule = dataset.form.roles[name].document_rule if name is not None else None
    rules = [rule] if rule is not None else []
    keys: list[str] = []
    while rules:
        rule = rules.pop()
        if isinstance(rule, MapRule):
            keys += [key for one in rule.fields if one.optional for key in one.keys]
        rules += list(inside(rule))
    return keys


def _summary(dataset: OpenDataset, items: list[Item]) -> str:
    objects = Counter(one.category.name if one.category else None for item in items for one in item.objects)
    areas = sum(len(item.areas) for item in items)
    labels = sum(len(item.labels) for item in items)
    told = [amount(len(items), "item"), amount(sum(objects.values()), "object")]
    told += [amount(areas, "area")] if areas else []
    told += [amount(labels, "label")] if labels else []
    told.append(amount(len(dataset.categories), "class").replace("classs", "classes"))
    shown = [(f"'{name}'" if name and "," in name else name or "no class", n) for name, n in objects.most_common(8)]
    names = ", ".join(f"{name} ({count})" for name, count in shown)
    return f"{dataset.name}, {', '.join(told)}" + (f": {names}" if names else "")


def _differences(dataset: OpenDataset, files: dict[str, bytes]) -> Iterator[Difference]:
    for path in dataset.tree.paths():
        name = dataset.index.claimed.role(path)
        role = dataset.form.roles[name] if name is not None else None
        if role is None or role.kind is None:
            continue
        data = dataset.tree.read(path)
        again = files.get(path)
        if again is None:
            hint = "a file that only an empty item has, or one that no item names, is not made"
            yield Difference(path, "", role_text(role), "there", "no such file", hint)
        elif role.kind == "pixels":
            yield from _pixels(role, path, data, again)
        elif role.codec is not None and not laws.documents_equal(role, again, data):
            try:
                pair = role.codec.decode(data).document, role.codec.decode(again).document
            except FileError as error:
                yield Difference(
                    path, "", role_text(role), "read", f"what cannot be read: {error}", "mend the role's rule"
                )
                continue
            found = list(compared(pair[0], pair[1], ()))
            for pointer, there, written in found:
                leaf, hint = leaf_for(role, pointer, written is ABSENT)
                yield Difference(path, pointer_text(pointer), leaf, short(there), short(written), hint)
            if not found:
                hint = "look at `style` of the role: indent, separators, newline, header"
                yield Difference(path, "", role_text(role), "spelled in its way", "other bytes", hint)
    for path in sorted(files.keys() - set(dataset.tree.paths())):
        yield Difference(path, "", "", "not there", "a file", "say `need: optional` of its role, or `kept`")


def _pixels(role: Role, path: str, data: bytes, again: bytes) -> Iterator[Difference]:
    there, written = containers.decode(data), containers.decode(again)
    if there.mode != written.mode or there.pixels.shape != written.pixels.shape:
        hint = "say the mode first in `image`"
        yield Difference(path, "", role_text(role), f"{there.mode} of {there.pixels.shape}", written.mode, hint)
        return
    differ = there.pixels != written.pixels
    if differ.any():
        place = tuple(int(one) for one in next(zip(*differ.nonzero(), strict=True))[:2])
        values = there.pixels[place].tolist(), written.pixels[place].tolist()
        count = amount(int(differ.sum()), "value")
        hint = f"{count} differ; look at which rows of `pixels` read {values[0]}"
        yield Difference(
            path, f" at row {place[0]}, column {place[1]}", role_text(role), str(values[0]), str(values[1]), hint
        )
