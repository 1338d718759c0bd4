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
		need lan start holder peer hold $protocol 192.168.1.200:24000 198.51.100.1:7000 -w $deadline_ms
		always "$protocol: a LAN host has a mapping" lan 'mapped 203.0.113.2:24000' \
			await holder mapped
		step "$protocol: another LAN host reaches it there" lan 'you 203.0.113.2:25000' \
			peer ask $protocol 192.168.1.100:25000 203.0.113.2:24000 -w $deadline_ms
		step "$protocol: and has the external source" lan . \
			await holder "'stranger 203.0.113.2:25000'" 10
		step "$protocol: so does the router" router 'you 203.0.113.2:26000' \
			peer ask $protocol 203.0.113.2:26000 203.0.113.2:24000 -w $deadline_ms
		step "$protocol: with the external source, too" lan . \
			await holder "'stranger 203.0.113.2:26000'" 10
		step "$protocol: it even reaches itself" lan 'you 203.0.113.2:' \
			peer ask $protocol 192.168.1.200:25001 203.0.113.2:24000 -w $deadline_ms
		need lan stop holder KILL
	done
}

plan 24
twice --hairpin-if '-i wan' steps
