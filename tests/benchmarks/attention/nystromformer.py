"""Rows of the benchmark: Nyström attention beside nystrom-attention, transformers and exact attention, over lengths."""

import torch
from torch.nn.functional import scaled_dot_product_attention

from spaces_core.attention import nystrom_attention

HEADS, WIDTH, LANDMARKS = 8, 64, 64


def rows(device="cpu"):
    for n in (128, 256, 512, 1024, 4096):
        torch.manual_seed(0)
        x = torch.randn(1, n, HEADS * WIDTH, device=device)
        peer, project = _lucidrains(n, x, device)
        q, k, v = project
        yield {
            "name": f"self-attention of {HEADS} heads of {WIDTH}, {n} tokens, {LANDMARKS} landmarks",
            "method": "spaces_core.attention.nystrom_attention",
            "ours": lambda q=q, k=k, v=v: nystrom_attention(q, k, v, landmarks=LANDMARKS),
            "peers": {
                "nystrom-attention, without its projections": peer,
                "transformers, Nystromformer's attention, without its projections": _hugging_face(n, x, q, k, v),
                "torch, exact softmax attention (another function: only its time compares)": lambda q=q, k=k, v=v: (
                    scaled_dot_product_attention(q, k, v)
                ),
            },
            "agreement": lambda ours, theirs: float((ours - theirs).norm() / theirs.norm()),
            "params": {"batch": 1, "dtype": "float32", "iterations": 6},
        }


def _split(x):
    return x.unflatten(-1, (HEADS, WIDTH)).transpose(1, 2)


def _lucidrains(n, x, device):
    """The peer's module with its projections replaced by given queries, keys and values."""
    q, k, v = (_split(torch.randn_like(x)) for _ in range(3))
    try:
        from nystrom_attention import NystromAttention
    except ImportError:
        return "nystrom-attention is not installed: pip install 'spaces-core[peers]'", (q, k, v)
    module = NystromAttention(HEADS * WIDTH, WIDTH, HEADS, LANDMARKS, residual=False).to(device).eval()
    joined = torch.cat([y.transpose(1, 2).flatten(-2) for y in (q, k, v)], -1)
    module.to_qkv, module.to_out = _Given(joined), torch.nn.Identity()

    def work():
        with torch.no_grad():
            return _split(module(x))

    return work, (q, k, v)


def _hugging_face(n, x, q, k, v):
    try:
        from transformers import NystromformerConfig
        from transformers.models.nystromformer.modeling_nystromformer import NystromformerSelfAttention
    except ImportError:
        return "transformers is not installed: pip install 'spaces-core[peers]'"
    config = NystromformerConfig(
        hidden_size=HEADS * WIDTH, num_attention_heads=HEADS, num_landmarks=LANDMARKS, segment_means_seq_len=n
    )
    module = NystromformerSelfAttention(config).eval()
    module.conv_kernel_size = None
    module.query, module.key, module.value = (_Given(y.transpose(1, 2).flatten(-2)) for y in (q, k, v))

    def work():
        with torch.no_grad():
            return _split(module(x)[0])

    return work


class _Given(torch.nn.Module):
    """Returns the same tensor for every input."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value
