r"""Positions for text, images and videos in one sequence: flattened, M-RoPE, RoPE-Tie, and RoPE-Tie-v2."""

import math
import operator
from collections.abc import Sequence
from typing import SupportsIndex

import torch
from jaxtyping import Float, Int
from torch import Tensor

SCHEMES = ("flatten", "mrope", "tie", "tie_v2")
r"""`flatten` counts patches like words, `mrope` is that of Qwen2-VL, `tie` and `tie_v2` are Su's two proposals."""


def grid_layout(
    sizes: Sequence[SupportsIndex], last: int | float, scheme: str = "tie_v2"
) -> tuple[list[float], list[float], float]:
    r"""Where a grid of patches stands after a text: patch $i = 1, 2, \dots$ of axis $k$ at $\beta_k + i \gamma_k$.

    $$ \beta_k = L + \tfrac12 \left(K - L - (n_k + 1) \gamma_k\right) $$

    centres the patches of each axis between the text before ($L$) and after ($K$). `tie_v2` takes $\gamma_k = 1$ and as
    many positions as there are patches, $K - L = \prod_k n_k + 1$; `tie` takes $K - L = \prod_k (n_k + 1)$ and
    $\gamma_k = (K - L) / (n_k + 1)$, so that $\beta_k = L$; `mrope` is not centred: $\beta_k = L$, $\gamma_k = 1$ and
    $K - L = \max_k n_k + 1$.

    Args:
        sizes: `(rows, columns)` of an image, or `(frames, rows, columns)` of a video, each at least 1. A single frame
            is an image: `tie` then computes with rows and columns alone, and the frame stands midway.
        last: position $L$ of the last token before the grid, -1 at the start of a sequence.
        scheme: `"mrope"`, `"tie"` or `"tie_v2"`; flattened patches have no such lines.

    Returns:
        The starts `beta` and the steps `gamma`, one an axis, and the position $K$ of the first token after the grid.

    Raises:
        ValueError: the sizes are not two or three whole numbers of at least 1 (of Python, NumPy or torch), or the
            scheme has no lines.

    >>> grid_layout((16, 16), 0, "tie_v2")
    ([120.0, 120.0], [1.0, 1.0], 257.0)
    >>> grid_layout((2, 3), 0, "tie")
    ([0.0, 0.0], [4.0, 3.0], 12.0)

    Implements: eq-tie-centred, eq-tie-v1, eq-tie-v2, eq-tie-mrope.
    Source: https://kexue.fm/archives/10040 (tie), https://kexue.fm/archives/10352 (tie_v2).
    """
    sizes = _grid(sizes)
    if scheme == "mrope":
        return [float(last)] * len(sizes), [1.0] * len(sizes), float(last + max(sizes) + 1)
    if scheme == "tie":
        counted = sizes[1:] if len(sizes) == 3 and sizes[0] == 1 else sizes
        span = math.prod(n + 1 for n in counted)
        gamma = [span / (n + 1) for n in sizes]
    elif scheme == "tie_v2":
        span = math.prod(sizes) + 1
        gamma = [1.0] * len(sizes)
    else:
        raise ValueError(f"scheme must be one of mrope, tie, tie_v2, got {scheme!r}")
    beta = [last + (span - (n + 1) * g) / 2 for n, g in zip(sizes, gamma, strict=True)]
    return beta, gamma, float(last + span)


def mixed_positions(
    segments: Sequence[SupportsIndex | Sequence[SupportsIndex]],
    scheme: str = "tie_v2",
    *,
    axes: int = 2,
    start: int | float = 0,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> tuple[Float[Tensor, "n {axes}"], float]:
    r"""Positions of every token of a sequence of texts, images and videos.

    Text token $n$ stands at $(n, \dots, n)$, so that text alone is ordinary RoPE; patches stand as in `grid_layout`, in
    the order frame, row, column; the text goes on at $K$. Nothing is rounded: half positions occur, so do not cast to
    integers. Images may follow each other with no text between them, as if the token between had been left out.

    Args:
        segments: in order, a number of text tokens (0 is allowed), `(rows, columns)` or `(frames, rows, columns)`.
        scheme: one of `SCHEMES`.
        axes: 2 for (row, column), without videos, or 3 for (frame, row, column) as in Qwen2-VL.
        start: position of the first token, if it is text.
        dtype: float64 or float32; halves are exact below 2²³ in float32.
        device: where the result lies.

    Returns:
        positions `(n, axes)`, and the position of the token that comes next (for decoding).

    Raises:
        ValueError: an unknown scheme, another number of axes, a segment that is no text, image or video, a video on two
            axes, or a dtype that cannot hold positions.

    >>> positions, following = mixed_positions([2, (2, 3), 1])
    >>> positions.T
    tensor([[0.0000, 1.0000, 4.0000, 4.0000, 4.0000, 5.0000, 5.0000, 5.0000, 8.0000],
            [0.0000, 1.0000, 3.5000, 4.5000, 5.5000, 3.5000, 4.5000, 5.5000, 8.0000]],
           dtype=torch.float64)
    >>> following
    9.0

    Implements: eq-tie-grid, eq-tie-compatible.
    Source: https://kexue.fm/archives/10040, https://kexue.fm/archives/10352.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, got {scheme!r}")
    if axes not in (2, 3):
        raise ValueError(f"axes must be 2 (row, column) or 3 (frame, row, column), got {axes!r}")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"positions need float32 or float64, got {dtype}: shorter types and integers would round them")
    parts, following = [], float(start)
    for segment in segments:
        if isinstance(segment, Sequence):
            sizes = _grid(segment)
            if len(sizes) > axes:
                raise ValueError(f"a video (frames, rows, columns) = {sizes} needs axes=3, got axes=2")
            sizes = (1,) * (axes - len(sizes)) + sizes
            count = math.prod(sizes)
        else:
            sizes, count = None, _count(segment)
        if sizes is None or scheme == "flatten":
            line = torch.arange(count, dtype=torch.float64) + following
            parts.append(line[:, None].expand(count, axes))
            following += count
        else:
            beta, gamma, following = grid_layout(sizes, following - 1, scheme)
            steps = [torch.arange(1.0, n + 1, dtype=torch.float64) for n in sizes]
            lines = [b + g * step for b, g, step in zip(beta, gamma, steps, strict=True)]
            parts.append(torch.cartesian_prod(*lines))
    positions = torch.cat(parts) if parts else torch.empty(0, axes, dtype=torch.float64)
    return positions.to(dtype=dtype, device=device), following


def batch_positions(
    mm_token_type_ids: Int[Tensor, "batch n"],
    image_grid_thw: Int[Tensor, "images 3"] | None = None,
    video_grid_thw: Int[Tensor, "videos 3"] | None = None,
    attention_mask: Tensor | None = None,
    *,
    scheme: str = "tie_v2",
    spatial_merge_size: int = 2,
) -> tuple[Float[Tensor, "3 batch n"], Float[Tensor, "batch 1"]]:
    r"""Three-axis positions for a padded batch, with the arguments of `get_rope_index` of transformers' Qwen2-VL.

    With `scheme="mrope"` the numbers are those of transformers for images, and for videos that are not longer than they
    are wide or high. For longer videos transformers (5.23) forgets the frames when it goes on with the text, which then
    stands among the last frames; here the text follows the largest coordinate.

    Args:
        mm_token_type_ids: 0 for text, 1 for the patches of images, 2 for those of videos. Two images need a text token
            between them, or they are read as one.
        image_grid_thw: frames (1), rows and columns of the images of the whole batch, in order, before merging.
        video_grid_thw: the same of the videos.
        attention_mask: `(batch, n)`, zero or False at padding, whose positions are 0.
        scheme: one of `SCHEMES`.
        spatial_merge_size: rows and columns of patches that are merged to one token.

    Returns:
        positions `(3, batch, n)` in float64 (frame, row, column), for `Qwen2VLRotaryEmbedding`, and what to add to the
        number of tokens so far to get the next text position, `(batch, 1)`.

    Raises:
        ValueError: an image or video has another number of tokens than its grid, grids are missing or left over, a grid
            is not divisible by `spatial_merge_size`, or shapes do not fit.

    >>> types = torch.tensor([[0, 0, 1, 1, 1, 1, 0]])
    >>> positions, deltas = batch_positions(types, torch.tensor([[1, 4, 4]]), scheme="mrope")
    >>> positions[1:, 0].long().tolist(), int(deltas)
    ([[0, 1, 2, 2, 3, 3, 4], [0, 1, 2, 3, 2, 3, 4]], -2)

    Implements: eq-tie-grid, eq-tie-compatible.
    Source: https://kexue.fm/archives/10352; M-RoPE: Wang et al., Qwen2-VL (2024).
    """
    if attention_mask is None:
        attention_mask = torch.ones_like(mm_token_type_ids)
    if attention_mask.shape != mm_token_type_ids.shape:
        raise ValueError(
            f"attention_mask must have the shape {tuple(mm_token_type_ids.shape)} of mm_token_type_ids, "
            f"got {tuple(attention_mask.shape)}"
        )
    grids = {
        kind: iter(() if table is None else _merged(table, spatial_merge_size))
        for kind, table in ((1, image_grid_thw), (2, video_grid_thw))
    }
    device = mm_token_type_ids.device
    positions = torch.zeros(3, *mm_token_type_ids.shape, dtype=torch.float64, device=device)
    deltas = []
    for row, (types, keep) in enumerate(zip(mm_token_type_ids, attention_mask.bool(), strict=True)):
        kinds, counts = torch.unique_consecutive(types[keep], return_counts=True)
        segments: list[int | Sequence[int]] = []
        for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True):
            if kind == 0:
                segments.append(count)
                continue
            if kind not in grids:
                raise ValueError(f"mm_token_type_ids must be 0 (text), 1 (image) or 2 (video), got {kind}")
            name = "image_grid_thw" if kind == 1 else "video_grid_thw"
            grid = next(grids[kind], None)
            if grid is None:
                raise ValueError(f"{name} has fewer rows than the batch has images or videos of its kind")
            if math.prod(grid) != count:
                raise ValueError(
                    f"{count} consecutive tokens were marked {kind}, but the next row of {name} stands for "
                    f"{math.prod(grid)} after merging; put a text token between neighbouring images"
                )
            segments.append(grid)
        mine, following = mixed_positions(segments, scheme, axes=3)
        positions[:, row, keep] = mine.T.to(device)
        deltas.append(following - len(mine))
    for kind, name in ((1, "image_grid_thw"), (2, "video_grid_thw")):
        if next(grids[kind], None) is not None:
            raise ValueError(f"{name} has more rows than the batch has images or videos of its kind")
    return positions, torch.tensor(deltas, dtype=torch.float64, device=device)[:, None]


def interleaved_angles(
    positions: Float[Tensor, "*batch n axes"] | Int[Tensor, "*batch n axes"],
    dim: int,
    base: int | float = 10000.0,
    sections: Sequence[int] | None = None,
) -> Float[Tensor, "*batch n half"]:
    r"""Rotation angles in which the axes take turns: frequency $i$ belongs to axis $i \bmod \text{axes}$.

    $$ \phi_i = p_{i \bmod a} \, b^{-2i/d} $$

    Where all coordinates are equal this is RoPE of one axis, to the last bit.

    Args:
        positions: coordinates, integers of any width, or float32 or float64.
        dim: size $d$ of an attention head, even.
        base: $b > 1$.
        sections: how many frequencies each axis gets at most; what is left over goes to the first axis (Qwen3-VL).

    Returns:
        angles in radians, float64, `dim / 2` of them.

    Raises:
        ValueError: an odd `dim`, a base of at most 1, sections that do not fit, or positions in a type that rounds
            whole numbers, such as bfloat16.

    >>> interleaved_angles(torch.tensor([[5.0, 7.0]]), 4, base=100.0)
    tensor([[5.0000, 0.7000]], dtype=torch.float64)

    Implements: eq-tie-angle, with weights 1 and 0.
    Source: https://kexue.fm/archives/10352; sections: Bai et al., Qwen3-VL (2025).
    """
    half, axes = _half(dim), positions.shape[-1]
    axis = torch.arange(half) % axes
    if sections is not None:
        if len(sections) != axes or min(sections) < 0 or sum(sections) != half:
            raise ValueError(f"sections must be {axes} numbers that add up to dim / 2 = {half}, got {list(sections)}")
        axis[torch.arange(half) // axes >= torch.tensor(sections)[axis]] = 0
    return _angles(positions, axis, dim, base)


def section_angles(
    positions: Float[Tensor, "*batch n axes"] | Int[Tensor, "*batch n axes"],
    dim: int,
    sections: Sequence[int],
    base: int | float = 10000.0,
) -> Float[Tensor, "*batch n half"]:
    r"""Rotation angles in which each axis owns a contiguous section of the frequencies, as in M-RoPE.

    The first axis gets the fastest frequencies and the last the slowest.

    Args:
        positions, dim, base: as in `interleaved_angles`.
        sections: how many frequencies each axis gets, `dim / 2` in all; (16, 24, 24) in Qwen2-VL.

    Returns:
        angles in radians, float64, `dim / 2` of them.

    Raises:
        ValueError: an odd `dim`, a base of at most 1, sections that do not add up to `dim / 2`, or positions in a type
            that rounds whole numbers, such as bfloat16.

    >>> section_angles(torch.tensor([[5.0, 7.0]]), 8, (1, 3), base=10000.0)[0, :2]
    tensor([5.0000, 0.7000], dtype=torch.float64)

    Implements: eq-tie-angle, with weights 1 and 0.
    Source: Wang et al., Qwen2-VL (2024).
    """
    half, axes = _half(dim), positions.shape[-1]
    if len(sections) != axes or min(sections) < 0 or sum(sections) != half:
        raise ValueError(f"sections must be {axes} numbers that add up to dim / 2 = {half}, got {list(sections)}")
    return _angles(positions, torch.arange(axes).repeat_interleave(torch.tensor(sections)), dim, base)


def apply_angles(
    x: Float[Tensor, "*batch n dim"], angles: Float[Tensor, "*more n half"], *, layout: str = "interleaved"
) -> Float[Tensor, "*batch n dim"]:
    r"""Turn the pairs of coordinates of queries or keys by the angles of their tokens.

    Args:
        x: queries or keys, with tokens next to last; any floating dtype, which is kept.
        angles: from `interleaved_angles` or `section_angles`; their leading dimensions broadcast to those of `x`.
        layout: pairs are neighbours, `"interleaved"` (2i, 2i + 1), or `"half"` apart (i, i + dim / 2; transformers).

    Raises:
        ValueError: an unknown layout, integer `x`, which would round the turned values, or angles that are not half as
            many as the coordinates.

    >>> apply_angles(torch.tensor([[1.0, 0.0]]), torch.tensor([[torch.pi / 2]])).round(decimals=3) + 0
    tensor([[0., 1.]])

    Implements: eq-rope-components.
    Source: https://kexue.fm/archives/8265.
    """
    if layout not in ("interleaved", "half"):
        raise ValueError(f"layout must be 'interleaved' or 'half', got {layout!r}")
    if 2 * angles.shape[-1] != x.shape[-1]:
        raise ValueError(f"x has {x.shape[-1]} coordinates and needs half as many angles, got {angles.shape[-1]}")
    if not x.is_floating_point():
        raise ValueError(f"x must be floating point, got {x.dtype}, which would round the turned values")
    cos, sin = angles.cos().to(x), angles.sin().to(x)
    if layout == "half":
        a, b = x.chunk(2, -1)
        return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def _grid(sizes: Sequence[SupportsIndex]) -> tuple[int, ...]:
    whole = () if isinstance(sizes, str) else tuple(_whole(n) for n in sizes)
    if len(whole) not in (2, 3) or any(n is None or n < 1 for n in whole):
        raise ValueError(
            f"an image is (rows, columns), a video (frames, rows, columns), whole numbers of at least 1, got {sizes!r}"
        )
    return whole


def _count(tokens: SupportsIndex) -> int:
    found = _whole(tokens)
    if found is None or found < 0:
        raise ValueError(f"a text is a whole number of tokens, at least 0, got {tokens!r}")
    return found


def _whole(n) -> int | None:
    """A whole number of Python, NumPy or torch as an int; None for anything else, True and False included."""
    if isinstance(n, bool) or getattr(n, "dtype", None) in (torch.bool, bool):
        return None
    try:
        return operator.index(n)
    except TypeError:
        return None


def _merged(table: Tensor, merge: int) -> list[tuple[int, ...]]:
    if merge < 1 or bool((table[:, 1:] % merge).any()):
        raise ValueError(f"rows and columns {table[:, 1:].tolist()} must be divisible by spatial_merge_size = {merge}")
    return [(t, h // merge, w // merge) for t, h, w in table.tolist()]


def _half(dim: int) -> int:
    if dim < 2 or dim % 2:
        raise ValueError(f"dim must be even and at least 2, since coordinates turn in pairs, got {dim}")
    return dim // 2


def _angles(positions: Tensor, axis: Tensor, dim: int, base: int | float) -> Tensor:
    if not 1 < base < math.inf:
        raise ValueError(f"base must be a finite number above 1, got {base!r}")
    if positions.dtype in (torch.float16, torch.bfloat16, torch.bool) or positions.is_complex():
        raise ValueError(f"positions must be integers, float32 or float64, got {positions.dtype}, which rounds them")
    theta = float(base) ** (-2 * torch.arange(dim // 2, dtype=torch.float64, device=positions.device) / dim)
    return positions.double()[..., axis.to(positions.device)] * theta
