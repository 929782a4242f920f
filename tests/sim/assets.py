#!/usr/bin/env python3
"""sim.assets: the simulator takes users' own inputs as HeyGen and Veo do, and sees when a client does it wrong."""

import base64
import hashlib

from simulator import Case, exchange, fetch, main

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 500
GEMINI = "/v1beta/models/veo-3.1-generate-001:predictLongRunning"


def parts(*files, boundary="b0undary"):
    """files: (name, filename, content)."""
    body = b""
    for name, filename, content in files:
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        body += f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


class Uploads(Case):
    def upload(self, *files, **headers):
        return self.sim.call("POST", "/v3/assets", parts(*files),
                             Content_Type="multipart/form-data; boundary=b0undary", **headers)

    def test_a_file_becomes_an_asset(self):
        for content, kind in ((PNG, "image/png"), (b"\xff\xd8\xff\xe0" + b"x" * 99, "image/jpeg"), (MP4, "video/mp4"),
                              (b"ID3" + b"\0" * 99, "audio/mpeg"), (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav")):
            data = self.upload(("note", None, b"--b0und"), ("file", "a", content)).json()["data"]
            self.assertEqual((data["mime_type"], data["size_bytes"], data["status"]), (kind, len(content), "ready"))
            self.assertEqual(self.sim.call("GET", f"/v3/assets/{data['asset_id']}").json()["data"], data)

    def test_what_is_no_upload_is_refused(self):
        self.assert_error(self.sim.call("POST", "/v3/assets", PNG), 400, "invalid_parameter")
        self.assert_error(self.upload(("file", None, PNG)), 400, "invalid_parameter", "file")
        self.assert_error(self.upload(("image", "a", PNG)), 400, "invalid_parameter", "file")
        self.assert_error(self.upload(("file", "a", b"hello")), 400, "invalid_parameter", "file")
        self.assert_error(self.upload(("file", "a", PNG + b"\0" * (32 << 20))), 413, "payload_too_large", "file")
        self.assert_error(self.upload(("file", "a", PNG), key=None), 401, "unauthorized")

    def test_an_order_may_name_what_is_there(self):
        identity = self.upload(("file", "a", PNG)).json()["data"]["asset_id"]
        picture = {"type": "image", "voice_id": "v", "script": "hi", "image": {"type": "asset_id", "asset_id": identity}}
        self.sim.create(picture)
        self.sim.create({"type": "avatar", "avatar_id": "a", "audio_asset_id": identity})
        self.assertTrue(self.sim.call("DELETE", f"/v3/assets/{identity}").json()["data"]["deleted"])
        self.assert_error(self.sim.submit(picture), 404, "asset_not_found")
        self.assert_error(self.sim.submit({"type": "avatar", "avatar_id": "a", "audio_asset_id": identity}), 404,
                          "asset_not_found")
        self.assert_error(self.sim.call("DELETE", f"/v3/assets/{identity}"), 404, "asset_not_found")
        self.assertEqual(len(self.sim.charges()), 2)
        self.sim.create(dict(picture, image={"type": "asset_id", "asset_id": "of-somebody-else"}))


class Places(Case):
    def place(self, content=PNG, **more):
        reply = self.sim.call("POST", "/v3/assets/direct-uploads",
                              dict({"filename": "a.png", "content_type": "image/png", "size_bytes": len(content)}, **more))
        return reply.json()["data"]

    def complete(self, place):
        return self.sim.call("POST", f"/v3/assets/{place['asset_id']}/complete", {})

    def put(self, place, content=PNG, url=None, **more):
        headers = {name: value for name, value in dict(place["upload_headers"], **more).items() if value is not None}
        address, _, query = (url or place["upload_url"]).partition("/files/")
        return exchange(address, "PUT", "/files/" + query, content, headers)

    def test_a_place_is_filled_and_completed(self):
        place = self.place(checksum_sha256=hashlib.sha256(PNG).hexdigest())
        self.assertTrue(place["upload_url"].startswith(self.sim.files))
        self.assertEqual((place["status"], place["max_bytes"]), ("pending_upload", len(PNG)))
        self.assert_error(self.complete(place), 409, "resource_not_ready")
        self.assertEqual(self.put(place).status, 200)
        for _ in range(2):
            data = self.complete(place).json()["data"]
            self.assertEqual((data["asset_id"], data["mime_type"], data["size_bytes"], data["status"]),
                             (place["asset_id"], "image/png", len(PNG), "ready"))

    def test_a_put_that_is_not_as_it_was_announced_is_refused(self):
        for status, content, more in ((403, PNG, {"X-Api-Key": "sim-key"}), (403, PNG, {"Authorization": "Bearer x"}),
                                      (403, PNG, {"Content-Type": "image/jpeg"}), (403, PNG, {"x-amz-meta-upload": None}),
                                      (400, PNG + b"x", {}), (400, PNG[:-1], {}), (400, b"x" * len(PNG), {})):
            place = self.place()
            reply = self.put(place, content, **more)
            self.assertEqual(reply.status, status, (more, reply.body))
            self.assertIn(b"<Error>", reply.body)
            self.assert_error(self.complete(place), 409, "resource_not_ready")

    def test_the_announced_digest_counts(self):
        place = self.place(checksum_sha256="0" * 64)
        self.assertIn(b"BadDigest", self.put(place).body)
        self.assert_error(self.complete(place), 409, "resource_not_ready")

    def test_a_place_is_signed_and_runs_out(self):
        place = self.place()
        self.assertEqual(self.put(place, url=place["upload_url"] + "0").status, 403)
        self.sim.control("POST", "clock", {"advance_ms": 3601000})
        self.assertEqual(self.put(place).status, 403)

    def test_an_announcement_must_be_whole(self):
        for member, value in (("filename", None), ("content_type", None), ("size_bytes", 0), ("checksum_sha256", "x")):
            body = {"filename": "a", "content_type": "image/png", "size_bytes": 9, member: value}
            self.assert_error(self.sim.call("POST", "/v3/assets/direct-uploads", body), 400, "invalid_parameter", member)

    def test_an_asset_that_is_not_complete_is_none(self):
        identity = self.place()["asset_id"]
        self.assert_error(self.sim.submit({"type": "avatar", "avatar_id": "a", "audio_asset_id": identity}), 404,
                          "asset_not_found")

    def test_the_file_host_takes_nothing_else(self):
        self.assertEqual(fetch(self.sim.files + "/files/v_1/video.mp4?x=1", "PUT").status, 403)
        self.assertEqual(fetch(self.sim.files + "/files/v_1/video.mp4?x=1", "POST").status, 405)

    def test_faults_reach_it(self):
        self.sim.fault({"type": "status", "status": 503}, match={"method": "PUT", "host": "files"})
        place = self.place()
        self.assertEqual(self.put(place).status, 503)
        self.assertEqual(self.put(place).status, 200)
        rows = self.sim.control("GET", "requests")["requests"]
        self.assertEqual([row["api_key"] for row in rows if row["method"] == "PUT"], [False, False])


class Inline(Case):
    def submit(self, **media):
        body = {"instances": [dict({"prompt": "a cat"}, **media)]}
        return self.sim.call("POST", GEMINI, body, key=None, X_Goog_Api_Key="sim-key")

    def image(self, content, kind="image/png"):
        return {"bytesBase64Encoded": base64.b64encode(content).decode(), "mimeType": kind}

    def test_pictures_and_videos_inside_an_order_are_taken(self):
        self.assertEqual(self.submit(image=self.image(PNG), lastFrame=self.image(PNG)).status, 200)
        self.assertEqual(self.submit(referenceImages=[{"image": self.image(PNG), "referenceType": "asset"}]).status, 200)
        video = {"encodedVideo": base64.b64encode(MP4).decode(), "encoding": "video/mp4"}
        self.assertEqual(self.submit(video=video).status, 200)

    def test_what_is_not_what_it_says_is_refused(self):
        whole = self.image(PNG)
        for image in (self.image(PNG, "image/jpeg"), self.image(b"hello"), self.image(MP4, "video/quicktime"),
                      dict(whole, bytesBase64Encoded=whole["bytesBase64Encoded"][:-1]),
                      dict(whole, bytesBase64Encoded="!" + whole["bytesBase64Encoded"][1:]),
                      {"bytesBase64Encoded": whole["bytesBase64Encoded"]},
                      self.image(b"GIF89a" + b"\0" * 20, "image/gif"), self.image(PNG + b"\0" * (20 << 20))):
            reply = self.submit(image=image)
            self.assertEqual(reply.status, 400, image["bytesBase64Encoded"][:40])
            self.assertEqual(reply.json()["error"]["status"], "INVALID_ARGUMENT")
        self.assertEqual(self.submit(video={"uri": "x", "encodedVideo": "AAAA"}).status, 400)
        self.assertEqual(self.sim.charges(), [])


if __name__ == "__main__":
    main()
