"""assets, and files among the media of submit: what is sent, what is not sent again, and what is refused."""

import hashlib
import json
import os
import unittest

import grpc
from fake import Case, Refusal, number

PNG = b"\x89PNG" + b"x" * 3000000
MP4 = b"\0\0\0\x18ftypisom" + b"y" * 100


def name_of(data):
    return "assets/" + hashlib.sha256(data).hexdigest()


class Assets(Case):
    def setUp(self):
        super().setUp()
        self.png, self.mp4 = self.file("fox.png", PNG), self.file("fox.mp4", MP4)

    def file(self, name, data):
        path = os.path.join(self.fake.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def media(self):
        return self.fake.requests("CreateJob")[-1].job.parameters.media

    def test_a_file_is_sent_once(self):
        done = self.expect(0, "assets", "upload", self.png, "--format", "name", says="fox.png was uploaded")
        self.assertEqual(done.out, name_of(PNG) + "\n")
        self.assertEqual(self.fake.assets[name_of(PNG)].display_name, "fox.png")
        self.expect(0, "assets", "upload", self.png, "-n", "Other", says="was there already; nothing was sent")
        self.assertEqual(len(self.fake.requests("UploadAsset")), 1)

    def test_several_files_and_one_that_is_none(self):
        done = self.expect(2, "assets", "upload", self.png, self.fake.folder, self.mp4, "-o", "name",
                           says="is a folder; name the file in it")
        self.assertEqual(done.out.split(), [name_of(PNG), name_of(MP4)])

    def test_what_is_no_file(self):
        empty = self.file("empty.png", b"")
        secret = self.file("secret.png", b"x")
        os.chmod(secret, 0)
        self.expect(2, "assets", "upload", "/nowhere/x.png", says="No such file")
        self.expect(2, "assets", "upload", empty, says="is empty")
        self.expect(2, "assets", "upload", "/dev/null", says="is no regular file")
        if os.getuid():
            self.expect(2, "assets", "upload", secret, says="Permission denied")
        self.expect(2, "assets", "upload", says="FILE")
        self.assertEqual(self.fake.calls, [])

    def test_the_daemon_says_no(self):
        def refuse(requests):
            next(requests)
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "ASSET_REFUSED", "the file has too many bytes")
        self.fake.on["UploadAsset"] = refuse
        done = self.run_cli("assets", "upload", self.png)
        self.assertNotEqual(done.status, 0)
        self.assertIn("the file has too many bytes", done.err)

    def test_lists_and_single_ones(self):
        for n in range(3):
            self.fake.add_asset(b"%d" % n, display_name=f"No {n}\033")
        done = self.expect(0, "assets", "--limit", "2", out=["image/png", "640x360", "No 2?", "1 B"], says="there are more")
        self.assertNotIn("No 0", done.out)
        done = self.expect(0, "assets", "list", "--limit", "0", "-o", "json")
        self.assertEqual([a["name"] for a in json.loads(done.out)], [name_of(b"2"), name_of(b"1"), name_of(b"0")])
        done = self.expect(0, "assets", "get", name_of(b"1")[7:], "-o", "json")
        self.assertEqual(json.loads(done.out)["media_type"], "image/png")
        self.expect(0, "assets", "get", name_of(b"1"), out="No 1")
        self.expect(2, "assets", "get", "x", says="is not an asset")
        self.expect(3, "assets", "get", name_of(b"none"), says="there is no assets/")

    def test_deleting(self):
        self.fake.add_asset(b"0")
        self.expect(2, "assets", "delete", name_of(b"0"), "x", says="is not an asset")
        self.assertIn(name_of(b"0"), self.fake.assets)
        self.expect(0, "assets", "delete", name_of(b"0"), says="deleted")
        self.assertEqual(self.fake.assets, {})

    def test_an_order_takes_files_addresses_and_assets(self):
        self.fake.add_asset(b"known")
        self.expect(0, "submit", "heygen", "a fox", "--image", self.png, "--image", "last_frame=" + name_of(b"known"),
                    "-P", "media[2].url=https://example.com/c.png", "--video", "source=" + self.mp4, "--reference", self.mp4,
                    "--reference", "https://example.com/b.png", "--image", "asset_1", says="fox.png is assets/")
        found = [(m.kind, m.role, m.asset or m.url or m.provider_handle) for m in self.media()]
        image, video = number("MediaKind", "IMAGE"), number("MediaKind", "VIDEO")
        role = {word: number("MediaRole", word) for word in ("FIRST_FRAME", "LAST_FRAME", "SOURCE", "REFERENCE")}
        self.assertEqual(found, [
            (image, role["FIRST_FRAME"], name_of(PNG)), (image, role["LAST_FRAME"], name_of(b"known")),
            (0, 0, "https://example.com/c.png"), (video, role["SOURCE"], name_of(MP4)),
            (video, role["REFERENCE"], name_of(MP4)), (image, role["REFERENCE"], "https://example.com/b.png"),
            (image, role["FIRST_FRAME"], "asset_1")])
        self.assertEqual(len(self.fake.requests("UploadAsset")), 2)

    def test_slips_are_found_before_anything_is_ordered(self):
        self.expect(2, "submit", "heygen", "--image", self.mp4, says="is of the kind video (video/mp4); give it with --video")
        self.expect(2, "submit", "heygen", "--image", "missing.png", says="--image: there is no file 'missing.png'")
        self.expect(2, "submit", "heygen", "--image", "./missing", says="No such file")
        for source in (self.png, "missing.png", "https://example.com/a", name_of(b"none")):
            self.expect(2, "submit", "heygen", "--image", "frst_frame=" + source,
                        says=["--image: 'frst_frame' is no role; there are ", "first_frame", "keyframe",
                              "next: 'filmgate providers get heygen' says which of them a model takes"])
        self.expect(2, "submit", "heygen", "--image", "keyfrme@3s=" + self.png, says="'keyfrme' is no role")
        self.expect(2, "submit", "heygen", "--param", "script.audio=a.mp3",
                    says=["script.audio: audio is a medium: write audio.asset=assets/SHA256 ('filmgate assets upload FILE'",
                          "audio.provider_handle=ID"])
        self.expect(2, "submit", "heygen", "--param", "background.media=a.png",
                    says=["background.media: media is a medium", "and say what it is: media.kind=image or video"])
        self.expect(2, "submit", "heygen", "--param", "media=a.png", says="media is a list, whose items have parts")
        self.expect(2, "submit", "heygen", "--image", self.fake.folder, says="is a folder")
        self.assertNotEqual(self.run_cli("submit", "heygen", "--image", name_of(b"none")).status, 0)
        self.assertEqual(self.fake.requests("CreateJob"), [])

    def test_a_trial_uploads_and_orders_nothing(self):
        self.expect(0, "submit", "heygen", "--image", self.png, "--dry-run", says="nothing was ordered")
        self.assertTrue(self.fake.requests("CreateJob")[-1].validate_only)
        self.assertEqual(self.media()[0].asset, name_of(PNG))
        self.assertIn(name_of(PNG), self.fake.assets)


if __name__ == "__main__":
    unittest.main()
