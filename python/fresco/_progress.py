"""Bars and warnings of a call, from what the library reports."""
import logging

logger = logging.getLogger("fresco")
# As diffusers' set_progress_bar_config(), for pipelines that have no own.
STAGES = {"load": "loading", "download": "downloading"}


class Watcher:
    """What the library tells while it works; bars are tqdm's, in notebooks their widgets."""

    def __init__(self, show=True, config=None):
        self._config = dict(config or {})
        self._show = show and not self._config.get("disable", False)
        self._bar = None
        self._what = None

    def _open(self, what, total, **style):
        if self._what == what:
            return
        self.close()
        from tqdm.auto import tqdm

        self._what = what
        self._bar = tqdm(total=total, **{**style, **self._config})

    def stage_start(self, name):
        pass

    def stage(self, name, seconds):
        pass

    def transfer(self, what, done, total):
        if not self._show or not total:
            return
        self._open(what, total, desc=STAGES.get(what, what), unit="B", unit_scale=True, leave=False)
        self._bar.update(done - self._bar.n)
        if done >= total:
            self.close()

    def step(self, index, of, seconds):
        if not self._show:
            return
        self._open("steps", of)
        self._bar.update(index - self._bar.n)
        if index == of:
            self.close()

    def warning(self, text):
        logger.warning("%s", text)

    def close(self):
        if self._bar is not None:
            self._bar.close()
        self._bar = self._what = None
