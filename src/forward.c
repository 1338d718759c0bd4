// SPDX-License-Identifier: GPL-2.0-or-later
/* Static mappings as they are written. See forward.h. */
#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "config.h"
#include "external.h"

static const char *const protocol_names[FORWARD_PROTOCOLS] = { [NAT_TCP] = "tcp", [NAT_UDP] = "udp" };

static const char not_a_forward[] = "not a static mapping such as tcp:8000=192.168.1.2:80";

int forward_parse_ports(struct port_range *ports, const char *text, const char **why)
{
	struct port_set set = { NULL, 0 };
	int err = port_set_parse(&set, text, why);

	if (!err)
		*ports = set.ranges[0];
	port_set_free(&set);
	return err;
}

/* "tcp", "udp" or "tcp,udp". */
static int protocols_parse(struct forward *forward, char *text)
{
	char *word;
	int i;

	while ((word = strsep(&text, ","))) {
		for (i = 0; i < FORWARD_PROTOCOLS && strcmp(word, protocol_names[i]) != 0; i++)
			;
		if (i == FORWARD_PROTOCOLS || forward->protocols[i])
			return -EINVAL;
		forward->protocols[i] = true;
	}
	return 0;
}

/* Cuts "192.168.1.2:80" or "[2001:db8::2]:80" after the address. What follows it is *ports; NULL: nothing. */
static int address_cut(char *text, char **address, char **ports)
{
	char *colon = strchr(text, ':'), *bracket;

	*address = text;
	if (*text != '[') {
		*ports = colon ? colon + 1 : NULL;
		if (colon)
			*colon = '\0';
		return colon && strchr(colon + 1, ':') ? -EINVAL : 0; /* an IPv6 address without brackets */
	}
	*address = text + 1;
	bracket = strchr(text, ']');
	if (!bracket || (bracket[1] && bracket[1] != ':'))
		return -EINVAL;
	*bracket = '\0';
	*ports = bracket[1] ? bracket + 2 : NULL;
	return strchr(*address, ':') ? 0 : -EINVAL;
}

static int internal_parse(struct forward *forward, char *text, const char **why)
{
	struct port_range internal = forward->external;
	char *address, *ports;

	if (address_cut(text, &address, &ports))
		return -EINVAL;
	if (address_parse(address, &forward->family, forward->internal_addr))
		return -EINVAL;
	if (ports && forward_parse_ports(&internal, ports, why))
		return -EINVAL;
	forward->internal_port = internal.first;
	if (internal.first == internal.last ||
	    internal.last - internal.first == forward->external.last - forward->external.first)
		return 0;
	*why = "the two ranges of ports are not as long";
	return -EINVAL;
}

int forward_parse(struct forward *forward, const char *text, const char **why)
{
	char copy[FORWARD_TEXT], *colon, *equals;

	memset(forward, 0, sizeof(*forward));
	*why = not_a_forward;
	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, strlen(text) + 1);
	colon = strchr(copy, ':');
	equals = strchr(copy, '=');
	if (!colon || !equals || equals < colon)
		return -EINVAL;
	*colon = *equals = '\0';
	if (protocols_parse(forward, copy) || forward_parse_ports(&forward->external, colon + 1, why))
		return -EINVAL;
	*why = not_a_forward;
	if (internal_parse(forward, equals + 1, why))
		return -EINVAL;
	*why = forward_check(forward);
	return *why ? -EINVAL : 0;
}

const char *forward_check(const struct forward *forward)
{
	unsigned int length = forward->external.last - forward->external.first;

	if (!forward->protocols[NAT_TCP] && !forward->protocols[NAT_UDP])
		return "neither tcp nor udp";
	if (!forward->external.first || !forward->internal_port)
		return "port 0 cannot be used";
	if (forward->internal_port + length > UINT16_MAX)
		return "the last internal port is above 65535";
	return address_trouble(forward->family, forward->internal_addr);
}

/* The first number that is in two ranges as long as these, or 0. */
static unsigned int overlap(unsigned int a, unsigned int a_length, unsigned int b, unsigned int b_length)
{
	unsigned int first = a > b ? a : b;

	return first <= a + a_length && first <= b + b_length ? first : 0;
}

static void endpoint_format(int family, const __be32 addr[4], unsigned int port, char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(family, addr, address, sizeof(address));
	snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, port);
}

bool forward_conflicts(const struct forward *forward, const struct forward *other, char *what, size_t size)
{
	unsigned int length = forward->external.last - forward->external.first, port;
	unsigned int other_length = other->external.last - other->external.first;
	char endpoint[INET6_ADDRSTRLEN + 8];
	const char *protocol = NULL;
	int i;

	for (i = 0; i < FORWARD_PROTOCOLS && !protocol; i++)
		if (forward->protocols[i] && other->protocols[i])
			protocol = protocol_names[i];
	if (!protocol || forward->family != other->family)
		return false;
	port = overlap(forward->external.first, length, other->external.first, other_length);
	if (port && forward->external_number == other->external_number) {
		snprintf(what, size, "external port %s %u", protocol, port);
		return true;
	}
	port = overlap(forward->internal_port, length, other->internal_port, other_length);
	if (!port || memcmp(forward->internal_addr, other->internal_addr, sizeof(forward->internal_addr)) != 0)
		return false;
	endpoint_format(forward->family, forward->internal_addr, port, endpoint, sizeof(endpoint));
	snprintf(what, size, "internal endpoint %s %s", protocol, endpoint);
	return true;
}

bool forward_has_external(const struct forward *forward)
{
	static const __be32 none[4];

	return memcmp(forward->external_addr, none, sizeof(none)) != 0;
}

void forward_format(const struct forward *forward, char *text, size_t size)
{
	bool both = forward->protocols[NAT_TCP] && forward->protocols[NAT_UDP];
	char endpoint[INET6_ADDRSTRLEN + 8], last[8] = "", external[INET6_ADDRSTRLEN] = "";

	if (forward->external.last != forward->external.first)
		snprintf(last, sizeof(last), "-%u", forward->external.last);
	endpoint_format(forward->family, forward->internal_addr, forward->internal_port, endpoint, sizeof(endpoint));
	if (forward_has_external(forward))
		inet_ntop(forward->family, forward->external_addr, external, sizeof(external));
	snprintf(text, size, "%s:%u%s=%s%s%s",
		 both			       ? "tcp,udp"
		 : forward->protocols[NAT_TCP] ? "tcp"
					       : "udp",
		 forward->external.first, last, endpoint, external[0] ? " at " : "", external);
}

int forward_add_ports(const struct forward *forward, enum nat_protocol protocol, struct port_set *ports)
{
	if (protocol == NAT_ICMP || !forward->protocols[protocol])
		return 0;
	return port_set_add(ports, forward->external.first, forward->external.last);
}

uint16_t forward_remote_set(const struct forward *forward, size_t n)
{
	return forward->remotes_count ? (uint16_t)(n + 1) : 0;
}
