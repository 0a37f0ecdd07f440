# shellcheck shell=bash
# Sourced. Debian packages, installed only when missing, as root or through sudo.
PATH="$PATH:/usr/sbin:/sbin"
packages=()

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need PACKAGE COMMAND: wants the package if the command is not there.
need() {
	command -v "$2" >/dev/null || packages+=("$1")
}

# Installs what was wanted.
install_packages() {
	[ ${#packages[@]} -gt 0 ] || return 0
	command -v apt-get >/dev/null || { echo "Please install: ${packages[*]}" >&2; return 1; }
	echo "Installing Debian packages: ${packages[*]}"
	local apt=(apt-get -q -o DPkg::Lock::Timeout=300)
	as_root "${apt[@]}" update >/dev/null
	as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${packages[@]}" \
		</dev/null >/dev/null
	packages=()
}
