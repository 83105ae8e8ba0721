"""A conversion: items read, adapted, written; the output whole or absent."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from formatspec.engine import demand
from formatspec.engine.adapt import Adapter, TargetCategories, target_categories
from formatspec.engine.assemble import Purpose
from formatspec.engine.dataset import Dataset
from formatspec.engine.export import CannotWrite, Exporter
from formatspec.engine.format import IMAGE, Format, compile_format
from formatspec.engine.held import BITS, stated_bits
from formatspec.engine.losses import Losses
from formatspec.files.images import ImageError, transcode
from formatspec.findings.finding import Finding
from formatspec.language.load import Source
from formatspec.model.records import Item
from formatspec.run.select import Labels, Select
from formatspec.run.staging import Staging

Media = Literal["copy", "link", "none"]
UNCLAIMED_SHOWN = 5
PEEKED = 100
"""Items that are looked at to choose an option that follows from what the objects hold."""


class Refused(ValueError):
    """A conversion that was not made, with the findings that stand in its way."""

    def __init__(self, message: str, findings: tuple[Finding, ...] = (), losses: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.findings = findings
        self.losses = losses


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversion wrote, and what the target could not hold."""

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

    def as_json(self) -> dict[str, Any]:
        """The result as one plain object."""
        plain = msgspec.to_builtins(self)
        plain["losses"] = plain.pop("loss_report")
        return {"version": 1, **plain}


class Plan(msgspec.Struct, kw_only=True):
    """What is asked of a conversion."""

    media: Media = "copy"
    skip_invalid: bool = False
    lossless: bool = False
    subsets: dict[str, str] = {}
    options: dict[str, Any] = {}
    labels: dict[str, str | None] | None = None
    select: Any = None
    variant: str | None = None


def purpose_of(media: Media, same: bool) -> Purpose:
    """What reading must give for a conversion."""
    return Purpose(origin=same, headers=media != "none", checks=False, media_required=media != "none")


def target_format(source: Dataset, target: Source, plan: Plan) -> Format:
    """The layout that is written, with the options that are asked for or follow from the objects."""
    layout = target.layouts[0]
    if target.is_same(source.form.source):
        layout = source.form.layout
        options = {**source.form.options, **plan.options}
    else:
        options = dict(plan.options)
    for name, option in layout.spec.options.items():
        if options.get(name) is None and option.follows:
            options[name] = _following(source, option.follows)
    return compile_format(target, layout, options)


def _following(source: Dataset, follows: Mapping[str, Any]) -> Any:
    """The choice for the first slot, in the option's order, that the first items' objects hold."""
    bits = 0
    for item in itertools.islice(source, PEEKED):
        for thing in item.objects:
            bits |= stated_bits(thing)
    return next((choice for slot, choice in follows.items() if bits & BITS.get(slot, 0)), list(follows.values())[-1])


def convert_dataset(
    source: Dataset, target: Source, staging: Staging, plan: Plan, progress: Callable[[int], None]
) -> Result:
    """Write `source` in another format.  Raises Refused, and the staging is not to be kept then."""
    form = target_format(source, target, plan)
    source.findings.clear()
    if plan.select is None and not target.is_same(source.form.source):
        source.wanted = demand.for_target(source.form, form, set(source.index.claimed.values()))
    labels = Labels(plan.labels) if plan.labels is not None else None
    adapter = Adapter(source.form, form, (entry.names for entry in source.entries), plan.subsets)
    listed = source.categories if _needs_categories(form) else source.known.listed
    renamed = labels.categories(tuple(listed)) if labels is not None else listed
    categories = target_categories(form, renamed, adapter.same and labels is None)
    losses = Losses(form, categories, adapter.same)
    shared = {(file.role, file.path): file for file in source.index.shared}
    as_read = TargetCategories(tuple(listed), False)
    exporter = Exporter(form, categories, adapter, losses, staging.write, shared, as_read)
    media = _Media(source, form, staging, plan.media, losses)
    items, refused = 0, []
    claimed: set[str] = set()
    findings = list(source.reporter.findings(source.index.faults))
    for item in _selected(source, plan.select, labels, claimed):
        try:
            own = exporter.item(item, items)
        except CannotWrite as error:
            refused.append(
                Finding(code=error.code, level="error", item=item.key, message=str(error),
                        file=item.image.path if item.image else None)
            )  # fmt: skip
            continue
        media.bring(item, own)
        _forget(item)
        items += 1
        progress(items)
    findings += [*source.findings, *refused]
    bad = [finding for finding in findings if finding.level == "error"]
    if bad and not plan.skip_invalid:
        raise Refused("nothing was written: some items are invalid", tuple(findings))
    if items == 0:
        raise Refused("nothing was written: there is no valid item", tuple(findings))
    try:
        exporter.finish()
    except CannotWrite as error:
        raise Refused(f"nothing was written: {error}", tuple(findings)) from None
    losses.listed(renamed)
    if plan.lossless and losses.counts:
        raise Refused("nothing was written: the target cannot hold everything", tuple(findings), tuple(losses.lines()))
    skipped = len({finding.item for finding in bad if finding.item is not None})
    notices = tuple(_notices(source, staging, claimed))
    return Result(
        source=source.name, target=form.name, out="", items=items, skipped=skipped, files=exporter.files + media.files,
        losses=tuple(losses.lines()), loss_report=tuple(losses.report()), findings=tuple(findings), notices=notices,
    )  # fmt: skip


def _forget(item: Item) -> None:
    """Let go of an item's sources once it is written, so that memory is that of one item."""
    for origin in (item.origin, *(thing.origin for thing in item.objects)):
        if origin is not None:
            origin.forget()


def _notices(source: Dataset, staging: Staging, claimed: set[str]) -> Iterator[str]:
    """What else there is to say: files that were copied instead of linked, files that no rule claims."""
    if staging.linked_by_copy:
        yield f"{staging.linked_by_copy} files could not be linked and were copied"
    unclaimed = [path for path in source.index.unclaimed if path not in claimed]
    if unclaimed:
        more = ", …" if len(unclaimed) > UNCLAIMED_SHOWN else ""
        files = "1 file" if len(unclaimed) == 1 else f"{len(unclaimed)} files"
        shown = ", ".join(unclaimed[:UNCLAIMED_SHOWN])
        yield f"left where they are, since no rule claims them: {files} ({shown}{more})"


def _selected(source: Dataset, select: Select | None, labels: Labels | None, claimed: set[str]) -> Iterator[Item]:
    items: Iterable[Item] = source.valid(claimed)
    for item in items:
        chosen: Item | None = item if select is None else select(item)
        if chosen is not None:
            yield chosen if labels is None else labels.item(chosen)


def _needs_categories(form: Format) -> bool:
    return any(
        scope.kind == "category"
        or meaning.table == "categories"
        or meaning.name in ("category.index", "category.id", "label.category.index")
        for role in form.documents
        for meaning, scope, _ in demand.meanings(role.document_rule, role.scope)
    )


class _Media:
    """Images brought over: copied, linked, or encoded anew where the target names another kind of file."""

    def __init__(self, source: Dataset, form: Format, staging: Staging, media: Media, losses: Losses) -> None:
        self.tree = source.tree
        self.staging = staging
        self.media = media
        self.losses = losses
        self.wanted = IMAGE in form.roles and media != "none"
        self.files = 0
        self._seen: set[str] = set()

    def bring(self, item: Item, own: Item) -> None:
        """Put an item's image where the target wants it."""
        if not self.wanted or item.image is None or own.image is None or not item.image.path:
            return
        if not self.tree.exists(item.image.path) or own.image.path in self._seen:
            return
        self._seen.add(own.image.path)
        self.files += 1
        before, after = (_kind(image.path) for image in (item.image, own.image))
        if before != after:
            try:
                self.staging.write(own.image.path, transcode(self.tree.read(item.image.path), after))
            except ImageError as error:
                raise Refused(f"nothing was written: {item.image.path}: {error}") from None
            self.losses.note(f"images encoded anew as {after}", "images")
            return
        local = self.tree.local(item.image.path)
        if local is None:
            self.staging.linked_by_copy += self.media == "link"
            self.staging.write(own.image.path, self.tree.read(item.image.path))
        elif self.media == "link":
            self.staging.link(Path(local), own.image.path)
        else:
            self.staging.copy(Path(local), own.image.path)


def _kind(path: str) -> str:
    extension = posixpath.splitext(path)[1].lower()
    return {".jpeg": ".jpg", ".tiff": ".tif"}.get(extension, extension)
