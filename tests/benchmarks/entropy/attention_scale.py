"""Rows of the benchmark: attention scaled with log n, by ours and with the softmax of scalable-softmax."""

import importlib.util
import math

import torch

from spaces_core.entropy import length_scaled_attention


def by_scalable_softmax(q, k, v):
    from scalable_softmax import ScalableSoftmax

    softmax = ScalableSoftmax(s=1 / math.log(512), learn_scaling=False, bias=False).to(q.device)
    return softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1) @ v


def rows(device="cpu"):
    q, k, v = torch.randn(3, 1, 8, 1024, 64, generator=torch.Generator().manual_seed(0)).to(device).unbind()
    there = importlib.util.find_spec("scalable_softmax")
    peer = (lambda: by_scalable_softmax(q, k, v)) if there else "scalable_softmax is not installed"
    yield {
        "name": "attention over 1 024 keys, 8 heads of 64, no mask",
        "method": "spaces_core.entropy.length_scaled_attention",
        "ours": lambda: length_scaled_attention(q, k, v),
        "peers": {"scalable-softmax 0.1.5, ScalableSoftmax on the scores": peer},
        "agreement": lambda ours, theirs: float((ours - theirs).abs().max()),
        "error": lambda out: float((out - by_scalable_softmax(q.double(), k.double(), v.double())).abs().max()),
        "error_name": "largest error against float64",
        "params": {"keys": 1024, "heads": 8, "dim": 64, "dtype": "float32"},
    }
