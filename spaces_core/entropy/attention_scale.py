"""Attention whose scale follows the number of keys, so that it stays as sharp at any length."""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

HIDDEN = -1e3  # an additive mask hides a key by a value of at most this: exp(-1000) is 0 in every precision


def length_scale(n: int | Tensor, train_len: int | float = 512, floor: float = 0.0) -> Tensor:
    r"""The factor by which attention over `n` keys is sharpened, 1 at the length of training.

    $f = \max(\text{floor}, \log n / \log L)$ with $L$ the length of training.

    Args:
        n: numbers of keys, at least 0; a row with 0 or 1 key gets the floor.
        train_len: keys at which the factor is 1, at least 2 and finite.
        floor: least factor; 1 leaves everything up to `train_len` as it was trained.

    Returns:
        float32 (float64 if `n` is), the shape of `n`.

    Raises:
        ValueError: `train_len` below 2 or not finite, a negative or infinite floor, a negative or NaN count.

    >>> length_scale(torch.tensor([1, 64, 4096]), train_len=64)
    tensor([0., 1., 2.])

    Implements: eq-scale-factor.
    Source: https://kexue.fm/archives/8823
    """
    if not 2 <= train_len < math.inf:
        raise ValueError(f"train_len must be finite and at least 2 (log 1 = 0 cannot be divided by), got {train_len}")
    if not (floor >= 0 and math.isfinite(floor)):
        raise ValueError(f"floor must be a finite number that is not negative, got {floor}")
    n = torch.as_tensor(n)
    if not bool((n >= 0).all()):
        raise ValueError("n counts keys: every entry must be a number that is not negative")
    dtype = torch.float64 if n.dtype == torch.float64 else torch.float32
    factor = n.double().clamp(min=1).log() / math.log(train_len)
    return factor.clamp(min=floor).to(dtype)


def key_counts(
    queries: int, keys: int, attn_mask: Shaped[Tensor, "..."] | None = None, is_causal: bool = False
) -> Shaped[Tensor, "..."]:
    r"""How many keys each query sees.

    Args:
        queries, keys: their numbers; with `is_causal` the queries are the *last* ones, as in decoding with a cache.
        attn_mask: True where a key may be seen, or numbers that are added to the scores, of which -1000 and less hide
            a key (-inf, and the usual -1e4 and -1e9); biases above that count. Broadcasts to `(..., queries, keys)`.
            Padding and the other documents of a packed row are masked, and so are not counted.
        is_causal: a query sees the keys up to its own position.

    Returns:
        int64 counts of shape `(..., queries, 1)`.

    Raises:
        ValueError: a mask together with `is_causal`, more queries than keys in the causal case, or a mask
            of integers (0 and 1 would be added to the scores), or one that does not broadcast.

    >>> key_counts(2, 5, is_causal=True).flatten()
    tensor([4, 5])

    Implements: eq-scale-factor.
    """
    if is_causal:
        if attn_mask is not None:
            raise ValueError("give either attn_mask or is_causal=True; put the causal part into the mask to have both")
        if queries > keys:
            raise ValueError(f"causal attention needs at least as many keys as queries, got {keys} and {queries}")
        return torch.arange(keys - queries + 1, keys + 1)[:, None]
    if attn_mask is None:
        return torch.full((queries, 1), keys)
    if attn_mask.dtype != torch.bool and not attn_mask.is_floating_point():
        raise ValueError(f"attn_mask must be boolean or floating, got {attn_mask.dtype}; write attn_mask.bool()")
    seen = torch.atleast_2d(attn_mask if attn_mask.dtype == torch.bool else attn_mask > HIDDEN)
    try:
        seen = seen.broadcast_to(*seen.shape[:-2], queries, keys)
    except RuntimeError as error:
        shape = tuple(attn_mask.shape)
        raise ValueError(f"attn_mask of shape {shape} does not broadcast to (..., {queries}, {keys})") from error
    return seen.sum(-1, keepdim=True)


def length_scaled_attention(
    query: Float[Tensor, "... queries dim"],
    key: Float[Tensor, "... keys dim"],
    value: Float[Tensor, "... keys out"],
    attn_mask: Shaped[Tensor, "..."] | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    enable_gqa: bool = False,
    train_len: int | float = 512,
    floor: float = 0.0,
) -> Float[Tensor, "... queries out"]:
    r"""`scaled_dot_product_attention` whose scale grows with the logarithm of the keys that a query sees.

    $\operatorname{softmax}(f_i\, q_i k_j / \sqrt d)\, v_j$, $f_i$ the `length_scale` of the keys that row $i$ sees.

    Only the query is scaled, so that keys in a cache stay valid while the sequence grows. The fused kernels of
    PyTorch do the rest.

    Args:
        query, key, value: as for `torch.nn.functional.scaled_dot_product_attention`.
        attn_mask, dropout_p, scale: likewise; `scale` is $1/\sqrt d$ if None; a mask of one dimension is for all rows.
        is_causal: a query sees the keys up to its own position; with fewer queries than keys the queries are the
            *last* ones (decoding with a cache), unlike PyTorch, which takes them for the first.
            Several queries that are fewer than the keys take a dense mask of queries times keys bytes.
        enable_gqa: several heads of the query share one head of the keys and values, as in PyTorch.
        train_len, floor: of `length_scale`; `floor=1.0` is usual in causal models, whose first rows see few keys.

    Returns:
        the shape of `query` with the last size of `value`; dtype and device of `query`.

    Raises:
        ValueError: as `length_scale` and `key_counts`.

    >>> q, k, v = torch.randn(3, 2, 4, 64, 8).unbind()
    >>> plain = F.scaled_dot_product_attention(q, k, v)
    >>> torch.allclose(length_scaled_attention(q, k, v, train_len=64), plain, atol=1e-6)
    True

    Implements: eq-scale-factor.
    Source: https://kexue.fm/archives/8823
    """
    queries, keys, dim = query.shape[-2], key.shape[-2], query.shape[-1]
    attn_mask = None if attn_mask is None else torch.atleast_2d(attn_mask)
    factor = length_scale(key_counts(queries, keys, attn_mask, is_causal).double(), train_len, floor)
    factor = factor * (dim**-0.5 if scale is None else scale)
    wide = query.dtype if query.dtype in (torch.float32, torch.float64) else torch.float32
    query = (query.to(wide) * factor.to(query.device, wide)).to(query.dtype)
    if is_causal and queries < keys:
        is_causal, mask = False, torch.ones(queries, keys, dtype=torch.bool, device=query.device)
        attn_mask = None if queries == 1 else mask.tril(keys - queries)
    more = {"enable_gqa": enable_gqa}
    return F.scaled_dot_product_attention(query, key, value, attn_mask, dropout_p, is_causal, scale=1.0, **more)
