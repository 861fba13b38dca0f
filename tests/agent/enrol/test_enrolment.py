"""A node comes to its centre by a code: over HTTP, HTTPS, by a stick; and everything that tries to get in between."""

import json
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from agent.config import load
from agent.config.editing import change
from agent.enrol import protocol
from agent.enrol.code import Code, make
from agent.enrol.errors import EnrolError, NotGenuine, Refused, Rejected, Retry
from agent.enrol.identity import key_at, request_for
from agent.enrol.joining import FOLDER, Joining, changes, put_files
from agent.station import serve as serving
from agent.station.enrolment import MOST_WRONG, Desk, Refusal
from agent.station.errors import Technician
from agent.station.serve import Service
from agent.uplink.credentials import tls_context
from agent.usb.stick import Missing, Stick
from tests.agent.enrol.conftest import Centre
from tests.support.broker import make_certificates

DAY = timedelta(days=1)


def issue(centre: Centre, node: str = "pole-07") -> Code:
    return centre.desk.issue(node, groups=("hamlet-3",), number="0007", valid=DAY)


def join(code: Code, node: Path, url: str) -> Any:
    """Enrol, and write the configuration; returns what is in force then."""
    joined = Joining(code, node).ask(url)
    put_files(joined, None)
    path = node / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(change(text, changes(joined, {})), encoding="utf-8")
    return load(path)


def test_a_node_gets_its_name_its_feed_and_its_broker(centre: Centre, node: Path) -> None:
    config = join(issue(centre), node, centre.url)
    assert (config.node.id, config.node.site, config.node.groups) == ("pole-07", "xa-mau", ("hamlet-3",))
    feed = config.feeds[0]
    assert (feed.name, feed.url, feed.level, feed.ceiling) == (
        "commune", "https://feeds.example/xa-mau", 10, "emergency",
    )  # fmt: skip
    assert feed.root.read_bytes() == centre.folder.root.read_bytes()
    assert config.broker is not None
    assert (config.broker.host, config.broker.port, config.broker.tls) == ("broker.example", 8_883, True)
    assert tls_context(config.broker) is not None
    assert "# from the wizard" in (node / "config.toml").read_text()


def test_the_private_key_stays_and_is_nobody_elses_to_read(centre: Centre, node: Path) -> None:
    code = issue(centre)
    join(code, node, centre.url)
    key = node / f"enrolment-{code.id}" / "node.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = key.read_text().splitlines()[1]
    for path in centre.folder.path.rglob("*"):
        if path.is_file():
            assert secret not in path.read_text(errors="replace")


def test_a_lost_answer_may_be_asked_for_again_and_by_nobody_else(
    centre: Centre, node: Path, tmp_path: Path
) -> None:
    code = issue(centre)
    first = Joining(code, node).ask(centre.url)
    again = Joining(code, node).ask(centre.url)
    assert again.enrolment == first.enrolment
    thief = tmp_path / "thief"
    thief.mkdir()
    with pytest.raises(Refused):
        Joining(code, thief).ask(centre.url)


def test_a_code_ends_by_itself(centre: Centre, node: Path) -> None:
    code = centre.desk.issue("pole-07", valid=timedelta(seconds=-1))
    with pytest.raises(Refused, match="expired"):
        Joining(code, node).ask(centre.url)


def test_a_refused_code_leaves_no_key_behind(centre: Centre, node: Path) -> None:
    with pytest.raises(Refused):
        Joining(make(), node).ask(centre.url)
    assert [path.name for path in node.iterdir()] == ["config.toml"]


def test_a_key_that_was_there_before_outlives_a_refusal(centre: Centre, node: Path) -> None:
    code = make()
    with pytest.raises(Retry):
        Joining(code, node).ask("http://127.0.0.1:9")
    key = node / f"enrolment-{code.id}" / "node.key"
    before = key.read_bytes()
    with pytest.raises(Refused):
        Joining(code, node).ask(centre.url)
    assert key.read_bytes() == before


def test_a_new_code_ends_the_unused_one_before(centre: Centre, node: Path) -> None:
    old, new = issue(centre), issue(centre)
    with pytest.raises(Refused):
        Joining(old, node).ask(centre.url)
    Joining(new, node).ask(centre.url)


def test_guessing_voids_a_code_and_says_nothing_of_it(centre: Centre, node: Path) -> None:
    code = issue(centre)
    answers = set()
    for _ in range(MOST_WRONG):
        guess = protocol.seal(
            code.id, b"x" * 32, "request", protocol.Request(format=protocol.REQUEST, csr="x")
        )
        with pytest.raises(Refusal) as refusal:
            centre.desk.answer(guess)
        answers.add((refusal.value.status, str(refusal.value)))
    unknown = protocol.seal("0000", b"x" * 32, "request", protocol.Request(format=protocol.REQUEST, csr="x"))
    with pytest.raises(Refusal) as refusal:
        centre.desk.answer(unknown)
    assert answers == {(refusal.value.status, str(refusal.value))}
    with pytest.raises(Refused):
        Joining(code, node).ask(centre.url)


def test_who_asks_too_often_is_told_to_wait(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BURST", 3)
    answer = serving._enrolling(centre.desk)
    assert [answer(b"{}")[0] for _ in range(5)] == [400, 400, 400, 429, 429]


RUBBISH = [b"", b"{}", b"[]", b"\xff", b"{" * 9_000, b'{"code": "ABCD", "body": 1, "mac": "0"}']


@pytest.mark.parametrize("body", RUBBISH)
def test_rubbish_is_refused_and_the_centre_goes_on(centre: Centre, node: Path, body: bytes) -> None:
    assert requests.post(centre.url + "enrol", data=body, timeout=10).status_code == 400
    assert requests.post(centre.url + "enrol", data=b"x" * 30_000, timeout=10).status_code == 413
    assert requests.post(centre.url + "elsewhere", data=body, timeout=10).status_code == 404
    Joining(issue(centre), node).ask(centre.url)


def test_a_request_sealed_right_with_a_wrong_key_in_it_is_refused(centre: Centre) -> None:
    code = issue(centre)
    for csr in ("", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"):
        raw = protocol.seal(
            code.id, code.key(), "request", protocol.Request(format=protocol.REQUEST, csr=csr)
        )
        with pytest.raises(Refusal) as refusal:
            centre.desk.answer(raw)
        assert refusal.value.status == 400


# ---- somebody in between


class Between:
    """A host that passes requests on to the centre and changes what comes back."""

    def __init__(self, centre: str, meddle: Callable[[bytes, bytes], tuple[int, bytes]]) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.seen.append(body)
                answer = requests.post(centre + "enrol", data=body, timeout=10)
                status, changed = meddle(body, answer.content)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(changed)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.seen: list[bytes] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def between(centre: Centre) -> Iterator[Callable[..., Between]]:
    made: list[Between] = []

    def make_(meddle: Callable[[bytes, bytes], tuple[int, bytes]]) -> Between:
        made.append(Between(centre.url, meddle))
        return made[-1]

    yield make_
    for each in made:
        each.close()


def test_a_swapped_root_is_noticed(centre: Centre, node: Path, between: Any) -> None:
    def swap(_asked: bytes, answer: bytes) -> tuple[int, bytes]:
        envelope = json.loads(answer)
        body = json.loads(envelope["body"])
        body["feeds"][0]["root"] = "{}"
        return 200, json.dumps({**envelope, "body": json.dumps(body)}).encode()

    with pytest.raises(NotGenuine):
        Joining(issue(centre), node).ask(between(swap).url)
    assert "unknown" in (node / "config.toml").read_text()


def test_an_answer_made_without_the_code_and_one_for_another_request_are_noticed(
    centre: Centre, node: Path, between: Any
) -> None:
    code = issue(centre)
    captured: list[bytes] = []

    def own(_asked: bytes, answer: bytes) -> tuple[int, bytes]:
        captured.append(answer)
        enrolment = protocol.read_enrolment(json.loads(json.loads(answer)["body"]))
        return 200, protocol.seal(code.id, make().key(), "answer", enrolment)

    with pytest.raises(NotGenuine):
        Joining(code, node).ask(between(own).url)
    with pytest.raises(NotGenuine):  # a CSR is signed anew each time, so this is another request
        Joining(code, node).ask(between(lambda _asked, _answer: (200, captured[0])).url)
    with pytest.raises(NotGenuine):
        Joining(code, node).ask(between(lambda asked, _answer: (200, asked)).url)


def test_what_is_seen_in_between_does_not_help(centre: Centre, node: Path, between: Any) -> None:
    code = issue(centre)
    middle = between(lambda _asked, answer: (200, answer))
    Joining(code, node).ask(middle.url)
    assert code.letters[4:] not in middle.seen[0].decode()
    envelope = json.loads(middle.seen[0])
    request = protocol.Request(format=protocol.REQUEST, csr=request_for(key_at(node / "thief.key")))
    forged = json.dumps({**envelope, "body": request.model_dump_json()}).encode()
    with pytest.raises(Refusal):
        centre.desk.answer(forged)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(200, b"<html>captive portal</html>", Rejected), (200, b"", Rejected), (200, b"x" * 2_000_000, Rejected),
     (302, b"", Retry), (404, b"", Retry), (500, b"", Retry), (503, b"", Retry), (429, b"", Retry)],
)  # fmt: skip
def test_what_is_no_centre_is_told_in_one_line(
    centre: Centre, node: Path, between: Any, status: int, body: bytes, error: type[EnrolError]
) -> None:
    with pytest.raises(error) as told:
        Joining(issue(centre), node).ask(between(lambda _asked, _answer: (status, body)).url)
    assert "\n" not in str(told.value)


def test_no_network_is_to_be_tried_again(node: Path) -> None:
    with pytest.raises(Retry):
        Joining(make(), node).ask("http://127.0.0.1:9")
    with pytest.raises(EnrolError, match="no URL"):
        Joining(make(), node).ask("ftp://x")


def test_over_https_with_an_authority_of_its_own(centre: Centre, node: Path, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    certificate = (tmp_path / "server.pem", tmp_path / "server.key")
    with Service(
        centre.folder.path, port=0, collect=False, certificate=certificate, say=lambda _text: None
    ) as service:
        assert service.web is not None
        url = service.web.url
        assert url.startswith("https://")
        with pytest.raises(Retry, match=r"(?i)certificate"):
            Joining(issue(centre), node).ask(url)
        assert Joining(issue(centre), node).ask(url, tmp_path / "ca.pem").complete


# ---- by stick


def test_by_stick_feeds_come_at_once_and_the_broker_with_the_second_visit(
    centre: Centre, node: Path, tmp_path: Path
) -> None:
    code = issue(centre)
    (tmp_path / "stick").mkdir()
    with Stick(tmp_path / "stick") as stick:
        stick.write(FOLDER, f"{code.id}.offer.json", data=centre.desk.for_stick(code))
        first = Joining(code, node).take(stick)
        assert not first.complete
        said = changes(first, {})
        assert said["node.id"] == "pole-07"
        assert not [key for key in said if key.startswith("broker")]
        asked = stick.read(FOLDER, f"{code.id}.request.json", max_bytes=20_000)
        stick.write(FOLDER, f"{code.id}.answer.json", data=centre.desk.answer(asked))
        second = Joining(code, node).take(stick)
        assert second.complete
        assert changes(second, {})["broker.key"] == f"enrolment-{code.id}/node.key"


def test_a_stick_that_was_meddled_with_is_refused(centre: Centre, node: Path, tmp_path: Path) -> None:
    code = issue(centre)
    (tmp_path / "stick").mkdir()
    with Stick(tmp_path / "stick") as stick:
        with pytest.raises(Missing):
            Joining(code, node).take(stick)
        offer = json.loads(centre.desk.for_stick(code))
        offer["body"] = offer["body"].replace("feeds.example", "evil.example")
        stick.write(FOLDER, f"{code.id}.offer.json", data=json.dumps(offer).encode())
        with pytest.raises(NotGenuine):
            Joining(code, node).take(stick)
    assert not list(node.glob("enrolment-*"))


# ---- the centre


def test_a_centre_that_does_not_say_what_it_offers_issues_nothing(centre: Centre) -> None:
    path = centre.folder.path / "station.toml"
    path.write_text(path.read_text().partition("[enrolment]")[0])
    with pytest.raises(Technician, match="feed_url"):
        issue(centre)


def test_a_broker_on_the_centres_own_machine_is_not_told_to_nodes(centre: Centre, node: Path) -> None:
    path = centre.folder.path / "station.toml"
    path.write_text(path.read_text().replace("broker.example", "127.0.0.1"))
    joined = Joining(issue(centre), node).ask(centre.url)
    assert joined.enrolment.broker is None
    assert joined.complete


def test_codes_are_kept_without_the_codes(centre: Centre) -> None:
    code = issue(centre)
    path = centre.folder.path / "enrolment.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert code.letters[4:] not in path.read_text()


def test_what_cannot_be_read_at_the_centre_is_busy_for_the_node(centre: Centre, node: Path) -> None:
    code = issue(centre)
    (centre.folder.path / "enrolment.json").write_text("{")
    with pytest.raises(Retry):
        Joining(code, node).ask(centre.url)


def test_many_ask_at_once_and_each_code_is_used_once(centre: Centre, tmp_path: Path) -> None:
    code = issue(centre)
    results: list[str] = []

    def ask(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            Joining(code, folder).ask(centre.url)
            results.append("in")
        except Refused:
            results.append("out")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["in"] + ["out"] * 5


def test_old_codes_are_forgotten(centre: Centre) -> None:
    issue(centre)
    later = Desk(centre.folder, lambda: datetime.now(UTC) + timedelta(days=40))
    later.issue("pole-08", valid=DAY)
    assert [each.node for each in later.issued().values()] == ["pole-08"]
