"""Subdivisions as pictures: colours that stay, everything there once, classes exact."""
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.patches import PathPatch

import affinepieces as ap
from affinepieces.figures import subdivision
from affinepieces.figures.style import pattern_colour, pattern_colours
from affinepieces.pieces.plane import polygon


@pytest.fixture(autouse=True)
def quiet():
    with mpl.rc_context({"backend": "agg"}):
        yield
        mpl.pyplot.close("all")


def divided(seed=0, widths=(2, 6, 6, 3), shift=0.0):
    net = ap.constructions.he_random(widths, np.random.default_rng(seed), bias_std=0.3)
    moved = ap.ReLUNetwork(net.weights, [net.biases[0] + shift, *net.biases[1:]])
    return ap.trace(moved, ap.Polygon.square())


def filled(axes):
    shapes, = (c for c in axes.collections if isinstance(c, PolyCollection))
    return shapes.get_facecolor()[:, :3], [path.vertices for path in shapes.get_paths()]


def drawn(axes):
    """Number of line segments, but for the outline."""
    return sum(len(patch.get_path().vertices) // 2 for patch in axes.patches + axes.artists
               if isinstance(patch, PathPatch))


@pytest.mark.parametrize("seed", range(3))
def test_every_region_and_every_boundary_is_drawn_once(seed):
    found = divided(seed)
    axes = found.plot()
    colours, shapes = filled(axes)
    assert len(colours) == len(shapes) == found.regions
    assert drawn(axes) == len(found.inner)
    assert np.isclose(sum(map(polygon.area_of, shapes)), 4)
    assert found.plot(axes) is axes


def test_a_region_keeps_its_colour_while_it_moves_and_in_other_pictures():
    one, other = divided(), divided(shift=0.01)
    looks = [dict(zip(map(bytes, found.patterns), map(tuple, filled(found.plot())[0]), strict=True))
             for found in (one, other)]
    common = looks[0].keys() & looks[1].keys()
    assert len(common) > one.regions / 2
    assert all(looks[0][pattern] == looks[1][pattern] for pattern in common)
    assert len(set(looks[0].values())) == one.regions


def test_colours_of_many_patterns_are_those_of_each():
    patterns = divided().patterns
    assert pattern_colours(patterns).tolist() == [list(pattern_colour(row)) for row in patterns]


def test_regions_of_one_piece_have_one_colour_and_boundaries_that_are_no_kinks_are_faint():
    pyramid = ap.ReLUNetwork([[[1, 0], [0, 1], [1, 1]], [[1, 1, 0]]], [[0, 0, 0], [0]])
    found = ap.trace(pyramid, ap.Polygon.square())
    assert (found.regions, found.pieces) == (6, 4)
    axes = found.plot(colour="piece")
    assert len(np.unique(filled(axes)[0], axis=0)) == 4
    faint = [p for p in axes.get_children() if isinstance(p, PathPatch) and p.get_edgecolor()[:3] == (1, 1, 1)]
    smooth = ~found.kinks & (found.sides >= 0).all(axis=1)
    assert sum(len(p.get_path().vertices) // 2 for p in faint) == np.count_nonzero(smooth)


def test_boundaries_of_early_layers_are_wider_and_darker():
    lines = [p for p in divided().plot().get_children() if isinstance(p, PathPatch)]
    deep, early = sorted(lines, key=lambda line: line.get_linewidth())
    assert sum(early.get_edgecolor()[:3]) < sum(deep.get_edgecolor()[:3])


@pytest.mark.parametrize("seed", range(3))
def test_classes_are_exact(seed):
    found = divided(seed)
    parts = subdivision.classes(found)
    assert np.isclose(sum(polygon.area_of(corners) for _, corners in parts), 4)
    for k, corners in parts:
        inside = np.random.default_rng(0).dirichlet(np.ones(len(corners)), 20) @ corners
        net = ap.constructions.he_random((2, 6, 6, 3), np.random.default_rng(seed), bias_std=0.3)
        assert (np.argmax(net(inside), axis=1) == k).all() or polygon.area_of(corners) < 1e-12


def test_heights_are_those_of_the_function_and_need_no_regions_of_their_own():
    axes = divided().plot(colour="height")
    mesh, = axes.collections
    assert np.isclose(mesh.get_array().max(), divided().values[:, 0].max())


def test_an_exact_trace_and_many_regions_can_be_drawn():
    net = ap.constructions.he_random([2, 4, 4, 1], np.random.default_rng(0), bias_std=0.3)
    assert len(filled(ap.trace(net, ap.Polygon.square(), exact=True).plot())[0]) > 4
    many = divided(widths=(2, 40, 40, 1)).plot()
    assert all(part.get_rasterized() for part in many.get_children() if isinstance(part, PathPatch | PolyCollection))


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="colour is 'area', expected one of pattern, piece, height, class"):
        divided().plot(colour="area")
    with pytest.raises(ValueError, match=r'one output: use "height"'):
        divided(widths=(2, 4, 1)).plot(colour="class")
