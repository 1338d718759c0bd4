// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live flows, of which every packet is counted: numbered messages by UDP and by TCP, sent to a server that sends each back
 * with the endpoint that it came from.
 *
 *	flow serve ADDRESS:PORT			until it is ended
 *	flow send LOCAL REMOTE PER_SECOND	until SIGTERM; then waits for what is on its way, and says
 *
 *	udp: 12345 sent, 0 lost, endpoints 203.0.113.2:20000
 *	tcp: 12345 sent, 0 lost, 0 sent again, endpoints 203.0.113.2:20000
 *
 * What TCP sent again, and the other end then had twice, was late and not lost: it is not counted.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "deadline.h"
#include "endpoint.h"

#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NUMBERS = 1 << 20,
	WAIT_MS = 3000,
	TELL_MS = 500,
	CONNECTIONS_MAX = 16,
	BUFFER_BYTES = 4 << 20,
	SOURCES_MAX = 8
};

struct message {
	uint32_t number;
	char source[ENDPOINT_TEXT_SIZE];
};

static volatile sig_atomic_t is_over;

static void over(int signal)
{
	(void)signal;
	is_over = 1;
}

static int complain(const char *what, int err)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(-err));
	return 1;
}

/* As large as root may have it: nothing is to be lost here. */
static void buffers_widen(int fd)
{
	int size = BUFFER_BYTES;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
}

/* Serving */

static void udp_serve(int fd)
{
	struct message message;
	union endpoint from;
	socklen_t length = sizeof(from);

	while (recvfrom(fd, &message, sizeof(message), 0, &from.sa, &length) == sizeof(message)) {
		endpoint_format(&from, message.source);
		sendto(fd, &message, sizeof(message), 0, &from.sa, length);
		length = sizeof(from);
	}
}

/* Sends back what has come whole. False: the connection is over. */
static bool tcp_serve(int fd)
{
	struct message message;
	union endpoint from;
	socklen_t length = sizeof(from);
	ssize_t n;

	if (getpeername(fd, &from.sa, &length))
		return false;
	while ((n = recv(fd, &message, sizeof(message), MSG_PEEK)) == sizeof(message)) {
		recv(fd, &message, sizeof(message), 0);
		endpoint_format(&from, message.source);
		if (send(fd, &message, sizeof(message), MSG_NOSIGNAL) != sizeof(message))
			return false;
	}
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static int serve(const union endpoint *local)
{
	struct pollfd fds[2 + CONNECTIONS_MAX];
	nfds_t count = 2, i;

	fds[0] = (struct pollfd){ .fd = endpoint_socket(SOCK_DGRAM, local), .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = endpoint_socket(SOCK_STREAM, local), .events = POLLIN };
	if (fds[0].fd < 0 || fds[1].fd < 0 || listen(fds[1].fd, CONNECTIONS_MAX))
		return complain("serve", fds[0].fd < 0 ? fds[0].fd : fds[1].fd < 0 ? fds[1].fd : -errno);
	buffers_widen(fds[0].fd);
	puts("serving");
	fflush(stdout);
	while (poll(fds, count, -1) > 0) {
		if (fds[0].revents)
			udp_serve(fds[0].fd);
		for (i = count - 1; i >= 2; i--)
			if (fds[i].revents && !tcp_serve(fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--count];
			}
		if (fds[1].revents && count < 2 + CONNECTIONS_MAX) {
			fds[count] = (struct pollfd){ .fd = accept4(fds[1].fd, NULL, NULL, SOCK_NONBLOCK),
						      .events = POLLIN };
			count += fds[count].fd >= 0;
		}
	}
	return complain("poll", -errno);
}

/* Sending */

struct stream {
	int fd;
	uint32_t sent, returned;
	uint8_t has_returned[NUMBERS / 8];
	char sources[SOURCES_MAX][ENDPOINT_TEXT_SIZE]; /* all that the server has named */
	int sources_count;
	struct message part; /* TCP: a message as far as it has come */
	size_t part_size;
};

static struct stream udp, tcp;

static void stream_returned(struct stream *stream, const struct message *message)
{
	const uint32_t number = message->number % NUMBERS;
	int i;

	if (stream->has_returned[number / 8] & 1 << number % 8)
		return;
	stream->has_returned[number / 8] |= (uint8_t)(1 << number % 8);
	stream->returned++;
	for (i = 0; i < stream->sources_count; i++)
		if (!strncmp(stream->sources[i], message->source, ENDPOINT_TEXT_SIZE))
			return;
	if (i < SOURCES_MAX)
		snprintf(stream->sources[stream->sources_count++], ENDPOINT_TEXT_SIZE, "%.*s", ENDPOINT_TEXT_SIZE - 1,
			 message->source);
}

static void stream_send(struct stream *stream)
{
	struct message message = { .number = stream->sent };

	if (stream->sent < NUMBERS && send(stream->fd, &message, sizeof(message), MSG_NOSIGNAL) == sizeof(message))
		stream->sent++;
}

static void stream_receive(struct stream *stream)
{
	ssize_t n;

	while ((n = recv(stream->fd, (char *)&stream->part + stream->part_size,
			 sizeof(stream->part) - stream->part_size, 0)) > 0) {
		stream->part_size += (size_t)n;
		if (stream->part_size < sizeof(stream->part))
			continue;
		stream_returned(stream, &stream->part);
		stream->part_size = 0;
	}
}

static void stream_report(const struct stream *stream, const char *name, const char *more)
{
	int i;

	printf("%s: %u sent, %u lost%s, endpoints", name, stream->sent, stream->sent - stream->returned, more);
	for (i = 0; i < stream->sources_count; i++)
		printf(" %s", stream->sources[i]);
	putchar('\n');
}

/* Segments that were sent again, but for those that the other end has told us it had already. */
static uint32_t tcp_sent_again(const struct stream *stream)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info.tcpi_total_retrans > info.tcpi_dsack_dups ? info.tcpi_total_retrans - info.tcpi_dsack_dups : 0;
}

/* `before`: what was sent again until the flows flowed, while addresses of neighbours were asked for. */
static void tcp_report(const struct stream *stream, uint32_t before)
{
	const int64_t end = deadline_after(TELL_MS);
	uint32_t later;
	char text[48];

	while ((later = tcp_sent_again(stream)) > before && deadline_left_ms(end))
		poll(NULL, 0, 1);
	snprintf(text, sizeof(text), ", %u sent again", later > before ? later - before : 0);
	stream_report(stream, "tcp", text);
}

/* Returns 0 or -errno. */
static int stream_open(struct stream *stream, int type, const union endpoint *local, const union endpoint *remote)
{
	struct pollfd wait = { .events = POLLOUT };
	socklen_t size = sizeof(int);
	int err = 0;

	stream->fd = endpoint_socket(type, local);
	if (stream->fd < 0)
		return stream->fd;
	buffers_widen(stream->fd);
	wait.fd = stream->fd;
	if (!connect(stream->fd, &remote->sa, endpoint_length(remote)))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (poll(&wait, 1, WAIT_MS) != 1)
		return -ETIMEDOUT;
	getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	return -err;
}

static int send_until_over(const union endpoint *local, const union endpoint *remote, long per_second)
{
	int err = stream_open(&tcp, SOCK_STREAM, local, remote) ?: stream_open(&udp, SOCK_DGRAM, local, remote);
	struct pollfd fds[2] = { { .fd = udp.fd, .events = POLLIN }, { .fd = tcp.fd, .events = POLLIN } };
	int64_t begin = deadline_after(0), end = INT64_MAX;
	const struct linger reset = { .l_onoff = 1 }; /* leaves no TIME_WAIT behind */
	uint32_t before = 0;
	bool is_told = false;

	if (err)
		return complain("send", err);
	while (deadline_left_ms(end) && !(is_over && udp.returned == udp.sent && tcp.returned == tcp.sent)) {
		for (int i = 0; !is_over && i < 50 && udp.sent < (deadline_after(0) - begin) * per_second / 1000; i++) {
			stream_send(&udp);
			stream_send(&tcp);
		}
		poll(fds, 2, 1);
		stream_receive(&udp);
		stream_receive(&tcp);
		if (!is_told && udp.returned && tcp.returned) {
			is_told = true;
			before = tcp_sent_again(&tcp);
			puts("flowing");
			fflush(stdout);
		}
		if (is_over && end == INT64_MAX)
			end = deadline_after(WAIT_MS);
	}
	stream_report(&udp, "udp", "");
	tcp_report(&tcp, before);
	setsockopt(tcp.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(tcp.fd);
	return 0;
}

int main(int argc, char **argv)
{
	union endpoint local, remote;
	long per_second;

	signal(SIGTERM, over);
	if (argc == 3 && !strcmp(argv[1], "serve") && !endpoint_parse(argv[2], &local)) {
		signal(SIGTERM, SIG_DFL);
		return serve(&local);
	}
	if (argc == 5 && !strcmp(argv[1], "send") && !endpoint_parse(argv[2], &local) &&
	    !endpoint_parse(argv[3], &remote) && !number_parse(argv[4], 100000, &per_second))
		return send_until_over(&local, &remote, per_second);
	fputs("usage: flow serve ADDRESS:PORT | flow send LOCAL REMOTE PER_SECOND\n", stderr);
	return 2;
}
