// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A STUN server for NAT behaviour discovery (RFC 5780): two addresses with two
 * ports each, over UDP and TCP.
 *
 * Over TCP the RFC leaves filtering out. Here a CHANGE-REQUEST on a connection
 * makes the server connect back to the mapped endpoint from the changed address
 * and port and answer there; the client closes. When that fails, error 447 on
 * the asking connection says so, and the changed endpoint is free of the
 * attempt again, so that the client may connect to it.
 */
#include "deadline.h"
#include "endpoint.h"
#include "stun.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PORT	       3478
#define ALTERNATE_PORT 3479
#define STREAMS_MAX    64
#define IDLE_MS	       120000
/* Long enough for a second SYN, one second after the first. */
#define CONNECT_BACK_MS 2500

enum { EXIT_OK, EXIT_NO, EXIT_USAGE };

/* A number from 0 to 3 for each endpoint of ours; the bits are what is changed. */
enum { SIDE_OTHER_PORT = 1, SIDE_OTHER_ADDRESS = 2, SIDES = 4 };

struct stream {
	int fd;
	int side;
	union endpoint remote;
	int64_t deadline; /* idle, or connecting back, until then */
	uint8_t buffer[STUN_MESSAGE_SIZE];
	size_t have;
	/* Of a connection back only, which is being established: */
	bool is_back;
	int asked_on; /* descriptor of the asking stream, -1 once closed */
	uint8_t transaction[STUN_TRANSACTION_SIZE];
};

struct server {
	union endpoint sides[SIDES];
	int datagrams[SIDES];
	int listeners[SIDES];
	struct stream streams[STREAMS_MAX];
	int streams_count;
};

static int side_change(int side, uint32_t change)
{
	if (change & STUN_CHANGE_PORT)
		side ^= SIDE_OTHER_PORT;
	if (change & STUN_CHANGE_ADDRESS)
		side ^= SIDE_OTHER_ADDRESS;
	return side;
}

/*
 * What to say to remote, whose request arrived at the endpoint side, from the
 * endpoint origin. Always relative to where the request arrived: RFC 5780 6.1.
 */
static void response_make(const struct server *server, int side, int origin, const union endpoint *remote,
			  const uint8_t *transaction, struct stun_message *response)
{
	memset(response, 0, sizeof(*response));
	response->type = STUN_BINDING_RESPONSE;
	memcpy(response->transaction, transaction, STUN_TRANSACTION_SIZE);
	response->mapped = *remote;
	response->origin = server->sides[origin];
	response->other = server->sides[side ^ (SIDE_OTHER_ADDRESS | SIDE_OTHER_PORT)];
}

static void error_make(int error, const struct stun_message *request, struct stun_message *response)
{
	memset(response, 0, sizeof(*response));
	response->type = STUN_BINDING_ERROR;
	memcpy(response->transaction, request->transaction, STUN_TRANSACTION_SIZE);
	response->error = error;
	response->unknown_attribute = request->unknown_attribute;
}

static void stream_send(const struct stream *stream, const struct stun_message *message)
{
	uint8_t buffer[STUN_MESSAGE_SIZE];

	/* A few dozen bytes: they fit the socket's buffer, or the client is not reading. */
	if (send(stream->fd, buffer, stun_encode(message, buffer), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		fprintf(stderr, "stun-server: send: %s\n", strerror(errno));
}

static void serve_datagram(struct server *server, int side)
{
	uint8_t buffer[STUN_MESSAGE_SIZE];
	struct stun_message request, response;
	union endpoint remote;
	socklen_t size = sizeof(remote);
	int origin = side;
	ssize_t n;

	n = recvfrom(server->datagrams[side], buffer, sizeof(buffer), 0, &remote.sa, &size);
	if (n < 0 || stun_decode(buffer, n, &request) || request.type != STUN_BINDING_REQUEST)
		return;
	if (request.unknown_attribute) {
		error_make(STUN_UNKNOWN_ATTRIBUTE, &request, &response);
	} else {
		origin = side_change(side, request.change);
		response_make(server, side, origin, &remote, request.transaction, &response);
	}
	n = stun_encode(&response, buffer);
	sendto(server->datagrams[origin], buffer, n, 0, &remote.sa, size);
}

/* Takes over fd, or closes it and returns NULL when there are too many. */
static struct stream *stream_add(struct server *server, int fd, int side, const union endpoint *remote, int deadline_ms)
{
	struct stream *stream;

	if (server->streams_count == STREAMS_MAX) {
		close(fd);
		return NULL;
	}
	stream = &server->streams[server->streams_count++];
	memset(stream, 0, sizeof(*stream));
	stream->fd = fd;
	stream->side = side;
	stream->remote = *remote;
	stream->deadline = deadline_after(deadline_ms);
	stream->asked_on = -1;
	return stream;
}

/* The last stream takes its place. */
static void stream_remove(struct server *server, struct stream *stream)
{
	for (int i = 0; i < server->streams_count; i++) {
		if (server->streams[i].asked_on == stream->fd)
			server->streams[i].asked_on = -1;
	}
	close(stream->fd);
	*stream = server->streams[--server->streams_count];
}

static void connect_back_refuse(const struct stream *asking, const struct stun_message *request, int error)
{
	struct stun_message response;

	error_make(error, request, &response);
	stream_send(asking, &response);
}

static void connect_back(struct server *server, const struct stream *asking, const struct stun_message *request)
{
	const int side = side_change(asking->side, request->change);
	struct stream *stream = NULL;
	int fd, err = 0;

	fd = endpoint_socket(SOCK_STREAM, &server->sides[side]);
	if (fd >= 0 && connect(fd, &asking->remote.sa, endpoint_length(&asking->remote)))
		err = errno;
	if (fd >= 0 && (!err || err == EINPROGRESS))
		stream = stream_add(server, fd, side, &asking->remote, CONNECT_BACK_MS);
	else if (fd >= 0)
		close(fd);
	if (!stream) {
		/* Our own trouble must not look like a NAT's filter. */
		connect_back_refuse(asking, request, STUN_SERVER_ERROR);
		return;
	}
	stream->is_back = true;
	stream->asked_on = asking->fd;
	memcpy(stream->transaction, request->transaction, STUN_TRANSACTION_SIZE);
}

/* The connection back has come about, or will not. */
static void connect_back_end(struct server *server, struct stream *stream, int err)
{
	struct stun_message request = { 0 }, response;
	struct stream asking = { .fd = -1 };

	for (int i = 0; i < server->streams_count; i++) {
		if (server->streams[i].fd == stream->asked_on)
			asking = server->streams[i];
	}
	memcpy(request.transaction, stream->transaction, STUN_TRANSACTION_SIZE);
	if (asking.fd >= 0 && !err) {
		response_make(server, asking.side, stream->side, &stream->remote, stream->transaction, &response);
		stream_send(stream, &response);
		stream->is_back = false;
		stream->asked_on = -1;
		stream->deadline = deadline_after(IDLE_MS);
		return;
	}
	/* Our end is closed before the client hears of a failure: it may connect here then. */
	stream_remove(server, stream);
	if (asking.fd >= 0)
		connect_back_refuse(&asking, &request, STUN_CONNECTION_FAILED);
}

static void stream_answer(struct server *server, struct stream *stream)
{
	struct stun_message request, response;

	if (stun_decode(stream->buffer, stream->have, &request) || request.type != STUN_BINDING_REQUEST)
		return;
	if (request.unknown_attribute) {
		error_make(STUN_UNKNOWN_ATTRIBUTE, &request, &response);
		stream_send(stream, &response);
	} else if (request.change & (STUN_CHANGE_ADDRESS | STUN_CHANGE_PORT)) {
		connect_back(server, stream, &request);
	} else {
		response_make(server, stream->side, stream->side, &stream->remote, request.transaction, &response);
		stream_send(stream, &response);
	}
}

/* Reads one message's header, then its rest. False: close the stream. */
static bool stream_read(struct server *server, struct stream *stream)
{
	size_t want = STUN_HEADER_SIZE;
	ssize_t n;

	if (stream->have >= STUN_HEADER_SIZE)
		want = stun_size(stream->buffer);
	if (want > stream->have) {
		n = recv(stream->fd, stream->buffer + stream->have, want - stream->have, MSG_DONTWAIT);
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR);
		stream->have += n;
	}
	if (stream->have < STUN_HEADER_SIZE)
		return true;
	want = stun_size(stream->buffer);
	if (!want)
		return false;
	if (stream->have < want)
		return true;
	stream->deadline = deadline_after(IDLE_MS);
	stream_answer(server, stream);
	stream->have = 0;
	return true;
}

static void stream_serve(struct server *server, struct stream *stream, short events)
{
	socklen_t size = sizeof(int);
	int err = 0;

	if (stream->is_back && events) {
		if (getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &err, &size))
			err = errno;
		connect_back_end(server, stream, err);
	} else if (stream->is_back && !deadline_left_ms(stream->deadline)) {
		connect_back_end(server, stream, ETIMEDOUT);
	} else if (events ? !stream_read(server, stream) : !deadline_left_ms(stream->deadline)) {
		stream_remove(server, stream);
	}
}

static void stream_accept(struct server *server, int side)
{
	union endpoint remote;
	socklen_t size = sizeof(remote);
	int fd;

	fd = accept(server->listeners[side], &remote.sa, &size);
	if (fd >= 0)
		stream_add(server, fd, side, &remote, IDLE_MS);
}

/* Fills in whom to wait for and returns until when. */
static int64_t wait_list(const struct server *server, struct pollfd *ready)
{
	int64_t deadline = deadline_after(IDLE_MS);

	for (int i = 0; i < SIDES; i++) {
		ready[i] = (struct pollfd){ .fd = server->datagrams[i], .events = POLLIN };
		ready[SIDES + i] = (struct pollfd){ .fd = server->listeners[i], .events = POLLIN };
	}
	for (int i = 0; i < server->streams_count; i++) {
		const struct stream *stream = &server->streams[i];

		ready[2 * SIDES + i] = (struct pollfd){
			.fd = stream->fd,
			.events = stream->is_back ? POLLOUT : POLLIN,
		};
		deadline = deadline_earlier(deadline, stream->deadline);
	}
	return deadline;
}

static void serve(struct server *server)
{
	struct pollfd ready[2 * SIDES + STREAMS_MAX];
	int64_t deadline;

	for (;;) {
		deadline = wait_list(server, ready);
		if (poll(ready, 2 * SIDES + server->streams_count, deadline_left_ms(deadline)) < 0)
			return;
		/* Backwards: what takes a removed stream's place has been served. */
		for (int i = server->streams_count - 1; i >= 0; i--)
			stream_serve(server, &server->streams[i], ready[2 * SIDES + i].revents);
		for (int i = 0; i < SIDES; i++) {
			if (ready[i].revents)
				serve_datagram(server, i);
			if (ready[SIDES + i].revents)
				stream_accept(server, i);
		}
	}
}

static int open_sides(struct server *server)
{
	char text[ENDPOINT_TEXT_SIZE];
	int err = 0;

	for (int i = 0; i < SIDES; i++) {
		const union endpoint *local = &server->sides[i];

		server->datagrams[i] = endpoint_socket(SOCK_DGRAM, local);
		server->listeners[i] = endpoint_socket(SOCK_STREAM, local);
		if (server->datagrams[i] < 0)
			err = server->datagrams[i];
		else if (server->listeners[i] < 0)
			err = server->listeners[i];
		else if (listen(server->listeners[i], STREAMS_MAX))
			err = -errno;
		if (err) {
			fprintf(stderr, "stun-server: %s: %s\n", endpoint_format(local, text), strerror(-err));
			return err;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct server server;
	char text[ENDPOINT_TEXT_SIZE];
	long port = PORT, alternate_port = ALTERNATE_PORT;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if ((argc != 3 && argc != 5) ||
	    (argc == 5 && (number_parse(argv[3], 65535, &port) || number_parse(argv[4], 65535, &alternate_port))) ||
	    port == alternate_port) {
		fputs("usage: stun-server PRIMARY ALTERNATE [PORT ALTPORT]\n", stderr);
		return EXIT_USAGE;
	}
	for (int i = 0; i < SIDES; i++) {
		if (endpoint_parse_address(argv[i & SIDE_OTHER_ADDRESS ? 2 : 1],
					   i & SIDE_OTHER_PORT ? alternate_port : port, &server.sides[i])) {
			fputs("stun-server: two addresses, please: no names\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (endpoint_same_address(&server.sides[0], &server.sides[SIDE_OTHER_ADDRESS])) {
		fputs("stun-server: the addresses must differ\n", stderr);
		return EXIT_USAGE;
	}
	if (open_sides(&server))
		return EXIT_NO;
	printf("listening %s", endpoint_format(&server.sides[0], text));
	printf(" %s\n", endpoint_format(&server.sides[SIDES - 1], text));
	serve(&server);
	perror("stun-server: poll");
	return EXIT_NO;
}
