"""Expressions that became source have the values that closures give, and conditions choose the same objects."""

from __future__ import annotations

import pytest

from formatspec.engine.evaluate.expressions import compiled, condition
from formatspec.engine.evaluate.value_source import condition_filter, evaluator
from formatspec.engine.evaluate.write_context import WriteContext, WriteSetting
from formatspec.engine.resolve.scope import Scope
from formatspec.language.errors import Place
from formatspec.language.expression import Expression, parse
from formatspec.model.amounts import with_amounts
from formatspec.model.records import Category, Image, Item, Object
from formatspec.model.region import Region

RING = (0.0, 0.0, 6.0, 0.0, 6.0, 6.0)
CAT, DOG = Category(id=1, name="cat"), Category(id=2, name="dog")
OBJECTS = (
    Object(id=0, category=CAT, bbox=(1.0, 2.0, 3.0, 4.0), attributes={"hard": True}),
    Object(id=3, category=DOG, parent=0, polygons=(RING,), single=False, group=7),
    Object(category=None, region=Region.full(8, 8), score=0.0, attributes={"hard": 0}),
    Object(category=CAT, region=Region.empty(8, 8), parent=0.5, group="a", text=""),
)
ITEMS = (
    Item(key="a", objects=OBJECTS, image=Image(path="a.jpg", width=8, height=8), captures={"name": "a"}),
    Item(key="b", objects=OBJECTS[:1], id=0, frame=2, attributes={"weather": "dry"}),
    Item(key="c", objects=OBJECTS[1:2], image=Image(path="c.jpg", width=8, height=8, channels=3)),
    Item(key="d"),
)
OF_OBJECTS = (
    "parent", "not parent", "id", "category.name == 'cat'", "category.name != 'cat'", "not (category.name == 'cat')",
    "single == false", "single != true and not id", "attributes.hard", "attributes.hard == 0", "region", "not region",
    "group == 7", "group == 'a' or text", "id or parent", "'cat' == category.name", "score", "order and score",
    "image.width", "option.task == 'detect'", "1 if parent else 'none'", "category.id if region else category.name",
)  # fmt: skip
OF_ITEMS = (
    "count(objects)", "count(objects) > 1", "count(objects where region) > 0", "count(objects where parent) >= 2",
    "1 if count(objects where region) > 0 else 0", "count(objects where category.name == 'cat') == 1", "not frame",
    "count(objects where not id and id != 0) == 0", "image.channels", "image.width == 8", "attributes.weather == 'dry'",
    "index", "id", "count(objects where count(objects where parent) > 0)", "count(objects where option.task)",
)  # fmt: skip
PLACE = Place("spec.yaml", 1, 1)


def scope(kind: str) -> Scope:
    outer = Scope("item", "record", {"name": None}, options={"task": "detect"})
    return outer if kind == "item" else outer.inside("objects")


def contexts(kind: str) -> list[WriteContext]:
    found = []
    for item in ITEMS:
        own = WriteContext(WriteSetting({}, None, {"task": "detect"}, index=4), item, item)
        found += [own] if kind == "item" else [WriteContext(own.setting, item, one, own) for one in item.objects]
    return found


@pytest.mark.parametrize(
    ("kind", "text"), [("object", text) for text in OF_OBJECTS] + [("item", text) for text in OF_ITEMS]
)
def test_values_are_those_of_closures(kind: str, text: str) -> None:
    value = parse(text)
    for compile_it in (compiled, condition):
        quick = compile_it(value, scope(kind), PLACE)
        with with_amounts(generates=False):
            slow = compile_it(value, scope(kind), PLACE)
        for context in contexts(kind):
            assert repr(quick(context)) == repr(slow(context))


@pytest.mark.parametrize("text", OF_OBJECTS)
def test_conditions_choose_the_same_objects(text: str) -> None:
    inner = scope("object")
    with with_amounts(generates=False):
        holds = condition(parse(text), inner, PLACE)
    fitting = condition_filter(parse(text), inner)
    assert fitting is not None
    for item in ITEMS:
        up = WriteContext(WriteSetting({}, None, {"task": "detect"}), item, item)
        chosen = [one for one in item.objects if holds(WriteContext(up.setting, item, one, up))]
        assert list(map(id, fitting(item.objects, up))) == list(map(id, chosen))


@pytest.mark.parametrize("text", ["count(objects where region) > 0", "1 if count(objects) > 2 else 0", "image.width"])
def test_these_become_source(text: str) -> None:
    value: Expression = parse(text)
    assert evaluator(value, scope("item"), False) is not None
