// Google's own client, unchanged, against the simulator.
//
// The Gemini form goes from the order to the bytes: models.generateVideos, operations.getVideosOperation and
// files.download. That call takes the file's name out of a URI only if it begins with https, which the simulator does not
// speak, so the test changes that one word; the client asks at its base URL in any case. The Vertex form goes as far as the finished operation: models.generateVideos and
// operations.getVideosOperation; what stands in a bucket this client does not download. Its sign-in is not played: its
// auth library knows Google's own token endpoint only, so the client is handed a token, made as sim.veo makes one.
"use strict";

const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { test, before, after } = require("node:test");
const { Simulator, tool, until } = require("./simulator");

const { GoogleGenAI } = tool("@google/genai");
const { OAuth2Client } = tool("google-auth-library");
const MODEL = "veo-3.1-generate-001";
const simulator = new Simulator();

before(() => simulator.start());
after(() => simulator.stop());

const finish = (ai, first) => {
	let operation = first;

	return until("the operation to be done", async () => {
		operation = await ai.operations.getVideosOperation({ operation });
		return operation.done && operation;
	});
};

test("the Gemini form, from the order to the bytes", async () => {
	const ai = new GoogleGenAI({ vertexai: false, apiKey: "sim-key", httpOptions: { baseUrl: simulator.url } });
	const operation = await ai.models.generateVideos({ model: MODEL, source: { prompt: "A cat" },
		config: { numberOfVideos: 1, durationSeconds: 4, aspectRatio: "16:9" } });
	assert.ok(operation.name.includes("/operations/"));
	const done = await finish(ai, operation);
	const [generated] = done.response.generatedVideos;
	const file = path.join(simulator.data, "gemini.mp4");

	generated.video.uri = generated.video.uri.replace(/^http:/, "https:");
	await ai.files.download({ file: generated, downloadPath: file });
	assert.strictEqual(fs.readFileSync(file).subarray(4, 8).toString(), "ftyp");
	const other = new GoogleGenAI({ vertexai: false, apiKey: "another", httpOptions: { baseUrl: simulator.url } });
	await assert.rejects(other.models.generateVideos({ model: MODEL, source: { prompt: "A cat" } }), /API key not valid/);
});

async function mint() {
	const account = JSON.parse(fs.readFileSync(path.join(simulator.data, "service-account.json"), "utf8"));
	const now = Math.floor(Date.now() / 1000);
	const part = (object) => Buffer.from(JSON.stringify(object)).toString("base64url");
	const text = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iss: account.client_email, aud: account.token_uri,
		scope: "https://www.googleapis.com/auth/cloud-platform", iat: now, exp: now + 3600 })}`;
	const signature = crypto.sign("RSA-SHA256", Buffer.from(text), account.private_key).toString("base64url");
	const reply = await fetch(account.token_uri, { method: "POST", body: new URLSearchParams({
		grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: `${text}.${signature}` }) });

	return (await reply.json()).access_token;
}

test("the Vertex form, to the finished operation", async () => {
	const authClient = new OAuth2Client();
	authClient.setCredentials({ access_token: await mint() });
	const ai = new GoogleGenAI({ vertexai: true, project: "p1", location: "us-central1", googleAuthOptions: { authClient },
		httpOptions: { baseUrl: simulator.url } });
	const operation = await ai.models.generateVideos({ model: MODEL, source: { prompt: "A dog" },
		config: { numberOfVideos: 2, durationSeconds: 4, generateAudio: true, outputGcsUri: "gs://bucket/films" } });
	const done = await finish(ai, operation);

	assert.deepStrictEqual(done.response.generatedVideos.map((one) => [one.video.uri.slice(0, 18), one.video.mimeType]),
		[["gs://bucket/films/", "video/mp4"], ["gs://bucket/films/", "video/mp4"]]);
});
