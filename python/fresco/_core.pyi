"""The C++ library under the package's own classes, which are what to call."""
from collections.abc import Callable
from typing import Any, Optional

class Tensor:
    """A result's memory: torch.from_dlpack and numpy.asarray share it."""
    shape: tuple[int, ...]
    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def cpu(self) -> Tensor: ...
    def part(self, arg0: int, arg1: int) -> Tensor: ...

class Generator:
    seed: int
    def __init__(self, seed: int) -> None: ...
    @staticmethod
    def from_state(state: Any) -> Generator: ...
    def state(self) -> bytes: ...

class ModelRequest:
    def __init__(self, model: str, revision: str = "", vae: str = "", config: str = "") -> None: ...

class LoadOptions:
    def __init__(self, files: ModelRequest, device: str = "auto", precision: str = "auto", memory: str = "fast", ops: str = "auto", threads: int = 0) -> None: ...

class Request:
    prompts: list[str]
    negative: str
    negatives: list[str]
    steps: Optional[int]
    sampler: str
    schedule: str
    eta: Optional[float]
    squeeze: str
    guidance: Optional[float]
    guidance_rescale: Optional[float]
    clip_skip: int
    seed: Optional[int]
    generators: list[Generator]
    width: Optional[int]
    height: Optional[int]
    count: int
    strength: Optional[float]
    batch: int
    decode: bool
    def __init__(self) -> None: ...
    def set_scheduler(self, arg0: str) -> None: ...
    def set_image(self, arg0: int, arg1: int, arg2: int, arg3: bytes) -> None: ...
    def set_mask(self, arg0: int, arg1: int, arg2: int, arg3: bytes) -> None: ...
    def set_image_values(self, arg0: Any) -> None: ...
    def set_noise(self, arg0: Any) -> None: ...
    def set_prompt_embeds(self, arg0: Any) -> list[int]: ...
    def set_negative_prompt_embeds(self, arg0: Any) -> None: ...

class Drawing:
    pictures: list[tuple[int, int, bytes]]
    latents: Tensor
    image: Tensor
    settings: str
    stages: list[tuple[str, float]]
    step_seconds: list[float]

class Model:
    family: str
    device: str
    precision: str
    defaults: dict[str, Any]
    scale: int
    place: str
    scheduler_config: str
    weights_hash: str
    @staticmethod
    def load(options: LoadOptions, watcher: Any = None) -> Model: ...
    def draw(self, request: Request, callback: Optional[Callable[..., Any]] = None, watcher: Any = None) -> Drawing: ...
    def tokenizer(self) -> Tokenizer: ...
    def text_encoder(self) -> TextEncoder: ...
    def unet(self) -> UNet: ...
    def vae(self) -> Vae: ...

class Tokenizer:
    length: int
    def __call__(self, texts: list[str]) -> Tensor: ...

class TextEncoder:
    width: int
    @staticmethod
    def load(options: LoadOptions, watcher: Any = None) -> TextEncoder: ...
    def __call__(self, ids: Any, clip_skip: int = 0) -> Tensor: ...

class BoundContext:
    texts: int

class UNet:
    in_channels: int
    sample_size: int
    @staticmethod
    def load(options: LoadOptions, watcher: Any = None) -> UNet: ...
    def bind(self, context: Any) -> BoundContext: ...
    def __call__(self, latents: Any, timestep: Any, bound: BoundContext) -> Tensor: ...

class Vae:
    scaling_factor: float
    shift_factor: float
    scale: int
    @staticmethod
    def load(options: LoadOptions, watcher: Any = None) -> Vae: ...
    def encode(self, pictures: Any) -> Tensor: ...
    def decode(self, latents: Any, tiled: bool = False) -> Tensor: ...

class SamplingPlan:
    sampler: str
    description: str
    steps: int
    initial_noise: float
    start: tuple[float, float]
    rows: list[dict[str, Any]]
    def __init__(self, config: str, sampler: str = "", schedule: str = "", steps: Optional[int] = None, squeeze: str = "", eta: float = 0.0, strength: Optional[float] = None, as_stated: bool = False) -> None: ...

class Run:
    done: bool
    row: int
    sample: Tensor
    timestep: float
    def __init__(self, plan: SamplingPlan, sample: Any, generators: list[Generator]) -> None: ...
    def model_input(self) -> Tensor: ...
    def step(self, output: Any) -> Tensor: ...

def inspect(model: ModelRequest, watcher: Any = None) -> str: ...
def samplers() -> list[dict[str, str]]: ...
def version() -> str: ...
