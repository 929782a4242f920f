/*
 * Runs a fuzz target over a folder of inputs, as an ordinary program: every committed input whole, and cut short at
 * many places, since bytes from a network end anywhere. Each run gets memory of exactly its size, for ASan to guard.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CUTS 32

static void run_copy(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_whole_and_cut(const uint8_t *data, size_t size)
{
	run_copy(data, size);
	for (size_t i = 0; i < CUTS && size > 0; i++)
		run_copy(data, size * i / CUTS);
	if (size > 0)
		run_copy(data, size - 1);
}

static int run_file(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	uint8_t *data;
	ssize_t n;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode)) {
		fprintf(stderr, "%s cannot be read\n", name);
		exit(1);
	}
	data = malloc((size_t)stat.st_size + 1);
	n = data ? read(fd, data, (size_t)stat.st_size) : -1;
	close(fd);
	if (n != stat.st_size)
		abort();
	run_whole_and_cut(data, (size_t)n);
	free(data);
	return 1;
}

int main(int argc, char **argv)
{
	int count = 0, folder = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	DIR *dir = folder >= 0 ? fdopendir(folder) : NULL;
	struct dirent *entry;

	if (!dir) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			count += run_file(folder, entry->d_name);
	closedir(dir);
	printf("%d inputs\n", count);
	return count > 0 ? 0 : 1;
}
