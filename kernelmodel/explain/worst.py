"""The samples that a model gets most wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernelmodel.core.tree import flatten
from kernelmodel.explain.classes import class_indices, is_one_hot
from kernelmodel.explain.data import Samples
from kernelmodel.explain.passes import observed
from kernelmodel.explain.scores import choose_output
from kernelmodel.losses import Loss
from kernelmodel.losses.loss import mask_of
from kernelmodel.training.objective import CompiledLoss, as_loss
from kernelmodel.training.outputs import Outputs


def worst_predictions(
    model: Any,
    x: Any,
    y: Any,
    n: int = 10,
    *,
    loss: Any = None,
    output: str | int | None = None,
    batch_size: int = 32,
) -> dict[str, np.ndarray]:
    """The samples with the largest losses.

    Args:
        model: Functional, Sequential or subclassed model; nothing in it changes.
        x: Samples in the structure of the inputs.
        y: Their targets; for several outputs, in their structure or for the chosen one alone.
        n: How many samples.
        loss: Name, function or `Loss`; None for the one the model was compiled with.
        output: Name or index of an output, for models with several.
        batch_size: Samples that are computed at once.

    Returns:
        A dict of arrays, the largest loss first: "index" of each sample, its "loss" (the mean over
        its positions), and what is "true" and "predicted": classes where the output tells
        probabilities of classes, else values. A pandas.DataFrame takes it as it is, unless the
        values have several axes.

    Raises:
        ValueError: No loss is known, or the shapes don't fit.

    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((1,)), km.layers.Dense(1, kernel_initializer="ones")])
        >>> x = np.array([[1.0], [2.0], [3.0]])
        >>> worst = km.explain.worst_predictions(model, x, np.array([1.0, 0.0, 4.0]), 2, loss="mse")
        >>> worst["index"], worst["loss"]
        (array([1, 2]), array([4., 1.], dtype=float32))
    """
    if n < 1:
        raise ValueError(f"`n` must be 1 or more, got {n!r}.")
    samples = Samples(model, x)
    values, targets, losses = [], [], []
    for rows in samples.batches(batch_size):
        with observed():
            outputs = model(samples.pack(samples.rows(rows)), training=False)
            chosen = choose_output(model, outputs, output)
            function = _loss_of(model, outputs, chosen, loss)
            truth = _targets_of(model, outputs, chosen, y)
            if len(truth) != samples.count:
                raise ValueError(f"`y` has {len(truth)} samples, but `x` has {samples.count}.")
            losses.append(losses_of_samples(function, truth[rows], chosen))
        values.append(np.asarray(chosen))
        targets.append(truth[rows])
    lost, predicted, true = map(np.concatenate, (losses, values, targets))
    kind = _kind(function, true, predicted)
    # Not a number is the worst of all; equal losses stay in the order of the samples.
    order = np.argsort(np.where(np.isnan(lost), -np.inf, -lost), kind="stable")[:n]
    lost, predicted, true = lost[order], predicted[order], true[order]
    if kind == "classes":
        predicted = predicted.argmax(-1)
        true = class_indices(true, predicted.shape)
    elif predicted.ndim > 1 and predicted.shape[-1] == 1:
        predicted = predicted[..., 0]
        true = true.reshape(predicted.shape)
        if kind == "two classes":
            border = 0 if getattr(function, "from_logits", False) else 0.5
            predicted, true = (predicted > border).astype(int), true.astype(int)
    return {"index": order, "loss": lost, "true": true, "predicted": predicted}


def losses_of_samples(function: Loss, y_true: np.ndarray, y_pred: Any) -> np.ndarray:
    """The loss of each sample: the mean over its positions, without those that a mask hides."""
    mask = mask_of(y_pred)
    y_pred, y_true = function._convert(y_pred), function._convert(y_true)
    values = np.asarray(function.call(y_true, y_pred))
    if values.ndim == 0:  # a function of one's own that averages over the samples
        rows = [slice(i, i + 1) for i in range(len(y_pred))]
        return np.array([function.call(y_true[row], y_pred[row]) for row in rows], "float32")
    own = function.mask_losses(y_true, y_pred, values)
    weight = np.ones(values.shape, values.dtype)
    for one in (mask, own):
        if one is not None and np.shape(one) == values.shape[: np.ndim(one)]:
            shape = (*np.shape(one), *[1] * (values.ndim - np.ndim(one)))
            weight = weight * np.reshape(one, shape)
    within = tuple(range(1, values.ndim))
    return (values * weight).sum(within) / np.maximum(weight.sum(within), 1)


def _loss_of(model: Any, outputs: Any, chosen: Any, loss: Any) -> Loss:
    if loss is None:
        compiled = getattr(model, "compiled_loss", None) if model.compiled else None
        if compiled is not None and compiled.given is not None:
            twin = CompiledLoss(compiled.given, None, _outputs(model, outputs))
            loss = twin._losses[_place(outputs, chosen)]
    found = as_loss(loss)
    if found is None:
        raise ValueError(
            f"No loss is known for model {model.name!r}. Compile it with one, or pass loss='mse' "
            "or the like."
        )
    return found


def _targets_of(model: Any, outputs: Any, chosen: Any, y: Any) -> np.ndarray:
    """The targets of the chosen output."""
    known = _outputs(model, outputs)
    if known.several and isinstance(y, (dict, list, tuple)):
        y = known.targets(y)[_place(outputs, chosen)]
    return np.asarray(y)


def _outputs(model: Any, outputs: Any) -> Outputs:
    return Outputs(outputs, getattr(model, "output_names", None))


def _place(outputs: Any, chosen: Any) -> int:
    return [one is chosen for one in flatten(outputs)].index(True)


def _kind(function: Loss, true: np.ndarray, predicted: np.ndarray) -> str:
    """What the output tells: "classes", "two classes" (the probability of one), or "values"."""
    name = getattr(getattr(function, "fn", None), "__name__", function.name)
    binary = name.startswith("binary")
    if predicted.ndim > 1 and predicted.shape[-1] > 1 and not binary:
        positions = predicted.shape[:-1]
        sparse = true.dtype.kind in "iub" and true.shape in (positions, (*positions, 1))
        return "classes" if sparse or "sparse" in name or is_one_hot(true) else "values"
    return "two classes" if binary and np.isin(true, (0, 1)).all() else "values"
