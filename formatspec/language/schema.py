"""The top level of a spec, typed.  Rules (under `json:`, `lines:`, …) are parsed by `rules`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

LANGUAGE_VERSION = 1
SCHEMA_ID = f"https://formatspec.dev/schema/v{LANGUAGE_VERSION}.json"
"""The id of the language's JSON Schema; its version is that of the language."""
DOCUMENTS = ("json", "jsonl", "yaml", "xml", "ini", "pickle", "csv", "lines", "pixels")

ImageMode = Literal["gray", "gray16", "rgb", "rgba", "palette", "index"]
SeenLevel = Literal["tool's file", "tool's source", "documentation"]  # the strongest evidence first
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


RoleName = Annotated[str, Field(description="the name of a role")]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Many = BeforeValidator(_listed)


class Strict(BaseModel):
    """A mapping of a spec that has no keys beyond those listed here."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


class StyleSpec(Strict):
    """The spelling of a text file."""

    separators: Literal["compact", "spaced"] | None = Field(
        None, description="blanks or none; JSON: after , and :, INI: around ="
    )
    indent: int | None = Field(None, description="JSON and XML: blanks per level")
    ascii: bool | None = Field(None, description="JSON: escape every character beyond ASCII")
    final_newline: bool | None = Field(None, description="whether the file ends with a line break")
    newline: Literal["\n", "\r\n"] | None = Field(None, description="what ends a line")
    delimiter: str | None = Field(
        None,
        description='CSV: what separates columns; also with a blank (", "), or any `blanks`',
    )
    header: bool | None = Field(
        None, description="CSV: whether the first line names the columns; INI: whether keys stand in sections"
    )
    columns: tuple[str, ...] | None = Field(None, description="CSV: the columns in order, if the keys are not")
    quote: str | None = Field(None, description="CSV: what encloses a cell that holds a delimiter")
    declaration: bool | None = Field(None, description="XML: whether the file begins with <?xml …?>")


class FileSpec(Strict):
    """A role: files with one function, where they lie, and what they contain."""

    path: str = Field(
        description="template of the path below the root, as in images/{name}.{ext:image}; a trailing / is a folder"
    )
    need: Literal["required", "optional", "kept"] = Field(
        "required", description="whether the file must be there; one that is kept is written back but never made"
    )
    given: dict[str, str] = Field(
        default_factory=dict,
        description="what names are that the path does not spell, or that nothing tells when a file is made",
    )
    folders: dict[str, str] = Field(
        default_factory=dict,
        description="keys of the document that name the folder, or the folders, of a subset's images: KEY: SUBSET",
    )
    seen_from: str | None = Field(
        None, description="the folder from which paths inside files name these files; else that of the file itself"
    )
    like: str | None = Field(None, description="another role whose entries are taken over")
    json_: Any = Field(None, alias="json", description="a JSON document, shaped as it is")
    jsonl: Any = Field(None, description="a JSON document a line, each a row of a table")
    yaml: Any = Field(None, description="a YAML document, shaped as it is")
    xml: Any = Field(None, description="an XML document: elements as keys, '@' attributes, '#' text")
    ini: Any = Field(None, description="an INI file: sections as keys, in each its keys; without sections its keys")
    pickle: Any = Field(None, description="a pickle of plain data, shaped as it is")
    csv: Any = Field(None, description="a table: columns as keys")
    lines: Any = Field(None, description="text lines: a template, a list, or a table with lines")
    pixels: Any = Field(None, description="a label image: one row per distinct pixel value")
    image: Annotated[tuple[ImageMode, ...], Many] = Field(
        (), description="modes that a label image may have; the first is written"
    )
    scaled: bool = Field(False, description="a label image may be of any size, and is scaled to that of its image")
    shows: str | None = Field(None, description="a condition on the objects that a label image shows; else all")
    palette: str | None = Field(None, description="`bits`, or `category.color`: the palette that is written")
    encoding: Annotated[tuple[str, ...], Many] = Field(("utf-8",), description="encodings to try in turn")
    style: StyleSpec = Field(
        default_factory=lambda: StyleSpec.model_validate({}), description="how the file is spelled"
    )
    equal: Literal["bytes", "data", "pixels"] = Field("data", description="what must come back equal")
    comment: str | None = Field(None, description="lines that begin so are comments")
    schema_: Any = Field(None, alias="schema", description="JSON Schema (Draft 2020-12) for what leaves do not say")

    @property
    def document(self) -> str | None:
        """The kind of document; None for a role without one."""
        return next(
            (kind for kind in DOCUMENTS if getattr(self, "json_" if kind == "json" else kind) is not None),
            None,
        )


class CheckSpec(Strict):
    """A check that the spec defines: a code, a level, and a condition."""

    level: Literal["error", "warning", "info"] = "error"
    each: Literal["items", "objects", "levels", "categories"] = "objects"
    where: str | None = None
    holds: str
    say: str


class OptionSpec(Strict):
    """An option of the spec, set by -O name=value."""

    default: Any = None
    choices: tuple[Any, ...] = ()
    follows: dict[str, Any] = Field(
        default_factory=dict, description="slot: choice; without -O, the first slot that objects hold decides"
    )
    counts: Literal["", "keypoints", "polygons", "tags"] = Field(
        default="", description="a slot; without -O, the most values that it has in one of the first objects"
    )
    prefers: tuple[str, ...] = Field(
        default=(), description="of an option in a key: names that go before others where the documents have several"
    )
    told_by: dict[str, str] = Field(
        default_factory=dict,
        description="role: keys and places with dots between; without -O, the choice that stands there decides",
    )
    about: str = ""

    @property
    def initial(self) -> Any:
        """The value of the option if nobody chooses one: its default, or else the name that it prefers most."""
        return self.default if self.default is not None else next(iter(self.prefers), None)


class CategoryTable(Strict):
    """A table of categories beside the spec; rows may name others if it is `open`."""

    table: str
    open: bool = False


class CategoryList(Strict):
    """A role that only lists categories' names; rows are matched to it by the slots of `match`, in turn."""

    list: str
    match: Annotated[tuple[str, ...], Many]


class Seen(Strict):
    """Evidence for a spec: a file of the tool that writes the format, its source code, or a page about it."""

    level: SeenLevel = Field(description="what was looked at")
    source: str = Field(min_length=1, description="where it can be found: a URL, or the name of a release")
    note: str | None = Field(None, description="what it shows, and what it leaves open")


class VariantSpec(BaseModel):
    """One layout of several; its content is merged over the spec."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)
    name: str


def _named_files(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: {"path": role} if isinstance(role, str) else role for name, role in value.items()}


class Spec(Strict):
    """One format."""

    formatspec: Literal[1] = Field(description="the version of the language")
    name: Word = Field(description="the format's name")
    title: str = Field("", description="the format's name as people write it")
    homepage: str | None = None
    licence: str | None = None
    about: str = Field("", description="one or two sentences")
    root: Annotated[tuple[str, ...], Many] = Field(
        (".",), description="where the layout may begin; the first that is there"
    )
    ignore: tuple[str, ...] = Field((), description="files that do not matter")
    let: dict[str, str] = Field(default_factory=dict, description="names for pieces of templates")
    crowds: bool = Field(
        True, description="false: a crowd is no object of this format, and is left out unless `-O crowds=keep`"
    )
    counts_from: dict[str, int] = Field(
        default_factory=dict,
        description="where numbers that are made begin, by name: `counts_from: {frame: 1, object.id: 1}`",
    )
    categories: tuple[RoleName | CategoryTable | CategoryList, ...] = Field(
        (), description="sources of categories: names of roles that list them, or tables; the first present wins"
    )
    class_: str | None = Field(
        None, alias="class", description="the class of all objects, where the format states none: `class: face`"
    )
    items: Annotated[tuple[str, ...], Many] = Field(("image",), description="sources of items: roles, or role.key")
    files: Annotated[dict[str, FileSpec], BeforeValidator(_named_files)] = Field(description="the roles")
    subsets: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="subset names, and other names for them"
    )
    options: dict[str, OptionSpec] = Field(default_factory=dict)
    variants: tuple[VariantSpec, ...] = ()
    anywhere: str | None = Field(
        None,
        description="a role whose files may have any path, where no layout fits: what they hold says where images lie",
    )
    extends: str | None = Field(None, description="a spec whose entries are taken over")
    levels: dict[str, str | dict[str, str]] = Field(
        default_factory=dict,
        description="levels of codes in this format: CODE: level, or CODE: {level: condition on the file's `values`}",
    )
    checks: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")], CheckSpec] = Field(default_factory=dict)
    examples: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = Field((), description="what the spec rests on")
