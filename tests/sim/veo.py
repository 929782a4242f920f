"""Google's Veo as the simulator plays it: the token endpoint, Vertex AI with its bucket, and the Gemini API's form."""

import base64
import json
import os
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import simulator
from simulator import Simulator, exchange

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
MODEL = "veo-3.1-generate-001"
RESOURCE = f"projects/p1/locations/us-central1/publishers/google/models/{MODEL}"
SUBMIT = f"/v1/{RESOURCE}:predictLongRunning"
FETCH = f"/v1/{RESOURCE}:fetchPredictOperation"
GEMINI = f"/v1beta/models/{MODEL}"


def encode(data):
    if isinstance(data, dict):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def account(sim):
    with open(os.path.join(sim.data, "service-account.json"), encoding="utf-8") as file:
        return json.load(file)


def sign(text, pem):
    """RS256 by the openssl program: nothing here is the simulator's own code."""
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as key:
        key.write(pem)
        key.flush()
        return subprocess.run(["openssl", "dgst", "-sha256", "-sign", key.name], input=text.encode(),
                              stdout=subprocess.PIPE, check=True).stdout


def assertion(file, pem=None, **claims):
    now = int(time.time())
    body = {"iss": file["client_email"], "scope": SCOPE, "aud": file["token_uri"], "iat": now, "exp": now + 3600}
    text = encode({"alg": "RS256", "typ": "JWT"}) + "." + encode(dict(body, **claims))
    return text + "." + encode(sign(text, pem or file["private_key"]))


def ask_token(sim, jwt, grant=GRANT):
    body = urllib.parse.urlencode({"grant_type": grant, "assertion": jwt}).encode()
    return exchange(sim.api, "POST", "/token", body, {"Content-Type": "application/x-www-form-urlencoded"})


def order(prompt="A cat", **parameters):
    return {"instances": [{"prompt": prompt}],
            "parameters": dict({"generateAudio": True, "storageUri": "gs://bucket/films", "durationSeconds": 4},
                               **parameters)}


def boxes(video):
    """The types and sizes of an MP4's outermost boxes."""
    found, at = [], 0
    while at < len(video):
        size = int.from_bytes(video[at:at + 4], "big")
        found.append((video[at + 4:at + 8].decode(), size))
        at += size
    return found


class Case(simulator.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = ask_token(cls.sim, assertion(account(cls.sim))).json()["access_token"]

    def call(self, method, path, body=None, token=None, **headers):
        fields = {"Authorization": f"Bearer {token or self.token}", **headers}
        return exchange(self.sim.api, method, path, body, fields)

    def submit(self, body=None, **parameters):
        return self.call("POST", SUBMIT, order(**parameters) if body is None else body)

    def finished(self, name):
        end = time.monotonic() + simulator.DEADLINE
        while time.monotonic() < end:
            operation = self.call("POST", FETCH, {"operationName": name}).json()
            if operation.get("done"):
                return operation
            time.sleep(0.02)
        raise AssertionError(f"{name} is not done; {self.sim.log()}")

    def ended(self, **parameters):
        reply = self.submit(**parameters)
        self.assertEqual(reply.status, 200, reply.body)
        return self.finished(reply.json()["name"])

    def assert_refused(self, reply, status, code):
        self.assertEqual(reply.status, status, reply.body)
        error = reply.json()["error"]
        self.assertEqual((error["code"], error["status"]), (status, code), error)
        self.assertTrue(error["message"])


class Tokens(Case):
    def test_the_key_file_is_that_of_a_service_account_and_private(self):
        file = account(self.sim)
        self.assertEqual(file["type"], "service_account")
        self.assertEqual(file["token_uri"], f"{self.sim.api}/token")
        self.assertEqual(os.stat(os.path.join(self.sim.data, "service-account.json")).st_mode & 0o777, 0o600)

    def test_a_signed_claim_is_worth_a_token(self):
        reply = ask_token(self.sim, assertion(account(self.sim)))
        self.assertEqual(reply.status, 200, reply.body)
        self.assertEqual((reply.json()["expires_in"], reply.json()["token_type"]), (3599, "Bearer"))

    def test_other_claims_are_invalid_grants(self):
        file, now = account(self.sim), int(time.time())
        stranger = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
        good = assertion(file)
        for jwt in (assertion(file, pem=stranger), assertion(file, iss="other@x"), assertion(file, aud="https://x"),
                    assertion(file, scope="email"), assertion(file, iat=now - 7200, exp=now - 3600),
                    assertion(file, exp=now + 7200), good[:-8], good.replace(".", ""), "", "..", "a.b.c"):
            reply = ask_token(self.sim, jwt)
            self.assertEqual(reply.status, 400, reply.body)
            self.assertIn(reply.json()["error"], ("invalid_grant", "invalid_request"))
            self.assertTrue(reply.json()["error_description"])
        self.assertEqual(ask_token(self.sim, good, "password").json()["error"], "unsupported_grant_type")

    def test_a_token_is_needed_and_ends(self):
        self.assert_refused(exchange(self.sim.api, "POST", SUBMIT, order()), 401, "UNAUTHENTICATED")
        self.assert_refused(self.call("POST", SUBMIT, order(), token=self.token[:-1] + "x"), 401, "UNAUTHENTICATED")
        self.assert_refused(self.call("GET", "/storage/v1/b/bucket/o", token="x"), 401, "UNAUTHENTICATED")
        self.assertEqual(self.submit().status, 200)
        self.sim.control("POST", "clock", {"advance_ms": 3600000})
        self.assert_refused(self.submit(), 401, "UNAUTHENTICATED")

    def test_the_key_survives_and_tokens_may_be_short(self):
        with tempfile.TemporaryDirectory() as folder:
            first = Simulator("--token-life-s", "7", data=folder)
            file = account(first)
            self.assertEqual(ask_token(first, assertion(file)).json()["expires_in"], 7)
            self.assertEqual(first.stop(), 0)
            second = Simulator(data=folder)
            self.assertEqual(account(second)["private_key"], file["private_key"])
            self.assertEqual(second.stop(), 0)


class Vertex(Case):
    def test_an_order_becomes_samples_in_the_bucket(self):
        name = self.submit(sampleCount=2).json()["name"]
        self.assertTrue(name.startswith(f"{RESOURCE}/operations/"))
        response = self.finished(name)["response"]
        self.assertNotIn("raiMediaFilteredCount", response)
        self.assertEqual(len(response["videos"]), 2)
        for i, video in enumerate(response["videos"]):
            self.assertEqual(video["mimeType"], "video/mp4")
            self.assertRegex(video["gcsUri"], rf"^gs://bucket/films/v_[0-9a-f]+/sample_{i}\.mp4$")
            reply = self.download(video["gcsUri"])
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.body[4:8], b"ftyp")

    def download(self, uri, query="?alt=media", **headers):
        bucket, name = uri[5:].split("/", 1)
        return self.call("GET", f"/storage/v1/b/{bucket}/o/{urllib.parse.quote(name, safe='')}{query}", **headers)

    def inline(self, **parameters):
        body = order(**parameters)
        del body["parameters"]["storageUri"]
        response = self.finished(self.submit(body).json()["name"])["response"]
        self.assertTrue(response["@type"].endswith("GenerateVideoResponse"))
        self.assertTrue(all(video["mimeType"] == "video/mp4" for video in response["videos"]))
        return [base64.b64decode(video["bytesBase64Encoded"], validate=True) for video in response["videos"]]

    def test_without_a_bucket_the_videos_come_inside_the_reply(self):
        stored = self.download(self.ended(prompt="The same")["response"]["videos"][0]["gcsUri"]).body
        self.assertEqual(self.inline(prompt="The same", sampleCount=3), [stored] * 3)
        self.assertEqual(self.call("GET", "/storage/v1/b/bucket/o?prefix=films").json()["items"][1:], [])
        self.sim.fault({"type": "filter_samples", "samples": 1}, match={"path": SUBMIT})
        self.assertEqual(len(self.inline(sampleCount=2)), 1)
        self.assertEqual([row["seconds"] for row in self.sim.charges()], [4, 12, 4])

    def test_a_video_inside_the_reply_can_be_made_long(self):
        plain, = self.inline(prompt="Long")
        for padding in (8, 9, 1000003):
            self.sim.fault({"type": "pad_video", "bytes": padding}, match={"path": "/v1/*:fetch*"}, times=0)
            longer, = self.inline(prompt="Long")
            self.assertEqual((longer[:len(plain)], boxes(longer)[-1]), (plain, ("free", padding)))
            self.sim.control("DELETE", "faults")
        with self.assertRaises(Exception):
            self.sim.fault({"type": "pad_video", "bytes": 7}, match={"path": "/v1/*:fetch*"})

    def test_the_bucket_wants_its_names_escaped_and_serves_ranges(self):
        uri = self.ended()["response"]["videos"][0]["gcsUri"]
        whole = self.download(uri).body
        part = self.download(uri, Range="bytes=10-19")
        self.assertEqual((part.status, part.body), (206, whole[10:20]))
        self.assert_refused(self.call("GET", f"/storage/v1/b/bucket/o/{uri[12:]}?alt=media"), 404, "NOT_FOUND")
        self.assert_refused(self.download(uri.replace("bucket", "other")), 404, "NOT_FOUND")
        self.assert_refused(self.download(uri.replace("sample_0", "sample_1")), 404, "NOT_FOUND")
        self.assert_refused(self.download(uri, query=""), 400, "INVALID_ARGUMENT")

    def test_the_bucket_lists_what_is_finished(self):
        uri = self.ended(sampleCount=2)["response"]["videos"][1]["gcsUri"]
        names = [item["name"] for item in self.call("GET", "/storage/v1/b/bucket/o?prefix=films").json()["items"]]
        self.assertEqual(len(names), 2)
        self.assertIn(uri[len("gs://bucket/"):], names)
        for query in ("b/bucket/o?prefix=films/other", "b/other/o"):
            self.assertEqual(self.call("GET", f"/storage/v1/{query}").json()["items"], [])

    def test_seconds_times_samples_are_charged_and_no_key_is_honoured(self):
        for _ in range(2):
            self.submit(body=order(sampleCount=3, durationSeconds=6))
        rows = self.sim.charges()
        self.assertEqual([(row["provider"], row["type"], row["seconds"], row["idempotency_key"]) for row in rows],
                         [("veo", MODEL, 18, None)] * 2)
        self.assertEqual(rows[0]["body_sha256"], rows[1]["body_sha256"])

    def test_what_is_kept_back_is_not_charged(self):
        self.sim.fault({"type": "filter_samples", "samples": 1}, match={"path": SUBMIT})
        response = self.ended(sampleCount=3)["response"]
        self.assertEqual((len(response["videos"]), response["raiMediaFilteredCount"]), (2, 1))
        self.assertIn("42237218", response["raiMediaFilteredReasons"][0])
        self.assertEqual([row["seconds"] for row in self.sim.charges()], [8])

    def test_all_kept_back_is_done_without_error_and_without_videos(self):
        for action in ({"type": "filter_samples"}, {"type": "moderate"}):
            self.sim.fault(action, match={"path": SUBMIT})
            operation = self.ended(sampleCount=2)
            self.assertNotIn("error", operation)
            self.assertNotIn("videos", operation["response"])
            self.assertEqual(operation["response"]["raiMediaFilteredCount"], 2)
        self.assertEqual(self.sim.charges(), [])

    def test_an_operation_fails_with_a_grpc_code(self):
        self.sim.fault({"type": "fail_operation", "grpc_code": 8, "failure_message": "busy"}, match={"path": SUBMIT})
        self.assertEqual(self.ended()["error"], {"code": 8, "message": "busy"})
        self.assertEqual(self.ended(durationSeconds=3)["error"]["code"], 3)
        self.assertEqual(self.sim.charges(), [])

    def test_a_result_can_be_empty(self):
        self.sim.fault({"type": "empty_result"}, match={"path": SUBMIT})
        operation = self.ended()
        self.assertEqual((operation["response"]["videos"], "error" in operation), ([], False))
        self.assertNotIn("raiMediaFilteredCount", operation["response"])

    def test_what_googles_reference_forbids_is_refused(self):
        for body in ({}, [], {"instances": []}, {"instances": [{}]}, order(prompt=7), order(sampleCount=5),
                     order(aspectRatio="1:1"), order(resolution="8k"), order(seed=-1), order(generateAudio=None),
                     order(storageUri="s3://x"), order(durationSeconds="long")):
            self.assert_refused(self.submit(body=body), 400, "INVALID_ARGUMENT")
        for image in ({}, {"gcsUri": "gs://b/a.png"}, {"gcsUri": "https://x/a.png", "mimeType": "image/png"},
                      {"gcsUri": "gs://b/a", "bytesBase64Encoded": "A", "mimeType": "image/png"}):
            body = order()
            body["instances"][0]["image"] = image
            self.assert_refused(self.submit(body=body), 400, "INVALID_ARGUMENT")
        self.assertEqual(self.sim.charges(), [])
        self.assert_refused(self.call("POST", SUBMIT.replace("veo-", "imagen-"), order()), 404, "NOT_FOUND")

    def test_an_operation_is_asked_at_its_own_model(self):
        name = self.submit().json()["name"]
        other = FETCH.replace(MODEL, "veo-3.1-fast-generate-001")
        self.assert_refused(self.call("POST", other, {"operationName": name}), 400, "INVALID_ARGUMENT")
        self.assert_refused(self.call("POST", FETCH, {"operationName": name + "0"}), 404, "NOT_FOUND")
        self.assert_refused(self.call("POST", FETCH, {}), 400, "INVALID_ARGUMENT")

    def test_an_empty_wallet_is_a_429_that_waiting_does_not_cure(self):
        self.sim.control("POST", "credit", {"left_micros": 1})
        reply = self.submit()
        self.assert_refused(reply, 429, "RESOURCE_EXHAUSTED")
        self.assertIn("depleted", reply.json()["error"]["message"])


class Running(Case):
    options = ("--render-time-ms", "1000000")

    def test_done_is_absent_first_and_false_later(self):
        # It is absent for a second at most: on a busy machine the first look may come too late.
        for _ in range(50):
            name = self.submit().json()["name"]
            if "done" not in self.call("POST", FETCH, {"operationName": name}).json():
                break
        else:
            self.fail("'done' was there from the first look on")
        self.sim.control("POST", "clock", {"advance_ms": 500000})
        self.assertIs(self.call("POST", FETCH, {"operationName": name}).json()["done"], False)
        self.sim.control("POST", "clock", {"advance_ms": 500000})
        self.assertIs(self.finished(name)["done"], True)


class Gemini(Case):
    def gemini(self, method, path, body=None, key="sim-key"):
        return exchange(self.sim.api, method, path, body, {"X-Goog-Api-Key": key} if key else {})

    def order(self, **parameters):
        return {"instances": [{"prompt": "A cat"}], "parameters": dict({"durationSeconds": "4"}, **parameters)}

    def test_the_key_is_needed(self):
        self.assert_refused(self.gemini("POST", f"{GEMINI}:predictLongRunning", self.order(), None), 403,
                            "PERMISSION_DENIED")
        reply = self.gemini("POST", f"{GEMINI}:predictLongRunning", self.order(), "wrong")
        self.assert_refused(reply, 400, "INVALID_ARGUMENT")
        self.assertEqual(reply.json()["error"]["details"][0]["reason"], "API_KEY_INVALID")

    def test_a_result_is_a_file_that_another_host_serves_without_the_key(self):
        name = self.gemini("POST", f"{GEMINI}:predictLongRunning", self.order(sampleCount=2)).json()["name"]
        self.assertTrue(name.startswith(f"models/{MODEL}/operations/"))
        operation = {}
        while not operation.get("done"):
            operation = self.gemini("GET", f"/v1beta/{name}").json()
        samples = operation["response"]["generateVideoResponse"]["generatedSamples"]
        self.assertEqual(len(samples), 2)
        uri = urllib.parse.urlsplit(samples[1]["video"]["uri"])
        self.assertRegex(uri.path, "^/v1beta/files/[a-z0-9]+:download$")
        reply = self.gemini("GET", f"{uri.path}?{uri.query}")
        self.assertEqual(reply.status, 302)
        self.assertTrue(reply.headers["Location"].startswith(self.sim.files))
        self.assertEqual(simulator.fetch(reply.headers["Location"]).body[4:8], b"ftyp")
        self.assertEqual(self.gemini("GET", uri.path, key=None).status, 403)

    def test_what_only_vertex_knows_is_refused(self):
        for more in ({"storageUri": "gs://b"}, {"generateAudio": True}, {"fps": 24}):
            reply = self.gemini("POST", f"{GEMINI}:predictLongRunning", self.order(**more))
            self.assert_refused(reply, 400, "INVALID_ARGUMENT")

    def test_filtering_is_told_one_level_deeper(self):
        self.sim.fault({"type": "filter_samples"}, match={"path": GEMINI})
        name = self.gemini("POST", f"{GEMINI}:predictLongRunning", self.order()).json()["name"]
        operation = {}
        while not operation.get("done"):
            operation = self.gemini("GET", f"/v1beta/{name}").json()
        self.assertEqual(operation["response"]["generateVideoResponse"]["raiMediaFilteredCount"], 1)

    def test_the_model_and_unknown_operations(self):
        self.assertEqual(self.gemini("GET", GEMINI).json()["name"], f"models/{MODEL}")
        self.assert_refused(self.gemini("GET", f"{GEMINI}/operations/v_0"), 404, "NOT_FOUND")


del Case

if __name__ == "__main__":
    simulator.main()
