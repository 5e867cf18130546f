"""QR codes of links, drawn into a page."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_code(link: str) -> Markup:
    """Return a QR code as SVG; it says nothing of its own to a screen reader."""
    drawn = segno.make(link, micro=False).svg_inline(
        scale=4, dark="#000", light=None, omitsize=True
    )
    return Markup(drawn)  # noqa: S704 -- made of the squares of the code alone
