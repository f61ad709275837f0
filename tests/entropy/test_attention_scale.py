"""Attention scaled with the logarithm of the keys that a query sees."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from spaces_core.entropy import key_counts, length_scale, length_scaled_attention


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype).unbind()


def plain(q, k, v, seen, train_len, floor=0.0):
    """Row by row, with the definition."""
    out = torch.empty_like(q)
    for i in range(len(q)):
        keys = seen[i].nonzero().flatten()
        factor = max(floor, math.log(len(keys)) / math.log(train_len))
        out[i] = (factor / q.shape[-1] ** 0.5 * k[keys] @ q[i]).softmax(0) @ v[keys]
    return out


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(2, 600), st.floats(0, 2), st.integers(0, 10**6))
def test_every_row_follows_its_own_number_of_keys(n, dim, train_len, floor, seed):
    q, k, v = draw(n, dim, seed=seed)
    seen = torch.rand(n, n, generator=torch.Generator().manual_seed(seed)) < 0.5
    seen[:, 0] = True
    out = length_scaled_attention(q, k, v, seen, train_len=train_len, floor=floor)
    torch.testing.assert_close(out, plain(q, k, v, seen, train_len, floor))


@given(st.integers(2, 10**6), st.integers(2, 10**4))
def test_equal_keys_and_one_gap_keep_their_weight_up_to_the_last_distractor(n, train_len):
    """weight of a key whose score leads by log(train_len): 1 / (1 + (n - 1) / n)"""
    gap = float(length_scale(torch.tensor(n, dtype=torch.float64), train_len)) * math.log(train_len)
    assert math.exp(gap) / (math.exp(gap) + n - 1) == pytest.approx(1 / (1 + (n - 1) / n), rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 3000), st.integers(2, 500))
def test_a_key_that_leads_by_log_of_the_trained_length_keeps_its_weight(n, train_len):
    """through the attention itself; without the factor less than train_len / n of the mass is left"""
    query = torch.full((1, 1), math.log(train_len), dtype=torch.float64)
    key = torch.zeros(n, 1, dtype=torch.float64)
    key[0] = 1
    kept = float(length_scaled_attention(query, key, key, scale=1.0, train_len=train_len))
    assert kept == pytest.approx(n / (2 * n - 1), rel=1e-9)
    assert float(F.scaled_dot_product_attention(query, key, key, scale=1.0)) < train_len / n


def test_a_finite_bias_hides_no_key():
    q, k, v = draw(3, 6, 4)
    bias = -30 * torch.rand(6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert key_counts(6, 6, bias).eq(6).all()
    expected = F.scaled_dot_product_attention(math.log(6) / math.log(4) * q, k, v, bias)
    torch.testing.assert_close(length_scaled_attention(q, k, v, bias, train_len=4), expected)


def test_agrees_with_scalable_softmax():
    peer = pytest.importorskip("scalable_softmax").ScalableSoftmax(s=1 / math.log(512), learn_scaling=False, bias=False)
    q, k, v = draw(2, 40, 16, dtype=torch.float32)
    theirs = peer(q @ k.mT / 4, dim=-1) @ v
    torch.testing.assert_close(length_scaled_attention(q, k, v), theirs, rtol=1e-5, atol=1e-6)


def test_padding_does_not_count_and_the_peer_counts_it():
    q, k, v = draw(10, 8, dtype=torch.float32)
    alone = length_scaled_attention(q, k[:6], v[:6], train_len=4)
    seen = torch.arange(10) < 6
    for mask in (
        seen[None],
        torch.zeros(1, 10).masked_fill(~seen, -torch.inf),
        torch.zeros(1, 10).masked_fill(~seen, -3e38),
        *(torch.zeros(10).masked_fill(~seen, hidden) for hidden in (-1e30, -1e9, -1e4)),
        seen,
    ):
        torch.testing.assert_close(length_scaled_attention(q, k, v, mask, train_len=4), alone)
    scores = (q @ k.mT / 8**0.5).masked_fill(~seen, -torch.inf)
    peer = pytest.importorskip("scalable_softmax").ScalableSoftmax(s=1 / math.log(4), learn_scaling=False, bias=False)
    assert (peer(scores, dim=-1) @ v - alone).abs().max() > 1e-2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_usual_hiding_numbers_hide_in_every_precision(dtype):
    mask = torch.zeros(10, dtype=dtype).masked_fill(torch.arange(10) >= 6, -1e4)
    assert key_counts(3, 10, mask).flatten().tolist() == [6] * 3


def test_a_mask_of_one_dimension_holds_for_heads_and_batches():
    q, k, v = draw(2, 3, 10, 8)
    out = length_scaled_attention(q, k, v, torch.arange(10) < 6, train_len=4)
    torch.testing.assert_close(out, length_scaled_attention(q, k[..., :6, :], v[..., :6, :], train_len=4))


def test_heads_in_groups_are_the_repeated_heads():
    q, k, v = draw(2, 4, 10, 8)
    k, v = k[:, :2], v[:, :2]
    for more in ({}, {"is_causal": True}, {"attn_mask": torch.arange(10) < 6}):
        grouped = length_scaled_attention(q, k, v, enable_gqa=True, train_len=4, **more)
        repeated = length_scaled_attention(q, *(x.repeat_interleave(2, 1) for x in (k, v)), train_len=4, **more)
        torch.testing.assert_close(grouped, repeated)


def test_causal_rows_count_what_they_see():
    q, k, v = draw(7, 4)
    out = length_scaled_attention(q, k, v, is_causal=True, train_len=5)
    torch.testing.assert_close(out, plain(q, k, v, torch.ones(7, 7).tril().bool(), 5))


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_decoding_with_a_cache_is_the_whole_sequence(chunk):
    q, k, v = draw(2, 12, 4)
    whole = length_scaled_attention(q, k, v, is_causal=True, train_len=5, floor=1.0)
    for start in range(0, 12, chunk):
        end = start + chunk
        step = length_scaled_attention(q[:, start:end], k[:, :end], v[:, :end], is_causal=True, train_len=5, floor=1.0)
        torch.testing.assert_close(step, whole[:, start:end])


def test_packed_documents_are_as_if_alone():
    q, k, v = draw(12, 4)
    document = torch.tensor([0] * 5 + [1] * 7)
    seen = (document[:, None] == document) & torch.ones(12, 12).tril().bool()
    packed = length_scaled_attention(q, k, v, seen, train_len=4)
    parts = [length_scaled_attention(q[d], k[d], v[d], is_causal=True, train_len=4) for d in (slice(5), slice(5, 12))]
    torch.testing.assert_close(packed, torch.cat(parts))


def test_cross_attention_counts_the_keys_of_the_other_sequence():
    q, k, v = draw(12, 4)
    assert key_counts(5, 12).flatten().tolist() == [12] * 5
    expected = F.scaled_dot_product_attention(math.log(12) / math.log(4) * q[:5], k, v)
    torch.testing.assert_close(length_scaled_attention(q[:5], k, v, train_len=4), expected)


@given(st.integers(2, 10**5), st.integers(2, 10**5))
def test_longrope_s_factor_on_queries_and_keys_is_this_one(train_len, longer):
    if longer >= train_len:
        both = math.sqrt(1 + math.log(longer / train_len) / math.log(train_len))
        n = torch.tensor(longer, dtype=torch.float64)
        assert both**2 == pytest.approx(float(length_scale(n, train_len)), rel=1e-9)


def test_one_key_gives_its_value():
    q, k, v = draw(1, 4)
    torch.testing.assert_close(length_scaled_attention(q, k, v), v)
    torch.testing.assert_close(length_scaled_attention(q, k, v, is_causal=True), v)


def test_the_floor_leaves_short_inputs_as_they_were():
    q, k, v = draw(20, 8)
    torch.testing.assert_close(
        length_scaled_attention(q, k, v, is_causal=True, train_len=20, floor=1.0),
        F.scaled_dot_product_attention(q, k, v, is_causal=True),
    )


def test_a_large_query_in_half_precision_does_not_overflow():
    q, k, v = (torch.full((4, 16), x, dtype=torch.float16) for x in (6e4, 1e-3, 1.0))
    out = length_scaled_attention(q, k, v, train_len=2)
    assert out.dtype == torch.float16 and out.isfinite().all()
    assert not (q * length_scale(4, 2).half()).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_other_precisions_agree_with_double(dtype):
    q, k, v = draw(2, 30, 16)
    out = length_scaled_attention(q.to(dtype), k.to(dtype), v.to(dtype))
    assert out.dtype == dtype
    near = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}[dtype]
    torch.testing.assert_close(out.double(), length_scaled_attention(q, k, v), rtol=near, atol=near)


def test_gradients_reach_all_three():
    parts = [x.requires_grad_() for x in draw(5, 3)]
    assert torch.autograd.gradcheck(lambda *x: length_scaled_attention(*x, is_causal=True, train_len=3), parts)


def test_counts():
    assert key_counts(2, 3).flatten().tolist() == [3, 3]
    mask = torch.tensor([[True, False, True]])
    assert key_counts(2, 3, mask).flatten().tolist() == [2, 2]
    assert key_counts(2, 3, mask[:, :1]).flatten().tolist() == [3, 3]
    assert length_scale(0) == 0 and length_scale(1, floor=0.5) == 0.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: length_scale(4, train_len=1), "at least 2"),
        (lambda: length_scale(4, train_len=math.nan), "finite"),
        (lambda: length_scale(4, train_len=math.inf), "finite"),
        (lambda: length_scale(4, floor=-1.0), "not negative"),
        (lambda: length_scale(4, floor=math.nan), "finite"),
        (lambda: length_scale(torch.tensor([3, -1])), "counts keys"),
        (lambda: length_scale(torch.tensor(math.nan)), "counts keys"),
        (lambda: key_counts(4, 3, is_causal=True), "as many keys"),
        (lambda: key_counts(3, 3, torch.ones(3, 3, dtype=torch.bool), is_causal=True), "either"),
        (lambda: key_counts(3, 4, torch.ones(3, 3, dtype=torch.bool)), "broadcast"),
        (lambda: key_counts(3, 3, torch.ones(3, 3, dtype=torch.int64)), "boolean or floating"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()
