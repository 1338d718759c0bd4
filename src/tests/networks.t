#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Changing networks, under traffic: whatever becomes of the external interface and its addresses, packets go on as soon as
# they can, mappings of an address that is gone die with it, and no stale external address is ever used.

# shellcheck source=src/tests/network.sh
. "$(dirname "$0")/network.sh"

external=203.0.113.2
external6=2001:db8:203::2
lan_port=192.168.1.100:24000
lan_port6='[fd00::100]:24000'
carrier=

# start_both: both families, with hairpinning
start_both()
{
	start -i wan --nat44 --nat66 --hairpin-if lo lan
	hook_find
	until_true ready || { cat "$tmp/log" && false; }
}

takes() { said "wan: $1 ($hook), ports 20000-29999, hairpin lo lan"; }
takes_soon() { until_true takes "$1" || { cat "$tmp/log" && false; }; }
ready() { takes $external && takes $external6; }
ready_again() { until_true ready || { cat "$tmp/log" && false; }; }
gone() { until_true said "wan: not there, waiting for it" || { cat "$tmp/log" && false; }; }
forget() { : >"$tmp/log"; }

# translates WHEN: each protocol and family, from inside, by the present addresses
translates()
{
	for protocol in udp tcp; do
		check "$1: $protocol leaves from its address" \
			sees inside $external:22000 $protocol 192.168.1.100:22000 $server
		check "$1: $protocol over IPv6 too" \
			sees inside "[$external6]:22000" $protocol '[fd00::100]:22000' "$server6"
	done
}

# watch NAME EXPRESSION: counts, outside, what comes in by eth0 and is so
watch()
{
	outside nft -f - <<-RULES
		table inet seen {
			counter $1 { }
			chain $1 {
				type filter hook prerouting priority raw
				iifname "eth0" $2 counter name $1
			}
		}
	RULES
}

seen() { outside nft list counter inet seen "$1" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'; }
more_than() { [ "$(seen "$1")" -gt "$2" ]; }
unwatch() { outside nft delete table inet seen; }

test_appears()
{
	ip -n "$ns" link delete wan
	start -i wan --nat44 --nat66 --hairpin-if lo lan
	check "the interface appears later: it is waited for" gone
	check "the interface appears later: until then there are no rules" is rules "$boot_rules"
	wan_add
	hook_find
	check "the interface appears later: taken" ready_again
	translates "the interface appears later"
	check "the interface appears later: stops" stop TERM 0
	check "the interface appears later: as it was" as_before
}

# What it had been given before stays: the address has not gone.
test_down_and_up()
{
	start_both
	hold "$in_ns" udp 192.168.1.100:50000 $server
	before=$(mapped)
	ip -n "$ns" link set wan down
	check "down: no rules" is rules "$boot_rules"
	ip -n "$ns" link set wan up
	link_join wan eth0 2>/dev/null
	check "up: rules" until_true has_rules
	check "up: a mapping is still there" sees outside 203.0.113.1:25000 udp 203.0.113.1:25000 "${before#mapped }"
	translates "up"
	unhold
	check "down and up: stops" stop TERM 0
	check "down and up: as it was" as_before
}

has_rules() { [ "$(rules | grep -c '^100: .*lookup 4787')" -eq 4 ]; }

# renumbered OLD NEW LENGTH FROM SERVER FAMILY ROUTER: a flow of a packet each 5 ms meanwhile
renumbered()
{
	old=$1 new=$2 old_end=$1:24000 new_end=$2:24000 stranger=203.0.113.1:25000
	[ "$6" = ip ] || { old_end=[$1]:24000 new_end=[$2]:24000 stranger='[2001:db8:203::1]:25000'; }
	forget
	watch old "$6 saddr $old"
	watch new "$6 saddr $new"
	hold "$in_ns" udp "$4" "$5" -k 5
	check "renumbered, $6: the old address is in use" until_true more_than old 20
	check "renumbered, $6: a stranger comes in by it" sees outside "$stranger" udp "$stranger" "$old_end"
	ip -n "$ns" address add "$new/$3" dev wan
	ip -n "$ns" address delete "$old/$3" dev wan
	routes_add wan 1
	check "renumbered, $6: said" takes_soon "$new"
	before=$(seen old)
	check "renumbered, $6: the flow goes on from the new address" until_true more_than new 200
	check "renumbered, $6: it has a mapping there" until_true grep -qxF "mapped $new_end" "$tmp/holder"
	check "renumbered, $6: no stale external address is ever used" [ "$(seen old)" -eq "$before" ]
	check "renumbered, $6: a stranger comes in by the new one" sees outside "$stranger" udp "$stranger" "$new_end"
	lure "$old"
	check "renumbered, $6: mappings of an address that is gone die with it" \
		is_deaf outside udp "$stranger" "$old_end"
	check "renumbered, $6: nor did it reach anybody inside" [ "$(grep -c stranger "$tmp/holder")" -eq 2 ]
	unhold
	check "renumbered, $6: nothing was sent from the old one since" [ "$(seen old)" -eq "$before" ]
	unwatch
	ip -n "$out_ns" neighbour flush dev eth0 nud permanent
	ip -n "$ns" address add "$old/$3" dev wan
	ip -n "$ns" address delete "$new/$3" dev wan
	routes_add wan 1
}

# lure ADDRESS: the outside goes on sending to it, though nobody there has it
lure()
{
	ip -n "$out_ns" neighbour replace "$1" lladdr 02:00:00:00:00:01 dev eth0 nud permanent
}

test_renumbered()
{
	start_both
	renumbered $external 203.0.113.3 24 $lan_port $server ip
	check "renumbered, and back again" takes_soon $external
	renumbered $external6 2001:db8:203::3 64 "$lan_port6" "$server6" ip6
	check "renumbered, and back again, ip6" takes_soon $external6
	translates "renumbered and back"
	check "renumbered: stops" stop TERM 0
	wan_again
	check "renumbered: as it was" as_before
}

wan_again()
{
	ip -n "$ns" link delete wan
	wan_add
}

# The last address goes while packets still have a way out.
test_last_address()
{
	start_both
	watch inner "ip saddr 192.168.1.0/24"
	watch old "ip saddr 203.0.113.0/24"
	hold "$in_ns" udp $lan_port $server -k 5
	until_true more_than old 20
	forget
	ip -n "$ns" address delete $external/24 dev wan
	check "loses the last address: said" until_true said "wan: no external IPv4 address, waiting for one"
	before=$(seen old)
	ip -n "$ns" neighbour add 198.51.100.1 dev wan nud permanent \
		lladdr "$(ip -n "$out_ns" -o link show eth0 | sed 's/.*link.ether \([^ ]*\).*/\1/')"
	ip -n "$ns" route add 198.51.100.1 dev wan
	sent=$(lan_packets)
	check "loses the last address: hosts inside go on sending" until_true lan_sent $((sent + 100))
	check "loses the last address: nothing leaves from it" [ "$(seen old)" -eq "$before" ]
	check "loses the last address: nor from an internal one" [ "$(seen inner)" -eq 0 ]
	check "loses the last address: IPv6 goes on" \
		sees inside "[$external6]:22000" udp '[fd00::100]:22000' "$server6"
	check "loses the last address: no rules" is rules "$boot_rules"
	ip -n "$ns" address add $external/24 dev wan
	routes_add wan 1
	ip -n "$ns" neighbour delete 198.51.100.1 dev wan
	check "gets one again: said" takes_soon $external
	check "gets one again: the flow goes on" until_true more_than old $((before + 20))
	check "last address: stops" stop TERM 0
	check "without us an internal source does leave, and is seen" until_true more_than inner 0
	unhold
	unwatch
	wan_again
	check "last address: as it was" as_before
}

lan_packets() { router cat /sys/class/net/lan/statistics/rx_packets; }
lan_sent() { [ "$(lan_packets)" -gt "$1" ]; }

test_recreated()
{
	start_both
	hold "$in_ns" tcp $lan_port $server
	index=$(router cat /sys/class/net/wan/ifindex)
	ip -n "$ns" link delete wan
	check "deleted: said" gone
	forget
	ip -n "$ns" link add spare type veth peer name spare-peer # may take the index
	wan_add
	check "recreated under the same name: it has another ifindex" [ "$(router cat /sys/class/net/wan/ifindex)" -ne "$index" ]
	check "recreated under the same name: taken" ready_again
	check "recreated: the mappings have gone" is_deaf outside tcp 203.0.113.1:25000 $external:24000
	unhold
	translates "recreated"
	check "recreated: stops" stop TERM 0
	ip -n "$ns" link delete spare
	check "recreated: as it was" as_before
}

# carry: wan and eth0 are a pair of devices without Ethernet header
carry()
{
	: >"$tmp/carrier"
	ip netns exec "$ns" "$tmp/tun-pair" wan "/run/netns/$out_ns" eth0 >"$tmp/carrier" 2>&1 &
	carrier=$!
	until_true grep -qx ready "$tmp/carrier" || { cat "$tmp/carrier" && false; }
}

uncarry()
{
	kill "$carrier"
	wait "$carrier" 2>/dev/null
	until_true not ip -n "$ns" link show wan
}

hairpins()
{
	hold "$in_ns" udp 192.168.1.200:24000 $server
	check "$1: hairpinned from one inside to another" \
		sees inside $external:25000 udp 192.168.1.100:25000 $external:24000
	unhold
}

test_type()
{
	"${CC:-cc}" -Wall -Wextra -o "$tmp/tun-pair" "$top/src/tests/tun-pair.c"
	start_both
	hairpins "with Ethernet headers"
	ip -n "$ns" link delete wan
	check "type changes, gone: said" gone
	forget
	if ! carry; then
		skip "type changes" "this kernel has no TUN devices"
		wan_add
		stop TERM 0
		return
	fi
	link_join wan eth0
	check "type changes, L2 to L3: taken" ready_again
	translates "type changes, L2 to L3"
	hairpins "type changes, L2 to L3"
	check "type changes, L2 to L3: no neighbour" is neighbour ""
	uncarry
	check "type changes, gone again: said" gone
	forget
	wan_add
	check "type changes, L3 to L2: taken" ready_again
	translates "type changes, L3 to L2"
	hairpins "type changes, L3 to L2"
	check "type changes, L3 to L2: a neighbour" is neighbour "$(neighbour_of wan 02:00:00:00:00:01)"
	type_behind_its_back
	check "type changes: stops" stop TERM 0
	check "type changes: as it was" as_before
}

neighbour_of() { echo "203.0.113.2 dev $1 lladdr $2 PERMANENT proto 78"; }

# It sees but the end: another device, with the same name and addresses.
type_behind_its_back()
{
	forget
	kill -STOP "$pid"
	ip -n "$ns" link delete wan
	carry
	link_join wan eth0
	kill -CONT "$pid"
	check "type changes behind its back: taken" ready_again
	translates "type changes behind its back"
	uncarry
	wan_add
	check "type changes back: neighbour" is neighbour "$(neighbour_of wan 02:00:00:00:00:01)"
}

# Another takes the name, with its own addresses.
test_renamed()
{
	start_both
	ip -n "$ns" link set wan down
	ip -n "$ns" link set wan name old
	check "renamed: said" gone
	ip -n "$ns" link set old up
	check "renamed: the programs are off it" until_true is_attached old 0
	check "renamed: no rules" is rules "$boot_rules"
	check "renamed: no neighbour" is neighbour ""
	forget
	ip -n "$ns" link set wan2 down
	ip -n "$ns" link set wan2 name wan
	ip -n "$ns" link set wan up
	ip -n "$ns" route replace 198.51.100.2 via 192.0.2.1 dev wan
	check "another takes the name: taken" takes_soon 192.0.2.2
	check "another takes the name: packets leave from its address" until_true \
		sees inside 192.0.2.2:22000 udp 192.168.1.100:22000 $server2
	check "another takes the name: its neighbour" is neighbour "192.0.2.2 dev wan lladdr 02:00:00:00:00:02 PERMANENT proto 78"
	forget
	kill -STOP "$pid"
	ip -n "$ns" link set wan down
	ip -n "$ns" link set wan name wan2
	ip -n "$ns" link set old down
	ip -n "$ns" link set old name wan
	ip -n "$ns" link set wan up
	ip -n "$ns" link set wan2 up
	link_join wan eth0 2>/dev/null
	link_join wan2 eth1 2>/dev/null
	kill -CONT "$pid"
	check "renamed behind its back: taken" ready_again
	check "renamed behind its back: the programs are on the one" until_true is_attached wan 4
	check "renamed behind its back: and off the other" is_attached wan2 0
	translates "renamed behind its back"
	check "renamed: stops" stop TERM 0
	check "renamed: as it was" as_before
}

# moved HOW: to another network namespace, and back
moved()
{
	start_both
	forget
	ip -n "$ns" link set wan netns "$in_ns"
	check "moved to another namespace, $1: said" gone
	check "moved to another namespace, $1: the programs are off it" until_true is_bare_inside
	check "moved to another namespace, $1: no rules" is rules "$boot_rules"
	forget
	ip -n "$in_ns" link set wan netns "$ns"
	link_join wan eth0 2>/dev/null
	check "moved back, $1: taken" ready_again
	translates "moved back, $1"
	check "moved, $1: stops" stop TERM 0
	check "moved, $1: as it was" as_before
}

is_bare_inside()
{
	inside "$NETSTATE" >"$tmp/inside"
	ip -n "$in_ns" link show wan && ! grep -e '^tcx dev wan' -e '^filter dev wan' -e clsact "$tmp/inside"
}

test_moved()
{
	moved "by $hook"
	by="$REFUSE 28 22" # BPF_LINK_CREATE, EINVAL: as before Linux 6.6
	moved "by clsact"
	by=
}

test_hardware_address()
{
	start_both
	hairpins "its first hardware address"
	ip -n "$ns" link set wan address 02:00:00:00:00:77
	check "another hardware address: the neighbour for hairpinning follows" \
		is neighbour "$(neighbour_of wan 02:00:00:00:00:77)"
	ip -n "$out_ns" neighbour flush dev eth0
	hairpins "another hardware address"
	translates "another hardware address"
	ip -n "$ns" link set wan address 02:00:00:00:00:01
	ip -n "$out_ns" neighbour flush dev eth0
	check "another hardware address: stops" stop TERM 0
	check "another hardware address: as it was" as_before
}

topology_or_nothing "changing networks"
test_appears
test_down_and_up
test_renumbered
test_last_address
test_recreated
test_type
test_renamed
test_moved
test_hardware_address
[ -z "$carrier" ] || kill "$carrier" 2>/dev/null
echo "1..$checks"
