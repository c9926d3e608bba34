"""What `from_torch` does not support is refused by name; nothing else slips through."""
import copy
import inspect
import operator
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

from affinepieces import from_torch
from importers.modules import Steps

SUPPORTED = {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AlphaDropout",
             "AvgPool1d", "AvgPool2d", "BatchNorm1d", "BatchNorm2d", "Conv1d", "Conv2d", "Dropout", "Dropout1d",
             "Dropout2d", "Flatten", "Hardtanh", "Identity", "LeakyReLU", "Linear", "MaxPool1d", "MaxPool2d", "PReLU",
             "ReLU", "ReLU6", "Sequential"}
LAYER = (4, 2)
ARGUMENTS = {  # of those that the general rule below does not construct
    "AdaptiveLogSoftmaxWithLoss": (8, 10, [5]), "DataParallel": (nn.Linear(2, 2),), "Fold": ((4, 4), 2),
    "FractionalMaxPool2d": (2, 1), "FractionalMaxPool3d": (2, 1), "LSTMCell": (2, 2), "RNNBase": ("RNN_TANH", 2, 2),
    "RNNCellBase": (2, 2, True, 1), "ModuleDict": (), "MultiheadAttention": LAYER, "ParameterDict": (),
    "Transformer": (4, 2, 1, 1, 4), "TransformerDecoder": (nn.TransformerDecoderLayer(4, 2, 4), 1),
    "TransformerEncoder": (nn.TransformerEncoderLayer(4, 2, 4, batch_first=True), 1), "GRU": (2, 2), "LSTM": (2, 2),
    "RNN": (2, 2), "TransformerDecoderLayer": (4, 2, 4), "TransformerEncoderLayer": (4, 2, 4),
    "Unflatten": (1, (2, 2)), "GroupNorm": (2, 4), "Upsample": (None, 2),
    "FractionalMaxPool": (2, 1), "CosineSimilarity": (1,), "Softmax": (1,), "Softmin": (1,), "LogSoftmax": (1,),
    "Threshold": (0.0, 0.0), "ConstantPad1d": (1, 0.0), "ConstantPad2d": (1, 0.0), "ConstantPad3d": (1, 0.0)}


def constructed(kind):
    """An instance, with 2 for every argument that has no default."""
    if kind.__name__ in ARGUMENTS:
        return kind(*ARGUMENTS[kind.__name__])
    needed = [p for p in inspect.signature(kind).parameters.values() if p.default is p.empty and p.kind is
              p.POSITIONAL_OR_KEYWORD]
    return kind(*[2] * len(needed))


def classes():
    return {name: kind for name, kind in vars(nn).items() if inspect.isclass(kind) and issubclass(kind, nn.Module)}


@pytest.mark.parametrize("name", sorted(set(classes()) - SUPPORTED))
def test_every_other_class_of_torch_is_refused_by_name(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constructors
        layer = constructed(classes()[name]).eval()
    for module in (layer, nn.Sequential(nn.Linear(4, 4), layer), nn.Sequential(nn.Linear(4, 4), nn.Sequential(layer))):
        with pytest.raises((TypeError, ValueError), match=rf"\b{type(layer).__name__}\b"):
            from_torch(module, (4,))


def test_the_supported_classes_exist():
    assert set(classes()) > SUPPORTED


X = nn.Linear(4, 4)
FUNCTIONS = {
    "sigmoid": [torch.sigmoid, F.sigmoid, lambda x: x.sigmoid()], "tanh": [torch.tanh, F.tanh, lambda x: x.tanh()],
    "gelu": [F.gelu], "softmax": [lambda x: F.softmax(x, 1), lambda x: x.softmax(1), lambda x: torch.softmax(x, 1)],
    "log_softmax": [lambda x: F.log_softmax(x, 1), lambda x: x.log_softmax(1)], "softmin": [lambda x: F.softmin(x, 1)],
    "silu": [F.silu], "elu": [F.elu], "selu": [F.selu, torch.selu], "celu": [F.celu, torch.celu],
    "softplus": [F.softplus], "softsign": [F.softsign], "mish": [F.mish], "hardswish": [F.hardswish],
    "hardsigmoid": [F.hardsigmoid], "log_?sigmoid": [F.logsigmoid], "tanhshrink": [F.tanhshrink],
    "hardshrink": [F.hardshrink, lambda x: x.hardshrink()], "softshrink": [F.softshrink], "glu": [F.glu],
    "threshold": [lambda x: F.threshold(x, 0.0, 1.0)], "rrelu": [F.rrelu], "normalize": [F.normalize],
    "layer_norm": [lambda x: F.layer_norm(x, (4,))], "group_norm": [lambda x: F.group_norm(x, 2)],
    "batch_norm": [lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4))],
    "instance_norm": [lambda x: F.instance_norm(x.unsqueeze(1))], "exp": [torch.exp, lambda x: x.exp()],
    "log": [torch.log], "sqrt": [torch.sqrt, lambda x: x.sqrt()], "square": [torch.square], "sin": [torch.sin],
    "pow": [lambda x: x ** 2, lambda x: x.pow(2), lambda x: torch.pow(x, 2)], "sign": [torch.sign],
    "floor": [torch.floor, lambda x: x.floor()], "round": [torch.round], "erf": [torch.erf],
    "where|gt": [lambda x: torch.where(x > 0, x, 0 * x), lambda x: x.where(x, x)], "gt": [lambda x: (x > 0) + x],
    "cumsum": [lambda x: x.cumsum(1)], "sort": [lambda x: torch.sort(x)[0]], "topk": [lambda x: x.topk(2)[0]],
    "argmax": [lambda x: x.argmax(1)], "norm": [lambda x: x.norm(), torch.norm], "var": [lambda x: x.var(1)],
    "std": [lambda x: x.std()], "prod": [lambda x: x.prod(1)], "median": [lambda x: x.median(1)[0]],
    "logsumexp": [lambda x: x.logsumexp(1)], "floordiv": [lambda x: x // 2], "mod": [lambda x: x % 2],
    "interpolate": [lambda x: F.interpolate(x.unsqueeze(1), 3)], "sigmoid_": [lambda x: x.sigmoid_()],
    "maximum": [lambda x: x.max(1).indices, lambda x: x.max(1)[1], lambda x: torch.min(x, 1)[1]],
    "rounds": [lambda x: torch.div(x, 2, rounding_mode="floor")], "roll": [lambda x: x.roll(1, 1)],
    "bernoulli": [torch.bernoulli], "rand_like": [lambda x: x + torch.rand_like(x)]}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_refused_by_name(name):
    for function in FUNCTIONS[name]:
        with pytest.raises((TypeError, ValueError), match=name):
            from_torch(Steps([copy.deepcopy(X), function]).eval(), (4,))


@pytest.mark.parametrize("product", [
    lambda x: x * F.relu(x), lambda x: x * x, lambda x: x.mul(x), lambda x: torch.mul(x, x.abs()), lambda x: x.mul_(x),
    lambda x: x / (1 + x.abs()), lambda x: 1 / (1 + x.abs()), lambda x: x @ x.transpose(0, 1), lambda x: F.linear(x, x),
    lambda x: torch.matmul(x.unsqueeze(2), x.unsqueeze(1)), lambda x: x * x.sum(),
    lambda x: torch.bmm(x[None], x[None]), lambda x: F.hardtanh(x, -1, x[0, 1]), lambda x: F.leaky_relu(x, x[0, 0]),
    lambda x: F.pad(x, (1, 1), value=x[0, 0]), lambda x: x[:, x[0]],
    lambda x: torch.einsum("bi,bj->bij", x, x), lambda x: F.prelu(x, x[0, :1]), lambda x: operator.imul(x, x),
    lambda x: F.conv1d(x[:, None], x[:, None]), lambda x: torch.dot(x[0], x[0]), lambda x: torch.addmm(x, x, x),
    lambda x: F.bilinear(x, x, torch.ones(1, 4, 4)), lambda x: torch.add(x, x, alpha=x[0, 0]),
    lambda x: x.sub_(1, alpha=x[0, 0])])
def test_products_of_branches(product):
    with pytest.raises((TypeError, ValueError), match=r"not affine|not supported|depends? on the input"):
        from_torch(Steps([copy.deepcopy(X), product]).eval(), (4,))


class Branching(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.rule, self.layer = forward, nn.Linear(4, 4)

    def forward(self, x):
        return self.rule(self.layer(x))


def written(x):
    x[:, 0] = 0
    return x


@pytest.mark.parametrize("rule", [
    lambda x: x if x.sum() > 0 else -x, lambda x: x * float(x.sum()), lambda x: max(x, -x),
    lambda x: sum(v for v in x), lambda x: x[:, int(x.argmax())], written])
def test_what_depends_on_values_cannot_be_traced(rule):
    with pytest.raises(ValueError, match=r"torch.fx cannot trace the module"):
        from_torch(Branching(rule).eval())


class Random(nn.Module):
    def forward(self, x):
        return x + torch.rand(4)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x + self.calls


@pytest.mark.parametrize("kind", [Random, Counting])
def test_what_is_another_function_at_each_call(kind):
    with pytest.raises((TypeError, ValueError), match=r"another function|in place|cannot trace"):
        from_torch(nn.Sequential(copy.deepcopy(X), kind()).eval())


@pytest.mark.parametrize(("layer", "shape"), [
    (nn.Dropout(0.5), (4,)), (nn.Dropout1d(0.5), (2, 4)), (nn.Dropout2d(0.5), (1, 2, 2)), (nn.AlphaDropout(0.1), (4,)),
    (nn.BatchNorm1d(4), (4,)), (nn.BatchNorm2d(2), (2, 2, 2)), (lambda x: F.dropout(x), (4,)),
    (lambda x: F.dropout(x, 0.1, True), (4,)), (nn.RReLU(), (4,))])
def test_training_mode_is_refused(layer, shape):
    with pytest.raises((TypeError, ValueError), match=r"RReLU|[Dd]ropout.*\.eval\(\)|BatchNorm.*\.eval\(\)"):
        from_torch(Steps([nn.Identity(), layer]).train(), shape)


def test_batch_statistics_are_refused_in_eval_mode_too():
    with pytest.raises(ValueError, match=r"BatchNorm1d .*without running statistics"):
        from_torch(nn.Sequential(copy.deepcopy(X), nn.BatchNorm1d(4, track_running_stats=False)).eval())


def test_only_what_differs_in_training_mode_is_refused():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Dropout(0.0), nn.Linear(3, 1)).train()
    assert from_torch(module).widths == (2, 3, 1)


@pytest.mark.parametrize("hook", [lambda m: m.register_forward_hook(lambda *_: None),
                                  lambda m: m.register_forward_pre_hook(lambda *_: None)])
@pytest.mark.parametrize("place", [lambda m: m, lambda m: m[1], lambda m: m[0]])
def test_hooks(hook, place):
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    hook(place(module))
    with pytest.raises(ValueError, match=r"forward (pre-)?hook .*remove"):
        from_torch(module)


def test_global_hooks():
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        with pytest.raises(ValueError, match="forward hook for all modules"):
            from_torch(copy.deepcopy(X))
    finally:
        handle.remove()


@pytest.mark.parametrize(("change", "message"), [
    (parametrizations.weight_norm, "parametri"), (parametrizations.orthogonal, "parametri"),
    (lambda m: prune.l1_unstructured(m, "weight", 1), "L1Unstructured"),
    (lambda m: setattr(m, "forward", lambda x: x), "forward of its own"),
    (lambda m: m.weight.data.fill_(float("nan")), "weight of layer 0 is not finite"),
    (lambda m: m.bias.data.fill_(float("inf")), "bias of layer 0 is not finite"),
    (lambda m: m.to("meta"), "meta"), (lambda m: m.to(torch.complex64), "complex|dtype")])
def test_layers_that_are_not_what_their_class_says(change, message):
    module = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        change(module[0])
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(module, (3,))


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class Renamed(nn.Conv1d):
    """The same function."""


class Leaky(nn.ReLU):
    def forward(self, x):
        return F.leaky_relu(x, 0.25)


def test_subclasses_are_what_their_forward_says():
    x = torch.randn(5, 1, 3)
    module = nn.Sequential(Renamed(1, 2, 2), Leaky(), nn.Flatten(), Doubled(4, 2)).eval()
    with torch.no_grad():
        expected = module(x)
    found = torch.from_numpy(from_torch(module, (1, 3))(x.reshape(5, 3).double().numpy()))
    assert torch.allclose(found, expected.double(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("module", "shape", "message"), [
    (None, None, "expected a torch.nn.Module"), (nn.Linear, None, "expected a torch.nn.Module"),
    (nn.ReLU(), None, "give input_shape"), (nn.Conv2d(1, 1, 2), None, "Conv2d: give input_shape"),
    (nn.Linear(3, 1), (4,), "shape|matrix|input"), (nn.Conv2d(2, 1, 2), (1, 3, 3), "shape|channels|input"),
    (nn.Conv2d(1, 1, 2), (3, 3), "shape"), (nn.Conv2d(1, 1, 4), (1, 3, 3), "larger than the padded input"),
    (nn.Linear(3, 1), (0,), "input_shape"), (nn.Linear(3, 1), (3.5,), "input_shape"),
    (nn.Linear(3, 1), 3, "input_shape"), (nn.BatchNorm1d(3).eval(), (4,), "shape|features|input|channels"),
    (nn.PReLU(3), (4,), "shape|broadcast"), (nn.MaxPool2d(2), (1, 1, 1), "larger"),
    (nn.Conv2d(1, 1, 1, padding=1, padding_mode="reflect"), (1, 3, 3), "reflect"),
    (nn.MaxPool1d(2, return_indices=True), (1, 3), "indices"), (nn.Flatten(0, 5), (3,), "dim|axis|range|read")])
def test_wrong_inputs(module, shape, message):
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(module, shape)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class Constant(nn.Module):
    def forward(self, x):
        return torch.zeros(3)


class Nothing(nn.Module):
    def forward(self, x):
        return None


@pytest.mark.parametrize(("module", "message"), [
    (Pair(), "returns a tuple"), (Two(), "takes 2 inputs"), (Constant(), "do not depend on the input|another function"),
    (Nothing(), "returns a NoneType|returns nothing")])
def test_signatures(module, message):
    with pytest.raises((TypeError, ValueError), match=message):
        from_torch(module, (3,))
