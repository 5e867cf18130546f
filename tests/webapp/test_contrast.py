"""The contrast of every pair of colour roles, in both themes, from tokens.css."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import webapp

CSS = Path(webapp.__file__).parent / "static" / "css"
TOKENS = (CSS / "tokens.css").read_text(encoding="utf-8")
DECLARATION = re.compile(r"^\s*--([\w-]+):\s*([^;]+);", re.MULTILINE)

# What is read must reach 4.5 : 1 (WCAG 1.4.3); edges, icons and focus 3 : 1 (1.4.11).
READ, SEEN = 4.5, 3.0
GROUNDS = ("page", "surface", "sunken")
TINTS = ("danger", "success", "notice", "info")
PAIRS = [
    *[
        (f"color-{ink}", f"color-{ground}", READ)
        for ink in ("text", "text-soft", "link", *TINTS)
        for ground in GROUNDS
    ],
    *[("color-text", f"color-{tint}-tint", READ) for tint in TINTS],
    *[("color-link", f"color-{tint}-tint", READ) for tint in TINTS],
    *[(f"color-{tint}", f"color-{tint}-tint", READ) for tint in TINTS],
    ("color-text-soft", "color-notice-tint", READ),
    ("color-text", "color-sky", READ),
    ("color-on-accent", "color-accent", READ),
    ("color-on-wall", "color-wall", READ),
    ("color-on-wall-soft", "color-wall", READ),
    *[("color-edge", f"color-{ground}", SEEN) for ground in GROUNDS],
    *[("color-accent-edge", f"color-{ground}", SEEN) for ground in GROUNDS],
    *[("color-focus", f"color-{ground}", SEEN) for ground in (*GROUNDS, "sky")],
    ("color-accent-edge", "color-sky", SEEN),
    ("color-focus-on-wall", "color-wall", SEEN),
    ("color-edge-on-wall", "color-wall", SEEN),
    *[("color-text", f"heat-{step}", READ) for step in range(3)],
    *[("color-on-accent", f"heat-{step}", READ) for step in (3, 4)],
    ("window-lit", "scene-keep", SEEN),
    ("window-lit", "scene-keep-near", SEEN),
]


def tokens() -> dict[str, str]:
    return {name: value.strip() for name, value in DECLARATION.findall(TOKENS)}


def resolve(name: str, theme: str) -> str:
    """Follow a token to its hexadecimal colour in one theme."""
    value = tokens()[name]
    both = re.fullmatch(r"light-dark\((.+),\s*(.+)\)", value)
    if both:
        value = both[1] if theme == "light" else both[2]
    reference = re.fullmatch(r"var\(--([\w-]+)\)", value.strip())
    return resolve(reference[1], theme) if reference else value.strip()


def luminance(colour: str) -> float:
    """Return the relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_roles_contrast(ink: str, ground: str, least: float, theme: str) -> None:
    reached = contrast(resolve(ink, theme), resolve(ground, theme))
    assert reached >= least, f"{ink} on {ground}, {theme}: {reached:.2f}"


def test_the_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_colours_are_written_in_tokens_only() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch|lab)a?\(")
    root = CSS.parent.parent
    places = [*root.glob("static/css/*.css"), *root.glob("templates/**/*.html")]
    found = [
        f"{path.name}: {match}"
        for path in places
        if path.name != "tokens.css"
        for match in literal.findall(_without_links(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_every_role_that_css_uses_is_a_token() -> None:
    unknown = set()
    for path in CSS.glob("*.css"):
        text = path.read_text(encoding="utf-8")
        # A sheet may hand a role on under a name of its own.
        own = set(re.findall(r"^\s*--([\w-]+):", text, re.MULTILINE))
        unknown |= set(re.findall(r"var\(--([\w-]+)", text)) - own
    assert unknown - set(tokens()) == set()


def _without_links(text: str) -> str:
    """Drop what starts like a colour and is an address inside a page or an entity."""
    return re.sub(r"""href="[^"]*"|\}\}#[\w-]+|&#\w+;|hx-target="[^"]*\"""", "", text)
