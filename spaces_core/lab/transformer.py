"""A Transformer small enough to train inside a chapter, with its attention left open."""

from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """One layer, pre- or post-LayerNorm; `attend(q, k, v, layer)` maps three `(batch, heads, n, head_dim)` to one."""

    def __init__(self, dim: int, heads: int, layer: int, attend, post_norm: bool):
        super().__init__()
        self.heads, self.layer, self.attend, self.post_norm = heads, layer, attend, post_norm
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)

    def attention(self, x):
        q, k, v = (y.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in self.qkv(x).chunk(3, -1))
        return self.out(self.attend(q, k, v, self.layer).transpose(1, 2).flatten(-2))

    def forward(self, x):
        if self.post_norm:
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.mlp(x))
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def softmax_attention(q, k, v, layer):
    """Ordinary attention, in both directions."""
    return F.scaled_dot_product_attention(q, k, v)


class SmallTransformer(nn.Module):
    r"""A stack of Transformer layers on tokens, with one vector of logits for each position.

    Args:
        words: size of the vocabulary.
        outputs: logits a position; the vocabulary if None.
        dim, depth, heads: width, layers, attention heads; `dim` is a multiple of `heads`.
        positions: learned absolute positions, None for no positions (when `attend` brings its own).
        attend: `attend(q, k, v, layer)` with `(batch, heads, n, head_dim)` tensors and the layer's number from 0.
        post_norm: LayerNorm after the residual sum (BERT) instead of before the sublayer.

    Raises:
        ValueError: `dim` is no multiple of `heads`.

    >>> import torch
    >>> model = SmallTransformer(words=100, dim=32, heads=2, positions=16)
    >>> model(torch.zeros(3, 16, dtype=torch.long)).shape
    torch.Size([3, 16, 100])

    Source: Vaswani et al., Attention Is All You Need (2017).
    """

    def __init__(
        self,
        words: int,
        outputs: int | None = None,
        dim: int = 64,
        depth: int = 2,
        heads: int = 4,
        positions: int | None = None,
        attend=softmax_attention,
        post_norm: bool = False,
    ):
        if dim % heads:
            raise ValueError(f"dim must be a multiple of heads, got dim = {dim} and heads = {heads}")
        super().__init__()
        self.tokens = nn.Embedding(words, dim)
        self.positions = None if positions is None else nn.Embedding(positions, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, i, attend, post_norm) for i in range(depth))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, outputs or words)
        for table in (self.tokens, self.positions):
            if table is not None:
                nn.init.normal_(table.weight, std=0.02)

    def hidden(self, tokens):
        """The last layer's vectors `(batch, n, dim)` of token numbers `(batch, n)`."""
        x = self.tokens(tokens)
        if self.positions is not None:
            x = x + self.positions.weight[: tokens.shape[-1]]
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, tokens):
        return self.head(self.hidden(tokens))
