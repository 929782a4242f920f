// /v1/videos from outside: the official openai client, unchanged but for its base URL, takes jobs on both simulators
// through their whole life; and by hand what that client never sends.
"use strict";

const assert = require("node:assert");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, root, sha256, until } = require("./stack");

const OpenAI = require(path.join(root, "tests/tools/node_modules/openai"));
const stack = new Stack();
const VEO = "veo/veo-3.1-generate-001";
const FILM = "heygen/heygen-video-1";
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ABSENT = "00000000-0000-7000-8000-000000000000";
let client, url;

before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--concurrency", "1000");
	const file = path.join(stack.data, "sim", "service-account.json");
	const veo = `{
		id = "veo";
		plugin = "veo";
		base_url = "${stack.simUrl}";
		secrets = { service_account_file = "${file}"; };
		options = { project = "p1"; storage_uri = "gs://bucket/films"; storage_url = "${stack.simUrl}"; };
		origins = ( "https://storage.googleapis.com" );
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
	}`;
	stack.writeConfig({ others: [veo], more: `web = { models = ( "sora-2=${FILM}", "film = of=veo/none" ); };` });
	await stack.refuseToStart().then((line) => assert.match(line, /film = of=veo\/none|NAME=PROVIDER\/MODEL/));
	stack.writeConfig({ others: [veo], more: `web = { models = ( "sora-2=${FILM}", "film=${VEO}" ); };` });
	await stack.startDaemon();
	url = `http://${stack.http}/v1`;
	client = new OpenAI({ baseURL: url, apiKey: "none", timeout: 60000 });
});

after(() => stack.finish());

const picture = (tag) => Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x68", "latin1"),
	Buffer.from(`${tag}.........\r\n--boundary`), Buffer.from("IEND\xae\x42\x60\x82", "latin1")]);
const charges = async () => (await stack.charges()).length;
const job = (id) => stack.get(`jobs/${id}`);

function finished(id) {
	return until(`${id} to end`, async () => {
		const video = await client.videos.retrieve(id);
		return ["completed", "failed"].includes(video.status) && video;
	});
}

async function ask(method, where, body, headers = {}) {
	const reply = await fetch(`${url}${where}`, { method, body, headers });
	const bytes = Buffer.from(await reply.arrayBuffer());
	const isJson = reply.headers.get("content-type") === "application/json";
	return { status: reply.status, headers: reply.headers, bytes, json: isJson && bytes.length ? JSON.parse(bytes) : null };
}

const send = (order, headers = {}) => ask("POST", "/videos", JSON.stringify(order),
	{ "content-type": "application/json", ...headers });

function refused(reply, status, param, words) {
	assert.strictEqual(reply.status, status, reply.bytes.toString());
	assert.strictEqual(reply.json.error.param, param, reply.bytes.toString());
	assert.match(reply.json.error.message, words);
}

for (const [model, order, size] of [[FILM, { seconds: "5", size: "1920x1080" }, ["16:9", "1080p"]],
	[VEO, { seconds: "4", size: "720x1280" }, ["9:16", "720p"]]])
	test(`a whole life: ${model}`, async () => {
		const had = await charges();
		const made = await client.videos.create({ model, prompt: "A red kite over the sea.", ...order });
		assert.match(made.id, UUID);
		assert.deepStrictEqual([made.object, made.model, made.prompt, made.seconds, made.error, made.expires_at],
			["video", model, "A red kite over the sea.", order.seconds, null, null]);
		assert.ok(["queued", "in_progress"].includes(made.status), made.status);
		assert.ok(Math.abs(made.created_at - Date.now() / 1000) < 120);
		const { parameters } = await job(made.id);
		assert.deepStrictEqual([parameters.aspect_ratio, parameters.resolution], size);

		const done = await finished(made.id);
		assert.deepStrictEqual([done.status, done.progress, done.error], ["completed", 100, null]);
		assert.ok(done.completed_at >= done.created_at);
		assert.match(done.size, /^\d+x\d+$/);
		assert.strictEqual(await charges(), had + 1);

		const artifact = (await job(made.id)).status.artifacts.find((file) => file.role === "video");
		const content = await client.videos.downloadContent(made.id);
		assert.strictEqual(content.headers.get("content-type"), "video/mp4");
		const bytes = Buffer.from(await content.arrayBuffer());
		assert.strictEqual(sha256(bytes), artifact.sha256);
		const part = await client.videos.downloadContent(made.id, undefined, { headers: { Range: "bytes=4-7" } });
		assert.deepStrictEqual([part.status, await part.text()], [206, "ftyp"]);
		const still = await client.videos.downloadContent(made.id, { variant: "thumbnail" });
		assert.strictEqual(still.headers.get("content-type"), "image/jpeg");
		assert.strictEqual(Buffer.from(await still.arrayBuffer()).readUInt16BE(0), 0xffd8);

		assert.deepStrictEqual(await client.videos.delete(made.id), { id: made.id, object: "video.deleted", deleted: true });
		await assert.rejects(client.videos.retrieve(made.id), (error) => error.status === 404 && error.code === "job_not_found");
	});

test("a picture comes with the order, and begins the video", async () => {
	const had = await charges();
	const bytes = picture("first");
	const file = new File([bytes], "start \"1\".png", { type: "image/png" });
	const made = await client.videos.create({ model: "film", prompt: "It moves.", seconds: "8", input_reference: file });
	const [media] = (await job(made.id)).parameters.media;
	assert.deepStrictEqual([media.kind, media.role, media.asset], ["MEDIA_KIND_IMAGE", "MEDIA_ROLE_FIRST_FRAME",
		`assets/${sha256(bytes)}`]);
	assert.strictEqual(made.model, VEO);
	assert.strictEqual((await finished(made.id)).status, "completed");
	assert.strictEqual(await charges(), had + 1);
});

test("a picture comes as a data URL, an asset's name or a URL", async () => {
	const bytes = picture("second");
	const data = { image_url: `data:image/png;base64,${bytes.toString("base64")}` };
	const name = `assets/${sha256(bytes)}`;
	const one = await send({ model: "film", prompt: "It moves.", input_reference: data });
	assert.strictEqual(one.status, 200, one.bytes.toString());
	assert.strictEqual((await job(one.json.id)).parameters.media[0].asset, name);
	const two = await client.videos.create({ model: "film", prompt: "It moves.", input_reference: { file_id: name } });
	assert.strictEqual((await job(two.id)).parameters.media[0].asset, name);
	const three = await send({ model: "sora-2", prompt: "It moves.", input_reference: { image_url: "https://example.com/a.png" } });
	assert.strictEqual(three.status, 200, three.bytes.toString());
	assert.strictEqual((await job(three.json.id)).parameters.media[0].url, "https://example.com/a.png");
	await Promise.all([one.json.id, two.id, three.json.id].map(finished));
});

test("whoever only speaks is told what to say, and parameters say the rest", async () => {
	const made = await send({ model: "heygen/avatar", prompt: "Good morning.",
		parameters: { avatar_id: "demo_avatar", voice_id: "demo_voice" } });
	assert.strictEqual(made.status, 200, made.bytes.toString());
	assert.strictEqual((await job(made.json.id)).parameters.script.text, "Good morning.");
	assert.strictEqual(made.json.prompt, "Good morning.");
	const done = await finished(made.json.id);
	assert.strictEqual(done.status, "completed");
	assert.ok(Number(done.seconds) > 0);
	const form = new FormData();
	form.set("model", "heygen/avatar");
	form.set("prompt", "Good night.");
	form.set("parameters", JSON.stringify({ avatar_id: "demo_avatar", voice_id: "demo_voice" }));
	const other = await ask("POST", "/videos", form);
	assert.strictEqual((await finished(other.json.id)).status, "completed");
});

test("an Idempotency-Key makes one order of many, and one that repeats itself without is not taken", async () => {
	const had = await charges();
	const order = { model: VEO, prompt: "Once.", seconds: 4 };
	const replies = await Promise.all([1, 2, 3].map(() => send(order, { "idempotency-key": "order-1" })));
	assert.deepStrictEqual(new Set(replies.map((reply) => reply.json.id)).size, 1);
	assert.strictEqual(replies.filter((reply) => reply.headers.get("idempotency-replayed") === "true").length, 2);
	const again = await client.videos.create(order, { headers: { "Idempotency-Key": "order-1" } });
	assert.strictEqual(again.id, replies[0].json.id);
	const other = await send({ ...order, prompt: "Twice." }, { "idempotency-key": "order-1" });
	refused(other, 409, null, /different/);
	assert.strictEqual(other.headers.get("x-should-retry"), "false");
	const blind = await send(order, { "x-stainless-retry-count": "1" });
	refused(blind, 409, "Idempotency-Key", /may cost twice/);
	assert.strictEqual(blind.headers.get("x-should-retry"), "false");
	refused(await send(order, { "x-stainless-retry-count": "1", "idempotency-key": "" }), 409, "Idempotency-Key", /may cost twice/);
	assert.strictEqual((await send(order, { "x-stainless-retry-count": "1", "idempotency-key": "order-1" })).status, 200);
	refused(await send(order, { "idempotency-key": "has a space" }), 400, "Idempotency-Key", /printable ASCII/);
	await finished(again.id);
	assert.strictEqual(await charges(), had + 1);
});

test("pages go on where they ended, newest first", async () => {
	const ids = [];
	for (let i = 0; i < 5; i++) ids.unshift((await client.videos.create({ model: VEO, prompt: `Page ${i}.` })).id);
	const seen = [];
	for await (const video of await client.videos.list({ limit: 2 })) {
		seen.push(video.id);
		if (seen.length === 5) break;
	}
	assert.deepStrictEqual(seen, ids);
	const page = await ask("GET", `/videos?limit=2&after=${ids[1]}&order=desc`);
	assert.deepStrictEqual([page.json.object, page.json.first_id, page.json.last_id, page.json.has_more],
		["list", ids[2], ids[3], true]);
	refused(await ask("GET", "/videos?limit=0"), 400, "limit", /1 to 100/);
	refused(await ask("GET", "/videos?limit=101"), 400, "limit", /'101'/);
	refused(await ask("GET", "/videos?limit=1e1"), 400, "limit", /'1e1'/);
	refused(await ask("GET", "/videos?after=x"), 400, "after", /'x' is no video's id/);
	refused(await ask("GET", "/videos?order=asc"), 400, "order", /newest first/);
	await Promise.all(ids.map(finished));
});

test("what fails says why, and what is cancelled has failed", async () => {
	await stack.fault({ type: "status", status: 400, body: { error: { code: 400, message: "no such look", status: "INVALID_ARGUMENT" } } },
		{ match: { method: "POST", path: "*:predictLongRunning" } });
	const video = await finished((await client.videos.create({ model: VEO, prompt: "No." })).id);
	assert.strictEqual(video.status, "failed");
	assert.strictEqual(video.error.code, "invalid_input");
	assert.match(video.error.message, /no such look|refuse/);
	const none = await ask("GET", `/videos/${video.id}/content`);
	refused(none, 404, null, /not made yet, or it failed/);
	const cut = await client.videos.create({ model: VEO, prompt: "Stop." });
	await stack.call("CancelJob", { name: `jobs/${cut.id}` });
	const ended = await finished(cut.id);
	assert.deepStrictEqual([ended.status, ended.error.code], ["failed", "cancelled"]);
});

test("what cannot be ordered is refused with the client's own name of it, and costs nothing", async () => {
	const had = await charges();
	const good = { model: VEO, prompt: "x" };
	const rows = [
		[{ prompt: "x" }, "model", /is required/],
		[{ ...good, model: "sora" }, "model", /'sora' is neither/],
		[{ ...good, model: "/x" }, "model", /neither/],
		[{ ...good, model: `${"p".repeat(64)}/x` }, "model", /begins with no provider/],
		[{ ...good, model: "veo/none" }, "model", /none/],
		[{ model: VEO }, "prompt", /prompt/],
		[{ ...good, prompt: 7 }, null, /'prompt' has to be a text/],
		[{ ...good, seconds: "x" }, "seconds", /'x' is no number of seconds/],
		[{ ...good, seconds: "-4" }, "seconds", /'-4'/],
		[{ ...good, seconds: "5" }, "seconds", /4 s|4000|5/],
		[{ ...good, size: "720" }, "size", /'720' is not WIDTHxHEIGHT/],
		[{ ...good, size: "0x720" }, "size", /'0x720'/],
		[{ ...good, size: "1024x1792" }, "size", /4:7|1024p/],
		[{ ...good, size: "720x1280", parameters: { aspect_ratio: "16:9" } }, "size", /leave one out/],
		[{ ...good, parameters: { prompt: "y" } }, "prompt", /leave one/],
		[{ ...good, parameters: { foo: 1 } }, "parameters", /foo/],
		[{ ...good, parameters: "{}" }, "parameters", /object/],
		[{ ...good, quality: "high" }, null, /'quality' is no field of an order/],
		[{ ...good, input_reference: "a" }, "input_reference", /image_url/],
		[{ ...good, input_reference: { image_url: "data:image/png,abc" } }, "input_reference", /base64/],
		[{ ...good, input_reference: { image_url: "data:image/png;base64,@@" } }, "input_reference", /base64/],
		[{ ...good, input_reference: { image_url: "https://a.example/b", file_id: "c" } }, "input_reference", /not two/],
		[{ ...good, input_reference: { file_id: "assets/none" } }, "input_reference", /asset/],
	];
	for (const [order, param, words] of rows) refused(await send(order), 400, param, words);
	refused(await send({ ...good, model: "nobody/x" }), 404, null, /nobody|provider/);
	refused(await ask("POST", "/videos", "{", { "content-type": "application/json" }), 400, null, /no JSON object/);
	refused(await ask("POST", "/videos", "[]", { "content-type": "application/json" }), 400, null, /no JSON object/);
	refused(await ask("POST", "/videos", "x", { "content-type": "text/plain" }), 415, null, /'text\/plain' is not taken/);
	const text = new File(["just words"], "a.txt", { type: "text/plain" });
	await assert.rejects(client.videos.create({ ...good, input_reference: text }),
		(error) => error.status === 400 && error.code === "asset_refused");
	assert.strictEqual(await charges(), had);
});

test("forms that are broken are refused, and nothing is kept of them", async () => {
	const type = { "content-type": "multipart/form-data; boundary=BB" };
	const part = (head, body) => `--BB\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
	const rows = [
		[`${part('name="model"', VEO)}--BB`, /cannot be read/],
		[part('name="model"', VEO), /cannot be read/],
		[`${part('name="model"', VEO)}${part('name="model"', VEO)}--BB--\r\n`, /twice/],
		[`${part(`name="${"n".repeat(64)}"`, "x")}--BB--\r\n`, /63 bytes/],
		[`${part('name="model"', VEO)}${part('name="prompt"', "x".repeat(262145))}--BB--\r\n`, /262144 bytes/],
		[`${Array.from({ length: 33 }, (_, i) => part(`name="f${i}"`, "x")).join("")}--BB--\r\n`, /32 fields/],
		[`${part('name="model"', VEO)}${part('name="input_reference"', "x")}--BB--\r\n`, /is no file/],
		[`${part('name="model"', VEO)}${part('name="prompt"', "a\0b")}--BB--\r\n`, /NUL/],
		[`${part('name="model"', VEO)}${part('name="prompt"', "\xff")}--BB--\r\n`, /UTF-8/],
		["", /cannot be read|required/],
	];
	for (const [body, words] of rows) {
		const reply = await ask("POST", "/videos", Buffer.from(body, "latin1"), type);
		assert.strictEqual(reply.status, 400, `${words}: ${reply.bytes}`);
		assert.match(reply.json.error.message, words);
	}
	refused(await ask("POST", "/videos", `model=${encodeURIComponent(VEO)}&seconds=9&prompt=a+b`,
		{ "content-type": "application/x-www-form-urlencoded" }), 400, "seconds", /9/);
	refused(await ask("POST", "/videos", "x", { "content-type": "multipart/form-data" }), 415, null, /not taken/);
});

test("other paths and methods are told what there is", async () => {
	refused(await ask("GET", `/videos/${ABSENT}`), 404, null, /no such job|00000000/);
	refused(await ask("DELETE", `/videos/${ABSENT}`), 404, null, /no such job|00000000/);
	refused(await ask("GET", "/videos/video_123"), 404, "id", /\/v1\/videos\/\{uuid\}/);
	refused(await ask("GET", `/videos/${ABSENT}/more`), 404, "id", /content/);
	refused(await ask("DELETE", `/videos/${ABSENT}/content`), 404, "id", /content/);
	refused(await ask("GET", `/videos/${ABSENT}/content?variant=spritesheet`), 400, "variant", /video and thumbnail/);
	refused(await ask("GET", `/videos/${ABSENT}/content`), 404, null, /no such job|00000000/);
	assert.strictEqual((await ask("PUT", "/videos", "x")).status, 405);
	assert.strictEqual((await ask("POST", `/videos/${ABSENT}/remix`, "x")).status, 405);
});

test("a page of another site orders nothing", async () => {
	const had = (await stack.list()).length;
	assert.strictEqual((await ask("POST", "/videos", undefined, { origin: "https://evil.example" })).status, 403);
	assert.strictEqual((await stack.list()).length, had);
});
