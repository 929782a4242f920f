#!/usr/bin/env python3
"""arch.failpoints: every failpoint of the table in daemon/base/failpoint.h is passed by the code, that the daemon of a
build with failpoints has all of them, and that one of any other build has not even a name."""

import os
import re
import subprocess

from tree import Check

TABLE = "daemon/base/failpoint.h"
ROW = re.compile(r'^\tX\((\w+), "([a-z_.]+)"\)', re.MULTILINE)
PASSED = re.compile(r"\bFAILPOINT\((\w+)\)")
MUTANTS = (
    b"skip_intent", b"resend_on_timeout", b"ack_before_sync", b"no_rename_sync", b"settle_twice", b"FILMGATE_FAILPOINT"
)


def passed(check):
    found = set()
    for path in check.files(".c", below=("daemon",)):
        with open(os.path.join(check.tree, path), encoding="utf-8") as file:
            found.update(PASSED.findall(file.read()))
    return found


def main():
    check = Check()
    with open(os.path.join(check.tree, TABLE), encoding="utf-8") as file:
        rows = dict(ROW.findall(file.read()))
    if len(set(rows.values())) != len(rows) or len(rows) < 20:
        check.finding(TABLE, 0, f"{len(rows)} rows with {len(set(rows.values()))} names")
    for identifier in sorted(set(rows) - passed(check)):
        check.finding(TABLE, 0, f"nothing passes FAILPOINT({identifier})")

    daemon = os.path.join(check.build, "bin", "filmgated")
    with open(os.path.join(check.build, "CMakeCache.txt"), encoding="utf-8") as file:
        has_failpoints = "FILMGATE_FAILPOINTS:BOOL=ON" in file.read()
    with open(daemon, "rb") as file:
        binary = file.read()
    names = {name.encode() + b"\0" for name in rows.values()}
    if has_failpoints:
        listed = subprocess.run([daemon, "--list-failpoints"], check=True, stdout=subprocess.PIPE, text=True).stdout
        if listed.split() != list(rows.values()):
            check.finding(daemon, 0, "--list-failpoints does not print the table")
    else:
        for name in sorted(names | set(MUTANTS)):
            if name in binary:
                check.finding(daemon, 0, f"{name} is in a build without failpoints")
    check.end(f"{len(rows)} failpoints, {'in' if has_failpoints else 'not in'} this build")


if __name__ == "__main__":
    main()
