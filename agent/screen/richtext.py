"""Words of several looks in one line: broken into lines and measured. Pure: faces measure for it.

Lines break at spaces, like those of `typesetting`; a word that is wider than its line breaks between letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from agent.screen.errors import Quarantine
from agent.screen.fonts import Weight
from agent.screen.scripts import ZERO_WIDTH_SPACE, clusters, pieces
from agent.screen.typesetting import Ruler, count_words, normalise
from agent.screen.units import clings
from playlists.markup import Span


class Faces(Protocol):
    """Where rulers come from."""

    def at(self, weight: Weight, size: int) -> Ruler:
        """The ruler of a weight at a size in pixels."""


@dataclass(frozen=True)
class Run:
    """Words that look alike, somewhere in a line."""

    text: str
    weight: Weight
    emphasised: bool
    width: int
    broken: bool = False
    """Whether its last word goes on in the next line."""


Line = tuple[Run, ...]
_Fragment = tuple[str, Weight, bool]


@dataclass
class _Word:
    """What a line may not break, in one or more looks; `spaced` if a space stands before it in the same line."""

    parts: list[_Fragment]
    spaced: bool = True


@dataclass(frozen=True)
class Setter:
    """Breaks lines at one size."""

    faces: Faces
    size: int
    bold: bool = False
    """Whether everything is bold: a heading, the head of a table."""

    @property
    def line_height(self) -> int:
        """From one line to the next, in pixels."""
        return max(
            self.faces.at("regular", self.size).line_height, self.faces.at("bold", self.size).line_height
        )

    def width(self, text: str, weight: Weight) -> int:
        """Pixels that `text` takes."""
        return self.faces.at(weight, self.size).width(text)

    def lines(self, spans: Sequence[Span], width: int) -> list[Line]:
        """Lines at most `width` pixels wide.

        Raises:
            Quarantine: a single letter is wider.
        """
        return [line for words in self._paragraphs(spans) for line in self._break(words, width)]

    def natural(self, spans: Sequence[Span]) -> int:
        """How wide it is if nothing breaks but at line breaks."""
        return max(
            (sum(run.width for run in self._run(words)) for words in self._paragraphs(spans)), default=0
        )

    def least(self, spans: Sequence[Span]) -> int:
        """How wide its longest word is."""
        words = (word for paragraph in self._paragraphs(spans) for word in paragraph)
        return max((self._width_of(word) for word in words), default=0)

    def _paragraphs(self, spans: Sequence[Span]) -> list[list[_Word]]:
        return _words(tuple(spans), self.bold)

    def _width_of(self, word: _Word) -> int:
        return sum(self.width(text, weight) for text, weight, _ in word.parts)

    def _break(self, words: list[_Word], width: int) -> Iterator[Line]:
        space = self.width(" ", "bold" if self.bold else "regular")
        line: list[_Word] = []
        used = 0
        for word in words:
            wide = self._width_of(word)
            before = space if word.spaced else 0
            if line and used + before + wide <= width:
                line.append(word)
                used += before + wide
                continue
            if line:
                yield self._run(line)
            if wide <= width:
                line, used = [word], wide
                continue
            *full, rest = self._letters(word, width)
            for piece in full:
                yield tuple(replace(run, broken=True) for run in self._run([piece]))
            line, used = [rest], self._width_of(rest)
        if line:
            yield self._run(line)

    def _letters(self, word: _Word, width: int) -> list[_Word]:
        """A word that is wider than its line, in parts that are not."""
        found: list[_Word] = [_Word([])]
        used = 0
        for text, weight, emphasised in word.parts:
            for letter in clusters(text):
                wide = self.width(letter, weight)
                if wide > width:
                    raise Quarantine(f"its box is {width} pixels wide, narrower than the letter {letter!r}")
                if used + wide > width and found[-1].parts:
                    found.append(_Word([]))
                    used = 0
                found[-1].parts.append((letter, weight, emphasised))
                used += wide
        return found

    def _run(self, words: Sequence[_Word]) -> Line:
        runs: list[_Fragment] = []
        for number, word in enumerate(words):
            for place, (text, weight, emphasised) in enumerate(word.parts):
                before = " " if number and not place and word.spaced else ""
                if runs and runs[-1][1:] == (weight, emphasised):
                    runs[-1] = (runs[-1][0] + before + text, weight, emphasised)
                elif before and runs:
                    # the space belongs to the run before it: what follows begins with a letter
                    runs[-1] = (runs[-1][0] + before, *runs[-1][1:])
                    runs.append((text, weight, emphasised))
                else:
                    runs.append((text, weight, emphasised))
        return tuple(
            Run(text, weight, emphasised, self.width(text, weight)) for text, weight, emphasised in runs
        )


@lru_cache(maxsize=64)
def _words(spans: tuple[Span, ...], bold: bool) -> list[list[_Word]]:
    """The words of each paragraph, whatever their size: they are broken into lines at several, and never changed."""
    paragraphs: list[list[_Word]] = [[]]
    glued = False
    for span in spans:
        weight: Weight = "bold" if span.strong or bold else "regular"
        for number, text in enumerate(_tidy(span.text).split("\n")):
            if number:
                paragraphs.append([])
                glued = False
            words = paragraphs[-1]
            for piece, spaced, joins in _pieces_of(text):
                if piece and joins and glued and words:
                    words[-1].parts.append((piece, weight, span.emphasised))
                elif piece:
                    words.append(_Word([(piece, weight, span.emphasised)], spaced))
                glued = bool(piece)
    return [_bound(words) for words in paragraphs]


def _bound(words: list[_Word]) -> list[_Word]:
    """The same with a numeral and its unit in one."""
    kept = clings(["".join(text for text, _, _ in word.parts) for word in words])
    bound: list[_Word] = []
    for word, clinging in zip(words, kept, strict=True):
        if clinging and word.spaced:
            (text, weight, emphasised), *rest = word.parts
            bound[-1].parts += [(f" {text}", weight, emphasised), *rest]
        else:
            bound.append(word)
    return bound


def words_in(lines: Sequence[Line]) -> int:
    """How many words there are to be read."""
    return sum(count_words("".join(run.text for run in line)) for line in lines)


def _pieces_of(text: str) -> Iterator[tuple[str, bool, bool]]:
    """What a line may not break; whether a space stands before it, and whether it goes on with what was before.

    An empty piece stands for a space at the end: what follows does not go on with anything.
    """
    for number, part in enumerate(text.split(" ")):
        if number and not part:
            yield "", True, False
        for place, word in enumerate(part.split(ZERO_WIDTH_SPACE)):
            for count, piece in enumerate(pieces(word)):
                first = not place and not count
                yield piece, first, first and not number


def _tidy(text: str) -> str:
    """As `typesetting.normalise`, but spaces at its ends stay: other words may follow."""
    inner = normalise(text)
    if not inner:
        return " " if " " in text else "\n" if "\n" in text else ""
    before = "\n" if text[: len(text) - len(text.lstrip())].count("\n") else " " if text[:1].isspace() else ""
    behind = "\n" if text[len(text.rstrip()) :].count("\n") else " " if text[-1:].isspace() else ""
    return before + inner + behind
