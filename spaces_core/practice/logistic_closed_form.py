r"""A softmax classifier in closed form: Gaussian classes that share one covariance."""

import math
import warnings
from numbers import Real

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.linalg import LinAlgWarning
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import Tensor

SINGULAR = (
    "the within-class covariance of {n:g} samples in {k} classes and {d} features cannot be inverted "
    "(without shrinkage N - K >= d is needed, and no feature may follow from the others); "
    "{instead}; better: shrinkage='auto' or a number in (0, 1]"
)
RANGE = "the {} of the features leave the range of {}: rescale the features"


def _tensor(x: np.ndarray) -> Tensor:
    """Shares memory where torch allows it; it is only read."""
    return torch.from_numpy(np.ascontiguousarray(x)) if x.flags.writeable else torch.tensor(x)


def _units(
    variance: Float[Tensor, " d"], mean: Float[Tensor, "k d"], share: Float[Tensor, " k"], shared: bool
) -> tuple[Float[Tensor, " d"], Tensor]:
    """The unit of each feature, and whether it varies within the classes.

    The unit is its standard deviation within the classes; without one, that of all samples; without that, 1. A `shared`
    unit is the root of the mean variance.
    """
    between = share @ (mean - share @ mean).square()
    rounding = (10 * torch.finfo(mean.dtype).eps) ** 2 * (variance + share @ mean.square())
    if shared:
        variance, between, rounding = (v.mean().expand_as(v) for v in (variance, between, rounding))
    inside = variance > rounding
    unit = torch.where(inside, variance, torch.where(between > rounding, variance + between, 1.0)).sqrt()
    return unit, inside


def _gram(z: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    """`z.T @ z`; on a CPU by NumPy, which knows that it is symmetric and does half the work."""
    if z.device.type != "cpu" or z.dtype not in (torch.float32, torch.float64):
        return z.T @ z
    a = z.numpy()
    return torch.from_numpy(a.T @ a)


def _group(
    x: Float[Tensor, "n d"], codes: Int[Tensor, " n"], weight: Float[Tensor, " n"], k: int, per_class: bool
) -> dict[str, Tensor]:
    """Moments of one batch about its own class means; one large matrix product, or three where `per_class`.

    `third` holds the sums of `z_i² z_j` in each class, `fourth` those of `z_i² z_j²` over all.
    """
    member = x.new_zeros(k, len(x))
    member[codes, torch.arange(len(x), device=x.device)] = weight
    count = member.sum(1)
    mean = member @ x / count.clamp_min(torch.finfo(x.dtype).tiny)[:, None]
    z = mean[codes].sub_(x).neg_()
    rest = member @ z / count.clamp_min(torch.finfo(x.dtype).tiny)[:, None]  # what rounding left of the mean
    mean, z = mean + rest, z.sub_(rest[codes])
    root = z if (weight == 1).all() else weight.sqrt()[:, None] * z
    if not per_class:
        return {"count": count, "mean": mean, "scatter": _gram(root)}
    q = z.square()
    scatter = torch.stack([_gram(root[codes == i]) for i in range(k)])
    third = torch.stack([(weight[at, None] * q[at]).T @ z[at] for at in (codes == i for i in range(k))])
    return {
        "count": count,
        "mean": mean,
        "scatter": scatter,
        "third": third,
        "fourth": _gram(weight.sqrt()[:, None] * q),
    }


def _shifted(s: dict[str, Tensor], mean: Float[Tensor, "k d"]) -> dict[str, Tensor]:
    """The same moments about other class means; exact."""
    n, shift = s["count"], mean - s["mean"]
    if "fourth" not in s:
        return {"count": n, "mean": mean, "scatter": s["scatter"] + (shift.T * n) @ shift}
    square, variance = shift.square(), s["scatter"].diagonal(dim1=1, dim2=2)
    rows, columns, size = shift[:, :, None], shift[:, None, :], n[:, None, None]
    half = variance[:, :, None] * square[:, None, :] - 2 * s["third"] * columns
    fourth = half + half.mT + 4 * rows * columns * s["scatter"] + size * (rows * columns).square()
    third = (variance[:, :, None] + size * square[:, :, None]) * columns + 2 * rows * s["scatter"]
    return {
        "count": n,
        "mean": mean,
        "scatter": s["scatter"] + size * rows * columns,
        "third": s["third"] - third,
        "fourth": s["fourth"] + fourth.sum(0),
    }


def _merge(a: dict[str, Tensor], b: dict[str, Tensor]) -> dict[str, Tensor]:
    """Moments of two batches together (Chan, Golub and LeVeque's update)."""
    part = (b["count"] / (a["count"] + b["count"]).clamp_min(torch.finfo(a["mean"].dtype).tiny))[:, None]
    mean = a["mean"] + part * (b["mean"] - a["mean"])
    a, b = _shifted(a, mean), _shifted(b, mean)
    return {name: mean if name == "mean" else a[name] + b[name] for name in a}


def calibration_error(proba: Float[np.ndarray, "n k"], y: Int[np.ndarray, " n"], bins: int = 10) -> float:
    r"""Expected calibration error: mean distance of confidence and accuracy over bins of equal width.

    $\sum_b \frac{n_b}{n} |\operatorname{acc}_b - \operatorname{conf}_b|$, with the largest probability as confidence.

    Args:
        proba: class probabilities `(n, k)`, rows of sum 1.
        y: the true class of each sample, as a column of `proba`, 0 to k - 1.
        bins: of confidence, at least 1.

    Returns:
        a number in [0, 1]; 0 where confidence is right in each bin.

    Raises:
        ValueError: no samples, fewer than one bin, other shapes, rows that do not sum to 1, a label that is no integer,
            a label or a probability out of range.

    >>> calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
    0.0

    Source: Naeini, Cooper and Hauskrecht, 2015.
    """
    proba, y = np.asarray(proba), np.asarray(y)
    if proba.ndim != 2 or y.shape != proba.shape[:1]:
        raise ValueError(f"proba must be (n, k) and y (n,), got shapes {proba.shape} and {y.shape}")
    if bins < 1 or not len(proba):
        raise ValueError(f"needs at least one sample and one bin, got {len(proba)} samples and bins={bins}")
    if not (proba >= 0).all() or not (proba <= 1 + 1e-6).all() or not np.allclose(proba.sum(1), 1, atol=1e-3):
        raise ValueError("proba must hold probabilities in [0, 1], rows of sum 1 (not logits or log-probabilities)")
    if y.dtype.kind not in "biu":
        raise ValueError(f"y must hold integers, columns of proba, got {y.dtype}")
    y = y.astype(np.int64)
    if y.min() < 0 or y.max() >= proba.shape[1]:
        raise ValueError(f"y must be columns of proba, 0 to {proba.shape[1] - 1}, got {y.min()} to {y.max()}")
    confidence, right = proba.max(1), proba.argmax(1) == y
    number = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(number, right - confidence, bins)
    return float(np.abs(gaps).sum() / len(y))


class GaussianSoftmaxClassifier(ClassifierMixin, BaseEstimator):
    r"""Softmax regression without iterations.

    $w_i = \Sigma^{-1}\mu_i$ and $b_i = \ln p_i - \frac12\mu_i^\top\Sigma^{-1}\mu_i$, up to what all classes share.
    $\Sigma$ is the covariance *within* the classes (divided by N). Equal to `LinearDiscriminantAnalysis(solver="lsqr")`
    with empirical priors and no shrinkage, or with fixed shrinkage and `standardize=False` (its "auto" is another one:
    an estimate for each class, averaged). It also takes sample weights, batches, and torch tensors of float32 or
    float64, which stay on their device and in their dtype, and give tensors back.

    Args:
        priors: `(K,)` class probabilities in the order of `classes_`, positive, of sum 1; None takes frequencies.
            They move the intercepts only: unlike scikit-learn's, the covariance stays that of the sample.
        shrinkage: None, a number in [0, 1], or "auto": Ledoit and Wolf's number for the residuals, which are the
            samples minus their class means, each feature divided by its standard deviation within the classes unless
            `standardize=False`. (In batches it keeps two matrices for each class.)
        standardize: matters with shrinkage. True shrinks the *correlations* and leaves the variances,
            $(1-s)\Sigma + s \operatorname{diag}(\Sigma)$: the units of the features make no difference, and a feature
            of tiny variance counts as much as any. False is for features that share one unit, such as pixels or the
            coordinates of an embedding: $(1-s)\Sigma + s\,\frac{\operatorname{tr}\Sigma}{d} I$. A feature that does
            not vary within the classes takes its variance over all samples, and a constant one has no weight; where
            none varies within the classes, as with one sample a class, what remains is the nearest class mean in
            these units, with or without shrinkage.

    Attributes:
        coef_: `(K, d)`, or `(1, d)` for two classes. intercept_: `(K,)` or `(1,)`. classes_, priors_, means_,
        covariance_ (shrunk), shrinkage_ (the number used), n_features_in_.

    Raises:
        ValueError: bad priors, shrinkage, standardize or weights; one class only; samples that are not finite, not
            `(n, d)`, or so large or small that their squares, for "auto" their fourth powers, leave the range of the
            dtype.

    Warns:
        scipy.linalg.LinAlgWarning: without shrinkage, the covariance is singular (for one, when N - K < d); its
            pseudo-inverse in standardised features is used, which knows nothing of the directions without variance.

    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = GaussianSoftmaxClassifier().fit(x, [0, 0, 1, 1])
    >>> model.coef_.tolist(), model.intercept_.tolist()
    ([[8.0]], [-12.0])
    >>> model.predict([[1.4], [1.6]]).tolist()
    [0, 1]
    >>> few = np.eye(4)[[0, 1, 2, 3, 0, 1]], [0, 0, 1, 1, 0, 0]
    >>> round(GaussianSoftmaxClassifier(shrinkage="auto").fit(*few).shrinkage_, 3)
    0.417

    Implements: eq-lcf-odds.
    Source: https://kexue.fm/archives/8578.
    """

    def __init__(self, *, priors=None, shrinkage=None, standardize=True):
        self.priors = priors
        self.shrinkage = shrinkage
        self.standardize = standardize

    def fit(self, X, y, sample_weight=None):
        """Fit to samples `(n, d)` and labels `(n,)` of at least two classes; returns self.

        Labels are integers, booleans or strings, as in scikit-learn. `sample_weight` is `(n,)`, not negative, not all
        zero: a weight of 2 is the same as the sample twice.
        """
        for name in ("_moments", "classes_"):
            if hasattr(self, name):
                delattr(self, name)
        self._add(X, y, None, sample_weight)
        return self._solve()

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Add a batch. `classes` (all of them) is needed at the first call; the order of batches does not matter.

        A class without samples so far has the probability 0. It warns as `fit` does while the covariance cannot be
        inverted. A batch that raises an error is not added.
        """
        if not hasattr(self, "_moments") and classes is None:
            raise ValueError("the first call of partial_fit needs classes=, the labels of all batches to come")
        before = getattr(self, "_moments", None)
        try:
            self._add(X, y, classes, sample_weight)
            return self._solve()
        except ValueError:
            self._moments = before
            if before is None:
                del self._moments
            raise

    def decision_function(self, X):
        """Logits `(n, K)`; for two classes their difference `(n,)`."""
        check_is_fitted(self, "coef_")
        x = self._samples(X, reset=False)
        logits = x @ self._like(self.coef_, x).T + self._like(self.intercept_, x)
        return self._out(logits[:, 0] if logits.shape[1] == 1 else logits, X)

    def predict_proba(self, X):
        """Class probabilities `(n, K)`."""
        return self._out(self._log_proba(X).exp(), X)

    def predict_log_proba(self, X):
        """Their logarithms, `(n, K)`, finite where the probability underflows."""
        return self._out(self._log_proba(X), X)

    def predict(self, X):
        """The most probable class of each sample, `(n,)`: a tensor for a tensor, if the labels are numbers."""
        scores = torch.as_tensor(self.decision_function(X))
        index = (scores > 0).long() if scores.ndim == 1 else scores.argmax(1)
        if isinstance(X, Tensor) and self.classes_.dtype.kind in "biuf":
            return torch.as_tensor(self.classes_, device=X.device)[index]
        return self.classes_[index.cpu().numpy()]

    def _log_proba(self, X) -> Float[Tensor, "n k"]:
        scores = torch.as_tensor(self.decision_function(X))
        if scores.ndim == 1:
            return torch.nn.functional.logsigmoid(torch.stack([-scores, scores], 1))
        return scores.log_softmax(1)

    def _samples(self, X, y=None, *, reset):
        if not isinstance(X, Tensor):
            if y is None:
                return _tensor(validate_data(self, X, reset=reset, dtype=np.float64))
            X, y = validate_data(self, X, y, reset=reset, dtype=np.float64)
            return _tensor(X), y
        if X.ndim != 2 or X.dtype not in (torch.float32, torch.float64) or not len(X) or not X.isfinite().all():
            got = f"{X.dtype} {tuple(X.shape)}"
            raise ValueError(f"X must be a finite float32 or float64 tensor (n, d) with n >= 1, got {got}")
        if reset:
            self.n_features_in_ = X.shape[1]
        elif X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} features, the model was fitted with {self.n_features_in_}")
        if y is None:
            return X.detach()
        y = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
        if y.shape != (len(X),):
            raise ValueError(f"y must have one label for each of the {len(X)} samples, got shape {y.shape}")
        return X.detach(), y

    def _add(self, X, y, classes, sample_weight):
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        first = not hasattr(self, "_moments")
        x, y = self._samples(X, y, reset=first)
        check_classification_targets(y)
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes must stay those of the first call, {self.classes_}")
        if unknown := set(np.unique(y)) - set(self.classes_):
            raise ValueError(f"labels {sorted(unknown)} are not among classes {self.classes_}")
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs samples of at least 2 classes, got one class: {self.classes_[0]}")
        self._checked_parameters(x)
        per_class = isinstance(self.shrinkage, str)
        if not first and per_class != ("fourth" in self._moments):
            raise ValueError("shrinkage cannot change to or from 'auto' between batches")
        weight = sample_weight.detach().cpu().numpy() if isinstance(sample_weight, Tensor) else sample_weight
        weight = _check_sample_weight(weight, x.cpu().numpy() if weight is None else np.empty((len(x), 1)))
        if (weight < 0).any() or not weight.any():
            raise ValueError("sample_weight must be non-negative and not all zero")
        weight = torch.as_tensor(weight).to(x)
        codes = torch.from_numpy(np.searchsorted(self.classes_, y)).to(x.device)
        batch = _group(x, codes, weight, len(self.classes_), per_class)
        old = None if first else {name: torch.as_tensor(v).to(x) for name, v in self._moments.items()}
        self._moments = {name: self._out(v, X) for name, v in (batch if first else _merge(old, batch)).items()}

    def _checked_parameters(self, x: Tensor) -> Tensor | None:
        """The priors where they are given, like `x`; raises ValueError for a parameter out of range."""
        s = self.shrinkage
        number = isinstance(s, Real) and not isinstance(s, bool | np.bool_)
        if s is not None and not (isinstance(s, str) and s == "auto") and not (number and 0 <= s <= 1):
            raise ValueError(f"shrinkage must be None, 'auto' or a number in [0, 1], got {s!r}")
        if not isinstance(self.standardize, bool | np.bool_):
            raise ValueError(f"standardize must be True or False, got {self.standardize!r}")
        if self.priors is None:
            return None
        k = len(self.classes_)
        try:
            priors = torch.as_tensor(self.priors).to(x)
            right = priors.shape == (k,) and bool((priors > 0).all()) and math.isclose(priors.sum(), 1, abs_tol=1e-6)
        except (TypeError, ValueError):
            right = False
        if not right:
            raise ValueError(f"priors must be {k} positive numbers of sum 1, got {self.priors}")
        return priors

    def _strength(self, s: dict[str, Tensor], correlation: Float[Tensor, "d d"], spread: Float[Tensor, " d"]) -> float:
        """How far correlations shrink; `spread` holds the variances, zero where there is none."""
        if not isinstance(self.shrinkage, str):
            return float(self.shrinkage or 0)
        inside, n = spread > 0, s["count"].sum()
        square = correlation[inside][:, inside].square().sum()
        excess = square - inside.sum()
        peaks = s["fourth"].diagonal()[inside]
        if not self.standardize and len(peaks):
            peaks = peaks.amax()[None]
        if not ((peaks >= torch.finfo(peaks.dtype).tiny) & peaks.isfinite()).all():
            raise ValueError(RANGE.format("fourth powers", peaks.dtype))
        weight = torch.where(inside, 1 / spread, 0.0)
        noise = (weight @ s["fourth"] @ weight / n - square) / n
        return float((noise / excess).clamp(0, 1)) if excess > 0 else float(not inside.any())

    def _solve(self):
        s = {name: torch.as_tensor(v) for name, v in self._moments.items()}
        count, mean, n = s["count"], s["mean"], s["count"].sum()
        k, d = mean.shape
        given = self._checked_parameters(mean)
        priors = count / n if given is None else given
        cov = (s["scatter"].sum(0) if s["scatter"].ndim == 3 else s["scatter"]) / n
        scale, inside = _units(cov.diagonal(), mean, count / n, shared=False)
        shared = not self.standardize and (self.shrinkage is not None or not inside.any())
        if shared:
            scale, inside = _units(cov.diagonal(), mean, count / n, shared=True)
        # Unit diagonal first: then neither shrinkage nor the test of the pivots depends on the units of the features.
        correlation = cov / scale / scale[:, None]
        if not correlation.isfinite().all() or (scale.square() < torch.finfo(cov.dtype).tiny).any():
            raise ValueError(RANGE.format("squares", cov.dtype))
        strength = self._strength(s, correlation, torch.where(inside, scale.square(), 0.0))
        target = (inside if strength == 0 and inside.any() else torch.ones_like(inside)).to(cov)
        if not shared or not inside.any():
            correlation = correlation * (target[:, None] * target)
            correlation.diagonal().copy_(target)
        correlation = (1 - strength) * correlation + strength * target.diag()
        cov = correlation * scale * scale[:, None]
        tiny = 10 * d * torch.finfo(cov.dtype).eps
        factor, info = torch.linalg.cholesky_ex(correlation)
        centre = priors @ mean
        right = ((mean - centre) / scale).T
        regular = info == 0 and factor.diagonal().square().min() > tiny
        if self.shrinkage is None and not (regular and inside.any()):
            instead = "its pseudo-inverse is used" if inside.any() else "the nearest class mean is taken"
            warnings.warn(SINGULAR.format(n=float(n), k=k, d=d, instead=instead), LinAlgWarning, stacklevel=3)
        if regular:
            coef = torch.cholesky_solve(right, factor).T / scale
        else:
            coef = (torch.linalg.pinv(correlation, rtol=tiny, hermitian=True) @ right).T / scale
        intercept = torch.where(count > 0, priors, 0.0).log() - (coef * (mean + centre)).sum(1) / 2
        if k == 2:
            coef, intercept = coef[1:] - coef[:1], intercept[1:] - intercept[:1]
        like = self._moments["mean"]
        out = {"coef_": coef, "intercept_": intercept, "priors_": priors, "means_": mean, "covariance_": cov}
        for name, value in out.items():
            setattr(self, name, self._out(value, like))
        self.shrinkage_ = strength
        return self

    @staticmethod
    def _like(value, x: Tensor) -> Tensor:
        return torch.as_tensor(value).to(x)

    @staticmethod
    def _out(value: Tensor, like):
        return value if isinstance(like, Tensor) else value.cpu().numpy()
