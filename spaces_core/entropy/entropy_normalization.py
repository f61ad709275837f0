"""Give a distribution a prescribed entropy by a power transform, the temperature of the field."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

_WORK = {torch.float16: torch.float32, torch.bfloat16: torch.float32}


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

    Found by Newton's method in log γ inside a bracket, row by row in parallel; differentiable in `p` and `target`, twice.

    Args:
        p: probabilities along `dim`, or scores of any scale if `logits` (log-probabilities up to a constant; minus
            infinity is a zero probability). Any batch shape.
        target: entropy in nats, a number or a tensor that broadcasts over the batch. It must lie strictly between log m
            and log k: m is how many entries tie for the maximum, k how many are not zero.
        dim: the axis of the distribution.
        logits: whether `p` holds scores.
        return_power: also return γ, with `dim` removed.
        max_iter: bound on the iterations of the search (it takes about five).

    Returns:
        probabilities of the shape and dtype of `p`; zeros stay zero. With `return_power`, `(probabilities, power)`.

    Raises:
        ValueError: NaN, negative or unnormalised input, or a target that no power reaches.

    >>> p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    >>> q, power = entropy_normalize(p, 1.0, return_power=True)
    >>> entropy(q), power
    (tensor(1.0000, dtype=torch.float64), tensor(0.5564, dtype=torch.float64))

    Implements: `eq-ent-lognewton`, in the bracket of `eq-ent-range`. Source: Su, 2021, kexue.fm/archives/8829.
    """
    if not torch.is_floating_point(p):
        raise ValueError(f"probabilities or scores must be floating point, not {p.dtype}; call .float() first")
    if not logits:
        _check_probabilities(p, dim)
    work = p.to(_WORK.get(p.dtype, p.dtype)).movedim(dim, -1)
    scores = work if logits else work.log()
    if torch.isnan(scores).any() or (scores == math.inf).any():
        raise ValueError("scores are finite or minus infinity; found NaN or plus infinity")
    scores = scores - scores.detach().amax(-1, keepdim=True)
    target = torch.as_tensor(target, dtype=scores.dtype, device=scores.device).expand(scores.shape[:-1])
    _check_reachable(scores.detach(), target)

    alive = scores > -math.inf
    scores = torch.where(alive, scores, torch.zeros_like(scores))
    with torch.no_grad():
        flat = scores.reshape(-1, scores.shape[-1])
        weight = None if bool(alive.all()) else alive.reshape(flat.shape).to(flat.dtype)
        power = _search(flat, weight, target.reshape(-1), max_iter).reshape(target.shape)
    if torch.is_grad_enabled() and (scores.requires_grad or target.requires_grad):
        for _ in range(2):  # a Newton step at the solution carries its derivative, two carry the second
            h, slope = _entropy_and_slope(scores, alive, power)
            power = power - (h - target) / slope
    out = (power.unsqueeze(-1) * scores).masked_fill(~alive, -math.inf).softmax(-1)
    out = out.movedim(-1, dim).to(p.dtype)
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

    def __call__(self, input_ids, scores: Float[Tensor, "batch vocabulary"]) -> Float[Tensor, "batch vocabulary"]:
        lo, hi = _reachable(scores - scores.amax(-1, keepdim=True))
        change = (lo < self.target) & (self.target < hi)
        if self.at_most:
            change &= -torch.special.xlogy(p := scores.softmax(-1), p).sum(-1) > self.target
        out = scores.clone()
        if change.any():
            _, power = entropy_normalize(scores[change], self.target, logits=True, return_power=True)
            out[change] = scores[change] * power[:, None]
        return out


def _search(scores: Tensor, weight: Tensor | None, target: Tensor, max_iter: int) -> Tensor:
    """γ for each row of `scores` (rows, n), maximum 0; solved rows leave the batch."""
    n = scores.shape[-1] if weight is None else weight.sum(-1)
    mean = scores.mean(-1) if weight is None else (scores * weight).sum(-1) / n
    square = torch.linalg.vecdot(scores, scores) / n
    spread = (square - mean * mean).clamp_min(torch.finfo(scores.dtype).tiny).sqrt()
    room = (torch.as_tensor(n, dtype=scores.dtype).log() - target).clamp_min(torch.finfo(scores.dtype).eps)
    x = (2 * room).sqrt().div(spread).log()  # the Gaussian guess: H = log n - γ² var / 2
    lo, hi = torch.full_like(x, -math.inf), torch.full_like(x, math.inf)
    tol = 4 * torch.finfo(scores.dtype).eps * (1 + target.abs())
    answer = torch.exp(x)
    rows = torch.arange(len(x), device=x.device)
    for _ in range(max_iter):
        gamma = x.exp()
        e = torch.mul(scores, gamma[:, None]).exp_()
        if weight is not None:
            e *= weight
        total = e.sum(-1)
        first = torch.linalg.vecdot(e, scores) / total
        second = torch.einsum("rn,rn,rn->r", e, scores, scores) / total
        gap = total.log() - gamma * first - target
        slope = gamma * gamma * (second - first * first)
        lo, hi = torch.where(gap > 0, x, lo), torch.where(gap > 0, hi, x)
        step = x + gap / slope
        ends = torch.where(lo.isinf(), hi - 2, torch.where(hi.isinf(), lo + 2, (lo + hi) / 2))
        inside = (step > torch.where(lo.isinf(), x - 3, lo)) & (step < torch.where(hi.isinf(), x + 3, hi))
        moved = torch.where(inside, step, ends)
        answer[rows] = gamma
        todo = (gap.abs() > tol) & (moved != x) & (hi - lo > torch.finfo(x.dtype).eps)
        if not todo.any():
            return answer
        x = moved
        if todo.sum() < 0.75 * len(todo):
            scores, target, tol, x, lo, hi, rows = (t[todo] for t in (scores, target, tol, x, lo, hi, rows))
            weight = None if weight is None else weight[todo]
    return answer


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


def _check_reachable(scores: Tensor, target: Tensor) -> None:
    lo, hi = _reachable(scores)
    bad = ~((lo < target) & (target < hi))
    if not bad.any():
        return
    k = int(bad.reshape(-1).nonzero()[0])
    lo, hi, t = (float(v.reshape(-1)[k]) for v in (lo, hi, target))
    row = "" if bad.numel() == 1 else f" (row {k})"
    raise ValueError(
        f"no power reaches an entropy of {t:.6g} nats{row}: with {round(math.exp(lo))} entries tied for the maximum and "
        f"{round(math.exp(hi))} that are not zero it lies strictly between {lo:.6g} and {hi:.6g}"
    )


def _check_probabilities(p: Tensor, dim: int) -> None:
    if torch.isnan(p).any():
        raise ValueError("probabilities contain NaN")
    if (p < 0).any():
        raise ValueError(
            f"probabilities must not be negative; the smallest is {float(p.min()):.3g} (scores? pass logits=True)"
        )
    total = p.detach().to(_WORK.get(p.dtype, p.dtype)).sum(dim)
    tol = 100 * torch.finfo(p.dtype).eps if p.dtype in _WORK else 1e-4 if p.dtype == torch.float32 else 1e-8
    off = (total - 1).abs().max()
    if off > tol:
        raise ValueError(
            f"probabilities must sum to 1 along dim {dim}; a sum is off by {float(off):.3g}: divide by the sum"
        )
