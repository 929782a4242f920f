// What the wire says, in words for people.

const STATES = {
	QUEUED: "Queued", PREPARING: "Preparing", STARTING: "Ordering", RUNNING: "Being made", STORING: "Storing",
	SUCCEEDED: "Done", FAILED: "Failed", CANCELLED: "Cancelled", EXPIRED: "Expired", UNCERTAIN: "Undecided",
};
const WAITS = {
	CAPACITY: "waits for a free place at the provider",
	RATE_LIMIT: "the provider asked to wait",
	BACKOFF: "tries again after a failure",
	DISK: "waits for room on the daemon's disk",
	PLUGIN_MISSING: "its provider's plugin is not there",
	PROVIDER_CREDENTIAL: "the provider refuses the key",
	TOKEN: "waits for a token to sign in with",
	BUDGET: "waits for room in a budget",
	SCHEDULE: "is scheduled for later",
	BREAKER: "the provider fails too often and is left alone for a while",
	HELD: "is held since the data was restored from a copy: filmgate resume releases it",
};
const FINAL = new Set(["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"]);

export const states = Object.keys(STATES);

// "JOB_STATE_RUNNING" and the like without what they begin with.
export function bare(word, prefix) {
	return (word || "").startsWith(prefix) ? word.slice(prefix.length) : word || "";
}

export const stateOf = (job) => bare(job.status?.state, "JOB_STATE_") || "QUEUED";
export const stateTitle = (state) => STATES[state] || state;
export const isFinal = (job) => FINAL.has(stateOf(job));
export const idOf = (job) => job.name.slice("jobs/".length);
export const providerOf = (job) => bare(job.status?.provider || job.provider, "providers/");
export const plain = (word) => word.toLowerCase().replaceAll("_", " ");

export function waitOf(job) {
	const wait = job.status?.wait;
	if (!wait || isFinal(job)) return "";
	const reason = bare(wait.reason, "JOB_WAIT_REASON_");
	const until = wait.untilTime ? `, until ${timeOf(wait.untilTime)}` : "";
	return (WAITS[reason] || plain(reason)) + until;
}

export function titleOf(job) {
	const { prompt, script } = job.parameters || {};
	return job.displayName || prompt || script?.text || (job.adopted ? "Adopted video" : "Untitled");
}

// ---- figures ----

export function moneyOf(micros, currency) {
	const amount = Number(micros || 0) / 1e6;
	const digits = amount !== 0 && Math.abs(amount) < 0.1 ? 4 : 2;
	if (/^[A-Z]{3}$/.test(currency || ""))
		return amount.toLocaleString(undefined, { style: "currency", currency, maximumFractionDigits: digits });
	return `${amount.toLocaleString(undefined, { maximumFractionDigits: digits })} ${currency || ""}`.trim();
}

export function quoteOf(quote) {
	const kind = bare(quote?.kind, "QUOTE_KIND_");
	if (!kind || kind === "UNKNOWN") return "";
	return (kind === "ESTIMATE" ? "about " : "") + moneyOf(quote.amountMicros, quote.currencyCode);
}

export function costOf(job) {
	const cost = job.status?.cost;
	if (cost) return moneyOf(cost.amountMicros, cost.currencyCode) + (cost.provisional ? " (provisional)" : "");
	return quoteOf(job.quote);
}

// "8.040s" is 8.04.
export const secondsOf = (duration) => Number((duration || "0s").slice(0, -1));

export function lengthOf(seconds) {
	const whole = Math.round(seconds);
	if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
	if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
	return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function bytesOf(bytes) {
	const units = ["B", "kB", "MB", "GB"];
	let size = Number(bytes || 0);
	let unit = 0;
	for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1000;
	return `${size.toFixed(unit && size < 100 ? 1 : 0)} ${units[unit]}`;
}

export function timeOf(timestamp) {
	return timestamp ? new Date(timestamp).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }) : "";
}

export function agoOf(timestamp, now = Date.now()) {
	const seconds = (now - Date.parse(timestamp)) / 1000;
	if (seconds < 5) return "just now";
	return seconds < 86400 * 2 ? `${lengthOf(Math.floor(seconds))} ago` : new Date(timestamp).toLocaleDateString();
}
