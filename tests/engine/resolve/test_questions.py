"""Questions about rules: each is asked of the tree, and the tree answers alike for all who ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from files_on_disk import put
from msgspec.structs import replace

from formatspec.engine.dataset.lint import forms
from formatspec.engine.export.shared_tables import counts_objects
from formatspec.engine.resolve.questions.meanings import expressions_within, meanings, scoped, tables
from formatspec.engine.resolve.questions.tables import (
    bound_names,
    certain,
    holds_tables,
    outer_tables,
    up_to_tables,
)
from formatspec.engine.resolve.scope import Scope
from formatspec.language import expression
from formatspec.language.entries.rule_entries import parse_lines, parse_rule
from formatspec.language.leaf import Constant
from formatspec.language.load import load_source
from formatspec.language.rules import Rule, possible_fields, with_inside, within
from formatspec.language.yaml_source import load

ROW = "{each: objects, id: id, bbox: bbox, parts: [{each: children, bbox: bbox}], tags: {a: attributes.a}}"
RULE = parse_rule(load(f"info: {{name: keep}}\nrows: [{ROW}]\nnames: [{{each: categories, name: name}}]", "r.yaml"))
SCOPE = Scope("item", "r", {})


def rule(text: str) -> Rule:
    return parse_rule(load(text, "r.yaml"))


def test_a_rule_of_any_kind_answers_for_its_leaf_its_fields_its_choices_and_its_tables() -> None:
    choice = rule("[{one of: [{each: objects, a: bbox}, {each: labels, b: category.name}]}]")
    mixed = rule("one of: [[{each: objects, a: bbox}], {b: category.name}]")
    line = parse_lines(load("'{bbox}'", "r.yaml"))
    assert [len(one.choices) for one in (RULE, choice, mixed, line)] == [1, 2, 2, 1]
    assert [[one.each.table for one in each.tables] for each in (choice, choice.choices[0], mixed, RULE, line)] == [
        ["objects", "labels"], ["objects"], [], [], []
    ]  # fmt: skip
    assert [one.keys for one in RULE.fields] == [("info",), ("rows",), ("names",)]
    assert [one.fields for one in (choice, line)] == [(), ()]
    assert line.leaf is not None
    assert RULE.leaf is None
    assert rule("{a: bbox}").leaf_under("a") == rule("bbox").leaf
    assert rule("{a: bbox}").leaf_under("b") is None
    assert choice.tables[0].row.fields[0].keys == ("a",)
    assert RULE.row is RULE


def test_tables_of_one_list_are_found_together_with_the_keys_that_lead_there() -> None:
    lists = "[{one of: [{each: objects, x: bbox}, {each: labels, y: category.name}]}]"
    text = f"a: {{b: {lists}}}\none of: [{{c: [{{each: areas, z: region}}]}}]"
    found = [(at, [one.each.table for one in rules]) for at, rules in outer_tables(rule(text))]
    assert found == [(("a", "b"), ["objects", "labels"]), (("c",), ["areas"])]
    assert [at for at, _ in outer_tables(RULE)] == [("rows",), ("names",)]  # the children stand inside


def test_a_table_holds_the_tables_inside_it_and_not_itself() -> None:
    objects, categories = (rules[0] for _, rules in outer_tables(RULE))
    assert holds_tables(objects)
    assert holds_tables(objects.row)
    assert not holds_tables(categories)
    assert [one.leaf for one in up_to_tables(objects.row) if one.leaf] == [
        rule(text).leaf for text in ("id", "bbox", "attributes.a")
    ]  # fmt: skip
    assert sum(one.leaf is not None for one in within(objects.row)) == 4


def test_names_mean_what_they_mean_in_the_rows_where_they_stand() -> None:
    kinds = {(meaning.name, scope.kind, scope.table) for meaning, scope, _ in meanings(RULE, SCOPE)}
    assert kinds == {
        ("id", "object", "objects"), ("bbox", "object", "objects"), ("bbox", "object", "children"),
        ("attributes.a", "object", "objects"), ("name", "category", "categories"),
    }  # fmt: skip
    assert [scope.table for one, scope in scoped(RULE, SCOPE) if one.tables] == ["", "objects", ""]
    assert sorted(bound_names(RULE, frozenset({"children"}))) == ["bbox"]
    assert tables(RULE) == {"objects", "children", "categories"}


def test_expressions_are_found_in_conditions_in_values_behind_else_and_in_texts() -> None:
    fields = ("a: = area", "b: bbox else [1]", "c: keep else 2", 'd: "{= id}-{name else 3}"')
    text = "\n  ".join(("- each: objects where single", *fields))
    found = {expression.format(one) for one in expressions_within(rule(text))}
    assert found == {"single", "area", "[1]", "2", "id", "3"}


@pytest.mark.parametrize(
    ("asks", "leaf"),
    [
        (True, "= count(objects)"),
        (True, "= 1 if count(objects) > 2 else 0"),
        (True, "keep else count(objects)"),
        (False, "= 'count(objects)' if id else ''"),
        (False, "= count(labels)"),
    ],
)
def test_whether_a_document_counts_objects_is_asked_of_its_expressions_not_of_their_text(
    tmp_path: Path, asks: bool, leaf: str
) -> None:
    image = 'image: "{name}.{ext:image}"'
    notes = f'notes: {{path: "{{name}}.json", json: {{n: "{leaf}", rows: [{{each: objects, box: bbox}}]}}}}'
    spec = put(tmp_path, {"s.yaml": f"formatspec: 1\nname: s\nfiles:\n  {image}\n  {notes}\n"}) / "s.yaml"
    (form,) = {one.name: one for one in forms(load_source(spec))}.values()
    assert counts_objects(form) is asks


def test_what_applies_whichever_alternative_is_taken_leaves_alternatives_and_rows_out() -> None:
    own = rule(
        '{a: bbox, b: {c: [score, text]}, "*": attributes, one of: [{d: track}, {e: group}], f: [{each: areas}]}'
    )
    leaves = [one.leaf for one in certain(own) if one.leaf is not None]
    assert leaves == [rule(text).leaf for text in ("bbox", "score", "text", "attributes")]
    assert [one.leaf for one in certain(rule("one of: [bbox, [bbox]]"))] == [None]


def test_fields_that_a_document_may_have_are_its_own_and_those_of_its_alternatives_and_not_those_of_parts() -> None:
    own = rule("{a: bbox, one of: [{b: track}, {c: group, one of: [{d: id}, {e: score}]}], f: {g: text}}")
    assert [field.keys[0] for field in possible_fields(own)] == ["a", "f", "b", "c", "d", "e"]
    rows = rule("[{one of: [{each: objects, a: id}, {each: labels, b: id}]}]")
    assert [field.keys[0] for field in possible_fields(rows)] == ["a", "b"]


def test_a_tree_with_changed_parts_keeps_all_else() -> None:
    def with_other_leaves(one: Rule) -> Rule:
        return replace(one, leaf=Constant(1)) if one.leaf is not None else with_inside(one, with_other_leaves)

    text = '{a: bbox, "*": keep, one of: [{b: [id, track]}, {c: [{each: objects, d: group}]}]}'
    made = with_other_leaves(rule(text))
    ones = '{a: 1, "*": 1, one of: [{b: [1, 1]}, {c: [{each: objects, d: 1}]}]}'
    assert [type(one) for one in within(made)] == [type(one) for one in within(rule(text))]
    assert [one.leaf for one in within(made)] == [one.leaf for one in within(rule(ones))]
    assert [field.keys for one in within(made) for field in one.fields] == [
        field.keys for one in within(rule(text)) for field in one.fields
    ]
