// SPDX-License-Identifier: GPL-2.0-or-later
/* held: what is kept of fragments that came before their first, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "held.h"

#define SECOND 1000

/* A fragment of `length` bytes of `value`, its key beginning with `id`. */
static struct held_fragment *fragment(enum nat_direction direction, uint32_t id, uint32_t length, int value)
{
	static struct held_fragment made;

	memset(&made, 0, sizeof(made));
	made.head.direction = direction;
	made.head.length = length;
	memcpy(made.head.key, &id, sizeof(id));
	memset(made.frame, value, length < NAT_HELD_FRAME_MAX ? length : NAT_HELD_FRAME_MAX);
	return &made;
}

/* The first byte of the next frame of that key, or -1. */
static int take(struct held_store *store, enum nat_direction direction, uint32_t id)
{
	uint8_t key[NAT_HELD_KEY_MAX] = { 0 };
	struct held_entry entry;
	int value;

	memcpy(key, &id, sizeof(id));
	if (!held_take(store, direction, key, &entry))
		return -1;
	value = entry.frame[entry.length - 1];
	free(entry.frame);
	return value;
}

static void order_of_arrival(void **state)
{
	struct held_store store = { 0 };

	assert_true(held_add(&store, fragment(NAT_EGRESS, 1, 100, 10), SECOND));
	assert_true(held_add(&store, fragment(NAT_EGRESS, 2, NAT_HELD_FRAME_MAX, 20), SECOND));
	assert_true(held_add(&store, fragment(NAT_EGRESS, 1, 1, 11), SECOND));
	assert_int_equal(take(&store, NAT_EGRESS, 3), -1);
	assert_int_equal(take(&store, NAT_EGRESS, 1), 10);
	assert_int_equal(take(&store, NAT_EGRESS, 1), 11);
	assert_int_equal(take(&store, NAT_EGRESS, 1), -1);
	assert_true(held_has(&store, NAT_EGRESS));
	assert_int_equal(take(&store, NAT_EGRESS, 2), 20);
	assert_false(held_has(&store, NAT_EGRESS));
	(void)state;
}

static void directions_are_apart(void **state)
{
	struct held_store store = { 0 };

	assert_true(held_add(&store, fragment(NAT_INGRESS, 1, 100, 10), SECOND));
	assert_false(held_has(&store, NAT_EGRESS));
	assert_int_equal(take(&store, NAT_EGRESS, 1), -1);
	assert_int_equal(take(&store, NAT_INGRESS, 1), 10);
	(void)state;
}

static void what_is_refused(void **state)
{
	struct held_store store = { 0 };

	assert_false(held_add(&store, fragment(NAT_EGRESS, 1, 0, 0), SECOND));
	assert_false(held_add(&store, fragment(NAT_EGRESS, 1, NAT_HELD_FRAME_MAX + 1, 0), SECOND));
	assert_false(held_add(&store, fragment(NAT_EGRESS, 1, UINT32_MAX, 0), SECOND));
	assert_false(held_add(&store, fragment(NAT_DIRECTIONS, 1, 100, 0), SECOND));
	assert_false(held_has(&store, NAT_EGRESS));
	(void)state;
}

static void time_is_bounded(void **state)
{
	struct held_store store = { 0 };

	assert_true(held_add(&store, fragment(NAT_EGRESS, 1, 100, 10), 3 * SECOND));
	assert_true(held_add(&store, fragment(NAT_EGRESS, 2, 100, 20), 1 * SECOND));
	assert_true(held_add(&store, fragment(NAT_INGRESS, 3, 100, 30), 2 * SECOND));
	held_expire(&store, 2 * SECOND - 1);
	assert_int_equal(take(&store, NAT_EGRESS, 2), -1);
	assert_true(held_has(&store, NAT_INGRESS));
	held_expire(&store, 2 * SECOND);
	assert_false(held_has(&store, NAT_INGRESS));
	assert_int_equal(take(&store, NAT_EGRESS, 1), 10);
	(void)state;
}

/* Adds fragments of this length until they are refused; gives their number. */
static unsigned int fill(struct held_store *store, enum nat_direction direction, uint32_t length)
{
	unsigned int added = 0;

	for (uint32_t id = 0; id < 2500; id++)
		added += held_add(store, fragment(direction, id, length, 1), SECOND);
	return added;
}

static void flood_of_one_direction(void **state)
{
	struct held_store store = { 0 };

	assert_int_equal(fill(&store, NAT_INGRESS, 100), HELD_MAX);
	assert_true(held_add(&store, fragment(NAT_EGRESS, 1, 1400, 7), SECOND));
	assert_int_equal(take(&store, NAT_EGRESS, 1), 7);
	assert_int_equal(fill(&store, NAT_EGRESS, 100), HELD_MAX);
	held_expire(&store, SECOND);
	assert_int_equal(fill(&store, NAT_INGRESS, NAT_HELD_FRAME_MAX), HELD_BYTES_MAX / NAT_HELD_FRAME_MAX);
	assert_int_equal(fill(&store, NAT_EGRESS, NAT_HELD_FRAME_MAX), HELD_BYTES_MAX / NAT_HELD_FRAME_MAX);
	/* what goes makes room for as much */
	assert_int_equal(take(&store, NAT_INGRESS, 0), 1);
	assert_int_equal(fill(&store, NAT_INGRESS, NAT_HELD_FRAME_MAX), 1);
	held_clear(&store);
	assert_false(held_has(&store, NAT_EGRESS));
	assert_false(held_has(&store, NAT_INGRESS));
	assert_int_equal(fill(&store, NAT_INGRESS, 1), HELD_MAX);
	held_clear(&store);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_arrival),	  cmocka_unit_test(directions_are_apart),
		cmocka_unit_test(what_is_refused),	  cmocka_unit_test(time_is_bounded),
		cmocka_unit_test(flood_of_one_direction),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
