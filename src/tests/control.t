#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The control socket: what a person and a program read from it, who may ask, and that no client makes the daemon wait. The
# mappings are those of the router's own traffic from managed ports. Needs root.

# shellcheck source=src/tests/router.sh
. "$(dirname "$0")/router.sh"
file=$tmp/einat.toml

ask() { ip netns exec "$ns" "$EINAT" "$@"; }

# socket: the daemon's
socket() { find "$RUNTIME_DIRECTORY" -type s; }

# burst FIRST LAST: mappings of 192.168.1.1's UDP ports
burst() { [ "$(router "$tmp/burst" 192.168.1.1 "$1" "$2" 198.51.100.7)" = $(($2 - $1 + 1)) ]; }

# json FILTER WORDS...: is it true of the answer?
json()
{
	filter=$1
	shift
	ask "$@" >"$tmp/json" && jq -e "$filter" "$tmp/json"
}

# raw BYTES: what the socket says to them, at most 1 KB, NUL as 0
# shellcheck disable=SC2059 # escapes
raw() { printf "$1" | router timeout 8 "$tmp/burst" raw "$(socket)" | tr '\0' 0; }
answers() { [ "$(raw "$1")" = "$2" ] || { raw "$1" && false; }; }

# counts N WORDS...: are there so many mappings of UDP?
counts()
{
	number=$1
	shift
	[ "$(ask mappings "$@" | grep -c "^udp")" = "$number" ]
}

started()
{
	until_true grep -q '(\(tcx\|clsact\))' "$tmp/log" && until_true [ -S "$(socket)" ]
}

prepare()
{
	"${CC:-cc}" -Wall -Wextra -o "$tmp/burst" "$top/src/tests/burst.c" || exit 1
	ip -n "$ns" neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev wan nud permanent
	ip -n "$ns" route add 198.51.100.0/24 via 203.0.113.9
	router sysctl -qw net.ipv4.ip_unprivileged_port_start=0
	chmod 755 "$tmp"
	mkdir -m 755 "$tmp/bin"
	cp "$EINAT" "$tmp/bin/einat"
}

test_nobody()
{
	check "without a daemon: said" says 1 "einat: no einat is running here" router "$EINAT" status
	check "a bad option needs no daemon to be refused" \
		says 2 'einat: protocol: "sctp": not tcp, udp or icmp' "$EINAT" mappings --protocol sctp
}

test_empty()
{
	start -i wan
	check "starts" started
	check "the socket is its owner's alone" [ "$(stat -c '%a %u' "$(socket)")" = "600 0" ]
	check "status: as a table" eval 'ask status | grep -qx "nothing is wrong"'
	check "status: as JSON" json '.problems == [] and .interfaces[0].interface == "wan" and .interfaces[0].attached and
		.interfaces[0].externals == ["203.0.113.2"] and .interfaces[0].memory > 1000000 and .memory > 100000 and
		(.interfaces[0].ports | map(.managed) == [10000, 10000, 64536])' status --json
	check "no mappings" says 0 none router "$EINAT" mappings
	for list in mappings sessions hosts; do
		check "$list: none, as JSON" json ".$list == []" "$list" --json
	done
	check "counters: every reason, in both directions" \
		json '.counters | length > 70 and all(.packets >= 0 and .verdict != "")' counters --json
	check "reload: there is no file" \
		says 1 "einat: there is no configuration file to read again" router "$EINAT" reload
	check "an interface that it has not" says 1 "einat: lan: is not among this einat's interfaces" router "$EINAT" status -i lan
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	until_true said "wan: no external IPv4 address, waiting for one"
	check "what is wrong is said" json '.problems == ["wan: no external IPv4 address"]' status --json
	ip -n "$ns" link delete wan
	until_true said "wan: not there, waiting for it"
	check "an interface that is gone, too" json '.problems == ["wan: is not there"]' status --json
	check "and that it has no mappings" json '.mappings == []' mappings --json
	wan_add
	prepare_wan
	until_true json '.problems == []' status --json
	check "and that all is well again" json '.problems == []' status --json
	check "stops" stop TERM 0
	check "the socket goes with it" [ -z "$(ls "$RUNTIME_DIRECTORY")" ]
}

prepare_wan()
{
	ip -n "$ns" neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev wan nud permanent
	ip -n "$ns" route add 198.51.100.0/24 via 203.0.113.9
}

test_mappings()
{
	start -i wan
	started
	burst 20001 20003
	check "mappings: as a table" eval 'ask mappings | grep -Eqx "udp   20002 +[12]:[0-9][0-9] +0 live   192.168.1.1:20002"'
	check "mappings: as JSON" json '.mappings | length == 3 and (map(.external_port) | sort == [20001, 20002, 20003]) and
		all(.internal_address == "192.168.1.1" and .external_address == "203.0.113.2" and .protocol == "udp" and
		.state == "live" and .expires > 100)' mappings --json
	check "by external port" json '.mappings | length == 1 and .[0].internal_port == 20002' \
		mappings --json --external-port 20002
	check "by internal address" counts 3 --internal 192.168.1.1
	check "by another one" json '.mappings == []' mappings --json --internal 192.168.1.2
	check "by network" json '.mappings | length == 3' mappings --json --internal 192.168.0.0/16
	check "by protocol" json '.mappings == []' mappings --json --protocol tcp
	check "status: how many" json '.interfaces[0].ports[1] | .mappings == 3 and .used == 3 and .peak == 3' status --json
	check "hosts: who" json '.hosts == [{interface: "wan", family: "ipv4", address: "192.168.1.1", ports: 3, tcp: 0,
		tcp_limit: null, udp: 3, udp_limit: null, icmp: 0, icmp_limit: null}]' hosts --json
	check "counters: what became of the packets" \
		json '.counters | map(select(.reason == "out_new"))[0] | .packets == 3 and .direction == "out"' counters --json
	check "flush one" says 0 "mappings ended: 1" router "$EINAT" mapping flush --external-port 20002
	check "it is held for its host" json '.mappings | map(select(.external_port == 20002))[0].state == "held"' mappings --json
	check "flush: the rest" json '.ended == 2' mapping flush --json
	check "none is alive" json '.interfaces[0].ports[1] | .mappings == 0 and .used == 3 and .peak == 3' status --json
	burst 20001 20001
	check "its host has its port back" json '.mappings | map(select(.state == "live")) | length == 1' mappings --json
}

# A connection to nobody, and one whose FIN and SYN have been seen, would need a remote: the SYN alone is enough here.
test_sessions()
{
	router timeout 1 "$PEER" ask tcp 192.168.1.1:20100 198.51.100.7:80 >"$tmp/ask" 2>&1
	check "sessions: a SYN without an answer" json '.sessions | length == 1 and (.[0] | .state == "opening" and
		.remote_address == "198.51.100.7" and .remote_port == 80 and .internal_port == 20100)' sessions --json
	check "sessions: by another protocol" json '.sessions == []' sessions --json --protocol udp
	check "sessions: as a table" eval 'ask sessions | grep -Eqx "tcp   20100 opening 192.168.1.1:20100     198.51.100.7:80"'
}

test_watch()
{
	ip netns exec "$ns" "$EINAT" watch --json >"$tmp/watch" &
	watcher=$!
	ip netns exec "$ns" "$EINAT" watch --external-port 20202 >"$tmp/watch-one" &
	watcher_one=$!
	# it shows what is made after it has looked for the first time: more are made until it shows one
	port=20200
	seen() { burst $port $port && port=$((port + 1)) && grep -q '"event":"made"' "$tmp/watch"; }
	check "watch: a mapping is made" until_true seen
	check "watch: its lines are JSON" jq -e '.interface == "wan"' "$tmp/watch"
	# each time it is another mapping of that port: whenever the watcher looks for the first time, the next is news to it
	seen_one() { ask mapping flush >"$tmp/flushed" && burst 20202 20202 && grep -q "mapping made" "$tmp/watch-one"; }
	check "watch: one port alone" until_true seen_one
	ask mapping flush >"$tmp/flushed"
	check "watch: it ends" until_true grep -qx "wan: mapping ended: udp 192.168.1.1:20202, external port 20202" "$tmp/watch-one"
	check "watch: all of it ends" until_true grep -q '"event":"ended"' "$tmp/watch"
	check "watch: no other" not grep -qv 20202 "$tmp/watch-one"
	kill -KILL "$watcher"
	kill "$watcher_one"
	wait "$watcher" "$watcher_one" 2>/dev/null
	check "a watcher that is killed leaves the daemon at work" json '.problems == []' status --json
}

# In a terminal of its own, which `script` makes and whose output goes to $tmp/top.
test_top()
{
	burst 20001 20003
	ip netns exec "$ns" env TERM=dumb "$EINAT" top >"$tmp/plain" &
	plain=$!
	two_frames() { [ "$(grep -c "^einat .*mappings by host$" "$tmp/plain")" -ge 2 ]; }
	check "top without a terminal: frames, one below the other" until_true two_frames
	check "top: who has most" grep -qx "       [0-9]*        [0-9]* *[0-9]*        0 192.168.1.1" "$tmp/plain"
	check "top: no escapes" not grep -q "$(printf '\033')" "$tmp/plain"
	kill "$plain"
	wait "$plain"
	check "top: SIGTERM ends it" [ $? -eq 0 ]
	: >"$tmp/top"
	ip netns exec "$ns" script -qefc "TERM=vt100 $EINAT top" "$tmp/top" </dev/null >"$tmp/script" 2>&1 &
	terminal=$!
	until_true grep -q "mappings by host" "$tmp/top"
	check "top in a terminal takes another screen" grep -qF "$(printf '\033[?1049h\033[?25l')" "$tmp/top"
	for client in $(ip netns pids "$ns"); do
		[ "$client" = "$pid" ] || [ "$(cat "/proc/$client/comm")" != einat ] || kill "$client"
	done
	check "and gives it back when it is ended" until_true grep -qF "$(printf '\033[?25h\033[?1049l')" "$tmp/top"
	wait "$terminal"
}

test_protocol()
{
	check "a request by hand" answers 'hosts json internal=192.0.2.1\n' 'ok
{"hosts":[

]}
0'
	check "garbage is refused" answers 'GET / HTTP/1.1\r\n\r\n' 'error: one request a connection'
	check "so are bytes" answers '\001\002\377\n' 'error: the request has byte 0x01 in it'
	check "so is a line that does not end" answers "$(printf '%0300d' 0)" 'error: the request is longer than 255 bytes'
	check "so are two lines" answers 'status\nstatus\n' 'error: one request a connection'
	check "so is an empty line" answers '\n' 'error: "": unknown command'
	check "so is no line at all" answers '' ''
	check "who says nothing is let go" silence
}

# The daemon closes what has said nothing for 5 s.
silence() { router timeout 20 "$tmp/burst" idle "$(socket)"; }

test_permission()
{
	chmod 755 "$RUNTIME_DIRECTORY"
	check "another user gets nothing" says 1 "einat: $(socket): Permission denied" \
		router setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/einat" status
	chmod 700 "$RUNTIME_DIRECTORY"
	check "nor from a directory that is closed" says 1 "einat: $RUNTIME_DIRECTORY: Permission denied" \
		router setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/einat" status
	check "stops, a watcher or not" stop TERM 0
	printf '[control]\ngroup = "65533"\nmode = "0660"\n[[interfaces]]\nif_name = "wan"\nnat44 = true\n' >"$file"
	start -c "$file"
	started
	check "a group's socket" [ "$(stat -c '%a %g' "$(socket)")" = "660 65533" ]
	member="setpriv --reuid 65534 --regid 65534 --groups 65533"
	# shellcheck disable=SC2086 # words
	check "a member may look" eval "router $member $tmp/bin/einat status | grep -qx 'nothing is wrong'"
	# shellcheck disable=SC2086 # words
	check "but change nothing" says 1 "einat: only root may do that" router $member "$tmp/bin/einat" mapping flush
	# shellcheck disable=SC2086 # words
	check "nor make it read its file" says 1 "einat: only root may do that" router $member "$tmp/bin/einat" reload
	# shellcheck disable=SC2086 # words
	check "nor make a static mapping" says 1 "einat: only root may do that" \
		router $member "$tmp/bin/einat" forward add tcp:8000=192.168.1.2:80
	# shellcheck disable=SC2086 # words
	check "which it may look at" says 0 none router $member "$tmp/bin/einat" forward list
	check "who is no member gets nothing" says 1 "einat: $(socket): Permission denied" \
		router setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/einat" status
	check "root may" says 0 "the configuration file is in force" router "$EINAT" reload
	echo 'ipv4_hairpin_route.internal_if_names = ["lo", "lan"]' >>"$file"
	ip -n "$ns" neighbour add 203.0.113.2 lladdr 02:00:00:00:00:99 dev wan nud permanent
	check "what could not be set up is said" says 1 "einat: $file is in force, but this has failed, and is tried again: hairpin: a\
 permanent neighbour that is not ours is in the way of: neighbour 203.0.113.2 dev wan $(mac)" router "$EINAT" reload
	ip -n "$ns" neighbour delete 203.0.113.2 dev wan
	check "and no more when it can be" says 0 "the configuration file is in force" router "$EINAT" reload
	sed -i '/hairpin/d' "$file"
	echo "timeout_udp_min = 1s" >>"$file"
	check "a bad file is refused, and why" says 1 "einat: $file:7:19: \"1s\": not a number" router "$EINAT" reload
	sed -i '/timeout/d; s/0660/0600/' "$file"
	check "the socket's mode takes a restart" says 1 "einat: [control]: has changed: needs a restart" router "$EINAT" reload
	check "stops" stop TERM 0
	sed -i 's/65533/no-such-group/; s/0600/0666/' "$file"
	start -c "$file"
	started
	check "a group that there is not leaves it to root" [ "$(stat -c '%a %g' "$(socket)")" = "600 0" ]
	check "and is said" said 'warning: control socket: group "no-such-group": there is no such group'
	check "stops" stop TERM 0
}

# Prometheus' text format: each family's HELP and TYPE once and in front of its samples, which are numbers.
well_formed()
{
	awk '
		/^# HELP einat_[a-z_]* [A-Z].*[.]$/ { if (seen[$3]++) bad = 1; family = $3; next }
		/^# TYPE einat_[a-z_]* (gauge|counter)$/ { if ($3 != family) bad = 1; next }
		/^einat_[a-z_]*([{]([a-z]+="[^"]*",?)+[}])? [0-9]+$/ { split($0, part, /[{ ]/); if (part[1] != family) bad = 1; n++; next }
		{ print; bad = 1 }
		END { exit bad || n < 100 }' "$1"
}

# http BYTES: the answer
# shellcheck disable=SC2059 # escapes
http() { printf "$1" | router timeout 8 "$tmp/burst" tcp 127.0.0.1 9586 | tr -d '\r'; }
http_says()
{
	http "$1" >"$tmp/http"
	[ "$(head -n 1 "$tmp/http")" = "HTTP/1.0 $2" ] || { cat "$tmp/http" && false; }
}

test_metrics()
{
	printf '[control]\nmetrics_listen = "127.0.0.1:9586"\n[[interfaces]]\nif_name = "wan"\nnat44 = true\n' >"$file"
	start -c "$file"
	started
	burst 20001 20003
	ask metrics >"$tmp/metrics"
	check "metrics: well-formed" well_formed "$tmp/metrics"
	check "metrics: mappings" grep -qxF 'einat_mappings{interface="wan",family="ipv4",protocol="udp"} 3' "$tmp/metrics"
	check "metrics: packets" grep -qxF \
		'einat_packets_total{interface="wan",family="ipv4",direction="out",verdict="translate",reason="out_new"} 3' "$tmp/metrics"
	check "HTTP: GET /metrics" http_says 'GET /metrics HTTP/1.1\r\nHost: router\r\n\r\n' "200 OK"
	sed '1,/^$/d' "$tmp/http" >"$tmp/body"
	check "HTTP: the same" well_formed "$tmp/body"
	check "HTTP: nothing else" http_says 'GET / HTTP/1.1\r\n\r\n' "404 Not Found"
	check "HTTP: no name that only begins so" http_says 'GET /metrics2 HTTP/1.1\r\n\r\n' "404 Not Found"
	check "HTTP: no other method" http_says 'POST /metrics HTTP/1.1\r\n\r\n' "405 Method Not Allowed"
	check "HTTP: nor too much" http_says "$(printf 'GET /metrics HTTP/1.1\r\nX: %02100d' 0)" "431 Request Header Fields Too Large"
	check "HTTP: nor much more" http_says "$(printf 'GET /metrics HTTP/1.1\r\nX: %030000d' 0)" "431 Request Header Fields Too Large"
	check "HTTP: no request of the socket" http_says 'flush\n\n' "405 Method Not Allowed"
	for idle in 1 2 3 4; do
		router sleep 30 | router "$tmp/burst" tcp 127.0.0.1 9586 >"$tmp/idle-$idle" 2>&1 &
	done
	check "four who say nothing by HTTP: the socket is served" json '.problems == []' status --json
	limit=30
	check "and they are let go" until_true http_says 'GET /metrics HTTP/1.0\r\n\r\n' "200 OK"
	limit=5
	check "stops" stop TERM 0
	others_kill
}

test_killed()
{
	start -i wan
	started
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	pid=
	check "a killed daemon's socket: nobody is there" says 1 "einat: no einat is running here" router "$EINAT" status
	start -i wan
	started
	check "the next one takes its place" until_true json '.problems == []' status --json
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	pid=
	router "$EINAT" cleanup >"$tmp/out" 2>&1
	check "cleanup removes it, too" [ -z "$(ls "$RUNTIME_DIRECTORY")" ]
}

test_two()
{
	ip -n "$ns" link add wan2 type veth peer name wan2-peer
	start -i wan
	started
	first=$pid
	ip netns exec "$ns" "$EINAT" -i wan2 2>"$tmp/log2" &
	second=$!
	two() { [ "$(find "$RUNTIME_DIRECTORY" -type s | wc -l)" = 2 ]; }
	until_true two
	router "$EINAT" status >"$tmp/out" 2>&1
	check "two daemons: which?" [ $? -eq 2 ]
	check "two daemons: their names" grep -q 'several einat are running: choose one by -i: wan2*, wan2*$' "$tmp/out"
	check "one of them" json '.interfaces | map(.interface) == ["wan2"]' status --json -i wan2
	kill "$second"
	wait "$second" 2>/dev/null
	pid=$first
	check "stops" stop TERM 0
}

# silent_start N: clients that ask for all mappings and read none
silent_start()
{
	for silent in $(seq "$1"); do
		router "$tmp/burst" silent "$(socket)" "mappings json" >"$tmp/silent-$silent" 2>&1 &
		until_true grep -q asked "$tmp/silent-$silent"
	done
}

# others: the processes in the namespace but the daemon
others() { ip netns pids "$ns" | grep -vx "${pid:-none}"; }
no_others() { ! others >/dev/null; }

# others_kill: and they are gone, for a dying one still holds its place
others_kill()
{
	for client in $(others); do
		kill -KILL "$client" 2>/dev/null
	done
	until_true no_others
}

# others_silent N: as silent_start, of nobody's; each says `asked` or gets no place
others_silent()
{
	for silent in $(seq "$1"); do
		router setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/burst" silent "$(socket)" "mappings json" \
			>"$tmp/other-$silent" 2>&1 &
		until_true grep -q asked "$tmp/other-$silent"
	done
}

# no_place PREFIX...: is a client told that there is none? Each time that it is not, one more silent one comes: on a
# slow machine the first may have been let go before the last was there.
no_place()
{
	says 1 "einat: too many clients" router "$@" status && return
	"$silent_ones" 1
	return 1
}

# Whom the mode lets in may not keep root out.
test_reserved()
{
	printf '[control]\nmode = "0666"\n[[interfaces]]\nif_name = "wan"\nnat44 = true\nudp_ranges = ["1-65535"]\n' >"$file"
	start -c "$file"
	started
	burst 1 20000 # an answer that no socket's buffer takes whole
	cp "$tmp/burst" "$tmp/bin/burst"
	others_silent 8
	silent_ones=others_silent
	check "others hold all their places: said" \
		until_true no_place setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/einat"
	check "others hold all their places: root is answered" json '.interfaces[0].ports[1].mappings == 20000' status --json
	check "others hold all their places: root may change something" \
		says 0 "the configuration file is in force" router "$EINAT" reload
	others_kill
	check "stops" stop TERM 0
}

# ends WORDS: does the client give up on a daemon that does nothing, in less than 25 s?
ends()
{
	got=0
	ip netns exec "$ns" timeout 25 "$EINAT" status >"$1" 2>&1 || got=$?
	[ $got -eq 1 ] || echo "exit status $got" >>"$1"
}

# It is stopped: who is in its queue gets no answer, who finds the queue full no connection. Neither waits for ever.
test_stopped()
{
	start -i wan
	started
	kill -STOP "$pid"
	ends "$tmp/queued" &
	queued=$!
	in_queue() { [ "$(router ss -xlH src "$(socket)" | awk '{ print $3 }')" -ge "$1" ]; }
	until_true in_queue 1
	for silent in $(seq 8); do
		router "$tmp/burst" silent "$(socket)" status >"$tmp/silent-$silent" 2>&1 &
	done
	until_true in_queue 9
	ends "$tmp/refused"
	wait "$queued"
	check "a stopped daemon: no answer" grep -qx "einat: no answer: Resource temporarily unavailable" "$tmp/queued"
	check "a stopped daemon, its queue full: no connection" grep -qx "einat: $(socket): Operation timed out" "$tmp/refused"
	kill -CONT "$pid"
	others_kill
	check "a daemon that goes on answers" until_true json '.problems == []' status --json
	check "stops" stop TERM 0
}

# 65,535 mappings, as many as one address can have of a protocol.
test_many()
{
	printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\nudp_ranges = ["1-65535"]\n' >"$file"
	start -c "$file"
	started
	burst 1 65535
	check "65,535 mappings: all are listed" json '.mappings | length == 65535' mappings --json
	check "none twice" jq -e '.mappings | map(.external_port) | unique | length == 65535' "$tmp/json"
	check "status says that this is the end" \
		json '.problems == ["wan: IPv4: 65535 of 65535 udp ports are in use"]' status --json
	cpu() { cut -d' ' -f14,15 "/proc/$pid/stat" | tr ' ' +; }
	before=$(($(cpu)))
	for round in 1 2 3 4 5; do
		ask mappings >"$tmp/table"
	done
	echo "# a table of 65,535 mappings: $((($(cpu) - before) * 1000 / $(getconf CLK_TCK) / round)) ms of the daemon's time"
	check "and the table has as many" counts 65535
	silent_start 6
	check "six clients that never read: another is answered" json '.interfaces[0].ports[1].mappings == 65535' status --json
	check "and gets its own list whole" counts 65535
	others_kill
	until_true json '.problems != []' status --json
	silent_start 8
	silent_ones=silent_start
	check "eight: said" until_true no_place "$EINAT"
	limit=30 # they are dropped after 10 s
	check "in time they are let go" until_true json '.problems != []' status --json
	limit=5
	others_kill
	router "$tmp/burst" silent "$(socket)" "mappings json" >"$tmp/silent" 2>&1 &
	until_true grep -q asked "$tmp/silent"
	is_small_all() { [ "$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")" -lt 8192 ]; }
	check "resident memory stays under 8 MB" is_small_all
	check "SIGTERM ends it, a client that never reads or not" stop TERM 0
}

if ! command -v jq >/dev/null; then
	echo "Bail out! no jq: run make setup"
	exit 1
fi
topology_or_nothing "the control socket"
test_nobody
prepare
test_empty
test_mappings
test_sessions
test_watch
test_top
test_protocol
test_permission
test_metrics
test_killed
test_two
test_reserved
test_stopped
test_many
echo "1..$checks"
