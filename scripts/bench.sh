# shellcheck shell=bash
# Sourced, after system.sh. A bench with its services up and this checkout in it as the app.
# Starts only what does not answer, and stops only what it started.
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
bench=${DOGAN_BENCH:-$HOME/frappe-bench}
site=${DOGAN_SITE:-dogan.localhost}
export DOGAN_BENCH=$bench DOGAN_SITE=$site
started=()

bench_exists() { [ -x "$bench/env/bin/python" ] && [ -d "$bench/apps/frappe" ]; }

# What `bench --site SITE ...` runs, without the bench command line.
on_site() {
	(cd "$bench/sites" && ../env/bin/python -m frappe.utils.bench_helper frappe --site "$site" "$@" </dev/null)
}

# configured KEY DEFAULT: a value of common_site_config.json.
configured() {
	"$bench/env/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1])).get(*sys.argv[2:]))' \
		"$bench/sites/common_site_config.json" "$@"
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# wait_for WHAT COMMAND...: until the command succeeds, a minute at most.
wait_for() {
	local what=$1 end=$((SECONDS + 60))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "$what does not answer" >&2; return 1; }
		sleep 0.2
	done
}

start_mariadb() {
	case $(configured db_host localhost) in localhost | 127.0.0.1) ;; *) return 0 ;; esac
	! mariadb-admin ping >/dev/null 2>&1 || return 0
	echo "Starting MariaDB"
	as_root install -d -o mysql /run/mysqld
	as_root setsid mariadbd --user=mysql </dev/null >/dev/null 2>&1 &
	wait_for MariaDB mariadb-admin ping && started+=("as_root mariadb-admin shutdown")
}

start_redis() {
	local conf port
	for conf in "$bench"/config/redis_{cache,queue}.conf; do
		port=$(awk '$1 == "port" { print $2 }' "$conf")
		! listening "$port" || continue
		echo "Starting Redis on port $port"
		(cd "$bench" && exec setsid redis-server "$conf" </dev/null >/dev/null 2>&1) &
		started+=("kill $!")
		wait_for "Redis on port $port" listening "$port"
	done
}

# Workers and web servers that run already may hold old code, and would take our jobs.
warn_of_strangers() {
	local strangers
	strangers=$(pgrep -f "^$bench/env/bin/python .*bench_helper frappe (worker|schedule|serve)" | xargs || true)
	[ -z "$strangers" ] || echo "WARNING: processes of this bench run already and may hold old code: $strangers" >&2
}

install_into_env() {
	local wanted stamp=$bench/env/.dogan_agents
	wanted="$(sha256sum <"$bench/apps/dogan_agents/pyproject.toml") $(realpath "$bench/apps/dogan_agents")"
	[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
	echo "Installing into the bench's environment"
	"$bench/env/bin/python" -m pip install -qq --disable-pip-version-check --root-user-action ignore \
		--editable "$bench/apps/dogan_agents[site]" && echo "$wanted" >"$stamp"
}

# Puts this checkout at apps/dogan_agents. What stood there is set aside and comes back in unlink_app.
link_app() {
	local app=$bench/apps/dogan_agents aside=$bench/archived/dogan_agents
	if [ "$(realpath -q "$app")" != "$root" ]; then
		if [ -e "$app" ] && [ ! -e "$aside" ] && [ ! -L "$aside" ]; then
			mkdir -p "$bench/archived"
			mv "$app" "$aside"
			started+=(unlink_app)
		elif [ -d "$app" ] && [ ! -L "$app" ]; then
			echo "Both $app and $aside exist: remove one" >&2
			return 1
		fi
		ln -sfn "$root" "$app"
	fi
	install_into_env
	grep -qx dogan_agents "$bench/sites/apps.txt" || sed -i '$a dogan_agents' "$bench/sites/apps.txt"
}

unlink_app() {
	rm "$bench/apps/dogan_agents"
	mv "$bench/archived/dogan_agents" "$bench/apps/dogan_agents"
	install_into_env
}

# quietly COMMAND...: shows what it printed only if it failed.
quietly() {
	local output
	output=$("$@" 2>&1) || { printf '%s\n' "$output" | tr '\r' '\n' | tail -60; return 1; }
}

install_on_site() {
	if on_site list-apps --format json | grep -q '"dogan_agents"'; then
		echo "Migrating $site"
		quietly on_site migrate --skip-search-index
	else
		echo "Installing the app on $site"
		quietly on_site install-app dogan_agents
	fi
}

build_assets() {
	ln -sfn "$bench/apps/dogan_agents/dogan_agents/public" "$bench/sites/assets/dogan_agents"
	[ -z "$(find "$root/dogan_agents/public" -name '*.bundle.*' -print -quit)" ] ||
		quietly on_site build --app dogan_agents
}

bench_up() {
	unset CI # on a bench it means in_test, which suppresses mail
	warn_of_strangers
	start_mariadb && start_redis && link_app && install_on_site && build_assets
}

bench_down() {
	local i
	for ((i = ${#started[@]} - 1; i >= 0; i--)); do
		${started[i]} >/dev/null 2>&1 || true
	done
	started=()
}
