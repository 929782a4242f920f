"""Starts the filmgate-sim named by the environment's FILMGATE_SIM and talks to it from outside."""

import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

PROGRAM = os.environ.get("FILMGATE_SIM", "")
KEY = "sim-key"
DEADLINE = 100.0  # of one thing waited for: a render on a busy machine takes long, and what hangs does so for ever


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def exchange(base, method, path, body=None, headers=None, timeout=DEADLINE):
    """One request on a connection of its own."""
    address = urllib.parse.urlsplit(base).netloc
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        return exchange_on(connection, method, path, body, headers)
    finally:
        connection.close()


def exchange_on(connection, method, path, body=None, headers=None):
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    return Reply(response.status, response.headers, response.read())


class Simulator:
    """One process, with a folder that goes with it unless it is handed in."""

    def __init__(self, *options, data=None):
        self.own_data = data is None
        self.data = data or tempfile.mkdtemp(prefix="filmgate-sim-")
        self.errors = tempfile.TemporaryFile()
        arguments = [PROGRAM, "--listen", "127.0.0.1:0", "--data", self.data, "--small"]
        cache = os.environ.get("FILMGATE_SIM_CACHE")
        if cache and "--cache" not in options:
            arguments += ["--cache", cache]
        self.process = subprocess.Popen(arguments + list(options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.errors)
        line = self.first_line()
        if not line.startswith("ready sim=http://"):
            self.stop()
            raise AssertionError(f"not ready but {line!r}; {self.log()}")
        words = dict(word.split("=", 1) for word in line.split()[1:])
        self.api, self.files, self.h2 = words["sim"], words["files"], words.get("h2")

    def first_line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        return self.process.stdout.readline().decode() if ready else ""

    def log(self):
        if not self.errors.closed:
            self.errors.seek(0)
            self.last_words = self.errors.read().decode(errors="replace")
        return self.last_words

    def stop(self, number=signal.SIGTERM):
        """Ends the process and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process.stdout.close()
        self.log()
        self.errors.close()
        return status

    def remove(self):
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)

    # The provider's interface

    def call(self, method, path, body=None, key=KEY, timeout=DEADLINE, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            fields["X-Api-Key"] = key
        return exchange(self.api, method, path, body, fields, timeout)

    def submit(self, body=None, **headers):
        return self.call("POST", "/v3/videos", order() if body is None else body, **headers)

    def create(self, body=None, **headers):
        reply = self.submit(body, **headers)
        if reply.status != 200:
            raise AssertionError(f"{reply.status} {reply.body!r}")
        return reply.json()["data"]["video_id"]

    def answered(self, key):
        """What a call with this key is told once it is no longer running."""
        end = time.monotonic() + DEADLINE
        reply = self.submit(Idempotency_Key=key)
        while reply.status == 409 and time.monotonic() < end:
            time.sleep(0.05)
            reply = self.submit(Idempotency_Key=key)
        return reply

    def video(self, identity):
        return self.call("GET", f"/v3/videos/{identity}").json()["data"]

    def finished(self, identity):
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            video = self.video(identity)
            if video["status"] in ("completed", "failed"):
                return video
            time.sleep(0.02)
        raise AssertionError(f"{identity} is still {video['status']}; {self.log()}")

    # Its own

    def control(self, method, path, body=None):
        return exchange(self.api, method, "/_sim/" + path, body).json()

    def fault(self, action, **rule):
        reply = self.control("POST", "faults", dict(rule, action=action))
        if "id" not in reply:
            raise AssertionError(f"refused: {reply}")
        return reply["id"]

    def charges(self):
        return self.control("GET", "charges")["charges"]

    def reset(self):
        return self.control("POST", "reset")


def slow_ffmpeg(folder):
    """An ffmpeg that passes the trial at the start and then never ends."""
    path = os.path.join(folder, "slow")
    with open(path, "w", encoding="utf-8") as file:
        file.write('#!/bin/sh\ncase $(cat script.txt) in ready) exec ffmpeg "$@";; *) sleep 60;; esac\n')
    os.chmod(path, 0o755)
    return path


def order(script="Hello from the tests", **members):
    return dict({"type": "avatar", "avatar_id": "look_1", "voice_id": "voice_1", "script": script}, **members)


def fetch(url, method="GET", headers=None, timeout=DEADLINE):
    parts = urllib.parse.urlsplit(url)
    return exchange(f"http://{parts.netloc}", method, f"{parts.path}?{parts.query}", headers=headers, timeout=timeout)


def raw(base, request, timeout=DEADLINE):
    """Sends bytes and reads to the end: (bytes received, "fin", "rst" or "timeout")."""
    parts = urllib.parse.urlsplit(base)
    with socket.create_connection((parts.hostname, parts.port), timeout) as connection:
        connection.sendall(request)
        return drain(connection)


def drain(connection):
    received = b""
    try:
        while True:
            data = connection.recv(65536)
            if not data:
                return received, "fin"
            received += data
    except ConnectionResetError:
        return received, "rst"
    except TimeoutError:
        return received, "timeout"


def post_bytes(body=None, path="/v3/videos", extra=""):
    """A POST as bytes for raw()."""
    data = json.dumps(order() if body is None else body).encode()
    head = (f"POST {path} HTTP/1.1\r\nHost: sim\r\nX-Api-Key: {KEY}\r\n{extra}"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n")
    return head.encode() + data


class Case(unittest.TestCase):
    """Tests that share one simulator, reset before each."""

    options = ("--render-time-ms", "0")

    @classmethod
    def setUpClass(cls):
        cls.sim = Simulator(*cls.options)

    @classmethod
    def tearDownClass(cls):
        status = cls.sim.stop()
        log = cls.sim.log()
        cls.sim.remove()
        if status != 0:
            raise AssertionError(f"the simulator ended with {status}: {log}")

    def setUp(self):
        self.sim.reset()

    def assert_error(self, reply, status, code, param=None):
        self.assertEqual(reply.status, status, reply.body)
        error = reply.json()["error"]
        self.assertEqual(error["code"], code)
        self.assertEqual(error.get("param"), param)
        self.assertTrue(error["message"])
        self.assertIn("X-Request-Id", reply.headers)


def main():
    if not PROGRAM:
        sys.exit("FILMGATE_SIM does not name the simulator")
    unittest.main(verbosity=2)
