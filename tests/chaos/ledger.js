// What the ledger says, entry by entry: an account that this file adds up itself, against what the daemon's own check
// says, what usage shows, and what the jobs came to.
//
// Of one job, in order: a purchase is RESERVEd; then it is RELEASEd whole, or SETTLEd, and what is too much is RELEASEd.
// What it cost beyond its reservation is EXCESS, behind that. Then it may be bought anew.
"use strict";

const { FINAL } = require("../integration/stack");

const kindOf = (entry) => entry.kind.replace("LEDGER_ENTRY_KIND_", "");
const accountOf = (account) => account.replace("LEDGER_ACCOUNT_", "");

// Follows one job's entries. `wrong` is what is out of order, `held` what is still reserved.
class Course {
	constructor() {
		this.open = null; // the reservation
		this.closed = null; // the last one that ended: { settled, released, excess }
		this.settled = 0; // purchases
		this.wrong = [];
	}

	take(entry) {
		const kind = kindOf(entry);
		const words = `${entry.sequence} ${kind} ${entry.amount_micros}`;

		if (kind === "RESERVE") {
			if (this.open) this.wrong.push(`${words} while ${this.open.amount_micros} is reserved`);
			this.open = entry;
		} else if (this.open && (kind === "SETTLE" || kind === "RELEASE")) {
			this.closed = { left: this.open.amount_micros - entry.amount_micros, isSettled: kind === "SETTLE", hasExcess: false };
			this.settled += kind === "SETTLE";
			this.open = null;
			if (this.closed.left < 0 || (kind === "RELEASE" && this.closed.left)) this.wrong.push(`${words} of another amount`);
		} else if (kind === "RELEASE" && this.closed?.isSettled && this.closed.left > 0 && entry.amount_micros === this.closed.left) {
			this.closed.left = 0;
		} else if (this.closed && kind === "EXCESS" && !this.closed.hasExcess) {
			this.closed.hasExcess = true;
		} else {
			this.wrong.push(`${words} without a reservation`);
		}
	}

	get held() {
		return this.open ? this.open.amount_micros : this.closed ? this.closed.left : 0;
	}
}

function coursesOf(entries) {
	const courses = new Map();

	for (const entry of entries) {
		if (!courses.has(entry.job)) courses.set(entry.job, new Course());
		courses.get(entry.job).take(entry);
	}
	return courses;
}

// By currency: what is RESERVED and SPENT, from the accounts that the entries name.
function sumsOf(entries) {
	const sums = new Map();

	for (const entry of entries) {
		if (!sums.has(entry.currency_code)) sums.set(entry.currency_code, { BUDGET: 0, RESERVED: 0, SPENT: 0 });
		const sum = sums.get(entry.currency_code);
		sum[accountOf(entry.debit)] += entry.amount_micros;
		sum[accountOf(entry.credit)] -= entry.amount_micros;
	}
	return sums;
}

// Its provider goes on without it, and is asked what it came to, for a day at most; the daemon's own check knows until
// when.
function isAwaited(job) {
	const { state, cancel, money } = job.status;
	const isDetached = state === "JOB_STATE_EXPIRED" || cancel?.outcome === "CANCEL_OUTCOME_DETACHED";

	return isDetached && money?.settlement === "SETTLEMENT_STATE_PENDING";
}

// `world.ledger`: { entries, usage, audit }, as ListLedgerEntries, GetUsage and CheckLedger answered.
function checkLedger(world, findings) {
	const { entries, usage, audit } = world.ledger;
	const sums = sumsOf(entries);

	if (audit.leaked_count) findings.leaked_reservations.push(`the daemon's own check names ${audit.leaked_count} in its log`);
	if (audit.unbalanced_count) findings.ledger_imbalance.push(`the daemon's own check names ${audit.unbalanced_count} in its log`);
	const courses = coursesOf(entries);
	for (const [name, course] of courses) {
		const now = world.jobs.get(name);
		const isOver = !now || FINAL.has(now.status.state);
		if (isOver && course.open && !(now && isAwaited(now))) findings.leaked_reservations.push(`${name} is over and holds ${course.held} micros`);
		for (const words of course.wrong) findings.ledger_imbalance.push(`${name}: ${words}`);
		if (!course.open && course.held) findings.ledger_imbalance.push(`${name}: ${course.held} of a reservation went nowhere`);
		if (now && now.status.state === "JOB_STATE_SUCCEEDED" && course.settled !== 1)
			findings.ledger_imbalance.push(`${name} SUCCEEDED and is settled ${course.settled} times`);
	}
	const charged = new Set(world.charges.map((row) => row.text));
	for (const job of world.history.jobs.values()) {
		const course = courses.get(job.name);
		if (!charged.has(job.text) || course?.open || course?.settled) continue;
		findings.ledger_imbalance.push(`${job.name} is charged and was ${course ? "given back" : "never reserved"}`);
	}
	for (const [currency, sum] of sums) {
		const row = usage.find((one) => one.currency_code === currency) || { reserved_micros: 0, spent_micros: 0 };
		if (row.reserved_micros !== sum.RESERVED || row.spent_micros !== sum.SPENT)
			findings.ledger_imbalance.push(`in '${currency}' the entries come to ${JSON.stringify(sum)}, and usage says ` +
				JSON.stringify(row));
	}
}

const msOf = (time) => time.seconds * 1000 + time.nanos / 1e6;

// `world.budgets`: what was allowed from when on. No reservation was made for which there was no room: Veo's of that day,
// and those of all in that month. What an order cost beyond its reservation is posted all the same.
function checkBudgets(world, findings) {
	const taken = new Map();

	for (const entry of world.ledger.entries) {
		const budget = world.budgets.filter(({ from }) => from <= msOf(entry.create_time)).at(-1);
		const micros = entry.amount_micros * ((accountOf(entry.credit) === "BUDGET") - (accountOf(entry.debit) === "BUDGET"));
		const places = { all: `all ${entry.date.slice(0, 7)}`, ...(entry.provider === "providers/veo" && { veo: `veo ${entry.date}` }) };
		for (const [name, place] of Object.entries(places)) {
			taken.set(place, (taken.get(place) ?? 0) + micros);
			if (kindOf(entry) === "RESERVE" && micros && budget && taken.get(place) > budget[name])
				findings.over_budget.push(`${entry.job}: with its ${micros} micros, ${taken.get(place)} of ${budget[name]} are taken (${place})`);
		}
	}
}

module.exports = { checkBudgets, checkLedger };
