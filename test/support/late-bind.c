/* Loaded before the C library: a program's sockets are bound to an interface only after a while. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DELAY_US (300 * 1000)

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
        usleep(DELAY_US);
    }
    return (int)syscall(SYS_setsockopt, fd, level, name, value, size);
}
