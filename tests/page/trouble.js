// The page when things go wrong: a daemon that goes away, orders that cannot be made, and text that would like to be code.
"use strict";

const assert = require("node:assert");
const { test, before, after } = require("node:test");
const { Browser, startStack, until, VEO } = require("./browser");

// Browsers write down each reply that is an error, and each connection that is refused.
const EXPECTED = /status of (400|404|409|429|503)|ERR_|Failed to load resource/;
const EVIL = `<img src=x onerror="window.stung=1"><script>window.stung=1</script>"'>{{7*7}}\${7*7}javascript:stung`;
const SUBMIT = { method: "POST", path: "*:predictLongRunning" };
const browser = new Browser();
let stack, page;

before(async () => {
	stack = await startStack({ renderMs: "1500:2000" });
	await browser.start(stack);
	page = browser.page;
	page.on("dialog", (dialog) => browser.faults.push(`a dialog: ${dialog.message()}`));
});

after(async () => {
	await browser.finish();
	await stack.finish();
});

const charges = async () => (await stack.charges()).length;
const shownId = () => page.url().split("#/job/")[1];
const price = () => page.waitForFunction(() => /\d/.test(document.querySelector(".price b")?.textContent));
const send = () => page.getByRole("button", { name: "Make the video" }).click();
const prompt = (text) => page.getByLabel("Prompt", { exact: true }).fill(text);
const form = (model = VEO, provider = "veo") => browser.go(`#/make?provider=${provider}&model=${model}`);
const fault = (path) => page.locator(`[id="${path}-fault"]`);

async function order(text) {
	await form();
	await prompt(text);
	await price();
	await send();
	await page.getByRole("heading", { name: text }).waitFor();
	return `jobs/${shownId()}`;
}

test("a daemon that is killed is missed, and its return brings everything up to date", async () => {
	await stack.daemon.stop("SIGTERM");
	stack.keepPort();
	await stack.startDaemon();
	const name = await order("It goes on.");
	await stack.daemon.stop("SIGKILL");
	await page.getByText(/^Disconnected\./).waitFor();
	await stack.startDaemon();
	await page.getByText("Done", { exact: true }).first().waitFor();
	await page.locator("video").waitFor();
	await page.getByText(/^Disconnected\./).waitFor({ state: "detached" });
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_SUCCEEDED");
	browser.checkQuiet(EXPECTED);
});

test("a list that is open meanwhile shows what happened", async () => {
	await browser.go("#/jobs");
	await page.getByRole("link", { name: /It goes on/ }).waitFor();
	await stack.daemon.stop("SIGKILL");
	await page.getByText(/^Disconnected\./).waitFor();
	await stack.startDaemon();
	await stack.call("CreateJob", { job: { provider: "providers/veo", model: VEO, parameters: { prompt: "From elsewhere." } } });
	await page.getByRole("link", { name: /From elsewhere/ }).waitFor();
	await page.getByText(/^Disconnected\./).waitFor({ state: "detached" });
	browser.checkQuiet(EXPECTED);
});

test("an order whose reply is lost is made once, however often it is pressed", async () => {
	const had = (await stack.list()).length;
	await form();
	await prompt("Only once.");
	await price();
	// The daemon hears it; the page does not hear the daemon.
	await page.route("**/filmgate.v1.JobService/CreateJob", async (route) => {
		if (route.request().postDataJSON().validateOnly) return route.continue();
		await route.fetch();
		return route.abort("connectionreset");
	});
	await send();
	await page.getByText(/may have been ordered/).waitFor();
	await send();
	await page.getByText(/may have been ordered/).waitFor();
	await page.unroute("**/filmgate.v1.JobService/CreateJob");
	await send();
	await page.getByRole("heading", { name: "Only once." }).waitFor();
	assert.strictEqual((await stack.list()).length, had + 1);
	browser.checkQuiet(EXPECTED);
});

test("what is wrong stands at its field while one types, and nothing is sent", async () => {
	const had = (await stack.list()).length;
	await form();
	await prompt("x");
	await prompt("");
	await fault("prompt").waitFor();
	assert.strictEqual(await page.locator("#prompt").getAttribute("aria-invalid"), "true");
	await send();
	await page.waitForFunction(() => document.activeElement.id === "prompt");
	await prompt("A kite.");
	await fault("prompt").waitFor({ state: "detached" });
	await page.getByText("More", { exact: true }).click();
	for (const [path, value, words] of [["seed", "4294967296", /4294967295/], ["seed", "-1", /seed|-1|number/i],
		["sample_count", "5", /4/]]) {
		await page.locator(`[id="${path}"]`).fill(value);
		await fault(path).waitFor();
		assert.match(await fault(path).textContent(), words, path);
		await page.locator(`[id="${path}"]`).fill("");
		await fault(path).waitFor({ state: "detached" });
	}
	await price();
	await form("avatar", "heygen");
	await page.getByLabel("Script", { exact: true }).fill("x".repeat(5001));
	await fault("script.text").waitFor();
	await page.getByText("5001 of 5000 characters").waitFor();
	await page.locator(".send button").click();
	await fault("avatar_id").waitFor();
	await page.locator("#avatar_id").fill("x".repeat(256));
	await page.waitForFunction(() => /255/.test(document.getElementById("avatar_id-fault")?.textContent));
	await page.getByText("More", { exact: true }).click();
	await page.locator('[id="background.color"]').fill("blue-ish");
	await fault("background.color").waitFor();
	const json = page.locator("textarea[id^='extras.']").first();
	if (await json.count()) {
		await json.fill("{");
		await page.getByText(/is not JSON/).waitFor();
	}
	assert.strictEqual((await stack.list()).length, had);
	browser.checkQuiet(EXPECTED);
});

test("a file that is no picture is refused in words, and the form goes on", async () => {
	await form();
	await page.locator("input[type=file]").first().setInputFiles({ name: EVIL.slice(0, 60), mimeType: "image/png", buffer: Buffer.from("words") });
	await page.locator(".drop .problem").first().waitFor();
	assert.match(await page.locator(".drop .problem").first().textContent(), /media|picture|file|kind/i);
	await prompt("Without it.");
	await price();
	browser.checkQuiet(EXPECTED);
});

test("text is text: in prompts, names, labels, file names and a provider's words", async () => {
	const job = { provider: "providers/veo", model: VEO, parameters: { prompt: EVIL }, display_name: EVIL.slice(0, 80), labels: { evil: EVIL } };
	await stack.fault({ type: "status", status: 400, body: { error: { code: 400, message: EVIL, status: "INVALID_ARGUMENT" } } }, { match: SUBMIT });
	const { name } = (await stack.call("CreateJob", { job })).job;
	await stack.reach(name, ["FAILED"]);
	await browser.go(`#/${name.replace("jobs/", "job/")}`);
	await page.locator(".prompt").waitFor();
	assert.strictEqual(await page.locator(".prompt").textContent(), EVIL);
	assert.ok((await page.locator("blockquote").first().textContent()).includes("<script>"));
	assert.ok((await page.locator(".label").textContent()).includes("onerror"));
	await browser.go(`#/jobs?label=${encodeURIComponent(`evil=${EVIL}`)}`);
	await page.locator(".jobs li").first().waitFor();
	await browser.go(`#/make?from=${name.slice(5)}`);
	await page.waitForFunction((text) => document.querySelector("#prompt")?.value === text, EVIL);
	await browser.go(`#/${EVIL}`);
	await page.getByText("There is no such view.").waitFor();
	assert.strictEqual(await page.evaluate(() => window.stung), undefined);
	browser.checkQuiet(EXPECTED);
});

test("the policy stops a script that got in all the same", async () => {
	await browser.go("#/jobs");
	await page.evaluate(() => {
		const script = document.createElement("script");
		script.textContent = "window.stung = 1";
		document.body.append(script);
		const image = document.createElement("div");
		image.innerHTML = '<img src="/ui/none" onerror="window.stung = 1">';
		document.body.append(image);
	});
	await page.waitForTimeout(300);
	assert.strictEqual(await page.evaluate(() => window.stung), undefined);
	browser.checkQuiet(/Content Security Policy|Failed to load resource/);
});

test("one that failed is ordered again, one under way is cancelled, all that failed at one press", async () => {
	const failed = (await stack.list({ states: ["JOB_STATE_FAILED"] })).length;
	assert.ok(failed >= 1);
	await browser.go("#/jobs?state=FAILED");
	await page.locator(".jobs a").first().click();
	await page.getByRole("button", { name: "Retry" }).click();
	const before = page.url();
	await page.getByRole("button", { name: "Order it again" }).click();
	await page.waitForURL((url) => url.href !== before);
	assert.ok((await stack.get(`jobs/${shownId()}`)).retry_of);
	await browser.go("#/jobs");
	const had = (await stack.list()).length;
	await page.getByRole("button", { name: "Retry all failed" }).click();
	await page.getByRole("button", { name: "Order them again" }).click();
	await page.getByText(/^\d+ ordered again\.$/).waitFor();
	assert.strictEqual((await stack.list()).length, had + failed);
	const later = { seconds: Math.floor(Date.now() / 1000) + 3600 };
	const job = { provider: "providers/veo", model: VEO, parameters: { prompt: "Stop me." }, not_before_time: later };
	const { name } = (await stack.call("CreateJob", { job })).job;
	await browser.go(`#/${name.replace("jobs/", "job/")}`);
	await page.getByText(/is scheduled for later, until/).waitFor();
	await page.getByRole("button", { name: "Cancel", exact: true }).click();
	await page.getByRole("button", { name: "Cancel the video" }).click();
	await page.getByText("Cancelled", { exact: true }).first().waitFor();
	browser.checkQuiet(EXPECTED);
});

test("what nobody knows is decided", async () => {
	await stack.fault({ type: "status", status: 503, body: {} }, { match: SUBMIT });
	const name = await order("Was it bought?");
	await page.getByText("Undecided", { exact: true }).first().waitFor();
	await page.getByRole("button", { name: "Decide…" }).click();
	await page.getByLabel("Give it up; it may have been paid").check();
	await page.getByRole("button", { name: "Decide", exact: true }).click();
	await page.getByText("Failed", { exact: true }).first().waitFor();
	assert.strictEqual((await stack.get(name)).status.state, "JOB_STATE_FAILED");
	browser.checkQuiet(EXPECTED);
});

test("what is not there says so", async () => {
	await browser.go("#/job/00000000-0000-7000-8000-000000000000");
	await page.getByRole("alert").waitFor();
	assert.match(await page.getByRole("alert").textContent(), /no such job|there is no/);
	await browser.go("#/job/nonsense");
	await page.getByRole("alert").waitFor();
	await browser.go("#/make?provider=nobody");
	await page.getByRole("alert").first().waitFor();
	await browser.go("#/jobs?page=nonsense");
	await page.getByRole("alert").first().waitFor();
	browser.checkQuiet(EXPECTED);
});
