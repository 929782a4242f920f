/*
 * HeyGen's webhooks: {"event_type": "avatar_video.success", "event_data": {"video_id": …, …}}. All events that are about
 * a video name it by the id that GET /v3/videos/{id} knows; what else stands there is not looked at. Events of batches,
 * avatars and translations name no video of ours.
 */
#include "heygen.h"

int32_t heygen_webhook(const struct fg_host *h, struct fg_step *s)
{
	fg_node id = h->at(s, h->document(s, FG_DOC_REPLY), "/event_data/video_id");
	struct fg_text text = h->text(s, id);

	/* What is no id would be a fault of the plugin's to pass on. */
	if (h->kind(s, id) != FG_KIND_TEXT || text.size == 0 || text.size > HEYGEN_VIDEO_ID)
		return h->respond(s, FG_RESPONSE(.status = 204));
	for (uint64_t i = 0; i < text.size; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return h->respond(s, FG_RESPONSE(.status = 204));
	return h->hint(s, FG_RESPONSE(.status = 204, .remote_id = text));
}
