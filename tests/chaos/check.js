// What became of it all, against what was promised. Three accounts are compared: what the daemon shows (its jobs with
// their sends, and every event again), what the clients were told (history.js), and what the simulator charged, which
// alone is the truth about charges.
//
// Each count is a list of offenders: `findings[key].push(words)`. A check more is a function more in CHECKS.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { FINAL, sha256, sleep } = require("../integration/stack");
const { checkBudgets, checkLedger } = require("./ledger");

const KEYS = ["charged_twice", "charged_undelivered", "lost", "stuck", "failed_unexplained", "uncertain_unexplained",
	"leaked_reservations", "ledger_imbalance", "over_budget", "bad_artifacts", "revision_gaps", "order_violations"];

const TRIES = 20; // in which a watcher hears what was read
const TRIES_ALL = 10 * TRIES; // of a world: where it goes wrong with hundreds of jobs, no waiting will help

const sendsOf = (job) => job.status.attempts.flatMap((attempt) => attempt.sends);
const remotesOf = (job) => job.status.attempts.flatMap((attempt) => attempt.remotes.map((remote) => remote.remote_id));
const stateOf = (job) => job.status.state.replace("JOB_STATE_", "");

// ---- money ----

// Every order has a text of its own, so a charge says whose it is whatever the daemon made of the reply.
function checkCharges(world, findings) {
	const charges = new Map();

	for (const row of world.charges) charges.set(row.text, [...(charges.get(row.text) || []), row]);
	for (const job of world.history.jobs.values()) {
		const rows = charges.get(job.text) || [];
		charges.delete(job.text);
		if (rows.length > 1)
			findings.charged_twice.push(`${job.name} has ${rows.length} charges: ${rows.map((row) => row.video_id).join(", ")}`);
		const now = world.jobs.get(job.name);
		const state = now ? stateOf(now) : (job.state || "").replace("JOB_STATE_", "");
		if (rows.length && state !== "SUCCEEDED" && !explainsCharge(job, state))
			findings.charged_undelivered.push(`${job.name} is charged and ${state || "unknown"}`);
		if (rows.length && now && saysNothingWasBought(now))
			findings.charged_undelivered.push(`${job.name} is charged and says that it is not: ${JSON.stringify(now.status)}`);
		if (now && rows.length && state === "SUCCEEDED" && !remotesOf(now).some((id) => rows.some((row) => id.endsWith(row.video_id))))
			findings.charged_undelivered.push(`${job.name} is charged ${rows[0].video_id} and has ${remotesOf(now)}`);
		if (!rows.length && state === "SUCCEEDED") findings.bad_artifacts.push(`${job.name} SUCCEEDED and was never charged`);
	}
	for (const [text, rows] of charges) findings.charged_undelivered.push(`'${text}' is charged ${rows.length} times for no job`);
}

// What the user asked for himself, what a content rule keeps, and what a person gave up.
function explainsCharge(job, state) {
	return (state === "CANCELLED" && job.cancelAsked) || (state === "FAILED" && job.moderated) ||
		job.resolved.includes("RESOLUTION_GIVE_UP");
}

const saysNothingWasBought = ({ status }) =>
	status.cancel?.outcome === "CANCEL_OUTCOME_NEVER_SENT" || status.failure?.purchased === "PURCHASED_NOTHING";

// ---- jobs ----

function checkJobs(world, findings) {
	for (const job of world.history.jobs.values()) {
		const now = world.jobs.get(job.name);
		if (!job.name) {
			findings.stuck.push(`${job.id} was never accepted`);
		} else if (!now) {
			if (!job.deleteAsked) findings.lost.push(`${job.name} (${job.id}) was acknowledged and is not there`);
		} else {
			if (job.deleted) findings.order_violations.push(`${job.name} is there although its deletion was acknowledged`);
			if (now.request_id !== job.id) findings.order_violations.push(`${job.name} is ${now.request_id}, not ${job.id}`);
			if (now.revision < job.revision)
				findings.lost.push(`${job.name} is at revision ${now.revision}, and ${job.revision} was shown`);
			checkEnd(job, now, findings);
		}
	}
	for (const [name, now] of world.jobs)
		if (!world.history.byName.has(name)) findings.order_violations.push(`${name} (${now.request_id}) was ordered by nobody`);
}

// Of a text that is refused, or of an order for elsewhere that was cancelled while the first provider had not yet refused
// it: such a one does not go on.
function isRefusalTrue(job, failure) {
	return (job.moderated && failure.reason === "FAILURE_REASON_MODERATED") ||
		(job.elsewhere && job.cancelAsked && failure.reason === "FAILURE_REASON_INVALID_INPUT" && failure.purchased === "PURCHASED_NOTHING");
}

function checkEnd(job, now, findings) {
	const state = stateOf(now);

	if (!FINAL.has(now.status.state)) findings.stuck.push(`${now.name} is ${state} after all was over`);
	const words = `${now.name} of ${job.provider} is ${state}: ${JSON.stringify(now.status.failure)}`;
	if (state === "FAILED" && !job.resolved.includes("RESOLUTION_GIVE_UP") && !isRefusalTrue(job, now.status.failure))
		findings.failed_unexplained.push(words);
	if (state === "EXPIRED" || (state === "CANCELLED" && !job.cancelAsked)) findings.failed_unexplained.push(words);
	if (state === "SUCCEEDED" && job.moderated) findings.order_violations.push(`${words}, although it is forbidden`);
}

// A doubt needs a reason: the daemon died while the send was pending, a fault may have taken the reply, or none came in the
// time that is configured for it, as on a busy machine. And where a key protects the repeat (HeyGen's, for 24 hours) there
// is none.
function checkUncertain(world, findings) {
	for (const job of world.history.jobs.values()) {
		if (!job.uncertain) continue;
		const doubts = sendsOf(job.uncertain).filter((send) => send.class === "SEND_CLASS_AMBIGUOUS");
		const explained = doubts.some((send) => {
			const from = at(send.create_time), to = at(send.decide_time);
			const isLate = send.http_status === 0 && to - from >= world.submitMs;
			return isLate || world.deaths.some((death) => death >= from - 1 && death <= to + 1) ||
				world.losses.some((loss) => loss.provider === job.provider && loss.from <= to && loss.to >= from);
		});
		if (job.provider === "heygen" || !explained)
			findings.uncertain_unexplained.push(`${job.name} of ${job.provider}: ${JSON.stringify(job.uncertain.status)}`);
	}
}

const at = (time) => (time ? Number(time.seconds) * 1000 + Math.floor(time.nanos / 1e6) : 0);

// ---- artifacts ----

// The renderer's own files: whatever else is delivered is not what was bought. Folders in it are work that is not
// published, perhaps of a simulator of another run, and may go at any time.
function renderedIn(cache) {
	const files = fs.readdirSync(cache, { withFileTypes: true }).filter((entry) => entry.isFile());

	return new Set(files.map((entry) => sha256(fs.readFileSync(path.join(cache, entry.name)))));
}

async function checkArtifacts(world, findings) {
	const rendered = renderedIn(world.cache), scenes = new Map(), read = new Map();

	for (const [name, job] of world.jobs) {
		if (stateOf(job) !== "SUCCEEDED") continue;
		const video = job.status.artifacts.find((artifact) => artifact.role === "video");
		if (!video) {
			findings.bad_artifacts.push(`${name} SUCCEEDED without a video`);
			continue;
		}
		const order = world.history.byName.get(name);
		const scene = `${order && order.provider} ${order && order.scene}`;
		if (!scenes.has(scene)) scenes.set(scene, video.sha256);
		if (scenes.get(scene) !== video.sha256) findings.bad_artifacts.push(`${name} has another video than its like`);
		if (!rendered.has(video.sha256)) findings.bad_artifacts.push(`${name} has a video that nobody rendered`);
		for (const artifact of job.status.artifacts) {
			if (!read.has(artifact.sha256))
				read.set(artifact.sha256, await world.stack.read(artifact.name).then(
					(bytes) => sha256(bytes) === artifact.sha256 && bytes.length === artifact.size_bytes,
					(error) => String(error)));
			if (read.get(artifact.sha256) !== true)
				findings.bad_artifacts.push(`${artifact.name}: ${read.get(artifact.sha256) || "its bytes are others"}`);
		}
	}
}

// ---- events ----

// What a cancelled job came to can be learnt after the jobs were read, and is a revision more.
async function checkNewest(world, watcher, { name, revision }, patience, findings) {
	let seen = watcher.revisions.get(name);

	for (let tries = 0; seen !== revision && tries < TRIES && patience.tries > 0; tries++, patience.tries--) {
		({ revision } = (await world.stack.call("GetJob", { name })).job);
		await sleep(100);
		seen = watcher.revisions.get(name);
	}
	if (seen !== revision) findings.revision_gaps.push(`${name} is at ${revision}, and its watcher saw ${seen}`);
}

async function checkEvents(world, findings) {
	findings.revision_gaps.push(...world.history.gaps);
	findings.order_violations.push(...world.history.disorder);
	const [first, second] = world.watchers;
	const length = Math.min(first.order.length, second.order.length);
	const patience = { tries: TRIES_ALL };
	for (let i = 0; i < length; i++) {
		if (first.order[i] === second.order[i]) continue;
		findings.order_violations.push(`two watchers saw ${first.order[i]} and ${second.order[i]} as event ${i + 1}`);
		break;
	}
	for (const [name, job] of world.jobs) {
		await checkNewest(world, first, job, patience, findings);
		const events = (await world.stack.stream("WatchJob", { name, after_revision: 1 })).map((message) => message.event);
		// The stream ends with the job; what was changed afterwards is not in it.
		const isShort = events.length < job.revision - 1 && !(events.length && FINAL.has(events.at(-1).status.state));
		if (isShort || events.some((event, i) => event.revision !== i + 2))
			findings.revision_gaps.push(`${name}, at ${job.revision}, has revisions ${events.map((event) => event.revision).join(" ")}`);
	}
}

const CHECKS = [checkCharges, checkJobs, checkUncertain, checkLedger, checkBudgets, checkArtifacts, checkEvents];

async function check(world) {
	const findings = Object.fromEntries(KEYS.map((key) => [key, []]));

	for (const one of CHECKS) await one(world, findings);
	return findings;
}

module.exports = { check, KEYS };
