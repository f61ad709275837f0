r"""Attention in linear time through landmarks: Nyström attention, its parts, and the cheaper average beside it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

INVERSES = ("iterated", "exact", "identity")
r"""What stands between the two outer factors: the iterated pseudo-inverse, the exact one, or nothing."""


def iterative_pinv(a: Float[Tensor, "*batch m k"], iterations: int = 6) -> Float[Tensor, "*batch k m"]:
    r"""Approximate the pseudo-inverse of each matrix by a third-order iteration of matrix products.

    $$ V \leftarrow \tfrac14 V (13 I - A V (15 I - A V (7 I - A V))), \quad V_0 = A^\top / (\|A\|_1 \|A\|_\infty) $$

    A direction with singular value $\sigma$ is inverted once $(13/4)^s \sigma^2 / (\|A\|_1 \|A\|_\infty)$ has passed
    about 1 after $s$ iterations; smaller ones are damped. More is not better on singular matrices: rounding errors in
    the null space grow by 13/4 each time, and in float64 they show after about 20 iterations.

    Args:
        a: matrices, `m` rows and `k` columns, each with its own norms: no matrix of the batch changes another's result.
        iterations: at least 0; six invert what is above about a hundredth of $\|A\|_1 \|A\|_\infty$ in $\sigma^2$.

    Returns:
        The approximate pseudo-inverses, in the dtype and on the device of `a`; zero for a zero matrix.

    Raises:
        ValueError: `iterations` is negative.

    >>> a = torch.tensor([[0.75, 0.25], [0.25, 0.75]])
    >>> torch.allclose(iterative_pinv(a) @ a, torch.eye(2), atol=1e-5)
    True

    Implements: eq-nys-step, eq-nys-start.
    Source: https://kexue.fm/archives/8180; Razavi et al. (2014), in Xiong et al., arXiv:2102.03902.
    """
    _check_counts(1, iterations)
    size = a.abs()
    bound = size.sum(-2).amax(-1) * size.sum(-1).amax(-1)
    v = a.mT / bound.clamp_min(torch.finfo(a.dtype).tiny)[..., None, None]
    eye = torch.eye(a.shape[-2], dtype=a.dtype, device=a.device)
    for _ in range(iterations):
        av = a @ v
        v = 0.25 * v @ (13 * eye - av @ (15 * eye - av @ (7 * eye - av)))
    return v


def nystrom_factors(
    q: Float[Tensor, "batch *heads n d"],
    k: Float[Tensor, "batch *heads n d"],
    mask: Bool[Tensor, "batch n"] | None = None,
    landmarks: int = 64,
    scale: float | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""The three small softmax matrices $F$, $A$, $B$ of Nyström attention, $\hat S = F A^\dagger B$.

    $$ F = \sigma(Q \tilde K^\top), \quad A = \sigma(\tilde Q \tilde K^\top), \quad B = \sigma(\tilde Q K^\top) $$

    The landmarks $\tilde Q$, $\tilde K$ are means over segments of the *real* tokens, with sizes within one.

    Args:
        q, k: queries and keys of one sequence a row.
        mask: True for a real token; None if all are.
        landmarks: segments $m$; a sequence of at most `landmarks` real tokens has a segment for each token.
        scale: of the scores, $1/\sqrt d$ if None.

    Returns:
        `F (batch, *heads, n, m)`, `A (batch, *heads, m, m)`, `B (batch, *heads, m, n)`; `m` is the smaller of
        `landmarks` and `n`. Rows sum to one; padding and empty segments have weight zero.

    Raises:
        ValueError: as `nystrom_attention`.

    >>> f, a, b = nystrom_factors(torch.zeros(1, 10, 4), torch.zeros(1, 10, 4), landmarks=3)
    >>> f.shape, a.shape, b.shape
    (torch.Size([1, 10, 3]), torch.Size([1, 3, 3]), torch.Size([1, 3, 10]))

    Implements: eq-nys-left, eq-nys-core, eq-nys-right, eq-nys-landmarks.
    Source: https://kexue.fm/archives/8180
    """
    _check(q, k, k, mask, landmarks)
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    segments = _Segments(q, mask, landmarks)
    f, a, b, _ = _factors(_clean(q, mask) * scale, _clean(k, mask), mask, segments)
    return f, a, b


def nystrom_attention(
    q: Float[Tensor, "batch *heads n d"],
    k: Float[Tensor, "batch *heads n d"],
    v: Float[Tensor, "batch *heads n e"],
    mask: Bool[Tensor, "batch n"] | None = None,
    landmarks: int = 64,
    iterations: int = 6,
    *,
    inverse: str = "iterated",
    scale: float | None = None,
    is_causal: bool = False,
) -> Float[Tensor, "batch *heads n e"]:
    r"""Self-attention in time and memory linear in the length: $F\, A^\dagger\, (B V)$ with $m$ landmarks.

    A sequence's output depends neither on the other sequences of the batch nor on how much, or on which side, it is
    padded. A sequence of at most `landmarks` real tokens gets exact softmax attention, at the same cost.

    Args:
        q, k, v: queries, keys, values; `n` may be any length.
        mask: True for a real token, False for padding; None if all are real. Outputs at padding are zero.
        landmarks: $m$, at least 1.
        iterations: of the pseudo-inverse (`inverse="iterated"`).
        inverse: `"iterated"` (Nyströmformer), `"exact"` (a singular value decomposition, in float32 or better), or
            `"identity"`: $F (B V)$, a product of two softmax attentions.
        scale: of the scores, $1/\sqrt d$ if None.
        is_causal: refused; there so that a call written for `scaled_dot_product_attention` fails with the reason.

    Returns:
        The attended values, in the dtype and on the device of `v`. Weights may be negative; rows sum to one as far as
        the pseudo-inverse has converged.

    Raises:
        ValueError: shapes do not fit, `mask` is not boolean, `landmarks` or `iterations` are out of range, `inverse` is
            unknown, or `is_causal` is set.

    >>> x = torch.linspace(-1, 1, 12).view(1, 6, 2)
    >>> exact = torch.nn.functional.scaled_dot_product_attention(x, x, x)
    >>> torch.allclose(nystrom_attention(x, x, x, landmarks=6), exact)
    True
    >>> bool((nystrom_attention(x, x, x, landmarks=3) - exact).abs().max() < 0.01)
    True

    Implements: eq-nys-hat.
    Source: https://kexue.fm/archives/8180
    """
    if is_causal:
        raise ValueError(
            "Nyström attention has no causal form: a landmark is a mean over a segment, so an early row would see "
            "later tokens of it; use scaled_dot_product_attention(..., is_causal=True)"
        )
    if inverse not in INVERSES:
        raise ValueError(f"inverse must be one of {', '.join(INVERSES)}, got {inverse!r}")
    _check(q, k, v, mask, landmarks, iterations)
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    if mask is None and q.shape[-2] <= landmarks:
        return F.scaled_dot_product_attention(q, k, v, scale=scale)

    q, k, v = (_clean(x, mask) for x in (q, k, v))
    segments = _Segments(q, mask, landmarks)
    f, a, b, q_marks = _factors(q * scale, k, mask, segments, with_b=False)
    gathered = F.scaled_dot_product_attention(q_marks, k, v, attn_mask=b, scale=1.0)
    if inverse != "identity":
        precise = a.float() if a.dtype in (torch.float16, torch.bfloat16) else a
        middle = iterative_pinv(precise, iterations) if inverse == "iterated" else torch.linalg.pinv(precise)
        gathered = (middle @ gathered.to(precise.dtype)).to(v.dtype)
    out = f @ gathered
    if mask is None:
        return out
    short = (mask.sum(-1) <= landmarks).view(-1, *(1,) * (q.ndim - 1))
    if torch.compiler.is_compiling() or short.any():
        out = torch.where(short, f @ segments.mean(v), out)
    return _clean(out, mask)


def mean_query_attention(
    q: Float[Tensor, "batch *heads n d"],
    k: Float[Tensor, "batch *heads n d"],
    v: Float[Tensor, "batch *heads n e"],
    mask: Bool[Tensor, "batch n"] | None = None,
    segments: int = 64,
    *,
    scale: float | None = None,
) -> Float[Tensor, "batch *heads n e"]:
    r"""Attention of each segment's mean query, copied to the tokens of the segment: $P\, (B V)$.

    The baseline of Nyström attention, which corrects it by $(F - P A) A^\dagger B V$. For `segments = 2 m` it takes
    fewer multiply-adds than `nystrom_attention` with $m$ landmarks.

    Args:
        q, k, v: queries, keys, values; `n` may be any length.
        mask: True for a real token, False for padding; None if all are real. Outputs at padding are zero.
        segments: at least 1, of real tokens, with sizes within one; a sequence of at most `segments` real tokens gets
            exact softmax attention.
        scale: of the scores, $1/\sqrt d$ if None.

    Returns:
        The attended values, in the dtype and on the device of `v`, the same for all tokens of a segment. Weights are
        positive and sum to one.

    Raises:
        ValueError: shapes do not fit, `mask` is not boolean, or `segments` is below 1.

    >>> x = torch.linspace(-1, 1, 12).view(1, 6, 2)
    >>> exact = torch.nn.functional.scaled_dot_product_attention(x, x, x)
    >>> torch.allclose(mean_query_attention(x, x, x, segments=6), exact)
    True
    >>> out = mean_query_attention(x, x, x, segments=3)
    >>> bool((out[:, 0] == out[:, 1]).all()), bool((out - exact).abs().max() < 0.1)
    (True, True)

    Implements: eq-nys-copies.
    Source: the first factor of https://kexue.fm/archives/8180 in its simplest form
    """
    if segments < 1:
        raise ValueError(f"segments must be at least 1, got {segments}")
    _check(q, k, v, mask, segments)
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    q, k, v = (_clean(x, mask) for x in (q, k, v))
    parts = _Segments(q, mask, segments)
    seen = mask
    if mask is not None:  # a sequence of nothing but padding may look at it: its output is set to zero
        seen = (mask | ~mask.any(-1, keepdim=True)).view(len(mask), *(1,) * (q.ndim - 2), mask.shape[-1])
    out = F.scaled_dot_product_attention(parts.mean(q) * scale, k, v, attn_mask=seen, scale=1.0)
    return _clean(out.gather(-2, parts.index.expand(*out.shape[:-2], -1, out.shape[-1])), mask)


class NystromAttention(nn.Module):
    r"""Self-attention through landmarks, in the place of `nn.MultiheadAttention(..., batch_first=True)`.

    Parameters have the names and shapes of `nn.MultiheadAttention`, so a state dict of one loads into the other, and
    with `landmarks` at least the length the two agree. It may replace `self_attn` of an `nn.TransformerEncoderLayer`;
    build the `nn.TransformerEncoder` around such layers with `enable_nested_tensor=False`.

    Args:
        embed_dim: width of the vectors, a multiple of `num_heads`.
        num_heads: heads.
        landmarks, iterations: as in `nystrom_attention`.
        bias: of the projections.
        device, dtype: of the parameters.

    Raises:
        ValueError: `embed_dim` is no positive multiple of `num_heads`; `landmarks` is below 1 or `iterations` below 0.

    >>> attention = NystromAttention(32, 4, landmarks=16)
    >>> x = torch.randn(2, 300, 32)
    >>> padding = torch.arange(300) >= torch.tensor([[300], [120]])
    >>> out, weights = attention(x, x, x, key_padding_mask=padding)
    >>> out.shape, weights
    (torch.Size([2, 300, 32]), None)
    >>> exact = nn.MultiheadAttention(32, 4, batch_first=True)
    >>> attention.load_state_dict(exact.state_dict())
    <All keys matched successfully>

    Implements: eq-nys-hat.
    Source: https://kexue.fm/archives/8180
    """

    batch_first = True
    # nn.TransformerEncoderLayer has a fused path that takes the weights and computes softmax attention by itself; it
    # is closed to attention whose projections are of different widths, and so to this one.
    _qkv_same_embed_dim = False

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        landmarks: int = 64,
        iterations: int = 6,
        *,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        if num_heads < 1 or embed_dim < 1 or embed_dim % num_heads:
            raise ValueError(f"embed_dim must be a positive multiple of num_heads, got {embed_dim} and {num_heads}")
        _check_counts(landmarks, iterations)
        super().__init__()
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.landmarks, self.iterations = landmarks, iterations
        kind = {"device": device, "dtype": dtype}
        self.in_proj_weight = nn.Parameter(torch.empty(3 * embed_dim, embed_dim, **kind))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * embed_dim, **kind)) if bias else None
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias, **kind)
        nn.init.xavier_uniform_(self.in_proj_weight)
        if bias:
            nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, None]:
        r"""Attend; the arguments are those of `nn.MultiheadAttention`, except that weights are not returned.

        Args:
            query, key, value: `(batch, n, embed_dim)` or `(n, embed_dim)`, of one shape; key and value are the query
                if None.
            key_padding_mask: `(batch, n)` or `(n,)`, True for padding, or a float mask of 0 and -inf.
            need_weights, attn_mask, is_causal: refused, with the reason, if set.
            average_attn_weights: without effect, as there are no weights.

        Returns:
            the attended vectors, and None in the place of the weights. What stands at padding carries no meaning.

        Raises:
            ValueError: shapes or widths do not fit, the mask is neither boolean nor of 0 and -inf, or an argument that
                landmarks cannot serve is set.
        """
        key = query if key is None else key
        value = key if value is None else value
        _check_call(self.embed_dim, query, key, value, need_weights, attn_mask)
        if query.ndim == 2:
            mask = None if key_padding_mask is None else key_padding_mask[None]
            out, _ = self(query[None], key[None], value[None], mask, is_causal=is_causal)
            return out[0], None
        biases = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        projected = zip((query, key, value), self.in_proj_weight.chunk(3), biases, strict=True)
        q, k, v = (F.linear(x, w, b).unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for x, w, b in projected)
        mask = None if key_padding_mask is None else _real(key_padding_mask, query)
        out = nystrom_attention(q, k, v, mask, self.landmarks, self.iterations, is_causal=is_causal)
        return self.out_proj(out.transpose(1, 2).flatten(-2)), None

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, {self.num_heads}, landmarks={self.landmarks}, iterations={self.iterations}"


def _real(padding, query):
    """True for a real token, from the two kinds of mask that `nn.MultiheadAttention` takes."""
    if padding.shape != query.shape[:2]:
        raise ValueError(f"key_padding_mask must be (batch, n) = {tuple(query.shape[:2])}, got {tuple(padding.shape)}")
    if padding.dtype == torch.bool:
        return ~padding
    real = padding == 0
    if not padding.is_floating_point() or not (torch.compiler.is_compiling() or (real | (padding == -torch.inf)).all()):
        raise ValueError(
            "key_padding_mask must be boolean, True for padding, or a float mask of 0 and -inf; "
            f"got {padding.dtype} with other values: landmarks have no bias for single tokens"
        )
    return real


def _check_call(width, query, key, value, need_weights, attn_mask):
    if need_weights:
        raise ValueError("no matrix of weights is formed: take need_weights=False, or multiply the nystrom_factors")
    if attn_mask is not None:
        raise ValueError("landmarks cannot follow an attn_mask between single tokens: pad with key_padding_mask")
    if query.is_nested:
        raise ValueError("nested tensors are not taken: build nn.TransformerEncoder with enable_nested_tensor=False")
    if query.ndim not in (2, 3) or query.shape[-1] != width or not query.shape == key.shape == value.shape:
        raise ValueError(
            f"query, key and value must be of one shape, (batch, n, {width}) or (n, {width}); got "
            f"{tuple(query.shape)}, {tuple(key.shape)}, {tuple(value.shape)}"
        )


class _Segments:
    """Which segment each token belongs to: by its rank among the real tokens, so that padding does not matter."""

    def __init__(self, like: Tensor, mask: Tensor | None, landmarks: int):
        n = like.shape[-2]
        self.m = min(landmarks, n)
        self.even = mask is None and n % self.m == 0
        if mask is None:
            rank, count = torch.arange(n, device=like.device)[None], torch.tensor([[n]], device=like.device)
        else:
            rank, count = (mask.cumsum(-1) - 1).clamp_min(0), mask.sum(-1, keepdim=True)
        index = torch.where(count <= self.m, rank, rank * self.m // count.clamp_min(1))
        weight = torch.ones_like(index) if mask is None else mask.long()
        sizes = torch.zeros(len(index), self.m, dtype=torch.long, device=like.device).scatter_add_(1, index, weight)
        inner = (1,) * (like.ndim - 3)
        self.index = index.view(len(index), *inner, n, 1)
        self.sizes = sizes.clamp_min(1).view(len(index), *inner, self.m, 1)
        self.used = None if mask is None else (sizes > 0).view(len(index), *inner, 1, self.m)
        if mask is not None:  # a sequence without a real token keeps one segment, so that no softmax is empty
            self.used = self.used | (torch.arange(self.m, device=like.device) == 0)

    def mean(self, x: Tensor) -> Tensor:
        """Means `(..., m, d)` over the segments of `x (..., n, d)`, whose padding is zero."""
        if self.even:
            return x.unflatten(-2, (self.m, -1)).mean(-2)
        total = x.new_zeros(*x.shape[:-2], self.m, x.shape[-1])
        if len(self.index) == 1 and self.used is None:
            total = total.index_add(-2, self.index.flatten(), x)
        else:
            total = total.scatter_add(-2, self.index.expand_as(x), x)
        return total / self.sizes


def _factors(q, k, mask, segments, with_b=True):
    """F, A, B (or, without it, the mask of B's scores) and the landmarks of the scaled queries."""
    q_marks, k_marks = segments.mean(q), segments.mean(k)
    f, a = q @ k_marks.mT, q_marks @ k_marks.mT
    if mask is not None:
        f, a = (s.masked_fill(~segments.used, -torch.inf) for s in (f, a))
        # a sequence of nothing but padding may look at it: its output is set to zero
        mask = (mask | ~mask.any(-1, keepdim=True)).view(len(mask), *(1,) * (q.ndim - 2), mask.shape[-1])
    f, a = f.softmax(-1), a.softmax(-1)
    if not with_b:
        return f, a, mask, q_marks
    b = q_marks @ k.mT
    b = b if mask is None else b.masked_fill(~mask, -torch.inf)
    return f, a, b.softmax(-1), q_marks


def _clean(x, mask):
    """`x` with zeros at padding, whatever stood there."""
    if mask is None:
        return x
    return x.masked_fill(~mask.view(len(mask), *(1,) * (x.ndim - 3), -1, 1), 0)


def _check_counts(landmarks, iterations):
    if landmarks < 1:
        raise ValueError(f"landmarks must be at least 1, got {landmarks}")
    if iterations < 0:
        raise ValueError(f"iterations must be at least 0, got {iterations}")


def _check(q, k, v, mask, landmarks, iterations=0):
    if q.ndim < 3:
        raise ValueError(f"q must be (batch, ..., n, d), got {tuple(q.shape)}; for one sequence use q[None]")
    if q.shape != k.shape or q.shape[:-1] != v.shape[:-1]:
        raise ValueError(
            "q, k and v must come from one sequence: q and k of one shape, v alike up to its last axis; got "
            f"{tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}"
        )
    if 0 in q.shape:
        raise ValueError(f"q must not be empty, got {tuple(q.shape)}")
    _check_counts(landmarks, iterations)
    if mask is not None and mask.dtype != torch.bool:
        raise ValueError(f"mask must be boolean, True for a real token, got {mask.dtype}; use mask.bool()")
    if mask is not None and mask.shape != (q.shape[0], q.shape[-2]):
        raise ValueError(f"mask must be (batch, n) = {(q.shape[0], q.shape[-2])}, got {tuple(mask.shape)}")
