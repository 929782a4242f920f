// What the HTTP door says of a daemon that works, of one that is shutting down, and of one whose disk is full: read by a
// parser that shares no code with it, and compared with what the simulator and the daemon's gRPC door say.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, afterEach } = require("node:test");
const { Stack, root, until } = require("./stack");
const { SmallDisk } = require("./small_disk");

const fixtures = path.resolve(process.env.FILMGATE_FIXTURES || path.join(root, "build/dev/tests/abi"));
const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(root, "build/dev/plugins"));
const SUBMIT = { method: "POST", path: "/v3/videos" };
const KEY = 'secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };';
let stack;

afterEach(() => stack.finish());

async function page(name) {
	const reply = await fetch(`http://${stack.http}/${name}`, { signal: AbortSignal.timeout(20000) });

	return { status: reply.status, type: reply.headers.get("content-type"), text: await reply.text() };
}

// Not every machine has it: the package brings a whole server of 100 MB.
function checkWithPromtool(text) {
	const run = child.spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8", timeout: 60000 });

	if (run.error?.code === "ENOENT") return;
	assert.deepStrictEqual([run.status, run.stderr], [0, ""]);
}

// The parser comes from Debian, so it is Debian's python that has it. A function: the sum of the samples of that name whose labels include these.
async function scrape() {
	const { status, type, text } = await page("metrics");

	assert.strictEqual(status, 200, text);
	assert.strictEqual(type, "text/plain; version=0.0.4; charset=utf-8");
	checkWithPromtool(text);
	const run = child.spawnSync("/usr/bin/python3", [path.join(__dirname, "metrics.py")],
		{ input: text, encoding: "utf8", timeout: 60000 });
	assert.strictEqual(run.status, 0, `${run.error || ""}${run.stderr}\n${text}`);
	const samples = JSON.parse(run.stdout);
	const value = (name, labels = {}) => {
		assert.ok(samples[name], `there is ${name}`);
		return samples[name]
			.filter(([has]) => Object.entries(labels).every(([key, value]) => has[key] === value))
			.reduce((sum, [, value]) => sum + value, 0);
	};
	return Object.assign(value, { samples });
}

const GIVEN_BY_PROMETHEUS = ["job", "instance"];
const familyOf = (name) => name.replace(/_(bucket|sum|count)$/, "");

// Every panel asks for families, labels and values that there are, and every family of ours has a panel.
function checkDashboard(samples) {
	const board = JSON.parse(fs.readFileSync(path.join(root, "packaging/grafana/filmgate.json"), "utf8"));
	const asked = new Set();

	assert.strictEqual(new Set(board.panels.map((panel) => panel.id)).size, board.panels.length, "ids of panels are unique");
	for (const { expr } of board.panels.flatMap((panel) => panel.targets || [])) {
		const metrics = [...expr.matchAll(/\b((?:filmgate|process)_\w+)\{(.*?)\}/g)];
		assert.ok(metrics.length > 0, expr);
		for (const [, name, labels] of metrics) {
			assert.ok(samples[name], `${expr}: there is no ${name}`);
			asked.add(familyOf(name));
			for (const [, label, , value] of labels.matchAll(/(\w+)(=~|=)"(.*?)"/g)) {
				if (GIVEN_BY_PROMETHEUS.includes(label)) continue;
				const known = samples[name].map(([has]) => has[label]);
				assert.ok(value.startsWith("$") ? !known.includes(undefined) : known.includes(value), `${expr}: ${label}="${value}"`);
			}
		}
		for (const [, labels] of expr.matchAll(/\bby \((.*?)\)/g))
			for (const label of labels.split(", ")) {
				const isThere = metrics.every(([, name]) => samples[name].some(([has]) => label in has));
				assert.ok(isThere || GIVEN_BY_PROMETHEUS.includes(label), `${expr}: nothing has ${label}`);
			}
	}
	const families = new Set(Object.keys(samples).filter((name) => /^filmgate_/.test(name) && !name.endsWith("_info")).map(familyOf));
	assert.deepStrictEqual([...families].filter((name) => !asked.has(name)), [], "no panel asks for these");
}

test("the numbers are those of what happened", async () => {
	stack = new Stack();
	await stack.startSimulator("--render-time-ms", "200:300", "--concurrency", "1000");
	stack.writeConfig({
		more: 'budgets = ( { name = "all"; amount = "500.00"; currency = "USD"; period = "month"; } );',
		pluginDirs: [plugins, fixtures],
		others: [`{ id = "nonsense"; plugin = "nonsense"; base_url = "${stack.simUrl}"; allow_private_network = true; ${KEY} }`],
	});
	await stack.startDaemon();
	const heygen = { provider: "heygen" };

	const first = await scrape();
	assert.strictEqual(first("filmgate_build_info"), 1);
	assert.ok(Math.abs(first("process_start_time_seconds") - Date.now() / 1000) < 60);
	assert.ok(first("process_resident_memory_bytes") > 1e6);
	assert.ok(first("process_open_fds") > 5 && first("process_open_fds") < first("process_max_fds"));
	assert.strictEqual(first("filmgate_jobs"), 0);

	// Six jobs, one of which loses a reply; a plugin that breaks rules.
	await stack.fault({ type: "close_after" }, { match: SUBMIT, times: 1 });
	const names = [];
	for (let i = 0; i < 6; i++) names.push((await stack.create(`m-${i}`, `Number ${i}.`)).name);
	const bad = { provider: "providers/nonsense", model: "", parameters: { prompt: "no_answer" } };
	const source = fs.readFileSync(path.join(root, "tests/abi/nonsense.c"), "utf8");
	[, bad.parameters.prompt] = /^\t\{"(\w+)", \w+\},$/m.exec(source);
	const broken = (await stack.create("m-bad", "", { job: bad })).name;
	const jobs = await Promise.all(names.map((name) => stack.reach(name, ["SUCCEEDED"])));
	await stack.reach(broken, ["FAILED"]);

	const sends = jobs.flatMap((job) => job.status.attempts.flatMap((attempt) => attempt.sends));
	const files = jobs.flatMap((job) => job.status.artifacts);
	const value = await scrape();
	assert.strictEqual(value("filmgate_jobs"), 0);
	assert.strictEqual(value("filmgate_jobs_accepted_total", heygen), 6);
	assert.strictEqual(value("filmgate_jobs_ended_total", { ...heygen, state: "succeeded" }), 6);
	assert.strictEqual(value("filmgate_jobs_ended_total", { provider: "nonsense", state: "failed" }), 1);
	assert.strictEqual(value("filmgate_plugin_faults_total", { provider: "nonsense" }), 1);
	assert.strictEqual(value("filmgate_plugin_faults_total", heygen), 0);
	assert.strictEqual(sends.length, 7, "one was repeated");
	assert.strictEqual(value("filmgate_ambiguous_sends_total"), 1);
	assert.strictEqual(value("filmgate_http_exchanges_total", { ...heygen, outcome: "ambiguous" }), 1);
	assert.strictEqual(value("filmgate_submit_duration_seconds_count", heygen), 6);
	assert.ok(value("filmgate_poll_lateness_seconds_count", heygen) >= 6);
	assert.strictEqual(value("filmgate_artifacts_stored_total", heygen), files.length);
	assert.strictEqual(value("filmgate_artifact_stored_bytes_total", heygen),
		files.reduce((sum, file) => sum + file.size_bytes, 0));
	const spent = jobs.reduce((sum, job) => sum + job.status.money.settled_micros, 0);
	assert.ok(spent > 0);
	assert.strictEqual(value("filmgate_spent_micros_total", { ...heygen, currency: "USD" }), spent);
	assert.strictEqual(value("filmgate_reserved_micros", heygen), 0);
	assert.strictEqual(value("filmgate_budget_limit_micros", { budget: "all", currency: "USD" }), 500e6);
	assert.strictEqual(value("filmgate_budget_used_micros", { budget: "all" }), spent);
	assert.ok(value("filmgate_store_write_seconds_count") > 20);
	assert.ok(value("filmgate_store_batch_commits_sum") >= value("filmgate_store_batch_commits_count"));
	assert.strictEqual(value("filmgate_store_healthy"), 1);
	assert.strictEqual(value("filmgate_slots", heygen), 4);
	assert.strictEqual((await page("livez")).text, "ok\n");
	checkDashboard(value.samples);

	const watch = stack.jobs.WatchJobs({});
	watch.on("error", () => {});
	await until("the watch is counted", async () => (await scrape())("filmgate_watchers") === 1);
	watch.cancel();
	await until("the watch is gone", async () => (await scrape())("filmgate_watchers") === 0);
});

test("a queue that stands still has an age", async () => {
	stack = new Stack();
	await stack.startSimulator("--render-time-ms", "60000:60000", "--concurrency", "1000");
	stack.writeConfig({ concurrency: 1 });
	await stack.startDaemon();
	for (let i = 0; i < 3; i++) await stack.create(`q-${i}`, `Number ${i}.`);
	const value = await until("one runs", async () => {
		const now = await scrape();
		return now("filmgate_jobs", { state: "running" }) === 1 && now;
	});
	assert.strictEqual(value("filmgate_jobs", { state: "queued" }), 2);
	assert.strictEqual(value("filmgate_slots_used"), 1);
	await until("it grows", async () => (await scrape())("filmgate_queue_oldest_seconds", { provider: "heygen" }) > 1);
	await stack.daemon.stop("SIGKILL");
	await stack.startDaemon();
	assert.strictEqual((await scrape())("filmgate_jobs", { state: "queued" }), 2);
});

test("while it drains it lives and is not ready", async () => {
	stack = new Stack();
	await stack.startSimulator("--render-time-ms", "100:200");
	stack.writeConfig();
	await stack.startDaemon();
	assert.deepStrictEqual(await page("readyz"), { status: 200, type: "text/plain; charset=utf-8", text: "ok\n" });
	await stack.fault({ type: "delay", delay_ms: 4000 }, { match: SUBMIT });
	await stack.create("drain", "Wait for me.");
	await until("the purchase is under way", async () =>
		(await stack.sim("GET", "requests")).requests.some((row) => row.method === "POST"));
	const stopped = stack.daemon.stop("SIGTERM");
	const { text } = await until("it is not ready", async () => {
		const now = await page("readyz");
		return now.status === 503 && now;
	}, 3000);
	assert.strictEqual(text, "draining: the daemon is shutting down\n");
	assert.strictEqual((await page("livez")).status, 200);
	assert.strictEqual((await scrape())("filmgate_draining"), 1);
	await stopped;
	await assert.rejects(page("livez"), "nobody listens any more");
});

test("a store that takes nothing is not ready", async () => {
	stack = new Stack();
	fs.mkdirSync(path.join(stack.data, "filmgate"));
	const disk = new SmallDisk(path.join(stack.data, "filmgate"), path.join(stack.data, "room"));
	disk.room = 2 ** 40;
	stack.simUrl = "http://127.0.0.1:9"; // nothing is bought here
	stack.writeConfig();
	await stack.startDaemon(disk.env());
	assert.strictEqual((await page("readyz")).status, 200);
	disk.room = 0;
	await assert.rejects(stack.create("full", "There is no room."));
	const { status, text } = await until("both are said", async () => {
		const now = await page("readyz");
		return now.text.includes("disk:") && now;
	});
	assert.strictEqual(status, 503);
	assert.match(text, /^store: a write failed, and nothing is accepted until .*; make room there if it is full, .*\ndisk: .*\n$/);
	assert.strictEqual((await page("livez")).status, 200);
	const value = await scrape();
	assert.deepStrictEqual(["healthy", "short", "free_bytes", "failures_total"].map((name) => value(`filmgate_store_${name}`)),
		[0, 1, 0, 1]);
	disk.room = 2 ** 40;
	await until("it is ready again", async () => (await page("readyz")).status === 200);
	assert.strictEqual((await scrape())("filmgate_store_healthy"), 1);
	assert.strictEqual((await scrape())("filmgate_store_short"), 0);
	await stack.daemon.stop("SIGKILL");
	disk.close();
});

test("an HTTP port that is taken keeps the daemon from starting", async () => {
	stack = new Stack();
	stack.simUrl = "http://127.0.0.1:9";
	stack.writeConfig();
	await stack.startDaemon();
	const other = new Stack();
	other.simUrl = stack.simUrl;
	other.writeConfig({ http: stack.http });
	assert.strictEqual(await other.refuseToStart(),
		`filmgated: '${stack.http}' is in use by another process; stop it or choose another one`);
	other.writeConfig({ http: "" });
	await other.startDaemon();
	assert.strictEqual(other.http, undefined);
	await other.finish();
	assert.strictEqual((await page("readyz")).status, 200);
});
