#!/usr/bin/env python3
"""sdk.guide: sdk/GUIDE.md, block by block, with an SDK that is installed into a folder of its own.

A block behind `<!-- of: FILE -->` is a piece of that file of sdk/template; a block of sh is run, one behind the other, in
an empty folder, where nothing but what was installed is found. Then the template is built with every warning an error
by both compilers, with nothing but pkg-config.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["FILMGATE_BUILD"]
LIBDIR = os.environ["FILMGATE_LIBDIR"]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wpedantic"]
TIMEOUT_S = 240
INSTALLS = "cmake --install build/sdk"


def read(path):
    with open(os.path.join(TREE, path), encoding="utf-8") as file:
        return file.read()


def blocks():
    """(file or None, language, text) of each block."""
    found = re.findall(r"(?:<!-- of: (\S+) -->\n)?```(\w+)\n(.*?)```", read("sdk/GUIDE.md"), re.S)
    assert len(found) >= 9, found
    return found


class Guide(unittest.TestCase):
    out = ""

    @classmethod
    def setUpClass(cls):
        # pylint: disable=consider-using-with
        cls.folder = tempfile.TemporaryDirectory(prefix="filmgate-sdk.")
        cls.prefix = os.path.join(cls.folder.name, "filmgate")
        installed = cls.install()
        cls.env = {**os.environ, "PATH": installed["PATH"], "CMAKE_PREFIX_PATH": installed["CMAKE_PREFIX_PATH"],
                   "CMAKE_GENERATOR": "Ninja", "PKG_CONFIG_PATH": installed["PKG_CONFIG_PATH"], "CC": "gcc"}

    @classmethod
    def install(cls):
        """The blocks that install, but for configuring and building: that is done. The environment that they leave."""
        installing = [text for _, language, text in blocks() if language == "sh" and INSTALLS in text]
        lines = "".join(installing).splitlines()
        done = [line for line in lines if line.startswith(("cmake -S", "cmake --build"))]
        assert len(installing) == 2 and len(done) == 3, lines
        # What is installed was also built.
        built = {word for line in done for word in line.partition("--target ")[2].split()}
        assert built == {"filmgate", "filmgate-plugin", "filmgated"}, built
        script = "\n".join(line for line in lines if line not in done).replace("build/sdk", f"'{BUILD}'") + "\nenv -0 >&3\n"
        out = os.path.join(cls.folder.name, "environment")
        subprocess.run(["bash", "-euo", "pipefail", "-c", f"exec 3>'{out}'\n{script}"], check=True, timeout=TIMEOUT_S,
                       env={**os.environ, "HOME": cls.folder.name}, stdout=subprocess.DEVNULL)
        with open(out, encoding="utf-8") as file:
            return dict(entry.split("=", 1) for entry in file.read().split("\0") if entry)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_in(self, folder, *command):
        done = subprocess.run(command, cwd=folder, env=self.env, check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}")
        return done.stdout

    def test_every_piece_is_in_its_file(self):
        pieces = [(file, text) for file, language, text in blocks() if language != "sh"]
        self.assertGreaterEqual(len(pieces), 5)
        for file, text in pieces:
            self.assertTrue(file, f"this block says not of which file it is:\n{text}")
            self.assertIn(text, read(f"sdk/template/{file}"))

    def run_commands(self):
        """Once, whichever test comes first."""
        folder = os.path.join(self.folder.name, "author")
        if not os.path.isdir(folder):
            os.makedirs(folder)
            script = "".join(text for _, language, text in blocks() if language == "sh" and INSTALLS not in text)
            type(self).out = self.run_in(folder, "bash", "-euo", "pipefail", "-c", script)
        return os.path.join(folder, "kling")

    def test_every_command_works(self):
        self.run_commands()
        out = self.out
        self.assertRegex(out, r"ok +replay +7 recorded steps")
        self.assertRegex(out, r"kling: 7 checks, 0 failed")
        self.assertIn("secrets    api_key (required)", out)
        # The daemon has loaded it, and has nothing to say against it.
        self.assertIn("filmgated.conf: no errors", out)
        self.assertNotIn("warning", out)
        self.assertTrue(os.path.exists(os.path.join(self.prefix, LIBDIR, "filmgate", "providers", "kling.so")))
        self.assertTrue(os.path.exists(os.path.join(self.prefix, "sbin", "filmgated")))
        self.assertTrue(os.path.exists(os.path.join(self.prefix, "include", "filmgate", "provider.h")))

    def test_the_template_has_no_warnings_in_either_compiler(self):
        for compiler in ("gcc", "clang"):
            folder = os.path.join(self.folder.name, compiler)
            os.makedirs(folder)
            self.run_in(folder, "filmgate", "plugin", "new", "mine")
            self.run_in(folder, "sh", "-ec", "filmgate plugin embed mine/manifest.json > fg_manifest.h; "
                        f"{compiler} {' '.join(STRICT)} -I. $(pkg-config --cflags filmgate) mine/provider.c "
                        "$(pkg-config --libs filmgate) -o mine.so")
            self.run_in(folder, "filmgate", "plugin", "check", "--seconds", "1", "--replay", "mine/recordings", "mine.so")

    def test_a_manifest_beside_the_source_is_refused(self):
        folder = os.path.join(self.folder.name, "frozen")
        os.makedirs(folder)
        self.run_in(folder, "filmgate", "plugin", "new", "mine")
        frozen = os.path.join(folder, "mine", "fg_manifest.h")
        self.run_in(folder, "sh", "-ec", f"filmgate plugin embed mine/manifest.json > '{frozen}'")
        configure = ["cmake", "-S", "mine", "-B", "build"]
        done = subprocess.run(configure, cwd=folder, env=self.env, check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertIn("mine/fg_manifest.h lies beside provider.c", " ".join(done.stdout.split()))
        os.unlink(frozen)
        self.run_in(folder, *configure)

    def test_both_ways_to_embed_a_manifest_give_the_same(self):
        folder = self.run_commands()
        headers = [os.path.join(folder, "embedded", "fg_manifest.h"), os.path.join(folder, "build", "kling.manifest", "fg_manifest.h")]
        bytes_of = []
        for path in headers:
            with open(path, encoding="utf-8") as file:
                bytes_of.append("".join(re.findall(r"'\\x(..)'", file.read())))
        self.assertEqual(bytes_of[0], bytes_of[1])
        self.assertEqual(json.loads(bytes.fromhex(bytes_of[0]))["name"], "kling")


if __name__ == "__main__":
    sys.exit(unittest.main())
