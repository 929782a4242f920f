#!/usr/bin/env python3
"""arch.headers: every header of ours compiles alone, with gcc and with clang.

The flags for foreign and generated headers are those of the build's own compile commands for the same room. The SDK's
headers must also be plain C99 (-pedantic, and -Wpadded, since no table of the ABI may hold padding) and C++11.
"""

import concurrent.futures
import json
import os
import shlex
import subprocess
import tempfile

from tree import Check

STRICT = ["-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Wstrict-prototypes", "-Werror"]
SDK = ["-fsyntax-only", "-Wall", "-Wextra", "-pedantic", "-Wpadded", "-Werror"]


def build_flags(build):
    """Folder of the tree -> the -I, -isystem and -D words of any of its compile commands."""
    flags = {}
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for entry in json.load(file):
            words = iter(shlex.split(entry["command"]))
            found = flags.setdefault(os.path.dirname(entry["file"]), {})
            for word in words:
                if word == "-isystem":
                    found[word, next(words)] = None
                elif word.startswith(("-I", "-D")):
                    found[word,] = None
    return flags


def room_flags(check, flags, path):
    """Those of the header's own folder, or of the nearest folder above that is compiled."""
    folder = os.path.join(check.tree, os.path.dirname(path))
    while folder not in flags and len(folder) > len(check.tree):
        folder = os.path.dirname(folder)
    return [word for words in flags.get(folder, {}) for word in words]


def commands(check, path, flags):
    if path.startswith("sdk/include/"):
        include = ["-I", os.path.join(check.tree, "sdk/include")]
        for compiler in ("gcc", "clang"):
            yield [compiler, "-x", "c", "-std=c99", "-Wstrict-prototypes", *SDK, *include]
        for compiler in ("g++", "clang++"):
            yield [compiler, "-x", "c++", "-std=c++11", *SDK, *include]
        return
    for compiler in ("gcc", "clang"):
        yield [compiler, "-x", "c", "-std=gnu11", "-D_GNU_SOURCE", *STRICT, "-I", os.path.join(check.tree, "daemon"),
               *room_flags(check, flags, path)]


def compile_alone(check, path, command):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "alone.c")
        with open(source, "w", encoding="utf-8") as file:
            full = os.path.join(check.tree, path)
            file.write(f'#include "{full}"\n#include "{full}"\nint alone(void);\n')
        done = subprocess.run([*command, source], cwd=folder, check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    return path, command, done.returncode, done.stdout


def main():
    check = Check()
    flags = build_flags(check.build) if check.build else {}
    headers = check.files(".h", below=("daemon", "sdk", "cli"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(compile_alone, check, path, command)
                for path in headers for command in commands(check, path, flags)]
        for run in runs:
            path, command, status, output = run.result()
            if status:
                check.finding(path, 1, f"does not compile alone with {command[0]} {command[3]}:\n{output}")
    check.end(f"{len(headers)} headers")


if __name__ == "__main__":
    main()
