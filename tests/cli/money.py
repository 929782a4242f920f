"""usage, ledger: what was reserved and spent, for people, programs and spreadsheets; and what get says of it."""

import csv
import io
import json
import unittest

from fake import Case, message, number

ROW = dict(currency_code="USD", reserved_micros=1_500_000, spent_micros=20_000_000, excess_micros=250_000,
           unconfirmed_micros=1, purchase_count=12, unpriced_count=2)
JOB = "jobs/01890000-0000-7000-8000-000000000001"


def entry(sequence, **more):
    return message("LedgerEntry", sequence=sequence, kind=number("LedgerEntryKind", "RESERVE"),
                   debit=number("LedgerAccount", "RESERVED"), credit=number("LedgerAccount", "BUDGET"),
                   amount_micros=1_600_000, currency_code="EUR", date="2026-11-22", job=JOB,
                   provider="providers/heygen", **more)


class Money(Case):
    def setUp(self):
        super().setUp()
        self.asked = []
        self.rows = [message("UsageRow", **ROW)]
        self.fake.on["GetUsage"] = self.usage

    def usage(self, request):
        self.asked.append(request)
        return message("GetUsageResponse", rows=self.rows)

    def test_all_together_is_one_row_with_columns_that_mean_something(self):
        done = self.expect(0, "usage", out=["CURRENCY", "USD", "20", "1.5", "0.25", "0.000001", "12", "2"])
        self.assertNotIn("PROVIDER", done.out)
        self.assertNotIn("DATE", done.out)

    def test_the_groups_and_days_are_those_that_were_asked_for(self):
        self.rows = [message("UsageRow", date="2026-11-22", provider="providers/heygen", model="avatar\033[2J", **ROW)]
        self.expect(0, "usage", "--by", "day,model", "--from", "2026-11-01", "--to", "2026-11-30",
                    out=["DATE", "2026-11-22", "heygen", "avatar?[2J"])
        asked = self.asked[-1]
        self.assertEqual((asked.by_day, asked.group, asked.from_date, asked.to_date),
                         (True, number("UsageGroup", "MODEL"), "2026-11-01", "2026-11-30"))
        self.expect(0, "usage", "--by", "label:team")
        self.assertEqual((self.asked[-1].group, self.asked[-1].label_key), (number("UsageGroup", "LABEL"), "team"))
        self.expect(0, "usage", "--by", "provider,day")
        self.assertEqual((self.asked[-1].by_day, self.asked[-1].group), (True, number("UsageGroup", "PROVIDER")))

    def test_what_cannot_be_counted_by_is_refused_before_anybody_is_asked(self):
        for by in ("week", "provider,model", "label:", "label:a,label:b", "day;model"):
            self.expect(2, "usage", "--by", by, says=by)
        self.assertEqual(self.asked, [])

    def test_json_and_csv(self):
        self.rows = [message("UsageRow", label_value='=1+1,"x"', **ROW), message("UsageRow", label_value="red", **ROW)]
        out = json.loads(self.expect(0, "usage", "--by", "label:team", "-o", "json").out)
        self.assertEqual([row["label_value"] for row in out], ['=1+1,"x"', "red"])
        self.assertEqual(out[0]["spent_micros"], 20_000_000)
        self.assertEqual(len(self.expect(0, "usage", "-o", "jsonl").out.splitlines()), 2)
        rows = list(csv.DictReader(io.StringIO(self.expect(0, "usage", "--by", "label:team", "-o", "csv").out)))
        # No spreadsheet takes it for a formula.
        self.assertEqual([row["label"] for row in rows], ["'=1+1,\"x\"", "red"])
        self.assertEqual((rows[0]["spent"], rows[0]["reserved"], rows[0]["above_quote"], rows[0]["unconfirmed"],
                          rows[0]["purchases"], rows[0]["unpriced"], rows[0]["currency"]),
                         ("20", "1.5", "0.25", "0.000001", "12", "2", "USD"))
        self.rows = []
        self.assertEqual(json.loads(self.expect(0, "usage", "-o", "json").out), [])
        self.expect(0, "usage", says="nothing was reserved or spent")

    def test_the_ledger_is_listed_page_by_page(self):
        pages = {0: ([1, 2], True), 2: ([3], False)}

        def answer(request):
            self.asked.append(request)
            numbers, more = pages[request.after_sequence]
            return message("ListLedgerEntriesResponse", entries=[entry(n, unpriced=n == 3) for n in numbers], more=more)

        self.fake.on["ListLedgerEntries"] = answer
        done = self.expect(0, "ledger", out=["reserve", "budget", "reserved", "1.6 EUR", "no price known", JOB[5:]])
        self.assertEqual(len(done.out.splitlines()), 4)
        self.assertEqual([e["sequence"] for e in json.loads(self.expect(0, "ledger", JOB, "-o", "json").out)],
                         [1, 2, 3])
        self.assertEqual(self.asked[-1].job, JOB)
        self.expect(0, "ledger", "--limit", "2", says="--limit 0")
        self.expect(2, "ledger", "jobs/x", says="jobs/x")

    def test_what_nobody_knows_is_not_shown_as_nothing(self):
        unknown = dict(unpriced=True, unconfirmed=True)
        settled = entry(4, **unknown)
        settled.kind, settled.amount_micros = number("LedgerEntryKind", "SETTLE"), 0
        self.fake.on["ListLedgerEntries"] = lambda request: message("ListLedgerEntriesResponse", entries=[settled])
        done = self.expect(0, "ledger", out=["settle", "not known", "not confirmed"])
        self.assertNotIn("0 EUR", done.out)
        job = self.fake.add_job("SUCCEEDED")
        job.status.money.MergeFrom(message("JobMoney", settlement=number("SettlementState", "FINAL"),
                                           currency_code="EUR", date="2026-11-22", **unknown))
        done = self.expect(0, "get", job.name, out="amount not known; counts on 2026-11-22")
        self.assertNotIn("spent", done.out)

    def test_the_check_tells_a_script_what_it_found(self):
        wrong = 0
        self.fake.on["CheckLedger"] = lambda request: message("CheckLedgerResponse", entry_count=5, job_count=2,
                                                              leaked_count=wrong)
        self.expect(0, "ledger", "--check", out=["5 entries, 2 jobs", "0 reservations leaked"])
        self.assertGreater(self.fake.seconds_left, 3600, "it reads all jobs there are")
        wrong = 1
        self.expect(1, "ledger", "--check", out=["1 reservations leaked"])
        self.assertEqual(json.loads(self.expect(1, "ledger", "--check", "-o", "json").out)["leaked_count"], 1)


if __name__ == "__main__":
    unittest.main()
