// The checker is right: a world in which everything went well is found good, whatever odd but honest things happened in
// it; and each count goes up when one thing is falsified, and names the job. Also that a seed says the same each time.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { sha256 } = require("../integration/stack");
const { check, KEYS } = require("./check");
const { History, Watcher } = require("./history");
const { Plan } = require("./plan");

const T0 = 1800000000000; // UTC milliseconds
const SUBMIT_MS = 2500;
const VIDEO = Buffer.from("rendered");
const OTHER = Buffer.from("of another scene");
const HALF = Buffer.from("rendered, not published");
const OUTSIDE = Buffer.from("never rendered");

const time = (ms) => ({ seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1000000 });
const send = (from = T0, to = T0 + 100) => ({ class: "SEND_CLASS_ACCEPTED", http_status: 200, create_time: time(from), decide_time: time(to) });
const doubt = (from, to) => ({ ...send(from, to), class: "SEND_CLASS_AMBIGUOUS", http_status: 0 });

// A small world as it looks when all is over. Every job has revisions 1 to 3.
class Pretence {
	constructor(cache) {
		Object.assign(this, { cache, submitMs: SUBMIT_MS, deaths: [], losses: [], budgets: [], charges: [], files: new Map() });
		this.history = new History();
		this.watchers = [new Watcher(this.history), new Watcher(this.history)];
		this.jobs = new Map();
		this.later = new Map(); // by job: its revision, when that has risen since it was read
		this.cut = new Map(); // by job: revisions that its events have lost
		this.ledger = { entries: [], usage: [{ currency_code: "USD", reserved_micros: 0, spent_micros: 0 }],
			audit: { leaked_count: 0, unbalanced_count: 0 } };
		this.stack = {
			read: async (name) => this.files.get(name),
			stream: async (method, { name }) => this.events(name),
			call: async (method, { name }) => ({ job: { name, revision: this.later.get(name) || this.jobs.get(name).revision } }),
		};
	}

	status(state, more = {}) {
		return { state: `JOB_STATE_${state}`, failure: null, artifacts: [], attempts: [{ sends: [send()], remotes: [] }], ...more };
	}

	// A job that ended as @state; `charges` and `video` as they usually are for it.
	add(id, state, { provider = "veo", video = state === "SUCCEEDED" ? VIDEO : null, charges = video ? 1 : 0, failure = null,
		...order } = {}) {
		const name = `jobs/${id}`;
		const artifact = video && { name: `${name}/artifacts/a`, role: "video", sha256: sha256(video), size_bytes: video.length };
		const now = { name, request_id: id, revision: 3, status: this.status(state, { failure, artifacts: artifact ? [artifact] : [],
			attempts: [{ sends: [send()], remotes: [{ remote_id: `operations/${id}-0` }] }] }) };
		const job = this.history.begin(id, { provider, text: `text of ${id}`, moderated: false, scene: 1, ...order });

		if (artifact) this.files.set(artifact.name, video);
		this.accepted(job, { ...now, revision: 1, status: this.status("QUEUED") });
		for (const watcher of this.watchers)
			for (const [i, at] of ["QUEUED", "RUNNING", state].entries()) watcher.take(this.event(name, i + 1, at));
		for (let n = 0; n < charges; n++) {
			this.charge(job.text, `${id}-${n}`);
			this.post(name, "RESERVE", 500);
			this.post(name, "SETTLE", 400);
			this.post(name, "RELEASE", 100);
		}
		this.jobs.set(name, now);
		return { job, now };
	}

	read(job, reply) {
		this.history.read(job, reply, this.history.known(job));
	}

	accepted(job, reply) {
		this.history.accepted(job, reply, this.history.known(job));
	}

	event(name, revision, state) {
		return { job: name, revision, kind: "JOB_EVENT_KIND_CHANGED", resume_token: `${name}@${revision}`,
			status: { state: `JOB_STATE_${state}` } };
	}

	events(name) {
		const { revision, status } = this.jobs.get(name);
		const at = (n) => ({ event: { revision: n, status: n === revision ? status : this.status("RUNNING") } });
		const all = Array.from({ length: revision - 1 }, (_, i) => at(i + 2));

		return all.filter((message) => !(this.cut.get(name) || []).includes(message.event.revision));
	}

	charge(text, video) {
		this.charges.push({ text, video_id: video });
	}

	// An entry, and what usage makes of it.
	post(job, kind, amount_micros) {
		const [debit, credit] = { RESERVE: ["RESERVED", "BUDGET"], SETTLE: ["SPENT", "RESERVED"], RELEASE: ["BUDGET", "RESERVED"],
			EXCESS: ["SPENT", "BUDGET"] }[kind];
		const [row] = this.ledger.usage;
		const entry = { sequence: this.ledger.entries.length + 1, job, kind: `LEDGER_ENTRY_KIND_${kind}`, amount_micros,
			currency_code: "USD", date: "2027-01-15", create_time: time(T0), provider: "providers/veo",
			debit: `LEDGER_ACCOUNT_${debit}`, credit: `LEDGER_ACCOUNT_${credit}` };

		this.ledger.entries.push(entry);
		for (const [account, sign] of [[debit, 1], [credit, -1]])
			if (account !== "BUDGET") row[`${account.toLowerCase()}_micros`] += sign * amount_micros;
		return entry;
	}

	// The same without what @drop says.
	repost(drop) {
		const entries = this.ledger.entries.filter((entry) => !drop(entry));

		Object.assign(this.ledger.usage[0], { reserved_micros: 0, spent_micros: 0 });
		this.ledger.entries = [];
		for (const entry of entries) this.post(entry.job, entry.kind.replace("LEDGER_ENTRY_KIND_", ""), entry.amount_micros);
	}

	uncertain(job, sends) {
		job.uncertain = { status: this.status("UNCERTAIN", { attempts: [{ sends }] }) };
		job.resolved.push("RESOLUTION_FOUND");
	}
}

// Everything that looks odd and is as promised.
function honest(cache) {
	const world = new Pretence(cache);

	world.plain = world.add("plain", "SUCCEEDED");
	world.add("like", "SUCCEEDED");
	world.add("heygen", "SUCCEEDED", { provider: "heygen" });
	world.add("scene", "SUCCEEDED", { scene: 2, video: OTHER });
	world.add("moderated", "FAILED", { moderated: true, charges: 1, failure: { reason: "FAILURE_REASON_MODERATED" } });
	world.add("cancelled", "CANCELLED", { charges: 1 }).job.cancelAsked = true;
	world.add("given_up", "FAILED", { charges: 1, failure: { reason: "FAILURE_REASON_LOST" } }).job.resolved.push("RESOLUTION_GIVE_UP");
	const gone = world.add("deleted", "SUCCEEDED");
	Object.assign(gone.job, { deleteAsked: true, deleted: true, state: "JOB_STATE_SUCCEEDED" });
	world.jobs.delete(gone.now.name);
	world.add("called_back", "FAILED", { elsewhere: true,
		failure: { reason: "FAILURE_REASON_INVALID_INPUT", purchased: "PURCHASED_NOTHING" } }).job.cancelAsked = true;
	world.add("refused_once", "FAILED", { moderated: true, failure: { reason: "FAILURE_REASON_MODERATED" } });
	const settled = world.add("settled_late", "CANCELLED", { charges: 1 });
	settled.job.cancelAsked = true;
	world.later.set(settled.now.name, 4);
	for (const watcher of world.watchers) watcher.take(world.event(settled.now.name, 4, "CANCELLED"));
	world.post("jobs/refused_once", "RESERVE", 7);
	world.post("jobs/refused_once", "RELEASE", 7);
	world.post("jobs/refused_once", "RESERVE", 7);
	world.post("jobs/refused_once", "SETTLE", 7);
	world.post("jobs/refused_once", "EXCESS", 2);
	world.deaths.push(T0 + 50);
	world.uncertain(world.add("killed", "SUCCEEDED").job, [doubt()]);
	world.uncertain(world.add("late", "SUCCEEDED").job, [doubt(T0 + 5000, T0 + 5000 + SUBMIT_MS)]);
	world.losses.push({ provider: "openai", from: T0 + 9000, to: T0 + 9500 });
	world.uncertain(world.add("faulty", "SUCCEEDED", { provider: "openai" }).job, [doubt(T0 + 8900, T0 + 9100)]);
	return world;
}

const plainName = "jobs/plain";
const video = (world) => world.plain.now.status.artifacts[0];
const stateIs = (world, state) => {
	world.plain.now.status.state = `JOB_STATE_${state}`;
	world.plain.now.status.failure = { reason: "FAILURE_REASON_PROVIDER_FAULT" };
};

// What is falsified: [the counts that go up, how].
const LIES = [
	[["charged_twice"], (world) => world.charge("text of plain", "again")],
	[["charged_undelivered"], (world) => world.charge("text of nobody", "x")],
	[["charged_undelivered"], (world) => (world.plain.now.status.attempts[0].remotes[0].remote_id = "operations/like-0")],
	[["charged_undelivered"], (world) => delete world.history.jobs.get("deleted").state],
	[["charged_undelivered", "failed_unexplained"], (world) => stateIs(world, "CANCELLED")],
	[["charged_undelivered"], ({ jobs }) => (jobs.get("jobs/cancelled").status.cancel = { outcome: "CANCEL_OUTCOME_NEVER_SENT" })],
	[["charged_undelivered"], ({ jobs }) => (jobs.get("jobs/moderated").status.failure.purchased = "PURCHASED_NOTHING")],
	[["charged_undelivered", "lost"], (world) => world.jobs.delete(plainName)],
	[["lost", "revision_gaps"], (world) => (world.plain.now.revision = 2, world.plain.job.revision = 3)],
	[["charged_undelivered", "stuck"], (world) => stateIs(world, "RUNNING")],
	[["stuck"], (world) => world.history.begin("never_taken", { text: "other" })],
	[["charged_undelivered", "failed_unexplained"], (world) => stateIs(world, "FAILED")],
	[["charged_undelivered", "failed_unexplained"], (world) => stateIs(world, "EXPIRED")],
	[["failed_unexplained"], (world) => (world.jobs.get("jobs/moderated").status.failure.reason = "FAILURE_REASON_LOST")],
	[["failed_unexplained"], (world) => (world.history.jobs.get("called_back").cancelAsked = false)],
	[["failed_unexplained"], (world) => (world.history.jobs.get("called_back").elsewhere = false)],
	[["failed_unexplained"], (world) => (world.jobs.get("jobs/called_back").status.failure.purchased = "PURCHASED_UNKNOWN")],
	[["uncertain_unexplained"], (world) => (world.history.jobs.get("killed").provider = "heygen")],
	[["uncertain_unexplained"], (world) => world.deaths.pop()],
	[["uncertain_unexplained"], (world) => (world.submitMs += 1)],
	[["uncertain_unexplained"], (world) => (world.losses[0].provider = "veo")],
	[["uncertain_unexplained"], (world) => (world.losses[0].from = T0 + 9200)],
	[["leaked_reservations"], (world) => (world.ledger.audit.leaked_count = 1)],
	[["leaked_reservations"], (world) => world.post("jobs/refused_once", "RESERVE", 7)],
	[["leaked_reservations"], (world) => world.post("jobs/deleted", "RESERVE", 7)],
	[["over_budget"], (world) => (world.budgets = [{ from: T0 - 1, veo: 1e9, all: 1 }])],
	[["over_budget"], (world) => (world.budgets = [{ from: T0 - 1, veo: 1, all: 1e9 }])],
	[["ledger_imbalance"], (world) => (world.ledger.audit.unbalanced_count = 1)],
	[["ledger_imbalance"], (world) => (world.ledger.usage[0].spent_micros += 1)],
	[["ledger_imbalance"], (world) => (world.ledger.usage[0].reserved_micros += 1)],
	[["ledger_imbalance"], (world) => (world.ledger.usage = [])],
	[["ledger_imbalance"], (world) => world.post("jobs/refused_once", "SETTLE", 7)],
	[["ledger_imbalance"], (world) => world.post("jobs/refused_once", "RELEASE", 7)],
	[["ledger_imbalance"], (world) => world.post("jobs/refused_once", "EXCESS", 2)],
	[["ledger_imbalance"], (world) => world.repost((entry) => entry.kind.endsWith("RESERVE") && entry.job === "jobs/refused_once")],
	[["ledger_imbalance"], (world) => world.repost((entry) => entry.kind.endsWith("RELEASE") && entry.job === plainName)],
	[["ledger_imbalance", "leaked_reservations"],
		(world) => world.repost((entry) => !entry.kind.endsWith("RESERVE") && entry.job === plainName)],
	[["ledger_imbalance"], (world) => world.repost((entry) => entry.job === plainName)],
	[["ledger_imbalance"], (world) => {
		world.repost((entry) => entry.job === "jobs/cancelled" && !entry.kind.endsWith("RESERVE"));
		world.post("jobs/cancelled", "RELEASE", 500);
	}],
	[["ledger_imbalance"], (world) => (world.post(plainName, "RESERVE", 5), world.post(plainName, "SETTLE", 5))],
	[["ledger_imbalance"],
		(world) => (world.post(plainName, "RESERVE", 5), world.post(plainName, "RESERVE", 5), world.post(plainName, "RELEASE", 5))],
	[["ledger_imbalance"], (world) => (world.post(plainName, "RESERVE", 5), world.post(plainName, "RELEASE", 4))],
	[["bad_artifacts"], (world) => (world.charges = world.charges.filter((row) => row.text !== "text of plain"))],
	[["bad_artifacts"], (world) => (world.plain.now.status.artifacts = [])],
	[["bad_artifacts"], (world) => (video(world).sha256 = sha256(OTHER), world.files.set(video(world).name, OTHER))],
	[["bad_artifacts"], (world) => world.add("foreign", "SUCCEEDED", { scene: 3, video: OUTSIDE })],
	[["bad_artifacts"], (world) => world.files.set("jobs/scene/artifacts/a", VIDEO)],
	[["bad_artifacts"], (world) => world.add("unpublished", "SUCCEEDED", { scene: 3, video: HALF })],
	[["bad_artifacts"], (world) => (world.jobs.get("jobs/scene").status.artifacts[0].size_bytes = 1)],
	[["bad_artifacts"], (world) => (world.stack.read = async () => { throw new Error("gone"); })],
	[["revision_gaps"], (world) => world.watchers.forEach((watcher) => watcher.take(world.event(plainName, 5, "SUCCEEDED")))],
	[["revision_gaps"], (world) => world.watchers.forEach((watcher) => watcher.revisions.delete(plainName))],
	[["revision_gaps"], (world) => world.cut.set(plainName, [2])],
	[["revision_gaps"], (world) => world.cut.set(plainName, [3])],
	[["revision_gaps", "order_violations"], (world) => world.watchers[0].take(world.event(plainName, 3, "FAILED"))],
	[["order_violations"], (world) => world.watchers[1].order.reverse()],
	[["charged_undelivered", "order_violations"], (world) => world.accepted(world.plain.job, world.jobs.get("jobs/like"))],
	[["order_violations"], (world) => (world.plain.now.request_id = "like")],
	[["order_violations"], (world) => (world.plain.job.deleted = true)],
	[["order_violations"], (world) => world.read(world.history.jobs.get("deleted"), world.plain.now)],
	[["order_violations"], (world) => (world.plain.job.revision = 9, world.read(world.plain.job, world.plain.now), world.plain.job.revision = 3)],
	[["order_violations"], (world) => (world.plain.job.moderated = true)],
	[["order_violations"], (world) => world.history.byName.delete(plainName)],
];

async function countsOf(world) {
	const findings = await check(world);

	return { findings, up: KEYS.filter((key) => findings[key].length) };
}

// Two calls at once may be answered in either order.
function checkHistory() {
	const history = new History(), job = history.begin("a", {});
	const at = (revision, state) => ({ name: "jobs/a", revision, status: { state: `JOB_STATE_${state}` } });
	const known = history.known(job);

	history.accepted(job, at(4, "SUCCEEDED"), known);
	history.read(job, at(3, "RUNNING"), known);
	assert.deepStrictEqual(history.disorder, []);
	history.read(job, at(3, "RUNNING"), history.known(job));
	assert.strictEqual(history.disorder.length, 2, "one after the other, they may not");
}

async function checkChecker(cache) {
	const { findings } = await countsOf(honest(cache));
	for (const key of KEYS) assert.deepStrictEqual(findings[key], [], key);

	for (const [expected, falsify] of LIES) {
		const world = honest(cache);
		falsify(world);
		const { up, findings: found } = await countsOf(world);
		assert.deepStrictEqual(up, KEYS.filter((key) => expected.includes(key)), `${falsify}: ${JSON.stringify(found)}`);
	}
	const covered = new Set(LIES.flatMap(([expected]) => expected));
	assert.deepStrictEqual(KEYS.filter((key) => !covered.has(key)), [], "each count can go up");
}

function checkPlan() {
	const points = ["send.after_intent", "upload.sealed", "trim.after"];
	const lives = (seed, meanwhile) => {
		const plan = new Plan(seed, points);

		return Array.from({ length: 400 }, (_, n) => (meanwhile && plan.order(n), plan.life()));
	};
	const first = lives(7, false);
	assert.deepStrictEqual(lives(7, true), first, "a seed plans the same lives, whatever was ordered");
	assert.notDeepStrictEqual(lives(8, false), first);
	const orders = (seed) => Array.from({ length: 50 }, (_, n) => new Plan(seed, points).order(n));
	assert.deepStrictEqual(orders(7), orders(7), "and the same orders");
	const times = points.map((point) => first.filter((life) => life.point === point).length);
	assert.ok(Math.max(...times) - Math.min(...times) <= 1, `each failpoint has its turn: ${times}`);
	assert.deepStrictEqual(new Set(first.map((life) => life.how)), new Set(["failpoint", "kill", "full", "broken", "stop"]));
}

async function main() {
	const cache = fs.mkdtempSync(path.join(os.tmpdir(), "filmgate-checker-"));

	try {
		for (const bytes of [VIDEO, OTHER]) fs.writeFileSync(path.join(cache, sha256(bytes)), bytes);
		fs.mkdirSync(path.join(cache, "work-1-1"));
		fs.writeFileSync(path.join(cache, "work-1-1", "video.mp4"), HALF);
		checkPlan();
		checkHistory();
		await checkChecker(cache);
		console.log(`${LIES.length} lies were found out`);
	} finally {
		fs.rmSync(cache, { recursive: true });
	}
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
