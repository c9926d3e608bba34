"""What `from_torch` builds is the module's own function; whatever may be another one is refused by name."""
import copy
import itertools
import re
from collections import Counter
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

import affinepieces as ap
from affinepieces._torch.guard import Arithmetic, _affine
from torch_modules import TRAPS, ordinary_module, places, random_case

CASES = 600


def dyadic_points(dim, seed=0):
    return np.random.default_rng(seed).integers(-64, 65, (40, dim)) / 8


def refusal(case):
    where = f"layer {case.path}" if case.path else "the module"
    return rf"{re.escape(where)}(?![\w.]).*{TRAPS[case.trap][2]}"


def test_random_modules_are_converted_exactly_or_refused_by_name():
    rng, met = np.random.default_rng(20261125), Counter()
    for _ in range(CASES):
        case = random_case(rng)
        met[case.trap] += 1
        if case.trap:
            with pytest.raises((TypeError, ValueError), match=refusal(case)):
                ap.ReLUNetwork.from_torch(case.module)
        else:
            met["again"] += len(ids := [id(m) for _, m in places(case.module)]) > len(set(ids))
            x = dyadic_points(case.inputs)
            with torch.no_grad():
                expected = case.module(torch.from_numpy(x)).numpy()
            assert np.array_equal(ap.ReLUNetwork.from_torch(case.module)(x), expected)
    assert met.keys() == {"", "again", *TRAPS}, "every trap and the reuse of objects must occur"
    assert met[""] > CASES / 3
    assert met["again"] > CASES / 10


HALVES = (torch.float16, torch.bfloat16)
FORMATS = (*HALVES, torch.float32, torch.float64)


def chain(*widths, dtype=torch.float32):
    torch.manual_seed(1)
    layers = [layer for m, n in itertools.pairwise(widths) for layer in (nn.Linear(m, n), nn.ReLU())]
    return nn.Sequential(*layers[:-1]).to(dtype)


@pytest.mark.parametrize("dtype", FORMATS)
def test_no_false_alarms(dtype):
    rng = np.random.default_rng(FORMATS.index(dtype))
    for _ in range(150):
        module = ordinary_module(rng, dtype)
        net = ap.ReLUNetwork.from_torch(module)
        assert all(np.array_equal(a, layer.weight.detach().double().numpy())
                   for a, layer in zip(net.weights, module[::2], strict=True))


@pytest.mark.parametrize("dtype", FORMATS)
def test_no_false_alarm_in_wide_layers_or_beyond_the_range(dtype):
    wide = chain(784, 300, 300, 10, dtype=dtype)
    assert ap.ReLUNetwork.from_torch(wide).widths == (784, 300, 300, 10)
    steep, flat = chain(2, 8, 8, 1, dtype=dtype), chain(2, 8, 8, 1, dtype=dtype)
    with torch.no_grad():
        for layer in steep[::2]:
            layer.weight.fill_(torch.finfo(dtype).max / 2)
        for layer in flat[::2]:
            layer.weight.fill_(torch.finfo(dtype).smallest_normal)
    for module in (steep, flat):
        assert ap.ReLUNetwork.from_torch(module).widths == (2, 8, 8, 1)


def test_half_formats_off_the_cpu_may_add_in_any_way():
    there, here = (Arithmetic.of(torch.empty(1, dtype=torch.bfloat16, device=kind)) for kind in ("meta", "cpu"))
    assert there.growth(64) > 0.6 > 0.05 > here.growth(64)
    big = np.ones((1, 10**6), np.float32)
    with np.errstate(all="raise"):
        assert _affine(np.ones((2, 10**6)), np.zeros((2, 10**6)), big, big[0, :1], there)[1].tolist() == [[np.inf]] * 2


def leaky(layer, x):
    return torch.where(x > 0, x, 0.01 * x)


def without_bias(layer, x):
    return x @ layer.weight.T


def transposed(layer, x):
    return nn.functional.linear(x, layer.weight.T, layer.bias)


def skipping(chain, x):
    for layer in list(chain)[:-2]:
        x = layer(x)
    return x


def no_tensor(layer, x):
    return [x]


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize(("kind", "forward", "message"), [
    (nn.ReLU, leaky, "layer 1 is another function than its class says: output . at test point . is -"),
    (nn.Linear, without_bias, "layer 0 is another function .*rounding explains a difference of .* at most"),
    (nn.Linear, transposed, "layer 0 cannot be evaluated at values of shape"),
    (nn.Identity, leaky, "layer 3 is another function"),
    (nn.Sequential, skipping, "the module returns shape .*was a class of torch changed"),
    (nn.ReLU, no_tensor, "layer 1 returns a list, expected a tensor"),
])
def test_guard_notices_changed_classes(monkeypatch, dtype, kind, forward, message):
    module = nn.Sequential(*chain(3, 5, 5, dtype=dtype), nn.Identity(), nn.ReLU(), nn.Linear(5, 2, dtype=dtype))
    monkeypatch.setattr(kind, "forward", forward)
    with pytest.raises(ValueError, match=message):
        ap.ReLUNetwork.from_torch(module)


def test_guard_notices_a_whole_that_is_not_its_parts(monkeypatch):
    module = chain(3, 5, 5, 5)
    monkeypatch.setattr(nn.Sequential, "forward", lambda chain, x: chain[4](x.roll(1, dims=1).repeat(1, 2)[:, :5]))
    with pytest.raises(ValueError, match="the module is another function than its class says"):
        ap.ReLUNetwork.from_torch(module)


def state(module):
    """All that a forward pass might change, as plain values."""
    return ([(p.tolist(), None if p.grad is None else p.grad.tolist(), p.requires_grad) for p in module.parameters()],
            [(m.training, sorted(vars(m))) for m in module.modules()])


def test_conversion_leaves_the_module_and_the_random_numbers_as_they_are():
    module = nn.Sequential(chain(2, 4, 3), nn.Dropout(0.5).eval(), nn.ReLU(inplace=True), nn.Dropout(0.0))
    module(torch.ones(5, 2)).sum().backward()
    before, seeds = state(module), torch.get_rng_state()
    ap.ReLUNetwork.from_torch(module)
    assert state(module) == before
    assert torch.equal(seeds, torch.get_rng_state())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("surrounding", [
    nullcontext(), torch.inference_mode(), torch.device("meta"), torch.autocast("cpu", torch.bfloat16)],
    ids=["nothing", "inference mode", "meta device", "autocast"])
def test_surroundings_do_not_matter(surrounding):
    module = chain(2, 30, 30, 1)
    with surrounding:
        net = ap.ReLUNetwork.from_torch(module)
    assert net == ap.ReLUNetwork.from_torch(module)


@pytest.mark.parametrize("precision", ["medium", "high"])
def test_shorter_products_are_allowed_for_where_torch_may_take_them(monkeypatch, precision):
    monkeypatch.setattr(nn.Linear, "forward", lambda layer, x: nn.functional.linear(  # as some processors do then
        x.bfloat16().float(), layer.weight.bfloat16().float(), layer.bias))
    torch.set_float32_matmul_precision(precision)
    try:
        assert ap.ReLUNetwork.from_torch(chain(40, 40, 40)).widths == (40, 40, 40)
    finally:
        torch.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="layer 0 is another function"):
        ap.ReLUNetwork.from_torch(chain(40, 40, 40))


def test_an_object_that_comes_again_counts_each_time():
    relu, block = nn.ReLU(), nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    last = nn.Sequential(nn.Linear(1, 3), relu, nn.Linear(3, 2), relu)
    assert ap.ReLUNetwork.from_torch(last).widths == (1, 3, 2, 2)
    deep = nn.Sequential(nn.Linear(1, 3), nn.Sequential(relu, block, block), nn.Linear(3, 1))
    net = ap.ReLUNetwork.from_torch(deep)
    assert net.widths == (1, 3, 3, 3, 1)
    assert np.array_equal(net.weights[1], net.weights[2])
    loop = nn.Sequential(nn.Linear(1, 1), nn.Sequential())
    loop[1].append(loop)
    with pytest.raises(ValueError, match=r"layer 1\.0 contains itself"):
        ap.ReLUNetwork.from_torch(loop)


def test_hooks_for_all_modules():
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        with pytest.raises(ValueError, match="the module has a forward hook for all modules"):
            ap.ReLUNetwork.from_torch(chain(1, 1))
    finally:
        handle.remove()


class Separate(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(1, 2), nn.Linear(2, 1)


@pytest.mark.parametrize(("module", "message"), [
    (None, "the module is None, expected a torch.nn.Sequential"),
    (nn.Sequential, "the module is <class 'torch.*Sequential'>, expected"),
    ({"0.weight": 1}, "the module is {'0.weight': 1}, expected"),
    (ap.constructions.hat(), "the module is ReLUNetwork"),
    (nn.ModuleList([nn.Linear(1, 1)]), r"ModuleList, expected .*convert nn.Sequential\(\*module\)"),
    (torch.fx.symbolic_trace(chain(1, 2, 1)), "a GraphModule that was made from another module"),
    (Separate(), "Separate, expected .*put its layers into an nn.Sequential in the order of its forward"),
])
def test_what_is_no_sequential(module, message):
    with pytest.raises(TypeError, match=message):
        ap.ReLUNetwork.from_torch(module)


def test_compiled_modules():
    module = chain(1, 2, 1)
    with pytest.raises(TypeError, match=r"OptimizedModule, made by torch.compile: .* \._orig_mod"):
        ap.ReLUNetwork.from_torch(torch.compile(module, backend="eager"))
    net = ap.ReLUNetwork.from_torch(module)
    module.compile(backend="eager")
    with pytest.raises(ValueError, match=r"compiled in place: convert copy.deepcopy\(module\)"):
        ap.ReLUNetwork.from_torch(module)
    assert ap.ReLUNetwork.from_torch(copy.deepcopy(module)) == net


def test_the_remedies_help():
    pruned = chain(2, 3, 1)
    nn.utils.prune.l1_unstructured(pruned[0], "weight", 2)
    with torch.no_grad():
        pruned[0].weight_orig.mul_(2)  # what counts is only computed in the next forward pass
    with pytest.raises(ValueError, match=r"forward pre-hook \(L1Unstructured\)"):
        ap.ReLUNetwork.from_torch(pruned)
    nn.utils.prune.remove(pruned[0], "weight")
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 1))
    nn.utils.parametrize.remove_parametrizations(normed, "weight")
    own = TRAPS["own Sequential"][1](chain(1, 2, 1))
    for module in (pruned, normed, nn.Sequential(*own), nn.DataParallel(chain(1, 2, 1)).module):
        x = torch.randn(9, ap.ReLUNetwork.from_torch(module).widths[0])
        assert np.allclose(ap.ReLUNetwork.from_torch(module)(x), module(x).detach(), atol=1e-6)
