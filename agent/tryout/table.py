"""What can be tried."""

from __future__ import annotations

from typing import Final

from agent.tryout.hearing import try_microphone
from agent.tryout.network import try_clock, try_feed, try_link
from agent.tryout.relays import try_relays
from agent.tryout.screen import try_screen
from agent.tryout.sound import try_sound
from agent.tryout.tried import Trial

TRIALS: Final[dict[str, Trial]] = {
    "clock": try_clock,
    "link": try_link,
    "feed": try_feed,
    "mic": try_microphone,
    "relay": try_relays,
    "screen": try_screen,
    "sound": try_sound,
}
