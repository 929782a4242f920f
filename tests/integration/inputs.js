// Inputs of the user's own on their way to the provider: uploaded to the daemon once, brought to HeyGen in both of its
// ways and to Veo inside the order, through crashes and refusals, and never with a second purchase.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, api, grpc, sha256, until } = require("./stack");

const stack = new Stack();
const MODEL = "veo-3.1-generate-001";
const MB = 1 << 20;
const UPLOAD = { method: "POST", path: "/v3/asset[s]" };
let assets;
let count = 0;

function provider(id, secrets, options, more = "") {
	return `{
		id = "${id}";
		plugin = "veo";
		base_url = "${stack.simUrl}";
		secrets = { ${secrets} };
		options = { ${options} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		${more}
	}`;
}

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	const file = path.join(stack.data, "sim", "service-account.json");
	const vertex = provider("veo", `service_account_file = "${file}";`,
		`project = "p1"; storage_uri = "gs://bucket/films"; storage_url = "${stack.simUrl}";`,
		'origins = ( "https://storage.googleapis.com" );');
	const gemini = provider("gemini", 'api_key_env = "FILMGATE_HEYGEN_KEY";', 'surface = "gemini";');
	stack.writeConfig({ others: [vertex, gemini] });
	await startDaemon();
});

after(() => {
	if (assets) assets.close();
	return stack.finish();
});

async function startDaemon() {
	if (assets) assets.close();
	await stack.startDaemon();
	assets = new api.AssetService(`unix:${stack.socket}`, grpc.credentials.createInsecure(),
		{ "grpc.use_local_subchannel_pool": 1 });
}

// A picture of so many bytes; no two are the same.
function picture(size) {
	const head = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x68........", "latin1");
	const end = Buffer.from("IEND\xae\x42\x60\x82", "latin1");
	const body = Buffer.alloc(size - head.length - end.length, ++count);

	return Buffer.concat([head, body, end]);
}

function upload(bytes) {
	return new Promise((resolve, reject) => {
		const call = assets.UploadAsset({ deadline: Date.now() + 60000 }, (error, reply) =>
			error ? reject(error) : resolve(reply.asset.name));
		call.write({ metadata: { size_bytes: bytes.length, sha256: sha256(bytes) } });
		for (let at = 0; at < bytes.length; at += MB) call.write({ data: bytes.subarray(at, at + MB) });
		call.end();
	});
}

async function create(job) {
	return (await stack.call("CreateJob", { job, request_id: `inputs-${++count}` })).job;
}

function photo(asset) {
	return create({ provider: "providers/heygen", model: "image", parameters: { script: { text: "Hello." },
		voice_id: "v", media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_SOURCE", asset }] } });
}

function clip(asset, id) {
	return create({ provider: `providers/${id}`, model: MODEL, parameters: { prompt: `Number ${count}`,
		duration: { seconds: 4 }, media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_FIRST_FRAME", asset }] } });
}

async function rows(match, since = 0) {
	const all = (await stack.sim("GET", `requests?after=${since}`)).requests;
	return all.filter((row) => row.method === match.method && new RegExp(match.path).test(row.path));
}

const requests = async () => (await stack.sim("GET", "requests?after=999999")).total;

async function charged(ask) {
	const since = (await stack.charges()).length;
	const answer = await ask();
	const charges = await stack.charges();
	assert.strictEqual(charges.length, since + 1, "bought once");
	return answer;
}

function memory(name) {
	const text = fs.readFileSync(`/proc/${stack.daemon.process.pid}/status`, "utf8");
	return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)[1]);
}

// How far the daemon's memory rises above what it had, in KiB: told, not judged, since sanitizers keep what was freed.
async function risen(what, ask) {
	fs.writeFileSync(`/proc/${stack.daemon.process.pid}/clear_refs`, "5");
	const had = memory("VmRSS");
	const answer = await ask();
	console.log(`${what}: memory ${had} KiB, at most ${memory("VmHWM") - had} KiB more`);
	return answer;
}

test("a picture goes to HeyGen in one request, once for two orders", async () => {
	const asset = await upload(picture(3000000));
	const since = await requests();
	for (let i = 0; i < 2; i++)
		await charged(async () => stack.checkSucceeded(await stack.reach((await photo(asset)).name), await stack.charges()));
	assert.strictEqual((await rows({ method: "POST", path: "^/v3/assets$" }, since)).length, 1);
});

test("a file of 31 MB costs no memory on its way to HeyGen", async () => {
	const asset = await upload(picture(31 * 1000 * 1000));
	await risen("31 MB as a part", () => charged(async () => stack.reach((await photo(asset)).name)));
});

test("a large picture goes to HeyGen's storage, without the key", async () => {
	const asset = await upload(picture(40 * 1000 * 1000));
	const since = await requests();
	const job = await risen("40 MB as a body", () => charged(async () => stack.reach((await photo(asset)).name)));
	await stack.checkSucceeded(job, await stack.charges());
	const [put] = await rows({ method: "PUT", path: "/upload$" }, since);
	assert.deepStrictEqual([put.host, put.api_key, put.status, put.body_bytes], ["files", false, 200, 40000000]);
	assert.strictEqual((await rows({ method: "POST", path: "/complete$" }, since)).length, 1);
});

for (const id of ["veo", "gemini"])
	test(`a picture of 20 MB goes to Veo inside the order: ${id}`, async () => {
		const asset = await upload(picture(20 * MB));
		const job = await risen(`20 MB as base64 (${id})`, () => charged(async () =>
			stack.reach((await clip(asset, id)).name)));
		assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	});

test("a crash in the middle of an upload costs an upload and nothing else", async () => {
	const asset = await upload(picture(2000000));
	await stack.fault({ type: "drop_reply_before_charge" }, { match: UPLOAD });
	const since = await requests();
	const { name } = await photo(asset);
	await until("the upload to hang", async () => (await rows({ method: "POST", path: "^/v3/assets$" }, since)).length);
	await stack.daemon.stop("SIGKILL");
	await startDaemon();
	await charged(async () => stack.checkSucceeded(await stack.reach(name), await stack.charges()));
	assert.strictEqual((await rows({ method: "POST", path: "^/v3/assets$" }, since)).length, 2);
});

test("a crash after an upload does not repeat it", async () => {
	const asset = await upload(picture(1000000));
	await stack.fault({ type: "close_before" }, { match: { method: "POST", path: "/v3/video[s]" }, times: 2 });
	const since = await requests();
	const { name } = await photo(asset);
	await until("the order to leave", async () => (await rows({ method: "POST", path: "^/v3/videos$" }, since)).length);
	await stack.daemon.stop("SIGKILL");
	await startDaemon();
	await charged(async () => stack.checkSucceeded(await stack.reach(name), await stack.charges()));
	assert.strictEqual((await rows({ method: "POST", path: "^/v3/assets$" }, since)).length, 1);
});

test("what HeyGen has forgotten is brought there anew", async () => {
	const asset = await upload(picture(1000001));
	await charged(async () => stack.reach((await photo(asset)).name));
	const since = await requests();
	const reply = await fetch(`${stack.simUrl}/_sim/reset`, { method: "POST" });
	assert.ok(reply.ok);
	await charged(async () => stack.checkSucceeded(await stack.reach((await photo(asset)).name), await stack.charges()));
	assert.ok(since > 0);
	assert.strictEqual((await rows({ method: "POST", path: "^/v3/assets$" })).length, 1);
	assert.strictEqual((await rows({ method: "POST", path: "^/v3/videos$" })).length, 2);
});

test("an upload that is refused ends the order, and nothing is bought", async () => {
	const asset = await upload(picture(1000002));
	const before = (await stack.charges()).length;
	await stack.fault({ type: "status", status: 413, body: { error: { code: "payload_too_large", message: "no" } } },
		{ match: UPLOAD });
	const job = await stack.reach((await photo(asset)).name);
	assert.strictEqual(job.status.state, "JOB_STATE_FAILED");
	assert.strictEqual(job.status.failure.reason, "FAILURE_REASON_INVALID_INPUT");
	assert.strictEqual(job.status.failure.purchased, "PURCHASED_NOTHING");
	assert.strictEqual((await stack.charges()).length, before);
});
