"""submit and retry: what is sent, that it is sent so that it buys once, and what is printed."""

import json
import os
import time
import unittest

import grpc
from fake import Case, Refusal, message, number


class Submit(Case):
    def sent(self, *arguments, stdin=None):
        """The CreateJobRequest that the arguments make."""
        self.fake.calls.clear()
        self.expect(0, "submit", *arguments, stdin=stdin)
        return self.fake.requests("CreateJob")[0]

    def write(self, name, text):
        with open(os.path.join(self.home, name), "w", encoding="utf-8") as file:
            file.write(text)

    # what is sent

    def test_flags_become_fields(self):
        request = self.sent("heygen", "--model", "avatar", "--script", "Hallo Welt", "--avatar", "a1", "--voice", "v1",
                            "-l", "project=spring", "-l", "empty=", "--name", "first", "--priority", "-7",
                            "--timeout", "90m", "--request-id", "r-1", "--on-uncertain", "resubmit",
                            "--retry-if-uncharged", "2", "--on-mismatch", "fail", "--not-before", "2026-11-22T17:00:00.5Z",
                            "-P", "duration_ms=8s", "-P",
                            "extras.voice_settings.speed=1.25", "--image", "source=https://example.com/a.png?x=y")
        job, parameters = request.job, request.job.parameters
        self.assertEqual((request.request_id, request.timeout.seconds, request.validate_only), ("r-1", 5400, False))
        self.assertEqual((job.provider, job.model, job.display_name, job.priority),
                         ("providers/heygen", "avatar", "first", -7))
        self.assertEqual(dict(job.labels), {"project": "spring", "empty": ""})
        self.assertEqual((job.on_uncertain, job.retry_if_uncharged), (number("OnUncertain", "RESUBMIT"), 2))
        self.assertEqual(job.on_mismatch, number("OnMismatch", "FAIL"))
        self.assertEqual((job.not_before_time.seconds, job.not_before_time.nanos), (1795366800, 500000000))
        self.assertEqual((parameters.script.text, parameters.avatar_id, parameters.voice_id), ("Hallo Welt", "a1", "v1"))
        self.assertEqual(parameters.duration.seconds, 8)
        self.assertEqual(parameters.extras["voice_settings"]["speed"], 1.25)
        self.assertEqual(len(parameters.media), 1)
        self.assertEqual(parameters.media[0].url, "https://example.com/a.png?x=y")
        self.assertEqual(parameters.media[0].role, number("MediaRole", "SOURCE"))

    def test_fallbacks_are_providers_with_a_model_or_without(self):
        job = self.sent("heygen", "a cat", "--fallback", "veo/veo-3.1/fast", "--fallback", "providers/sora").job
        self.assertEqual([(route.provider, route.model) for route in job.fallbacks],
                         [("providers/veo", "veo-3.1/fast"), ("providers/sora", "")])
        self.expect(2, "submit", "heygen", "a cat", "--fallback", "/veo", says="'/veo' names no provider")
        self.write("job.json", '{"provider": "heygen", "fallbacks": [{"provider": "veo", "model": "clip"}]}')
        job = self.sent("-f", "job.json", "--fallback", "sora").job
        self.assertEqual([(route.provider, route.model) for route in job.fallbacks],
                         [("providers/veo", "clip"), ("providers/sora", "")])

    def test_a_start_in_so_long_is_counted_from_now(self):
        now = time.time()
        at = self.sent("heygen", "a cat", "--not-before", "2h").job.not_before_time.seconds
        self.assertTrue(now + 7199 <= at <= time.time() + 7200, at - now)
        self.expect(2, "submit", "heygen", "a cat", "--not-before", "soon", says="'soon' is no time")

    def test_an_order_from_a_file_keeps_its_start(self):
        self.write("at.json", '{"provider": "heygen", "not_before_time": "2026-11-22T17:00:00Z"}')
        self.assertEqual(self.sent("-f", "at.json").job.not_before_time.seconds, 1795366800)
        self.write("bad.json", '{"provider": "heygen", "not_before_time": "tomorrow"}')
        self.expect(2, "submit", "-f", "bad.json", says="'tomorrow' is not an instant")

    def test_the_second_operand_is_the_prompt(self):
        self.assertEqual(self.sent("heygen", "a cat").job.parameters.prompt, "a cat")
        self.assertEqual(self.sent("providers/heygen", "a cat").job.provider, "providers/heygen")

    def test_a_word_that_may_be_no_prompt_orders_nothing(self):
        self.expect(2, "submit", "heygen", "60s", "--wait", says="write --wait=60s")
        self.expect(2, "submit", "heygen", "--wait", "5m", says="'5m' would be the prompt")
        self.expect(2, "submit", "heygen", "a dog", "-p", "a cat", says="two prompts, 'a dog' and that of --prompt")
        self.assertEqual(self.fake.requests("CreateJob"), [])
        self.expect(0, "submit", "heygen", "60s")

    def test_what_is_not_said_is_not_set(self):
        request = self.sent("heygen")
        self.assertFalse(request.HasField("timeout"))
        self.assertEqual(request.job.parameters.ByteSize(), 0)

    def test_text_comes_from_files_and_standard_input(self):
        self.write("text", "line one\nline zwei: ä\n")
        self.assertEqual(self.sent("heygen", "--script", "@text").job.parameters.script.text, "line one\nline zwei: ä\n")
        self.assertEqual(self.sent("heygen", "@-", stdin="from stdin").job.parameters.prompt, "from stdin")
        self.assertEqual(self.sent("heygen", "@@home").job.parameters.prompt, "@home")
        self.expect(2, "submit", "heygen", "--script", "@missing", says=["--script", "missing"])
        self.write("binary", "a\0b")
        self.expect(2, "submit", "heygen", "--script", "@binary", says="NUL")

    def test_a_file_is_the_base_and_flags_come_on_top(self):
        self.write("job.json", json.dumps({
            "provider": "heygen", "model": "avatar", "priority": 3, "labels": {"a": "1", "b": "2"},
            "parameters": {"script": {"text": "from the file"}, "seed": 17454220438242315174, "audio": "off",
                           "extras": {"list": [1, "x", None]}}}))
        request = self.sent("-f", "job.json", "--priority", "9", "-l", "b=3")
        self.assertEqual((request.job.provider, request.job.priority), ("providers/heygen", 9))
        self.assertEqual(dict(request.job.labels), {"a": "1", "b": "3"})
        self.assertEqual(request.job.parameters.seed, 17454220438242315174)
        self.assertEqual(request.job.parameters.audio, number("Toggle", "OFF"))
        self.assertEqual(self.sent("-f", "-", stdin='{"provider": "x"}').job.provider, "providers/x")
        self.assertEqual(self.sent("y", "-f", "-", stdin='{"provider": "x"}').job.provider, "providers/y")

    def test_a_printed_job_can_be_ordered_again(self):
        job = self.fake.add_job("FAILED", request_id="old", display_name="n")
        job.parameters.prompt = "again"
        job.parameters.seed = 0
        printed = self.expect(0, "get", job.name, "-o", "json").out
        request = self.sent("-f", "-", stdin=printed)
        self.assertNotEqual(request.request_id, "old")
        self.assertEqual((request.job.name, request.job.revision), ("", 0))
        self.assertEqual(request.job.parameters, job.parameters)
        self.assertEqual(request.job.parameters.WhichOneof("optional_seed"), "seed")

    def test_mistakes_in_a_file_name_their_place(self):
        for text, says in (('{"provider": "x", "parameters": {"fps": "30"}}', "parameters.fps: must be a number"),
                           ('{"provider": "x", "parametres": {}}', "did you mean 'parameters'"),
                           ('{"provider": "x"', "standard input"), ("[]", "must be one object"),
                           ('{"provider": "x", "request_id": "r"}', "--request-id"), ('{}', "PROVIDER")):
            self.expect(2, "submit", "-f", "-", stdin=text, says=says)
        self.assertEqual(self.fake.requests("CreateJob"), [])

    # once

    def test_every_order_has_an_id_of_its_own(self):
        ids = {self.sent("heygen", "hi").request_id for _ in range(2)}
        self.assertEqual(len(ids), 2)
        for one in ids:
            self.assertRegex(one, "^[!-~]{1,128}$")

    def test_an_order_whose_reply_is_lost_is_repeated_under_the_same_id(self):
        def lose(request):
            self.fake.CreateJob(request)
            raise Refusal(grpc.StatusCode.UNAVAILABLE, None, "connection reset")
        self.fake.on["CreateJob"] = [lose, lose, self.fake.CreateJob]
        done = self.expect(0, "submit", "heygen", "hi", says=["trying again", "nothing new was bought"])
        requests = self.fake.requests("CreateJob")
        self.assertEqual(len(requests), 3)
        self.assertEqual(len({request.request_id for request in requests}), 1)
        self.assertEqual(done.out.strip(), next(iter(self.fake.jobs)))

    def test_an_order_outlives_a_daemon_that_restarts(self):
        self.fake.stop()
        process = self.start("submit", "heygen", "hi", "--retry-for", "20s")
        time.sleep(1)
        self.fake.start()
        back = time.monotonic()
        done = self.finish(process)
        self.assertEqual(done.status, 0, done)
        self.assertLess(time.monotonic() - back, 4)
        self.assertEqual(len(self.fake.jobs), 1)

    def test_an_order_that_found_no_daemon_is_not_ordered(self):
        self.fake.stop()
        done = self.expect(5, "submit", "heygen", "hi", "--retry-for", "300ms", says=["nothing was sent: it is not ordered"])
        self.assertNotIn("is not known", done.err)

    def test_an_order_repeated_under_its_id_may_have_been_taken_before(self):
        self.fake.stop()
        done = self.expect(5, "submit", "heygen", "hi", "--retry-for", "300ms", "--request-id", "mine",
                           says=["whether it was ordered is not known; repeated with --request-id mine"])
        self.assertNotIn("it is not ordered", done.err)

    def test_an_order_that_stays_undecided_says_how_to_repeat_it(self):
        def lose(request):
            raise Refusal(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", "the disk is full")
        self.fake.on["CreateJob"] = lose
        done = self.expect(1, "submit", "heygen", "hi", "--retry-for", "300ms",
                           says=["the disk is full", "is not known", "--request-id "])
        requests = self.fake.requests("CreateJob")
        self.assertGreater(len(requests), 1)
        self.assertIn("--request-id " + requests[0].request_id, done.err)
        self.assertEqual(done.out, "")

    def test_what_the_daemon_refuses_is_not_repeated(self):
        for code, reason, status in ((grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", 2),
                                     (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", 1),
                                     (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL", 1)):
            def refuse(request, code=code, reason=reason):
                raise Refusal(code, reason)
            self.fake.calls.clear()
            self.fake.on["CreateJob"] = refuse
            self.expect(status, "submit", "heygen", "hi", says=reason)
            self.assertEqual(len(self.fake.requests("CreateJob")), 1)

    def test_an_interrupted_order_says_how_to_repeat_it(self):
        def sleep(request):
            time.sleep(2)
            return self.fake.CreateJob(request)
        self.fake.on["CreateJob"] = sleep
        process = self.start("submit", "heygen", "hi")
        self.fake.wait_for("CreateJob")
        done = self.interrupt(process)
        self.assertEqual(done.status, 130, done)
        self.assertIn("--request-id " + self.fake.requests("CreateJob")[0].request_id, done.err)

    def test_a_retry_is_a_new_order_with_an_id(self):
        job = self.fake.add_job("FAILED")

        def lose(request):
            raise Refusal(grpc.StatusCode.UNAVAILABLE)
        self.fake.on["RetryJob"] = [lose, self.fake.RetryJob]
        done = self.expect(0, "retry", job.name[5:])
        requests = self.fake.requests("RetryJob")
        self.assertEqual([request.name for request in requests], [job.name] * 2)
        self.assertEqual(len({request.request_id for request in requests}), 1)
        self.assertNotEqual(done.out.strip(), job.name)
        self.sent_id = self.expect(0, "retry", job.name, "--request-id", "mine")
        self.assertEqual(self.fake.requests("RetryJob")[-1].request_id, "mine")

    # what is printed

    def test_a_dry_run_orders_nothing(self):
        done = self.expect(0, "submit", "heygen", "hi", "--dry-run", says="nothing was ordered")
        self.assertEqual(done.out, "")
        self.assertTrue(self.fake.requests("CreateJob")[0].validate_only)
        self.assertEqual(self.fake.jobs, {})
        done = self.expect(0, "submit", "heygen", "hi", "--dry-run", "--format", "json", "-q")
        self.assertEqual(json.loads(done.out)["parameters"]["prompt"], "hi")
        self.assertEqual(done.err, "")

    def test_what_was_adapted_is_said(self):
        def adapt(request):
            job = self.fake.CreateJob(request).job
            job.status.notes.add(severity=number("NoteSeverity", "ADJUSTED"), field="parameters.duration_ms",
                                 message="8 s at most\033[2J", **{"from": "16000", "to": "8000"})
            job.status.notes.add(severity=number("NoteSeverity", "IGNORED"), field="parameters.fps", message="not taken")
            return message("CreateJobResponse", job=job)
        self.fake.on["CreateJob"] = adapt
        done = self.expect(0, "submit", "heygen", "hi", "--adapt", says=[
            "adjusted parameters.duration_ms from 16000 to 8000: 8 s at most?[2J", "ignored parameters.fps: not taken"])
        self.assertEqual(self.fake.requests("CreateJob")[0].validation, number("Validation", "ADAPT"))
        stored = self.fake.jobs[done.out.strip()]
        stored.status.notes.add(severity=number("NoteSeverity", "ADJUSTED"), field="parameters.duration_ms",
                                message="8 s at most", **{"from": "16000", "to": "8000"})
        stored.status.notes.add(severity=number("NoteSeverity", "IGNORED"), field="parameters.fps", message="not taken")
        self.expect(0, "get", stored.name, out=["notes        adjusted parameters.duration_ms from 16000 to 8000",
                                                     "             ignored parameters.fps: not taken"])
        self.expect(0, "submit", "heygen", "hi")
        self.assertEqual(self.fake.requests("CreateJob")[1].validation, 0)

    def test_a_dry_run_shows_the_quote(self):
        def quote(request):
            job = self.fake.CreateJob(request).job
            job.quote.kind = number("QuoteKind", "ESTIMATE")
            job.quote.amount_micros = 853760
            job.quote.currency_code = "USD"
            job.quote.unit = number("PriceUnit", "SECOND")
            job.quote.unit_micros = 66700
            job.quote.duration.seconds = 12
            job.quote.duration.nanos = 800000000
            job.quote.sample_count = 2
            job.quote.rule = "plugin heygen 0.1.0\033[2J, as of 2026-07-01"
            return message("CreateJobResponse", job=job)
        self.fake.on["CreateJob"] = quote
        done = self.expect(0, "submit", "heygen", "hi", "--dry-run")
        self.assertEqual(done.out, "quote  about 0.85376 USD: 2 times 12.8 s at 0.0667 USD a second\n"
                                   "       plugin heygen 0.1.0?[2J, as of 2026-07-01\n")
        document = json.loads(self.expect(0, "submit", "heygen", "hi", "--dry-run", "--format", "json", "-q").out)
        self.assertEqual(document["quote"]["amount_micros"], 853760)
        self.assertEqual(document["quote"]["kind"], "estimate")

    def test_a_quote_that_is_not_known_says_so(self):
        def quote(request):
            job = self.fake.CreateJob(request).job
            job.quote.kind = number("QuoteKind", "UNKNOWN")
            job.quote.rule = "no price is known"
            return message("CreateJobResponse", job=job)
        self.fake.on["CreateJob"] = quote
        done = self.expect(0, "submit", "heygen", "hi", "--dry-run")
        self.assertEqual(done.out, "quote  not known\n       no price is known\n")

    def test_the_name_alone_is_on_standard_output(self):
        done = self.expect(0, "submit", "heygen", "hi")
        self.assertEqual(done.out, next(iter(self.fake.jobs)) + "\n")
        self.assertEqual(done.err, "")

    def test_json_is_the_job(self):
        done = self.expect(0, "submit", "heygen", "hi", "--format", "json")
        self.assertEqual(json.loads(done.out)["status"]["state"], "queued")

    def test_waiting_prints_states_as_notes_and_ends_with_the_job(self):
        def run(request):
            job = self.fake.find(request.name)
            for state in ("QUEUED", "RUNNING", "RUNNING", "SUCCEEDED"):
                job.revision += 1
                job.status.state = number("JobState", state)
                yield message("WatchJobResponse", event=self.fake.event(job))
        self.fake.on["WatchJob"] = run
        done = self.expect(0, "submit", "heygen", "hi", "-w")
        self.assertEqual(done.out, next(iter(self.fake.jobs)) + "\n")
        self.assertEqual([line.split()[0] for line in done.err.splitlines()], ["QUEUED", "RUNNING", "SUCCEEDED"])
        done = self.expect(0, "submit", "heygen", "hi", "-w", "-q", "--format", "jsonl")
        self.assertEqual(json.loads(done.out)["status"]["state"], "succeeded")
        self.assertEqual(done.err, "")

    def test_a_file_is_waited_for_and_fetched(self):
        data = os.urandom(200000)

        def run(request):
            job = self.fake.find(request.name)
            self.fake.add_video(job, data)
            job.status.state = number("JobState", "SUCCEEDED")
            yield message("WatchJobResponse", event=self.fake.event(job))
        self.fake.on["WatchJob"] = run
        self.expect(0, "submit", "heygen", "hi", "-o", "out.mp4", says="out.mp4")
        with open(os.path.join(self.home, "out.mp4"), "rb") as file:
            self.assertEqual(file.read(), data)
        done = self.expect(0, "submit", "heygen", "hi", "-o", "-")
        self.assertEqual(done.out, data)
        self.assertIn("jobs/", done.err)

    # -o

    def succeed(self, data):
        """Every job succeeds at once, with a video of those bytes."""
        def run(request):
            job = self.fake.find(request.name)
            self.fake.add_video(job, data)
            job.status.state = number("JobState", "SUCCEEDED")
            yield message("WatchJobResponse", event=self.fake.event(job))
        self.fake.on["WatchJob"] = run

    def test_a_file_that_cannot_be_written_is_found_out_before_the_order(self):
        job = self.fake.add_job("FAILED")
        os.symlink("nowhere", os.path.join(self.home, "dangling"))
        for path, says in (("", "'' names nothing"), ("missing/out.mp4", "no folder 'missing/'"),
                           ("missing/", "no folder 'missing/'"), ("/dev/null/x", "Not a directory"),
                           ("dangling", "a link to what is not there"), (self.fake.socket, "No such device"),
                           ("x" * 240, "File name too long")):
            self.expect(2, "submit", "heygen", "hi", "-o", path, says=says)
            self.expect(2, "retry", job.name, "-o", path, says=says)
        self.assertEqual(self.fake.calls, [])
        status, said = self.terminal("submit", "heygen", "hi", "-o", "-").finish()
        self.assertEqual(status, 2)
        self.assertIn("does not go to a terminal", said)
        self.assertEqual(self.fake.calls, [])

    def test_a_file_that_fails_after_the_order_can_be_fetched_by_itself(self):
        def damaged(request):
            raise Refusal(grpc.StatusCode.DATA_LOSS, "ARTIFACT_DAMAGED", "the file is gone")
        self.succeed(b"video")
        self.fake.on["ReadArtifact"] = damaged
        done = self.expect(1, "submit", "heygen", "hi", "-o", "out.mp4")
        self.assertIn(f"filmgate download {done.out.strip()[5:]} -o out.mp4", done.err)

    def test_an_interrupted_wait_or_download_says_how_to_fetch_the_file(self):
        def slow(request):
            yield from self.fake.ReadArtifact(request, stop_after=100)
            time.sleep(3)

        def hold(request):
            yield message("WatchJobResponse", event=self.fake.event(self.fake.find(request.name)))
            time.sleep(3)
        self.succeed(os.urandom(1000))
        self.fake.on["ReadArtifact"] = slow
        for method in ("ReadArtifact", "WatchJob"):
            process = self.start("submit", "heygen", "hi", "-o", "out.mp4")
            self.fake.wait_for(method)
            done = self.interrupt(process)
            self.assertEqual(done.status, 130, done)
            self.assertIn(f"filmgate download {done.out.strip()[5:]} -o out.mp4", done.err)
            self.fake.calls.clear()
            self.fake.on["WatchJob"] = hold

    def test_a_name_that_cannot_be_printed_is_said_and_the_file_is_fetched_all_the_same(self):
        self.succeed(b"video")
        for arguments in ([], ["--format", "json"], ["-o", "out.mp4"], ["-w", "--format", "json"]):
            self.fake.jobs.clear()
            with open("/dev/full", "wb") as full:
                done = self.finish(self.start("submit", "heygen", "hi", *arguments, stdout=full))
            self.assertEqual(done.status, 8, done)
            self.assertIn("No space left on device", done.err)
            self.assertIn(next(iter(self.fake.jobs)) + " is ordered all the same", done.err)
        with open(os.path.join(self.home, "out.mp4"), "rb") as file:
            self.assertEqual(file.read(), b"video")

    def test_a_reader_that_has_gone_hears_which_job_was_ordered(self):
        read, write = os.pipe()
        os.close(read)
        done = self.finish(self.start("submit", "heygen", "hi", stdout=write))
        os.close(write)
        self.assertEqual(done.status, 8, done)
        self.assertIn(next(iter(self.fake.jobs)) + " is ordered all the same", done.err)


if __name__ == "__main__":
    unittest.main()
