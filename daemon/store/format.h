/*
 * The layout of what is stored: STORE_FORMAT is its number, kept in the Meta record; a daemon opens its own number and
 * lower ones, and refuses a higher one (STORE_E_NEWER_FORMAT).
 *
 * How to change the format
 *
 *  - A new field of a message: add it to proto/filmgate/store/v1 under a new number, with a default (zero, empty)
 *    that means what older records meant. Nothing else: older daemons carry it along when they rewrite the record.
 *  - A changed meaning of a message: raise its RECORD_* byte below, read every lower byte that was ever released, and
 *    raise STORE_FORMAT, since an older daemon would refuse the record when it meets it.
 *  - A new or changed key: raise STORE_FORMAT; when a lower number is found in Meta, store_open() rewrites the keys
 *    and the Meta record in one batch before the first thread starts. Letters of abandoned keys are never used again.
 *  - Numbers so far: 1; 2 has assets and their handles (f, n, u, k), since a daemon of 1 would collect a file that only
 *    an asset names, and lists what is UNCERTAIN as open (o); 3 has orders by place and time (s); 4 has the ledger (l, v, b) and what each
 *    job holds of it, since a daemon of 3 would buy and end what is reserved without posting it; 5 has the owners of
 *    remote ids (x) and jobs that were adopted, which a daemon of 4 would take for purchases and not list as owners.
 *  - Each time: put a store written by the last release into tests/ and open it there for ever.
 *
 * Keys
 *
 * Every key begins with one letter and the tenant. Numbers are big-endian, so that bytes sort as numbers do; "~" is
 * the bitwise complement, which sorts downwards. Tenant 0 is the store itself. Text in the middle of a key ends with
 * a zero byte, at the end of a key it has no terminator.
 *
 *   m tenant                                        Meta (tenant 0), Tenant (others, from the first job or asset on)
 *   j tenant ~id 1                                  Job        | one job's records lie together,
 *   j tenant ~id 2                                  State      | newest job first
 *   j tenant ~id 3 attempt                          Attempt    |
 *   j tenant ~id 4 attempt number                   Send       |
 *   j tenant ~id 5 attempt index                    Remote     |
 *   j tenant ~id 6 index                            Artifact   |
 *   p tenant ~id attempt number                     Reply to a paid request
 *   r tenant request-id                             Request: who owns it; stays when its job goes
 *   t tenant deleted_ms request-id                  -          request ids whose job is gone
 *   q tenant provider 0 ~priority created_ms id     -          QUEUED, may start now
 *   w tenant provider 0 until_ms ~priority id       -          QUEUED, waits until then
 *   d tenant deadline_ms id                         -          states that a deadline ends
 *   o tenant id                                     -          active states and UNCERTAIN, for the start
 *   e tenant sequence                               Event
 *   h tenant ~id revision                           sequence   the job's own events; they outlive it until trimmed
 *   a tenant sha256 ~id index                       -          artifacts that name this content
 *   k tenant sha256 account                         Handle     what an account's provider calls this content
 *   f tenant sha256                                 Asset
 *   n tenant ~id sha256                             -          assets, newest first
 *   u tenant sha256 ~id                             -          jobs that have not ended and use this asset
 *   s 0 place sent_ms tenant id attempt number      Order      sends that may have bought, of all tenants: an account
 *                                                              does not ask whose they are. They outlive their job
 *                                                              until they are trimmed. place: job_place_of()
 *
 *   x 0 sha256-of-remote-id place tenant ~id        -          whose job it is, what the provider at this place calls so; of
 *                                                              all tenants, and for ever
 *   l tenant sequence                               LedgerEntry
 *   v tenant ~id sequence                           -          the entries of one job; both outlive it
 *   b tenant dimension [label 0] period start currency 0 name 0 value 0
 *                                                   LedgerBalance. dimension and period: ledger.h; label: a label's
 *                                                              key, which is no part of other dimensions; start:
 *                                                              yyyymmdd. Texts are cut at LIMIT_STORE_LEDGER_TEXT
 *
 *   g tenant ~sequence endpoint                     Delivery: the webhook of this event for this endpoint
 *   i tenant sequence endpoint                      Delivery, without its body: those that are to be sent
 *   c tenant endpoint                               sequence   events up to this one have their deliveries
 *
 * g, i and c needed no new number: a daemon that does not know them leaves them alone, and sends no webhooks meanwhile.
 *
 * l, v and b are never trimmed: what was spent is asked for years later. An entry with two labels takes about 150 bytes
 * with its keys, before compression, and a purchase has two or three.
 *
 * Record values are one version byte and a message; "-" has no value; the value of h and c is the sequence, 8 bytes.
 */
#ifndef FG_STORE_FORMAT_H
#define FG_STORE_FORMAT_H

#define STORE_FORMAT 5u

/* The version byte before each message. */
#define RECORD_VERSION 1u

enum key_letter {
	KEY_META = 'm',
	KEY_JOB = 'j',
	KEY_REPLY = 'p',
	KEY_REQUEST = 'r',
	KEY_TOMBSTONE = 't',
	KEY_QUEUE = 'q',
	KEY_WAKE = 'w',
	KEY_DEADLINE = 'd',
	KEY_OPEN = 'o',
	KEY_EVENT = 'e',
	KEY_HISTORY = 'h',
	KEY_REFERENCE = 'a',
	KEY_HANDLE = 'k',
	KEY_ASSET = 'f',
	KEY_ASSET_LIST = 'n',
	KEY_ASSET_USE = 'u',
	KEY_ORDER = 's',
	KEY_OWNER = 'x',
	KEY_LEDGER = 'l',
	KEY_LEDGER_OF_JOB = 'v',
	KEY_BALANCE = 'b',
	KEY_DELIVERY = 'g',
	KEY_DELIVERY_DUE = 'i',
	KEY_DELIVERY_CURSOR = 'c',
};

/* The byte behind ~id in a KEY_JOB key. */
enum key_part {
	KEY_PART_JOB = 1,
	KEY_PART_STATE = 2,
	KEY_PART_ATTEMPT = 3,
	KEY_PART_SEND = 4,
	KEY_PART_REMOTE = 5,
	KEY_PART_ARTIFACT = 6,
};

#endif
