"""Which files a board's bulletins get, and what happens while one is not here or cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.conductor.boardfiles import BoardFiles

WEATHER = {
    "id": "commune/weather",
    "feed": "commune",
    "readings": {
        "path": "media/w.json",
        "heading": "Thời tiết",
        "show": ["t", "river"],
        "stale_after_s": 60.0,
    },
}


class Files:
    """Targets that are here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here: dict[tuple[str, str], Path] = {}
        self.failed: list[tuple[str, str]] = []
        self.board = BoardFiles(
            lambda feed, target: self._here.get((feed, target)),
            "pole-07",
            "https://xa.example/{node}/{bulletin}",
            lambda bulletin, reason: self.failed.append((bulletin, reason)),
        )

    def put(self, target: str, content: object) -> None:
        path = self._folder / target.replace("/", "-")
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        self._here["commune", target] = path

    def drop(self, target: str) -> None:
        self._here.pop(("commune", target))

    def show(self, *bulletins: dict[str, Any]) -> list[dict[str, Any]]:
        self.board.begin()
        found = [one for one in map(self.board.fill, bulletins) if one]
        self.board.forget_others()
        return found


def weather(value: float | None) -> dict[str, Any]:
    reading = {"id": "t", "name": "Nhiệt độ", "value": value, "unit": "°C"}
    return {
        "format": "loa.readings/1",
        "source": "Trạm",
        "at": "2026-11-28T13:30:00+07:00",
        "readings": [reading],
    }


def test_readings_go_to_the_screen_as_words(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.put("media/w.json", weather(17.5))
    (shown,) = files.show(WEATHER)
    assert shown["readings"]["source"] == "Trạm"
    temperature, river = shown["readings"]["values"]
    assert (temperature["value"], temperature["unit"], temperature["at"]) == (
        "17,5",
        "°C",
        "2026-11-28T13:30:00+07:00",
    )
    assert river == {"name": "river"}, "what is asked for and not there is shown without a value"


def test_readings_stay_until_newer_ones_are_here_and_those_are_awaited(tmp_path: Path) -> None:
    files = Files(tmp_path)
    assert files.show(WEATHER) == []
    assert files.board.awaits("commune", "media/w.json")
    files.put("media/w.json", weather(17.5))
    before = files.show(WEATHER)
    files.drop("media/w.json")
    assert files.show(WEATHER) == before, "the old edition is gone, the new one not here yet"
    files.put("media/w.json", weather(18))
    assert files.board.awaits("commune", "media/w.json")
    assert files.show(WEATHER)[0]["readings"]["values"][0]["value"] == "18"
    files.show()
    files.drop("media/w.json")
    assert files.show(WEATHER) == [], "what left the board is not remembered"


def test_readings_that_cannot_be_read_cost_that_bulletin_and_are_told_once(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.put("media/w.json", "{broken")
    notice = {"id": "commune/a", "feed": "commune", "text": {"heading": "a", "body": "", "qr": "x"}}
    assert files.show(WEATHER, notice) == [notice]
    files.show(WEATHER, notice)
    ((bulletin, reason),) = files.failed
    assert bulletin == "commune/weather"
    assert "media/w.json" in reason and "JSON" in reason
    files.put("media/w.json", weather(None))
    assert files.show(WEATHER)[0]["readings"]["values"][0]["value"] is None


def test_a_document_waits_for_all_of_its_pages(tmp_path: Path) -> None:
    files = Files(tmp_path)
    pages = [{"path": f"media/p{n}.png", "size": None, "gaps": []} for n in (1, 2)]
    document = {"id": "commune/d", "feed": "commune", "document": {"pages": pages, "caption": ""}}
    files.put("media/p1.png", "")
    assert files.show(document) == []
    assert files.board.awaits("commune", "media/p2.png")
    files.put("media/p2.png", "")
    (shown,) = files.show(document)
    assert [Path(page["path"]).parent for page in shown["document"]["pages"]] == [tmp_path, tmp_path]


def test_a_notice_without_a_code_gets_one_that_leads_to_the_officer(tmp_path: Path) -> None:
    notice = {"id": "commune/a", "feed": "commune", "text": {"heading": "a", "body": "", "qr": None}}
    (shown,) = Files(tmp_path).show(notice)
    assert shown["text"]["qr"] == "https://xa.example/pole-07/commune%2Fa"
