# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The words of the tests that are scripts, to be sourced: one line of TAP a check. They need a folder $tmp of their own, and
# end with `echo "1..$checks"`.

checks=0

# check DESCRIPTION COMMAND...: what the command prints explains a failure
check()
{
	description=$1
	shift
	checks=$((checks + 1))
	# shellcheck disable=SC2154 # the test has made it
	if "$@" >"$tmp/check" 2>&1; then
		echo "ok $checks - $description"
	else
		echo "not ok $checks - $description"
		echo "# $*"
		sed 's/^/# /' "$tmp/check"
	fi
}

# skip DESCRIPTION REASON
skip()
{
	checks=$((checks + 1))
	echo "# SKIPPED: $1: $2" >&2
	echo "ok $checks - $1 # SKIP $2"
}

not() { ! "$@"; }

# until_true COMMAND...: asks again and again, $limit seconds at most
limit=5
until_true()
{
	deadline=$(($(date +%s) + limit))
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -le "$deadline" ] || return 1
		sleep 0.02
	done
}
