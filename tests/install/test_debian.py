"""The Debian package in a fresh root, by the second stage of the Dockerfile: it installs with apt, draws as that stage's user, and leaves
nothing behind when it is purged. Needs root, debootstrap and a Debian mirror: the first of this machine's apt sources. FRESCO_BUILD names the build folder;
FRESCO_FRESH_ROOT a root that debootstrap made before, which is copied (making one takes some minutes)."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FRESCO_BUILD", ROOT / "build/release"))
LARGEST = 200e6  # bytes of the package: documents say about 120 MB
NEEDED = ("debootstrap", "cpack", "dpkg-shlibdeps", "chroot", "unshare")
# Debian's own archive takes no zstd; a package for oneself has no bug to close and a maintainer without a mail address.
NOT_FOR_US = "malformed-deb-archive,bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs,maintscript-calls-ldconfig"


def run(*words, timeout=1800):
    """-> its standard output; an AssertionError with everything it said otherwise."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"{words} ended with {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


def reason_to_skip():
    if os.geteuid() != 0:
        return "installing into a fresh root needs root"
    absent = [name for name in NEEDED if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if "FRESCO_CUDA:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text(encoding="utf-8"):
        return "the package is for builds without FRESCO_CUDA"
    return None


def fresh_root(folder):
    made = os.environ.get("FRESCO_FRESH_ROOT")
    if made:
        run("cp", "-a", made, folder)
        return
    sites = run("apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages", "Component: main").split("\n")
    site, codename = next((line.split() for line in sites if "debian" in line and "security" not in line), (None, None))
    if site is None:
        raise unittest.SkipTest("no Debian mirror among apt's sources")
    run("debootstrap", "--variant=minbase", codename, folder, site)


def last_stage():
    """Instruction -> argument of the Dockerfile's last stage, each of which stands there once; lines joined, mounts left out."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    stage = re.split(r"^FROM .*$", text, flags=re.M)[-1]
    found = dict(line.split(maxsplit=1) for line in stage.splitlines() if line)
    found["RUN"] = re.sub(r"^--mount=\S+ ", "", found["RUN"])
    return found


class DebianPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = reason_to_skip()
        if reason:
            raise unittest.SkipTest(reason)
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="fresco-debian-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder / "pack")
        cls.package = next((cls.folder / "pack").glob("fresco_*.deb"))
        shutil.rmtree(cls.folder / "pack/_CPack_Packages")
        cls.root = cls.folder / "root"
        fresh_root(cls.root)
        (cls.root / "package").mkdir()
        shutil.copy(cls.package, cls.root / "package")
        shutil.copy("/etc/resolv.conf", cls.root / "etc/resolv.conf")

    def inside(self, *words):
        """A process of its own mount space: /proc goes with it."""
        script = f'mount -t proc proc "{self.root}/proc" && exec chroot "{self.root}" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp DEBIAN_FRONTEND=noninteractive "$@"'
        return run("unshare", "--mount", "sh", "-c", script, "sh", *words)

    def files(self):
        """Everything in the root but what apt and dpkg keep about themselves."""
        own = ("proc", "package", "var/lib/apt", "var/lib/dpkg", "var/cache", "var/log", "tmp")
        found = {str(path.relative_to(self.root)) for path in self.root.rglob("*")}
        return {name for name in found if not name.startswith(own)}

    def test_installs_draws_and_goes(self):
        self.assertLess(self.package.stat().st_size, LARGEST)
        stage = last_stage()
        before = self.files()
        self.inside("sh", "-euc", stage["RUN"])
        program = " ".join(json.loads(stage["ENTRYPOINT"]))
        told = self.inside(program, "--version")
        self.assertIn("libtorch", told)
        self.inside("su", stage["USER"], "-s", "/bin/sh", "-c", f'cd {stage["WORKDIR"]} && {program} draw "a red circle" --out circle.png')
        picture = (self.root / stage["WORKDIR"].lstrip("/") / "circle.png").read_bytes()
        self.assertEqual(picture[:4], b"\x89PNG")
        loaded = self.inside("sh", "-c", "ldd /usr/lib/fresco/fresco")
        self.assertIn("/usr/lib/fresco/libtorch_cpu.so", loaded)
        self.assertNotIn("not found", loaded)

        self.inside("userdel", "--remove", stage["USER"])
        self.inside("apt-get", "purge", "-y", "--autoremove", "fresco", "ca-certificates")
        left = self.files() - before
        self.assertEqual({name for name in left if "fresco" in name}, set())
        self.assertEqual({name for name in left if name.startswith("usr/")}, set())

    def test_contains_the_terms_of_what_it_carries(self):
        listed = run("dpkg-deb", "-c", self.package)
        for part in ("copyright", "torch/LICENSE", "torch/NOTICE", "nvidia_cuda_runtime/", "nvidia_cuda_cupti/", "LICENSE.clip-vocabulary"):
            self.assertIn(f"./usr/share/doc/fresco/{part}", listed)

    def test_pleases_lintian(self):
        if shutil.which("lintian") is None:
            self.skipTest("lintian is not installed")
        run("lintian", "--allow-root", "--fail-on", "error,warning", "--suppress-tags", NOT_FOR_US, self.package)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv)
