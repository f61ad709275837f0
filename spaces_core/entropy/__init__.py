"""Part "entropy": how spread a distribution is, and how to set it."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "key_counts": "attention_scale",
        "length_scale": "attention_scale",
        "length_scaled_attention": "attention_scale",
        "entropy": "entropy_normalization",
        "entropy_normalize": "entropy_normalization",
        "EntropyLogitsProcessor": "entropy_normalization",
    },
)
