# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Debian packages of any suite and any architecture, without root and without
# touching /etc/apt: a private sources list and state folder for each pair, in
# the cache. The mirror is whichever this machine's apt uses; apt checks the
# signatures and hashes. Sourced by what needs a package: see the functions.

EINAT_CACHE=${EINAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/einat}

fail()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# The functions' bodies are subshells, so that their variables are their own.

# debian_mirror SUITE: where this machine's apt gets that suite's archive from.
debian_mirror()
(
	label=Debian
	case $1 in *-security) label=Debian-Security ;; esac
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
		awk -v label="$label" '$1 == label && !found++ { print $2 }'
)

# debian_apt SUITE DEBIAN_ARCH COMMAND...: an apt command in the pair's state.
debian_apt()
(
	state=$EINAT_CACHE/apt/$1-$2 arch=$2 command=$3
	shift 3
	"$command" -q \
		-o Dir::Etc::sourcelist="$state/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State::lists="$state/lists" \
		-o Dir::State::status="$state/status" \
		-o Dir::Cache="$state/cache" \
		-o APT::Architecture="$arch" \
		-o APT::Architectures="$arch" \
		-o APT::Default-Release= \
		-o APT::Sandbox::User= \
		-o Acquire::Languages=none \
		-o Acquire::Retries=3 \
		"$@"
)

# debian_update SUITE DEBIAN_ARCH: fetch the index of the pair's packages.
debian_update()
(
	state=$EINAT_CACHE/apt/$1-$2
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	mirror=$(debian_mirror "$1")
	if [ -z "$mirror" ]; then
		echo "apt knows no Debian mirror with $1 here: run apt-get update first" >&2
		return 1
	fi
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	: >"$state/status"
	[ ! -r "$keyring" ] || mirror="[signed-by=$keyring] $mirror"
	echo "deb $mirror $1 main" >"$state/sources.list"
	echo "fetching Debian's index of $1 for $2" >&2
	debian_apt "$1" "$2" apt-get update --error-on=any >"$state/log" 2>&1 && return
	cat "$state/log" >&2
	return 1
)

# debian_unpack SUITE DEBIAN_ARCH FOLDER PACKAGE...: download, unpack, install nothing.
debian_unpack()
(
	suite=$1 arch=$2 download=$3/download
	shift 3
	mkdir -p "$download"
	cd "$download" || return
	echo "fetching $* from $suite for $arch" >&2
	if ! debian_apt "$suite" "$arch" apt-get download "$@" >log 2>&1; then
		cat log >&2
		return 1
	fi
	for deb in *.deb; do
		dpkg -x "$deb" .. || return
	done
	rm -r "$download"
)
