"""watch and wait: every event once, across broken connections, in place on a terminal and by lines elsewhere."""

import json
import time
import unittest

import grpc
from fake import Case, Refusal, message, number


class WatchOne(Case):
    def setUp(self):
        super().setUp()
        self.job = self.fake.add_job("QUEUED")

    def states(self, request, *states, ends=False):
        """One event per state, with revisions from the one asked for on."""
        for offset, state in enumerate(states, 1):
            self.job.revision = request.after_revision + offset
            self.job.status.state = number("JobState", state)
            yield message("WatchJobResponse", event=self.fake.event(self.job))
        if ends:
            raise Refusal(grpc.StatusCode.UNAVAILABLE, None, "Socket closed")

    def test_one_line_per_change(self):
        self.fake.on["WatchJob"] = lambda request: self.states(request, "QUEUED", "RUNNING", "STORING", "SUCCEEDED")
        lines = self.expect(0, "watch", self.job.name).out.splitlines()
        self.assertEqual([line.split()[3] for line in lines], ["QUEUED", "RUNNING", "STORING", "SUCCEEDED"])
        self.assertTrue(all(self.job.name[5:] in line for line in lines))

    def test_documents_are_one_a_line(self):
        self.fake.on["WatchJob"] = lambda request: self.states(request, "RUNNING", "SUCCEEDED")
        documents = [json.loads(line) for line in self.expect(0, "watch", self.job.name, "-o", "json").out.splitlines()]
        self.assertEqual([d["revision"] for d in documents], [1, 2])
        self.assertEqual([d["status"]["state"] for d in documents], ["running", "succeeded"])

    def test_a_broken_stream_goes_on_behind_the_last_revision(self):
        codes = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)

        def breaking(request):
            yield from self.states(request, "RUNNING")
            raise Refusal(codes[(request.after_revision) % 3])
        self.fake.on["WatchJob"] = [breaking, breaking, breaking,
                                    lambda request: self.states(request, "STORING", "SUCCEEDED")]
        done = self.expect(0, "watch", self.job.name, "-o", "jsonl", says="trying again")
        self.assertEqual([json.loads(line)["revision"] for line in done.out.splitlines()], [1, 2, 3, 4, 5])
        self.assertEqual([r.after_revision for r in self.fake.requests("WatchJob")], [0, 1, 2, 3])

    def test_a_daemon_that_restarts_is_found_again(self):
        def hold(request):
            yield from self.states(request, "RUNNING")
            time.sleep(2)
        self.fake.on["WatchJob"] = [hold, lambda request: self.states(request, "SUCCEEDED")]
        process = self.start("wait", self.job.name)
        self.fake.wait_for("WatchJob")
        time.sleep(0.5)
        self.fake.stop()
        time.sleep(0.5)
        self.fake.start()
        done = self.finish(process)
        self.assertEqual(done.status, 0, done)
        self.assertEqual([r.after_revision for r in self.fake.requests("WatchJob")], [0, 1])
        self.assertIn("is back", done.err)

    def test_a_daemon_that_stays_away_ends_the_watch(self):
        self.fake.on["WatchJob"] = [lambda request: self.states(request, "RUNNING", ends=True),
                                    lambda request: self.states(request, ends=True)]
        self.expect(5, "watch", self.job.name, "--retry-for", "500ms", says="trying again for 500 ms")
        self.assertGreater(len(self.fake.requests("WatchJob")), 2)

    def test_revisions_that_are_no_longer_kept_begin_anew(self):
        def expired(request):
            raise Refusal(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED")
        self.fake.on["WatchJob"] = [lambda request: self.states(request, "RUNNING", ends=True), expired,
                                    lambda request: self.states(request, "SUCCEEDED")]
        self.expect(0, "watch", self.job.name)
        self.assertEqual([r.after_revision for r in self.fake.requests("WatchJob")], [0, 1, 0])

    def test_a_watcher_that_was_too_slow_watches_again(self):
        def slow(request):
            yield from self.states(request, "RUNNING")
            raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW")
        self.fake.on["WatchJob"] = [slow, lambda request: self.states(request, "SUCCEEDED")]
        self.expect(0, "watch", self.job.name)
        self.assertEqual([r.after_revision for r in self.fake.requests("WatchJob")], [0, 1])

    def test_a_stream_that_ends_before_the_job_is_not_believed_for_ever(self):
        self.fake.on["WatchJob"] = lambda request: iter(())
        job = self.job.name
        self.expect(1, "wait", job, "--retry-for", "300ms", says="ended before the job did")

    def test_wait_prints_the_end_of_each_and_reports_the_first_that_failed(self):
        good, bad, cancelled = (self.fake.add_job(s) for s in ("SUCCEEDED", "FAILED", "CANCELLED"))
        done = self.expect(6, "wait", good.name, bad.name, cancelled.name)
        self.assertEqual([line.split()[:2] for line in done.out.splitlines()],
                         [[good.name[5:], "SUCCEEDED"], [bad.name[5:], "FAILED"], [cancelled.name[5:], "CANCELLED"]])
        self.assertEqual(self.expect(7, "wait", cancelled.name, bad.name, "-o", "name").out.split(),
                         [cancelled.name, bad.name])

    def test_filters_do_not_go_with_a_job(self):
        self.expect(2, "watch", self.job.name, "--state", "failed", says="--state")

    def test_a_terminal_is_redrawn_in_place(self):
        def run(request):
            yield from self.states(request, "RUNNING")
            self.job.status.progress.source = number("ProgressSource", "PROVIDER")
            for percent in (10, 20, 30):
                self.job.status.progress.percent = percent
                yield from self.states(request, "RUNNING")
            yield from self.states(request, "SUCCEEDED")
        self.fake.on["WatchJob"] = run
        status, out = self.terminal("watch", self.job.name).finish()
        self.assertEqual(status, 0, out)
        self.assertEqual(out.count("\033[1A"), 4)
        self.assertEqual(out.count("\n"), 5)
        self.assertIn("30 %", out)

    def test_waiting_shows_progress_on_a_terminal_and_none_when_quiet(self):
        def run(request):
            yield from self.states(request, "RUNNING")
            time.sleep(0.2)
            yield from self.states(request, "SUCCEEDED")
        self.fake.on["WatchJob"] = run
        status, out = self.terminal("wait", self.job.name).finish()
        self.assertIn("\r\033[K" + self.job.name[5:] + "  RUNNING", out)
        self.assertNotIn("RUNNING", self.terminal("wait", "-q", self.job.name).finish()[1])


class WatchAll(Case):
    def events(self, *jobs, start=1):
        for n, job in enumerate(jobs, start):
            yield message("WatchJobsResponse", event=self.fake.event(job, token=f"t{n}"))

    def bookmark(self, token):
        event = message("JobEvent", resume_token=token, kind=number("JobEventKind", "BOOKMARK"))
        return message("WatchJobsResponse", event=event)

    def lines(self, process, count):
        return [process.stdout.readline().decode() for _ in range(count)]

    def test_changes_of_all_jobs_are_lines_until_interrupted(self):
        jobs = [self.fake.add_job() for _ in range(3)]

        def run(request):
            yield self.bookmark("t0")
            yield from self.events(*jobs)
            time.sleep(2)
        self.fake.on["WatchJobs"] = run
        process = self.start("watch", "-l", "a=1", "--state", "running")
        for line, job in zip(self.lines(process, 3), jobs):
            self.assertIn(job.name[5:], line)
        wanted = self.fake.requests("WatchJobs")[0].filter
        self.assertEqual((dict(wanted.labels), list(wanted.states)), ({"a": "1"}, [number("JobState", "RUNNING")]))
        self.assertEqual(self.interrupt(process).status, 130)

    def test_a_broken_stream_goes_on_behind_the_last_token(self):
        jobs = [self.fake.add_job() for _ in range(4)]

        def first(request):
            yield self.bookmark("t0")
            yield from self.events(*jobs[:2])
            raise Refusal(grpc.StatusCode.UNAVAILABLE)

        def second(request):
            yield self.bookmark("t9")
            raise Refusal(grpc.StatusCode.UNAVAILABLE)

        def third(request):
            yield from self.events(*jobs[2:], start=10)
            time.sleep(2)
        self.fake.on["WatchJobs"] = [first, second, third]
        process = self.start("watch", "-o", "name")
        self.assertEqual([line.strip() for line in self.lines(process, 4)], [job.name for job in jobs])
        self.interrupt(process)
        self.assertEqual([r.resume_token for r in self.fake.requests("WatchJobs")], ["", "t2", "t9"])

    def test_a_gap_is_said_and_the_watch_goes_on_from_now(self):
        job = self.fake.add_job()

        def first(request):
            yield from self.events(job)
            raise Refusal(grpc.StatusCode.UNAVAILABLE)

        def expired(request):
            raise Refusal(grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED")
            yield

        def third(request):
            yield from self.events(job)
            time.sleep(2)
        self.fake.on["WatchJobs"] = [first, expired, third]
        process = self.start("watch", "-o", "name")
        self.lines(process, 2)
        done = self.interrupt(process)
        self.assertIn("some changes were missed", done.err)
        self.assertEqual([r.resume_token for r in self.fake.requests("WatchJobs")], ["", "t1", ""])

    def test_a_reader_that_goes_away_ends_the_watch(self):
        job = self.fake.add_job()

        def run(request):
            for n in range(1000):
                yield from self.events(job, start=n)
                time.sleep(0.01)
        self.fake.on["WatchJobs"] = run
        process = self.start("watch")
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        self.assertEqual(self.finish(process).status, 8)

    def test_a_terminal_begins_with_the_newest_jobs_and_is_redrawn(self):
        old, new = self.fake.add_job("SUCCEEDED"), self.fake.add_job("RUNNING")
        gone = self.fake.add_job("FAILED")

        def run(request):
            yield self.bookmark("t0")
            time.sleep(0.3)
            new.status.state = number("JobState", "STORING")
            yield from self.events(new)
            event = self.fake.event(gone, "DELETED", token="t2")
            yield message("WatchJobsResponse", event=event)
            time.sleep(3)
        self.fake.on["WatchJobs"] = run
        terminal = self.terminal("watch")
        terminal.read_until("\033[2A")
        terminal.process.send_signal(2)
        status, out = terminal.finish()
        self.assertEqual(status, 130, out)
        for job in (old, new, gone):
            self.assertIn(job.name[5:], out)
        self.assertIn("STORING", out)
        last = out[out.rindex("\033[3A"):]
        self.assertNotIn(gone.name[5:], last)
        self.assertEqual(self.fake.calls[0][0], "WatchJobs")
        self.assertEqual(len(self.fake.requests("ListJobs")), 1)


if __name__ == "__main__":
    unittest.main()
