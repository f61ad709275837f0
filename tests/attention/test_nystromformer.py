"""Nyström attention: the laws, the peers and their faults, each trap, bad input."""

import math
import subprocess
import sys
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from spaces_core.attention import (
    NystromAttention,
    iterative_pinv,
    mean_query_attention,
    nystrom_attention,
    nystrom_factors,
)
from spaces_core.attention.nystromformer import _check

pinv_peer = pytest.importorskip("nystrom_attention.nystrom_attention")


def heads(seed=0, batch=2, h=3, n=48, d=8, dtype=torch.float64, smooth=0.0):
    """Queries, keys and values, first-order autoregressive along the sequence."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(3, batch, h, n, d, generator=g, dtype=dtype)
    for t in range(1, n):
        x[..., t, :] = smooth * x[..., t - 1, :] + math.sqrt(1 - smooth**2) * x[..., t, :]
    return x.unbind(0)


def stochastic(seed=0, m=6, batch=(), dtype=torch.float64, scale=2.0):
    g = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(*batch, m, m, generator=g, dtype=dtype)).softmax(-1)


# --- the law ----------------------------------------------------------------------------------------------------------
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 40),
    landmarks=st.integers(1, 12),
    inverse=st.sampled_from(["iterated", "exact", "identity"]),
    real=st.integers(1, 40),
)
def test_it_is_the_product_of_its_factors_at_any_length_and_mask(seed, n, landmarks, inverse, real):
    q, k, v = heads(seed, batch=1, n=n)
    mask = torch.arange(n)[None] < min(real, n)
    f, a, b = nystrom_factors(q, k, mask, landmarks)
    for factor in (f, a, b):
        torch.testing.assert_close(factor.sum(-1), torch.ones(factor.shape[:-1], dtype=q.dtype))
    out = nystrom_attention(q, k, v, mask, landmarks, inverse=inverse)
    if min(real, n) <= landmarks:
        expected = scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
    else:
        middle = {"iterated": iterative_pinv, "exact": torch.linalg.pinv, "identity": torch.ones_like}[inverse](a)
        middle = torch.eye(a.shape[-1], dtype=a.dtype) if inverse == "identity" else middle
        expected = f @ middle @ b @ v
    expected = expected * mask[:, None, :, None]
    torch.testing.assert_close(out, expected, rtol=1e-8, atol=1e-8 * float(expected.abs().max() + 1))


@settings(max_examples=60, deadline=None)
@given(y=st.floats(1e-3, 1.0), steps=st.integers(1, 8))
def test_the_iteration_maps_the_error_as_derived(y, steps):
    e = 1 - y
    for _ in range(steps):
        e = 0.75 * e**3 + 0.25 * e**4
    a = torch.diag(torch.tensor([1.0, math.sqrt(y)], dtype=torch.float64))
    av = a @ iterative_pinv(a, steps)
    assert abs(1 - float(av[1, 1]) - e) < 1e-12


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7)])
def test_the_iteration_finds_the_pseudo_inverse(shape):
    a = torch.randn(4, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(iterative_pinv(a, 25), torch.linalg.pinv(a), rtol=1e-6, atol=1e-6)


def test_rows_sum_to_one_with_a_converged_inverse():
    q, k, _ = heads()
    ones = torch.ones(*q.shape[:-1], 1, dtype=q.dtype)
    torch.testing.assert_close(nystrom_attention(q, k, ones, landmarks=8, inverse="exact"), ones, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(nystrom_attention(q, k, ones, landmarks=8, inverse="identity"), ones)


def test_constant_queries_or_keys_are_exact():
    q, k, v = heads()
    for pair in ((q[:, :, :1].expand_as(q), k), (q, k[:, :, :1].expand_as(k))):
        exact = scaled_dot_product_attention(*pair, v)
        torch.testing.assert_close(nystrom_attention(*pair, v, landmarks=5, inverse="exact"), exact)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 40), segments=st.integers(1, 12), real=st.integers(0, 40))
def test_mean_queries_are_one_attention_a_segment(n, segments, real):
    q, k, v = heads(n=n)
    mask = torch.arange(n) < torch.tensor([[n], [min(real, n)]])
    out = mean_query_attention(q, k, v, mask, segments)
    assert out.isfinite().all()
    for row, size in enumerate((n, min(real, n))):
        part = [x[row : row + 1, :, :size] for x in (q, k, v)]
        assert not out[row, :, size:].any()
        if size == 0:
            continue
        if size <= segments:
            expected = scaled_dot_product_attention(*part)
        else:
            place = torch.arange(size) * segments // size
            means = torch.stack([part[0][:, :, place == a].mean(2) for a in range(segments)], 2)
            expected = scaled_dot_product_attention(means, *part[1:])[:, :, place]
        torch.testing.assert_close(out[row : row + 1, :, :size], expected)


def test_both_are_exact_where_queries_are_constant_on_segments_and_nystrom_where_keys_are():
    q, k, v = heads(n=48)
    steps = lambda x: x[:, :, :8].repeat_interleave(6, 2)  # noqa: E731
    exact = scaled_dot_product_attention(steps(q), k, v)
    torch.testing.assert_close(mean_query_attention(steps(q), k, v, segments=8), exact)
    torch.testing.assert_close(nystrom_attention(steps(q), k, v, landmarks=8, inverse="exact"), exact)
    exact = scaled_dot_product_attention(q, steps(k), v)
    torch.testing.assert_close(nystrom_attention(q, steps(k), v, landmarks=8, inverse="exact"), exact)
    assert (mean_query_attention(q, steps(k), v, segments=8) - exact).abs().max() > 0.1


def test_mean_queries_refuse_no_segments():
    with pytest.raises(ValueError, match="segments must be at least 1"):
        mean_query_attention(*heads(), segments=0)


# --- the peers --------------------------------------------------------------------------------------------------------
def lucidrains(n, mask=None, landmarks=8, **other):
    torch.manual_seed(0)
    module = pinv_peer.NystromAttention(
        dim=24, dim_head=8, heads=3, num_landmarks=landmarks, residual=False, **other
    ).eval()
    x = torch.randn(2, n, 24)
    q, k, v = (y.unflatten(-1, (3, 8)).transpose(1, 2) for y in module.to_qkv(x).chunk(3, -1))

    def ours(**options):
        out = nystrom_attention(q, k, v, mask, landmarks, **options)
        return module.to_out(out.transpose(1, 2).flatten(-2))

    return module, x, ours


def test_agrees_with_nystrom_attention_where_it_is_right():
    """A batch of one head, a length that divides: the only case in which its norms and segments are the paper's."""
    torch.manual_seed(0)
    module = pinv_peer.NystromAttention(dim=24, dim_head=8, heads=1, num_landmarks=8, residual=False).eval()
    x = torch.randn(1, 48, 24)
    q, k, v = (y[:, None] for y in module.to_qkv(x).chunk(3, -1))
    ours = module.to_out(nystrom_attention(q, k, v, landmarks=8)[:, 0])
    torch.testing.assert_close(ours, module(x), rtol=1e-4, atol=1e-5)


def test_agrees_with_its_pseudo_inverse():
    a = stochastic(m=8, batch=(1,))
    torch.testing.assert_close(
        iterative_pinv(a), pinv_peer.moore_penrose_iter_pinv(a.float()).double(), rtol=1e-4, atol=1e-4
    )


def hugging_face(n=48, landmarks=8, **other):
    from transformers import NystromformerConfig
    from transformers.models.nystromformer.modeling_nystromformer import NystromformerSelfAttention

    torch.manual_seed(0)
    config = NystromformerConfig(
        hidden_size=24, num_attention_heads=3, num_landmarks=landmarks, segment_means_seq_len=n, **other
    )
    module = NystromformerSelfAttention(config).eval()
    module.conv_kernel_size = None
    return module


def test_agrees_with_transformers_on_one_head():
    module = hugging_face()
    module.num_attention_heads, module.attention_head_size = 1, 24
    x = torch.randn(1, 48, 24)
    q, k, v = (layer(x)[:, None] for layer in (module.query, module.key, module.value))
    torch.testing.assert_close(nystrom_attention(q, k, v, landmarks=8)[:, 0], module(x)[0], rtol=1e-4, atol=1e-5)


# --- traps ------------------------------------------------------------------------------------------------------------
def test_a_row_does_not_depend_on_the_batch_and_the_peers_does():
    q, k, v = heads(batch=3)
    sharp = [torch.cat([y[:1], 6 * y[1:]]) for y in (q, k)]
    alone = nystrom_attention(q[:1], k[:1], v[:1], landmarks=8)
    torch.testing.assert_close(nystrom_attention(*sharp, v, landmarks=8)[:1], alone, rtol=1e-12, atol=1e-12)

    module, x, _ = lucidrains(48)
    x = torch.cat([x[:1], 20 * x[1:]])
    assert (module(x)[:1] - module(x[:1])).abs().max() > 1e-3
    hf = hugging_face()
    assert (hf(x)[0][:1] - hf(x[:1])[0]).abs().max() > 1e-3


@pytest.mark.parametrize("side", ["right", "left", "inside"])
def test_padding_changes_nothing_and_the_peers_output_it_does(side):
    q, k, v = heads(n=37)
    places = {"right": range(37), "left": range(24, 61), "inside": [*range(20), *range(44, 61)]}[side]
    mask = torch.zeros(2, 61, dtype=torch.bool)
    mask[:, list(places)] = True
    padded = []
    for y in (q, k, v):
        long = torch.full((2, 3, 61, 8), torch.nan, dtype=y.dtype)
        long[:, :, list(places)] = y
        padded.append(long)
    ours = nystrom_attention(*padded, mask, landmarks=8)
    torch.testing.assert_close(
        ours[:, :, list(places)], nystrom_attention(q, k, v, landmarks=8), rtol=1e-10, atol=1e-10
    )
    assert not ours[:, :, ~mask[0]].any()

    module, x, _ = lucidrains(37)
    long = torch.zeros(2, 61, 24)
    long[:, list(places)] = x
    assert (module(long, mask=mask)[:, list(places)] - module(x)).abs().max() > 1e-3


def test_a_mixed_batch_equals_each_sequence_alone():
    lengths = (61, 30, 8, 3, 1, 0)
    q, k, v = heads(batch=len(lengths), n=61)
    mask = torch.arange(61) < torch.tensor(lengths)[:, None]
    out = nystrom_attention(q, k, v, mask, landmarks=8)
    assert out.isfinite().all()
    for i, size in enumerate(lengths[:-1]):
        one = [y[i : i + 1, :, :size] for y in (q, k, v)]
        torch.testing.assert_close(out[i : i + 1, :, :size], nystrom_attention(*one, landmarks=8))
        if size <= 8:
            torch.testing.assert_close(out[i : i + 1, :, :size], scaled_dot_product_attention(*one))


def test_any_length_and_a_mask_where_transformers_stops():
    x = torch.randn(2, 50, 24)
    hf = hugging_face(n=48)
    with pytest.raises(RuntimeError):
        hf(x)
    with pytest.raises(RuntimeError):
        hf(x[:, :48], attention_mask=torch.zeros(2, 1, 48, 48))
    q, k, v = heads(n=50)
    assert nystrom_attention(q, k, v, torch.ones(2, 50, dtype=torch.bool), landmarks=8).isfinite().all()


def test_transformers_default_is_ordinary_attention():
    from transformers import NystromformerConfig

    config = NystromformerConfig()
    assert config.num_landmarks == config.segment_means_seq_len  # the condition under which it never approximates


def test_transformers_exact_start_reads_a_key_that_is_not_there():
    with pytest.raises((TypeError, KeyError, AttributeError)):
        hugging_face(inv_coeff_init_option=True)


def test_transformers_documents_a_kernel_of_none_and_refuses_it_where_ours_has_no_kernel():
    from transformers import NystromformerConfig

    with pytest.raises(Exception, match="conv_kernel_size"):
        NystromformerConfig(conv_kernel_size=None)


@pytest.mark.parametrize(("y", "count"), [(0.5, 3), (0.1, 4), (1e-2, 6), (1e-3, 8), (1e-4, 10), (1e-6, 14)])
def test_how_many_iterations_invert_a_direction(y, count):
    """Of two directions, the second with y of the first's squared singular value."""
    a = torch.diag(torch.tensor([1.0, y], dtype=torch.float64).sqrt())
    inverted = [float((a @ iterative_pinv(a, steps))[1, 1]) for steps in (count - 2, count)]
    assert inverted[0] < 0.9 <= inverted[1]


def test_on_white_noise_the_exact_inverse_is_worse_than_none_and_weights_turn_negative():
    q, k, _ = heads(batch=8, h=1, n=128, d=16)
    full = (q @ k.mT / 4).softmax(-1)
    f, a, b = nystrom_factors(q, k, landmarks=16)

    def error(m):
        return float(((f @ m @ b - full).flatten(1).norm(dim=1) / full.flatten(1).norm(dim=1)).median())

    assert error(torch.linalg.pinv(a)) > 1.2 * error(torch.eye(16, dtype=q.dtype)) > error(iterative_pinv(a))
    assert (f @ iterative_pinv(a) @ b < 0).any()


def test_a_singular_matrix_diverges_with_many_iterations_and_not_with_six():
    thin = stochastic(3, 8)[:, :3].softmax(-1) @ stochastic(4, 8)[:3]
    exact = torch.linalg.pinv(thin, rtol=1e-10)
    error = {s: float((iterative_pinv(thin, s) - exact).norm() / exact.norm()) for s in (6, 15, 45)}
    assert error[15] < 1e-6 and error[45] > 1e2 and error[6] < 1


def test_zero_and_tiny_matrices_stay_finite():
    assert not iterative_pinv(torch.zeros(2, 3, 3)).any()
    a = torch.stack([torch.zeros(3, 3), torch.eye(3)])
    torch.testing.assert_close(iterative_pinv(a)[1], torch.eye(3))


def test_scores_of_any_size_stay_finite():
    q, k, v = heads(dtype=torch.float32)
    assert nystrom_attention(300 * q, 300 * k, v, landmarks=8).isfinite().all()


def test_gradients():
    q, k, v = (y[:1, :1, :9, :2].clone().requires_grad_() for y in heads())
    mask = torch.tensor([[True] * 7 + [False] * 2])
    for inverse in ("iterated", "identity"):
        assert torch.autograd.gradcheck(
            lambda *x, i=inverse: nystrom_attention(*x, mask, landmarks=3, iterations=3, inverse=i), (q, k, v)
        )
    short = torch.tensor([[True] * 2 + [False] * 7])
    nystrom_attention(q, k, v, short, landmarks=3).sum().backward()
    assert all(y.grad.isfinite().all() for y in (q, k, v))


# --- the module in the place of nn.MultiheadAttention -----------------------------------------------------------------
def exact_and_ours(landmarks, bias=True, n=37):
    torch.manual_seed(0)
    exact = nn.MultiheadAttention(24, 3, bias=bias, batch_first=True).eval()
    for parameter in exact.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = NystromAttention(24, 3, landmarks, bias=bias).eval()
    ours.load_state_dict(exact.state_dict())
    return exact, ours, torch.randn(2, n, 24)


@pytest.mark.parametrize("bias", [True, False])
def test_the_module_is_multihead_attention_when_every_token_is_a_landmark(bias):
    exact, ours, x = exact_and_ours(37, bias)
    padding = torch.arange(37) >= torch.tensor([[37], [20]])
    for mask in (None, padding, torch.zeros(2, 37).masked_fill(padding, -torch.inf)):
        expected, _ = exact(x, x + 1, 2 * x, key_padding_mask=mask, need_weights=False)
        found, weights = ours(x, x + 1, 2 * x, key_padding_mask=mask, need_weights=False)
        real = torch.ones(2, 37, dtype=torch.bool) if mask is None else ~padding
        torch.testing.assert_close(found[real], expected[real], rtol=1e-4, atol=1e-5)
        assert weights is None
    torch.testing.assert_close(ours(x[0])[0], ours(x)[0][0])
    torch.testing.assert_close(ours(x[1], key_padding_mask=padding[1])[0][:20], ours(x[1:, :20])[0][0])


def test_the_modules_row_depends_on_neither_company_nor_padding():
    _, ours, x = exact_and_ours(8, n=50)
    long = torch.cat([torch.full((2, 30, 24), torch.nan), x], 1)
    long[1] = 9 * torch.randn(80, 24)
    padding = torch.arange(80) < torch.tensor([[30], [0]])
    together, _ = ours(long, key_padding_mask=padding)
    torch.testing.assert_close(together[0, 30:], ours(x[:1])[0][0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm_first", [False, True])
def test_the_module_in_a_torch_encoder_in_training_and_in_evaluation(norm_first):
    """The encoder's fused path would compute softmax attention with our weights; it stays closed."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(24, 4, 48, dropout=0.0, batch_first=True, norm_first=norm_first)
    exact = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    layer.self_attn = NystromAttention(24, 4, landmarks=4)
    ours = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    ours.load_state_dict(exact.state_dict())
    x, padding = torch.randn(2, 33, 24), torch.arange(33) >= torch.tensor([[33], [21]])
    trained = ours(x, src_key_padding_mask=padding)
    trained.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in ours.parameters())
    with torch.no_grad():
        at_rest = ours.eval()(x, src_key_padding_mask=padding)
        torch.testing.assert_close(at_rest[~padding], trained[~padding], rtol=1e-4, atol=1e-5)
        other = exact.eval()(x, src_key_padding_mask=padding)
        assert (other - at_rest)[~padding].abs().max() > 1e-3


def test_an_encoder_with_nested_tensors_is_refused_with_the_way_out():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(24, 4, 48, batch_first=True), 1).eval()
    encoder.layers[0].self_attn = NystromAttention(24, 4)
    with (
        torch.no_grad(),
        warnings.catch_warnings(action="ignore"),
        pytest.raises(ValueError, match="enable_nested_tensor=False"),
    ):
        encoder(torch.randn(2, 9, 24), src_key_padding_mask=torch.arange(9) >= torch.tensor([[9], [5]]))


ONE_GRAPH = """
import torch
from spaces_core.attention import NystromAttention
ours, x = NystromAttention(24, 3, 8), torch.randn(2, 37, 24)
padding = torch.arange(37) >= torch.tensor([[37], [5]])
compiled = torch.compile(ours, fullgraph=True, backend="eager")
torch.testing.assert_close(compiled(x, key_padding_mask=padding), ours(x, key_padding_mask=padding))
"""


def test_the_module_compiles_to_one_graph():
    """In a process of its own: here the shape checks of the tests stand between."""
    subprocess.run([sys.executable, "-c", ONE_GRAPH], check=True, timeout=120)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"need_weights": True}, "nystrom_factors"),
        ({"attn_mask": torch.zeros(37, 37)}, "key_padding_mask"),
        ({"is_causal": True}, "no causal form"),
        ({"key": torch.zeros(2, 5, 24)}, "of one shape"),
        ({"key_padding_mask": torch.full((2, 37), 0.5)}, "0 and -inf"),
        ({"key_padding_mask": torch.zeros(2, 37, dtype=torch.long)}, "boolean"),
        ({"key_padding_mask": torch.zeros(37, dtype=torch.bool)}, r"\(batch, n\)"),
    ],
)
def test_the_module_refuses_what_landmarks_cannot_serve(arguments, message):
    _, ours, x = exact_and_ours(8)
    with pytest.raises(ValueError, match=message):
        ours(x, **arguments)


@pytest.mark.parametrize(
    "sizes", [{"num_heads": 5}, {"num_heads": 0}, {"embed_dim": 0}, {"landmarks": 0}, {"iterations": -1}]
)
def test_the_modules_sizes_are_checked(sizes):
    with pytest.raises(ValueError, match="must be"):
        NystromAttention(**{"embed_dim": 24, "num_heads": 3, **sizes})


def test_the_modules_dtype_and_device():
    module = NystromAttention(24, 3, 8, dtype=torch.bfloat16)
    assert module(torch.randn(1, 20, 24, dtype=torch.bfloat16))[0].dtype == torch.bfloat16
    assert NystromAttention(24, 3, 8, device="meta")(torch.zeros(1, 20, 24, device="meta"))[0].device.type == "meta"


# --- dtypes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.1), (torch.float16, 0.02)])
def test_lower_precision_agrees_with_float64(dtype, tolerance):
    q, k, v = heads(smooth=0.9)
    low = nystrom_attention(*(y.to(dtype) for y in (q, k, v)), landmarks=8)
    assert low.dtype == dtype
    torch.testing.assert_close(low.double(), nystrom_attention(q, k, v, landmarks=8), rtol=0, atol=tolerance)


def test_device_and_leading_axes_are_kept():
    x = torch.zeros(1, 9, 4, device="meta")
    assert nystrom_attention(x, x, x, landmarks=3).device.type == "meta"
    q, k, v = heads()
    torch.testing.assert_close(
        nystrom_attention(q[:, 1], k[:, 1], v[:, 1], landmarks=8), nystrom_attention(q, k, v, landmarks=8)[:, 1]
    )


# --- bad input --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"is_causal": True}, "no causal form"),
        ({"landmarks": 0}, "landmarks must be at least 1"),
        ({"iterations": -1}, "iterations must be at least 0"),
        ({"inverse": "pinv"}, "inverse must be one of"),
    ],
)
def test_bad_options_are_explained(change, message):
    q, k, v = heads()
    with pytest.raises(ValueError, match=message):
        nystrom_attention(q, k, v, **change)


def test_bad_iterations_of_the_inverse():
    with pytest.raises(ValueError, match="at least 0"):
        iterative_pinv(torch.eye(2), -1)


def test_bad_shapes_are_explained():
    q, k, v = heads()
    bad = [
        ((q, k[:, :, :5], v, None, 8), "one sequence"),
        ((q[0, 0], k[0, 0], v[0, 0], None, 8), r"use q\[None\]"),
        ((q, k, v, torch.ones(2, 48), 8), "boolean"),
        ((q, k, v, torch.ones(48, dtype=torch.bool), 8), r"\(batch, n\)"),
        ((q[:, :, :0], k[:, :, :0], v[:, :, :0], None, 8), "empty"),
    ]
    for args, message in bad:
        with pytest.raises(ValueError, match=message):
            _check(*args)


def test_it_warns_of_nothing():
    q, k, v = heads()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nystrom_attention(q, k, v, landmarks=7)
