"""From the answer of an alert source's web host to the alarm tone at the sink, over a programme that sounds.

The node polls a real web host on loopback; each time, the host has a new alert, signed with ECDSA. The clock starts
when the host begins to send the feed, which is the answer to the poll; it stops at the onset of the alarm tone in
the recording. Fetching the document that the feed names, checking its signature in a child process that is started
for it, the book of alerts and the play record are inside; the poll interval, which comes on top, is not. So that it
need not be waited for, each poll is asked for by a `sync` command. Half of the alerts are behind a link, as most
feeds have them, half stand in the feed itself.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta

from bench.preempt import HEAD_START_S, LOUD, PROGRAMME, QUIETER_DB, sounding
from bench.stand import Stand, figures, onset_after, sleep_until, stand
from tests.support.alerts import Signer, atom, cap, toml
from tests.support.node import NodeProcess
from tests.support.sound import sine
from tests.support.wait import wait_until
from tests.support.web import Host

TARGETS = {"linked_p99_ms": 250.0, "inside_p99_ms": 250.0}

ALERTS = 40
WITHIN_S = 1.0
FEED = "/cap.atom"


def run() -> dict[str, float | str | int]:
    """Measure; figures carry their unit in the name."""
    signer = Signer()
    with stand() as here, Host({"cap.atom": atom()}, etags=True) as host:
        start = datetime.now(UTC) + timedelta(seconds=HEAD_START_S)
        programme = {
            "id": "music",
            "start": start.isoformat(),
            "loops": 10,
            "volume_db": QUIETER_DB,
            "items": [{"media": PROGRAMME}],
        }
        here.publish({PROGRAMME: sine(300.0, 30.0)}, [programme])
        pin = signer.pin(here.directory / "pinned.pem")
        # between the polls that are asked for, it asks by itself as seldom as it may; the commune's officer may
        # end its alerts, as this bench does
        source = toml("province", f"{host.url}cap.atom", pin, level=5, poll_s=3_600.0)
        with here.node("node", 1, extra=source) as node:
            wait_until(lambda: sounding(node), HEAD_START_S + 5, "the programme sounds")
            sent = {way: alerts(here, host, node, signer, way) for way in ("linked", "inside")}
        heard = here.heard()
    found: dict[str, float | str | int] = {}
    for way, instants in sent.items():
        onsets = [onset_after(heard, at, LOUD, WITHIN_S) for at in instants]
        taken = [onset - at for at, onset in zip(instants, onsets, strict=True) if onset is not None]
        if len(taken) < len(instants):
            raise AssertionError(f"{len(instants) - len(taken)} of {len(instants)} ({way}) were not heard")
        found |= {f"{way}_alerts": len(taken), **figures(way, taken)}
    return found


def alerts(here: Stand, host: Host, node: NodeProcess, signer: Signer, way: str) -> list[float]:
    """Offer alerts, each ended again while its tone sounds; the instants at which the feed was sent."""
    assert isinstance(host.content, dict)
    sent = []
    for number in range(ALERTS):
        name = f"bench-{way}-{number}"
        document = signer.sign(cap(name))
        host.content[f"{name}.xml"] = document
        host.content["cap.atom"] = atom(f"{name}.xml") if way == "linked" else atom(document)
        host.sent_at.pop(FEED, None)
        here.centre.command({"type": "sync"})
        sent.append(wait_until(lambda: host.sent_at.get(FEED), 10, f"the node asks; log:\n{node.tail()}"))
        sleep_until(sent[-1] + 0.5 + random.uniform(0, 0.01))
        here.centre.command({"type": "stop", "programme": name})
        time.sleep(0.4)
    return sent
