"""Every attack on commands is refused, with the contract's reason."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

from agent.uplink import Gate, Refused
from playlists.models.base import BulletinClass, ClockState
from playlists.models.command import MAX_COMMAND_BYTES, PAYLOAD_TYPE, Command
from tests.agent.uplink.makers import NOW, SPEECH, command, operators

LIVE = {"type": "live", "stream": "http://radio.example/a"}
ALERT = {"type": "alert", "cap": "<alert/>"}


def refusal(gate: Gate, envelope: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        gate.check(envelope)
    return caught.value


def test_a_command_that_is_signed_addressed_allowed_and_fresh_passes(world):
    sent = command()
    assert world.gate.check(world.seal(sent)) == sent


@pytest.mark.parametrize("to", [["node:pole-07"], ["group:hamlet-3"], ["node:other", "*"]])
def test_each_way_to_address_this_node_is_understood(world, to):
    assert world.gate.check(world.seal(command(to=to))).to == tuple(to)


@pytest.mark.parametrize("to", [["node:pole-08"], ["group:hamlet-4"], ["node:pole-07x"]])
def test_a_command_for_another_node_is_refused(world, to):
    refused = refusal(world.gate, world.seal(command(to=to)))
    assert (refused.reason, refused.command_id, refused.signed) == ("not addressed", "c1", True)


def test_a_replayed_command_is_refused(world):
    envelope = world.seal(command())
    world.gate.check(envelope)
    assert refusal(world.gate, envelope).reason == "replayed"


def test_what_is_let_in_is_kept_whole_until_it_is_obeyed(world):
    sent = command()
    world.gate.check(world.seal(sent))
    assert [Command.model_validate_json(body) for body in world.journal.commands_waiting().values()] == [sent]
    world.journal.commands_obeyed([sent.id])
    assert not world.journal.commands_waiting()
    assert refusal(world.gate, world.seal(sent)).reason == "replayed"


@pytest.mark.parametrize(
    "do", [{"type": "restart"}, {"type": "reboot"}, {"type": "live-renew", "live": "c0", "lease_s": 30}]
)
def test_what_would_end_the_agent_again_and_again_is_not_kept(world, do):
    world.gate.check(world.seal(command(do=do)))
    assert not world.journal.commands_waiting()


def test_what_is_refused_is_not_kept(world):
    refusal(world.gate, world.seal(command(do=SPEECH, to=["node:other"])))
    assert not world.journal.commands_waiting()


def test_a_replay_under_another_signature_of_the_same_operator_is_refused(world):
    world.gate.check(world.seal(command()))
    assert refusal(world.gate, world.seal(command(do=LIVE))).reason == "replayed"


def test_a_refused_command_is_not_remembered_as_obeyed(world):
    envelope = world.seal(command(do={**SPEECH, "class": "emergency"}))
    assert refusal(world.gate, envelope).reason == "above ceiling"
    world.gate.trust("commune", operators((world.signer, {})), BulletinClass.EMERGENCY)
    world.gate.check(envelope)


def test_a_strangers_command_is_refused_and_its_id_is_only_a_claim(world):
    refused = refusal(world.gate, world.seal(command(), CryptoSigner.generate_ed25519()))
    assert (refused.reason, refused.command_id, refused.signed) == ("unknown key", "c1", False)


def test_a_command_changed_after_signing_is_refused(world):
    document = json.loads(world.seal(command()))
    payload = base64.b64decode(document["payload"]).replace("bà con".encode(), "bà coN".encode())
    document["payload"] = base64.b64encode(payload).decode()
    assert refusal(world.gate, json.dumps(document).encode()).reason == "signature"


def test_a_stranger_who_borrows_an_operators_keyid_is_refused(world):
    stranger = CryptoSigner.generate_ed25519()
    document = json.loads(world.seal(command(), stranger))
    document["signatures"][0]["keyid"] = world.signer.public_key.keyid
    assert refusal(world.gate, json.dumps(document).encode()).reason == "signature"


def test_a_feed_that_lists_another_feeds_keyid_with_its_own_key_gains_nothing(world):
    thief = CryptoSigner.generate_ed25519()
    keyid = world.province.public_key.keyid
    world.gate.trust("commune", operators((thief, {"keyid": keyid})), BulletinClass.ROUTINE)
    document = json.loads(world.seal(command(feed="province", do={**SPEECH, "class": "emergency"}), thief))
    document["signatures"][0]["keyid"] = keyid
    refused = refusal(world.gate, json.dumps(document).encode())
    assert (refused.reason, "commune" in refused.text) == ("not allowed", True)


def test_an_operator_of_one_feed_may_not_command_for_another(world):
    refused = refusal(world.gate, world.seal(command(feed="province")))
    assert refused.reason == "not allowed"


def test_an_operator_whose_entry_has_expired_is_unknown(world):
    listed = operators((world.signer, {"expires": NOW - timedelta(seconds=1)}))
    world.gate.trust("commune", listed, BulletinClass.PRIORITY)
    refused = refusal(world.gate, world.seal(command()))
    assert (refused.reason, "expired" in refused.text) == ("unknown key", True)


def test_an_operator_taken_off_the_list_is_unknown_at_once(world):
    world.gate.trust("commune", None, BulletinClass.PRIORITY)
    assert refusal(world.gate, world.seal(command())).reason == "unknown key"


def test_an_operator_may_only_what_the_list_says(world):
    world.gate.trust("commune", operators((world.signer, {"actions": ["announce"]})), BulletinClass.PRIORITY)
    world.gate.check(world.seal(command(1)))
    for number, do in enumerate((LIVE, {"type": "stop"}, {"type": "reboot"}, {"type": "screenshot"}), 2):
        assert refusal(world.gate, world.seal(command(number, do))).reason == "not allowed"


@pytest.mark.parametrize(
    "do",
    [{**SPEECH, "class": "emergency"}, {**LIVE, "class": "emergency"}, ALERT],
    ids=["announce", "live", "alert"],
)
def test_a_class_above_the_feeds_ceiling_is_refused(world, do):
    assert refusal(world.gate, world.seal(command(1, do))).reason == "above ceiling"
    world.gate.check(world.seal(command(2, do, feed="province"), world.province))


def test_an_expired_command_is_refused(world):
    world.clock.advance(301)
    assert refusal(world.gate, world.seal(command())).reason == "expired"


def test_setting_the_clock_back_does_not_make_an_expired_command_fresh(world):
    world.clock.advance(301)
    world.clock.jump(-3_600)
    world.clock.become(ClockState.SYNCHRONISED)
    assert refusal(world.gate, world.seal(command(do={"type": "sync"}))).reason == "expired"


@pytest.mark.parametrize("state", [ClockState.UNSET, ClockState.RESTORED])
def test_without_a_synchronised_clock_only_emergencies_and_maintenance_are_obeyed(world, state):
    world.clock.become(state)
    emergency = {**SPEECH, "class": "emergency"}
    for number, do in enumerate((SPEECH, {"type": "mute"}, {"type": "volume", "volume_db": 0}), 1):
        refused = refusal(world.gate, world.seal(command(number, do)))
        assert (refused.reason, state in refused.text) == ("policy", True)
    for number, do in enumerate((emergency, ALERT, {"type": "sync"}, {"type": "screenshot"}), 11):
        world.gate.check(world.seal(command(number, do, feed="province"), world.province))
    world.gate.check(world.seal(command(20, {"type": "live-stop", "live": "c1"})))


def test_commands_issued_before_the_memory_was_lost_cannot_be_replayed(world, tmp_path):
    world.journal.put("reset-at", NOW.isoformat())
    assert refusal(world.gate, world.seal(command())).reason == "replayed"
    world.gate.check(world.seal(command(2, issued=NOW + timedelta(seconds=1))))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"{" + b'"a":{' * 50_000,
        b'{"payload":1,"payloadType":2,"signatures":3}',
        b'{"payload":"","payloadType":"","signatures":[]}',
        b'{"payload":"%%","payloadType":"application/vnd.loa.command+json","signatures":[{"keyid":"a","sig":"b"}]}',
        b'{"payload":"\\ud800","payloadType":"x","signatures":[{"keyid":"a","sig":"b"}]}',
        b"1" * 5_000,
        b"x" * (MAX_COMMAND_BYTES + 1),
    ],
    ids=range(13),
)
def test_garbage_is_malformed(world, raw):
    assert refusal(world.gate, raw).reason == "malformed"


def signed_payload(world, payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    envelope = Envelope(payload, payload_type, {})
    envelope.sign(world.signer)
    return json.dumps(envelope.to_dict()).encode()


def test_an_operators_nonsense_is_malformed_too(world):
    for payload in (b"", b"[]", b'{"id":"c9"}', b"[" * 50_000):
        assert refusal(world.gate, signed_payload(world, payload)).reason == "malformed"
    refused = refusal(world.gate, signed_payload(world, b'{"id":"c9","do":{"type":"explode"}}'))
    assert (refused.command_id, refused.signed) == ("c9", True)


def test_another_payload_type_is_not_taken_for_a_command(world):
    raw = signed_payload(world, command().model_dump_json(by_alias=True).encode(), "application/x-other")
    assert refusal(world.gate, raw).reason == "malformed"


@pytest.mark.parametrize("claimed", ["../../etc", "a\nb", "x" * 129, 7, None, {"a": 1}])
def test_an_id_that_is_no_identifier_is_not_repeated(world, claimed):
    raw = json.loads(signed_payload(world, json.dumps({"id": claimed}).encode()))
    raw["signatures"][0]["keyid"] = "0" * 64
    assert refusal(world.gate, json.dumps(raw).encode()).command_id is None


def test_two_signatures_of_one_key_or_too_many_are_malformed(world):
    document = json.loads(world.seal(command()))
    for count in (2, 9):
        many = document | {"signatures": document["signatures"] * count}
        assert refusal(world.gate, json.dumps(many).encode()).reason == "malformed"


def test_a_second_signature_by_a_stranger_does_not_spoil_the_first(world):
    envelope = Envelope(command().model_dump_json(by_alias=True).encode(), PAYLOAD_TYPE, {})
    for signer in (CryptoSigner.generate_ed25519(), world.signer):
        envelope.sign(signer)
    world.gate.check(json.dumps(envelope.to_dict()).encode())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_byte_of_an_envelope_can_be_changed_into_a_command(world, data):
    envelope = bytearray(world.seal(command(7)))
    place = data.draw(st.integers(0, len(envelope) - 1))
    envelope[place] ^= data.draw(st.integers(1, 255))
    try:
        passed = world.gate.check(bytes(envelope))
    except Refused:
        return
    # only what DSSE does not sign may differ: spaces, keys that nobody reads, unused bits of base64
    assert passed == command(7)
    world.journal._commands.clear()
    world.journal._medium.write([("DELETE FROM commands", ())])
