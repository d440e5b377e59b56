-- The lease of an upload is in its own row, so that the statement that commits an offset asks
-- for it without a second table. What was called so held the claims of copies alone.
ALTER TABLE "carcosa"."upload_lease" RENAME TO "copy_lease";
ALTER TABLE "carcosa"."copy_lease" RENAME CONSTRAINT "upload_lease_pkey" TO "copy_lease_pkey";
ALTER TABLE "carcosa"."copy_lease" RENAME COLUMN "upload_id" TO "place";
ALTER TABLE "carcosa"."copy_lease" DROP COLUMN "fence";

-- AlterTable
ALTER TABLE "carcosa"."file" ADD COLUMN     "lease_contested" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "lease_expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "lease_fence" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "lease_holder" TEXT,
ADD COLUMN     "lease_wanted" TEXT;
