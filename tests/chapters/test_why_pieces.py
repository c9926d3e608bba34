"""What the chapter "Why pieces matter" computes."""
import numpy as np

import affinepieces as ap
from affinepieces.chapters import why_pieces as chapter


def test_pieces_and_error_of_a_straight_line():
    """t against t^2 on [0, 1]: one piece, farthest in the middle."""
    assert chapter.pieces_and_error(ap.ReLUNetwork([[[1.0]]], [[0.0]])) == (1, 0.25)


def test_lowered_square_is_below_the_interpolant_everywhere():
    x = np.linspace(0, 1, 33)[:, None]
    assert np.array_equal(chapter.lowered_square(3)(x), ap.constructions.square(3)(x) - 4.0**-4 / 2)


def test_fitted_networks_have_the_shapes_and_fit_better_with_more_steps():
    shapes = ((4, 1), (8, 2))
    short, long = (chapter.fitted_to_square(shapes, 0, steps) for steps in (1, 300))
    assert [net.widths for net in long] == [(1, 4, 1), (1, 8, 8, 1)]
    x = np.linspace(0, 1, 129)[:, None]
    for before, after in zip(short, long, strict=True):
        assert np.mean((after(x) - x**2) ** 2) < np.mean((before(x) - x**2) ** 2) / 10
