"""Margin softmax: the law, the peers, each trap, bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spaces_core.similarity import (
    MarginSoftmaxLoss,
    class_radii,
    cosine_margin,
    margin_from_degrees,
    margin_softmax_loss,
    metric_margin,
    retrieval_scores,
)
from spaces_core.similarity.margin_softmax import mean_diameter
from tests.benchmarks.similarity import margin_softmax as benchmark


def batch(seed=0, n=7, dim=5, classes=4, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    x, w = torch.randn(n, dim, generator=g, dtype=dtype), torch.randn(classes, dim, generator=g, dtype=dtype)
    return x, w, torch.randint(classes, (n,), generator=g)


def by_definition(x, w, labels, margin, scale, kind):
    """The oracle: a loop over rows, with the angle by acos."""
    losses = []
    for row, label in zip(x.double(), labels.tolist(), strict=True):
        if kind == "distance":
            d = [math.sqrt(max(0.0, 1 - float(row @ v / (row.norm() * v.norm())))) for v in w.double()]
            gaps = [d[label] + margin - e for j, e in enumerate(d) if j != label]
            losses.append(math.log(1 + sum(math.exp(scale * g) for g in gaps)))
            continue
        cos = [float(row @ v / (row.norm() * v.norm())) for v in w.double()]
        angle = math.acos(max(-1.0, min(1.0, cos[label])))
        if kind == "cosine":
            target = cos[label] - margin
        else:
            beyond = angle > math.pi - margin
            target = cos[label] - margin * math.sin(margin) if beyond else math.cos(angle + margin)
        losses.append(math.log(1 + sum(math.exp(scale * (c - target)) for j, c in enumerate(cos) if j != label)))
    return torch.tensor(losses, dtype=torch.float64)


# --- the law ----------------------------------------------------------------------------------------------------------
@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(["cosine", "angular", "distance"]),
    margin=st.floats(0, 1.9),
    scale=st.floats(0.1, 40),
    classes=st.integers(1, 6),
    chunk=st.sampled_from([None, 1, 2, 100]),
)
def test_the_loss_is_the_formula(seed, kind, margin, scale, classes, chunk):
    x, w, y = batch(seed, classes=classes)
    options = {"margin": margin, "scale": scale, "kind": kind, "chunk": chunk, "reduction": "none"}
    expected = by_definition(x, w, y, margin, scale, kind)
    assert torch.allclose(margin_softmax_loss(x, w, y, **options), expected, rtol=1e-8, atol=1e-10)


@settings(max_examples=200, deadline=None)
@given(p=st.floats(-1, 1), q=st.floats(-1, 1), m=st.floats(0, math.sqrt(2)))
def test_the_cosine_margin_forces_the_metric_one(p, q, m):
    if p - q > cosine_margin(m):
        assert math.sqrt(1 - q) - math.sqrt(1 - p) > m - 1e-7


@settings(max_examples=200, deadline=None)
@given(a=st.floats(0, 1), b=st.floats(0, 1), r=st.floats(0, 1.5), m=st.floats(0, math.sqrt(2)))
def test_the_cosine_margin_with_a_known_own_distance(a, b, r, m):
    """At most r from its own class; and at r and r + m exactly the margin m."""
    a, b = a * min(r, math.sqrt(2)), b * math.sqrt(2)
    if b * b - a * a > cosine_margin(m, own=r):
        assert b - a > m - 1e-7
    if r + m <= math.sqrt(2):
        assert cosine_margin(m, own=r) == pytest.approx((r + m) ** 2 - r * r, abs=1e-12)


@given(m=st.floats(1e-3, math.sqrt(2)))
def test_no_smaller_cosine_margin_does(m):
    b, a = math.sqrt(2), math.sqrt(2) - m
    assert b - a <= m + 1e-12
    assert (1 - a * a) - (1 - b * b) == pytest.approx(cosine_margin(m), rel=1e-9, abs=1e-12)


@given(m=st.floats(0, math.sqrt(2)))
def test_the_two_conversions_are_inverse(m):
    assert metric_margin(min(cosine_margin(m), 2.0)) == pytest.approx(m, abs=1e-7)


@pytest.mark.parametrize("kind", ["cosine", "angular", "distance"])
def test_gradients_are_those_of_the_formula(kind):
    x, w, y = batch(3)
    for chunk in (None, 2):
        assert torch.autograd.gradcheck(
            lambda x, w, chunk=chunk: margin_softmax_loss(x, w, y, margin=0.3, scale=5.0, kind=kind, chunk=chunk),
            (x.requires_grad_(), w.requires_grad_()),
        )


@pytest.mark.parametrize("kind", ["cosine", "angular", "distance"])
def test_the_angular_target_falls_all_the_way(kind):
    angles = torch.linspace(0, math.pi, 1001, dtype=torch.float64)
    x = torch.stack([angles.cos(), angles.sin(), 0 * angles], 1)
    w = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]], dtype=torch.float64)
    losses = margin_softmax_loss(
        x, w, torch.zeros(1001, dtype=torch.long), margin=0.5, scale=4.0, kind=kind, reduction="none"
    )
    assert (losses.diff() > 0).all()


@pytest.mark.parametrize("kind", ["cosine", "angular", "distance"])
def test_reductions_and_scale_invariance(kind):
    x, w, y = batch()
    each = margin_softmax_loss(x, w, y, kind=kind, reduction="none")
    for chunk in (None, 3):
        mean, total = (
            margin_softmax_loss(9 * x, w / 7, y, kind=kind, reduction=r, chunk=chunk) for r in ("mean", "sum")
        )
        assert torch.allclose(mean, each.mean()) and torch.allclose(total, each.sum())


@pytest.mark.parametrize("kind", ["cosine", "angular", "distance"])
def test_float32_agrees_with_float64_and_dtype_is_kept(kind):
    x, w, y = batch(1, n=50, dim=32, classes=20)
    exact, single = (margin_softmax_loss(x.to(t), w.to(t), y, kind=kind) for t in (torch.float64, torch.float32))
    assert single.dtype == torch.float32 and exact.dtype == torch.float64
    assert float((single.double() - exact).abs() / exact) < 1e-5


# --- the peers --------------------------------------------------------------------------------------------------------
def test_in_place_of_the_peer():
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    x, w, y = batch(5, n=32, dim=8, classes=12, dtype=torch.float32)
    for kind, peer, margin in (
        ("cosine", losses.CosFaceLoss(12, 8, margin=0.35, scale=64), 0.35),
        ("angular", losses.ArcFaceLoss(12, 8, margin=28.6, scale=64), margin_from_degrees(28.6)),
    ):
        peer.W.data = w.T.clone()
        ours = MarginSoftmaxLoss(12, 8, margin, 64.0, kind=kind)
        ours.weight.data = w.clone()
        mine, theirs = ours(x, y), peer(x, y)
        assert torch.allclose(mine, theirs, rtol=1e-5)
        mine.backward()
        theirs.backward()
        assert torch.allclose(ours.weight.grad, peer.W.grad.T, rtol=1e-3, atol=1e-4)
        assert torch.allclose(ours.get_logits(x), peer.get_logits(x), atol=1e-4)


def test_the_peer_agrees_where_the_margin_would_pass_the_antipode():
    """Angles up to pi: cos(theta + m) would rise again beyond pi - m, and both go on falling."""
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    angles = torch.linspace(0.1, math.pi - 0.01, 40, dtype=torch.float64)
    x, y = torch.stack([angles.cos(), angles.sin()], 1), torch.zeros(40, dtype=torch.long)
    peer = losses.ArcFaceLoss(2, 2, margin=60, scale=8).double()
    peer.W.data = torch.eye(2, dtype=torch.float64)
    ours = margin_softmax_loss(
        x, peer.W.data.T, y, margin=margin_from_degrees(60.0), scale=8.0, kind="angular", reduction="none"
    )
    for i in range(40):
        assert float(ours[i]) == pytest.approx(float(peer(x[i : i + 1], y[i : i + 1]).detach()), rel=1e-5)


def test_retrieval_agrees_with_scikit_learn():
    average_precision = pytest.importorskip("sklearn.metrics").average_precision_score
    x, _, y = batch(2, n=40, dim=6)
    cos = nn.functional.normalize(x, dim=1) @ nn.functional.normalize(x, dim=1).T
    scores, first = [], []
    for i in range(40):
        rest = np.arange(40) != i
        relevant = (y == y[i]).numpy()[rest]
        scores.append(average_precision(relevant, cos[i].numpy()[rest]))
        first.append(relevant[cos[i].numpy()[rest].argmax()])
    recall, precision = retrieval_scores(x, y, block=16)
    assert recall == pytest.approx(np.mean(first)) and precision == pytest.approx(np.mean(scores))


@pytest.mark.parametrize("row", list(benchmark.rows(small=True)), ids=lambda r: r["name"])
def test_the_rows_of_the_benchmark_agree(row):
    ours = row["ours"]()
    for work in row["peers"].values():
        if callable(work):
            assert row["agreement"](ours, work()) < 1e-3


# --- the traps --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["cosine", "angular", "distance"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_finite_gradients_where_the_cosine_is_one(kind, sign):
    w = torch.tensor([[3.0, 0.0], [0.0, 2.0]], requires_grad=True)
    x = (sign * torch.tensor([[1.0, 0.0], [0.0, 1.0]])).requires_grad_()
    margin_softmax_loss(x, w, torch.tensor([0, 1]), margin=0.5, kind=kind).backward()
    assert x.grad.isfinite().all() and w.grad.isfinite().all()


def test_the_sine_is_exact_where_one_minus_cosine_squared_is_noise():
    angle = 1e-5
    x = torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float32)
    options = {"margin": 0.5, "scale": 1e3, "kind": "angular", "reduction": "none"}
    w = torch.tensor([[1.0, 0.0], [math.cos(0.6), math.sin(0.6)]])
    got = margin_softmax_loss(x, w, torch.tensor([0]), **options)
    exact = by_definition(x, w, torch.tensor([0]), 0.5, 1e3, "angular")
    assert float(got) == pytest.approx(float(exact), abs=1e-3)


def test_a_margin_in_degrees_is_caught():
    with pytest.raises(ValueError, match="radians: use margin_from_degrees"):
        MarginSoftmaxLoss(10, 4, margin=28.6, kind="angular")
    assert margin_from_degrees(180 / math.pi) == pytest.approx(1.0)


def test_weights_have_the_shape_of_nn_linear():
    loss = MarginSoftmaxLoss(7, 3)
    loss.load_state_dict(nn.Linear(3, 7, bias=False).state_dict())
    with pytest.raises(ValueError, match="as in nn.Linear"):
        margin_softmax_loss(torch.ones(2, 3), torch.ones(4, 7), torch.tensor([0, 1]))


def test_a_learned_scale_is_learned_and_saved():
    loss = MarginSoftmaxLoss(4, 5, scale=8.0, learn_scale=True)
    x, _, y = batch(dtype=torch.float32)
    loss(x, y).backward()
    assert float(loss.scale.detach()) == pytest.approx(8.0) and float(loss.log_scale.grad) != 0
    assert set(loss.state_dict()) == {"weight", "log_scale"}


def test_fifty_thousand_classes_in_chunks_and_whole():
    torch.manual_seed(0)
    loss = MarginSoftmaxLoss(50_000, 8, scale=16.0)
    x, y = torch.randn(4, 8), torch.randint(50_000, (4,))
    grads, values = [], []
    for chunk in (None, 8_000):
        loss.chunk = chunk
        loss.zero_grad()
        value = loss(x, y)
        value.backward()
        values.append(float(value.detach()))
        grads.append(loss.weight.grad.clone())
    assert values[0] == pytest.approx(values[1], rel=1e-5)
    assert torch.allclose(*grads, rtol=1e-3, atol=1e-6)


def test_one_minus_cosine_is_no_distance_and_its_root_is():
    g = torch.Generator().manual_seed(0)
    x, y, z = nn.functional.normalize(torch.randn(3, 20_000, 5, generator=g, dtype=torch.float64), dim=-1)

    def d(u, v):
        return 1 - (u * v).sum(-1)

    def root(u, v):
        return d(u, v).clamp(min=0).sqrt()

    assert 0.02 < float((d(x, z) > d(x, y) + d(y, z)).double().mean()) < 0.3
    assert (root(x, z) <= root(x, y) + root(y, z) + 1e-12).all()


def test_the_angle_is_a_distance():
    g = torch.Generator().manual_seed(1)
    x, y, z = nn.functional.normalize(torch.randn(3, 20_000, 5, generator=g, dtype=torch.float64), dim=-1)

    def angle(u, v):
        return torch.acos((u * v).sum(-1).clamp(-1, 1))

    assert (angle(x, z) <= angle(x, y) + angle(y, z) + 1e-12).all()


def on_the_circle(*angles):
    angles = torch.tensor(angles, dtype=torch.float64)
    return torch.stack([angles.cos(), angles.sin()], 1)


def test_four_radii_between_the_centres_and_no_less():
    """Two arcs of radius r with centres D apart; the rows at the edges that face each other are the worst."""
    r = 0.2
    labels, recall = torch.tensor([0, 0, 1, 1]), {}
    for factor in (3.9, 4.1):
        d = factor * r
        x, centres = on_the_circle(-r, r, d - r, d + r), on_the_circle(0.0, d)
        assert class_radii(x, centres, labels, kind="angular").tolist() == pytest.approx([r, r])
        own = (x @ centres.T).argmax(1)
        assert own.tolist() == labels.tolist()  # classification is perfect at both distances
        recall[factor] = retrieval_scores(x, labels)[0]
    assert recall == {3.9: 0.5, 4.1: 1.0}


def test_the_condition_is_not_necessary():
    """All samples on the far side of their centres: perfect ranking, and the margin of two radii is missed."""
    x, labels, centres = on_the_circle(-0.5, -0.4, 1.4, 1.5), torch.tensor([0, 0, 1, 1]), on_the_circle(0.0, 1.0)
    assert retrieval_scores(x, labels) == (1.0, 1.0)
    two_radii = float(class_radii(x, centres, labels, kind="angular").sum())
    own, other = torch.acos(x[0] @ centres[0]), torch.acos(x[0] @ centres[1])
    assert float(own) + two_radii >= float(other)


def test_the_margin_of_practice_as_a_distance():
    assert metric_margin(0.35) == pytest.approx(0.1297, abs=5e-5)
    assert cosine_margin(math.sqrt(2)) == pytest.approx(2.0)  # the widest distance, the widest margin


def test_chunks_keep_no_matrix_of_logits():
    """The memory that 50 000 classes take from the peer: batch times classes numbers, kept for the backward pass."""
    x, w, y = batch(classes=4000, n=64)
    x.requires_grad_(), w.requires_grad_()
    kept = {}
    for chunk in (None, 500):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, s=sizes: (s.append(t.numel()), t)[1], lambda t: t):
            margin_softmax_loss(x, w, y, chunk=chunk)
        kept[chunk] = max(sizes)
    assert kept[None] >= 64 * 4000 and kept[500] <= w.numel()


def test_the_mean_diameter_is_two_mean_radii():
    x = torch.tensor([[1.0, 0.0], [0.0, 5.0], [-2.0, 0.0]])
    w = torch.tensor([[4.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    y = torch.tensor([0, 0, 1])
    assert mean_diameter(x, w, y) == pytest.approx(0.5 + 1.0)
    assert mean_diameter(x, w, y, kind="angular") == pytest.approx(math.pi / 4 + math.pi / 2)
    assert mean_diameter(9 * x, w, y.to(torch.int16)) == pytest.approx(1.5)
    with pytest.raises(ValueError, match="no metric"):
        mean_diameter(x, w, y, kind="cosine")
    loss = MarginSoftmaxLoss(3, 2, 0.0, 8.0, kind="distance")
    without = loss(x, y)
    loss.margin = mean_diameter(x, loss.weight, y)
    assert loss(x, y) > without


def test_a_loss_below_log_two_is_the_margin():
    """The certificate: every foreign score is behind by the margin."""
    x, w, y = batch(4, n=200, dim=3)
    losses = margin_softmax_loss(x, w, y, margin=0.2, scale=6.0, reduction="none")
    cos = nn.functional.normalize(x, dim=1) @ nn.functional.normalize(w, dim=1).T
    own = cos[torch.arange(200), y]
    gap = own - cos.scatter(1, y[:, None], -2.0).max(1).values
    assert (gap >= 0.2 - losses.expm1().log() / 6 - 1e-9).all()
    assert (losses < math.log(2)).any() and (gap[losses < math.log(2)] > 0.2).all()


def test_radii():
    x = torch.tensor([[1.0, 0.0], [0.0, 5.0], [-2.0, 0.0]])
    w = torch.tensor([[4.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    y = torch.tensor([0, 0, 1])
    assert class_radii(x, w, y)[:2].tolist() == pytest.approx([1.0, 1.0])
    assert class_radii(x, w, y, kind="angular")[:2].tolist() == pytest.approx([math.pi / 2] * 2)
    assert class_radii(x, w, y)[2].isnan()
    assert float(class_radii(x, w, y, quantile=0.0)[0]) == 0
    opposite = class_radii(-x[:1], w, y[:1], kind="angular")[0]
    assert float(opposite) == pytest.approx(math.pi, abs=1e-6)


# --- bad input --------------------------------------------------------------------------------------------------------
X, W, Y = torch.ones(2, 3), torch.eye(3), torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: margin_softmax_loss(0 * X, W, Y), "embeddings.0. is zero"),
        (lambda: margin_softmax_loss(X * math.nan, W, Y), "not finite"),
        (lambda: margin_softmax_loss(X, 0 * W, Y), "weight.0. is zero"),
        (lambda: margin_softmax_loss(X, W, Y + 2), "labels lie in 0 to 2"),
        (lambda: margin_softmax_loss(X, W, Y - 1), "labels lie in 0 to 2"),
        (lambda: margin_softmax_loss(X, W, Y[:1]), "one label a row"),
        (lambda: retrieval_scores(X, Y[:1]), "one label a row"),
        (lambda: margin_softmax_loss(X, W, Y, margin=2.1), "cosine margin lies in"),
        (lambda: margin_softmax_loss(X, W, Y, margin=-0.1), "cosine margin lies in"),
        (lambda: margin_softmax_loss(X, W, Y, scale=0.0), "positive"),
        (lambda: margin_softmax_loss(X, W, Y, kind="arc"), "kind is one of"),
        (lambda: margin_softmax_loss(X, W, Y, reduction="max"), "reduction is one of"),
        (lambda: margin_softmax_loss(X, W, Y, chunk=0), "chunk"),
        (lambda: margin_softmax_loss(X, W, Y, margin=3.0, kind="distance"), "2 sqrt"),
        (lambda: MarginSoftmaxLoss(0, 3), "at least 1"),
        (lambda: cosine_margin(1.5), "sqrt"),
        (lambda: cosine_margin(0.1, own=-0.1), "own is a distance"),
        (lambda: metric_margin(2.5), "0, 2"),
        (lambda: margin_from_degrees(200.0), "degrees"),
        (lambda: class_radii(X, W, Y, quantile=2.0), "quantile"),
        (lambda: retrieval_scores(X, torch.tensor([0, 1])), "no row has a companion"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
