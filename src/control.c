// SPDX-License-Identifier: GPL-2.0-or-later
/* See control.h. A client's life: reading its request -> answering, piece by piece -> gone. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"

enum {
	CLIENTS = 8,
	HTTP_CLIENTS = 4, /* of these */
	DRAIN_READS = 32,
	RESERVED = 2,	  /* of these for who may change something, lest others keep root out */
	READ_SIZE = 2048, /* the longest request by HTTP */
	WATCHERS = 3,
	REQUEST_SECONDS = 5, /* to send the request in */
	STALL_SECONDS = 10,  /* without taking any of the answer */
	ANSWER_SECONDS = 60, /* for the whole answer, but of `watch` */
};

struct client {
	int fd; /* -1: none */
	bool is_http, may_change;
	char request[READ_SIZE];
	size_t length;
	bool is_answering, is_last; /* is_last: what is in `piece` ends the answer */
	struct answer answer;
	char *piece;
	size_t piece_size, piece_sent;
	unsigned int idle, age; /* seconds */
};

struct control {
	struct control_daemon *daemon;
	int epoll_fd, listener, http; /* listeners: -1: none */
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	uint32_t mode;
	gid_t group;
	struct client clients[CLIENTS];
};

enum { TAG_LISTENER, TAG_HTTP, TAG_CLIENTS };

static void client_watch(const struct control *control, const struct client *client, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events,
				     .data.u32 = TAG_CLIENTS + (uint32_t)(client - control->clients) };

	epoll_ctl(control->epoll_fd, operation, client->fd, &event);
}

static void client_close(struct client *client)
{
	char rest[READ_SIZE];
	int i;

	if (client->fd < 0)
		return;
	/* what is left unread would reset the connection, and take the answer with it */
	for (i = 0; client->is_http && i < DRAIN_READS && recv(client->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0; i++)
		;
	close(client->fd);
	answer_close(&client->answer);
	free(client->piece);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

/* The next piece of the answer, in memory of its own. */
static int piece_make(struct control *control, struct client *client)
{
	FILE *to = open_memstream(&client->piece, &client->piece_size);

	if (!to)
		return -ENOMEM;
	client->is_last = !answer_continue(&client->answer, control->daemon, to);
	if (client->is_last && !client->is_http && !client->answer.is_cut)
		fputc('\0', to);
	client->piece_sent = 0;
	return fclose(to) ? -ENOMEM : 0;
}

static void piece_free(struct client *client)
{
	free(client->piece);
	client->piece = NULL;
	client->piece_size = client->piece_sent = 0;
}

/* Sends what there is and goes; a piece at most, lest others wait. */
static void client_answer(struct control *control, struct client *client)
{
	ssize_t n;

	if (!client->piece && piece_make(control, client)) {
		client_close(client);
		return;
	}
	n = send(client->fd, client->piece + client->piece_sent, client->piece_size - client->piece_sent,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client_close(client);
		return;
	}
	if (n > 0) {
		client->piece_sent += (size_t)n;
		client->idle = 0;
	}
	if (client->piece_sent < client->piece_size)
		return;
	piece_free(client);
	if (client->is_last)
		client_close(client);
	else if (answer_waits(&client->answer))
		client_watch(control, client, EPOLL_CTL_MOD, 0);
}

/* What is not to be answered by a list: "ok" or "error: ..." goes in front of everything. */
static void client_say(struct control *control, struct client *client, const char *line, bool is_last)
{
	client->is_answering = true;
	client->is_last = is_last;
	client->piece = strdup(line);
	client->piece_size = client->piece ? strlen(line) : 0;
	client->piece_sent = 0;
	if (!client->piece)
		client_close(client);
	else
		client_watch(control, client, EPOLL_CTL_MOD, EPOLLOUT);
}

static unsigned int watchers(const struct control *control)
{
	unsigned int i, count = 0;

	for (i = 0; i < CLIENTS; i++)
		count += control->clients[i].fd >= 0 && control->clients[i].answer.watch;
	return count;
}

static int request_take(struct control *control, struct client *client, size_t length, char *error, size_t size)
{
	struct control_request request;
	int err;

	if (length + 1 != client->length) {
		snprintf(error, size, "one request a connection");
		return -EINVAL;
	}
	err = control_request_parse(&request, client->request, length, error, size);
	if (err)
		return err;
	if (control_request_changes(&request) && !client->may_change) {
		snprintf(error, size, "only root may do that");
		return -EPERM;
	}
	if (request.command == CONTROL_WATCH && watchers(control) >= WATCHERS) {
		snprintf(error, size, "there are %d who watch already", WATCHERS);
		return -EBUSY;
	}
	return answer_open(&client->answer, control->daemon, &request, error, size);
}

/* What has come by the socket: a line. */
static void line_take(struct control *control, struct client *client)
{
	const char *end = memchr(client->request, '\n', client->length);
	char error[512], line[sizeof(error) + 16];

	if (!end && client->length < CONTROL_REQUEST_SIZE)
		return;
	if (!end) {
		snprintf(error, sizeof(error), "the request is longer than %d bytes", CONTROL_REQUEST_SIZE - 1);
	} else if (!request_take(control, client, (size_t)(end - client->request), error, sizeof(error))) {
		client->age = 0;
		client_say(control, client, "ok\n", false);
		return;
	}
	snprintf(line, sizeof(line), "error: %s\n", error);
	client_say(control, client, line, true);
}

static void http_take(struct control *control, struct client *client)
{
	static const struct control_request metrics = { .command = CONTROL_METRICS };
	const char *answer = "HTTP/1.0 431 Request Header Fields Too Large\r\n\r\n";
	int err = http_request_parse(client->request, client->length, &answer);
	char error[64];

	if (err == -EAGAIN && client->length < sizeof(client->request))
		return;
	client->age = 0;
	client_say(control, client, answer,
		   err || answer_open(&client->answer, control->daemon, &metrics, error, sizeof(error)));
}

static void client_read(struct control *control, struct client *client)
{
	ssize_t n = recv(client->fd, client->request + client->length, sizeof(client->request) - client->length,
			 MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(client);
		return;
	}
	client->length += (size_t)n;
	if (client->is_http)
		http_take(control, client);
	else
		line_take(control, client);
}

/* What the file's mode says, asked again of who has come: not every file system keeps it. */
static bool peer_may_ask(const struct control *control, const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() || control->mode & 0066;
}

/* A place for another one; NULL: there is none. */
static struct client *client_place(struct control *control, bool is_http, bool may_change)
{
	struct client *client, *place = NULL;
	unsigned int http = 0, lookers = 0;

	for (client = control->clients; client < control->clients + CLIENTS; client++) {
		if (client->fd < 0)
			place = client;
		http += client->fd >= 0 && client->is_http;
		lookers += client->fd >= 0 && !client->may_change;
	}
	if (is_http && http >= HTTP_CLIENTS)
		return NULL;
	return !may_change && lookers >= CLIENTS - RESERVED ? NULL : place;
}

static void client_accept(struct control *control, bool is_http)
{
	static const char busy[] = "error: too many clients\n";
	struct client *client;
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);
	bool may_change;
	int fd;

	fd = accept4(is_http ? control->http : control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (!is_http && (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || !peer_may_ask(control, &peer))) {
		close(fd);
		return;
	}
	may_change = peer.uid == 0 || peer.uid == geteuid();
	client = client_place(control, is_http, may_change);
	if (!client) {
		if (!is_http)
			send(fd, busy, strlen(busy), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
	} else {
		client->fd = fd;
		client->is_http = is_http;
		client->may_change = may_change;
		client_watch(control, client, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static void client_serve(struct control *control, struct client *client, uint32_t events)
{
	if (client->fd < 0)
		return;
	if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN))
		client_close(client);
	else if (client->is_answering)
		client_answer(control, client);
	else
		client_read(control, client);
}

void control_serve(struct control *control)
{
	struct epoll_event events[CLIENTS + TAG_CLIENTS];
	int i, count = epoll_wait(control->epoll_fd, events, CLIENTS + TAG_CLIENTS, 0);

	for (i = 0; i < count; i++) {
		if (events[i].data.u32 < TAG_CLIENTS)
			client_accept(control, events[i].data.u32 == TAG_HTTP);
		else
			client_serve(control, &control->clients[events[i].data.u32 - TAG_CLIENTS], events[i].events);
	}
}

static bool client_is_late(const struct client *client)
{
	if (!client->is_answering)
		return client->age > REQUEST_SECONDS;
	if (client->answer.watch)
		return client->piece && client->idle > STALL_SECONDS;
	return client->idle > STALL_SECONDS || client->age > ANSWER_SECONDS;
}

void control_tick(struct control *control)
{
	struct client *client;

	control_daemon_tick(control->daemon);
	for (client = control->clients; client < control->clients + CLIENTS; client++) {
		if (client->fd < 0)
			continue;
		client->idle++;
		client->age++;
		if (client_is_late(client)) {
			client_close(client);
		} else if (client->answer.watch && !client->piece) {
			client->idle = 0;
			answer_tick(&client->answer);
			client_watch(control, client, EPOLL_CTL_MOD, EPOLLOUT);
		}
	}
}

/* The number of a group, by its name in /etc/group or as it stands; -ENOENT: there is none. */
static int group_find(const char *name, gid_t *group)
{
	size_t length = strlen(name);
	char line[256], *end;
	FILE *file;
	int err = -ENOENT;

	*group = (gid_t)strtoul(name, &end, 10);
	if (length && !*end)
		return 0;
	file = fopen("/etc/group", "re");
	while (err && file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, length) != 0 || line[length] != ':' || !(end = strchr(line + length + 1, ':')))
			continue;
		*group = (gid_t)strtoul(end + 1, NULL, 10);
		err = 0;
	}
	if (file)
		fclose(file);
	return err;
}

/* A group that cannot have it leaves it to us alone. */
static int group_give(const struct control *control, const struct control_config *config)
{
	gid_t group = (gid_t)-1;
	int err = config->group[0] ? group_find(config->group, &group) : 0;

	if (!err && config->group[0] && chown(control->path, (uid_t)-1, group))
		err = -errno;
	if (err)
		log_warning("control socket: group \"%s\": %s", config->group,
			    err == -ENOENT ? "there is no such group" : strerror(-err));
	return err;
}

/* Nobody but us until it has its group and mode. */
static int listener_bind(struct control *control, const struct control_config *config)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, control->path, sizeof(control->path));
	unlink(control->path); /* a killed daemon's: the interface is ours */
	if (fchmod(control->listener, 0600) || bind(control->listener, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	control->mode = group_give(control, config) ? 0600 : config->mode;
	return chmod(control->path, control->mode) || listen(control->listener, CLIENTS) ? -errno : 0;
}

static int listener_open(struct control *control, const struct control_config *config)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = TAG_LISTENER };
	int err;

	err = instance_socket(control->daemon->interfaces[0].config->name, config->mode & 0077, control->path,
			      sizeof(control->path));
	if (err)
		return err;
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return -errno;
	err = listener_bind(control, config);
	if (!err && epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, control->listener, &event))
		err = -errno;
	return err;
}

static int http_bind(struct control *control, const char *where)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} to = { 0 };
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = TAG_HTTP };
	__be32 addr[4];
	uint16_t port;
	int family, on = 1;

	if (address_port_parse(where, &family, addr, &port))
		return -EINVAL;
	to.v6.sin6_family = (sa_family_t)family;
	to.v6.sin6_port = htons(port); /* where IPv4 has it, too */
	if (family == AF_INET)
		memcpy(&to.v4.sin_addr, addr, sizeof(to.v4.sin_addr));
	else
		memcpy(&to.v6.sin6_addr, addr, sizeof(to.v6.sin6_addr));
	control->http = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->http < 0)
		return -errno;
	setsockopt(control->http, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(control->http, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)); /* the address may come later */
	if (bind(control->http, &to.any, family == AF_INET ? sizeof(to.v4) : sizeof(to.v6)) ||
	    listen(control->http, HTTP_CLIENTS) || epoll_ctl(control->epoll_fd, EPOLL_CTL_ADD, control->http, &event))
		return -errno;
	return 0;
}

static void http_open(struct control *control, const char *where)
{
	int err = *where ? http_bind(control, where) : 0;

	if (!err)
		return;
	log_warning("metrics_listen: %s: %s", where, strerror(-err));
	if (control->http >= 0)
		close(control->http);
	control->http = -1;
}

struct control *control_open(struct control_daemon *daemon, const struct control_config *config)
{
	struct control *control = calloc(1, sizeof(*control));
	struct timespec now;
	size_t i;
	int err;

	if (!control)
		return NULL;
	clock_gettime(CLOCK_MONOTONIC, &now);
	daemon->started = (uint64_t)now.tv_sec;
	daemon->peaks = calloc(daemon->interfaces_count + 1, sizeof(*daemon->peaks));
	control->daemon = daemon;
	control->listener = control->http = -1;
	for (i = 0; i < CLIENTS; i++)
		control->clients[i].fd = -1;
	control->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!daemon->peaks || control->epoll_fd < 0) {
		control_close(control);
		return NULL;
	}
	err = daemon->interfaces_count ? listener_open(control, config) : 0;
	if (err)
		log_warning("control socket %s: %s", control->path, strerror(-err));
	http_open(control, config->metrics_listen);
	return control;
}

int control_fd(const struct control *control)
{
	return control->epoll_fd;
}

void control_close(struct control *control)
{
	size_t i;

	if (!control)
		return;
	for (i = 0; i < CLIENTS; i++)
		client_close(&control->clients[i]);
	if (control->listener >= 0) {
		unlink(control->path);
		close(control->listener);
	}
	if (control->http >= 0)
		close(control->http);
	if (control->epoll_fd >= 0)
		close(control->epoll_fd);
	free(control->daemon->peaks);
	free(control);
}
