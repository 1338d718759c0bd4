#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The manual pages are complete, and say nothing of what there is not: every option and command of `einat -h`, every
# variable of the environment that src/ reads, and every key of src/config_file.c. Who adds one of these writes it there.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=toolchains/tap.sh
. "$top/toolchains/tap.sh"
EINAT=${EINAT:-$top/build/$(uname -m)/einat}
man8=$top/packaging/man/einat.8
man5=$top/packaging/man/einat.toml.5
source=$top/src/config_file.c
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ -x "$EINAT" ] || {
	echo "Bail out! no $EINAT: run make first"
	exit 1
}
"$EINAT" -h >"$tmp/help" || exit 1

# same PAGE WHAT: are the lists $tmp/there and $tmp/page the same? Says what to do where not.
same()
{
	sort -u "$tmp/there" >"$tmp/there.sorted"
	sort -u "$tmp/page" >"$tmp/page.sorted"
	[ -s "$tmp/there.sorted" ] || echo "found no $2 at all"
	comm -23 "$tmp/there.sorted" "$tmp/page.sorted" | sed "s|.*|&: this $2 is missing in packaging/man/$1: add it there|"
	comm -13 "$tmp/there.sorted" "$tmp/page.sorted" | sed "s|.*|&: packaging/man/$1 has it, but there is no such $2|"
	[ -s "$tmp/there.sorted" ] && cmp -s "$tmp/there.sorted" "$tmp/page.sorted"
}

# entries PAGE SECTION: what the section's paragraphs are about, one word a line
entries()
{
	sed 's/\\-/-/g; s/\\f[A-Z]//g' "$1" | awk -v section=".SH $2" '
		/^\.SH/ { inside = $0 == section }
		inside && after { sub(/^\.[A-Z]+ /, ""); gsub(/[",]/, " "); print }
		{ after = $0 == ".TP" }' | tr -s ' ' '\n' | sed '/^$/d'
}

options() { grep -oE '(^|[] "[|])--?[a-z][a-z0-9-]*' | tr -d '] "[|'; }

test_options()
{
	sed -n 's/^  *\(-.*\)/\1/p' "$tmp/help" | options >"$tmp/there"
	entries "$man8" OPTIONS | options >"$tmp/page"
	check "every option has a paragraph in einat.8" same einat.8 option
	options <"$tmp/help" >"$tmp/there"
	sed 's/\\-/-/g' "$man8" | options >"$tmp/page"
	check "einat.8 mentions no other" same einat.8 option
}

test_commands()
{
	sed -n 's/^\(usage:\|      \) einat \([a-z| ]*\).*/\2/p' "$tmp/help" | sed -E 's/ (flush|list|add|del)//g' | tr -s '| ' '\n' | sed '/^$/d' >"$tmp/there"
	entries "$man8" COMMANDS | sed -E '/^(einat|flush|list|add|del)$/d' >"$tmp/page"
	check "every command has a paragraph in einat.8" same einat.8 command
	sed -n '/^\.SH SYNOPSIS/,/^\.SH DESCRIPTION/s/^\.B einat \([a-z]*\).*/\1/p' "$man8" >"$tmp/page"
	check "and is in its synopsis" same einat.8 command
}

test_environment()
{
	grep -ohE 'getenv\("[A-Z_]+"\)' "$top"/src/*.c | cut -d '"' -f 2 >"$tmp/there"
	entries "$man8" ENVIRONMENT >"$tmp/page"
	check "every variable of the environment has a paragraph in einat.8" same einat.8 variable
}

# keys LIST: those of a list in the source
keys()
{
	awk -v list="static const struct key $1[] = {" '
		index($0, list) { inside = 1; next }
		/^\t*};/ { inside = 0 }
		inside && split($0, part, "\"") > 2 { print (/TIME\(/ ? "timeout_" : "") part[2] }' "$source"
}

# described LIST: those that follow its mark in the page
described()
{
	awk -v list="$1" '
		/^\.\\" keys:/ { inside = $3 == list }
		/^\.SH/ { inside = 0 }
		inside && after { sub(/^\.[A-Z]+ /, ""); gsub(/[",]/, " "); print }
		{ after = $0 == ".TP" }' "$man5" | tr -s ' ' '\n' | sed '/^$/d'
}

test_keys()
{
	sed -n 's/.*static const struct key \([a-z_]*\)\[\] = {.*/\1/p' "$source" >"$tmp/there"
	sed -n 's/^\.\\" keys: //p' "$man5" >"$tmp/page"
	check "every list of keys is in einat.toml.5" same einat.toml.5 "list of keys (.\\\\\" keys: NAME)"
	cp "$tmp/page" "$tmp/lists"
	while read -r list; do
		keys "$list" >"$tmp/there"
		described "$list" >"$tmp/page"
		check "$list: einat.toml.5 has each" same einat.toml.5 key
	done <"$tmp/lists"
}

# The formatter has nothing to say.
formats()
{
	said=$(groff -man -ww -Tutf8 -z "$1" 2>&1)
	echo "$said"
	[ -z "$said" ]
}

test_format()
{
	if ! command -v groff >/dev/null; then
		skip "the pages are well-formed" "groff is not there"
		return
	fi
	for page in "$man8" "$man5"; do
		check "${page##*/} is well-formed" formats "$page"
	done
}

test_options
test_commands
test_environment
test_keys
test_format
echo "1..$checks"
