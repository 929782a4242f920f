// What a provider may do to us: each fault ends in its documented outcome, with one charge at most, and leaves a daemon
// that serves the next job.
//
// A lost or unreadable reply to a paid request is repeated under the same key, and the provider replays its answer. The
// simulator needs private addresses, so refusing them on principle is the business of the unit tests of http; here it is
// that no redirect of an API call is followed, and that no credential goes to another origin.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const { test, before, after } = require("node:test");
const { Stack } = require("./stack");

const stack = new Stack();
const SUBMIT = { method: "POST", path: "/v3/videos" };
const POLL = { method: "GET", path: "/v3/videos/" };
const FILE = { host: "files", path: "/files/" };
const PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>";
const RESIDENT_KIB = 768 * 1024; // with sanitizers; a gigabyte would not fit
let count = 0;

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	stack.writeConfig({ pollMs: 100, provider: "submit_timeout_ms = 3000;" });
	await stack.startDaemon();
});

after(() => stack.finish());

const sendsOf = (job) => job.status.attempts.flatMap((attempt) => attempt.sends);
const classesOf = (job) => sendsOf(job).map((send) => send.class.replace("SEND_CLASS_", ""));

// The rows of the simulator's log that this job caused.
async function chargesOf(job) {
	const keys = new Set(sendsOf(job).map((send) => send.idempotency_key));

	return (await stack.charges()).filter((row) => keys.has(row.idempotency_key));
}

// Orders one job under the faults and returns how it ended.
async function outcome(faults) {
	await stack.sim("DELETE", "faults");
	const before = (await stack.charges()).length;
	for (const [match, action, rule] of faults) await stack.fault(action, { match, ...rule });
	const created = await stack.create(`faults-${++count}`, `This is text ${count % 4}.`);
	const job = await stack.reach(created.name, [], 60000);
	const state = await stack.sim("GET", "faults");
	for (const fault of state.faults) assert.ok(fault.fired > 0, `the fault happened: ${JSON.stringify(fault)}`);
	await stack.sim("DELETE", "faults");
	assert.ok(stack.daemon.alive, "the daemon lives");
	const charges = await chargesOf(job);
	assert.strictEqual((await stack.charges()).length - before, charges.length, "every charge belongs to the job");
	assert.ok(charges.length <= 1, `${charges.length} charges`);
	return { job, charges };
}

// Ends well, with one charge and these classes of sends.
function succeeds(name, faults, classes, more) {
	test(name, async () => {
		const { job } = await outcome(faults);
		await stack.checkSucceeded(job, await stack.charges());
		if (classes) assert.deepStrictEqual(classesOf(job), classes);
		if (more) await more(job);
	});
}

function fails(name, faults, reason, purchased, charged) {
	test(name, async () => {
		const { job, charges } = await outcome(faults);
		const failure = job.status.failure;
		assert.strictEqual(job.status.state, "JOB_STATE_FAILED");
		assert.strictEqual(failure.reason, `FAILURE_REASON_${reason}`, JSON.stringify(failure));
		assert.strictEqual(failure.purchased, `PURCHASED_${purchased}`, JSON.stringify(failure));
		assert.ok(failure.message, "a line for a person");
		assert.strictEqual(charges.length, charged);
	});
}

async function nobodyFollowed() {
	const requests = (await stack.sim("GET", "requests")).requests;

	assert.deepStrictEqual(requests.filter((row) => row.path.startsWith("/steal")), []);
}

// Of the paid request. A doubt is settled by the repeat, so the first send is accepted in the end as well.
const TWICE = ["ACCEPTED", "ACCEPTED"];
succeeds("charged, then closed", [[SUBMIT, { type: "close_after" }]], TWICE);
succeeds("charged, then reset", [[SUBMIT, { type: "reset_after" }]], TWICE);
succeeds("charged, and no reply until the time-out", [[SUBMIT, { type: "drop_reply_after_charge" }]], TWICE);
succeeds("closed without a charge", [[SUBMIT, { type: "close_before" }]], TWICE);
succeeds("reset three times", [[SUBMIT, { type: "reset_after" }, { times: 3 }]],
	["ACCEPTED", "ACCEPTED", "ACCEPTED", "ACCEPTED"]);
succeeds("a reply cut short", [[SUBMIT, { type: "truncate", at: 10 }]], TWICE);
succeeds("HTTP 500 with a page, not charged", [[SUBMIT, { type: "status", status: 500, body: PAGE }]], TWICE);
succeeds("HTTP 500 with a page, charged", [[SUBMIT, { type: "status", status: 500, body: PAGE, charge: true }]], TWICE);
succeeds("HTTP 200 with a page, charged", [[SUBMIT, { type: "status", status: 200, body: PAGE, charge: true }]], TWICE);
succeeds("HTTP 400 with a gateway's page, charged",
	[[SUBMIT, { type: "status", status: 400, body: PAGE, charge: true }]], TWICE);
succeeds("HTTP 413 with a gateway's page, twice, charged", [[SUBMIT, { type: "status", status: 413, body: PAGE, charge: true },
	{ times: 2 }]], ["ACCEPTED", "ACCEPTED", "ACCEPTED"]);
succeeds("endless headers", [[SUBMIT, { type: "endless_headers" }]], TWICE);
succeeds("a gigabyte instead of JSON", [[SUBMIT, { type: "gigabyte" }]], TWICE, () => {
	const peak = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${stack.daemon.process.pid}/status`, "utf8"));
	assert.ok(Number(peak[1]) < RESIDENT_KIB, `${peak[1]} KiB at most were resident`);
});
fails("an error inside HTTP 200", [[SUBMIT, { type: "error_in_200" }]], "NO_CREDIT", "NOTHING", 0);
fails("no credit", [[SUBMIT, { type: "status", status: 402,
	body: { error: { code: "insufficient_credit", message: "no credit" } } }]], "NO_CREDIT", "NOTHING", 0);

test("a redirect to another origin gets neither order nor key", async () => {
	const { job } = await outcome([[SUBMIT, { type: "redirect", location: `${stack.filesUrl}/steal`, status: 307 }]]);
	await stack.checkSucceeded(job, await stack.charges());
	await nobodyFollowed();
});
succeeds("a redirect to a private address is not followed",
	[[SUBMIT, { type: "redirect", location: "http://169.254.169.254/steal", status: 307 }]]);

test("429 with Retry-After is waited for", async () => {
	const { job } = await outcome([[SUBMIT, { type: "retry_after", seconds: 2 }]]);
	await stack.checkSucceeded(job, await stack.charges());
	const sends = sendsOf(job);
	assert.deepStrictEqual(classesOf(job), ["REFUSED", "ACCEPTED"]);
	assert.strictEqual(sends[0].http_status, 429);
	const at = (time) => time.seconds * 1000 + time.nanos / 1e6;
	assert.ok(at(sends[1].create_time) - at(sends[0].decide_time) >= 1900, "not before its time");
});

// Kept-alive connections that the provider closes just as the next request arrives.
test("a kept-alive connection closed under the next request", async () => {
	await stack.sim("DELETE", "faults");
	await stack.fault({ type: "keepalive_close" }, { times: 2 });
	const names = [];
	for (let i = 0; i < 4; i++) names.push((await stack.create(`keep-${i}`, `This is text ${i}.`)).name);
	for (const name of names) {
		const job = await stack.reach(name, ["SUCCEEDED"]);
		await stack.checkSucceeded(job, await stack.charges());
	}
	assert.strictEqual((await stack.sim("GET", "faults")).faults[0].fired, 2);
});

// Of the polls.
succeeds("HTTP 500 with a page at a poll", [[POLL, { type: "status", status: 500, body: PAGE }]], ["ACCEPTED"]);
succeeds("endless headers at a poll", [[POLL, { type: "endless_headers" }]], ["ACCEPTED"]);
succeeds("a gigabyte at a poll", [[POLL, { type: "gigabyte" }]], ["ACCEPTED"]);
succeeds("an error inside HTTP 200 at a poll that decides nothing",
	[[POLL, { type: "error_in_200", code: "internal_error", message: "try again" }]], ["ACCEPTED"]);
succeeds("completed, but the link comes later", [[POLL, { type: "link_lag" }, { times: 3 }]], ["ACCEPTED"]);
test("a poll's redirect to another origin gets no key", async () => {
	const { job } = await outcome([[POLL, { type: "redirect", location: `${stack.filesUrl}/steal` }]]);
	await stack.checkSucceeded(job, await stack.charges());
	await nobodyFollowed();
});
fails("moderated at a poll", [[POLL, { type: "moderate" }]], "MODERATED", "UNKNOWN", 1);
fails("no credit at a poll", [[POLL, { type: "credit_failure" }]], "NO_CREDIT", "NOTHING", 1);

// Of the account's check.
const ACCOUNT = { method: "GET", path: "/v3/users/me" };
for (const [word, action] of [
	["OK", null],
	["REFUSED", { type: "status", status: 401 }],
	["FAILED", { type: "status", status: 500, body: PAGE }],
	["UNREACHABLE", { type: "close_before" }],
])
	test(`a check finds ${word}`, async () => {
		await stack.sim("DELETE", "faults");
		if (action) await stack.fault(action, { match: ACCOUNT });
		const reply = await stack.call("CheckProvider", { name: "providers/heygen" }, stack.providers);
		assert.strictEqual(reply.outcome, `CHECK_OUTCOME_${word}`);
		assert.ok(reply.message.length > 10, reply.message);
	});

// Of the file.
succeeds("a file cut short", [[FILE, { type: "truncate", at: 1000 }]], ["ACCEPTED"]);
succeeds("an expired link", [[FILE, { type: "expire_link" }]], ["ACCEPTED"]);
succeeds("once not a video", [[FILE, { type: "not_a_video" }]], ["ACCEPTED"]);
fails("never a video", [[FILE, { type: "not_a_video", content: "random", bytes: 5000 }, { times: 0 }]],
	"ARTIFACT_BAD", "MADE", 1);
test("a file's redirect to another origin gets no key", async () => {
	const { job } = await outcome([[FILE, { type: "redirect", location: `${stack.simUrl}/steal` }]]);
	await stack.checkSucceeded(job, await stack.charges());
	const stolen = (await stack.sim("GET", "requests")).requests.filter((row) => row.path.startsWith("/steal"));
	assert.ok(stolen.length > 0, "a file's redirect is followed");
	for (const row of stolen) assert.strictEqual(row.api_key, false, "without the key");
});
