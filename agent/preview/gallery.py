"""A preview as a page for a browser, and as JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from agent.files import write_atomically
from agent.preview.render import Report, Shot
from agent.words import _, language, retell

INDEX: Final = "index.html"
DATA: Final = "preview.json"

_STYLE: Final = """
body { font: 16px/1.5 "Noto Sans", system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem;
  color: #121c2a; background: #f4f6f9 }
h2 { margin: 2.5rem 0 .5rem } ul { padding-left: 1.2rem } li { margin: .2rem 0 }
.warnings { background: #fff4d6; border-left: 6px solid #b97900; padding: .6rem 1rem }
.shots { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0 } figcaption { font-size: .85rem; color: #526071 }
img { height: 15rem; border: 1px solid #c9d2dd; background: #000 } a { color: inherit }
"""


def as_json(report: Report) -> dict[str, Any]:
    """For scripts: every picture and every warning."""
    return {
        "shots": [asdict(shot) for shot in report.shots],
        "warnings": [asdict(one) for one in report.warnings],
    }


def write(report: Report, out: Path, name: str) -> None:
    """Write `index.html` and `preview.json` beside the pictures, and drop pictures of a preview before this one.

    Raises:
        OSError: they cannot be written.
    """
    _drop_former(out, {shot.file for shot in report.shots})
    data = json.dumps(as_json(report), ensure_ascii=False, indent=1)
    write_atomically(out / DATA, data.encode(), mode=0o644)
    write_atomically(out / INDEX, _page(report, name).encode(), mode=0o644)


def _drop_former(out: Path, kept: set[str]) -> None:
    try:
        former = json.loads((out / DATA).read_bytes())["shots"]
        names = {Path(str(shot["file"])).name for shot in former}
    except (OSError, ValueError, KeyError, TypeError):
        return  # there was none, or it is somebody else's file
    for file in names - kept:
        (out / file).unlink(missing_ok=True)


def _page(report: Report, name: str) -> str:
    title = html.escape(_("Preview: {name}").format(name=name))
    parts = [
        f'<!doctype html><html lang="{language()}"><meta charset="utf-8">',
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>",
        _warnings(report),
    ]
    for heading, shots in _sections(report.shots):
        parts.append(f'<h2>{html.escape(heading)}</h2><div class="shots">')
        parts += map(_figure, shots)
        parts.append("</div>")
    return "\n".join(parts) + "</html>\n"


def _warnings(report: Report) -> str:
    if not report.warnings:
        return "<p>" + html.escape(_("Nothing to complain of.")) + "</p>"
    lines = (f"<li>{html.escape(line)}</li>" for line in told(report))
    return '<div class="warnings"><ul>' + "\n".join(lines) + "</ul></div>"


def told(report: Report) -> Iterable[str]:
    """Each warning as one line."""
    for one in report.warnings:
        where = f" ({one.where})" if one.where else ""
        yield f"{one.bulletin or _('board')}: {retell(one.text)}{where}"


def _sections(shots: list[Shot]) -> Iterable[tuple[str, list[Shot]]]:
    names = {"landscape": _("landscape"), "portrait": _("portrait")}

    def heading(shot: Shot) -> str:
        what = _("Emergency") if shot.kind == "takeover" else _("Layout {layout}").format(layout=shot.layout)
        return f"{what}, {names[shot.orientation]}"

    for head, some in groupby(shots, heading):
        yield head, list(some)


def _figure(shot: Shot) -> str:
    said = _("the whole board") if shot.kind == "board" else shot.bulletin
    if shot.pages > 1:
        said += " · " + _("page {page} of {pages}").format(page=shot.page, pages=shot.pages)
    if shot.stays_s is not None:
        said += " · " + _("{seconds} s").format(seconds=round(shot.stays_s))
    file, caption = html.escape(shot.file, quote=True), html.escape(said)
    return (
        f'<figure><a href="{file}"><img src="{file}" alt="{caption}" loading="lazy"></a>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
