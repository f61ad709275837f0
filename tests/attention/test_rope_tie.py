"""Positions of mixed sequences: the three laws, transformers' Qwen2-VL as the peer, and the traps."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces_core.attention import (
    apply_angles,
    batch_positions,
    grid_layout,
    interleaved_angles,
    mixed_positions,
    section_angles,
)
from spaces_core.attention.rope_tie import SCHEMES

side = st.integers(1, 40)
scheme = st.sampled_from(SCHEMES)
centred = st.sampled_from(["tie", "tie_v2"])
segment = st.one_of(st.integers(0, 6), st.tuples(side, side))
double = torch.float64


def around(h, w, name, before=5, after=3):
    """Last text before an image, its patches `(h, w, 2)`, first text after."""
    positions, _ = mixed_positions([before, (h, w), after], name)
    patches = positions[before : before + h * w].reshape(h, w, 2)
    return positions[before - 1], patches, positions[before + h * w]


# --- the laws -----------------------------------------------------------------------------------
@given(st.integers(0, 50), scheme, st.sampled_from([2, 3]))
def test_text_alone_is_rope(n, name, axes):
    positions, following = mixed_positions([n], name, axes=axes)
    line = torch.arange(n, dtype=double)
    assert torch.equal(positions, line[:, None].expand(n, axes)) and following == n
    ordinary = line[:, None] * 10000.0 ** (-torch.arange(0, 16, 2, dtype=double) / 16)
    assert torch.equal(interleaved_angles(positions, 16), ordinary)
    sections = (3, 5) if axes == 2 else (2, 3, 3)
    assert torch.equal(section_angles(positions, 16, sections), ordinary)


@given(side, side, centred)
def test_symmetry(h, w, name):
    last, patches, first = around(h, w, name)
    assert torch.equal(patches[0, 0] - last, first - patches[-1, -1])
    assert torch.equal(last + first - patches, patches.flip(0, 1))
    transposed = around(w, h, name)[1]
    assert torch.equal(transposed, patches.transpose(0, 1).flip(-1))


@given(side, side)
def test_equivalence_and_unit_steps_of_v2(h, w):
    last, patches, first = around(h, w, "tie_v2")
    assert (first - last).tolist() == [h * w + 1] * 2
    assert bool((patches > last).all()) and bool((patches < first).all())
    assert bool((patches.diff(dim=0) == torch.tensor([1.0, 0.0])).all())
    assert bool((patches.diff(dim=1) == torch.tensor([0.0, 1.0])).all())


@given(side, side)
def test_v1_counts_an_image_as_a_grid_with_a_border(h, w):
    last, patches, first = around(h, w, "tie")
    assert (first - last).tolist() == [(h + 1) * (w + 1)] * 2
    assert (patches[0, 0] - last).tolist() == [w + 1, h + 1]
    assert torch.equal(patches, patches.round())


@given(side, side, side, centred)
def test_videos_are_symmetric(t, h, w, name):
    positions, _ = mixed_positions([2, (t, h, w), 1], name, axes=3)
    patches = positions[2:-1]
    assert torch.equal(positions[1] + positions[-1] - patches, patches.flip(0))
    if name == "tie_v2":
        assert (positions[-1] - positions[1]).tolist() == [t * h * w + 1] * 3


@given(st.lists(segment, max_size=5), scheme, st.floats(-100, 100).map(round))
def test_a_start_moves_everything(segments, name, start):
    positions, following = mixed_positions(segments, name)
    moved, later = mixed_positions(segments, name, start=start)
    assert torch.equal(moved, positions + start) and later == following + start
    assert len(positions) == sum(s if isinstance(s, int) else math.prod(s) for s in segments)


@given(st.lists(segment, max_size=4), st.lists(segment, max_size=4), scheme)
def test_pieces_join(one, other, name):
    left, following = mixed_positions(one, name)
    right, end = mixed_positions(other, name, start=following)
    whole, last = mixed_positions(one + other, name)
    assert torch.equal(whole, torch.cat([left, right])) and last == end


@given(st.lists(segment, max_size=5))
def test_flatten_and_v2_count_every_token_once(segments):
    flat, v2 = (mixed_positions(segments, name)[1] for name in ("flatten", "tie_v2"))
    assert flat == v2 == len(mixed_positions(segments, "flatten")[0])


def test_flatten_is_a_line():
    positions, _ = mixed_positions([2, (3, 4), 2], "flatten")
    assert torch.equal(positions, torch.arange(16, dtype=double)[:, None].expand(16, 2))


@given(side, side, st.sampled_from(["mrope", "tie", "tie_v2"]))
def test_an_image_is_the_same_on_two_axes_and_on_three(h, w, name):
    two, after = mixed_positions([3, (h, w), 1], name)
    three, later = mixed_positions([3, (h, w), 1], name, axes=3)
    given_as_video, _ = mixed_positions([3, (1, h, w), 1], name, axes=3)
    assert torch.equal(two, three[:, 1:]) and after == later
    assert torch.equal(three, given_as_video)
    if name != "mrope":
        assert bool((three[3:-1, 0] == (three[2, 0] + three[-1, 0]) / 2).all())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 400))
def test_scores_depend_on_differences_only(seed, shift):
    g = torch.Generator().manual_seed(seed)
    q, k = torch.randn(9, 16, generator=g, dtype=double), torch.randn(9, 16, generator=g, dtype=double)
    scores = []
    for start in (0, shift):
        positions, _ = mixed_positions([2, (2, 3), 1], start=start)
        angles = interleaved_angles(positions, 16)
        scores.append(apply_angles(q, angles) @ apply_angles(k, angles).T)
    torch.testing.assert_close(*scores, rtol=0, atol=1e-10)


def test_the_two_layouts_are_one_permutation_apart():
    x, angles = torch.randn(5, 8, dtype=double), torch.randn(5, 4, dtype=double)
    order = torch.arange(8).reshape(2, 4).T.flatten()
    half = apply_angles(x, angles, layout="half")
    assert torch.equal(half[:, order], apply_angles(x[:, order], angles))


# --- the peer -----------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def qwen():
    module = pytest.importorskip("transformers.models.qwen2_vl.modeling_qwen2_vl")

    class Vision:
        spatial_merge_size = 2

    class Config:
        vision_config = Vision

    class Peer:
        config = Config
        get_rope_index = module.Qwen2VLModel.get_rope_index
        get_vision_position_ids = module.Qwen2VLModel.get_vision_position_ids

    return Peer()


def tokens(row, merge=2):
    """Types of a row of segments in transformers' terms; grids before merging."""
    types, images, videos = [], [], []
    for s in row:
        if isinstance(s, int):
            types += [0] * s
        else:
            types += [1 if s[0] == 1 else 2] * math.prod(s)
            (images if s[0] == 1 else videos).append([s[0], merge * s[1], merge * s[2]])
    return types, images, videos


def batch(rows):
    made = [tokens(row) for row in rows]
    n = max(len(types) for types, _, _ in made)
    types, mask = torch.zeros(len(rows), n, dtype=torch.long), torch.zeros(len(rows), n, dtype=torch.long)
    for i, (row, _, _) in enumerate(made):
        types[i, n - len(row) :], mask[i, n - len(row) :] = torch.tensor(row), 1
    tables = [[grid for part in made for grid in part[k]] for k in (1, 2)]
    return types, *(torch.tensor(table) if table else None for table in tables), mask


small = st.integers(1, 4)
image = st.tuples(st.just(1), small, small)
short_video = st.tuples(small, small, small).filter(lambda g: 1 < g[0] <= max(g[1:]))
sentence = st.integers(1, 4)
row = st.lists(st.one_of(image, short_video), max_size=3).flatmap(
    lambda grids: st.lists(sentence, min_size=len(grids) + 1, max_size=len(grids) + 1).map(
        lambda texts: [x for pair in zip(texts, [*grids, 0], strict=True) for x in pair]
    )
)


@settings(max_examples=40, deadline=None)
@given(st.lists(row, min_size=1, max_size=3))
def test_mrope_is_that_of_transformers(qwen, rows):
    types, images, videos, mask = batch(rows)
    theirs, deltas = qwen.get_rope_index(torch.zeros_like(types), types, images, videos, mask)
    ours, more = batch_positions(types, images, videos, mask, scheme="mrope")
    assert torch.equal(ours, theirs.double())
    assert torch.equal(more, deltas.double())


def test_trap_text_after_a_long_video_does_not_stand_among_its_frames(qwen):
    types, images, videos, mask = batch([[2, (6, 2, 2), 1]])
    theirs, _ = qwen.get_rope_index(torch.zeros_like(types), types, images, videos, mask)
    ours, _ = batch_positions(types, images, videos, mask, scheme="mrope")
    assert int(theirs[0, 0, -1]) < int(theirs[0, 0, :-1].max())
    assert float(ours[0, 0, -1]) == float(ours[0, 0, :-1].max()) + 1


def rotary(dim=16, sections=(2, 3, 3)):
    from transformers.models.qwen2_vl.configuration_qwen2_vl import Qwen2VLTextConfig
    from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLRotaryEmbedding

    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": list(sections)}
    return Qwen2VLRotaryEmbedding(Qwen2VLTextConfig(hidden_size=2 * dim, num_attention_heads=2, rope_parameters=rope))


@pytest.mark.parametrize("name", SCHEMES)
def test_angles_and_rotation_are_those_of_qwen2_vl(qwen, name):
    from transformers.models.qwen2_vl.modeling_qwen2_vl import apply_rotary_pos_emb

    positions, _ = mixed_positions([3, (2, 3), 2, (3, 2, 2), 1], name, axes=3)
    q = torch.randn(1, 2, len(positions), 16)
    cos, sin = rotary()(q, positions.T[:, None])
    angles = section_angles(positions, 16, (2, 3, 3))
    torch.testing.assert_close(cos[0, :, :8], angles.cos().float(), rtol=0, atol=1e-5)
    theirs, _ = apply_rotary_pos_emb(q, q, cos, sin)
    torch.testing.assert_close(apply_angles(q, angles, layout="half"), theirs, rtol=0, atol=1e-5)


def test_interleaved_sections_are_those_of_qwen3_vl():
    configuration = pytest.importorskip("transformers.models.qwen3_vl.configuration_qwen3_vl")
    module = pytest.importorskip("transformers.models.qwen3_vl.modeling_qwen3_vl")
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]}
    config = configuration.Qwen3VLTextConfig(hidden_size=32, num_attention_heads=2, head_dim=16, rope_parameters=rope)
    positions, _ = mixed_positions([3, (2, 3), 2, (3, 2, 2), 1], "mrope", axes=3)
    cos, _ = module.Qwen3VLTextRotaryEmbedding(config)(torch.zeros(1), positions.T[:, None])
    angles = interleaved_angles(positions, 16, sections=(4, 2, 2))
    torch.testing.assert_close(cos[0, :, :8], angles.cos().float(), rtol=0, atol=1e-5)


def test_v2_runs_through_a_qwen2_vl_text_model(qwen):
    from transformers.models.qwen2_vl.configuration_qwen2_vl import Qwen2VLTextConfig
    from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLTextModel

    torch.manual_seed(0)
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
    config = Qwen2VLTextConfig(
        vocab_size=8, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, rope_parameters=rope, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        initializer_range=0.3,
    )  # fmt: skip
    model = Qwen2VLTextModel(config).eval()
    x = torch.randn(1, 9, 32)

    def run(p):
        return model(inputs_embeds=x, position_ids=p, use_cache=False).last_hidden_state

    with torch.no_grad():
        text, _ = batch_positions(torch.zeros(1, 9, dtype=torch.long))
        torch.testing.assert_close(run(text), run(None))
        types = torch.tensor([[0, 0, 1, 1, 1, 1, 1, 1, 0]])
        grid = torch.tensor([[1, 4, 6]])
        mixed, _ = batch_positions(types, grid)
        moved = run(mixed + 7)
        torch.testing.assert_close(run(mixed), moved, rtol=0, atol=1e-4)
        assert not torch.allclose(run(mixed), run(text), atol=1e-3)


# --- the traps ----------------------------------------------------------------------------------
@given(side, side)
def test_trap_half_positions_are_kept(h, w):
    beta, _, _ = grid_layout((h, w), 0)
    assert (beta[0] % 1 == 0.5) == (h * (w - 1) % 2 == 1)
    last, patches, first = around(h, w, "tie_v2")
    if beta[0] % 1:
        cut = patches.long()
        assert not torch.equal((cut[0, 0] - last)[0], (first - cut[-1, -1])[0])


@given(side, side, st.integers(-1, 1000), st.sampled_from(["mrope", "tie", "tie_v2"]))
def test_trap_patches_never_reach_back_into_the_text(h, w, last, name):
    beta, gamma, following = grid_layout((h, w), last, name)
    assert min(beta) >= last
    assert max(b + g * n for b, g, n in zip(beta, gamma, (h, w), strict=True)) < following


@given(st.tuples(side, side), st.tuples(side, side), st.sampled_from(["mrope", "tie", "tie_v2"]))
def test_trap_neighbouring_images_do_not_collide(one, other, name):
    positions, _ = mixed_positions([1, one, other, 1], name)
    first, second = positions[1 : 1 + math.prod(one)], positions[1 + math.prod(one) : -1]
    assert bool((first.max(0).values < second.min(0).values).all())


@given(side, side, st.sampled_from(["mrope", "tie_v2"]))
def test_trap_a_crop_keeps_its_spacing_except_in_v1(h, w, name):
    def steps(columns, kind):
        return around(h + 1, columns, kind)[1][:, 0, 0].diff()

    assert torch.equal(steps(w, name), steps(w + 1, name))
    assert not torch.equal(steps(w, "tie"), steps(w + 1, "tie"))


def test_trap_x_is_the_row():
    _, patches, _ = around(2, 5, "tie_v2")
    assert patches[1, 0, 0] - patches[0, 0, 0] == 1 and patches[0, 1, 1] - patches[0, 0, 1] == 1


def test_trap_the_first_patch_counts_from_the_text_before():
    """The figure of v2 was once drawn without L."""
    for before in (1, 7, 100):
        last, patches, _ = around(16, 16, "tie_v2", before=before)
        assert (patches[0, 0] - last).tolist() == [121, 121]


@pytest.mark.parametrize(
    "name, square, wide", [("tie", 289, 825), ("tie_v2", 257, 769), ("mrope", 17, 33), ("flatten", 257, 769)]
)
def test_lengths(name, square, wide):
    for (h, w), expected in (((16, 16), square), ((24, 32), wide), ((32, 24), wide)):
        last, _, first = around(h, w, name)
        assert (first - last).tolist() == [expected] * 2


def test_trap_shared_frequencies_would_change_text():
    """Frequencies in pairs, one for rows and one for columns, are not those of a text model."""
    text = mixed_positions([4])[0]
    shared = text[..., torch.arange(8) % 2] * 10000.0 ** (-4 * (torch.arange(8) // 2) / 16)
    assert not torch.allclose(interleaved_angles(text, 16), shared)


# --- precision, dtype, device -------------------------------------------------------------------
@pytest.mark.parametrize("dtype, atol", [(torch.float32, 1e-6), (torch.bfloat16, 0.02), (torch.float16, 2e-3)])
def test_low_precision_far_from_the_start(dtype, atol):
    positions, _ = mixed_positions([2, (2, 3), 1], start=1_000_000)
    x = torch.randn(9, 16, dtype=double)
    exact = apply_angles(x, interleaved_angles(positions, 16))
    low = apply_angles(x.to(dtype), interleaved_angles(positions, 16))
    assert low.dtype == dtype
    assert float((low.double() - exact).abs().max()) < atol * float(x.abs().max()) * 2


def test_float32_positions_are_exact():
    one, _ = mixed_positions([1000, (31, 32), 5])
    other, _ = mixed_positions([1000, (31, 32), 5], dtype=torch.float32)
    assert other.dtype == torch.float32 and torch.equal(one, other.double())
    assert torch.equal(interleaved_angles(one, 16), interleaved_angles(other, 16))


def test_device_is_kept():
    positions, _ = mixed_positions([1, (2, 2)], device="meta")
    assert positions.device.type == interleaved_angles(positions, 8).device.type == "meta"


def test_gradient_passes():
    x = torch.randn(3, 4, dtype=double, requires_grad=True)
    angles = interleaved_angles(mixed_positions([3])[0], 4)
    assert torch.autograd.gradcheck(lambda v: apply_angles(v, angles), (x,))


def test_trap_whole_numbers_of_numpy_and_torch_are_whole_numbers():
    plain, _ = mixed_positions([3, (2, 4), 1])
    for kind in (np.int64, np.int32, torch.tensor):
        other, following = mixed_positions([kind(3), (kind(2), kind(4)), kind(1)])
        assert torch.equal(plain, other) and following == 12
    integers = torch.arange(4, dtype=torch.int16)[:, None].expand(4, 2)
    assert torch.equal(interleaved_angles(integers, 8), interleaved_angles(integers.double(), 8))


# --- bad input ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: mixed_positions([1], "v3"), "one of flatten"),
        (lambda: mixed_positions([1], axes=4), "axes must be 2"),
        (lambda: mixed_positions([-1]), "at least 0"),
        (lambda: mixed_positions([True]), "at least 0"),
        (lambda: mixed_positions([(2, 0)]), "at least 1"),
        (lambda: mixed_positions([(2,)]), "rows, columns"),
        (lambda: mixed_positions([(2, 2, 2)]), "needs axes=3"),
        (lambda: mixed_positions([1], dtype=torch.bfloat16), "float32 or float64"),
        (lambda: mixed_positions([1], dtype=torch.long), "float32 or float64"),
        (lambda: grid_layout((2, 2), 0, "flatten"), "one of mrope"),
        (lambda: interleaved_angles(torch.zeros(1, 2), 3), "even"),
        (lambda: interleaved_angles(torch.zeros(1, 2), 4, base=1.0), "above 1"),
        (lambda: interleaved_angles(torch.zeros(1, 2), 4, sections=(1, 2)), "add up to"),
        (lambda: section_angles(torch.zeros(1, 2), 4, (1, 2)), "add up to"),
        (lambda: section_angles(torch.zeros(1, 2), 4, (2,)), "2 numbers"),
        (lambda: apply_angles(torch.zeros(1, 4), torch.zeros(1, 4)), "half as many"),
        (lambda: apply_angles(torch.zeros(1, 4), torch.zeros(1, 2), layout="split"), "layout"),
        (lambda: interleaved_angles(torch.zeros(1, 2).bfloat16(), 4), "which rounds them"),
        (lambda: section_angles(torch.zeros(1, 2).half(), 4, (1, 1)), "which rounds them"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize(
    "types, images, options, words",
    [
        ([[0, 1, 1]], [[1, 4, 4]], {}, "2 consecutive tokens"),
        ([[0, 1]], None, {}, "fewer rows"),
        ([[0, 0]], [[1, 2, 2]], {}, "more rows"),
        ([[0, 3]], None, {}, "must be 0"),
        ([[0, 1]], [[1, 3, 2]], {}, "divisible"),
        ([[0, 1, 1]], [[1, 2, 2], [1, 2, 2]], {}, "between neighbouring images"),
        ([[0, 0]], None, {"attention_mask": torch.ones(1, 3)}, "shape"),
    ],
)
def test_bad_batches(types, images, options, words):
    with pytest.raises(ValueError, match=words):
        batch_positions(torch.tensor(types), None if images is None else torch.tensor(images), **options)
