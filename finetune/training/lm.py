"""Fine-tune a causal language model on the answers of dialogues.

Read it from `train` downwards; it is the whole loop. What makes it quick on an ordinary
processor: packed rows, cut after their last answer, bf16 where it is faster, low-rank
adapters on a frozen base (no gradients of the large weights), and the vocabulary, a
fifth of the work, computed only where there is something to learn.
"""

from __future__ import annotations

import math
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import broadcast
from peft import LoraConfig, get_peft_model
from peft.tuners.lora import Linear as LoraLinear
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file

from finetune.data.packing import IGNORE
from finetune.data.packing import PackedRows as Rows
from finetune.data.sources import DialogueRows, read_rows
from finetune.recipes.recipe import LmRecipe, Lora
from finetune.training.checkpoint import Checkpoint, Progress, save_weights
from finetune.training.errors import TrainingError
from finetune.weights.base import is_bf16_faster, load_base

Emit = Callable[[dict[str, Any]], None]

ADAPTER = "adapter_model.safetensors"
WEIGHTS = "model.safetensors"
_CHECKPOINT_SECONDS = 300
_EVAL_ROWS = 32


def train(
    recipe: LmRecipe,
    *,
    out: Path,
    cache: Path,
    minutes: float | None,
    resume: bool,
    emit: Emit,
) -> dict[str, float]:
    """Train until the epochs or the minutes are over; return the held-out figures.

    Writes the adapter (or all weights) to `out`, and on the way checkpoints from
    which `resume` goes on exactly; to `cache` what is read from a GGUF base.
    Interrupting it keeps what is learned so far.
    Raises TrainingError, RecipeError, ModelMissing or PiecesError.
    """
    torch.manual_seed(recipe.seed)
    accelerator = Accelerator(mixed_precision="bf16" if uses_bf16(recipe) else "no")
    if not accelerator.is_main_process:
        emit = _say_nothing
    base = load_base(recipe.base, cache=cache)
    model = prepare(base.model, recipe, accelerator)
    rows = read_rows(recipe, base.tokenizer)
    emit(_start_event(recipe, model, rows, accelerator))
    loop = Loop(recipe, model, rows, accelerator, minutes=minutes, out=out, emit=emit)
    if resume:
        loop.load()
    with _keeping_on_signals(loop):
        loop.run()
        figures = loop.evaluate()
        if accelerator.is_main_process:
            _save(model, recipe, out)
            loop.checkpoint.remove()
    return figures


class Loop:
    """The state of a run and its one step."""

    def __init__(
        self,
        recipe: LmRecipe,
        model: Any,
        rows: DialogueRows,
        accelerator: Accelerator,
        *,
        minutes: float | None,
        out: Path,
        emit: Emit,
    ) -> None:
        self._recipe = recipe
        self._rows = rows
        self._accelerator = accelerator
        self._emit = emit
        self._budget: float = (minutes or recipe.minutes or math.inf) * 60
        self._batch: int = recipe.rows * recipe.accumulate * accelerator.num_processes
        self._updates_per_epoch = max(1, len(rows.train) // self._batch)
        self._updates = max(1, math.ceil(recipe.epochs * self._updates_per_epoch))
        # Gradients are added up below: what wraps a model for that expects to be
        # called as a whole, and here only parts of the model are.
        self._model = model.to(accelerator.device)
        self._learned = [p for p in model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._learned,
            lr=recipe.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.checkpoint = Checkpoint(out / "checkpoint", recipe)
        self.progress = Progress()
        self.is_stopping = False

    def load(self) -> None:
        """Take up a broken-off run where its last checkpoint left it."""
        self.progress = self.checkpoint.load(self._model, self._optimizer)

    def run(self) -> None:
        """Make one update after another."""
        started = time.monotonic() - self.progress.seconds
        saved = self.progress.seconds
        losses: list[torch.Tensor] = []
        while not self._is_over():
            losses.append(self._update())
            progress = self.progress
            # One clock, or the processes would have different rates and ends.
            progress.seconds = self._of_main(time.monotonic() - started)
            if progress.update % self._recipe.log_every == 0:
                self._log(losses)
                losses = []
            if progress.update % self._recipe.eval_every == 0:
                self.evaluate()
            if progress.seconds - saved > _CHECKPOINT_SECONDS:
                self._save_checkpoint(losses)
                saved = progress.seconds
        self._check(losses)

    def evaluate(self) -> dict[str, float]:
        """Return the mean loss on held-out dialogues, in nats per answer token."""
        self._model.eval()
        total, count = 0.0, 0
        rows = self._rows.heldout
        with torch.no_grad():
            for start in range(0, min(len(rows), _EVAL_ROWS), self._recipe.rows):
                batch = rows.pick(
                    torch.arange(start, min(len(rows), start + self._recipe.rows))
                )
                loss, learned = self._loss(batch)
                total, count = total + float(loss), count + learned
        self._model.train()
        figures = {
            "heldout_loss": total / max(1, count),
            "heldout_perplexity": math.exp(min(50.0, total / max(1, count))),
        }
        self._emit({"event": "eval", "update": self.progress.update, **figures})
        return figures

    def _update(self) -> torch.Tensor:
        """Make one update; return its mean loss, still on the device."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate * self._rate()
        batches = list(self._batches())
        # All answer tokens of an update weigh the same, in whatever batch they are.
        learned = self._sum(sum(int((b.targets != IGNORE).sum()) for b in batches))
        total = torch.zeros((), device=self._accelerator.device)
        for batch in batches:
            loss, _ = self._loss(batch)
            self._accelerator.backward(loss / max(1, learned))
            total += loss.detach()
        self.progress.tokens += self._sum(sum(b.ids.numel() for b in batches))
        total = self._add_up(total)
        torch.nn.utils.clip_grad_norm_(self._learned, self._recipe.clip)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.progress.update += 1
        return total / max(1, learned)

    def _loss(self, rows: Rows) -> tuple[torch.Tensor, int]:
        """Return the summed loss of the answer tokens, and how many there are."""
        with self._accelerator.autocast():
            return answer_loss(self._model, rows, self._accelerator.device)

    def _add_up(self, total: torch.Tensor) -> torch.Tensor:
        """Add up the gradients of all processes; return the sum of their losses."""
        accelerator = self._accelerator
        if accelerator.num_processes == 1:
            return total
        for weight in self._learned:
            # A process that had nothing to learn from in this update has none.
            own = torch.zeros_like(weight) if weight.grad is None else weight.grad
            weight.grad = accelerator.reduce(own, "sum")
        return cast(torch.Tensor, accelerator.reduce(total, "sum"))

    def _sum(self, count: int) -> int:
        """Return the sum of a number over all processes."""
        if self._accelerator.num_processes == 1:
            return count
        own = torch.tensor(count, device=self._accelerator.device)
        return int(cast(torch.Tensor, self._accelerator.reduce(own, "sum")))

    def _of_main(self, seconds: float) -> float:
        """Return what the clock of the first process says."""
        if self._accelerator.num_processes == 1:
            return seconds
        own = torch.tensor([seconds], device=self._accelerator.device)
        return float(cast(torch.Tensor, broadcast(own)))

    def _batches(self) -> Iterator[Rows]:
        """Yield this process's rows of the next update, in the order of the seed."""
        epoch, place = divmod(self.progress.update, self._updates_per_epoch)
        generator = torch.Generator().manual_seed(self._recipe.seed * 1000 + epoch)
        order = torch.randperm(len(self._rows.train), generator=generator)
        mine = order[place * self._batch : (place + 1) * self._batch]
        mine = mine[self._accelerator.process_index :: self._accelerator.num_processes]
        for part in torch.split(mine, self._recipe.rows):
            yield self._rows.train.pick(part)

    def _done(self) -> float:
        """Return how much of the run is over, by updates or by time."""
        by_updates: float = self.progress.update / self._updates
        return max(by_updates, self.progress.seconds / self._budget)

    def _rate(self) -> float:
        """Return the learning rate's share: it rises, then falls to zero."""
        done, warmup = self._done(), self._recipe.warmup
        if done < warmup:
            return max(done / warmup, 0.02)
        return max(0.0, (1 - done) / (1 - warmup))

    def _is_over(self) -> bool:
        # One process that was told to stop stops all.
        return self._sum(int(self.is_stopping)) > 0 or self._done() >= 1

    def _log(self, losses: list[torch.Tensor]) -> None:
        loss = self._check(losses)
        seconds = max(self.progress.seconds, 1e-9)
        self._emit(
            {
                "event": "step",
                "update": self.progress.update,
                "of": self._updates,
                "loss": loss,
                "rate": self._recipe.learning_rate * self._rate(),
                "tokens_per_second": self.progress.tokens / seconds,
                "seconds": seconds,
            }
        )

    def _check(self, losses: list[torch.Tensor]) -> float:
        """Return the mean loss; raise TrainingError if it is not a number."""
        # Read here and not at each update: reading waits for the device.
        loss = float(torch.stack(losses).mean()) if losses else 0.0
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is not a number any more (update {self.progress.update}):"  # noqa: S608
                " lower learning_rate, or set precision: fp32. The last checkpoint"
                f" in {self.checkpoint.folder} is from before."
            )
        return loss

    def _save_checkpoint(self, losses: list[torch.Tensor]) -> None:
        self._check(losses)
        if self._accelerator.is_main_process:
            self.checkpoint.save(self._model, self._optimizer, self.progress)


def answer_loss(
    model: Any, rows: Rows, device: torch.device
) -> tuple[torch.Tensor, int]:
    """Return the summed loss of the answer tokens, and how many there are."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    rows = rows.used()
    # Found here: to be asked for them, a GPU would have to be waited for.
    places = (rows.targets.flatten() != IGNORE).nonzero()[:, 0]
    rows = rows.to(device)
    hidden = inner.model(  # (rows, block, width)
        input_ids=rows.ids.long(),
        position_ids=rows.positions.long(),
        attention_mask=rows.mask(),
        use_cache=False,
    ).last_hidden_state
    answers = places.to(device, non_blocking=True)
    logits = inner.lm_head(hidden.flatten(0, 1)[answers])  # (answer tokens, vocabulary)
    targets = rows.targets.flatten()[answers].long()
    loss = F.cross_entropy(logits.float(), targets, reduction="sum")
    return loss, len(places)


def _say_nothing(event: dict[str, Any]) -> None:
    pass


def uses_bf16(recipe: LmRecipe) -> bool:
    """Return whether a recipe computes in bf16 on this machine."""
    if recipe.precision != "auto":
        return recipe.precision == "bf16"
    return is_bf16_faster(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def prepare(model: Any, recipe: LmRecipe, accelerator: Accelerator) -> Any:
    """Add adapters. A frozen base is kept in the type that it is used in."""
    model.config.use_cache = False
    if recipe.lora is None:
        return model.float()
    if accelerator.mixed_precision == "bf16":
        model = model.to(torch.bfloat16)
    model.name_or_path = recipe.base
    model = add_adapters(model, recipe.lora)
    if recipe.lora.start is not None:
        _load_start(model, recipe.lora.start)
    if recipe.lora.dropout == 0:
        for module in model.modules():
            if isinstance(module, LoraLinear):
                setattr(module, "forward", partial(_adapted_forward, module))  # noqa: B010
    return model


def add_adapters(model: Any, lora: Lora) -> Any:
    """Return the model with PEFT's adapters on every linear layer of its blocks."""
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # PEFT asks transformers by a name that has a newer one.
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(model, config)


def _adapted_forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Compute x Wᵀ + s (x Aᵀ) Bᵀ as PEFT does, without its copies in fp32."""
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    low = F.linear(x, a)  # (…, rank)
    return F.linear(x, layer.base_layer.weight) + F.linear(
        low, layer.scaling["default"] * b
    )


def _load_start(model: Any, folder: Path) -> None:
    """Take over the weights of an adapter of the same rank.

    Raises TrainingError when there is none, or it is of another shape.
    """
    try:
        state = load_file(folder / ADAPTER)
        found: Any = set_peft_model_state_dict(model, state)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(
            f"{folder} holds no adapter to go on from: {error}"
        ) from error
    if found.unexpected_keys:
        raise TrainingError(f"{folder} holds an adapter of another kind of model.")


def _save(model: Any, recipe: LmRecipe, out: Path) -> None:
    if recipe.lora is None:
        save_weights(model.state_dict(), out / WEIGHTS)
        return
    # Adapters are released in half the size; their values are small and few matter.
    state = {
        name: tensor.to(torch.bfloat16)
        for name, tensor in get_peft_model_state_dict(model).items()
    }
    save_weights(state, out / ADAPTER)
    model.peft_config["default"].save_pretrained(out)


def _start_event(
    recipe: LmRecipe, model: Any, rows: DialogueRows, accelerator: Accelerator
) -> dict[str, Any]:
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return {
        "event": "start",
        "name": recipe.name,
        "learned_parameters": learned,
        "train_rows": len(rows.train),
        "heldout_rows": len(rows.heldout),
        "tokens_per_epoch": rows.train.ids.numel(),
        "answer_share": float((rows.train.targets != IGNORE).float().mean()),
        "precision": accelerator.mixed_precision,
        "device": str(accelerator.device),
    }


@contextmanager
def _keeping_on_signals(loop: Loop) -> Iterator[None]:
    """End the run after the update that is being made when somebody interrupts it."""

    def stop(number: int, frame: object) -> None:
        loop.is_stopping = True

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
