"""What a model writes while it learns: one prompt, again and again."""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from finetune.data.packing import IGNORE, Messages, PackedRows, encode_dialogue
from finetune.recipes.lm import LmRecipe, Sampling, TextRows
from finetune.training.processes import Processes
from finetune.training.shapes import plain

_TOP_K = 40  # as in serving
_BEGINNING = 8  # tokens of a held-out text, where the recipe gives no prompt


class Writer:
    """Continues the prompt of a recipe; learning is the same with it and without."""

    def __init__(
        self,
        sample: Sampling,
        recipe: LmRecipe,
        tokenizer: Any,
        heldout: PackedRows,
        *,
        processes: Processes | None = None,
    ) -> None:
        """`processes` are those that have to write together, if there are any."""
        self._processes = processes or Processes()
        self._sample = sample
        self._seed = recipe.seed
        self._tokenizer = tokenizer
        data = recipe.data
        if isinstance(data, TextRows) and not data.is_chat:
            ids = _ids(sample.prompt, tokenizer)
        else:
            system = data.system if isinstance(data, TextRows) else ""
            ids = _chat(sample.prompt, system, tokenizer)
        # Nothing was ever learned to follow on nothing.
        self._ids = ids[-recipe.block :] or _beginning(heldout)
        self.prompt = sample.prompt or tokenizer.decode(
            self._ids, skip_special_tokens=True
        )

    @torch.no_grad()
    def write(self, model: Any, accelerator: Accelerator) -> str:
        """Return what follows on the prompt, up to the end of a text."""
        # Of its own: torch's random numbers decide what is learned next.
        chance = torch.Generator().manual_seed(self._seed)
        model.eval()
        new: list[int] = []
        ids = torch.tensor([self._ids], device=accelerator.device)  # (1, prompt)
        cache = None
        while len(new) < self._sample.tokens:
            with accelerator.autocast():
                out = plain(model)(
                    input_ids=ids,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
            token = self._processes.number_of_first(
                _pick(out.logits[0, -1], self._sample.temperature, chance)
            )
            if token == self._tokenizer.eos_token_id:
                break
            new.append(token)
            # What was read before is remembered: only the new token is read.
            cache = out.past_key_values
            ids = torch.tensor([[token]], device=accelerator.device)
        model.train()
        text: str = self._tokenizer.decode(new, skip_special_tokens=True)
        return text


def _pick(scores: Tensor, temperature: float, chance: torch.Generator) -> int:
    """Draw one of the likeliest tokens; at temperature 0 the likeliest."""
    best = scores.float().cpu().topk(min(_TOP_K, len(scores)))
    if temperature == 0:
        return int(best.indices[0])
    chances = (best.values / temperature).softmax(-1)  # (top k,)
    return int(best.indices[torch.multinomial(chances, 1, generator=chance)])


def _chat(prompt: str, system: str, tokenizer: Any) -> list[int]:
    """Return a question to the model, up to where its answer begins."""
    asked: Messages = [{"role": "user", "content": prompt}]
    if system:
        asked = [{"role": "system", "content": system}, *asked]
    start = int(tokenizer.convert_tokens_to_ids("<|im_start|>"))
    head = [start, *_ids("assistant\n", tokenizer)]
    return [*encode_dialogue(asked, tokenizer).ids, *head]


def _ids(text: str, tokenizer: Any) -> list[int]:
    ids: list[int] = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True
    )["input_ids"]
    return ids


def _beginning(rows: PackedRows) -> list[int]:
    """Return how the first held-out text begins."""
    if not len(rows):
        return [0]
    size = int((rows.document[0] == 0).sum())
    is_text = (rows.targets[0] != IGNORE).nonzero()
    last = int(is_text[0]) + 1 if len(is_text) else 1
    ids: list[int] = rows.ids[0, : min(size, max(last, _BEGINNING))].tolist()
    return ids
