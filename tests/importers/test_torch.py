"""What `from_torch` builds is the module's own function: exactly, along segments, and at points."""
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import affinepieces as ap
from affinepieces import from_torch
from importers.check import check, segment
from importers.modules import Steps, random_module

EXACT, COMPARED = 200, 1000  # seeds; campaign.py takes more


@pytest.mark.parametrize("first", range(0, EXACT, 25))
def test_pieces_breakpoints_and_values_are_those_of_the_layers(first):
    for seed in range(first, first + 25):
        check(seed)


def test_what_a_campaign_found():
    check(20197)  # the mean of what has mean zero: rounding errors of a jump that cancels were taken for a kink


def same_at_points(module, shape, seed=0, points=4):
    """The chain of a module, after comparing both at points of several sizes."""
    chain = from_torch(module, shape)
    rng = np.random.default_rng([33, seed])
    x = rng.standard_normal((points, *shape)) * 4.0 ** rng.integers(-3, 4, (points, *[1] * len(shape)))
    with torch.no_grad():
        own = np.array([module(torch.from_numpy(row[None].copy())).reshape(-1).numpy() for row in x])
    found = chain(x.reshape(points, -1))
    assert np.all(np.abs(found - own) <= 1e-9 * (1 + np.abs(own).max(axis=1, keepdims=True)))
    return chain


@pytest.mark.parametrize("first", range(0, COMPARED, 100))
def test_modules_are_the_function_that_torch_evaluates(first):
    for seed in range(first, first + 100):
        module, shape = random_module(10**6 + seed, longest=3)
        same_at_points(module, shape, seed)


def random_parameters(module, seed=0):
    rng = np.random.default_rng([34, seed])
    with torch.no_grad():
        for name, tensor in module.double().eval().state_dict().items():
            if "num_batches" not in name:
                values = rng.standard_normal(tuple(tensor.shape))
                tensor.copy_(torch.from_numpy(np.abs(values) if "running_var" in name else values))
    return module.requires_grad_(False)


def pieces(module, shape, seed=1):
    return ap.count_pieces(from_torch(module, shape), segment(seed, int(np.prod(shape))))


def test_the_order_of_channels_does_not_matter():
    for seed in range(1, 13):
        first, norm, second = nn.Conv2d(2, 4, 2), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 2)
        module = random_parameters(nn.Sequential(first, norm, nn.ReLU(), nn.MaxPool2d(2, 1), second, nn.ReLU(),
                                                 nn.Flatten(), nn.Linear(3, 1)), seed)
        before = pieces(module, (2, 4, 4), seed)
        order = torch.from_numpy(np.random.default_rng(seed).permutation(4))
        for tensor in (first.weight, first.bias, norm.weight, norm.bias, norm.running_mean, norm.running_var):
            tensor.copy_(tensor[order])
        second.weight.copy_(second.weight[:, order])
        assert pieces(module, (2, 4, 4), seed) == before > 1


def test_an_identity_between_two_layers_does_not_matter():
    for seed in range(1, 13):
        first, last = nn.Linear(3, 6), nn.Linear(6, 2)
        identity = nn.Linear(6, 6).double()
        plain = random_parameters(nn.Sequential(first, nn.ReLU(), nn.Linear(6, 6), nn.LeakyReLU(), last), seed)
        with torch.no_grad():
            identity.weight.copy_(torch.eye(6))
            identity.bias.zero_()
        split = nn.Sequential(first, identity, plain[1], identity, *plain[2:4], identity, last).eval()
        assert pieces(plain, (3,), seed) == pieces(split, (3,), seed) > 1


def test_a_constant_output():
    module = random_parameters(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
    module[2].weight.zero_()
    assert pieces(module, (2,)) == 1
    same_at_points(module, (2,))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_parameters_are_taken_exactly(dtype):
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).to(dtype)
    chain = from_torch(module)
    assert np.array_equal(chain.weights[0], module[0].weight.detach().double().numpy())
    assert np.array_equal(chain.biases[1], module[2].bias.detach().double().numpy())


def test_the_module_stays_as_it_is():
    module = nn.Sequential(nn.Conv1d(1, 2, 2), nn.BatchNorm1d(2), nn.ReLU(inplace=True), nn.Flatten()).eval()
    before, seeds = {k: v.clone() for k, v in module.state_dict().items()}, torch.get_rng_state()
    from_torch(module, (1, 4))
    assert all(torch.equal(before[k], v) and v.dtype == before[k].dtype for k, v in module.state_dict().items())
    assert torch.equal(seeds, torch.get_rng_state())
    assert not any(m.training for m in module.modules())
    assert torch.is_grad_enabled()


# each changes a tensor that somebody else reads as well, or only seems to

def view_changed(x):
    x.view(2, -1).relu_()
    return x


def reshape_changed(x):
    F.relu(x.reshape(-1), inplace=True)
    return x


def transpose_reshaped(x):
    y = x.view(1, 2, 3)
    y.transpose(1, 2).reshape(1, 6).mul_(2.0)  # a copy
    return y.flatten(1)


def transpose_changed(x):
    y = x.view(1, 2, 3)
    y.transpose(1, 2).add_(torch.arange(6.0).reshape(3, 2))
    return y.flatten(1)


def slice_changed(x):
    x[:, 1:4].mul_(-3.0)
    return x + 1


def every_second(x):
    x[:, ::2].clamp_(-0.5, 0.5)
    return x


def column_changed(x):
    x[:, 2].neg_()
    return x


def before_and_after(x):
    y = x
    x += 1
    return y - 2 * x


def added_to_itself(x):
    y = x * 2
    x += y
    return torch.cat([x, y], 1)


def not_in_place(x):
    y = x
    x = x + 1
    return torch.cat([x, y], 1)


def flattened(x):
    y = torch.flatten(x, 1)
    y.abs_()
    return x


def flattened_copy(x):
    y = x.view(1, 2, 3).permute(0, 2, 1).flatten(1)
    y.abs_()
    return x


def cloned(x):
    x.clone().relu_()
    return x


def detached(x):
    x.detach().relu_()
    return x


def chunk_changed(x):
    a, _ = x.chunk(2, 1)
    a.relu_()
    return x


def split_changed(x):
    x.split([1, 2, 3], dim=1)[1].sub_(1.5)
    return x


def unbound(x):
    x.unbind(1)[3].relu_()
    return x


def squeezed(x):
    x.unsqueeze(1).squeeze(1).relu_()
    return x


def concatenated(x):
    torch.cat([x], 1).relu_()
    return x


def stacked(x):
    torch.stack([x, x], 1)[:, 0].relu_()
    return x


def contiguous(x):
    x.contiguous().relu_()
    return x


def made_contiguous(x):
    y = x.view(1, 2, 3).transpose(1, 2)
    y.contiguous().relu_()
    return x


def narrowed(x):
    x.narrow(1, 2, 3).relu_()
    return x


def dropped(x):
    F.dropout(x, 0.5, False).relu_()
    return x


def pooled(x):
    y = x.unsqueeze(1)
    F.max_pool1d(y, 1).relu_()
    return x


def averaged(x):
    x.view(1, 6, 1).mean(2).relu_()
    return x


def largest_of_one(x):
    x.view(1, 6, 1).amax(2).relu_()
    return x


def added_nothing(x):
    (x + 0).relu_()
    (x * 1).relu_()
    return x


def chained(x):
    return x.relu_().add_(1).mul_(2) - x


def unflattened(x):
    x.unflatten(1, (3, 2)).relu_()
    return x


def kept_strides(x):
    y = (x.view(1, 2, 3).transpose(1, 2) + 1).reshape(1, 6)
    y.relu_()
    return y


def copied_by_strides(x):
    y = x.view(1, 2, 3).transpose(1, 2) + 1  # in memory as x is, so that reshape copies
    y.reshape(1, 6).relu_()
    return y.flatten(1)


ALIASES = (view_changed, reshape_changed, transpose_reshaped, transpose_changed, slice_changed, every_second,
           column_changed, before_and_after, added_to_itself, not_in_place, flattened, flattened_copy, cloned, detached,
           chunk_changed, split_changed, unbound, squeezed, concatenated, stacked, contiguous, made_contiguous,
           narrowed, dropped, pooled, averaged, largest_of_one, added_nothing, chained, unflattened, kept_strides,
           copied_by_strides)


@pytest.mark.parametrize("function", ALIASES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("layer", [nn.Identity(), nn.Linear(6, 6)], ids=["input", "layer"])
def test_what_is_changed_in_place_changes_for_everybody(layer, function):
    module = random_parameters(Steps([layer, function, nn.Identity()]))
    same_at_points(module, (6,), points=20)


class Rearranging(nn.Module):
    """Random views, copies and changes in place; all tensors that ever were are returned."""

    CHOICES = (lambda x, k: x.transpose(1, 2), lambda x, k: x.permute(0, 3, 1, 2), lambda x, k: x.reshape(1, 2, 2, -1),
               lambda x, k: x.flatten(1).reshape(x.shape), lambda x, k: x.contiguous(), lambda x, k: x.clone(),
               lambda x, k: x + k, lambda x, k: F.relu(x), lambda x, k: x[:, :, ::-1 if k > 9 else 1],
               lambda x, k: torch.stack([x[:, 0], x[:, 1]], 1), lambda x, k: x.chunk(2, 1)[0].expand(x.shape).clone(),
               lambda x, k: x.transpose(1, 3).reshape(1, -1, 2, 1).squeeze(3).unflatten(1, (2, -1)),
               lambda x, k: torch.maximum(x, -x), lambda x, k: F.max_pool2d(x, 1), lambda x, k: x.unsqueeze(4).mean(4))
    CHANGES = (lambda x, k: x.relu_(), lambda x, k: x.add_(k), lambda x, k: x[:, 0].mul_(-2.0),
               lambda x, k: x[..., 0].clamp_(-k, k), lambda x, k: x[:, :, 1].neg_(),
               lambda x, k: F.relu(x, inplace=True),
               lambda x, k: x.reshape(-1)[::3].sub_(k), lambda x, k: x.flatten(2).abs_())

    def __init__(self, seed):
        super().__init__()
        rng = np.random.default_rng([35, seed])
        self.plan = [(bool(rng.integers(2)), int(rng.integers(99)), int(rng.integers(99)), float(rng.random()))
                     for _ in range(rng.integers(3, 14))]

    def forward(self, x):
        pool = [x.view(1, 2, 2, 2)]
        for change, which, what, k in self.plan:
            tensor = pool[which % len(pool)]
            if change:
                self.CHANGES[what % len(self.CHANGES)](tensor, k)
            else:
                pool.append(self.CHOICES[what % len(self.CHOICES)](tensor, k))
        return torch.cat([tensor.flatten() for tensor in pool])


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_random_views_copies_and_changes_in_place(first):
    for seed in range(first, first + 100):
        same_at_points(Rearranging(seed), (8,), seed)


class Shared(nn.Module):
    """In-place ReLUs in a residual branch: the sum reads what they have changed."""

    def __init__(self, first):
        super().__init__()
        self.branch = nn.Sequential(*first, nn.Linear(4, 4), nn.ReLU(inplace=True), nn.Linear(4, 4))

    def forward(self, x):
        return x + self.branch(x)


@pytest.mark.parametrize("first", [[], [nn.ReLU(inplace=True)], [nn.Identity(), nn.Hardtanh(inplace=True)],
                                   [nn.Dropout(0.5), nn.LeakyReLU(0.5, inplace=True)], [nn.ReLU()]])
def test_a_branch_that_begins_in_place(first):
    module = random_parameters(nn.Sequential(nn.Linear(3, 4), Shared(first), Shared(first), nn.Linear(4, 1)))
    same_at_points(module, (3,), points=20)


def normed(x):
    return F.avg_pool2d(F.pad(x, (1, 0, 2, 1), value=0.5), 2, 1)


@pytest.mark.parametrize("function", [
    nn.MaxPool2d(2, 2, ceil_mode=True), nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.MaxPool2d(2, (1, 3), (1, 0), (2, 1)),
    nn.MaxPool2d((1, 3)), nn.AvgPool2d((2, 3), (1, 2), (1, 1)), nn.AvgPool2d(3, 1, 1, False, False),
    nn.AvgPool2d(2, divisor_override=3), nn.AdaptiveAvgPool2d((None, 2)), nn.AdaptiveMaxPool2d((3, None)),
    nn.AdaptiveAvgPool2d(7), nn.AdaptiveMaxPool2d(7), nn.Conv2d(2, 4, (1, 3), (2, 1), (0, 2), (1, 2), 2),
    nn.Conv2d(2, 3, 3, padding="same", dilation=2), nn.Conv2d(2, 3, 3, padding="valid"), nn.PReLU(2), nn.BatchNorm2d(2),
    nn.BatchNorm2d(2, affine=False), normed, lambda x: x.amax((2, 3)), lambda x: torch.amin(x, 1),
    lambda x: x.max(dim=2)[0], lambda x: torch.min(x, dim=-1).values, lambda x: torch.max(x, -x), lambda x: x.mean(),
    lambda x: x.sum(), lambda x: x[0, 1, [0, 2, 2]], lambda x: x.mT.flatten(),
    lambda x: x[:, 1, None].expand(1, 3, 4, 5), lambda x: x.sum().flatten(), lambda x: x[0, 0, 0, 0].contiguous(),
    lambda x: x.view(x.size()), lambda x: x.reshape(x.shape[0], x.shape[1], -1),
    lambda x: x.split([0, 2], 1)[1].relu_() + x,
    lambda x: torch.cat([x[:, 2:], x[:, :1]], 1), lambda x: x[:, torch.tensor([1, 1, 0])].relu_() + x[:, :1],
    lambda x: F.relu(x) @ torch.arange(15.0, dtype=torch.float64).reshape(5, 3), lambda x: torch.stack(x.unbind(2), 1)],
    ids=lambda f: getattr(f, "__name__", None) or str(f))
def test_options(function):
    module = random_parameters(Steps([nn.LeakyReLU(0.5), function]))
    same_at_points(module, (2, 4, 5), points=20)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_same_padding_of_an_even_window():
    module = random_parameters(nn.Sequential(nn.Conv2d(1, 2, (2, 4), padding="same"), nn.ReLU()))
    same_at_points(module, (1, 3, 5))
