// Debian's Chromium on the page of a stack of its own. What goes wrong in the page fails the test: an exception, a line of
// the console that is an error, a file of another host.
"use strict";

const assert = require("node:assert");
const { createRequire } = require("node:module");
const path = require("node:path");
const { Stack, root, until } = require("../integration/stack");

const tool = createRequire(path.join(root, "tests/page/package.json"));
const { chromium } = tool("playwright-core");
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"];
const PATIENCE_MS = 60000;
const VEO = "veo-3.1-generate-001";

// HeyGen and Veo on the simulator, and the daemon at a port that it keeps over a restart.
async function startStack(options = {}) {
	const stack = new Stack();

	await stack.startSimulator("--render-time-ms", options.renderMs || "100:200", "--concurrency", "1000", ...(options.simulator || []));
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
		on_mismatch = "accept";
	}`;
	const config = { others: [veo], ...options.config };
	stack.writeConfig(config);
	await stack.startDaemon();
	// From here on at the same place, so that an open page finds it again.
	stack.keepPort = () => stack.writeConfig({ ...config, http: stack.http });
	return stack;
}

class Browser {
	async start(stack, options = {}) {
		this.stack = stack;
		this.url = `http://${stack.http}`;
		this.faults = [];
		this.browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS, timeout: PATIENCE_MS });
		this.page = await this.open(options);
		return this;
	}

	async open(options = {}) {
		const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...options });
		const page = await context.newPage();

		page.setDefaultTimeout(PATIENCE_MS);
		page.on("pageerror", (error) => this.faults.push(String(error)));
		page.on("console", (message) => message.type() === "error" && this.faults.push(message.text()));
		page.on("request", (request) => {
			const url = new URL(request.url());
			if (!["blob:", "data:"].includes(url.protocol) && url.host !== this.stack.http) this.faults.push(`a request to ${url.host}`);
		});
		return page;
	}

	go(hash = "", page = this.page) {
		return page.goto(`${this.url}/${hash}`);
	}

	// What a browser says by itself of a request that failed or was refused is expected where a test makes it so.
	checkQuiet(expected = /^$/) {
		assert.deepStrictEqual(this.faults.filter((fault) => !expected.test(fault)), []);
		this.faults.length = 0;
	}

	async finish() {
		if (this.browser) await this.browser.close();
	}
}

// The pictures of a video at two of its moments, as numbers: a canvas says what is really shown.
function readFrames(page, moments) {
	return page.locator("video").evaluate(async (video, parts) => {
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = 64;
		const context = canvas.getContext("2d", { willReadFrequently: true });
		const frames = [];

		if (video.readyState < 1) await new Promise((resolve) => video.addEventListener("loadedmetadata", resolve, { once: true }));
		for (const part of parts) {
			video.currentTime = video.duration * part;
			await new Promise((resolve) => video.addEventListener("seeked", resolve, { once: true }));
			if (video.readyState < 2) await new Promise((resolve) => video.addEventListener("canplay", resolve, { once: true }));
			context.drawImage(video, 0, 0, 64, 64);
			frames.push({ at: video.currentTime / video.duration, pixels: [...context.getImageData(0, 0, 64, 64).data] });
		}
		return frames;
	}, moments);
}

// It is no blank picture, and two moments are not the same one.
async function checkVideo(page) {
	const [one, two, again] = await readFrames(page, [0.2, 0.8, 0.2]);
	const bright = one.pixels.filter((_, i) => i % 4 !== 3);
	const spread = Math.max(...bright) - Math.min(...bright);
	const moved = (a, b) => a.pixels.filter((value, i) => Math.abs(value - b.pixels[i]) > 16).length;

	assert.ok(spread > 40, `the picture has one colour: ${spread}`);
	assert.strictEqual(moved(one, again), 0, "the same moment is the same picture");
	assert.ok(moved(one, two) > 8, `the picture does not move: ${moved(one, two)} of ${one.pixels.length}`);
	assert.ok(Math.abs(one.at - 0.2) < 0.05 && Math.abs(two.at - 0.8) < 0.05, "it goes where it is told to");
	const plays = await page.locator("video").evaluate(async (video) => {
		video.muted = true;
		video.currentTime = 0;
		await video.play();
		await new Promise((resolve) => video.addEventListener("timeupdate", () => video.currentTime > 0.1 && resolve()));
		return !video.error;
	});
	assert.ok(plays);
}

module.exports = { Browser, startStack, checkVideo, until, VEO, PATIENCE_MS };
