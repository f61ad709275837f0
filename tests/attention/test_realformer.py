"""Residual attention: the identity with concatenated heads, x-transformers as the peer, and the traps."""

import contextlib
import copy
import inspect
import math

import jaxtyping
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from spaces_core.attention import ResidualAttention, attention_entropy, residual_attention, residual_scores
from spaces_core.attention.realformer import expected_entropy
from spaces_core.lab.transformer import SmallTransformer
from tests.benchmarks.attention import realformer as benchmark

double = torch.float64


def heads(seed=0, layers=3, n=6, m=6, dim=4, value=4, batch=(2, 3), dtype=double):
    g = torch.Generator().manual_seed(seed)

    def draw(rows, width):
        return torch.randn(layers, *batch, rows, width, generator=g, dtype=double).to(dtype)

    return draw(n, dim), draw(m, dim), draw(m, value)


def explicit(q, k, v, mask=None):
    """The oracle: matrices of scores carried from layer to layer, masks never carried."""
    total, outs = 0, []
    for a, b, c in zip(q, k, v, strict=True):
        total = total + a @ b.mT / math.sqrt(a.shape[-1])
        masked = (
            total if mask is None else total.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else total + mask
        )
        outs.append(masked.softmax(-1) @ c)
    return outs


def ours(q, k, v, **options):
    memory, outs = None, []
    for a, b, c in zip(q, k, v, strict=True):
        out, memory = residual_attention(a, b, c, memory, **options)
        outs.append(out)
    return outs


def close(left, right, tol=1e-10):
    return all(torch.allclose(a, b, rtol=tol, atol=tol) for a, b in zip(left, right, strict=True))


# --- the law ----------------------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    layers=st.integers(1, 5),
    n=st.integers(1, 7),
    m=st.integers(1, 7),
    dim=st.integers(1, 6),
    value=st.integers(1, 40),
    masked=st.booleans(),
)
def test_concatenated_heads_are_accumulated_scores(seed, layers, n, m, dim, value, masked):
    q, k, v = heads(seed, layers, n, m, dim, value)
    mask = None
    if masked:
        mask = torch.rand(2, 1, n, m, generator=torch.Generator().manual_seed(seed)) < 0.5
        mask[..., 0] = True
    assert close(ours(q, k, v, attn_mask=mask), explicit(q, k, v, mask))


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_gradients_are_those_of_the_matrices(seed):
    q, k, v = (x.requires_grad_() for x in heads(seed))

    def loss(outs):
        return sum((o * math.cos(i + 1)).square().sum() for i, o in enumerate(outs))

    left = torch.autograd.grad(loss(ours(q, k, v)), (q, k, v))
    assert close(left, torch.autograd.grad(loss(explicit(q, k, v)), (q, k, v)), 1e-8)


def test_causal_and_bias():
    q, k, v = heads()
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    assert close(ours(q, k, v, is_causal=True), explicit(q, k, v, causal))
    bias = -torch.rand(3, 6, 6, dtype=double)
    assert close(ours(q, k, v, attn_mask=bias), explicit(q, k, v, bias))


def test_decoding_with_cached_keys_is_the_full_pass():
    q, k, v = heads()
    full = ours(q, k, v, is_causal=True)
    last = ours(q[..., -1:, :], k, v)
    assert close([o[..., -1:, :] for o in full], last)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_causal_queries_beside_a_cache_are_the_last_ones(n):
    """A cache: fewer queries than keys. The last query sees all keys, as in FlashAttention."""
    q, k, v = heads()
    full = ours(q, k, v, is_causal=True)
    assert close([o[..., -n:, :] for o in full], ours(q[..., -n:, :], k, v, is_causal=True))
    for bias in (None, torch.ones(6, dtype=torch.bool), torch.zeros(6, dtype=double)):
        attend = ResidualAttention(3, is_causal=True)
        with contextlib.nullcontext() if bias is None else attend.masked(bias):
            found = [attend(q[i][..., -n:, :], k[i], v[i], i) for i in range(3)]
        assert close([o[..., -n:, :] for o in full], found)


def test_causal_refuses_more_queries_than_keys():
    q, k, v = heads(m=4)
    with pytest.raises(ValueError, match="6 queries and 4 keys"):
        residual_attention(q[0], k[0], v[0], is_causal=True)
    attend = ResidualAttention(3, is_causal=True)
    with attend.masked(torch.ones(4, dtype=torch.bool)), pytest.raises(ValueError, match="6 queries and 4 keys"):
        attend(q[0], k[0], v[0], 0)


def test_a_row_of_scores_is_all_that_decoding_hands_on():
    """Token by token: one query, growing keys, and a row of scores that goes from layer to layer."""
    q, k, v = heads()
    full = ours(q, k, v, is_causal=True)
    for t in range(6):
        row = None
        for layer in range(3):
            row = residual_scores(q[layer][..., t : t + 1, :], k[layer][..., : t + 1, :], row)
            assert row.shape[-2:] == (1, t + 1)
            out = row.softmax(-1) @ v[layer][..., : t + 1, :]
            assert torch.allclose(out, full[layer][..., t : t + 1, :], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kv", [1, 2, 4])
@pytest.mark.parametrize("options", [{}, {"is_causal": True}])
def test_grouped_queries_are_repeated_keys(kv, options):
    g = torch.Generator().manual_seed(0)
    q = torch.randn(3, 2, 4, 6, 4, generator=g, dtype=double)
    k, v = torch.randn(2, 3, 2, kv, 6, 4, generator=g, dtype=double)
    repeated = ours(q, *(x.repeat_interleave(4 // kv, -3) for x in (k, v)), **options)
    assert close(ours(q, k, v, enable_gqa=True, **options), repeated)
    attend = ResidualAttention(3, enable_gqa=True, **options)
    assert close([attend(q[i], k[i], v[i], i) for i in range(3)], repeated)
    if kv < 4:
        refuses("same leading sizes", residual_attention, q[0], k[0], v[0])


def test_grouped_queries_refuse_heads_that_do_not_divide():
    q, k, v = torch.randn(1, 4, 6, 4), torch.randn(1, 3, 6, 4), torch.randn(1, 3, 6, 4)
    refuses("a divisor of those of q", residual_attention, q, k, v, enable_gqa=True)
    refuses("a divisor of those of q", residual_attention, q[0, 0], k[0], v[0], enable_gqa=True)
    refuses("a divisor of those of q", residual_attention, q, k[:, :0], v[:, :0], enable_gqa=True)


def test_dropout_is_on_weights_and_not_on_the_scores_handed_on():
    q, k, v = heads(batch=(64, 3))
    exact = ours(q, k, v)
    torch.manual_seed(0)
    memory, outs = None, []
    for a, b, c in zip(q, k, v, strict=True):
        out, memory = residual_attention(a, b, c, memory, dropout_p=0.5)
        outs.append(out)
    assert all(not torch.allclose(o, e) for o, e in zip(outs, exact, strict=True))
    assert torch.equal(memory[1], torch.cat(list(k), -1))
    draws = torch.stack([residual_attention(q[0], k[0], v[0], dropout_p=0.5)[0] for _ in range(400)])
    assert float((draws.mean(0) - exact[0]).abs().mean()) < 0.1 * float((draws[0] - exact[0]).abs().mean())
    attend = ResidualAttention(3, dropout_p=0.5)
    assert not torch.allclose(attend(q[0], k[0], v[0], 0), exact[0])
    assert torch.allclose(attend.eval()(q[0], k[0], v[0], 0), exact[0])
    for wrong in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match="dropout_p"):
            residual_attention(q[0], k[0], v[0], dropout_p=wrong)
        with pytest.raises(ValueError, match="dropout_p"):
            ResidualAttention(3, dropout_p=wrong)


def test_layers_of_different_width_keep_their_own_scale():
    (q1, k1, v1), (q2, k2, v2) = heads(dim=4), heads(1, dim=9)
    out, memory = residual_attention(q1[0], k1[0], v1[0])
    out, memory = residual_attention(q2[0], k2[0], v2[0], memory)
    scores = q1[0] @ k1[0].mT / 2 + q2[0] @ k2[0].mT / 3
    assert torch.allclose(out, scores.softmax(-1) @ v2[0]) and memory[1].shape[-1] == 13
    out, _ = residual_attention(q1[0], k1[0], v1[0], scale=0.1)
    assert torch.allclose(out, (q1[0] @ k1[0].mT * 0.1).softmax(-1) @ v1[0])


def test_rank_grows_with_depth():
    q, k, _ = heads(layers=5, n=40, m=40, dim=4, batch=())
    total = None
    for layer in range(5):
        total = residual_scores(q[layer], k[layer], total)
        assert torch.linalg.matrix_rank(total) == 4 * (layer + 1)
    assert torch.linalg.matrix_rank(q.sum(0) @ k.sum(0).T) == 4


@given(st.integers(1, 30), st.floats(-3, 3))
def test_entropy(m, shift):
    scores = torch.randn(m, generator=torch.Generator().manual_seed(m), dtype=double)
    p = scores.softmax(-1)
    assert torch.allclose(attention_entropy(scores + shift), -(p * p.log()).sum())
    padded = torch.cat([scores, torch.full((3,), -math.inf, dtype=double)])
    assert torch.allclose(attention_entropy(padded), attention_entropy(scores))
    assert torch.allclose(attention_entropy(torch.zeros(m)), torch.tensor(math.log(m)), atol=1e-6)


@pytest.mark.parametrize("keys, variance", [(2, 1.0), (37, 4.0), (512, 12.0), (512, 100.0)])
def test_expected_entropy_is_the_mean_over_draws(keys, variance):
    scores = torch.randn(4000, keys, generator=torch.Generator().manual_seed(0), dtype=double) * variance**0.5
    drawn = attention_entropy(scores)
    assert abs(expected_entropy(keys, variance) - float(drawn.mean())) < 4 * float(drawn.std()) / 4000**0.5


def test_expected_entropy_of_two_keys_is_an_integral_over_their_gap():
    g = torch.linspace(-12, 12, 4001, dtype=double)
    gap = g * math.sqrt(2 * 3.0)
    weight = (-g * g / 2).exp() / (-g * g / 2).exp().sum()
    direct = float((attention_entropy(torch.stack([gap, torch.zeros_like(gap)], -1)) * weight).sum())
    assert abs(expected_entropy(2, 3.0) - direct) < 1e-9


@pytest.mark.parametrize("keys", [1, 2, 64, 10**6])
def test_attention_loses_at_most_half_a_nat_a_layer(keys):
    found = [expected_entropy(keys, float(n)) for n in (0, 1, 2, 6, 24)]
    assert all(h >= math.log(keys) - n / 2 - 1e-9 for n, h in zip((0, 1, 2, 6, 24), found, strict=True))
    assert all(a >= b - 1e-9 for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize("keys, variance", [(0, 1.0), (4, -1.0), (4, math.inf), (4, math.nan)])
def test_expected_entropy_refuses(keys, variance):
    with pytest.raises(ValueError, match="finite variance"):
        expected_entropy(keys, variance)


# --- the module -------------------------------------------------------------------------------------------------------
def small(attend, **options):
    torch.manual_seed(0)
    settings = {"dim": 16, "depth": 3, "heads": 2, "positions": 8, "post_norm": True}
    return SmallTransformer(30, attend=attend, **settings | options)


def recursion(store):
    def attend(q, k, v, layer):
        store[0] = residual_scores(q, k, None if layer == 0 else store[0])
        return store[0].softmax(-1) @ v

    return attend


def test_the_module_in_a_model():
    tokens = torch.randint(30, (4, 8), generator=torch.Generator().manual_seed(0))
    ours, plain = small(ResidualAttention(3)), small(recursion([None]))
    ordinary = small(lambda q, k, v, layer: residual_attention(q, k, v)[0])
    assert torch.allclose(ours(tokens), plain(tokens), atol=1e-5)
    assert not torch.allclose(ours(tokens), ordinary(tokens), atol=1e-3)
    assert torch.equal(ours(tokens), ours(tokens))
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in ordinary.parameters())
    assert ours.state_dict().keys() == plain.state_dict().keys()


def test_padding_and_other_rows_change_nothing():
    attend = ResidualAttention(3)
    model = small(attend).double()
    tokens = torch.randint(30, (3, 8), generator=torch.Generator().manual_seed(0))
    alone = model(tokens[:1, :5])
    keep = (torch.arange(8) < torch.tensor([5, 8, 8])[:, None])[:, None, None]
    with attend.masked(keep):
        together = model(tokens)
    assert torch.allclose(together[:1, :5], alone)
    assert attend.attn_mask is None


def test_the_causal_module():
    attend = ResidualAttention(3, is_causal=True)
    model = small(attend).double()
    tokens = torch.randint(30, (2, 8), generator=torch.Generator().manual_seed(0))
    changed = tokens.clone()
    changed[:, 6:] = 0
    assert torch.allclose(model(tokens)[:, :6], model(changed)[:, :6])
    with attend.masked(torch.ones(8, dtype=torch.bool)):
        assert torch.allclose(model(tokens)[:, :6], model(changed)[:, :6])
    with attend.masked(torch.zeros(8, dtype=double)):
        assert torch.allclose(model(tokens)[:, :6], model(changed)[:, :6])


def test_memory_is_given_back_and_order_is_kept():
    attend = ResidualAttention(2)
    q = torch.randn(1, 1, 3, 4, requires_grad=True)
    attend(q, q, q, 0)
    with pytest.raises(ValueError, match="layer 1 is next, got layer 2"):
        attend(q, q, q, 2)
    attend(q, q, q, 0)
    attend(q, q, q, 1)
    assert attend._memory is None
    with pytest.raises(ValueError, match="in turn"):
        attend(q, q, q, 1)
    copy.deepcopy(attend)


def test_seeds_in_one_vmap():
    models = [small(ResidualAttention(3)) for _ in range(3)]
    for i, model in enumerate(models):
        torch.nn.init.normal_(model.head.weight, generator=torch.Generator().manual_seed(i))
    tokens = torch.randint(30, (2, 8), generator=torch.Generator().manual_seed(0))
    params, buffers = stack_module_state(models)
    with sdpa_kernel(SDPBackend.MATH):
        out = vmap(lambda p, b: functional_call(models[0], (p, b), (tokens,)))(params, buffers)
    assert torch.allclose(out, torch.stack([m(tokens) for m in models]), atol=1e-5)


# --- the peer ---------------------------------------------------------------------------------------------------------
def test_x_transformers_agrees():
    pytest.importorskip("x_transformers")
    tried = 0
    for row in benchmark.rows(small=True):
        for name, peer in row["peers"].items():
            tried += 1
            assert row["agreement"](row["ours"](), peer()) < 1e-5, (row["name"], name)
    assert tried == 4


def test_x_transformers_agrees_under_masks():
    pytest.importorskip("x_transformers")
    for causal in (False, True):
        encoder, stack = benchmark.pair(32, 4, 2, causal=causal)
        x = torch.randn(2, 9, 32, generator=torch.Generator().manual_seed(0))
        keep = torch.arange(9) < torch.tensor([6, 9])[:, None]
        with torch.no_grad():
            assert torch.allclose(encoder(x, mask=keep)[keep], stack(x, keep[:, None, None])[keep], atol=1e-5)


# --- the traps --------------------------------------------------------------------------------------------------------
def test_a_bias_is_added_once():
    """The peer hands on scores to which the bias has been added: layer l adds it l times."""
    q, k, v = heads(layers=3, batch=(1, 2))
    bias = -torch.arange(6, dtype=double)
    assert close(ours(q, k, v, attn_mask=bias.expand(6, 6)), explicit(q, k, v, bias))
    attend = pytest.importorskip("x_transformers.attend").Attend(heads=2, dropout=0.0)
    previous = None
    for layer in range(3):
        out, between = attend(q[layer], k[layer], v[layer], attn_bias=bias.expand(2, 6, 6), prev_attn=previous)
        previous = between.pre_softmax_attn
    assert not torch.allclose(out, explicit(q, k, v, bias)[-1], atol=1e-3)
    assert torch.allclose(out, explicit(q, k, v, 3 * bias)[-1])


def test_a_masked_key_may_return_in_a_later_layer():
    """With masks in the scores that are handed on, a key masked in one layer would stay masked in all above."""
    q, k, v = heads(layers=2)
    band = torch.eye(6, dtype=torch.bool)
    _, memory = residual_attention(q[0], k[0], v[0], attn_mask=band)
    out, _ = residual_attention(q[1], k[1], v[1], memory)
    assert torch.allclose(out, explicit(q, k, v)[-1])
    assert not torch.allclose(out, v[1], atol=1e-2)


def test_all_layers_are_remembered():
    """A version of bert4keras adds the scores of the layer below only."""
    q, k, v = heads(layers=4)
    two = (residual_scores(q[2], k[2]) + residual_scores(q[3], k[3])).softmax(-1) @ v[3]
    assert not torch.allclose(ours(q, k, v)[-1], two, atol=1e-2)


def test_summed_queries_and_keys_are_something_else():
    q, k, v = heads(layers=3)
    summed = residual_scores(q.sum(0), k.sum(0))
    total = sum(residual_scores(a, b) for a, b in zip(q, k, strict=True))
    assert float((summed - total).abs().max()) > 1


def test_the_cross_terms_outweigh_the_wanted_ones():
    q, k, _ = heads(layers=5, n=200, m=200)
    total = sum(residual_scores(a, b) for a, b in zip(q, k, strict=True))
    unwanted = residual_scores(q.sum(0), k.sum(0)) - total
    assert abs(float(unwanted.norm() / total.norm()) - 2) < 0.4  # the square root of 5 - 1


def test_attention_sharpens_by_half_a_nat_a_layer_until_it_freezes():
    scores = torch.randn(24, 64, 2048, generator=torch.Generator().manual_seed(0), dtype=double).cumsum(0)
    found = [float(attention_entropy(scores[n - 1]).mean()) for n in (1, 2, 4, 24)]
    for n, entropy in zip((1, 2, 4), found, strict=False):
        assert abs(entropy - (math.log(2048) - n / 2)) < 0.2
    assert found[-1] > max(0.5, math.log(2048) - 24 / 2)  # far beyond 2 log N the line is below zero


def test_no_matrix_of_scores_is_stored():
    """In training, what autograd keeps of a layer grows with n, not with n times n."""

    def kept(n):
        sizes = []
        q, k, v = (x.requires_grad_() for x in heads(layers=2, n=n, m=n, batch=(1, 2), dtype=torch.float32))
        with torch.autograd.graph.saved_tensors_hooks(lambda t: (sizes.append(t.numel()), t)[1], lambda t: t):
            ours(q, k, v)
        return sum(sizes)

    assert kept(512) < 2.1 * kept(256)


def test_half_precision_masks_stay_finite():
    q, k, v = heads(layers=6, dtype=torch.float16)
    keep = torch.tensor([True] * 4 + [False] * 2)
    outs = ours(q, k, v, attn_mask=keep.expand(6, 6))
    exact = explicit(*(x.double() for x in (q, k, v)), keep.expand(6, 6))
    assert all(torch.isfinite(o).all() for o in outs)
    assert all(torch.allclose(o.double(), e, atol=0.02) for o, e in zip(outs, exact, strict=True))


# --- dtypes and bad input ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype, tol", [(torch.float32, 1e-5), (torch.bfloat16, 0.1)])
def test_dtypes(dtype, tol):
    q, k, v = heads(dtype=dtype)
    out = ours(q, k, v)[-1]
    assert out.dtype == dtype and out.device == q.device
    assert torch.allclose(out.double(), explicit(q.double(), k.double(), v.double())[-1], atol=tol)


def refuses(message, call, *args, **options):
    """Shapes that the signature rules out may be caught by its checker first."""
    with pytest.raises((ValueError, jaxtyping.TypeCheckError), match=f"{message}|Type-check"):
        call(*args, **options)


def test_bad_input():
    q, k, v = (x[0] for x in heads())
    refuses("same leading sizes", residual_attention, q[0], k, v)
    refuses("same leading sizes", inspect.unwrap(residual_attention), q[0], k, v)
    with pytest.raises(ValueError, match="either attn_mask or is_causal"):
        residual_attention(q, k, v, attn_mask=torch.ones(6, 6, dtype=torch.bool), is_causal=True)
    _, memory = residual_attention(q, k, v)
    with pytest.raises(ValueError, match="memory=None"):
        residual_attention(q[..., :5, :], k, v, memory)
    with pytest.raises(ValueError, match="float64"):
        residual_attention(q.float(), k.float(), v.float(), memory)
    with pytest.raises(ValueError, match="at least one dimension"):
        residual_attention(q[..., :0], k[..., :0], v)
    refuses("past scores of shape", residual_scores, q, k, torch.zeros(2, 3, 5, 6, dtype=double))
    with pytest.raises(ValueError, match="finite largest score"):
        attention_entropy(torch.full((4,), -math.inf))
    with pytest.raises(ValueError, match="at least 1"):
        ResidualAttention(0)
