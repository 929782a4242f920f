#!/usr/bin/env python3
"""arch.banned: what has no place in a tracked file.

`//` comments in C; notes to self without an issue; paths of somebody's machine; clocks read anywhere but in
base/clock.c and base/log.c; packages that come from elsewhere than the public npm registry.
"""

import json
import re
from urllib.parse import urlparse

from tree import TOKENS, Check, blank

# Written in pieces, so that this file passes its own test.
NOTES = re.compile(r"\b(" + "TO" + "DO|FIX" + r"ME|X" + "XX" + r")\b")
MACHINE = re.compile(r"(?<![\w.}$/-])/(" + r"work|home/\w+|root|Users/\w+|workspace" + r")/\w")
CLOCK = re.compile(r"(?<!\w)(clock_gettime|gettimeofday|time\s*\(\s*(NULL|0)\s*\)|uv_now|uv_hrtime)(?!\w)")
CLOCK_ROOMS = ("daemon/base/clock.c", "daemon/base/log.c", "daemon/loop/")
REGISTRY = "registry.npmjs.org"


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def check_text(check, path, text):
    for match in NOTES.finditer(text):
        check.finding(path, line_of(text, match.start()), f"'{match.group(1)}' without an issue: do it or open one")
    for match in MACHINE.finditer(text):
        check.finding(path, line_of(text, match.start()), f"'{match.group(0)}…' is a path of one machine")


def check_c(check, path, text):
    for match in TOKENS.finditer(text):
        if match.group(0).startswith("//"):
            check.finding(path, line_of(text, match.start()), "// is for local experiments: use /* */")
    if not path.startswith("daemon/") or path.startswith(CLOCK_ROOMS):
        return
    code = blank(text)
    for match in CLOCK.finditer(code):
        check.finding(path, line_of(code, match.start()), f"'{match.group(1)}': take a const struct clock instead")


def check_lock(check, path, text):
    for name, package in json.loads(text).get("packages", {}).items():
        host = urlparse(package.get("resolved", "")).hostname
        if host and host != REGISTRY:
            check.finding(path, 0, f"'{name}' comes from '{host}', not from {REGISTRY}")


def main():
    check = Check()
    paths = check.files()
    for path in paths:
        text = check.read(path)
        if "\0" in text[:8192] or path == "LICENSE" or path.startswith("tests/fuzz/corpus/"):
            continue
        check_text(check, path, text)
        if path.endswith((".c", ".h")):
            check_c(check, path, text)
        if path.endswith("package-lock.json"):
            check_lock(check, path, text)
    check.end(f"{len(paths)} files")


if __name__ == "__main__":
    main()
