"""Models as estimators of scikit-learn: in pipelines, cross-validation and searches.

Raises an ImportError, which says what to install, if scikit-learn is missing.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from kernelmodel.models import Model
from kernelmodel.models.cloning import clone_model
from kernelmodel.utils.arrays import to_categorical
from kernelmodel.utils.optional import require

require("sklearn", "scikit-learn", "kernelmodel.wrappers")

from sklearn.base import (  # noqa: E402
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.utils.multiclass import check_classification_targets, type_of_target  # noqa: E402
from sklearn.utils.validation import check_is_fitted, validate_data  # noqa: E402


class _Estimator(BaseEstimator):
    """{summary}

    Args:
        model: A compiled model, of which each fit trains a copy; or a function that makes one of
            `X` and `y`, which it gets as keyword arguments.
        warm_start: Whether a fit goes on with the weights of the one before.
        model_kwargs: More arguments for the function.
        fit_kwargs: Arguments of `model.fit`, such as `{"epochs": 10, "verbose": 0}`.

    Attributes:
        model_: The trained model.
        history_: What its `fit` returned.

    Raises:
        RuntimeError: In a fit, the model isn't compiled with a loss and an optimizer.
        TypeError: In a fit, `model` is neither a model nor a function.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Self:
        # The model stays one object, as functions do: each fit copies it.
        return type(self)(**self.get_params(deep=False))

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train.

        Args:
            X: (samples, features).
            y: Targets (samples,) or (samples, outputs).
            kwargs: Arguments of `model.fit`, before those of `fit_kwargs`.
        """
        X, y = validate_data(self, X, y, **self._checks())
        targets = self._learn_targets(y)
        model = self._model_for(X, targets)
        if not getattr(model, "compiled", False) or not model.loss or not model.optimizer:
            raise RuntimeError(
                f"{type(self).__name__} needs a compiled model: call "
                'model.compile(optimizer="adam", loss=...) before.'
            )
        self.history_ = model.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _model_for(self, X: Any, y: Any) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            return self.model if self.warm_start else copied(self.model)
        if not callable(self.model):
            raise TypeError(
                f"{type(self).__name__}: model must be a compiled model, or a function that makes "
                f"one of X and y, got {self.model!r}."
            )
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def _checks(self) -> dict[str, Any]:
        """How to check the samples and targets."""
        return {"multi_output": True}

    def _learn_targets(self, y: Any) -> Any:
        """The targets for the model; what is needed to go back is kept."""
        type_of_target(y, input_name="y", raise_unknown=True)
        self._flat = y.ndim == 1
        return y[:, None] if self._flat else y

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        verbose = (self.fit_kwargs or {}).get("verbose", 0)
        return np.asarray(self.model_.predict(X, verbose=verbose))


def copied(model: Any) -> Any:
    """A model with the architecture and the compile arguments of another, and new weights."""
    twin = clone_model(model)
    config = model.get_compile_config()
    if config:
        twin.compile_from_config(config)
    return twin


def described(summary: str, example: str) -> str:
    """The docstring of the base with a first line and an example."""
    return (_Estimator.__doc__ or "").replace("{summary}", summary) + example


class SKLearnClassifier(ClassifierMixin, _Estimator):
    __doc__ = described(
        "A model as a classifier of scikit-learn; it learns rows with a one for each class.",
        """
    Examples:
        >>> import kernelmodel as km
        >>> from sklearn.datasets import load_iris
        >>> def network(X, y, units):
        ...     layers = [km.Input(X.shape[1:]), km.layers.Dense(units, "relu")]
        ...     model = km.Sequential([*layers, km.layers.Dense(y.shape[1], "softmax")])
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> X, y = load_iris(return_X_y=True)
        >>> settings = {"epochs": 2, "verbose": 0}
        >>> estimator = km.wrappers.SKLearnClassifier(
        ...     network, model_kwargs={"units": 8}, fit_kwargs=settings
        ... )
        >>> estimator.fit(X, y).predict(X[:2]).shape
        (2,)
    """,
    )

    def predict(self, X: Any) -> np.ndarray:
        """The class of each sample, the one with the largest output."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(-1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """The outputs of the model, (samples, classes)."""
        return self._outputs(X)

    def _checks(self) -> dict[str, Any]:
        return {}

    def _learn_targets(self, y: Any) -> Any:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"Only binary and multiclass targets are supported. Target type: {kind}"
            )
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError(
                "Classifier can't train when only one class is present, got the class "
                f"{self.classes_[0]!r} only."
            )
        return to_categorical(numbers, len(self.classes_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, _Estimator):
    __doc__ = described(
        "A model as a regressor of scikit-learn.",
        """
    Examples:
        >>> import kernelmodel as km
        >>> from sklearn.datasets import load_diabetes
        >>> model = km.Sequential([km.Input((10,)), km.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> X, y = load_diabetes(return_X_y=True)
        >>> estimator = km.wrappers.SKLearnRegressor(model, fit_kwargs={"verbose": 0})
        >>> estimator.fit(X, y).predict(X[:2]).shape
        (2,)
    """,
    )

    def predict(self, X: Any) -> np.ndarray:
        """The outputs of the model, in the shape that the targets had."""
        outputs = self._outputs(X)
        return outputs[:, 0] if self._flat and outputs.ndim == 2 else outputs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags


class SKLearnTransformer(TransformerMixin, _Estimator):
    __doc__ = described(
        "A model as a transformer of scikit-learn: its outputs are features for the next step.",
        """
    Examples:
        >>> import numpy as np
        >>> import kernelmodel as km
        >>> model = km.Sequential([km.Input((3,)), km.layers.Dense(2)])
        >>> model.compile("sgd", "mse")
        >>> X, y = np.ones((4, 3)), np.ones((4, 2))
        >>> estimator = km.wrappers.SKLearnTransformer(model, fit_kwargs={"verbose": 0})
        >>> estimator.fit(X, y).transform(X).shape
        (4, 2)
    """,
    )

    def transform(self, X: Any) -> np.ndarray:
        """The outputs of the model."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.transformer_tags.preserves_dtype = []
        return tags
