"""The methods of the book, one module a topic, and the checks behind its equations."""

from .lazy import attach

__version__ = "0.1.0"
__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "entropy_normalize": "entropy.entropy_normalization",
        "MarginSoftmaxLoss": "similarity.margin_softmax",
        "init_variance": "training.nonsquare_init",
        "parameter_grad_norm": "penalties.gradient_penalty",
        "GaussianSoftmaxClassifier": "practice.logistic_closed_form",
    },
)
