// Requests that a client should not send, at the real door with the real engine behind it: each is refused with its
// code, its reason and the field that is wrong; and watchers that come in crowds, or never read. The job that was there
// before goes on as if nothing had been.
//
// rpc.door has the same in more detail, with an engine that is not real.
"use strict";

const assert = require("node:assert");
const { test, before, after, afterEach } = require("node:test");
const { Stack, detailsOf, grpc, order, until } = require("./stack");

const CREATE = "/filmgate.v1.JobService/CreateJob";
const WATCHERS = 1000;
const stack = new Stack();
let bystander, raw;

before(async () => {
	await stack.startSimulator("--render-time-ms", "3000:4000", "--concurrency", "1000");
	stack.writeConfig({ concurrency: 100 });
	await stack.startDaemon();
	raw = new grpc.Client(stack.tcp, grpc.credentials.createInsecure(), { "grpc.max_send_message_length": -1 });
	bystander = (await stack.create("bystander", "Not touched.")).name;
});

after(async () => {
	raw.close();
	await stack.finish();
});

afterEach(async () => {
	assert.ok(stack.daemon.alive, "the daemon lives");
	assert.strictEqual((await stack.get(bystander)).name, bystander);
});

// ---- what a refusal says ----

const send = (data, method = CREATE) => new Promise((resolve, reject) => {
	raw.makeUnaryRequest(method, (bytes) => bytes, (bytes) => bytes, data, { deadline: Date.now() + 30000 },
		(error, reply) => (error ? reject(error) : resolve(reply)));
});

async function refused(call, code, reason, field, words) {
	const error = await call.then(() => assert.fail("it was taken"), (refusal) => refusal);
	const details = detailsOf(error);

	assert.strictEqual(grpc.status[error.code], code, String(error));
	if (!reason) return;
	assert.strictEqual(details.ErrorInfo.reason, reason, error.details);
	if (!field) return;
	const violation = details.BadRequest.fieldViolations.find((one) => one.field === field);
	assert.ok(violation, `${JSON.stringify(details.BadRequest)} names ${field}`);
	assert.match(violation.description, words);
}

// ---- protocol buffers by hand ----

function varint(number) {
	const bytes = [];

	for (; number >= 0x80; number = Math.floor(number / 128)) bytes.push((number % 128) | 0x80);
	return Buffer.from([...bytes, number]);
}

// The field @tags[0] in the field @tags[1] and so on, around @data.
const within = (data, ...tags) =>
	tags.reduce((inner, tag) => Buffer.concat([varint(tag * 8 + 2), varint(inner.length), inner]), data);
const JOB = 1, DISPLAY_NAME = 9, PARAMETERS = 8; // of CreateJobRequest, Job and Job

test("text that is not UTF-8", () =>
	refused(send(within(Buffer.from("a\xffb", "latin1"), DISPLAY_NAME, JOB)), "INVALID_ARGUMENT", "MALFORMED_MESSAGE",
		"job.display_name", /not UTF-8/));

test("text with a NUL", () =>
	refused(send(within(Buffer.from("a\0b"), DISPLAY_NAME, JOB)), "INVALID_ARGUMENT", "MALFORMED_MESSAGE",
		"job.display_name", /contains a NUL/));

test("an unknown enum value", () =>
	refused(send(within(Buffer.from([0x68, 99]), PARAMETERS, JOB)), "INVALID_ARGUMENT", "INVALID_REQUEST",
		"job.parameters.audio", /99 is not a value of Toggle/));

test("34 KB of nested messages", () => {
	let data = Buffer.alloc(0);

	// A Struct's ListValue in its Value in the next ListValue, as deep as it gets.
	for (let i = 0; i < 10000; i++) data = within(data, 1, 6);
	data = within(data, 2, 1, 19, PARAMETERS, JOB);
	assert.ok(data.length > 34 << 10);
	return refused(send(data), "INVALID_ARGUMENT", "MALFORMED_MESSAGE");
});

test("4 MiB of empty submessages", () => {
	const media = Buffer.alloc((4 << 20) - 64, Buffer.from([0x32, 0x00]));

	return refused(send(within(media, PARAMETERS, JOB)), "INVALID_ARGUMENT", "MALFORMED_MESSAGE");
});

test("a message above 4 MiB", () =>
	refused(send(within(Buffer.alloc(5 << 20, "a"), 2)), "RESOURCE_EXHAUSTED"));

test("bytes that are no message", () => refused(send(Buffer.from([0xff])), "INVALID_ARGUMENT", "MALFORMED_MESSAGE"));

// ---- orders ----

const wrong = {
	"an unknown provider": [{ provider: "providers/nobody" }, "job.provider", /'nobody'.*heygen/],
	"a provider that is no name": [{ provider: "heygen" }, "job.provider", /'heygen'.*providers\//],
	"an unknown model": [{ model: "statue" }, "job.model", /'statue'.*avatar/],
	"a value that the model does not take": [{ parameters: { resolution: "9p" } }, "job.parameters.resolution", /'9p'.*720p/],
	"a text that is too long": [{ parameters: { script: { text: "x".repeat(5001) } } }, "job.parameters.script.text", /5001.*5000/],
	"a parameter that the model does not have": [{ parameters: { seed: 1 } }, "job.parameters.seed", /./],
	"a parameter that is missing": [{ parameters: { avatar_id: "" } }, "job.parameters.avatar_id", /./],
};

for (const [name, [change, field, words]] of Object.entries(wrong))
	test(name, async () => {
		const job = order("Never sent.");
		const merged = { ...job, ...change, parameters: { ...job.parameters, ...change.parameters } };

		for (const more of [{}, { validate_only: true }])
			await refused(stack.call("CreateJob", { job: merged, request_id: name.replace(/ /g, "-"), ...more }),
				"INVALID_ARGUMENT", "INVALID_REQUEST", field, words);
	});

test("every wrong field is named at once", async () => {
	const job = order("Never sent.", { model: "avatar" });

	Object.assign(job.parameters, { resolution: "9p", seed: 1 });
	for (const field of ["job.parameters.resolution", "job.parameters.seed"])
		await refused(stack.call("CreateJob", { job }), "INVALID_ARGUMENT", "INVALID_REQUEST", field, /./);
});

// ---- watchers ----

const rename = (name, text) => stack.call("UpdateJob",
	{ job: { name, display_name: text }, update_mask: { paths: ["display_name"] } });

// A job that stands still: its provider asks for a pause.
async function waitingJob(id) {
	await stack.fault({ type: "retry_after", seconds: 3600 }, { match: { method: "POST", body_contains: id } });
	const { name } = await stack.create(id, `Text of ${id}.`);

	return until("the pause", async () => {
		const job = await stack.get(name);
		return job.status.wait && job.status.wait.reason === "JOB_WAIT_REASON_RATE_LIMIT" && job;
	});
}

test("a thousand watchers see every change", { timeout: 120000 }, async () => {
	const { name, revision } = await waitingJob("watched");
	const changes = [1, 2, 3, 4, 5];
	const watches = Array.from({ length: WATCHERS }, () => {
		const seen = [];
		const call = stack.jobs.WatchJob({ name, after_revision: revision });
		call.on("data", ({ event }) => seen.push(event.revision));
		call.on("error", () => {});
		return { call, seen };
	});

	for (const i of changes) await rename(name, `name ${i}`);
	await until("all to be told", () => watches.every(({ seen }) => seen.length >= changes.length));
	for (const { call, seen } of watches) {
		assert.deepStrictEqual(seen, changes.map((i) => revision + i));
		call.cancel();
	}
	await stack.call("CancelJob", { name });
});

test("a watcher that does not read holds up nobody and misses nothing", { timeout: 120000 }, async () => {
	const { name, revision } = await waitingJob("unread");
	const call = stack.jobs.WatchJob({ name, after_revision: revision });
	const seen = [];
	let over;

	call.on("error", (error) => (over = error)); // without "data" nothing is read
	for (let i = 0; i < 600; i++) await rename(name, `${i} `.padEnd(200, "x"));
	const last = (await stack.get(name)).revision;
	assert.ok(last >= revision + 600);
	const others = (await stack.stream("WatchJob", { name: bystander })).length;
	assert.ok(others > 0, "other watches work");

	call.on("data", ({ event }) => seen.push(event.revision));
	await until("what was kept for it", () => over || seen[seen.length - 1] === last);
	if (over) assert.strictEqual(detailsOf(over).ErrorInfo.reason, "WATCHER_TOO_SLOW", String(over));
	call.cancel();
	assert.deepStrictEqual(seen, seen.map((_, i) => revision + 1 + i), "without a gap");
	await stack.call("CancelJob", { name });
	const rest = (await stack.stream("WatchJob", { name, after_revision: revision + seen.length })).map((m) => m.event.revision);
	assert.strictEqual(rest[rest.length - 1], (await stack.get(name)).revision);
	assert.deepStrictEqual(rest, rest.map((_, i) => revision + seen.length + 1 + i), "and the rest when it comes back");
});

test("the job that was there before has its video, and nothing was bought by mistake", async () => {
	await stack.checkSucceeded(await stack.reach(bystander, ["SUCCEEDED"]), await stack.charges());
	assert.strictEqual((await stack.charges()).length, 1);
	assert.strictEqual((await stack.list()).length, 3, "what was refused is no job");
});
