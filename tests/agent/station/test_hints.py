"""Nodes learn at once that something was published."""

import json
import queue
from pathlib import Path

from agent.uplink.session import Handlers, Session
from agent.uplink.topics import Topics
from tests.support.centre import FEED, SITE, CentreUnderTest

SPEECH = {"speech": {"text": "Xin chào bà con.", "language": "vi"}}


def test_nodes_are_told_of_a_new_version_as_soon_as_it_is_published(tmp_path: Path) -> None:
    with CentreUnderTest(tmp_path) as under_test:
        under_test.publish([])
        heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        topic = Topics(SITE).feed(FEED)
        listener = Session(
            under_test.reach.broker,
            "listener",
            [topic],
            Handlers(message=lambda m: heard.put(m.payload), up=lambda: None, down=lambda why: None),
            expiry_s=0,
        )
        listener.start()
        try:
            under_test.serve()
            assert json.loads(heard.get(timeout=10)) == {"version": 1}
            under_test.publish([{"id": "new", "start": "2030-01-01T05:00:00", "items": [SPEECH]}])
            assert json.loads(heard.get(timeout=10)) == {"version": 2}
        finally:
            listener.stop(1.0)
