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
		step "$ip $protocol: flows leave from the address" lan "you $external:27000" \
			peer ask $protocol "$host:27000" "$server:7000" -w $deadline_ms
	done
	need router renumber "$(bare "$external")" "$(bare "$renumbered")"
	step "$ip udp: new flows leave from the new address" lan . \
		until_true $tries prints "$(bare "$renumbered")" \
		peer ask udp "$host:27001" "$server:7000" -w 500
	for protocol in udp tcp; do
		step "$ip $protocol: so do those of a port that was mapped" lan "you $renumbered:27000" \
			peer ask $protocol "$host:27000" "$server:7000" -w $deadline_ms
		need lan start holder peer hold $protocol "$other:27002" "$server:7000" -w $deadline_ms
		step "$ip $protocol: a mapping is of the new address" lan "mapped $renumbered:27002" \
			await holder mapped
		step "$ip $protocol: a stranger reaches it" wan "you $stranger:23000" \
			peer ask $protocol "$stranger:23000" "$renumbered:27002" -w $deadline_ms
		step "$ip $protocol: another LAN host reaches it" lan "you $renumbered:27003" \
			peer ask $protocol "$host:27003" "$renumbered:27002" -w $deadline_ms
		need lan stop holder KILL
	done
	need router renumber "$(bare "$renumbered")" "$(bare "$external")"
	step "$ip udp: and back" lan . \
		until_true $tries prints "$(bare "$external")" \
		peer ask udp "$host:27004" "$server:7000" -w 500
}

plan 48
twice einat '' families steps
