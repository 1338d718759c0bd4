#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The completions for bash and zsh know every command and option of `einat -h`, and no other; bash's does what it is to.
set -u

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=toolchains/tap.sh
. "$top/toolchains/tap.sh"
EINAT=${EINAT:-$top/build/$(uname -m)/einat}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ -x "$EINAT" ] || {
	echo "Bail out! no $EINAT: run make first"
	exit 1
}
"$EINAT" -h >"$tmp/help" || exit 1

options() { grep -oE -e '--[a-z][a-z0-9-]+' | sort -u; }
same() { diff "$tmp/there" "$tmp/known"; }

# completes WORDS WANTED: what bash offers after them, the last of which may be begun
completes()
{
	# shellcheck disable=SC2016 # bash's
	got=$(bash -c '. "$1"; COMP_WORDS=($2); case $2 in *" ") COMP_WORDS+=("") ;; esac
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _einat; echo "${COMPREPLY[@]}"' bash "$top/packaging/completion/einat.bash" "$1")
	echo "$got"
	[ "$got" = "$2" ]
}

sed -n 's/^\(usage:\|      \) einat \([a-z| ]*\).*/\2/p' "$tmp/help" | tr -s '| ' '\n' | sed -E '/^(|flush|list|add|del)$/d' | sort -u >"$tmp/commands"
for file in einat.bash _einat; do
	options <"$tmp/help" >"$tmp/there"
	options <"$top/packaging/completion/$file" >"$tmp/known"
	check "$file: the options of einat -h" same
	cp "$tmp/commands" "$tmp/there"
	sed -n 's/.*commands=["(]\([a-z ]*\)[")].*/\1/p' "$top/packaging/completion/$file" | tr ' ' '\n' | sort >"$tmp/known"
	check "$file: its commands" same
done
check "bash: a command" completes "einat stat" status
check "bash: two" completes "einat map" "mappings mapping"
check "bash: its option" completes "einat mappings --ext" --external-port
check "bash: an option that it has not" completes "einat status --ext" ""
check "bash: a value" completes "einat watch --protocol " "tcp udp icmp"
check "bash: flush" completes "einat mapping f" flush
check "bash: static mappings" completes "einat forward a" add
check "bash: the daemon's option" completes "einat -i wan --hair" --hairpin-if
echo "1..$checks"
