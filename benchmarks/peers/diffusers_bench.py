#!/usr/bin/env python3
"""Times the pieces of drawing with PyTorch and diffusers. Options, inputs and output as fresco_bench has them."""

import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel

import bench
from flexible_unet import load_flexible_unet

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class DiffusersNetworks(bench.Networks):
    def __init__(self, options):
        super().__init__(options)
        self.dtype = DTYPES[options.precision]
        self.format = torch.channels_last if options.channels_last else torch.contiguous_format

    def load(self, name):
        return {"text": self.load_text, "unet": self.load_unet, "vae": self.load_vae}[name]()

    def load_text(self):
        transformers.CLIPTokenizer.from_pretrained(self.folder / "tokenizer")
        text = transformers.CLIPTextModel.from_pretrained(self.folder / "text_encoder", dtype=self.dtype)
        return lambda ids: text(ids).last_hidden_state

    def load_unet(self):
        if (self.folder / "flexible_unet").exists():
            return load_flexible_unet(self.folder / "flexible_unet", self.dtype).to(memory_format=self.format)
        unet = UNet2DConditionModel.from_pretrained(self.folder / "unet", torch_dtype=self.dtype)
        unet.to(memory_format=self.format)
        return lambda latents, timestep, context: unet(latents, timestep, context, return_dict=False)[0]

    def load_vae(self):
        vae = AutoencoderKL.from_pretrained(self.folder / "vae", torch_dtype=self.dtype)
        vae.to(memory_format=self.format)
        return lambda latent: vae.decode(latent, return_dict=False)[0]

    def instructions(self):
        return [torch.backends.cpu.get_cpu_capability().lower()]


def main():
    options = bench.parser(__doc__)
    channels_last = "the memory format that is faster on some processors"
    options.add_argument("--channels-last", action="store_true", help=channels_last)
    options = options.parse_args()
    transformers.logging.set_verbosity_error()
    if options.threads:
        torch.set_num_threads(options.threads)
    bench.run("diffusers", options, DiffusersNetworks(options), DTYPES[options.precision])


if __name__ == "__main__":
    main()
