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
	assert.match(error.details, /the store takes (no writes|nothing new): its disk, at '.*\/store\/records', .*repeat the request$/);
}

const sends = (job) => job.status.attempts.flatMap((attempt) => attempt.sends);
const whenServing = () => until("it serves again", async () => (await health()) === "SERVING");

// All jobs that were acknowledged end well, with one charge each; @names are theirs.
async function everyOneSucceeds(names) {
	for (const name of names) await stack.checkSucceeded(await stack.reach(name, ["SUCCEEDED"]), await stack.charges());
	assert.strictEqual((await stack.charges()).length, (await stack.list()).length, "one charge per job");
}

const NEARLY_FULL = 60 << 20; // below the room that is kept for the jobs under way
const BROKEN = -1;
const LIVES = [["is full to the last byte", 0], ["is full after half a record", 100], ["is full after a record", 700],
	["breaks", BROKEN]];

// The room that is left decides how much of the record that does not fit is written.
for (const [what, room] of LIVES)
	test(`a disk that ${what} and recovers, without a restart`, { timeout: 180000 }, async () => {
		const names = [];
		let refused = 0;

		await start();
		for (let i = 0; i < 12; i++) names.push((await stack.create(`before-${i}`, "Before.")).name);
		await stack.reach(names[0], ["RUNNING"]);
		const { pid } = stack.daemon.process;
		disk.room = room;
		for (let i = 0; refused < 3; i++) {
			assert.ok(i < 100, "nothing is accepted in the end");
			await stack.create(`full-${i}`, "Meanwhile.").then((job) => names.push(job.name), (error) => {
				refused++;
				return refusedByTheStore(Promise.reject(error));
			});
		}
		await until("the failed write", () => says("the store failed to write"));
		assert.ok(says("the store failed to write", disk.folder, "make room"), log());
		assert.strictEqual(await health(), "NOT_SERVING");
		for (const name of names) assert.strictEqual((await stack.get(name)).name, name, "it can be read");
		await refusedByTheStore(stack.call("UpdateJob",
			{ job: { name: names[0], display_name: "x" }, update_mask: { paths: ["display_name"] } }));
		// Long enough for every kind of step of a job's life to come to where it has to write.
		await new Promise((resolve) => setTimeout(resolve, 3000));

		disk.room = PLENTY;
		await whenServing();
		assert.ok(says("the store can be written to again"), log());
		for (let i = 0; i < 100; i++) {
			const again = (await stack.create(`full-${i}`, "Meanwhile.")).name;
			if (!names.includes(again)) names.push(again);
			if (i >= 3) break;
		}
		await everyOneSucceeds(names);
		assert.strictEqual((await stack.list()).length, new Set(names).size, "each request is one job");
		for (const name of names) assert.strictEqual(sends(await stack.get(name)).length, 1, "nothing was sent again");
		assert.strictEqual(stack.daemon.process.pid, pid);
		const audit = await stack.call("CheckLedger", {}, stack.usage);
		assert.deepStrictEqual([audit.unbalanced_count, audit.leaked_count], [0, 0], JSON.stringify(audit));
	});

test("nothing is accepted before the disk is full, and what runs goes on", { timeout: 120000 }, async () => {
	await start();
	const { name } = await stack.create("before", "Before it is nearly full.");
	await stack.reach(name, ["RUNNING"]);
	disk.room = NEARLY_FULL;
	await until("it takes nothing new", async () => (await health()) === "NOT_SERVING");
	await refusedByTheStore(stack.create("late", "Too late."));
	assert.ok(says("the store takes nothing new", disk.folder), log());
	await stack.call("UpdateJob", { job: { name, display_name: "x" }, update_mask: { paths: ["display_name"] } });
	await stack.checkSucceeded(await stack.reach(name, ["SUCCEEDED"]), await stack.charges());
	assert.ok(!says("the store failed to write"), log());
	disk.room = PLENTY;
	await whenServing();
	await everyOneSucceeds([name, (await stack.create("late", "Too late.")).name]);
});

test("who watches misses no revision and sees none twice", { timeout: 120000 }, async () => {
	await start();
	const seen = new Map();
	const watch = stack.jobs.WatchJobs({});
	watch.on("error", () => {});
	watch.on("data", ({ event }) => seen.set(event.job, [...(seen.get(event.job) || []), event.revision]));
	const names = [];
	for (let i = 0; i < 8; i++) names.push((await stack.create(`seen-${i}`, "Seen.")).name);
	for (const room of [BROKEN, 0]) {
		disk.room = room;
		await until("it fails", async () => (await health()) === "NOT_SERVING");
		await new Promise((resolve) => setTimeout(resolve, 1000));
		disk.room = PLENTY;
		await whenServing();
	}
	await everyOneSucceeds(names);
	await until("the last events", () => names.every((name) => (seen.get(name) || []).length > 4));
	for (const name of names) {
		const revisions = seen.get(name);
		assert.deepStrictEqual(revisions, revisions.map((_, i) => revisions[0] + i), name);
	}
	watch.cancel();
});

test("a daemon that stops on a full disk ends, and begins where it stood", { timeout: 120000 }, async () => {
	const names = [];

	await start();
	for (let i = 0; i < 3; i++) names.push((await stack.create(`before-${i}`, "Before it is full.")).name);
	await stack.reach(names[0], ["RUNNING"]);
	disk.room = 0;
	await until("the failed write", () => says("the store failed to write"));
	const end = await stack.daemon.stop("SIGTERM", 20000);
	assert.deepStrictEqual([end.code, end.signal], [0, null], "it ends as it was told to");
	disk.room = PLENTY;
	await start();
	assert.strictEqual(await health(), "SERVING");
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

test("the reply to a paid request that cannot be stored is kept in memory", { timeout: 120000 }, async () => {
	await start();
	await stack.fault({ type: "delay", delay_ms: 1500 }, { match: SUBMIT });
	const { name } = await stack.create("paid", "Paid for.");
	await until("the charge", async () => (await stack.charges()).length === 1);
	disk.room = 0;
	await until("the failed write", () => says("the store failed to write"));
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_STARTING");
	disk.room = PLENTY;
	await everyOneSucceeds([name]);
	assert.strictEqual(sends(await stack.get(name)).length, 1, "it was not asked for again");
});

test("and is asked for again when the daemon ends before", { timeout: 120000 }, async () => {
	await start();
	await stack.fault({ type: "delay", delay_ms: 1500 }, { match: SUBMIT });
	const { name } = await stack.create("paid", "Paid for.");
	await until("the charge", async () => (await stack.charges()).length === 1);
	disk.room = 0;
	await until("the failed write", () => says("the store failed to write"));
	await stack.daemon.stop("SIGTERM", 20000);
	disk.room = PLENTY;
	await start();
	await everyOneSucceeds([name]);
	const job = await stack.get(name);
	assert.strictEqual(sends(job).length, 2, "it was sent again under its key");
	assert.strictEqual(new Set(sends(job).map((send) => send.idempotency_key)).size, 1);
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
	await whenServing();

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
