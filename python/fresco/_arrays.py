"""Tensors that calls give back: torch's where torch was given, or can be imported; numpy's else. Memory is shared both ways."""
import functools
import sys


@functools.lru_cache(maxsize=None)
def torch_or_none():
    """torch, imported when first asked for; None where its Python part does not load."""
    try:
        import torch
    except (ImportError, OSError):
        return None
    return torch if hasattr(torch, "from_dlpack") else None


def is_torch(value):
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "Tensor") and isinstance(value, torch.Tensor)


def given(value):
    """An argument as the library takes it: gradients are of no use there."""
    return value.detach() if is_torch(value) else value


def to_torch(tensor):
    torch = torch_or_none()
    if torch is None:
        raise ImportError("output_type=\"pt\" needs torch's Python package, which does not load here")
    return torch.from_dlpack(tensor)


def to_numpy(tensor):
    import numpy

    return numpy.asarray(tensor.cpu())


def like(tensor, *arguments):
    """A result in the kind of the arguments: torch if any is torch's."""
    return to_torch(tensor) if any(is_torch(argument) for argument in arguments) else to_numpy(tensor)


def best(tensor):
    return to_numpy(tensor) if torch_or_none() is None else to_torch(tensor)
