"""What a library says, asked in a process of its own: `python -m agent.doctor.looks WHAT [ARGUMENT …]`.

Libraries of sound and graphics are heavy, print where they like, hang, and crash. The answer is one JSON object, the
last line of stdout.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

DECODERS: Final = ("stream_out_transcode", "access_output_file", "avcodec", "ogg", "opus", "flac", "mp4")
"""What a node's recordings need of libVLC: MP3, AAC and Vorbis are avcodec's."""


def cards(*_devices: str) -> dict[str, Any]:
    """Sound devices, as PortAudio lists them."""
    try:
        import sounddevice
    except OSError as error:
        return {"missing": str(error)}
    return {
        "devices": [
            {
                "name": f"{device['name']}, {sounddevice.query_hostapis(device['hostapi'])['name']}",
                "outputs": device["max_output_channels"],
                "inputs": device["max_input_channels"],
            }
            for device in sounddevice.query_devices()
        ],
    }


def device(name: str, direction: str) -> dict[str, Any]:
    """Whether PortAudio finds and accepts the device that a configuration names, as the node opens it."""
    if name == "pulse":
        from agent.player.alsa import LEAN_ALSA

        os.environ.setdefault("ALSA_CONFIG_PATH", str(LEAN_ALSA))
    try:
        import sounddevice
    except OSError as error:
        return {"missing": str(error)}
    output = direction == "output"
    check = sounddevice.check_output_settings if output else sounddevice.check_input_settings
    found = cards()
    try:
        # a microphone may have another rate than 48,000 Hz: the node takes what it has
        rate = 48_000 if output else None
        check(device=None if name == "default" else name, channels=1, dtype="int16", samplerate=rate)
    except (sounddevice.PortAudioError, ValueError) as error:
        return {**found, "refused": str(error)}
    return {**found, "accepted": name}


def sink() -> dict[str, Any]:
    """Volume of the sound server's output: of $PULSE_SINK, else of its default."""
    try:
        import pulsectl
    except (OSError, ImportError) as error:
        return {"missing": str(error)}
    try:
        with pulsectl.Pulse("loa-doctor", connect=False) as server:
            server.connect(autospawn=False)
            found = server.get_sink_by_name(
                os.environ.get("PULSE_SINK") or server.server_info().default_sink_name
            )
            percent = round(found.volume.value_flat * 100)
            return {"sink": {"name": "sink", "percent": percent, "on": not found.mute}}
    except pulsectl.PulseError as error:
        return {"refused": str(error)}


def decoder() -> dict[str, Any]:
    """libVLC's version, and which plug-ins are missing."""
    try:
        import vlc

        version = vlc.libvlc_get_version().decode()
    except (OSError, ImportError, AttributeError, NameError) as error:
        return {"missing": str(error)}
    from agent.player.libvlc import has_module

    return {"version": version, "lacks": [name for name in DECODERS if not has_module(name)]}


def screen() -> dict[str, Any]:
    """Drivers of the SDL that pygame brings, and whether the board's typeface speaks Vietnamese."""
    from agent.screen.display_environment import prepare_environment

    prepare_environment("dummy")
    try:
        import pygame
    except ImportError as error:
        return {"missing": str(error)}
    from agent.screen.fonts import Fonts

    version = ".".join(str(part) for part in pygame.get_sdl_version())
    return {"pygame": pygame.version.ver, "sdl": version, "drivers": _drivers(), "font_fault": Fonts().fault}


def _drivers() -> list[str]:
    """pygame does not list them; SDL, which it has loaded, does (SDL_GetVideoDriver)."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in maps if "libSDL2-2" in line}
    if not paths:
        return []
    sdl = ctypes.CDLL(sorted(paths)[0])
    sdl.SDL_GetVideoDriver.restype = ctypes.c_char_p
    return [sdl.SDL_GetVideoDriver(number).decode() for number in range(sdl.SDL_GetNumVideoDrivers())]


def pins(chip: str, *numbers: str) -> dict[str, Any]:
    """Whether lgpio is there and opens the chip, and who holds each of these lines."""
    try:
        import lgpio
    except ImportError as error:
        return {"missing": str(error)}
    try:
        handle = lgpio.gpiochip_open(int(chip))
    except lgpio.error as error:
        return {"refused": str(error)}
    try:
        held = {}
        for number in numbers:
            _ok, _line, flags, _name, user = lgpio.gpio_get_line_info(handle, int(number))
            held[number] = user if flags & 1 else None
    except lgpio.error as error:
        return {"refused": str(error)}
    finally:
        lgpio.gpiochip_close(handle)
    return {"held": held}


LOOKS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "cards": cards,
    "device": device,
    "sink": sink,
    "decoder": decoder,
    "screen": screen,
    "pins": pins,
}


def main() -> None:
    """Look, and print what was found."""
    what, *arguments = sys.argv[1:]
    # what libraries print belongs elsewhere
    real = os.dup(1)
    os.dup2(2, 1)
    found = LOOKS[what](*arguments)
    with os.fdopen(real, "w", encoding="utf-8") as out:
        out.write(json.dumps(found) + "\n")
    os._exit(0)  # a library that hangs at its end has nothing more to say


if __name__ == "__main__":
    main()
