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
    check_estimator(GaussianSoftmaxClassifier(shrinkage=0.1, standardize=False))


@pytest.mark.parametrize("k", [2, 3, 7])
@pytest.mark.parametrize("shrinkage", [None, 0.3])
def test_agrees_with_lda(k, shrinkage):
    x, y = data(k=k)
    peer = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage).fit(x, y).decision_function(x)
    ours = GaussianSoftmaxClassifier(shrinkage=shrinkage, standardize=False).fit(x, y).decision_function(x)
    np.testing.assert_allclose(centred(ours), centred(peer), rtol=0, atol=1e-9)
    within = x - np.stack([x[y == i].mean(0) for i in range(k)])[y]
    x = x / within.std(0)  # in these units shrinking the correlations is shrinking the covariance
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
    for standardize, peer in ((True, z / z.std(0)), (False, z)):
        got = GaussianSoftmaxClassifier(shrinkage="auto", standardize=standardize).fit(x, y).shrinkage_
        assert 0 < got < 1
        assert got == pytest.approx(ledoit_wolf_shrinkage(peer, assume_centered=True), rel=1e-9)


@pytest.mark.parametrize("shrinkage", [None, 0.3, 1.0, "auto"])
def test_units_do_not_matter(shrinkage):
    x, y = data()
    units = np.array([1e3, 1e-4, 1.0, 7.0])
    before = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x, y).predict_log_proba(x)
    after = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x * units, y).predict_log_proba(x * units)
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-8)


def test_shrinkage_leaves_the_variances():
    x, y = data()
    plain, half, full = (GaussianSoftmaxClassifier(shrinkage=s).fit(x, y).covariance_ for s in (None, 0.5, 1.0))
    np.testing.assert_allclose(full, np.diag(np.diag(plain)), atol=1e-12)
    np.testing.assert_allclose(half, (plain + full) / 2, atol=1e-12)


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


@pytest.mark.parametrize("bad", [-0.1, 1.5, "ledoit", True, float("nan"), [0.1], torch.tensor(0.1)])
def test_bad_shrinkage(bad):
    with pytest.raises(ValueError, match="shrinkage must be"):
        GaussianSoftmaxClassifier(shrinkage=bad).fit(*data())


@pytest.mark.parametrize("bad", [None, "no", 1])
def test_bad_standardize(bad):
    with pytest.raises(ValueError, match="standardize must be"):
        GaussianSoftmaxClassifier(shrinkage=0.1, standardize=bad).fit(*data())


@pytest.mark.parametrize("bad", [[0.5, 0.5], [0.5, 0.5, 0.5], [1.0, 0.0, 0.0], [float("nan"), 0.5, 0.5], "uniform"])
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


@pytest.mark.parametrize("bad", [torch.float16, torch.bfloat16, torch.int64])
def test_bad_tensors(bad):
    x, y = data()
    with pytest.raises(ValueError, match="float32 or float64"):
        GaussianSoftmaxClassifier().fit(torch.tensor(x).to(bad), y)


def test_one_class_is_no_problem_to_solve():
    x, y = data()
    for run in (
        lambda m: m.fit(x, np.zeros(len(y))),
        lambda m: m.partial_fit(x, np.zeros(len(y)), classes=[0]),
    ):
        with pytest.raises(ValueError, match="at least 2 classes"):
            run(GaussianSoftmaxClassifier())


def test_a_batch_that_raises_is_not_added():
    x, y = data()
    model = GaussianSoftmaxClassifier(priors=[0.5, 0.5])
    for _ in range(2):
        with pytest.raises(ValueError, match="priors must be"):
            model.partial_fit(x, y, classes=range(3))
    model.set_params(priors=None).partial_fit(x[:60], y[:60], classes=range(3))
    with pytest.raises(ValueError, match="not among classes"):
        model.partial_fit(x, y + 1)
    model.set_params(shrinkage=2.0)
    with pytest.raises(ValueError, match="shrinkage must be"):
        model.partial_fit(x, y)
    model.set_params(shrinkage=None).partial_fit(x[60:], y[60:])
    np.testing.assert_allclose(model.coef_, GaussianSoftmaxClassifier().fit(x, y).coef_, rtol=1e-10)


@pytest.mark.parametrize("scale", [1e-160, 1e150])
def test_features_out_of_the_range_of_the_dtype(scale):
    x, y = data()
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="rescale the features"):
        GaussianSoftmaxClassifier(shrinkage="auto").fit(x * scale, y)


@pytest.mark.parametrize("make", [lambda y: y > 0, lambda y: np.array(list("abc"))[y], lambda y: y.astype(np.int8) - 1])
def test_labels_of_other_kinds(make):
    x, y = data()
    label = make(y)
    got = GaussianSoftmaxClassifier().fit(x, label).predict(x)
    assert got.dtype == label.dtype
    t = torch.from_numpy(x)
    of_tensor = GaussianSoftmaxClassifier().fit(t, label).predict(t)
    assert isinstance(of_tensor, torch.Tensor) == (label.dtype.kind != "U")
    np.testing.assert_array_equal(np.asarray(of_tensor), got)


@pytest.mark.parametrize("priors", [None, [0.4, 0.6]])
@pytest.mark.parametrize("only", [0, 1])
def test_a_class_without_samples_so_far_has_probability_zero(priors, only):
    x, y = data(k=2)
    model = GaussianSoftmaxClassifier(priors=priors).partial_fit(x[y == only], y[y == only], classes=[0, 1])
    np.testing.assert_array_equal(model.predict_proba(x)[:, only], 1)
    assert (model.predict(x) == only).all()


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
    cov = (1 - s) * cov + s * np.diag(np.diag(cov))
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
        closed = GaussianSoftmaxClassifier(shrinkage=0.003, standardize=False)
        for model in (closed, LogisticRegression(C=2.5, max_iter=500)):
            log_p = model.fit(x[few], y[few]).predict_log_proba(x[rest])
            losses.append(-log_p[range(len(rest)), y[rest]].mean())
            shares.append((log_p.argmax(1) == y[rest]).mean())
    assert min(shares) > 0.8
    assert all(a > b for a, b in zip(losses[::2], losses[1::2], strict=True))


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
@pytest.mark.parametrize("shrinkage", [None, 0.3, "auto"])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("weight", [1.0, 3.0])
def test_with_one_sample_a_class_the_nearest_mean_is_left(shrinkage, standardize, weight):
    x, y = data(k=5, n=5)
    fresh, _ = data(seed=1, k=5)
    options = {"shrinkage": shrinkage, "standardize": standardize}
    model = GaussianSoftmaxClassifier(**options).fit(x, y, sample_weight=np.full(5, weight))
    gap = (fresh[:, None] - x) / (x.std(0) if standardize else 1)
    np.testing.assert_array_equal(model.predict(fresh), y[np.square(gap).sum(2).argmin(1)])
    parts = GaussianSoftmaxClassifier(**options)
    for i in range(5):
        parts.partial_fit(x[i : i + 1], y[i : i + 1], classes=range(5), sample_weight=np.full(1, weight))
    np.testing.assert_allclose(parts.coef_, model.coef_, rtol=1e-9, atol=1e-9)


def test_one_sample_a_class_of_digits():
    x, y = load_digits(return_X_y=True)
    first = [np.flatnonzero(y == k)[0] for k in range(10)]
    with pytest.warns(LinAlgWarning, match="nearest class mean"):
        bare = GaussianSoftmaxClassifier(standardize=False).fit(x[first], y[first])
    nearest = y[first][np.square(x[:, None] - x[first]).sum(2).argmin(1)]
    assert (bare.predict(x) == nearest).mean() > 0.998  # pixels are whole numbers: there are ties
    assert bare.score(x, y) > 0.55  # chance is 0.1
    assert GaussianSoftmaxClassifier(shrinkage="auto", standardize=False).fit(x[first], y[first]).score(x, y) > 0.55


@pytest.mark.parametrize("shrinkage", [0.3, "auto"])
def test_a_feature_that_does_not_vary_within_the_classes(shrinkage):
    """A constant changes nothing; a feature that names the class is counted with its variance over all samples."""
    x, y = data(k=2)
    plain = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(x, y)
    constant = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(np.c_[x, np.full(len(y), 1e3)], y)
    np.testing.assert_allclose(constant.coef_[:, :4], plain.coef_, rtol=1e-9)
    named = GaussianSoftmaxClassifier(shrinkage=shrinkage).fit(np.c_[x, 7.0 * y], y)
    np.testing.assert_allclose(named.coef_[:, 4], 7 / (49 / 4), rtol=1e-9)
    np.testing.assert_allclose(named.coef_[:, :4], plain.coef_, rtol=1e-9)
    assert named.shrinkage_ == pytest.approx(plain.shrinkage_)


@pytest.mark.parametrize("value", [0.1, 1e3 / 7, -1e-5])
def test_a_constant_that_sums_round_has_no_weight(value):
    x, y = data(n=3000)
    model = GaussianSoftmaxClassifier(shrinkage=0.1).fit(np.c_[x, np.full(len(y), value)], y)
    assert np.abs(model.coef_[:, 4] * value).max() < 1e-9


def test_collinear_features():
    """Twice the same feature: with a warning the pseudo-inverse shares its weight out; shrinkage needs none."""
    x, y = data()
    plain = GaussianSoftmaxClassifier().fit(x, y)
    twice = np.c_[x, x[:, 0]]
    with pytest.warns(LinAlgWarning, match="pseudo-inverse"):
        bare = GaussianSoftmaxClassifier().fit(twice, y)
    np.testing.assert_allclose(bare.coef_[:, [0]] + bare.coef_[:, [4]], plain.coef_[:, [0]], rtol=1e-6)
    np.testing.assert_allclose(bare.predict_proba(twice), plain.predict_proba(x), atol=1e-8)
    shrunk = GaussianSoftmaxClassifier(shrinkage="auto").fit(twice, y)
    np.testing.assert_allclose(shrunk.coef_[:, 0], shrunk.coef_[:, 4], rtol=1e-9)


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
        (np.array([[0.5, 0.1]]), np.array([1]), 10, "rows of sum 1"),
    ],
)
def test_bad_calibration_input(proba, y, bins, match):
    with pytest.raises(ValueError, match=match):
        calibration_error(proba, y, bins)


@pytest.mark.parametrize("proba, y", [([0.5, 0.5], [1, 0]), ([[0.5, 0.5]], [1, 0]), ([[0.5, 0.5]], [1.0])])
def test_calibration_input_of_wrong_shape_or_type(proba, y):
    with pytest.raises((ValueError, TypeError)):  # a TypeError where shapes are enforced, as in these tests
        calibration_error(np.array(proba), np.array(y))
