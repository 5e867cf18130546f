"""Write the packaged sentence model as ONNX, for a detector that needs that format.

`python -m finetune.bench.export FOLDER FILE`, in an environment that has onnx.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from finetune.guards.minilm import MiniLM, load_minilm

_NAMES = ("input_ids", "attention_mask", "token_type_ids")


class TokenVectors(nn.Module):
    """The model before the mean: tokens → one vector for each of them."""

    def __init__(self, model: MiniLM) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor, kinds: Tensor) -> Tensor:
        """Return (texts, time, width); inputs are (texts, time), whole numbers."""
        model = self.model
        positions = model.position.weight[: ids.shape[1]]
        x = model.norm(model.word(ids) + positions + model.kind(kinds))
        seen = mask.bool()[:, None, None, :]
        for layer in model.layers:
            x = layer(x, seen)
        return x  # type: ignore[no-any-return]


def export(folder: Path, file: Path) -> None:
    """Write the model of a folder to a file."""
    ids = torch.tensor([[101, 7592, 102], [101, 2088, 102]])
    torch.onnx.export(
        TokenVectors(load_minilm(folder)).eval(),
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        file,
        input_names=list(_NAMES),
        output_names=["last_hidden_state"],
        dynamic_axes={
            name: {0: "texts", 1: "time"} for name in (*_NAMES, "last_hidden_state")
        },
        opset_version=17,
        # The other exporter needs one more package.
        dynamo=False,
    )


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]))
