"""A model from nothing: a tokenizer made of the data, and random weights.

Its words are bytes, and whatever bytes stand together most often in the texts to learn
from (byte-pair encoding; Sennrich et al. 2016, arXiv 1508.07909). So it can write every
text, and has seen nothing but those texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from finetune.recipes.common import RecipeError
from finetune.recipes.lm import Fresh

END = "<|endoftext|>"
# A chat has two marks more (finetune/data/packing.py); there an answer ends with one.
_CHAT = ("<|im_start|>", "<|im_end|>")
_LEAST_HEAD = 8


def train_tokenizer(
    texts: Iterable[str], vocabulary: int, *, is_chat: bool = False
) -> PreTrainedTokenizerFast:
    """Return a tokenizer of so many tokens, and the marks that end texts.

    256 is one token for each byte. More are merges found in the texts, with the same
    pieces as GPT-2's, as llama.cpp knows these.
    """
    marks = [END, *_CHAT] if is_chat else [END]
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary + len(marks),
        special_tokens=marks,
        # In a fixed order, or equal runs would number the bytes differently.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    end = marks[-1]
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=end,
        pad_token=end,
        clean_up_tokenization_spaces=False,
    )


def build(
    fresh: Fresh, tokenizer: PreTrainedTokenizerFast, *, context: int = 512
) -> LlamaForCausalLM:
    """Return a model with random weights, which torch's own seed decides.

    `context` are the tokens that it is served with at most. Raises RecipeError if the
    width cannot be divided among the heads.
    """
    size, rest = divmod(fresh.width, fresh.heads)
    if rest or size % 2 or size < _LEAST_HEAD:
        raise RecipeError(
            f"fresh: a width of {fresh.width} cannot be divided among {fresh.heads}"
            f" heads: each needs the same even number of at least {_LEAST_HEAD}."
        )
    config: Any = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=fresh.width,
        # As in Llama: 8/3 of the width, in steps that quantised files can have.
        intermediate_size=32 * round(fresh.width * 8 / 3 / 32),
        num_hidden_layers=fresh.layers,
        num_attention_heads=fresh.heads,
        num_key_value_heads=fresh.heads,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)
