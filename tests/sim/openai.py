"""OpenAI's /videos and OpenRouter's near form of it, as the simulator plays them, byte by byte where no client looks."""

import json
import os
import time

import simulator
from simulator import exchange

BOUNDARY = "----films"
PNG = b"\x89PNG\r\n\x1a\n\x00\r\n--other\x01"
JPEG = b"\xff\xd8\xff\xe0\r\n--other\x01"
SAMPLES = os.environ.get("FILMGATE_SAMPLES", "")


def form(**values):
    parts = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                    for name, value in values.items())
    return (parts + f"--{BOUNDARY}--\r\n").encode()


def form_with(file, media_type="image/png"):
    """A form with a file, whose content looks like a border between parts and is none."""
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nx\r\n--{BOUNDARY}\r\n'
            'Content-Disposition: form-data; name="input_reference"; filename="a"'
            + (f"\r\nContent-Type: {media_type}" if media_type else ""))
    return head.encode() + b"\r\n\r\n" + file + f"\r\n--{BOUNDARY}--\r\n".encode()


class Case(simulator.Case):
    options = ("--render-time-ms", "500")

    def start(self, *options):
        sim = simulator.Simulator(*options)
        self.addCleanup(sim.remove)
        self.addCleanup(sim.stop)
        return sim.api

    def call(self, method, path, body=None, **headers):
        return exchange(self.sim.api, method, path, body, {"Authorization": "Bearer sim-key", **headers})

    def create(self, **order):
        reply = self.call("POST", "/v1/videos", dict({"prompt": "A cat"}, **order))
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def send_form(self, body):
        return self.call("POST", "/v1/videos", body, **{"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})

    def finished(self, path):
        end = time.monotonic() + simulator.DEADLINE
        while time.monotonic() < end:
            video = self.call("GET", path).json()
            if video["status"] in ("completed", "failed"):
                return video
            time.sleep(0.02)
        raise AssertionError(f"{path} is not over; {self.sim.log()}")

    def charges(self):
        return self.sim.control("GET", "charges")["count"]

    def assert_refused(self, reply, status, code, param=None):
        self.assertEqual(reply.status, status, reply.body)
        error = reply.json()["error"]
        self.assertEqual((error["code"], error["param"]), (code, param), error)
        self.assertTrue(error["message"] and error["type"])


class OpenAI(Case):
    def test_json_and_a_form_are_the_same_order(self):
        by_json = self.create(model="sora-2", seconds="8", size="1024x1792")
        by_form = self.send_form(form(model="sora-2", prompt="A cat", seconds="8", size="1024x1792"))
        self.assertEqual(by_form.status, 200, by_form.body)
        for member in ("model", "prompt", "seconds", "size", "object"):
            self.assertEqual(by_json[member], by_form.json()[member])

    def test_a_reference_is_a_file_a_url_or_an_id(self):
        url = form(**{"prompt": "x", "input_reference[image_url]": "https://x.test/a.png"})
        self.assertEqual(self.send_form(url).status, 200)
        self.assertEqual(self.create(input_reference={"file_id": "f"})["object"], "video")
        reply = self.call("POST", "/v1/videos", {"prompt": "x", "input_reference": {}})
        self.assert_refused(reply, 400, "invalid_value", "input_reference")
        self.assertEqual(self.send_form(form_with(PNG)).status, 200)

    def test_a_file_is_the_picture_that_its_part_says(self):
        before = self.charges()
        self.assertEqual(self.send_form(form_with(JPEG, "IMAGE/JPEG; q=1")).status, 200)
        self.assertEqual(self.send_form(form_with(PNG, None)).status, 200)
        for file, media_type, words in ((b"", "image/png", "0 bytes of something else"), (b"GIF89a..", "image/gif", "image/gif"),
                                        (b"<html>", "image/png", "6 bytes"), (PNG, "image/jpeg", "it is image/png")):
            reply = self.send_form(form_with(file, media_type))
            self.assert_refused(reply, 400, "invalid_value", "input_reference")
            self.assertIn(words, reply.json()["error"]["message"])
        self.assertEqual(self.charges(), before + 2)

    def test_forms_that_are_none_are_refused(self):
        good = form(prompt="x")
        for body in (b"", good[:-20], good.replace(b"films", b"other"), b"--" + BOUNDARY.encode(), good[5:],
                     good.replace(b"\r\n\r\n", b"\r\n"), good.replace(b'name="prompt"', b'name=""')):
            self.assert_refused(self.send_form(body), 400, "invalid_body")

    def test_wrong_values_are_refused_by_name(self):
        before = self.charges()
        for order, param in (({"prompt": ""}, "prompt"), ({"seconds": "5"}, "seconds"), ({"seconds": 8}, "seconds"),
                             ({"seconds": "x", "model": "m"}, "seconds"), ({"size": "720"}, "size"),
                             ({"size": "10x10", "model": "m"}, "size"), ({"size": "1x1"}, "size")):
            reply = self.call("POST", "/v1/videos", dict({"prompt": "A cat"}, **order))
            self.assert_refused(reply, 400, "invalid_value", param)
        self.assert_refused(self.call("POST", "/v1/videos", b"{"), 400, "invalid_body")
        self.assertEqual(self.charges(), before)

    def test_other_models_make_other_lengths(self):
        self.assertEqual(self.create(model="wan", seconds="5", size="480x480")["seconds"], "5")

    def test_the_same_order_twice_is_two_videos(self):
        before = self.charges()
        self.assertNotEqual(self.create()["id"], self.create()["id"])
        self.assertEqual(self.charges(), before + 2)

    def test_each_of_three_headers_has_the_key(self):
        for headers in ({"Authorization": "Bearer sim-key"}, {"api-key": "sim-key"}, {"x-litellm-api-key": "sim-key"}):
            self.assertEqual(exchange(self.sim.api, "GET", "/v1/videos", None, headers).status, 200)
        for headers in ({}, {"Authorization": "sim-key"}, {"Authorization": "Bearer x"}, {"api-key": "x"}):
            self.assert_refused(exchange(self.sim.api, "GET", "/v1/videos", None, headers), 401, "invalid_api_key")

    def test_states_follow_each_other_and_content_comes_last(self):
        made = self.create()
        self.assertIn(made["status"], ("queued", "in_progress"))
        self.assertEqual((made["completed_at"], made["expires_at"], made["error"]), (None, None, None))
        path = f"/v1/videos/{made['id']}"
        self.assertEqual(self.finished(path)["progress"], 100)
        whole = self.call("GET", path + "/content")
        self.assertEqual(whole.headers["Content-Type"], "video/mp4")
        part = self.call("GET", path + "/content", Range="bytes=4-7")
        self.assertEqual((part.status, part.body), (206, whole.body[4:8]))
        self.assertEqual(self.call("GET", path + "/content?variant=thumbnail").body[:2], b"\xff\xd8")
        self.assertEqual(self.call("GET", path + "/content?variant=spritesheet").body[:3], b"GIF")
        self.assert_refused(self.call("GET", path + "/content?variant=poster"), 400, "invalid_value", "variant")

    def test_content_that_is_not_ready_is_not_found(self):
        slow = self.start("--render-time-ms", "60000")
        made = exchange(slow, "POST", "/v1/videos", {"prompt": "x"}, {"api-key": "sim-key"}).json()
        reply = exchange(slow, "GET", f"/v1/videos/{made['id']}/content", None, {"api-key": "sim-key"})
        self.assertEqual((reply.status, reply.json()["error"]["code"]), (404, "not_ready"))

    def test_a_deleted_video_is_gone(self):
        path = f"/v1/videos/{self.create()['id']}"
        self.assertEqual(self.call("DELETE", path).json()["object"], "video.deleted")
        self.assert_refused(self.call("DELETE", path), 404, "not_found")
        self.assert_refused(self.call("GET", path), 404, "not_found")

    def test_a_list_has_pages_in_both_orders(self):
        made = [self.create(prompt=f"Number {i}")["id"] for i in range(3)]
        page = self.call("GET", "/v1/videos?limit=2").json()
        self.assertEqual([video["id"] for video in page["data"]], made[:0:-1])
        self.assertEqual((page["first_id"], page["last_id"], page["has_more"]), (made[2], made[1], True))
        rest = self.call("GET", f"/v1/videos?limit=100&after={made[1]}").json()
        self.assertEqual(rest["data"][0]["id"], made[0])
        self.assertFalse(rest["has_more"])
        rising = self.call("GET", "/v1/videos?limit=100&order=asc").json()["data"]
        self.assertEqual([video["id"] for video in rising][-3:], made)
        for query in ("limit=0", "limit=101", "order=up", "after=v_none"):
            self.assertEqual(self.call("GET", f"/v1/videos?{query}").status, 400)

    def test_a_lost_reply_is_charged_and_listed(self):
        before = self.charges()
        self.sim.fault({"type": "reset_after"}, match={"method": "POST", "path": "/v1/videos"})
        with self.assertRaises(OSError):
            self.create(prompt="Nobody heard of it")
        self.assertEqual(self.charges(), before + 1)
        newest = self.call("GET", "/v1/videos?limit=1").json()["data"][0]
        self.assertEqual(newest["prompt"], "Nobody heard of it")

    def test_a_moderated_video_fails_with_the_code(self):
        self.sim.fault({"type": "moderate", "failure_code": "moderation_blocked"},
                       match={"method": "POST", "path": "/v1/videos"})
        video = self.finished(f"/v1/videos/{self.create()['id']}")
        self.assertEqual((video["status"], video["error"]["code"]), ("failed", "moderation_blocked"))

    def test_replies_have_the_members_of_recorded_ones(self):
        file = os.path.join(SAMPLES, "openai-sora", "litellm_create_real_id.json")
        if not os.path.exists(file):
            self.skipTest("no recorded bodies here")
        with open(file, encoding="utf-8") as text:
            recorded = json.load(text)
        made = self.create()
        for member in set(recorded) - {"usage"}:
            self.assertIn(member, made)


class OpenRouter(Case):
    def order(self, **more):
        return self.call("POST", "/api/v1/videos", dict({"model": "google/veo-3.1", "prompt": "A cat"}, **more))

    def test_an_order_leads_to_a_relative_url_and_that_to_the_bytes(self):
        reply = self.order(duration=5, size="1280x720")
        self.assertEqual(reply.status, 202)
        self.assertIn(reply.json()["status"], ("pending", "in_progress"))
        self.assertEqual(set(reply.json()), {"id", "generation_id", "polling_url", "status"})
        video = self.finished(reply.json()["polling_url"])
        self.assertAlmostEqual(video["usage"]["cost"], 0.25)
        address = video["unsigned_urls"][0]
        self.assertTrue(address.startswith(self.sim.files))
        self.assertEqual(exchange(self.sim.files, "GET", address[len(self.sim.files):]).body[4:8], b"ftyp")
        self.assertEqual(self.call("GET", f"{reply.json()['polling_url']}/content").body[4:8], b"ftyp")

    def test_refusals_have_the_status_for_a_code(self):
        for reply, status in ((self.order(model=""), 400), (self.order(duration=61), 400), (self.order(size="x"), 400),
                              (self.call("GET", "/api/v1/videos/v_none"), 404),
                              (self.call("DELETE", "/api/v1/videos/v_none"), 404),
                              (exchange(self.sim.api, "GET", "/api/v1/videos/x"), 401)):
            self.assertEqual((reply.status, reply.json()["error"]["code"]), (status, status))

    def test_neither_form_knows_the_other_s_videos(self):
        mine, theirs = self.create()["id"], self.order().json()["id"]
        self.assertEqual(self.call("GET", f"/api/v1/videos/{mine}").status, 404)
        self.assertEqual(self.call("GET", f"/v1/videos/{theirs}").status, 404)
        self.assertNotIn(theirs, [video["id"] for video in self.call("GET", "/v1/videos?limit=100").json()["data"]])

    def test_an_empty_wallet_is_said_by_each_in_its_way(self):
        poor = self.start("--credit", "0")
        headers = {"Authorization": "Bearer sim-key"}
        order = {"prompt": "x", "model": "m"}
        plain = exchange(poor, "POST", "/api/v1/videos", order, headers)
        ours = exchange(poor, "POST", "/v1/videos", order, headers)
        self.assertEqual((plain.status, ours.status), (402, 429))
        self.assertEqual(ours.json()["error"]["code"], "insufficient_quota")


del Case

if __name__ == "__main__":
    simulator.main()
