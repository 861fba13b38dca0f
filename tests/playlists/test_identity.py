"""What a node says of itself."""

from playlists.identity import PHRASES, PLACEHOLDER, phrases, with_number


def test_it_speaks_the_nodes_languages_in_their_order() -> None:
    assert phrases(["en-GB", "vi", "bru"]) == [(PHRASES["en"], "en-GB"), (PHRASES["vi"], "vi")]


def test_where_none_of_them_is_known_it_speaks_vietnamese() -> None:
    assert phrases(["bru"]) == [(PHRASES["vi"], "vi")]


def test_every_phrase_has_room_for_the_number() -> None:
    assert all(PLACEHOLDER in phrase for phrase in PHRASES.values())
    assert with_number("Cụm loa số {public_number}.", "07") == "Cụm loa số 07."
    assert with_number("Giá {x} đồng", "07") == "Giá {x} đồng"
