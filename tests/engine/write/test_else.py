"""`else` of a key that may be absent: printed in records made anew, and no reason to add it to those that lacked it."""

from __future__ import annotations

import json
from pathlib import Path

import formatspec as fs
from formatspec.testing.memory import image_bytes

PLAIN = """\
formatspec: 1
name: plain
files:
  image: "{name}.{ext:image}"
  notes: {path: "{name}.txt", lines: {each: objects, lines: "{category.name} {bbox | xywh}"}}
"""
ABSENT = """\
formatspec: 1
name: absent
files:
  image: "{name}.{ext:image}"
  notes:
    path: "{name}.json"
    json:
      version?: keep else null
      things:
        - each: objects
          kind: category.name
          "x, y, w, h": bbox | xywh
          parent?: parent | null_as('') else null
          group?: group else null
          tags?: tags else []
          order?: order else index + 1
          score?: score
          seen?: attributes.seen | flag else null
"""


def test_else_is_printed_in_new_records_only(tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(PLAIN, encoding="utf-8")
    (tmp_path / "absent.yaml").write_text(ABSENT, encoding="utf-8")
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.png").write_bytes(image_bytes(8, 8, "png"))
    (source / "a.txt").write_text("cat 1 2 3 4\n", encoding="utf-8")
    absent = str(tmp_path / "absent.yaml")
    fs.convert(source, to=absent, out=tmp_path / "made", spec=str(tmp_path / "plain.yaml"))
    (tmp_path / "made" / "b.png").write_bytes(image_bytes(8, 8, "png"))
    bare = {"things": [{"kind": "cat", "x": 1, "y": 2, "w": 3, "h": 4}]}
    (tmp_path / "made" / "b.json").write_text(json.dumps(bare), encoding="utf-8")
    fs.convert(tmp_path / "made", to=absent, out=tmp_path / "again", spec=absent, labels={"cat": "dog"})
    made, kept = (json.loads((tmp_path / "again" / f"{name}.json").read_text("utf-8")) for name in "ab")
    boxed = {"kind": "dog", "x": 1, "y": 2, "w": 3, "h": 4}
    assert made == {
        "version": None,
        "things": [{**boxed, "parent": "", "group": None, "tags": [], "order": 1, "seen": None}],
    }
    assert kept == {"things": [boxed]}
