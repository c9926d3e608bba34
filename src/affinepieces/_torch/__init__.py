"""Out of and into torch; the only folder of the package that imports torch, and only when torch is in use."""
from affinepieces._extras import wanted

with wanted("torch"):
    import torch  # noqa: F401

from affinepieces._torch.guard import check_same_function
from affinepieces._torch.layers import layers_of, module_of
from affinepieces._torch.tensors import numpy_of

__all__ = ["check_same_function", "layers_of", "module_of", "numpy_of"]
