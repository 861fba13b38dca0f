"""What an officer writes, as blocks to be set in type: a small part of Markdown, read by markdown-it-py.

Kept: headings, paragraphs, lists, **strong** and *emphasised* words, tables. A line break is a line break, as
people who write notices expect. Of a link its words are kept, of a picture nothing; what is markup elsewhere (HTML,
`~~struck~~`, footnotes, …) is shown as it was typed. What is lost on a board, and what stays so, is named: publishing
can warn. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_NESTING: Final = 20
DEEPEST_LIST: Final = 3
MOST_COLUMNS: Final = 12
BULLET: Final = "•"
_PAUSES: Final = ".,;:!?…"

_ELSEWHERE: Final = (
    ("struck words", re.compile(r"~~(?=\S)[^\n]*?\S~~")),
    ("a box to tick", re.compile(r"^\[[ xX]\](?=\s)")),
    ("a footnote", re.compile(r"\[\^[^\]\s]+\]")),
    ("a definition", re.compile(r"(?<=\n): +\S[^\n]*")),
    ("marked words", re.compile(r"==(?=[^\s=])[^\n=]*[^\s=]==")),
    ("the address of a link", re.compile(r"^\[[^\]\n]+\]: *\S+", re.MULTILINE)),
    ("an underlined heading (write # before it)", re.compile(r"(?<=\n)={2,}\s*$", re.MULTILINE)),
    ("HTML", re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>\n]*)?/?>")),
)
"""What other readers of Markdown understand, by how it looks."""

Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Span:
    """Words that look alike; a line break is a newline in them."""

    text: str
    strong: bool = False
    emphasised: bool = False


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Heading:
    """A heading inside a text, of level 1 to 3."""

    level: int
    spans: Spans


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    spans: Spans


@dataclass(frozen=True)
class Item:
    """An item of a list, `depth` 1 to 3 deep, with its mark."""

    depth: int
    mark: str
    spans: Spans


@dataclass(frozen=True)
class Table:
    """Rows of cells, all as long as `align`; an empty `head` is none."""

    head: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    align: tuple[Align, ...]


Block = Heading | Paragraph | Item | Table


@dataclass(frozen=True)
class Marked:
    """A text as blocks, and what of it a board cannot show."""

    blocks: tuple[Block, ...]
    lost: tuple[str, ...] = ()
    as_typed: tuple[str, ...] = ()
    """What elsewhere would be markup, and here is shown with its marks."""


def read_markdown(text: str) -> Marked:
    """Read a text; anything at all is a text."""
    reader = _Reader(_parser().parse(text))
    blocks = tuple(reader.blocks())
    return Marked(blocks, tuple(dict.fromkeys(reader.lost)), tuple(dict.fromkeys(reader.as_typed)))


def plain(text: str) -> str:
    """The words of a Markdown text, to be read aloud: a block a line, cells parted by commas."""
    lines: list[str] = []
    for block in read_markdown(text).blocks:
        match block:
            case Table(head, rows):
                parts = [row for row in (head, *rows) if row]
                lines += [", ".join(said for cell in row if (said := words_of(cell))) for row in parts]
            case _:
                lines.append(words_of(block.spans))
    return "\n".join(line for line in lines if line)


def aloud(text: str) -> str:
    """Lines of words as one text to be spoken: without marks of lists, and where a line ends there is a pause."""
    lines = [bare for line in text.split("\n") if (bare := line.removeprefix(f"{BULLET} ").strip())]
    paused = [line if line[-1] in _PAUSES else f"{line}." for line in lines[:-1]]
    return " ".join([*paused, *lines[-1:]])


def in_a_row(text: str) -> str:
    """Lines of words beside each other, parted by dots: for a strip of one line."""
    return " · ".join(bare for line in text.split("\n") if (bare := line.removeprefix(f"{BULLET} ").strip()))


def words_of(spans: Sequence[Span]) -> str:
    """The words alone."""
    return "".join(span.text for span in spans).strip()


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - 1 MB and some time that only a text in Markdown needs

    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    # a paragraph that begins with spaces, or with a line of dashes below it, is meant as a paragraph
    return parser.enable("table").disable(["code", "lheading", "reference", "html_block", "html_inline"])


@dataclass
class _Reader:
    """Walks over the tokens once."""

    tokens: Sequence[Token]
    lost: list[str] = field(default_factory=list)
    as_typed: list[str] = field(default_factory=list)
    _counters: list[int | None] = field(default_factory=list)
    """Of the lists that are open: the next number, or None for one without numbers."""
    _mark: str | None = None
    """Of the item that has been opened and not written yet."""

    def blocks(self) -> Iterator[Block]:
        """The text's blocks."""
        rest = iter(self.tokens)
        for token in rest:
            match token.type:
                case "heading_open":
                    yield Heading(min(3, int(token.tag[1:])), self._spans(next(rest)))
                case "ordered_list_open":
                    self._counters.append(int(token.attrs.get("start", 1)))
                case "bullet_list_open":
                    self._counters.append(None)
                case "bullet_list_close" | "ordered_list_close":
                    self._counters.pop()
                case "list_item_open":
                    self._mark = self._next_mark()
                case "inline":
                    spans = self._spans(token)
                    yield self._item(spans) if self._counters else Paragraph(spans)
                case "fence":
                    yield Paragraph((Span(token.content.strip("\n")),))
                case "table_open":
                    yield self._table(rest)
                case "blockquote_open":
                    self.lost.append("the bar beside a quotation")
                case "hr":
                    self.lost.append("a line across")
                case _:
                    pass

    def _next_mark(self) -> str:
        number = self._counters[-1]
        if number is None:
            return BULLET
        self._counters[-1] = number + 1
        return f"{number}."

    def _item(self, spans: Spans) -> Item:
        mark, self._mark = self._mark or "", None
        if len(self._counters) > DEEPEST_LIST:
            self.lost.append(f"the indentation of a list more than {DEEPEST_LIST} deep")
        return Item(min(DEEPEST_LIST, len(self._counters)), mark, spans)

    def _table(self, rest: Iterator[Token]) -> Table | Paragraph:
        rows: list[list[Spans]] = []
        align: list[Align] = []
        for token in rest:
            if token.type == "table_close":
                break
            if token.type == "tr_open":
                rows.append([])
            elif token.type in {"th_open", "td_open"} and len(rows) == 1:
                align.append(_align(str(token.attrs.get("style", ""))))
            elif token.type == "inline":
                rows[-1].append(self._spans(token))
        head, *body = [tuple(row) for row in rows] or [()]
        if len(align) > MOST_COLUMNS:
            self.lost.append(f"the columns of a table with more than {MOST_COLUMNS}")
            lines = (", ".join(filter(None, map(words_of, row))) for row in rows)
            return Paragraph((Span("\n".join(lines)),))
        if not any(map(words_of, head)):
            head = ()
        return Table(head, tuple(body), tuple(align))

    def _spans(self, token: Token) -> Spans:
        code = {part.content for part in token.children or () if part.type == "code_inline"}
        for what, pattern in _ELSEWHERE:
            found = pattern.search(token.content)
            if found is not None and not any(found[0] in typed for typed in code):
                self.as_typed.append(f"{what} ({_short(found[0])})")
        spans: list[Span] = []
        strong = emphasised = 0
        for part in token.children or ():
            match part.type:
                case "strong_open" | "strong_close":
                    strong += part.nesting
                case "em_open" | "em_close":
                    emphasised += part.nesting
                case "text" | "code_inline":
                    spans.append(Span(part.content, strong > 0, emphasised > 0))
                case "softbreak" | "hardbreak":
                    spans.append(Span("\n"))
                case "link_open":
                    if part.info != "auto":
                        self.lost.append("the address of a link (use a QR code)")
                case "image":
                    self.lost.append("a picture in the text (publish it as a bulletin of its own)")
                case _:
                    pass
        return tuple(_joined(spans))


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:23] + "…"


def _joined(spans: Sequence[Span]) -> Iterator[Span]:
    held: Span | None = None
    for span in spans:
        if not span.text:
            continue
        if held is not None and (span.strong, span.emphasised) == (held.strong, held.emphasised):
            held = Span(held.text + span.text, held.strong, held.emphasised)
            continue
        if held is not None:
            yield held
        held = span
    if held is not None:
        yield held


def _align(css: str) -> Align:
    for align in ("center", "right"):
        if align in css:
            return "center" if align == "center" else "right"
    return "left"
