"""Rows of the benchmark: the fillers beside those of torch.nn.init, on the same tensors from the same seeds."""

import torch
from torch import nn

from spaces_core.training import gain_probe, nonsquare_normal_, nonsquare_orthogonal_, nonsquare_uniform_

M, N = 768, 3072


def rows(device="cpu"):
    def seeded():
        return torch.Generator(device).manual_seed(0)

    def largest(ours, peer):
        return float((ours - peer).abs().max())

    w = torch.empty(N, M, device=device)
    params = {"fan_in": M, "fan_out": N, "dtype": "float32", "mean": "arithmetic"}
    pairs = {
        "normal": (nonsquare_normal_, "xavier_normal_", nn.init.xavier_normal_),
        "uniform": (nonsquare_uniform_, "xavier_uniform_", nn.init.xavier_uniform_),
    }
    for name, (ours, peer_name, peer) in pairs.items():
        yield {
            "name": f"{name} weights of a {M} to {N} layer",
            "method": f"spaces_core.training.{ours.__name__}",
            "ours": lambda ours=ours: ours(w, generator=seeded()).clone(),
            "peers": {f"torch.nn.init.{peer_name}": lambda peer=peer: peer(w, generator=seeded()).clone()},
            "agreement": largest,
            "params": params,
        }

    half = torch.empty(1024, 256, device=device)
    yield {
        "name": "semi-orthogonal weights of a 256 to 1024 layer",
        "method": "spaces_core.training.nonsquare_orthogonal_",
        "ours": lambda: nonsquare_orthogonal_(half, generator=seeded(), mean=float("inf")).clone(),
        "peers": {"torch.nn.init.orthogonal_": lambda: nn.init.orthogonal_(half, generator=seeded()).clone()},
        "agreement": largest,
        "params": {"fan_in": 256, "fan_out": 1024, "dtype": "float32", "mean": "the larger fan"},
    }

    block = nn.Sequential(nn.Linear(M, N, bias=False), nn.Linear(N, M, bias=False)).to(device)
    x = torch.randn(64, M, device=device, generator=seeded())

    def gain(fill):
        generator = torch.Generator(device).manual_seed(1)
        for layer in block:
            fill(layer.weight, generator)
        return gain_probe(block, x, generator=generator)[-1].forward_total

    yield {
        "name": f"scale kept by a linear block {M} to {N} to {M} (fill both layers and probe)",
        "method": "spaces_core.training.nonsquare_normal_, mean='geometric'",
        "ours": lambda: gain(lambda w, g: nonsquare_normal_(w, generator=g, mean="geometric")),
        "peers": {
            "torch.nn.init.xavier_normal_": lambda: gain(lambda w, g: nn.init.xavier_normal_(w, generator=g)),
            "torch.nn.init.kaiming_normal_, linear": lambda: gain(
                lambda w, g: nn.init.kaiming_normal_(w, nonlinearity="linear", generator=g)
            ),
        },
        "agreement": lambda ours, peer: abs(ours - peer),
        "error": lambda result: abs(result - 1),
        "error_name": "distance of the gain from 1",
        "params": {"fan_in": M, "hidden": N, "batch": 64, "dtype": "float32"},
    }
