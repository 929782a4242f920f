// The four classes of a paid request, cell by cell: what a server may do to it, over HTTP/1.1 and HTTP/2, with and
// without TLS, against the class that the daemon finds, what the job does next, and how often the request arrived, by
// the server's own count: never twice. The plugin's provider (Veo) honours no key, so that a doubt ends as UNCERTAIN and
// anything that is sent again would be a second purchase.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Stack, sleep, until } = require("./stack");
const { Provider } = require("./cells");

const stack = new Stack();
const OPERATION = "models/veo-3.1-generate-001/operations/op1";
const ACCEPTED = JSON.stringify({ name: OPERATION });
// So that what was accepted comes to an end and asks no more.
const NEWS = JSON.stringify({ name: OPERATION, done: true, error: { code: 3, message: "no video of this" } });
const refusal = (code, status) => JSON.stringify({ error: { code, message: "no", status } });
const PAGE = "<html><body><h1>Bad Gateway</h1></body></html>";
const SUBMIT_MS = 3000;
const REPLY_BYTES = 65536;
const CONNECT_MS = 2000;
// What node cannot do: to listen and not to accept.
const SILENT = `
import socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
waiting = [socket.socket() for _ in range(4)]
for one in waiting:
    one.setblocking(False)
    one.connect_ex(listener.getsockname())
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`;
const transports = {};
let silent;

const closing = (act) => (request, connection) => {
	act(request, connection);
	connection.close();
};

// What is expected: [classes, next, purchases that arrived].
const UNSENT = [["NOT_SENT"], "QUEUED", 0];
const DOUBT = [["AMBIGUOUS"], "UNCERTAIN", 1];
const BOUGHT = [["ACCEPTED"], "FAILED", 1]; // as NEWS says
const NO = [["REFUSED"], "FAILED", 1];

// name: [what the server does, expected, transports: all unless it says]
const cells = {
	"nobody listens": [{ isDeaf: true }, UNSENT],
	"the handshake breaks off": [{ onConnect: (raw) => raw.once("data", () => raw.destroy()) }, UNSENT, "tls"],
	"the handshake is reset": [{ onConnect: (raw) => raw.once("data", () => raw.resetAndDestroy()) }, UNSENT, "tls"],
	"the certificate is another's": [{ isImpostor: true }, UNSENT, "tls"],
	"reset at the first byte": [{ onBytes: (connection) => connection.reset() }, [["AMBIGUOUS"], "UNCERTAIN", 0]],
	"closed at the first byte": [{ onBytes: (connection) => connection.close() }, [["AMBIGUOUS"], "UNCERTAIN", 0]],
	"reset after the whole request": [{ onRequest: (_, connection) => connection.reset() }, DOUBT],
	"closed without a reply": [{ onRequest: (_, connection) => connection.close() }, DOUBT],
	"closed without a reply, nor an end of TLS": [{ onRequest: (_, connection) => connection.closeRudely() }, DOUBT, "tls"],
	"silence until the time-out": [{ onRequest: () => {} }, DOUBT],
	"only an early hint": [{ onRequest: closing((request) => request.head(103)) }, DOUBT],
	"an early hint, and silence": [{ onRequest: (request) => request.head(103) }, DOUBT],
	"an early hint, and a reply": [{ onRequest: (request) => { request.head(103); request.reply(200, ACCEPTED); } }, BOUGHT],
	"cut in the head": [{ onRequest: closing((request) => request.cutHead(200)) }, DOUBT],
	"reset in the head": [{ onRequest: (request, connection) => { request.cutHead(200); setTimeout(() => connection.reset(), 50); } },
		DOUBT],
	"cut in the body": [{ onRequest: closing((request) => { request.head(200, { "content-length": 999 }); request.data(ACCEPTED); }) },
		DOUBT],
	"reset in the body": [{ onRequest: (request, connection) => {
		request.head(200, { "content-length": 999 });
		request.data(ACCEPTED);
		setTimeout(() => connection.reset(), 50);
	} }, DOUBT],
	"shorter than it says, and an end": [{ onRequest: (request, connection) => {
		request.reply(200, ACCEPTED, { "content-length": 999 });
		connection.close();
	} }, DOUBT],
	"refused, readably": [{ onRequest: (request) => request.reply(400, refusal(400, "INVALID_ARGUMENT")) }, NO],
	"a redirect": [{ onRequest: (request) => request.reply(307, "{}", { location: "/elsewhere" }) }, DOUBT],
	"HTTP 500 as JSON": [{ onRequest: (request) => request.reply(500, refusal(500, "INTERNAL")) }, DOUBT],
	"HTTP 503 as a page": [{ onRequest: (request) => request.reply(503, PAGE, { "content-type": "text/html" }) }, DOUBT],
	"HTTP 200 with garbage": [{ onRequest: (request) => request.reply(200, "\u0001\u0002{]") }, DOUBT],
	"HTTP 200 with nothing": [{ onRequest: (request) => request.reply(200, "") }, DOUBT],
	"HTTP 200 as a page": [{ onRequest: (request) => request.reply(200, PAGE, { "content-type": "text/html" }) }, DOUBT],
	"HTTP 200 without an id": [{ onRequest: (request) => request.reply(200, "{}") }, DOUBT],
	"HTTP 200 with more than is read": [{ onRequest: (request) => request.reply(200, " ".repeat(REPLY_BYTES + 1) + ACCEPTED) },
		DOUBT],
	"HTTP 200 with an id": [{ onRequest: (request) => request.reply(200, ACCEPTED) }, BOUGHT],
	"HTTP 200 with an id, called a page": [{ onRequest: (request) => request.reply(200, ACCEPTED,
		{ "content-type": "text/html" }) }, BOUGHT],
	"HTTP 200 with an id, then a reset": [{ onRequest: (request, connection) => {
		request.reply(200, ACCEPTED);
		setTimeout(() => connection.reset(), 50);
	} }, BOUGHT],
	"HTTP 200 with an id, and no end of TLS": [{ onRequest: (request, connection) => {
		request.reply(200, ACCEPTED);
		setTimeout(() => connection.closeRudely(), 50);
	} }, BOUGHT, "tls"],
	"a length that nobody says, cut": [{ onRequest: closing((request) => { request.head(200); request.data('{"name":"mod'); }) },
		DOUBT],

	"GOAWAY before the stream": [{ onBegin: (_, session) => session.goaway(0) }, [["AMBIGUOUS"], "UNCERTAIN", "0 or 1"], "h2"],
	"GOAWAY instead of a reply": [{ onRequest: (request) => request.goaway(0) }, DOUBT, "h2"],
	"GOAWAY that counts the stream, and a reply": [{ onRequest: (request) => { request.goaway(1); request.reply(200, ACCEPTED); } },
		BOUGHT, "h2"],
	"GOAWAY that counts the stream, and an end": [{ onRequest: closing((request) => request.goaway(1)) }, DOUBT, "h2"],
	"REFUSED_STREAM": [{ onRequest: (request) => request.rst(7) }, DOUBT, "h2"],
	"REFUSED_STREAM after the head": [{ onRequest: (request) => { request.head(200); request.rst(7); } }, DOUBT, "h2"],
	"HTTP_1_1_REQUIRED": [{ onRequest: (request) => request.rst(13) }, DOUBT, "h2"],
	"RST_STREAM after the head": [{ onRequest: (request) => { request.head(200); request.rst(8); } }, DOUBT, "h2"],
	"RST_STREAM in the body": [{ onRequest: (request) => { request.head(200); request.data(ACCEPTED); request.rst(2); } }, DOUBT, "h2"],
	"RST_STREAM without an error in the body": [{ onRequest: (request) => { request.head(200); request.data(ACCEPTED); request.rst(0); } },
		DOUBT, "h2"],
	"settings, and an end": [{ onBegin: (connection) => connection.close() }, [["AMBIGUOUS"], "UNCERTAIN", "0 or 1"], "h2"],

	// These stop the provider's other jobs as well, so they come last.
	"HTTP 429 with Retry-After": [{ onRequest: (request) => request.reply(429, refusal(429, "RESOURCE_EXHAUSTED"), { "retry-after": 2 }) },
		[["REFUSED"], "QUEUED", 1]],
	"HTTP 401": [{ onRequest: (request) => request.reply(401, refusal(401, "UNAUTHENTICATED")) }, [["REFUSED"], "QUEUED", 1]],
};

// A certificate that is trusted as its own authority, and one that is not.
function certify(name) {
	const file = (what) => path.join(stack.data, `${name}.${what}`);

	child.execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
		"-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", file("key"), "-out", file("pem")],
	{ stdio: "ignore" });
	return { key: fs.readFileSync(file("key")), cert: fs.readFileSync(file("pem")) };
}

function provider(id, url, version) {
	return `{
		id = "${id}";
		plugin = "veo";
		base_url = "${url}";
		secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
		options = { surface = "gemini"; };
		poll = { initial_ms = 50; max_ms = 100; };
		concurrency = 100;
		breaker = 0;
		submit_timeout_ms = ${SUBMIT_MS};
		allow_private_network = true;
		http_version = "${version}";
	}`;
}

// A listener whose queue is full: whatever else connects to it hears nothing.
async function silentPort() {
	const { pid, port } = await new Promise((resolve, reject) => {
		const waiter = child.spawn("python3", ["-c", SILENT], { stdio: ["pipe", "pipe", "inherit"] });
		silent = waiter;
		waiter.once("error", reject);
		waiter.stdout.once("data", (data) => resolve({ pid: waiter.pid, port: Number(data) }));
	});

	assert.ok(pid && port);
	return port;
}

before(async () => {
	const identity = { ...certify("ours"), other: certify("others") };

	for (const [name, isHttp2, isTls] of [["plain", false, false], ["tls", false, true], ["h2c", true, false], ["h2", true, true]]) {
		transports[name] = new Provider({ isHttp2, identity: isTls ? identity : null });
		await transports[name].listen();
	}
	const port = await silentPort();
	const others = Object.entries(transports).flatMap(([name, one]) => {
		const [scheme, version] = [one.identity ? "https" : "http", one.isHttp2 ? "2" : "1.1"];
		return [provider(name, one.url, version), provider(`${name}-nowhere`, `${scheme}://nobody.invalid`, version),
			provider(`${name}-silent`, `${scheme}://127.0.0.1:${port}`, version)];
	});
	stack.simUrl = "http://127.0.0.1:9";
	stack.writeConfig({ others, limits: `reply_bytes = ${REPLY_BYTES};`,
		more: `http = { ca_bundle = "${path.join(stack.data, "ours.pem")}"; connect_timeout_ms = ${CONNECT_MS}; };` });
	await stack.startDaemon();
});

after(async () => {
	silent.stdin.end();
	for (const one of Object.values(transports)) await one.leave();
	await stack.finish();
});

const sendsOf = (job) => job.status.attempts.flatMap((attempt) => attempt.sends);
const isFor = (which, name) => !which || (which === "tls" ? ["tls", "h2"] : ["h2c", "h2"]).includes(name);
let count = 0;

function create(id) {
	return stack.call("CreateJob", { request_id: `classes-${++count}`, job: { provider: `providers/${id}`, model: "veo-3.1-generate-001",
		parameters: { prompt: `Number ${count} of the cats`, duration: { seconds: 4 } } } }).then((reply) => reply.job);
}

// The job once its one send is decided and it has gone on.
function decided(name) {
	return until(`${name} to be decided`, async () => {
		const job = await stack.get(name);
		const [send] = sendsOf(job);
		return send && send.class !== "SEND_CLASS_PENDING" && !/STARTING|RUNNING/.test(job.status.state) && job;
	}, 20000, 20);
}

// Ends what waits for another try, and returns what the job was after each send.
async function afterSends(name) {
	await stack.call("CancelJob", { name });
	await stack.reach(name);
	const states = (await stack.stream("WatchJob", { name, after_revision: 1 })).map((message) =>
		message.event.status.state.replace("JOB_STATE_", ""));
	return states.filter((state, i) => i && states[i - 1] === "STARTING" && state !== "STARTING");
}

async function play(server, id, [cell, [classes, next, arrived]]) {
	server.play(cell, NEWS);
	if (cell.isDeaf) await server.leave();
	const { name } = await create(id);
	const job = await decided(name);
	// It tries again soon: that is cancelled, while the cell is still played.
	const states = next === "QUEUED" ? await afterSends(name) : [job.status.state.replace("JOB_STATE_", "")];
	if (cell.isDeaf) await server.listen(server.port);
	const found = sendsOf(job).map((send) => send.class.replace("SEND_CLASS_", ""));
	assert.deepStrictEqual([found, states[0]], [classes, next], JSON.stringify(job.status, null, 1));
	// What libcurl would do by itself it does at once.
	if (arrived === 1 && next === "UNCERTAIN") await sleep(20);
	if (arrived === "0 or 1") assert.ok(server.purchases <= 1, `${server.purchases} purchases`);
	else assert.strictEqual(server.purchases, arrived, "what arrived");
	// What was bought is asked about, over a connection that may be an old one; what did not leave may try again.
	if (arrived && server.questions === 0) assert.strictEqual(server.connections, 1, "connections");
}

// A connection of HTTP/2 could carry the question beside the order, and take it along when it ends.
test("nothing shares the connection of a purchase", async () => {
	await Promise.all(Object.entries(transports).map(async ([name, server]) => {
		server.play({ onRequest: () => {} }, "{}");
		const job = await create(name);
		await until("the order to arrive", () => server.purchases === 1, 10000, 10);
		await stack.call("CheckProvider", { name: `providers/${name}` }, stack.providers);
		assert.strictEqual(server.questions, 1, name);
		await decided(job.name);
		assert.strictEqual(server.shared, 0, `${name}: connections of a purchase that carried a question, too`);
	}));
});

test("every cell has its class, and no request arrives twice", { timeout: 240000 }, async () => {
	const wrong = [];

	await Promise.all(Object.entries(transports).map(async ([name, server]) => {
		for (const [title, cell] of Object.entries(cells)) {
			if (!isFor(cell[2], name)) continue;
			try {
				await play(server, name, cell);
			} catch (error) {
				wrong.push(`${name}: ${title}: ${error.message}`);
				if (process.env.FILMGATE_KEEP) console.log(wrong.at(-1).replace(/\{\n[^]*\n\}/, ""));
			}
		}
	}));
	assert.deepStrictEqual(wrong, []);
});

test("what cannot be reached gets nothing, whatever is spoken", async () => {
	const began = Date.now();

	await Promise.all(Object.keys(transports).flatMap((name) => ["nowhere", "silent"].map(async (where) => {
		const { name: job } = await create(`${name}-${where}`);
		assert.deepStrictEqual(sendsOf(await decided(job)).map((send) => send.class), ["SEND_CLASS_NOT_SENT"]);
		assert.strictEqual((await afterSends(job))[0], "QUEUED");
		if (where === "silent") assert.ok(Date.now() - began >= CONNECT_MS - 50, "it was waited for");
	})));
});
