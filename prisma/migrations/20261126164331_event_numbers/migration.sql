-- DropIndex
DROP INDEX "carcosa"."event_file_id_seq_idx";

-- DropIndex
DROP INDEX "carcosa"."event_project_id_seq_idx";

-- AlterTable
ALTER TABLE "carcosa"."event" ADD COLUMN     "number" BIGINT;

-- CreateTable
CREATE TABLE "carcosa"."event_sequence" (
    "project_id" TEXT NOT NULL,
    "last" BIGINT NOT NULL,
    "dropped" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "event_sequence_pkey" PRIMARY KEY ("project_id")
);

-- CreateIndex
CREATE INDEX "event_file_id_number_idx" ON "carcosa"."event"("file_id", "number");

-- CreateIndex
CREATE UNIQUE INDEX "event_project_id_number_key" ON "carcosa"."event"("project_id", "number");

-- What there is so far is numbered in the order of insertion: nobody has read it by number.
UPDATE "carcosa"."event" e SET "number" = n."number"
FROM (
    SELECT "seq", row_number() OVER (PARTITION BY "project_id" ORDER BY "seq") AS "number"
    FROM "carcosa"."event"
) n
WHERE e."seq" = n."seq";

INSERT INTO "carcosa"."event_sequence" ("project_id", "last")
SELECT "project_id", max("number") FROM "carcosa"."event" GROUP BY "project_id";

-- Those yet to be numbered are found without looking at the others.
CREATE INDEX "event_unnumbered_idx" ON "carcosa"."event"("seq") WHERE "number" IS NULL;
