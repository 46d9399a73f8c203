#!/usr/bin/env python3
"""The module's calls with the shipped model: pictures, generators, callbacks, schedulers, networks, what is told about models."""
import contextlib
import io
import unittest

import numpy
from PIL import Image
from support import ModuleTest

import fresco


class Calls(ModuleTest):
    def test_draws_pictures_in_every_form(self):
        pil = self.draw(output_type="pil").images
        self.assertEqual((len(pil), pil[0].size, pil[0].mode), (1, (128, 128), "RGB"))
        array = self.draw().images
        self.assertEqual((array.shape, array.dtype), ((1, 128, 128, 3), numpy.float32))
        self.assertTrue((numpy.asarray(pil[0]) == (array[0] * 255).round()).all())
        self.assertEqual(tuple(self.draw(output_type="latent").images.shape), (1, 4, 16, 16))

    def test_tells_where_the_time_went(self):
        drawn = self.draw()
        self.assertEqual(list(drawn.timings), ["tokenize", "encode text", "make latents", "denoise", "decode"])
        self.assertEqual(len(drawn.timings.steps), 2)
        self.assertGreaterEqual(drawn.timings.total, sum(drawn.timings.steps))
        self.assertEqual(drawn.settings["steps"], 2)
        self.assertIn("decode", str(dict(drawn.timings)))

    def test_a_seed_is_a_generator_for_all_pictures(self):
        one = self.draw(["a red circle", "a blue star"], generator=5).images
        self.assertTrue((self.draw(["a red circle", "a blue star"], generator=5).images == one).all())
        each = self.draw(["a red circle", "a blue star"], generator=[5, numpy.int64(6)]).images
        alone = self.draw("a blue star", generator=6).images
        self.assertLess(abs(each[1] - alone[0]).max(), 1e-3)  # products are blocked otherwise in a batch
        self.assertGreater(abs(each[1] - one[1]).max(), 0.01)

    def test_a_negative_prompt_for_all_or_for_each(self):
        settings = {"prompt": ["a red circle", "a blue star"], "generator": [1, 2]}
        same = self.draw(**settings, negative_prompt="a ring").images
        self.assertTrue((self.draw(**settings, negative_prompt=["a ring", "a ring"]).images == same).all())
        self.assertFalse((self.draw(**settings, negative_prompt=["a ring", ""]).images[1] == same[1]).all())

    def test_latents_in_are_what_latents_drawn_would_be(self):
        noise = numpy.random.default_rng(0).standard_normal((1, 4, 16, 16), dtype=numpy.float32)
        first = self.draw(latents=noise, generator=3).images
        self.assertTrue((self.draw(latents=noise, generator=99).images == first).all())
        self.assertEqual(self.draw(latents=noise[:, :, :, ::2]).images.shape, (1, 128, 64, 3))

    def test_starts_from_pictures_and_paints_on_them(self):
        red = Image.new("RGB", (128, 128), "red")
        near = self.draw(image=red, strength=0.5).images
        for same in (numpy.asarray(red), [red], numpy.asarray(red, numpy.float32) / 255):
            self.assertLess(abs(self.draw(image=same, strength=0.5).images - near).max(), 1e-4)
        both = self.draw(image=[red, Image.new("RGB", (128, 128), "blue")], strength=0.5, num_images_per_prompt=2, generator=[1, 2]).images
        self.assertEqual(both.shape, (2, 128, 128, 3))
        mask = Image.new("L", (128, 128))
        mask.paste(255, (64, 0, 128, 128))
        painted = self.draw(image=red, mask_image=mask).images
        array = numpy.asarray(mask, numpy.float32) / 255
        self.assertTrue((self.draw(image=red, mask_image=array).images == painted).all())

    def test_callbacks_see_and_change_latents(self):
        seen = []

        def halve(pipe, step, timestep, tensors):
            seen.append((step, timestep, sorted(tensors), tuple(tensors["latents"].shape), pipe.num_timesteps))
            return {"latents": tensors["latents"] * 0}

        zero = self.draw(callback_on_step_end=halve, output_type="latent").images
        self.assertEqual(abs(numpy.asarray(zero)).max(), 0)
        self.assertEqual([entry[0] for entry in seen], [0, 1])
        self.assertEqual(seen[0][2:], (["latents"], (1, 4, 16, 16), 2))

    def test_a_callback_may_write_into_latents_and_keep_them(self):
        kept = []

        def keep(pipe, step, timestep, tensors):
            kept.append(tensors["latents"])
            return tensors

        plain = numpy.asarray(self.draw(callback_on_step_end=keep, output_type="latent").images)
        self.assertTrue((numpy.asarray(kept[1]) == plain).all())
        self.assertFalse((numpy.asarray(kept[0]) == plain).all())

        def write(pipe, step, timestep, tensors):
            tensors["latents"][:] = 0

        self.assertEqual(abs(numpy.asarray(self.draw(callback_on_step_end=write, output_type="latent").images)).max(), 0)

    def test_a_callback_may_end_guidance_and_the_drawing(self):
        def end_guidance(pipe, step, timestep, tensors):
            pipe._guidance_scale = 1.0
            embeds = tensors["prompt_embeds"]
            return {"prompt_embeds": embeds[embeds.shape[0] // 2:] if step == 0 else embeds}

        free = self.draw(callback_on_step_end=end_guidance, callback_on_step_end_tensor_inputs=["prompt_embeds"]).images
        self.assertGreater(abs(free - self.draw().images).max(), 1e-3)

        def stop(pipe, step, timestep, tensors):
            pipe._interrupt = True

        self.assertEqual(len(self.draw(num_inference_steps=9, callback_on_step_end=stop).timings.steps), 1)

    def test_what_a_callback_raises_comes_out(self):
        def fail(pipe, step, timestep, tensors):
            raise KeyError("mine")

        with self.assertRaises(KeyError):
            self.draw(callback_on_step_end=fail)
        self.refuses(lambda: self.draw(callback_on_step_end=lambda *a: {"latents": numpy.zeros((1, 4, 8, 8), "float32")}), "callback_on_step_end", "latents")
        self.refuses(lambda: self.draw(callback_on_step_end=lambda *a: 5), "callback_on_step_end", "int")


class Bars(ModuleTest):
    def bars(self, config, **settings):
        self.starter().set_progress_bar_config(**config)
        told = io.StringIO()
        try:
            with contextlib.redirect_stderr(told):
                self.draw(**settings)
        finally:
            self.starter().set_progress_bar_config(disable=True)
        return told.getvalue()

    def test_count_steps_and_can_be_switched_off(self):
        self.assertIn("2/2", self.bars({"desc": "mine"}))
        self.assertIn("mine", self.bars({"desc": "mine"}))
        self.assertEqual(self.bars({"disable": True}), "")
        self.assertEqual(self.bars({}, progress=False), "")


class Schedulers(ModuleTest):
    def tearDown(self):
        self.starter().scheduler = self.starter().own_scheduler

    def test_by_name(self):
        for entry in fresco.samplers():
            if entry["name"] == "squeezed-dpmpp":
                continue
            self.starter().scheduler = entry["name"]
            drawn = self.draw(output_type="latent", num_inference_steps=4)
            self.assertEqual(drawn.settings["sampler"], entry["name"])
        self.starter().scheduler = fresco.Scheduler("dpmpp-2m", schedule="karras")
        self.assertIn("karras", self.draw(output_type="latent").settings["plan"])

    def test_by_config(self):
        config = self.starter().scheduler.config
        self.starter().scheduler = "euler"
        named = self.draw(output_type="latent").images
        self.starter().scheduler = fresco.Scheduler.from_config(config, "EulerDiscreteScheduler")
        self.assertTrue((numpy.asarray(self.draw(output_type="latent").images) == numpy.asarray(named)).all())
        self.starter().scheduler = {**config, "_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}
        self.assertEqual(self.draw(output_type="latent").settings["plan"], "euler, 2 steps, trailing")

    def test_plans_in_a_callers_hands_draw_the_same(self):
        pipe = self.starter()
        pipe.scheduler = "euler-a"
        noise = numpy.random.default_rng(0).standard_normal((1, 4, 16, 16), dtype=numpy.float32)
        expected = self.draw(latents=noise, generator=4, guidance_scale=1, output_type="latent").images
        plan = fresco.SamplingPlan(pipe.scheduler, 2)
        self.assertEqual((len(plan), plan.sampler), (2, "euler-a"))
        run = plan.run(noise * plan.initial_noise, generator=4)
        context = pipe.text_encoder(pipe.tokenizer("a red circle"))
        while not run.done:
            run.step(pipe.unet(run.model_input(), run.timestep, context))
        self.assertLess(abs(numpy.asarray(run.sample) - numpy.asarray(expected)).max(), 1e-3)
        self.refuses(lambda: run.step(noise), "step", "have all run")


class Networks(ModuleTest):
    def test_shapes_and_sharing(self):
        pipe = self.starter()
        ids = numpy.asarray(pipe.tokenizer(["a red circle", "a ring"]))
        self.assertEqual((ids.shape, ids.dtype), ((2, 77), numpy.int64))
        context = pipe.text_encoder(ids)
        self.assertEqual(context.shape, (2, 77, pipe.text_encoder.width))
        latents = numpy.zeros((1, 4, 16, 16), numpy.float32)
        bound = pipe.unet.bind(context)
        both = pipe.unet(latents, 500.25, bound)
        self.assertEqual(both.shape, (2, 4, 16, 16))
        self.assertLess(abs(pipe.unet(latents, numpy.array([500.25]), context[:1])[0] - both[0]).max(), 1e-4)
        picture = pipe.vae.decode(latents)
        self.assertEqual(picture.shape, (1, 3, 128, 128))
        self.assertEqual(pipe.vae.encode(picture).shape, (1, 8, 16, 16))
        self.assertLess(abs(pipe.vae.decode(latents, tiled=True) - picture).max(), 0.05)

    def test_one_network_alone(self):
        unet = fresco.UNet.from_pretrained(fresco.starter_model(), progress=False)
        self.assertEqual(unet.in_channels, 4)
        context = numpy.zeros((1, 77, self.starter().text_encoder.width), numpy.float32)
        latents = numpy.ones((1, 4, 16, 16), numpy.float32)
        self.assertTrue((unet(latents, 3, context) == self.starter().unet(latents, 3, context)).all())

    def test_results_outlive_what_made_them(self):
        latents = fresco.Vae.from_pretrained(fresco.starter_model(), progress=False).decode(numpy.zeros((1, 4, 2, 2), numpy.float32))
        held = self.draw(output_type="latent").images
        copy = numpy.array(held)
        self.draw(generator=7)
        self.assertTrue((numpy.asarray(held) == copy).all())
        self.assertTrue(numpy.isfinite(latents).all())


class Models(ModuleTest):
    def test_inspection(self):
        report = fresco.inspect(fresco.starter_model())
        self.assertTrue(report["whole"])
        self.assertIn("family", report)

    def test_what_a_pipeline_tells(self):
        pipe = self.starter()
        self.assertEqual((pipe.device, pipe.default_width), ("cpu", 128))
        self.assertIn("starter-128", repr(pipe))
        self.assertIs(pipe.to("cpu"), pipe)
        self.assertEqual(fresco.__version__.count("."), 2)


if __name__ == "__main__":
    unittest.main()
