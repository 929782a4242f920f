#include "sim/picture.h"

#include "base/err.h"

#define WORDS_PER_CUE 10
/* DejaVu Sans Mono: every glyph is 0.602 em wide; 1.2 em is its line height. */
#define GLYPH_PERMILLE 602
#define LINE_PERMILLE 1200
/* The part of the frame that text may fill. */
#define WIDTH_PERCENT 90
#define HEIGHT_PERCENT 75

struct word {
	const char *text;
	size_t len;
	int columns;
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Spaces and control characters alike; a word is what lies between. */
static bool is_gap(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

static bool next_word(const char **cursor, struct word *word)
{
	const char *p = *cursor;

	while (*p && is_gap(*p))
		p++;
	*word = (struct word){.text = p};
	for (; *p && !is_gap(*p); p++)
		word->columns += !is_continuation(*p);
	word->len = (size_t)(p - word->text);
	*cursor = p;
	return word->len > 0;
}

struct sim_digest_text sim_picture_key(const struct sim_picture *picture)
{
	struct sim_digest_text key;
	struct buffer all = {0};
	struct digest digest;

	buffer_printf(&all, "4 %d %d %d %d %d %u %d %d %d\n", picture->width, picture->height, picture->fps,
		      picture->seconds, picture->format, picture->color, picture->is_clear, picture->has_captions,
		      picture->is_small);
	if (picture->is_black || picture->is_still)
		buffer_printf(&all, "%d %d\n", picture->is_black, picture->is_still);
	buffer_append_text(&all, picture->text);
	digest = digest_of(buffer_bytes(&all));
	digest_format(&digest, key.text);
	buffer_finish(&all);
	return key;
}

/* Scripts without spaces between words (from U+3000 on) count two glyphs as a word. */
int sim_picture_seconds(const char *text, int speed_permille)
{
	int64_t half_words = 0, seconds;
	const char *cursor = text;
	struct word word;

	while (next_word(&cursor, &word)) {
		int64_t wide = 0;

		for (size_t i = 0; i < word.len; i++)
			wide += (unsigned char)word.text[i] >= 0xe3;
		half_words += wide > 2 ? wide : 2;
	}
	seconds = (half_words * 1000 + 5 * speed_permille - 1) / (5 * (int64_t)speed_permille);
	return seconds < 1 ? 1 : (int)seconds;
}

/* Breaks the text at @columns into @out, or only counts when @out is NULL. A longer word is cut. */
static int break_lines(const char *text, int columns, struct buffer *out, int *ret_lines)
{
	int lines = 1, used = 0, r = 0;
	struct word word;

	while (r == 0 && next_word(&text, &word)) {
		if (used && used + 1 + word.columns > columns) {
			lines++;
			used = 0;
			r = out ? buffer_append(out, "\n", 1) : 0;
		} else if (used) {
			used++;
			r = out ? buffer_append(out, " ", 1) : 0;
		}
		for (size_t i = 0; r == 0 && i < word.len; i++) {
			if (!is_continuation(word.text[i]) && used++ == columns) {
				lines++;
				used = 1;
				r = out ? buffer_append(out, "\n", 1) : 0;
			}
			if (r == 0 && out)
				r = buffer_append(out, &word.text[i], 1);
		}
	}
	*ret_lines = lines;
	return r;
}

int sim_picture_layout(const struct sim_picture *picture, struct sim_layout *ret)
{
	int font_px, columns, lines, room;
	struct buffer text = {0};
	int r;

	for (font_px = picture->height / 9;; font_px--) {
		if (font_px < 4)
			font_px = 4;
		columns = picture->width * WIDTH_PERCENT * 10 / (font_px * GLYPH_PERMILLE);
		room = picture->height * HEIGHT_PERCENT * 10 / (font_px * LINE_PERMILLE);
		if (columns < 1)
			columns = 1;
		break_lines(picture->text, columns, NULL, &lines);
		if (lines <= room || font_px == 4)
			break;
	}
	r = break_lines(picture->text, columns, &text, &lines);
	if (r < 0) {
		buffer_finish(&text);
		return err_trace(r);
	}

	*ret = (struct sim_layout){.lines = text, .font_px = font_px};
	return 0;
}

void sim_layout_finish(struct sim_layout *layout)
{
	buffer_finish(&layout->lines);
}

static int add_instant(struct buffer *srt, int64_t ms)
{
	return buffer_printf(srt, "%02lld:%02lld:%02lld,%03lld", (long long)(ms / 3600000),
			     (long long)(ms / 60000 % 60), (long long)(ms / 1000 % 60), (long long)(ms % 1000));
}

static int add_cue(struct buffer *srt, int number, int64_t begin_ms, int64_t end_ms, const char *text)
{
	int r;

	r = buffer_printf(srt, "%d\n", number);
	r = r ? r : add_instant(srt, begin_ms);
	r = r ? r : buffer_append_text(srt, " --> ");
	r = r ? r : add_instant(srt, end_ms);
	return r ? r : buffer_printf(srt, "\n%s\n\n", text);
}

/* The next cue's words in @line, none at the end of the text; adds its letters to @letters. */
static int take_cue(const char **cursor, struct buffer *line, int64_t *letters)
{
	struct word word;
	int r = 0;

	line->len = 0;
	for (int i = 0; r == 0 && i < WORDS_PER_CUE && next_word(cursor, &word); i++) {
		*letters += word.columns;
		r = buffer_printf(line, "%s%.*s", i ? " " : "", (int)word.len, word.text);
	}
	return r;
}

static int64_t letters_of(const char *text)
{
	int64_t letters = 0;
	struct word word;

	while (next_word(&text, &word))
		letters += word.columns;
	return letters;
}

int sim_picture_subtitle(const struct sim_picture *picture, struct buffer *srt)
{
	int64_t total = letters_of(picture->text), before = 0, after = 0, length_ms = picture->seconds * 1000LL;
	const char *cursor = picture->text;
	struct buffer line = {0};
	int r = 0;

	for (int cue = 1; total > 0; cue++) {
		r = take_cue(&cursor, &line, &after);
		if (r < 0 || line.len == 0)
			break;
		r = add_cue(srt, cue, before * length_ms / total, after * length_ms / total, line.data);
		if (r < 0)
			break;
		before = after;
	}
	buffer_finish(&line);
	return r < 0 ? err_trace(r) : 0;
}
