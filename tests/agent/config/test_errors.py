"""What a technician reads when the configuration is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.config import ConfigError, Problem, load, parse

GOOD = """\
[node]
id = "pole-07"
site = "xa"

[broker]
host = "broker.example"

[[relays]]
name = "preamp"
pin = 17
active = "low"

[[relays]]
name = "horn"
pin = 27
active = "high"

[[zones]]
name = "square"
relays = ["preamp", "horn"]

[[feeds]]
name = "commune"
url = "https://feed.example/xa"
root = "root.json"
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return caught.value.problems


def only(text: str) -> str:
    found = problems(text)
    assert len(found) == 1, [str(problem) for problem in found]
    return str(found[0])


def test_a_good_file_is_read() -> None:
    config = parse(GOOD)
    assert [relay.name for relay in config.relays] == ["preamp", "horn"]
    assert config.policy.allowed_hours == ("05:00-21:00",)


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace('"pole-07"', '"pole 07"').replace("pin = 27", "pin = 99").replace("commune", "")
    text += "\n[amplifer]\nlongest_on_s = 1\n"
    found = problems(text)
    assert [problem.key for problem in found] == ["id", "pin", "name", ""]
    lines = [problem.line for problem in found]
    assert lines == sorted(line for line in lines if line is not None)


def test_a_number_out_of_bounds_is_told_with_line_section_key_value_and_both_bounds() -> None:
    text = GOOD.replace('host = "broker.example"', 'host = "broker.example"\nport = 99999')
    assert only(text) == "line 7: [broker] port = 99999: must be at least 1 and at most 65,535"


def test_an_entry_of_a_list_of_tables_is_named_by_its_name_and_has_its_own_line() -> None:
    assert only(GOOD.replace("pin = 27", "pin = 1")) == (
        'line 15: [[relays]] "horn" pin = 1: must be at least 2 and at most 27'
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[broker]", "[brokr]", "line 5: [brokr]: unknown section; did you mean 'broker'?"),
        ("site =", "sight =", "[node] sight = \"xa\": unknown key; did you mean 'site'?"),
        ("site =", "Site =", "did you mean 'site'?"),
        ('"high"', '"hihg"', 'must be one of "high", "low"; did you mean \'high\'?'),
        ('"square"', '"square"\nport = 1', "unknown key; it belongs into [broker]"),
        ('"square"', '"square"\npin = 1', "unknown key; it belongs into [[relays]]"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_right_one(old: str, new: str, expected: str) -> None:
    assert any(expected in str(problem) for problem in problems(GOOD.replace(old, new)))


def test_an_unknown_word_without_a_near_one_gets_no_guess() -> None:
    assert only(GOOD + "\n[xyzzy]\na = 1\n") == "line 27: [xyzzy]: unknown section"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('port = "8883"', "must be a whole number without quotes"),
        ("port = 8883.0", "must be a whole number"),
        ("port = true", "must be a whole number without quotes"),
        ('tls = "no"', "must be true or false, without quotes"),
        ("user = 7", "must be text in quotes"),
        ("keepalive_s = inf", "must be a whole number"),
    ],
)
def test_types_are_not_guessed(line: str, expected: str) -> None:
    text = GOOD.replace('host = "broker.example"', f'host = "broker.example"\n{line}')
    assert any(expected in problem.message for problem in problems(text))


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ('[policy]\nallowed_hours = ["05:00-25:00"]', 'like "05:00-21:00"'),
        ('[policy]\nallowed_hours = ["5-21"]', 'like "05:00-21:00"'),
        ('[policy]\nallowed_hours = ["06:00-06:00"]', 'the whole day is "00:00-24:00"'),
        ("[policy]\nallowed_hours = []", "must not be empty"),
        (
            '[policy]\nquiet_days = ["2027-06-31"]',
            'must be a day like "2027-06-28", or "06-28" for every year',
        ),
        ('[policy]\nquiet_days = ["28-06"]', "must be a day like"),
        ("[policy]\nquiet_days = [2027-06-28T00:00:00]", "must be a day like"),
        ('[policy]\nloudness = [{hours="05:00-06:00", gain_db=3}]', "must be at least -60 and at most 0"),
        ("[amplifier]\nlongest_on_s = nan", "must be"),
        ("[limits]\njournal_mb = 0", "must be at least 5 and at most 10,000"),
        ("[screen]\nsize = [1920]", "is required and missing"),
        ('[audio]\noutput = "file"', "ends in .wav"),
        ("[[limits]]\ncache_mb = 100", "must be written as [limits], once"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(added: str, expected: str) -> None:
    assert expected in only(f"{GOOD}\n{added}\n")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://feed.example", "begins with https:// or http://"),
        ("https://feed.example:99999/", "is not a URL"),
        ("https://feed.example/?a=1", "must not have a query"),
        ("feed.example/xa", "begins with https:// or http://"),
    ],
)
def test_a_feed_needs_a_url_that_names_a_folder(url: str, expected: str) -> None:
    assert expected in only(GOOD.replace("https://feed.example/xa", url))


SOURCE = '[[alert_sources]]\nname = "province"\ncertificates = ["p.pem"]\nurl = "{}"\n'


@pytest.mark.parametrize(
    "url",
    [
        "http://alerts.example/cap.atom",
        "http://192.0.2.7/cap.atom",
        "http://localhost.example/cap.atom",
        "http://127.0.0.1.example/cap.atom",
    ],
)
def test_an_alert_source_is_asked_over_https(url: str) -> None:
    text = only(f"{GOOD}\n{SOURCE.format(url)}")
    assert "must begin with https://; http:// is taken for a host on this machine only" in text


@pytest.mark.parametrize(
    "url",
    [
        "https://alerts.example/cap.atom?x=1",
        "http://127.0.0.1:8080/a",
        "http://localhost/a",
        "http://[::1]/a",
    ],
)
def test_one_on_this_machine_may_be_asked_over_http(url: str) -> None:
    assert parse(f"{GOOD}\n{SOURCE.format(url)}").alert_sources[0].url == url


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"horn"]', '"hron"]', "no relay is named 'hron'; there are: preamp, horn; did you mean 'horn'?"),
        ('["preamp", "horn"]', '["horn", "preamp"]', "must stand in the order of the [[relays]]"),
        ('["preamp", "horn"]', '["horn", "horn"]', "names 'horn' twice"),
        ("pin = 27", "pin = 17", "is used twice: [[relays]] number 1 has it already"),
        ('name = "horn"', 'name = "preamp"', "is used twice"),
        ('site = "xa"', 'site = "xa"\ngroups = ["a", "a"]', "names 'a' twice"),
        ('host = "broker.example"', 'host = "b"\nuser = "u"', "needs password_file beside it"),
        ('host = "broker.example"', 'host = "b"\ncert = "c"', "needs key beside it"),
        ('host = "broker.example"', 'host = "b"\ntls = false\nca = "c"', "has no effect with tls = false"),
    ],
)
def test_parts_that_do_not_agree_are_named(old: str, new: str, expected: str) -> None:
    assert any(expected in problem_text for problem_text in map(str, problems(GOOD.replace(old, new))))


def test_two_feeds_of_one_name_are_refused() -> None:
    again = '\n[[feeds]]\nname = "commune"\nurl = "https://other.example"\nroot = "r"\n'
    assert only(GOOD + again).startswith('line 28: [[feeds]] "commune" name = "commune": is used twice')


def test_a_missing_section_is_named() -> None:
    found = problems('[broker]\nhost = "b"\n')
    assert [str(problem) for problem in found] == ["[node]: the section is required and missing"]


def test_a_key_before_the_first_section_is_told_where_it_belongs() -> None:
    assert "line 1: port = 1: stands before the first [section]" in only("port = 1\n" + GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('host = "broker.example"', 'host = "b"\npassword = "hunter2"'),
        ('host = "broker.example"', 'host = "b"\nApiKey = "hunter2"'),
        ("https://feed.example", "https://me:hunter2@feed.example"),
        ('site = "xa"', 'site = "xa"\nextra = {password = "hunter2"}'),
    ],
)
def test_a_secret_is_never_shown(old: str, new: str) -> None:
    text = str(problems(GOOD.replace(old, new))[0])
    assert "hunter2" not in text
    assert "***" in text


def test_broken_toml_is_told_with_its_line() -> None:
    assert only(GOOD.replace("pin = 17", "pin = = 17")) == "line 10: is not TOML: Invalid value"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: 1 problem\n  is not there: loa setup makes one"):
        load(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'[node]\nid = "\xff"\n')
    with pytest.raises(ConfigError, match="line 2: is not UTF-8 text"):
        load(path)


def test_a_file_that_is_far_too_big_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"#" * 1_000_002)
    with pytest.raises(ConfigError, match="is bigger than 1000000 bytes"):
        load(path)


@given(st.text(max_size=200))
def test_no_text_brings_anything_but_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text)


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.text("ab\"'\n=[", max_size=6), st.floats()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "pin", "x"]), inner),
    max_leaves=6,
)


def _toml(value: object) -> str:
    import json

    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value)


@given(
    section=st.sampled_from(
        ["node", "feeds", "broker", "audio", "relays", "zones", "policy", "screen", "limits", "nonsense"]
    ),
    value=VALUES,
)
def test_no_value_in_place_of_a_section_brings_anything_but_a_config_error(
    section: str, value: object
) -> None:
    without = GOOD.replace(f"[{section}]", "[other]").replace(f"[[{section}]]", "[[other]]")
    try:
        parse(f"{section} = {_toml(value)}\n{without}")
    except ConfigError as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)


def test_an_order_of_feeds_names_feeds_that_are_there() -> None:
    assert parse(GOOD + '\n[policy]\ntie_break = ["commune"]\n').policy.tie_break == ("commune",)
    message = only(GOOD + '\n[policy]\ntie_break = ["comune"]\n')
    assert "policy" in message
    assert "no feed is named 'comune'; there are: commune" in message
    assert "did you mean" in message
    assert "names 'commune' twice" in only(GOOD + '\n[policy]\ntie_break = ["commune", "commune"]\n')


def test_a_button_needs_a_pin_of_its_own() -> None:
    button = '\n[[buttons]]\nname = "who"\npin = {pin}\nactive = "low"\ndoes = "{does}"\n'
    assert parse(GOOD + button.format(pin=22, does="identify")).buttons[0].pin == 22
    assert "is that of the relay 'preamp'" in only(GOOD + button.format(pin=17, does="identify"))
    assert "identify" in only(GOOD + button.format(pin=22, does="sing"))
    assert "[screen] is not enabled" in only(GOOD + button.format(pin=22, does="read"))
    assert (
        parse(GOOD + button.format(pin=22, does="read") + "[screen]\nenabled = true\n").buttons[0].does
        == "read"
    )
