"""A daemon for the tests of the command line: the contract's services on loopback, answered by Python functions.

The messages are made from the descriptor set that the build has just written, so the fake cannot drift from the
contract. It listens on a port of its own and on a unix socket, records every request, and answers what a test tells it
to; what it is not told it answers as the contract says, for the jobs in `jobs`.
"""

import contextlib
import fcntl
import hashlib
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest
import uuid
from concurrent import futures

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

PROGRAM = os.environ["FILMGATE"]
DESCRIPTORS = os.environ["FILMGATE_DESCRIPTORS"]
SECONDS = 30  # no run of the program may take longer


def load_messages():
    """Full name of a message -> its class, and full name of a method -> (input, output, are replies, are requests streaming)."""
    with open(DESCRIPTORS, "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    pool = descriptor_pool.DescriptorPool()
    for one in files:
        pool.Add(one)
    classes = message_factory.GetMessageClassesForFiles([one.name for one in files], pool) \
        if hasattr(message_factory, "GetMessageClassesForFiles") \
        else message_factory.MessageFactory(pool).GetMessages([one.name for one in files])
    methods = {}
    for one in files:
        for service in one.service:
            for method in service.method:
                methods[f"/{one.package}.{service.name}/{method.name}"] = (
                    classes[method.input_type[1:]], classes[method.output_type[1:]], method.server_streaming,
                    method.client_streaming)
    return classes, methods


CLASSES, METHODS = load_messages()


def message(kind, /, **fields):
    """message("Job", model="avatar")"""
    return CLASSES["filmgate.v1." + kind](**fields)


def number(enum, word):
    """number("JobState", "RUNNING")"""
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum).upper()
    pool = next(iter(CLASSES.values())).DESCRIPTOR.file.pool
    return pool.FindEnumTypeByName("filmgate.v1." + enum).values_by_name[f"{prefix}_{word}"].number


class Refusal(Exception):
    """An error status with google.rpc details, as the daemon sends it."""

    def __init__(self, code, reason=None, text="no", violations=(), retry_s=0, job=None):
        super().__init__(text)
        status = CLASSES["google.rpc.Status"](code=code.value[0], message=text)
        if reason:
            self.add(status, CLASSES["google.rpc.ErrorInfo"](reason=reason, domain="filmgate"))
        if violations:
            wrong = CLASSES["google.rpc.BadRequest"]()
            for field, description in violations:
                wrong.field_violations.add(field=field, description=description)
            self.add(status, wrong)
        if job:
            self.add(status, CLASSES["google.rpc.ResourceInfo"](resource_type="filmgate.v1.Job", resource_name=job))
        if retry_s:
            retry = CLASSES["google.rpc.RetryInfo"]()
            retry.retry_delay.seconds = retry_s
            self.add(status, retry)
        self.code, self.text = code, text
        self.details = status.SerializeToString() if reason else None

    @staticmethod
    def add(status, detail):
        any_message = any_pb2.Any()
        any_message.Pack(detail)
        status.details.add().MergeFromString(any_message.SerializeToString())


class Fake(grpc.GenericRpcHandler):
    """The daemon. `on["ListJobs"] = function(request)` answers a call; a list of functions answers one call each, the
    last one all that follow. Streaming functions are generators; raising a Refusal is an error."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="filmgate-cli-")
        self.socket = os.path.join(self.folder, "socket")
        self.on = {}
        self.calls = []
        self.jobs = {}
        self.bytes = {}
        self.web_url = ""
        self.assets = {}
        self.lock = threading.Condition()
        self.port = 0
        self.server = None
        self.start()

    # life

    def start(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(16), handlers=[self], options=[("grpc.so_reuseport", 0)])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        self.server.add_insecure_port("unix:" + self.socket)
        self.server.start()

    def stop(self):
        """As a killed daemon looks to its clients."""
        self.server.stop(0).wait()
        self.server = None

    def close(self):
        if self.server:
            self.stop()
        shutil.rmtree(self.folder)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    # calls

    def service(self, handler_call_details):
        path = handler_call_details.method
        if path not in METHODS:
            return None
        name, (kind, _, is_stream, is_upload) = path.rsplit("/", 1)[1], METHODS[path]
        if is_upload:
            return grpc.stream_unary_rpc_method_handler(lambda requests, context: self.unary(name, requests, context),
                                                        kind.FromString, lambda reply: reply.SerializeToString())
        make = grpc.unary_stream_rpc_method_handler if is_stream else grpc.unary_unary_rpc_method_handler
        run = self.stream if is_stream else self.unary
        return make(lambda request, context: run(name, request, context), kind.FromString,
                    lambda reply: reply if isinstance(reply, bytes) else reply.SerializeToString())

    def note(self, name, request):
        with self.lock:
            before = len([1 for called, _ in self.calls if called == name])
            self.calls.append((name, request))
            self.lock.notify_all()
        answer = self.on.get(name) or getattr(self, name, None)
        if isinstance(answer, list):
            answer = answer[min(before, len(answer) - 1)]
        return answer or (lambda request: refuse_unknown(name))

    def unary(self, name, request, context):
        self.seconds_left = context.time_remaining()
        try:
            return self.note(name, request)(request)
        except Refusal as refusal:
            self.refuse(refusal, context)

    def stream(self, name, request, context):
        try:
            for reply in self.note(name, request)(request):
                if not context.is_active():
                    return
                yield reply
        except Refusal as refusal:
            self.refuse(refusal, context)

    @staticmethod
    def refuse(refusal, context):
        if refusal.details:
            context.set_trailing_metadata((("grpc-status-details-bin", refusal.details),))
        context.abort(refusal.code, refusal.text)

    def requests(self, name):
        with self.lock:
            return [request for called, request in self.calls if called == name]

    def wait_for(self, name, count=1):
        """Until so many calls of that name have come."""
        with self.lock:
            came = self.lock.wait_for(lambda: len([1 for c, _ in self.calls if c == name]) >= count, SECONDS)
        assert came, f"{count} calls of {name} did not come"

    # what the daemon does of itself

    def add_job(self, state="RUNNING", **fields):
        job = message("Job", name=f"jobs/{uuid.uuid4()}", provider="providers/heygen", model="avatar", revision=1, **fields)
        job.create_time.GetCurrentTime()
        job.status.state = number("JobState", state)
        self.jobs[job.name] = job
        return job

    def add_video(self, job, data, role="video", sha256=None):
        n = len(job.status.artifacts) + 1
        artifact = job.status.artifacts.add(
            name=f"{job.name}/artifacts/{n}", role=role, media_type="video/mp4", size_bytes=len(data),
            sha256=sha256 or hashlib.sha256(data).hexdigest(), width=1920, height=1080)
        artifact.duration.seconds = 8
        self.bytes[artifact.name] = data
        return artifact

    def find(self, name):
        if name not in self.jobs:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND", f"there is no {name}")
        return self.jobs[name]

    def event(self, job, kind="STATE_CHANGED", token=""):
        event = message("JobEvent", job=job.name, revision=job.revision, resume_token=token, provider=job.provider,
                        model=job.model, kind=number("JobEventKind", kind), status=job.status)
        event.time.GetCurrentTime()
        return event

    def add_asset(self, data, media_type="image/png", display_name=""):
        sha256 = hashlib.sha256(data).hexdigest()
        asset = message("Asset", name="assets/" + sha256, sha256=sha256, size_bytes=len(data), media_type=media_type,
                        kind={"image": 1, "video": 2, "audio": 3}[media_type.split("/")[0]], display_name=display_name)
        if asset.kind == 1:
            asset.width, asset.height = 640, 360
        asset.create_time.GetCurrentTime()
        return self.assets.setdefault(asset.name, asset)

    def find_asset(self, name):
        if name not in self.assets:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "ASSET_NOT_FOUND", f"there is no {name}")
        return self.assets[name]

    def UploadAsset(self, requests):
        first = next(requests).metadata
        data = b"".join(request.data for request in requests)
        assert len(data) == first.size_bytes and hashlib.sha256(data).hexdigest() == first.sha256
        media_type = "video/mp4" if b"ftyp" in data[:12] else "image/png"
        return message("UploadAssetResponse", asset=self.add_asset(data, media_type, first.display_name))

    def GetAsset(self, request):
        return message("GetAssetResponse", asset=self.find_asset(request.name))

    def DeleteAsset(self, request):
        del self.assets[self.find_asset(request.name).name]
        return message("DeleteAssetResponse")

    def ListAssets(self, request):
        assets = list(self.assets.values())[::-1]
        start = int(request.page_token or 0)
        page = assets[start:start + request.page_size]
        more = start + len(page) < len(assets)
        return message("ListAssetsResponse", assets=page, next_page_token=str(start + len(page)) if more else "")

    def CreateJob(self, request):
        known = [job for job in self.jobs.values() if job.request_id == request.request_id != ""]
        if known:
            return message("CreateJobResponse", job=known[0], replayed=True)
        job = message("Job")
        job.CopyFrom(request.job)
        if not request.validate_only:
            job = self.add_job("QUEUED", request_id=request.request_id)
            job.MergeFrom(request.job)
        return message("CreateJobResponse", job=job)

    def GetJob(self, request):
        return message("GetJobResponse", job=self.find(request.name))

    def ListJobs(self, request):
        jobs = sorted(self.jobs.values(), key=lambda job: job.name, reverse=True)
        start = int(request.page_token or 0)
        page = jobs[start:start + request.page_size]
        more = start + len(page) < len(jobs)
        return message("ListJobsResponse", jobs=page, next_page_token=str(start + len(page)) if more else "")

    def RetryJob(self, request):
        old = self.find(request.name)
        job = self.add_job("QUEUED", request_id=request.request_id, retry_of=old.name)
        return message("RetryJobResponse", job=job)

    def DeleteJob(self, request):
        del self.jobs[self.find(request.name).name]
        return message("DeleteJobResponse")

    def CancelJob(self, request):
        return message("CancelJobResponse", job=self.find(request.name), outcome=number("CancelOutcome", "NEVER_SENT"))

    def UpdateJob(self, request):
        job = self.find(request.job.name)
        if request.expected_revision not in (0, job.revision):
            raise Refusal(grpc.StatusCode.ABORTED, "REVISION_MISMATCH", "it has changed")
        for path in request.update_mask.paths:
            job.ClearField(path)
            part = message("Job")
            part.CopyFrom(request.job)
            for other in {f.name for f in part.DESCRIPTOR.fields} - {path}:
                part.ClearField(other)
            job.MergeFrom(part)
        job.revision += 1
        return message("UpdateJobResponse", job=job)

    def WatchJob(self, request):
        job = self.find(request.name)
        if request.after_revision < job.revision:
            yield message("WatchJobResponse", event=self.event(job, "SNAPSHOT"))

    def GetArtifact(self, request):
        for job in self.jobs.values():
            for artifact in job.status.artifacts:
                if artifact.name == request.name:
                    return message("GetArtifactResponse", artifact=artifact)
        raise Refusal(grpc.StatusCode.NOT_FOUND, "ARTIFACT_NOT_FOUND", f"there is no {request.name}")

    def CreateArtifactLink(self, request):
        artifact = self.GetArtifact(request).artifact
        return message("CreateArtifactLinkResponse", url=f"{self.web_url}/v1/links/TOKEN", artifact=artifact)

    def ReadArtifact(self, request, piece=64 * 1024, stop_after=None):
        data = self.bytes[request.name]
        end = len(data) if stop_after is None else min(stop_after, len(data))
        for offset in range(request.offset, end, piece):
            yield message("ReadArtifactResponse", offset=offset, data=data[offset:min(offset + piece, end)])


def refuse_unknown(name):
    raise Refusal(grpc.StatusCode.UNIMPLEMENTED, None, f"{name} is not part of this test")


class Done:
    """A run of the program that has ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


class Terminal:
    """A run whose standard output and error are a terminal of 100 columns and 20 lines."""

    def __init__(self, *arguments, env=None):
        self.fd, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 100, 0, 0))
        self.process = subprocess.Popen([PROGRAM, *arguments], stdin=inner, stdout=inner, stderr=inner, env=env)
        os.close(inner)
        self.seen = b""

    def read_until(self, text):
        end = time.monotonic() + SECONDS
        while text.encode() not in self.seen:
            if not self.read(end):
                raise AssertionError(f"'{text}' did not appear in {self.seen!r}")
        return self.seen.decode()

    def read(self, end):
        if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data
        return bool(data)

    def finish(self):
        end = time.monotonic() + SECONDS
        while self.read(end):
            pass
        status = self.process.wait(SECONDS)
        os.close(self.fd)
        return status, self.seen.decode()


class Case(unittest.TestCase):
    """One fake daemon per test, and the program with nothing else in its environment."""

    def setUp(self):
        self.fake = Fake()
        self.addCleanup(self.fake.close)
        self.home = tempfile.mkdtemp(prefix="filmgate-cli-home-")
        self.addCleanup(shutil.rmtree, self.home)
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm", "TZ": "UTC",
                    "FILMGATE_SERVER": self.fake.address}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen([PROGRAM, *arguments], cwd=self.home, env=self.env, **options)

    def finish(self, process, data=None):
        try:
            out, err = process.communicate(data, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"did not end: {out!r} {err!r}")
        with contextlib.suppress(UnicodeDecodeError):
            out = (out or b"").decode()
        err = err.decode()
        self.assertNotIn("Sanitizer", err)
        return Done(process.returncode, out, err)

    def run_cli(self, *arguments, stdin=None):
        process = self.start(*arguments, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
        return self.finish(process, stdin.encode() if stdin is not None else None)

    def expect(self, status, *arguments, stdin=None, says=(), out=()):
        """Runs it; the exit status must be that one, and the texts must be said."""
        done = self.run_cli(*arguments, stdin=stdin)
        self.assertEqual(done.status, status, done)
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, done.err, done)
        for text in [out] if isinstance(out, str) else out:
            self.assertIn(text, done.out, done)
        return done

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        return self.finish(process)

    def terminal(self, *arguments):
        return Terminal(*arguments, env=self.env)
