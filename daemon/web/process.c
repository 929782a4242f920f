#include "web/metrics.h"

#include "base/dir.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* False: /proc does not say. The folder's own descriptor and the two dots are no descriptors of the process. */
static bool count_descriptors(uint64_t *ret)
{
	_cleanup_(dir_closep) DIR *folder = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (!folder)
		return false;
	while (readdir(folder))
		n++;
	*ret = n > 3 ? n - 3 : 0;
	return true;
}

static bool read_memory(uint64_t *ret_virtual, uint64_t *ret_resident)
{
	_cleanup_(closep) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[128], *end;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (n <= 0)
		return false;
	text[n] = '\0';
	*ret_virtual = strtoull(text, &end, 10) * page;
	*ret_resident = strtoull(end, NULL, 10) * page;
	return true;
}

static void write_one(struct exposition *exposition, const char *name, const char *help, uint64_t value)
{
	exposition_family(exposition, name, "gauge", help);
	exposition_integer(exposition, NULL, value);
}

static void write_cpu(struct exposition *exposition)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) < 0)
		return;
	exposition_family(exposition, "process_cpu_seconds_total", "counter", "User and system time of the process.");
	exposition_fraction(exposition, NULL,
			    (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
				    (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
			    1000000);
}

void metrics_write_process(struct exposition *exposition, const char *version, int64_t started_ms)
{
	const struct exposition_label labels[] = {{"version", version}, {NULL, NULL}};
	uint64_t bytes, resident, n;
	struct rlimit limit;

	exposition_family(exposition, "filmgate_build_info", "gauge", "The version that runs.");
	exposition_integer(exposition, labels, 1);
	exposition_family(exposition, "process_start_time_seconds", "gauge", "When the process began, since 1970.");
	exposition_fraction(exposition, NULL, (uint64_t)started_ms, 1000);
	write_cpu(exposition);
	if (read_memory(&bytes, &resident)) {
		write_one(exposition, "process_virtual_memory_bytes", "Address space of the process.", bytes);
		write_one(exposition, "process_resident_memory_bytes", "Memory of the process.", resident);
	}
	if (count_descriptors(&n))
		write_one(exposition, "process_open_fds", "Open files and sockets.", n);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		write_one(exposition, "process_max_fds", "How many may be open.", (uint64_t)limit.rlim_cur);
}
