// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UDP datagrams in two fragments of a raw socket's making, so that nothing on their way puts them in order.
 *
 *	pieces receive AT			says `receiving`, then "SIZE bytes from ADDRESS:PORT" of each datagram
 *	pieces send FROM TO SIZE [in-order]	the last fragment first, else in order
 *
 * AT, FROM and TO are 192.0.2.1:53 or [2001:db8::1]:53; SIZE is what UDP carries. Needs root.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CUT = 1000, DATAGRAM_MAX = 2400 };

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union endpoint endpoint_parse(const char *text)
{
	union endpoint endpoint = { 0 };
	char copy[64], *colon;

	snprintf(copy, sizeof(copy), "%s", *text == '[' ? text + 1 : text);
	colon = strrchr(copy, ':');
	if (!colon)
		exit(2);
	*colon = '\0';
	if (*text == '[') {
		copy[strcspn(copy, "]")] = '\0';
		endpoint.v6.sin6_family = AF_INET6;
		endpoint.v6.sin6_port = htons((uint16_t)atoi(colon + 1));
		if (inet_pton(AF_INET6, copy, &endpoint.v6.sin6_addr) != 1)
			exit(2);
	} else {
		endpoint.v4.sin_family = AF_INET;
		endpoint.v4.sin_port = htons((uint16_t)atoi(colon + 1));
		if (inet_pton(AF_INET, copy, &endpoint.v4.sin_addr) != 1)
			exit(2);
	}
	return endpoint;
}

static socklen_t endpoint_size(const union endpoint *endpoint)
{
	return endpoint->any.sa_family == AF_INET ? sizeof(endpoint->v4) : sizeof(endpoint->v6);
}

static uint32_t sum_add(uint32_t sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

/* RFC 768 and RFC 8200 section 8.1. */
static uint16_t udp_sum(const union endpoint *from, const union endpoint *to, const uint8_t *datagram, size_t size)
{
	uint32_t sum = IPPROTO_UDP + (uint32_t)size;

	if (from->any.sa_family == AF_INET) {
		sum = sum_add(sum, &from->v4.sin_addr, 4);
		sum = sum_add(sum, &to->v4.sin_addr, 4);
	} else {
		sum = sum_add(sum, &from->v6.sin6_addr, 16);
		sum = sum_add(sum, &to->v6.sin6_addr, 16);
	}
	sum = sum_add(sum, datagram, size);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return htons(sum == 0xffff ? 0xffff : (uint16_t)~sum);
}

static size_t head4(uint8_t *frame, const union endpoint *from, const union endpoint *to, size_t offset, size_t size,
		    int more, uint32_t id)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };

	ip.tot_len = htons((uint16_t)(sizeof(ip) + size));
	ip.id = htons((uint16_t)id);
	ip.frag_off = htons((uint16_t)(offset / 8 | (more ? IP_MF : 0)));
	ip.saddr = from->v4.sin_addr.s_addr;
	ip.daddr = to->v4.sin_addr.s_addr;
	memcpy(frame, &ip, sizeof(ip));
	return sizeof(ip);
}

static size_t head6(uint8_t *frame, const union endpoint *from, const union endpoint *to, size_t offset, size_t size,
		    int more, uint32_t id)
{
	struct ip6_hdr ip = { .ip6_hlim = 64, .ip6_nxt = IPPROTO_FRAGMENT };
	struct ip6_frag fragment = { .ip6f_nxt = IPPROTO_UDP, .ip6f_ident = htonl(id) };

	ip.ip6_vfc = 6 << 4; /* in a union with the others */
	ip.ip6_plen = htons((uint16_t)(sizeof(fragment) + size));
	ip.ip6_src = from->v6.sin6_addr;
	ip.ip6_dst = to->v6.sin6_addr;
	fragment.ip6f_offlg = htons((uint16_t)(offset | (more ? 1 : 0)));
	memcpy(frame, &ip, sizeof(ip));
	memcpy(frame + sizeof(ip), &fragment, sizeof(fragment));
	return sizeof(ip) + sizeof(fragment);
}

static int piece_send(int fd, const union endpoint *from, const union endpoint *to, const uint8_t *datagram,
		      size_t begin, size_t end, int more)
{
	uint8_t frame[DATAGRAM_MAX];
	union endpoint raw = *to;
	size_t head;

	head = (from->any.sa_family == AF_INET ? head4 : head6)(frame, from, to, begin, end - begin, more,
								(uint32_t)getpid());
	memcpy(frame + head, datagram + begin, end - begin);
	if (raw.any.sa_family == AF_INET6)
		raw.v6.sin6_port = 0;
	if (sendto(fd, frame, head + end - begin, 0, &raw.any, endpoint_size(to)) >= 0)
		return 0;
	perror("send");
	return 1;
}

static int pieces_send(const union endpoint *from, const union endpoint *to, size_t size, int in_order)
{
	int fd = socket(from->any.sa_family, SOCK_RAW, IPPROTO_RAW);
	uint8_t datagram[DATAGRAM_MAX] = { 0 };
	struct udphdr udp = { .source = from->v4.sin_port,
			      .dest = to->v4.sin_port }; /* IPv6 has it in the same place */
	int failed;

	size += sizeof(udp);
	if (fd < 0 || size <= CUT || size > CUT + CUT)
		return 2;
	udp.len = htons((uint16_t)size);
	memset(datagram + sizeof(udp), 'x', size - sizeof(udp));
	memcpy(datagram, &udp, sizeof(udp));
	udp.check = udp_sum(from, to, datagram, size);
	memcpy(datagram, &udp, sizeof(udp));
	if (in_order)
		failed = piece_send(fd, from, to, datagram, 0, CUT, 1) ||
			 piece_send(fd, from, to, datagram, CUT, size, 0);
	else
		failed = piece_send(fd, from, to, datagram, CUT, size, 0) ||
			 piece_send(fd, from, to, datagram, 0, CUT, 1);
	close(fd);
	return failed;
}

static int receive(const union endpoint *at)
{
	int fd = socket(at->any.sa_family, SOCK_DGRAM, 0);
	char datagram[DATAGRAM_MAX], text[INET6_ADDRSTRLEN];

	if (fd < 0 || bind(fd, &at->any, endpoint_size(at))) {
		perror("receive");
		return 1;
	}
	puts("receiving");
	for (;;) {
		union endpoint from;
		socklen_t length = sizeof(from);
		ssize_t size;

		fflush(stdout);
		size = recvfrom(fd, datagram, sizeof(datagram), 0, &from.any, &length);
		if (size < 0)
			continue;
		inet_ntop(from.any.sa_family,
			  from.any.sa_family == AF_INET ? (void *)&from.v4.sin_addr : (void *)&from.v6.sin6_addr, text,
			  sizeof(text));
		printf(from.any.sa_family == AF_INET ? "%zd bytes from %s:%u\n" : "%zd bytes from [%s]:%u\n", size,
		       text, ntohs(from.v4.sin_port));
	}
}

int main(int argc, char **argv)
{
	union endpoint from, to;

	if (argc == 3 && !strcmp(argv[1], "receive")) {
		from = endpoint_parse(argv[2]);
		return receive(&from);
	}
	if (argc < 5 || strcmp(argv[1], "send") != 0) {
		fprintf(stderr, "usage: pieces receive AT | send FROM TO SIZE [in-order]\n");
		return 2;
	}
	from = endpoint_parse(argv[2]);
	to = endpoint_parse(argv[3]);
	return pieces_send(&from, &to, (size_t)atoi(argv[4]), argc > 5);
}
