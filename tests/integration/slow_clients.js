// Clients of the HTTP side that are slow, stay for long, or leave without a word, cost nothing that others need, and do
// not keep the daemon from stopping.
"use strict";

const assert = require("node:assert");
const net = require("node:net");
const { Stack, until } = require("./stack");

const STREAM = { "content-type": "application/connect+json" };
const PLAIN = { "content-type": "application/json" };

function envelope(text) {
	const head = Buffer.alloc(5);

	head.writeUInt32BE(Buffer.byteLength(text), 1);
	return Buffer.concat([head, Buffer.from(text)]);
}

const url = (stack, path) => `http://${stack.http}${path}`;
const post = (stack, method, body, headers) =>
	fetch(url(stack, `/filmgate.v1.JobService/${method}`), { method: "POST", headers, body });

// A socket with a stream under way. Nothing more is read of it.
function open(stack, request) {
	const [host, port] = stack.http.split(":");

	return new Promise((resolve, reject) => {
		const socket = net.connect(Number(port), host, () => socket.write(request));

		socket.once("data", (data) => {
			assert.match(String(data), /^HTTP\/1.1 200 /);
			socket.pause();
			resolve(socket);
		});
		socket.once("error", reject);
	}).then((socket) => socket.on("error", () => {}));
}

function watchAll(stack, body = "{}") {
	const bytes = envelope(body);

	return open(stack, Buffer.concat([Buffer.from(`POST /filmgate.v1.JobService/WatchJobs HTTP/1.1\r\nHost: ${stack.http}\r\n` +
		`Content-Type: application/connect+json\r\nContent-Length: ${bytes.length}\r\n\r\n`), bytes]));
}

async function descriptors(stack) {
	return Number(/^process_open_fds (.*)$/m.exec(await (await fetch(url(stack, "/metrics"))).text())[1]);
}

// A request is not kept for as long as its stream lives: else a few streams would leave no room for others' requests.
async function checkLongRequests(stack) {
	const long = `{${" ".repeat((4 << 20) - 100)}}`;
	const sockets = [];

	for (let i = 0; i < 20; i++) sockets.push(await watchAll(stack, long));
	const reply = await post(stack, "ListJobs", long, PLAIN);
	assert.strictEqual(reply.status, 200, await reply.text());
	for (const socket of sockets) socket.destroy();
}

// These streams say nothing by themselves, so no write can fail: whoever has left is looked for.
async function checkSilentStreams(stack) {
	const before = await descriptors(stack);
	const sockets = await Promise.all(Array.from({ length: 50 }, () => watchAll(stack)));

	assert.ok((await descriptors(stack)) >= before + 40);
	for (const socket of sockets) socket.destroy();
	await until("silent streams to be found left", async () => (await descriptors(stack)) < before + 10, 60000);
}

async function checkTimeouts(stack) {
	const late = await post(stack, "ListJobs", "{}", { ...PLAIN, "connect-timeout-ms": "0" });
	assert.strictEqual(late.status, 504);
	assert.strictEqual((await late.json()).code, "deadline_exceeded");
	const stream = await post(stack, "WatchJobs", envelope("{}"), { ...STREAM, "connect-timeout-ms": "500" });
	assert.match(await stream.text(), /{"error":{"code":"deadline_exceeded"/);
}

// A stopped daemon waits for no client that does not read: its watch is open as long as its connection is.
async function checkStop(stack) {
	const job = await stack.create("many-events", "Seen by nobody.");
	const labels = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`label-${i}`, "x".repeat(250)]));
	let size = 0;

	await stack.reach(job.name);
	const socket = await watchAll(stack);
	for (; size < 9 << 20; size += 20 * 60 * 250)
		await Promise.all(Array.from({ length: 20 }, (_, i) => stack.call("UpdateJob",
			{ job: { name: job.name, labels: { ...labels, again: `${i}-${size}` } }, update_mask: { paths: ["labels"] } })));
	const begun = Date.now();
	await stack.daemon.stop();
	const took = Date.now() - begun;
	assert.ok(took < 30000, `the daemon stopped after ${took} ms`);
	socket.destroy();
}

async function main() {
	const stack = new Stack();

	try {
		await stack.startSimulator();
		stack.writeConfig();
		await stack.startDaemon();
		await checkLongRequests(stack);
		await checkSilentStreams(stack);
		await checkTimeouts(stack);
		await checkStop(stack);
		console.log("slow clients: nobody else waits for them");
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
