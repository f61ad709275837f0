"""Vectors and matrices of numbers, on any arithmetic: what a declared `W \\in \\mathbb R^{m \\times n}` is drawn as."""

from __future__ import annotations

from collections.abc import Iterable

import mpmath


class Abstract:
    """A matrix or vector of symbolic size; `Words` is one. It brings its own arithmetic."""


class Mat:
    """A matrix of at least one row and column; a vector is a matrix of one column.

    >>> A = Mat([[1, 2], [3, 4]])
    >>> A * Mat([[1], [1]])
    Mat([[3], [7]])
    >>> A.T.shape, A.trace(), A.det()
    ((2, 2), 5, -2)
    """

    def __init__(self, rows: Iterable[Iterable]):
        self.rows = tuple(tuple(r) for r in rows)
        if not self.rows or len({len(r) for r in self.rows}) != 1 or not self.rows[0]:
            raise ValueError("a matrix has rows of one length")

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0])

    def __repr__(self):
        return f"Mat({[list(r) for r in self.rows]})"

    def __iter__(self):
        return (v for r in self.rows for v in r)

    def __len__(self):
        return len(self.rows) * len(self.rows[0])

    def entry(self, *where: int):
        """`entry(i)` of a vector, `entry(i, j)` of a matrix; the first is 1.

        Raises:
            IndexError: there is no such entry.
        """
        if len(where) == 1 and self.shape[1] == 1:
            where = (*where, 1)
        if len(where) != 2:
            raise IndexError(f"an entry of a matrix of shape {self.shape} has two indices, got {where}")
        if any(not 1 <= k <= size for k, size in zip(where, self.shape, strict=True)):
            raise IndexError(f"there is no entry {where} in a matrix of shape {self.shape}")
        return self.rows[where[0] - 1][where[1] - 1]

    def map(self, f) -> Mat:
        return Mat([[f(v) for v in r] for r in self.rows])

    def _plus(self, other, op) -> Mat:
        if not isinstance(other, Mat) and self.shape == (1, 1):
            return Mat([[op(self.rows[0][0], other)]])
        if not isinstance(other, Mat):
            raise TypeError("a matrix and a number do not add: write c I for the number")
        if other.shape != self.shape:
            raise ValueError(f"shapes {self.shape} and {other.shape} do not add")
        return Mat([[op(a, b) for a, b in zip(r, s, strict=True)] for r, s in zip(self.rows, other.rows, strict=True)])

    def __add__(self, other):
        return self._plus(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._plus(other, lambda a, b: a - b)

    def __radd__(self, other):
        return self._plus(other, lambda a, b: b + a)

    def __rsub__(self, other):
        return self._plus(other, lambda a, b: b - a)

    def __neg__(self):
        return self.map(lambda v: -v)

    def __mul__(self, other):
        if not isinstance(other, Mat):
            return self.map(lambda v: v * other)
        if self.shape == (1, 1) != other.shape and other.shape[0] != 1:
            return other.map(lambda v: self.rows[0][0] * v)
        if other.shape == (1, 1) and self.shape[1] != 1:
            return self.map(lambda v: v * other.rows[0][0])
        if self.shape[1] != other.shape[0]:
            raise ValueError(f"shapes {self.shape} and {other.shape} do not multiply")
        columns = list(zip(*other.rows, strict=True))
        return Mat([[_dot(r, c) for c in columns] for r in self.rows])

    def __rmul__(self, other):
        return self.map(lambda v: other * v)

    def __truediv__(self, other):
        if isinstance(other, Mat) and other.shape == (1, 1):
            other = other.rows[0][0]
        if isinstance(other, Mat):
            raise ValueError("a matrix stands in a denominator: write its inverse on the side that is meant")
        return self.map(lambda v: v / other)

    def __pow__(self, n: int):
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"a matrix of shape {self.shape} has no power")
        if n != int(n):
            raise ValueError("a matrix has whole powers only")
        base, out = (self.inv() if n < 0 else self), identity(len(self.rows))
        for _ in range(abs(int(n))):
            out = out * base
        return out

    @property
    def T(self) -> Mat:
        return Mat(zip(*self.rows, strict=True))

    def trace(self):
        self._square("trace")
        total = self.rows[0][0]
        for k in range(1, len(self.rows)):
            total = total + self.rows[k][k]
        return total

    def det(self):
        self._square("determinant")
        if len(self.rows) > 3 and all(isinstance(v, (int, mpmath.mpf, mpmath.mpc)) for r in self.rows for v in r):
            return mpmath.det(mpmath.matrix(self.rows))
        return _minor(self.rows)

    def inv(self) -> Mat:
        """Gauss-Jordan with row exchanges.

        Raises:
            ZeroDivisionError: the matrix is singular.
        """
        self._square("inverse")
        n = len(self.rows)
        work = [[*r, *one] for r, one in zip(self.rows, identity(n).rows, strict=True)]
        for k in range(n):
            pivot = max(range(k, n), key=lambda j: abs(work[j][k]))
            if work[pivot][k] == 0:
                raise ZeroDivisionError("a singular matrix has no inverse")
            work[k], work[pivot] = work[pivot], work[k]
            head = work[k][k]
            work[k] = [v / head for v in work[k]]
            for j in range(n):
                if j != k:
                    factor = work[j][k]
                    work[j] = [a - factor * b for a, b in zip(work[j], work[k], strict=True)]
        return Mat([r[n:] for r in work])

    def _square(self, what: str) -> None:
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"a matrix of shape {self.shape} has no {what}")


class Identity:
    """The identity `I`, or a multiple of it: as large as what it meets."""

    def __init__(self, factor=1):
        self.factor = factor

    def like(self, other):
        """Itself in the size of a square matrix, whatever that is made of.

        Raises:
            ValueError: the other is not square.
        """
        rows, columns = other.shape
        if rows != columns:
            raise ValueError(f"I does not meet a matrix of shape {other.shape}")
        if isinstance(other, Mat):
            return identity(rows).map(lambda v: v * self.factor)
        return other.eye(rows) * self.factor

    def times(self, other):
        if isinstance(other, Identity):
            return Identity(self.factor * other.factor)
        return other * self.factor if hasattr(other, "shape") else Identity(self.factor * other)

    def plus(self, other):
        if isinstance(other, Identity):
            return Identity(self.factor + other.factor)
        if not hasattr(other, "shape"):
            raise TypeError("a matrix and a number do not add: write c I for the number")
        return self.like(other) + other

    def __neg__(self):
        return Identity(-self.factor)

    def __pow__(self, n):
        return Identity(self.factor**n)

    @property
    def T(self) -> Identity:
        return self


def identity(n: int) -> Mat:
    return Mat([[int(i == j) for j in range(n)] for i in range(n)])


def column(values: Iterable) -> Mat:
    return Mat([[v] for v in values])


def _dot(a, b):
    total = a[0] * b[0]
    for x, y in zip(a[1:], b[1:], strict=True):
        total = total + x * y
    return total


def _minor(rows):
    if len(rows) == 1:
        return rows[0][0]
    total = 0
    for k, head in enumerate(rows[0]):
        rest = _minor([[v for j, v in enumerate(r) if j != k] for r in rows[1:]])
        total = total + (head * rest if k % 2 == 0 else -(head * rest))
    return total
