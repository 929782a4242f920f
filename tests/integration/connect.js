// The HTTP side from outside: the whole API by the Connect protocol with its official clients, by hand where what is
// asked is wrong, and live events.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const { createRequire } = require("node:module");
const http = require("node:http");
const net = require("node:net");
const path = require("node:path");
const { Stack, root, sleep, until } = require("./stack");

const tool = createRequire(path.join(root, "tests/connect/package.json"));
const { createClient, ConnectError, Code } = tool("@connectrpc/connect");
const { createFileRegistry, fromBinary } = tool("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = tool("@bufbuild/protobuf/wkt");
const node = tool("@connectrpc/connect-node");
const web = tool("@connectrpc/connect-web");

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema,
	fs.readFileSync(path.join(process.env.FILMGATE_BIN, "../proto/all.pb"))));
const service = (name) => registry.getService(`filmgate.v1.${name}`);
const script = (text) => ({ avatarId: "demo_avatar", voiceId: "demo_voice", script: { content: { case: "text", value: text } }, resolution: "720p" });
const plain = { "content-type": "application/json" };

class Side {
	constructor(stack) {
		this.stack = stack;
		this.url = `http://${stack.http}`;
	}

	async post(method, body, headers = plain) {
		const reply = await fetch(`${this.url}/filmgate.v1.${method}`, { method: "POST", headers,
			body: typeof body === "object" && !Buffer.isBuffer(body) ? JSON.stringify(body) : body });
		const text = await reply.text();

		return { status: reply.status, headers: reply.headers, text, json: reply.headers.get("content-type") === "application/json" && text ? JSON.parse(text) : null };
	}

	// With any Host, which fetch does not let one choose.
	ask(method, where, headers = {}) {
		const [host, port] = this.stack.http.split(":");

		return new Promise((resolve, reject) => {
			const request = http.request({ host, port, method, path: where, headers }, (reply) => {
				const chunks = [];
				reply.on("data", (data) => chunks.push(data));
				reply.on("end", () => resolve({ status: reply.statusCode, headers: reply.headers, bytes: Buffer.concat(chunks) }));
			});
			request.on("error", reject);
			request.setTimeout(20000, () => request.destroy(new Error(`${method} ${where}: no answer`)));
			request.end();
		});
	}

	// Bytes as they are, and all that comes back until the daemon closes.
	raw(text) {
		const [host, port] = this.stack.http.split(":");

		return new Promise((resolve, reject) => {
			const socket = net.connect(Number(port), host, () => socket.write(text));
			let all = "";
			socket.on("data", (data) => (all += data));
			socket.on("error", reject);
			socket.on("close", () => resolve(all));
			setTimeout(() => socket.destroy(), 20000).unref();
		});
	}

	// Server-sent events from @path until @enough(event) or the end.
	async events(path, { headers = {}, enough = () => false } = {}) {
		const reply = await fetch(this.url + path, { headers });
		const events = [];

		if (reply.status !== 200) return { status: reply.status, text: await reply.text(), events };
		assert.strictEqual(reply.headers.get("content-type"), "text/event-stream");
		let rest = "";
		for await (const chunk of reply.body) {
			rest += Buffer.from(chunk).toString();
			for (let at; (at = rest.indexOf("\n\n")) >= 0; rest = rest.slice(at + 2)) {
				const event = Object.fromEntries(rest.slice(0, at).split("\n").filter((line) => !line.startsWith(":"))
					.map((line) => line.split(/: (.*)/s).slice(0, 2)));
				if (!event.data) continue;
				events.push({ ...event, data: JSON.parse(event.data) });
				if (enough(events.at(-1))) return { status: 200, events };
			}
		}
		return { status: 200, events };
	}
}

// A job's whole life, through one of the official clients.
async function checkClient(stack, what, transport) {
	const jobs = createClient(service("JobService"), transport);
	const artifacts = createClient(service("ArtifactService"), transport);
	const request = { job: { provider: "providers/heygen", model: "avatar", parameters: script(`By ${what}.`), labels: { "made-by": what } },
		requestId: what };
	const created = await jobs.createJob(request);
	const revisions = [];
	let last;

	assert.strictEqual(created.replayed, false, what);
	assert.strictEqual((await jobs.createJob(request)).replayed, true, what);
	for await (const { event } of jobs.watchJob({ name: created.job.name })) {
		revisions.push(Number(event.revision));
		last = event;
	}
	const { job } = await jobs.getJob({ name: created.job.name });
	assert.strictEqual(last.revision, job.revision, what);
	for (let i = 1; i < revisions.length; i++) assert.strictEqual(revisions[i], revisions[i - 1] + 1, `${what}: ${revisions}`);
	assert.strictEqual(job.labels["made-by"], what);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const chunks = [];
	for await (const { data } of artifacts.readArtifact({ name: video.name })) chunks.push(Buffer.from(data));
	assert.ok(Buffer.concat(chunks).equals(await stack.read(video.name)), `${what}: the same video as over gRPC`);
	const listed = await jobs.listJobs({ filter: { labels: { "made-by": what } } });
	assert.deepStrictEqual(listed.jobs.map((one) => one.name), [job.name], what);
	await jobs.deleteJob({ name: job.name });
	await assert.rejects(jobs.getJob({ name: job.name }), (error) => {
		assert.strictEqual(ConnectError.from(error).code, Code.NotFound, what);
		const [info] = ConnectError.from(error).findDetails(registry.getMessage("google.rpc.ErrorInfo"));
		assert.strictEqual(info.reason, "JOB_NOT_FOUND", what);
		return true;
	}, what);
	await assert.rejects(async () => {
		for await (const _ of jobs.watchJob({ name: job.name })) assert.fail("an event of a deleted job");
	}, (error) => ConnectError.from(error).code === Code.NotFound);
}

// Every method is there, and takes and gives what it gives over gRPC.
async function checkEveryMethod(side) {
	let n = 0;

	for (const name of ["JobService", "ArtifactService", "AssetService", "ProviderService", "UsageService", "BackupService", "OrphanService", "WebhookService"]) {
		for (const method of service(name).methods) {
			const reply = await side.post(`${name}/${method.name}`, {});
			const isUnary = method.methodKind === "unary";
			assert.ok(reply.status !== 404 || reply.json.code === "not_found", `${name}/${method.name}: ${reply.text}`);
			if (isUnary) assert.notStrictEqual(reply.status, 415, `${name}/${method.name}: ${reply.text}`);
			n++;
		}
	}
	assert.ok(n > 25, `${n} methods`);
	const [usage, listed] = await Promise.all([side.post("UsageService/GetUsage", {}), side.stack.call("GetUsage", {}, side.stack.usage)]);
	assert.strictEqual(usage.json.rows.length, listed.rows.length);
	assert.deepStrictEqual((await side.post("ProviderService/ListProviders", {})).json.providers.map((one) => one.name), ["providers/heygen"]);
}

async function checkBadRequests(side) {
	const cases = [
		["JobService/CreateJob", { job: { provider: "providers/heygen", modl: "avatar" } }, 400, /has no field 'modl'.*model/],
		["JobService/CreateJob", { job: { provider: "providers/heygen", onMismatch: "SOMETIMES" } }, 400, /SOMETIMES/],
		["JobService/CreateJob", '{"requestId":"a","requestId":"b"}', 400, /twice/],
		["JobService/CreateJob", '{"requestId":"a","request_id":"b"}', 400, /request_?[iI]d/],
		["JobService/CreateJob", "{", 400, /./],
		["JobService/CreateJob", "", 400, /./],
		["JobService/CreateJob", "[]", 400, /./],
		["JobService/CreateJob", '{"job":{"displayName":"a\\u0000b"}}', 400, /NUL/],
		["JobService/GetJob", { name: "jobs/1" }, 400, /jobs\/1/],
		["JobService/GetJob", { name: "jobs/01a22e67-b57f-71a5-979a-8dc6577e013e" }, 404, /there is no jobs/],
		["JobService/GetJobs", {}, 404, /no such method/],
		["AssetService/UploadAsset", {}, 501, /gRPC/],
		["JobService/WatchJobs", {}, 415, /application\/connect\+json/],
	];

	for (const [method, body, status, words] of cases) {
		const reply = await side.post(method, body);
		assert.strictEqual(reply.status, status, `${method} ${JSON.stringify(body)}: ${reply.text}`);
		assert.match(reply.text, words, method);
		assert.ok(reply.headers.get("x-request-id"), method);
	}
	const refused = await side.post("JobService/CreateJob", { job: { provider: "providers/heygen", priority: 1000, labels: { "A b": "c" } } });
	const detail = refused.json.details.find((one) => one.type === "google.rpc.BadRequest");
	assert.deepStrictEqual(detail.debug.fieldViolations.map((one) => one.field).sort(), ["job.labels", "job.priority"], refused.text);
	assert.ok(!detail.value.includes("="), "base64 without padding");
	for (const [headers, status, words] of [
		[{ "content-type": "text/plain" }, 415, /text\/plain/],
		[{}, 415, /application\/json/],
		[{ ...plain, "connect-protocol-version": "2" }, 400, /Version/],
		[{ ...plain, "content-encoding": "gzip" }, 501, /compressed/],
		[{ ...plain, "connect-timeout-ms": "soon" }, 400, /milliseconds/],
		[{ ...plain, "connect-timeout-ms": "12345678901" }, 400, /10 digits/],
	]) {
		const reply = await side.post("JobService/ListJobs", Buffer.from("{}"), headers);
		assert.strictEqual(reply.status, status, `${JSON.stringify(headers)}: ${reply.text}`);
		assert.match(reply.text, words);
	}
	const named = await side.post("JobService/ListJobs", {}, { ...plain, "x-request-id": "my-request.1" });
	assert.strictEqual(named.headers.get("x-request-id"), "my-request.1");
	const large = await side.post("JobService/ListJobs", `{"pageToken":"${"x".repeat(5 << 20)}"}`);
	assert.strictEqual(large.status, 413, large.text);
	const huge = await side.raw(`POST /filmgate.v1.JobService/ListJobs HTTP/1.1\r\nHost: ${side.stack.http}\r\nContent-Length: 1000000000\r\n\r\n{`);
	assert.match(huge, /^HTTP\/1.1 413 .*1000000000 bytes/s);
	await checkEnvelopes(side);
}

function envelope(flags, body, length = body.length) {
	const head = Buffer.alloc(5);

	head[0] = flags;
	head.writeUInt32BE(length, 1);
	return Buffer.concat([head, Buffer.from(body)]);
}

async function checkEnvelopes(side) {
	const stream = { "content-type": "application/connect+json" };

	for (const [bytes, words] of [
		[Buffer.alloc(0), /no envelope/], [Buffer.from("{}"), /no envelope/], [envelope(1, "{}"), /compressed/], [envelope(2, "{}"), /flags/],
		[envelope(0, "{}", 3), /longer or shorter/], [envelope(0, "{}", 2 ** 32 - 1), /longer or shorter/],
		[Buffer.concat([envelope(0, "{}"), envelope(0, "{}")]), /longer or shorter/], [envelope(0, '{"nme":1}'), /has no field 'nme'/],
	]) {
		const reply = await side.post("JobService/WatchJob", bytes, stream);
		assert.strictEqual(reply.status, 200);
		assert.match(reply.text.slice(5), /^{"error":{"code":"invalid_argument"/);
		assert.match(reply.text, words);
	}
}

// A page of another site, or of a name that was turned to this address, can do nothing.
async function checkStrangers(side) {
	const body = '{"job":{}}';
	const post = (headers) => side.raw(`POST /filmgate.v1.JobService/CreateJob HTTP/1.1\r\nContent-Type: application/json\r\n` +
		`Content-Length: ${body.length}\r\nConnection: close\r\n${headers}\r\n${body}`);
	const { http: host } = side.stack;

	assert.match(await post(`Host: ${host}\r\n`), /^HTTP\/1.1 400 .*invalid_argument/s);
	assert.match(await post(`Host: ${host}\r\nOrigin: http://${host}\r\n`), /^HTTP\/1.1 400 .*invalid_argument/s);
	assert.match(await post("Host: video.example.com\r\n"), /^HTTP\/1.1 400 .*invalid_argument/s);
	for (const headers of ["Host: evil.example\r\n", `Host: ${host}\r\nOrigin: http://evil.example\r\n`, `Host: ${host}\r\nOrigin: null\r\n`,
		`Host: ${host}\r\nOrigin: http://127.0.0.1:1\r\n`]) {
		const reply = await post(headers);
		assert.match(reply, /^HTTP\/1.1 403 /, headers);
		assert.doesNotMatch(reply, /access-control-allow-origin/i);
	}
	const preflight = (origin) => side.raw(`OPTIONS /filmgate.v1.JobService/CreateJob HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\n` +
		"Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n");
	assert.match(await preflight("https://app.example.com"), /^HTTP\/1.1 204 .*Access-Control-Allow-Origin: https:\/\/app.example.com\r\n/s);
	assert.match(await preflight("https://evil.example"), /^HTTP\/1.1 403 /);
	assert.match(await post(`Host: ${host}\r\nOrigin: https://app.example.com\r\n`), /Access-Control-Allow-Origin: https:\/\/app.example.com\r\n/);
}

async function checkSmuggling(side) {
	const head = `POST /filmgate.v1.JobService/ListJobs HTTP/1.1\r\nHost: ${side.stack.http}\r\nContent-Type: application/json\r\n`;

	for (const rest of [
		"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
		"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"Content-Length: +2\r\n\r\n{}",
		"Content-Length: 0x2\r\n\r\n{}",
		"Content-Length: 2, 2\r\n\r\n{}",
		"Content-Length: -1\r\n\r\n{}",
		"Content-Length: 99999999999999999999\r\n\r\n{}",
		`Host: ${side.stack.http}\r\nContent-Length: 2\r\n\r\n{}`,
	]) {
		const reply = await side.raw(head + rest + head + "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
		assert.match(reply, /^HTTP\/1.1 4\d\d /, rest);
		assert.doesNotMatch(reply, /HTTP\/1.1 200 /, `what stands behind is not read: ${rest}\n${reply}`);
	}
	const good = await side.raw(`${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n`);
	assert.match(good, /^HTTP\/1.1 200 /);
}

async function checkEvents(side) {
	const { stack } = side;
	const all = side.events("/v1/events", { enough: (event) => event.data.kind === "JOB_EVENT_KIND_DELETED" });
	await sleep(200);
	const job = await stack.create("events", "Seen live.");
	const own = await side.events(`/v1/${job.name}/events`);
	await stack.call("DeleteJob", { name: job.name });
	const { events } = await all;
	const revisions = own.events.filter((event) => event.event !== "end").map((event) => Number(event.id));

	assert.strictEqual(own.events.at(-1).event, "end");
	for (let i = 1; i < revisions.length; i++) assert.strictEqual(revisions[i], revisions[i - 1] + 1);
	assert.strictEqual(events[0].event, "bookmark");
	assert.deepStrictEqual(events.slice(1).map((event) => Number(event.data.revision)), Array.from({ length: events.length - 1 }, (_, i) => i + 1));
	assert.ok(events.every((event) => event.id === event.data.resumeToken));
	// From the middle: the same again.
	const middle = events[Math.floor(events.length / 2)].id;
	const again = await side.events("/v1/events", { headers: { "last-event-id": middle }, enough: (event) => event.data.kind === "JOB_EVENT_KIND_DELETED" });
	assert.deepStrictEqual(again.events.filter((event) => event.event !== "bookmark"), events.slice(Math.floor(events.length / 2) + 1));
	// Who has seen everything is told at once that it is served, and now and then that it still is.
	const quiet = await Promise.race([fetch(`${side.url}/v1/events`, { headers: { "last-event-id": events.at(-1).id } }), sleep(5000)]);
	assert.strictEqual(quiet && quiet.status, 200, "the head comes before the first event");
	const word = await Promise.race([quiet.body.getReader().read(), sleep(30000)]);
	assert.strictEqual(word && Buffer.from(word.value).toString(), ":\n\n");
	// A browser that has seen the end does not come again.
	const other = await stack.create("events-2", "Seen to the end.");
	const ended = await side.events(`/v1/${other.name}/events`);
	const end = ended.events.filter((event) => event.event !== "end").at(-1).id;
	assert.strictEqual((await side.events(`/v1/${other.name}/events`, { headers: { "last-event-id": end } })).status, 204);
	const from = await side.events(`/v1/${other.name}/events?after=${Number(end) - 1}`);
	assert.deepStrictEqual(from.events.map((event) => event.id), [end, undefined]);
	for (const [path, headers, status, words] of [
		["/v1/jobs/x/events", {}, 400, /jobs\/x/], ["/v1/jobs/01a22e67-b57f-71a5-979a-8dc6577e013e/events", {}, 404, /there is no jobs/],
		["/v1/jobs/x", {}, 404, /\/v1\/jobs\/{id}\/events/], [`/v1/${other.name}/events`, { "last-event-id": "x" }, 400, /'x' is not a revision/],
		["/v1/events", { "last-event-id": "x" }, 400, /resume_token/],
	]) {
		const reply = await side.events(path, { headers });
		assert.strictEqual(reply.status, status, path);
		assert.match(reply.text, words);
	}
}

// Files of artifacts, as players and browsers ask for them.
async function checkFiles(side) {
	const { stack } = side;
	const job = await stack.reach((await stack.create("files", "To be played.")).name);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const bytes = await stack.read(video.name), size = bytes.length;
	const url = `${side.url}/v1/${video.name}`;
	const get = async (headers = {}, method = "GET", at = url) => {
		const reply = await fetch(at, { method, headers });
		return { status: reply.status, headers: reply.headers, bytes: Buffer.from(await reply.arrayBuffer()) };
	};

	const whole = await get();
	assert.strictEqual(whole.status, 200);
	assert.ok(whole.bytes.equals(bytes));
	assert.strictEqual(whole.headers.get("content-type"), "video/mp4");
	assert.strictEqual(whole.headers.get("etag"), `"${video.sha256}"`);
	assert.strictEqual(whole.headers.get("accept-ranges"), "bytes");
	assert.match(whole.headers.get("content-disposition"), /^inline; filename="video-[0-9a-f]{8}-1\.mp4"$/);
	assert.match((await get({}, "GET", `${url}?download=1`)).headers.get("content-disposition"), /^attachment; /);
	const [, id, index] = /jobs\/(.*)\/artifacts\/(.*)/.exec(video.name);
	assert.ok((await get({}, "GET", `${side.url}/v1/artifacts/${id}.${index}`)).bytes.equals(bytes));
	const head = await get({}, "HEAD");
	assert.deepStrictEqual([head.status, head.headers.get("content-length"), head.bytes.length], [200, String(size), 0]);
	for (const [range, from, until] of [["bytes=0-0", 0, 1], ["bytes=5-99", 5, 100], [`bytes=${size - 7}-`, size - 7, size], ["bytes=-9", size - 9, size], ["bytes=0-", 0, size]]) {
		const part = await get({ range });
		assert.strictEqual(part.status, 206, range);
		assert.strictEqual(part.headers.get("content-range"), `bytes ${from}-${until - 1}/${size}`);
		assert.ok(part.bytes.equals(bytes.subarray(from, until)), range);
	}
	const behind = await get({ range: `bytes=${size}-` });
	assert.deepStrictEqual([behind.status, behind.headers.get("content-range")], [416, `bytes */${size}`]);
	assert.strictEqual((await get({ range: "bytes=0-1,3-4" })).status, 200);
	const etag = `"${video.sha256}"`;
	const known = await get({ "if-none-match": etag });
	assert.deepStrictEqual([known.status, known.bytes.length, known.headers.get("etag")], [304, 0, etag]);
	assert.strictEqual((await get({ range: "bytes=0-1", "if-range": etag })).status, 206);
	assert.strictEqual((await get({ range: "bytes=0-1", "if-range": '"other"' })).status, 200);
	for (const [at, status] of [[`/v1/${job.name}/artifacts/99`, 404], [`/v1/${job.name}/artifacts/x`, 404], [`/v1/${job.name}/artifacts/1/`, 404],
		[`/v1/jobs/01a22e67-b57f-71a5-979a-8dc6577e013e/artifacts/1`, 404], ["/v1/artifacts/x", 404], ["/v1/artifacts/..%2f..%2fetc.1", 404]])
		assert.strictEqual((await get({}, "GET", side.url + at)).status, status, at);
	const file = path.join(stack.data, "filmgate/artifacts/sha256", video.sha256.slice(0, 2), video.sha256.slice(2));
	fs.chmodSync(file, 0o600);
	fs.truncateSync(file, size - 1);
	assert.strictEqual((await get()).status, 500, "a damaged file is not begun");
}

// A poster and a thumbnail of a video: made when they are asked for, and gone with it.
async function checkStills(side) {
	const { stack } = side;
	const job = await stack.reach((await stack.create("stills", "To be looked at.")).name);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const get = async (name, headers = {}) => {
		const reply = await fetch(`${side.url}/v1/${video.name}/${name}`, { headers });
		return { status: reply.status, headers: reply.headers, bytes: Buffer.from(await reply.arrayBuffer()) };
	};
	const file = (name) => path.join(stack.data, "filmgate/artifacts/stills", video.sha256.slice(0, 2), `${video.sha256.slice(2)}.${name}.jpg`);

	for (const [name, edge] of [["poster", 1280], ["thumbnail", 320]]) {
		const still = await get(name);
		assert.strictEqual(still.status, 200, still.bytes.toString());
		assert.deepStrictEqual([still.headers.get("content-type"), still.headers.get("etag")], ["image/jpeg", `"${video.sha256}-${name}"`]);
		assert.match(still.headers.get("content-disposition"), new RegExp(`^inline; filename="${name}-[0-9a-f]{8}-1\\.jpg"$`));
		fs.writeFileSync(path.join(stack.data, "still.jpg"), still.bytes);
		const seen = JSON.parse(child.execFileSync("ffprobe", ["-v", "error", "-show_streams", "-of", "json", path.join(stack.data, "still.jpg")]));
		const [{ codec_name: codec, width, height }] = seen.streams;
		const longer = Math.min(edge, Math.max(video.width, video.height));
		assert.strictEqual(codec, "mjpeg");
		assert.ok(Math.abs(Math.max(width, height) - longer) <= 1, `${width} x ${height} of ${video.width} x ${video.height}`);
		assert.ok(Math.abs(width / height - video.width / video.height) < 0.05, `${width} x ${height}`);
		const made = fs.statSync(file(name));
		assert.ok((await get(name)).bytes.equals(still.bytes));
		assert.strictEqual(fs.statSync(file(name)).ino, made.ino, "it is made once");
		assert.strictEqual((await get(name, { "if-none-match": `"${video.sha256}-${name}"` })).status, 304);
		assert.ok((await get(name, { range: "bytes=2-9" })).bytes.equals(still.bytes.subarray(2, 10)));
	}
	const subtitles = job.status.artifacts.find((artifact) => !artifact.media_type.startsWith("video/"));
	if (subtitles) assert.strictEqual((await fetch(`${side.url}/v1/${subtitles.name}/poster`)).status, 404);
	for (const name of ["postr", "poster/", "/poster", "poster/poster"]) assert.strictEqual((await get(name)).status, 404, name);
	await stack.call("DeleteJob", { name: job.name });
	await until("its pictures to be gone", () => !fs.existsSync(file("poster")) && !fs.existsSync(file("thumbnail")), 20000);
	assert.strictEqual((await get("poster")).status, 404);
}

// Links for people who have no other access: by any name of the daemon, until they expire, and not a letter of them changed.
async function checkLinks(side) {
	const { stack } = side;
	const job = await stack.reach((await stack.create("links", "To be handed out.")).name);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const link = async (request) => (await side.post("ArtifactService/CreateArtifactLink", request)).json;
	const open = async (url, headers = {}, method = "GET") => {
		const { pathname, search } = new URL(url);
		const raw = await side.ask(method, pathname + search, { host: "films.example.org", origin: "https://films.example.org", ...headers });
		return raw;
	};

	const { url, expireTime, artifact } = await link({ name: video.name });
	assert.match(url, /^https:\/\/video\.example\.com\/v1\/links\/[\w-]{67}$/);
	assert.ok(Math.abs(Date.parse(expireTime) - Date.now() - 86400e3) < 30e3, expireTime);
	assert.strictEqual(artifact.sha256, video.sha256);
	const bytes = await stack.read(video.name);
	const whole = await open(url);
	assert.deepStrictEqual([whole.status, whole.headers["content-type"], whole.headers.etag], [200, "video/mp4", `"${video.sha256}"`]);
	assert.ok(whole.bytes.equals(bytes));
	assert.ok((await open(url, { range: "bytes=3-8" })).bytes.equals(bytes.subarray(3, 9)));
	assert.strictEqual((await open(url, {}, "HEAD")).headers["content-length"], String(bytes.length));
	assert.match((await open(`${url}?download=1`)).headers["content-disposition"], /^attachment; /);
	assert.strictEqual((await side.ask("GET", `/v1/${video.name}`, { host: "films.example.org" })).status, 403, "the name is no key");

	const token = url.split("/").pop();
	for (let i = 0; i < token.length; i++) {
		const other = token.slice(0, i) + (token[i] === "A" ? "B" : "A") + token.slice(i + 1);
		assert.strictEqual((await open(url.replace(token, other))).status, 403, other);
	}
	for (const wrong of ["", "x", token.slice(1), `${token}A`, `${token}/`, `${token}%00`])
		assert.strictEqual((await open(url.replace(token, wrong))).status, 403, wrong);
	const short = await link({ name: video.name, ttl: "1s" });
	await until("the link to expire", async () => (await open(short.url)).status === 410, 10000);
	assert.match((await open(short.url)).bytes.toString(), /^this link was good until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: ask /);
	assert.ok(!fs.readFileSync(stack.daemonLog, "utf8").includes(token), "the log has no key");
	assert.ok(fs.readFileSync(stack.daemonLog, "utf8").includes("path=/v1/links/"));

	for (const [request, status, words] of [
		[{ name: video.name, ttl: "0s" }, 400, /0 s and 0 ns are not possible; 1 s to 30 days/],
		[{ name: video.name, ttl: "2592001s" }, 400, /not possible/], [{ name: video.name, ttl: "-5s" }, 400, /not possible/],
		[{ name: video.name, ttl: "1.5s" }, 400, /in whole seconds/], [{ name: job.name }, 400, /is not an artifact/],
		[{ name: `${job.name}/artifacts/99` }, 404, /no such artifact/],
	]) {
		const reply = await side.post("ArtifactService/CreateArtifactLink", request);
		assert.strictEqual(reply.status, status, reply.text);
		assert.match(reply.text, words);
	}
	await stack.call("DeleteJob", { name: job.name });
	assert.strictEqual((await open(url)).status, 404, "it ends with its job");
}

// Many who leave in the middle of a file, and one who reads on.
async function checkLeavers(side) {
	const { stack } = side;
	const job = await stack.reach((await stack.create("leavers", "Watched by many.")).name);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const [host, port] = stack.http.split(":");
	const before = await count(side, "process_open_fds");

	await Promise.all(Array.from({ length: 100 }, (_, i) => new Promise((resolve) => {
		const socket = net.connect(Number(port), host, () => {
			socket.write(`GET /v1/${video.name} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
			if (i % 2) socket.destroy();
		});
		socket.once("data", () => socket.destroy());
		socket.on("error", () => {});
		socket.once("close", resolve);
	})));
	const reply = await fetch(`${side.url}/v1/${video.name}`);
	assert.ok(Buffer.from(await reply.arrayBuffer()).equals(await stack.read(video.name)));
	await until("files to be closed", async () => (await count(side, "process_open_fds")) < before + 10, 30000);
}

async function count(side, name) {
	const text = await (await fetch(`${side.url}/metrics`)).text();

	return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)[1]);
}

// Clients that vanish without a word while nothing happens are found, and what they held is free.
async function checkVanished(side, n) {
	const [host, port] = side.stack.http.split(":");
	const before = await count(side, "process_open_fds");
	const sockets = await Promise.all(Array.from({ length: n }, () => new Promise((resolve, reject) => {
		const socket = net.connect(Number(port), host, () => socket.write(`GET /v1/events HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`));
		socket.once("data", (data) => {
			assert.match(String(data), /^HTTP\/1.1 200 /);
			resolve(socket);
		});
		socket.once("error", reject);
	})));
	const open = await count(side, "process_open_fds");
	assert.ok(open > before + n - 10, `${before} descriptors, then ${open}`);
	for (const socket of sockets) socket.on("error", () => {}).destroy();
	await until("vanished clients to be found", async () => (await count(side, "process_open_fds")) < before + 20, 30000);
}

// Streams end with the reason, and calls are still answered, when the daemon stops.
async function checkDraining(side) {
	const events = side.events("/v1/events");
	const watching = (async () => {
		const jobs = createClient(service("JobService"), node.createConnectTransport({ baseUrl: side.url, httpVersion: "1.1" }));
		for await (const _ of jobs.watchJobs({})) continue;
	})();
	const failed = assert.rejects(watching, (error) => ConnectError.from(error).code === Code.Unavailable);

	await sleep(300);
	await side.stack.daemon.stop();
	const end = (await events).events.at(-1);
	assert.strictEqual(end.event, "end");
	assert.strictEqual(end.data.code, "unavailable");
	await failed;
}

async function main() {
	const stack = new Stack();

	try {
		await stack.startSimulator();
		stack.writeConfig({ more: 'web = { hosts = [ "video.example.com" ]; origins = [ "https://app.example.com" ]; url = "https://video.example.com"; }; log = { level = "debug"; };' });
		await stack.startDaemon();
		const side = new Side(stack);
		await checkClient(stack, "node-json", node.createConnectTransport({ baseUrl: side.url, httpVersion: "1.1", useBinaryFormat: false }));
		await checkClient(stack, "node-proto", node.createConnectTransport({ baseUrl: side.url, httpVersion: "1.1", useBinaryFormat: true }));
		await checkClient(stack, "web-json", web.createConnectTransport({ baseUrl: side.url, useBinaryFormat: false }));
		await checkClient(stack, "web-proto", web.createConnectTransport({ baseUrl: side.url, useBinaryFormat: true }));
		await checkEveryMethod(side);
		await checkBadRequests(side);
		await checkStrangers(side);
		await checkSmuggling(side);
		await checkEvents(side);
		await checkFiles(side);
		await checkStills(side);
		await checkLinks(side);
		await checkLeavers(side);
		await checkVanished(side, 1000);
		await checkDraining(side);
		console.log("connect: everything over HTTP");
	} catch (error) {
		console.error(error);
		process.exitCode = 1;
	} finally {
		await stack.finish();
	}
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
