"""What to do about each fault, in one line, for whoever stands in front of the node.

A code is one word (`hot`) or a family with the name of what is meant (`feed-refused:commune`, `relay-amplifier`).
A test holds that every code the node can raise has its line here.
"""

from __future__ import annotations

from typing import Final

from agent.words import N_, _

REMEDIES: Final[dict[str, str]] = {
    # sound
    "player": N_("it starts again by itself; if it keeps ending: loa log, journalctl -u loa-agent"),
    "sound-output": N_("is the sound card plugged in (aplay -l), and is it the one in [audio] device?"),
    "not-heard": N_("check amplifier, fuse and horn leads, then the microphone; try: loa self-test"),
    "self-test": N_("compare by ear, check horns and leads; after a repair: loa self-test --reference"),
    "listener": N_("is the microphone plugged in (arecord -l), and is it the one in [listener] device?"),
    "amplifier-overrun": N_(
        "something sounded for longer than [amplifier] longest_on_s allows: see loa log, shorten it or allow more"
    ),
    "relay-": N_("check the relay board, its supply and the pin in [[relays]]; try: loa relay NAME on"),
    "emergency-unspoken": N_(
        "residents heard no words: tell them by other means; then see loa voices, loa faults"
    ),
    "speech:": N_("install a voice for this language, or leave it out; loa voices lists what there is"),
    "stream:": N_(
        "is the server up and its source on the air? it is tried again by itself; a howl: move the microphone away"
    ),
    # screen
    "screen": N_("is the screen plugged in and switched on? it is tried again each minute; [screen] driver"),
    "screen-failed": N_(
        "see what failed: journalctl -u loa-agent LOA_WORKER=screen; the board is drawn again"
    ),
    "screen-black": N_(
        "nothing is seen on the screen: look at it, check cable and input, then: loa screenshot"
    ),
    "screen-frozen": N_("the picture stands still: systemctl restart loa-agent, then: loa screenshot"),
    "screen-unplugged": N_("check the screen's cable and its power"),
    "screen-power": N_(
        "the screen cannot be switched: check [screen] power, and its menu (CEC switched on?)"
    ),
    # feeds and alerts
    "feed-unreachable:": N_("check the network (loa link) and the url of this feed; what is known plays on"),
    "feed-refused:": N_("tell the centre the reason; the last good schedule plays on"),
    "feed-expired:": N_("tell the centre: its signatures have run out (does loa station serve run?)"),
    "feed-ended:": N_("nothing of this feed is in force: tell the centre to publish, check the url"),
    "media:": N_("tell the centre: this recording cannot be fetched; it is tried again by itself"),
    "alert-source:": N_("check its host and the pinned certificates in [[alert_sources]]"),
    # machine
    "disk-full": N_("make room: loa reset --cache, or a larger card; lower [limits]"),
    "under-voltage": N_("use a stronger power supply and a shorter, thicker cable"),
    "hot": N_("give it shade and air; is a fan blocked?"),
    "journal": N_(
        "the card is full, worn or read-only: make room, or replace the card; the play log is at stake"
    ),
    # the agent itself
    "stuck-": N_(
        "it is started again by itself after half a minute; if it recurs: is the card worn, the board hot?"
    ),
    "thread-": N_("it starts again by itself; send the centre a report: loa support-bundle"),
    "defect:": N_(
        "a defect of the agent: send a report (loa support-bundle) and restart: systemctl restart loa-agent"
    ),
}
"""By code, or by the beginning of a family's codes."""


def remedy(code: str) -> str:
    """What to do, in the language of this process; a general word for a code that a newer agent may have."""
    return _(line_of(code) or N_("see: journalctl -u loa-agent; send a report: loa support-bundle"))


def line_of(code: str) -> str | None:
    """The line of a code, in English; None where it has none."""
    if code in REMEDIES:
        return REMEDIES[code]
    families = [start for start in REMEDIES if start[-1] in ":-" and code.startswith(start)]
    return REMEDIES[max(families, key=len)] if families else None
