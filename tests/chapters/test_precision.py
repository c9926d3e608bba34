"""What the chapter "The role of precision" computes."""
import numpy as np
import pytest

import affinepieces as ap
from affinepieces.chapters import precision
from affinepieces.constructions import gentle_sawtooth
from affinepieces.study.experiments.precision import format_named
from affinepieces.study.tasks import UNIT


@pytest.mark.parametrize("fmt", ["3", "8", "24", "fixed 10"])
def test_short_runs_start_at_the_rounded_sawtooth(fmt):
    start = ap.round_network(gentle_sawtooth(10, 0.4), format_named(fmt))
    assert set(precision.stored(fmt)["start_pieces"]) == {ap.count_pieces(start, UNIT)}


def test_long_runs_start_there_too():
    for bits in ("6", "11"):
        start = ap.count_pieces(ap.round_network(gentle_sawtooth(10, 0.4), format_named(bits)), UNIT)
        for side in ("nearest", "stochastic", "update", "control"):
            assert set(precision.long_runs(bits)[side][:, 0]) == {start}


def test_comparisons_are_of_pairs():
    """More and fewer pieces, counted by hand."""
    runs = precision.stored("5")
    found = precision.against_float64("stochastic", "5")
    assert found.more == sum(runs["stochastic"] > runs["control"])
    assert found.less == sum(runs["stochastic"] < runs["control"])
    assert found == precision.short_runs(["5"])["stochastic", "5"]
    assert found != precision.against_float64("nearest", "5")


def test_numbers_of_pairs():
    assert {c.pairs for c in precision.short_runs(precision.FORMATS).values()} == {240}
    assert {c.pairs for c in precision.short_runs(precision.FIXED).values()} == {96}
    more = precision.other_starts(["3"])
    assert list(more) == list(precision.OTHERS)
    assert {by_bits["3"].pairs for by_bits in more.values()} == {96}
    assert {c.pairs for c in precision.one_part_rounded("8", "stochastic").values()} == {48}
    ends = precision.ends_of_long_runs()
    assert len(ends) == 16
    assert {c.pairs for c in ends.values()} == {42}


def test_nothing_rounded_is_the_twin():
    """The share that float64 keeps of the start is between 0 and 1, and all rounded to 24 bits is near it."""
    kept, rounded = (precision.share_kept(side, "24") for side in ("control", "nearest"))
    assert 0 < kept < 1
    assert rounded == pytest.approx(kept, rel=0.1)


def test_fewer_bits_lose_more_updates():
    lost = [precision.lost_updates(bits) for bits in ("3", "8", "16", "24")]
    assert lost == sorted(lost, reverse=True)
    assert lost[0] > 0.5
    assert lost[-1] < 0.1


def test_a_format_agrees_with_itself():
    assert precision.share_of_equal_counts("8", "8", -10) == 1
    assert precision.share_of_equal_counts("3", "8", -10) < 0.5


@pytest.mark.parametrize(("n", "bits"), [(6, 5), (8, 7), (10, 9)])
def test_the_fewest_bits_that_hold_a_start(n, bits):
    """Fixed point needs n - 1 of them."""
    assert precision.pieces_of_the_start(n, bits - 1) == 1 < precision.pieces_of_the_start(n, bits)


def test_steps_until_half():
    several = precision.collapses("measured")
    assert {problem: tuple(by_bits) for problem, by_bits in several.items()} == precision.PROBLEMS
    steps = np.concatenate([runs for by_bits in several.values() for runs in by_bits.values()])
    assert set(steps) <= {float(k) for k in precision.STEPS} | {precision.LAST}
    assert 0 not in steps
    assert (precision.collapses("control")[8, -12][8] == precision.LAST).mean() > 0.5
