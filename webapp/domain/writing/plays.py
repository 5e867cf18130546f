"""What a trial plays, and how often: the proof of a level or panel, or attacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeVar

from webapp.content.index import Index
from webapp.content.lessons.schema import Panel
from webapp.content.schema import Level
from webapp.domain.calibration import playing, proof
from webapp.domain.generations.pace import Pace
from webapp.domain.learn import proofs
from webapp.domain.writing.tried import Line, Wrong
from webapp.errors import InvalidInput, NotFound
from webapp.llm.gateway import Gateway

T = TypeVar("T")
Kind = Literal["prove", "calibrate"]
Size = Literal["small", "full"]
PROVE: Final = "prove"
CALIBRATE: Final = "calibrate"
KINDS: Final[tuple[Kind, ...]] = (PROVE, CALIBRATE)
SIZES: Final[tuple[Size, ...]] = ("small", "full")

# How often each conversation of a proof is played: a look, and what counts.
TIMES: Final[Mapping[Size, int]] = {"small": 5, "full": 20}


@dataclass(frozen=True, slots=True)
class Attacks:
    """How much of a calibration is played: so many of each family; 0 means all."""

    of_family: int
    harmless: int
    secrets: int


# The full one is that of ./wordkeep calibrate.
ATTACKS: Final[Mapping[Size, Attacks]] = {
    "small": Attacks(of_family=4, harmless=16, secrets=1),
    "full": Attacks(of_family=0, harmless=0, secrets=3),
}


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be played: its title, the hash of its text, how many plays at most.

    `play` plays it and returns what came of it, as it is stored.
    """

    title: str
    digest: str
    plays: int
    play: Callable[[Gateway, Pace, datetime], dict[str, Any]]


def read_kind(text: str) -> Kind:
    """Return what is to be done; raise InvalidInput."""
    if text not in KINDS:
        raise InvalidInput("A trial either proves a text or calibrates it.")
    return text


def read_size(text: str) -> Size:
    """Return how much is played; raise InvalidInput."""
    if text not in SIZES:
        raise InvalidInput("A trial is small or full.")
    return text


def work(index: Index, *, kind: Kind, thing: str, size: Size) -> Work:
    """Return what has to be played of a level, or of a panel (lesson#panel).

    Raises NotFound if there is no such text, and InvalidInput if it has no proof or
    cannot be calibrated.
    """
    lesson_id, _, panel_name = thing.partition("#")
    if panel_name:
        if kind == CALIBRATE:
            raise InvalidInput("Only a level can be calibrated. A panel has its proof.")
        return _panel(index, lesson_id, panel_name, TIMES[size])
    level = index.level(thing)
    if kind == CALIBRATE:
        return _calibration(index, level, ATTACKS[size])
    if level.proof is None:
        raise InvalidInput(
            f'"{level.title}" has no proof yet. Write proof: with a conversation that '
            "wins under solved_by:, and it can be played."
        )
    return _proof(index, level, TIMES[size])


def _panel(index: Index, lesson_id: str, name: str, times: int) -> Work:
    lesson = index.lesson(lesson_id)
    panel = next((one for one in lesson.panels if one.name == name), None)
    if panel is None:
        raise NotFound("There is no such panel.")

    def play(gateway: Gateway, pace: Pace, _: datetime) -> dict[str, Any]:
        result = proofs.play_panel(
            index,
            gateway,
            lesson_id=lesson.id,
            panel=panel,
            samples=times,
            pace=pace,
        )
        return {
            "lines": [asdict(_panel_line(panel, one)) for one in result.entries],
            "verdict": result.verdict,
            "advice": list(result.advice),
            "model": panel.model if panel.talk != "none" else "",
            "version": result.version,
        }

    each = 1 if panel.talk == "none" else times
    return Work(
        f"{lesson.info.title}: {panel.name}",
        index.panel_hash(lesson.id, panel.name),
        each * sum(1 for _ in proofs.entries(panel)),
        play,
    )


def _panel_line(panel: Panel, one: proofs.EntryResult) -> Line:
    labels = {name: slot.label or name for name, slot in panel.slots.items()}
    return Line(
        kind=one.entry.kind,
        name=one.entry.name,
        said=tuple(f"{labels[name]}: {v}" for name, v in one.entry.values.items()),
        hits=one.hits,
        plays=one.plays,
        holds=one.is_as_it_should_be,
        chance=one.chance,
        note=one.note,
        wrong=tuple(Wrong("", (reply,), ()) for reply in one.replies)
        if not one.is_as_it_should_be
        else (),
    )


def _proof(index: Index, level: Level, times: int) -> Work:
    def play(gateway: Gateway, pace: Pace, _: datetime) -> dict[str, Any]:
        played = proof.play_proofs(
            index, gateway, level_ids=(level.id,), words=times, pace=pace
        )
        lines = [asdict(_level_line(one)) for one in played]
        model = level.defender.model
        return {"lines": lines, "model": model, "version": gateway.version(model)}

    words = min(times, len(index.words(level.secret.words)))
    return Work(
        level.title,
        index.defence_hash(level.id),
        words * len(proof.conversations(level)),
        play,
    )


def _level_line(one: proof.ProofResult) -> Line:
    return Line(
        kind=one.kind,
        name=one.kind,
        said=one.turns,
        hits=one.hits,
        plays=one.plays,
        holds=one.passed,
        wrong=tuple(
            Wrong(play.word, play.replies, play.blocked_by) for play in one.wrong
        ),
    )


def _calibration(index: Index, level: Level, size: Attacks) -> Work:
    numbers = _of_each_family(index, size.of_family)
    if not numbers:
        raise InvalidInput("There are no attacks to play. Write attacks/*.yaml first.")
    plan = playing.Plan(
        ladder=index.ladder_of(level.id),
        level_ids=(level.id,),
        attacks=tuple(index.attacks[number] for number in numbers),
        benign=_spread(index.benign, size.harmless),
        attacks_from="a trial in the browser",
        secrets=size.secrets,
        seeds=1,
    )

    def play(gateway: Gateway, pace: Pace, now: datetime) -> dict[str, Any]:
        report = playing.calibrate(
            index, gateway, plan, say=lambda _: None, now=lambda: now, pace=pace
        )
        return {"report": report.model_dump(mode="json"), "attacks": list(numbers)}

    return Work(
        level.title,
        index.defence_hash(level.id),
        playing.plays(plan, level),
        play,
    )


def _of_each_family(index: Index, most: int) -> tuple[int, ...]:
    """Return the numbers of the attacks to play, spread over each family."""
    families: dict[str, list[int]] = {}
    for number, attack in enumerate(index.attacks):
        families.setdefault(attack.family, []).append(number)
    chosen = [n for listed in families.values() for n in _spread(tuple(listed), most)]
    return tuple(sorted(chosen))


def _spread(listed: tuple[T, ...], most: int) -> tuple[T, ...]:
    """Return so many of a list, as far apart as can be; all of it for 0."""
    if not most or len(listed) <= most:
        return listed
    return tuple(listed[at * len(listed) // most] for at in range(most))
