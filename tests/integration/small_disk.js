// A disk of any size below one folder, for a daemon that is started with env(): see small_disk.c.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");

class SmallDisk {
	constructor(folder, file) {
		assert.ok(process.env.FILMGATE_SMALL_DISK, "FILMGATE_SMALL_DISK names the library");
		this.folder = fs.realpathSync(folder);
		this.file = fs.openSync(file, "w+");
		this.path = file;
	}

	// How many bytes may still be written.
	set room(bytes) {
		const number = Buffer.alloc(8);

		number.writeBigInt64LE(BigInt(bytes));
		fs.writeSync(this.file, number, 0, 8, 0);
	}

	get room() {
		const number = Buffer.alloc(8);

		fs.readSync(this.file, number, 0, 8, 0);
		return Number(number.readBigInt64LE());
	}

	// A sanitizer wants to be the first library.
	env() {
		const preload = [process.env.FILMGATE_PRELOAD_FIRST, process.env.FILMGATE_SMALL_DISK];

		return {
			LD_PRELOAD: preload.filter(Boolean).join(":"),
			SMALL_DISK_FOLDER: this.folder,
			SMALL_DISK_ROOM: this.path,
		};
	}

	close() {
		fs.closeSync(this.file);
	}
}

module.exports = { SmallDisk };
