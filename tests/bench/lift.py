"""How much memory a reply costs that carries a video: Veo without a bucket, against the simulator.

Explained in README.md, beside this file, under lift.
"""

import json
import os
import signal
import subprocess
import urllib.request

CONFIG = """\
data_dir = "{folder}/filmgate";
listen = {{ grpc = ""; unix = "{folder}/d.sock"; }};
limits = {{ reserve_bytes = 0L; }};
log = {{ level = "warning"; }};
drain_s = 0L;
plugin_dirs = ( "{plugins}" );
providers = ( {{
	id = "veo";
	plugin = "veo";
	base_url = "{sim}";
	origins = ( "https://storage.googleapis.com" );
	secrets = {{ service_account_file = "{folder}/sim/service-account.json"; }};
	options = {{ project = "p1"; }};
	poll = {{ initial_ms = 100; max_ms = 200; }};
	allow_private_network = true;
}} );
"""


class Program:
    """A program that says "ready NAME=VALUE…" and then serves, until the end of the block."""

    def __init__(self, *command, env=None):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        self.words = dict(word.split("=", 1) for word in line.split()[1:])
        if not line.startswith("ready "):
            self.__exit__()
            raise RuntimeError(f"{command[0]} does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def memory_mib(self, name):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith(name + ":"))

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


def order(programs, folder, prompt):
    """Orders a video and waits for it; its size in bytes."""
    done = subprocess.run([os.path.join(programs, "filmgate"), "--server", f"unix:{folder}/d.sock", "submit", "veo",
                           "--model", "veo-3.1-generate-001", "--prompt", prompt, "--param", "duration_ms=4s",
                           "--wait=120s", "--format", "json", "--quiet"], stdout=subprocess.PIPE, check=True)
    job = json.loads(done.stdout)
    return int(job["status"]["artifacts"][0]["size_bytes"])


def measure(programs, plugins, folder, reply_mib):
    """A reply of `reply_mib`: the peak of resident memory while it comes, less what there was before."""
    os.makedirs(folder, exist_ok=True)
    padding = reply_mib * 1024 * 1024 * 3 // 4
    with Program(os.path.join(programs, "filmgate-sim"), "--listen", "127.0.0.1:0", "--data", f"{folder}/sim", "--cache",
                 f"{folder}/cache", "--small", "--render-time-ms", "10:20") as sim:
        config = os.path.join(folder, "filmgated.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=folder, plugins=os.path.realpath(plugins), sim=sim.words["sim"]))
        with Program(os.path.join(programs, "filmgated"), "--config", config) as daemon:
            order(programs, folder, "The first one pays for what is made once")
            rule = {"match": {"path": "/v1/*:fetch*"}, "times": 0, "action": {"type": "pad_video", "bytes": padding}}
            urllib.request.urlopen(urllib.request.Request(
                sim.words["sim"] + "/_sim/faults", json.dumps(rule).encode(), method="POST")).close()
            before = daemon.memory_mib("VmRSS")
            daemon.forget_peak()
            size = order(programs, folder, "The second one is measured")
            peak = daemon.memory_mib("VmHWM")
    if size < padding:
        raise RuntimeError(f"the video has {size} bytes, less than the {padding} that were added to it")
    return {"reply_mib": size * 4 / 3 / 1024 / 1024, "rss_before_mib": before, "rss_peak_mib": peak,
            "rss_growth_mib": peak - before}
