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
    q: Float[Tensor, "*batch n head"],
    k: Float[Tensor, "*batch m head"],
    v: Float[Tensor, "*batch m value"],
    memory: Memory | None = None,
    *,
    attn_mask: Bool[Tensor, "..."] | Float[Tensor, "..."] | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> tuple[Float[Tensor, "*batch n value"], Memory]:
    r"""Attend with the sum of this layer's scores and those of all layers before it.

    $$ A_l = A_{l-1} + s_l\, Q_l K_l^\top = [s_1 Q_1, \dots, s_l Q_l]\,[K_1, \dots, K_l]^\top, \qquad
       O_l = \operatorname{softmax}(A_l + M)\, V_l $$

    The second form is one call of `scaled_dot_product_attention` on longer heads: no `(n, m)` tensor passes from layer
    to layer, and its blockwise kernels need none within the layer. Mask and bias `M` are this layer's alone.

    Args:
        q, k, v: this layer's heads. The width of `q` and `k` may change from layer to layer, as may that of `v`.
        memory: what the layer below returned; None in the first.
        attn_mask: boolean (True: may attend) or a bias to be added to the scores, broadcast to `(*batch, n, m)`.
        is_causal: a query sees the keys up to its own place; not together with `attn_mask`.
        scale: of this layer's scores; $1/\sqrt{\text{head}}$ of the layer's own heads if None.

    Returns:
        the output, and the memory for the next layer: two tensors `(*batch, n or m, sum of the heads' widths)`.

    Raises:
        ValueError: shapes, dtypes or devices that do not fit, a `memory` of other lengths, a mask beside `is_causal`.

    >>> q, k, v = torch.ones(3, 1, 2, 4, 8)
    >>> out, memory = residual_attention(q, k, v)
    >>> out, memory = residual_attention(q, k, v, memory)
    >>> out.shape, memory[0].shape
    (torch.Size([1, 2, 4, 8]), torch.Size([1, 2, 4, 16]))

    Implements: eq-real-concat.
    Source: https://kexue.fm/archives/8027; He et al., RealFormer (2020); the concatenated form is this book's.
    """
    if q.dim() < 2 or q.shape[-1] != k.shape[-1] or q.shape[:-2] != k.shape[:-2] or k.shape[:-1] != v.shape[:-1]:
        raise ValueError(
            "q must be (..., n, head), k (..., m, head) and v (..., m, value) with the same leading sizes, "
            f"got {tuple(q.shape)}, {tuple(k.shape)} and {tuple(v.shape)}"
        )
    if not q.shape[-1]:
        raise ValueError("the heads must have at least one dimension")
    if is_causal and attn_mask is not None:
        raise ValueError("give either attn_mask or is_causal, not both: put the causal part into the mask")
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
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask, is_causal=is_causal, scale=1.0)
    return out[..., :width], (q, k)


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


class ResidualAttention(nn.Module):
    r"""Residual attention for a stack of layers: `attend(q, k, v, layer)`, called for layer 0, 1, ... in turn.

    It has no parameters. Its memory is empty before layer 0 and after the last layer.

    Args:
        depth: number of layers.
        is_causal: a query sees the keys up to its own place.

    Raises:
        ValueError: `depth` is below 1; a layer is called out of turn (as with activation checkpointing, which runs a
            layer once more on its own); in a call, whatever `residual_attention` refuses.

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

    def __init__(self, depth: int, is_causal: bool = False):
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        super().__init__()
        self.depth, self.is_causal, self.attn_mask = depth, is_causal, None
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
            causal = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).tril()
            mask = mask & causal if mask.dtype == torch.bool else mask.masked_fill(~causal, -math.inf)
        out, memory = residual_attention(
            q, k, v, self._memory, attn_mask=mask, is_causal=self.is_causal and mask is None
        )
        last = layer == self.depth - 1
        self._memory, self._next = (None, 0) if last else (memory, layer + 1)
        return out

    def extra_repr(self) -> str:
        return f"depth={self.depth}, is_causal={self.is_causal}"
