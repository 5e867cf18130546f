"""Ask the base model ordinary requests and keep its replies for training.

A warden that learned only to guard would refuse everything; these replies are mixed in,
so that it forgets nothing. Run by `python -m finetune sample-replies`.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import torch

from finetune.data.warden.pieces import (
    REPLIES,
    BaseReply,
    benign_asks,
    read_replies,
    write_replies,
)
from finetune.settings import Settings
from finetune.weights.base import Base, load_base

_BATCH = 64
_MOST_TOKENS = 72
# No persona: with one, the small model would rather play than answer.
_SYSTEM = "You are a helpful assistant. Answer in one or two short, correct sentences."
# What the base model says where it does not answer: whoever learned it would refuse.
_EVADES = re.compile(
    r"\bI'?m (so |really )?sorry\b|\bI('m| am) (unable|not equipped|afraid)\b|"
    r"\bI (cannot|can't|can only) (assist|help|provide)\b",
    re.IGNORECASE,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`sample-replies` has no options of its own."""


def main(chosen: argparse.Namespace, settings: Settings) -> int:
    """Ask what has no reply yet; say how many are new."""
    written = sample_replies(
        settings.chat_places()["smollm2"], cache=settings.instance / "models"
    )
    sys.stdout.write(f"{written} new replies in {REPLIES}.\n")
    return 0


def sample_replies(base_place: str, *, cache: Path, seed: int = 0) -> int:
    """Write a reply for each request that has none yet; return how many are new.

    Requests that the base model evades get none.
    """
    base = load_base(base_place, cache=cache, dtype=torch.bfloat16)
    base.model.to("cuda" if torch.cuda.is_available() else "cpu")
    base.tokenizer.padding_side = "left"
    replies = list(read_replies()) if REPLIES.exists() else []
    before = len(replies)
    done = {reply.ask for reply in replies}
    asks = [ask for ask in benign_asks() if ask not in done]
    torch.manual_seed(seed)
    for start in range(0, len(asks), _BATCH):
        part = asks[start : start + _BATCH]
        replies += [
            BaseReply(ask, reply)
            for ask, reply in zip(part, _reply(base, part), strict=True)
            if reply and not is_evasive(reply)
        ]
        # After each batch, so that little is lost when it is interrupted.
        write_replies(replies)
        sys.stderr.write(f"{start + len(part)} of {len(asks)}\n")
    return len(replies) - before


def is_evasive(reply: str) -> bool:
    """Say whether a reply apologises or declines where it should answer."""
    return bool(_EVADES.search(reply))


def _reply(base: Base, asks: list[str]) -> list[str]:
    """Return the replies; an unfinished one is cut after a sentence."""
    tokenizer = base.tokenizer
    texts = [
        tokenizer.apply_chat_template(
            [
                {"role": "system", "content": _SYSTEM},
                {"role": "user", "content": ask},
            ],
            tokenize=False,
            add_generation_prompt=True,
        )
        for ask in asks
    ]
    prompt = tokenizer(
        texts, return_tensors="pt", padding=True, add_special_tokens=False
    ).to(base.model.device)
    with torch.no_grad():
        generated = base.model.generate(
            **prompt, max_new_tokens=_MOST_TOKENS, do_sample=True, temperature=0.2,
            top_p=0.9, pad_token_id=tokenizer.pad_token_id,
        )  # fmt: skip
    width = prompt["input_ids"].shape[1]
    return [
        _whole(tokenizer.decode(ids[width:], skip_special_tokens=True))
        for ids in generated
    ]


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
