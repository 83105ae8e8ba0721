"""A field's pattern as a finite automaton, so that matching takes time proportional to the text.

The caller decides which end of a match is taken, so lazy and possessive quantifiers count as greedy ones. A pattern is
compiled to a list of steps. A set of steps is an int whose bits are their numbers, so that one character moves a whole
set at once. Sets are remembered with the set that each character leads to (a deterministic automaton, built as far as a
text needs it), and forgotten beyond `MOST_SETS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

TOKEN = re.compile(
    r"(?P<quantifier>[*+?]|\{(?:\d+,?\d*|,\d+)\})"
    r"|(?P<structure>\(\?[a-zA-Z-]*:|\(\?<?[=!]|\(\?>|[()|])"
    r"|(?P<atom>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|[\s\S])"
)
"""The tokens of a regular expression."""

MOST_SETS = 10_000
MOST_STEPS = 10_000
"""The most steps of one pattern; a template with a longer one is refused when it is compiled."""
_LOOKED_AT = 2_000
_UNBOUNDED = -1
_NO_ATOMS = frozenset({"^", "$", r"\b", r"\B", r"\A", r"\Z"})
_ALPHABET = "".join(map(chr, range(128))) + "\x85\xa0é\u2028漢"


class _Program:
    """The steps of a pattern: a step that takes a character leads to the next one; other steps lead on at once."""

    def __init__(self, pattern: str) -> None:
        self.atoms: dict[int, tuple[str, bool]] = {}
        self.leads: list[tuple[int, ...]] = []
        self._tokens = list(TOKEN.finditer(pattern))
        self._at = 0
        self._folded = [False]
        self._pattern = pattern
        self._alternatives()
        if self._at < len(self._tokens):
            raise ValueError(f"`{self._tokens[self._at][0]}` has no meaning here in {pattern!r}")
        self.end = self._step()

    def _step(self, *leads: int) -> int:
        if len(self.leads) >= MOST_STEPS:
            raise ValueError(f"the pattern {self._pattern[:60]!r} repeats more than can be matched")
        self.leads.append(leads)
        return len(self.leads) - 1

    def _alternatives(self) -> None:
        branches = []
        while True:
            fork = self._step()
            self._sequence()
            branches.append((fork, self._step()))
            if self._next() != "|":
                break
            self._at += 1
        after = len(self.leads)
        for (fork, last), following in zip(branches, [fork for fork, _ in branches[1:]] + [None], strict=True):
            self.leads[fork] = (fork + 1,) if following is None else (fork + 1, following)
            self.leads[last] = (after,)
        self._step(after + 1)

    def _next(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _sequence(self) -> None:
        while self._at < len(self._tokens) and self._next() not in ("|", ")"):
            begin = self._at
            self._single()
            end = self._at
            token = self._tokens[end] if end < len(self._tokens) else None
            if token is None or token.lastgroup != "quantifier":
                continue
            least, most = _bounds(token[0])
            self._repeat(begin, end, least, most)
            self._at = end + 1
            if self._at < len(self._tokens) and self._next() in ("?", "+"):
                self._at += 1

    def _repeat(self, begin: int, end: int, least: int, most: int) -> None:
        """Add the steps of tokens `begin` to `end`, which exist once already, as often as the quantifier says."""
        first = self._first_of_last
        del self.leads[first:]
        for step in [step for step in self.atoms if step >= first]:
            del self.atoms[step]
        for _ in range(least):
            self._again(begin)
        if most == _UNBOUNDED:
            fork = self._step()
            self._again(begin)
            self._step(fork)
            self.leads[fork] = (fork + 1, len(self.leads))
            return
        forks = []
        for _ in range(most - least):
            forks.append(self._step())
            self._again(begin)
        for fork in forks:
            self.leads[fork] = (fork + 1, len(self.leads))

    def _again(self, begin: int) -> None:
        self._at = begin
        self._single()

    def _single(self) -> None:
        token = self._tokens[self._at]
        self._at += 1
        first = len(self.leads)
        if token.lastgroup == "atom":
            if token[0] in _NO_ATOMS:
                raise ValueError(f"the anchor `{token[0]}` cannot stand in {self._pattern!r}")
            self.atoms[self._step()] = token[0], self._folded[-1]
        elif token[0].endswith(":") and set(token[0][2:-1]) <= {"i"}:
            self._folded.append(self._folded[-1] or "i" in token[0])
            self._alternatives()
            self._folded.pop()
            if self._next() != ")":
                raise ValueError(f"a group is never closed in {self._pattern!r}")
            self._at += 1
        else:
            raise ValueError(f"`{token[0]}` cannot stand in {self._pattern!r}")
        self._first_of_last = first


def _bounds(quantifier: str) -> tuple[int, int]:
    if quantifier in "*+?":
        return {"*": (0, _UNBOUNDED), "+": (1, _UNBOUNDED), "?": (0, 1)}[quantifier]
    least, comma, most = quantifier.strip("{}").partition(",")
    low = int(least or 0)
    return low, (int(most) if most else _UNBOUNDED) if comma else low


class Automaton:
    """A pattern's automaton, which can run over a text in either direction."""

    def __init__(self, pattern: str) -> None:
        """Compile the pattern of a regular expression."""
        program = _Program(pattern)
        takers: dict[tuple[str, bool], int] = {}
        for step, atom in program.atoms.items():
            takers[atom] = takers.get(atom, 0) | 1 << step
        self._atoms = [
            (re.compile(atom, re.IGNORECASE if folded else 0), steps) for (atom, folded), steps in takers.items()
        ]
        self._end = 1 << program.end
        self._onward = _closures(program.leads)
        before: list[list[int]] = [[] for _ in program.leads]
        for step, leads in enumerate(program.leads):
            for lead in leads:
                before[lead].append(step)
        self._backward = _closures(before)
        self._taking: dict[str, int] = {}
        self._forget()

    def _forget(self) -> None:
        self._sets: list[int] = []
        self._numbers: dict[int, int] = {}
        self._ahead: list[dict[str, int]] = []
        self._behind: tuple[list[dict[str, int]], list[dict[str, int]]] = ([], [])

    def _number(self, steps: int) -> int:
        known = self._numbers.get(steps)
        if known is None:
            known = self._numbers[steps] = len(self._sets)
            self._sets.append(steps)
            self._ahead.append({})
            for table in self._behind:
                table.append({})
        return known

    def _takers(self, char: str) -> int:
        """Return the steps that take a character."""
        known = self._taking.get(char)
        if known is None:
            known = sum(steps for atom, steps in self._atoms if atom.fullmatch(char))
            if len(self._taking) > MOST_SETS:
                self._taking.clear()
            self._taking[char] = known
        return known

    def _forward_step(self, steps: int, char: str) -> int:
        return _closed((steps & self._takers(char)) << 1, self._onward)

    def ends(self, text: str, start: int, allowed: bytearray, shortest: bool = False) -> int:
        """Return the last position, of those marked in `allowed`, where a match from `start` may end; -1 for none.

        With `shortest`, the first such position is returned.
        """
        steps = self._onward[0]
        found = -1
        state = self._number(steps)
        end_bit = self._end
        sets, ahead = self._sets, self._ahead
        last = allowed.rfind(1, start)
        for at in range(start, last + 1):
            steps = sets[state]
            if not steps:
                break
            if steps & end_bit and allowed[at]:
                found = at
                if shortest:
                    break
            if at == last:
                break
            char = text[at]
            coming = ahead[state].get(char)
            if coming is None:
                steps = self._forward_step(steps, char)
                if len(sets) >= MOST_SETS:
                    self._forget()
                    sets, ahead = self._sets, self._ahead
                    state = self._number(steps)
                    continue
                coming = ahead[state][char] = self._number(steps)
            state = coming
        return found

    def starts(self, text: str, allowed: bytearray) -> bytearray:
        """Return the positions from which a match leads to one of the marked ends, marked in the same way."""
        marked = bytearray(len(text) + 1)
        first = 1
        sets, behind = self._sets, self._behind
        state = self._number(_closed(self._end, self._backward) if allowed[len(text)] else 0)
        marked[len(text)] = sets[state] & first
        for at in range(len(text) - 1, -1, -1):
            table, char = behind[allowed[at]], text[at]
            coming = table[state].get(char)
            if coming is None:
                steps = (sets[state] >> 1) & self._takers(char)
                steps = _closed(steps | self._end if allowed[at] else steps, self._backward)
                if len(sets) >= MOST_SETS:
                    self._forget()
                    sets, behind = self._sets, self._behind
                    state = self._number(steps)
                    marked[at] = steps & first
                    continue
                coming = table[state][char] = self._number(steps)
            state = coming
            if sets[state] & first:
                marked[at] = 1
        return marked

    def goes_on(self, char: str) -> bool:
        """Return whether a match followed by this character may be extended over it; never wrongly false."""
        letters = {self._takers(letter): letter for letter in _ALPHABET}.values()
        todo, seen = [self._onward[0]], {self._onward[0]}
        while todo:
            steps = todo.pop()
            if steps & self._end and steps & self._takers(char):
                return True
            for letter in letters:
                reached = self._forward_step(steps, letter)
                if reached and reached not in seen:
                    seen.add(reached)
                    todo.append(reached)
            if len(seen) > _LOOKED_AT:
                return True
        return False


def _closures(leads: Sequence[Sequence[int]]) -> list[int]:
    """Return for each step the set of steps that it leads to without a character, including itself."""
    closures = []
    for step in range(len(leads)):
        seen, todo = 1 << step, [step]
        while todo:
            for lead in leads[todo.pop()]:
                if not seen >> lead & 1:
                    seen |= 1 << lead
                    todo.append(lead)
        closures.append(seen)
    return closures


def _closed(steps: int, closures: Sequence[int]) -> int:
    closed = 0
    while steps:
        lowest = steps & -steps
        closed |= closures[lowest.bit_length() - 1]
        steps ^= lowest
    return closed


@lru_cache(maxsize=1024)
def automaton(pattern: str) -> Automaton:
    """Return the automaton of a pattern. Raises ValueError for anchors, lookarounds and atomic groups."""
    return Automaton(pattern)


@lru_cache(maxsize=4096)
def goes_on(pattern: str, char: str) -> bool:
    """Return whether a match of the pattern may go on over this character although a shorter one ends before it."""
    return automaton(pattern).goes_on(char)
