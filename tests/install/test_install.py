"""What `cmake --install` writes: a program that draws, and a package that another project finds. FRESCO_BUILD names the build folder."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FRESCO_BUILD", ROOT / "build/release"))
USER = pathlib.Path(__file__).resolve().parent / "user"
FLAGS = os.environ.get("FRESCO_FLAGS", "")
QUICK = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
for name in ("FRESCO_MODEL", "FRESCO_TORCH_DIR", "GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "CMAKE_PREFIX_PATH"):
    QUICK.pop(name, None)


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, env=QUICK, **options)


def setUpModule():
    """Installed in one place and moved to another: nothing in it may know where it lies."""
    global FOLDER, PREFIX
    FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="fresco-install-"))
    unittest.addModuleCleanup(shutil.rmtree, FOLDER, ignore_errors=True)
    done = run("cmake", "--install", BUILD, "--prefix", FOLDER / "first")
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    PREFIX = (FOLDER / "first").rename(FOLDER / "moved")


class Program(unittest.TestCase):
    def test_draws_with_the_model_beside_it(self):
        done = run(PREFIX / "bin/fresco", "draw", "a red circle", "--steps", "2", "--seed", "1", "--out", "circle.png", cwd=FOLDER)
        self.assertEqual(done.returncode, 0, done.stderr)
        told = run(PREFIX / "bin/fresco", "inspect").stdout
        self.assertIn(str(PREFIX / "share/fresco/models/starter-128"), told)
        self.assertEqual((FOLDER / "circle.png").read_bytes()[:4], b"\x89PNG")

    def test_licences_lie_beside_it(self):
        for name in ("LICENSE", "NOTICE", "THIRD_PARTY.md", "LICENSE.clip-vocabulary"):
            self.assertTrue((PREFIX / "share/doc/fresco" / name).exists(), name)

    def test_has_a_manual_page_of_its_version(self):
        page = (PREFIX / "share/man/man1/fresco.1").read_text(encoding="utf-8")
        self.assertIn(run(PREFIX / "bin/fresco", "--version").stdout.splitlines()[0], page)

    def test_looks_for_libtorch_beside_itself_first(self):
        program = next(PREFIX.glob("lib/**/fresco/fresco"))
        self.assertRegex(run("readelf", "-d", program).stdout, r"R(UN)?PATH.*\[\$ORIGIN:")

    def test_runs_from_a_link_and_takes_what_the_environment_says(self):
        (FOLDER / "a link").symlink_to(PREFIX / "bin/fresco")
        done = run(FOLDER / "a link", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        program = next(PREFIX.glob("lib/**/fresco/fresco"))
        program.rename(FOLDER / "real")
        program.write_text('#!/bin/sh\necho "$GOMP_SPINCOUNT $1"\n', encoding="utf-8")
        program.chmod(0o755)
        try:
            self.assertEqual(run(PREFIX / "bin/fresco", "two words").stdout, "1000 two words\n")
            told = subprocess.run([PREFIX / "bin/fresco", "x"], capture_output=True, text=True, env={**QUICK, "GOMP_SPINCOUNT": "7"})
            self.assertEqual(told.stdout, "7 x\n")
        finally:
            (FOLDER / "real").replace(program)


class Headers(unittest.TestCase):
    def test_include_only_what_is_installed(self):
        headers = [path for path in (PREFIX / "include").rglob("*") if path.is_file()]
        self.assertIn(PREFIX / "include/fresco/fresco.h", headers)
        for header in headers:
            for name in re.findall(r'^#include "([^"]+)"', header.read_text(encoding="utf-8"), re.M):
                self.assertIn(PREFIX / "include" / name, headers, f"{header} includes {name}")

    def test_of_the_front_door_need_no_libtorch(self):
        seen, pending = set(), ["fresco/fresco.h"]
        while pending:
            name = pending.pop()
            text = (PREFIX / "include" / name).read_text(encoding="utf-8")
            self.assertNotRegex(text, r"#include <(ATen|c10|torch)/", name)
            seen.add(name)
            pending += [word for word in re.findall(r'^#include "([^"]+)"', text, re.M) if word not in seen]


class Package(unittest.TestCase):
    def configure(self, name, *options, prefix=None):
        return run("cmake", "-S", USER, "-B", FOLDER / name, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                   f"-DCMAKE_CXX_FLAGS={FLAGS}", f"-DCMAKE_PREFIX_PATH={prefix or PREFIX}", *options)

    def test_serves_a_project_that_knows_nothing_else(self):
        done = self.configure("user")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = run("cmake", "--build", FOLDER / "user")
        self.assertEqual(done.returncode, 0, done.stdout)
        done = run(FOLDER / "user/stranger", PREFIX / "share/fresco/models/starter-128", "star.png", cwd=FOLDER)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        version = re.search(r"project\(fresco VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
        self.assertEqual(done.stdout, f"{version} drew 1 picture\n")
        self.assertTrue((FOLDER / "star.png").exists())

    def test_names_everything_that_is_absent_at_once(self):
        done = self.configure("absent", "-DCMAKE_DISABLE_FIND_PACKAGE_PNG=ON", "-DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON",
                              "-DFRESCO_TORCH_DIR=/no/such/place")
        self.assertNotEqual(done.returncode, 0)
        words = " ".join(done.stderr.split())
        self.assertIn(f"fresco lies in {PREFIX}, but it cannot be linked", words)
        self.assertIn("PNG is missing: on Debian apt-get install libpng-dev", words)
        self.assertIn("CURL is missing: on Debian apt-get install libcurl4-openssl-dev", words)
        self.assertIn("libtorch is missing in /no/such/place: set FRESCO_TORCH_DIR", words)

    def test_refuses_another_version_of_libtorch(self):
        other = FOLDER / "other"
        for name, text in (("lib/libtorch_cpu.so", ""), ("lib/libc10.so", ""), ("include/ATen/ATen.h", ""),
                           ("include/torch/headeronly/version.h", '#define TORCH_VERSION \\\n  "1.2.3"\n')):
            (other / name).parent.mkdir(parents=True, exist_ok=True)
            (other / name).write_text(text)
        done = self.configure("other-build", f"-DFRESCO_TORCH_DIR={other}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is 1.2.3, but this fresco was built with", " ".join(done.stderr.split()))

    def test_refuses_another_version_of_fresco(self):
        text = (USER / "CMakeLists.txt").read_text(encoding="utf-8").replace("fresco REQUIRED", "fresco 9.0 REQUIRED")
        (FOLDER / "newer").mkdir()
        (FOLDER / "newer/CMakeLists.txt").write_text(text)
        done = run("cmake", "-S", FOLDER / "newer", "-B", FOLDER / "newer-build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={PREFIX}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("requested version", done.stderr)


class SourceTree(unittest.TestCase):
    def test_is_a_part_of_another_project(self):
        """Configured only: it is the same build as this one."""
        (FOLDER / "parent").mkdir()
        (FOLDER / "parent/CMakeLists.txt").write_text(
            f'cmake_minimum_required(VERSION 3.25)\nproject(parent LANGUAGES CXX ASM)\nadd_subdirectory("{ROOT}" fresco)\n'
            f'add_executable(child "{USER}/main.cpp")\ntarget_link_libraries(child PRIVATE fresco::fresco)\n')
        torch = re.search(r"FRESCO_TORCH_DIR:PATH=(.*)", (BUILD / "CMakeCache.txt").read_text(encoding="utf-8")).group(1)
        done = run("cmake", "-S", FOLDER / "parent", "-B", FOLDER / "parent-build", "-G", "Ninja", f"-DFRESCO_TORCH_DIR={torch}")
        self.assertEqual(done.returncode, 0, done.stderr)
        targets = run("ninja", "-C", FOLDER / "parent-build", "-t", "targets", "all").stdout
        self.assertNotIn("test_", targets)
        self.assertIn("fresco_cli", targets)


if __name__ == "__main__":
    unittest.main()
