"""DeciDiffusion's U-Net for PyTorch, put together from diffusers' layers as "configurations" in its config.json says.

Blocks are flat lists of resnets and transformers. On the way down each resnet's output is kept right after it; on the
way up each resnet takes the newest one. The middle block runs its first resnet twice.
"""

import json
import pathlib

import torch
from diffusers.models.downsampling import Downsample2D
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.upsampling import Upsample2D
from safetensors.torch import load_file
from torch import nn


def interleave(first, second):
    """a b a b ... and then what is left of the longer list."""
    mixed = []
    for i in range(max(len(first), len(second))):
        mixed += first[i : i + 1] + second[i : i + 1]
    return mixed


class Cells:
    """Makes the two kinds of cells with the options that all of them share."""

    def __init__(self, config):
        self.config = config

    def resnet(self, inputs, outputs):
        return ResnetBlock2D(
            in_channels=inputs,
            out_channels=outputs,
            temb_channels=self.config["temb_dim"],
            eps=self.config["resnet_eps"],
            non_linearity=self.config["resnet_act_fn"],
            groups=32,
        )

    def transformer(self, channels):
        heads = self.config["num_attention_heads"]
        context = self.config["cross_attention_dim"]
        return Transformer2DModel(heads, channels // heads, channels, num_layers=1, cross_attention_dim=context)

    def arrange(self, resnets, transformers):
        if self.config["mix_block_in_forward"]:
            return nn.ModuleList(interleave(resnets, transformers))
        return nn.ModuleList(resnets + transformers)


def is_resnet(cell):
    return isinstance(cell, ResnetBlock2D)


def run_cell(cell, hidden, time, context):
    if is_resnet(cell):
        return cell(hidden, time)
    return cell(hidden, encoder_hidden_states=context, return_dict=False)[0]


class DownBlock(nn.Module):
    def __init__(self, cells, inputs, outputs, resnets, transformers, downsample):
        super().__init__()
        self.modules_list = cells.arrange(
            [cells.resnet(inputs if i == 0 else outputs, outputs) for i in range(resnets)],
            [cells.transformer(outputs) for _ in range(transformers)],
        )
        halves = [Downsample2D(outputs, use_conv=True, out_channels=outputs, padding=1, name="op")] if downsample else []
        self.downsamplers = nn.ModuleList(halves)

    def forward(self, hidden, time, context, skips, last):
        for cell in self.modules_list:
            hidden = run_cell(cell, hidden, time, context)
            if is_resnet(cell):
                skips.append(hidden)
        for downsampler in self.downsamplers:
            hidden = downsampler(hidden)
            if not last:
                skips.append(hidden)
        return hidden


class MiddleBlock(nn.Module):
    def __init__(self, cells, channels, resnets, transformers, upsample):
        super().__init__()
        attentions = [cells.transformer(channels) for _ in range(transformers)]
        later = [cells.resnet(channels, channels) for _ in range(resnets)]
        first = cells.resnet(channels, channels)
        self.modules_list = nn.ModuleList([first, *interleave(attentions, later)])
        self.upsamplers = nn.ModuleList([Upsample2D(channels, use_conv=True, out_channels=channels)] if upsample else [])

    def forward(self, hidden, time, context):
        for cell in [self.modules_list[0], *self.modules_list]:
            hidden = run_cell(cell, hidden, time, context)
        for upsampler in self.upsamplers:
            hidden = upsampler(hidden)
        return hidden


class UpBlock(nn.Module):
    def __init__(self, cells, before, mirrored, channels, resnets, transformers, upsample):
        super().__init__()
        hidden = [before] + [channels] * (resnets - 1)
        skips = [channels] * (resnets - 1) + [mirrored]
        self.modules_list = cells.arrange(
            [cells.resnet(h + s, channels) for h, s in zip(hidden, skips)],
            [cells.transformer(channels) for _ in range(transformers)],
        )
        self.upsamplers = nn.ModuleList([Upsample2D(channels, use_conv=True, out_channels=channels)] if upsample else [])

    def forward(self, hidden, time, context, skips):
        for cell in self.modules_list:
            if is_resnet(cell):
                hidden = torch.cat([hidden, skips.pop()], dim=1)
            hidden = run_cell(cell, hidden, time, context)
        for upsampler in self.upsamplers:
            size = skips[-1].shape[2:] if skips else None
            hidden = upsampler(hidden, size)
        return hidden


class FlexibleUNet(nn.Module):
    def __init__(self, config, has_middle):
        super().__init__()
        cells = Cells(config)
        ins, outs = config["down_blocks_in_channels"], config["down_blocks_out_channels"]
        first, time = ins[0], config["temb_dim"]
        self.conv_in = nn.Conv2d(4, first, 3, padding=1)
        self.time_proj = Timesteps(first, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_embedding = TimestepEmbedding(first, time)
        down = (ins, outs, config["down_blocks_num_resnets"], config["down_blocks_num_attentions"], config["add_downsample"])
        self.down_blocks = nn.ModuleList([DownBlock(cells, *block) for block in zip(*down)])
        self.mid_block = None
        if has_middle:
            middle = (config["mid_num_resnets"], config["mid_num_attentions"], config["add_upsample_mid_block"])
            self.mid_block = MiddleBlock(cells, outs[-1], *middle)
        up = (config["prev_output_channels"], ins[::-1], outs[::-1], config["up_blocks_num_resnets"])
        up += (config["up_blocks_num_attentions"], config["add_upsample"])
        self.up_blocks = nn.ModuleList([UpBlock(cells, *block) for block in zip(*up)])
        self.conv_norm_out = nn.GroupNorm(32, first, eps=1e-5)
        self.conv_out = nn.Conv2d(first, 4, 3, padding=1)

    def forward(self, latents, timestep, context):
        """latents [B, 4, H, W], timestep a number (or a tensor of one), context [B, T, width] -> [B, 4, H, W]"""
        times = torch.as_tensor(timestep, dtype=torch.float32).expand(latents.shape[0])
        time = self.time_embedding(self.time_proj(times).to(latents.dtype))
        hidden = self.conv_in(latents)
        skips = [hidden]
        for i, block in enumerate(self.down_blocks):
            hidden = block(hidden, time, context, skips, last=i + 1 == len(self.down_blocks))
        if self.mid_block is not None:
            hidden = self.mid_block(hidden, time, context)
        for block in self.up_blocks:
            hidden = block(hidden, time, context, skips)
        return self.conv_out(nn.functional.silu(self.conv_norm_out(hidden)))


def load_flexible_unet(folder, dtype):
    """From "flexible_unet/" of a model, its values converted to dtype."""
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())["configurations"]
    tensors = load_file(folder / "diffusion_pytorch_model.safetensors")
    has_middle = any(name.startswith("mid_block.") for name in tensors)
    with torch.device("meta"):
        unet = FlexibleUNet(config, has_middle)
    for name in tensors:
        tensors[name] = tensors[name].to(dtype)
    unet.load_state_dict(tensors, assign=True)
    return unet.eval()
