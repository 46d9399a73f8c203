"""The programs that compare.py times: how each is started, asked for a piece, and held to one instruction set."""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = {"diffusers": "diffusers", "openvino": "OpenVINO"}
OPENVINO_AVX2 = ROOT / ".deps/peers-avx2"  # peers/openvino_avx2.py
# oneDNN in all three; PyTorch's own kernels; MKL.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds():
    """Of all programs since the machine started, time that a hypervisor kept for itself included."""
    fields = [int(value) for value in pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS  # idle, waiting for disks


def process_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS  # user, system


class Side:
    """One of the programs, waiting for the names of pieces."""

    def __init__(self, name, command, environment):
        self.name = name
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([*command, "--requests"], env=os.environ | environment, **pipes)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"compare: {self.name} ended with status {self.process.wait()}")
        return json.loads(line)

    def run(self, piece):
        """Its answer, with the share of the processors that other programs took meanwhile as "others"."""
        begin, all_before, own_before = time.monotonic(), processor_seconds(), process_seconds(self.process.pid)
        self.process.stdin.write(piece + "\n")
        self.process.stdin.flush()
        answer = self.answer()
        own = process_seconds(self.process.pid) - own_before
        others = processor_seconds() - all_before - own
        available = (time.monotonic() - begin) * len(os.sched_getaffinity(0))
        answer["others"] = max(0, others / available) if available > 1 else 0  # shorter: ticks are too coarse
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def fresco(arguments, common):
    ops = arguments.ops or ("avx2" if arguments.isa == "avx2" else "auto")
    return [str(arguments.bench), *common, "--ops", ops]


def diffusers(arguments, common):
    return [sys.executable, str(HERE / "peers/diffusers_bench.py"), *common, "--format", arguments.format]


def openvino(arguments, common):
    return [sys.executable, str(HERE / "peers/openvino_bench.py"), *common]


def programs(arguments, kind, steps=2):
    """{side: (command, what it adds to the environment)}"""
    common = ["--model", str(arguments.models / kind), "--size", str(arguments.size), "--steps", str(steps)]
    common += ["--threads", str(arguments.threads), "--precision", arguments.precision]
    commands = {"fresco": fresco, "diffusers": diffusers, "openvino": openvino}
    held = {"native": {}, "avx2": AVX2}[arguments.isa]
    own = {"openvino": {"PYTHONPATH": str(OPENVINO_AVX2)} if held else {}}
    names = ["fresco", *arguments.peers]
    return {name: (commands[name](arguments, common), held | own.get(name, {})) for name in names}


def start(arguments, kind, steps=2):
    return {name: Side(name, *program) for name, program in programs(arguments, kind, steps).items()}
