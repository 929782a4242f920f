/*
 * What has come so far stands in TARGET.XXXXXXXXXXXX.part, named by the beginning of the artifact's SHA-256, so that no
 * other artifact is ever continued there. It is locked while it is written, hashed as it grows, and renamed when size
 * and hash are right. A connection that breaks is taken up at the byte reached, in this run or the next.
 */
#include "download.h"

#include "artifact.h"
#include "commands.h"
#include "field.h"
#include "interrupt.h"
#include "output.h"
#include "patience.h"
#include "say.h"
#include "target.h"
#include "words.h"

#include "base/digest.h"
#include "base/err.h"
#include "base/write.h"

#include <fcntl.h>
#include <filmgate/v1/artifact_service.pb-c.h>
#include <sys/file.h>
#include <sys/stat.h>

#define RETRY_FOR_MS 60000
#define PART_DIGITS 12

struct download {
	struct cli *cli;
	const Filmgate__V1__Artifact *artifact;
	char *shown;  /* as the user named it */
	char *target; /* the file itself, behind a link; NULL, as part is, where the bytes go straight out */
	char *part;
	int fd;
	struct digester *digester;
	uint64_t offset; /* bytes that are there and hashed */
};

static void download_finish(struct download *download)
{
	closep(&download->fd);
	digester_free(download->digester);
	free(download->shown);
	free(download->target);
	free(download->part);
}

static enum exit_code fail(const char *path)
{
	say_error("%s: %s", path, strerror(errno));
	return EXIT_FAILED;
}

static const char *ending_of(const char *media_type)
{
	static const struct {
		const char *type, *ending;
	} endings[] = {
		{"video/mp4", ".mp4"}, {"video/webm", ".webm"},          {"video/quicktime", ".mov"},
		{"image/png", ".png"}, {"image/jpeg", ".jpg"},           {"image/webp", ".webp"},
		{"image/gif", ".gif"}, {"audio/mpeg", ".mp3"},           {"audio/wav", ".wav"},
		{"text/vtt", ".vtt"},  {"application/x-subrip", ".srt"}, {"text/x-ssa", ".ass"},
	};

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (!strcmp(endings[i].type, media_type))
			return endings[i].ending;
	return "";
}

/* "UUID.mp4", or "UUID-2.png" for any file but the first. */
static int own_name(const Filmgate__V1__Artifact *artifact, struct buffer *out)
{
	const char *uuid = cli_short_name(artifact->name), *number = strrchr(artifact->name, '/');
	bool is_first = !number || !strcmp(number, "/1");

	return buffer_printf(out, "%.*s%s%s%s", (int)strcspn(uuid, "/"), uuid, is_first ? "" : "-",
			     is_first ? "" : number + 1, ending_of(artifact->media_type));
}

/* Below the folder @path, or here if it is NULL. */
static int name_within(struct download *download, const char *path)
{
	struct buffer shown = {0};
	int r = path ? buffer_printf(&shown, "%s/", path) : 0;

	if (r == 0)
		r = own_name(download->artifact, &shown);
	download->shown = shown.data;
	return r;
}

static int name_files(struct download *download)
{
	struct buffer part = {0};
	int r;

	download->target = realpath(download->shown, NULL);
	if (!download->target)
		download->target = strdup(download->shown);
	if (!download->target)
		return -ENOMEM;
	r = buffer_printf(&part, "%s.%.*s.part", download->target, PART_DIGITS, download->artifact->sha256);
	download->part = part.data;
	return r;
}

static enum exit_code start_over(struct download *download)
{
	digester_free(download->digester);
	download->digester = digester_new();
	download->offset = 0;
	if (!download->digester)
		return EXIT_FAILED;
	if (ftruncate(download->fd, 0) < 0 || lseek(download->fd, 0, SEEK_SET) < 0)
		return fail(download->part);
	return EXIT_OK;
}

/* Hashes what an earlier run has left; afterwards the file's position is its end. */
static enum exit_code take_up(struct download *download)
{
	_cleanup_(freep) char *block = malloc(1 << 16);
	ssize_t n;

	if (!block)
		return EXIT_FAILED;
	while ((n = read(download->fd, block, 1 << 16)) > 0) {
		digester_add(download->digester, block, (size_t)n);
		download->offset += (uint64_t)n;
	}
	if (n < 0)
		return fail(download->part);
	if (download->offset > download->artifact->size_bytes)
		return start_over(download);
	if (download->offset)
		say_note("going on after %s", words_of_size(download->offset).text);
	return EXIT_OK;
}

static enum exit_code open_part(struct download *download)
{
	download->fd = open(download->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (download->fd < 0)
		return fail(download->part);
	if (flock(download->fd, LOCK_EX | LOCK_NB) < 0) {
		say_error("%s: another download of it is under way", download->part);
		return EXIT_FAILED;
	}
	return take_up(download);
}

/* Why reading ended, besides the outcomes of client.h and negative errnos of writing. */
enum { READ_E_DISORDER = 100 };

static int take_bytes(struct download *download, const Filmgate__V1__ReadArtifactResponse *piece)
{
	const Filmgate__V1__Artifact *artifact = download->artifact;
	int r;

	if (piece->offset != download->offset || piece->data.len > artifact->size_bytes - download->offset)
		return READ_E_DISORDER;
	r = write_fully(download->fd, bytes_of(piece->data.data, piece->data.len));
	if (r)
		return r;
	digester_add(download->digester, piece->data.data, piece->data.len);
	download->offset += piece->data.len;
	say_progress("%s of %s", words_of_size(download->offset).text, words_of_size(artifact->size_bytes).text);
	return 0;
}

static int read_stream(struct download *download, struct patience *patience, struct status *status)
{
	_cleanup_(client_stream_freep) struct client_stream *stream = NULL;
	Filmgate__V1__ReadArtifactRequest request = FILMGATE__V1__READ_ARTIFACT_REQUEST__INIT;
	int r;

	request.name = download->artifact->name;
	request.offset = download->offset;
	r = client_stream_open(download->cli->client, &filmgate__v1__artifact_service__descriptor, "ReadArtifact",
			       &request.base, &stream);
	while (r == 0) {
		_cleanup_(field_message_freep) ProtobufCMessage *message = NULL;

		r = client_stream_next(stream, download->cli->deadline_ms, &message, status);
		if (r)
			break;
		patience_restore(patience);
		r = take_bytes(download, (const void *)message);
	}
	return r;
}

static enum exit_code say_unfinished(struct download *download, int r, const struct status *status)
{
	enum exit_code code;

	if (r == READ_E_DISORDER) {
		say_error("the daemon sent other bytes than it promised");
		return EXIT_FAILED;
	}
	if (r == CLIENT_E_TIMEOUT) {
		say_error("the daemon sent nothing for %s", words_of_duration(download->cli->deadline_ms).text);
		code = EXIT_TIMED_OUT;
	} else {
		code = cli_say(download->cli, r, status, "cannot download");
	}
	if (download->part && download->offset)
		say_more("%s keeps what has come; the same command goes on there", download->part);
	return code;
}

static enum exit_code fetch(struct download *download)
{
	struct patience patience = patience_of(download->cli, RETRY_FOR_MS);

	patience.was_reached = true;
	while (download->offset < download->artifact->size_bytes) {
		_cleanup_(status_finish) struct status status = {0};
		int r = read_stream(download, &patience, &status);

		if (r == CLIENT_E_END && download->offset == download->artifact->size_bytes)
			break;
		/* An early end is as good as a broken connection. */
		if (r == CLIENT_E_END)
			r = status_set(&status, STATUS_UNAVAILABLE, bytes_of_text("the bytes ended early"),
				       (struct bytes){0})
				    ? -ENOMEM
				    : CLIENT_E_STATUS;
		if (r == CLIENT_E_STATUS && status_is_broken(&status) && patience_lasts(&patience, &status))
			continue;
		return say_unfinished(download, interrupt_came() ? CLIENT_E_INTERRUPTED : r, &status);
	}
	return EXIT_OK;
}

static bool is_right(struct download *download)
{
	struct digest digest = digester_end(download->digester);
	char text[DIGEST_TEXT_SIZE];

	digest_format(&digest, text);
	return !strcmp(text, download->artifact->sha256);
}

static enum exit_code publish(struct download *download)
{
	if (fsync(download->fd) < 0)
		return fail(download->part);
	if (rename(download->part, download->target) < 0)
		return fail(download->shown);
	say_note("%s  %s  sha256 %s", download->shown, words_of_size(download->artifact->size_bytes).text,
		 download->artifact->sha256);
	return EXIT_OK;
}

static enum exit_code to_file(struct download *download)
{
	enum exit_code code;
	bool was_taken_up;

	if (name_files(download))
		return EXIT_FAILED;
	code = open_part(download);
	was_taken_up = download->offset > 0;
	if (code == EXIT_OK)
		code = fetch(download);
	if (code != EXIT_OK)
		return code;
	if (is_right(download))
		return publish(download);

	/* What was left of an earlier run may be damaged; what came in this one may not. */
	if (was_taken_up) {
		say_note("the SHA-256 is wrong: fetching all of it again");
		code = start_over(download);
		if (code == EXIT_OK)
			code = fetch(download);
		if (code != EXIT_OK)
			return code;
		if (is_right(download))
			return publish(download);
	}
	unlink(download->part);
	say_error("%s: the SHA-256 of what came is wrong; nothing was written", download->shown);
	return EXIT_FAILED;
}

/* Straight into @fd, which is taken. */
static enum exit_code to_stream(struct download *download, int fd)
{
	enum exit_code code;

	if (fd < 0 && errno == EINTR && interrupt_came())
		return cli_say(download->cli, CLIENT_E_INTERRUPTED, NULL, "cannot download");
	if (fd < 0)
		return fail(download->shown);
	download->fd = fd;
	code = fetch(download);
	if (code != EXIT_OK || is_right(download))
		return code;
	say_error("the SHA-256 of what was written is wrong: throw it away");
	return EXIT_FAILED;
}

static enum exit_code store(struct download *download, enum target_kind kind)
{
	switch (kind) {
	case TARGET_FILE:
		return to_file(download);
	case TARGET_STREAM:
		return to_stream(download, open(download->shown, O_WRONLY | O_NOCTTY | O_CLOEXEC));
	case TARGET_STDOUT:
		output_flush();
		return to_stream(download, fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
	case TARGET_FOLDER:
		break;
	}
	say_error("%s is a folder: move it away, or name another file with -o", download->shown);
	return EXIT_USAGE;
}

/* Where @path, or no path, leads; a folder leads to the file in it. */
static enum exit_code choose_target(struct download *download, const char *path, enum target_kind *ret)
{
	enum exit_code code = path ? target_look(path, ret) : EXIT_OK;

	if (code != EXIT_OK)
		return code;
	if (path && *ret != TARGET_FOLDER) {
		download->shown = strdup(path);
		return download->shown ? EXIT_OK : EXIT_FAILED;
	}
	return name_within(download, path) ? EXIT_FAILED : target_look(download->shown, ret);
}

static enum exit_code download_artifact(struct cli *cli, const Filmgate__V1__Artifact *artifact, const char *path,
					bool prints_path)
{
	_cleanup_(download_finish) struct download download = {.cli = cli, .artifact = artifact, .fd = -1};
	enum target_kind kind = TARGET_FOLDER;
	enum exit_code code;

	cli->deadline_ms = arguments_number(&cli->arguments, OPTION_DEADLINE, cli->deadline_ms);
	download.digester = digester_new();
	if (!download.digester)
		return EXIT_FAILED;
	code = choose_target(&download, path, &kind);
	if (code == EXIT_OK)
		code = store(&download, kind);
	if (code == EXIT_OK && prints_path && kind != TARGET_STDOUT)
		printf("%s\n", download.shown);
	return code;
}

static enum exit_code download_named(struct cli *cli, const char *operand, const char *role, const char *path,
				     bool prints_path)
{
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	const Filmgate__V1__Artifact *artifact;
	enum exit_code code = artifact_find(cli, operand, role, &reply, &artifact);

	return code == EXIT_OK ? download_artifact(cli, artifact, path, prints_path) : code;
}

enum exit_code download_job(struct cli *cli, const char *job, const char *role, const char *path)
{
	return download_named(cli, job, role, path, false);
}

enum exit_code command_download(struct cli *cli)
{
	const char *path = arguments_text(&cli->arguments, OPTION_OUTPUT);
	enum target_kind kind;
	enum exit_code code = path ? target_look(path, &kind) : EXIT_OK;

	if (code != EXIT_OK)
		return code;
	return download_named(cli, cli->arguments.operands[0], arguments_text(&cli->arguments, OPTION_ROLE), path,
			      true);
}
