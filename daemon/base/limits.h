/*
 * The limits of the daemon that are not configuration, by name. What users and providers can reach has a test at the
 * limit; a number that only paces the daemon itself need not.
 */
#ifndef FG_BASE_LIMITS_H
#define FG_BASE_LIMITS_H

#include "base/failpoint.h"

#include <stdint.h>

/* room: base, log */
#define LIMIT_LOG_VALUE 1024 /* bytes of one value; longer ones are cut */
#define LIMIT_LOG_LINE 16384 /* bytes of one line */

/* room: base, quotations */
#define LIMIT_QUOTE 80       /* bytes of a stranger's text that a message shows */
#define LIMIT_QUOTE_NAME 200 /* of a name that says which */

/* room: base, JSON */
#define LIMIT_JSON_DEPTH 64          /* values inside values, the outermost is 1 */
#define LIMIT_JSON_NODES 262144      /* values of one arena */
#define LIMIT_JSON_BYTES 33554432    /* bytes of the texts, numbers and names of one arena */
#define LIMIT_JSON_POINTER_TOKEN 512 /* bytes of one step of a JSON Pointer */
#define LIMIT_JSON_LIFT_PLACES 32    /* where texts are taken out of one document */
#define LIMIT_JSON_LIFT_TOKENS 16    /* of one such place */
#define LIMIT_JSON_LIFT_TEXTS 256    /* texts taken out of one document */

/* room: plugin */
#define LIMIT_PLUGIN_URL 8192                   /* bytes of a URL */
#define LIMIT_PLUGIN_URL_NAME 128               /* bytes of a {name} in a path */
#define LIMIT_PLUGIN_TEXT 1048576               /* bytes of one text that a plugin makes */
#define LIMIT_PLUGIN_BODY 8388608               /* bytes of a request's body */
#define LIMIT_PLUGIN_BODY_TEXT 65536            /* bytes that a plugin sees of a reply that is not JSON */
#define LIMIT_PLUGIN_HEADERS 64                 /* of one request */
#define LIMIT_PLUGIN_HEADER_VALUE 8192          /* bytes */
#define LIMIT_PLUGIN_STATE 65536                /* bytes of a job's state as JSON */
#define LIMIT_PLUGIN_REPORT 1048576             /* bytes of a report as JSON */
#define LIMIT_PLUGIN_NOTES 64                   /* of one step */
#define LIMIT_PLUGIN_WORD 255                   /* bytes kept of a code, a status, a role */
#define LIMIT_PLUGIN_LIST_NEXT 1024             /* bytes of what names the next page of a list */
#define LIMIT_PLUGIN_WORDS 4096                 /* bytes kept of a message, a remote id, a header */
#define LIMIT_PLUGIN_REMOTES 256                /* of one answer */
#define LIMIT_PLUGIN_OUTPUTS 256                /* of one answer */
#define LIMIT_PLUGIN_WAIT_MS INT64_C(604800000) /* a week: the longest wait that a plugin may ask for */
#define LIMIT_PLUGIN_TIMEOUT_MS 3600000         /* the longest time-out that a plugin may ask for */
#define LIMIT_PLUGIN_TABLE 4096                 /* bytes of a structure that a plugin hands over */
#define LIMIT_PLUGIN_MANIFEST 262144            /* bytes */
#define LIMIT_PLUGIN_THREADS 2                  /* that compute steps */

/* room: plugin, recordings */
#define LIMIT_REDACT_LEAST 6                      /* bytes of a secret that is looked for within texts */
#define LIMIT_REDACT_HANDLE 8                     /* the same of what a provider calls a file */
#define LIMIT_REDACT_KNOWN 1024                   /* of those that later steps are searched for; the oldest go */
#define LIMIT_REDACT_PARAMETER 16                 /* bytes of a link's query parameter that may stay */
#define LIMIT_RECORDING 1048576                   /* bytes of one; a step that makes a larger one is not recorded */
#define LIMIT_RECORDINGS 10000                    /* files of one folder; then nothing more is recorded */
#define LIMIT_RECORDINGS_BYTES INT64_C(268435456) /* of them together */

/* room: engine */
#define LIMIT_ENGINE_WINDOW 64                       /* queued jobs of one provider in memory */
#define LIMIT_ENGINE_SCHEDULE_MS INT64_C(2592000000) /* how far ahead a job may be scheduled: 30 days */
#define LIMIT_ENGINE_BREAKER_MS \
	FAILPOINT_HURRY_MS(10000) /* until a provider that only fails is tried; doubled by each failure */
#define LIMIT_ENGINE_BREAKER_CAP_MS FAILPOINT_HURRY_MS(300000)
#define LIMIT_ENGINE_PLACES 1000 /* of the queue that are counted for whoever asks where a job stands */
#define LIMIT_ENGINE_UPLOADS 64  /* of assets, open at once: a file and a message of memory each */
#define LIMIT_ENGINE_SENDS 64    /* send records of one job; then one that decides nothing makes place for the next */
#define LIMIT_ENGINE_BACKOFF_BASE_MS FAILPOINT_HURRY_MS(1000)
#define LIMIT_ENGINE_BACKOFF_CAP_MS FAILPOINT_HURRY_MS(60000)
#define LIMIT_ENGINE_REPEAT_CAP_MS FAILPOINT_HURRY_MS(1800000) /* between repeats of an undecided purchase */
#define LIMIT_ENGINE_REPEAT_SPARE_MS 60000                     /* before the key's window ends, for the last one */
#define LIMIT_ENGINE_RECONCILES 24 /* looks for one lost order, most of them at the cap's distance */
#define LIMIT_ENGINE_RECONCILE_CAP_MS FAILPOINT_HURRY_MS(600000) /* between two of them */
#define LIMIT_ENGINE_RECONCILE_HOPS 32                           /* exchanges of one look */
/* From the last send of a lost order on, that its plugin may wait for the provider's list to be complete. */
#define LIMIT_ENGINE_RECONCILE_WAIT_MS FAILPOINT_HURRY_MS(90000000)
#define LIMIT_ENGINE_UNCHARGED 10        /* further attempts of a job after failures that cost nothing */
#define LIMIT_ENGINE_ROUTE_TRIES 3       /* exchanges in a row that came to nothing, until a job takes its next route */
#define LIMIT_ENGINE_ROUTE_WAIT_MS 60000 /* a pause that a provider asks for: after a longer one it does so at once */
#define LIMIT_ENGINE_ROUTE_SWEEP_MS 5000 /* between looks for those that wait for a provider that takes nothing */
#define LIMIT_ENGINE_RESUBMITS 2         /* of one job whose policy is to order again in doubt */
#define LIMIT_ENGINE_OTHERS 256          /* jobs that were ordered at the same time, shown to one look */
#define LIMIT_ENGINE_OTHERS_BYTES 262144 /* of their parameters */
#define LIMIT_ENGINE_OTHERS_MARGIN_MS 600000 /* before and after, for clocks that differ */
/* How long it is known what was ordered, also of deleted jobs: longer than any job may take. */
#define LIMIT_ENGINE_OTHERS_KEPT_MS INT64_C(5184000000)
#define LIMIT_ENGINE_CREDENTIAL_MS 60000                 /* until a refused key is tried again */
#define LIMIT_ENGINE_DISK_MS FAILPOINT_HURRY_MS(30000)   /* until a full disk is looked at again */
#define LIMIT_ENGINE_BUDGET_MS FAILPOINT_HURRY_MS(60000) /* until a budget without room is looked at again */
#define LIMIT_ENGINE_BUDGET_CAP_MS \
	FAILPOINT_HURRY_MS(3600000)      /* the same for one job that was too large for it again and again */
#define LIMIT_ENGINE_BUDGET_TRIES 3      /* orders too dear in a row, until a provider's others wait, too */
#define LIMIT_ENGINE_BUDGET_WAITERS 1024 /* of one budget, who are told when there is room */
/* What a job came to that has ended while its provider goes on: first asked after, then more and more rarely, at most: */
#define LIMIT_ENGINE_AWAIT_FIRST_MS FAILPOINT_HURRY_MS(30000)
#define LIMIT_ENGINE_AWAIT_CAP_MS FAILPOINT_HURRY_MS(600000)
#define LIMIT_ENGINE_AWAIT_MS 86400000
#define LIMIT_ENGINE_AWAIT_AT_ONCE 64 /* such jobs that are being asked about; the others take turns, tried after: */
#define LIMIT_ENGINE_AWAIT_TURN_MS 5000
#define LIMIT_ENGINE_RELINK_CAP_MS FAILPOINT_HURRY_MS(600000) /* between requests for a fresh link */
#define LIMIT_ENGINE_RELINKS 100                              /* fresh links for one job, about a day's worth */
#define LIMIT_ENGINE_EXTRA_TRIES 2                            /* of both, for all that comes beside a video */
#define LIMIT_ENGINE_BAD_FILES 3                              /* downloads that were not the media they should be */
#define LIMIT_ENGINE_LOOKS_MS 120000                          /* in which looks at the videos of one job begin */
#define LIMIT_ENGINE_FETCH_FAILURES 8                         /* of one link in a row that brought nothing */
#define LIMIT_ENGINE_REDIRECTS 5                              /* of one download */
#define LIMIT_ENGINE_FETCH_MS 14400000                        /* one download, whole */
#define LIMIT_ENGINE_FETCH_IDLE_MS 30000                      /* without progress */
#define LIMIT_ENGINE_EXCHANGE_MS 30000                        /* a free exchange that names no time-out */
#define LIMIT_ENGINE_SUBMIT_MS 120000                         /* a paid one, where neither operator nor plugin says */
#define LIMIT_ENGINE_CHECK_MS 10000          /* that an order waits for its turn, and then for its plugin's judgement */
#define LIMIT_ENGINE_CHECKS 1024             /* orders of one provider that wait for its plugin's judgement */
#define LIMIT_ENGINE_CHECKS_BYTES 16777216   /* of them, as the plugin is shown them: more than one largest order */
#define LIMIT_ENGINE_VERB_HOPS 8             /* exchanges of one verb beside a job's course */
#define LIMIT_ENGINE_POLL_HOPS 32            /* exchanges of one poll */
#define LIMIT_ENGINE_LISTING 1000            /* videos of one page of a provider's list; the rest is left out */
#define LIMIT_ENGINE_REMOTE_ID 255           /* bytes of an id that is adopted */
#define LIMIT_ENGINE_TITLE 255               /* bytes of a title that becomes a display name */
#define LIMIT_ENGINE_LISTING_PAGES 400       /* that are looked through for one video */
#define LIMIT_ENGINE_DOUBTS 64               /* undecided orders that are read to tell whose a video may be */
#define LIMIT_ENGINE_CATALOGUE_PAGES 400     /* of one list */
#define LIMIT_ENGINE_CATALOGUE_ENTRIES 10000 /* likewise; what comes after them is left out */
#define LIMIT_ENGINE_RESUME_SPREAD_MS FAILPOINT_HURRY_MS(2000) /* over which polls begin again after a start */
#define LIMIT_ENGINE_RESCAN_MS 1000  /* until a read of an index that failed, or was full, is repeated */
#define LIMIT_ENGINE_WAKE_MS 3600000 /* the longest one timer waits: clocks jump */
#define LIMIT_ENGINE_CLOCK_MS 10000  /* between two looks whether the clock was set */
#define LIMIT_ENGINE_JUMP_MS 5000    /* what is less is no jump */
#define LIMIT_ENGINE_TRIM_FIRST_MS FAILPOINT_HURRY_MS(60000)
#define LIMIT_ENGINE_TRIM_MS FAILPOINT_HURRY_MS(3600000) /* between trims of old events */
#define LIMIT_ENGINE_DRAIN_STEP_MS 10
#define LIMIT_ENGINE_DRAIN_MARGIN_MS 5000     /* beyond the drain, for what replies lead to */
#define LIMIT_ENGINE_EXPECTED_BYTES 268435456 /* of disk reserved for a video before it is paid for */
#define LIMIT_ENGINE_TOMBSTONE_MS 2592000000  /* request ids of deleted jobs: 30 days */
#define LIMIT_WATCH_PAGE 64                   /* events of one read for a watcher */
#define LIMIT_WATCH_PASSED_MS 600000 /* of events that a filter passes over, until the watcher is told where it is */

/* main.c */
#define LIMIT_GRACE_MS 5000      /* for calls in hand, at the end */
#define LIMIT_PLUGIN_END_MS 5000 /* for what plugins compute, then; one that hangs is left behind */

/* room: job */
#define LIMIT_JOB_REDELIVERY_MS INT64_C(172800000) /* that results are asked for again beyond the deadline */
#define LIMIT_JOB_VIOLATIONS 32                    /* of one order, or of one request */
#define LIMIT_JOB_MANIFEST_BYTES 262144
#define LIMIT_JOB_MODELS 64                /* of one manifest */
#define LIMIT_JOB_PARAMETERS_BYTES 1048576 /* of one order, as JSON */
#define LIMIT_JOB_PARAMETERS_NODES 16384
#define LIMIT_JOB_MEDIA 32 /* inputs of one order */
#define LIMIT_JOB_MEDIA_URL 4096
#define LIMIT_JOB_MEDIA_HANDLE 1024
#define LIMIT_JOB_INPUTS (LIMIT_JOB_MEDIA + 2) /* with the script's sound and the background */
#define LIMIT_JOB_HISTORY 200                  /* spans of jobs from which a forecast is made */
#define LIMIT_JOB_FORECAST_SAMPLES 20          /* fewer make none */
#define LIMIT_JOB_ROUTES 5                     /* of one job: what was ordered, and its fallbacks */
#define LIMIT_JOB_NOTES 32                     /* of one job */
#define LIMIT_JOB_NOTE_BYTES 1024              /* of each of a note's texts */
#define LIMIT_JOB_MISMATCHES 32                /* of one job; delivery.c says why the next six are as they are: */
#define LIMIT_JOB_DURATION_OFF_MS 500          /* a video may be longer or shorter by that, or */
#define LIMIT_JOB_DURATION_OFF_PERCENT 5       /* by so much of what was ordered, whichever is more */
#define LIMIT_JOB_SIDE_OFF_PERCENT 10          /* of the lines that a tier names */
#define LIMIT_JOB_AREA_OFF_PERCENT 15          /* of the pixels that a tier has at 16:9 */
#define LIMIT_JOB_SHAPE_OFF_PERCENT 5          /* of an aspect ratio */
#define LIMIT_JOB_FPS_OFF_PERCENT 2            /* of the frame rate */
#define LIMIT_JOB_DEAD_PERCENT 95              /* of a video that are black, or stand still */
#define LIMIT_JOB_ADAPT_PASSES 8               /* over the rules, until an order is refused after all */
#define LIMIT_JOB_PRICES 256                   /* price rules of one model, or of one provider's configuration */
#define LIMIT_JOB_PRICE_MICROS INT64_C(1000000000000)   /* of one second or video: a million */
#define LIMIT_JOB_COST_MICROS INT64_C(1000000000000000) /* that a job may be said to have cost: a billion */
#define LIMIT_JOB_SPEECH_RATE 1000                      /* bytes of text that a second of speech may hold */
#define LIMIT_JOB_EXTRAS_BYTES 65536                    /* as JSON */
#define LIMIT_JOB_EXTRAS_DEPTH 32                       /* values inside values, the extras themselves are 1 */

/* room: http */
#define LIMIT_HTTP_URL 16384 /* bytes */
#define LIMIT_HTTP_REQUEST_HEADERS 64
#define LIMIT_HTTP_REQUEST_HEADER 16384 /* bytes of one name and value */
#define LIMIT_HTTP_REQUEST_BODY (UINT64_C(256) << 20)
#define LIMIT_HTTP_REPLY_HEADERS 256 /* lines, those of 1xx replies and trailers included */
#define LIMIT_HTTP_REPLY_HEADER_BYTES 65536
#define LIMIT_HTTP_REPLY_BODY (UINT64_C(8) << 20) /* bytes in memory */
#define LIMIT_HTTP_TIMEOUT_MS (INT64_C(6) * 3600 * 1000)
#define LIMIT_HTTP_IDLE_BYTES 1024 /* fewer in one idle time-out are no progress */
#define LIMIT_HTTP_RETRY_AFTER_MS (INT64_C(24) * 3600 * 1000)
#define LIMIT_HTTP_EXCHANGES 256
#define LIMIT_HTTP_TRANSFERS 8
#define LIMIT_HTTP_WAITING 100000      /* requests that wait for their lane, all lanes */
#define LIMIT_HTTP_IDLE_CONNECTIONS 64 /* kept for reuse, per loop */

/* room: store */
#define LIMIT_STORE_BATCH_COMMITS 256               /* commits in one synced write */
#define LIMIT_STORE_BATCH_BYTES (1024 * 1024)       /* of commits in one synced write; one larger commit goes alone */
#define LIMIT_STORE_COMMIT_BYTES (16 * 1024 * 1024) /* of one commit: -EMSGSIZE beyond */
#define LIMIT_STORE_REPLY (12 * 1024 * 1024)        /* of a reply's body that is kept: fits a commit with its headers */
#define LIMIT_STORE_COMMIT_JOBS 4                   /* jobs that one commit may touch: -E2BIG beyond */
#define LIMIT_STORE_REQUEST_ID 256                  /* bytes of a request id: -EMSGSIZE beyond */
#define LIMIT_STORE_PROVIDER 128                    /* bytes of a provider's id: -EMSGSIZE beyond */
#define LIMIT_STORE_PAGE 1000                       /* jobs, events or queue entries that one read returns */
#define LIMIT_STORE_LIST_SCAN 10000                 /* jobs that one list call looks at */
#define LIMIT_STORE_COUNT_SCAN 1000000              /* jobs that one count looks at */
#define LIMIT_STORE_WAKE_SCAN 4096                  /* due jobs that one queue scan sorts by priority */
#define LIMIT_STORE_TRIM 2000                       /* events, and request ids, dropped between two batches */
#define LIMIT_STORE_READERS 2                       /* reader threads */
#define LIMIT_STORE_LEDGER_TEXT 255         /* bytes of a currency, provider, model or label in a balance's key */
#define LIMIT_STORE_OPENINGS 512            /* jobs older than the ledger that are written at once */
#define LIMIT_STORE_BALANCES 8192           /* balances that the committer keeps in memory between two batches */
#define LIMIT_STORE_BUDGETS 32              /* budgets that one commit has to keep to */
#define LIMIT_STORE_USAGE_ROWS 10000        /* of one answer about what was spent */
#define LIMIT_STORE_USAGE_SCAN 1000000      /* balances that one such question looks at */
#define LIMIT_STORE_ORDER_SCAN 100000       /* orders of one place that one question looks at */
#define LIMIT_STORE_ORDER_PARAMETERS 262144 /* bytes of a deleted job's parameters that its orders keep */
#define LIMIT_STORE_FLOOR_BYTES (UINT64_C(64) << 20) /* free on its disk: with less nothing new is accepted, ... */
#define LIMIT_STORE_FLOOR_MORE 4                     /* ... until a fourth more is free */
#define LIMIT_STORE_PROBE_BYTES (1024 * 1024)        /* written beside it before it is opened again */
#define LIMIT_STORE_LOOK_MS 1000                     /* between two looks at the disk */
#define LIMIT_STORE_MEND_BASE_MS 100                 /* between two tries to open it again after a failed write: ... */
#define LIMIT_STORE_MEND_CAP_MS 5000                 /* ... at first, and at most */
#define LIMIT_ENGINE_INTENT_MS (INT64_C(60) * 1000)  /* a purchase whose record took longer to store is prepared anew */
/* rooms: config, plugin */
#define LIMIT_SECRET 8192 /* bytes: as long as a header's value may be */

/* room: config */
#define LIMIT_CONFIG_BYTES (1 << 20) /* of the file */
#define LIMIT_CONFIG_LINES 65535     /* of the file: libconfig counts no further */
#define LIMIT_CONFIG_REPORT 65536    /* bytes of a report; what comes later is only counted */
#define LIMIT_CONFIG_WORDS 1024      /* bytes of one message */
#define LIMIT_CONFIG_TEXT 4095       /* bytes of one text of an array */
#define LIMIT_CONFIG_PROVIDERS 256
#define LIMIT_CONFIG_DEPTH 32   /* of groups and lists within each other */
#define LIMIT_CONFIG_SECRETS 16 /* of one provider */
#define LIMIT_CONFIG_KEYS 4     /* of one provider, that came before its secrets */
#define LIMIT_CONFIG_FREE 64    /* members of a provider's free group */

/* room: sim */
#define LIMIT_SIM_GENERATIONS 100000     /* videos in memory; the oldest is forgotten */
#define LIMIT_SIM_REPLAYS 100000         /* idempotency keys in memory; the oldest is forgotten */
#define LIMIT_SIM_REQUESTS 5000          /* rows of /_sim/requests; the oldest is forgotten */
#define LIMIT_SIM_FAULTS 1000            /* rules at a time */
#define LIMIT_SIM_FIELDS 100             /* headers of one request, and query arguments; 400 */
#define LIMIT_SIM_HEAD 65536             /* bytes of a request line with its headers, and of a connection's memory */
#define LIMIT_SIM_CONNECTIONS 2048       /* per listener; further ones wait in the backlog */
#define LIMIT_SIM_RAW_CONNECTIONS 1024   /* taken by faults; further ones are closed at once */
#define LIMIT_SIM_IDLE_S 120             /* seconds until an idle connection is closed */
#define LIMIT_SIM_CHILDREN 64            /* ffmpeg processes that --render-jobs may ask for */
#define LIMIT_SIM_SCRIPT 5000            /* characters, as HeyGen documents */
#define LIMIT_SIM_PROMPT_CINEMATIC 10000 /* likewise */
#define LIMIT_SIM_PROMPT_MODEL 32000     /* likewise */
#define LIMIT_SIM_DELAY_MS 86400000      /* of a fault */
#define LIMIT_SIM_RETRY_S 315360000      /* of a fault's Retry-After; ten years */
#define LIMIT_SIM_AHEAD_MS INT64_C(3155760000000)         /* of the clock; a hundred years */
#define LIMIT_SIM_CREDIT_MICROS INT64_C(1000000000000000) /* of the wallet; a billion dollars */
#define LIMIT_SIM_NOT_A_VIDEO 67108864                    /* bytes of rubbish that a fault may ask for */
#define LIMIT_SIM_OTHER_S 600                             /* seconds of a video that a fault may ask for */
#define LIMIT_SIM_OTHER_SIDE 4096                         /* pixels of it */
#define LIMIT_SIM_PADDING 1073741824                      /* bytes that a fault may add to a video */

#define LIMIT_SIM_ASSETS 10000 /* uploads in memory; the oldest is forgotten */

#define LIMIT_SIM_SAMPLES 4 /* videos of one order, as Veo documents */
/* room: rpc */
#define LIMIT_RPC_MESSAGE (4 * 1024 * 1024)          /* bytes of one request, and of one reply */
#define LIMIT_RPC_METADATA 8192                      /* bytes of a call's request metadata */
#define LIMIT_RPC_DEPTH 100                          /* nesting of a request */
#define LIMIT_RPC_FIELDS 65536                       /* fields of a request, counting every element */
#define LIMIT_RPC_ARENA (32 * 1024 * 1024)           /* bytes that one request may unfold to */
#define LIMIT_RPC_CALLS 4096                         /* unary calls in hand; more are refused */
#define LIMIT_RPC_BYTES_IN_HAND (128 * 1024 * 1024)  /* of their requests; more are refused */
#define LIMIT_RPC_MEMORY ((size_t)512 * 1024 * 1024) /* bytes that libgrpc may hold for all connections */
#define LIMIT_RPC_CONNECTIONS 4096
#define LIMIT_RPC_CONNECTION_STREAMS 4096    /* calls at once on one connection */
#define LIMIT_RPC_STREAMS 16384              /* open watches and reads in all; more are refused */
#define LIMIT_RPC_READS 256                  /* of them, reads of artifacts: a file and a chunk of memory each */
#define LIMIT_RPC_FIFO 64                    /* events that wait for one watcher */
#define LIMIT_RPC_UPLOAD_CHUNK (1024 * 1024) /* bytes of an asset in one message */
#define LIMIT_RPC_UPLOAD_IDLE_MS 60000       /* until an upload that sends nothing is ended */
#define LIMIT_RPC_UPLOAD_GRACE_MS 300000 /* that an upload may be waited for; from then on each millisecond wants: */
#define LIMIT_RPC_UPLOAD_BYTES_PER_MS 32 /* bytes of it, 256 kbit/s on the whole */
#define LIMIT_RPC_CHUNK (256 * 1024)     /* bytes of an artifact in one message */
#define LIMIT_RPC_STATUS_TEXT 512        /* bytes of an error's message */
#define LIMIT_RPC_STATUS_DETAILS 4096    /* bytes of an error's details: clients take 8 KiB of trailers, encoded */
#define LIMIT_RPC_TOKEN 255              /* characters of a page or resume token */
#define LIMIT_RPC_PAGE 1000              /* jobs on a page */
#define LIMIT_RPC_PAGE_DEFAULT 50
#define LIMIT_RPC_ATTEMPTS 16 /* newest attempts, and sends of each, that are shown */
#define LIMIT_RPC_FACTS 16    /* that a check of a provider shows */
#define LIMIT_RPC_QUERY 200   /* bytes of a filter's query */
#define LIMIT_RPC_QUERY_WORDS 8
#define LIMIT_RPC_WORD 255   /* bytes shown of a provider's code or state */
#define LIMIT_RPC_WORDS 1024 /* bytes shown of a provider's own words */

#define LIMIT_API_LINK_S 86400             /* that a link to an artifact is good, unless it is said */
#define LIMIT_API_LINK_MAX_S 2592000       /* at most */
#define LIMIT_API_KEPT ((size_t)128 << 20) /* bytes of files in requests that wait for the disk; more are refused */

/* room: web */
#define LIMIT_WEB_CONNECTIONS 2048          /* at once; further ones wait in the backlog, or are closed */
#define LIMIT_WEB_STREAMS 1536              /* of them with a reply that does not end by itself */
#define LIMIT_WEB_CLIENTS 4096              /* whose requests are counted apart; all others together */
#define LIMIT_WEB_SWEEP_MS 1000             /* between two looks for clients that need not be remembered */
#define LIMIT_WEB_TELL_MS 60000             /* between two lines of the log about one that asks too often */
#define LIMIT_WEB_HEAD 16384                /* bytes of a request line with its headers */
#define LIMIT_WEB_POOL (2 * LIMIT_WEB_HEAD) /* bytes that the library has for it, and for the head of the reply */
#define LIMIT_WEB_BODIES ((size_t)64 << 20) /* bytes of all requests' bodies in hand; more are refused */
/* Bytes of replies that wait for their clients to read them. A large one that does not fit is refused; what is small for
 * its share of a connection is always said, since it may be what became of an order. */
#define LIMIT_WEB_REPLIES ((size_t)128 << 20)
#define LIMIT_WEB_REQUEST_MS 10000          /* from one request or reply to the end of the next, and for each ... */
#define LIMIT_WEB_BYTES_PER_MS 8            /* ... bytes of body a millisecond more, 64 kbit/s */
#define LIMIT_WEB_STALL_MS 120000           /* that a client of a stream may read nothing while there is something */
#define LIMIT_WEB_ANSWER_MS 5000            /* of the engine; then it is taken for dead */
#define LIMIT_WEB_FILE_MS 15000             /* until an artifact is open */
#define LIMIT_WEB_LOOK_MS 2000              /* between two looks at streams that rest: is the client still there? */
#define LIMIT_WEB_BEAT_MS 15000             /* in which an event stream says something */
#define LIMIT_WEB_STREAM_BLOCK 16384        /* bytes of a stream in one piece */
#define LIMIT_WEB_FORM ((size_t)33 << 20)   /* bytes of a form: one file of 32 MiB, and what stands around it */
#define LIMIT_WEB_FORMS ((size_t)132 << 20) /* bytes of all of them in hand, beside the bodies; more are refused */
#define LIMIT_WEB_FORM_TEXT 262144          /* bytes of one field that is no file */
#define LIMIT_WEB_FORM_FIELDS 32
#define LIMIT_WEB_PREFLIGHT_S 7200 /* that a browser may remember what another origin may do */

/* room: artifact */
#define LIMIT_ARTIFACT_WORKERS 16            /* threads that hash and probe */
#define LIMIT_ARTIFACT_BOXES 1048576         /* boxes or elements of one file that are walked */
#define LIMIT_ARTIFACT_DURATION_MS 604800000 /* a week: a longer playing time is taken for not known */
#define LIMIT_ARTIFACT_SIDE 65535            /* pixels: a wider or higher picture is taken for not known */
#define LIMIT_ARTIFACT_TAIL 4096             /* bytes at the end of a picture that are searched for its end mark */
#define LIMIT_ARTIFACT_TEXT (8 << 20)        /* bytes of subtitles and other texts */
#define LIMIT_ARTIFACT_FFPROBE_BYTES 65536   /* of each of its outputs */
#define LIMIT_ARTIFACT_FFPROBE_MS 30000      /* until it is killed */
#define LIMIT_ARTIFACT_FFPROBE_CPU_S 20
#define LIMIT_ARTIFACT_FFPROBE_MEMORY (UINT64_C(4) << 30)
#define LIMIT_ARTIFACT_FRAME_RATE_MILLIHERTZ \
	1000000                  /* a thousand pictures a second: a higher rate is taken for not known */
#define LIMIT_ARTIFACT_LOOKERS 2 /* videos whose pictures are decoded at once */
#define LIMIT_ARTIFACT_LOOK_MS FAILPOINT_HURRY_MS(60000) /* from asking for it to its end, the time in line included */
#define LIMIT_ARTIFACT_LOOK_CPU_S 40
#define LIMIT_ARTIFACT_POSTER_MS 30000 /* from asking for a picture of a video to having it */
#define LIMIT_ARTIFACT_POSTER_CPU_S 20
#define LIMIT_ARTIFACT_POSTER_FRAMES 48 /* of the video, of which one is taken */
#define LIMIT_ARTIFACT_POSTER_BYTES (2 << 20)
#define LIMIT_ARTIFACT_LOOK_FRAMES 240                  /* that are looked at, spread over the video, and */
#define LIMIT_ARTIFACT_LOOK_STEP_MS 250                 /* so far apart at least */
#define LIMIT_ARTIFACT_LOOK_PIXELS UINT64_C(4000000000) /* to decode; a larger video is judged by its key frames */
#define LIMIT_ARTIFACT_LOOK_PICTURE UINT64_C(67108864)  /* pixels of one picture; a larger one is not decoded */
#define LIMIT_ARTIFACT_STILL_MS 2000                    /* that a picture stands until it counts as frozen */

/* room: webhook, and what the store keeps of it */
#define LIMIT_WEBHOOK_ENDPOINTS 16 /* in the configuration */
#define LIMIT_WEBHOOK_SECRETS 4    /* of one endpoint: each signs */
#define LIMIT_WEBHOOK_URL 2048     /* bytes */
#define LIMIT_WEBHOOK_RETRIES 32   /* pauses between tries */
#define LIMIT_WEBHOOK_BODY 262144  /* bytes; a larger one is sent without the job's details */
#define LIMIT_WEBHOOK_REPLY 32768  /* bytes of a reply that are read at most; more than libcurl hands over at once */
#define LIMIT_WEBHOOK_KEPT 256     /* of them that are kept for people */
#define LIMIT_WEBHOOK_TIMEOUT_MS 15000                   /* of one try, from its name lookup to the last byte */
#define LIMIT_WEBHOOK_LANE 4                             /* tries at once at one endpoint; of jobs' own: at one host */
#define LIMIT_WEBHOOK_FLYING 64                          /* and at all of them */
#define LIMIT_WEBHOOK_PENDING 100000                     /* that wait; what comes on top is given up at once */
#define LIMIT_WEBHOOK_PLANNED 64                         /* events that are turned into deliveries at once */
#define LIMIT_WEBHOOK_RETRY_AFTER_MS 7200000             /* that a receiver may ask for */
#define LIMIT_WEBHOOK_CURSOR_MS 30000                    /* between two notes of how far the events were read */
#define LIMIT_WEBHOOK_TRIM_MS FAILPOINT_HURRY_MS(600000) /* between two looks for what has been kept for long enough */
#define LIMIT_WEBHOOK_DELIVERED_MS 86400000              /* that a delivered one is shown */
#define LIMIT_WEBHOOK_DEAD_MS INT64_C(2592000000)        /* that one that was given up is: 30 days */
#define LIMIT_STORE_DELIVERY_SCAN 4096                   /* records that one page of a list looks at */

/* room: engine, inputs */
#define LIMIT_ENGINE_HANDLE_SPARE_MS 600000 /* before the provider forgets an upload, until which it is used */
#define LIMIT_ENGINE_PIECE_BYTES_PER_MS 128 /* of files in a request: so much longer than its time-out it may take */

/* rooms: plugin, engine, web and sdk/sim; webhooks of providers */
#define LIMIT_PLUGIN_RESPONSE 4096         /* bytes of JSON in answer to one */
#define LIMIT_ENGINE_HINTS 32              /* of one provider, that its plugin reads at once */
#define LIMIT_ENGINE_HINTS_EARLY 64        /* of one provider: videos it told of, and no job has */
#define LIMIT_ENGINE_HINTS_EARLY_MS 600000 /* that they are remembered */
#define LIMIT_ENGINE_HINTS_TELL_MS 60000   /* between two lines of the log about refused ones of one provider */
#define LIMIT_WEB_HINT 65536               /* bytes of one */
#define LIMIT_SIM_ENDPOINTS 16             /* that they are sent to */

#endif
