"""What a technician asks at the socket. A request that acts needs the right to, and is written down with his name."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from agent import reset
from agent.clock import Clock
from agent.conductor.amplification import Amplification
from agent.conductor.asked import names, text, whole
from agent.conductor.carrying import Carrying
from agent.conductor.events import StopAsked
from agent.conductor.identity import Identity
from agent.conductor.ledger import Ledger
from agent.conductor.looks import Looks
from agent.conductor.orders import Orders
from agent.conductor.performance import FileItem, Performance, ToneItem
from agent.conductor.rules import Rules
from agent.conductor.self_test import Asked, SelfTests
from agent.conductor.updates import Updates
from agent.control.audit import Audit
from agent.control.protocol import LONGEST_MUTE_S, ControlRequest
from agent.control.rights import ACTORS
from agent.journal import JournalError
from agent.uplink.limiter import Limiter
from playlists.arbiter import Rank, Source
from playlists.errors import Rejected
from playlists.models.base import BulletinClass, validate
from playlists.models.items import Item, SpeechItem
from playlists.units import Level, Seconds

log = logging.getLogger("loa.control")

BY_HAND_S = 60.0
"""A relay that was switched by hand falls back after this time."""

STRANGERS_BURST, STRANGERS_EACH_S = 20, Seconds(60.0)
"""Who may not act and tries all the same is written down so often; what is beyond is counted."""


class Requests:
    """Answers the control socket. Runs on the conductor's thread only."""

    def __init__(
        self,
        clock: Clock,
        orders: Orders,
        rules: Rules,
        amplification: Amplification,
        ledger: Ledger,
        tests: SelfTests,
        identity: Identity,
        looks: Looks,
        updates: Updates,
        audit: Audit,
        carrying: Carrying,
        *,
        in_force: Callable[[], list[str]],
        state: Path,
        post: Callable[[object], None],
    ) -> None:
        """`in_force()` names the alerts in force; `state` is the folder that a reset sets aside parts of."""
        self._clock = clock
        self._orders = orders
        self._rules = rules
        self._amp = amplification
        self._ledger = ledger
        self._tests = tests
        self._identity = identity
        self._audit = audit
        self._in_force = in_force
        self._state = state
        self._post = post
        self._numbers = itertools.count(1)
        self._strangers = Limiter(STRANGERS_BURST, STRANGERS_EACH_S)
        self._looks = looks.ops | updates.looks | carrying.looks
        self._acts: dict[str, Callable[[ControlRequest], str]] = {
            "say": self._say,
            "play": self._play,
            "identify": self._identify,
            "stop": self._stop,
            "relay": self._relay,
            "mute": self._mute,
            "test-page": self._test_page,
            "self-test": self._self_test,
            "reset": self._reset,
            "note": self._note,
            **updates.acts,
            **carrying.acts,
        }
        """Each answers or refuses, and returns what was asked, for the audit log."""

    def take(self, request: ControlRequest) -> None:
        """Answer one request; a bad one gets one clear line."""
        if (look := self._looks.get(request.op)) is not None:
            self._try(request, look)
        elif not request.may_act:
            self._forbid(request)
        elif (act := self._acts.get(request.op)) is not None:
            try:
                self._write_down(request, self._try(request, act) or "")
            except Exception:
                self._write_down(request, "")
                raise
        else:
            known = ", ".join(sorted(self._looks | self._acts))
            request.refuse(f"{request.op!r:.60} is not understood here; known are {known}")

    def _try(self, request: ControlRequest, op: Callable[[ControlRequest], str | None]) -> str | None:
        try:
            return op(request)
        except (Rejected, ValueError, OSError) as error:
            request.refuse(f"{request.op}: {error}")
        except JournalError as error:
            request.refuse(f"{request.op}: the journal cannot be read now: {error}")
        except Exception as error:
            request.refuse(f"{request.op}: a defect of the agent ({error!r}); see: journalctl -u loa-agent")
            raise
        return None

    def _forbid(self, request: ControlRequest) -> None:
        request.refuse(
            f"{request.op!r:.60} is for the group {ACTORS}; join it and log in anew: "
            f"sudo adduser {request.user.partition(' ')[0]} {ACTORS}",
            denied=True,
        )
        if self._strangers.allows(self._clock.monotonic()):
            more, self._strangers.held_back = self._strangers.held_back, 0
            self._write_down(request, f"and {more} more before this" if more else "")

    def _write_down(self, request: ControlRequest, what: str) -> None:
        """Into the audit log, and into the play log for the centre."""
        refused = request.refused
        what = what or ", ".join(f"{key} {value}" for key, value in request.arguments.items())[:200]
        self._audit.write(request.user, request.op, what, refused)
        told = f"{request.op[:60]} by {request.user}: {what}" + (f", refused: {refused}" if refused else "")
        self._ledger.remark(told[:1_000])

    def _say(self, request: ControlRequest) -> str:
        words = validate(
            SpeechItem,
            "say",
            {
                "speech": {
                    "text": text(request, "text"),
                    "language": request.arguments.get("language", "vi"),
                }
            },
        )
        title = words.speech.text[:200]
        self._sound(request, [words], title, words.speech.language)
        return repr(title)

    def _play(self, request: ControlRequest) -> str:
        path = Path(text(request, "path"))
        if not path.is_file():
            raise ValueError(f"{path} is not a file that the agent can read")
        sounds = False
        try:
            title = text(request, "name", path.name)[:200]
            sounds = self._sound(request, [FileItem(str(path))], title, "vi")
        finally:
            if not sounds:
                path.unlink(missing_ok=True)
        return repr(title)

    def _sound(
        self, request: ControlRequest, items: Sequence[Item | ToneItem | FileItem], title: str, language: str
    ) -> bool:
        now = self._clock.now()
        name = f"local/{now:%H%M%S}-{next(self._numbers)}"
        p = Performance(
            id=name,
            origin="local",
            class_=BulletinClass.ROUTINE,
            rank=Rank(BulletinClass.ROUTINE, Source.LIVE, 0, Level(0), now, name, self._rules.place_of(None)),
            planned=now,
            items=items,
            title=title,
            language=language,
            zones=frozenset(names(request, "zones")),
            on_conflict="preempt",
        )
        refused = self._orders.say(p)
        if refused is not None:
            request.refuse(f"not now: {refused} ([policy] in the configuration, or a mute by command)")
        else:
            request.answer(id=name)
        return refused is None

    def _identify(self, request: ControlRequest) -> str:
        refused = self._identity.identify("preempt")
        number = self._identity.number
        if refused is not None:
            request.refuse(
                f"this is {number}; it is not said now: {refused} ([policy] in the configuration, or a mute)"
            )
        else:
            request.answer(number=number)
        return number

    def _stop(self, request: ControlRequest) -> str:
        name = text(request, "name", "*")
        stopped = self._orders.stop(name, f"stopped by {request.user}")
        request.answer(stopped=stopped)
        return name

    def _relay(self, request: ControlRequest) -> str:
        name, on = text(request, "name"), request.arguments.get("on")
        if on not in (True, False):
            raise ValueError(f"on: expected true or false, got {on!r:.40}")
        known = self._amp.states()
        if name not in known:
            raise ValueError(f"no relay {name!r:.60}; known are: {', '.join(known) or 'none'}")
        now = self._clock.monotonic()
        why_not = self._amp.hold_by_hand(name, now, BY_HAND_S) if on else self._amp.release_by_hand(name, now)
        if why_not is not None:
            request.refuse(f"relay: {why_not}")
        else:
            request.answer()
        return f"{name} {'on' if on else 'off'}"

    def _mute(self, request: ControlRequest) -> str:
        """As the officer's command does: zones fall silent for a while, but for emergencies. No `for_s` lifts it."""
        zones = names(request, "zones")
        here = self._rules.controls.meant(zones)
        if not here:
            known = ", ".join(sorted(self._rules.controls.meant(("*",))))
            raise ValueError(f"no zone {', '.join(zones)!r:.60}; known are: {known}")
        until = None
        if request.arguments.get("for_s") is not None:
            for_s = whole(request, "for_s", 0, 1, LONGEST_MUTE_S)
            until = (self._clock.now() + timedelta(seconds=for_s)).astimezone()
        self._rules.mute(zones, until, self._clock.now())
        in_force = self._rules.in_force(self._clock.now()).muted_until
        request.answer(
            zones=sorted(here),
            until=until.isoformat() if until else None,
            muted={zone: end.isoformat() for zone, end in in_force.items()},
        )
        return f"{', '.join(sorted(here))} " + (f"until {until:%Y-%m-%d %H:%M}" if until else "no more")

    def _test_page(self, request: ControlRequest) -> str:
        """Cover the board with a page for a moment; an emergency stays on top."""
        self._identity.show_test_page()
        request.answer()
        return ""

    def _self_test(self, request: ControlRequest) -> str:
        reference = request.arguments.get("reference", False)
        if reference not in (True, False):
            raise ValueError(f"reference: expected true or false, got {reference!r:.40}")
        asked = Asked(request.user, lambda _state, _reason: None, take_reference=reference)
        refused = self._tests.begin(asked)
        if refused is not None:
            request.refuse(f"not now: {refused}")
        else:
            request.answer()
        return "with reference" if reference else "without reference"

    def _reset(self, request: ControlRequest) -> str:
        """Begin anew: the agent restarts, and sets aside what it has gathered."""
        parts = names(request, "parts")
        unknown = set(parts) - set(reset.PARTS)
        if unknown:
            raise ValueError(
                f"parts: known are {', '.join(reset.PARTS)}, got {', '.join(sorted(unknown))[:60]}"
            )
        if alerts := self._in_force():
            request.refuse(
                f"not now: an emergency is told ({', '.join(alerts)[:200]}); a reset would forget it"
            )
        elif request.arguments.get("only_try") is True:
            request.answer(parts=sorted(parts))
        else:
            reset.ask(self._state, [part for part in reset.PARTS if part in parts], request.user)
            request.answer(parts=sorted(parts))
            self._post(StopAsked(f"reset by {request.user}", "restart"))
        return ", ".join(sorted(parts)) + (
            " (only tried)" if request.arguments.get("only_try") is True else ""
        )

    def _note(self, request: ControlRequest) -> str:
        """Write down what a command did beside the agent: it changed the configuration, for instance."""
        said = text(request, "text")[:300]
        request.answer()
        return said
