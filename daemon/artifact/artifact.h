/*
 * Where videos live: files first, named by their SHA-256.
 *
 *     DATA/artifacts/staging/NAME       being downloaded, or uploaded
 *     DATA/artifacts/sha256/ab/cdef…    finished; never changed, only unlinked by artifact_collect()
 *     DATA/artifacts/stills/ab/cdef….poster.jpg    a picture of that video, made when it was first asked for; a cache
 *
 * A download writes into a staging file (its descriptor goes to http/), artifact_seal() makes it an artifact: synced,
 * hashed, checked to be the media it claims to be, renamed, directory synced. The seal comes with a *claim* on the
 * content: while a claim is held nobody collects that content, so the job that names it can be committed in peace.
 *
 * The assets of users lie here, too: a content is one file, whoever names it.
 *
 * Functions are [any-thread] and do not block longer than a few system calls, unless a comment says otherwise.
 */
#ifndef FG_ARTIFACT_ARTIFACT_H
#define FG_ARTIFACT_ARTIFACT_H

#include "base/digest.h"
#include "base/err.h"

#include <stdbool.h>

enum {
	_ARTIFACT_E_OK,
	ARTIFACT_E_NOT_FOUND,
	ARTIFACT_E_NO_SPACE,      /* the disk, less what is reserved and the configured floor, has no room */
	ARTIFACT_E_NOT_MEDIA,     /* not what its role says; the message has the words */
	ARTIFACT_E_TRUNCATED,     /* begins as it should and is cut short */
	ARTIFACT_E_OTHER_CONTENT, /* whole, and not the content that was expected */
	ARTIFACT_E_NO_PICTURE,    /* none was made of the video; the log has the reason */
	ARTIFACT_E_DAMAGED, /* of a finished one: missing, of another size, or no regular file; the log has its path */
};

/* Has it a sound track? */
enum artifact_sound { ARTIFACT_SOUND_UNKNOWN, ARTIFACT_SOUND_ON, ARTIFACT_SOUND_OFF };

struct artifact_store;
struct artifact_staging;

struct artifact_config {
	const char *path;     /* DATA/artifacts; made when missing */
	uint64_t floor_bytes; /* always left free on the disk */
	const char *ffprobe;  /* its path, or NULL: sniffing only */
	const char *ffmpeg;   /* likewise; NULL: nobody looks at pictures */
	uint32_t workers;     /* threads that hash and probe; 0: 2 */
};

/* Where this system has it, for artifact_config; NULL: nowhere. A constant. [any-thread] */
const char *artifact_find_ffprobe(void);
const char *artifact_find_ffmpeg(void);
/* @msg: what cannot be made or written, and the remedy. */
int artifact_store_open(const struct artifact_config *config, struct artifact_store **ret, struct errmsg *msg);
/* Waits for the seals and collections under way or queued. Their callbacks come before this returns. NULL is fine. */
struct artifact_store *artifact_store_close(struct artifact_store *store);
/* Does it hold any finished file? When it cannot be read, it is said to. Blocks. */
bool artifact_store_has_files(const struct artifact_store *store);
/* Its folder, for messages. Valid as long as @store is. [any-thread] */
const char *artifact_store_path(const struct artifact_store *store);

/* Room for @bytes, kept until released: 0, ARTIFACT_E_NO_SPACE, or negative errno when the disk does not answer. */
int artifact_reserve(struct artifact_store *store, uint64_t bytes);
/* The same for what was bought already: whether there is room or not. */
void artifact_reserve_owed(struct artifact_store *store, uint64_t bytes);
void artifact_release(struct artifact_store *store, uint64_t bytes);

/*
 * Makes the staging file @name ([a-z0-9-][a-z0-9.-]*, below 129 bytes), empty whatever was there. One at a time per
 * name. 0, ARTIFACT_E_NO_SPACE, or negative errno.
 */
int artifact_stage(struct artifact_store *store, const char *name, struct artifact_staging **ret);
int artifact_staging_fd(const struct artifact_staging *staging); /* for writing; stays the staging's */
/* Closes it; the file stays, until it is staged again or swept. */
struct artifact_staging *artifact_staging_close(struct artifact_staging *staging);
/* Closes and removes it. */
struct artifact_staging *artifact_staging_discard(struct artifact_staging *staging);
/*
 * What lies there whole and is named by a job, since nobody can bring it again at will: synced before the job is
 * committed, opened again when its turn comes, also after a restart, and left alone by the sweep.
 */

/* Syncs the closed staging files @names, which are copied, and their folder on a worker thread, which calls @fn once with
 * 0, ARTIFACT_E_NOT_FOUND, ARTIFACT_E_NO_SPACE or negative errno. Returns 0, or -ENOMEM: then @fn never comes. */
typedef void artifact_synced_fn(void *userdata, int outcome);
int artifact_sync(struct artifact_store *store, const char *const *names, size_t n, artifact_synced_fn *fn,
		  void *userdata);
/* Opens the staging file @name as its close left it. 0, ARTIFACT_E_NOT_FOUND, or negative errno. */
int artifact_stage_again(struct artifact_store *store, const char *name, struct artifact_staging **ret);
/* Removes a closed staging file, if it is there. */
void artifact_unstage(struct artifact_store *store, const char *name);
/* At the start: removes every staging file but those that @is_kept (NULL: none) says yes to. Blocking. */
typedef bool artifact_kept_fn(void *userdata, const char *name);
int artifact_sweep(struct artifact_store *store, artifact_kept_fn *is_kept, void *userdata);

struct artifact_sealed {
	/* 0, ARTIFACT_E_NOT_MEDIA, ARTIFACT_E_TRUNCATED, ARTIFACT_E_NO_SPACE, ARTIFACT_E_OTHER_CONTENT, negative errno */
	int outcome;
	struct errmsg message;
	struct digest sha256;
	uint64_t size_bytes;
	char media_type[64]; /* as found in the bytes: "video/mp4" */
	int64_t duration_ms; /* 0: not known */
	uint32_t width, height;
	uint32_t frame_rate_millihertz; /* 0: not known */
	enum artifact_sound sound;
};
/*
 * Takes the staging and makes it an artifact, on a worker thread, which calls @fn once. @role: "video" and the other
 * video roles must be playable video; "thumbnail", "subtitles", … what their names say; "asset" a picture, a video or
 * a sound. On 0 the claim on the content
 * is the callee's: end it with artifact_release_claim() once the job that names it is committed. On an outcome the
 * staging file is gone. Returns 0, or -ENOMEM: then @fn never comes and the staging is gone as well.
 *
 * A playable video is one whose container is whole and has a picture, and that ffprobe, where there is one, can read.
 * An ffprobe that is missing, crashes or does not answer in time has no say; a warning is logged.
 */
typedef void artifact_sealed_fn(void *userdata, const struct artifact_sealed *sealed);
int artifact_seal(struct artifact_store *store, struct artifact_staging *take, const char *role, artifact_sealed_fn *fn,
		  void *userdata);
/* The same, but the staging file stays under its name, whatever comes of it: what cannot be brought again at will is not
 * given up before the job that names its content is committed. Then, artifact_unstage(). */
int artifact_seal_kept(struct artifact_store *store, struct artifact_staging *take, const char *role,
		       artifact_sealed_fn *fn, void *userdata);
/* The same as artifact_seal() of a content that must be @expected. */
int artifact_seal_expected(struct artifact_store *store, struct artifact_staging *take, const char *role,
			   const struct digest *expected, artifact_sealed_fn *fn, void *userdata);
/* Also runs the collection that the claim put off. */
void artifact_release_claim(struct artifact_store *store, const struct digest *sha256);

/*
 * Looks at the pictures of a video that was sealed, and whose claim is held now: how much of it is black, and how much stands
 * still. ffmpeg decodes some of them in a child process with limits; of a video that is long and large, key frames alone.
 * A few are looked at at a time, apart from seals, and each has its answer after LIMIT_ARTIFACT_LOOK_MS, be it that
 * nothing is known: without ffmpeg, of what it cannot decode, for want of time, and at the end of the daemon, which kills
 * the child. @fn is called once, on a worker thread. Returns 0, or -ENOMEM: then @fn never comes.
 */
struct artifact_looked {
	bool is_known;
	int64_t black_ms, frozen_ms;
};
typedef void artifact_looked_fn(void *userdata, const struct artifact_looked *looked);
int artifact_look(struct artifact_store *store, const struct artifact_sealed *sealed, artifact_looked_fn *fn,
		  void *userdata);

/*
 * Opens a content of @size_bytes to be read, on a thread of its own: a disk that does not answer holds up nobody but
 * other readers. @outcome: 0, with a regular file of that size, the callee's; ARTIFACT_E_DAMAGED, which has been
 * logged; negative errno. Returns 0, or -ENOMEM: then @fn never comes.
 */
typedef void artifact_opened_fn(void *userdata, int outcome, int fd);
int artifact_open(struct artifact_store *store, const struct digest *sha256, uint64_t size_bytes,
		  artifact_opened_fn *fn, void *userdata);

/*
 * Opens a picture of the video as a JPEG: made when it is first asked for, then kept until the video is collected. Of a
 * video of which none can be made nobody tries again. @outcome: 0, with the picture of @size_bytes, the callee's;
 * ARTIFACT_E_NO_PICTURE; ARTIFACT_E_DAMAGED, of the video; negative errno. @fn is called once, on a thread of the room, after
 * LIMIT_ARTIFACT_POSTER_MS at the latest. Returns 0, or -ENOMEM: then @fn never comes. May wait as claims do.
 */
enum artifact_still {
	ARTIFACT_STILL_POSTER,    /* at most 1280 pixels wide and high */
	ARTIFACT_STILL_THUMBNAIL, /* 320 */
};
struct artifact_video {
	struct digest sha256;
	uint64_t size_bytes;
	const char *media_type; /* "video/…" */
};
typedef void artifact_still_fn(void *userdata, int outcome, int fd, uint64_t size_bytes);
int artifact_open_still(struct artifact_store *store, const struct artifact_video *video, enum artifact_still kind,
			artifact_still_fn *fn, void *userdata);

/*
 * Unlinks the content unless @is_referenced, asked on a worker thread under the claim, says yes. While somebody else
 * claims it, this is put off until the last claim is released. @userdata lives as long as the store.
 */
typedef bool artifact_referenced_fn(void *userdata, const struct digest *sha256);
void artifact_collect(struct artifact_store *store, const struct digest *sha256, artifact_referenced_fn *is_referenced,
		      void *userdata);

/*
 * Makes the new folder @path/sha256 a copy of all finished artifacts: links where the disk allows them, since contents do
 * not change. On a worker thread, which calls @first before (0, or what becomes the outcome, with words in its @msg) and
 * @fn at the end; from before @first until then nothing is collected: what @first copied names nothing that is missing
 * here. Synced. Returns 0, or -ENOMEM, and then neither comes. One at a time.
 */
struct artifact_copied {
	int outcome; /* 0, ARTIFACT_E_NO_SPACE, negative errno, or that of @first */
	struct errmsg message;
	uint64_t files, bytes;
};
typedef int artifact_copy_first_fn(void *userdata, struct errmsg *msg);
typedef void artifact_copied_fn(void *userdata, const struct artifact_copied *copied);
/* The copy that is being made, or any later one, ends with -ECANCELED: soon, in the middle of a large file, too. */
void artifact_stop_copies(struct artifact_store *store);
int artifact_copy(struct artifact_store *store, const char *path, artifact_copy_first_fn *first, artifact_copied_fn *fn,
		  void *userdata);

#endif
