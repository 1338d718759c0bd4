// SPDX-License-Identifier: GPL-2.0-or-later
/* See masquerade.h. One socket for each interface, kept open: it owns the table. */
#include "masquerade.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "log.h"
#include "nft_batch.h"

enum { ANSWERS_ROOM = 262144, ANSWER_ROOM = 1024 }; /* bytes that all, and each, may take in the socket's buffer */

struct masquerade {
	struct mnl_socket *socket;
	bool exists;			       /* the table */
	const struct interface_config *config; /* done for this one, or given up */
};

/* Which message of a batch failed, and of how many a word has come. */
struct answer {
	uint32_t failed; /* sequence */
	uint32_t count;
	int err;
	bool is_lost; /* some never came: who knows what the kernel has done */
};

static int socket_open(struct mnl_socket **sock)
{
	struct timeval limit = { .tv_sec = 10 };
	int one = 1;

	*sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!*sock)
		return errno == EPROTONOSUPPORT ? -EOPNOTSUPP : -errno;
	if (mnl_socket_bind(*sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int err = -errno;

		mnl_socket_close(*sock);
		*sock = NULL;
		return err;
	}
	mnl_socket_setsockopt(*sock, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(mnl_socket_get_fd(*sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

static int answer_read(const struct nlmsghdr *message, void *data)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	struct answer *answer = data;

	if (message->nlmsg_len < mnl_nlmsg_size(sizeof(*error)))
		return MNL_CB_OK;
	answer->count++;
	if (error->error && !answer->err) {
		answer->failed = message->nlmsg_seq;
		answer->err = error->error;
	}
	return MNL_CB_OK;
}

/*
 * Every message is answered, all at once, for which there must be room; only if the batch as a whole is refused there is a
 * single answer, to its begin.
 */
static int batch_send(struct mnl_socket *sock, const struct nft_batch *batch, struct answer *answer)
{
	static mnl_cb_t control[] = { [NLMSG_ERROR] = answer_read };
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	int size = (int)batch->length * 2, room = ANSWERS_ROOM + (int)batch->messages * ANSWER_ROOM;
	ssize_t length;

	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	if (mnl_socket_sendto(sock, batch->buffer, batch->length) < 0)
		return -errno;
	while (answer->count < batch->messages && !(answer->err && !answer->failed)) {
		length = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));
		answer->is_lost = length < 0;
		if (length < 0)
			return -errno;
		mnl_cb_run2(buffer, (size_t)length, 0, 0, NULL, answer, control, sizeof(control) / sizeof(*control));
	}
	return answer->err;
}

/* The kernel's error alone says little: which message it was for says more. */
static void say_why(const char *ifname, const struct nft_batch *batch, const struct answer *answer, int err)
{
	static const char *const what = "take over the masquerade rule";
	const uint32_t failed = answer->failed;

	if (answer->is_lost)
		log_error("%s: %s: no answer from the kernel: %s", ifname, what, strerror(-err));
	else if (err == -EPERM && !failed)
		log_error("%s: %s: %s", ifname, what, strerror(-err));
	else if (!failed) {
		log_error("%s: %s: the kernel has no nftables (%s)", ifname, what, strerror(-err));
	} else if (failed < batch->chain && (err == -EINVAL || err == -EOPNOTSUPP)) {
		log_error("%s: %s: needs tables with an owner, kernel 5.12 or newer", ifname, what);
	} else if (failed >= batch->chain && (err == -ENOENT || err == -EOPNOTSUPP)) {
		log_error("%s: %s: nftables of this kernel has no NAT (nft_nat, nft_chain_nat)", ifname, what);
	} else {
		log_error("%s: %s: %s: %s", ifname, what, failed < batch->chain ? "make the table" : "make the rules",
			  strerror(-err));
	}
}

static int take_over_once(struct masquerade *masquerade, const struct interface_config *interface, bool *is_lost)
{
	struct masquerade_config config = {
		.ifname = interface->name,
		.ipv4 = interface->nat44,
		.ipv6 = interface->nat66,
		.internals = interface->internals,
		.internals_count = interface->internals_count,
		.exempt_destinations = interface->exempt_destinations,
		.exempt_destinations_count = interface->exempt_destinations_count,
	};
	struct nft_batch batch = { NULL };
	struct answer answer = { 0 };
	int err = 0, i;

	for (i = 0; i < NAT_PROTOCOLS; i++)
		config.protocols[i] = interface->ports[i].count > 0;
	if (!masquerade->socket)
		err = socket_open(&masquerade->socket);
	err = err ?: nft_batch_build(&batch, &config, masquerade->exists);
	err = err ?: batch_send(masquerade->socket, &batch, &answer);
	if (err)
		say_why(interface->name, &batch, &answer, err);
	else
		masquerade->exists = true;
	*is_lost = answer.is_lost;
	if (answer.is_lost) { /* the table goes with the socket that owns it */
		mnl_socket_close(masquerade->socket);
		masquerade->socket = NULL;
		masquerade->exists = false;
	}
	free(batch.buffer);
	return err;
}

static int take_over(struct masquerade *masquerade, const struct interface_config *interface)
{
	bool is_lost;
	int err = take_over_once(masquerade, interface, &is_lost);

	return is_lost ? take_over_once(masquerade, interface, &is_lost) : err;
}

void masquerade_follow(struct masquerade **masquerade, const struct interface_config *config, bool wanted)
{
	if (!wanted || !config->take_over_masquerade) {
		masquerade_close(*masquerade);
		*masquerade = NULL;
		return;
	}
	if (!*masquerade) {
		*masquerade = calloc(1, sizeof(**masquerade));
		if (!*masquerade) {
			log_error("%s: out of memory", config->name);
			return;
		}
	}
	if ((*masquerade)->config == config)
		return;
	(*masquerade)->config = config;
	if (!take_over(*masquerade, config))
		log_info("%s: takes over from masquerade rules; connections that they have already keep them",
			 config->name);
}

void masquerade_reconfigure(struct masquerade *masquerade)
{
	if (masquerade)
		masquerade->config = NULL;
}

void masquerade_close(struct masquerade *masquerade)
{
	if (!masquerade)
		return;
	if (masquerade->socket)
		mnl_socket_close(masquerade->socket);
	free(masquerade);
}
