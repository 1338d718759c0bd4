// SPDX-License-Identifier: GPL-2.0-or-later
/* Unpacks a BPF object for its skeleton: see skeleton.h. */
#include <stdlib.h>

#include <zlib.h>

#include "skeleton.h"

#define BARE_DEFLATE (-MAX_WBITS) /* inflateInit2()'s way to say so */

const void *skeleton_unpack(const void *packed, size_t packed_size, size_t size)
{
	static void *kept; /* libbpf copies what it needs while it opens the object, and tells nobody when */
	void *object = realloc(kept, size);
	z_stream stream = {
		.next_in = (z_const Bytef *)packed,
		.avail_in = (uInt)packed_size,
		.next_out = object,
		.avail_out = (uInt)size,
	};
	int result;

	if (!object)
		return NULL;
	kept = object;
	if (inflateInit2(&stream, BARE_DEFLATE) != Z_OK)
		return NULL;
	result = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return result == Z_STREAM_END && stream.avail_out == 0 ? object : NULL;
}
