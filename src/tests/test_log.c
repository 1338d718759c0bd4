// SPDX-License-Identifier: GPL-2.0-or-later
/* log: what is said never waits for its reader, and what is lost is counted. */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "log.h"

enum { LINES = 3000, SECONDS = 20 };

static const char text[] = "wan: out: dropped: no free external port: udp 192.168.1.100:25000 to 198.51.100.1:53";

struct reader {
	int fd;
	char line[512];
	size_t size;
	unsigned long seen, lost;
};

static void line_read(struct reader *reader)
{
	unsigned long lost;

	if (sscanf(reader->line, "einat: warning: %lu lines were not written: the reader was too slow", &lost) == 1) {
		reader->lost += lost;
		return;
	}
	assert_memory_equal(reader->line, "einat: wan: out: ", 17);
	reader->seen++;
}

/* Takes what waits. */
static void drain(struct reader *reader)
{
	struct pollfd ready = { .fd = reader->fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	while (poll(&ready, 1, 10) == 1 && (n = read(reader->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			reader->line[reader->size++] = bytes[i];
			assert_true(reader->size < sizeof(reader->line));
			if (bytes[i] != '\n')
				continue;
			reader->line[reader->size] = '\0';
			line_read(reader);
			reader->size = 0;
		}
	}
}

/* Says more than there is room for between `writer` and `reader`, then reads: nothing is missing that was not counted. */
static void overflow(int writer, int reader_fd)
{
	struct reader reader = { .fd = reader_fd };
	int kept = dup(STDERR_FILENO), flags = fcntl(writer, F_GETFL);
	unsigned long said = LINES;

	dup2(writer, STDERR_FILENO);
	log_open();
	alarm(SECONDS);
	for (int i = 0; i < LINES; i++)
		log_info("%s", text);
	assert_int_equal(fcntl(writer, F_GETFL), flags);
	while (!reader.lost || reader.seen + reader.lost != said) {
		drain(&reader);
		log_info("%s", text);
		said++;
		drain(&reader);
	}
	alarm(0);
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_true(reader.seen > 100);
	assert_true(reader.lost > 100);
}

static void test_pipe(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	overflow(fds[1], fds[0]);
}

static void test_socket(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	overflow(fds[1], fds[0]);
}

static void test_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	struct termios settings;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(tcgetattr(slave, &settings), 0);
	cfmakeraw(&settings); /* a line ends as it was written */
	assert_int_equal(tcsetattr(slave, TCSANOW, &settings), 0);
	overflow(slave, master);
}

/* Nothing that a terminal would obey is written, and a line has one end. */
static void test_escape(void **state)
{
	static const char expected[] = "einat: \"a\\x1b[31m\\x0a\\x7f\xc3\xa9\xc2\\x9b\"\n";
	int fds[2], kept = dup(STDERR_FILENO);
	char line[600];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_open();
	log_error("\"%s\"", "a\033[31m\n\177\xc3\xa9\xc2\x9b");
	n = read(fds[0], line, sizeof(line));
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(line, expected, strlen(expected));
	memset(line, '\033', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	log_error("%s", line);
	dup2(kept, STDERR_FILENO);
	close(kept);
	n = read(fds[0], line, sizeof(line));
	assert_in_range(n, 500, 512);
	assert_memory_equal(line + n - 5, "\\x1b\n", 5);
	close(fds[0]);
	close(fds[1]);
}

static char directory[] = "/tmp/test_log-XXXXXX";
static struct sockaddr_un syslog_at = { .sun_family = AF_UNIX };

/* A syslog that takes what fits into its socket. */
static int syslog_open(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	unlink(syslog_at.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&syslog_at, sizeof(syslog_at)), 0);
	return fd;
}

/* The next line that it has got, "" for none, with the process id taken out. */
static const char *syslog_line(int fd)
{
	static char line[1024];
	ssize_t n = recv(fd, line, sizeof(line) - 1, 0);
	char pid[16];
	char *at;

	line[n > 0 ? n : 0] = '\0';
	snprintf(pid, sizeof(pid), "[%d]", (int)getpid());
	at = strstr(line, pid);
	if (at)
		memmove(at, at + strlen(pid), strlen(at + strlen(pid)) + 1);
	return line;
}

/* Standard error goes to a pipe meanwhile: how much has come there. */
static void test_syslog(void **state)
{
	int fds[2], kept = dup(STDERR_FILENO), fd;
	unsigned long said = 0, seen = 0, lost = 0;
	char line[600];
	ssize_t n;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(syslog_at.sun_path, sizeof(syslog_at.sun_path), "%s/log", directory);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	log_open();
	fd = syslog_open();
	log_configure(syslog_at.sun_path, LOG_INFO, false);
	log_error("an error");
	log_warning("a warning");
	log_info("information");
	log_record("a record");
	assert_string_equal(syslog_line(fd), "<27>einat: an error");
	assert_string_equal(syslog_line(fd), "<28>einat: warning: a warning");
	assert_string_equal(syslog_line(fd), "<30>einat: information");
	assert_string_equal(syslog_line(fd), "<29>einat: a record");
	assert_int_equal(read(fds[0], line, sizeof(line)), -1);
	/* gone: to standard error, and counted */
	close(fd);
	unlink(syslog_at.sun_path);
	log_error("nobody is there");
	n = read(fds[0], line, sizeof(line));
	assert_int_equal(n, strlen("einat: nobody is there\n"));
	/* back: nothing has to be done */
	fd = syslog_open();
	log_error("again");
	assert_string_equal(syslog_line(fd), "<28>einat: warning: 1 line was not taken by syslog");
	assert_string_equal(syslog_line(fd), "<27>einat: again");
	/* restarted between two lines: none is lost */
	close(fd);
	fd = syslog_open();
	log_error("restarted");
	assert_string_equal(syslog_line(fd), "<27>einat: restarted");
	/* it does not read: nobody waits, and nothing is missing that was not counted */
	alarm(SECONDS);
	for (; said < LINES; said++)
		log_info("%s", text);
	while (*syslog_line(fd))
		seen++;
	log_info("%s", text);
	assert_int_equal(sscanf(syslog_line(fd), "<28>einat: warning: %lu lines were not taken by syslog", &lost), 1);
	assert_true(seen > 0);
	assert_int_equal(seen + lost, said);
	alarm(0);
	close(fd);
	unlink(syslog_at.sun_path);
	rmdir(directory);
	log_configure(NULL, LOG_INFO, false);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(fds[0]);
	close(fds[1]);
}

static void heard(const char *line, void *arg)
{
	snprintf(arg, 64, "%s", line);
}

static void test_level(void **state)
{
	int fds[2], kept = dup(STDERR_FILENO);
	char line[600] = "", last[64] = "";

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	log_open();
	log_configure(NULL, LOG_ERROR, false);
	log_hear(heard, last);
	log_info("no");
	log_warning("no, but it is heard");
	log_hear(NULL, NULL);
	log_warning("no");
	log_error("an error");
	log_record("a record");
	log_configure(NULL, LOG_WARNING, false);
	log_info("no");
	log_warning("yes");
	log_configure(NULL, LOG_INFO, false);
	log_info("yes");
	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	assert_string_equal(line, "einat: an error\neinat: a record\neinat: warning: yes\neinat: yes\n");
	assert_string_equal(last, "no, but it is heard");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe),   cmocka_unit_test(test_socket), cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_escape), cmocka_unit_test(test_syslog), cmocka_unit_test(test_level),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
