// What the page asks the daemon: methods by the Connect protocol, files, and one stream of events for all views.

export class ApiError extends Error {
	constructor(status, body) {
		super(body.message || `the daemon answered with ${status}`);
		this.status = status;
		this.code = body.code || "unknown";
		const debug = (body.details || []).map((detail) => detail.debug || {});
		this.reason = debug.find((detail) => detail.reason)?.reason || "";
		this.violations = debug.flatMap((detail) => detail.fieldViolations || []);
	}
}

// Nobody knows whether what was asked was done.
export class LostError extends Error {}

async function read(reply) {
	const text = await reply.text();
	let body;

	try {
		body = JSON.parse(text);
	} catch {
		body = { message: text.trim() };
	}
	if (!reply.ok) throw new ApiError(reply.status, body);
	return body;
}

async function send(path, init) {
	let reply;

	try {
		reply = await fetch(path, { method: "POST", ...init });
	} catch (error) {
		if (error.name === "AbortError") throw error;
		throw new LostError("The daemon did not answer. It may be restarting.");
	}
	return read(reply);
}

// call("JobService/GetJob", { name }) is that method's reply.
export function call(method, request = {}, signal = undefined) {
	return send(`/filmgate.v1.${method}`,
		{ headers: { "Content-Type": "application/json" }, body: JSON.stringify(request), signal });
}

export async function upload(file) {
	return (await send(`/v1/assets?name=${encodeURIComponent(file.name)}`, { body: file })).asset;
}

// Also where the page is not served over TLS, and crypto.randomUUID() is not there.
export function newId() {
	return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export const pathOf = (artifact) => `/v1/${artifact.name}`;

// ---- events ----

const RETRY_MS = 2000;
const listeners = new Set();
let source = null;
let lastId = "";
let isOpen = true;

function tell(what) {
	for (const listener of [...listeners]) listener(what);
}

function onMessage(message) {
	lastId = message.lastEventId || lastId;
	if (message.type === "message") tell({ event: JSON.parse(message.data) });
}

function setOpen(open) {
	if (open === isOpen) return;
	isOpen = open;
	tell({ isOpen });
}

// The browser comes back by itself with the last id, but not after an answer that is no stream.
function connect() {
	source = new EventSource(lastId ? `/v1/events?after=${encodeURIComponent(lastId)}` : "/v1/events");
	source.onopen = () => setOpen(true);
	source.onmessage = onMessage;
	source.addEventListener("bookmark", onMessage);
	source.addEventListener("end", (message) => {
		// What happened meanwhile is not kept any more: the views read anew, from here on.
		if (message.data.includes("CURSOR_EXPIRED")) lastId = "";
	});
	source.onerror = () => {
		setOpen(false);
		if (source.readyState !== EventSource.CLOSED) return;
		setTimeout(connect, RETRY_MS);
	};
}

// @listener hears of { event } and of { isOpen }; returns how to stop that.
export function listen(listener) {
	listeners.add(listener);
	if (!source) connect();
	return () => listeners.delete(listener);
}
