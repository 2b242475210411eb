"""Models as estimators of scikit-learn."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import kernelmodel as km
from kernelmodel.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

X, Y = load_iris(return_X_y=True)
QUIET = {"verbose": 0, "epochs": 5}


def network(X, y, loss, units=10, activation=None):
    """A small network for any data; it draws the same weights each time."""
    km.utils.set_random_seed(0)
    outputs = y.shape[1] if y.ndim > 1 else 1
    layers = [km.layers.Dense(units, "relu"), km.layers.Dense(outputs, activation)]
    model = km.Sequential([km.Input(X.shape[1:]), *layers])
    model.compile(km.optimizers.RMSprop(0.01), loss)
    return model


CLASSES = {"loss": "categorical_crossentropy", "activation": "softmax"}
ESTIMATORS = [
    SKLearnClassifier(network, model_kwargs=CLASSES, fit_kwargs=QUIET),
    SKLearnRegressor(network, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET),
    SKLearnTransformer(network, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET),
]
OUTPUTS = "as in Keras, decision_function gives the outputs, two columns for two classes"
FAILS = {
    "SKLearnClassifier": {
        "check_classifiers_train": OUTPUTS,
        "check_classifiers_classes": OUTPUTS,
        "check_classifiers_one_label_sample_weights": "samples of weight 0 aren't left out",
    },
    "SKLearnRegressor": {"check_regressor_multioutput": "outputs are float32, as of the model"},
}


@pytest.mark.filterwarnings("ignore")  # the checks pass data that deserves warnings
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_checks_of_sklearn(estimator):
    fails = FAILS.get(type(estimator).__name__, {})
    results = check_estimator(estimator, expected_failed_checks=fails, on_fail=None)
    failed = [(r["check_name"], r["exception"]) for r in results if r["status"] == "failed"]
    assert not failed
    assert sum(r["status"] == "passed" for r in results) >= 39


def test_a_model_is_copied_for_each_fit():
    model = network(X, Y[:, None], "mse")
    before = model.get_weights()
    estimator = SKLearnRegressor(model, fit_kwargs={**QUIET, "epochs": 2})
    estimator.fit(X, Y)
    for x, y in zip(model.get_weights(), before):
        np.testing.assert_array_equal(x, y)
    assert estimator.model_ is not model
    assert type(estimator.model_.optimizer) is type(model.optimizer)
    assert len(estimator.history_.history["loss"]) == 2
    estimator.fit(X, Y, epochs=3)
    assert len(estimator.history_.history["loss"]) == 3


def test_a_warm_start_goes_on():
    model = network(X, Y[:, None], "mse")
    estimator = SKLearnRegressor(model, warm_start=True, fit_kwargs=QUIET)
    first = estimator.fit(X, Y).history_.history["loss"][0]
    assert estimator.model_ is model
    assert estimator.fit(X, Y).history_.history["loss"][0] < first


def test_names_of_classes_come_back():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    estimator = SKLearnClassifier(
        network, model_kwargs=CLASSES, fit_kwargs={"verbose": 0, "epochs": 60}
    )
    estimator.fit(X, names)
    assert estimator.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert estimator.score(X, names) > 0.9
    assert estimator.decision_function(X).shape == (150, 3)


def test_several_targets():
    both = np.stack([X[:, 0], X[:, 1]], 1)
    estimator = ESTIMATORS[1]
    assert clone(estimator).fit(X, both).predict(X).shape == (150, 2)
    assert clone(estimator).fit(X, X[:, :1]).predict(X).shape == (150, 1)


def test_searches_and_pipelines():
    search = GridSearchCV(
        SKLearnClassifier(network, model_kwargs=CLASSES, fit_kwargs=QUIET),
        {"fit_kwargs": [{**QUIET, "epochs": 1}, {**QUIET, "epochs": 20}]},
        cv=3,
    )
    search.fit(X, Y)
    assert search.best_params_["fit_kwargs"]["epochs"] == 20
    model = network(X, Y[:, None], "mse")
    features = SKLearnTransformer(model, fit_kwargs=QUIET)
    pipeline = make_pipeline(StandardScaler(), features, clone(ESTIMATORS[1]))
    assert pipeline.fit(X, Y).predict(X).shape == (150,)
    scores = cross_val_score(clone(ESTIMATORS[0]), X, Y, cv=3, n_jobs=2)
    assert scores.shape == (3,)


def test_a_trained_estimator_is_pickled():
    estimator = clone(ESTIMATORS[0]).fit(X, Y)
    twin = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(twin.predict(X), estimator.predict(X))
    np.testing.assert_allclose(twin.decision_function(X), estimator.decision_function(X), rtol=1e-6)


def test_what_is_wrong():
    with pytest.raises(TypeError, match="must be a compiled model, or a function"):
        SKLearnRegressor(3).fit(X, Y)
    with pytest.raises(RuntimeError, match="needs a compiled model: call"):
        SKLearnRegressor(km.Sequential([km.Input((4,)), km.layers.Dense(1)])).fit(X, Y)
    with pytest.raises(ValueError, match="only one class is present"):
        clone(ESTIMATORS[0]).fit(X, np.ones(150, int))


def test_without_scikit_learn():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import kernelmodel as km\n"
        "try: km.wrappers.SKLearnClassifier\n"
        "except ImportError as error: print(error)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "kernelmodel.wrappers needs the package scikit-learn. Install it" in found.stdout


@pytest.mark.oracle
def test_arguments_are_those_of_keras(keras):
    for cls in (SKLearnClassifier, SKLearnRegressor, SKLearnTransformer):
        theirs = inspect.signature(getattr(keras.wrappers, cls.__name__))
        assert list(inspect.signature(cls).parameters) == list(theirs.parameters)
