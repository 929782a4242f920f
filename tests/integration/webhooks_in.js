// Webhooks that providers send: a job that would be polled in a minute is done within seconds, and nothing else that can be
// sent to the daemon changes anything but the instant of a poll.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, order, sleep, until } = require("./stack");

const SLOW_MS = 60000;
const CONFIGURED = "whsec_of_the_configuration_4711";
const stack = new Stack();
let ids = 0;

// The second provider has the simulator's other account, and a pace of its own.
const other = () => `{
	id = "other";
	plugin = "heygen";
	base_url = "${stack.simUrl}";
	secrets = { api_key_env = "FILMGATE_OTHER_KEY"; webhook_secret_env = "FILMGATE_OTHER_SECRET"; };
	poll = { initial_ms = 1000; max_ms = 1000; };
	allow_private_network = true;
	on_mismatch = "accept";
}`;
const env = { FILMGATE_OTHER_KEY: "other-key", FILMGATE_OTHER_SECRET: CONFIGURED };

async function start(options = {}) {
	const { requests = 0, http: door = "127.0.0.1:0", ...more } = options;
	const web = requests ? `web = { requests_per_s = ${requests}; };` : "";

	stack.writeConfig({ pollMs: SLOW_MS, others: [other()], http: door, more: web, ...more });
	await stack.startDaemon(env);
}

const door = () => stack.http.replace(/^http:\/\//, "");
const url = (provider) => `http://${door()}/v1/webhooks/${provider}`;

before(async () => {
	await stack.startSimulator("--render-time-ms", "600:900", "--second-key", "other-key");
	await start();
});

after(() => stack.finish());

function filmgate(...args) {
	return child.spawnSync(path.join(bin, "filmgate"), args,
		{ encoding: "utf8", timeout: 60000, env: { ...process.env, FILMGATE_SERVER: `unix:${stack.socket}` } });
}

// The daemon answers while the command runs: that must not stop this process from being the simulator's client.
function run(...args) {
	return new Promise((resolve) => {
		const process_ = child.spawn(path.join(bin, "filmgate"), args,
			{ env: { ...process.env, FILMGATE_SERVER: `unix:${stack.socket}` } });
		let stdout = "", stderr = "";
		process_.stdout.on("data", (data) => (stdout += data));
		process_.stderr.on("data", (data) => (stderr += data));
		process_.on("close", (status) => resolve({ status, stdout, stderr }));
	});
}

const create = (script, provider = "heygen") => stack.create(`hook-${++ids}`, script,
	{ job: { ...order(script), provider: `providers/${provider}` } });
const remoteOf = async (job) => until("an id of the provider", async () => {
	const { attempts } = (await stack.get(job.name)).status;
	return attempts.at(-1)?.remotes[0]?.remote_id;
});
const hooks = () => stack.sim("GET", "webhooks");
const fault = (body) => stack.sim("POST", "webhooks/faults", body);
const polls = async (id) => (await stack.sim("GET", "requests")).requests
	.filter((row) => row.method === "GET" && row.path === `/v3/videos/${id}`).length;
const log = () => fs.readFileSync(stack.daemonLog, "utf8");

// A call as HeyGen makes it, but for what @change says.
function send({ provider = "heygen", secret, id, body, change = {}, method = "POST", headers = {} }) {
	const data = body ?? JSON.stringify({ event_type: "avatar_video.success", event_data: { video_id: id } });
	const signed = { "Heygen-Signature": crypto.createHmac("sha256", secret ?? "").update(data).digest("hex"),
		"Heygen-Timestamp": String(Math.floor(Date.now() / 1000)), "Heygen-Event-Id": crypto.randomUUID() };

	return new Promise((resolve, reject) => {
		const request = http.request(`${url(provider)}`, { method, headers: { "Content-Type": "application/json", ...signed,
			...change, ...headers } }, (reply) => {
			let text = "";
			reply.on("data", (chunk) => (text += chunk));
			reply.on("end", () => resolve({ status: reply.statusCode, text, headers: reply.headers }));
		});
		request.on("error", reject);
		request.end(method === "POST" ? data : undefined);
	});
}

const secretOf = async () => (await hooks()).endpoints.find((row) => row.url === url("heygen")).secret;

async function metric(provider, outcome) {
	const text = await (await fetch(`http://${door()}/metrics`)).text();
	const name = `filmgate_provider_webhooks_total{provider="${provider}",outcome="${outcome}"}`;
	const line = text.split("\n").find((row) => row.startsWith(name));

	assert.ok(line, `${name} is shown`);
	return Number(line.split(" ").pop());
}

test("before anything is registered nobody calls, and the listing says so", async () => {
	const found = filmgate("webhooks", "registered", "-o", "json");

	assert.strictEqual(found.status, 0, found.stderr);
	assert.deepStrictEqual(JSON.parse(found.stdout).map((row) => [row.provider, row.url ?? "", row.configured ?? false]),
		[["providers/heygen", "", false], ["providers/other", "", true]]);
	assert.strictEqual((await send({ secret: "any", id: "v_1" })).status, 404);
	assert.match(log(), /there is no secret to know it by: run 'filmgate webhooks register'/);
});

test("registered at HeyGen, the secret is kept sealed and shown to nobody", async () => {
	const made = await run("webhooks", "register", "heygen", url("heygen"));

	assert.strictEqual(made.status, 0, made.stderr);
	assert.match(made.stdout, /^heygen calls http/);
	const { endpoints } = await hooks();
	assert.deepStrictEqual(endpoints.map((row) => row.url), [url("heygen")]);
	const found = JSON.parse(filmgate("webhooks", "registered", "-o", "json").stdout)[0];
	assert.strictEqual(found.url, url("heygen"));
	assert.strictEqual(found.remoteId ?? found.remote_id, endpoints[0].endpoint_id);
});

test("a job that would be asked about in a minute is done within seconds", async () => {
	const began = Date.now();
	const job = await create("A webhook is quicker than a poll.");
	const done = await stack.reach(job.name, ["SUCCEEDED"], 30000);

	assert.ok(Date.now() - began < SLOW_MS / 2);
	await stack.checkSucceeded(done, await stack.charges());
	assert.ok(await metric("heygen", "pulled") >= 1);
	// The webhook's own link is one that nobody could download.
	assert.ok(!log().includes("not-to-be-believed"));
});

test("what is forged, changed, old or unsigned is refused and changes nothing", async () => {
	await fault({ type: "lose" });
	const job = await create("Forgers are busy.");
	const id = await remoteOf(job);
	const secret = await secretOf();
	const { revision } = await stack.get(job.name);
	const old = String(Math.floor(Date.now() / 1000) - 600);
	const body = JSON.stringify({ event_type: "avatar_video.success", event_data: { video_id: id } });
	const signature = crypto.createHmac("sha256", secret).update(body).digest("hex");

	for (const [what, call] of Object.entries({
		"another secret": { id, secret: "whsec_forged" },
		"no secret": { id, secret: "" },
		"the other provider's secret": { id, secret: CONFIGURED },
		"a changed body": { body: `${body} `, change: { "Heygen-Signature": signature } },
		"an old time": { id, secret, change: { "Heygen-Timestamp": old } },
		"a time that is none": { id, secret, change: { "Heygen-Timestamp": "soon" } },
		"half of the signature": { body, change: { "Heygen-Signature": signature.slice(0, 32) } },
		"an empty signature": { body, change: { "Heygen-Signature": "" } },
		"an empty body": { body: "", change: { "Heygen-Signature": signature } },
	})) {
		const reply = await send(call);
		assert.strictEqual(reply.status, 401, what);
		assert.ok(!reply.text.includes(id) && !reply.text.includes(job.name), what);
	}
	await sleep(1500);
	assert.strictEqual(await polls(id), 0, "it was not asked about");
	assert.strictEqual((await stack.get(job.name)).revision, revision);
	assert.ok(log().split("a webhook was refused").length <= 3, "the log is not flooded");
	// And the right one, which claims that it failed, finishes it.
	const liar = JSON.stringify({ event_type: "avatar_video.fail", event_data: { video_id: id, msg: "it failed, honestly" } });
	assert.strictEqual((await send({ body: liar, secret })).status, 204);
	await stack.reach(job.name, ["SUCCEEDED"], 30000);
});

test("signed by the simulator: forged and changed ones are refused, too", async () => {
	for (const type of ["forge", "change", "old"]) {
		const before = (await hooks()).sent.length;
		await fault({ type });
		const job = await create(`The simulator can ${type}.`);
		const id = await remoteOf(job);
		const row = await until(`a webhook with ${type}`, async () =>
			(await hooks()).sent.slice(before).find((sent) => sent.video_id === id && sent.status !== 0));
		assert.deepStrictEqual([row.fault, row.status], [type, 401]);
		assert.strictEqual(await polls(id), 0);
		assert.strictEqual((await stack.get(job.name)).status.state, "JOB_STATE_RUNNING");
		await send({ id, secret: await secretOf() });
		await stack.reach(job.name, ["SUCCEEDED"], 30000);
	}
});

test("genuine ones that are repeated do not ask more often", async () => {
	await fault({ type: "lose" });
	const slow = await create("It takes its time.");
	const id = await remoteOf(slow);
	const secret = await secretOf();
	// For the simulator it never ends, so every poll that were too many would be seen.
	const held = await stack.sim("POST", "faults", { match: { method: "GET", path: `/v3/videos/${id}` }, every: 1,
		action: { type: "status", status: 200, body: { data: { id, status: "processing" } } } });

	for (let i = 0; i < 100; i++) assert.strictEqual((await send({ id, secret })).status, 204);
	await sleep(1000);
	assert.strictEqual(await polls(id), 1, "a hundred of them are one poll");
	assert.ok(await metric("heygen", "early") >= 90);
	await stack.sim("DELETE", `faults/${held.id}`);
	await stack.call("CancelJob", { name: slow.name });
});

test("a lost one changes nothing but the time", async () => {
	assert.strictEqual((await run("webhooks", "register", "other", url("other"))).status, 0);
	await fault({ type: "lose" });
	const job = await create("Nobody calls.", "other");
	const id = await remoteOf(job);
	await until("the loss", async () => (await hooks()).sent.some((row) => row.video_id === id && row.fault === "lose"));
	await stack.reach(job.name, ["SUCCEEDED"], 30000);
	assert.strictEqual((await run("webhooks", "unregister", "other")).status, 0);
	assert.strictEqual((await send({ provider: "other", id, secret: CONFIGURED })).status, 204, "the configured one counts on");
});

test("one that comes before the purchase is recorded is harmless, and remembered", async () => {
	const unmatched = await metric("heygen", "unmatched");
	const before = (await hooks()).sent.length;
	await stack.fault({ type: "delay", delay_ms: 4000 }, { match: { method: "POST", path: "/v3/video[s]" } });
	const job = await create("The webhook overtakes the reply.");

	await until("the webhook", async () => (await hooks()).sent.slice(before).some((row) => row.status === 204));
	assert.strictEqual((await stack.get(job.name)).status.state, "JOB_STATE_STARTING");
	assert.strictEqual(await metric("heygen", "unmatched"), unmatched + 1);
	const done = await stack.reach(job.name, ["SUCCEEDED"], 30000);
	await stack.checkSucceeded(done, await stack.charges());
});

test("delayed, repeated and reordered ones do no harm", async () => {
	await fault({ type: "reorder" });
	await fault({ type: "repeat", copies: 5 });
	await fault({ type: "delay", delay_ms: 2000 });
	const jobs = await Promise.all(["one", "two", "three"].map((text) => create(`Number ${text}.`)));
	for (const job of jobs) {
		const done = await stack.reach(job.name, ["SUCCEEDED"], 45000);
		await stack.checkSucceeded(done, await stack.charges());
	}
});

test("another provider's id, or nobody's, changes nothing and is answered the same", async () => {
	await fault({ type: "lose" });
	const job = await create("Whose is it?");
	const id = await remoteOf(job);
	const secret = await secretOf();

	const ours = await send({ provider: "other", id, secret: CONFIGURED });
	const nobodys = await send({ id: "v_00000000000000000000000000000000", secret });
	assert.deepStrictEqual([ours.status, ours.text], [204, ""]);
	assert.deepStrictEqual([nobodys.status, nobodys.text], [204, ""]);
	await sleep(1500);
	assert.strictEqual(await polls(id), 0);
	assert.strictEqual((await stack.get(job.name)).status.state, "JOB_STATE_RUNNING");
	const right = await send({ id, secret });
	assert.deepStrictEqual([right.status, right.text], [204, ""]);
	await stack.reach(job.name, ["SUCCEEDED"], 30000);
});

test("bodies of every kind are taken or refused, and harm nobody", async () => {
	const secret = await secretOf();
	const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;

	for (const body of ["{}", "[]", "null", "x", "{\"event_data\":7}", "{\"event_data\":{\"video_id\":7}}", deep,
		"{\"event_data\":{\"video_id\":\"\"}}", `{"event_data":{"video_id":"${"v".repeat(5000)}"}}`,
		"{\"event_data\":{\"video_id\":\"a\\u0000b\"}}", "{\"event_data\":{\"video_id\":\"a\\nb\"}}", "\xff\xfe"])
		assert.strictEqual((await send({ body, secret })).status, 204, body.slice(0, 60));
	const big = JSON.stringify({ event_data: { video_id: "v_1", padding: "x".repeat(70000) } });
	assert.strictEqual((await send({ body: big, secret })).status, 413);
	assert.strictEqual(await metric("heygen", "fault"), 0);
	assert.ok(stack.daemon.alive);
});

test("the path is public, and tells a stranger nothing", async () => {
	const secret = await secretOf();
	const through = { Host: "films.example.com", Origin: "https://evil.example.com" };

	assert.strictEqual((await send({ id: "v_1", secret, headers: through })).status, 204);
	for (const provider of ["nobody", "", "heygen/", "heygen/x", "HEYGEN"]) {
		const reply = await send({ provider, id: "v_1", secret });
		assert.deepStrictEqual([reply.status, reply.text], [404, "no provider of that name calls here\n"], provider);
	}
	assert.strictEqual((await send({ method: "GET", secret })).status, 405);
	const probe = await send({ method: "OPTIONS", secret });
	assert.strictEqual(probe.status, 204, "HeyGen looks by OPTIONS whether there is somebody");
	assert.strictEqual(probe.headers["access-control-allow-origin"], undefined);
});

test("the secret is in no file of ours in clear, in no log and on no screen", async () => {
	const secret = await secretOf();
	const folder = path.join(stack.data, "filmgate");
	const files = [];
	const walk = (at) => {
		for (const entry of fs.readdirSync(at, { withFileTypes: true }))
			if (entry.isDirectory()) walk(path.join(at, entry.name));
			else files.push(path.join(at, entry.name));
	};

	walk(folder);
	assert.ok(files.some((file) => file.endsWith("secrets/webhook-heygen")));
	for (const file of [...files, stack.daemonLog]) {
		const bytes = fs.readFileSync(file);
		assert.ok(!bytes.includes(secret), file);
		assert.ok(!bytes.includes(CONFIGURED), file);
	}
	for (const name of ["key", "webhook-heygen"])
		assert.strictEqual(fs.statSync(path.join(folder, "secrets", name)).mode & 0o777, 0o600, name);
	const shown = child.spawnSync(path.join(bin, "filmgated"), ["--config", path.join(stack.data, "filmgated.conf"), "--print-config"],
		{ encoding: "utf8", env: { ...process.env, FILMGATE_HEYGEN_KEY: "sim-key", ...env } });
	assert.strictEqual(shown.status, 0, shown.stderr);
	assert.ok(!shown.stdout.includes(CONFIGURED) && !shown.stdout.includes(secret));
	assert.ok(!filmgate("webhooks", "registered", "-o", "json").stdout.includes(secret));
});

test("a restart knows the calls again, and another URL is refused", async () => {
	const port = door();

	await stack.daemon.stop();
	await start({ http: port });
	assert.strictEqual((await send({ id: "v_1", secret: await secretOf() })).status, 204);
	const refused = await run("webhooks", "register", "heygen", `${url("heygen")}2`);
	assert.notStrictEqual(refused.status, 0);
	assert.match(refused.stderr, /calls '.*' already; unregister that first/);
	const before = await secretOf();
	assert.strictEqual((await run("webhooks", "register", "heygen", url("heygen"))).status, 0);
	assert.notStrictEqual(await secretOf(), before, "the same URL again gets a new secret");
	assert.strictEqual((await hooks()).endpoints.length, 1);
	assert.strictEqual((await send({ id: "v_1", secret: before })).status, 401);
	assert.strictEqual((await send({ id: "v_1", secret: await secretOf() })).status, 204);
});

test("who calls too often is told to wait", async () => {
	const port = door();

	await stack.daemon.stop();
	await start({ http: port, requests: 5 });
	const secret = await secretOf();
	const replies = await Promise.all(Array.from({ length: 40 }, () => send({ id: "v_1", secret })));
	const statuses = new Set(replies.map((reply) => reply.status));
	assert.deepStrictEqual([...statuses].sort(), [204, 429]);
	await stack.daemon.stop();
	await start({ http: port });
});

test("unregistered, it is refused, and HeyGen calls no more", async () => {
	const secret = await secretOf();
	const ended = await run("webhooks", "unregister", "heygen");

	assert.strictEqual(ended.status, 0, ended.stderr);
	assert.deepStrictEqual((await hooks()).endpoints, []);
	assert.strictEqual((await send({ id: "v_1", secret })).status, 404);
	const again = await run("webhooks", "unregister", "heygen");
	assert.match(again.stderr, /nothing to end/);
	for (const [bad, words] of [["films.example.com", /no absolute https URL/], ["", /no absolute https URL/]]) {
		const refused = await run("webhooks", "register", "heygen", bad);
		assert.match(refused.stderr, words);
	}
	assert.match((await run("webhooks", "register", "nobody", url("nobody"))).stderr, /nobody/);
});
