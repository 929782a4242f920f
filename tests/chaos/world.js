// One world: a simulator, one data directory, and a daemon that lives many short lives in it, under clients that go on
// asking. In the end the faults stop, everything comes to rest, and check.js compares the accounts.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { Stack, api, grpc, detailsOf, isGone, randoms, sha256, sleep, FINAL } = require("../integration/stack");
const { SmallDisk } = require("../integration/small_disk");
const { History, Watcher } = require("./history");
const { Plan, ALWAYS } = require("./plan");
const { check } = require("./check");

const OPEN = 20; // a kill counts if so many jobs were at work, as far as the watchers had heard
const AHEAD = 50;
const SCENES = 12; // different videos of one provider: rendered once, and shared by all worlds
const PLENTY = 2 ** 40;
const BROKEN = -1; // of a SmallDisk: nothing can be synced any more
const RECOVERY_MS = 4000; // in which a daemon whose disk has room again, or syncs again, goes on
const LIFE_MS = 3000; // a life in which what was planned does not come is ended all the same
const PATIENT_MS = { "reconcile.before": 15000 }; // who looks for a lost order waits until the list of a provider is up to date
const SUBMIT_MS = 2500; // until a paid request is given up
const STILL_MS = 40000; // in which nothing ends: longer than any time-out, so nothing will
const STILL_MUTANT_MS = 4000; // such a world has no need to be complete
const UNCERTAIN = "JOB_STATE_UNCERTAIN";
const VEO_USD = 1.6; // what one of Veo's videos costs here
const SHARE = 0.95; // of Veo's orders, whose budget is there when the daemon starts
const KILLS_LEAST = 10; // fewer prove nothing, however late it is
const CLIENTS = 3;
const CALL_MS = 8000;

class World {
	constructor({ seed, kills, end, failpoints, powerLoss, mutant, cache }) {
		Object.assign(this, { seed, wanted: kills, end, powerLoss, mutant, cache });
		this.plan = new Plan(seed, failpoints);
		this.random = randoms(seed + 1); // for what depends on time anyhow: which of the jobs, which of the clients
		this.stack = new Stack();
		this.history = new History();
		this.watchers = [new Watcher(this.history), new Watcher(this.history)];
		this.deaths = []; // UTC milliseconds
		this.budgets = []; // { from, veo, all }: UTC milliseconds, and micros in a day and a month from then on
		this.losses = []; // { provider, from, to }: when a fault could take a reply
		this.kills = {}; // by failpoint, or how else
		this.counted = 0;
		this.lives = 0;
		this.ordered = 0;
		this.uploads = 0;
		this.assets = [];
		this.clients = [];
		this.calls = new Set();
		this.watching = [];
		this.submitMs = SUBMIT_MS;
	}

	// ---- the stage ----

	async open() {
		const { stack } = this;
		fs.mkdirSync(path.join(stack.data, "filmgate"));
		this.disk = new SmallDisk(path.join(stack.data, "filmgate"), path.join(stack.data, "room"));
		process.env.FILMGATE_SIM_CACHE = this.cache;
		await stack.startSimulator("--render-time-ms", "50:700", "--submit-delay-ms", "0:60", "--concurrency", "100000",
			"--credit", "1000000", "--burn-words", "2", "--seed", String(this.seed));
		const common = `allow_private_network = true; concurrency = 10; submit_timeout_ms = ${SUBMIT_MS};
			poll = { initial_ms = 50; max_ms = 200; };`;
		this.config = { concurrency: 10, pollMs: 50, drainS: 5, provider: `submit_timeout_ms = ${SUBMIT_MS};`, others: [`{
			id = "veo"; plugin = "veo"; base_url = "${stack.simUrl}"; ${common}
			origins = ( "https://storage.googleapis.com" );
			secrets = { service_account_file = "${path.join(stack.data, "sim", "service-account.json")}"; };
			options = { project = "p1"; storage_uri = "gs://bucket/films"; storage_url = "${stack.simUrl}"; };
		}`, `{
			id = "openai"; plugin = "openai_videos"; base_url = "${stack.simUrl}/v1"; ${common}
			secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
			options = { model = "sora-2"; absence_after_s = 1; };
		}`] };
		for (const fault of ALWAYS) await stack.sim("POST", "faults", fault);
	}

	get hasBudgets() {
		return this.seed % 2 === 0;
	}

	// In every other world money is short: a life may spend on Veo's videos in a day, and on all in a month, what the
	// orders of the lives before came to, nearly. So orders wait for a budget in each life, however fast the machine is,
	// most are started in the next one, and in the end all.
	setBudgets(isEnough) {
		const orders = [...this.history.jobs.values()].filter((job) => job.provider === "veo").length;
		const veo = isEnough ? 250000 : Math.ceil(VEO_USD * (1 + SHARE * orders));
		if (this.hasBudgets) this.budgets.push({ from: Date.now(), veo: veo * 1e6, all: 4 * veo * 1e6 });
		const budget = (name, amount, more) => `{ name = "${name}"; amount = "${amount}"; currency = "USD"; ${more} }`;

		this.stack.writeConfig({ ...this.config, more: !this.hasBudgets ? "" :
			`budgets = ( ${budget("veo", veo, 'period = "day"; provider = "veo";')}, ${budget("all", 4 * veo, 'period = "month";')} );` });
	}

	environment(life) {
		const env = { FILMGATE_HURRY_MS: "100" };
		const preload = [process.env.FILMGATE_PRELOAD_FIRST, process.env.FILMGATE_NO_FFPROBE];
		if (life.how === "failpoint") env.FILMGATE_FAILPOINT = `${life.point}:${life.skip}`;
		if (this.mutant) env.FILMGATE_MUTANT = this.mutant;
		if (this.powerLoss) {
			preload.push(process.env.FILMGATE_POWER_LOSS);
			env.POWER_LOSS_FOLDER = fs.realpathSync(path.join(this.stack.data, "filmgate"));
			env.POWER_LOSS_SHADOW = path.join(fs.realpathSync(this.stack.data), "shadow");
		}
		this.disk.room = PLENTY;
		if (hasDiskTrouble(life)) {
			preload.push(process.env.FILMGATE_SMALL_DISK);
			env.SMALL_DISK_FOLDER = this.disk.folder;
			env.SMALL_DISK_ROOM = this.disk.path;
		}
		env.LD_PRELOAD = preload.filter(Boolean).join(":");
		return env;
	}

	connect() {
		const options = { "grpc.use_local_subchannel_pool": 1 };
		const address = `unix:${this.stack.socket}`;
		const make = (Service) => new Service(address, grpc.credentials.createInsecure(), options);

		this.clients = Array.from({ length: CLIENTS }, () => make(api.JobService));
		this.assetClient = make(api.AssetService);
		this.alive = true;
		this.watching = this.watchers.map(() => make(api.JobService));
		this.watchers.forEach((watcher, i) => watcher.follow(this.watching[i]));
	}

	disconnect() {
		this.alive = false;
		for (const call of this.calls) call.cancel();
		for (const watcher of this.watchers) watcher.end();
		for (const client of [...this.clients, ...this.watching, this.assetClient]) if (client) client.close();
	}

	// What begin(done) returns is cancelled when the daemon has died: of a channel that is closed while it connects,
	// grpc-js would keep the calls until their deadline.
	pending(begin) {
		let call;

		return new Promise((resolve, reject) => {
			call = begin((error, reply) => (error ? reject(error) : resolve(reply)));
			this.calls.add(call);
		}).catch((error) => {
			// The client was closed between two of our own steps: the call never left.
			if (!this.alive) error.code ??= grpc.status.CANCELLED;
			throw error;
		}).finally(() => this.calls.delete(call));
	}

	call(method, request, client = this.clients[this.random(CLIENTS)]) {
		return this.pending((done) => client[method](request, { deadline: Date.now() + CALL_MS }, done));
	}

	// A call whose answer may never come; then nothing is known.
	async attempt(method, request, { client, refusals = [] } = {}) {
		try {
			return await this.call(method, request, client);
		} catch (error) {
			const refused = ["NOT_FOUND", "FAILED_PRECONDITION", "ABORTED", ...refusals];
			if (!isOver(error) && !refused.includes(grpc.status[error.code])) throw error;
			return null;
		}
	}

	// ---- what clients do ----

	// Elsewhere: ordered from Veo, which refuses it, and made by the gateway, its fallback.
	newOrder(asset, isElsewhere = false) {
		const n = ++this.ordered;
		const planned = this.plan.order(n);
		const elsewhere = !asset && (isElsewhere || planned.isElsewhere);
		const provider = asset ? "heygen" : elsewhere ? "veo" : planned.provider;
		const scene = n % SCENES;
		const moderated = !asset && !elsewhere && planned.isModerated;
		const text = `Scene ${scene}. Order ${this.seed}x${n} is ${moderated ? "forbidden" : elsewhere ? "elsewhere" : "allowed"}.`;
		const more = {
			heygen: { model: asset ? "image" : "avatar", parameters: { script: { text }, voice_id: "v", ...(asset
				? { media: [{ kind: "MEDIA_KIND_IMAGE", role: "MEDIA_ROLE_SOURCE", asset }] }
				: { avatar_id: "a", resolution: "720p" }) } },
			veo: { model: "veo-3.1-generate-001", parameters: { prompt: text, duration: { seconds: 4 } } },
			openai: { model: "video", parameters: { prompt: text, duration: { seconds: 4 }, size: { width: 1280, height: 720 } } },
		}[provider];
		const job = { provider: `providers/${provider}`, ...more };

		if (elsewhere)
			return this.history.begin(`chaos-${n}`, { provider: "openai", text, moderated, elsewhere: true, scene: `elsewhere ${scene}`,
				request: { ...job, fallbacks: [{ provider: "providers/openai", model: "video" }] } });
		// A picture's format is its asset's.
		return this.history.begin(`chaos-${n}`, { provider, text, moderated, scene: asset ? `photo ${scene}` : scene, request: job });
	}

	// Until it is acknowledged, through as many deaths as it takes.
	async order(job) {
		for (; !this.over;) {
			if (!this.alive) {
				await sleep(10);
				continue;
			}
			const known = this.history.known(job);
			try {
				const reply = await this.call("CreateJob", { job: job.request, request_id: job.id });
				this.history.accepted(job, reply.job, known);
				return;
			} catch (error) {
				// A repeat that came after the deletion.
				if (error.code === grpc.status.ALREADY_EXISTS && job.deleteAsked) return;
				// The asset went before the order came: such an order was never taken.
				if (error.code === grpc.status.FAILED_PRECONDITION || error.code === grpc.status.NOT_FOUND) {
					this.history.jobs.delete(job.id);
					return;
				}
				if (!isOver(error)) throw error;
				await sleep(20);
			}
		}
	}

	start(promise) {
		promise.catch((error) => (this.failure ??= error));
	}

	get waiting() {
		return [...this.history.jobs.values()].filter((job) => !job.name).length;
	}

	topUp() {
		for (let missing = AHEAD - this.watchers[0].busy.size - this.waiting; missing > 0; missing--) this.start(this.order(this.newOrder()));
	}

	async upload() {
		const n = ++this.uploads;
		const head = Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\x68........", "latin1");
		const bytes = Buffer.concat([head, Buffer.from(`${this.seed} ${n}`.padEnd(3000)), Buffer.from("IEND\xae\x42\x60\x82", "latin1")]);

		if (!this.alive) return null;
		const send = (done) => {
			const call = this.assetClient.UploadAsset({ deadline: Date.now() + CALL_MS }, done);
			call.write({ metadata: { size_bytes: bytes.length, sha256: sha256(bytes) } });
			call.write({ data: bytes });
			call.end();
			return call;
		};
		const reply = await this.pending(send).catch((error) => {
			if (!isOver(error)) throw error;
		});
		if (reply) this.assets.push(reply.asset.name);
		return reply ? reply.asset.name : null;
	}

	async photo() {
		const asset = await this.upload();
		if (asset) await this.order(this.newOrder(asset));
	}

	async drop() {
		const asset = this.assets.length ? this.assets.splice(this.random(this.assets.length), 1)[0] : await this.upload();
		if (asset) await this.attempt("DeleteAsset", { name: asset }, { client: this.assetClient });
	}

	some(filter) {
		const list = [...this.history.jobs.values()].filter((job) => job.name && filter(job));

		return list.length ? list[this.random(list.length)] : null;
	}

	async remove() {
		const job = this.some((one) => !one.deleteAsked && FINAL.has(this.watchers[0].states.get(one.name)));
		if (!job) return;
		job.state = this.watchers[0].states.get(job.name);
		job.deleteAsked = true;
		if (await this.attempt("DeleteJob", { name: job.name })) job.deleted = true;
	}

	async cancel() {
		const job = this.some((one) => !one.cancelAsked && !FINAL.has(this.watchers[0].states.get(one.name)));
		if (!job) return;
		job.cancelAsked = true;
		const known = this.history.known(job);
		const reply = await this.attempt("CancelJob", { name: job.name });
		if (reply) this.history.read(job, reply.job, known);
	}

	async change() {
		const job = this.some((one) => !one.deleteAsked);
		if (!job) return;
		const known = this.history.known(job);
		const reply = await this.attempt("UpdateJob",
			{ job: { name: job.name, display_name: `at ${job.revision}` }, update_mask: { paths: ["display_name"] } });
		if (reply) this.history.read(job, reply.job, known);
	}

	// The same request again is the same job, in any life.
	async repeat() {
		const job = this.some((one) => !one.deleteAsked);
		if (job) await this.order(job);
	}

	// A person who looks into the provider's account. By then nothing of that order is under way there.
	async resolve(job) {
		const known = this.history.known(job);
		const now = await this.attempt("GetJob", { name: job.name });
		if (now) this.history.read(job, now.job, known);
		if (!now || now.job.status.state !== "JOB_STATE_UNCERTAIN") return;
		job.uncertain = now.job;
		const row = (await this.stack.charges()).find((charge) => charge.text === job.text);
		const resolution = this.random(10) === 0 ? "RESOLUTION_GIVE_UP" : row ? "RESOLUTION_FOUND" : "RESOLUTION_ABSENT";
		const remote = job.provider === "veo" && row
			? `projects/p1/locations/us-central1/publishers/google/models/${job.request.model}/operations/${row.video_id}`
			: row && row.video_id;
		job.resolved.push(resolution);
		// What was found is looked up there, which a fault can hinder.
		const reply = await this.attempt("ResolveJob", { name: job.name, resolution,
			remote_id: resolution === "RESOLUTION_FOUND" ? remote : "", expected_revision: now.job.revision }, { refusals: ["UNAVAILABLE"] });
		if (reply) this.history.read(job, reply.job, this.history.known({ ...job, revision: now.job.revision }));
	}

	// All doubts there are, one after the other, while the daemon lives.
	async resolveAll() {
		if (this.isResolving) return;
		this.isResolving = true;
		try {
			for (let job; this.alive && (job = this.some((one) => this.watchers[0].states.get(one.name) === UNCERTAIN)); await sleep(5))
				await this.resolve(job);
		} finally {
			this.isResolving = false;
		}
	}

	bring(brought) {
		const times = (n, what) => {
			for (; n > 0; n--) this.start(what());
		};

		times(brought.uploads, () => this.upload());
		times(brought.photos, () => this.photo());
		times(brought.drops, () => this.drop());
		times(brought.deletes, () => this.remove());
		times(brought.cancels, () => this.cancel());
		times(brought.elsewhere, () => this.order(this.newOrder(null, true)));
		times(this.random(3), () => this.change());
		times(this.random(2), () => this.repeat());
	}

	// ---- lives and deaths ----

	get daemon() {
		return this.stack.daemon;
	}

	// What the process's end means: "kill" as wanted, or the failpoint it died at.
	async ended(life) {
		const end = await this.daemon.ended;
		this.disconnect();
		this.deaths.push(Date.now());
		if (end.signal !== "SIGKILL") return this.diedOtherwise(life, end);
		const words = fs.readFileSync(this.stack.daemonLog, "utf8").slice(-4000);
		const at = /killed at failpoint (\S+)\n$/.exec(words);
		return at ? at[1] : life.how === "failpoint" ? "kill" : life.isRecovered ? `${life.how}.recovered` : life.how;
	}

	diedOtherwise(life, end) {
		if (life.how === "stop" && end.code === 0) return null;
		// A disk that fills up while the daemon starts, or ends, is a reason to give up; a signal never is.
		if (hasDiskTrouble(life) && end.code !== null) return null;
		throw new Error(`the daemon ended with ${JSON.stringify(end)} in a life that was to end by ${life.how} ${life.point || ""}\n` +
			fs.readFileSync(this.stack.daemonLog, "utf8").split("\n").slice(-30).join("\n"));
	}

	async lived(life) {
		const until = Date.now() + (PATIENT_MS[life.point] || LIFE_MS);
		const from = this.watchers[0].count;
		const isOverNow = () => !this.daemon.alive || Date.now() > until;

		this.topUp();
		// First what makes the death count, then what may bring it about.
		while (!isOverNow() && this.waiting) await sleep(5);
		this.bring(life.brought);
		const waits = life.how === "failpoint" && !life.point.startsWith("stop.") ? Infinity : life.after;
		for (; !isOverNow() && this.watchers[0].count - from < waits; await sleep(10)) {
			this.start(this.resolveAll());
			if (this.alive) this.topUp();
		}
		if (hasDiskTrouble(life)) await this.troubleDisk(life);
		if (life.how === "stop" || (life.point || "").startsWith("stop.")) {
			// A stream is waited for; its watcher goes on in the next life.
			for (const watcher of this.watchers) watcher.end();
			this.daemon.process.kill("SIGTERM");
			const end = await Promise.race([this.daemon.ended, sleep(20000)]);
			if (!end) throw new Error("the daemon does not end on SIGTERM");
			if (life.how === "failpoint" && end.signal !== "SIGKILL") life.how = "stop";
		}
		if (this.daemon.alive) this.daemon.process.kill("SIGKILL");
	}

	// Every other disk recovers before the death: of a daemon that went on in the store that it opened anew.
	async troubleDisk(life) {
		this.disk.room = life.how === "full" ? life.room : BROKEN;
		await sleep(100 + this.random(300));
		if (!life.recovers) return;
		this.disk.room = PLENTY;
		const from = this.watchers[0].count, until = Date.now() + RECOVERY_MS;
		for (; this.daemon.alive && Date.now() < until && !life.isRecovered; await sleep(10)) {
			this.topUp();
			life.isRecovered = this.watchers[0].count - from >= life.after;
		}
	}

	// The power goes: what no sync covered is gone.
	losePower() {
		const data = path.join(this.stack.data, "filmgate"), shadow = path.join(this.stack.data, "shadow");

		fs.rmSync(data, { recursive: true, force: true });
		if (fs.existsSync(path.join(shadow, "1"))) build(shadow, "1", data);
		else fs.mkdirSync(data);
		fs.rmSync(shadow, { recursive: true, force: true });
	}

	async listed(states) {
		const reply = await this.call("ListJobs", { filter: { states: states.map((state) => `JOB_STATE_${state}`) }, page_size: 1000 });

		return reply.jobs;
	}

	async clearFaults() {
		for (const id of this.faults || []) await this.stack.sim("DELETE", `faults/${id}`);
		this.faults = [];
		for (const loss of this.losses) loss.to ??= Date.now();
	}

	async setFaults(faults) {
		for (const { lossy, ...fault } of faults) {
			this.faults.push((await this.stack.sim("POST", "faults", fault)).id);
			if (lossy) this.losses.push({ provider: lossy, from: Date.now(), to: null });
		}
	}

	async live() {
		const life = this.plan.life();

		this.lives++;
		await this.clearFaults();
		await this.setFaults(life.faults);
		this.setBudgets(false);
		this.stack.spawnDaemon(this.environment(life));
		const ready = await Promise.race([this.daemon.ready.then(() => true, () => false), this.daemon.ended.then(() => false)]);
		if (ready) {
			this.connect();
			// A watcher has all from its first token on.
			const until = Date.now() + LIFE_MS;
			while (this.daemon.alive && Date.now() < until && this.watchers.some((watcher) => !watcher.token)) await sleep(5);
			if (this.watchers.every((watcher) => watcher.token)) await this.lived(life);
		}
		if (this.daemon.alive) this.daemon.process.kill("SIGKILL");
		const how = await this.ended(life);
		if (this.powerLoss) this.losePower();
		if (this.failure) throw this.failure;
		if (how && this.watchers[0].busy.size >= OPEN) {
			this.kills[how] = (this.kills[how] || 0) + 1;
			this.counted++;
		}
	}

	// ---- the end ----

	async settle() {
		let until = 0, before = null;

		await this.clearFaults();
		this.setBudgets(true);
		this.stack.spawnDaemon(this.environment({}));
		await this.daemon.ready;
		this.connect();
		for (;;) {
			const { waiting } = this;
			const doubts = await this.listed(["UNCERTAIN"]);
			const open = (await this.listed(["QUEUED", "PREPARING", "STARTING", "RUNNING", "STORING"])).length + doubts.length;
			if (open === 0 && waiting === 0) break;
			if (`${open} ${waiting}` !== before) {
				before = `${open} ${waiting}`;
				until = Date.now() + (this.mutant ? STILL_MUTANT_MS : STILL_MS);
			}
			if (Date.now() > until) break; // check.js names them
			for (const { name } of doubts) if (this.history.byName.has(name)) await this.resolve(this.history.byName.get(name));
			await sleep(50);
			if (this.failure) throw this.failure;
		}
		this.over = true;
		await sleep(100);
	}

	async readLedger() {
		const { stack } = this, entries = [];

		for (let page = { more: true }; page.more; entries.push(...page.entries))
			page = await stack.call("ListLedgerEntries",
				{ page_size: 1000, after_sequence: entries.length ? entries.at(-1).sequence : 0 }, stack.usage);
		return { entries, usage: await stack.usageRows(), audit: await stack.call("CheckLedger", {}, stack.usage) };
	}

	async run() {
		await this.open();
		const most = this.mutant ? this.wanted + 4 : 3 * this.wanted + 20;
		const isLate = () => Date.now() >= this.end.at && (this.counted >= KILLS_LEAST || this.end.isTold);
		const isEnough = () => this.counted >= this.wanted || this.lives >= most || isLate();
		while (!isEnough()) await this.live();
		await this.settle();
		this.stack.connect(`unix:${this.stack.socket}`);
		this.jobs = new Map((await this.stack.list()).map((job) => [job.name, job]));
		this.charges = await this.stack.charges();
		this.ledger = await this.readLedger();
		const findings = await check(this);
		this.disconnect();
		return findings;
	}

	async close() {
		this.over = true;
		this.disconnect();
		await this.stack.finish();
		this.disk.close();
	}
}

const hasDiskTrouble = (life) => life.how === "full" || life.how === "broken";

// The folder as power_loss.c's shadow has it: a symbolic link is the number of an inner one.
function build(shadow, number, to) {
	fs.mkdirSync(to, { mode: 0o700 });
	for (const entry of fs.readdirSync(path.join(shadow, number), { withFileTypes: true })) {
		const from = path.join(shadow, number, entry.name), into = path.join(to, entry.name);
		if (entry.isSymbolicLink()) build(shadow, fs.readlinkSync(from), into);
		else fs.linkSync(from, into);
	}
}

// The daemon is gone, going, late, or takes no writes: what was asked may have happened or not.
const isOver = (error) => isGone(error) || error.code === grpc.status.DEADLINE_EXCEEDED || error.code === grpc.status.CANCELLED ||
	(error.code === grpc.status.UNAVAILABLE && ["DRAINING", undefined].includes(detailsOf(error).ErrorInfo?.reason)) ||
	/the store takes no writes|could not be stored|disk/.test(error.details || "");

module.exports = { World };
