"""A sampler as a table, and the loop over it in a caller's hands."""
from . import _arrays, _checks, _core
from ._generators import Streams
from ._scheduler import chosen


class SamplingPlan:
    """Steps worked out: a row for each U-Net call.

    scheduler: a Scheduler, a config, or a scheduler of diffusers; pipe.scheduler for a model's own. steps: as people count them.
    strength: image to image runs this share of the steps. eta: noise of ddim.

        plan = fresco.SamplingPlan(pipe.scheduler, 20)
        run = plan.run(torch.randn(1, 4, 64, 64) * plan.initial_noise)
        while not run.done:
            run.step(pipe.unet(run.model_input(), run.timestep, context))
        picture = pipe.vae.decode(run.sample / pipe.vae.scaling_factor)

    Errors: InputError, FormatError (a config of a scheduler that nobody knows)."""

    def __init__(self, scheduler, steps=None, *, strength=None, eta=0.0):
        scheduler = chosen(scheduler)
        stated = scheduler._config is not None
        self._core = _core.SamplingPlan(
            _checks.json_text("scheduler", scheduler._config if stated else scheduler._model), scheduler.name, scheduler.schedule,
            None if steps is None else _checks.integer("steps", steps), scheduler.squeeze, _checks.number("eta", eta),
            None if strength is None else _checks.number("strength", strength), stated)

    def run(self, sample, generator=None):
        """sample [B, 4, h, w] float32, copied -> Run. generator: for samplers that draw noise, as Pipeline takes it."""
        return Run(self._core, sample, generator)

    sampler = property(lambda self: self._core.sampler, doc='such as "ddim"')
    description = property(lambda self: self._core.description, doc="one line")
    steps = property(lambda self: self._core.steps, doc="as people count them; rows may be more or fewer")
    initial_noise = property(lambda self: self._core.initial_noise, doc="text to image starts from noise times this")
    start = property(lambda self: self._core.start, doc="(signal, noise): image to image starts from signal * latents + noise * noise")
    rows = property(lambda self: self._core.rows, doc='a list of dicts: "timestep", "input_scale", "draws_noise", "reached" (signal, noise)')

    def __len__(self):
        return len(self._core.rows)

    def __repr__(self):
        return f"<fresco.SamplingPlan {self.description}: {len(self)} calls>"


class Run:
    """A plan under way. Ends when `done`."""

    def __init__(self, plan, sample, generator):
        self._kind = sample
        self._streams = Streams(generator)
        self._core = _core.Run(plan, _arrays.given(sample), self._streams.streams or [_core.Generator(0)])

    def model_input(self):
        """What the U-Net is to be called with, [B, 4, h, w]."""
        return _arrays.like(self._core.model_input(), self._kind)

    def step(self, output):
        """output [B, 4, h, w]: what the U-Net said, after guidance -> the next sample. Errors: InputError (also when the plan is done)."""
        try:
            return _arrays.like(self._core.step(_arrays.given(output)), self._kind)
        finally:
            self._streams.settle()

    sample = property(lambda self: _arrays.like(self._core.sample, self._kind), doc="[B, 4, h, w]")
    timestep = property(lambda self: self._core.timestep, doc="of the next call")
    row = property(lambda self: self._core.row, doc="of the next call, from 0")
    done = property(lambda self: self._core.done, doc="whether every row has run")
