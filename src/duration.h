/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as users write them: "2s", "1.5h", "120" (seconds). */
#ifndef DURATION_H
#define DURATION_H

#include <stddef.h>
#include <stdint.h>

enum { DURATION_WEEKS_MAX = 52 }; /* the data plane's clock wraps after twice as long */

/*
 * A decimal number, then ns, us (or with the micro sign), ms, s, m, h, d, w, or nothing for seconds. *ms is rounded up.
 * Returns 0, or -EINVAL and *why as a constant text.
 */
int duration_parse(const char *text, uint64_t *ms, const char **why);

/* "120s", or "1500ms" where there is a fraction. */
void duration_format(uint64_t ms, char *text, size_t size);

#endif
