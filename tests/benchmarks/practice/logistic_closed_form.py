"""Rows of the benchmark: fitting beside scikit-learn's discriminant analysis and logistic regression."""

import numpy as np
import torch
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from spaces_core.practice import GaussianSoftmaxClassifier


def samples(n, d, k):
    """Gaussian classes of one covariance that overlap."""
    rng = np.random.default_rng(0)
    y = rng.integers(k, size=n)
    return 3 * d**-0.5 * rng.normal(size=(k, d))[y] + rng.normal(size=(n, d)), y


def difference(x, ours, peer):
    """Largest difference of the class probabilities on some of the samples."""
    a, b = (np.asarray(torch.as_tensor(f.predict_proba(x)).cpu()) for f in (ours, peer))
    return float(np.abs(a - b).max())


def row(n, d, k):
    x, y = samples(n + 2000, d, k)
    x, y, fresh, truth = x[:n], y[:n], x[n:], y[n:]

    def wrong(model):
        return float(np.mean(np.asarray(model.predict(fresh)) != truth))

    def batches():
        model = GaussianSoftmaxClassifier()
        for at in np.array_split(np.arange(n), 10):
            model.partial_fit(x[at], y[at], classes=range(k))
        return model

    return {
        "name": f"fit {n} samples of {d} features, {k} classes",
        "method": "spaces_core.practice.GaussianSoftmaxClassifier",
        "ours": lambda: GaussianSoftmaxClassifier().fit(x, y),
        "peers": {
            "ours, ten batches": batches,
            "scikit-learn LinearDiscriminantAnalysis(solver='lsqr')": lambda: LinearDiscriminantAnalysis(
                solver="lsqr"
            ).fit(x, y),
            "scikit-learn LogisticRegression (another estimate)": lambda: LogisticRegression(max_iter=200).fit(x, y),
        },
        "agreement": lambda ours, peer: difference(fresh, ours, peer),
        "error": wrong,
        "error_name": "error on fresh samples",
        "params": {"samples": n, "features": d, "classes": k, "dtype": "float64"},
    }


def gpu_row(n, d, k):
    x, y = samples(n, d, k)
    z, label = torch.tensor(x, device="cuda"), torch.tensor(y)

    class Host:
        """The peer's model, asked with the samples on the CPU."""

        def __init__(self):
            self.model = LinearDiscriminantAnalysis(solver="lsqr").fit(x, y)

        def predict_proba(self, samples_):
            return self.model.predict_proba(samples_.cpu().numpy())

    return {
        "name": f"fit {n} samples of {d} features, {k} classes, on the GPU (the peer on the CPU)",
        "method": "spaces_core.practice.GaussianSoftmaxClassifier",
        "ours": lambda: GaussianSoftmaxClassifier().fit(z, label),
        "peers": {"scikit-learn LinearDiscriminantAnalysis(solver='lsqr')": Host},
        "agreement": lambda ours, peer: difference(z[:2000], ours, peer),
        "params": {"samples": n, "features": d, "classes": k, "dtype": "float64"},
    }


def rows(device="cpu", small=False):
    make = row if device == "cpu" else gpu_row
    yield make(500, 20, 4) if small else make(20_000, 768, 15)
