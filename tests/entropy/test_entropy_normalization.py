"""Laws, peers, traps and bad input of entropy_normalize."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from spaces_core.entropy import EntropyLogitsProcessor, entropy, entropy_normalize


def scores(seed, rows=5, n=40, scale=1.0, dtype=torch.float64):
    return scale * torch.randn(rows, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(2, 200),
    scale=st.floats(0.05, 50),
    where=st.floats(0.01, 0.99),
    logits=st.booleans(),
)
def test_the_law(seed, n, scale, where, logits):
    """The entropy is the target, the order is kept, the result is the stated power."""
    x = scores(seed, 3, n, scale)
    target = where * math.log(n)
    q, power = entropy_normalize(x if logits else x.softmax(-1), target, logits=logits, return_power=True)
    if x.softmax(-1).min() > 0 or logits:
        assert (entropy(q) - target).abs().max() < 1e-11
        assert (power > 0).all()
        assert torch.allclose(q, (power[:, None] * x).softmax(-1), rtol=1e-9, atol=1e-300)
        assert torch.equal(q.argmax(-1), x.argmax(-1))


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_single_precision_agrees_with_double(scale):
    x = scores(1, 50, 300, scale)
    for target in (0.5, 2.0, 5.0):
        single = entropy_normalize(x.float(), target, logits=True)
        double = entropy_normalize(x.float().double(), target, logits=True)
        assert single.dtype == torch.float32
        assert (entropy(single.double() / single.double().sum(-1, keepdim=True)) - target).abs().max() < 1e-5
        assert (single.double() - double).abs().max() < 1e-5


def test_brentq_agrees():
    x = scores(2, 20, 60, 3.0)
    _, power = entropy_normalize(x, 2.0, logits=True, return_power=True)
    for row, gamma in zip(x, power, strict=True):

        def gap(g, row=row):
            return float(entropy((g * row).softmax(-1))) - 2.0

        assert brentq(gap, 1e-6, 1e4, xtol=1e-14) == pytest.approx(float(gamma), rel=1e-9)


def test_sklearn_perplexity_agrees():
    from sklearn.manifold._utils import _binary_search_perplexity

    points = np.random.default_rng(3).normal(size=(80, 5))
    d2 = ((points[:, None] - points[None]) ** 2).sum(-1).astype(np.float32)
    theirs = _binary_search_perplexity(d2, 20.0, 0)
    np.fill_diagonal(d2, np.inf)
    ours = entropy_normalize(-torch.tensor(d2).double(), math.log(20), logits=True)
    assert np.abs(ours.numpy() - theirs).max() < 1e-4
    assert float((entropy(ours) - math.log(20)).abs().max()) < 1e-12
    off = np.abs(-(theirs * np.log(np.where(theirs > 0, theirs, 1))).sum(1) - np.log(20))
    assert off.max() > 1e-7, "the peer stops at 1e-5; ours need not"


def test_torchdr_agrees():
    torchdr = pytest.importorskip("torchdr")
    points = torch.randn(60, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    affinity, _ = torchdr.EntropicAffinity(perplexity=15, max_iter=1000, sparsity=False)(points)
    d2 = torch.cdist(points, points) ** 2
    d2.fill_diagonal_(math.inf)
    ours = entropy_normalize(-d2, math.log(15), logits=True)
    assert torch.allclose(ours, affinity * len(points), atol=1e-5)


def test_gradients():
    x = scores(4, 3, 6).requires_grad_()
    target = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64, requires_grad=True)

    def solve(x, t):
        return entropy_normalize(x, t, logits=True, return_power=True)

    assert torch.autograd.gradcheck(solve, (x, target))
    assert torch.autograd.gradgradcheck(solve, (x, target))
    p = x.detach().softmax(-1).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: entropy_normalize(p / p.sum(-1, keepdim=True), 1.0), (p,))


def test_the_entropy_does_not_move_with_the_scores():
    """Along a perturbation the solution stays on the level set of the entropy."""
    x = scores(5, 1, 30).requires_grad_()
    (grad,) = torch.autograd.grad(entropy(entropy_normalize(x, 2.0, logits=True)).sum(), x)
    assert grad.abs().max() < 1e-12


def test_zeros_stay_zero_and_do_not_count():
    p = torch.tensor([0.5, 0.3, 0.2, 0.0, 0.0], dtype=torch.float64)
    q = entropy_normalize(p, 0.9)
    assert torch.equal(q == 0, p == 0)
    assert torch.allclose(q[:3], entropy_normalize(p[:3], 0.9))
    with pytest.raises(ValueError, match="3 that are not zero"):
        entropy_normalize(p, 1.2)


def test_ties_at_the_maximum_bound_the_entropy():
    p = torch.tensor([0.4, 0.4, 0.2], dtype=torch.float64)
    assert float(entropy(entropy_normalize(p, math.log(2) + 1e-6))) == pytest.approx(math.log(2) + 1e-6)
    with pytest.raises(ValueError, match="2 entries tied for the maximum"):
        entropy_normalize(p, 0.6)


def test_the_trap_of_plain_newton():
    """Where Newton's step from power 1 is negative, the bracket keeps the power positive."""
    p = torch.tensor([0.98, 0.015, 0.005], dtype=torch.float64)
    h, log = entropy(p), p.log()
    variance = (p * log**2).sum() - h**2
    assert float(1 + (0.9 - h) / -variance) < 0
    q, power = entropy_normalize(p, 0.9, return_power=True)
    assert power > 0 and q[0] > q[1] > q[2]
    assert float(entropy(q)) == pytest.approx(0.9, abs=1e-12)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
@pytest.mark.parametrize("target", [1e-6, math.log(50) - 1e-6])
def test_the_ends_of_the_range(scale, target):
    x = scores(6, 20, 50, scale)
    assert (entropy(entropy_normalize(x, target, logits=True)) - target).abs().max() < 1e-9


def test_dimension_batch_and_target_per_row():
    x = scores(7, 12, 7).reshape(3, 4, 7).movedim(-1, 1)
    target = torch.linspace(0.3, 1.8, 12, dtype=torch.float64).reshape(3, 4)
    q, power = entropy_normalize(x, target, dim=1, logits=True, return_power=True)
    assert q.shape == x.shape and power.shape == (3, 4)
    assert (entropy(q, dim=1) - target).abs().max() < 1e-11
    alone = entropy_normalize(x[1, :, 2], float(target[1, 2]), logits=True)
    assert torch.allclose(q[1, :, 2], alone, atol=1e-12), "a row does not depend on the others"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_solved_in_single(dtype):
    q = entropy_normalize(scores(8).to(dtype), 2.0, logits=True)
    assert q.dtype == dtype
    assert float((-(q.float() * q.float().log()).sum(-1) - 2.0).abs().max()) < 0.05


@pytest.mark.parametrize(
    ("p", "target", "said"),
    [
        ([0.7, 0.4, -0.1], 0.5, "must not be negative"),
        ([0.7, 0.4], 0.5, "sum to 1"),
        ([0.5, math.nan], 0.5, "NaN"),
        ([0.5, 0.3, 0.2], 1.5, "no power reaches"),
        ([0.5, 0.3, 0.2], -0.1, "no power reaches"),
        ([0.5, 0.5], 0.3, "tied"),
    ],
)
def test_bad_input(p, target, said):
    with pytest.raises(ValueError, match=said):
        entropy_normalize(torch.tensor(p, dtype=torch.float64), target)


def test_bad_scores_and_types():
    with pytest.raises(ValueError, match="plus infinity"):
        entropy_normalize(torch.tensor([0.0, math.inf]), 0.5, logits=True)
    with pytest.raises(ValueError, match="floating point"):
        entropy_normalize(torch.tensor([1, 0]), 0.5)
    with pytest.raises(ValueError, match="positive"):
        EntropyLogitsProcessor(0.0)


def test_logits_processor():
    x = scores(9, 6, 30, 2.0)
    x[3] = 0.0  # every entry tied: nothing to be done
    out = EntropyLogitsProcessor(1.0)(None, x)
    h = entropy(out.softmax(-1))
    assert (h[[0, 1, 2, 4, 5]] - 1.0).abs().max() < 1e-11
    assert torch.equal(out[3], x[3])
    lower = EntropyLogitsProcessor(2.0, at_most=True)(None, x)
    before = entropy(x.softmax(-1))
    below = before <= 2.0
    assert torch.equal(lower[below], x[below])
    can = ~below & (torch.arange(6) != 3)
    assert can.any() and (entropy(lower[can].softmax(-1)) - 2.0).abs().max() < 1e-11
