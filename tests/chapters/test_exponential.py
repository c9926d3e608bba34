"""What the chapter "Exponentially many" computes."""
import numpy as np

from affinepieces.chapters import exponential as chapter
from affinepieces.constructions import gentle_sawtooth, sawtooth


def test_regions_of_random_networks():
    found = chapter.regions_of_random(4, [1, 3], seeds=6)
    assert found.shape == (6, 2)
    assert found[:, 0].max() <= 5
    assert len(np.unique(found)) > 1
    assert np.array_equal(found[:3, 1:], chapter.regions_of_random(4, [3], seeds=3))
    assert (chapter.regions_of_random(4, [2], seeds=3, bias_std=0.0) <= 2).all()


def test_twins_get_the_same_noise():
    gentle, steep = (chapter.under_noise(twin(4, 0.4), 0.25, draws=3) for twin in (gentle_sawtooth, sawtooth))
    start = gentle_sawtooth(4, 0.4), sawtooth(4, 0.4)
    moved = [[b - a for a, b in zip(before.biases, after.biases, strict=True)]
             for before, net in zip(start, (gentle, steep), strict=True) for after in net]
    for ours, theirs in zip(moved[:3], moved[3:], strict=True):
        assert all(np.allclose(a, b, rtol=0, atol=1e-15) for a, b in zip(ours, theirs, strict=True))
        assert 0.05 < max(abs(a).max() for a in ours) <= 0.125
    assert chapter.pieces([sawtooth(3), *start]).tolist() == [8, 20, 20]
