// Assets: what was acknowledged is there after any end of the daemon, with the same bytes; what was not leaves nothing.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, beforeEach, afterEach } = require("node:test");
const { Stack, bin, sha256, sleep, until } = require("./stack");

let stack;

beforeEach(async () => {
	stack = new Stack();
	stack.simUrl = "http://127.0.0.1:9"; // nothing is ordered here
	stack.writeConfig({ limits: "asset_bytes = 8388608L;" });
	await stack.startDaemon();
});

afterEach(() => stack.finish());

const artifacts = (...names) => path.join(stack.data, "filmgate", "artifacts", ...names);

// A picture of its own for each seed.
function picture(seed, size = 300000) {
	const head = Buffer.from("89504e470d0a1a0a0000000d494844520000028000000168", "hex");
	const body = Buffer.alloc(size, `${seed}.`);

	return Buffer.concat([head, body, Buffer.from("49454e44ae426082", "hex")]);
}

// Sends @bytes piece by piece; @each is awaited before every piece. The reply, or the error.
function upload(bytes, { each = async () => {}, metadata = { size_bytes: bytes.length }, chunk = 65536 } = {}) {
	return new Promise((resolve, reject) => {
		const call = stack.assets.UploadAsset({ deadline: Date.now() + 60000 },
			(error, reply) => (error ? reject(error) : resolve(reply)));
		let isOver = false;

		call.on("error", () => (isOver = true));
		(async () => {
			call.write({ metadata });
			for (let at = 0; at < bytes.length && !isOver; at += chunk) {
				await each(at);
				await new Promise((next) => call.write({ data: bytes.subarray(at, at + chunk) }, next));
			}
			call.end();
		})().catch(reject);
	});
}

function readContent(hash) {
	return fs.readFileSync(artifacts("sha256", hash.slice(0, 2), hash.slice(2)));
}

async function listed() {
	return (await stack.call("ListAssets", { page_size: 1000 }, stack.assets)).assets.map((asset) => asset.sha256);
}

async function restart(signal) {
	await stack.daemon.stop(signal);
	await stack.startDaemon();
}

test("what was acknowledged is there after a kill, byte for byte", async () => {
	for (const seed of ["a", "b", "c"]) {
		const bytes = picture(seed);
		const { asset, existed } = await upload(bytes, { metadata: { display_name: seed, sha256: sha256(bytes) } });

		await restart("SIGKILL");
		assert.strictEqual(existed, false);
		assert.strictEqual(asset.name, `assets/${sha256(bytes)}`);
		const found = (await stack.call("GetAsset", { name: asset.name }, stack.assets)).asset;
		assert.deepStrictEqual(found, asset);
		assert.strictEqual(found.media_type, "image/png");
		assert.ok(readContent(asset.sha256).equals(bytes));
		assert.strictEqual((await upload(bytes)).existed, true);
	}
	assert.strictEqual((await listed()).length, 3);
});

test("a kill during uploads leaves what was acknowledged and nothing else", async () => {
	const acknowledged = new Map();

	for (let round = 0; round < 6; round++) {
		const before = acknowledged.size;
		const half = picture(`half ${round}`);
		const slow = upload(half, { each: () => sleep(3000) }).then(() => "done", () => "lost");
		const quick = Array.from({ length: 6 }, (_, i) => picture(`${round} ${i}`)).map((bytes) =>
			upload(bytes).then((reply) => acknowledged.set(reply.asset.sha256, bytes), () => {}));

		await until("a staged file", async () => fs.readdirSync(artifacts("staging")).length > 0, 10000, 5);
		await until("some to be acknowledged", async () => acknowledged.size >= before + (round % 4), 30000, 5);
		await stack.daemon.stop("SIGKILL");
		await Promise.all(quick);
		assert.strictEqual(await slow, "lost");
		await stack.startDaemon();
		assert.deepStrictEqual(fs.readdirSync(artifacts("staging")), []);
		const now = new Set(await listed());
		assert.ok(!now.has(sha256(half)));
		for (const [hash, bytes] of acknowledged) {
			assert.ok(now.has(hash), `${hash} was acknowledged`);
			assert.ok(readContent(hash).equals(bytes));
		}
		for (const hash of now) assert.strictEqual(sha256(readContent(hash)), hash);
	}
	assert.ok(acknowledged.size > 0);
});

test("a deleted asset is gone, its file too, and stays gone", async () => {
	const bytes = picture("gone");
	const { asset } = await upload(bytes);

	await stack.call("DeleteAsset", { name: asset.name }, stack.assets);
	await until("the file to go", async () => !fs.existsSync(artifacts("sha256", asset.sha256.slice(0, 2), asset.sha256.slice(2))));
	await restart("SIGKILL");
	assert.deepStrictEqual(await listed(), []);
	await assert.rejects(stack.call("GetAsset", { name: asset.name }, stack.assets), { code: 5 });
});

test("a graceful end lets no upload hang and keeps no part of it", async () => {
	const lost = assert.rejects(upload(picture("slow"), { each: () => sleep(100) }));

	await until("a staged file", async () => fs.readdirSync(artifacts("staging")).length > 0, 10000, 5);
	await restart("SIGTERM");
	await lost;
	assert.deepStrictEqual(fs.readdirSync(artifacts("staging")), []);
	assert.deepStrictEqual(await listed(), []);
});

test("what is too large, or no media, is refused and leaves nothing", async () => {
	await assert.rejects(upload(picture("large", 9 << 20), { metadata: {} }), /limits\.asset_bytes/);
	await assert.rejects(upload(picture("large", 9 << 20)), /limits\.asset_bytes/);
	await assert.rejects(upload(Buffer.from("<!doctype html>")), /web page .* an asset is a PNG/);
	await assert.rejects(upload(picture("short").subarray(0, 1000)), /cut short/);
	await until("nothing staged", async () => fs.readdirSync(artifacts("staging")).length === 0);
	assert.deepStrictEqual(await listed(), []);
});

test("the program gives a file, and the daemon says where it may be used", async () => {
	const file = path.join(stack.data, "fox.png"), bytes = picture("fox", 3 << 20);
	const run = (...args) => child.spawnSync(path.join(bin, "filmgate"), ["-s", `unix:${stack.socket}`, ...args],
		{ encoding: "utf8", timeout: 60000 });

	fs.writeFileSync(file, bytes);
	assert.strictEqual(run("assets", "upload", file, "-o", "name").stdout, `assets/${sha256(bytes)}\n`);
	assert.match(run("assets", "upload", file).stderr, /was there already/);
	assert.match(run("assets").stdout, /image\/png +3\.1 MB +640x360 .* fox\.png/);
	const trial = run("submit", "heygen", "--dry-run", "-m", "image", "--script", "Hello", "--voice", "v",
		"--image", `source=${file}`);
	assert.match(trial.stderr, /parameters\.media\[0\]|it would be accepted/);
	assert.strictEqual(run("assets", "delete", sha256(bytes)).status, 0);
	assert.deepStrictEqual(await listed(), []);
});
