"""From a bulletin to its pages: what stands where, for a box of any size. Pure, but for measuring with fonts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from agent.screen.banner import compose_banner
from agent.screen.card import Composition, Moment, Style
from agent.screen.content import Bulletin
from agent.screen.countdown import compose_countdown
from agent.screen.errors import Quarantine
from agent.screen.flow import compose_long, compose_markdown, compose_table
from agent.screen.notice import compose_text, is_long
from agent.screen.photo import compose_document, compose_film, compose_image
from agent.screen.readings import compose_readings

NEVER_SET: Final = Moment(datetime.fromtimestamp(0, UTC), ZoneInfo("UTC"), known=False)


def pages(
    bulletin: Bulletin,
    size: tuple[int, int],
    style: Style,
    moment: Moment = NEVER_SET,
    kind: str = "bulletins",
) -> Composition:
    """All pages of a bulletin in a box of `size` pixels.

    Pictures are not opened: a page names those that it needs (`Page.photos`), and `Page.developed` puts them in.

    Args:
        bulletin: of any kind.
        size: width and height of its zone.
        style: `style.sizes` are those of the zone (`Sizes.within`).
        moment: what the clock shows; ages of readings and a countdown need it.
        kind: of the zone; a `banner` sets a text in a strip.

    Raises:
        Quarantine: it cannot be shown in this box, or is of a kind that is not known here.
    """
    composition: Composition
    if bulletin.text is not None and kind == "banner":
        composition = compose_banner(bulletin, bulletin.text, size, style)
    elif bulletin.text is not None and bulletin.text.markup == "markdown":
        composition = compose_markdown(bulletin, bulletin.text, size, style)
    elif bulletin.text is not None and is_long(bulletin.text, size, style):
        composition = compose_long(bulletin, bulletin.text, size, style)
    elif bulletin.text is not None:
        composition = compose_text(bulletin, bulletin.text, size, style)
    elif bulletin.table is not None:
        composition = compose_table(bulletin, bulletin.table, size, style)
    elif bulletin.readings is not None:
        composition = compose_readings(bulletin, bulletin.readings, size, style, moment)
    elif bulletin.countdown is not None:
        composition = compose_countdown(bulletin, bulletin.countdown, size, style, moment)
    elif bulletin.image is not None:
        composition = compose_image(bulletin, bulletin.image, size, style)
    elif bulletin.document is not None:
        composition = compose_document(bulletin, bulletin.document, size, style)
    elif bulletin.video is not None:
        composition = compose_film(bulletin, bulletin.video, size, style)
    else:
        raise Quarantine("it has no content that this version knows")
    return composition
