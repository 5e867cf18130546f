"""What a student reads of a run: what was seen, why it matters, one next move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from webapp.content.lessons.schema import Panel
from webapp.domain.learn.judging import Judged, Tally, Verdict

PASSED: Final = "That works"
FAILED: Final = "Not yet"
UNGRADED: Final = "Not judged yet"
SAW_IT_FAIL: Final = "You saw it fail"
SURPRISE: Final = "It worked after all"
DID_NOT_COUNT: Final = "This run does not count"

_AGAIN: Final = "Change one thing and press Generate again. Trying again costs nothing."
_CHECK_AGAIN: Final = "Press Check again in a moment. Your run is kept."
_ON: Final = "Read on below."


@dataclass(frozen=True, slots=True)
class Told:
    """The outcome of a whole run, in words.

    `status` is passed, failed or ungraded. `mistake` is the sentence of a named
    mistake, told instead of that of a check. `is_enough`: it stopped early, as nothing
    could change it. `help` is "solution" for a pass after the solution was seen. `by`
    tells what decided: "samples", "before" (what was typed) or "after" (the run).
    """

    status: str
    title: str
    message: str
    why: str | None
    next: str
    mistake: str | None
    tally: Tally
    is_enough: bool
    help: str | None = None
    by: str = "samples"
    score: float = 0.0
    is_surprise: bool = False

    def as_row(self) -> dict[str, Any]:
        """Return it as it is stored and sent."""
        return asdict(self)

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Told:
        """Return what was stored."""
        return cls(**{**row, "tally": Tally(**row["tally"])})


def outcome(
    panel: Panel,
    *,
    before: Verdict,
    samples: Sequence[Verdict],
    tally: Tally,
    after: Verdict | None,
    is_helped: bool,
) -> Told:
    """Put together what a run came to."""
    if before.status == "failed":
        return _did_not_count(before, samples, tally)
    is_enough = tally.passed + tally.failed + tally.ungraded < tally.of
    score = _score(before, samples, tally, after)
    parts = (before.status, tally.status, after.status if after else "passed")
    if panel.expect == "failure" and parts == ("passed", "failed", "passed"):
        return _surprise(tally, is_enough=is_enough)
    if "failed" in parts:
        return _failed(before, samples, tally, after, is_enough, score)
    if "ungraded" in parts:
        return Told(
            "ungraded",
            UNGRADED,
            _cannot_say(before, samples, after),
            None,
            _CHECK_AGAIN,
            None,
            tally,
            is_enough=False,
            score=score,
        )
    return Told(
        "passed",
        PASSED if panel.expect == "success" else SAW_IT_FAIL,
        count_text(panel, tally, is_enough=is_enough),
        None,
        _ON,
        None,
        tally,
        is_enough=is_enough,
        help="solution" if is_helped else None,
        score=1.0,
    )


def count_text(panel: Panel, tally: Tally, *, is_enough: bool) -> str:
    """Say how many replies were right, in a sentence."""
    tried = tally.passed + tally.failed + tally.ungraded
    if panel.talk == "none":
        return "Everything that was asked for is there."
    if tried == 1:
        return "The reply is as it should be."
    enough = ", and that is enough" if is_enough else ""
    return f"{tally.passed} of {tried} replies are as they should be{enough}."


def _did_not_count(before: Verdict, samples: Sequence[Verdict], tally: Tally) -> Told:
    first = before.first_failing
    mistake = before.mistake_text
    return Told(
        "failed",
        DID_NOT_COUNT,
        mistake or (first.message if first else ""),
        first.why if first and not mistake else None,
        _AGAIN,
        mistake or None,
        tally,
        is_enough=False,
        by="before",
        score=0.0,
    )


def _failed(
    before: Verdict,
    samples: Sequence[Verdict],
    tally: Tally,
    after: Verdict | None,
    is_enough: bool,
    score: float,
) -> Told:
    by_samples = tally.status == "failed"
    failing = [verdict for verdict in samples if verdict.status == "failed"]
    told = failing[0] if by_samples and failing else after
    first = told.first_failing if told else None
    mistake = _mistake(before, failing if by_samples else [], after)
    message = first.message if first else ""
    if tally.of > 1 and by_samples:
        tried = tally.passed + tally.failed + tally.ungraded
        seen = f"{tally.passed} of {tried} replies came out right; it takes"
        message = f"{message} {seen} {tally.needed} of {tally.of}.".strip()
    return Told(
        "failed",
        FAILED,
        mistake or message,
        None if mistake or first is None else first.why,
        _AGAIN,
        mistake,
        tally,
        is_enough=is_enough,
        by="samples" if by_samples else "after",
        score=score,
    )


def _mistake(
    before: Verdict, failing: Sequence[Verdict], after: Verdict | None
) -> str | None:
    """Return the sentence of the named mistake to tell, if one showed."""
    verdicts = [*failing, *([after] if after else []), before]
    return next((one.mistake_text for one in verdicts if one.mistake), None)


def _surprise(tally: Tally, *, is_enough: bool) -> Told:
    return Told(
        "passed",
        SURPRISE,
        "We expected this to fail, and with your words it did not.",
        "A prompt that does better than ours is worth a look.",
        "Show it to your class in the gallery, and read on below.",
        None,
        tally,
        is_enough=is_enough,
        score=1.0,
        is_surprise=True,
    )


def _cannot_say(
    before: Verdict, samples: Sequence[Verdict], after: Verdict | None
) -> str:
    verdicts = [before, *samples, *([after] if after else [])]
    found = (_first_ungraded(verdict) for verdict in verdicts)
    first = next((judged for judged in found if judged), None)
    return first.message if first else "There was nothing to judge."


def _first_ungraded(verdict: Verdict) -> Judged | None:
    return next((one for one in verdict.judged if one.status == "ungraded"), None)


def _score(
    before: Verdict, samples: Sequence[Verdict], tally: Tally, after: Verdict | None
) -> float:
    """Return how near it came: the samples count most, as their needed share."""
    shares = [verdict.score for verdict in samples if verdict.status != "ungraded"]
    best = sorted(shares, reverse=True)[: tally.needed]
    of_samples = sum(best) / tally.needed if best else before.score
    parts = [of_samples, *([after.score] if after and after.judged else [])]
    return min(sum(parts) / len(parts), 0.99)
