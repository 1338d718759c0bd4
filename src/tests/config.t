#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon with a configuration file: several external addresses and interfaces, and SIGHUP.
#
#   lan 192.168.1.1/24 [router: a network namespace] wan 203.0.113.2/24, 203.0.113.3/24, 198.51.100.2/24
#                                                    wan2 192.0.2.2/24
#
# Needs root.
# shellcheck source=src/tests/harness.sh
. "$(dirname "$0")/harness.sh"

file=$tmp/einat.toml
hook='tcx\|clsact'

topology()
{
	ip netns add "$ns" || return 1
	router sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	ip -n "$ns" link set lo up
	for name in lan wan wan2; do
		ip -n "$ns" link add "$name" type veth peer name "$name-peer"
		ip -n "$ns" link set "$name-peer" up
		ip -n "$ns" link set "$name" up
	done
	ip -n "$ns" address add 192.168.1.1/24 dev lan
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" address add 203.0.113.3/24 dev wan
	ip -n "$ns" address add 198.51.100.2/24 dev wan
	ip -n "$ns" address add 192.0.2.2/24 dev wan2
}

state() { router "$NETSTATE" net.ipv4.ip_forward >"$1"; }

# has PATTERN: is there such a line?
has() { grep -qx "einat: $1" "$tmp/log" || { cat "$tmp/log" && false; }; }

rules() { ip -n "$ns" rule show | tr -s '\t' ' ' | sed 's/ *$//; s/ proto [0-9a-z]*$//'; }
routes() { ip -n "$ns" route show table 4787 2>/dev/null | sed 's/ .*//' | sort | tr '\n' ' '; }
prints() { [ "$("$1")" = "$2" ]; }
is() { until_true prints "$@" || { "$1" && false; }; }

boot_rules="0: from all lookup local
32766: from all lookup main
32767: from all lookup default"

# hairpin_rules PREFERENCE: for lo and lan, UDP
hairpin_rules()
{
	echo "$1: from all iif lo ipproto udp lookup 4787
$1: from all iif lan ipproto udp lookup 4787
200: from all lookup local
32766: from all lookup main
32767: from all lookup default"
}

# maps: the numbers of those that the daemon holds
maps() { cat /proc/"$pid"/fdinfo/* 2>/dev/null | grep map_id | sort; }

# again, with the file on standard input: the file is this now, and the daemon is told
again()
{
	cat >"$file"
	: >"$tmp/log"
	kill -HUP "$pid"
}

test_externals()
{
	state "$tmp/before"
	cat >"$file" <<-EOT
	[[interfaces]]
	if_name = "wan"
	nat44 = true
	ipv4_hairpin_route = { internal_if_names = ["lo", "lan"], ip_protocols = ["udp"] }
	[[interfaces.externals]]
	match_address = "198.51.100.0/24"
	udp_ranges = ["40000-40099"]
	[[interfaces.externals]]
	address = "203.0.113.3"
	no_hairpin = true
	[[interfaces]]
	if_name = "wan2"
	nat44 = true
	bpf_loader = "aya"
	EOT
	start -c "$file"
	check "each interface is announced, with its addresses in their order" \
		until_true has "wan: 198.51.100.2 203.0.113.3 203.0.113.2 (\\($hook\\)), ports 20000-29999, hairpin lo lan"
	check "and the other" until_true has "wan2: 192.0.2.2 (\\($hook\\)), ports 20000-29999"
	check "what has no effect is said" has "$file:14: .*bpf_loader: has no effect here"
	check "all addresses but the one without hairpinning are routed" is routes "198.51.100.2 203.0.113.2 "
	: >"$tmp/log"
	ip -n "$ns" address del 198.51.100.2/24 dev wan
	check "an address that goes leaves its place to nobody" \
		until_true has "wan: 203.0.113.3 203.0.113.2 (\\($hook\\)), .*"
	: >"$tmp/log"
	ip -n "$ns" address add 198.51.100.2/24 dev wan
	check "and takes it again" until_true has "wan: 198.51.100.2 203.0.113.3 203.0.113.2 (\\($hook\\)), .*"
	check "it stops" stop TERM 0
	check "and leaves everything as it was" as_before
}

wan_file()
{
	cat <<-EOT
	[[interfaces]]
	if_name = "wan"
	nat44 = true
	${1:-}
	EOT
}

claim() { echo "$RUNTIME_DIRECTORY/$(router stat -L -c %i /proc/self/ns/net).hairpin-routing"; }

test_reload()
{
	state "$tmp/before"
	wan_file >"$file"
	start -c "$file"
	check "it starts" until_true has "wan: 203.0.113.2 (\\($hook\\)), ports 20000-29999"
	maps >"$tmp/maps"
	check "it has maps" grep -q map_id "$tmp/maps"

	wan_file 'ipv4_hairpin_route = { internal_if_names = ["lo", "lan"], ip_protocols = ["udp"] }' | again
	check "SIGHUP: a good file is in force" until_true has "SIGHUP: $file is in force"
	check "hairpinning comes" is rules "$(hairpin_rules 100)"
	check "and is announced" until_true has "wan: 203.0.113.2 (\\($hook\\)), ports 20000-29999, hairpin lo lan"

	exec 7<"$(claim)"
	wan_file 'ipv4_hairpin_route = { internal_if_names = ["lo", "lan"], ip_protocols = ["udp"], ip_rule_pref = 90 }
	timeout_udp_min = "3m"' | again
	check "a rule's preference may change, and a timeout" is rules "$(hairpin_rules 90)"
	check "hairpin routing was claimed all the while, by the same file" [ "$(stat -L -c %h /proc/self/fd/7 7<&7)" = 1 ]
	exec 7<&-

	wan_file 'tcp_ranges = ["2-1"]' | again
	check "a bad file is refused with its line" \
		until_true has "$file:4: .*\"wan\": tcp_ranges: \"2-1\": begin is above end"
	check "and that the old one stays is said" until_true has "SIGHUP: $file is refused, what was in force stays"
	check "it does stay" is rules "$(hairpin_rules 90)"

	wan_file 'persist = true' | again
	check "what needs a restart is named" \
		until_true has '\[\[interfaces\]\] "wan": persist: has changed: needs a restart'
	check "and nothing of it is taken" is rules "$(hairpin_rules 90)"

	rm "$file"
	: >"$tmp/log"
	kill -HUP "$pid"
	check "a file that is gone is refused" until_true has "$file: No such file or directory"
	mkfifo "$file"
	: >"$tmp/log"
	kill -HUP "$pid"
	limit=15
	check "a FIFO that nobody writes to is not waited for" until_true has "$file: Operation timed out"
	limit=5
	rm "$file"

	wan_file | again
	check "hairpinning goes" is rules "$boot_rules"
	check "and its claim, for another to have" until_true [ ! -e "$(claim)" ]
	maps >"$tmp/maps-now"
	check "its maps, and the mappings in them, are those that it began with" diff "$tmp/maps" "$tmp/maps-now"
	check "it stops" stop TERM 0
	check "and leaves everything as it was" as_before
}

# touches_nothing FILE: asks the kernel for nothing but to read the file, and to print
touches_nothing()
{
	strace -qq -f -o "$tmp/strace" "$EINAT" check -c "$1" >"$tmp/out" 2>&1 || { cat "$tmp/out" && return 1; }
	grep -q "open.*\"$1\"" "$tmp/strace" && ! grep -nE '^[0-9 ]*(socket|bpf|mount|unlink|mkdir|rename|chmod|kill|fork|clone)[a-z0-9]*\(|O_WRONLY|O_RDWR|O_CREAT' "$tmp/strace"
}

test_check()
{
	wan_file 'tcp_ranges = ["20000-20999"]' >"$file"
	chmod 755 "$tmp"
	mkdir -m 755 "$tmp/bin"
	cp "$EINAT" "$tmp/bin/einat"
	check "einat check needs no privilege" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$tmp/bin/einat" check -c "$file"
	if strace -qq -o /dev/null true 2>/dev/null; then
		check "einat check reads it, and touches nothing" touches_nothing "$file"
	else
		skip "einat check reads it, and touches nothing" "strace is not there, or may not trace"
	fi
	printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\nipv4_hairpin_route = { internal_if_names = ["lan"], ip_rule_pref = 300 }\n' \
		>"$tmp/warned.toml"
	"$EINAT" check -c "$tmp/warned.toml" 2>&1 >"$tmp/printed" | tee "$tmp/warned"
	check "it warns of what the daemon would warn of" \
		grep -q "^einat: warning: wan: hairpinning has no effect: its rule's preference 300" "$tmp/warned"
	check "but not of the usual timeouts" not grep -q timeout "$tmp/warned"
	printf '[[interfaces]]\nif_name = "wan"\nnat44 = true\ntimeout_tcp_est = "2h"\ntimeout_udp_min = "2m"\n' >"$tmp/warned.toml"
	"$EINAT" check -c "$tmp/warned.toml" 2>&1 >"$tmp/printed" | tee "$tmp/warned"
	check "it warns of timeouts that are shorter than the RFCs have them" \
		grep -q "^einat: warning: wan: timeout_tcp_est is less than 124 minutes (RFC 5382 REQ-5): " "$tmp/warned"
	check "of these alone" [ "$(wc -l <"$tmp/warned")" -eq 1 ]
	"$EINAT" check -c "$file" >"$tmp/printed"
	check "it prints the effective configuration" grep -qx 'tcp_ranges = \["20000-20999"\]' "$tmp/printed"
	check "with every default" grep -qx 'timeout_fragment = "2s"' "$tmp/printed"
	check "which is a configuration itself" [ "$("$EINAT" check -c "$tmp/printed")" = "$(cat "$tmp/printed")" ]
	"$EINAT" check -c "$file" --json >"$tmp/printed.json"
	check "also as JSON" grep -q '"tcp_ranges": *\[ *"20000-20999" *\]' "$tmp/printed.json"
}

test_check
if ! topology 2>/dev/null; then
	echo "1..0 # SKIP network namespaces need root; nothing of the configuration file was tested on a running daemon"
	exit 0
fi
test_externals
test_reload
echo "1..$checks"
