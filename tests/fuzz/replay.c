/* Runs a fuzz target over files, without a fuzzer: `replay PATH…`, each a file or a directory of files.
 * So every build, with any compiler and sanitizer, replays corpus and regressions as a test. */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static int files;

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	MUST(file && fstat(fileno(file), &st) == 0);
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size ? size : 1); /* exact, so that reads past the end are seen */
	MUST(data && fread(data, 1, size, file) == size);
	fclose(file);
	fprintf(stderr, "%s\n", path); /* the last line names the culprit */
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files++;
}

static void replay(const char *path)
{
	DIR *dir = opendir(path);
	if (dir == NULL) {
		struct stat st;
		if (stat(path, &st) == 0)
			replay_file(path);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		char *inside;
		if (entry->d_name[0] == '.')
			continue;
		MUST(asprintf(&inside, "%s/%s", path, entry->d_name) > 0);
		replay_file(inside);
		free(inside);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	fy_arena_trim();
	if (files == 0)
		fprintf(stderr, "nothing to replay\n");
	return files ? 0 : 1;
}
