# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The external address changes while einat runs: new flows leave from the new
# one, are reached there, and hairpin there. Without einat nothing does.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

steps()
{
	for protocol in udp tcp; do
		step "$protocol: flows leave from the address" lan 'you 203.0.113.2:27000' \
			peer ask $protocol 192.168.1.100:27000 198.51.100.1:7000 -w $deadline_ms
	done
	need router renumber 203.0.113.2 203.0.113.3
	step "udp: new flows leave from the new address" lan . \
		until_true $tries prints 203.0.113.3 \
		peer ask udp 192.168.1.100:27001 198.51.100.1:7000 -w 500
	for protocol in udp tcp; do
		step "$protocol: so do those of a port that was mapped" lan 'you 203.0.113.3:27000' \
			peer ask $protocol 192.168.1.100:27000 198.51.100.1:7000 -w $deadline_ms
		need lan start holder peer hold $protocol 192.168.1.200:27002 198.51.100.1:7000 -w $deadline_ms
		step "$protocol: a mapping is of the new address" lan 'mapped 203.0.113.3:27002' \
			await holder mapped
		step "$protocol: a stranger reaches it" wan 'you 192.0.2.1:23000' \
			peer ask $protocol 192.0.2.1:23000 203.0.113.3:27002 -w $deadline_ms
		step "$protocol: another LAN host reaches it" lan 'you 203.0.113.3:27003' \
			peer ask $protocol 192.168.1.100:27003 203.0.113.3:27002 -w $deadline_ms
		need lan stop holder KILL
	done
	need router renumber 203.0.113.3 203.0.113.2
	step "udp: and back" lan . \
		until_true $tries prints 203.0.113.2 \
		peer ask udp 192.168.1.100:27004 198.51.100.1:7000 -w 500
}

plan 24
twice einat - steps
