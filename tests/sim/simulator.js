// Starts the filmgate-sim named by the environment's FILMGATE_SIM, for clients that come as node modules.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const { createRequire } = require("node:module");
const os = require("node:os");
const path = require("node:path");

const READY_MS = 30000;

// A module of tests/tools, which `./dev deps` fills.
const tool = createRequire(path.join(__dirname, "../tools/package.json"));

class Simulator {
	constructor(...options) {
		this.data = fs.mkdtempSync(path.join(os.tmpdir(), "filmgate-sim-"));
		this.process = child.spawn(process.env.FILMGATE_SIM,
			["--listen", "127.0.0.1:0", "--data", this.data, "--small", "--render-time-ms", "200:300", ...options],
			{ stdio: ["ignore", "pipe", "inherit"] });
		this.ended = new Promise((resolve) => this.process.once("close", (code) => resolve(code)));
	}

	async start() {
		let text = "";
		const line = new Promise((resolve) => this.process.stdout.on("data", (data) => {
			text += data;
			if (text.includes("\n")) resolve(text);
		}));
		const first = await Promise.race([line, this.ended,
			new Promise((resolve) => setTimeout(resolve, READY_MS).unref())]);
		assert.match(String(first), /^ready sim=http/, "the simulator is ready");
		this.url = /sim=(\S+)/.exec(first)[1];
		return this;
	}

	async control(what) {
		return (await fetch(`${this.url}/_sim/${what}`)).json();
	}

	async stop() {
		this.process.kill("SIGTERM");
		assert.strictEqual(await this.ended, 0, "the simulator ends well");
		fs.rmSync(this.data, { recursive: true, force: true });
	}
}

// Asks again and again until the answer is one, for at most half a minute.
async function until(what, ask) {
	const end = Date.now() + READY_MS;

	while (Date.now() < end) {
		const answer = await ask();
		if (answer) return answer;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`waited in vain for ${what}`);
}

module.exports = { Simulator, tool, until };
