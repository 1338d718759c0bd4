// SPDX-License-Identifier: GPL-2.0-or-later
/* One line for each event of the data plane. Pure. */
#include "event.h"

#include <arpa/inet.h>
#include <stdio.h>

static const char *const protocol_names[NAT_PROTOCOLS] = { [NAT_TCP] = "tcp", [NAT_UDP] = "udp", [NAT_ICMP] = "icmp" };

/* "dropped: no free external port" */
static void reason_format(unsigned int reason, char *text, size_t size)
{
	static const char *const verdicts[] = {
#define PASS			"passed"
#define DONE			"translated"
#define TURN			"turned round"
#define DROP			"dropped"
#define X(name, verdict, words) [WHY_##name] = verdict ": " words,
		NAT_REASONS(X)
#undef X
#undef PASS
#undef DONE
#undef TURN
#undef DROP
	};

	if (reason < NAT_REASON_COUNT)
		snprintf(text, size, "%s", verdicts[reason]);
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

void event_format(const struct nat_event *event, int family, char *text, size_t size)
{
	const char *protocol = event->protocol < NAT_PROTOCOLS ? protocol_names[event->protocol] : "?";
	char internal[64], remote[64], reason[96];

	endpoint_format(family, event->internal_addr, event->internal_port, internal, sizeof(internal));
	endpoint_format(family, event->remote_addr, event->remote_port, remote, sizeof(remote));
	switch (event->type) {
	case EVENT_MAPPING_NEW:
		snprintf(text, size, "mapping made: %s %s, external port %u, for %s", protocol, internal,
			 ntohs(event->external_port), remote);
		break;
	case EVENT_MAPPING_END:
		snprintf(text, size, "mapping ended: %s %s, external port %u", protocol, internal,
			 ntohs(event->external_port));
		break;
	default:
		reason_format(event->reason, reason, sizeof(reason));
		snprintf(text, size, "%s: %s: %s internal %s, external port %u, remote %s",
			 event->direction == NAT_EGRESS ? "out" : "in", reason, protocol, internal,
			 ntohs(event->external_port), remote);
	}
}
