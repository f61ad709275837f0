"""Rows of the benchmark: 512 learned positions extended, beside the published form computed at each call."""

import importlib.util

import torch

from spaces_core.attention import extend_table, hierarchical_lookup


def published(table, positions, alpha):
    """Two rows of a second table, weighted, as bert4keras writes it."""
    u = (table - alpha * table[:1]) / (1 - alpha)
    n = len(table)
    return alpha * u[positions // n] + (1 - alpha) * u[positions % n]


def gap(ours, peer):
    return float((ours - peer).abs().max() / peer.abs().max())


def rows(device="cpu", small=False):
    n, dim, length, alpha = 512, 64 if small else 768, 1024 if small else 4096, 0.4
    table = 0.02 * torch.randn(n, dim, generator=torch.Generator().manual_seed(0)).to(device)
    positions = torch.arange(length, device=device)
    missing = {} if importlib.util.find_spec("bert4torch") else {"bert4torch": "bert4torch is not installed"}
    longer = extend_table(table, length, alpha)
    params = {"rows": n, "dimensions": dim, "positions": length, "alpha": alpha, "dtype": "float32"}
    yield {
        "name": f"Hierarchical positions: {n} rows to {length}",
        "method": "spaces_core.attention.extend_table",
        "ours": lambda: extend_table(table, length, alpha),
        "peers": {"the published form": lambda: published(table, positions, alpha), **missing},
        "agreement": gap,
        "params": params,
    }
    yield {
        "name": f"Hierarchical positions: embeddings of {length} positions at each call",
        "method": "nn.functional.embedding in the extended table",
        "ours": lambda: torch.nn.functional.embedding(positions, longer),
        "peers": {
            "the published form": lambda: published(table, positions, alpha),
            "ours, hierarchical_lookup": lambda: hierarchical_lookup(table, positions, alpha),
            **missing,
        },
        "agreement": gap,
        "params": params,
    }
