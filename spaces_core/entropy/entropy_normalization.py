"""Give a distribution a prescribed entropy by a power transform, the temperature of the field."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import forward_ad

_WORK = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
_BLOCK = 2**17
_NEVER = -1e4  # the exponential of a score this far below the maximum is zero in every dtype


def entropy(p: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    r"""Shannon entropy in nats.

    $$H = -\sum_i p_i \log p_i, \qquad 0 \log 0 = 0$$

    Args:
        p: probabilities, non-negative, summing to one along `dim`.
        dim: the axis of the distribution.

    Returns:
        the entropy, between 0 and log n, with `dim` removed.

    Raises:
        ValueError: negative, unnormalised or NaN input, or integers.

    >>> entropy(torch.tensor([0.5, 0.5, 0.0]))
    tensor(0.6931)

    Implements: `eq-ent-entropy` at power 1. Source: Shannon, 1948.
    """
    _check_floating(p)
    _check_probabilities(p, dim)
    return -torch.xlogy(p, p).sum(dim)


def entropy_normalize(
    p: Float[Tensor, "..."],
    target: float | Float[Tensor, "..."],
    *,
    dim: int = -1,
    logits: bool = False,
    return_power: bool = False,
    max_iter: int = 100,
) -> Float[Tensor, "..."] | tuple[Float[Tensor, "..."], Float[Tensor, "..."]]:
    r"""The power of a distribution that has a prescribed entropy, keeping the order of its probabilities.

    $$\tilde p_i = \frac{p_i^\gamma}{\sum_j p_j^\gamma}, \qquad \gamma > 0, \qquad H(\tilde p) = \text{target}$$

    Found by Newton's method in log γ inside a bracket, all rows at once. Differentiable in `p` and `target`, forward
    (`torch.func.jvp`) and backward, twice. The search looks at values, so that `torch.vmap` is refused: pass a batch.

    Args:
        p: probabilities along `dim`, or scores of any scale if `logits` (log-probabilities up to a constant; minus
            infinity is a zero probability). Any batch shape.
        target: entropy in nats, a number or a tensor that broadcasts over the batch. It must lie strictly between log m
            and log k: m is how many entries tie for the maximum, k how many are not zero.
        dim: the axis of the distribution.
        logits: whether `p` holds scores.
        return_power: also return γ, with `dim` removed.
        max_iter: bound on the evaluations of the search, at least 1; it needs three to nine, up to thirty beside finite
            mask values, and returns the last.

    Returns:
        probabilities of the shape and dtype of `p`; zeros stay zero. With `return_power`, `(probabilities, power)`.

    Raises:
        ValueError: NaN, plus infinity, negative or unnormalised input, a row without an entry that is not zero, or a
            target that no power reaches.

    >>> p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    >>> q, power = entropy_normalize(p, 1.0, return_power=True)
    >>> entropy(q), power
    (tensor(1., dtype=torch.float64), tensor(0.5468, dtype=torch.float64))

    Implements: `eq-ent-lognewton`, with targets in the interval of `eq-ent-range` and the derivative
    `eq-ent-score`. Source: Su, 2021, kexue.fm/archives/8829.
    """
    _check_floating(p)
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, got {max_iter}")
    if p.ndim == 0 or p.shape[dim] == 0:
        raise ValueError(f"a distribution has at least one entry; p has shape {tuple(p.shape)} and dim is {dim}")
    if not logits:
        _check_probabilities(p, dim)
    rows = p.movedim(dim, -1)
    batch = rows.shape[:-1]
    target = torch.as_tensor(target, dtype=_WORK.get(p.dtype, p.dtype), device=p.device)
    try:
        target = target.expand(batch)
    except RuntimeError:
        raise ValueError(f"the target has shape {tuple(target.shape)}; it must broadcast to {tuple(batch)}") from None
    if _tracked(p) or _tracked(target):
        scores = rows.to(target.dtype)
        alive = scores > (-math.inf if logits else 0)
        if not logits:
            scores = scores.masked_fill(~alive, 1).log().masked_fill(~alive, -math.inf)
        power = _Power.apply(scores, target, max_iter)
        away = (scores - scores.detach().amax(-1, keepdim=True)).masked_fill(~alive, 0)
        out = (power.unsqueeze(-1) * away).masked_fill(~alive, -math.inf).softmax(-1)
        out = out.to(p.dtype)
    else:
        with torch.no_grad():
            out, power = _solve_in_blocks(rows, target, logits, max_iter)
    out = out.movedim(-1, dim)
    return (out, power.to(p.dtype)) if return_power else out


class EntropyLogitsProcessor:
    r"""Sample every token at the same entropy: a logits processor in the manner of Hugging Face `generate`.

    Args:
        target: entropy in nats of the next-token distribution.
        at_most: sharpen distributions above the target and leave the others alone.

    Raises:
        ValueError: `target` is not positive and finite.

    >>> scores = torch.tensor([[2.0, 1.0, 0.0, -1.0]])
    >>> entropy(EntropyLogitsProcessor(0.5)(None, scores).softmax(-1))
    tensor([0.5000])

    A row that cannot have the target (two tied maxima cannot fall below log 2) keeps its scores. Scores that are NaN or
    plus infinity, and a row in which all are minus infinity, are a `ValueError`.

    Implements: `eq-ent-power`. Source: Su, 2021, kexue.fm/archives/8829.
    """

    def __init__(self, target: float, at_most: bool = False):
        if not 0 < target < math.inf:
            raise ValueError(f"the entropy of a next token is positive and finite, not {target}")
        self.target, self.at_most = float(target), at_most

    def __call__(self, input_ids, scores: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        top = scores.amax(-1, keepdim=True)
        _check_scores(top)
        lo, hi = _reachable(scores - top)
        change = (lo < self.target) & (self.target < hi)
        if self.at_most:
            change &= -torch.special.xlogy(p := scores.softmax(-1), p).sum(-1) > self.target
        out = scores.clone()
        if change.any():
            _, power = entropy_normalize(scores[change], self.target, logits=True, return_power=True)
            out[change] = (scores - top)[change] * power[:, None]
        return out


class _Power(torch.autograd.Function):
    """The power as a function of scores and target: the search, and the implicit function theorem for derivatives."""

    @staticmethod
    def forward(scores, target, max_iter):
        return _solve_in_blocks(scores, target, True, max_iter)[1]

    @staticmethod
    def setup_context(ctx, inputs, output):
        scores, target, _ = inputs
        ctx.save_for_backward(scores, output)
        ctx.save_for_forward(scores, output)

    @staticmethod
    def _slopes(ctx):
        """Derivatives of the power by the scores (zero where the probability is zero) and by the target."""
        scores, power = ctx.saved_tensors
        alive = scores > -math.inf
        scores = (scores - scores.detach().amax(-1, keepdim=True)).masked_fill(~alive, 0)
        z = (power.unsqueeze(-1) * scores).clamp_min(_NEVER)
        q = z.masked_fill(~alive, -math.inf).softmax(-1)
        away = z - (q * z).sum(-1, keepdim=True)
        variance = (q * away * away).sum(-1)
        return -q * away * (power * power / variance).unsqueeze(-1), -power / variance

    @staticmethod
    def backward(ctx, grad):
        by_score, by_target = _Power._slopes(ctx)
        return grad.unsqueeze(-1) * by_score, grad * by_target, None

    @staticmethod
    def jvp(ctx, scores, target, _):
        by_score, by_target = _Power._slopes(ctx)
        move = torch.zeros_like(by_target)
        if scores is not None:
            move = move + (by_score * scores.masked_fill(by_score == 0, 0)).sum(-1)
        return move if target is None else move + by_target * target


def _tracked(x: Tensor) -> bool:
    """Whether a derivative of `x` is wanted, backward or forward."""
    return (x.requires_grad and torch.is_grad_enabled()) or forward_ad.unpack_dual(x).tangent is not None


def _solve_in_blocks(p: Tensor, target: Tensor, logits: bool, max_iter: int) -> tuple[Tensor, Tensor]:
    """Probabilities and powers of `p` (..., n), a block of rows at a time: small enough for the processor's cache."""
    flat, goal = p.reshape(-1, p.shape[-1]), target.reshape(-1)
    out, power = torch.empty_like(flat), torch.empty_like(goal)
    size = max(1, (_BLOCK if p.device.type == "cpu" else 256 * _BLOCK) // max(1, p.shape[-1]))
    for start in range(0, len(flat), size):
        block = slice(start, start + size)
        scores = flat[block].to(goal.dtype)
        _solve(scores if logits else scores.log(), goal[block], out[block], power[block], start, max_iter)
    return out.reshape(p.shape), power.reshape(target.shape)


def _solve(scores: Tensor, target: Tensor, out: Tensor, power: Tensor, start: int, max_iter: int) -> None:
    """Write the probabilities and powers of a block into `out` and `power`; solved rows leave the block."""
    top, bottom = scores.amax(-1, keepdim=True), scores.amin(-1)
    _check_scores(top, start)
    scores = scores - top
    lowest, highest = _reachable(scores)
    _check_reachable(lowest, highest, target, start)
    alive = None
    if not (bottom > -math.inf).all():
        alive = scores > -math.inf
        scores = scores.masked_fill(~alive, 0)

    kind = torch.finfo(scores.dtype)
    least, most = math.log(kind.smallest_normal * kind.eps), math.log(kind.max)  # of log γ
    n = highest.exp()
    width = -scores.amin(-1)
    unit = scores / width[:, None]  # the square of a mask value such as -1e20 is not a number of single precision
    mean = unit.sum(-1) / n
    var = (_dot(unit, unit) / n - mean * mean).clamp_min(kind.tiny)
    room = (2 * (highest - target)).clamp_min(kind.eps)
    x = (room / var).log() / 2 - width.log()  # the Gaussian guess: H = log n - γ² var / 2
    x = x.clamp(least, most)
    lo, hi = torch.full_like(x, -math.inf), torch.full_like(x, math.inf)
    rows = torch.arange(len(x), device=x.device)
    for step in range(max_iter):
        gamma = x.exp()
        z = torch.mul(scores, gamma[:, None]).clamp_min_(_NEVER)
        e = z.exp()
        if alive is not None:
            e *= alive
        total, weighted = e.sum(-1), e * z
        first = weighted.sum(-1) / total
        slope = _dot(weighted, z) / total - first * first
        gap = total.log() - first - target
        lo, hi = torch.where(gap > 0, x, lo), torch.where(gap > 0, hi, x)
        newton = x + gap / slope
        inside = (newton == x) | ((newton > torch.maximum(lo, x - 3)) & (newton < torch.minimum(hi, x + 3)))
        reach = 2.0 ** max(1, step - 2)
        safe = torch.where(lo.isinf(), hi - reach, torch.where(hi.isinf(), lo + reach, (lo + hi) / 2))
        after = torch.where(inside, newton, safe).clamp(least, most)
        todo = (gap.abs() > 2 * kind.eps * (1 + target)) & (after != x) & (hi - lo > kind.eps)
        left = int(todo.sum()) if step < max_iter - 1 else 0
        if left == 0 or left < 0.75 * len(todo):
            power[rows], out[rows] = gamma, e.div_(total[:, None]).to(out.dtype)
            if left == 0:
                return
            scores, target, after, lo, hi, rows = (t[todo] for t in (scores, target, after, lo, hi, rows))
            alive = None if alive is None else alive[todo]
        x = after


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return torch.bmm(a.unsqueeze(1), b.unsqueeze(2)).view(-1)


def _reachable(scores: Tensor) -> tuple[Tensor, Tensor]:
    """The open interval of entropies that powers reach; the maximum of each row is 0."""
    ties, support = (scores == 0).sum(-1), (scores > -math.inf).sum(-1)
    return ties.to(scores.dtype).log(), support.to(scores.dtype).log()


def _check_reachable(lo: Tensor, hi: Tensor, target: Tensor, start: int) -> None:
    bad = ~((lo < target) & (target < hi))
    if not bad.any():
        return
    k = int(bad.nonzero()[0])
    lo, hi, t = (float(v[k]) for v in (lo, hi, target))
    row = "" if len(bad) == 1 else f" (row {start + k})"
    raise ValueError(
        f"no power reaches an entropy of {t:.6g} nats{row}: with {round(math.exp(lo))} entries tied for the maximum "
        f"and {round(math.exp(hi))} that are not zero it lies strictly between {lo:.6g} and {hi:.6g}"
    )


def _check_floating(p: Tensor) -> None:
    if not torch.is_floating_point(p):
        raise ValueError(f"probabilities or scores must be floating point, not {p.dtype}; call .float() first")


def _check_scores(top: Tensor, start: int = 0) -> None:
    """Refuse rows whose largest score says that there is no distribution."""
    if not (top < math.inf).all():
        raise ValueError("scores are finite or minus infinity; found NaN or plus infinity")
    if (empty := top == -math.inf).any():
        row = "" if top.numel() == 1 else f" (row {start + int(empty.reshape(-1).nonzero()[0])})"
        raise ValueError(f"all scores are minus infinity{row}: a distribution has an entry that is not zero")


def _check_probabilities(p: Tensor, dim: int) -> None:
    if not p.numel():
        return
    p = p.detach()
    low = float(p.amin())
    if math.isnan(low):
        raise ValueError("probabilities contain NaN; they must be numbers from 0 to 1")
    if low < 0:
        raise ValueError(f"probabilities must not be negative; the smallest is {low:.3g} (scores? pass logits=True)")
    tol = 100 * torch.finfo(p.dtype).eps if p.dtype in _WORK else 1e-4 if p.dtype == torch.float32 else 1e-8
    off = float((p.sum(dim, dtype=_WORK.get(p.dtype)) - 1).abs().max())
    if off > tol:
        raise ValueError(f"probabilities must sum to 1 along dim {dim}; a sum is off by {off:.3g}: divide by the sum")
