"""The closed form: the law, the peers, each trap, bad input."""

import numpy as np
import pytest
import torch
from scipy.linalg import LinAlgWarning
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.datasets import load_digits, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils.estimator_checks import check_estimator

from spaces_core.practice import GaussianSoftmaxClassifier


def data(seed=0, n=90, d=4, k=3, offset=0.0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + y[:, None] + offset, y


def centred(logits):
    return logits - logits.mean(1, keepdims=True) if logits.ndim == 2 else logits


@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_accepts_it():
    check_estimator(GaussianSoftmaxClassifier())
    check_estimator(GaussianSoftmaxClassifier(shrinkage="auto"))


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("shrinkage", [None, 0.3])
def test_agrees_with_lda(k, shrinkage):
    x, y = data(k=k)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(x, y).decision_function(x)
    ours = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x, y).decision_function(x)
    np.testing.assert_allclose(centred(ours), centred(peer), rtol=0, atol=1e-9)


def test_agrees_with_lda_on_real_data():
    x, y = load_wine(return_X_y=True)
    peer = LinearDiscriminantAnalysis(solver="lsqr").fit(x, y).predict_proba(x)
    np.testing.assert_allclose(GaussianSoftmaxClassifier().fit(x, y).predict_proba(x), peer, rtol=0, atol=1e-9)


def test_auto_is_ledoit_and_wolf_on_class_centred_samples():
    x, y = data()
    z = x - np.stack([x[y == i].mean(0) for i in range(3)])[y]
    got = GaussianSoftmaxClassifier(shrinkage="auto").fit(x, y).shrinkage_
    assert 0 < got < 1
    assert got == pytest.approx(ledoit_wolf_shrinkage(z, assume_centered=True), rel=1e-9)


@pytest.mark.parametrize("shrinkage", [None, "auto"])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_batches_give_the_same_model(shrinkage, offset):
    x, y = data(offset=offset)
    w = np.random.default_rng(1).uniform(0.5, 2, len(y))
    once = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x, y, w)
    parts = GaussianSoftmaxClassifier(shrinkage=shrinkage)
    for i in range(0, len(y), 7):
        parts.partial_fit(x[i : i + 7], y[i : i + 7], classes=range(3), sample_weight=w[i : i + 7])
    np.testing.assert_allclose(parts.coef_, once.coef_, rtol=1e-6 if offset else 1e-10, atol=1e-10)
    assert parts.shrinkage_ == pytest.approx(once.shrinkage_, rel=1e-6)


@pytest.mark.parametrize("shrinkage", [None, "auto"])
def test_a_weight_is_a_repetition(shrinkage):
    x, y = data()
    w = np.random.default_rng(2).integers(1, 4, len(y))
    a = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x, y, sample_weight=w)
    b = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(np.repeat(x, w, 0), np.repeat(y, w))
    np.testing.assert_allclose(a.predict_log_proba(x), b.predict_log_proba(x), rtol=1e-9, atol=1e-10)


def test_an_invertible_affine_map_changes_nothing():
    x, y = data()
    a, c = np.random.default_rng(3).normal(size=(4, 4)), np.array([5.0, -2, 0, 9])
    model = GaussianSoftmaxClassifier()
    before = model.fit(x, y).predict_log_proba(x)
    np.testing.assert_allclose(model.fit(x @ a + c, y).predict_log_proba(x @ a + c), before, atol=1e-8)


def test_the_total_covariance_would_shrink_the_direction():
    x, y = data(k=2)
    w = GaussianSoftmaxClassifier().fit(x, y).coef_[0]
    delta, p = x[y == 1].mean(0) - x[y == 0].mean(0), y.mean()
    total = np.linalg.solve(np.cov(x.T, ddof=0), delta)
    np.testing.assert_allclose(total * (1 + p * (1 - p) * (w @ delta)), w, rtol=1e-9)


def test_priors_move_only_the_intercepts():
    x, y = data()
    a, b = GaussianSoftmaxClassifier().fit(x, y), GaussianSoftmaxClassifier(priors=[0.7, 0.2, 0.1]).fit(x, y)
    shift = centred(b.decision_function(x) - a.decision_function(x))
    np.testing.assert_allclose(shift, np.tile(centred(np.log([[2.1, 0.6, 0.3]])), (len(x), 1)), atol=1e-9)


def test_few_samples_warn_without_shrinkage():
    x, y = load_digits(return_X_y=True)
    with pytest.warns(LinAlgWarning, match="N - K >= d"):
        bare = GaussianSoftmaxClassifier().fit(x[:50], y[:50])
    few = GaussianSoftmaxClassifier(shrinkage="auto").fit(x[:50], y[:50])
    assert few.score(x[50:], y[50:]) > bare.score(x[50:], y[50:])


@pytest.mark.parametrize("dtype, atol", [(torch.float64, 1e-10), (torch.float32, 2e-3)])
@pytest.mark.parametrize("shrinkage", [None, "auto"])
def test_tensors_give_tensors(dtype, atol, shrinkage):
    x, y = data()
    peer = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x, y)
    t = torch.from_numpy(x).to(dtype)
    ours = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(t, torch.from_numpy(y))
    proba = ours.predict_proba(t)
    assert proba.dtype == dtype and ours.coef_.dtype == dtype and isinstance(ours.predict(t), torch.Tensor)
    np.testing.assert_allclose(proba.double().numpy(), peer.predict_proba(x), atol=atol)


@pytest.mark.parametrize("bad", [-0.1, 1.5, "ledoit"])
def test_bad_shrinkage(bad):
    with pytest.raises(ValueError, match="shrinkage must be"):
        GaussianSoftmaxClassifier(shrinkage=bad).fit(*data())


@pytest.mark.parametrize("bad", [[0.5, 0.5], [0.5, 0.5, 0.5], [1.0, 0.0, 0.0]])
def test_bad_priors(bad):
    with pytest.raises(ValueError, match="priors must be"):
        GaussianSoftmaxClassifier(priors=bad).fit(*data())


def test_bad_batches():
    x, y = data()
    with pytest.raises(ValueError, match="needs classes="):
        GaussianSoftmaxClassifier().partial_fit(x, y)
    with pytest.raises(ValueError, match="not among classes"):
        GaussianSoftmaxClassifier().partial_fit(x, y, classes=[0, 1])
    with pytest.raises(ValueError, match="non-negative"):
        GaussianSoftmaxClassifier().fit(x, y, sample_weight=-np.ones(len(y)))
