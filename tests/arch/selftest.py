#!/usr/bin/env python3
"""arch.selftest: each check, fed a small bad tree, must name the offending line; fed a good one, must be silent."""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = "#ifndef G\n#define G\n%s\n#endif\n"


def run(check, files, build=False):
    """Writes the files to a new tree and runs the check over it: (exit status, output)."""
    with tempfile.TemporaryDirectory() as tree:
        for path, text in files.items():
            full = os.path.join(tree, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        command = [sys.executable, os.path.join(HERE, check + ".py"), "--tree", tree]
        if build:
            command += ["--build", os.path.join(tree, "build")]
        done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


class Checks(unittest.TestCase):
    def bad(self, check, files, *says, build=False):
        status, output = run(check, files, build)
        self.assertEqual(status, 1, output)
        for text in says:
            self.assertIn(text, output)

    def good(self, check, files, build=False):
        status, output = run(check, files, build)
        self.assertEqual(status, 0, output)


class Rooms(Checks):
    def test_an_arrow_that_points_up_is_named_with_its_line(self):
        self.bad("rooms", {"daemon/engine/engine.h": HEADER % "",
                           "daemon/store/store.c": '#include "store/store.h"\n\n#include "engine/engine.h"\n'},
                 "daemon/store/store.c:3:", "daemon/store may not include")

    def test_a_way_around_through_dots_is_the_same_arrow(self):
        self.bad("rooms", {"daemon/engine/engine.h": HEADER % "",
                           "daemon/job/job.c": '#include "../engine/engine.h"\n'}, "daemon/job/job.c:1:")

    def test_every_foreign_header_is_refused_in_a_wrong_room(self):
        for header in ("curl/curl.h", "rocksdb/c.h", "grpc/grpc.h", "uv.h", "dlfcn.h", "libconfig.h", "microhttpd.h",
                       "yajl/yajl_parse.h", "openssl/evp.h", "jansson.h", "protobuf-c/protobuf-c.h",
                       "libsmartcols/libsmartcols.h", "filmgate/v1/job.pb-c.h", "cmocka.h"):
            for bracket in ("<%s>", '"%s"'):
                with self.subTest(header=header):
                    self.bad("rooms", {"daemon/engine/x.c": "#include " + bracket % header + "\n"},
                             "daemon/engine/x.c:1:")

    def test_a_foreign_header_is_welcome_in_its_own_room(self):
        self.good("rooms", {"daemon/http/x.c": "#include <curl/curl.h>\n#include <uv.h>\n",
                            "daemon/store/x.c": "#include <rocksdb/c.h>\n",
                            "daemon/rpc/x.c": "#include <grpc/grpc.h>\n"})

    def test_a_plugin_has_the_sdk_and_the_c_library_alone(self):
        sdk = {"sdk/include/filmgate/provider.h": HEADER % "", "daemon/base/err.h": HEADER % ""}
        self.good("rooms", {**sdk, "plugins/x/x.c": "#include <filmgate/provider.h>\n#include <string.h>\n"})
        self.bad("rooms", {**sdk, "plugins/x/x.c": '#include "base/err.h"\n'}, "plugins/x/x.c:1:")
        self.bad("rooms", {**sdk, "plugins/x/x.c": "#include <sys/socket.h>\n"}, "plugins/x/x.c:1:")

    def test_the_command_line_has_base_alone(self):
        tree = {"daemon/base/err.h": HEADER % "", "daemon/job/job.h": HEADER % ""}
        self.good("rooms", {**tree, "cli/x.c": '#include "base/err.h"\n#include <grpc/grpc.h>\n'})
        self.bad("rooms", {**tree, "cli/x.c": '#include "job/job.h"\n'}, "cli/x.c:1:")

    def test_the_job_room_asks_no_clock(self):
        self.bad("rooms", {"daemon/job/x.c": "#include <time.h>\n"}, "daemon/job/x.c:1:")

    def test_an_unknown_room_is_refused(self):
        self.bad("rooms", {"daemon/helpers/x.c": "int x;\n"}, "not in the table")

    def test_an_include_in_a_comment_is_none(self):
        self.good("rooms", {"daemon/engine/x.c": "/*\n#include <curl/curl.h>\n*/\n"})


class Headers(Checks):
    def test_a_header_that_needs_another_does_not_stand_alone(self):
        self.bad("headers", {"daemon/base/x.h": HEADER % "size_t x_size(void);"}, "daemon/base/x.h:1:", "gcc", "clang")
        self.good("headers", {"daemon/base/x.h": HEADER % "#include <stddef.h>\nsize_t x_size(void);"})

    def test_padding_in_the_sdk_is_refused(self):
        self.bad("headers", {"sdk/include/filmgate/x.h": HEADER % "struct x { char a; long b; };"}, "padding struct")

    def test_the_sdk_is_plain_c99_and_cpp(self):
        self.bad("headers", {"sdk/include/filmgate/x.h": HEADER % "struct x { union { int a; int b; }; };"}, "-std=c99")
        self.bad("headers", {"sdk/include/filmgate/x.h": HEADER % "int class;"}, "-std=c++11")
        self.good("headers", {"sdk/include/filmgate/x.h": HEADER % "struct x { int a; };"})


def function(lines):
    return "int f(int a,\n      int b)\n{\n" + "\ta++;\n" * (lines - 2) + "}\n"


class Sizes(Checks):
    def test_a_function_may_have_seventy_lines(self):
        self.good("sizes", {"daemon/x.c": function(70)})
        self.bad("sizes", {"daemon/x.c": "\n" + function(71)}, "daemon/x.c:4: function f has 71")

    def test_a_file_may_have_eight_hundred_lines(self):
        self.good("sizes", {"daemon/x.c": "int x;\n" * 800})
        self.bad("sizes", {"daemon/x.c": "int x;\n" * 801}, "daemon/x.c:1: file has 801")

    def test_the_list_allows_exactly_what_it_says(self):
        self.good("sizes", {"daemon/x.c": function(75), "tests/arch/sizes.allow": "daemon/x.c f 75\n"})
        self.bad("sizes", {"daemon/x.c": function(76), "tests/arch/sizes.allow": "daemon/x.c f 75\n"}, "76")

    def test_the_list_may_only_shrink(self):
        for lines in (60, 72):
            self.bad("sizes", {"daemon/x.c": function(lines), "tests/arch/sizes.allow": "daemon/x.c f 75\n"},
                     "sizes.allow:1:", "stale")
        self.bad("sizes", {"daemon/x.c": "int x;\n", "tests/arch/sizes.allow": "\ndaemon/y.c - 900\n"},
                 "sizes.allow:2:", "stale")


class Symbols(Checks):
    def plugin(self, source, says=None):
        with tempfile.TemporaryDirectory() as tree:
            os.makedirs(os.path.join(tree, "plugins", "x"))
            os.makedirs(os.path.join(tree, "build", "plugins", "x"))
            with open(os.path.join(tree, "plugins", "x", "CMakeLists.txt"), "w", encoding="utf-8"):
                pass
            if source is not None:
                subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o",
                                os.path.join(tree, "build", "plugins", "x", "x.so")],
                               input=source, text=True, check=True)
            done = subprocess.run([sys.executable, os.path.join(HERE, "symbols.py"), "--tree", tree, "--build",
                                   os.path.join(tree, "build")], check=False, text=True, stdout=subprocess.PIPE)
        self.assertEqual(done.returncode, 1 if says else 0, done.stdout)
        self.assertIn(says or "", done.stdout)

    def test_one_entry_is_enough(self):
        self.plugin("int fg_entry(void) { return 0; }")

    def test_a_second_symbol_is_named(self):
        self.plugin("int fg_entry(void) { return 0; } int stray;", "stray")

    def test_a_plugin_without_entry_is_refused(self):
        self.plugin("static int x; int *y(void); static int *z(void) { return &x; }", "nothing")

    def test_a_folder_without_a_plugin_is_noticed(self):
        self.plugin(None, "0 built plugins")


class Banned(Checks):
    def test_line_comments_are_refused_but_not_in_text(self):
        self.bad("banned", {"cli/x.c": "int x;\nint y; // why\n"}, "cli/x.c:2:")
        self.good("banned", {"cli/x.c": 'const char *x = "http://example.com"; /* see http://example.com */\n'})

    def test_notes_to_self_are_refused_anywhere(self):
        for note in ("TO" + "DO", "FIX" + "ME"):
            self.bad("banned", {"docs/x.md": f"fine\n{note}: later\n"}, "docs/x.md:2:")

    def test_paths_of_one_machine_are_refused(self):
        for path in ("/wo" + "rk/main", "/ho" + "me/ada/x", "/ro" + "ot/x"):
            self.bad("banned", {"x.sh": f"cd {path}\n"}, "x.sh:1:")
        self.good("banned", {"x.sh": "cd build/work/x; cd $HOME/root/x\n"})

    def test_clocks_are_handed_in(self):
        self.bad("banned", {"daemon/engine/x.c": "clock_gettime(CLOCK_REALTIME, &now);\n"}, "daemon/engine/x.c:1:")
        self.bad("banned", {"daemon/engine/x.c": "now = time(NULL);\n"}, "daemon/engine/x.c:1:")
        self.good("banned", {"daemon/base/clock.c": "clock_gettime(CLOCK_REALTIME, &now);\n"})

    def test_packages_come_from_the_public_registry(self):
        lock = '{"packages": {"node_modules/x": {"resolved": "https://%s/x/-/x-1.tgz"}}}'
        self.good("banned", {"tests/x/package-lock.json": lock % "registry.npmjs.org"})
        self.bad("banned", {"tests/x/package-lock.json": lock % "npm.example.com"}, "npm.example.com")


if __name__ == "__main__":
    unittest.main()
