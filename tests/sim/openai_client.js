// OpenAI's own client, unchanged, against the simulator: from the order to the bytes. What it is content with is how the
// simulator's /v1/videos is known to be right, as far as this client looks.
"use strict";

const assert = require("node:assert");
const { test, before, after } = require("node:test");
const { Simulator, tool, until } = require("./simulator");

// Node 18 has it, but not as a global.
globalThis.File ??= require("node:buffer").File;

const OpenAI = tool("openai");
const simulator = new Simulator();
let client;

before(async () => {
	await simulator.start();
	client = new OpenAI({ apiKey: "sim-key", baseURL: `${simulator.url}/v1`, maxRetries: 0 });
});
after(() => simulator.stop());

const bytesOf = async (response) => Buffer.from(await response.arrayBuffer());

async function finish(video) {
	return until(`${video.id} to be over`, async () => {
		const now = await client.videos.retrieve(video.id);
		return /completed|failed/.test(now.status) && now;
	});
}

test("a video, from the order to its bytes and its end", async () => {
	const video = await client.videos.create({ model: "sora-2", prompt: "A cat", seconds: "4", size: "1280x720" });
	assert.strictEqual(video.object, "video");
	assert.match(video.status, /queued|in_progress/);
	assert.deepStrictEqual([video.prompt, video.seconds, video.size, video.model], ["A cat", "4", "1280x720", "sora-2"]);
	const done = await finish(video);
	assert.strictEqual(done.status, "completed");
	assert.strictEqual(done.progress, 100);
	assert.ok(done.expires_at > done.completed_at && done.completed_at >= done.created_at);

	const bytes = await bytesOf(await client.videos.downloadContent(video.id));
	assert.strictEqual(bytes.subarray(4, 8).toString(), "ftyp");
	const picture = await client.videos.downloadContent(video.id, { variant: "thumbnail" });
	assert.strictEqual(picture.headers.get("content-type"), "image/jpeg");
	assert.ok((await bytesOf(picture)).length > 0);
	assert.ok((await bytesOf(await client.videos.downloadContent(video.id, { variant: "spritesheet" }))).length > 0);

	assert.deepStrictEqual(await client.videos.delete(video.id), { id: video.id, object: "video.deleted", deleted: true });
	await assert.rejects(client.videos.retrieve(video.id), OpenAI.NotFoundError);
	assert.strictEqual((await simulator.control("charges")).count, 1);
});

test("a picture goes along as a part of the form", async () => {
	const file = await OpenAI.toFile(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), "first.png", { type: "image/png" });
	const video = await client.videos.create({ prompt: "It moves", input_reference: file });

	assert.strictEqual((await finish(video)).status, "completed");
});

test("a list is turned page by page", async () => {
	const made = [];

	for (let i = 0; i < 3; i++) made.push((await client.videos.create({ prompt: `Number ${i}` })).id);
	const falling = [];
	for await (const video of client.videos.list({ limit: 2 })) falling.push(video.id);
	assert.deepStrictEqual(falling.slice(0, 3), [...made].reverse());
	const rising = [];
	for await (const video of client.videos.list({ limit: 2, order: "asc" })) rising.push(video.id);
	assert.deepStrictEqual(rising, [...falling].reverse());
});

test("refusals are of the classes that the client knows", async () => {
	await assert.rejects(client.videos.create({ prompt: "A cat", seconds: "5" }), (error) => {
		assert.ok(error instanceof OpenAI.BadRequestError);
		assert.strictEqual(error.param, "seconds");
		return true;
	});
	const stranger = new OpenAI({ apiKey: "another", baseURL: `${simulator.url}/v1`, maxRetries: 0 });
	await assert.rejects(stranger.videos.list(), OpenAI.AuthenticationError);
	await assert.rejects(client.videos.downloadContent("v_none"), OpenAI.NotFoundError);
});
