"""The formats after the colon of a placeholder: `{id:03d}`, `{scene:path?}`, `{subset:train|val}`."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache, partial
from numbers import Real
from typing import Any

from formatspec.paths.names import NO_SEGMENTS, is_segment
from formatspec.paths.templates.syntax import TemplateField, TemplateSyntaxError

IMAGE_EXTENSIONS: tuple[str, ...] = (
    "jpg",
    "jpeg",
    "jpe",
    "jfif",
    "png",
    "bmp",
    "dib",
    "gif",
    "tif",
    "tiff",
    "webp",
    "ppm",
    "pgm",
    "pbm",
    "pnm",
    "pfm",
    "jp2",
    "j2k",
    "jpx",
    "tga",
    "sgi",
    "exr",
    "hdr",
    "avif",
    "heic",
    "heif",
    "jxl",
)
"""The extension words of image files, in lower case and without the dot."""

FORMATS: tuple[str, ...] = ("d", "03d", "f", "word", "words", "token", "path", "path?", "image", "one|two|three")
"""The formats that are suggested for an unknown one."""

_DIGITS = 20  # as in an unsigned 64-bit number; the bound keeps matching linear
_NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_DOTS = frozenset({".", ".."})

_SEGMENT = r"[^/]+"
_PATH = r"[^/]+(?:/[^/]+)*"
_INTEGER = rf"-?[1-9][0-9]{{0,{_DIGITS - 1}}}|0"
_DECIMAL = r"-?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?"
_WORDS = r"[^\s/]+(?: [^\s/0-9.+-][^\s/]*)*"
_WORD = r"[^\s/]+"
_LINE_WORDS = r"\S+(?: [^\s0-9.+-]\S*)*"
_LINE_WORD = r"\S+"
_PADDED = re.compile(r"0([1-9][0-9]?)d(\??)")


@lru_cache(maxsize=1024)
def field(name: str, format: str | None = None) -> TemplateField:
    r"""The field of a placeholder `{name}` or `{name:format}`. Equal arguments give the same object.

    | format | text | value |
    |---|---|---|
    | none | one path segment | str |
    | `d` | an integer as it is written canonically: no leading zeros, no plus, no `-0` | int |
    | `d?` | the same or nothing, and then without the dashes behind | int, None for nothing |
    | `03d` | an integer of at least three digits, zero-padded: "007", "1000", not "0012" or "-07" | int |
    | `03d?` | the same or nothing, and then without the slash behind | int, None for nothing |
    | `f` | a decimal number | int where the text is an integer's, else float |
    | `word` | a word without blanks; `words` are read as well | str |
    | `token` | a word without blanks, and no other is read | str |
    | `words` | words with single blanks between; none but the first begins like a number | str |
    | `path` | one or more segments, none of them empty, `.` or `..` | str |
    | `path?` | the same or nothing | str |
    | `a\|b` | one of these words | str |
    | `none?` | one path segment; the word before the question mark stands for no value | str, "" for the word |
    | `image` | an image file's extension, in any case | str, as spelled |

    Raises TemplateSyntaxError, with offsets from the start of `format`.
    """
    if format is None:
        return TemplateField(name, _SEGMENT, str, _render_segment, wants="one path segment")
    if "|" in format:
        words = _words(format)
        pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        return TemplateField(name, pattern, str, partial(_render_word, words=words), wants="one of " + ", ".join(words))
    padded = _PADDED.fullmatch(format)
    if padded:
        return _padded(name, int(padded[1]), bool(padded[2]))
    make = _NAMED.get(format)
    if make is None and format.endswith("?") and format[:-1].isidentifier():
        return _unless(name, format[:-1])
    if make is None:
        close = get_close_matches(format, FORMATS, n=3, cutoff=0.4) or list(FORMATS)
        raise TemplateSyntaxError(f"unknown format `{format}`", 0, tuple(close))
    return make(name)


@lru_cache(maxsize=1024)
def line_field(name: str, format: str | None = None) -> TemplateField:
    """The same for a placeholder whose text is no part of a path: words may hold slashes there.

    Raises TemplateSyntaxError as `field` does.
    """
    made = _IN_LINES.get(format or "")
    return field(name, format) if made is None else made(name)


def _unless(name: str, word: str) -> TemplateField:
    def parse(text: str) -> str:
        return "" if text == word else text

    def render(value: Any) -> str:
        if value == word:
            raise ValueError(f"{word!r} stands for no value here")
        return word if value in (None, "") else _render_segment(value)

    return TemplateField(name, _SEGMENT, parse, render, wants=f"one path segment, {word} where there is none")


def _padded(name: str, width: int, optional: bool) -> TemplateField:
    if width > _DIGITS - 1:
        raise TemplateSyntaxError(f"no number has {width} digits here", 0, (f"a width up to {_DIGITS - 1}",))
    pattern = rf"[1-9][0-9]{{{width},{_DIGITS - 1}}}|[0-9]{{{width}}}"
    count = _NUMBER_WORDS[width] if width < len(_NUMBER_WORDS) else str(width)
    wants = f"at least {count} digit{'s' if width > 1 else ''}, zero-padded"
    wants = f"{wants}, or nothing" if optional else wants
    return TemplateField(name, pattern, int, partial(_render_padded, width=width), optional=optional, wants=wants)


def _words(format: str) -> tuple[str, ...]:
    words = format.split("|")
    offset = 0
    known: set[str] = set()
    for word in words:
        if not word:
            raise TemplateSyntaxError("an empty word in an enumeration", offset, ("a word",))
        if word in known:
            raise TemplateSyntaxError(f"`{word}` is given twice", offset, ("another word",))
        known.add(word)
        offset += len(word) + 1
    return tuple(words)


def _parse_path(text: str) -> str:
    if "." in text and not _DOTS.isdisjoint(text.split("/")):
        raise ValueError("a path may not hold the segments `.` and `..`")
    return text


def _parse_decimal(text: str) -> int | float:
    if text.lstrip("-").isdigit():
        return int(text)
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is too large for a number")
    return value


def _render_segment(value: Any) -> str:
    text = value if type(value) is str else _text(value)
    if not is_segment(text):
        raise ValueError(f"{text!r} is no single path segment")
    return text


def _render_path(value: Any) -> str:
    text = value if type(value) is str else _text(value)
    if is_segment(text):
        return text
    if "\0" in text or not NO_SEGMENTS.isdisjoint(text.split("/")):
        raise ValueError(f"{text!r} is no path")
    return text


def _render_word(value: Any, *, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError(f"{value!r} is none of {', '.join(words)}")
    return str(value)


def _render_image(value: Any) -> str:
    text = value if type(value) is str else _text(value)
    if text not in IMAGE_EXTENSIONS and text.lower() not in IMAGE_EXTENSIONS:
        raise ValueError(f"{text!r} is no image file's extension")
    return text


def _render_unbroken(value: Any) -> str:
    return _unbroken(_render_segment(value))


def _unbroken(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(_LINE_WORD, text):
        raise ValueError(f"{text!r} has blanks; a word without is expected")
    return text


def _render_words(value: Any) -> str:
    return _single_blanks(_render_segment(value))


def _single_blanks(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(_LINE_WORDS, text):
        raise ValueError(f"{text!r} is no words with single blanks between, all but the first without numbers")
    return text


def _render_integer(value: Any) -> str:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is no integer")
    try:
        number = operator.index(value)
    except TypeError as error:
        raise ValueError(f"{value!r} is no integer") from error
    if abs(number) >= 10**_DIGITS:
        raise ValueError(f"{number} has more than {_DIGITS} digits")
    return str(number)


def _render_padded(value: Any, *, width: int) -> str:
    text = _render_integer(value)
    if text.startswith("-"):
        raise ValueError(f"{text} is negative")
    return text.zfill(width)


def _render_decimal(value: Any) -> str:
    if hasattr(value, "__index__"):
        return _render_integer(value)
    if not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    shortest = repr(float(value))
    if "e" not in shortest:
        return shortest
    plain = format(Decimal(shortest), "f")
    plain = plain if "." in plain else plain + ".0"
    # If the pattern cannot read that many digits, the exponent stays.
    return plain if len(plain) <= 40 else shortest


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"{value!r} is no text")
    return str(value)


def _image(name: str) -> TemplateField:
    extensions = "|".join(sorted(IMAGE_EXTENSIONS, key=len, reverse=True))
    return TemplateField(name, f"(?i:{extensions})", str, _render_image, wants="an image file's extension")


_NAMED: dict[str, Callable[[str], TemplateField]] = {
    "d": lambda name: TemplateField(name, _INTEGER, int, _render_integer, wants="an integer without leading zeros"),
    "d?": lambda name: TemplateField(
        name, _INTEGER, int, _render_integer, optional=True, wants="an integer or nothing"
    ),
    "f": lambda name: TemplateField(name, _DECIMAL, _parse_decimal, _render_decimal, wants="a decimal number"),
    "path": lambda name: TemplateField(name, _PATH, _parse_path, _render_path, wants="a path of one or more segments"),
    "path?": lambda name: TemplateField(
        name,
        _PATH,
        _parse_path,
        _render_path,
        optional=True,
        wants="a path of zero or more segments",
    ),
    "word": lambda name: TemplateField(name, _WORDS, str, _render_unbroken, wants="a word without blanks"),
    "token": lambda name: TemplateField(name, _WORD, str, _render_unbroken, wants="a word without blanks"),
    "words": lambda name: TemplateField(name, _WORDS, str, _render_words, wants="words with single blanks between"),
    "image": _image,
}

_IN_LINES: dict[str, Callable[[str], TemplateField]] = {
    "word": lambda name: TemplateField(name, _LINE_WORDS, str, _unbroken, wants="a word without blanks"),
    "token": lambda name: TemplateField(name, _LINE_WORD, str, _unbroken, wants="a word without blanks"),
    "words": lambda name: TemplateField(
        name, _LINE_WORDS, str, _single_blanks, wants="words with single blanks between"
    ),
}
