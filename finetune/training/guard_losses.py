"""What guards learn by: single numbers that are the less, the better a guard is."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_NEIGHBOURS = 0.1  # temperature of the contrastive loss


def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the usual loss of two classes: how unlikely the right ones seem, in nats.

    Logits and labels are (windows,).
    """
    return F.binary_cross_entropy_with_logits(logits.float(), labels)


def contrastive(vectors: Tensor, labels: Tensor) -> Tensor:
    """Pull vectors of one kind together and away from those of the other kind.

    For each vector: how likely is it that another of its kind is picked, when near
    ones are picked more often? `vectors` are of length one, (windows, width).
    """
    near = vectors @ vectors.T / _NEIGHBOURS  # (windows, windows), cosine / 0.1
    itself = torch.eye(len(near), dtype=torch.bool, device=near.device)
    chance = F.log_softmax(near.masked_fill(itself, -math.inf), dim=1)
    alike = (labels[:, None] == labels[None, :]) & ~itself
    count = alike.sum(1).clamp(min=1)
    return -(chance.masked_fill(~alike, 0.0).sum(1) / count).mean()


def false_alarm_loss(logits: Tensor, labels: Tensor, margin: float) -> Tensor:
    """Return the mean square of what benign logits are above minus `margin`.

    A benign text that is far below costs nothing; one near the threshold costs extra.
    """
    benign = logits.float()[labels == 0]  # (benign windows,)
    if not len(benign):
        return logits.float().sum() * 0.0
    return F.relu(benign + margin).square().mean()
