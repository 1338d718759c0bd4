# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the tests of the running daemon share. The router is the network namespace $ns. EINAT is the program, NETSTATE what
# prints the kernel's state, PEER what sends a datagram, REFUSE what denies a system call; by default those of
# build/<this machine>. Needs root for all but the arguments.

set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=toolchains/tap.sh
. "$top/toolchains/tap.sh"
EINAT=${EINAT:-$top/build/$(uname -m)/einat}
NETSTATE=${NETSTATE:-$top/build/$(uname -m)/peers/netstate}
PEER=${PEER:-$top/build/$(uname -m)/peers/peer}
REFUSE=${REFUSE:-$top/build/$(uname -m)/peers/refuse}
PATH=$PATH:/usr/sbin:/sbin
ns=einat-$(basename "$0" .t)-$$
namespaces=$ns
tmp=$(mktemp -d)
pid=
by=
export RUNTIME_DIRECTORY="$tmp/run"

cleanup()
{
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	for namespace in $namespaces; do
		ip netns pids "$namespace" 2>/dev/null | xargs -r kill -KILL
		ip netns delete "$namespace" 2>/dev/null
	done
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# says STATUS LINE COMMAND...: does the command exit with this status, LINE all that it says?
says()
{
	status=$1 line=$2
	shift 2
	if [ "$1" = router ]; then
		shift
		set -- ip netns exec "$ns" "$@"
	fi
	got=0
	timeout 5 "$@" >"$tmp/out" 2>&1 || got=$?
	[ "$got" -eq "$status" ] || echo "exit status $got, want $status"
	printf '%s\n' "$line" | diff - "$tmp/out" && [ "$got" -eq "$status" ]
}

router() { ip netns exec "$ns" "$@"; }

# as_before: is the kernel's state what it was when state "$tmp/before" looked?
as_before()
{
	state "$tmp/now"
	diff "$tmp/before" "$tmp/now"
}

# start OPTION...: in the background, by $by if that is set, what it says goes to $tmp/log
start()
{
	: >"$tmp/log"
	# shellcheck disable=SC2086 # words
	ip netns exec "$ns" $by "$EINAT" "$@" 2>>"$tmp/log" & # no function: $! has to be the program itself
	pid=$!
}

said() { grep -qxF "einat: $1" "$tmp/log"; }

# The shell may have taken note of its end already, or not yet.
has_ended() { ! grep -q '^State:.[^Z]' "/proc/$pid/status" 2>/dev/null; }

# stop SIGNAL STATUS: does it end with that status?
stop()
{
	kill "-$1" "$pid"
	until_true has_ended || { echo "still there after $limit s" && kill -KILL "$pid"; }
	wait "$pid"
	got=$?
	pid=
	[ "$got" -eq "$2" ] || { echo "exit status $got, want $2" && cat "$tmp/log" && false; }
}

mac() { ip -n "$ns" -o link show wan | sed 's/.*link.ether \([^ ]*\).*/\1/'; }

# is COMMAND TEXT: does the command print exactly this, by and by?
prints() { [ "$("$1")" = "$2" ]; }
is() { until_true prints "$@" || { "$1" && false; }; }

says_only() { printf 'einat: %s\n' "$1" | diff - "$tmp/log"; }

# as is, whatever the order within one preference
sorted() { "$1" | sort; }
prints_sorted() { [ "$(sorted "$1")" = "$(echo "$2" | sort)" ]; }
is_sorted() { until_true prints_sorted "$@" || { "$1" && false; }; }

for program in "$EINAT" "$NETSTATE" "$PEER" "$REFUSE"; do
	[ -x "$program" ] || {
		echo "Bail out! no $program: run make first"
		exit 1
	}
done
