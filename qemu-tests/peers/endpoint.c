// SPDX-License-Identifier: GPL-2.0-or-later
/* Parses, prints and compares endpoints, and opens sockets bound to them. */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int number_parse(const char *text, long max, long *number)
{
	char *end;

	/* strtol alone would take blanks and signs. */
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*number = strtol(text, &end, 10);
	if (errno || *end || *number > max)
		return -EINVAL;
	return 0;
}

int endpoint_parse_address(const char *text, uint16_t port, union endpoint *endpoint)
{
	const char *scope = strchr(text, '%');
	char address[INET6_ADDRSTRLEN];

	memset(endpoint, 0, sizeof(*endpoint));
	if (scope) {
		endpoint->in6.sin6_scope_id = if_nametoindex(scope + 1);
		if (!endpoint->in6.sin6_scope_id || scope - text >= (ptrdiff_t)sizeof(address))
			return -EINVAL;
		snprintf(address, sizeof(address), "%.*s", (int)(scope - text), text);
		text = address;
	}
	if (!scope && inet_pton(AF_INET, text, &endpoint->in.sin_addr) == 1)
		endpoint->sa.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &endpoint->in6.sin6_addr) == 1)
		endpoint->sa.sa_family = AF_INET6;
	else
		return -EINVAL;
	endpoint_set_port(endpoint, port);
	return 0;
}

int endpoint_parse(const char *text, union endpoint *endpoint)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN + IF_NAMESIZE];
	size_t length;
	long port;
	bool is_bracketed;
	int err;

	if (!colon || number_parse(colon + 1, 65535, &port))
		return -EINVAL;
	length = colon - text;
	is_bracketed = length >= 2 && text[0] == '[' && text[length - 1] == ']';
	if (is_bracketed) {
		text++;
		length -= 2;
	}
	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	err = endpoint_parse_address(address, port, endpoint);
	if (err)
		return err;
	/* 2001:db8::1:80 is an address and no endpoint. */
	return is_bracketed == (endpoint->sa.sa_family == AF_INET6) ? 0 : -EINVAL;
}

const char *endpoint_format(const union endpoint *endpoint, char *text)
{
	char address[INET6_ADDRSTRLEN] = "?";

	if (endpoint->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &endpoint->in6.sin6_addr, address, sizeof(address));
		snprintf(text, ENDPOINT_TEXT_SIZE, "[%s]:%u", address, endpoint_port(endpoint));
	} else {
		inet_ntop(AF_INET, &endpoint->in.sin_addr, address, sizeof(address));
		snprintf(text, ENDPOINT_TEXT_SIZE, "%s:%u", address, endpoint_port(endpoint));
	}
	return text;
}

socklen_t endpoint_length(const union endpoint *endpoint)
{
	return endpoint->sa.sa_family == AF_INET6 ? sizeof(endpoint->in6) : sizeof(endpoint->in);
}

uint16_t endpoint_port(const union endpoint *endpoint)
{
	if (endpoint->sa.sa_family == AF_INET6)
		return ntohs(endpoint->in6.sin6_port);
	return ntohs(endpoint->in.sin_port);
}

void endpoint_set_port(union endpoint *endpoint, uint16_t port)
{
	if (endpoint->sa.sa_family == AF_INET6)
		endpoint->in6.sin6_port = htons(port);
	else
		endpoint->in.sin_port = htons(port);
}

bool endpoint_same_address(const union endpoint *a, const union endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6)
		return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr));
	return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

bool endpoint_equals(const union endpoint *a, const union endpoint *b)
{
	return endpoint_same_address(a, b) && endpoint_port(a) == endpoint_port(b);
}

int endpoint_socket(int type, const union endpoint *local)
{
	const int on = 1;
	int fd, err;

	fd = socket(local->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    (local->sa.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind(fd, &local->sa, endpoint_length(local))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
