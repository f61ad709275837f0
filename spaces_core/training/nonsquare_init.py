r"""Initial weights of non-square layers: which average of fan-in and fan-out, and what each does to the signal."""

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, SupportsFloat, SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor, nn

MEANS: dict[str, Callable[[int, int], float]] = {
    "arithmetic": lambda m, n: 2 / (m + n),
    "geometric": lambda m, n: 1 / math.sqrt(m * n),
    "quadratic": lambda m, n: (m + n) / (m * m + n * n),
    "harmonic": lambda m, n: (m + n) / (2 * m * n),
    "fan_in": lambda m, n: 1 / m,
    "fan_out": lambda m, n: 1 / n,
}
r"""Variance of each named average; `m` is the fan-in and `n` the fan-out."""


def init_variance(fan_in: SupportsIndex, fan_out: SupportsIndex, mean: str | SupportsFloat = "arithmetic") -> float:
    r"""Variance of a zero-mean weight, one over an average of the two fans.

    $$ t = \frac{1}{L_p(m, n)}, \qquad L_p(m, n) = \frac{m^p + n^p}{m^{p-1} + n^{p-1}} $$

    with $m$ the fan-in and $n$ the fan-out. Each $t$ minimises a criterion of its own,
    $m^{p-2}(mt - 1)^2 + n^{p-2}(nt - 1)^2$: the forward and the backward gain are held to 1 with different weights.

    Args:
        fan_in: inputs that reach one output, at least 1.
        fan_out: outputs that one input reaches, at least 1.
        mean: `"arithmetic"` (p = 1, Xavier's), `"geometric"` (p = 1/2, a block m → n → m keeps its scale),
            `"quadratic"` (p = 2, least squares in the gains; the average is $(m^2+n^2)/(m+n)$, not the root mean
            square), `"harmonic"` (p = 0, the mean of the two variances), `"fan_in"`, `"fan_out"`, or p itself, any
            real number; `inf` takes the larger fan and `-inf` the smaller.

    Returns:
        The variance, before any gain of the activation function.

    Raises:
        ValueError: a fan is no whole number of at least 1, or the mean is not known.

    >>> [round(init_variance(768, 3072, m) * 768, 4) for m in ("arithmetic", "geometric", "quadratic", "harmonic")]
    [0.4, 0.5, 0.2941, 0.625]
    >>> init_variance(768, 3072, 1.0) == init_variance(768, 3072, "arithmetic")
    True

    Implements: eq-ns-lehmer.
    Source: https://kexue.fm/archives/8725; arithmetic: Glorot and Bengio (2010).
    """
    for name, fan in (("fan_in", fan_in), ("fan_out", fan_out)):
        if isinstance(fan, bool) or not isinstance(fan, numbers.Integral) or fan < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {fan!r}")
    fan_in, fan_out = int(fan_in), int(fan_out)
    if isinstance(mean, str):
        if mean not in MEANS:
            raise ValueError(f"mean must be one of {', '.join(MEANS)} or a real number, got {mean!r}")
        return MEANS[mean](fan_in, fan_out)
    if isinstance(mean, bool) or not isinstance(mean, numbers.Real) or math.isnan(mean):
        raise ValueError(f"mean must be one of {', '.join(MEANS)} or a real number, got {mean!r}")
    return 1 / _lehmer(fan_in, fan_out, float(mean))


def _lehmer(m: int, n: int, p: float) -> float:
    """Lehmer's mean without overflow, from powers of a ratio of at most 1 and L_p L_{1-p} = mn."""
    if p < 0.5:
        return m * n / _lehmer(m, n, 1 - p)
    r = min(m, n) / max(m, n)
    return max(m, n) * (1 + r**p) / (1 + r ** (p - 1))


def fans(tensor: Tensor, groups: int = 1) -> tuple[int, int]:
    r"""Fan-in and fan-out of a weight, by torch's rule: sizes 1 and 0 times the size of the kernel.

    Args:
        tensor: `(out, in, *kernel)`, as in `nn.Linear` and the convolutions.
        groups: groups of a convolution. torch's own rule does not know them: of the outputs it counts, one input
            reaches only the `1 / groups` that belong to its group.

    Raises:
        ValueError: fewer than two dimensions, an empty tensor, or groups that do not divide the outputs.

    >>> fans(nn.Linear(3, 5).weight), fans(nn.Conv2d(8, 8, 3, groups=8).weight, groups=8)
    ((3, 5), (9, 9))

    Source: torch.nn.init; groups: https://github.com/pytorch/pytorch/issues/23854.
    """
    if tensor.ndim < 2:
        raise ValueError(f"a weight needs at least two dimensions (out, in, *kernel), got shape {tuple(tensor.shape)}")
    if tensor.numel() == 0:
        raise ValueError(f"an empty weight of shape {tuple(tensor.shape)} has no fans")
    if isinstance(groups, bool) or not isinstance(groups, numbers.Integral) or groups < 1 or tensor.shape[0] % groups:
        raise ValueError(f"groups must be a divisor of the {tensor.shape[0]} outputs, got {groups!r}")
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] // groups * kernel


def _std(tensor: Tensor, gain: float, mean: str | SupportsFloat, groups: int) -> float:
    if not 0 <= gain < math.inf:
        raise ValueError(f"gain must be a finite number of at least 0, got {gain!r}")
    if not tensor.is_floating_point():
        raise ValueError(f"weights must be real floating point numbers, got {tensor.dtype}")
    return gain * math.sqrt(init_variance(*fans(tensor, groups), mean))


@torch.no_grad()
def nonsquare_normal_(
    tensor: Float[Tensor, "out in *kernel"],
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    mean: str | SupportsFloat = "arithmetic",
    groups: int = 1,
) -> Tensor:
    r"""Fill a weight in place from a normal distribution of variance `gain² · init_variance(fan_in, fan_out, mean)`.

    Same arguments as `torch.nn.init.xavier_normal_`, and the same numbers when `mean="arithmetic"`.

    Args:
        tensor: `(out, in, *kernel)`, floating point.
        gain: factor of the standard deviation, for example `2 ** 0.5` before a ReLU.
        generator: source of the random numbers; torch's global one by default.
        mean: see `init_variance`. The weight of a transposed convolution is `(in, out, *kernel)`, so that torch's
            rule swaps its fans: only `"fan_in"` and `"fan_out"` tell the difference.
        groups: groups of the convolution.

    Returns:
        The tensor.

    Raises:
        ValueError: a shape, dtype, gain, mean or number of groups that cannot be used.

    >>> w = nonsquare_normal_(torch.empty(3072, 768), generator=torch.Generator().manual_seed(0), mean="geometric")
    >>> round(float(w.var() * (768 * 3072) ** 0.5), 2)
    1.0

    Implements: eq-ns-lehmer.
    Source: https://kexue.fm/archives/8725.
    """
    return tensor.normal_(0.0, _std(tensor, gain, mean, groups), generator=generator)


@torch.no_grad()
def nonsquare_uniform_(
    tensor: Float[Tensor, "out in *kernel"],
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    mean: str | SupportsFloat = "arithmetic",
    groups: int = 1,
) -> Tensor:
    r"""Fill a weight in place from a uniform distribution of variance `gain² · init_variance(fan_in, fan_out, mean)`.

    The interval is $[-\sqrt{3}\,\sigma, \sqrt{3}\,\sigma]$. Same arguments as `torch.nn.init.xavier_uniform_`, and the
    same numbers when `mean="arithmetic"`.

    Args:
        tensor, gain, generator, mean, groups: as in `nonsquare_normal_`.

    Returns:
        The tensor.

    Raises:
        ValueError: as in `nonsquare_normal_`.

    >>> w = nonsquare_uniform_(torch.empty(2, 4), mean="fan_in")
    >>> bool(w.abs().max() <= (3 / 4) ** 0.5)
    True

    Implements: eq-ns-lehmer.
    Source: https://kexue.fm/archives/8725.
    """
    bound = math.sqrt(3.0) * _std(tensor, gain, mean, groups)
    return tensor.uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def nonsquare_orthogonal_(
    tensor: Float[Tensor, "out in *kernel"],
    gain: float = 1.0,
    generator: torch.Generator | None = None,
    *,
    mean: str | SupportsFloat = "arithmetic",
    groups: int = 1,
) -> Tensor:
    r"""Fill a weight in place with a semi-orthogonal matrix whose mean square is the variance asked for.

    A semi-orthogonal `(r, c)` matrix has mean square `1 / max(r, c)`, so it is scaled by
    $\sqrt{\max(r, c)\,t}$: its singular values are all equal to that. `torch.nn.init.orthogonal_` with the same
    generator gives the same matrix without this factor; half precision is drawn in float32 and rounded. Trailing
    dimensions are flattened, and each group is orthogonal on its own.

    Args:
        tensor, gain, generator, mean, groups: as in `nonsquare_normal_`.

    Returns:
        The tensor.

    Raises:
        ValueError: as in `nonsquare_normal_`.

    >>> w = nonsquare_orthogonal_(torch.empty(8, 2, dtype=torch.float64), mean="geometric")
    >>> torch.allclose(w.T @ w, 2 * torch.eye(2, dtype=torch.float64))
    True

    Implements: eq-ns-lehmer.
    Source: https://kexue.fm/archives/8725; Saxe, McClelland and Ganguli (2014).
    """
    std = _std(tensor, gain, mean, groups)
    for part in tensor.chunk(groups):
        scale = std * math.sqrt(max(part.shape[0], part[0].numel()))
        wide = part if part.dtype in (torch.float32, torch.float64) else part.float()
        nn.init.orthogonal_(wide, gain=scale, generator=generator)
        with torch.no_grad():
            part.copy_(wide)
    return tensor


@dataclass(frozen=True)
class LayerGain:
    r"""What one call of one layer does to the second moment of the signal, forward and back.

    Attributes:
        name: the layer's name in the module; the second and later calls of a shared layer end in `#2`, `#3`, …
        kind: its class.
        forward: mean square of its output over mean square of its input.
        backward: mean square of the gradient at its input over that at its output; None if none passes.
        forward_total: mean square of its output over that of the network's input; None if that is not floating point.
        backward_total: mean square of the gradient at its input over that at the network's output, or None.
    """

    name: str
    kind: str
    forward: float
    backward: float | None
    forward_total: float | None
    backward_total: float | None


def gain_probe(
    module: nn.Module,
    x: Tensor,
    *,
    grad: Tensor | None = None,
    generator: torch.Generator | None = None,
    layers: Callable[[str, nn.Module], bool] | None = None,
) -> list[LayerGain]:
    r"""Measure forward and backward gains of second moments, layer by layer, in one pass through any module.

    Weights, buffers, `.grad`, training mode, hooks and the global random state are as before when it returns or raises.
    A gradient that reaches a layer's input by a way round the layer (a skip connection) is not counted.

    Args:
        module: any module whose output is a tensor, or a tuple or list that starts with one.
        x: a batch of its input.
        grad: gradient at the output, of the output's shape; standard normal by default, drawn independently of the
            weights as the theory assumes. A real loss gives the gradient that training sees.
        generator: source of the default gradient.
        layers: `layers(name, layer)` says which to measure; by default those without children.

    Returns:
        One `LayerGain` for each call of a measured layer, in order of execution. A layer's input is its first
        floating-point argument, by place or by name, its output the first floating-point tensor that it returns.

    Raises:
        ValueError: no layer was measured, the output is no floating-point tensor, or `grad` has another shape.

    >>> _ = torch.manual_seed(0)
    >>> net = nn.Sequential(nn.Linear(256, 1024, bias=False), nn.Linear(1024, 256, bias=False))
    >>> for layer in net:
    ...     _ = nonsquare_normal_(layer.weight, mean="geometric")
    >>> [(g.name, round(g.forward, 1), round(g.backward, 1)) for g in gain_probe(net, torch.randn(64, 256))]
    [('0', 0.5, 2.0), ('1', 2.0, 0.5)]

    Implements: eq-ns-forward-gain, eq-ns-backward-gain.
    Source: https://kexue.fm/archives/8725.
    """
    chosen = layers or (lambda name, layer: next(layer.children(), None) is None)
    calls: list[dict[str, Any]] = []
    open_calls: list[dict[str, Any]] = []

    def before(name):
        def hook(layer, args, named):
            given = dict(enumerate(args)) | named
            place = next((k for k, a in given.items() if _is_float(a)), None)
            call = {"name": name, "kind": type(layer).__name__, "before": None}
            open_calls.append(call)
            if place is None:
                return None
            inner = given[place] if getattr(layer, "inplace", False) else given[place].view_as(given[place])
            call["before"] = _moment(inner)
            _on_gradient(inner, call, "back")
            given[place] = inner
            return tuple(given[k] for k in range(len(args))), {k: given[k] for k in named}

        return hook

    def after(layer, args, output):
        call = open_calls.pop()
        out = _first_float(output)
        if call["before"] is not None and out is not None:
            call["after"] = _moment(out)
            _on_gradient(out, call, "front")
            calls.append(call)

    state = [(m, k, b, b.detach().clone()) for m in module.modules() for k, b in m._buffers.items() if b is not None]
    handles = []
    cuda = [x.device] if x.is_cuda else []
    try:
        for name, layer in module.named_modules():
            if chosen(name, layer):
                handles.append(layer.register_forward_pre_hook(before(name), with_kwargs=True))
                handles.append(layer.register_forward_hook(after))
        with torch.random.fork_rng(devices=cuda), torch.enable_grad():
            leaf = x.detach().clone().requires_grad_(x.is_floating_point())
            output = _first_float(module(leaf.clone() if leaf.requires_grad else leaf))
            if output is None:
                raise ValueError("the module returns no floating-point tensor, so no gradient can be sent back")
            if grad is None:
                grad = torch.randn(output.shape, generator=generator, dtype=output.dtype, device=output.device)
            if grad.shape != output.shape:
                raise ValueError(f"grad must have the output's shape {tuple(output.shape)}, got {tuple(grad.shape)}")
            sources = [leaf, *module.parameters()]
            sources = [s for s in sources if s.requires_grad]
            if sources and output.requires_grad:
                torch.autograd.grad(output, sources, grad.to(output), allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
        with torch.no_grad():
            for owner, key, buffer, kept in state:
                buffer.copy_(kept)
                owner._buffers[key] = buffer
    if not calls:
        raise ValueError("no layer with a floating-point input was measured: see the argument `layers`")
    total_in = _moment(x) if x.is_floating_point() else None
    return _gains(calls, total_in, _moment(grad))


def _gains(calls: list[dict[str, Any]], total_in: float | None, total_grad: float) -> list[LayerGain]:
    seen: dict[str, int] = {}
    found = []
    for call in calls:
        count = seen[call["name"]] = seen.get(call["name"], 0) + 1
        back = call.get("back")
        found.append(
            LayerGain(
                name=call["name"] if count == 1 else f"{call['name']}#{count}",
                kind=call["kind"],
                forward=_ratio(call["after"], call["before"]),
                backward=None if back is None or "front" not in call else _ratio(back, call["front"]),
                forward_total=None if total_in is None else _ratio(call["after"], total_in),
                backward_total=None if back is None else _ratio(back, total_grad),
            )
        )
    return found


def _is_float(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _first_float(value: Any) -> Tensor | None:
    if isinstance(value, (tuple, list)):
        return next((v for v in value if _is_float(v)), None)
    return value if _is_float(value) else None


def _moment(value: Tensor) -> float:
    return float(value.detach().double().square().mean())


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan


def _on_gradient(value: Tensor, call: dict[str, Any], key: str) -> None:
    """Note the mean square of the gradient that arrives at a tensor."""
    if value.requires_grad:
        value.register_hook(lambda g: call.__setitem__(key, _moment(g)))
