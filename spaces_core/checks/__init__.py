"""The evidence engine: statements read from a page's own LaTeX, checked, and checked again with typos in them."""

from .chapter import Chapter, CheckFailed
from .evaluate import NotEvaluable, Unbound
from .grammar import GrammarError, Names, parse
from .page import read_page
from .prove import Rejected
from .tree import latex
from .typos import typos
from .uncertain import Estimate, estimate, interval
from .values import Vec, symbols_vec

__all__ = [
    "Chapter",
    "CheckFailed",
    "Estimate",
    "GrammarError",
    "Names",
    "NotEvaluable",
    "Rejected",
    "Unbound",
    "Vec",
    "estimate",
    "interval",
    "latex",
    "parse",
    "read_page",
    "symbols_vec",
    "typos",
]
