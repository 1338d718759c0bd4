// SPDX-License-Identifier: GPL-2.0-or-later
/* See inheritance.h. */
#include "inheritance.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pins.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

enum { MAPS_MAX = 32, NAME_MAX_LENGTH = 32 };

enum kind { KIND_CORE, KIND_SOFT, KIND_OWN };

static enum kind map_kind(const struct bpf_map *map)
{
	static const char *const soft[] = { "tcp_sessions", "fragments",   "remotes",	  "hosts",
					    "counters",	    "held_egress", "held_ingress" };
	const char *name = bpf_map__name(map);
	size_t i;

	if (bpf_map__map_flags(map) & BPF_F_RDONLY_PROG || !strcmp(name, "policy") || !strcmp(name, "events"))
		return KIND_OWN;
	for (i = 0; i < sizeof(soft) / sizeof(soft[0]); i++)
		if (!strcmp(name, soft[i]))
			return KIND_SOFT;
	return KIND_CORE;
}

/* "map_slots"; "nat44_bp.bss" is "map_bss", since the file system has no dots. */
static void pin_name(char name[NAME_MAX_LENGTH], const struct bpf_map *map)
{
	const char *given = bpf_map__name(map), *dot = strrchr(given, '.');

	snprintf(name, NAME_MAX_LENGTH, "map_%s", dot ? dot + 1 : given);
}

static int map_get(const struct inheritance *from, const struct bpf_map *map)
{
	char name[NAME_MAX_LENGTH];
	int fd;

	if (from->object) {
		fd = bpf_object__find_map_fd_by_name(from->object, bpf_map__name(map));
		return fd < 0 ? fd : dup(fd);
	}
	pin_name(name, map);
	return pins_get(from->pins, name);
}

/* What is pinned may be anything, a program too: its name is elsewhere then. */
static bool map_fits(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return !bpf_map_get_info_by_fd(fd, &info, &size) && info.type == bpf_map__type(map) && info.name[0] &&
	       info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) && info.map_flags == bpf_map__map_flags(map);
}

static int layout_read(const char *pins, struct layout *layout)
{
	int fd = pins_get(pins, "map_layout"), err = 0;
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info), key = 0;

	if (fd < 0)
		return fd;
	if (bpf_map_get_info_by_fd(fd, &info, &size) || info.type != BPF_MAP_TYPE_ARRAY ||
	    info.value_size != sizeof(*layout) || info.key_size != sizeof(key) || bpf_map_lookup_elem(fd, &key, layout))
		err = -EINVAL;
	close(fd);
	return err;
}

static int layout_write(const char *pins, const struct layout *layout)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "layout", sizeof(__u32), sizeof(*layout), 1, NULL), err;
	__u32 key = 0;

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(fd, &key, layout, BPF_ANY) ?: pins_put(pins, "map_layout", fd);
	close(fd);
	return err;
}

/* NULL: they agree, but for the mark. */
static const char *layout_differs(const struct layout *a, const struct layout *b)
{
	if (a->version != b->version || a->family != b->family || a->config_at != b->config_at)
		return "it is of another version of einat";
	if (a->netns != b->netns)
		return "it is of another network namespace";
	if (a->ports != b->ports)
		return "its ports, static mappings or external addresses are others";
	return NULL;
}

struct found {
	struct bpf_map *map[MAPS_MAX];
	int fd[MAPS_MAX];
	int count;
};

/* Looks for every map. False: one of the core is not there, or another; it is the last one then. */
static bool maps_find(struct found *found, struct bpf_object *heir, const struct inheritance *from)
{
	struct bpf_map *map;
	enum kind kind;
	int fd;

	bpf_object__for_each_map(map, heir)
	{
		kind = map_kind(map);
		if (kind == KIND_OWN || found->count == MAPS_MAX)
			continue;
		fd = map_get(from, map);
		found->map[found->count] = map;
		found->fd[found->count++] = fd;
		if (fd >= 0 && map_fits(map, fd))
			continue;
		if (kind == KIND_CORE)
			return false;
		found->count--;
		if (fd >= 0)
			close(fd);
	}
	return true;
}

int inheritance_take(struct bpf_object *heir, const struct inheritance *from, struct layout *layout,
		     char why[INHERITANCE_WHY])
{
	struct found found = { .count = 0 };
	struct layout before;
	const char *differs;
	int err = 0, i;

	if (from->layout)
		before = *from->layout;
	else
		err = layout_read(from->pins, &before);
	if (from->pins) {
		if (err == -EPERM || err == -EACCES || (err == -ENOENT && access(from->pins, F_OK)))
			return -ENOENT; /* others may write there, or we may not look: not ours */
	}
	if (!err)
		layout->turn_mark = before.turn_mark;
	if (!from->pins && !from->object)
		return -ENOENT;
	differs = err ? "it is half-written" : layout_differs(layout, &before);
	if (differs) {
		snprintf(why, INHERITANCE_WHY, "%s", differs);
		return -ESTALE;
	}
	err = maps_find(&found, heir, from) ? 0 : -ESTALE;
	if (err)
		snprintf(why, INHERITANCE_WHY, "its map %s is missing or of another kind",
			 bpf_map__name(found.map[found.count - 1]));
	for (i = 0; i < found.count; i++) {
		if (!err && bpf_map__reuse_fd(found.map[i], found.fd[i])) {
			err = -ESTALE;
			snprintf(why, INHERITANCE_WHY, "its map %s: %s", bpf_map__name(found.map[i]), strerror(errno));
		}
		if (found.fd[i] >= 0)
			close(found.fd[i]);
	}
	return err;
}

static bool map_resembles(const struct bpf_map *map, int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return !bpf_map_get_info_by_fd(fd, &info, &size) && info.type == bpf_map__type(map) && info.name[0] &&
	       info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map);
}

int inheritance_open(struct bpf_object *object, const char *pins, struct layout *like)
{
	const struct inheritance from = { .pins = pins };
	struct layout before, same;
	struct bpf_map *map;
	bool is_there;
	int fd;

	if (layout_read(pins, &before))
		return -ENOENT;
	same = before;
	same.ports = like->ports;
	if (layout_differs(like, &same))
		return -ENOENT;
	bpf_object__for_each_map(map, object)
	{
		if (map_kind(map) == KIND_OWN)
			continue;
		fd = map_get(&from, map);
		is_there = fd >= 0 && map_resembles(map, fd) && !bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
		if (!is_there && map_kind(map) == KIND_CORE)
			return -ENOENT;
	}
	*like = before;
	return 0;
}

bool inheritance_has(const struct bpf_map *map)
{
	return bpf_map__fd(map) >= 0;
}

static __u32 map_id(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_map_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

static bool is_pinned(const char *pins, const char *name, int fd)
{
	int pinned = pins_get(pins, name);
	bool is_same;

	if (pinned < 0)
		return false;
	is_same = map_id(pinned) == map_id(fd);
	close(pinned);
	return is_same;
}

int inheritance_leave(const struct bpf_object *object, const char *pins, const struct layout *layout)
{
	char name[NAME_MAX_LENGTH];
	struct layout before;
	bool is_whole = !layout_read(pins, &before) && !memcmp(&before, layout, sizeof(before));
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, object)
	{
		pin_name(name, map);
		if (err || map_kind(map) == KIND_OWN || is_pinned(pins, name, bpf_map__fd(map)))
			continue;
		if (is_whole)
			err = pins_drop(pins, "map_layout");
		is_whole = false;
		err = err ?: pins_put(pins, name, bpf_map__fd(map));
	}
	return err || is_whole ? err : layout_write(pins, layout);
}

__u64 inheritance_netns(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	__u64 cookie = 0;
	socklen_t size = sizeof(cookie);

	if (fd < 0)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size))
		cookie = 0;
	close(fd);
	return cookie;
}
