r"""Residual attention: every layer's scores are added to the sum of those below it, with no matrix of scores kept."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

Memory = tuple[Tensor, Tensor]
r"""Queries, times their scales, and keys of the layers so far, concatenated in the last axis."""


def residual_attention(
    q: Float[Tensor, "*query n head"],
    k: Float[Tensor, "*batch m head"],
    v: Float[Tensor, "*batch m value"],
    memory: Memory | None = None,
    *,
    attn_mask: Bool[Tensor, "..."] | Float[Tensor, "..."] | None = None,
    is_causal: bool = False,
    scale: float | None = None,
    dropout_p: float = 0.0,
    enable_gqa: bool = False,
) -> tuple[Float[Tensor, "*query n value"], Memory]:
    r"""Attend with the sum of this layer's scores and those of all layers before it.

    $$ A_l = A_{l-1} + s_l\, Q_l K_l^\top = [s_1 Q_1, \dots, s_l Q_l]\,[K_1, \dots, K_l]^\top, \qquad
       O_l = \operatorname{softmax}(A_l + M)\, V_l $$

    The second form is one call of `scaled_dot_product_attention` on longer heads: no `(n, m)` tensor passes from layer
    to layer. Its blockwise kernels need none within a layer either, as long as they take heads of this width: on a GPU
    FlashAttention stops at 256, and a slower kernel runs beyond. Concatenation copies, so training keeps the tables of
    every layer. Mask and bias `M` are this layer's alone.

    Args:
        q, k, v: this layer's heads. The width of `q` and `k` may change from layer to layer, as may that of `v`.
        memory: what the layer below returned; None in the first.
        attn_mask: boolean (True: may attend) or a bias to be added to the scores, broadcast to `(*batch, n, m)`.
        is_causal: a query sees the keys up to its own place; not together with `attn_mask`. With more keys than
            queries, as beside a cache, the queries are the *last* `n` of the `m` places (FlashAttention counts so too,
            `scaled_dot_product_attention` from the first key on).
        scale: of this layer's scores; $1/\sqrt{\text{head}}$ of the layer's own heads if None.
        dropout_p: chance, from 0 to below 1, that an attention weight is dropped in this call, whether in training or
            not. Dropped weights do not touch the scores that are handed on.
        enable_gqa: `k` and `v` may have fewer heads (third axis from the right) than `q`, a divisor of its number;
            neighbouring heads of `q` then share one of `k`. The memory keeps the fewer heads.

    Returns:
        the output, and the memory for the next layer: two tensors `(*batch, n or m, sum of the heads' widths)`.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit, a `memory` of other lengths, a mask beside `is_causal`,
            more queries than keys with `is_causal`, a `dropout_p` outside its range.

    >>> q, k, v = torch.ones(3, 1, 2, 4, 8)
    >>> out, memory = residual_attention(q, k, v)
    >>> out, memory = residual_attention(q, k, v, memory)
    >>> out.shape, memory[0].shape
    (torch.Size([1, 2, 4, 8]), torch.Size([1, 2, 4, 16]))

    Implements: eq-real-concat.
    Source: https://kexue.fm/archives/8027; He et al., RealFormer (2020); the concatenated form is this book's.
    """
    same = q.shape[:-2] == k.shape[:-2] or enable_gqa and _grouped(q, k)
    if q.dim() < 2 or q.shape[-1] != k.shape[-1] or not same or k.shape[:-1] != v.shape[:-1]:
        raise ValueError(
            "q must be (..., n, head), k (..., m, head) and v (..., m, value) with the same leading sizes (enable_gqa: "
            "k and v may have fewer heads, a divisor of those of q), "
            f"got {tuple(q.shape)}, {tuple(k.shape)} and {tuple(v.shape)}"
        )
    if not q.shape[-1]:
        raise ValueError("the heads must have at least one dimension")
    if not 0 <= dropout_p < 1:
        raise ValueError(f"dropout_p must be at least 0 and below 1, got {dropout_p!r}")
    if is_causal and attn_mask is not None:
        raise ValueError("give either attn_mask or is_causal, not both: put the causal part into the mask")
    if is_causal and q.shape[-2] != k.shape[-2]:
        # One query is the newest token and sees all keys; a few need a mask that ends at the bottom right.
        attn_mask, is_causal = _causal(q, k) if q.shape[-2] > 1 else None, False
    q = q * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if memory is not None:
        for name, old, new in (("queries", memory[0], q), ("keys", memory[1], k)):
            if old.shape[:-1] != new.shape[:-1] or (old.dtype, old.device) != (new.dtype, new.device):
                raise ValueError(
                    f"the memory holds {name} of size {tuple(old.shape[:-1])}, {old.dtype} on {old.device}; this layer "
                    f"has {tuple(new.shape[:-1])}, {new.dtype} on {new.device}. Start a new sequence with memory=None"
                )
        q, k = torch.cat([memory[0], q], -1), torch.cat([memory[1], k], -1)
    if attn_mask is not None and attn_mask.dim() < 2:
        attn_mask = attn_mask.expand(q.shape[-2], k.shape[-2])
    width = v.shape[-1]
    # The CPU's blockwise kernel wants values as wide as the keys; without it, the n x m scores would be stored.
    if q.device.type == "cpu" and width < k.shape[-1]:
        v = F.pad(v, (0, k.shape[-1] - width))
    options = {"dropout_p": dropout_p, "is_causal": is_causal, "scale": 1.0, "enable_gqa": enable_gqa}
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask, **options)
    return out[..., :width], (q, k)


def _grouped(q: Tensor, k: Tensor) -> bool:
    """Whether the heads of `k`, the third axis from the right, divide those of `q`, and all before them agree."""
    if q.dim() < 3 or q.dim() != k.dim() or q.shape[:-3] != k.shape[:-3]:
        return False
    return k.shape[-3] > 0 and q.shape[-3] % k.shape[-3] == 0


def _causal(q: Tensor, k: Tensor) -> Tensor:
    """Which keys each query may see, where the last query stands at the last key."""
    n, m = q.shape[-2], k.shape[-2]
    if n > m:
        raise ValueError(f"is_causal needs a key for each query, got {n} queries and {m} keys")
    return torch.ones(n, m, dtype=torch.bool, device=q.device).tril(m - n)


def residual_scores(
    q: Float[Tensor, "*batch n head"],
    k: Float[Tensor, "*batch m head"],
    past: Float[Tensor, "*batch n m"] | None = None,
    *,
    scale: float | None = None,
) -> Float[Tensor, "*batch n m"]:
    r"""The scores themselves, $A_l = A_{l-1} + s_l\, Q_l K_l^\top$, for looking at them: before masks and biases.

    Args:
        q, k: this layer's heads.
        past: the scores of the layer below, as this function returned them; None in the first layer.
        scale: $1/\sqrt{\text{head}}$ if None.

    Returns:
        the accumulated scores; add masks and biases to a copy, never to what the next layer gets.

    Raises:
        ValueError: `past` has another shape than this layer's scores.

    >>> q = torch.ones(2, 4)
    >>> residual_scores(q, q, residual_scores(q, q)).tolist()
    [[4.0, 4.0], [4.0, 4.0]]

    Implements: eq-real-recursion.
    Source: https://kexue.fm/archives/8027; He et al., RealFormer (2020).
    """
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if past is None:
        return scores
    if past.shape != scores.shape:
        raise ValueError(f"past scores of shape {tuple(scores.shape)} are needed, got {tuple(past.shape)}")
    return past + scores


def attention_entropy(scores: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch"]:
    r"""Entropy in nats of $\operatorname{softmax}(\text{scores})$ over the last axis; $-\infty$ counts nothing.

    Args:
        scores: at least one entry a row is finite.

    Returns:
        from 0 (one key has it all) to $\log m$.

    Raises:
        ValueError: a row is empty, all $-\infty$, or holds NaN or $+\infty$.

    >>> round(float(attention_entropy(torch.zeros(8))), 4)
    2.0794

    Implements: eq-real-entropy.
    """
    top = scores.amax(-1) if scores.shape[-1] else scores.new_full((1,), math.nan)
    if not bool(torch.isfinite(top).all()):
        raise ValueError("every row needs a finite largest score: mask no row entirely, and pass no NaN")
    log_p = scores.log_softmax(-1)
    return -(log_p.exp() * log_p.masked_fill(log_p == -math.inf, 0)).sum(-1)


def expected_entropy(keys: int, variance: float) -> float:
    r"""Mean entropy, in nats, of attention over `keys` independent normal scores.

    With $\varphi(u) = \mathbb E\, e^{-u e^x}$ for one score $x \sim N(0, t)$,

    $$ \eta = F - t (1 - Y), \quad F = \int_0^\infty \frac{e^{-u} - \varphi(u)^N}{u}\, du, \quad
       Y = N \int_0^\infty u\, \varphi''(u)\, \varphi(u)^{N-1}\, du $$

    are its value, the mean of $\log \sum_i e^{x_i}$ and that of $\sum_i p_i^2$: quadrature, not simulation.

    Args:
        keys: their number $N$.
        variance: $t$ of each score: the number of layers added up where they are independent and have variance 1.

    Returns:
        the mean entropy, between 0 and $\log N$, to about ten digits.

    Raises:
        ValueError: no key, or a variance that is negative or not finite.

    >>> round(expected_entropy(512, 0.0), 4), round(expected_entropy(512, 4.0), 2)
    (6.2383, 4.39)

    Implements: eq-real-eta.
    Source: this book's; the random energy model of Derrida (1981).
    """
    if keys < 1 or not 0 <= variance < math.inf:
        raise ValueError(f"there must be a key and a finite variance of at least 0, got {keys!r} and {variance!r}")
    if variance == 0:
        return math.log(keys)
    root, step = math.sqrt(variance), 0.1
    g = torch.linspace(-9, 9, 801, dtype=torch.float64)
    weight = (-g * g / 2).exp() / math.sqrt(2 * math.pi) * (g[1] - g[0])
    lowest = -40 - math.log(keys) - min(variance / 2, 10 * root)
    w = torch.arange(lowest, 10 * root + 8, step, dtype=torch.float64)
    free, square, rest = (torch.empty_like(w) for _ in range(3))
    for rows in torch.arange(len(w)).split(256):
        z = (w[rows, None] + root * g).clamp(max=6.0).exp()  # u e^x; at e^6 its exponential is zero
        decay = (-z).exp()
        free[rows] = -(torch.expm1(-z) @ weight)
        square[rows] = (z * z * decay) @ weight
        rest[rows] = (decay @ weight).log()  # log of phi, where phi is not near 1
    log_phi = torch.where(free < 0.5, torch.log1p(-free), rest)
    mean_log = step * float(((-w.exp()).exp() - (keys * log_phi).exp()).sum())
    mean_square = step * keys * float((square * ((keys - 1) * log_phi).exp()).sum())
    return mean_log - variance * (1 - mean_square)


class ResidualAttention(nn.Module):
    r"""Residual attention for a stack of layers: `attend(q, k, v, layer)`, called for layer 0, 1, ... in turn.

    It has no parameters. Its memory is empty before layer 0 and after the last layer.

    Args:
        depth: number of layers.
        is_causal: a query sees the keys up to its own place, the last query all keys.
        dropout_p: chance that an attention weight is dropped, in training mode only.
        enable_gqa: keys and values may have fewer heads than queries.

    Raises:
        ValueError: `depth` is below 1 or `dropout_p` outside 0 to below 1; a layer is called out of turn (as with
            activation checkpointing, which runs a layer once more on its own); in a call, whatever
            `residual_attention` refuses.

    >>> attend = ResidualAttention(depth=3)
    >>> x = torch.randn(2, 4, 16, 8)
    >>> with attend.masked(torch.arange(16) < 12):
    ...     for layer in range(3):
    ...         x = attend(x, x, x, layer)
    >>> x.shape
    torch.Size([2, 4, 16, 8])

    Implements: eq-real-concat.
    Source: https://kexue.fm/archives/8027; He et al., RealFormer (2020).
    """

    def __init__(self, depth: int, is_causal: bool = False, dropout_p: float = 0.0, enable_gqa: bool = False):
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        if not 0 <= dropout_p < 1:
            raise ValueError(f"dropout_p must be at least 0 and below 1, got {dropout_p!r}")
        super().__init__()
        self.depth, self.is_causal, self.attn_mask = depth, is_causal, None
        self.dropout_p, self.enable_gqa = dropout_p, enable_gqa
        self._memory, self._next = None, 0

    @contextmanager
    def masked(self, attn_mask: Tensor) -> Iterator[None]:
        r"""Within it, all layers attend under this mask or bias; each adds it once, to its own copy of the scores."""
        before, self.attn_mask = self.attn_mask, attn_mask
        try:
            yield
        finally:
            self.attn_mask = before

    def forward(self, q: Tensor, k: Tensor, v: Tensor, layer: int) -> Tensor:
        if layer == 0:
            self._memory = None
        elif layer != self._next:
            raise ValueError(f"layer {self._next} is next, got layer {layer}: the layers are to be called in turn")
        mask = self.attn_mask
        if self.is_causal and mask is not None:
            causal = _causal(q, k)
            mask = mask & causal if mask.dtype == torch.bool else mask.masked_fill(~causal, -math.inf)
        options = {"dropout_p": self.dropout_p if self.training else 0.0, "enable_gqa": self.enable_gqa}
        out, memory = residual_attention(
            q, k, v, self._memory, attn_mask=mask, is_causal=self.is_causal and mask is None, **options
        )
        last = layer == self.depth - 1
        self._memory, self._next = (None, 0) if last else (memory, layer + 1)
        return out

    def extra_repr(self) -> str:
        return (
            f"depth={self.depth}, is_causal={self.is_causal}, dropout_p={self.dropout_p}, enable_gqa={self.enable_gqa}"
        )
