#include "upload.h"

#include "field.h"
#include "say.h"
#include "words.h"

#include "base/digest.h"
#include "base/err.h"

#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#define CHUNK (512 * 1024) /* bytes in one message; the contract takes twice that */

bool upload_is_file(const char *source)
{
	struct stat status;

	return !strncmp(source, "/", 1) || !strncmp(source, "./", 2) || !strncmp(source, "../", 3) ||
	       stat(source, &status) == 0;
}

bool upload_is_misspelt(const char *source)
{
	static const char *const endings[] = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4",  ".mov", ".webm",
					      ".mp3", ".m4a", ".wav",  ".aac",  ".ogg", ".flac", NULL};
	const char *dot = strrchr(source, '.');

	if (!dot || strstr(source, "://"))
		return false;
	for (size_t i = 0; endings[i]; i++)
		if (strcasecmp(dot, endings[i]) == 0)
			return true;
	return false;
}

/* ---- the file ---- */

struct file {
	const char *path;
	int fd;
	uint64_t size;
	struct digest sha256;
};

static void file_finish(struct file *file)
{
	closep(&file->fd);
}

static enum exit_code open_file(struct file *file, const char *path)
{
	struct stat status;

	*file = (struct file){.path = path, .fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
	if (file->fd < 0 || fstat(file->fd, &status) < 0) {
		say_error("cannot read '%s': %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	if (S_ISDIR(status.st_mode))
		say_error("'%s' is a folder; name the file in it", path);
	else if (!S_ISREG(status.st_mode))
		say_error("'%s' is no regular file", path);
	else if (status.st_size == 0)
		say_error("'%s' is empty", path);
	else {
		file->size = (uint64_t)status.st_size;
		return EXIT_OK;
	}
	return EXIT_USAGE;
}

/* Calls @fn for each piece. EXIT_OK, or what @fn returned, or a code, said. */
static enum exit_code each_piece(const struct file *file, enum exit_code (*fn)(void *userdata, struct bytes piece),
				 void *userdata)
{
	_cleanup_(freep) char *piece = malloc(CHUNK);
	enum exit_code code = EXIT_OK;
	uint64_t at = 0;

	while (piece && code == EXIT_OK && at < file->size) {
		ssize_t n = pread(file->fd, piece, CHUNK, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			say_error("cannot read '%s': %s", file->path,
				  n < 0 ? strerror(errno) : "it has become shorter meanwhile");
			return EXIT_FAILED;
		}
		at += (uint64_t)n;
		code = fn(userdata, bytes_of(piece, (size_t)n));
	}
	return piece ? code : EXIT_FAILED;
}

static enum exit_code add_to_digest(void *userdata, struct bytes piece)
{
	digester_add(userdata, piece.data, piece.len);
	return EXIT_OK;
}

static enum exit_code hash_file(struct file *file)
{
	_cleanup_(digester_freep) struct digester *digester = digester_new();
	enum exit_code code = digester ? each_piece(file, add_to_digest, digester) : EXIT_FAILED;

	if (code == EXIT_OK)
		file->sha256 = digester_end(digester);
	return code;
}

/* ---- sending ---- */

struct sending {
	struct cli *cli;
	struct client_stream *stream;
	const struct file *file;
	uint64_t sent;
};

/* The daemon may have said why before everything was sent. */
static enum exit_code send_piece(void *userdata, struct bytes piece)
{
	Filmgate__V1__UploadAssetRequest request = FILMGATE__V1__UPLOAD_ASSET_REQUEST__INIT;
	struct sending *sending = userdata;
	int r;

	request.content_case = FILMGATE__V1__UPLOAD_ASSET_REQUEST__CONTENT_DATA;
	request.data = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)piece.data, .len = piece.len};
	r = client_stream_send(sending->stream, &request.base);
	if (r == CLIENT_E_END)
		return EXIT_OK;
	if (r)
		return cli_say(sending->cli, r, NULL, "cannot upload the file");
	sending->sent += piece.len;
	say_progress("%s: %s of %s", sending->file->path, words_of_size(sending->sent).text,
		     words_of_size(sending->file->size).text);
	return EXIT_OK;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum exit_code send_file(struct cli *cli, const struct file *file, const char *display_name,
				Filmgate__V1__UploadAssetResponse **ret)
{
	Filmgate__V1__UploadAssetMetadata metadata = FILMGATE__V1__UPLOAD_ASSET_METADATA__INIT;
	Filmgate__V1__UploadAssetRequest request = FILMGATE__V1__UPLOAD_ASSET_REQUEST__INIT;
	_cleanup_(client_stream_freep) struct client_stream *stream = NULL;
	_cleanup_(status_finish) struct status status = {0};
	struct sending sending = {.cli = cli, .file = file};
	_cleanup_(field_message_freep) ProtobufCMessage *reply = NULL;
	char sha256[DIGEST_TEXT_SIZE];
	struct errmsg what;
	enum exit_code code;
	int r;

	digest_format(&file->sha256, sha256);
	metadata.display_name = (char *)(uintptr_t)(display_name ? display_name : name_of(file->path));
	metadata.size_bytes = file->size;
	metadata.sha256 = sha256;
	request.content_case = FILMGATE__V1__UPLOAD_ASSET_REQUEST__CONTENT_METADATA;
	request.metadata = &metadata;
	errmsg_set(&what, "cannot upload '%s'", file->path);
	r = client_stream_open_sending(cli->client, &filmgate__v1__asset_service__descriptor, "UploadAsset",
				       &request.base, &stream);
	if (r)
		return cli_say(cli, r, NULL, what.text);
	sending.stream = stream;
	code = each_piece(file, send_piece, &sending);
	if (code == EXIT_OK) {
		client_stream_end_sending(stream);
		r = client_stream_next(stream, -1, &reply, &status);
		r = r ? r : cli_check_reply(reply, &status);
		code = r ? cli_say(cli, r, &status, what.text) : EXIT_OK;
	}
	if (code == EXIT_OK)
		*ret = (void *)steal(reply);
	return code;
}

/* ---- both ---- */

static enum exit_code ask(struct cli *cli, const char *name, Filmgate__V1__GetAssetResponse **ret, bool *ret_missing)
{
	Filmgate__V1__GetAssetRequest request = FILMGATE__V1__GET_ASSET_REQUEST__INIT;
	_cleanup_(status_finish) struct status status = {0};
	ProtobufCMessage *reply = NULL;
	struct errmsg what;
	int r;

	request.name = (char *)(uintptr_t)name;
	r = cli_call(cli, &filmgate__v1__asset_service__descriptor, "GetAsset", &request.base, &reply, &status);
	if (r == 0) {
		*ret = (void *)reply;
		return EXIT_OK;
	}
	errmsg_set(&what, "cannot read %.100s", name);
	*ret_missing = r == CLIENT_E_STATUS && status.code == STATUS_NOT_FOUND;
	return *ret_missing ? EXIT_NOT_FOUND : cli_say(cli, r, &status, what.text);
}

enum exit_code upload_get(struct cli *cli, const char *name, Filmgate__V1__GetAssetResponse **ret)
{
	bool is_missing = false;
	enum exit_code code = ask(cli, name, ret, &is_missing);

	if (is_missing)
		say_error("there is no %s; 'filmgate assets' shows those that there are", name);
	return code;
}

/* Whoever asked with GetAsset has the reply of an upload that was not needed. */
static enum exit_code adopt(Filmgate__V1__GetAssetResponse *found, Filmgate__V1__UploadAssetResponse **ret)
{
	ProtobufCMessage *message = field_message_new(&filmgate__v1__upload_asset_response__descriptor);
	Filmgate__V1__UploadAssetResponse *response = (void *)message;

	if (!response || !found)
		return EXIT_FAILED;
	response->asset = steal(found->asset);
	response->existed = true;
	*ret = response;
	return EXIT_OK;
}

enum exit_code upload_file(struct cli *cli, const char *path, const char *display_name,
			   Filmgate__V1__UploadAssetResponse **ret)
{
	Filmgate__V1__GetAssetResponse *found = NULL;
	_cleanup_(file_finish) struct file file;
	char name[7 + DIGEST_TEXT_SIZE] = "assets/";
	bool is_missing = false;
	enum exit_code code = open_file(&file, path);

	if (code == EXIT_OK)
		code = hash_file(&file);
	if (code != EXIT_OK)
		return code;
	digest_format(&file.sha256, name + 7);
	code = ask(cli, name, &found, &is_missing);
	if (is_missing)
		return send_file(cli, &file, display_name, ret);
	if (code == EXIT_OK)
		code = adopt(found, ret);
	if (found)
		protobuf_c_message_free_unpacked(&found->base, NULL);
	return code;
}
