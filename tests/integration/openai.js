// Gateways that speak OpenAI's /videos, behind one daemon. Each thing that one may say ends in its documented state, with
// its truth about money and the charges that the simulator counted.
//
// There is no idempotency key: an order whose reply was lost is looked for in the list. What is found goes on, what is
// absent is sent again where the operator vouches for the list, and what looks alike is for a person.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, sha256, until } = require("./stack");

const stack = new Stack();
const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(bin, "../plugins"));
const SUBMIT = { method: "POST", path: "/v1/videos" };
const LIST = { method: "GET", path: "/v1/videos" };
const POLL = { method: "GET", path: "/v1/videos/*" };
const PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>";
const OURS = { duration: { seconds: 4 }, size: { width: 1280, height: 720 } };
let OTHERS, ROUTER;
let count = 0;

const error = (code, message = "no") => ({ error: { code, message, type: "invalid_request_error", param: null } });

function provider(id, options, base = "/v1", more = "") {
	return `{
		id = "${id}";
		plugin = "openai_videos";
		base_url = "${stack.simUrl}${base}";
		secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
		options = { ${options} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		submit_timeout_ms = 3000;
		${more}
	}`;
}

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	OTHERS = [
		provider("gateway", 'model = "sora-2";'),
		provider("form", 'model = "sora-2"; submit = "multipart"; thumbnail = true; auth = "api-key";'),
		provider("trusting", 'model = "sora-2"; absence_after_s = 1;'),
	];
	ROUTER = provider("router", 'model = "google/veo-3.1"; dialect = "openrouter";', "/api/v1",
		`origins = ( "${stack.filesUrl}" );`);
	stack.writeConfig({ others: [...OTHERS, ROUTER] });
	await stack.startDaemon();
});

after(() => stack.finish());

async function create(provider, prompt = `Number ${count + 1} of the cats`, more = OURS) {
	const job = { provider: `providers/${provider}`, model: "video", parameters: { prompt, ...more } };

	return (await stack.call("CreateJob", { job, request_id: `openai-${++count}` })).job;
}

const restOf = (name, timeoutMs) => until(`${name} to come to rest`, async () => {
	const now = await stack.get(name);
	return /SUCCEEDED|FAILED|UNCERTAIN|CANCELLED/.test(now.status.state) && now;
}, timeoutMs);

const remotesOf = (job) => job.status.attempts.flatMap((attempt) => attempt.remotes.map((remote) => remote.remote_id));
const classesOf = (job) => job.status.attempts.flatMap((attempt) => attempt.sends)
	.map((send) => send.class.replace("SEND_CLASS_", ""));

async function checkVideo(job) {
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const bytes = await stack.read(video.name);

	assert.strictEqual(bytes.subarray(4, 8).toString(), "ftyp");
	assert.strictEqual(sha256(bytes), video.sha256);
}

// A scenario: the faults, and how it ends. `sends` are their classes, in order; `charges` what the provider counted.
function scenario(name, faults, { state = "SUCCEEDED", reason, bought, sends, charges, at = "gateway", more, roles = ["video"] }) {
	test(name, async () => {
		await stack.sim("DELETE", "faults");
		const earlier = (await stack.charges()).length;
		for (const [match, action, rule] of faults) await stack.fault(action, { match, ...rule });
		const job = await restOf((await create(at, undefined, more)).name);
		for (const fault of (await stack.sim("GET", "faults")).faults)
			assert.ok(fault.fired > 0, `the fault happened: ${JSON.stringify(fault)}`);
		await stack.sim("DELETE", "faults");
		const words = JSON.stringify(job.status, null, 1);
		assert.strictEqual(job.status.state, `JOB_STATE_${state}`, words);
		if (reason) assert.strictEqual(job.status.failure.reason, `FAILURE_REASON_${reason}`, words);
		if (bought) assert.strictEqual(job.status.failure.purchased, `PURCHASED_${bought}`, words);
		assert.deepStrictEqual(classesOf(job), sends, words);
		assert.strictEqual((await stack.charges()).length - earlier, charges, words);
		if (state !== "SUCCEEDED") return;
		assert.deepStrictEqual(job.status.artifacts.map((artifact) => artifact.role), roles);
		await checkVideo(job);
	});
}

const once = { sends: ["ACCEPTED"], charges: 1 };
const refused = { state: "FAILED", bought: "NOTHING", sends: ["REFUSED"], charges: 0 };

scenario("a video", [], once);
scenario("a video ordered by a form, with its thumbnail", [], { ...once, at: "form", roles: ["video", "thumbnail"] });
scenario("a video of OpenRouter's form", [], { ...once, at: "router",
	more: { duration: { seconds: 5 }, resolution: "720p", aspect_ratio: "9:16", seed: "7" } });

// The order is refused.
scenario("moderation", [[SUBMIT, { type: "status", status: 400, body: error("moderation_blocked") }]],
	{ ...refused, reason: "MODERATED" });
scenario("bad input", [[SUBMIT, { type: "status", status: 400, body: error("invalid_value") }]],
	{ ...refused, reason: "INVALID_INPUT" });
scenario("no credit", [[SUBMIT, { type: "status", status: 429, body: error("insufficient_quota") }]],
	{ ...refused, reason: "NO_CREDIT" });
scenario("a throttle", [[SUBMIT, { type: "retry_after", seconds: 1 }]], { sends: ["REFUSED", "ACCEPTED"], charges: 1 });

// The reply is lost.
scenario("a lost reply is found", [[SUBMIT, { type: "reset_after" }]], once);
scenario("no reply until the time-out is found", [[SUBMIT, { type: "drop_reply_after_charge" }]], once);
scenario("a 500 for an order that was taken is found",
	[[SUBMIT, { type: "status", status: 500, body: error("server_error"), charge: true }]], once);
scenario("a page for an order that was taken is found",
	[[SUBMIT, { type: "status", status: 200, body: PAGE, charge: true }]], once);
scenario("a list that fails is read again",
	[[SUBMIT, { type: "reset_after" }], [LIST, { type: "status", status: 503, body: PAGE }, { times: 2 }]], once);
scenario("an order that never arrived is sent again",
	[[SUBMIT, { type: "reset_before" }]], { at: "trusting", sends: ["ABSENT", "ACCEPTED"], charges: 1 });
scenario("a gateway that broke before it took the order",
	[[SUBMIT, { type: "status", status: 502, body: PAGE }]], { at: "trusting", sends: ["ABSENT", "ACCEPTED"], charges: 1 });
scenario("a gateway without a list",
	[[SUBMIT, { type: "reset_after" }], [LIST, { type: "status", status: 404, body: error("not_found") }]],
	{ state: "UNCERTAIN", reason: "LOST", bought: "UNKNOWN", sends: ["AMBIGUOUS"], charges: 1 });
scenario("a lost reply of OpenRouter, which has no list", [[{ method: "POST", path: "/api/v1/videos" }, { type: "reset_after" }]],
	{ at: "router", more: {}, state: "UNCERTAIN", reason: "LOST", bought: "UNKNOWN", sends: ["AMBIGUOUS"], charges: 1 });

// The video.
scenario("a poll that fails", [[POLL, { type: "status", status: 503, body: PAGE }]], once);
scenario("a video that is moderated", [[SUBMIT, { type: "moderate" }]],
	{ state: "FAILED", reason: "MODERATED", bought: "UNKNOWN", sends: ["ACCEPTED"], charges: 1 });
scenario("a video that has expired", [[POLL, { type: "expire_link" }, { times: 0 }]],
	{ state: "FAILED", reason: "LOST", bought: "MADE", sends: ["ACCEPTED"], charges: 1 });

// A picture of so many bytes.
function picture(size) {
	const head = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x68", "latin1");
	const end = Buffer.from("IEND\xae\x42\x60\x82", "latin1");

	return Buffer.concat([head, Buffer.alloc(size - head.length - end.length, ++count), end]);
}

// Submits with a picture as a person does; the job once it has come to rest.
async function orderWith(at, file) {
	const run = child.spawn(path.join(bin, "filmgate"), ["-s", `unix:${stack.socket}`, "submit", at, "--prompt",
		`Number ${++count} moves`, "--param", "duration_ms=4s", "--image", `first_frame=${file}`]);
	let words = "";
	run.stdout.on("data", (data) => (words += data));
	run.stderr.on("data", (data) => (words += data));
	const code = await new Promise((resolve) => run.once("close", resolve));
	assert.strictEqual(code, 0, words);
	return restOf(/jobs\/[0-9a-f-]+/.exec(words)[0]);
}

test("a file of the user's goes along as a part of the order, once", async () => {
	const file = path.join(stack.data, "first.png");
	for (const size of [1000, 3000000]) {
		fs.writeFileSync(file, picture(size));
		const first = (await stack.charges()).length;
		const before = (await stack.sim("GET", "requests")).total;
		const job = await orderWith("form", file);
		assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
		assert.deepStrictEqual(classesOf(job), ["ACCEPTED"]);
		assert.strictEqual((await stack.charges()).length, first + 1);
		const [sent] = (await stack.sim("GET", `requests?after=${before}`)).requests.filter((row) => row.method === "POST");
		assert.ok(sent.body_bytes > size && sent.body_bytes < size + 2000, `${sent.body_bytes} bytes for ${size}`);
		await checkVideo(job);
	}
});

// What only the plugin knows is said before there is a job, and to a dry run as well.
test("an order that the dialect cannot say is refused before it is accepted", async () => {
	const file = path.join(stack.data, "first.png");
	const jobs = (await stack.call("ListJobs", {})).jobs.length;
	const sent = (await stack.sim("GET", "requests")).total;
	fs.writeFileSync(file, picture(1000));
	for (const [at, more, field, words] of [
		["gateway", ["--image", `first_frame=${file}`], "media", /'submit' of the provider to multipart/],
		["router", ["--image", `first_frame=${file}`], "media", /pictures as URLs only/],
		["gateway", ["--param", "seed=7"], "seed", /the dialect openai has no seed/],
		["gateway", ["--param", "resolution=720p"], "resolution", /takes a size in pixels/],
	])
		for (const dry of [["--dry-run"], []]) {
			const run = child.spawnSync(path.join(bin, "filmgate"), ["-s", `unix:${stack.socket}`, "submit", at,
				"--prompt", "A cat", ...more, ...dry], { encoding: "utf8", timeout: 60000 });
			assert.strictEqual(run.status, 2, run.stderr);
			assert.match(run.stderr, new RegExp(`job\\.parameters\\.${field}: `));
			assert.match(run.stderr, words);
		}
	assert.strictEqual((await stack.call("ListJobs", {})).jobs.length, jobs);
	assert.strictEqual((await stack.sim("GET", "requests")).total, sent);
});

test("a repeat of an accepted request is the same job, though the order would be refused by now", async () => {
	const request = { request_id: `openai-${++count}`, job: { provider: "providers/router", model: "video",
		parameters: { prompt: "A cat with a seed", duration: { seconds: 5 }, seed: "7" } } };
	const first = await stack.call("CreateJob", request);
	await restOf(first.job.name);
	await stack.daemon.stop();
	stack.writeConfig({ others: [...OTHERS, provider("router", 'model = "sora-2";')] });
	await stack.startDaemon();
	await assert.rejects(stack.call("CreateJob", { ...request, request_id: `openai-${++count}` }), /has no seed/);
	const again = await stack.call("CreateJob", request);
	assert.strictEqual(again.replayed, true);
	assert.strictEqual(again.job.name, first.job.name);
	await stack.daemon.stop();
	stack.writeConfig({ others: [...OTHERS, ROUTER] });
	await stack.startDaemon();
});

test("a provider that lacks an option is unusable, with the remedy", async () => {
	const config = path.join(stack.data, "lacking.conf");
	fs.writeFileSync(config, `data_dir = "${stack.data}/lacking"; plugin_dirs = ( "${plugins}" );\n`
		+ `providers = ( ${provider("lacking", "")} );\n`);
	const run = child.spawnSync(path.join(bin, "filmgated"), ["--config", config, "--check-config"],
		{ encoding: "utf8", timeout: 60000, env: { ...process.env, FILMGATE_HEYGEN_KEY: "k" } });
	assert.match(run.stderr, /provider 'lacking' cannot be used.*the option 'model' of the provider is not configured: set it/);
});

test("a lost reply to an order with a file is found", async () => {
	const file = path.join(stack.data, "first.png");
	const first = (await stack.charges()).length;
	fs.writeFileSync(file, picture(2000));
	await stack.fault({ type: "reset_after" }, { match: SUBMIT });
	const job = await orderWith("form", file);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	assert.strictEqual((await stack.charges()).length, first + 1);
});

test("of two alike, one whose reply was lost is told by what the other owns", async () => {
	const first = (await stack.charges()).length;
	const twin = await create("gateway", "A twin");
	await stack.reach(twin.name, ["RUNNING", "STORING", "SUCCEEDED"]);
	await stack.fault({ type: "reset_after" }, { match: SUBMIT });
	const job = await restOf((await create("gateway", "A twin")).name);
	const other = await restOf(twin.name);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	assert.strictEqual(other.status.state, "JOB_STATE_SUCCEEDED");
	const rows = (await stack.charges()).slice(first).map((row) => row.video_id);
	assert.deepStrictEqual(rows, [...remotesOf(other), ...remotesOf(job)]);
});

test("two alike whose replies were lost are both for a person", async () => {
	const first = (await stack.charges()).length;
	await stack.fault({ type: "drop_reply_after_charge" }, { match: SUBMIT, times: 2 });
	const made = await Promise.all([create("gateway", "Nobody knows"), create("gateway", "Nobody knows")]);
	const jobs = await Promise.all(made.map((job) => restOf(job.name, 90000)));
	for (const job of jobs) {
		assert.strictEqual(job.status.state, "JOB_STATE_UNCERTAIN", JSON.stringify(job.status, null, 1));
		assert.deepStrictEqual(classesOf(job), ["AMBIGUOUS"]);
	}
	const rows = (await stack.charges()).slice(first);
	assert.strictEqual(rows.length, 2);
	await assert.rejects(stack.call("ResolveJob", { name: jobs[0].name, resolution: "RESOLUTION_FOUND", remote_id: "video_typo" }),
		/INVALID_ARGUMENT: remote_id: the provider does not know 'video_typo'/);
	assert.strictEqual((await stack.get(jobs[0].name)).status.state, "JOB_STATE_UNCERTAIN");
	await stack.call("ResolveJob", { name: jobs[0].name, resolution: "RESOLUTION_FOUND", remote_id: rows[0].video_id });
	await checkVideo(await stack.reach(jobs[0].name, ["SUCCEEDED"]));
});

const listsRead = async () => (await stack.sim("GET", "requests")).requests
	.filter((request) => request.method === "GET" && request.path === "/v1/videos").length;

async function killAndFind(match, action, isTime) {
	const first = (await stack.charges()).length;
	await stack.sim("DELETE", "faults");
	const lists = await listsRead();
	await stack.fault({ type: "drop_reply_after_charge" }, { match: SUBMIT });
	if (match) await stack.fault(action, { match, times: 0 });
	const created = await create("gateway");
	await until("the moment to come", () => isTime(first, lists));
	await stack.daemon.stop("SIGKILL");
	await stack.sim("DELETE", "faults");
	await stack.startDaemon();
	const job = await restOf(created.name);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	assert.deepStrictEqual(classesOf(job), ["ACCEPTED"]);
	assert.strictEqual((await stack.charges()).length, first + 1);
	await checkVideo(job);
}

const isCharged = async (first) => (await stack.charges()).length > first;
const isLooking = async (first, lists) => (await listsRead()) > lists;

test("kill -9 while the order is on its way", () => killAndFind(null, null, isCharged));
test("kill -9 while the list is read", () => killAndFind(LIST, { type: "drop_reply_before_charge" }, isLooking));
test("kill -9 between two looks", () => killAndFind(LIST, { type: "status", status: 503, body: PAGE }, isLooking));
