#!/usr/bin/env python3
"""The same call through diffusers and through fresco on the small models of the reference data: the same pictures, and generators left alike.
Wants torch's Python part and diffusers (.deps/peers, benchmarks/peers/setup.sh) and the reference models beside this checkout; skips without."""
import unittest

try:
    import diffusers
    import numpy
    import torch
    from PIL import Image

    MISSING = None
except ImportError as error:
    MISSING = str(error)
from support import GOLDENS, TINY, ModuleTest

import fresco

# As tests/pipeline/golden_runs_test.cpp bounds whole runs: 1e-3 of the largest magnitude; both sides compute in float32.
BOUND = 1e-3
PROMPT, OTHER = "A photo of an astronaut riding a horse on Mars", "A big owl with bright shinning eyes"
# Of the published lists, those that fresco has; by the class that from_config() makes of the folder's PNDM.
SCHEDULERS = [("DDIMScheduler", {}), ("DDPMScheduler", {}), ("PNDMScheduler", {}), ("EulerDiscreteScheduler", {}),
              ("EulerDiscreteScheduler", {"use_karras_sigmas": True}), ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
              ("EulerAncestralDiscreteScheduler", {}), ("HeunDiscreteScheduler", {}), ("DPMSolverMultistepScheduler", {}),
              ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}), ("DPMSolverMultistepScheduler", {"solver_order": 3}),
              ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}), ("UniPCMultistepScheduler", {}), ("LCMScheduler", {})]


@unittest.skipIf(MISSING, f"{MISSING}: diffusers is not in this Python (benchmarks/peers/setup.sh makes .deps/peers)")
@unittest.skipUnless(TINY.exists(), "the reference models are not beside this checkout")
class SamePictures(ModuleTest):
    @classmethod
    def setUpClass(cls):
        text = diffusers.StableDiffusionPipeline.from_pretrained(TINY, torch_dtype=torch.float32, local_files_only=True, safety_checker=None,
                                                                 feature_extractor=None, requires_safety_checker=False)
        cls.pipes = {"text": text, "image": diffusers.StableDiffusionImg2ImgPipeline(**text.components, requires_safety_checker=False),
                     "paint": diffusers.StableDiffusionInpaintPipeline(**text.components, requires_safety_checker=False)}
        cls.fresco = fresco.Pipeline.from_pretrained(TINY, progress=False)
        for pipe in (*cls.pipes.values(), cls.fresco):
            pipe.set_progress_bar_config(disable=True)

    def both(self, kind="text", seeds=7, make=None, prompt=PROMPT, callback=None, **settings):
        """Draws with both; compares pictures and what the generators draw next."""
        make = make or (lambda seed: torch.Generator().manual_seed(seed))
        settings = {"num_inference_steps": 5, "guidance_scale": 7.5, "guidance_rescale": 0.0, "output_type": "np", **settings}
        if kind != "image":
            settings = {"height": 128, "width": 128, **settings}
        theirs_settings = dict(settings)
        if kind != "text":
            theirs_settings.pop("guidance_rescale")
        pictures, numbers = [], []
        for pipe, own in ((self.pipes[kind], theirs_settings), (self.fresco, settings)):
            generators = [make(seed) for seed in seeds] if isinstance(seeds, list) else None if seeds is None else make(seeds)
            calls = {} if callback is None else callback()
            pictures.append(pipe(prompt, generator=generators, **{**own, **calls}).images)
            listed = generators if isinstance(generators, list) else [] if generators is None else [generators]
            numbers.append([torch.rand(1, generator=one).item() for one in listed])
        theirs, ours = (numpy.asarray(one) for one in pictures)
        self.assertEqual(theirs.shape, ours.shape)
        self.assertLess(abs(theirs - ours).max() / abs(theirs).max(), BOUND)
        self.assertEqual(numbers[0], numbers[1], "the generators are left elsewhere")

    def picture(self, size=(128, 128)):
        return Image.fromarray(numpy.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=numpy.uint8)).resize(size)

    def mask(self):
        mask = Image.new("L", (128, 128))
        mask.paste(255, (40, 24, 128, 90))
        return mask

    def test_text_to_image(self):
        self.both()
        self.both(output_type="latent")
        self.both(guidance_scale=1.0)
        self.both(guidance_rescale=0.7)
        self.both(clip_skip=1)
        self.both(height=64, width=192)

    def test_negative_prompts(self):
        self.both(negative_prompt="blurry")
        self.both(prompt=[PROMPT, OTHER], negative_prompt=["blurry", "dark"])

    def test_two_prompts_with_one_and_two_generators(self):
        self.both(prompt=[PROMPT, OTHER])
        self.both(prompt=[PROMPT, OTHER], seeds=[7, 8])
        self.both(prompt=[PROMPT, OTHER], num_images_per_prompt=2, seeds=[1, 2, 3, 4])
        self.both(num_images_per_prompt=3)

    def test_generators_that_stand_somewhere(self):
        def advanced(seed):
            generator = torch.Generator().manual_seed(seed)
            torch.randn(37, generator=generator)
            return generator

        self.both(make=advanced)
        torch.manual_seed(3)
        theirs = self.pipes["text"](PROMPT, num_inference_steps=2, height=64, width=64, output_type="np").images
        torch.manual_seed(3)
        ours = self.fresco(PROMPT, num_inference_steps=2, guidance_rescale=0, height=64, width=64, output_type="np").images
        self.assertLess(abs(theirs - ours).max(), BOUND)
        twice = torch.Generator().manual_seed(5)
        pair = self.fresco(PROMPT, num_inference_steps=2, height=64, width=64, generator=[twice, twice], num_images_per_prompt=2, output_type="np").images
        self.assertGreater(abs(pair[0] - pair[1]).max(), 0.01)

    def test_embeds(self):
        with torch.no_grad():
            one, two = (self.pipes["text"].encode_prompt(text, "cpu", 1, False)[0] for text in (PROMPT, OTHER))
        self.both(prompt=None, prompt_embeds=one * 1.1, negative_prompt_embeds=two)
        self.both(prompt=None, prompt_embeds=torch.cat([one, two]), negative_prompt=["blurry", "dark"], num_images_per_prompt=2, seeds=[1, 2, 3, 4])
        self.both(prompt=None, prompt_embeds=torch.cat([one, two], 1), negative_prompt_embeds=torch.cat([two, one], 1))
        self.both(negative_prompt_embeds=two, clip_skip=1)
        self.both(prompt=None, prompt_embeds=one, guidance_scale=1.0)

    def test_latents(self):
        self.both(latents=torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(11)))

    def test_pictures_of_torch(self):
        image = self.fresco(PROMPT, num_inference_steps=2, generator=1, output_type="pt").images
        self.assertEqual((tuple(image.shape), image.dtype), ((1, 3, 64, 64), torch.float32))

    def test_image_to_image(self):
        self.both("image", image=self.picture(), strength=0.6)
        self.both("image", image=self.picture((135, 77)), strength=0.8)
        self.both("image", image=torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2)), strength=0.6)
        self.both("image", prompt=[PROMPT, OTHER], image=self.picture(), strength=0.6)
        self.both("image", prompt=[PROMPT, OTHER], image=self.picture(), strength=0.6, seeds=[3, 4])
        self.both("image", prompt=[PROMPT, OTHER], image=[self.picture(), self.mask().convert("RGB")], strength=0.6)
        self.both("image", prompt=[PROMPT, OTHER], image=[self.picture(), self.mask().convert("RGB")], strength=0.6, seeds=[3, 4])

    def test_inpainting(self):
        self.both("paint", image=self.picture(), mask_image=self.mask(), strength=1.0)
        self.both("paint", image=self.picture(), mask_image=self.mask(), strength=0.6)
        self.both("paint", image=self.picture(), mask_image=self.mask(), strength=1.0, prompt=[PROMPT, OTHER], seeds=[3, 4])
        noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(11))
        self.both("paint", image=self.picture(), mask_image=self.mask(), strength=1.0, latents=noise)
        self.both("paint", image=self.picture(), mask_image=self.mask(), strength=0.6, latents=noise)

    def test_every_sampler_by_from_config(self):
        before = self.pipes["text"].scheduler
        try:
            for name, changes in SCHEDULERS:
                with self.subTest(f"{name} {changes}"):
                    cls = getattr(diffusers, name)
                    self.pipes["text"].scheduler = cls.from_config(before.config, **changes)
                    steps = 4 if name == "LCMScheduler" else 6
                    self.fresco.scheduler = cls.from_config(before.config, **changes)
                    self.both(num_inference_steps=steps)
                    self.fresco.scheduler = cls.from_config(self.fresco.own_scheduler.config, **changes)
                    self.both(num_inference_steps=steps)
                    self.fresco.scheduler = fresco.Scheduler.from_config(self.fresco.own_scheduler.config, name, **changes)
                    self.both(num_inference_steps=steps)
        finally:
            self.pipes["text"].scheduler = before
            self.fresco.scheduler = self.fresco.own_scheduler

    def test_callbacks(self):
        def shrink():
            def change(pipe, step, timestep, tensors):
                tensors["latents"] = tensors["latents"] * (0.9 if step % 2 else 1.05)
                return tensors

            return {"callback_on_step_end": change}

        def in_place():
            def change(pipe, step, timestep, tensors):
                tensors["latents"][:, 0] += 0.1
                return tensors

            return {"callback_on_step_end": change}

        def end_guidance():
            def change(pipe, step, timestep, tensors):
                if step == int(pipe.num_timesteps * 0.4):
                    tensors["prompt_embeds"] = tensors["prompt_embeds"].chunk(2)[-1]
                    pipe._guidance_scale = 0.0
                return tensors

            return {"callback_on_step_end": change, "callback_on_step_end_tensor_inputs": ["prompt_embeds"]}

        def stop():
            def change(pipe, step, timestep, tensors):
                if step == 2:
                    pipe._interrupt = True
                return tensors

            return {"callback_on_step_end": change, "callback_on_step_end_tensor_inputs": ["latents", "negative_prompt_embeds"]}

        for callback in (shrink, in_place, end_guidance, stop):
            with self.subTest(callback.__name__):
                self.both(callback=callback)
        self.both(callback=shrink, kind="paint", image=self.picture(), mask_image=self.mask(), strength=0.8)

    def test_networks_share_memory_with_torch(self):
        pipe, theirs = self.fresco, self.pipes["text"]
        ids = pipe.tokenizer([PROMPT, OTHER])
        self.assertTrue(torch.is_tensor(ids))
        with torch.no_grad():
            context = theirs.text_encoder(ids)[0]
            ours = pipe.text_encoder(ids)
            self.assertLess((ours - context).abs().max() / context.abs().max(), BOUND)
            latents = torch.randn(2, 4, 16, 16)
            noise = theirs.unet(latents, 500, context)[0]
            self.assertLess((pipe.unet(latents, 500, context) - noise).abs().max() / noise.abs().max(), BOUND)
            picture = theirs.vae.decode(latents)[0]
            self.assertLess((pipe.vae.decode(latents.requires_grad_()) - picture).abs().max() / picture.abs().max(), BOUND)
        run = fresco.SamplingPlan(pipe.scheduler, 3).run(torch.zeros(1, 4, 8, 8))
        sample = run.step(torch.ones(1, 4, 8, 8))
        self.assertEqual(sample.data_ptr(), run.sample.data_ptr())
        kept = run.sample
        kept.fill_(3)
        self.assertEqual(run.sample.sum().item(), 3 * 4 * 64)

    def test_other_families(self):
        for name in ("tiny-deci10", "tiny-deci20"):
            pipe = fresco.Pipeline.from_pretrained(GOLDENS / "models" / name, progress=False)
            self.assertEqual(pipe(PROMPT, generator=1, progress=False).images[0].size, (pipe.default_width, pipe.default_height))

    def test_refusals(self):
        if torch.cuda.is_available():
            self.refuses(lambda: self.fresco(PROMPT, generator=torch.Generator("cuda")), "generator", "cuda")
        self.refuses(lambda: self.fresco(PROMPT, latents=torch.zeros(1, 4, 16, 16).to_sparse()), "latents")
        self.refuses(lambda: self.fresco(PROMPT, latents=torch.zeros(1, 4, 16, 16, dtype=torch.complex64)), "latents")
        self.refuses(lambda: self.fresco(PROMPT, latents=torch.zeros(1, 4, 16, 16, device="meta")), "latents")


if __name__ == "__main__":
    unittest.main()
