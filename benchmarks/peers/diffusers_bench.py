#!/usr/bin/env python3
"""Times the pieces of drawing with PyTorch and diffusers. Options, inputs and output as fresco_bench has them."""

import time

import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel

import bench
from flexible_unet import load_flexible_unet

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


class DiffusersNetworks(bench.Networks):
    def __init__(self, options):
        super().__init__(options)
        self.dtype = DTYPES[options.precision]
        # Where all three are loaded the U-Net counts, which is mostly faster so.
        self.format = "channels-last" if options.format == "best" else options.format
        self.module = None  # the one loaded last

    def load(self, name):
        return {"text": self.load_text, "unet": self.load_unet, "vae": self.load_vae}[name]()

    def load_text(self):
        transformers.CLIPTokenizer.from_pretrained(self.folder / "tokenizer")
        text = transformers.CLIPTextModel.from_pretrained(self.folder / "text_encoder", dtype=self.dtype)
        return lambda ids: text(ids).last_hidden_state

    def load_unet(self):
        if (self.folder / "flexible_unet").exists():
            unet = load_flexible_unet(self.folder / "flexible_unet", self.dtype)
            self.arrange(unet)
            return unet
        unet = UNet2DConditionModel.from_pretrained(self.folder / "unet", torch_dtype=self.dtype)
        self.arrange(unet)
        return lambda latents, timestep, context: unet(latents, timestep, context, return_dict=False)[0]

    def load_vae(self):
        vae = AutoencoderKL.from_pretrained(self.folder / "vae", torch_dtype=self.dtype)
        self.arrange(vae)
        return lambda latent: vae.decode(latent, return_dict=False)[0]

    def arrange(self, module):
        self.module = module
        module.to(memory_format=FORMATS[self.format])

    def seconds_in(self, form, call):
        self.format = form
        self.arrange(self.module)
        begin = time.perf_counter()
        call()
        return time.perf_counter() - begin

    def tune(self, name, call):
        """The memory format: which is faster depends on the network, the precision and the processor."""
        if self.options.format != "best" or name == "text":
            return
        call()  # to warm up
        seconds = {form: self.seconds_in(form, call) for form in FORMATS}
        self.format = min(seconds, key=seconds.get)
        self.arrange(self.module)

    def about(self):
        return {"instructions": [torch.backends.cpu.get_cpu_capability().lower()], "format": self.format}


def main():
    options = bench.parser(__doc__)
    formats = "memory format of the U-Net and the VAE (default best: each in the one that is faster)"
    options.add_argument("--format", choices=["best", *FORMATS], default="best", help=formats)
    options = options.parse_args()
    transformers.logging.set_verbosity_error()
    if options.threads:
        torch.set_num_threads(options.threads)
    bench.run("diffusers", options, DiffusersNetworks(options), DTYPES[options.precision])


if __name__ == "__main__":
    main()
