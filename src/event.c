// SPDX-License-Identifier: GPL-2.0-or-later
/* One line for each event of the data plane. Pure. */
#include "event.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>

#include "reason.h"

static const char *protocol_name(unsigned int protocol)
{
	static const char *const names[NAT_PROTOCOLS] = { [NAT_TCP] = "tcp", [NAT_UDP] = "udp", [NAT_ICMP] = "icmp" };

	return protocol < NAT_PROTOCOLS ? names[protocol] : "?";
}

/* "dropped: no free external port"; what is done to the others their texts say themselves. */
static void reason_format(unsigned int reason, char *text, size_t size)
{
	static const char *const prefixes[REASON_VERDICTS] = {
		[REASON_PASS] = "passed: ", [REASON_DONE] = "", [REASON_TURN] = "", [REASON_DROP] = "dropped: "
	};

	if (reason < NAT_REASON_COUNT)
		snprintf(text, size, "%s%s", prefixes[reason_verdict(reason)], reason_text(reason));
	else
		snprintf(text, size, "reason %u", reason);
}

static void endpoint_format(int family, const __be32 addr[4], __be16 port, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	if (!inet_ntop(family, addr, address, sizeof(address)))
		address[0] = '\0';
	snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, ntohs(port));
}

static void packet_format(const struct nat_event *event, int family, char *text, size_t size)
{
	bool out = event->direction == NAT_EGRESS;
	char local[64], remote[64], reason[96];

	reason_format(event->reason, reason, sizeof(reason));
	/* What could not be read, ARP for one, has no endpoints. */
	if (!event->internal_addr[0] && !event->remote_addr[0]) {
		snprintf(text, size, "%s: %s", out ? "out" : "in", reason);
		return;
	}
	endpoint_format(family, event->internal_addr, out ? event->internal_port : event->external_port, local,
			sizeof(local));
	endpoint_format(family, event->remote_addr, event->remote_port, remote, sizeof(remote));
	snprintf(text, size, "%s: %s: %s %s to %s", out ? "out" : "in", reason, protocol_name(event->protocol),
		 out ? local : remote, out ? remote : local);
}

void event_format(const struct nat_event *event, int family, char *text, size_t size)
{
	char internal[64];

	if (event->type != EVENT_MAPPING_NEW && event->type != EVENT_MAPPING_END) {
		packet_format(event, family, text, size);
		return;
	}
	endpoint_format(family, event->internal_addr, event->internal_port, internal, sizeof(internal));
	snprintf(text, size, "mapping %s: %s %s, external port %u", event->type == EVENT_MAPPING_NEW ? "made" : "ended",
		 protocol_name(event->protocol), internal, ntohs(event->external_port));
}
