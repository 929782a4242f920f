#!/usr/bin/env python3
"""arch.rooms: who may include whom, and which foreign header belongs to which room.

Arrows point down only. A room that is not in the table is refused, so a new room begins with a line here.
"""

import re

from tree import Check, blank

# Room: the rooms whose headers it may include besides its own. A room is the longest of these names that is the
# beginning of a file's path.
ROOMS = {
    "daemon/base": [],
    "daemon/protojson": ["daemon/base"],
    "daemon/loop": ["daemon/base"],
    "daemon/job": ["daemon/base"],
    "daemon/config": ["daemon/base"],
    "daemon/store": ["daemon/job", "daemon/base"],
    "daemon/http": ["daemon/loop", "daemon/base"],
    "daemon/plugin": ["daemon/job", "daemon/base", "sdk/include"],
    "daemon/artifact": ["daemon/base"],
    "daemon/engine": ["daemon/store", "daemon/http", "daemon/plugin", "daemon/artifact", "daemon/job", "daemon/loop",
                      "daemon/base"],
    "daemon/api": ["daemon/engine", "daemon/job", "daemon/base"],
    "daemon/rpc": ["daemon/api", "daemon/engine", "daemon/base"],
    "daemon/webhook": ["daemon/api", "daemon/protojson", "daemon/engine", "daemon/http", "daemon/job", "daemon/loop",
                       "daemon/base"],
    "daemon/web": ["daemon/webhook", "daemon/api", "daemon/protojson", "daemon/engine", "daemon/base"],
    "daemon/providers.h": ["daemon/engine", "daemon/config"],
    "daemon/providers.c": ["daemon/providers.h", "daemon/engine", "daemon/http", "daemon/plugin", "daemon/config",
                           "daemon/job", "daemon/base"],
    "daemon/main.c": ["daemon/providers.h", "daemon/api", "daemon/rpc", "daemon/web", "daemon/webhook", "daemon/engine", "daemon/http", "daemon/plugin",
                      "daemon/artifact", "daemon/config", "daemon/base"],
    "cli": ["daemon/base"],
    "plugins": ["sdk/include"],
    "sdk/include": [],
    "sdk/sim": ["daemon/base"],
    "sdk/check": ["daemon/plugin", "daemon/job", "daemon/base", "sdk/include"],
    "sdk": ["sdk/include"],
}

# Foreign or generated header: the rooms that may name it. Anything in <> that is listed nowhere is the C library's.
FOREIGN = {
    r"curl/": ["daemon/http"],
    r"rocksdb/": ["daemon/store"],
    r"grpc/": ["daemon/rpc", "cli"],
    r"uv(\.h|/)": ["daemon/loop", "daemon/http"],
    r"dlfcn\.h": ["daemon/plugin"],
    r"libconfig\.h": ["daemon/config"],
    r"yajl/": ["daemon/base"],
    r"jansson\.h": ["sdk/sim"],
    r"microhttpd\.h": ["daemon/web", "sdk/sim"],
    r"nghttp2/": ["sdk/sim"],
    r"openssl/": ["daemon/base", "sdk/sim"],
    r"libsmartcols": ["cli"],
    r"(google/)?protobuf-c/": ["daemon/protojson", "daemon/api", "daemon/rpc", "daemon/web", "daemon/store", "cli"],
    r"filmgate/store/v1/": ["daemon/store"],
    r"google/protobuf/.*\.pb-c\.h": ["daemon/protojson", "daemon/api", "daemon/rpc", "daemon/web", "daemon/store", "cli"],
    r"(filmgate|google|grpc)/.*\.pb-c\.h": ["daemon/api", "daemon/rpc", "daemon/web", "daemon/store", "cli"],
    r"cmocka\.h": [],
}

# Headers of the C library that some rooms must do without, and why.
REFUSED = {
    "daemon/job": (r"(time|fcntl|pthread|threads|signal|poll)\.h|sys/.*", "job/ does no I/O and asks no clock"),
    "daemon/engine": (r"(pthread|threads)\.h", "there are no locks in engine/"),
    "plugins": (r"(pthread|threads|unistd|fcntl|signal|dlfcn|poll|netdb)\.h|(sys|netinet|arpa)/.*|std(io|atomic)\.h",
                "a plugin turns bytes into bytes"),
}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def room_of(path):
    names = [name for name in ROOMS if path == name or path.startswith(name + "/")]
    return max(names, key=len, default=None)


def target_of(path, name, ours):
    """The tree's file that the include means, or None: as the compiler looks, next to the file, then in daemon/."""
    for folder in (path.rpartition("/")[0], "daemon", "sdk/include", "sdk", "cli", ""):
        candidate = f"{folder}/{name}" if folder else name
        parts = []
        for part in candidate.split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part != ".":
                parts.append(part)
        if "/".join(parts) in ours:
            return "/".join(parts)
    return None


def check_include(check, path, line, name, room, ours):
    target = target_of(path, name, ours)
    if target:
        other = room_of(target)
        if other != room and other not in ROOMS[room]:
            allowed = ", ".join(ROOMS[room]) or "nobody"
            check.finding(path, line, f"{room} may not include '{name}' of {other}; it may include {allowed}")
        return
    for pattern, rooms in FOREIGN.items():
        if re.match(pattern, name):
            if room not in rooms:
                place = ", ".join(rooms) or "the tests"
                check.finding(path, line, f"{room} may not include <{name}>; only {place} may")
            return
    pattern, reason = REFUSED.get(room, (None, None))
    if pattern and re.fullmatch(pattern, name):
        check.finding(path, line, f"{room} may not include <{name}>: {reason}")


def main():
    check = Check()
    ours = set(Check.files(check, ".h"))
    count = 0
    for path in check.files(".c", ".h", below=("daemon", "cli", "plugins", "sdk")):
        room = room_of(path)
        if room is None:
            check.finding(path, 1, "this room is not in the table of tests/arch/rooms.py")
            continue
        for match in INCLUDE.finditer(blank(check.read(path), keep_strings=True)):
            line = check.read(path).count("\n", 0, match.start()) + 1
            check_include(check, path, line, match.group(2), room, ours)
            count += 1
    check.end(f"{count} includes")


if __name__ == "__main__":
    main()
