"""Files of phrasings say what is wrong in them, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from finetune.data.guards.disguise import DisguisePhrases
from finetune.data.guards.gate_phrases import (
    English,
    Injections,
    Languages,
    Messages,
    Pairs,
)
from finetune.data.guards.leak import LeakPhrases
from finetune.data.phrases import PiecesError, read_phrases
from finetune.data.warden.asks import AskPhrases
from finetune.data.warden.dialogues import DialoguePhrases
from finetune.data.warden.prompts import PromptPhrases
from finetune.data.warden.skills import SkillPhrases

GUARDS, WARDEN = Path("finetune/data/guards"), Path("finetune/data/warden")
FILES: dict[Path, type[BaseModel]] = {
    GUARDS / "disguise.yaml": DisguisePhrases,
    GUARDS / "english.yaml": English,
    GUARDS / "injections.yaml": Injections,
    GUARDS / "languages.yaml": Languages,
    GUARDS / "leak.yaml": LeakPhrases,
    GUARDS / "messages.yaml": Messages,
    GUARDS / "pairs.yaml": Pairs,
    WARDEN / "asks.yaml": AskPhrases,
    WARDEN / "dialogues.yaml": DialoguePhrases,
    WARDEN / "prompts.yaml": PromptPhrases,
    WARDEN / "skills.yaml": SkillPhrases,
}
SLOT = re.compile(r"\{(\w+)\}")
# What the code fills in, besides {w}.
SLOTS = {
    "separators": {"separator"}, "nth": {"nth"}, "first": {"n"}, "last": {"n"},
    "two": {"one", "two", "first_number", "second_number"}, "contains": {"x"},
    "starts": {"x"},
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_misspelled_name_is_told_with_its_line(path: Path, tmp_path: Path):
    lines = path.read_text("utf-8").splitlines(keepends=True)
    wrong = tmp_path / path.name
    wrong.write_text("".join([*lines, "phrasess:\n", "  - 5\n"]), "utf-8")
    at = f"{wrong}:({len(lines) + 1}|{len(lines) + 2}): "
    with pytest.raises(PiecesError, match=f"{at}.*phrasess"):
        read_phrases(wrong, FILES[path])


@pytest.mark.parametrize(
    ("old", "new", "below", "problem"),
    [
        ("- Keep your answers short.", "- 5", 0, r"styles\.6: must be text"),
        ("gates:\n", "gate:\n", 0, "there is no setting gate"),
        ("styles:\n", "styles:\nopeners:\n", 1, '"openers" is here twice'),
        ("  soft:\n", "  mild:\n", 0, r"rules\.mild: must be 'open', 'soft' or"),
        ("gates:\n", "gates: [\n", 1, "did not find expected"),
        ("- the castle", "- the: castle", 0, r"gates\.9: must be text"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, below: int, problem: str
):
    text = (WARDEN / "prompts.yaml").read_text("utf-8")
    wrong = tmp_path / "prompts.yaml"
    wrong.write_text(text.replace(old, new, 1), "utf-8")
    line = text[: text.index(old)].count("\n") + 1 + below
    with pytest.raises(PiecesError, match=f"{wrong}:{line}: {problem}"):
        read_phrases(wrong, PromptPhrases)


def test_a_skill_that_no_code_answers_is_told(tmp_path: Path):
    text = (WARDEN / "skills.yaml").read_text("utf-8")
    wrong = tmp_path / "skills.yaml"
    wrong.write_text(text.replace("  morse:\n", "  morsel:\n"), "utf-8")
    with pytest.raises(PiecesError, match=r"skills: there is no morsel; known are sep"):
        read_phrases(wrong, SkillPhrases)


def test_an_attack_without_its_twin_is_told(tmp_path: Path):
    text = (GUARDS / "languages.yaml").read_text("utf-8")
    wrong = tmp_path / "languages.yaml"
    wrong.write_text(text.replace("  attack:\n", "  attack:\n    - x\n", 1), "utf-8")
    with pytest.raises(PiecesError, match=r":3: es: attack has \d+ lines and fine"):
        read_phrases(wrong, Languages)


def test_what_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(PiecesError, match=r"no\.yaml cannot be read"):
        read_phrases(tmp_path / "no.yaml", English)


def test_every_slot_of_a_skill_is_one_that_the_code_fills():
    known = read_phrases(WARDEN / "skills.yaml", SkillPhrases)
    for name, skill in known.skills.items():
        for ask in (*skill.asks, *skill.heldout):
            slots = set(SLOT.findall(ask))
            assert "w" in slots, ask
            assert slots - {"w"} <= SLOTS.get(name, set()), ask
