// What the clients know for certain: every answer that came, and every event. What is wrong with it already while it
// comes is noted at once; the rest is for check.js.
"use strict";

const { FINAL } = require("../integration/stack");

class History {
	constructor() {
		this.jobs = new Map(); // by request id
		this.byName = new Map();
		this.gaps = [];
		this.disorder = [];
	}

	// An order that a client is about to make, and repeats until it is taken.
	begin(id, order) {
		const job = { id, ...order, name: null, revision: 0, state: null, states: [], deleted: false, deleteAsked: false,
			cancelAsked: false, uncertain: null, resolved: [] };

		this.jobs.set(id, job);
		return job;
	}

	// What is certain of a job, for a call that begins now: two that are under way at once may be answered in either order.
	known({ revision, state, deleted }) {
		return { revision, state, deleted };
	}

	accepted(job, reply, known) {
		if (job.name && job.name !== reply.name) this.disorder.push(`${job.id} is ${job.name} and ${reply.name}`);
		job.name = reply.name;
		this.byName.set(reply.name, job);
		this.read(job, reply, known);
	}

	// A job as a reply shows it: it never goes back behind what was known when the call began, whoever asks and whichever
	// daemon answers.
	read(job, reply, known) {
		if (reply.revision < known.revision)
			this.disorder.push(`${job.name} was at revision ${known.revision} and is at ${reply.revision}`);
		if (FINAL.has(known.state) && reply.status.state !== known.state)
			this.disorder.push(`${job.name} was ${known.state} and is ${reply.status.state}`);
		job.revision = Math.max(job.revision, reply.revision);
		if (FINAL.has(reply.status.state)) job.state = reply.status.state;
		if (known.deleted) this.disorder.push(`${job.name} was deleted and is ${reply.status.state}`);
	}
}

// One stream of all events that goes on after every death where it was.
class Watcher {
	constructor(history) {
		this.history = history;
		this.token = "";
		this.count = 0;
		this.revisions = new Map();
		this.states = new Map();
		this.busy = new Set(); // jobs that something happens to; an UNCERTAIN one rests until a person comes
		this.order = [];
		this.budgetWaits = 0;
	}

	take(event) {
		this.token = event.resume_token;
		if (event.kind === "JOB_EVENT_KIND_BOOKMARK") return;
		const before = this.revisions.get(event.job) || 0;
		this.count++;
		this.order.push(`${event.job}@${event.revision}`);
		if (event.revision !== before + 1) this.history.gaps.push(`${event.job}: ${event.revision} after ${before}`);
		this.revisions.set(event.job, event.revision);
		this.busy.delete(event.job);
		if (event.kind === "JOB_EVENT_KIND_DELETED") return;
		const state = event.status.state;
		if (!FINAL.has(state) && state !== "JOB_STATE_UNCERTAIN") this.busy.add(event.job);
		const was = this.states.get(event.job);
		if (FINAL.has(was) && was !== state) this.history.disorder.push(`${event.job} was ${was} and became ${state}`);
		this.states.set(event.job, state);
		if (event.status.wait?.reason === "JOB_WAIT_REASON_BUDGET") this.budgetWaits++;
	}

	// The stream is a fresh one of this life's client.
	follow(client) {
		this.stream = client.WatchJobs({ resume_token: this.token });
		this.stream.on("data", (message) => this.take(message.event));
		this.stream.on("error", (error) => (this.error = error));
	}

	end() {
		if (this.stream) this.stream.cancel();
		this.stream = null;
	}
}

module.exports = { History, Watcher };
