"""The workloads in plain PyTorch: modules and the usual loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tests.benchmarks.workloads import CLASSES, VOCABULARY, Workload


def mlp(width: int, depth: int) -> Any:
    """784 inputs, hidden layers of one width, dropout after the first."""
    stack: list[Any] = [nn.Linear(784, width), nn.ReLU(), nn.Dropout(0.2)]
    for _ in range(depth - 1):
        stack += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*stack, nn.Linear(width, CLASSES))


class ChannelsFirst(nn.Module):
    """Images with their channels moved to where PyTorch has them."""

    def forward(self, x: Any) -> Any:
        """Move them."""
        return x.permute(0, 3, 1, 2)


def cnn() -> Any:
    """Two convolutions with pooling on 28 x 28 pixels."""
    return nn.Sequential(
        ChannelsFirst(), nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3),
        nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(1600, CLASSES),
    )  # fmt: skip


class Recurrent(nn.Module):
    """An embedding of tokens and an LSTM, with one bias as Keras has it."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.table, self.lstm = nn.Embedding(VOCABULARY, 64), nn.LSTM(64, 64, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad_(False).zero_()
        self.out = nn.Linear(64, CLASSES)

    def forward(self, x: Any) -> Any:
        """Logits."""
        return self.out(self.lstm(self.table(x))[0][:, -1])


class Encoder(nn.Module):
    """An embedding of tokens and one encoder block, averaged over time."""

    def __init__(self, length: int, width: int = 32) -> None:
        super().__init__()
        self.table = nn.Embedding(VOCABULARY, width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.norms = nn.ModuleList([nn.LayerNorm(width, 1e-6) for _ in range(2)])
        self.hidden = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        self.out = nn.Linear(width, CLASSES)

    def forward(self, x: Any) -> Any:
        """Logits."""
        x = self.table(x)
        x = self.norms[0](x + self.attention(x, x, x, need_weights=False)[0])
        return self.out(self.norms[1](x + self.hidden(x)).mean(1))


KINDS = {"mlp": mlp, "cnn": cnn, "lstm": Recurrent, "transformer": Encoder}


class Run:
    """A module and Adam.

    Args:
        workload: What it is.
        _: Unused: the library, for those that need one.
    """

    def __init__(self, workload: Workload, _: Any = None) -> None:
        self.batch, self.module = workload.batch, KINDS[workload.kind](**workload.options)
        self.trained = [p for p in self.module.parameters() if p.requires_grad]
        self.adam = torch.optim.Adam(self.trained, eps=1e-7)

    def parameters(self) -> int:
        """How many weights are trained."""
        return sum(p.numel() for p in self.trained)

    def fit(self, x: np.ndarray, y: np.ndarray) -> float:
        """Train for an epoch; returns the loss."""
        self.module.train()
        inputs, classes = torch.from_numpy(x), torch.from_numpy(y).long()
        order, total, right, steps = torch.randperm(len(x)), torch.zeros(()), torch.zeros(()), 0
        for rows in order.split(self.batch):
            self.adam.zero_grad(set_to_none=True)
            logits, wanted = self.module(inputs[rows]), classes[rows]
            loss = nn.functional.cross_entropy(logits, wanted)
            loss.backward()
            self.adam.step()
            total += loss.detach()
            right += (logits.detach().argmax(-1) == wanted).float().mean()
            steps += 1
        return float(total) / steps

    def predict(self, x: np.ndarray, batch: int) -> Any:
        """Outputs in batches."""
        return np.concatenate([self.call(x[i : i + batch]) for i in range(0, len(x), batch)])

    def call(self, x: np.ndarray) -> Any:
        """Outputs of a direct call, on the host."""
        self.module.eval()
        with torch.inference_mode():
            return self.module(torch.from_numpy(x)).softmax(-1).numpy()
