"""What fresco raises: the program's errors, with the same line."""


class Error(Exception):
    """Every failure that is not a mistake in fresco itself. The text is one line; `where` is what it is about (an argument, an option of the
    program, a file)."""

    def __init__(self, message="", where=""):
        super().__init__(message)
        self.where = where


class InputError(Error, ValueError):
    """A value that will not do: it says which, what was expected and what came. The program ends with 2."""


class InputTypeError(InputError, TypeError):
    """An argument of another type than the call takes."""


class FormatError(Error, ValueError):
    """A file that is not what it claims to be. The program ends with 3."""


class ResourceError(Error, RuntimeError):
    """Memory, disk, network or device. The program ends with 4."""


class Interrupted(Error):
    """The work was asked to stop. Ctrl-C raises KeyboardInterrupt."""


def expected(where, wanted, got):
    return InputError(f"{where}: expected {wanted}, got {got}", where)


def wrong_type(where, wanted, got):
    return InputTypeError(f"{where}: expected {wanted}, got {type(got).__name__}", where)


# What the library calls an argument of Pipeline's call that the program has no option for, or whose shape is at fault.
_ARGUMENTS = {"noise": "latents", "init_values": "image", "--mask": "mask_image", "generators": "generator", "negatives": "negative_prompt",
              "on_row": "callback_on_step_end", "PROMPT": "prompt"}


def by_argument(error):
    """The error of a call, with the name of the call's argument in front."""
    if error.where not in _ARGUMENTS:
        return error
    argument = _ARGUMENTS[error.where]
    return type(error)(argument + str(error)[len(error.where):].replace("--init", "image"), argument)
