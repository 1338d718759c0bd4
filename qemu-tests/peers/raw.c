// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two ends of an IP protocol without ports. Needs root.
 *
 *	raw serve PROTOCOL ADDRESS	says `serving`, and tells whoever asks who that is
 *	raw ask PROTOCOL ADDRESS FROM	prints the answer; the exit status says if there was one within 2 s
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 256, LIMIT_MS = 2000 };

/* What follows the IP header of the next packet, as text, and who has sent it. */
static int packet_read(int fd, char text[SIZE], struct sockaddr_in *from)
{
	socklen_t length = sizeof(*from);
	char packet[SIZE];
	ssize_t size = recvfrom(fd, packet, sizeof(packet), 0, (void *)from, &length);
	ssize_t header = size > 0 ? 4 * (packet[0] & 15) : 0;

	if (size < header || size <= 0)
		return -1;
	memcpy(text, packet + header, (size_t)(size - header));
	text[size - header] = '\0';
	return 0;
}

static int serve(int fd, const struct sockaddr_in *at)
{
	struct sockaddr_in from;
	char text[SIZE];

	if (bind(fd, (const void *)at, sizeof(*at)))
		return 1;
	puts("serving");
	fflush(stdout);
	for (;;) {
		if (packet_read(fd, text, &from) || strcmp(text, "ask") != 0)
			continue;
		snprintf(text, sizeof(text), "you %s", inet_ntoa(from.sin_addr));
		sendto(fd, text, strlen(text), 0, (const void *)&from, sizeof(from));
	}
}

static int ask(int fd, const struct sockaddr_in *to, const struct sockaddr_in *as)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct sockaddr_in from;
	char text[SIZE];

	if (bind(fd, (const void *)as, sizeof(*as)) || connect(fd, (const void *)to, sizeof(*to)) ||
	    send(fd, "ask", 3, 0) != 3)
		return 1;
	if (poll(&ready, 1, LIMIT_MS) != 1 || packet_read(fd, text, &from))
		return 1;
	puts(text);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET }, as = at;
	int fd;

	if (argc < 4 || inet_pton(AF_INET, argv[3], &at.sin_addr) != 1 ||
	    (argc > 4 && inet_pton(AF_INET, argv[4], &as.sin_addr) != 1))
		return 2;
	fd = socket(AF_INET, SOCK_RAW, atoi(argv[2]));
	if (fd < 0)
		return 1;
	return strcmp(argv[1], "serve") ? ask(fd, &at, &as) : serve(fd, &at);
}
