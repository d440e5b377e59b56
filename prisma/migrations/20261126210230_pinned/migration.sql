-- AlterTable
ALTER TABLE "carcosa"."file" ADD COLUMN     "pinned" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[];
