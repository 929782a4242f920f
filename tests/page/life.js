// A person's way through the page, from an empty list to a playing video, on both simulators.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { sha256 } = require("../integration/stack");
const { Browser, startStack, checkVideo, until, VEO, PATIENCE_MS } = require("./browser");

// What the page asks about an order that is not whole yet is answered with 400, which browsers write down.
const CHECKS = /status of 400/;
const browser = new Browser();
let stack, page;

before(async () => {
	stack = await startStack({ renderMs: "1500:2000" });
	await browser.start(stack);
	page = browser.page;
});

after(async () => {
	await browser.finish();
	await stack.finish();
});

const charges = async () => (await stack.charges()).length;
const shownId = () => page.url().split("#/job/")[1];
const price = () => page.waitForFunction(() => /\d/.test(document.querySelector(".price b")?.textContent));
const send = () => page.getByRole("button", { name: "Make the video" }).click();

async function watch() {
	await page.getByText("Done", { exact: true }).first().waitFor();
	await page.locator("video").waitFor();
	await checkVideo(page);
}

test("an empty list leads to the form", async () => {
	await browser.go();
	await page.getByText("There is none yet.").waitFor();
	await page.getByRole("link", { name: "Make the first one" }).click();
	await page.getByRole("heading", { name: "Make a video" }).waitFor();
	browser.checkQuiet(CHECKS);
});

test("Veo: the price stands there before, the video plays after", async () => {
	const had = await charges();
	await browser.go(`#/make?provider=veo&model=${VEO}`);
	await page.getByLabel("Prompt", { exact: true }).fill("A red kite over the sea.");
	await page.getByLabel("Length in seconds").selectOption("4");
	await page.waitForFunction(() => document.querySelector(".price b").textContent.includes("1.60"));
	await send();
	await page.getByText("What happened").waitFor();
	await watch();
	assert.strictEqual(await charges(), had + 1);
	const job = await stack.get(`jobs/${shownId()}`);
	assert.deepStrictEqual([job.provider, job.model, job.parameters.prompt, job.parameters.duration.seconds],
		["providers/veo", VEO, "A red kite over the sea.", 4]);
	const file = job.status.artifacts.find((artifact) => artifact.role === "video");
	await page.getByText(file.sha256).waitFor();
	await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
	await page.getByRole("button", { name: "Copy download as curl" }).click();
	await page.getByRole("button", { name: "Copied" }).waitFor();
	const command = await page.evaluate(() => navigator.clipboard.readText());
	assert.match(command, /^curl -fo video\.mp4 http:/);
	child.execSync(command, { cwd: stack.data, timeout: 30000, stdio: "pipe" });
	assert.strictEqual(sha256(fs.readFileSync(path.join(stack.data, "video.mp4"))), file.sha256);
	browser.checkQuiet(CHECKS);
});

test("HeyGen: avatar and voice are chosen from what the provider lists", async () => {
	const had = await charges();
	await browser.go("#/make?provider=heygen&model=avatar");
	await page.getByLabel("Script", { exact: true }).fill("Good morning from the page.");
	await page.getByRole("button", { name: "Choose…" }).first().click();
	await page.getByLabel("Search Avatar").fill("demo");
	await page.getByRole("button", { name: /^Demo, standing/ }).click();
	assert.strictEqual(await page.locator("#avatar_id").inputValue(), "demo_avatar");
	await page.getByRole("button", { name: "Choose…" }).nth(1).click();
	await page.locator("#voice_id ~ .choices .entry").first().click();
	assert.notStrictEqual(await page.locator("#voice_id").inputValue(), "");
	await price();
	await send();
	await watch();
	assert.strictEqual(await charges(), had + 1);
	browser.checkQuiet(CHECKS);
});

test("a job is followed: its progress, a reload in the middle, its end", async () => {
	await browser.go(`#/make?provider=veo&model=${VEO}`);
	await page.getByLabel("Prompt", { exact: true }).fill("Clouds.");
	await price();
	await send();
	await page.getByText("Being made", { exact: true }).first().waitFor();
	await page.reload();
	await page.getByRole("heading", { name: "Clouds." }).waitFor();
	await page.getByText("Done", { exact: true }).first().waitFor();
	await page.locator("video").waitFor();
	browser.checkQuiet(CHECKS);
});

test("an earlier order is the beginning of the next one", async () => {
	await page.getByRole("link", { name: "Duplicate and edit" }).click();
	await page.waitForFunction(() => document.querySelector("#prompt")?.value === "Clouds.");
	await page.getByLabel("Prompt", { exact: true }).fill("Clouds, at night.");
	await page.getByText("More", { exact: true }).click();
	await page.getByLabel("Name", { exact: true }).fill("Night");
	await page.getByLabel("Seed").fill("18446744073709551615");
	await page.getByText(/seed/i).nth(1).waitFor();
	await page.getByLabel("Seed").fill("7");
	await price();
	await send();
	await page.getByRole("heading", { name: "Night" }).waitFor();
	const job = await stack.get(`jobs/${shownId()}`);
	assert.deepStrictEqual([job.parameters.prompt, job.parameters.seed, job.display_name], ["Clouds, at night.", 7, "Night"]);
	browser.checkQuiet(CHECKS);
});

test("a picture is dropped onto its place, and the video begins with it", async () => {
	await browser.go(`#/make?provider=veo&model=${VEO}`);
	await page.getByLabel("Prompt", { exact: true }).fill("It comes alive.");
	const place = page.locator(".drop").first();
	const data = await page.evaluateHandle(async () => {
		const canvas = document.createElement("canvas");
		canvas.width = 640;
		canvas.height = 360;
		canvas.getContext("2d").fillRect(0, 0, 320, 360);
		const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
		const transfer = new DataTransfer();
		transfer.items.add(new File([blob], "first & <b>best</b>.png", { type: "image/png" }));
		return transfer;
	});
	await place.dispatchEvent("drop", { dataTransfer: data });
	await page.getByText("first & <b>best</b>.png").waitFor();
	await price();
	await send();
	await page.getByRole("heading", { name: "It comes alive." }).waitFor();
	const [media] = (await stack.get(`jobs/${shownId()}`)).parameters.media;
	assert.strictEqual(media.role, "MEDIA_ROLE_FIRST_FRAME");
	assert.match(media.asset, /^assets\/[0-9a-f]{64}$/);
	await page.getByText("Done", { exact: true }).first().waitFor();
	browser.checkQuiet(CHECKS);
});

// Tab until something is reached that @selector is.
async function tabTo(selector) {
	for (let i = 0; i < 120; i++) {
		await page.keyboard.press("Tab");
		if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
	}
	assert.fail(`the keyboard does not reach ${selector}`);
}

test("from the list to the playing video by keyboard alone", async () => {
	await browser.go("#/jobs");
	await page.getByRole("heading", { name: "Videos" }).waitFor();
	await tabTo('a[href="#/make"].button');
	await page.keyboard.press("Enter");
	await page.locator("#provider").waitFor();
	await tabTo("#provider");
	await page.keyboard.press("v");
	await page.locator("#prompt").waitFor();
	await tabTo("#prompt");
	await page.keyboard.type("By keyboard.");
	await price();
	await tabTo(".send button");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "By keyboard." }).waitFor();
	await page.locator("video").waitFor();
	await tabTo("video");
	await page.keyboard.press("Space");
	await page.waitForFunction(() => document.querySelector("video").currentTime > 0.2);
	browser.checkQuiet(CHECKS);
});

test("filters stand in the address, and a row leads to its video", async () => {
	await browser.go("#/jobs");
	await page.getByLabel("Provider").selectOption("heygen");
	await page.waitForURL(/#\/jobs\?provider=heygen$/);
	await page.waitForFunction(() => document.querySelectorAll(".jobs li").length === 1);
	await page.reload();
	await page.waitForFunction(() => document.querySelectorAll(".jobs li").length === 1);
	await page.getByLabel("State").selectOption("FAILED");
	await page.getByText("No video is like that.").waitFor();
	await page.goBack();
	await browser.go("#/jobs");
	const done = (await stack.list({ states: ["JOB_STATE_SUCCEEDED"] })).length;
	await page.locator(".counts").getByRole("link", { name: `Done ${done}` }).waitFor();
	await page.getByLabel("Search").fill("MORNING page");
	await page.getByLabel("Search").press("Enter");
	await page.waitForFunction(() => document.querySelectorAll(".jobs li").length === 1);
	assert.match(page.url(), /q=MORNING\+page/);
	await page.locator(".counts").getByRole("link", { name: "Done 1" }).click();
	await page.waitForURL(/state=SUCCEEDED/);
	await page.getByRole("link", { name: /Good morning from the page/ }).click();
	await page.getByRole("heading", { name: "Good morning from the page." }).waitFor();
	browser.checkQuiet(CHECKS);
});

test("what was made is deleted when it is confirmed, and is gone", async () => {
	const id = shownId();
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("button", { name: "Back" }).click();
	await stack.get(`jobs/${id}`);
	await page.getByRole("button", { name: "Delete" }).click();
	await page.locator("dialog[open]").getByRole("button", { name: "Delete" }).click();
	await page.getByRole("heading", { name: "Videos" }).waitFor();
	await assert.rejects(stack.get(`jobs/${id}`), { code: 5 });
	browser.checkQuiet(CHECKS);
});

test("the shop: providers at work, a key that is checked, and what was spent", async () => {
	await browser.go("#/providers");
	await page.getByRole("heading", { name: "veo" }).waitFor();
	await page.getByRole("button", { name: "Check the key" }).first().click();
	await page.getByText(/^ok/).first().waitFor();
	await browser.go("#/usage");
	await page.getByRole("img", { name: /Spent on each/ }).first().waitFor();
	const cells = await page.locator("tbody tr").allTextContents();
	const rows = await stack.usageRows({ group: "USAGE_GROUP_PROVIDER" });
	assert.ok(cells.some((text) => text.includes("veo")), cells.join());
	assert.ok(rows.length >= 1);
	browser.checkQuiet(CHECKS);
});
