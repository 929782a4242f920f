// Plugins that hang when they are asked for a judgement, or find fault with their configuration: the daemon starts, works
// for everybody else, and ends when it is told to; what it acknowledged is there when it comes back.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, beforeEach, afterEach } = require("node:test");
const { Stack, bin, detailsOf, grpc, root, sleep, until } = require("./stack");

const fixtures = path.resolve(process.env.FILMGATE_FIXTURES || path.join(root, "build/dev/tests/abi"));
const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(root, "build/dev/plugins"));
const CHECK_MS = 10000; // LIMIT_ENGINE_CHECK_MS
const LEFT = 3; // the exit status
let stack;

beforeEach(() => {
	stack = new Stack();
	stack.simUrl = "http://127.0.0.1:9";
});

afterEach(() => stack.finish());

const provider = (id, configuration = "") =>
	`{ id = "${id}"; plugin = "judge"; options = { configuration = "${configuration}"; }; }`;
const configure = (...others) => stack.writeConfig({ others, pluginDirs: [plugins, fixtures] });
const log = () => fs.readFileSync(stack.daemonLog, "utf8");
const problem = async (id) => (await stack.call("GetProvider", { name: `providers/${id}` }, stack.providers)).provider.problem;

function orderFrom(id, prompt, requestId) {
	const job = { provider: `providers/${id}`, model: "m", parameters: { prompt } };

	return stack.call("CreateJob", { job, request_id: requestId });
}

const refusal = (promise) => promise.then(() => assert.fail("it was accepted"), (error) => error);

// Ends the daemon, which has to leave a plugin behind, and returns how long that took.
async function stopLeaving() {
	const began = Date.now();

	stack.disconnect();
	assert.deepStrictEqual(await stack.daemon.stop("SIGINT", 60000), { code: LEFT, signal: null }, log());
	assert.match(log(), /error stopped, although a plugin had to be left behind; what was acknowledged is on disk exit_status=3/);
	return Date.now() - began;
}

const words = {
	hanging: /plugin 'judge' has not judged its options within 10 seconds: it hangs/,
	finding: /provider 'finding': the region 'moon' is none/,
	refusing: /provider 'refusing': the plugin refuses its options and does not say why/,
};
const all = () => configure(provider("hanging", "hangs"), provider("hanging-too", "hangs"), provider("finding", "finds"),
	provider("refusing", "refuses"), provider("good"));

test("a plugin that does not judge its configuration, or finds fault with it, is not used, and the others are", async () => {
	all();
	const began = Date.now();
	await stack.startDaemon();
	assert.ok(Date.now() - began < 2 * CHECK_MS, "those that hang are waited for together");
	for (const id of Object.keys(words)) {
		assert.match(await problem(id), words[id]);
		const error = await refusal(orderFrom(id, "x", id));
		assert.strictEqual(error.code, grpc.status.UNAVAILABLE);
		assert.match(error.details, words[id]);
	}
	assert.match(log(), /a plugin does not come back; its thread is left behind plugin=judge provider=hanging verb=check/);
	assert.strictEqual(await problem("good"), "");
	const { name } = (await orderFrom("good", "x", "good")).job;

	// It had its time when the daemon started, and is not waited for once more.
	await stopLeaving();
	configure(provider("good"));
	await stack.startDaemon();
	assert.strictEqual((await stack.get(name)).request_id, "good");
});

test("a configuration is looked at although a plugin hangs", () => {
	all();
	const run = child.spawnSync(path.join(bin, "filmgated"),
		["--check-config", "--config", path.join(stack.data, "filmgated.conf")],
		{ encoding: "utf8", timeout: 60000, env: { ...process.env, FILMGATE_HEYGEN_KEY: "k" } });

	assert.deepStrictEqual([run.status, run.signal], [0, null], run.stderr);
	assert.match(run.stdout, /: no errors\n$/);
	for (const id of Object.keys(words)) {
		const line = run.stderr.split("\n").find((one) => one.includes(`provider '${id}' cannot be used`));
		assert.match(line || run.stderr, words[id]);
	}
	assert.ok(!run.stderr.includes("'good'"), run.stderr);
});

test("a plugin that hangs over an order holds up no other provider, and not the daemon's end", async () => {
	configure(provider("stuck"), provider("good"));
	await stack.startDaemon();
	const before = (await orderFrom("stuck", "x", "before")).job.name;
	const silent = refusal(orderFrom("stuck", "hangs", "silent"));
	const good = (await orderFrom("good", "x", "good")).job.name;
	await sleep(1000); // the plugin has it by now
	const behind = refusal(orderFrom("stuck", "x", "behind"));
	const error = await silent;

	assert.strictEqual(error.code, grpc.status.INTERNAL);
	assert.strictEqual(detailsOf(error).ErrorInfo.reason, "INTERNAL");
	assert.match(error.details, /plugin 'judge' has not judged an order within 10 seconds, so this one is not accepted/);
	assert.match((await behind).details, /plugin 'judge' has not judged an order within 10 seconds/);
	// And one that still waits when the daemon is told to end.
	const last = refusal(orderFrom("stuck", "x", "last"));
	await until("the last order", () => log().includes("does not answer to an order"));
	const took = await stopLeaving();
	assert.ok(took < 30000, `${took} ms`);
	await last;
	assert.match(log(), /a plugin does not come back; its thread is left behind plugin=judge provider=stuck verb=check/);

	await stack.startDaemon();
	for (const name of [before, good]) assert.ok((await stack.get(name)).revision > 0);
	assert.deepStrictEqual((await stack.list()).length, 2, "what was not accepted is not there");
});

test("a plugin that hangs over a job does not hold up the daemon's end", async () => {
	stack.writeConfig({ others: [provider("stuck"), provider("good")], pluginDirs: [plugins, fixtures], drainS: 0 });
	await stack.startDaemon();
	const { name } = (await orderFrom("stuck", "hangs later", "later")).job;

	await until("its start", async () => (await stack.get(name)).status.state === "JOB_STATE_PREPARING");
	const took = await stopLeaving();
	assert.ok(took < 40000, `${took} ms`);
	assert.match(log(), /a plugin does not come back; its thread is left behind plugin=judge provider=stuck verb=start/);
	assert.doesNotMatch(log(), /left behind .*verb=check/, "those that are idle end");
});
