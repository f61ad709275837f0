"""Lazy names for packages: `import spaces_core` stays free of torch."""

from importlib import import_module


def attach(package: str, names: dict[str, str]):
    """Return `(__getattr__, __dir__, __all__)` that load each name from its module on first use.

    >>> getattr_, dir_, all_ = attach("collections", {"abc_": "abc"})
    >>> all_
    ['abc_']
    """

    def __getattr__(name):
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {', '.join(sorted(names))}")
        return getattr(import_module(f"{package}.{names[name]}"), name)

    def __dir__():
        return sorted(names)

    return __getattr__, __dir__, sorted(names)
