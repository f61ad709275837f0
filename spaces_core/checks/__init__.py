"""The evidence engine: statements read from a page's own LaTeX, checked, and checked again with typos in them."""

try:
    import lark  # noqa: F401
    import mpmath  # noqa: F401
    import sympy  # noqa: F401
except ImportError as error:
    needed = f"the evidence engine needs {error.name}: pip install 'spaces-core[checks]'"
    raise ImportError(needed, name=error.name) from None

from .chapter import Chapter, CheckFailed, Quote
from .cursor import Names
from .environment import NotEvaluable, Unbound
from .misprints import misprints
from .numbers import Rejected
from .page import read_page
from .reading import parse
from .run import Run
from .tokens import GrammarError
from .tree import latex
from .uncertain import Estimate, estimate, interval
from .values import Vec, symbols_vec

__all__ = [
    "Chapter",
    "CheckFailed",
    "Estimate",
    "GrammarError",
    "Names",
    "NotEvaluable",
    "Quote",
    "Rejected",
    "Run",
    "Unbound",
    "Vec",
    "estimate",
    "interval",
    "latex",
    "misprints",
    "parse",
    "read_page",
    "symbols_vec",
]
