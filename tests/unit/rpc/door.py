#!/usr/bin/python3
"""The rpc room as clients see it: test_rpc_door_server (the room before a fake engine) driven by grpcio.

    door.py SERVER ALL_PB      the server's binary, and the contract as a FileDescriptorSet

Messages are built from the descriptors, so nothing is generated. Every wait is bounded.
"""

import base64
import functools
import hashlib
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVER, ALL_PB = sys.argv[1:3]
WAIT = 20.0
CHUNK = 256 * 1024
FILE_BYTES = 3 * CHUNK + 1234

pool = descriptor_pool.DescriptorPool()
with open(ALL_PB, "rb") as f:
    descriptor_set = descriptor_pb2.FileDescriptorSet.FromString(f.read())
for file in descriptor_set.file:
    pool.Add(file)
factory = message_factory.MessageFactory(pool)


def cls(name):
    return factory.GetPrototype(pool.FindMessageTypeByName(name))


def v1(name, /, **fields):
    return cls("filmgate.v1." + name)(**fields)


STATE = pool.FindEnumTypeByName("filmgate.v1.JobState").values_by_name
KIND = {v.number: v.name[len("JOB_EVENT_KIND_"):]
        for v in pool.FindEnumTypeByName("filmgate.v1.JobEventKind").values}


class Door:
    """A server process."""

    def __init__(self, *more, files=None):
        """@more: further arguments of the server; @files: what it may open, as its hard limit."""
        self.dir = tempfile.TemporaryDirectory()
        self.unix = os.path.join(self.dir.name, "s")
        self.file = os.path.join(self.dir.name, "video")
        self.bytes = os.urandom(FILE_BYTES)
        with open(self.file, "wb") as f:
            f.write(self.bytes)
        before = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files // 2, files))) if files else None
        self.process = subprocess.Popen([SERVER, self.file, self.unix, *more], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=before)
        words = self.process.stdout.readline().split()
        assert words and words[0] == "ready", words
        self.port = int(words[1])
        self.target = f"127.0.0.1:{self.port}"

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        words = self.process.stdout.readline().split()
        assert words and words[0] == "done", (line, words)
        return [int(word) for word in words[1:]]

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def close(self):
        try:
            self.process.stdin.write("quit\n")
            self.process.stdin.flush()
            code = self.process.wait(WAIT)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.dir.cleanup()
        assert code == 0, f"the server ended with {code}"


class Client:
    def __init__(self, target, **options):
        options = [("grpc.use_local_subchannel_pool", 1), *options.items()]
        self.channel = grpc.insecure_channel(target, options)

    def raw(self, path, data, wait=WAIT, metadata=None):
        return self.channel.unary_unary(path)(data, timeout=wait, metadata=metadata)

    def call(self, method, /, wait=WAIT, **fields):
        service, name = method.split("/")
        found = pool.FindServiceByName(service).methods_by_name[name]
        request = factory.GetPrototype(found.input_type)(**fields)
        return factory.GetPrototype(found.output_type).FromString(
            self.raw("/" + method, request.SerializeToString(), wait))

    def job(self, method, /, **fields):
        return self.call("filmgate.v1.JobService/" + method, **fields)

    def create(self, **fields):
        fields.setdefault("provider", "providers/demo")
        return self.job("CreateJob", job=v1("Job", **fields)).job

    def stream(self, method, /, wait=WAIT, **fields):
        service, name = method.split("/")
        found = pool.FindServiceByName(service).methods_by_name[name]
        request = factory.GetPrototype(found.input_type)(**fields)
        response = factory.GetPrototype(found.output_type)
        return self.channel.unary_stream("/" + method, response_deserializer=response.FromString)(
            request.SerializeToString(), timeout=wait)

    def watch(self, method, /, **fields):
        return self.stream("filmgate.v1.JobService/" + method, **fields)

    def close(self):
        self.channel.close()


def details(error):
    """The google.rpc details of a failed call, by the name of their type."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            status = cls("google.rpc.Status").FromString(value)
            assert status.code == error.code().value[0]
            assert status.message == error.details()
            return {any.type_url.split("google.rpc.")[1]:
                    cls(any.type_url.split("/")[1]).FromString(any.value) for any in status.details}
    return {}


def wait_until(condition):
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


class Case(unittest.TestCase):
    def setUp(self):
        self.door = Door()
        self.addCleanup(self.door.close)
        self.client = Client(self.door.target)
        self.addCleanup(self.client.close)

    def refused(self, code, reason, call, *args, **kwargs):
        with self.assertRaises(grpc.RpcError) as caught:
            result = call(*args, **kwargs)
            if not hasattr(result, "DESCRIPTOR"):
                list(result)
        error = caught.exception
        self.assertEqual(error.code(), code, error.details())
        found = details(error)
        if reason:
            self.assertEqual(found["ErrorInfo"].domain, "filmgate")
            self.assertEqual(found["ErrorInfo"].reason, reason)
        if "BadRequest" in found:  # whoever sees the message alone learns as much
            first = found["BadRequest"].field_violations[0]
            self.assertEqual(error.details(), f"{first.field}: {first.description}"[:512])
        return found

    def violation(self, found):
        return [(v.field, v.description) for v in found["BadRequest"].field_violations]

    def assert_alive(self):
        self.assertTrue(self.client.create().name)

    @staticmethod
    def wait_until(condition):
        wait_until(condition)


class Shared(Case):
    """Tests that ask and change nothing but by calls of their own: one server bears them all, and starts once."""

    @classmethod
    def setUpClass(cls):
        cls.door = Door()
        cls.addClassCleanup(cls.door.close)

    def setUp(self):
        self.client = Client(self.door.target)
        self.addCleanup(self.client.close)


CODE = grpc.StatusCode
CREATE = "/filmgate.v1.JobService/CreateJob"


class Jobs(Case):
    def test_a_job_comes_back_as_it_was_ordered(self):
        parameters = v1("JobParameters", prompt="a cat", fps=24, seed=0, audio=1)
        parameters.extras.update({"cfg": 0.1, "list": [1, "x", None, True]})
        job = self.client.create(model="slow", parameters=parameters, display_name="naïve 🎬",
                                 labels={"team": "a", "b": ""}, priority=-5, on_uncertain=3, retry_if_uncharged=10, on_mismatch=3,
                                 not_before_time={"seconds": 1795000000, "nanos": 5000000})
        self.assertRegex(job.name, r"^jobs/[0-9a-f-]{36}$")
        self.assertEqual(job.parameters, parameters)
        self.assertEqual((job.display_name, dict(job.labels), job.priority), ("naïve 🎬", {"team": "a", "b": ""}, -5))
        self.assertEqual((job.provider, job.model, job.revision), ("providers/demo", "slow", 1))
        self.assertEqual((job.on_uncertain, job.retry_if_uncharged, job.on_mismatch), (3, 10, 3))
        self.assertEqual((job.not_before_time.seconds, job.not_before_time.nanos), (1795000000, 5000000))
        self.assertEqual(job.status.state, STATE["JOB_STATE_QUEUED"].number)
        self.assertGreater(job.expire_time.seconds, job.create_time.seconds)
        # Read back from the stored document.
        self.assertEqual(self.client.job("GetJob", name=job.name).job, job)

    def test_a_job_with_fallbacks_says_what_was_ordered_and_where_it_is(self):
        routes = [v1("Route", provider="providers/second", model="m2"), v1("Route", provider="providers/third")]
        for model, now in (("slow", ("providers/demo", "slow")), ("moved", ("providers/second", "m2"))):
            job = self.client.create(model=model, fallbacks=routes, parameters=v1("JobParameters", prompt="a cat"))
            self.assertEqual((job.provider, job.model), ("providers/demo", model))
            self.assertEqual(list(job.fallbacks), routes)
            self.assertEqual((job.status.provider, job.status.model), now)
            self.assertEqual(self.client.job("GetJob", name=job.name).job, job)

    def test_wrong_fallbacks_are_named(self):
        order = v1("Job", provider="providers/demo")
        order.fallbacks.add(provider="demo")
        order.fallbacks.add(provider="providers/demo", model="m" * 256)
        found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "CreateJob", job=order)
        self.assertEqual([field for field, _ in self.violation(found)],
                         ["job.fallbacks[0].provider", "job.fallbacks[1].model"])
        order = v1("Job", provider="providers/demo", fallbacks=[v1("Route", provider="providers/demo")] * 5)
        found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "CreateJob", job=order)
        self.assertEqual(self.violation(found), [("job.fallbacks", "has 5 entries; at most 4 are possible")])

    def test_the_reply_shows_what_was_kept(self):
        job = self.client.create(model="filled", parameters=v1("JobParameters", prompt="x"))
        self.assertEqual(job.parameters, v1("JobParameters", fps=30))

    def test_a_request_id_gives_the_first_job_again(self):
        order = v1("Job", provider="providers/demo")
        first = self.client.job("CreateJob", job=order, request_id="order-1")
        again = self.client.job("CreateJob", job=order, request_id="order-1")
        self.assertFalse(first.replayed)
        self.assertTrue(again.replayed)
        self.assertEqual(first.job.name, again.job.name)
        order.parameters.prompt = "another"
        self.refused(CODE.ALREADY_EXISTS, "REQUEST_ID_REUSED", self.client.job, "CreateJob", job=order,
                     request_id="order-1")

    def test_checking_only_gives_a_job_without_a_name(self):
        job = self.client.job("CreateJob", job=v1("Job", provider="providers/demo"), validate_only=True).job
        self.assertEqual((job.name, job.revision), ("", 0))

    def test_wrong_fields_are_all_named(self):
        job = v1("Job", provider="demo", priority=101, retry_if_uncharged=11, display_name="a\x01",
                 labels={"Bad Key": "x"})
        job.parameters.fps = 241
        job.parameters.media.add(url="https://example.com/a.png")
        found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "CreateJob", job=job,
                             request_id="has space", timeout={"seconds": 0, "nanos": 1})
        self.assertEqual(sorted(field for field, _ in self.violation(found)), sorted([
            "job.provider", "job.priority", "job.display_name", "job.labels", "job.retry_if_uncharged",
            "job.parameters.fps", "job.parameters.media[0].kind", "job.parameters.media[0].role", "request_id",
            "timeout"]))

    def test_what_is_quoted_is_cut_and_shows_what_is_not_seen(self):
        job = v1("Job", provider="\x1b[2J", labels={"a\u202e" + "b" * 100: "x"})
        job.parameters.background.color = "#\x07" + "f" * 25000
        found = dict(self.violation(self.refused(
            CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "CreateJob", job=job,
            timeout={"seconds": 0, "nanos": 500000000})))
        self.assertEqual(found["job.provider"], "'\\x1b[2J' is not a provider; write providers/{id}")
        self.assertTrue(found["job.labels"].startswith("'a\\u202e" + "b" * 76 + "…' is not a key"), found["job.labels"])
        self.assertEqual(found["job.parameters.background.color"],
                         "'#\\x07" + "f" * 78 + "…' is not a colour; write #rrggbb")
        self.assertRegex(found["timeout"], "^0 s and 500000000 ns are not possible; 1 s to 30 days")

    def test_what_lists_show_has_no_control_characters(self):
        for text in "a\nb", "\x7f", "\x85", "\u2028", "x\u202e", "\u2066":
            for fields in {"display_name": text}, {"labels": {"k": text}}:
                found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.create, **fields)
                self.assertRegex(self.violation(found)[0][1], "has the control character U\\+[0-9A-F]{4} at byte [12]$")
        self.client.create(display_name="שלום\u200f\u00a0🎬", labels={"k": "عربي"})

    def test_the_engines_violations_are_named_as_the_request_names_them(self):
        found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.create,
                             provider="providers/outcome-2")
        self.assertEqual(self.violation(found), [("job.parameters.prompt", "as told")])

    def test_a_provider_that_cannot_be_used_is_named(self):
        found = self.refused(CODE.UNAVAILABLE, "PROVIDER_FAILED", self.client.create, provider="providers/outcome-11")
        self.assertEqual((found["ResourceInfo"].resource_type, found["ResourceInfo"].resource_name),
                         ("filmgate.v1.Provider", "providers/outcome-11"))

    def test_a_fault_says_nothing_of_the_inside(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.client.create(provider="providers/errno-5")
        self.assertEqual(caught.exception.code(), CODE.INTERNAL)
        self.assertNotIn("as told", caught.exception.details())

    def test_updating_changes_what_the_mask_names(self):
        job = self.client.create(display_name="before", labels={"a": "1"})
        change = v1("Job", name=job.name, display_name="after", priority=7)
        updated = self.client.job("UpdateJob", job=change, update_mask={"paths": ["display_name", "labels"]}).job
        self.assertEqual((updated.display_name, dict(updated.labels), updated.priority), ("after", {}, 0))
        self.assertEqual(updated.revision, 2)
        found = self.refused(CODE.ABORTED, "REVISION_MISMATCH", self.client.job, "UpdateJob", job=change,
                             update_mask={"paths": ["priority"]}, expected_revision=1)
        self.assertEqual(found["ResourceInfo"].resource_name, job.name)
        for paths in [], ["model"], ["labels.a"]:
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "UpdateJob", job=change,
                                 update_mask={"paths": paths})
            self.assertEqual(self.violation(found)[0][0], "update_mask")

    def test_cancel_retry_and_delete(self):
        job = self.client.create()
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", self.client.job, "DeleteJob", name=job.name)
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", self.client.job, "RetryJob", name=job.name)
        cancelled = self.client.job("CancelJob", name=job.name)
        self.assertEqual(cancelled.outcome, 1)
        self.assertEqual(cancelled.job.status.cancel.outcome, 1)
        self.assertEqual(self.client.job("RetryJob", name=job.name).job.retry_of, job.name)
        self.client.job("DeleteJob", name=job.name)
        found = self.refused(CODE.NOT_FOUND, "JOB_NOT_FOUND", self.client.job, "DeleteJob", name=job.name)
        self.assertEqual((found["ResourceInfo"].resource_type, found["ResourceInfo"].resource_name),
                         ("filmgate.v1.Job", job.name))

    def test_resume(self):
        job = self.client.create()
        self.assertEqual(self.client.job("ResumeJob", name=job.name).job.name, job.name)
        missing = "jobs/01a22ad4-0000-7afe-a60d-8b1aaffec73c"
        self.refused(CODE.NOT_FOUND, "JOB_NOT_FOUND", self.client.job, "ResumeJob", name=missing)

    def test_backup(self):
        back_up = functools.partial(self.client.call, "filmgate.v1.BackupService/CreateBackup")
        made = back_up(path="/new")
        self.assertEqual((made.path, made.artifact_count, made.artifact_bytes), ("/new", 3, 5000000000))
        found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", back_up, path="/there")
        self.assertEqual(self.violation(found)[0][0], "path")
        self.refused(CODE.UNAVAILABLE, "STORE_UNAVAILABLE", back_up, path="/full")
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", back_up, path="/busy")

    def test_an_instants_nanoseconds_are_named(self):
        for nanos in -1, 10**9:
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.create,
                                 not_before_time={"seconds": 1795366800, "nanos": nanos})
            self.assertEqual(self.violation(found), [
                ("job.not_before_time", f"has {nanos} nanoseconds; 0 to 999999999 are possible")])

    def test_orphans_are_listed_page_by_page(self):
        ask = functools.partial(self.client.call, "filmgate.v1.OrphanService/ListOrphans", provider="providers/maker")
        first = ask()
        self.assertEqual([(o.remote_id, o.title, o.remote_state, o.kind, o.create_time.seconds) for o in first.orphans],
                         [("v1", "One", "completed", "video", 1790000000)])
        self.assertEqual((first.owned_count, first.unusable_count), (4, 5))
        second = ask(page_token=first.next_page_token)
        [orphan] = second.orphans
        self.assertEqual((orphan.remote_id, orphan.title, orphan.HasField("create_time")), ("v2", "?", False))
        self.assertTrue(orphan.maybe_job.startswith("jobs/") and orphan.deleted_job.startswith("jobs/"))
        third = ask(page_token=second.next_page_token)
        self.assertEqual(([o.remote_id for o in third.orphans], third.next_page_token), (["v3"], ""))
        for bad in "x", first.next_page_token[:-1] + "0", second.next_page_token + "0", second.next_page_token.upper():
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", ask, page_token=bad)
            self.assertEqual(self.violation(found)[0][0], "page_token")
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", ask, provider="providers/other",
                     page_token=first.next_page_token)
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", ask, page_size=-1)
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", ask, provider="maker")
        found = self.refused(CODE.NOT_FOUND, "PROVIDER_NOT_FOUND", ask, provider="providers/none")
        self.assertEqual(found["ResourceInfo"].resource_name, "providers/none")
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", ask, provider="providers/mute")

    def test_a_video_is_adopted(self):
        adopt = functools.partial(self.client.call, "filmgate.v1.OrphanService/AdoptVideo", provider="providers/heygen")
        made = adopt(remote_id="v1", display_name="Mine", labels={"a": "b"}, request_id="adopt-1", model="avatar")
        self.assertEqual((made.job.display_name, dict(made.job.labels), made.replayed), ("Mine", {"a": "b"}, False))
        again = adopt(remote_id="v1", display_name="Mine", labels={"a": "b"}, request_id="adopt-1", model="avatar")
        self.assertEqual((again.job.name, again.replayed), (made.job.name, True))
        self.assertEqual(adopt(remote_id="v2", force=True).job.display_name, "forced")
        found = self.refused(CODE.ALREADY_EXISTS, "VIDEO_OWNED", adopt, remote_id="owned")
        self.assertEqual((found["ResourceInfo"].resource_type, found["ResourceInfo"].resource_name),
                         ("filmgate.v1.Job", "jobs/01000000-0000-0000-0000-000000000000"))
        for field, bad in [("remote_id", {}), ("remote_id", {"remote_id": "a\nb"}), ("remote_id", {"remote_id": "x" * 256}),
                           ("provider", {"provider": "maker"}), ("labels", {"labels": {"A": "b"}}),
                           ("display_name", {"display_name": "x" * 256}), ("model", {"model": "x" * 256}),
                           ("request_id", {"request_id": "a b"})]:
            fields = {"remote_id": "v1", **bad} if field != "remote_id" else bad
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", adopt, **fields)
            self.assertEqual(self.violation(found)[0][0], field)

    def test_webhooks_are_listed_and_shown(self):
        service = functools.partial(functools.partial, self.client.call)
        ask, get, again = (service(f"filmgate.v1.WebhookService/{m}Deliver{end}")
                           for m, end in (("List", "ies"), ("Get", "y"), ("Redeliver", "y")))
        page = ask()
        [found] = page.deliveries
        self.assertEqual((found.name, found.message_id, found.type, found.state, found.try_count, found.body),
                         ("webhooks/studio/deliveries/7", "msg_1", "job.failed", 3, 2, ""))
        self.assertEqual((found.end_time.seconds, found.HasField("next_time")), (1700000001, False))
        self.assertEqual(list(ask(page_token=page.next_page_token).deliveries), [])
        self.assertEqual(get(name=found.name).delivery.body, "{}")
        for field, bad in ("page_size", -1), ("state", 9), ("endpoint", "A b"), ("endpoint", "x" * 64), ("job", "jobs/x"), \
                ("page_token", page.next_page_token[:15]), ("page_token", "g" * 16 + "a"):
            refused = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", ask, **{field: bad})
            self.assertEqual(self.violation(refused)[0][0], field)
        for bad in "", "studio/7", "webhooks/studio/deliveries/", "webhooks/studio/deliveries/07", "webhooks//deliveries/7", \
                "webhooks/studio/deliveries/7x", f"webhooks/{'x' * 64}/deliveries/7":
            for method in get, again:
                refused = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", method, name=bad)
                self.assertEqual(self.violation(refused)[0][0], "name")
        refused = self.refused(CODE.NOT_FOUND, "DELIVERY_NOT_FOUND", get, name="webhooks/studio/deliveries/8")
        self.assertEqual(refused["ResourceInfo"].resource_name, "webhooks/studio/deliveries/8")
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", again, name=found.name)

    def test_webhooks_of_providers_are_registered(self):
        service = functools.partial(functools.partial, self.client.call)
        begin, end, ask = (service(f"filmgate.v1.WebhookService/{m}")
                           for m in ("RegisterWebhook", "UnregisterWebhook", "ListRegistrations"))
        url = "https://films.example.com/v1/webhooks/heygen"
        made = begin(provider="providers/heygen", url=url).registration
        self.assertEqual((made.provider, made.url, made.remote_id, made.register_time.seconds, made.configured),
                         ("providers/heygen", url, "we1", 1795000000, True))
        left = end(provider="providers/heygen").registration
        self.assertEqual((left.provider, left.url, left.HasField("register_time")), ("providers/heygen", "", False))
        self.assertEqual([row.url for row in ask().registrations], [url])
        for method in begin, end:
            refused = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", method, provider="heygen")
            self.assertEqual(self.violation(refused)[0][0], "provider")
            self.refused(CODE.UNAVAILABLE, "PROVIDER_FAILED", method, provider="providers/silent")
        refused = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", begin, provider="providers/heygen", url="x")
        self.assertEqual(self.violation(refused)[0][0], "url")

    def test_an_uncertain_job_is_decided(self):
        for resolution, remote_id, state in [(1, "vid-7", "RUNNING"), (2, "", "QUEUED"), (3, "", "FAILED")]:
            job = self.client.create(model="uncertain")
            self.refused(CODE.ABORTED, "REVISION_MISMATCH", self.client.job, "ResolveJob", name=job.name,
                         resolution=resolution, remote_id=remote_id, expected_revision=job.revision + 1)
            decided = self.client.job("ResolveJob", name=job.name, resolution=resolution, remote_id=remote_id,
                                      expected_revision=job.revision).job
            self.assertEqual(decided.status.state, STATE["JOB_STATE_" + state].number)
            self.assertEqual(decided.status.progress.provider_state, remote_id)
            self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", self.client.job, "ResolveJob", name=job.name,
                         resolution=resolution, remote_id=remote_id)

    def test_a_decision_is_checked(self):
        job = self.client.create(model="uncertain")
        for field, bad in [("resolution", {}), ("remote_id", {"resolution": 1}),
                           ("remote_id", {"resolution": 1, "remote_id": "a\nb"}),
                           ("remote_id", {"resolution": 1, "remote_id": "x" * 256}),
                           ("remote_id", {"resolution": 1, "remote_id": "."}),
                           ("remote_id", {"resolution": 1, "remote_id": ".."}),
                           ("remote_id", {"resolution": 2, "remote_id": "vid-7"}),
                           ("remote_id", {"resolution": 3, "remote_id": "vid-7"})]:
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "ResolveJob",
                                 name=job.name, **bad)
            self.assertEqual(self.violation(found)[0][0], field)
        self.assertEqual(self.client.job("GetJob", name=job.name).job.revision, job.revision)

    def test_pages_hold_every_job_once_newest_first(self):
        names = [self.client.create(labels={"n": str(i % 2)}).name for i in range(150)]
        seen, token, pages = [], "", 0
        while True:
            page = self.client.job("ListJobs", page_size=40, page_token=token)
            self.assertLessEqual(len(page.jobs), 40)
            seen += [job.name for job in page.jobs]
            token, pages = page.next_page_token, pages + 1
            if not token:
                break
        self.assertEqual(seen, sorted(names, reverse=True))
        self.assertGreaterEqual(pages, 4)
        even = self.client.job("ListJobs", page_size=1000, filter={"labels": {"n": "0"}})
        self.assertEqual(len(even.jobs), 75)
        self.assertEqual(even.next_page_token, "")

    def test_a_page_token_belongs_to_its_filter(self):
        for _ in range(3):
            self.client.create()
        token = self.client.job("ListJobs", page_size=1, filter={"models": ["", "b"]}).next_page_token
        # The same filter, written otherwise.
        self.client.job("ListJobs", page_size=1, filter={"models": ["b", ""]}, page_token=token)
        for bad in token[:-1], "x", "é" * 10:
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "ListJobs", page_token=bad)
            self.assertEqual(self.violation(found)[0], ("page_token", "is none of ours, or damaged; begin without one"))
        # Every list says it in the same words.
        voices = {"name": "providers/demo", "kind": "voices"}
        for method, fields in (("JobService/ListJobs", {}), ("AssetService/ListAssets", {}),
                               ("ProviderService/ListCatalogEntries", voices)):
            for wrong, words in ((token, "belongs to another list, or to this one asked with another filter; begin without one"),
                                 ("x", "is none of ours, or damaged; begin without one")):
                found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.call, "filmgate.v1." + method,
                                     page_token=wrong, **fields)
                self.assertEqual(self.violation(found), [("page_token", words)])

    def test_a_page_of_large_jobs_stays_below_the_limit(self):
        for _ in range(60):
            self.client.create(parameters=v1("JobParameters", prompt="x" * 99000))
        page = self.client.job("ListJobs", page_size=60)
        self.assertLess(page.ByteSize(), 4 << 20)
        self.assertGreater(page.ByteSize(), 3 << 20)
        rest = self.client.job("ListJobs", page_size=60, page_token=page.next_page_token)
        self.assertEqual(len(page.jobs) + len(rest.jobs), 60)
        self.assertEqual(len({job.name for job in [*page.jobs, *rest.jobs]}), 60)

    def test_filters_are_checked(self):
        for field, bad in [("states", {"states": [0]}), ("states", {"states": [1] * 17}),
                           ("providers", {"providers": ["demo"]}), ("labels", {"labels": {"A": ""}}),
                           ("create_time_from", {"create_time_from": {"nanos": -1}})]:
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "ListJobs", filter=bad)
            self.assertEqual(self.violation(found)[0][0], "filter." + field)
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, "ListJobs", page_size=-1)


class BadInput(Shared):
    def refused_raw(self, code, reason, data, path=CREATE):
        return self.refused(code, reason, self.client.raw, path, data)

    def test_text_that_is_not_utf8(self):
        found = self.refused_raw(CODE.INVALID_ARGUMENT, "MALFORMED_MESSAGE", b"\x0a\x05\x4a\x03a\xffb")
        self.assertEqual(self.violation(found), [("job.display_name", "the text is not UTF-8")])
        self.assert_alive()

    def test_text_with_a_nul(self):
        found = self.refused_raw(CODE.INVALID_ARGUMENT, "MALFORMED_MESSAGE", b"\x0a\x05\x4a\x03a\x00b")
        self.assertEqual(self.violation(found), [("job.display_name", "the text contains a NUL; leave it out")])
        self.assert_alive()

    def test_an_unknown_enum_value(self):
        found = self.refused_raw(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", b"\x0a\x04\x42\x02\x68\x63")
        self.assertEqual(self.violation(found), [("job.parameters.audio", "99 is not a value of Toggle")])
        found = self.refused_raw(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", b"\x28\x63")
        self.assertEqual(self.violation(found), [("validation", "99 is not a value of Validation")])
        self.assert_alive()

    def test_34_kilobytes_of_nesting(self):
        data = b""
        for _ in range(10000):
            data = b"\x0a" + self.varint(len(data)) + data
            data = b"\x32" + self.varint(len(data)) + data
        for tag in (b"\x12", b"\x0a", b"\x9a\x01", b"\x42", b"\x0a"):
            data = tag + self.varint(len(data)) + data
        self.assertGreater(len(data), 34 << 10)
        self.refused_raw(CODE.INVALID_ARGUMENT, "MALFORMED_MESSAGE", data)
        self.assert_alive()

    @staticmethod
    def varint(n):
        out = b""
        while n >= 0x80:
            out, n = out + bytes([n & 0x7f | 0x80]), n >> 7
        return out + bytes([n])

    def test_four_mebibytes_of_empty_submessages(self):
        data = b"\x32\x00" * ((4 << 20) // 2 - 16)
        for tag in (b"\x42", b"\x0a"):
            data = tag + self.varint(len(data)) + data
        before = self.door.rss_kib()
        self.refused_raw(CODE.INVALID_ARGUMENT, "MALFORMED_MESSAGE", data)
        self.assertLess(self.door.rss_kib() - before, 64 << 10)
        self.assert_alive()

    def test_a_message_above_four_mebibytes(self):
        self.refused_raw(CODE.RESOURCE_EXHAUSTED, None, b"\x12" + self.varint(5 << 20) + b"a" * (5 << 20))
        self.assert_alive()

    def test_noise(self):
        for data in b"\xff", b"\x0b\x0c", b"\x0a\x7f", b"\x00\x00", os.urandom(100) + b"\xff":
            self.refused_raw(CODE.INVALID_ARGUMENT, None, data)
        self.assert_alive()

    def test_a_call_without_a_message(self):
        for method, stream in (CREATE, False), ("/filmgate.v1.JobService/WatchJob", True):
            call = self.client.channel.stream_stream(method)(iter([]), timeout=WAIT)
            with self.assertRaises(grpc.RpcError) as caught:
                list(call)
            self.assertEqual(caught.exception.code(), CODE.INVALID_ARGUMENT)
            self.assertEqual(details(caught.exception)["ErrorInfo"].reason, "MALFORMED_MESSAGE")
        self.assert_alive()

    def test_methods_that_are_not_there(self):
        for path in "/filmgate.v1.JobService/Nothing", "/x", "/filmgate.v2.JobService/GetJob":
            self.refused_raw(CODE.UNIMPLEMENTED, None, b"", path)
        self.assert_alive()

    def test_too_much_metadata(self):
        with self.assertRaises(grpc.RpcError):
            self.client.raw(CREATE, b"", metadata=[("x", "y" * 20000)])
        # It costs the client its connection, and nobody else.
        self.client = Client(self.door.target)
        self.addCleanup(self.client.close)
        self.assert_alive()

    def test_a_compressed_request_is_understood(self):
        client = Client(self.door.target)
        self.addCleanup(client.close)
        job = v1("Job", provider="providers/demo", parameters=v1("JobParameters", prompt="z" * 5000))
        data = v1("CreateJobRequest", job=job).SerializeToString()
        call = client.channel.unary_unary(CREATE)
        reply = cls("filmgate.v1.CreateJobResponse").FromString(
            call(data, timeout=WAIT, compression=grpc.Compression.Gzip))
        self.assertEqual(reply.job.parameters.prompt, "z" * 5000)

    def test_sockets_that_speak_no_http2(self):
        for noise in b"GET / HTTP/1.1\r\n\r\n", os.urandom(500), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100:
            with socket.create_connection(("127.0.0.1", self.door.port), WAIT) as sock:
                sock.settimeout(WAIT)
                sock.sendall(noise)
                try:
                    while sock.recv(4096):
                        pass
                except ConnectionError:
                    pass
        self.assert_alive()

    def test_names_that_are_none(self):
        for name in "", "jobs/x", "jobs/0190163D-8694-739b-aea5-966c26f8ad91":
            for method in "GetJob", "CancelJob", "DeleteJob", "RetryJob", "ResumeJob":
                found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.job, method, name=name)
                self.assertEqual(self.violation(found)[0][0], "name")
            self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.watch, "WatchJob", name=name)


class Watches(Case):
    def update(self, job, n):
        self.client.job("UpdateJob", job=v1("Job", name=job.name, display_name=str(n)),
                        update_mask={"paths": ["display_name"]})

    def test_from_the_beginning_a_snapshot_then_every_change_then_the_end(self):
        job = self.client.create()
        self.update(job, 1)
        watch = self.client.watch("WatchJob", name=job.name)
        events = [next(watch).event]
        self.update(job, 2)
        self.client.job("CancelJob", name=job.name)
        events += [response.event for response in watch]
        self.assertEqual([(KIND[e.kind], e.revision) for e in events],
                         [("SNAPSHOT", 2), ("UPDATED", 3), ("STATE_CHANGED", 4)])
        self.assertEqual(events[0].resume_token, "")
        self.assertTrue(events[1].resume_token)
        self.assertEqual(events[1].display_name, "2")
        self.assertEqual(watch.code(), CODE.OK)

    def test_from_a_revision_what_came_after_it(self):
        job = self.client.create()
        for n in range(200):
            self.update(job, n)
        self.client.job("CancelJob", name=job.name)
        events = [r.event for r in self.client.watch("WatchJob", name=job.name, after_revision=1)]
        self.assertEqual([e.revision for e in events], list(range(2, 203)))
        # Nothing is left to send, and beyond what ever was.
        self.assertEqual(list(self.client.watch("WatchJob", name=job.name, after_revision=202)), [])
        self.refused(CODE.OUT_OF_RANGE, "CURSOR_EXPIRED", self.client.watch, "WatchJob", name=job.name,
                     after_revision=203)
        self.assertEqual([KIND[r.event.kind] for r in self.client.watch("WatchJob", name=job.name)], ["SNAPSHOT"])

    def test_a_job_that_is_not_there(self):
        found = self.refused(CODE.NOT_FOUND, "JOB_NOT_FOUND", self.client.watch, "WatchJob",
                             name="jobs/0190163d-8694-739b-aea5-966c26f8ad91")
        self.assertEqual(found["ResourceInfo"].resource_type, "filmgate.v1.Job")

    def test_the_headers_come_at_once(self):
        job = self.client.create()
        watch = self.client.watch("WatchJob", name=job.name, after_revision=1)
        # Before any event: the call would end with its deadline otherwise, and these with it.
        watch.initial_metadata()
        self.assertTrue(watch.is_active())
        watch.cancel()

    def test_all_jobs_from_a_bookmark_and_again_from_a_token(self):
        self.client.create()
        watch = self.client.watch("WatchJobs")
        bookmark = next(watch).event
        self.assertEqual(KIND[bookmark.kind], "BOOKMARK")
        self.assertTrue(bookmark.resume_token)
        jobs = [self.client.create() for _ in range(5)]
        events = [next(watch).event for _ in range(5)]
        self.assertEqual([e.job for e in events], [job.name for job in jobs])
        watch.cancel()
        for token, rest in (bookmark.resume_token, jobs), (events[2].resume_token, jobs[3:]):
            again = self.client.watch("WatchJobs", resume_token=token)
            self.assertEqual([next(again).event.job for _ in rest], [job.name for job in rest])
            again.cancel()
        filtered = self.client.watch("WatchJobs", resume_token=bookmark.resume_token,
                                     filter={"states": [STATE["JOB_STATE_CANCELLED"].number]})
        self.client.job("CancelJob", name=jobs[3].name)
        self.assertEqual(next(filtered).event.job, jobs[3].name)
        filtered.cancel()

    def test_a_filter_that_passes_everything_over_lets_bookmarks_through(self):
        watch = self.client.watch("WatchJobs", filter={"states": [STATE["JOB_STATE_CANCELLED"].number]})
        first = next(watch).event
        jobs = [self.client.create() for _ in range(20)]
        second = next(watch).event
        self.assertEqual((KIND[second.kind], second.job, second.revision), ("BOOKMARK", "", 0))
        self.assertNotEqual(second.resume_token, first.resume_token)
        self.client.job("CancelJob", name=jobs[3].name)
        self.assertEqual(next(watch).event.job, jobs[3].name)
        watch.cancel()
        again = self.client.watch("WatchJobs", resume_token=second.resume_token)
        self.assertEqual(next(again).event.job, jobs[3].name)
        again.cancel()

    def test_tokens_of_another_time(self):
        token = next(self.client.watch("WatchJobs")).event.resume_token
        found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.watch, "WatchJobs",
                             resume_token=token[:-2])
        self.assertEqual(self.violation(found)[0][0], "resume_token")
        for epoch, sequence in (0x5eed, 1), (0xdead, 0):
            raw = b"\x01r" + struct.pack(">QQ", epoch, sequence)
            raw += hashlib.sha256(raw).digest()[:6]
            other = base64.urlsafe_b64encode(raw).decode()
            self.refused(CODE.OUT_OF_RANGE, "CURSOR_EXPIRED", self.client.watch, "WatchJobs", resume_token=other)
        self.client.create()
        self.door.tell("trim 1")
        self.refused(CODE.OUT_OF_RANGE, "CURSOR_EXPIRED", self.client.watch, "WatchJobs", resume_token=token)

    def test_a_thousand_watchers_see_every_event(self):
        job = self.client.create()
        clients = [Client(self.door.target) for _ in range(10)]
        for client in clients:
            self.addCleanup(client.close)
        watches = [clients[i % 10].watch("WatchJob", wait=120, name=job.name) for i in range(1000)]
        for watch in watches:
            self.assertEqual(next(watch).event.revision, 1)
        self.assertEqual(self.door.tell("counts")[0], 1000)
        for n in range(5):
            self.update(job, n)
        self.client.job("CancelJob", name=job.name)
        for watch in watches:
            self.assertEqual([r.event.revision for r in watch], [2, 3, 4, 5, 6, 7])
        self.wait_until(lambda: self.door.tell("counts")[0] == 0)
        self.assert_alive()

    def test_a_watcher_that_never_reads_costs_its_queue_and_loses_nothing(self):
        job = self.client.create(labels={f"k{i}": "v" * 250 for i in range(60)})
        idle = Client(self.door.target, **{"grpc.http2.lookahead_bytes": 65535, "grpc.http2.bdp_probe": 0})
        self.addCleanup(idle.close)
        watch = idle.watch("WatchJob", wait=120, name=job.name)
        self.wait_until(lambda: self.door.tell("counts")[0] == 1)
        self.update(job, 0)
        before = self.door.rss_kib()
        for n in range(1, 400):
            self.update(job, n)
        # The engine still has events for it, but no grants: it waits, and nothing piles up on our side.
        self.wait_until(lambda: self.door.tell("counts")[1] == 0)
        self.assert_alive()
        self.client.job("CancelJob", name=job.name)
        self.assertEqual([r.event.revision for r in watch], list(range(1, 403)))
        self.assertEqual(watch.code(), CODE.OK)
        self.assertLess(self.door.rss_kib() - before, 200 << 10)

    def test_cancelled_watches_are_let_go(self):
        job = self.client.create()
        for _ in range(50):
            watch = self.client.watch("WatchJob", name=job.name)
            next(watch)
            watch.cancel()
        self.wait_until(lambda: self.door.tell("counts")[0] == 0)

    def test_a_deadline_ends_a_watch(self):
        job = self.client.create()
        watch = self.client.watch("WatchJob", wait=0.2, name=job.name)
        with self.assertRaises(grpc.RpcError) as caught:
            list(watch)
        self.assertEqual(caught.exception.code(), CODE.DEADLINE_EXCEEDED)
        self.wait_until(lambda: self.door.tell("counts")[0] == 0)


class Artifacts(Case):
    def setUp(self):
        super().setUp()
        self.job = self.client.create(model="instant")
        self.name = self.job.name + "/artifacts/1"

    def read(self, **fields):
        responses = list(self.client.stream("filmgate.v1.ArtifactService/ReadArtifact", **fields))
        at = fields.get("offset", 0)
        for response in responses:
            self.assertEqual(response.offset, at)
            self.assertTrue(0 < len(response.data) <= CHUNK)
            at += len(response.data)
        return b"".join(response.data for response in responses)

    def test_what_is_known_of_it(self):
        artifact = self.client.call("filmgate.v1.ArtifactService/GetArtifact", name=self.name).artifact
        self.assertEqual(artifact, self.job.status.artifacts[0])
        self.assertEqual((artifact.size_bytes, artifact.role, artifact.media_type), (FILE_BYTES, "video", "video/mp4"))
        self.assertEqual((artifact.duration.seconds, artifact.duration.nanos), (12, 500000000))
        self.assertEqual((artifact.frame_rate_millihertz, artifact.audio), (29970, 2))
        self.assertTrue(artifact.HasField("black_duration"))
        self.assertEqual((artifact.black_duration.nanos, artifact.frozen_duration.seconds), (0, 2))
        second = self.job.status.artifacts[1]
        self.assertFalse(second.HasField("black_duration") or second.HasField("frozen_duration"))
        mismatch, = self.job.status.mismatches
        self.assertEqual((mismatch.artifact, mismatch.field, mismatch.ordered, mismatch.produced, mismatch.message),
                         (self.job.name + "/artifacts/2", "duration", "8 s", "12.5 s", "too long"))
        self.assertRegex(artifact.sha256, "^[0-9a-f]{64}$")

    def test_reading_all_and_parts(self):
        self.assertEqual(self.read(name=self.name), self.door.bytes)
        for offset, limit in (0, 1), (1, CHUNK), (CHUNK, 0), (FILE_BYTES - 1, 0), (5, FILE_BYTES * 2):
            self.assertEqual(self.read(name=self.name, offset=offset, limit=limit),
                             self.door.bytes[offset:offset + limit if limit else None])
        self.assertEqual(self.read(name=self.name, offset=FILE_BYTES), b"")

    def test_reading_beyond_the_end(self):
        found = self.refused(CODE.OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", self.client.stream,
                             "filmgate.v1.ArtifactService/ReadArtifact", name=self.name, offset=FILE_BYTES + 1)
        self.assertEqual(dict(found["ErrorInfo"].metadata), {"sizeBytes": str(FILE_BYTES)})

    def test_a_file_shorter_than_recorded(self):
        stream = self.client.stream("filmgate.v1.ArtifactService/ReadArtifact", name=self.job.name + "/artifacts/2")
        self.refused(CODE.DATA_LOSS, "ARTIFACT_DAMAGED", lambda: stream)

    def test_what_is_not_there(self):
        for name in self.job.name + "/artifacts/3", "jobs/0190163d-8694-739b-aea5-966c26f8ad91/artifacts/1":
            found = self.refused(CODE.NOT_FOUND, "ARTIFACT_NOT_FOUND", self.client.call,
                                 "filmgate.v1.ArtifactService/GetArtifact", name=name)
            self.assertEqual(found["ResourceInfo"].resource_type, "filmgate.v1.Artifact")
            self.refused(CODE.NOT_FOUND, "ARTIFACT_NOT_FOUND", self.client.stream,
                         "filmgate.v1.ArtifactService/ReadArtifact", name=name)
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.call,
                     "filmgate.v1.ArtifactService/GetArtifact", name=self.job.name)

    def test_leaving_in_the_middle(self):
        for _ in range(20):
            stream = self.client.stream("filmgate.v1.ArtifactService/ReadArtifact", name=self.name)
            next(stream)
            stream.cancel()
        self.assertEqual(self.read(name=self.name), self.door.bytes)


class Usage(Shared):
    def usage(self, **fields):
        return self.client.call("filmgate.v1.UsageService/GetUsage", **fields).rows

    def test_days_groups_and_the_label_reach_the_store(self):
        row, = self.usage(from_date="2026-11-02", to_date="2026-11-05", group=2, by_day=True)
        self.assertEqual((row.date, row.currency_code, row.provider, row.model, row.reserved_micros, row.spent_micros),
                         ("2026-11-02", "EUR", "providers/maker", "clip", 20261102, 20261105))
        row, = self.usage(to_date="2026-11-05", group=3, label_key="team", currency_code="USD")
        self.assertEqual((row.date, row.currency_code, row.provider, row.label_value, row.reserved_micros),
                         ("", "USD", "", "clip", 20261101))
        row, = self.usage()
        self.assertEqual(row.reserved_micros % 100, 1)
        self.assertEqual(row.spent_micros, int(time.strftime("%Y%m%d", time.gmtime())))

    def test_what_is_wrong_with_a_question_about_money_is_named(self):
        for fields, field in (({"from_date": "2026-02-30"}, "from_date"), ({"to_date": "yesterday"}, "to_date"),
                              ({"from_date": "2026-11-02", "to_date": "2026-11-01"}, "from_date"),
                              ({"group": 3}, "label_key"), ({"label_key": "team"}, "label_key"),
                              ({"group": 3, "label_key": "no such key"}, "label_key"),
                              ({"group": 9}, "group"), ({"from_date": "1999-01-01"}, "from_date")):
            error = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.call,
                                 "filmgate.v1.UsageService/GetUsage", **fields)
            self.assertIn(field, str(error))

    def test_too_many_rows_and_too_many_balances_are_not_the_same(self):
        for year, words in ("1999", "more than 10000 rows: "), ("1980", "more than 1000000 balances "):
            error = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.call,
                                 "filmgate.v1.UsageService/GetUsage", from_date=year + "-01-01")
            self.assertIn(words, str(error))

    def test_entries_come_in_pages_of_all_jobs_or_of_one(self):
        def entries(**fields):
            return self.client.call("filmgate.v1.UsageService/ListLedgerEntries", **fields)

        page = entries(after_sequence=7)
        self.assertFalse(page.more)
        entry, = page.entries
        self.assertEqual((entry.sequence, entry.kind, entry.debit, entry.credit, entry.amount_micros, entry.date,
                          entry.provider, entry.unpriced, entry.unconfirmed),
                         (57, 2, 2, 1, 5, "2026-11-22", "providers/maker", True, False))
        job = "jobs/01890000-0000-7000-8000-000000000001"
        page = entries(job=job, page_size=5000)
        self.assertTrue(page.more)
        self.assertEqual((page.entries[0].job, page.entries[0].sequence), (job, 1000))
        for fields in ({"job": "jobs/x"}, {"page_size": -1}, {"after_sequence": 2**64 - 1}):
            self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.client.call,
                         "filmgate.v1.UsageService/ListLedgerEntries", **fields)

    def test_the_ledger_is_checked(self):
        found = self.client.call("filmgate.v1.UsageService/CheckLedger")
        self.assertEqual((found.entry_count, found.job_count, found.unbalanced_count, found.leaked_count), (1, 2, 3, 4))
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", self.client.call,
                     "filmgate.v1.UsageService/CheckLedger")


class Providers(Shared):
    def test_all_of_them_without_their_documents(self):
        providers = self.client.call("filmgate.v1.ProviderService/ListProviders").providers
        self.assertEqual([p.name for p in providers], ["providers/demo", "providers/broken"])
        demo, broken = providers
        self.assertEqual((demo.plugin_version, demo.concurrency, demo.running_count, demo.queued_count),
                         ("1.2.3", 3, 1, 2))
        self.assertEqual(list(demo.models), ["slow", "instant"])
        self.assertFalse(demo.HasField("capabilities"))
        self.assertEqual(list(demo.catalog_kinds), ["voices"])
        self.assertEqual(broken.problem, "the plugin 'gone' is not there")

    def test_one_of_them_with_its_document(self):
        demo = self.client.call("filmgate.v1.ProviderService/GetProvider", name="providers/demo").provider
        self.assertEqual(demo.capabilities["models"][1]["name"], "instant")
        self.assertEqual(demo.capabilities["big"], "17454220438242315174")
        self.refused(CODE.NOT_FOUND, "PROVIDER_NOT_FOUND", self.client.call,
                     "filmgate.v1.ProviderService/GetProvider", name="providers/none")

    def catalog(self, name="demo", **fields):
        fields.setdefault("kind", "voices")
        return self.client.call("filmgate.v1.ProviderService/ListCatalogEntries", name="providers/" + name, **fields)

    def test_a_catalog_comes_page_by_page(self):
        first = self.catalog(page_size=2)
        self.assertEqual([(e.kind, e.id) for e in first.entries], [("voices", "v1"), ("clone", "v2")])
        sara = first.entries[0]
        self.assertEqual((sara.display_name, sara.language, sara.gender, sara.preview_url, list(sara.tags)),
                         ("Sara", "English", "female", "https://demo.example/v1.mp3", ["calm", "public"]))
        self.assertEqual(sara.extra["speed"], 2)
        self.assertEqual((first.total_count, first.problem), (3, ""))
        second = self.catalog(page_size=2, page_token=first.next_page_token)
        self.assertEqual([e.id for e in second.entries], ["v3"])
        self.assertEqual(second.next_page_token, "")
        self.assertEqual(len(self.catalog(page_size=100000).entries), 3)

    def test_the_age_of_a_catalog(self):
        self.assertEqual(1795000000 - self.catalog().fetch_time.seconds, 300)
        self.assertEqual(1795000000 - self.catalog(max_age={"seconds": 7}).fetch_time.seconds, 7)
        self.assertEqual(self.catalog(max_age={}).fetch_time.seconds, 1795000000)
        self.assertEqual(self.catalog("broken").problem, "the provider could not be reached")

    def test_a_catalog_that_cannot_be(self):
        token = self.catalog(page_size=1).next_page_token
        for field, fields in (("kind", {"kind": ""}), ("page_size", {"page_size": -1}), ("page_token", {"page_token": "x"}),
                              ("page_token", {"page_token": token, "language": "de"}),
                              ("max_age", {"max_age": {"seconds": -1}}),
                              ("max_age", {"max_age": {"seconds": 2592001}}),
                              ("max_age", {"max_age": {"seconds": 9223372036854775807}})):
            found = self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.catalog, **fields)
            self.assertIn(field, str(found))
        self.refused(CODE.FAILED_PRECONDITION, "WRONG_STATE", self.catalog, "mute")
        self.refused(CODE.UNAVAILABLE, "PROVIDER_FAILED", self.catalog, "away")
        self.refused(CODE.NOT_FOUND, "PROVIDER_NOT_FOUND", self.catalog, "none")

    def test_checks_are_replies(self):
        def check(name):
            return self.client.call("filmgate.v1.ProviderService/CheckProvider", name="providers/" + name)

        demo = check("demo")
        self.assertEqual(demo.outcome, 1)
        self.assertEqual([(f.label, f.value) for f in demo.facts],
                         [("balance", "41.20 USD"), ("account", "team@example.com"), ("plan", "pro")])
        self.assertEqual((check("broken").outcome, check("broken").message), (2, "the provider says: no such key"))
        self.assertEqual(check("locked").outcome, 4)
        self.assertEqual(check("away").outcome, 5)
        self.assertEqual(check("mute").outcome, 3)
        self.refused(CODE.NOT_FOUND, "PROVIDER_NOT_FOUND", check, "none")


class Health(Case):
    def test_check(self):
        for service in "", "filmgate.v1.JobService", "grpc.health.v1.Health":
            self.assertEqual(self.client.call("grpc.health.v1.Health/Check", service=service).status, 1)
        for service in "filmgate.v1.Job", "filmgate", "x":
            self.refused(CODE.NOT_FOUND, None, self.client.call, "grpc.health.v1.Health/Check", service=service)
        self.door.tell("serving 0")
        self.assertEqual(self.client.call("grpc.health.v1.Health/Check").status, 2)

    def test_watch(self):
        watch = self.client.stream("grpc.health.v1.Health/Watch")
        self.assertEqual(next(watch).status, 1)
        self.door.tell("serving 0")
        self.assertEqual(next(watch).status, 2)
        self.door.tell("serving 1")
        self.assertEqual(next(watch).status, 1)

    def test_watching_an_unknown_service_stays_open(self):
        watch = self.client.stream("grpc.health.v1.Health/Watch", service="x")
        self.assertEqual(next(watch).status, 3)
        # Behind it on the same connection: an end of the watch would have come before the answer.
        self.client.call("grpc.health.v1.Health/Check", service="")
        self.assertTrue(watch.is_active())
        watch.cancel()


class Reflection(Shared):
    def ask(self, version, *requests):
        request = cls(f"grpc.reflection.{version}.ServerReflectionRequest")
        response = cls(f"grpc.reflection.{version}.ServerReflectionResponse")
        call = self.client.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=request.SerializeToString, response_deserializer=response.FromString)
        return list(call(iter([request(host="h", **fields) for fields in requests]), timeout=WAIT))

    def test_services_in_both_versions(self):
        for version in "v1", "v1alpha":
            [response] = self.ask(version, {"list_services": ""})
            self.assertEqual((response.valid_host, response.original_request.list_services), ("h", ""))
            self.assertEqual({s.name for s in response.list_services_response.service}, {
                "filmgate.v1.JobService", "filmgate.v1.ArtifactService", "filmgate.v1.AssetService",
                "filmgate.v1.BackupService", "filmgate.v1.OrphanService", "filmgate.v1.ProviderService", "filmgate.v1.UsageService",
                "filmgate.v1.WebhookService",
                "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection"})

    def test_files_are_whole_and_in_order(self):
        for version in "v1", "v1alpha":
            for fields in {"file_by_filename": "filmgate/v1/job_service.proto"}, \
                    {"file_containing_symbol": "filmgate.v1.JobService"}, \
                    {"file_containing_symbol": "filmgate.v1.JobService.CreateJob"}:
                [response] = self.ask(version, fields)
                files = descriptor_pool.DescriptorPool()
                for raw in response.file_descriptor_response.file_descriptor_proto:
                    files.AddSerializedFile(raw)
                self.assertTrue(files.FindServiceByName("filmgate.v1.JobService"))

    def test_every_symbol_leads_to_its_file(self):
        symbols = {"filmgate.v1.Job.LabelsEntry": "job.proto", "filmgate.v1.JobState": "job.proto",
                   "filmgate.v1.JOB_STATE_QUEUED": "job.proto", "filmgate.v1.Job.name": "job.proto",
                   "filmgate.v1.Media.source": "parameters.proto", "filmgate.v1.ErrorReason": "error_reason.proto"}
        responses = self.ask("v1", *({"file_containing_symbol": symbol} for symbol in symbols))
        for response, file in zip(responses, symbols.values()):
            found = [descriptor_pb2.FileDescriptorProto.FromString(raw).name
                     for raw in response.file_descriptor_response.file_descriptor_proto]
            self.assertEqual(found[-1], "filmgate/v1/" + file)

    def test_what_is_not_there(self):
        responses = self.ask("v1", {"file_by_filename": "x"}, {"file_containing_symbol": "x"}, {},
                             {"all_extension_numbers_of_type": "filmgate.v1.Job"},
                             {"all_extension_numbers_of_type": "x"},
                             {"file_containing_extension": {"containing_type": "filmgate.v1.Job"}})
        self.assertEqual([r.error_response.error_code for r in responses], [5, 5, 3, 0, 5, 5])
        self.assertEqual(responses[3].all_extension_numbers_response.base_type_name, "filmgate.v1.Job")


class Sockets(Shared):
    def test_the_unix_socket_serves_its_owner_alone(self):
        client = Client("unix:" + self.door.unix)
        self.addCleanup(client.close)
        self.assertTrue(client.create().name)
        self.assertEqual(os.stat(self.door.unix).st_mode & 0o777, 0o600)

    def start(self, *arguments):
        return subprocess.run([SERVER, self.door.file, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=WAIT)

    def test_addresses_that_cannot_be(self):
        unix = os.path.join(self.door.dir.name, "other")
        for address, words in [
                (self.door.target, "in use by another process"),
                ("127.0.0.1", "write HOST:PORT"), ("127.0.0.1:", "is not a port"), ("127.0.0.1:65536", "is not a port"),
                ("127.0.0.1:1x", "is not a port"), ("::1:0", "write HOST:PORT"), ("[::1:0", "write HOST:PORT"),
                (":0", "write HOST:PORT"), ("example.com:0", "is not an IP address"),
                ("0.0.0.0:0", "is not a loopback address"), ("192.0.2.1:0", "is not a loopback address")]:
            second = self.start(unix, address)
            self.assertEqual(second.returncode, 1, address)
            self.assertIn(words, second.stderr)
            self.assertIn(f"'{address}'", second.stderr)

    def test_addresses_that_can(self):
        for address in "localhost:0", "127.0.0.2:0":
            second = self.start(os.path.join(self.door.dir.name, "other"), address)
            self.assertEqual((second.returncode, second.stdout.split()[0]), (0, "ready"), address)

    def test_a_socket_in_use_is_refused_and_a_stale_one_replaced(self):
        second = self.start(self.door.unix)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"'{self.door.unix}' is in use by another process", second.stderr)
        self.assert_alive()
        stale = os.path.join(self.door.dir.name, "stale")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(stale)
        self.assertEqual(self.start(stale).returncode, 0)
        self.assertFalse(os.path.exists(stale))

    def test_what_is_no_socket_is_kept(self):
        second = self.start(self.door.file)
        self.assertEqual(second.returncode, 1)
        self.assertIn("exists and is not a socket", second.stderr)
        self.assertTrue(os.path.exists(self.door.file))

    def test_a_path_that_is_too_long(self):
        second = self.start("/tmp/" + "x" * 200)
        self.assertEqual(second.returncode, 1)
        self.assertIn("1 to 107 are possible", second.stderr)

    def test_the_file_limit_is_raised(self):
        with open(f"/proc/{self.door.process.pid}/limits") as f:
            soft, hard = next(line.split()[3:5] for line in f if line.startswith("Max open files"))
        self.assertEqual(soft, hard)


class Limits(unittest.TestCase):
    def open_door(self, *more, **kwargs):
        door = Door(*more, **kwargs)
        self.addCleanup(door.close)
        return door

    def connect(self, door, n):
        """So many connections, each with a call; how many were served."""
        served = 0
        for _ in range(n):
            client = Client(door.target, **{"grpc.enable_retries": 0})
            self.addCleanup(client.close)
            try:
                client.call("grpc.health.v1.Health/Check")
                served += 1
            except grpc.RpcError as error:
                self.assertEqual(error.code(), CODE.UNAVAILABLE)
        return served

    def is_served(self, door):
        client = Client(door.target, **{"grpc.enable_retries": 0})
        try:
            client.call("grpc.health.v1.Health/Check")
            return True
        except grpc.RpcError as error:
            self.assertEqual(error.code(), CODE.UNAVAILABLE)
            return False
        finally:
            client.close()

    def test_as_many_connections_as_are_allowed(self):
        door = self.open_door("127.0.0.1:0", "3")
        self.assertEqual(self.connect(door, 5), 3)
        self.doCleanups()
        # The ones that have ended are found when there is no room.
        door = self.open_door("127.0.0.1:0", "3")
        for _ in range(4):
            wait_until(lambda: self.is_served(door))

    def test_running_out_of_files_ends_no_listener(self):
        door = self.open_door()
        with open(f"/proc/{door.process.pid}/limits") as f:
            hard = int(next(line.split()[4] for line in f if line.startswith("Max open files")))
        used = len(os.listdir(f"/proc/{door.process.pid}/fd"))
        resource.prlimit(door.process.pid, resource.RLIMIT_NOFILE, (used + 5, hard))
        socks = [socket.create_connection(("127.0.0.1", door.port), WAIT) for _ in range(30)]
        for sock in socks:
            sock.settimeout(WAIT)
        # Those beyond the limit are turned away, not left hanging.
        self.assertEqual(sum(self.is_closed(sock) for sock in socks), 25)
        for sock in socks:
            sock.close()
        # Five may be open; three of them are wanted.
        wait_until(lambda: len(os.listdir(f"/proc/{door.process.pid}/fd")) <= used + 2)
        self.assertEqual(self.connect(door, 3), 3)

    @staticmethod
    def is_closed(sock):
        """Turned away before the server's SETTINGS."""
        try:
            return sock.recv(1) == b""
        except ConnectionError:
            return True

    def test_the_hard_limit_of_files_bounds_the_connections(self):
        door = self.open_door(files=80)
        self.assertEqual(self.connect(door, 45), 40)

    def test_as_many_watches_as_are_allowed(self):
        door = self.open_door("127.0.0.1:0", "0", "5")
        client = Client(door.target)
        self.addCleanup(client.close)
        job = client.create()
        watches = [client.watch("WatchJob", name=job.name) for _ in range(5)]
        for watch in watches:
            next(watch)
        with self.assertRaises(grpc.RpcError) as caught:
            list(client.watch("WatchJob", name=job.name))
        self.assertEqual(caught.exception.code(), CODE.RESOURCE_EXHAUSTED)
        found = details(caught.exception)
        self.assertEqual(found["ErrorInfo"].reason, "TOO_MANY_WATCHERS")
        self.assertTrue(found["RetryInfo"].HasField("retry_delay"))
        watches[0].cancel()
        deadline = time.monotonic() + WAIT
        while True:
            try:
                next(client.watch("WatchJob", name=job.name))
                break
            except grpc.RpcError:
                self.assertLess(time.monotonic(), deadline)

    def test_as_many_reads_as_are_allowed(self):
        door = self.open_door("127.0.0.1:0", "0", "0", "3")
        os.truncate(door.file, 64 << 20)
        client = Client(door.target)
        self.addCleanup(client.close)
        job = client.create(model="instant")
        read = lambda: client.stream("filmgate.v1.ArtifactService/ReadArtifact", name=job.name + "/artifacts/1")
        reads = [read() for _ in range(3)]
        for one in reads:
            next(one)
        with self.assertRaises(grpc.RpcError) as caught:
            next(read())
        self.assertEqual(caught.exception.code(), CODE.RESOURCE_EXHAUSTED)
        self.assertRegex(caught.exception.details(), "^3 artifacts are being read, .* try again later$")
        found = details(caught.exception)
        self.assertEqual(found["ErrorInfo"].reason, "TOO_MANY_WATCHERS")
        self.assertTrue(found["RetryInfo"].HasField("retry_delay"))
        next(client.watch("WatchJobs"))
        reads[0].cancel()
        deadline = time.monotonic() + WAIT
        while True:
            try:
                next(read())
                break
            except grpc.RpcError:
                self.assertLess(time.monotonic(), deadline)

    def hold_calls(self, n, data):
        """@n calls that the engine does not answer before all have come; how they ended."""
        door = self.open_door()
        clients = [Client(door.target) for _ in range(2)]
        for client in clients:
            self.addCleanup(client.close)
        door.tell("hold 1")
        calls = [clients[i % 2].channel.unary_unary(CREATE).future(data, timeout=120) for i in range(n)]
        refused = [0]
        deadline = time.monotonic() + 60
        while door.tell("counts")[2] + sum(call.done() for call in calls) < n:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        door.tell("hold 0")
        for call in calls:
            if call.exception():
                self.assertEqual(call.code(), CODE.RESOURCE_EXHAUSTED)
                self.assertEqual(details(call)["ErrorInfo"].reason, "QUEUE_FULL")
                self.assertIn("RetryInfo", details(call))
                refused[0] += 1
        clients[0].create()
        return refused[0]

    def test_as_many_calls_in_hand_as_are_allowed(self):
        data = v1("CreateJobRequest", job=v1("Job", provider="providers/demo")).SerializeToString()
        self.assertEqual(self.hold_calls(4096 + 20, data), 20)

    def test_as_many_bytes_in_hand_as_are_allowed(self):
        data = v1("CreateJobRequest", job=v1("Job", provider="providers/demo")).SerializeToString()
        padding = (4 << 20) - len(data) - 16
        data += b"\xfa\x3f" + BadInput.varint(padding) + bytes(padding)  # an unknown field
        # 32 of just below 4 MiB are just below 128 MiB, so the 33rd is the first to pass the limit.
        self.assertEqual(self.hold_calls(36, data), 4)


class Draining(Case):
    def drain(self, grace_ms):
        thread = threading.Thread(target=self.door.tell, args=(f"drain {grace_ms}",))
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def test_watches_are_told_and_the_door_is_closed(self):
        job = self.client.create()
        health = self.client.stream("grpc.health.v1.Health/Watch")
        self.assertEqual(next(health).status, 1)
        watches = [self.client.watch("WatchJob", name=job.name) for _ in range(20)]
        for watch in watches:
            next(watch)
        self.drain(5000)
        self.assertEqual(next(health).status, 2)
        for watch in watches:
            found = self.refused(CODE.UNAVAILABLE, "DRAINING", lambda w=watch: w)
            self.assertGreater(found["RetryInfo"].retry_delay.seconds, 0)
        with self.assertRaises(OSError):
            for _ in range(100):
                socket.create_connection(("127.0.0.1", self.door.port), 1).close()
                time.sleep(0.05)
        self.assertFalse(os.path.exists(self.door.unix))

    def test_a_call_in_hand_is_answered_within_the_grace(self):
        self.door.tell("hold 1")
        request = v1("CreateJobRequest", job=v1("Job", provider="providers/demo")).SerializeToString()
        call = self.client.channel.unary_unary(CREATE).future(request, timeout=WAIT)
        self.wait_until(lambda: self.door.tell("counts")[2] == 1)
        self.door.tell("release 300")
        self.drain(10000)
        self.assertTrue(cls("filmgate.v1.CreateJobResponse").FromString(call.result()).job.name)

    def test_a_watch_that_was_left_is_waited_for_until_the_engine_has_answered(self):
        self.door.tell("hold 2")
        watch = self.client.watch("WatchJob", name="jobs/0190163d-8694-739b-aea5-966c26f8ad91")
        self.wait_until(lambda: self.door.tell("counts")[2] == 1)
        watch.cancel()
        self.door.tell("release 300")
        self.assertEqual(self.door.tell("drain 0")[2], 0)

    def test_what_is_answered_after_the_end_is_heard_by_nobody(self):
        self.door.tell("hold 2")
        request = v1("GetJobRequest", name="jobs/0190163d-8694-739b-aea5-966c26f8ad91").SerializeToString()
        method = self.client.channel.unary_unary("/filmgate.v1.JobService/GetJob")
        calls = [method.future(request, timeout=WAIT) for _ in range(20)]
        self.wait_until(lambda: self.door.tell("counts")[2] == len(calls))
        self.assertEqual(self.door.tell("drain 100")[2], len(calls))
        for call in calls:
            self.assertIn(call.code(), (CODE.UNAVAILABLE, CODE.CANCELLED))
        # The engine answers when the door is closed; door.close() sees how the process takes it.

    def test_a_stuck_call_is_cancelled_after_the_grace(self):
        job = self.client.create()
        blocked = Client(self.door.target, **{"grpc.http2.lookahead_bytes": 65535, "grpc.http2.bdp_probe": 0})
        self.addCleanup(blocked.close)
        watch = blocked.watch("WatchJob", wait=120, name=job.name)
        for n in range(2000):
            self.client.job("UpdateJob", job=v1("Job", name=job.name, display_name="x" * 200),
                            update_mask={"paths": ["display_name"]})
            if self.door.tell("counts")[1] == 0:
                break
        started = time.monotonic()
        self.door.tell("drain 300")
        self.assertLess(time.monotonic() - started, WAIT)
        with self.assertRaises(grpc.RpcError) as caught:
            list(watch)
        # gRPC resets the stream and closes the connection: whichever the client hears of first.
        self.assertIn(caught.exception.code(), (CODE.UNAVAILABLE, CODE.CANCELLED))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=1)
