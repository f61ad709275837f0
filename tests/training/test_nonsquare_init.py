"""Laws, peers, traps and bad input of spaces_core.training.nonsquare_init."""

import inspect
import math
from fractions import Fraction

import jaxtyping
import numpy as np
import pytest
import torch
from beartype import beartype
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from spaces_core.training import (
    fans,
    gain_probe,
    init_variance,
    nonsquare_normal_,
    nonsquare_orthogonal_,
    nonsquare_uniform_,
)
from spaces_core.training.nonsquare_init import MEANS

FILLERS = (nonsquare_normal_, nonsquare_uniform_, nonsquare_orthogonal_)
NAMED = {"quadratic": 2, "arithmetic": 1, "geometric": Fraction(1, 2), "harmonic": 0}
sizes = st.integers(1, 5000)
powers = st.floats(-6, 6)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def criterion(t, m, n, p):
    return m ** (p - 2) * (m * t - 1) ** 2 + n ** (p - 2) * (n * t - 1) ** 2


# --- the law ------------------------------------------------------------------------------------
@given(sizes, sizes, powers, st.floats(0.5, 2))
def test_each_variance_minimises_its_own_criterion(m, n, p, factor):
    t = init_variance(m, n, p)
    best = criterion(t, m, n, p)
    gap = (m**p + n**p) * ((factor - 1) * t) ** 2
    assert criterion(factor * t, m, n, p) == pytest.approx(
        best + gap, rel=1e-6, abs=1e-12 * (m ** (p - 2) + n ** (p - 2))
    )


@given(sizes, sizes, sizes, powers)
def test_average_is_symmetric_homogeneous_and_between_the_fans(m, n, k, p):
    t = init_variance(m, n, p)
    assert t == pytest.approx(init_variance(n, m, p), rel=1e-12)
    assert init_variance(k * m, k * n, p) == pytest.approx(t / k, rel=1e-9)
    assert min(m, n) * (1 - 1e-9) <= 1 / t <= max(m, n) * (1 + 1e-9)
    assert t * init_variance(m, n, 1 - p) == pytest.approx(1 / (m * n), rel=1e-9)


@given(sizes, sizes, powers, st.floats(0.01, 3))
def test_a_larger_power_never_gives_a_larger_variance(m, n, p, more):
    a, b = init_variance(m, n, p), init_variance(m, n, p + more)
    assert b <= a * (1 + 1e-12)
    if max(m, n) > 1.01 * min(m, n) and abs(p) < 2:
        assert b < a


@given(sizes, sizes)
def test_names_are_powers(m, n):
    for name, p in NAMED.items():
        assert init_variance(m, n, name) == pytest.approx(init_variance(m, n, float(p)), rel=1e-12)
    assert init_variance(m, n, math.inf) == pytest.approx(1 / max(m, n), rel=1e-12)
    assert init_variance(m, n, -math.inf) == pytest.approx(1 / min(m, n), rel=1e-12)
    assert init_variance(m, n, "fan_in") == 1 / m and init_variance(m, n, "fan_out") == 1 / n
    assert 1 / max(m, n) * (1 - 1e-12) <= init_variance(m, n, 500.0) <= init_variance(m, n, 2) * (1 + 1e-12)


@pytest.mark.parametrize(
    "name, gain", [("arithmetic", 0.64), ("geometric", 1), ("quadratic", 100 / 289), ("harmonic", 25 / 16)]
)
def test_gain_of_a_four_fold_block(name, gain):
    t = init_variance(768, 3072, name)
    assert 768 * t * 3072 * t == pytest.approx(gain, rel=1e-12)


@pytest.mark.parametrize("mean", [*MEANS, 0.3, -2.0])
@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("shape", [(300, 1000), (1000, 300), (64, 32, 3, 3)])
def test_weights_have_the_mean_square_asked_for(filler, mean, shape):
    w = filler(torch.empty(shape, dtype=torch.float64), 1.7, seeded(), mean=mean)
    want = 1.7**2 * init_variance(*fans(w), mean)
    spread = 4 * math.sqrt(2 / w.numel())
    assert float(w.square().mean()) == pytest.approx(want, rel=1e-12 if filler is nonsquare_orthogonal_ else spread)
    assert abs(float(w.mean())) < 4 * math.sqrt(want / w.numel())


@given(sizes, sizes, st.floats(0.3, 3))
def test_the_geometric_mean_minimises_the_squared_logarithms(m, n, factor):
    def criterion(t):
        return math.log(m * t) ** 2 + math.log(n * t) ** 2

    t = init_variance(m, n, "geometric")
    assert criterion(factor * t) == pytest.approx(criterion(t) + 2 * math.log(factor) ** 2, rel=1e-9, abs=1e-9)


def test_least_squares_for_the_width_lands_on_the_other_side_of_the_geometric_mean():
    m, n = 768, 3072
    s = m * n * (m + n) / (m * m + n * n)  # the minimum of (s/m - 1)^2 + (s/n - 1)^2
    assert 1 / init_variance(m, n, -1) == pytest.approx(s, rel=1e-12)
    assert s < math.sqrt(m * n) < 1 / init_variance(m, n, "quadratic")


@pytest.mark.parametrize(
    "name, up, down",
    [("arithmetic", 0.4, 1.6), ("geometric", 0.5, 2), ("quadratic", 5 / 17, 20 / 17), ("fan_in", 1, 1)],
)
def test_inside_a_four_fold_block_the_scale_is_not_kept(name, up, down):
    """A block that keeps the scale from end to end may still halve it in the middle; fan-in does so going back."""
    assert 768 * init_variance(768, 3072, name) == pytest.approx(up, rel=1e-12)
    assert 3072 * init_variance(3072, 768, name) == pytest.approx(down, rel=1e-12)
    assert 768 * init_variance(3072, 768, "fan_in") == 0.25


def test_uniform_stays_in_its_interval_and_reaches_its_ends():
    w = nonsquare_uniform_(torch.empty(400, 100), generator=seeded(), mean="quadratic")
    bound = math.sqrt(3 * init_variance(100, 400, "quadratic"))
    assert 0.999 * bound < float(w.abs().max()) <= bound * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (24, 4, 3, 3)])
def test_orthogonal_has_equal_singular_values(shape):
    w = nonsquare_orthogonal_(torch.empty(shape, dtype=torch.float64), generator=seeded(), mean="geometric")
    values = torch.linalg.svdvals(w.flatten(1))
    want = math.sqrt(max(shape[0], math.prod(shape[1:])) * init_variance(*fans(w), "geometric"))
    assert torch.allclose(values, torch.full_like(values, want))


# --- the peer -----------------------------------------------------------------------------------
SHAPES = [(7, 5), (512, 128), (16, 8, 3), (16, 8, 3, 5), (4, 6, 2, 2, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_same_numbers_as_torch(shape, dtype):
    def pair(ours, theirs):
        a, b = ours(torch.empty(shape, dtype=dtype), seeded(3)), theirs(torch.empty(shape, dtype=dtype), seeded(3))
        assert a.dtype == dtype
        torch.testing.assert_close(a, b, rtol=4 * torch.finfo(dtype).eps, atol=0)

    init = nn.init
    pair(lambda w, g: nonsquare_normal_(w, 1.3, g), lambda w, g: init.xavier_normal_(w, 1.3, g))
    pair(lambda w, g: nonsquare_uniform_(w, 1.3, g), lambda w, g: init.xavier_uniform_(w, 1.3, g))
    for mode in ("fan_in", "fan_out"):
        pair(
            lambda w, g, mode=mode: nonsquare_normal_(w, 2**0.5, g, mean=mode),
            lambda w, g, mode=mode: init.kaiming_normal_(w, mode=mode, nonlinearity="relu", generator=g),
        )
    assert fans(torch.empty(shape)) == init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (40, 40)])
def test_orthogonal_is_torchs_when_the_larger_fan_decides(shape):
    a = nonsquare_orthogonal_(torch.empty(shape), 0.7, seeded(1), mean=math.inf)
    torch.testing.assert_close(a, nn.init.orthogonal_(torch.empty(shape), 0.7, seeded(1)))


def test_torch_offers_no_geometric_mean_and_the_difference_is_large():
    assert init_variance(768, 3072, "geometric") / init_variance(768, 3072) == pytest.approx(1.25)
    assert init_variance(10, 1000, "geometric") / init_variance(10, 1000) == pytest.approx(5.05)


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_in_place_and_dtype_kept(filler, dtype):
    w = nn.Parameter(torch.zeros(64, 48, dtype=dtype))
    out = filler(w, generator=seeded())
    assert out is w and w.dtype == dtype and w.requires_grad and w.grad is None
    assert float(w.detach().double().square().mean()) == pytest.approx(init_variance(48, 64), rel=0.15)


@pytest.mark.parametrize("filler", FILLERS)
def test_a_generator_leaves_the_global_state_alone(filler):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    a, b = filler(torch.empty(9, 4), generator=seeded()), filler(torch.empty(9, 4), generator=seeded())
    assert torch.equal(a, b) and torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("filler", FILLERS)
def test_shapes_are_what_the_signatures_say(filler):
    checked = jaxtyping.jaxtyped(typechecker=beartype)(inspect.unwrap(filler))
    with torch.no_grad():
        checked(torch.empty(3, 4, 5))
        with pytest.raises(jaxtyping.TypeCheckError):
            checked(torch.empty(3))


# --- the probe ----------------------------------------------------------------------------------
# Seeds of weights start at 1000, so that no weight equals an input drawn from a small seed.
def linear_net(widths, mean, seed=0, dtype=torch.float64):
    layers = [nn.Linear(a, b, bias=False, dtype=dtype) for a, b in zip(widths, widths[1:], strict=False)]
    for k, layer in enumerate(layers):
        nonsquare_normal_(layer.weight, generator=seeded(1000 + 100 * seed + k), mean=mean)
    return nn.Sequential(*layers)


@pytest.mark.parametrize("mean", MEANS)
def test_probe_measures_what_the_formula_says(mean):
    widths = (200, 800, 200)
    net = linear_net(widths, mean)
    found = gain_probe(net, torch.randn(64, 200, generator=seeded(), dtype=torch.float64), generator=seeded(1))
    for gain, m, n in zip(found, widths, widths[1:], strict=False):
        t = init_variance(m, n, mean)
        assert gain.forward == pytest.approx(m * t, rel=0.1)
        assert gain.backward == pytest.approx(n * t, rel=0.1)
    ends = math.prod(m * init_variance(m, n, mean) for m, n in zip(widths, widths[1:], strict=False))
    assert found[-1].forward_total == pytest.approx(ends, rel=0.12)
    assert found[0].backward_total == pytest.approx(ends, rel=0.12)


def test_forward_gain_needs_zero_mean_weights_only():
    x = torch.full((1, 400), 3.0, dtype=torch.float64)
    moments = [gain_probe(linear_net((400, 800), "fan_in", seed), x)[0].forward for seed in range(20)]
    assert sum(moments) / 20 == pytest.approx(1, rel=0.03)
    shifted = nn.Linear(400, 800, bias=False, dtype=torch.float64)
    with torch.no_grad():
        shifted.weight.copy_(linear_net((400, 800), "fan_in")[0].weight + 0.05)
    assert gain_probe(shifted, x)[0].forward == pytest.approx(1 + 400 * 0.05**2 * 400, rel=0.05)


def test_backward_gain_needs_a_gradient_that_does_not_know_the_weights():
    m, n = 300, 600
    layer = linear_net((m, n), "geometric")
    t = init_variance(m, n, "geometric")
    x = torch.randn(64, m, generator=seeded(), dtype=torch.float64)
    free = gain_probe(layer, x, generator=seeded(2))[0].backward
    tied = gain_probe(layer, x, grad=layer(x).detach())[0].backward
    assert free == pytest.approx(n * t, rel=0.1)
    assert tied == pytest.approx(n * t * (n + m + 1) / m, rel=0.1)


@pytest.mark.parametrize("activation, forward, backward", [
    (nn.ReLU(), 0.5, 0.5),
    (nn.GELU(), 1 / 3 + 1 / (2 * math.pi * 3**0.5), 1 / 3 + 2 / (3 * math.pi * 3**0.5)),
    (nn.Identity(), 1, 1),
])  # fmt: skip
def test_activations_have_gains_of_their_own(activation, forward, backward):
    found = gain_probe(activation, torch.randn(4000, 100, generator=seeded(), dtype=torch.float64), generator=seeded(1))
    assert found[0].forward == pytest.approx(forward, rel=0.01)
    assert found[0].backward == pytest.approx(backward, rel=0.01)


class Messy(nn.Module):
    """Buffers that change, dropout, an in-place activation, a skip connection and a shared layer."""

    def __init__(self):
        super().__init__()
        self.norm, self.drop, self.act = nn.BatchNorm1d(12), nn.Dropout(0.3), nn.ReLU(inplace=True)
        self.one, self.two = nn.Linear(12, 12), nn.Linear(12, 12, bias=False)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x):
        self.steps = self.steps + 1
        h = self.norm(x)
        h = h + self.drop(self.act(self.one(h)))
        return self.two(self.two(h)), None


def snapshot(net):
    return (
        {k: v.clone() for k, v in net.state_dict().items()},
        {k: id(v) for k, v in net.state_dict(keep_vars=True).items()},
        [(len(m._forward_hooks), len(m._forward_pre_hooks), len(m._backward_hooks), m.training) for m in net.modules()],
        [None if p.grad is None else p.grad.clone() for p in net.parameters()],
        [p.requires_grad for p in net.parameters()],
        torch.get_rng_state(),
    )


@pytest.mark.parametrize("training", [True, False])
def test_probe_leaves_the_module_alone(training):
    net = Messy().train(training)
    net.two.weight.grad = torch.ones(12, 12)
    net.one.bias.requires_grad_(False)
    x = torch.randn(32, 12, generator=seeded())
    kept, before = x.clone(), snapshot(net)
    with torch.no_grad():
        found = gain_probe(net, x)
    after = snapshot(net)
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    assert torch.equal(x, kept) and not x.requires_grad
    assert [g.name for g in found] == ["norm", "one", "act", "drop", "two", "two#2"]
    assert all(g.backward is not None and math.isfinite(g.forward) for g in found)
    with pytest.raises(RuntimeError):
        gain_probe(net, torch.randn(32, 11))
    torch.testing.assert_close(snapshot(net)[:3], before[:3], rtol=0, atol=0)


def test_probe_does_not_count_the_way_round_a_layer():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(64, 64, bias=False)
            nn.init.constant_(self.inner.weight, 0.0)

        def forward(self, x):
            return x + self.inner(x)

    found = gain_probe(Skip(), torch.randn(8, 64))
    assert found[0].forward == 0 and found[0].backward == 0


def test_probe_agrees_with_autograd_on_an_in_place_activation():
    inputs = torch.randn(50, 30, generator=seeded())
    grad = torch.randn(50, 40, generator=seeded(1))
    found = {}
    for inplace in (False, True):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(30, 40), nn.ReLU(inplace=inplace), nn.Linear(40, 40), nn.ReLU(inplace=inplace))
        found[inplace] = [(g.forward, g.backward) for g in gain_probe(net, inputs, grad=grad)]
    torch.testing.assert_close(torch.tensor(found[True]), torch.tensor(found[False]))
    x = inputs.clone().requires_grad_()
    (g,) = torch.autograd.grad(net(x.clone()), x, grad)
    total = gain_probe(net, inputs, grad=grad)[0].backward_total
    assert total == pytest.approx(float(g.square().mean() / grad.square().mean()), rel=1e-5)


def test_probe_takes_integer_inputs_and_a_choice_of_layers():
    net = nn.Sequential(nn.Embedding(9, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0))
    tokens = torch.randint(0, 9, (4, 5), generator=seeded())
    found = gain_probe(net, tokens, layers=lambda name, layer: isinstance(layer, nn.Linear) and "linear" in name)
    assert [g.name for g in found] == ["1.linear1", "1.linear2"]
    assert all(g.forward_total is None and g.backward > 0 for g in found)
    frozen = net.requires_grad_(False)
    assert all(g.backward is None for g in gain_probe(frozen, tokens, layers=lambda n, _: n.endswith("linear1")))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu():
    net = linear_net((64, 256, 64), "geometric", dtype=torch.float32).cuda()
    before = torch.cuda.get_rng_state()
    found = gain_probe(net, torch.randn(64, 64, device="cuda"))
    assert torch.equal(before, torch.cuda.get_rng_state()) and found[0].forward == pytest.approx(0.5, rel=0.2)
    assert nonsquare_orthogonal_(torch.empty(8, 4, device="cuda")).is_cuda


# --- traps and bad input ------------------------------------------------------------------------
def test_groups_count_only_the_outputs_that_an_input_reaches():
    layer = nn.Conv2d(32, 64, 3, groups=8, padding=1, padding_mode="circular", bias=False)
    assert nn.init._calculate_fan_in_and_fan_out(layer.weight) == (36, 576)
    assert fans(layer.weight, groups=8) == (36, 72)
    x = torch.randn(8, 32, 12, 12, generator=seeded())
    for groups, backward in ((8, 1), (1, 1 / 8)):
        nonsquare_normal_(layer.weight, generator=seeded(1), mean="fan_out", groups=groups)
        assert gain_probe(layer, x, generator=seeded(2))[0].backward == pytest.approx(backward, rel=0.1)
    w = nonsquare_orthogonal_(layer.weight, generator=seeded(), groups=8).detach()
    values = torch.stack([torch.linalg.svdvals(part.flatten(1)) for part in w.chunk(8)])
    torch.testing.assert_close(values, values.mean().expand_as(values))


def test_transposed_convolutions_swap_their_fans():
    layer = nn.ConvTranspose1d(4, 10, 3, bias=False)
    assert fans(layer.weight) == (30, 12)
    for name in NAMED:
        assert init_variance(30, 12, name) == init_variance(12, 30, name)
    assert init_variance(30, 12, "fan_in") != init_variance(12, 30, "fan_in")


@pytest.mark.parametrize("bad", [(0, 3), (3, -1), (2.0, 3), (True, 3), (3, "4")])
def test_fans_must_be_whole_and_positive(bad):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        inspect.unwrap(init_variance)(*bad)


@pytest.mark.parametrize("bad", ["xavier", "", math.nan, None, True])
def test_unknown_means_name_the_known_ones(bad):
    with pytest.raises(ValueError, match=f"{', '.join(MEANS)} or a real number"):
        inspect.unwrap(init_variance)(3, 4, bad)


@pytest.mark.parametrize("filler", FILLERS)
def test_bad_tensors_and_gains(filler):
    filler = torch.no_grad()(inspect.unwrap(filler))
    with pytest.raises(ValueError, match="at least two dimensions"):
        filler(torch.empty(5))
    with pytest.raises(ValueError, match="empty weight"):
        filler(torch.empty(0, 5))
    with pytest.raises(ValueError, match="floating point"):
        filler(torch.ones(3, 5, dtype=torch.int64))
    with pytest.raises(ValueError, match="gain must be"):
        filler(torch.empty(3, 5), -1.0)
    with pytest.raises(ValueError, match="gain must be"):
        filler(torch.empty(3, 5), math.nan)
    with pytest.raises(ValueError, match="divisor of the 3 outputs"):
        filler(torch.empty(3, 5), groups=2)


def test_bad_probes():
    net = nn.Linear(3, 2)
    with pytest.raises(ValueError, match=r"output's shape \(4, 2\), got \(4, 3\)"):
        gain_probe(net, torch.randn(4, 3), grad=torch.randn(4, 3))
    with pytest.raises(ValueError, match="no layer"):
        gain_probe(net, torch.randn(4, 3), layers=lambda name, layer: False)
    with pytest.raises(ValueError, match="no floating-point tensor"):
        gain_probe(nn.Flatten(), torch.ones(4, 3, dtype=torch.int64))


class Named(torch.nn.Module):
    """A network that calls one of its layers by keyword."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Linear(8, 16, bias=False), torch.nn.Linear(16, 8, bias=False)

    def forward(self, x):
        return self.second(input=self.first(x))


def test_a_layer_that_is_called_by_keyword_is_measured_too():
    assert [g.name for g in gain_probe(Named(), torch.randn(4, 8))] == ["first", "second"]


def test_numpy_sizes_are_whole_numbers():
    assert init_variance(np.int64(4), np.int32(8)) == init_variance(4, 8)


@pytest.mark.parametrize("mean", [*MEANS, 0.3, 3])
@pytest.mark.parametrize("kind, sizes", [(np.int32, (50257, 768)), (np.int16, (768, 3072)), (np.uint8, (200, 100))])
def test_narrow_integers_do_not_overflow(kind, sizes, mean):
    assert init_variance(*map(kind, sizes), mean) == init_variance(*sizes, mean)


@pytest.mark.parametrize("p", [Fraction(1, 2), np.float32(0.5)])
def test_a_mean_is_any_real_number(p):
    assert math.isclose(init_variance(4, 16, p), 1 / 8)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_an_orthogonal_weight_in_half_precision_is_the_rounded_one(dtype):
    seeded = lambda: torch.Generator().manual_seed(0)  # noqa: E731
    half = nonsquare_orthogonal_(torch.empty(6, 4, dtype=dtype), generator=seeded())
    assert torch.equal(half, nonsquare_orthogonal_(torch.empty(6, 4), generator=seeded()).to(dtype))
