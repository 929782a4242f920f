// A video is ordered: the form, what is wrong with it while one types, and the price before it is sent.
import { html, useEffect, useMemo, useRef, useState } from "/ui/vendor/preact-htm.js";
import { call, LostError, newId, upload } from "./api.js";
import { faultsOf, fieldsOf, modelsOf, parametersOf, valuesOf } from "./form.js";
import { Problem, useLoaded } from "./parts.js";
import { bytesOf, quoteOf } from "./words.js";

const CHECK_MS = 350;

// ---- one field ----

function Field({ one, fault, children }) {
	return html`<div class="field ${fault ? "wrong" : ""}">
		<label for=${one.path}>${one.title}${one.isRequired && html`<span aria-hidden="true"> *</span>`}</label>
		${children}
		${one.help && html`<p class="help" id=${`${one.path}-help`}>${one.help}</p>`}
		${fault && html`<p class="fault" id=${`${one.path}-fault`}>${fault}</p>`}
	</div>`;
}

const described = (one, fault) => ({
	"id": one.path, "name": one.path, "aria-invalid": fault ? "true" : undefined, "required": one.isRequired,
	"aria-describedby": [one.help && `${one.path}-help`, fault && `${one.path}-fault`].filter(Boolean).join(" ") || undefined,
});

function options(one) {
	if (one.kind === "toggle") return [["on", "On"], ["off", "Off"]];
	if (one.kind === "yesno") return [["yes", "Yes"], ["no", "No"]];
	return one.values.map((value) => [String(value), String(value)]);
}

function Choice({ one, value, onChange, fault }) {
	const usual = one.default === undefined ? "The model's own" : `The model's own (${one.default})`;

	return html`<select ...${described(one, fault)} value=${value || ""} onChange=${(event) => onChange(event.target.value)}>
		<option value="">${usual}</option>
		${options(one).map(([word, title]) => html`<option value=${word} selected=${word === value}>${title}</option>`)}
	</select>`;
}

function Text({ one, value, onChange, fault }) {
	const common = { ...described(one, fault), value: value || "", onInput: (event) => onChange(event.target.value) };

	if (one.kind === "text" || one.kind === "json")
		return html`<div><textarea rows=${one.path === "prompt" || one.path === "script.text" ? 5 : 2} ...${common}></textarea>
			${one.maxLength && value && value.length > one.maxLength * 0.8 &&
				html`<p class="help">${value.length} of ${one.maxLength} characters</p>`}</div>`;
	if (one.kind === "number")
		return html`<input type="number" min=${one.min} max=${one.max} step=${one.step || "any"} inputmode="decimal"
			placeholder=${one.default ?? ""} ...${common} />`;
	return html`<input type="text" autocomplete="off" ...${common} />`;
}

// ---- what a provider lists ----

function Preview({ entry }) {
	const [isBroken, setBroken] = useState(false);
	const url = /^https:\/\//.test(entry.previewUrl || "") && !isBroken ? entry.previewUrl : "";

	if (url && /\.(mp3|wav|m4a|ogg)(\?|$)/.test(url))
		return html`<audio controls preload="none" src=${url} onError=${() => setBroken(true)}></audio>`;
	if (url) return html`<img src=${url} alt="" loading="lazy" onError=${() => setBroken(true)} />`;
	return html`<span class="initials" aria-hidden="true">${(entry.displayName || entry.id).slice(0, 2)}</span>`;
}

function Picker({ one, provider, value, onChange, fault }) {
	const [isOpen, setOpen] = useState(false);
	const [query, setQuery] = useState("");
	const list = useLoaded((signal) => (isOpen ? call("ProviderService/ListCatalogEntries",
		{ name: provider.name, kind: one.catalogue, query, pageSize: 30 }, signal) : Promise.resolve(null)),
	[isOpen, query, provider.name, one.catalogue]);

	function choose(id) {
		onChange(id);
		setOpen(false);
	}
	return html`<div class="picker">
		<input type="text" autocomplete="off" ...${described(one, fault)} value=${value || ""}
			onInput=${(event) => onChange(event.target.value)} />
		<button type="button" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>Choose…</button>
		${isOpen && html`<div class="choices">
			<input type="search" aria-label=${`Search ${one.title}`} placeholder="Search" value=${query}
				onInput=${(event) => setQuery(event.target.value)} />
			<${Problem} error=${list.error} />
			${list.value?.problem && html`<p class="help">${list.value.problem}</p>`}
			<ul>${(list.value?.entries || []).map((entry) => html`<li key=${entry.id}>
				<button type="button" class="entry" aria-pressed=${entry.id === value} onClick=${() => choose(entry.id)}>
					<span><b>${entry.displayName || entry.id}</b>
						<small>${[entry.language, entry.gender].filter(Boolean).join(", ") || entry.id}</small></span>
				</button><${Preview} entry=${entry} />
			</li>`)}</ul>
			${list.value && !(list.value.entries || []).length && html`<p class="help">Nothing is called so.</p>`}
		</div>`}
	</div>`;
}

// ---- files ----

function Files({ one, files, max, accept, onChange, fault }) {
	const input = useRef(null);
	const [isOver, setOver] = useState(false);
	const [error, setError] = useState(null);
	const [busy, setBusy] = useState("");

	async function add(list) {
		setError(null);
		const added = [];
		for (const file of [...list].slice(0, max - files.length)) {
			setBusy(`Uploading ${file.name} (${bytesOf(file.size)})…`);
			try {
				added.push({ asset: await upload(file), preview: file.type.startsWith("image/") && URL.createObjectURL(file) });
			} catch (problem) {
				setError(problem);
			}
		}
		setBusy("");
		if (added.length) onChange([...files, ...added]);
	}
	function drop(event) {
		event.preventDefault();
		setOver(false);
		add(event.dataTransfer.files);
	}
	return html`<div class="drop ${isOver ? "over" : ""}" onDragOver=${(event) => event.preventDefault() || setOver(true)}
			onDragLeave=${() => setOver(false)} onDrop=${drop}>
		${files.map((file, i) => html`<figure key=${file.asset?.name || file.url}>
			${file.preview && html`<img src=${file.preview} alt="" />`}
			<figcaption>${file.asset?.displayName || file.asset?.name?.slice(0, 18) || file.url}</figcaption>
			<button type="button" class="quiet" onClick=${() => onChange(files.filter((_, at) => at !== i))}>Remove</button>
		</figure>`)}
		${files.length < max && html`<input type="file" class="hidden" ref=${input} multiple=${max > 1} accept=${accept}
				...${described(one, fault)} onChange=${(event) => add(event.target.files)} />
			<button type="button" onClick=${() => input.current.click()}>Choose a file</button><span> or drop it here</span>`}
		${busy && html`<p class="help" role="status">${busy}</p>`}
		<${Problem} error=${error} />
	</div>`;
}

const accepted = (types, kind) => (types || [`${kind}/*`]).join(",");

function Media({ row, values, set, fault }) {
	return html`<${Field} one=${{ ...row, title: `${row.title} (${row.kind})` }} fault=${fault}>
		<${Files} one=${row} files=${values[row.path] || []} max=${row.max || 1} fault=${fault}
			accept=${accepted(row.media_types, row.kind)} onChange=${(files) => set(row.path, files.length ? files : undefined)} />
	</${Field}>`;
}

function Input({ one, provider, values, set, fault }) {
	const props = { one, fault, value: values[one.path], onChange: (value) => set(one.path, value) };
	const kind = one.path === "script.audio" ? "audio" : "image";

	return html`<${Field} one=${one} fault=${fault}>${one.kind === "file"
		? html`<${Files} one=${one} fault=${fault} files=${values[one.path] ? [values[one.path]] : []} max=${1}
			accept=${accepted(one.mediaTypes, kind)} onChange=${(files) => set(one.path, files[0])} />`
		: one.kind === "catalogue" ? html`<${Picker} provider=${provider} ...${props} />`
			: ["choice", "toggle", "yesno"].includes(one.kind) ? html`<${Choice} ...${props} />`
				: html`<${Text} ...${props} />`}</${Field}>`;
}

// ---- the whole ----

function orderOf(provider, model, parameters, name) {
	return { provider: provider.name, model: model.name, parameters, ...(name && { displayName: name }) };
}

// What the daemon says of the order as it stands, a moment after the last stroke.
function useVerdict(provider, model, fields, values, name) {
	const [verdict, setVerdict] = useState({ faults: {}, quote: null, isChecking: true });

	useEffect(() => {
		const abort = new AbortController();
		const timer = setTimeout(async () => {
			try {
				const job = orderOf(provider, model, parametersOf(fields, values), name);
				const reply = await call("JobService/CreateJob", { job, validateOnly: true }, abort.signal);
				setVerdict({ faults: {}, quote: reply.job.quote || {}, isChecking: false });
			} catch (error) {
				if (error.name !== "AbortError") setVerdict({ faults: faultsOf(fields, error), quote: null, isChecking: false });
			}
		}, CHECK_MS);
		setVerdict((old) => ({ ...old, isChecking: true }));
		return () => clearTimeout(timer) || abort.abort();
	}, [provider, model, values, name]);
	return verdict;
}

function Price({ verdict, provider }) {
	const { quote, isChecking } = verdict;
	const price = quote && quoteOf(quote);

	return html`<div class="price" role="status" aria-busy=${isChecking}>
		<span>Price</span>
		<b>${price || (quote ? "not known" : "—")}</b>
		<small>${price ? quote.rule : quote ? `${provider.name.slice(10)} says what it costs when it is made` :
			"as soon as everything is filled in"}</small>
	</div>`;
}

function Form({ provider, model, initial, go }) {
	const fields = useMemo(() => fieldsOf(provider, model), [provider, model]);
	const [values, setValues] = useState(() => valuesOf(fields, initial?.parameters));
	const [name, setName] = useState(initial?.displayName || "");
	const [touched, setTouched] = useState(() => new Set(Object.keys(values)));
	const [error, setError] = useState(null);
	const [isSending, setSending] = useState(false);
	const requestId = useRef(newId());
	const verdict = useVerdict(provider, model, fields, values, name);
	const shown = (path) => (touched.has(path) || touched.has("*") ? verdict.faults[path] : "");
	const wrong = Object.keys(verdict.faults);

	function set(path, value) {
		setValues((old) => ({ ...old, [path]: value }));
		setTouched((old) => new Set(old).add(path));
		/* Another order, under another id; the same one, sent twice, is made once. */
		requestId.current = newId();
		setError(null);
	}
	async function submit(event) {
		event.preventDefault();
		setTouched((old) => new Set(old).add("*"));
		if (isSending || wrong.length) {
			if (wrong[0]) document.getElementById(wrong[0])?.focus();
			return;
		}
		setSending(true);
		try {
			const job = orderOf(provider, model, parametersOf(fields, values), name);
			const reply = await call("JobService/CreateJob", { job, requestId: requestId.current });
			go(`#/job/${reply.job.name.slice(5)}`);
		} catch (problem) {
			setError(problem instanceof LostError ? new Error(`${problem.message} The video may have been ordered: press ` +
				"Make the video again, and it is ordered once at most.") : problem);
			setSending(false);
		}
	}
	const input = (one) => html`<${Input} key=${one.path} one=${one} provider=${provider} values=${values} set=${set}
		fault=${shown(one.path)} />`;
	return html`<form class="order" onSubmit=${submit} noValidate>
		${fields.first.map(input)}
		${fields.media.map((row) => html`<${Media} key=${row.path} row=${row} values=${values} set=${set}
			fault=${shown(row.path)} />`)}
		<details open=${fields.more.some((one) => values[one.path] !== undefined)}>
			<summary>More</summary>
			<${Field} one=${{ path: "display_name", title: "Name", help: "For the list; nobody else sees it." }}>
				<input type="text" id="display_name" aria-describedby="display_name-help" value=${name}
					onInput=${(event) => setName(event.target.value)} />
			</${Field}>
			${fields.more.map(input)}
		</details>
		${shown("") && html`<p class="problem" role="alert">${verdict.faults[""]}</p>`}
		<${Problem} error=${error} />
		<div class="send">
			<${Price} verdict=${verdict} provider=${provider} />
			<button class="primary" disabled=${isSending}>${isSending ? "Ordering…" : "Make the video"}</button>
		</div>
	</form>`;
}

function useProvider(id) {
	return useLoaded((signal) => (id ? call("ProviderService/GetProvider", { name: `providers/${id}` }, signal)
		.then((reply) => reply.provider) : Promise.resolve(null)), [id]);
}

// @query: provider, model, and `from`, a job whose order is the beginning.
export function Make({ query, go }) {
	const list = useLoaded((signal) => call("ProviderService/ListProviders", {}, signal), []);
	const from = useLoaded((signal) => (query.from ? call("JobService/GetJob", { name: `jobs/${query.from}` }, signal)
		.then((reply) => reply.job) : Promise.resolve(null)), [query.from]);
	const providers = list.value?.providers || [];
	const id = query.provider || from.value?.provider.slice(10) || providers[0]?.name.slice(10);
	const provider = useProvider(from.isLoading ? "" : id);
	const models = modelsOf(provider.value);
	const model = models.find((one) => one.name === (query.model || from.value?.model)) || models[0];
	const to = (more) => `#/make?${new URLSearchParams({ ...(query.from && { from: query.from }), ...more })}`;
	const isReady = provider.value?.name === `providers/${id}` && model && !from.isLoading;

	return html`<article><h1>Make a video</h1>
		<${Problem} error=${list.error || from.error || provider.error} />
		${list.value && !providers.length && html`<p class="empty">No provider is configured yet: the README's “Providers”
			says how.</p>`}
		${providers.length > 0 && html`<div class="columns">
			<div class="field"><label for="provider">Provider</label>
				<select id="provider" value=${id} onChange=${(event) => go(to({ provider: event.target.value }))}>
					${providers.map((one) => html`<option value=${one.name.slice(10)}
						selected=${one.name.slice(10) === id}>${one.name.slice(10)}</option>`)}
				</select></div>
			<div class="field"><label for="model">Model</label>
				<select id="model" value=${model?.name} onChange=${(event) => go(to({ provider: id, model: event.target.value }))}>
					${models.map((one) => html`<option value=${one.name} selected=${one === model}>${one.title || one.name}${
						one.lifecycle?.stage === "deprecated" ? " (will be retired)" : ""}</option>`)}
				</select></div>
		</div>`}
		${provider.value?.problem && html`<p class="problem">${provider.value.problem}</p>`}
		${isReady && html`<${Form} key=${`${id}/${model.name}/${query.from || ""}`} provider=${provider.value} model=${model}
			initial=${from.value} go=${go} />`}</article>`;
}
