// The daemon dies many times, and nothing is lost, bought twice, or wrong.
//
//     run [--kills 100] [--seconds N] [--seed N] [--parallel 2] [--power-loss] [--mutant NAME] [--failpoint NAME]…
//
// --kills      how many; only those count that met at least 20 jobs at work. They are spread over worlds of at most 100
//              kills, each with a simulator and a data directory of its own, --parallel of them at a time
// --seconds    after which no world goes on dying once it has died ten times
// --seed       the n-th world, from 0, has seed + n
// --power-loss takes away, at each death, what no sync covered
// --mutant     breaks the daemon on purpose. Then status 0 says that this was noticed, in the count that tells of it
// --failpoint  kills at this place and at random, at no other place; may be repeated
//
// Told to end (SIGTERM, SIGINT), it lets no daemon die again and judges what there was; told twice, it ends at once.
//
// The last line is one JSON object; from charged_twice on everything in it must be 0. Exit status 1 if it is not, with
// what is wrong, job by job, before it.
"use strict";

const child = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { bin } = require("../integration/stack");
const { KEYS } = require("./check");
const { World } = require("./world");

const PER_WORLD = 100;
const PER_MUTANT = 6; // one is found out soon, or not at all
// Where each mutant shows: in the promise that it breaks.
const MUTANTS = {
	skip_intent: "charged_twice",
	resend_on_timeout: "charged_twice",
	ack_before_sync: "lost",
	no_rename_sync: "bad_artifacts",
	settle_twice: "ledger_imbalance",
};

function refuse(words) {
	console.error(`chaos: ${words}`);
	process.exit(2);
}

function parse() {
	const text = { type: "string" }, flag = { type: "boolean" };
	const failpoint = { ...text, multiple: true };

	try {
		return parseArgs({
			options: { kills: text, seconds: text, seed: text, parallel: text, mutant: text, "power-loss": flag, failpoint },
		}).values;
	} catch (error) {
		return refuse(error.message);
	}
}

function readArguments() {
	const values = parse();
	const number = (name, fallback) => {
		const value = values[name] === undefined ? fallback : Number(values[name]);
		return Number.isSafeInteger(value) && value > 0 ? value : refuse(`--${name} takes a number above 0, not '${values[name]}'`);
	};
	const { mutant } = values;

	if (mutant !== undefined && !MUTANTS[mutant]) refuse(`'${mutant}' is not among ${Object.keys(MUTANTS).join(", ")}`);
	const kills = number("kills", PER_WORLD), parallel = number("parallel", 2);
	const end = { at: Date.now() + 1000 * number("seconds", 1000000), isTold: false };
	return { kills, parallel, mutant, end, seed: number("seed", 1 + (Date.now() % 1000000)),
		perWorld: mutant ? PER_MUTANT : Math.min(PER_WORLD, Math.ceil(kills / parallel)), powerLoss: values["power-loss"],
		failpoints: failpoints(values.failpoint) };
}

function failpoints(only) {
	const listed = child.execFileSync(path.join(bin, "filmgated"), ["--list-failpoints"], { encoding: "utf8" }).split("\n").filter(Boolean);
	const unknown = (only || []).find((name) => !listed.includes(name));

	if (unknown) refuse(`'${unknown}' is not among ${listed.join(", ")}`);
	return only || listed;
}

function add(total, world, findings) {
	total.rounds += world.lives;
	total.kills += world.counted;
	for (const [how, n] of Object.entries(world.kills)) total.kills_per_failpoint[how] = (total.kills_per_failpoint[how] || 0) + n;
	total.jobs += world.history.jobs.size;
	total.charged += world.charges.length;
	total.uncertain += [...world.history.jobs.values()].filter((job) => job.uncertain).length;
	total.budget_waits += world.watchers[0].budgetWaits;
	if (world.hasBudgets && !world.watchers[0].budgetWaits) total.idle_budgets++;
	for (const key of KEYS) total[key] += findings[key].length;
}

const worlds = new Set(); // that have processes

function obeySignals(end) {
	for (const signal of ["SIGTERM", "SIGINT"])
		process.on(signal, () => {
			if (end.isTold) {
				for (const { stack } of worlds)
					for (const program of [stack.daemon, stack.simulator]) if (program && program.alive) program.process.kill("SIGKILL");
				process.exit(1);
			}
			Object.assign(end, { at: 0, isTold: true });
			console.log(`chaos: ${signal}: all comes to rest, and is judged`);
		});
}

// Adds the world to @total; false if it broke down.
async function runWorld(options, total) {
	const world = new World(options);

	worlds.add(world);
	try {
		const findings = await world.run();
		for (const key of KEYS) for (const words of findings[key]) console.log(`seed ${options.seed}: ${key}: ${words}`);
		add(total, world, findings);
		if (KEYS.some((key) => findings[key].length) && !options.mutant) keep(world, options);
		return true;
	} catch (error) {
		console.log(`seed ${options.seed}: the world broke down: ${error.stack}`);
		keep(world, options);
		return false;
	} finally {
		await world.close().catch((error) => console.log(`seed ${options.seed}: ${error}`));
		worlds.delete(world);
	}
}

// What a person needs to look into it.
function keep(world, options) {
	const folder = path.join(os.tmpdir(), `filmgate-chaos-${options.seed}`);

	fs.rmSync(folder, { recursive: true, force: true });
	fs.mkdirSync(folder);
	for (const name of ["daemon.log", "sim.log", path.join("sim", "charges.jsonl")])
		if (fs.existsSync(path.join(world.stack.data, name)))
			fs.copyFileSync(path.join(world.stack.data, name), path.join(folder, path.basename(name)));
	console.log(`seed ${options.seed}: the logs are in ${folder}`);
}

// Runs all worlds; the number of those that broke down.
async function runWorlds(options, total) {
	const began = Date.now();
	const cache = path.join(bin, "../chaos-cache");
	let given = 0, n = 0, broken = 0;

	fs.mkdirSync(cache, { recursive: true });
	const isFound = () => options.mutant && total[MUTANTS[options.mutant]] > 0;
	const work = async () => {
		while (given < options.kills && Date.now() < options.end.at && !isFound()) {
			const kills = Math.min(options.perWorld, options.kills - given);
			given += kills;
			if (!(await runWorld({ ...options, seed: options.seed + n++, kills, cache }, total))) broken++;
			const minutes = (Date.now() - began) / 60000;
			console.log(`chaos: ${total.kills} kills, ${total.jobs} jobs, ${(total.kills / minutes).toFixed(0)} kills a minute`);
		}
	};
	await Promise.all(Array.from({ length: options.parallel }, work));
	return broken;
}

function statusOf(options, total, broken) {
	if (options.mutant) {
		const key = MUTANTS[options.mutant];
		console.log(total[key] ? `chaos: ${options.mutant} was found out` : `chaos: ${options.mutant} was not found out: nothing is ${key}`);
		return total[key] ? 0 : 1;
	}
	if (broken || total.kills === 0 || (total.kills < options.kills && Date.now() < options.end.at)) {
		console.log(`chaos: ${total.kills} of ${options.kills} kills counted, ${broken} worlds broke down`);
		return 1;
	}
	if (total.idle_budgets) {
		console.log(`chaos: in ${total.idle_budgets} worlds with budgets no order waited for one, so over_budget proves nothing there`);
		return 1;
	}
	return KEYS.some((key) => total[key]) ? 1 : 0;
}

async function main() {
	const options = readArguments();
	const total = { rounds: 0, kills: 0, kills_per_failpoint: {}, jobs: 0, charged: 0, uncertain: 0, budget_waits: 0, idle_budgets: 0 };

	for (const key of KEYS) total[key] = 0;
	obeySignals(options.end);
	console.log(`chaos: seed ${options.seed}, ${options.kills} kills at ${options.failpoints.length} failpoints and at random`);
	const broken = await runWorlds(options, total);
	process.exitCode = statusOf(options, total, broken);
	console.log(JSON.stringify(total));
}

// grpc-js may keep a timer of a closed channel.
main().finally(() => setTimeout(() => process.exit(), 100));
