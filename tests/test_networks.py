"""ReLUNetwork: a value that is checked, equal, saved, and exchanged with torch."""
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
    ([[[2**53 + 1]]], [[0]], r"keep them below 2\*\*53"),
])
def test_bad_networks(weights, biases, message):
    with pytest.raises(ValueError, match=message):
        ap.ReLUNetwork(weights, biases)


@pytest.mark.parametrize("dtype", [np.longdouble, complex, object])
def test_unknown_formats(dtype):
    with pytest.raises(TypeError, match="expected float16, float32 or float64"):
        ap.ReLUNetwork([np.ones((1, 1), dtype)], [np.zeros(1)])


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


@pytest.mark.parametrize("family", FAMILIES)
def test_save_and_load(tmp_path, family):
    net = network(family, 0, np.float32)
    net.save(tmp_path / "net")
    assert ap.ReLUNetwork.load(tmp_path / "net") == net


def test_load_refuses_other_files(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(2))
    with pytest.raises(ValueError, match=r"give a file written by ReLUNetwork.save"):
        ap.ReLUNetwork.load(tmp_path / "x.npz")
    np.savez(tmp_path / "y.npz", weight_0=np.array([object()]), bias_0=np.zeros(1))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        ap.ReLUNetwork.load(tmp_path / "y.npz")


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
