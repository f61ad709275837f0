"""Rows of the benchmark: positions of a mixed batch and their angles beside transformers' Qwen2-VL."""

import importlib.util
from types import SimpleNamespace

import torch

from spaces_core.attention import batch_positions, section_angles


def mixed_batch(rows, images, side, words, device):
    """Types and grids of `rows` sequences with `images` square images of `side` merged patches between words."""
    row = ([0] * words + [1] * side * side) * images + [0] * words
    types = torch.tensor([row] * rows, device=device)
    return types, torch.tensor([[1, 2 * side, 2 * side]] * (rows * images), device=device)


def gap(ours, peer):
    return float((ours.double() - peer.double()).abs().max())


def rows(device="cpu", small=False):
    peer = bool(importlib.util.find_spec("transformers"))
    sizes = [
        ("4 sequences of 5 images", 4, 5, 4 if small else 16),
        ("1 sequence of 100 images", 1, 100, 2 if small else 16),
    ]
    for name, batch, images, side in sizes:
        types, grid = mixed_batch(batch, images, side, 20, device)
        peers = {"transformers, Qwen2VLModel.get_rope_index": "transformers is not installed"}
        if peer:
            from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLModel

            class Peer:
                config = SimpleNamespace(vision_config=SimpleNamespace(spatial_merge_size=2))
                get_rope_index = Qwen2VLModel.get_rope_index
                get_vision_position_ids = Qwen2VLModel.get_vision_position_ids

            def theirs(types=types, grid=grid, model=Peer()):  # noqa: B008
                return model.get_rope_index(torch.zeros_like(types), types, grid)[0]

            peers = {"transformers, Qwen2VLModel.get_rope_index": theirs}
        yield {
            "name": f"M-RoPE positions: {name} of {side} × {side}",
            "method": "spaces_core.attention.batch_positions, scheme='mrope'",
            "ours": lambda types=types, grid=grid: batch_positions(types, grid, scheme="mrope")[0],
            "peers": peers,
            "agreement": gap,
            "params": {"sequences": batch, "tokens": types.shape[1], "images a sequence": images, "dtype": "float64"},
        }
    side, count = (4, 2) if small else (32, 8)
    types, grid = mixed_batch(1, count, side, 20, device)
    positions, _ = batch_positions(types, grid, scheme="tie_v2")
    peers = {"transformers, Qwen2VLRotaryEmbedding": "transformers is not installed"}
    if peer:
        from transformers.models.qwen2_vl.configuration_qwen2_vl import Qwen2VLTextConfig
        from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLRotaryEmbedding

        rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]}
        rotary = Qwen2VLRotaryEmbedding(
            Qwen2VLTextConfig(hidden_size=256, num_attention_heads=2, rope_parameters=rope)
        ).to(device)
        like = torch.zeros(1, device=device)
        peers = {"transformers, Qwen2VLRotaryEmbedding": lambda: rotary(like, positions)[0][0, :, :64]}
    yield {
        "name": f"Cosines of RoPE-Tie-v2 positions in M-RoPE's sections: {types.shape[1]} tokens",
        "method": "spaces_core.attention.section_angles, then cos and sin",
        "ours": lambda: tables(positions[:, 0].T),
        "peers": peers,
        "agreement": gap,
        "params": {"tokens": types.shape[1], "head size": 128, "base": 1_000_000, "angles": "float64, peer float32"},
    }


def tables(positions):
    angles = section_angles(positions, 128, (16, 24, 24), 1e6)
    angles.sin().float()
    return angles.cos().float()
