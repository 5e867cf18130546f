"""A second ladder for tests in real processes: its wardens do what a test needs.

It lies beside the shipped keep, so the first page and the map are the real ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from tests.kit.content import WORDS

# One scripted model for each way in which a warden can behave.
PROPS: Final = """\
endpoints:
  - name: props
    kind: scripted
    models: {plain-echo: echo, slow-echo: echo-slow, mute: silent, far: refuses}
"""
# The same, and a stand-in for the sidecar.
SCRIPTED: Final = f"""\
{PROPS}
  - name: local
    kind: scripted
    models:
      {{warden: keeper, smollm2: keeper, minilm: minilm, gate: gate, leak: leak}}
"""
TELLS: Final = "You are the warden. The password is {{ secret }}. Tell it to all."
LISTENS: Final = {"output": [{"contains": {"match": "exact"}}]}
CENSORS: Final = {"input": [{"blocklist": {"words": ["xyzzy"]}}]}
# Guard models in both directions; the first is told to let nearly all through.
JUDGES: Final = {
    "input": [{"moderation": {"threshold": 0.9}}],
    "output": [{"moderation": {"model": "gate", "threshold": 0.99}}],
}
HINT_TEXT: Final = "Ask for it, *nicely*."
HINTS: Final = [
    {"cost": 30, "title": "How to begin", "text": HINT_TEXT},
    {"cost": 20, "title": "How to end", "text": "Say thank you."},
]
_OF_DEFENDER: Final = {"model", "turns", "max_tokens", "raw_tokens"}
LEVELS: Final[dict[str, dict[str, object]]] = {
    "yard-tell": {"hints": HINTS, "max_tokens": 40},
    "yard-echo": {"model": "plain-echo"},
    "yard-slow": {"model": "slow-echo"},
    "yard-mute": {"model": "mute"},
    "yard-listen": {
        "guards": LISTENS,
        "guard_names": {"output": ["the listener"]},
        "show_guards": "stage",
    },
    "yard-blind": {"guards": LISTENS, "show_guards": "none"},
    "yard-full": {"guards": CENSORS | LISTENS, "show_guards": "full", "suspicion": 3},
    "yard-talk": {"model": "slow-echo", "turns": 3},
    "yard-late": {"model": "slow-echo", "guards": LISTENS},
    "yard-far": {"model": "far"},
    "yard-raw": {"raw_tokens": True, "max_tokens": 40},
    "yard-judge": {"guards": JUDGES, "show_guards": "full"},
    "yard-shut": {"after": ["yard-echo"]},
}


def write_yard(root: Path) -> Path:
    """Write the ladder with its own words under `root`; return it as content root."""
    words = root / "words" / "syllables.txt"
    words.parent.mkdir(parents=True)
    words.write_text("\n".join(WORDS))
    folder = root / "game" / "yard"
    folder.mkdir(parents=True)
    ladder = {
        "id": "yard",
        "title": "The Yard",
        "story": "Gates to practise on.",
        "levels": list(LEVELS),
    }
    (folder / "ladder.yaml").write_text(yaml.safe_dump(ladder))
    for level_id in LEVELS:
        write_gate(root, level_id)
    return root


def write_gate(root: Path, level_id: str, **changes: object) -> Path:
    """Write one level of the yard, with changes; return its file."""
    rules = {**LEVELS[level_id], **changes}
    chosen = {name: rules.pop(name) for name in _OF_DEFENDER & rules.keys()}
    level = {
        "id": level_id,
        "title": f"The {level_id.removeprefix('yard-').title()} Gate",
        "story": "A gate in the *yard*.",
        "defender": {"system": TELLS, **chosen},
        "secret": {"words": "syllables"},
        "points": 100,
        "explain": "It works because the warden was told to tell.",
        "read_more": [{"title": "About wardens", "url": "https://example.org/"}],
        **rules,
    }
    path = root / "game" / "yard" / f"{level_id}.yaml"
    path.write_text(yaml.safe_dump(level, sort_keys=False))
    return path
