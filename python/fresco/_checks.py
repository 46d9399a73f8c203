"""Arguments of Python's calls checked for their type, by name; what values they may have, the library says."""
import json
import os

from ._errors import expected, wrong_type


def integer(where, value, low=-(2**31), high=2**31 - 1):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise wrong_type(where, "an integer", value)
    number = value.__index__()
    if not low <= number <= high:
        raise expected(where, f"an integer from {low} to {high}", number)
    return number


def number(where, value):
    if isinstance(value, (bool, str, bytes)) or not (hasattr(value, "__float__") or hasattr(value, "__index__")):
        raise wrong_type(where, "a number", value)
    try:
        return float(value)
    except Exception:
        raise wrong_type(where, "a number", value) from None


def text(where, value, wanted="a str"):
    if not isinstance(value, str):
        raise wrong_type(where, wanted, value)
    # The library refuses nothing here: lone surrogates count as one unknown character each.
    return value.encode("utf-8", "replace").decode("utf-8")


def word(where, value, known):
    if not isinstance(value, str):
        raise wrong_type(where, "one of " + ", ".join(known), value)
    if value not in known:
        raise expected(where, "one of " + ", ".join(known), repr(value[:40]))
    return value


def texts(where, value):
    """A list of str from a str or a list or tuple of them."""
    if isinstance(value, str):
        return [text(where, value)]
    if not isinstance(value, (list, tuple)):
        raise wrong_type(where, "a str or a list of them", value)
    return [text(f"{where}[{i}]", one) for i, one in enumerate(value)]


def path(where, value):
    if not isinstance(value, (str, os.PathLike)):
        raise wrong_type(where, "a hub id or the path of a folder or file", value)
    chosen = os.fspath(value)
    if not isinstance(chosen, str):
        raise wrong_type(where, "a hub id or the path of a folder or file", chosen)
    if "\0" in chosen:
        raise expected(where, "a path", "one with a zero byte")
    return text(where, chosen)


def json_text(where, value):
    """JSON of a scheduler's config, with keys of diffusers' own bookkeeping left out."""
    def plain(one):
        for method in ("tolist", "item"):  # numpy's and torch's numbers and arrays
            if hasattr(one, method):
                return getattr(one, method)()
        raise TypeError(type(one).__name__)

    try:
        return json.dumps(value, default=plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise expected(where, "what JSON can hold", error) from None
