// A provider that does one thing to each request, and counts what arrived: raw sockets, so that every byte and every
// end is as the cell says, over HTTP/1.1 and HTTP/2, with and without TLS.
//
// Of HTTP/2 it speaks what a server has to (RFC 9113): it takes the frames apart, acknowledges the settings, and writes
// HPACK without compression. A request with a body is a purchase, one without is a question about it.
"use strict";

const assert = require("node:assert");
const net = require("node:net");
const tls = require("node:tls");

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, GOAWAY = 7;
const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
const REASONS = { 103: "Early Hints", 200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized",
	429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable" };

function frame(type, flags, stream, payload = Buffer.alloc(0)) {
	const head = Buffer.alloc(9);

	head.writeUIntBE(payload.length, 0, 3);
	head[3] = type;
	head[4] = flags;
	head.writeUInt32BE(stream, 5);
	return Buffer.concat([head, payload]);
}

function word(number) {
	const bytes = Buffer.alloc(4);

	bytes.writeUInt32BE(number);
	return bytes;
}

// Literals without indexing and without Huffman; nothing here is longer than 126 bytes.
function hpack(fields) {
	const text = (value) => {
		assert.ok(value.length < 127, value);
		return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
	};

	return Buffer.concat(Object.entries(fields).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(`${value}`)]));
}

// One request on one connection; what a cell may do with it.
class Http1 {
	constructor(connection) {
		this.connection = connection;
	}

	head(status, headers = {}) {
		const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);

		this.connection.write(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join("")}\r\n`);
	}

	cutHead(status) {
		this.connection.write(`HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Ty`);
	}

	data(text) {
		this.connection.write(text);
	}

	reply(status, text, headers = {}) {
		this.head(status, { "content-length": Buffer.byteLength(text), "content-type": "application/json", ...headers });
		this.data(text);
	}

	end() {}
}

class Http2 {
	constructor(connection, stream) {
		this.connection = connection;
		this.stream = stream;
	}

	block(status, headers) {
		return hpack({ ":status": status, ...headers });
	}

	head(status, headers = {}) {
		this.connection.write(frame(HEADERS, END_HEADERS, this.stream, this.block(status, headers)));
	}

	cutHead(status) {
		this.connection.write(frame(HEADERS, END_HEADERS, this.stream, this.block(status, { x: "y".repeat(100) })).subarray(0, 40));
	}

	data(text, flags = 0) {
		for (let at = 0; at < text.length || at === 0; at += 16384) {
			const last = at + 16384 >= text.length;
			this.connection.write(frame(DATA, last ? flags : 0, this.stream, Buffer.from(text.slice(at, at + 16384))));
		}
	}

	reply(status, text, headers = {}) {
		this.head(status, { "content-length": Buffer.byteLength(text), "content-type": "application/json", ...headers });
		this.data(text, END_STREAM);
	}

	end() {
		this.connection.write(frame(DATA, END_STREAM, this.stream));
	}

	rst(code) {
		this.connection.write(frame(RST_STREAM, 0, this.stream, word(code)));
	}

	goaway(last, code = 0) {
		this.connection.write(frame(GOAWAY, 0, 0, Buffer.concat([word(last), word(code)])));
	}
}

class Connection {
	// @socket speaks; @raw is the one below it, the same where there is no TLS.
	constructor(provider, socket, raw) {
		Object.assign(this, { provider, socket, raw, bytes: Buffer.alloc(0), withBody: new Set(),
			carried: { purchases: 0, questions: 0 } });
		socket.on("error", () => {});
		socket.on("data", (data) => this.onData(data));
	}

	write(data) {
		if (!this.socket.destroyed) this.socket.write(data);
	}

	// Ends as a careful server does: what was written arrives, TLS says that it ends, the connection closes.
	close() {
		this.socket.end();
	}

	// The connection ends below TLS, which hears nothing of it.
	closeRudely() {
		this.raw.end();
	}

	reset() {
		this.raw.resetAndDestroy();
	}

	onData(data) {
		const cell = this.provider.cell;

		if (this.isOver) return;
		if (cell.onBytes) {
			this.isOver = true;
			cell.onBytes(this);
			return;
		}
		this.bytes = Buffer.concat([this.bytes, data]);
		if (this.provider.isHttp2) this.readFrames();
		else this.readRequest();
	}

	readRequest() {
		const end = this.bytes.indexOf("\r\n\r\n");
		if (end < 0) return;
		const head = this.bytes.subarray(0, end).toString();
		const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
		if (this.bytes.length < end + 4 + length) return;
		this.bytes = this.bytes.subarray(end + 4 + length);
		this.take(head.startsWith("POST "), new Http1(this));
	}

	readFrames() {
		if (!this.hasBegun) {
			if (this.bytes.length < PREFACE.length) return;
			assert.ok(this.bytes.subarray(0, PREFACE.length).equals(PREFACE), "HTTP/2 begins with its preface");
			this.bytes = this.bytes.subarray(PREFACE.length);
			this.hasBegun = true;
			this.write(frame(SETTINGS, 0, 0));
			this.provider.cell.onBegin?.(this, new Http2(this, 0));
		}
		while (this.bytes.length >= 9) {
			const length = this.bytes.readUIntBE(0, 3);
			if (this.bytes.length < 9 + length) return;
			const [type, flags, stream] = [this.bytes[3], this.bytes[4], this.bytes.readUInt32BE(5)];
			this.bytes = this.bytes.subarray(9 + length);
			if (type === SETTINGS && !(flags & ACK)) this.write(frame(SETTINGS, ACK, 0));
			if (type === HEADERS && !(flags & END_STREAM)) this.withBody.add(stream);
			if ((type === HEADERS || type === DATA) && flags & END_STREAM)
				this.take(this.withBody.has(stream), new Http2(this, stream));
		}
	}

	take(isPurchase, request) {
		this.carried[isPurchase ? "purchases" : "questions"]++;
		if (this.carried.purchases && this.carried.questions) this.provider.shared++;
		if (!isPurchase) {
			this.provider.questions++;
			request.reply(200, this.provider.news);
			return;
		}
		this.provider.purchases++;
		this.provider.cell.onRequest?.(request, this);
	}
}

class Provider {
	// @identity: {key, cert} for TLS, and `other`, one that nobody vouches for. Until something is played, every question
	// is answered with an empty object.
	constructor({ isHttp2 = false, identity = null }) {
		Object.assign(this, { isHttp2, identity, news: "{}", cell: {}, purchases: 0, questions: 0, shared: 0, sockets: new Set() });
		this.server = net.createServer((socket) => this.accept(socket));
	}

	async listen(port = 0) {
		await new Promise((resolve) => this.server.listen(port, "127.0.0.1", resolve));
		this.port = this.server.address().port;
	}

	// From here on nobody is there, until listen(port).
	async leave() {
		const closed = new Promise((resolve) => this.server.close(resolve));

		for (const socket of this.sockets) socket.destroy();
		await closed;
	}

	get url() {
		return `${this.identity ? "https" : "http"}://127.0.0.1:${this.port}`;
	}

	// From here on this happens, is counted anew, and questions are answered with @news.
	play(cell, news) {
		Object.assign(this, { cell, news, purchases: 0, questions: 0, connections: 0 });
	}

	accept(raw) {
		this.connections++;
		this.sockets.add(raw);
		raw.on("error", () => {});
		raw.on("close", () => this.sockets.delete(raw));
		if (this.cell.onConnect) {
			this.cell.onConnect(raw);
			return;
		}
		if (!this.identity) {
			new Connection(this, raw, raw);
			return;
		}
		const { key, cert } = this.cell.isImpostor ? this.identity.other : this.identity;
		const secure = new tls.TLSSocket(raw, { isServer: true, key, cert, ALPNProtocols: [this.isHttp2 ? "h2" : "http/1.1"] });
		new Connection(this, secure, raw);
	}
}

module.exports = { Provider };
