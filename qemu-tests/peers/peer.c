// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host at the other end: says from which endpoint it was reached, asks
 * another one for that, or holds a mapping open and serves strangers on it.
 *
 * A datagram or connection is answered with the line `you ADDRESS:PORT`. The
 * asker's line says what becomes of a connection then: after `ask` the server
 * closes first, so that the TIME_WAIT is its own and the asker can use the same
 * two endpoints again at once; after `hold` it stays open. A holder that ends
 * resets its connection, also to leave no TIME_WAIT.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "deadline.h"
#include "endpoint.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEADLINE_MS	3000
#define RESEND_MS	250 /* doubled each time */
#define KEEPALIVE_MS	15000
#define LINE_SIZE	128
#define CONNECTIONS_MAX 64

enum { EXIT_OK, EXIT_NO, EXIT_USAGE };

struct peer {
	int type; /* SOCK_DGRAM or SOCK_STREAM */
	union endpoint local;
	union endpoint remote; /* ask and hold */
	int deadline_ms;
	int keepalive_ms; /* hold udp; 0: never */
	int service;	  /* UDP socket or TCP listener */
	int held;	  /* hold tcp: the connection, else -1 */
	bool is_hold;
	bool is_served;		/* hold tcp: strangers find somebody else on the port */
	bool tells_mss;		/* ask tcp */
	char mapped[LINE_SIZE]; /* hold: as the remote saw us */
	int connections[CONNECTIONS_MAX];
	int connections_count;
};

/* `peer: ask tcp 192.0.2.1:80 -> 198.51.100.1:80: Connection refused` */
static int complain(const struct peer *peer, const char *what, int err)
{
	char local[ENDPOINT_TEXT_SIZE], remote[ENDPOINT_TEXT_SIZE] = "";
	const bool has_remote = peer->remote.sa.sa_family != AF_UNSPEC;

	if (has_remote)
		endpoint_format(&peer->remote, remote);
	fprintf(stderr, "peer: %s %s %s%s%s: %s\n", what, peer->type == SOCK_STREAM ? "tcp" : "udp",
		endpoint_format(&peer->local, local), has_remote ? " -> " : "", remote, strerror(-err));
	return EXIT_NO;
}

/* Waits until fd is ready for events. 0, or -ETIMEDOUT at the deadline. */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd ready = { .fd = fd, .events = events };
	int count;

	do {
		count = poll(&ready, 1, deadline_left_ms(deadline));
	} while (count < 0 && errno == EINTR);
	return count > 0 ? 0 : -ETIMEDOUT;
}

/* The ADDRESS:PORT of the line `you ADDRESS:PORT`, or NULL if it is none. */
static char *answer_endpoint(char *line)
{
	if (strncmp(line, "you ", 4))
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return line + 4;
}

/* Reads up to the end of a line; the size or -errno, -EPIPE at an early end. */
static int read_line(int fd, char *line, int64_t deadline)
{
	size_t have = 0;
	ssize_t n;
	int err;

	while (have < LINE_SIZE - 1) {
		err = wait_for(fd, POLLIN, deadline);
		if (err)
			return err;
		n = recv(fd, line + have, LINE_SIZE - 1 - have, 0);
		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		have += n > 0 ? n : 0;
		line[have] = '\0';
		if (strchr(line, '\n'))
			return have;
	}
	return -EMSGSIZE;
}

/* Asks over TCP; request is `ask` or `hold`. The descriptor or -errno. */
static int ask_tcp(const struct peer *peer, const char *request, char *line)
{
	int64_t deadline = deadline_after(peer->deadline_ms);
	socklen_t size = sizeof(int);
	int err = 0, fd;

	fd = endpoint_socket(SOCK_STREAM, &peer->local);
	if (fd < 0)
		return fd;
	if (connect(fd, &peer->remote.sa, endpoint_length(&peer->remote))) {
		err = -errno;
		if (err == -EINPROGRESS)
			err = wait_for(fd, POLLOUT, deadline);
		if (!err && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
			err = -err;
	}
	if (!err && send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		err = -errno;
	if (!err) {
		err = read_line(fd, line, deadline);
		if (err > 0)
			return fd;
	}
	close(fd);
	return err;
}

/*
 * Asks over UDP, again and again until the deadline. A connected socket also
 * hears of ICMP errors, which end the wait. 0 or -errno.
 */
static int ask_udp(int fd, int deadline_ms, const union endpoint *remote, char *line)
{
	int64_t deadline = deadline_after(deadline_ms), resend;
	int resend_ms = RESEND_MS;
	union endpoint from;
	socklen_t size;
	ssize_t n;

	while (deadline_left_ms(deadline)) {
		if (sendto(fd, "ask\n", 4, 0, &remote->sa, endpoint_length(remote)) < 0)
			return -errno;
		resend = deadline_earlier(deadline, deadline_after(resend_ms));
		resend_ms *= 2;
		while (!wait_for(fd, POLLIN, resend)) {
			size = sizeof(from);
			n = recvfrom(fd, line, LINE_SIZE - 1, 0, &from.sa, &size);
			if (n < 0 && errno != EAGAIN)
				return -errno;
			if (n < 0 || !endpoint_equals(&from, remote))
				continue;
			line[n] = '\0';
			if (!strncmp(line, "you ", 4))
				return 0;
		}
	}
	return -ETIMEDOUT;
}

/* The largest segment that the connection may send. */
static void print_mss(int fd)
{
	socklen_t size = sizeof(int);
	int mss;

	if (!getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &size))
		printf("mss %d\n", mss);
}

static int peer_ask(struct peer *peer)
{
	char line[LINE_SIZE], end;
	int fd, err = 0;

	if (peer->type == SOCK_STREAM) {
		fd = ask_tcp(peer, "ask\n", line);
		if (fd < 0)
			return complain(peer, "ask", fd);
		if (peer->tells_mss)
			print_mss(fd);
		if (!wait_for(fd, POLLIN, deadline_after(peer->deadline_ms)))
			recv(fd, &end, 1, 0);
	} else {
		fd = endpoint_socket(SOCK_DGRAM, &peer->local);
		if (fd < 0)
			return complain(peer, "ask", fd);
		if (connect(fd, &peer->remote.sa, endpoint_length(&peer->remote)))
			err = -errno;
		if (!err)
			err = ask_udp(fd, peer->deadline_ms, &peer->remote, line);
		if (err)
			return complain(peer, "ask", err);
	}
	close(fd);
	line[strcspn(line, "\n")] = '\0';
	puts(line);
	return EXIT_OK;
}

/* Says whom we met, and writes the answer for them. */
static int answer_format(const struct peer *peer, const union endpoint *from, char *line)
{
	char text[ENDPOINT_TEXT_SIZE];

	endpoint_format(from, text);
	printf("%s %s\n", peer->is_hold ? "stranger" : "heard", text);
	return snprintf(line, LINE_SIZE, "you %s\n", text);
}

/* A keep-alive's answer; a mapping that has changed is news. */
static void mapping_update(struct peer *peer, const char *mapped)
{
	if (!strcmp(peer->mapped, mapped))
		return;
	snprintf(peer->mapped, sizeof(peer->mapped), "%s", mapped);
	printf("mapped %s\n", mapped);
}

static void serve_datagram(struct peer *peer)
{
	char line[LINE_SIZE], *mapped;
	union endpoint from;
	socklen_t size = sizeof(from);
	ssize_t n;

	n = recvfrom(peer->service, line, sizeof(line) - 1, 0, &from.sa, &size);
	if (n < 0)
		return;
	line[n] = '\0';
	mapped = answer_endpoint(line);
	if (!mapped) {
		n = answer_format(peer, &from, line);
		sendto(peer->service, line, n, 0, &from.sa, size);
	} else if (peer->is_hold && endpoint_equals(&from, &peer->remote)) {
		mapping_update(peer, mapped);
	}
	/* Any other answer stays unanswered, or two holders would talk forever. */
}

static void serve_stranger(struct peer *peer)
{
	char line[LINE_SIZE];
	union endpoint from;
	socklen_t size = sizeof(from);
	int fd, n;

	fd = accept4(peer->service, &from.sa, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	n = answer_format(peer, &from, line);
	if (send(fd, line, n, MSG_NOSIGNAL) == n && peer->connections_count < CONNECTIONS_MAX)
		peer->connections[peer->connections_count++] = fd;
	else
		close(fd);
}

/* Whether a connection that has become readable goes on. */
static bool connection_goes_on(int fd)
{
	char line[LINE_SIZE];
	ssize_t n = recv(fd, line, sizeof(line), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n > 0 && strncmp(line, "ask\n", n < 4 ? n : 4) != 0;
}

static void serve_connections(struct peer *peer, const struct pollfd *ready)
{
	int kept = 0;

	for (int i = 0; i < peer->connections_count; i++) {
		if (ready[i].revents && !connection_goes_on(ready[i].fd))
			close(ready[i].fd);
		else
			peer->connections[kept++] = ready[i].fd;
	}
	peer->connections_count = kept;
}

/* What is new on the connection that holds the mapping: only its end counts. */
static void held_check(struct peer *peer)
{
	if (connection_goes_on(peer->held))
		return;
	printf("lost %s\n", peer->mapped);
	close(peer->held);
	peer->held = -1;
}

static int peer_serve(struct peer *peer)
{
	struct pollfd ready[2 + CONNECTIONS_MAX];
	int64_t keepalive = deadline_after(peer->keepalive_ms);
	const bool keeps_alive = peer->is_hold && peer->type == SOCK_DGRAM && peer->keepalive_ms;

	for (;;) {
		ready[0] = (struct pollfd){ .fd = peer->service, .events = POLLIN };
		ready[1] = (struct pollfd){ .fd = peer->held, .events = POLLIN };
		for (int i = 0; i < peer->connections_count; i++)
			ready[2 + i] = (struct pollfd){ .fd = peer->connections[i], .events = POLLIN };
		if (poll(ready, 2 + peer->connections_count, keeps_alive ? deadline_left_ms(keepalive) : -1) < 0)
			break;
		serve_connections(peer, ready + 2);
		if (ready[1].revents)
			held_check(peer);
		if (ready[0].revents && peer->type == SOCK_STREAM)
			serve_stranger(peer);
		else if (ready[0].revents)
			serve_datagram(peer);
		if (keeps_alive && !deadline_left_ms(keepalive)) {
			sendto(peer->service, "ask\n", 4, 0, &peer->remote.sa, endpoint_length(&peer->remote));
			keepalive = deadline_after(peer->keepalive_ms);
		}
	}
	return complain(peer, "poll", -errno);
}

/* The socket that strangers reach, before anybody is told of it. */
static int service_open(struct peer *peer)
{
	socklen_t size = sizeof(peer->local);

	peer->service = endpoint_socket(peer->type, &peer->local);
	if (peer->service < 0)
		return complain(peer, "bind", peer->service);
	if (peer->type == SOCK_STREAM && listen(peer->service, CONNECTIONS_MAX))
		return complain(peer, "listen", -errno);
	/* The kernel's choice, if port 0 was asked for. */
	getsockname(peer->service, &peer->local.sa, &size);
	return EXIT_OK;
}

static int peer_hold(struct peer *peer)
{
	const struct linger reset = { .l_onoff = 1 };
	char line[LINE_SIZE], *mapped;
	int err;

	peer->is_hold = true;
	if (!peer->is_served && service_open(peer))
		return EXIT_NO;
	if (peer->type == SOCK_STREAM)
		err = peer->held = ask_tcp(peer, "hold\n", line);
	else
		err = ask_udp(peer->service, peer->deadline_ms, &peer->remote, line);
	if (err < 0)
		return complain(peer, "hold", err);
	if (peer->held >= 0)
		setsockopt(peer->held, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	mapped = answer_endpoint(line);
	if (!mapped)
		return complain(peer, "hold", -EBADMSG);
	mapping_update(peer, mapped);
	return peer_serve(peer);
}

static int usage(void)
{
	fputs("usage: peer serve udp|tcp ADDRESS:PORT\n"
	      "       peer ask   udp|tcp LOCAL:PORT REMOTE:PORT [-w MS] [-m]\n"
	      "       peer hold  udp|tcp LOCAL:PORT REMOTE:PORT [-w MS] [-k MS] [-c]\n"
	      "  -c     hold no more than the TCP connection: another program listens on the port\n"
	      "  -m     of a TCP connection, say what fits into a segment: mss BYTES\n"
	      "  -w MS  give up after so many milliseconds (3000)\n"
	      "  -k MS  keep a UDP mapping alive so often (15000; 0: never)\n",
	      stderr);
	return EXIT_USAGE;
}

static int parse_options(int argc, char **argv, struct peer *peer)
{
	long number;
	int option;

	while ((option = getopt(argc, argv, "w:k:mc")) != -1) {
		if (option == 'm' || option == 'c') {
			*(option == 'm' ? &peer->tells_mss : &peer->is_served) = true;
			continue;
		}
		if (option == '?' || number_parse(optarg, 3600000, &number))
			return -EINVAL;
		*(option == 'w' ? &peer->deadline_ms : &peer->keepalive_ms) = number;
	}
	return optind == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct peer peer = {
		.deadline_ms = DEADLINE_MS,
		.keepalive_ms = KEEPALIVE_MS,
		.held = -1,
		.service = -1,
	};
	char text[ENDPOINT_TEXT_SIZE];
	bool is_serve;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 4 || endpoint_parse(argv[3], &peer.local))
		return usage();
	if (strcmp(argv[2], "udp") && strcmp(argv[2], "tcp"))
		return usage();
	peer.type = argv[2][0] == 'u' ? SOCK_DGRAM : SOCK_STREAM;
	is_serve = !strcmp(argv[1], "serve");
	if (!is_serve) {
		if (argc < 5 || endpoint_parse(argv[4], &peer.remote) ||
		    peer.local.sa.sa_family != peer.remote.sa.sa_family)
			return usage();
	}
	/* getopt takes the word before the first option for the program's name. */
	optind = 1;
	if (parse_options(argc - (is_serve ? 3 : 4), argv + (is_serve ? 3 : 4), &peer))
		return usage();
	if (!strcmp(argv[1], "ask"))
		return peer_ask(&peer);
	if (!strcmp(argv[1], "hold"))
		return peer_hold(&peer);
	if (!is_serve)
		return usage();
	if (service_open(&peer))
		return EXIT_NO;
	printf("serving %s %s\n", argv[2], endpoint_format(&peer.local, text));
	return peer_serve(&peer);
}
