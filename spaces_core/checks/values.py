"""What trees are evaluated to: SymPy, mpmath, NumPy and torch values behind one set of operations.

NumPy and torch are never imported here: a value of theirs brings its own methods.
"""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import sympy as sp

from .matrices import Abstract, Identity, Mat, column

__all__ = ["Family", "Mat", "Vec", "column", "symbols_vec"]


class NoNumbers(ValueError):
    """A value is not made of numbers that can be listed."""


class Vec(tuple):
    """An elementwise family: `Vec([a, b]) * Vec([c, d]) == Vec([a*c, b*d])`; the page's `p_1` is its first member.

    >>> Vec([1, 2]) + 1
    Vec(2, 3)
    """

    def __new__(cls, items):
        return super().__new__(cls, tuple(items))

    def __repr__(self):
        return f"Vec({', '.join(map(str, self))})"

    def _with(self, other, op):
        if isinstance(other, Vec):
            if len(other) != len(self):
                raise ValueError(f"families of {len(self)} and {len(other)} members do not combine")
            return Vec(op(a, b) for a, b in zip(self, other, strict=True))
        return Vec(op(a, other) for a in self)

    def __add__(self, o):
        return self._with(o, lambda a, b: a + b)

    def __sub__(self, o):
        return self._with(o, lambda a, b: a - b)

    def __mul__(self, o):
        return self._with(o, lambda a, b: a * b)

    def __truediv__(self, o):
        return self._with(o, divide)

    def __pow__(self, o):
        return self._with(o, power)

    def __neg__(self):
        return Vec(-a for a in self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, o):
        return -self + o

    def __rtruediv__(self, o):
        return Vec(divide(o, a) for a in self)


class Family:
    """The members of a declared family, each under its indices, which need not start at 1.

    >>> Family("p", {(0,): 3, (1,): 5}).entry(0)
    3
    """

    def __init__(self, name: str, members: dict):
        self.name, self.members = name, members

    def entry(self, *where: int):
        """Raises IndexError where the family has no member."""
        if where not in self.members:
            shown = ", ".join(map(str, where))
            raise IndexError(
                f"{self.name} has no member {shown}: its indices run from {min(self.members)} to {max(self.members)}"
            )
        return self.members[where]

    def __repr__(self):
        return f"Family({self.name!r}, {self.members})"


def symbols_vec(name: str, n: int, **assumptions) -> Vec:
    """A family of `n` symbols `name1 … namen`.

    >>> symbols_vec("p", 2, positive=True)
    Vec(p1, p2)
    """
    return Vec(sp.symbols(f"{name}1:{n + 1}", **assumptions))


IV = type(mpmath.iv.mpf(1))
MP = type(mpmath.mp.mpf(1))
MPC = type(mpmath.mp.mpc(1))


def kind(value) -> str:
    """'sympy', 'iv', 'mp', 'array' or 'float': which arithmetic a value wants."""
    if isinstance(value, (Vec, list, tuple, Mat, Family)):
        kinds = {kind(v) for v in (value.members.values() if isinstance(value, Family) else value)}
        return next((k for k in ("sympy", "iv", "mp", "array") if k in kinds), "float")
    if isinstance(value, (sp.Basic, sp.MatrixBase)):
        return "sympy"
    if isinstance(value, IV):
        return "iv"
    if isinstance(value, (MP, MPC)):
        return "mp"
    return "array" if hasattr(value, "ndim") and hasattr(value, "shape") else "float"


def is_function(v) -> bool:
    return callable(v) and not isinstance(v, (sp.Basic, sp.MatrixBase)) or isinstance(v, sp.FunctionClass)


def is_family(v) -> bool:
    return isinstance(v, (tuple, list, sp.IndexedBase)) or getattr(v, "ndim", 0) == 1


def is_matrix(v) -> bool:
    return isinstance(v, (sp.MatrixBase, sp.MatrixExpr, Mat, Abstract)) or getattr(v, "ndim", 0) >= 2


def single(v):
    """The entry of a 1×1 matrix, which is a number wherever one is asked for."""
    return v.rows[0][0] if isinstance(v, Mat) and v.shape == (1, 1) else v


def plus(a, b):
    if isinstance(a, Identity) or isinstance(b, Identity):
        return a.plus(b) if isinstance(a, Identity) else b.plus(a)
    return a + b


def times(a, b):
    if isinstance(a, Identity) or isinstance(b, Identity):
        return a.times(b) if isinstance(a, Identity) else b.times(a)
    if isinstance(a, (Mat, Abstract)) or isinstance(b, (Mat, Abstract)):
        return a * b
    if is_matrix(a) and isinstance(b, Vec) or is_matrix(b) and isinstance(a, Vec):
        raise ValueError("a family does not multiply a matrix: bind a column, a Matrix or an array of shape (n, 1)")
    if is_matrix(a) and is_matrix(b):
        if isinstance(a, (sp.MatrixBase, sp.MatrixExpr)):
            return squeeze(a * b)
        return squeeze(a @ b)
    if is_matrix(a) and getattr(b, "ndim", 0) == 1 or is_matrix(b) and getattr(a, "ndim", 0) == 1:
        return a @ b
    return a * b


def squeeze(v):
    """A 1×1 product is a number."""
    if isinstance(v, sp.MatrixBase) and v.shape == (1, 1):
        return v[0, 0]
    if getattr(v, "ndim", 0) == 2 and tuple(v.shape) == (1, 1):
        return v[0, 0]
    return v


def divide(a, b):
    b = single(b)
    if isinstance(a, int) and isinstance(b, int):
        return Fraction(a, b)
    if isinstance(a, Fraction) or isinstance(b, Fraction):
        other = b if isinstance(a, Fraction) else a
        if kind(other) in ("float", "array") and not isinstance(other, (int, Fraction)):
            a, b = (float(x) if isinstance(x, Fraction) else x for x in (a, b))
    if is_matrix(b):
        raise ValueError("a matrix stands in a denominator")
    return a / b


def power(a, n):
    n = single(n)
    if isinstance(a, (Abstract, Identity)):
        return a**n
    if isinstance(a, Mat) and not (a.shape == (1, 1) and not isinstance(n, int)):
        return a**n
    a = single(a)
    if is_matrix(a) and not isinstance(a, sp.MatrixExpr):
        if not isinstance(n, (int, sp.Integer)):
            raise ValueError("a matrix needs a whole power")
        n = int(n)
        if isinstance(a, sp.MatrixBase):
            return a**n
        return _module(a).linalg.matrix_power(a, n)
    if isinstance(a, int) and isinstance(n, int):
        return a**n if n >= 0 else Fraction(1, a**-n)
    if isinstance(n, Fraction) and kind(a) in ("float", "array"):
        n = float(n)
    if kind(n) == "sympy" and kind(a) == "float":
        a = sp.sympify(a)
    return a**n


def _module(v):
    """The library a tensor or array comes from (`numpy` or `torch`), already imported by whoever made it."""
    import sys

    return sys.modules[type(v).__module__.split(".")[0]]


ELEMENTARY = set("log exp sin cos tan cot sinh cosh tanh arccos arcsin arctan".split())


def factorial(n):
    if isinstance(n, (int, sp.Basic)):
        return sp.factorial(n) if isinstance(n, sp.Basic) else math.factorial(n)
    return mpmath.factorial(n)


def binomial(n, k):
    if isinstance(n, sp.Basic) or isinstance(k, sp.Basic):
        return sp.binomial(n, k)
    return math.comb(n, k) if isinstance(n, int) and isinstance(k, int) and n >= k >= 0 else mpmath.binomial(n, k)


_SYMPY = {"ceil": "ceiling", "Re": "re", "Im": "im"}
_MPMATH = {"Re": "re", "Im": "im", "Ci": "ci"}
_NAMES = {"arccos": "acos", "arcsin": "asin", "arctan": "atan"}


def function(name: str, args: list):
    """Apply a named function to values of any kind, elementwise on families and arrays."""
    args = [single(a) for a in args] if name not in ("tr", "det") else args
    x = args[0]
    if name in ("max", "min"):
        return _extremum(name, args)
    if name in ("det", "tr"):
        return _of_matrix(name, x)
    if isinstance(x, (Mat, Family, Abstract)) or (is_matrix(x) and name in ELEMENTARY):
        raise ValueError(f"{name} of a matrix, or of each entry? write the entries: {name}(A_{{ij}})")
    if kind(x) == "mp" and name == "sign":
        return mpmath.sign(x)
    if isinstance(x, Vec):
        return Vec(function(name, [v, *args[1:]]) for v in x)
    k = kind(x)
    if k == "sympy":
        if name == "sign":
            return sp.sign(x)
        return getattr(sp, _SYMPY.get(name, _NAMES.get(name, name)))(x)
    if k == "array":
        lib = _module(x)
        if hasattr(lib, name):
            return getattr(lib, name)(x)
        if name in ("Re", "Im"):
            return x.real if name == "Re" else x.imag
        if name == "erf" and hasattr(lib, "special"):
            return lib.special.erf(x)
        from scipy import special

        return special.sici(x)[1] if name == "Ci" else getattr(special, name)(x)
    if k == "iv":
        return getattr(mpmath.iv, _NAMES.get(name, name))(x)
    if k == "mp":
        return getattr(mpmath.mp, _MPMATH.get(name, _NAMES.get(name, name)))(x)
    if isinstance(x, (int, Fraction)) and name in (
        "log",
        "exp",
        "sin",
        "cos",
        "tan",
        "cosh",
        "sinh",
        "tanh",
        "arccos",
        "arcsin",
        "arctan",
    ):
        return getattr(sp, _NAMES.get(name, name))(sp.Rational(x))
    if name == "sign":
        return (x > 0) - (x < 0)
    return getattr(math, _NAMES.get(name, name))(x)


def _extremum(name, args):
    if any(isinstance(a, (Mat, Family)) for a in args):
        raise ValueError(f"{name} of a vector: write the index, \\{name}_i x_i")
    items = list(args[0]) if len(args) == 1 and isinstance(args[0], (Vec, list)) else args
    if len(args) == 1 and hasattr(args[0], "ndim"):
        return getattr(args[0], name)()
    if len(args) > 1 and any(isinstance(a, Vec) or getattr(a, "ndim", 0) for a in args):
        raise ValueError(f"{name} of families is taken member by member: write the index")
    if any(kind(v) == "sympy" for v in items):
        return (sp.Max if name == "max" else sp.Min)(*items)
    return (max if name == "max" else min)(items)


def _of_matrix(name, x):
    if isinstance(x, Abstract) and name == "det":
        raise ValueError("the determinant of a matrix of any size is not in the dialect: argue it, or fix the size")
    if isinstance(x, (Mat, Abstract)):
        return x.det() if name == "det" else x.trace()
    if isinstance(x, sp.MatrixBase):
        return x.det() if name == "det" else x.trace()
    if name == "det":
        return _module(x).linalg.det(x)
    return x.trace()


def absolute(x):
    x = single(x)
    if isinstance(x, (Mat, Family)) or is_matrix(x):
        raise ValueError("bars round a vector or a matrix: write \\|x\\| for a norm, \\det for a determinant")
    if isinstance(x, Vec):
        return Vec(absolute(v) for v in x)
    return abs(x)


def root(x, n):
    x = single(x)
    if isinstance(x, Vec):
        return Vec(root(v, n) for v in x)
    k = kind(x)
    if k == "sympy" or (k == "float" and isinstance(x, (int, Fraction))):
        return (
            sp.root(sp.sympify(x), n)
            if not isinstance(x, Fraction)
            else sp.root(sp.Rational(x.numerator, x.denominator), n)
        )
    if k == "iv":
        return mpmath.iv.sqrt(x) if n == 2 else mpmath.iv.exp(mpmath.iv.log(x) / int(n))
    if n != int(n):
        raise ValueError("a root has a whole index; write a power")
    if k == "mp":
        return mpmath.mp.root(x, int(n)) if n != 2 else mpmath.mp.sqrt(x)
    if k == "float" and x < 0:
        raise ValueError("a root of a negative number")
    return x ** (1 / int(n)) if n != 2 else x**0.5


def scalars(v) -> list:
    """All numbers of a value, in order."""
    if isinstance(v, Identity):
        raise NoNumbers("I stands alone: nothing says how large it is")
    if isinstance(v, Family):
        raise NoNumbers(f"{v.name} is a family: write its index, or declare a vector")
    if isinstance(v, Mat):
        return list(v)
    if isinstance(v, (Vec, list, tuple)):
        return [s for item in v for s in scalars(item)]
    if isinstance(v, sp.MatrixBase):
        return list(v)
    if kind(v) == "array":
        flat = v.reshape(-1)
        return flat.tolist()
    return [v]


def norm(x, which: str):
    which = which.replace("{", "").replace("}", "")
    if isinstance(x, Abstract):
        if which == "F" or (x.shape[1] == 1 and which in ("", "2")):
            return sp.sqrt((x.T * x).trace() if x.shape[1] != 1 else (x.T * x))
        raise ValueError(f"the norm \\|.\\|_{which} of a matrix of any size is not in the dialect")
    if isinstance(x, Mat) and min(x.shape) > 1 and which != "F":
        if which in ("", "2"):
            return root(_largest(x.T * x), 2)
        raise ValueError(f"the norm \\|.\\|_{which} of a matrix is not in the dialect")
    if is_matrix(x) and kind(x) == "array" and min(x.shape) > 1:
        if which in ("", "2"):
            return _module(x).linalg.norm(x, 2)
        if which == "F":
            return (x * x).sum() ** 0.5
        raise ValueError(f"the norm \\|.\\|_{which} of a matrix is not in the dialect; bind it as an atom")
    if isinstance(x, sp.MatrixBase) and min(x.shape) > 1 and which in ("", "2"):
        gram = x.T * x
        return sp.sqrt(sp.Max(*gram.eigenvals()))
    items = scalars(x)
    if which in ("", "2", "F"):
        return root(_total([s * s for s in items]), 2)
    if which == "1":
        return _total([abs(s) for s in items])
    if which in (r"\infty", "infty"):
        return _extremum("max", [abs(s) for s in items])
    raise ValueError(f"the norm \\|.\\|_{which} is not in the dialect; bind it as an atom")


def _largest(gram: Mat):
    """The largest eigenvalue of a positive semidefinite matrix."""
    values = mpmath.eigsy(mpmath.matrix([list(map(mpmath.mpf, r)) for r in gram.rows]), eigvals_only=True)
    return max(max(values), mpmath.mpf(0))


def _total(items):
    total = items[0]
    for s in items[1:]:
        total = total + s
    return total


def inner(a, b):
    if isinstance(a, Abstract):
        return a.T * b
    return _total([x * y for x, y in zip(scalars(a), scalars(b), strict=True)])


def transpose(a):
    if isinstance(a, (Mat, Abstract, Identity)):
        return a.T
    if isinstance(a, (sp.MatrixBase, sp.MatrixExpr)):
        return a.T
    if kind(a) == "array":
        if a.ndim < 2:
            raise ValueError("a transposed value must be bound as a column of shape (n, 1) or as a matrix")
        return a.T if a.ndim == 2 else a.swapaxes(-1, -2)
    if isinstance(a, Vec):
        raise ValueError("a family has no transpose; bind a SymPy Matrix or a column of shape (n, 1)")
    return a
