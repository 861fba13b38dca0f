"""What is written is right, comments stay, nothing is lost, and nothing secret is shown."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import ConfigError, parse
from agent.config.difference import difference, masked
from agent.config.editing import UnknownKey, change, find, split, value_of
from agent.config.writer import HISTORY, Changed, ConfigFile

GOOD = """\
# our pole
[node]
id = "pole-07"    # as on the plate
site = "xa-mau"

[paths]
state = "state"
cache = "cache"
runtime = "run"

# wired by Tuấn, 2026
[[relays]]
name = "amplifier"
pin = 17  # BCM
active = "low"

[[zones]]
name = "square"
relays = ["amplifier"]
"""


@pytest.fixture
def file(tmp_path: Path) -> ConfigFile:
    path = tmp_path / "config.toml"
    path.write_text(GOOD, encoding="utf-8")
    path.chmod(0o640)
    return ConfigFile(path)


def test_a_changed_key_keeps_every_comment_and_the_order() -> None:
    new = change(GOOD, {"relays.amplifier.pin": 27, "node.id": "pole-08"})
    assert new == GOOD.replace("pin = 17", "pin = 27").replace("pole-07", "pole-08")


def test_a_new_key_stands_in_its_section_and_not_below_the_next_ones_comment() -> None:
    new = change(GOOD, {"paths.cache": "c", "node.public_number": "0007"})
    assert 'site = "xa-mau"\npublic_number = "0007"\n' in new
    assert "# wired by Tuấn, 2026\n[[relays]]" in new
    assert parse(new).node.public_number == "0007"


def test_a_new_entry_is_named_and_stands_behind_its_kind() -> None:
    new = change(GOOD, {"relays.horn.pin": 27, "relays.horn.active": "high"})
    assert [relay.name for relay in parse(new).relays] == ["amplifier", "horn"]
    assert new.startswith(GOOD[: GOOD.index("[[zones]]")].rstrip())


def test_new_sections_and_inner_tables_are_made() -> None:
    new = change(GOOD, {"broker.host": "b.example", "node.position.lat": 18.6, "node.position.lon": 105.7})
    config = parse(new)
    assert config.broker is not None
    assert config.broker.host == "b.example"
    assert config.node.position is not None
    assert config.node.position.lon == 105.7
    assert "\n\n[broker]\n" in new


def test_a_key_an_entry_and_a_section_can_be_taken_out() -> None:
    more = change(GOOD, {"node.public_number": "0007", "relays.horn.pin": 4, "relays.horn.active": "low"})
    assert parse(change(more, {"node.public_number": None, "relays.horn": None})) == parse(GOOD)
    assert "relays" not in change(GOOD, {"relays.amplifier": None, "zones": None})


@pytest.mark.parametrize(
    ("key", "hint"),
    [("nod.id", "did you mean 'node'"), ("relays.amplifer.pin", "did you mean 'amplifier'"), ("a b", "not a key"),
     ("node.id = 1\nx", "not a key")],
)  # fmt: skip
def test_a_key_that_leads_nowhere_is_refused_with_a_hint(key: str, hint: str) -> None:
    with pytest.raises(UnknownKey, match=hint):
        find(parse(GOOD).describe(), key)


def test_entries_are_found_by_name_and_by_number() -> None:
    document = parse(GOOD).describe()
    assert find(document, "relays.amplifier.pin") == find(document, "relays.1.pin") == 17
    assert split('feeds."a.b".url') == ("feeds", "a.b", "url")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_any_text_survives_being_set(text: str) -> None:
    new = change(GOOD, {"node.public_number": text})
    assert parse(new).node.public_number == text
    assert change(new, {"node.public_number": None}) == GOOD


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("17", 17), ("true", True), ("[1, 2]", [1, 2]), ("pole-7", "pole-7"), ('"7"', "7"), ("0.5", 0.5),
     ("Loa xã", "Loa xã")],
)  # fmt: skip
def test_what_is_typed_is_toml_where_it_can_be(typed: str, meant: object) -> None:
    assert value_of(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        'password = "geheim"',
        "password = 'geheim'",
        'user = "x"\npassword = """geheim\ngeheim 2"""\nhost = "h"',
        "token = '''geheim",
        "broker = { host = 'h', password = \"geheim\" }",
        '"api_key" = "geheim" # the key',
        'url = "https://u:geheim@h.example/x"',
        '# password = "geheim"',
        'secret = ["geheim", "geheim"]',
        'password = "ge\\"heim geheim"',
    ],
)
def test_no_secret_is_shown(text: str) -> None:
    assert "geheim" not in masked(text)
    assert "heim" not in "\n".join(difference("", text, "a", "b"))


def test_paths_of_secrets_are_no_secrets_and_a_changed_secret_is_seen() -> None:
    assert masked('password_file = "/etc/loa/p"') == 'password_file = "/etc/loa/p"'
    assert difference('password = "a"', 'password = "b"', "a", "b")
    assert difference("x = 1", "x = 1", "a", "b") == []


def test_a_write_keeps_the_one_before_and_its_rights(file: ConfigFile) -> None:
    new = GOOD.replace("17", "27")
    file.replace(new, GOOD)
    assert file.read() == new
    assert file.last_good() == GOOD
    assert [(each.number, each.text) for each in file.earlier()] == [(1, GOOD)]
    for path in file.path.parent.glob("config.toml*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_owner_of_the_file_stays(file: ConfigFile) -> None:
    group = 1234 if os.geteuid() == 0 else os.getgroups()[-1]
    os.chown(file.path, -1, group)
    file.replace(GOOD.replace("17", "27"), GOOD)
    assert {path.stat().st_gid for path in file.path.parent.glob("config.toml*")} == {group}


def test_a_wrong_content_is_refused_with_all_problems_and_nothing_changes(file: ConfigFile) -> None:
    with pytest.raises(ConfigError) as error:
        file.replace(GOOD.replace("17", "99").replace('"low"', '"down"'), GOOD)
    assert len(error.value.problems) == 2
    assert file.read() == GOOD
    assert [path.name for path in file.path.parent.iterdir()] == ["config.toml"]


def test_a_file_that_a_change_names_must_be_there_but_old_trouble_does_not_stop_it(file: ConfigFile) -> None:
    feed = {"feeds.a.url": "https://a.example", "feeds.a.root": "a.json"}
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        file.replace(change(GOOD, feed), GOOD)
    root = file.path.parent / "a.json"
    root.write_text("{}")
    with_feed = change(GOOD, feed)
    file.replace(with_feed, GOOD)
    root.unlink()
    file.replace(with_feed.replace("17", "27"), with_feed)
    assert "27" in file.read()


def test_a_broken_file_can_be_replaced_and_is_no_last_good_one(file: ConfigFile) -> None:
    file.replace(GOOD.replace("17", "27"), GOOD)
    file.path.write_text("[node\n")
    file.replace(GOOD, "[node\n")
    assert file.last_good() == GOOD
    assert [each.text for each in file.earlier()] == ["[node\n", GOOD]


def test_who_comes_second_does_not_undo_the_first(file: ConfigFile) -> None:
    file.replace(GOOD.replace("17", "27"), GOOD)
    with pytest.raises(Changed):
        file.replace(GOOD.replace("17", "22"), GOOD)
    assert "27" in file.read()


def test_history_is_bounded_and_keeps_the_newest(file: ConfigFile) -> None:
    text = GOOD
    for turn in range(HISTORY + 5):
        new = GOOD + f"# {turn}\n"
        file.replace(new, text)
        text = new
    kept = file.earlier()
    assert len(kept) == HISTORY
    assert kept[0].text.endswith(f"# {HISTORY + 3}\n")
    assert [each.number for each in kept] == list(range(HISTORY + 5, 5, -1))


def test_a_link_to_a_data_partition_stays_a_link(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "config.toml").write_text(GOOD)
    (tmp_path / "config.toml").symlink_to("data/config.toml")
    file = ConfigFile(tmp_path / "config.toml")
    file.replace(GOOD.replace("17", "27"), GOOD)
    assert (tmp_path / "config.toml").is_symlink()
    assert "27" in (data / "config.toml").read_text()


def test_a_full_disk_leaves_the_old_file(file: ConfigFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        file.replace(GOOD.replace("17", "27"), GOOD)
    assert file.read() == GOOD
    assert not list(file.path.parent.rglob(".aside-*"))
