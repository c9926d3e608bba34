"""The regions of a polygon at float speed, proved: signs with error bounds, in rational arithmetic where in doubt."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from affinepieces import environment
from affinepieces._interrupts import check
from affinepieces.arithmetic.double_double import U
from affinepieces.layers import Layered
from affinepieces.pieces.certificate import Certificate
from affinepieces.pieces.exact import neurons_of
from affinepieces.pieces.kernels import FLOOR, SAFE
from affinepieces.pieces.plane.doubts import Doubts, Named, sides
from affinepieces.pieces.plane.kernels import DONE, FULL, UNSEEN, Mesh, corner_signs, cut_cells
from affinepieces.pieces.plane.kernels.mesh import CELL, LINE, TWIN
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.pieces.prepared import Floats, prepare

AT_ONCE = 4096  # cells that are cut between two looks at the keyboard
ROOM = 64  # entries of the arrays at the beginning


class Cutting:
    """The mesh of a network on a polygon, layer by layer.

    x: (C, 3, N), coefficients of s, of t and of 1 of the layer's output in each cell; e: (C, 3), their errors (2-norm).
    patterns: (C, N_1 + ... + N_j), which rows are active; carried ones are.
    """

    def __init__(self, net: Layered, polygon: Polygon) -> None:
        polygon.check(net)
        environment.check()
        self.net, self.layers, self.power = net, prepare(net).layers, prepare(net).power
        self.doubts, self.decisions, self.exact = Doubts(net, polygon), 0, 0
        self.mesh = _of_polygon(polygon)
        plane, norm = polygon.plane, np.linalg.norm
        self.x = np.stack([plane.first, plane.second, plane.origin])[None]
        self.e = SAFE * np.array([[norm(plane.first_low), norm(plane.second_low), 0.0]])
        self.patterns = np.zeros((1, 0), np.bool_)

    @property
    def cells(self) -> int:
        """How many there are."""
        return int(self.mesh.used[3])

    def hidden(self) -> Cutting:
        """Cut by all hidden layers."""
        with tqdm(total=self.net.layers - 1, delay=3, leave=False, bar_format="{l_bar}{bar}| layers {elapsed}") as bar:
            for j in range(self.net.layers - 1):
                self._layer(j, bar)
        return self

    def forms(self, layer: int) -> tuple[Floats, Floats]:
        """Coefficients of the preactivations of a layer in each cell (C, 3, N), and their errors (C, 3)."""
        cells, _, m = self.x.shape
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            z, error = self.layers[layer].float64(self.x.reshape(3 * cells, m), self.e.ravel())
            z, error = z.reshape(cells, 3, -1), error.reshape(cells, 3)
            bias = self.layers[layer].bias
            if bias.any():
                z[:, 2] += bias
                error[:, 2] = SAFE * (error[:, 2] + U * np.sqrt((z[:, 2]**2).sum(axis=1))) + FLOOR
        return z, error

    def inner(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(E, 2), the cells on the two sides of each edge between two; (E, 2), layer and row of the neuron there."""
        halves = self.mesh.halves[:self.mesh.used[2]]
        one = np.flatnonzero(np.arange(len(halves)) < halves[:, TWIN])
        return np.stack([halves[one, CELL], halves[halves[one, TWIN], CELL]], axis=1), \
            self.mesh.names[halves[one, LINE], :2]

    def certificate(self, kinks: int) -> Certificate:
        """How the signs, and so many kinks, were decided."""
        return Certificate(float64=self.decisions + kinks - self.exact, exact=self.exact)

    def _layer(self, j: int, bar: tqdm[None]) -> None:
        g, e = self.forms(j)
        carried, vertices, n = self.net.carried[j], int(self.mesh.used[0]), g.shape[2]
        signs = np.full((vertices, n), UNSEEN, np.int8)
        doubtful = np.flatnonzero(corner_signs(self.mesh, g, e, carried, signs))
        if len(doubtful):
            signs[doubtful] = self._exactly(j, doubtful.tolist())
        known = np.full(len(self.mesh.points), -1)
        known[:vertices] = np.arange(vertices)
        bits, marks = np.zeros((len(self.mesh.first), n), np.bool_), np.zeros(len(self.mesh.points), np.int8)
        state, wanted, cells = np.array([0, 0, -1, 0, 0, -1]), np.zeros(n, np.int64), self.cells
        asked = vertices
        for stop in range(AT_ONCE, cells + AT_ONCE, AT_ONCE):
            while (found := cut_cells(self.mesh, g, e, j, known, signs, bits, state, wanted, marks, min(stop, cells))
                   ) != DONE:
                if found == FULL:
                    self.mesh = _longer(self.mesh)
                    known = _filled(known, len(self.mesh.points), -1)
                    marks, bits = _filled(marks, len(self.mesh.points)), _filled(bits, len(self.mesh.first))
                else:
                    known[found], asked = asked, asked + 1
                    if asked > len(signs):
                        signs = _filled(signs, 2 * len(signs))
                    signs[known[found]] = self._exactly(j, [found])[0]
            check()
            bar.update(min(AT_ONCE, cells + AT_ONCE - stop) / cells)
        self.decisions += int(np.count_nonzero(known[:self.mesh.used[0]] >= 0)) * len(neurons_of(self.net, j))
        self._descend(g, e, bits, carried)

    def _descend(self, g: Floats, e: Floats, bits: NDArray[np.bool_], carried: NDArray[np.bool_] | None) -> None:
        """To the outputs of the layer, in all cells."""
        root = self.mesh.root[:self.cells]
        active = bits[:self.cells] if carried is None else bits[:self.cells] | carried
        self.x = np.where(active[:, None, :], g[root], 0.0)
        self.e = e[root]
        self.patterns = np.concatenate([self.patterns[root], active], axis=1)
        self.mesh.root[:self.cells] = np.arange(self.cells)

    def _exactly(self, layer: int, vertices: list[int]) -> NDArray[np.int8]:
        self.exact += len(vertices) * len(neurons_of(self.net, layer))
        return self.doubts.signs(layer, vertices, [self.lines(v) for v in vertices])

    def lines(self, vertex: int) -> list[Named]:
        """The two lines that meet there: layer, row, and the pattern of the layers below."""
        names = self.mesh.names[self.mesh.made[vertex]].tolist()
        return [(layer, row, self.patterns[cell]) for layer, row, cell in names]


def _of_polygon(polygon: Polygon) -> Mesh:
    """One cell."""
    n = len(polygon.corners)
    room = ROOM + n
    mesh = Mesh(np.zeros((room, 2)), np.zeros(room), np.zeros((room, 2), np.int64), np.zeros((room, 3)),
                np.zeros((room, 3)), np.zeros((room, 3), np.int64), np.zeros((2 * room, 5), np.int64),
                np.zeros(room, np.int64), np.zeros(room, np.int64), np.array([n, n, n, 1]))
    i = np.arange(n)
    mesh.points[:n], mesh.made[:n] = polygon.corners, np.stack([(i - 1) % n, i], axis=1)
    mesh.halves[:n] = np.stack([i, (i + 1) % n, np.full(n, -1), np.zeros(n, np.int64), i], axis=1)
    mesh.names[:n, :2] = np.stack([np.full(n, -1), i], axis=1)
    for k, line in enumerate(sides(polygon)):
        scale = 2 ** max(v.bit_length() for v in line)
        mesh.lines[k] = [v / scale for v in line]
        mesh.errors[k] = [0.0 if Fraction(v / scale) == Fraction(v, scale) else U for v in line]
    return mesh


def _longer(mesh: Mesh) -> Mesh:
    """The same with twice as much room."""
    return Mesh(*(array if name == "used" else _filled(array, 2 * len(array))
                  for name, array in mesh._asdict().items()))


def _filled(array: NDArray[Any], length: int, value: int = 0) -> NDArray[Any]:
    """The array, continued with a value."""
    rest = np.full((length - len(array), *array.shape[1:]), value, array.dtype)
    return np.concatenate([array, rest])
