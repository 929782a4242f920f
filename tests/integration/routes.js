// A job with fallbacks goes on where it is made, with the real daemon: from a provider that is not there, from one that
// refuses it, and through deaths of the daemon between the two; and it stays where its order is in doubt. "heygen" and
// "second" are two accounts at the simulator, "down" is a port at which nobody listens.
"use strict";

const assert = require("node:assert");
const { test, before, after, beforeEach } = require("node:test");
const { Stack, isGone, order } = require("./stack");

const stack = new Stack();
const SUBMIT = { method: "POST", path: "/v3/videos" };
const NO = { type: "status", status: 400, body: { error: { code: "content_policy_violation", message: "not this" } } };
const SECOND = { provider: "providers/second", model: "avatar" };
let orders = 0, charged = 0;

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--second-key", "second-key");
	const more = (id, url, key) => `{
		id = "${id}"; plugin = "heygen"; base_url = "${url}"; secrets = { api_key_env = "${key}"; };
		poll = { initial_ms = 100; max_ms = 400; }; allow_private_network = true;
	}`;
	stack.writeConfig({ others: [more("second", stack.simUrl, "FILMGATE_SECOND_KEY"), more("down", "http://127.0.0.1:9", "FILMGATE_HEYGEN_KEY")] });
});
beforeEach(async () => {
	await stack.sim("DELETE", "faults");
	charged = (await stack.charges()).length;
	if (!stack.daemon || !stack.daemon.alive) await start();
});
after(() => stack.finish());

const start = (env = {}) => stack.startDaemon({ FILMGATE_SECOND_KEY: "second-key", FILMGATE_HURRY_MS: "100", ...env });

const ask = (provider, fallbacks) => stack.create(`route-${++orders}`, `This is route ${orders}.`,
	{ job: order(`This is route ${orders}.`, { provider: `providers/${provider}`, fallbacks }) });

// It succeeded at @provider, in its @n-th attempt, and was bought once.
async function madeBy(job, provider, n) {
	const done = await stack.reach(job.name, ["SUCCEEDED"]);

	assert.strictEqual(done.status.provider, `providers/${provider}`);
	assert.deepStrictEqual([done.provider, done.fallbacks], [job.provider, job.fallbacks], "what was ordered stays");
	assert.strictEqual(done.status.attempts.length, n);
	assert.strictEqual(done.status.attempts[n - 1].provider, `providers/${provider}`);
	const charges = (await stack.charges()).slice(charged);
	assert.strictEqual(charges.length, 1, JSON.stringify(charges));
	assert.strictEqual(charges[0].video_id, done.status.attempts[n - 1].remotes[0].remote_id);
	await stack.checkLedger();
	return done;
}

test("a provider that is not there is given up after a few tries", async () => {
	const job = await ask("down", [SECOND]);
	const done = await madeBy(job, "second", 2);

	assert.strictEqual(done.status.attempts[0].provider, "providers/down");
	assert.strictEqual(done.status.attempts[0].failure.purchased, "PURCHASED_NOTHING");
	assert.match(done.status.notes.at(-1).message, /^'down' did not make it .* it goes on with 'second'/);
	const entries = (await stack.call("ListLedgerEntries", { job: job.name }, stack.usage)).entries;
	assert.deepStrictEqual([...new Set(entries.map((entry) => entry.provider))].sort(), ["providers/down", "providers/second"]);
});

test("what is refused goes on at once, and to the last of three", async () => {
	await stack.fault(NO, { match: SUBMIT, times: 1 });
	const job = await ask("heygen", [{ provider: "providers/down", model: "avatar" }, SECOND]);
	const done = await madeBy(job, "second", 3);

	assert.strictEqual(done.status.attempts[0].failure.reason, "FAILURE_REASON_MODERATED");
});

test("the job is shown where it is in lists, events and its filter", async () => {
	await stack.fault(NO, { match: SUBMIT, times: 1 });
	const job = await ask("heygen", [SECOND]);
	await madeBy(job, "second", 2);
	const events = (await stack.stream("WatchJob", { name: job.name, after_revision: 1 })).map((message) => message.event);
	assert.deepStrictEqual([...new Set(events.map((event) => event.provider))], ["providers/heygen"]);
	assert.strictEqual(events[0].status.provider, "providers/heygen");
	assert.strictEqual(events.at(-1).status.provider, "providers/second");
	const has = async (provider) => (await stack.list({ providers: [provider] })).some((one) => one.name === job.name);
	assert.deepStrictEqual([await has("providers/heygen"), await has("providers/second")], [true, false]);
});

for (const point of ["route.before", "route.after"])
	test(`killed at ${point}, it is made once, by the next`, async () => {
		await stack.daemon.stop("SIGTERM");
		await start({ FILMGATE_FAILPOINT: point });
		await stack.fault(NO, { match: SUBMIT, times: 1 });
		const job = await ask("heygen", [SECOND]).catch((error) => {
			if (!isGone(error)) throw error;
		});
		const end = await stack.daemon.ended;
		assert.strictEqual(end.signal, "SIGKILL", JSON.stringify(end));
		await start();
		await madeBy(job || (await stack.list())[0], "second", 2);
	});

test("a lost reply is no refusal: the order is repeated where it was made", async () => {
	await stack.fault({ type: "close_after" }, { match: SUBMIT, times: 1 });
	const job = await ask("heygen", [SECOND]);

	await madeBy(job, "heygen", 1);
});

test("nor is a refused key while an order is in doubt", async () => {
	await stack.fault({ type: "close_after" }, { match: SUBMIT, times: 1 });
	await stack.fault({ type: "status", status: 401, body: '{"error":{"code":"unauthorized","message":"no"}}' },
		{ match: SUBMIT, nth: 2, times: 3 });
	const job = await ask("heygen", [SECOND]);
	const done = await madeBy(job, "heygen", 1);

	assert.ok(done.status.attempts[0].sends.some((send) => send.http_status === 401));
});

test("a retry of it begins at the first again", async () => {
	await stack.fault(NO, { match: SUBMIT, times: 2 });
	const job = await ask("heygen", [SECOND]);
	await stack.reach(job.name, ["FAILED"]);
	const again = (await stack.call("RetryJob", { name: job.name })).job;

	assert.deepStrictEqual([again.provider, again.fallbacks], [job.provider, job.fallbacks]);
	await madeBy(again, "heygen", 1);
});

test("fallbacks are checked when it is ordered", async () => {
	const refused = (fallbacks, words) => assert.rejects(ask("heygen", fallbacks), (error) => words.test(error.message));

	await refused([{ provider: "providers/nobody" }], /there is no provider 'nobody'/);
	await refused([{ provider: "providers/second", model: "opera" }], /for the fallback to 'second'/);
	await refused([SECOND, SECOND], /named twice/);
});
