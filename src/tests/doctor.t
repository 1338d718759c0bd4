#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# einat doctor: each condition is set up, found, mended with the very command that was printed, and gone.
#
#   lan 192.168.1.1/24 [router: a network namespace] wan 203.0.113.2/24, 2001:db8::2/64
#
# The other ends of both links stay in the same namespace. Needs root.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=toolchains/tap.sh
. "$top/toolchains/tap.sh"
EINAT=${EINAT:-$top/build/$(uname -m)/einat}
PEERS=${PEERS:-$top/build/$(uname -m)/peers}
PATH=$PATH:/usr/sbin:/sbin
ns=einat-doctor-$$
tmp=$(mktemp -d)
started=
export RUNTIME_DIRECTORY="$tmp/run"
# the commands that are printed say einat
mkdir "$tmp/path"
ln -s "$EINAT" "$tmp/path/einat"
PATH=$tmp/path:$PATH

cleanup()
{
	# shellcheck disable=SC2086 # a list
	[ -z "$started" ] || kill -KILL $started 2>/dev/null
	ip netns delete "$ns" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

router() { timeout 20 ip netns exec "$ns" "$@"; }
# examine [OPTION...]: the doctor's findings in $tmp/json, its exit status in $status
examine()
{
	status=0
	router "$EINAT" doctor "${@:--iwan}" --json >"$tmp/json" 2>"$tmp/error" || status=$?
}

# read_out STATUS [OPTION...]: the same for people, in $tmp/text: the same exit status, and it fits in 80 columns?
read_out()
{
	want=$1
	shift
	got=0
	router "$EINAT" doctor "${@:--iwan}" >"$tmp/text" 2>"$tmp/error" || got=$?
	cat "$tmp/text" "$tmp/error"
	echo "exit status $got, want $want"
	[ "$got" -eq "$want" ] && ! grep -q '.\{81\}' "$tmp/text"
}

# The order of the keys is part of what docs/doctor.md promises.
has() { cat "$tmp/json" "$tmp/error" && grep -q "{\"severity\":\"$2\",\"id\":\"$1\"," "$tmp/json"; }
has_no() { cat "$tmp/json" "$tmp/error" && ! grep -q "\"id\":\"$1\"," "$tmp/json"; }
status_is() { echo "status $status, want $1" && cat "$tmp/json" "$tmp/error" && [ "$status" -eq "$1" ]; }

# mend ID [SED]: runs the first command printed for it, its words in capitals filled in
mend()
{
	sed "s/.*\"id\":\"$1\",[^}]*\"mend\":\"//; s/\"}.*//; s/\\\\n/ /g; s/\\\\\"/\"/g; ${2:-}" "$tmp/json" >"$tmp/mend"
	cat "$tmp/mend"
	router sh -e "$tmp/mend"
}

# ails ID SEVERITY STATUS SED OPTION...: the condition is there; found, mended, gone
ails()
{
	id=$1 severity=$2 ill=$3 fill=$4
	shift 4
	examine "$@"
	check "$id: found, $severity" has "$id" "$severity"
	check "$id: exit status $ill" status_is "$ill"
	check "$id: read out in 80 columns" read_out "$ill" "$@"
	check "$id: the printed command can be run" mend "$id" "$fill"
	examine "$@"
	check "$id: gone" has_no "$id"
}

healthy()
{
	examine "$@"
	check "nothing is found on a machine that is well" status_is 0
	check "and the text agrees" read_out 0 "$@"
	check "and it says so" grep -qx "wan: nothing stops the NAT" "$tmp/text"
}

topology()
{
	ip netns add "$ns" || return 1
	router sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
	ip -n "$ns" link set lo up
	ip -n "$ns" link add wan type veth peer name wan-peer
	ip -n "$ns" link set wan-peer up
}

test_from_nothing()
{
	examine -i nowan
	check "no-interface: found" has no-interface error
	check "no-interface: exit status 1" status_is 1
	ails link-down error 1 ""
	ails no-address-ipv4 error 1 "s|ADDRESS/LENGTH|203.0.113.2/24|"
	ails no-route-ipv4 error 1 "s|GATEWAY|203.0.113.1|"
	ails forwarding-ipv4 error 1 ""
	healthy
	check "nothing was changed: no rule, no qdisc, no table" is_untouched
}

is_untouched()
{
	router tc qdisc show dev wan
	router nft list ruleset
	! router tc qdisc show dev wan | grep -q -e clsact -e ingress && [ -z "$(router nft list ruleset)" ]
}

# Names of the configuration that no interface has; wan-peer does.
test_names()
{
	examine -i wan --hairpin-if lo wan-peer nolan
	check "no-internal-interface: found" has no-internal-interface warning
	check "no-internal-interface: it is named" grep -q '"there is no interface nolan, from which' "$tmp/json"
	check "no-internal-interface: no other is" [ "$(grep -o '"there is no interface' "$tmp/json" | wc -l)" -eq 1 ]
	check "no-internal-interface: read out in 80 columns" read_out 3 -i wan --hairpin-if lo wan-peer nolan
	check "no-internal-interface: exit status 3" status_is 3
	printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\ndesignated_server.if_name = "nodmz"\n' >"$tmp/designated.toml"
	examine -c "$tmp/designated.toml"
	check "no-internal-interface: a designated server's" \
		grep -q '"there is no interface nodmz, which the designated server is behind' "$tmp/json"
}

test_ipv4()
{
	router sysctl -qw net.ipv4.conf.wan.forwarding=0
	ails forwarding-ipv4 error 1 ""
	router sysctl -qw net.ipv4.conf.wan.rp_filter=1
	ails rp-filter note 0 ""
	router sysctl -qw net.ipv4.ip_local_port_range="15000 60999" net.ipv4.ip_local_reserved_ports=16000
	ails local-ports note 0 ""
	check "local-ports: what was reserved still is" \
		[ "$(router sysctl -n net.ipv4.ip_local_reserved_ports)" = "16000,20000-29999" ]
	ip -n "$ns" link set wan mtu 1492
	ails mtu warning 3 ""
	router nft delete table inet mss
	ip -n "$ns" link set wan mtu 1500
	ip -n "$ns" address replace 100.64.1.2/10 dev wan
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	examine
	check "double-nat: found" has double-nat warning
	check "double-nat: exit status 3" status_is 3
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" address delete 100.64.1.2/10 dev wan
	ip -n "$ns" route replace default via 203.0.113.1
	ip -n "$ns" link add other type veth peer name other-peer
	ip -n "$ns" link set other up
	ip -n "$ns" link set other-peer up
	ip -n "$ns" route replace default dev other
	examine
	check "no-route-ipv4: where another interface has it, a warning" has no-route-ipv4 warning
	ip -n "$ns" link delete other
	ip -n "$ns" route replace default via 203.0.113.1
	healthy
}

test_masquerade()
{
	for rule in 'oifname "wan" masquerade' 'oifname "w*" masquerade' 'oif "wan" snat to 203.0.113.2' 'masquerade' \
		'oifname { "wan", "lo" } masquerade' 'oifname != "lan" masquerade' 'oifname "wan" jump more'; do
		case $rule in *more) more='chain more { masquerade; };' ;; *) more= ;; esac
		router nft "table ip nat { $more chain postrouting { type nat hook postrouting priority srcnat; $rule; }; }"
		examine
		check "masquerade: found: $rule" has masquerade error
		check "masquerade: $rule: the printed command can be run" mend masquerade
		examine
		check "masquerade: $rule: gone" has_no masquerade
		router nft delete table ip nat
	done
	for rule in 'oifname "lan" masquerade' 'oifname "wan*" return' 'oifname != "wan" masquerade'; do
		router nft "table ip nat { chain postrouting { type nat hook postrouting priority srcnat; $rule; }; }"
		examine
		check "masquerade: not in the way: $rule" has_no masquerade
		router nft delete table ip nat
	done
	router nft 'table ip nat { chain postrouting { type nat hook postrouting priority srcnat
		ip saddr 172.17.0.0/16 oifname != "docker0" masquerade; }; }'
	ails masquerade warning 3 ""
	router nft delete table ip nat
	router nft 'table inet nat { chain postrouting { type nat hook postrouting priority srcnat
		meta nfproto ipv6 oifname wan masquerade; }; }'
	examine
	check "masquerade: IPv6's is not IPv4's concern" has_no masquerade
	router nft delete table inet nat
}

test_iptables()
{
	for iptables in iptables-nft iptables-legacy; do
		if ! router $iptables -t nat -A POSTROUTING -o wan -j MASQUERADE 2>/dev/null; then
			skip "masquerade: $iptables" "$iptables is not there, or the kernel has none"
			continue
		fi
		ails masquerade error 1 ""
	done
}

test_ipv6()
{
	printf '[[interfaces]]\nif_name = "wan"\nnat66 = true\n' >"$tmp/einat.toml"
	set -- -c "$tmp/einat.toml"
	router sysctl -qw net.ipv6.conf.wan.disable_ipv6=1
	ails ipv6-disabled error 1 "" "$@"
	ails no-address-ipv6 error 1 's|ADDRESS/LENGTH|2001:db8::2/64|; s|$| nodad|' "$@"
	ails no-route-ipv6 error 1 "s|GATEWAY|2001:db8::1|" "$@"
	router sysctl -qw net.ipv6.conf.all.forwarding=0
	ails forwarding-ipv6 error 1 "" "$@"
	ip -n "$ns" -6 route delete default
	ip -n "$ns" -6 route add default via 2001:db8::1 dev wan proto ra
	router sysctl -qw net.ipv6.conf.wan.accept_ra=1
	ails accept-ra warning 3 "" "$@"
	router sysctl -qw net.ipv6.conf.wan.accept_ra=0
	healthy "$@"
}

test_others()
{
	ip netns exec "$ns" "$PEERS/peer" serve udp 203.0.113.2:25000 >"$tmp/served" 2>&1 &
	started=$!
	until_true [ -s "$tmp/served" ] || :
	examine
	check "listeners-udp: found" has listeners-udp note
	check "listeners-udp: no harm" read_out 0
	check "listeners-udp: it is named" grep -q "managed UDP port 25000" "$tmp/text"
	kill "$started"
	wait "$started" 2>/dev/null
	started=
	ip netns exec "$ns" "$EINAT" -i wan 2>"$tmp/log" &
	started=$!
	until_true grep -q 203.0.113.2 "$tmp/log"
	check "running: no harm" read_out 0
	check "running: found, with its process" grep -qx "note: einat is at work on wan: process $started" "$tmp/text"
	kill "$started"
	wait "$started" 2>/dev/null
	started=
	healthy
	router ip rule add pref 100 iif lan lookup 4787 protocol 78
	router ip rule add pref 200 lookup local protocol 78
	router ip rule delete pref 0
	ails leftovers-ipv4 warning 3 ""
	check "leftovers-ipv4: the rules are as at boot" is_as_at_boot
}

is_as_at_boot()
{
	router ip rule
	[ "$(router ip rule | tr -d ' \t\n')" = "0:fromalllookuplocal32766:fromalllookupmain32767:fromalllookupdefault" ]
}

test_rights()
{
	mkdir -m 755 "$tmp/bin"
	chmod 755 "$tmp"
	cp "$EINAT" "$tmp/bin/einat"
	router setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/einat" doctor -i wan --json >"$tmp/json" 2>&1
	check "no-permission: exit status 1" [ $? -eq 1 ]
	check "no-permission: found" has no-permission error
	check "no-permission: nothing else is said" not grep einat: "$tmp/json"
	if ! strace -qq -o /dev/null true 2>/dev/null; then
		skip "kernel: found" "strace is not there, or may not trace"
		return
	fi
	router strace -f -qq -o /dev/null -e trace=bpf -e inject=bpf:error=ENOSYS "$EINAT" doctor -i wan --json \
		>"$tmp/json" 2>"$tmp/error"
	check "kernel: exit status 1" [ $? -eq 1 ]
	check "kernel: found" has kernel error
	router strace -f -qq -o /dev/null -e trace=bpf -e inject=bpf:error=ENOSYS "$EINAT" doctor -i wan --json \
		2>&1 >"$tmp/json" | cat >"$tmp/error"
	check "kernel: found, where messages go to a pipe" has kernel error
}

for program in "$EINAT" "$PEERS/peer"; do
	[ -x "$program" ] || {
		echo "Bail out! no $program: run make first"
		exit 1
	}
done
if ! topology 2>/dev/null; then
	echo "# SKIPPED: network namespaces need root. NOTHING of the doctor was tested." >&2
	echo "1..0 # SKIP needs root"
	exit 0
fi
test_from_nothing
test_names
test_ipv4
test_masquerade
test_iptables
test_ipv6
test_others
test_rights
echo "1..$checks"
