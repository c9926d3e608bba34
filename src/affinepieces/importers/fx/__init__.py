"""Operations of torch, one by one, as `torch.fx` shows them."""
