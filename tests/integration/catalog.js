// What a provider offers by id, from its pages to the command line; and the list of the last time when it is away.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, bin, order } = require("./stack");

const stack = new Stack();

before(async () => {
	await stack.startSimulator("--render-time-ms", "0");
	stack.writeConfig();
	await stack.startDaemon();
});

after(() => stack.finish());

function filmgate(...args) {
	return child.spawnSync(path.join(bin, "filmgate"), args,
		{ encoding: "utf8", timeout: 60000, env: { ...process.env, FILMGATE_SERVER: `unix:${stack.socket}` } });
}

const list = (fields) => stack.call("ListCatalogEntries", { name: "providers/heygen", ...fields }, stack.providers);
const asked = async (name) => (await stack.sim("GET", "requests")).requests.filter((row) => row.path === name).length;

test("what is listed is what the provider has, and can be ordered", async () => {
	for (const [kind, name, id] of [["voices", "/v3/voices", "voice_id"], ["looks", "/v3/avatars/looks", "id"],
		["avatars", "/v3/avatars", "id"]]) {
		const reply = await fetch(`${stack.simUrl}${name}`, { headers: { "X-Api-Key": "sim-key" } });
		const { data } = await reply.json();
		const { entries, total_count, problem } = await list({ kind });
		assert.deepStrictEqual(entries.map((entry) => entry.id), data.map((row) => row[id]));
		assert.deepStrictEqual([total_count, problem], [data.length, ""]);
	}
	const run = filmgate("catalog", "heygen", "voices", "--language", "de", "-o", "json");
	assert.strictEqual(run.status, 0, run.stderr);
	const [voice] = JSON.parse(run.stdout);
	const { parameters } = order("Guten Tag.");
	const job = await stack.create("catalog", "", { job: order("", { parameters: { ...parameters, voice_id: voice.id } }) });
	await stack.reach(job.name, ["SUCCEEDED"]);
});

test("a list is fetched once, and again when it is wanted younger", async () => {
	const before = await asked("/v3/voices");
	const first = await list({ kind: "voices", language: "en" });
	assert.strictEqual(await asked("/v3/voices"), before);
	await list({ kind: "voices", max_age: { seconds: 0 } });
	assert.strictEqual(await asked("/v3/voices"), before + 1);
	assert.ok(first.entries.length > 0);
});

test("a kind that is none names those that are", () => {
	const run = filmgate("catalog", "heygen", "styles");
	assert.strictEqual(run.status, 2);
	assert.match(run.stderr, /'styles' is none of what provider 'heygen' lists: voices, looks, avatars/);
	assert.match(filmgate("catalog", "heygen").stdout, /^voices {2}Voices, for voice_id\nlooks {2}.*\navatars {2}/);
});

test("a provider that fails or is away leaves the list of the last time", async () => {
	await stack.fault({ type: "status", status: 503, body: "<html>later</html>" }, { match: { path: "/v3/voices" } });
	const failed = await list({ kind: "voices", max_age: { seconds: 0 } });
	assert.ok(failed.problem, "it says why");
	assert.strictEqual(failed.entries.length, failed.total_count);
	await stack.simulator.stop();
	const run = filmgate("catalog", "heygen", "looks", "--max-age", "0s", "-o", "name");
	assert.strictEqual(run.status, 0, run.stderr);
	assert.match(run.stdout, /^demo_avatar$/m);
	assert.match(run.stderr, /this list is .* old: the provider could not be reached/);
});
