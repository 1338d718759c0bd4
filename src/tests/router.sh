# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034 # variables that the tests use
#
# An IPv4 router in a network namespace, for the tests of the daemon:
#
#   lan 192.168.1.1/24 [router] wan 203.0.113.2/24
#
# The other ends of both links stay in the same namespace and do nothing.

# shellcheck source=src/tests/harness.sh
. "$(dirname "$0")/harness.sh"
hook= # "tcx" or "clsact": hook_find

wan_add()
{
	ip -n "$ns" link add wan type veth peer name wan-peer
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" link set wan-peer up
	ip -n "$ns" link set wan up
}

topology()
{
	ip netns add "$ns" || return 1
	# Addresses that the kernel makes up by itself, seconds later, would be changes that nobody made.
	router sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n "$ns" link set lo up
	ip -n "$ns" link add lan type veth peer name lan-peer
	ip -n "$ns" address add 192.168.1.1/24 dev lan
	ip -n "$ns" link set lan-peer up
	ip -n "$ns" link set lan up
	wan_add
}

state() { router "$NETSTATE" net.ipv4.ip_forward net.ipv4.conf.all.accept_local net.ipv4.conf.all.rp_filter >"$1"; }

ready() { until_true said "wan: 203.0.113.2 ($hook), ports 20000-29999, hairpin lo lan" || { cat "$tmp/log" && false; }; }

# hook_find: how do programs hang on an interface here? Asks the daemon that start has started.
hook_find()
{
	until_true grep -q '(\(tcx\|clsact\))' "$tmp/log"
	hook=$(sed -n 's/.*(\(tcx\|clsact\)).*/\1/p' "$tmp/log")
}

rules() { ip -n "$ns" rule show | tr -s '\t' ' ' | sed 's/ *$//; s/ proto [0-9a-z]*$//'; }
route() { ip -n "$ns" route show table 4787 2>/dev/null | sed 's/ *$//'; }
neighbour() { ip -n "$ns" neighbour show nud permanent | sed 's/ *$//'; }

boot_rules="0: from all lookup local
32766: from all lookup main
32767: from all lookup default"
hairpin_rules="100: from all iif lo ipproto tcp lookup 4787
100: from all iif lan ipproto tcp lookup 4787
100: from all iif lo ipproto udp lookup 4787
100: from all iif lan ipproto udp lookup 4787
200: from all lookup local
32766: from all lookup main
32767: from all lookup default"

is_small()
{
	kilobytes=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status")
	echo "$kilobytes kB"
	[ "$kilobytes" -lt 2048 ]
}

is_attached() { router "$NETSTATE" | grep -c -e '^tcx dev wan ' -e '^filter dev wan ' | grep -qx 2; }

descriptors() { find "/proc/$pid/fd" -mindepth 1 | wc -l; }

killed()
{
	start -i wan --hairpin-if lo lan
	ready
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	pid=
}

tcx_attach="$REFUSE 28" # BPF_LINK_CREATE

filters() { router "$NETSTATE" | sed -n 's/^filter dev wan .*parent \(0x[0-9a-f]*\) .*handle 0x\([0-9a-f]*e1a[46]\) .*/\1 \2/p'; }
qdisc() { ip netns exec "$ns" tc qdisc show dev wan | sed -n 's/^qdisc \(clsact\|ingress\) .*/\1/p'; }
ours="0xfffffff2 1e1a4
0xfffffff3 1e1a4"

# topology_or_nothing WHAT: may we make namespaces? Ends the test where not.
topology_or_nothing()
{
	topology 2>/dev/null && return
	echo "# SKIPPED: network namespaces need root. NOTHING of $1 was tested." >&2
	echo "# SKIPPED: network namespaces need root. NOTHING of $1 was tested."
	[ "$checks" -gt 0 ] && echo "1..$checks" || echo "1..0 # SKIP needs root"
	exit 0
}
