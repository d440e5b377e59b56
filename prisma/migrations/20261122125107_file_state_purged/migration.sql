-- CreateIndex
CREATE INDEX "file_state_purged_at_idx" ON "carcosa"."file"("state", "purged_at");
