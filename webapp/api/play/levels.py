"""Playing: levels, attempts, guesses and hints."""

from __future__ import annotations

from contextlib import closing

from flask import Response

from webapp.api.operations import Api
from webapp.api.problems import AttemptFailed
from webapp.api.records import (
    AfterWin,
    AttemptAnswer,
    GuessAnswer,
    HintItem,
    LevelItem,
    LevelState,
    NewAttempt,
    NewGuess,
    ResetAnswer,
    Stage,
)
from webapp.api.requests import services
from webapp.domain.generations.runs import Run
from webapp.domain.people.accounts import PlayerInfo
from webapp.domain.play import attack, events, guessing, hints, keep, visits
from webapp.web import sse

api = Api("levels")


@api.get("/levels")
def list_levels(player: PlayerInfo) -> list[LevelItem]:
    """List all levels in order, with your state at each."""
    cards = keep.level_states(services(), player_id=player.id)
    return [LevelItem.model_validate(card) for card in cards]


@api.get("/levels/<level_id>")
def show_level(player: PlayerInfo, level_id: str) -> LevelState:
    """Show how things stand at a level that is open to you."""
    page = keep.level_page(services(), player_id=player.id, level_id=level_id)
    return LevelState(
        **LevelItem.model_validate(page.card).model_dump(),
        message_chars=page.message_chars,
        show_guards=page.show_guards,
        turns=page.turns,
        turns_left=page.turns_left,
        guesses_left=page.guesses_left,
        suspicion=page.suspicion,
        suspicion_left=page.suspicion_left,
        hints=tuple(HintItem.model_validate(hint) for hint in page.hints),
        notice=page.notice,
        after_win=AfterWin.model_validate(page.solved) if page.solved else None,
    )


@api.post("/levels/<level_id>/attempts", problems=(409, 429, 502, 504), streams=True)
def attempt(
    player: PlayerInfo, level_id: str, body: NewAttempt
) -> AttemptAnswer | Response:
    """Send a message to the warden.

    Asked for `text/event-stream`, it answers with what happens while it happens, and
    closing the connection stops the warden. Guards show as much as the level allows.
    If the model fails, the error names the attempt, which is kept but does not count.
    """
    run = attack.attack(
        services(), player_id=player.id, level_id=level_id, message=body.message
    )
    return sse.answer(run) if sse.is_wanted() else _collect(run)


@api.post("/levels/<level_id>/guesses", problems=(429,))
def guess(player: PlayerInfo, level_id: str, body: NewGuess) -> GuessAnswer:
    """Try a password: the only way to win.

    Case, accents, spaces and punctuation do not matter. The same wrong word twice
    costs nothing; too many wrong words change the password.
    """
    outcome = guessing.guess(
        services(), player_id=player.id, level_id=level_id, guess=body.guess
    )
    return GuessAnswer.model_validate(outcome)


@api.post("/levels/<level_id>/hints/<int:n>")
def take_hint(player: PlayerInfo, level_id: str, n: int) -> HintItem:
    """Take a hint.

    Its cost comes off this level's points, never below zero; a second time is free.
    """
    hint = hints.take_hint(services(), player_id=player.id, level_id=level_id, n=n)
    return HintItem.model_validate(hint)


@api.post("/levels/<level_id>/reset")
def reset(player: PlayerInfo, level_id: str) -> ResetAnswer:
    """Give up this conversation and its password."""
    visits.reset(services(), player_id=player.id, level_id=level_id)
    return ResetAnswer(message=visits.END_NOTICES["reset"])


def _collect(run: Run) -> AttemptAnswer:
    """Return the answer once all has happened; raise AttemptFailed if it went wrong."""
    reply: events.Reply | None = None
    end: events.End | None = None
    stages = []
    with closing(run):
        for event in run:
            match event:
                case events.GuardEvent():
                    stages.append(Stage.model_validate(event))
                case events.Reply():
                    reply = event
                case events.End():
                    end = event
                case events.ErrorEvent(code, message, status):
                    raise AttemptFailed(
                        message, code=code, status=status, attempt=run.id
                    )
    if reply is None or end is None:
        raise AssertionError("an attempt ends with a reply or an error")
    return AttemptAnswer(
        id=run.id,
        status=end.status,
        reply=reply.text,
        blocked_by=reply.blocked_by,
        blocked_text=reply.blocked_text,
        stages=tuple(stages),
        turns_left=end.turns_left,
        suspicion_left=end.suspicion_left,
        notice=end.notice,
    )
