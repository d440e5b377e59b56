-- An event is always written from the row of its file, so its keys cannot be wrong; looking them up
-- was a seventh of what Postgres did for a small upload.

-- DropForeignKey
ALTER TABLE "carcosa"."event" DROP CONSTRAINT "event_file_id_fkey";

-- DropForeignKey
ALTER TABLE "carcosa"."event" DROP CONSTRAINT "event_project_id_fkey";
