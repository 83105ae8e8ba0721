"""The laws notice what is wrong: decoders broken on purpose, leaves that carry nothing, numbers that are not equal."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from formatspec.cli.main import app
from formatspec.codecs.registry import CODECS, Codec, Env
from formatspec.language.errors import SpecError
from formatspec.language.load import available, load_source
from formatspec.model.region import Region
from formatspec.testing import laws
from formatspec.testing.carry import close

SEEDS = 5
TEXTS = {name: file.read_text(encoding="utf-8") for name, file in available().items()}
USES = sorted((codec, spec) for codec in CODECS for spec, text in TEXTS.items() if re.search(rf"\|\s*{codec}\b", text))
TURNED = ("corners", "flat", "numbers", "radians")
"""Codecs of roLabelImg's turned boxes in VOC."""
NEVER_DECODED = {
    ("run_together", "open_images"): "stands in the path of a mask, which rows name by its whole path",
    ("entry", "label_studio"): "stands in rows that are kept, which are never made",
    ("png_address", "label_studio"): "stands in rows that are kept, which are never made",
    ("filled", "labelme"): "stands in rows that are kept, which are never made",
    ("value_runs", "v7_darwin"): "stands in rows that are kept, which are never made",
    **{(one, "voc"): "stands in rows that are kept, which are never made" for one in TURNED},
}


def wrong(value: Any) -> Any:
    """Another value of the same type; null stays null."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, bytes):
        return value + b"x"
    if isinstance(value, dict):
        return {key: wrong(part) for key, part in value.items()}
    if isinstance(value, Region):
        return Region.from_mask(~value.to_mask())
    return tuple(map(wrong, value)) if isinstance(value, list | tuple) else value


def break_decoder(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Any], Any]) -> None:
    """Have a codec decode to other values than it encodes."""
    factory = CODECS[name]

    def broken(*arguments: Any) -> Codec:
        codec = factory(*arguments)

        def decode(value: Any, env: Env) -> Any:
            return change(codec.decode(value, env))

        return replace(codec, decode=decode)

    monkeypatch.setitem(CODECS, name, broken)


@pytest.mark.parametrize(("spec", "codec", "key"), [
    ("coco", "flat_lists", "segmentation"),
    ("coco", "map", "iscrowd"),
    ("labelme", "pairs", "points"),
    ("ade20k2020", "map", "occluded"),
])  # fmt: skip
def test_a_broken_decoder_is_named_with_its_leaf(
    spec: str, codec: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_decoder(monkeypatch, codec, wrong)
    named = rf"{spec}\.yaml:(\d+):\d+: the leaf `{key}\??: [^`]*\| {codec}\b[^`]*` writes .* and reads"
    for seed in range(SEEDS):
        with pytest.raises(laws.LawBrokenError, match=named) as caught:
            laws.hold(spec, random.Random(seed))
        found = re.search(named, str(caught.value))
        assert found is not None
        line = TEXTS[spec].splitlines()[int(found[1]) - 1]
        assert key in line and codec in line


@pytest.mark.parametrize(("codec", "spec"), USES)
def test_any_broken_decoder_breaks_a_law_of_any_spec_that_uses_it(
    codec: str, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_decoder(monkeypatch, codec, wrong)
    if (codec, spec) in NEVER_DECODED:
        laws.hold(spec, random.Random(0))  # where this breaks, the list above is too long
        return
    with pytest.raises(laws.LawBrokenError):
        laws.hold(spec, random.Random(0))


def test_a_decoder_that_refuses_what_was_written_breaks_a_law(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = CODECS["xywh"]
    monkeypatch.setitem(CODECS, "xywh", lambda *a: replace(factory(*a), decode=CODECS["numbers"]((), a[1]).decode))
    laws.hold("coco", random.Random(0))  # four numbers either way
    monkeypatch.setitem(CODECS, "xywh", lambda *a: replace(factory(*a), decode=CODECS["flag"]((), a[1]).decode))
    with pytest.raises(laws.LawBrokenError, match=r"the leaf `bbox: bbox \| xywh` writes .* and refuses to read it"):
        laws.hold("coco", random.Random(0))


SPEC = """\
formatspec: 1
name: held
files:
  image: "{{name}}.{{ext:image}}"
  record:
    path: "{{name}}.json"
    json:
      objects:
        - each: objects by id
          id: id
          label: category.name
          {leaf}
"""


def written(folder: Path, leaf: str) -> str:
    file = folder / "held.yaml"
    file.write_text(SPEC.format(leaf=leaf), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(("leaf", "expected"), [
    ("'box?': bbox | numbers(3)", "the leaf `box?: bbox | numbers` can carry no value: `bbox` is 4 numbers"),
    ("'ring?': polygons | numbers(3)", "the leaf `ring?: polygons | numbers` can carry no value: `polygons` is"),
    ("mask: region | xywh else null", "the leaf `mask: region | xywh` can carry no value: `region` is a mask"),
    ("'words?': tags | numbers(3)", "the leaf `words?: tags | numbers` can carry no value: `tags` is a list of texts"),
])  # fmt: skip
def test_a_leaf_that_carries_nothing_is_named(leaf: str, expected: str, tmp_path: Path) -> None:
    file = written(tmp_path, leaf)
    with pytest.raises(SpecError) as caught:
        laws.check_leaves(file)
    assert str(caught.value).startswith(f"{file}:12:") and expected in str(caught.value)
    with pytest.raises(SpecError):
        laws.hold(file, random.Random(0))


@pytest.mark.parametrize("runs", ["0", "3"])
def test_lint_says_so(runs: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["lint", written(tmp_path, "'box?': bbox | numbers(3)"), "--runs", runs])
    assert isinstance(result.exception, SpecError) and "held.yaml:12:" in str(result.exception)
    assert "laws hold" not in result.output


def test_lint_names_a_leaf_that_reads_another_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_decoder(monkeypatch, "xywh", wrong)
    result = CliRunner().invoke(app, ["lint", written(tmp_path, "box: bbox | xywh"), "--runs", "0"])
    assert result.exit_code == 1 and "held.yaml:12:" in result.output and "Traceback" not in result.output


def test_sample_names_a_leaf_that_reads_another_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_decoder(monkeypatch, "xywh", wrong)
    spec = written(tmp_path, "box: bbox | xywh")
    result = CliRunner().invoke(app, ["sample", spec, str(tmp_path / "made")])
    assert result.exit_code == 1 and "held.yaml:12:" in result.output
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", sorted(available()))
def test_every_leaf_of_the_catalogue_carries_values(name: str) -> None:
    laws.check_leaves(load_source(name))


def test_numbers_are_close_to_the_ninth_digit_and_no_further() -> None:
    assert close(1.0, 1.0 + 5e-10) and not close(1.0, 1.0 + 5e-9)
    assert close(1e6, 1e6 + 5e-4) and not close(1e6, 1e6 + 5e-3)
    assert close(0.0, 5e-10) and not close(0.0, 5e-9)
    assert close(2, 2.0) and not close(10**12, 10**12 + 1) and not close(1, True)
    assert close((1.0, [2]), [1.0, (2,)]) and not close({"a": 1.0}, {"a": 1.00001})
