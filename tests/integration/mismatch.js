// A video that is not what was ordered: what the job, its provider and its price say, by policy, from the order to the
// file on disk. The simulator delivers another video than it was asked for, and the truth about it is in the file alone.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, sha256 } = require("./stack");

const stack = new Stack();
const hasFfmpeg = ["ffmpeg", "ffprobe"].every((name) => fs.existsSync(`/usr/bin/${name}`));
const skip = hasFfmpeg ? false : "ffmpeg is not installed";
const ORDER = { duration: { seconds: 4 }, size: { width: 1280, height: 720 } };
const AS_ORDERED = { type: "other_video", width: 1280, height: 720 };
let count = 0;

function provider(id, more = "") {
	return `{
		id = "${id}";
		plugin = "openai_videos";
		base_url = "${stack.simUrl}/v1";
		secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
		options = { model = "sora-2"; };
		poll = { initial_ms = 100; max_ms = 400; };
		prices = ( { model = "video"; amount = "0.1"; currency = "USD"; } );
		allow_private_network = true;
		${more}
	}`;
}

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	stack.writeConfig({ others: [provider("gateway"), provider("strict", 'on_mismatch = "fail";')] });
	await stack.startDaemon();
});

after(() => stack.finish());

// An order whose file is what @action makes of it, at its end.
async function make(action, { at = "gateway", policy = "UNSPECIFIED", state = "SUCCEEDED", parameters = ORDER } = {}) {
	await stack.fault({ ...AS_ORDERED, ...action }, { match: { method: "POST", path: "/v1/videos" } });
	const job = { provider: `providers/${at}`, model: "video", on_mismatch: `ON_MISMATCH_${policy}`,
		parameters: { prompt: `Number ${++count} of the foxes`, ...parameters } };
	const made = (await stack.call("CreateJob", { job, request_id: `mismatch-${count}` })).job;

	assert.strictEqual(made.on_mismatch, job.on_mismatch);
	return stack.reach(made.name, [state]);
}

const fieldsOf = (job) => job.status.mismatches.map((mismatch) => mismatch.field);
const videoOf = (job) => job.status.artifacts.find((artifact) => artifact.role === "video");

async function mismatchesOf(id) {
	const text = await (await fetch(`http://${stack.http}/metrics`)).text();

	return Number(new RegExp(`^filmgate_mismatches_total\\{provider="${id}"\\} (\\d+)$`, "m").exec(text)[1]);
}

function filmgate(...words) {
	const done = child.spawnSync(path.join(bin, "filmgate"), ["-s", `unix:${stack.socket}`, ...words],
		{ encoding: "utf8", timeout: 60000 });

	assert.strictEqual(done.status, 0, `${words.join(" ")}: ${done.stderr}`);
	return done.stdout;
}

test("what was ordered is no mismatch, whatever the policy", { skip }, async () => {
	for (const policy of ["UNSPECIFIED", "FLAG", "FAIL"]) {
		const job = await make({}, { policy });
		const video = videoOf(job);

		assert.deepStrictEqual(fieldsOf(job), [], JSON.stringify(job.status, null, 1));
		assert.deepStrictEqual([video.width, video.height, video.frame_rate_millihertz, video.audio],
			[1280, 720, 5000, "TOGGLE_ON"]);
		assert.deepStrictEqual([video.black_duration.seconds, video.black_duration.nanos], [0, 0]);
	}
	assert.strictEqual(await mismatchesOf("gateway"), 0);
});

test("a short video of another size is flagged, and the job has it", { skip }, async () => {
	const job = await make({ seconds: 2, width: 320, height: 180 });
	const [length, size] = job.status.mismatches;

	assert.deepStrictEqual(fieldsOf(job), ["duration", "size"]);
	assert.strictEqual(length.artifact, videoOf(job).name);
	assert.deepStrictEqual([length.ordered, size.ordered, size.produced], ["4 s", "1280x720", "320x180"]);
	assert.match(length.message, /^the length: 4 s was ordered, 2(\.\d+)? s came$/);
	assert.strictEqual(await mismatchesOf("gateway"), 2);
	assert.match(filmgate("get", job.name), /^mismatch +[0-9a-f-]+\/artifacts\/1: the length: 4 s was ordered, 2/m);
	assert.match(filmgate("list"), /; not as ordered: duration, size/);
});

test("accepted means that nobody looks", { skip }, async () => {
	const job = await make({ seconds: 2, picture: "black" }, { policy: "ACCEPT" });

	assert.deepStrictEqual(fieldsOf(job), []);
	assert.strictEqual(videoOf(job).black_duration, null);
	assert.strictEqual(await mismatchesOf("gateway"), 2);
});

test("a black video fails the job that says so; it is paid for, and kept", { skip }, async () => {
	const charged = (await stack.charges()).length;
	const job = await make({ picture: "black" }, { policy: "FAIL", state: "FAILED" });
	const { failure, cost, money } = job.status;

	assert.deepStrictEqual(fieldsOf(job), ["black"]);
	assert.deepStrictEqual([failure.reason, failure.purchased], ["FAILURE_REASON_ARTIFACT_BAD", "PURCHASED_MADE"]);
	assert.match(failure.message, /^the picture is black: .*; as on_mismatch says, the job fails; what came is kept/);
	assert.ok(cost.amount_micros > 0);
	assert.strictEqual(money.settlement, "SETTLEMENT_STATE_FINAL");
	assert.strictEqual((await stack.charges()).length, charged + 1);
	assert.strictEqual(videoOf(job).black_duration.seconds, 4);
	assert.strictEqual(sha256(await stack.read(videoOf(job).name)), videoOf(job).sha256);
	await stack.checkLedger();
});

test("a picture that stands still fails jobs of a provider that is configured so", { skip }, async () => {
	const job = await make({ picture: "still" }, { at: "strict", state: "FAILED" });
	const flagged = await make({ picture: "still" }, { at: "strict", policy: "FLAG" });

	assert.deepStrictEqual([...fieldsOf(job), ...fieldsOf(flagged)], ["frozen", "frozen"]);
	assert.strictEqual(await mismatchesOf("strict"), 2);
});

test("what was found is there after a restart", { skip }, async () => {
	const before = await make({ seconds: 2 }, { at: "strict", state: "FAILED" });

	await stack.daemon.stop();
	await stack.startDaemon();
	const after = await stack.get(before.name);
	assert.deepStrictEqual(after, before);
	assert.strictEqual(sha256(await stack.read(videoOf(after).name)), videoOf(after).sha256);
});

test("without the programs nothing is known, no job fails for it, and the daemon says so once", async () => {
	const preload = [process.env.FILMGATE_PRELOAD_FIRST, process.env.FILMGATE_NO_FFPROBE].filter(Boolean).join(" ");
	const config = path.join(stack.data, "filmgated.conf");

	assert.ok(process.env.FILMGATE_NO_FFPROBE, "FILMGATE_NO_FFPROBE names the library of no_ffprobe.c");
	await stack.daemon.stop();
	await stack.startDaemon({ LD_PRELOAD: preload });
	const video = videoOf(await make({ picture: "black" }, { policy: "FAIL" }));
	assert.deepStrictEqual([video.width, video.frame_rate_millihertz, video.audio, video.black_duration],
		[1280, 0, "TOGGLE_UNSPECIFIED", null]);
	assert.deepStrictEqual(fieldsOf(await make({ seconds: 2 })), ["duration"]);
	assert.strictEqual(fs.readFileSync(stack.daemonLog, "utf8").split("ffprobe and ffmpeg are not there").length, 2);

	const check = child.spawnSync(path.join(bin, "filmgated"), ["--check-config", "--config", config],
		{ encoding: "utf8", timeout: 60000, env: { ...process.env, FILMGATE_HEYGEN_KEY: "sim-key", LD_PRELOAD: preload } });
	assert.strictEqual(check.status, 0, check.stderr);
	assert.match(check.stdout, /^note: .*ffprobe and ffmpeg are not there.*; install ffmpeg/m);
});
