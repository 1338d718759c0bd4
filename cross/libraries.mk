# SPDX-License-Identifier: GPL-2.0-or-later
# Static target libraries: one stanza each. Included once for each architecture, with A and B set.

# archive SOURCES, FLAGS: compile in a folder of its own, then put the library into the sysroot in one step
archive = $Qrm -rf $B/objects/$(@F) && mkdir -p $B/objects/$(@F) && cd $B/objects/$(@F) && \
	$(CC) -w -flto -ffat-lto-objects $(SMALL) $(ARCH_CFLAGS) $2 -c $1 && $(TRIPLE)-gcc-ar crD out.a *.o && mv out.a $(CURDIR)/$@

$B/.musl: $(SOURCES)/musl/.unpacked cross/uapi-headers
	$(call say,MUSL,$A)
	$Qrm -rf $(@D)/musl $S && mkdir -p $(@D)/musl
	$Qcd $(@D)/musl && $(UNPACKED)/musl/configure --prefix=$S --target=$(MUSL_ARCH) --disable-shared \
		--enable-wrapper=gcc CC=$(TRIPLE)-gcc AR=$(TRIPLE)-ar RANLIB=$(TRIPLE)-ranlib CFLAGS="$(SMALL) $(ARCH_CFLAGS)" $(quiet)
	$Q+$(MAKE) -C $(@D)/musl install ARCH=$(MUSL_ARCH) $(quiet)
	$Qcross/uapi-headers $(TRIPLE)-gcc $S/include && touch $@

# All headers first, so that the libraries build side by side. libbpf's linux/*.h are newer than Debian's.
$B/.headers: $B/.musl $(LIBRARIES:%=$(SOURCES)/%/.unpacked) cross/libmnl/libmnl.h
	$Qmkdir -p $S/include/bpf $S/include/libmnl
	$Qcp $(UNPACKED)/libbpf/include/uapi/linux/*.h $S/include/linux/
	$Qcp $(UNPACKED)/libbpf/src/*.h $S/include/bpf/
	$Qcp cross/libmnl/libmnl.h $S/include/libmnl/
	$Qcd $(UNPACKED) && cp zlib/zlib.h zlib/zconf.h libelf/libelf/libelf.h libelf/libelf/gelf.h cmocka/include/*.h $S/include/
	$Qtouch $@

$B/sysroot/lib/libz.a: $B/.headers cross/libraries.mk
	$(call say,ZLIB,$A)
	$(call archive,$(addprefix $(UNPACKED)/zlib/,adler32.c crc32.c compress.c deflate.c inffast.c inflate.c \
		inftrees.c trees.c uncompr.c zutil.c gzlib.c gzread.c gzclose.c),-DHAVE_UNISTD_H -DNO_GZCOMPRESS -DNO_GZIP)

$B/sysroot/lib/libelf.a: $B/.headers cross/libraries.mk cross/libelf/config.h
	$(call say,LIBELF,$A)
	$(call archive,$(UNPACKED)/libelf/libelf/*.c $(UNPACKED)/libelf/lib/eu-search.c,\
		-DHAVE_CONFIG_H -I$(CURDIR)/cross/libelf -I$(UNPACKED)/libelf/lib -I$(UNPACKED)/libelf/libelf)

$B/sysroot/lib/libbpf.a: $B/.headers cross/libraries.mk cross/libbpf-trim
	$(call say,LIBBPF,$A)
	$Qcross/libbpf-trim $(UNPACKED)/libbpf/src $S/libbpf
	$(call archive,$S/libbpf/*.c,-D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 -I$(UNPACKED)/libbpf/include)

$B/sysroot/lib/libmnl.a: $B/.headers cross/libraries.mk cross/libmnl/libmnl.c
	$(call say,LIBMNL,$A)
	$(call archive,$(CURDIR)/cross/libmnl/libmnl.c)

$B/sysroot/lib/libcmocka.a: $B/.headers cross/libraries.mk
	$(call say,CMOCKA,$A)
	$(call archive,$(UNPACKED)/cmocka/src/cmocka.c,$(CMOCKA_CFLAGS) $(CMOCKA_USER))
