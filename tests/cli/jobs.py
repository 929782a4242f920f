"""list, get, cancel, update, delete: what is asked, and how it is shown."""

import json
import os
import re
import subprocess
import time
import unittest

import grpc
from fake import PROGRAM, Case, Refusal, message, number


class List(Case):
    def test_filters_become_the_contracts_filter(self):
        self.expect(0, "list", "--state", "failed,EXPIRED", "--state", "queued", "--provider", "heygen", "--provider",
                    "providers/veo", "-m", "avatar", "-l", "a=1", "--since", "2026-11-22T17:00:00Z")
        wanted = self.fake.requests("ListJobs")[0].filter
        self.assertEqual(list(wanted.states), [number("JobState", s) for s in ("FAILED", "EXPIRED", "QUEUED")])
        self.assertEqual(list(wanted.providers), ["providers/heygen", "providers/veo"])
        self.assertEqual((list(wanted.models), dict(wanted.labels)), (["avatar"], {"a": "1"}))
        self.assertEqual(wanted.create_time_from.seconds, 1795366800)
        self.expect(0, "list", "--since", "2h")
        ago = time.time() - self.fake.requests("ListJobs")[1].filter.create_time_from.seconds
        self.assertAlmostEqual(ago, 7200, delta=30)

    def test_pages_are_read_up_to_the_limit(self):
        for _ in range(7):
            self.fake.add_job()
        lister = self.fake.ListJobs

        def short_pages(request):
            request.page_size = min(request.page_size, 3)
            return lister(request)
        self.fake.on["ListJobs"] = short_pages
        names = sorted(self.fake.jobs, reverse=True)
        self.assertEqual(self.expect(0, "list", "-o", "name", "--limit", "5", says="there are more").out.split(), names[:5])
        self.assertEqual(self.expect(0, "list", "-o", "name", "--limit", "0").out.split(), names)
        self.assertEqual(self.expect(0, "list", "-o", "name").err, "")
        self.assertEqual([r.page_size for r in self.fake.requests("ListJobs")][:2], [3, 2])

    def test_an_empty_page_is_not_the_end(self):
        job = self.fake.add_job()
        self.fake.on["ListJobs"] = [lambda request: message("ListJobsResponse", next_page_token="1"),
                                    lambda request: message("ListJobsResponse", jobs=[job])]
        self.assertEqual(self.expect(0, "list", "-o", "name").out.split(), [job.name])

    def test_json_is_one_value_and_jsonl_one_a_line(self):
        self.assertEqual(json.loads(self.expect(0, "list", "-o", "json").out), [])
        jobs = [self.fake.add_job() for _ in range(3)]
        self.assertEqual(len(json.loads(self.expect(0, "list", "-o", "json").out)), 3)
        lines = self.expect(0, "list", "-o", "jsonl").out.splitlines()
        self.assertEqual({json.loads(line)["name"] for line in lines}, {job.name for job in jobs})

    def test_a_table_is_whole_when_it_is_not_on_a_terminal(self):
        job = self.fake.add_job(display_name="a name that is " + "very " * 40 + "long")
        done = self.expect(0, "list", out=["JOB", "STATE", job.name[5:], "RUNNING", "heygen", "avatar", job.display_name])
        self.assertNotIn("\033", done.out)

    def test_a_table_fits_a_terminal(self):
        self.fake.add_job(display_name="a name that is " + "very " * 40 + "long")
        status, out = self.terminal("list").finish()
        self.assertEqual(status, 0, out)
        self.assertIn("\033[36m", out)
        plain = out.replace("\033[36m", "").replace("\033[0m", "")
        self.assertLessEqual(max(len(line.rstrip()) for line in plain.splitlines()), 100, plain)
        self.env["NO_COLOR"] = "1"
        self.assertNotIn("\033[36m", self.terminal("list").finish()[1])

    def test_details_say_what_matters(self):
        waiting = self.fake.add_job("QUEUED")
        waiting.status.wait.reason = number("JobWaitReason", "RATE_LIMIT")
        waiting.status.wait.until_time.seconds = 1795366800
        running = self.fake.add_job()
        running.status.progress.source = number("ProgressSource", "PROVIDER")
        running.status.progress.percent = 42
        running.status.progress.provider_state = "render\033[2Jing"
        self.fake.add_video(self.fake.add_job("SUCCEEDED"), b"x" * 4200000)
        failed = self.fake.add_job("FAILED")
        failed.status.failure.reason = number("FailureReason", "NO_CREDIT")
        failed.status.failure.provider_message = "top up"
        failed.status.failure.purchased = number("Purchased", "MADE")
        self.fake.add_job("UNCERTAIN")
        done = self.expect(0, "list", out=["the provider's rate limit, until 2026-11-22 17:00:00", "42 %, render?[2Jing",
                                           "8.0 s, 1920x1080, 4.2 MB", "no_credit: top up; it is charged all the same",
                                           "nothing is sent again"])
        self.assertNotIn("\033", done.out)

    def test_a_reader_that_goes_away_is_no_error_worth_words(self):
        for _ in range(50):
            self.fake.add_job()
        process = self.start("list", "-o", "json")
        process.stdout.close()
        process.stdout = None
        self.assertEqual(self.finish(process).err, "")


class Get(Case):
    def test_the_outlook_is_shown(self):
        job = self.fake.add_job("QUEUED")
        job.status.queue_position.position = 3
        self.expect(0, "get", job.name, out="in line      no. 3\n")
        job.status.queue_position.or_later = True
        job.status.forecast.p50_time.seconds = 1795366800
        job.status.forecast.p90_time.seconds = 1795370400
        job.status.forecast.sample_count = 34
        self.expect(0, "get", job.name, out=["no. 3 or later", "forecast     usually done by 2026-11-22 17:00:00",
                                             "nine in ten by 2026-11-22 18:00:00, of the last 34 like it"])

    def test_quote_and_cost_stand_beside_each_other(self):
        job = self.fake.add_job("SUCCEEDED")
        job.quote.kind = number("QuoteKind", "EXACT")
        job.quote.amount_micros = 3200000
        job.quote.currency_code = "USD"
        job.quote.unit = number("PriceUnit", "SECOND")
        job.quote.unit_micros = 400000
        job.quote.duration.seconds = 8
        job.quote.sample_count = 1
        job.quote.rule = "plugin veo 0.1.0, as of 2026-09-02"
        for word, said in (("PROVIDER", "3.1 USD, by the provider"), ("PLUGIN", "computed by the provider's plugin"),
                           ("COMPUTED", "computed from what was delivered"), ("NOTHING", "nothing was bought")):
            job.status.cost.amount_micros = 3100000
            job.status.cost.currency_code = "USD"
            job.status.cost.source = number("CostSource", word)
            self.expect(0, "get", job.name, out=["quote        3.2 USD: 8.0 s at 0.4 USD a second",
                                                 "plugin veo 0.1.0, as of 2026-09-02", "cost         3.1 USD", said])
        job.status.cost.provisional = True
        self.expect(0, "get", job.name, out="as said when it took the order")

    def test_why_there_is_no_cost_is_said(self):
        job = self.fake.add_job("SUCCEEDED")
        status = job.status
        self.expect(0, "get", job.name, out="cost         not known: the provider tells none, and no price rule fits it")
        status.state = number("JobState", "CANCELLED")
        status.failure.purchased = number("Purchased", "NOTHING")
        self.expect(0, "get", job.name, out="cost         nothing was bought")
        status.failure.purchased = number("Purchased", "UNKNOWN")
        self.expect(0, "get", job.name, out="cost         not known: it cannot be told whether it was bought; look at the")
        status.failure.purchased = number("Purchased", "MADE")
        job.quote.kind = number("QuoteKind", "ESTIMATE")
        self.expect(0, "get", job.name, out="cost         not known: the provider tells none, and there is no file to count by")
        status.state = number("JobState", "UNCERTAIN")
        self.expect(0, "get", job.name, out="cost         not known: whether it was bought is still to be decided")
        for state in ("QUEUED", "STARTING", "RUNNING", "STORING"):
            status.state = number("JobState", state)
            self.assertNotIn("cost  ", self.expect(0, "get", job.name).out)

    def test_an_uncertain_job_says_how_it_is_decided(self):
        job = self.fake.add_job("UNCERTAIN")
        uuid = job.name[5:]
        job.status.failure.message = "the request may have arrived, but no reply came"
        self.expect(0, "get", job.name, out=["why          the request may have arrived, but no reply came\n", f"decide       filmgate resolve {uuid} --found REMOTE_ID\n",
                                             f"filmgate resolve {uuid} --absent\n", f"filmgate resolve {uuid} --give-up\n"])
        ways = [f"filmgate resolve {uuid} --found REMOTE_ID", f"filmgate resolve {uuid} --absent",
                f"filmgate resolve {uuid} --give-up", "filmgate retry"]
        self.expect(3, "download", job.name, says=ways)

        def hold(request):
            yield message("WatchJobResponse", event=self.fake.event(job, "SNAPSHOT"))
            time.sleep(3)
        self.fake.on["WatchJob"] = hold
        done = self.expect(9, "wait", job.name, out=[uuid, "UNCERTAIN"], says=ways)
        self.assertNotIn("filmgate cancel", done.err)
        self.fake.on["CreateJob"] = lambda request: message("CreateJobResponse", job=job)
        done = self.expect(9, "submit", "heygen", "hi", "--wait", "-o", "video.mp4",
                           says=ways + [f"fetch the file after that: filmgate download {uuid} -o video.mp4"])
        self.assertNotIn("filmgate cancel", done.err)

    def test_watching_says_how_to_decide_and_goes_on(self):
        job = self.fake.add_job("UNCERTAIN")

        def decide_after_a_while(request):
            for state in ("UNCERTAIN", "UNCERTAIN", "RUNNING", "SUCCEEDED"):
                job.status.state = number("JobState", state)
                job.revision += 1
                yield message("WatchJobResponse", event=self.fake.event(job))
        self.fake.on["WatchJob"] = decide_after_a_while
        done = self.expect(0, "watch", job.name, out="SUCCEEDED", says=f"filmgate resolve {job.name[5:]} --absent")
        self.assertEqual(done.err.count("--give-up"), 1, done)

    def test_a_job_that_is_uncertain_keeps_no_other_from_being_waited_for(self):
        uncertain, other = self.fake.add_job("UNCERTAIN"), self.fake.add_job("SUCCEEDED")
        done = self.expect(9, "wait", uncertain.name, other.name)
        self.assertEqual([line.split()[:2] for line in done.out.splitlines()],
                         [[uncertain.name[5:], "UNCERTAIN"], [other.name[5:], "SUCCEEDED"]])

    def test_a_wait_says_what_failed_and_what_is_overdue(self):
        job = self.fake.add_job("QUEUED")
        job.status.wait.reason = number("JobWaitReason", "BACKOFF")
        job.status.wait.until_time.seconds = int(time.time()) + 3600
        self.assertNotIn("which is over", self.expect(0, "get", job.name, out="a pause after a failed exchange, until").out)
        send = job.status.attempts.add(number=1).sends.add(number=1)
        setattr(send, "class", number("SendClass", "NOT_SENT"))
        self.expect(0, "get", job.name, out="; the order was not sent\n")
        setattr(send, "class", number("SendClass", "REFUSED"))
        send.http_status = 503
        job.status.wait.until_time.seconds = int(time.time()) - 3600
        self.expect(0, "get", job.name, out="which is over: 'filmgate providers' shows whether its provider can be used; "
                    "the order was refused, HTTP 503\n")

    def test_a_token_that_cannot_be_had_is_called_so(self):
        job = self.fake.add_job("QUEUED")
        job.status.wait.reason = number("JobWaitReason", "TOKEN")
        self.expect(0, "get", job.name, out="waits for an access token, which could not be had")

    def test_a_job_that_waits_for_its_time_says_so(self):
        job = self.fake.add_job("QUEUED")
        job.not_before_time.seconds = 1795366800
        job.status.wait.reason = number("JobWaitReason", "SCHEDULE")
        job.status.wait.until_time.seconds = 1795366800
        self.expect(0, "get", job.name, out=["waits for the time for which it was ordered, until", "not before"])

    def test_everything_about_a_job_is_shown(self):
        job = self.fake.add_job("FAILED", display_name="spring", priority=5, labels={"k": "v"}, retry_of="jobs/old")
        job.parameters.prompt, job.on_uncertain = "a cat", number("OnUncertain", "RESUBMIT")
        attempt = job.status.attempts.add(number=1)
        job.status.attempt_count = 3
        send = attempt.sends.add(number=2, idempotency_key="key-1", http_status=402)
        setattr(send, "class", number("SendClass", "REFUSED"))
        attempt.remotes.add(remote_id="vid_1", kind="video")
        failure = job.status.failure
        failure.reason, failure.message = number("FailureReason", "NO_CREDIT"), "no credit left"
        failure.provider_code, failure.provider_request_id = "insufficient_credit", "req-9"
        job.status.cancel.outcome = number("CancelOutcome", "TOO_LATE")
        artifact = self.fake.add_video(job, b"12345")
        artifact.frame_rate_millihertz, artifact.audio = 29970, number("Toggle", "OFF")
        job.on_mismatch = number("OnMismatch", "FLAG")
        job.status.mismatches.add(artifact=artifact.name, field="duration", ordered="4 s", produced="8 s",
                                  message="the length: 4 s was ordered, 8 s came")
        self.expect(0, "get", job.name, out=[
            job.name, "spring", "FAILED", "no_credit: no credit left", "priority     5", "k=v", "jobs/old", "1.2",
            "refused", "HTTP 402", "key key-1", "vid_1", "insufficient_credit", "req-9", "too late", artifact.name,
            artifact.sha256, "in doubt     ordered again",
            "mismatch     " + artifact.name[5:] + ": the length: 4 s was ordered, 8 s came", "29.97 fps  no sound",
            "otherwise    what comes otherwise than ordered is shown here", "3, the newest 1 are shown", '"prompt": "a cat"'])

    def test_json_has_the_contracts_names_and_words(self):
        job = self.fake.add_job()
        job.parameters.seed = 18446744073709551615
        send = job.status.attempts.add(number=1).sends.add(number=1)
        setattr(send, "class", number("SendClass", "PENDING"))
        job.parameters.media.add(kind=number("MediaKind", "IMAGE"), role=number("MediaRole", "LAST_FRAME"), url="https://x")
        text = self.expect(0, "get", job.name, "-o", "json").out
        document = json.loads(text)
        self.assertIn('"seed": 18446744073709551615', text)
        self.assertEqual(document["status"]["state"], "running")
        self.assertEqual(document["status"]["attempts"][0]["sends"][0], {"number": 1, "class": "pending"})
        self.assertEqual(document["parameters"]["media"], [{"kind": "image", "role": "last_frame", "url": "https://x"}])
        self.assertRegex(document["create_time"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(json.loads(self.expect(0, "get", job.name, "-o", "jsonl").out), document)
        self.assertEqual(self.expect(0, "get", job.name, "-o", "name").out, job.name + "\n")

    def test_a_name_may_be_short_and_in_capitals(self):
        job = self.fake.add_job()
        self.expect(0, "get", job.name[5:].upper(), "-o", "name", out=job.name)


class Change(Case):
    def test_cancel_prints_what_it_achieved(self):
        job = self.fake.add_job()
        for word, status, text in (("NEVER_SENT", 0, "it costs nothing"), ("CANCELLED_UPSTREAM", 0, "stopped at"),
                                   ("DETACHED", 0, "goes on and bills"), ("REQUESTED", 0, "noted"),
                                   ("TOO_LATE", 1, "too late")):
            outcome = number("CancelOutcome", word)
            self.fake.on["CancelJob"] = lambda request, outcome=outcome: message("CancelJobResponse", job=job, outcome=outcome)
            self.expect(status, "cancel", job.name, out=[job.name[5:], text])
            document = json.loads(self.expect(status, "cancel", job.name, "-o", "json").out)
            self.assertEqual(document["outcome"], word.lower())

    def test_a_cancel_of_what_may_never_have_been_sent_says_so(self):
        job = self.fake.add_job("CANCELLED")
        job.status.cancel.outcome = number("CancelOutcome", "DETACHED")
        job.status.failure.purchased = number("Purchased", "UNKNOWN")
        self.fake.on["CancelJob"] = lambda request: message("CancelJobResponse", job=job, outcome=job.status.cancel.outcome)
        words = "given up here; whether it was ordered is not known: look at the provider's account"
        self.expect(0, "cancel", job.name, out=words)
        self.expect(0, "get", job.name, out=words)

    def test_a_cancel_of_what_is_uncertain_says_what_moves_it(self):
        job = self.fake.add_job("UNCERTAIN")
        job.status.cancel.outcome = number("CancelOutcome", "REQUESTED")
        self.fake.on["CancelJob"] = lambda request: message("CancelJobResponse", job=job, outcome=job.status.cancel.outcome)
        self.expect(0, "cancel", job.name, out="it applies when 'filmgate resolve' has decided the job",
                    says=f"filmgate resolve {job.name[5:]} --found REMOTE_ID, --absent or --give-up")
        self.expect(0, "get", job.name, out="cancel       noted; nobody asks the provider: it applies when 'filmgate resolve'")

    def test_a_decision_says_that_an_earlier_cancel_applies(self):
        job = self.fake.add_job("RUNNING")
        self.fake.on["ResolveJob"] = lambda request: message("ResolveJobResponse", job=job)
        self.assertEqual(self.expect(0, "resolve", job.name, "--found", "vid-7").err, "")
        job.status.cancel.outcome = number("CancelOutcome", "REQUESTED")
        self.expect(0, "resolve", job.name, "--found", "vid-7", out="RUNNING",
                    says="the earlier cancel of this job still applies: it is stopped at the provider, or given up here and billed")
        job.status.state = number("JobState", "QUEUED")
        self.expect(0, "resolve", job.name, "--absent", says="the earlier cancel of this job still applies: it is not ordered again")
        job.status.state = number("JobState", "FAILED")
        self.assertEqual(self.expect(0, "resolve", job.name, "--give-up").err, "")

    def test_resume_releases_what_is_named_or_all_that_is_open(self):
        jobs = [self.fake.add_job(state) for state in ("QUEUED", "UNCERTAIN", "RUNNING")]
        asked = []
        held = set(job.name for job in jobs)

        def list_open(request):
            self.assertEqual([n for n in range(1, 11) if n in request.filter.states],
                             [number("JobState", word) for word in ("QUEUED", "PREPARING", "STARTING", "RUNNING", "STORING",
                                                                    "UNCERTAIN")])
            first = not request.page_token
            return message("ListJobsResponse", jobs=jobs[:2] if first else jobs[2:], next_page_token="2" if first else "")

        def answer(request):
            asked.append(request.name)
            released = message("Job")
            released.CopyFrom(next(job for job in jobs if job.name == request.name))
            released.revision += request.name in held
            return message("ResumeJobResponse", job=released)
        self.fake.on.update(ResumeJob=answer, ListJobs=list_open)
        self.expect(0, "resume", jobs[0].name[5:], out=[jobs[0].name[5:], "QUEUED"])
        self.assertEqual(asked, [jobs[0].name])
        asked.clear()
        self.expect(0, "resume", "--all", out=[job.name[5:] for job in jobs])
        self.assertEqual(asked, [job.name for job in jobs])
        held = {jobs[2].name}
        done = self.expect(0, "resume", "--all", out=[jobs[2].name[5:], "RUNNING"])
        self.assertEqual(len(done.out.splitlines()), 1, "what was not held is not shown")
        self.assertEqual(self.expect(0, "resume", "--all", "-o", "name").out.split(), [jobs[2].name])
        for words in [], [jobs[0].name, "--all"]:
            self.expect(2, "resume", *words, says="say which jobs: their names, or --all")

    def test_resume_all_goes_on_over_what_fails(self):
        jobs = [self.fake.add_job("QUEUED") for _ in range(6)]
        fails = {0: Refusal(grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND", "there is no such job"),
                 1: Refusal(grpc.StatusCode.UNAUTHENTICATED, None, "no"),
                 2: Refusal(grpc.StatusCode.INTERNAL, "STORE_UNAVAILABLE", "the store takes no writes")}

        def list_open(request):
            page = int(request.page_token or 0)
            return message("ListJobsResponse", jobs=jobs[2 * page:2 * page + 2], next_page_token=str(page + 1) if page < 2 else "")

        def answer(request):
            at = next(i for i, job in enumerate(jobs) if job.name == request.name)
            if at in fails:
                raise fails[at]
            released = message("Job")
            released.CopyFrom(jobs[at])
            released.revision += 1
            return message("ResumeJobResponse", job=released)
        self.fake.on.update(ResumeJob=answer, ListJobs=list_open)
        done = self.expect(4, "resume", "--all", says=[f"cannot resume {jobs[1].name}", f"cannot resume {jobs[2].name}"])
        self.assertEqual(len(done.out.splitlines()), 3)
        self.assertNotIn(jobs[0].name, done.err)
        del fails[1], fails[2]
        self.expect(0, "resume", "--all")
        fails[3] = Refusal(grpc.StatusCode.UNAVAILABLE, None, "gone")
        self.expect(5, "resume", "--all")
        self.assertEqual(self.fake.requests("ResumeJob")[-1].name, jobs[3].name)

    def test_orphans_are_shown_and_adopted(self):
        orphan = message("Orphan", remote_id="v\u202e1", title="A\033[2J\u2028kite", remote_state="completed", maybe_job="jobs/x")
        orphan.create_time.seconds = 1790000000
        pages = {"": ([orphan], "t2"), "t2": ([], "t3"), "t3": ([message("Orphan", remote_id="v2", deleted_job="jobs/y")], "")}
        asked = []

        def page(request):
            asked.append((request.provider, request.page_size, request.page_token))
            orphans, token = pages[request.page_token]
            return message("ListOrphansResponse", orphans=orphans, next_page_token=token, unusable_count=1)

        self.fake.on["ListOrphans"] = page
        done = self.expect(0, "orphans", "heygen", out=["v???1", "A?[2J???kite", "maybe of jobs/x", "was jobs/y, deleted here"],
                           says="3 have no id")
        self.assertEqual(asked, [("providers/heygen", 50, ""), ("providers/heygen", 49, "t2"), ("providers/heygen", 49, "t3")])
        self.assertNotRegex(done.out, "[\033\u202e]")
        self.assertEqual(json.loads(self.expect(0, "orphans", "heygen", "-o", "json").out)[1]["deleted_job"], "jobs/y")
        self.expect(0, "orphans", "heygen", "--limit", "1", "-o", "name", says="there may be more")
        pages[""] = ([], "")
        self.expect(0, "orphans", "heygen", says="every video in the account is a job's")
        self.assertEqual(json.loads(self.expect(0, "orphans", "heygen", "-o", "json").out), [])
        self.expect(2, "orphans")

    def test_each_is_adopted_whatever_becomes_of_the_others(self):
        asked, job = [], self.fake.add_job()

        def adopt(request):
            asked.append((request.provider, request.remote_id, dict(request.labels), request.model, request.force))
            if request.remote_id == "v2":
                raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "VIDEO_OWNED", "'v2' is the video of jobs/x already")
            return message("AdoptVideoResponse", job=job)

        self.fake.on["AdoptVideo"] = adopt
        self.expect(1, "adopt", "heygen", "v1", "v2", "v3", "--label", "a=b", "-m", "avatar", "--force",
                    out=["v1\n", "v3\n"], says=["'v2' is the video of jobs/x already", "filmgate get JOB"])
        self.assertEqual([row[1] for row in asked], ["v1", "v2", "v3"])
        self.assertEqual(asked[0], ("providers/heygen", "v1", {"a": "b"}, "avatar", True))
        self.expect(2, "adopt", "heygen")
        # A provider may call a video as it likes: what is shown as the way to adopt all of them takes no id for an option.
        asked.clear()
        ids = ["--force", "v4 --server=127.0.0.1:1", "'"]
        orphans = [message("Orphan", remote_id=id) for id in ids]
        self.fake.on["ListOrphans"] = lambda request: message("ListOrphansResponse", orphans=orphans)
        example = re.search("filmgate orphans .* -o name .*", self.expect(0, "help", "orphans").out).group()
        done = subprocess.run(["sh", "-c", example.replace("filmgate ", '"$PROGRAM" ')], env=self.env | {"PROGRAM": PROGRAM},
                              stdout=subprocess.PIPE, timeout=60)
        self.assertEqual(done.returncode, 0)
        self.assertEqual([(row[1], row[4]) for row in asked], [(id, False) for id in ids])

    def test_backup_names_an_absolute_path(self):
        self.fake.on["CreateBackup"] = lambda request: message("CreateBackupResponse", path=request.path, artifact_count=2,
                                                               artifact_bytes=1500000)
        self.expect(0, "backup", "/var/backups/x", out="/var/backups/x  2 artifacts, 1.5 MB\n")
        self.expect(0, "backup", "here", out=os.path.join(os.path.realpath(self.home), "here  2 artifacts"))
        self.expect(0, "backup", "/b", "-o", "json", out='"artifact_count": 2')
        self.expect(2, "backup", says="DIR")

    def test_one_job_that_is_not_there_keeps_no_other_from_its_turn(self):
        missing, job, other = "jobs/01a22ad4-0000-7afe-a60d-8b1aaffec73c", self.fake.add_job(), self.fake.add_job()
        self.expect(3, "cancel", missing, job.name, out=job.name[5:], says="cannot cancel " + missing)
        self.expect(3, "delete", missing, job.name, says=["cannot delete " + missing, "deleted " + job.name])
        self.expect(2, "delete", "nonsense", other.name)
        self.assertEqual(list(self.fake.jobs), [other.name])

    def test_a_decision_says_what_is_known(self):
        job = self.fake.add_job("UNCERTAIN")
        for words, resolution, remote_id, state in ((["--found", "vid-7"], "FOUND", "vid-7", "RUNNING"),
                                                    (["--absent"], "ABSENT", "", "QUEUED"),
                                                    (["--give-up"], "GIVE_UP", "", "FAILED")):
            job.status.state = number("JobState", state)
            self.fake.on["ResolveJob"] = lambda request: message("ResolveJobResponse", job=job)
            self.expect(0, "resolve", job.name[5:], *words, out=[job.name[5:], state])
            request = self.fake.requests("ResolveJob")[-1]
            self.assertEqual((request.name, request.resolution, request.remote_id),
                             (job.name, number("Resolution", resolution), remote_id))
        self.expect(0, "resolve", job.name, "--absent", "-o", "name", out=job.name)
        for words in [], ["--absent", "--give-up"], ["--found", "vid-7", "--absent"]:
            self.expect(2, "resolve", job.name, *words, says="one of --found REMOTE_ID, --absent and --give-up")
        self.assertEqual(len(self.fake.requests("ResolveJob")), 4)

    def test_what_can_be_decided_is_listed(self):
        self.expect(0, "list", "--uncertain")
        self.assertEqual(list(self.fake.requests("ListJobs")[0].filter.states), [number("JobState", "UNCERTAIN")])

    def test_several_jobs_are_cancelled_in_turn(self):
        jobs = [self.fake.add_job().name for _ in range(3)]
        self.assertEqual(self.expect(0, "cancel", *jobs, "-o", "name").out.split(), jobs)
        self.assertEqual([request.name for request in self.fake.requests("CancelJob")], jobs)

    def test_labels_are_changed_one_by_one(self):
        job = self.fake.add_job(labels={"keep": "1", "change": "2", "drop": "3"})
        self.expect(0, "update", job.name, "-l", "change=x", "-l", "new=y", "--remove-label", "drop", out=job.name)
        self.assertEqual(dict(job.labels), {"keep": "1", "change": "x", "new": "y"})
        request = self.fake.requests("UpdateJob")[0]
        self.assertEqual((list(request.update_mask.paths), request.expected_revision), (["labels"], 1))

    def test_name_and_priority_need_no_revision(self):
        job = self.fake.add_job(display_name="old")
        self.expect(0, "update", job.name, "--name", "", "--priority", "0")
        request = self.fake.requests("UpdateJob")[0]
        self.assertEqual((list(request.update_mask.paths), request.expected_revision), (["display_name", "priority"], 0))
        self.assertEqual(job.display_name, "")

    def test_labels_that_somebody_else_has_changed_are_not_lost(self):
        job = self.fake.add_job(labels={"a": "1"})

        def meanwhile(request):
            job.labels["b"] = "2"
            job.revision += 1
            return self.fake.UpdateJob(request)
        self.fake.on["UpdateJob"] = [meanwhile, self.fake.UpdateJob]
        self.expect(0, "update", job.name, "-l", "c=3")
        self.assertEqual(dict(job.labels), {"a": "1", "b": "2", "c": "3"})

    def test_an_update_gives_up_when_others_are_always_faster(self):
        job = self.fake.add_job()

        def refuse(request):
            raise Refusal(grpc.StatusCode.ABORTED, "REVISION_MISMATCH")
        self.fake.on["UpdateJob"] = refuse
        self.expect(1, "update", job.name, "-l", "a=1", says="gave up")
        self.assertEqual(len(self.fake.requests("UpdateJob")), 5)
        self.expect(2, "update", job.name, says="nothing to change")

    def test_delete_keeps_or_removes_the_providers_copy(self):
        jobs = [self.fake.add_job("FAILED").name for _ in range(3)]
        self.expect(0, "delete", *jobs[:2], says=["deleted " + jobs[0], "deleted " + jobs[1]])
        self.expect(0, "delete", "--remote", jobs[2])
        self.assertEqual([request.provider_copy for request in self.fake.requests("DeleteJob")],
                         [number("ProviderCopy", word) for word in ("KEEP", "KEEP", "REMOVE")])
        self.assertEqual(self.fake.jobs, {})

    def test_a_backup_that_cannot_be_made_now_is_no_jobs_matter(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE", "another backup is being made")
        self.fake.on["CreateBackup"] = refuse
        self.assertNotIn("filmgate get JOB", self.expect(1, "backup", "/b", says="another backup is being made").err)

    def test_a_backups_path_does_not_move_the_cursor(self):
        self.fake.on["CreateBackup"] = lambda request: message("CreateBackupResponse", path="/a\033[2J", artifact_count=3)
        self.expect(0, "backup", "/a\033[2J", out="/a?[2J  3 artifacts")

    def test_an_open_job_is_not_deleted(self):
        def refuse(request):
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "WRONG_STATE", "it is still open", job=request.name)
        self.fake.on["DeleteJob"] = refuse
        self.expect(1, "delete", self.fake.add_job().name, says=["WRONG_STATE", "it is still open", "next:"])


if __name__ == "__main__":
    unittest.main()
