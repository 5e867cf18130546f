"""A model in parts on several GPUs, for one that none of them could hold (FSDP).

`accelerate launch --use_fsdp` asks for it. Each process keeps a part of every weight,
of its gradient, and of what Adam remembers of it. The weights of a block come together
for as long as it computes, forwards or backwards (torch's `fully_shard`; Zhao et al.
2023, arXiv 2304.11277). Here is what our loop needs beside that: it calls parts of the
model, and its checkpoints and models are those of one process.

torch's part of it is imported when a model is put in parts: every other training would
begin seconds later for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

from finetune.recipes.common import RecipeError
from finetune.training.shapes import blocks, plain, takes_mask

if TYPE_CHECKING:
    from accelerate import Accelerator

T = TypeVar("T")
_TOGETHER = "together"  # what a model in parts has beside its own methods
_INSTEAD = "leave out --use_fsdp, and each process holds all of it"


def is_asked_for() -> bool:
    """Return whether the command was started by `accelerate launch --use_fsdp`."""
    from accelerate.utils import parse_flag_from_env  # noqa: PLC0415 -- slow import

    return bool(parse_flag_from_env("ACCELERATE_USE_FSDP"))


def in_parts(accelerator: Accelerator) -> bool:
    """Return whether each process keeps only a part of the model."""
    return is_asked_for() and accelerator.num_processes > 1


def place(model: Any, accelerator: Accelerator) -> None:
    """Put a model on the device of this process: the whole of it, or its part.

    Raises RecipeError if it is of a kind that cannot be split.
    """
    if not in_parts(accelerator):
        model.to(accelerator.device)
        return
    from torch.distributed.device_mesh import (  # noqa: PLC0415 -- slow import
        init_device_mesh,
    )
    from torch.distributed.fsdp import (  # noqa: PLC0415 -- slow import
        MixedPrecisionPolicy,
        fully_shard,
        register_fsdp_forward_method,
    )

    root = plain(model)
    parts = (*_blocks(model), root)
    mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
    policy = MixedPrecisionPolicy()
    if accelerator.mixed_precision == "bf16":
        # Autocast would keep a copy in 16 bits of each weight, and a whole one.
        policy = MixedPrecisionPolicy(torch.bfloat16, torch.float32)
    for part in parts:
        fully_shard(part, mesh=mesh, mp_policy=policy, reshard_after_forward=True)
        # Gradients are added up, as the loss is divided by the tokens of all processes.
        part.set_gradient_divide_factor(1.0)
        part.set_force_sum_reduction_for_comms(True)
    setattr(root, _TOGETHER, MethodType(_do, root))
    register_fsdp_forward_method(root, _TOGETHER)


def together(model: Any, work: Callable[[], T]) -> T:
    """Return what `work` computes with parts of a model, as one call of it.

    A model in parts has to know when it is used. All processes must come here.
    """
    call: Callable[[Callable[[], T]], T] | None
    call = getattr(plain(model), _TOGETHER, None)
    return work() if call is None else call(work)


def is_part(tensor: Tensor) -> bool:
    """Return whether a tensor is the part of this process: a `DTensor` of torch."""
    return hasattr(tensor, "full_tensor")


def whole(tensor: Tensor) -> Tensor:
    """Return a tensor as one process alone would have it.

    If it is in parts, all processes must come here. The first one gets it, in main
    memory; the others have no use for it, and get an empty one.
    """
    if not is_part(tensor):
        return tensor
    full: Tensor = cast(Any, tensor).full_tensor()
    return full.cpu() if dist.get_rank() == 0 else full.new_empty(0)


def part_of(tensor: Tensor, like: Tensor) -> Tensor:
    """Return of a whole tensor the part that this process has of another like it."""
    if not is_part(like):
        return tensor
    from torch.distributed.tensor import (  # noqa: PLC0415 -- slow import
        distribute_tensor,
    )

    sample: Any = like
    # Each process has read all of it, so none has to be sent anything.
    return distribute_tensor(
        tensor.to(like.device),
        sample.device_mesh,
        sample.placements,
        src_data_rank=None,
    )


class WholeOptimizer:
    """What a checkpoint keeps of an optimizer, whether its weights are in parts or not.

    So a run may go on with another number of processes.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._optimizer = optimizer

    def state_dict(self) -> Mapping[str, Any]:
        """Return the state of all weights; all processes must come here."""
        state = self._optimizer.state_dict()
        remembered = {
            number: {name: whole(value) for name, value in of.items()}
            for number, of in state["state"].items()
        }
        return {**state, "state": remembered}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave in the first process."""
        weights = [p for group in self._optimizer.param_groups for p in group["params"]]
        remembered = {
            number: {
                name: part_of(value, weights[number])
                if value.shape == weights[number].shape
                else value
                for name, value in of.items()
            }
            for number, of in state["state"].items()
        }
        self._optimizer.load_state_dict({**state, "state": remembered})


def _do(root: Any, work: Callable[[], T]) -> T:
    return work()


def _blocks(model: Any) -> list[Any]:
    if takes_mask(model):
        return list(blocks(model, instead=_INSTEAD))
    # How many documents a row has differs, and so would the calls of the processes.
    raise RecipeError(
        f"{type(plain(model)).__name__} reads one document after the other, which a"
        f" model in parts cannot: {_INSTEAD}."
    )
