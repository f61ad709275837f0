"""Rows of the benchmark: per-sample gradient norms beside opacus, a loop of backward passes, and BackPACK."""

import copy
import warnings

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from spaces_core.penalties import gradient_bound, input_grad_norm, parameter_grad_norm

BATCH = 256
BACKPACK = "it requires torchvision, which this environment leaves out"


def rows(device="cpu"):
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10)).to(device)
    conv = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2),
        nn.GroupNorm(4, 16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 6 * 6, 10),
    ).to(device)
    x, y = torch.randn(BATCH, 784, device=device), torch.randint(10, (BATCH,), device=device)

    def loop(net, inputs, of):
        norms = []
        for one, label in zip(inputs.split(1), y.split(1), strict=True):
            one = one.clone().requires_grad_(of == "input")
            sources = list(net.parameters()) if of == "parameters" else [one]
            grads = torch.autograd.grad(cross_entropy(net(one), label), sources)
            norms.append(sum(g.square().sum() for g in grads).sqrt())
        return torch.stack(norms)

    def relative(ours, peer):
        return float(((ours - peer).abs() / peer).max())

    for name, net, inputs in (
        ("MLP 784-256-256-10", mlp, x),
        ("convolutions with group norm, 28 x 28", conv, x.view(BATCH, 1, 28, 28)),
    ):
        yield {
            "name": f"norm of each sample's parameter gradient, {name}, {BATCH} samples",
            "method": "spaces_core.penalties.parameter_grad_norm",
            "ours": lambda net=net, inputs=inputs: parameter_grad_norm(net, cross_entropy, inputs, y),
            "peers": {
                "opacus GradSampleModule": _opacus(net, inputs, y, ghost=False),
                "opacus ghost norms": _opacus(net, inputs, y, ghost=True),
                "torch.func vmap(grad), no identity": lambda net=net, inputs=inputs: parameter_grad_norm(
                    net, cross_entropy, inputs, y, method="func"
                ),
                "torch.autograd, a loop over samples": lambda net=net, inputs=inputs: loop(net, inputs, "parameters"),
                "BackPACK BatchL2Grad": BACKPACK,
            },
            "agreement": relative,
            "params": {"batch": BATCH, "dtype": "float32", "loss": "cross entropy"},
        }
    yield {
        "name": f"norm of each sample's input gradient, MLP 784-256-256-10, {BATCH} samples",
        "method": "spaces_core.penalties.input_grad_norm",
        "ours": lambda: input_grad_norm(mlp, cross_entropy, x, y),
        "peers": {"torch.autograd, a loop over samples": lambda: loop(mlp, x, "input")},
        "agreement": relative,
        "params": {"batch": BATCH, "dtype": "float32", "loss": "cross entropy"},
    }

    small = nn.Sequential(nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10)).to(device)

    def bound_by_svd():
        inner = [torch.func.vmap(torch.func.jacrev(small[: t + 1]))(x) for t in (0, 2, 4)]
        entering = [small[:t](x) if t else x for t in (0, 2, 4)]
        return sum(
            (1 + h.square().sum(1)) / torch.linalg.svdvals(j)[:, 0].square()
            for h, j in zip(entering, inner, strict=True)
        ).detach()

    yield {
        "name": f"sharp bound, tanh MLP 784-64-64-10, {BATCH} samples",
        "method": "spaces_core.penalties.gradient_bound",
        "ours": lambda: gradient_bound(small, x).detach(),
        "peers": {"torch.func jacrev and svdvals": bound_by_svd},
        "agreement": relative,
        "params": {"batch": BATCH, "dtype": "float32"},
    }


def _opacus(net, inputs, y, ghost):
    """Norms from opacus: of stored per-sample gradients, or (ghost) of linear layers from their inputs alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
    except ImportError:
        return "opacus is not installed: pip install 'spaces-core[peers]'"
    kind = GradSampleModuleFastGradientClipping if ghost else GradSampleModule
    wrapped = kind(copy.deepcopy(net), loss_reduction="sum")

    def work():
        wrapped.zero_grad()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cross_entropy(wrapped(inputs), y, reduction="sum").backward()
        if ghost:
            return wrapped.get_norm_sample().clone()
        return sum(p.grad_sample.flatten(1).square().sum(1) for p in wrapped.parameters()).sqrt()

    return work
