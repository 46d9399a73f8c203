#!/usr/bin/env python3
"""What is no argument is refused by name, and nothing that Python can pass ends the process."""
import random
import unittest

import numpy
from support import ModuleTest

import fresco


class Named(ModuleTest):
    def test_wrong_types_name_the_argument(self):
        for settings, words in (({"prompt": 5}, ("prompt", "int")), ({"prompt": ["a", None]}, ("prompt[1]", "NoneType")),
                                ({"negative_prompt": 5}, ("negative_prompt",)), ({"num_inference_steps": 2.5}, ("num_inference_steps", "float")),
                                ({"num_inference_steps": True}, ("num_inference_steps", "bool")), ({"height": "128"}, ("height", "str")),
                                ({"guidance_scale": "7"}, ("guidance_scale", "str")), ({"generator": "x"}, ("generator", "str")),
                                ({"generator": [1, object()]}, ("generator", "object")), ({"image": 5}, ("image", "int")),
                                ({"output_type": 5}, ("output_type",)), ({"callback_on_step_end": 5}, ("callback_on_step_end", "int"))):
            with self.subTest(str(settings)):
                error = self.refuses(lambda: self.draw(**settings), *words, kind=fresco.InputTypeError)
                self.assertIsInstance(error, TypeError)
                self.assertIsInstance(error, ValueError)

    def test_wrong_values_say_what_was_expected_and_what_came(self):
        for settings, words in (({"prompt": []}, ("prompt: ",)), ({"num_inference_steps": 0}, ("--steps", "1 to 1000", "0")),
                                ({"num_inference_steps": 10**30}, ("num_inference_steps",)), ({"height": 100}, ("--height 100", "nearest")),
                                ({"guidance_scale": float("nan")}, ("--guidance", "nan")), ({"generator": []}, ("generator",)),
                                ({"generator": [1, 2, 3]}, ("generator: ", "1", "3")), ({"generator": 2**70}, ("generator",)),
                                ({"negative_prompt": ["a", "b"]}, ("negative_prompt", "2")), ({"strength": 0.5}, ("--strength", "--init")),
                                ({"latents": numpy.zeros((4, 16, 16), "float32")}, ("latents: ", "[4, 16, 16]")),
                                ({"latents": numpy.zeros((1, 4, 16, 16), "int64")}, ("latents", "Long")),
                                ({"latents": "abc"}, ("latents", "str")), ({"output_type": "jpeg"}, ("output_type", "pil", "jpeg")),
                                ({"latents": numpy.full((1, 4, 16, 16), numpy.nan, "float32")}, ("latents: ", "finite", "nan")),
                                ({"prompt": ["a", "b"], "generator": [1]}, ("generator: ", "a list of 2", "1")),
                                ({"image": numpy.zeros((5, 5), "float32")}, ("image", "[5, 5]")),
                                ({"image": numpy.full((8, 8, 3), 200.0)}, ("image: ", "0 to 1", "200")),
                                ({"image": numpy.full((8, 8, 3), numpy.nan)}, ("image: ", "nan")),
                                ({"image": numpy.zeros((128, 128, 3), "uint8"), "mask_image": numpy.zeros((64, 64), "uint8")},
                                 ("mask_image: ", "the size of image, 128x128", "64x64")),
                                ({"callback_on_step_end": lambda *_: {"latents": numpy.zeros(1, "float32")}}, ("callback_on_step_end: ", "[1]")),
                                ({"mask_image": numpy.zeros((128, 128), "float32")}, ("mask_image", "image")),
                                ({"callback_on_step_end": print, "callback_on_step_end_tensor_inputs": ["noise"]}, ("noise", "latents"))):
            with self.subTest(str(settings)):
                self.refuses(lambda: self.draw(**settings), *words)

    def test_models_and_files(self):
        error = self.refuses(lambda: fresco.Pipeline.from_pretrained("/nowhere/at/all"), "/nowhere/at/all")
        self.assertIsInstance(error, ValueError)
        self.assertTrue(error.where)
        self.refuses(lambda: fresco.Pipeline.from_pretrained(5), "model", "int")
        self.refuses(lambda: fresco.Pipeline.from_pretrained(fresco.starter_model(), device="tpu"), "--device", "tpu")
        self.refuses(lambda: fresco.Pipeline.from_pretrained(fresco.starter_model(), precision="f8"), "--precision", "f8")
        self.refuses(lambda: fresco.inspect(b"x"), "model", "bytes")
        self.refuses(lambda: fresco.Pipeline.from_pretrained(__file__), "test_refusals.py", kind=fresco.Error)
        self.refuses(lambda: fresco.compare(fresco.starter_model(), "/nowhere", progress=False), "/nowhere")

    def test_schedulers(self):
        def assign(value):
            self.starter().scheduler = value

        self.refuses(lambda: assign("dpmpp-2n"), "scheduler", "dpmpp-2m")
        self.refuses(lambda: assign(5), "scheduler", "int")
        self.addCleanup(assign, self.starter().own_scheduler)
        assign({"_class_name": "NobodysScheduler"})
        self.refuses(self.draw, "NobodysScheduler", kind=fresco.FormatError)
        assign({"_class_name": "DDIMScheduler", "beta_start": object()})
        self.refuses(self.draw, "scheduler")

    def test_embeds(self):
        width = self.starter().text_encoder.width
        embeds = numpy.zeros((2, 77, width), "float32")
        self.refuses(lambda: self.draw(prompt_embeds=embeds), "prompt_embeds", "instead of prompt")
        self.refuses(lambda: self.draw(prompt=None, prompt_embeds=embeds[..., 1:]), "prompt_embeds", f"[prompts, tokens, {width}]")
        self.refuses(lambda: self.draw(prompt=None, prompt_embeds=embeds[0]), "prompt_embeds", f"[77, {width}]")
        self.refuses(lambda: self.draw(prompt=None, prompt_embeds=embeds[:, :50]), "prompt_embeds", "77 tokens")
        self.refuses(lambda: self.draw(negative_prompt_embeds=embeds[:, :50]), "negative_prompt_embeds")
        self.refuses(lambda: self.draw(negative_prompt_embeds=embeds), "negative_prompt_embeds", f"[1, tokens, {width}]")
        self.refuses(lambda: self.draw(negative_prompt="a", negative_prompt_embeds=embeds), "negative_prompt_embeds", "instead")
        self.refuses(lambda: self.draw(prompt=None), "prompt", "a str or a list of them")

    def test_networks(self):
        pipe = self.starter()
        width = pipe.text_encoder.width
        latents, context = numpy.zeros((1, 4, 16, 16), "float32"), numpy.zeros((1, 77, width), "float32")
        self.refuses(lambda: pipe.text_encoder(numpy.full((1, 77), 10**9)), "ids", "1000000000")
        self.refuses(lambda: pipe.text_encoder(numpy.zeros((1, 78), "int64")), "ids", "[1, 78]")
        self.refuses(lambda: pipe.text_encoder(latents), "ids", "Float [1, 4, 16, 16]")
        self.refuses(lambda: pipe.text_encoder(numpy.zeros((1, 77), "int64"), clip_skip=99), "clip_skip", "99")
        self.refuses(lambda: pipe.unet(latents[:, :3], 1, context), "latents", "[1, 3, 16, 16]")
        self.refuses(lambda: pipe.unet(latents[:, :, :1], 1, context), "latents")
        self.refuses(lambda: pipe.unet(latents, [1, 2], context), "timestep")
        self.refuses(lambda: pipe.unet(latents, float("inf"), context), "timestep")
        self.refuses(lambda: pipe.unet(latents, 1, context[:, :, 1:]), "context", f"[1, 77, {width - 1}]")
        self.refuses(lambda: pipe.vae.encode(numpy.zeros((1, 3, 9, 8), "float32")), "pictures")
        self.refuses(lambda: pipe.vae.decode(latents[::-1, :, ::-1][0]), "latents")
        self.refuses(lambda: fresco.SamplingPlan({"_class_name": "DDIMScheduler"}, 0), "--steps")


def strange_values(random):
    """Anything that somebody might pass, and much that nobody would."""
    array = numpy.zeros((2, 4, 16, 16), "float32")
    return random.choice([
        None, True, -1, 0, 3, 10**9, 10**40, -0.0, 1e300, float("nan"), float("inf"), 1j, "", "a", "\ud800", "a\0b", "x" * 5000, b"a", [], [[]],
        ["a", "b"], [None], (), {}, {"a": 1}, set(), object(), type, len, lambda *a: None, iter([]), range(3), memoryview(b"abc"), bytearray(9),
        array, array[:1], array[:1].astype("float64"), array[:1].astype("float16"), array[:0], array[:, :, ::2], array[:, :, ::-1], array[0],
        numpy.float32(3), numpy.int64(3), numpy.array(3), numpy.array(["a"]), numpy.array([object()]), numpy.zeros((1, 4, 16, 16), "complex64"),
        numpy.zeros((1, 4, 16, 16), ">f4"), numpy.zeros((16, 16, 3), "uint8"), numpy.zeros((1, 77), "int64"), numpy.full((1, 77), -1),
        numpy.full((1, 4, 16, 16), numpy.nan, "float32"), numpy.broadcast_to(numpy.float32(1), (1, 4, 16, 16)), Capsule("no"), Capsule(None),
        Capsule(array), fresco, fresco._core.Generator(1), fresco.Scheduler("ddim")])


class Capsule:
    """Claims to be a tensor."""

    def __init__(self, value):
        self.value = value

    def __dlpack__(self, *args, **kwargs):
        return self.value

    def __index__(self):
        return 3


class Fuzzed(ModuleTest):
    SETTINGS = ("prompt", "negative_prompt", "num_inference_steps", "guidance_scale", "guidance_rescale", "height", "width", "num_images_per_prompt",
                "generator", "latents", "strength", "image", "mask_image", "clip_skip", "output_type", "callback_on_step_end",
                "callback_on_step_end_tensor_inputs", "prompt_embeds", "negative_prompt_embeds", "eta", "batch")

    def passes_or_raises(self, call):
        try:
            call()
        except Exception:  # of any type: what counts is that the process goes on
            return False
        return True

    def test_calls(self):
        seed = random.Random(6)
        for _ in range(400):
            settings = {"prompt": "a red circle", "num_inference_steps": 1, "height": 16, "width": 16, "output_type": "latent"}
            settings.update((seed.choice(self.SETTINGS), strange_values(seed)) for _ in range(seed.choice([1, 1, 2])))
            with self.subTest(str(settings)[:300]):
                self.passes_or_raises(lambda: self.starter()(progress=False, **settings))
        self.assertEqual(self.draw().images.shape, (1, 128, 128, 3))

    def test_parts(self):
        seed, pipe = random.Random(7), self.starter()
        plan = fresco.SamplingPlan(pipe.scheduler, 2)
        calls = [lambda a, b: pipe.tokenizer(a), lambda a, b: pipe.text_encoder(a), lambda a, b: pipe.text_encoder(a, b),
                 lambda a, b: pipe.unet(a, b, numpy.zeros((1, 77, pipe.text_encoder.width), "float32")), lambda a, b: pipe.unet.bind(a),
                 lambda a, b: pipe.unet(a, 1, b), lambda a, b: pipe.vae.encode(a), lambda a, b: pipe.vae.decode(a, b), lambda a, b: plan.run(a, b),
                 lambda a, b: plan.run(numpy.zeros((1, 4, 16, 16), "float32"), a).step(b), lambda a, b: fresco.SamplingPlan(a, b),
                 lambda a, b: fresco.Scheduler(a, schedule=b), lambda a, b: fresco.Scheduler.from_config(a, b), lambda a, b: fresco.inspect(a, vae=b),
                 lambda a, b: fresco.TextEncoder.from_pretrained(a, b), lambda a, b: fresco._core.Generator.from_state(a),
                 lambda a, b: fresco._core.Request().set_image(3, 3, a, b), lambda a, b: fresco._core.Run(a, b, [])]
        for call in calls:
            for _ in range(40):
                a, b = strange_values(seed), strange_values(seed)
                with self.subTest(f"{a!r:.100} {b!r:.100}"):
                    self.passes_or_raises(lambda: call(a, b))


if __name__ == "__main__":
    unittest.main()
