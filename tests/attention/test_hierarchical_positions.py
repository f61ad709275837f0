"""Hierarchical positions: the closed form as a law, the published form as the peer, and the traps."""

import subprocess
import sys

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from spaces_core.attention import extend_positions, extend_table, hierarchical_lookup, interpolate_table

double = torch.float64
weight = st.floats(0.01, 0.49) | st.floats(0.51, 0.95)
SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8, "vocab_size": 11}


def table_of(n, d=5, seed=0, dtype=double):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def published(table, positions, alpha):
    """The post's form: solve for u, then two looked-up rows, weighted."""
    u = (table - alpha * table[:1]) / (1 - alpha)
    n = len(table)
    return alpha * u[positions // n] + (1 - alpha) * u[positions % n]


# --- the law ------------------------------------------------------------------------------------
@settings(deadline=None)
@given(st.integers(2, 9), weight, st.integers(0, 99))
def test_blocks_are_translations(n, alpha, seed):
    table = table_of(n, seed=seed)
    longer = extend_table(table, n * n, alpha).reshape(n, n, -1)
    assert torch.equal(longer[0], table)
    moved = longer - table
    torch.testing.assert_close(moved, moved[:, :1].expand_as(moved))
    ratio = alpha / (1 - alpha)
    torch.testing.assert_close(moved[:, 0], ratio * (table - table[0]))
    swapped = longer - longer.transpose(0, 1)
    torch.testing.assert_close(swapped, (1 - ratio) * (table[None] - table[:, None]))


@settings(deadline=None)
@given(st.integers(2, 5), st.tuples(st.floats(0.05, 0.2), st.floats(0.21, 0.3)))
def test_three_digits(n, weights):
    table = table_of(n)
    longer = extend_table(table, n**3, weights).reshape(n, n, n, -1)
    lowest = 1 - sum(weights)
    near, far = (w / lowest * (table - table[0]) for w in weights)
    torch.testing.assert_close(longer, table + near[:, None] + far[:, None, None])
    assert torch.equal(longer[0, 0], table)


def test_all_positions_differ():
    longer = extend_table(table_of(16, 32), 256)
    assert float(torch.cdist(longer, longer).fill_diagonal_(9).min()) > 0.1


@settings(deadline=None)
@given(st.integers(3, 9), st.integers(0, 2), weight)
def test_kept_rows_stand_alone(n, keep, alpha):
    keep = min(keep, n - 2)
    table = table_of(n)
    longer = extend_table(table, n + 1, alpha, keep=keep)
    assert torch.equal(longer[:n], table)
    table[:keep] = 1e9
    assert torch.equal(extend_table(table, n + 1, alpha, keep=keep)[n], longer[n])


# --- the peer -----------------------------------------------------------------------------------
@settings(deadline=None)
@given(st.integers(2, 9), weight)
def test_agrees_with_the_published_form(n, alpha):
    table, positions = table_of(n), torch.arange(n * n)
    torch.testing.assert_close(hierarchical_lookup(table, positions, alpha), published(table, positions, alpha))


@settings(deadline=None)
@given(st.integers(3, 12), st.integers(0, 40), st.integers(0, 3))
def test_interpolation_agrees_with_torch(n, more, keep):
    keep = min(keep, n - 2)
    table = table_of(n)
    longer = interpolate_table(table, n + more, keep=keep)
    assert torch.equal(longer[:keep], table[:keep])
    size = n + more - keep
    peer = nn.functional.interpolate(table[keep:].T[None], size=size, mode="linear", align_corners=True)[0].T
    torch.testing.assert_close(longer[keep:], peer)
    with pytest.raises(ValueError, match="length must be"):
        interpolate_table(table, n - 1)


# --- traps --------------------------------------------------------------------------------------
def test_first_block_is_exact_and_the_published_form_is_not():
    table, alpha = table_of(512, 64, dtype=torch.float32), 0.4
    positions = torch.arange(512)
    assert torch.equal(hierarchical_lookup(table, positions, alpha), table)
    assert not torch.equal(published(table, positions, alpha), table)


@pytest.mark.parametrize("positions", [[9], [0, 9], [-1], [10**9]])
def test_positions_out_of_reach(positions):
    with pytest.raises(ValueError, match="between 0 and 8"):
        hierarchical_lookup(table_of(3), torch.tensor(positions))
    assert hierarchical_lookup(table_of(3), torch.tensor([8])).shape == (1, 5)


def test_positions_are_whole_numbers_and_checked_on_every_way():
    table = table_of(3)
    for wrong in (torch.tensor([1.5]), torch.tensor([True]), torch.tensor([1j])):
        with pytest.raises((ValueError, jaxtyping.TypeCheckError), match="whole numbers|Type-check"):
            hierarchical_lookup(table, wrong)
    program = """
import torch
from spaces_core.attention import hierarchical_lookup
table = torch.randn(3, 5)
traced = torch.compile(hierarchical_lookup, backend="eager", fullgraph=True)
for positions in ([7, 8], [0]):
    positions = torch.tensor(positions)
    torch.testing.assert_close(traced(table, positions), hierarchical_lookup(table, positions))
for out in (9, -1):
    try:
        traced(table, torch.tensor([out]))
    except IndexError:
        print("out of reach")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == 2 * "out of reach\n", done.stderr


def test_sizes_and_weights_of_numpy():
    table = table_of(6)
    ours = extend_table(table, np.int64(9), np.float32(0.25), keep=np.int32(1))
    assert torch.equal(ours, extend_table(table, 9, 0.25, keep=1))
    assert torch.equal(interpolate_table(table, np.int64(9)), interpolate_table(table, 9))


@pytest.mark.parametrize("alpha", [0.5, 0.0, 1.0, -0.1, 1.2, float("nan"), [], [0.3, 0.3], [0.25, 0.5], [0.6, 0.4]])
def test_bad_weights(alpha):
    with pytest.raises(ValueError, match="alpha|weights"):
        hierarchical_lookup(table_of(3), torch.tensor([0]), alpha)


def test_one_half_merges_exchanged_digits():
    table, positions = table_of(4), torch.tensor([1 * 4 + 3, 3 * 4 + 1])
    one, other = published(table, positions, 0.5)
    torch.testing.assert_close(one, other)
    with pytest.raises(ValueError, match="equal"):
        hierarchical_lookup(table, positions, 0.5)


@pytest.mark.parametrize(("alpha", "growth"), [(0.4, 1.374), (0.45, 1.529), (0.8, 5.745)])
def test_rows_at_right_angles_grow_as_derived(alpha, growth):
    longer = extend_table(torch.eye(4, dtype=torch.float64), 16, alpha)
    assert abs(float(longer[2 * 4 + 1].norm()) - growth) < 1e-3


def test_blocks_are_nearer_than_rows_and_the_edge_is_a_jump():
    table = torch.stack([torch.arange(64.0).mul(0.05).sin(), torch.arange(64.0).mul(0.05).cos()], 1).double()
    longer = extend_table(table, 64 * 64)
    ratio = (longer[3 * 64] - longer[2 * 64]).square().sum() / (table[3] - table[2]).square().sum()
    assert abs(float(ratio) - 4 / 9) < 1e-9
    steps = longer[1:129].sub(longer[:128]).norm(dim=1)
    assert steps[63] > 5 * steps[62] and abs(float(steps[64] / steps[0]) - 1) < 1e-9


@pytest.mark.parametrize("length", [2, 10, True])
def test_bad_lengths(length):
    with pytest.raises(ValueError, match="from 3 to 9"):
        extend_table(table_of(3), length)


@pytest.mark.parametrize("table", [table_of(1), table_of(0)])
def test_bad_tables(table):
    with pytest.raises(ValueError, match="table must be"):
        extend_table(table, 3)


@pytest.mark.parametrize("keep", [-1, 2, True])
def test_bad_keep(keep):
    with pytest.raises(ValueError, match="keep must be"):
        extend_table(table_of(3), 4, keep=keep)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_dtype(dtype):
    table = table_of(8, dtype=dtype)
    longer = extend_table(table, 64)
    assert longer.dtype == dtype and torch.equal(longer[:8], table)
    exact = extend_table(table.double(), 64)
    torch.testing.assert_close(longer.double(), exact, atol=8 * torch.finfo(dtype).eps, rtol=0)


def test_gradients_and_shapes():
    table = table_of(3).requires_grad_()
    positions = torch.arange(8).reshape(2, 2, 2)
    assert hierarchical_lookup(table, positions).shape == (2, 2, 2, 5)
    torch.autograd.gradcheck(lambda t: hierarchical_lookup(t, positions), table)
    assert hierarchical_lookup(table, positions[:0]).shape == (0, 2, 2, 5)


# --- models -------------------------------------------------------------------------------------
def family(name):
    import transformers as t

    if name == "DistilBert":
        config = t.DistilBertConfig(
            dim=8, n_layers=1, n_heads=2, hidden_dim=8, vocab_size=11, max_position_embeddings=16
        )
        return t.DistilBertModel(config).eval(), 16
    if name == "Albert":
        return t.AlbertModel(t.AlbertConfig(embedding_size=4, max_position_embeddings=16, **SIZES)).eval(), 16
    rows = 18 if name in ("Roberta", "MPNet") else 16
    config = getattr(t, f"{name}Config")(max_position_embeddings=rows, **SIZES)
    return getattr(t, f"{name}Model")(config).eval(), 16


FAMILIES = ["Bert", "Roberta", "Electra", "Albert", "DistilBert", "MPNet"]


@pytest.mark.parametrize("name", FAMILIES)
def test_families(name, tmp_path):
    model, n = family(name)
    short, long = torch.full((2, n), 5), torch.full((2, 3 * n), 5)
    with torch.no_grad():
        before = model(short).last_hidden_state
        with pytest.raises((IndexError, RuntimeError, ValueError)):
            model(long)
        assert extend_positions(model, 3 * n) is model
        after = model(short).last_hidden_state
        mask = torch.ones_like(long)
        mask[:, n:] = 0
        masked = model(long, attention_mask=mask).last_hidden_state[:, :n]
        everything = model(long).last_hidden_state
    assert torch.equal(before, after)
    torch.testing.assert_close(masked, before, atol=1e-5, rtol=1e-5)
    assert everything.shape[:2] == (2, 3 * n)
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(again(long).last_hidden_state, everything)


def test_buffers_config_and_parameter():
    model, _ = family("Bert")
    model.requires_grad_(False)
    model.bfloat16()
    persistent = set(model.state_dict())
    extend_positions(model, 200, 0.3)
    parts = model.embeddings
    assert model.config.max_position_embeddings == 200 == parts.position_embeddings.num_embeddings
    assert parts.position_ids.tolist() == [list(range(200))] and parts.token_type_ids.tolist() == [[0] * 200]
    table = parts.position_embeddings.weight
    assert isinstance(table, nn.Parameter) and not table.requires_grad and table.dtype == torch.bfloat16
    assert set(model.state_dict()) == persistent


def test_roberta_keeps_its_reserved_rows():
    model, n = family("Roberta")
    old = model.embeddings.position_embeddings.weight.detach().clone()
    extend_positions(model, 2 * n, 0.25)
    new = model.embeddings.position_embeddings.weight
    assert len(new) == 2 * n + 2 and model.config.max_position_embeddings == 2 * n + 2
    assert torch.equal(new[: n + 2], old) and bool((new[1] == 0).all())
    torch.testing.assert_close(new[n + 2 : 2 * n + 1], old[3:] + (old[4] - old[3]) / 3)
    torch.testing.assert_close(new[2 * n + 1], old[3] + (old[5] - old[3]) / 3)


def test_first_row_stays_out_of_later_blocks_by_default():
    model, n = family("Bert")
    published, _ = family("Bert")
    published.load_state_dict(model.state_dict())
    for each in (model, published):
        each.embeddings.position_embeddings.weight.data[0] = 100.0
    extend_positions(model, 3 * n)
    extend_positions(published, 3 * n, keep=0)
    ours, theirs = (
        float(m.embeddings.position_embeddings.weight.detach()[n:].norm(dim=1).max()) for m in (model, published)
    )
    assert ours < 1 < 100 < theirs


def test_one_table_for_two_and_a_head_around_it():
    model, _ = family("Bert")
    outer = nn.ModuleDict({"bert": model, "other": nn.Embedding(16, 8)})
    outer["other"].weight = model.embeddings.position_embeddings.weight
    extend_positions(outer, 40)
    assert outer["other"].weight is model.embeddings.position_embeddings.weight and outer["other"].num_embeddings == 40
    assert model.config.max_position_embeddings == 40
    assert outer["bert"](torch.ones(1, 40, dtype=torch.long)).last_hidden_state.shape == (1, 40, 8)


def test_refusals():
    from transformers import GPT2Config, GPT2Model, RoFormerConfig, RoFormerModel

    for model in (nn.Linear(2, 2), nn.ModuleList([family("Bert")[0], family("Bert")[0]])):
        with pytest.raises(ValueError, match="name one with table="):
            extend_positions(model, 40)
    with pytest.raises(ValueError, match="name one with table=.*wpe"):
        extend_positions(GPT2Model(GPT2Config(n_embd=8, n_layer=1, n_head=2, vocab_size=9, n_positions=16)), 40)
    rotary = RoFormerModel(RoFormerConfig(max_position_embeddings=16, **SIZES))
    with pytest.raises(ValueError, match="not learned"):
        extend_positions(rotary, 40, table="encoder.embed_positions")
    model, _ = family("Bert")
    with pytest.raises(ValueError, match="no nn.Embedding"):
        extend_positions(model, 40, table="encoder")
    with pytest.raises(ValueError, match="from 16 to 226"):
        extend_positions(model, 227)
    with pytest.raises(ValueError, match="from 16 to 256"):
        extend_positions(model, 257, keep=0)
    model.config.position_embedding_type = "relative_key"
    with pytest.raises(ValueError, match="relative_key"):
        extend_positions(model, 40)
    with torch.device("meta"):
        empty = family("Bert")[0]
    with pytest.raises(ValueError, match="load the weights"):
        extend_positions(empty, 40)


@settings(max_examples=5, deadline=None)
@given(st.integers(16, 226))
def test_any_length(length):
    model, n = family("Bert")
    extend_positions(model, length)
    assert model.embeddings.position_ids.shape == (1, length)
    assert extend_positions(model, length) is model
