"""Text-to-image with latent diffusion models, as diffusers' users call it.

    pipe = fresco.Pipeline.from_pretrained("Deci/DeciDiffusion-v1-0")
    pipe("A photo of an astronaut riding a horse on Mars").images[0].save("astronaut.png")
"""
from . import _libraries

_libraries.load()
try:
    from . import _core
except ImportError as error:
    raise ImportError(f"fresco cannot load its extension ({str(error).splitlines()[0]}): {_libraries.REMEDY}") from None

from ._errors import Error, FormatError, InputError, InputTypeError, Interrupted, ResourceError
from ._networks import BoundContext, TextEncoder, Tokenizer, UNet, Vae
from ._pipeline import Output, Pipeline, Timings
from ._plan import Run, SamplingPlan
from ._scheduler import Scheduler, samplers
from ._tools import Comparison, compare, inspect, starter_model

__version__ = _core.version()
__all__ = ["BoundContext", "Comparison", "Error", "FormatError", "InputError", "InputTypeError", "Interrupted", "Output", "Pipeline",
           "ResourceError", "Run", "SamplingPlan", "Scheduler", "TextEncoder", "Timings", "Tokenizer", "UNet", "Vae", "compare", "inspect",
           "samplers", "starter_model"]
