// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See client.h, and control.h for the protocol. An answer is printed when it is whole; but what `watch` says, as it comes. So
 * a pager that stands still does not keep the daemon waiting, and half a JSON is never printed.
 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"

/*
 * That the daemon may say nothing. What changes something may load and exchange programs for each interface; systemd waits 90 s
 * for a reload.
 */
enum { ANSWER_SECONDS = 15, CHANGE_SECONDS = 85 };

struct search {
	const struct control_request *request;
	int fd; /* the daemon's that was found; -1: none */
	unsigned int count;
	int err;	 /* of one that could not be asked */
	char names[256]; /* of all: "wan, wan2" */
	char path[256];	 /* of that one */
};

static int socket_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	/* a daemon that has stopped accepts nobody: a full queue is not waited for longer than an answer */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return err;
}

static int search_found(const char *ifname, const char *path, void *arg)
{
	struct search *search = arg;
	int fd = socket_connect(path);

	if (fd == -ECONNREFUSED || fd == -ENOENT) /* a killed daemon's */
		return 0;
	if (fd < 0) {
		search->err = fd;
		snprintf(search->path, sizeof(search->path), "%s", path);
		return 0;
	}
	if (search->fd >= 0)
		close(search->fd);
	search->fd = fd;
	snprintf(search->names + strlen(search->names), sizeof(search->names) - strlen(search->names), "%s%s",
		 search->count++ ? ", " : "", ifname);
	return !strcmp(ifname, search->request->ifname);
}

static int request_send(int fd, const struct control_request *request, const char *line)
{
	const struct timeval limit = { .tv_sec = control_request_changes(request) ? CHANGE_SECONDS : ANSWER_SECONDS };
	char text[CONTROL_REQUEST_SIZE + 1];
	int length = snprintf(text, sizeof(text), "%s\n", line);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* One that has closed already has said why. */
	return send(fd, text, (size_t)length, MSG_NOSIGNAL) == length || errno == EPIPE ? 0 : -errno;
}

/* The answer's bytes so far. */
struct received {
	char *bytes;
	size_t used, size;
};

/* Waits for more. Returns how many bytes came, 0 at the end, or -errno. */
static ssize_t receive(int fd, struct received *received)
{
	ssize_t n;

	if (received->size - received->used < 4096) {
		char *grown = realloc(received->bytes, received->size * 2 + 65536);

		if (!grown)
			return -ENOMEM;
		received->bytes = grown;
		received->size = received->size * 2 + 65536;
	}
	do
		n = recv(fd, received->bytes + received->used, received->size - received->used, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		received->used += (size_t)n;
	return n < 0 ? -errno : n;
}

/* Prints what has come of a stream, and forgets it. */
static int stream_print(struct received *received)
{
	size_t used = received->used;

	received->used = 0;
	return fwrite(received->bytes, 1, used, stdout) != used || fflush(stdout) ? -errno : 0;
}

/* "ok", or a complaint: -1 and it has been said. What follows the line stays. */
static int verdict_take(int fd, struct received *received)
{
	char *end = NULL;
	ssize_t n;

	do {
		n = receive(fd, received);
		end = n > 0 ? memchr(received->bytes, '\n', received->used) : NULL;
	} while (!end && n > 0);
	if (!end) {
		log_error("no answer: %s", n ? strerror((int)-n) : "the connection was closed");
		return -1;
	}
	*end = '\0';
	if (strcmp(received->bytes, "ok") != 0) {
		log_error("%s", strncmp(received->bytes, "error: ", 7) ? received->bytes : received->bytes + 7);
		return -1;
	}
	received->used -= (size_t)(end + 1 - received->bytes);
	memmove(received->bytes, end + 1, received->used);
	return 0;
}

static int answer_take(int fd, const struct control_request *request, struct received *received)
{
	struct timeval forever = { 0 };
	ssize_t n = 1;
	int err = 0;

	if (verdict_take(fd, received))
		return 1;
	if (request->command == CONTROL_WATCH)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	while (n > 0 && !err) {
		if (request->command == CONTROL_WATCH)
			err = stream_print(received);
		n = receive(fd, received);
	}
	if (err)
		return 1;
	if (!n && received->used && !received->bytes[received->used - 1]) {
		received->used--;
		return stream_print(received) ? 1 : 0;
	}
	log_error("the answer was cut short: %s", n ? strerror((int)-n) : "the einat that runs has ended it");
	return 1;
}

/* The daemon that is meant, or an exit status: -1, -2. */
static int daemon_find(const struct control_request *request)
{
	struct search search = { .request = request, .fd = -1 };
	char text[256];
	int found;

	found = instance_sockets(search_found, &search, text, sizeof(text));
	if (found == 1 || search.count == 1)
		return search.fd;
	if (found < 0 && found != -ENOENT)
		log_error("%s: %s", text, strerror(-found));
	else if (search.count)
		log_error("several einat are running: choose one by -i: %s", search.names);
	else if (search.err)
		log_error("%s: %s", search.path, strerror(-search.err));
	else
		log_error("no einat is running here");
	if (search.fd >= 0)
		close(search.fd);
	return search.count ? -2 : -1;
}

/* Asks once. Returns an exit status. */
static int ask(const char *line, const struct control_request *request)
{
	struct received received = { 0 };
	int fd = daemon_find(request), status, err;

	if (fd < 0)
		return -fd;
	err = request_send(fd, request, line);
	if (err)
		log_error("ask the einat that runs: %s", strerror(-err));
	status = err ? 1 : answer_take(fd, request, &received);
	free(received.bytes);
	close(fd);
	return status;
}

/* The terminal under `top`: another screen, no cursor, keys without Enter. Given back on every way out. */
struct terminal {
	bool is_one; /* that knows how to clear itself */
	bool has_keys;
	struct termios before;
};

static volatile sig_atomic_t is_over;

static void over(int number)
{
	(void)number;
	is_over = 1;
}

static void terminal_take(struct terminal *terminal)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	const struct sigaction action = { .sa_handler = over };
	const char *name = getenv("TERM");
	struct termios keys;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
	terminal->is_one = isatty(STDOUT_FILENO) && name && *name && strcmp(name, "dumb") != 0;
	terminal->has_keys = terminal->is_one && !tcgetattr(STDIN_FILENO, &terminal->before);
	if (terminal->has_keys) {
		keys = terminal->before;
		keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		keys.c_cc[VSUSP] = _POSIX_VDISABLE; /* the shell would be left without a cursor */
		tcsetattr(STDIN_FILENO, TCSANOW, &keys);
	}
	if (terminal->is_one)
		fputs("\033[?1049h\033[?25l", stdout);
}

static void terminal_give_back(const struct terminal *terminal)
{
	if (terminal->is_one)
		fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (terminal->has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
}

/* A second, a signal, or the key q. */
static void terminal_wait(const struct terminal *terminal)
{
	struct pollfd keys = { .fd = terminal->has_keys ? STDIN_FILENO : -1, .events = POLLIN };
	char key = 0;

	if (poll(&keys, 1, 1000) == 1 && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q'))
		is_over = 1;
}

static int top_run(const char *line, const struct control_request *request)
{
	struct terminal terminal = { .is_one = false };
	char text[CONTROL_REQUEST_SIZE];
	struct winsize size;
	int status = 0;

	terminal_take(&terminal);
	while (!is_over && !status) {
		memset(&size, 0, sizeof(size));
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
		snprintf(text, sizeof(text), "%s rows=%u columns=%u", line, size.ws_row ? size.ws_row % 1001u : 24,
			 size.ws_col ? size.ws_col % 1001u : 80);
		fputs(terminal.is_one ? "\033[H\033[J" : "\n", stdout);
		status = ask(text, request);
		if (!status && !is_over)
			terminal_wait(&terminal);
	}
	terminal_give_back(&terminal);
	/* What was said of a failure went with the screen. */
	return status && terminal.is_one && !is_over ? ask(line, request) : status;
}

int client_run(const char *line, const struct control_request *request)
{
	return (request->command == CONTROL_TOP ? top_run : ask)(line, request);
}
