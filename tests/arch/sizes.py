#!/usr/bin/env python3
"""arch.sizes: no function above 70 lines and no file above 800, but for the lines of sizes.allow, which only shrink.

A function is counted from its opening brace to its closing one, both in column 0, as clang-format leaves them. A line
of sizes.allow is `PATH FUNCTION LINES` or `PATH - LINES`. It fails when it is stale: the thing is gone, within the
limit, or smaller than the line says.
"""

import os
import re
import statistics

from tree import Check, blank

FUNCTION_LIMIT = 70
FILE_LIMIT = 800


def functions(text):
    """Yields (name, line, lines) of every function."""
    lines = blank(text).split("\n")
    begin = None
    for number, line in enumerate(lines):
        if line.rstrip() == "{":
            begin = number
        elif line.startswith("}") and begin is not None:
            yield name_above(lines, begin), begin + 1, number - begin + 1
            begin = None


def name_above(lines, brace):
    """The last word before the first parenthesis of the declaration that ends above the brace."""
    first = brace
    while first > 0 and re.match(r"[\w\s*&\[\],(][^;}#]*$", lines[first - 1]):
        first -= 1
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)\s*", "", " ".join(lines[first:brace]))
    match = re.search(r"(\w+)\s*\(", head)
    return match.group(1) if match else "?"


def allowances(check):
    allowed = {}
    path = os.path.join("tests", "arch", "sizes.allow")
    if not os.path.exists(os.path.join(check.tree, path)):
        return allowed
    for number, line in enumerate(check.read(path).split("\n"), 1):
        words = line.split("#")[0].split()
        if len(words) == 3 and words[2].isdigit():
            allowed[words[0], words[1]] = (int(words[2]), number)
        elif words:
            check.finding(path, number, "is not `PATH FUNCTION LINES`")
    return allowed


def judge(check, allowed, key, line, lines, limit):
    most, _ = allowed.get(key, (limit, 0))
    what = f"function {key[1]}" if key[1] != "-" else "file"
    if lines > most:
        check.finding(key[0], line, f"{what} has {lines} lines; the limit is {most}")
    if lines >= most > limit:
        allowed.pop(key, None)


def main():
    check = Check()
    allowed = allowances(check)
    sizes = []
    for path in check.files(".c", ".h"):
        text = check.read(path)
        judge(check, allowed, (path, "-"), 1, text.count("\n"), FILE_LIMIT)
        for name, line, lines in functions(text):
            judge(check, allowed, (path, name), line, lines, FUNCTION_LIMIT)
            sizes.append(lines)
    for (path, name), (lines, number) in sorted(allowed.items()):
        if not check.only:
            check.finding("tests/arch/sizes.allow", number, f"'{path} {name} {lines}' is stale: remove or lower it")
    sizes.sort()
    if sizes:
        check.end(f"{len(sizes)} functions: median {statistics.median(sizes):.0f} lines, "
                  f"95th percentile {sizes[int(len(sizes) * 0.95)]}, longest {sizes[-1]}")
    check.end("no functions")


if __name__ == "__main__":
    main()
