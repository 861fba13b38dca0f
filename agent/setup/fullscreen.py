"""The wizard on the whole terminal (textual): made for 60 columns and 20 lines, and for a phone's keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.markup import escape
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option as Row

from agent.config import ConfigError
from agent.setup.plain import told
from agent.setup.questions import Interview, Question
from agent.setup.telling import found
from agent.setup.trying import Outcome, Tryer
from agent.words import _

Review = Callable[[Mapping[str, Any]], list[str]]

WRITE = "write"
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


class Wizard(App[bool]):
    """One question at a time; ends with whether the answers are to be written."""

    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #head { height: 1; background: $primary; color: $text; padding: 0 1; text-style: bold; }
    #ask { height: auto; max-height: 6; padding: 0 1; }
    #choices { height: 1fr; border: none; padding: 0; }
    #typed { border: tall $accent; margin: 0; }
    #difference { height: 1fr; padding: 0 1; }
    #keys { dock: bottom; height: 1; padding: 0 1; background: $panel; link-style: none; link-color: $text; }
    #said { height: auto; max-height: 9; padding: 0 1; }
    .gone { display: none; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "attempt", priority=True),
        Binding("escape", "previous", priority=True),
        Binding("ctrl+q", "leave", priority=True),
        Binding("ctrl+c", "leave", priority=True),
    ]

    def __init__(self, interview: Interview, tryer: Tryer, review: Review) -> None:
        super().__init__()
        self._interview = interview
        self._tryer = tryer
        self._review = review
        self._trying = False

    def compose(self) -> ComposeResult:
        yield Static(id="head", markup=False)
        yield Static(id="ask", markup=False)
        yield OptionList(id="choices")
        yield Input(id="typed")
        with VerticalScroll(id="difference"):
            yield Static(id="lines")
        yield Static(id="said", markup=False)
        yield Static(id="keys")

    def on_mount(self) -> None:
        self.theme = "textual-ansi" if self.ansi_color else self.theme
        self._show()
        self._say("\n".join(found(self._interview.machine)))

    # -- what is shown -------------------------------------------------------------------------

    def _show(self) -> None:
        question = self._interview.question
        choices, typed = self.query_one("#choices", OptionList), self.query_one("#typed", Input)
        difference = self.query_one("#difference")
        self._say("")
        choices.set_class(question is not None and not question.options, "gone")
        typed.set_class(question is None or bool(question.options), "gone")
        difference.set_class(question is not None, "gone")
        choices.styles.height = "1fr" if question is not None else "auto"
        if question is None:
            self._show_review()
        else:
            place, count = self._interview.place
            self.query_one("#head", Static).update(f"loa setup  {place}/{count}  {question.title}")
            self.query_one("#ask", Static).update(question.text)
            begin = self._interview.suggestion()
            if question.options:
                self._fill(choices, [(option.value, option.label) for option in question.options], begin)
            else:
                typed.value = begin
                typed.cursor_position = len(begin)
                typed.focus(scroll_visible=False)
        self._show_keys(question)

    def _show_keys(self, question: Question | None) -> None:
        """The keys that do something now; a finger on a phone's screen may press them, too."""
        keys = [("attempt", "^T", question.try_label)] if question is not None and question.try_label else []
        keys += [("previous", "Esc", _("Back")), ("leave", "^Q", _("Leave"))]
        text = "   ".join(f"[@click=app.{act}][b]{key}[/b] {escape(words)}[/]" for act, key, words in keys)
        self.query_one("#keys", Static).update(text)

    def _fill(self, choices: OptionList, rows: list[tuple[str, str]], begin: str) -> None:
        choices.clear_options()
        choices.add_options(
            [Row(Text(label), id=f"v{number}") for number, (_value, label) in enumerate(rows)]
        )
        values = [value for value, _label in rows]
        choices.highlighted = values.index(begin) if begin in values else 0
        choices.focus(scroll_visible=False)

    def _show_review(self) -> None:
        self.query_one("#head", Static).update("loa setup  " + _("What is written"))
        choices = self.query_one("#choices", OptionList)
        text = Text()
        rows = [(WRITE, _("Write it")), ("", _("Back"))]
        try:
            lines = self._review(self._interview.changes())
            for line in lines:
                bare = line.startswith(("---", "+++"))
                text.append(line + "\n", "bold" if bare else COLOURS.get(line[:1], ""))
            self.query_one("#ask", Static).update(
                _("The difference; up and down choose, Page Up and Down scroll.")
                if lines
                else _("nothing changes")
            )
        except ConfigError as error:
            self.query_one("#ask", Static).update(_("This is not right, and is not written:"))
            text.append(str(error), "red")
            rows = rows[1:]
        self.query_one("#lines", Static).update(text)
        self._fill(choices, rows, WRITE)

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(text)

    # -- what is done --------------------------------------------------------------------------

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        question = self._interview.question
        if question is not None:
            self._answer(question.options[event.option_index].value)
        elif event.option_list.option_count > 1 and event.option_index == 0:
            self.exit(True)
        else:
            self.action_previous()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self._answer(event.value)

    def _answer(self, value: str) -> None:
        if self._trying:
            return
        problem = self._interview.answer(value)
        if problem is None:
            self._show()
        else:
            self._say(f"✗ {problem}")

    def action_previous(self) -> None:
        """Ask the last question again."""
        if not self._trying and self._interview.back():
            self._show()

    def action_leave(self) -> None:
        """End without writing."""
        self.exit(False)

    def on_key(self, event: Any) -> None:
        """Scroll the difference while the choice below it has the keys."""
        if self._interview.question is None and event.key in ("pageup", "pagedown"):
            difference = self.query_one("#difference", VerticalScroll)
            difference.scroll_page_up() if event.key == "pageup" else difference.scroll_page_down()
            event.stop()

    def action_attempt(self) -> None:
        """Try the answer that is marked."""
        question = self._interview.question
        if question is None or self._trying or not question.try_label:
            return
        trial = question.trial(self._marked(question))
        if trial is None:
            self._say(_("there is nothing to try of this answer"))
            return
        self._trying = True
        self._say(_("trying …"))
        self._attempt(trial)

    @work(thread=True)
    def _attempt(self, trial: Any) -> None:
        outcome = self._tryer.try_(trial)
        self.call_from_thread(self._tried, outcome)

    def _tried(self, outcome: Outcome) -> None:
        self._trying = False
        self._say(told(outcome))

    def _marked(self, question: Question) -> str:
        if not question.options:
            return self.query_one("#typed", Input).value
        return question.options[self.query_one("#choices", OptionList).highlighted or 0].value
