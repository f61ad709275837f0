"""Rows of the benchmark: RoPE beside rotary-embedding-torch, x-transformers and transformers."""

import importlib.util

import torch

from spaces_core.attention import RotaryEmbedding, apply_rope, rope_linear_attention


def here(name):
    return importlib.util.find_spec(name) is not None


def gap(ours, peer):
    return float((ours.double() - peer.double()).abs().max())


def peers_of(x, layout, offset):
    n, dim = x.shape[-2:]
    positions = torch.arange(n, device=x.device) + offset
    peers = {}
    if layout == "interleaved":
        peers["rotary-embedding-torch"] = "rotary-embedding-torch is not installed"
        if here("rotary_embedding_torch"):
            from rotary_embedding_torch import RotaryEmbedding as Peer

            module = Peer(dim).to(x.device)
            peers["rotary-embedding-torch"] = lambda: module.rotate_queries_or_keys(x, offset=offset)
        peers["x-transformers"] = "x-transformers is not installed"
        if here("x_transformers"):
            from x_transformers.x_transformers import RotaryEmbedding as Other
            from x_transformers.x_transformers import apply_rotary_pos_emb

            freqs, scale = Other(dim).to(x.device)(positions)
            peers["x-transformers (angles made before)"] = lambda: apply_rotary_pos_emb(x, freqs, scale)
            del peers["x-transformers"]
    else:
        peers["transformers, Llama"] = "transformers is not installed"
        if here("transformers"):
            from transformers.models.llama.modeling_llama import (
                LlamaConfig,
                LlamaRotaryEmbedding,
                rotate_half,
            )

            module = LlamaRotaryEmbedding(LlamaConfig(hidden_size=dim, num_attention_heads=1)).to(x.device)
            cos, sin = (t[:, None] for t in module(x, positions[None]))
            peers["transformers, Llama (tables made before)"] = lambda: x * cos + rotate_half(x) * sin
            del peers["transformers, Llama"]
    return peers


def rows(device="cpu", small=False):
    shape = (1, 2, 32, 64) if small else (4, 12, 512, 64)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
    for layout in ("interleaved", "half"):
        for offset in (0, 5000):
            module = RotaryEmbedding(64, layout=layout)
            yield {
                "name": f"RoPE, {layout}, offset {offset}",
                "method": "spaces_core.attention.RotaryEmbedding",
                "ours": lambda module=module, offset=offset: module(x, offset=offset),
                "peers": peers_of(x, layout, offset),
                "agreement": gap,
                "params": {
                    "batch, heads, tokens, head size": list(shape),
                    "dtype": "float32",
                    "peers' angles": "float32",
                },
            }
    n = 64 if small else 2048
    q, k, v = torch.randn(3, 1, 4, n, 64, generator=torch.Generator().manual_seed(0)).to(device)

    def quadratic():
        f, g = (torch.nn.functional.elu(t) + 1 for t in (q, k))
        below = (f @ g.mT).tril().sum(-1, keepdim=True)
        return (apply_rope(f) @ apply_rope(g).mT).tril() @ v / below

    yield {
        "name": f"Causal linear attention with RoPE, {n} tokens",
        "method": "spaces_core.attention.rope_linear_attention",
        "ours": lambda: rope_linear_attention(q, k, v, causal=True),
        "peers": {"the same sums with all pairs (PyTorch)": quadratic},
        "agreement": gap,
        "params": {"heads": 4, "tokens": n, "head size": 64, "dtype": "float32"},
    }
