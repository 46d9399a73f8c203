#!/usr/bin/env python3
"""The messages of docs/troubleshooting.md are those that the program and the scripts say: every fixed part of each, between the
parts that vary, stands in a text of their sources. Prints one line a finding and ends with 1 when there is any."""
import re
import sys

import pages

PAGE = pages.ROOT / "docs/troubleshooting.md"
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# Where one text of the sources ends and another may begin: variable parts, the halves of expected_got, the place in front.
SEAM = re.compile(r'\.\.\.|\{[^}]*\}|\bexpected\b|, got\b|[;:](?= )|"')


def texts():
    """What the sources may say, a line for each literal, pieces that stand side by side joined."""
    said = []
    for source in [*(pages.ROOT / "src").rglob("*.cpp"), *(pages.ROOT / "src").rglob("*.h"), *(pages.ROOT / "apps").rglob("*.cpp")]:
        joined = re.sub(r'"\s*\n\s*"', "", source.read_text(encoding="utf-8", errors="replace"))
        said += [match[1].replace('\\"', '"') for match in LITERAL.finditer(joined)]
    said += [script.read_text(encoding="utf-8") for script in (pages.ROOT / "scripts").glob("*.sh")]
    return "\n".join(said)


def messages():
    """(line, message) of the first cells of tables headed `message`."""
    inside = False
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        inside = line.startswith("| message |") or (inside and line.startswith("|"))
        if inside:
            for message in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
                yield number, message


def main():
    said = texts()
    found, count = [], 0
    for number, message in messages():
        count += 1
        for part in SEAM.split(message):
            part = part.strip(" ;:,")
            if len(part) > 3 and part not in said:
                found.append(f"{PAGE.name}:{number}: no source says: {part}")
    for finding in found:
        print(finding)
    print(f"messages: {count}, {len(found)} findings")
    return 1 if found or count < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
