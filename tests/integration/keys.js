// A key is rotated while jobs run: each stays with the key that ordered it, new ones have the new key. The two keys are
// two accounts at the simulator, and each sees only the videos that it has ordered itself.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, order, until } = require("./stack");

const OLD = "sim-key", NEW = "new-key-71";
const stack = new Stack();
const config = path.join(stack.data, "filmgated.conf");
let orders = 0;

before(() => stack.startSimulator("--render-time-ms", "4000:4001", "--second-key", NEW));
after(() => stack.finish());

// The daemon of before the rotation, or after it.
async function startOld() {
	if (stack.daemon && stack.daemon.alive) await stack.daemon.stop("SIGTERM");
	stack.writeConfig();
	await stack.startDaemon();
}

async function rotate(previous = 'previous_keys = ( { api_key_env = "FILMGATE_OLD_KEY"; } );') {
	await stack.daemon.stop("SIGKILL");
	stack.writeConfig({ provider: previous });
	await stack.startDaemon({ FILMGATE_HEYGEN_KEY: NEW, FILMGATE_OLD_KEY: OLD });
}

async function running() {
	const job = await stack.create(`key-${++orders}`, `This is key ${orders}.`);

	return stack.reach(job.name, ["RUNNING"]);
}

const remoteOf = (job) => job.status.attempts.at(-1).remotes[0].remote_id;
const seenBy = async (key, job) =>
	(await fetch(`${stack.simUrl}/v3/videos/${remoteOf(job)}`, { headers: { "X-Api-Key": key } })).status === 200;

test("what runs is done with the old key, what comes has the new one", async () => {
	await startOld();
	const before = await running();
	await rotate();
	const after = await running();
	const done = await stack.reach(before.name, ["SUCCEEDED"]);

	await stack.reach(after.name, ["SUCCEEDED"]);
	assert.deepStrictEqual([await seenBy(OLD, done), await seenBy(NEW, done)], [true, false]);
	assert.deepStrictEqual([await seenBy(OLD, after), await seenBy(NEW, after)], [false, true]);
});

test("an old key that is refused holds up its own job alone", async () => {
	await startOld();
	const before = await running();
	await rotate();
	const { id } = await stack.fault({ type: "status", status: 401, body: '{"error":{"code":"unauthorized","message":"no"}}' },
		{ match: { method: "GET", path: `/v3/videos/${remoteOf(before)}` }, times: 0 });
	await until("the job to wait for its key", async () =>
		(await stack.get(before.name)).status.wait?.reason === "JOB_WAIT_REASON_PROVIDER_CREDENTIAL");
	const after = await running();
	await stack.reach(after.name, ["SUCCEEDED"]);
	assert.strictEqual((await stack.get(before.name)).status.state, "JOB_STATE_RUNNING");
	assert.strictEqual((await stack.call("GetProvider", { name: "providers/heygen" }, stack.providers)).provider.problem, "");
	await stack.sim("DELETE", `faults/${id}`);
	await stack.daemon.stop("SIGKILL");
	await stack.startDaemon({ FILMGATE_HEYGEN_KEY: NEW, FILMGATE_OLD_KEY: OLD });
	await stack.reach(before.name, ["SUCCEEDED"]);
});

test("without the old key the new one is used, which does not know the job, until it is configured again", async () => {
	await startOld();
	const before = await running();
	await rotate("");
	const after = await running();
	await stack.reach(after.name, ["SUCCEEDED"]);
	assert.strictEqual((await stack.get(before.name)).status.state, "JOB_STATE_RUNNING");
	await rotate();
	await stack.reach(before.name, ["SUCCEEDED"]);
});

test("it is said how many there are, and never what they are", async () => {
	await startOld();
	await rotate();
	const { provider } = await stack.call("GetProvider", { name: "providers/heygen" }, stack.providers);
	assert.strictEqual(provider.previous_key_count, 1);
	const env = { ...process.env, FILMGATE_HEYGEN_KEY: NEW, FILMGATE_OLD_KEY: OLD };
	const said = child.spawnSync(path.join(bin, "filmgated"), ["--config", config, "--check-config"], { encoding: "utf8", env });
	assert.strictEqual(said.status, 0, said.stderr);
	assert.match(said.stdout, /provider 'heygen' starts jobs with its secrets; jobs of 1 previous key stay with theirs/);
	const shown = child.spawnSync(path.join(bin, "filmgate"), ["--server", `unix:${stack.socket}`, "providers"], { encoding: "utf8" });
	assert.match(shown.stderr, /heygen has 1 previous key/);
	for (const text of [said.stdout, said.stderr, shown.stdout, shown.stderr])
		assert.ok(!text.includes(NEW) && !text.includes(OLD));
});

test("a previous key that cannot be read is a mistake of the configuration", () => {
	stack.writeConfig({ provider: 'previous_keys = ( { api_key_env = "FILMGATE_NO_SUCH_KEY"; } );' });
	const said = child.spawnSync(path.join(bin, "filmgated"), ["--config", config, "--check-config"],
		{ encoding: "utf8", env: { ...process.env, FILMGATE_HEYGEN_KEY: NEW } });
	assert.strictEqual(said.status, 1);
	assert.match(said.stderr, /providers.previous_keys: the environment has no 'FILMGATE_NO_SUCH_KEY'/);
	stack.writeConfig({ provider: 'previous_keys = ( { pass_env = "FILMGATE_OLD_KEY"; } );' });
	const unknown = child.spawnSync(path.join(bin, "filmgated"), ["--config", config, "--check-config"],
		{ encoding: "utf8", env: { ...process.env, FILMGATE_HEYGEN_KEY: NEW, FILMGATE_OLD_KEY: OLD } });
	assert.match(unknown.stderr, /no. 1 of its previous_keys: plugin 'heygen' has no secret 'pass'/);
});
