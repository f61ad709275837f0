"""Rows of the benchmark: a prescribed entropy for every row, beside root finders and perplexity searches."""

import math

import numpy as np
import torch

from spaces_core.entropy import entropy_normalize

PERPLEXITY = 30.0


def rows(device="cpu"):
    target = math.log(PERPLEXITY)
    generator = torch.Generator().manual_seed(0)
    points, centres = torch.randn(10_000, 20, generator=generator), torch.randn(1_000, 20, generator=generator)
    d2 = (torch.cdist(points, centres) ** 2).to(device)

    def error(p):
        p = torch.as_tensor(np.asarray(p.cpu()) if isinstance(p, torch.Tensor) else p).double()
        p = p / p.sum(-1, keepdim=True)
        return float((-torch.xlogy(p, p).sum(-1) - target).abs().max())

    def difference(ours, peer):
        return float(np.abs(np.asarray(ours.cpu()) - np.asarray(peer)).max())

    yield {
        "name": "perplexity 30 in each of 10 000 rows of 1 000 squared distances, float32",
        "method": "spaces_core.entropy.entropy_normalize",
        "ours": lambda: entropy_normalize(-d2, target, logits=True),
        "peers": _peers(d2, target, device),
        "agreement": difference,
        "error": error,
        "error_name": "largest entropy error, nats",
        "params": {"rows": 10_000, "columns": 1_000, "dtype": "float32", "perplexity": PERPLEXITY},
    }
    small = d2[:500]
    yield {
        "name": "perplexity 30 in each of 500 rows of 1 000 squared distances",
        "method": "spaces_core.entropy.entropy_normalize",
        "ours": lambda: entropy_normalize(-small.double(), target, logits=True),
        "peers": {"SciPy brentq, row by row": lambda: _by_brentq(small.double().cpu().numpy(), target)},
        "agreement": difference,
        "error": error,
        "error_name": "largest entropy error, nats",
        "params": {"rows": 500, "columns": 1_000, "dtype": "float64", "perplexity": PERPLEXITY},
    }


def _peers(d2, target, device):
    if device != "cpu":
        return {
            "scikit-learn": "runs on the CPU only",
            "openTSNE": "runs on the CPU only",
            "torchdr": _torchdr(d2, target),
        }
    single = np.ascontiguousarray(d2.numpy())
    return {
        "scikit-learn _binary_search_perplexity": _sklearn(single),
        "openTSNE compute_gaussian_perplexity": _opentsne(single),
        "torchdr binary_search on the same entropy": _torchdr(d2, target),
    }


def _sklearn(d2):
    try:
        from sklearn.manifold._utils import _binary_search_perplexity
    except ImportError as missing:
        return str(missing)
    return lambda: _binary_search_perplexity(d2, PERPLEXITY, 0)


def _opentsne(d2):
    try:
        from openTSNE import _tsne
    except ImportError:
        return "openTSNE is not installed"
    distances = np.sqrt(d2.astype(float))
    return lambda: np.asarray(_tsne.compute_gaussian_perplexity(distances, np.array([PERPLEXITY]), num_threads=1))


def _torchdr(d2, target):
    try:
        from torchdr.utils import binary_search
    except ImportError:
        return "torchdr is not installed"

    def run():
        def gap(width):
            log = (-d2 / width[:, None]).log_softmax(-1)
            return -(log.exp() * log).sum(-1) - target

        width = binary_search(gap, len(d2), max_iter=100, device=str(d2.device), dtype=d2.dtype, verbose=False)
        return (-d2 / width[:, None]).softmax(-1).cpu()

    return run


def _by_brentq(d2, target):
    from scipy.optimize import brentq
    from scipy.special import softmax

    out = np.empty_like(d2)
    for k, row in enumerate(d2):
        shifted = row.min() - row

        def gap(log_power, shifted=shifted):
            p = softmax(math.exp(log_power) * shifted)
            return float(-(p * np.log(p, where=p > 0, out=np.zeros_like(p))).sum()) - target

        out[k] = softmax(math.exp(brentq(gap, -15, 15)) * shifted)
    return out
