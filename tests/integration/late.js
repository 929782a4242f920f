// A daemon that dies while paid requests are undecided and comes back 25 hours later, when the provider no longer
// remembers their keys. It sends nothing under them. What HeyGen's list shows is gone on with; what it does not show is
// as the job and the configuration say: held, ordered again, or, where the operator vouches for the list, absent. Only
// the daemon's clock is moved (libfaketime).
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const { test, after } = require("node:test");
const { Stack, clearLocks, fakeClock, order, sleep, until } = require("./stack");

const stack = new Stack();
const SUBMIT = { method: "POST", path: "/v3/videos" };
const SUBMIT_MODEL = { method: "POST", path: "/v3/models/videos" };
let count = 0;

after(async () => {
	await stack.finish().finally(clearLocks);
});

async function submits() {
	const paths = [SUBMIT.path, SUBMIT_MODEL.path];

	return (await stack.sim("GET", "requests")).requests.filter((row) => row.method === "POST" && paths.includes(row.path));
}

// Orders while @type happens to every order; returns when the request has left.
async function lose(type, job) {
	const before = (await submits()).length;

	await stack.sim("DELETE", "faults");
	for (const match of [SUBMIT, SUBMIT_MODEL]) await stack.fault({ type }, { match, times: 0 });
	const { name } = (await stack.call("CreateJob", { job, request_id: `late-${++count}` })).job;
	await until(`${name} to be sent`, async () => (await submits()).length > before, 20000);
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_STARTING");
	return name;
}

async function lossesOf(name) {
	const job = await stack.get(name);

	return job.status.attempts.flatMap((attempt) => attempt.sends).map((send) => send.class.replace("SEND_CLASS_", ""));
}

test("a restart after 25 hours repeats no undecided purchase", { timeout: 280000 }, async () => {
	await stack.startSimulator("--render-time-ms", "0");
	stack.writeConfig({ provider: "deadline_s = 864000;", others: [`{
		id = "trusting";
		plugin = "heygen";
		base_url = "${stack.simUrl}";
		secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
		options = { absence_after_s = 20; };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		deadline_s = 864000;
	}`] });
	await stack.startDaemon();
	const found = await lose("drop_reply_after_charge", { ...order("Found again."), display_name: "Spring" });
	const unlisted = await lose("drop_reply_after_charge",
		{ provider: "providers/heygen", model: "heygen-video-1", parameters: { prompt: "Unlisted." } });
	const held = await lose("drop_reply_before_charge", order("Never there."));
	const again = await lose("drop_reply_before_charge",
		{ ...order("Never there, ordered again."), on_uncertain: "ON_UNCERTAIN_RESUBMIT" });
	const absent = await lose("drop_reply_before_charge", { ...order("Never there, for sure."), provider: "providers/trusting" });
	assert.strictEqual((await stack.charges()).length, 2);
	await stack.daemon.stop("SIGKILL");
	await stack.sim("DELETE", "faults");
	const before = (await submits()).length;

	await stack.startDaemon(fakeClock({ FAKETIME: "+25h" }));
	// The list is given two minutes, from when the reply was given up, to show what there is.
	for (const name of [unlisted, held]) {
		const job = await stack.reach(name, ["UNCERTAIN"], 200000);
		const [send] = job.status.attempts[0].sends;
		const hours = (job.status.update_time.seconds - send.create_time.seconds) / 3600;
		assert.ok(hours > 24.9, `the daemon's clock is ${hours} hours later`);
	}
	const ended = await stack.reach(found, ["SUCCEEDED"], 60000);
	assert.strictEqual(ended.status.attempts[0].remotes.length, 1);
	assert.strictEqual((await stack.reach(again, ["SUCCEEDED"], 200000)).status.attempt_count, 2);
	assert.strictEqual((await stack.reach(absent, ["SUCCEEDED"], 60000)).status.attempt_count, 1);
	await sleep(1000);
	assert.deepStrictEqual(await lossesOf(found), ["ACCEPTED"]);
	assert.deepStrictEqual(await lossesOf(unlisted), ["AMBIGUOUS"]);
	assert.deepStrictEqual(await lossesOf(held), ["AMBIGUOUS"]);
	assert.deepStrictEqual(await lossesOf(again), ["AMBIGUOUS", "ACCEPTED"]);
	assert.deepStrictEqual(await lossesOf(absent), ["ABSENT", "ACCEPTED"]);
	assert.strictEqual((await submits()).length, before + 2, "nothing else was sent");
	assert.strictEqual((await stack.charges()).length, 4);
});
