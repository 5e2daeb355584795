"""The test kit: tolerances that are derived, comparisons that say where answers part."""

import math

import pytest
import torch
from torch.nn import functional as F

from d2lgrade.testkit import (
    Mismatch,
    assert_close_to,
    assert_independent,
    assert_mean,
    assert_rate,
    assert_same,
    gradients,
    parameter_count,
    set_parameters,
    truth,
    unchanged,
)
from d2lgrade.testkit.show import brief, difference_map, number, numbers, summary
from d2lgrade.testkit.standing import expanded, sliced, transposed


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


# Tolerances ------------------------------------------------------------------------------------


def test_a_sum_in_another_order_passes():
    X = torch.randn(2000) * 100
    expected = truth(torch.sum, X)
    naive = torch.zeros(())
    for x in X.flip(0):
        naive = naive + x
    assert_same(naive, expected)


def test_cancellation_does_not_punish_a_reordered_sum():
    X = torch.randn(1000) * 1e4
    X = torch.cat([X, -X, torch.tensor([1.0])])[torch.randperm(2001)]
    expected = truth(torch.sum, X)
    total = torch.zeros(())
    for x in X:
        total = total + x
    assert_same(total, expected)


def test_an_unstable_formula_does_not_pass():
    X = torch.randn(4, 50) * 3 + 20  # no overflow yet, but digits are lost
    expected = truth(lambda X: torch.log_softmax(X - 300, -1), X)
    unstable = (X - 300).exp().log() - (X - 300).exp().sum(-1, keepdim=True).log()
    with pytest.raises(Mismatch):
        assert_same(unstable, expected)


def test_a_wrong_eps_is_seen():
    X = torch.randn(8, 4)

    def norm(X, eps=1e-5):
        return (X - X.mean(0)) / torch.sqrt(X.var(0, unbiased=False) + eps)

    expected = truth(norm, X)
    assert_same(norm(X), expected)
    with pytest.raises(Mismatch):
        assert_same(norm(X, 1e-4), expected)


def test_each_dtype_has_its_own_tolerance():
    X = torch.randn(30, 30, dtype=torch.float64)
    expected = truth(torch.matmul, X, X)
    with pytest.raises(Mismatch):
        assert_same((X.float() @ X.float()).double(), expected)
    half = X.bfloat16()
    assert_same(half @ half, truth(torch.matmul, half, half))


def test_truth_keeps_structure_and_plain_values():
    expected = truth(lambda X: {"sum": X.sum(), "parts": [X, 3], "n": 2}, torch.ones(2))
    assert_same({"sum": torch.tensor(2.0), "parts": [torch.ones(2), 3], "n": 2}, expected)
    with pytest.raises(Mismatch, match="'n' of the result"):
        assert_same({"sum": torch.tensor(2.0), "parts": [torch.ones(2), 3], "n": 3}, expected)


def test_truth_does_not_change_its_inputs():
    X = torch.randn(3)
    before = X.clone()
    truth(lambda X: X.mul_(2), X)
    assert torch.equal(X, before)


# Comparison ------------------------------------------------------------------------------------


def failure(got, expected) -> Mismatch:
    with pytest.raises(Mismatch) as caught:
        assert_same(got, expected)
    return caught.value


def test_none_asks_for_the_return():
    assert failure(None, torch.ones(1)).message == (
        "The result is None where a torch.Tensor is due: is a `return` missing?"
    )


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ([1.0], "The result is a list where a torch.Tensor is due."),
        (1.5, "The result is a float where a torch.Tensor is due."),
        (torch.ones(2, 1), "The result has the wrong shape."),
        (torch.ones(2, dtype=torch.float64), "The result has the wrong dtype."),
        (torch.tensor([1.0, math.nan]), "The result holds nan where finite numbers are due."),
        (torch.tensor([1.0, math.inf]), "The result holds inf where finite numbers are due."),
        (torch.tensor([1.0, 2.0]), "The result has wrong values."),
    ],
)
def test_the_first_difference_is_named(got, words):
    assert failure(got, torch.ones(2)).message == words


def test_the_device_is_compared():
    assert failure(torch.empty(2, device="meta"), torch.ones(2)).message.endswith("wrong device.")


def test_type_comes_before_shape_before_dtype_before_values():
    assert "shape" in failure(torch.zeros(3, dtype=torch.int64), torch.ones(2)).message
    assert "dtype" in failure(torch.zeros(2, dtype=torch.int64), torch.ones(2)).message


def test_where_values_differ_is_told():
    wrong = failure(
        torch.tensor([[-0.5, 1.5], [-2.0, 0.0]]), torch.tensor([[0.5, -1.5], [2.0, 0.0]])
    )
    assert wrong.difference == "3 of 4 differ, first at (0, 0), worst by 4"
    assert wrong.map == ("# #", "# ·")
    assert wrong.expected == "[[0.5, -1.5],\n [2.0, 0.0]]"
    assert wrong.got == "[[-0.5, 1.5],\n [-2.0, 0.0]]"


def test_nan_and_inf_are_equal_to_themselves_only():
    special = torch.tensor([math.nan, math.inf, -math.inf])
    assert_same(special.clone(), special)
    assert failure(torch.tensor([math.nan, math.inf, math.inf]), special).difference.startswith(
        "1 of 3"
    )
    assert (
        failure(torch.full((3,), math.nan), torch.ones(3)).difference == "3 of 3 differ, first at 0"
    )


def test_an_empty_result_only_needs_its_shape():
    assert_same(torch.empty(0, 3), torch.empty(0, 3))
    assert "shape" in failure(torch.empty(0, 2), torch.empty(0, 3)).message


def test_integers_are_exact_and_floats_are_not():
    assert_same(3, 3)
    assert_same(torch.tensor(2.5), 2.5)
    assert_same(3, 3.0)
    assert "is a float where an int (3) is due" in failure(3.0, 3).message
    assert failure(2.51, 2.5).expected == "2.5"
    assert failure(True, 1).message.startswith("The result is a bool")


def test_sequences_and_mappings_are_compared_item_by_item():
    assert "2 items where 1" in failure((1, 2), (1,)).message
    assert "Item 1 of the result" in failure([1, 5], [1, 2]).message
    assert "other keys" in failure({"a": 1}, {"b": 1}).message
    assert "a dict" in failure([1], {"b": 1}).message


def test_a_stated_tolerance_is_kept():
    assert_close_to(torch.tensor([1.05]), torch.tensor([1.0]), 0.1)
    with pytest.raises(Mismatch):
        assert_close_to(torch.tensor([1.2]), torch.tensor([1.0]), 0.1)


# Showing ---------------------------------------------------------------------------------------


def test_numbers_are_short_and_never_minus_zero():
    assert [number(v) for v in (0.1234567, -0.0, 3.0, 1e6, 7, True, math.nan, math.inf)] == [
        "0.1235",
        "0.0",
        "3.0",
        "1e+06",
        "7",
        "True",
        "nan",
        "inf",
    ]


def test_large_tensors_show_the_part_that_is_wrong():
    wrong = torch.zeros(3, 40, 40, dtype=torch.bool)
    wrong[1, 30, 2] = True
    text = numbers(torch.zeros(3, 40, 40), wrong)
    assert text.endswith("at [1, 26:34, 0:8] of (3, 40, 40)")
    assert text.count("\n") == 7
    assert numbers(torch.zeros(2, 0, 3)) == "[]"
    assert numbers(torch.tensor(2.5)) == "2.5"
    assert "of (100,)" in numbers(torch.arange(100))


def test_summaries():
    assert summary(torch.ones(2, 3)) == "float32 (2, 3)"
    assert summary(torch.ones(2, 3).T) == "float32 (3, 2), not contiguous"
    assert summary([1, 2]) == "list of 2"
    assert len(brief("x" * 500)) == 60


def test_a_map_is_drawn_only_where_it_helps():
    assert difference_map(torch.tensor([True, False])) == ()
    assert difference_map(torch.ones(1, 5, dtype=torch.bool)) == ()
    assert difference_map(torch.ones(50, 5, dtype=torch.bool)) == ()
    plane = torch.zeros(2, 3, 3, dtype=torch.bool)
    plane[1, 1, 1] = True
    assert difference_map(plane) == ("· · ·", "· # ·", "· · ·")


# Gradients -------------------------------------------------------------------------------------


def test_gradients_of_all_floating_inputs():
    X, W = torch.randn(3, 4), torch.randn(2, 4)
    expected = truth(gradients(F.linear), X, W)
    assert_same(gradients(lambda X, W: X @ W.T)(X, W), expected)
    with pytest.raises(Mismatch):
        assert_same(gradients(lambda X, W: X.detach() @ W.T)(X, W), expected)


def test_a_cut_graph_is_explained():
    with pytest.raises(Mismatch, match="carries no gradient"):
        gradients(lambda X: X.detach() * 2)(torch.randn(2))


def test_a_gradient_in_the_wrong_place_is_seen():
    X = torch.randn(4)
    expected = truth(gradients(lambda X: X * 2), X)
    with pytest.raises(Mismatch):
        assert_same(gradients(lambda X: X.flip(0) * 2)(X), expected)


def test_an_unused_input_has_a_zero_gradient():
    grads = gradients(lambda X, K: X * 1.0)(torch.ones(2), torch.ones(3))
    assert torch.equal(grads[1], torch.zeros(3))


# Statistics ------------------------------------------------------------------------------------


def test_honest_rates_pass_and_wrong_ones_do_not():
    for seed in range(200):
        generator = torch.Generator().manual_seed(seed)
        draws = torch.rand(2000, generator=generator) < 0.3
        assert_rate(int(draws.sum()), 2000, 0.3, "dropped")
    with pytest.raises(Mismatch, match=r"where 0\.3 is due"):
        assert_rate(1400, 2000, 0.3, "dropped")
    with pytest.raises(Mismatch):
        assert_rate(1, 2000, 0.0, "dropped")
    assert_rate(0, 2000, 0.0, "dropped")


def test_the_rate_bound_is_below_one_in_a_million():
    """The exact binomial tail beyond the first rejected count."""
    trials, p = 400, 0.3

    def rejected(k):
        try:
            assert_rate(k, trials, p, "x")
        except Mismatch:
            return True
        return False

    tail = sum(
        math.comb(trials, k) * p**k * (1 - p) ** (trials - k)
        for k in range(trials + 1)
        if rejected(k)
    )
    assert 0 < tail < 1e-6


def test_means():
    assert_mean(torch.randn(10000), 0.0, 1.0, "noise")
    with pytest.raises(Mismatch, match="the mean of 10000"):
        assert_mean(torch.randn(10000) + 0.1, 0.0, 1.0, "noise")
    with pytest.raises(Mismatch):
        assert_mean(torch.full((500,), math.nan), 0.0, 1.0, "noise")


def test_independence():
    mask = torch.rand(60, 80) < 0.5
    assert_independent(mask, "mask")
    with pytest.raises(Mismatch, match="axis 0"):
        assert_independent((torch.rand(1, 80) < 0.5).expand(60, 80), "mask")
    with pytest.raises(Mismatch):
        assert_independent(torch.ones(60, 80), "mask")


# Weights and layouts -----------------------------------------------------------------------------


def test_parameters_are_set_in_order_and_mismatches_told():
    net = torch.nn.Linear(3, 2)
    set_parameters(net, [torch.ones(2, 3), torch.zeros(2)])
    assert torch.equal(net.weight, torch.ones(2, 3))
    assert parameter_count(net) == 8
    with pytest.raises(Mismatch) as caught:
        set_parameters(net, [torch.ones(3, 2), torch.zeros(2)])
    assert caught.value.got == "(2, 3), (2,)"


def test_unchanged_sees_data_changes_and_allows_nan():
    X = torch.tensor([1.0, math.nan])
    with unchanged(X):
        pass
    with pytest.raises(Mismatch, match="Argument 1 was changed"), unchanged(X):
        X.data[0] = 2.0


def test_layouts():
    X = torch.randn(4, 5)
    assert torch.equal(transposed(X), X)
    assert not transposed(X).is_contiguous()
    assert torch.equal(sliced(X), X)
    assert sliced(X).storage_offset() > 0
    assert expanded(X).stride()[0] == 0
