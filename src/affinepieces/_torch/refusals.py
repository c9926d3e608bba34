"""What a module may do besides what its class says, each refused by name with its remedy."""
from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules import module as machinery
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils import parametrize, prune

ACCEPTED = (nn.Sequential, nn.Linear, nn.ReLU, nn.Identity, nn.Flatten, nn.Dropout)
READ = {"weight", "bias", "training", "p", "start_dim", "end_dim"}  # by the forward passes of these classes
# what a subclass may define without becoming another function
HARMLESS = {"__init__", "__module__", "__doc__", "__annotations__", "__dict__", "__weakref__", "__constants__",
            "__repr__", "extra_repr", "_get_name", "__firstlineno__", "__static_attributes__"}
CALLS = ("forward", "_slow_forward", "_call_impl", "_wrapped_call_impl")
HOOK_REMEDIES = {"WeightNorm": "torch.nn.utils.remove_weight_norm(layer)",
                 "SpectralNorm": "torch.nn.utils.remove_spectral_norm(layer)"}


def called(name: str) -> str:
    """How errors call the layer at this path."""
    return f"layer {name}" if name else "the module"


def accepted_class(module: Any, name: str) -> type[nn.Module]:
    """The class of `ACCEPTED` whose function the module computes; TypeError, with the remedy, if there is none."""
    for kind in ACCEPTED:
        if type(module) is kind or (isinstance(module, kind) and not _overridden(module, kind)):
            return kind
    raise TypeError(f"{called(name)} is {_reason(module)}")


def refuse_changed_calls(module: nn.Module, name: str) -> None:
    """Raise ValueError if calling the module does more than the `forward` of its class."""
    if replaced := [call for call in CALLS if call in vars(module)]:
        raise ValueError(f"{called(name)} has a {replaced[0]} of its own, put in place of that of "
                         f"{type(module).__name__}: delete the attribute, or convert a module without it")
    if getattr(module, "_compiled_call_impl", None) is not None:
        raise ValueError(f"{called(name)} was compiled in place: convert copy.deepcopy(module), which is not compiled")
    for hooks, where in ((module._forward_pre_hooks, "forward pre-hook"), (module._forward_hooks, "forward hook"),
                         (machinery._global_forward_pre_hooks, "forward pre-hook for all modules"),
                         (machinery._global_forward_hooks, "forward hook for all modules")):
        for hook in hooks.values():
            kind = getattr(hook, "__qualname__", type(hook).__name__)
            raise ValueError(f"{called(name)} has a {where} ({kind}), which may change what it computes: remove it "
                             f"first, with {_removal(hook)}")


def _removal(hook: Any) -> str:
    if isinstance(hook, prune.BasePruningMethod):
        return f"torch.nn.utils.prune.remove(layer, {getattr(hook, '_tensor_name', 'weight')!r})"
    return HOOK_REMEDIES.get(type(hook).__name__, "the handle that registering it returned: handle.remove()")


def _overridden(module: nn.Module, kind: type[nn.Module]) -> list[str]:
    """What the classes between the module's and `kind` define in place of what `kind` has or reads."""
    mro = type(module).__mro__
    return sorted({key for cls in mro[:mro.index(kind)] for key in vars(cls)
                   if key not in HARMLESS and (key in READ or hasattr(kind, key))})


def _reason(module: Any) -> str:
    """What is wrong with an object whose class is not accepted, and the remedy."""
    kind = type(module).__name__
    if not isinstance(module, nn.Module):
        return f"{module!r:.80}, expected a torch.nn.Sequential of Linear and ReLU"
    if parametrize.is_parametrized(module):
        of = next(iter(module.parametrizations))  # type: ignore[arg-type]
        return (f"parametrised: its {of} is computed anew in each pass; fix it first, with "
                f"torch.nn.utils.parametrize.remove_parametrizations(layer, {of!r})")
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return f"{kind}, which spreads a module over devices: convert the module inside, .module"
    if hasattr(module, "_orig_mod"):
        return f"{kind}, made by torch.compile: convert the module inside, ._orig_mod"
    if made := {cls.__name__ for cls in type(module).__mro__} & {"ScriptModule", "GraphModule"}:
        return f"{kind}, a {made.pop()} that was made from another module: convert that one"
    if isinstance(module, LazyModuleMixin):
        return f"{kind}, which has no parameters yet: evaluate the module once, so that it gets its shapes"
    if base := next((kind for kind in ACCEPTED if isinstance(module, kind)), None):
        own = ", ".join(_overridden(module, base))
        return f"{kind}, a subclass of nn.{base.__name__} that defines {own} itself: " \
            f"expected the classes of torch{_hint(module) if base is nn.Sequential else ''}"
    return f"{kind}, expected an nn.Sequential of Linear and ReLU (Identity, Flatten, and Dropout in eval mode are " \
        f"passed over){_hint(module)}"


def _hint(module: nn.Module) -> str:
    """The parts of a module that may be meant."""
    if isinstance(module, nn.Sequential | nn.ModuleList):
        return "; if the layers one after the other are meant, convert nn.Sequential(*module)"
    if type(module).__module__.startswith("torch."):
        return ""
    chains = [key for key, child in module.named_children() if isinstance(child, nn.Sequential)]
    remedy = f"convert its nn.Sequential, module.{chains[0]}" if chains else \
        "put its layers into an nn.Sequential in the order of its forward, and convert this"
    return f": what a forward of one's own computes is not known; {remedy}"
