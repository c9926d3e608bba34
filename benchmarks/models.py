"""Networks of the shapes that people have: imported once, prepared once, counted between two inputs."""
from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import regioncam
import torch
from torch import nn

import affinepieces as ap
from timing import best


class Residual(nn.Module):
    """Two convolutions and what they are added to."""

    def __init__(self, channels: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, after, 3, stride, 1)
        self.second = nn.Conv2d(after, after, 3, 1, 1)
        self.past = nn.Conv2d(channels, after, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.second(torch.relu(self.first(x))) + self.past(x))


def dense(*widths: int) -> nn.Sequential:
    layers = [layer for m, n in pairwise(widths) for layer in (nn.Linear(m, n), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def lattice() -> nn.Sequential:
    """Maxima and minima of affine functions, written with Linear layers in a row."""
    layers: list[nn.Module] = [nn.Linear(2, 8), nn.Linear(8, 64)]
    for n in (64, 32, 16, 8, 4, 2):
        layers += [nn.Linear(n, 2 * n), nn.ReLU(), nn.Linear(2 * n, n // 2)]
    return nn.Sequential(*layers)


def convolutions(*parts: nn.Module, features: int) -> nn.Sequential:
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(features, 100), nn.ReLU(), nn.Linear(100, 10))


MODELS: dict[str, tuple[Callable[[], nn.Sequential], tuple[int, ...]]] = {
    "control, 5 - 6 x 50 - 5": (lambda: dense(5, *[50] * 6, 5), (5,)),
    "policy, 8 - 64 - 64 - 4": (lambda: dense(8, 64, 64, 4), (8,)),
    "digits, 784 - 256 - 256 - 10": (lambda: dense(784, 256, 256, 10), (784,)),
    "Linear layers in a row, 14": (lattice, (2,)),
    "2 convolutions, 3 x 32 x 32": (lambda: convolutions(
        nn.Conv2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 4, 2, 1), nn.ReLU(), features=1024), (3, 32, 32)),
    "residual, 3 x 32 x 32": (lambda: convolutions(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), Residual(8, 8, 1), Residual(8, 16, 2),
        features=1024), (3, 32, 32)),
    "max pooling, 1 x 28 x 28": (lambda: convolutions(
        nn.Conv2d(1, 8, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(4), features=392), (1, 28, 28)),
}


def peer_regions(chain: ap.Chain, segment: ap.Segment) -> int:
    """regioncam on a fully connected network, its first layer restricted to the segment."""
    camera = regioncam.Regioncam1D(size=1.0)
    middle = segment.start + segment.direction / 2
    first = (chain.weights[0] @ segment.direction)[:, None], chain.weights[0] @ middle + chain.biases[0]
    for j, (w, b) in enumerate([first, *zip(chain.weights[1:], chain.biases[1:], strict=True)]):
        camera.linear(w.T.astype(np.float32), b.astype(np.float32))
        if j < chain.layers - 1:
            camera.relu()
    return int(camera.num_edges)


def measure() -> dict[str, dict[str, float]]:
    """Seconds to import a model, for the first count between two inputs, and for the next; regions and pieces."""
    found = {}
    for name, (build, shape) in MODELS.items():
        torch.manual_seed(0)
        module = build().eval()
        begin = time.perf_counter()
        chain = ap.from_torch(module, shape)
        imported = time.perf_counter() - begin
        a, b = np.random.default_rng(0).random((2, chain.widths[0]), dtype=np.float32)
        line = ap.Segment.between(a, b)
        ap.count_regions(chain, line)  # compiled
        again = ap.from_torch(module, shape)
        begin = time.perf_counter()
        regions = ap.count_regions(again, line)
        row = {"inputs": chain.widths[0], "layers": chain.layers, "regions": regions,
               "pieces": ap.count_pieces(chain, line), "import_s": imported, "first_s": time.perf_counter() - begin,
               "pieces_s": best(lambda chain=chain, line=line: ap.count_pieces(chain, line))}
        if all(mask is None for mask in chain.carried) and not any(hasattr(w, "columns") for w in chain.weights):
            row |= {"peer_regions": peer_regions(chain, line),
                    "peer_s": best(lambda chain=chain, line=line: peer_regions(chain, line))}
        found[name] = row
    return found


def show(found: dict[str, dict[str, float]]) -> None:
    print(f"{'model':32}{'regions':>9}{'pieces':>8}{'import':>12}{'first':>12}{'next':>12}{'/peer':>8}")
    for name, r in found.items():
        ratio = f"{r['pieces_s'] / r['peer_s']:8.2f}" if "peer_s" in r else ""
        print(f"{name:32}{r['regions']:9}{r['pieces']:8}" + "".join(
            f"{1e3 * r[k]:9.2f} ms" for k in ("import_s", "first_s", "pieces_s")) + ratio)
