"""The table of processes that die or hang: what the node is doing × what strikes it → how it must end."""

from __future__ import annotations

import pytest

from tests.faults.support import (
    Row,
    a_programme_is_about_to_start,
    a_programme_sounds,
    an_alert_speaks,
    an_announcement_sounds,
    an_announcement_was_accepted,
    an_emergency_has_interrupted_a_programme,
    at_rest,
    it_is_finished_and_told_once,
    nothing_is_lost_or_doubled,
    sound_is_back,
    sound_is_back_after_the_hang_was_seen,
    sound_went_on,
    the_announcement_is_heard_to_its_end,
    the_announcement_is_heard_whole,
    the_daemon_is_killed,
    the_fault_is_told_and_gone,
    the_ladder_goes_on_where_it_should_be,
    the_ladder_goes_on_where_it_was,
    the_node_speaks,
    the_player_hangs,
    the_player_is_killed,
    the_screen_is_killed,
    the_start_is_made,
    the_takeover_is_back,
)
from tests.support.house import House

ONCE = (it_is_finished_and_told_once, nothing_is_lost_or_doubled)
TOLD = (the_fault_is_told_and_gone,)

TABLE = (
    Row(at_rest, the_player_is_killed, (the_node_speaks, *TOLD, nothing_is_lost_or_doubled)),
    Row(at_rest, the_daemon_is_killed, (the_node_speaks, nothing_is_lost_or_doubled)),
    Row(
        a_programme_sounds,
        the_player_is_killed,
        (sound_is_back, the_ladder_goes_on_where_it_was, *ONCE, *TOLD),
    ),
    Row(
        a_programme_sounds,
        the_player_hangs,
        (sound_is_back_after_the_hang_was_seen, the_ladder_goes_on_where_it_was, *ONCE, *TOLD),
    ),
    Row(a_programme_sounds, the_screen_is_killed, (sound_went_on, *ONCE, *TOLD)),
    Row(
        a_programme_sounds,
        the_daemon_is_killed,
        (sound_is_back, the_ladder_goes_on_where_it_should_be, *ONCE),
    ),
    Row(a_programme_is_about_to_start, the_player_is_killed, (the_start_is_made, *ONCE)),
    Row(a_programme_is_about_to_start, the_daemon_is_killed, (the_start_is_made, *ONCE)),
    Row(an_announcement_was_accepted, the_player_is_killed, (the_announcement_is_heard_whole,)),
    Row(
        an_announcement_was_accepted,
        the_daemon_is_killed,
        (the_announcement_is_heard_whole, nothing_is_lost_or_doubled),
    ),
    Row(
        an_announcement_sounds,
        the_daemon_is_killed,
        (sound_is_back, the_announcement_is_heard_to_its_end, nothing_is_lost_or_doubled),
    ),
    Row(an_emergency_has_interrupted_a_programme, the_daemon_is_killed, (sound_is_back, *ONCE)),
    Row(an_alert_speaks, the_player_is_killed, (sound_is_back, nothing_is_lost_or_doubled, *TOLD)),
    Row(
        an_alert_speaks,
        the_daemon_is_killed,
        (sound_is_back, the_takeover_is_back, nothing_is_lost_or_doubled),
    ),
    Row(an_alert_speaks, the_screen_is_killed, (sound_went_on, the_takeover_is_back)),
)


@pytest.fixture
def house(kiosk: House) -> House:
    """The node, at rest before each row and without an alert."""
    kiosk.node.wait_until_up()
    kiosk.quiet()
    return kiosk


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_it_ends_as_the_table_says(row: Row, house: House) -> None:
    row.play(house)
