"""Part "attention": where a token stands, and what attends to what."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "apply_angles": "rope_tie",
        "batch_positions": "rope_tie",
        "grid_layout": "rope_tie",
        "interleaved_angles": "rope_tie",
        "iterative_pinv": "nystromformer",
        "mixed_positions": "rope_tie",
        "nystrom_attention": "nystromformer",
        "nystrom_factors": "nystromformer",
        "section_angles": "rope_tie",
    },
)
