"""What the chapter "Networks and their pieces" computes, on networks whose pieces are known by hand."""
from fractions import Fraction

import numpy as np

import affinepieces as ap
from affinepieces.chapters import networks as chapter
from affinepieces.constructions import gentle_sawtooth, sawtooth


def test_running_example():
    """Pieces and regions of both twins in float64 and in float32, and the rule behind the 1280."""
    for twin in (gentle_sawtooth, sawtooth):
        net, unit = twin(10, 0.4), ap.Segment(0, 1)
        assert (ap.count_pieces(net, unit), ap.count_regions(net, unit)) == (1280, 1535)
        single = net.astype(np.float32)
        assert (ap.count_pieces(single, unit), ap.count_regions(single, unit)) == (1024, 1024)


def test_ends_of_pieces_leave_out_what_is_no_kink():
    """relu(x - 1/4) - relu(x - 1/4) + relu(x - 1/2): two boundaries, one kink."""
    net = ap.ReLUNetwork([[[1.0], [1.0], [1.0]], [[1.0, -1.0, 1.0]]], [[-0.25, -0.25, -0.5], [0.0]])
    assert chapter.ends_of_pieces(net).tolist() == [0, Fraction(1, 2), 1]


def test_counting_with_a_tolerance():
    """Right for wide pieces; a tolerance above the change of slope, or pieces without a float, are missed."""
    assert chapter.counted_with([0, 1e-9, 7.9, 8.1], sawtooth(2)) == [4, 4, 4, 1]
    assert chapter.counted_with([0], sawtooth(3, 0.4)) == [9]
    assert ap.count_pieces(sawtooth(3, 0.4), ap.Segment(0, 1)) == 10


def test_neurons_twice_is_the_same_function():
    x = np.linspace(-3, 3, 97)[:, None]
    net = chapter.small_network()
    for count in (1, 3):
        doubled = chapter.neurons_twice(net, count)
        assert doubled.widths == (1, 3 + count, 2, 1)
        assert np.allclose(doubled(x), net(x), rtol=0, atol=1e-14)


def test_classifier_learns_what_it_is_shown():
    rng = np.random.default_rng(0)
    images, digits = rng.random((256, 64)) / 4, rng.integers(0, 10, 256)
    images[np.arange(256), digits] = 1.0
    net = ap.ReLUNetwork.from_torch(chapter.train_classifier(images, digits, seed=0, epochs=40))
    assert np.mean(net(images).argmax(axis=1) == digits) > 0.9
