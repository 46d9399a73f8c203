"""The networks alone, on tensors: torch's come back as torch's, numpy's as numpy's, and memory is shared on the way."""
from . import _arrays, _checks, _core
from ._progress import Watcher


def _loaded(core, options, progress):
    from ._pipeline import load_options

    watcher = Watcher(progress)
    try:
        return core.load(load_options(*options), watcher)
    finally:
        watcher.close()


class _Part:
    _core_class: type

    def __init__(self, core):
        self._core = core

    @classmethod
    def from_pretrained(cls, model, device="auto", precision="auto", *, revision=None, vae=None, config=None, memory="fast", ops="auto",
                        threads=0, progress=True):
        """Loads this network alone; arguments as those of Pipeline.from_pretrained."""
        return cls(_loaded(cls._core_class, (model, device, precision, revision, vae, config, memory, ops, threads), progress))


class Tokenizer:
    """CLIP's byte pairs: texts to ids. `pipe.tokenizer`."""

    def __init__(self, core):
        self._core = core

    def __call__(self, texts):
        """A str or a list of U -> ids [U, 77] int64: start, tokens, end, padding. What does not fit is cut."""
        return _arrays.best(self._core(_checks.texts("texts", texts)))


class TextEncoder(_Part):
    """CLIP's text transformer. `pipe.text_encoder`, or loaded alone by from_pretrained."""

    _core_class = _core.TextEncoder

    def __call__(self, ids, clip_skip=0):
        """ids [B, T] integers, T up to 77 -> [B, T, width] float32: the last hidden state after the final norm; clip_skip leaves out so many
        of the last layers. Errors: InputError."""
        return _arrays.like(self._core(ids, _checks.integer("clip_skip", clip_skip)), ids)

    width = property(lambda self: self._core.width, doc="of the hidden state")


class BoundContext:
    """Keys and values of every cross-attention of B texts: UNet.bind() makes it once for all steps."""

    def __init__(self, core):
        self._core = core

    texts = property(lambda self: self._core.texts, doc="B")


class UNet(_Part):
    """Predicts noise (or v) from noisy latents, the time and the text. `pipe.unet`, or loaded alone by from_pretrained."""

    _core_class = _core.UNet

    def bind(self, context):
        """context [B, T, width] float32 -> BoundContext. Errors: InputError."""
        return BoundContext(self._core.bind(_arrays.given(context)))

    def __call__(self, latents, timestep, context):
        """latents [B, 4, h, w]; timestep: a number, or [B] of them, fractions allowed; context: [kB, T, width] or a BoundContext of kB
        texts, the first text's B samples first (guidance: k = 2, without and with the prompt) -> [kB, 4, h, w] float32.
        Errors: InputError."""
        bound = context if isinstance(context, BoundContext) else self.bind(context)
        return _arrays.like(self._core(_arrays.given(latents), _arrays.given(timestep), bound._core), latents)

    in_channels = property(lambda self: self._core.in_channels, doc="of the latents")
    sample_size = property(lambda self: self._core.sample_size, doc="side of the latents that it was trained for")


class Vae(_Part):
    """Between pictures and latents. `pipe.vae`, or loaded alone by from_pretrained."""

    _core_class = _core.Vae

    def encode(self, pictures):
        """pictures [B, 3, H, W] in -1..1 -> [B, 8, H / 8, W / 8]: mean, then log variance, unscaled. Errors: InputError."""
        return _arrays.like(self._core.encode(_arrays.given(pictures)), pictures)

    def decode(self, latents, tiled=False):
        """latents [B, 4, h, w], divided by scaling_factor already -> [B, 3, 8h, 8w], about -1..1. tiled: in overlapping tiles, in less
        memory. Errors: InputError."""
        return _arrays.like(self._core.decode(_arrays.given(latents), bool(tiled)), latents)

    scaling_factor = property(lambda self: self._core.scaling_factor, doc="latents of pictures times this are those of the U-Net")
    shift_factor = property(lambda self: self._core.shift_factor, doc="what is taken away before that")
    scale = property(lambda self: self._core.scale, doc="pixels a side of a latent")
