"""providers, providers get, providers check, catalog: the operator's accounts and what they can do, for people and programs."""

import json
import re
import time
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

    def test_previous_keys_are_counted(self):
        self.heygen.previous_key_count = 2
        self.assertIn("heygen has 2 previous keys for jobs that were ordered with them", self.expect(0, "providers").err)
        self.assertIn("2 previous keys: what was ordered with one stays with it",
                      self.expect(0, "providers", "get", "heygen").out)

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


class Catalog(Case):
    def setUp(self):
        super().setUp()
        self.provider = message("Provider", name="providers/heygen", catalog_kinds=["voices", "looks"])
        self.provider.capabilities.update({"catalogue": {"voices": {"title": "Voices, for voice_id"},
                                                         "looks": {"title": "Looks\033[2J"}}})
        self.fake.on["GetProvider"] = lambda request: message("GetProviderResponse", provider=self.provider)
        self.fake.on["ListCatalogEntries"] = self.list
        self.problem, self.count = "", 3

    def list(self, request):
        start = int(request.page_token or 0)
        end = min(start + request.page_size, self.count)
        reply = message("ListCatalogEntriesResponse", total_count=self.count, problem=self.problem,
                        next_page_token=str(end) if end < self.count else "")
        for i in range(start, end):
            reply.entries.add(kind="voices", id=f"v{i}", display_name="Sara\033[2J", language="English", gender="female",
                              tags=["calm", "public"]).extra.update({"speed": i})
        reply.fetch_time.FromSeconds(int(time.time()) - 7200)
        return reply

    def test_without_a_kind_it_says_which_there_are(self):
        self.expect(0, "catalog", "heygen", out=["voices  Voices, for voice_id", "looks  Looks?[2J"])
        self.assertEqual(self.expect(0, "catalog", "heygen", "-o", "name").out.split(), ["voices", "looks"])
        document = json.loads(self.expect(0, "catalog", "heygen", "-o", "json").out)
        self.assertEqual(document["catalog_kinds"], ["voices", "looks"])
        del self.provider.catalog_kinds[:]
        self.expect(0, "catalog", "heygen", says="lists nothing")
        self.assertEqual(self.fake.requests("ListCatalogEntries"), [])

    def test_the_capability_document_names_the_kinds(self):
        self.expect(0, "providers", "get", "heygen", out="'filmgate catalog heygen looks' lists its looks")

    def test_a_table_for_people(self):
        done = self.expect(0, "catalog", "heygen", "voices", out=["ID", "v0", "Sara?[2J", "English", "female", "calm, public"])
        self.assertEqual(len(done.out.splitlines()), 4)
        self.assertNotIn("\033", done.out)
        request = self.fake.requests("ListCatalogEntries")[0]
        self.assertEqual((request.name, request.kind, request.page_size), ("providers/heygen", "voices", 50))
        self.assertFalse(request.HasField("max_age"))

    def test_documents_for_programs(self):
        entries = json.loads(self.expect(0, "catalog", "heygen", "voices", "-o", "json").out)
        self.assertEqual([e["id"] for e in entries], ["v0", "v1", "v2"])
        self.assertEqual((entries[1]["extra"]["speed"], entries[1]["tags"]), (1, ["calm", "public"]))
        lines = self.expect(0, "catalog", "heygen", "voices", "-o", "jsonl").out.splitlines()
        self.assertEqual(json.loads(lines[2])["id"], "v2")
        self.assertEqual(self.expect(0, "catalog", "heygen", "voices", "-o", "name").out.split(), ["v0", "v1", "v2"])
        self.count = 0
        self.assertEqual(json.loads(self.expect(0, "catalog", "heygen", "voices", "-o", "json").out), [])
        self.expect(0, "catalog", "heygen", "voices", says="nothing matches")

    def test_what_is_asked_for_reaches_the_daemon(self):
        self.expect(0, "catalog", "heygen", "voices", "--language", "en", "--query", "sa ra", "--max-age", "0s", "--limit", "2",
                    says="2 of 3; --limit N shows as many")
        request = self.fake.requests("ListCatalogEntries")[0]
        self.assertEqual((request.language, request.query, request.page_size), ("en", "sa ra", 2))
        self.assertTrue(request.HasField("max_age"))
        self.assertEqual(request.max_age.ToMilliseconds(), 0)

    def test_pages_are_one_list_that_is_fetched_once(self):
        self.count = 2500
        done = self.expect(0, "catalog", "heygen", "voices", "--limit", "0", "--max-age", "0s", "-o", "name")
        self.assertEqual(done.out.split(), [f"v{i}" for i in range(2500)])
        self.assertEqual([r.HasField("max_age") for r in self.fake.requests("ListCatalogEntries")], [True, False, False])

    def test_an_old_list_says_its_age_and_why(self):
        self.problem = "the provider could not be reached"
        done = self.expect(0, "catalog", "heygen", "voices", says="this list is 2 h 00 min old: the provider could not be reached")
        self.assertEqual(len(done.err.splitlines()), 1)

    def test_mistakes(self):
        self.expect(2, "catalog", says="PROVIDER")
        self.expect(2, "catalog", "a/b", "voices", says="is not a provider")
        self.expect(2, "catalog", "heygen", "voices", "--limit", "-1", says="--limit")
        self.fake.on["ListCatalogEntries"] = self.fail_to_find
        self.expect(3, "catalog", "nobody", "voices", says=["PROVIDER_NOT_FOUND", "filmgate providers"])

    @staticmethod
    def fail_to_find(request):
        raise Refusal(grpc.StatusCode.NOT_FOUND, "PROVIDER_NOT_FOUND", f"there is no {request.name}")


if __name__ == "__main__":
    unittest.main()
