"""Rows of the benchmark: the entropy of each row set by ours, by root searches row by row, and by those of t-SNE."""

import importlib.util
import math

import numpy as np
import torch
from scipy.optimize import brentq

from spaces_core.entropy import entropy_normalize
from spaces_core.lab.data import mnist_5k


def by_brentq(distances, target):
    """SciPy's root finder, a row at a time, in log γ."""
    out = np.empty_like(distances)
    for row, d in zip(out, distances - distances.min(1, keepdims=True), strict=True):

        def weights(x, d=d):
            z = -math.exp(x) * d
            w = np.exp(z)
            return w, z

        def gap(x):
            w, z = weights(x)
            total = w.sum()
            return math.log(total) - (w @ z) / total - target

        w, _ = weights(brentq(gap, -12, 12, xtol=1e-6))
        row[:] = w / w.sum()
    return out


def by_sklearn(distances, target):
    from sklearn.manifold._utils import _binary_search_perplexity

    return _binary_search_perplexity(distances, math.exp(target), 0)


def by_opentsne(distances, target):
    """It takes distances and squares them."""
    from openTSNE import _tsne

    perplexity = np.array([math.exp(target)])
    return _tsne.compute_gaussian_perplexity(distances, perplexity, num_threads=torch.get_num_threads())


def by_torchdr(distances, target):
    """The root search of torchdr's EntropicAffinity, on given distances; its entropy carries a 1 of its own."""
    from torchdr.affinity.entropic import _bounds_entropic_affinity, _log_Pe
    from torchdr.utils import binary_search, entropy, logsumexp_red

    def normalised(eps):
        log_p = _log_Pe(distances, eps)
        return log_p - logsumexp_red(log_p, dim=1)

    perplexity = torch.tensor(math.exp(target), device=distances.device)
    options = {"device": distances.device, "dtype": distances.dtype}
    begin, end = _bounds_entropic_affinity(distances, perplexity, **options)
    eps = binary_search(
        f=lambda eps: entropy(normalised(eps), log=True) - (target + 1),
        n=len(distances),
        begin=begin + 1e-6,
        end=end,
        max_iter=1000,
        **options,
    )
    return normalised(eps).exp()


def peers(distances, target):
    def installed(module, work):
        return work if importlib.util.find_spec(module) else f"{module} is not installed"

    array = distances.cpu().numpy()
    plain = np.sqrt(array.astype(float))
    found = {"torchdr, root search of EntropicAffinity": installed("torchdr", lambda: by_torchdr(distances, target))}
    if distances.device.type == "cpu":
        found |= {
            "SciPy brentq, row by row": lambda: by_brentq(array, target),
            "scikit-learn, _binary_search_perplexity": installed("sklearn", lambda: by_sklearn(array, target)),
            "openTSNE, compute_gaussian_perplexity": installed("openTSNE", lambda: by_opentsne(plain, target)),
        }
    return found


def largest_entropy_error(target):
    def error(q):
        q = torch.as_tensor(np.asarray(q.cpu() if torch.is_tensor(q) else q), dtype=torch.float64).reshape(-1)
        rows = q.reshape(error.rows, -1)
        return float((-torch.xlogy(rows, rows).sum(-1) - target).abs().max())

    return error


def agreement(ours, peer):
    return float(np.abs(np.asarray(ours.cpu()) - np.asarray(peer.cpu() if torch.is_tensor(peer) else peer)).max())


def row(name, distances, target, /, **params):
    error = largest_entropy_error(target)
    error.rows = len(distances)
    return {
        "name": name,
        "method": "spaces_core.entropy.entropy_normalize",
        "ours": lambda: entropy_normalize(-distances, target, logits=True),
        "peers": peers(distances, target),
        "agreement": agreement,
        "error": error,
        "error_name": "largest entropy error, nats",
        "params": {"rows": distances.shape[0], "columns": distances.shape[1], "dtype": "float32", **params},
    }


def rows(device="cpu"):
    x = 2 * torch.randn(10_000, 1_000, generator=torch.Generator().manual_seed(0))
    distances = x.amax(-1, keepdim=True) - x
    yield row("10 000 rows of 1 000 random scores", distances.to(device), 3.0, entropy="3 nats")

    images = torch.tensor(mnist_5k()[0])
    nearest = torch.cdist(images, images).square().topk(91, largest=False).values[:, 1:].contiguous()
    yield row(
        "perplexity 30 on the 90 nearest neighbours of 5 000 digits",
        nearest.to(device),
        math.log(30),
        data="MNIST, squared distances",
        perplexity=30,
    )
