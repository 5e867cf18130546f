"""What the routes of files and of jobs share."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app

from finetune.data.texts.report import count_roughly
from finetune.errors import FinetuneError
from finetune.jobs.bases import BASES
from finetune.jobs.counting import CountTokens
from finetune.jobs.errors import CannotKeep, JobError, NoSuch, NotNow, TooMany
from finetune.jobs.learning import Learning
from finetune.jobs.queue import Queue
from finetune.jobs.trainings import Trainings
from finetune.serving.catalogue.catalogue import Catalogue
from finetune.serving.errors import ApiError
from finetune.settings import Settings
from finetune.weights.depot import DepotError
from finetune.weights.hub import HubError

_NOT_FOUND, _CONFLICT, _TOO_MANY, _UNAVAILABLE = 404, 409, 429, 503
# A training lasts minutes: whoever asks sooner than this is not answered otherwise.
_RETRY_SECONDS = 30


def trainings() -> Trainings:
    """Return the trainings of this sidecar."""
    found: Trainings = current_app.extensions["trainings"]
    return found


def open_trainings(settings: Settings, catalogue: Catalogue) -> Trainings:
    """Return the trainings of an instance, counting tokens with its models."""
    return Trainings(
        Learning(settings, follows=True),
        Queue(settings),
        count=_counting_with(catalogue),
    )


def of_training(error: FinetuneError) -> ApiError:
    """Return what a caller reads of an error of files, data or jobs."""
    param = error.param if isinstance(error, JobError) else None
    if isinstance(error, HubError):
        return ApiError(str(error), code="hub", param="model")
    match error:
        case NoSuch():
            return ApiError(
                str(error), status=_NOT_FOUND, code="not_found", param=param
            )
        case NotNow():
            return ApiError(str(error), status=_CONFLICT, code="wrong_state")
        case TooMany():
            return ApiError(
                str(error),
                status=_TOO_MANY,
                kind="rate_limit_error",
                code="too_many_jobs",
                retry_after=_RETRY_SECONDS,
            )
        case CannotKeep() | DepotError():
            return ApiError(
                str(error), status=_UNAVAILABLE, kind="server_error", code="no_room"
            )
    return ApiError(str(error), code="invalid_value", param=param)


def _counting_with(catalogue: Catalogue) -> Callable[[str], CountTokens]:
    """Return what gives, for the name of a base, a count by its own tokenizer."""

    def counter(name: str) -> CountTokens:
        place = BASES[name].place
        served = [e.name for e in catalogue.entries().values() if e.place == place]

        def count(texts: list[str]) -> list[int]:
            with catalogue.talker(served[0]) as talker:
                return [len(talker.engine.tokenise(text)) for text in texts]

        return count if served else count_roughly

    return counter
