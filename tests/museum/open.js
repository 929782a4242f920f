// Data directories that earlier versions left behind when they were killed, opened by today's daemon: every job is as it
// was left or goes on, every request id is still known, the ledger begins with what they hold, and nothing is bought
// twice, by the count of the provider that the test plays.
//
// The clock of the daemon begins an hour after the directory was written (libfaketime), so that a piece of the museum
// never grows older than the keys in it. README.md says which version wrote which; make.js makes a new one.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { test } = require("node:test");
const { Stack, fakeClock, sha256, until } = require("../integration/stack");

const NAMES = fs.readdirSync(__dirname).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5)).sort();

const LEDGER_FORMAT = 4; // the first that had one
const STRANGER = "v_stranger"; // a video in the account that no daemon has ever heard of

// HeyGen as far as these jobs need it. What the old daemon had bought is known here by its key, as it is there.
class Provider {
	constructor(orders, video) {
		this.video = video;
		this.bought = new Map(); // key -> id
		this.orders = []; // keys, one for each POST
		this.others = [];
		for (const { keys, remotes } of orders) if (keys?.length) this.bought.set(keys[0], remotes[0] ?? "v_lost");
		this.server = http.createServer((request, response) => this.serve(request, response));
	}

	// Another run of this test may be at it.
	async listen(address) {
		const [host, port] = address.split(":");

		await until(`${address} to be free`, () => new Promise((resolve, reject) => {
			this.server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
			this.server.listen(Number(port), host, () => resolve(true));
		}), 120000, 500);
	}

	say(response, data) {
		response.writeHead(200, { "content-type": "application/json" });
		response.end(JSON.stringify({ data }));
	}

	serve(request, response) {
		const url = new URL(request.url, `http://${request.headers.host}`);
		const id = /^\/v3\/videos\/(.+)$/.exec(url.pathname)?.[1];

		request.resume().on("end", () => {
			if (request.method === "POST" && url.pathname === "/v3/videos") this.order(request.headers["idempotency-key"], response);
			else if (url.pathname === "/file.mp4") response.writeHead(200, { "content-type": "video/mp4" }).end(this.video);
			else if (request.method === "GET" && id)
				this.say(response, { id, status: "completed", duration: 1, video_url: `http://${request.headers.host}/file.mp4` });
			else if (request.method === "GET" && url.pathname === "/v3/videos")
				this.say(response, [...this.bought.values(), STRANGER].map((one) => ({ id: one, status: "completed", title: "",
					created_at: 1 })));
			else {
				this.others.push(`${request.method} ${request.url}`);
				this.say(response, []);
			}
		});
	}

	order(key, response) {
		this.orders.push(key);
		if (!this.bought.has(key)) this.bought.set(key, `v_${this.bought.size}`);
		this.say(response, { video_id: this.bought.get(key), status: "waiting" });
	}

	close() {
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}
}

function fakedClock(written) {
	const at = new Date(Date.parse(written) + 3600000).toISOString().slice(0, 19).replace("T", " ");

	return fakeClock({ FAKETIME: `@${at}`, TZ: "UTC" });
}

const sendsOf = (job) => job.status.attempts.flatMap((attempt) => attempt.sends);

// What was over is as it was, down to its bytes.
async function checkEnded(stack, entry) {
	const job = await stack.get(entry.name);

	assert.strictEqual(job.status.state, entry.state, entry.request.request_id);
	assert.strictEqual(job.revision, entry.revision, "nothing was written about it");
	assert.deepStrictEqual(job.labels, entry.request.job.labels);
	for (const artifact of entry.artifacts) assert.strictEqual(sha256(await stack.read(artifact.name)), artifact.sha256);
}

// The same orders under the same request ids: none is new.
async function checkRequests(stack, jobs) {
	for (const entry of jobs) {
		const { job } = await stack.call("CreateJob", entry.request);
		assert.strictEqual(job.name, entry.name, entry.request.request_id);
	}
}

// What was under way ends well. Each was sent under one key, the one that it had; the provider has one order for each.
async function checkGoesOn(stack, provider, find) {
	const sends = { running: 1, starting: 2, queued: 1, last: 1 };
	const keys = [];

	for (const [id, count] of Object.entries(sends)) {
		const entry = find(id);
		const job = await stack.reach(entry.name, ["SUCCEEDED"], 60000);
		const found = sendsOf(job).map((send) => send.idempotency_key);
		assert.deepStrictEqual(found, Array(count).fill(entry.keys[0] ?? found[0]), id);
		assert.strictEqual(job.status.attempts.length, 1);
		if (id !== "running") keys.push(found[0]);
	}
	assert.deepStrictEqual([...provider.orders].sort(), keys.sort(), "what was ordered, once each");
}

// What may have been bought before there was a ledger stands in it once; what was bought with one, as it was reserved.
async function checkOpened(stack, find, hadLedger) {
	const expected = `LEDGER_ENTRY_KIND_${hadLedger ? "RESERVE" : "OPENING"}`;

	for (const id of ["uncertain", "running", "starting"]) {
		const { entries } = await stack.call("ListLedgerEntries", { job: find(id).name }, stack.usage);
		assert.deepStrictEqual(entries.filter((entry) => /OPENING|RESERVE/.test(entry.kind)).map((entry) => entry.kind), [expected], id);
	}
	await stack.checkLedger();
}

// What these jobs bought is theirs, although no list of owners was kept then.
async function checkOwned(stack) {
	const { orphans } = await stack.call("ListOrphans", { provider: "providers/heygen" }, stack.orphans);

	assert.deepStrictEqual(orphans.map((orphan) => orphan.remote_id), [STRANGER]);
}

// Format 1 listed what is undecided nowhere.
async function checkCounted(stack) {
	const text = await (await fetch(`http://${stack.http}/metrics`)).text();
	const found = text.split("\n").filter((line) => /^filmgate_jobs\{.*uncertain.*\} 1$/i.test(line));

	assert.strictEqual(found.length, 1, text.split("\n").filter((line) => line.startsWith("filmgate_jobs{")).join("\n"));
}

async function checkAssets(stack, orders) {
	const expected = orders.filter((entry) => entry.asset).map((entry) => entry.asset);
	const { assets } = await stack.call("ListAssets", {}, stack.assets);

	assert.deepStrictEqual(assets.map((asset) => asset.name), expected);
}

async function open(name) {
	const { written, provider: address, orders } = JSON.parse(fs.readFileSync(path.join(__dirname, `${name}.json`)));
	const stack = new Stack();
	const jobs = orders.filter((entry) => entry.name && entry.state !== "gone");
	const find = (id) => jobs.find((entry) => entry.request.request_id === id);
	const ended = jobs.filter((entry) => /SUCCEEDED|FAILED|CANCELLED|UNCERTAIN/.test(entry.state));
	const names = jobs.map((entry) => entry.name).sort();
	const hadLedger = Number(/format-(\d+)/.exec(name)[1]) >= LEDGER_FORMAT;
	let provider;

	try {
		child.execFileSync("tar", ["-xzf", path.join(__dirname, `${name}.tar.gz`), "-C", stack.data]);
		const [video] = find("succeeded").artifacts.filter((artifact) => artifact.role === "video");
		const file = path.join(stack.data, "filmgate/artifacts/sha256", video.sha256.slice(0, 2), video.sha256.slice(2));
		provider = new Provider(jobs, fs.readFileSync(file));
		await provider.listen(address);
		stack.simUrl = `http://${address}`;
		stack.writeConfig({ concurrency: 2, others: [`{ id = "gemini"; plugin = "veo"; base_url = "http://${address}";
			secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; }; options = { surface = "gemini"; }; allow_private_network = true; }`] });
		await stack.startDaemon(fakedClock(written));
		assert.deepStrictEqual((await stack.list()).map((job) => job.name).sort(), names);
		assert.strictEqual((await stack.list({ labels: { scene: "succeeded" } })).length, 1);
		for (const entry of ended) await checkEnded(stack, entry);
		await checkAssets(stack, orders);
		await checkCounted(stack);
		await checkRequests(stack, jobs);
		await checkGoesOn(stack, provider, find);
		await checkOpened(stack, find, hadLedger);
		await checkOwned(stack);

		// The second start finds its own format.
		await stack.daemon.stop("SIGTERM");
		await stack.startDaemon(fakedClock(written));
		for (const entry of ended) await checkEnded(stack, entry);
		await checkRequests(stack, jobs);
		assert.deepStrictEqual((await stack.list()).map((job) => job.name).sort(), names);
		assert.strictEqual(provider.orders.length, 3, "nothing was ordered again");
		await checkOpened(stack, find, hadLedger);
		await checkOwned(stack);
	} finally {
		await provider?.close();
		await stack.finish();
	}
}

assert.ok(NAMES.length > 0);
for (const name of NAMES) test(`${name} opens`, { timeout: 240000 }, () => open(name));
