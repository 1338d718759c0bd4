// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the daemon says, one line an event, each in a single write so that lines never mix. Who reads them may stop reading:
 * then lines are lost and counted, and the daemon goes on.
 */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 512 }; /* at most PIPE_BUF: a pipe takes it whole or not at all */

static int log_fd = STDERR_FILENO;
static bool is_socket;
static char pending[LINE_MAX_SIZE]; /* the rest of a line that a terminal took in part */
static size_t pending_size;
static unsigned long lost;
static char last_error[192];
static enum log_level level_wanted = LOG_INFO;
static struct sockaddr_un syslog_address; /* without a path: none */
static int syslog_fd = -1;
static bool is_both;
static unsigned long syslog_lost;
static void (*hearer)(const char *line, void *arg);
static void *hearer_arg;

/* Opening /dev/ptmx again makes another terminal. */
static bool is_terminal(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev != makedev(5, 2) && isatty(STDERR_FILENO);
}

void log_open(void)
{
	struct stat status;
	int fd;

	if (log_fd != STDERR_FILENO)
		close(log_fd);
	log_fd = STDERR_FILENO;
	is_socket = false;
	pending_size = 0;
	lost = 0;
	if (fstat(STDERR_FILENO, &status))
		return;
	is_socket = S_ISSOCK(status.st_mode);
	if (!S_ISFIFO(status.st_mode) && !is_terminal(&status))
		return;
	/*
	 * O_NONBLOCK belongs to an open file, and this one others have too: so open it once more. Without /proc, or where
	 * the rights do not reach, poll() alone has to do: it does not know how much a terminal has room for.
	 */
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		log_fd = fd;
}

/* Writes what goes without waiting; returns how much that was. */
static size_t write_now(const char *bytes, size_t size)
{
	struct pollfd ready = { .fd = log_fd, .events = POLLOUT };
	ssize_t n;

	if (is_socket)
		n = send(log_fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (poll(&ready, 1, 0) != 1)
		n = 0;
	else
		n = write(log_fd, bytes, size);
	return n > 0 ? (size_t)n : 0;
}

/* Whether it has begun to write; the rest follows before anything else. */
static bool line_write(const char *line, size_t size)
{
	size_t n = write_now(line, size);

	if (!n)
		return false;
	pending_size = size - n;
	memcpy(pending, line + n, pending_size);
	return true;
}

/* What is still to be said from earlier. True if that is all out. */
static bool log_catch_up(void)
{
	char line[LINE_MAX_SIZE];
	size_t n;

	if (pending_size) {
		n = write_now(pending, pending_size);
		pending_size -= n;
		memmove(pending, pending + n, pending_size);
	}
	if (pending_size)
		return false;
	if (!lost)
		return true;
	n = (size_t)snprintf(line, sizeof(line), "einat: warning: %lu %s not written: the reader was too slow\n", lost,
			     lost == 1 ? "line was" : "lines were");
	if (!line_write(line, n))
		return false;
	lost = 0;
	return !pending_size;
}

void log_close(void)
{
	log_catch_up();
}

/*
 * Others' words, names on a command line, say, may have control characters, which a terminal would obey: ESC becomes \x1b.
 * Copies what fits and returns how much that is.
 */
static size_t text_escape(char *to, size_t size, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte, before = 0;
	size_t used = 0;

	for (; (byte = (unsigned char)*text); text++, before = byte) {
		/* C1: in UTF-8 a second byte, after 0xc2 */
		if (byte >= ' ' && byte != 0x7f && !(before == 0xc2 && byte < 0xa0)) {
			if (used + 1 > size)
				break;
			to[used++] = (char)byte;
			continue;
		}
		if (used + 4 > size)
			break;
		to[used++] = '\\';
		to[used++] = 'x';
		to[used++] = digits[byte >> 4];
		to[used++] = digits[byte & 15];
	}
	return used;
}

/* Syslog: its severities, and our facility, daemon. */
enum { SEVERITY_ERROR = 3, SEVERITY_WARNING, SEVERITY_NOTICE, SEVERITY_INFO, FACILITY = 3 << 3 };

static bool syslog_open(void)
{
	syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (syslog_fd < 0)
		return false;
	if (!connect(syslog_fd, (const struct sockaddr *)&syslog_address, sizeof(syslog_address)))
		return true;
	close(syslog_fd);
	syslog_fd = -1;
	return false;
}

/* Whether it has been taken. One that was restarted has another socket under the same name. */
static bool syslog_send(const char *line, size_t size)
{
	int tries;

	for (tries = 0; tries < 2; tries++) {
		if (syslog_fd < 0 && !syslog_open())
			return false;
		if (send(syslog_fd, line, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
		close(syslog_fd);
		syslog_fd = -1;
	}
	return false;
}

/* Whoever takes it puts the time in front: RFC 3164 lets us leave it out, and they know which zone is wanted. */
static bool syslog_say(int severity, const char *text)
{
	char line[LINE_MAX_SIZE + 32];
	int pid = (int)getpid();

	if (syslog_lost) {
		snprintf(line, sizeof(line), "<%d>einat[%d]: warning: %lu %s not taken by syslog",
			 FACILITY | SEVERITY_WARNING, pid, syslog_lost, syslog_lost == 1 ? "line was" : "lines were");
		if (!syslog_send(line, strlen(line)))
			return false;
		syslog_lost = 0;
	}
	snprintf(line, sizeof(line), "<%d>einat[%d]: %s", FACILITY | severity, pid, text);
	return syslog_send(line, strlen(line));
}

void log_configure(const char *socket, enum log_level level, bool both)
{
	if (syslog_fd >= 0)
		close(syslog_fd);
	syslog_fd = -1;
	memset(&syslog_address, 0, sizeof(syslog_address));
	syslog_address.sun_family = AF_UNIX;
	if (socket)
		memccpy(syslog_address.sun_path, socket, '\0', sizeof(syslog_address.sun_path) - 1);
	level_wanted = level;
	is_both = both;
}

static bool is_wanted(int severity)
{
	switch (severity) {
	case SEVERITY_WARNING:
		return level_wanted >= LOG_WARNING;
	case SEVERITY_INFO:
		return level_wanted >= LOG_INFO;
	default:
		return true;
	}
}

static void log_line(int severity, const char *level, const char *format, va_list args)
{
	char line[LINE_MAX_SIZE], text[LINE_MAX_SIZE];
	bool is_taken = false;
	size_t used, begin;

	vsnprintf(text, sizeof(text), format, args);
	used = (size_t)snprintf(line, sizeof(line), "einat: %s", level);
	begin = used;
	used += text_escape(line + used, sizeof(line) - used - 1, text);
	line[used] = '\0';
	if (*level && hearer)
		hearer(line + begin, hearer_arg);
	if (!is_wanted(severity))
		return;
	if (syslog_address.sun_path[0]) {
		is_taken = syslog_say(severity, line + strlen("einat: "));
		syslog_lost += !is_taken;
	}
	if (is_taken && !is_both)
		return;
	line[used++] = '\n';
	if (!log_catch_up() || !line_write(line, used))
		lost++;
}

void log_hear(void (*hear)(const char *line, void *arg), void *arg)
{
	hearer = hear;
	hearer_arg = arg;
}

void log_error(const char *format, ...)
{
	char text[sizeof(last_error)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	last_error[text_escape(last_error, sizeof(last_error) - 1, text)] = '\0';
	va_start(args, format);
	log_line(SEVERITY_ERROR, "", format, args);
	va_end(args);
}

const char *log_last_error(void)
{
	return last_error;
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(SEVERITY_WARNING, "warning: ", format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(SEVERITY_INFO, "", format, args);
	va_end(args);
}

void log_record(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(SEVERITY_NOTICE, "", format, args);
	va_end(args);
}
