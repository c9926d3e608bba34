"""Models that people have, as chains of layers: from torch, ONNX, .nnet and state dicts.

The packages that read them are optional and imported when called.
"""
