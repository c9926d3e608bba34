"""Counts along torch's own training loops."""
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

import affinepieces as ap

LINE = ap.Segment.between([-1.0, 0.5], [1.0, 0.25])


def model(*more, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 12), nn.ReLU(), *more, nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2))


def loop(module, optimizer, after, steps=12, dtype=None):
    x = torch.linspace(-1, 1, 40).reshape(20, 2)
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
            loss = ((module(x) - x**2) ** 2).mean()
            if dtype is not None:
                loss.backward()
                optimizer.step()
                after(module)
        if dtype is None:
            loss.backward()
            optimizer.step()
            after(module)


def truth(nets):
    return [(ap.trace(n, LINE, exact=True).regions, ap.trace(n, LINE, exact=True).pieces) for n in nets]


@pytest.mark.parametrize("dtype", [None, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW])
def test_counts_are_those_of_the_parameters(kind, dtype):
    module, watch, nets = model(), ap.Watch(LINE), []

    def after(m):
        watch(m)
        nets.append(ap.ReLUNetwork.from_torch(m))

    loop(module, kind(module.parameters(), 0.05), after, dtype=dtype)
    assert list(zip(watch.regions.tolist(), watch.pieces.tolist(), strict=True)) == truth(nets)
    assert watch.steps.tolist() == list(range(1, 13))
    assert len({n.weights[0].tobytes() for n in nets}) == 12
    assert watch.seconds > 0
    assert watch.counts == ap.Counts(watch.regions, watch.pieces)


def test_following_an_optimizer_changes_nothing():
    alone, followed, watch = model(), model(), ap.Watch(LINE, every=5)
    optimizer = torch.optim.Adam(followed.parameters(), 0.05)
    handle = watch.follow(optimizer, followed)
    loop(followed, optimizer, lambda _: None)
    loop(alone, torch.optim.Adam(alone.parameters(), 0.05), lambda _: None)
    assert all(map(torch.equal, alone.parameters(), followed.parameters()))
    assert watch.steps.tolist() == [1, 6, 11]
    handle.remove()
    optimizer.step()
    assert watch.calls == 12


def test_dropout_goes_on_dropping():
    module, watch = model(nn.Dropout(0.5)), ap.Watch(LINE)
    module[0].eval()
    watch(module)
    assert [m.training for m in module] == [False, True, True, True, True, True]
    assert (watch.regions[0], watch.pieces[0]) == truth([ap.ReLUNetwork.from_torch(module.eval())])[0]


def test_it_is_drawn_and_described():
    watch = ap.Watch(LINE)
    assert repr(watch).endswith("0 steps, 0 counts, 0 s)")
    watch(model())
    lines = watch.plot().get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [watch.regions.tolist(), watch.pieces.tolist()]
    assert f"last {watch.regions[0]} regions" in repr(watch)
    plt.close("all")


def test_what_is_no_relu_network():
    with pytest.raises(ValueError, match="Tanh"):
        ap.Watch(LINE)(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))
    with pytest.raises(TypeError, match=r"expected a torch.optim.Optimizer: call the watch with the module"):
        ap.Watch(LINE).follow(None, model())
    with pytest.raises(ValueError, match="segment"):
        ap.Watch(ap.Segment(0, 1))(model())
    assert np.array_equal(ap.Watch(LINE).regions, np.zeros(0, np.int64))
