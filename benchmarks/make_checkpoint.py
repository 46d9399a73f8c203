#!/usr/bin/env python3
"""Write a full-size model folder with random weights: what loading, speed and memory can be measured with, for none of
them depends on the values. Needs nothing but Python.

usage: make_checkpoint.py {sd15|deci10|deci20} FOLDER [--type f16|f32] [--seed N]

The folder has all parts of a diffusers model: configs, weights, tokenizer (the vocabulary in data/), scheduler.
"""

import argparse
import gzip
import json
import math
import pathlib
import random
import struct

TEXT_WIDTH = 768
TIME_WIDTH = 1280
VOCABULARY = pathlib.Path(__file__).resolve().parent.parent / "data/clip_vocabulary/bpe_simple_vocab_16e6.txt.gz"

# "configurations" of the two flexible U-Nets; https://huggingface.co/Deci/DeciDiffusion-v1-0 publishes the first one's.
# 2.0's text is not public: these values give exactly its file's size and number of parameters.
DECI10 = {
    "sample_size": 64, "temb_dim": TIME_WIDTH, "resnet_eps": 1e-5, "resnet_act_fn": "silu",
    "num_attention_heads": 8, "cross_attention_dim": TEXT_WIDTH, "mix_block_in_forward": True,
    "down_blocks_in_channels": [320, 320, 640], "down_blocks_out_channels": [320, 640, 1280],
    "down_blocks_num_resnets": [2, 2, 1], "down_blocks_num_attentions": [0, 1, 3], "add_downsample": [True, True, True],
    "mid_num_resnets": 4, "mid_num_attentions": 2, "add_upsample_mid_block": True,
    "prev_output_channels": [1280, 1280, 640], "up_blocks_num_resnets": [2, 3, 3],
    "up_blocks_num_attentions": [6, 3, 0], "add_upsample": [True, True, False],
}  # fmt: skip
DECI20 = DECI10 | {
    "add_downsample": [True, True, False], "mid_num_resnets": 0, "mid_num_attentions": 0,
    "add_upsample_mid_block": False, "up_blocks_num_attentions": [5, 3, 0],
}  # fmt: skip

UNET_COMMON = {
    "act_fn": "silu", "center_input_sample": False, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4,
    "norm_eps": 1e-5, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
}  # fmt: skip
STOCK_CHANNELS = [320, 640, 1280, 1280]
STOCK_UNET = UNET_COMMON | {
    "_class_name": "UNet2DConditionModel", "attention_head_dim": 8, "block_out_channels": STOCK_CHANNELS,
    "cross_attention_dim": TEXT_WIDTH, "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "downsample_padding": 1, "layers_per_block": 2, "mid_block_scale_factor": 1,
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
}  # fmt: skip
VAE_CHANNELS = [128, 256, 512, 512]
VAE = {
    "_class_name": "AutoencoderKL", "act_fn": "silu", "block_out_channels": VAE_CHANNELS,
    "down_block_types": ["DownEncoderBlock2D"] * 4, "in_channels": 3, "latent_channels": 4, "layers_per_block": 2,
    "norm_num_groups": 32, "out_channels": 3, "sample_size": 512, "scaling_factor": 0.18215,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}  # fmt: skip
TEXT = {
    "architectures": ["CLIPTextModel"], "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu",
    "hidden_size": TEXT_WIDTH, "intermediate_size": 3072, "layer_norm_eps": 1e-5, "max_position_embeddings": 77,
    "model_type": "clip_text_model", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1,
    "projection_dim": 768, "vocab_size": 49408,
}  # fmt: skip
PNDM = {
    "_class_name": "PNDMScheduler", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "clip_sample": False, "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "trained_betas": None,
}  # fmt: skip
DDIM = {
    "_class_name": "DDIMScheduler", "beta_end": 0.02, "beta_schedule": "squaredcos_cap_v2", "beta_start": 0.0001,
    "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True,
    "set_alpha_to_one": False, "steps_offset": 1, "timestep_spacing": "trailing", "trained_betas": None,
}  # fmt: skip
TOKENIZER = {
    "add_prefix_space": False, "bos_token": "<|startoftext|>", "do_lower_case": True, "eos_token": "<|endoftext|>",
    "errors": "replace", "model_max_length": 77, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer",
    "unk_token": "<|endoftext|>",
}  # fmt: skip


class Shapes(dict):
    """Tensor name -> shape, gathered module by module."""

    def linear(self, name, inputs, outputs, bias=True):
        self[f"{name}.weight"] = (outputs, inputs)
        if bias:
            self[f"{name}.bias"] = (outputs,)

    def conv(self, name, inputs, outputs, side):
        self[f"{name}.weight"] = (outputs, inputs, side, side)
        self[f"{name}.bias"] = (outputs,)

    def norm(self, name, channels):
        self[f"{name}.weight"] = (channels,)
        self[f"{name}.bias"] = (channels,)

    def resnet(self, name, inputs, outputs, time=True):
        self.norm(f"{name}.norm1", inputs)
        self.conv(f"{name}.conv1", inputs, outputs, 3)
        if time:
            self.linear(f"{name}.time_emb_proj", TIME_WIDTH, outputs)
        self.norm(f"{name}.norm2", outputs)
        self.conv(f"{name}.conv2", outputs, outputs, 3)
        if inputs != outputs:
            self.conv(f"{name}.conv_shortcut", inputs, outputs, 1)

    def attention(self, name, width, context):
        self.linear(f"{name}.to_q", width, width, bias=False)
        self.linear(f"{name}.to_k", context, width, bias=False)
        self.linear(f"{name}.to_v", context, width, bias=False)
        self.linear(f"{name}.to_out.0", width, width)

    def transformer(self, name, width):
        self.norm(f"{name}.norm", width)
        self.conv(f"{name}.proj_in", width, width, 1)
        block = f"{name}.transformer_blocks.0"
        for norm in ("norm1", "norm2", "norm3"):
            self.norm(f"{block}.{norm}", width)
        self.attention(f"{block}.attn1", width, width)
        self.attention(f"{block}.attn2", width, TEXT_WIDTH)
        self.linear(f"{block}.ff.net.0.proj", width, 8 * width)
        self.linear(f"{block}.ff.net.2", 4 * width, width)
        self.conv(f"{name}.proj_out", width, width, 1)

    def unet_ends(self):
        self.conv("conv_in", 4, 320, 3)
        self.linear("time_embedding.linear_1", 320, TIME_WIDTH)
        self.linear("time_embedding.linear_2", TIME_WIDTH, TIME_WIDTH)
        self.norm("conv_norm_out", 320)
        self.conv("conv_out", 320, 4, 3)


def stock_unet():
    shapes = Shapes()
    shapes.unet_ends()
    channels, skips, coarsest = 320, [320], len(STOCK_CHANNELS) - 1
    for level, width in enumerate(STOCK_CHANNELS):
        block = f"down_blocks.{level}"
        for i in range(2):
            shapes.resnet(f"{block}.resnets.{i}", channels, width)
            if level < coarsest:
                shapes.transformer(f"{block}.attentions.{i}", width)
            channels = width
            skips.append(width)
        if level < coarsest:
            shapes.conv(f"{block}.downsamplers.0.conv", width, width, 3)
            skips.append(width)
    shapes.resnet("mid_block.resnets.0", channels, channels)
    shapes.transformer("mid_block.attentions.0", channels)
    shapes.resnet("mid_block.resnets.1", channels, channels)
    for level, width in enumerate(reversed(STOCK_CHANNELS)):
        block = f"up_blocks.{level}"
        for i in range(3):
            shapes.resnet(f"{block}.resnets.{i}", channels + skips.pop(), width)
            channels = width
            if level > 0:
                shapes.transformer(f"{block}.attentions.{i}", width)
        if level < coarsest:
            shapes.conv(f"{block}.upsamplers.0.conv", width, width, 3)
    return shapes


def alternate(resnets, attentions):
    """R A R A ... until one kind runs out, then the rest of the other."""
    order = []
    for i in range(max(resnets, attentions)):
        order += ["resnet"] * (i < resnets) + ["attention"] * (i < attentions)
    return order


def flexible_unet(config):
    shapes = Shapes()
    shapes.unet_ends()
    ins, outs = config["down_blocks_in_channels"], config["down_blocks_out_channels"]
    for level, (inputs, width) in enumerate(zip(ins, outs)):
        block = f"down_blocks.{level}"
        order = alternate(config["down_blocks_num_resnets"][level], config["down_blocks_num_attentions"][level])
        for i, kind in enumerate(order):
            if kind == "resnet":
                shapes.resnet(f"{block}.modules_list.{i}", inputs if i == 0 else width, width)
            else:
                shapes.transformer(f"{block}.modules_list.{i}", width)
        if config["add_downsample"][level]:
            shapes.conv(f"{block}.downsamplers.0.conv", width, width, 3)
    if config["mid_num_resnets"] > 0:
        flexible_middle(shapes, config, outs[-1])
    flexible_up(shapes, config, ins[::-1], outs[::-1])
    return shapes


def flexible_middle(shapes, config, width):
    # One resnet stands before those that are counted; attentions come first in what follows.
    order = ["resnet"]
    for i in range(max(config["mid_num_resnets"], config["mid_num_attentions"])):
        order += ["attention"] * (i < config["mid_num_attentions"]) + ["resnet"] * (i < config["mid_num_resnets"])
    for i, kind in enumerate(order):
        if kind == "resnet":
            shapes.resnet(f"mid_block.modules_list.{i}", width, width)
        else:
            shapes.transformer(f"mid_block.modules_list.{i}", width)
    if config["add_upsample_mid_block"]:
        shapes.conv("mid_block.upsamplers.0.conv", width, width, 3)


def flexible_up(shapes, config, ins, outs):
    for level, (mirrored, width) in enumerate(zip(ins, outs)):
        block = f"up_blocks.{level}"
        count, resnets = config["up_blocks_num_resnets"][level], 0
        for i, kind in enumerate(alternate(count, config["up_blocks_num_attentions"][level])):
            if kind == "attention":
                shapes.transformer(f"{block}.modules_list.{i}", width)
                continue
            before = config["prev_output_channels"][level] if resnets == 0 else width
            resnets += 1
            shapes.resnet(f"{block}.modules_list.{i}", before + (mirrored if resnets == count else width), width)
        if config["add_upsample"][level]:
            shapes.conv(f"{block}.upsamplers.0.conv", width, width, 3)


def vae():
    shapes = Shapes()
    channels, widest = VAE_CHANNELS[0], VAE_CHANNELS[-1]
    shapes.conv("encoder.conv_in", 3, channels, 3)
    for level, width in enumerate(VAE_CHANNELS):
        for i in range(2):
            shapes.resnet(f"encoder.down_blocks.{level}.resnets.{i}", channels, width, time=False)
            channels = width
        if level + 1 < len(VAE_CHANNELS):
            shapes.conv(f"encoder.down_blocks.{level}.downsamplers.0.conv", width, width, 3)
    shapes.conv("decoder.conv_in", 4, widest, 3)
    channels = widest
    for level, width in enumerate(reversed(VAE_CHANNELS)):
        for i in range(3):
            shapes.resnet(f"decoder.up_blocks.{level}.resnets.{i}", channels, width, time=False)
            channels = width
        if level + 1 < len(VAE_CHANNELS):
            shapes.conv(f"decoder.up_blocks.{level}.upsamplers.0.conv", width, width, 3)
    for side, last, outputs in (("encoder", widest, 8), ("decoder", VAE_CHANNELS[0], 3)):
        for i in range(2):
            shapes.resnet(f"{side}.mid_block.resnets.{i}", widest, widest, time=False)
        shapes.norm(f"{side}.mid_block.attentions.0.group_norm", widest)
        for matrix in ("to_q", "to_k", "to_v", "to_out.0"):
            shapes.linear(f"{side}.mid_block.attentions.0.{matrix}", widest, widest)
        shapes.norm(f"{side}.conv_norm_out", last)
        shapes.conv(f"{side}.conv_out", last, outputs, 3)
    shapes.conv("quant_conv", 8, 8, 1)
    shapes.conv("post_quant_conv", 4, 4, 1)
    return shapes


def text_encoder():
    shapes = Shapes()
    shapes["text_model.embeddings.token_embedding.weight"] = (TEXT["vocab_size"], TEXT_WIDTH)
    shapes["text_model.embeddings.position_embedding.weight"] = (77, TEXT_WIDTH)
    for i in range(TEXT["num_hidden_layers"]):
        layer = f"text_model.encoder.layers.{i}"
        for matrix in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes.linear(f"{layer}.self_attn.{matrix}", TEXT_WIDTH, TEXT_WIDTH)
        shapes.norm(f"{layer}.layer_norm1", TEXT_WIDTH)
        shapes.linear(f"{layer}.mlp.fc1", TEXT_WIDTH, TEXT["intermediate_size"])
        shapes.linear(f"{layer}.mlp.fc2", TEXT["intermediate_size"], TEXT_WIDTH)
        shapes.norm(f"{layer}.layer_norm2", TEXT_WIDTH)
    shapes.norm("text_model.final_layer_norm", TEXT_WIDTH)
    return shapes


class RandomValues:
    """Bytes of normally distributed values. One block of a prime length is scaled and repeated: no two rows of a matrix
    start at the same place of it, nor do two tensors (a program that keeps equal ones once would read less memory),
    and a billion values take seconds."""

    LENGTH = 65521

    def __init__(self, element, seed):
        self.element = element
        generator = random.Random(seed)
        self.block = [generator.gauss(0, 1) for _ in range(self.LENGTH)]
        self.next = 0

    def bytes(self, count, deviation):
        values = [deviation * value for value in self.block[self.next :] + self.block[: self.next]]
        self.next = (self.next + count + 1) % self.LENGTH
        block = struct.pack(f"<{len(values)}{self.element}", *values)
        size = count * struct.calcsize(self.element)
        return (block * (size // len(block) + 1))[:size]

    def constant(self, count, value):
        return struct.pack(f"<{self.element}", value) * count


def tensor_bytes(name, shape, values):
    count = math.prod(shape)
    if "norm" in name or name.endswith("bias"):
        return values.constant(count, 1.0 if name.endswith("weight") else 0.0)
    if "_embedding.weight" in name:
        return values.bytes(count, 0.02)
    # A little under what keeps the variance, so that activations stay small through the residual sums.
    return values.bytes(count, 0.7 / math.sqrt(math.prod(shape[1:])))


def write_safetensors(path, shapes, values):
    """https://huggingface.co/docs/safetensors: header length, JSON header, then the values one after the other."""
    size = struct.calcsize(values.element)
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        end = offset + math.prod(shape) * size
        header[name] = {
            "dtype": {2: "F16", 4: "F32"}[size],
            "shape": list(shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            file.write(tensor_bytes(name, shape, values))
    print(f"{path}: {sum(map(math.prod, shapes.values())):,} parameters", flush=True)


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tokenizer(folder):
    """CLIP's vocabulary: characters that stand for bytes, the same at a word's end, one word a merge, two marks."""
    merges = gzip.open(VOCABULARY).read().decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = 256 - len(printable)
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(others)]
    words = letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    write_json(folder / "vocab.json", {word: i for i, word in enumerate(words)})
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")
    write_json(folder / "tokenizer_config.json", TOKENIZER)


def write_configs(folder, flexible, scheduler):
    write_json(folder / "unet/config.json", STOCK_UNET)
    if flexible:
        config = UNET_COMMON | {"_class_name": "FlexibleUNet2DConditionModel", "configurations": flexible}
        write_json(folder / "flexible_unet/config.json", config)
    write_json(folder / "vae/config.json", VAE)
    write_json(folder / "text_encoder/config.json", TEXT)
    write_json(folder / "scheduler/scheduler_config.json", scheduler)
    write_tokenizer(folder / "tokenizer")
    index = {
        "_class_name": "DeciDiffusionPipeline" if flexible else "StableDiffusionPipeline",
        "_diffusers_version": "0.21.4",
        "requires_safety_checker": False,
        "feature_extractor": [None, None],
        "safety_checker": [None, None],
        "scheduler": ["diffusers", scheduler["_class_name"]],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    # Last: a folder with it is complete.
    write_json(folder / "model_index.json", index)


def make(kind, folder, element, seed):
    flexible = {"sd15": None, "deci10": DECI10, "deci20": DECI20}[kind]
    scheduler = DDIM | {"set_alpha_to_one": kind == "deci20"} if flexible else PNDM
    values = RandomValues(element, seed)
    unet = flexible_unet(flexible) if flexible else stock_unet()
    name = "flexible_unet" if flexible else "unet"
    write_safetensors(folder / name / "diffusion_pytorch_model.safetensors", unet, values)
    write_safetensors(folder / "vae/diffusion_pytorch_model.safetensors", vae(), values)
    write_safetensors(folder / "text_encoder/model.safetensors", text_encoder(), values)
    write_configs(folder, flexible, scheduler)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("kind", choices=["sd15", "deci10", "deci20"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--type", choices=["f16", "f32"], default="f16", help="of the stored values (default f16)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    make(arguments.kind, arguments.folder, {"f16": "e", "f32": "f"}[arguments.type], arguments.seed)


if __name__ == "__main__":
    main()
