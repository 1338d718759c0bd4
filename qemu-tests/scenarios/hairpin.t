# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 4787 REQ-9, RFC 5382 REQ-8: hosts behind the NAT, and the router itself,
# reach a LAN host through its external endpoint, and it sees their external
# source. Without --hairpin-if those packets end at the router.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

steps()
{
	for protocol in udp tcp; do
		need lan start holder peer hold $protocol "$other:24000" "$server:7000" -w $deadline_ms
		always "$ip $protocol: a LAN host has a mapping" lan "mapped $external:24000" \
			await holder mapped
		step "$ip $protocol: another LAN host reaches it there" lan "you $external:25000" \
			peer ask $protocol "$host:25000" "$external:24000" -w $deadline_ms
		step "$ip $protocol: and has the external source" lan . \
			await holder "'stranger $external:25000'" $tenths
		step "$ip $protocol: so does the router" router "you $external:26000" \
			peer ask $protocol "$external:26000" "$external:24000" -w $deadline_ms
		step "$ip $protocol: with the external source, too" lan . \
			await holder "'stranger $external:26000'" $tenths
		step "$ip $protocol: it even reaches itself" lan "you $external:" \
			peer ask $protocol "$other:25001" "$external:24000" -w $deadline_ms
		need lan stop holder KILL
	done
}

plan 48
twice --hairpin-if '-i wan --nat44 --nat66' families steps
