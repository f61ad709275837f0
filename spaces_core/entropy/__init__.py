"""Part "entropy": how spread a distribution is, and how to set it."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "entropy": "entropy_normalization",
        "entropy_normalize": "entropy_normalization",
        "EntropyLogitsProcessor": "entropy_normalization",
    },
)
