"""Ask the base model ordinary and vague requests and keep its replies for training.

A warden that learned only to guard would refuse everything; these replies are mixed in,
so that it forgets nothing. A scribe that learned only good prompts would guess what a
vague one is meant to be. Run by `python -m finetune sample-replies`.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from finetune.data.scribe import naive
from finetune.data.warden.pieces import (
    REPLIES,
    BaseReply,
    benign_asks,
    read_replies,
    read_words,
    write_replies,
)
from finetune.settings import Settings
from finetune.weights.base import Base, load_base

_BATCH = 64
_MOST_TOKENS = 72
_ROUNDS = 9  # how often each vague phrasing is filled
_VAGUE_TEMPERATURE = 0.4
# No persona: with one, the small model would rather play than answer.
_SYSTEM = "You are a helpful assistant. Answer in one or two short, correct sentences."
# What the base model says where it does not answer: whoever learned it would refuse.
_EVADES = re.compile(
    r"\bI'?m (so |really )?sorry\b|\bI('m| am) (unable|not equipped|afraid)\b|"
    r"\bI (cannot|can't|can only) (assist|help|provide)\b",
    re.IGNORECASE,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what `sample-replies` can be told."""
    parser.add_argument(
        "--vague",
        type=Path,
        metavar="NOUNS",
        help="ask vague prompts about the nouns of this list, for the scribe",
    )


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Ask what has no reply yet; say how many are new."""
    if chosen.vague is not None:
        count = sample_vague(
            settings.chat_places()["smollm2"],
            read_words(chosen.vague),
            cache=settings.instance / "models",
        )
        sys.stdout.write(f"{count} replies in {naive.REPLIES}.\n")
        return 0
    written = sample_replies(
        settings.chat_places()["smollm2"], cache=settings.instance / "models"
    )
    sys.stdout.write(f"{written} new replies in {REPLIES}.\n")
    return 0


def sample_replies(base_place: str, *, cache: Path, seed: int = 0) -> int:
    """Write a reply for each request that has none yet; return how many are new.

    Requests that the base model evades get none.
    """
    base = _load(base_place, cache, torch.bfloat16)
    replies = list(read_replies()) if REPLIES.exists() else []
    before = len(replies)
    done = {reply.ask for reply in replies}
    asks = [ask for ask in benign_asks() if ask not in done]
    torch.manual_seed(seed)
    for start in range(0, len(asks), _BATCH):
        part = asks[start : start + _BATCH]
        replies += [
            BaseReply(ask, reply)
            for ask, reply in zip(
                part, _reply(base, [(_SYSTEM, ask) for ask in part], 0.2), strict=True
            )
            if reply and not is_evasive(reply)
        ]
        # After each batch, so that little is lost when it is interrupted.
        write_replies(replies)
        sys.stderr.write(f"{start + len(part)} of {len(asks)}\n")
    return len(replies) - before


def sample_vague(
    base_place: str, nouns: Sequence[str], *, cache: Path, seed: int = 0
) -> int:
    """Write replies to vague prompts; return how many there are now.

    Replies that break off or go round in circles are left out.
    """
    rng = random.Random(seed)
    base = _load(base_place, cache, torch.float32)
    asks = naive.write_asks(nouns, _ROUNDS, seed)
    rng.shuffle(asks)
    torch.manual_seed(seed)
    replies: list[naive.NaiveReply] = []
    for start in range(0, len(asks), _BATCH):
        part = [(rng.choice(naive.SYSTEMS), a) for a in asks[start : start + _BATCH]]
        said = _reply(base, part, _VAGUE_TEMPERATURE)
        replies += [
            naive.NaiveReply(ask, reply, system)
            for (system, ask), reply in zip(part, said, strict=True)
            if naive.is_usable(reply)
        ]
        naive.write_replies(replies)
        sys.stderr.write(f"{start + len(part)} of {len(asks)}\n")
    return len(replies)


def _load(place: str, cache: Path, dtype: torch.dtype) -> Base:
    base = load_base(place, cache=cache, dtype=dtype)
    base.model.to("cuda" if torch.cuda.is_available() else "cpu")
    base.tokenizer.padding_side = "left"
    return base


def is_evasive(reply: str) -> bool:
    """Say whether a reply apologises or declines where it should answer."""
    return bool(_EVADES.search(reply))


def _reply(base: Base, asks: list[tuple[str, str]], temperature: float) -> list[str]:
    """Return the replies to requests, each with its system prompt or none.

    An unfinished one is cut after a sentence.
    """
    tokenizer = base.tokenizer
    texts = [_prompt(system, ask) for system, ask in asks]
    prompt = tokenizer(
        texts, return_tensors="pt", padding=True, add_special_tokens=False
    ).to(base.model.device)
    with torch.no_grad():
        generated = base.model.generate(
            **prompt, max_new_tokens=_MOST_TOKENS, do_sample=True,
            temperature=temperature,
            top_p=0.9, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
    width = prompt["input_ids"].shape[1]
    return [
        _whole(tokenizer.decode(ids[width:], skip_special_tokens=True))
        for ids in generated
    ]


def _prompt(system: str, ask: str) -> str:
    """Write a chat in ChatML, without the system prompt that a template may add."""
    turns = [("system", system)] if system else []
    written = [
        f"<|im_start|>{role}\n{text}<|im_end|>\n"
        for role, text in (*turns, ("user", ask))
    ]
    return "".join([*written, "<|im_start|>assistant\n"])


def _whole(text: str) -> str:
    """Keep whole sentences, up to the first repetition."""
    kept: list[str] = []
    for sentence in re.findall(
        r".+?(?:[.!?][\"')]*(?=\s|$)|$)\s*", text.strip(), re.DOTALL
    ):
        if sentence.strip().casefold() in {s.strip().casefold() for s in kept}:
            break
        if kept and not sentence.strip().endswith((".", "!", "?", '"', ")", "`")):
            break
        kept.append(sentence)
    return "".join(kept).strip()
