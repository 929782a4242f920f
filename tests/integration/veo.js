// HeyGen and Veo side by side behind one daemon. Each thing that Google may say ends in its documented state, with its
// truth about money, and with as many seconds charged as were delivered.
//
// Google honours no key: a lost reply to an order leaves the job UNCERTAIN, nothing is sent twice, and a person decides
// with `filmgate resolve`, who finds what was made in the bucket, in the folder that bears the job's id.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, sha256, until } = require("./stack");

const stack = new Stack();
const MODEL = "veo-3.1-generate-001";
const RESOURCE = `projects/p1/locations/us-central1/publishers/google/models/${MODEL}`;
const SUBMIT = { method: "POST", path: `/v1/${RESOURCE}:predict*` };
const POLL = { method: "POST", path: `/v1/${RESOURCE}:fetch*` };
const OBJECT = { method: "GET", path: "/storage/v1/b/bucket/o/*" };
const TOKEN = { method: "POST", path: "/token" };
const PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>";
let count = 0;

const google = (code, status, message, details) => ({ error: { code, message, status, details } });
const retryInfo = (delay) => [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: delay }];

function provider(id, secrets, options, more = "") {
	return `{
		id = "${id}";
		plugin = "veo";
		base_url = "${stack.simUrl}";
		secrets = { ${secrets} };
		options = { ${options} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		submit_timeout_ms = 3000;
		${more}
	}`;
}

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	const file = path.join(stack.data, "sim", "service-account.json");
	const vertex = provider("veo", `service_account_file = "${file}";`,
		`project = "p1"; storage_uri = "gs://bucket/films"; storage_url = "${stack.simUrl}";`,
		'origins = ( "https://storage.googleapis.com" );');
	const inline = provider("inline", `service_account_file = "${file}";`, 'project = "p1";',
		'origins = ( "https://storage.googleapis.com" );');
	const gemini = provider("gemini", 'api_key_env = "FILMGATE_HEYGEN_KEY";', 'surface = "gemini";');
	stack.writeConfig({ others: [vertex, inline, gemini] });
	await stack.startDaemon();
});

after(() => stack.finish());

function order(more = {}, provider = "veo") {
	return {
		provider: `providers/${provider}`,
		model: MODEL,
		parameters: { prompt: `Number ${count} of the cats`, duration: { seconds: 4 }, ...more },
	};
}

async function create(job) {
	return (await stack.call("CreateJob", { job, request_id: `veo-${++count}` })).job;
}

const sendsOf = (job) => job.status.attempts.flatMap((attempt) => attempt.sends);
const classesOf = (job) => sendsOf(job).map((send) => send.class.replace("SEND_CLASS_", ""));

// Orders one job under the faults; how it ended, and the seconds that were charged meanwhile.
async function outcome(faults, more, provider) {
	await stack.sim("DELETE", "faults");
	const before = (await stack.charges()).length;
	for (const [match, action, rule] of faults) await stack.fault(action, { match, ...rule });
	const created = await create(order(more, provider));
	const job = await until(`${created.name} to come to rest`, async () => {
		const now = await stack.get(created.name);
		return /SUCCEEDED|FAILED|UNCERTAIN|CANCELLED/.test(now.status.state) && now;
	});
	for (const fault of (await stack.sim("GET", "faults")).faults)
		assert.ok(fault.fired > 0, `the fault happened: ${JSON.stringify(fault)}`);
	await stack.sim("DELETE", "faults");
	assert.ok(stack.daemon.alive, "the daemon lives");
	const charges = (await stack.charges()).slice(before);
	assert.ok(charges.length <= 1, "never bought twice");
	return { job, seconds: charges.reduce((sum, row) => sum + row.seconds, 0) };
}

async function checkVideos(job, samples) {
	const videos = job.status.artifacts.filter((artifact) => artifact.role === "video");

	assert.deepStrictEqual(videos.map((video) => video.sample), samples);
	for (const video of videos) {
		const bytes = await stack.read(video.name);
		assert.strictEqual(bytes.subarray(4, 8).toString(), "ftyp");
		assert.strictEqual(sha256(bytes), video.sha256);
	}
}

function succeeds(name, faults, classes, { more, samples = [0], missing = [], provider, seconds = 4 } = {}) {
	test(name, async () => {
		const { job, seconds: charged } = await outcome(faults, more, provider);
		assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
		assert.deepStrictEqual(classesOf(job), classes);
		assert.strictEqual(charged, seconds);
		assert.deepStrictEqual(job.status.missing_roles, missing);
		await checkVideos(job, samples);
	});
}

function fails(name, faults, reason, purchased, { more, provider, seconds = 0 } = {}) {
	test(name, async () => {
		const { job, seconds: charged } = await outcome(faults, more, provider);
		const failure = job.status.failure;
		assert.strictEqual(job.status.state, "JOB_STATE_FAILED", JSON.stringify(job.status, null, 1));
		assert.strictEqual(failure.reason, `FAILURE_REASON_${reason}`, JSON.stringify(failure));
		assert.strictEqual(failure.purchased, `PURCHASED_${purchased}`, JSON.stringify(failure));
		assert.strictEqual(charged, seconds);
	});
}

function isUncertain(name, faults, seconds) {
	test(name, async () => {
		const { job, seconds: charged } = await outcome(faults);
		assert.strictEqual(job.status.state, "JOB_STATE_UNCERTAIN", JSON.stringify(job.status, null, 1));
		assert.deepStrictEqual(classesOf(job), ["AMBIGUOUS"]);
		assert.strictEqual(charged, seconds);
		await stack.call("ResolveJob", { name: job.name, resolution: "RESOLUTION_GIVE_UP" });
	});
}

const ONCE = ["ACCEPTED"];
succeeds("a clip", [], ONCE);
succeeds("four samples", [], ONCE, { more: { sample_count: 4 }, samples: [0, 1, 2, 3], seconds: 16 });
succeeds("a clip of the Gemini API's form", [], ONCE, { provider: "gemini" });
test("HeyGen beside it", async () => {
	const created = await stack.create("beside", "This is HeyGen.");
	await stack.checkSucceeded(await stack.reach(created.name), await stack.charges());
});

// Of the order.
fails("a policy block", [[SUBMIT, { type: "status", status: 400,
	body: google(400, "INVALID_ARGUMENT", "It violates our policies. Support codes: 58061214") }]],
"MODERATED", "NOTHING");
fails("a bad field", [[SUBMIT, { type: "status", status: 400, body: google(400, "INVALID_ARGUMENT", "no") }]],
	"INVALID_INPUT", "NOTHING");
fails("a bad field, told in an array", [[SUBMIT, { type: "status", status: 400,
	body: [google(400, "INVALID_ARGUMENT", "no")] }]], "INVALID_INPUT", "NOTHING");
fails("a model that is gone", [[SUBMIT, { type: "status", status: 404, body: google(404, "NOT_FOUND", "gone") }]],
	"INVALID_INPUT", "NOTHING");
fails("depleted credits", [[SUBMIT, { type: "status", status: 429,
	body: google(429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.") }]], "NO_CREDIT", "NOTHING");
succeeds("a throttle that names its pause", [[SUBMIT, { type: "status", status: 429,
	body: google(429, "RESOURCE_EXHAUSTED", "slow down", retryInfo("0.5s")) }]], ["REFUSED", "ACCEPTED"]);
succeeds("a throttle that names none", [[SUBMIT, { type: "status", status: 429,
	body: google(429, "RESOURCE_EXHAUSTED", "slow down") }]], ["REFUSED", "ACCEPTED"]);
succeeds("a refused token is replaced at once", [[SUBMIT, { type: "status", status: 401,
	body: google(401, "UNAUTHENTICATED", "expired") }]], ["REFUSED", "ACCEPTED"]);
isUncertain("HTTP 500 after it was taken",
	[[SUBMIT, { type: "status", status: 500, body: google(500, "INTERNAL", "oops"), charge: true }]], 4);
isUncertain("HTTP 503 with a page", [[SUBMIT, { type: "status", status: 503, body: PAGE }]], 0);
isUncertain("HTTP 200 with a page", [[SUBMIT, { type: "status", status: 200, body: PAGE, charge: true }]], 4);
isUncertain("a reply that was lost", [[SUBMIT, { type: "reset_after" }]], 4);
isUncertain("no reply until the time-out", [[SUBMIT, { type: "drop_reply_after_charge" }]], 4);

// Of the operation.
succeeds("a poll that fails", [[POLL, { type: "status", status: 503, body: PAGE }]], ONCE);
succeeds("a poll that is throttled", [[POLL, { type: "status", status: 429,
	body: google(429, "RESOURCE_EXHAUSTED", "slow down", retryInfo("0.2s")) }]], ONCE);
succeeds("an operation that is not found at first", [[POLL, { type: "status", status: 404,
	body: google(404, "NOT_FOUND", "where?") }]], ONCE);
fails("everything filtered", [[SUBMIT, { type: "filter_samples" }]], "MODERATED", "NOTHING",
	{ more: { sample_count: 2 } });
fails("everything filtered, of the Gemini API's form", [[{ path: "/v1beta/models/" }, { type: "filter_samples" }]],
	"MODERATED", "NOTHING", { provider: "gemini" });
succeeds("some filtered", [[SUBMIT, { type: "filter_samples", samples: 1 }]], ONCE,
	{ more: { sample_count: 2 }, missing: ["video"] });
fails("an operation that fails by its input",
	[[SUBMIT, { type: "fail_operation", grpc_code: 3, failure_message: "Unsupported" }]], "INVALID_INPUT", "NOTHING");
fails("an operation that fails by a policy",
	[[SUBMIT, { type: "fail_operation", grpc_code: 3, failure_message: "no. Support codes: 58061214" }]],
	"MODERATED", "NOTHING");
fails("an operation that is exhausted", [[SUBMIT, { type: "fail_operation", grpc_code: 8 }]], "PROVIDER_FAULT",
	"UNKNOWN");
fails("an operation that breaks", [[SUBMIT, { type: "fail_operation", grpc_code: 13 }]], "PROVIDER_FAULT", "UNKNOWN");
fails("a result without videos", [[SUBMIT, { type: "empty_result" }]], "ARTIFACT_BAD", "UNKNOWN");

// Of the bucket.
succeeds("a download that is cut short", [[OBJECT, { type: "truncate", at: 1000 }]], ONCE);
succeeds("a download that is refused once", [[OBJECT, { type: "status", status: 401,
	body: google(401, "UNAUTHENTICATED", "expired") }]], ONCE);

// Of videos inside the reply to a poll: there is no bucket.
const inline = { provider: "inline" };
const carrying = (...texts) => ({ name: "operations/x", done: true,
	response: { videos: texts.map((text) => ({ bytesBase64Encoded: text, mimeType: "video/mp4" })) } });
succeeds("a clip inside the reply", [], ONCE, inline);
succeeds("four samples inside the reply", [], ONCE,
	{ ...inline, more: { sample_count: 4 }, samples: [0, 1, 2, 3], seconds: 16 });
succeeds("some filtered inside the reply", [[SUBMIT, { type: "filter_samples", samples: 1 }]], ONCE,
	{ ...inline, more: { sample_count: 2 }, missing: ["video"] });
succeeds("a reply larger than limits.reply_bytes, for its videos",
	[[POLL, { type: "pad_video", bytes: 20000000 }, { times: 0 }]], ONCE, inline);
// The first polls are of an operation that runs, whatever the faults are: they shape what is there to shape.
succeeds("a reply that is cut in the middle, again and again",
	[[POLL, { type: "truncate" }, { nth: 1, times: 6 }]], ONCE, inline);
succeeds("a reply that is reset in the middle", [[POLL, { type: "truncate", reset: true }, { times: 5 }]], ONCE, inline);
succeeds("a reply whose video is no base64",
	[[POLL, { type: "status", status: 200, body: carrying("bm8=", "no base64") }, { times: 2 }]], ONCE, inline);
succeeds("a reply whose video is none", [[POLL, { type: "status", status: 200, body: carrying("bm8gdmlkZW8=") },
	{ times: 2 }]], ONCE, inline);
fails("a reply whose video is none, for good", [[POLL, { type: "status", status: 200, body: carrying("bm8gdmlkZW8=") },
	{ times: 0 }]], "ARTIFACT_BAD", "MADE", { ...inline, seconds: 4 });

test("nothing of what came inside replies is left behind", () => {
	assert.deepStrictEqual(fs.readdirSync(path.join(stack.data, "filmgate", "artifacts", "staging")), []);
});

test("no credential went to the file host, and none but Google's to Google's paths", async () => {
	const requests = (await stack.sim("GET", "requests")).requests;
	const names = (row) => row.headers.map((name) => name.toLowerCase());

	for (const row of requests.filter((row) => row.host === "files")) assert.strictEqual(row.api_key, false, row.path);
	for (const row of requests.filter((row) => row.host === "api")) {
		const isHeygen = row.path.startsWith("/v3/"), isGemini = row.path.startsWith("/v1beta/");
		assert.strictEqual(names(row).includes("x-api-key"), isHeygen, row.path);
		assert.strictEqual(names(row).includes("x-goog-api-key"), isGemini, row.path);
	}
	assert.ok(requests.some((row) => row.host === "files" && /video\.mp4$/.test(row.path)), "the files came from there");
});

for (const name of ["veo", "inline", "gemini"])
	test(`a check of ${name}`, async () => {
		const reply = await stack.call("CheckProvider", { name: `providers/${name}` }, stack.providers);
		assert.strictEqual(reply.outcome, "CHECK_OUTCOME_OK", reply.message);
	});

function filmgate(...words) {
	return child.execFileSync(path.join(bin, "filmgate"), ["--server", `unix:${stack.socket}`, ...words],
		{ encoding: "utf8", timeout: 60000 });
}

// The daemon is killed while the reply to the order is awaited. Nothing protects a repeat, so nothing is sent again.
async function killWhileStarting(action) {
	await stack.sim("DELETE", "faults");
	await stack.fault(action, { match: SUBMIT });
	const { name } = await create(order());
	await until("the order to be on its way", async () => (await stack.sim("GET", "faults")).faults[0].fired > 0);
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_STARTING");
	await stack.daemon.stop("SIGKILL");
	await stack.sim("DELETE", "faults");
	await stack.startDaemon();
	return stack.reach(name, ["UNCERTAIN"]);
}

// What the person sees in the bucket below the job's folder.
async function look(job) {
	const file = JSON.parse(fs.readFileSync(path.join(stack.data, "sim", "service-account.json"), "utf8"));
	const prefix = `films/${job.name.replace("jobs/", "")}/`;
	const reply = await fetch(`${stack.simUrl}/storage/v1/b/bucket/o?prefix=${encodeURIComponent(prefix)}`,
		{ headers: { Authorization: `Bearer ${await token(file)}` } });

	return (await reply.json()).items.map((item) => item.name);
}

async function token(file) {
	const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
	const now = Math.floor(Date.now() / 1000);
	const text = `${encode({ alg: "RS256" })}.${encode({ iss: file.client_email, aud: file.token_uri, iat: now,
		exp: now + 600, scope: "https://www.googleapis.com/auth/cloud-platform" })}`;
	const signature = require("node:crypto").sign("sha256", text, file.private_key).toString("base64url");
	const reply = await fetch(file.token_uri, { method: "POST", body: new URLSearchParams({
		grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: `${text}.${signature}` }) });

	return (await reply.json()).access_token;
}

test("killed while STARTING, bought: a person finds it in the bucket", async () => {
	const before = (await stack.charges()).length;
	const job = await killWhileStarting({ type: "drop_reply_after_charge" });
	assert.deepStrictEqual(classesOf(job), ["AMBIGUOUS"]);
	const objects = await until("the video to lie in the bucket", async () => {
		const found = await look(job);
		return found.length > 0 && found;
	});
	const operation = objects[0].split("/").at(-2);
	filmgate("resolve", job.name, "--found", `${RESOURCE}/operations/${operation}`);
	const ended = await stack.reach(job.name);
	assert.strictEqual(ended.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(ended.status, null, 1));
	await checkVideos(ended, [0]);
	assert.strictEqual((await stack.charges()).length - before, 1, "bought once");
});

test("killed while STARTING, not bought: it is ordered again", async () => {
	const before = (await stack.charges()).length;
	const job = await killWhileStarting({ type: "drop_reply_before_charge" });
	assert.deepStrictEqual(await look(job), []);
	filmgate("resolve", job.name, "--absent");
	const ended = await stack.reach(job.name);
	assert.strictEqual(ended.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(ended.status, null, 1));
	assert.strictEqual((await stack.charges()).length - before, 1, "bought once");
});

// The daemon is killed while the video comes, and again when it is there: what was bought is neither lost nor bought twice.
test("killed within the reply that carries the video", async () => {
	const before = (await stack.charges()).length;
	await stack.sim("DELETE", "faults");
	await stack.fault({ type: "pad_video", bytes: 30000000 }, { match: POLL, times: 0 });
	const { name } = await create(order({}, "inline"));
	const staging = path.join(stack.data, "filmgate", "artifacts", "staging");
	for (let round = 0; round < 3; round++) {
		await until("the video to come in", () => fs.readdirSync(staging).length > 0);
		await stack.daemon.stop("SIGKILL");
		await stack.startDaemon();
	}
	await stack.sim("DELETE", "faults");
	const job = await stack.reach(name);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	await checkVideos(job, [0]);
	assert.deepStrictEqual(classesOf(job), ONCE);
	assert.strictEqual((await stack.charges()).length - before, 1, "bought once");
	assert.deepStrictEqual(fs.readdirSync(staging), []);
});

async function isDone(operation) {
	const file = JSON.parse(fs.readFileSync(path.join(stack.data, "sim", "service-account.json"), "utf8"));
	const reply = await fetch(`${stack.simUrl}/v1/${RESOURCE}:fetchPredictOperation`, {
		method: "POST",
		headers: { Authorization: `Bearer ${await token(file)}`, "Content-Type": "application/json" },
		body: JSON.stringify({ operationName: operation }),
	});

	return (await reply.json()).done;
}

// The look before it is believed goes without the video, which is larger than a reply may be.
test("a person finds what is finished and comes inside the reply", async () => {
	const before = (await stack.charges()).length;
	const { job } = await outcome([[SUBMIT, { type: "reset_after" }]], {}, "inline");
	assert.strictEqual(job.status.state, "JOB_STATE_UNCERTAIN", JSON.stringify(job.status, null, 1));
	const operation = `${RESOURCE}/operations/${(await stack.charges()).at(-1).video_id}`;
	await until("the video to be made", () => isDone(operation));
	await stack.fault({ type: "pad_video", bytes: 20000000 }, { match: POLL, times: 0 });
	filmgate("resolve", job.name, "--found", operation);
	const ended = await stack.reach(job.name);
	await stack.sim("DELETE", "faults");
	assert.strictEqual(ended.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(ended.status, null, 1));
	await checkVideos(ended, [0]);
	assert.strictEqual((await stack.charges()).length - before, 1, "bought once");
});

// A fresh daemon has no token. A refusal of the token endpoint is no refusal of the job.
test("a token endpoint that fails is asked again", async () => {
	await stack.daemon.stop("SIGTERM");
	await stack.sim("DELETE", "faults");
	await stack.fault({ type: "status", status: 503, body: PAGE }, { match: TOKEN });
	await stack.startDaemon();
	const job = await stack.reach((await create(order())).name);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	assert.deepStrictEqual(classesOf(job), ONCE);
});

test("a key that Google does not take lets jobs wait, not fail", async () => {
	await stack.daemon.stop("SIGTERM");
	await stack.sim("DELETE", "faults");
	await stack.fault({ type: "status", status: 400,
		body: { error: "invalid_grant", error_description: "Invalid JWT Signature." } }, { match: TOKEN, times: 0 });
	await stack.startDaemon();
	const { name } = await create(order());
	const job = await until("the job to wait for a credential", async () => {
		const now = await stack.get(name);
		return now.status.wait && now.status.wait.reason === "JOB_WAIT_REASON_PROVIDER_CREDENTIAL" && now;
	});
	assert.strictEqual(job.status.state, "JOB_STATE_QUEUED");
	assert.deepStrictEqual(sendsOf(job), []);
});
