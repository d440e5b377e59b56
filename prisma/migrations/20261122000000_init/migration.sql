-- CreateSchema
-- Not CREATE SCHEMA IF NOT EXISTS, which needs the right to create schemas even where an
-- administrator has made this one already.
DO $$ BEGIN
  IF to_regnamespace('carcosa') IS NULL THEN
    CREATE SCHEMA "carcosa";
  END IF;
END $$;

-- CreateTable
CREATE TABLE "carcosa"."project" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "project_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "carcosa"."file" (
    "id" TEXT NOT NULL,
    "project_id" TEXT NOT NULL,
    "owner_id" TEXT,
    "route" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "filename" TEXT,
    "declared_type" TEXT,
    "detected_type" TEXT,
    "content_type" TEXT,
    "content_disposition" TEXT NOT NULL DEFAULT 'inline',
    "acl" TEXT NOT NULL DEFAULT 'private',
    "size" BIGINT,
    "offset" BIGINT NOT NULL DEFAULT 0,
    "store_name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "input" JSONB,
    "metadata" JSONB,
    "raw_metadata" TEXT,
    "sha256" TEXT,
    "batch_id" TEXT,
    "batch_index" INTEGER,
    "server_data" JSONB,
    "failure" JSONB,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "claimed_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stored_at" TIMESTAMPTZ(3),
    "ready_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3),
    "purged_at" TIMESTAMPTZ(3),

    CONSTRAINT "file_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "carcosa"."event" (
    "seq" BIGSERIAL NOT NULL,
    "project_id" TEXT NOT NULL,
    "file_id" TEXT,
    "type" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "event_pkey" PRIMARY KEY ("seq")
);

-- CreateTable
CREATE TABLE "carcosa"."upload_lease" (
    "upload_id" TEXT NOT NULL,
    "holder" TEXT NOT NULL,
    "fence" BIGINT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "upload_lease_pkey" PRIMARY KEY ("upload_id")
);

-- CreateIndex
CREATE INDEX "file_project_id_created_at_id_idx" ON "carcosa"."file"("project_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "file_project_id_route_created_at_idx" ON "carcosa"."file"("project_id", "route", "created_at" DESC);

-- CreateIndex
CREATE INDEX "file_project_id_owner_id_created_at_idx" ON "carcosa"."file"("project_id", "owner_id", "created_at" DESC);

-- CreateIndex
CREATE INDEX "file_state_expires_at_idx" ON "carcosa"."file"("state", "expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "file_batch_id_batch_index_key" ON "carcosa"."file"("batch_id", "batch_index");

-- CreateIndex
CREATE INDEX "event_project_id_seq_idx" ON "carcosa"."event"("project_id", "seq");

-- CreateIndex
CREATE INDEX "event_file_id_seq_idx" ON "carcosa"."event"("file_id", "seq");

-- AddForeignKey
ALTER TABLE "carcosa"."file" ADD CONSTRAINT "file_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "carcosa"."project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carcosa"."event" ADD CONSTRAINT "event_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "carcosa"."project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carcosa"."event" ADD CONSTRAINT "event_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "carcosa"."file"("id") ON DELETE SET NULL ON UPDATE CASCADE;
