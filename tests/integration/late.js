// A daemon that dies while a paid request is undecided and comes back 25 hours later, when the provider no longer
// remembers the key: it sends nothing and says UNCERTAIN. Only its clock is moved (libfaketime).
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const { test, after } = require("node:test");
const { Stack, sleep } = require("./stack");

const stack = new Stack();
const SUBMIT = { method: "POST", path: "/v3/videos" };

// libfaketime names its lock after its process and leaves it behind: a later process of that number would wait for it for
// ever. So what earlier runs left goes first, killed ones and those of other containers included.
function clearLocks() {
	for (const name of fs.readdirSync("/dev/shm")) {
		const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1];
		if (pid && !fs.existsSync(`/proc/${pid}`)) fs.rmSync(`/dev/shm/${name}`, { force: true });
	}
}

after(async () => {
	await stack.finish().finally(clearLocks);
});

async function submits() {
	return (await stack.sim("GET", "requests")).requests.filter((row) => row.method === "POST" && row.path === SUBMIT.path);
}

test("a restart after 25 hours repeats no undecided purchase", { timeout: 120000 }, async () => {
	const fake = process.env.FILMGATE_FAKETIME;
	assert.ok(fake, "FILMGATE_FAKETIME names libfaketimeMT.so.1");
	await stack.startSimulator("--render-time-ms", "0");
	stack.writeConfig({ provider: "deadline_s = 864000;" });
	await stack.startDaemon();
	await stack.fault({ type: "drop_reply_after_charge" }, { match: SUBMIT, times: 0 });
	const { name } = await stack.create("late", "Too late.");
	for (let i = 0; (await stack.charges()).length === 0; i++) {
		assert.ok(i < 200, "the request arrives");
		await sleep(50);
	}
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_STARTING");
	await stack.daemon.stop("SIGKILL");
	await stack.sim("DELETE", "faults");
	const before = (await submits()).length;

	clearLocks();
	// A sanitizer wants to be the first library, libfaketime too.
	const preload = [process.env.FILMGATE_PRELOAD_FIRST, fake].filter(Boolean).join(":");
	await stack.startDaemon({ LD_PRELOAD: preload, FAKETIME: "+25h", FAKETIME_DONT_FAKE_MONOTONIC: "1",
		DONT_FAKE_MONOTONIC: "1" });
	const job = await stack.reach(name, ["UNCERTAIN"], 30000);
	const sends = job.status.attempts.flatMap((attempt) => attempt.sends);
	const hours = (job.status.update_time.seconds - sends[0].create_time.seconds) / 3600;
	assert.ok(hours > 24.9, `the daemon's clock is ${hours} hours later`);
	assert.strictEqual(sends.length, 1);
	assert.strictEqual(sends[0].class, "SEND_CLASS_AMBIGUOUS");
	await sleep(3000);
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_UNCERTAIN");
	assert.strictEqual((await submits()).length, before, "nothing was sent");
	assert.strictEqual((await stack.charges()).length, 1);
});
