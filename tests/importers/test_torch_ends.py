"""Where a function read from torch ends, and casts that change no number."""
import numpy as np
import pytest
import torch
from torch import nn

import affinepieces as ap


class Scores(nn.Module):
    """A classifier that casts, and ends with a softmax."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        hidden = torch.relu(self.first(x.float())).to(torch.float32)
        return torch.softmax(self.last(hidden), dim=1)


@pytest.mark.parametrize("until", ["last", "relu"])
def test_the_function_ends_where_it_is_told(until):
    torch.manual_seed(0)
    module, x = Scores().eval(), np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    hidden = torch.relu(module.first(torch.from_numpy(x)))
    expected = module.last(hidden) if until == "last" else hidden
    found = ap.from_torch(module, until=until)(x)
    assert np.allclose(found, expected.detach().numpy(), atol=1e-5)


def test_what_comes_last_must_be_asked_for():
    with pytest.raises(ValueError, match="softmax"):
        ap.from_torch(Scores().eval())
    with pytest.raises(ValueError, match=r"until is 'logits', expected one of x, .*first.*last"):
        ap.from_torch(Scores().eval(), until="logits")


def test_casts_that_would_round_are_refused():
    with pytest.raises(ValueError, match=r"cast to torch\.float32"):
        ap.from_torch(Scores().double().eval(), until="last")


class Centred(nn.Module):
    def forward(self, x):
        return torch.relu(x - x.mean(0))


def test_what_mixes_the_inputs_of_a_batch_is_refused():
    with pytest.raises(ValueError, match="over the inputs of a batch"):
        ap.from_torch(Centred(), input_shape=(3,))
