"""RoPE: the relative law, three peers, and the traps of casts, offsets and layouts."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces_core.attention import (
    RotaryEmbedding,
    apply_rope,
    rope_angles,
    rope_kernel,
    rope_linear_attention,
    smallest_base,
    to_layout,
)
from spaces_core.attention.rope import extended_frequencies

double = torch.float64
layout = st.sampled_from(["interleaved", "half"])


def normal(*shape, seed=0, dtype=double):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_hand(x, positions, base=10000.0, layout="interleaved"):
    """The definition, one 2 × 2 matrix at a time."""
    out, d = torch.empty_like(x), x.shape[-1]
    for i in range(d // 2):
        angle = positions.to(x.dtype) * base ** (-2 * i / d)
        a, b = (2 * i, 2 * i + 1) if layout == "interleaved" else (i, i + d // 2)
        out[..., a] = x[..., a] * angle.cos() - x[..., b] * angle.sin()
        out[..., b] = x[..., a] * angle.sin() + x[..., b] * angle.cos()
    return out


# --- the laws -----------------------------------------------------------------------------------
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), layout, st.integers(-1000, 1000), st.integers(-1000, 1000), st.floats(1.5, 1e6))
def test_scores_see_differences_only(half, name, m, n, base):
    q, k = normal(1, 2 * half), normal(1, 2 * half, seed=1)

    def score(i, j):
        ends = (apply_rope(x, torch.tensor([p]), base=base, layout=name) for x, p in ((q, i), (k, j)))
        return float((next(ends) * next(ends)).sum())

    assert score(m, n) == pytest.approx(score(m + 37, n + 37), abs=1e-9)
    assert score(m, n) == pytest.approx(score(m - n, 0), abs=1e-9)
    assert float(apply_rope(q, torch.tensor([m]), base=base).norm()) == pytest.approx(float(q.norm()))


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 6), layout, st.integers(0, 5000))
def test_the_definition_by_hand(half, name, offset):
    x = normal(2, 3, 5, 2 * half)
    expected = by_hand(x, torch.arange(5) + offset, layout=name)
    torch.testing.assert_close(apply_rope(x, offset=offset, layout=name), expected, atol=1e-10, rtol=0)
    torch.testing.assert_close(RotaryEmbedding(2 * half, layout=name)(x, offset=offset), expected, atol=1e-10, rtol=0)


def test_position_ids_of_a_batch_turn_each_row_by_its_own():
    x, ids = normal(2, 3, 4, 8), torch.tensor([[0, 1, 2, 3], [7, 7, 0, 2]])
    rows = torch.stack([apply_rope(x[r], ids[r]) for r in range(2)])
    assert torch.equal(apply_rope(x, ids), rows)
    assert torch.equal(RotaryEmbedding(8)(x, ids), rows)
    torch.testing.assert_close(apply_rope(x, ids / 2)[1, :, 3], apply_rope(x, offset=-2)[1, :, 3])


def test_decoding_with_offsets_is_the_whole_sequence():
    rope, x = RotaryEmbedding(8), normal(2, 9, 8)
    whole = rope(x)
    steps = torch.cat([rope(x[:, i : i + 1], offset=i) for i in range(9)], 1)
    torch.testing.assert_close(whole, steps, atol=1e-12, rtol=0)
    torch.testing.assert_close(RotaryEmbedding(8)(x, offset=10**9), apply_rope(x, offset=10**9))


def test_gradient():
    x = normal(2, 3, 4).requires_grad_()
    for name in ("interleaved", "half"):
        assert torch.autograd.gradcheck(lambda t, name=name: apply_rope(t, offset=3, layout=name), x)


# --- the peers ----------------------------------------------------------------------------------
def test_rotary_embedding_torch():
    peer = pytest.importorskip("rotary_embedding_torch").RotaryEmbedding(32)
    x = normal(2, 3, 40, 32, dtype=torch.float32)
    torch.testing.assert_close(RotaryEmbedding(32)(x), peer.rotate_queries_or_keys(x), atol=1e-5, rtol=0)


def test_x_transformers():
    peer = pytest.importorskip("x_transformers.x_transformers")
    x = normal(2, 3, 40, 32, dtype=torch.float32)
    freqs, scale = peer.RotaryEmbedding(32).forward_from_seq_len(40)
    expected = peer.apply_rotary_pos_emb(x, freqs, scale)
    torch.testing.assert_close(RotaryEmbedding(32)(x), expected, atol=1e-5, rtol=0)


def llama(dim, x, positions):
    peer = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = peer.LlamaConfig(hidden_size=dim, num_attention_heads=1)
    cos, sin = peer.LlamaRotaryEmbedding(config)(x, positions)
    return peer.apply_rotary_pos_emb(x, x, cos, sin)[0]


def test_transformers_llama_is_half():
    x = normal(2, 3, 40, 32, dtype=torch.float32)
    expected = llama(32, x, torch.arange(40)[None])
    torch.testing.assert_close(RotaryEmbedding(32, layout="half")(x), expected, atol=1e-5, rtol=0)
    assert float((RotaryEmbedding(32)(x) - expected).abs().max()) > 1  # the other layout is another function


def test_transformers_roformer_is_interleaved():
    peer = pytest.importorskip("transformers.models.roformer.modeling_roformer")
    x = normal(2, 3, 40, 32, dtype=torch.float32)
    table = peer.RoFormerSinusoidalPositionalEmbedding(40, 32)
    table.weight.data.copy_(
        torch.cat((rope_angles(torch.arange(40), 32).sin(), rope_angles(torch.arange(40), 32).cos()), -1)
    )
    expected = peer.RoFormerSelfAttention.apply_rotary_position_embeddings(table.weight[None, None], x, x)[0]
    torch.testing.assert_close(apply_rope(x), expected, atol=2e-6, rtol=0)


# --- the traps ----------------------------------------------------------------------------------
def test_layouts_differ_by_a_permutation_of_the_weights():
    x, w_q, w_k = normal(5, 12), normal(12, 12, seed=1), normal(12, 12, seed=2)

    def scores(w_q, w_k, name):
        q, k = ((x @ w.T).unflatten(-1, (2, 6)).transpose(0, 1) for w in (w_q, w_k))
        return apply_rope(q, layout=name) @ apply_rope(k, layout=name).mT

    ours = scores(w_q, w_k, "interleaved")
    torch.testing.assert_close(scores(to_layout(w_q, 2, "half"), to_layout(w_k, 2, "half"), "half"), ours)
    assert float((scores(w_q, w_k, "half") - ours).abs().max()) > 0.1
    assert torch.equal(to_layout(to_layout(w_q, 2, "half"), 2, "interleaved"), w_q)


def test_no_cast_destroys_the_table():
    x, offset = normal(1, 1, 4, 64), 5000
    exact = apply_rope(x, offset=offset)
    for cast in ("bfloat16", "half"):
        rope = getattr(RotaryEmbedding(64), cast)()
        y = x.to(torch.bfloat16 if cast == "bfloat16" else torch.half)
        out = rope(y, offset=offset)
        assert out.dtype == y.dtype
        assert float((out.double() - exact).abs().max()) < 0.03  # one rounding of the input, one of the output
        assert float((rope(x, offset=offset) - exact).abs().max()) < 1e-12
    peer = pytest.importorskip("rotary_embedding_torch").RotaryEmbedding(64, cache_if_possible=False).bfloat16()
    theirs = peer.rotate_queries_or_keys(x.bfloat16(), offset=offset)
    assert float((theirs.double() - exact).abs().max()) > 1


def test_a_million_positions_in_float32():
    x, offset = normal(1, 1, 4, 64), 10**6
    exact = apply_rope(x, offset=offset)
    ours = RotaryEmbedding(64)(x.float(), offset=offset)
    assert float((ours.double() - exact).abs().max()) < 1e-6
    peer = pytest.importorskip("rotary_embedding_torch").RotaryEmbedding(64, cache_if_possible=False)
    assert float((peer.rotate_queries_or_keys(x.float(), offset=offset).double() - exact).abs().max()) > 1e-3


def test_tables_are_no_state_and_follow_the_dtype():
    rope = RotaryEmbedding(8)
    x = normal(3, 8)
    rope(x.float())
    torch.testing.assert_close(rope(x), apply_rope(x), atol=0, rtol=0)  # a float32 table must not serve float64
    assert not rope.state_dict() and not list(rope.parameters()) and not list(rope.buffers())
    assert torch.equal(copy.deepcopy(rope)(x), rope(x))
    assert rope(x.float()).dtype == torch.float32 and rope(x.float()).device == x.device


@pytest.mark.parametrize("name", ["interleaved", "half"])
def test_a_table_made_in_evaluation_serves_training(name):
    rope = RotaryEmbedding(8, layout=name)
    x = normal(3, 8)
    with torch.inference_mode():
        rope(x)
    w = torch.ones(8, dtype=double, requires_grad=True)
    rope(x * w).sum().backward()
    expected = torch.autograd.grad(apply_rope(x * w, layout=name).sum(), w)[0]
    torch.testing.assert_close(w.grad, expected)


def test_the_input_is_left_alone():
    for name in ("interleaved", "half"):
        x = normal(3, 8)
        kept = x.clone()
        apply_rope(x, layout=name)
        assert torch.equal(x, kept)


# --- linear attention ---------------------------------------------------------------------------
def plain(q, k, v, causal):
    """The quotient with all pairs written out."""
    f, g = (torch.nn.functional.elu(x) + 1 for x in (q, k))
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=q.dtype)
    mask = mask.tril() if causal else mask
    top, below = apply_rope(f) @ apply_rope(g).mT * mask, f @ g.mT * mask
    return top @ v / below.sum(-1, keepdim=True)


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 20), st.integers(1, 7), st.booleans())
def test_linear_attention_is_the_quadratic_one(n, chunk, causal):
    q, k, v = normal(2, n, 6), normal(2, n, 6, seed=1), normal(2, n, 3, seed=2)
    out = rope_linear_attention(q, k, v, causal=causal, chunk=chunk)
    torch.testing.assert_close(out, plain(q, k, v, causal))


def test_trap_turned_weights_are_no_probabilities():
    """Rows of the turned weights do not add up to one, and a weight may be negative."""
    q, k = normal(12, 2, seed=3), normal(12, 2, seed=4)
    weights = rope_linear_attention(q, k, torch.eye(12, dtype=double))
    assert float((weights.sum(1) - 1).abs().min()) > 1e-3 and float(weights.min()) < 0
    f, g = (torch.nn.functional.elu(x) + 1 for x in (q, k))
    below = (f @ g.T).sum(1, keepdim=True)
    assert bool((weights * below <= f.norm(dim=1)[:, None] * g.norm(dim=1) + 1e-12).all())


def test_causal_linear_attention_does_not_look_ahead():
    q, k, v = normal(9, 6), normal(9, 6, seed=1), normal(9, 3, seed=2)
    first = rope_linear_attention(q, k, v, causal=True, chunk=4)[:5]
    torch.testing.assert_close(first, rope_linear_attention(q[:5], k[:5], v[:5], causal=True, chunk=4))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("causal", [True, False])
def test_trap_sums_over_many_tokens_do_not_overflow(dtype, causal):
    """In float16 the denominator passes 65504 after about a thousand tokens, and quotients by inf are zeros."""
    q, k, v = (normal(3000, 64, seed=s).to(dtype) for s in range(3))
    out = rope_linear_attention(q, k, v, causal=causal)
    exact = rope_linear_attention(q.double(), k.double(), v.double(), causal=causal)
    assert out.dtype == dtype and bool(out.isfinite().all())
    error = (out.double() - exact).square().mean() / exact.square().mean()
    assert float(error.sqrt()) < torch.finfo(dtype).eps


# --- decay --------------------------------------------------------------------------------------
def test_trap_the_indicator_is_not_monotone():
    turns = torch.exp(1j * rope_angles(torch.arange(257), 128)).cumsum(-1).abs().mean(-1)
    assert float(turns[0]) == 32.5 and float(turns[256]) == pytest.approx(6.54, abs=0.01)
    assert int((turns.diff() > 0).sum()) == 115


def test_trap_random_content_does_not_decay_and_abel_says_nothing():
    q, k = normal(2000, 64), normal(2000, 64, seed=1)
    pairs = torch.view_as_complex(q.unflatten(1, (-1, 2))) * torch.view_as_complex(k.unflatten(1, (-1, 2))).conj()
    trivial = pairs.abs().sum(1).mean()
    steps = torch.cat([pairs.diff(dim=1), pairs[:, -1:]], 1).abs().amax(1).mean()
    for distance in (1, 17, 200):
        score = (apply_rope(q[:, None], offset=distance)[:, 0] * k).sum(1)
        assert float(score.square().mean()) == pytest.approx(64, rel=0.15)
        bound = steps * torch.exp(1j * rope_angles(torch.tensor(distance), 64)).cumsum(0).abs().sum()
        assert float(bound) > 5 * float(trivial)


# --- longer contexts ----------------------------------------------------------------------------
@settings(deadline=None, max_examples=25)
@given(st.integers(2, 20), st.floats(1, 64), st.sampled_from(["linear", "ntk", "yarn"]), st.integers(1, 5000))
def test_frequencies_stay_between_plain_and_interpolated(half, factor, method, length):
    plain = rope_angles(torch.ones((), dtype=double), 2 * half)
    found = extended_frequencies(2 * half, factor, method=method, length=length)
    assert bool((found <= plain * (1 + 1e-12)).all()) and bool((found >= plain / factor * (1 - 1e-12)).all())
    torch.testing.assert_close(extended_frequencies(2 * half, 1.0, method=method, length=length), plain)


def test_ntk_slows_the_last_pair_only_and_yarn_keeps_the_fast_ones():
    plain = rope_angles(torch.ones((), dtype=double), 64)
    ntk = extended_frequencies(64, 8.0, method="ntk")
    assert float(ntk[0]) == 1 and float(ntk[-1]) == pytest.approx(float(plain[-1]) / 8)
    yarn, turns = extended_frequencies(64, 8.0, length=2048), 2048 * plain / (2 * torch.pi)
    assert torch.equal(yarn[turns > 32], plain[turns > 32])
    torch.testing.assert_close(yarn[turns < 1], plain[turns < 1] / 8)


def peer_frequencies(kind, **more):
    peer = pytest.importorskip("transformers.modeling_rope_utils").ROPE_INIT_FUNCTIONS[kind]
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    rope = {"rope_type": kind, "rope_theta": 10000.0, "factor": 8.0, **more}
    sizes = {"hidden_size": 64, "num_attention_heads": 1, "max_position_embeddings": 2048}
    return peer(llama.LlamaConfig(**sizes, rope_parameters=rope), torch.device("cpu"))[0].double()


def test_transformers_extends_the_same_way():
    linear = extended_frequencies(64, 8.0, method="linear")
    torch.testing.assert_close(peer_frequencies("linear"), linear, atol=1e-7, rtol=1e-5)
    theirs = peer_frequencies("yarn", original_max_position_embeddings=2048)
    ours, turns = extended_frequencies(64, 8.0, length=2048), 2048 * 8 * linear / (2 * torch.pi)
    outside = (turns > 40) | (turns < 0.5)  # their ramp is linear in the number of the pair
    torch.testing.assert_close(theirs[outside], ours[outside], atol=1e-7, rtol=1e-5)


# --- bases --------------------------------------------------------------------------------------
def test_first_negative_distance_of_the_usual_base():
    values = rope_kernel(torch.arange(2000), 128)
    assert int((values < 0).nonzero()[0]) == 1707


def test_smallest_base_is_feasible_and_the_set_is_no_interval():
    base = smallest_base(1024, 128, start=4000.0)
    assert 4293 < base < 4294  # the first whole number is 4294
    assert bool((rope_kernel(torch.arange(1024), 128, base) >= 0).all())
    assert bool((rope_kernel(torch.arange(1024), 128, base * 0.999) < 0).any())
    assert bool((rope_kernel(torch.arange(2048), 128, 11592.0) >= 0).all())
    assert float(rope_kernel(torch.tensor(1554), 128, 12000.0)) < 0


# --- bad input ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: apply_rope(normal(3, 5)), "even"),
        (lambda: RotaryEmbedding(0), "even"),
        (lambda: RotaryEmbedding(8, base=1), "base"),
        (lambda: RotaryEmbedding(8, base=float("nan")), "base"),
        (lambda: apply_rope(normal(3, 4), layout="neox"), "layout"),
        (lambda: to_layout(normal(3, 4), 2, "half"), "rows"),
        (lambda: apply_rope(normal(3, 4), torch.arange(2)), "position_ids"),
        (lambda: apply_rope(normal(2, 3, 4), torch.zeros(3, 3)), "position_ids"),
        (lambda: apply_rope(normal(3, 4), torch.arange(3).bfloat16()), "rounds"),
        (lambda: rope_linear_attention(normal(3, 4), normal(2, 4), normal(2, 4), causal=True), "causal"),
        (lambda: rope_linear_attention(normal(3, 4), normal(3, 4), normal(3, 4), chunk=0), "chunk"),
        (lambda: smallest_base(10, 8, start=1.0), "start"),
        (lambda: smallest_base(0, 8), "length"),
        (lambda: to_layout(normal(4, 4), 0, "half"), "heads"),
        (lambda: apply_rope(normal(3, 4), offset=float("inf")), "finite"),
        (lambda: RotaryEmbedding(4)(normal(3, 4), offset=float("inf")), "finite"),
        (lambda: RotaryEmbedding(4)(normal(3, 4), offset=float("nan")), "finite"),
        (lambda: extended_frequencies(8, 0.5), "factor"),
        (lambda: extended_frequencies(8, 2.0), "length"),
        (lambda: extended_frequencies(2, 2.0, method="ntk"), "slowest"),
        (lambda: extended_frequencies(8, 2.0, method="dynamic"), "method"),
        (lambda: extended_frequencies(8, 2.0, length=9, beta_fast=1.0), "ramp"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
