"""What has come of a reply so far, and the whole of it at the end."""

from __future__ import annotations

from webapp.errors import BackendError
from webapp.llm.directory import Target
from webapp.llm.events import (
    BackendEvent,
    ChatEvent,
    Completion,
    Finish,
    Piece,
    Silence,
    Thought,
    Tokens,
    WrittenToken,
)
from webapp.llm.faults import garbage
from webapp.llm.pump import BEAT_SECONDS


class Draft:
    """Collects the events of one reply; times are seconds of one clock."""

    def __init__(self, target: Target, started: float, now: float) -> None:
        self.heard = now  # when the backend last said something
        self._target = target
        self._started = started
        self._told = now  # when the reader last got an event
        self._first_token_ms = 0
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._tokens: list[WrittenToken] = []
        self._end: Finish | None = None

    def take(self, event: BackendEvent | Silence, now: float) -> ChatEvent | None:
        """Keep what counts; return what the reader gets, who hears of no thought."""
        if not isinstance(event, Silence):
            self.heard = now
        match event:
            case Finish():
                self._end = event
                return None
            case Tokens(tokens):
                self._tokens += tokens
                return None
            case Thought(text):
                self._thoughts.append(text)
                # A beat, so that somebody notices when the reader has gone.
                if now - self._told < BEAT_SECONDS:
                    return None
                event = Silence()
            case Piece(text):
                self._first_token_ms = self._first_token_ms or self._ms(now)
                self._text.append(text)
        self._told = now
        return event

    def whole(self, now: float) -> Completion:
        """Return the reply; raise BackendError if it is empty or has no end."""
        if self._end is None:
            raise garbage(self._target.who)
        text, thoughts = "".join(self._text), "".join(self._thoughts)
        if not text.strip():
            raise _empty(self._target.who, has_thought=bool(thoughts))
        return Completion(
            text,
            self._target.label,
            self._end.reason,
            self._end.prompt_tokens,
            self._end.completion_tokens,
            self._first_token_ms,
            self._ms(now),
            thoughts,
            tuple(self._tokens),
        )

    def _ms(self, now: float) -> int:
        return round(1000 * (now - self._started))


def _empty(who: str, *, has_thought: bool) -> BackendError:
    message = f"{who} gave an empty reply. Please put it another way."
    if has_thought:
        message = (
            f"{who} only thought and gave no reply. Try a shorter question; if this "
            "keeps happening, tell your instructor."
        )
    return BackendError(message, code="backend_empty")
