// A simulator and a daemon on loopback in a folder of their own, and a gRPC client of the daemon that shares no code
// with it. Everything that is started is stopped by its process id.
//
// The client uses the unix socket, whose address survives a restart; the TCP port of `grpc` is another one each time.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
const tool = (name) => require(path.join(root, "tests/tools/node_modules", name));
const grpc = tool("@grpc/grpc-js");
const loader = tool("@grpc/proto-loader");
const protobuf = tool("protobufjs");

const bin = path.resolve(process.env.FILMGATE_BIN || path.join(root, "build/dev/bin"));
const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(bin, "../plugins"));
const READY_MS = 60000;
const CALL_MS = 30000;
const FINAL = new Set(["JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED"]);

const api = grpc.loadPackageDefinition(
	loader.loadSync(
		["job", "artifact", "asset", "backup", "orphan", "provider", "usage", "webhook"].map((name) => `filmgate/v1/${name}_service.proto`),
		{ includeDirs: [path.join(root, "proto")], keepCase: true, longs: Number, enums: String, defaults: true },
	),
).filmgate.v1;

const rpc = new protobuf.Root();
rpc.resolvePath = (_, name) => (name.startsWith("google/protobuf") ? name : path.join(root, "proto", name));
rpc.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Does not keep this process alive when what it races with is over.
const limit = (ms) => new Promise((resolve) => setTimeout(resolve, ms).unref());
const sha256 = (bytes) => crypto.createHash("sha256").update(bytes).digest("hex");

// Asks until the answer is not false; says what it waited for when it takes too long.
async function until(what, ask, timeoutMs = 60000, pauseMs = 50) {
	const end = Date.now() + timeoutMs;

	for (;;) {
		const answer = await ask();
		if (answer) return answer;
		assert.ok(Date.now() < end, `${what}: not within ${timeoutMs} ms`);
		await sleep(pauseMs);
	}
}

// libfaketime names its lock after its process and leaves it behind: a later process of that number would wait for it for
// ever. So what earlier runs left goes first, killed ones and those of other containers included.
function clearLocks() {
	for (const name of fs.readdirSync("/dev/shm")) {
		const pid = /^(?:sem\.)?faketime_(?:shm|sem)_(\d+)$/.exec(name)?.[1];
		if (pid && !fs.existsSync(`/proc/${pid}`)) fs.rmSync(`/dev/shm/${name}`, { force: true });
	}
}

// The environment of a process with another clock, of which @more says what it shows; pauses are as long as ever. A
// sanitizer wants to be the first library, libfaketime too.
function fakeClock(more) {
	const fake = process.env.FILMGATE_FAKETIME;

	assert.ok(fake, "FILMGATE_FAKETIME names libfaketimeMT.so.1");
	clearLocks();
	return { LD_PRELOAD: [process.env.FILMGATE_PRELOAD_FIRST, fake].filter(Boolean).join(":"),
		FAKETIME_DONT_FAKE_MONOTONIC: "1", DONT_FAKE_MONOTONIC: "1", ...more };
}

// What the daemon says beside the code, by the name of its type; nothing when it was not the daemon that spoke.
function detailsOf(error) {
	const [bytes] = error.metadata ? error.metadata.get("grpc-status-details-bin") : [];
	const found = {};

	for (const any of bytes ? rpc.lookupType("google.rpc.Status").decode(bytes).details : []) {
		const name = any.type_url.split("/").pop();
		found[name.split(".").pop()] = rpc.lookupType(name).decode(any.value);
	}
	return found;
}

// The connection ended, or never began. A daemon that is there explains itself, and an INTERNAL of its own is its fault.
function isGone(error) {
	const codes = [grpc.status.UNAVAILABLE, grpc.status.CANCELLED, grpc.status.INTERNAL];

	return codes.includes(error.code) && Object.keys(detailsOf(error)).length === 0;
}

const isDraining = (error) => detailsOf(error).ErrorInfo?.reason === "DRAINING";

// One process; `ready` resolves with the words of its ready line.
class Program {
	constructor(command, args, log, env = {}) {
		this.log = log;
		const file = fs.openSync(log, "a");
		this.process = child.spawn(command, args, {
			stdio: ["ignore", "pipe", file],
			env: { ...process.env, ...env },
		});
		fs.closeSync(file);
		this.ended = new Promise((resolve) => {
			this.process.once("error", (error) => resolve({ error }));
			this.process.once("close", (code, signal) => resolve({ code, signal }));
		});
		this.ready = this.firstLine(command, log);
		this.ready.catch(() => {});
	}

	async firstLine(command, log) {
		let text = "";
		const line = new Promise((resolve) => {
			this.process.stdout.on("data", (data) => {
				text += data;
				const found = /^ready .*$/m.exec(text);
				if (found) resolve(found[0]);
			});
		});
		const first = await Promise.race([line, this.ended, limit(READY_MS).then(() => ({ timeout: true }))]);
		if (typeof first !== "string") {
			const words = fs.readFileSync(log, "utf8").split("\n").slice(-30).join("\n");
			throw new Error(`${command} is not ready: ${JSON.stringify(first)}\n${words}`);
		}
		return Object.fromEntries(first.split(" ").slice(1).map((word) => word.split(/=(.*)/s).slice(0, 2)));
	}

	get alive() {
		return this.process.exitCode === null && this.process.signalCode === null;
	}

	async stop(signal = "SIGTERM", timeoutMs = 120000) {
		if (this.alive) this.process.kill(signal);
		const end = await Promise.race([this.ended, limit(timeoutMs)]);
		if (!end) {
			this.process.kill("SIGKILL");
			throw new Error(`process ${this.process.pid} does not obey ${signal}`);
		}
		// A sanitizer speaks through the status, too, and some of them only at the end.
		if (signal === "SIGTERM" && end.code !== 0) {
			const words = fs.readFileSync(this.log, "utf8").split("\n").slice(-60).join("\n");
			throw new Error(`process ${this.process.pid} ended with ${JSON.stringify(end)}\n${words}`);
		}
		return end;
	}
}

class Stack {
	constructor() {
		this.data = fs.mkdtempSync(path.join(os.tmpdir(), "filmgate-it-"));
		this.socket = path.join(this.data, "d.sock");
		this.daemonLog = path.join(this.data, "daemon.log");
	}

	async startSimulator(...options) {
		const cache = process.env.FILMGATE_SIM_CACHE || path.join(this.data, "cache");
		this.simulator = new Program(
			path.join(bin, "filmgate-sim"),
			["--listen", "127.0.0.1:0", "--files-listen", "127.0.0.1:0", "--data", path.join(this.data, "sim"),
				"--cache", cache, "--small", ...options],
			path.join(this.data, "sim.log"),
		);
		const words = await this.simulator.ready;
		this.simUrl = words.sim;
		this.filesUrl = words.files;
	}

	// `provider` and `limits` are further lines of these groups, `others` further providers.
	// The simulator's films are smaller than what is ordered; who does not ask for it is not told, and no picture is decoded.
	writeConfig({ concurrency = 4, pollMs = 100, mismatch = "accept", provider = "", limits = "", drainS = 60, grpc = "127.0.0.1:0", http = "127.0.0.1:0",
		dataDir = path.join(this.data, "filmgate"), pluginDirs = [plugins], others = [], more = "" } = {}) {
		const heygen = `{
			id = "heygen";
			plugin = "heygen";
			base_url = "${this.simUrl}";
			secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
			concurrency = ${concurrency};
			poll = { initial_ms = ${pollMs}; max_ms = ${4 * pollMs}; };
			allow_private_network = true;
			on_mismatch = "${mismatch}";
			${provider}
		}`;

		fs.writeFileSync(path.join(this.data, "filmgated.conf"), `
			data_dir = "${dataDir}";
			listen = { grpc = "${grpc}"; unix = "${this.socket}"; http = "${http}"; };
			limits = { reserve_bytes = 0L; ${limits} };
			drain_s = ${drainS};
			${more}
			plugin_dirs = ( ${pluginDirs.map((folder) => `"${folder}"`).join(", ")} );
			providers = ( ${[heygen, ...others].join(", ")} );\n`);
	}

	// Does not wait until it is ready.
	spawnDaemon(env = {}, wrapper = [], options = []) {
		const command = [...wrapper, path.join(bin, "filmgated"), "--config", path.join(this.data, "filmgated.conf"), ...options];
		this.daemon = new Program(command[0], command.slice(1), this.daemonLog, {
			FILMGATE_HEYGEN_KEY: "sim-key",
			...env,
		});
	}

	// Starts a daemon that has to give up, and returns its last line.
	async refuseToStart(env = {}, wrapper = []) {
		this.spawnDaemon(env, wrapper);
		const end = await Promise.race([this.daemon.ended, limit(READY_MS)]);

		if (!end) this.daemon.process.kill("SIGKILL");
		const log = fs.readFileSync(this.daemonLog, "utf8");
		assert.deepStrictEqual(end, { code: 1, signal: null }, log);
		return log.trimEnd().split("\n").pop();
	}

	async startDaemon(env = {}, wrapper = [], options = []) {
		this.spawnDaemon(env, wrapper, options);
		({ grpc: this.tcp, http: this.http } = await this.daemon.ready);
		this.connect(`unix:${this.socket}`);
	}

	connect(address) {
		const options = { "grpc.use_local_subchannel_pool": 1, "grpc.max_receive_message_length": 8 << 20 };

		this.disconnect();
		this.jobs = new api.JobService(address, grpc.credentials.createInsecure(), options);
		this.artifacts = new api.ArtifactService(address, grpc.credentials.createInsecure(), options);
		this.assets = new api.AssetService(address, grpc.credentials.createInsecure(), options);
		this.backups = new api.BackupService(address, grpc.credentials.createInsecure(), options);
		this.orphans = new api.OrphanService(address, grpc.credentials.createInsecure(), options);
		this.providers = new api.ProviderService(address, grpc.credentials.createInsecure(), options);
		this.usage = new api.UsageService(address, grpc.credentials.createInsecure(), options);
		this.webhooks = new api.WebhookService(address, grpc.credentials.createInsecure(), options);
	}

	disconnect() {
		for (const client of [this.jobs, this.artifacts, this.assets, this.backups, this.orphans, this.providers, this.usage, this.webhooks])
			if (client) client.close();
	}

	// A unary call: call("CreateJob", {…}).
	call(method, request, client = this.jobs) {
		return new Promise((resolve, reject) => {
			client[method](request, { deadline: Date.now() + CALL_MS }, (error, reply) =>
				error ? reject(error) : resolve(reply));
		});
	}

	async create(requestId, script, more = {}) {
		const request = { job: order(script), request_id: requestId, ...more };

		return (await this.call("CreateJob", request)).job;
	}

	async get(name) {
		return (await this.call("GetJob", { name })).job;
	}

	// The ledger is the sum of its entries, and holds what the jobs hold. Returns what was read.
	async checkLedger() {
		const found = await this.call("CheckLedger", {}, this.usage);

		assert.deepStrictEqual([found.unbalanced_count, found.leaked_count], [0, 0],
			`${JSON.stringify(found)}\n${fs.readFileSync(this.daemonLog, "utf8").slice(-2000)}`);
		return found;
	}

	// What was reserved and spent so far, one row for each currency.
	async usageRows(request = {}) {
		return (await this.call("GetUsage", { from_date: "2020-01-01", ...request }, this.usage)).rows;
	}

	// The job once it has reached one of these states, "SUCCEEDED" for example, or any final one.
	reach(name, states = [], timeoutMs = 60000) {
		let job;

		return until(`${name} to be ${states.join(" or ") || "over"}`, async () => {
			job = await this.get(name);
			const state = job.status.state;
			if (states.length ? states.includes(state.replace("JOB_STATE_", "")) : FINAL.has(state)) return job;
			if (FINAL.has(state)) assert.fail(`${name} is ${JSON.stringify(job.status, null, 1)}`);
			return false;
		}, timeoutMs).catch((error) => {
			error.message += `\n${job ? JSON.stringify(job.status, null, 1) : ""}`;
			throw error;
		});
	}

	async list(filter = {}) {
		const jobs = [];
		let token = "";

		do {
			const page = await this.call("ListJobs", { filter, page_size: 1000, page_token: token });
			jobs.push(...page.jobs);
			token = page.next_page_token;
		} while (token);
		return jobs;
	}

	// All messages of a stream, which must end with OK.
	stream(method, request, client = this.jobs) {
		return new Promise((resolve, reject) => {
			const messages = [];
			const call = client[method](request, { deadline: Date.now() + CALL_MS });
			call.on("data", (message) => messages.push(message));
			call.on("error", reject);
			call.on("end", () => resolve(messages));
		});
	}

	async read(artifact, offset = 0, limit = 0) {
		const chunks = await this.stream("ReadArtifact", { name: artifact, offset, limit }, this.artifacts);
		let at = offset;

		for (const chunk of chunks) {
			assert.strictEqual(chunk.offset, at, "bytes come in order");
			at += chunk.data.length;
		}
		return Buffer.concat(chunks.map((chunk) => chunk.data));
	}

	async sim(method, what, body) {
		const reply = await fetch(`${this.simUrl}/_sim/${what}`, { method, body: body && JSON.stringify(body) });

		assert.ok(reply.ok, `${method} ${what}: ${reply.status} ${reply.ok ? "" : await reply.clone().text()}`);
		return reply.json();
	}

	fault(action, rule) {
		return this.sim("POST", "faults", { ...rule, action });
	}

	async charges() {
		return (await this.sim("GET", "charges")).charges;
	}

	// What the simulator serves for a video of its own.
	async served(videoId) {
		const reply = await fetch(`${this.simUrl}/v3/videos/${videoId}`, { headers: { "X-Api-Key": "sim-key" } });
		const file = await fetch((await reply.json()).data.video_url);

		assert.strictEqual(file.status, 200);
		return Buffer.from(await file.arrayBuffer());
	}

	// A job that succeeded: bought once, its revisions without a gap, its bytes those that the simulator serves.
	async checkSucceeded(job, charges) {
		const status = job.status;
		const remotes = status.attempts.flatMap((attempt) => attempt.remotes.map((remote) => remote.remote_id));
		const sends = status.attempts.flatMap((attempt) => attempt.sends);

		assert.strictEqual(status.state, "JOB_STATE_SUCCEEDED", `${job.name} ${JSON.stringify(status, null, 1)}`);
		assert.strictEqual(remotes.length, 1, `${job.name} has one video there`);
		const rows = charges.filter((row) => row.video_id === remotes[0]);
		assert.strictEqual(rows.length, 1, `${job.name} has one charge`);
		const keys = new Set(sends.map((send) => send.idempotency_key));
		const bought = charges.filter((row) => keys.has(row.idempotency_key));
		assert.strictEqual(bought.length, 1, `${job.name}'s keys have one charge`);
		const events = (await this.stream("WatchJob", { name: job.name, after_revision: 1 })).map((m) => m.event);
		const revisions = events.map((event) => event.revision);
		assert.deepStrictEqual(revisions, Array.from({ length: job.revision - 1 }, (_, i) => i + 2),
			`${job.name}'s revisions have no gap`);
		const video = status.artifacts.find((artifact) => artifact.role === "video");
		assert.ok(video, `${job.name} has a video`);
		const bytes = await this.read(video.name);
		assert.strictEqual(bytes.length, video.size_bytes);
		assert.strictEqual(sha256(bytes), video.sha256, `${job.name}'s hash`);
		assert.strictEqual(video.sha256, sha256(await this.served(remotes[0])), `${job.name} is what was served`);
		return { sends };
	}

	async finish() {
		let failure;

		this.disconnect();
		for (const program of [this.daemon, this.simulator])
			if (program && program.alive) await program.stop("SIGTERM").catch((error) => (failure ??= error));
		if (process.env.FILMGATE_KEEP) console.log(`kept: ${this.data}`);
		else fs.rmSync(this.data, { recursive: true, force: true });
		if (failure) throw failure;
	}
}

function order(script, more = {}) {
	return {
		provider: "providers/heygen",
		model: "avatar",
		parameters: { avatar_id: "demo_avatar", voice_id: "demo_voice", script: { text: script }, resolution: "720p" },
		...more,
	};
}

// --name VALUE on the command line, or the environment's FILMGATE_NAME, or the default; a number.
function option(name, fallback) {
	const at = process.argv.indexOf(`--${name}`);
	const text = at >= 0 ? process.argv[at + 1] : process.env[`FILMGATE_${name.toUpperCase()}`];
	const value = text === undefined ? fallback : Number(text);

	assert.ok(Number.isSafeInteger(value) && value >= 0, `--${name} takes a number, not ${text}`);
	return value;
}

// The same numbers for the same seed (mulberry32).
function randoms(seed) {
	let state = seed >>> 0;

	return (below) => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
	};
}

module.exports = { Stack, Program, api, bin, root, clearLocks, fakeClock, grpc, detailsOf, isDraining, isGone, order, option,
	randoms, rpc, sha256, sleep, until, FINAL };
