"""Part "practice": classifiers, scores and data."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "GaussianSoftmaxClassifier": "logistic_closed_form",
    },
)
