// What an order is expected to cost, what is changed of it where that is allowed, when it will be its turn and when it
// will be done: from the order to the end, against the simulator, by the wire and by the command line.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, order, until } = require("./stack");

const stack = new Stack();
const VEO = "veo-3.1-generate-001";
const VEO_SUBMIT = { method: "POST", path: `/v1/projects/p1/*:predict*` };
const OPENAI_POLL = { method: "GET", path: "/v1/videos/*" };
const OPENAI_SUBMIT = { method: "POST", path: "/v1/videos" };
const CLIP = ["submit", "veo", "A cat", "-m", VEO];
const MISFIT = ["--param", "duration_ms=5s", "--param", "fps=30"];
let count = 0;

function provider(id, plugin, base, secrets, options, more = "") {
	return `{
		id = "${id}";
		plugin = "${plugin}";
		base_url = "${stack.simUrl}${base}";
		secrets = { ${secrets} };
		options = { ${options} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		${more}
	}`;
}

const KEY = 'api_key_env = "FILMGATE_HEYGEN_KEY";';
const price = (model, amount, more) => `{ model = "${model}"; amount = "${amount}"; ${more} }`;

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	const account = `service_account_file = "${path.join(stack.data, "sim", "service-account.json")}";`;
	const google = 'origins = ( "https://storage.googleapis.com" );';
	const files = `origins = ( "${stack.filesUrl}" );`;
	const sora = 'model = "sora-2";', routed = 'model = "google/veo-3.1"; dialect = "openrouter";';
	stack.writeConfig({ others: [
		provider("veo", "veo", "", account, 'project = "p1";', google),
		provider("priced", "veo", "", account, 'project = "p1";', `${google} prices = (
			${price(VEO, "9", 'currency = "EUR"; when = [ "resolution=4k" ];')},
			${price(VEO, "0.25", 'currency = "credits"; unit = "video"; valid_from = "2026-01-01";')} );`),
		provider("gateway", "openai_videos", "/v1", KEY, sora),
		provider("narrow", "openai_videos", "/v1", KEY, sora, "concurrency = 1;"),
		provider("fresh", "openai_videos", "/v1", KEY, sora),
		provider("router", "openai_videos", "/api/v1", KEY, routed, files),
		provider("routed", "openai_videos", "/api/v1", KEY, routed,
			`${files} prices = ( ${price("video", "0.07", 'currency = "EUR";')} );`),
	] });
	await stack.startDaemon();
});

after(() => stack.finish());

const clip = (at, parameters = {}) => ({ provider: `providers/${at}`, model: at === "veo" || at === "priced" ? VEO : "video",
	parameters: { prompt: `Number ${++count} of the cats`, duration: { seconds: 4 }, ...parameters } });

async function create(job, more = {}) {
	return (await stack.call("CreateJob", { job, request_id: `prices-${++count}`, ...more })).job;
}

const restOf = (name) => until(`${name} to come to rest`, async () => {
	const job = await stack.get(name);
	return /SUCCEEDED|FAILED|CANCELLED|UNCERTAIN/.test(job.status.state) && job;
});

// The job at its end; the quote is the one with which it was accepted.
async function ended(job, state = "SUCCEEDED") {
	const created = await create(job);
	const over = await restOf(created.name);
	assert.strictEqual(over.status.state, `JOB_STATE_${state}`, JSON.stringify(over.status, null, 1));
	assert.deepStrictEqual(over.quote, created.quote);
	return over;
}

function filmgate(status, ...words) {
	const run = child.spawnSync(path.join(bin, "filmgate"), ["-s", `unix:${stack.socket}`, ...words],
		{ encoding: "utf8", timeout: 60000 });
	assert.strictEqual(run.status, status, `filmgate ${words.join(" ")}: ${run.stdout}${run.stderr}`);
	return run.stdout + run.stderr;
}

const videosOf = (job) => job.status.artifacts.filter((artifact) => artifact.role === "video");
const msOf = (duration) => duration.seconds * 1000 + duration.nanos / 1000000;

// What lies here at the price of the quote, to the millionth; and nearly what was ordered of it.
function assertDelivered(job, unitMicros, videos, seconds, currency = "USD") {
	const ms = videosOf(job).map((video) => msOf(video.duration)).reduce((sum, one) => sum + one, 0);
	assert.strictEqual(videosOf(job).length, videos);
	assert.ok(Math.abs(ms - 1000 * seconds) <= 100 * videos, `${ms} ms are about ${seconds} s`);
	assert.deepStrictEqual(job.status.cost, { amount_micros: Math.floor((unitMicros * ms) / 1000 + 0.5),
		currency_code: currency, source: "COST_SOURCE_COMPUTED", provisional: false });
}

function assertNothing(job, currency) {
	assert.deepStrictEqual(job.status.cost,
		{ amount_micros: 0, currency_code: currency, source: "COST_SOURCE_NOTHING", provisional: false });
	assert.strictEqual(job.status.failure.purchased, "PURCHASED_NOTHING");
}

function assertQuote(quote, kind, amount, currency, source) {
	assert.strictEqual(quote.kind, `QUOTE_KIND_${kind}`, JSON.stringify(quote));
	assert.strictEqual(quote.amount_micros, amount, JSON.stringify(quote));
	assert.strictEqual(quote.currency_code, currency, JSON.stringify(quote));
	assert.strictEqual(quote.source, `PRICE_SOURCE_${source}`, JSON.stringify(quote));
}

async function under(faults, ask) {
	await stack.sim("DELETE", "faults");
	for (const [match, action, rule] of faults) await stack.fault(action, { match, ...rule });
	const answer = await ask();
	for (const fault of (await stack.sim("GET", "faults")).faults) assert.ok(fault.fired > 0, JSON.stringify(fault));
	await stack.sim("DELETE", "faults");
	return answer;
}

// ---- quotes and costs ----

test("HeyGen: an estimate by the script, and what was delivered at that price", async () => {
	const job = await ended(order("One two three four five six seven eight nine ten."));
	const [bytes, unit] = [51, 66700];
	assert.strictEqual(job.quote.kind, "QUOTE_KIND_ESTIMATE");
	assert.strictEqual(job.quote.unit_micros, unit);
	assert.match(job.quote.rule, /estimated from the script at (\d+) bytes of text a second/);
	assert.strictEqual(job.quote.amount_micros, Math.floor((unit * msOf(job.quote.duration)) / 1000 + 0.5));
	assert.ok(msOf(job.quote.duration) > 1000 && msOf(job.quote.duration) < 1000 * bytes);
	assertDelivered(job, unit, 1, 4);
});

test("HeyGen: a film at a price of its own is exact", async () => {
	const job = await ended({ provider: "providers/heygen", model: "cinematic",
		parameters: { prompt: "A cat acts", avatar_id: "a", duration: { seconds: 5 } } });
	assertQuote(job.quote, "EXACT", 7000000, "USD", "PLUGIN");
	assert.strictEqual(job.status.cost.amount_micros, 7000000);
	assert.strictEqual(job.status.cost.source, "COST_SOURCE_COMPUTED");
});

test("Veo: seconds times samples times the price, with sound and without", async () => {
	const loud = await ended(clip("veo", { sample_count: 2 }));
	assertQuote(loud.quote, "EXACT", 4 * 2 * 400000, "USD", "PLUGIN");
	assert.deepStrictEqual([loud.quote.sample_count, msOf(loud.quote.duration)], [2, 4000]);
	assertDelivered(loud, 400000, 2, 8);
	const silent = await ended(clip("veo", { audio: "TOGGLE_OFF", duration: { seconds: 6 } }));
	assertQuote(silent.quote, "EXACT", 6 * 200000, "USD", "PLUGIN");
	assertDelivered(silent, 200000, 1, 6);
});

test("Veo: of two samples one was filtered, and one is paid for", async () => {
	const job = await under([[VEO_SUBMIT, { type: "filter_samples", samples: 1 }]], () => ended(clip("veo", { sample_count: 2 })));
	assertQuote(job.quote, "EXACT", 4 * 2 * 400000, "USD", "PLUGIN");
	assert.deepStrictEqual(job.status.missing_roles, ["video"]);
	assertDelivered(job, 400000, 1, 4);
	const [row] = (await stack.charges()).slice(-1);
	assert.strictEqual(row.seconds, 4);
});

test("the operator's price goes first, and its conditions hold", async () => {
	const job = await ended(clip("priced", { sample_count: 2 }));
	assertQuote(job.quote, "EXACT", 2 * 250000, "credits", "OPERATOR");
	assert.strictEqual(job.quote.as_of, "2026-01-01");
	assert.match(job.quote.rule, /line \d+/);
	assert.deepStrictEqual(job.status.cost, { amount_micros: 500000, currency_code: "credits",
		source: "COST_SOURCE_COMPUTED", provisional: false });
	const { quote } = await create(clip("priced", { resolution: "4k", duration: { seconds: 8 } }), { validate_only: true });
	assertQuote(quote, "EXACT", 8 * 9000000, "EUR", "OPERATOR");
});

test("OpenRouter: its own figure, whatever the quote was", async () => {
	const shape = { duration: { seconds: 5 }, resolution: "720p", aspect_ratio: "16:9" };
	const theirs = { amount_micros: 250000, currency_code: "USD", source: "COST_SOURCE_PROVIDER", provisional: false };
	const job = await ended(clip("router", shape));
	assertQuote(job.quote, "UNKNOWN", 0, "", "UNSPECIFIED");
	assert.deepStrictEqual(job.status.cost, theirs);
	const routed = await ended(clip("routed", shape));
	assertQuote(routed.quote, "EXACT", 350000, "EUR", "OPERATOR");
	assert.deepStrictEqual(routed.status.cost, theirs);
});

test("a gateway that nobody knows a price of: nothing is guessed", async () => {
	const job = await ended(clip("gateway"));
	assertQuote(job.quote, "UNKNOWN", 0, "", "UNSPECIFIED");
	assert.strictEqual(job.status.cost, null);
	assert.match(filmgate(0, "get", job.name), /quote +not known\n/);
});

test("what was refused or filtered cost 0 where nothing was bought", async () => {
	const no = { error: { code: "moderation_blocked", message: "no", type: "invalid_request_error", param: null } };
	const refused = await under([[{ method: "POST", path: "/v3/videos" },
		{ type: "status", status: 400, body: { error: { code: "invalid_parameter", message: "no" } } }]],
	() => ended(order("Refused."), "FAILED"));
	assertNothing(refused, "USD");
	assertNothing(await under([[VEO_SUBMIT, { type: "filter_samples" }]], () => ended(clip("veo"), "FAILED")), "USD");
	assertNothing(await under([[OPENAI_SUBMIT, { type: "status", status: 400, body: no }]],
		() => ended(clip("gateway"), "FAILED")), "");
	assert.match(filmgate(0, "get", refused.name), /cost +0 USD: nothing was bought/);
});

test("what was or may have been bought has no cost of 0", async () => {
	for (const [match, action, purchased] of [[OPENAI_SUBMIT, { type: "moderate" }, "UNKNOWN"],
		[OPENAI_POLL, { type: "expire_link" }, "MADE"]]) {
		const job = await under([[match, action, { times: match === OPENAI_POLL ? 0 : 1 }]],
			() => ended(clip("gateway"), "FAILED"));
		assert.strictEqual(job.status.failure.purchased, `PURCHASED_${purchased}`);
		assert.strictEqual(job.status.cost, null);
	}
});

test("a dry run shows the quote and orders nothing", async () => {
	const charged = (await stack.charges()).length, jobs = (await stack.list()).length;
	const exact = filmgate(0, ...CLIP, "--param", "duration_ms=4s", "--param", "sample_count=2", "--dry-run");
	assert.match(exact, /quote {2}3\.2 USD: 2 times 4(\.0)? s at 0\.4 USD a second\n +plugin veo [^\n]*as of 2026-09-02/);
	const about = filmgate(0, "submit", "heygen", "-m", "avatar", "--avatar", "a", "--voice", "v", "--script", "Good morning.",
		"--dry-run");
	assert.match(about, /quote {2}about [0-9.]+ USD: [0-9.]+ m?s at 0\.0667 USD a second\n/);
	assert.match(filmgate(0, "submit", "priced", "A cat", "-m", VEO, "--dry-run"),
		/quote {2}0\.25 credits: 1 video at 0\.25 credits\n/);
	assert.match(filmgate(0, "submit", "gateway", "A cat", "--dry-run"), /quote {2}not known\n/);
	assert.strictEqual((await stack.charges()).length, charged);
	assert.strictEqual((await stack.list()).length, jobs);
});

// ---- orders that do not fit ----

test("strictly an order that does not fit is refused, with all that is wrong", async () => {
	const charged = (await stack.charges()).length;
	await assert.rejects(create(clip("veo", { duration: { seconds: 5 }, fps: 30 })), /duration/);
	const words = filmgate(2, ...CLIP, ...MISFIT);
	assert.match(words, /parameters\.duration/);
	assert.match(words, /parameters\.fps/);
	assert.strictEqual((await stack.charges()).length, charged);
});

test("adapted, it is made as it fits, and each change is noted", async () => {
	const dry = filmgate(0, ...CLIP, ...MISFIT, "--adapt", "--dry-run");
	assert.match(dry, /quote {2}1\.6 USD: 4(\.0)? s at 0\.4 USD a second/);
	const words = filmgate(0, ...CLIP, ...MISFIT, "--adapt");
	const job = await restOf(/jobs\/[0-9a-f-]+/.exec(words)[0]);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	assert.deepStrictEqual(job.parameters.duration, { seconds: 4, nanos: 0 });
	assert.strictEqual(job.parameters.fps, 0);
	const noted = job.status.notes.map(({ severity, field, from, to }) => [severity, field, from, to]);
	assert.deepStrictEqual(noted.sort(), [["NOTE_SEVERITY_ADJUSTED", "parameters.duration_ms", "5000", "4000"],
		["NOTE_SEVERITY_IGNORED", "parameters.fps", "30", ""]]);
	assertQuote(job.quote, "EXACT", 4 * 400000, "USD", "PLUGIN");
	assert.strictEqual((await stack.charges()).at(-1).seconds, 4);
	const shown = filmgate(0, "get", job.name);
	assert.match(shown, /notes +adjusted parameters\.duration_ms from 5000 to 4000/);
	assert.match(shown, /ignored parameters\.fps from 30/);
});

test("what is shown is never adapted", async () => {
	const words = filmgate(2, "submit", "veo", "-m", VEO, "--adapt", "--param", "duration_ms=5s");
	assert.match(words, /prompt/);
});

// ---- the outlook ----

const HELD = [OPENAI_POLL, { type: "status", status: 503, body: "<html>" }, { times: 0 }];

test("a place in line is counted, and a higher priority goes before", async () => {
	await stack.sim("DELETE", "faults");
	await stack.fault(HELD[1], { match: HELD[0], ...HELD[2] });
	const first = await create(clip("narrow"));
	await stack.reach(first.name, ["RUNNING"]);
	const line = [];
	for (let i = 0; i < 3; i++) line.push(await create(clip("narrow")));
	const places = async (jobs) => (await Promise.all(jobs.map((job) => stack.get(job.name))))
		.map((job) => job.status.queue_position && [job.status.queue_position.position, job.status.queue_position.or_later]);
	assert.deepStrictEqual(await places([first, ...line]), [null, [1, false], [2, false], [3, false]]);
	const urgent = await create({ ...clip("narrow"), priority: 5 });
	assert.deepStrictEqual(await places([urgent, ...line]), [[1, false], [2, false], [3, false], [4, false]]);
	assert.match(filmgate(0, "get", line[2].name), /in line +no\. 4\n/);
	assert.ok((await stack.list()).every((job) => !job.status.queue_position), "lists carry no places");
	await stack.sim("DELETE", "faults");
	for (const job of [first, urgent, ...line]) {
		const over = await restOf(job.name);
		assert.strictEqual(over.status.state, "JOB_STATE_SUCCEEDED");
		assert.strictEqual(over.status.queue_position, null);
	}
});

// A job that goes on running, as the daemon shows it.
async function running(ask) {
	await stack.sim("DELETE", "faults");
	await stack.fault(HELD[1], { match: HELD[0], ...HELD[2] });
	const { name } = await create(clip("fresh"));
	await stack.reach(name, ["RUNNING"]);
	await ask(name);
	await stack.sim("DELETE", "faults");
	const job = await restOf(name);
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED");
	assert.strictEqual(job.status.forecast, null);
	return job;
}

const timeOf = (timestamp) => timestamp.seconds * 1000 + timestamp.nanos / 1000000;

function assertForecast(job, samples) {
	const { p50_time: p50, p90_time: p90, sample_count: n } = job.status.forecast;
	assert.strictEqual(n, samples);
	assert.ok(timeOf(p50) > timeOf(job.status.start_time), "half of them took some time");
	assert.ok(timeOf(p90) >= timeOf(p50));
	assert.ok(timeOf(p90) < timeOf(job.status.start_time) + 60000);
}

test("after twenty jobs there is a forecast, and not before; a restart does not forget them", async () => {
	const done = await Promise.all(Array.from({ length: 19 }, async () => restOf((await create(clip("fresh"))).name)));
	assert.ok(done.every((job) => job.status.state === "JOB_STATE_SUCCEEDED"));
	await running(async (name) => assert.strictEqual((await stack.get(name)).status.forecast, null));
	await running(async (name) => {
		assertForecast(await stack.get(name), 20);
		assert.match(filmgate(0, "get", name), /forecast +usually done by [^\n]+\n +nine in ten by [^\n]+, of the last 20 like it/);
		assert.ok((await stack.list()).every((job) => !job.status.forecast), "lists carry no forecasts");
	});
	await running(async (name) => {
		await stack.daemon.stop("SIGTERM");
		await stack.startDaemon();
		assertForecast(await until("the history to be read", async () => {
			const job = await stack.get(name);
			return job.status.forecast && job;
		}), 21);
	});
});
