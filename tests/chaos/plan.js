// What a world goes through, decided by its seed alone: the n-th order, and of the n-th life of the daemon how it ends,
// what the providers do wrong meanwhile, and how much the clients ask for. When it is meant to end is said in what
// happens (events seen, passes of a failpoint), not in milliseconds, so that a seed says the same on a slow machine.
//
// Lives and orders draw their numbers apart from each other and from all that depends on time (world.js): how many
// orders there were before a life changes nothing of what it brings.
"use strict";

const { randoms } = require("../integration/stack");

const SUBMIT = {
	heygen: { method: "POST", path: "/v3/videos" },
	veo: { method: "POST", path: "/v1/*:predict*" },
	openai: { method: "POST", path: "/v1/video[s]" },
};
const POLL = {
	heygen: { method: "GET", path: "/v3/videos/*" },
	veo: { method: "POST", path: "/v1/*:fetch*" },
	openai: { method: "GET", path: "/v1/videos/v_????????????????????????????????" },
};
const FILE = {
	heygen: { host: "files", path: "/files/" },
	veo: { method: "GET", path: "/storage/v1/b/bucket/o/*" },
	openai: { method: "GET", path: "/v1/videos/*/content" },
};
const PROVIDERS = Object.keys(SUBMIT);
const PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>";

// The order may have been taken, and nobody hears it: after it the job is in doubt.
const LOST = [
	{ type: "reset_after" }, { type: "close_after" }, { type: "drop_reply_after_charge" }, { type: "truncate", at: 10 },
	{ type: "status", status: 503, body: PAGE, charge: true }, { type: "reset_before" }, { type: "close_before" },
	{ type: "drop_reply_before_charge" }, { type: "status", status: 500, body: PAGE }, { type: "truncate", reset: true },
	{ type: "endless_headers", bytes: 4000000 },
];
// A clear no for now. It is true: a provider that refuses an order and charges for it is not found out by anybody.
const REFUSED = [{ type: "retry_after", seconds: 1 }, { type: "retry_after", seconds: 1, http_date: true }];
const SLOW = [{ type: "delay", delay_ms: 300 }, { type: "delay", delay_ms: 800 }];
const POLLED = [
	{ type: "status", status: 500, body: PAGE }, { type: "status", status: 200, body: PAGE }, { type: "reset_after" },
	{ type: "truncate", at: 20 }, { type: "retry_after", seconds: 1 }, { type: "close_before" }, { type: "delay", delay_ms: 400 },
];
const LINKS = { heygen: [{ type: "link_lag" }, { type: "expire_link" }], veo: [], openai: [] };
const FILES = [
	{ type: "truncate" }, { type: "truncate", reset: true }, { type: "not_a_video" },
	{ type: "not_a_video", content: "random", bytes: 50000 }, { type: "status", status: 503, body: PAGE },
	{ type: "reset_after" }, { type: "trickle", bytes_per_second: 20000 }, { type: "delay", delay_ms: 300 },
];

// What has to be under way for a failpoint to be passed; what is not named here is passed by every job.
const BRING = {
	"upload.sealed": { uploads: 2 }, "upload.committed": { uploads: 2 },
	"forward.before_handle": { photos: 2 }, "forward.after_handle": { photos: 2 },
	"collect.before": { uploads: 1, drops: 2 }, "collect.after": { uploads: 1, drops: 2 },
	"delete.before": { deletes: 3 }, "delete.after": { deletes: 3 },
	"cancel.before": { cancels: 3 },
	"resolve.before": { losses: ["veo"] }, "resolve.after": { losses: ["veo"] },
	"reconcile.before": { losses: ["openai"] },
	"send.after_doubt": { losses: ["heygen", "openai"] },
	"route.before": { elsewhere: 2 }, "route.after": { elsewhere: 2 },
};
// What every order passes is passed often: some are let go.
const OFTEN = /^(send|fetch|seal|finish|commit)\./;

class Plan {
	constructor(seed, failpoints) {
		this.seed = seed;
		this.random = randoms(seed);
		this.failpoints = failpoints;
		this.left = [];
	}

	pick(list) {
		return list[this.random(list.length)];
	}

	// Each failpoint once, in another order each time.
	nextPoint() {
		if (!this.left.length) {
			this.left = [...this.failpoints];
			for (let i = this.left.length - 1; i > 0; i--) {
				const j = this.random(i + 1);
				[this.left[i], this.left[j]] = [this.left[j], this.left[i]];
			}
		}
		return this.left.pop();
	}

	fault(match, actions, nth = 4) {
		return { match, action: this.pick(actions), nth: 1 + this.random(nth), times: 1 + this.random(2) };
	}

	faults(losses) {
		const faults = losses.map((provider) => ({ ...this.fault(SUBMIT[provider], LOST, 1), times: 2, lossy: provider }));

		for (let n = this.random(4); n > 0; n--) {
			const provider = this.pick(PROVIDERS);
			switch (this.random(7)) {
			case 0:
				faults.push({ ...this.fault(SUBMIT[provider], LOST), lossy: provider });
				break;
			case 1:
				faults.push(this.fault(SUBMIT[provider], REFUSED));
				break;
			case 2:
				faults.push(this.fault(SUBMIT[provider], SLOW));
				break;
			case 3:
			case 4:
				faults.push(this.fault(POLL[provider], [...POLLED, ...LINKS[provider]], 10));
				break;
			default:
				faults.push(this.fault(FILE[provider], FILES));
			}
		}
		return faults;
	}

	life() {
		const kind = this.random(100);
		const life = { how: kind < 86 ? "failpoint" : kind < 94 ? "kill" : kind < 96 ? "full" : kind < 98 ? "broken" : "stop" };
		const brought = { uploads: 0, photos: 0, drops: 0, deletes: 0, cancels: 0, elsewhere: 0, losses: [] };

		if (life.how === "failpoint") {
			life.point = this.nextPoint();
			life.skip = OFTEN.test(life.point) ? this.random(6) : 0;
			Object.assign(brought, BRING[life.point]);
		}
		for (const what of ["uploads", "photos", "drops", "deletes", "cancels"])
			if (this.random(6) === 0) brought[what]++;
		return { ...life, after: 1 + this.random(60), room: this.random(3000), recovers: this.random(2) === 0, brought,
			faults: this.faults(brought.losses) };
	}

	order(n) {
		const random = randoms(this.seed ^ Math.imul(n, 0x9e3779b1));

		return { provider: PROVIDERS[random(PROVIDERS.length)], isModerated: random(40) === 0, isElsewhere: random(30) === 0 };
	}
}

// A text that providers refuse to make a video of, in every life.
const MODERATED = PROVIDERS.map((provider) => ({
	match: { ...SUBMIT[provider], body_contains: "forbidden" }, times: 0, action: { type: "moderate" },
}));

// One that Veo alone refuses. It comes before all that may go wrong with an order: no reply to it is lost on the way.
const ELSEWHERE = {
	match: { ...SUBMIT.veo, body_contains: "elsewhere" }, times: 0,
	action: { type: "status", status: 400, body: { error: { code: 400, message: "not here", status: "INVALID_ARGUMENT" } } },
};

module.exports = { Plan, PROVIDERS, ALWAYS: [...MODERATED, ELSEWHERE] };
