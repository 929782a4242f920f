// Plugins that the daemon must not trust, and providers that it must not reach: each is refused by name in the log, in
// ListProviders and to whoever orders from it, and the provider beside it works as if nothing were.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, grpc, order, root, until } = require("./stack");

const fixtures = path.resolve(process.env.FILMGATE_FIXTURES || path.join(root, "build/dev/tests/abi"));
const stack = new Stack();
const own = path.join(stack.data, "plugins"); // spoilt files
const open = path.join(stack.data, "open"); // a folder that others may write to
const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(root, "build/dev/plugins"));

// Plugin: what is said of it.
const bad = {
	wrong_major: /version 7 of the plugin ABI, this daemon version 0: build it from this daemon's SDK/,
	no_entry: /has no symbol fg_provider_v0: no Filmgate plugin, or built without exporting it/,
	padding: /table is refused: .*not zero behind the fields/,
	short: /table is refused: .*smaller/,
	null_table: /its entry returns no table/,
	newer_host: /needs a daemon of ABI 0\.99, this one has 0\.\d+: update the daemon/,
	bad_manifest: /manifest is wrong: .*unknown member 'modles'/,
	other_name: /its manifest says that it is 'somebody-else'/,
	feature: /'push_delivery'/,
	text: /the dynamic linker refuses it: .*text\.so: (file too short|invalid ELF header); rebuild it, or install it again/,
	empty: /the dynamic linker refuses it: .*empty\.so: file too short; rebuild it, or install it again/,
	writable: /'.*\/plugins\/writable\.so' is writable by others; run: chmod go-w '.*\/plugins\/writable\.so'/,
	folder: /'.*\/plugins\/folder\.so' is not a regular file/,
	fine: /'.*\/open' is writable by others; run: chmod go-w '.*\/open'/,
	nowhere: /no file nowhere\.so in .*; install it there, or name its folder in plugin_dirs/,
};
const idOf = (plugin) => plugin.replace(/_/g, "-");

function spoil() {
	fs.mkdirSync(own);
	fs.mkdirSync(open);
	fs.writeFileSync(path.join(own, "text.so"), "#!/bin/sh\necho not a library, and long enough to be read as one\n".repeat(9));
	fs.writeFileSync(path.join(own, "empty.so"), "");
	fs.mkdirSync(path.join(own, "folder.so"));
	fs.copyFileSync(path.join(fixtures, "fine.so"), path.join(own, "writable.so"));
	fs.chmodSync(path.join(own, "writable.so"), 0o757);
	fs.copyFileSync(path.join(fixtures, "fine.so"), path.join(open, "fine.so"));
	fs.chmodSync(open, 0o757);
}

const provider = (id, plugin, more = "") => `{ id = "${id}"; plugin = "${plugin}"; ${more} }`;

// A listener that must never hear anything.
const ear = net.createServer((socket) => {
	ear.heard++;
	socket.destroy();
});
ear.heard = 0;

// A name of this machine, which only a look-up shows to be private; "localhost" is refused without one.
const hidden = "hidden.filmgate.test";
// A sanitizer wants to be the first library.
const preload = [process.env.FILMGATE_PRELOAD_FIRST, process.env.FILMGATE_HIDDEN_NAME].filter(Boolean).join(":");
let earPort;

before(async () => {
	assert.ok(process.env.FILMGATE_HIDDEN_NAME, "FILMGATE_HIDDEN_NAME names the library of hidden_name.c");
	spoil();
	await new Promise((resolve) => ear.listen(0, resolve));
	earPort = ear.address().port;
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	const key = 'secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };';
	const others = Object.keys(bad).map((plugin) => provider(idOf(plugin), plugin));
	others.push(provider("private", "heygen", `base_url = "https://2130706433:${earPort}"; ${key}`));
	others.push(provider("hidden", "heygen", `base_url = "https://${hidden}:${earPort}"; ${key}`));
	others.push(provider("nonsense", "nonsense",
		`base_url = "${stack.simUrl}"; allow_private_network = true; concurrency = 100; ${key}`));
	stack.writeConfig({ others, pluginDirs: [own, plugins, open, fixtures] });
	await stack.startDaemon({ LD_PRELOAD: preload, HIDDEN_NAME: hidden });
});

after(async () => {
	await stack.finish();
	await new Promise((resolve) => ear.close(resolve));
});

const orderFrom = (id, more = {}) => ({ provider: `providers/${id}`, model: "", parameters: { prompt: "x" }, ...more });
const log = () => fs.readFileSync(stack.daemonLog, "utf8");

async function isRefused(id, words) {
	const line = log().split("\n").find((one) => one.includes(`provider=${id} `));
	const view = (await stack.call("GetProvider", { name: `providers/${id}` }, stack.providers)).provider;
	const error = await stack.call("CreateJob", { job: orderFrom(id), request_id: id })
		.then(() => assert.fail(`${id} took an order`), (refusal) => refusal);

	assert.match(line || log(), /error provider cannot be used; its jobs wait/);
	for (const text of [line.replace(/\\"/g, '"'), view.problem, error.details]) assert.match(text, words);
	assert.strictEqual(error.code, grpc.status.UNAVAILABLE);
	assert.strictEqual(view.plugin_version, "");
}

for (const [plugin, words] of Object.entries(bad))
	test(`a plugin that is refused: ${plugin}`, () => isRefused(idOf(plugin), words));

test("a private address is refused before anything is ordered", () =>
	isRefused("private", /base_url 'https:\/\/2130706433:\d+' is not on the public Internet; set allow_private_network = true/));

test("a name that leads to a private address is never spoken to", async () => {
	const { name } = await stack.create("hidden", "x", { job: order("x", { provider: "providers/hidden" }) });
	const job = await until("a send", async () => {
		const now = await stack.get(name);
		return now.status.attempts.some((attempt) => attempt.sends.length) && now.status.state === "JOB_STATE_QUEUED" && now;
	});
	assert.strictEqual(job.status.wait.reason, "JOB_WAIT_REASON_BACKOFF");
	assert.strictEqual(job.status.attempts[0].sends[0].class, "SEND_CLASS_NOT_SENT");
	const words = /is at .*, which is not on the public Internet; if it is meant, set allow_private_network = true/;
	assert.match(log(), words);
	const check = await stack.call("CheckProvider", { name: "providers/hidden" }, stack.providers);
	assert.strictEqual(check.outcome, "CHECK_OUTCOME_FAILED");
	assert.match(check.message, words);
	assert.strictEqual((await stack.call("CancelJob", { name })).job.status.state, "JOB_STATE_CANCELLED");
});

// Every rule that tests/abi/nonsense.c breaks, but for the one that is none here: plain http, which
// allow_private_network allows.
const source = fs.readFileSync(path.join(root, "tests/abi/nonsense.c"), "utf8");
const rules = [...source.matchAll(/^\t\{"(\w+)", \w+\},$/gm)].map((match) => match[1]).filter((rule) => rule !== "plain_http");

test("a plugin that answers nonsense fails its jobs and nothing else", async () => {
	const names = new Map();

	assert.ok(rules.length > 60, "there are rules to break");
	for (const rule of rules) {
		const job = orderFrom("nonsense", { parameters: { prompt: rule } });
		names.set(rule, (await stack.create(`nonsense-${rule}`, "", { job })).name);
	}
	for (const [rule, name] of names) {
		// A second purchase: what became of the first is not known.
		const state = rule === "buys" ? "UNCERTAIN" : "FAILED";
		const { failure } = (await stack.reach(name, [state])).status;
		const wanted = state === "FAILED" ? ["PLUGIN_FAULT", "NOTHING"] : ["LOST", "UNKNOWN"];
		assert.deepStrictEqual([failure.reason, failure.purchased],
			[`FAILURE_REASON_${wanted[0]}`, `PURCHASED_${wanted[1]}`], `${rule}: ${failure.message}`);
		assert.ok(failure.message, `${rule} has a line for a person`);
	}
	assert.ok(stack.daemon.alive, "the daemon lives");
});

test("the good provider beside them works, and nobody else was spoken to", async () => {
	const { name } = await stack.create("good", "Beside them.");

	await stack.checkSucceeded(await stack.reach(name, ["SUCCEEDED"]), await stack.charges());
	assert.strictEqual((await stack.charges()).length, 1);
	assert.strictEqual(ear.heard, 0, "no connection to a private address");
	assert.ok(stack.daemon.alive, "the daemon lives");
});
