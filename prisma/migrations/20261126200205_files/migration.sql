-- AlterTable
ALTER TABLE "carcosa"."file" ADD COLUMN     "custom_id" TEXT,
ADD COLUMN     "purge_after" TIMESTAMPTZ(3),
ADD COLUMN     "revision" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "tags" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[];

-- CreateTable
CREATE TABLE "carcosa"."file_tag" (
    "file_id" TEXT NOT NULL,
    "tag" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "file_tag_pkey" PRIMARY KEY ("file_id","tag")
);

-- CreateIndex
CREATE INDEX "file_tag_project_id_tag_created_at_file_id_idx" ON "carcosa"."file_tag"("project_id", "tag", "created_at" DESC, "file_id" DESC);

-- AddForeignKey
ALTER TABLE "carcosa"."file_tag" ADD CONSTRAINT "file_tag_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "carcosa"."file"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Lists in any states: one ordered scan for each state.
-- CreateIndex
CREATE INDEX "file_project_id_state_created_at_id_idx" ON "carcosa"."file"("project_id", "state", "created_at" DESC, "id" DESC);

-- What is asked of files that can be read is asked of those alone, so that an upload has no entry
-- before it is finished and none after it has ended. Texts are cut, since an entry of an index has
-- at most 2,704 bytes; ids would double what these are, and files of the same moment are few to sort.
CREATE INDEX "file_by_route_idx" ON "carcosa"."file"("project_id", "route", "created_at" DESC)
WHERE "state" IN ('stored', 'processing', 'ready');

CREATE INDEX "file_by_owner_idx" ON "carcosa"."file"("project_id", "owner_id", "created_at" DESC)
WHERE "state" IN ('stored', 'processing', 'ready') AND "owner_id" IS NOT NULL;

CREATE INDEX "file_by_type_idx" ON "carcosa"."file"("project_id", (left("content_type", 128)) COLLATE "C", "created_at" DESC)
WHERE "state" IN ('stored', 'processing', 'ready');

CREATE INDEX "file_by_name_idx" ON "carcosa"."file"("project_id", (left("filename", 200)) COLLATE "C", "id")
WHERE "state" IN ('stored', 'processing', 'ready');

-- The same in all states but those that have ended.
CREATE UNIQUE INDEX "file_custom_id_key" ON "carcosa"."file"("project_id", "custom_id")
WHERE "custom_id" IS NOT NULL
    AND "state" IN ('created', 'receiving', 'stored', 'processing', 'ready', 'quarantined');

-- For the sweep: what expires, and what ended with its bytes still there.
CREATE INDEX "file_expiring_idx" ON "carcosa"."file"("expires_at")
WHERE "state" IN ('created', 'receiving');

CREATE INDEX "file_unpurged_idx" ON "carcosa"."file"("id")
WHERE "state" IN ('removed', 'expired', 'rejected') AND "purged_at" IS NULL;

-- DropIndex
DROP INDEX "carcosa"."file_project_id_created_at_id_idx";

-- DropIndex
DROP INDEX "carcosa"."file_project_id_owner_id_created_at_idx";

-- DropIndex
DROP INDEX "carcosa"."file_project_id_route_created_at_idx";

-- DropIndex
DROP INDEX "carcosa"."file_state_expires_at_idx";

-- DropIndex
DROP INDEX "carcosa"."file_state_purged_at_idx";
