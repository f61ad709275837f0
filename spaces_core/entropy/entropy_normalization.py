"""Give a distribution a prescribed entropy by a power transform, the temperature of the field."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

_WORK = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
_BLOCK = 2**17


def entropy(p: Float[Tensor, "..."], dim: int = -1) -> Float[Tensor, "..."]:
    r"""Shannon entropy in nats.

    $$H = -\sum_i p_i \log p_i, \qquad 0 \log 0 = 0$$

    Args:
        p: probabilities, non-negative, summing to one along `dim`.
        dim: the axis of the distribution.

    Returns:
        the entropy, between 0 and log n, with `dim` removed.

    Raises:
        ValueError: negative, unnormalised or NaN input.

    >>> entropy(torch.tensor([0.5, 0.5, 0.0]))
    tensor(0.6931)

    Implements: `eq-ent-entropy` at power 1. Source: Shannon, 1948.
    """
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

    Found by Newton's method in log γ inside a bracket, all rows at once; twice differentiable in `p` and `target`.

    Args:
        p: probabilities along `dim`, or scores of any scale if `logits` (log-probabilities up to a constant; minus
            infinity is a zero probability). Any batch shape.
        target: entropy in nats, a number or a tensor that broadcasts over the batch. It must lie strictly between log m
            and log k: m is how many entries tie for the maximum, k how many are not zero.
        dim: the axis of the distribution.
        logits: whether `p` holds scores.
        return_power: also return γ, with `dim` removed.
        max_iter: bound on the evaluations of the search, of which it needs three to nine; the last is returned.

    Returns:
        probabilities of the shape and dtype of `p`; zeros stay zero. With `return_power`, `(probabilities, power)`.

    Raises:
        ValueError: NaN, negative or unnormalised input, or a target that no power reaches.

    >>> p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    >>> q, power = entropy_normalize(p, 1.0, return_power=True)
    >>> entropy(q), power
    (tensor(1., dtype=torch.float64), tensor(0.5468, dtype=torch.float64))

    Implements: `eq-ent-lognewton`, in the bracket of `eq-ent-range`. Source: Su, 2021, kexue.fm/archives/8829.
    """
    if not torch.is_floating_point(p):
        raise ValueError(f"probabilities or scores must be floating point, not {p.dtype}; call .float() first")
    if not logits:
        _check_probabilities(p, dim)
    rows = p.movedim(dim, -1)
    batch = rows.shape[:-1]
    target = torch.as_tensor(target, dtype=_WORK.get(p.dtype, p.dtype), device=p.device)
    try:
        target = target.expand(batch)
    except RuntimeError:
        raise ValueError(f"the target has shape {tuple(target.shape)}; it must broadcast to {tuple(batch)}") from None
    with torch.no_grad():
        out, power = _solve_in_blocks(rows.detach(), target.detach(), logits, max_iter)
    if torch.is_grad_enabled() and (p.requires_grad or target.requires_grad):
        scores = rows.to(target.dtype) if logits else rows.to(target.dtype).log()
        scores = scores - scores.detach().amax(-1, keepdim=True)
        alive = scores > -math.inf
        scores = torch.where(alive, scores, torch.zeros_like(scores))
        for _ in range(2):  # a Newton step at the solution carries its derivative, two carry the second
            h, slope = _entropy_and_slope(scores, alive, power)
            power = power - (h - target) / slope
        out = (power.unsqueeze(-1) * scores).masked_fill(~alive, -math.inf).softmax(-1).to(p.dtype)
    out = out.movedim(-1, dim)
    return (out, power.to(p.dtype)) if return_power else out


class EntropyLogitsProcessor:
    r"""Sample every token at the same entropy: a logits processor in the manner of Hugging Face `generate`.

    Args:
        target: entropy in nats of the next-token distribution.
        at_most: sharpen distributions above the target and leave the others alone.

    Raises:
        ValueError: `target` is not positive.

    >>> scores = torch.tensor([[2.0, 1.0, 0.0, -1.0]])
    >>> entropy(EntropyLogitsProcessor(0.5)(None, scores).softmax(-1))
    tensor([0.5000])

    A row that cannot have the target (two tied maxima cannot fall below log 2) keeps its scores.

    Implements: `eq-ent-power`. Source: Su, 2021, kexue.fm/archives/8829.
    """

    def __init__(self, target: float, at_most: bool = False):
        if not target > 0:
            raise ValueError(f"the entropy of a next token is positive, not {target}")
        self.target, self.at_most = float(target), at_most

    def __call__(self, input_ids, scores: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        lo, hi = _reachable(scores - scores.amax(-1, keepdim=True))
        change = (lo < self.target) & (self.target < hi)
        if self.at_most:
            change &= -torch.special.xlogy(p := scores.softmax(-1), p).sum(-1) > self.target
        out = scores.clone()
        if change.any():
            _, power = entropy_normalize(scores[change], self.target, logits=True, return_power=True)
            out[change] = scores[change] * power[:, None]
        return out


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
    if not (top < math.inf).all():
        raise ValueError("scores are finite or minus infinity; found NaN or plus infinity")
    scores = scores - top
    lowest, highest = _reachable(scores)
    _check_reachable(lowest, highest, target, start)
    alive = None
    if not (bottom > -math.inf).all():
        alive = scores > -math.inf
        scores = scores.masked_fill(~alive, 0)

    eps = torch.finfo(scores.dtype).eps
    n = highest.exp()
    mean = scores.sum(-1) / n
    var = (_dot(scores, scores) / n - mean * mean).clamp_min(torch.finfo(scores.dtype).tiny)
    x = ((2 * (highest - target)).clamp_min(eps) / var).log() / 2  # the Gaussian guess: H = log n - γ² var / 2
    lo, hi = torch.full_like(x, -math.inf), torch.full_like(x, math.inf)
    rows = torch.arange(len(x), device=x.device)
    for step in range(max_iter):
        gamma = x.exp()
        e = torch.mul(scores, gamma[:, None]).exp_()
        if alive is not None:
            e *= alive
        total, weighted = e.sum(-1), e * scores
        first = weighted.sum(-1) / total
        slope = gamma * gamma * (_dot(weighted, scores) / total - first * first)
        gap = total.log() - gamma * first - target
        lo, hi = torch.where(gap > 0, x, lo), torch.where(gap > 0, hi, x)
        newton = x + gap / slope
        inside = (newton == x) | ((newton > torch.maximum(lo, x - 3)) & (newton < torch.minimum(hi, x + 3)))
        safe = torch.where(lo.isinf(), hi - 2, torch.where(hi.isinf(), lo + 2, (lo + hi) / 2))
        after = torch.where(inside, newton, safe)
        todo = (gap.abs() > 2 * eps * (1 + target)) & (after != x) & (hi - lo > eps)
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


def _entropy_and_slope(scores, alive, power):
    z = (power.unsqueeze(-1) * scores).masked_fill(~alive, -math.inf)
    q = z.softmax(-1)
    mean = (q * scores).sum(-1)
    var = (q * (scores - mean.unsqueeze(-1)) ** 2).sum(-1)
    return z.logsumexp(-1) - power * mean, -power * var


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
