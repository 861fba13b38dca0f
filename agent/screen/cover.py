"""A takeover while it is on the screen: its pages in turn, or those with the words that are being spoken."""

from __future__ import annotations

from typing import Final

from agent.screen.captions import LINGER_S
from agent.screen.paint import Page
from agent.screen.protocol import Takeover
from agent.screen.rotation import page_times
from agent.screen.stage import NEVER
from playlists.units import MonotonicS, Seconds

TAKEOVER_PAGE_S: Final = Seconds(8.0)
"""A page of a takeover stays so long in the mean, longer where it has more words."""


class Cover:
    """A takeover on the screen."""

    def __init__(self, takeover: Takeover, pages: tuple[Page, ...], now: MonotonicS) -> None:
        self.takeover = takeover
        self.pages = pages
        self.number = -1
        self.next_at = now
        """When `turn` is due."""
        self._spoken: list[tuple[Page, Seconds]] = []
        words = [page.words for page in pages]
        self._times = page_times(Seconds(TAKEOVER_PAGE_S * len(pages)), words)

    def speak(self, pages: list[tuple[Page, Seconds]], now: MonotonicS) -> None:
        """Show the pages with the words that are being spoken, one after the other; with none, go on turning."""
        if not pages and self.number >= 0:
            self.number -= 1  # the page that was seen before comes again
        self._spoken, self.next_at = pages, now

    def turn(self, now: MonotonicS) -> Page:
        """The next page, and when it has had its time: round and round, or for ever if it is the only one."""
        if self._spoken:
            page, lasts_s = self._spoken.pop(0)
            self.next_at = MonotonicS(now + lasts_s + (0.0 if self._spoken else LINGER_S))
            return page
        self.number = (self.number + 1) % len(self.pages)
        single = len(self.pages) == 1
        self.next_at = NEVER if single else MonotonicS(now + self._times[self.number])
        return self.pages[self.number]
