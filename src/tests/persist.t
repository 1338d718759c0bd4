#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Restart, upgrade and reload without loss: live flows through the router while its daemon is stopped, killed and started
# again, and while its configuration changes.
#
#   host 192.168.1.100 --- lan [router] wan 203.0.113.2 --- server 203.0.113.1
#        fd00::100                          2001:db8:203::2        2001:db8:203::1
#
# All three are network namespaces. The BPF file system is one of the test's own.

# shellcheck source=src/tests/harness.sh
. "$(dirname "$0")/harness.sh"

FLOW=${FLOW:-$top/build/$(uname -m)/peers/flow}
host=$ns-host
server=$ns-server
namespaces="$ns $host $server"
export EINAT_BPFFS="$tmp/bpf"
endpoint=203.0.113.2:25000
endpoint6='[2001:db8:203::2]:25000'
families=4 # and 6, where both are translated
flow_pid='' flow6_pid=''
trap '{ [ -z "$flow_pid$flow6_pid" ] || kill $flow_pid $flow6_pid; umount "$EINAT_BPFFS"; } 2>/dev/null; cleanup' EXIT

topology()
{
	ip netns add "$ns" && ip netns add "$host" && ip netns add "$server" || return 1
	mkdir "$EINAT_BPFFS" && mount -t bpf bpf "$EINAT_BPFFS" || return 1
	for namespace in $namespaces; do
		ip netns exec "$namespace" sysctl -qw net.ipv6.conf.default.accept_dad=0
		ip -n "$namespace" link set lo up
	done
	router sysctl -qw net.ipv4.conf.all.forwarding=1 net.ipv6.conf.all.forwarding=1
	ip -n "$ns" link add lan type veth peer name eth0 netns "$host"
	ip -n "$ns" link add "$wan" type veth peer name eth0 netns "$server"
	address "$ns" lan 192.168.1.1/24 fd00::1/64
	address "$host" eth0 192.168.1.100/24 fd00::100/64
	address "$ns" "$wan" 203.0.113.2/24 2001:db8:203::2/64
	address "$server" eth0 203.0.113.1/24 2001:db8:203::1/64
	ip -n "$host" route add default via 192.168.1.1
	ip -n "$host" -6 route add default via fd00::1
}

# address NAMESPACE INTERFACE IPV4 [IPV6]
address()
{
	ip -n "$1" address add "$3" dev "$2"
	[ -z "${4-}" ] || ip -n "$1" address add "$4" dev "$2" nodad
	ip -n "$1" link set "$2" up
}

# A dot in its name: the BPF file system has none.
wan=wan.5

has_started()
{
	grep -q "^einat: $wan: 203.0.113.2 (" "$tmp/log" &&
		{ [ "$families" = 4 ] || grep -q "^einat: $wan: 2001:db8:203::2 (" "$tmp/log"; }
}
started() { until_true has_started || { cat "$tmp/log" && false; }; }

run()
{
	[ "$families" = 4 ] || set -- --nat44 --nat66 "$@"
	start -i "$wan" "$@" && started
}

restart()
{
	end "$1" && run --persist
}

end()
{
	kill "-$1" "$pid"
	wait "$pid" 2>/dev/null
	pid=
}

flow_start()
{
	: >"$tmp/flow"
	ip netns exec "$host" "$FLOW" send 192.168.1.100:25000 203.0.113.1:7 1000 >"$tmp/flow" 2>&1 &
	flow_pid=$!
	until_true grep -qx flowing "$tmp/flow" || { cat "$tmp/flow" && false; }
}

flow6_start()
{
	: >"$tmp/flow6"
	ip netns exec "$host" "$FLOW" send '[fd00::100]:25000' '[2001:db8:203::1]:7' 1000 >"$tmp/flow6" 2>&1 &
	flow6_pid=$!
	until_true grep -qx flowing "$tmp/flow6" || { cat "$tmp/flow6" && false; }
}

flow_stop()
{
	kill -TERM "$flow_pid"
	wait "$flow_pid"
	flow_pid=
	sed 's/^/# /' "$tmp/flow"
}

flow6_stop()
{
	kill -TERM "$flow6_pid"
	wait "$flow6_pid"
	flow6_pid=
	sed 's/^/# /' "$tmp/flow6"
}

lossless()
{
	cat "$tmp/flow"
	grep -qx "udp: [0-9]* sent, 0 lost, endpoints $endpoint" "$tmp/flow" &&
		grep -qx "tcp: [0-9]* sent, 0 lost, 0 sent again, endpoints $endpoint" "$tmp/flow"
}

lossless6()
{
	cat "$tmp/flow6"
	grep -qxF "udp: $(sent udp) sent, 0 lost, endpoints $endpoint6" "$tmp/flow6" &&
		grep -qxF "tcp: $(sent tcp) sent, 0 lost, 0 sent again, endpoints $endpoint6" "$tmp/flow6"
}
sent() { sed -n "s/^$1: \([0-9]*\) sent.*/\1/p" "$tmp/flow6"; }

pins() { echo "$EINAT_BPFFS"/einat/*; }
no_pins() { [ ! -e "$EINAT_BPFFS/einat" ] || { find "$EINAT_BPFFS/einat" && false; }; }
attached() { router "$NETSTATE" | grep -c -e "^tcx dev $wan " -e "^filter dev $wan .* name nat_"; }
is_attached() { [ "$(attached)" -eq "${1:-2}" ] || { router "$NETSTATE" && false; }; }
is_alone() { [ "$(attached)" -eq 0 ] || { router "$NETSTATE" && false; }; }
took_over() { grep -qxF "einat: $wan: takes over the IPv4 mappings of an earlier einat" "$tmp/log" || { cat "$tmp/log" && false; }; }
took_both_over() { took_over && grep -qxF "einat: $wan: takes over the IPv6 mappings of an earlier einat" "$tmp/log"; }
took_some_over()
{
	grep -qxF "einat: $wan: takes over those IPv4 mappings of an earlier einat whose external port it has, too: its ports, static\
 mappings or external addresses are others" "$tmp/log" || { cat "$tmp/log" && false; }
}
began_anew()
{
	grep -qxF "einat: warning: $wan: what an earlier einat has left of IPv4 is not taken over, mappings begin anew: $1" \
		"$tmp/log" || { cat "$tmp/log" && false; }
}

# restarts COUNT: restarts, every third one by SIGKILL, every other one another file, as an upgrade is
restarts()
{
	n=0
	binary=$EINAT
	cp "$EINAT" "$tmp/einat"
	while [ $((n += 1)) -le "$1" ]; do
		[ $((n % 2)) -eq 0 ] && EINAT=$binary || EINAT=$tmp/einat
		signal=TERM
		[ $((n % 3)) -ne 0 ] || signal=KILL
		restart $signal && took_over || return 1
		[ "$families" = 4 ] || took_both_over || { cat "$tmp/log" && return 1; }
	done
	EINAT=$binary
}

test_restarts()
{
	by=$2
	check "$1: starts" run --persist
	check "$1: its flows" flow_start
	check "$1: $3 restarts, each takes the mappings over" restarts "$3"
	flow_stop
	check "$1: $3 restarts: no packet is lost, and the mappings are the same" lossless
	check "$1: ends" end TERM
	check "$1: and goes on translating" is_attached
	check "$1: a start without --persist" run
	check "$1: nothing is pinned any more" no_pins
	check "$1: ends, too" end TERM
	check "$1: and nothing is left on the interface" is_alone
	by=
}

# test_both_families WHAT BY COUNT
test_both_families()
{
	by=$2 families=46
	check "both families, $1: starts" run --persist
	check "both families, $1: its IPv4 flows" flow_start
	check "both families, $1: its IPv6 flows" flow6_start
	check "both families, $1: $3 restarts, each takes the mappings of both over" restarts "$3"
	flow_stop
	flow6_stop
	check "both families, $1: no IPv4 packet is lost, and the mappings are the same" lossless
	check "both families, $1: nor an IPv6 one" lossless6
	flow6_start
	end TERM
	check "both families, $1: both go on translating" is_attached 4
	families=4
	check "both families, $1: a start with --persist for IPv4 alone" run --persist
	check "both families, $1: IPv6 is translated no more" until_true is_attached 2
	flow6_stop
	check "twin: IPv6 packets are lost" not lossless6
	end TERM
	run
	end TERM
	check "both families, $1: nothing is pinned any more" no_pins
	check "both families, $1: and nothing is left on the interface" is_alone
	by=
}

# file LINE...: the configuration is this
file() { printf '%s\n' '[[interfaces]]' "if_name = \"$wan\"" 'nat44 = true' "$@" >"$tmp/wan.toml"; }

# reload LINE...: until it is in force, and announced again
reload()
{
	file "$@"
	: >"$tmp/log"
	kill -HUP "$pid"
	until_true grep -qx "einat: SIGHUP: $tmp/wan.toml is in force" "$tmp/log" && started
}

programs() { cat "/proc/$pid/fdinfo/"* 2>/dev/null | grep prog_id | sort; }
others() { [ "$(programs)" != "$1" ]; }

reload_often()
{
	for setting in 'host_limit_udp = 100' 'tcp_mss_clamp = 1400' 'no_snat_dests = ["192.0.2.0/24"]' \
		'bpf_log_level = 1' 'pooling = "paired"' 'inbound_mark = 16' 'host_rate = 1000' \
		'ct_max_records = 4096' ''; do
		before=$(programs)
		reload "$setting" && others "$before" && continue
		echo "$setting" && cat "$tmp/log"
		return 1
	done
}

descriptors() { find "/proc/$pid/fd" -mindepth 1 | wc -l; }
resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }

# test_reload WHAT BY
test_reload()
{
	by=$2
	file
	start -c "$tmp/wan.toml"
	check "reload, $1: starts" started
	check "reload, $1: its flows" flow_start
	reload ''
	held=$(descriptors)
	check "reload, $1: other settings, other programs" reload_often
	check "reload, $1: no descriptor is lost" [ "$(descriptors)" -eq "$held" ]
	check "reload, $1: resident memory of $(resident) kB under 2 MB" [ "$(resident)" -lt 2048 ]
	check "reload, $1: other ports, which hold these still" \
		reload 'tcp_ranges = ["24000-26999"]' 'udp_ranges = ["2000-3000", "25000-25000"]'
	check "reload, $1: and others" reload 'tcp_ranges = ["25000-25009", "9000-9999"]' 'udp_ranges = ["21000-29999"]'
	flow_stop
	check "reload, $1: no packet is lost, and the mappings are the same" lossless
	flow_start
	check "reload, $1: ports without these" reload 'tcp_ranges = ["30000-30999"]' 'udp_ranges = ["30000-30999"]'
	sleep 0.1 # for packets to use them
	flow_stop
	check "reload, $1: the mappings end, and UDP has another" \
		grep -q "^udp: .* endpoints $endpoint 203.0.113.2:30[0-9]*$" "$tmp/flow"
	check "reload, $1: ends" end TERM
	check "reload, $1: and nothing is left on the interface" is_alone
	by=
}

test_reload_and_persist()
{
	file 'persist = true'
	start -c "$tmp/wan.toml"
	started
	flow_start
	check "reload and persist: other ports" reload 'persist = true' 'tcp_ranges = ["25000-25099"]' 'udp_ranges = ["25000-25099"]'
	end KILL
	start -c "$tmp/wan.toml"
	check "reload and persist: killed, it starts again" started
	check "reload and persist: and takes over the maps of the last configuration" took_over
	check "reload and persist: ends" end TERM
	run --persist
	check "reload and persist: a start with the first one takes over what it has ports for" took_some_over
	flow_stop
	check "reload and persist: the flows' mappings among it" lossless
	end TERM
	run
	end TERM
	check "reload and persist: nothing is left" no_pins
}

# Another configuration at a start: what it has ports for goes on, as at a reload.
test_changed()
{
	run --persist
	flow_start
	end "$1"
	run --persist --forward tcp:8000=192.168.1.100:80
	check "another configuration, SIG$1: a static mapping comes: said" took_some_over
	end "$1"
	run --persist --forward udp:8000=192.168.1.100:81 --ports 24000-26000 30000-30999
	check "another configuration, SIG$1: other ports: said" took_some_over
	end "$1"
	run --persist --ports 24000-26000
	flow_stop
	check "another configuration, SIG$1: no packet was lost, no port changed" lossless
	end TERM
	run --persist
	flow_start
	end "$1"
	run --persist --ports 30000-30999
	check "another configuration, SIG$1: without their ports: said" took_some_over
	flow_stop
	check "another configuration, SIG$1: their mappings end" not lossless
	end TERM
	run --persist --forward udp:25000=192.168.1.200:81
	flow_start
	check "another configuration, SIG$1: a static mapping has the port: nobody else" not grep -q "^udp.*$endpoint" "$tmp/flow"
	flow_stop
	end TERM
	run
	end TERM
	check "another configuration, SIG$1: nothing is left" no_pins
}

test_twin()
{
	run
	flow_start
	end TERM
	sleep 0.05 # for packets to be lost
	run
	flow_stop
	check "twin: without --persist packets are lost" not lossless
	end TERM
}

# spoiled WHY COMMAND...: what becomes of pins that the command has spoiled
spoiled()
{
	why=$1
	shift
	run --persist
	end TERM
	check "pins, $*" "$@"
	check "pins, $*: the next start starts" run --persist
	check "pins, $*: and says why it begins anew" began_anew "$why"
	check "pins, $*: the one after takes over" restart TERM
	check "pins, $*: and says so" took_over
	end TERM
}

drop() { rm "$(pins)/$1"; }
exchange() { mv "$(pins)/$1" "$(pins)/$2"; }
all_but_one() { find "$EINAT_BPFFS/einat" -type f ! -name map_slots -delete; }
# of struct layout (src/inheritance.h)
layout_version() { "$tmp/map-change" "$(pins)/map_layout" 0; }
layout_namespace() { "$tmp/map-change" "$(pins)/map_layout" 16; }

test_spoiled()
{
	"${CC:-cc}" -Wall -Wextra -o "$tmp/map-change" "$top/src/tests/map-change.c"
	spoiled "it is of another version of einat" layout_version
	spoiled "it is of another network namespace" layout_namespace
	spoiled "it is half-written" drop map_layout
	spoiled "it is half-written" all_but_one
	spoiled "its map slots is missing or of another kind" drop map_slots
	spoiled "its map slots is missing or of another kind" exchange map_regions map_slots
	spoiled "its map slots is missing or of another kind" exchange link_egress map_slots
	spoiled "it is half-written" exchange map_slots map_layout
	run --persist --ports 1000-2000
	end TERM
	run --persist
	check "other ports: said" took_some_over
	end TERM
	mkdir "$(pins)/foreign"
	run --persist
	check "something foreign among the pins: taken over" took_over
	end TERM
	run
	check "something foreign among the pins: it is all that stays" [ "$(ls "$(pins)")" = foreign ]
	end TERM
	rmdir "$(pins)/foreign" "$(pins)" "$EINAT_BPFFS/einat"
}

test_directory()
{
	umount "$EINAT_BPFFS"
	run --persist --hairpin-if lan
	check "no BPF file system: starts, and says how to mount one" grep -qxF \
		"einat: $wan: persist: $EINAT_BPFFS is no BPF file system: mount -t bpf bpf $EINAT_BPFFS" "$tmp/log"
	end TERM
	check "no BPF file system: ends as without --persist" is_alone
	check "no BPF file system: no hairpin rule stays" [ "$(hairpin_rules)" -eq 0 ]
	mount -t bpf bpf "$EINAT_BPFFS"
	mkdir -m 777 "$EINAT_BPFFS/einat"
	chmod 777 "$EINAT_BPFFS/einat"
	run --persist
	check "a directory that others may write to: starts, and says so" grep -qF "others may write there" "$tmp/log"
	end TERM
	check "a directory that others may write to: ends as without --persist" is_alone
	rmdir "$EINAT_BPFFS/einat"
}

hairpin_rules() { ip -n "$ns" rule show | grep -c 'lookup 4787'; }

test_hairpin()
{
	run --persist --hairpin-if lan
	end KILL
	check "einat cleanup" router "$EINAT" cleanup
	check "einat cleanup leaves nothing on the interface" is_alone
	check "einat cleanup leaves no pin" no_pins
	check "einat cleanup leaves no rule" [ "$(hairpin_rules)" -eq 0 ]
	run --persist --hairpin-if lan
	end TERM
	check "hairpin rules stay, too" [ "$(hairpin_rules)" -ge 2 ]
	hairpin_state >"$tmp/left"
	ip -n "$ns" link add other type veth peer name other-peer
	start -i other
	until_true said "other: no external IPv4 address, waiting for one"
	check "hairpin rules stay: another interface's einat leaves them" as_left
	end TERM
	check "hairpin rules stay: also when it stops" as_left
	ip -n "$ns" link delete other
	run --persist
	check "hairpin rules that are not wanted any more go" [ "$(hairpin_rules)" -eq 0 ]
	end TERM
	run
	end TERM
}

hairpin_state() { ip -n "$ns" rule show && ip -n "$ns" route show table 4787 && ip -n "$ns" neighbour show nud permanent; }
as_left() { [ "$(cat "$tmp/left")" = "$(hairpin_state)" ] || { hairpin_state && false; }; }

# A start that fails is no reason for the Internet to be down: what an earlier einat has left goes on.
test_failed_start()
{
	run --persist --hairpin-if lan
	flow_start
	end KILL
	hairpin_state >"$tmp/left"
	check "programs that do not load: the start fails" not router "$REFUSE" 5 1 "$EINAT" -i "$wan" --persist --hairpin-if lan
	check "programs that do not load: what was left is attached" is_attached
	check "programs that do not load: its hairpin routing stays" as_left
	run --persist
	end KILL
	ip -n "$ns" neighbour replace 203.0.113.2 lladdr 02:00:00:00:00:05 dev "$wan" nud permanent
	hairpin_state >"$tmp/left"
	check "hairpinning that fails, with other ports: the start fails" \
		not router "$EINAT" -i "$wan" --persist --hairpin-if lan --ports 24000-26000
	check "hairpinning that fails, with other ports: programs stay attached" is_attached
	check "hairpinning that fails, with other ports: nothing else changes" as_left
	ip -n "$ns" neighbour delete 203.0.113.2 dev "$wan"
	run --persist
	flow_stop
	check "starts that fail: no packet was lost" lossless
	end TERM
	run
	end TERM
	check "starts that fail: nothing is left" no_pins
	by="$REFUSE 28 22"
	run --hairpin-if lan
	end KILL
	by=
	hairpin_state >"$tmp/left"
	check "what a killed one on clsact has left, without --persist: the start fails" \
		not router "$REFUSE" 5 1 "$EINAT" -i "$wan" --hairpin-if lan
	check "what a killed one on clsact has left: is attached" is_attached
	check "what a killed one on clsact has left: so is its hairpin routing" as_left
	run
	end TERM
	check "what a killed one on clsact has left: the next one takes it off" is_alone
}

test_recreated()
{
	run --persist
	end TERM
	ip -n "$ns" link delete "$wan"
	ip -n "$ns" link add "$wan" index 4711 type veth peer name eth0 netns "$server"
	address "$ns" "$wan" 203.0.113.2/24
	address "$server" eth0 203.0.113.1/24
	run --persist
	check "another device of the same name: its mappings are taken over" took_over
	check "another device of the same name: attached" is_attached
	flow_start
	flow_stop
	check "another device of the same name: its flows" lossless
	ip -n "$ns" address delete 203.0.113.2/24 dev "$wan"
	end KILL
	ip -n "$ns" address add 203.0.113.9/24 dev "$wan"
	start -i "$wan" --persist
	check "another address: starts" until_true grep -q "^einat: $wan: 203.0.113.9 (" "$tmp/log"
	end TERM
	check "for the end: without --persist" start -i "$wan"
	until_true grep -q "^einat: $wan: 203.0.113.9 (" "$tmp/log"
	end TERM
	check "for the end: nothing is left" no_pins
}

programs_on() { router "$NETSTATE" | grep -c -e "^tcx dev $1 " -e "^filter dev $1 .* name nat_"; }
are_on() { [ "$(programs_on "$1")" -eq "$2" ] || { router "$NETSTATE" && false; }; }

# renamed NAME: the router's external interface
renamed()
{
	ip -n "$ns" link set "$1" down
	ip -n "$ns" link set "$1" name "$2"
	ip -n "$ns" link set "$2" up
}

# What has another name now is not ours any more, and nobody would follow its address.
test_renamed()
{
	by=$2
	run --persist
	: >"$tmp/log"
	renamed "$wan" old
	check "renamed, by $1: the programs are off it" until_true are_on old 0
	: >"$tmp/log"
	renamed old "$wan"
	check "renamed, by $1: and back again" started
	check "renamed, by $1: the programs are on it" is_attached
	flow_start
	flow_stop
	check "renamed, by $1: flows" lossless
	end TERM
	by=
	run
	end TERM
	check "renamed, by $1: nothing is left" no_pins
}

topology || {
	echo "# SKIPPED: network namespaces and a BPF file system need root. NOTHING of persistence was tested." >&2
	echo "1..0 # SKIP needs root"
	exit 0
}
ip netns exec "$server" "$FLOW" serve 203.0.113.1:7 >"$tmp/server" &
check "the server serves" until_true grep -qx serving "$tmp/server"
test_restarts "TCX or what there is" "" 70
test_restarts "clsact" "$REFUSE 28 22" 30
ip netns exec "$server" "$FLOW" serve '[2001:db8:203::1]:7' >"$tmp/server6" &
check "the server serves IPv6, too" until_true grep -qx serving "$tmp/server6"
test_both_families "TCX or what there is" "" 12
test_both_families "clsact" "$REFUSE 28 22" 6
test_twin
test_reload "TCX or what there is" ""
test_reload "clsact" "$REFUSE 28 22"
test_reload_and_persist
test_changed TERM
test_changed KILL
test_spoiled
test_directory
test_hairpin
test_failed_start
test_renamed "TCX or what there is" ""
test_renamed "clsact" "$REFUSE 28 22"
test_recreated
echo "1..$checks"
