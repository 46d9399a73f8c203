"""Pipeline: what diffusers' users have in their fingers."""
import json
import os

from . import _arrays, _checks, _core, _images, _libraries
from ._errors import InputError, by_argument, expected, wrong_type
from ._generators import Streams
from ._networks import TextEncoder, Tokenizer, UNet, Vae
from ._progress import Watcher
from ._scheduler import chosen, own_scheduler

OUTPUTS = ("pil", "np", "pt", "latent")
CALLBACK_TENSORS = ("latents", "prompt_embeds", "negative_prompt_embeds")


def load_options(model, device, precision, revision, vae, config, memory, ops, threads):
    files = _core.ModelRequest(_checks.path("model", model), "" if revision is None else _checks.text("revision", revision),
                               "" if vae is None else _checks.path("vae", vae), "" if config is None else _checks.path("config", config))
    device = getattr(device, "type", device)  # a torch.device
    for where, value in (("device", device), ("precision", precision), ("memory", memory), ("ops", ops)):
        _checks.text(where, value)
    if device in ("auto", "cuda"):
        _libraries.load_cuda()
    return _core.LoadOptions(files, device, precision, memory, ops, _checks.integer("threads", threads))


class Timings(dict):
    """Seconds of each stage by its name ("tokenize", "encode text", "make latents", "denoise", "decode"); `steps`: of each U-Net call with
    its share of sampling; `total`: of all stages."""

    def __init__(self, drawing):
        super().__init__(drawing.stages)
        self.steps = list(drawing.step_seconds)

    @property
    def total(self):
        """Seconds of all stages."""
        return sum(self.values())


class Output:
    """What a call gives. `images`: as output_type says; `timings`: a Timings; `settings`: a dict of everything that decided the pictures."""

    def __init__(self, drawing, kind):
        self.images = _images.output(drawing, kind)
        self.timings = Timings(drawing)
        self.settings = json.loads(drawing.settings)

    def __repr__(self):
        return f"<fresco.Output: {len(self.images)} images in {self.timings.total:.3g} s>"


class Pipeline:
    """A loaded model: text to image, image to image with `image`, inpainting with `image` and `mask_image`."""

    def __init__(self, model, options):
        self._model, self._options = model, options
        self._progress = {}
        self._scheduler = self.own_scheduler = own_scheduler(model)
        # As diffusers' pipelines have them while they draw; a callback may set the first and the last.
        self._guidance_scale, self._num_timesteps, self._interrupt = 0.0, 0, False

    @classmethod
    def from_pretrained(cls, model, device="auto", precision="auto", *, revision=None, vae=None, config=None, memory="fast", ops="auto",
                        threads=0, progress=True):
        """Loads a model: a hub id, a folder as diffusers writes it, a single .safetensors or .ckpt file, or a packed file.

        device: "auto" (a GPU where torch has one), "cpu" or "cuda". precision: "auto" (the exact picture on a CPU, half on a GPU), "f32",
        "bf16", "f16", "int8" or "fast" (the quickest that this machine has). revision: branch, tag or commit of a hub id. vae: another VAE
        (folder, file, hub id). config: a folder whose configs describe a single file. memory: "fast", or "lean": weights stay in the file.
        ops: a form of the operators ("reference", ...). threads: of the CPU, 0 for all; torch's own setting. progress: bars for what takes
        long.

        Errors: fresco.InputError, FormatError, ResourceError (memory, network, no such device)."""
        options = (model, device, precision, revision, vae, config, memory, ops, threads)
        watcher = Watcher(progress)
        try:
            return cls(_core.Model.load(load_options(*options), watcher), options)
        finally:
            watcher.close()

    def __call__(self, prompt=None, negative_prompt=None, num_inference_steps=None, guidance_scale=None, guidance_rescale=None, height=None,
                 width=None, num_images_per_prompt=1, generator=None, latents=None, strength=None, image=None, mask_image=None,
                 clip_skip=None, output_type="pil", callback_on_step_end=None, callback_on_step_end_tensor_inputs=("latents",), *,
                 prompt_embeds=None, negative_prompt_embeds=None, eta=None, batch=0, progress=True):
        """Draws. What is left out is what the model was published with.

        prompt: a str or a list of P; negative_prompt: the same, one for all or one for each. Instead of either, texts encoded already,
        weighted or mixed: prompt_embeds [P, T, W], negative_prompt_embeds [P or 1, T, W], T as the other text has (77).
        num_inference_steps: the sampler's steps.
        guidance_scale: above 1, how closely to follow the prompt. guidance_rescale: 0 to 1. height, width: pixels.
        num_images_per_prompt: N; B = P * N pictures, prompts first. generator: a torch.Generator on the CPU (left where diffusers leaves
        it), a seed (as torch.Generator().manual_seed), or a list with one for each of the B pictures; without one, torch's default generator
        where torch is imported, else a random seed. latents: [B, 4, height / 8, width / 8], what to start from instead of drawn noise.
        image: start from this picture (PIL, numpy [H, W, 3], torch [N, 3, H, W] in 0..1), by `strength` above 0 up to 1.
        mask_image: of the image, white is painted anew. clip_skip: last layers of the text encoder to leave out. eta: noise of ddim.
        output_type: "pil", "np" [B, H, W, 3] float32 in 0..1, "pt" [B, 3, H, W], "latent" [B, 4, H / 8, W / 8].
        callback_on_step_end(pipe, step, timestep, tensors): called after each U-Net call with a dict of the tensors named in
        callback_on_step_end_tensor_inputs ("latents" [B, 4, h, w], "prompt_embeds" [2B, 77, W] or [B, 77, W] without guidance,
        "negative_prompt_embeds" [B, 77, W]); the dict it returns replaces them. It may set pipe._guidance_scale (together with
        prompt_embeds) and pipe._interrupt. batch: pictures at once, 0 as memory allows. progress: a bar.

        Returns an Output with .images, .timings and .settings. Ctrl-C ends it at the next step with KeyboardInterrupt.
        Errors: fresco.InputError (which argument, what was expected, what came; all of it before the first step), ResourceError."""
        _checks.word("output_type", output_type, OUTPUTS)
        request = _core.Request()
        self._ask_texts(request, prompt, negative_prompt, prompt_embeds, negative_prompt_embeds)
        for where, name, value in (("num_inference_steps", "steps", num_inference_steps), ("height", "height", height),
                                   ("width", "width", width), ("num_images_per_prompt", "count", num_images_per_prompt),
                                   ("clip_skip", "clip_skip", clip_skip), ("batch", "batch", batch)):
            if value is not None:
                setattr(request, name, _checks.integer(where, value))
        for where, name, value in (("guidance_scale", "guidance", guidance_scale), ("eta", "eta", eta), ("strength", "strength", strength),
                                   ("guidance_rescale", "guidance_rescale", guidance_rescale)):
            if value is not None:
                setattr(request, name, _checks.number(where, value))
        request.decode = output_type != "latent"
        self._scheduler._ask(request)
        self._ask_images(request, image, mask_image, width, height)
        if latents is not None:
            request.set_noise(_arrays.given(latents))
        callback = self._callback(callback_on_step_end, callback_on_step_end_tensor_inputs)
        return self._drawn(request, generator, callback, output_type, progress)

    def _ask_texts(self, request, prompt, negative_prompt, prompt_embeds, negative_prompt_embeds):
        if prompt_embeds is None:
            request.prompts = _checks.texts("prompt", prompt)
        elif prompt is None:
            request.set_prompt_embeds(_arrays.given(prompt_embeds))
        else:
            raise InputError("prompt_embeds: expected instead of prompt, got both", "prompt_embeds")
        if negative_prompt_embeds is not None:
            if negative_prompt is not None:
                raise InputError("negative_prompt_embeds: expected instead of negative_prompt, got both", "negative_prompt_embeds")
            request.set_negative_prompt_embeds(_arrays.given(negative_prompt_embeds))
        elif isinstance(negative_prompt, (list, tuple)):
            request.negatives = _checks.texts("negative_prompt", negative_prompt)
            if len(request.negatives) != request.prompt_count:
                raise expected("negative_prompt", f"a str or a list of {request.prompt_count}, as many as prompts", f"{len(request.negatives)}")
        elif negative_prompt is not None:
            request.negative = _checks.text("negative_prompt", negative_prompt, "a str or a list of them")

    def _ask_images(self, request, image, mask_image, width, height):
        scale = self._model.scale
        if image is not None:
            size = None
            if width is not None and height is not None:
                size = (width, height)
            elif mask_image is not None:
                size = (self.default_width, self.default_height)
            _images.set_image(request, image, size, scale)
        if mask_image is not None:
            if image is None:
                raise InputError("mask_image: expected together with image, the picture to paint on", "mask_image")
            _images.set_mask(request, mask_image)

    def _callback(self, function, names):
        if function is None:
            return None
        if not callable(function):
            raise wrong_type("callback_on_step_end", "a function (pipe, step, timestep, tensors) that returns a dict", function)
        names = getattr(function, "tensor_inputs", names)
        for name in _checks.texts("callback_on_step_end_tensor_inputs", names):
            _checks.word("callback_on_step_end_tensor_inputs", name, CALLBACK_TENSORS)

        def called(row, rows, timestep, latents, context, guidance):
            self._num_timesteps, self._guidance_scale = rows, guidance
            tensors = {}
            for name in names:
                if name == "latents":
                    tensors[name] = _arrays.best(latents)
                elif name == "prompt_embeds":
                    tensors[name] = _arrays.best(context)
                else:
                    tensors[name] = _arrays.best(context.part(0, context.shape[0] // 2 if guidance > 1 else 0))
            changed = function(self, row, int(timestep) if timestep == int(timestep) else timestep, tensors)
            if changed is None:
                changed = {}
            if not hasattr(changed, "get"):
                raise wrong_type("callback_on_step_end", "a dict from it", changed)
            guidance = _checks.number("_guidance_scale", self._guidance_scale)
            return _arrays.given(changed.get("latents")), _arrays.given(changed.get("prompt_embeds")), guidance, bool(self._interrupt)

        return called

    def _drawn(self, request, generator, callback, output_type, progress):
        streams = Streams(generator)
        pictures = request.prompt_count * request.count
        if isinstance(generator, (list, tuple)) and len(generator) == 1 < pictures:  # the library takes one for all
            raise expected("generator", f"a list of {pictures}, one for each picture", "1")
        request.generators = streams.streams
        self._interrupt = False
        watcher = Watcher(progress, self._progress)
        try:
            return Output(self._model.draw(request, callback, watcher), output_type)
        except InputError as error:
            raise by_argument(error) from None
        finally:
            watcher.close()
            streams.settle()

    @property
    def scheduler(self):
        """How steps are taken: a fresco.Scheduler. Assign the name of a sampler (`pipe.scheduler = "dpmpp-2m"`, over the model's config), a
        Scheduler, or a scheduler of diffusers."""
        return self._scheduler

    @scheduler.setter
    def scheduler(self, value):
        self._scheduler = chosen(value, self.own_scheduler)

    def set_progress_bar_config(self, **config):
        """As in diffusers: what tqdm is to be called with, such as disable=True."""
        self._progress = config

    def to(self, device):
        """This pipeline where it is on `device` already; else the model loaded there anew."""
        device = _checks.text("device", getattr(device, "type", device)).split(":")[0]
        if device == self.device:
            return self
        moved = Pipeline.from_pretrained(self._options[0], device, self._options[2], **dict(zip(
            ("revision", "vae", "config", "memory", "ops", "threads"), self._options[3:])))
        moved.scheduler, moved._progress = self._scheduler, self._progress
        return moved

    device = property(lambda self: self._model.device, doc='"cpu" or "cuda"')
    precision = property(lambda self: self._model.precision, doc='what products multiply: "f32", "bf16", "f16" or "int8"')
    family = property(lambda self: self._model.family, doc='such as "DeciDiffusion 1.0"')
    defaults = property(lambda self: self._model.defaults, doc="a dict: what the model was published with")
    default_height = property(lambda self: self._model.defaults["height"], doc="pixels")
    default_width = property(lambda self: self._model.defaults["width"], doc="pixels")
    guidance_scale = property(lambda self: self._guidance_scale, doc="of the drawing under way")
    num_timesteps = property(lambda self: self._num_timesteps, doc="U-Net calls of the drawing under way")
    interrupt = property(lambda self: self._interrupt, doc="whether a callback asked to stop")
    vae_scale_factor = property(lambda self: self._model.scale, doc="pixels a side of a latent")
    tokenizer = property(lambda self: Tokenizer(self._model.tokenizer()), doc="texts to ids")
    text_encoder = property(lambda self: TextEncoder(self._model.text_encoder()), doc="ids to what the U-Net reads")
    unet = property(lambda self: UNet(self._model.unet()), doc="predicts noise")
    vae = property(lambda self: Vae(self._model.vae()), doc="pictures to latents and back")

    def __repr__(self):
        return f"<fresco.Pipeline {os.fspath(self._options[0])!r}: {self.family}, {self.device}, {self.precision}>"
