# SPDX-License-Identifier: GPL-2.0-or-later
# All that is known of riscv64: plain `NAME := value` lines, which make and sh both read.

# the compiler, and what Debian calls it and its kernel headers on a machine of another kind
TRIPLE := riscv64-linux-gnu
TOOLCHAIN_PACKAGES := gcc-riscv64-linux-gnu linux-libc-dev-riscv64-cross
MUSL_ARCH := riscv64
ARCH_CFLAGS :=
ARCH_LDFLAGS :=

# the machine it is tested on
DEBIAN_ARCH := riscv64
DEBIAN_SUITE := trixie
KERNEL_PACKAGE := linux-image-riscv64
QEMU := qemu-system-riscv64
QEMU_PACKAGE := qemu-system-misc
FIRMWARE := /usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin
FIRMWARE_PACKAGE := opensbi
QEMU_MACHINE := virt
QEMU_CPU := rv64
QEMU_USER := qemu-riscv64-static
CONSOLE := ttyS0
BOOT_WORDS :=
# does its kernel compile BPF programs unless told otherwise?
JIT := no
# qemu-tests/kernels finds them. make test-kernels: with all scenarios, and with the router alone
KERNELS_TEST :=
KERNELS :=
KERNELS_ALONE := 6.12 6.12+jit newest
