"""Rows of the benchmark: loss and gradients beside pytorch-metric-learning's, on the same features and classes."""

import importlib.util
import math

import torch

from spaces_core.similarity import MarginSoftmaxLoss, margin_from_degrees


def step(loss, weight, x, y):
    """Loss and gradient with respect to the features and the class vectors."""
    leaf = x.clone().requires_grad_()
    weight.grad = None
    value = loss(leaf, y)
    value.backward()
    return float(value.detach()), leaf.grad


def agreement(ours, peer):
    """Relative difference of the losses, or of the features' gradients, whichever is larger."""
    gap = float((ours[1] - peer[1]).abs().max() / peer[1].abs().max())
    return max(abs(ours[0] - peer[0]) / abs(peer[0]), gap if math.isfinite(gap) else math.inf)


def row(name, kind, classes, batch, dim, device):
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(batch, dim, generator=g).to(device), torch.randint(classes, (batch,), generator=g).to(device)
    w = torch.randn(classes, dim, generator=g).to(device)
    margin = 0.35 if kind == "cosine" else margin_from_degrees(28.6)
    ours = MarginSoftmaxLoss(classes, dim, margin, 64.0, kind=kind).to(device)
    ours.weight.data = w.clone()
    chunked = MarginSoftmaxLoss(classes, dim, margin, 64.0, kind=kind, chunk=max(1, classes // 10)).to(device)
    chunked.weight.data = w.clone()
    peers = {"ours, a tenth of the classes at a time": lambda: step(chunked, chunked.weight, x, y)}
    peer_name = "CosFaceLoss" if kind == "cosine" else "ArcFaceLoss"
    if importlib.util.find_spec("pytorch_metric_learning"):
        from pytorch_metric_learning import losses

        options = {"margin": 0.35 if kind == "cosine" else 28.6, "scale": 64}
        peer = getattr(losses, peer_name)(classes, dim, **options).to(device)
        peer.W.data = w.T.clone()
        peers[f"pytorch-metric-learning, {peer_name}"] = lambda: step(peer, peer.W, x, y)
    else:
        peers[f"pytorch-metric-learning, {peer_name}"] = "pytorch_metric_learning is not installed"
    return {
        "name": name,
        "method": f"spaces_core.similarity.MarginSoftmaxLoss, kind={kind!r}",
        "ours": lambda: step(ours, ours.weight, x, y),
        "peers": peers,
        "agreement": agreement,
        "params": {"classes": classes, "batch": batch, "embedding size": dim, "dtype": "float32"},
    }


def rows(device="cpu", small=False):
    for kind, title in (("cosine", "CosFace"), ("angular", "ArcFace")):
        yield row(f"{title}: loss and gradients, 1 000 classes", kind, 1_000, 32 if small else 256, 64, device)
    if not small:
        yield row("ArcFace: loss and gradients, 50 000 classes", "angular", 50_000, 64, 64, device)
