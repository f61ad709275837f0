"""Part "penalties": gradients as regularisers."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "gradient_bound": "gradient_penalty",
        "input_grad_norm": "gradient_penalty",
        "input_gradient_penalty": "gradient_penalty",
        "parameter_grad_norm": "gradient_penalty",
        "parameter_gradient_penalty": "gradient_penalty",
    },
)
