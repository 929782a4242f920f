#!/usr/bin/env python3
"""sim.files: the videos are real, and the file host serves them as a signing object store does."""

import hashlib
import http.client
import json
import os
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from simulator import Case, Simulator, fetch, main, order, slow_ffmpeg

MANY = int(os.environ.get("FILMGATE_SIM_MANY", "40"))


def probe(data):
    """What ffprobe finds in the bytes, with every frame decoded."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_format", "-show_streams", "-of",
                               "json", file.name], capture_output=True, timeout=60, check=False)
    if done.returncode or done.stderr:
        raise AssertionError(done.stderr.decode())
    report = json.loads(done.stdout)
    report["video"] = next(stream for stream in report["streams"] if stream["codec_type"] == "video")
    report["audio"] = next(stream for stream in report["streams"] if stream["codec_type"] == "audio")
    return report


class Pictures(Case):
    def film(self, **members):
        return self.sim.finished(self.sim.create(order(**members)))

    def test_the_default_is_h264_and_aac_with_the_index_in_front(self):
        video = self.film(script="one two three four five six seven")
        data = fetch(video["video_url"]).body
        report = probe(data)
        self.assertEqual((report["video"]["codec_name"], report["audio"]["codec_name"]), ("h264", "aac"))
        self.assertEqual(report["video"]["pix_fmt"], "yuv420p")
        self.assertEqual((video["duration"], float(report["format"]["duration"])), (3.0, 3.0))
        self.assertEqual(int(report["video"]["nb_read_frames"]), 15)
        self.assertLess(data.index(b"moov"), data.index(b"mdat"))

    def test_size_follows_resolution_and_aspect_ratio(self):
        for members, size in ((dict(resolution="720p"), (64, 36)), (dict(), (96, 54)),
                              (dict(resolution="1080p", aspect_ratio="9:16"), (54, 96)),
                              (dict(resolution="720p", aspect_ratio="1:1"), (36, 36)),
                              (dict(resolution="720p", aspect_ratio="4:5"), (36, 46)),
                              (dict(resolution="4k", aspect_ratio="auto"), (192, 108))):
            stream = probe(fetch(self.film(**members)["video_url"]).body)["video"]
            self.assertEqual((stream["width"], stream["height"]), size, members)

    def test_length_follows_the_script_the_speed_and_the_cap(self):
        for members, seconds in ((dict(script="Hi"), 1.0), (dict(script=" ".join(["word"] * 10)), 4.0),
                                 (dict(script=" ".join(["word"] * 10), voice_settings={"speed": 0.5}), 8.0),
                                 (dict(script=" ".join(["word"] * 400)), 60.0)):
            self.assertEqual(self.film(**members)["duration"], seconds)

    def test_another_video_than_ordered_lies_by_its_file_alone(self):
        script = "one two three four five six seven"
        self.sim.fault({"type": "other_video", "seconds": 2, "width": 160, "height": 90, "picture": "black"},
                       match={"method": "POST"})
        video = self.film(script=script)
        report = probe(fetch(video["video_url"]).body)
        self.assertEqual((video["duration"], float(report["format"]["duration"])), (3.0, 2.0))
        self.assertEqual((report["video"]["width"], report["video"]["height"]), (160, 90))
        self.assertLess(max(self.pixels(fetch(video["thumbnail_url"]).body)), 8)
        self.assertEqual(float(probe(fetch(self.film(script=script)["video_url"]).body)["format"]["duration"]), 3.0)
        for action in ({"seconds": 0}, {"seconds": 601}, {"width": 15}, {"height": 17}, {"picture": "red"}):
            with self.assertRaises(Exception):
                self.sim.fault({"type": "other_video", **action}, match={"method": "POST"})

    def test_webm_has_alpha(self):
        video = self.film(output_format="webm", script="see through")
        reply = fetch(video["video_url"])
        report = probe(reply.body)
        self.assertEqual(reply.headers["Content-Type"], "video/webm")
        self.assertEqual((report["video"]["codec_name"], report["audio"]["codec_name"]), ("vp9", "opus"))
        self.assertEqual(report["video"]["tags"].get("alpha_mode", report["video"]["tags"].get("ALPHA_MODE")), "1")

    def test_the_script_is_burned_in(self):
        sim = Simulator("--render-time-ms", "0", "--max-seconds", "1")
        try:
            frames = []
            for script in ("first picture", "other picture", ":'%{pts}\\ [x];,"):
                video = sim.finished(sim.create(order(script, resolution="4k")))
                self.assertEqual(video["status"], "completed", script)
                frames.append(self.pixels(fetch(video["thumbnail_url"]).body))
            self.assertEqual(len(set(frames)), 3)
            for frame in frames:
                self.assertGreater(sum(1 for value in frame if value > 200), 100)
        finally:
            sim.stop()
            sim.remove()

    def pixels(self, picture):
        done = subprocess.run(["ffmpeg", "-v", "error", "-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-pix_fmt",
                               "gray", "-"], input=picture, capture_output=True, timeout=60, check=True)
        return done.stdout

    def test_the_background_has_the_ordered_color(self):
        video = self.film(background={"type": "color", "value": "#ffffff"}, script="x")
        frame = self.pixels(fetch(video["thumbnail_url"]).body)
        self.assertGreater(sum(frame) / len(frame), 150)

    def test_subtitles_cover_the_script_and_the_length(self):
        script = " ".join(f"word{i}" for i in range(25))
        video = self.film(script=script)
        reply = fetch(video["subtitle_url"])
        self.assertEqual(reply.headers["Content-Type"], "application/x-subrip")
        cues = reply.body.decode().strip().split("\n\n")
        self.assertEqual(len(cues), 3)
        self.assertEqual(" ".join(cue.split("\n", 2)[2] for cue in cues), script)
        self.assertTrue(cues[0].split("\n")[1].startswith("00:00:00,000 --> "))
        self.assertTrue(cues[-1].split("\n")[1].endswith(" --> 00:00:10,000"))

    def test_a_captioned_file_is_offered_when_a_style_is_ordered(self):
        self.assertIsNone(self.film()["captioned_video_url"])
        for form, codec in (("mp4", "h264"), ("webm", "vp9")):
            video = self.film(caption={"style": "default"}, output_format=form)
            plain, captioned = fetch(video["video_url"]).body, fetch(video["captioned_video_url"])
            self.assertEqual(captioned.headers["Content-Type"], f"video/{form}")
            self.assertEqual(probe(captioned.body)["video"]["codec_name"], codec)
            self.assertNotEqual(plain, captioned.body)
            self.assertEqual(probe(captioned.body)["format"]["duration"], probe(plain)["format"]["duration"])

    def test_a_moving_preview_comes_with_the_video(self):
        reply = fetch(self.film(script="one two three four five six seven", resolution="4k")["gif_url"])
        self.assertEqual((reply.headers["Content-Type"], reply.body[:6]), ("image/gif", b"GIF89a"))
        done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_entries",
                               "stream=codec_name,width,height,nb_read_frames", "-of", "json", "-i", "-"],
                              input=reply.body, capture_output=True, timeout=60, check=True)
        stream = json.loads(done.stdout)["streams"][0]
        self.assertEqual((stream["codec_name"], stream["width"], stream["height"]), ("gif", 192, 108))
        self.assertEqual(int(stream["nb_read_frames"]), 10)

    def test_audio_gives_a_video_without_subtitles_unless_they_are_ordered(self):
        body = {"type": "avatar", "avatar_id": "a", "audio_url": "https://example.com/a.mp3"}
        video = self.sim.finished(self.sim.create(body))
        self.assertEqual((video["status"], video["subtitle_url"]), ("completed", None))
        video = self.sim.finished(self.sim.create(dict(body, caption={})))
        self.assertEqual(fetch(video["subtitle_url"]).headers["Content-Type"], "application/x-subrip")

    def test_equal_orders_are_rendered_once(self):
        before = self.sim.control("GET", "state")["renders"]
        links = [self.film(script="only once, please")["video_url"] for _ in range(3)]
        after = self.sim.control("GET", "state")["renders"]
        bodies = {hashlib.sha256(fetch(link).body).hexdigest() for link in links}
        self.assertEqual(len(bodies), 1)
        self.assertLessEqual(after["done"] - before["done"], 1)
        self.assertGreaterEqual(after["cached"] - before["cached"], 2)
        self.assertEqual(len(self.sim.charges()), 3)

    def test_a_render_that_takes_too_long_fails_the_video(self):
        with tempfile.TemporaryDirectory() as folder:
            sim = Simulator("--render-time-ms", "0", "--render-timeout-s", "1", "--ffmpeg", slow_ffmpeg(folder),
                            "--cache", os.path.join(folder, "cache"))
            try:
                video = sim.finished(sim.create())
                self.assertEqual((video["status"], video["failure_code"]), ("failed", "generation_failed"))
                self.assertEqual(sim.control("GET", "state")["renders"]["failed"], 1)
            finally:
                self.assertEqual(sim.stop(), 0)
                sim.remove()

    def test_many_small_videos_render_in_time(self):
        sim = Simulator("--render-time-ms", "0", "--concurrency", str(MANY), "--max-seconds", "1",
                        "--cache", os.path.join(self.sim.data, "many"))
        try:
            began = time.monotonic()
            made = [sim.create(order(f"video number {i}")) for i in range(MANY)]
            while sim.control("GET", "state")["videos"]["completed"] < MANY and time.monotonic() - began < 110:
                time.sleep(0.1)
            self.assertEqual(sim.control("GET", "state")["videos"]["completed"], MANY, sim.log())
            print(f"{MANY} videos in {time.monotonic() - began:.1f} s")
            self.assertEqual(fetch(sim.video(made[-1])["video_url"]).status, 200)
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()


class Host(Case):
    def setUp(self):
        super().setUp()
        self.identity = self.sim.create()
        self.link = self.sim.finished(self.identity)["video_url"]
        self.whole = fetch(self.link).body

    def part(self, value, **headers):
        return fetch(self.link, headers=dict({"Range": value}, **{k.replace("_", "-"): v for k, v in headers.items()}))

    def test_the_file_host_is_another_origin_and_sees_no_key(self):
        self.assertTrue(self.link.startswith(self.sim.files + "/files/"))
        self.assertNotEqual(self.sim.files, self.sim.api)
        rows = [row for row in self.sim.control("GET", "requests")["requests"] if row["host"] == "files"]
        self.assertEqual([row["api_key"] for row in rows], [False])

    def test_a_whole_file_says_its_length_and_type(self):
        reply = fetch(self.link)
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "video/mp4"))
        self.assertEqual(int(reply.headers["Content-Length"]), len(self.whole))
        self.assertEqual(reply.headers["Accept-Ranges"], "bytes")

    def test_head_says_the_same_without_a_body(self):
        reply = fetch(self.link, method="HEAD")
        self.assertEqual((reply.status, reply.body), (200, b""))
        self.assertEqual(int(reply.headers["Content-Length"]), len(self.whole))

    def test_ranges_give_exactly_those_bytes(self):
        size = len(self.whole)
        for value, first, last in (("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), (f"bytes={size - 1}-", size - 1, size - 1),
                                   ("bytes=-5", size - 5, size - 1), (f"bytes=-{size * 2}", 0, size - 1),
                                   (f"bytes=100-{size * 2}", 100, size - 1)):
            reply = self.part(value)
            self.assertEqual((reply.status, reply.body), (206, self.whole[first:last + 1]), value)
            self.assertEqual(reply.headers["Content-Range"], f"bytes {first}-{last}/{size}")

    def test_a_range_behind_the_end_is_416(self):
        for value in (f"bytes={len(self.whole)}-", "bytes=-0"):
            reply = self.part(value)
            self.assertEqual((reply.status, reply.headers["Content-Range"]), (416, f"bytes */{len(self.whole)}"))

    def test_a_range_nobody_understands_is_the_whole_file(self):
        for value in ("bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=", "bytes=a-b", "bytes=99999999999999999999-"):
            self.assertEqual((self.part(value).status, self.part(value).body), (200, self.whole), value)

    def test_a_resume_of_another_file_begins_anew(self):
        etag = fetch(self.link).headers["ETag"]
        self.assertEqual(self.part("bytes=5-", If_Range=etag).status, 206)
        self.assertEqual(self.part("bytes=5-", If_Range='"other"').body, self.whole)

    def test_every_poll_signs_a_fresh_link(self):
        again = self.sim.video(self.identity)["video_url"]
        self.assertNotEqual(again, self.link)
        self.assertEqual(fetch(again).body, fetch(self.link).body)

    def test_a_link_expires(self):
        self.sim.control("POST", "clock", {"advance_ms": 7 * 86400 * 1000 - 60000})
        self.assertEqual(fetch(self.link).status, 200)
        self.sim.control("POST", "clock", {"advance_ms": 61000})
        reply = fetch(self.link)
        self.assertEqual(reply.status, 403)
        self.assertIn(b"expired", reply.body)
        self.assertEqual(fetch(self.sim.video(self.identity)["video_url"]).status, 200)

    def test_a_changed_link_is_refused(self):
        parts = urllib.parse.urlsplit(self.link)
        query = urllib.parse.parse_qs(parts.query)
        for name, value in (("Expires", "9999999999"), ("Serial", "99"), ("Signature", "0" * 64)):
            changed = dict({key: values[0] for key, values in query.items()}, **{name: value})
            self.assertEqual(fetch(parts._replace(query=urllib.parse.urlencode(changed)).geturl()).status, 403, name)
        self.assertEqual(fetch(parts._replace(query="").geturl()).status, 403)
        other = parts._replace(path=parts.path.replace("video.mp4", "thumbnail.jpg")).geturl()
        self.assertEqual(fetch(other).status, 403)

    def test_a_deleted_videos_file_is_gone(self):
        self.sim.call("DELETE", f"/v3/videos/{self.identity}")
        self.assertEqual(fetch(self.link).status, 404)

    def test_there_is_nothing_else_on_the_file_host(self):
        for path in ("/", "/files/", "/files/../charges.jsonl", "/files/x/y", "/_sim/charges", "/v3/users/me",
                     "/files/x/video.mp4/z"):
            self.assertEqual(fetch(f"{self.sim.files}{path}").status, 404, path)

    def test_many_clients_read_at_once(self):
        results = []
        threads = [threading.Thread(target=lambda: results.append(fetch(self.link).body)) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [self.whole] * 32)

    def test_a_client_that_leaves_in_the_middle_hurts_nobody(self):
        parts = urllib.parse.urlsplit(self.link)
        for _ in range(20):
            connection = http.client.HTTPConnection(parts.netloc, timeout=10)
            connection.request("GET", f"{parts.path}?{parts.query}")
            connection.getresponse().read(100)
            connection.close()
        self.assertEqual(fetch(self.link).body, self.whole)


if __name__ == "__main__":
    main()
