"""A log goes to the centre on a stick: whole, once, and only in the name of who signed it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from agent.conductor.carrying import Carrying
from agent.config import Broker
from agent.control.protocol import ControlRequest
from agent.enrol.identity import read_csr, request_for
from agent.journal import Journal
from agent.station.archive import Archive
from agent.station.authority import Authority
from agent.station.folder import Folder
from agent.station.sticks import collect
from agent.uplink.wire import encode_record
from agent.usb import exporting, report
from agent.usb.exporting import NotEnrolled, Signer, export
from agent.usb.layout import REPORTS
from agent.usb.report import Report
from agent.usb.stick import Stick, StickError
from playlists.models.record import Record

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


class NoFeeds:
    """A node without feeds."""

    def state(self) -> dict[str, Any]:
        return {}


class NodeAndCentre:
    """A node with a journal, a stick, and the centre that it belongs to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "centre/keys").mkdir(parents=True)
        self.authority = Authority(Folder(folder / "centre"), NOW)
        self.certificate = x509.load_pem_x509_certificate(self.authority.path.read_bytes())
        self.archive = Archive(folder / "station.db")
        self.journal = Journal.open(folder / "journal", 10, lambda: NOW)
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.signer = self.signer_of("pole-07")
        self.health_at = NOW

    def signer_of(self, node: str) -> Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        return Signer(key, self.authority.sign(read_csr(request_for(key)), node))

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        if op == "status":
            return {"health": {"at": self.health_at.isoformat(), "faults": []}}
        carrying = Carrying(NoFeeds(), self.journal, "pole-07", "xa-mau")  # type: ignore[arg-type]  # no feeds
        request = ControlRequest(op, arguments, "root")
        carrying.looks[op](request)
        return json.loads(json.dumps(request.wait(0)))  # type: ignore[no-any-return]  # as over the socket

    def play(self, count: int) -> None:
        self.journal.append_all(
            Record(kind="play", programme=f"p{number}", started=NOW, outcome="finished")
            for number in range(count)
        )

    def export(self, signer: Signer | None = None) -> exporting.Exported:
        with Stick(self.stick) as stick:
            return export(stick, self.ask, signer or self.signer, lambda: NOW)

    def collect(self, site: str = "xa-mau") -> tuple[dict[str, dict[str, int]], list[str]]:
        with Stick(self.stick) as stick:
            return collect(stick, self.archive, self.certificate, site, lambda: NOW)

    def files(self) -> list[Path]:
        return sorted((self.stick.joinpath(*REPORTS) / "pole-07").glob("log-*.json"))


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NodeAndCentre]:
    monkeypatch.setattr(exporting, "SPAN", 10)
    made = NodeAndCentre(tmp_path)
    yield made
    made.journal.close()
    made.archive.close()


def test_all_that_waits_arrives_once(both: NodeAndCentre) -> None:
    both.play(34)
    assert both.export().records == 34
    assert len(both.files()) == 4
    collected, problems = both.collect()
    assert problems == []
    assert collected == {"pole-07": {"records": 34, "new": 34, "through": 34}}
    assert both.archive.through("pole-07", both.journal.epoch) == 34
    assert both.archive.latest("health")["pole-07"]["faults"] == []
    assert both.collect()[0]["pole-07"]["new"] == 0
    assert len(both.archive.records()) == 34


def test_what_comes_by_the_broker_as_well_is_kept_once(both: NodeAndCentre) -> None:
    both.play(25)
    batch = both.journal.batch(0, 15)
    assert batch is not None
    records = [encode_record(record) for record in batch.records]
    both.archive.add_batch("pole-07", batch.epoch, batch.first, batch.last, records, NOW)
    both.export()
    assert both.collect()[0]["pole-07"] == {"records": 25, "new": 10, "through": 25}
    rest = both.journal.batch(15, 100)
    assert rest is not None
    records = [encode_record(record) for record in rest.records]
    assert both.archive.add_batch("pole-07", rest.epoch, rest.first, rest.last, records, NOW) == 25
    assert len(both.archive.records()) == 25


def test_a_second_export_writes_only_what_is_new(both: NodeAndCentre) -> None:
    both.play(25)
    both.export()
    both.play(10)
    again = both.export()
    assert (again.unchanged, again.records) == (2, 15)
    assert both.collect()[0]["pole-07"]["through"] == 35


def test_what_the_centre_has_acknowledged_is_not_taken_along(both: NodeAndCentre) -> None:
    both.play(25)
    both.archive.add_batch("pole-07", both.journal.epoch, 1, 20, [], NOW)
    both.journal.stored(20)
    assert both.export().records == 5
    assert both.collect()[0]["pole-07"]["through"] == 25


def test_nothing_to_tell_is_still_a_health(both: NodeAndCentre) -> None:
    done = both.export()
    assert (done.records, done.files) == (0, 1)
    assert both.collect() == ({"pole-07": {"records": 0, "new": 0, "through": 0}}, [])


def test_an_older_health_does_not_replace_a_newer_one(both: NodeAndCentre) -> None:
    both.export()
    newer = json.dumps({"at": (NOW + timedelta(hours=1)).isoformat(), "faults": ["x"]})
    both.archive.set_latest("pole-07", "health", newer, NOW)
    both.collect()
    assert both.archive.latest("health")["pole-07"]["faults"] == ["x"]


def test_a_stick_of_a_damaged_file_is_mended_by_the_next_export(both: NodeAndCentre) -> None:
    both.play(20)
    both.export()
    both.files()[0].write_bytes(b"\0" * 100)
    assert both.export().records == 10
    assert both.collect()[0]["pole-07"]["through"] == 20


def forged(change: Callable[[dict[str, Any]], None]) -> Callable[[NodeAndCentre, Path], None]:
    def meddle(_both: NodeAndCentre, path: Path) -> None:
        signed = json.loads(path.read_bytes())
        change(signed)
        path.write_text(json.dumps(signed))

    return meddle


def other_node(both: NodeAndCentre, path: Path) -> None:
    both.export(both.signer_of("pole-08"))


def own_authority(both: NodeAndCentre, path: Path) -> None:
    (both.folder / "own/keys").mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = Authority(Folder(both.folder / "own"), NOW).sign(read_csr(request_for(key)), "pole-07")
    both.export(Signer(key, certificate))


@pytest.mark.parametrize(
    "meddle",
    [
        forged(lambda signed: signed.update(body=signed["body"].replace("p1", "p9"))),
        forged(lambda signed: signed.update(signature="AAAA")),
        forged(lambda signed: signed.update(signature="…")),
        forged(lambda signed: signed.update(node="pole-08")),
        forged(lambda signed: signed.update(certificate="x")),
        forged(lambda signed: signed.pop("body")),
        other_node,
        own_authority,
        lambda _both, path: path.write_bytes(b"\xff\xfe"),
        lambda _both, path: path.write_bytes(b"[" * 100_000),
        lambda _both, path: path.write_bytes(b"x" * 4_000_000),
        lambda _both, path: (path.unlink(), path.symlink_to("/etc/hostname")),
        lambda _both, path: (path.unlink(), path.mkdir()),
    ],
)
def test_what_is_not_the_nodes_own_word_is_refused_and_told(
    both: NodeAndCentre, meddle: Callable[[NodeAndCentre, Path], None]
) -> None:
    both.play(5)
    both.export()
    meddle(both, both.files()[0])
    _collected, problems = both.collect()
    assert problems
    assert all("\n" not in problem for problem in problems)
    assert both.archive.records() == []


def test_a_wrong_file_costs_only_itself(both: NodeAndCentre) -> None:
    both.play(30)
    both.export()
    both.files()[0].write_bytes(b"{")
    collected, problems = both.collect()
    assert len(problems) == 1
    assert collected["pole-07"]["new"] == 20
    assert collected["pole-07"]["through"] == 0  # the first ten are missing, and waited for


def test_reports_of_another_site_are_not_ours(both: NodeAndCentre) -> None:
    both.play(1)
    both.export()
    _, problems = both.collect("xa-khac")
    assert "site" in problems[0]


def test_a_signed_batch_that_breaks_the_contract_is_refused(both: NodeAndCentre) -> None:
    for number, records in enumerate(([{"seq": 9}], [{"seq": "x"}], [{}], ["x"], "x")):
        said = Report(format="loa.report/1", node="pole-07", site="xa-mau", kind="log", at="",
                      document={"epoch": "e", "first": 1, "last": 5, "records": records})  # fmt: skip
        with Stick(both.stick) as stick:
            raw = report.sign(said, both.signer.key, both.signer.certificate)
            stick.write(*REPORTS, "pole-07", f"log-e-{number}.json", data=raw)
    _, problems = both.collect()
    assert len(problems) == 5
    assert both.archive.records() == []


def test_a_full_stick_is_told_and_what_was_written_is_whole(both: NodeAndCentre) -> None:
    from tests.support.disk import ext4, mounted

    both.play(3_000)
    with mounted(ext4(both.folder / "image", 1), both.folder / "at") as at:
        both.stick = at
        with pytest.raises(StickError, match="full"):
            both.export()
        collected, problems = both.collect()
        assert problems == []
        assert collected["pole-07"]["through"] == collected["pole-07"]["new"] > 0


def test_without_a_certificate_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(NotEnrolled):
        Signer.of(None)
    with pytest.raises(NotEnrolled):
        Signer.of(Broker(host="b", user="u", password_file=tmp_path / "p"))
    key = ec.generate_private_key(ec.SECP384R1())
    (tmp_path / "k").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(NotEnrolled):
        Signer.of(Broker(host="b", cert=tmp_path / "c", key=tmp_path / "k"))
