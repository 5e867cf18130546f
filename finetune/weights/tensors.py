"""Writing tensors whole; apart from `files`, because it needs torch."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from finetune.weights.files import replacing


def write_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors as safetensors; raise OSError if they cannot be written."""
    # Tied weights share memory, which the format does not allow.
    own = {name: t.detach().contiguous().clone() for name, t in tensors.items()}
    with replacing(path) as new:
        try:
            save_file(own, new)
        except Exception as error:
            if "No space left" not in str(error):
                raise
            raise OSError(errno.ENOSPC, "No space left on device", str(path)) from error
