#!/usr/bin/env python3
"""sim.faults: every fault really happens on the socket, and charges exactly what it says."""

import email.utils
import http.client
import json
import os
import resource
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from simulator import KEY, PROGRAM, Case, Simulator, drain, exchange, exchange_on, fetch, main, order, post_bytes, raw

SUBMIT = {"method": "POST", "path": "/v3/videos"}
POLL = {"method": "GET", "path": "/v3/videos/*"}


class Faults(Case):
    options = ("--render-time-ms", "0", "--concurrency", "1000")

    def charged(self):
        return len(self.sim.charges())

    def send(self):
        return raw(self.sim.api, post_bytes(), timeout=10)


class Endings(Faults):
    def test_close_before_ends_without_a_charge(self):
        self.sim.fault({"type": "close_before"}, match=SUBMIT)
        self.assertEqual(self.send(), (b"", "fin"))
        self.assertEqual(self.charged(), 0)

    def test_close_after_ends_cleanly_with_a_charge(self):
        self.sim.fault({"type": "close_after"}, match=SUBMIT)
        self.assertEqual(self.send(), (b"", "fin"))
        self.assertEqual(self.charged(), 1)

    def test_reset_before_resets_without_a_charge(self):
        self.sim.fault({"type": "reset_before"}, match=SUBMIT)
        self.assertEqual(self.send(), (b"", "rst"))
        self.assertEqual(self.charged(), 0)

    def test_reset_after_resets_with_a_charge(self):
        self.sim.fault({"type": "reset_after"}, match=SUBMIT)
        self.assertEqual(self.send(), (b"", "rst"))
        self.assertEqual(self.charged(), 1)

    def test_a_dropped_reply_hangs_until_the_client_leaves(self):
        for kind, charges in (("drop_reply_before_charge", 0), ("drop_reply_after_charge", 1)):
            self.sim.reset()
            self.sim.fault({"type": kind}, match=SUBMIT)
            self.assertEqual(raw(self.sim.api, post_bytes(), timeout=0.5), (b"", "timeout"))
            self.assertEqual(self.charged(), charges)
            end = time.monotonic() + 5
            while self.sim.control("GET", "state")["connections"]["taken"] and time.monotonic() < end:
                time.sleep(0.01)
            self.assertEqual(self.sim.control("GET", "state")["connections"]["taken"], 0)

    def test_a_reply_lost_after_the_charge_is_replayed_under_its_key(self):
        self.sim.fault({"type": "reset_after"}, match=SUBMIT)
        with self.assertRaises(ConnectionError):
            self.sim.submit(Idempotency_Key="k")
        identity = self.sim.create(Idempotency_Key="k")
        self.assertEqual([row["video_id"] for row in self.sim.charges()], [identity])

    def test_keepalive_close_waits_for_a_second_request_on_a_connection(self):
        self.sim.fault({"type": "keepalive_close"}, match=SUBMIT)
        self.sim.create()
        self.assertEqual(self.sim.control("GET", "faults")["faults"][0]["fired"], 0)
        parts = urllib.parse.urlsplit(self.sim.api)
        with socket.create_connection((parts.hostname, parts.port), 10) as connection:
            connection.sendall(f"GET /v3/users/me HTTP/1.1\r\nHost: s\r\nX-Api-Key: {KEY}\r\n\r\n".encode())
            self.assertRegex(connection.recv(65536), rb"^HTTP/1\.1 200 ")
            connection.sendall(post_bytes())
            self.assertEqual(drain(connection), (b"", "fin"))
        self.assertEqual(self.charged(), 2)
        row = self.sim.control("GET", "requests")["requests"][-1]
        self.assertEqual((row["request_on_connection"], row["body_bytes"] > 0), (2, True))

    def test_any_fault_can_be_kept_to_reused_connections(self):
        self.sim.fault({"type": "reset_after"}, match=dict(SUBMIT, reused=True))
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.sim.api).netloc, timeout=10)
        headers = {"X-Api-Key": KEY}
        self.assertEqual(exchange_on(connection, "POST", "/v3/videos", order(), headers).status, 200)
        with self.assertRaises(ConnectionResetError):
            exchange_on(connection, "POST", "/v3/videos", order(), headers)
        connection.close()
        self.assertEqual(self.charged(), 2)


class Replies(Faults):
    def test_status_answers_with_any_status_body_and_header(self):
        self.sim.fault({"type": "status", "status": 503, "body": "<html>down</html>",
                        "headers": {"X-Why": "maintenance"}}, match=SUBMIT)
        reply = self.sim.submit()
        self.assertEqual((reply.status, reply.body), (503, b"<html>down</html>"))
        self.assertEqual((reply.headers["Content-Type"], reply.headers["X-Why"]), ("text/html", "maintenance"))
        self.assertEqual(self.charged(), 0)

    def test_status_can_charge_and_carry_json(self):
        self.sim.fault({"type": "status", "status": 500, "charge": True,
                        "body": {"error": {"code": "internal_error", "message": "x"}}}, match=SUBMIT)
        reply = self.sim.submit()
        self.assertEqual((reply.status, reply.json()["error"]["code"]), (500, "internal_error"))
        self.assertEqual(reply.headers["Content-Type"], "application/json")
        self.assertEqual(self.charged(), 1)

    def test_delay_holds_the_reply_back_but_not_the_charge(self):
        self.sim.fault({"type": "delay", "delay_ms": 600}, match=SUBMIT)
        with self.assertRaises(TimeoutError):
            self.sim.submit(timeout=0.2)
        self.assertEqual(self.charged(), 1)
        self.sim.fault({"type": "delay", "delay_ms": 400}, match=SUBMIT)
        began = time.monotonic()
        self.assertEqual(self.sim.submit().status, 200)
        self.assertGreaterEqual(time.monotonic() - began, 0.4)

    def test_a_delayed_call_keeps_its_key_in_progress(self):
        self.sim.fault({"type": "delay", "delay_ms": 1500}, match=SUBMIT)
        with self.assertRaises(TimeoutError):
            self.sim.submit(Idempotency_Key="k", timeout=0.2)
        self.assertEqual(self.sim.submit(Idempotency_Key="k").status, 409)
        self.assertEqual(self.sim.answered("k").status, 200)
        self.assertEqual(self.charged(), 1)

    def test_retry_after_comes_in_seconds_or_as_a_date(self):
        self.sim.fault({"type": "retry_after", "seconds": 7}, match=SUBMIT)
        reply = self.sim.submit()
        self.assert_error(reply, 429, "rate_limit_exceeded")
        self.assertEqual(reply.headers["Retry-After"], "7")
        self.sim.fault({"type": "retry_after", "seconds": 60, "http_date": True, "code": "quota_exceeded"},
                       match=SUBMIT)
        reply = self.sim.submit()
        self.assert_error(reply, 429, "quota_exceeded")
        then = email.utils.parsedate_to_datetime(reply.headers["Retry-After"]).timestamp()
        self.assertLess(abs(then - time.time() - 60), 5)
        self.assertEqual(self.charged(), 0)

    def test_error_in_200_looks_like_the_old_interface(self):
        self.sim.fault({"type": "error_in_200"}, match=SUBMIT)
        reply = self.sim.submit()
        self.assertEqual(reply.status, 200)
        self.assertIsNone(reply.json()["data"])
        self.assertEqual(reply.json()["error"]["code"], "trial_video_limit_exceeded")
        self.assertEqual(self.charged(), 0)

    def test_redirect_sends_the_client_elsewhere(self):
        self.sim.fault({"type": "redirect", "location": self.sim.files + "/steal", "status": 307}, match=POLL)
        reply = self.sim.call("GET", "/v3/videos/v_1")
        self.assertEqual((reply.status, reply.headers["Location"]), (307, self.sim.files + "/steal"))
        exchange(self.sim.files, "GET", "/steal", headers={"X-Api-Key": "leaked"})
        row = self.sim.control("GET", "requests")["requests"][-1]
        self.assertEqual((row["host"], row["path"], row["api_key"], row["status"]), ("files", "/steal", True, 404))


class Damage(Faults):
    def test_a_reply_is_cut_short_at_the_byte(self):
        self.sim.fault({"type": "truncate", "at": 10}, match=SUBMIT)
        received, end = self.send()
        head, body = received.split(b"\r\n\r\n", 1)
        length = int(dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])[b"Content-Length"])
        self.assertEqual((len(body), end), (10, "fin"))
        self.assertGreater(length, 10)
        self.assertTrue(body.startswith(b'{"data":{'))
        self.assertEqual(self.charged(), 1)

    def test_without_a_byte_half_of_the_reply_comes_and_reset_is_possible(self):
        self.sim.fault({"type": "truncate", "reset": True}, match=SUBMIT)
        parts = urllib.parse.urlsplit(self.sim.api)
        with socket.create_connection((parts.hostname, parts.port), 10) as connection:
            connection.sendall(post_bytes())
            self.assertEqual(drain(connection)[1], "rst")
        self.sim.fault({"type": "truncate"}, match=SUBMIT)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.sim.submit()
        self.assertLessEqual(abs(len(caught.exception.partial) - caught.exception.expected), 1)

    def test_endless_headers_end_only_with_the_client(self):
        self.sim.fault({"type": "endless_headers"}, match=SUBMIT)
        parts = urllib.parse.urlsplit(self.sim.api)
        seen = b""
        with socket.create_connection((parts.hostname, parts.port), 10) as connection:
            connection.sendall(post_bytes())
            while len(seen) < 8 << 20:
                seen += connection.recv(1 << 20)
        self.assertTrue(seen.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertNotIn(b"\r\n\r\n", seen)
        self.assertEqual(self.charged(), 1)

    def test_a_gigabyte_comes_without_memory_for_it(self):
        self.sim.fault({"type": "gigabyte", "charge": False}, match=SUBMIT)
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.sim.api).netloc, timeout=30)
        connection.request("POST", "/v3/videos", json.dumps(order()), {"X-Api-Key": KEY})
        response = connection.getresponse()
        self.assertGreater(int(response.headers["Content-Length"]), 1 << 30)
        left, resident = 64 << 20, 0
        while left > 0:
            left -= len(response.read(1 << 20))
            resident = max(resident, self.resident_kib())
        connection.close()
        self.assertEqual(self.charged(), 0)
        if "ASAN_OPTIONS" not in os.environ:
            self.assertLess(resident, 200 * 1024)

    def resident_kib(self):
        with open(f"/proc/{self.sim.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4

    def test_an_unannounced_flood_ends_with_the_connection(self):
        self.sim.fault({"type": "gigabyte", "bytes": 300000, "announced": False}, match=SUBMIT)
        received, end = self.send()
        head, body = received.split(b"\r\n\r\n", 1)
        self.assertNotIn(b"Content-Length", head)
        self.assertEqual((len(body), end), (300000 + len('{"data":{"video_id":"'), "fin"))

    def test_trickle_lets_a_few_bytes_a_second_through(self):
        self.sim.fault({"type": "trickle", "bytes_per_second": 200}, match=SUBMIT)
        began = time.monotonic()
        reply = self.sim.submit()
        self.assertEqual(reply.status, 200)
        self.assertGreater(time.monotonic() - began, 0.8)
        self.assertEqual(self.charged(), 1)


class Videos(Faults):
    def link(self):
        return self.sim.finished(self.sim.create())["video_url"]

    def test_moderation_shows_only_at_the_poll(self):
        self.sim.fault({"type": "moderate"}, match=dict(SUBMIT, body_contains="forbidden"))
        fine = self.sim.create(order("all is well"))
        bad = self.sim.create(order("a forbidden word"))
        self.assertEqual(self.sim.finished(fine)["status"], "completed")
        video = self.sim.finished(bad)
        self.assertEqual((video["status"], video["failure_code"]), ("failed", "content_policy_violation"))
        self.assertTrue(video["failure_message"])
        self.assertEqual(self.charged(), 2)

    def test_moderation_at_a_poll_stays_with_the_video(self):
        identity = self.sim.create()
        self.sim.fault({"type": "moderate", "failure_code": "MOVIO_CONTENT_MODERATION"}, match=POLL)
        for _ in range(2):
            self.assertEqual(self.sim.video(identity)["failure_code"], "MOVIO_CONTENT_MODERATION")

    def test_credit_can_run_out_at_the_poll(self):
        self.sim.fault({"type": "credit_failure"}, match=SUBMIT)
        video = self.sim.finished(self.sim.create())
        self.assertEqual((video["status"], video["failure_code"]), ("failed", "MOVIO_PAYMENT_INSUFFICIENT_CREDIT"))

    def test_an_expired_link_is_replaced_by_the_next_poll(self):
        identity = self.sim.create()
        self.sim.finished(identity)
        self.sim.fault({"type": "expire_link"}, match=POLL)
        self.assertEqual(fetch(self.sim.video(identity)["video_url"]).status, 403)
        self.assertEqual(fetch(self.sim.video(identity)["video_url"]).status, 200)

    def test_the_file_host_can_call_a_good_link_expired(self):
        link = self.link()
        self.sim.fault({"type": "expire_link"}, match={"host": "files"})
        self.assertEqual(fetch(link).status, 403)
        self.assertEqual(fetch(link).status, 200)

    def test_a_completed_video_can_be_without_its_link_for_a_while(self):
        identity = self.sim.create()
        self.sim.finished(identity)
        self.sim.fault({"type": "link_lag"}, match=POLL, times=2)
        videos = [self.sim.video(identity) for _ in range(3)]
        self.assertEqual([video["status"] for video in videos], ["completed"] * 3)
        self.assertEqual([video["video_url"] is None for video in videos], [True, True, False])

    def test_a_file_is_cut_short_at_the_byte(self):
        link = self.link()
        whole = fetch(link).body
        self.sim.fault({"type": "truncate", "at": 1000}, match={"path": "/files/"})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            fetch(link)
        self.assertEqual(caught.exception.partial, whole[:1000])
        rest = fetch(link, headers={"Range": "bytes=1000-"})
        self.assertEqual((rest.status, whole[:1000] + rest.body), (206, whole))

    def test_a_file_can_trickle(self):
        link = self.link()
        whole = fetch(link).body
        self.sim.fault({"type": "trickle", "bytes_per_second": len(whole)}, match={"path": "/files/"})
        began = time.monotonic()
        self.assertEqual(fetch(link).body, whole)
        self.assertGreater(time.monotonic() - began, 0.7)

    def test_what_is_served_may_not_be_a_video(self):
        link = self.link()
        self.sim.fault({"type": "not_a_video"}, match={"path": "/files/"})
        reply = fetch(link)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "text/html"))
        self.sim.fault({"type": "not_a_video", "content": "random", "bytes": 5000}, match={"path": "/files/"})
        reply = fetch(link)
        self.assertEqual((reply.headers["Content-Type"], len(reply.body)), ("video/mp4", 5000))
        self.assertNotIn(b"ftyp", reply.body[:64])


class Rules(Faults):
    def statuses(self, count):
        return [self.sim.call("GET", "/v3/users/me").status for _ in range(count)]

    def test_nth_counts_from_the_rules_arrival(self):
        self.statuses(2)
        self.sim.fault({"type": "status", "status": 500}, nth=2)
        self.assertEqual(self.statuses(4), [200, 500, 200, 200])

    def test_nth_with_times_goes_on(self):
        self.sim.fault({"type": "status", "status": 500}, nth=2, times=2)
        self.assertEqual(self.statuses(5), [200, 500, 500, 200, 200])

    def test_times_zero_never_stops(self):
        self.sim.fault({"type": "status", "status": 500}, nth=3, times=0)
        self.assertEqual(self.statuses(5), [200, 200, 500, 500, 500])

    def test_every_repeats_and_times_bounds_it(self):
        self.sim.fault({"type": "status", "status": 500}, every=2, times=2)
        self.assertEqual(self.statuses(7), [200, 500, 200, 500, 200, 200, 200])

    def test_the_first_rule_wins_and_all_count(self):
        self.sim.fault({"type": "status", "status": 500})
        self.sim.fault({"type": "status", "status": 501}, nth=2)
        self.assertEqual(self.statuses(3), [500, 501, 200])

    def test_a_path_is_a_prefix_or_a_glob(self):
        self.sim.fault({"type": "status", "status": 500}, match={"path": "/v3/vid"}, times=0)
        self.sim.fault({"type": "status", "status": 501}, match={"path": "/v3/*/me"}, times=0)
        paths = ("/v3/videos", "/v3/videos/v_1", "/v3/users/me", "/v3/users/men")
        self.assertEqual([self.sim.call("GET", path).status for path in paths], [500, 500, 501, 404])

    def test_rules_are_listed_with_what_they_did_and_can_go(self):
        first = self.sim.fault({"type": "status", "status": 500}, nth=2)
        second = self.sim.fault({"type": "close_after"}, match=SUBMIT)
        self.statuses(2)
        listed = self.sim.control("GET", "faults")["faults"]
        self.assertEqual([(rule["id"], rule["seen"], rule["fired"]) for rule in listed],
                         [(first, 2, 1), (second, 0, 0)])
        self.assertEqual(listed[0]["action"], {"type": "status", "status": 500})
        self.sim.control("DELETE", f"faults/{first}")
        self.assertEqual([rule["id"] for rule in self.sim.control("GET", "faults")["faults"]], [second])
        self.sim.control("DELETE", "faults")
        self.assertEqual(self.sim.control("GET", "faults")["faults"], [])
        self.assertEqual(exchange(self.sim.api, "DELETE", f"/_sim/faults/{first}").status, 404)

    def test_the_request_log_names_the_fault(self):
        name = self.sim.fault({"type": "close_after"}, match=SUBMIT)
        self.send()
        self.assertEqual(self.sim.control("GET", "requests")["requests"][-1]["fault"], name)

    def test_a_rule_with_a_slip_in_it_is_refused(self):
        for rule, word in (({}, "action"),
                           ({"action": {"type": "explode"}}, "explode"),
                           ({"action": {"type": "delay", "dealy_ms": 3}}, "dealy_ms"),
                           ({"action": {"type": "status"}}, "status"),
                           ({"action": {"type": "status", "status": "500"}}, "status"),
                           ({"action": {"type": "status", "status": 99}}, "status"),
                           ({"action": {"type": "close_after", "charge": False}}, "charge"),
                           ({"action": {"type": "trickle", "bytes_per_second": 0}}, "bytes_per_second"),
                           ({"action": {"type": "status", "status": 500, "headers": {"A": "b\r\nC: d"}}}, "headers"),
                           ({"action": {"type": "not_a_video", "bytes": 5}}, "content"),
                           ({"action": {"type": "not_a_video", "content": "html", "bytes": 5}}, "content"),
                           ({"action": {"type": "not_a_video", "content": "random", "bytes": 67108865}}, "bytes"),
                           ({"action": {"type": "retry_after", "seconds": 2 ** 63 - 1}}, "seconds"),
                           ({"action": {"type": "delay"}, "nth": 0}, "nth"),
                           ({"action": {"type": "delay"}, "nth": 1, "every": 2}, "nth"),
                           ({"action": {"type": "delay"}, "match": {"methode": "GET"}}, "methode"),
                           ({"action": {"type": "delay"}, "match": {"host": "api2"}}, "host"),
                           ({"action": {"type": "delay"}, "oops": 1}, "oops"),
                           ([], "object")):
            reply = exchange(self.sim.api, "POST", "/_sim/faults", rule)
            self.assertEqual(reply.status, 400, rule)
            self.assertIn(word, reply.json()["error"]["message"])

    def test_there_is_a_limit_to_rules(self):
        for _ in range(1000):
            self.sim.fault({"type": "delay"}, match={"path": "/none"})
        self.assertEqual(exchange(self.sim.api, "POST", "/_sim/faults", {"action": {"type": "delay"}}).status, 400)


class Crowd(unittest.TestCase):
    def test_taken_connections_have_a_limit(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2000:
            self.skipTest(f"only {hard} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
        sim = Simulator()
        held = []
        try:
            sim.fault({"type": "drop_reply_before_charge"}, match={"path": "/v3/users/me"}, times=0)
            parts = urllib.parse.urlsplit(sim.api)
            for _ in range(1024):
                held.append(self.hang(parts))
            self.assertEqual(self.taken_by(sim, 1024), 1024)
            held.append(self.hang(parts))
            self.assertEqual(drain(held[-1]), (b"", "fin"))
            self.assertEqual(self.taken_by(sim, 1024), 1024)
        finally:
            for connection in held:
                connection.close()
            self.assertEqual(sim.stop(), 0)
            sim.remove()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def hang(self, parts):
        connection = socket.create_connection((parts.hostname, parts.port), 10)
        connection.sendall(b"GET /v3/users/me HTTP/1.1\r\nHost: s\r\n\r\n")
        return connection

    def taken_by(self, sim, expected):
        end = time.monotonic() + 10
        taken = -1
        while taken != expected and time.monotonic() < end:
            taken = sim.control("GET", "state")["connections"]["taken"]
        return taken


class Scripts(unittest.TestCase):
    def test_faults_can_come_from_a_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump([{"match": SUBMIT, "action": {"type": "status", "status": 500}}], file)
            file.flush()
            sim = Simulator("--faults", file.name)
            try:
                self.assertEqual([sim.submit().status for _ in range(2)], [500, 200])
            finally:
                self.assertEqual(sim.stop(), 0)
                sim.remove()

    def test_a_file_with_a_slip_is_refused(self):
        with tempfile.TemporaryDirectory() as data:
            path = os.path.join(data, "faults.json")
            for text, words in (("[{]", "line 1"), ("{}", "array"), ('[{"action": {"type": "x"}}]', "fault 1")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                failed = subprocess.run([PROGRAM, "--data", data, "--listen", "127.0.0.1:0", "--faults", path],
                                        capture_output=True, timeout=30, check=False)
                self.assertEqual(failed.returncode, 1)
                self.assertIn(words, failed.stderr.decode())


if __name__ == "__main__":
    main()
