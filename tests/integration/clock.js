// The daemon's clock is set by a day, back and forth, while it runs and while it does not, with a job in every state: in
// the queue for each reason, on its way, with a reply outstanding, undecided, detached, over. Pauses keep their length,
// deadlines and scheduled starts are instants, nothing is bought twice, no time goes back, and the ledger is balanced.
// Only the daemon's clock is moved (libfaketime, through a file that it reads again and again).
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { test, after } = require("node:test");
const { Stack, order, sleep, until, FINAL } = require("./stack");

const stack = new Stack();
const DAY_S = 86400;
const NOTICE_MS = 11000; // the daemon looks at its clock every ten seconds
const file = path.join(stack.data, "clock");
let count = 0;
let offsetS = 0;

// See late.js.
function clearLocks() {
	for (const name of fs.readdirSync("/dev/shm")) {
		const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1];
		if (pid && !fs.existsSync(`/proc/${pid}`)) fs.rmSync(`/dev/shm/${name}`, { force: true });
	}
}

after(async () => {
	await stack.finish().finally(clearLocks);
});

// One write, so that nobody reads half of it.
function setClock(seconds) {
	offsetS = seconds;
	fs.writeFileSync(`${file}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
	fs.renameSync(`${file}.new`, file);
}

const nowS = () => Date.now() / 1000 + offsetS;
const seconds = (time) => time.seconds + time.nanos / 1e9;

function startDaemon() {
	clearLocks();
	return stack.startDaemon({ LD_PRELOAD: [process.env.FILMGATE_PRELOAD_FIRST, process.env.FILMGATE_FAKETIME].filter(Boolean).join(":"),
		FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: "1", FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1" });
}

const state = async (name) => (await stack.get(name)).status.state.replace("JOB_STATE_", "");
const veo = (provider) => ({ provider: `providers/${provider}`, model: "veo-3.1-generate-001",
	parameters: { prompt: `Number ${count} of the cats`, duration: { seconds: 4 } } });

async function create(job, more = {}) {
	const request = { job, request_id: `clock-${++count}`, timeout: { seconds: 10 * DAY_S }, ...more };

	return (await stack.call("CreateJob", request)).job.name;
}

// No job's time goes back, whatever the clock does.
const seen = new Map();
async function lookAtTimes() {
	for (const job of await stack.list()) {
		const at = seconds(job.status.update_time);
		assert.ok(at >= (seen.get(job.name) ?? 0), `${job.name} was updated at ${at}, and before that at ${seen.get(job.name)}`);
		seen.set(job.name, at);
	}
}

// Orders one job for each state that is passed quickly, sets the clock, and sees them end as if nothing had been.
async function jumpAcross(toS, isRestart) {
	const lost = { match: { method: "POST", path: "/v1beta/*" } };

	await stack.sim("DELETE", "faults");
	const going = [await create(order("Under way."))];
	// Its token is kept for an hour of the daemon's; Google would mint none for a clock that is wrong.
	if (!isRestart && offsetS === 0) going.push(await create(veo("vertex")));
	for (const name of going) await stack.reach(name, ["RUNNING"], 20000);
	await stack.fault({ type: "drop_reply_after_charge" }, lost);
	const uncertain = await create(veo("gemini"));
	await stack.reach(uncertain, ["UNCERTAIN"], 20000);
	await stack.sim("DELETE", "faults");
	const detached = await create(veo("gemini"));
	await stack.reach(detached, ["RUNNING"], 20000);
	await stack.call("CancelJob", { name: detached });
	const starting = await create(order("The reply takes its time."));
	await until("the order to leave", async () => /STARTING|RUNNING/.test(await state(starting)), 20000, 20);
	const charges = (await stack.charges()).length;
	await lookAtTimes();

	if (isRestart) await stack.daemon.stop("SIGKILL");
	setClock(toS);
	if (isRestart) await startDaemon();
	for (const name of [...going, starting]) {
		const job = await stack.reach(name, ["SUCCEEDED", "UNCERTAIN"], 40000);
		// A reply that was lost with the daemon: its key is a day old, or of tomorrow. It is looked up, or left to a person.
		if (name !== starting || !isRestart) assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status));
	}
	assert.strictEqual(await state(uncertain), "UNCERTAIN");
	assert.ok((await stack.charges()).length - charges <= 1, "nothing was bought again");
	await lookAtTimes();
	return [...going, uncertain, detached, starting];
}

async function waitOf(name) {
	const job = await stack.get(name);

	assert.strictEqual(job.status.state, "JOB_STATE_QUEUED", JSON.stringify(job.status));
	return job.status.wait;
}

// Nobody listens there: it waits for at most a minute before each try.
async function checkBackoff(name) {
	const wait = await waitOf(name);

	assert.match(wait?.reason ?? "JOB_WAIT_REASON_BACKOFF", /BACKOFF|BREAKER|CAPACITY/);
	if (wait?.until_time) assert.ok(seconds(wait.until_time) <= nowS() + 301, `${wait.reason} until ${seconds(wait.until_time) - nowS()} s from now`);
}

test("a clock that is set by a day, back and forth", { timeout: 280000 }, async () => {
	assert.ok(process.env.FILMGATE_FAKETIME, "FILMGATE_FAKETIME names libfaketimeMT.so.1");
	setClock(0);
	await stack.startSimulator("--render-time-ms", "2500", "--submit-delay-ms", "1500", "--concurrency", "100");
	const unused = net.createServer();
	const port = await new Promise((resolve) => unused.listen(0, "127.0.0.1", () => resolve(unused.address().port)));
	await new Promise((resolve) => unused.close(resolve));
	const provider = (id, plugin, url, secrets, more) => `{ id = "${id}"; plugin = "${plugin}"; base_url = "${url}"; secrets = { ${secrets} };
		poll = { initial_ms = 100; max_ms = 400; }; allow_private_network = true; submit_timeout_ms = 6000; on_mismatch = "accept"; ${more} }`;
	const key = 'api_key_env = "FILMGATE_HEYGEN_KEY";';
	const account = `service_account_file = "${path.join(stack.data, "sim", "service-account.json")}";`;
	stack.writeConfig({ concurrency: 20, others: [
		provider("gemini", "veo", stack.simUrl, key, 'options = { surface = "gemini"; };'),
		provider("vertex", "veo", stack.simUrl, account,
			'options = { project = "p1"; }; origins = ( "https://storage.googleapis.com" );'),
		provider("gone", "heygen", `http://127.0.0.1:${port}`, key, "breaker = 3;"),
	] });
	await startDaemon();

	const all = [];
	const scheduled = await create({ ...order("Later."), not_before_time: { seconds: Math.floor(nowS()) + 12 * 3600 } });
	const backoff = await create({ ...order("Nobody is there."), provider: "providers/gone" });
	const done = await create(order("Done."));
	await stack.reach(done, ["SUCCEEDED"]);

	// Back, running and over a restart.
	all.push(...await jumpAcross(-DAY_S, false));
	await sleep(NOTICE_MS);
	await checkBackoff(backoff);
	assert.strictEqual((await waitOf(scheduled)).reason, "JOB_WAIT_REASON_SCHEDULE");
	all.push(...await jumpAcross(-2 * DAY_S, true));
	await checkBackoff(backoff);
	assert.strictEqual((await waitOf(scheduled)).reason, "JOB_WAIT_REASON_SCHEDULE");

	// Forth: to the day that it was, and beyond the scheduled start; an order's own deadline is an instant, too.
	all.push(...await jumpAcross(-DAY_S, true));
	assert.strictEqual((await waitOf(scheduled)).reason, "JOB_WAIT_REASON_SCHEDULE");
	const short = await create({ ...order("Nobody is there, either."), provider: "providers/gone" }, { timeout: { seconds: 3600 } });
	all.push(...await jumpAcross(0, false));
	await stack.reach(short, ["EXPIRED"], NOTICE_MS + 5000);
	setClock(DAY_S);
	await stack.reach(scheduled, ["SUCCEEDED"], NOTICE_MS + 20000);
	await checkBackoff(backoff);

	for (const name of all) assert.notStrictEqual(await state(name), "EXPIRED", name);
	assert.strictEqual(await state(done), "SUCCEEDED");
	await lookAtTimes();
	const keys = (await stack.charges()).map((row) => row.idempotency_key).filter(Boolean);
	assert.strictEqual(new Set(keys).size, keys.length, "one charge for each key");
	const bought = (await stack.list()).filter((job) => job.status.attempts.some((attempt) => attempt.sends.length > 0)
		&& job.provider !== "providers/gone");
	assert.strictEqual((await stack.charges()).length, bought.length, "one charge for each job that was ordered");
	for (const job of bought) if (FINAL.has(job.status.state)) assert.strictEqual(job.status.attempts.length, 1, job.name);
	await stack.checkLedger();
});
