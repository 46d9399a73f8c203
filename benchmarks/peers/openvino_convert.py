#!/usr/bin/env python3
"""Converts one network of a model folder to OpenVINO's format, float32 and with fixed shapes. A process of its own, so
that what PyTorch took is given back before OpenVINO compiles the network."""

import argparse
import os
import pathlib
import warnings

import openvino
import torch
import transformers
from diffusers import AutoencoderKL, UNet2DConditionModel

from flexible_unet import load_flexible_unet


class Unet(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.flexible = (folder / "flexible_unet").exists()
        if self.flexible:
            self.unet = load_flexible_unet(folder / "flexible_unet", torch.float32)
        else:
            self.unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)

    def forward(self, latents, timestep, context):
        if self.flexible:
            return self.unet(latents, timestep, context)
        return self.unet(latents, timestep, encoder_hidden_states=context, return_dict=False)[0]


class Vae(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32)

    def forward(self, latent):
        return self.vae.decode(latent, return_dict=False)[0]


class Text(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.text = transformers.CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)

    def forward(self, ids):
        return self.text(ids).last_hidden_state


def example_inputs(network, size):
    side, context = size // 8, torch.zeros(2, 77, 768)
    return {
        "text": {"ids": torch.ones(2, 77, dtype=torch.int64)},
        "unet": {"latents": torch.zeros(2, 4, side, side), "timestep": torch.tensor(500.0), "context": context},
        "vae": {"latent": torch.zeros(1, 4, side, side)},
    }[network]


def save(network, path):
    """The .xml appears when both files are whole. Identical weights would be stored once: these are not."""
    unfinished = path.with_name("unfinished-" + path.name)
    openvino.save_model(network, unfinished, compress_to_fp16=False)
    os.replace(unfinished.with_suffix(".bin"), path.with_suffix(".bin"))
    os.replace(unfinished, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="a diffusers folder")
    parser.add_argument("--network", choices=["text", "unet", "vae"], required=True)
    parser.add_argument("--size", type=int, default=512, help="side of the picture in pixels")
    out = "an .xml file; the weights go beside it as .bin"
    parser.add_argument("--out", type=pathlib.Path, required=True, help=out)
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # shapes are meant to be constants
    module = {"text": Text, "unet": Unet, "vae": Vae}[options.network](options.model).eval()
    inputs = example_inputs(options.network, options.size)
    shapes = [(name, list(value.shape)) for name, value in inputs.items()]
    with torch.inference_mode():
        network = openvino.convert_model(module, example_input=inputs, input=shapes)
    save(network, options.out)


if __name__ == "__main__":
    main()
