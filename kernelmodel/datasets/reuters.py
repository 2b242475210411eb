"""Newswires."""

from kernelmodel.datasets import words
from kernelmodel.datasets.reading import Arrays, check_split, cut, load_npz, mixed

__all__ = ["get_label_names", "get_word_index", "load_data"]


def __dir__() -> list[str]:
    return list(__all__)


TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply",
    "coffee", "sugar", "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi",
    "money-fx", "interest", "gnp", "meal-feed", "alum", "oilseed", "gold", "tin",
    "strategic-metal", "livestock", "retail", "ipi", "iron-steel", "rubber", "heat", "jobs", "lei",
    "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Arrays, Arrays]:
    """11,228 newswires on 46 topics, as lists of word numbers.

    Words are numbered by how frequent they are. 0 is free for padding.

    Args:
        path: Name of the file in the cache.
        num_words: Numbers from it on become `oov_char`; None for no limit.
        skip_top: Numbers below it become `oov_char`.
        maxlen: Longer newswires are left out; None for no limit.
        test_split: Share of the newswires for the test.
        seed: Integer for the order of the newswires.
        start_char: What each newswire begins with, or None.
        oov_char: What words that aren't kept become; None to leave them out.
        index_from: Added to the numbers of words.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists, and numbers of topics.

    Raises:
        ValueError: `maxlen` leaves nothing, or a share that isn't at least 0 and below 1.

    Source: Lewis, *Reuters-21578 text categorization test collection*, 1997.
    """
    check_split(test_split)
    file_hash = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
    arrays = load_npz(path, "reuters.npz", file_hash)
    x, labels = mixed(arrays["x"], arrays["y"], seed)
    texts, labels = words.at_most(maxlen, words.with_markers(x, start_char, index_from), labels)
    return cut(words.of_vocabulary(texts, num_words, skip_top, oov_char), labels, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The number of each word; `load_data` adds `index_from` to them.

    Args:
        path: Name of the file in the cache.
    """
    file_hash = "4d44cc38712099c9e383dc6e5f11a921"
    return words.word_index(path, "reuters_word_index.json", file_hash)


def get_label_names() -> tuple[str, ...]:
    """The names of the topics, in the order of their numbers.

    Examples:
        >>> import kernelmodel as km
        >>> km.datasets.reuters.get_label_names()[3]
        'earn'
    """
    return TOPICS
