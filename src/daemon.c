// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread, one epoll loop: netlink events, signals, a one-second timer and the data planes' events. Whatever happens ends
 * in the same function, daemon_follow(), which looks at the machine and makes everything as it should be now.
 */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "assignment_log.h"
#include "config_change.h"
#include "config_file.h"
#include "control.h"
#include "designated.h"
#include "designated_link.h"
#include "hairpin.h"
#include "forwards.h"
#include "instance.h"
#include "interface.h"
#include "listener_warn.h"
#include "log.h"
#include "masquerade.h"
#include "netlink.h"
#include "notify.h"
#include "pins.h"
#include "privileges.h"
#include "routing.h"

enum {
	RETRY_SECONDS_MAX = 60, /* what fails while running is tried again after 1, 2, 4 ... 60 s */
	TAKE_BACK_TRIES = 3,
	FOLLOW_TRIES = 5,
	LOOK_SECONDS = 60, /* and without any event: a route can be deleted without one */
};

enum epoll_tag {
	TAG_NETLINK,
	TAG_SIGNAL,
	TAG_TIMER,
	TAG_CONTROL,
	TAG_INTERFACES
}; /* the last plus the interface's number */

struct daemon {
	struct config *config;
	const char *file; /* it is from; NULL: none */
	int epoll_fd, signal_fd, timer_fd;
	int hairpin_claim; /* -1: none */
	struct netlink *nl;
	struct interface *interfaces;
	size_t interfaces_count;			 /* initialised so far */
	struct hairpin_items displaced[CONFIG_FAMILIES]; /* see hairpin_changes() */
	bool has_cleaned;				 /* leavings, where we want no hairpinning ourselves */
	bool is_clean[CONFIG_FAMILIES];			 /* nothing of ours is left: never to be asked for again */
	bool must_follow;				 /* at the next tick */
	int look_in, retry_seconds;			 /* seconds */
	bool is_stopping;
	bool has_failed; /* to start */
	struct control *control;
	struct control_daemon controlled;
	struct assignment_logs *assignments;
};

/* The n-th table that hairpin routes go to, of all interfaces and families; 0: none. */
static uint32_t table_wanted(const struct config *config, size_t n)
{
	const struct interface_config *interface = &config->interfaces[n / CONFIG_FAMILIES];
	const struct hairpin_config *hairpin = &interface->hairpin[n % CONFIG_FAMILIES];

	if (!interface_config_translates(interface, n % CONFIG_FAMILIES) || !hairpin->internal_ifs_count)
		return 0;
	return hairpin->table_id;
}

/* The router's own sockets on ports that are somebody else's now, from this static mapping on. */
static void forwards_warn(const struct daemon *daemon, const struct interface_config *interface, size_t first)
{
	/* our own listener comes later than the first look, and is seen as others are from then on */
	const char *own = daemon->control ? "" : daemon->config->control.metrics_listen;

	listeners_warn(daemon->nl, interface, first, own);
}

static void warning_say(const char *line)
{
	log_warning("%s", line);
}

static void warnings_print(const struct daemon *daemon)
{
	const struct config *config = daemon->config;
	enum config_family family;
	size_t i;

	for (i = 0; i < config->interfaces_count; i++)
		forwards_warn(daemon, &config->interfaces[i], 0);
	config_warnings(config, warning_say);
	for (i = 0; i < config->interfaces_count * CONFIG_FAMILIES; i++) {
		const struct interface_config *interface = &config->interfaces[i / CONFIG_FAMILIES];
		uint32_t table = table_wanted(config, i);

		family = i % CONFIG_FAMILIES;
		if (table && routing_table_is_foreign(daemon->nl, config_address_family(family), table))
			log_warning("%s: hairpin table %u has IPv%d routes of others, which what comes from inside "
				    "takes now: table_id names another",
				    interface->name, table, family == CONFIG_IPV4 ? 4 : 6);
	}
}

/* An interface that was given by its index is known by its name from here on, so that it is found again. */
static int config_resolve(struct daemon *daemon)
{
	struct interface_config *interface;
	char text[192];
	struct link link;
	size_t i;
	int err;

	for (i = 0; i < daemon->config->interfaces_count; i++) {
		interface = &daemon->config->interfaces[i];
		if (interface->name[0])
			continue;
		err = netlink_get_link(daemon->nl, "", interface->ifindex, &link);
		if (err == -ENODEV)
			log_error("--ifindex: \"%d\": no such interface", interface->ifindex);
		if (err)
			return err;
		memcpy(interface->name, link.name, sizeof(interface->name));
	}
	if (config_check(daemon->config, text, sizeof(text))) {
		log_error("%s", text);
		return -EINVAL;
	}
	warnings_print(daemon);
	return 0;
}

static int epoll_watch(struct daemon *daemon, int fd, uint32_t tag)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = tag };

	if (fd >= 0 && !epoll_ctl(daemon->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		return 0;
	log_error("set up the event loop: %s", strerror(errno));
	return -errno;
}

/*
 * No signal that can be caught ends us without cleaning up: one that means nothing to us waits for ever. Not those of a
 * fault, nor those by which a shell stops a program.
 */
static void signals_block(void)
{
	static const int others[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN };
	sigset_t signals;
	size_t i;

	memset(&signals, 0xff, sizeof(signals)); /* sigfillset() leaves out what the C library uses for threads */
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		sigdelset(&signals, others[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static int loop_open(struct daemon *daemon)
{
	struct itimerspec second = { .it_interval = { .tv_sec = 1 }, .it_value = { .tv_sec = 1 } };
	sigset_t signals;

	signals_block();
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGXCPU);
	sigaddset(&signals, SIGHUP);
	daemon->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	daemon->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	daemon->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (daemon->timer_fd >= 0)
		timerfd_settime(daemon->timer_fd, 0, &second, NULL);
	return epoll_watch(daemon, daemon->signal_fd, TAG_SIGNAL) ?:
		epoll_watch(daemon, daemon->timer_fd, TAG_TIMER) ?:
		epoll_watch(daemon, netlink_event_fd(daemon->nl), TAG_NETLINK);
}

/* The rules, routes and neighbours of one family that the interfaces want now; if `off`, what outlives us does. */
static int hairpin_follow_family(struct daemon *daemon, enum config_family family, bool off)
{
	struct hairpin_items wanted = { NULL, 0 };
	struct hairpin_external *externals = NULL;
	size_t i, count = 0;
	int err;

	if (daemon->interfaces_count) {
		externals = calloc(daemon->interfaces_count * NAT_EXTERNALS_MAX, sizeof(*externals));
		if (!externals) {
			log_error("hairpin: out of memory");
			return -ENOMEM;
		}
	}
	for (i = 0; i < daemon->interfaces_count; i++)
		if (!off || interface_stays(&daemon->interfaces[i], family, daemon->has_failed))
			count += interface_describe(&daemon->interfaces[i], family, &externals[count]);
	err = family == CONFIG_IPV4 ? designated_plan(&wanted, externals, count) : 0;
	err = err ?: hairpin_plan(&wanted, family, daemon->config->local_rule_pref[family], externals, count);
	if (err)
		log_error("hairpin: out of memory");
	err = err ?: routing_reconcile(daemon->nl, config_address_family(family), &wanted, &daemon->displaced[family]);
	hairpin_items_free(&wanted);
	free(externals);
	return err;
}

static const char hairpin_claim_name[] = "hairpin routing";

/*
 * There is one owner of hairpin routing in a network namespace, since what is ours there is told from what others made, but
 * not from what another einat made.
 */
static bool hairpin_is_wanted(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->interfaces_count * CONFIG_FAMILIES; i++)
		if (table_wanted(config, i) ||
		    interface_config_designates(&config->interfaces[i / CONFIG_FAMILIES], i % CONFIG_FAMILIES))
			return true;
	return false;
}

static int hairpin_claim(struct daemon *daemon, const struct config *config)
{
	if (daemon->hairpin_claim >= 0 || !hairpin_is_wanted(config))
		return 0;
	daemon->hairpin_claim = instance_claim(hairpin_claim_name);
	if (daemon->hairpin_claim < 0)
		return daemon->hairpin_claim;
	memset(daemon->is_clean, 0, sizeof(daemon->is_clean));
	return 0;
}

static void hairpin_release(struct daemon *daemon)
{
	instance_release(hairpin_claim_name, daemon->hairpin_claim);
	daemon->hairpin_claim = -1;
}

/* The same of the links of designated servers. */
static int designated_follow(struct daemon *daemon, bool off)
{
	char(*names)[IFNAMSIZ] = calloc(daemon->interfaces_count + 1, sizeof(*names));
	const struct interface *interface;
	size_t i, count = 0;
	int err;

	if (!names) {
		log_error("out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < daemon->interfaces_count; i++) {
		interface = &daemon->interfaces[i];
		if (interface_config_designates(interface->config, CONFIG_IPV4) &&
		    interface_has_external(interface, CONFIG_IPV4) &&
		    (!off || interface_stays(interface, CONFIG_IPV4, daemon->has_failed)))
			memcpy(names[count++], interface->config->designated.name, sizeof(*names));
	}
	err = designated_links_follow(daemon->nl, (const char(*)[IFNAMSIZ])names, count, NULL);
	free(names);
	return err;
}

static bool is_our_name(const char *ifname, void *arg)
{
	const struct daemon *daemon = arg;
	size_t i;

	for (i = 0; i < daemon->interfaces_count; i++)
		if (!strcmp(daemon->config->interfaces[i].name, ifname))
			return true;
	return false;
}

/*
 * Without hairpinning of our own, what there is may be a killed daemon's leavings; but what another one has set up is left to
 * it, and so it is after that one has ended and persists.
 */
static bool hairpin_is_others(struct daemon *daemon)
{
	return daemon->hairpin_claim < 0 &&
	       (daemon->has_cleaned || instance_holder(hairpin_claim_name) || pins_of_others(is_our_name, daemon));
}

/* A family that is not translated is looked at once: for what a killed daemon has left. */
static int hairpin_follow(struct daemon *daemon, bool off)
{
	enum config_family family;
	int err = 0, failed;
	size_t i;

	if (hairpin_is_others(daemon))
		return 0;
	err = off ? 0 : designated_follow(daemon, false);
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		if (daemon->is_clean[family])
			continue;
		failed = hairpin_follow_family(daemon, family, off);
		err = err ?: failed;
		daemon->is_clean[family] = !failed;
		for (i = 0; i < daemon->interfaces_count; i++)
			if (interface_config_translates(&daemon->config->interfaces[i], family))
				daemon->is_clean[family] = false;
	}
	if (off) {
		failed = designated_follow(daemon, true);
		err = err ?: failed;
	}
	if (!err && !hairpin_is_wanted(daemon->config)) {
		hairpin_release(daemon);
		daemon->has_cleaned = true;
	}
	return err;
}

/* For the service manager, if there is one. */
static void daemon_describe(const struct daemon *daemon)
{
	char text[256] = "";
	size_t i, used;

	for (i = 0; i < daemon->interfaces_count; i++) {
		used = strlen(text);
		snprintf(text + used, sizeof(text) - used, "%s", used ? "; " : "");
		used = strlen(text);
		interface_status(&daemon->interfaces[i], text + used, sizeof(text) - used);
	}
	notify_status(text);
}

static const char failed_status[] = "failed, and tried again from time to time: see the log";

static int daemon_pass(struct daemon *daemon)
{
	int err = 0, failed;
	size_t i;

	for (i = 0; i < daemon->interfaces_count; i++) {
		notify_alive(); /* each may take seconds, and a client waits for longer than a watchdog */
		failed = interface_update(&daemon->interfaces[i], daemon->nl);
		err = err ?: failed;
		masquerade_follow(&daemon->interfaces[i].masquerade, daemon->interfaces[i].config,
				  interface_is_attached(&daemon->interfaces[i]));
	}
	failed = hairpin_follow(daemon, false);
	err = err ?: failed;
	for (i = 0; i < daemon->interfaces_count && !err; i++)
		interface_announce(&daemon->interfaces[i]);
	if (err)
		notify_status(failed_status);
	else
		daemon_describe(daemon);
	return err;
}

/*
 * Looks at everything, and makes it as it should be. Returns the first failure, after having tried the rest. An interface
 * that has gone while it was looked at is one to wait for: it is no failure, if it is not there at another look.
 */
static int daemon_follow(struct daemon *daemon)
{
	int err, tries = 0;

	do
		err = daemon_pass(daemon);
	while (err == -ENODEV && ++tries < FOLLOW_TRIES);
	return err;
}

/* All of it, before the first thing is changed. Returns the first failure. */
static int daemon_load(struct daemon *daemon)
{
	int err = 0, failed;
	size_t i;

	for (i = 0; i < daemon->interfaces_count; i++) {
		failed = interface_load(&daemon->interfaces[i], daemon->nl);
		if (failed != -ENODEV)
			err = err ?: failed;
	}
	if (err)
		notify_status(failed_status);
	return err;
}

/* The same while running, where a failure is no reason to leave: it is tried again later. */
static void daemon_follow_on(struct daemon *daemon)
{
	daemon->must_follow = false;
	daemon->controlled.is_failing = daemon_follow(daemon);
	if (!daemon->controlled.is_failing) {
		daemon->look_in = LOOK_SECONDS;
		daemon->retry_seconds = 1;
		return;
	}
	daemon->look_in = daemon->retry_seconds;
	daemon->retry_seconds *= 2;
	if (daemon->retry_seconds > RETRY_SECONDS_MAX)
		daemon->retry_seconds = RETRY_SECONDS_MAX;
}

static bool is_our_link(int ifindex, const char *name, void *arg)
{
	const struct daemon *daemon = arg;
	const struct interface *interface;

	for (interface = daemon->interfaces; interface < daemon->interfaces + daemon->interfaces_count; interface++)
		if ((interface->is_present && interface->link.ifindex == ifindex) ||
		    (name &&
		     (!strcmp(interface->config->name, name) || !strcmp(interface->config->designated.name, name))) ||
		    (ifindex && interface->designated_ifindex == ifindex))
			return true;
	return false;
}

static void netlink_handle(struct daemon *daemon)
{
	unsigned int changes = netlink_read_events(daemon->nl, is_our_link, daemon);

	if (changes & NETLINK_LINKS_CHANGED)
		daemon_follow_on(daemon);
	/* Ours cause these too. At the next tick, lest two programs that disagree keep each other busy. */
	else if (changes & NETLINK_RULES_CHANGED)
		daemon->must_follow = true;
}

static void assignments_follow(struct daemon *daemon)
{
	assignment_logs_follow(&daemon->assignments, &daemon->config->log, daemon->interfaces,
			       daemon->interfaces_count);
}

static void timer_handle(struct daemon *daemon)
{
	uint64_t ticks;
	size_t i;

	if (read(daemon->timer_fd, &ticks, sizeof(ticks)) != sizeof(ticks))
		return;
	notify_alive();
	for (i = 0; i < daemon->interfaces_count; i++)
		interface_sweep(&daemon->interfaces[i]);
	assignments_follow(daemon);
	if (daemon->must_follow || --daemon->look_in <= 0)
		daemon_follow_on(daemon);
	if (daemon->control)
		control_tick(daemon->control);
}

/* `both`: until it has started, whoever starts it by hand is to see why it does not. */
static void log_follow(const struct log_config *config, bool both)
{
	log_configure(config->to_syslog ? config->socket : NULL, (enum log_level)config->level, both);
}

/* Puts another configuration in the place of the present one, and that into *config. The interfaces are the same. */
static void config_swap(struct daemon *daemon, struct config *config)
{
	struct config before = *daemon->config;
	size_t i;

	*daemon->config = *config;
	*config = before;
	log_follow(&daemon->config->log, false);
	for (i = 0; i < daemon->interfaces_count; i++) {
		interface_reconfigure(&daemon->interfaces[i], &daemon->config->interfaces[i]);
		masquerade_reconfigure(daemon->interfaces[i].masquerade);
	}
}

/* What was added at run time stays, as far as the file that is read again lets it. The interfaces are the same. */
static int config_keep_added(const struct daemon *daemon, struct config *config)
{
	size_t i;
	int err = 0;

	for (i = 0; i < config->interfaces_count && !err; i++)
		err = forwards_keep(&config->interfaces[i], &daemon->config->interfaces[i], daemon->file, warning_say);
	return err;
}

/* Returns 0, or -errno, and why in text: then everything is as before. */
static int config_take(struct daemon *daemon, struct config *config, char *text, size_t size)
{
	char key[96];
	int err;

	err = config_change_check(daemon->config, config, key, sizeof(key));
	if (err) {
		snprintf(text, size, "%s: has changed: needs a restart", key);
		return err;
	}
	err = config_check(config, text, size);
	if (err)
		return err;
	/* What is no longer wanted is let go once it has been taken back: hairpin_follow(). */
	err = hairpin_claim(daemon, config);
	if (err) {
		snprintf(text, size, "hairpin routing is not to be had");
		return err;
	}
	err = config_keep_added(daemon, config);
	if (err) {
		snprintf(text, size, "out of memory");
		return err;
	}
	config_swap(daemon, config);
	return 0;
}

/* A file that cannot be taken whole is not taken at all. Returns 0 or -errno, and in text why: that has been said, too. */
static int config_reread(struct daemon *daemon, char *text, size_t size)
{
	struct config config;
	size_t i;
	int err;

	if (!daemon->file) {
		snprintf(text, size, "there is no configuration file to read again");
		log_info("SIGHUP: %s", text);
		return -ENOENT;
	}
	err = config_file_load(&config, daemon->file, text, size);
	err = err ?: config_take(daemon, &config, text, size);
	config_free(&config); /* the one before, or the one that is refused */
	if (err) {
		log_error("%s", text);
		log_error("SIGHUP: %s is refused, what was in force stays", daemon->file);
		return err;
	}
	for (i = 0; i < daemon->config->notes_count; i++)
		log_info("%s", daemon->config->notes[i]);
	warnings_print(daemon);
	log_info("SIGHUP: %s is in force", daemon->file);
	daemon_follow_on(daemon);
	if (!daemon->controlled.is_failing)
		return 0;
	snprintf(text, size, "%s is in force, but this has failed, and is tried again: %s", daemon->file,
		 log_last_error());
	return -EIO;
}

/* At SIGHUP, or when a client asks for it. */
static int config_reload(void *arg, char *text, size_t size)
{
	int err;

	notify_reloading();
	err = config_reread(arg, text, size);
	notify_ready();
	return err;
}

/*
 * Another list of static mappings for an interface: it serves, or, where that cannot be, the one before does. *forwards is
 * freed. Returns 0 or -errno, and then it has said why.
 */
static int forwards_take(struct daemon *daemon, size_t number, enum config_family family, struct forwards *forwards)
{
	struct interface_config *config = &daemon->config->interfaces[number];
	struct interface *interface = &daemon->interfaces[number];
	const struct plane before = interface->planes[family];
	const bool was_failing = daemon->controlled.is_failing;
	bool is_in_force;

	forwards_swap(config, forwards);
	interface_change_forwards(interface, family);
	interface_update(interface, daemon->nl);
	is_in_force = interface_has_forwards(interface, family);
	if (is_in_force)
		daemon_follow_on(daemon); /* hairpin routing has to do with them, too */
	if (is_in_force && (was_failing || !daemon->controlled.is_failing)) {
		free(forwards->list);
		return 0;
	}
	forwards_swap(config, forwards);
	free(forwards->list);
	if (is_in_force) {
		interface_change_forwards(interface, family);
		daemon_follow_on(daemon);
	} else {
		interface->planes[family].is_checked = before.is_checked;
		interface->planes[family].is_stale = before.is_stale;
	}
	return -EIO;
}

/* Which interface is meant? -1, and why in text. */
static int interface_choose(const struct daemon *daemon, const char *name, char *text, size_t size)
{
	size_t i, used;

	for (i = 0; i < daemon->interfaces_count; i++)
		if (!strcmp(daemon->interfaces[i].config->name, name))
			return (int)i;
	if (daemon->interfaces_count == 1)
		return 0;
	snprintf(text, size, "there are several interfaces: choose one by -i:");
	for (i = 0; i < daemon->interfaces_count; i++) {
		used = strlen(text);
		snprintf(text + used, size - used, "%s %s", i ? "," : "", daemon->interfaces[i].config->name);
	}
	return -1;
}

/* When a client asks for it. */
static int forward_change(void *arg, const struct control_request *request, char *text, size_t size)
{
	const bool is_added = request->command == CONTROL_FORWARD_ADD;
	const struct forward *forward = &request->forward;
	struct daemon *daemon = arg;
	struct interface_config *config;
	struct forwards forwards = { NULL, 0 };
	char words[FORWARD_TEXT];
	int number = interface_choose(daemon, request->ifname, text, size), err;

	if (number < 0)
		return -EINVAL;
	config = &daemon->config->interfaces[number];
	forward_format(forward, words, sizeof(words));
	err = (is_added ? forwards_with : forwards_without)(config, forward, daemon->file, &forwards, text, size);
	if (err)
		return err;
	err = forwards_take(daemon, (size_t)number, forward->family == AF_INET ? CONFIG_IPV4 : CONFIG_IPV6, &forwards);
	if (err) {
		snprintf(text, size, "%s: the static mappings are as before: %s", words, log_last_error());
		return err;
	}
	log_info("%s: forward %s: %s", config->name, words, is_added ? "added" : "ended");
	if (is_added)
		forwards_warn(daemon, config, config->forwards_count - 1);
	return 0;
}

/* They do not outlive us: the next one, which does not know them, would find maps that are not as its own, and copy them. */
static void forwards_end(struct daemon *daemon)
{
	struct interface_config *config;
	struct forwards forwards;
	enum config_family family;
	bool has_any = false;
	size_t i, n;

	for (i = 0; i < daemon->interfaces_count; i++) {
		config = &daemon->config->interfaces[i];
		for (n = 0; n < config->forwards_count && config->persist; n++) {
			if (!config->forwards[n].is_added)
				continue;
			family = config->forwards[n].family == AF_INET ? CONFIG_IPV4 : CONFIG_IPV6;
			interface_change_forwards(&daemon->interfaces[i], family);
			has_any = true;
		}
		if (!config->persist || forwards_configured(config, &forwards))
			continue;
		forwards_swap(config, &forwards);
		free(forwards.list);
	}
	if (has_any)
		daemon_follow(daemon);
}

static void signal_handle(struct daemon *daemon)
{
	struct signalfd_siginfo info;
	char text[512];

	if (read(daemon->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		daemon->is_stopping = true;
		return;
	}
	config_reload(daemon, text, sizeof(text));
}

static void daemon_loop(struct daemon *daemon)
{
	struct epoll_event event;

	daemon->look_in = LOOK_SECONDS;
	daemon->retry_seconds = 1;
	while (!daemon->is_stopping) {
		if (epoll_wait(daemon->epoll_fd, &event, 1, -1) != 1)
			continue;
		if (event.data.u32 == TAG_NETLINK)
			netlink_handle(daemon);
		else if (event.data.u32 == TAG_SIGNAL)
			signal_handle(daemon);
		else if (event.data.u32 == TAG_TIMER)
			timer_handle(daemon);
		else if (event.data.u32 == TAG_CONTROL)
			control_serve(daemon->control);
		else
			interface_serve(&daemon->interfaces[event.data.u32 - TAG_INTERFACES]);
	}
}

static int interfaces_open(struct daemon *daemon)
{
	size_t i, count = daemon->config->interfaces_count;
	int err = 0;

	daemon->interfaces = calloc(count, sizeof(*daemon->interfaces));
	if (!daemon->interfaces) {
		log_error("out of memory");
		return -ENOMEM;
	}
	for (i = 0; i < count && !err; i++) {
		err = interface_init(&daemon->interfaces[i], &daemon->config->interfaces[i], daemon->epoll_fd,
				     TAG_INTERFACES + (uint32_t)i);
		daemon->interfaces_count++;
	}
	return err ? err : hairpin_claim(daemon, daemon->config);
}

/* Without it there is a NAT all the same. */
static void control_begin(struct daemon *daemon)
{
	daemon->controlled = (struct control_daemon){
		.interfaces = daemon->interfaces,
		.interfaces_count = daemon->interfaces_count,
		.file = daemon->file,
		.reload = config_reload,
		.forward = forward_change,
		.arg = daemon,
	};
	daemon->control = control_open(&daemon->controlled, &daemon->config->control);
	if (!daemon->control || epoll_watch(daemon, control_fd(daemon->control), TAG_CONTROL))
		log_warning("there is no control socket");
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Takes everything back, last first, but what is to outlive us. */
static void daemon_close(struct daemon *daemon, bool has_changed)
{
	int tries = 0;
	size_t i;

	control_close(daemon->control);
	/* Whatever kept it from working may be over, and nobody will come after us. */
	while (has_changed && hairpin_follow(daemon, true) && ++tries < TAKE_BACK_TRIES)
		;
	for (i = daemon->interfaces_count; i > 0; i--) {
		masquerade_close(daemon->interfaces[i - 1].masquerade);
		interface_close(&daemon->interfaces[i - 1], daemon->has_failed);
	}
	hairpin_release(daemon);
	free(daemon->interfaces);
	for (i = 0; i < CONFIG_FAMILIES; i++)
		hairpin_items_free(&daemon->displaced[i]);
	netlink_close(daemon->nl);
	fd_close(daemon->timer_fd);
	fd_close(daemon->signal_fd);
	fd_close(daemon->epoll_fd);
}

int daemon_run(struct config *config, const char *file)
{
	struct daemon daemon = {
		.config = config,
		.file = file,
		.hairpin_claim = -1,
		.epoll_fd = -1,
		.signal_fd = -1,
		.timer_fd = -1,
	};
	bool has_changed = false;
	int err;

	notify_open();
	log_follow(&config->log, true);
	err = privileges_check();
	err = err ?: netlink_open(&daemon.nl);
	err = err ?: config_resolve(&daemon);
	err = err ?: loop_open(&daemon);
	err = err ?: interfaces_open(&daemon);
	if (!err) {
		err = daemon_load(&daemon);
		has_changed = !err; /* until then nothing: what an earlier one has left at work needs its routing */
		err = err ?: daemon_follow(&daemon);
	}
	if (!err) {
		control_begin(&daemon);
		privileges_drop();
		notify_ready();
		log_follow(&config->log, false);
		assignments_follow(&daemon);
		daemon_loop(&daemon);
		notify_stopping();
		assignments_follow(&daemon);
		assignment_logs_close(&daemon.assignments);
		forwards_end(&daemon);
	}
	daemon.has_failed = err;
	daemon_close(&daemon, has_changed);
	notify_close();
	if (!err)
		return 0;
	return err == -EINVAL ? 2 : 1;
}
