# A simulator and a daemon on loopback in a folder of their own. Sourced by demo/run, demo/serve and the tests that
# need both; they set `data` and call what they need. Everything that is started is stopped by its process id.

bin=${FILMGATE_BIN:-build/release/bin}
plugins=${FILMGATE_PLUGINS:-$(dirname "$bin")/plugins}
sim_pid='' daemon_pid='' sim_url='' grpc_address='' http_address='' socket=''

# wait_ready FILE PID: the one line that a program prints when it is ready.
wait_ready() {
	local line tries

	for ((tries = 0; tries < 600; tries++)); do
		line=$(grep -m1 '^ready ' "$1" 2>/dev/null) && echo "$line" && return
		kill -0 "$2" 2>/dev/null || return 1
		sleep 0.05
	done
	return 1
}

# value_of NAME LINE: the value of NAME=… in a ready line.
value_of() {
	sed -nE "s/.* $1=([^ ]*).*/\1/p" <<<"$2 "
}

# start_simulator [OPTIONS]
start_simulator() {
	local line

	"$bin/filmgate-sim" --listen 127.0.0.1:0 --files-listen 127.0.0.1:0 --data "$data/sim" \
		--cache "${FILMGATE_SIM_CACHE:-$data/cache}" "$@" >"$data/sim.out" 2>"$data/sim.log" &
	sim_pid=$!
	line=$(wait_ready "$data/sim.out" "$sim_pid") || {
		tail -n 5 "$data/sim.log" >&2
		return 1
	}
	sim_url=$(value_of sim "$line")
}

# write_config [CONCURRENCY [POLL_MS]]
write_config() {
	socket=$data/filmgated.sock
	cat >"$data/filmgated.conf" <<-END
		data_dir = "$data/filmgate";
		listen = { grpc = "127.0.0.1:0"; unix = "$socket"; http = "127.0.0.1:0"; };
		limits = { reserve_bytes = 0L; };
		plugin_dirs = ( "$(realpath "$plugins")" );
		providers = ( {
			id = "heygen";
			plugin = "heygen";
			base_url = "$sim_url";
			secrets = { api_key_env = "FILMGATE_HEYGEN_KEY"; };
			concurrency = ${1:-4};
			poll = { initial_ms = ${2:-250}; max_ms = $((4 * ${2:-250})); };
			allow_private_network = true;
		}, {
			id = "veo";
			plugin = "veo";
			base_url = "$sim_url";
			origins = ( "https://storage.googleapis.com" );
			secrets = { service_account_file = "$data/sim/service-account.json"; };
			options = { project = "demo"; storage_uri = "gs://demo/films"; storage_url = "$sim_url"; };
			concurrency = ${1:-4};
			poll = { initial_ms = ${2:-250}; max_ms = $((4 * ${2:-250})); };
			allow_private_network = true;
		} );
	END
}

start_daemon() {
	local line

	: >"$data/daemon.out"
	FILMGATE_HEYGEN_KEY=sim-key "$bin/filmgated" --config "$data/filmgated.conf" \
		>"$data/daemon.out" 2>>"$data/daemon.log" &
	daemon_pid=$!
	line=$(wait_ready "$data/daemon.out" "$daemon_pid") || {
		tail -n 5 "$data/daemon.log" >&2
		return 1
	}
	grpc_address=$(value_of grpc "$line")
	http_address=$(value_of http "$line")
}

# stop PID [SIGNAL]: and wait until it is gone.
stop() {
	[[ -n $1 ]] || return 0
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || true
}

stop_all() {
	stop "$daemon_pid"
	stop "$sim_pid"
	daemon_pid='' sim_pid=''
}
