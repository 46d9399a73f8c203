#!/usr/bin/env python3
"""Times the pieces of drawing with OpenVINO on networks that openvino_convert.py made: fixed shapes, compiled for
latency. Options, inputs and output as fresco_bench has them."""

import os
import pathlib
import re
import subprocess
import sys

# PyTorch makes the inputs here. Its OpenMP, told to bind threads, would bind this one, and OpenVINO would find that one
# processor alone.
os.environ["OMP_PROC_BIND"] = "false"

import openvino
import torch

import bench

HERE = pathlib.Path(__file__).resolve().parent


def weights_of(folder, name):
    parts = {"text": ["text_encoder"], "unet": ["flexible_unet", "unet"], "vae": ["vae"]}[name]
    return next(path for part in parts for path in sorted((folder / part).glob("*.safetensors")))


def converted(folder, name, size):
    """Where the converted network lies; made when it is missing or older than the weights."""
    network = folder / "openvino" / (f"{name}.xml" if name == "text" else f"{name}-{size}.xml")
    if not network.exists() or network.stat().st_mtime < weights_of(folder, name).stat().st_mtime:
        network.parent.mkdir(exist_ok=True)
        command = [sys.executable, HERE / "openvino_convert.py", "--model", folder, "--network", name]
        command += ["--size", str(size), "--out", network]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"openvino_bench: converting {name} failed: {result.stderr[-2000:]}")
    return network


class OpenvinoNetworks(bench.Networks):
    def __init__(self, options):
        super().__init__(options)
        self.core = openvino.Core()
        self.model = None  # the one compiled last
        self.settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": options.precision,
            "INFERENCE_NUM_THREADS": options.threads or len(os.sched_getaffinity(0)),
            "NUM_STREAMS": 1,
            "ENABLE_HYPER_THREADING": False,
        }
        if options.precision == "bf16" and "BF16" not in self.core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise SystemExit("openvino_bench: OpenVINO has no bfloat16 arithmetic on this processor")
        self.paths = {name: converted(self.folder, name, options.size) for name in ("text", "unet", "vae")}

    def load(self, name):
        self.model = None
        self.model = self.core.compile_model(self.core.read_model(self.paths[name]), "CPU", self.settings)
        request = self.model.create_infer_request()

        def run(*inputs):
            arrays = [torch.as_tensor(value).numpy() for value in inputs]
            if name == "unet":
                arrays[1] = arrays[1].astype("float32")  # timesteps are integers
            return torch.from_numpy(request.infer(arrays, share_inputs=True)[0])

        return run

    def about(self):
        """Instructions from the kernels' names, such as "brgconv_avx2_f32"."""
        nodes = self.model.get_runtime_model().get_ordered_ops() if self.model else []
        kernels = " ".join(node.get_rt_info()["primitiveType"].astype(str) for node in nodes)
        return {"instructions": sorted(set(re.findall(r"avx512|avx2|amx|sse\d+", kernels)))}


def main():
    options = bench.parser(__doc__).parse_args()
    torch.set_num_threads(1)  # no threads that spin beside OpenVINO's
    bench.run("openvino", options, OpenvinoNetworks(options), torch.float32)


if __name__ == "__main__":
    main()
