"""ONNX files, operator by operator."""
