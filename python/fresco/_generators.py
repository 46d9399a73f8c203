"""Random numbers of a call: torch's generators go on where they stand and are left where the drawing ended, as diffusers leaves them."""
import sys

from . import _core
from ._arrays import torch_or_none
from ._errors import InputError, expected, wrong_type

WANTED = "a seed, a torch.Generator, or a list with one for each picture"


def is_seed(value):
    return hasattr(value, "__index__") and not isinstance(value, bool) and not getattr(value, "shape", ())


class Streams:
    """Takes the state of every generator; settle() gives it back."""

    def __init__(self, generator):
        self._torch = []  # pairs of torch's generator and the stream that went on from it
        self.streams = self._taken(generator)

    def _taken(self, generator):
        if generator is None:
            # diffusers draws from torch's own, which torch.manual_seed sets; where nobody imported torch, nobody can have set it.
            torch = sys.modules.get("torch")
            default = getattr(torch, "default_generator", None)
            return [] if default is None else [self._of(default)]
        if isinstance(generator, (list, tuple)):
            if not generator:
                raise expected("generator", WANTED, "an empty list")
            return [self._of(one) for one in generator]
        return [self._of(generator)]

    def _of(self, one):
        if isinstance(one, _core.Generator):
            return one
        if is_seed(one):
            seed = one.__index__()
            if not -(2**63) <= seed < 2**64:
                raise expected("generator", "a seed of 64 bits", seed)
            return _core.Generator(seed % 2**64)
        for mine, stream in self._torch:
            if mine is one:
                return stream
        if not hasattr(one, "get_state") or not hasattr(one, "set_state"):
            raise wrong_type("generator", WANTED, one)
        if getattr(getattr(one, "device", None), "type", "cpu") != "cpu":
            raise InputError(f"generator: expected one of torch's CPU generators, got one on {one.device}", "generator")
        stream = _core.Generator.from_state(one.get_state())
        self._torch.append((one, stream))
        return stream

    def settle(self):
        for one, stream in self._torch:
            one.set_state(torch_or_none().frombuffer(bytearray(stream.state()), dtype=torch_or_none().uint8))
