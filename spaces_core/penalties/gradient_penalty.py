r"""Per-sample gradients with respect to the input and to the parameters, the bound between them, and two penalties."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.func import functional_call, grad, jvp, vmap

ELEMENTWISE = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Identity,
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.Mish,
    nn.ReLU,
    nn.ReLU6,
    nn.SELU,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Softsign,
    nn.Tanh,
    nn.Tanhshrink,
)
r"""Activations that act on each unit alone and have no parameters."""

FORMS = ("spectral", "frobenius", "sharp")


def parameter_grad_norm(
    module: nn.Module,
    f: Callable[..., Tensor],
    x: Shaped[Tensor, "batch *shape"],
    *targets: Tensor,
    squared: bool = False,
    create_graph: bool = False,
    method: str = "auto",
) -> Float[Tensor, " batch"]:
    r"""Norm of the gradient with respect to all trainable parameters, one value per sample.

    $$ \lVert\nabla_\theta f_i\rVert, \qquad f_i = f(\operatorname{module}(x_i), \text{targets}_i) $$

    This is not the norm of the gradient of the batch's mean loss, which can be zero when every sample's is not.

    Args:
        module: any module that maps a batch `(batch, *shape)` to a tensor `(batch, *out)`, each sample on its own.
        f: `f(output, *targets)` of one sample, without the batch dimension, to a scalar; for example
            `torch.nn.functional.cross_entropy`.
        x: the batch, at least one sample.
        targets: tensors with one entry per sample.
        squared: return squared norms (smooth at zero) instead of norms.
        create_graph: keep the graph, so that the result can be part of a loss. The gradient of a norm that is exactly
            zero is taken as zero.
        method: `"func"` is `vmap(grad(functional_call))` and holds for any module; `"identity"` uses
            $\sum_t (1 + \lVert h^{(t)}\rVert^2) \lVert\delta^{(t)}\rVert^2$ and forms no gradient of a weight, for
            `nn.Sequential` of linear layers and elementwise activations; `"auto"` takes the identity where it holds.

    Returns:
        `(batch,)`, of the dtype and on the device of the output.

    Raises:
        ValueError: no trainable parameter, batch norm in training mode (its samples have no gradient of their own),
            sizes that differ, an `f` that is no scalar, an unknown method, or `"identity"` for another module.

    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[1.0, -1.0]]))
    >>> parameter_grad_norm(net, torch.sum, torch.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([5., 1.])

    Implements: eq-gp-theta (method `"identity"`).
    Source: https://kexue.fm/archives/8796; identity: Goodfellow (2015), https://arxiv.org/abs/1510.01799.
    """
    if method not in ("auto", "func", "identity"):
        raise ValueError(f"method must be 'auto', 'func' or 'identity', got {method!r}")
    _check_batch(module, x, targets)
    if not any(p.requires_grad for p in module.parameters()):
        raise ValueError("no parameter of the module is trainable: set requires_grad on those that should count")
    use_identity = method == "identity" or (method == "auto" and _why_no_mlp(module, x) is None)
    with torch.set_grad_enabled(create_graph):
        total = _by_identity(module, f, x, targets) if use_identity else _by_func(module, f, x, targets)
        return total if squared else _safe_sqrt(total)


def input_grad_norm(
    module: nn.Module,
    f: Callable[..., Tensor],
    x: Shaped[Tensor, "batch *shape"],
    *targets: Tensor,
    squared: bool = False,
    create_graph: bool = False,
) -> Float[Tensor, " batch"]:
    r"""Norm of the gradient with respect to the input, one value per sample.

    $$ \lVert\nabla_{x_i} f_i\rVert, \qquad f_i = f(\operatorname{module}(x_i), \text{targets}_i) $$

    Args:
        module, f, x, targets, squared, create_graph: as in `parameter_grad_norm`; `x` is floating point.
            Its `requires_grad` and `.grad` are left alone.

    Returns:
        `(batch,)`, of the dtype and on the device of `x`.

    Raises:
        ValueError: `x` is not floating point, batch norm in training mode, sizes that differ, or an `f` that is no
            scalar.

    >>> net = nn.Sequential(nn.Linear(2, 1))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[3.0, -4.0]]))
    >>> input_grad_norm(net, torch.sum, torch.zeros(2, 2))
    tensor([5., 5.])

    Implements: eq-gp-chain.
    Source: https://kexue.fm/archives/8796.
    """
    _check_batch(module, x, targets)
    if not x.is_floating_point():
        raise ValueError(f"x must be floating point to have a gradient, got {x.dtype}; start at the embeddings")
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    with torch.set_grad_enabled(create_graph):
        if _why_no_mlp(module, x) is None:  # no layer mixes samples: one gradient of the sum holds them all
            gradient = grad(lambda batch: _sum_of(f, module(batch), targets))(x)
        else:
            one = grad(_of_one(module, f), argnums=1)
            gradient = vmap(one, in_dims=(None, 0, *(0 for _ in targets)), **_RANDOM)(state, x, *targets)
        total = gradient.flatten(1).square().sum(1)
        return total if squared else _safe_sqrt(total)


def gradient_bound(mlp: nn.Module, x: Float[Tensor, "batch *features"], form: str = "sharp") -> Float[Tensor, " batch"]:
    r"""The factor between the two squared gradients of an MLP: it holds for every scalar function of the output.

    $$ \lVert\nabla_\theta f\rVert^2 \ge \operatorname{bound}(x)\,\lVert\nabla_x f\rVert^2, \qquad
       \operatorname{bound}(x) = \sum_t \frac{1 + \lVert h^{(t)}\rVert^2}{n_t^2} $$

    where $n_t$ is $\lVert W^{(t)}\rVert_2\lVert\nabla_x h^{(t)}\rVert_2$ (`"spectral"`, the post's form), the same with
    Frobenius norms (`"frobenius"`, weaker), or $\lVert\nabla_x z^{(t)}\rVert_2$ (`"sharp"`, stronger). The 1 stands
    for the bias: a layer without one, or with a frozen one, adds $\lVert h\rVert^2$ alone, and a frozen weight none.

    Args:
        mlp: `nn.Sequential`, nested or not, of `nn.Linear` and the activations in `ELEMENTWISE`, none used twice.
        x: `(batch, features)`.
        form: `"sharp"`, `"spectral"` or `"frobenius"`.

    Returns:
        `(batch,)`. A layer through which no change of `x` passes, to within the smallest number of the dtype, adds 0.

    Raises:
        ValueError: an unknown form, or a module or input for which the inequality is not proved.

    >>> net = nn.Sequential(nn.Linear(2, 1))
    >>> _ = net[0].weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> gradient_bound(net, torch.ones(1, 2)).detach()
    tensor([0.1200])

    Implements: eq-gp-bound.
    Source: https://kexue.fm/archives/8796.
    """
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}, got {form!r}")
    _check_batch(mlp, x, ())
    if (why := _why_no_mlp(mlp, x)) is not None:
        raise ValueError(f"the bound is proved for MLPs only: {why}")
    h, jacobian = x, None  # jacobian of h with respect to x: (batch, units, features), None for the identity
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for layer in _flat(mlp):
        if not isinstance(layer, nn.Linear):
            slope = jvp(layer, (h.clone(),), (torch.ones_like(h),))[1]
            h = layer(h.clone())
            jacobian = torch.diag_embed(slope) if jacobian is None else slope[:, :, None] * jacobian
            continue
        w = layer.weight
        after = w.expand(len(x), *w.shape) if jacobian is None else w @ jacobian
        if form == "sharp":
            size = _spectral_squared(w).expand(len(x)) if jacobian is None else _spectral_squared(after)
        elif form == "spectral":
            size = _spectral_squared(w) * (torch.ones_like(total) if jacobian is None else _spectral_squared(jacobian))
        else:
            inner = torch.full_like(total, x.shape[1]) if jacobian is None else jacobian.square().sum((1, 2))
            size = w.square().sum() * inner
        alive = size > torch.finfo(size.dtype).tiny  # dropping a layer leaves a bound; dividing by less overflows
        total = total + torch.where(alive, _weight_of(layer, h) / torch.where(alive, size, 1), 0)
        h, jacobian = layer(h), after
    return total


def parameter_gradient_penalty(
    module: nn.Module, f: Callable[..., Tensor], x: Shaped[Tensor, "batch *shape"], *targets: Tensor
) -> Float[Tensor, ""]:
    r"""Mean of $\lVert\nabla_\theta f_i\rVert^2$ over the batch, with its graph: add `coefficient * penalty` to a loss.

    Args:
        module, f, x, targets: as in `parameter_grad_norm`.

    Returns:
        A scalar whose `backward()` reaches the parameters.

    Raises:
        ValueError: as in `parameter_grad_norm`.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> x, y = torch.ones(4, 2), torch.tensor([0, 1, 0, 1])
    >>> loss = nn.functional.cross_entropy
    >>> (loss(net(x), y) + 0.1 * parameter_gradient_penalty(net, loss, x, y)).backward()

    Implements: eq-gp-reach.
    Source: https://kexue.fm/archives/8796.
    """
    return parameter_grad_norm(module, f, x, *targets, squared=True, create_graph=True).mean()


def input_gradient_penalty(
    module: nn.Module, f: Callable[..., Tensor], x: Shaped[Tensor, "batch *shape"], *targets: Tensor
) -> Float[Tensor, ""]:
    r"""Mean of $\lVert\nabla_{x_i} f_i\rVert^2$ over the batch, with its graph: add `coefficient * penalty` to a loss.

    Args:
        module, f, x, targets: as in `input_grad_norm`.

    Returns:
        A scalar whose `backward()` reaches the parameters.

    Raises:
        ValueError: as in `input_grad_norm`.

    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> penalty = input_gradient_penalty(net, torch.sum, torch.zeros(1, 2))
    >>> penalty.backward()
    >>> torch.allclose(net[0].weight.grad, 2 * net[0].weight)
    True

    Implements: eq-gp-reach.
    Source: https://kexue.fm/archives/8796.
    """
    return input_grad_norm(module, f, x, *targets, squared=True, create_graph=True).mean()


_RANDOM = {"randomness": "different"}


def _of_one(module: nn.Module, f: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`f` of one sample, as a function of the module's state, the sample and its targets."""
    places = _places(module)

    def value(state, sample, *target):
        state = {place: state[name] for place, name in places.items()}
        return _scalar(f(functional_call(module, state, (sample[None],), tie_weights=False)[0], *target))

    return value


def _places(module: nn.Module) -> dict[str, str]:
    """Each place of a parameter or buffer, and the name under which the module lists it first.

    A layer used twice is one place: torch's own tying would replace its weights twice and put the wrong one back.
    """
    named = [
        (f"{prefix}.{key}" if prefix else key, tensor)
        for prefix, part in module.named_modules()
        for key, tensor in (*part._parameters.items(), *part._buffers.items())
        if tensor is not None
    ]
    first: dict[int, str] = {}
    return {place: first.setdefault(id(tensor), place) for place, tensor in named}


def _scalar(value: Tensor) -> Tensor:
    if value.shape != ():
        raise ValueError(f"f must return a scalar for each sample, got shape {tuple(value.shape)}")
    return value


def _sum_of(f: Callable[..., Tensor], outputs: Tensor, targets: tuple[Tensor, ...]) -> Tensor:
    return vmap(lambda *one: _scalar(f(*one)), **_RANDOM)(outputs, *targets).sum()


def _by_func(module, f, x, targets) -> Tensor:
    trained = {k: p for k, p in module.named_parameters() if p.requires_grad}
    fixed = {k: p for k, p in module.named_parameters() if not p.requires_grad} | dict(module.named_buffers())
    value = _of_one(module, f)

    def of_trained(params, sample, *target):
        return value({**params, **fixed}, sample, *target)

    gradient = vmap(grad(of_trained), in_dims=(None, 0, *(0 for _ in targets)), **_RANDOM)
    return sum(g.flatten(1).square().sum(1) for g in gradient(trained, x, *targets).values())


def _by_identity(module, f, x, targets) -> Tensor:
    if (why := _why_no_mlp(module, x)) is not None:
        raise ValueError(f"method 'identity' needs an MLP: {why}; use 'func'")
    layers = _flat(module)

    def value(taps):
        h, weights, taps = x, [], list(taps)
        for layer in layers:
            if isinstance(layer, nn.Linear):
                weights.append(_weight_of(layer, h))
                h = layer(h) + taps.pop(0)
            else:
                h = layer(h.clone())
        return _sum_of(f, h, targets), weights

    sizes = [layer.out_features for layer in layers if isinstance(layer, nn.Linear)]
    deltas, weights = grad(value, has_aux=True)(tuple(x.new_zeros(len(x), n) for n in sizes))
    return sum(w * delta.square().sum(1) for w, delta in zip(weights, deltas, strict=True))


def _weight_of(layer: nn.Linear, h: Tensor) -> Tensor:
    """The part of a layer's squared gradient that is not delta: 1 for the bias and the squared norm of its input."""
    bias = 1.0 if layer.bias is not None and layer.bias.requires_grad else 0.0
    return bias + (h.square().sum(1) if layer.weight.requires_grad else torch.zeros_like(h[:, 0]))


def _flat(module: nn.Module) -> list[nn.Module]:
    return [m for child in module for m in _flat(child)] if type(module) is nn.Sequential else [module]


def _why_no_mlp(module: nn.Module, x: Tensor) -> str | None:
    """Why the identity is not known to hold for this module and input, or None."""
    if type(module) is not nn.Sequential:
        return f"expected nn.Sequential, got {type(module).__name__}"
    if x.ndim != 2:
        return f"x of shape {tuple(x.shape)} shares the weights over positions; x must be (batch, features)"
    layers = _flat(module)
    for layer in layers:
        if type(layer) is not nn.Linear and type(layer) not in ELEMENTWISE:
            return f"{type(layer).__name__} is neither nn.Linear nor a known elementwise activation"
    owned = [p for layer in layers for p in layer.parameters()]
    if len({id(p) for p in owned}) < len(owned):
        return "two layers share a parameter"
    if not owned:
        return "it has no linear layer"
    if any(m._forward_hooks or m._forward_pre_hooks for m in module.modules()):
        return "it has forward hooks, which may change what a layer computes"
    return None


def _check_batch(module: nn.Module, x: Tensor, targets: tuple[Tensor, ...]) -> None:
    if x.ndim == 0 or len(x) == 0:
        raise ValueError(f"x must hold at least one sample along its first dimension, got shape {tuple(x.shape)}")
    for target in targets:
        if target.ndim == 0 or len(target) != len(x):
            raise ValueError(f"each target needs one entry per sample: x has {len(x)}, got shape {tuple(target.shape)}")
    for name, part in module.named_modules():
        if isinstance(part, nn.modules.batchnorm._NormBase) and part.training:
            if isinstance(part, nn.modules.batchnorm._BatchNorm) or part.track_running_stats:
                raise ValueError(
                    f"{name or 'the module'} ({type(part).__name__}) is in training mode and mixes the samples of a "
                    "batch or updates its statistics: call module.eval(), or use nn.GroupNorm"
                )


def _spectral_squared(matrix: Float[Tensor, "*batch rows columns"]) -> Float[Tensor, "*batch"]:
    """Squared largest singular value, from the smaller Gram matrix."""
    rows, columns = matrix.shape[-2:]
    exact = matrix.float() if matrix.dtype in (torch.float16, torch.bfloat16) else matrix
    gram = exact @ exact.mT if rows <= columns else exact.mT @ exact
    return torch.linalg.eigvalsh(gram)[..., -1].clamp(min=0).to(matrix.dtype)


def _safe_sqrt(square: Tensor) -> Tensor:
    """The root, with gradient zero at zero."""
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1).sqrt(), 0)
