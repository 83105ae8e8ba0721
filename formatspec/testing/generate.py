"""Generates datasets that try every leaf, present and absent, every alternative, and unusual names and shapes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from formatspec.codecs.registry import Env
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.export.adaptation.adapt import TargetCategories
from formatspec.engine.export.adaptation.made_names import MadeNames
from formatspec.engine.export.shared_tables import rows_of_groups
from formatspec.engine.read.categories import table_of
from formatspec.engine.resolve.questions.tables import object_tables
from formatspec.engine.spec.compiled import IMAGE, Format
from formatspec.engine.spec.names_join import untold_folders
from formatspec.language.schema import CategoryTable
from formatspec.model import derive
from formatspec.model.records import Area, Caption, Category, Image, Item, Label, Object
from formatspec.model.region import Region
from formatspec.model.slots import SLOTS
from formatspec.testing import carry
from formatspec.testing.fill_record import (
    attributes_of,
    category_of,
    counted_keypoints,
    fill_record,
    is_id_untold,
    leaf_value,
    of_category,
)
from formatspec.testing.memory import image_bytes
from formatspec.testing.outline import Bound, outline
from formatspec.testing.row_shapes import can_state, is_unlabelled, row_shapes
from formatspec.testing.values import MAKERS, NAMES, WORDS, say_alike, value_of

NAMES_OF_POINTS = "category.keypoint_names"


class Generator:
    """Generates items for one format."""

    def __init__(self, form: Format, rng: random.Random) -> None:
        """Find out what the format's datasets can hold; `rng` decides everything random."""
        self.form = form
        self.rng = rng
        self.outline = outline(form)
        self.numbers = iter(range(1, 1 << 30))
        self.endings = 20
        self.made = MadeNames(form)
        self.untold, self.told = untold_folders(form), dict[tuple[Any, ...], Any]()
        self.shared: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.tracks: dict[tuple[Any, ...], list[Object]] = {}
        self.categories = self._categories()
        self.label_maps = any(role.kind == "pixels" for role in form.documents)

    def _lists_its_own(self) -> bool:
        """Return whether a dataset may list categories other than those of the table beside the spec."""
        return any(isinstance(entry, str) for entry in self.form.spec.categories)

    def _categories(self) -> list[Category]:
        for entry in self.form.spec.categories:
            if isinstance(entry, CategoryTable) and (not self._lists_its_own() or self.rng.random() < 0.6):
                return table_of(self.form.source, self.form.layout, entry)
        listed = bool(self.outline.leaves.get("category"))
        count = self.rng.randrange(1, 5)
        names = self.rng.sample(WORDS, count)
        bounds = [*self.outline.leaves.get("category", ()), *map(of_category, self._category_leaves())]
        made = []
        for index, name in enumerate(names):
            values = fill_record(self.rng, bounds, Env(), {"name": name}, {})
            values = {slot: value for slot, value in values.items() if value is not None}
            if self._names_points() and self.rng.random() < 0.5:
                values.setdefault("keypoint_names", tuple(self.rng.sample(WORDS, self.rng.randrange(1, 4))))
            values["name"] = name if self._reads_as(bounds, "name", name) else f"c{index}"
            if any("id" in bound.slots for bound in bounds):
                values["id"] = index * 2 + 1 if self.rng.random() < 0.5 else index + 1
            made.append((values, index))
        ids = [values.get("id") for values, _ in made]
        if len(set(ids)) < len(ids):
            for values, index in made:
                if "id" in values:
                    values["id"] = index * 3 + 1
        colors = [values["color"] for values, _ in made if "color" in values]
        if len(set(colors)) < len(colors):
            for values, index in made:
                if "color" in values:
                    values["color"] = (index * 20 + 1, *values["color"][1:])
        return [category_of({**values, "index": index} if listed else values) for values, index in made]

    def _names_points(self) -> bool:
        """Return whether rows of objects name the keypoints of their category besides giving their places."""
        return any(
            {"keypoints", NAMES_OF_POINTS} <= set(bound.slots) for bound in self.outline.leaves.get("object", ())
        )

    def _category_leaves(self) -> list[Bound]:
        kinds = ("object", "area", "label")
        return [
            bound
            for kind in kinds
            for bound in self.outline.leaves.get(kind, ())
            if all(slot.startswith(("category.", "label.category.")) for slot in bound.slots)
        ]

    def _reads_as(self, bounds: Sequence[Bound], slot: str, value: Any) -> bool:
        rows = [*bounds, *self._category_leaves()]
        alike = [bound for bound in rows if bound.slots[0].rpartition(".")[2] == slot and len(bound.slots) == 1]
        return carry.takes(alike, value, Env())

    def items(self, count: int) -> Iterator[Item]:
        """Yield generated items, each key once; at least one, if the format can hold any."""
        seen, keys, given = set[tuple[Any, ...]](), set[str](), False
        self.endings = max(20, count)
        for _ in range(count * 8):
            names = self._names()
            mark = tuple(names.get(name) for name in self.form.key_names)
            if mark in seen:
                continue
            seen.add(mark)
            item = self._item(names, len(seen) - 1)
            if item is not None and self.made:
                item = self._with_made_names(item)
                if item.key in keys:
                    continue
                keys.add(item.key)
            if item is not None:
                given = True
                yield item
            if len(seen) >= count and given:
                return

    def _with_made_names(self, item: Item) -> Item:
        """Return an item with the names of its image that follow from it."""
        names = dict(item.captures)
        self.made.put(names, item, self.form.options, TargetCategories(self.categories, False))
        assert item.image is not None
        image = msgspec.structs.replace(item.image, path=self.form.roles[IMAGE].template.render(names))
        return msgspec.structs.replace(item, key=self._key(names), captures=names, image=image)

    def _key(self, names: Mapping[str, Any]) -> str:
        return "/".join(str(names[name]) for name in self.form.key_names if names[name] not in (None, ""))

    def _names(self) -> dict[str, Any]:
        image = self.form.roles[IMAGE]
        names: dict[str, Any] = {}
        unlabelled = any(
            name.startswith("label.") and (kind or "").endswith("?") for name, kind in image.scope.captures.items()
        )
        labelled = self.rng.choice(self.categories) if self.categories else None
        labelled = None if unlabelled and self.rng.random() < 0.2 else labelled
        for name in image.captures:
            if name.startswith("label.category."):
                names[name] = getattr(labelled, name.rpartition(".")[2], "")
                continue
            names[name] = self._capture(name, image.scope.captures.get(name) or "")
        if "subset" not in names:
            roles = self.form.roles.values()
            kind = next((r.scope.captures.get("subset") for r in roles if "subset" in r.captures), "")
            names["subset"] = self._capture("subset", kind or "")
        for group in rows_of_groups(self.form).values():  # a list names all items of a group, so all are in one subset
            names["subset"] = self.told.setdefault(tuple(names[name] for name in group), names["subset"])
        return names

    def _capture(self, name: str, kind: str) -> Any:
        rng = self.rng
        if kind == "image":
            return rng.choice(("jpg", "png", "JPG"))
        if "|" in kind:
            return rng.choice(kind.split("|"))
        if kind.endswith("d"):
            return rng.randrange(0, self.endings + 10)
        if kind == "path?":
            return "" if name in self.untold else rng.choice(("", "x", "x/y z"))
        if name == "subset":
            return rng.choice(("train", "val", "Sub set"))
        base = rng.choice(NAMES) + rng.choice(("", str(rng.randrange(self.endings))))
        base = f"d/{base}" if kind == "path" and rng.random() < 0.3 else base
        return base.replace(" ", "_") if name in self.outline.words else base

    def _item(self, names: dict[str, Any], index: int) -> Item | None:
        rng = self.rng
        width, height = rng.randrange(6, 24), rng.randrange(6, 20)
        env = Env(width, height, ("Bald", "Young_2"))
        leaves = self.outline.leaves
        values = fill_record(self.rng, leaves.get("item", ()), env, {}, self._alternatives(leaves.get("item", ())))
        width, height = self._agreeing(values, names, width, height)
        env = Env(width, height, env.columns)
        stated = "subset" in values and not any("subset" in role.captures for role in self.form.roles.values())
        subset = names["subset"] = values["subset"] if stated else names["subset"]
        path = "" if self.made else self.form.roles[IMAGE].template.render(names)
        subsets = (subset,) if subset is not None and self._has_subset() else ()
        around = Item(
            key=self._key(names),
            captures=names,
            subsets=subsets,
            sequence=names.get("sequence", values.get("sequence")),
            frame=names.get("frame", values.get("frame")),
            image=Image(width=width, height=height),
        )
        objects = self._objects(env, around, names) if "objects" in self._tables() else ()
        areas = self._areas(env, objects)
        item = msgspec.structs.replace(
            around,
            id=self._item_id(values, names),
            image=Image(path=path, width=width, height=height, channels=3, data=self._inside(path, width, height)),
            labels=self._labels(env, names),
            captions=self._captions(env),
            tags=values.get("tags") or (),
            attributes={**attributes_of(values), **attributes_of(names)},
            objects=objects,
            areas=areas,
            void=self._void(env, objects, areas),
        )
        if self.outline.areas:
            item = msgspec.structs.replace(item, areas=tuple(area for area in item.areas if self._holds(item, area)))
        return item if self._writable(item) else None

    def _alternatives(self, bounds: Sequence[Bound]) -> dict[int, int]:
        """Return the alternatives of an item's row, chosen at random if they bind attributes of the item."""
        told = {number for bound in bounds if bound.slots[0].startswith("attributes.") for number, _ in bound.choice}
        return {number: self.rng.randrange(self.outline.widest) for number in sorted(told)}

    def _agreeing(self, values: dict[str, Any], names: Mapping[str, Any], width: int, height: int) -> tuple[int, int]:
        """Give the items of one shared document the values that it states once for all, and return their size."""
        values.update({"image.width": width, "image.height": height})
        for slots, by in self.outline.shared:
            first = self.shared.setdefault(
                (slots, *(names.get(name) for name in by)), {s: values.get(s) for s in slots}
            )
            values.update(first)
        return values.pop("image.width"), values.pop("image.height")

    def _inside(self, path: str, width: int, height: int) -> bytes | None:
        """Return, sometimes, an image for a document that can hold one."""
        held = any("image.data" in bound.slots for bound in self.outline.leaves.get("item", ()))
        return image_bytes(width, height, path.rpartition(".")[2]) if held and self.rng.random() < 0.3 else None

    def _holds(self, item: Item, area: Area) -> bool:
        """Return whether one of the tables of areas holds this one."""
        setting = WriteSetting(item.captures, TargetCategories(self.categories, False), dict(self.form.options))
        frame = WriteContext(setting, item, area, WriteContext(setting, item, item))
        return any(holds(frame) for holds in self.outline.areas)

    def _writable(self, item: Item) -> bool:
        """Return whether an item is written at all: a format that lists items in rows of objects needs an object."""
        return True if item.objects or item.labels or item.areas else not self._needs_content()

    def _needs_content(self) -> bool:
        sources = {name.partition(".")[0] for name in self.form.spec.items}
        listed = self.outline.tables & {"items"}
        return IMAGE not in sources and not listed and all(self.form.roles[name].span == "shared" for name in sources)

    def _has_subset(self) -> bool:
        return any("subset" in role.captures for role in self.form.roles.values()) or any(
            "subset" in bound.slots or "subsets" in bound.slots for bound in self.outline.leaves.get("item", ())
        )

    def _tables(self) -> set[str]:
        return self.outline.tables

    def _item_id(self, values: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
        if "id" in names:
            return names["id"]
        bound = any("id" in bound.slots for bound in self.outline.leaves.get("item", ()))
        return next(self.numbers) * 2 + 10 if bound else None

    def _objects(self, env: Env, around: Item, names: Mapping[str, Any]) -> tuple[Object, ...]:
        rng = self.rng
        leaves = [bound for bound in self.outline.leaves.get("object", ()) if "item" not in bound.slots]
        chosen_count = rng.choice((0, 1, 1, 2, 3, 5) if not self.outline.alone else (0, 1))
        made: list[Object] = []
        covered: Region | None = None
        for _ in range(chosen_count):
            choices = {number: rng.randrange(self.outline.widest) for number in range(self.outline.choices)}
            category = rng.choice(self.categories)
            category, fixed = self._conditioned(choices, category)
            met = self.tracks.get(self._sequence(names), ())
            again = rng.choice(met) if met and rng.random() < 0.6 else None
            if again is not None:
                category = again.category or category
                fixed |= {slot: value_of(slot)(again) for slot in self.outline.tracks[0][1]}
            known: dict[str, Any] = {f"category.{name}": getattr(category, name) for name in SLOTS["category"]}
            known.update(fixed)
            values = fill_record(self.rng, leaves, env, known, choices)
            thing = self._object(values, category, leaves, made)
            if is_id_untold(leaves, self.outline.chosen, self._alone(thing, around)):
                thing = msgspec.structs.replace(thing, id=None)
            if again is None and self.outline.tracks and thing.track is not None:
                thing = msgspec.structs.replace(thing, track=next(self.numbers))
            told = self._told(thing, around)
            if any(other.category == category and self._is_numbered_as(thing, other) for other in made):
                continue
            if any(say_alike(thing, other, slots) for slots in self.outline.keys for other in made):
                continue
            if thing.track is not None and any(thing.track == other.track for other in made):
                continue  # a track has one object in a frame
            if not told or (self.outline.alone and thing == Object()) or not self._has_shape(thing):
                continue
            if self._refused(thing, choices, around):
                continue
            if True not in told and thing.region is not None:
                thing = msgspec.structs.replace(thing, region=None)
            if thing.region is not None and self.label_maps:
                seen = thing.region if covered is None else thing.region - covered
                if not seen:
                    continue
                covered = seen if covered is None else covered | seen
                thing = msgspec.structs.replace(thing, region=seen)
            elif self.label_maps and "areas" in self._tables() and thing.polygons:
                inside = derive.region(thing, env.height, env.width)
                if inside is None or (covered is not None and inside & covered):
                    continue
                covered = inside if covered is None else covered | inside
            if thing.hidden is not None:
                hidden = thing.hidden if thing.region is None else thing.hidden - thing.region
                thing = msgspec.structs.replace(thing, hidden=hidden if hidden else None)
            made.append(self._in_rings(thing, made, leaves, env))
            if self.outline.tracks and thing.track is not None:
                self.tracks.setdefault(self._sequence(names), []).append(thing)
        return tuple(made)

    def _sequence(self, names: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the sequence of an item, in whose frames an object may occur several times."""
        return tuple(names.get(name) for by, _ in self.outline.tracks[:1] for name in ("subset", *by))

    def _has_shape(self, thing: Object) -> bool:
        """Return whether an object has the geometry that rows need, if every row of objects needs some."""
        is_free = not self._shapes or not all(self._shapes)
        fits = is_free or any(all(can_state(thing, name) for name in shape) for shape in self._shapes)
        return fits and not is_unlabelled(thing)

    @cached_property
    def _shapes(self) -> list[frozenset[str]]:
        """Return the geometry that each table of objects in a document holds, even in an attribute."""
        roles = [role for role in self.form.documents if role.kind != "pixels" and not role.kept]
        rows = [table.row for role in roles for table in object_tables(role.document_rule) if not table.each.kept]
        return [shape for row in rows for shape in row_shapes(row)]

    def _in_rings(self, thing: Object, before: Sequence[Object], leaves: Sequence[Bound], env: Env) -> Object:
        """For rows with one ring each, sometimes add a ring; of equal rings only the first is kept."""
        outlines = [bound for bound in leaves if bound.slots == ("polygon",)]
        if not (self.outline.rings and thing.polygons and outlines):
            return thing
        if self.rng.random() < 0.5 and (ring := leaf_value(self.rng, outlines[0], leaves, env)[0]):
            thing = msgspec.structs.replace(thing, polygons=(*thing.polygons, ring))
        same = [all(getattr(one, name) == getattr(thing, name) for name in self.outline.rings) for one in before]
        return msgspec.structs.replace(thing, **{self.outline.rings[-1]: None}) if any(same) else thing

    def _is_numbered_as(self, thing: Object, other: Object) -> bool:
        """Return whether a label image could not distinguish two objects of a category."""
        numbers = ((of(thing), of(other)) for of in map(value_of, self.outline.numbers))
        return any(mine is not None and mine == its for mine, its in numbers)

    def _conditioned(self, choices: Mapping[int, int], category: Category) -> tuple[Category, dict[str, Any]]:
        """Return a category and slots that meet the conditions of the chosen alternatives."""
        fixed: dict[str, Any] = {}
        for number, place, slot, value in self.outline.constants.get("object", ()):
            count = 1 + max(p for n, p, _, _ in self.outline.constants["object"] if n == number)
            if choices.get(number, 0) % max(count, 1) != place:
                continue
            if slot.startswith("category."):
                fitting = [c for c in self.categories if getattr(c, slot.removeprefix("category.")) == value]
                category = self.rng.choice(fitting) if fitting else category
            else:
                fixed[slot] = value
        return category, fixed

    def _told(self, thing: Object, around: Item) -> set[bool]:
        """Return whether tables of objects hold this one, as far as it alone decides; True for label images."""
        conditions = self.outline.conditions
        if not conditions:
            return {True}
        frame = self._alone(thing, around)
        told = {pixels for pixels, holds in conditions if holds(frame)}
        return {True} if told and not any(pixels for pixels, _ in conditions) else told

    def _refused(self, thing: Object, choices: Mapping[int, int], around: Item) -> bool:
        """Return whether an alternative was chosen for this object whose condition it does not meet."""
        leaves = self.outline.leaves.get("object", ())
        for (number, place), of_item, holds in self.outline.chosen:
            count = 1 + max((p for bound in leaves for n, p in bound.choice if n == number), default=0)
            if choices.get(number, 0) % count == place:
                alone = self._alone(thing, around)
                if not holds(alone.up if of_item and alone.up is not None else alone):
                    return True
        return False

    def _alone(self, thing: Object, around: Item) -> WriteContext:
        """Return the context for conditions: the object in its item without others."""
        item = msgspec.structs.replace(around, objects=(thing,))
        categories = TargetCategories(self.categories, fixed=False)
        root = WriteContext(WriteSetting({}, categories, dict(self.form.options)), item, item)
        return WriteContext(root.setting, item, thing, root)

    def _object(
        self, values: dict[str, Any], category: Category, leaves: Sequence[Bound], before: Sequence[Object]
    ) -> Object:
        slots = {slot for bound in leaves for slot in bound.slots}
        fields = set(Object.__struct_fields__)
        plain = {slot: value for slot, value in values.items() if slot in fields and value is not None}
        if "polygon" in values and values["polygon"] is not None:
            plain["polygons"] = (values["polygon"],)
        slots |= {slot for _, _, slot, _ in self.outline.constants.get("object", ())}
        slots |= {slot for role in self.form.roles.values() for slot in role.record_slots}
        slots |= {slot for role in self.form.roles.values() for slot in role.captures if slot.startswith("category.")}
        if any(slot.startswith("category.") for slot in slots):
            plain["category"] = category
            plain.update(counted_keypoints(plain, category))
        if "id" in slots or any("object.id" in role.captures for role in self.form.roles.values()):
            plain["id"] = next(self.numbers)
        plain.pop("parent", None)
        parents = [thing.id for thing in before if thing.id is not None]
        if "parent" in slots and parents and self.rng.random() < 0.4:
            plain["parent"] = self.rng.choice(parents)
        plain["attributes"] = attributes_of(values)
        return Object(**plain)

    def _areas(self, env: Env, objects: Sequence[Object]) -> tuple[Area, ...]:
        if "areas" not in self.outline.tables or not self.categories:
            return ()
        covered: Region | None = None
        for thing in objects:
            inside = derive.region(thing, env.height, env.width)
            if inside:
                covered = inside if covered is None else covered | inside
        outlined = [thing.category for thing in objects if thing.region is None]
        made = []
        for category in self.rng.sample(self.categories, self.rng.randrange(0, min(3, len(self.categories)) + 1)):
            if not self._area_fits(category) or category in outlined:
                continue
            region = MAKERS["region"](self.rng, env.width, env.height, False)
            region = region if covered is None else region - covered
            if region:
                made.append(Area(category=category, region=region))
                covered = region if covered is None else covered | region
        return tuple(made)

    def _area_fits(self, category: Category) -> bool:
        for bound in self.outline.leaves.get("area", ()):
            if bound.slots == ("region",):
                continue
            value = tuple(getattr(category, slot.removeprefix("category."), None) for slot in bound.slots)
            one = value[0] if len(value) == 1 else value
            if None in value or not carry.takes([bound], one, Env()):
                return False
            if one == 0 or (bound.pixels and bound.chain.encode(one, Env()) in (0, [0, 0, 0], (0, 0, 0))):
                return False
        return True

    def _void(self, env: Env, objects: Sequence[Object], areas: Sequence[Area]) -> Region | None:
        if "void" not in self.outline.tables or self.rng.random() < 0.5:
            return None
        region: Region = MAKERS["region"](self.rng, env.width, env.height, False)
        records: tuple[Any, ...] = (*objects, *areas)
        for record in records:
            if record.region is not None:
                region = region - record.region
        return region if region else None

    def _labels(self, env: Env, names: Mapping[str, Any]) -> tuple[Label, ...]:
        bounds = self.outline.leaves.get("label", ())
        captured = next((name for name in names if name.startswith("label.category.")), None)
        if captured is not None:
            slot = captured.rpartition(".")[2]
            found = [c for c in self.categories if getattr(c, slot) == names[captured]]
            return (Label(category=found[0]),) if found else ()
        if not bounds:
            return ()
        many = "labels" in self.outline.tables or any(b.leaf.names[0].startswith("labels.") for b in bounds)
        required = any(bound.required for bound in bounds)
        most = len(self.categories) if many else 1
        count = most if self.outline.complete else self.rng.randrange(1 if required else 0, most + 1)
        made = []
        for category in self.rng.sample(self.categories, count):
            values = fill_record(self.rng, bounds, env, {"category.id": category.id}, {})
            own = {slot.removeprefix("label."): value for slot, value in values.items()}
            kept = {slot: own[slot] for slot in ("state", "score") if own.get(slot) is not None}
            made.append(Label(category=category, attributes=attributes_of(own), **kept))
        return tuple(made)

    def _captions(self, env: Env) -> tuple[Caption, ...]:
        single = [bound for bound in self.outline.leaves.get("item", ()) if "caption.text" in bound.slots]
        if single:
            return tuple(
                Caption(text=text) for bound in single[:1] if (text := leaf_value(self.rng, bound, single, env)[0])
            )
        bounds = self.outline.leaves.get("caption", ())
        if not bounds:
            return ()
        made = []
        for _ in range(self.rng.randrange(0, 3)):
            values = fill_record(self.rng, bounds, env, {}, {})
            number = next(self.numbers) if any("id" in bound.slots for bound in bounds) else None
            made.append(Caption(id=number, text=values.get("text") or "word", attributes=attributes_of(values)))
        return tuple(made)
