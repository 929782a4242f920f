// All videos: found, followed, and dealt with many at a time.
import { html, useEffect, useState } from "/ui/vendor/preact-htm.js";
import { call, listen, newId } from "./api.js";
import { Ask, Badge, Problem, useLoaded, useThrottled } from "./parts.js";
import { agoOf, costOf, idOf, providerOf, stateOf, states, stateTitle, timeOf, titleOf, waitOf } from "./words.js";

const PAGE = 50; // rows
const RELOAD_MS = 1000;
const RETRY_MOST = 1000; // of one press

function filterOf(query) {
	return {
		...(query.q && { query: query.q }),
		...(query.state && { states: query.state.split(",").map((state) => `JOB_STATE_${state}`) }),
		...(query.provider && { providers: [`providers/${query.provider}`] }),
		...(query.label && { labels: Object.fromEntries([query.label.split(/=(.*)/s).slice(0, 2).map((part) => part || "")]) }),
	};
}

function Row({ job }) {
	const state = stateOf(job);
	const { progress } = job.status;
	const word = state === "RUNNING" && progress?.source ? `${progress.percent || 0} %` : waitOf(job);

	return html`<li><a href=${`#/job/${idOf(job)}`}>
		<span class="what"><b>${titleOf(job)}</b><small>${providerOf(job)} · ${job.status.model || job.model}</small>
			${word && html`<small>${word}</small>`}</span>
		<${Badge} state=${state} />
		<span class="much">${costOf(job)}</span>
		<time dateTime=${job.createTime} title=${timeOf(job.createTime)}>${agoOf(job.createTime)}</time>
	</a></li>`;
}

function Filters({ query, to, go }) {
	const providers = useLoaded((signal) => call("ProviderService/ListProviders", {}, signal), []);
	const [label, setLabel] = useState(query.label || "");
	const [words, setWords] = useState(query.q || "");

	return html`<form class="filters" onSubmit=${(event) => event.preventDefault() || go(to({ q: words.trim(), label, page: "" }))}>
		<label>Search <input type="search" placeholder="prompt, name, id…" maxLength="200" value=${words}
			onInput=${(event) => setWords(event.target.value)} /></label>
		<label>State <select value=${query.state || ""} onChange=${(event) => go(to({ state: event.target.value, page: "" }))}>
			<option value="">All</option>
			${states.map((state) => html`<option value=${state} selected=${state === query.state}>${stateTitle(state)}</option>`)}
		</select></label>
		<label>Provider <select value=${query.provider || ""}
				onChange=${(event) => go(to({ provider: event.target.value, page: "" }))}>
			<option value="">All</option>
			${(providers.value?.providers || []).map(({ name }) => html`<option value=${name.slice(10)}
				selected=${name.slice(10) === query.provider}>${name.slice(10)}</option>`)}
		</select></label>
		<label>Label <input type="search" placeholder="key=value" value=${label}
			onInput=${(event) => setLabel(event.target.value)} /></label>
		<button>Filter</button>
	</form>`;
}

// How many there are in each state, of those that the other filters let pass; each leads to them.
// To count costs the daemon time that grows with its jobs, so it is asked ten times as seldom as it takes to answer.
function Counts({ query, to }) {
	const { state: _state, page: _page, ...rest } = query;
	const counts = useLoaded((signal) => call("JobService/CountJobs", { filter: filterOf(rest) }, signal), [JSON.stringify(rest)]);
	const reload = useThrottled(counts.reload, () => Math.max(RELOAD_MS, 10 * counts.ms));
	const rows = counts.value?.counts || [];

	useEffect(() => listen(() => reload()), []);

	return html`<ul class="counts" aria-label="How many there are">${rows.map((row) => {
		const state = row.state.slice("JOB_STATE_".length);
		return html`<li key=${state}><a href=${to({ state: query.state === state ? "" : state, page: "" })}
			aria-current=${query.state === state ? "true" : undefined}>${stateTitle(state)} <b>${row.count}</b></a></li>`;
	})}${counts.value?.partial && html`<li>of the newest million</li>`}</ul>`;
}

// Every one of them under a request id of its own: pressed twice by two people, each press is an order.
async function retryAll(query, say) {
	let token = "";
	let count = 0;

	do {
		const page = await call("JobService/ListJobs",
			{ filter: { ...filterOf(query), states: ["JOB_STATE_FAILED"] }, pageSize: 100, pageToken: token });
		for (const job of page.jobs || []) {
			if (count === RETRY_MOST) return say(`${count} were ordered again; there are more.`);
			await call("JobService/RetryJob", { name: job.name, requestId: newId() });
			say(`${++count} ordered again…`);
		}
		token = page.nextPageToken || "";
	} while (token);
	return say(`${count} ordered again.`);
}

function RetryAll({ query, reload }) {
	const [said, setSaid] = useState("");

	async function go() {
		await retryAll(query, setSaid).catch((error) => setSaid(error.message));
		reload();
	}
	return html`<div class="buttons"><${Ask} label="Retry all failed" confirm="Order them again" onConfirm=${go}
			question=${`Order ${query.provider || query.label || query.q ? "all failed videos of this selection" : "all failed videos"} again? ` +
				"Each is a new purchase, and jobs that were retried before are ordered once more."} />
		<span role="status">${said}</span></div>`;
}

export function Jobs({ query, go }) {
	const to = (more) => `#/jobs?${new URLSearchParams(Object.entries({ ...query, ...more }).filter(([, value]) => value))}`;
	const key = JSON.stringify(query);
	const page = useLoaded((signal) => call("JobService/ListJobs",
		{ filter: filterOf(query), pageSize: PAGE, pageToken: query.page || "" }, signal), [key]);
	const reload = useThrottled(page.reload, RELOAD_MS);
	const jobs = page.value?.jobs || [];

	useEffect(() => listen(() => reload()), []);
	return html`<article><header class="title"><h1>Videos</h1><a class="button primary" href="#/make">Make a video</a></header>
		<${Filters} key=${JSON.stringify([query.label, query.q])} query=${query} to=${to} go=${go} />
		<${Counts} query=${query} to=${to} />
		<${Problem} error=${page.error} />
		${jobs.length > 0 && html`<ul class="jobs" aria-busy=${page.isLoading}>${jobs.map((job) => html`<${Row} key=${job.name} job=${job} />`)}</ul>`}
		${page.value && !jobs.length && html`<p class="empty">${query.state || query.provider || query.label || query.q ?
			"No video is like that." : html`There is none yet. <a href="#/make">Make the first one</a>.`}</p>`}
		<div class="buttons">
			${query.page && html`<a class="button" href=${to({ page: "" })}>First page</a>`}
			${page.value?.nextPageToken && html`<a class="button" href=${to({ page: page.value.nextPageToken })}>Older</a>`}
			<${RetryAll} query=${query} reload=${page.reload} />
		</div></article>`;
}
