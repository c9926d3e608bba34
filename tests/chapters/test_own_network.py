"""What the page "Your own network" computes: models of one neuron by hand, the CNN as torch and as ONNX."""
from math import prod

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import affinepieces as ap
from affinepieces.chapters import own_network
from affinepieces.study.tasks import between_images

WAY = between_images(0)


class Model(nn.Module):
    """As in the page."""

    def __init__(self, pool=F.max_pool2d):
        super().__init__()
        self.pool = pool
        self.first, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.branch, self.last = nn.Conv2d(4, 4, 3, padding=1), nn.Linear(64, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.norm(self.first(x))), 2)
        return self.last((x + F.relu(self.branch(x))).flatten(1))


class Applied(nn.Module):
    """One function, as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


@pytest.fixture(scope="module", params=[5, 6])
def model(request):
    torch.manual_seed(request.param)
    made = Model()
    own_network.train(made, request.param, steps=60)
    return made


def test_training_is_that_of_one_thread_and_ends_in_eval_mode():
    twins = []
    for _ in range(2):
        torch.manual_seed(0)
        twins.append(Model())
        own_network.train(twins[-1], 3, steps=5)
        assert not any(part.training for part in twins[-1].modules())
    first, second = (made.state_dict() for made in twins)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["first.weight"], Model().first.weight)


def test_a_model_learns(model):
    assert own_network.accuracy(model) > 0.6
    torch.manual_seed(1)
    assert own_network.accuracy(Model().eval()) < 0.4


def test_accuracy_is_of_the_images_that_were_held_out():
    y = own_network.pictures()[1]
    x = own_network.pictures()[0]

    def cheat(given):
        assert torch.equal(given, x[1400:])
        return F.one_hot(y[1400:], 10)

    assert own_network.accuracy(Applied(cheat)) == 1


def test_watches_count_the_first_step_and_the_last():
    models, watches = own_network.watched(Model, [4], WAY)
    assert watches[0].steps.tolist() == [*range(1, own_network.STEPS + 1, own_network.EVERY)]
    net = ap.from_torch(models[0], own_network.SHAPE)
    assert watches[0].regions[-1] == ap.count_regions(net, WAY)
    assert watches[0].pieces[-1] == ap.count_pieces(net, WAY)


def test_every_boundary_is_cut_by_a_neuron_or_a_comparison(model):
    net = ap.from_torch(model, own_network.SHAPE)
    function, cuts = ap.trace(net, WAY), own_network.cut_by(net, WAY)
    for which, total in ((0, function.regions - 1), (1, function.pieces - 1)):
        assert max(cut[which] for cut in cuts.values()) <= total <= sum(cut[which] for cut in cuts.values())
    average = Model(F.avg_pool2d)
    average.load_state_dict(model.state_dict())
    net = ap.from_torch(average.eval(), own_network.SHAPE)
    assert own_network.cut_by(net, WAY) == {ap.Kind.NEURON: (ap.count_regions(net, WAY) - 1,) * 2,
                                            ap.Kind.COMPARISON: (0, 0)}


def test_a_file_and_a_module_have_the_same_breakpoints(model, tmp_path):
    """With an epsilon that float32 has, the same chain, number by number; with 1e-5 the same integers."""
    path = tmp_path / "model.onnx"
    for epsilon, within in ((2.0**-16, 0.0), (1e-5, 1e-8)):
        model.norm.eps = epsilon
        own_network.write_onnx(model, path)
        nets = ap.from_torch(model, own_network.SHAPE), ap.from_onnx(path, until="scores")
        here, there = (ap.trace(net, WAY) for net in nets)
        assert (here.regions, here.pieces) == (there.regions, there.pieces)
        assert (here.kinks == there.kinks).all()
        assert np.abs(here.breakpoints - there.breakpoints).max() <= within
        assert np.array_equal(here.values, there.values) == (within == 0)
    with pytest.raises(ValueError, match="Softmax"):
        ap.from_onnx(path)


def test_counts_are_those_of_each_model_on_each_way(model):
    ways, plain = [WAY, between_images(1)], Model().eval()
    regions, pieces = own_network.counts([model, plain], ways)
    assert regions.shape == pieces.shape == (2, 2)
    assert regions[0, 1] == ap.count_regions(ap.from_torch(model, own_network.SHAPE), ways[1])
    assert pieces[1, 0] == ap.count_pieces(ap.from_torch(plain, own_network.SHAPE), WAY)


def test_refusals_say_why_and_what_can_be_counted_has_none(model):
    assert "Softmax" in own_network.refusal(nn.Sequential(model, nn.Softmax(1)))
    assert "training mode" in own_network.refusal(Model())
    with pytest.raises(ValueError, match="the model can be counted: Chain"):
        own_network.refusal(model)


def lowerings():
    """Two chains of the same function, with the segment and its pieces."""
    plain = ap.ReLUNetwork([[[1, -1], [0, 1], [0, -1]], [[1.0, 1.0, -1.0]]], [[0] * 3, [0]])
    across = ap.Segment.between([0.0, 1.0], [1.0, -1.0])
    yield ap.from_torch(Applied(lambda x: torch.maximum(x[:, :1], x[:, 1:])), (2,)), plain, across, 2
    leaky, slope = nn.LeakyReLU(0.25), ap.ReLUNetwork([[[1.0], [-1.0]], [[1.0, -0.25]]], [[0, 0], [0]])
    yield ap.from_torch(leaky, (1,)), slope, ap.Segment(-1, 1), 2
    absolute = ap.ReLUNetwork([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0, 0], [0]])
    yield ap.from_torch(Applied(torch.abs), (1,)), absolute, ap.Segment(-1, 1), 2
    clip = ap.ReLUNetwork([[[1.0], [1.0]], [[1.0, -1.0]]], [[0.5, -0.5], [-0.5]])
    yield ap.from_torch(nn.Hardtanh(-0.5, 0.5), (1,)), clip, ap.Segment(-1, 1), 3
    smaller = ap.ReLUNetwork([[[-1, 1], [0, 1], [0, -1]], [[-1.0, 1.0, -1.0]]], [[0] * 3, [0]])
    yield ap.from_torch(Applied(lambda x: torch.minimum(x[:, :1], x[:, 1:])), (2,)), smaller, across, 2
    yield ap.from_torch(nn.LeakyReLU(1.0), (1,)), ap.ReLUNetwork([[[1.0]]], [[0.0]]), ap.Segment(-1, 1), 1


def test_pieces_do_not_depend_on_the_lowering():
    different = 0
    for one, other, segment, pieces in lowerings():
        assert isinstance(one, ap.Chain)
        x = np.random.default_rng(0).integers(-8, 8, (20, one.widths[0])) / 8
        assert np.array_equal(one(x), other(x))
        assert ap.count_pieces(one, segment) == ap.count_pieces(other, segment) == pieces
        different += ap.count_regions(one, segment) != ap.count_regions(other, segment)
    assert different == 3  # the maximum, the minimum, the slope 1


def with_carried_rows(net, rng):
    """The same function; in each hidden layer some rows more, carried, that nobody reads."""
    weights, biases, kinds = [np.array(a) for a in net.weights], [np.array(b) for b in net.biases], []
    for j in range(net.layers - 1):
        more = int(rng.integers(0, 3))
        weights[j] = np.vstack([weights[j], rng.standard_normal((more, weights[j].shape[1]))])
        biases[j] = np.append(biases[j], rng.standard_normal(more))
        weights[j + 1] = np.hstack([weights[j + 1], np.zeros((len(weights[j + 1]), more))])
        kinds.append([ap.Kind.NEURON] * (len(biases[j]) - more) + [ap.Kind.CARRIED] * more)
    return ap.Chain(weights, biases, kinds)


def zigzags(n):
    """n layers of three neurons, in which every piece passes all breakpoints of the next: 4^n regions on [0, 1]."""
    zigzag, ways, bias = 3.5 * np.array([-2.0, 2.0, -3.0]), np.array([1.0, -1.0, -1.0]), np.array([-1.0, 2.0, 3.0])
    return ap.ReLUNetwork([3.5 * ways[:, None], *[np.outer(ways, zigzag)] * (n - 1), zigzag[None] / 3.5],
                          [bias, *[17.5 * ways + bias] * (n - 1), [5.0]])


def test_regions_are_between_pieces_and_the_product():
    """Both ends are attained with carried rows, too."""
    rng, unit = np.random.default_rng(7), ap.Segment(0, 1)
    for n in (1, 2, 3):
        chain = with_carried_rows(zigzags(n), rng)
        product = prod(1 + sum(kind is not ap.Kind.CARRIED for kind in layer) for layer in chain.kinds)
        assert ap.count_regions(chain, unit) == product == 4**n
        assert ap.count_pieces(chain, unit) == product
    for seed in range(20):
        net = ap.constructions.he_random([1, 4, 4, 1], np.random.default_rng(seed), bias_std=1.0)
        chain, segment = with_carried_rows(net, rng), ap.Segment(-3, 3)
        assert ap.count_pieces(chain, segment) <= ap.count_regions(chain, segment) <= 25
        assert ap.count_regions(chain, segment) == ap.count_regions(net, segment)
