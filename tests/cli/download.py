"""download: right bytes under the right name, or none; broken and interrupted reads go on where they stopped."""

import hashlib
import os
import stat
import time
import unittest

import grpc
from fake import Case, Refusal, message

DATA = bytes(hashlib.sha256(str(n).encode()).digest()[0] for n in range(1000)) * 1000  # a megabyte


class Download(Case):
    def setUp(self):
        super().setUp()
        self.job = self.fake.add_job("SUCCEEDED")
        self.artifact = self.fake.add_video(self.job, DATA)
        self.part = f"out.mp4.{self.artifact.sha256[:12]}.part"

    def path(self, name):
        return os.path.join(self.home, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def expect_file(self, name, data=DATA):
        self.assertEqual(hashlib.sha256(self.read(name)).hexdigest(), hashlib.sha256(data).hexdigest())
        self.assertEqual([f for f in os.listdir(self.home) if f.endswith(".part")], [])

    def offsets(self):
        return [request.offset for request in self.fake.requests("ReadArtifact")]

    def test_the_video_of_a_job_is_stored_under_the_name_given(self):
        umask = os.umask(0o022)
        os.umask(umask)
        done = self.expect(0, "download", self.job.name, "-o", "out.mp4", says=self.artifact.sha256)
        self.assertEqual(done.out, "out.mp4\n")
        self.expect_file("out.mp4")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("out.mp4")).st_mode), 0o666 & ~umask)

    def test_without_a_name_it_is_named_after_the_job(self):
        name = self.job.name[5:] + ".mp4"
        self.assertEqual(self.expect(0, "download", self.job.name).out, name + "\n")
        self.expect_file(name)

    def test_a_folder_takes_it_under_the_jobs_name(self):
        os.mkdir(self.path("videos"))
        self.expect(0, "download", self.job.name, "-o", "videos", out=f"videos/{self.job.name[5:]}.mp4")
        self.expect_file(f"videos/{self.job.name[5:]}.mp4")

    def test_a_link_is_made_of_a_job_or_an_artifact(self):
        self.fake.web_url = "https://films.example.com"
        done = self.expect(0, "link", self.job.name, out="https://films.example.com/v1/links/TOKEN\n")
        self.assertEqual(done.err, "")
        self.expect(0, "link", self.artifact.name, "--ttl", "90m", "-o", "name", out="https://films.example.com/v1/links/TOKEN\n")
        first, second = self.fake.requests("CreateArtifactLink")
        self.assertEqual((first.name, first.HasField("ttl")), (self.artifact.name, False))
        self.assertEqual((second.name, second.ttl.seconds, second.ttl.nanos), (self.artifact.name, 5400, 0))
        self.fake.web_url = ""
        self.expect(0, "link", self.job.name, out="/v1/links/TOKEN\n", says="put the address")
        self.expect(3, "link", self.job.name, "--role", "subtitles", says="role subtitles")

    def test_standard_output_gets_the_bytes_alone(self):
        done = self.run_cli("download", self.job.name, "-o", "-")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(done.out, DATA)

    def test_a_terminal_is_spared(self):
        status, out = self.terminal("download", self.job.name, "-o", "-").finish()
        self.assertEqual(status, 2)
        self.assertIn("does not go to a terminal", out)
        self.assertEqual(self.offsets(), [])

    def test_one_of_several_files_is_chosen_by_role_or_by_name(self):
        thumbnail = self.fake.add_video(self.job, b"small", role="thumbnail")
        thumbnail.media_type = "image/png"
        self.expect(0, "download", self.job.name, "-o", "out.mp4", says="has 2 files")
        self.expect(0, "download", self.job.name, "--role", "thumbnail", out=f"{self.job.name[5:]}-2.png")
        self.expect_file(f"{self.job.name[5:]}-2.png", b"small")
        self.expect(0, "download", thumbnail.name, "-o", "t.png")
        self.expect_file("t.png", b"small")
        self.expect(3, "download", self.job.name, "--role", "subtitles", says=["role subtitles", "thumbnail"])

    def test_an_empty_file_is_a_file(self):
        empty = self.fake.add_video(self.job, b"", role="subtitles")
        self.expect(0, "download", empty.name, "-o", "empty")
        self.expect_file("empty", b"")

    def test_a_broken_read_goes_on_at_the_byte_reached(self):
        def breaking(request):
            yield from self.fake.ReadArtifact(request, stop_after=request.offset + 300000)
            raise Refusal(grpc.StatusCode.UNAVAILABLE, None, "Socket closed")
        self.fake.on["ReadArtifact"] = breaking
        self.expect(0, "download", self.job.name, "-o", "out.mp4")
        self.expect_file("out.mp4")
        self.assertEqual(self.offsets(), [0, 300000, 600000, 900000])

    def test_a_read_that_ends_early_goes_on(self):
        self.fake.on["ReadArtifact"] = [lambda r: self.fake.ReadArtifact(r, stop_after=65536), self.fake.ReadArtifact]
        self.expect(0, "download", self.job.name, "-o", "out.mp4")
        self.expect_file("out.mp4")
        self.assertEqual(self.offsets(), [0, 65536])

    def test_a_daemon_that_stays_away_leaves_the_part_for_the_next_call(self):
        def breaking(request):
            yield from self.fake.ReadArtifact(request, stop_after=max(request.offset, 300000))
            raise Refusal(grpc.StatusCode.UNAVAILABLE, None, "Socket closed")
        self.fake.on["ReadArtifact"] = breaking
        self.expect(5, "download", self.job.name, "-o", "out.mp4", "--retry-for", "300ms", says=[self.part, "goes on there"])
        self.assertEqual(self.read(self.part), DATA[:300000])
        self.assertFalse(os.path.exists(self.path("out.mp4")))
        self.fake.calls.clear()
        del self.fake.on["ReadArtifact"]
        self.expect(0, "download", self.job.name, "-o", "out.mp4", says="going on after 300.0 kB")
        self.assertEqual(self.offsets(), [300000])
        self.expect_file("out.mp4")

    def test_an_interrupted_download_leaves_the_part_for_the_next_call(self):
        def slow(request):
            yield from self.fake.ReadArtifact(request, stop_after=300000)
            time.sleep(2)
        self.fake.on["ReadArtifact"] = [slow, self.fake.ReadArtifact]
        process = self.start("download", self.job.name, "-o", "out.mp4")
        end = time.monotonic() + 20
        while not (os.path.exists(self.path(self.part)) and os.stat(self.path(self.part)).st_size == 300000):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        done = self.interrupt(process)
        self.assertEqual(done.status, 130, done)
        self.assertIn(self.part, done.err)
        self.expect(0, "download", self.job.name, "-o", "out.mp4")
        self.assertEqual(self.offsets(), [0, 300000])
        self.expect_file("out.mp4")

    def test_a_damaged_part_is_fetched_again_in_whole(self):
        self.write(self.part, b"x" * 1000)
        self.expect(0, "download", self.job.name, "-o", "out.mp4", says="fetching all of it again")
        self.assertEqual(self.offsets(), [1000, 0])
        self.expect_file("out.mp4")

    def test_a_part_that_is_too_long_is_begun_again(self):
        self.write(self.part, DATA + b"x")
        self.expect(0, "download", self.job.name, "-o", "out.mp4")
        self.assertEqual(self.offsets(), [0])
        self.expect_file("out.mp4")

    def test_a_part_that_is_complete_needs_no_read(self):
        self.write(self.part, DATA)
        self.expect(0, "download", self.job.name, "-o", "out.mp4")
        self.assertEqual(self.offsets(), [])
        self.expect_file("out.mp4")

    def test_the_part_of_another_video_is_never_continued(self):
        self.write("out.mp4.0123456789ab.part", b"x" * 1000)
        self.expect(0, "download", self.job.name, "-o", "out.mp4")
        self.assertEqual(self.offsets(), [0])
        self.assertEqual(self.read("out.mp4"), DATA)

    def test_bytes_with_another_hash_get_no_name(self):
        self.write("out.mp4", b"the old one")
        self.fake.bytes[self.artifact.name] = b"y" * len(DATA)
        self.expect(1, "download", self.job.name, "-o", "out.mp4", says="SHA-256")
        self.expect_file("out.mp4", b"the old one")
        self.expect(1, "download", self.job.name, "-o", "-", says="throw it away")

    def test_more_bytes_or_others_than_promised_are_refused(self):
        def long(request):
            yield message("ReadArtifactResponse", offset=0, data=DATA + b"x")

        def elsewhere(request):
            yield message("ReadArtifactResponse", offset=5, data=DATA)
        for bad in (long, elsewhere):
            self.fake.on["ReadArtifact"] = bad
            self.expect(1, "download", self.job.name, "-o", "out.mp4", says="other bytes than it promised")
            self.assertFalse(os.path.exists(self.path("out.mp4")))

    def test_a_damaged_artifact_is_reported_and_not_repeated(self):
        def damaged(request):
            raise Refusal(grpc.StatusCode.DATA_LOSS, "ARTIFACT_DAMAGED", "the file is gone")
        self.fake.on["ReadArtifact"] = damaged
        self.expect(1, "download", self.job.name, "-o", "out.mp4", says=["ARTIFACT_DAMAGED", "the file is gone"])
        self.assertEqual(self.offsets(), [0])

    def test_two_downloads_do_not_write_to_one_part(self):
        def slow(request):
            yield from self.fake.ReadArtifact(request, stop_after=100)
            time.sleep(2)
        self.fake.on["ReadArtifact"] = slow
        process = self.start("download", self.job.name, "-o", "out.mp4")
        self.fake.wait_for("ReadArtifact")
        self.expect(1, "download", self.job.name, "-o", "out.mp4", says="another download")
        self.interrupt(process)

    def test_a_daemon_that_falls_silent_is_given_up(self):
        def silent(request):
            yield from self.fake.ReadArtifact(request, stop_after=100)
            time.sleep(3)
        self.fake.on["ReadArtifact"] = silent
        self.expect(124, "download", self.job.name, "-o", "out.mp4", "--deadline", "500ms", says="nothing for 500 ms")

    def test_a_link_stays_and_what_it_names_is_replaced(self):
        os.mkdir(self.path("store"))
        self.write("store/real.mp4", b"the old one")
        os.symlink("store/real.mp4", self.path("link.mp4"))
        self.expect(0, "download", self.job.name, "-o", "link.mp4", out="link.mp4\n")
        self.assertTrue(os.path.islink(self.path("link.mp4")))
        self.assertFalse(os.path.islink(self.path("store/real.mp4")))
        self.assertEqual(os.listdir(self.path("store")), ["real.mp4"])
        self.expect_file("store/real.mp4")

    def test_a_pipe_is_written_into(self):
        os.mkfifo(self.path("pipe"))
        process = self.start("download", self.job.name, "-o", "pipe")
        came = self.read("pipe")
        done = self.finish(process)
        self.assertEqual((done.status, done.out, came), (0, "pipe\n", DATA), done.err)
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("pipe")).st_mode))

    def test_a_device_is_written_into(self):
        os.symlink("/dev/null", self.path("null"))
        self.expect(0, "download", self.job.name, "-o", "null", out="null\n")
        self.assertEqual(os.readlink(self.path("null")), "/dev/null")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/null").st_mode))
        os.symlink("/dev/full", self.path("full"))
        self.expect(1, "download", self.job.name, "-o", "full", says="No space left")
        self.assertEqual(os.readlink(self.path("full")), "/dev/full")

    def test_standard_output_is_known_by_its_other_names(self):
        os.symlink("/dev/stdout", self.path("out"))
        for name in ("out", "/proc/self/fd/1"):
            done = self.run_cli("download", self.job.name, "-o", name)
            self.assertEqual((done.status, done.out), (0, DATA), done.err)
        with open(self.path("redirected"), "wb") as file:
            self.assertEqual(self.finish(self.start("download", self.job.name, "-o", "/dev/stdout", stdout=file)).status, 0)
        self.expect_file("redirected")
        status, said = self.terminal("download", self.job.name, "-o", self.path("out")).finish()
        self.assertEqual(status, 2)
        self.assertIn("does not go to a terminal", said)
        self.assertEqual(os.readlink(self.path("out")), "/dev/stdout")

    def test_a_place_that_cannot_be_written_is_said(self):
        self.expect(2, "download", self.job.name, "-o", "missing/out.mp4", says=["missing/out.mp4", "no folder 'missing/'"])
        self.expect(2, "download", self.job.name, "-o", "/dev/full/x", says="Not a directory")
        self.expect(2, "download", self.job.name, "-o", "", says="'' names nothing")
        os.mkdir(self.path("folder"))
        os.mkdir(self.path(f"folder/{self.job.name[5:]}.mp4"))
        self.expect(2, "download", self.job.name, "-o", "folder", says="is a folder")
        os.symlink("nowhere", self.path("dangling"))
        self.expect(2, "download", self.job.name, "-o", "dangling", says="a link to what is not there")
        self.assertEqual(self.offsets(), [])
        with open("/dev/full", "wb") as full:
            process = self.start("download", self.job.name, "-o", "-", stdout=full)
            done_err = process.communicate(timeout=30)[1].decode()
        self.assertEqual(process.returncode, 1, done_err)
        self.assertIn("No space left on device", done_err)


if __name__ == "__main__":
    unittest.main()
