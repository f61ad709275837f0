"""Part "attention": where a token stands, and what attends to what."""

from ..lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {},
)
