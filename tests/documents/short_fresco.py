#!/usr/bin/env python3
"""`./fresco` as run_documents.py runs it: the program in FRESCO_PROGRAM with fewer steps, pictures and samples, so that what a
page shows ends in a second. Recipes that come with fresco are checked, not trained."""
import os
import sys


def limit(arguments, option, most):
    """The option with at most this value, added where it is missing."""
    if option not in arguments:
        arguments += [option, str(most)]
        return
    place = arguments.index(option) + 1
    values = arguments[place].split(",") if place < len(arguments) else []
    if values and all(value.isdigit() for value in values):
        arguments[place] = ",".join(str(min(int(value), most)) for value in values)


def shortened(arguments):
    command, rest = arguments[0], list(arguments[1:])
    given = set(rest)
    if "--help" in given:
        return arguments
    if command == "draw" and not given & {"--like", "--squeeze"}:
        limit(rest, "--steps", 2)
    elif command == "compare":
        limit(rest, "--steps", 1)
        if not given & {"--prompt", "--prompts"}:
            rest += ["--prompt", "a red ring"]
    elif command == "calibrate":
        limit(rest, "--steps", 1)
    elif command == "data" and "--resolution" in given:
        limit(rest, "--resolution", 128)
    elif command == "data" and rest[:1] == ["shapes"]:
        limit(rest, "--count", 20)
        if "--shards" in given:
            limit(rest, "--shards", 10)
    elif command == "evaluate" and rest[:1] == ["shapes"]:
        for option, most in (("--count", 2), ("--held-out", 1), ("--steps", 1)):
            limit(rest, option, most)
    elif command == "train" and rest[0].startswith("recipes/"):
        rest.append("--check")
    return [command, *rest]


if __name__ == "__main__":
    program = os.environ["FRESCO_PROGRAM"]
    os.execv(program, [program, *(shortened(sys.argv[1:]) if len(sys.argv) > 1 else [])])
