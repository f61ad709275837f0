"""Laws, peers, traps and bad input of spaces_core.entropy.entropy_normalization."""

import math

import jaxtyping
import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from torch.autograd import gradcheck, gradgradcheck

from spaces_core.entropy import EntropyLogitsProcessor, entropy, entropy_normalize

F64 = torch.float64
seeds = st.integers(0, 2**31)


def scores_of(seed, *shape, scale=2.0, dtype=F64):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64).to(dtype)


def exact(q):
    """Entropy in float64, whatever the dtype."""
    q = q.double()
    return -torch.xlogy(q, q).sum(-1)


# --- the law ------------------------------------------------------------------------------------
@given(seeds, st.integers(2, 300), st.floats(-3, 4), st.floats(0.001, 0.999))
def test_any_reachable_entropy_is_reached_and_the_order_is_kept(seed, n, log_scale, part):
    x = scores_of(seed, 4, n, scale=math.exp(log_scale))
    target = part * math.log(n)
    q, power = entropy_normalize(x, target, logits=True, return_power=True)
    assert torch.allclose(exact(q), torch.tensor(target, dtype=F64), rtol=0, atol=1e-11)
    assert (power > 0).all()
    assert torch.allclose(q.sum(-1), torch.ones(4, dtype=F64))
    ordered = q.gather(-1, x.argsort(-1))
    assert (ordered.diff(dim=-1) >= 0).all()


@given(seeds, st.integers(3, 50), st.floats(0.05, 5))
def test_the_power_that_made_a_distribution_is_undone(seed, n, power):
    p = scores_of(seed, n).softmax(-1)
    sharpened = p**power / (p**power).sum()
    back, found = entropy_normalize(sharpened, entropy(p), return_power=True)
    assert float(found) == pytest.approx(1 / power, rel=1e-6)
    assert torch.allclose(back, p, atol=1e-8)


@given(seeds, st.floats(0.1, 0.9))
def test_more_entropy_means_a_smaller_power(seed, part):
    x = scores_of(seed, 20)
    targets = torch.linspace(0.05, 0.95, 7, dtype=F64) * math.log(20)
    _, powers = entropy_normalize(x.expand(7, 20), targets, logits=True, return_power=True)
    assert (powers.diff() < 0).all()
    _, power = entropy_normalize(x + 7, part * math.log(20), logits=True, return_power=True)
    _, doubled = entropy_normalize(2 * x, part * math.log(20), logits=True, return_power=True)
    assert float(doubled) == pytest.approx(float(power) / 2, rel=1e-9)


def test_probabilities_and_scores_are_the_same_problem():
    p = scores_of(0, 5, 30).softmax(-1)
    for x, logits in ((p, False), (p.log(), True), (p.log() + 3, True)):
        assert torch.allclose(entropy_normalize(x, 1.5, logits=logits), entropy_normalize(p, 1.5), atol=1e-12)


def test_every_axis_and_every_shape_of_target():
    p = scores_of(1, 3, 40, 5).softmax(1)
    target = torch.linspace(0.5, 3, 15, dtype=F64).reshape(3, 5)
    q, power = entropy_normalize(p, target, dim=1, return_power=True)
    assert q.shape == p.shape and power.shape == (3, 5)
    assert torch.allclose(entropy(q, dim=1), target, atol=1e-12)
    by_row = entropy_normalize(p, target[:1], dim=1)
    assert torch.allclose(entropy(by_row, dim=1), target[:1].expand(3, 5), atol=1e-12)
    assert entropy_normalize(p[0, :, 0], 1.0).shape == (40,)
    assert entropy_normalize(torch.empty(0, 4), 1.0).shape == (0, 4)


def test_a_row_does_not_depend_on_its_batch():
    x = scores_of(2, 700, 400, dtype=torch.float32)  # more than one block
    whole = entropy_normalize(x, 2.0, logits=True)
    for k in (0, 350, 699):
        assert torch.allclose(whole[k], entropy_normalize(x[k], 2.0, logits=True), atol=1e-6)


# --- derivatives --------------------------------------------------------------------------------
@pytest.mark.parametrize("logits", [True, False])
def test_derivatives_of_first_and_second_order(logits):
    x = scores_of(3, 3, 5)
    x = (x if logits else x.softmax(-1)).requires_grad_()
    target = torch.tensor([0.4, 0.9, 1.4], dtype=F64, requires_grad=True)

    def solve(a, t):
        a = a if logits else a / a.sum(-1, keepdim=True)  # a finite difference must stay normalised
        return entropy_normalize(a, t, logits=logits, return_power=True)

    assert gradcheck(solve, (x, target))
    assert gradgradcheck(solve, (x, target))


def test_derivative_of_the_power_is_that_of_the_implicit_function():
    x = scores_of(4, 6)
    target = torch.tensor(1.2, dtype=F64, requires_grad=True)
    q, power = entropy_normalize(x, target, logits=True, return_power=True)
    (slope,) = torch.autograd.grad(power, target)
    q, power = q.detach(), power.detach()
    log_p = x.log_softmax(-1)
    variance = (q * log_p**2).sum() - (q * log_p).sum() ** 2
    assert float(slope) == pytest.approx(float(-1 / (power * variance)), rel=1e-10)


def test_derivatives_with_zeros_are_finite():
    x = scores_of(5, 2, 6)
    x[:, 2] = -math.inf
    x.requires_grad_()
    q = entropy_normalize(x, 1.0, logits=True)
    (grad,) = torch.autograd.grad((q * torch.arange(6.0)).sum(), x)
    assert torch.isfinite(grad).all() and (grad[:, 2] == 0).all()


# --- peers --------------------------------------------------------------------------------------
def by_brentq(x, target):
    def gap(log_power):
        z = math.exp(log_power) * x
        z = z - z.max()
        w = np.exp(z)
        return math.log(w.sum()) - (w * z).sum() / w.sum() - target

    return math.exp(brentq(gap, -20, 20, xtol=1e-14, rtol=1e-14))


def test_agrees_with_brentq():
    x = scores_of(6, 20, 50)
    _, power = entropy_normalize(x, 2.5, logits=True, return_power=True)
    peer = [by_brentq(row.numpy(), 2.5) for row in x]
    np.testing.assert_allclose(power.numpy(), peer, rtol=1e-10)


def test_agrees_with_the_perplexity_search_of_scikit_learn():
    search = pytest.importorskip("sklearn.manifold._utils")._binary_search_perplexity
    d = scores_of(7, 60, 40).abs().float()
    peer = search(d.numpy(), 12.0, 0)
    ours = entropy_normalize(-d.double(), math.log(12), logits=True).numpy()
    np.testing.assert_allclose(ours, peer, atol=1e-5)
    assert float((exact(torch.tensor(ours)) - math.log(12)).abs().max()) < 1e-12
    assert float((exact(torch.tensor(peer)) - math.log(12)).abs().max()) > 1e-7  # its tolerance is 1e-5


def test_agrees_with_the_root_search_of_torchdr():
    pytest.importorskip("torchdr")
    from tests.benchmarks.entropy.entropy_normalization import by_torchdr

    d = scores_of(17, 60, 59).abs()
    peer = by_torchdr(d, 2.5)
    assert torch.allclose(entropy_normalize(-d, 2.5, logits=True), peer, atol=1e-4)
    assert float((exact(peer) - 2.5).abs().max()) < 1e-4


# --- traps --------------------------------------------------------------------------------------
def test_order_is_kept_where_plain_newton_turns_it_round():
    p = torch.tensor([0.97, 0.02, 0.01], dtype=F64)
    target = 0.88
    h, power, r = float(entropy(p)), 1.0, p
    for _ in range(12):
        log_r = r.log()
        h = float(-(r * log_r).sum())
        step = 1 + (target - h) / (h * h - float((r * log_r**2).sum()))
        power *= step
        r = (step * log_r).softmax(-1)
    assert power < 0 and h == pytest.approx(target, abs=1e-12)  # zero error, wrong order
    q, found = entropy_normalize(p, target, return_power=True)
    assert found > 0 and q.argsort().tolist() == p.argsort().tolist()
    assert float(entropy(q)) == pytest.approx(target, abs=1e-12)


def test_a_spread_at_which_newton_fails_is_solved():
    """A hundred scores of spread 6: the post's iteration fails on most rows; every power here is positive."""
    x = scores_of(16, 24, 100, scale=6.0)
    target = torch.linspace(0.3, 4.3, 24, dtype=F64)
    total, log_q = torch.ones(24, 1, dtype=F64), x.log_softmax(-1)
    for _ in range(50):
        q = log_q.exp()
        h, second = exact(q), torch.where(q > 0, q * log_q**2, 0).sum(-1)
        step = (1 + (target - h) / (h * h - second))[:, None]
        total, log_q = total * step, (step * log_q).log_softmax(-1)
    right = (exact(log_q.exp()) - target).abs().lt(1e-9) & (total[:, 0] > 0)
    assert 0 < int(right.sum()) < 24
    q, power = entropy_normalize(x, target, logits=True, return_power=True)
    assert (power > 0).all() and torch.allclose(exact(q), target, rtol=0, atol=1e-11)
    assert torch.allclose(power[right], total[right, 0], rtol=1e-6)


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_a_uniform_row_has_one_entropy_and_no_slope_to_divide_by(n, dtype):
    for target in (0.5 * math.log(n), math.log(n), 2 * math.log(n) + 0.1):
        for p, logits in ((torch.full((n,), 1 / n, dtype=dtype), False), (torch.full((n,), -3.0, dtype=dtype), True)):
            with pytest.raises(ValueError, match=f"{n} entries tied for the maximum and {n} that are not zero"):
                entropy_normalize(p, target, logits=logits)


def test_a_power_that_underflows_every_probability():
    """Two nearly equal maxima take a power of 10^9, at which p ** power is 0 / 0; the search stays with logarithms."""
    p = torch.tensor([0.5 + 1e-9, 0.5 - 1e-9], dtype=F64)
    q, power = entropy_normalize(p, 0.1, return_power=True)
    assert float(power) > 1e8 and (p**power).sum() == 0
    assert float(exact(q)) == pytest.approx(0.1, abs=1e-6)  # the scores are known to 1e-16, their difference to 1e-7


def test_the_smallest_numbers_are_no_zeros():
    p = torch.tensor([1.0, 1e-300, 1e-310], dtype=F64)
    q, power = entropy_normalize(p, 1.0, return_power=True)
    assert 0 < float(power) < 1e-2 and (q > 0).all() and float(exact(q)) == pytest.approx(1.0, abs=1e-12)


def test_zeros_stay_zero_and_are_not_counted():
    p = torch.tensor([[0.5, 0.3, 0.2, 0.0], [0.1, 0.2, 0.3, 0.4]], dtype=F64)
    q = entropy_normalize(p, 1.0)
    assert q[0, 3] == 0 and torch.allclose(exact(q), torch.ones(2, dtype=F64))
    with pytest.raises(ValueError, match=r"row 0.*3 that are not zero.*1\.09861"):
        entropy_normalize(p, 1.2)
    assert torch.allclose(q, entropy_normalize(p.log(), 1.0, logits=True))


def test_ties_at_the_maximum_bound_the_entropy_from_below():
    p = torch.tensor([0.4, 0.4, 0.2], dtype=F64)
    with pytest.raises(ValueError, match=r"2 entries tied.*0\.693147"):
        entropy_normalize(p, math.log(2))
    q = entropy_normalize(p, math.log(2) + 1e-6)
    assert float(exact(q)) == pytest.approx(math.log(2) + 1e-6, abs=1e-12)


@pytest.mark.parametrize("room", [1e-3, 1e-6, 1e-9])
def test_targets_next_to_both_ends(room):
    x = scores_of(8, 10, 100)
    for target in (math.log(100) - room, room):
        assert torch.allclose(
            exact(entropy_normalize(x, target, logits=True)), torch.tensor(target, dtype=F64), atol=1e-12
        )


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e3, 1e8])
def test_scores_of_any_scale(scale):
    x = scores_of(9, 10, 100, scale=scale)
    q, power = entropy_normalize(x, 2.0, logits=True, return_power=True)
    assert torch.allclose(exact(q), torch.tensor(2.0, dtype=F64), atol=1e-9 if scale == 1e8 else 1e-11)
    assert torch.isfinite(power).all()


@pytest.mark.parametrize("scale, target", [(2, 3.0), (2, 6.0), (10, 1.0), (1, 6.9), (50, 0.1)])
@pytest.mark.parametrize("dtype, tol", [(torch.float32, 3e-6), (F64, 1e-11)])
def test_a_dozen_evaluations_are_enough(scale, target, dtype, tol):
    """A row whose Newton step no longer moves it has converged; it must not be thrown to the middle of its bracket."""
    x = scores_of(10, 300, 1000, scale=scale, dtype=dtype)
    z, power = entropy_normalize(x, target, logits=True, return_power=True, max_iter=12)
    assert float((exact(z) - target).abs().max()) < tol


def test_a_shelf_between_two_scales():
    """Two clusters far apart: the entropy is flat between them, and Newton's step is useless there."""
    x = torch.tensor([[0.0, -1e-4, -2e-4, -30.0, -31.0, -32.0]], dtype=F64)
    for target in (1.098, 1.0987, 1.1, 1.7, 0.2):
        assert float(exact(entropy_normalize(x, target, logits=True))) == pytest.approx(target, abs=1e-11)


# --- dtypes and devices -------------------------------------------------------------------------
def test_float32_agrees_with_float64():
    x = scores_of(11, 200, 500, dtype=torch.float32)
    low, high = (entropy_normalize(v, 3.0, logits=True) for v in (x, x.double()))
    assert low.dtype == torch.float32
    assert float((low - high).abs().max()) < 2e-6
    assert float((exact(low) - 3).abs().max()) < 3e-6


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_kept_and_solved_in_single(dtype):
    x = scores_of(12, 4, 50, dtype=dtype)
    q = entropy_normalize(x, 2.0, logits=True)
    assert q.dtype == dtype
    assert float((exact(q) - 2).abs().max()) < 0.03
    assert entropy_normalize(x.softmax(-1), 2.0).dtype == dtype


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_the_same_on_a_gpu():
    x = scores_of(13, 100, 300)
    q = entropy_normalize(x.cuda(), 2.0, logits=True)
    assert q.is_cuda and torch.allclose(q.cpu(), entropy_normalize(x, 2.0, logits=True), atol=1e-10)


@pytest.mark.parametrize("function", [entropy, entropy_normalize])
def test_shapes_are_those_of_the_signature(function):
    checked = jaxtyping.jaxtyped(function, typechecker=beartype)
    args = (torch.tensor([[0.5, 0.3, 0.2]]),) + ((1.0,) if function is entropy_normalize else ())
    checked(*args)
    with pytest.raises(jaxtyping.TypeCheckError):
        checked("no tensor", *args[1:])


# --- sampling -----------------------------------------------------------------------------------
def test_logits_processor_sets_the_entropy_where_it_can():
    scores = scores_of(14, 6, 40, dtype=torch.float32)
    scores[0, :] = 0.0  # uniform: no power changes it
    scores[1, 5:] = -math.inf
    before = scores.clone()
    out = EntropyLogitsProcessor(1.5)(None, scores)
    h = exact(out.softmax(-1))
    assert torch.equal(out[0], scores[0]) and torch.equal(scores, before)
    assert torch.allclose(h[1:], torch.full((5,), 1.5, dtype=F64), atol=1e-5)
    assert (out[1, 5:] == -math.inf).all()


def test_logits_processor_can_only_sharpen():
    scores = scores_of(15, 50, 40) * torch.linspace(0.1, 3, 50, dtype=F64)[:, None]
    h = exact(scores.softmax(-1))
    after = exact(EntropyLogitsProcessor(2.0, at_most=True)(None, scores).softmax(-1))
    assert (h > 2).any() and (h < 2).any()
    assert torch.allclose(after, h.clamp(max=2), atol=1e-9)


# --- masks and offsets --------------------------------------------------------------------------
@pytest.mark.parametrize("dtype, tol", [(torch.float32, 3e-6), (F64, 1e-11)])
@pytest.mark.parametrize("mask", [-1e4, -1e20, "least"])
@pytest.mark.parametrize("target", [2.0, 3.3, 3.45, 3.7])
def test_finite_mask_values_are_solved(dtype, tol, mask, target):
    """Targets below and above log 30, the largest entropy of the 30 entries that are not masked."""
    x = scores_of(30, 6, 50, scale=1.0, dtype=dtype)
    x[:, 30:] = torch.finfo(dtype).min if mask == "least" else mask
    q, power = entropy_normalize(x, target, logits=True, return_power=True)
    assert torch.isfinite(q).all() and (power > 0).all()
    assert float((exact(q) - target).abs().max()) < tol
    assert torch.allclose(entropy_normalize(x.clone().requires_grad_(), target, logits=True).detach(), q, atol=1e-5)
    assert float((exact(EntropyLogitsProcessor(target)(None, x).softmax(-1)) - target).abs().max()) < 1e-5
    if target < math.log(30):
        hidden = x.masked_fill(torch.arange(50) >= 30, -math.inf)
        assert torch.allclose(entropy_normalize(hidden, target, logits=True), q, atol=1e-5)


@pytest.mark.parametrize("mask", [-1e20, torch.finfo(torch.float32).min])
def test_gradients_beside_finite_mask_values(mask):
    x = scores_of(31, 4, 50, scale=1.0, dtype=torch.float32)
    x[:, 30:] = mask
    hidden = x.masked_fill(torch.arange(50) >= 30, -math.inf)
    grads = []
    for v in (x, hidden):
        q = entropy_normalize(v.requires_grad_(), 2.0, logits=True)
        grads += torch.autograd.grad((q * torch.arange(50)).sum(), v)
    assert torch.isfinite(grads[0]).all() and torch.allclose(*grads, atol=1e-3)


def test_a_large_common_offset_costs_no_accuracy():
    x = scores_of(32, 50, 100, scale=1.0, dtype=torch.float32) + 1e4
    for y in (x, x.clone().requires_grad_()):
        assert float((exact(entropy_normalize(y, 2.0, logits=True).detach()) - 2).abs().max()) < 3e-6
    assert float((exact(EntropyLogitsProcessor(2.0)(None, x).softmax(-1)) - 2).abs().max()) < 3e-6


# --- bad input ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "p, target, options, message",
    [
        ([0.5, math.nan, 0.5], 0.5, {}, "NaN"),
        ([1.2, -0.2], 0.5, {}, "negative.*logits=True"),
        ([0.5, 0.2], 0.5, {}, "sum to 1.*divide by the sum"),
        ([0.7, 0.3], 0.9, {}, r"strictly between 0 and 0\.693147"),
        ([0.7, 0.3], -0.1, {}, "strictly between"),
        ([0.7, 0.3], math.nan, {}, "nan nats"),
        ([0.5, 0.5], 0.5, {}, "2 entries tied"),
        ([1.0, 0.0], 0.5, {}, "1 that are not zero"),
        ([1.0, math.nan], 0.5, {"logits": True}, "NaN"),
        ([1.0, math.inf], 0.5, {"logits": True}, "infinity"),
        ([0.7, 0.3], torch.ones(3), {}, r"shape \(3,\); it must broadcast to \(\)"),
    ],
)
def test_bad_input_is_told_what_would_be_right(p, target, options, message):
    with pytest.raises(ValueError, match=message):
        entropy_normalize(torch.tensor(p, dtype=F64), target, **options)


def test_integers_and_unnormalised_entropy_are_refused():
    with pytest.raises(
        (ValueError, jaxtyping.TypeCheckError), match="floating point|Type-check"
    ):  # shapes checked first
        entropy_normalize(torch.tensor([1, 0]), 0.5)
    with pytest.raises(ValueError, match="divide by the sum"):
        entropy(torch.tensor([0.5, 0.6]))
    with pytest.raises(ValueError, match="positive"):
        EntropyLogitsProcessor(0.0)


# --- what must not pass in silence ----------------------------------------------------------------
NOTHING = [[0.0, 1.0, 2.0], [-math.inf] * 3]


def test_a_row_without_an_entry_is_refused_wherever_it_stands():
    with pytest.raises(ValueError, match=r"all scores are minus infinity \(row 1\)"):
        entropy_normalize(torch.tensor(NOTHING, dtype=F64), 0.5, logits=True)
    with pytest.raises(ValueError, match=r"all scores are minus infinity \(row 1\)"):
        EntropyLogitsProcessor(0.5)(None, torch.tensor(NOTHING))
    with pytest.raises(ValueError, match="all scores are minus infinity"):
        entropy_normalize(torch.full((3,), -math.inf, requires_grad=True), 0.5, logits=True)
    for shape in ((0,), (2, 0), ()):
        with pytest.raises(ValueError, match="at least one entry"):
            entropy_normalize(torch.empty(shape, dtype=F64), 0.5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("at_most", [False, True])
def test_the_processor_passes_no_broken_score_on(bad, at_most):
    scores = torch.tensor([[0.0, 1.0, 2.0], [0.0, bad, 1.0]])
    with pytest.raises(ValueError, match="NaN or plus infinity"):
        EntropyLogitsProcessor(0.5, at_most=at_most)(None, scores)
    with pytest.raises(ValueError, match="positive and finite"):
        EntropyLogitsProcessor(bad)


def test_a_search_without_a_step_is_refused():
    with pytest.raises(ValueError, match="max_iter"):
        entropy_normalize(torch.tensor([0.7, 0.3]), 0.5, max_iter=0)


@pytest.mark.parametrize("logits", [True, False])
def test_forward_mode_agrees_with_differences_and_with_reverse_mode(logits):
    x = scores_of(20, 3, 6)
    x = x if logits else x.softmax(-1)
    dx = scores_of(21, 3, 6)
    dx = dx if logits else x * (dx - (x * dx).sum(-1, keepdim=True))  # probabilities stay normalised
    target, dt = torch.tensor([0.9, 1.2, 1.5], dtype=F64), scores_of(22, 3)

    def solve(x, t):
        return entropy_normalize(x, t, logits=logits, return_power=True)

    (q, power), (dq, dpower) = torch.func.jvp(solve, (x, target), (dx, dt))
    assert torch.allclose(q, solve(x, target)[0], atol=1e-12)
    step = 1e-6
    high, low = (solve(x + e * dx, target + e * dt) for e in (step, -step))
    for ours, a, b in ((dq, high[0], low[0]), (dpower, high[1], low[1])):
        assert ours.abs().max() > 1e-2
        assert torch.allclose(ours, (a - b) / (2 * step), atol=1e-7)
    weight = scores_of(23, 3, 6)
    _, pulled = torch.func.vjp(lambda x, t: solve(x, t)[0], x, target)
    by_x, by_t = pulled(weight)
    assert torch.allclose((by_x * dx).sum() + (by_t * dt).sum(), (weight * dq).sum())
    _, slope = torch.func.jvp(lambda x: solve(x, 1.2)[1], (x,), (dx,))
    _, by_target = torch.func.jvp(lambda t: solve(x, t)[1], (target,), (dt,))
    assert torch.isfinite(slope).all() and (by_target * dt < 0).all()


def test_forward_mode_inside_reverse_mode_and_with_zeros():
    x = scores_of(24, 2, 5).requires_grad_()
    assert gradcheck(lambda x: entropy_normalize(x, 1.1, logits=True), (x,), check_forward_ad=True)
    assert gradgradcheck(lambda x: entropy_normalize(x, 1.1, logits=True), (x,), check_fwd_over_rev=True)
    p = torch.tensor([0.5, 0.0, 0.3, 0.2], dtype=F64)
    _, dq = torch.func.jvp(lambda p: entropy_normalize(p, 0.9), (p,), (torch.tensor([0.1, 0.0, -0.1, 0.0], dtype=F64),))
    assert torch.isfinite(dq).all() and dq[1] == 0 and dq.abs().max() > 1e-3
    (grad,) = torch.autograd.grad(entropy_normalize(p.requires_grad_(), 0.9)[0], p)
    assert torch.isfinite(grad).all() and grad[1] == 0
