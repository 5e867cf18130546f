"""QR codes, as part of a page."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_code(link: str, *, mask: int | None = None) -> Markup:
    """Return a QR code as SVG; it says nothing of its own to a screen reader.

    Any mask can be read. To choose the best of eight takes ten times as long, which
    counts where a page has hundreds.
    """
    drawn = segno.make(link, micro=False, mask=mask).svg_inline(
        scale=4, dark="#000", light=None, omitsize=True
    )
    return Markup(drawn)  # noqa: S704 -- made of the squares of the code alone
