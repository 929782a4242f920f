// A backup that is made while everything goes on, and what a daemon does that was restored from it: it keeps what it
// has, and buys nothing for what was open before somebody says so.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { Stack, bin, detailsOf, sha256, sleep, until } = require("./stack");

const ORDERS = 100;
const stack = new Stack();
const data = path.join(stack.data, "filmgate");
const backup = path.join(stack.data, "backup");
const done = []; // before the backup
const open = []; // at the backup; bought after it
let lost; // likewise, and on its way then
let charges;

function cli(...words) {
	return new Promise((resolve) => {
		child.execFile(path.join(bin, "filmgate"), ["--server", `unix:${stack.socket}`, ...words], { timeout: 120000 },
			(error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
	});
}

async function refuses(folder, words) {
	const { code, stderr } = await cli("backup", folder);

	assert.ok(code === 1 || code === 2, stderr);
	assert.match(stderr, words);
}

// In place of the data directory, as the README says.
async function restore(from) {
	await stack.daemon.stop();
	fs.rmSync(data, { recursive: true });
	fs.cpSync(from, data, { recursive: true });
	await stack.startDaemon();
}

const isHeld = (job) => job.status.state === "JOB_STATE_QUEUED" && job.status.wait?.reason === "JOB_WAIT_REASON_HELD";

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	stack.writeConfig({ concurrency: 1 });
	await stack.startDaemon();
	for (let i = 0; i < 5; i++) done.push((await stack.create(`done-${i}`, "Done before.")).name);
	for (const name of done) await stack.reach(name, ["SUCCEEDED"]);
});
after(() => stack.finish());

test("a folder that cannot be made is refused, and says why", async () => {
	await refuses(stack.data, /is there already; name a folder that is not/);
	await refuses(path.join(stack.data, "missing", "backup"),
		/INVALID_ARGUMENT.*\n.*path: the folder '.*missing', in which it would be made, cannot be reached: No such file or directory/);
	await refuses(path.join(data, "backup"), /is inside the data directory; name a folder outside of it/);
	fs.symlinkSync(path.join(data, "artifacts"), path.join(stack.data, "link"));
	await refuses(path.join(stack.data, "link", "backup"), /is inside the data directory/);
	await refuses("x".repeat(300), /cannot be reached: File name too long/);
	await assert.rejects(stack.call("CreateBackup", { path: "backup" }, stack.backups), (error) => {
		const [violation] = detailsOf(error).BadRequest.fieldViolations;
		assert.strictEqual(violation.field, "path");
		return /'backup' is no absolute path on the daemon's machine/.test(violation.description);
	});
});

test("a backup is made while orders come in", async () => {
	await stack.fault({ type: "drop_reply_after_charge" }, { match: { method: "POST", path: "/v3/videos", body_contains: "Lost" } });
	lost = (await stack.create("lost", "Lost on its way.")).name;
	await until("the order to be charged", async () => (await stack.charges()).length === done.length + 1);
	for (let i = 0; i < ORDERS; i++) open.push((await stack.create(`open-${i}`, "Open at the backup.")).name);
	const { code, stdout, stderr } = await cli("backup", `${backup}/`);
	assert.strictEqual(code, 0, stderr);
	assert.match(stdout, new RegExp(`^${backup}  \\d+ artifacts, `));
	assert.ok(!fs.existsSync(`${backup}.partial`));
	assert.strictEqual(fs.statSync(backup).mode & 0o777, 0o700);
	await refuses(backup, /is there already/);
});

test("what was open in the backup is bought after it", async () => {
	stack.writeConfig({ concurrency: 16 });
	await stack.daemon.stop("SIGKILL");
	await stack.startDaemon();
	for (const name of [lost, ...open]) await stack.reach(name, ["SUCCEEDED"], 120000);
	charges = await stack.charges();
	assert.strictEqual(charges.length, done.length + 1 + open.length);
});

test("a daemon restored from it has what was finished, and buys nothing", async () => {
	await restore(backup);
	for (const name of done) {
		const job = await stack.get(name);
		assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED");
		const video = job.status.artifacts.find((artifact) => artifact.role === "video");
		assert.strictEqual(sha256(await stack.read(video.name)), video.sha256);
	}
	for (const name of open) await until(`${name} to be held`, async () => isHeld(await stack.get(name)));
	assert.strictEqual((await stack.get(open[0])).status.wait.until_time, null, "no time ends it");
	const { status } = await stack.reach(lost, ["UNCERTAIN", "RUNNING", "STORING", "SUCCEEDED"]);
	assert.ok(status.attempts.every((attempt) => attempt.sends.length === 1), "nothing is sent again");
	const { stdout } = await cli("get", open[0]);
	assert.match(stdout, /restored from a copy; 'filmgate resume' releases it/);
	const next = await stack.create("after", "Ordered after the restore.");
	await stack.reach(next.name, ["SUCCEEDED"]);
	assert.strictEqual((await stack.charges()).length, charges.length + 1, "only the new order is bought");
});

test("a restart is no second restore, and what is held stays held", async () => {
	assert.ok(!fs.existsSync(path.join(data, "store/copy")));
	await stack.daemon.stop();
	await stack.startDaemon();
	await sleep(500);
	assert.ok(isHeld(await stack.get(open[0])));
	const next = await stack.create("after-2", "Ordered after the restart.");
	await stack.reach(next.name, ["SUCCEEDED"]);
	assert.strictEqual((await stack.charges()).length, charges.length + 2);
});

test("what is cancelled while it is held does not claim that nothing was bought", async () => {
	const { job, outcome } = await stack.call("CancelJob", { name: open[1] });

	assert.strictEqual(outcome, "CANCEL_OUTCOME_DETACHED");
	assert.strictEqual(job.status.state, "JOB_STATE_CANCELLED");
	assert.strictEqual(job.status.failure.purchased, "PURCHASED_UNKNOWN");
	assert.match(job.status.failure.message, /restored from a copy/);
});

test("released jobs go on under the keys of the first orders", async () => {
	const one = await cli("resume", open[0]);
	assert.strictEqual(one.code, 0, one.stderr);
	await stack.reach(open[0], ["SUCCEEDED"]);
	assert.ok(isHeld(await stack.get(open[2])), "only what was named");
	const all = await cli("resume", "--all");
	assert.strictEqual(all.code, 0, all.stderr);
	for (const name of open.filter((_, i) => i !== 1)) await stack.reach(name, ["SUCCEEDED"], 120000);
	assert.strictEqual((await stack.charges()).length, charges.length + 2, "the provider replays the first order");
	const none = await cli("resume");
	assert.strictEqual(none.code, 2);
	assert.match(none.stderr, /say which jobs: their names, or --all/);
});

// The backup knows nothing of them; for the client they are the same requests.
test("what clients repeat of what came after the backup goes under the keys of the first orders", async () => {
	const before = (await stack.charges()).length;
	await restore(backup);
	for (const [id, script] of [["after", "Ordered after the restore."], ["after-2", "Ordered after the restart."]]) {
		const again = await stack.create(id, script);
		await stack.reach(again.name, ["SUCCEEDED"]);
	}
	assert.strictEqual((await stack.charges()).length, before, "the provider replays the first order");
	const other = await stack.create("after", "Ordered after the restore.").then((job) => stack.get(job.name));
	assert.strictEqual(other.status.state, "JOB_STATE_SUCCEEDED", "a repeat within one life is the same job");
});

test("a copy that nobody marked is declared with --restored", async () => {
	await stack.fault({ type: "retry_after", seconds: 3 }, { match: { method: "POST", path: "/v3/videos" }, times: 0 });
	const { name } = await stack.create("snapshot", "Open in a snapshot.");
	await until("it to wait", async () => (await stack.get(name)).status.wait?.reason === "JOB_WAIT_REASON_RATE_LIMIT");
	await stack.daemon.stop();
	await stack.startDaemon({}, [], ["--restored"]);
	await until("it to be held", async () => isHeld(await stack.get(name)));
	await stack.sim("DELETE", "faults");
	await sleep(500);
	assert.ok(isHeld(await stack.get(name)));
});

test("a store whose log is damaged is refused, and salvaged when it is asked for", async () => {
	const records = path.join(data, "store/records");
	const salvage = () => child.spawnSync(path.join(bin, "filmgated"),
		["--config", path.join(stack.data, "filmgated.conf"), "--salvage"],
		{ encoding: "utf8", timeout: 60000, env: { ...process.env, FILMGATE_HEYGEN_KEY: "sim-key" } });

	const busy = salvage();
	assert.strictEqual(busy.status, 1);
	assert.match(busy.stderr, /nothing was salvaged: the store .* is in use by process \d+/);
	for (let i = 0; i < 60; i++) await stack.create(`late-${i}`, "Late.");
	await stack.daemon.stop("SIGKILL");
	const [log] = fs.readdirSync(records).filter((name) => name.endsWith(".log")).sort().slice(-1);
	const bytes = fs.readFileSync(path.join(records, log));
	bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 2);
	fs.writeFileSync(path.join(records, log), bytes);
	assert.match(await stack.refuseToStart(), /is damaged and was left as it is.*filmgated --salvage/);
	const done = salvage();
	assert.strictEqual(done.status, 0, done.stderr);
	assert.match(done.stdout, /the log was cut at its first damage; \d+ jobs are there\n {2}\w+ +\d+\n/);
	assert.match(done.stdout, /the newest change that is there is of 2\d{3}-\d\d-\d\dT.*Z: what was acknowledged after it is gone/);
	const whole = salvage();
	assert.match(whole.stdout, /it is not damaged, and was left as it is/);
	const before = (await stack.charges()).length;
	await stack.startDaemon();
	const jobs = await stack.list();
	const total = /; (\d+) jobs are there/.exec(done.stdout)[1];
	assert.strictEqual(jobs.length, Number(total));
	await until("what was queued to be held", async () =>
		(await stack.list({ states: ["JOB_STATE_QUEUED", "JOB_STATE_PREPARING"] })).every(isHeld));
	assert.strictEqual((await stack.charges()).length, before);
});

test("where a store was, none is begun anew", async () => {
	const store = path.join(data, "store"), away = path.join(stack.data, "away");

	await stack.daemon.stop();
	fs.renameSync(store, away);
	assert.match(await stack.refuseToStart(), /there is no store in .*since videos lie beside it: mount or restore/);
	fs.rmSync(store, { recursive: true });
	fs.renameSync(away, store);
	await stack.startDaemon();
});
