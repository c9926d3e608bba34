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
from affinepieces.pieces.certificate import EXACT, MOST, Certificate
from affinepieces.pieces.exact import neurons_of
from affinepieces.pieces.plane.doubts import Doubts, Named
from affinepieces.pieces.plane.forms import Forms
from affinepieces.pieces.plane.kernels import DONE, FULL, UNSEEN, Mesh, corner_signs, cut_cells
from affinepieces.pieces.plane.kernels.mesh import CELL, LINE, TWIN
from affinepieces.pieces.plane.polygon import Polygon
from affinepieces.pieces.prepared import Booleans, Floats, prepare
from affinepieces.pieces.size import free_bytes

AT_ONCE = 4096  # cells that are cut at most between two looks at the keyboard
TOGETHER = 64  # vertices that go to rational arithmetic between two such looks
LARGE = 2**26  # bytes from which on it is asked whether memory will hold them
ROOM = 512  # entries of the arrays at the beginning


class Cutting:
    """The mesh of a network on a polygon, layer by layer.

    inputs: what the next layer reads, in each cell.
    patterns: (C, N_1 + ... + N_j), which rows are active; carried ones are.
    """

    def __init__(self, net: Layered, polygon: Polygon) -> None:
        polygon.check(net)
        environment.check()
        self.net, self.layers, self.power = net, prepare(net).layers, prepare(net).power
        self.doubts, self.certificate, self.exact = Doubts(net, polygon), Certificate(), 0
        self.mesh = _of_polygon(polygon)
        self.plane, self.inputs = polygon.plane, Forms.of(polygon.plane, 1, not net.plain)
        self.passed: tuple[Any, ...] = ()  # the layer below, and what of it is passed on
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

    def forms(self, layer: int) -> Forms:
        """The preactivations of a layer in each cell, in as many words as it takes to know them well.

        Raises MemoryError where there are so many cells that these do not fit.
        """
        if self.passed:  # not before they are asked for: counts of regions do not need the last ones
            self.inputs = self.passed[0].after(*self.passed[1:])
            self.passed = ()
        self._refuse_if_too_large(layer)
        found = self.inputs.through(self.layers[layer])
        while found.vague and self.inputs.words < MOST:
            self.inputs = self._again(layer, 2 * self.inputs.words)
            found = self.inputs.through(self.layers[layer])
        return found

    def _refuse_if_too_large(self, layer: int) -> None:
        needed = 3 * 8 * self.cells * sum(self.net.widths[layer:layer + 2]) * self.inputs.words
        if needed > LARGE and needed > (free := free_bytes()):
            raise MemoryError(f"{self.cells} regions of {layer} hidden layers need {needed / 1e9:.3g} GB, and "
                              f"{free / 1e9:.3g} GB are free: take a smaller polygon, or parts of it one at a time")

    def _again(self, layer: int, words: int) -> Forms:
        """The inputs of a layer in all cells, from the beginning, in so many words."""
        inputs, cells = Forms.of(self.plane, words, not self.net.plain), np.zeros(self.cells, np.int64)
        ends = np.cumsum(self.net.widths[1:])
        for j in range(layer):
            active = self.patterns[:, ends[j] - self.net.widths[j + 1]:ends[j]]
            inputs, cells = inputs.through(self.layers[j]).after(cells, active), np.arange(self.cells)
        return inputs

    def inner(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(E, 2), the cells on the two sides of each edge between two; (E, 2), layer and row of the neuron there."""
        halves = self.mesh.halves[:self.mesh.used[2]]
        one = np.flatnonzero(np.arange(len(halves)) < halves[:, TWIN])
        return np.stack([halves[one, CELL], halves[halves[one, TWIN], CELL]], axis=1), \
            self.mesh.names[halves[one, LINE], :2]

    def note(self, decisions: int, words: int) -> None:
        """So many signs or kinks have been decided, all but those in doubt in numbers of so many words."""
        self.certificate += Certificate.of(words, decisions - self.exact) + Certificate.of(EXACT, self.exact)
        self.exact = 0

    def _layer(self, j: int, bar: tqdm[None]) -> None:
        forms, carried = self.forms(j), self.net.carried[j]
        sources = self.layers[j].sources(carried)
        g, e = forms.leading()
        signs, cells = self._corner_signs(j, g, e, forms.zero), self.cells
        known = _filled(np.arange(len(signs)), len(self.mesh.points), -1)
        bits, marks = np.zeros((len(self.mesh.first), g.shape[2]), np.bool_), np.zeros(len(known), np.int8)
        asked, state, wanted = len(signs), np.array([0, 0, -1, 0, 0, -1]), np.zeros(g.shape[2], np.int64)
        while state[0] < cells:
            stop = min(int(state[0]) + AT_ONCE, cells)
            found = cut_cells(self.mesh, g, e, j, sources, known, signs, bits, state, wanted, marks, stop)
            if found == FULL:
                self.mesh = _longer(self.mesh)
                known = _filled(known, len(self.mesh.points), -1)
                marks, bits = _filled(marks, len(known)), _filled(bits, len(self.mesh.first))
            elif found != DONE:  # a vertex with a sign in doubt
                signs = signs if asked < len(signs) else _filled(signs, 2 * asked)
                signs[asked], known[found], asked = self._exactly(j, [found])[0], asked, asked + 1
            check()
            bar.update(j + state[0] / cells - bar.n)
        self.note(asked * len(neurons_of(self.net, j)), forms.words)
        active = bits[:self.cells][:, sources]
        self._descend(forms, active if carried is None else active | carried)

    def _corner_signs(self, j: int, g: Floats, e: Floats, zero: Booleans | None) -> NDArray[np.int8]:
        """Of all neurons at all vertices that there are before the layer: (V, N)."""
        signs = np.full((self.mesh.used[0], g.shape[2]), UNSEEN, np.int8)
        doubtful = np.flatnonzero(corner_signs(self.mesh, g, e, zero, self.net.carried[j], signs))
        if len(doubtful):
            signs[doubtful] = self._exactly(j, doubtful.tolist())
        return signs

    def _descend(self, forms: Forms, active: Booleans) -> None:
        """To the outputs of the layer, in all cells."""
        root = self.mesh.root[:self.cells]
        self.passed = forms, root.copy(), active
        self.patterns = np.concatenate([self.patterns[root], active], axis=1)
        self.mesh.root[:self.cells] = np.arange(self.cells)

    def _exactly(self, layer: int, vertices: list[int]) -> NDArray[np.int8]:
        self.exact += len(vertices) * len(neurons_of(self.net, layer))
        found = []
        for first in range(0, len(vertices), TOGETHER):
            check()
            some = vertices[first:first + TOGETHER]
            found.append(self.doubts.signs(layer, some, [self.lines(v) for v in some]))
        return np.concatenate(found)

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
    for k, line in enumerate(polygon.sides):
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
