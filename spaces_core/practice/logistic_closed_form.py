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
    "its pseudo-inverse is used; better: shrinkage='auto' or a number in (0, 1]"
)


def _tensor(x: np.ndarray) -> Tensor:
    """Shares memory where torch allows it; it is only read."""
    return torch.from_numpy(np.ascontiguousarray(x)) if x.flags.writeable else torch.tensor(x)


def _gram(z: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    """`z.T @ z`; on a CPU by NumPy, which knows that it is symmetric and does half the work."""
    if z.device.type != "cpu" or z.dtype not in (torch.float32, torch.float64):
        return z.T @ z
    a = z.numpy()
    return torch.from_numpy(a.T @ a)


def _group(
    x: Float[Tensor, "n d"], codes: Int[Tensor, " n"], weight: Float[Tensor, " n"], k: int, per_class: bool
) -> dict[str, Tensor]:
    """Moments of one batch about its own class means; one matrix product."""
    member = x.new_zeros(k, len(x))
    member[codes, torch.arange(len(x), device=x.device)] = weight
    count = member.sum(1)
    mean = member @ x / count.clamp_min(torch.finfo(x.dtype).tiny)[:, None]
    z = mean[codes].sub_(x).neg_()
    root = z if (weight == 1).all() else weight.sqrt()[:, None] * z
    if not per_class:
        return {"count": count, "mean": mean, "scatter": _gram(root)}
    q = z.square().sum(1)
    scatter = torch.stack([_gram(root[codes == i]) for i in range(k)])
    third = (member * q) @ z
    fourth = member @ (q * q)
    return {"count": count, "mean": mean, "scatter": scatter, "third": third, "fourth": fourth}


def _shifted(s: dict[str, Tensor], mean: Float[Tensor, "k d"]) -> dict[str, Tensor]:
    """The same moments about other class means; exact."""
    n, shift = s["count"], mean - s["mean"]
    if "fourth" not in s:
        return {"count": n, "mean": mean, "scatter": s["scatter"] + (shift.T * n) @ shift}
    r, trace = shift.square().sum(1), s["scatter"].diagonal(dim1=1, dim2=2).sum(1)
    pulled = (s["scatter"] @ shift[:, :, None])[:, :, 0]
    return {
        "count": n,
        "mean": mean,
        "scatter": s["scatter"] + n[:, None, None] * shift[:, :, None] * shift[:, None, :],
        "third": s["third"] - 2 * pulled - (trace + n * r)[:, None] * shift,
        "fourth": s["fourth"]
        - 4 * (s["third"] * shift).sum(1)
        + 2 * r * trace
        + 4 * (pulled * shift).sum(1)
        + n * r * r,
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
        proba: class probabilities `(n, k)`.
        y: the true class of each sample, as a column of `proba`, 0 to k - 1.
        bins: of confidence, at least 1.

    Returns:
        a number in [0, 1]; 0 where confidence is right in each bin.

    Raises:
        ValueError: no samples, fewer than one bin, a label or a probability out of range.

    >>> calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1]))
    0.0

    Source: Naeini, Cooper and Hauskrecht, 2015.
    """
    if bins < 1 or not len(proba):
        raise ValueError(f"needs at least one sample and one bin, got {len(proba)} samples and bins={bins}")
    if not (proba >= 0).all() or not (proba <= 1 + 1e-6).all():
        raise ValueError("proba must hold probabilities in [0, 1] (not logits or log-probabilities)")
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
    with empirical priors and no or fixed shrinkage; it also takes sample weights, batches, and torch tensors, which
    stay on their device and in their dtype, and give tensors back.

    Args:
        priors: `(K,)` class probabilities in the order of `classes_`, positive, of sum 1; None takes frequencies.
            They move the intercepts only: unlike scikit-learn's, the covariance stays that of the sample.
        shrinkage: None, a number in [0, 1], or "auto" (Ledoit and Wolf, on the samples minus their class means; such
            batches keep a covariance for each class): $(1-s)\Sigma + s\,\frac{\operatorname{tr}\Sigma}{d} I$.

    Attributes:
        coef_: `(K, d)`, or `(1, d)` for two classes. intercept_: `(K,)` or `(1,)`. classes_, priors_, means_,
        covariance_ (shrunk), shrinkage_ (the number used), n_features_in_.

    Raises:
        ValueError: bad priors, shrinkage or weights; one class only.

    Warns:
        scipy.linalg.LinAlgWarning: the covariance is singular (for one, when N - K < d without shrinkage); its
            pseudo-inverse in standardised features is used, which knows nothing of the directions without variance.

    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = GaussianSoftmaxClassifier().fit(x, [0, 0, 1, 1])
    >>> model.coef_.tolist(), model.intercept_.tolist()
    ([[8.0]], [-12.0])
    >>> model.predict([[1.4], [1.6]]).tolist()
    [0, 1]

    Implements: eq-lcf-softmax.
    Source: https://kexue.fm/archives/8578.
    """

    def __init__(self, *, priors=None, shrinkage=None):
        self.priors = priors
        self.shrinkage = shrinkage

    def fit(self, X, y, sample_weight=None):
        """Fit to samples `(n, d)` and labels `(n,)`; returns self."""
        for name in ("_moments", "classes_"):
            if hasattr(self, name):
                delattr(self, name)
        self._add(X, y, None, sample_weight)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs samples of at least 2 classes, got one class: {self.classes_[0]}")
        return self._solve()

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Add a batch. `classes` (all of them) is needed at the first call; the order of batches does not matter.

        It warns as `fit` does while the covariance cannot be inverted.
        """
        if not hasattr(self, "_moments") and classes is None:
            raise ValueError("the first call of partial_fit needs classes=, the labels of all batches to come")
        self._add(X, y, classes, sample_weight)
        return self._solve()

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
        """The most probable class of each sample, `(n,)`."""
        scores = torch.as_tensor(self.decision_function(X))
        index = (scores > 0).long() if scores.ndim == 1 else scores.argmax(1)
        if isinstance(X, Tensor):
            return torch.as_tensor(self.classes_, device=X.device)[index]
        return self.classes_[index.cpu().numpy()]

    def _log_proba(self, X) -> Float[Tensor, "n k"]:
        scores = torch.as_tensor(self.decision_function(X))
        if scores.ndim == 1:
            scores = torch.stack([torch.zeros_like(scores), scores], 1)
        return scores.log_softmax(1)

    def _samples(self, X, y=None, *, reset):
        if not isinstance(X, Tensor):
            if y is None:
                return _tensor(validate_data(self, X, reset=reset, dtype=np.float64))
            X, y = validate_data(self, X, y, reset=reset, dtype=np.float64)
            return _tensor(X), y
        if X.ndim != 2 or not X.is_floating_point() or not len(X) or not X.isfinite().all():
            raise ValueError("X must be a finite floating-point tensor (n, d) with n >= 1")
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

    def _strength(self, s: dict[str, Tensor], cov: Float[Tensor, "d d"], n: Float[Tensor, ""]) -> float:
        if self.shrinkage is None:
            return 0.0
        if not isinstance(self.shrinkage, str):
            if not isinstance(self.shrinkage, Real) or not 0 <= self.shrinkage <= 1:
                raise ValueError(f"shrinkage must be None, 'auto' or a number in [0, 1], got {self.shrinkage!r}")
            return float(self.shrinkage)
        if self.shrinkage != "auto":
            raise ValueError(f"shrinkage must be None, 'auto' or a number in [0, 1], got {self.shrinkage!r}")
        square = cov.square().sum()
        spread = square - cov.trace() ** 2 / len(cov)
        noise = (s["fourth"].sum() / n - square) / n
        return float((noise / spread).clamp(0, 1)) if spread > 0 else 0.0

    def _solve(self):
        s = {name: torch.as_tensor(v) for name, v in self._moments.items()}
        count, mean, n = s["count"], s["mean"], s["count"].sum()
        k, d = mean.shape
        cov = (s["scatter"].sum(0) if s["scatter"].ndim == 3 else s["scatter"]) / n
        strength = self._strength(s, cov, n)
        cov = (1 - strength) * cov + strength * cov.trace() / d * torch.eye(d).to(cov)
        priors = count / n if self.priors is None else torch.as_tensor(self.priors).to(mean)
        if self.priors is not None and (
            priors.shape != (k,) or (priors <= 0).any() or not math.isclose(priors.sum(), 1, abs_tol=1e-6)
        ):
            raise ValueError(f"priors must be {k} positive numbers of sum 1, got {self.priors}")
        # Unit diagonal first: the pivots then tell dependence between features, whatever their units.
        scale = cov.diagonal().sqrt()
        scale = torch.where(scale > 0, scale, 1.0)
        correlation = cov / scale / scale[:, None]
        tiny = 10 * d * torch.finfo(cov.dtype).eps
        factor, info = torch.linalg.cholesky_ex(correlation)
        centre = priors @ mean
        right = ((mean - centre) / scale).T
        if info == 0 and factor.diagonal().square().min() > tiny:
            coef = torch.cholesky_solve(right, factor).T / scale
        else:
            warnings.warn(SINGULAR.format(n=float(n), k=k, d=d), LinAlgWarning, stacklevel=3)
            coef = (torch.linalg.pinv(correlation, rtol=tiny, hermitian=True) @ right).T / scale
        intercept = priors.log() - (coef * (mean + centre)).sum(1) / 2
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
