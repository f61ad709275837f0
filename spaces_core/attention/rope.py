r"""Rotary position embedding: queries and keys are turned by their positions, and scores see differences only."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

LAYOUTS = ("interleaved", "half")


def rope_angles(positions: Tensor, dim: int, base: int | float = 10000.0) -> Float[Tensor, "*positions half"]:
    r"""Angle of each pair of coordinates at each position.

    $$ m \theta_i, \quad \theta_i = b^{-2i/d}, \quad i = 0, \dots, d/2 - 1 $$

    Args:
        positions: integers of any width, or float32 or float64 (fractions and negative positions are allowed).
        dim: size $d$ of a head, even.
        base: $b > 1$.

    Returns:
        angles in radians, float64 whatever the input: at position 10⁶ float32 angles are wrong by 0.02 for 64
            coordinates, by 0.05 for 128.

    Raises:
        ValueError: an odd or small `dim`, a base of at most 1, or positions in a type that rounds whole numbers.

    >>> rope_angles(torch.tensor([0, 3]), 4, base=100.0)
    tensor([[0.0000, 0.0000],
            [3.0000, 0.3000]], dtype=torch.float64)

    Implements: eq-rope-frequency.
    Source: https://kexue.fm/archives/8265.
    """
    if dim < 2 or dim % 2:
        raise ValueError(f"dim must be even and at least 2, since coordinates turn in pairs, got {dim}")
    if not 1 < base < math.inf:
        raise ValueError(f"base must be a finite number above 1, got {base!r}")
    if positions.dtype in (torch.float16, torch.bfloat16, torch.bool) or positions.is_complex():
        raise ValueError(f"positions must be integers, float32 or float64, got {positions.dtype}, which rounds them")
    theta = float(base) ** (-torch.arange(0, dim, 2, dtype=torch.float64, device=positions.device) / dim)
    return positions.double()[..., None] * theta


def apply_rope(
    x: Float[Tensor, "*batch n dim"],
    position_ids: Tensor | None = None,
    *,
    base: int | float = 10000.0,
    layout: str = "interleaved",
    offset: int | float = 0,
) -> Float[Tensor, "*batch n dim"]:
    r"""Turn queries or keys by their positions.

    $$ (x_{2i} + \mathrm{i} x_{2i+1}) \mapsto (x_{2i} + \mathrm{i} x_{2i+1}) e^{\mathrm{i} m \theta_i} $$

    Args:
        x: queries or keys, tokens next to last; any floating dtype, which is kept. float16 and bfloat16 are turned in
            float32 and rounded once.
        position_ids: `(n,)`, or `(batch, n)` for the first dimension of `x`; 0, 1, 2, ... by default.
        base: $b$ in $\theta_i = b^{-2i/d}$.
        layout: a pair is `"interleaved"`, (2i, 2i + 1), as in RoFormer and GPT-J; or `"half"` a head apart,
            (i, i + d/2), as in NeoX and Llama. Weights trained with one do not fit the other; see `to_layout`.
        offset: added to the positions, for decoding with a cache.

    Raises:
        ValueError: an unknown layout, an odd `dim`, an offset that is not finite, or position_ids that do not fit.

    >>> apply_rope(torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([0, 3])).round(decimals=2)
    tensor([[ 1.0000,  0.0000],
            [-0.9900,  0.1400]])

    Implements: eq-rope-components, eq-rope-frequency.
    Source: https://kexue.fm/archives/8265.
    """
    positions = _positions(x, position_ids, offset)
    return _turn(x, *_tables(rope_angles(positions, x.shape[-1], base), x.dtype, _layout(layout)), layout)


class RotaryEmbedding(nn.Module):
    r"""`apply_rope` as a module that keeps its cosines.

    The tables are made from float64 angles when they are first needed, and are neither parameters nor buffers:
    `.bfloat16()`, `.half()` and `.to(...)` do not touch them, and a checkpoint does not carry them.

    Args:
        dim: size of a head, even.
        base: $b$ in $\theta_i = b^{-2i/d}$.
        layout: `"interleaved"` or `"half"`, as in `apply_rope`.

    Raises:
        ValueError: an odd `dim`, a base of at most 1, or an unknown layout.

    >>> rope = RotaryEmbedding(4)
    >>> q, k = torch.ones(2, 1, 5, 4), torch.ones(2, 1, 5, 4)
    >>> scores = rope(q) @ rope(k).mT
    >>> torch.allclose(scores, rope(q, offset=100) @ rope(k, offset=100).mT, atol=1e-5)
    True

    Implements: eq-rope-relative, eq-rope-converse.
    Source: https://kexue.fm/archives/8265.
    """

    def __init__(self, dim: int, base: int | float = 10000.0, layout: str = "interleaved"):
        super().__init__()
        rope_angles(torch.zeros(1, dtype=torch.long), dim, base)
        self.dim, self.base, self.layout = dim, float(base), _layout(layout)
        self._kept: tuple[Tensor, Tensor] | None = None

    def forward(
        self, x: Float[Tensor, "*batch n {self.dim}"], position_ids: Tensor | None = None, *, offset: int | float = 0
    ) -> Float[Tensor, "*batch n {self.dim}"]:
        """The turned `x`; arguments as in `apply_rope`."""
        n = x.shape[-2]
        if position_ids is not None or not math.isfinite(offset) or offset != int(offset) or offset < 0:
            return apply_rope(x, position_ids, base=self.base, layout=self.layout, offset=offset)
        wanted = _wide(x.dtype)
        first, last = int(offset), int(offset) + n
        kept = self._kept
        if kept is None or kept[0].dtype != wanted or kept[0].device != x.device or kept[0].shape[0] < last:
            if last > 4 * n + 65536:  # a far offset: make these rows only, rather than all before them
                return apply_rope(x, base=self.base, layout=self.layout, offset=offset)
            with torch.inference_mode(False):  # a table made in evaluation must also serve training
                rows = torch.arange(max(last, 2 * first), device=x.device)
                kept = self._kept = _tables(rope_angles(rows, self.dim, self.base), wanted, self.layout)
        return _turn(x, kept[0][first:last], kept[1][first:last], self.layout)

    def extra_repr(self) -> str:
        return f"{self.dim}, base={self.base:g}, layout={self.layout!r}"


def to_layout(weight: Float[Tensor, "*rows"], heads: int, layout: str) -> Float[Tensor, "*rows"]:
    r"""Reorder the output rows of a query or key projection for the other layout of RoPE.

    Args:
        weight: `(heads * dim, ...)`, a weight or a bias made for the other layout.
        heads: number of heads in the rows.
        layout: the layout that is wanted, `"half"` or `"interleaved"`.

    Raises:
        ValueError: no head, rows that are not `heads` times an even number, or an unknown layout.

    >>> to_layout(torch.arange(4.0), 1, "half")
    tensor([0., 2., 1., 3.])

    Implements: eq-rope-components.
    Source: https://kexue.fm/archives/8265.
    """
    if heads < 1:
        raise ValueError(f"heads must be at least 1, got {heads!r}")
    if weight.shape[0] % (2 * heads):
        raise ValueError(f"rows must be heads = {heads} times an even number, got {weight.shape[0]}")
    shape = (-1, 2) if _layout(layout) == "half" else (2, -1)
    return weight.unflatten(0, (heads, *shape)).transpose(1, 2).flatten(0, 2)


def rope_linear_attention(
    q: Float[Tensor, "*batch n dim"],
    k: Float[Tensor, "*batch m dim"],
    v: Float[Tensor, "*batch m width"],
    *,
    causal: bool = False,
    feature: Callable[[Tensor], Tensor] | None = None,
    base: int | float = 10000.0,
    layout: str = "interleaved",
    chunk: int = 64,
) -> Float[Tensor, "*batch n width"]:
    r"""Linear attention whose numerator is turned and whose denominator is not.

    $$ \frac{\sum_j \langle \mathcal R_i \phi(q_i), \mathcal R_j \phi(k_j) \rangle v_j}
            {\sum_j \langle \phi(q_i), \phi(k_j) \rangle} $$

    Time and memory grow linearly with the number of tokens: no n × m tensor is made, also not for causal attention.

    Args:
        q, k, v: queries, keys and values; positions count from 0 in both. `n = m` if causal. Features of float16 and
            bfloat16 are summed in float32, and the result is rounded once.
        causal: token $i$ attends to $j \le i$ only.
        feature: $\phi \ge 0$, elementwise; elu(x) + 1 by default.
        base, layout: as in `apply_rope`.
        chunk: tokens handled together in causal attention; changes speed and rounding only.

    Raises:
        ValueError: shapes that do not fit, or a chunk below 1.

    >>> q, k, v = torch.ones(3, 2), torch.ones(3, 2), torch.eye(3)
    >>> rope_linear_attention(q, k, v, causal=True)[0]
    tensor([1., 0., 0.])

    Implements: eq-rope-linear.
    Source: https://kexue.fm/archives/8265; Katharopoulos et al., Transformers are RNNs (2020).
    """
    if q.shape[:-2] != k.shape[:-2] or k.shape[:-1] != v.shape[:-1]:
        raise ValueError(f"q, k, v must share batch and k, v tokens, got {[tuple(t.shape) for t in (q, k, v)]}")
    if causal and q.shape[-2] != k.shape[-2]:
        raise ValueError(f"causal attention needs as many queries as keys, got {q.shape[-2]} and {k.shape[-2]}")
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")
    feature = feature or (lambda x: F.elu(x) + 1)
    dtype, wide = v.dtype, _wide(torch.promote_types(q.dtype, v.dtype))
    q, k, v = feature(q.to(wide)), feature(k.to(wide)), v.to(wide)
    turned_q, turned_k = (apply_rope(x, base=base, layout=layout) for x in (q, k))
    if not causal:
        top = turned_q @ (turned_k.mT @ v)
        return (top / (q * k.sum(-2, keepdim=True)).sum(-1, keepdim=True)).to(dtype)
    below = (q * k.cumsum(-2)).sum(-1, keepdim=True)
    n = q.shape[-2]
    extra = -n % chunk
    turned_q, turned_k, v = (F.pad(x, (0, 0, 0, extra)).unflatten(-2, (-1, chunk)) for x in (turned_q, turned_k, v))
    state = turned_k.mT @ v
    before = state.cumsum(-3) - state
    inside = (turned_q @ turned_k.mT).tril()
    return ((turned_q @ before + inside @ v).flatten(-3, -2)[..., :n, :] / below).to(dtype)


def extended_frequencies(
    dim: int,
    factor: float,
    *,
    method: str = "yarn",
    length: int | None = None,
    base: int | float = 10000.0,
    beta_fast: float = 32.0,
    beta_slow: float = 1.0,
) -> Float[Tensor, "half"]:
    r"""Angles a token of a model that is used `factor` times beyond its trained length.

    `"linear"` (position interpolation) divides all of $\theta_i = b^{-2i/d}$ by the factor $s$. `"ntk"` takes the base
    $b s^{d/(d-2)}$, which divides the slowest by $s$ and leaves the fastest. `"yarn"` asks how often a pair turns
    within the trained length $L$, $t_i = L \theta_i / 2\pi$, keeps those above $t_+$ = `beta_fast`, divides those below
    $t_-$ = `beta_slow`, and goes linearly in $t_i$ from one to the other:

    $$ (1 - g_i) \frac{\theta_i}{s} + g_i \theta_i, \quad
       g_i = \min\left(1, \max\left(0, \frac{t_i - t_-}{t_+ - t_-}\right)\right) $$

    Args:
        dim: size $d$ of a head, even; at least 4 for `"ntk"`.
        factor: $s$, at least 1: the new length over the trained one.
        method: `"linear"`, `"ntk"` or `"yarn"`.
        length: $L$, the trained length in tokens; `"yarn"` needs it.
        base: $b$, as in `rope_angles`.
        beta_fast, beta_slow: ends of the ramp, in turns; 32 and 1 are those of the paper for LLaMA. The `transformers`
            library goes linearly in the number of the pair instead, between the same ends.

    Returns:
        float64, one number for each pair. Turn by `positions[:, None] * extended_frequencies(…)` with `apply_angles`.
        YaRN also multiplies queries and keys by $0.1 \log s + 1$, which is left to the caller.

    Raises:
        ValueError: an unknown method, a factor below 1, a missing length, or a ramp that does not rise.

    >>> extended_frequencies(4, 4.0, method="linear", base=100.0)
    tensor([0.2500, 0.0250], dtype=torch.float64)
    >>> extended_frequencies(4, 4.0, method="ntk", base=100.0)
    tensor([1.0000, 0.0250], dtype=torch.float64)

    Implements: eq-rope-ntk, eq-rope-yarn.
    Source: Chen et al., Positional Interpolation (2023); Peng et al., YaRN (2023).
    """
    if not 1 <= factor < math.inf:
        raise ValueError(f"factor is the new length over the trained one, at least 1, got {factor!r}")
    one = torch.ones((), dtype=torch.float64)
    plain = rope_angles(one, dim, base)
    if method == "linear":
        return plain / factor
    if method == "ntk":
        if dim < 4:
            raise ValueError(f"'ntk' needs a fastest and a slowest pair, so dim of at least 4, got {dim}")
        return rope_angles(one, dim, base * factor ** (dim / (dim - 2)))
    if method != "yarn":
        raise ValueError(f"method must be 'linear', 'ntk' or 'yarn', got {method!r}")
    if length is None or length < 1:
        raise ValueError(f"'yarn' needs length=, the trained length in tokens, got {length!r}")
    if not 0 <= beta_slow < beta_fast:
        raise ValueError(f"the ramp rises from beta_slow to beta_fast, got {beta_slow!r} and {beta_fast!r}")
    turns = length * plain / (2 * math.pi)
    kept = ((turns - beta_slow) / (beta_fast - beta_slow)).clamp(0, 1)
    return (1 - kept) * plain / factor + kept * plain


def rope_kernel(distance: Tensor, dim: int, base: int | float = 10000.0) -> Float[Tensor, "*distance"]:
    r"""Score of aligned content, relative to distance 0: $\kappa(r) = \frac2d \sum_i \cos(r \theta_i)$.

    Args:
        distance: distances $r$, as `positions` of `rope_angles`.
        dim, base: as in `rope_angles`.

    >>> rope_kernel(torch.tensor([0, 100]), 128)
    tensor([1.0000, 0.4772], dtype=torch.float64)

    Implements: eq-rope-kernel.
    Source: https://kexue.fm/archives/8265.
    """
    return rope_angles(distance, dim, base).cos().mean(-1)


def smallest_base(length: int, dim: int, start: float = 2.0, step: float = 1e-3) -> float:
    r"""The smallest base with which aligned content never scores below zero within `length` tokens.

    The bases that will do are no interval, so all of them are tried from `start` upwards, `step` (relative) apart, and
    the first that will do is refined by bisection. A window narrower than `step` can be missed.

    Args:
        length: distances 0 to `length` - 1 are looked at.
        dim: size of a head, even.
        start: where the search begins, above 1.
        step: relative distance between neighbouring bases.

    Raises:
        ValueError: `length`, `start` or `step` out of range.

    >>> round(smallest_base(256, 64))
    1412

    Implements: eq-rope-feasible.
    Source: Men et al., Base of RoPE Bounds Context Length (2024).
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length!r}")
    if not (start > 1 and 0 < step < 1):
        raise ValueError(f"start must exceed 1 and step lie between 0 and 1, got {start!r} and {step!r}")
    rows = torch.arange(length)
    witness = 0

    def fails(b: float) -> bool:
        nonlocal witness
        near = torch.arange(max(0, witness - 20), min(length, witness + 20))
        if bool((rope_kernel(near, dim, b) < 0).any()):
            witness = int(near[rope_kernel(near, dim, b).argmin()])
            return True
        values = rope_kernel(rows, dim, b)
        witness = int(values.argmin())
        return bool(values[witness] < 0)

    low, high = start, start
    while fails(high):
        low, high = high, high * (1 + step)
    while high - low > 1e-6 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if fails(middle) else (low, middle)
    return high


def _layout(layout: str) -> str:
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be 'interleaved' or 'half', got {layout!r}")
    return layout


def _positions(x: Tensor, position_ids: Tensor | None, offset: int | float) -> Tensor:
    if not math.isfinite(offset):
        raise ValueError(f"offset must be finite, got {offset!r}")
    if position_ids is None:
        return torch.arange(x.shape[-2], device=x.device) + offset
    shape = tuple(position_ids.shape)
    if shape[-1:] != x.shape[-2:-1] or len(shape) > 2 or (len(shape) == 2 and (x.ndim < 3 or shape[0] != x.shape[0])):
        raise ValueError(f"position_ids must be (n,) or (batch, n) for x of shape {tuple(x.shape)}, got {shape}")
    if len(shape) == 2:
        position_ids = position_ids.reshape(shape[0], *(1,) * (x.ndim - 3), shape[1])
    return position_ids.to(x.device) + offset


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.float64 if dtype == torch.float64 else torch.float32


def _tables(angles: Tensor, dtype: torch.dtype, layout: str) -> tuple[Tensor, Tensor]:
    """Cosines of all coordinates and sines of the pairs; if interleaved, complex numbers in place of the cosines."""
    cos, sin = (t.to(_wide(dtype)) for t in (angles.cos(), angles.sin()))
    if layout == "half":
        return torch.cat((cos, cos), -1), sin
    return torch.complex(cos, sin), sin


def _turn(x: Tensor, cos: Tensor, sin: Tensor, layout: str) -> Tensor:
    wide = x.to(_wide(x.dtype))
    if layout == "interleaved":
        pairs = torch.view_as_complex(wide.unflatten(-1, (-1, 2)).contiguous())
        return torch.view_as_real(pairs * cos).flatten(-2).to(x.dtype)
    half = sin.shape[-1]
    out = wide * cos
    out[..., :half].addcmul_(wide[..., half:], sin, value=-1)
    out[..., half:].addcmul_(wide[..., :half], sin)
    return out.to(x.dtype)
