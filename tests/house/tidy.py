#!/usr/bin/env python3
"""house.tidy: clang-tidy over every .c of ours that the build compiles, on all cores.

A file that was clean is not looked at again until it, its compile command, a header of ours or .clang-tidy changes:
the build folder keeps a stamp named by the hash of all these.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "arch"))
from tree import Check  # noqa: E402

# What gcc alone understands must not stop clang-tidy.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Qunused-arguments"]


def surroundings(check):
    digest = hashlib.sha256()
    for path in [".clang-tidy", *check.files(".h")]:
        digest.update(path.encode() + b"\0" + check.read(path).encode() + b"\0")
    return digest.digest()


def tidy(check, path, entry, around):
    key = hashlib.sha256(around + entry["command"].encode() + check.read(path).encode()).hexdigest()
    stamp = os.path.join(check.build, "tidy", key)
    if os.path.exists(stamp):
        return path, 0, ""
    done = subprocess.run(["clang-tidy", "--quiet", "-p", check.build, *EXTRA, entry["file"]], cwd=check.tree,
                          check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode == 0:
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(path + "\n")
    return path, done.returncode, done.stdout


def main():
    check = Check()
    os.makedirs(os.path.join(check.build, "tidy"), exist_ok=True)
    with open(os.path.join(check.build, "compile_commands.json"), encoding="utf-8") as file:
        entries = {os.path.relpath(e["file"], check.tree): e for e in json.load(file)}
    paths = [p for p in check.files(".c") if p in entries]
    if not paths:
        check.finding("compile_commands.json", 0, "names no file of ours")
    around = surroundings(check)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for run in [pool.submit(tidy, check, path, entries[path], around) for path in paths]:
            path, status, output = run.result()
            if status:
                check.finding(path, 1, f"clang-tidy:\n{output}")
    check.end(f"{len(paths)} files")


if __name__ == "__main__":
    main()
