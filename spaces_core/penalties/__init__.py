"""Part "penalties": gradients as regularisers."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "parameter_grad_norm": "gradient_penalty",
    },
)
