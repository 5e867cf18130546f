"""What `test_processes.py` starts twice: models in parts beside the same ones whole.

Each process fails with an AssertionError where the two differ.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch.distributed.tensor import DTensor
from transformers import AutoModelForCausalLM

from finetune.data.packing import PackedRows
from finetune.recipes.lm import Lora, Sampling
from finetune.training.checkpoint import Checkpoint, Progress, learned_weights
from finetune.training.fresh import train_tokenizer
from finetune.training.judging import answer_loss, judge
from finetune.training.lm import make_update
from finetune.training.lora import prepare
from finetune.training.precision import new_accelerator
from finetune.training.processes import Processes
from finetune.training.sampling import Writer
from finetune.training.sharding import WholeOptimizer, place, whole
from tests.finetune.tiny_models import KINDS
from tests.finetune.training.student import packed, stories, student_recipe

TOKENIZER = train_tokenizer(stories(20), 300)
ROWS = packed(stories(60), TOKENIZER, 64)


def model(kind: str, lora: Lora | None, *, is_bf16: bool, seed: int = 7) -> Any:
    config, sizes = KINDS[kind]
    torch.manual_seed(seed)
    made = AutoModelForCausalLM.from_config(config(vocab_size=len(TOKENIZER), **sizes))
    return prepare(made, "tiny", lora, is_bf16=is_bf16)


def adam(made: Any) -> torch.optim.Optimizer:
    learned = [weight for weight in made.parameters() if weight.requires_grad]
    return torch.optim.AdamW(learned, lr=0.01, fused=True)


def learn(made: Any, accelerator: Accelerator, optimizer: Any, updates: int) -> Any:
    """Make some updates; return the last loss."""
    loss = torch.zeros(())
    for update in range(updates):
        rows = torch.arange(8) + 8 * update
        mine: PackedRows = ROWS.pick(rows[accelerator.process_index :: 2])
        loss = make_update(
            made, mine.split(3), optimizer, accelerator=accelerator, clip=0.5
        )
    return loss


def gradients(made: Any, accelerator: Accelerator) -> dict[str, torch.Tensor]:
    """Return those of four rows, two for each process."""
    mine = ROWS.pick(torch.arange(4)[accelerator.process_index :: 2])
    with accelerator.autocast():
        loss, _ = answer_loss(made, mine, accelerator.device)
    accelerator.backward(loss)
    Processes(accelerator).add_gradients(
        w for w in made.parameters() if w.requires_grad
    )
    found = {
        name: whole(weight.grad)
        for name, weight in made.named_parameters()
        if weight.grad is not None
    }
    made.zero_grad()
    return found


def wholes(made: Any) -> dict[str, torch.Tensor]:
    """Return what was learned; all of it in the first process."""
    return {name: whole(part) for name, part in learned_weights(made).items()}


def compare(kind: str, lora: Lora | None, *, is_bf16: bool, folder: Path) -> None:
    accelerator = new_accelerator(is_bf16=is_bf16)
    is_first = accelerator.is_main_process
    near = 0.02 if is_bf16 else 1e-3
    one, two = (model(kind, lora, is_bf16=is_bf16) for _ in range(2))
    place(two, accelerator)

    # Each process has half, of the frozen weights too.
    assert all(isinstance(weight, DTensor) for weight in two.parameters())
    own = sum(weight.to_local().numel() for weight in two.parameters())
    assert own < 0.52 * sum(weight.numel() for weight in one.parameters())

    # A gradient is the sum of those of both processes.
    whole_sums, part_sums = (gradients(made, accelerator) for made in (one, two))
    if is_first:
        assert whole_sums
        for name, gradient in whole_sums.items():
            size = float(gradient.norm())
            error = float((part_sums[name] - gradient).norm())
            assert error < (0.1 if is_bf16 else 1e-4) * size + 1e-3, (name, error, size)

    # So both learn the same.
    optimizers = adam(one), adam(two)
    losses = [
        learn(made, accelerator, optimizer, 3)
        for made, optimizer in zip((one, two), optimizers, strict=True)
    ]
    torch.testing.assert_close(losses[1], losses[0], rtol=near, atol=near)
    found = wholes(two)
    if is_first and not is_bf16:  # Adam makes as much of a rounding as of a gradient
        torch.testing.assert_close(found, wholes(one), rtol=near, atol=near)

    # They are judged alike, and write one text in all processes.
    figures = [
        judge(made, ROWS, accelerator, at_once=3, most_rows=7)["heldout_loss"]
        for made in (one, two)
    ]
    assert abs(figures[0] / figures[1] - 1) < near
    sample = Sampling(prompt="The king", tokens=9)
    recipe = student_recipe("tiny")
    writer = Writer(sample, recipe, TOKENIZER, ROWS, processes=Processes(accelerator))
    assert len(set(gather_object([writer.write(two, accelerator)]))) == 1

    # A checkpoint is that of one process: with it, both kinds go on to the same.
    kept = {"optimizer": WholeOptimizer(optimizers[1])}
    Checkpoint(folder).save(two, kept, Progress(update=3), writes=is_first)
    accelerator.wait_for_everyone()
    weights = {name: whole(weight.data) for name, weight in two.named_parameters()}
    losses = [learn(two, accelerator, optimizers[1], 2)]
    for is_whole in (True, False):
        made = model(kind, lora, is_bf16=is_bf16)
        torch.nn.init.zeros_(next(w for w in made.parameters() if w.requires_grad))
        if not is_whole:
            place(made, accelerator)
        optimizer = adam(made)
        load = {"optimizer": WholeOptimizer(optimizer)}
        assert Checkpoint(folder).load(made, load).update == 3
        again = {name: whole(weight.data) for name, weight in made.named_parameters()}
        if is_first:
            torch.testing.assert_close(again, weights, rtol=0, atol=0)
        losses.append(learn(made, accelerator, optimizer, 2))
    torch.testing.assert_close(losses[1], losses[0], rtol=near, atol=near)
    torch.testing.assert_close(losses[2], losses[0], rtol=near, atol=near)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    rank2 = Lora(rank=2, alpha=4)
    # Its table is its head as well; then one whose are two; then one with biases.
    compare("qwen2", None, is_bf16=False, folder=target / "a")
    compare("llama", rank2, is_bf16=False, folder=target / "b")
    compare("gpt2", None, is_bf16=False, folder=target / "c")
    compare("llama", rank2, is_bf16=True, folder=target / "d")
    compare("qwen2", None, is_bf16=True, folder=target / "e")
