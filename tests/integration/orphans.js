// What is in a provider's account and no job's: found, adopted, followed to its end and stored, while the simulator's
// charges stay as they were. Each video here that is nobody's was ordered by this test itself, past the daemon.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, detailsOf, grpc, sha256, until } = require("./stack");

const stack = new Stack();
const LIST = { method: "GET", path: "/v3/video[s]" };
const KEY = { "X-Api-Key": "sim-key", Authorization: "Bearer sim-key", "Content-Type": "application/json" };

function gateway(id, options, base = "/v1") {
	return `{
		id = "${id}";
		plugin = "openai_videos";
		base_url = "${stack.simUrl}${base}";
		secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
		options = { ${options} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		submit_timeout_ms = 3000;
	}`;
}

before(async () => {
	await stack.startSimulator("--render-time-ms", "1500:2000", "--concurrency", "1000");
	stack.writeConfig({ others: [gateway("gateway", 'model = "sora-2";'),
		gateway("router", 'model = "google/veo-3.1"; dialect = "openrouter";', "/api/v1")] });
	await stack.startDaemon();
});

after(() => stack.finish());

async function post(where, body) {
	const reply = await fetch(`${stack.simUrl}${where}`, { method: "POST", headers: KEY, body: JSON.stringify(body) });
	const text = await reply.text();

	assert.ok(reply.ok, `${reply.status} ${text}`);
	return JSON.parse(text);
}

const speak = (title) => ({ type: "avatar", avatar_id: "demo_avatar", voice_id: "demo_voice", script: title, title });
// A video of nobody's: its id.
const buy = async (title) => (await post("/v3/videos", speak(title))).data.video_id;
const buyThere = async (prompt) => (await post("/v1/videos", { model: "sora-2", prompt, seconds: "4", size: "1280x720" })).id;

function filmgate(...words) {
	return new Promise((resolve) => {
		child.execFile(path.join(bin, "filmgate"), ["--server", `unix:${stack.socket}`, ...words], { timeout: 120000 },
			(error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
	});
}

const listPage = (fields = {}) => stack.call("ListOrphans", { provider: "providers/heygen", ...fields }, stack.orphans);
const adopt = (remote_id, fields = {}) =>
	stack.call("AdoptVideo", { provider: "providers/heygen", remote_id, ...fields }, stack.orphans);

async function listAll(fields = {}) {
	const all = [];
	let page = { next_page_token: "" };

	do {
		page = await listPage({ ...fields, page_token: page.next_page_token });
		all.push(...page.orphans);
	} while (page.next_page_token);
	return all;
}

async function refused(promise, code, reason, words) {
	const error = await promise.then(() => assert.fail("it was not refused"), (found) => found);

	assert.strictEqual(error.code, grpc.status[code], error.message);
	assert.strictEqual(detailsOf(error).ErrorInfo.reason, reason, error.message);
	if (words) assert.match(error.message, words);
	return detailsOf(error).ResourceInfo;
}

// It was paid for elsewhere: no send, no quote, no money, and the books are right.
async function checkAdopted(job, remoteId) {
	const [attempt] = job.status.attempts;

	assert.deepStrictEqual([job.adopted, job.status.state], [true, "JOB_STATE_SUCCEEDED"], JSON.stringify(job, null, 1));
	assert.deepStrictEqual([job.status.attempts.length, attempt.sends.length], [1, 0]);
	assert.deepStrictEqual(attempt.remotes.map((remote) => remote.remote_id), [remoteId]);
	assert.deepStrictEqual([job.quote, job.status.money, job.status.cost], [null, null, null]);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	assert.strictEqual(sha256(await stack.read(video.name)), video.sha256);
	await stack.checkLedger();
	return video;
}

test("a video that was bought elsewhere is found, adopted from the command line, and stored", async () => {
	const remoteId = await buy("Bought \u001b[31melsewhere\u202e");
	const charges = (await stack.charges()).length;
	const [orphan] = await listAll();
	assert.deepStrictEqual([orphan.remote_id, orphan.kind, orphan.maybe_job, orphan.deleted_job], [remoteId, "video", "", ""]);
	assert.ok(Math.abs(Date.now() / 1000 - orphan.create_time.seconds) < 600);
	const shown = await filmgate("orphans", "heygen");
	assert.strictEqual(shown.code, 0, shown.stderr);
	assert.ok(shown.stdout.includes(remoteId) && !/[\u001b\u202e]/.test(shown.stdout), shown.stdout);
	const { code, stdout, stderr } = await filmgate("adopt", "heygen", remoteId, "--label", "from=web", "--wait");
	assert.strictEqual(code, 0, stderr);
	const job = await stack.get(`jobs/${stdout.split(" ")[0]}`);
	assert.deepStrictEqual([job.display_name, job.labels], ["Bought [31melsewhere", { from: "web" }]);
	const video = await checkAdopted(job, remoteId);
	assert.strictEqual(video.sha256, sha256(await stack.served(remoteId)));
	assert.strictEqual((await stack.charges()).length, charges, "nothing was bought");
	assert.deepStrictEqual(await listAll(), []);
	assert.strictEqual((await listPage()).owned_count, 1);
	const { stdout: words } = await filmgate("get", job.name);
	assert.match(words, /adopted +bought elsewhere/);
	assert.match(words, /cost +not counted here: it was bought elsewhere/);
	assert.strictEqual((await filmgate("orphans", "heygen", "-o", "json")).stdout, "[]\n");
	await refused(stack.call("RetryJob", { name: job.name }), "FAILED_PRECONDITION", "WRONG_STATE", /bought elsewhere/);
	const owner = await refused(adopt(remoteId, { force: true }), "ALREADY_EXISTS", "VIDEO_OWNED", new RegExp(job.name));
	assert.strictEqual(owner.resourceName, job.name);
});

test("one that is still being made is followed to its end", async () => {
	const remoteId = await buy("Still being made");
	const { job, replayed } = await adopt(remoteId, { request_id: "moving-1", model: "avatar" });
	assert.deepStrictEqual([job.status.state, job.revision, replayed, job.model], ["JOB_STATE_RUNNING", 1, false, "avatar"]);
	const again = await adopt(remoteId, { request_id: "moving-1", model: "avatar", force: true });
	assert.deepStrictEqual([again.job.name, again.replayed], [job.name, true]);
	await refused(adopt("another", { request_id: "moving-1" }), "ALREADY_EXISTS", "REQUEST_ID_REUSED");
	await checkAdopted(await stack.reach(job.name, ["SUCCEEDED"]), remoteId);
});

test("of many who adopt one video at the same moment, one does", async () => {
	const remoteId = await buy("Wanted by many");
	const results = await Promise.allSettled(Array.from({ length: 12 }, () => adopt(remoteId)));
	const made = results.filter((result) => result.status === "fulfilled");
	assert.strictEqual(made.length, 1);
	for (const { reason } of results.filter((result) => result.status === "rejected")) {
		assert.strictEqual(detailsOf(reason).ErrorInfo.reason, "VIDEO_OWNED", reason.message);
		assert.strictEqual(detailsOf(reason).ResourceInfo.resourceName, made[0].value.job.name);
	}
	await checkAdopted(await stack.reach(made[0].value.job.name, ["SUCCEEDED"]), remoteId);
});

test("what was adopted survives a kill -9, once", async () => {
	const remoteId = await buy("Killed in between");
	const charges = (await stack.charges()).length;
	const { job } = await adopt(remoteId);
	await stack.daemon.stop("SIGKILL");
	await stack.startDaemon();
	await checkAdopted(await stack.reach(job.name, ["SUCCEEDED"]), remoteId);
	const jobs = (await stack.list()).filter((found) => found.display_name === "Killed in between");
	assert.deepStrictEqual(jobs.map((found) => found.name), [job.name]);
	assert.strictEqual((await stack.charges()).length, charges);
	await refused(adopt(remoteId), "ALREADY_EXISTS", "VIDEO_OWNED");
});

test("a cancel detaches it, and a deleted job's video is told from one that never was a job's", async () => {
	const { job } = await adopt(await buy("To be cancelled"));
	const { job: ended } = await stack.call("CancelJob", { name: job.name });
	const [{ remote_id: remoteId }] = ended.status.attempts[0].remotes;
	assert.deepStrictEqual([ended.status.state, ended.status.cancel.outcome, ended.status.money],
		["JOB_STATE_CANCELLED", "CANCEL_OUTCOME_DETACHED", null]);
	await stack.call("DeleteJob", { name: job.name });
	const [orphan] = await listAll();
	assert.deepStrictEqual([orphan.remote_id, orphan.deleted_job], [remoteId, job.name]);
	assert.match((await filmgate("orphans", "heygen")).stdout, new RegExp(`was ${job.name}, deleted here`));
	await refused(adopt(remoteId), "FAILED_PRECONDITION", "WRONG_STATE", /was deleted here/);
	const { job: anew } = await adopt(remoteId, { force: true, display_name: "Anew" });
	await checkAdopted(await stack.reach(anew.name, ["SUCCEEDED"]), remoteId);
	assert.strictEqual((await stack.get(anew.name)).display_name, "Anew");
});

test("jobs of this daemon are nobody's orphans, and an id that is not listed is refused", async () => {
	const job = await stack.create("own", "Bought here.");
	await stack.reach(job.name, ["SUCCEEDED"]);
	assert.deepStrictEqual(await listAll(), []);
	await refused(adopt("no-such-video"), "INVALID_ARGUMENT", "INVALID_REQUEST", /'no-such-video' is not among the \d+ videos/);
	await refused(adopt("a\u0001b"), "INVALID_ARGUMENT", "INVALID_REQUEST", /control character/);
	await refused(adopt("x", { model: "sora" }), "INVALID_ARGUMENT", "INVALID_REQUEST", /has no model 'sora'/);
	await refused(adopt("x", { provider: "providers/none" }), "NOT_FOUND", "PROVIDER_NOT_FOUND");
	await refused(listPage({ provider: "providers/none" }), "NOT_FOUND", "PROVIDER_NOT_FOUND");
	const router = await refused(listPage({ provider: "providers/router" }), "FAILED_PRECONDITION", "WRONG_STATE",
		/OpenRouter documents no list of videos/);
	assert.strictEqual(router.resourceName, "providers/router");
	const { code, stderr } = await filmgate("adopt", "heygen", "no-such-video");
	assert.strictEqual(code, 2, stderr);
});

test("what may be an undecided job's is said so, and is not adopted without force", async () => {
	await stack.fault({ type: "reset_after" }, { match: { method: "POST", path: "/v1/videos" } });
	await stack.fault({ type: "status", status: 404, body: { error: { code: "not_found", message: "no" } } },
		{ match: { method: "GET", path: "/v1/videos" }, times: 1 });
	const { job } = await stack.call("CreateJob", { request_id: "doubt", job: { provider: "providers/gateway", model: "video",
		parameters: { prompt: "Whose is it?", duration: { seconds: 4 }, size: { width: 1280, height: 720 } } } });
	await until("it to be UNCERTAIN", async () => (await stack.get(job.name)).status.state === "JOB_STATE_UNCERTAIN");
	const there = { provider: "providers/gateway" };
	const [orphan] = await listAll(there);
	assert.deepStrictEqual([orphan.title, orphan.maybe_job], ["Whose is it?", job.name]);
	const owner = await refused(adopt(orphan.remote_id, there), "FAILED_PRECONDITION", "WRONG_STATE", /filmgate resolve .* --found/);
	assert.strictEqual(owner.resourceName, job.name);
	const { code, stderr } = await filmgate("resolve", job.name, "--found", orphan.remote_id);
	assert.strictEqual(code, 0, stderr);
	assert.deepStrictEqual(await listAll(there), []);
	await stack.reach(job.name, ["SUCCEEDED"]);
	await refused(adopt(orphan.remote_id, { ...there, force: true }), "ALREADY_EXISTS", "VIDEO_OWNED", new RegExp(job.name));
});

test("a look at a lost order does not take what was adopted", async () => {
	const there = { provider: "providers/gateway" };
	const remoteId = await buyThere("The same words");
	const { job: adopted } = await adopt(remoteId, there);
	await checkAdopted(await stack.reach(adopted.name, ["SUCCEEDED"]), remoteId);
	// Its order never arrives, and the adopted one looks just like it.
	await stack.fault({ type: "reset_before" }, { match: { method: "POST", path: "/v1/videos" } });
	const { job } = await stack.call("CreateJob", { request_id: "same-words", job: { ...there, model: "video",
		parameters: { prompt: "The same words", duration: { seconds: 4 }, size: { width: 1280, height: 720 } } } });
	const held = await stack.reach(job.name, ["UNCERTAIN"]);
	assert.match(held.status.failure.message, /belongs to another job/);
	const { code, stderr } = await filmgate("resolve", job.name, "--found", remoteId);
	assert.strictEqual(code, 2);
	assert.match(stderr, new RegExp(`is the video of ${adopted.name}`));
	await stack.call("ResolveJob", { name: job.name, resolution: "RESOLUTION_GIVE_UP" });
});

test("pages are turned, the provider's and ours", async () => {
	const there = { provider: "providers/gateway" };
	const ids = new Set();
	for (let i = 0; i < 105; i++) ids.add(await buyThere(`Number ${i}`));
	const all = await listAll({ ...there, page_size: 7 });
	assert.deepStrictEqual(new Set(all.map((orphan) => orphan.remote_id)), ids);
	assert.strictEqual(all.length, ids.size);
	const first = await listPage({ ...there, page_size: 7 });
	assert.strictEqual(first.orphans.length, 7);
	const names = (await filmgate("orphans", "gateway", "--limit", "0", "-o", "name")).stdout.trim().split("\n");
	assert.deepStrictEqual(new Set(names), ids);
	assert.strictEqual((await filmgate("orphans", "gateway", "--limit", "3", "-o", "name")).stdout.trim().split("\n").length, 3);
	for (const page_token of ["x", first.next_page_token + "0", first.next_page_token.replace("-7-", "-8-")])
		await refused(listPage({ ...there, page_token }), "INVALID_ARGUMENT", "INVALID_REQUEST", /page_token/);
	await refused(listPage({ page_token: first.next_page_token }), "INVALID_ARGUMENT", "INVALID_REQUEST", /page_token/);
	await refused(listPage({ page_size: -1 }), "INVALID_ARGUMENT", "INVALID_REQUEST", /is negative/);
	// The oldest is on the provider's second page.
	const { job } = await adopt([...ids][0], there);
	await checkAdopted(await stack.reach(job.name, ["SUCCEEDED"]), [...ids][0]);
});

test("a list may hold anything", async () => {
	const item = (id, more = {}) => ({ id, status: "completed", title: "t", created_at: 1790000000, ...more });
	await stack.fault({ type: "status", status: 200, body: { has_more: false, next_token: null, data: [
		item("good"), item("good"), item(""), item("y".repeat(300)), item("ctl\u0007"), item(7), { status: "x" },
		null, "text", item("huge", { title: "T".repeat(100000), status: "s".repeat(9000) }),
		item("odd", { title: { a: 1 }, status: 5, created_at: "never" }),
		item("old", { created_at: -5 }), item("far", { created_at: 1e300 }), item("../../up"), item("up?x=1#"),
	] } }, { match: LIST });
	const page = await listPage();
	assert.deepStrictEqual(page.orphans.map((orphan) => orphan.remote_id), ["good", "huge", "odd", "old", "far", "up?x=1#"]);
	assert.deepStrictEqual([page.orphans[1].title.length, page.orphans[1].remote_state.length], [1024, 255]);
	assert.deepStrictEqual(page.orphans.map((orphan) => orphan.create_time !== null), [true, true, false, false, false, true]);
	assert.ok(page.unusable_count >= 4, String(page.unusable_count));
});

test("a provider that fails says so, and a list that does not turn its pages ends", async () => {
	const failures = [[{ type: "status", status: 500, body: "<html>" }, "UNAVAILABLE", "PROVIDER_FAILED"],
		[{ type: "reset_after" }, "UNAVAILABLE", "PROVIDER_FAILED"],
		[{ type: "status", status: 401, body: { error: { code: "unauthorized", message: "no" } } }, "UNAVAILABLE", "PROVIDER_FAILED"],
		[{ type: "status", status: 404, body: { error: { code: "not_found", message: "no" } } }, "FAILED_PRECONDITION", "WRONG_STATE"]];
	for (const [action, code, reason] of failures) {
		await stack.fault(action, { match: LIST });
		await refused(listPage(), code, reason);
		await stack.fault(action, { match: LIST });
		await refused(adopt("x"), code, reason);
	}
	await stack.fault({ type: "status", status: 200, body: { data: [], has_more: true, next_token: "again" } },
		{ match: LIST, times: 0 });
	await refused(adopt("x"), "UNAVAILABLE", "PROVIDER_FAILED", /does not turn its pages/);
	await stack.sim("DELETE", "faults");
	await stack.checkLedger();
	assert.deepStrictEqual((await stack.usageRows()).filter((row) => row.provider === "adopted"), []);
});
