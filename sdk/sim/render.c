#include "sim/render.h"

#include "base/limits.h"
#include "base/log.h"
#include "sim/ffmpeg.h"
#include "sim/table.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct task {
	UT_hash_handle hh;
	struct task *next; /* in the queue */
	struct sim_render *render;
	char key[DIGEST_TEXT_SIZE];
	enum sim_render_state state;
	int64_t done_ms;
	/* Until it is done: */
	struct sim_picture picture;
	char *text;
	char *folder;
	struct sim_timer timer;
	pid_t pid;
};

struct sim_render {
	struct sim_render_spec spec;
	char *program;
	char *font;
	struct task *tasks;
	struct task *queue, **queue_end;
	struct task *running[LIMIT_SIM_CHILDREN]; /* NULL: a free place */
	struct sim_render_count count;
	uint64_t folders;
};

/* Where Debian, Fedora, Arch and Alpine have it. */
static const char *const fonts[] = {
	"/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
	"/usr/share/fonts/dejavu-sans-mono-fonts/DejaVuSansMono.ttf",
	"/usr/share/fonts/TTF/DejaVuSansMono.ttf",
	"/usr/share/fonts/dejavu/DejaVuSansMono.ttf",
};

static int path_of(const struct sim_render *render, const char *key, const char *suffix, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s.%s", render->spec.cache, key, suffix);

	return n < PATH_MAX ? 0 : err_origin(-ENAMETOOLONG);
}

static int in_folder(const char *folder, const char *name, char path[static PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

	return n < PATH_MAX ? 0 : err_origin(-ENAMETOOLONG);
}

static void remove_folder(const char *folder)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	closedir(entries);
	rmdir(folder);
}

/* Work folders carry the process id of their simulator; those of dead ones are litter. */
static void sweep(const struct sim_render *render)
{
	DIR *entries = opendir(render->spec.cache);
	struct dirent *entry;
	char path[PATH_MAX];

	if (!entries)
		return;
	while ((entry = readdir(entries)) != NULL) {
		long pid = strncmp(entry->d_name, "work-", 5) == 0 ? strtol(entry->d_name + 5, NULL, 10) : 0;

		if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH &&
		    in_folder(render->spec.cache, entry->d_name, path) == 0)
			remove_folder(path);
	}
	closedir(entries);
}

static int write_file(const char *folder, const char *name, struct bytes content)
{
	_cleanup_(closep) int fd = -1;
	char path[PATH_MAX];
	int r;

	r = in_folder(folder, name, path);
	if (r < 0)
		return err_trace(r);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_origin(-errno);
	for (size_t done = 0; done < content.len;) {
		ssize_t n = write(fd, (const char *)content.data + done, content.len - done);

		if (n <= 0)
			return err_origin(n < 0 ? -errno : -EIO);
		done += (size_t)n;
	}
	return 0;
}

static int make_folder(struct sim_render *render, char **ret)
{
	_cleanup_(freep) char *folder = NULL;
	char font[PATH_MAX];
	int r;

	if (asprintf(&folder, "%s/work-%d-%llu", render->spec.cache, (int)getpid(),
		     (unsigned long long)++render->folders) < 0)
		return err_origin(-ENOMEM);
	if (mkdir(folder, 0755) < 0)
		return err_origin(-errno);
	r = in_folder(folder, "font.ttf", font);
	if (r == 0 && symlink(render->font, font) < 0)
		r = -errno;
	if (r < 0) {
		remove_folder(folder);
		return err_origin(r);
	}

	*ret = steal(folder);
	return 0;
}

static int begin_child(struct sim_render *render, struct task *task)
{
	struct sim_layout layout = {0};
	struct buffer srt = {0};
	int r;

	r = make_folder(render, &task->folder);
	r = r ? r : sim_picture_layout(&task->picture, &layout);
	r = r ? r : write_file(task->folder, "script.txt", buffer_bytes(&layout.lines));
	r = r ? r : sim_picture_subtitle(&task->picture, &srt);
	r = r ? r : write_file(task->folder, "subtitle.srt", buffer_bytes(&srt));
	r = r ? r : sim_ffmpeg_start(render->program, task->folder, &task->picture, layout.font_px, &task->pid);
	sim_layout_finish(&layout);
	buffer_finish(&srt);
	return r < 0 ? err_trace(r) : 0;
}

static int publish_file(struct sim_render *render, const struct task *task, const char *name, const char *suffix)
{
	char from[PATH_MAX], to[PATH_MAX];
	int r;

	r = in_folder(task->folder, name, from);
	r = r ? r : path_of(render, task->key, suffix, to);
	if (r < 0)
		return err_trace(r);
	return rename(from, to) < 0 ? err_origin(-errno) : 0;
}

/* The video last: while it is not there, nobody looks for the others. */
static int publish(struct sim_render *render, const struct task *task)
{
	bool is_webm = task->picture.format == SIM_FORMAT_WEBM;
	const char *captioned = is_webm ? "captioned.webm" : "captioned.mp4";
	int r;

	r = publish_file(render, task, "thumbnail.jpg", "jpg");
	r = r ? r : publish_file(render, task, "preview.gif", "gif");
	r = r ? r : publish_file(render, task, "subtitle.srt", "srt");
	if (r == 0 && task->picture.has_captions)
		r = publish_file(render, task, captioned, captioned);
	r = r ? r : publish_file(render, task, is_webm ? "video.webm" : "video.mp4", is_webm ? "webm" : "mp4");
	return r < 0 ? err_trace(r) : 0;
}

static void task_end(struct task *task, enum sim_render_state state)
{
	struct sim_render *render = task->render;

	sim_loop_forget(render->spec.loop, &task->timer);
	if (task->folder)
		remove_folder(task->folder);
	free(task->folder);
	free(task->text);
	task->folder = NULL;
	task->text = NULL;
	task->state = state;
	task->done_ms = sim_clock_monotonic_ms(render->spec.clock);
	if (state == SIM_RENDER_DONE)
		render->count.done++;
	else
		render->count.failed++;
}

static void on_timeout(void *userdata)
{
	struct task *task = userdata;

	log_warning("rendering takes too long, ffmpeg is killed", "limit_s", log_int(task->render->spec.timeout_s));
	kill(-task->pid, SIGKILL);
}

/* The first line that ffmpeg wrote before it gave up. */
static void complain(const struct task *task)
{
	char path[PATH_MAX], line[256] = "";
	FILE *file = in_folder(task->folder, "log.txt", path) == 0 ? fopen(path, "re") : NULL;

	if (file) {
		if (!fgets(line, sizeof(line), file))
			line[0] = '\0';
		fclose(file);
	}
	line[strcspn(line, "\n")] = '\0';
	log_error("rendering failed", "ffmpeg", line[0] ? line : "ended without a word");
}

static void finish_child(struct task *task, int status)
{
	struct sim_render *render = task->render;
	bool is_fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	render->count.running--;
	task->pid = 0;
	if (is_fine && publish(render, task) < 0)
		is_fine = false;
	if (!is_fine)
		complain(task);
	task_end(task, is_fine ? SIM_RENDER_DONE : SIM_RENDER_FAILED);
}

static struct task **free_place(struct sim_render *render)
{
	for (int i = 0; i < render->spec.children; i++)
		if (!render->running[i])
			return &render->running[i];
	return NULL;
}

static void run_queue(struct sim_render *render)
{
	struct task **place;

	while (render->queue && (place = free_place(render)) != NULL) {
		struct task *task = render->queue;
		int r;

		render->queue = task->next;
		if (!render->queue)
			render->queue_end = &render->queue;
		render->count.waiting--;
		r = begin_child(render, task);
		if (r < 0) {
			log_error("cannot start ffmpeg", "program", render->spec.ffmpeg, "error", log_errno(r));
			task_end(task, SIM_RENDER_FAILED);
			continue;
		}
		*place = task;
		task->state = SIM_RENDER_RUNNING;
		render->count.running++;
		sim_loop_after(render->spec.loop, &task->timer, render->spec.timeout_s * 1000LL);
	}
}

void sim_render_reap(struct sim_render *render)
{
	for (int i = 0; i < render->spec.children; i++) {
		struct task *task = render->running[i];
		int status;

		if (!task || waitpid(task->pid, &status, WNOHANG) != task->pid)
			continue;
		render->running[i] = NULL;
		finish_child(task, status);
	}
	run_queue(render);
}

static struct task *task_free(struct task *task)
{
	if (task->folder)
		remove_folder(task->folder);
	free(task->folder);
	free(task->text);
	free(task);
	return NULL;
}

static void task_freep(struct task **task)
{
	if (*task)
		task_free(*task);
}

static int task_new(struct sim_render *render, const struct sim_picture *picture, struct task **ret)
{
	_cleanup_(task_freep) struct task *task = calloc(1, sizeof(*task));
	struct sim_digest_text key = sim_picture_key(picture);

	if (!task)
		return err_origin(-ENOMEM);
	task->text = strdup(picture->text);
	if (!task->text)
		return err_origin(-ENOMEM);
	task->render = render;
	task->picture = *picture;
	task->picture.text = task->text;
	task->timer = (struct sim_timer){.fn = on_timeout, .userdata = task};
	memcpy(task->key, key.text, sizeof(task->key));

	*ret = steal(task);
	return 0;
}

/* Finished ones are only memory: what they made is found in the folder again. */
static void forget_oldest(struct sim_render *render)
{
	struct task *oldest = render->tasks;

	if (HASH_COUNT(render->tasks) < LIMIT_SIM_GENERATIONS || oldest->state < SIM_RENDER_DONE)
		return;
	HASH_DEL(render->tasks, oldest);
	task_free(oldest);
}

static bool is_cached(const struct sim_render *render, const char *key)
{
	char path[PATH_MAX];

	for (enum sim_format format = SIM_FORMAT_MP4; format <= SIM_FORMAT_WEBM; format++)
		if (path_of(render, key, sim_format_suffix(format), path) == 0 && access(path, R_OK) == 0)
			return true;
	return false;
}

static void enqueue(struct sim_render *render, struct task *task)
{
	task->state = SIM_RENDER_WAITING;
	*render->queue_end = task;
	render->queue_end = &task->next;
	render->count.waiting++;
	run_queue(render);
}

int sim_render_order(struct sim_render *render, const struct sim_picture *picture)
{
	struct sim_digest_text key = sim_picture_key(picture);
	struct task *task;
	int r;

	HASH_FIND_STR(render->tasks, key.text, task);
	if (task && task->state <= SIM_RENDER_RUNNING)
		return 0;
	if (is_cached(render, key.text)) {
		render->count.cached++;
		return 0;
	}
	if (task) {
		HASH_DEL(render->tasks, task);
		task_free(task);
	}
	forget_oldest(render);
	r = task_new(render, picture, &task);
	if (r < 0)
		return err_trace(r);
	HASH_ADD_STR(render->tasks, key, task);
	enqueue(render, task);
	return 0;
}

enum sim_render_state sim_render_state(struct sim_render *render, const char *key, int64_t *ret_done_ms)
{
	struct task *task;

	HASH_FIND_STR(render->tasks, key, task);
	*ret_done_ms = task ? task->done_ms : 0;
	if (task)
		return task->state;
	return is_cached(render, key) ? SIM_RENDER_DONE : SIM_RENDER_FAILED;
}

int sim_render_open(struct sim_render *render, const char *key, const char *suffix, int *ret_fd)
{
	char path[PATH_MAX];
	int fd, r;

	r = path_of(render, key, suffix, path);
	if (r < 0)
		return err_trace(r);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_origin(-errno);

	*ret_fd = fd;
	return 0;
}

struct sim_render_count sim_render_count(const struct sim_render *render)
{
	return render->count;
}

static int find_font(struct sim_render *render, struct errmsg *msg)
{
	const char *font = render->spec.font;

	for (size_t i = 0; !font && i < sizeof(fonts) / sizeof(fonts[0]); i++)
		if (access(fonts[i], R_OK) == 0)
			font = fonts[i];
	if (!font || access(font, R_OK) < 0) {
		errmsg_set(
			msg,
			"the font '%s' cannot be read; install DejaVu (Debian: fonts-dejavu-core) or give --font FILE",
			font ? font : fonts[0]);
		return SIM_RENDER_E_UNFIT;
	}
	render->font = realpath(font, NULL);
	return render->font ? 0 : err_origin(-errno);
}

/* Children start in folders of their own, so a path must not depend on ours. */
static int find_program(struct sim_render *render, struct errmsg *msg)
{
	const char *name = render->spec.ffmpeg;

	render->program = strchr(name, '/') ? realpath(name, NULL) : strdup(name);
	if (render->program)
		return 0;
	errmsg_set(msg, "cannot find '%s': %s; install ffmpeg (Debian: ffmpeg) or give --ffmpeg FILE", name,
		   strerror(errno));
	return SIM_RENDER_E_UNFIT;
}

static int wait_for_trial(const struct sim_render *render, pid_t pid)
{
	int status = -1;

	for (int i = 0; i < render->spec.timeout_s * 100; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		usleep(10000);
	}
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* One real second of video with everything that later ones need: H.264, AAC, JPEG, GIF and the text filter. */
static int try_ffmpeg(struct sim_render *render, struct errmsg *msg)
{
	struct sim_picture picture = {
		.text = "ready", .width = 64, .height = 36, .fps = 5, .seconds = 1, .is_small = true};
	_cleanup_(task_freep) struct task *task = NULL;
	int r;

	r = task_new(render, &picture, &task);
	if (r < 0)
		return err_trace(r);
	r = begin_child(render, task);
	if (r == -ENOENT || r == -EACCES) {
		errmsg_set(msg, "cannot run '%s': %s; install ffmpeg (Debian: ffmpeg) or give --ffmpeg FILE",
			   render->spec.ffmpeg, strerror(-r));
		return SIM_RENDER_E_UNFIT;
	}
	if (r < 0)
		return err_trace(r);
	if (wait_for_trial(render, task->pid) != 0) {
		complain(task);
		errmsg_set(msg, "'%s' cannot render: it needs libx264, aac, mjpeg, gif, lavfi and drawtext",
			   render->spec.ffmpeg);
		return SIM_RENDER_E_UNFIT;
	}
	return 0;
}

int sim_render_new(const struct sim_render_spec *spec, struct errmsg *msg, struct sim_render **ret)
{
	_cleanup_(sim_render_freep) struct sim_render *render = calloc(1, sizeof(*render));
	int r;

	if (!render)
		return err_origin(-ENOMEM);
	render->spec = *spec;
	render->queue_end = &render->queue;
	if (mkdir(spec->cache, 0755) < 0 && errno != EEXIST) {
		errmsg_set(msg, "cannot create the folder '%s': %s", spec->cache, strerror(errno));
		return SIM_RENDER_E_UNFIT;
	}
	sweep(render);
	r = find_font(render, msg);
	if (r)
		return r;
	r = find_program(render, msg);
	if (r)
		return r;
	r = try_ffmpeg(render, msg);
	if (r)
		return r;

	*ret = steal(render);
	return 0;
}

static void stop_children(struct sim_render *render)
{
	for (int i = 0; i < render->spec.children; i++)
		if (render->running[i])
			kill(-render->running[i]->pid, SIGKILL);
	for (int i = 0; i < render->spec.children; i++) {
		if (!render->running[i])
			continue;
		waitpid(render->running[i]->pid, NULL, 0);
		sim_loop_forget(render->spec.loop, &render->running[i]->timer);
	}
}

struct sim_render *sim_render_free(struct sim_render *render)
{
	struct task *task, *next;

	if (!render)
		return NULL;
	stop_children(render);
	HASH_ITER(hh, render->tasks, task, next) {
		HASH_DEL(render->tasks, task);
		task_free(task);
	}
	free(render->program);
	free(render->font);
	free(render);
	return NULL;
}

void sim_render_freep(struct sim_render **render)
{
	sim_render_free(*render);
}
