"""Part "similarity": distances, margins and rankings."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "MarginSoftmaxLoss": "margin_softmax",
    },
)
