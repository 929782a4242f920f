#!/usr/bin/env python3
"""sim.names: nothing that the simulator links statically has a name that one of its shared libraries exports.

The linker would take the first and say nothing: a function of ours would be called for one of jansson's.
"""

import os
import re
import subprocess
import sys


def lines(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()


def exported(library):
    return {line.split()[2].split("@")[0] for line in lines("nm", "-D", "--defined-only", library)
            if len(line.split()) == 3}


def main():
    program = os.environ["FILMGATE_SIM"]
    own = {line.split()[2] for line in lines("nm", "--defined-only", program) if line.split()[1] in "TtDdBbRrWw"}
    clashes = 0
    for line in lines("ldd", program):
        match = re.search(r"(/\S*lib(?:jansson|microhttpd|crypto)\S*)", line)
        for name in sorted(own & exported(match.group(1))) if match else ():
            if not name.startswith("_"):
                print(f"{name} is ours and {match.group(1)}'s")
                clashes += 1
    print(f"{len(own)} names, {clashes} clashes")
    sys.exit(1 if clashes else 0)


if __name__ == "__main__":
    main()
