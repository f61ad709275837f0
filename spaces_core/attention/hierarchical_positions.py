r"""More positions from a learned table: a position number becomes digits, and each digit looks into the same table."""

import math
import numbers
from collections.abc import Sequence
from typing import SupportsFloat, SupportsIndex

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


def _ratios(alpha: SupportsFloat | Sequence[SupportsFloat]) -> list[float]:
    """The weight of each higher digit, from the second-lowest up, over that of the lowest."""
    weights = list(alpha) if isinstance(alpha, Sequence) else [alpha]
    if not weights or any(isinstance(w, bool) or not isinstance(w, numbers.Real) for w in weights):
        raise ValueError(f"alpha must be a number, or one number for each higher digit, got {alpha!r}")
    weights = [float(w) for w in weights]
    lowest = 1 - math.fsum(weights)
    if not (all(w > 0 for w in weights) and lowest > 1e-9):
        raise ValueError(f"the weights of the higher digits must be positive and sum to less than 1, got {alpha!r}")
    everything = sorted([*weights, lowest])
    if any(b - a < 1e-9 for a, b in zip(everything, everything[1:], strict=False)):
        hint = "alpha = 1/2 makes" if len(weights) == 1 else f"two of the weights {everything} are equal, which makes"
        raise ValueError(f"{hint} two positions with exchanged digits equal; take weights that differ, such as 0.4")
    return [w / lowest for w in weights]


def _reach(n: int, ratios: list[float]) -> int:
    return n ** (len(ratios) + 1)


def hierarchical_lookup(
    table: Float[Tensor, "n d"], positions: Int[Tensor, "*batch"], alpha: SupportsFloat | Sequence[SupportsFloat] = 0.4
) -> Float[Tensor, "*batch d"]:
    r"""Embeddings of positions up to n² from a table of n, made when they are asked for.

    With $m = i n + j$, counted from zero, and $c = \alpha / (1 - \alpha)$,

    $$ q_m = p_j + c\,(p_i - p_0) $$

    so positions below n keep their rows to the last bit, and block i is the table, moved.

    Args:
        table: `(n, d)`, the learned embeddings of positions 0 to n - 1, at least two.
        positions: whole numbers of any shape, from 0 to n² - 1. On a GPU and under `torch.compile` they are not
            looked at beforehand (that would wait for the device): one out of reach is then torch's own error of an
            index out of range.
        alpha: weight of the higher digit, in (0, 1) and not 1/2. A sequence of k - 1 weights uses k digits and
            reaches n^k positions: the first is that of the second-lowest digit; the lowest gets what is left of 1.

    Returns:
        `(*batch, d)`, with the table's dtype and device; gradients flow to the table.

    Raises:
        ValueError: positions that are no whole numbers, a position that is negative or beyond the last digit's
            reach, or weights that are not as above.

    >>> table = torch.tensor([[0.0], [1.0], [3.0]])
    >>> hierarchical_lookup(table, torch.tensor([0, 1, 2, 3, 8]), alpha=0.25).flatten()
    tensor([0.0000, 1.0000, 3.0000, 0.3333, 4.0000])

    Implements: eq-hier-closed, eq-hier-levels.
    Source: https://kexue.fm/archives/7947.
    """
    ratios = _ratios(alpha)
    n = _rows(table)
    if positions.is_floating_point() or positions.is_complex() or positions.dtype == torch.bool:
        raise ValueError(f"positions must be whole numbers, got {positions.dtype}")
    if positions.numel() and positions.device.type == "cpu" and not torch.compiler.is_compiling():
        low, high = int(positions.min()), int(positions.max())
        if low < 0 or high >= _reach(n, ratios):
            raise ValueError(
                f"positions must lie between 0 and {_reach(n, ratios) - 1} for {n} rows and {len(ratios) + 1} digits, "
                f"got {low} to {high}"
            )
    positions = positions.to(table.device, torch.long)
    rows = table[positions % n]
    for digit, ratio in enumerate(ratios, 1):
        positions = positions // n
        highest = digit == len(ratios)  # stays below n where the position is in reach, which `embedding` checks
        rows = rows + ratio * (F.embedding(positions if highest else positions % n, table) - table[0])
    return rows


def _rows(table: Tensor) -> int:
    if table.ndim != 2 or table.shape[0] < 2 or not table.is_floating_point():
        raise ValueError(f"the table must be real and (n, d) with n of at least 2, got {_shape(table)} {table.dtype}")
    return table.shape[0]


def _shape(table: Tensor) -> tuple[int, ...]:
    return tuple(table.shape)


def extend_table(
    table: Float[Tensor, "n d"],
    length: SupportsIndex,
    alpha: SupportsFloat | Sequence[SupportsFloat] = 0.4,
    *,
    keep: SupportsIndex = 0,
) -> Float[Tensor, "length d"]:
    r"""A longer table of position embeddings: the first n rows as they are, then the table moved, block by block.

    Args:
        table: `(n, d)`, learned embeddings of positions 0 to n - 1.
        length: rows wanted, from n to n².
        alpha: as in `hierarchical_lookup`.
        keep: first rows that stand alone: they are kept in front, and neither repeated nor used as a digit. With 1
            the row of `[CLS]` stays out of every later block (in MiniLM it is 5.6 times as long as the others).
            The reach is then `keep + (n - keep)²`. 0 is the published form.

    Returns:
        `(length, d)`, with the table's dtype and device.

    Raises:
        ValueError: a length out of reach, or what `hierarchical_lookup` refuses.

    >>> table = torch.randn(512, 16)
    >>> longer = extend_table(table, 2000)
    >>> longer.shape, torch.equal(longer[:512], table)
    (torch.Size([2000, 16]), True)

    Implements: eq-hier-closed.
    Source: https://kexue.fm/archives/7947.
    """
    n = _rows(table)
    keep = _kept(keep, n)
    most = keep + _reach(n - keep, _ratios(alpha))
    length = _whole(length, n, most, f"length must be a whole number from {n} to {most} for a table of {n} rows")
    later = hierarchical_lookup(table[keep:], torch.arange(n - keep, length - keep, device=table.device), alpha)
    return torch.cat([table, later])


def interpolate_table(
    table: Float[Tensor, "n d"], length: SupportsIndex, *, keep: SupportsIndex = 1
) -> Float[Tensor, "length d"]:
    r"""A longer table of position embeddings: the first rows as they are, the others stretched.

    New rows lie on the line between neighbours,

    $$ g_{b,r} = p_b + \frac{r}{\sigma}\,(p_{b+1} - p_b) $$

    where the last row stays the last, so the factor of the stretch is $\sigma = (L - 1 - k) / (n - 1 - k)$ for
    length $L$ and $k$ kept rows, and places are spaced by $1/\sigma$ also where it is not whole. All positions from
    the second after the kept ones on get other rows than they had.

    Args:
        table: `(n, d)`, learned embeddings of positions 0 to n - 1.
        length: rows wanted, at least n.
        keep: first rows that stay as they are, up to n - 2.

    Returns:
        `(length, d)`, with the table's dtype and device; gradients flow to the table.

    Raises:
        ValueError: a shorter length, or too many rows kept.

    >>> interpolate_table(torch.tensor([[9.0], [0.0], [1.0], [4.0]]), 6).flatten()
    tensor([9.0000, 0.0000, 0.5000, 1.0000, 2.5000, 4.0000])

    Implements: eq-hier-stretch.
    Source: https://arxiv.org/abs/2403.15378.
    """
    n = _rows(table)
    keep = _kept(keep, n)
    length = _whole(length, n, math.inf, f"length must be a whole number from {n} on for a table of {n} rows")
    places = torch.linspace(keep, n - 1, length - keep, device=table.device, dtype=torch.float64)
    below = places.floor().long().clamp(max=n - 2)
    part = (places - below).to(table.dtype)[:, None]
    return torch.cat([table[:keep], table[below] + part * (table[below + 1] - table[below])])


def _whole(value: SupportsIndex, low: int, high: int | float, message: str) -> int:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not low <= value <= high:
        raise ValueError(f"{message}, got {value!r}")
    return int(value)


def _kept(keep: SupportsIndex, n: int) -> int:
    return _whole(keep, 0, n - 2, f"keep must be a whole number from 0 to {n - 2}, so that two rows are left")


@torch.no_grad()
def extend_positions(
    model: nn.Module,
    length: SupportsIndex,
    alpha: SupportsFloat | Sequence[SupportsFloat] = 0.4,
    *,
    keep: SupportsIndex = 1,
    table: str | None = None,
) -> nn.Module:
    r"""Let a Hugging Face BERT read longer texts: `extend_positions(model, 2048)`, and nothing else changes.

    The model is changed in place: the table, the buffers `position_ids` and `token_type_ids` beside it, and
    `max_position_embeddings` in every configuration. What the model says of texts of the old length stays the same.
    Rows that RoBERTa and its relatives reserve (up to and with the padding index) are kept in front and not counted.
    An optimizer made before holds the old table: make it afterwards. A tokenizer cuts at its own
    `model_max_length`, which is yours to raise.

    Args:
        model: BERT, RoBERTa, ELECTRA, ALBERT, DistilBERT, MPNet, or any other module with one `nn.Embedding`
            called `position_embeddings`; also a head or a sentence encoder around it.
        length: tokens the model shall read, from its present number n to `keep + (n - keep)²`.
        alpha: as in `hierarchical_lookup`.
        keep: as in `extend_table`. The default leaves the row of the first token alone: it can be far longer than
            the others, as in MiniLM, and would enter all later rows. 0 is the published form.
        table: full name of the embedding, where it is called otherwise or there are several.

    Returns:
        The same model.

    Raises:
        ValueError: no table of learned positions, or several; a length or weights out of range; a table on no device.

    >>> from transformers import BertConfig, BertModel
    >>> sizes = dict(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=9)
    >>> model = BertModel(BertConfig(max_position_embeddings=16, **sizes))
    >>> extend_positions(model, 40)(torch.ones(1, 40, dtype=torch.long)).last_hidden_state.shape
    torch.Size([1, 40, 8])

    Implements: eq-hier-closed.
    Source: https://kexue.fm/archives/7947.
    """
    name, embedding = _position_table(model, table)
    old = embedding.weight
    if old.device.type == "meta":
        raise ValueError(f"{name} holds no numbers yet (meta device): load the weights first")
    reserved = 0 if embedding.padding_idx is None else embedding.padding_idx + 1
    rows = torch.cat([old[:reserved], extend_table(old[reserved:], length, alpha, keep=keep)])
    if len(rows) == len(old):
        return model
    new = nn.Parameter(rows, requires_grad=old.requires_grad)
    for module in model.modules():
        for key, parameter in list(module._parameters.items()):
            if parameter is old:
                setattr(module, key, new)
                if isinstance(module, nn.Embedding):
                    module.num_embeddings = len(new)
        config = getattr(module, "config", None)
        if getattr(config, "max_position_embeddings", None) == len(old):
            config.max_position_embeddings = len(new)
    _lengthen_buffers(model.get_submodule(name.rpartition(".")[0]), len(old), len(new))
    return model


def _position_table(model: nn.Module, name: str | None) -> tuple[str, nn.Embedding]:
    kind = getattr(getattr(model, "config", None), "position_embedding_type", None)
    if kind not in (None, "absolute"):
        raise ValueError(f"this model's positions are {kind!r}: only learned absolute positions can be extended")
    if name is None:
        embeddings = [(k, m) for k, m in model.named_modules() if isinstance(m, nn.Embedding)]
        found = [(k, m) for k, m in embeddings if k.rpartition(".")[2] == "position_embeddings"]
        if len(found) != 1:
            known = ", ".join(k for k, _ in found or embeddings) or "none"
            raise ValueError(
                f"found {len(found)} tables called position_embeddings; name one with table= (embeddings here: {known})"
            )
        name, embedding = found[0]
    else:
        embedding = dict(model.named_modules()).get(name)
    if not isinstance(embedding, nn.Embedding):
        raise ValueError(f"{name!r} is no nn.Embedding of this model")
    if type(embedding) is not nn.Embedding and "Sinusoidal" in type(embedding).__name__:
        raise ValueError(f"{name} is computed, not learned ({type(embedding).__name__}): ask it for a longer one")
    return name, embedding


def _lengthen_buffers(parent: nn.Module, old: int, new: int) -> None:
    for key in ("position_ids", "token_type_ids"):
        buffer = parent._buffers.get(key)
        if buffer is None or buffer.shape[-1] != old:
            continue
        shape = (*buffer.shape[:-1], new)
        longer = (
            torch.arange(new, device=buffer.device, dtype=buffer.dtype) if key == "position_ids" else buffer[..., :1]
        )
        parent.register_buffer(
            key, longer.expand(shape).clone(), persistent=key not in parent._non_persistent_buffers_set
        )
