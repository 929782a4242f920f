// One video: followed while it is made, watched when it is there.
import { html, useEffect, useState } from "/ui/vendor/preact-htm.js";
import { call, listen, newId, pathOf } from "./api.js";
import { Ask, Badge, Copy, Fact, Meter, Problem, useLoaded, useThrottled } from "./parts.js";
import { agoOf, bare, bytesOf, costOf, idOf, isFinal, lengthOf, moneyOf, plain, providerOf, secondsOf, stateOf, timeOf,
	titleOf, waitOf } from "./words.js";

const RELOAD_MS = 250;

// ---- watching ----

// SubRip differs from what browsers read in its head and in one comma a time.
const toWebVtt = (text) => `WEBVTT\n\n${text.replace(/^\uFEFF/, "").replace(/\r/g, "")
	.replace(/(\d\d:\d\d:\d\d),(\d{3})/g, "$1.$2")}`;

function useTrack(artifact) {
	const [url, setUrl] = useState("");

	useEffect(() => {
		let made = "";
		if (!artifact) return undefined;
		if (artifact.mediaType === "text/vtt") {
			setUrl(pathOf(artifact));
			return undefined;
		}
		fetch(pathOf(artifact)).then((reply) => reply.text()).then((text) => {
			made = URL.createObjectURL(new Blob([toWebVtt(text)], { type: "text/vtt" }));
			setUrl(made);
		}).catch(() => setUrl(""));
		return () => URL.revokeObjectURL(made);
	}, [artifact?.name]);
	return url;
}

const isCaptions = (artifact) => ["text/vtt", "application/x-subrip"].includes(artifact.mediaType);

function Player({ artifacts }) {
	const videos = artifacts.filter((one) => (one.mediaType || "").startsWith("video/"));
	const [name, setName] = useState("");
	const video = videos.find((one) => one.name === name) || videos.find((one) => one.role === "video") || videos[0];
	const captions = artifacts.find(isCaptions);
	const track = useTrack(captions);

	if (!video) return null;
	return html`<div class="player">
		<video key=${video.name} controls playsinline preload="metadata" src=${pathOf(video)}
				poster=${`${pathOf(video)}/poster`} aria-label="The video">
			${track && html`<track kind="captions" src=${track} srclang=${captions.language || "en"} label="Captions" default />`}
		</video>
		${videos.length > 1 && html`<div class="buttons" role="group" aria-label="Videos">${videos.map((one) => html`<button
			type="button" aria-pressed=${one === video} onClick=${() => setName(one.name)}>${one.role}${
			one.sample ? ` ${one.sample}` : ""}</button>`)}</div>`}
	</div>`;
}

function Files({ artifacts }) {
	if (!artifacts.length) return null;
	return html`<section><h2>Files</h2><ul class="files">${artifacts.map((one) => html`<li key=${one.name}>
		<div><b>${one.role}${one.sample ? ` ${one.sample}` : ""}</b>
			<span>${[one.mediaType, bytesOf(one.sizeBytes), one.width && `${one.width} × ${one.height}`,
				one.duration && lengthOf(secondsOf(one.duration)), one.language].filter(Boolean).join(" · ")}</span>
			<code class="hash" title="SHA-256">${one.sha256}</code></div>
		<div class="buttons"><a class="button" href=${`${pathOf(one)}?download=1`} download>Download</a>
			<${Copy} text=${one.sha256} label="Copy checksum" /></div>
	</li>`)}</ul></section>`;
}

// ---- the same elsewhere ----

const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

function CopyAs({ job }) {
	const order = { job: { provider: job.provider, model: job.model, parameters: job.parameters || {} } };
	const body = JSON.stringify(order);
	const url = `${location.origin}/filmgate.v1.JobService/CreateJob`;
	const video = (job.status.artifacts || []).find((one) => one.role === "video");

	return html`<section><h2>Elsewhere</h2><div class="buttons">
		<${Copy} label="Copy as command" text=${`filmgate download ${job.name}`} />
		${video && html`<${Copy} label="Copy download as curl" text=${`curl -fo video.mp4 ${location.origin}${pathOf(video)}`} />`}
		<${Copy} label="Copy order as curl" text=${`curl -s ${url} -H 'content-type: application/json' -d ${quoted(body)}`} />
		<${Copy} label="Copy order as JavaScript" text=${`await fetch(${JSON.stringify(url)}, {\n\tmethod: "POST",\n` +
			`\theaders: { "content-type": "application/json" },\n\tbody: JSON.stringify(${JSON.stringify(order, null, 2)}),\n});`} />
	</div></section>`;
}

// ---- following ----

function Progress({ job }) {
	const { progress, forecast, queuePosition } = job.status;
	const percent = progress && bare(progress.source, "PROGRESS_SOURCE_") !== "" ? progress.percent || 0 : null;
	const wait = waitOf(job);

	if (isFinal(job)) return null;
	return html`<section class="progress" aria-live="polite">
		${percent !== null && html`<${Meter} percent=${percent} label="Progress" />
			<p><b>${percent} %</b>, says ${providerOf(job)}${progress.providerState && ` (“${progress.providerState}”)`}</p>`}
		${percent === null && progress?.providerState && html`<p>${providerOf(job)} says “${progress.providerState}”</p>`}
		${wait && html`<p>It ${wait}.</p>`}
		${queuePosition && html`<p>Number ${queuePosition.position || 1}${queuePosition.orLater && " or later"} in line.</p>`}
		${progress?.providerQueuePosition && html`<p>Number ${progress.providerQueuePosition} in the provider's line.</p>`}
		${forecast?.p50Time && html`<p>Probably done ${timeOf(forecast.p50Time)}, nearly surely ${timeOf(forecast.p90Time)}.</p>`}
	</section>`;
}

function Failure({ failure }) {
	if (!failure) return null;
	const bought = bare(failure.purchased, "PURCHASED_");

	return html`<section class="failure"><h2>Why</h2><p>${failure.message}</p>
		${failure.providerMessage && html`<blockquote>${failure.providerMessage}${failure.providerCode &&
			html` <small>(${failure.providerCode})</small>`}</blockquote>`}
		<p class="help">${[plain(bare(failure.reason, "FAILURE_REASON_")), bought && `bought: ${plain(bought)}`,
			failure.providerRequestId && `request ${failure.providerRequestId}`].filter(Boolean).join(" · ")}</p>
	</section>`;
}

function Sent({ send }) {
	return html`<li><time>${timeOf(send.createTime)}</time> sent the order: ${plain(bare(send.class, "SEND_CLASS_"))}${
		send.httpStatus ? ` (HTTP ${send.httpStatus})` : ""}</li>`;
}

function Attempt({ attempt }) {
	const { failure } = attempt;

	return html`<li><h3>Attempt ${attempt.number}${attempt.provider && `, ${bare(attempt.provider, "providers/")}`}</h3><ol>
		${attempt.startTime && html`<li><time>${timeOf(attempt.startTime)}</time> began</li>`}
		${(attempt.sends || []).map((send) => html`<${Sent} key=${send.number} send=${send} />`)}
		${(attempt.remotes || []).map((remote) => html`<li>the provider calls it <code>${remote.remoteId}</code></li>`)}
		${failure && html`<li><b>${failure.message || plain(bare(failure.reason, "FAILURE_REASON_"))}</b>${
			failure.providerMessage && html`<blockquote>${failure.providerMessage}</blockquote>`}</li>`}
		${attempt.endTime && html`<li><time>${timeOf(attempt.endTime)}</time> ended</li>`}
	</ol></li>`;
}

function Timeline({ job }) {
	const { attempts = [], attemptCount = 0, notes = [], mismatches = [] } = job.status;

	return html`<section><h2>What happened</h2>
		<ol class="timeline">
			<li><time>${timeOf(job.createTime)}</time> ordered</li>
			${attemptCount > attempts.length && html`<li>${attemptCount - attempts.length} earlier attempts are not shown</li>`}
			${attempts.map((attempt) => html`<${Attempt} key=${attempt.number} attempt=${attempt} />`)}
			${job.status.finishTime && html`<li><time>${timeOf(job.status.finishTime)}</time> ended</li>`}
		</ol>
		${notes.length > 0 && html`<h3>Notes</h3><ul>${notes.map((note) => html`<li>${note.message}</li>`)}</ul>`}
		${mismatches.length > 0 && html`<h3>Not as ordered</h3><ul>${mismatches.map((one) => html`<li>${one.message}</li>`)}</ul>`}
	</section>`;
}

function Facts({ job }) {
	const { money } = job.status;
	const labels = Object.entries(job.labels || {});

	return html`<dl class="facts">
		<${Fact} name="Provider">${providerOf(job)} <small>${job.status.model || job.model}</small></${Fact}>
		<${Fact} name="Ordered"><time dateTime=${job.createTime} title=${timeOf(job.createTime)}>${agoOf(job.createTime)}</time></${Fact}>
		<${Fact} name=${job.status.cost ? "Cost" : "Price"}>${costOf(job) || "not known"}</${Fact}>
		${Number(money?.reservedMicros) > 0 && html`<${Fact} name="Reserved">${moneyOf(money.reservedMicros, money.currencyCode)}</${Fact}>`}
		${labels.length > 0 && html`<${Fact} name="Labels">${labels.map(([key, value]) => html`<span class="label">${key}=${value}</span> `)}</${Fact}>`}
		<${Fact} name="Id"><code>${idOf(job)}</code></${Fact}>
	</dl>`;
}

function Ordered({ job }) {
	const { prompt, script, ...rest } = job.parameters || {};
	const others = Object.entries(rest);

	return html`<section><h2>Ordered</h2>
		${(prompt || script?.text) && html`<p class="prompt">${prompt || script.text}</p>`}
		${others.length > 0 && html`<dl class="facts">${others.map(([key, value]) => html`<${Fact} name=${key}>${
			typeof value === "object" ? html`<code>${JSON.stringify(value)}</code>` : String(value)}</${Fact}>`)}</dl>`}
	</section>`;
}

// ---- doing ----

function Resolve({ job, act }) {
	async function resolve(form) {
		const resolution = form.get("resolution");
		return act("JobService/ResolveJob", { name: job.name, expectedRevision: job.revision,
			resolution: `RESOLUTION_${resolution}`, ...(resolution === "FOUND" && { remoteId: form.get("remote_id").trim() }) });
	}
	return html`<${Ask} label="Decide…" confirm="Decide" onConfirm=${resolve} className="primary"
		question="A reply was lost, and the provider cannot say whether this video was bought. Look into your account there.">
		<label><input type="radio" name="resolution" value="FOUND" checked /> It is there, and its id is
			<input type="text" name="remote_id" aria-label="The provider's id" /></label>
		<label><input type="radio" name="resolution" value="ABSENT" /> It is not there: order it again</label>
		<label><input type="radio" name="resolution" value="GIVE_UP" /> Give it up; it may have been paid</label>
	</${Ask}>`;
}

function Actions({ job, act, go }) {
	const state = stateOf(job);

	async function retry() {
		const reply = await act("JobService/RetryJob", { name: job.name, requestId: newId() });
		if (reply) go(`#/job/${reply.job.name.slice(5)}`);
	}
	async function remove() {
		if (await act("JobService/DeleteJob", { name: job.name })) go("#/jobs");
	}
	return html`<div class="buttons">
		${state === "UNCERTAIN" && html`<${Resolve} job=${job} act=${act} />`}
		${!isFinal(job) && state !== "UNCERTAIN" && html`<${Ask} label="Cancel" confirm="Cancel the video"
			question="Cancel this video? What the provider has begun may cost all the same."
			onConfirm=${() => act("JobService/CancelJob", { name: job.name })} />`}
		${["FAILED", "CANCELLED", "EXPIRED"].includes(state) && html`<${Ask} label="Retry" confirm="Order it again"
			question="Order the same again? It is a new purchase." onConfirm=${retry} />`}
		<a class="button" href=${`#/make?from=${idOf(job)}`}>Duplicate and edit</a>
		${isFinal(job) && html`<${Ask} label="Delete" confirm="Delete" onConfirm=${remove}
			question="Delete this job and its files from here? What the provider has stays there." />`}
	</div>`;
}

export function Job({ id, go }) {
	const loaded = useLoaded((signal) => call("JobService/GetJob", { name: `jobs/${id}` }, signal).then((reply) => reply.job), [id]);
	const [error, setError] = useState(null);
	const reload = useThrottled(loaded.reload, RELOAD_MS);
	const job = loaded.value?.name === `jobs/${id}` ? loaded.value : null;

	useEffect(() => listen(({ event, isOpen }) => {
		if (isOpen || event?.job === `jobs/${id}`) reload();
	}), [id]);
	async function act(method, request) {
		setError(null);
		try {
			const reply = await call(method, request);
			loaded.reload();
			return reply;
		} catch (problem) {
			setError(problem);
			return undefined;
		}
	}
	if (!job) return html`<article><h1>Video</h1>
		${loaded.error ? html`<${Problem} error=${loaded.error} />` : html`<p class="empty">Loading…</p>`}</article>`;
	const artifacts = job.status.artifacts || [];
	return html`<article><header class="title"><h1>${titleOf(job)}</h1><${Badge} state=${stateOf(job)} /></header>
		<${Problem} error=${error || loaded.error} />
		<${Actions} job=${job} act=${act} go=${go} />
		<${Player} artifacts=${artifacts} />
		<${Progress} job=${job} />
		<${Failure} failure=${job.status.failure} />
		<${Facts} job=${job} />
		<${Ordered} job=${job} />
		<${Files} artifacts=${artifacts} />
		<${CopyAs} job=${job} />
		<${Timeline} job=${job} /></article>`;
}
