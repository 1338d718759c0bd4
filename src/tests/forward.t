#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Static mappings: a server inside a VPN is published on the router's external address. Its host reaches the Internet by a
# link of its own and not through the VPN, so it must see the router as who asks. The topology of network.sh, and
#
#   [router] wg0 ------- wg0 [vpn]
#     10.172.16.1/24     10.172.16.2/24
#     fd00:16::1/64      fd00:16::2/64
#   [outside] eth2 ------- home [vpn]
#     192.0.2.129/30       192.0.2.130/30
#     2001:db8:64::1/64    2001:db8:64::2/64

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

vpn_ns=$ns-vpn
namespaces="$namespaces $vpn_ns"
external=203.0.113.2 external6='[2001:db8:203::2]'

export EINAT_BPFFS="$tmp/bpf"
trap 'umount "$EINAT_BPFFS" 2>/dev/null; cleanup' EXIT

vpn() { ip netns exec "$vpn_ns" "$@"; }

# join NAMESPACE DEVICE ADDRESS...: gives it the addresses, and sets it up
join()
{
	joined=$1 device=$2
	shift 2
	for address; do
		# shellcheck disable=SC2086 # words
		ip -n "$joined" address add $address dev "$device"
	done
	ip -n "$joined" link set "$device" up
}

vpn_add()
{
	ip -n "$ns" link add wg0 type veth peer name wg0 netns "$vpn_ns"
	join "$ns" wg0 10.172.16.1/24 "fd00:16::1/64 nodad"
	join "$vpn_ns" wg0 10.172.16.2/24 "fd00:16::2/64 nodad"
	ip -n "$out_ns" link add eth2 type veth peer name home netns "$vpn_ns"
	join "$out_ns" eth2 192.0.2.129/30 "2001:db8:64::1/64 nodad"
	join "$vpn_ns" home 192.0.2.130/30 "2001:db8:64::2/64 nodad"
	ip -n "$vpn_ns" route add default via 192.0.2.129
	ip -n "$vpn_ns" -6 route add default via 2001:db8:64::1
	outside sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$ns" route add 192.0.2.130 via 203.0.113.1
	ip -n "$ns" -6 route add 2001:db8:64::2 via 2001:db8:203::1
	for protocol in udp tcp; do
		vpn "$PEER" serve $protocol 10.172.16.2:8000 >/dev/null &
		vpn "$PEER" serve $protocol '[fd00:16::2]:8000' >/dev/null &
	done
	until_true vpn_served
	until_true settled wg0
	state "$tmp/before"
}

vpn_served()
{
	for protocol in udp tcp; do
		router "$PEER" ask $protocol 0.0.0.0:0 10.172.16.2:8000 -w 100 || return 1
		router "$PEER" ask $protocol '[::]:0' '[fd00:16::2]:8000' -w 100 || return 1
	done
}

# forward PROTOCOLS EXTERNAL-PORT ADDRESS PORT [REMOTES]: one of them, as TOML
forward()
{
	printf '[[interfaces.forwards]]\nprotocol = [%s]\nexternal_port = %s\n' "$1" "$2"
	printf 'internal_address = "%s"\ninternal_port = %s\n%s\n' "$3" "$4" "${5:+remotes = [$5]}"
}

both='"tcp", "udp"'

# The server in the VPN, and a port of a host of the LAN, in either family.
publish()
{
	forward "$both" "$1" 10.172.16.2 8000
	forward "$both" "$1" fd00:16::2 8000
	forward '"udp"' 7600 192.168.1.100 7000
	forward '"udp"' 7600 fd00::100 7000
}

# einat on wg0, where every host is internal
vpn_too='[[interfaces]]
if_name = "wg0"
nat44 = true
nat66 = true'

# config_write FORWARDS: of wan
config_write()
{
	cat >"$tmp/forward.toml" <<-TOML
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		nat66 = true
		$persist
		ipv4_hairpin_route.internal_if_names = [ $names ]
		ipv6_hairpin_route.internal_if_names = [ $names ]
		$1
		$vpn_too
		${vpn_too:+$persist}
	TOML
}

names='"lo", "lan", "wg0"'
persist=
wan_hook() { grep -q "^einat: wan: .*$1 (" "$tmp/log"; }
is_ready() { wan_hook 203.0.113.2 && wan_hook 2001:db8:203::2; }

run()
{
	config_write "$1"
	start -c "$tmp/forward.toml"
	until_true is_ready || { cat "$tmp/log" && false; }
}

# reload WHAT: takes it, which is done when it says so of wan again, or does not
in_force() { said "SIGHUP: $tmp/forward.toml is in force" && is_ready; }
is_refused() { said "SIGHUP: $tmp/forward.toml is refused, what was in force stays"; }
reload()
{
	: >"$tmp/log"
	kill -HUP "$pid"
	until_true "$1" || { cat "$tmp/log" && false; }
}

# family 4|6: who is who in it
family()
{
	case $1 in
	4)	ip=IPv4 at=$external stranger=198.51.100.1 home=192.0.2.130
		lan_host=192.168.1.100 lan_other=192.168.1.200 as=10.172.16.1 ;;
	6)	ip=IPv6 at=$external6 stranger='[2001:db8:198::1]' home='[2001:db8:64::2]'
		lan_host='[fd00::100]' lan_other='[fd00::200]' as='[fd00:16::1]' ;;
	esac
}

# each WHAT...: for each family and protocol
each()
{
	for version in 4 6; do
		family $version
		for protocol in tcp udp; do
			"$@"
		done
	done
}

# Who asks is whom the server sees: the router.
published_to()
{
	check "$when: $ip, $protocol: from outside" \
		sees outside "$as:25000" "$protocol" "$stranger:25000" "$at:$port"
	check "$when: $ip, $protocol: from the LAN, by the external address" \
		sees inside "$as:25001" "$protocol" "$lan_host:25001" "$at:$port"
	check "$when: $ip, $protocol: from another host of the LAN" \
		sees inside "$as:25002" "$protocol" "$lan_other:25002" "$at:$port"
	check "$when: $ip, $protocol: from the router" \
		sees router "$as:25003" "$protocol" "$at:25003" "$at:$port"
	check "$when: $ip, $protocol: from the server's own host, by its home's link" \
		sees vpn "$as:25004" "$protocol" "$home:25004" "$at:$port"
}

hidden_from()
{
	check "$when: $ip, $protocol: not from outside" is_deaf outside "$protocol" "$stranger:25000" "$at:$port"
	check "$when: $ip, $protocol: not from the LAN" is_deaf inside "$protocol" "$lan_host:25001" "$at:$port"
	check "$when: $ip, $protocol: not from the router" is_deaf router "$protocol" "$at:25003" "$at:$port"
	check "$when: $ip, $protocol: not from the server's own host" \
		is_deaf vpn "$protocol" "$home:25004" "$at:$port"
}

published() { when=$1 port=$2 && each published_to; }
hidden() { when=$1 port=$2 && each hidden_from; }

test_published()
{
	check "without a static mapping: starts" run ""
	hidden "without a static mapping" 8000
	config_write "$(publish 8000)"
	hold "$in_ns" udp 192.168.1.100:25600 $server
	before=$(mapped)
	check "added at a reload" reload in_force
	published "added at a reload" 8000
	check "a host's own packets leave by the external port" \
		sees inside "$external:7600" udp 192.168.1.100:7000 $server
	check "IPv6: a host's own packets leave by the external port" \
		sees inside "$external6:7600" udp '[fd00::100]:7000' "$server6"
	config_write "$(publish 8001)"
	check "another port at a reload" reload in_force
	published "another port at a reload" 8001
	hidden "the port before" 8000
	config_write ""
	check "removed at a reload" reload in_force
	hidden "removed at a reload" 8001
	check "a mapping has lived through all of that" \
		sees outside 198.51.100.1:25009 udp 198.51.100.1:25009 "${before#mapped }"
	check "and no other since" [ "$(grep -c '^mapped' "$tmp/holder")" -eq 1 ]
	unhold
	check "static mappings: stops" stop TERM 0
	check "static mappings: as it was" as_before
}

# The answers of the server's host would leave by its home's link.
test_without_vpn()
{
	was=$vpn_too vpn_too=
	check "nothing on wg0: starts" run "$(publish 8000)"
	hidden "nothing on wg0" 8000
	check "nothing on wg0: stops" stop TERM 0
	vpn_too=$was
}

# What the router itself asks needs no lo: only its static mappings' ports go that way.
test_without_lo()
{
	names='"lan", "wg0"'
	check "without lo: starts" run "$(publish 8000)"
	published "without lo" 8000
	check "without lo: stops" stop TERM 0
	check "without lo: as it was" as_before
	names='"lo", "lan", "wg0"'
}

# The external address goes, and another comes.
test_address()
{
	check "another address: starts" run "$(publish 8000)"
	ip -n "$ns" address add 203.0.113.3/24 dev wan
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	routes_add wan 1
	ip -n "$ns" route replace 192.0.2.130 via 203.0.113.1
	check "another address: taken" until_true wan_hook 203.0.113.3
	was=$external external=203.0.113.3 when="another address" port=8000
	each published_to
	check "another address: a host's own packets" sees inside "$external:7600" udp 192.168.1.100:7000 $server
	external=$was
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" address delete 203.0.113.3/24 dev wan
	routes_add wan 1
	ip -n "$ns" route replace 192.0.2.130 via 203.0.113.1
	check "another address: stops" stop TERM 0
}

# The configuration wins over what hosts have made for themselves.
test_collisions()
{
	check "collision: starts" run ""
	check "a host has the port" sees inside "$external:25700" udp 192.168.1.100:25700 $server
	check "another one the endpoint" sees inside "$external:25800" udp 192.168.1.200:25800 $server
	config_write "$(forward '"udp"' 25700 192.168.1.200 5000; forward '"udp"' 5800 192.168.1.200 25800)"
	check "a static mapping takes both" reload in_force
	check "the port is the other host's" sees inside "$external:25700" udp 192.168.1.200:5000 $server
	check "the endpoint has the other port" sees inside "$external:5800" udp 192.168.1.200:25800 $server
	check "the host has another port now" has_moved_from 25700
	config_write "$(forward '"udp"' 25700 192.168.1.200 5000; forward '"udp"' 25700 192.168.1.100 1)"
	check "two that contradict each other" reload is_refused
	check "are both named" contradicts
	check "and what was in force is" sees inside "$external:25700" udp 192.168.1.200:5000 $server
	check "collision: stops" stop TERM 0
}

has_moved_from()
{
	got=$(inside "$PEER" ask udp "192.168.1.100:$1" $server)
	echo "$got"
	echo "$got" | grep -q "^you $external:" && [ "$got" != "you $external:$1" ]
}

contradicts()
{
	first=$(grep -n forwards "$tmp/forward.toml" | sed -n '1s/:.*//p')
	second=$(grep -n forwards "$tmp/forward.toml" | sed -n '2s/:.*//p')
	said "$tmp/forward.toml:$second: [[interfaces]] \"wan\": forwards: its external port udp 25700 is that of\
 $tmp/forward.toml:$first, too"
}

test_remotes()
{
	check "remotes: starts" run "$(forward "$both" 8000 10.172.16.2 8000 '"198.51.100.0/28"')"
	port=8000
	check "remotes: one that is" sees outside 10.172.16.1:25000 tcp 198.51.100.1:25000 "$external:8000"
	check "remotes: another that is, by UDP" sees outside 10.172.16.1:25001 udp 198.51.100.11:25001 "$external:8000"
	check "remotes: one that is not" is_deaf vpn tcp 192.0.2.130:25004 "$external:8000"
	check "remotes: one that is not, by UDP" is_deaf vpn udp 192.0.2.130:25004 "$external:8000"
	config_write "$(forward "$both" 8000 10.172.16.2 8000 '"198.51.100.0/28", "192.0.2.130/32"')"
	check "remotes: one more at a reload" reload in_force
	check "remotes: who is let in" sees vpn 10.172.16.1:25004 tcp 192.0.2.130:25004 "$external:8000"
	check "remotes: stops" stop TERM 0
}

# It is no reason not to start: its own address in the LAN may be what it is for.
test_listener()
{
	router "$PEER" serve tcp 0.0.0.0:8000 >/dev/null &
	router "$PEER" serve udp 192.168.1.1:8000 >/dev/null &
	until_true router "$PEER" ask tcp 0.0.0.0:0 203.0.113.2:8000 -w 100
	until_true router "$PEER" ask udp 0.0.0.0:0 192.168.1.1:8000 -w 100
	check "the router listens there: starts" run "$(forward "$both" 8000 10.172.16.2 8000)"
	check "the router listens there: a warning" said "warning: wan: forward tcp,udp:8000=10.172.16.2:8000: the router\
 itself listens on tcp port 8000, which is not reached from outside any more"
	check "the router listens there: only one" [ "$(grep -c "warning: wan: forward" "$tmp/log")" -eq 1 ]
	check "the router listens there: it is the VPN's" \
		sees outside 10.172.16.1:25000 tcp 198.51.100.1:25000 "$external:8000"
	check "the router listens there: stops" stop TERM 0
	test_listeners_elsewhere
	# shellcheck disable=SC2046 # one word each
	kill -KILL $(ip netns pids "$ns")
}

# warned N TEXT: is it one of N such warnings?
warned()
{
	[ "$(grep -c "warning: wan: forward" "$tmp/log")" -eq "$1" ] && said "warning: wan: forward $2" && return
	cat "$tmp/log" && false
}
hides() { echo "$1: the router itself listens on tcp port $2, which is not reached from outside any more"; }

# On the external address alone; on every IPv6 address, but without IPv4; our own for metrics, before it is there and after.
test_listeners_elsewhere()
{
	router "$PEER" serve tcp 203.0.113.2:8100 >/dev/null &
	router "$PEER" serve tcp '[::]:8200' >/dev/null &
	until_true router "$PEER" ask tcp 0.0.0.0:0 203.0.113.2:8100 -w 100
	until_true router "$PEER" ask tcp '[::]:0' '[fd00::1]:8200' -w 100
	check "on the external address: starts" run "forwards = [\"tcp:8100=192.168.1.100\"]"
	check "on the external address: a warning" warned 1 "$(hides tcp:8100=192.168.1.100:8100 8100)"
	check "on the external address: stops" stop TERM 0
	check "on IPv6 alone: starts" run "forwards = [\"tcp:8200=192.168.1.100\", \"tcp:8200=[fd00::100]\"]"
	check "on IPv6 alone: a warning of IPv6 alone" warned 1 "$(hides "tcp:8200=[fd00::100]:8200" 8200)"
	check "on IPv6 alone: stops" stop TERM 0
	for own in '[::]' 0.0.0.0; do
		was=$vpn_too vpn_too="$vpn_too
[control]
metrics_listen = \"$own:8300\""
		check "our own, $own: starts" run "forwards = [\"tcp:8300=192.168.1.100\"]"
		check "our own, $own: a warning" warned 1 "$(hides tcp:8300=192.168.1.100:8300 8300)"
		check "our own, $own: a reload" reload in_force
		check "our own, $own: again one" warned 1 "$(hides tcp:8300=192.168.1.100:8300 8300)"
		check "our own, $own: at run time, too" says 0 "added: tcp:8301=192.168.1.100:8301" \
			router "$EINAT" forward add -i wan tcp:8301=192.168.1.100
		vpn_too=$was
		check "our own, $own: stops" stop TERM 0
	done
	router "$PEER" serve tcp 203.0.113.2:8400 >/dev/null &
	until_true router "$PEER" ask tcp 0.0.0.0:0 203.0.113.2:8400 -w 100
	check "at run time: starts" run ""
	check "at run time: the answer has the warning" says 0 "added: tcp:8400=192.168.1.100:8400
warning: wan: forward $(hides tcp:8400=192.168.1.100:8400 8400)" router "$EINAT" forward add -i wan tcp:8400=192.168.1.100
	check "at run time: stops" stop TERM 0
}

# On the command line: one daemon for each interface.
test_options()
{
	check "--forward: the VPN's daemon starts" start_vpn
	start -i wan --nat44 --nat66 --hairpin-if lo lan wg0 --forward tcp,udp:8000=10.172.16.2:8000 "tcp,udp:8000=[fd00:16::2]"
	check "--forward: said" until_true grep -q "hairpin lo lan wg0, forward tcp,udp:8000=10.172.16.2:8000$" "$tmp/log"
	check "--forward: IPv6: said" until_true grep -q "wg0, forward tcp,udp:8000=\[fd00:16::2\]:8000$" "$tmp/log"
	published "--forward" 8000
	check "--forward: stops" stop TERM 0
	kill "$vpn_einat" && wait "$vpn_einat"
	check "--forward: as it was" as_before
}

start_vpn()
{
	ip netns exec "$ns" "$EINAT" -i wg0 --nat44 --nat66 2>"$tmp/vpn-log" &
	vpn_einat=$!
	until_true grep -q 'wg0: fd00:16::1' "$tmp/vpn-log"
}

ask() { ip netns exec "$ns" "$EINAT" "$@"; }

# lists TEXT: does forward list print exactly this?
lists() { ask forward list >"$tmp/list" 2>&1; printf '%s\n' "$1" | diff - "$tmp/list"; }

# json FILTER WORDS...: is it true of the answer?
json()
{
	filter=$1
	shift
	ask "$@" >"$tmp/json" 2>&1 && jq -e "$filter" "$tmp/json"
}

# At run time: beside those of the file, through reloads, until they are ended or the daemon is.
test_added()
{
	f4=tcp,udp:8000=10.172.16.2:8000 f6='tcp,udp:8000=[fd00:16::2]:8000'
	check "at run time: starts" run ""
	hidden "at run time, before" 8000
	hold "$in_ns" udp 192.168.1.100:25600 $server
	before=$(mapped)
	check "at run time: none are listed" lists none
	check "at run time: which interface?" says 1 \
		"einat: there are several interfaces: choose one by -i: wan, wg0" router "$EINAT" forward add $f4
	check "at run time: added" says 0 "added: $f4" router "$EINAT" forward add -i wan $f4
	check "at run time: IPv6, as JSON" json ".added == \"$f6\" and .warnings == []" forward add --json -i wan "$f6"
	published "at run time" 8000
	check "at run time: said" said "wan: forward $f4: added"
	check "at run time: listed" lists "wan
FROM         STATIC MAPPING
run time     $f4
run time     $f6"
	check "at run time: listed as JSON" json '.forwards | length == 2 and (.[0] | .interface == "wan" and .family == "ipv4" and
		.protocols == ["tcp", "udp"] and .external_port == 8000 and .count == 1 and .internal_address == "10.172.16.2" and
		.internal_port == 8000 and .remotes == [] and .origin == "run time" and .file == null)' forward list --json
	check "at run time: two that contradict each other are both named" says 1 "einat: udp:7990-8010=10.172.16.9:7990: its\
 external port udp 8000 is that of $f4 (run time), too" router "$EINAT" forward add -i wan udp:7990-8010=10.172.16.9
	check "at run time: a family that is not translated" four_only
	config_write "forwards = [\"tcp:7000=192.168.1.100\"]"
	check "at run time: a reload with another one" reload in_force
	published "at run time, after a reload" 8000
	at_line=$(grep -n forwards "$tmp/forward.toml" | cut -d: -f1)
	check "at run time: both are listed" lists "wan
FROM         STATIC MAPPING
line $at_line       tcp:7000=192.168.1.100:7000
run time     $f4
run time     $f6"
	check "at run time: the file's is not ended" says 1 "einat: tcp:7000=192.168.1.100:7000 ($tmp/forward.toml:$at_line): was\
 not added at run time: take it out there, then einat reload" router "$EINAT" forward del -i wan tcp:7000=192.168.1.100:7000
	check "at run time: nor one that is not there" says 1 "einat: tcp:1=10.0.0.1:1: there is no such static mapping" \
		router "$EINAT" forward del -i wan tcp:1=10.0.0.1
	not_half_applied
	config_write "forwards = [\"udp:8000=192.168.1.200\"]"
	check "at run time: a file that contradicts one: it is dropped, and both are named" says 0 "the configuration file is in force
warning: wan: forward $f4: its external port udp 8000 is that of udp:8000=192.168.1.200:8000 ($tmp/forward.toml:$at_line), too:\
 added at run time, is dropped" router "$EINAT" reload
	port=8000 when="at run time, dropped" protocol=tcp
	family 4
	hidden_from
	family 6
	published_to
	check "at run time: ended" says 0 "ended: $f6" router "$EINAT" forward del -i wan "$f6"
	hidden_from
	check "at run time: a mapping has lived through all of that" \
		sees outside 198.51.100.1:25009 udp 198.51.100.1:25009 "${before#mapped }"
	check "at run time: and no other since" [ "$(grep -c '^mapped' "$tmp/holder")" -eq 1 ]
	unhold
	check "at run time: stops" stop TERM 0
	check "at run time: as it was" as_before
}

# A daemon of its own, for lan.
four_only()
{
	ip netns exec "$ns" "$EINAT" -i lan 2>"$tmp/four-log" &
	four=$!
	until_true grep -q 'lan: 192.168.1.1' "$tmp/four-log"
	says 1 "einat: udp:9=[fd00::9]:9: an IPv6 address, but nat66 is not on" router "$EINAT" forward add -i lan 'udp:9=[fd00::9]:9'
	refused=$?
	kill "$four" && wait "$four"
	return $refused
}

tells() { grep -q "$1" "$tmp/out" || { cat "$tmp/out" && false; }; }

# Programs that cannot be loaded: what was in force stays, and is what is listed.
not_half_applied()
{
	ask forward list >"$tmp/list-before"
	prlimit --pid "$pid" --nofile=$(($(find "/proc/$pid/fd" -mindepth 1 | wc -l) + 3)):
	ask forward add -i wan tcp:8100=192.168.1.200:8100 >"$tmp/out" 2>&1
	check "at run time: what cannot be loaded is an error" [ $? -eq 1 ]
	check "at run time: that says why" tells "^einat: tcp:8100=192.168.1.200:8100: the static mappings are as before: wan: .*No file descriptors"
	ask forward del -i wan $f4 >"$tmp/out" 2>&1
	check "at run time: nor is one ended" tells "^einat: $f4: the static mappings are as before: wan: "
	prlimit --pid "$pid" --nofile=1024:
	ask forward list >"$tmp/list"
	check "at run time: the list is as before" diff "$tmp/list-before" "$tmp/list"
	check "at run time: nothing is wrong" json '.problems == []' status --json
	check "at run time: it serves" sees outside "10.172.16.1:25010" tcp 198.51.100.1:25010 "$external:8000"
	check "at run time: and what could not be loaded does not" is_deaf outside tcp 198.51.100.1:25011 "$external:8100"
	check "at run time: now it does" says 0 "added: tcp:8100=192.168.1.200:8100" \
		router "$EINAT" forward add -i wan tcp:8100=192.168.1.200:8100
	check "at run time: and ended" says 0 "ended: tcp:8100=192.168.1.200:8100" \
		router "$EINAT" forward del -i wan tcp:8100=192.168.1.200:8100
}

# What was left at work has them; the next daemon has those of its own configuration.
test_persist()
{
	persist='persist = true'
	mkdir "$EINAT_BPFFS" && mount -t bpf bpf "$EINAT_BPFFS"
	check "persist: starts" run "$(publish 8000)"
	check "persist: stops" stop TERM 0
	check "persist: nobody is at work" sees outside 10.172.16.1:25000 tcp 198.51.100.1:25000 "$external:8000"
	check "persist: the same again" run "$(publish 8000)"
	check "persist: is taken over" grep -q "wan: takes over the IPv4 mappings" "$tmp/log"
	check "persist: from outside" sees outside 10.172.16.1:25000 tcp 198.51.100.1:25000 "$external:8000"
	check "persist: stops again" stop TERM 0
	check "persist: one more at run time" run "$(publish 8000)"
	check "persist: added" says 0 "added: tcp:7000=192.168.1.100:7000" \
		router "$EINAT" forward add -i wan tcp:7000=192.168.1.100
	hold "$in_ns" udp 192.168.1.100:25600 $server
	before=$(mapped)
	check "persist: it stops" stop TERM 0
	check "persist: the rest is at work" sees outside 10.172.16.1:25014 tcp 198.51.100.1:25014 "$external:8000"
	check "persist: the next one" run "$(publish 8000)"
	check "persist: takes over" grep -q "wan: takes over the IPv4 mappings" "$tmp/log"
	check "persist: and a mapping has lived through that" \
		sees outside 198.51.100.1:25015 udp 198.51.100.1:25015 "${before#mapped }"
	unhold
	check "persist: stops again" stop TERM 0
	check "persist: another static mapping" run "$(publish 8001)"
	published "persist, another static mapping" 8001
	hidden "persist, the one before" 8000
	check "persist: stops" stop TERM 0
	persist=
	router "$EINAT" cleanup >"$tmp/cleaned" 2>&1
	check "persist: as it was" as_before
}

# block KIND N: the n-th block of that kind in the document's section
block()
{
	sed -n '/^## A server inside a VPN/,/^## /p' "$top/docs/use-cases.md" |
		awk -v kind="$1" -v n="$2" '/^```/ { on = !on && substr($0, 4) == kind && ++seen == n; next } on'
}

# as_written NAMESPACE N: runs the lines of a block of commands, each in the background; $einats are who runs then
as_written()
{
	einats=
	block shell "$2" >"$tmp/commands"
	while read -r line; do
		ip netns exec "$1" sh -c "exec $line" >>"$tmp/written" 2>&1 &
		einats="$einats $!"
	done <"$tmp/commands"
}

vpn_is_idle() { [ -z "$(ip netns pids "$vpn_ns")" ]; }

gets_page() { [ "$(ip netns exec "$1" sh -c "$(block shell 2)")" = page ]; }

gets_it()
{
	check "docs/use-cases.md: $1: the page, from outside" gets_page "$out_ns"
	check "docs/use-cases.md: $1: the page, from the router" gets_page "$ns"
	check "docs/use-cases.md: $1: the page, from the server's own host" gets_page "$vpn_ns"
}

# Everything as it stands there. The interface is called eth0, and there is an HTTP server in the VPN.
test_document()
{
	command -v busybox >/dev/null || { skip "docs/use-cases.md" "no busybox"; return; }
	mkdir "$tmp/bin" "$tmp/www" && echo page >"$tmp/www/index.html"
	ln -s "$(command -v busybox)" "$tmp/bin/wget" && ln -s "$EINAT" "$tmp/bin/einat"
	ip -n "$ns" link set wan down && ip -n "$ns" link set wan name eth0 && ip -n "$ns" link set eth0 up
	ip -n "$ns" route add 192.0.2.130 via 203.0.113.1
	ip netns pids "$vpn_ns" | xargs kill -KILL
	until_true vpn_is_idle
	vpn busybox httpd -f -p 10.172.16.2:8000 -h "$tmp/www" &
	until_true router busybox wget -q -O - http://10.172.16.2:8000/
	was=$PATH PATH=$tmp/bin:$PATH
	check "docs/use-cases.md: not without it" not gets_page "$out_ns"
	: >"$tmp/written"
	as_written "$ns" 1
	check "docs/use-cases.md: two daemons" until_true grep -q '^einat: wg0: 10.172.16.1' "$tmp/written"
	check "docs/use-cases.md: on both interfaces" until_true grep -q '^einat: eth0: 203.0.113.2' "$tmp/written"
	gets_it "two daemons"
	# shellcheck disable=SC2086 # one word each
	kill $einats && wait $einats
	block toml 1 >"$tmp/forward.toml"
	start -c "$tmp/forward.toml"
	check "docs/use-cases.md: one daemon" until_true grep -q '^einat: wg0: 10.172.16.1' "$tmp/log"
	gets_it "one daemon"
	check "docs/use-cases.md: stops" stop TERM 0
	PATH=$was
}

if ! command -v jq >/dev/null; then
	echo "Bail out! no jq: run make setup"
	exit 1
fi
topology_or_nothing "static mappings"
vpn_add
test_published
test_without_vpn
test_without_lo
test_address
test_collisions
test_remotes
test_listener
test_options
test_added
test_persist
test_document
echo "1..$checks"
