"""Converts a dataset: items are read, adapted and written, and the output appears whole or not at all."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress

import msgspec

from formatspec.engine.conservation.tally import KEPT_FIELDS, imbalances
from formatspec.engine.dataset.checks import files_beside, tree_findings
from formatspec.engine.dataset.dataset import OpenDataset
from formatspec.engine.dataset.item.purpose import Purpose
from formatspec.engine.dataset.kept_in_files import Kept, files_of_no_item, kept_in_files, shared_files_kept_whole
from formatspec.engine.dataset.whole_dataset import (
    LARGEST_CONVERTED,
    dataset_faults,
    shared_keys_twice,
    unchecked_keys,
)
from formatspec.engine.export.adaptation.category_names import named_once
from formatspec.engine.export.adaptation.follow_options import PEEKED, with_following
from formatspec.engine.export.adaptation.name_items import NoPlaceError
from formatspec.engine.export.errors import CannotWriteError
from formatspec.engine.export.join_shards import NameTakenError
from formatspec.engine.export.lost.kept_records import tells_of_kept
from formatspec.engine.export.lost.losses import CATEGORY_NAMES, Losses, name_of
from formatspec.engine.export.lost.lost_records import tells_of_gone
from formatspec.engine.export.shared_tables import tells_of_items
from formatspec.engine.resolve.questions.tables import states_areas
from formatspec.engine.spec import wanted_slots
from formatspec.engine.spec.compiled import IMAGE, Format, compile_format, everything
from formatspec.findings.finding import Finding
from formatspec.findings.render import amount
from formatspec.language.errors import Problem, SpecError, suggest
from formatspec.language.load import Source
from formatspec.model.records import Category, Item
from formatspec.policy.tell import counted, ways_out
from formatspec.run.conversion.bring_media import MediaFiles
from formatspec.run.conversion.plan import Media, Plan, RefusedError, Result, UnaccountedError
from formatspec.run.conversion.write_shard import Conversion, Written
from formatspec.run.output.staging import Staging
from formatspec.run.pools.shards import Pool, Shard, shards_of
from formatspec.run.pools.workers import Alone
from formatspec.run.resume import resumed
from formatspec.run.select import Coverage, Labels

UNCLAIMED_SHOWN = 5


def purpose_of(media: Media, same: bool) -> Purpose:
    """Return which parts of items a conversion must read."""
    taken = media != "none"
    return Purpose(
        origin=same, headers=taken, unsized=not taken, checks=False, media_required=taken, whole=taken, kept=not same,
        strict=True,
    )  # fmt: skip


def target_format(source: OpenDataset, target: Source, plan: Plan) -> Format:
    """Return the layout that is written, with the options that the user gives or that follow from the objects."""
    layout = target.layouts[0]
    if target.is_same(source.form.source):
        layout = source.form.layout
        stated = {name: value for name, value in plan.options.items() if name not in source.form.names}
        options = {**source.form.options, **stated}
    else:
        options = dict(plan.options)
    return compile_format(target, layout, with_following(options, layout.spec.options, lambda: _taken(source, plan)))


def _taken(source: OpenDataset, plan: Plan) -> Iterator[Item]:
    """Yield the first items that the plan selects, with only the objects that it selects."""
    read = source if plan.places is None else filter(None, map(source.valid, source.taken(plan.places)))
    for item in itertools.islice(read, PEEKED):
        taken = item if plan.select is None else plan.select(item)
        if taken is not None:
            yield taken if plan.labels is None else Labels(plan.labels).item(taken)


def convert_dataset(
    source: OpenDataset, target: Source, staging: Staging, plan: Plan, progress: Callable[[int], None], pool: Pool
) -> Result:
    """Write `source` in another format. Raises RefusedError; the staging is then to be deleted."""
    conversion = prepared(source, target, staging, plan, pool)
    shards = conversion.shards()
    try:
        return _converted(conversion, shards, progress, pool)
    except NameTakenError:
        pass  # the workers of this round end on the error, and cannot write into the next round
    staging.clear()
    anew = Conversion(source, conversion.form, conversion.settled, staging, plan)
    return _converted(anew, [(0, plan.count_of(len(source)))], progress, pool)


def prepared(source: OpenDataset, target: Source, staging: Staging, plan: Plan, pool: Pool) -> Conversion:
    """Find out everything that must be known before the first item is written."""
    form = target_format(source, target, plan)
    source.findings.clear()
    twice = any(fault.code == "DUPLICATE" and fault.case == "category" for fault in source.index.faults)
    if twice and plan.policy.fixes("DUPLICATE"):
        source.merge_categories()
    if plan.policy.fixes("FIELD") and plan.default_class is not None:
        source.name_categories(plan.default_class)
    if plan.policy.fixes("UNKNOWN_CATEGORY"):
        source.open_categories()
    if plan.select is None and not target.is_same(source.form.source):
        source.wanted = wanted_slots.for_target(source.form, form, source.index.claimed.roles)
    listed: Sequence[Category] = source.known.listed
    if _needs_categories(form):
        spread = functools.partial(resumed, pool, staging.kept, "categories", list[Category])
        listed = source.all_categories(spread, shards_of(len(source)))
    conversion = Conversion(source, form, tuple(listed), staging, plan)
    if not conversion.adapter.same:
        source.purpose = msgspec.structs.replace(source.purpose, origin=False, kept=True, areas=_states_areas(form))
    asked = plan.policy.speaks_of("error") or plan.policy.speaks_of("PIXEL_VALUE")
    if plan.policy.speaks_of("DIFFERS"):
        source.wanted = everything
        source.purpose = msgspec.structs.replace(source.purpose, checks=True)
    if conversion.unchanged and not tells_of_items(form) and not asked:
        source.purpose = msgspec.structs.replace(source.purpose, pixels=False)  # the target has no use for pixels
    return conversion


def _states_areas(form: Format) -> bool:
    """Return whether new rows of objects in a format state their areas."""
    return any(states_areas(role.document_rule) for role in form.documents if not role.kept)


def _converted(conversion: Conversion, shards: Sequence[Shard], progress: Callable[[int], None], pool: Pool) -> Result:
    """Write the shards and join them.

    Raises:
        RefusedError: A finding or a loss stops the conversion.
        NameTakenError: Two shards hold items of one name.
    """
    source, form, plan = conversion.source, conversion.form, conversion.plan
    losses = Losses(form, conversion.categories, conversion.adapter.same)
    finisher = conversion.finisher(losses)
    findings = [
        msgspec.structs.replace(finding, action=_action(plan, finding))
        for finding in source.reporter.findings(
            (
                *source.index.faults,
                *dataset_faults(source, plan.policy.speaks_of("SPLIT_LEAK")),
                *shared_keys_twice(source, LARGEST_CONVERTED),
            )
        )
    ]
    _need_images(conversion, findings)
    refused: list[Finding] = []
    claimed: set[str] = set()
    categories: set[str] = set()
    coverage = Coverage()
    items = files = copied = left_out = with_objects = classed = classless = joined = boxed = objects = outlines = 0
    if conversion.in_turn:
        coming = Alone().map(conversion.run, shards)
    else:
        coming = resumed(pool, conversion.staging.kept, "written", Written, conversion.run, shards)
    for (_, stop), made in zip(shards, coming, strict=True):
        assert made.part is not None
        finisher.add(made.part)
        findings += source.reporter.placed(made.found)
        refused += made.refused
        claimed |= made.claimed
        categories |= made.categories
        items, files, copied = items + made.items, files + made.media, copied + made.copied
        left_out, with_objects = left_out + made.left_out, with_objects + made.with_objects
        classed += made.classed
        joined += made.joined
        coverage.add(made.coverage)
        classless += made.classless
        boxed, objects, outlines = boxed + made.boxed, objects + made.objects, outlines + made.outlines
        progress(stop)
    findings += refused
    apart = tree_findings(source) if plan.places is None else ()  # files of items that are not read look unclaimed
    orphans = (one for one in apart if one.code == "FILE_ORPHAN" and one.file not in claimed)
    findings += [
        msgspec.structs.replace(finding, action=plan.policy.action(finding))
        for finding in source.reporter.findings(orphans)
    ]
    told = plan.policy.told(findings)
    refuse_errors(findings, told)
    if items == 0:
        lacking = [line for line in losses.lines() if line.startswith("items not written")]
        why = f"{form.name} can hold none of the items: {'; '.join(lacking)}" if lacking else "there is no valid item"
        raise RefusedError(f"nothing was written: {why}", told)
    if not any(finding.level == "error" for finding in findings) and plan.takes_all:
        _refuse_unknown(plan.subsets, finisher.met, source)
        if conversion.labels is not None:
            conversion.labels.refuse_unmet(categories | conversion.labels.met)
    actions = counted(findings)
    if plan.lossless and actions:
        done = ", ".join(f"{one.code} ({one.action}, {one.count})" for one in actions)
        raise RefusedError(f"nothing was written: --lossless allows no repair and no drop: {done}", told)
    try:
        finisher.finish(conversion.staging.write_pieces)
    except CannotWriteError as error:
        raise RefusedError(f"nothing was written: {error}", told) from None
    losses.listed(conversion.listed, finisher.used)
    if conversion.adapter.same:
        brought, in_files = _bring_kept_whole(conversion, losses, left_out)
    else:
        brought, in_files = 0, [kept for one in source.opened for kept in kept_in_files(one)]
    for what, unit in in_files:
        losses.note(what, unit)
    if numbers := source.category_ids_lost(conversion.number_of):
        losses.note(CATEGORY_NAMES["id"], "categories", numbers)
    unlike = 0 if conversion.adapter.same else sum(finding.code == "ROWS_UNLIKE" for finding in findings)
    if unlike:
        losses.note("what further rows of an object say otherwise", "values", unlike)
    for path in files_of_no_item(source) if plan.takes_all else ():
        losses.note(f"{path}: it lists no item", "files")
    finisher.tally.count(KEPT_FIELDS, "", len(in_files), 0, len(in_files))
    if not conversion.adapter.same and (alike := len(conversion.listed) - len(named_once(form, conversion.listed))):
        losses.note("names that several categories share: they are one there", "categories", alike)
    named: dict[str, int] = {}
    for (what, unit), count in losses.counts.items():
        if tells_of_gone(what, unit):
            named[unit] = named.get(unit, 0) + count
        elif tells_of_kept(what):
            named[KEPT_FIELDS] = named.get(KEPT_FIELDS, 0) + count
    unaccounted = tuple(imbalances(finisher.tally, named))
    if unaccounted and not plan.allow_unaccounted:
        raise UnaccountedError(
            "nothing was written: some of what was read would be gone, and no line of the report says so; this is a "
            "fault of formatspec, please report it with the lines above",
            told, tuple(map(str, unaccounted)),
        )  # fmt: skip
    accepted = set(plan.allow_loss)
    gone = [line for line in losses.lines() if not {line, name_of(line)} & accepted]
    if plan.lossless and gone:
        raise RefusedError("nothing was written: the target cannot hold everything", told, tuple(gone))
    return Result(
        source=source.name, target=form.name, out="", items=items, skipped=left_out,
        files=finisher.files + files + brought,
        losses=tuple(losses.lines()), loss_report=tuple(losses.report()), findings=told,
        notices=(
            *_notices(source, copied, claimed if plan.places is None else None, conversion.adapter.same),
            *_of_years(conversion, finisher.met), *finisher.borrowed, *_unchecked(conversion, outlines),
            *_of_classes(conversion, classed, classless, losses), *_of_strangers(conversion, finisher.used),
            *_of_coverage(coverage), *_of_joined(joined),
            *(conversion.labels.unmet(categories | conversion.labels.met)
              if conversion.labels is not None and plan.takes_all else ()),
            *_of_boxes(conversion, boxed, objects, losses),
        ),
        actions=actions, unaccounted=unaccounted, skipped_objects=with_objects,
    )  # fmt: skip


def _bring_kept_whole(conversion: Conversion, losses: Losses, left_out: int) -> tuple[int, list[Kept]]:
    """Put shared files that a spec keeps without describing them into an output of the same format.

    If items were left out (`left_out` of them for what is wrong with them) or renamed, nobody knows whether such a file
    still belongs to the others; it is then a loss.

    Returns:
        How many files were put there, and the others.
    """
    source = conversion.source
    files = [found for one in source.opened for found in shared_files_kept_whole(one)]
    if left_out or not conversion.plan.leaves_items or len(source.opened) > 1:
        return 0, [(f"kept files: {role}", "files") for role, _ in files]
    media = MediaFiles(source, conversion.form, conversion.staging, "copy", losses)
    media.keep(path for _, path in files)
    return media.files, []


def _action(plan: Plan, finding: Finding) -> str:
    """Return the action for a finding; an empty name is only filled with a name that the user gives."""
    action = plan.policy.action(finding)
    unnamed = action == "fix" and (finding.code, finding.case) == ("FIELD", "name") and plan.default_class is None
    return "error" if unnamed else action


def _need_images(conversion: Conversion, findings: Sequence[Finding]) -> None:
    """Refuse to write a target with images if none is there, unless the user asks for it."""
    absent = any(finding.code == "IMAGE_ABSENT" for finding in findings)
    if absent and conversion.plan.media != "none" and IMAGE in conversion.form.roles:
        raise RefusedError(
            "nothing was written: no image of the dataset is there; --media none writes the rest", tuple(findings)
        )


def refuse_errors(findings: Sequence[Finding], told: tuple[Finding, ...]) -> None:
    """Raise RefusedError if a finding stops the conversion, with the options that would let the data pass."""
    stopping = [finding for finding in findings if finding.action == "error"]
    if stopping:
        ways = tuple(ways_out(stopping))
        found = "1 finding stops" if len(stopping) == 1 else f"{len(stopping)} findings stop"
        raise RefusedError(f"nothing was written: {found} the conversion", told, ways=ways)


def _of_classes(conversion: Conversion, classed: int, classless: int, losses: Losses) -> Iterator[str]:
    """Yield notices about objects without a class."""
    things = "1 object" if classed == 1 else f"{classed} objects"
    if classed and conversion.classes is not None:
        name = conversion.classes.name
        yield f"written with the class {name!r}, since {conversion.source.name} states none: {things}"
    if classless and any(what.startswith("objects not written (no category") for what, _ in losses.counts):
        yield "--default-class NAME gives objects without a class one, so that they are written"


def _of_coverage(coverage: Coverage) -> Iterator[str]:
    """Yield a notice of how many objects' categories a map of labels names."""
    if coverage.objects:
        told = [f"{coverage.left_out} left out"] if coverage.left_out else []
        told += [f"{coverage.others} under the name for all others"] if coverage.others else []
        told += [f"{coverage.own} under their own names"] if coverage.own else []
        share = f"{coverage.named} of {amount(coverage.objects, 'object')} ({coverage.named / coverage.objects:.1%})"
        yield f"--labels names the categories of {share}{', ' if told else ''}{', '.join(told)}"


def _of_strangers(conversion: Conversion, used: Collection[str]) -> Iterator[str]:
    """Yield notices about classes outside the fixed list of the format."""
    categories = conversion.categories
    if conversion.adapter.same or not categories.closed:
        return
    names = {category.name for category in categories.listed}
    strange = sorted(name for name in used if name not in names)
    if strange:
        shown = ", ".join(map(repr, strange[:3])) + (f" and {len(strange) - 3} more" if len(strange) > 3 else "")
        yield (
            f"{conversion.form.name} has a fixed list of {len(names)} classes, in which {shown} "
            f"{'is' if len(strange) == 1 else 'are'} missing; --labels FILE says which of its classes each of yours is"
        )


def _of_joined(joined: int) -> Iterator[str]:
    """Yield a notice about objects whose categories have no instances in the map of labels."""
    if joined:
        things = "1 object" if joined == 1 else f"{joined} objects"
        yield f"joined to one area for each category without instances: {things}"


def _of_boxes(conversion: Conversion, boxed: int, objects: int, losses: Losses) -> Iterator[str]:
    """Yield the option that would keep objects without outlines, if outlines were chosen because others have them."""
    gone = sum(count for (what, unit), count in losses.counts.items()
               if unit == "objects" and what.startswith("objects not written (no "))  # fmt: skip
    for option in conversion.may_be_boxes if gone and boxed > objects - gone else ():
        yield f"-O {option} keeps {boxed} of {objects} objects"


def _refuse_unknown(renamed: Iterable[str], met: Collection[str], source: OpenDataset) -> None:
    """Raise SpecError for a renamed subset that the dataset does not have."""
    unions = {file.captures["subset"]: file.path for file in source.index.shared if file.union}
    for name in renamed:
        if name in met:
            continue
        message, hint = f"the dataset has no subset {name!r}", suggest(name, sorted(met))
        if name in unions:
            message = f"{message}: {unions[name]} is made of other lists, and its items have the subsets of those"
            hint = f"name one of {', '.join(sorted(met))}"
        raise SpecError((Problem(message, None, "", hint),))


def _of_years(conversion: Conversion, subsets: Collection[str]) -> Iterator[str]:
    """Yield which subsets lose the year in their name."""
    with suppress(NoPlaceError):  # the items of such a subset were left out
        told = [f"{name} is written as {own}" for name, own in conversion.adapter.naming.without_years(sorted(subsets))]
        if told:
            yield f"subsets without their year: {', '.join(told)}"


def _unchecked(conversion: Conversion, outlines: int) -> Iterator[str]:
    """Yield what was not checked because the target does not hold it."""
    source = conversion.source
    if outlines and source.wanted is wanted_slots.boxes_only:
        things, target = amount(outlines, "object"), conversion.form.name
        yield f"not checked: outlines of {things} beyond their shape, since {target} takes boxes (validate --deep does)"
    if not source.purpose.pixels and any(role.kind == "pixels" for role in conversion.form.documents):
        yield "not checked: pixels of label images, which are copied as they are (validate --deep does)"
    if conversion.adapter.same and not source.purpose.checks and _states_areas(source.form):
        yield "not checked: whether stated areas are those of their shapes (validate does)"
    for path in unchecked_keys(source, LARGEST_CONVERTED):
        yield f"not checked: whether keys stand twice in {path}, which is large (validate does)"
    pixels = [check.code for check in conversion.checker.checks if check.needs_pixels]
    if pixels:
        yield f"not checked: {', '.join(pixels)} (validate --deep does)"


def _notices(source: OpenDataset, copied: int, claimed: set[str] | None, same: bool) -> Iterator[str]:
    """Yield further notices: files that were copied in place of links, and files that the copy leaves out.

    Args:
        source: The dataset.
        copied: How many files were copied in place of links.
        claimed: The files that rows of items claim; None if not all items were read.
        same: Whether the target has the format of the source. The copy then leaves out the files that the format
            ignores.
    """
    if copied:
        yield f"{copied} files could not be linked and were copied"
    apart = [*source.index.unclaimed, *files_beside(source)]
    unclaimed = [] if claimed is None else [path for path in apart if path not in claimed]
    if unclaimed:
        yield f"left where they are, since no rule claims them: {_shown(unclaimed)}"
    ignored = list(source.index.claimed.ignored()) if same else []
    if ignored:
        yield f"left where they are, since {source.form.name} ignores them: {_shown(ignored)}"


def _shown(paths: Sequence[str]) -> str:
    """Return how many files there are, and the paths of the first ones."""
    more = ", …" if len(paths) > UNCLAIMED_SHOWN else ""
    return f"{amount(len(paths), 'file')} ({', '.join(paths[:UNCLAIMED_SHOWN])}{more})"


def _needs_categories(form: Format) -> bool:
    return any(
        scope.kind == "category"
        or meaning.table == "categories"
        or meaning.name in ("category.index", "category.id", "label.category.index")
        for role in form.documents
        for meaning, scope, _ in role.meanings
    )
