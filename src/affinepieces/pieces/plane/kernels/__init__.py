"""The hot loops of the certified subdivision of a polygon: cells are cut by the neurons of one layer after the other.

In a cell of the layers below, a neuron is a s + b t + c.  Its coefficients come from products of matrices alone, with
bounds of their errors; a vertex is where two such lines meet, so that errors do not add up along the way.
A sign that the bounds do not decide is left to rational arithmetic.
"""
from affinepieces.pieces.plane.kernels.cutting import DONE, FULL, UNSEEN, corner_signs, cut_cells
from affinepieces.pieces.plane.kernels.mesh import Mesh, around, components

__all__ = ["DONE", "FULL", "UNSEEN", "Mesh", "around", "components", "corner_signs", "cut_cells"]
