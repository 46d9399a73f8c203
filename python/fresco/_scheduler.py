"""Samplers under the names that people know: fresco's own, or configs of diffusers' schedulers."""
import json
from collections.abc import Mapping

from . import _checks, _core
from ._errors import expected, wrong_type

WANTED = "the name of a sampler, a fresco.Scheduler, a scheduler of diffusers or its config"


def samplers():
    """What can be drawn with: a list of dicts with "name", "class_name" (diffusers' class) and "description"."""
    return _core.samplers()


class Scheduler:
    """How steps are taken. Made by name over the model's own config (`Scheduler("dpmpp-2m", schedule="karras")`), or from a config as
    diffusers writes it (`Scheduler.from_config(pipe.scheduler.config, "EulerDiscreteScheduler", timestep_spacing="trailing")`).

    schedule: "karras", "exponential" or "beta"; squeeze: "10,6" or "11,7" of squeezed-dpmpp; both where the sampler has them."""

    def __init__(self, name="", *, schedule="", squeeze=""):
        self.name = _checks.text("scheduler", name)
        self.schedule = _checks.text("schedule", schedule)
        self.squeeze = _checks.text("squeeze", squeeze)
        self._config = None  # taken as it stands; None: the model's, with the name above
        self._model = {}  # the model's
        if self.name:
            _checks.word("scheduler", self.name, [entry["name"] for entry in samplers()])

    @classmethod
    def from_config(cls, config, sampler=None, **changes):
        """A scheduler of `config`: a dict, a diffusers config, or an object that has one. `sampler`: another class of diffusers or another
        of fresco's names than it states; keys that the config states go over, as in diffusers. `changes`: keys to set."""
        stated = _stated(config)
        stated.update(changes)
        if sampler is not None:
            known = {entry["name"]: entry for entry in samplers()}
            classes = [entry["class_name"] for entry in known.values()]
            name = getattr(sampler, "__name__", sampler)
            _checks.word("sampler", name, [*known, *dict.fromkeys(classes)])
            made = cls()
            if name in known:
                made.name = name
            else:
                stated["_class_name"] = name
        else:
            made = cls()
        made._config = stated
        return made

    @property
    def config(self):
        """The config that steps are taken by, as a dict that diffusers' from_config() takes too."""
        if self._config is not None:
            return dict(self._config)
        config = dict(self._model)
        # What diffusers' pipelines change in the scheduler that they are built with.
        if "steps_offset" in config:
            config["steps_offset"] = 1
        if "clip_sample" in config:
            config["clip_sample"] = False
        if self.name:
            config["_class_name"] = next(entry["class_name"] for entry in samplers() if entry["name"] == self.name)
        return config

    def _ask(self, request):
        request.sampler, request.schedule, request.squeeze = self.name, self.schedule, self.squeeze
        if self._config is not None:
            request.set_scheduler(_checks.json_text("scheduler", self._config))

    def __repr__(self):
        name = self.name or (self._config or self._model).get("_class_name", "")
        extra = "".join(f", {key}={value!r}" for key, value in (("schedule", self.schedule), ("squeeze", self.squeeze)) if value)
        return f"Scheduler({name!r}{extra})"


def _stated(config):
    """Keys of a config that somebody stated: diffusers notes those that are its class's defaults."""
    owner = config
    if isinstance(config, Scheduler):
        config = config.config
    elif not isinstance(config, Mapping) and isinstance(getattr(config, "config", None), Mapping):
        config = config.config
    if not isinstance(config, Mapping):
        raise wrong_type("config", "a scheduler's config", owner)
    defaults = config.get("_use_default_values") or []
    if not all(isinstance(key, str) for key in config):
        raise expected("config", "keys that are str", "others")
    return {key: value for key, value in config.items() if key not in defaults and key != "_use_default_values"}


def chosen(value, own=None):
    """A Scheduler of whatever was assigned. `own`: the model's, whose config a mere name is laid over."""
    if isinstance(value, Scheduler):
        if own is None or value._config is not None or value._model:
            return value
        made = Scheduler(value.name, schedule=value.schedule, squeeze=value.squeeze)
        made._model = own._model
        return made
    if isinstance(value, str):
        return chosen(Scheduler(value), own)
    if isinstance(value, Mapping):
        return Scheduler.from_config(value)
    if isinstance(getattr(value, "config", None), Mapping):
        # Every key is taken as the object has it, whoever stated it.
        made = Scheduler()
        made._config = {key: one for key, one in value.config.items() if key != "_use_default_values"}
        made._config["_class_name"] = type(value).__name__
        return made
    raise wrong_type("scheduler", WANTED, value)


def own_scheduler(model):
    """What the model was published with."""
    made = Scheduler(model.defaults["sampler"])
    made._model = json.loads(model.scheduler_config)
    return made
