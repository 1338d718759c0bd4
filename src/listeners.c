// SPDX-License-Identifier: GPL-2.0-or-later
/* See listeners.h. */
#include "listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As /proc has it: words as they are in memory, in this machine's byte order. Returns whether it is one. */
static bool address_read(const char *text, struct listener *listener)
{
	const size_t words = strlen(text) / 8;
	unsigned int i;

	memset(listener, 0, sizeof(*listener));
	if (words != 1 && words != 4)
		return false;
	listener->family = words == 1 ? AF_INET : AF_INET6;
	for (i = 0; i < words; i++)
		if (sscanf(text + i * 8, "%8x", &listener->addr[i]) != 1)
			return false;
	if (words == 4 && !listener->addr[0] && !listener->addr[1] && listener->addr[2] == htonl(0xffff)) {
		listener->family = AF_INET; /* ::ffff:192.0.2.1 */
		listener->addr[0] = listener->addr[3];
		listener->addr[2] = listener->addr[3] = 0;
	}
	return true;
}

static bool is_loopback(const struct listener *listener)
{
	const __be32 *addr = listener->addr;

	if (listener->family == AF_INET)
		return ntohl(addr[0]) >> 24 == 127;
	return !addr[0] && !addr[1] && !addr[2] && addr[3] == htonl(1);
}

bool listener_is_any(const struct listener *listener)
{
	static const __be32 any[4];

	return !memcmp(listener->addr, any, sizeof(any));
}

/* /proc does not say. Where an IPv4 socket finds no room beside it, it has IPv4; where we may not try, nothing is said. */
bool listener_has_ipv4(const struct listener *listener, enum nat_protocol protocol)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(listener->port) };
	int fd = socket(AF_INET, (protocol == NAT_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0), on = 1;
	bool is_taken;

	if (fd < 0)
		return false;
	if (protocol == NAT_TCP) /* connections that are over do not count */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	is_taken = bind(fd, (const struct sockaddr *)&any, sizeof(any)) && errno == EADDRINUSE;
	close(fd);
	return is_taken;
}

static void table_read(const char *path, unsigned int waits, void (*seen)(const struct listener *listener, void *arg),
		       void *arg)
{
	struct listener listener;
	char line[256], address[40];
	unsigned int port, state;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%x %*s %x", address, &port, &state) != 3 || state != waits ||
		    !address_read(address, &listener))
			continue;
		listener.port = (uint16_t)port;
		if (!is_loopback(&listener))
			seen(&listener, arg);
	}
	if (file)
		fclose(file);
}

void listeners_read(enum nat_protocol protocol, void (*seen)(const struct listener *listener, void *arg), void *arg)
{
	enum { LISTENS = 0x0a, IS_NOT_CONNECTED = 0x07 };

	if (protocol == NAT_TCP) {
		table_read("/proc/net/tcp", LISTENS, seen, arg);
		table_read("/proc/net/tcp6", LISTENS, seen, arg);
	} else {
		table_read("/proc/net/udp", IS_NOT_CONNECTED, seen, arg);
		table_read("/proc/net/udp6", IS_NOT_CONNECTED, seen, arg);
	}
}
