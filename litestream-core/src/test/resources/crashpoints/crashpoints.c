/*
 * Counts the calls of a process that change files, and interferes with one of them. Loaded with LD_PRELOAD by CrashPoints.java.
 *
 *   CRASHPOINTS_PREFIX   files whose path begins with this count, except *.log; several are separated by ':'
 *   CRASHPOINTS_AT       number of the call, from 1; 0 only counts
 *   CRASHPOINTS_EFFECT   how much of that call takes place: none, half (only writes are counted), full
 *   CRASHPOINTS_OUTCOME  what follows: kill, eio, enospc (only calls that need space are counted), success
 *   CRASHPOINTS_LOG      receives one line per counted call: number, operation, path, length; "hit" after the one of CRASHPOINTS_AT
 *   CRASHPOINTS_DATASYNC if set, fsync of these files is fdatasync, as builds of SQLite with HAVE_FDATASYNC do
 *   CRASHPOINTS_COPY     instead: copies this folder, without -shm files, before each call and in the middle of each write, ...
 *   CRASHPOINTS_COPIES   ... to <this folder>/<number>.none and <number>.half: what a kill at that point leaves behind
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum { NONE, HALF, FULL } effect_t;
typedef enum { SUCCESS, KILL, EIO_ONCE, ENOSPC_ONCE } outcome_t;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *prefixes, *copy_from, *copies;
static long at, count;
static effect_t effect;
static outcome_t outcome;
static int log_fd = -1;
static int in_copy; /* the process that copies is left alone */


__attribute__((constructor)) static void begin(void) {
  const char *value;
  prefixes = getenv("CRASHPOINTS_PREFIX");
  copy_from = getenv("CRASHPOINTS_COPY");
  copies = getenv("CRASHPOINTS_COPIES");
  at = (value = getenv("CRASHPOINTS_AT")) ? atol(value) : 0;
  value = getenv("CRASHPOINTS_EFFECT");
  effect = !value || !strcmp(value, "none") ? NONE : !strcmp(value, "half") ? HALF : FULL;
  value = getenv("CRASHPOINTS_OUTCOME");
  outcome = !value || !strcmp(value, "success") ? SUCCESS
      : !strcmp(value, "kill") ? KILL
      : !strcmp(value, "eio") ? EIO_ONCE : ENOSPC_ONCE;
  value = getenv("CRASHPOINTS_LOG");
  if (value) log_fd = open(value, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
}

static int counts(const char *path) {
  const char *from = prefixes;
  size_t length = strlen(path);
  if (length > 4 && !strcmp(path + length - 4, ".log")) return 0;
  while (from && *from) {
    size_t prefix = strcspn(from, ":");
    if (prefix && !strncmp(path, from, prefix)) return 1;
    from += prefix + (from[prefix] == ':');
  }
  return 0;
}

static int path_of_fd(int fd, char *path) {
  char link[64];
  ssize_t length;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink(link, path, PATH_MAX - 1);
  path[length > 0 ? length : 0] = 0;
  return length > 0;
}

static void path_at(int fd, const char *name, char *path) {
  char folder[PATH_MAX];
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
  } else {
    if (fd == AT_FDCWD) {
      if (!getcwd(folder, sizeof folder)) folder[0] = 0;
    } else {
      path_of_fd(fd, folder);
    }
    snprintf(path, PATH_MAX, "%.2000s/%.2000s", folder, name);
  }
}

static void note(const char *operation, const char *path, long length) {
  char line[PATH_MAX + 100];
  if (log_fd >= 0) {
    int size = snprintf(line, sizeof line, "%ld %s %s %ld\n", count, operation, path, length);
    syscall(SYS_write, log_fd, line, (size_t)size);
  }
}

static void copy_file(const char *from, const char *to) {
  char block[65536];
  ssize_t size;
  int in = open(from, O_RDONLY), out = open(to, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  while (in >= 0 && out >= 0 && (size = read(in, block, sizeof block)) > 0) {
    if (syscall(SYS_write, out, block, (size_t)size) != size) _exit(1);
  }
  struct stat status;
  if (in >= 0 && out >= 0 && !fstat(in, &status)) {
    struct timespec times[2] = {status.st_atim, status.st_mtim};
    futimens(out, times);
  }
  close(in);
  close(out);
}

static void copy_tree(const char *from, const char *to) {
  DIR *folder = opendir(from);
  struct dirent *entry;
  mkdir(to, 0755);
  while (folder && (entry = readdir(folder))) {
    char source[PATH_MAX], target[PATH_MAX];
    size_t length = strlen(entry->d_name);
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")
        || (length > 4 && !strcmp(entry->d_name + length - 4, "-shm"))) continue;
    snprintf(source, sizeof source, "%.2000s/%.2000s", from, entry->d_name);
    snprintf(target, sizeof target, "%.2000s/%.2000s", to, entry->d_name);
    if (entry->d_type == DT_DIR) copy_tree(source, target);
    else copy_file(source, target);
  }
  if (folder) closedir(folder);
}

/* In a process of its own: closing the copied files here would drop SQLite's locks. */
static void copy(const char *when) {
  pid_t child = fork();
  if (!child) {
    char target[PATH_MAX];
    in_copy = 1;
    snprintf(target, sizeof target, "%s/%05ld.%s", copies, count, when);
    copy_tree(copy_from, target);
    _exit(0);
  }
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
}

/* What shall become of a call. */
typedef struct { effect_t effect; outcome_t outcome; int locked; } plan_t;

static plan_t plan(const char *operation, const char *path, long length, int is_write, int needs_space) {
  plan_t result = {FULL, SUCCESS, 0};
  if (in_copy || !counts(path)) return result;
  if ((effect == HALF && !is_write) || (outcome == ENOSPC_ONCE && !needs_space)) {
    if (at) return result;
  }
  pthread_mutex_lock(&mutex);
  count++;
  note(operation, path, length);
  if (copies) {
    copy("none");
    result.locked = 1;
    if (is_write && length > 1) result.effect = HALF;
  } else if (count == at) {
    if (log_fd >= 0) syscall(SYS_write, log_fd, "hit\n", 4UL);
    result.locked = 1;
    result.effect = effect;
    result.outcome = outcome;
  } else {
    pthread_mutex_unlock(&mutex);
  }
  return result;
}

/* The call's result once it took place as far as planned. */
static long end(plan_t plan, long done, long wanted) {
  int error = errno;
  if (plan.outcome == KILL) kill(getpid(), SIGKILL);
  if (plan.locked) pthread_mutex_unlock(&mutex);
  errno = error;
  if (plan.outcome == EIO_ONCE || plan.outcome == ENOSPC_ONCE) {
    errno = plan.outcome == EIO_ONCE ? EIO : ENOSPC;
    return -1;
  }
  return plan.effect == FULL ? done : wanted;
}

typedef ssize_t (*writer_t)(int, const void *, size_t, off64_t);

static ssize_t plain_write(int fd, const void *data, size_t size, off64_t offset) {
  (void)offset;
  return syscall(SYS_write, fd, data, size);
}

static ssize_t positioned_write(int fd, const void *data, size_t size, off64_t offset) {
  return syscall(SYS_pwrite64, fd, data, size, offset);
}

static ssize_t interfere(const char *name, writer_t writer, int fd, const void *data, size_t size, off64_t offset) {
  char path[PATH_MAX];
  if (in_copy || !prefixes || !path_of_fd(fd, path)) return writer(fd, data, size, offset);
  plan_t decided = plan(name, path, (long)size, 1, 1);
  ssize_t done = 0;
  size_t half = size / 2;
  if (decided.effect == FULL) {
    done = writer(fd, data, size, offset);
  } else if (decided.effect == HALF) {
    done = half ? writer(fd, data, half, offset) : 0;
    if (copies && done >= 0) {
      copy("half");
      ssize_t rest = writer(fd, (const char *)data + done, size - (size_t)done, offset + done);
      done = rest < 0 ? rest : done + rest;
      decided.effect = FULL;
    }
  }
  return end(decided, done, (long)size);
}

ssize_t write(int fd, const void *data, size_t size) { return interfere("write", plain_write, fd, data, size, 0); }

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
  return interfere("pwrite", positioned_write, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) {
  return interfere("pwrite", positioned_write, fd, data, size, offset);
}

static ssize_t gathered(int fd, const struct iovec *parts, int number, int positioned, off64_t offset) {
  size_t size = 0, filled = 0;
  for (int i = 0; i < number; i++) size += parts[i].iov_len;
  char *data = malloc(size ? size : 1);
  for (int i = 0; i < number; i++) {
    memcpy(data + filled, parts[i].iov_base, parts[i].iov_len);
    filled += parts[i].iov_len;
  }
  ssize_t done = interfere("writev", positioned ? positioned_write : plain_write, fd, data, size, offset);
  int error = errno;
  free(data);
  errno = error;
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int number) { return gathered(fd, parts, number, 0, 0); }

ssize_t pwritev(int fd, const struct iovec *parts, int number, off_t offset) {
  return gathered(fd, parts, number, 1, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int number, off64_t offset) {
  return gathered(fd, parts, number, 1, offset);
}

/* Callers fall back to reading and writing. */
ssize_t sendfile(int out, int in, off_t *offset, size_t size) {
  char path[PATH_MAX];
  if (prefixes && path_of_fd(out, path) && counts(path)) {
    errno = EINVAL;
    return -1;
  }
  return syscall(SYS_sendfile, out, in, offset, size);
}

ssize_t sendfile64(int out, int in, off64_t *offset, size_t size) { return sendfile(out, in, offset, size); }

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
  (void)in, (void)from, (void)out, (void)to, (void)size, (void)flags;
  errno = ENOSYS;
  return -1;
}

#define ON_FILE(name, path, length, needs_space, call) \
  plan_t decided = plan(name, path, length, 0, needs_space); \
  long done = decided.effect == FULL ? (call) : 0; \
  return (int)end(decided, done, 0)

#define ON_FD(name, type, arguments, length, needs_space, call) \
  type name arguments { \
    char path[PATH_MAX]; \
    if (in_copy || !prefixes || !path_of_fd(fd, path)) return (type)(call); \
    ON_FILE(#name, path, length, needs_space, call); \
  }

ON_FD(fsync, int, (int fd), 0, 0, syscall(getenv("CRASHPOINTS_DATASYNC") ? SYS_fdatasync : SYS_fsync, fd))
ON_FD(fdatasync, int, (int fd), 0, 0, syscall(SYS_fdatasync, fd))
ON_FD(ftruncate, int, (int fd, off_t length), (long)length, 1, syscall(SYS_ftruncate, fd, length))
ON_FD(ftruncate64, int, (int fd, off64_t length), (long)length, 1, syscall(SYS_ftruncate, fd, length))

static int renamed(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
  char path[PATH_MAX];
  path_at(to_fd, to, path);
  ON_FILE("rename", path, 0, 1, syscall(SYS_renameat2, from_fd, from, to_fd, to, flags));
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }

int renameat(int from_fd, const char *from, int to_fd, const char *to) { return renamed(from_fd, from, to_fd, to, 0); }

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
  return renamed(from_fd, from, to_fd, to, flags);
}

static int linked(int from_fd, const char *from, int to_fd, const char *to, int flags) {
  char path[PATH_MAX];
  path_at(to_fd, to, path);
  ON_FILE("link", path, 0, 1, syscall(SYS_linkat, from_fd, from, to_fd, to, flags));
}

int link(const char *from, const char *to) { return linked(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags) {
  return linked(from_fd, from, to_fd, to, flags);
}

static int unlinked(int fd, const char *name, int flags) {
  char path[PATH_MAX];
  path_at(fd, name, path);
  ON_FILE("unlink", path, 0, 0, syscall(SYS_unlinkat, fd, name, flags));
}

int unlink(const char *name) { return unlinked(AT_FDCWD, name, 0); }

int unlinkat(int fd, const char *name, int flags) { return unlinked(fd, name, flags); }

int remove(const char *name) {
  int result = unlinked(AT_FDCWD, name, 0);
  return result && errno == EISDIR ? (int)syscall(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR) : result;
}
