"""Part "similarity": distances, margins and rankings."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "MarginSoftmaxLoss": "margin_softmax",
        "class_radii": "margin_softmax",
        "cosine_margin": "margin_softmax",
        "margin_from_degrees": "margin_softmax",
        "margin_softmax_loss": "margin_softmax",
        "mean_diameter": "margin_softmax",
        "metric_margin": "margin_softmax",
        "retrieval_scores": "margin_softmax",
    },
)
