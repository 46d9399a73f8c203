#!/usr/bin/env python3
"""Model files from strangers: exit status 3, one line that names the file, nothing written, no memory taken for lies."""
import io
import json
import pickle
import pickletools
import unittest
import zipfile

from support import PROMPT, QUICK, ProgramTest, copy_model, read_safetensors, replace, safetensors

UNET = "flexible_unet/diffusion_pytorch_model.safetensors"
F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def nested(depth):
    return b"[" * depth + b"]" * depth


def headers():
    """name -> a whole file that no reader may accept."""
    pair = {"a": F32, "b": {**F32, "data_offsets": [8, 16]}}
    return {
        "empty": b"",
        "seven bytes": b"\0" * 7,
        "header length past the end": (1 << 40).to_bytes(8, "little") + b"{}",
        "header length of all ones": b"\xff" * 8 + b"{}",
        "header cut": safetensors(pair)[:20],
        "header no JSON": safetensors(b"{'a': 1}"),
        "header a list": safetensors(b"[]"),
        "header not UTF-8": safetensors(b'{"\xff\xfe": 1}'),
        "nested 100,000 deep": safetensors(b'{"a":' + nested(100_000) + b"}"),
        "shape overflows": safetensors({"a": {**F32, "shape": [1 << 40, 1 << 40]}}, b"\0" * 8),
        "negative size": safetensors({"a": {**F32, "shape": [-2]}}, b"\0" * 8),
        "fractional size": safetensors({"a": {**F32, "shape": [2.5]}}, b"\0" * 8),
        "unknown element type": safetensors({"a": {**F32, "dtype": "F7"}}, b"\0" * 8),
        "offsets overlap": safetensors({"a": F32, "b": {**F32, "data_offsets": [4, 12]}}, b"\0" * 12),
        "offsets leave a hole": safetensors({"a": F32, "b": {**F32, "data_offsets": [12, 20]}}, b"\0" * 20),
        "offsets run out": safetensors(pair, b"\0" * 12),
        "offsets backwards": safetensors({"a": {**F32, "data_offsets": [8, 0]}}, b"\0" * 8),
        "bytes behind the last tensor": safetensors({"a": F32}, b"\0" * 80),
        "size and shape differ": safetensors({"a": {**F32, "shape": [3]}}, b"\0" * 8),
        "duplicate keys": safetensors(b'{"a":' + json.dumps(F32).encode() + b',"a":' + json.dumps(F32).encode() + b"}", b"\0" * 8),
        "100,000 entries": safetensors({f"t{i}": {**F32, "data_offsets": [8 * i, 8 * i + 8]} for i in range(100_000)}, b"\0" * 800_000),
    }


class Call:
    """A pickle that would write a file when executed."""

    def __reduce__(self):
        return eval, ("open('executed', 'w')",)


def torch_zip(pickled, compression=zipfile.ZIP_STORED, claimed=None):
    """`claimed`: the size that the archive's directory states for the pickle."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        if claimed is not None:
            archive.filelist[0].file_size = claimed
    return content.getvalue()


class BrokenModels(ProgramTest):
    def setUp(self):
        super().setUp()
        self.model = copy_model(self.folder / "model")

    def refuse_model(self, status, says, *arguments):
        self.refused(status, "draw", PROMPT, *QUICK, "--model", "model", *arguments, says=says)
        self.assertFalse((self.folder / "executed").exists())

    def edit_unet(self, edit):
        """Passes the header, name -> entry, to `edit`; the tensors' bytes stay."""
        header, data = read_safetensors(self.model / UNET)
        edit(header)
        replace(self.model / UNET, safetensors(header, data))

    def edit_json(self, name, **changes):
        content = json.loads((self.model / name).read_text())
        content.update(changes)
        replace(self.model / name, json.dumps(content))

    def test_broken_safetensors_are_refused(self):
        for name, content in headers().items():
            with self.subTest(name):
                replace(self.model / UNET, content)
                self.refuse_model(3, "diffusion_pytorch_model.safetensors")

    def test_truncated_file_is_refused(self):
        content = (self.model / UNET).read_bytes()
        for size in (len(content) - 1, len(content) // 2, 100):
            replace(self.model / UNET, content[:size])
            self.refuse_model(3, "diffusion_pytorch_model.safetensors")

    def test_wrong_shape_names_the_tensor(self):
        def swap(header):
            header["conv_in.weight"]["shape"].reverse()

        self.edit_unet(swap)
        self.refuse_model(3, ("conv_in.weight", "expected", "got"))

    def test_missing_tensor_is_named(self):
        def rename(header):
            header["stray"] = header.pop("conv_out.bias")

        self.edit_unet(rename)
        self.refuse_model(3, "conv_out.bias")
        self.refused(3, "inspect", "model", says="conv_out.bias")

    def test_pickles_that_import_are_refused_and_not_run(self):
        (self.model / UNET).unlink()
        for name, content in {"plain": pickle.dumps(Call()), "zip": torch_zip(pickle.dumps(Call()))}.items():
            with self.subTest(name):
                replace(self.model / "flexible_unet/diffusion_pytorch_model.bin", content)
                self.refuse_model(3, "diffusion_pytorch_model.bin")

    def test_pickle_under_another_suffix_is_refused_and_not_run(self):
        for content in (pickle.dumps(Call()), torch_zip(pickle.dumps(Call()))):
            replace(self.model / UNET, content)
            self.refuse_model(3, "diffusion_pytorch_model.safetensors")

    def test_broken_pickles_are_refused(self):
        (self.model / UNET).unlink()
        whole = pickletools.optimize(pickle.dumps({"a": list(range(1000))}, protocol=2))
        for content in (whole[:-5], b"\x80\x02" + b"(" * 100_000, b"\x80\x02]" * 50, b"\x80\x02.", torch_zip(b""), torch_zip(whole)[:-30]):
            replace(self.model / "flexible_unet/diffusion_pytorch_model.bin", content)
            self.refuse_model(3, "diffusion_pytorch_model.bin")

    def test_zip_that_unpacks_to_much_is_refused(self):
        (self.model / UNET).unlink()
        zeros = b"\0" * (256 << 20)
        for content in (torch_zip(zeros, zipfile.ZIP_DEFLATED), torch_zip(zeros[:1000], zipfile.ZIP_DEFLATED, claimed=1 << 42)):
            replace(self.model / "flexible_unet/diffusion_pytorch_model.bin", content)
            self.refuse_model(3, "diffusion_pytorch_model.bin")

    def test_folder_without_a_part_is_refused(self):
        for part in ("vae", "text_encoder", "flexible_unet", "scheduler"):
            with self.subTest(part):
                (self.folder / part).mkdir()
                copy_model(self.folder / part / "model", leave_out=(part,))
                error = self.refused_model_in(part)
                self.assertIn(part.removeprefix("flexible_"), error)

    def refused_model_in(self, folder):
        return self.refused(2, "draw", PROMPT, *QUICK, "--model", f"{folder}/model")

    def test_scheduler_class_nobody_knows(self):
        self.edit_json("scheduler/scheduler_config.json", _class_name="FancyScheduler")
        self.refuse_model(3, ("FancyScheduler", "ddim", "dpmpp-2m"))

    def test_broken_configs_are_refused(self):
        config = self.model / "flexible_unet/config.json"
        for content in ("", "{", "[]", "{}", nested(100_000), b'{"a": 1, "a": 2}', b'{"in_channels": "four"}', b"\xff\xfe{}"):
            with self.subTest(content[:20]):
                replace(config, content)
                self.refuse_model(3, "config.json")

    def test_a_strangers_bytes_are_escaped_in_messages(self):
        replace(self.model / "tokenizer/vocab.json", b'{"a\xf3": x}')
        self.refuse_model(3, ("vocab.json", "\\xf3"))

    def test_inpainting_networks_are_refused_in_words(self):
        self.edit_json("flexible_unet/config.json", in_channels=9)
        self.refuse_model(3, "9")


if __name__ == "__main__":
    unittest.main()
