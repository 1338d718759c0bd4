#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds docs/rfc-compliance.md against the RFCs' requirements and against the sources of the tests: no requirement without
# a row, no "yes" without a test, no test that is not there, no test named after an RFC that no row names.
# Then the same on copies of the table with one fault each, which must be seen.
set -u
cd "$(dirname "$0")/.." || exit

TABLE=docs/rfc-compliance.md
# Every requirement, and every clause of one, by the RFCs' own numbers; RFC 7857, 6056, 8200: by section.
REQUIRED='
4787 REQ-1 REQ-2 REQ-3 REQ-3a REQ-4 REQ-5 REQ-5a REQ-5b REQ-5c REQ-6 REQ-6a REQ-7 REQ-8 REQ-8a REQ-9 REQ-9a REQ-10 REQ-10a
4787 REQ-11 REQ-12 REQ-12a REQ-12b REQ-13 REQ-13a REQ-14 REQ-14a
5382 REQ-1 REQ-2 REQ-2a REQ-3 REQ-3a REQ-3b REQ-4 REQ-4a REQ-5 REQ-5a REQ-6 REQ-7 REQ-8 REQ-8a REQ-9 REQ-10
5508 REQ-1 REQ-1a REQ-2 REQ-2a REQ-3 REQ-3a REQ-3b REQ-3c REQ-3d REQ-4 REQ-4a REQ-4b REQ-4c REQ-5 REQ-5a REQ-5b REQ-5c
5508 REQ-6 REQ-7 REQ-7a REQ-8 REQ-9 REQ-10 REQ-10a REQ-10b REQ-10c REQ-10d REQ-10e REQ-10f REQ-11
7857 2 2.1 2.2 3 4 5 6 7 7.1 8 9 10 11 12
6888 REQ-1 REQ-2 REQ-3 REQ-4 REQ-4a REQ-4b REQ-4c REQ-5 REQ-6 REQ-7 REQ-8 REQ-8a REQ-8b REQ-8c REQ-9 REQ-10 REQ-11 REQ-11a
6888 REQ-11b REQ-11c REQ-11d REQ-12 REQ-13 REQ-14 REQ-15
6056 4
768 checksum
791 checksum fragments
1071 sum
1624 update
3022 4.1 4.2 4.3
8200 4 4.5 8.1
4443 errors queries
4861 discovery'

tmp=$(mktemp -d) || exit
trap 'rm -rf "$tmp"' EXIT
n=0

# Every test there is: "test_mapping: rfc4787_req1_..." for one of a program, "scenarios/mapping.t" for a script.
tests_list() {
	awk '{
		text = $0
		while (match(text, /((STEPS|CODE)[A-Z0-9_]*\("|cmocka_unit_test\()[a-z0-9_]+/)) {
			name = substr(text, RSTART, RLENGTH)
			text = substr(text, RSTART + RLENGTH)
			sub(/.*[("]/, "", name)
			file = FILENAME
			gsub(/.*\/|\.c$/, "", file)
			print file ": " name
		}
	}' bpf/tests/test_*.c src/tests/test_*.c
	for script in qemu-tests/scenarios/*.t; do
		echo "${script#qemu-tests/}"
	done
}

required_list() {
	echo "$REQUIRED" | awk '{ for (i = 2; i <= NF; i++) print $1 " " $i }'
}

# rows WHAT FILE: of each row its id, its id and status, or its id and each test that it names.
rows() {
	awk -F ' *[|] *' -v what="$1" '/^[|] [0-9]/ {
		if (what == "id") print $2
		if (what == "status") print $2 "\t" $4 "\t" $5
		n = split($5, part, /`/)
		for (i = 2; what == "test" && i <= n; i += 2) print $2 "\t" part[i]
	}' "$2"
}

# Each of these prints what is wrong with the table in the file $1.
missing() {
	rows id "$1" | sort >"$tmp/have"
	required_list | sort | comm -23 - "$tmp/have" | sed 's/$/: has no row/'
}

invented() {
	rows id "$1" | sort >"$tmp/have"
	required_list | sort | comm -13 - "$tmp/have" | sed 's/$/: there is no such requirement, or it has two rows/'
}

odd_status() {
	rows status "$1" | awk -F '\t' '
		$2 !~ /^(yes|partly|no|no test yet|not applicable)$/ { print $1 ": \"" $2 "\" is no status" }'
}

unproved() {
	rows status "$1" | awk -F '\t' '$2 == "yes" && $3 !~ /`/ { print $1 ": says yes, and names no test" }'
}

not_there() {
	rows test "$1" | awk -F '\t' '
		NR == FNR { there[$0]; next }
		!($2 in there) { print $1 ": there is no test \"" $2 "\"" }' "$tmp/tests" -
}

unnamed() {
	rows test "$1" | cut -f 2 | sort -u >"$tmp/have"
	grep ': rfc[0-9]' "$tmp/tests" | sort -u | comm -23 - "$tmp/have" | sed 's/$/: no row names it/'
}

check() {
	n=$((n + 1))
	wrong=$($2 "$TABLE")
	if [ -z "$wrong" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$wrong" | sed 's/^/# /'
	fi
}

# sees FAULT CHECK SED: the check finds something wrong in the table once the sed script has been at it.
sees() {
	n=$((n + 1))
	sed "$3" "$TABLE" >"$tmp/faulty"
	if ! cmp -s "$TABLE" "$tmp/faulty" && [ "$($2 "$tmp/faulty")" != "$($2 "$TABLE")" ]; then
		echo "ok $n - $2 sees $1"
	else
		echo "not ok $n - $2 sees $1"
	fi
}

tests_list >"$tmp/tests"

check "every requirement has a row" missing
check "every row is of a requirement" invented
check "every status is yes, partly, no, no test yet or not applicable" odd_status
check "every yes names a test" unproved
check "every test that is named is there" not_there
check "every test named after an RFC is in a row" unnamed

sees "a row left out" missing '/^| 4787 REQ-9a /d'
sees "a row too many" invented 's/^| 5382 REQ-10 /| 5382 REQ-11 /'
sees "a row twice" invented '/^| 5382 REQ-10 /p'
sees "another word for yes" odd_status '/^| 4787 REQ-1 /s/| yes |/| surely |/'
sees "a yes without a test" unproved '/^| 4787 REQ-1 /s/| yes | .*/| yes | | |/'
sees "a test that is not there" not_there 's/test_mapping: rfc4787_req7/test_mapping: rfc4787_req77/'
sees "a test of another program" not_there 's/test_mapping: rfc4787_req7/test_tcp: rfc4787_req7/'
sees "a scenario that is not there" not_there 's,scenarios/mapping[.]t,scenarios/maps.t,'
sees "a test in no row" unnamed '/^| 4787 REQ-7 /d'

echo "1..$n"
