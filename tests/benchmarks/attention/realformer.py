"""Rows of the benchmark: attention layers with residual scores, beside x-transformers' with one set of weights."""

import copy
import importlib.util
from functools import partial

import torch
from torch import nn

from spaces_core.attention import ResidualAttention, residual_scores


class Stack(nn.Module):
    """Pre-norm attention layers alone, as x-transformers builds them."""

    def __init__(self, dim, depth, heads, causal):
        super().__init__()
        self.heads, self.attend = heads, ResidualAttention(depth, causal)
        self.norms = nn.ModuleList(nn.LayerNorm(dim, bias=False) for _ in range(depth))
        self.maps = nn.ModuleList(
            nn.ModuleList(nn.Linear(dim, dim, bias=False) for _ in range(4)) for _ in range(depth)
        )
        self.last = nn.LayerNorm(dim, bias=False)

    def forward(self, x, mask=None):
        if mask is None:
            return self.layers(x)
        with self.attend.masked(mask):
            return self.layers(x)

    def layers(self, x):
        for layer, (norm, maps) in enumerate(zip(self.norms, self.maps, strict=True)):
            y = norm(x)
            q, k, v = (f(y).unflatten(-1, (self.heads, -1)).transpose(1, 2) for f in maps[:3])
            x = x + maps[3](self.attend(q, k, v, layer).transpose(1, 2).flatten(-2))
        return self.last(x)


class ScoreMatrices(nn.Module):
    """The recursion as it is written: every layer hands its matrix of scores on."""

    def forward(self, q, k, v, layer):
        self.past = residual_scores(q, k, None if layer == 0 else self.past)
        return self.past.softmax(-1) @ v


def pair(dim, depth, heads, causal=False):
    """A stack of x-transformers and ours with the same random weights."""
    from x_transformers.x_transformers import AttentionLayers

    torch.manual_seed(0)
    options = {"residual_attn": True, "custom_layers": ("a",) * depth}
    peer = AttentionLayers(
        dim=dim, heads=heads, depth=depth, attn_dim_head=dim // heads, causal=causal, **options
    ).eval()
    stack = Stack(dim, depth, heads, causal).eval()
    for layer, norm, maps in zip(peer.layers, stack.norms, stack.maps, strict=True):
        theirs = layer[1]
        for target, source in zip(maps, (theirs.to_q, theirs.to_k, theirs.to_v, theirs.to_out), strict=True):
            target.weight.data.copy_(source.weight.data)
        assert layer[0][0].gamma.numel() == norm.weight.numel()
    return peer, stack


def forward(model, x):
    with torch.no_grad():
        return model(x)


def train(model, x):
    leaf = x.clone().requires_grad_()
    model(leaf).square().mean().backward()
    return leaf.grad


def row(call, what, dim, depth, heads, batch, n, device):
    x = torch.randn(batch, n, dim, generator=torch.Generator().manual_seed(0)).to(device)
    if importlib.util.find_spec("x_transformers") is None:
        stack, peer = Stack(dim, depth, heads, False).to(device).eval(), "x_transformers is not installed"
    else:
        theirs, stack = (part.to(device) for part in pair(dim, depth, heads))
        peer = partial(call, theirs, x)
    matrices = copy.deepcopy(stack)
    matrices.attend = ScoreMatrices()
    peers = {"x-transformers, residual_attn": peer, "matrices of scores in plain PyTorch": lambda: call(matrices, x)}
    return {
        "name": f"{what}, {depth} layers, {n} positions",
        "method": "spaces_core.attention.ResidualAttention",
        "ours": lambda: call(stack, x),
        "peers": peers,
        "agreement": lambda ours, peer: float((ours - peer).abs().max()),
        "params": {
            "layers": depth, "positions": n, "batch": batch,
            "heads": heads, "width of a head": dim // heads, "dtype": "float32",
        },
    }  # fmt: skip


def rows(device="cpu", small=False):
    if small:
        yield row(forward, "forward", 32, 3, 2, 2, 12, device)
        yield row(train, "forward and backward", 32, 3, 2, 2, 12, device)
        return
    for n in (128, 512, 2048):
        yield row(forward, "forward", 128, 4, 4, 1, n, device)
    for n in (128, 512, 1024):
        yield row(train, "forward and backward", 128, 4, 4, 1, n, device)
    yield row(forward, "forward", 128, 12, 4, 1, 512, device)
