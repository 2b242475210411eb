"""Models of many kinds, whose graphs are drawn in tests; also the first cell of test notebooks."""

import numpy as np

import kernelmodel as km

L = km.layers
NASTY = "<img src=x onerror=alert(1)>"


def resnet50(size=64, classes=10):
    """A model of the size and form of ResNet50: 53 convolutions, 16 blocks with shortcuts."""

    def conv(x, filters, kernel, strides, name, activate=True):
        x = L.Conv2D(filters, kernel, strides, padding="same", name=f"{name}_conv")(x)
        x = L.BatchNormalization(name=f"{name}_bn")(x)
        return L.Activation("relu", name=f"{name}_relu")(x) if activate else x

    image = km.Input((size, size, 3), name="image")
    x = conv(image, 64, 7, 2, "conv1")
    x = L.MaxPooling2D(3, 2, padding="same", name="pool1")(x)
    for stage, (filters, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for block in range(blocks):
            name = f"conv{stage}_block{block + 1}"
            strides = 2 if block == 0 and stage > 2 else 1
            short = x
            if block == 0:
                short = conv(x, 4 * filters, 1, strides, f"{name}_0", False)
            y = conv(x, filters, 1, strides, f"{name}_1")
            y = conv(y, filters, 3, 1, f"{name}_2")
            y = conv(y, 4 * filters, 1, 1, f"{name}_3", False)
            x = L.Add(name=f"{name}_add")([short, y])
            x = L.Activation("relu", name=f"{name}_out")(x)
    x = L.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = L.Dense(classes, activation="softmax", name="predictions")(x)
    return km.Model(image, outputs, name="resnet50")


def transformer(tokens=12, width=32, heads=4):
    """Two blocks of self-attention on tokens; one sum is an op, one a layer."""
    inputs = km.Input((tokens,), dtype="int32", name="tokens")
    x = L.Embedding(100, width, name="embed")(inputs)
    for block in range(2):
        seen = L.MultiHeadAttention(heads, 8, name=f"attention_{block}")(x, x)
        x = L.LayerNormalization(name=f"norm_{block}a")(x + seen)
        hidden = L.Dense(2 * width, activation="gelu", name=f"up_{block}")(x)
        hidden = L.Dense(width, name=f"down_{block}")(hidden)
        x = L.LayerNormalization(name=f"norm_{block}b")(L.Add(name=f"sum_{block}")([x, hidden]))
    x = L.GlobalAveragePooling1D(name="pooled")(x)
    return km.Model(inputs, L.Dense(3, activation="softmax", name="head")(x), name="transformer")


def twins():
    """Two inputs through one encoder, which is called twice and holds two models; two outputs."""
    image = km.Input((16, 16, 3), name="block_image")
    x = L.Conv2D(8, 3, activation="relu", padding="same", name="edges")(image)
    block = km.Model(image, L.MaxPooling2D(name="smaller")(x), name="block")
    tail = [km.Input((8, 8, 8), name="map"), L.Conv2D(4, 3, name="last"), L.Flatten(name="flat")]
    image = km.Input((16, 16, 3), name="encoder_image")
    encoded = km.Sequential(tail, name="tail")(block(image))
    encoder = km.Model(image, encoded, name="encoder")
    left, right = km.Input((16, 16, 3), name="left"), km.Input((16, 16, 3), name="right")
    both = L.Concatenate(name="both")([encoder(left), encoder(right)])
    same = L.Dense(1, activation="sigmoid", name="same")(both)
    return km.Model([left, right], [same, L.Dense(4, name="other")(both)], name="twins")


def one_layer():
    """A stack of a single layer."""
    return km.Sequential([km.Input((4,), name="x"), L.Dense(2, name="y")], name="tiny")


def recursive():
    """A layer that is called on its own output."""
    inputs = km.Input((4,), name="x")
    again = L.Dense(4, name="again")
    return km.Model(inputs, again(again(again(inputs))), name="recursive")


def chain(length):
    """A stack of many layers."""
    layers = [L.Dense(4, name=f"layer_{i}") for i in range(length)]
    return km.Sequential([km.Input((4,), name="x"), *layers], name="chain")


def odd_names():
    """Names that are markup, very long, from right to left, in wide letters."""
    x = inputs = km.Input((4,), name=NASTY)
    long = "a_name_" + "of_many_words_" * 12
    for name in (long, "שכבה_ראשונה", "طبقة_مخفية", "畳み込み層の名前", NASTY + "2"):
        x = L.Dense(4, name=name)(x)
    return km.Model(inputs, x, name=NASTY)


class Residual(L.Layer):
    """A layer of a user's own class, made of layers."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.up = L.Dense(2 * units, activation="relu", name="up")
        self.down = L.Dense(units, name="down")

    def call(self, inputs):
        return inputs + self.down(self.up(inputs))


class Subclassed(km.Model):
    """A model whose data flow only its code knows."""

    def __init__(self):
        super().__init__(name="own")
        self.first = L.Dense(4, activation="tanh", name="first")
        self.block = Residual(4, name="block")
        self.end = L.Dense(2, name="end")

    def call(self, inputs):
        return self.end(self.block(self.first(inputs)))


def built():
    """A subclassed model that has seen data."""
    model = Subclassed()
    model(np.zeros((1, 3), "float32"))
    return model
