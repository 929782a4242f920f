// Everything at once: uploads, orders that carry inputs or name them, videos inside replies, an order whose reply was
// lost, recordings, scrapes and reads, over a graceful restart. Nothing here is not proven elsewhere alone; what this
// shows, above all ThreadSanitizer, is what the daemon's threads do to each other.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, grpc, isDraining, isGone, sha256 } = require("./stack");

const stack = new Stack();
const recorded = path.join(stack.data, "recorded");
let count = 0;

function provider(id, plugin, url, secrets, more) {
	return `{
		id = "${id}";
		plugin = "${plugin}";
		base_url = "${url}";
		secrets = { ${secrets} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		${more}
	}`;
}

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:1500", "--concurrency", "1000");
	const account = `service_account_file = "${path.join(stack.data, "sim", "service-account.json")}";`;
	stack.writeConfig({ others: [
		provider("veo", "veo", stack.simUrl, account,
			'options = { project = "p1"; }; origins = ( "https://storage.googleapis.com" );'),
		provider("gateway", "openai_videos", `${stack.simUrl}/v1`, 'api_key_env = "FILMGATE_HEYGEN_KEY";',
			'options = { model = "sora-2"; };'),
	] });
	fs.appendFileSync(path.join(stack.data, "filmgated.conf"), `record_dir = "${recorded}";\n`);
	await stack.startDaemon();
});

after(() => stack.finish());

// A picture of its own for each seed.
function picture(seed) {
	const head = Buffer.from("89504e470d0a1a0a0000000d494844520000028000000168", "hex");

	return Buffer.concat([head, Buffer.alloc(300000, `${seed}.`), Buffer.from("49454e44ae426082", "hex")]);
}

// The asset's name, or the error; @pieces less than all: the client hangs up.
function upload(bytes, pieces = Infinity) {
	return new Promise((resolve, reject) => {
		const call = stack.assets.UploadAsset({ deadline: Date.now() + 60000 }, (error, reply) =>
			error ? reject(error) : resolve(reply.asset.name));

		call.on("error", () => {});
		call.write({ metadata: { size_bytes: bytes.length, sha256: sha256(bytes) } });
		for (let at = 0; at < bytes.length && pieces > 0; at += 65536, pieces--)
			call.write({ data: bytes.subarray(at, at + 65536) });
		if (pieces > 0) call.end();
		else call.cancel();
	});
}

async function create(provider, model, parameters) {
	return (await stack.call("CreateJob", { job: { provider: `providers/${provider}`, model, parameters },
		request_id: `together-${++count}` })).job.name;
}

const photo = (asset) => create("heygen", "image", { script: { text: "Hello." }, voice_id: "v",
	media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_SOURCE", asset }] });
const clip = (asset) => create("veo", "veo-3.1-generate-001", { prompt: `Number ${count}`, duration: { seconds: 4 },
	media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_FIRST_FRAME", asset }] });
const cats = () => create("gateway", "video", { prompt: `Number ${count} of the cats`, duration: { seconds: 4 },
	size: { width: 1280, height: 720 } });

// Looks at everything until it is told to end, also while the daemon is away.
async function look(isOver) {
	let looks = 0;

	for (; !isOver(); looks++) {
		const answers = await Promise.allSettled([
			fetch(`http://${stack.http}/metrics`, { signal: AbortSignal.timeout(20000) }).then((reply) => reply.text()),
			fetch(`http://${stack.http}/readyz`, { signal: AbortSignal.timeout(20000) }).then((reply) => reply.text()),
			stack.call("ListAssets", { page_size: 10 }, stack.assets),
			stack.call("ListProviders", {}, stack.providers),
			stack.list(),
		]);
		for (const { reason } of answers)
			assert.ok(!reason || !(reason instanceof assert.AssertionError), reason);
		for (const { reason } of answers.slice(2))
			assert.ok(!reason || isGone(reason) || isDraining(reason) || reason.code === grpc.status.DEADLINE_EXCEEDED, reason);
	}
	return looks;
}

test("everything at once, over a restart", async () => {
	let isOver = false;
	const looking = look(() => isOver);
	const [fox, hen, again] = await Promise.all([upload(picture("fox")), upload(picture("hen")), upload(picture("fox")),
		assert.rejects(upload(picture("owl"), 2), { code: grpc.status.CANCELLED })]);

	assert.strictEqual(fox, again);
	await stack.fault({ type: "reset_after" }, { match: { method: "POST", path: "/v1/videos" } });
	const orders = await Promise.all([photo(fox), photo(fox), photo(hen), clip(fox), clip(hen), cats(), cats()]);
	await stack.daemon.stop("SIGTERM");
	await stack.startDaemon();
	orders.push(...await Promise.all([photo(await upload(picture("elk"))), clip(hen), cats()]));
	for (const job of await Promise.all(orders.map((name) => stack.reach(name, ["SUCCEEDED"], 120000))))
		for (const artifact of job.status.artifacts)
			assert.strictEqual(sha256(await stack.read(artifact.name)), artifact.sha256);
	isOver = true;
	assert.ok((await looking) > 0);
	assert.strictEqual((await stack.charges()).length, orders.length, "each was bought once");
	assert.ok(fs.readdirSync(recorded).length > orders.length, "steps were recorded");
});
