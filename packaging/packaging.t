#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The service files, as far as they can be checked away from systemd and OpenWrt.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=toolchains/tap.sh
. "$top/toolchains/tap.sh"
EINAT=${EINAT:-$top/build/$(uname -m)/einat}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# systemd-analyze wants the program to be where the unit says.
unit_verify()
{
	sed "s|/usr/sbin/einat|$EINAT|" "$top/packaging/systemd/einat.service" >"$tmp/einat.service"
	systemd-analyze --man=no verify "$tmp/einat.service" >"$tmp/verify" 2>&1
	status=$?
	! grep einat.service "$tmp/verify" && [ $status -eq 0 ]
}

test_systemd()
{
	if ! command -v systemd-analyze >/dev/null; then
		skip "the systemd unit" "systemd-analyze is not there"
		return
	fi
	check "systemd has nothing to say against the unit" unit_verify
	check "its exposure is below 2.0 of 10" \
		systemd-analyze --offline=yes --threshold=20 security "$tmp/einat.service"
}

# What OpenWrt's rc.common, functions.sh, network.sh and procd.sh offer, of which only as much as is used. UCI is a file of
# lines "SECTION OPTION VALUE", the option :type being the section's type, unless it is einat; networks have devices as in
# $tmp/devices.
stubs()
{
	config_load() { :; }
	config_foreach()
	{
		section_type=
		for section in $(cut -d' ' -f1 "$tmp/uci" | uniq); do
			config_get section_type "$section" :type einat
			[ "$section_type" != "$2" ] || "$1" "$section"
		done
	}
	config_get()
	{
		value=$(sed -n "s/^$2 $3 //p" "$tmp/uci" | xargs) # a list's, too, with spaces
		eval "$1=\${value:-\${4-}}"
	}
	config_get_bool() { config_get "$@"; }
	config_list_foreach()
	{
		sed -n "s/^$1 $2 //p" "$tmp/uci" >"$tmp/list-$2"
		while read -r item; do
			"$3" "$item"
		done <"$tmp/list-$2"
	}
	network_flush_cache() { :; }
	network_get_device()
	{
		value=$(sed -n "s/^$2 //p" "$tmp/devices")
		[ -n "$value" ] && eval "$1=\$value"
	}
	uci() { sed -n "s/^$3 //p" "$tmp/network"; }
	logger() { echo "log $3" >>"$tmp/procd"; }
	procd_open_instance() { echo open >>"$tmp/procd"; }
	procd_set_param() { echo "$@" >>"$tmp/procd"; }
	procd_close_instance() { echo close >>"$tmp/procd"; }
	procd_add_reload_trigger() { echo "trigger $*" >>"$tmp/procd"; }
	procd_add_reload_interface_trigger() { echo "interface $1" >>"$tmp/procd"; }
}

# started UCI TOML PROCD: with this configuration, does it write this file and ask this of procd?
started()
{
	echo "$1" >"$tmp/uci"
	: >"$tmp/procd"
	start_service
	echo "$2" >"$tmp/want"
	[ -n "$2" ] || : >"$tmp/want"
	echo "$3" >"$tmp/want-procd"
	[ -n "$3" ] || : >"$tmp/want-procd"
	diff "$tmp/want" "$FILE" && diff "$tmp/want-procd" "$tmp/procd"
}

test_openwrt()
{
	mkdir -p "$tmp/lib/functions"
	: >"$tmp/lib/functions/network.sh"
	printf 'wan pppoe-wan\nwanb eth2\nlan br-lan\n' >"$tmp/devices"
	printf 'network.down.proto pppoe\nnetwork.wg0.proto wireguard\nnetwork.dsl.proto dhcp\nnetwork.dsl.device eth3\n' >"$tmp/network"
	printf 'network.lte.proto qmi\nnetwork.lte.device /dev/cdc-wdm0\nnetwork.cafe.device br-cafe\n' >>"$tmp/network"
	IPKG_INSTROOT=$tmp
	stubs
	# shellcheck source=packaging/openwrt/files/einat.init
	. "$top/packaging/openwrt/files/einat.init"
	FILE=$tmp/var/einat.toml
	instance="open
command /usr/sbin/einat -c $FILE
file $FILE
respawn
stderr 1
close"
	check "OpenWrt: a WAN by its name alone" started "wan interface wan" '[[interfaces]]
if_name = "pppoe-wan"
nat44 = true
bpf_log_level = 0' "$instance"
	check "its file is one that einat takes" "$EINAT" check -c "$FILE"
	two="wan interface wan
wan nat66 1
wan ports 20000-20999
wan ports 30000-30999
wan hairpin lan
wan hairpin guest
wan internal 192.168.1.0/24
wan forward tcp:8000=192.168.1.100:80
wan forward udp:53=[fd00::2]
second interface wanb
second nat44 0
second nat66 1
second bpf_log 3
second inbound_mark 0x10000
second toml host_limit_udp = 100
second toml persist = true
file toml log.to = \"syslog\"
file toml log.level = \"warning\"
file :type file"
	check "OpenWrt: two WANs, with everything" started "$two" 'log.to = "syslog"
log.level = "warning"
[[interfaces]]
if_name = "pppoe-wan"
nat44 = true
nat66 = true
bpf_log_level = 0
tcp_ranges = ["20000-20999", "30000-30999"]
udp_ranges = ["20000-20999", "30000-30999"]
snat_internals = ["192.168.1.0/24"]
forwards = ["tcp:8000=192.168.1.100:80", "udp:53=[fd00::2]"]
ipv4_hairpin_route.internal_if_names = ["lo", "br-lan", "guest"]
ipv6_hairpin_route.internal_if_names = ["lo", "br-lan", "guest"]
[[interfaces]]
if_name = "eth2"
nat66 = true
bpf_log_level = 3
inbound_mark = 0x10000
host_limit_udp = 100
persist = true' "$instance"
	check "its file is one that einat takes, too" "$EINAT" check -c "$FILE"
	check "OpenWrt: a section that is off starts nothing" started "wan enabled 0
file toml log.to = \"syslog\"
file :type file" "" ""
	check "OpenWrt: nor does a WAN without a device" started "wan6 interface wan6" "" "log wan6: has no device yet"
	check "OpenWrt: a modem that is down stops no other" started "wan interface wan
lte interface lte" '[[interfaces]]
if_name = "pppoe-wan"
nat44 = true
bpf_log_level = 0' "log lte: has no device yet
$instance"
	check "OpenWrt: a device in two sections" started "wan interface wan
again interface wan" '[[interfaces]]
if_name = "pppoe-wan"
nat44 = true
bpf_log_level = 0' "log wan: another section has pppoe-wan already: one with nat44 and nat66 does both
$instance"
	check "OpenWrt: a hairpin network that is down" started "wan interface wan
wan hairpin cafe" '[[interfaces]]
if_name = "pppoe-wan"
nat44 = true
bpf_log_level = 0
ipv4_hairpin_route.internal_if_names = ["lo", "br-cafe"]
ipv6_hairpin_route.internal_if_names = ["lo", "br-cafe"]' "$instance"
	for case in down:pppoe-down wg0:wg0 dsl:eth3; do
		check "OpenWrt: an interface that is down, and its device: $case" started "wan interface ${case%:*}" "[[interfaces]]
if_name = \"${case#*:}\"
nat44 = true
bpf_log_level = 0" "$instance"
	done
	echo "$two" >"$tmp/uci"
	: >"$tmp/procd"
	service_triggers
	check "OpenWrt: a change of the configuration or of an interface makes it look again" \
		[ "$(xargs <"$tmp/procd")" = "trigger einat network interface wan interface lan interface guest interface wanb" ]
}

# once_more: itself, in the shell that OpenWrt has
once_more()
{
	IN_ASH=1 EINAT="$EINAT" busybox ash "$0" >"$tmp/ash" 2>&1
	cat "$tmp/ash"
	grep -q '^ok' "$tmp/ash" && ! grep -q '^not ok' "$tmp/ash" && tail -n 1 "$tmp/ash" | grep -qx '1\.\.[1-9][0-9]*'
}

test_ash()
{
	if busybox ash -c true 2>/dev/null; then
		check "OpenWrt: all this in its own shell, busybox's ash" once_more
	else
		skip "OpenWrt: its own shell" "busybox is not there"
	fi
}

[ -n "${IN_ASH-}" ] || test_systemd
test_openwrt
[ -n "${IN_ASH-}" ] || test_ash
echo "1..$checks"
