# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Three VMs of one image, joined by unix sockets, so that nothing here needs a
# privilege:
#
#   +----------------------+      +-----------------------+      +----------------------------+
#   | lan                  |      | router                |      | wan                        |
#   |    192.168.1.100/24 lan----lan 192.168.1.1/24       |      | 198.51.100.1    server     |
#   |    192.168.1.200/24  |      | fd00::1/64            |      | 2001:db8:198::1            |
#   | default 192.168.1.1  |      |       203.0.113.2/24 wan----wan 203.0.113.1   gateway     |
#   |                      |      |   2001:db8:203::2/64  |      | 2001:db8:203::1            |
#   |    fd00::100/64      |      | default   203.0.113.1 |      | 198.51.100.2    server too |
#   |    fd00::200/64      |      |       2001:db8:203::1 |      | 2001:db8:198::2            |
#   | default fd00::1      |      |                       |      | 192.0.2.1       stranger   |
#   +----------------------+      |     einat -i wan      |      | 2001:db8:192::1            |
#                                 +-----------------------+      | 192.0.2.64/26   beyond     |
#                                                                | 2001:db8:192:64::/64       |
#                                                                +----------------------------+
#
# wan has no route to 192.168.1.0/24 and fd00::/64: without NAT the LAN gets no
# answer. Each VM has a console, which goes to a log, and a control port, over which the
# host runs commands in it: a FIFO each way. A VM ends itself at a time limit.
#
# With VMS=router it is alone, its cables lead nowhere. A KERNEL that ends in
# +nojit is that kernel with its BPF compiler off, in +jit with it on.
#
# Sourced by run and shell, in qemu-tests/.

# shellcheck source=qemu-tests/debian.sh
. ./debian.sh
# shellcheck source=qemu-tests/machine.sh
. ./machine.sh

VMS=${VMS:-router lan wan}
VM_MEMORY=256M
VM_LIMIT=${VM_LIMIT:-2400}
# A CPU that does nothing for 20 s may be one that a busy host does not run; one that hangs does so for a minute, too.
STALL_WORDS='rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30'

# topology_prepare ARCH KERNEL: image, kernel and folder; sets vm, the folder.
topology_prepare()
{
	machine "$1"
	KERNEL=${2%+*} kernel_words="$BOOT_WORDS $STALL_WORDS"
	# shellcheck disable=SC2034 # run hands JIT on
	case $2 in
	*+nojit) JIT=no kernel_words="$kernel_words sysctl.net.core.bpf_jit_enable=0" ;;
	*+jit)	JIT=yes kernel_words="$kernel_words sysctl.net.core.bpf_jit_enable=1" ;;
	*+*)	fail "$2: after the + comes jit or nojit" ;;
	esac
	command -v "$QEMU" >/dev/null || fail "no $QEMU here: install $QEMU_PACKAGE"
	build=$(cd .. && pwd)/build/$ARCH
	# runs side by side make and read the same files
	exec 8>"$build/lock"
	flock 8
	kernel=$(./kernels "$ARCH" "$KERNEL") || exit
	../initramfs/pack "$ARCH" || exit
	../initramfs/pack "$ARCH" "$KERNEL" || exit
	vm=$build/vm/$2
	[ "$VMS" != router ] || vm=$vm-alone
	mkdir -p "$vm"
	exec 9>"$vm/lock"
	flock -n 9 || fail "these VMs run already: $vm"
	cat "$build/router.cpio.gz" "$build/modules-$KERNEL.cpio.gz" >"$vm/initrd"
	# a file more, at the image's top
	[ -z "${EINAT_ARCHIVE-}" ] || (cd "${EINAT_ARCHIVE%/*}" && echo "${EINAT_ARCHIVE##*/}" | cpio --quiet -o -H newc) | gzip -9n >>"$vm/initrd"
	accelerator=$(accelerator_probe)
	exec 8>&-
}

# accelerator_probe: QEMU's options. /dev/kvm may be there and hang, so that a
# kernel must come up to its panic (for want of a root) to be believed.
accelerator_probe()
(
	probed=$EINAT_CACHE/kvm-$ARCH
	boot=$(cat /proc/sys/kernel/random/boot_id)
	if [ "$(uname -m)" != "$ARCH" ] || [ ! -w /dev/kvm ]; then
		echo "-accel tcg -cpu $QEMU_CPU"
		return
	fi
	if [ "$(cut -d ' ' -f 1 "$probed" 2>/dev/null)" != "$boot" ]; then
		works=no
		timeout -k 1 6 "$QEMU" -M "$QEMU_MACHINE" -accel kvm -cpu host -m 256M \
			-nodefaults -no-user-config -display none -no-reboot \
			-kernel "$kernel/vmlinuz" -append 'quiet panic=-1' 9>&- >/dev/null 2>&1 &&
			works=yes
		echo "$boot $works" >"$probed"
	fi
	case $(cat "$probed") in
	*yes)	echo "-accel kvm -cpu host" ;;
	*)	echo "-accel tcg -cpu $QEMU_CPU" ;;
	esac
)

# link ROLE NAME PEER MAC: one end of a cable, which may be plugged in first or last.
link()
{
	echo "	-netdev dgram,id=$2,local.type=unix,local.path=$1.$2,remote.type=unix,remote.path=$3.$2 \\"
	echo "	-device virtio-net-pci,netdev=$2,mac=02:00:00:00:$4,romfile= \\"
}

# vm_script ROLE CHARDEV [WORD...]: leaves the exact command in $vm/ROLE.qemu.
vm_script()
{
	role=$1 chardev=$2
	shift 2
	{
		echo '#!/bin/sh'
		echo "# $role, $ARCH, Linux $(cat "$kernel/release"). Console and sockets are in this folder."
		# shellcheck disable=SC2016 # for the script that is written
		echo 'cd "$(dirname "$0")" || exit'
		echo "rm -f $role.lan $role.wan"
		echo "exec timeout --foreground -k 5 $VM_LIMIT $QEMU -M $QEMU_MACHINE $accelerator -m $VM_MEMORY \\"
		echo "	-nodefaults -no-user-config -display none -no-reboot \\"
		case $role in
		router)	link router lan lan 01:01 && link router wan wan 02:01 ;;
		lan)	link lan lan router 01:02 ;;
		wan)	link wan wan router 02:02 ;;
		esac
		echo "	-chardev $chardev,id=console -serial chardev:console \\"
		echo "	-device virtio-serial-pci -chardev pipe,id=control,path=$role.control \\"
		echo "	-device virtserialport,chardev=control,name=control \\"
		echo "	-kernel $kernel/vmlinuz -initrd initrd \\"
		echo "	-append 'console=$CONSOLE loglevel=5 panic=-1 oops=panic role=$role $kernel_words $*'"
	} >"$vm/$role.qemu"
	chmod +x "$vm/$role.qemu"
	for way in in out; do
		[ -p "$vm/$role.control.$way" ] || mkfifo "$vm/$role.control.$way"
	done
}

# topology_start [ROLE...]: boot them in the background, and open their control
# ports as the file descriptors that scenario.sh knows: 3, 4, 5 to read from
# router, lan and wan, 6, 7, 8 to write to them. The first opening is for both
# ways, since it never blocks; a reader must not hold its own writer, or it
# would not see the VM end.
topology_start()
{
	pids=
	for role in $VMS; do
		vm_script "$role" "file,path=$role.console"
		: >"$vm/$role.console"
		rm -f "$vm/$role.lan" "$vm/$role.wan"
	done
	exec 3<>"$vm/router.control.out" 6<>"$vm/router.control.in"
	[ "$VMS" = router ] || exec 4<>"$vm/lan.control.out" 5<>"$vm/wan.control.out" \
		7<>"$vm/lan.control.in" 8<>"$vm/wan.control.in"
	for role in $VMS; do
		"$vm/$role.qemu" 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9>&- </dev/null >"$vm/$role.qemu.log" 2>&1 &
		pids="$pids $!"
	done
	for role in $VMS; do
		topology_opened "$role" || return
	done
	exec 3<"$vm/router.control.out" 6>"$vm/router.control.in"
	[ "$VMS" = router ] || exec 4<"$vm/lan.control.out" 5<"$vm/wan.control.out" \
		7>"$vm/lan.control.in" 8>"$vm/wan.control.in"
}

# topology_opened ROLE: until its QEMU has made its last socket, after its ports.
topology_opened()
{
	left=100 last=$1
	[ "$last" != router ] || last=wan
	until [ -S "$vm/$1.$last" ]; do
		left=$((left - 1))
		[ $left -gt 0 ] || { cat "$vm/$1.qemu.log"; return 1; }
		sleep 0.1
	done
}

# topology_stop: end what topology_start began.
topology_stop()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null || :
	done
	wait
	pids=
}
