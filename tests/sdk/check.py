#!/usr/bin/env python3
"""sdk.check: `filmgate plugin` with good plugins, and with some for each thing that can be wrong with one."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["FILMGATE_BUILD"]
FILMGATE = os.path.join(BUILD, "bin", "filmgate")
FIXTURES = os.path.join(BUILD, "tests", "abi")
BAD = os.path.join(BUILD, "tests", "sdk")
PLUGINS = os.path.join(BUILD, "plugins")


class Kit(unittest.TestCase):
    def setUp(self):
        # pylint: disable=consider-using-with
        self.home = tempfile.TemporaryDirectory(prefix="filmgate-kit.")
        self.addCleanup(self.home.cleanup)

    def run_kit(self, *words, status=0):
        done = subprocess.run([FILMGATE, "plugin", *words], cwd=self.home.name, check=False, text=True, timeout=200,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, status, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def check(self, path, *options, status=0):
        """The checks by name: (ok or FAILED, words)."""
        out = self.run_kit("check", "--seconds", "0", *options, path, status=status).stdout
        rows = re.findall(r"(?m)^(ok|FAILED) +(\w+) +(.*)$", out)
        failed = sum(row[0] == "FAILED" for row in rows)
        self.assertRegex(out, rf"\n\S+: {len(rows)} checks, {failed} failed\n$")
        return {name: (how, words) for how, name, words in rows}

    def assert_failed(self, path, name, words, *options):
        checks = self.check(path, *options, status=1)
        self.assertEqual(checks[name][0], "FAILED", checks)
        self.assertRegex(checks[name][1], words)
        return checks


class Good(Kit):
    def test_our_own_pass_and_are_walked_through(self):
        for name, options, verbs in (
                ("heygen", [], ["start", "poll", "remove", "reconcile", "upload", "webhook", "catalogue", "account", "check", "list",
                                "subscribe"]),
                ("openai_videos", ["--option", "model=m"], ["start", "poll", "remove", "reconcile", "account", "check", "list"]),
                ("veo", ["--option", "project=p", "--option", "storage_uri=gs://b/f"], ["start", "poll", "account", "check"]),
                ("veo", ["--option", "project=p"], ["start", "poll", "account", "check"])):
            checks = self.check(os.path.join(PLUGINS, f"{name}.so"), *options)
            self.assertEqual(list(checks), ["symbols", "file", "abi", "manifest", "answers"])
            self.assertTrue(checks["answers"][1].endswith(": " + ", ".join(verbs)), checks)

    def test_the_fuzzing_is_a_check_of_its_own(self):
        out = self.run_kit("check", "--seconds", "2", "--seed", "7", os.path.join(PLUGINS, "heygen.so")).stdout
        self.assertRegex(out, r"(?m)^ok +fuzz +\d+ steps")

    def test_what_the_account_lacks_is_said(self):
        checks = self.check(os.path.join(PLUGINS, "veo.so"))
        self.assertIn(": start, poll, account, check; no order got as far as a request", checks["answers"][1])
        self.assert_failed(os.path.join(PLUGINS, "veo.so"), "answers", "no option 'projct'", "--option", "projct=p")

    def test_inspect_shows_what_a_plugin_wants(self):
        path = os.path.join(PLUGINS, "veo.so")
        out = self.run_kit("inspect", path).stdout
        digest = subprocess.run(["sha256sum", path], check=True, text=True, stdout=subprocess.PIPE).stdout.split()[0]
        for line in ("name       veo", "abi        0.0", f"sha256     {digest}", "secrets    service_account, api_key",
                     "auth       google: google_service_account of service_account to "
                     "https://us-central1-aiplatform.googleapis.com https://storage.googleapis.com",
                     "verbs      start, poll, account", "model      veo-3.1-generate-001, available"):
            self.assertIn(line, out)


class Wrong(Kit):
    def test_files_that_are_no_plugin(self):
        for name, check, words in (("no_entry", "symbols", "some_other_library"), ("no_entry", "abi", "no symbol"),
                                   ("wrong_major", "abi", "version 7"), ("short", "abi", "struct_size"),
                                   ("no_start", "abi", "no verb 'start'"), ("newer_host", "abi", "update the daemon"),
                                   ("null_table", "abi", "no table"), ("other_name", "manifest", "somebody-else"),
                                   ("bad_manifest", "manifest", r"unknown member 'modles'"),
                                   ("no_json", "manifest", r"manifest is wrong"), ("feature", "manifest", "'push_delivery'")):
            checks = self.assert_failed(os.path.join(FIXTURES, f"{name}.so"), check, words)
            self.assertNotIn("answers", checks)

    def test_a_file_that_is_no_library(self):
        path = os.path.join(self.home.name, "text.so")
        with open(path, "w", encoding="utf-8") as file:
            file.write("text\n" * 100)
        self.assert_failed(path, "symbols", "no ELF file")
        self.assert_failed(path, "file", "dynamic linker refuses it")

    def test_a_file_that_others_may_write(self):
        path = os.path.join(self.home.name, "heygen.so")
        shutil.copy(os.path.join(PLUGINS, "heygen.so"), path)
        os.chmod(path, 0o666)
        self.assert_failed(path, "file", "writ")

    def test_the_place_in_a_manifest_is_named(self):
        self.assert_failed(os.path.join(BAD, "manifest.so"), "manifest", "parameters.duration_ms.*stp")

    def test_more_than_one_symbol(self):
        checks = self.assert_failed(os.path.join(BAD, "loud.so"), "symbols", "another_symbol.*plugin.map")
        self.assertEqual(checks["answers"][0], "ok")

    def test_constructors_that_crash_hang_or_leave(self):
        self.assert_failed(os.path.join(BAD, "born_dead.so"), "file", "while it was loaded")
        self.assert_failed(os.path.join(BAD, "born_gone.so"), "file", "ended the process while it was loaded, with status 0")
        self.assert_failed(os.path.join(BAD, "born_slow.so"), "file", "hangs while it was loaded")
        self.assertIn("while it was loaded", self.run_kit("inspect", os.path.join(BAD, "born_dead.so"), status=1).stderr)

    def test_verbs_that_crash_hang_or_leave(self):
        for name, words in (("crash", "crashed: Segmentation fault|ended the process, with status 1"),
                            ("exit", "ended the process, with status 3"), ("hang", "it hangs: no answer within")):
            self.assert_failed(os.path.join(BAD, f"{name}.so"), "answers", rf"step \d+: it ({words}|{words[3:]})")

    def test_two_answers_to_one_step_and_none(self):
        self.assert_failed(os.path.join(BAD, "memory.so"), "answers", "two answers")
        self.assert_failed(os.path.join(BAD, "silent.so"), "answers", "start phase 1, on a reply: it breaks a rule: the verb "
                                                                      "returned 0 without an answer")

    def test_verbs_that_only_files_and_lost_orders_lead_to(self):
        for name, verb in (("brings", "upload"), ("looks", "reconcile")):
            self.assert_failed(os.path.join(BAD, f"{name}.so"), "answers",
                               f"{verb} phase 1, on a reply: it breaks a rule: the verb returned 0 without an answer", "--keep",
                               self.home.name)
            kept, = glob.glob(os.path.join(self.home.name, f"{name}-*.json"))
            with open(kept, encoding="utf-8") as file:
                step = json.load(file)
            if name == "brings":
                self.assertEqual([row["size_bytes"] for row in step["assets"]], [40000000])
            else:
                self.assertTrue(step["facts"]["others"])
            self.assert_failed(os.path.join(BAD, f"{name}.so"), "replay", "without an answer", "--replay", self.home.name)

    def test_a_model_that_nothing_fits(self):
        self.assert_failed(os.path.join(BAD, "rules.so"), "answers", "no order was found .* model 'm'")

    def test_a_step_that_went_wrong_is_kept_and_replays(self):
        self.assert_failed(os.path.join(FIXTURES, "toy.so"), "answers", "it breaks a rule: .*; the step is in", "--keep",
                           self.home.name)
        kept = glob.glob(os.path.join(self.home.name, "toy-*.json"))
        self.assertEqual(len(kept), 1)
        self.assert_failed(os.path.join(FIXTURES, "toy.so"), "replay", "no member 'answer'.*\\{\"fault\":", "--replay",
                           self.home.name)


class Replay(Kit):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.home.name, "recordings")
        shutil.copytree(os.path.join(TREE, "sdk", "template", "recordings"), self.folder)
        self.plugin = os.path.join(BAD, "yourprovider.so")

    def change(self, name, function):
        path = os.path.join(self.folder, name)
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        function(document)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)

    def test_the_same_answers_pass(self):
        self.assertEqual(self.check(self.plugin, "--replay", self.folder)["replay"][0], "ok")

    def test_another_answer_is_shown(self):
        self.change("05-running.json", lambda document: document["reply"]["json"].update(status="queued"))
        self.assert_failed(self.plugin, "replay", "1 of 7 differ: 05-running.json: another answer from byte", "--replay",
                           self.folder)

    def test_recordings_of_another_and_none(self):
        self.change("01-order.json", lambda document: document["plugin"].update(name="kling"))
        self.assertRegex(self.check(self.plugin, "--replay", self.folder)["replay"][1], "^6 recorded steps.*left out")
        self.change("01-order.json", lambda document: document.update(format=2))
        self.assert_failed(self.plugin, "replay", "is no recording: /format", "--replay", self.folder)
        self.assert_failed(self.plugin, "replay", "has no recordings", "--replay", BAD)


class New(Kit):
    def test_nothing_is_overwritten(self):
        self.run_kit("new", "kling")
        self.assertIn("'kling' is there already", self.run_kit("new", "kling", status=2).stderr)
        self.assertIn("is there already", self.run_kit("new", "other", "kling", status=2).stderr)
        done = self.run_kit("new", "other", "deep/folder")
        self.assertEqual(done.stdout, "deep/folder\n")
        self.assertIn("next: cmake -S deep/folder", done.stderr)
        for path in glob.glob(os.path.join(self.home.name, "kling", "**", "*.*"), recursive=True):
            with open(path, encoding="utf-8") as file:
                self.assertNotIn("ourprovider", file.read(), path)

    def test_a_disk_that_takes_no_more_is_no_success(self):
        limit = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)); os.execv(sys.argv[1], sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", limit, FILMGATE, "plugin", "new", "kling"], cwd=self.home.name,
                              check=False, text=True, timeout=60, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1, done)
        self.assertRegex(done.stderr, r"kling/\S+ cannot be written: File too large")

    def test_names_that_are_none(self):
        for name in ("Kling", "-kling", "9", "a/b", "", "k" * 33):
            self.assertIn("is not a name", self.run_kit("new", "--", name, status=2).stderr)

    def test_a_manifest_that_is_wrong_is_not_embedded(self):
        path = os.path.join(self.home.name, "manifest.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"name": "x",\n "abi": 0,}\n')
        self.assertIn("line 2", self.run_kit("embed", path, status=1).stderr)


class Usage(Kit):
    def test_questions_that_are_wrong_end_with_two(self):
        for words in ([], ["bogus"], ["check"], ["check", "a.so", "b.so"], ["check", "--seconds", "x", "a.so"],
                      ["check", "--option", "x", "a.so"], ["inspect"], ["inspect", "missing.so"], ["check", "missing.so"],
                      ["check", "name"], ["check", "--replay", "missing", os.path.join(PLUGINS, "heygen.so")],
                      ["new"], ["embed", "missing.json"]):
            self.assertNotEqual(self.run_kit(*words, status=2).stderr, "", words)

    def test_what_is_too_long_is_named(self):
        path = os.path.join(PLUGINS, "veo.so")
        many = [word for i in range(130) for word in ("--option", f"o{i}=x")]
        self.assertIn("more than 128 options; the rest begins with '--option=o128=x'",
                      self.run_kit("check", *many, path, status=2).stderr)
        # The kernel takes 131071 bytes in one word: so long is the value, and its option stands in front of it.
        self.assertRegex(self.run_kit("check", "--option", "long=" + 131060 * "x", path, status=2).stderr,
                         r"too long for the system: '--option=long=x+\.\.\.' has 131074 bytes; put what is long into a file")

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([FILMGATE, "plugin", "inspect", os.path.join(PLUGINS, "heygen.so")], check=False,
                                  timeout=60, stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 8, done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
