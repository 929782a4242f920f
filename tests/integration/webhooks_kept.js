// How long the daemon shows what became of webhooks: what was delivered for a day, what was given up for thirty. Only its
// clock is moved (libfaketime), and how often it looks for what is old (FILMGATE_HURRY_MS).
"use strict";

const assert = require("node:assert");
const http = require("node:http");
const { test, after } = require("node:test");
const { Stack, clearLocks, fakeClock, order, sleep, until } = require("./stack");

const stack = new Stack();
const LOOK_MS = 500; // between two looks of the daemon
const ENVIRONMENT = { WH_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", FILMGATE_HURRY_MS: `${LOOK_MS}` };
const receiver = http.createServer((request, response) => request.resume().on("end", () => response.writeHead(204).end()));

after(async () => {
	receiver.close();
	await stack.finish().finally(clearLocks);
});

// By endpoint.
async function states() {
	const { deliveries } = await stack.call("ListDeliveries", {}, stack.webhooks);

	return Object.fromEntries(deliveries.map((one) => [one.name.split("/")[1], one.state.replace("DELIVERY_STATE_", "")]).sort());
}

// Once, and still so after the daemon has looked for what is old some times more.
async function shown(expected) {
	await until(`only these to be shown: ${JSON.stringify(expected)}`, async () =>
		JSON.stringify(await states()) === JSON.stringify(expected), 30000);
	await sleep(4 * LOOK_MS);
	assert.deepStrictEqual(await states(), expected);
}

async function restart(later) {
	await stack.daemon.stop();
	await stack.startDaemon({ ...ENVIRONMENT, ...fakeClock({ FAKETIME: later }) });
}

test("what was delivered is shown for a day, and what was given up for thirty", { timeout: 150000 }, async () => {
	await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
	const entry = (name, port) => `{ name = "${name}"; url = "http://127.0.0.1:${port}/"; signing = { a_env = "WH_SECRET"; };
		retries = "1"; allow_private_network = true; }`;
	await stack.startSimulator();
	stack.writeConfig({ more: `webhooks = ( ${entry("good", receiver.address().port)}, ${entry("gone", 9)} );` });
	await stack.startDaemon(ENVIRONMENT);
	const later = { seconds: Math.floor(Date.now() / 1000) + 3600, nanos: 0 };
	const job = await stack.create("kept", "x", { job: order("x", { not_before_time: later }) });
	await stack.call("CancelJob", { name: job.name });
	await shown({ gone: "DEAD", good: "DELIVERED" });
	await restart("+23h");
	await shown({ gone: "DEAD", good: "DELIVERED" });
	await restart("+25h");
	await shown({ gone: "DEAD" });
	await restart("+29d");
	await shown({ gone: "DEAD" });
	await restart("+31d");
	await shown({});
});
