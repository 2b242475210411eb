"""Scripts in two processes that MPI started: the numbers are those of one process."""

import textwrap

import pytest

CLOSE = 2e-6

EQUAL = {
    "sgd, uneven last batch": """
        found = same(small, lambda: dict(optimizer=km.optimizers.SGD(0.1, momentum=0.9),
            loss="sparse_categorical_crossentropy", metrics=["accuracy"]),
            lambda: dict(epochs=3, batch_size=16, validation_split=0.2))
    """,
    "adam, a last batch of one sample": """
        found = same(small, lambda: dict(optimizer="adam", loss="sparse_categorical_crossentropy",
            metrics=[km.metrics.SparseCategoricalAccuracy(), "sparse_categorical_crossentropy"]),
            lambda: dict(epochs=4, batch_size=19, shuffle=False))
    """,
    "eager": """
        found = same(small, lambda: dict(optimizer="adam", loss="sparse_categorical_crossentropy",
            run_eagerly=True), lambda: dict(epochs=2, batch_size=15))
    """,
    "several steps a call, steps_per_epoch": """
        found = same(small, lambda: dict(optimizer="adam", loss="sparse_categorical_crossentropy",
            steps_per_execution=3),
            lambda: dict(epochs=4, batch_size=8, steps_per_epoch=7))
    """,
    "sample and class weights": """
        found = same(small, lambda: dict(optimizer="sgd", loss="sparse_categorical_crossentropy",
            weighted_metrics=["accuracy"]),
            lambda: dict(epochs=2, batch_size=13, sample_weight=weights,
                class_weight={0: 1.0, 1: 3.0, 2: 0.5}))
    """,
    "clipping, decay, accumulation, averages": """
        found = same(small, lambda: dict(optimizer=km.optimizers.AdamW(0.01, global_clipnorm=0.1,
            weight_decay=0.01, gradient_accumulation_steps=2, use_ema=True),
            loss="sparse_categorical_crossentropy"), lambda: dict(epochs=3, batch_size=16))
    """,
    "scaled loss": """
        found = same(small, lambda: dict(optimizer=km.optimizers.LossScaleOptimizer(
            km.optimizers.Adam()), loss="sparse_categorical_crossentropy"),
            lambda: dict(epochs=3, batch_size=16))
    """,
    "synchronized statistics": """
        found = same(lambda: small(km.layers.BatchNormalization(synchronized=True)),
            lambda: dict(optimizer="sgd", loss="sparse_categorical_crossentropy"),
            lambda: dict(epochs=3, batch_size=19))
    """,
    "a sum of losses": """
        def summed():
            loss = km.losses.SparseCategoricalCrossentropy(reduction="sum")
            return dict(optimizer=km.optimizers.SGD(0.003), loss=loss)
        found = same(small, summed, lambda: dict(epochs=2, batch_size=16))
    """,
    "a mean by weights": """
        def by_weights():
            loss = km.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
            return dict(optimizer="sgd", loss=loss)
        found = same(small, by_weights,
            lambda: dict(epochs=2, batch_size=16, sample_weight=weights))
    """,
    "masks of unequal length": """
        words = rng.integers(1, 20, (77, 5))
        for row in range(77):
            words[row, rng.integers(1, 5):] = 0
        tags = rng.integers(0, 3, (77, 5))
        def tagger():
            km.utils.set_random_seed(3)
            return km.Sequential([km.Input((5,)), km.layers.Embedding(20, 4, mask_zero=True),
                km.layers.Dense(3, activation="softmax")])
        found = same(tagger, lambda: dict(optimizer="sgd",
            loss="sparse_categorical_crossentropy", weighted_metrics=["accuracy"]),
            lambda: dict(epochs=2, batch_size=16, shuffle=False), (words, tags))
    """,
    "regularization, two outputs, a generator": """
        def two():
            km.utils.set_random_seed(3)
            inputs = km.Input((6,))
            hidden = km.layers.Dense(8, kernel_regularizer="l2")(inputs)
            return km.Model(inputs, [km.layers.Dense(1, name="a")(hidden),
                                     km.layers.Dense(1, name="b")(hidden)])
        class Batches(km.utils.PyDataset):
            def __len__(self): return 5
            def __getitem__(self, i):
                part = x[i * 16 : i * 16 + 16]
                return part, (part[:, :1], part[:, 1:2])
        found = same(two, lambda: dict(optimizer="adam", loss=["mse", "mae"],
            loss_weights=[1.0, 0.3]), lambda: dict(epochs=2), (Batches(),))
    """,
}


def in_one_world(world, cases, first=""):
    """Results of these cases by name, from one script: two Pythons for each would take seconds."""
    bodies = [f"{textwrap.dedent(EQUAL[case])}\ntell(case={case!r}, **found)\n" for case in cases]
    both, _ = world("\n".join([first, *bodies]))
    return {case: [one for one in both if one["case"] == case] for case in cases}


@pytest.fixture(scope="module")
def in_numpy(world):
    return in_one_world(world, EQUAL)


@pytest.mark.parametrize("case", EQUAL)
def test_training_is_that_of_one_process(in_numpy, case):
    assert [one["rank"] for one in in_numpy[case]] == [0, 1]
    for one in in_numpy[case]:
        assert one["weights"] < CLOSE
        assert one["logs"] < 2e-5


# Each of these asks the other workers for something else, or at another time.
COMPILED = (
    "adam, a last batch of one sample",
    "several steps a call, steps_per_epoch",
    "scaled loss",
    "synchronized statistics",
    "a sum of losses",
    "masks of unequal length",
)


@pytest.fixture(scope="module")
def under_xla(world):
    return in_one_world(world, COMPILED, "MORE['jit_compile'] = True")


@pytest.mark.parametrize("case", COMPILED)
def test_training_under_xla_is_that_of_one_process(under_xla, case):
    assert [one["rank"] for one in under_xla[case]] == [0, 1]
    for one in under_xla[case]:
        assert one["weights"] < 5 * CLOSE
        assert one["logs"] < 5e-5


def test_half_precision_is_that_of_one_process(world):
    """Gradients of bfloat16 weights are rounded, and summed in float32."""
    both, _ = world(
        """
        for policy in ("mixed_bfloat16", "bfloat16", "mixed_float16"):
            for jit in (False, True):
                km.config.set_dtype_policy(policy)
                found = same(small, lambda: dict(optimizer=km.optimizers.SGD(0.1),
                    loss="sparse_categorical_crossentropy", jit_compile=jit),
                    lambda: dict(epochs=2, batch_size=16))
                tell(policy=policy, jit=jit, **found)
        """
    )
    assert len(both) == 12
    for one in both:
        assert one["weights"] < (0.03 if one["policy"] == "bfloat16" else 0.006), one
        assert one["logs"] < 0.01, one


def test_predictions_come_in_order_and_scores_are_exact(world):
    both, _ = world(
        """
        model = small()
        with strategy.scope():
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        alone = km.models.clone_model(model)
        alone.set_weights(model.get_weights())
        alone.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        shards = km.distribute.Shards(lambda index, count: x[index * 40 : index * 40 + 40])
        tell(
            predicted=float(np.abs(model.predict(x, batch_size=19, verbose=0)
                - alone.predict(x, verbose=0)).max()),
            shards=float(np.abs(model.predict(shards, verbose=0)
                - alone.predict(x, verbose=0)).max()),
            scores=float(np.abs(np.subtract(model.evaluate(x, y, batch_size=19, verbose=0),
                alone.evaluate(x, y, batch_size=19, verbose=0))).max()),
        )
        """
    )
    for one in both:
        assert max(one["predicted"], one["shards"], one["scores"]) < CLOSE


def test_random_streams_are_each_workers_own_and_statistics_local(world):
    both, _ = world(
        """
        model = small(km.layers.Dropout(0.5), km.layers.BatchNormalization())
        with strategy.scope():
            model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=2, batch_size=16, verbose=0)
        state = model.layers[1].seed_generator.state.numpy().tolist()
        mean = model.layers[2].moving_mean.numpy().tolist()
        tell(state=state, mean=mean, draws=state[1])
        """
    )
    first, second = both
    assert first["state"][0] != second["state"][0]
    assert first["draws"] == second["draws"] == 10
    assert first["mean"] == second["mean"]
    assert any(first["mean"])


def test_logs_of_a_step_of_ones_own_are_reduced(world):
    both, _ = world(
        """
        class Own(km.Sequential):
            def train_step(self, data):
                logs = super().train_step(data)
                return {**logs, "samples": float(data[0].shape[0])}
        found = {}
        for method in ("auto", "sum", "first", "concat"):
            km.utils.set_random_seed(3)
            model = Own([km.Input((6,)), km.layers.Dense(3, activation="softmax")])
            with strategy.scope():
                model.compile("sgd", "sparse_categorical_crossentropy")
            model.distribute_reduction_method = method
            history = model.fit(x[:15], y[:15], batch_size=15, verbose=0).history
            found[method] = np.asarray(history["samples"][0]).tolist()
        tell(**found)
        """
    )
    for one in both:  # parts of 8 and 7 samples
        assert one["sum"] == 15
        assert one["first"] == 8
        assert one["concat"] == [8, 7]
        assert one["auto"] == pytest.approx((8 * 8 + 7 * 7) / 15)


def test_only_the_first_process_has_callbacks_and_its_changes_reach_all(world):
    both, _ = world(
        """
        seen = []
        class Look(km.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                seen.append(epoch)
                self.model.layers[0].bias.assign(np.full(8, float(epoch), "float32"))
            def on_epoch_end(self, epoch, logs=None):
                if epoch == 1:
                    self.model.stop_training = True
        model = small()
        with strategy.scope():
            model.compile(km.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
        history = model.fit(x, y, epochs=5, verbose=0, callbacks=[Look()])
        tell(seen=seen, bias=model.layers[0].bias.numpy().tolist(), epochs=history.epoch)
        """
    )
    assert [one["seen"] for one in both] == [[0, 1], []]
    for one in both:
        assert one["epochs"] == [0, 1]
        assert one["bias"] == [1.0] * 8


def test_sums_of_any_size_and_layout(world):
    both, _ = world(
        """
        from mpi4py import MPI
        from kernelmodel.distribute.exchange import MpiExchange
        exchange = MpiExchange(MPI.COMM_WORLD.Dup())
        found = []
        for shape in ((), (0,), (3,), (700, 1000)):
            for order in ("C", "F", "CF"[rank]):
                whole = np.array(rng.normal(size=shape), "float32", order=order)
                got = exchange.add(np.array(whole * (rank + 1), order=order))
                found.append(bool(np.array_equal(got, whole * 1 + whole * 2)))
        tell(found=found)
        """
    )
    assert [one["found"] for one in both] == [[True] * 12] * 2


@pytest.mark.parametrize("jit", [False, True])
def test_a_second_fit_and_then_steps_alone(world, jit):
    both, _ = world(
        f"""
        model = small()
        with strategy.scope():
            model.compile("adam", "sparse_categorical_crossentropy", jit_compile={jit})
        model.fit(x[:32], y[:32], batch_size=16, epochs=3, verbose=0)
        model.fit(x[:32], y[:32], batch_size=16, epochs=3, verbose=0)
        before = model.get_weights()[0]
        alone = rank == 0 and [
            model.train_on_batch(x[:8], y[:8]) for _ in range(4)  # of the shape of a part
        ]
        moved = float(np.abs(model.get_weights()[0] - before).max())
        tell(steps=int(model.optimizer.iterations), moved=moved)
        """
    )
    assert [one["steps"] for one in both] == [16, 12]
    assert both[0]["moved"] > 0 and both[1]["moved"] == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            """
            x[70] = np.nan  # in the part of worker 1
            """,
            ["FloatingPointError", "worker"],
        ),
        (
            """
            MORE["jit_compile"] = True
            x[70] = np.nan
            """,
            ["FloatingPointError", "`x` holds values"],
        ),
        (
            """
            class Odd(km.Sequential):
                def train_step(self, data):
                    if rank == 1:
                        raise ZeroDivisionError("odd one out")
                    return super().train_step(data)
            small = lambda: Odd([km.Input((6,)), km.layers.Dense(3, activation="softmax")])
            """,
            ["ZeroDivisionError: odd one out", "Worker 1 failed"],
        ),
        (
            """
            class Drift(km.layers.Layer):
                def build(self, shape):
                    self.w = self.add_weight((1,), "ones", trainable=False)
                def call(self, inputs):
                    self.w.assign([float(rank)])
                    return inputs * 1.0
            class Model(km.Sequential):
                def train_step(self, data):
                    logs = super().train_step(data)
                    kernel = self.layers[-1].kernel
                    kernel.assign(kernel + np.float32(rank))
                    return logs
            small = lambda: Model([km.Input((6,)), km.layers.Dense(3, activation="softmax")])
            """,
            ["the weights of worker(s) [1] differ"],
        ),
    ],
    ids=["nan", "nan under XLA", "error", "drift"],
)
def test_an_error_on_one_worker_ends_all(world, code, words):
    _, output = world(
        textwrap.dedent(code)
        + textwrap.dedent(
            """
            model = small()
            with strategy.scope():
                model.compile("sgd", "sparse_categorical_crossentropy", **MORE)
            model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
            """
        ),
        fails=True,
    )
    for word in words:
        assert word in output


def test_four_processes_on_shards_of_unequal_length(world):
    found, output = world(
        """
        import warnings
        warnings.simplefilter("always")
        parts = [20, 20, 20, 8]
        def load(index, count):
            rows = slice(sum(parts[:index]), sum(parts[: index + 1]))
            return x[rows], y[rows]
        model = small()
        with strategy.scope():
            model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(km.distribute.Shards(load), batch_size=16, epochs=2, verbose=0)
        scored = model.evaluate(x[:68], y[:68], verbose=0, return_dict=True)
        own = model.evaluate(km.distribute.Shards(load), batch_size=16, verbose=0,
            return_dict=True)
        tell(scored=scored, own=own)
        """,
        processes=4,
    )
    assert len(found) == 4
    assert "shards are unequal" in output
    for one in found:
        assert one["own"] == pytest.approx(one["scored"], abs=1e-5)
