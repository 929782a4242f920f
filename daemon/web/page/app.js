// The page: which view is shown, and whether the daemon is there.
import { html, render, useEffect, useState } from "/ui/vendor/preact-htm.js";
import { listen } from "./api.js";
import { Job } from "./job.js";
import { Jobs } from "./jobs.js";
import { Make } from "./make.js";
import { Providers, Usage } from "./shop.js";

const VIEWS = [["#/make", "Make"], ["#/jobs", "Videos"], ["#/providers", "Providers"], ["#/usage", "Usage"]];

// "#/job/ID?a=b" is { path: ["job", "ID"], query: { a: "b" } }.
function readPlace() {
	const [path, query] = location.hash.slice(2).split(/\?(.*)/s);
	return { path: path.split("/").filter(Boolean), query: Object.fromEntries(new URLSearchParams(query || "")) };
}

const go = (hash) => { location.hash = hash; };

function View({ place: { path: [view = "jobs", id], query } }) {
	if (view === "make") return html`<${Make} query=${query} go=${go} />`;
	if (view === "job" && id) return html`<${Job} key=${id} id=${id} go=${go} />`;
	if (view === "jobs") return html`<${Jobs} query=${query} go=${go} />`;
	if (view === "providers") return html`<${Providers} />`;
	if (view === "usage") return html`<${Usage} />`;
	return html`<article><h1>Not here</h1><p class="empty">There is no such view. <a href="#/jobs">All videos</a></p></article>`;
}

function App() {
	const [place, setPlace] = useState(readPlace);
	const [isOpen, setOpen] = useState(true);
	const view = place.path[0] || "jobs";

	useEffect(() => {
		function move() {
			setPlace(readPlace());
			document.getElementById("main").focus({ preventScroll: true });
			scrollTo(0, 0);
		}
		addEventListener("hashchange", move);
		const stop = listen((what) => "isOpen" in what && setOpen(what.isOpen));
		return () => removeEventListener("hashchange", move) || stop();
	}, []);
	return html`<div><a class="skip" href="#main" onClick=${(event) => event.preventDefault() ||
			document.getElementById("main").focus()}>To the content</a>
		<header class="top"><a class="brand" href="#/jobs"><img src="/ui/icon.svg" alt="" width="28" height="28" />Filmgate</a>
			<nav aria-label="Views">${VIEWS.map(([hash, title]) => html`<a href=${hash}
				aria-current=${hash === `#/${view}` || (view === "job" && hash === "#/jobs") ? "page" : undefined}>${title}</a>`)}</nav>
		</header>
		<div role="status" class="lost-place">${!isOpen && html`<p class="lost">Disconnected. What is shown may be old; it is brought up to
			date as soon as the daemon is back.</p>`}</div>
		<main id="main" tabindex="-1"><${View} place=${place} /></main></div>`;
}

render(html`<${App} />`, document.getElementById("page"));
