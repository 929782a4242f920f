#!/usr/bin/env python3
"""arch.symbols: a provider plugin exports exactly one symbol, its entry."""

import glob
import os
import re
import subprocess
import sys

from tree import SKIPPED, Check

ENTRY = re.compile(r"^(fg|filmgate)_\w+$")


def exported(path):
    out = subprocess.run(["nm", "-D", "--defined-only", path], check=True, text=True, stdout=subprocess.PIPE).stdout
    return [line.split()[-1] for line in out.splitlines() if line.split()]


def main():
    check = Check()
    folders = sorted({p.split("/")[1] for p in check.files("CMakeLists.txt", below=("plugins",)) if p.count("/") == 2})
    plugins = sorted(glob.glob(os.path.join(check.build, "plugins", "**", "*.so"), recursive=True))
    if not folders and not plugins:
        print("skipped: there is no plugin yet")
        sys.exit(SKIPPED)
    if len(plugins) < len(folders):
        check.finding("plugins", 0, f"{len(folders)} folders but {len(plugins)} built plugins below {check.build}")
    for path in plugins:
        symbols = exported(path)
        if len(symbols) != 1 or not ENTRY.match(symbols[0]):
            check.finding(path, 0, f"exports {', '.join(symbols) or 'nothing'}; a plugin exports its entry alone")
    check.end(f"{len(plugins)} plugins")


if __name__ == "__main__":
    main()
