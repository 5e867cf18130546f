"""What a player chooses for a run, and the job that the sidecar makes of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from webapp.domain.people.names import clean_line
from webapp.domain.texts import require_text
from webapp.errors import InvalidInput

Method = Literal["lora", "full", "top", "fresh"]
Length = Literal["minutes", "epochs", "updates"]

TITLE_CHARS: Final = 60
PROMPT_CHARS: Final = 2_000
BASE_CHARS: Final = 120
GOOD_CHARS: Final = 1_000
# Taking something out of a text is easier than making one up; "": not told.
TASKS: Final = ("reading", "writing", "")
# What the form sends where the name of the model is typed.
OF_HUB: Final = "hub"
# A run of this base makes a guard of messages, and has no settings.
GUARD: Final = "guard"
HUB_SITE: Final = "https://huggingface.co/"
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
# More than any run gets through: another limit ends it first.
NO_END: Final = 1_000.0
# Where the learning rate of a method is usually fine: learns, and does not fall over.
ZONES: Final[Mapping[str, tuple[float, float]]] = {
    "lora": (2e-4, 3e-3),
    "full": (1e-5, 3e-4),
    "top": (2e-5, 5e-4),
    "fresh": (5e-4, 5e-3),
}
RATES: Final[Mapping[str, float]] = {
    "lora": 1e-3,
    "full": 1e-4,
    "top": 2e-4,
    "fresh": 2e-3,
}
LOWEST_RATE, HIGHEST_RATE = 1e-6, 1e-1
# Of each number: the least, the most, and whether it is a whole one.
BOUNDS: Final[Mapping[str, tuple[float, float, bool]]] = {
    "learning_rate": (LOWEST_RATE, HIGHEST_RATE, False),
    "minutes": (0.1, 120, False),
    "epochs": (0.01, 1_000, False),
    "updates": (1, 100_000, True),
    "block": (32, 1_024, True),
    "rows": (1, 64, True),
    "rank": (1, 128, True),
    "frozen": (0, 100, True),
    "warmup": (0, 0.9, False),
    "weight_decay": (0, 1, False),
    "seed": (0, 2**31 - 1, True),
    "sample_every": (1, 600, False),
    "temperature": (0, 2, False),
}
NAMES: Final[Mapping[str, str]] = {
    "learning_rate": "learning rate",
    "rows": "number of rows at a time",
    "block": "length of a row",
    "frozen": "number of frozen blocks",
    "weight_decay": "weight decay",
    "sample_every": "time between samples",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """All that the form of a run asks for. Times in minutes, samples in seconds.

    `task` and `good` change nothing in the training: they say what is wanted of the
    model, so that it is judged against what was said before. `fresh` are sizes of a
    model from nothing, where a recipe gives its own.
    """

    title: str = ""
    base: str = "smollm2"
    method: Method = "lora"
    learning_rate: float = RATES["lora"]
    length: Length = "minutes"
    minutes: float = 3.0
    epochs: float = 1.0
    updates: int = 100
    block: int = 256
    rows: int = 2
    rank: int = 16
    frozen: int = 20
    warmup: float = 0.03
    weight_decay: float = 0.01
    seed: int = 0
    sample_prompt: str = ""
    sample_every: float = 20.0
    temperature: float = 0.8
    task: str = ""
    good: str = ""
    fresh: Mapping[str, int] | None = None

    def as_row(self) -> dict[str, Any]:
        """Return them as they are kept with a run."""
        return asdict(self)

    def recipe(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the sidecar's recipe says, without name, base and path."""
        ends: dict[Length, dict[str, Any]] = {
            "minutes": {"minutes": self.minutes, "epochs": NO_END},
            "epochs": {"epochs": self.epochs},
            "updates": {"updates": self.updates, "epochs": NO_END},
        }
        recipe: dict[str, Any] = {
            "learning_rate": self.learning_rate,
            **ends[self.length],
            "block": self.block,
            "rows": self.rows,
            "lora": None,
            "warmup": self.warmup,
            "weight_decay": self.weight_decay,
            "data": dict(data),
        }
        if self.method == "lora":
            recipe["lora"] = {"rank": self.rank, "alpha": 2 * self.rank}
        if self.method == "top":
            recipe["frozen"] = self.frozen
        if self.sample_prompt:
            recipe["sample"] = {
                "prompt": self.sample_prompt,
                "every_seconds": self.sample_every,
                "temperature": self.temperature,
            }
        if self.fresh is not None:
            recipe["fresh"] = dict(self.fresh)
        return recipe

    def job(
        self, *, file_id: str, data: Mapping[str, Any], user: str
    ) -> dict[str, Any]:
        """Return the body of a job, in OpenAI's shape with ours beside it."""
        recipe = {} if self.base == GUARD else self.recipe(data)
        return {
            "model": self.base,
            "training_file": file_id,
            "suffix": self.title,
            "seed": self.seed,
            "user": user,
            "recipe": recipe,
        }


def from_row(row: Mapping[str, Any]) -> Choices:
    """Return choices as they were kept; what is unknown is left out."""
    known = Choices.__dataclass_fields__
    return Choices(**{name: row[name] for name in row if name in known})


def read(fields: Mapping[str, str], *, fresh_bases: frozenset[str]) -> Choices:
    """Return the choices of a form; raise InvalidInput with one sentence.

    A field that is missing or empty means the usual value.
    """
    usual = Choices()
    base = fields.get("base") or usual.base
    if base == OF_HUB:
        base = hub_name(fields.get("hub_base", ""))
    method = fields.get("method") or usual.method
    if base in fresh_bases:
        method = "fresh"
    elif method == "fresh":
        raise InvalidInput(
            "“From nothing” needs one of the empty models. Choose one, or another way "
            "of training."
        )
    if method not in ZONES:
        raise InvalidInput("Choose how to train: there is no such way.")
    length = fields.get("length") or usual.length
    if length not in {"minutes", "epochs", "updates"}:
        raise InvalidInput("Choose how long to train: minutes, epochs or updates.")
    # Without a script the number stays as it was when the way of training changes.
    numbers = {name: _number(fields, name, usual) for name in BOUNDS}
    if not fields.get("learning_rate"):
        numbers["learning_rate"] = RATES[method]
    task = fields.get("task", "")
    if task not in TASKS:
        raise InvalidInput("Choose what it should do: reading, or writing.")
    return Choices(
        title=fields.get("title", "").strip()[: 4 * TITLE_CHARS],
        base=base,
        method=method,  # type: ignore[arg-type]
        length=length,  # type: ignore[arg-type]
        sample_prompt=_prompt(fields.get("sample_prompt", "")),
        task=task,
        good=_good(fields.get("good", "")),
        **numbers,  # type: ignore[arg-type]
    )


def hub_name(typed: str) -> str:
    """Return the name of a model of the Hugging Face hub; its address will do, too."""
    name = typed.strip().removeprefix(HUB_SITE).strip("/")
    if not is_hub_name(name):
        raise InvalidInput(
            "Type the name of the model as huggingface.co writes it: owner/name, such "
            "as EleutherAI/pythia-14m."
        )
    return name


def is_hub_name(name: str) -> bool:
    """Tell whether a text has the form owner/name."""
    return len(name) <= BASE_CHARS and _HUB_NAME.fullmatch(name) is not None


def clean_title(title: str) -> str:
    """Return a name for a model as it is shown; raise InvalidInput."""
    return clean_line(title, what="name for a model", fewest=1, most=TITLE_CHARS)


def advice(choices: Choices) -> str:
    """Return a warning about the learning rate; empty if it is in the safe zone."""
    least, most = ZONES[choices.method]
    zone = f"{plain(least)} to {plain(most)}"
    if choices.learning_rate > most:
        return (
            f"This learning rate is high for this way of training (safe: {zone}). The "
            "ball may jump out of the dip: the loss goes up instead of down."
        )
    if choices.learning_rate < least:
        return (
            f"This learning rate is low for this way of training (safe: {zone}). The "
            "ball hardly moves: the model learns little in the time it has."
        )
    return ""


def plain(number: float) -> str:
    """Return a number as people write it: 0.0005, not 5e-04."""
    if number == 0:
        return "0"
    places = max(0, 3 - math.floor(math.log10(abs(number))))
    text = f"{number:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def check_number(name: str, value: float) -> float | int:
    """Return a number within its bounds; raise InvalidInput that names them."""
    least, most, is_whole = BOUNDS[name]
    label = NAMES.get(name, name)
    if not math.isfinite(value) or not least <= value <= most:
        raise InvalidInput(
            f"The {label} must be a number from {plain(least)} to {plain(most)}."
        )
    if is_whole and value != int(value):
        raise InvalidInput(f"The {label} must be a whole number.")
    return int(value) if is_whole else float(value)


def _number(fields: Mapping[str, str], name: str, usual: Choices) -> float | int:
    text = fields.get(name, "").strip()
    if not text:
        value: float | int = getattr(usual, name)
        return value
    try:
        # Half of Europe writes a comma.
        value = float(text.replace(",", "."))
    except ValueError:
        raise InvalidInput(
            f"The {NAMES.get(name, name)} must be a number, and “{text[:20]}” is not."
        ) from None
    return check_number(name, value)


def _good(text: str) -> str:
    if len(text) - text.count("\r\n") > GOOD_CHARS:
        raise InvalidInput(
            f"An example of good output has at most {GOOD_CHARS:,} characters here."
        )
    return require_text(text, what="example of good output").strip()


def _prompt(text: str) -> str:
    if len(text) > PROMPT_CHARS:
        raise InvalidInput(f"A prompt has at most {PROMPT_CHARS:,} characters here.")
    return require_text(text, what="prompt")
