"""Part "training": initialisation and optimisation."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "LayerGain": "nonsquare_init",
        "fans": "nonsquare_init",
        "gain_probe": "nonsquare_init",
        "init_variance": "nonsquare_init",
        "nonsquare_normal_": "nonsquare_init",
        "nonsquare_orthogonal_": "nonsquare_init",
        "nonsquare_uniform_": "nonsquare_init",
    },
)
