"""Modules of torch, operation by operation, as `torch.fx` shows them."""
