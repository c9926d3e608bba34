"""ReLUNetwork: a value that is checked, equal, saved, and exchanged with torch."""
import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import affinepieces as ap
from families import FAMILIES, network

HAT = ap.constructions.hat()


@pytest.mark.parametrize(("weights", "biases", "message"), [
    ([], [], "empty network"),
    ([[[1.0]]], [], "1 weight matrices but 0 bias vectors"),
    ([[[np.nan]]], [[0.0]], r"weights\[0\]\[0, 0\] is nan: every parameter must be finite"),
    ([[[1.0]]], [[np.inf]], r"biases\[0\]\[0\] is inf"),
    ([[1.0]], [[0.0]], r"weights\[0\] has shape \(1,\), expected \(N_1, N_0\)"),
    ([np.zeros((0, 1))], [np.zeros(0)], "both at least 1"),
    ([[[1.0]]], [[0.0, 0.0]], r"biases\[0\] has shape \(2,\), expected \(1,\)"),
    ([[[1.0]], [[1.0, 1.0]]], [[0.0], [0.0]], r"the layer below has 1 neurons: expected \(1, 1\)"),
    ([[[2**53 + 1]]], [[0]], r"weights\[0\]\[0, 0\] is 9007199254740993, beyond 2\*\*53"),
])
def test_bad_networks(weights, biases, message):
    with pytest.raises(ValueError, match=message):
        ap.ReLUNetwork(weights, biases)


@pytest.mark.parametrize(("weights", "biases", "message"), [
    (None, None, r"weights is None, expected a sequence of arrays of shape \(N_j, N_\{j-1\}\)"),
    ([[[1.0]]], None, r"biases is None, expected a sequence of arrays of shape \(N_j,\)"),
    (np.float64(3), [[0.0]], "weights is np.float64.3.0., expected"),
    ("weights", [[0.0]], "weights is 'weights', expected"),
    ({"0.weight": 1}, [[0.0]], "weights is {'0.weight': 1}, expected .*from_torch"),
    (nn.Linear(1, 1), None, "weights is Linear.*for a torch module take ReLUNetwork.from_torch"),
    ([["0.5"]], [[0.0]], r"weights\[0\] has dtype <U3 \('0.5', for example\)"),
    ([[[None]]], [[0.0]], r"weights\[0\]\[0, 0\] is None, expected a real number"),
    ([np.ones((1, 1), complex)], [[0.0]], r"weights\[0\] has dtype complex128, expected float16, float32 or float64"),
])
def test_what_is_no_network(weights, biases, message):
    with pytest.raises(TypeError, match=message):
        ap.ReLUNetwork(weights, biases)


def test_layers_may_come_from_a_generator():
    assert ap.ReLUNetwork((a for a in HAT.weights), iter(HAT.biases)) == HAT


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_formats_are_kept(dtype):
    net = network("generic", 1, dtype)
    assert net.dtype == dtype == net([[0.5]]).dtype
    assert ap.ReLUNetwork.from_torch(net.to_torch()) == net


def test_parameters_are_copies_that_cannot_be_written_to():
    a = np.ones((1, 1))
    net = ap.ReLUNetwork([a], [np.zeros(1)])
    a[0, 0] = 5
    assert net.weights[0][0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0, 0] = 2


def test_equality_and_hash():
    assert ap.constructions.sawtooth(3) == ap.constructions.sawtooth(3) != ap.constructions.sawtooth(4)
    zero = ap.ReLUNetwork([[[0.0]]], [[0.0]])
    minus = ap.ReLUNetwork([[[-0.0]]], [[0.0]])
    assert zero == minus
    assert hash(zero) == hash(minus)
    assert HAT.astype(np.float32) != HAT
    assert zero != "network"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_equal_and_cannot_be_written_to(copied):
    net = network("generic", 3, np.float32)
    again = copied(net)
    assert (again, hash(again), again.dtype) == (net, hash(net), net.dtype)
    with pytest.raises(ValueError, match="read-only"):
        again.weights[0][0, 0] = 2


def test_hash_is_the_same_in_every_process():
    code = "import affinepieces as ap; net = ap.constructions.square(3); print(hash(net), hash(net.astype('f2')))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": "1"},
                          capture_output=True, text=True, check=True)
    net = ap.constructions.square(3)
    assert done.stdout.strip() == f"{hash(net)} {hash(net.astype(np.float16))}"
    assert len({hash(network(family, 0)) for family in FAMILIES}) == len(FAMILIES)


def test_repr_is_short():
    assert repr(HAT) == "ReLUNetwork(1-2-1, float64)"
    assert repr(ap.constructions.sawtooth(40)) == "ReLUNetwork(1-2-2-2-...-2-2-1, 41 layers, float64)"


@pytest.mark.parametrize("dtype", [int, bool, complex, "bfloat16", np.longdouble, None, ap.BFLOAT16, "x"])
def test_astype_refuses_what_is_no_format_of_networks(dtype):
    with pytest.raises(TypeError, match=r"dtype is .*, expected float16, float32 or float64: .* round_network"):
        HAT.astype(dtype)


def test_astype_takes_the_names_that_torch_gives():
    assert HAT.astype(torch.half) == HAT.astype(np.float16)


def test_astype_rounds_or_says_what_is_out_of_range():
    third = ap.ReLUNetwork([[[1 / 3]]], [[1e6]])
    assert third.astype("float32").weights[0][0, 0] == np.float32(1 / 3)
    with pytest.raises(OverflowError, match=r"biases\[0\] holds 1e\+06, but the largest number of float16 is 65504"):
        third.astype(np.float16)


def test_inputs_are_rounded_to_the_format_of_the_network():
    net = HAT.astype(np.float32)
    assert np.array_equal(net([[0.1]]), net(np.float32([[0.1]])))
    assert np.array_equal(net(torch.tensor([[0.5]], dtype=torch.bfloat16, requires_grad=True)), [[1.0]])
    with pytest.raises(OverflowError, match=r"x holds 1e\+40, but the largest number of float32"):
        net([[1e40]])
    for values in ([["0.5"]], None, {0.5}):
        with pytest.raises(TypeError, match=r"x (has dtype|is) .*expected"):
            net(values)


@pytest.mark.parametrize("x", [[1.0], [[1.0, 2.0]]])
def test_wrong_inputs(x):
    with pytest.raises(ValueError, match=r"expected \(m, 1\)"):
        HAT(x)


def test_forward_pass_is_that_of_torch():
    net = network("generic", 5, np.float32, input_dim=3)
    x = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    assert np.allclose(net(x), net.to_torch()(torch.from_numpy(x)).detach().numpy(), atol=1e-6)


def test_accepted_torch_layers():
    module = nn.Sequential(nn.Flatten(), nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Dropout(0.5),
                           nn.Sequential(nn.Identity(), nn.Linear(3, 2), nn.ReLU(), nn.ReLU())).eval()
    net = ap.ReLUNetwork.from_torch(module)
    x = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    assert net.widths == (2, 3, 2, 2)  # the final ReLU became an identity layer
    assert np.allclose(net(x.numpy()), module(x).detach().numpy(), atol=1e-6)


def test_bfloat16_is_widened_exactly():
    module = nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1)).to(torch.bfloat16)
    net = ap.ReLUNetwork.from_torch(module)
    assert net.dtype == np.float32
    assert torch.equal(torch.from_numpy(net.weights[0].copy()).to(torch.bfloat16), module[0].weight)


@pytest.mark.parametrize(("module", "error", "message"), [
    (nn.Sequential(nn.Linear(1, 1), nn.Tanh()), TypeError, "layer 1 is Tanh, expected an nn.Sequential of Linear"),
    (nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), ValueError, "layer 1 is a second Linear without a ReLU"),
    (nn.Sequential(nn.ReLU(), nn.Linear(1, 1)), ValueError, "layer 0 is a ReLU before the first Linear"),
    (nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)), ValueError, r"call module.eval\(\)"),
    (nn.Sequential(), ValueError, "empty network"),
    (nn.Conv1d(1, 1, 1), TypeError, "Conv1d"),
])
def test_refused_torch_modules(module, error, message):
    with pytest.raises(error, match=message):
        ap.ReLUNetwork.from_torch(module)
