// What several views are made of.
import { html, useEffect, useRef, useState } from "/ui/vendor/preact-htm.js";
import { stateTitle } from "./words.js";

export const Badge = ({ state }) => html`<span class="badge ${state.toLowerCase()}">${stateTitle(state)}</span>`;

export function Meter({ percent, label }) {
	return html`<div class="meter" role="progressbar" aria-label=${label} aria-valuenow=${percent} aria-valuemin="0"
		aria-valuemax="100"><span style=${{ width: `${percent}%` }}></span></div>`;
}

export const Problem = ({ error }) => error && html`<p class="problem" role="alert">${error.message || String(error)}</p>`;

export const Fact = ({ name, children }) => html`<div class="fact"><dt>${name}</dt><dd>${children}</dd></div>`;

// Where the page is not served over TLS, or the user refuses, the clipboard is not there: then the text is shown.
export function Copy({ text, label = "Copy" }) {
	const [done, setDone] = useState(false);
	const [isShown, setShown] = useState(false);

	async function copy() {
		try {
			await navigator.clipboard.writeText(text);
			setDone(true);
			setTimeout(() => setDone(false), 2000);
		} catch {
			setShown(!isShown);
		}
	}
	return html`<span class="copy"><button type="button" class="quiet" onClick=${copy}>${done ? "Copied" : label}</button>
		${isShown && html`<textarea readonly rows="3" aria-label=${label} onFocus=${(event) => event.target.select()}
			value=${text}></textarea>`}</span>`;
}

// Something that is not undone: asked once more, in a dialog that the keyboard can leave.
export function Ask({ label, question, confirm, className = "", onConfirm, children, disabled }) {
	const dialog = useRef(null);

	async function go(event) {
		event.preventDefault();
		if ((await onConfirm(new FormData(event.target))) !== false) dialog.current.close();
	}
	return html`<span class="ask"><button type="button" class=${className} disabled=${disabled}
			onClick=${() => dialog.current.showModal()}>${label}</button>
		<dialog ref=${dialog} aria-label=${label}>
			<form method="dialog" onSubmit=${go}>
				<p>${question}</p>
				${children}
				<div class="buttons">
					<button type="button" onClick=${() => dialog.current.close()}>Back</button>
					<button class="primary">${confirm}</button>
				</div>
			</form>
		</dialog></span>`;
}

// Runs @load when one of @keys changes; what it returns, or throws, is the state. reload() runs it again.
export function useLoaded(load, keys) {
	const [state, setState] = useState({ value: null, error: null, isLoading: true, ms: 0 });
	const [turn, setTurn] = useState(0);

	useEffect(() => {
		const abort = new AbortController();
		const began = performance.now();
		load(abort.signal).then(
			(value) => abort.signal.aborted || setState({ value, error: null, isLoading: false, ms: performance.now() - began }),
			(error) => abort.signal.aborted || setState((old) => ({ ...old, error, isLoading: false })));
		return () => abort.abort();
	}, [...keys, turn]);
	return { ...state, reload: () => setTurn((old) => old + 1) };
}

// @run as it is now, at most once in @ms (or what that returns), and once more after the last call.
export function useThrottled(run, ms) {
	const latest = useRef(run);
	const timer = useRef(0);

	latest.current = run;
	useEffect(() => () => clearTimeout(timer.current), []);
	return () => {
		if (timer.current) return;
		timer.current = setTimeout(() => {
			timer.current = 0;
			latest.current();
		}, typeof ms === "function" ? ms() : ms);
	};
}
