#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The examples of README.md, docs/ and the manual pages do what they say, as they are written: /etc/einat.toml is the sample,
# and einat is found where programs are. A daemon becomes ready and ends with success; a question is answered while one is at
# work, or where it asks for a machine without one, on that.

# shellcheck source=src/tests/router.sh
. "$(dirname "$0")/router.sh"

mkdir "$tmp/path"
ln -s "$EINAT" "$tmp/path/einat"
PATH=$tmp/path:$PATH

# Its own /etc, in a mount namespace of its own: `ip netns exec` makes one.
cat >"$tmp/with-etc" <<-'END'
	#!/bin/sh
	mount -t tmpfs etc /etc && cp "$1" /etc/einat.toml && exec sh -c "exec $2"
END
chmod +x "$tmp/with-etc"

# examples FILE: those lines of code that call einat
examples()
{
	awk '
		/^```shell/ || /^\.EX/ { inside = 1 }
		/^```$/ || /^\.EE/ { inside = 0 }
		inside && /^einat / { gsub(/\\-/, "-"); print }' "$1"
}

# tables FILE: configuration files, each into $tmp/table.N; prints how many
tables()
{
	rm -f "$tmp"/table.*
	awk -v to="$tmp/table." '
		/^```toml/ || /^\.EX/ { inside = 1; n++; next }
		/^```$/ || /^\.EE/ { inside = 0 }
		inside { gsub(/\\-/, "-"); print >(to n) }
		END { print n + 0 }' "$1"
}

ready_or_waiting() { grep -qE '^einat: [^ ]*: (203\.0\.113\.2 |not there, waiting)' "$tmp/log"; }

# daemon COMMAND: it gets ready, or waits for its interface, and ends with success
daemon()
{
	: >"$tmp/log"
	ip netns exec "$ns" "$tmp/with-etc" "$top/packaging/einat.toml" "$1" 2>>"$tmp/log" &
	pid=$!
	until_true ready_or_waiting || cat "$tmp/log"
	stop TERM 0 && ready_or_waiting
}

# question COMMAND: answered, with warnings at most
question()
{
	router timeout 20 "$tmp/with-etc" "$top/packaging/einat.toml" "$1"
	got=$?
	echo "exit status $got"
	[ $got -eq 0 ] || [ $got -eq 3 ]
}

# asks COMMAND: where an einat is at work
asks()
{
	start -i wan
	until_true grep -q '^einat: wan: 203.0.113.2 ' "$tmp/log"
	question "$1"
	answered=$?
	stop TERM 0 && [ $answered -eq 0 ]
}

# try FILE COMMAND
try()
{
	case $2 in
	"einat -"*) check "$1: $2" daemon "$2" ;;
	"einat check "* | "einat cleanup"* | "einat doctor "*) check "$1: $2" question "$2" ;;
	*) check "$1: $2" asks "$2" ;;
	esac
}

# What a doctor wants to see.
healthy()
{
	router sysctl -qw net.ipv4.ip_forward=1
	ip -n "$ns" route add default dev wan
}

topology_or_nothing "the examples"
healthy
state "$tmp/before"
cd "$top" || exit
for file in README.md docs/*.md packaging/man/einat.8; do
	examples "$file" >"$tmp/examples"
	case $file in
	docs/*) [ -s "$tmp/examples" ] || continue ;;
	esac
	check "$file has examples" [ -s "$tmp/examples" ]
	while read -r line <&8; do
		try "$file" "$line"
	done 8<"$tmp/examples"
done
check "nothing is left of them" as_before
count=$(tables "$top/packaging/man/einat.toml.5")
check "einat.toml.5 has examples" [ "$count" -ge 1 ]
while [ "$count" -gt 0 ]; do
	check "einat.toml.5: example $count" "$EINAT" check -c "$tmp/table.$count"
	count=$((count - 1))
done
check "the sample" "$EINAT" check -c "$top/packaging/einat.toml"
echo "1..$checks"
