-- Failed files whose bytes are deleted when their time is over: what the sweep looks for.
CREATE INDEX "file_failed_idx" ON "carcosa"."file"("id")
WHERE "state" = 'failed' AND "purged_at" IS NULL AND "purge_after" IS NOT NULL;
