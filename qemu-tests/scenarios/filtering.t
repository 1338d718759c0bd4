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
		need lan start holder peer hold $protocol 192.168.1.100:22000 198.51.100.1:7000 -w $deadline_ms
		step "$protocol: the server sees the external endpoint" lan 'mapped 203.0.113.2:22000' \
			await holder mapped
		step "$protocol: a stranger reaches the LAN host there" wan 'you 192.0.2.1:23000' \
			peer ask $protocol 192.0.2.1:23000 203.0.113.2:22000 -w $deadline_ms
		step "$protocol: and is seen as itself" lan . \
			await holder "'stranger 192.0.2.1:23000'" 10
		step "$protocol: the server's other port does as well" wan 'you 198.51.100.1:7001' \
			peer ask $protocol 198.51.100.1:7001 203.0.113.2:22000 -w $deadline_ms
		need lan stop holder KILL
	done
	step "the next host's same port is not in its way" lan 'you 203.0.113.2:' \
		peer ask udp 192.168.1.200:22000 198.51.100.1:7000 -w $deadline_ms
}

plan 22
twice einat - steps
for protocol in udp tcp; do
	always "$protocol: a port without a mapping is nobody's" wan 'peer: ' \
		"! peer ask $protocol 192.0.2.1:23000 203.0.113.2:22099 -w 1000"
	always "$protocol: a port that is not einat's is the router's own" wan refused \
		"! peer ask $protocol 192.0.2.1:23000 203.0.113.2:22 -w $deadline_ms"
done
