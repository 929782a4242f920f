// The daemon is killed with -9 while a job is in each state of its life, once with each provider, and started again:
// the job ends as the state says it must, bought at most once, and after each death the ledger balances. A fault of the
// simulator holds the job in its state.
//
// crash.js does the same at random moments and under load; here no state is left to chance.
"use strict";

const assert = require("node:assert");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, order, sleep, until } = require("./stack");

const stack = new Stack();
const HOLD_MS = 2500;
let count = 0;

// How each provider is ordered from, where it is held, and what a lost reply to an order leads to: HeyGen honours an
// idempotency key, so the daemon asks again; Google does not, so a person decides.
const providers = {
	heygen: {
		order: (text) => order(text),
		preparing: null, // orders without uploads need no preparation there
		submit: { method: "POST", path: "/v3/videos" },
		poll: { method: "GET", path: "/v3/videos/*" },
		file: { host: "files", path: "/files/*" },
		afterDoubt: "SUCCEEDED",
	},
	veo: {
		order: (text) => ({
			provider: "providers/veo",
			model: "veo-3.1-generate-001",
			parameters: { prompt: text, duration: { seconds: 4 } },
		}),
		preparing: { method: "POST", path: "/token" },
		submit: { method: "POST", path: "/v1/*:predict*" },
		poll: { method: "POST", path: "/v1/*:fetch*" },
		file: { method: "GET", path: "/storage/v1/b/bucket/o/*" },
		afterDoubt: "UNCERTAIN",
	},
};

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	stack.writeConfig({ concurrency: 1, others: [`{
		id = "veo";
		plugin = "veo";
		base_url = "${stack.simUrl}";
		origins = ( "https://storage.googleapis.com" );
		secrets = { service_account_file = "${path.join(stack.data, "sim", "service-account.json")}"; };
		options = { project = "p1"; storage_uri = "gs://bucket/films"; storage_url = "${stack.simUrl}"; };
		concurrency = 1;
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
	}`] });
	await stack.startDaemon();
});

after(() => stack.finish());

async function create(name, more = {}) {
	const job = { ...providers[name].order(`Film number ${++count}`), ...more };
	const request = { job, request_id: `states-${count}` };

	return (await stack.call("CreateJob", request)).job.name;
}

const delay = { type: "delay", delay_ms: HOLD_MS };
const stateOf = async (name) => (await stack.get(name)).status.state.replace("JOB_STATE_", "");

async function restart() {
	await stack.daemon.stop("SIGKILL");
	await stack.sim("DELETE", "faults");
	await stack.startDaemon();
	await stack.checkLedger();
}

// Kills the daemon while the job is in @state, which the fault holds it in; returns the job's name.
async function killIn(state, provider, match, action = delay, more = {}) {
	await stack.sim("DELETE", "faults");
	const fault = match && (await stack.fault(action, { match, times: 1 })).id;
	const name = await create(provider, more);
	await until(`${name} to be ${state}`, async () => (await stateOf(name)) === state, 20000, 10);
	// The state is on disk before the request leaves, and what is asked here is what becomes of one that has left.
	const hasCome = async () => (await stack.sim("GET", "faults")).faults.find((one) => one.id === fault).fired > 0;
	if (match) await until(`${provider} to have the request`, hasCome, 20000, 10);
	await restart();
	return name;
}

// Ended so, and charged so often beside what others were charged.
async function ends(name, state, before, charges) {
	const job = await stack.reach(name, [state]);
	const rows = (await stack.charges()).length - before;

	assert.strictEqual(rows, charges, `${name} is charged ${rows} times: ${JSON.stringify(job.status, null, 1)}`);
	if (state === "SUCCEEDED") {
		const video = job.status.artifacts.find((artifact) => artifact.role === "video");
		assert.strictEqual((await stack.read(video.name)).length, video.size_bytes);
	}
	return job;
}

async function bought() {
	return (await stack.charges()).length;
}

for (const [name, provider] of Object.entries(providers)) {
	test(`${name}: killed while QUEUED`, async () => {
		const before = await bought();
		await stack.sim("DELETE", "faults");
		await stack.fault(delay, { match: provider.poll, times: 1 });
		const first = await create(name);
		await until(`${first} to be RUNNING`, async () => (await stateOf(first)) === "RUNNING", 20000, 10);
		const second = await create(name);
		assert.strictEqual(await stateOf(second), "QUEUED");
		await restart();
		await stack.reach(first, ["SUCCEEDED"]);
		await ends(second, "SUCCEEDED", before, 2);
	});

	if (provider.preparing)
		test(`${name}: killed while PREPARING`, async () => {
			const before = await bought();
			await restart(); // without a token
			const job = await killIn("PREPARING", name, provider.preparing);
			await ends(job, "SUCCEEDED", before, 1);
		});

	test(`${name}: killed while STARTING`, async () => {
		const before = await bought();
		const job = await killIn("STARTING", name, provider.submit);
		await ends(job, provider.afterDoubt, before, 1);
	});

	test(`${name}: killed while RUNNING`, async () => {
		const before = await bought();
		const job = await killIn("RUNNING", name, provider.poll);
		await ends(job, "SUCCEEDED", before, 1);
	});

	test(`${name}: killed while STORING`, async () => {
		const before = await bought();
		const job = await killIn("STORING", name, provider.file);
		await ends(job, "SUCCEEDED", before, 1);
	});

	test(`${name}: killed after the end`, async () => {
		const before = await bought();
		const job = await create(name);
		const ended = await stack.reach(job, ["SUCCEEDED"]);
		await restart();
		assert.deepStrictEqual(await ends(job, "SUCCEEDED", before, 1), ended);
	});
}

test("veo: killed while UNCERTAIN, and nothing moves until a person has decided", async () => {
	const before = await bought();
	const job = await killIn("STARTING", "veo", providers.veo.submit);
	await stack.reach(job, ["UNCERTAIN"]);
	await restart();
	await sleep(1000);
	await ends(job, "UNCERTAIN", before, 1);
	await stack.call("ResolveJob", { name: job, resolution: "RESOLUTION_GIVE_UP" });
	await ends(job, "FAILED", before, 1);
});

test("veo: killed while STARTING, and the job's policy is to fail", async () => {
	const before = await bought();
	const job = await killIn("STARTING", "veo", providers.veo.submit, delay, { on_uncertain: "ON_UNCERTAIN_FAIL" });
	const ended = await ends(job, "FAILED", before, 1);
	assert.strictEqual(ended.status.failure.reason, "FAILURE_REASON_LOST");
	assert.strictEqual(ended.status.failure.purchased, "PURCHASED_UNKNOWN");
	assert.strictEqual(ended.on_uncertain, "ON_UNCERTAIN_FAIL");
});

// The price of the choice is what the simulator counts: two charges, of which one brought a video.
test("veo: killed while STARTING, and the job's policy is to order again", async () => {
	const before = await bought();
	const job = await killIn("STARTING", "veo", providers.veo.submit, delay, { on_uncertain: "ON_UNCERTAIN_RESUBMIT" });
	const ended = await ends(job, "SUCCEEDED", before, 2);
	assert.strictEqual(ended.status.attempt_count, 2);
	assert.strictEqual(ended.status.attempts[0].failure.purchased, "PURCHASED_UNKNOWN");
	assert.match(ended.status.notes[0].message, /attempt 1 may have been bought/);
});

test("what is undecided is held; in the end nothing is, and as many purchases are booked as were charged", async () => {
	const undecided = await stack.list({ states: ["JOB_STATE_UNCERTAIN"] });

	assert.ok(undecided.length > 0);
	assert.ok((await stack.usageRows()).some((row) => row.reserved_micros > 0));
	for (const job of undecided) await stack.call("ResolveJob", { name: job.name, resolution: "RESOLUTION_GIVE_UP" });
	await restart();
	const rows = await stack.usageRows();
	const sum = (field) => rows.reduce((total, row) => total + row[field], 0);

	assert.strictEqual(sum("reserved_micros"), 0, JSON.stringify(rows));
	assert.strictEqual(sum("purchase_count"), await bought(), JSON.stringify(rows));
	assert.ok(sum("spent_micros") > 0);
	assert.ok((await stack.checkLedger()).job_count >= count);
});
