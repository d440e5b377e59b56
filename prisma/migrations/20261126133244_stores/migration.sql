-- AlterTable
ALTER TABLE "carcosa"."file" ADD COLUMN     "store_memo" JSONB;

-- CreateTable
CREATE TABLE "carcosa"."upload_part" (
    "file_id" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "size" BIGINT NOT NULL,
    "receipt" TEXT NOT NULL,

    CONSTRAINT "upload_part_pkey" PRIMARY KEY ("file_id","number")
);

-- CreateTable
CREATE TABLE "carcosa"."staged_bytes" (
    "file_id" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "staged_bytes_pkey" PRIMARY KEY ("file_id","position")
);

-- CreateTable
CREATE TABLE "carcosa"."file_copy" (
    "file_id" TEXT NOT NULL,
    "store_name" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "file_copy_pkey" PRIMARY KEY ("file_id","store_name")
);

-- CreateIndex
CREATE UNIQUE INDEX "file_copy_store_name_key_key" ON "carcosa"."file_copy"("store_name", "key");

-- CreateIndex
CREATE UNIQUE INDEX "file_store_name_key_key" ON "carcosa"."file"("store_name", "key");

-- AddForeignKey
ALTER TABLE "carcosa"."upload_part" ADD CONSTRAINT "upload_part_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "carcosa"."file"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carcosa"."staged_bytes" ADD CONSTRAINT "staged_bytes_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "carcosa"."file"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "carcosa"."file_copy" ADD CONSTRAINT "file_copy_file_id_fkey" FOREIGN KEY ("file_id") REFERENCES "carcosa"."file"("id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Uploads are mostly compressed already: trying again would cost CPU for nothing.
ALTER TABLE "carcosa"."staged_bytes" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
