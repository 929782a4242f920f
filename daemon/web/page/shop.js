// What the shop runs on: providers, and what was spent.
import { html, useEffect, useState } from "/ui/vendor/preact-htm.js";
import { call, listen } from "./api.js";
import { Fact, Problem, useLoaded, useThrottled } from "./parts.js";
import { bare, moneyOf, plain } from "./words.js";

const RELOAD_MS = 2000;
const DAYS = 30;

// ---- providers ----

function Check({ name }) {
	const [answer, setAnswer] = useState(null);
	const [isAsking, setAsking] = useState(false);

	async function check() {
		setAsking(true);
		setAnswer(await call("ProviderService/CheckProvider", { name }).catch((error) => ({ message: error.message })));
		setAsking(false);
	}
	return html`<div><button type="button" onClick=${check} disabled=${isAsking}>${isAsking ? "Asking…" : "Check the key"}</button>
		<div role="status">${answer && html`<p>${plain(bare(answer.outcome, "CHECK_OUTCOME_"))} ${answer.message}</p>
			<dl class="facts">${(answer.facts || []).map((fact) => html`<${Fact} name=${fact.label}>${fact.value}</${Fact}>`)}</dl>`}</div></div>`;
}

function Provider({ one }) {
	const id = one.name.slice(10);

	return html`<li class="card"><header class="title"><h2>${id}</h2>
			<span class="badge ${one.problem ? "failed" : "succeeded"}">${one.problem ? "Trouble" : "Ready"}</span></header>
		${one.problem && html`<p class="problem">${one.problem}</p>`}
		<dl class="facts">
			<${Fact} name="At work">${one.runningCount || 0} of ${one.concurrency || 0}</${Fact}>
			<${Fact} name="Queued">${one.queuedCount || 0}</${Fact}>
			<${Fact} name="Plugin">${one.plugin} ${one.pluginVersion}</${Fact}>
			<${Fact} name="Address">${one.baseUrl}</${Fact}>
			<${Fact} name="Models">${(one.models || []).join(", ")}</${Fact}>
			<${Fact} name="When it cannot be found out whether a video was bought">${plain(bare(one.onUncertain, "ON_UNCERTAIN_"))}</${Fact}>
		</dl>
		<div class="buttons"><a class="button" href=${`#/make?provider=${id}`}>Make a video</a>
			<a class="button" href=${`#/jobs?provider=${id}`}>Its videos</a><${Check} name=${one.name} /></div>
	</li>`;
}

export function Providers() {
	const list = useLoaded((signal) => call("ProviderService/ListProviders", {}, signal), []);
	const reload = useThrottled(list.reload, RELOAD_MS);

	useEffect(() => listen(() => reload()), []);
	return html`<article><h1>Providers</h1><${Problem} error=${list.error} />
		<ul class="cards">${(list.value?.providers || []).map((one) => html`<${Provider} key=${one.name} one=${one} />`)}</ul></article>`;
}

// ---- usage ----

const dayOf = (daysAgo) => new Date(Date.now() - daysAgo * 86400000).toISOString().slice(0, 10);
const HUES = [243, 160, 25, 320, 200, 90];

function Chart({ rows, currency }) {
	const days = Array.from({ length: DAYS }, (_, i) => dayOf(DAYS - 1 - i));
	const providers = [...new Set(rows.map((row) => row.provider))].sort();
	const of = (day, provider) => rows.filter((row) => row.date === day && row.provider === provider)
		.reduce((sum, row) => sum + Number(row.spentMicros || 0), 0);
	const most = Math.max(1, ...days.map((day) => providers.reduce((sum, provider) => sum + of(day, provider), 0)));
	const bars = days.flatMap((day, i) => {
		let top = 100;
		return providers.map((provider, n) => {
			const micros = of(day, provider);
			const height = micros / most * 96;
			top -= height;
			return height > 0 && html`<rect x=${i * 10 + 1} y=${top} width="8" height=${height}
				fill=${`hsl(${HUES[n % HUES.length]} 60% 58%)`}><title>${day}, ${provider}: ${moneyOf(micros, currency)}</title></rect>`;
		});
	});
	return html`<figure class="chart">
		<svg viewBox="0 0 ${DAYS * 10} 101" preserveAspectRatio="none" role="img"
			aria-label=${`Spent on each of the last ${DAYS} days, in ${currency}; the table below has the figures`}>${bars}</svg>
		<figcaption><span>${days[0]}</span><span>at most ${moneyOf(most, currency)} a day</span><span>${days[DAYS - 1]}</span></figcaption>
		<ul class="legend">${providers.map((provider, n) => html`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect width="10"
			height="10" fill=${`hsl(${HUES[n % HUES.length]} 60% 58%)`} /></svg>${bare(provider, "providers/")}</li>`)}</ul>
	</figure>`;
}

function Table({ rows, currency }) {
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Usage in ${currency}`}><table>
		<thead><tr><th>Day</th><th>Provider</th><th>Videos</th><th>Spent</th><th>Reserved</th></tr></thead>
		<tbody>${rows.map((row) => html`<tr key=${row.date + row.provider}><td>${row.date}</td><td>${bare(row.provider, "providers/")}</td>
			<td>${row.purchaseCount || 0}</td><td>${moneyOf(row.spentMicros, currency)}</td>
			<td>${moneyOf(row.reservedMicros, currency)}</td></tr>`)}</tbody>
	</table></div>`;
}

export function Usage() {
	const usage = useLoaded((signal) => call("UsageService/GetUsage",
		{ fromDate: dayOf(DAYS - 1), byDay: true, group: "USAGE_GROUP_PROVIDER" }, signal), []);
	const rows = usage.value?.rows || [];
	const currencies = [...new Set(rows.map((row) => row.currencyCode || ""))];

	return html`<article><h1>Usage</h1><${Problem} error=${usage.error} />
		<p class="help">What counts as spent, by the day (UTC) on which it was ordered. The ledger has every entry: filmgate ledger.</p>
		${usage.value && !rows.length && html`<p class="empty">Nothing was bought in the last ${DAYS} days.</p>`}
		${currencies.map((currency) => {
			const own = rows.filter((row) => (row.currencyCode || "") === currency);
			return html`<section key=${currency}><h2>${currency || "Without a price"}</h2>
				<${Chart} rows=${own} currency=${currency} /><${Table} rows=${own} currency=${currency} /></section>`;
		})}</article>`;
}
