"""Part "attention": where a token stands, and what attends to what."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "apply_angles": "rope_tie",
        "apply_rope": "rope",
        "attention_entropy": "realformer",
        "batch_positions": "rope_tie",
        "expected_entropy": "realformer",
        "extend_positions": "hierarchical_positions",
        "extend_table": "hierarchical_positions",
        "extended_frequencies": "rope",
        "grid_layout": "rope_tie",
        "hierarchical_lookup": "hierarchical_positions",
        "interleaved_angles": "rope_tie",
        "interpolate_table": "hierarchical_positions",
        "iterative_pinv": "nystromformer",
        "mean_query_attention": "nystromformer",
        "mixed_positions": "rope_tie",
        "nystrom_attention": "nystromformer",
        "NystromAttention": "nystromformer",
        "nystrom_factors": "nystromformer",
        "residual_attention": "realformer",
        "residual_scores": "realformer",
        "ResidualAttention": "realformer",
        "rope_angles": "rope",
        "rope_kernel": "rope",
        "rope_linear_attention": "rope",
        "RotaryEmbedding": "rope",
        "section_angles": "rope_tie",
        "smallest_base": "rope",
        "to_layout": "rope",
    },
)
