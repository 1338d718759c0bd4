#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon as a whole: what it says, what it sets up in the kernel, and that all of it is gone afterwards.
# Needs root for all but the arguments.

# shellcheck source=src/tests/router.sh
. "$(dirname "$0")/router.sh"

test_arguments()
{
	check "no arguments" says 2 "einat: no external interface: give --ifname NAME (--help shows all options)" "$EINAT"
	check "a range that ends before it begins" says 2 'einat: --ports: "30000-20000": begin is above end' \
		"$EINAT" -i wan --ports 30000-20000
	check "an unknown option" says 2 "einat: --prots: unknown option (--help shows all options)" "$EINAT" -i wan --prots 1-2
	check "a network without a length" says 2 'einat: --internal: "10.0.0.0": no prefix length, such as /24' \
		"$EINAT" -i wan --internal 10.0.0.0
	check "a network of a family that is not translated" says 2 "einat: --internal: an IPv6 network, but no --nat66" \
		"$EINAT" -i wan --internal fd00::/8
	check "a configuration file without an interface is refused" \
		says 2 "einat: /dev/null:1: no [[interfaces]]: there is nothing to translate" "$EINAT" -c /dev/null
	check "a configuration file that is not there is named" \
		says 1 "einat: $tmp/none.toml: No such file or directory" "$EINAT" -c "$tmp/none.toml"
	printf '[[interfaces]]\nif_name = "wan"\ntcp_ranges = ["30000-20000"]\n' >"$tmp/bad.toml"
	check "a bad one is refused by its line" \
		says 2 "einat: $tmp/bad.toml:3: [[interfaces]] \"wan\": tcp_ranges: \"30000-20000\": begin is above end" \
		"$EINAT" check -c "$tmp/bad.toml"
	check "control characters reach no terminal" says 2 'einat: --ifname: "w\x1b[31mn": not an interface name' \
		"$EINAT" -i "$(printf 'w\033[31mn')"
	"$EINAT" --help >"$tmp/help" 2>"$tmp/help-error"
	check "--help goes to standard output, exit status 0" [ "$?,$(wc -c <"$tmp/help-error")" = 0,0 ]
	check "--help names the options" grep -q -e '--hairpin-if NAME' "$tmp/help"
	"$EINAT" --version >"$tmp/version"
	check "--version begins with the name" grep -qx 'einat [0-9][0-9.]*[^ ]*' "$tmp/version"
	"$EINAT" --version --json >"$tmp/version"
	check "--version --json is one JSON object" grep -qx '{"name":"einat","version":"[^"]*",.*}' "$tmp/version"
	"$EINAT" --help >/dev/full
	check "a full disk is no success" [ $? -eq 1 ]
}

test_permission()
{
	mkdir -m 755 "$tmp/bin"
	chmod 755 "$tmp"
	cp "$EINAT" "$tmp/bin/einat"
	check "without permission" \
		says 1 "einat: no permission: missing capabilities: NET_ADMIN NET_RAW BPF PERFMON; run it as root" \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/bin/einat" -i wan
	check "with permission for the network alone" \
		says 1 "einat: no permission: missing capabilities: BPF; run it as root" \
		setpriv --bounding-set -sys_admin,-cap_39 "$tmp/bin/einat" -i wan
	check "without permission for the network" \
		says 1 "einat: no permission: missing capabilities: NET_ADMIN; run it as root" \
		setpriv --bounding-set -net_admin "$tmp/bin/einat" -i wan
}

test_start_and_stop()
{
	state "$tmp/before"
	for signal in TERM INT; do
		start -i wan --hairpin-if lo lan
		hook_find
		check "one line when it has started" says_only "wan: 203.0.113.2 ($hook), ports 20000-29999, hairpin lo lan"
		check "rules in front of the local table's, which has moved" is rules "$hairpin_rules"
		check "a route out of wan" is route "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2"
		check "a neighbour with wan's own hardware address" \
			is neighbour "203.0.113.2 dev wan lladdr $(mac) PERMANENT proto 78"
		check "resident memory under 2 MB" is_small
		check "SIG$signal ends it with exit status 0" stop "$signal" 0
		check "and everything is as it was" as_before
	done
	start -i wan
	check "without --hairpin-if" until_true said "wan: 203.0.113.2 ($hook), ports 20000-29999"
	check "there are no rules" is rules "$boot_rules"
	kill -HUP "$pid"
	check "SIGHUP is answered" until_true said "SIGHUP: there is no configuration file to read again"
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	check "and survived" until_true said "wan: no external IPv4 address, waiting for one"
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	check "without hairpinning: stops" stop TERM 0
	check "without hairpinning too, everything is as it was" as_before
}

nearly_open() { has_ended || [ "$(descriptors 2>/dev/null)" -ge $((all_open - 3)) ]; }

# A race, won about every other time: several are run.
test_gone_at_start()
{
	start -i wan --hairpin-if lo lan
	ready
	all_open=$(descriptors)
	stop TERM 0 >/dev/null
	ended=0
	: >"$tmp/logs"
	for round in 1 2 3 4 5 6 7 8 9 10; do
		start -i wan --hairpin-if lo lan
		until_true nearly_open
		ip -n "$ns" link delete wan
		wan_add
		{ ready && stop TERM 0; } >/dev/null || ended=$((ended + 1))
		cat "$tmp/log" >>"$tmp/logs"
	done
	check "an interface that is replaced during the start ends none of $round" [ "$ended" -eq 0 ]
	check "nor is that worth a complaint" not grep 'No such device' "$tmp/logs"
}

test_without_lo()
{
	start -i wan --hairpin-if lan --ports 20000-20999 30000-30999
	until_true said "wan: 203.0.113.2 ($hook), ports 20000-20999 30000-30999, hairpin lan"
	check "without lo: its rule is narrowed to managed ports" is rules \
		"100: from all iif lan ipproto tcp lookup 4787
100: from all iif lo ipproto tcp dport 20000-30999 lookup 4787
100: from all iif lan ipproto udp lookup 4787
100: from all iif lo ipproto udp dport 20000-30999 lookup 4787
200: from all lookup local
32766: from all lookup main
32767: from all lookup default"
	check "without lo: stops" stop TERM 0
	check "without lo: as it was" as_before
	start -i wan --hairpin-if lo
	check "lo alone is warned of" \
		until_true said "warning: wan: hairpinning for lo alone reaches no internal host: name their interfaces too"
	check "lo alone: stops" stop TERM 0
}

test_interfaces()
{
	index=$(ip -n "$ns" -o link show wan | cut -d: -f1)
	check "an index that does not exist" says 1 'einat: --ifindex: "4711": no such interface' \
		router "$EINAT" --ifindex 4711
	check "the external interface as an internal one, by its index" \
		says 2 "einat: --hairpin-if: wan is the external interface" router "$EINAT" --ifindex "$index" --hairpin-if wan
	start --ifindex "$index" --hairpin-if lo lan
	check "by its index" ready
	check "by its index: stops" stop TERM 0
	check "by its index: as it was" as_before

	ip -n "$ns" link delete wan
	state "$tmp/without-wan"
	start -i wan --hairpin-if lo lan
	check "an interface that is not there is waited for" until_true said "wan: not there, waiting for it"
	check "while it waits there are no rules" is rules "$boot_rules"
	wan_add
	check "it appears, and is taken" ready
	check "it appears, and has rules" is rules "$hairpin_rules"
	ip -n "$ns" link delete wan
	check "it goes: the rules go with it" is rules "$boot_rules"
	: >"$tmp/log"
	ip -n "$ns" link add spare type veth peer name spare-peer # takes the index
	wan_add
	check "it comes back under another index" ready
	check "another index: rules" is rules "$hairpin_rules"
	check "another index: route" is route "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2"
	check "another index: neighbour" is neighbour "203.0.113.2 dev wan lladdr $(mac) PERMANENT proto 78"
	check "another index: the programs are on it" is_attached
	kill -STOP "$pid"
	: >"$tmp/log"
	ip -n "$ns" link delete wan
	wan_add
	kill -CONT "$pid"
	check "replaced behind its back: said" ready
	check "replaced behind its back: neighbour" is neighbour "203.0.113.2 dev wan lladdr $(mac) PERMANENT proto 78"
	check "replaced behind its back: the programs are on it" is_attached
	ip -n "$ns" link delete spare
	ip -n "$ns" link delete wan
	: >"$tmp/log"
	until_true said "wan: not there, waiting for it"
	check "stops while it waits" stop TERM 0
	cp "$tmp/before" "$tmp/with-wan"
	cp "$tmp/without-wan" "$tmp/before"
	check "stops while it waits: as it was" as_before
	wan_add
	state "$tmp/before"
}

test_changes()
{
	start -i wan --hairpin-if lo lan
	ready
	ip -n "$ns" address add 203.0.113.3/24 dev wan
	ip -n "$ns" address add 198.51.100.2/24 dev wan
	ip -n "$ns" address delete 203.0.113.3/24 dev wan
	check "a second address changes nothing" says_only "wan: 203.0.113.2 ($hook), ports 20000-29999, hairpin lo lan"
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	check "renumbered: said" until_true said "wan: 198.51.100.2 ($hook), ports 20000-29999, hairpin lo lan"
	check "renumbered: route" is route "198.51.100.2 dev wan proto 78 scope link src 198.51.100.2"
	check "renumbered: neighbour" is neighbour "198.51.100.2 dev wan lladdr $(mac) PERMANENT proto 78"
	ip -n "$ns" address delete 198.51.100.2/24 dev wan
	check "the last address goes: said" until_true said "wan: no external IPv4 address, waiting for one"
	check "the last address goes: rules too" is rules "$boot_rules"
	check "the last address goes: neighbour too" is neighbour ""
	: >"$tmp/log"
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	check "it comes back: said" ready
	check "it comes back: rules" is rules "$hairpin_rules"
	ip -n "$ns" link set wan down
	check "down: no rules" is rules "$boot_rules"
	ip -n "$ns" link set wan address 02:00:00:00:00:77 up
	check "up again with another hardware address: rules" is rules "$hairpin_rules"
	check "up again: route" is route "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2"
	check "up again: neighbour" is neighbour "203.0.113.2 dev wan lladdr 02:00:00:00:00:77 PERMANENT proto 78"
	ip -n "$ns" rule delete pref 100 iif lan ipproto tcp
	ip -n "$ns" rule add pref 0 lookup local protocol static
	check "somebody meddles with the rules: put right" is_sorted rules "$hairpin_rules"
	check "changes: stops" stop TERM 0
	ip -n "$ns" rule delete pref 0 lookup local protocol static
	check "changes: as it was, with what somebody has added" is rules "$boot_rules"
	ip -n "$ns" link set wan down
	ip -n "$ns" link delete wan
	wan_add
	state "$tmp/before"
}

# A device without an Ethernet header, with a peer's address beside ours, as PPP has.
test_point_to_point()
{
	if ! router ip tuntap add dev ppp-like mode tun 2>/dev/null; then
		skip "point to point" "this kernel has no TUN devices"
		return
	fi
	ip -n "$ns" address add 198.51.100.2 peer 198.51.100.1 dev ppp-like
	ip -n "$ns" link set ppp-like up
	state "$tmp/before"
	start -i ppp-like --hairpin-if lo lan
	check "point to point: our address, not the peer's" \
		until_true said "ppp-like: 198.51.100.2 ($hook), ports 20000-29999, hairpin lo lan"
	check "point to point: rules" is rules "$hairpin_rules"
	check "point to point: route" is route "198.51.100.2 dev ppp-like proto 78 scope link src 198.51.100.2 linkdown"
	check "point to point: no neighbour" is neighbour ""
	check "point to point: stops" stop TERM 0
	check "point to point: as it was" as_before
	ip -n "$ns" link delete ppp-like
	state "$tmp/before"
}

test_burst()
{
	start -i wan --hairpin-if lo lan
	ready
	before=$(descriptors)
	i=0
	while [ $i -lt 250 ]; do
		i=$((i + 1))
		echo "address add 203.0.113.$((i % 200 + 20))/24 dev wan"
		echo "address delete 203.0.113.$((i % 200 + 20))/24 dev wan"
		echo "link set wan down"
		echo "link set wan up"
	done >"$tmp/burst"
	ip -n "$ns" -force -batch "$tmp/burst"
	check "after 1,000 changes: rules" is rules "$hairpin_rules"
	check "after 1,000 changes: route" is route "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2"
	kill -STOP "$pid" # while its socket overruns with what does not concern it
	sed 's/wan/lan-peer/; s/203.0.113/10.0.0/' "$tmp/burst" >"$tmp/burst-lan"
	ip -n "$ns" -force -batch "$tmp/burst-lan"
	ip -n "$ns" address add 198.51.100.2/24 dev wan
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	kill -CONT "$pid"
	check "after events were lost: route" is route "198.51.100.2 dev wan proto 78 scope link src 198.51.100.2"
	check "no descriptor is lost" [ "$(descriptors)" = "$before" ]
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" address delete 198.51.100.2/24 dev wan
	check "burst: stops" stop TERM 0
	check "burst: as it was" as_before
}

test_foreign()
{
	ip -n "$ns" rule add pref 50 fwmark 7 lookup 100
	ip -n "$ns" rule add pref 100 iif lan ipproto tcp lookup 4787 # just what ours says
	ip -n "$ns" rule add pref 60 lookup local
	ip -n "$ns" rule delete pref 0 lookup local
	ip -n "$ns" route add 203.0.113.2 dev lan table 4787
	ip -n "$ns" route add 192.0.2.0/24 dev lan table 4787
	ip -n "$ns" neighbour add 203.0.113.2 lladdr "$(mac)" dev wan nud permanent
	ip -n "$ns" neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev wan nud permanent
	state "$tmp/before"
	start -i wan --hairpin-if lo lan
	check "foreign rules: starts" ready
	check "foreign rules: ours beside them, the local table's moved from 60" is_sorted rules \
		"50: from all fwmark 0x7 lookup 100
100: from all iif lan ipproto tcp lookup 4787
$hairpin_rules"
	check "foreign route for the same address: ours comes first" \
		[ "$(route | grep -m 1 -F 203.0.113.2)" = "203.0.113.2 dev wan proto 78 scope link src 203.0.113.2" ]
	check "foreign rules: stops" stop TERM 0
	check "foreign rules, routes and neighbours are as they were" as_before
	start -i wan --hairpin-if lo lan
	ready
	ip -n "$ns" neighbour replace 203.0.113.2 lladdr 02:00:00:00:00:05 dev wan nud permanent
	stop TERM 0 >/dev/null
	state "$tmp/before"
	check "a start that fails after attaching says why" says 1 \
		"einat: warning: wan: hairpin table 4787 has IPv4 routes of others, which what comes from inside takes now: \
table_id names another
einat: hairpin: a permanent neighbour that is not ours is in the way of: neighbour 203.0.113.2 dev wan $(mac)" \
		router "$EINAT" -i wan --hairpin-if lo lan
	check "a start that fails after attaching leaves nothing" as_before
	ip -n "$ns" rule add pref 0 lookup local protocol kernel
	ip -n "$ns" rule delete pref 50 fwmark 7 lookup 100
	ip -n "$ns" rule delete pref 100 iif lan ipproto tcp lookup 4787
	ip -n "$ns" rule delete pref 60 lookup local
	ip -n "$ns" route flush table 4787
	ip -n "$ns" neighbour delete 203.0.113.2 dev wan
	ip -n "$ns" neighbour delete 203.0.113.9 dev wan
	state "$tmp/before"
}

# Everything of ours has a twin that somebody else has made.
test_foreign_killed()
{
	ip -n "$ns" rule add pref 50 fwmark 7 lookup 100
	ip -n "$ns" rule add pref 100 iif lan ipproto tcp lookup 4787
	ip -n "$ns" rule add pref 200 lookup local protocol static
	ip -n "$ns" route add 203.0.113.2 dev lan table 4787
	ip -n "$ns" route add 192.0.2.0/24 dev lan table 4787
	ip -n "$ns" neighbour add 203.0.113.9 lladdr 02:00:00:00:00:09 dev wan nud permanent
	router nft 'table inet einat { chain a { type filter hook input priority 0; }; }'
	state "$tmp/before"
	killed
	check "foreign things, one was killed: something is left" not as_before
	start -i wan --hairpin-if lo lan
	check "foreign things, one was killed: a later start" ready
	check "foreign things, one was killed: stops" stop TERM 0
	check "a later start removes what was left, and nothing that it did not make" as_before
	killed
	start -i wan
	until_true said "wan: 203.0.113.2 ($hook), ports 20000-29999"
	check "foreign things, one was killed: so does a start without hairpinning" stop TERM 0
	check "and nothing that it did not make" as_before
	router nft delete table inet einat
	ip -n "$ns" rule delete pref 50 fwmark 7 lookup 100
	ip -n "$ns" rule delete pref 100 iif lan ipproto tcp lookup 4787
	ip -n "$ns" rule delete pref 200 lookup local protocol static
	ip -n "$ns" route flush table 4787
	ip -n "$ns" neighbour delete 203.0.113.9 dev wan
	state "$tmp/before"
}

# The router's own datagram from a managed port is a mapping like any other.
test_events()
{
	ip -n "$ns" neighbour add 203.0.113.1 lladdr 02:00:00:00:00:01 dev wan nud permanent
	ip -n "$ns" address add 203.0.113.3/24 dev wan
	for level in 0 3; do
		start -i wan --bpf-log $level
		until_true grep -q 203.0.113.2 "$tmp/log"
		for address in 203.0.113.3 203.0.113.2; do
			router "$PEER" ask udp $address:25000 203.0.113.1:53 -w 50 >/dev/null 2>&1
		done
		[ $level -eq 0 ] || check "--bpf-log 3 prints a mapping when it is made" until_true said \
			"wan: mapping made: udp 203.0.113.2:25000, external port 25000"
		check "no mapping is made for another address of wan" not grep 203.0.113.3 "$tmp/log"
		check "--bpf-log $level: stops" stop TERM 0
		[ $level -ne 0 ] || check "--bpf-log 0 prints nothing" says_only "wan: 203.0.113.2 ($hook), ports 20000-29999"
	done
	ip -n "$ns" address delete 203.0.113.3/24 dev wan
	ip -n "$ns" neighbour delete 203.0.113.1 dev wan
	check "--bpf-log: as it was" as_before
}

test_killed()
{
	killed
	check "after SIGKILL its rules are still there" is rules "$hairpin_rules"
	start -i wan --hairpin-if lo lan
	check "the next start copes" ready
	check "the next start has the same rules" is rules "$hairpin_rules"
	check "the next start: stops" stop TERM 0
	check "and takes all of it back" as_before
	killed
	start -i wan
	check "a next start without hairpinning" until_true said "wan: 203.0.113.2 ($hook), ports 20000-29999"
	check "takes the rules back at once" is rules "$boot_rules"
	check "next start without hairpinning: stops" stop TERM 0
	check "next start without hairpinning: as it was" as_before
	killed
	ip -n "$ns" link delete wan
	start -i wan --hairpin-if lo lan
	check "a next start without the interface takes the rules back too" is rules "$boot_rules"
	wan_add
	check "and has them again when it comes" is rules "$hairpin_rules"
	check "killed: stops" stop TERM 0
	ip -n "$ns" link delete wan
	wan_add
	state "$tmp/before"
}

test_two_daemons()
{
	start -i wan --hairpin-if lo lan
	ready
	state "$tmp/running"
	check "a second daemon on the same interface leaves" \
		says 1 "einat: interface wan: another einat is at work on it: process $pid" router "$EINAT" -i wan
	check "a second daemon with hairpinning leaves" \
		says 1 "einat: hairpin routing: another einat is at work on it: process $pid" router "$EINAT" -i lan --hairpin-if lo vpn
	state "$tmp/now"
	check "the first one has not noticed" diff "$tmp/running" "$tmp/now"
	check "two daemons: the first one stops" stop TERM 0
	check "two daemons: as it was" as_before
}

lock_files() { find "$RUNTIME_DIRECTORY" -name '*.*' | sed 's/.*\/[0-9]*//' | sort | xargs; }
namespace_number() { router stat -L -c %i /proc/self/ns/net; }

# fails_in DIRECTORY LINE: does a start with these lock files' directory end with this line?
fails_in() { RUNTIME_DIRECTORY=$1 says 1 "einat: $2" router "$EINAT" -i wan; }

# Without the service manager's variable: /run, or where there is none /var/run, with nothing in it yet.
test_default_directory()
{
	cat >"$tmp/own-run" <<-'END'
		#!/bin/sh
		unset RUNTIME_DIRECTORY
		mount -t tmpfs -o mode=755 run /run && exec "$@"
	END
	chmod 755 "$tmp/own-run"
	by="unshare -m $tmp/own-run"
	start -i wan --hairpin-if lo lan
	check "without RUNTIME_DIRECTORY: starts" ready
	directory=/proc/$pid/root/run/einat
	check "its lock files are in /run/einat" grep -qx "$pid" "$directory/$(namespace_number).interface-wan"
	check "which nobody else can look into" [ "$(stat -c '%a %u' "$directory")" = "700 0" ]
	check "without RUNTIME_DIRECTORY: stops" stop TERM 0
	mkdir -p "$tmp/root/var/run" "$tmp/root${EINAT%/*}"
	cp "$EINAT" "$tmp/root$EINAT"
	by="env -u RUNTIME_DIRECTORY chroot $tmp/root"
	start -i wan --hairpin-if lo lan
	check "without /run, /proc, /sys and /dev: starts" ready
	check "its lock files are in /var/run/einat" \
		grep -qx "$pid" "$tmp/root/var/run/einat/$(namespace_number).interface-wan"
	check "without /run: stops" stop TERM 0
	by=
	check "default directory: as it was" as_before
}

test_claims()
{
	start -i wan --hairpin-if lo lan
	ready
	lock=$RUNTIME_DIRECTORY/$(namespace_number).interface-wan
	check "the lock file holds the process id" grep -qx "$pid" "$lock"
	chmod 755 "$tmp"
	check "nobody else can open the lock file" \
		[ "$(setpriv --reuid 65534 --regid 65534 --clear-groups flock -n "$lock" true 2>&1 | grep -c 'Permission denied')" = 1 ]
	check "nor look into its directory" [ "$(stat -c '%a %u' "$RUNTIME_DIRECTORY")" = "700 0" ]
	check "claims: stops" stop TERM 0
	check "a clean end removes the lock files" [ -z "$(lock_files)" ]
	mkdir -m 700 "$tmp/foreign" "$tmp/open"
	chown 65534 "$tmp/foreign"
	chmod 770 "$tmp/open"
	ln -s "$RUNTIME_DIRECTORY" "$tmp/link"
	: >"$tmp/file"
	check "a link for the directory is refused" fails_in "$tmp/link" "$tmp/link: not a directory"
	check "a file for the directory is refused" fails_in "$tmp/file" "$tmp/file: not a directory"
	check "somebody else's directory is refused" fails_in "$tmp/foreign" \
		"$tmp/foreign: user 65534 owns it, with mode 0700: nobody else may be able to write there"
	check "a directory where others may write is refused" fails_in "$tmp/open" \
		"$tmp/open: user 0 owns it, with mode 0770: nobody else may be able to write there"
	check "where none can be made, that is said" fails_in /proc/einat \
		"make /proc/einat: No such file or directory; RUNTIME_DIRECTORY in the environment names another directory for lock files"
	check "and so is where no file can be made" fails_in /proc "interface wan: lock /proc/$(namespace_number).interface-wan: \
No such file or directory; RUNTIME_DIRECTORY in the environment names another directory"
	check "a relative one is refused" fails_in run "RUNTIME_DIRECTORY: not an absolute path"
	check "claims: as it was" as_before
}

# The same names in another network namespace are other things.
test_two_namespaces()
{
	start -i wan --hairpin-if lo lan
	ready
	first=$ns first_pid=$pid
	ns=$ns-2
	namespaces="$namespaces $ns"
	topology
	start -i wan --hairpin-if lo lan
	check "the same interface in another network namespace is no conflict" ready
	check "another network namespace: stops" stop TERM 0
	ip netns delete "$ns"
	ns=$first pid=$first_pid
	check "two namespaces: stops" stop TERM 0
	check "two namespaces: as it was" as_before
}

# A service manager may start it as a user of its own, with what it needs and no more; and systemd mounts the BPF file system
# for root alone.
test_not_root()
{
	mkdir -m 755 "$tmp/run-user"
	chown 65534 "$tmp/run-user"
	given=+net_admin,+net_raw,+cap_39,+cap_38 # BPF and PERFMON, younger than setpriv
	: >"$tmp/log"                             # what the last one said is no sign that this one is ready
	# shellcheck disable=SC2016 # the inner shell's
	ip netns exec "$ns" env RUNTIME_DIRECTORY="$tmp/run-user:$tmp/other" \
		sh -c 'mount -t bpf -o mode=0700 bpf /sys/fs/bpf && exec "$@"' sh \
		setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "$given" --ambient-caps "$given" \
		"$tmp/bin/einat" -i wan --hairpin-if lo lan 2>"$tmp/log" &
	pid=$!
	check "a user with the capabilities alone can run it" ready
	check "not root: stops" stop TERM 0
	check "not root: as it was" as_before
}

test_signals()
{
	start -i wan --hairpin-if lo lan
	ready
	for signal in USR1 USR2 ALRM VTALRM PROF IO PWR XFSZ PIPE TTOU 16 32 33 34 40 64; do
		kill -$signal "$pid"
	done
	ip -n "$ns" address delete 203.0.113.2/24 dev wan
	check "signals that mean nothing change nothing" until_true said "wan: no external IPv4 address, waiting for one"
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	check "signals: stops at SIGQUIT, too" stop QUIT 0
	check "signals: as it was" as_before
}

test_descriptors()
{
	ip netns exec "$ns" "$EINAT" -i wan --hairpin-if lo lan <&- >&- 2>&- &
	pid=$!
	check "without standard files: starts" is rules "$hairpin_rules"
	for fd in 0 1 2; do
		check "without standard files: $fd is /dev/null" [ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
	done
	check "without standard files: stops" stop TERM 0
	check "without standard files: as it was" as_before
}

# Whoever reads what it says may stop to: a full pipe, which nobody reads.
test_stalled_reader()
{
	mkfifo "$tmp/fifo"
	exec 8<>"$tmp/fifo"
	dd if=/dev/zero of="$tmp/fifo" bs=4096 count=1024 oflag=nonblock conv=notrunc 2>/dev/null
	ip netns exec "$ns" "$EINAT" -i wan --hairpin-if lo lan --bpf-log 5 2>&8 &
	pid=$!
	check "a reader that has stalled: starts" is rules "$hairpin_rules"
	dd if="$tmp/fifo" of=/dev/null bs=4096 count=1024 iflag=nonblock 2>/dev/null
	: >"$tmp/log"
	cat <&8 >>"$tmp/log" &
	reader=$!
	kill -HUP "$pid"
	check "it says what it has not said" until_true \
		grep -q '^einat: warning: [0-9]* lines* w[a-z]* not written: the reader was too slow$' "$tmp/log"
	kill "$reader"
	wait "$reader" 2>/dev/null
	dd if=/dev/zero of="$tmp/fifo" bs=4096 count=1024 oflag=nonblock conv=notrunc 2>/dev/null
	kill -HUP "$pid"
	check "a reader that has stalled: stops" stop TERM 0
	exec 8>&-
	check "a reader that has stalled: as it was" as_before
}

# The interface goes between two looks: what was found is not there to attach to.
test_vanished()
{
	by="$tcx_attach 19" # ENODEV
	start -i wan --hairpin-if lo lan
	check "gone while it attaches: waits" until_true said "wan: not there, waiting for it"
	check "gone while it attaches: says no more" says_only "wan: not there, waiting for it"
	check "gone while it attaches: stops" stop TERM 0
	check "gone while it attaches: as it was" as_before
	by=
}

links() { sed -n 's/^link_id:[^0-9]*//p' "/proc/$pid/fdinfo"/* 2>/dev/null; }

# What hangs by TCX is off if somebody detaches it, or if the device is another of the same name and number.
test_tcx()
{
	start -i wan --hairpin-if lo lan
	ready
	check "tcx: both links" [ "$(links | wc -l)" = 2 ]
	for link in $(links); do
		bpftool link detach id "$link"
	done
	check "tcx, detached by force: attached again" until_true is_attached
	check "tcx, detached by force: said, inwards first" until_true grep -qzx \
		'.*the ingress program was gone: attached again.einat: warning: wan: the egress program was gone: attached again.' "$tmp/log"
	: >"$tmp/log"
	number=$(router cat /sys/class/net/wan/ifindex)
	kill -STOP "$pid"
	ip -n "$ns" link delete wan
	ip -n "$ns" link add wan index "$number" type veth peer name wan-peer
	ip -n "$ns" link set wan-peer up
	ip -n "$ns" address add 203.0.113.2/24 dev wan
	ip -n "$ns" link set wan up
	kill -CONT "$pid"
	check "tcx, another device of the same number: attached" until_true is_attached
	check "tcx: stops" stop TERM 0
	ip -n "$ns" link delete wan
	wan_add
	state "$tmp/before"
}

# As on a kernel before 6.6, and from one way of attaching to the other.
test_clsact()
{
	by="$tcx_attach 22" # EINVAL
	before_hook=$hook hook=clsact
	start -i wan --hairpin-if lo lan
	check "clsact: starts" ready
	check "clsact: both filters" is filters "$ours"
	router tc qdisc delete dev wan clsact
	check "clsact removed by somebody: the filters are back" is filters "$ours"
	check "clsact removed by somebody: said, inwards first" grep -qzx \
		'.*the ingress program was gone: attached again.einat: warning: wan: the egress program was gone: attached again.' "$tmp/log"
	check "clsact: stops" stop TERM 0
	check "clsact: as it was" as_before
	killed
	check "clsact, killed: its filters are still there" is filters "$ours"
	start -i wan --hairpin-if lo lan
	check "clsact, killed: the next start" ready
	check "clsact, killed: has taken the filters over" is filters "$ours"
	check "clsact, killed: the next start stops" stop TERM 0
	check "clsact, killed: nothing is left, not the qdisc" as_before
	test_clsact_foreign
	killed
	by=
	hook=$before_hook
	start -i wan --hairpin-if lo lan
	check "killed as clsact, then by $hook: starts" ready
	[ "$hook" = clsact ] || check "killed as clsact, then by $hook: no filters are left" is filters ""
	check "killed as clsact, then by $hook: stops" stop TERM 0
	check "killed as clsact, then by $hook: as it was" as_before
}

# A qdisc that others have made, or use.
test_clsact_foreign()
{
	router tc qdisc add dev wan clsact
	state "$tmp/with-clsact"
	mv "$tmp/before" "$tmp/without-clsact"
	cp "$tmp/with-clsact" "$tmp/before"
	killed
	start -i wan --hairpin-if lo lan
	ready
	check "others' clsact: stops after one was killed" stop TERM 0
	check "others' clsact: it stays" as_before
	router tc qdisc delete dev wan clsact
	killed
	router tc filter add dev wan egress prio 7 bpf bytecode '1,6 0 0 0'
	start -i wan --hairpin-if lo lan
	ready
	check "our clsact, others' filter: stops" stop TERM 0
	check "our clsact, others' filter: it stays" is qdisc clsact
	router tc qdisc delete dev wan clsact
	mv "$tmp/without-clsact" "$tmp/before"
	router tc qdisc add dev wan ingress
	check "an ingress qdisc is in the way" says 1 \
		"einat: wan: attach ingress: an \`ingress\` qdisc is in the way: tc qdisc replace dev wan clsact, first" \
		router "$REFUSE" 28 22 "$EINAT" -i wan
	check "an ingress qdisc is in the way: it stays" is qdisc ingress
	router tc qdisc delete dev wan ingress
	check "others' qdiscs: as it was" as_before
}

# whole FILE: all that a start might have changed, each sysctl and each setting of a link, too
whole()
{
	{
		router "$NETSTATE"
		router sysctl -a --pattern '^net[.]' 2>/dev/null
		ip -n "$ns" -details link show
		router nft list ruleset
	} >"$1"
}

whole_as_before()
{
	whole "$tmp/whole-now"
	[ "$(wc -l <"$tmp/whole")" -gt 500 ] && diff "$tmp/whole" "$tmp/whole-now"
}

# A start that fails at its last step, when all else has been done: the interface of a designated server has other sysctls.
test_failed_start()
{
	ip -n "$ns" neighbour add 203.0.113.2 lladdr 02:00:00:00:00:05 dev wan nud permanent
	cat >"$tmp/failing.toml" <<-'END'
		[[interfaces]]
		if_name = "wan"
		nat44 = true
		ipv4_hairpin_route.internal_if_names = ["lo", "lan"]
		designated_server.if_name = "lan"
		take_over_masquerade = true
	END
	whole "$tmp/whole"
	for by in "" "$tcx_attach 22"; do
		# shellcheck disable=SC2086 # words
		router strace -qq -o "$tmp/strace" -e trace=openat,sendto,bpf $by "$EINAT" -c "$tmp/failing.toml" >"$tmp/out" 2>&1
		check "a start that fails at its last step${by:+, without TCX}" [ $? -eq 1 ]
		check "after it has changed all else${by:+, without TCX}" has_changed
		check "a failed start leaves the machine byte for byte as it was${by:+, without TCX}" whole_as_before
	done
	by=
	router sysctl -qw net.ipv4.conf.lan.rp_filter=2
	check "and that would be seen" not whole_as_before
	router sysctl -qw net.ipv4.conf.lan.rp_filter=0
	ip -n "$ns" neighbour delete 203.0.113.2 dev wan
	check "failed start: as it was" as_before
}

# has_changed: a link, programs and a firewall's table, at least
has_changed()
{
	cat "$tmp/out"
	for kind in RTM_SETLINK BPF_LINK_CREATE NFT_MSG_NEWTABLE; do
		grep -q "$kind" "$tmp/strace" || { echo "no $kind" && return 1; }
	done
}

started_or_gone() { said "wan: 203.0.113.2 ($hook), ports 20000-29999, hairpin lo lan" || ! kill -0 "$pid"; }

# fails_at CALL N: starts with the n-th system call of this name failing, stops it if it started. Is all as before?
# $tmp/beyond is made if there were fewer such calls.
fails_at()
{
	: >"$tmp/log"
	# shellcheck disable=SC2086 # words
	ip netns exec "$ns" strace -qq -D -o "$tmp/strace" -e "trace=$1" -e "inject=$1:error=EPERM:when=$2" \
		$by "$EINAT" -i wan --hairpin-if lo lan 2>>"$tmp/log" & # -D: $! is the program, not strace
	pid=$!
	until_true started_or_gone
	kill "$pid" 2>/dev/null
	wait "$pid"
	grep -q INJECTED "$tmp/strace" || : >"$tmp/beyond"
	pid=
	as_before || { cat "$tmp/log" && false; }
}

has_survived()
{
	[ -n "$failed" ] || [ "$n" -le 1 ] || return 0
	echo "call $failed of $n"
	cat "$tmp/why"
	return 1
}

# Each request to the kernel fails once, from the start to the stop: whether it goes on or gives up, nothing is left behind.
test_failures()
{
	if ! strace -qq -o /dev/null true 2>/dev/null; then
		skip "nothing is left if any one request fails" "strace is not there, or may not trace"
		return
	fi
	usual_hook=$hook
	for case in sendto bpf openat flock socket epoll_ctl ioctl "sendto $tcx_attach 22"; do
		call=${case%% *} by=${case#"$call"} hook=$usual_hook
		[ -z "$by" ] || hook=clsact
		rm -f "$tmp/beyond"
		n=0
		failed=
		while [ ! -e "$tmp/beyond" ] && [ $n -lt 200 ]; do
			n=$((n + 1))
			fails_at "$call" $n >"$tmp/why" 2>&1 || failed=$n
			[ -z "$failed" ] || break
		done
		check "nothing is left if any one of $((n - 1)) $call calls fails${by:+, without TCX}" has_survived
	done
}

test_arguments
topology_or_nothing "the running daemon"
test_permission
test_start_and_stop
test_without_lo
test_interfaces
test_gone_at_start
test_changes
test_point_to_point
test_burst
test_foreign
test_foreign_killed
test_events
test_killed
test_two_daemons
test_claims
test_default_directory
test_two_namespaces
test_not_root
test_signals
test_descriptors
test_stalled_reader
test_vanished
if [ "$hook" = tcx ] && command -v bpftool >/dev/null; then
	test_tcx
else
	skip "what hangs by TCX, taken off" "no TCX, or no bpftool"
fi
test_clsact
test_failed_start
test_failures
echo "1..$checks"
