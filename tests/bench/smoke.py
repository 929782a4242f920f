#!/usr/bin/env python3
"""bench.smoke: the benchmark runs, writes the keys that README.md explains, and refuses a folder in memory."""

import json
import os
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = ["sync"] + [f"{name}_{n}" for n in (1, 16, 64) for name in ("echo", "create")]


def run(folder, *options):
    return subprocess.run(
        [os.path.join(HERE, "run"), "--rounds", "1", "--ms", "100", "--queued", "200", "--settle", "0.1",
         "--reply", "3", "--folder", folder, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=110)


class Smoke(unittest.TestCase):
    def test_writes_every_key_with_a_figure(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run(folder, "--any-medium")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), ["results.json"])
            with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
                results = json.load(file)
        self.assertEqual(sorted(results["steps"]), sorted(STEPS))
        for name, step in results["steps"].items():
            for key in ("rate", "p50_us", "p99_us"):
                self.assertGreater(step[key]["median"], 0, f"{name} {key}")
        for key in ("ratio_to_echo_1", "ratio_to_echo_16", "ratio_to_echo_64", "p50_to_floors_1"):
            self.assertGreater(results["durable_submit"][key], 0, key)
            self.assertIn("spread", results["durable_submit_spread"][key])
        for key in ("idle_mib", "queued_100k_mib", "restarted_100k_mib"):
            self.assertGreater(results["memory"][key], 0, key)
        self.assertEqual(results["memory"]["queued_jobs"], 200)
        self.assertGreaterEqual(results["lift"]["reply_mib"], 3)
        self.assertGreater(results["lift"]["rss_peak_mib"], results["lift"]["rss_before_mib"] / 2)
        self.assertIn("rss_growth_mib", results["lift"])
        self.assertEqual(len(results["targets"]), 5)

    def test_refuses_a_folder_in_memory(self):
        kind = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], stdout=subprocess.PIPE, text=True, check=False)
        if kind.stdout.strip() != "tmpfs":
            self.skipTest("/dev/shm is no tmpfs here")
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            done = run(folder)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("is in memory", done.stderr)
            self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main()
