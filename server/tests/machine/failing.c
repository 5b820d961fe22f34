/* Stands between the server and the C library, so that a test sees what reaches the disk and can fill it.
 *
 * MACHINE_FOLDER  the folder whose files are watched
 * MACHINE_SYNCED  a file to which the path of everything that is synced is appended
 * MACHINE_FULL    while a file of this name is there, nothing can be written to the watched files
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_watched(int fd, char *path) {
    const char *folder = getenv("MACHINE_FOLDER");
    char link[64];
    ssize_t length;
    if (!folder)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, PATH_MAX);
    if (length < 0)
        return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int is_full(int fd) {
    char path[PATH_MAX + 1];
    const char *full = getenv("MACHINE_FULL");
    return full && access(full, F_OK) == 0 && is_watched(fd, path);
}

static void note(int fd) {
    char path[PATH_MAX + 2];
    const char *synced = getenv("MACHINE_SYNCED");
    int out;
    if (!synced || !is_watched(fd, path))
        return;
    strcat(path, "\n");
    out = open(synced, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (out < 0)
        return;
    syscall(SYS_write, out, path, strlen(path));
    close(out);
}

#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void *bytes, size_t n) {
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, n);
}

ssize_t writev(int fd, const struct iovec *pieces, int n) {
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_writev, fd, pieces, n);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
    if (is_full(fd)) {
        errno = ENOSPC;
        return -1;
    }
    return REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t))(fd, bytes, n, at);
}

int fsync(int fd) {
    note(fd);
    return syscall(SYS_fsync, fd);
}

int fdatasync(int fd) {
    note(fd);
    return syscall(SYS_fdatasync, fd);
}
