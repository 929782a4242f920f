#!/usr/bin/python3
"""AssetService as clients see it, hostile ones among them: see door.py.

    uploads.py SERVER ALL_PB
"""

import contextlib
import hashlib
import sys
import threading
import time
import unittest

import grpc

from door import CODE, Case, Client, Door, WAIT, v1

UPLOAD = "/filmgate.v1.AssetService/UploadAsset"
MIB = 1 << 20


def metadata(**fields):
    return v1("UploadAssetRequest", metadata=v1("UploadAssetMetadata", **fields))


def data(chunk):
    return v1("UploadAssetRequest", data=chunk)


def upload(client, messages, wait=WAIT):
    raw = client.channel.stream_unary(UPLOAD, request_serializer=lambda m: m.SerializeToString(),
                                      response_deserializer=v1("UploadAssetResponse").FromString)
    return raw.future(iter(messages), timeout=wait)


class Uploads(Case):
    def setUp(self):
        self.door = Door("127.0.0.1:0", "0", "0", "0", "1500")
        self.addCleanup(self.door.close)
        self.client = Client(self.door.target)
        self.addCleanup(self.client.close)

    def put(self, content, **fields):
        return upload(self.client, [metadata(**fields), data(content)]).result()

    def asset(self, method, /, **fields):
        return self.client.call("filmgate.v1.AssetService/" + method, **fields)

    def open_uploads(self):
        return self.door.tell("counts")[3]

    def kept(self):
        return self.door.tell("counts")[4]

    def assert_nothing_left(self, kept=0):
        self.wait_until(lambda: self.open_uploads() == 0)
        self.assertEqual(self.kept(), kept)
        self.assert_alive()

    def hostile(self, code, reason, messages):
        found = self.refused(code, reason, lambda: upload(self.client, messages).result())
        self.assert_nothing_left()
        return found

    def test_an_upload_becomes_an_asset(self):
        content = bytes(range(256)) * 8192
        digest = hashlib.sha256(content).hexdigest()
        reply = upload(self.client, [metadata(display_name="Füchse", size_bytes=len(content), sha256=digest),
                                     data(content[:MIB]), data(content[MIB:])]).result()
        self.assertFalse(reply.existed)
        asset = reply.asset
        self.assertEqual((asset.name, asset.sha256, asset.size_bytes), ("assets/" + digest, digest, len(content)))
        self.assertEqual((asset.media_type, asset.kind, asset.width, asset.height), ("video/mp4", 2, 640, 360))
        self.assertEqual((asset.duration.seconds, asset.duration.nanos), (1, 500000000))
        self.assertEqual(asset.display_name, "Füchse")
        again = upload(self.client, [metadata(display_name="x"), data(content[:MIB]),
                                     data(content[MIB:])]).result()
        self.assertEqual((again.existed, again.asset), (True, asset))
        self.assertEqual(self.asset("GetAsset", name=asset.name).asset, asset)
        self.assert_nothing_left(1)

    def test_a_thousand_tiny_messages_are_one_file(self):
        content = b"".join(b"%d," % n for n in range(1000))
        reply = upload(self.client, [metadata(), *[data(b"%d," % n) for n in range(1000)]]).result()
        self.assertEqual(reply.asset.sha256, hashlib.sha256(content).hexdigest())

    def test_messages_in_the_wrong_order(self):
        invalid = (CODE.INVALID_ARGUMENT, "INVALID_REQUEST")
        self.assertEqual(self.violation(self.hostile(*invalid, []))[0],
                         ("metadata", "is missing: the stream ended without a message"))
        self.assertEqual(self.violation(self.hostile(*invalid, [data(b"a")]))[0],
                         ("data", "came before the metadata; send that first"))
        self.assertEqual(self.violation(self.hostile(*invalid, [metadata(), data(b"a"), metadata()]))[0],
                         ("metadata", "came twice; it belongs in the first message alone"))
        self.assertEqual(self.violation(self.hostile(*invalid, [v1("UploadAssetRequest")]))[0],
                         ("content", "is missing: a message has metadata or data"))
        self.assertEqual(self.violation(self.hostile(*invalid, [metadata(), data(b"")]))[0],
                         ("data", "has 0 bytes; 1 to 1048576 are taken in one message"))
        self.assertEqual(self.violation(self.hostile(*invalid, [metadata(), data(b"a" * (MIB + 1))]))[0],
                         ("data", "has 1048577 bytes; 1 to 1048576 are taken in one message"))

    def test_metadata_is_checked(self):
        found = self.hostile(CODE.INVALID_ARGUMENT, "INVALID_REQUEST",
                             [metadata(display_name="a\nb", sha256="AB")])
        self.assertEqual([field for field, _ in self.violation(found)],
                         ["metadata.display_name", "metadata.sha256"])

    def test_what_the_engine_refuses(self):
        self.hostile(CODE.INVALID_ARGUMENT, "ASSET_REFUSED", [metadata(), data(b"junk")])
        self.hostile(CODE.INVALID_ARGUMENT, "ASSET_REFUSED", [metadata(size_bytes=1 << 40)])
        self.hostile(CODE.INVALID_ARGUMENT, "ASSET_REFUSED", [metadata(size_bytes=3), data(b"four"), data(b"five")])
        self.hostile(CODE.INVALID_ARGUMENT, "ASSET_REFUSED", [metadata(sha256="00" * 32), data(b"a")])

    def test_noise(self):
        raw = self.client.channel.stream_unary(UPLOAD)
        for noise in (b"\xff", b"\x12\xff\xff\xff\xff\x0f", b"\x0a" * 3000):
            self.refused(CODE.INVALID_ARGUMENT, "MALFORMED_MESSAGE", lambda: raw(iter([noise]), timeout=WAIT))
        self.refused(CODE.RESOURCE_EXHAUSTED, None,
                     lambda: upload(self.client, [metadata(), data(b"a" * (5 * MIB))]).result())
        self.assert_nothing_left()

    def waiting(self, sent, go_on):
        yield from sent
        go_on.wait(WAIT)

    def test_a_cancelled_upload_leaves_nothing(self):
        for _ in range(30):
            go_on = threading.Event()
            call = upload(self.client, self.waiting([metadata(), data(b"half of it")], go_on))
            self.wait_until(lambda: self.open_uploads() == 1)
            call.cancel()
            go_on.set()
            self.wait_until(lambda: self.open_uploads() == 0)
        self.assert_nothing_left()

    def test_a_lost_connection_leaves_nothing(self):
        for _ in range(10):
            client, go_on = Client(self.door.target), threading.Event()
            call = upload(client, self.waiting([metadata(), data(b"half of it")], go_on))
            self.wait_until(lambda: self.open_uploads() == 1)
            client.close()
            self.assertTrue(call.exception(WAIT))
            go_on.set()
            self.wait_until(lambda: self.open_uploads() == 0)
        self.assert_nothing_left()

    def test_a_deadline_ends_it(self):
        go_on = threading.Event()
        call = upload(self.client, self.waiting([metadata(), data(b"half of it")], go_on), wait=0.5)
        self.assertEqual(call.exception(WAIT).code(), CODE.DEADLINE_EXCEEDED)
        go_on.set()
        self.assert_nothing_left()

    def test_silence_ends_it(self):
        go_on = threading.Event()
        started = time.monotonic()
        call = upload(self.client, self.waiting([metadata(), data(b"half of it")], go_on))
        self.refused(CODE.ABORTED, "UPLOAD_IDLE", call.result)
        self.assertLess(time.monotonic() - started, 10)
        call = upload(self.client, self.waiting([], go_on))
        self.refused(CODE.ABORTED, "UPLOAD_IDLE", call.result)
        go_on.set()
        self.assert_nothing_left()

    def test_a_trickle_ends_it(self):
        """By the server's clock, which "pass" moves; the slow one's end shows that the other was looked at, too."""
        door = Door("127.0.0.1:0", "0", "0", "0", str(10**9))
        self.addCleanup(door.close)
        client = Client(door.target)
        self.addCleanup(client.close)
        go_on = threading.Event()
        slow = upload(client, self.waiting([metadata(), data(b"x" * 32000)], go_on))
        honest = upload(client, self.waiting([metadata(), *[data(bytes(MIB))] * 16], go_on))
        self.wait_until(lambda: door.tell("counts")[5] == 32000 + 16 * MIB)
        for _ in range(2):  # the last write may be counted a moment before the wait for more begins
            door.tell("pass 310000")
            if not slow.done():
                with contextlib.suppress(grpc.FutureTimeoutError):
                    slow.exception(5)
        self.refused(CODE.RESOURCE_EXHAUSTED, "UPLOAD_TOO_SLOW", slow.result)
        self.assertRegex(slow.exception().details(), "32000 bytes came in the [36][0-9]{2} seconds .* faster line")
        go_on.set()
        self.assertEqual(honest.result(WAIT).asset.size_bytes, 16 * MIB)

    def test_a_slow_disk_holds_the_client_back(self):
        sent = []

        def messages():
            yield metadata()
            for n in range(40):
                sent.append(n)
                yield data((b"slow" if n == 0 else b"more") + bytes(MIB - 4))

        call = upload(self.client, messages())
        time.sleep(0.5)
        self.assertLess(len(sent), 35)
        self.assertEqual(call.result().asset.size_bytes, 40 * MIB)

    def test_many_at_once(self):
        calls = [upload(self.client, [metadata(), *[data(b"%d" % n)] * 50]) for n in range(40)]
        self.assertEqual(len({call.result(WAIT).asset.name for call in calls}), 40)
        self.assert_nothing_left(40)

    def test_a_drain_ends_uploads(self):
        go_on = threading.Event()
        call = upload(self.client, self.waiting([metadata(), data(b"half of it")], go_on))
        self.wait_until(lambda: self.open_uploads() == 1)
        self.door.tell("drain 2000")
        self.refused(CODE.UNAVAILABLE, "DRAINING", call.result)
        go_on.set()
        self.assertEqual(self.kept(), 0)

    def test_lists_come_page_by_page(self):
        names = [self.put(b"%d" % n).asset.name for n in range(5)]
        page = self.asset("ListAssets", page_size=3)
        self.assertEqual([a.name for a in page.assets], names[:1:-1])
        page = self.asset("ListAssets", page_size=3, page_token=page.next_page_token)
        self.assertEqual([a.name for a in page.assets], names[1::-1])
        self.assertEqual(page.next_page_token, "")
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.asset, "ListAssets", page_token="x")
        self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.asset, "ListAssets", page_size=-1)

    def test_what_is_not_there_or_in_use(self):
        name = "assets/" + "00" * 32
        for method in ("GetAsset", "DeleteAsset"):
            found = self.refused(CODE.NOT_FOUND, "ASSET_NOT_FOUND", self.asset, method, name=name)
            self.assertEqual(found["ResourceInfo"].resource_name, name)
            self.refused(CODE.INVALID_ARGUMENT, "INVALID_REQUEST", self.asset, method, name="assets/x")
        used = self.put(b"a", display_name="used").asset.name
        self.refused(CODE.FAILED_PRECONDITION, "ASSET_IN_USE", self.asset, "DeleteAsset", name=used)
        self.asset("DeleteAsset", name=self.put(b"b").asset.name)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=1)
