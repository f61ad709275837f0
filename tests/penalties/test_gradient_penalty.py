"""Per-sample gradient norms and the bound: the law, the peers, each trap, bad input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from spaces_core.penalties import (
    gradient_bound,
    input_grad_norm,
    input_gradient_penalty,
    parameter_grad_norm,
    parameter_gradient_penalty,
)
from spaces_core.penalties.gradient_penalty import ELEMENTWISE, FORMS


def mlp(seed=0, sizes=(5, 4, 3, 2), act=nn.Tanh, bias=True, dtype=torch.float64):
    torch.manual_seed(seed)
    layers = []
    for m, n in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(m, n, bias=bias), act()]
    return nn.Sequential(*layers[:-1]).to(dtype)


def batch(seed=0, n=6, features=5, classes=2, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(n, features, generator=g, dtype=dtype), torch.randint(classes, (n,), generator=g)


def looped(module, f, x, *targets, of="parameters"):
    """The oracle: one backward pass for each sample."""
    norms = []
    for i in range(len(x)):
        one = x[i : i + 1].clone().requires_grad_()
        value = f(module(one)[0], *(t[i] for t in targets))
        sources = [p for p in module.parameters() if p.requires_grad] if of == "parameters" else [one]
        grads = torch.autograd.grad(value, sources, allow_unused=True)
        norms.append(math.sqrt(sum(float(g.square().sum()) for g in grads if g is not None)))
    return torch.tensor(norms, dtype=x.dtype)


# --- the law ----------------------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    act=st.sampled_from([nn.Tanh, nn.ReLU, nn.GELU, nn.Softplus, nn.Identity]),
    bias=st.booleans(),
    scale=st.floats(0.05, 5),
)
def test_the_bound_holds_in_all_forms_and_the_forms_are_ordered(seed, sizes, act, bias, scale):
    net = mlp(seed, sizes, act, bias)
    x = batch(seed, features=sizes[0])[0] * scale
    left = input_grad_norm(net, lambda y: y.sin().sum(), x, squared=True)
    right = parameter_grad_norm(net, lambda y: y.sin().sum(), x, squared=True)
    with torch.no_grad():
        sharp, spectral, frobenius = (gradient_bound(net, x, form) for form in ("sharp", "spectral", "frobenius"))
    assert (sharp * left <= right * (1 + 1e-9) + 1e-300).all()
    live = left > 0
    assert (spectral <= sharp * (1 + 1e-9))[live].all() and (frobenius <= spectral * (1 + 1e-9))[live].all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    act=st.sampled_from(ELEMENTWISE),
    bias=st.booleans(),
)
def test_identity_equals_vmap_equals_a_loop(seed, sizes, act, bias):
    net, (x, _) = mlp(seed, sizes, act, bias), batch(seed, features=sizes[0])
    f = lambda y: y.square().sum()  # noqa: E731
    loop = looped(net, f, x)
    for method in ("func", "identity", "auto"):
        assert torch.allclose(parameter_grad_norm(net, f, x, method=method), loop, rtol=1e-9, atol=1e-12)
    assert torch.allclose(input_grad_norm(net, f, x), looped(net, f, x, of="input"), rtol=1e-9, atol=1e-12)


def test_input_gradient_of_an_mlp_is_that_of_any_module():
    """Wrapped, the network is no longer seen to be an MLP and goes through vmap; the penalties' gradients agree too."""

    class Wrapped(nn.Module):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x)

    net, (x, y) = mlp(act=nn.GELU), batch()
    plain, wrapped = (input_grad_norm(m, cross_entropy, x, y, create_graph=True) for m in (net, Wrapped(net)))
    assert torch.allclose(plain, wrapped, rtol=1e-12)
    for a, b in zip(
        *(torch.autograd.grad(v.sum(), list(net.parameters())[:-1]) for v in (plain, wrapped)), strict=True
    ):
        assert torch.allclose(a, b, rtol=1e-9)


def test_a_scalar_network_is_tight_layer_by_layer():
    """One unit a layer: every step of the proof is an equality, in all three forms."""
    net, (x, _) = mlp(1, (1, 1, 1, 1), nn.Tanh), batch(1, features=1)
    right = parameter_grad_norm(net, torch.sum, x, squared=True)
    left = input_grad_norm(net, torch.sum, x, squared=True)
    for form in FORMS:
        assert torch.allclose(gradient_bound(net, x, form) * left, right, rtol=1e-10)


def test_deep_linear_network_of_one_output_is_tight_in_the_sharp_form_at_the_last_layer_only():
    net, (x, _) = mlp(2, (5, 4, 1), nn.Identity), batch(2)
    left = input_grad_norm(net, torch.sum, x, squared=True)
    right = parameter_grad_norm(net, torch.sum, x, squared=True)
    ratio = gradient_bound(net, x) * left / right
    assert (ratio < 1 - 1e-6).all() and (ratio > 0).all()
    first = nn.Sequential(nn.Linear(5, 1)).double()
    assert torch.allclose(
        gradient_bound(first, x) * input_grad_norm(first, torch.sum, x, squared=True),
        parameter_grad_norm(first, torch.sum, x, squared=True),
    )


@pytest.mark.parametrize("bias", [True, False])
def test_bound_is_the_formula(bias):
    """Against Jacobians from autograd and singular values, term by term."""
    net, (x, _) = mlp(3, (5, 7, 4, 3), nn.Softplus, bias), batch(3)
    for form in FORMS:
        expected = torch.zeros(len(x), dtype=x.dtype)
        for i, one in enumerate(x):
            for t in (0, 2, 4):
                h, w = net[:t](one), net[t].weight
                before = torch.autograd.functional.jacobian(net[:t], one) if t else torch.eye(5, dtype=x.dtype)
                after = torch.autograd.functional.jacobian(net[: t + 1], one)
                spectral, frobenius = (lambda m: torch.linalg.svdvals(m)[0]), torch.linalg.norm
                size = {
                    "sharp": lambda: spectral(after),  # noqa: B023
                    "spectral": lambda: spectral(w) * spectral(before),  # noqa: B023
                    "frobenius": lambda: frobenius(w) * frobenius(before),  # noqa: B023
                }[form]()
                expected[i] += (bias + h.square().sum()) / size**2
        assert torch.allclose(gradient_bound(net, x, form), expected, rtol=1e-9)


# --- the peers --------------------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_opacus_agrees(kind):
    opacus = pytest.importorskip("opacus")
    torch.manual_seed(0)
    conv = nn.Sequential(nn.Conv2d(1, 3, 3), nn.GroupNorm(1, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2)).double()
    net = mlp() if kind == "mlp" else conv
    x, y = batch()
    x = x if kind == "mlp" else torch.randn(6, 1, 5, 5, dtype=torch.float64)
    ours = parameter_grad_norm(net, cross_entropy, x, y)
    wrapped = opacus.GradSampleModule(net, loss_reduction="sum")
    cross_entropy(wrapped(x), y, reduction="sum").backward()
    theirs = sum(p.grad_sample.flatten(1).square().sum(1) for p in wrapped.parameters()).sqrt()
    wrapped.to_standard_module()
    assert torch.allclose(ours, theirs, rtol=1e-9)


# --- the penalties ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("penalty", [input_gradient_penalty, parameter_gradient_penalty])
@pytest.mark.parametrize("act", [nn.Tanh, nn.ReLU])
def test_penalty_gradient_is_that_of_double_backward(penalty, act):
    net, (x, y) = mlp(act=act), batch()
    got = torch.autograd.grad(penalty(net, cross_entropy, x, y), list(net.parameters()), allow_unused=True)
    total = 0
    for i in range(len(x)):
        one = x[i : i + 1].clone().requires_grad_()
        sources = [one] if penalty is input_gradient_penalty else list(net.parameters())
        grads = torch.autograd.grad(cross_entropy(net(one), y[i : i + 1]), sources, create_graph=True)
        total = total + sum(g.square().sum() for g in grads) / len(x)
    want = torch.autograd.grad(total, list(net.parameters()), allow_unused=True)
    for a, b in zip(got, want, strict=True):
        zero = torch.zeros(())
        assert torch.allclose(zero if a is None else a, zero if b is None else b, rtol=1e-8, atol=1e-12)


def test_func_and_identity_have_the_same_gradient():
    net, (x, y) = mlp(act=nn.GELU), batch()
    grads = [
        torch.autograd.grad(
            parameter_grad_norm(net, cross_entropy, x, y, create_graph=True, method=m).sum(), list(net.parameters())
        )
        for m in ("func", "identity")
    ]
    for a, b in zip(*grads, strict=True):
        assert torch.allclose(a, b, rtol=1e-8, atol=1e-12)


def test_penalty_is_the_mean_of_the_squared_norms_and_training_lowers_it():
    net, (x, y) = mlp(), batch(n=32)
    for penalty, norm in (
        (input_gradient_penalty, input_grad_norm),
        (parameter_gradient_penalty, parameter_grad_norm),
    ):
        start = penalty(net, cross_entropy, x, y)
        assert torch.allclose(start, norm(net, cross_entropy, x, y).square().mean())
        optimizer = torch.optim.SGD(net.parameters(), 0.05)
        for _ in range(20):
            optimizer.zero_grad()
            penalty(net, cross_entropy, x, y).backward()
            optimizer.step()
        assert penalty(net, cross_entropy, x, y) < start


def test_no_side_effects():
    net, (x, y) = mlp(), batch()
    before = [p.detach().clone() for p in net.parameters()]
    for create_graph in (False, True):
        for norm in (input_grad_norm, parameter_grad_norm):
            value = norm(net, cross_entropy, x, y, create_graph=create_graph)
            assert value.requires_grad == create_graph
    assert not x.requires_grad and x.grad is None and all(p.grad is None for p in net.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_under_no_grad_as_in_evaluation():
    net, (x, y) = mlp(), batch()
    with torch.no_grad():
        assert (parameter_grad_norm(net, cross_entropy, x, y) > 0).all()
        assert (input_grad_norm(net, cross_entropy, x, y) > 0).all()
        assert float(input_gradient_penalty(net, cross_entropy, x, y)) > 0


# --- the traps --------------------------------------------------------------------------------------------------------
def test_trap_mean_loss_has_zero_gradient_where_every_sample_has_one():
    net = nn.Sequential(nn.Linear(1, 1)).double()
    x, sign = torch.ones(2, 1, dtype=torch.float64), torch.tensor([1.0, -1.0], dtype=torch.float64)
    f = lambda y, s: (s * y).sum()  # noqa: E731
    mean = torch.stack([f(net(x[i : i + 1])[0], sign[i]) for i in range(2)]).mean()
    assert all(float(g.abs().sum()) == 0 for g in torch.autograd.grad(mean, list(net.parameters())))
    assert torch.allclose(parameter_grad_norm(net, f, x, sign, squared=True), torch.tensor([2.0, 2.0]).double())
    assert (input_grad_norm(net, f, x, sign) > 0).all()


def test_trap_weight_sharing_is_not_taken_for_an_mlp():
    w, x = nn.Linear(3, 3).double(), batch(features=3)[0]
    shared = nn.Sequential(w, nn.Tanh(), w)
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)).double()
    tied[1].weight = tied[0].weight
    for net in (shared, tied):
        loop = looped(net, torch.sum, x)
        kept = list(net.parameters())
        for _ in range(2):  # torch's functional_call leaves a dead tensor in a layer that is used twice
            assert torch.allclose(parameter_grad_norm(net, torch.sum, x), loop)
            assert torch.allclose(input_grad_norm(net, torch.sum, x), looped(net, torch.sum, x, of="input"))
        assert all(a is b for a, b in zip(kept, net.parameters(), strict=True))
        with pytest.raises(ValueError, match="share"):
            gradient_bound(net, x)
        with pytest.raises(ValueError, match="share"):
            parameter_grad_norm(net, torch.sum, x, method="identity")


def test_trap_positions_share_the_weight():
    """A linear layer on (batch, positions, features) is no MLP layer: the identity would add what may cancel."""
    net, x = nn.Sequential(nn.Linear(2, 1)).double(), torch.tensor([[[1.0, 2.0], [3.0, 5.0]]], dtype=torch.float64)
    f = lambda y: y[0, 0] - y[1, 0]  # noqa: E731
    assert torch.allclose(parameter_grad_norm(net, f, x), looped(net, f, x))
    with pytest.raises(ValueError, match="positions"):
        gradient_bound(net, x)


def test_trap_a_convolution_can_cancel():
    """Two positions of opposite sign add up to no gradient in the kernel, and the input still has one."""
    net = nn.Sequential(nn.Conv1d(1, 1, 1), nn.Flatten()).double()
    x, f = torch.ones(1, 1, 2, dtype=torch.float64), lambda y: y[0] - y[1]
    assert float(parameter_grad_norm(net, f, x)) == 0 and float(input_grad_norm(net, f, x)) > 0
    with pytest.raises(ValueError, match="positions"):
        gradient_bound(net, x)
    flat = nn.Sequential(nn.Unflatten(1, (1, 2)), *net)
    assert float(parameter_grad_norm(flat, f, x[0])) == 0
    with pytest.raises(ValueError, match="neither nn.Linear"):
        gradient_bound(flat, x[0])


def test_trap_a_recurrent_network_breaks_the_inequality():
    """s -> w s + b twice at w = -3, s = 2, b = 14: as two layers of their own it would hold, as one weight it fails."""
    cell = nn.Linear(1, 1).double()
    cell.weight.data.fill_(-3.0), cell.bias.data.fill_(14.0)
    own = nn.Sequential(*(nn.Linear(1, 1).double() for _ in range(2)))
    for layer in own:
        layer.load_state_dict(cell.state_dict())
    x, shared = torch.full((1, 1), 2.0, dtype=torch.float64), nn.Sequential(cell, cell)
    bound = gradient_bound(own, x).detach()
    left = input_grad_norm(shared, torch.sum, x, squared=True)
    assert float(bound * left) == pytest.approx(110)
    assert float(parameter_grad_norm(shared, torch.sum, x, squared=True)) == pytest.approx(8)
    assert float(parameter_grad_norm(own, torch.sum, x, squared=True)) == pytest.approx(110)


def test_trap_a_skip_connection_goes_round_the_layer():
    """s + (w s + b) at w = 2, s = 3: with the layer's own weight the left side is 45/2 and the right one 10."""

    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(1, 1).double()

        def forward(self, x):
            return x + self.inner(x)

    net, x = Skip(), torch.full((2, 1), 3.0, dtype=torch.float64)
    net.inner.weight.data.fill_(2.0)
    left = input_grad_norm(net, torch.sum, x, squared=True) * gradient_bound(nn.Sequential(net.inner), x)
    right = parameter_grad_norm(net, torch.sum, x, squared=True)
    assert torch.allclose(left, torch.full_like(left, 22.5)) and torch.allclose(right, torch.full_like(right, 10.0))
    for module in (net, nn.Sequential(net)):
        with pytest.raises(ValueError, match="MLPs only.*Skip"):
            gradient_bound(module, x)
        with pytest.raises(ValueError, match="Skip"):
            parameter_grad_norm(module, torch.sum, x, method="identity")


def test_trap_the_posts_identity_holds_where_its_division_does_not():
    """h_m df/dx = (column m of the weight's gradient) W J, also for the units that ReLU has set to zero."""
    net, (x, _) = mlp(4, (5, 8, 3), nn.ReLU), batch(4)
    dead = 0
    for one in x:
        one = one.clone().requires_grad_()
        h = net[1](net[0](one))
        value = net[2](h).sin().sum()
        slope, of_weight = torch.autograd.grad(value, (one, net[2].weight))
        jacobian = torch.autograd.functional.jacobian(net[:2], one)
        right = of_weight.T @ net[2].weight @ jacobian
        assert torch.allclose(h[:, None] * slope, right, rtol=1e-10, atol=1e-14)
        dead += int((h == 0).sum())
    assert dead > 0


def test_trap_the_one_belongs_to_the_bias():
    """f = w s without a bias, w = 3, s = 2: a bracket with the 1 would claim 5 <= 4."""
    net, x = nn.Sequential(nn.Linear(1, 1, bias=False)).double(), torch.full((1, 1), 2.0, dtype=torch.float64)
    net[0].weight.data.fill_(3.0)
    left, right = (norm(net, torch.sum, x, squared=True) for norm in (input_grad_norm, parameter_grad_norm))
    for form in FORMS:
        assert float(gradient_bound(net, x, form).detach() * left) == pytest.approx(4) == float(right)


def test_trap_a_square_gaussian_matrix_has_spectral_norm_two():
    """Weights of variance 1/n are not near zero in the norm that the bound takes."""
    n = 400
    net, x = nn.Sequential(nn.Linear(n, n)).double(), torch.zeros(1, n, dtype=torch.float64)
    net[0].weight.data.normal_(0, n**-0.5, generator=torch.Generator().manual_seed(0))
    assert float(gradient_bound(net, x).detach()) ** -0.5 == pytest.approx(2, rel=0.03)


def test_trap_dead_units_give_no_nan():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    nn.init.constant_(net[0].bias, -100.0)
    x = torch.zeros(3, 2, dtype=torch.float64)
    for form in FORMS:
        bound = gradient_bound(net, x, form)
        assert bound.isfinite().all() and (bound * input_grad_norm(net, torch.sum, x) == 0).all()
    norm = input_grad_norm(net, torch.sum, x, create_graph=True)
    assert (norm == 0).all()
    grads = torch.autograd.grad(norm.sum(), list(net.parameters()), allow_unused=True)
    assert all(g is None or g.isfinite().all() for g in grads)


def test_trap_spectral_not_frobenius_of_the_identity():
    """The Frobenius form counts the Jacobian of the first layer, the identity, as the root of the input's size."""
    net, x = nn.Sequential(nn.Linear(4, 1)).double(), torch.ones(1, 4, dtype=torch.float64)
    assert torch.allclose(gradient_bound(net, x, "frobenius") * 4, gradient_bound(net, x, "spectral"))


@pytest.mark.parametrize("track", [True, False])
def test_trap_batch_norm(track):
    net = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3, track_running_stats=track), nn.Linear(3, 2)).double()
    x, y = batch()
    for norm in (input_grad_norm, parameter_grad_norm):
        with pytest.raises(ValueError, match=r"BatchNorm1d.*eval\(\)"):
            norm(net, cross_entropy, x, y)
    if track:
        net.eval()
        assert torch.allclose(parameter_grad_norm(net, cross_entropy, x, y), looped(net, cross_entropy, x, y))


def test_trap_buffers_and_frozen_parameters():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.tensor(3.0, dtype=torch.float64))
            self.linear = nn.Linear(5, 2).double()

        def forward(self, x):
            return self.linear(x) * self.scale

    x, y = batch()
    net = Scaled()
    assert torch.allclose(parameter_grad_norm(net, cross_entropy, x, y), looped(net, cross_entropy, x, y))
    frozen = mlp()
    for p in (frozen[0].weight, frozen[2].bias):
        p.requires_grad_(False)
    for method in ("func", "identity"):
        got = parameter_grad_norm(frozen, cross_entropy, x, y, method=method)
        assert torch.allclose(got, looped(frozen, cross_entropy, x, y))
    right = parameter_grad_norm(frozen, cross_entropy, x, y, squared=True)
    left = input_grad_norm(frozen, cross_entropy, x, y, squared=True)
    assert (gradient_bound(frozen, x) * left <= right * (1 + 1e-9)).all()
    for p in frozen.parameters():
        p.requires_grad_(False)
    assert (input_grad_norm(frozen, cross_entropy, x, y) > 0).all()
    with pytest.raises(ValueError, match="trainable"):
        parameter_grad_norm(frozen, cross_entropy, x, y)


def test_trap_dropout_draws_one_mask_a_sample():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(64, 1, bias=False)).double()
    norms = parameter_grad_norm(net, torch.sum, torch.ones(16, 64, dtype=torch.float64), squared=True)
    assert len(set(norms.tolist())) > 1 and 60 < float(norms.mean()) / 4 * 2 < 68 * 1.2
    net.eval()
    assert torch.allclose(
        parameter_grad_norm(net, torch.sum, torch.ones(2, 64).double()), torch.full((2,), 8.0).double()
    )


def test_trap_hooks_and_inplace_activations():
    x, y = batch()
    inplace = nn.Sequential(nn.Linear(5, 3), nn.ReLU(inplace=True), nn.Linear(3, 2)).double()
    assert torch.allclose(parameter_grad_norm(inplace, cross_entropy, x, y), looped(inplace, cross_entropy, x, y))
    kept = x.clone()
    gradient_bound(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 2).double()), x)
    assert torch.equal(x, kept)
    hooked = mlp()
    hooked[0].register_forward_hook(lambda m, a, out: 2 * out)
    assert torch.allclose(parameter_grad_norm(hooked, cross_entropy, x, y), looped(hooked, cross_entropy, x, y))
    with pytest.raises(ValueError, match="hooks"):
        gradient_bound(hooked, x)


# --- precision, bad input ---------------------------------------------------------------------------------------------
def test_float32_follows_float64():
    net, (x, y) = mlp(sizes=(20, 30, 10), act=nn.ReLU), batch(features=20, classes=10)
    exact = [
        input_grad_norm(net, cross_entropy, x, y),
        parameter_grad_norm(net, cross_entropy, x, y),
        *(gradient_bound(net, x, form) for form in FORMS),
    ]
    net, x = net.float(), x.float()
    single = [
        input_grad_norm(net, cross_entropy, x, y),
        parameter_grad_norm(net, cross_entropy, x, y),
        *(gradient_bound(net, x, form) for form in FORMS),
    ]
    for a, b in zip(exact, single, strict=True):
        assert b.dtype == torch.float32 and torch.allclose(a, b.double(), rtol=2e-5)


def test_device_is_kept():
    net, x = mlp().to("meta"), torch.empty(3, 5, dtype=torch.float64, device="meta")
    assert input_grad_norm(net, torch.sum, x).device.type == "meta"
    assert parameter_grad_norm(net, torch.sum, x).device.type == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_follows_cpu():
    net, (x, y) = mlp(), batch()
    want = parameter_grad_norm(net, cross_entropy, x, y)
    got = parameter_grad_norm(net.cuda(), cross_entropy, x.cuda(), y.cuda())
    assert got.is_cuda and torch.allclose(got.cpu(), want)


def test_bad_input():
    net, (x, y) = mlp(), batch()
    cases = [
        (lambda: parameter_grad_norm(net, cross_entropy, x[:0], y[:0]), "at least one sample"),
        (lambda: parameter_grad_norm(net, cross_entropy, x, y[:2]), "one entry per sample"),
        (lambda: input_grad_norm(net, lambda out: out, x), "scalar"),
        (lambda: parameter_grad_norm(net, lambda out: out, x), "scalar"),
        (lambda: parameter_grad_norm(net, lambda out: out, x, method="func"), "scalar"),
        (lambda: parameter_grad_norm(net, torch.sum, x, method="loop"), "method must be"),
        (lambda: gradient_bound(net, x, "nuclear"), "form must be one of spectral, frobenius, sharp"),
        (lambda: gradient_bound(nn.Sequential(nn.Linear(5, 4), nn.Softmax(1)).double(), x), "Softmax"),
        (lambda: gradient_bound(nn.Sequential(nn.Tanh()), x), "no linear layer"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
    embedding = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2))
    words, labels = torch.randint(7, (4, 2)), torch.tensor([0, 1, 0, 1])
    with pytest.raises(ValueError, match="floating point"):
        input_grad_norm(embedding, cross_entropy, words, labels)


def test_integer_input_has_parameter_gradients():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2)).double()
    words, labels = torch.randint(7, (4, 2)), torch.tensor([0, 1, 0, 1])
    norms = parameter_grad_norm(net, cross_entropy, words, labels)
    for i in range(4):
        grads = torch.autograd.grad(cross_entropy(net(words[i : i + 1]), labels[i : i + 1]), list(net.parameters()))
        assert norms[i].item() == pytest.approx(sum(g.square().sum().item() for g in grads) ** 0.5)


def test_regression_targets_keep_their_shape():
    net, (x, _) = mlp(sizes=(5, 2)), batch()
    target = torch.randn(6, 2, dtype=torch.float64)
    assert torch.allclose(parameter_grad_norm(net, mse_loss, x, target), looped(net, mse_loss, x, target))


def test_the_bound_is_finite_where_a_layer_hardly_lets_anything_pass():
    """A saturated sigmoid: the squared norm of its Jacobian is below the smallest normal number."""
    net = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1))
    net[0].bias.data.fill_(-46.0)
    x = torch.ones(1, 2)
    bound = gradient_bound(net, x)
    left = bound * input_grad_norm(net, torch.sum, x, squared=True)
    assert torch.isfinite(bound).all() and (left <= parameter_grad_norm(net, torch.sum, x, squared=True)).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("form", ["sharp", "spectral", "frobenius"])
def test_the_bound_in_half_precision_is_near_the_exact_one(dtype, form):
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).to(dtype), torch.randn(3, 4).to(dtype)
    half = gradient_bound(net, x, form)
    assert half.dtype == dtype
    exact = gradient_bound(net.double(), x.double(), form)
    torch.testing.assert_close(half.double(), exact, rtol=20 * torch.finfo(dtype).eps, atol=0)
