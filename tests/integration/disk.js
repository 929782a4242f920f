// A disk that is full, or fills up at the worst moment. What was acknowledged is there afterwards, what was not is not
// claimed, nothing is bought twice, and whoever has to make room is told where.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { test, beforeEach, afterEach } = require("node:test");
const { Stack, grpc, until } = require("./stack");
const { SmallDisk } = require("./small_disk");

const PLENTY = 2 ** 40;
const BELOW_ONE_VIDEO = 100 << 20; // less than is reserved before a video is bought
const SUBMIT = { method: "POST", path: "/v3/videos" };
const FILE = { host: "files", path: "/files/" };
let stack, disk;

beforeEach(async () => {
	stack = new Stack();
	fs.mkdirSync(path.join(stack.data, "filmgate"));
	disk = new SmallDisk(path.join(stack.data, "filmgate"), path.join(stack.data, "room"));
	disk.room = PLENTY;
	await stack.startSimulator("--render-time-ms", "1500:2500", "--concurrency", "1000");
	stack.writeConfig({ concurrency: 20, pollMs: 100 });
});

afterEach(async () => {
	await stack.finish();
	disk.close();
});

const start = () => stack.startDaemon(disk.env());
const log = () => fs.readFileSync(stack.daemonLog, "utf8");
const says = (...words) => log().split("\n").find((line) => words.every((word) => line.includes(word)));

function health() {
	return new Promise((resolve, reject) => {
		const client = new grpc.Client(stack.tcp, grpc.credentials.createInsecure());
		client.makeUnaryRequest("/grpc.health.v1.Health/Check", (bytes) => bytes, (bytes) => bytes, Buffer.alloc(0),
			{ deadline: Date.now() + 10000 }, (error, bytes) => {
				client.close();
				if (error) reject(error);
				else resolve(bytes.toString("hex") === "0801" ? "SERVING" : "NOT_SERVING");
			});
	});
}

async function refusedByTheStore(call) {
	const error = await call.then(() => assert.fail("it was acknowledged"), (error) => error);

	assert.strictEqual(error.code, grpc.status.UNAVAILABLE, String(error));
	assert.match(error.details, /the store takes no writes; make room on the daemon's disk .*restart/);
}

// All jobs that were acknowledged end well, with one charge each; @names are theirs.
async function everyOneSucceeds(names) {
	for (const name of names) await stack.checkSucceeded(await stack.reach(name, ["SUCCEEDED"]), await stack.charges());
	assert.strictEqual((await stack.charges()).length, (await stack.list()).length, "one charge per job");
}

// The room that is left decides how much of the record that does not fit is written.
for (const room of [0, 1, 100, 700])
	test(`a commit that does not fit into ${room} bytes`, { timeout: 120000 }, async () => {
		const names = [];
		let refused;

		await start();
		for (let i = 0; i < 3; i++) names.push((await stack.create(`before-${i}`, "Before it is full.")).name);
		await stack.reach(names[0], ["RUNNING"]);
		disk.room = room;
		for (let i = 0; !refused; i++) {
			assert.ok(i < 100, "the disk is full in the end");
			await stack.create(`full-${i}`, "While it is full.").then((job) => names.push(job.name), (error) => {
				refused = `full-${i}`;
				return refusedByTheStore(Promise.reject(error));
			});
		}

		assert.ok(stack.daemon.alive, "the daemon lives");
		assert.strictEqual(await health(), "NOT_SERVING");
		for (const name of names) assert.strictEqual((await stack.get(name)).name, name, "it can be read");
		await refusedByTheStore(stack.create("more", "Again."));
		await refusedByTheStore(stack.call("UpdateJob",
			{ job: { name: names[0], display_name: "x" }, update_mask: { paths: ["display_name"] } }));
		assert.ok(says("the store failed to write", disk.folder, "No space left", "make room", "restart"), log());

		const end = await stack.daemon.stop("SIGTERM", 20000);
		assert.deepStrictEqual([end.code, end.signal], [0, null], "it ends as it was told to");
		disk.room = PLENTY;
		await start();
		assert.strictEqual(await health(), "SERVING");
		names.push((await stack.create(refused, "While it is full.")).name);
		assert.strictEqual((await stack.list()).length, new Set(names).size, "each request is one job");
		await everyOneSucceeds(names);
	});

const FULL = new RegExp("^filmgated: (the disk that holds the store '.*/filmgate/store/records' is full; free some space and " +
	"start again|cannot write to the store '.*/filmgate/store': No space left on device; look at its rights and its disk, .*)$");

test("a daemon does not begin on a full disk, and begins when there is room", { timeout: 120000 }, async () => {
	for (const room of [0, 10, 50, 100, 200]) {
		disk.room = room;
		assert.match(await stack.refuseToStart(disk.env()), FULL);
	}
	disk.room = PLENTY;
	await start();
	await everyOneSucceeds([(await stack.create("first", "At last.")).name]);
});

test("a daemon does not start on a full disk, and leaves it as it was", { timeout: 120000 }, async () => {
	await start();
	const { name } = await stack.create("before", "Before it is full.");
	await stack.reach(name, ["RUNNING"]);
	await stack.daemon.stop("SIGKILL");
	for (const room of [0, 10, 2000]) {
		disk.room = room;
		assert.match(await stack.refuseToStart(disk.env()), FULL);
	}
	disk.room = PLENTY;
	await start();
	await everyOneSucceeds([name]);
});

test("the reply to a paid request that cannot be stored is asked for again", { timeout: 120000 }, async () => {
	await start();
	await stack.fault({ type: "delay", delay_ms: 1500 }, { match: SUBMIT });
	const { name } = await stack.create("paid", "Paid for.");
	await until("the charge", async () => (await stack.charges()).length === 1);
	disk.room = 0;
	await until("the failed write", () => says("the store failed to write"));
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_STARTING");
	await stack.daemon.stop("SIGTERM", 20000);
	disk.room = PLENTY;
	await start();
	await everyOneSucceeds([name]);
	const job = await stack.get(name);
	const sends = job.status.attempts.flatMap((attempt) => attempt.sends);
	assert.strictEqual(sends.length, 2, "it was sent again under its key");
	assert.strictEqual(new Set(sends.map((send) => send.idempotency_key)).size, 1);
});

const waitsForDisk = (job) => job.status.wait && job.status.wait.reason === "JOB_WAIT_REASON_DISK";

async function waitingForDisk(name, state) {
	return until(`${name} to wait for the disk in ${state}`, async () => {
		const job = await stack.get(name);
		return job.status.state === `JOB_STATE_${state}` && waitsForDisk(job) && job;
	});
}

test("without room nothing is bought, what was bought waits, and both go on", { timeout: 180000 }, async () => {
	await start();
	await stack.fault({ type: "delay", delay_ms: 1500 }, { match: FILE });
	const bought = (await stack.create("bought", "Bought.")).name;
	await stack.reach(bought, ["STORING"]);
	// Room for the records, not for the video.
	disk.room = 4000;
	await waitingForDisk(bought, "STORING");
	assert.ok(says("a paid video cannot be stored", "make room", bought, disk.folder, "No space left"), log());
	disk.room = BELOW_ONE_VIDEO;

	const waiting = [];
	for (let i = 0; i < 3; i++) waiting.push((await stack.create(`waiting-${i}`, "Not bought.")).name);
	for (const name of waiting) await waitingForDisk(name, "QUEUED");
	assert.ok(says("provider takes no jobs", "disk"), log());
	const provider = (await stack.call("GetProvider", { name: "providers/heygen" }, stack.providers)).provider;
	assert.match(provider.problem, /disk .*limits\.reserve_bytes/);
	assert.strictEqual((await stack.charges()).length, 1, "nothing was bought");
	assert.strictEqual(await health(), "SERVING");

	disk.room = PLENTY;
	for (const name of [bought, ...waiting]) await stack.reach(name, ["SUCCEEDED"], 90000);
	await everyOneSucceeds([bought, ...waiting]);
});
