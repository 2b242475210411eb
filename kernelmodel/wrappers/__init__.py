"""Models as estimators of scikit-learn."""

from kernelmodel.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __dir__() -> list[str]:
    return list(__all__)
