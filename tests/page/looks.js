// How the page looks, and whether everybody can use it: each view, in both themes, at three widths. The pictures stay in
// build/screenshots for a person to look at.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const http = require("node:http");
const { createRequire } = require("node:module");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { root } = require("../integration/stack");
const { Browser, startStack, VEO } = require("./browser");

const { AxeBuilder } = createRequire(path.join(root, "tests/page/package.json"))("@axe-core/playwright");
const folder = process.env.FILMGATE_SCREENSHOTS || path.join(root, "build/screenshots");
const WIDTHS = [360, 768, 1440];
const FIRST_PAGE_BYTES = 150000;
const ROWS = Number(process.env.FILMGATE_PAGE_ROWS || 10000);
const browser = new Browser();
let stack, views;

const name = (job) => job.name.replace("jobs/", "job/");

async function create(prompt, more = {}) {
	const job = { provider: "providers/veo", model: VEO, parameters: { prompt }, ...more };
	return (await stack.call("CreateJob", { job })).job;
}

before(async () => {
	fs.mkdirSync(folder, { recursive: true });
	stack = await startStack({ renderMs: "100:200", simulator: [] });
	await browser.start(stack);
	const done = await create("A lighthouse at dawn, waves breaking on the rocks, gulls in the wind.", { labels: { campaign: "spring" } });
	await stack.reach(done.name, ["SUCCEEDED"]);
	await stack.fault({ type: "status", status: 400, body: { error: { code: 400, message: "The prompt was refused.", status: "INVALID_ARGUMENT" } } },
		{ match: { method: "POST", path: "*:predictLongRunning" } });
	const failed = await create("Something that is refused, with a name so long that it has to be cut somewhere: " + "very ".repeat(30));
	await stack.reach(failed.name, ["FAILED"]);
	const waiting = await create("Later.", { not_before_time: { seconds: Math.floor(Date.now() / 1000) + 86400 } });
	views = [["list", "#/jobs", ".jobs li"], ["empty", "#/jobs?label=none%3Dnone", ".empty"], ["make-veo", `#/make?provider=veo&model=${VEO}`, "#prompt"],
		["make-avatar", "#/make?provider=heygen&model=avatar", "#avatar_id"], ["done", `#/${name(done)}`, "video"],
		["failed", `#/${name(failed)}`, ".failure"], ["waiting", `#/${name(waiting)}`, ".progress"],
		["providers", "#/providers", ".card"], ["usage", "#/usage", ".chart"]];
});

after(async () => {
	await browser.finish();
	await stack.finish();
});

for (const colorScheme of ["light", "dark"])
	test(`every view, for everybody: ${colorScheme}`, async () => {
		const page = await browser.open({ colorScheme });
		for (const [view, hash, ready] of views) {
			await browser.go(hash, page);
			await page.locator(ready).first().waitFor();
			if (view === "done") await page.waitForFunction(() => document.querySelector("video").readyState >= 1);
			for (const width of WIDTHS) {
				await page.setViewportSize({ width, height: 900 });
				const wide = await page.evaluate(() => document.documentElement.scrollWidth);
				assert.ok(wide <= width, `${view} is ${wide} pixels wide at ${width}`);
				await page.screenshot({ path: path.join(folder, `${view}-${width}-${colorScheme}.png`) });
			}
			const { violations } = await new AxeBuilder({ page }).analyze();
			assert.deepStrictEqual(violations.map((one) => `${view}: ${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`), []);
		}
		await page.context().close();
		browser.checkQuiet(/status of 400/);
	});

test("the dialog and the picker are for everybody, too", async () => {
	const { page } = browser;
	await browser.go(views.find(([view]) => view === "done")[1]);
	await page.getByRole("button", { name: "Delete" }).click();
	assert.deepStrictEqual((await new AxeBuilder({ page }).analyze()).violations.map((one) => one.id), []);
	await page.keyboard.press("Escape");
	await browser.go("#/make?provider=heygen&model=avatar");
	await page.getByRole("button", { name: "Choose…" }).nth(1).click();
	await page.locator(".entry").first().waitFor();
	assert.deepStrictEqual((await new AxeBuilder({ page }).analyze()).violations.map((one) => one.id), []);
	browser.checkQuiet(/status of 400/);
});

function fetchRaw(where, headers = {}) {
	const [host, port] = stack.http.split(":");

	return new Promise((resolve, reject) => {
		http.get({ host, port, path: where, headers }, (reply) => {
			let bytes = 0;
			reply.on("data", (data) => (bytes += data.length));
			reply.on("end", () => resolve({ status: reply.statusCode, headers: reply.headers, bytes }));
		}).on("error", reject);
	});
}

test("the first page is small, and comes once", async () => {
	const page = await browser.open();
	const asked = [];
	page.on("request", (request) => asked.push(new URL(request.url()).pathname));
	await browser.go("#/make", page);
	await page.locator("#provider").waitFor();
	const files = [...new Set(asked)].filter((one) => one === "/" || one.startsWith("/ui/"));
	let sum = 0;
	for (const file of files) {
		const { status, headers, bytes } = await fetchRaw(file, { "Accept-Encoding": "gzip" });
		assert.deepStrictEqual([status, headers["content-encoding"], headers["cache-control"]], [200, "gzip", "no-cache"]);
		sum += bytes;
	}
	console.log(`the first page: ${files.length} files, ${sum} bytes compressed`);
	assert.ok(files.length > 5 && sum < FIRST_PAGE_BYTES, `${sum}`);
	await page.context().close();
});

test(`a list of ${ROWS} is shown in part, and filtered at once`, async () => {
	const { page } = browser;
	const later = { seconds: Math.floor(Date.now() / 1000) + 86400 };
	const wanted = ROWS - (await stack.list()).length;
	let begun = 0;
	const work = async () => {
		while (begun < wanted) {
			begun++;
			await create(`Number ${begun}.`, { not_before_time: later, ...(begun % 1000 === 0 && { labels: { mark: "thousand" } }) });
		}
	};
	await Promise.all(Array.from({ length: 16 }, work));
	await browser.go("#/jobs");
	await page.locator(".jobs li").first().waitFor();
	assert.ok((await page.locator(".jobs li").count()) <= 200);
	await page.getByRole("link", { name: "Older" }).click();
	await page.waitForURL(/page=/);
	await page.getByRole("link", { name: "First page" }).waitFor();
	assert.ok((await page.locator(".jobs li").count()) <= 200);
	// From the choice to the rows, in the page itself.
	const ms = [];
	for (const [state, word] of [["FAILED", "Failed"], ["SUCCEEDED", "Done"], ["FAILED", "Failed"]]) {
		ms.push(await page.evaluate(async ([value, shown]) => {
			const select = document.querySelector(".filters select");
			const began = performance.now();
			select.value = value;
			select.dispatchEvent(new Event("change", { bubbles: true }));
			while ([...document.querySelectorAll(".jobs .badge")].map((badge) => badge.textContent).join() !== shown)
				await new Promise((resolve) => requestAnimationFrame(resolve));
			return performance.now() - began;
		}, [state, word]));
	}
	await page.getByLabel("Search").fill(`number ${wanted}.`);
	const began = Date.now();
	await page.getByLabel("Search").press("Enter");
	await page.getByText("No video is like that.").waitFor();
	await page.getByLabel("State").selectOption("");
	await page.getByRole("link", { name: new RegExp(`^Number ${wanted}\\.`) }).waitFor();
	assert.strictEqual(await page.locator(".jobs li").count(), 1);
	console.log(`searched twice in ${Date.now() - began} ms`);
	console.log(`filtered ${ROWS} in ${ms.map((one) => one.toFixed(0)).join(", ")} ms`);
	browser.checkQuiet(/status of 400/);
});
