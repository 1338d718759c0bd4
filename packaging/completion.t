#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The completions for bash and zsh know every command and option of `einat -h`, and no other, and do what they are to.
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

# zsh_completes WORDS WANTED: the same of zsh
zsh_completes()
{
	got=$(zsh -f "$top/packaging/complete.zsh" "$1" | xargs)
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
if command -v zsh >/dev/null; then
	check "zsh: a command" zsh_completes "einat stat" status
	check "zsh: two" zsh_completes "einat map" "mapping mappings"
	check "zsh: its option" zsh_completes "einat mappings --ext" --external-port
	check "zsh: an option that it has not" zsh_completes "einat status --ext" ""
	check "zsh: a value" zsh_completes "einat watch --protocol " "icmp tcp udp"
	check "zsh: flush" zsh_completes "einat mapping f" flush
	check "zsh: static mappings" zsh_completes "einat forward a" add
	check "zsh: an option behind that" zsh_completes "einat mapping flush --int" --internal
	check "zsh: the daemon's option" zsh_completes "einat -i wan --hair" --hairpin-if
else
	skip "zsh: what it offers" "zsh is not there"
fi
echo "1..$checks"
