"""What callers may send to make a training, in OpenAI's shapes and ours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from finetune.jobs.asking import Asked
from finetune.jobs.hub_data import MOST_ROWS
from finetune.serving.routes.fields import Body, only

Json = dict[str, Any]

Auto = Literal["auto"]
Epochs = Annotated[float, Field(gt=0, le=10_000)]
Factor = Annotated[float, Field(gt=0, le=1000)]
Batch = Annotated[int, Field(ge=1, le=256)]
_METHOD = "only supervised training is done here"


class Hyperparameters(Body):
    """OpenAI's three; "auto" leaves one to us."""

    n_epochs: Epochs | Auto = "auto"
    batch_size: Batch | Auto = "auto"
    learning_rate_multiplier: Factor | Auto = "auto"


class PushRequest(Body):
    """Body of POST /v1/fine_tuning/jobs/ID/push, which is ours."""

    repository: str = Field(max_length=200)
    token: str = Field(min_length=1, max_length=200, pattern=r"^[!-~]+$", repr=False)
    private: bool = True


class Supervised(Body):
    """The settings of OpenAI's usual method."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(Body):
    """OpenAI's way to name a method."""

    type: Annotated[Any, only("supervised", why=_METHOD)] = "supervised"
    supervised: Supervised = Supervised()


class JobRequest(Body):
    """Body of POST /v1/fine_tuning/jobs and /estimate. `recipe` and `user` are ours."""

    model: str
    training_file: str
    suffix: str = Field("", max_length=64)
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    hyperparameters: Hyperparameters | None = None
    method: Method = Method()
    metadata: dict[str, str] | None = Field(None, max_length=16)
    user: str = Field("", max_length=200)
    recipe: Json = Field(default_factory=dict)
    validation_file: Annotated[
        Any, only(None, why="a part of training_file is kept to judge by")
    ] = None
    integrations: Annotated[
        Any, only(None, [], why="nothing is sent to other services")
    ] = None

    def asked(self) -> Asked:
        """Return the settings that it states."""
        chosen = self.hyperparameters or self.method.supervised.hyperparameters
        return Asked(
            recipe=self.recipe,
            seed=self.seed,
            epochs=_number(chosen.n_epochs),
            batch=_number(chosen.batch_size),
            rate_factor=_number(chosen.learning_rate_multiplier),
        )

    def said(self) -> Json:
        """Return what is told of it again."""
        chosen = self.hyperparameters or self.method.supervised.hyperparameters
        return {
            "suffix": self.suffix or None,
            "metadata": self.metadata,
            "hyperparameters": chosen.model_dump(),
        }


class HubDataRequest(Body):
    """Body of POST /v1/files/hub: a part of a data set of the Hugging Face hub."""

    name: str = Field(max_length=200)
    subset: str = Field("", max_length=200)
    split: str = Field("", max_length=200)
    rows: int = Field(1000, ge=1, le=MOST_ROWS)


class ReportRequest(Body):
    """Body of POST /v1/files/{id}/report."""

    model: str = "smollm2"
    data: Json = Field(default_factory=dict)
    seed: int = Field(0, ge=0, le=2**31 - 1)
    rows: int = Field(5, ge=1, le=50)


def _number(value: Any) -> Any:
    return None if value == "auto" else value
