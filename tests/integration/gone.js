// Which errors crash.js takes for a daemon that died: a fault that the daemon owns up to is none of them.
"use strict";

const assert = require("node:assert");
const { test } = require("node:test");
const { grpc, isDraining, isGone, rpc } = require("./stack");

function errorOf(code, reason) {
	const metadata = new grpc.Metadata();
	const info = rpc.lookupType("google.rpc.ErrorInfo").encode({ reason, domain: "filmgate" }).finish();
	const any = { type_url: "type.googleapis.com/google.rpc.ErrorInfo", value: info };

	if (reason)
		metadata.set("grpc-status-details-bin",
			Buffer.from(rpc.lookupType("google.rpc.Status").encode({ code, details: [any] }).finish()));
	return Object.assign(new Error(`${code} ${reason}`), { code, metadata });
}

test("a connection that ended is gone", () => {
	for (const code of [grpc.status.UNAVAILABLE, grpc.status.CANCELLED, grpc.status.INTERNAL])
		assert.ok(isGone(errorOf(code)), String(code));
	assert.ok(!isGone(errorOf(grpc.status.UNKNOWN)));
	assert.ok(!isGone(new assert.AssertionError({ message: "revisions have a gap" })));
});

test("a daemon that explains itself is there", () => {
	assert.ok(!isGone(errorOf(grpc.status.INTERNAL, "INTERNAL")));
	assert.ok(!isGone(errorOf(grpc.status.UNAVAILABLE, "STORE_UNAVAILABLE")));
	assert.ok(!isGone(errorOf(grpc.status.UNAVAILABLE, "DRAINING")));
	assert.ok(isDraining(errorOf(grpc.status.UNAVAILABLE, "DRAINING")));
	assert.ok(!isDraining(errorOf(grpc.status.UNAVAILABLE)));
});
