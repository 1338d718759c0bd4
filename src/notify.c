// SPDX-License-Identifier: GPL-2.0-or-later
/* See notify.h. One datagram each; one that nobody takes is lost, and the daemon goes on. */
#include "notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static int notify_fd = -1;
static struct sockaddr_un manager;
static socklen_t manager_length;
static bool has_watchdog;
static char last_status[256];

static bool watchdog_is_ours(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	return usec && strtoull(usec, NULL, 10) && (!pid || strtol(pid, NULL, 10) == (long)getpid());
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	last_status[0] = '\0';
	if (!length)
		return;
	if ((*path != '/' && *path != '@') || length < 2 || length >= sizeof(manager.sun_path)) {
		log_warning("NOTIFY_SOCKET: \"%s\": not an absolute path, nor @ and a name", path);
		return;
	}
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, path, length);
	if (*path == '@')
		manager.sun_path[0] = '\0';
	manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify_fd < 0)
		log_warning("NOTIFY_SOCKET: %s", strerror(errno));
	has_watchdog = watchdog_is_ours();
}

void notify_close(void)
{
	if (notify_fd >= 0)
		close(notify_fd);
	notify_fd = -1;
}

static bool notify_send(const char *text)
{
	return notify_fd >= 0 &&
	       sendto(notify_fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&manager, manager_length) >= 0;
}

void notify_ready(void)
{
	notify_send("READY=1");
}

void notify_reloading(void)
{
	struct timespec now = { 0, 0 };
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(text);
}

void notify_stopping(void)
{
	notify_send("STOPPING=1");
}

void notify_status(const char *text)
{
	char message[sizeof(last_status)];

	snprintf(message, sizeof(message), "STATUS=%s", text);
	if (strcmp(message, last_status) != 0 && notify_send(message))
		memcpy(last_status, message, sizeof(message));
}

void notify_alive(void)
{
	if (has_watchdog)
		notify_send("WATCHDOG=1");
}
