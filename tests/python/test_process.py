#!/usr/bin/env python3
"""The module and its process: Ctrl-C, the interpreter's lock, one OpenMP runtime, imports that cannot work, stubs, documents."""
import ast
import inspect
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from support import ROOT, ModuleTest

import fresco


def python(code, **variables):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env={**os.environ, **variables})


class Interpreter(ModuleTest):
    def test_ctrl_c_ends_a_drawing_at_the_next_step(self):
        pipe, seen = self.starter(), []

        def note(pipe, step, timestep, tensors):
            seen.append(step)
            if step == 1:
                os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            self.draw(num_inference_steps=500, callback_on_step_end=note)
        self.assertLessEqual(len(seen), 3)
        self.assertEqual(self.draw().images.shape, (1, 128, 128, 3))
        del pipe

    def test_ctrl_c_while_no_python_runs(self):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            self.draw(num_inference_steps=1000)

    def test_another_thread_goes_on_while_one_draws(self):
        self.draw()
        ticks, over = [], threading.Event()

        def tick():
            while not over.is_set():
                ticks.append(time.monotonic())
                time.sleep(0.001)

        thread = threading.Thread(target=tick)
        thread.start()
        begin = time.monotonic()
        self.draw(num_inference_steps=8)
        end = time.monotonic()
        over.set()
        thread.join()
        # Were the lock held, no tick would fall inside but at its ends.
        self.assertGreater(sum(begin < at < end for at in ticks), 5)

    def test_draws_on_several_threads(self):
        expected = self.draw().images
        got = [None] * 3

        def work(k):
            got[k] = self.draw().images

        threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for images in got:
            self.assertLess(abs(images - expected).max(), 1e-4)

    def test_one_openmp_runtime(self):
        self.draw()
        maps = pathlib.Path("/proc/self/maps").read_text(encoding="utf-8")
        runtimes = {line.split()[-1] for line in maps.splitlines() if re.search(r"/lib(gomp|iomp5|omp)[-.\w]*\.so", line)}
        self.assertEqual(len(runtimes), 1, runtimes)
        self.assertIn(str(fresco._libraries.torch_folder().resolve()), {str(pathlib.Path(one).resolve()) for one in runtimes}.pop())


class Imports(ModuleTest):
    def test_no_torch(self):
        done = python("import sys; sys.path = [p for p in sys.path if not p or 'site-packages' not in p]\nimport fresco")
        self.assertNotEqual(done.returncode, 0)
        last = done.stderr.strip().splitlines()[-1]
        self.assertIn(f"ImportError: fresco needs torch {fresco._built_with.TORCH}", last)
        self.assertIn("pip install", last)

    def test_another_torch(self):
        with tempfile.TemporaryDirectory() as folder:
            other = pathlib.Path(folder, "torch")
            other.mkdir()
            (other / "__init__.py").write_text("raise SystemExit('must not be run')")
            (other / "version.py").write_text("__version__ = '1.13.1+cpu'\n")
            done = python("import fresco", PYTHONPATH=os.pathsep.join([folder, os.environ["PYTHONPATH"]]))
            last = done.stderr.strip().splitlines()[-1]
            self.assertIn(f"ImportError: fresco was built with torch {fresco._built_with.TORCH}, this environment has torch 1.13.1+cpu", last)
            (other / "version.py").write_text(f"__version__ = '{fresco._built_with.TORCH}'\n")
            done = python("import fresco", PYTHONPATH=os.pathsep.join([folder, os.environ["PYTHONPATH"]]))
            self.assertIn("ImportError: fresco cannot load libc10.so", done.stderr.strip().splitlines()[-1])


class Wheel(ModuleTest):
    def test_it_is_built_for_the_torch_of_its_environment_alone(self):
        find = str(ROOT / "cmake/find_torch.py")
        with tempfile.TemporaryDirectory() as folder:
            libraries = pathlib.Path(folder, "torch/lib")
            libraries.mkdir(parents=True)
            (libraries / "libtorch_cpu.so").touch()
            (libraries.parent / "__init__.py").touch()
            for version, status in (("2.11.0+cpu", 0), ("2.12.0", 1)):
                (libraries.parent / "version.py").write_text(f"__version__ = '{version}'\n")
                done = subprocess.run([sys.executable, find], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": folder})
                self.assertEqual(done.returncode, status, done.stderr)
                told = done.stderr if status else done.stdout
                self.assertEqual(len(told.splitlines()), 1)
                self.assertIn("pip install torch==2.11.0" if status else str(libraries.parent), told)

    def test_its_program_says_what_it_lacks(self):
        done = subprocess.run([sys.executable, "-m", "fresco_program", "--version"], capture_output=True, text=True)
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (4, 1), done.stderr)  # the build folder has no bin/
        self.assertIn("cannot be started", done.stderr)


class Stubs(ModuleTest):
    def test_they_name_what_the_extension_has(self):
        tree = ast.parse((ROOT / "python/fresco/_core.pyi").read_text(encoding="utf-8"))
        core = fresco._core
        told = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        self.assertEqual(told, {name for name in dir(core) if not name.startswith("__")})
        for node in tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            named = {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}
            named |= {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            has = {name for name in vars(getattr(core, node.name)) if not name.startswith("_")}
            self.assertEqual({name for name in named if not name.startswith("_")}, has, node.name)
            for name in named:
                self.assertTrue(hasattr(getattr(core, node.name), name), f"{node.name}.{name}")

    def test_they_say_what_the_package_s_calls_take(self):
        tree = ast.parse((ROOT / "python/fresco/__init__.pyi").read_text(encoding="utf-8"))
        told = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name != "_Part"}
        self.assertEqual(set(told), set(fresco.__all__))
        for name, node in told.items():
            if isinstance(node, ast.FunctionDef):
                self.same_arguments(node, getattr(fresco, name))
                continue
            methods = {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}
            own = {member for member in vars(getattr(fresco, name)) if not member.startswith("_")} - {"from_pretrained"}
            named = {member for member in methods if not member.startswith("_")} - {"from_pretrained"}
            self.assertEqual(own, named, name)
            for member, method in methods.items():
                if not method.decorator_list or member in ("from_pretrained", "from_config"):
                    self.same_arguments(method, getattr(getattr(fresco, name), member))

    def same_arguments(self, node, function):
        """Names, order, kinds and which have defaults."""
        told = node.args
        names = [one.arg for one in told.posonlyargs + told.args + told.kwonlyargs] + [one.arg for one in (told.vararg, told.kwarg) if one]
        parameters = list(inspect.signature(function).parameters.values())
        self.assertEqual([name for name in names if name not in ("self", "cls")], [one.name for one in parameters if one.name != "self"], node.name)
        defaults = len(told.defaults) + sum(one is not None for one in told.kw_defaults)
        self.assertEqual(defaults, sum(one.default is not inspect.Parameter.empty for one in parameters), node.name)

    def test_everything_public_is_explained(self):
        for name in fresco.__all__:
            entry = getattr(fresco, name)
            self.assertTrue(inspect.getdoc(entry), name)
            if inspect.isclass(entry) and not issubclass(entry, Exception):
                for member, value in vars(entry).items():
                    if not member.startswith("_") and (callable(value) or isinstance(value, (property, classmethod))):
                        self.assertTrue(inspect.getdoc(getattr(entry, member)), f"{name}.{member}")


if __name__ == "__main__":
    unittest.main()
