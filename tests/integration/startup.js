// What keeps a daemon from starting: a data directory that it cannot write or that another one holds, a port or a
// socket that is taken. It ends with status 1 and one line that says what, where, and what to do; whoever was there
// first goes on undisturbed.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { test, beforeEach, afterEach } = require("node:test");
const { Stack, bin } = require("./stack");

let stack;

beforeEach(() => {
	stack = new Stack();
	stack.simUrl = "http://127.0.0.1:9"; // nothing is ordered here
	stack.writeConfig();
});

afterEach(() => stack.finish());

const below = (...names) => path.join(stack.data, ...names);

// A first daemon, which `stack` does not know; to be ended by the test.
async function startFirst(config = {}) {
	const first = new Stack();

	first.simUrl = stack.simUrl;
	first.writeConfig(config);
	await first.startDaemon();
	return first;
}

async function serves(one) {
	assert.ok(one.daemon.alive, "it lives");
	one.connect(`unix:${one.socket}`);
	assert.deepStrictEqual((await one.call("ListProviders", {}, one.providers)).providers.length, 1);
}

// ---- the data directory ----

// What stands in the way, and what is said of it.
const obstacles = {
	"a file where the data directory should be": () => {
		fs.writeFileSync(below("filmgate"), "");
		return /the artifact folder '.*\/filmgate\/artifacts' cannot be made or opened: Not a directory; .*data_dir/;
	},
	"a data directory below a file": () => {
		fs.writeFileSync(below("file"), "");
		stack.writeConfig({ dataDir: below("file", "filmgate") });
		return /the data directory '.*\/file\/filmgate' cannot be made: Not a directory; make it, or name another one/;
	},
	"a data directory whose parent is missing": () => {
		stack.writeConfig({ dataDir: below("missing", "filmgate") });
		return /the data directory '.*\/missing\/filmgate' cannot be made: No such file or directory; make it/;
	},
	// Nobody, root included, can make anything in these.
	"a new data directory where nothing can be made": () => {
		stack.writeConfig({ dataDir: "/proc/filmgate" });
		return /the data directory '\/proc\/filmgate' cannot be made: .*; make it, or name another one as data_dir/;
	},
	"a data directory that cannot be written": () => {
		stack.writeConfig({ dataDir: "/proc/sys" });
		return /the artifact folder '\/proc\/sys\/artifacts' cannot be made or opened: .*; give the daemon's user the right/;
	},
	"a file where the store should be": () => {
		fs.mkdirSync(below("filmgate"));
		fs.writeFileSync(below("filmgate", "store"), "");
		return /'.*\/filmgate\/store.*Not a directory; .*data_dir/;
	},
	"a folder where the store's lock should be": () => {
		fs.mkdirSync(below("filmgate", "store", "lock"), { recursive: true });
		return /'.*\/filmgate\/store\/lock': Is a directory; .*data_dir/;
	},
	"a file where the store's records should be": () => {
		fs.mkdirSync(below("filmgate", "store"), { recursive: true });
		fs.writeFileSync(below("filmgate", "store", "records"), "");
		return /cannot open '.*\/filmgate\/store\/records': .*; .*data_dir/;
	},
};

for (const [name, build] of Object.entries(obstacles))
	test(name, async () => {
		const words = build();

		assert.match(await stack.refuseToStart(), words);
	});

test("a data directory of another user", async (t) => {
	const drop = process.getuid() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
	const folder = below("filmgate");

	// Others must be able to read their way to the program and to its configuration.
	fs.chmodSync(stack.data, 0o755);
	fs.mkdirSync(folder, { mode: 0o555 });
	const probe = child.spawnSync([...drop, path.join(bin, "filmgated")].shift(),
		[...drop, path.join(bin, "filmgated"), "--version"].slice(1));
	if (probe.status !== 0) {
		t.skip(`nobody cannot run ${bin}/filmgated`);
		return;
	}
	fs.closeSync(fs.openSync(stack.daemonLog, "a"));
	assert.match(await stack.refuseToStart({ FILMGATE_HEYGEN_KEY: "k" }, drop),
		/the artifact folder '.*\/filmgate\/artifacts' cannot be made or opened: Permission denied; give the daemon's user/);
	assert.deepStrictEqual(fs.readdirSync(folder), []);
});

test("a data directory that another daemon holds", async () => {
	const first = await startFirst();

	try {
		stack.writeConfig({ dataDir: path.join(first.data, "filmgate") });
		assert.strictEqual(await stack.refuseToStart(),
			`filmgated: the store '${first.data}/filmgate/store' is in use by process ${first.daemon.process.pid}; stop ` +
			"it, or give this daemon another data folder");
		await serves(first);

		// With the same configuration: the first one's socket stays too.
		fs.copyFileSync(path.join(first.data, "filmgated.conf"), below("filmgated.conf"));
		assert.match(await stack.refuseToStart(), /is in use by process/);
		await serves(first);
	} finally {
		await first.finish();
	}
});

test("a data directory that others can change is warned of", async () => {
	fs.mkdirSync(below("filmgate"));
	fs.chmodSync(below("filmgate"), 0o777);
	await stack.startDaemon();
	const lines = () => fs.readFileSync(stack.daemonLog, "utf8").split("\n").filter((line) => /others can change/.test(line));
	assert.strictEqual(lines().length, 1);
	assert.match(lines()[0], /warning others can change the data directory; run: chmod 700 on it path=.*\/filmgate mode=0777/);
	await stack.daemon.stop("SIGTERM");
	fs.chmodSync(below("filmgate"), 0o755);
	await stack.startDaemon();
	assert.strictEqual(lines().length, 1);
});

// ---- limits ----

test("too few open files", async () => {
	const words = await stack.refuseToStart({}, ["prlimit", "--nofile=13:13"]);

	assert.match(words, /^filmgated: .*: Too many open files; raise the limit of open files \(LimitNOFILE= in its unit, or ulimit -n\)$/);
	const said = fs.readFileSync(stack.daemonLog, "utf8").split("\n").filter((line) => /Too many open files/.test(line));
	assert.deepStrictEqual(said, [words], "it is said once");
});

// ---- the doors ----

test("a port that is taken", async () => {
	const taken = net.createServer();

	await new Promise((resolve) => taken.listen(0, "127.0.0.1", resolve));
	const address = `127.0.0.1:${taken.address().port}`;
	try {
		stack.writeConfig({ grpc: address });
		assert.strictEqual(await stack.refuseToStart(),
			`filmgated: '${address}' is in use by another process; stop it or choose another one`);
		assert.ok(!fs.existsSync(stack.socket), "the other door is not left open");
	} finally {
		await new Promise((resolve) => taken.close(resolve));
	}
	await stack.startDaemon();
	await serves(stack);
});

test("a socket that another daemon listens on", async () => {
	const first = await startFirst();

	try {
		stack.socket = first.socket;
		stack.writeConfig();
		assert.strictEqual(await stack.refuseToStart(),
			`filmgated: '${first.socket}' is in use by another process; stop it or choose another one`);
		await serves(first);
	} finally {
		await first.finish();
	}
});

test("a socket that a killed daemon left is replaced", async () => {
	await stack.startDaemon();
	await stack.daemon.stop("SIGKILL");
	assert.ok(fs.lstatSync(stack.socket).isSocket());
	await stack.startDaemon();
	await serves(stack);
});

test("a file where the socket should be is kept", async () => {
	fs.writeFileSync(stack.socket, "not yours");
	assert.strictEqual(await stack.refuseToStart(),
		`filmgated: '${stack.socket}' exists and is not a socket; move it away or choose another path`);
	assert.strictEqual(fs.readFileSync(stack.socket, "utf8"), "not yours");
});

test("a socket in a folder that is not there", async () => {
	stack.socket = below("missing", "d.sock");
	stack.writeConfig();
	assert.match(await stack.refuseToStart(), /'.*\/missing\/d\.sock'.*No such file or directory; make its folder, or/);
});
