// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two daemons that set up the same thing would each take the other's rules for the leavings of a killed one. A locked file
 * tells them apart: the kernel unlocks it when its process ends, however that happens. It lies where nobody else can open
 * it, since whoever can read a file can lock it. Its name holds the network namespace, as rules and interfaces belong to
 * one.
 *
 *	/run/einat/4026531840.interface-wan	the holder's process id
 *	/run/einat/4026531840.control-wan	its control socket (control.h)
 */
#include "instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

enum { FILE_NAME_SIZE = 64, CLAIM_TRIES = 100 };

/* What systemd gives a service (RuntimeDirectory=), else einat in the first of the usual places that is there. */
static int directory_name(char *path, size_t size)
{
	const char *given = getenv("RUNTIME_DIRECTORY");
	size_t length = given ? strcspn(given, ":") : 0;
	struct stat status;

	if (length && (*given != '/' || length >= size)) {
		log_error("RUNTIME_DIRECTORY: not an absolute path");
		return -ENOTDIR;
	}
	if (length)
		snprintf(path, size, "%.*s", (int)length, given);
	else if (!stat("/run", &status) && S_ISDIR(status.st_mode))
		snprintf(path, size, "/run/einat");
	else
		snprintf(path, size, "/var/run/einat"); /* OpenWrt's: a link to /tmp/run */
	return 0;
}

/* A descriptor of the directory, whose name goes to path, made if it is not there, or -errno; then it has said why. */
static int directory_open(char *path, size_t size)
{
	struct stat status;
	int fd, err;

	err = directory_name(path, size);
	if (err)
		return err;
	if (mkdir(path, 0700) && errno != EEXIST) {
		err = -errno;
		log_error("make %s: %s; RUNTIME_DIRECTORY in the environment names another directory for lock files",
			  path, strerror(-err));
		return err;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status)) {
		err = -errno;
		log_error("%s: %s", path, err == -ENOTDIR || err == -ELOOP ? "not a directory" : strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	if ((status.st_uid == 0 || status.st_uid == geteuid()) && !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	log_error("%s: user %u owns it, with mode %04o: nobody else may be able to write there", path, status.st_uid,
		  status.st_mode & 07777);
	close(fd);
	return -EPERM;
}

/* By its socket, which takes no /proc; a client without NET_ADMIN has to do with that. */
int instance_namespace(unsigned long *number)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ns;
	struct stat status;

	*number = 0;
	if (fd < 0)
		return -errno;
	ns = ioctl(fd, SIOCGSKNS);
	close(fd);
	if (ns < 0 && errno == EPERM) {
		if (stat("/proc/self/ns/net", &status))
			return -EPERM;
		*number = (unsigned long)status.st_ino;
		return 0;
	}
	if (ns < 0) /* a kernel without namespaces has one */
		return errno == EOPNOTSUPP || errno == ENOTTY || errno == EINVAL ? 0 : -errno;
	if (!fstat(ns, &status))
		*number = (unsigned long)status.st_ino;
	close(ns);
	return 0;
}

/* Returns 0 or -errno; nothing is said. */
static int file_name(const char *what, char *name, size_t size)
{
	unsigned long number;
	int err = instance_namespace(&number);

	if (err)
		return err;
	snprintf(name, size, "%lu.%s", number, what);
	for (; *name; name++)
		if (*name == ' ')
			*name = '-';
	return 0;
}

static int conflict(const char *what, int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		log_error("%s: another einat is at work on it: process %ld", what, pid);
	else
		log_error("%s: another einat is at work on it", what);
	return -EADDRINUSE;
}

/*
 * Opens and locks the file; -EAGAIN: it was removed meanwhile, by a daemon that ended. -EWOULDBLOCK would be the same
 * number, so that a lock that another has is -EADDRINUSE.
 */
static int file_lock(int directory, const char *name, const char *what)
{
	struct stat opened, named;
	int fd, err;

	fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? conflict(what, fd) : -errno;
	else if (fstat(fd, &opened) || fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) ||
		 opened.st_ino != named.st_ino)
		err = -EAGAIN;
	else
		return fd;
	close(fd);
	return err;
}

int instance_claim(const char *what)
{
	int directory, fd = -EAGAIN, tries;
	char name[FILE_NAME_SIZE], path[256];
	int err;

	err = file_name(what, name, sizeof(name));
	if (err) {
		log_error("%s: claim it: ask for the network namespace: %s", what, strerror(-err));
		return err;
	}
	directory = directory_open(path, sizeof(path));
	if (directory < 0)
		return directory;
	for (tries = 0; fd == -EAGAIN && tries < CLAIM_TRIES; tries++)
		fd = file_lock(directory, name, what);
	close(directory);
	if (fd >= 0 && (ftruncate(fd, 0) || dprintf(fd, "%d\n", (int)getpid()) < 0))
		log_warning("%s: write the process id into the lock file: %s", what, strerror(errno));
	if (fd < 0 && fd != -EADDRINUSE)
		log_error("%s: lock %s/%s: %s; RUNTIME_DIRECTORY in the environment names another directory", what,
			  path, name, strerror(-fd));
	return fd;
}

void instance_release(const char *what, int fd)
{
	char name[FILE_NAME_SIZE], path[256];
	int directory;

	if (fd < 0)
		return;
	directory = file_name(what, name, sizeof(name)) ? -1 : directory_open(path, sizeof(path));
	if (directory >= 0) {
		unlinkat(directory, name, 0); /* while it is locked: it is ours */
		close(directory);
	}
	close(fd);
}

/* A lock that is tried might keep a daemon from starting at this moment: the kernel's list of locks is looked at instead. */
static bool is_locked(const struct stat *status)
{
	FILE *file = fopen("/proc/locks", "re");
	unsigned long inode;
	char line[128];
	bool is = false;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*u: FLOCK %*s %*s %*d %*x:%*x:%lu", &inode) == 1)
			is = is || inode == (unsigned long)status->st_ino;
	if (file)
		fclose(file);
	return is;
}

long instance_holder(const char *what)
{
	char directory[192], name[FILE_NAME_SIZE], path[256], text[16] = "";
	struct stat status;
	ssize_t length;
	int fd;

	if (directory_name(directory, sizeof(directory)) || file_name(what, name, sizeof(name)))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = fstat(fd, &status) || !is_locked(&status) ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	return length > 0 ? strtol(text, NULL, 10) : 0;
}

void instance_interface(char what[INSTANCE_INTERFACE], const char *ifname)
{
	snprintf(what, INSTANCE_INTERFACE, "interface %s", ifname);
}

static const char control_name[] = "control ";

int instance_socket(const char *ifname, bool is_open, char *path, size_t size)
{
	char what[FILE_NAME_SIZE], name[FILE_NAME_SIZE], place[256];
	int directory, err;

	snprintf(what, sizeof(what), "%s%s", control_name, ifname);
	err = file_name(what, name, sizeof(name));
	if (err)
		return err;
	directory = directory_open(place, sizeof(place));
	if (directory < 0)
		return directory;
	if ((size_t)snprintf(path, size, "%s/%s", place, name) >= size)
		err = -ENAMETOOLONG;
	else if (is_open && fchmod(directory, 0755)) /* the lock files in it stay ours alone */
		err = -errno;
	close(directory);
	return err;
}

int instance_sockets(int (*found)(const char *ifname, const char *path, void *arg), void *arg, char *text, size_t size)
{
	char prefix[FILE_NAME_SIZE] = " ", path[512];
	struct dirent *entry;
	int err;
	DIR *dir;

	text[0] = '\0';
	err = directory_name(text, size) ?: file_name(control_name, prefix, sizeof(prefix));
	prefix[strlen(prefix) - 1] = '-'; /* a space in the name */
	dir = err ? NULL : opendir(text);
	if (!dir)
		return err ? err : -errno;
	while (!err && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", text, entry->d_name);
		err = found(entry->d_name + strlen(prefix), path, arg);
	}
	closedir(dir);
	return err;
}

/* A control socket on which nobody listens. */
static int socket_clean(int directory, const char *name, unsigned int *removed)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), length = -1;
	char place[256];
	bool is_dead;

	if (!directory_name(place, sizeof(place)))
		length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", place, name);
	if (fd < 0 || length < 0 || length >= (int)sizeof(address.sun_path)) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	is_dead = connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno == ECONNREFUSED;
	close(fd);
	if (is_dead && !unlinkat(directory, name, 0)) {
		log_info("removed the control socket %s", name);
		++*removed;
	}
	return 0;
}

/* One lock file: nobody's is removed. */
static int file_clean(int directory, const char *name, const char *what, unsigned int *removed)
{
	int fd = openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC), err = 0;

	if (fd < 0 && errno == ENXIO)
		return socket_clean(directory, name, removed);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? conflict(what, fd) : -errno;
	} else if (!unlinkat(directory, name, 0)) {
		log_info("removed the lock file %s", name);
		++*removed;
	}
	close(fd);
	return err;
}

int instance_clean(unsigned int *removed)
{
	int directory, listed, err = 0, failed;
	char prefix[FILE_NAME_SIZE], path[256];
	struct dirent *entry;
	DIR *dir;

	err = file_name("", prefix, sizeof(prefix));
	if (err) {
		log_error("lock files: ask for the network namespace: %s", strerror(-err));
		return err;
	}
	directory = directory_open(path, sizeof(path));
	if (directory < 0)
		return directory;
	listed = dup(directory);
	dir = listed < 0 ? NULL : fdopendir(listed);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		failed = file_clean(directory, entry->d_name, entry->d_name + strlen(prefix), removed);
		err = err ?: failed;
	}
	if (dir)
		closedir(dir);
	close(directory);
	return err;
}
