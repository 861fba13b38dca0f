"""Broken machines: sound, relays, screen, network, and an agent that is unwell."""

from __future__ import annotations

from tests.agent.doctor.patient import Patient
from tests.agent.doctor.rows import FAULT, WARNING, case, row
from tests.support.broker import free_port

# ---- sound
row(
    "mixer muted",
    FAULT,
    "amixer -c 0 sset 'PCM' 90% unmute",
    lambda p: on_card(p, value=-1_000, percent=87, db="-10.00", switch="off"),
)
row(
    "mixer at 0",
    FAULT,
    "amixer -c 0 sset 'PCM' 90% unmute",
    lambda p: on_card(p, value=-10_239, percent=0, db="-102.39", switch="on"),
)
row(
    "mixer soft",
    WARNING,
    "amixer -c 0",
    lambda p: on_card(p, value=-9_000, percent=11, db="-90.00", switch="on"),
)
row("voices missing", WARNING, "docs/speech.md", lambda p: p.values.update(languages='["vi", "hmn"]'))


def on_card(p: Patient, **values: object) -> None:
    """The node plays through the kernel's card, which PortAudio finds, with these volumes."""
    p.values["device"] = '"bcm2835 Headphones"'
    name = "bcm2835 Headphones: - (hw:0,0)"
    p.looks["device", "bcm2835 Headphones", "output"] = {
        "devices": [{"name": name, "outputs": 8, "inputs": 0}],
        "accepted": name,
    }
    p.mixer(**values)


@case("sound-card none", FAULT, "dtparam=audio=on")
def _(p: Patient) -> None:
    p.values["device"] = '"USB Audio"'
    p.write("proc/asound/cards", "--- no soundcards ---\n")
    # there is no server either: PortAudio really finds nothing
    p.env["PULSE_SERVER"] = "unix:/nowhere"
    p.forget_looks = True
    p.also = {"listener"}


@case("sound-card crashes", FAULT, "asound.conf")
def _(p: Patient) -> None:
    # PortAudio ends the process that loads it (an assertion in it, measured)
    p.env["ALSA_CONFIG_PATH"] = "/dev/null"
    p.forget_looks = True
    p.also = {"listener"}


@case("sound-card other", FAULT, "one of: bcm2835 Headphones")
def _(p: Patient) -> None:
    on_card(p, value=-1_000, percent=87, db="-10.00", switch="on")
    p.values["device"] = '"USB Audio"'
    found = p.looks.pop(("device", "bcm2835 Headphones", "output"))
    found = {"devices": found["devices"], "refused": "No output device matching 'USB Audio'"}
    p.looks["device", "USB Audio", "output"] = found


# ---- relays
row("gpio no chip", FAULT, 'gpio = "fake"', lambda p: p.remove("dev/gpiochip0"))
row("gpio no right", FAULT, "udev rule", lambda p: (p.root / "dev/gpiochip0").chmod(0o000))
row("pins taken", FAULT, "GPIO27", lambda p: held(p, "27=w1"))
row(
    "relay-boot polarity",
    FAULT,
    "gpio=27=op,dh",
    lambda p: p.write("boot/firmware/config.txt", "gpio=17=op,dh\ngpio=27=op,dl\n"),
)
row(
    "relay-boot nothing",
    WARNING,
    "add gpio=17=op,dh",
    lambda p: p.write("boot/firmware/config.txt", "[all]\n"),
)
row(
    "relay-faults",
    FAULT,
    "loa test relay",
    lambda p: p.fault("relay-amplifier", "the pin did not take the level"),
)


def held(p: Patient, pins: str) -> None:
    p.env["HELD"] = pins
    p.forget_looks = True


@case("gpio no library", FAULT, "python3-lgpio")
def _(p: Patient) -> None:
    (p.bin / "lgpio.py").write_text("raise ImportError('no lgpio')")
    p.forget_looks = True


# ---- screen
row(
    "screen unplugged",
    FAULT,
    "cable and power",
    lambda p: p.write("sys/class/drm/card1-HDMI-A-1/status", "disconnected\n"),
)
row("display-driver", FAULT, "python3-pygame", lambda p: p.values.update(driver='"kmsdrm"'))
row("display-power no device", WARNING, "HDMI port", lambda p: p.remove("dev/cec0"))
row("display-power no tool", FAULT, "v4l-utils", lambda p: (p.bin / "cec-ctl").unlink())


@case("fonts", FAULT, "fonts-noto-core")
def _(p: Patient) -> None:
    p.looks["screen",] = {
        **p.ward.answers["look", "screen"],
        "font_fault": "no font for Vietnamese was found",
    }


# ---- network
row("radio no SIM", FAULT, "SIM", lambda p: p.modem("failed", 0, "sim-missing"))
row("radio lost", WARNING, "antenna", lambda p: p.modem("searching", 0))
row("radio weak", WARNING, "antenna", lambda p: p.modem("connected", 9))


@case("radio weak Wi-Fi", WARNING, "lay a cable")
def _(p: Patient) -> None:
    p.write("sys/class/net/wlan0/operstate", "up\n")
    p.write("sys/class/net/wlan0/device/uevent", "DRIVER=brcmfmac\n")
    head = "Inter-| sta-|   Quality        |\n face | tus | link level noise |\n"
    p.write("proc/net/wireless", head + " wlan0: 0000   22.  -88.  -256        0\n")


@case("interface down", FAULT, "SIM")
def _(p: Patient) -> None:
    p.write("sys/class/net/wwan0/carrier", "0\n")
    p.write("proc/net/route", "Iface\tDestination\n")


row("route none", FAULT, "ip route", lambda p: p.write("proc/net/route", "Iface\tDestination\n"))
row("names one wrong", FAULT, "resolv.conf", lambda p: not_connected(p, host='"broker.invalid"'))
row("broker dead", FAULT, "whether the broker runs", lambda p: not_connected(p, port=str(free_port())))
row(
    "feeds dead",
    FAULT,
    "whether the host runs",
    lambda p: p.values.update(feed_url=f'"http://127.0.0.1:{free_port()}/"'),
)
row(
    "feeds elsewhere",
    FAULT,
    "has the centre published",
    lambda p: p.values.update(feed_url=f'"{p.ward.feed_url}nowhere/"'),
)


def not_connected(p: Patient, **values: str) -> None:
    p.status["link"] = "not connected (connecting)"
    p.values.update(values)


@case("broker password", FAULT, "loa enroll")
def _(p: Patient) -> None:
    not_connected(p)
    (p.etc / "password").write_text("wrong")


@case("proxy", WARNING, "directly")
def _(p: Patient) -> None:
    p.write("etc/environment", 'http_proxy="http://10.0.0.1:3128"\n')
    p.values.update(feed_url=f'"http://127.0.0.1:{free_port()}/"')
    p.also = {"feeds"}


# ---- agent
row("faults", FAULT, "aplay -l", lambda p: p.fault("sound-output", "the card cannot be opened"))
row(
    "mute",
    WARNING,
    "loa unmute",
    lambda p: p.status["health"].update(muted={"*": "2026-11-29T13:00:00+07:00"}),
)
row(
    "reports",
    WARNING,
    "loa test link",
    lambda p: p.status["health"].update(log={"last": 90_000, "stored_through": 7}),
)
