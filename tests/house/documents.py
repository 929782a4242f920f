#!/usr/bin/env python3
"""house.documents: README.md, ARCHITECTURE.md and HACKING.md against the tree and the programs.

Links lead somewhere; files, functions, constants, structs, tests, presets, verbs of ./dev, commands and options of the
programs exist; the table of exit statuses is what `filmgate help` prints; the function in HACKING.md compiles; and the
configuration in README.md starts a daemon that knows its provider.
"""

import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "arch"))
from tree import Check  # noqa: E402

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "HACKING.md"]
PROGRAMS = ["filmgate", "filmgated", "filmgate-sim"]
ROOTS = ("daemon", "cli", "sdk", "plugins", "proto", "tests", "packaging", ".ci", ".githooks")
TIMEOUT_S = 60
PRELUDE = """
#include "base/err.h"
#include <fcntl.h>
#include <string.h>
enum { _JOURNAL_E_OK, JOURNAL_E_MISSING };
struct journal { int fd; char *path; };
void journal_freep(struct journal **journal);
int (*journal_opener(void))(const char *, struct journal **);
"""
EPILOGUE = "int (*journal_opener(void))(const char *, struct journal **) { return journal_open; }\n"


def run(command, **more):
    return subprocess.run(command, check=False, text=True, timeout=TIMEOUT_S, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)


class Documents:
    def __init__(self):
        self.check = Check()
        self.bin = os.path.join(self.check.build, "bin")
        self.files = self.check.files()
        self.folders = {f.rsplit("/", n)[0] for f in self.files for n in range(1, f.count("/") + 1)}
        sources = self.check.files(".c", ".h", ".cmake", "CMakeLists.txt")
        text = "\n".join(self.check.read(f) for f in sources)
        self.words = set(re.findall(r"\w+", text))
        self.structs = set(re.findall(r"struct (\w+) \{", text)) | set(re.findall(r"struct (\w+);", text))
        self.tests = set(re.findall(r"Test +#\d+: (\S+)", run(["ctest", "-N", "--test-dir", self.check.build]).stdout))
        self.helps = {}
        self.facts = 0

    def program(self, *command):
        if command not in self.helps:
            self.helps[command] = run([os.path.join(self.bin, command[0]), *command[1:]])
        return self.helps[command]

    def expect(self, is_true, path, line, text):
        self.facts += 1
        if not is_true:
            self.check.finding(path, line, text)

    def has_path(self, name):
        name = name.rstrip("/")
        return name in self.files or name in self.folders or bool(fnmatch.filter(self.files, name))

    def look_at_links(self, path, number, line):
        for target in re.findall(r"\]\(([^)#]+)\)", line):
            self.expect("://" in target or self.has_path(target), path, number, f"the link '{target}' leads nowhere")

    def look_at_word(self, path, number, word):
        """What stands between backticks, or a word of a block of commands."""
        if word.split("/")[0] in ROOTS and "/" in word and not re.search(r"[A-Z]{3,}", word):
            self.expect(self.has_path(word), path, number, f"there is no file '{word}'")
        elif re.fullmatch(r"[a-z]+/", word):
            self.expect(self.has_path(word) or self.has_path("daemon/" + word), path, number, f"no room '{word}'")
        elif re.fullmatch(r"\w+\.(c|h|py)", word):
            self.expect(any(f.endswith("/" + word) for f in self.files), path, number, f"there is no file '{word}'")
        elif re.fullmatch(r"\w+\(\)", word) or re.fullmatch(r"[A-Z]+_[A-Z_]+|config_options", word):
            self.expect(word.rstrip("()") in self.words | {"HEYGEN_API_KEY"}, path, number, f"there is no '{word}'")
        elif re.fullmatch(r"struct \w+", word):
            self.expect(word[7:] in self.structs, path, number, f"there is no '{word}'")
        elif re.fullmatch(r"[a-z]+\.[a-z_0-9]+", word) and word.split(".")[0] not in ("filmgate", "libuv"):
            self.expect(word in self.tests, path, number, f"there is no test '{word}'")

    def look_at_command(self, path, number, line):
        line = line.split("#")[0]
        for verb in re.findall(r"\./dev ([a-z]+)", line):
            known = re.findall(r"^\s+([a-z]+) ", run([os.path.join(self.check.tree, "dev"), "help"]).stdout, re.M)
            self.expect(verb in known, path, number, f"./dev has no verb '{verb}'")
        for name in re.findall(r"-R (\S+)", line):
            self.expect(name in self.tests, path, number, f"there is no test '{name}'")
        for preset in re.findall(r"--preset (\w+)", line):
            kind = "workflowPresets" if "--workflow" in line else "testPresets"
            presets = json.loads(self.check.read("CMakePresets.json"))[kind]
            self.expect(preset in [p["name"] for p in presets], path, number, f"there is no preset '{preset}'")
        match = re.search(r"(?:^|[ /])(filmgate-sim|filmgated|filmgate)( .*)$", line)
        if match and "/filmgate/" not in line:
            self.look_at_program(path, number, match.group(1), match.group(2).split("<<")[0])

    def look_at_program(self, path, number, name, rest):
        command = (name, "--help")
        verb = re.match(r" ([a-z]+)\b", rest)
        if name == "filmgate" and verb:
            command = (name, "help", verb.group(1))
        done = self.program(*command)
        self.expect(done.returncode == 0, path, number, f"{' '.join(command)} fails: {done.stdout.strip()}")
        for option in re.findall(r" (--?[a-z][a-z-]*)", rest):
            self.expect(re.search(rf"(?<![\w-]){option}(?![\w-])", done.stdout), path, number,
                        f"{' '.join(command)} does not know '{option}'")

    def look_at_commands_table(self, path, number, line):
        row = re.match(r"\| (`filmgate [a-z]+`.*?) \| (.*) \|$", line)
        for verb in re.findall(r"`filmgate ([a-z]+)`", row.group(1)) if row else []:
            for word in re.findall(r"`(--[a-z-]+)`", row.group(2)):
                self.look_at_program(path, number, "filmgate", f" {verb} {word}")

    def look_at(self, path):
        block = None
        text = self.check.read(path).replace("\\\n", "")
        for number, line in enumerate(text.split("\n"), 1):
            if line.startswith("```"):
                block = None if block is not None else line[3:]
                continue
            if block is None:
                self.look_at_links(path, number, line)
                self.look_at_commands_table(path, number, line)
                for span in re.findall(r"`([^`]+)`", line):
                    self.look_at_word(path, number, span)
                    self.look_at_command(path, number, span)
            elif block == "sh":
                self.look_at_command(path, number, line)
                for word in line.split("#")[0].split():
                    if word.split("/")[0] in ROOTS:
                        self.look_at_word(path, number, word)

    def look_at_exit_statuses(self):
        table = re.findall(r"^\| (\d+) \| (.*) \|$", self.check.read("README.md"), re.M)
        said = re.findall(r"^  (\d+) +(.*)$", self.program("filmgate", "help").stdout.split("Exit status:")[-1], re.M)
        self.expect(table and table == said, "README.md", 0, f"exit statuses: the program says {said}")

    def compare_roles(self):
        """What an artifact may be, as clients, plugins and the prober have it."""
        places = {"proto/filmgate/v1/artifact.proto": r"Known words:(.*?)string role",
                  "sdk/include/filmgate/provider.h": r"role is (.*?)\. auth",
                  "daemon/artifact/probe.c": r"roles\[\] = \{(.*?)\n\}"}
        first = None
        for path, pattern in places.items():
            roles = set(re.findall(r'"([a-z_]+)"', re.search(pattern, self.check.read(path), re.S).group(1)))
            roles.discard("asset")  # what a user gives: the prober's alone, and no artifact's
            first = first or roles
            self.expect(roles == first, path, 0, f"the roles {sorted(roles ^ first)} are not everywhere")

    def compile_function(self):
        block = re.search(r"```c\n(.*?)```", self.check.read("HACKING.md"), re.S).group(1)
        done = run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
                    "-I", os.path.join(self.check.tree, "daemon"), "-"], input=PRELUDE + block + EPILOGUE)
        self.expect(done.returncode == 0, "HACKING.md", 0, f"the function does not compile:\n{done.stdout}")

    def run_configuration(self):
        """The block as it stands, but for the build folder, a port that is free, and a home that is thrown away."""
        block = re.search(r"```sh\n(mkdir .*?)```", self.check.read("README.md"), re.S).group(1)
        block = block.replace("$PWD/build/release", self.check.build).replace(":8980", ":0").replace(":8981", ":0")
        block = re.sub(r"^build/release/bin/filmgated", f"exec timeout {TIMEOUT_S} {self.bin}/filmgated", block, flags=re.M)
        home = tempfile.mkdtemp(prefix="filmgate-documents.")
        log = open(os.path.join(home, "log"), "w+", encoding="utf-8")
        daemon = subprocess.Popen(["bash", "-euc", block], cwd=home, text=True, stdout=subprocess.PIPE, stderr=log,
                                  env={**os.environ, "HOME": home, "HEYGEN_API_KEY": "key"})
        try:
            ready = re.match(r"ready grpc=(\S+) ", daemon.stdout.readline())
            log.seek(0)
            self.expect(ready, "README.md", 0, f"the configuration starts no daemon:\n{log.read()}")
            if ready:
                done = run([os.path.join(self.bin, "filmgate"), "--server", ready.group(1), "providers", "get",
                            "heygen"])
                self.expect(done.returncode == 0 and "avatar" in done.stdout, "README.md", 0,
                            f"the configured provider does not work:\n{done.stdout}")
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(TIMEOUT_S)
            log.close()
            shutil.rmtree(home)


def main():
    documents = Documents()
    for path in DOCUMENTS:
        documents.look_at(path)
    documents.look_at_exit_statuses()
    documents.compare_roles()
    documents.compile_function()
    documents.run_configuration()
    documents.check.end(f"{documents.facts} facts of {len(DOCUMENTS)} documents")


if __name__ == "__main__":
    main()
