"""No architecture is assumed: four of them learn, and the same in packed rows."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from accelerate import Accelerator
from peft.tuners.lora import Linear as LoraLinear
from torch.nn.functional import cross_entropy
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
)

from finetune.data.packing import IGNORE, Document, pack
from finetune.recipes.common import RecipeError
from finetune.recipes.lm import Lora, Sampling
from finetune.training.fresh import train_tokenizer
from finetune.training.judging import answer_loss
from finetune.training.lora import prepare
from finetune.training.sampling import Writer
from finetune.training.shapes import blocks
from tests.finetune.training.student import stories, student_recipe

WORDS, WIDTH, LAYERS = 300, 32, 3
ENDS = {"bos_token_id": 1, "eos_token_id": 2}
CONFIGS: dict[str, Any] = {
    "gpt2": GPT2Config(
        vocab_size=WORDS, n_embd=WIDTH, n_layer=LAYERS, n_head=2, n_positions=64, **ENDS
    ),
    "gpt_neox": GPTNeoXConfig(
        vocab_size=WORDS,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        **ENDS,
    ),
    "llama": LlamaConfig(
        vocab_size=WORDS,
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        **ENDS,
    ),
    "bloom": BloomConfig(
        vocab_size=WORDS, hidden_size=WIDTH, n_layer=LAYERS, n_head=2, **ENDS
    ),
}
LORA = Lora(rank=4, alpha=8)
CPU = torch.device("cpu")


@pytest.fixture(params=sorted(CONFIGS))
def model(request: pytest.FixtureRequest) -> Any:
    """Return a small model with random weights, large enough to differ."""
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(CONFIGS[request.param])
    for weight in made.parameters():
        if weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.15)
    return made.eval()


def documents() -> list[Document]:
    """Return some documents; what is learned of them begins in the middle."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for size in (9, 14, 5, 20, 11):
        ids = torch.randint(3, WORDS, (size,), generator=generator).tolist()
        made.append(Document(ids, [IGNORE] * 2 + ids[3:] + [IGNORE]))
    return made


def loss_alone(model: Any, document: Document) -> torch.Tensor:
    """Return what the model itself says of one document, with no mask of ours."""
    logits = model(input_ids=torch.tensor([document.ids])).logits[0]
    return cross_entropy(logits, torch.tensor(document.targets), reduction="sum")


def test_packed_rows_have_the_loss_of_documents_one_by_one(model: Any) -> None:
    given = documents()
    rows = pack(given, 32, filler=0)
    assert 1 < len(rows) < len(given)
    with torch.no_grad():
        loss, count = answer_loss(model, rows, CPU)
        wanted = sum(float(loss_alone(model, document)) for document in given)
    assert count == sum(t != IGNORE for d in given for t in d.targets)
    assert float(loss) == pytest.approx(wanted, rel=1e-5)


def test_packed_gradients_are_those_of_documents_one_by_one(model: Any) -> None:
    given = documents()
    answer_loss(model, pack(given, 32, filler=0), CPU)[0].backward()
    packed = {
        n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None
    }
    model.zero_grad()
    for document in given:
        loss_alone(model, document).backward()
    for name, weight in model.named_parameters():
        torch.testing.assert_close(
            packed[name], weight.grad, rtol=1e-3, atol=1e-4, msg=name
        )


def test_an_adapter_learns_and_merged_equals_unmerged(model: Any) -> None:
    adapted = prepare(model, "tiny", LORA, is_bf16=False)
    layers = [part for part in adapted.modules() if isinstance(part, LoraLinear)]
    assert len(layers) >= LAYERS * 4
    learned = [w for w in adapted.parameters() if w.requires_grad]
    assert len(learned) == 2 * len(layers)
    rows = pack(documents(), 32, filler=0)
    optimizer = torch.optim.AdamW(learned, lr=0.02)
    losses = []
    for _ in range(8):
        loss, count = answer_loss(adapted, rows, CPU)
        (loss / count).backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()) / count)
    assert losses[-1] < losses[0] - 0.1
    adapted.eval()
    ids = torch.arange(3, 15)[None]
    with torch.no_grad():
        unmerged = adapted(input_ids=ids).logits
        merged = adapted.merge_and_unload()(input_ids=ids).logits
    assert (unmerged - unmerged.mean()).abs().max() > 0.1
    torch.testing.assert_close(merged, unmerged, rtol=1e-3, atol=1e-3)


def test_our_short_cut_through_an_adapted_layer_is_peft_s(model: Any) -> None:
    """Also where a layer has a bias, or its weights the other way round."""
    adapted = prepare(model, "tiny", LORA, is_bf16=False)
    for layer in adapted.modules():
        if isinstance(layer, LoraLinear):
            torch.nn.init.normal_(layer.lora_B["default"].weight)
            if layer.base_layer.bias is not None:
                torch.nn.init.normal_(layer.base_layer.bias)
            x = torch.randn(2, layer.in_features)
            theirs = LoraLinear.forward(layer, x)
            torch.testing.assert_close(layer(x), theirs, rtol=1e-4, atol=1e-4)


def test_the_lowest_blocks_can_stay_as_they_are(model: Any) -> None:
    before = {name: w.detach().clone() for name, w in model.named_parameters()}
    prepared = prepare(model, "tiny", None, is_bf16=False, frozen=2)
    learned = [w for w in prepared.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=0.02)
    answer_loss(prepared, pack(documents(), 32, filler=0), CPU)[0].backward()
    optimizer.step()
    changed = {n for n, w in prepared.named_parameters() if not w.equal(before[n])}
    stack = blocks(prepared)
    inside = {id(w): number for number, b in enumerate(stack) for w in b.parameters()}
    places = {inside.get(id(w)) for n, w in prepared.named_parameters() if n in changed}
    assert {0, 1}.isdisjoint(places)
    assert LAYERS - 1 in places
    assert prepared.get_input_embeddings().weight.requires_grad is False


def test_freezing_all_is_refused(model: Any) -> None:
    with pytest.raises(RecipeError, match="nothing to learn: this model has 3 blocks"):
        prepare(model, "tiny", None, is_bf16=False, frozen=LAYERS)


def test_it_writes_what_transformers_would(model: Any) -> None:
    """Also on an adapter, and without a doubt: at temperature 0."""
    adapted = prepare(model, "tiny", LORA, is_bf16=False)
    tokenizer = train_tokenizer(stories(20), 256)
    sample = Sampling(prompt="The king", tokens=12, temperature=0)
    rows = pack(documents(), 64, filler=0)
    writer = Writer(sample, student_recipe("tiny"), tokenizer, rows)
    text = writer.write(adapted, Accelerator(cpu=True))
    ids = tokenizer("The king", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        for _ in range(12):
            best = adapted(input_ids=ids).logits[0, -1].argmax()
            if best == tokenizer.eos_token_id:
                break
            ids = torch.cat([ids, best[None, None]], dim=1)
    wanted = tokenizer.decode(ids[0, len("The king") :], skip_special_tokens=True)
    assert text == wanted
    assert adapted.training


def test_nothing_is_forgotten_at_random(model: Any) -> None:
    rows = pack(documents(), 32, filler=0)
    prepared = prepare(model, "tiny", None, is_bf16=False).train()
    first, second = (
        float(answer_loss(prepared, rows, CPU)[0].detach()) for _ in range(2)
    )
    assert first == second
