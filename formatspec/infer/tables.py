"""Drafts roles of text files: tables with and without a header, one object per line, lists of images."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence

import msgspec

from formatspec.infer import geometry, words
from formatspec.infer.evidence import Picture, number
from formatspec.infer.geometry import Seen
from formatspec.infer.nodes import Entry, Mapping, Node, Rows, Several, Verbatim
from formatspec.infer.rules.builder import Builder

_DELIMITERS = ("\t", ";", ",", " ")
_FLAT = 8


class Table(msgspec.Struct, frozen=True):
    """Lines split into cells."""

    delimiter: str
    columns: tuple[str, ...]
    header: bool
    rows: tuple[tuple[str, ...], ...]

    @property
    def blank(self) -> bool:
        """Whether cells are separated by blanks."""
        return self.delimiter == " "

    @property
    def style(self) -> tuple[Entry, ...]:
        """The entries of `style` for it, without `header`."""
        if self.delimiter == ",":
            return ()
        return (Entry("delimiter", "blanks" if self.blank else self.delimiter),)

    def mappings(self) -> list[dict[str, str]]:
        """Return the rows, each as a mapping by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def sniffed(lines: Sequence[str]) -> Table | None:
    """Return some lines as a table; None if no delimiter splits all of them into the same number of cells."""
    told = [line for line in lines if line.strip()]
    for delimiter in _DELIMITERS:
        try:
            if delimiter == " ":
                cells = [_words(line) for line in told]
            else:
                cells = list(csv.reader(told, delimiter=delimiter))
        except csv.Error:
            continue
        widths = Counter(map(len, cells))
        if not widths:
            return None
        width, count = max(widths), widths[max(widths)]
        if width < 2 or count < 0.5 * len(cells) or min(widths) < width - 1:
            continue
        cells = [[*row, *[""] * (width - len(row))] for row in cells]
        if delimiter == "," and all(cell[:1] == " " for row in cells for cell in row[1:]):
            delimiter = ", "
            cells = [[row[0], *(cell[1:] for cell in row[1:])] for row in cells]
        first, rest = cells[0], cells[1:]
        header = bool(rest) and len(set(first)) == width and _is_header(first, rest)
        columns = tuple(first) if header else tuple(f"column_{place + 1}" for place in range(width))
        return Table(delimiter, columns, header, tuple(map(tuple, rest if header else cells)))
    return None


def _words(line: str) -> list[str]:
    return [one[1:-1] if one[:1] == '"' else one for one in re.findall(r'"[^"]*"|\S+', line)]


def _is_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    if any(not cell or number(cell) is not None for cell in first):
        return False
    numeric = any(
        all(number(row[i].replace(",", ".")) is not None for row in rest if row[i]) for i in range(len(first))
    )
    known = sum(
        words.rank_of_class(cell) is not None or bool(re.search(r"(?i)file|image|path|name|id", cell)) for cell in first
    )
    return numeric or known >= 2


# -- a table of many images --------------------------------------------------------------------------------


def table_rule(
    builder: Builder, tables: Sequence[tuple[Table, AnyMapping[str, str]]]
) -> tuple[Node, tuple[Entry, ...]] | None:
    """Draft the rule of tables of one kind, each with what its path states, and the entries of their style."""
    table, captures = tables[0]
    if (named := _a_column_a_class(builder, [one for one, _ in tables])) is not None:
        return named, ((Entry("style", Mapping(table.style)),) if table.style else ())
    if any(one.columns != table.columns or one.header != table.header for one, _ in tables):
        return None
    rows = [row for one, _ in tables for row in one.mappings()]
    columns = table.columns
    if not table.header:
        names = _named_columns(builder, table, rows, captures)
        if names is None:
            return None
        columns = tuple(names[column] for column in table.columns)
        rows = [{names[column]: cell for column, cell in row.items()} for row in rows]
    bare = [row for row in rows if sum(cell == "" for cell in row.values()) >= len(columns) - 1 >= 2]
    told = [row for row in rows if row not in bare] if bare else rows
    if not told:
        return None
    captures = captures if len(tables) == 1 else {}
    rule = builder.rows([Seen(row, None) for row in told], captures)
    if rule is None:
        return None
    entries = _all_columns(rule.entries, columns)
    node: Node = Rows(rule.each, entries, bare=True)
    if bare:
        reference = next((key for key in columns if all(row[key] for row in rows)), columns[0])
        template = next((entry.node for entry in entries if entry.key == reference), "keep")
        empty = tuple(Entry(key, template if key == reference else "") for key in columns)
        alternatives = (Rows(rule.each, entries, bare=True), Rows("items where count(objects) == 0", empty, bare=True))
        node = Mapping((Entry("one of", Several(alternatives), "images without objects have a row of their own"),))
    style = (*(() if table.header else (Entry("header", Verbatim("false")),)), *table.style)
    return node, ((Entry("style", Mapping(style)),) if style else ())


def _a_column_a_class(builder: Builder, tables: Sequence[Table]) -> Node | None:
    """Draft rows of images with a column for each class, in which 1 means that the image has the class, and 0 not."""
    first = tables[0].columns[0]
    classes = {column for one in tables for column in one.columns[1:]}
    cells = [row[1:] for one in tables for row in one.rows]
    if any(not one.header or one.columns[0] != first or one.delimiter != tables[0].delimiter for one in tables):
        return None
    if len(classes) < 2 or not cells or {cell for row in cells for cell in row} != {"0", "1"}:
        return None
    hits = [builder.named(row[0]) for one in tables for row in one.rows]
    templates = {hit[0] for hit in hits if hit is not None}
    if len(templates) != 1 or None in hits:
        return None
    builder.tally.items += len(cells)
    builder.tally.labels += sum(row.count("1") for row in cells)
    builder.tally.names.update(classes)
    state = Entry("#", "state | map('1'='yes', '0'='no') else '0'")
    label = Entry("{category.name}", Rows("labels", (state,), bare=True), "each column is a class")
    return Rows("items", (Entry(first, templates.pop(), "names the image"), label), bare=True)


def _all_columns(entries: Sequence[Entry], columns: Sequence[str]) -> tuple[Entry, ...]:
    """Return entries in the order of the columns, with a kept one for each remaining column."""
    known = {part.rstrip("?"): entry for entry in entries for part in entry.key.split(", ")}
    found: list[Entry] = []
    for column in columns:
        entry = known.get(column, Entry(f"{column}?", "keep"))
        if entry not in found:
            found.append(entry)
    return tuple(found)


def _named_columns(
    builder: Builder, table: Table, rows: Sequence[AnyMapping[str, str]], captures: AnyMapping[str, str]
) -> dict[str, str] | None:
    """Return names for the columns of a table without a header, from their values."""
    builder.known = captures
    path = builder.reference(rows)
    if path is None:
        return None
    reference = path[0]
    names = {column: column for column in table.columns}
    names[reference] = "image"
    pictures = [builder.picture_of(row[reference]) for row in rows]
    numeric = [
        column
        for column in table.columns
        if column != reference
        and any(row[column] for row in rows)
        and all(number(row[column]) is not None for row in rows if row[column])
    ]
    box = _box_columns(table.columns, numeric, rows, pictures)
    if box is not None:
        start, codec = box
        quad = ("x", "y", "width", "height") if codec in ("xywh", "cxcywh") else ("x1", "y1", "x2", "y2")
        names.update(zip(table.columns[start : start + 4], quad, strict=True))
    texts = [c for c in table.columns if c != reference and c not in numeric and any(row[c] for row in rows)]
    if texts:
        names[min(texts, key=lambda c: len({row[c] for row in rows}))] = "label"
    elif box is not None:
        left = [c for c in numeric if names[c] == c and all(float(row[c] or 0).is_integer() for row in rows)]
        if left:
            names[min(left, key=lambda c: len({row[c] for row in rows}))] = "class_id"
    return names


def _box_columns(
    columns: Sequence[str], numeric: Sequence[str], rows: Sequence[AnyMapping[str, str]],
    pictures: Sequence[Picture | None],
) -> tuple[int, str] | None:  # fmt: skip
    best: tuple[float, int, str] | None = None
    for start in range(len(columns) - 3):
        four = columns[start : start + 4]
        if not all(column in numeric for column in four):
            continue
        part = [(row, one) for row, one in zip(rows, pictures, strict=True) if all(row[c] for c in four)]
        reading = geometry.box([Seen([row[c] for c in four], one) for row, one in part], "")
        if reading is None:
            continue
        fits = float(reading.comment.split(" of ")[0]) / max(len(part), 1)
        if best is None or fits > best[0]:
            best = (fits, start, reading.leaf.split(" | ")[1].split("(")[0])
    return None if best is None or best[0] < 0.8 else (best[1], best[2])


# -- a line an object ----------------------------------------------------------------------------------------


class Line(msgspec.Struct, frozen=True):
    """A line of text, split into cells, and its image if known."""

    cells: tuple[str, ...]
    picture: Picture | None


def lines_rule(builder: Builder, files: Sequence[tuple[Sequence[str], Picture | None]]) -> Node | None:
    """Draft the rule of text files with one object per line, each file about one image; None for other files."""
    told = [(line.strip(), picture) for lines, picture in files for line in lines if line.strip()]
    if not told:
        return None
    mark = "," if all("," in line for line, _ in told) else " "
    heads = _heads([lines for lines, _ in files])
    told = [(line, picture) for line, picture in told if _head_of(line) not in heads]
    parted = [Line(tuple(_parted(line, mark)), picture) for line, picture in told]
    widths = Counter(len(line.cells) for line in parted)
    if len(widths) > 1 and mark == " ":
        merged = [Line(_merged(line.cells), line.picture) for line in parted]
        if len({len(line.cells) for line in merged}) == 1:
            parted, widths = merged, Counter(len(line.cells) for line in merged)
    if not parted or min(widths) < 4:
        return None
    templates = []
    by_width: dict[str, list[Line]] = {}
    for line in parted:
        template_key = str(len(line.cells)) if len(widths) <= 3 else ("5" if len(line.cells) == 5 else "more")
        by_width.setdefault(template_key, []).append(line)
    for group in sorted(by_width.values(), key=lambda one: -len(one)):
        template = _line_template(builder, group, mark)
        if template is None:
            return None
        templates.append(template)
    distinct = list(dict.fromkeys(templates))
    rows: Entry = Entry("lines", distinct[0][0], distinct[0][1], distinct[0][2])
    if len(distinct) > 1:
        ordered = sorted(distinct, key=lambda one: "polygon" in one[0])
        rows = Entry("lines", Mapping((Entry("one of", Several(tuple(one[0] for one in ordered))),)))
    rule = Rows("objects", (rows,), bare=True)
    if not heads:
        return rule
    return Several((*(Mapping((Entry("line?", f"{head}:{{keep}}"),)) for head in heads), rule))


def _head_of(line: str) -> str:
    """Return the word before the colon of a line such as `scale:0.5`, which is about the whole file."""
    match = re.fullmatch(r"([A-Za-z]\w*):.+", line.strip())
    return match[1] if match else ""


def _heads(files: Sequence[Sequence[str]]) -> list[str]:
    """Return the words that begin the first lines of files, in their order."""
    found: dict[str, int] = {}
    for lines in files:
        for line in lines:
            word = _head_of(line)
            if not word:
                break
            found[word] = found.get(word, 0) + 1
    return list(found)


def _parted(line: str, mark: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")] if mark == "," else line.split()


def _merged(cells: Sequence[str]) -> tuple[str, ...]:
    """Return cells, with neighbouring words that form a name joined by blanks."""
    found: list[str] = []
    texts = False
    for cell in cells:
        text = number(cell) is None
        if text and texts:
            found[-1] += f" {cell}"
        else:
            found.append(cell)
        texts = text
    return tuple(found)


def _line_template(builder: Builder, lines: Sequence[Line], mark: str) -> tuple[str, str, str] | None:
    """Draft a template for lines with equally many cells, or with a class and a ring of any length."""
    width = min(len(line.cells) for line in lines)
    same = all(len(line.cells) == width for line in lines)
    columns = [[line.cells[i] for line in lines] for i in range(width)]
    numeric = [all(number(cell) is not None for cell in column) for column in columns]
    joined = " | joined(',', numbers)" if mark == "," else ""
    if not same or (width >= 7 and width % 2 == 1 and all(numeric) and _is_ring(lines)):
        if mark == " " and numeric[0] and all(len(line.cells) % 2 for line in lines) and _is_ring(lines):
            whole = [int(float(cell)) for cell in columns[0]]
            entry = builder.number_entry("", whole)
            builder.tally.shapes += len(lines)
            slot = str(entry.node)
            return f"{{{_slot(slot, ':d')}}} {{polygon | flat | normalized}}", entry.comment, entry.doubt
        return None
    flat = _FLAT if mark == " " else 0
    if flat and width >= flat + 1 and all(numeric[:flat]) and not numeric[flat]:
        start, leaf, size, comment, doubt = 0, "polygon | flat(8)", flat, "", ""
        builder.tally.shapes += len(lines)
    else:
        box = _box_in(lines, numeric)
        if box is None:
            return None
        start, leaf, comment, doubt = box
        size = 4
        builder.tally.boxes += len(lines)
    parts: list[str] = []
    place = 0
    named = _class_column(builder, columns, numeric, range(start, start + size), mark)
    while place < width:
        if place == start:
            parts.append(f"{{{leaf}{joined}}}")
            place += size
            continue
        if named is not None and place == named[0]:
            parts.append(named[1])
            comment, doubt = comment or named[2], doubt or named[3]
        else:
            parts.append(_attribute(place, columns[place], numeric[place], mark))
        place += 1
    if named is None:
        return None
    return mark.join(parts), comment, doubt


def _is_ring(lines: Sequence[Line]) -> bool:
    return all(-0.01 <= (number(cell) or 0) <= 1.01 for line in lines for cell in line.cells[1:])


def _slot(node: str, form: str) -> str:
    """Return a slot with a format after its name and before its codecs."""
    name, bar, rest = node.partition(" | ")
    return f"{name}{bar}{rest}" if bar else f"{name}{form}"


def _box_in(lines: Sequence[Line], numeric: Sequence[bool]) -> tuple[int, str, str, str] | None:
    best: tuple[float, int, geometry.Reading] | None = None
    for start in range(len(numeric) - 3):
        if not all(numeric[start : start + 4]):
            continue
        reading = geometry.box([Seen(list(line.cells[start : start + 4]), line.picture) for line in lines], "")
        if reading is None:
            continue
        fits = float(reading.comment.split(" of ")[0]) / len(lines) + (0.05 if "normalized" in reading.leaf else 0)
        if best is None or fits > best[0] + geometry.FAIR:
            best = (fits, start, reading)
    if best is None or best[0] < 0.7:
        return None
    return best[1], best[2].leaf, best[2].comment, best[2].doubt


def _class_column(
    builder: Builder, columns: Sequence[Sequence[str]], numeric: Sequence[bool], taken: range, mark: str
) -> tuple[int, str, str, str] | None:
    free = [i for i in range(len(columns)) if i not in taken]
    texts = [i for i in free if not numeric[i]]
    if texts:
        chosen = min(texts, key=lambda i: len(set(columns[i])))
        entry = builder.class_under("class", list(columns[chosen]))
        if entry is None:
            return None
        blanks = any(" " in cell for cell in columns[chosen])
        node = f"{entry.node}:words" if blanks and mark == " " and entry.node == "category.name" else entry.node
        return chosen, f"{{{node}}}", entry.comment, entry.doubt
    whole = [i for i in free if all(float(cell).is_integer() and float(cell) >= 0 for cell in columns[i])]
    if not whole:
        return None
    chosen = min(whole, key=lambda i: (i != 0, len(set(columns[i]))))
    entry = builder.number_entry("", [int(float(cell)) for cell in columns[chosen]])
    return chosen, f"{{{_slot(str(entry.node), ':d')}}}", entry.comment, entry.doubt


def _attribute(place: int, column: Sequence[str], numeric: bool, mark: str) -> str:
    if numeric and all(re.fullmatch(r"-?(?:0|[1-9]\d*)", cell) for cell in column):
        return f"{{attributes.column_{place + 1}:d}}"
    if numeric:
        return f"{{attributes.column_{place + 1}:f}}"
    return f"{{attributes.column_{place + 1}{':word' if mark == ' ' else ''}}}"


def frames_rule(builder: Builder, files: Sequence[tuple[Sequence[str], AnyMapping[str, str]]]) -> Node | None:
    """Draft the rule of text files of whole sequences, whose first column is the number of the frame."""
    layout = builder.layout
    if not layout.digits:
        return None
    lines: list[Line] = []
    mark = ""
    for texts, captures in files:
        told = [line.strip() for line in texts if line.strip()]
        mark = mark or ("," if all("," in line for line in told) else " ")
        for text in told:
            cells = _parted(text, mark)
            hit = layout.named_by(cells[0], captures) if cells and cells[0].isdigit() else None
            lines.append(Line(tuple(cells), hit[1] if hit is not None else None))
    if not lines or sum(line.picture is not None for line in lines) < 0.6 * len(lines):
        return None
    width = len(lines[0].cells)
    if width < 6 or any(len(line.cells) != width for line in lines):
        return None
    rest = [Line(line.cells[2:], line.picture) for line in lines]
    found = _line_template(builder, rest, mark)
    if found is None:
        return None
    template, comment, doubt = found
    whole = f"{{{layout.name}:d}}{mark}{{track:d}}{mark}{template}"
    return Rows("objects", (Entry("lines", whole, comment, doubt),), bare=True)


def list_rule(builder: Builder, lines: Sequence[str], captures: AnyMapping[str, str]) -> Node | None:
    """Draft the rule of a text file that lists one image per line."""
    builder.known = captures
    told = [line.strip() for line in lines if line.strip()]
    hits = [builder.named(line) for line in told]
    known = [hit for hit in hits if hit is not None]
    if told and len(known) < 0.9 * len(told):
        return _labelled_list(builder, told) or _words_list(builder, told)
    if not told:
        return None
    template = Counter(hit[0] for hit in known).most_common(1)[0][0]
    builder.tally.items += len(told)
    return Rows("items", (Entry("lines", template, "the images of this part"),), bare=True)


def _words_list(builder: Builder, lines: Sequence[str]) -> Node | None:
    """Draft the rule of a list of images, each followed by a word of numbers for each of its objects."""
    hits = []
    words_of: list[Line] = []
    for line in lines:
        parts = line.split(" ")
        count = next((i for i, part in enumerate(parts) if i and part.count(",") >= 4), len(parts))
        hit = builder.named(" ".join(parts[:count]))
        hits.append(hit)
        words_of += [Line(tuple(part.split(",")), hit[1] if hit else None) for part in parts[count:] if part]
    known = [hit for hit in hits if hit is not None]
    if not words_of or len(known) < 0.9 * len(lines) or len({len(one.cells) for one in words_of}) > 1:
        return None
    found = _line_template(builder, words_of, ",")
    if found is None:
        return None
    template = Counter(hit[0] for hit in known).most_common(1)[0][0]
    rows = Rows("objects", (Entry("lines", *found),), bare=True)
    builder.tally.items += len(lines)
    return Rows("items", (Entry("lines", Mapping((Entry("line", template), Entry("words", rows)))),), bare=True)


def _labelled_list(builder: Builder, lines: Sequence[str]) -> Node | None:
    """Draft the rule of a list of images, each with its class after a blank, a tab or a comma."""
    for mark in ("\t", " ", ","):
        parted = [line.rpartition(mark) for line in lines]
        hits = [builder.named(name) if name else None for name, _, _ in parted]
        known = [hit for hit in hits if hit is not None]
        if len(known) < 0.9 * len(lines):
            continue
        entry = builder.class_under("class", [word for _, _, word in parted])
        if entry is None:
            continue
        builder.tally.labels += len(lines)
        template = Counter(hit[0] for hit in known).most_common(1)[0][0]
        slot = _slot(f"label.{entry.node}", ":d" if builder.tally.slot != "name" else "")
        return Rows("items", (Entry("lines", f"{template}{mark}{{{slot}}}", entry.comment, entry.doubt),), bare=True)
    return None
