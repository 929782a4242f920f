#!/usr/bin/env python3
"""sim.http2: the API over HTTP/2 without TLS, and streams that are refused although they were charged."""

import json
import shutil
import socket
import struct
import subprocess
import unittest
import urllib.parse

from simulator import KEY, Case, fetch, main, order

DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, END_HEADERS, ACK = 1, 4, 1
REFUSED_STREAM, INTERNAL_ERROR = 7, 2
SUBMIT = {"method": "POST", "path": "/v3/videos"}


class Client:
    """HTTP/2 with prior knowledge: headers go out as plain literals; of replies only the body is read."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), 20)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.send(SETTINGS, 0, 0, b"")
        self.next_stream = 1

    def close(self):
        self.socket.close()

    def send(self, kind, flags, stream, payload):
        head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
        self.socket.sendall(head + payload)

    def receive(self):
        head = self.exactly(9)
        length = struct.unpack(">I", b"\0" + head[:3])[0]
        return head[3], head[4], struct.unpack(">I", head[5:])[0], self.exactly(length)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("closed")
            data += more
        return data

    @staticmethod
    def literal(name, value):
        def text(raw):
            data = raw.encode()
            return (bytes([len(data)]) if len(data) < 127 else bytes([127, len(data) - 127])) + data
        return b"\0" + text(name) + text(value)

    def start(self, method, path, body=b"", **headers):
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        fields = {":method": method, ":scheme": "http", ":authority": "sim", ":path": path, "x-api-key": KEY}
        fields.update({name.replace("_", "-"): value for name, value in headers.items()})
        block = b"".join(self.literal(name, value) for name, value in fields.items())
        self.send(HEADERS, END_HEADERS | (0 if body else END_STREAM), stream, block)
        if body:
            self.send(DATA, END_STREAM, stream, body)
        return stream

    def finish(self, stream):
        """("reply", body) or ("reset", error code) of that stream; "closed" for the connection."""
        body = b""
        while True:
            try:
                kind, flags, number, payload = self.receive()
            except ConnectionResetError:
                return "closed", "rst"
            except ConnectionError:
                return "closed", "fin"
            if kind == SETTINGS and not flags & ACK:
                self.send(SETTINGS, ACK, 0, b"")
            if number != stream:
                continue
            if kind == RST_STREAM:
                return "reset", struct.unpack(">I", payload)[0]
            if kind == DATA:
                body += payload
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                return "reply", body

    def ask(self, *arguments, **headers):
        return self.finish(self.start(*arguments, **headers))


class Http2(Case):
    options = ("--render-time-ms", "0", "--h2-listen", "127.0.0.1:0", "--concurrency", "100")

    def setUp(self):
        super().setUp()
        self.client = Client(self.sim.h2)
        self.addCleanup(self.client.close)

    def submit(self, **headers):
        return self.client.ask("POST", "/v3/videos", json.dumps(order()).encode(), **headers)

    def test_the_same_interface_is_served(self):
        kind, body = self.submit(idempotency_key="k")
        identity = json.loads(body)["data"]["video_id"]
        self.assertEqual(kind, "reply")
        self.assertEqual(self.submit(idempotency_key="k"), ("reply", body))
        self.assertEqual([row["idempotency_key"] for row in self.sim.charges()], ["k"])
        kind, body = self.client.ask("GET", "/v3/videos?limit=1&title=a%20b")
        self.assertEqual(json.loads(body)["data"], [])
        kind, body = self.client.ask("GET", f"/v3/videos/{identity}")
        self.assertEqual(json.loads(body)["data"]["id"], identity)
        row = self.sim.control("GET", "requests")["requests"][-1]
        self.assertEqual((row["http"], row["request_on_connection"], row["api_key"]), ("2", 4, True))

    def test_many_streams_share_a_connection(self):
        left = {self.client.start("GET", "/v3/users/me") for _ in range(50)}
        while left:
            kind, flags, number, _ = self.client.receive()
            self.assertNotEqual(kind, RST_STREAM)
            if kind == DATA and flags & END_STREAM:
                left.remove(number)
        rows = self.sim.control("GET", "requests")["requests"]
        self.assertEqual([row["request_on_connection"] for row in rows], list(range(1, 51)))

    def test_a_stream_is_refused_before_or_after_the_charge(self):
        for charge in (False, True):
            self.sim.reset()
            self.sim.fault({"type": "refused_stream", "charge": charge}, match=SUBMIT)
            self.assertEqual(self.submit(), ("reset", REFUSED_STREAM))
            self.assertEqual(len(self.sim.charges()), int(charge))
            self.assertEqual(self.submit()[0], "reply")

    def test_a_refused_stream_waits_for_http2(self):
        self.sim.fault({"type": "refused_stream", "charge": True}, match=SUBMIT)
        self.sim.create()
        self.assertEqual(self.submit(), ("reset", REFUSED_STREAM))
        self.assertEqual(len(self.sim.charges()), 2)

    @unittest.skipUnless(shutil.which("curl"), "there is no curl")
    def test_libcurl_resends_a_refused_stream_by_itself_and_pays_twice(self):
        self.sim.fault({"type": "refused_stream", "charge": True}, match=SUBMIT)
        done = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-H", f"X-Api-Key: {KEY}", "-d",
                               json.dumps(order()), self.sim.h2 + "/v3/videos"], capture_output=True, timeout=30,
                              check=False)
        self.assertIn(b"video_id", done.stdout)
        self.assertEqual(len(self.sim.charges()), 2)

    def test_connections_end_as_faults_say(self):
        for kind, end, charges in (("close_before", "fin", 0), ("close_after", "fin", 1), ("reset_after", "rst", 1)):
            self.sim.reset()
            self.sim.fault({"type": kind}, match=SUBMIT)
            client = Client(self.sim.h2)
            outcome = client.finish(client.start("POST", "/v3/videos", json.dumps(order()).encode()))
            client.close()
            self.assertEqual(outcome, ("closed", end))
            self.assertEqual(len(self.sim.charges()), charges)

    def test_what_only_bytes_can_do_resets_the_stream(self):
        self.sim.fault({"type": "truncate"}, match=SUBMIT)
        self.assertEqual(self.submit(), ("reset", INTERNAL_ERROR))

    def test_a_delayed_reply_does_not_hold_up_other_streams(self):
        self.sim.fault({"type": "delay", "delay_ms": 500}, match=SUBMIT)
        slow = self.client.start("POST", "/v3/videos", json.dumps(order()).encode())
        self.assertEqual(self.client.ask("GET", "/v3/users/me")[0], "reply")
        self.assertEqual(self.client.finish(slow)[0], "reply")

    def test_a_client_that_leaves_early_hurts_nobody(self):
        self.sim.fault({"type": "delay", "delay_ms": 200}, match=SUBMIT, times=0)
        for _ in range(5):
            client = Client(self.sim.h2)
            client.start("POST", "/v3/videos", json.dumps(order()).encode())
            client.close()
        self.assertEqual(self.submit()[0], "reply")

    def test_rubbish_ends_the_connection(self):
        parts = urllib.parse.urlsplit(self.sim.h2)
        with socket.create_connection((parts.hostname, parts.port), 10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: sim\r\n\r\n")
            while connection.recv(4096):
                pass
        self.assertEqual(fetch(self.sim.api + "/v3/users/me?").status, 401)


if __name__ == "__main__":
    main()
