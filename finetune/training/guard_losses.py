"""What guards learn by: single numbers that are the less, the better a guard is."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def class_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return the usual loss of two classes: how unlikely the right ones seem, in nats.

    Logits, labels and weights have one shape. The last dimension is of texts; of what
    learns side by side in others, the losses are added up.
    """
    loss = F.binary_cross_entropy_with_logits(logits.float(), labels, reduction="none")
    return _mean(loss, weights)


def false_alarm_loss(
    logits: Tensor, labels: Tensor, margin: float, weights: Tensor | None = None
) -> Tensor:
    """Return the mean square of what benign logits are above minus `margin`.

    A benign text that is far below costs nothing; one near the threshold costs extra.
    """
    benign = (labels == 0).float()  # (…, texts)
    over = F.relu(logits.float() + margin).square()
    return _mean(over, benign if weights is None else benign * weights)


def _mean(loss: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return loss.mean(-1).sum()
    return ((loss * weights).sum(-1) / weights.sum(-1).clamp(min=1)).sum()
