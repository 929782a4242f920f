#!/usr/bin/env python3
"""sim.heygen: the simulator answers as HeyGen's API v3 does, from the recorded samples and the sheet of its errors."""

import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from simulator import PROGRAM, Case, Simulator, exchange, exchange_on, fetch, main, order, raw, slow_ffmpeg


def sample(name):
    folder = os.environ.get("FILMGATE_SAMPLES", "")
    path = os.path.join(folder, "heygen", name)
    if not folder or not os.path.exists(path):
        raise unittest.SkipTest(f"there are no recorded samples in '{folder}' (FILMGATE_SAMPLES)")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Accounts(Case):
    def test_a_missing_and_a_wrong_key_get_the_same_bytes(self):
        missing = self.sim.call("GET", "/v3/users/me", key=None)
        wrong = self.sim.call("GET", "/v3/users/me", key="guess")
        self.assert_error(missing, 401, "unauthorized")
        self.assertEqual(missing.body, wrong.body)
        self.assertEqual(wrong.status, 401)

    def test_no_route_works_without_a_key(self):
        for method, path in (("POST", "/v3/videos"), ("GET", "/v3/videos"), ("GET", "/v3/videos/v_1"),
                             ("DELETE", "/v3/videos/v_1"), ("POST", "/v3/models/videos"), ("GET", "/v3/nothing")):
            self.assertEqual(self.sim.call(method, path, key=None).status, 401, path)

    def test_the_wallet_shrinks_by_what_is_charged(self):
        before = self.sim.call("GET", "/v3/users/me").json()["data"]
        self.assertEqual(before["billing_type"], "wallet")
        self.assertEqual(before["wallet"]["remaining_balance"], 1000)
        self.sim.create(order("one two three four five"))
        after = self.sim.call("GET", "/v3/users/me").json()["data"]["wallet"]
        self.assertEqual(after["remaining_balance"], 999.9)

    def test_the_wallet_has_the_members_of_the_sample(self):
        recorded = sample("v3_users_me_wallet.json")["data"]["wallet"]
        wallet = self.sim.call("GET", "/v3/users/me").json()["data"]["wallet"]
        self.assertLessEqual(set(recorded), set(wallet))
        self.assertLessEqual(set(recorded["auto_reload"]), set(wallet["auto_reload"]))

    def test_every_reply_has_its_own_request_id(self):
        seen = {self.sim.call(method, path).headers["X-Request-Id"]
                for method, path in (("GET", "/v3/users/me"), ("GET", "/v3/videos"), ("GET", "/nothing"),
                                     ("GET", "/v3/videos/v_1"), ("POST", "/v3/videos"))}
        self.assertEqual(len(seen), 5)

    def test_an_unknown_path_is_not_found(self):
        self.assert_error(self.sim.call("GET", "/v3/templates"), 404, "not_found")
        self.assert_error(self.sim.call("PUT", "/v3/videos"), 404, "not_found")


class Webhooks(Case):
    PATH = "/v3/webhooks/endpoints"

    def test_an_endpoint_tells_its_secret_when_it_is_made_or_exchanged_and_never_else(self):
        made = self.sim.call("POST", self.PATH, {"url": "http://127.0.0.1:9/hook"}).json()["data"]
        self.assertRegex(made["secret"], "^whsec_[0-9a-f]{64}$")
        [listed] = self.sim.call("GET", self.PATH).json()["data"]
        self.assertEqual((listed["endpoint_id"], listed["url"]), (made["endpoint_id"], made["url"]))
        self.assertNotIn("secret", listed)
        path = f"{self.PATH}/{made['endpoint_id']}"
        again = self.sim.call("POST", f"{path}/rotate-secret").json()["data"]
        self.assertEqual(again["endpoint_id"], made["endpoint_id"])
        self.assertNotEqual(again["secret"], made["secret"])
        self.assertEqual(self.sim.call("DELETE", path).status, 200)
        self.assert_error(self.sim.call("DELETE", path), 404, "webhook_not_found")
        self.assertEqual(self.sim.call("GET", self.PATH).json()["data"], [])

    def test_what_is_no_url_or_no_fault_is_refused(self):
        for url in None, 7, "films.example.com", "https://films.example.com":
            self.assert_error(self.sim.call("POST", self.PATH, {"url": url}), 400, "invalid_parameter", "url")
        for fault in {}, {"type": "vanish"}, {"type": "lose", "times": 0}, {"type": "delay", "delay_ms": -1}:
            self.assertEqual(self.sim.call("POST", "/_sim/webhooks/faults", fault).status, 400, fault)


class Lists(Case):
    def pages(self, path, limit):
        rows, token = [], ""
        for _ in range(20):
            page = self.sim.call("GET", f"{path}?limit={limit}{token}").json()
            self.assertEqual(set(page), {"data", "has_more", "next_token"})
            self.assertEqual(page["has_more"], page["next_token"] is not None)
            rows += page["data"]
            if not page["has_more"]:
                return rows
            token = f"&token={page['next_token']}"
        self.fail(f"{path} has no end")

    def test_pages_make_the_whole(self):
        for path, name in (("/v3/voices", "voice_id"), ("/v3/avatars", "id"), ("/v3/avatars/looks", "id")):
            whole = self.sim.call("GET", path).json()["data"]
            self.assertEqual(self.pages(path, 1), whole)
            self.assertEqual(self.pages(path, 2), whole)
            self.assertEqual(len({row[name] for row in whole}), len(whole))

    def test_voices_have_the_members_of_the_sample(self):
        recorded = sample("v3_voices_list_docs.json")
        page = self.sim.call("GET", "/v3/voices?limit=2").json()
        self.assertEqual(set(recorded), set(page))
        self.assertEqual(set(recorded["data"][0]), set(page["data"][0]))

    def test_filters(self):
        def ids(query, path="/v3/voices", name="voice_id"):
            return [row[name] for row in self.sim.call("GET", f"{path}?{query}").json()["data"]]

        self.assertEqual(ids("language=German"), ["voice_greta"])
        self.assertEqual(ids("language=English&gender=male"), ["voice_paul", "voice_own"])
        self.assertEqual(ids("type=private"), ["voice_own"])
        self.assertEqual(ids("group_id=group_anna&avatar_type=photo_avatar", "/v3/avatars/looks", "id"), ["anna_photo"])
        self.assertEqual(ids("ownership=private", "/v3/avatars", "id"), ["group_own"])
        self.assertEqual(ids("language=Klingon"), [])

    def test_what_is_no_page_is_refused(self):
        for path, most in (("/v3/voices", 100), ("/v3/avatars", 50), ("/v3/avatars/looks", 50)):
            for query in ("limit=0", f"limit={most + 1}", "limit=x", "limit=-1"):
                self.assert_error(self.sim.call("GET", f"{path}?{query}"), 400, "invalid_parameter", "limit")
            for query in ("token=0", "token=x", "token=99", "token="):
                self.assert_error(self.sim.call("GET", f"{path}?{query}"), 400, "invalid_parameter", "token")

    def test_what_is_listed_can_be_ordered(self):
        look = self.sim.call("GET", "/v3/avatars/looks").json()["data"][0]
        voice = self.sim.call("GET", "/v3/voices").json()["data"][0]
        self.sim.create(order("Hello.", avatar_id=look["id"], voice_id=voice["voice_id"]))


class Orders(Case):
    def refused(self, param, body):
        self.assert_error(self.sim.submit(body), 400, "invalid_parameter", param)
        self.assertEqual(self.sim.charges(), [])

    def test_the_published_requests_are_accepted(self):
        for name in ("v3_videos_avatar_request_cli_example.json", "v3_videos_image_request_cli_example.json",
                     "v3_videos_image_request_docs.json"):
            data = self.sim.submit(sample(name)).json()["data"]
            self.assertEqual(set(data), {"video_id", "status", "output_format"})
            self.assertEqual((data["status"], data["output_format"]), ("waiting", "mp4"))

    def test_a_body_that_is_no_json_object_is_refused(self):
        self.refused(None, b"{\"type\": ")
        self.refused(None, b"[]")
        self.refused(None, b"")
        self.refused(None, b"{\"type\":\"avatar\",\"type\":\"image\"}")

    def test_what_the_type_requires_must_be_there(self):
        self.refused("type", {})
        self.refused("type", order(type="studio"))
        self.refused("avatar_id", {"type": "avatar", "script": "x"})
        self.refused("image", {"type": "image", "script": "x", "voice_id": "v"})
        self.refused("image.url", {"type": "image", "script": "x", "voice_id": "v", "image": {"type": "url"}})
        self.refused("image.type", {"type": "image", "script": "x", "voice_id": "v", "image": {"type": "ftp"}})
        self.refused("voice_id", {"type": "image", "script": "x",
                                  "image": {"type": "asset_id", "asset_id": "a"}})

    def test_exactly_one_voice_is_required(self):
        self.refused("script", {"type": "avatar", "avatar_id": "a"})
        self.refused("script", order(audio_url="https://example.com/a.mp3"))
        self.refused("script", order(audio_asset_id="asset_1"))
        self.refused("audio_url", {"type": "avatar", "avatar_id": "a", "audio_url": "https://example.com/a.mp3",
                                   "audio_asset_id": "asset_1"})
        self.refused("script", order(""))
        self.refused("script", order(" \n\x7f\t"))
        self.refused("script", order("x" * 5001))
        self.refused("audio_url", {"type": "avatar", "avatar_id": "a", "audio_url": ""})
        self.refused("audio_asset_id", {"type": "avatar", "avatar_id": "a", "audio_asset_id": ""})
        self.sim.create({"type": "avatar", "avatar_id": "a", "audio_url": "https://example.com/a.mp3"})

    def test_a_script_may_have_5000_characters(self):
        self.sim.create(order("ä" * 5000))

    def test_values_outside_the_schema_are_refused_by_name(self):
        for param, members in {
                "resolution": {"resolution": "480p"},
                "aspect_ratio": {"aspect_ratio": "21:9"},
                "output_format": {"output_format": "gif"},
                "fit": {"fit": "stretch"},
                "expressiveness": {"expressiveness": "extreme"},
                "engine.type": {"engine": {"type": "avatar_ix"}},
                "caption.style": {"caption": {"style": "loud"}},
                "voice_settings.speed": {"voice_settings": {"speed": 1.6}},
                "voice_settings.pitch": {"voice_settings": {"pitch": -51}},
                "background.type": {"background": {"value": "#ffffff"}},
                "background.value": {"background": {"type": "color", "value": "red"}},
                "background": {"background": {"type": "color", "value": "#ff0000"}, "output_format": "webm"},
                "title": {"title": 7},
                "remove_background": {"remove_background": "yes"}}.items():
            self.refused(param, order(**members))

    def test_an_acting_avatar_is_ordered_by_a_prompt(self):
        acting = {"type": "cinematic_avatar", "prompt": "They dance.", "avatar_id": ["a"]}
        for param, members in {"prompt": {"prompt": " "}, "avatar_id": {"avatar_id": "a"},
                               "duration": {"duration": 16}, "auto_duration": {"auto_duration": "yes"},
                               "resolution": {"resolution": "4k"}, "aspect_ratio": {"aspect_ratio": "4:5"},
                               "references": {"references": [{"type": "url", "url": "ftp://a"}]}}.items():
            self.refused(param, dict(acting, **members))
        for looks in ([], ["a", "b", "c", "d"], [7], [""]):
            self.refused("avatar_id", dict(acting, avatar_id=looks))
        self.refused("prompt", dict(acting, prompt="x" * 10001))
        self.refused("duration", dict(acting, duration=4.5))
        self.refused("duration", dict(acting, duration=4, auto_duration=True))
        identity = self.sim.create(dict(acting, duration=4, references=[
            {"type": "url", "url": "https://example.com/v.mp4"}, {"type": "asset_id", "asset_id": "asset_1"}]))
        self.assertEqual(self.sim.finished(identity)["duration"], 4.0)
        self.assertEqual([(row["type"], row["seconds"], row["cost_micros"]) for row in self.sim.charges()],
                         [("cinematic_avatar", 4, 7000000)])

    def test_null_is_accepted_where_the_schema_allows_it(self):
        self.sim.create(order(title=None, resolution=None, background=None, caption=None, callback_url=None,
                              voice_settings=None, audio_url=None))

    def test_members_nobody_knows_are_let_through(self):
        self.sim.create(order(test=True, enable_caption=False))


class Generations(Case):
    """POST and GET of /v3/models/videos."""

    def submit(self, body, **headers):
        return self.sim.call("POST", "/v3/models/videos", json.dumps(body).encode(), **headers)

    def asked(self, **members):
        return dict({"model": "heygen-video-1", "mode": "text_to_video", "prompt": "A boat."}, **members)

    def refused(self, param, body):
        self.assert_error(self.submit(body), 400, "invalid_parameter", param)
        self.assertEqual(self.sim.charges(), [])

    def video(self, identity):
        return self.sim.call("GET", f"/v3/models/videos/{identity}").json()["data"]

    def finished(self, identity):
        end = time.monotonic() + 60
        while self.video(identity)["status"] != "completed" and time.monotonic() < end:
            time.sleep(0.05)
        return self.video(identity)

    def test_the_published_requests_are_accepted(self):
        for name in ("t2v", "i2v", "r2v"):
            reply = self.submit(sample(f"v3_models_videos_{name}_request.json"))
            self.assertEqual(reply.status, 200, reply.body)
            data, recorded = reply.json()["data"], sample("v3_models_videos_create_response.json")["data"]
            self.assertEqual(dict(data, video_id=recorded["video_id"]), recorded)

    def test_values_outside_the_schema_are_refused_by_name(self):
        image = {"type": "asset_id", "asset_id": "a"}
        for param, members in {
                "model": {"model": "heygen-video-0"}, "mode": {"mode": "video_to_video"}, "prompt": {"prompt": ""},
                "duration": {"duration": 16}, "resolution": {"resolution": "720p"}, "seed": {"seed": 1 << 32},
                "aspect_ratio": {"aspect_ratio": "adaptive"}, "image": {"image": image},
                "prompt_enhancement": {"prompt_enhancement": "best"},
                "reference_images": {"mode": "reference_to_video", "reference_audio": [image]}}.items():
            self.refused(param, self.asked(**members))
        self.refused("mode", self.asked(reference_images=[image]))
        self.refused("image", self.asked(mode="image_to_video"))
        self.refused("aspect_ratio", self.asked(mode="image_to_video", image=image, aspect_ratio="16:9"))
        self.refused("aspect_ratio", self.asked(resolution="2k", aspect_ratio="1:1"))
        self.refused("reference_images", self.asked(mode="reference_to_video", reference_images=[image] * 10))
        self.refused("prompt", self.asked(prompt="x" * 32001))

    def test_a_completed_video_has_the_members_of_the_sample(self):
        recorded = sample("v3_models_videos_completed_timings.json")["data"]
        identity = self.submit(self.asked(seed=0)).json()["data"]["video_id"]
        video = self.finished(identity)
        self.assertEqual(set(video), set(recorded))
        for name in ("width", "height", "aspect_ratio", "seed"):
            self.assertEqual(video[name], recorded[name])
        self.assertNotEqual(video["video_url"], self.video(identity)["video_url"])

    def test_a_video_that_is_under_way_says_only_that(self):
        identity = self.submit(self.asked()).json()["data"]["video_id"]
        self.sim.control("POST", f"videos/{identity}", {"status": "failed"})
        self.assertEqual({"data": self.video(identity)}, sample("v3_models_videos_failed.json"))
        self.sim.control("POST", f"videos/{identity}", {"status": "cancelled"})
        self.assertEqual({"data": self.video(identity)}, sample("v3_models_videos_cancelled.json"))

    def test_no_video_is_known_below_the_other_path(self):
        generated = self.submit(self.asked()).json()["data"]["video_id"]
        spoken = self.sim.create()
        self.assert_error(self.sim.call("GET", f"/v3/videos/{generated}"), 404, "video_not_found")
        self.assert_error(self.sim.call("DELETE", f"/v3/videos/{generated}"), 404, "video_not_found")
        self.assert_error(self.sim.call("GET", f"/v3/models/videos/{spoken}"), 404, "video_not_found")
        listed = self.sim.call("GET", "/v3/videos").json()["data"]
        self.assertEqual([video["id"] for video in listed], [spoken])

    def test_a_key_belongs_to_its_route(self):
        spoken = self.sim.create(Idempotency_Key="k")
        first = self.submit(self.asked(), Idempotency_Key="k")
        self.assertNotEqual(first.json()["data"]["video_id"], spoken)
        self.assertEqual(self.submit(self.asked(prompt="Other."), Idempotency_Key="k").body, first.body)
        self.assertEqual([row["type"] for row in self.sim.charges()], ["avatar", "heygen-video-1"])


class Lives(Case):
    def test_a_video_is_pending_then_processing_then_completed(self):
        sim = Simulator("--render-time-ms", "1000000")
        try:
            # It is pending for a second at most: on a busy machine the first look may come too late.
            for _ in range(50):
                identity = sim.create()
                if sim.video(identity)["status"] == "pending":
                    break
            for status in ("pending", "processing"):
                video = sim.video(identity)
                self.assertEqual(video["status"], status)
                self.assertIsNone(video["video_url"])
                self.assertIsNone(video["completed_at"])
                sim.control("POST", "clock", {"advance_ms": 500000})
            self.assertEqual(sim.finished(identity)["status"], "completed")
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def test_a_completed_video_has_the_members_of_the_sample(self):
        recorded = sample("v3_video_get_completed_docs.json")["data"]
        video = self.sim.finished(self.sim.create(order(title="My Video")))
        self.assertEqual(set(video), set(recorded))
        self.assertEqual((video["status"], video["title"]), ("completed", "My Video"))
        self.assertGreaterEqual(video["completed_at"], video["created_at"])
        self.assertLess(abs(video["created_at"] - time.time()), 60)
        self.assertIsInstance(video["duration"], float)
        for name in ("failure_code", "failure_message", "folder_id", "output_language"):
            self.assertIsNone(video[name])

    def test_a_failed_video_has_the_members_of_the_sample(self):
        recorded = sample("v3_video_get_failed_docs.json")["data"]
        identity = self.sim.create()
        self.sim.control("POST", f"videos/{identity}", {"status": "failed", "failure_code": "script_too_long",
                                                        "failure_message": "Script too long"})
        video = self.sim.video(identity)
        self.assertEqual(set(video), set(recorded))
        self.assertEqual(video["failure_code"], "script_too_long")
        self.assertIsNone(video["video_url"])

    def test_an_unknown_video_is_the_recorded_404(self):
        reply = self.sim.call("GET", "/v3/videos/v_unknown")
        self.assert_error(reply, 404, "video_not_found")
        self.assertEqual(reply.json(), sample("v3_video_get_404_error_docs.json"))

    def test_a_deleted_video_is_gone_the_second_time(self):
        identity = self.sim.create()
        reply = self.sim.call("DELETE", f"/v3/videos/{identity}")
        self.assertEqual((reply.status, reply.json()), (200, {"data": {"id": identity, "deleted": True}}))
        self.assert_error(self.sim.call("DELETE", f"/v3/videos/{identity}"), 404, "video_not_found")
        self.assert_error(self.sim.call("GET", f"/v3/videos/{identity}"), 404, "video_not_found")
        self.assertEqual(len(self.sim.charges()), 1)

    def test_a_video_can_be_forced_to_fail_moderation(self):
        identity = self.sim.create()
        self.sim.control("POST", f"videos/{identity}", {"moderated": True})
        video = self.sim.video(identity)
        self.assertEqual((video["status"], video["failure_code"]), ("failed", "content_policy_violation"))


class Lists(Case):
    options = ("--render-time-ms", "0", "--concurrency", "100")

    def page(self, query=""):
        return self.sim.call("GET", "/v3/videos" + query).json()

    def test_pages_run_from_the_newest_to_the_oldest(self):
        made = [self.sim.create(order(title=f"t{i}")) for i in range(25)]
        page = self.page()
        self.assertEqual([video["id"] for video in page["data"]], made[:14:-1])
        self.assertTrue(page["has_more"])
        late = self.sim.create()
        seen = [video["id"] for video in page["data"]]
        while page["has_more"]:
            page = self.page("?limit=4&token=" + urllib.parse.quote(page["next_token"]))
            seen += [video["id"] for video in page["data"]]
        self.assertEqual(seen, made[::-1])
        self.assertNotIn(late, seen)
        self.assertIsNone(page["next_token"])

    def test_an_empty_list_has_the_shape_of_the_sample(self):
        recorded = sample("v3_videos_list_one_page.json")
        self.assertEqual(self.page(), dict(recorded, data=[]))

    def test_titles_are_filtered_by_part(self):
        self.sim.create(order(title="Spring sale"))
        wanted = self.sim.create(order(title="Winter sale"))
        self.sim.create()
        self.assertEqual([video["id"] for video in self.page("?title=Winter")["data"]], [wanted])
        self.assertEqual(len(self.page("?title=sale")["data"]), 2)
        self.assertEqual(self.page("?folder_id=f1")["data"], [])

    def test_a_limit_outside_1_to_100_is_refused(self):
        for limit in ("0", "101", "-1", "x", ""):
            self.assert_error(self.sim.call("GET", f"/v3/videos?limit={limit}"), 400, "invalid_parameter", "limit")
        self.assertEqual(self.sim.call("GET", "/v3/videos?limit=100").status, 200)
        self.assert_error(self.sim.call("GET", "/v3/videos?token=x"), 400, "invalid_parameter", "token")


class Idempotency(Case):
    def test_the_first_reply_is_replayed_even_for_another_body(self):
        first = self.sim.submit(order("first"), Idempotency_Key="job-1")
        second = self.sim.submit(order("second, and longer"), Idempotency_Key="job-1")
        third = self.sim.submit(b"not even JSON", Idempotency_Key="job-1")
        self.assertEqual((second.status, third.status), (200, 200))
        self.assertEqual(first.body, second.body)
        self.assertEqual(first.body, third.body)
        self.assertNotEqual(first.headers["X-Request-Id"], second.headers["X-Request-Id"])
        self.assertEqual([row["idempotency_key"] for row in self.sim.charges()], ["job-1"])

    def test_other_keys_and_no_key_make_other_videos(self):
        made = {self.sim.create(), self.sim.create(), self.sim.create(Idempotency_Key="a"),
                self.sim.create(Idempotency_Key="b")}
        self.assertEqual(len(made), 4)
        self.assertEqual([row["idempotency_key"] for row in self.sim.charges()], [None, None, "a", "b"])

    def test_a_key_outside_the_pattern_is_refused(self):
        for key in ("with space", "umlaut-\xe4", "x" * 256, "slash/", ""):
            self.assert_error(self.sim.submit(Idempotency_Key=key), 400, "invalid_parameter", "Idempotency-Key")
        self.assertEqual(self.sim.charges(), [])
        self.sim.create(Idempotency_Key="aZ09_-:." + "x" * 247)

    def test_a_key_is_forgotten_after_24_hours(self):
        first = self.sim.create(Idempotency_Key="k")
        self.sim.control("POST", "clock", {"advance_ms": 24 * 3600 * 1000 - 60000})
        self.assertEqual(self.sim.create(Idempotency_Key="k"), first)
        self.sim.control("POST", "clock", {"advance_ms": 60000})
        self.assertNotEqual(self.sim.create(Idempotency_Key="k"), first)
        self.assertEqual(len(self.sim.charges()), 2)

    def test_a_refused_call_leaves_its_key_free(self):
        self.assertEqual(self.sim.submit(order("")).status, 400)
        self.assertEqual(self.sim.submit(order(""), Idempotency_Key="k").status, 400)
        self.sim.create(Idempotency_Key="k")

    def test_the_reply_survives_the_videos_deletion(self):
        identity = self.sim.create(Idempotency_Key="k")
        self.sim.call("DELETE", f"/v3/videos/{identity}")
        self.assertEqual(self.sim.create(Idempotency_Key="k"), identity)

    def test_a_running_call_is_409_until_it_is_answered(self):
        sim = Simulator("--submit-delay-ms", "1500", "--render-time-ms", "0")
        try:
            first = []
            thread = threading.Thread(target=lambda: first.append(sim.submit(Idempotency_Key="k")))
            thread.start()
            end = time.monotonic() + 10
            while not sim.charges() and time.monotonic() < end:
                time.sleep(0.01)
            early = sim.submit(Idempotency_Key="k")
            thread.join()
            late = sim.submit(Idempotency_Key="k")
            self.assert_error(early, 409, "request_in_progress")
            self.assertEqual(first[0].status, 200)
            self.assertEqual(late.body, first[0].body)
            self.assertEqual(len(sim.charges()), 1)
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def test_a_call_whose_client_left_is_still_carried_out(self):
        sim = Simulator("--submit-delay-ms", "1500", "--render-time-ms", "0")
        try:
            with self.assertRaises(TimeoutError):
                sim.submit(Idempotency_Key="k", timeout=0.2)
            self.assertEqual(sim.submit(Idempotency_Key="k").status, 409)
            self.assertEqual(sim.answered("k").status, 200)
            self.assertEqual(len(sim.charges()), 1)
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()


class BurnedWords(Case):
    options = ("--render-time-ms", "0", "--burn-words", "2")

    def test_texts_that_differ_behind_them_share_a_file_and_are_told_apart_in_the_charges(self):
        videos = [self.sim.create(order(text)) for text in ("one two three", "one two four", "one three two")]
        files = [fetch(self.sim.finished(video)["video_url"]).body for video in videos]
        self.assertEqual(files[0], files[1])
        self.assertNotEqual(files[0], files[2])
        self.assertEqual([row["text"] for row in self.sim.charges()], ["one two three", "one two four", "one three two"])


class Limits(Case):
    options = ("--render-time-ms", "5000", "--concurrency", "2", "--credit", "0.25")

    def test_more_than_the_plan_allows_is_429_with_retry_after(self):
        for _ in range(2):
            self.sim.create(order("x"))
        reply = self.sim.submit(order("x"))
        self.assert_error(reply, 429, "rate_limit_exceeded")
        self.assertEqual(reply.json(), sample("v3_error_429_rate_limit.json"))
        self.assertIn(int(reply.headers["Retry-After"]), range(1, 6))
        self.assertEqual(len(self.sim.charges()), 2)

    def test_the_place_is_free_again_when_a_video_is_done(self):
        first = self.sim.create(order("x"))
        self.sim.create(order("x"))
        self.sim.control("POST", f"videos/{first}", {"status": "failed"})
        self.sim.create(order("x"))

    def test_an_empty_wallet_is_402_until_it_is_filled(self):
        identity = self.sim.create(order("one two three four five six seven eight nine ten"))
        self.sim.control("POST", f"videos/{identity}", {"status": "failed"})
        reply = self.sim.submit(order("three seconds of speech, not more than that"))
        self.assert_error(reply, 402, "insufficient_credit")
        self.sim.create(order("x"))
        self.assertEqual(sum(row["cost_micros"] for row in self.sim.charges()), 250000)
        self.sim.reset()
        self.sim.control("POST", "credit", {"left_micros": 0})
        self.assert_error(self.sim.submit(order("x")), 402, "insufficient_credit")
        self.sim.control("POST", "credit", {"left_micros": 50000})
        self.sim.create(order("x"))


class Control(Case):
    def test_the_clock_and_the_wallet_have_limits(self):
        for path, member, most, shown in (("clock", "advance_ms", 3155760000000, "clock_ahead_ms"),
                                          ("credit", "left_micros", 10 ** 15, "credit_left_micros")):
            for value in (2 ** 63 - 1, most + 1, -1):
                reply = exchange(self.sim.api, "POST", "/_sim/" + path, {member: value})
                self.assertEqual(reply.status, 400, (path, value))
            self.assertEqual(self.sim.control("POST", path, {member: most})[shown], most)
        self.assertEqual(exchange(self.sim.api, "POST", "/_sim/clock", {"advance_ms": 1}).status, 400)
        self.assertEqual(self.sim.control("POST", "reset")["clock_ahead_ms"], 0)


class Charges(unittest.TestCase):
    def test_a_charge_is_on_disk_before_its_reply_and_survives_kill_9(self):
        with tempfile.TemporaryDirectory() as data:
            sim = Simulator("--render-time-ms", "0", data=data)
            made = [sim.create(Idempotency_Key=f"k{i}") for i in range(3)]
            with open(os.path.join(data, "charges.jsonl"), encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
            self.assertEqual([row["video_id"] for row in rows], made)
            sim.stop(signal.SIGKILL)
            sim = Simulator("--render-time-ms", "0", data=data)
            self.assertEqual(sim.charges(), rows)
            sim.create()
            self.assertEqual([row["n"] for row in sim.charges()], [1, 2, 3, 4])
            lines = exchange(sim.api, "GET", "/_sim/charges?format=jsonl").body.decode().splitlines()
            self.assertEqual([json.loads(line) for line in lines], sim.charges())
            self.assertEqual(sim.stop(), 0)

    def test_a_row_tells_what_was_ordered(self):
        sim = Simulator("--render-time-ms", "0")
        try:
            identity = sim.create(order("one two three four five six"), Idempotency_Key="k")
            row = sim.charges()[0]
            body = json.dumps(order("one two three four five six")).encode()
            digest = subprocess.run(["sha256sum"], input=body, stdout=subprocess.PIPE, check=True).stdout
            self.assertEqual(row["body_sha256"], digest.split()[0].decode())
            self.assertEqual((row["n"], row["provider"], row["video_id"], row["idempotency_key"], row["type"],
                              row["seconds"], row["cost_micros"]),
                             (1, "heygen", identity, "k", "avatar", 3, 150000))
            self.assertRegex(row["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def test_a_torn_last_line_is_cut_off_and_a_strange_line_is_refused(self):
        with tempfile.TemporaryDirectory() as data:
            sim = Simulator("--render-time-ms", "0", data=data)
            sim.create()
            sim.stop()
            path = os.path.join(data, "charges.jsonl")
            with open(path, "a", encoding="utf-8") as file:
                file.write('{"n":2,"video_id":"v_to')
            sim = Simulator("--render-time-ms", "0", data=data)
            sim.create()
            self.assertEqual([row["n"] for row in sim.charges()], [1, 2])
            sim.stop()
            with open(path, "a", encoding="utf-8") as file:
                file.write("rubbish\n")
            failed = subprocess.run([PROGRAM, "--listen", "127.0.0.1:0", "--data", data], capture_output=True,
                                    timeout=30, check=False)
            self.assertEqual((failed.returncode, failed.stdout), (1, b""))
            self.assertIn(b"line 3 is not a charge", failed.stderr)

    def test_a_reset_begins_the_count_again_also_after_a_restart(self):
        with tempfile.TemporaryDirectory() as data:
            sim = Simulator("--render-time-ms", "0", data=data)
            sim.create()
            sim.reset()
            self.assertEqual(sim.charges(), [])
            sim.create()
            sim.stop()
            sim = Simulator("--render-time-ms", "0", data=data)
            self.assertEqual([row["n"] for row in sim.charges()], [1])
            self.assertEqual(sim.control("GET", "state")["credit_left_micros"], 999900000)
            sim.stop()


class Process(unittest.TestCase):
    def run_to_end(self, *arguments, environment=None):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=30, check=False, env=environment)

    def test_without_ffmpeg_it_refuses_and_says_what_to_install(self):
        with tempfile.TemporaryDirectory() as data:
            for program in ("/nonexistent/ffmpeg", "no-such-ffmpeg"):
                failed = self.run_to_end("--data", data, "--listen", "127.0.0.1:0", "--ffmpeg", program)
                self.assertEqual((failed.returncode, failed.stdout), (1, b""))
                self.assertIn(b"install ffmpeg", failed.stderr)

    def test_an_ffmpeg_that_cannot_render_is_refused(self):
        with tempfile.TemporaryDirectory() as data:
            failed = self.run_to_end("--data", data, "--listen", "127.0.0.1:0", "--ffmpeg", "/bin/false")
            self.assertEqual(failed.returncode, 1)
            self.assertIn(b"cannot render", failed.stderr)

    def test_wrong_options_are_named(self):
        for arguments, word in ((("--concurrency", "0"), b"--concurrency"), (("--render-time-ms", "9:3"), b"9:3"),
                                (("--nonsense",), b"--nonsense"), (("--credit", "-1"), b"--credit"),
                                (("stray",), b"stray"), (("--seed",), b"--seed")):
            failed = self.run_to_end(*arguments)
            self.assertEqual(failed.returncode, 2, arguments)
            self.assertIn(word, failed.stderr)

    def test_help_names_every_option_and_its_default(self):
        text = self.run_to_end("--help").stdout.decode()
        self.assertIn("--render-time-ms MIN[:MAX]", text)
        self.assertIn("(default: 3000:8000)", text)

    def test_a_taken_port_and_a_taken_folder_are_refused(self):
        sim = Simulator()
        try:
            port = urllib.parse.urlsplit(sim.api).port
            with tempfile.TemporaryDirectory() as data:
                failed = self.run_to_end("--data", data, "--listen", f"127.0.0.1:{port}")
                self.assertIn(b"cannot listen", failed.stderr)
            failed = self.run_to_end("--data", sim.data, "--listen", "127.0.0.1:0")
            self.assertIn(b"another filmgate-sim", failed.stderr)
        finally:
            sim.stop()
            sim.remove()

    def test_it_ends_at_once_on_both_signals_and_takes_its_children_along(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with tempfile.TemporaryDirectory() as cache:
                sim = Simulator("--cache", cache, "--ffmpeg", slow_ffmpeg(cache), "--submit-delay-ms", "60000")
                thread = threading.Thread(target=self.submit_and_lose, args=(sim,))
                thread.start()
                end = time.monotonic() + 10
                while sim.control("GET", "state")["renders"]["running"] == 0 and time.monotonic() < end:
                    time.sleep(0.005)
                children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(sim.process.pid)],
                                          stdout=subprocess.PIPE, check=False).stdout.split()
                began = time.monotonic()
                self.assertEqual(sim.stop(number), 0, sim.log())
                self.assertLess(time.monotonic() - began, 5)
                self.assertEqual(len(children), 1)
                self.assertFalse(os.path.exists(f"/proc/{int(children[0])}"))
                self.assertEqual([name for name in os.listdir(cache) if name.startswith("work-")], [])
                thread.join()
                sim.remove()

    def submit_and_lose(self, sim):
        with self.assertRaises((OSError, http.client.HTTPException)):
            sim.submit()

    def test_requests_that_two_readers_could_understand_differently_are_refused(self):
        sim = Simulator()
        try:
            for extra in ("Content-Length: 2\r\nContent-Length: 2\r\n", "Host: other\r\n",
                          "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"):
                request = f"POST /v3/videos HTTP/1.1\r\nHost: sim\r\n{extra}\r\n{{}}".encode()
                received, end = raw(sim.api, request)
                self.assertRegex(received, rb"^HTTP/1\.1 400 ", extra)
                self.assertRegex(received.lower(), rb"connection: close")
                self.assertIn(end, ("fin", "rst"))
            self.assertEqual(sim.control("GET", "requests")["total"], 0)
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def test_a_hundred_headers_are_too_many(self):
        sim = Simulator()
        try:
            names = {f"x-{i}": "v" for i in range(96)}
            self.assertEqual(exchange(sim.api, "GET", "/v3/users/me", headers=names).status, 401)
            names.update({f"y-{i}": "v" for i in range(4)})
            self.assertEqual(exchange(sim.api, "GET", "/v3/users/me", headers=names).status, 400)
            self.assertEqual(exchange(sim.api, "GET", "/v3/videos?" + "&".join(f"a{i}=1" for i in range(100))).status,
                             400)
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def test_idle_it_does_nothing(self):
        sim = Simulator()
        try:
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(sim.api).netloc, timeout=30)
            exchange_on(connection, "GET", "/v3/users/me")
            sim.fault({"type": "drop_reply_before_charge"})
            hanging = http.client.HTTPConnection(urllib.parse.urlsplit(sim.api).netloc, timeout=30)
            hanging.request("GET", "/v3/users/me")
            time.sleep(0.2)
            before = self.ticks(sim)
            time.sleep(1)
            self.assertLessEqual(self.ticks(sim) - before, 3)
            connection.close()
            hanging.close()
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def ticks(self, sim):
        with open(f"/proc/{sim.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def test_a_body_above_the_limit_is_413_however_it_is_announced(self):
        sim = Simulator("--max-body-bytes", "2000")
        try:
            reply = sim.call("POST", "/v3/videos", b"x" * 2001)
            self.assertEqual((reply.status, reply.json()["error"]["code"]), (413, "payload_too_large"))
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(sim.api).netloc, timeout=30)
            connection.request("POST", "/v3/videos", body=iter([b"x" * 1000] * 3), encode_chunked=True,
                               headers={"Transfer-Encoding": "chunked"})
            self.assertEqual(connection.getresponse().status, 413)
            connection.close()
            self.assertEqual(sim.call("POST", "/v3/videos", b"x" * 2000).status, 400)
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()

    def test_requests_are_listed_with_their_connection_and_never_with_a_value(self):
        sim = Simulator()
        try:
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(sim.api).netloc, timeout=30)
            for path in ("/v3/users/me", "/v3/videos?title=secret"):
                exchange_on(connection, "GET", path, headers={"X-Api-Key": "top-secret"})
            connection.close()
            sim.call("GET", "/v3/users/me", key=None)
            report = sim.control("GET", "requests")
            rows = report["requests"]
            self.assertEqual([row["request_on_connection"] for row in rows], [1, 2, 1])
            self.assertEqual(rows[0]["connection"], rows[1]["connection"])
            self.assertNotEqual(rows[1]["connection"], rows[2]["connection"])
            self.assertEqual([row["api_key"] for row in rows], [True, True, False])
            self.assertEqual([row["status"] for row in rows], [401, 401, 401])
            self.assertIn("X-Api-Key", rows[0]["headers"])
            self.assertNotRegex(json.dumps(report), re.compile("secret"))
            self.assertEqual([row["n"] for row in sim.control("GET", "requests?after=2")["requests"]], [3])
        finally:
            self.assertEqual(sim.stop(), 0)
            sim.remove()


if __name__ == "__main__":
    main()
