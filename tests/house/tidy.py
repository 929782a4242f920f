#!/usr/bin/env python3
"""house.tidy: clang-tidy over every .c of ours that the build compiles, on all cores.

A file that was clean is not looked at again until something changes that it is made of: itself, a header that it
includes, its compile command, .clang-tidy, or clang-tidy. The names of what was clean are kept in FILMGATE_TIDY_CACHE,
else in the user's cache folder, so that another checkout of the same tree has less to do.
"""

import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "arch"))
from tree import Check  # noqa: E402

# What gcc alone understands must not stop clang-tidy.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Qunused-arguments"]
KEPT_DAYS = 30


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.environ.get("FILMGATE_TIDY_CACHE") or os.path.join(home, "filmgate", "tidy")
    os.makedirs(folder, exist_ok=True)
    for entry in os.scandir(folder):
        if entry.stat().st_mtime < time.time() - KEPT_DAYS * 86400:
            os.unlink(entry.path)
    return folder


class Ingredients:
    """What each file is made of, as the compiler told the build."""

    def __init__(self, check):
        self.tree = check.tree
        self.known = {}
        self.includes = {}
        self.common = self.of(os.path.join(check.tree, ".clang-tidy")) + \
            subprocess.run(["clang-tidy", "--version"], check=True, stdout=subprocess.PIPE).stdout
        lines = subprocess.run(["ninja", "-C", check.build, "-t", "deps"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.splitlines()
        target = None
        for line in lines:
            if line.startswith(" ") and target:
                self.includes[target].append(os.path.normpath(os.path.join(check.build, line.strip())))
            elif match := re.match(r"(\S+): #deps .*\(VALID\)$", line):
                target = match.group(1)
                self.includes[target] = []
            else:
                target = None

    def of(self, path):
        """Contents of what is ours; of what a package has installed, its name, size and time."""
        if path not in self.known:
            if path.startswith(self.tree + os.sep):
                with open(path, "rb") as file:
                    self.known[path] = hashlib.sha256(file.read()).digest()
            else:
                stat = os.stat(path)
                self.known[path] = f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode()
        return self.known[path]

    def name(self, entry):
        """The name of the whole; None: the build does not say what it is made of."""
        command = entry["command"]
        target = re.search(r" -o (\S+)", command)
        includes = self.includes.get(target.group(1)) if target else None
        if not includes:
            return None
        digest = hashlib.sha256(self.common + command.replace(self.tree, ".").encode())
        for path in sorted(set(includes)):
            digest.update(self.of(path))
        return digest.hexdigest()


def tidy(check, path, entry, stamp):
    if stamp and os.path.exists(stamp):
        os.utime(stamp)
        return path, 0, ""
    done = subprocess.run(["clang-tidy", "--quiet", "-p", check.build, *EXTRA, entry["file"]], cwd=check.tree,
                          check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == 0 and stamp:
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(path + "\n")
    return path, done.returncode, done.stdout


def main():
    check = Check()
    folder = cache_folder()
    with open(os.path.join(check.build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {os.path.relpath(e["file"], check.tree): e for e in json.load(file)}
    paths = [p for p in check.files(".c") if p in entries]
    if not paths:
        check.finding("compile_commands.json", 0, "names no file of ours")
    ingredients = Ingredients(check)
    runs = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path in paths:
            name = ingredients.name(entries[path])
            stamp = name and os.path.join(folder, name)
            runs.append(pool.submit(tidy, check, path, entries[path], stamp))
        for run in runs:
            path, status, output = run.result()
            if status:
                check.finding(path, 1, f"clang-tidy:\n{output}")
    check.end(f"{len(paths)} files")


if __name__ == "__main__":
    main()
