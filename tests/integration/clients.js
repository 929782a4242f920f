// The wire contract as foreign clients see it: @grpc/grpc-js with the .proto files, and buf curl with nothing but
// reflection. What they read is what the simulator served.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, grpc, order, root, sha256 } = require("./stack");

const stack = new Stack();
const REFLECTIONS = ["grpc-v1", "grpc-v1alpha"];

before(async () => {
	await stack.startSimulator("--render-time-ms", "300:400", "--concurrency", "1000");
	stack.writeConfig({ concurrency: 0, pollMs: 50 });
	await stack.startDaemon();
});

after(() => stack.finish());

function buf(reflection, method, request, ...options) {
	const args = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "--reflect", "--reflect-protocol", reflection,
		...options, "-d", JSON.stringify(request), `http://${stack.tcp}/${method}`];

	return new Promise((resolve, reject) => {
		child.execFile(path.join(root, "tests/tools/buf"), args, { timeout: 60000, maxBuffer: 64 << 20 },
			(error, stdout, stderr) => (error ? reject(Object.assign(error, { stderr })) : resolve(stdout)));
	});
}

// buf prints one JSON object after the other, each over several lines.
const objects = (text) => text.split(/\n(?=\{)/).filter(Boolean).map((one) => JSON.parse(one));

// Reads `wanted` events and breaks the stream off.
function someEvents(name, after, wanted) {
	return new Promise((resolve, reject) => {
		const events = [];
		const call = stack.jobs.WatchJob({ name, after_revision: after });
		call.on("data", (message) => {
			events.push(message.event);
			if (events.length === wanted) call.cancel();
		});
		call.on("end", () => resolve(events));
		call.on("error", (error) => (error.code === grpc.status.CANCELLED ? resolve(events) : reject(error)));
	});
}

test("health is served", async () => {
	const reply = await new Promise((resolve, reject) => {
		const client = new grpc.Client(stack.tcp, grpc.credentials.createInsecure());
		client.makeUnaryRequest("/grpc.health.v1.Health/Check", (bytes) => bytes, (bytes) => bytes, Buffer.alloc(0),
			{ deadline: Date.now() + 10000 }, (error, bytes) => {
				client.close();
				if (error) reject(error);
				else resolve(bytes);
			});
	});
	assert.strictEqual(reply.toString("hex"), "0801", "SERVING");
});

test("grpc-js: create, watch from a revision, reconnect, read", async () => {
	const { name } = await stack.create("js-1", "From JavaScript.");
	const again = await stack.call("CreateJob", { job: order("From JavaScript."), request_id: "js-1" });
	assert.deepStrictEqual([again.replayed, again.job.name], [true, name]);

	const first = await someEvents(name, 0, 2);
	assert.strictEqual(first[0].kind, "JOB_EVENT_KIND_SNAPSHOT");
	assert.strictEqual(first[1].revision, first[0].revision + 1);
	const rest = (await stack.stream("WatchJob", { name, after_revision: first[1].revision })).map((m) => m.event);
	const last = rest[rest.length - 1];
	assert.strictEqual(last.status.state, "JOB_STATE_SUCCEEDED");
	rest.forEach((event, i) => assert.strictEqual(event.revision, first[1].revision + 1 + i));

	const job = await stack.get(name);
	assert.strictEqual(job.revision, last.revision);
	await stack.checkSucceeded(job, await stack.charges());
	const video = job.status.artifacts[0];
	const whole = await stack.read(video.name);
	assert.ok((await stack.read(video.name, 1000)).equals(whole.subarray(1000)));
	assert.ok((await stack.read(video.name, 10, 20)).equals(whole.subarray(10, 30)));
	assert.strictEqual((await stack.read(video.name, video.size_bytes)).length, 0);
	await assert.rejects(stack.read(video.name, video.size_bytes + 1), { code: grpc.status.OUT_OF_RANGE });
});

test("grpc-js: list with pages", async () => {
	const names = [];

	for (let i = 0; i < 7; i++)
		names.unshift((await stack.create(`page-${i}`, "A page.", {
			job: order("A page.", { labels: { test: "pages" } }) })).name);
	const listed = [];
	let token = "", pages = 0;
	do {
		const page = await stack.call("ListJobs",
			{ filter: { labels: { test: "pages" } }, page_size: 3, page_token: token });
		assert.ok(page.jobs.length <= 3);
		listed.push(...page.jobs.map((job) => job.name));
		token = page.next_page_token;
		pages++;
	} while (token && pages < 100);
	assert.deepStrictEqual(listed, names, "newest first, each once");
	assert.ok(pages >= 3);
	await assert.rejects(stack.call("ListJobs", { page_token: "nonsense" }), { code: grpc.status.INVALID_ARGUMENT });
	for (const name of names) await stack.reach(name, ["SUCCEEDED"]);
});

test("grpc-js: cancel, retry, delete", async () => {
	await stack.fault({ type: "retry_after", seconds: 3600 }, { match: { method: "POST", path: "/v3/videos" } });
	const { name } = await stack.create("cancel-1", "Never sent.");
	await stack.reach(name, ["QUEUED"]);
	await assert.rejects(stack.call("RetryJob", { name, request_id: "retry-early" }),
		{ code: grpc.status.FAILED_PRECONDITION });
	await assert.rejects(stack.call("DeleteJob", { name }), { code: grpc.status.FAILED_PRECONDITION });
	const cancelled = await stack.call("CancelJob", { name });
	const job = await stack.reach(name, ["CANCELLED"]);
	assert.ok(["CANCEL_OUTCOME_NEVER_SENT", "CANCEL_OUTCOME_REQUESTED"].includes(cancelled.outcome), cancelled.outcome);
	assert.strictEqual(job.status.cancel.outcome, "CANCEL_OUTCOME_NEVER_SENT");
	assert.strictEqual((await stack.call("CancelJob", { name })).outcome, "CANCEL_OUTCOME_NEVER_SENT");

	// The lane of the provider waits for its hour; a restart forgets it.
	await stack.sim("DELETE", "faults");
	await stack.daemon.stop("SIGTERM");
	await stack.startDaemon();
	const retried = await stack.call("RetryJob", { name, request_id: "retry-1" });
	assert.strictEqual(retried.job.retry_of, name);
	const replayed = await stack.call("RetryJob", { name, request_id: "retry-1" });
	assert.deepStrictEqual([replayed.replayed, replayed.job.name], [true, retried.job.name]);
	const done = await stack.reach(retried.job.name, ["SUCCEEDED"]);
	await stack.checkSucceeded(done, await stack.charges());

	const [artifact] = done.status.artifacts;
	await stack.call("DeleteJob", { name: done.name });
	await assert.rejects(stack.get(done.name), { code: grpc.status.NOT_FOUND });
	await assert.rejects(stack.read(artifact.name), { code: grpc.status.NOT_FOUND });
	await assert.rejects(stack.call("DeleteJob", { name: done.name }), { code: grpc.status.NOT_FOUND });
	await assert.rejects(stack.call("RetryJob", { name, request_id: "retry-1" }), { code: grpc.status.ALREADY_EXISTS });
});

test("what the configuration leaves open is as the plugin says", async () => {
	const { provider } = await stack.call("GetProvider", { name: "providers/heygen" }, stack.providers);

	assert.strictEqual(provider.concurrency, 10);
});

const REFERENCE = { kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_REFERENCE", url: "https://example.com/a.png" };
const STYLE = { fields: { style: { stringValue: "default" } } };
const MADE = {
	"an avatar with captions": [
		order("With captions.", { parameters: {
			avatar_id: "demo_avatar", script: { text: "With captions." }, extras: { fields: { caption: { structValue: STYLE } } },
		} }),
		{ video: "video/mp4", captioned_video: "video/mp4", subtitles: "application/x-subrip", thumbnail: "image/jpeg",
			preview: "image/gif" },
	],
	"an acting avatar": [
		order("", { model: "cinematic", parameters: { avatar_id: "demo_avatar", prompt: "They dance.", media: [REFERENCE] } }),
		{ video: "video/mp4", thumbnail: "image/jpeg", preview: "image/gif" },
	],
	"a generated video": [
		order("", { model: "heygen-video-1", parameters: { prompt: "A boat.", media: [REFERENCE] } }),
		{ video: "video/mp4" },
	],
};

for (const [what, [job, expected]] of Object.entries(MADE))
	test(`${what} comes home with all that belongs to it`, async () => {
		const { name } = (await stack.call("CreateJob", { job, request_id: what.replaceAll(" ", "-") })).job;
		const { status } = await stack.reach(name, ["SUCCEEDED"]);
		const found = Object.fromEntries(status.artifacts.map((artifact) => [artifact.role, artifact.media_type]));

		assert.deepStrictEqual(found, expected);
		assert.deepStrictEqual(status.missing_roles, []);
		for (const artifact of status.artifacts)
			assert.strictEqual(sha256(await stack.read(artifact.name)), artifact.sha256);
		assert.strictEqual((await stack.charges()).filter((row) =>
			row.video_id === status.attempts[0].remotes[0].remote_id).length, 1);
	});

for (const reflection of REFLECTIONS)
	test(`buf curl through ${reflection}`, async () => {
		const service = "filmgate.v1.JobService";
		const job = order(`From ${reflection}.`, { labels: { from: reflection } });
		const call = async (method, request) => JSON.parse(await buf(reflection, `${service}/${method}`, request));

		const health = JSON.parse(await buf(reflection, "grpc.health.v1.Health/Check", {}));
		assert.strictEqual(health.status, "SERVING");
		const { name } = (await call("CreateJob", { job, request_id: reflection })).job;
		const events = objects(await buf(reflection, `${service}/WatchJob`, { name, after_revision: 1 }))
			.map((message) => message.event);
		events.forEach((event, i) => assert.strictEqual(Number(event.revision), i + 2));
		assert.strictEqual(events[events.length - 1].status.state, "JOB_STATE_SUCCEEDED");
		const page = await call("ListJobs", { filter: { labels: { from: reflection } }, page_size: 1 });
		assert.strictEqual(page.jobs[0].name, name);
		const [video] = (await call("GetJob", { name })).job.status.artifacts;
		const chunks = objects(await buf(reflection, "filmgate.v1.ArtifactService/ReadArtifact", { name: video.name }));
		const bytes = Buffer.concat(chunks.map((chunk) => Buffer.from(chunk.data, "base64")));
		assert.strictEqual(sha256(bytes), video.sha256);
		await stack.checkSucceeded(await stack.get(name), await stack.charges());
		assert.strictEqual((await call("CancelJob", { name })).outcome, "CANCEL_OUTCOME_TOO_LATE");
		const retried = (await call("RetryJob", { name, request_id: `${reflection}-again` })).job;
		assert.strictEqual(retried.retry_of || retried.retryOf, name);
		await stack.reach(retried.name, ["SUCCEEDED"]);
		await call("DeleteJob", { name: retried.name });
		await assert.rejects(call("GetJob", { name: retried.name }), /not_found/);
	});
