"""All checks, in the order in which they are shown."""

from __future__ import annotations

from typing import Any, Final

from agent.doctor import (
    board,
    clock,
    configuration,
    daemon,
    network,
    relays,
    screen,
    sound,
    storage,
    system,
    trust,
    versions,
)
from agent.doctor.finding import Check
from agent.words import N_

GROUPS: Final[dict[str, str]] = {
    "machine": N_("machine"),
    "power": N_("power"),
    "system": N_("system"),
    "configuration": N_("configuration"),
    "trust": N_("trust"),
    "time": N_("time"),
    "storage": N_("storage"),
    "sound": N_("sound"),
    "relays": N_("relays"),
    "screen": N_("screen"),
    "network": N_("network"),
    "agent": N_("agent"),
}

CHECKS: Final[tuple[Check[Any], ...]] = (
    *board.CHECKS,
    *system.CHECKS,
    *versions.CHECKS,
    *configuration.CHECKS,
    *trust.CHECKS,
    *clock.CHECKS,
    *storage.CHECKS,
    *sound.CHECKS,
    *relays.CHECKS,
    *screen.CHECKS,
    *network.CHECKS,
    *daemon.CHECKS,
)
