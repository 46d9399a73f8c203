#!/usr/bin/env python3
"""Draws the samples of a model in DeciDiffusion's layout with PyTorch and diffusers: what fresco is tested against.

usage: .deps/peers/bin/python scripts/draw_samples.py models/starter-128      (benchmarks/peers/setup.sh makes .deps/peers)

MODEL/samples/samples.json lists what is drawn. For each entry, FILE.safetensors gets ids, text_hidden, init_latents, latents and image, and
FILE.png the image in 8 bits."""
import json
import pathlib
import sys

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTokenizerFast

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "benchmarks/peers"))
from flexible_unet import load_flexible_unet


class ForPipeline(ModelMixin, ConfigMixin):
    """A U-Net as diffusers' pipelines call one."""

    @register_to_config
    def __init__(self, sample_size=16, in_channels=4, time_cond_proj_dim=None):
        super().__init__()
        self.net = None

    def forward(self, sample, timestep, encoder_hidden_states=None, **_):
        return (self.net(sample, timestep, encoder_hidden_states),)


def load(folder):
    config = json.loads((folder / "flexible_unet/config.json").read_text(encoding="utf-8"))
    unet = ForPipeline(sample_size=config["sample_size"], in_channels=config["in_channels"])
    unet.net = load_flexible_unet(folder / "flexible_unet", torch.float32)
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32),
        text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32),
        tokenizer=CLIPTokenizerFast.from_pretrained(folder / "tokenizer"), unet=unet, scheduler=DDIMScheduler.from_pretrained(folder / "scheduler"),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe, entry):
    ids = torch.tensor(pipe.tokenizer([entry["prompt"]], padding="max_length", max_length=77, truncation=True).input_ids)
    sides = (entry["height"] // 8, entry["width"] // 8)
    first = torch.randn(1, 4, *sides, generator=torch.Generator().manual_seed(entry["seed"]))
    latents = pipe(entry["prompt"], negative_prompt=entry["negative_prompt"], num_inference_steps=entry["steps"],
                   guidance_scale=entry["guidance_scale"], guidance_rescale=entry["guidance_rescale"], height=entry["height"],
                   width=entry["width"], latents=first, output_type="latent").images
    image = (pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample / 2 + 0.5).clamp(0, 1)
    return {"ids": ids, "text_hidden": pipe.text_encoder(ids)[0], "init_latents": first, "latents": latents, "image": image}


def main():
    folder = pathlib.Path(sys.argv[1])
    pipe = load(folder)
    for entry in json.loads((folder / "samples/samples.json").read_text(encoding="utf-8")):
        tensors = draw(pipe, entry)
        stem = folder / "samples" / entry["file"]
        save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, f"{stem}.safetensors")
        pixels = (tensors["image"][0] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(f"{stem}.png", optimize=True)
        print(stem, entry["prompt"])


if __name__ == "__main__":
    with torch.no_grad():
        main()
