// filmgated --check-config on each kind of mistake: status 1, and lines of the form FILE:LINE: error: WHAT, with the
// value and the remedy; the daemon itself refuses to start with the same words. Nothing is opened or made meanwhile.
"use strict";

const assert = require("node:assert");
const child = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { test, after } = require("node:test");
const { bin, root } = require("./stack");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "filmgate-it-"));
const file = path.join(folder, "x.conf");
const DATA = `data_dir = "${folder}/data";\n`;

const plugins = path.resolve(process.env.FILMGATE_PLUGINS || path.join(root, "build/dev/plugins"));

after(() => fs.rmSync(folder, { recursive: true, force: true }));

function filmgated(...args) {
	const env = { ...process.env };

	delete env.FILMGATE_NO_SUCH_KEY;
	return child.spawnSync(path.join(bin, "filmgated"), args, { encoding: "utf8", timeout: 60000, env });
}

const provider = (more, head = 'id = "a"; plugin = "p";') => `providers = ( {\n ${head}\n ${more}\n} );\n`;

// Line and words of the first complaint about a text that begins in line 1; DATA comes behind it.
const mistakes = {
	"an unknown option": ['colour = "red";', 1, /'colour' is no option: here may stand data_dir, /],
	"an unknown option of a group": ['listen = {\n gprc = "127.0.0.1:1";\n};', 2,
		/'listen\.gprc' is no option: here may stand grpc, unix, http$/],
	"an unknown option of a provider": [provider("concurency = 3;"), 3, /'providers\.concurency' is no option/],
	"a number where a text should be": ["log = { level = 3; };", 1, /log\.level: has the wrong type: write a text/],
	"a text where a number should be": ['drain_s = "90";', 1, /drain_s: has the wrong type: write a whole number/],
	"a text where a group should be": ['limits = "none";', 1, /limits: has the wrong type: write a group/],
	"a number out of range": ["drain_s = -1;", 1, /drain_s: -1 is out of range: take 0 to 86400$/],
	"a number that no computer holds": ["drain_s = 99999999999999999999;", 1, /99999999999999999999/],
	"a word that is none of the choices": ['log = { format = "xml"; };', 1, /'xml' is not one of text, json$/],
	"a relative path": ['plugin_dirs = [ "plugins" ];', 1, /'plugins' is not an absolute path: begin it with a slash/],
	"a door that is open to all": ['listen = { grpc = "0.0.0.0:8980"; };', 1,
		/'0\.0\.0\.0:8980' is not a loopback address: whoever reaches this port can spend money, so write 127\.0\.0\.1/],
	"no door at all": ['listen = { grpc = ""; unix = ""; };', 0, /both grpc and unix are empty/],
	"a syntax error": ["drain_s = 1;\nlisten = { grpc", 3, /syntax error/],
	"an option given twice": ["drain_s = 1;\ndrain_s = 2;", 2, /duplicate setting name/],
	"another file": ['@include "/etc/passwd"', 1, /include/],
	"bytes that are no text": [Buffer.from('log = { level = "\xff"; };', "latin1"), 1, /UTF-8/],
	"groups without end": [`options = ${"{ a = ".repeat(3000)}1;`, 1, /^groups and lists are nested deeper than 32: no option is$/],
	"a provider without a plugin": [provider("", 'id = "a";'), 1, /providers\.plugin: is missing: add it here/],
	"two providers of one name": ['providers = ( { id = "a"; plugin = "p"; },\n { id = "a"; plugin = "q"; } );', 2,
		/'a' is taken by another provider: choose a new one/],
	"a provider's impossible name": [provider("", 'id = "A b"; plugin = "p";'), 2, /'A b' is not a name: use a to z/],
	"a key that would be sent in the clear": [provider('base_url = "http://api.example.com";'), 1,
		/'http:\/\/api\.example\.com' would send the key without TLS: write https, or .* allow_private_network = true/],
	"a URL that is none": [provider('base_url = "api.example.com";'), 3, /'api\.example\.com' is not a base URL: write it as/],
	"a URL with a password": [provider('base_url = "https://me:sk-123@api.example.com/v1";'), 3,
		/base_url: 'https:\/\/' has a user or a password: leave them out; a key belongs in the file of a secret$/],
	"an origin with a password": [provider('origins = [ "https://me:sk-123@api.example.com" ];'), 3,
		/origins: 'https:\/\/' has a user or a password/],
	"a proxy with a password": ['http = { proxy = "http://me:sk-123@127.0.0.1:3128"; };', 1,
		/proxy: 'http:\/\/' has a user or a password/],
	"what would steer a terminal": ['log = { level = "\x1b[2J\x7f\u009b\n"; };', 1, /'\\x1b\[2J\\x7f\\xc2\\x9b\\x0a' is not one of/],
	"pauses that shrink": [provider("poll = { initial_ms = 9000; max_ms = 10; };"), 1,
		/initial_ms: 9000 is above max_ms 10: lower it or raise the other/],
	"a secret in the file": [provider('secrets = { api_key = "sk-123"; };'), 3,
		/'api_key' says no place: end it with _file, _env or _credential/],
	"a secret's file that is missing": [provider('secrets = { api_key_file = "/nonexistent/key"; };'), 3,
		/\/nonexistent\/key.*No such file/],
	"a secret's variable that is not set": [provider('secrets = { api_key_env = "FILMGATE_NO_SUCH_KEY"; };'), 3,
		/FILMGATE_NO_SUCH_KEY/],
	"an option of a plugin that is a group": [provider("options = { a = { }; };"), 3, /'a' is no number, text, true or false/],
};

function complains(args, line, words) {
	const run = filmgated(...args);
	const first = run.stderr.split("\n")[0];
	const place = `${file}${line ? `:${line}` : ""}: error: `;

	assert.strictEqual(run.status, 1, run.stderr);
	assert.ok(first.startsWith(place), `'${first}' begins with '${place}'`);
	assert.match(first.slice(place.length), words);
	assert.ok(!run.stderr.includes("sk-123"), "no secret is repeated");
	assert.strictEqual(run.stdout, "");
	return run.stderr;
}

for (const [name, [text, line, words]] of Object.entries(mistakes))
	test(name, () => {
		fs.writeFileSync(file, Buffer.concat([Buffer.from(text), Buffer.from(`\n${DATA}`)]));
		const said = complains(["--config", file, "--check-config"], line, words);
		assert.strictEqual(complains(["--config", file], line, words), said, "the daemon says the same");
		assert.ok(!fs.existsSync(path.join(folder, "data")), "nothing was made");
	});

test("a file that is not there, is a folder, or is too large", () => {
	fs.rmSync(file, { force: true });
	complains(["--config", file, "--check-config"], 0, /cannot be read: No such file or directory; filmgated --print-config writes/);
	fs.mkdirSync(file);
	complains(["--config", file, "--check-config"], 0, /cannot be read: Is a directory/);
	fs.rmdirSync(file);
	child.execFileSync("mkfifo", [file]);
	complains(["--config", file, "--check-config"], 0, /^is no regular file: name one that holds the configuration$/);
	fs.rmSync(file);
	fs.writeFileSync(file, "#".repeat((1 << 20) + 1));
	complains(["--config", file, "--check-config"], 0, /has more than 1048576 bytes/);
});

test("every mistake is named at once", () => {
	fs.writeFileSync(file, `drain_s = -1;\ncolour = 1;\nlog = { level = 3; };\n${DATA}`);
	const lines = complains(["--config", file, "--check-config"], 2, /colour/).trimEnd().split("\n");
	assert.deepStrictEqual(lines.map((line) => line.split(":")[1]).sort(), ["1", "2", "3"]);
});

test("a file without mistakes, and the sample", () => {
	for (const text of [DATA, filmgated("--print-config").stdout]) {
		fs.writeFileSync(file, text);
		const run = filmgated("--config", file, "--check-config");
		assert.deepStrictEqual([run.status, run.stdout, run.stderr], [0, `${file}: no errors\n`, ""]);
	}
});

test("a provider that its plugin does not take", () => {
	const key = path.join(folder, "key");

	fs.writeFileSync(key, "k\n", { mode: 0o600 });
	fs.writeFileSync(file, `${DATA}plugin_dirs = [ "${plugins}" ];\nproviders = (\n`
		+ ` { id = "a"; plugin = "heygen"; secrets = { apikey_file = "${key}"; }; },\n`
		+ ` { id = "b"; plugin = "heygen"; },\n { id = "c"; plugin = "nowhere"; },\n`
		+ ` { id = "d"; plugin = "heygen"; secrets = { api_key_file = "${key}"; }; } );\n`);
	const run = filmgated("--config", file, "--check-config");
	const lines = run.stderr.trimEnd().split("\n");
	assert.deepStrictEqual([run.status, run.stdout], [0, `${file}: no errors\n`]);
	assert.strictEqual(lines.length, 3, run.stderr);
	for (const [i, words] of [/provider 'a' cannot be used.*has no secret 'apikey'/,
		/provider 'b' cannot be used.*the secret 'api_key' is not configured/,
		/provider 'c' cannot be used.*no file nowhere\.so/].entries()) {
		assert.ok(lines[i].startsWith(`${file}: warning: `), lines[i]);
		assert.match(lines[i], words);
	}
});

test("output that cannot be written", () => {
	const full = fs.openSync("/dev/full", "w");
	fs.writeFileSync(file, DATA);

	for (const program of ["filmgated", "filmgate-sim"])
		for (const args of [["--help"], ["--version"], ["--print-config"], ["--help-config"],
			["--check-config", "--config", file]].slice(0, program === "filmgated" ? 5 : 2)) {
			const run = child.spawnSync(path.join(bin, program), args,
				{ encoding: "utf8", timeout: 60000, stdio: ["ignore", full, "pipe"] });
			assert.strictEqual(run.status, 1, `${program} ${args[0]}`);
			assert.match(run.stderr, /standard output cannot be written: No space left on device/);
		}
	fs.closeSync(full);
});

test("options that do not exist", () => {
	for (const args of [["--colour"], ["--config"], ["x.conf"]]) {
		const run = filmgated(...args);
		assert.strictEqual(run.status, 2, args.join(" "));
		assert.match(run.stderr, /filmgated/);
	}
});
