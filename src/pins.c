// SPDX-License-Identifier: GPL-2.0-or-later
/* See pins.h. */
#include "pins.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "instance.h"
#include "log.h"

static const char *bpffs(void)
{
	const char *given = getenv("EINAT_BPFFS");

	return given && *given ? given : "/sys/fs/bpf";
}

/* What the file system takes: no dots. Nor a minus, so that the name can be read back. */
static void name_escape(char *to, size_t size, const char *name)
{
	size_t used = 0;

	to[0] = '\0';
	for (; *name && used + 4 < size; name++)
		used += (size_t)snprintf(to + used, size - used, strchr(".-%", *name) ? "%%%02x" : "%c",
					 (unsigned char)*name);
}

int pins_directory(char path[PINS_PATH], const char *ifname, int family)
{
	unsigned long number;
	char name[64];
	int err = instance_namespace(&number);

	if (err)
		return err;
	name_escape(name, sizeof(name), ifname);
	if (snprintf(path, PINS_PATH, "%s/einat/%lu-%s-%s", bpffs(), number, name,
		     family == AF_INET ? "ipv4" : "ipv6") >= PINS_PATH)
		return -ENAMETOOLONG;
	return 0;
}

/* Others that may write there could give us maps of their own. */
static int directory_check(const char *path)
{
	struct stat status;

	if (lstat(path, &status))
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	if ((status.st_uid == 0 || status.st_uid == geteuid()) && !(status.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return -EPERM;
}

static int directory_make(const char *path, const char *ifname)
{
	int err = mkdir(path, 0700) && errno != EEXIST ? -errno : directory_check(path);

	if (err == -EPERM)
		log_error("%s: persist: %s: others may write there, or it cannot be made", ifname, path);
	else if (err)
		log_error("%s: persist: make %s: %s", ifname, path, strerror(-err));
	return err;
}

int pins_prepare(const char *path, const char *ifname)
{
	char parent[PINS_PATH];
	struct statfs status;
	int err;

	if (statfs(bpffs(), &status) || (unsigned long)status.f_type != BPF_FS_MAGIC) {
		log_error("%s: persist: %s is no BPF file system: mount -t bpf bpf %s", ifname, bpffs(), bpffs());
		return -ENOENT;
	}
	snprintf(parent, sizeof(parent), "%s/einat", bpffs());
	err = directory_make(parent, ifname);
	return err ? err : directory_make(path, ifname);
}

int pins_path(char pin[PINS_PATH], const char *path, const char *name)
{
	return snprintf(pin, PINS_PATH, "%s/%s", path, name) < PINS_PATH ? 0 : -ENAMETOOLONG;
}

int pins_get(const char *path, const char *name)
{
	char pin[PINS_PATH];
	int err = pins_path(pin, path, name);

	err = err ?: directory_check(path);
	return err ? err : bpf_obj_get(pin);
}

int pins_drop(const char *path, const char *name)
{
	char pin[PINS_PATH];
	int err = pins_path(pin, path, name);

	if (!err && unlink(pin) && errno != ENOENT)
		err = -errno;
	return err;
}

int pins_put(const char *path, const char *name, int fd)
{
	char pin[PINS_PATH];
	int err = pins_path(pin, path, name);

	err = err ?: pins_drop(path, name);
	return err ? err : bpf_obj_pin(fd, pin);
}

static bool is_our_name(const char *name)
{
	return !strncmp(name, "map_", strlen("map_")) || !strncmp(name, "link_", strlen("link_"));
}

int pins_remove(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int count = 0, err = 0;

	if (!directory)
		/* systemd mounts it for root alone: the service's own user has none there */
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	pins_drop(path, "map_layout"); /* from here on the set is incomplete */
	while ((entry = readdir(directory))) {
		if (!is_our_name(entry->d_name))
			continue;
		if (unlinkat(dirfd(directory), entry->d_name, 0))
			err = -errno;
		else
			count++;
	}
	closedir(directory);
	if (!err && !rmdir(path)) {
		char parent[PINS_PATH];

		snprintf(parent, sizeof(parent), "%s/einat", bpffs());
		rmdir(parent); /* the last one */
	}
	return err ? err : count;
}

/* "wan" of "4026531840-wan-ipv4", if it is of this namespace. */
static bool name_unescape(char *ifname, size_t size, const char *name, unsigned long number)
{
	char prefix[32], code[3] = "";
	size_t used = 0;

	snprintf(prefix, sizeof(prefix), "%lu-", number);
	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	for (name += strlen(prefix); *name && *name != '-' && used + 1 < size; name++) {
		ifname[used] = *name;
		if (*name == '%' && name[1] && name[2]) {
			memcpy(code, name + 1, 2);
			ifname[used] = (char)strtoul(code, NULL, 16);
			name += 2;
		}
		used++;
	}
	ifname[used] = '\0';
	return *name == '-';
}

bool pins_of_others(bool (*is_ours)(const char *ifname, void *arg), void *arg)
{
	char parent[PINS_PATH], ifname[64];
	unsigned long number;
	struct dirent *entry;
	bool is_found = false;
	DIR *directory;

	if (instance_namespace(&number))
		return false;
	snprintf(parent, sizeof(parent), "%s/einat", bpffs());
	directory = opendir(parent);
	if (!directory)
		return false;
	while (!is_found && (entry = readdir(directory)))
		is_found = name_unescape(ifname, sizeof(ifname), entry->d_name, number) && !is_ours(ifname, arg);
	closedir(directory);
	return is_found;
}

int pins_remove_all(unsigned int *removed)
{
	char parent[PINS_PATH], path[PINS_PATH], ifname[64];
	unsigned long number;
	struct dirent *entry;
	DIR *directory;
	int err = instance_namespace(&number), count;

	if (err)
		return err;
	snprintf(parent, sizeof(parent), "%s/einat", bpffs());
	directory = opendir(parent);
	while (directory && (entry = readdir(directory))) {
		if (!name_unescape(ifname, sizeof(ifname), entry->d_name, number) ||
		    snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name) >= PINS_PATH)
			continue;
		count = pins_remove(path);
		if (count > 0)
			log_info("%s: removed %d pinned maps and links", ifname, count);
		else if (count < 0)
			log_error("%s: remove %s: %s", ifname, path, strerror(-count));
		*removed += count > 0 ? (unsigned int)count : 0;
		err = err ?: count < 0 ? count : 0;
	}
	if (directory)
		closedir(directory);
	return err;
}
