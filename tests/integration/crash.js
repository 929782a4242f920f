// The daemon is killed with -9, or asked to stop, at random moments under load, and started again. In the end every job
// has succeeded, was bought once, has revisions without a gap, and its bytes are those that were served; and after each
// death the ledger balances.
//
//     node crash.js [--rounds 50] [--graceful 20] [--jobs 200] [--seed N]
//
// Orders are sent while the daemon dies, and repeated with the same request_id until they are accepted. One WatchJobs
// follows all of it and resumes after each death from its last token. A round counts only if at least 20 jobs were open
// when the daemon was killed; more than --jobs are ordered if that is what it takes. --graceful N does N rounds of
// SIGTERM instead, after which no send may have been ambiguous.
"use strict";

const assert = require("node:assert");
const { Stack, isDraining, isGone, order, option, randoms, sleep, FINAL } = require("./stack");

const graceful = option("graceful", 0);
const rounds = graceful || option("rounds", 50);
const wanted = option("jobs", 200);
const seed = option("seed", Date.now() % 1000000);
const random = randoms(seed);
const OPEN = 20;
const AHEAD = 28; // open or on their way: more than OPEN, for some end before the kill
const SCRIPTS = 6; // few: the simulator renders each text once
const LIFE_MS = 600; // the longest life of a daemon after its start

const stack = new Stack();
const names = new Map(); // request_id -> name
const seen = new Map(); // name -> { revisions, state } as the watcher has it
let ordered = 0, pending = 0, stopping = false, token = "", watch = null;

// What a client repeats: the daemon went away, or said that it is about to.
const isOver = (error) => isGone(error) || (graceful > 0 && isDraining(error));

async function orderOne() {
	const id = `crash-${++ordered}`;
	const job = order(`This is text ${ordered % SCRIPTS}.`, { display_name: id }); // the same in every repetition

	pending++;
	for (;;) {
		try {
			const reply = await stack.call("CreateJob", { job, request_id: id });
			names.set(id, reply.job.name);
			break;
		} catch (error) {
			assert.ok(isOver(error), `${id}: ${error}`);
			await sleep(20);
		}
	}
	pending--;
}

function take(event) {
	token = event.resume_token;
	if (event.kind === "JOB_EVENT_KIND_BOOKMARK") return;
	const job = seen.get(event.job) || { revisions: 0 };
	assert.strictEqual(event.revision, job.revisions + 1, `${event.job}: the watcher's revisions have no gap`);
	seen.set(event.job, { revisions: event.revision, state: event.status.state });
}

// Resolves when the stream is open: the first message without a token is a bookmark.
function follow(fail) {
	watch = stack.jobs.WatchJobs({ resume_token: token });
	return new Promise((resolve) => {
		watch.on("data", (message) => {
			try {
				take(message.event);
			} catch (error) {
				fail(error);
			}
			resolve();
		});
		watch.on("error", (error) => {
			if (!isOver(error)) fail(error);
		});
		if (token) resolve();
	});
}

const openStates = ["QUEUED", "PREPARING", "STARTING", "RUNNING", "STORING", "UNCERTAIN"]
	.map((state) => `JOB_STATE_${state}`);

async function openJobs() {
	return (await stack.list({ states: openStates })).length;
}

function topUp(open, fail) {
	for (let missing = AHEAD - open - pending; missing > 0; missing--) orderOne().catch(fail);
}

async function end() {
	if (graceful) {
		const how = await stack.daemon.stop("SIGTERM");
		assert.deepStrictEqual([how.code, how.signal], [0, null], "a graceful end has status 0");
	} else {
		await stack.daemon.stop("SIGKILL");
	}
}

async function run(fail) {
	let counted = 0;

	await stack.startDaemon();
	await follow(fail);
	for (let tries = 0; counted < rounds; tries++) {
		assert.ok(tries < 4 * rounds + 20, `only ${counted} of ${tries} kills met ${OPEN} open jobs`);
		topUp(await openJobs(), fail);
		await sleep(random(LIFE_MS));
		await end();
		// Some kills meet a daemon that is starting.
		if (!graceful && random(5) === 0) {
			stack.spawnDaemon();
			await sleep(random(250));
			await end();
		}
		await stack.startDaemon();
		await follow(fail);
		await stack.checkLedger();
		// What is open after the kill was open before it.
		if ((await openJobs()) >= OPEN) counted++;
	}
	while (ordered < wanted) orderOne().catch(fail);
	return counted;
}

async function settle() {
	const deadline = Date.now() + 240000;

	while (pending > 0 || (await openJobs()) > 0) {
		assert.ok(Date.now() < deadline, `${pending} orders and ${await openJobs()} jobs are left open`);
		await sleep(100);
	}
}

async function check() {
	const jobs = await stack.list();
	const charges = await stack.charges();
	let ambiguous = 0, sends = 0;

	assert.strictEqual(jobs.length, ordered, "one job per order");
	assert.strictEqual(new Set(names.values()).size, ordered, "each order has its own");
	for (const job of jobs) {
		const checked = await stack.checkSucceeded(job, charges);
		sends += checked.sends.length;
		ambiguous += checked.sends.filter((send) => send.class === "SEND_CLASS_AMBIGUOUS").length;
		const watched = seen.get(job.name);
		assert.ok(watched && FINAL.has(watched.state), `the watcher saw ${job.name} end`);
		assert.strictEqual(watched.revisions, job.revision, `the watcher saw all of ${job.name}`);
	}
	assert.strictEqual(charges.length, ordered, "one charge per job");
	for (const row of await stack.usageRows())
		assert.deepStrictEqual([row.reserved_micros, row.purchase_count], [0, ordered], "and one purchase in the ledger");
	assert.strictEqual((await stack.checkLedger()).job_count, ordered);
	if (graceful) {
		assert.strictEqual(sends, ordered, "a graceful end leaves nothing to repeat");
		assert.strictEqual(ambiguous, 0, "a graceful end leaves nothing ambiguous");
		const log = require("node:fs").readFileSync(stack.daemonLog, "utf8");
		assert.ok(!/paid request is undecided/.test(log), "and never did");
	}
	return { sends };
}

async function main() {
	const began = Date.now();
	const failure = new Promise((_, reject) => {
		main.fail = (error) => stopping || reject(error);
	});

	console.log(`crash: seed ${seed}, ${rounds} rounds of ${graceful ? "SIGTERM" : "SIGKILL"}`);
	await stack.startSimulator("--render-time-ms", "200:1500", "--submit-delay-ms", "0:150",
		"--concurrency", "100000", "--credit", "1000000");
	stack.writeConfig({ concurrency: 40, pollMs: 100 });
	const counted = await Promise.race([run(main.fail), failure]);
	console.log(`crash: ${counted} rounds with at least ${OPEN} open jobs after ${Date.now() - began} ms`);
	await Promise.race([settle(), failure]);
	await sleep(200);
	const { sends } = await Promise.race([check(), failure]);
	stopping = true;
	console.log(`crash: OK: ${ordered} jobs, ${sends} sends, one charge each, ${Date.now() - began} ms`);
}

main()
	.catch((error) => {
		stopping = true;
		console.error(`crash: FAILED with seed ${seed}:`, error);
		process.exitCode = 1;
	})
	.finally(() => {
		if (watch) watch.cancel();
		return stack.finish();
	})
	.finally(() => setTimeout(() => process.exit(), 100));
