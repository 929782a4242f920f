"""Every exit status, one test or more each."""

import os
import time
import unittest

import grpc
from fake import METHODS, Case, Refusal, message, number


def field(number_, data):
    """A length-delimited field as bytes."""
    length, varint = len(data), bytearray()
    while length > 0x7f:
        varint.append(length & 0x7f | 0x80)
        length >>= 7
    varint.append(length)
    return bytes([number_ << 3 | 2]) + bytes(varint) + data


class Exits(Case):
    def test_0_when_it_is_done(self):
        self.expect(0, "list", out="")
        self.expect(0, "version", out="filmgate ")

    def test_0_when_the_job_succeeds(self):
        job = self.fake.add_job("SUCCEEDED")
        self.expect(0, "wait", job.name, out="SUCCEEDED")

    def test_1_when_the_daemon_cannot(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", "too many jobs wait")
        self.fake.on["CreateJob"] = refuse
        self.expect(1, "submit", "heygen", "hi", says="too many jobs wait")

    def test_2_when_the_daemon_finds_the_request_wrong(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "two fields are wrong",
                          [("job.parameters.fps", "30 is not 24"), ("job.model", "there is no 'x'")])
        self.fake.on["CreateJob"] = refuse
        self.expect(2, "submit", "heygen", "--script", "hi",
                    says=["INVALID_ARGUMENT (INVALID_REQUEST): two fields are wrong", "job.parameters.fps: 30 is not 24",
                          "job.model: there is no 'x'", "next: 'filmgate providers get"])
        self.assertEqual(len(self.fake.requests("CreateJob")), 1)

    def test_what_adapting_cannot_mend_is_said(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "'9k' is no resolution",
                          [("job.parameters.resolution", "'9k' is no resolution")])
        self.fake.on["CreateJob"] = refuse
        for more in ([], ["--dry-run"]):
            self.expect(2, "submit", "heygen", "hi", "--adapt", *more, says="--adapt cannot mend this")
            self.assertNotIn("--adapt", self.expect(2, "submit", "heygen", "hi", *more).err)

    def test_a_message_that_repeats_the_first_field_is_said_once(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "job.model: there is no 'x'",
                          [("job.model", "there is no 'x'")])
        self.fake.on["CreateJob"] = refuse
        self.expect(2, "submit", "heygen", "--script", "hi",
                    says=["INVALID_ARGUMENT (INVALID_REQUEST): the request is wrong\n", "job.model: there is no 'x'"])

    def test_1_when_the_reply_is_incomplete(self):
        job = self.fake.add_job()
        asset = "assets/" + 64 * "a"
        with open(os.path.join(self.home, "a.png"), "wb") as file:
            file.write(b"a")
        for method, lacks, commands in (
                ("GetJob", "job", [["get", job.name], ["download", job.name]]),
                ("CancelJob", "job", [["cancel", job.name]]),
                ("RetryJob", "job", [["retry", job.name]]),
                ("ResolveJob", "job", [["resolve", job.name, "--absent"]]),
                ("ResumeJob", "job", [["resume", job.name]]),
                ("UpdateJob", "job", [["update", job.name, "--priority", "1"]]),
                ("CreateJob", "job", [["submit", "heygen", "hi"], ["submit", "heygen", "hi", "--dry-run"]]),
                ("GetArtifact", "artifact", [["download", job.name + "/artifacts/1"]]),
                ("UploadAsset", "asset", [["assets", "upload", "a.png"], ["submit", "heygen", "--image", "a.png"]]),
                ("GetAsset", "asset", [["assets", "get", asset], ["assets", "upload", "a.png"],
                                       ["submit", "heygen", "--image", asset]]),
                ("GetProvider", "provider", [["providers", "get", "heygen"], ["catalog", "heygen"]])):
            kind = METHODS[next(path for path in METHODS if path.endswith("/" + method))][1]
            self.fake.on[method] = lambda request, kind=kind: kind()
            for command in commands:
                self.expect(1, *command, says=f"the daemon's reply lacks its '{lacks}'")

    def test_1_when_the_reply_is_unreadable(self):
        job = self.fake.add_job()
        for reply in (b"\x0a\x05ab", b"\x0b", b"\xff" * 12):
            self.fake.on["GetJob"] = lambda request, reply=reply: reply
            self.expect(1, "get", job.name, says="cannot be read")

    def test_1_when_the_reply_is_nested_so_deep_that_a_decoder_would_crash(self):
        value = b"\x20\x01"  # Value.bool_value
        for i in range(12000):
            value = field(6 if i % 2 else 1, value)  # Value.list_value, ListValue.values
        entry = field(1, b"x") + field(2, value)  # Struct.FieldsEntry
        reply = field(1, field(8, field(1, entry)))  # GetProviderResponse.provider, its capabilities, their fields
        self.fake.on["GetProvider"] = lambda request: reply
        self.expect(1, "providers", "get", "x", says="cannot be read")

    def test_2_for_a_wrong_command_line(self):
        self.expect(2, says="usage:")
        self.expect(2, "lst", says="did you mean 'list'")
        self.expect(2, "get", says="get needs JOB")
        self.expect(2, "get", "not-a-job", says="'not-a-job' is not a job")
        self.expect(2, "list", "--state", "sleeping", says="'sleeping' is none of queued")
        self.expect(2, "list", "--since", "whenever", says="--since")
        self.expect(2, "list", "-s", "nowhere", says="'nowhere' is not a server")
        self.expect(2, "submit", says="PROVIDER")
        self.expect(2, "submit", "heygen", "-P", "promt=x", says="did you mean 'prompt'")
        self.expect(2, "submit", "heygen", "-f", "missing.json", says="missing.json")
        self.expect(2, "completion", "fish", says="fish")
        self.expect(2, "help", "lst", says="'lst'")
        self.assertEqual(self.fake.calls, [])

    def test_a_wrong_field_is_said_once_and_with_a_hint_that_concerns_it(self):
        job = self.fake.add_job()
        for message_ in ("priority: 7 is too much", "7 is too much"):
            def refuse(request, message_=message_):
                raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", message_, [("priority", "7 is too much")])
            self.fake.on["UpdateJob"] = refuse
            done = self.expect(2, "update", job.name, "--priority", "7", says="priority: 7 is too much")
            self.assertEqual(done.err.count("7 is too much"), 1, done)
            self.assertNotIn("next:", done.err)

    def test_3_when_an_order_names_no_provider(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "there is no provider 'x'",
                          [("job.provider", "there is no provider 'x'")])

        def refuse_name(request):
            raise Refusal(grpc.StatusCode.NOT_FOUND, "PROVIDER_NOT_FOUND", "there is no provider 'x'")
        self.fake.on["CreateJob"] = refuse
        self.fake.on["GetProvider"] = refuse_name
        for arguments in (["submit", "x", "hi"], ["providers", "get", "x"]):
            done = self.expect(3, *arguments, says="'filmgate providers' shows the configured ones")
            self.assertEqual((done.err.count("no provider 'x'"), done.err.count("next:")), (1, 1), done)

    def test_3_when_there_is_no_such_thing(self):
        nobody = "jobs/01a20485-7299-7846-85db-7f80b5b82330"
        self.expect(3, "get", nobody, says=["NOT_FOUND (JOB_NOT_FOUND)", "filmgate list"])
        self.expect(3, "wait", nobody)
        self.expect(3, "watch", nobody)
        self.expect(3, "download", nobody)
        self.expect(3, "download", nobody + "/artifacts/1", says="ARTIFACT_NOT_FOUND")
        self.expect(3, "download", self.fake.add_job().name, says="has no file")

    def test_4_when_the_daemon_does_not_let_us(self):
        for code in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED):
            def refuse(request, code=code):
                raise Refusal(code)
            self.fake.on["ListJobs"] = refuse
            self.expect(4, "list", says=code.name)

    def test_5_when_nobody_is_there(self):
        self.fake.stop()
        self.expect(5, "list", says=["UNAVAILABLE", self.fake.address, "--server"])
        self.expect(5, "watch")
        self.expect(5, "wait", "01a20485-7299-7846-85db-7f80b5b82330")
        self.expect(5, "list", "-s", "unix:" + self.fake.folder + "/nothing", says="nothing")

    def test_5_when_the_daemon_is_shutting_down(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "DRAINING", "shutting down", retry_s=7)
        self.fake.on["ListJobs"] = refuse
        self.expect(5, "list", says=["DRAINING", "not before 7.0 s"])

    def test_6_when_the_job_fails_or_expires(self):
        failed = self.fake.add_job("FAILED")
        failed.status.failure.reason = number("FailureReason", "MODERATED")
        failed.status.failure.message = "the script was refused"
        self.expect(6, "wait", failed.name, out=["FAILED", "moderated: the script was refused"])
        self.expect(6, "watch", failed.name)
        self.expect(6, "wait", self.fake.add_job("EXPIRED").name, out="EXPIRED")

    def test_6_is_also_that_of_a_submit_that_waits(self):
        def end_badly(request):
            job = self.fake.find(request.name)
            job.status.state = number("JobState", "FAILED")
            yield message("WatchJobResponse", event=self.fake.event(job))
        self.fake.on["WatchJob"] = end_badly
        self.expect(6, "submit", "heygen", "hi", "--wait", out="jobs/")

    def test_7_when_the_job_is_cancelled(self):
        job = self.fake.add_job("CANCELLED")
        job.status.cancel.outcome = number("CancelOutcome", "DETACHED")
        self.expect(7, "wait", job.name, out=["CANCELLED", "the provider goes on and bills it"])
        self.expect(7, "watch", job.name)

    def test_9_when_only_a_person_can_move_the_job(self):
        job = self.fake.add_job("UNCERTAIN")
        self.fake.on["WatchJob"] = self.hold
        began = time.monotonic()
        self.expect(9, "wait", job.name, out="UNCERTAIN", says=f"filmgate resolve {job.name[5:]} --found REMOTE_ID")
        self.assertLess(time.monotonic() - began, 2.5)

    def test_124_when_the_time_of_waiting_is_over(self):
        job = self.fake.add_job()
        self.fake.on["WatchJob"] = self.hold
        began = time.monotonic()
        self.expect(124, "wait", "--timeout", "300ms", job.name,
                    says=["time is over", "goes on (RUNNING)", "filmgate watch " + job.name[5:], "filmgate cancel"])
        self.assertLess(time.monotonic() - began, 10)
        self.expect(124, "submit", "heygen", "hi", "--wait=300ms", out="jobs/")

    def test_a_state_that_is_not_known_is_not_made_up(self):
        job = self.fake.add_job()

        def say_nothing(request):
            time.sleep(2)
            yield from ()
        self.fake.on["WatchJob"] = say_nothing
        done = self.expect(124, "wait", "--timeout", "300ms", job.name)
        self.assertIn(f"time is over: job {job.name} goes on\n", done.err)

    def test_124_when_a_call_takes_too_long(self):
        def sleep(request):
            time.sleep(1)
            return message("ListJobsResponse")
        self.fake.on["ListJobs"] = sleep
        self.expect(124, "list", "--deadline", "200ms", says=["DEADLINE_EXCEEDED", "--deadline"])

    def test_130_when_interrupted(self):
        job = self.fake.add_job()
        self.fake.on["WatchJob"] = self.hold
        process = self.start("wait", job.name)
        self.fake.wait_for("WatchJob")
        time.sleep(0.3)
        done = self.interrupt(process)
        self.assertEqual(done.status, 130, done)
        for text in ("interrupted", "goes on (RUNNING)", "filmgate watch " + job.name[5:], "filmgate cancel " + job.name[5:]):
            self.assertIn(text, done.err)
        self.assertEqual(self.fake.requests("CancelJob"), [])

    def test_130_when_a_script_ends_it(self):
        job = self.fake.add_job()
        self.fake.on["WatchJob"] = self.hold
        process = self.start("wait", job.name)
        self.fake.wait_for("WatchJob")
        process.terminate()
        done = self.finish(process)
        self.assertEqual(done.status, 130, done)
        self.assertIn("interrupted", done.err)
        self.assertIn("filmgate watch " + job.name[5:], done.err)

    def test_130_also_in_a_call(self):
        def sleep(request):
            time.sleep(2)
            return message("ListJobsResponse")
        self.fake.on["ListJobs"] = sleep
        process = self.start("list")
        self.fake.wait_for("ListJobs")
        self.assertEqual(self.interrupt(process).status, 130)

    def hold(self, request):
        """One snapshot, then nothing for as long as a test may take."""
        yield message("WatchJobResponse", event=self.fake.event(self.fake.find(request.name), "SNAPSHOT"))
        time.sleep(3)


if __name__ == "__main__":
    unittest.main()
