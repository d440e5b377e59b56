-- AlterTable
ALTER TABLE "carcosa"."file" ADD COLUMN     "released" BIGINT,
ADD COLUMN     "reserved" BIGINT;

-- CreateTable
CREATE TABLE "carcosa"."quota" (
    "project_id" TEXT NOT NULL,
    "max_bytes" BIGINT,
    "max_files" BIGINT,
    "owner_max_bytes" BIGINT,
    "owner_max_files" BIGINT,
    "used_bytes" BIGINT NOT NULL DEFAULT 0,
    "used_files" BIGINT NOT NULL DEFAULT 0,
    "corrections" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "quota_pkey" PRIMARY KEY ("project_id")
);

-- CreateTable
CREATE TABLE "carcosa"."owner_usage" (
    "project_id" TEXT NOT NULL,
    "owner_id" TEXT NOT NULL,
    "used_bytes" BIGINT NOT NULL,
    "used_files" BIGINT NOT NULL,

    CONSTRAINT "owner_usage_pkey" PRIMARY KEY ("project_id","owner_id")
);

-- CreateTable
CREATE TABLE "carcosa"."usage_day" (
    "project_id" TEXT NOT NULL,
    "dimension" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "name" TEXT NOT NULL,
    "stored_files" BIGINT NOT NULL DEFAULT 0,
    "stored_bytes" BIGINT NOT NULL DEFAULT 0,
    "deleted_files" BIGINT NOT NULL DEFAULT 0,
    "deleted_bytes" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "usage_day_pkey" PRIMARY KEY ("project_id","dimension","day","name")
);

-- CreateTable
CREATE TABLE "carcosa"."usage_cursor" (
    "project_id" TEXT NOT NULL,
    "number" BIGINT NOT NULL,

    CONSTRAINT "usage_cursor_pkey" PRIMARY KEY ("project_id")
);

-- AddForeignKey
ALTER TABLE "carcosa"."quota" ADD CONSTRAINT "quota_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "carcosa"."project"("id") ON DELETE CASCADE ON UPDATE CASCADE;
