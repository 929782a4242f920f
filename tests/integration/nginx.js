// The example for nginx, with nothing changed but what it says is to be: names, ports, certificate, password. Skipped
// aloud where there is no nginx, whose package starts a server.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const net = require("node:net");
const path = require("node:path");
const { Stack, api, grpc, root, sha256, sleep, until } = require("./stack");

const HOST = "video.example.com";
const PER_S = 12; // what each client may ask of the daemon: nginx lets 64 through at once
const PASSWORD = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
const SKIPPED = 77;

// A port below those that the system gives away by itself.
async function freePort() {
	for (;;) {
		const port = 20000 + crypto.randomInt(12000);
		const server = net.createServer();
		const isFree = await new Promise((resolve) => {
			server.once("error", () => resolve(false));
			server.listen(port, "127.0.0.1", () => resolve(true));
		});
		await new Promise((resolve) => server.close(resolve));
		if (isFree) return port;
	}
}

class Nginx {
	constructor(folder, stack, port) {
		Object.assign(this, { folder, stack, port });
		fs.mkdirSync(folder);
		this.pem = path.join(folder, "cert.pem");
		this.key = path.join(folder, "key.pem");
		child.execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
			"-keyout", this.key, "-out", this.pem, "-days", "2", "-subj", `/CN=${HOST}`, "-addext", `subjectAltName=DNS:${HOST}`],
			{ stdio: "ignore" });
		fs.writeFileSync(path.join(folder, "htpasswd"), `ann:${child.execFileSync("openssl", ["passwd", "-apr1", "secret"])}`);
		fs.writeFileSync(path.join(folder, "site.conf"), this.site());
		fs.writeFileSync(path.join(folder, "nginx.conf"), `
			daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
			events { }
			http {
				access_log off;
				${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((n) => `${n}_temp_path ${folder}/${n};`).join(" ")}
				include ${folder}/site.conf;
			}`);
	}

	site() {
		let text = fs.readFileSync(path.join(root, "packaging/nginx/filmgate.conf"), "utf8");
		const change = (from, to) => {
			assert.strictEqual(text.split(from).length, 2, `the example has one '${from}'`);
			text = text.replace(from, to);
		};
		change("\tlisten 443 ", `\tlisten 127.0.0.1:${this.port} `);
		change("\tserver 127.0.0.1:8981;", `\tserver ${this.stack.http};`);
		change("\tserver 127.0.0.1:8980;", `\tserver ${this.stack.tcp};`);
		change(`/etc/ssl/certs/${HOST}.pem`, this.pem);
		change(`/etc/ssl/private/${HOST}.key`, this.key);
		change("/etc/nginx/filmgate.htpasswd;", `${this.folder}/htpasswd;`);
		return text;
	}

	async start() {
		this.process = child.spawn("nginx", ["-c", path.join(this.folder, "nginx.conf"), "-e", path.join(this.folder, "error.log")],
			{ stdio: "inherit" });
		this.ended = new Promise((resolve) => this.process.once("close", resolve));
		await until("nginx answers", async () => {
			assert.strictEqual(this.process.exitCode, null, "nginx runs");
			return (await this.ask("GET", "/livez").catch(() => ({}))).status === 200;
		}, 20000);
	}

	async stop() {
		if (!this.process) return;
		this.process.kill("SIGTERM");
		await this.ended;
	}

	// @enough(text) ends what does not end by itself.
	ask(method, where, { headers = {}, body, password = PASSWORD, host = HOST, enough = () => false } = {}) {
		return new Promise((resolve, reject) => {
			const request = https.request({ host: "127.0.0.1", port: this.port, servername: HOST, method, path: where, ca: fs.readFileSync(this.pem),
				headers: { host, ...(password ? { authorization: password } : {}), ...headers }, timeout: 30000 }, (reply) => {
				const chunks = [];
				const end = () => resolve({ status: reply.statusCode, headers: reply.headers, bytes: Buffer.concat(chunks), text: Buffer.concat(chunks).toString() });

				reply.on("data", (data) => {
					chunks.push(data);
					if (enough(Buffer.concat(chunks).toString())) {
						end();
						request.destroy();
					}
				});
				reply.on("end", end);
				reply.on("error", reject);
			});
			request.on("timeout", () => request.destroy(new Error(`${method} ${where}: no answer`)));
			request.on("error", reject);
			request.end(body);
		});
	}

	post(method, message, more = {}) {
		return this.ask("POST", `/filmgate.v1.${method}`, { body: JSON.stringify(message), ...more,
			headers: { "content-type": "application/json", ...more.headers } });
	}
}

async function checkLocks(nginx) {
	for (const where of ["/", "/v1/events", "/filmgate.v1.JobService/ListJobs"])
		assert.strictEqual((await nginx.ask("GET", where, { password: null })).status, 401, where);
	assert.strictEqual((await nginx.post("JobService/ListJobs", {}, { password: null })).status, 401);
	assert.strictEqual((await nginx.ask("GET", "/metrics")).status, 404);
	assert.strictEqual((await nginx.ask("GET", "/readyz", { password: null })).text, "ok\n");
	const foreign = await nginx.post("JobService/ListJobs", {}, { headers: { origin: "https://evil.example" } });
	assert.strictEqual(foreign.status, 403, foreign.text);
	const own = await nginx.post("JobService/ListJobs", {}, { headers: { origin: `https://${HOST}` } });
	assert.strictEqual(own.status, 200, own.text);
}

// Its life over Connect; the events come while it lives.
async function checkJob(nginx) {
	const events = nginx.ask("GET", "/v1/events", { enough: (text) => text.includes("JOB_STATE_SUCCEEDED") });

	await sleep(300);
	const created = await nginx.post("JobService/CreateJob", { requestId: "n-1", job: { provider: "providers/heygen", model: "avatar",
		parameters: { avatarId: "demo_avatar", voiceId: "demo_voice", script: { text: "By way of a proxy." }, resolution: "720p" } } });
	assert.strictEqual(created.status, 200, created.text);
	const { name } = JSON.parse(created.text).job;
	assert.match((await events).text, new RegExp(name));
	const { job } = JSON.parse((await nginx.post("JobService/GetJob", { name })).text);
	const video = job.status.artifacts.find((artifact) => artifact.role === "video");
	const whole = await nginx.ask("GET", `/v1/${video.name}`);
	assert.deepStrictEqual([whole.status, sha256(whole.bytes)], [200, video.sha256]);
	const part = await nginx.ask("GET", `/v1/${video.name}`, { headers: { range: "bytes=5-9" } });
	assert.strictEqual(part.status, 206);
	assert.deepStrictEqual(part.bytes, whole.bytes.subarray(5, 10));
	const { url } = JSON.parse((await nginx.post("ArtifactService/CreateArtifactLink", { name: video.name })).text);
	assert.strictEqual((await nginx.ask("GET", url, { password: null })).status, 200, "a link asks for no password");
	assert.strictEqual((await nginx.ask("GET", `${url}A`, { password: null })).status, 403);
}

async function checkGrpc(nginx, name) {
	const metadata = new grpc.Metadata();
	const client = new api.JobService(`127.0.0.1:${nginx.port}`, grpc.credentials.createSsl(fs.readFileSync(nginx.pem)),
		{ "grpc.ssl_target_name_override": HOST, "grpc.default_authority": HOST });

	const list = () => new Promise((resolve, reject) => client.ListJobs({}, metadata, { deadline: Date.now() + 20000 },
		(error, reply) => error ? reject(error) : resolve(reply)));
	await assert.rejects(list(), (error) => error.code === grpc.status.UNAUTHENTICATED);
	metadata.set("authorization", PASSWORD);
	assert.strictEqual((await list()).jobs.length, 1, name);
	client.close();
}

// The daemon counts whom nginx saw, whatever he says of himself; nobody of this machine asks through nginx.
async function checkHaste(nginx) {
	const headers = { "x-forwarded-for": "203.0.113.9" };
	const asked = Array.from({ length: 5 * PER_S }, () => nginx.ask("GET", "/v1/links/x", { password: null, headers }));
	const late = (await Promise.all(asked)).filter((reply) => reply.status === 429);

	assert.ok(late.length, "nobody was told to wait");
	for (const reply of late) {
		assert.match(reply.text, /^127\.0\.0\.1 may ask/);
		assert.ok(Number(reply.headers["retry-after"]) >= 1);
	}
	const direct = await fetch(`http://${nginx.stack.http}/v1/links/x`);
	assert.strictEqual(direct.status, 403, await direct.text());
}

async function main() {
	const stack = new Stack();
	let nginx;

	if (child.spawnSync("nginx", ["-v"]).error) {
		console.log("skipped: nginx is not installed");
		process.exitCode = SKIPPED;
		return;
	}
	try {
		await stack.startSimulator("--render-time-ms", "800:900");
		stack.writeConfig({ more: `web = { hosts = [ "${HOST}" ]; requests_per_s = ${PER_S}; };` });
		await stack.startDaemon();
		nginx = new Nginx(path.join(stack.data, "nginx"), stack, await freePort());
		await nginx.start();
		await checkLocks(nginx);
		await checkJob(nginx);
		await checkGrpc(nginx);
		await checkHaste(nginx);
		console.log("ok");
	} finally {
		if (nginx) await nginx.stop();
		await stack.finish();
	}
}

main().catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
