// Makes a piece of the museum: a data directory as the daemon of another checkout leaves it behind when it is killed with
// jobs in every state, and a list of what is in it.
//
//     FILMGATE_BIN=TREE/build/release/bin node tests/museum/make.js TREE NAME
//
// TREE is a checkout of the version, built, with tests/tools/node_modules. Nothing in the result names the machine: the
// daemon runs in /tmp/filmgate-museum, and the provider's address is the one that the test listens at again.
"use strict";

const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const [tree, name] = process.argv.slice(2);
const { Stack, order, sleep, until } = require(path.resolve(tree, "tests/integration/stack"));
const FOLDER = "/tmp/filmgate-museum";
const PROVIDER = "127.0.0.1:24317";
const SUBMIT = { method: "POST", path: "/v3/videos" };

const stack = new Stack();
const orders = [];

// Orders, and keeps how it was ordered: what it is called is known to the store by its request alone.
async function create(request, wait) {
	const { job } = await stack.call("CreateJob", request);
	const entry = { name: job.name, request };

	orders.push(entry);
	return wait ? stack.reach(job.name, wait) : job;
}

const heygen = (id, script, more = {}, labels = { film: "museum", scene: id }) =>
	({ request_id: id, job: { ...order(script), display_name: `The ${id} one`, labels, ...more }, timeout: { seconds: 30 * 86400 } });

async function fill() {
	await create(heygen("succeeded", "It is there."), ["SUCCEEDED"]);
	const gone = await create(heygen("deleted", "It is gone."), ["SUCCEEDED"]);
	await stack.call("DeleteJob", { name: gone.name });

	await stack.fault({ type: "moderate" }, { match: { method: "GET", path: "/v3/videos/" } });
	await create(heygen("failed", "It may not be."), ["FAILED"]);
	await stack.sim("DELETE", "faults");

	await stack.fault({ type: "drop_reply_after_charge" }, { match: { method: "POST", path: "/v1beta/*" } });
	await create({ request_id: "uncertain", timeout: { seconds: 30 * 86400 }, job: { provider: "providers/gemini",
		model: "veo-3.1-generate-001", labels: { film: "museum" }, parameters: { prompt: "Nobody knows.", duration: { seconds: 4 } } } },
	["UNCERTAIN"]);
	await stack.sim("DELETE", "faults");

	if (stack.assets) await upload();
	// So that some of it has left the write-ahead log.
	await stack.daemon.stop("SIGTERM");
	await stack.startDaemon();
	await stack.simulator.stop();
	await simulator("--render-time-ms", "3600000", "--concurrency", "100");
	await create(heygen("running", "It takes its time."), ["RUNNING"]);
	await stack.fault({ type: "drop_reply_after_charge" }, { match: SUBMIT, times: 0 });
	const starting = await create(heygen("starting", "The reply is lost."));
	await until("the order to arrive", async () => (await stack.charges()).some((row) => row.script === "The reply is lost."
		|| JSON.stringify(row).includes("The reply")) || (await stack.get(starting.name)).status.state === "JOB_STATE_STARTING");
	await sleep(1500);
	// Both places are taken.
	const cancelled = await create(heygen("cancelled", "It is not wanted."));
	await stack.call("CancelJob", { name: cancelled.name });
	await create(heygen("queued", "It waits.", { priority: 5 }));
	await create(heygen("last", "It waits, too."));
}

async function upload() {
	const file = fs.readFileSync(path.join(FOLDER, "photo.png"));
	const asset = await new Promise((resolve, reject) => {
		const call = stack.assets.UploadAsset({ deadline: Date.now() + 30000 }, (error, reply) => (error ? reject(error) : resolve(reply)));
		call.write({ metadata: { display_name: "photo.png" } });
		call.write({ data: file });
		call.end();
	});

	orders.push({ asset: asset.asset.name });
}

async function simulator(...options) {
	const start = stack.startSimulator.bind(stack);
	const spawn = child.spawn;

	// stack.js takes any free port; the store remembers where it ordered.
	child.spawn = (command, args, more) => spawn(command,
		args.map((word, i) => (args[i - 1] === "--listen" ? PROVIDER : word)), more);
	await start(...options).finally(() => (child.spawn = spawn));
}

async function main() {
	fs.rmSync(stack.data, { recursive: true });
	fs.mkdirSync(FOLDER);
	Object.assign(stack, { data: FOLDER, socket: `${FOLDER}/d.sock`, daemonLog: `${FOLDER}/daemon.log` });
	child.execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "color=c=red:s=64x64", "-frames:v", "1", `${FOLDER}/photo.png`]);
	await simulator("--render-time-ms", "0", "--concurrency", "100");
	stack.writeConfig({ concurrency: 2, others: [`{ id = "gemini"; plugin = "veo"; base_url = "http://${PROVIDER}";
		secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; }; options = { surface = "gemini"; }; submit_timeout_ms = 1500;
		allow_private_network = true; }`] });
	await stack.startDaemon();
	await fill();
	for (const entry of orders.filter((one) => one.name)) {
		try {
			const job = await stack.get(entry.name);
			const sends = job.status.attempts.flatMap((attempt) => attempt.sends);
			Object.assign(entry, { state: job.status.state, revision: job.revision,
				keys: sends.map((send) => send.idempotency_key).filter(Boolean),
				remotes: job.status.attempts.flatMap((attempt) => attempt.remotes.map((remote) => remote.remote_id)),
				artifacts: job.status.artifacts.map(({ name: artifact, role, sha256 }) => ({ name: artifact, role, sha256 })) });
		} catch (error) {
			entry.state = "gone";
		}
	}
	await stack.daemon.stop("SIGKILL");
	await stack.simulator.stop();

	const target = path.join(__dirname, name);
	for (const file of fs.readdirSync(`${FOLDER}/filmgate`, { recursive: true }))
		if (/(^|\/)LOG(\.old\.\d+)?$/.test(file)) fs.rmSync(`${FOLDER}/filmgate/${file}`);
	child.execFileSync("tar", ["-czf", `${target}.tar.gz`, "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C", FOLDER, "filmgate"]);
	fs.writeFileSync(`${target}.json`, `${JSON.stringify({ written: new Date().toISOString(), provider: PROVIDER, orders }, null, "\t")}\n`);
	fs.rmSync(FOLDER, { recursive: true });
}

main().catch((error) => {
	console.error(error);
	for (const program of [stack.daemon, stack.simulator]) if (program?.alive) program.process.kill("SIGKILL");
	process.exitCode = 1;
});
