"""What the checks of this folder share: which files are ours, how a finding is reported, and C without its comments.

Every check is a program `CHECK.py [--tree DIR] [--build DIR]`. It prints one line per finding, `FILE:LINE: what and
why`, and exits 1 when there is one; 77 (skipped, in CTest's words) when there is nothing to look at yet.
"""

import argparse
import os
import re
import subprocess
import sys

SKIPPED = 77
HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Check:
    """One run of a check over one tree."""

    def __init__(self):
        parser = argparse.ArgumentParser()
        parser.add_argument("--tree", default=HOME)
        parser.add_argument("--build", default=None)
        arguments, self.only = parser.parse_known_args()
        self.tree = os.path.abspath(arguments.tree)
        self.build = arguments.build and os.path.abspath(arguments.build)
        self.findings = 0

    def files(self, *suffixes, below=()):
        """Paths, relative to the tree, that git tracks or would: sorted, existing, optionally below some folders."""
        if os.path.exists(os.path.join(self.tree, ".git")):
            out = subprocess.run(
                ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=self.tree, check=True, stdout=subprocess.PIPE).stdout
            paths = set(out.decode().split("\0"))
        else:
            paths = set(walk(self.tree))
        return [p for p in sorted(paths)
                if p and (not suffixes or p.endswith(suffixes))
                and (not below or p.startswith(tuple(b + "/" for b in below)))
                and (not self.only or p in self.only)
                and os.path.isfile(os.path.join(self.tree, p))]

    def read(self, path):
        with open(os.path.join(self.tree, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def finding(self, path, line, text):
        self.findings += 1
        print(f"{path}:{line}: {text}" if line else f"{path}: {text}")

    def end(self, summary):
        print(summary)
        sys.exit(1 if self.findings else 0)


def walk(tree):
    for folder, folders, files in os.walk(tree):
        folders[:] = [f for f in folders if f not in ("build", "node_modules", ".git")]
        for file in files:
            yield os.path.relpath(os.path.join(folder, file), tree)


# A block comment, a line comment, a string or a character: whichever begins first.
TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text, keep_strings=False):
    """The same text with comments (and the insides of strings) made blank; every line keeps its number."""
    def replace(match):
        token = match.group(0)
        if keep_strings and token[0] in "\"'":
            return token
        return re.sub(r"[^\n]", " ", token)
    return TOKENS.sub(replace, text)
