"""The closed form: the law, the peers, each trap, bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import LinAlgWarning
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.datasets import load_digits, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import check_estimator

from spaces_core.practice import GaussianSoftmaxClassifier, calibration_error
from tests.benchmarks.practice import logistic_closed_form as benchmark


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


# --- the law, over all parameters -------------------------------------------------------------------------------------
problems = {"seed": st.integers(0, 10_000), "k": st.integers(2, 6), "d": st.integers(1, 5)}


@settings(max_examples=60, deadline=None)
@given(**problems, s=st.floats(0.01, 1), weighted=st.booleans())
def test_probabilities_are_those_of_bayes_rule(seed, k, d, s, weighted):
    x, y = data(seed, n=12 * k, d=d, k=k)
    w = np.random.default_rng(seed).uniform(0.2, 3, len(y)) if weighted else np.ones(len(y))
    model = GaussianSoftmaxClassifier(shrinkage=s).fit(x, y, sample_weight=w)
    mu = np.stack([np.average(x[y == i], axis=0, weights=w[y == i]) for i in range(k)])
    z = (x - mu[y]) * np.sqrt(w)[:, None]
    cov = z.T @ z / w.sum()
    cov = (1 - s) * cov + s * np.trace(cov) / d * np.eye(d)
    share = np.array([w[y == i].sum() for i in range(k)]) / w.sum()
    gap = x[:, None] - mu
    joint = np.log(share) - np.einsum("nkd,de,nke->nk", gap, np.linalg.inv(cov), gap) / 2
    joint -= joint.max(1, keepdims=True)
    expected = joint - np.log(np.exp(joint).sum(1, keepdims=True))
    np.testing.assert_allclose(model.predict_log_proba(x), expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(model.predict(x), model.predict_proba(x).argmax(1))


@settings(max_examples=30, deadline=None)
@given(**problems, auto=st.booleans(), parts=st.integers(1, 5))
def test_any_split_and_order_of_batches(seed, k, d, auto, parts):
    x, y = data(seed, n=15 * k, d=d, k=k)
    options = {"shrinkage": "auto" if auto else 0.1}
    once = GaussianSoftmaxClassifier(**options).fit(x, y)
    many = GaussianSoftmaxClassifier(**options)
    for at in np.array_split(np.random.default_rng(seed).permutation(len(y)), parts):
        many.partial_fit(x[at], y[at], classes=range(k))
    np.testing.assert_allclose(many.predict_log_proba(x), once.predict_log_proba(x), rtol=1e-6, atol=1e-7)


@settings(max_examples=60, deadline=None)
@given(**problems)
def test_law_of_total_covariance(seed, k, d):
    x, y = data(seed, n=9 * k + 1, d=d, k=k)
    model = GaussianSoftmaxClassifier(shrinkage=0.0).fit(x, y)
    gap = model.means_ - x.mean(0)
    between = (gap.T * model.priors_) @ gap
    np.testing.assert_allclose(model.covariance_ + between, np.cov(x.T, ddof=0).reshape(d, d), rtol=1e-9, atol=1e-9)


# --- traps ------------------------------------------------------------------------------------------------------------
def test_whitening_by_n_minus_one_is_a_ridge_that_ours_does_not_have():
    x, y = data(n=40)
    size, u = np.linalg.eigh(np.cov(x.T))  # divided by N - 1, as in the post's code
    white = (x - x.mean(0)) @ (u / np.sqrt(size))
    model = GaussianSoftmaxClassifier().fit(white, y)
    post = np.eye(4) - (model.means_.T * model.priors_) @ model.means_
    np.testing.assert_allclose(post, model.covariance_ + np.eye(4) / 40, atol=1e-12)
    assert np.abs(post - model.covariance_).max() > 0.02


@pytest.mark.parametrize("ddof", [0, 1])
def test_the_post_equals_lda_only_when_whitened_by_n(ddof):
    x, y = load_digits(return_X_y=True)
    x = x[:, x.std(0) > 0]
    size, u = np.linalg.eigh(np.cov(x.T, ddof=ddof))
    white = (x - x.mean(0)) @ (u / np.sqrt(size))
    means = np.stack([white[y == k].mean(0) for k in range(10)])
    share = np.bincount(y) / len(y)
    w = np.linalg.solve(np.eye(x.shape[1]) - (means.T * share) @ means, means.T)
    post = centred(white @ w + np.log(share) - (means * w.T).sum(1) / 2)
    lda = centred(LinearDiscriminantAnalysis(solver="lsqr").fit(x, y).decision_function(x))
    ours = centred(GaussianSoftmaxClassifier().fit(x, y).decision_function(x))
    np.testing.assert_allclose(ours, lda, rtol=0, atol=1e-8)
    gap = np.abs(post - lda).max()
    assert gap < 1e-8 if ddof == 0 else 0.01 < gap < 1


def test_with_few_samples_the_probabilities_are_worse_than_the_decisions():
    x, y = load_digits(return_X_y=True)
    x = x / 16
    losses, shares = [], []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        few, rest = order[:200], order[200:]
        for model in (GaussianSoftmaxClassifier(shrinkage=0.003), LogisticRegression(C=2.5, max_iter=500)):
            log_p = model.fit(x[few], y[few]).predict_log_proba(x[rest])
            losses.append(-log_p[range(len(rest)), y[rest]].mean())
            shares.append((log_p.argmax(1) == y[rest]).mean())
    assert min(shares) > 0.8
    assert all(a > b for a, b in zip(losses[::2], losses[1::2], strict=True))


def test_with_one_sample_a_class_only_the_priors_are_left():
    x, y = data(n=3)
    with pytest.warns(LinAlgWarning, match="cannot be inverted"):
        model = GaussianSoftmaxClassifier().fit(x, y)
    np.testing.assert_allclose(model.predict_proba(x), 1 / 3, atol=1e-12)


def test_exponential_features_bias_the_slope_and_not_by_chance():
    rng = np.random.default_rng(0)
    y = np.arange(400_000) % 2
    x = rng.exponential(np.where(y == 0, 0.5, 1.0))[:, None]  # rates 2 and 1: the true slope is 1
    assert GaussianSoftmaxClassifier().fit(x, y).coef_[0, 0] == pytest.approx(0.8, abs=0.01)


def test_large_offsets_in_single_precision():
    x, y = data(n=600, offset=1000.0)
    exact = GaussianSoftmaxClassifier().fit(x, y).predict_proba(x)
    single = GaussianSoftmaxClassifier().fit(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
    got = single.predict_proba(torch.tensor(x, dtype=torch.float32))
    assert got.dtype == torch.float32
    np.testing.assert_allclose(got.numpy(), exact, atol=0.05)


def test_log_probabilities_are_finite_where_probabilities_underflow():
    x, y = np.array([[0.0], [1.0], [1000.0], [1001.0]]), np.array([0, 0, 1, 1])
    model = GaussianSoftmaxClassifier().fit(x, y)
    assert np.isfinite(model.predict_log_proba(x)).all() and model.predict_proba(x).min() == 0


def test_benchmark_agreement():
    (small,) = benchmark.rows(small=True)
    ours = small["ours"]()
    for name, peer in small["peers"].items():
        gap = small["agreement"](ours, peer())
        assert gap < 1e-9 or "another estimate" in name, name
    assert small["error"](ours) < 0.5


# --- calibration ------------------------------------------------------------------------------------------------------
def test_calibration_error_by_hand():
    proba = np.array([[0.95, 0.05], [0.9, 0.1], [0.4, 0.6], [0.35, 0.65]])
    y = np.array([0, 1, 1, 1])
    assert calibration_error(proba, y) == pytest.approx(abs(0.5 - 0.925) / 2 + 0.375 / 2)
    assert calibration_error(proba, y, bins=1) == pytest.approx(0.025)


@pytest.mark.parametrize(
    "proba, y, bins, match",
    [
        (np.array([[1.5, -0.5]]), np.array([0]), 10, "not logits"),
        (np.array([[0.5, 0.5]]), np.array([2]), 10, "columns of proba"),
        (np.array([[0.5, 0.5]]), np.array([1]), 0, "at least one"),
    ],
)
def test_bad_calibration_input(proba, y, bins, match):
    with pytest.raises(ValueError, match=match):
        calibration_error(proba, y, bins)
