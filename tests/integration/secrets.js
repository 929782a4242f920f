// Where secrets go, and where prompts do. HeyGen and Veo jobs run with secrets that nobody could mistake, every step is
// recorded, and afterwards the data directory, the log at its most talkative and the recordings are searched for them:
// the keys, the lines of the service account's private key, the access tokens, the signatures of links, and (but for the
// data directory, which must know them) what a provider calls the files that were brought there. And a prompt full
// of what might be taken for a template arrives byte for byte. Then the recordings replay without a network.
//
// A proxy in between sees what really leaves, so that there is something to search for.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, api, bin, grpc, order, root, sha256 } = require("./stack");

const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(bin, "../plugins"));
const stack = new Stack();
const HEYGEN_KEY = "hg-Kx93_distinct/key+71==";
const GEMINI_KEY = HEYGEN_KEY; // the simulator takes one for both
const WORDS = "{secret:api_key} {{prompt}} ${HOME} $API_KEY %s %00 \"double\" 'single' \\ back\\n <break time=\"2s\"/> " +
	"[laughs] --dur 5 --camera_fixed true | tab\there\nline\u0001\u001f\u007f é 🎬 \u202e</script>&amp; #1?x=y&z";
const seen = [];
let recorded;

const isText = (headers) => /json|text/.test(headers["content-type"] || "");

// Hands everything on to the simulator and keeps what it saw.
function startProxy(target) {
	const server = http.createServer((request, response) => {
		const chunks = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", () => {
			const body = Buffer.concat(chunks);
			const onward = http.request(new URL(request.url, target),
				{ method: request.method, headers: request.headers }, (reply) => {
					const parts = [];
					reply.on("data", (part) => parts.push(part));
					reply.on("end", () => {
						const answer = Buffer.concat(parts);
						seen.push({ method: request.method, url: request.url, headers: request.headers, body,
							answer: isText(reply.headers) ? answer.toString() : "" });
						response.writeHead(reply.statusCode, reply.headers);
						response.end(answer);
					});
				});
			onward.on("error", () => response.destroy());
			onward.end(body);
		});
	});
	return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function veo(id, secrets, options, more = "") {
	return `{
		id = "${id}";
		plugin = "veo";
		base_url = "${stack.proxyUrl}";
		secrets = { ${secrets} };
		options = { ${options} };
		poll = { initial_ms = 100; max_ms = 400; };
		allow_private_network = true;
		${more}
	}`;
}

let proxy;
before(async () => {
	await stack.startSimulator("--render-time-ms", "100:200", "--api-key", HEYGEN_KEY);
	proxy = await startProxy(stack.simUrl);
	stack.proxyUrl = `http://127.0.0.1:${proxy.address().port}`;
	recorded = path.join(stack.data, "recorded");
	const real = stack.simUrl;
	stack.simUrl = stack.proxyUrl;
	stack.writeConfig({ others: [
		veo("veo", `service_account_file = "${path.join(stack.data, "sim", "service-account.json")}";`,
			`project = "p1"; storage_uri = "gs://bucket/films"; storage_url = "${stack.proxyUrl}";`,
			'origins = ( "https://storage.googleapis.com" );'),
		veo("gemini", 'api_key_env = "FILMGATE_GEMINI_KEY";', 'surface = "gemini";'),
	] });
	stack.simUrl = real;
	fs.appendFileSync(path.join(stack.data, "filmgated.conf"),
		`record_dir = "${recorded}";\nlog = { level = "debug"; };\n`);
	await stack.startDaemon({ FILMGATE_HEYGEN_KEY: HEYGEN_KEY, FILMGATE_GEMINI_KEY: GEMINI_KEY });
});

after(async () => {
	await stack.finish();
	proxy.close();
});

const film = (provider, prompt) => ({ provider: `providers/${provider}`, model: "veo-3.1-generate-001",
	parameters: { prompt, duration: { seconds: 4 } } });

async function run(job, id) {
	const created = (await stack.call("CreateJob", { job, request_id: id })).job;

	return stack.reach(created.name);
}

// The texts of all bodies of orders that were sent.
function orders(what) {
	return seen.filter((row) => row.method === "POST" && row.url.includes(what)).map((row) => JSON.parse(row.body));
}

test("a prompt arrives byte for byte, whatever stands in it", async () => {
	const spoken = await run(order(WORDS), "spoken");
	assert.strictEqual(spoken.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(spoken.status, null, 1));
	assert.deepStrictEqual(orders("/v3/videos").map((body) => body.script), [WORDS]);
	for (const provider of ["veo", "gemini"]) {
		const job = await run(film(provider, WORDS), provider);
		assert.notStrictEqual(job.status.state, "JOB_STATE_UNCERTAIN", JSON.stringify(job.status, null, 1));
	}
	assert.deepStrictEqual(orders(":predictLongRunning").map((body) => body.instances[0].prompt), [WORDS, WORDS]);
});

// What the provider calls a file of the user's is as good as the file.
test("a picture is brought to the provider", async () => {
	const bytes = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x68........IEND\xae\x42\x60\x82",
		"latin1");
	const assets = new api.AssetService(`unix:${stack.socket}`, grpc.credentials.createInsecure());
	const asset = await new Promise((resolve, reject) => {
		const call = assets.UploadAsset({ deadline: Date.now() + 60000 }, (error, reply) =>
			error ? reject(error) : resolve(reply.asset.name));
		call.write({ metadata: { size_bytes: bytes.length, sha256: sha256(bytes) } });
		call.write({ data: bytes });
		call.end();
	});
	assets.close();
	const job = await run({ provider: "providers/heygen", model: "image", parameters: { script: { text: "Hello." },
		voice_id: "v", media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_SOURCE", asset }] } }, "picture");
	assert.strictEqual(job.status.state, "JOB_STATE_SUCCEEDED", JSON.stringify(job.status, null, 1));
	assert.ok(orders("/v3/videos").some((body) => handles().some((handle) => JSON.stringify(body).includes(handle))),
		"it was ordered with");
});

// The names that the provider gave to files.
function handles() {
	const found = seen.filter((row) => row.method === "POST" && row.url.includes("/v3/assets"))
		.map((row) => JSON.parse(row.answer).data.asset_id);

	assert.ok(found.length && found.every((handle) => handle.length >= 8), `there is something to look for: ${found}`);
	return found;
}

test("a refusal that quotes the key", async () => {
	await stack.fault({ type: "status", status: 400, body: { error: { code: "invalid_parameter",
		message: `the key ${HEYGEN_KEY} may not do that` } } }, { match: { method: "POST", path: "/v3/videos" } });
	const job = await run(order("quoted"), "quoted");
	assert.strictEqual(job.status.state, "JOB_STATE_FAILED");
});

// Everything that must be nowhere, by name. Links are kept by the daemon until they are fetched: not in its data directory.
function secrets() {
	const file = JSON.parse(fs.readFileSync(path.join(stack.data, "sim", "service-account.json"), "utf8"));
	const tokens = seen.map((row) => /^Bearer (.+)$/.exec(row.headers.authorization || "")?.[1]).filter(Boolean);
	const signatures = seen.flatMap((row) => [...row.answer.matchAll(/Signature=([0-9A-Za-z_-]{8,})/g)])
		.map((match) => match[1]);
	const lines = file.private_key.split("\n").filter((line) => line.length > 16 && !line.startsWith("-----"));

	assert.ok(tokens.length && signatures.length && lines.length > 10, "there is something to look for");
	return { keys: [HEYGEN_KEY, encodeURIComponent(HEYGEN_KEY), GEMINI_KEY, ...lines, ...tokens], signatures };
}

function files(folder) {
	return fs.readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name))
		.filter((name) => fs.lstatSync(name).isFile());
}

function assertNone(paths, words) {
	assert.ok(paths.length > 0);
	for (const file of paths) {
		const bytes = fs.readFileSync(file);
		for (const word of new Set(words)) assert.ok(!bytes.includes(word), `${file} holds ${word}`);
	}
}

test("no secret is in the recordings, which only their owner reads", () => {
	const { keys, signatures } = secrets();
	const names = files(recorded);

	assertNone(names, [...keys, ...signatures, ...handles()]);
	for (const name of names) assert.strictEqual(fs.statSync(name).mode & 0o777, 0o600, name);
	assert.strictEqual(fs.statSync(recorded).mode & 0o777, 0o700);
	const all = names.map((name) => fs.readFileSync(name, "utf8")).join("");
	assert.ok(all.includes("{secret:api_key}") && all.includes("Signature=REDACTED"), "they are whole otherwise");
	assert.ok(all.includes("the key REDACTED may not do that"), "a key that was quoted is taken out");
});

test("no secret is in the log", () => {
	const { keys, signatures } = secrets();

	assertNone([stack.daemonLog], [...keys, ...signatures, ...handles()]);
	assert.ok(fs.statSync(stack.daemonLog).size > 1000);
});

// Tables are compressed; the log of the store is not, and holds all that was ever written until a clean stop makes tables
// of it. So the daemon is killed.
// The words of the provider are kept as it said them, so the key that it quoted itself is expected there and not counted.
test("no secret that we hold is in the data directory", async () => {
	await stack.daemon.stop("SIGKILL");
	const names = files(path.join(stack.data, "filmgate"));
	const { keys } = secrets();

	assert.deepStrictEqual(names.filter((name) => name.endsWith(".sst")), [], "a table hides what is in it");
	assert.ok(names.some((name) => fs.readFileSync(name).includes("{secret:api_key}")), "words are found where they are");
	assertNone(names, keys.filter((word) => word !== HEYGEN_KEY));
	assert.ok(quotesOnly(names), "the key stands only where the provider quoted it");
});

function quotesOnly(names) {
	const quote = `the key ${HEYGEN_KEY} may not do that`;

	return names.every((name) => {
		const text = fs.readFileSync(name, "latin1");
		return text.split(HEYGEN_KEY).length === text.split(quote).length;
	});
}

for (const plugin of ["heygen", "veo"])
	test(`what was recorded of ${plugin} replays without a network`, () => {
		const out = child.spawnSync(path.join(bin, "filmgate"), ["plugin", "check", "--seconds", "0", "--replay", recorded,
			path.join(plugins, `${plugin}.so`)], { encoding: "utf8", timeout: 120000, cwd: root });
		const replayed = /^ok +replay +(\d+) recorded steps/m.exec(out.stdout);

		assert.ok(replayed, out.stdout + out.stderr);
		assert.ok(Number(replayed[1]) >= 6, out.stdout);
	});
