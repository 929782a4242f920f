// The daemon's clock is set by a day, back and forth, while it runs and while it does not, with a job in every state: in
// the queue for its time and for a pause, bringing an input, with a reply outstanding, being made, being fetched,
// undecided, detached, over. Pauses keep their length, deadlines and scheduled starts are instants, nothing is bought
// twice, no time goes back, and the ledger is balanced.
// Only the daemon's clock is moved (libfaketime, through a file that it reads again and again).
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { test, after } = require("node:test");
const { Stack, clearLocks, fakeClock, order, sha256, sleep, until, FINAL } = require("./stack");

const stack = new Stack();
const DAY_S = 86400;
const NOTICE_MS = 11000; // the daemon looks at its clock every ten seconds
const HOLD_MS = 10000; // so long a fault holds a job in its state
const LATE = "The reply takes its time.";
const file = path.join(stack.data, "clock");
let count = 0;
let offsetS = 0;

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
	return stack.startDaemon(fakeClock({ FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: "1" }));
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

function upload() {
	const bytes = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x68........", "latin1"),
		Buffer.alloc(1000, ++count), Buffer.from("IEND\xae\x42\x60\x82", "latin1")]);

	return new Promise((resolve, reject) => {
		const call = stack.assets.UploadAsset({ deadline: Date.now() + 30000 }, (error, reply) =>
			(error ? reject(error) : resolve(reply.asset.name)));
		call.write({ metadata: { size_bytes: bytes.length, sha256: sha256(bytes) } });
		call.write({ data: bytes });
		call.end();
	});
}

const photo = (asset) => ({ provider: "providers/heygen", model: "image", parameters: { script: { text: "Hello." }, voice_id: "v",
	media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_SOURCE", asset }] } });
const hold = (method, where, more = {}) =>
	stack.fault({ type: "delay", delay_ms: HOLD_MS }, { match: { method, ...where }, times: 1, ...more });

// One job in each state that is passed quickly, all at this moment: its names by state.
async function standEverywhere(isRestart) {
	const jobs = {};
	const add = async (state, job) => (jobs[state] = [...(jobs[state] || []), await create(job)]).at(-1);

	await stack.sim("DELETE", "faults");
	await stack.fault({ type: "drop_reply_after_charge" }, { match: { method: "POST", path: "/v1beta/*" } });
	await stack.reach(await add("UNCERTAIN", veo("gemini")), ["UNCERTAIN"], 20000);
	await stack.sim("DELETE", "faults");
	await hold("GET", { host: "files", path: "/files/" });
	await stack.reach(await add("STORING", order("It is fetched.")), ["STORING"], 20000);
	await hold("POST", { path: "/v3/videos", body_contains: LATE });
	await hold("POST", { path: "/v3/asset[s]" });
	await stack.reach(await add("STARTING", order(LATE)), ["STARTING"], 20000);
	await stack.reach(await add("PREPARING", photo(await upload())), ["PREPARING"], 20000);
	await add("RUNNING", order("Under way."));
	// Its token is kept for an hour of the daemon's; Google would mint none for a clock that is wrong.
	if (!isRestart && offsetS === 0) await add("RUNNING", veo("vertex"));
	await add("CANCELLED", veo("gemini"));
	for (const name of [...jobs.CANCELLED, ...jobs.RUNNING]) await stack.reach(name, ["RUNNING"], 20000);
	await stack.call("CancelJob", { name: jobs.CANCELLED[0] });
	for (const [there, names] of Object.entries(jobs)) for (const name of names) assert.strictEqual(await state(name), there, name);
	return jobs;
}

// Sets the clock with a job in every state, and sees all end as if nothing had been.
async function jumpAcross(toS, isRestart) {
	const jobs = await standEverywhere(isRestart);
	const charges = (await stack.charges()).length;
	await lookAtTimes();

	if (isRestart) await stack.daemon.stop("SIGKILL");
	setClock(toS);
	if (isRestart) await startDaemon();
	for (const name of [...jobs.PREPARING, ...jobs.RUNNING, ...jobs.STORING])
		await stack.reach(name, ["SUCCEEDED"], 40000);
	const { status } = await stack.reach(jobs.STARTING[0], ["SUCCEEDED", "UNCERTAIN"], 40000);
	// A reply that was lost with the daemon: its key is a day old, or of tomorrow. It is looked up, or left to a person.
	if (!isRestart) assert.strictEqual(status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(status));
	assert.strictEqual(await state(jobs.UNCERTAIN[0]), "UNCERTAIN");
	assert.ok((await stack.charges()).length - charges <= 2, "what was on its way was bought, and nothing again");
	await lookAtTimes();
	return Object.values(jobs).flat();
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

test("a clock that is set by a day, back and forth", { timeout: 420000 }, async () => {
	setClock(0);
	await stack.startSimulator("--render-time-ms", "4000", "--submit-delay-ms", "1500", "--concurrency", "100");
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
