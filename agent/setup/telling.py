"""Words that both faces of the wizard say."""

from __future__ import annotations

from agent.setup.machine import Machine
from agent.words import _, ngettext


def found(machine: Machine) -> list[str]:
    """What was found, a line each."""
    lines = [machine.model] if machine.model else []
    cards = sum(device.outputs > 0 for device in machine.sound)
    heard = sum(device.inputs > 0 for device in machine.sound)
    lines.append(_("sound: {outputs} to play on, {inputs} to hear with").format(outputs=cards, inputs=heard))
    chips = ", ".join(f"{chip.name} ({chip.label})" if chip.label else chip.name for chip in machine.chips)
    lines.append(_("pins: {chips}").format(chips=chips or _("none")))
    ports = ", ".join(f"{port.device} ({port.what})" if port.what else port.device for port in machine.ports)
    lines.append(_("serial ports: {ports}").format(ports=ports or _("none")))
    if machine.modems:
        count = len(machine.modems)
        text = ngettext("modem: {names}", "modems: {names}", count)
        lines.append(text.format(names=", ".join(machine.modems)))
    lines.append(_("screens: {screens}").format(screens=", ".join(machine.screens) or _("none")))
    return [*lines, *machine.notes]
