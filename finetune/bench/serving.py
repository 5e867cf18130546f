"""`bench serving`: one model in several sizes: bytes, speed, and what each forgets.

32 and 16 bits run in torch, the smaller ones in the engine that serves the site, all
with the same number of threads. Perplexity is measured in torch on one text, with the
numbers that each size keeps: what the engine rounds while it reckons is not in it.

The file that the program comes with has about 4 bits already; 32 bits are those,
unpacked. From them 8 and 4 bits are written anew.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import torch
from gguf import quants

from finetune.bench.table import table
from finetune.jobs.workers import own_machine
from finetune.serving.engine.copies import Engine
from finetune.settings import Settings
from finetune.weights.base import Base, load_base
from finetune.weights.export import Quality, packed, write_quality
from finetune.weights.files import write_json
from finetune.weights.served import served_file

# What the page of the site shows while nobody has measured on its own machine.
SHIPPED: Final = Path(__file__).with_name("serving.json")
TEXT: Final = (
    "A small boat lay on the sand, and nobody knew whose it was. In the morning the"
    " children pulled it down to the water. The oldest one rowed, the youngest one kept"
    " watch, and the dog sat between them and looked at the gulls. The wind was light."
    " After an hour they could see the whole bay: the white houses, the church, the"
    " road along the cliffs, and the roof of the bakery. They ate bread and cheese and"
    " talked about the summer before. When the clouds came up in the west, they turned"
    " round at once, because their grandmother had told them that the weather changes"
    " faster than anyone can row. They came home wet and hungry, and very happy."
)
PROMPT: Final = "Once upon a time there was a lighthouse on a small island, and"


_QUALITIES: Final[Mapping[str, Quality]] = {"8 bits": "q8_0", "4 bits": "q4_0"}


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the model. `program` is what it ran in."""

    name: str
    program: str
    bits: float
    bytes: int
    ms_per_token: float | None
    perplexity: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--model", default="smollm2", help="a chat model of serve")
    parser.add_argument("--tokens", type=int, default=64, help="length of a reply")
    parser.add_argument("--rounds", type=int, default=3, help="0: no speed")
    parser.add_argument("--threads", type=int, default=0, help="0: one for each core")
    parser.add_argument(
        "--shipped", action="store_true", help="keep the figures with the program"
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Measure, keep the figures for the page of the site, and print them."""
    places = settings.chat_places()
    if chosen.model not in places:
        sys.stderr.write(
            f"There is no {chosen.model}; there are {', '.join(places)}.\n"
        )
        return 2
    threads = chosen.threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    bench = _Bench(
        places[chosen.model],
        settings.instance / "models",
        _Speed(chosen.tokens, chosen.rounds, threads),
    )
    sizes = list(bench.sizes())
    told = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": own_machine(),
        "model": chosen.model,
        "threads": threads,
        "tokens": chosen.tokens,
        "rounds": chosen.rounds,
        "text": TEXT,
        "sizes": [asdict(size) for size in sizes],
    }
    write_json(SHIPPED if chosen.shipped else settings.instance / "serving.json", told)
    sys.stdout.write(_table(sizes))
    return 0


@dataclass(frozen=True, slots=True)
class _Speed:
    """How speed is measured: the median over some replies of a length."""

    tokens: int
    rounds: int
    threads: int

    def ms_per_token(self, write: Callable[[int], int]) -> float | None:
        """Return the median; `write` writes so many tokens and says how many came.

        None without rounds: on a machine that does other things it would mislead.
        """
        if not self.rounds:
            return None
        write(4)  # the first reply is always slower
        found = []
        for _ in range(self.rounds):
            began = time.perf_counter()
            count = write(self.tokens)
            found.append(1000 * (time.perf_counter() - began) / count)
        return statistics.median(found)


def perplexity(base: Base, text: str = TEXT) -> float:
    """Return among how many equally likely tokens the model hesitates, on average."""
    ids = base.tokenizer(text, return_tensors="pt").input_ids
    with torch.inference_mode():
        return math.exp(float(base.model(ids, labels=ids).loss))


def round_weights(model: Any, quality: Quality) -> None:
    """Give each weight of a model the number that a file of a quality keeps of it."""
    table_of_tokens = model.get_input_embeddings().weight
    for name, weight in model.named_parameters():
        called = "token_embd.weight" if weight is table_of_tokens else name
        data, kind = packed(called, weight.detach().float().numpy(), quality)
        rounded = torch.from_numpy(quants.dequantize(data, kind))
        with torch.no_grad():
            weight.copy_(rounded.reshape(weight.shape))


@dataclass(frozen=True, slots=True)
class _Bench:
    """The model that is measured, and how."""

    place: str
    cache: Path
    speed: _Speed

    def sizes(self) -> Iterator[Size]:
        """Measure size after size, the largest first."""
        gguf = served_file(self.place, self.cache)
        whole = self._load(gguf)
        yield self._in_torch("32 bits (fp32)", whole)
        yield self._in_torch("16 bits (bf16)", whole, torch.bfloat16)
        parameters = sum(p.numel() for p in whole.model.parameters())
        with tempfile.TemporaryDirectory(prefix="serving-") as folder:
            for name, quality in _QUALITIES.items():
                path = Path(folder) / f"{quality}.gguf"
                write_quality(gguf, path, quality)
                base = self._load(gguf)
                round_weights(base.model, quality)
                yield self._in_engine(name, path, parameters, perplexity(base))
        heard = perplexity(self._load(gguf))
        yield self._in_engine("as it comes", gguf, parameters, heard)

    def _load(self, gguf: Path) -> Base:
        base = load_base(str(gguf), cache=self.cache)
        base.model.eval()
        return base

    def _in_torch(
        self, name: str, base: Base, dtype: torch.dtype = torch.float32
    ) -> Size:
        model = base.model.to(dtype)
        weights = list(model.parameters())

        def write(tokens: int) -> int:
            ids = base.tokenizer(PROMPT, return_tensors="pt").input_ids
            with torch.inference_mode():
                out = model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    do_sample=False,
                    max_new_tokens=tokens,
                    min_new_tokens=tokens,
                    pad_token_id=base.tokenizer.eos_token_id,
                )
            return int(out.shape[1] - ids.shape[1])

        ms = self.speed.ms_per_token(write)
        count = sum(p.numel() * p.element_size() for p in weights)
        return Size(
            name=name,
            program="torch",
            bits=8 * count / sum(p.numel() for p in weights),
            bytes=count,
            ms_per_token=ms,
            perplexity=perplexity(base),
        )

    def _in_engine(
        self, name: str, path: Path, parameters: int, perplexity: float
    ) -> Size:
        engine = Engine(
            name, path, slots=1, context=512, copies=1, threads=self.speed.threads
        )
        ids = engine.tokenise(PROMPT)

        def write(tokens: int) -> int:
            last = ""

            def hear(chunk: str) -> bool:
                nonlocal last
                last = chunk
                return False

            engine.complete(
                {
                    "prompt": ids,
                    "max_tokens": tokens,
                    "temperature": 0.0,
                    "ignore_eos": True,
                    "stream": True,
                    "stream_options": {"include_usage": True},
                },
                hear,
            )
            return int(json.loads(last)["usage"]["completion_tokens"])

        try:
            ms = self.speed.ms_per_token(write)
        finally:
            engine.close()
        count = path.stat().st_size
        return Size(name, "llama.cpp", 8 * count / parameters, count, ms, perplexity)


def _table(sizes: Sequence[Size]) -> str:
    return table(
        ("size", "runs in", "MB", "bits", "ms/token", "tokens/s", "perplexity"),
        [
            (
                size.name,
                size.program,
                f"{size.bytes / 1e6:.0f}",
                f"{size.bits:.1f}",
                f"{size.ms_per_token:.1f}" if size.ms_per_token else "-",
                f"{1000 / size.ms_per_token:.0f}" if size.ms_per_token else "-",
                f"{size.perplexity:.2f}",
            )
            for size in sizes
        ],
    )
