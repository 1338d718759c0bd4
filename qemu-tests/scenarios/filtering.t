# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# RFC 4787 REQ-8, RFC 5382 REQ-3: once a LAN host has a mapping, a stranger to
# which it never sent anything reaches it there. Without einat nobody does.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

steps()
{
	for protocol in udp tcp; do
		need lan start holder peer hold $protocol "$host:22000" "$server:7000" -w $deadline_ms
		step "$ip $protocol: the server sees the external endpoint" lan "mapped $external:22000" \
			await holder mapped
		step "$ip $protocol: a stranger reaches the LAN host there" wan "you $stranger:23000" \
			peer ask $protocol "$stranger:23000" "$external:22000" -w $deadline_ms
		step "$ip $protocol: and is seen as itself" lan . \
			await holder "'stranger $stranger:23000'" $tenths
		step "$ip $protocol: the server's other port does as well" wan "you $server:7001" \
			peer ask $protocol "$server:7001" "$external:22000" -w $deadline_ms
		need lan stop holder KILL
	done
	step "$ip: the next host's same port is not in its way" lan "you $external:" \
		peer ask udp "$other:22000" "$server:7000" -w $deadline_ms
	for protocol in udp tcp; do
		always "$ip $protocol: a port without a mapping is nobody's" wan 'peer: ' \
			"! peer ask $protocol $stranger:23000 $external:22099 -w 1000"
		always "$ip $protocol: a port that is not einat's is the router's own" wan refused \
			"! peer ask $protocol $stranger:23000 $external:22 -w $deadline_ms"
	done
}

plan 52
twice einat '' families steps
