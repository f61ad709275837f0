r"""More positions from a learned table: a position number becomes digits, and each digit looks into the same table."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


def _ratios(alpha: float | Sequence[float]) -> list[float]:
    """The weight of each higher digit, from the second-lowest up, over that of the lowest."""
    weights = [alpha] if isinstance(alpha, (int, float)) else list(alpha)
    if not weights or any(isinstance(w, bool) or not isinstance(w, (int, float)) for w in weights):
        raise ValueError(f"alpha must be a number, or one number for each higher digit, got {alpha!r}")
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
    table: Float[Tensor, "n d"], positions: Int[Tensor, "*batch"], alpha: float | Sequence[float] = 0.4
) -> Float[Tensor, "*batch d"]:
    r"""Embeddings of positions up to n² from a table of n, made when they are asked for.

    With $m = i n + j$, counted from zero, and $c = \alpha / (1 - \alpha)$,

    $$ q_m = p_j + c\,(p_i - p_0) $$

    so positions below n keep their rows to the last bit, and block i is the table, moved.

    Args:
        table: `(n, d)`, the learned embeddings of positions 0 to n - 1, at least two.
        positions: whole numbers of any shape, from 0 to n² - 1.
        alpha: weight of the higher digit, in (0, 1) and not 1/2. A sequence of k - 1 weights uses k digits and
            reaches n^k positions: the first is that of the second-lowest digit; the lowest gets what is left of 1.

    Returns:
        `(*batch, d)`, with the table's dtype and device; gradients flow to the table.

    Raises:
        ValueError: a position is negative or beyond the last digit's reach, or the weights are not as above.

    >>> table = torch.tensor([[0.0], [1.0], [3.0]])
    >>> hierarchical_lookup(table, torch.tensor([0, 1, 2, 3, 8]), alpha=0.25).flatten()
    tensor([0.0000, 1.0000, 3.0000, 0.3333, 4.0000])

    Implements: eq-hier-closed, eq-hier-levels.
    Source: https://kexue.fm/archives/7947.
    """
    ratios = _ratios(alpha)
    n = _rows(table)
    if positions.numel():
        low, high = int(positions.min()), int(positions.max())
        if low < 0 or high >= _reach(n, ratios):
            raise ValueError(
                f"positions must lie between 0 and {_reach(n, ratios) - 1} for {n} rows and {len(ratios) + 1} digits, "
                f"got {low} to {high}"
            )
    positions = positions.to(table.device, torch.long)
    rows = table[positions % n]
    for ratio in ratios:
        positions = positions // n
        rows = rows + ratio * (table[positions % n] - table[0])
    return rows


def _rows(table: Tensor) -> int:
    if table.ndim != 2 or table.shape[0] < 2 or not table.is_floating_point():
        raise ValueError(f"the table must be real and (n, d) with n of at least 2, got {_shape(table)} {table.dtype}")
    return table.shape[0]


def _shape(table: Tensor) -> tuple[int, ...]:
    return tuple(table.shape)


def extend_table(
    table: Float[Tensor, "n d"], length: int, alpha: float | Sequence[float] = 0.4, *, keep: int = 0
) -> Float[Tensor, "length d"]:
    r"""A longer table of position embeddings: the first n rows as they are, then the table moved, block by block.

    Args:
        table: `(n, d)`, learned embeddings of positions 0 to n - 1.
        length: rows wanted, from n to n².
        alpha: as in `hierarchical_lookup`.
        keep: first rows that stand alone: they are kept in front, and neither repeated nor used as a digit. With 1
            the row of `[CLS]`, which in a trained BERT is unlike all others, stays out of every later block.
            The reach is then `keep + (n - keep)²`.

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
    if isinstance(keep, bool) or not isinstance(keep, int) or not 0 <= keep <= n - 2:
        raise ValueError(f"keep must be a whole number from 0 to {n - 2}, so that two rows are left, got {keep!r}")
    most = keep + _reach(n - keep, _ratios(alpha))
    if isinstance(length, bool) or not isinstance(length, int) or not n <= length <= most:
        raise ValueError(f"length must be a whole number from {n} to {most} for a table of {n} rows, got {length!r}")
    later = hierarchical_lookup(table[keep:], torch.arange(n - keep, length - keep, device=table.device), alpha)
    return torch.cat([table, later])


@torch.no_grad()
def extend_positions(
    model: nn.Module, length: int, alpha: float | Sequence[float] = 0.4, *, keep: int = 0, table: str | None = None
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
        length: tokens the model shall read, from its present number n to n².
        alpha: as in `hierarchical_lookup`.
        keep: as in `extend_table`; 1 leaves the row of `[CLS]` alone.
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
