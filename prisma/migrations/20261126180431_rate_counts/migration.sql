-- CreateTable
-- Unlogged, which Prisma cannot say: counts need not survive a crash, and no commit waits for a disk.
CREATE UNLOGGED TABLE "carcosa"."rate_count" (
    "key" TEXT NOT NULL,
    "points" INTEGER NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "rate_count_pkey" PRIMARY KEY ("key")
);
