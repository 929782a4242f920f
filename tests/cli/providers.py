"""providers, providers get, providers check: the operator's accounts and what they can do, for people and programs."""

import json
import re
import unittest

import grpc
from fake import Case, Refusal, message, number

CAPABILITIES = {
    "name": "heygen", "idempotency": {"window_s": 86400, "scope": "route"},
    "models": [
        {"name": "avatar", "title": "Avatar speaks", "lifecycle": {"stage": "deprecated", "retires_on": "2027-05-04"},
         "parameters": {
             "avatar_id": {"required": True, "min_length": 1, "max_length": 255, "help": "A look id."},
             "duration_ms": {"min": 4000, "max": 15000, "step": 1000, "default": 5000, "affects_price": True},
             "resolution": {"values": ["720p", "1080p"], "default": "1080p"},
             "background.media": {"kinds": ["image"], "forms": ["url"], "max_bytes": 52428800}},
         "media": [{"role": "source", "kind": "image", "min": 1, "max": 1, "media_types": ["image/png"]},
                   {"role": "reference", "kind": "video", "max": 3}],
         "rules": [{"when": {}, "then": {}, "message": "a video needs something to say"}],
         "extras": {"type": "object", "required": ["engine"], "properties": {
             "engine": {"type": "object", "description": "The motor.", "properties": {
                 "type": {"type": "string", "enum": ["avatar_iv", "avatar_v"]},
                 "speed": {"type": "number", "minimum": 0.5, "maximum": 1.5}}}}},
         "prices": [{"when": {"resolution": ["720p", "1080p"], "audio": "on", "media.first_frame": {"present": False}},
                     "per_second_micros": 66700, "currency": "USD", "as_of": "2026-11-22"},
                    {"per_video_micros": 7000000, "currency": "credits", "as_of": "2026-07-22", "until": "2026-12-31"}]},
        {"name": "image", "parameters": {"voice_id": {}}}]}


class Providers(Case):
    def setUp(self):
        super().setUp()
        self.heygen = message("Provider", name="providers/heygen", plugin="heygen", plugin_version="0.1.0",
                              base_url="https://api.heygen.com", models=["avatar", "image"], concurrency=10,
                              running_count=3, queued_count=12)
        self.broken = message("Provider", name="providers/veo", plugin="veo", problem="plugin missing\033[2J")
        self.fake.on["ListProviders"] = lambda request: message("ListProvidersResponse",
                                                                providers=[self.heygen, self.broken])
        self.fake.on["GetProvider"] = self.get

    def get(self, request):
        if request.name != self.heygen.name:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "PROVIDER_NOT_FOUND", f"there is no {request.name}")
        provider = message("Provider")
        provider.CopyFrom(self.heygen)
        provider.capabilities.update(CAPABILITIES)
        return message("GetProviderResponse", provider=provider)

    def test_the_list_shows_what_is_wrong(self):
        done = self.expect(0, "providers", out=["heygen", "avatar, image", "3 of 10", "12", "plugin missing?[2J"])
        self.assertEqual(self.expect(0, "providers", "list").out, done.out)

    def test_the_list_for_programs(self):
        self.assertEqual(self.expect(0, "providers", "-o", "name").out.split(), ["providers/heygen", "providers/veo"])
        self.assertEqual([p["plugin"] for p in json.loads(self.expect(0, "providers", "-o", "json").out)], ["heygen", "veo"])
        lines = self.expect(0, "providers", "list", "-o", "jsonl").out.splitlines()
        self.assertEqual(json.loads(lines[0])["models"], ["avatar", "image"])
        self.fake.on["ListProviders"] = lambda request: message("ListProvidersResponse")
        self.assertEqual(json.loads(self.expect(0, "providers", "-o", "json").out), [])
        self.expect(0, "providers", says="no providers")

    def test_the_capability_document_is_help_for_a_person(self):
        done = self.expect(0, "providers", "get", "heygen", out=[
            "plugin heygen 0.1.0, https://api.heygen.com", "3 of 10 under way, 12 queued", "recognised for 1 d 0 h",
            "model avatar: Avatar speaks", "deprecated and goes on 2027-05-04", "model image",
            "resolution 720p|1080p", "audio on", "media.first_frame unset", ": 0.0667 USD a",
            "7 credits a video as of 2026-07-22, until 2026-12-31", "rule: a video needs something to say"])
        text = re.sub(r"\n {26}", " ", done.out)  # broken lines made whole again
        rows = {line.split()[0]: line.split(None, 1)[1].strip() for line in text.splitlines() if " " in line.strip()}
        self.assertEqual(rows["avatar_id"], "required; 1 to 255 characters. A look id.")
        self.assertEqual(rows["duration_ms"], "4000 to 15000; in steps of 1000; default 5000; affects the price")
        self.assertEqual(rows["resolution"], '720p | 1080p; default "1080p"')
        self.assertEqual(rows["background.media"], "image; url; at most 52.4 MB")
        self.assertEqual(rows["--image"].split(None, 1)[1], "required; image/png")
        self.assertEqual(rows["--video"].split(None, 1)[1], "up to 3 of them")
        self.assertEqual(rows["extras.engine"], "required; object. The motor.")
        self.assertEqual(rows["extras.engine.type"], "avatar_iv | avatar_v")
        self.assertEqual(rows["extras.engine.speed"], "number; 0.5 to 1.5")
        self.assertLessEqual(max(len(line) for line in done.out.splitlines()), 100)

    def test_one_model_is_chosen(self):
        done = self.expect(0, "providers", "get", "heygen", "-m", "image", out="voice_id")
        self.assertNotIn("model avatar", done.out)
        self.expect(3, "providers", "get", "heygen", "-m", "imgae", says="no model 'imgae'")
        self.expect(3, "providers", "get", "nobody", says=["PROVIDER_NOT_FOUND", "filmgate providers"])

    def test_the_document_for_programs_is_as_it_came(self):
        document = json.loads(self.expect(0, "providers", "get", "providers/heygen", "-o", "json").out)
        self.assertEqual(document["capabilities"], CAPABILITIES)

    def test_a_provider_without_its_plugin_has_no_document(self):
        self.fake.on["GetProvider"] = lambda request: message("GetProviderResponse", provider=self.broken)
        self.expect(0, "providers", "get", "veo", out=["plugin veo is not loaded", "problem: plugin missing?[2J"])

    def test_odd_documents_break_nothing(self):
        for odd in ({}, {"models": 7}, {"models": [7, {}, {"name": 5, "parameters": [1]}]},
                    {"models": [{"name": "m", "parameters": {"a": None, "b": {"values": {}, "max": [], "help": 3}},
                                 "media": [1], "rules": [None], "extras": [], "prices": [7, {"per_video_micros": "x"}, {"per_second_micros": 1, "when": [1]}]}]}):
            provider = message("Provider", name="providers/odd")
            provider.capabilities.update(odd)
            self.fake.on["GetProvider"] = lambda request, p=provider: message("GetProviderResponse", provider=p)
            self.expect(0, "providers", "get", "odd", out="providers/odd")

    def test_a_check_shows_the_finding_and_the_account(self):
        reply = message("CheckProviderResponse", outcome=number("CheckOutcome", "OK"), message="the key is accepted")
        reply.facts.add(label="balance", value="41.20 USD")
        self.fake.on["CheckProvider"] = lambda request: reply
        self.expect(0, "providers", "check", "heygen", out=["heygen", "ok", "the key is accepted", "balance: 41.20 USD"])
        self.assertEqual(self.fake.requests("CheckProvider")[0].name, "providers/heygen")
        self.assertEqual(json.loads(self.expect(0, "providers", "check", "heygen", "-o", "json").out)["outcome"], "ok")

    def test_a_check_that_proves_nothing_is_a_failure(self):
        for word in ("FAILED", "UNSUPPORTED", "REFUSED", "UNREACHABLE"):
            reply = message("CheckProviderResponse", outcome=number("CheckOutcome", word), message="401: bad key\033[2J")
            self.fake.on["CheckProvider"] = lambda request, reply=reply: reply
            done = self.expect(1, "providers", "check", "heygen", out=[word.lower(), "401: bad key?[2J"])
            self.assertNotIn("\033", done.out)


if __name__ == "__main__":
    unittest.main()
