// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finds out what a NAT on the way to a STUN server does: the tests of RFC 5780
 * 4.3 (mapping) and 4.4 (filtering), over UDP and TCP.
 *
 * Filtering comes first, for the mapping tests send to the very endpoints from
 * which the filtering tests want to be reached. For the same reason a run needs
 * a local port on which the NAT remembers nothing.
 *
 * Silence proves filtering only if the server can talk from the endpoint that
 * stayed silent, so such an endpoint is asked directly afterwards.
 *
 * Over TCP all connections share the local port with a listener and stay open,
 * one for each remote, until the end. Then they are reset, for without TCP
 * timestamps a TIME_WAIT would keep the next run from the same local port; so is
 * the one that the server makes (stun-server.c).
 *
 * Exit status: 0 the tests could be run, whatever they found; 1 not; 2 usage.
 */
#include "deadline.h"
#include "endpoint.h"
#include "stun.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT	    3478
#define STREAMS_MAX 4 /* the server's endpoints */
#define TIMEOUT_MS  3000
#define RESEND_MS   250 /* doubled each time */
/* More than the server tries to connect back for. */
#define CONNECT_BACK_MS 5000

enum { EXIT_OK, EXIT_NO, EXIT_USAGE };

enum mode { MODE_BASIC = 0, MODE_BEHAVIOR = 1, MODE_FILTERING = 2, MODE_FULL = 3 };

struct stream {
	int fd;
	union endpoint remote;
};

struct client {
	enum mode mode;
	int type; /* SOCK_DGRAM or SOCK_STREAM */
	int timeout_ms;
	union endpoint local;
	union endpoint server;		    /* primary address and port */
	union endpoint other;		    /* alternate address and port */
	union endpoint mapped;		    /* test I's */
	int fd;				    /* UDP socket, or TCP listener */
	struct stream streams[STREAMS_MAX]; /* TCP; the first leads to server */
	int streams_count;
};

static const char *const mapping_names[] = {
	"Endpoint Independent Mapping",
	"Address Dependent Mapping",
	"Address and Port Dependent Mapping",
};

static const char *const filtering_names[] = {
	"Endpoint Independent Filtering",
	"Address Dependent Filtering",
	"Address and Port Dependent Filtering",
};

/* Index into both, so that a result fits either. */
enum behaviour { INDEPENDENT, ADDRESS_DEPENDENT, ADDRESS_AND_PORT_DEPENDENT };

/* Waits until one of two descriptors is readable; its index or -ETIMEDOUT. */
static int wait_readable(int fd, int second, int64_t deadline)
{
	struct pollfd ready[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = second, .events = POLLIN },
	};
	int count;

	do {
		count = poll(ready, 2, deadline_left_ms(deadline));
	} while (count < 0 && errno == EINTR);
	if (count <= 0)
		return -ETIMEDOUT;
	return ready[0].revents ? 0 : 1;
}

/* Whether message answers request: 0, or what is wrong with it. */
static int answer_check(const struct stun_message *request, const struct stun_message *message)
{
	if (memcmp(request->transaction, message->transaction, STUN_TRANSACTION_SIZE))
		return -EAGAIN;
	if (message->type == STUN_BINDING_ERROR)
		return message->error == STUN_CONNECTION_FAILED ? -ETIMEDOUT : -EPROTO;
	if (message->type != STUN_BINDING_RESPONSE || message->mapped.sa.sa_family == AF_UNSPEC)
		return -EBADMSG;
	return 0;
}

/*
 * Sends the request to remote and waits for the answer from expected. Answers
 * from elsewhere do not count: a server that ignores CHANGE-REQUEST must not be
 * taken for an open filter.
 */
static int ask_udp(const struct client *client, const union endpoint *remote, const union endpoint *expected,
		   const struct stun_message *request, struct stun_message *answer)
{
	int64_t deadline = deadline_after(client->timeout_ms), resend;
	int resend_ms = RESEND_MS, err;
	uint8_t buffer[STUN_MESSAGE_SIZE];
	union endpoint from;
	socklen_t size;
	ssize_t n;

	while (deadline_left_ms(deadline)) {
		n = stun_encode(request, buffer);
		if (sendto(client->fd, buffer, n, 0, &remote->sa, endpoint_length(remote)) < 0)
			return -errno;
		resend = deadline_earlier(deadline, deadline_after(resend_ms));
		resend_ms *= 2;
		while (wait_readable(client->fd, -1, resend) >= 0) {
			size = sizeof(from);
			n = recvfrom(client->fd, buffer, sizeof(buffer), 0, &from.sa, &size);
			if (n < 0 || !endpoint_equals(&from, expected) || stun_decode(buffer, n, answer))
				continue;
			err = answer_check(request, answer);
			if (err != -EAGAIN)
				return err;
		}
	}
	return -ETIMEDOUT;
}

/*
 * A connection from the shared local port, reset when it is closed; the
 * descriptor or -errno.
 */
static int stream_connect(const struct client *client, const union endpoint *remote)
{
	int fd, err = 0;
	socklen_t size = sizeof(err);
	const struct linger reset = { .l_onoff = 1 };
	struct pollfd ready = { .events = POLLOUT };
	int64_t deadline = deadline_after(client->timeout_ms);

	fd = endpoint_socket(SOCK_STREAM, &client->local);
	if (fd < 0)
		return fd;
	ready.fd = fd;
	if (connect(fd, &remote->sa, endpoint_length(remote))) {
		if (errno != EINPROGRESS)
			err = errno;
		else if (poll(&ready, 1, deadline_left_ms(deadline)) <= 0)
			err = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size))
			err = errno;
	}
	if (!err && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		err = errno;
	if (err) {
		close(fd);
		return -err;
	}
	return fd;
}

/* The connection to remote, made if there is none yet; descriptor or -errno. */
static int stream_get_or_create(struct client *client, const union endpoint *remote)
{
	int fd;

	for (int i = 0; i < client->streams_count; i++) {
		if (endpoint_equals(&client->streams[i].remote, remote))
			return client->streams[i].fd;
	}
	if (client->streams_count == STREAMS_MAX)
		return -EMFILE;
	fd = stream_connect(client, remote);
	if (fd >= 0)
		client->streams[client->streams_count++] = (struct stream){ .fd = fd, .remote = *remote };
	return fd;
}

static int stream_send(int fd, const struct stun_message *message)
{
	uint8_t buffer[STUN_MESSAGE_SIZE];

	if (send(fd, buffer, stun_encode(message, buffer), MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* Reads one message: 0 or -errno. */
static int stream_read(int fd, int64_t deadline, struct stun_message *message)
{
	uint8_t buffer[STUN_MESSAGE_SIZE];
	size_t have = 0, want = STUN_HEADER_SIZE;
	ssize_t n;

	*message = (struct stun_message){ 0 };
	while (have < want) {
		if (wait_readable(fd, -1, deadline) < 0)
			return -ETIMEDOUT;
		n = recv(fd, buffer + have, want - have, 0);
		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		have += n > 0 ? n : 0;
		if (have == STUN_HEADER_SIZE)
			want = stun_size(buffer);
		if (!want)
			return -EBADMSG;
	}
	return stun_decode(buffer, have, message);
}

static int stream_ask(const struct client *client, int fd, const struct stun_message *request,
		      struct stun_message *answer)
{
	int64_t deadline = deadline_after(client->timeout_ms);
	int err = stream_send(fd, request);

	if (!err)
		err = stream_read(fd, deadline, answer);
	return err ? err : answer_check(request, answer);
}

/* One who connected to the listener: 0 if it is expected, with the answer. */
static int stranger_check(const struct client *client, const union endpoint *expected,
			  const struct stun_message *request, struct stun_message *answer)
{
	const struct linger reset = { .l_onoff = 1 };
	union endpoint from;
	socklen_t size = sizeof(from);
	int fd, err;

	fd = accept(client->fd, &from.sa, &size);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	err = -EAGAIN;
	if (endpoint_equals(&from, expected)) {
		err = stream_read(fd, deadline_after(client->timeout_ms), answer);
		if (!err)
			err = answer_check(request, answer);
	}
	close(fd);
	return err;
}

/* Has the server connect to us from expected; or say that it cannot. */
static int ask_back(const struct client *client, const union endpoint *expected, const struct stun_message *request,
		    struct stun_message *answer)
{
	int64_t deadline = deadline_after(CONNECT_BACK_MS);
	const int first = client->streams[0].fd;
	int err = stream_send(first, request);

	if (err)
		return err;
	do {
		switch (wait_readable(client->fd, first, deadline)) {
		case 0:
			err = stranger_check(client, expected, request, answer);
			break;
		case 1:
			err = stream_read(first, deadline, answer);
			if (!err)
				err = answer_check(request, answer);
			/* Answered where we asked: the server knows no connection back. */
			if (!err)
				err = -EPROTO;
			break;
		default:
			return -EPROTO;
		}
	} while (err == -EAGAIN);
	return err;
}

/*
 * One transaction with remote. change is CHANGE-REQUEST's; the answer counts
 * only from expected. 0, -ETIMEDOUT, or another -errno if the test is broken.
 */
static int ask(struct client *client, const union endpoint *remote, uint32_t change, const union endpoint *expected,
	       struct stun_message *answer)
{
	struct stun_message request;
	int fd;

	stun_request(&request, change);
	if (client->type == SOCK_DGRAM)
		return ask_udp(client, remote, expected, &request, answer);
	if (change)
		return ask_back(client, expected, &request, answer);
	fd = stream_get_or_create(client, remote);
	return fd < 0 ? fd : stream_ask(client, fd, &request, answer);
}

static union endpoint with_port(const union endpoint *address, const union endpoint *port)
{
	union endpoint endpoint = *address;

	endpoint_set_port(&endpoint, endpoint_port(port));
	return endpoint;
}

/* The outcome of a test that failed: what is printed, and the reason for people. */
static int test_failed(const char *test, int err)
{
	printf("%s: fail\n", test);
	fprintf(stderr, "stun-client: %s: %s\n", test, strerror(-err));
	return err;
}

/* RFC 5780 4.4. Index into filtering_names, or -errno. */
static int filtering_test(struct client *client)
{
	const union endpoint other_port = with_port(&client->server, &client->other);
	struct stun_message answer;
	int err;

	err = ask(client, &client->server, STUN_CHANGE_ADDRESS | STUN_CHANGE_PORT, &client->other, &answer);
	if (!err)
		return INDEPENDENT;
	if (err != -ETIMEDOUT)
		return err;
	err = ask(client, &client->server, STUN_CHANGE_PORT, &other_port, &answer);
	if (!err)
		return ADDRESS_DEPENDENT;
	return err == -ETIMEDOUT ? ADDRESS_AND_PORT_DEPENDENT : err;
}

/* Whether the endpoints that were silent in the filtering test answer at all. */
static int filtering_confirm(struct client *client, enum behaviour filtering)
{
	const union endpoint other_port = with_port(&client->server, &client->other);
	struct stun_message answer;
	int err = 0;

	if (filtering == ADDRESS_AND_PORT_DEPENDENT)
		err = ask(client, &other_port, 0, &other_port, &answer);
	if (!err && filtering != INDEPENDENT)
		err = ask(client, &client->other, 0, &client->other, &answer);
	return err;
}

/* RFC 5780 4.3 after test I. Index into mapping_names, or -errno. */
static int mapping_test(struct client *client)
{
	const union endpoint other_address = with_port(&client->other, &client->server);
	struct stun_message second, third;
	int err;

	err = ask(client, &other_address, 0, &other_address, &second);
	if (err)
		return err;
	if (endpoint_equals(&client->mapped, &second.mapped))
		return INDEPENDENT;
	err = ask(client, &client->other, 0, &client->other, &third);
	if (err)
		return err;
	if (endpoint_equals(&second.mapped, &third.mapped))
		return ADDRESS_DEPENDENT;
	return ADDRESS_AND_PORT_DEPENDENT;
}

static int binding_test(struct client *client)
{
	struct stun_message answer;
	char text[ENDPOINT_TEXT_SIZE];
	int err;

	err = ask(client, &client->server, 0, &client->server, &answer);
	if (err)
		return test_failed("Binding test", err);
	client->mapped = answer.mapped;
	client->other = answer.other;
	printf("Binding test: success\n");
	printf("Local address: %s\n", endpoint_format(&client->local, text));
	printf("Mapped address: %s\n", endpoint_format(&client->mapped, text));
	return 0;
}

static int behaviour_tests(struct client *client)
{
	const bool is_direct = endpoint_equals(&client->mapped, &client->local);
	int filtering = 0, mapping = 0, err = 0;

	/* A server without a second address and port cannot tell. */
	if (endpoint_same_address(&client->server, &client->other) ||
	    client->server.sa.sa_family != client->other.sa.sa_family ||
	    endpoint_port(&client->server) == endpoint_port(&client->other))
		filtering = mapping = -EOPNOTSUPP;
	if (client->mode & MODE_FILTERING && filtering >= 0)
		filtering = filtering_test(client);
	if (client->mode & MODE_BEHAVIOR && mapping >= 0)
		mapping = mapping_test(client);
	if (client->mode & MODE_FILTERING && filtering >= 0) {
		err = filtering_confirm(client, filtering);
		if (err)
			filtering = err;
	}
	if (client->mode & MODE_BEHAVIOR) {
		if (mapping < 0)
			err = test_failed("Behavior test", mapping);
		else
			printf("Behavior test: success\nNat behavior: %s\n",
			       is_direct && mapping == INDEPENDENT ? "Direct Mapping" : mapping_names[mapping]);
	}
	if (client->mode & MODE_FILTERING) {
		if (filtering < 0)
			err = test_failed("Filtering test", filtering);
		else
			printf("Filtering test: success\nNat filtering: %s\n", filtering_names[filtering]);
	}
	return err;
}

/* The local address that leads to the server, where none was given. */
static int local_address_choose(struct client *client)
{
	union endpoint any = client->local;
	socklen_t size = sizeof(any);
	int fd, err = 0;

	/* Connecting a datagram socket sends nothing. */
	endpoint_set_port(&any, 0);
	fd = endpoint_socket(SOCK_DGRAM, &any);
	if (fd < 0)
		return fd;
	if (connect(fd, &client->server.sa, endpoint_length(&client->server)) || getsockname(fd, &any.sa, &size))
		err = -errno;
	close(fd);
	if (!err)
		client->local = with_port(&any, &client->local);
	return err;
}

static int open_local(struct client *client)
{
	socklen_t size = sizeof(client->local);
	char text[ENDPOINT_TEXT_SIZE];
	int err;

	err = local_address_choose(client);
	if (!err) {
		client->fd = endpoint_socket(client->type, &client->local);
		if (client->fd < 0)
			err = client->fd;
		else if (client->type == SOCK_STREAM && listen(client->fd, 8))
			err = -errno;
		else
			getsockname(client->fd, &client->local.sa, &size);
	}
	if (err) {
		fprintf(stderr, "stun-client: %s: %s\n", endpoint_format(&client->local, text), strerror(-err));
	}
	return err;
}

static int usage(void)
{
	fputs("usage: stun-client [OPTIONS] SERVER [PORT]\n"
	      "  --mode basic|behavior|filtering|full   which tests (basic)\n"
	      "  --protocol udp|tcp                     (udp)\n"
	      "  --localaddr ADDRESS                    (the one that leads to SERVER)\n"
	      "  --localport PORT                       (any; the NAT must not know it yet)\n"
	      "  --timeout MS                           per question, resending included (3000)\n",
	      stderr);
	return EXIT_USAGE;
}

static int mode_parse(const char *text, enum mode *mode)
{
	static const char *const names[] = { "basic", "behavior", "filtering", "full" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			*mode = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int option_parse(int option, struct client *client)
{
	long number = 0;

	switch (option) {
	case 'm':
		return mode_parse(optarg, &client->mode);
	case 'p':
		client->type = strcmp(optarg, "tcp") ? SOCK_DGRAM : SOCK_STREAM;
		return strcmp(optarg, "tcp") && strcmp(optarg, "udp") ? -EINVAL : 0;
	case 'a':
		number = endpoint_port(&client->local);
		return endpoint_parse_address(optarg, number, &client->local);
	case 'l':
		if (number_parse(optarg, 65535, &number))
			return -EINVAL;
		endpoint_set_port(&client->local, number);
		return 0;
	case 't':
		if (number_parse(optarg, 600000, &number))
			return -EINVAL;
		client->timeout_ms = number;
		return 0;
	}
	return -EINVAL;
}

static int arguments_parse(int argc, char **argv, struct client *client)
{
	static const struct option options[] = {
		{ "mode", required_argument, NULL, 'm' },      { "protocol", required_argument, NULL, 'p' },
		{ "localaddr", required_argument, NULL, 'a' }, { "localport", required_argument, NULL, 'l' },
		{ "timeout", required_argument, NULL, 't' },   { 0 },
	};
	long port = PORT;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option_parse(option, client))
			return -EINVAL;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return -EINVAL;
	if (argc - optind == 2 && number_parse(argv[optind + 1], 65535, &port))
		return -EINVAL;
	if (endpoint_parse_address(argv[optind], port, &client->server))
		return -EINVAL;
	if (client->local.sa.sa_family == AF_UNSPEC) {
		port = endpoint_port(&client->local);
		client->local.sa.sa_family = client->server.sa.sa_family;
		endpoint_set_port(&client->local, port);
	}
	return client->local.sa.sa_family == client->server.sa.sa_family ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct client client = { .type = SOCK_DGRAM, .timeout_ms = TIMEOUT_MS };

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (arguments_parse(argc, argv, &client))
		return usage();
	if (open_local(&client) || binding_test(&client))
		return EXIT_NO;
	if (client.mode != MODE_BASIC && behaviour_tests(&client))
		return EXIT_NO;
	return EXIT_OK;
}
