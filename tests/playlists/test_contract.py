"""docs/contract says what the code does: schemas, topics and examples are held equal to the models."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from playlists import schema
from playlists.models.command import NEEDS, PAYLOAD_TYPE, Command, RefusalReason

CONTRACT = Path(__file__).parents[2] / "docs" / "contract"
README = (CONTRACT / "README.md").read_text(encoding="utf-8")
ASYNCAPI = json.loads((CONTRACT / "asyncapi.json").read_text(encoding="utf-8"))

TOPICS = {  # contract §3: topic below loa/1/{site} → (who sends it, retained)
    "node/{node}/status": ("send", True),
    "node/{node}/health": ("send", True),
    "node/{node}/log": ("send", False),
    "node/{node}/log/stored": ("receive", False),
    "node/{node}/receipt": ("send", False),
    "node/{node}/screenshot": ("send", False),
    "node/{node}/logs": ("send", False),
    "node/{node}/command": ("receive", False),
    "group/{group}/command": ("receive", False),
    "all/command": ("receive", False),
    "feed/{feed}": ("receive", True),
}


def example(name: str) -> Any:
    return json.loads((CONTRACT / "examples" / f"{name}.json").read_text(encoding="utf-8"))


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every example of a document that has a model."""
    for name in schema.DOCUMENTS:
        if name == "command":
            yield from (("command", command) for command in example("commands"))
        else:
            yield name, example(name)


EXAMPLES = list(documents())
EXAMPLE_IDS = [
    f"{name}-{document['do']['type']}" if name == "command" else name for name, document in EXAMPLES
]


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema.schema_of(name))


def resolve(reference: str) -> Any:
    """What a `$ref` of the AsyncAPI document leads to."""
    file, _, pointer = reference.partition("#")
    found = json.loads((CONTRACT / file).read_text(encoding="utf-8")) if file else ASYNCAPI
    for part in pointer.strip("/").split("/") if pointer else ():
        found = found[part]
    return found


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


class TestSchemas:
    """docs/contract/schema."""

    def test_the_written_schemas_are_those_of_the_models(self) -> None:
        written = {path.name: json.loads(path.read_text()) for path in (CONTRACT / "schema").iterdir()}
        assert written == {f"{name}.schema.json": schema.schema_of(name) for name in schema.DOCUMENTS}

    def test_they_are_written_by_the_command_that_the_readme_names(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert "python -m playlists.schema docs/contract/schema" in README
        assert schema.main([str(tmp_path / "new")]) == 0
        assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(
            f"{name}.schema.json" for name in schema.DOCUMENTS
        )
        assert len(capsys.readouterr().out.splitlines()) == len(schema.DOCUMENTS)

    def test_the_command_without_a_folder_says_how_it_is_used(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert schema.main([]) == 2
        assert "usage" in capsys.readouterr().err

    @pytest.mark.parametrize("name", schema.DOCUMENTS)
    def test_they_are_sound(self, name: str) -> None:
        Draft202012Validator.check_schema(schema.schema_of(name))


class TestExamples:
    """docs/contract/examples."""

    @pytest.mark.parametrize(("name", "document"), EXAMPLES, ids=EXAMPLE_IDS)
    def test_an_example_is_read_by_its_model_without_a_rest(
        self, name: str, document: dict[str, Any]
    ) -> None:
        again = schema.DOCUMENTS[name].model_validate(document).model_dump(mode="json", by_alias=True)
        assert _without_moments(document).items() <= _flat(again).items(), (
            "a field is unknown or read as another"
        )

    @pytest.mark.parametrize(("name", "document"), EXAMPLES, ids=EXAMPLE_IDS)
    def test_an_example_keeps_its_schema(self, name: str, document: dict[str, Any]) -> None:
        assert [error.message for error in validator(name).iter_errors(document)] == []

    @pytest.mark.parametrize(("name", "document"), EXAMPLES, ids=EXAMPLE_IDS)
    def test_what_a_model_writes_keeps_its_schema(self, name: str, document: dict[str, Any]) -> None:
        written = schema.DOCUMENTS[name].model_validate(document).model_dump(mode="json", by_alias=True)
        assert [error.message for error in validator(name).iter_errors(written)] == []

    @pytest.mark.parametrize(
        ("name", "path", "value"),
        [
            ("schedule", ("format",), "loa.schedule/2"),
            ("schedule", ("version",), 0),
            ("schedule", ("published",), None),
            ("schedule", ("programmes", 0, "class"), "urgent"),
            ("schedule", ("programmes", 0, "start"), "half past five"),
            ("schedule", ("programmes", 0, "items"), []),
            ("schedule", ("programmes", 0, "items", 0), {"media": "media/../root.json"}),
            ("schedule", ("programmes", 0, "items", 3, "relay", "url"), "file:///etc/passwd"),
            ("schedule", ("programmes", 0, "on_conflict"), "shout"),
            ("schedule", ("programmes", 0, "volume_db"), 40),
            ("schedule", ("bulletins", 0, "hours"), ["5-22"]),
            ("operators", ("operators", 0, "actions"), ["everything"]),
            ("operators", ("operators", 0, "key", "keyval", "public"), "00"),
            ("command", ("to",), []),
            ("command", ("to",), ["pole-07"]),
            ("command", ("do", "type"), "shell"),
            ("command", ("do", "items"), []),
            ("receipt", ("state",), "ignored"),
            ("record", ("kind",), "song"),
            ("record", ("outcome",), "ok"),
            ("stored", ("through",), None),
            ("status", ("state",), "asleep"),
            ("health", ("readings", "uptime_s"), "long"),
        ],
        ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else None,
    )
    def test_model_and_schema_refuse_the_same(
        self, name: str, path: tuple[str | int, ...], value: Any
    ) -> None:
        document = copy.deepcopy(next(document for other, document in EXAMPLES if other == name))
        *parents, last = path
        place: Any = document
        for part in parents:
            place = place[part]
        place[last] = value
        with pytest.raises(ValidationError):
            schema.DOCUMENTS[name].model_validate(document)
        assert not validator(name).is_valid(document)

    def test_every_command_type_has_an_example(self) -> None:
        assert {command["do"]["type"] for command in example("commands")} == set(NEEDS)

    def test_the_envelope_holds_the_first_command_signed_by_the_operator(self) -> None:
        (operator,) = example("operators")["operators"]
        envelope = Envelope.from_dict(example("envelope"))
        envelope.verify([SSlibKey.from_dict(operator["keyid"], copy.deepcopy(operator["key"]))], 1)
        assert envelope.payload_type == PAYLOAD_TYPE
        assert json.loads(envelope.payload) == example("commands")[0]
        assert Command.model_validate_json(envelope.payload).addresses("pole-07", frozenset())


class TestTopics:
    """docs/contract/asyncapi.json."""

    def test_the_topics_are_those_of_the_contract(self) -> None:
        told = {}
        for operation in ASYNCAPI["operations"].values():
            address = resolve(operation["channel"]["$ref"])["address"]
            mqtt = operation["bindings"]["mqtt"]
            assert mqtt["qos"] == 1
            told[address.removeprefix("loa/1/{site}/")] = (operation["action"], mqtt["retain"])
        assert told == TOPICS
        assert len(ASYNCAPI["channels"]) == len(TOPICS)

    def test_every_reference_leads_somewhere(self) -> None:
        found = sorted(set(references(ASYNCAPI)))
        assert len(found) > 20
        for reference in found:
            assert resolve(reference), reference

    def test_an_operation_carries_a_message_of_its_channel(self) -> None:
        for operation in ASYNCAPI["operations"].values():
            (message,) = operation["messages"]
            assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")

    def test_every_part_of_an_address_is_explained(self) -> None:
        for channel in ASYNCAPI["channels"].values():
            assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel["parameters"])

    @pytest.mark.parametrize("name", ["status", "health", "log", "stored", "receipt", "command", "hint"])
    def test_the_payload_is_what_the_example_shows(self, name: str) -> None:
        payload = resolve(ASYNCAPI["components"]["messages"][name]["payload"]["$ref"])
        told = example("envelope" if name == "command" else name)
        assert [error.message for error in Draft202012Validator(payload).iter_errors(told)] == []
        assert not Draft202012Validator(payload).is_valid({})


class TestReadme:
    """docs/contract/README.md."""

    def test_it_names_every_topic(self) -> None:
        for topic in TOPICS:
            assert f"`{topic}`" in README

    def test_it_names_every_command_under_the_action_that_it_needs(self) -> None:
        table = re.findall(r"^\| (`.+`) \| (?!needs)(\w+) \|", README, re.MULTILINE)
        told = {name: action for names, action in table for name in re.findall(r"`([\w-]+)`", names)}
        assert told == NEEDS

    def test_it_names_every_reason_of_a_refusal(self) -> None:
        text = " ".join(README.split())
        for reason in RefusalReason.__args__:  # type: ignore[attr-defined]
            assert reason in text

    def test_its_links_lead_somewhere(self) -> None:
        links = re.findall(r"\]\(([^)]+)\)", README)
        assert len(links) > 10
        for link in links:
            assert (CONTRACT / link).exists(), link


def _flat(part: Any, prefix: str = "") -> dict[str, Any]:
    """Leaves by their dotted place."""
    if isinstance(part, dict):
        return {k: v for name, value in part.items() for k, v in _flat(value, f"{prefix}.{name}").items()}
    if isinstance(part, list):
        return {k: v for n, value in enumerate(part) for k, v in _flat(value, f"{prefix}.{n}").items()}
    return {prefix: part}


def _without_moments(document: dict[str, Any]) -> dict[str, Any]:
    """Leaves whose JSON text has to survive: all but moments, which have several spellings."""
    return {
        place: leaf
        for place, leaf in _flat(document).items()
        if not (isinstance(leaf, str) and re.match(r"\d{4}-\d{2}-\d{2}T", leaf))
    }
