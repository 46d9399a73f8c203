"""A hook of mkdocs: lays the site out as the repository is, so that the links between its pages hold in both.

mkdocs knows the files of one folder; links from there to ../models/README.md or ../src/fresco/core/error.h lead nowhere.
Here every file has its path from the root as its name. README.md is the first page, those of docs/ stand beside it, and
what pages link to comes along: other pages and pictures as they are, sources and notebooks as pages that show them,
folders as lists of what is in them.
"""
import json
import os
import pathlib
import posixpath
import re

from mkdocs.structure.files import File, Files, InclusionLevel

LINK = re.compile(r"(\]\(<?)([^)\s#>]+)((?:#[^)\s]*)?>?\))")
ASSETS = {".png", ".jpg", ".webp", ".svg"}
LANGUAGES = {".h": "cpp", ".cpp": "cpp", ".py": "python", ".pyi": "python", ".yaml": "yaml", ".yml": "yaml", ".json": "json",
             ".sh": "sh", ".cmake": "cmake", ".toml": "toml"}
SHOWN = {*LANGUAGES, ".txt"}  # in folders
LONGEST_SHOWN = 60_000  # bytes of a source


def name_in_site(path, root):
    """The name under which the site knows a file or folder of the repository, from the root."""
    relative = path.relative_to(root).as_posix()
    if path.is_dir():
        return f"{relative}/README.md" if (path / "README.md").exists() else f"{relative}/index.md"
    return relative if path.suffix == ".md" or path.suffix in ASSETS else f"{relative}.md"


def linked_path(folder, link, root):
    """What a link in a page of this folder leads to, when it is a file or folder of the repository."""
    if re.match(r"^(?:[a-z]+:|/)", link):
        return None
    path = pathlib.Path(os.path.normpath(folder / link))
    return path if path.exists() and path.is_relative_to(root) and path != root else None


def links_of(page, root):
    text = page.read_text(encoding="utf-8")
    return [path for match in LINK.finditer(text) if (path := linked_path(page.parent, match[2], root))]


def joined(lines):
    return lines if isinstance(lines, str) else "".join(lines)


def notebook_page(path):
    """Its cells one below the other, with what they printed and drew, where that is kept in it."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = joined(cell["source"])
        parts.append(f"````python\n{text}\n````" if cell["cell_type"] == "code" else text)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if picture := data.get("image/png"):
                parts.append(f"![drawn by the cell above](data:image/png;base64,{''.join(joined(picture).split())})")
            elif printed := output.get("text") or data.get("text/plain"):
                parts.append(f"````text\n{joined(printed)}\n````")
    return "\n\n".join(parts) + "\n"


def source_page(path, root):
    if path.suffix == ".ipynb":
        return notebook_page(path)
    text = path.read_text(encoding="utf-8", errors="replace")
    if len(text) > LONGEST_SHOWN:
        text = text[:LONGEST_SHOWN] + "\n... (the rest is in the file)\n"
    name = path.relative_to(root).as_posix()
    fence = "`" * 8
    return (f"---\ntitle: {path.name}\nsearch:\n  exclude: true\nhide: [toc, navigation, footer]\n---\n\n# {name}\n\n"
            f"{fence}{'cmake' if path.name == 'CMakeLists.txt' else LANGUAGES.get(path.suffix, 'text')}\n{text}\n{fence}\n")


def folder_page(path, root, shown):
    name = path.relative_to(root).as_posix()
    lines = [f"---\ntitle: {name}\nsearch:\n  exclude: true\nhide: [toc, navigation, footer]\n---\n\n# {name}\n"]
    for entry in sorted(path.iterdir()):
        if entry.name.startswith((".", "__")):
            continue
        label = entry.name + ("/" if entry.is_dir() else "")
        lines.append(f"- [{label}]({posixpath.relpath(name_in_site(entry, root), name)})" if entry in shown else f"- {label}")
    return "\n".join(lines) + "\n"


def sources_in(folder):
    """What a list of the folder leads to."""
    return [path for path in folder.rglob("*") if (path.is_dir() or path.suffix in SHOWN) and not path.name.startswith((".", "__"))
            and "__pycache__" not in path.parts]


def reachable(first, root):
    """Everything that the pages, and the pages they lead to, link to."""
    found, waiting = set(first), list(first)
    while waiting:
        for path in links_of(waiting.pop(), root):
            target = path / "README.md" if path.is_dir() and (path / "README.md").exists() else path
            if target not in found:
                found.add(target)
                found.update(sources_in(target) if target.is_dir() else [])
                waiting += [target] if target.suffix in (".md", ".ipynb") else []
    return found


def file_of(path, root, config, shown):
    name = name_in_site(path, root)
    if path.is_dir():
        return File.generated(config, name, content=folder_page(path, root, shown), inclusion=InclusionLevel.NOT_IN_NAV)
    if name != path.relative_to(root).as_posix():
        return File.generated(config, name, content=source_page(path, root), inclusion=InclusionLevel.NOT_IN_NAV)
    # Every page of docs/ belongs into the navigation; the site does not build when one is forgotten.
    inclusion = InclusionLevel.UNDEFINED if name.startswith("docs/") else InclusionLevel.NOT_IN_NAV
    file = File(name, str(root), config.site_dir, config.use_directory_urls, inclusion=inclusion)
    if name.startswith("docs/"):
        file.dest_uri = file.dest_uri.removeprefix("docs/")
    return file


def on_config(config):
    build = pathlib.Path(config.config_file_path).with_name("CMakeLists.txt").read_text(encoding="utf-8")
    version = re.search(r"^project\(fresco VERSION ([\d.]+)", build, re.M)[1]
    config.copyright = f"fresco {version}, {config.copyright}"
    return config


def on_files(files, config):
    root = pathlib.Path(config.config_file_path).parent.resolve()
    docs = pathlib.Path(config.docs_dir).resolve()
    shown = reachable([root / "README.md", *sorted(docs.glob("*.md"))], root)
    of_theme = [file for file in files if file.src_dir is None or pathlib.Path(file.src_dir).resolve() != docs]
    return Files([*of_theme, *(file_of(path, root, config, shown) for path in sorted(shown))])


def on_page_markdown(markdown, page, config, files):
    """Links to sources and folders go to the pages that show them."""
    root = pathlib.Path(config.config_file_path).parent.resolve()
    folder = (root / page.file.src_uri).parent

    def rewritten(match):
        path = linked_path(folder, match[2], root)
        if path is None:
            return match[0]
        return match[1] + posixpath.relpath(name_in_site(path, root), posixpath.dirname(page.file.src_uri) or ".") + match[3]

    shows_source = page.file.generated_by and not page.file.src_uri.endswith(".ipynb.md")
    return markdown if shows_source else LINK.sub(rewritten, markdown)


def on_post_build(config):
    """What only a server at a known address would want, and would look broken from the disk."""
    for name in ("404.html", "sitemap.xml", "sitemap.xml.gz"):
        (pathlib.Path(config.site_dir) / name).unlink(missing_ok=True)


def on_page_content(html, page, config, files):
    """Options and names stay on one line: browsers would break them behind a hyphen."""
    return re.sub(r"<code>([^<\s]{1,28})</code>", r'<code class="short">\1</code>', html)
