"""The project's pages, and the blocks of code in them."""
import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "src/fresco/README.md", "models/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))

# <!-- not run: REASON --> before a block, or <!-- not run, with WORD: REASON --> for the lines of it that hold the word.
MARKER = re.compile(r"^<!-- not run(?:, with (.+?))?: (.+?) -->$")
# What an indented block begins with when it is one of commands; fenced ones tell.
COMMAND = re.compile(r"^(?:\./|\w+=\S+ \./|#SBATCH|(?:fresco|for|export|cmake|ninja|pip|python3?|apt-get|dpkg|docker|sudo|torchrun|srun"
                     r"|git|cd|(?:scripts|benchmarks|build|\.deps)/\S+) )|^(?:scripts|benchmarks)/\S+$")


@dataclasses.dataclass
class Block:
    page: pathlib.Path
    line: int  # of the first line of code, from 1
    language: str
    code: list
    marks: list  # (word or "", reason)

    @property
    def place(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def is_commands(self):
        return self.language in ("sh", "bash")

    def reason_not_to_run(self, line):
        if line.startswith("./check"):
            return "the tests themselves"
        return next((reason for word, reason in self.marks if not word or word in line), None)


def fenced(lines, at):
    """Language, code and the line behind the block whose fence stands at this line."""
    fence = re.match(r"^(`{3,})(\w*)", lines[at])
    end = next((k for k in range(at + 1, len(lines)) if lines[k].startswith(fence[1])), len(lines))
    return fence[2], lines[at + 1 : end], end + 1


def indented(lines, at):
    end = at
    while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    code = [line[4:] for line in lines[at:end]]
    return "sh" if COMMAND.match(code[0]) else "", code, end


def blocks_of(page):
    lines = page.read_text(encoding="utf-8").splitlines()
    at, marks = 0, []
    while at < len(lines):
        line = lines[at]
        is_fence = line.startswith("```")
        if is_fence or (line.startswith("    ") and line.strip() and (at == 0 or not lines[at - 1].strip())):
            language, code, end = (fenced if is_fence else indented)(lines, at)
            yield Block(page, at + 1 + is_fence, language, code, marks)
            at, marks = end, []
            continue
        if mark := MARKER.match(line):
            marks.append((mark[1] or "", mark[2]))
        elif line.strip():
            marks = []
        at += 1
