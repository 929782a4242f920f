"""Help, completion, which daemon is meant, quiet, and what happens to output that cannot be written."""

import os
import subprocess
import time
import unittest

from fake import PROGRAM, Case, message


class Help(Case):
    def commands(self):
        out = self.expect(0, "--help").out
        section = out.split("Commands:\n")[1].split("\n\n")[0]
        names = [line.split() for line in section.splitlines() if line.startswith("  ") and not line.startswith("   ")]
        second = {"providers": ("list", "get", "check"), "plugin": ("new", "inspect", "check", "embed")}
        return [" ".join(words[:2]) if words[1:] and words[1] in second.get(words[0], ()) else words[0]
                for words in names]

    def test_every_command_explains_itself(self):
        commands = self.commands()
        self.assertGreaterEqual(len(commands), 22)
        self.assertIn("plugin check", commands)
        for command in commands:
            done = self.expect(0, *command.split(), "--help", out=f"usage: filmgate {command}")
            self.assertEqual(done.err, "")
            self.assertEqual(self.expect(0, "help", *command.split()).out, done.out)
        self.assertEqual(self.fake.calls, [])

    def test_exit_codes_are_documented(self):
        for arguments in (["--help"], ["wait", "--help"]):
            out = self.expect(0, *arguments).out.split("Exit status:\n")[1]
            for code in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "124", "130"):
                self.assertRegex(out, rf"(?m)^  {code} +\w")

    def test_no_line_of_the_help_is_too_long(self):
        for command in ["", *self.commands()]:
            for line in self.expect(0, *command.split(), "--help").out.split("\nExamples:")[0].splitlines():
                self.assertLessEqual(len(line), 100, line)

    def test_columns_are_counted_in_characters(self):
        lines = self.expect(0, "--help").out.splitlines()
        for command, summary in (("assets upload FILE…", "give files"), ("assets delete ASSET…", "delete them")):
            line = next(line for line in lines if line.strip().startswith(command))
            self.assertEqual(line.index(summary), 26, line)

    def test_help_is_data_and_usage_an_error(self):
        self.assertEqual(self.expect(0, "help").err, "")
        self.assertEqual(self.expect(2).out, "")


class Completion(Case):
    def complete(self, *words):
        """What bash would offer for the last word."""
        script = ('source <("$1" completion bash); shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '_filmgate; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-uc", script, "bash", PROGRAM, "filmgate", *words], cwd=self.home, env=self.env,
                              check=True, text=True, stdout=subprocess.PIPE, timeout=30)
        return done.stdout.split()

    def test_commands_options_and_words_are_completed(self):
        self.assertEqual(self.complete("su"), ["submit"])
        self.assertEqual(self.complete("-s", "x:1", "do"), ["download"])
        self.assertEqual(self.complete("providers", "ch"), ["check"])
        self.assertEqual(self.complete("plugin", "in"), ["inspect"])
        self.assertIn("--replay", self.complete("plugin", "check", "--"))
        self.assertIn("--model", self.complete("providers", "get", "--"))
        self.assertIn("--request-id", self.complete("submit", "heygen", "--"))
        self.assertIn("--server", self.complete("list", "--se"))
        self.assertNotIn("--script", self.complete("list", "--"))
        self.assertEqual(self.complete("list", "--format", "json"), ["json", "jsonl"])
        self.assertEqual(self.complete("list", "-o", "ta"), ["table"])
        self.assertEqual(self.complete("completion", "ba"), ["bash"])

    def test_files_are_completed_where_a_file_is_meant(self):
        for name in ("job.json", "out.mp4"):
            with open(os.path.join(self.home, name), "w", encoding="utf-8"):
                pass
        self.assertEqual(self.complete("submit", "--file", "jo"), ["job.json"])
        self.assertEqual(self.complete("submit", "-f", "jo"), ["job.json"])
        self.assertEqual(self.complete("submit", "-o", "ou"), ["out.mp4"])
        self.assertEqual(self.complete("download", "--output", "ou"), ["out.mp4"])


class Server(Case):
    def write_context(self, text):
        folder = os.path.join(self.home, ".config", "filmgate")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "config"), "w", encoding="utf-8") as file:
            file.write(text)

    def test_flag_before_environment_before_context(self):
        self.write_context(f"server = {self.fake.address}\n")
        del self.env["FILMGATE_SERVER"]
        self.expect(0, "list")
        self.env["FILMGATE_SERVER"] = "127.0.0.1:1"
        self.expect(5, "list", says="127.0.0.1:1")
        self.expect(0, "list", "-s", self.fake.address)
        self.expect(0, "--server", self.fake.address, "list")

    def test_a_wrong_context_file_is_an_error_only_when_it_counts(self):
        self.write_context("servr = x\n")
        self.expect(0, "list")
        del self.env["FILMGATE_SERVER"]
        self.expect(2, "list", says=["config:1", "servr"])
        self.expect(0, "version")

    def test_a_unix_socket_is_as_good(self):
        self.expect(0, "list", "-s", "unix:" + self.fake.socket)
        self.expect(0, "list", "-s", self.fake.socket)

    def test_proxies_of_the_environment_are_not_used(self):
        self.env.update(http_proxy="http://127.0.0.1:1", grpc_proxy="http://127.0.0.1:1")
        self.expect(0, "list")


class Streams(Case):
    def test_quiet_leaves_data_and_errors(self):
        self.assertEqual(self.expect(0, "list", "-q").err, "")
        self.assertNotEqual(self.expect(0, "list").err, "")
        self.expect(3, "get", "-q", "01a20485-7299-7846-85db-7f80b5b82330", says="NOT_FOUND")

    def test_output_that_cannot_be_written_is_a_failure(self):
        job = self.fake.add_job("SUCCEEDED").name

        def change_once(request):
            yield message("WatchJobsResponse", event=self.fake.event(self.fake.find(job)))
            time.sleep(3)
        self.fake.on["WatchJobs"] = change_once
        for arguments in (["list"], ["list", "-o", "json"], ["get", job], ["get", job, "-o", "json"], ["wait", job],
                          ["watch", job], ["watch"], ["watch", "-o", "name"], ["version"], ["help"], ["--help"]):
            with open("/dev/full", "wb") as full:
                process = self.start(*arguments, stdout=full)
                err = process.communicate(timeout=30)[1].decode()
            self.assertEqual(process.returncode, 8, err)
            self.assertEqual(err.count("No space left on device"), 1, err)

    def test_nothing_is_ever_asked(self):
        job = self.fake.add_job("FAILED")
        terminal = self.terminal("delete", job.name)
        status, _ = terminal.finish()
        self.assertEqual(status, 0)


if __name__ == "__main__":
    unittest.main()
