"""Part "training": initialisation and optimisation."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "init_variance": "nonsquare_init",
    },
)
