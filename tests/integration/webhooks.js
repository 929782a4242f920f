// Webhooks: what the daemon tells others, checked by the verifier that receivers use (svix, tests/webhooks). Receivers
// that are down, slow, endless, moved or gone; a daemon that is killed while one of them has the message; letters that are
// dead and come back.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, detailsOf, order, root, until } = require("./stack");
const { Webhook } = require(path.join(root, "tests/webhooks/node_modules/svix"));

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD = "whsec_" + Buffer.alloc(32, 7).toString("base64");
const JOBS = "whsec_" + Buffer.alloc(32, 9).toString("base64");
const env = { WH_SECRET: SECRET, WH_OLD: OLD, WH_JOBS: JOBS };
const stack = new Stack();
const PAUSES = "1 1 1";

// A receiver: keeps what comes and answers as `answer(request, response)` says, 204 unless told otherwise.
class Receiver {
	constructor(answer) {
		this.answer = answer || ((_, response) => response.writeHead(204).end());
		this.got = [];
		this.server = http.createServer((request, response) => {
			const chunks = [];
			request.on("data", (chunk) => chunks.push(chunk));
			request.on("end", () => {
				const body = Buffer.concat(chunks).toString();
				this.got.push({ headers: request.headers, url: request.url, method: request.method, body });
				response.on("error", () => {});
				this.answer(request, response, this.got.length);
			});
		});
	}

	start(port = 0) {
		return new Promise((resolve) => this.server.listen(port, "127.0.0.1", () => {
			this.port = this.server.address().port;
			this.url = `http://127.0.0.1:${this.port}`;
			resolve(this);
		}));
	}

	stop() {
		this.server.closeAllConnections();
		return new Promise((resolve) => this.server.close(resolve));
	}

	of(job) {
		return this.got.filter((one) => JSON.parse(one.body).data.job === job.name);
	}

	// The n-th message about the job.
	async message(job, n = 1, timeoutMs = 30000) {
		await until(`message ${n} about ${job.name}`, () => this.of(job).length >= n, timeoutMs);
		return this.of(job)[n - 1];
	}
}

function verify(message, secret) {
	return new Webhook(secret).verify(message.body, message.headers);
}

function entry(name, url, more = "", secret = "current_env = \"WH_SECRET\";") {
	return `{ name = "${name}"; ${url ? `url = "${url}";` : ""} signing = { ${secret} };
		retries = "${PAUSES}"; allow_private_network = true; ${more} }`;
}

const configure = (entries, more = "") => stack.writeConfig({ more: `webhooks = ( ${entries.join(", ")} ); ${more}` });

async function restart(entries, more) {
	await stack.daemon.stop();
	configure(entries, more);
	await stack.startDaemon(env);
}

// A job that has ended a moment later and has cost nothing.
let count = 0;
async function cancelled(more = {}) {
	const job = await stack.create(`wh-${process.pid}-${++count}`, "x", { job: order("x", {
		not_before_time: { seconds: Math.floor(Date.now() / 1000) + 3600, nanos: 0 }, ...more }) });
	await stack.call("CancelJob", { name: job.name });
	return job;
}

async function deliveries(filter = {}) {
	return (await stack.call("ListDeliveries", { page_size: 1000, ...filter }, stack.webhooks)).deliveries;
}

// The delivery about the job once it stands so.
function standing(job, state, endpoint = "") {
	let found;

	return until(`the delivery about ${job.name} to be ${state}`, async () => {
		[found] = await deliveries({ job: job.name, endpoint });
		return found && found.state === `DELIVERY_STATE_${state}` && found;
	}, 30000).catch((error) => {
		error.message += `\n${JSON.stringify(found, null, 1)}`;
		throw error;
	});
}

const filmgate = (...args) => child.spawnSync(path.join(bin, "filmgate"), ["--server", `unix:${stack.socket}`, ...args],
	{ encoding: "utf8", timeout: 60000 });

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200");
	configure([]);
	await stack.startDaemon(env);
});

after(() => stack.finish());

test("what becomes of a job is told, signed by every secret of the endpoint, and only what it wants", async (t) => {
	const all = await new Receiver().start(), some = await new Receiver().start();
	t.after(() => Promise.all([all.stop(), some.stop()]));
	const early = await cancelled();
	await restart([
		entry("all", `${all.url}/hooks?x=1`, "", 'current_env = "WH_SECRET"; previous_env = "WH_OLD";'),
		entry("some", some.url, 'events = [ "job.succeeded" ];'),
	]);
	const made = await stack.create("wh-made", "A film.", { job: order("A film.", { labels: { team: "red" }, display_name: "é" }) });
	const given = await cancelled();
	const message = await all.message(made);

	for (const secret of [SECRET, OLD]) {
		const payload = verify(message, secret);
		assert.strictEqual(payload.type, "job.succeeded");
		assert.strictEqual(payload.data.status.state, "JOB_STATE_SUCCEEDED");
		assert.strictEqual(payload.data.displayName, "é");
		assert.deepStrictEqual(payload.data.labels, { team: "red" });
		assert.strictEqual(payload.timestamp, payload.data.time);
		assert.strictEqual(new Date(payload.timestamp).toISOString(), payload.timestamp.replace(/(:\d\d)Z$/, "$1.000Z"));
		assert.ok(payload.data.status.artifacts.length > 0);
	}
	assert.throws(() => verify(message, JOBS));
	assert.throws(() => verify({ ...message, body: message.body.replace("SUCCEEDED", "FAILED") }, SECRET));
	assert.strictEqual(message.method, "POST");
	assert.strictEqual(message.url, "/hooks?x=1");
	assert.match(message.headers["user-agent"], /^filmgated\//);
	assert.match(message.headers["webhook-id"], /^msg_[0-9a-f]{32}$/);
	assert.strictEqual(JSON.parse((await all.message(given)).body).type, "job.cancelled");
	// The same message is one for all, and the other endpoint wants no cancelled ones.
	assert.strictEqual((await some.message(made)).headers["webhook-id"], message.headers["webhook-id"]);
	await standing(given, "DELIVERED", "all");
	assert.strictEqual(some.of(given).length, 0);
	assert.strictEqual(all.of(made).length, 1);
	// What was before the endpoint was there is not its business.
	assert.strictEqual(all.of(early).length, 0);
	const shown = (await stack.call("GetDelivery", { name: (await deliveries({ job: made.name, endpoint: "all" }))[0].name },
		stack.webhooks)).delivery;
	assert.strictEqual(shown.body, message.body);
	assert.strictEqual(shown.http_status, 204);
	assert.strictEqual(shown.try_count, 1);
	assert.strictEqual(shown.message_id, message.headers["webhook-id"]);
});

test("an order names its own receiver, where the daemon can sign for it", async (t) => {
	const receiver = await new Receiver().start();
	t.after(() => receiver.stop());
	const webhook = { url: `${receiver.url}/mine` };
	const refused = (what, words) => assert.rejects(what, (error) => {
		const [violation] = detailsOf(error).BadRequest.fieldViolations;
		assert.strictEqual(violation.field, "job.webhook.url");
		assert.match(violation.description, words);
		return true;
	});

	await restart([]);
	await refused(cancelled({ webhook }), /no secret to sign with/);
	await restart([entry("jobs", "", "", 'k_env = "WH_JOBS";').replace("allow_private_network = true;", "")]);
	await refused(cancelled({ webhook }), /goes over http/);
	await refused(cancelled({ webhook: { url: "https://127.1/x" } }), /private network/);
	await refused(cancelled({ webhook: { url: "https://localhost/x" } }), /private network/);
	await refused(cancelled({ webhook: { url: "https://u:p@example.com/" } }), /no absolute https URL/);
	await refused(cancelled({ webhook: { url: "" } }), /required/);
	await refused(cancelled({ webhook: { url: `https://example.com/${"x".repeat(2048)}` } }), /too long/);
	await restart([entry("jobs", "", "", 'k_env = "WH_JOBS";')]);

	const job = await stack.create("wh-own", "Mine.", { job: order("Mine.", { webhook }) });
	const payload = verify(await receiver.message(job), JOBS);
	assert.strictEqual(payload.type, "job.succeeded");
	assert.strictEqual((await stack.get(job.name)).webhook.url, webhook.url);
	assert.strictEqual((await standing(job, "DELIVERED")).url, webhook.url);
	// It is part of what makes two requests equal.
	assert.strictEqual((await stack.create("wh-own", "Mine.", { job: order("Mine.", { webhook }) })).name, job.name);
	await assert.rejects(stack.create("wh-own", "Mine.", { job: order("Mine.", { webhook: { url: receiver.url } }) }),
		(error) => detailsOf(error).ErrorInfo.reason === "REQUEST_ID_REUSED");
	// A retry has it too; a job without one tells nobody.
	const retry = (await stack.call("RetryJob", { name: job.name, request_id: "wh-retry" })).job;
	verify(await receiver.message(retry), JOBS);
	const quiet = await cancelled();
	await standing(retry, "DELIVERED");
	assert.deepStrictEqual(await deliveries({ job: quiet.name }), []);
	// Whoever deletes the job at once is told all the same.
	const gone = await cancelled({ webhook });
	await stack.call("DeleteJob", { name: gone.name });
	await receiver.message(gone);
	// A secret in no place that can be read.
	const log = fs.readFileSync(stack.daemonLog, "utf8");
	for (const secret of Object.values(env)) assert.ok(!log.includes(secret.slice(6)));
});

test("a receiver that is down, and one that fails, get it later under the same id", async (t) => {
	const flaky = await new Receiver((_, response, n) => response.writeHead(n === 1 ? 500 : 200).end("thanks")).start();
	const down = await new Receiver().start();
	await down.stop();
	t.after(() => flaky.stop());
	await restart([entry("flaky", flaky.url), entry("down", down.url)]);
	const job = await cancelled();
	const first = await flaky.message(job), second = await flaky.message(job, 2);

	assert.strictEqual(first.headers["webhook-id"], second.headers["webhook-id"]);
	assert.strictEqual(first.body, second.body);
	assert.notStrictEqual(first.headers["webhook-signature"], second.headers["webhook-signature"]);
	verify(second, SECRET);
	await until("a try of the one that is down", async () => (await deliveries({ endpoint: "down" }))[0].try_count > 0);
	assert.match((await deliveries({ endpoint: "down" }))[0].problem, /connect|refused/i);
	const up = await new Receiver().start(down.port);
	t.after(() => up.stop());
	verify(await up.message(job), SECRET);
	assert.strictEqual((await standing(job, "DELIVERED", "flaky")).reply, "thanks");
});

test("killed before it was sent, and after it was received: it comes, under the same id", async (t) => {
	let isHeld = true;
	const receiver = await new Receiver((_, response) => isHeld || response.writeHead(200).end()).start();
	const late = await new Receiver().start();
	await late.stop();
	t.after(() => receiver.stop());
	await restart([entry("held", receiver.url), entry("late", late.url)]);
	const job = await cancelled();
	// The receiver has it, and the daemon does not know.
	const first = await receiver.message(job);
	await stack.daemon.stop("SIGKILL");
	isHeld = false;
	const back = await new Receiver().start(late.port);
	t.after(() => back.stop());
	await stack.startDaemon(env);
	const second = await receiver.message(job, 2), other = await back.message(job);

	assert.strictEqual(second.headers["webhook-id"], first.headers["webhook-id"]);
	assert.strictEqual(other.headers["webhook-id"], first.headers["webhook-id"]);
	assert.strictEqual(second.body, first.body);
	verify(second, SECRET);
	verify(other, SECRET);
	// Ends that are killed right after they were acknowledged: none is lost.
	const jobs = [];
	for (let i = 0; i < 8; i++) {
		jobs.push(await cancelled());
		if (i % 2) {
			await stack.daemon.stop("SIGKILL");
			await stack.startDaemon(env);
		}
	}
	for (const one of jobs) {
		verify(await receiver.message(one), SECRET);
		await standing(one, "DELIVERED", "held");
	}
	// And none is made twice without need.
	for (const one of jobs) assert.strictEqual((await deliveries({ job: one.name, endpoint: "held" })).length, 1);
});

test("no receiver costs another one its time, or the daemon its memory", async (t) => {
	const silent = await new Receiver(() => {}).start();
	const endless = await new Receiver((_, response) => {
		response.writeHead(200, { "content-type": "text/plain" });
		const pour = () => {
			while (!response.destroyed && response.write(Buffer.alloc(65536, 0x61)));
		};
		response.on("drain", pour);
		pour();
	}).start();
	const moved = await new Receiver((_, response) => response.writeHead(302, { location: good.url }).end()).start();
	const gone = await new Receiver((_, response) => response.writeHead(410).end("\u001b[31mgone\u0000")).start();
	const good = await new Receiver().start();
	t.after(() => Promise.all([silent, endless, moved, gone, good].map((one) => one.stop())));
	await restart([entry("silent", silent.url), entry("endless", endless.url), entry("moved", moved.url),
		entry("gone", gone.url), entry("good", good.url)]);
	const begun = Date.now();
	const jobs = [];
	for (let i = 0; i < 12; i++) jobs.push(await cancelled());
	for (const job of jobs) verify(await good.message(job), SECRET);
	assert.ok(Date.now() - begun < 12000, "the silent one, which has 15 s for each, held the others up");
	const held = await standing(jobs[0], "DELIVERED", "endless");
	assert.strictEqual(held.http_status, 200);
	assert.strictEqual(held.reply, "a".repeat(256));
	const left = await standing(jobs[0], "DEAD", "moved");
	assert.strictEqual(left.http_status, 302);
	assert.strictEqual(left.try_count, 4);
	assert.match(left.problem, /not followed/);
	assert.strictEqual(good.of(jobs[0]).length, 1, "nothing came by way of the redirect");
	const over = await standing(jobs[0], "DEAD", "gone");
	assert.strictEqual(over.try_count, 1);
	assert.strictEqual(over.reply, ".[31mgone.");
	// The silent one has had its 15 s.
	const [hung] = await until("the silent one to have failed", async () => {
		const found = await deliveries({ job: jobs[0].name, endpoint: "silent" });
		return found[0].try_count > 0 && found;
	}, 30000);
	assert.strictEqual(hung.http_status, 0);
	assert.match(hung.problem, /time|answer/i);
	const metrics = await (await fetch(`http://${stack.http}/metrics`)).text();
	const number = (name) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(metrics)[1]);
	assert.ok(number("filmgate_webhooks_delivered_total") >= 24);
	assert.ok(number("filmgate_webhooks_dead_total") >= 12);
	assert.ok(number("filmgate_webhooks_failed_total") >= 12);
	assert.ok(number("filmgate_webhooks_pending") >= 1);
});

test("what was given up is listed, and sent again on demand", async (t) => {
	let status = 503;
	const receiver = await new Receiver((_, response) => response.writeHead(status, { "retry-after": "1" }).end()).start();
	t.after(() => receiver.stop());
	await restart([entry("desk", receiver.url, 'retries = "1";').replace(`retries = "${PAUSES}";`, "")]);
	const job = await cancelled(), other = await cancelled();
	const dead = await standing(job, "DEAD");
	await standing(other, "DEAD");
	assert.strictEqual(dead.try_count, 2);
	assert.strictEqual(dead.http_status, 503);
	const listed = filmgate("webhooks", "--state", "dead", "--endpoint", "desk", "-o", "name");
	assert.deepStrictEqual(listed.stdout.trim().split("\n").length, 2, listed.stderr);
	status = 200;
	const again = await stack.call("RedeliverDelivery", { name: dead.name }, stack.webhooks);
	assert.strictEqual(again.delivery.state, "DELIVERY_STATE_PENDING");
	const first = await receiver.message(job), third = await receiver.message(job, 3);
	assert.strictEqual(third.headers["webhook-id"], first.headers["webhook-id"]);
	assert.strictEqual(third.body, first.body);
	verify(third, SECRET);
	await standing(job, "DELIVERED");
	const rest = filmgate("webhooks", "redeliver", "--dead", "--endpoint", "desk");
	assert.strictEqual(rest.status, 0, rest.stderr);
	await standing(other, "DELIVERED");
	// One that was delivered is sent once more, too.
	const shown = filmgate("webhooks", "show", dead.name);
	assert.match(shown.stdout, new RegExp(`message +${first.headers["webhook-id"]}`));
	assert.strictEqual(filmgate("webhooks", "redeliver", dead.name).status, 0);
	await receiver.message(job, 4);
	assert.strictEqual(filmgate("webhooks", "show", "webhooks/desk/deliveries/999999999").status, 3);
	assert.strictEqual(filmgate("webhooks", "show", "nonsense").status, 2);
	assert.strictEqual(filmgate("webhooks", "redeliver").status, 2);
	// Pages.
	const page = await stack.call("ListDeliveries", { page_size: 1, endpoint: "desk" }, stack.webhooks);
	const next = await stack.call("ListDeliveries", { page_size: 1, endpoint: "desk", page_token: page.next_page_token },
		stack.webhooks);
	assert.notStrictEqual(page.deliveries[0].name, next.deliveries[0].name);
	await assert.rejects(stack.call("ListDeliveries", { page_token: "x", page_size: -1, job: "y", endpoint: "A" }, stack.webhooks),
		(error) => detailsOf(error).BadRequest.fieldViolations.length === 4);
});

test("an address of the house is refused when it is connected to, whatever its name", async (t) => {
	const receiver = await new Receiver().start();
	t.after(() => receiver.stop());
	const closed = (name, url) => entry(name, url).replace("allow_private_network = true;", "");
	await restart([closed("by-name", `https://localhost:${receiver.port}/`), closed("by-number", `https://127.0.0.1:${receiver.port}/`),
		closed("mapped", `https://[::ffff:127.0.0.1]:${receiver.port}/`), closed("metadata", "https://169.254.169.254/")]);
	let connections = 0;
	receiver.server.on("connection", () => connections++);
	const job = await cancelled();
	for (const endpoint of ["by-name", "by-number", "mapped", "metadata"]) {
		const found = await standing(job, "DEAD", endpoint);
		assert.match(found.problem, /not on the public Internet/, endpoint);
		assert.strictEqual(found.http_status, 0);
	}
	assert.strictEqual(connections, 0);
});

test("the way out to providers is not the way to receivers", async (t) => {
	const receiver = await new Receiver().start();
	t.after(() => receiver.stop());
	await restart([entry("direct", receiver.url)], 'http = { proxy = "http://127.0.0.1:9"; };');
	verify(await receiver.message(await cancelled()), SECRET);
});

test("an endpoint that is gone leaves dead letters, and one that comes back begins anew", async (t) => {
	const receiver = await new Receiver((_, response) => response.writeHead(500).end()).start();
	t.after(() => receiver.stop());
	await restart([entry("old", receiver.url, 'retries = "3600";').replace(`retries = "${PAUSES}";`, "")]);
	const job = await cancelled();
	await until("the first try", async () => (await deliveries({ endpoint: "old" }))[0]?.try_count === 1);
	await restart([entry("new", receiver.url)]);
	// What waits is only given up when its time has come: who puts the name back in time loses nothing.
	const [waiting] = await deliveries({ endpoint: "old" });
	assert.strictEqual(waiting.state, "DELIVERY_STATE_PENDING");
	await assert.rejects(stack.call("RedeliverDelivery", { name: waiting.name }, stack.webhooks),
		(error) => detailsOf(error).ErrorInfo.reason === "WRONG_STATE");
	receiver.answer = (_, response) => response.writeHead(200).end();
	await restart([entry("old", receiver.url)]);
	await stack.call("RedeliverDelivery", { name: waiting.name }, stack.webhooks);
	verify(await receiver.message(job, 2), SECRET);
	await standing(job, "DELIVERED", "old");
});
